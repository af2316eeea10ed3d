/*
 * Books on the bench: one ledger, its journal's position, and branches written as text.
 *
 *   "A-100 B+60 C/JPY+40"   debit 100 to A, credit 60 to B, in USD; credit 40 to C in JPY
 */
#ifndef SETTLE_TESTS_LEDGER_BENCH_H
#define SETTLE_TESTS_LEDGER_BENCH_H

#include "ledger/ledger.h"

struct books {
    struct ledger_options options;
    struct ledger *ledger;
    uint64_t position; /* of the last record */
    uint16_t entry_count;
    struct entry entries[LEGS_MAX]; /* of the last posting */
    uint16_t net_count;
    struct net nets[NETS_MAX]; /* of the last reservation */
};

void books_open(struct books *books, uint32_t account_max, uint32_t hold_max);
void books_close(struct books *books);

struct account_name name_of(const char *text);
struct currency currency_of(const char *code);

/** The branch of a text; the memo is "memo". */
void branch_of(const char *text, struct branch *ret_branch);

/** Attributes of an account "A" or "A/JPY" to be made; floor NULL: none. */
struct account_attributes wanted(const char *account, const int64_t *floor, bool system);

/** Make an account with a floor and let `credit` into it from the system account WORLD. */
uint32_t account_make(struct books *books, const char *account, int64_t floor, int64_t credit);

/** Decide and apply at the next position. */
enum reason create(struct books *books, const struct account_attributes *attributes);
enum reason set_status(struct books *books, const char *account, enum account_status status);
enum reason set_floor(struct books *books, const char *account, int64_t floor);
enum reason close_account(struct books *books, const char *account);

/** The number of "A" or "A/JPY", SLOT_NONE if there is none. */
uint32_t number_of(const struct books *books, const char *account);
struct account_row row_of(const struct books *books, const char *account);
int64_t available_of(const struct books *books, const char *account);

/** Reserve; *ret_hold may be NULL when a refusal is expected. */
enum reason reserve(struct books *books, const char *text, uint32_t *ret_hold);
void post(struct books *books, uint32_t hold);

/** Reserve and post what must be admitted. */
void transfer(struct books *books, const char *text);

/** True iff the account's totals are these: debits and credits posted, debits and credits pending.
 */
bool totals_are(const struct books *books, const char *account, const int64_t totals[4]);
#define TOTALS(books, account, ...) totals_are(books, account, (const int64_t[4]){__VA_ARGS__})

#endif
