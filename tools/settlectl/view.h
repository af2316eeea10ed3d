/*
 * What settlectl prints: each result of the library, as columns for people or as JSON.
 *
 * JSON is one object per line; its keys are a contract, README.md has them. Amounts are decimal
 * strings in major units, epochs and incarnations are strings because they use all of 64 bits,
 * instants are RFC 3339 in UTC. Every function returns 0, or -1 when memory was short.
 */
#ifndef SETTLE_TOOLS_SETTLECTL_VIEW_H
#define SETTLE_TOOLS_SETTLECTL_VIEW_H

#include "settle/admin.h"

#include <stdbool.h>
#include <stdio.h>

#define INSTANT_SIZE 32

struct view {
    FILE *out;
    bool json;
};

int view_id(const struct view *view, const struct settle_id *id);
int view_outcome(const struct view *view, const struct settle_outcome *outcome);
int view_accounts(const struct view *view, const char *participant,
                  const struct settle_account *list, size_t count);

/** The entries of `key`, in the order given. */
int view_statement(const struct view *view, const struct settle_account_key *key,
                   const struct settle_entry *list, size_t count);
int view_status(const struct view *view, const struct settle_status *status);

/** One line for each transaction: `list` has its views side by side, the coordinator's first. */
int view_txns(const struct view *view, const struct settle_txn *list, size_t count);

/** All that each view says. */
int view_txn_details(const struct view *view, const struct settle_txn *list, size_t count);
int view_audit(const struct view *view, const struct settle_audit *audit);

/** "2026-11-24T19:40:00.123Z" of milliseconds since 1970. Returns `text`. */
const char *instant_format(uint64_t unix_ms, char text[INSTANT_SIZE]);

#endif
