/*
 * What a user gets wrong, and is told: which participant, account, currency, amount, id; limits; a
 * full house. Refused is refused whole: no entry, no hold.
 */
#include "base/reason.h"
#include "base/types.h"
#include "input.h"
#include "money.h"
#include "operator.h"
#include "support/runner.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define IN_FLIGHT_MAX 8
#define MANY          (SETTLE_LEGS_MAX + 1)
#define HOUR_MS       3600000u

struct test_cluster input_cluster;
struct settle *input_handle;

static const struct account alice = {"bank-a", "ALICE"}, bob = {"bank-b", "BOB"};
static const struct account carol = {"bank-c", "CAROL"};

static bool accounts_are_open;

int input_up(void)
{
    static const char *const flags[] = {"--in-flight-max", "8", "--down-grace-ms", "300", NULL};

    accounts_are_open = false;
    test_cluster_up(&input_cluster, &(struct test_cluster_options){.coordinator_flags = flags});
    return settle_open(input_cluster.url, NULL, &input_handle, NULL);
}

void input_begin(void)
{
    test_cluster_heal(&input_cluster);
    if (accounts_are_open)
        return;
    money_open(input_handle, alice, 100000);
    money_open(input_handle, bob, 100000);
    money_open(input_handle, carol, 0);
    accounts_are_open = true;
}

int input_down(void)
{
    settle_close(input_handle);
    test_cluster_down(&input_cluster);
    return 0;
}

void input_serves(void)
{
    CU_ASSERT_EQUAL(money_pay(input_handle, alice, bob, 1).result, SETTLE_COMMITTED);
    CU_ASSERT_EQUAL(money_pay(input_handle, bob, alice, 1).result, SETTLE_COMMITTED);
}

/* Nothing of it may be left anywhere. */
static void expect(const struct settle_outcome *outcome, enum settle_result result,
                   enum reason reason, const char *participant)
{
    if (outcome->result != result || outcome->reason != (unsigned)reason ||
        strcmp(outcome->participant, participant) != 0)
        printf("  got %s %s '%s'\n", settle_result_name(outcome->result),
               settle_reason_name(outcome->reason), outcome->participant);
    CU_ASSERT_EQUAL(outcome->result, result);
    CU_ASSERT_EQUAL(outcome->reason, reason);
    CU_ASSERT_STRING_EQUAL(outcome->participant, participant);
    CU_ASSERT_EQUAL(money_entries(input_handle, alice, &outcome->id), 0);
    CU_ASSERT_EQUAL(money_entries(input_handle, bob, &outcome->id), 0);
    CU_ASSERT_EQUAL(money_account(input_handle, alice).debits_pending, 0);
    CU_ASSERT_EQUAL(money_account(input_handle, bob).credits_pending, 0);
}

/* ---- who and where ---- */

static void unknown_participant(void)
{
    struct settle_outcome outcome = money_pay(input_handle, alice,
                                              (struct account){"bank-x", "BOB"}, 5);

    expect(&outcome, SETTLE_REFUSED, REASON_PARTICIPANT_UNKNOWN, "bank-x");
}

static void participant_that_is_down(void)
{
    struct test_node *bank = test_cluster_node(&input_cluster, "bank-c");
    struct settle_outcome outcome;

    test_node_kill(bank);
    outcome = money_pay(input_handle, alice, carol, 5);
    expect(&outcome, SETTLE_REFUSED, REASON_PARTICIPANT_DOWN, "bank-c");
    test_cluster_heal(&input_cluster);
    CU_ASSERT_EQUAL(money_entries(input_handle, carol, &outcome.id), 0);
    CU_ASSERT_EQUAL(money_pay_as(input_handle, &outcome.id, alice, carol, 5).result,
                    SETTLE_COMMITTED); /* nothing was promised under the id */
}

static void unknown_account(void)
{
    struct settle_outcome outcome = money_pay(input_handle, alice,
                                              (struct account){"bank-b", "NOBODY"}, 5);

    expect(&outcome, SETTLE_ABORTED, REASON_ACCOUNT_UNKNOWN, "bank-b");
}

