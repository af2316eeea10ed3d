/*
 * A naive model of the books: lists, sums over lists, and 128 bits everywhere.
 *
 * It keeps no pending totals but adds up its holds whenever it is asked, and says what the ledger
 * must answer. What is simple here and quick there must come to the same.
 */
#ifndef SETTLE_TESTS_LEDGER_MODEL_H
#define SETTLE_TESTS_LEDGER_MODEL_H

#include "ledger/ledger.h"

#define MODEL_ACCOUNTS 24
#define MODEL_HOLDS    12
#define MODEL_LEGS     14
#define MODEL_POSTINGS LEGS_MAX /* in all holds: fewer than MODEL_HOLDS * MODEL_LEGS */

struct model_branch {
    uint16_t count;
    struct posting postings[MODEL_LEGS];
};

/** Member by member: what stands between them need not survive a copy. */
bool model_branch_equal(const struct model_branch *a, const struct model_branch *b);

struct model_hold {
    bool used;
    uint32_t key; /* unique, as a transaction's id */
    struct model_branch branch;
};

struct model_account {
    struct account_attributes attributes;
    int128 debits, credits; /* posted */
    struct entry_ref last;
    uint64_t applied;
};

struct model {
    uint32_t account_count;
    struct model_account accounts[MODEL_ACCOUNTS];
    struct model_hold holds[MODEL_HOLDS];
};

/** The account's number, SLOT_NONE if there is none. */
uint32_t model_find(const struct model *model, const struct account_name *name,
                    const struct currency *currency);

/** Sum of one side of one account over all holds. */
int128 model_pending(const struct model *model, uint32_t number, enum side side);

/** Posted, credits minus debits, of all accounts in a currency; ditto pending of one side. */
int128 model_posted_in(const struct model *model, const struct currency *currency);
int128 model_pending_in(const struct model *model, const struct currency *currency, enum side side);

/** What the ledger must answer. */
enum reason model_create(const struct model *model, const struct account_attributes *wanted);
enum reason model_set_floor(const struct model *model, uint32_t number, const int64_t *floor);
enum reason model_close(const struct model *model, uint32_t number);
enum reason model_reserve(const struct model *model, const struct model_branch *branch);
enum reason model_check(const struct model *model, const struct balance_check *check);

/** Credits minus debits of a branch in one currency. */
int128 model_net(const struct model_branch *branch, const struct currency *currency);

/** An account's row as the ledger must show it. */
void model_row(const struct model *model, uint32_t number, struct account_row *ret_row);

/** Make attributes true, as of a position. */
void model_apply(struct model *model, const struct account_attributes *attributes,
                 uint64_t position);

/** Post one posting, and say what its statement entry must be. */
void model_post(struct model *model, const struct posting *posting, struct entry_ref at,
                struct entry *ret_entry);

/** Field by field. */
bool model_row_is(const struct account_row *row, const struct account_row *right);
bool model_entry_is(const struct entry *entry, const struct entry *right);

#endif
