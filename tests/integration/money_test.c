/*
 * Happy paths through libsettle: accounts, payments, outcomes, statements, status, transactions,
 * audit, by zk:// and by tcp://.
 */
#include "base/reason.h"
#include "money.h"
#include "support/cluster.h"
#include "support/runner.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define FUNDS   100000
#define MANY    300 /* more than a page of a list or a statement */
#define CLOCK_S 60

static struct test_cluster cluster;
static struct settle *handle;

static const struct account alice = {"bank-a", "ALICE"}, bob = {"bank-b", "BOB"};
static const struct account carol = {"bank-c", "CAROL"};

static int up(void)
{
    test_cluster_up(&cluster, &(struct test_cluster_options){.coordinators = 2, .banks = 3});
    return settle_open(cluster.url, NULL, &handle, NULL);
}

static int down(void)
{
    settle_close(handle);
    test_cluster_down(&cluster);
    return 0;
}

static void begin(void)
{
    static bool funded;

    money_open(handle, alice, funded ? 0 : FUNDS);
    money_open(handle, bob, 0);
    money_open(handle, carol, 0);
    funded = true;
}

/* ---- accounts ---- */

static void account_is_made_once_and_as_asked(void)
{
    struct settle_account_key key = {"bank-a", "DORA", "BHD"};
    struct settle_account account;
    struct settle_error err;
    int64_t floor = -1500;

    CU_ASSERT_EQUAL_FATAL(settle_account_create(handle, &key, 0, &floor, &account, 0, &err), 0);
    CU_ASSERT_STRING_EQUAL(account.account, "DORA");
    CU_ASSERT_STRING_EQUAL(account.currency, "BHD");
    CU_ASSERT_EQUAL(account.status, SETTLE_OPEN);
    CU_ASSERT_EQUAL(account.posted, 0);
    CU_ASSERT_EQUAL(account.floor, -1500);
    CU_ASSERT_EQUAL(account.available, 1500);
    CU_ASSERT_EQUAL(settle_account_create(handle, &key, 0, &floor, &account, 0, &err), 0);
    floor = -1;
    CU_ASSERT_EQUAL(settle_account_create(handle, &key, 0, &floor, &account, 0, &err),
                    SETTLE_ERR_REFUSED);
    CU_ASSERT_EQUAL(err.reason, REASON_ACCOUNT_EXISTS);
    key.participant = "bank-x";
    CU_ASSERT_EQUAL(settle_account_create(handle, &key, 0, &floor, &account, 0, &err),
                    SETTLE_ERR_REFUSED);
    CU_ASSERT_EQUAL(err.reason, REASON_PARTICIPANT_UNKNOWN);
}

static void account_is_changed(void)
{
    struct settle_account_key key = {"bank-a", "EMIL", "EUR"};
    struct settle_account_change change = {.status = SETTLE_BLOCKED, .set_floor = 1, .floor = -200};
    struct settle_account account;

    money_open(handle, (struct account){"bank-a", "EMIL"}, 0);
    CU_ASSERT_EQUAL(settle_account_set(handle, &key, &change, &account, 0, NULL), 0);
    CU_ASSERT_EQUAL(account.status, SETTLE_BLOCKED);
    CU_ASSERT_EQUAL(account.floor, -200);
    change = (struct settle_account_change){.status = SETTLE_OPEN};
    CU_ASSERT_EQUAL(settle_account_set(handle, &key, &change, &account, 0, NULL), 0);
    CU_ASSERT_EQUAL(account.status, SETTLE_OPEN);
    CU_ASSERT_EQUAL(account.floor, -200);
    CU_ASSERT_EQUAL(settle_account_close(handle, &key, &account, 0, NULL), 0);
    CU_ASSERT_EQUAL(account.status, SETTLE_CLOSED);
}