static void unknown_currency(void)
{
    struct settle_leg legs[] = {money_leg(alice, SETTLE_DEBIT, 5),
                                money_leg(bob, SETTLE_CREDIT, 5)};
    struct settle_outcome outcome;

    legs[0].currency = legs[1].currency = "XXQ"; /* three capitals, no currency */
    outcome = money_submit(input_handle, legs, 2);
    expect(&outcome, SETTLE_REFUSED, REASON_CURRENCY_UNKNOWN, "");
    legs[0].currency = legs[1].currency = "JPY"; /* a currency that ALICE does not have */
    outcome = money_submit(input_handle, legs, 2);
    CU_ASSERT_EQUAL(outcome.result, SETTLE_ABORTED);
    CU_ASSERT_EQUAL(outcome.reason, REASON_ACCOUNT_UNKNOWN);
}

/* ---- how much ---- */

static void amounts(void)
{
    struct settle_leg legs[] = {money_leg(alice, SETTLE_DEBIT, 0),
                                money_leg(bob, SETTLE_CREDIT, 0)};
    struct settle_submit submit = {.legs = legs, .leg_count = 2};
    struct settle_outcome outcome;
    struct settle_error err;
    int64_t minor = 17;

    settle_id_new(&submit.id);
    CU_ASSERT_EQUAL(settle_submit(input_handle, &submit, &outcome, &err), SETTLE_ERR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "amount"));
    legs[0].amount = legs[1].amount = -5;
    CU_ASSERT_EQUAL(settle_submit(input_handle, &submit, &outcome, &err), SETTLE_ERR_USAGE);
    CU_ASSERT_EQUAL(settle_amount_parse("1.005", "EUR", &minor, &err), SETTLE_ERR_USAGE);
    CU_ASSERT_EQUAL(settle_amount_parse("1.5", "JPY", &minor, &err), SETTLE_ERR_USAGE);
    CU_ASSERT_EQUAL(settle_amount_parse("1.0005", "BHD", &minor, &err), SETTLE_ERR_USAGE);
    CU_ASSERT_EQUAL(settle_amount_parse("92233720368547758.08", "EUR", &minor, &err),
                    SETTLE_ERR_USAGE);
    CU_ASSERT_EQUAL(minor, 17);
}

/* Half of what there can be passes the floor; all of it would overflow where something is. */
static void amount_that_would_overflow(void)
{
    struct account cash = {"bank-a", "CASH"};
    struct settle_outcome outcome = money_pay(input_handle, alice, bob, INT64_MAX / 2);

    expect(&outcome, SETTLE_ABORTED, REASON_FUNDS, "bank-a");
    outcome = money_pay(input_handle, cash, bob, INT64_MAX); /* BOB has some already */
    CU_ASSERT_EQUAL(outcome.result, SETTLE_ABORTED);
    CU_ASSERT_EQUAL(outcome.reason, REASON_OVERFLOW);
    CU_ASSERT_EQUAL(money_entries(input_handle, bob, &outcome.id), 0);
    money_audit(input_handle);
}

static void unbalanced(void)
{
    struct settle_leg legs[] = {money_leg(alice, SETTLE_DEBIT, 5),
                                money_leg(bob, SETTLE_CREDIT, 6)};
    struct settle_outcome outcome = money_submit(input_handle, legs, 2);

    expect(&outcome, SETTLE_REFUSED, REASON_UNBALANCED, "");
    legs[1].amount = 5;
    legs[1].currency = "USD"; /* balanced in sum, not in any currency */
    outcome = money_submit(input_handle, legs, 2);
    expect(&outcome, SETTLE_REFUSED, REASON_UNBALANCED, "");
}

/* ---- ids ---- */

