/*
 * What the files of the ledger share; nobody else includes it.
 *
 * ledger.c: life, the index, looking. ledger_account.c: the operator's acts. ledger_hold.c: a
 * transaction's branch. ledger_load.c: rows, replay, checkpoint.
 */
#ifndef SETTLE_LEDGER_INTERNAL_H
#define SETTLE_LEDGER_INTERNAL_H

#include "base/table.h"
#include "ledger/ledger.h"

/* One account. Its number is its place in the array. */
struct account {
    struct account_name name;
    struct currency currency;
    int64_t debits_posted;
    int64_t credits_posted;
    int64_t debits_pending;
    int64_t credits_pending;
    int64_t floor;
    uint64_t last_position; /* of the newest statement entry */
    uint64_t applied;       /* the newest record of the journal that is included */
    uint16_t last_index;
    uint8_t status; /* enum account_status */
    uint8_t sum;    /* index of its currency's sum */
    bool system;
    bool has_floor;
};

_Static_assert(sizeof(struct account) <= 128, "a million accounts are 128 MB at the most");

/* All accounts of one currency together. */
struct currency_sum {
    struct currency currency;
    int128 posted; /* credits minus debits */
    int128 debits_pending;
    int128 credits_pending;
};

/* One posting of a hold. */
struct held {
    int64_t amount;
    uint32_t account;
    uint32_t next; /* of the same hold, or of the free ones */
    uint8_t side;  /* enum side */
};

struct hold {
    uint32_t first; /* held posting; of a free hold: the next free one */
    uint32_t last;
    uint16_t count;
    bool used;
    char memo[MEMO_SIZE];
};

struct ledger {
    struct ledger_options options;
    struct ledger_stats stats;
    struct account *accounts;
    struct hold *holds;
    struct held *held;
    uint64_t *dirty; /* a bit per account */
    struct table index;
    uint32_t hold_free, holds_touched;
    uint32_t held_free, held_touched;
    uint16_t sum_count;
    struct currency_sum sums[CURRENCIES_MAX];
};

/* ledger.c */
uint32_t ledger_make(struct ledger *ledger, const struct account_attributes *attributes);
void ledger_touch(struct ledger *ledger, uint32_t number);
void ledger_attributes(const struct ledger *ledger, uint32_t number,
                       struct account_attributes *ret_attributes);
bool ledger_is_cash(const struct account_name *name);

/* ledger_account.c */
bool ledger_name_is_valid(const struct account_name *name);

/* ledger_hold.c: hold `branch`, whose accounts are known to be there. */
void ledger_hold_add(struct ledger *ledger, struct hold *hold, uint32_t number,
                     const struct posting *posting);
struct hold *ledger_hold_make(struct ledger *ledger, const struct branch *branch);
void ledger_hold_free(struct ledger *ledger, struct hold *hold);
void ledger_pend(struct ledger *ledger, const struct held *held, int sign);

#endif