/* Enough for several pages; each stands in the list once, in the order they were made. */
static void accounts_are_listed(void)
{
    struct settle_account *list;
    char name[16];
    size_t count, at = 0;

    for (unsigned i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "PAGE-%03u", i);
        money_open(handle, (struct account){"bank-c", name}, 0);
    }
    CU_ASSERT_EQUAL_FATAL(
        settle_account_list(handle, "bank-c", &list, &count, MONEY_TIMEOUT_MS, NULL), 0);
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "PAGE-%03u", (unsigned)at);
        at += strcmp(list[i].account, name) == 0;
    }
    CU_ASSERT_EQUAL(at, MANY);
    CU_ASSERT_TRUE(count >= MANY && count <= MANY + 3); /* CAROL, and CASH if it was needed */
    settle_accounts_free(list);
}

/* ---- payments ---- */

static void payment_between_two_banks(void)
{
    int64_t before_a = money_account(handle, alice).posted;
    int64_t before_b = money_account(handle, bob).posted;
    uint64_t now_ms = (uint64_t)time(NULL) * 1000;
    struct settle_outcome outcome = money_pay(handle, alice, bob, 250), asked;
    struct settle_error err;

    CU_ASSERT_EQUAL_FATAL(outcome.result, SETTLE_COMMITTED);
    CU_ASSERT_EQUAL(outcome.reason, REASON_NONE);
    CU_ASSERT_TRUE(outcome.committed_ms + CLOCK_S * 1000 > now_ms &&
                   outcome.committed_ms < now_ms + CLOCK_S * 1000);
    CU_ASSERT_EQUAL(money_account(handle, alice).posted, before_a - 250);
    CU_ASSERT_EQUAL(money_account(handle, bob).posted, before_b + 250);
    CU_ASSERT_EQUAL_FATAL(settle_outcome_of(handle, &outcome.id, 0, &asked, &err), 0);
    CU_ASSERT_EQUAL(asked.result, SETTLE_COMMITTED);
    CU_ASSERT_EQUAL(asked.committed_ms, outcome.committed_ms);
}

/* A, B and C in one: two debits of one account count together. */
static void payment_of_many_legs(void)
{
    struct settle_leg legs[] = {
        money_leg(alice, SETTLE_DEBIT, 60),
        money_leg(alice, SETTLE_DEBIT, 40),
        money_leg(bob, SETTLE_CREDIT, 70),
        money_leg(carol, SETTLE_CREDIT, 30),
    };
    int64_t before = money_account(handle, alice).posted;
    struct settle_outcome outcome = money_submit(handle, legs, 4);

    CU_ASSERT_EQUAL_FATAL(outcome.result, SETTLE_COMMITTED);
    CU_ASSERT_EQUAL(money_account(handle, alice).posted, before - 100);
    CU_ASSERT_EQUAL(money_entries(handle, alice, &outcome.id), 2);
    CU_ASSERT_EQUAL(money_entries(handle, bob, &outcome.id), 1);
    CU_ASSERT_EQUAL(money_entries(handle, carol, &outcome.id), 1);
    legs[0].amount = legs[1].amount = before; /* each alone would pass */
    legs[2].amount = 2 * before - 30;
    outcome = money_submit(handle, legs, 4);
    CU_ASSERT_EQUAL(outcome.result, SETTLE_ABORTED);
    CU_ASSERT_EQUAL(outcome.reason, REASON_FUNDS);
}

static void payment_within_one_bank(void)
{
    struct account cash = {"bank-b", "CASH"};
    struct settle_outcome outcome = money_pay(handle, cash, bob, 500);

    CU_ASSERT_EQUAL(outcome.result, SETTLE_COMMITTED); /* R13 */
    CU_ASSERT_EQUAL(money_entries(handle, bob, &outcome.id), 1);
    CU_ASSERT_EQUAL(money_pay_as(handle, &outcome.id, cash, bob, 500).result, SETTLE_COMMITTED);
    CU_ASSERT_EQUAL(money_entries(handle, bob, &outcome.id), 1);
}