static void same_id_with_other_content(void)
{
    struct settle_id id;
    struct settle_outcome outcome;

    settle_id_new(&id);
    CU_ASSERT_EQUAL(money_pay_as(input_handle, &id, alice, bob, 7).result, SETTLE_COMMITTED);
    outcome = money_pay_as(input_handle, &id, alice, bob, 8);
    CU_ASSERT_EQUAL(outcome.result, SETTLE_REFUSED);
    CU_ASSERT_EQUAL(outcome.reason, REASON_CONFLICT);
    CU_ASSERT_EQUAL(money_pay_as(input_handle, &id, alice, bob, 7).result, SETTLE_COMMITTED);
    CU_ASSERT_EQUAL(money_entries(input_handle, alice, &id), 1);
    CU_ASSERT_EQUAL(money_entries(input_handle, bob, &id), 1);
}

/* The new leader has never heard of the id; the participants have. */
static void same_id_with_other_content_after_failover(void)
{
    struct test_node *leader = test_cluster_leader(&input_cluster, input_handle);
    struct settle_outcome outcome;
    struct settle_id id, other;

    CU_ASSERT_PTR_NOT_NULL_FATAL(leader);
    settle_id_new(&id);
    settle_id_new(&other);
    CU_ASSERT_EQUAL(money_pay_as(input_handle, &id, alice, bob, 7).result, SETTLE_COMMITTED);
    test_node_kill(leader);
    /* Once this is answered, the handle knows that the dead leader's connection is gone: an attempt
     * sent into it might have been taken, and then no refusal would be an answer. */
    CU_ASSERT_EQUAL(money_pay_as(input_handle, &other, alice, bob, 1).result, SETTLE_COMMITTED);
    outcome = money_pay_as(input_handle, &id, alice, bob, 8);
    CU_ASSERT_NOT_EQUAL(outcome.result, SETTLE_COMMITTED);
    CU_ASSERT_EQUAL(outcome.reason, REASON_CONFLICT);
    test_cluster_heal(&input_cluster);
    CU_ASSERT_EQUAL(money_pay_as(input_handle, &id, alice, bob, 7).result, SETTLE_COMMITTED);
    CU_ASSERT_EQUAL(money_entries(input_handle, alice, &id), 1);
    CU_ASSERT_EQUAL(money_entries(input_handle, bob, &id), 1);
}

static void id_that_is_no_uuid_7(void)
{
    struct settle_leg legs[] = {money_leg(alice, SETTLE_DEBIT, 5),
                                money_leg(bob, SETTLE_CREDIT, 5)};
    struct settle_submit submit = {.legs = legs, .leg_count = 2};
    struct settle_outcome outcome;
    struct settle_error err;
    struct settle_id id;

    CU_ASSERT_EQUAL(settle_id_parse("f47ac10b-58cc-4372-a567-0e02b2c3d479", &id), SETTLE_ERR_USAGE);
    CU_ASSERT_EQUAL(settle_id_parse("0192d0c0-a1b2-7c3d-8e4f", &id), SETTLE_ERR_USAGE);
    settle_id_new(&submit.id);
    submit.id.bytes[6] = 0x40; /* version 4 */
    CU_ASSERT_EQUAL(settle_submit(input_handle, &submit, &outcome, &err), SETTLE_ERR_USAGE);
    CU_ASSERT_EQUAL(err.code, SETTLE_ERR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "UUIDv7"));
}

/* ---- accounts ---- */

