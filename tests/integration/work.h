/*
 * A running workload of transfers between three banks, and the oracle that judges what came of it.
 *
 * A thread keeps some transfers under way; most commit, some must abort for want of funds, some are
 * submitted again although their outcome is known. Everything that was submitted is remembered, and
 * work_verify() holds it against the banks' books:
 *
 *   - an id told COMMITTED stands exactly once in the statement of each of its accounts, with its
 *     side and amount; an id told ABORTED in none (I1, I3, I7)
 *   - no id ever gets a second, different outcome; UNKNOWN becomes an outcome when asked or
 *     submitted again (I8)
 *   - every balance is its funding plus the sum of its entries, and nothing stays reserved
 *   - the audit balances with nothing in doubt, and nothing is in flight within session timeout +
 *     tick + 5 s of work_verify()'s begin (I4, I9)
 */
#ifndef SETTLE_TESTS_WORK_H
#define SETTLE_TESTS_WORK_H

#include "support/cluster.h"

struct work;

/** Make and fund the accounts, named after `tag` ([A-Z0-9]), and start the thread. */
struct work *work_start(struct test_cluster *cluster, struct settle *settle, const char *tag);

/** Transfers told COMMITTED so far. */
unsigned work_committed(const struct work *work);

/** True iff `more` have been told COMMITTED since the last work_mark(). */
bool work_moved(const struct work *work, unsigned more);
void work_mark(struct work *work);

/** Start no new transfers, and wait until those under way have an answer. */
void work_stop(struct work *work);

/** work_stop(), judge everything, print the counts, and free it. The cluster is healed by now. */
void work_verify(struct work *work);

/** End and free what a failed test left running; before its handle is closed. */
void work_end(void);

#endif
