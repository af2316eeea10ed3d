/*
 * Accounts and payments for tests, in EUR and minor units. A call that the cluster refuses where a
 * test needs it to be done ends the test as failed.
 */
#ifndef SETTLE_TESTS_MONEY_H
#define SETTLE_TESTS_MONEY_H

#include "settle/admin.h"

#define MONEY_TIMEOUT_MS 10000u

struct account {
    const char *bank;
    const char *name;
};

/** Make an account with floor 0 and deposit `funds`, if any. */
void money_open(struct settle *settle, struct account account, int64_t funds);

/** Two legs under a new id, or under *id. The call itself must succeed. */
struct settle_outcome money_pay(struct settle *settle, struct account from, struct account to,
                                int64_t amount);
struct settle_outcome money_pay_as(struct settle *settle, const struct settle_id *id,
                                   struct account from, struct account to, int64_t amount);

/** Any legs, under a new id. */
struct settle_outcome money_submit(struct settle *settle, const struct settle_leg *legs,
                                   size_t count);

struct settle_leg money_leg(struct account account, enum settle_side side, int64_t amount);

/** The account as it is now. */
struct settle_account money_account(struct settle *settle, struct account account);

/** How often the id stands in the account's statement. */
unsigned money_entries(struct settle *settle, struct account account, const struct settle_id *id);

/** The audit balances, with nobody missing and nothing in doubt. */
void money_audit(struct settle *settle);

/** True iff nothing is in flight or in doubt. */
int money_at_rest(struct settle *settle);

#endif