static void account_closed_blocked_or_without_funds(void)
{
    struct account dora = {"bank-b", "DORA"};
    struct settle_account_key key = {"bank-b", "DORA", "EUR"};
    struct settle_account_change block = {.status = SETTLE_BLOCKED_CREDITS};
    struct settle_account_change block_debits = {.status = SETTLE_BLOCKED_DEBITS};
    struct settle_account_change open = {.status = SETTLE_OPEN};
    struct settle_account account;
    struct settle_outcome outcome;
    struct settle_error err;

    money_open(input_handle, dora, 10);
    CU_ASSERT_EQUAL(settle_account_set(input_handle, &key, &block, &account, 0, NULL), 0);
    outcome = money_pay(input_handle, alice, dora, 5);
    expect(&outcome, SETTLE_ABORTED, REASON_ACCOUNT_BLOCKED, "bank-b");
    CU_ASSERT_EQUAL(settle_account_set(input_handle, &key, &block_debits, &account, 0, NULL), 0);
    outcome = money_pay(input_handle, dora, alice, 5);
    expect(&outcome, SETTLE_ABORTED, REASON_ACCOUNT_BLOCKED, "bank-b");
    CU_ASSERT_EQUAL(settle_account_set(input_handle, &key, &open, &account, 0, NULL), 0);
    outcome = money_pay(input_handle, dora, alice, 11);
    expect(&outcome, SETTLE_ABORTED, REASON_FUNDS, "bank-b");
    CU_ASSERT_EQUAL(settle_account_close(input_handle, &key, &account, 0, &err),
                    SETTLE_ERR_REFUSED); /* there is money on it */
    CU_ASSERT_EQUAL(err.reason, REASON_ACCOUNT_IN_USE);
    CU_ASSERT_EQUAL(money_pay(input_handle, dora, alice, 10).result, SETTLE_COMMITTED);
    CU_ASSERT_EQUAL(settle_account_close(input_handle, &key, &account, 0, &err), 0);
    CU_ASSERT_EQUAL(account.status, SETTLE_CLOSED);
    outcome = money_pay(input_handle, alice, dora, 5);
    expect(&outcome, SETTLE_ABORTED, REASON_ACCOUNT_CLOSED, "bank-b");
}

/* ---- limits ---- */

static void too_many_legs_or_participants(void)
{
    static struct settle_leg legs[MANY];
    static char names[MANY][16];
    struct settle_submit submit = {.legs = legs, .leg_count = MANY};
    struct settle_outcome outcome;
    struct settle_error err;

    for (unsigned i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof(names[i]), "bank-%u", i);
        legs[i] = money_leg(i % 2 ? bob : alice, i % 2 ? SETTLE_CREDIT : SETTLE_DEBIT, 1);
    }
    settle_id_new(&submit.id);
    CU_ASSERT_EQUAL(settle_submit(input_handle, &submit, &outcome, &err), SETTLE_ERR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "128 legs"));
    CU_ASSERT_EQUAL(money_submit(input_handle, legs, SETTLE_LEGS_MAX).result, SETTLE_COMMITTED);
    submit.leg_count = SETTLE_PARTICIPANTS_MAX + 2;
    for (unsigned i = 0; i < submit.leg_count; i++)
        legs[i].participant = names[i];
    CU_ASSERT_EQUAL(settle_submit(input_handle, &submit, &outcome, &err), SETTLE_ERR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "16 participants"));
}

struct counted {
    atomic_uint committed, busy, other;
};

static void count(void *ctx, const struct settle_outcome *outcome)
{
    struct counted *counted = ctx;

    if (outcome->result == SETTLE_COMMITTED)
        counted->committed++;
    else if (outcome->result == SETTLE_REFUSED && outcome->reason == REASON_BUSY)
        counted->busy++;
    else
        counted->other++;
}

