/*
 * The ledger of one participant: accounts, holds, postings; pure.
 *
 * Prepare makes a hold of a branch (ledger_reserve), commit posts it, abort voids it. Nothing is
 * locked between the phases: a hold is a sum in the account's pending totals, so a hot account is
 * as fast as a cold one. What was admitted can always be posted: floors and the limits of 64 bits
 * are checked when the hold is made, on both sides, whatever the order of later commits and aborts.
 *
 * No clock, no I/O, no allocation after ledger_init(). Reserve, post and void cost O(postings of
 * the branch). The ledger writes nothing: it hands out attributes for the journal, entries for the
 * statement and rows for the checkpoint. README.md beside this file has the rules with examples.
 *
 * At start: ledger_load() every stored row in order, then the journal's tail in order through
 * ledger_apply(), ledger_restore(), ledger_replay_post() and ledger_void(). Rows may be newer than
 * the record that is replayed; each account knows what it includes.
 */
#ifndef SETTLE_LEDGER_LEDGER_H
#define SETTLE_LEDGER_LEDGER_H

#include "base/ledger_types.h"
#include "core/types.h"

#define LEDGER_CASH "CASH" /* the system account that exists in every currency on demand */

struct err;
struct ledger;

struct ledger_options {
    uint32_t account_max; /* 1 to ACCOUNTS_MAX; one more is refused LIMIT */
    uint32_t hold_max;    /* prepared branches; one more is refused BUSY */
    uint32_t posting_max; /* postings of all holds, at least LEGS_MAX; more are refused BUSY */
};

/* Counted now. */
struct ledger_stats {
    uint32_t accounts;
    uint32_t holds;
    uint32_t postings; /* of all holds */
    uint32_t dirty;    /* accounts that differ from their row of the last checkpoint */
};

size_t ledger_memory_size(const struct ledger_options *options);

/** Make an empty ledger in caller's ZEROED memory of ledger_memory_size(), aligned as by malloc. */
struct ledger *ledger_init(void *memory, const struct ledger_options *options);

const struct ledger_stats *ledger_stats(const struct ledger *ledger);

/* ---- Looking ---- */

/** The account's number, or SLOT_NONE. */
uint32_t ledger_find(const struct ledger *ledger, const struct account_name *name,
                     const struct currency *currency);

/** The account as it is now, pending totals included. `number` exists. */
void ledger_row(const struct ledger *ledger, uint32_t number, struct account_row *ret_row);

/**
 * What may be debited from an account now: what is posted above the floor less pending debits, and
 * nothing while debits are blocked.
 *
 * @return  false: nothing limits it, for the account has no floor
 */
bool ledger_available(const struct account_row *row, int64_t *ret_available);

/** The next account at or after *cursor (0 first), in order of number; false at the end. */
bool ledger_next(const struct ledger *ledger, uint32_t *cursor, struct account_row *ret_row);

/** Posted per currency that has an account, credits minus debits, ordered by code; the count. */
uint16_t ledger_totals(const struct ledger *ledger, struct net totals[CURRENCIES_MAX]);

/*
 * ---- The operator's acts: decided here, made true by ledger_apply() ----
 *
 * Each changes nothing. With REASON_NONE, *ret_changed tells whether there is anything to do: if so
 * the caller journals *ret_attributes as a RECORD_ACCOUNT and calls ledger_apply() before it asks
 * the ledger anything else. A repeat of what is so already is REASON_NONE without a change.
 */

/**
 * A new account. Of `wanted`, number and status are not read: it will be OPEN, under the next
 * number.
 *
 * ACCOUNT_NAME, CURRENCY_UNKNOWN; FLOOR: above zero, or none although it is no system account;
 * ACCOUNT_EXISTS: with another floor or kind, or CASH with other attributes than its own;
 * ACCOUNT_CLOSED: it existed; LIMIT.
 */
enum reason ledger_create(const struct ledger *ledger, const struct account_attributes *wanted,
                          struct account_attributes *ret_attributes, bool *ret_changed);

/**
 * Open or block an account for new holds; what is held stays held. `status` is not ACCOUNT_CLOSED.
 *
 * ACCOUNT_UNKNOWN (`number` SLOT_NONE); ACCOUNT_CLOSED: closing is final.
 */
enum reason ledger_set_status(const struct ledger *ledger, uint32_t number,
                              enum account_status status, struct account_attributes *ret_attributes,
                              bool *ret_changed);

/**
 * Set the floor for new holds; floor NULL takes it away.
 *
 * ACCOUNT_UNKNOWN, ACCOUNT_CLOSED; FLOOR: above the balance less pending debits, or taken away from
 * an account that is no system account; ACCOUNT_SYSTEM: CASH never has one.
 */
enum reason ledger_set_floor(const struct ledger *ledger, uint32_t number, const int64_t *floor,
                             struct account_attributes *ret_attributes, bool *ret_changed);

/**
 * Close an account for good.
 *
 * ACCOUNT_UNKNOWN; ACCOUNT_IN_USE: money is left, or a hold pends on either side; ACCOUNT_SYSTEM:
 * CASH is never closed.
 */