/* Two currencies in one transaction, each balanced by itself. */
static void payment_against_payment(void)
{
    struct settle_account_key keys[] = {{"bank-a", "ALICE", "JPY"}, {"bank-b", "BOB", "JPY"}};
    struct settle_leg legs[] = {
        money_leg(alice, SETTLE_DEBIT, 10),
        money_leg(bob, SETTLE_CREDIT, 10),
        {"bank-b", "BOB", SETTLE_DEBIT, 1600, "JPY"},
        {"bank-a", "ALICE", SETTLE_CREDIT, 1600, "JPY"},
    };
    const int64_t floor = -5000;
    struct settle_account account;

    for (int i = 0; i < 2; i++)
        CU_ASSERT_EQUAL_FATAL(settle_account_create(handle, &keys[i], 0, &floor, &account, 0, NULL),
                              0);
    CU_ASSERT_EQUAL(money_submit(handle, legs, 4).result, SETTLE_COMMITTED);
    money_audit(handle); /* one line for each */
}

static void check_that_must_hold(void)
{
    struct settle_leg legs[] = {money_leg(alice, SETTLE_DEBIT, 5),
                                money_leg(bob, SETTLE_CREDIT, 5)};
    struct settle_check check = {"bank-c", "CAROL", "EUR", 0};
    struct settle_submit submit = {
        .legs = legs, .leg_count = 2, .checks = &check, .check_count = 1};
    struct settle_outcome outcome;

    settle_id_new(&submit.id);
    CU_ASSERT_EQUAL_FATAL(settle_submit(handle, &submit, &outcome, NULL), 0);
    CU_ASSERT_EQUAL(outcome.result, SETTLE_COMMITTED);
    check.available_min = FUNDS;
    settle_id_new(&submit.id);
    CU_ASSERT_EQUAL_FATAL(settle_submit(handle, &submit, &outcome, NULL), 0);
    CU_ASSERT_EQUAL(outcome.result, SETTLE_ABORTED); /* R12 */
    CU_ASSERT_EQUAL(outcome.reason, REASON_CHECK_FAILED);
    CU_ASSERT_STRING_EQUAL(outcome.participant, "bank-c");
    CU_ASSERT_EQUAL(money_entries(handle, alice, &submit.id), 0);
}

static void id_that_nobody_knows(void)
{
    struct settle_outcome outcome;
    struct settle_id id;

    settle_id_new(&id);
    CU_ASSERT_EQUAL_FATAL(settle_outcome_of(handle, &id, 1000, &outcome, NULL), 0);
    CU_ASSERT_EQUAL(outcome.result, SETTLE_UNKNOWN);
}

/* ---- many at once, and their statement ---- */

static void on_done(void *ctx, const struct settle_outcome *outcome)
{
    atomic_uint *committed = ctx;

    if (outcome->result == SETTLE_COMMITTED)
        (*committed)++;
}

static void statement_over_several_pages(void)
{
    struct account from = {"bank-b", "CASH"}, to = {"bank-c", "MANY"};
    struct settle_leg legs[] = {money_leg(from, SETTLE_DEBIT, 1), money_leg(to, SETTLE_CREDIT, 1)};
    struct settle_submit submit = {.legs = legs, .leg_count = 2, .memo = "one of many"};
    struct settle_account_key key = {"bank-c", "MANY", "EUR"};
    struct settle_entry *list;
    atomic_uint committed = 0;
    unsigned wrong = 0;
    size_t count;

    money_open(handle, to, 0);
    for (int i = 0; i < MANY; i++) {
        settle_id_new(&submit.id);
        CU_ASSERT_EQUAL_FATAL(settle_submit_start(handle, &submit, on_done, &committed, NULL), 0);
    }
    TEST_UNTIL(committed == MANY);
    CU_ASSERT_EQUAL_FATAL(
        settle_account_statement(handle, &key, 0, &list, &count, MONEY_TIMEOUT_MS, NULL), 0);
    CU_ASSERT_EQUAL_FATAL(count, MANY);
    for (size_t i = 0; i < count; i++) /* newest first */
        wrong += list[i].balance != (int64_t)(count - i) ||
                 strcmp(list[i].memo, "one of many") != 0;
    CU_ASSERT_EQUAL(wrong, 0);
    settle_entries_free(list);
    CU_ASSERT_EQUAL_FATAL(
        settle_account_statement(handle, &key, 5, &list, &count, MONEY_TIMEOUT_MS, NULL), 0);
    CU_ASSERT_EQUAL(count, 5);
    settle_entries_free(list);
}