/* A bank hangs, the house fills up: one more is refused, and nothing of it is left. */
static void busy_when_too_many_are_in_flight(void)
{
    struct test_node *bank = test_cluster_node(&input_cluster, "bank-b");
    struct settle_leg legs[] = {money_leg(alice, SETTLE_DEBIT, 3),
                                money_leg(bob, SETTLE_CREDIT, 3)};
    struct settle_submit submit = {.legs = legs, .leg_count = 2, .deadline_ms = TEST_LIMIT_MS};
    int64_t before = money_account(input_handle, alice).posted;
    struct counted counted = {0};
    struct settle_id refused;

    test_node_stop(bank);
    for (int i = 0; i < IN_FLIGHT_MAX; i++) {
        settle_id_new(&submit.id);
        CU_ASSERT_EQUAL_FATAL(settle_submit_start(input_handle, &submit, count, &counted, NULL), 0);
    }
    TEST_UNTIL(money_account(input_handle, alice).debits_pending == 3 * IN_FLIGHT_MAX);
    settle_id_new(&refused);
    submit.id = refused;
    CU_ASSERT_EQUAL_FATAL(settle_submit_start(input_handle, &submit, count, &counted, NULL), 0);
    TEST_UNTIL(counted.busy + counted.other + counted.committed > 0);
    CU_ASSERT_EQUAL(counted.busy, 1);
    CU_ASSERT_EQUAL(money_account(input_handle, alice).debits_pending, 3 * IN_FLIGHT_MAX);
    test_node_continue(bank);
    TEST_UNTIL(counted.committed == IN_FLIGHT_MAX);
    CU_ASSERT_EQUAL(counted.other, 0);
    CU_ASSERT_EQUAL(money_account(input_handle, alice).posted, before - 3 * IN_FLIGHT_MAX);
    CU_ASSERT_EQUAL(money_entries(input_handle, alice, &refused), 0);
    CU_ASSERT_EQUAL(money_pay_as(input_handle, &refused, alice, bob, 3).result, SETTLE_COMMITTED);
}

static void three_phase_commit_is_refused(void)
{
    struct settle_leg legs[] = {money_leg(alice, SETTLE_DEBIT, 5),
                                money_leg(bob, SETTLE_CREDIT, 5)};
    struct settle_submit submit = {.legs = legs, .leg_count = 2, .protocol = SETTLE_3PC};
    struct settle_outcome outcome = {.result = SETTLE_UNKNOWN};
    struct settle_error err = {.text = ""};

    settle_id_new(&submit.id);
    CU_ASSERT_EQUAL_FATAL(settle_submit(input_handle, &submit, &outcome, &err), 0);
    expect(&outcome, SETTLE_REFUSED, REASON_PROTOCOL, "");
}

/* ---- oldest_id: an operator's act ---- */

/* Each under an id of its own: what was taken before the coordinator knew stays taken. */
static struct settle_outcome pay_with_old_id(uint64_t unix_ms)
{
    static uint8_t random[10];
    struct settle_id id;
    struct id old;

    random[9]++;
    old = id_make(unix_ms, random);
    memcpy(id.bytes, old.bytes, sizeof(id.bytes));
    return money_pay_as(input_handle, &id, alice, bob, 5);
}

static void id_below_oldest_id(void)
{
    uint64_t now_ms = (uint64_t)time(NULL) * 1000;
    struct settle_outcome outcome;

    operator_raise(&input_cluster, 0, now_ms - HOUR_MS);
    TEST_UNTIL((outcome = pay_with_old_id(now_ms - 2 * HOUR_MS)).result == SETTLE_REFUSED);
    expect(&outcome, SETTLE_REFUSED, REASON_TOO_OLD, "");
    input_serves();
}

CU_TestInfo input_tests[] = {
    {"unknown_participant", unknown_participant},
    {"participant_that_is_down", participant_that_is_down},
    {"unknown_account", unknown_account},
    {"unknown_currency", unknown_currency},
    {"amounts", amounts},
    {"amount_that_would_overflow", amount_that_would_overflow},
    {"unbalanced", unbalanced},
    {"same_id_with_other_content", same_id_with_other_content},
    {"same_id_with_other_content_after_failover", same_id_with_other_content_after_failover},
    {"id_that_is_no_uuid_7", id_that_is_no_uuid_7},
    {"account_closed_blocked_or_without_funds", account_closed_blocked_or_without_funds},
    {"too_many_legs_or_participants", too_many_legs_or_participants},
    {"busy_when_too_many_are_in_flight", busy_when_too_many_are_in_flight},
    {"three_phase_commit_is_refused", three_phase_commit_is_refused},
    {"id_below_oldest_id", id_below_oldest_id},
    CU_TEST_INFO_NULL,
};
