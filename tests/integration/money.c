#include "money.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#define CURRENCY "EUR"

static void must(int rc, const char *what, const struct settle_error *err)
{
    if (rc != 0)
        printf("  %s: %s\n", what, err->text);
    CU_ASSERT_EQUAL_FATAL(rc, 0);
}

struct settle_leg money_leg(struct account account, enum settle_side side, int64_t amount)
{
    struct settle_leg leg = {account.bank, account.name, side, amount, CURRENCY};
    return leg;
}

static struct settle_outcome submit_as(struct settle *settle, const struct settle_id *id,
                                       const struct settle_leg *legs, size_t count)
{
    struct settle_submit submit = {
        .id = *id, .legs = legs, .leg_count = count, .deadline_ms = MONEY_TIMEOUT_MS};
    struct settle_outcome outcome = {.result = SETTLE_UNKNOWN};
    struct settle_error err = {.text = ""};

    must(settle_submit(settle, &submit, &outcome, &err), "submit", &err);
    return outcome;
}

struct settle_outcome money_submit(struct settle *settle, const struct settle_leg *legs,
                                   size_t count)
{
    struct settle_id id;

    CU_ASSERT_EQUAL_FATAL(settle_id_new(&id), 0);
    return submit_as(settle, &id, legs, count);
}

struct settle_outcome money_pay_as(struct settle *settle, const struct settle_id *id,
                                   struct account from, struct account to, int64_t amount)
{
    struct settle_leg legs[] = {money_leg(from, SETTLE_DEBIT, amount),
                                money_leg(to, SETTLE_CREDIT, amount)};

    return submit_as(settle, id, legs, 2);
}

struct settle_outcome money_pay(struct settle *settle, struct account from, struct account to,
                                int64_t amount)
{
    struct settle_id id;

    CU_ASSERT_EQUAL_FATAL(settle_id_new(&id), 0);
    return money_pay_as(settle, &id, from, to, amount);
}

void money_open(struct settle *settle, struct account account, int64_t funds)
{
    struct settle_account_key key = {account.bank, account.name, CURRENCY};
    struct account cash = {account.bank, "CASH"};
    struct settle_error err = {.text = ""};
    struct settle_account made;
    const int64_t floor = 0;

    must(settle_account_create(settle, &key, 0, &floor, &made, MONEY_TIMEOUT_MS, &err),
         account.name, &err);
    if (funds > 0)
        CU_ASSERT_EQUAL_FATAL(money_pay(settle, cash, account, funds).result, SETTLE_COMMITTED);
}

struct settle_account money_account(struct settle *settle, struct account account)
{
    struct settle_account_key key = {account.bank, account.name, CURRENCY};
    struct settle_account *list, found;
    struct settle_error err = {.text = ""};
    size_t count;

    must(settle_account_show(settle, &key, &list, &count, MONEY_TIMEOUT_MS, &err), account.name,
         &err);
    CU_ASSERT_EQUAL_FATAL(count, 1);
    found = list[0];
    settle_accounts_free(list);
    return found;
}

unsigned money_entries(struct settle *settle, struct account account, const struct settle_id *id)
{
    struct settle_account_key key = {account.bank, account.name, CURRENCY};
    struct settle_entry *list;
    struct settle_error err = {.text = ""};
    unsigned found = 0;
    size_t count;

    must(settle_account_statement(settle, &key, 0, &list, &count, MONEY_TIMEOUT_MS, &err),
         account.name, &err);
    for (size_t i = 0; i < count; i++)
        found += memcmp(&list[i].id, id, sizeof(*id)) == 0;
    settle_entries_free(list);
    return found;
}

void money_audit(struct settle *settle)
{
    struct settle_audit audit;
    struct settle_error err = {.text = ""};

    must(settle_audit_run(settle, &audit, MONEY_TIMEOUT_MS, &err), "audit", &err);
    CU_ASSERT_TRUE(audit.balanced);
    CU_ASSERT_EQUAL(audit.missing_count, 0);
    CU_ASSERT_EQUAL(audit.in_doubt_count, 0);
    CU_ASSERT_TRUE(audit.line_count > 0);
    for (size_t i = 0; i < audit.line_count; i++)
        CU_ASSERT_TRUE(audit.lines[i].balanced);
    settle_audit_release(&audit);
}

int money_at_rest(struct settle *settle)
{
    struct settle_txn *list;
    size_t count;

    if (settle_txn_list(settle, NULL, 0, &list, &count, MONEY_TIMEOUT_MS, NULL) != 0)
        return 0;
    settle_txns_free(list);
    return count == 0;
}