enum reason ledger_close(const struct ledger *ledger, uint32_t number,
                         struct account_attributes *ret_attributes, bool *ret_changed);

/**
 * The CASH accounts that `branch` names and that do not exist yet: the caller journals and applies
 * each, before it reserves the branch. Nothing else is ever created by being named.
 *
 * @return  how many, at most NETS_MAX: a branch of more currencies is refused anyway
 */
uint16_t ledger_missing_cash(const struct ledger *ledger, const struct branch *branch,
                             struct account_attributes attributes[NETS_MAX]);

/**
 * Make a RECORD_ACCOUNT's attributes true, when they were decided and when they are replayed.
 *
 * Changes nothing where the account's row includes `position` already.
 *
 * @return  0; replaying: ERR_CORRUPT (contradicts what is there), ERR_FULL (account_max)
 */
int ledger_apply(struct ledger *ledger, const struct account_attributes *attributes,
                 uint64_t position, struct err *err);

/* ---- A transaction's branch ---- */

/**
 * Hold a branch, whole or not at all. Its checks come first, then its postings in order.
 *
 * A debit is admitted iff credits_posted - debits_posted - debits_pending - amount >= floor, where
 * debits_pending includes the earlier debits of the same branch and pending credits never count.
 *
 * @ret_hold  the handle for ledger_post() or ledger_void()
 * @nets      receives credits minus debits per currency
 * @return    REASON_NONE, or the first refusal. BUSY (hold_max, posting_max) and LIMIT (no room for
 *            a CASH account) are no vote: nothing is said about the branch. All others are NO: LEGS
 *            (also: more than NETS_MAX currencies), AMOUNT, MALFORMED, CURRENCY_UNKNOWN,
 *            ACCOUNT_UNKNOWN, ACCOUNT_CLOSED, ACCOUNT_BLOCKED, FUNDS, OVERFLOW, CHECK_FAILED
 */
enum reason ledger_reserve(struct ledger *ledger, const struct branch *branch, uint32_t *ret_hold,
                           struct net nets[NETS_MAX], uint16_t *ret_net_count);

/**
 * Look whether every check of a read-only branch holds: the account exists, is not closed and has
 * at least `available_min` available.
 *
 * @return  REASON_NONE, LEGS, CURRENCY_UNKNOWN, ACCOUNT_UNKNOWN, ACCOUNT_CLOSED, CHECK_FAILED;
 *          MALFORMED: it has postings or no checks
 */
enum reason ledger_check(const struct ledger *ledger, const struct branch *branch);

/**
 * Make a hold's postings final and drop it. Cannot fail.
 *
 * @id         of the transaction
 * @position   of the record that commits it; above all positions posted or applied before
 * @timestamp  of the commit
 * @entries    receives the statement's entries, one a posting, in the branch's order
 * @return     their count
 */
uint16_t ledger_post(struct ledger *ledger, uint32_t hold, const struct id *id, uint64_t position,
                     uint64_t timestamp, struct entry entries[LEGS_MAX]);

/** Drop a hold. Cannot fail. */
void ledger_void(struct ledger *ledger, uint32_t hold);

/** The postings and the memo of a hold, as they were reserved; checks are not kept. */
void ledger_hold_branch(const struct ledger *ledger, uint32_t hold, struct branch *ret_branch);

/* ---- Load and replay ---- */

/**
 * Take a stored row. Rows come in order of number, none left out; pending totals are not read.
 *
 * @return  0, ERR_CORRUPT (the row cannot be), ERR_FULL (account_max)
 */
int ledger_load(struct ledger *ledger, const struct account_row *row, struct err *err);

/**
 * Hold a branch of the journal again, without the rules of admission: a prepared hold is a promise,
 * and it may be posted in the rows already.
 *
 * @return  0, ERR_CORRUPT (an account is missing, or the branch cannot be), ERR_FULL (hold_max,
 *          posting_max)
 */
int ledger_restore(struct ledger *ledger, const struct branch *branch, uint32_t *ret_hold,
                   struct err *err);

/** Post a restored hold; an account whose row includes `position` keeps its posted totals. */
void ledger_replay_post(struct ledger *ledger, uint32_t hold, uint64_t position);

/*
 * ---- Checkpoint ----
 *
 * A pass runs from cursor 0 until ledger_checkpoint_next() returns false, over as many turns as the
 * caller likes, while the ledger goes on. An account that changes behind the cursor is dirty again
 * and belongs to the next pass. Every row of the pass includes what was journaled up to position P
 * at which it began. So the journal may be trimmed up to P in the transaction that stores the
 * pass's last row, or later, if what was unresolved at P was journaled again (RECORD_CARRIED) right
 * then: not when the pass ends, for what is decided in between would find no beginning at replay.
 */

/**
 * Hand out the next dirty account at or after *cursor and mark it clean; false at the end.
 *
 * The caller stores the row: one that it drops is lost to the next checkpoint.
 */
bool ledger_checkpoint_next(struct ledger *ledger, uint32_t *cursor, struct account_row *ret_row);

#endif