/* ---- overview ---- */

static void status_shows_everybody(void)
{
    struct settle_status status;
    unsigned leaders = 0, groups = 0, live = 0;

    CU_ASSERT_EQUAL_FATAL(settle_status_get(handle, &status, 0, NULL), 0);
    CU_ASSERT_STRING_EQUAL(status.cluster, TEST_CLUSTER_NAME);
    CU_ASSERT_EQUAL(status.coordinator_count, 2);
    for (size_t i = 0; i < status.coordinator_count; i++) {
        leaders += status.coordinators[i].role == SETTLE_LEADER;
        live += status.coordinators[i].live != 0;
        groups += status.coordinators[i].group_count;
    }
    CU_ASSERT_EQUAL(live, 2);
    CU_ASSERT_TRUE(leaders >= 1);
    CU_ASSERT_EQUAL(groups, 16);
    CU_ASSERT_EQUAL(status.participant_count, 3);
    for (size_t i = 0; i < status.participant_count; i++) {
        CU_ASSERT_TRUE(status.participants[i].up);
        CU_ASSERT_EQUAL(status.participants[i].incarnation, 1);
    }
    CU_ASSERT_TRUE(status.committed > 0);
    CU_ASSERT_TRUE(status.lmdb_commits > 0);
    CU_ASSERT_EQUAL(status.stale_refused, 0);
    settle_status_release(&status);
}

/* While a bank hangs the transaction is shown with whom it waits for, and the audit says so. */
static void transaction_that_waits_is_shown(void)
{
    struct test_node *bank = test_cluster_node(&cluster, "bank-c");
    struct settle_leg legs[] = {money_leg(alice, SETTLE_DEBIT, 9),
                                money_leg(carol, SETTLE_CREDIT, 9)};
    struct settle_submit submit = {.legs = legs, .leg_count = 2, .deadline_ms = TEST_LIMIT_MS};
    atomic_uint committed = 0;
    struct settle_txn *list = NULL;
    bool waits = false;
    size_t count = 0;

    test_node_stop(bank);
    settle_id_new(&submit.id);
    CU_ASSERT_EQUAL_FATAL(settle_submit_start(handle, &submit, on_done, &committed, NULL), 0);
    TEST_UNTIL(money_account(handle, alice).debits_pending == 9);
    TEST_UNTIL(settle_txn_show(handle, &submit.id, &list, &count, 2000, NULL) == 0 && count > 0);
    CU_ASSERT_STRING_EQUAL(list[0].state, "PREPARING");
    CU_ASSERT_EQUAL(list[0].value_count, 1);
    CU_ASSERT_EQUAL(list[0].value[0].amount, 9);
    for (size_t i = 0; i < list[0].party_count; i++)
        waits = waits || (list[0].parties[i].waiting &&
                          strcmp(list[0].parties[i].participant, "bank-c") == 0);
    CU_ASSERT_TRUE(waits);
    settle_txns_free(list);
    test_node_continue(bank);
    TEST_UNTIL(committed == 1);
    TEST_UNTIL(money_at_rest(handle));
    CU_ASSERT_EQUAL_FATAL(settle_txn_show(handle, &submit.id, &list, &count, 0, NULL), 0);
    for (size_t i = 0; i < count; i++) /* over, and still known where it happened */
        CU_ASSERT_STRING_EQUAL(list[i].state, "COMMITTED");
    settle_txns_free(list);
}

static void by_tcp(void)
{
    char url[96];
    struct settle *settle;
    struct settle_error err;

    snprintf(url, sizeof(url), "tcp://%s,%s", cluster.nodes[0].address, cluster.nodes[1].address);
    CU_ASSERT_EQUAL_FATAL(settle_open(url, NULL, &settle, &err), 0);
    CU_ASSERT_EQUAL(money_pay(settle, alice, bob, 1).result, SETTLE_COMMITTED);
    money_audit(settle);
    settle_close(settle);
}

/* The standby alone is named: it passes a client on to who leads. */
static void by_tcp_through_the_standby(void)
{
    struct test_node *leader = test_cluster_leader(&cluster, handle);
    struct test_node *standby = &cluster.nodes[leader == &cluster.nodes[0]];
    char url[96];
    struct settle *settle;

    CU_ASSERT_PTR_NOT_NULL_FATAL(leader);
    snprintf(url, sizeof(url), "tcp://%s", standby->address);
    CU_ASSERT_EQUAL_FATAL(settle_open(url, NULL, &settle, NULL), 0);
    CU_ASSERT_EQUAL(money_pay(settle, alice, bob, 1).result, SETTLE_COMMITTED);
    settle_close(settle);
}

static void nobody_there(void)
{
    struct settle_options options = {.connect_ms = 500};
    struct settle *settle;
    struct settle_error err;
    char url[96];

    snprintf(url, sizeof(url), "tcp://127.0.0.1:%u", (unsigned)test_free_port());
    CU_ASSERT_EQUAL(settle_open(url, &options, &settle, &err), SETTLE_ERR_UNREACHABLE);
    CU_ASSERT_TRUE(strlen(err.text) > 0);
    CU_ASSERT_EQUAL(settle_open("http://x", &options, &settle, &err), SETTLE_ERR_USAGE);
    snprintf(url, sizeof(url), "zk://%s/elsewhere", cluster.zookeeper.address);
    CU_ASSERT_EQUAL(settle_open(url, &options, &settle, &err), SETTLE_ERR_UNREACHABLE);
}

/* After everything above: to the cent, and a SIGTERM later still. */
static void audit_before_and_after_a_restart_of_all(void)
{
    int64_t before = money_account(handle, alice).posted;

    money_audit(handle);
    for (unsigned i = 0; i < cluster.node_count; i++) {
        test_node_signal(&cluster.nodes[i], 15);
        CU_ASSERT_EQUAL(test_node_wait(&cluster.nodes[i], TEST_LIMIT_MS / 3), 0);
    }
    test_cluster_heal(&cluster);
    CU_ASSERT_EQUAL(money_account(handle, alice).posted, before);
    CU_ASSERT_EQUAL(money_pay(handle, alice, bob, 1).result, SETTLE_COMMITTED);
    money_audit(handle);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"account_is_made_once_and_as_asked", account_is_made_once_and_as_asked},
        {"account_is_changed", account_is_changed},
        {"accounts_are_listed", accounts_are_listed},
        {"payment_between_two_banks", payment_between_two_banks},
        {"payment_of_many_legs", payment_of_many_legs},
        {"payment_within_one_bank", payment_within_one_bank},
        {"payment_against_payment", payment_against_payment},
        {"check_that_must_hold", check_that_must_hold},
        {"id_that_nobody_knows", id_that_nobody_knows},
        {"statement_over_several_pages", statement_over_several_pages},
        {"status_shows_everybody", status_shows_everybody},
        {"transaction_that_waits_is_shown", transaction_that_waits_is_shown},
        {"by_tcp", by_tcp},
        {"by_tcp_through_the_standby", by_tcp_through_the_standby},
        {"nobody_there", nobody_there},
        {"audit_before_and_after_a_restart_of_all", audit_before_and_after_a_restart_of_all},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"money", up, down, begin, NULL, tests},
        CU_SUITE_INFO_NULL,
    };

    return runner_main(suites, argc, argv);
}
