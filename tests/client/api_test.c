/* What is wrong by itself, ids, words, amounts, the cluster's text. */
#include "client/stage.h"
#include "client/url.h"

static void commits(struct actor *actor, struct conn *conn, const struct envelope *envelope)
{
    actor_answer(actor, conn, envelope, OUTCOME_COMMITTED, REASON_NONE);
}

/* ---- submits that are not sent ---- */

static void never(void *ctx, const struct settle_outcome *outcome)
{
    (void)outcome;
    *(bool *)ctx = true;
}

struct wrong {
    struct stage stage;
    struct settle_submit submit;
    struct settle_leg legs[SETTLE_LEGS_MAX + 1];
    struct settle_check checks[1];
    char names[SETTLE_LEGS_MAX + 1][SETTLE_NAME_MAX + 1];
    bool called;
};

/* A sound transfer, to be spoilt. */
static void sound(struct wrong *wrong)
{
    wrong->submit = a_transfer(1000);
    memcpy(wrong->legs, wrong->submit.legs, 2 * sizeof(wrong->legs[0]));
    wrong->submit.legs = wrong->legs;
}

static void expect_usage(struct wrong *wrong, const char *text)
{
    struct settle_error err = {.code = 0};
    int rc = settle_submit_start(wrong->stage.settle, &wrong->submit, never, &wrong->called, &err);

    CU_ASSERT_EQUAL(rc, SETTLE_ERR_USAGE);
    CU_ASSERT_EQUAL(err.code, SETTLE_ERR_USAGE);
    if (!strstr(err.text, text)) {
        printf("\n  wanted: %s\n  got:    %s\n", text, err.text);
        CU_FAIL("another complaint");
    }
    sound(wrong);
}

static void spoil_legs(struct wrong *wrong)
{
    wrong->submit.leg_count = 0;
    expect_usage(wrong, "1 to 128 legs, not 0");
    for (int i = 0; i <= SETTLE_LEGS_MAX; i++)
        wrong->legs[i] = wrong->legs[0];
    wrong->submit.leg_count = SETTLE_LEGS_MAX + 1;
    expect_usage(wrong, "1 to 128 legs, not 129");
    wrong->legs[1].amount = 0;
    expect_usage(wrong, "leg 1: an amount is above zero");
    wrong->legs[0].amount = -1;
    expect_usage(wrong, "leg 0: an amount is above zero");
    wrong->legs[0].account = "alice";
    expect_usage(wrong, "leg 0: an account has 1 to 34 characters");
    wrong->legs[0].account = NULL;
    expect_usage(wrong, "leg 0: an account has 1 to 34 characters");
    wrong->legs[0].currency = "EURO";
    expect_usage(wrong, "leg 0: a currency is three capital letters");
    wrong->legs[0].side = 0;
    expect_usage(wrong, "leg 0: side is");
    wrong->legs[0].participant = "Bank A";
    expect_usage(wrong, "a participant's name has 1 to 31 characters");
    wrong->legs[0].participant = NULL;
    expect_usage(wrong, "a participant's name has 1 to 31 characters");
    for (int i = 0; i <= SETTLE_PARTICIPANTS_MAX; i++) {
        wrong->legs[i] = wrong->legs[0];
        snprintf(wrong->names[i], sizeof(wrong->names[i]), "bank-%d", i);
        wrong->legs[i].participant = wrong->names[i];
    }
    wrong->submit.leg_count = SETTLE_PARTICIPANTS_MAX + 1;
    expect_usage(wrong, "more than 16 participants");
}

static void spoil_the_rest(struct wrong *wrong)
{
    char memo[SETTLE_MEMO_MAX + 2];

    memset(memo, 'm', sizeof(memo));
    memo[sizeof(memo) - 1] = '\0';
    wrong->submit.memo = memo;
    expect_usage(wrong, "the memo is longer than 140 bytes");
    wrong->submit.memo = "caf\xe9";
    expect_usage(wrong, "the memo is not UTF-8");
    wrong->submit.memo = "two\nlines";
    expect_usage(wrong, "the memo is not UTF-8 without control characters");
    wrong->submit.deadline_ms = SETTLE_DEADLINE_MAX_MS + 1;
    expect_usage(wrong, "deadline_ms is above 3600000");
    wrong->submit.protocol = 3;
    expect_usage(wrong, "protocol is SETTLE_2PC or SETTLE_3PC");
    memset(&wrong->submit.id, 0, sizeof(wrong->submit.id));
    expect_usage(wrong, "UUIDv7");
    wrong->checks[0] = (struct settle_check){"bank-a", "ALICE", "EUR", 1};
    wrong->submit.checks = wrong->checks;
    wrong->submit.check_count = 1;
    expect_usage(wrong, "'bank-a' has a leg already");
}

static void what_is_wrong_by_itself_is_not_sent(void)
{
    static struct wrong wrong;

    stage_open(&wrong.stage, commits, NULL, 2);
    sound(&wrong);
    spoil_legs(&wrong);
    spoil_the_rest(&wrong);
    /* Every slot that was taken for one of these is free again. */
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(submit(&wrong.stage, 5000).result, SETTLE_COMMITTED);
    CU_ASSERT_EQUAL(actor_requests(&wrong.stage.one), 4);
    CU_ASSERT_FALSE(wrong.called);
    stage_close(&wrong.stage);
}

static void a_full_transaction_is_sent(void)
{
    static struct wrong wrong;
    struct settle_outcome outcome;

    stage_open(&wrong.stage, commits, NULL, 2);
    sound(&wrong);
    for (int i = 0; i < SETTLE_LEGS_MAX; i++) {
        wrong.legs[i] = wrong.legs[i % 2];
        snprintf(wrong.names[i], sizeof(wrong.names[i]), "bank-%d", i % SETTLE_PARTICIPANTS_MAX);
        wrong.legs[i].participant = wrong.names[i];
    }
    wrong.submit.leg_count = SETTLE_LEGS_MAX;
    CU_ASSERT_EQUAL_FATAL(settle_submit(wrong.stage.settle, &wrong.submit, &outcome, NULL), 0);
    CU_ASSERT_EQUAL(outcome.result, SETTLE_COMMITTED);
    stage_close(&wrong.stage);
}

struct caller {
    struct stage stage;
    struct counted counted;
    int codes[3];
};

static void blocks(void *ctx, const struct settle_outcome *outcome)
{
    struct caller *caller = ctx;
    struct settle_submit transfer = a_transfer(1000);
    struct settle_outcome ignored;
    struct settle_status status;

    caller->codes[0] = settle_submit(caller->stage.settle, &transfer, &ignored, NULL);
    caller->codes[1] = settle_outcome_of(caller->stage.settle, &outcome->id, 1000, &ignored, NULL);
    caller->codes[2] = settle_status_get(caller->stage.settle, &status, 1000, NULL);
    counted_done(&caller->counted, outcome);
}

static void a_completion_may_not_block(void)
{
    struct settle_submit transfer = a_transfer(5000);
    static struct caller caller;

    stage_open(&caller.stage, commits, NULL, 0);
    counted_init(&caller.counted);
    CU_ASSERT_EQUAL_FATAL(
        settle_submit_start(caller.stage.settle, &transfer, blocks, &caller, NULL), 0);
    CU_ASSERT(counted_wait(&caller.counted, 1));
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(caller.codes[i], SETTLE_ERR_USAGE);
    stage_close(&caller.stage);
    counted_release(&caller.counted);
}

/* ---- ids ---- */

#define IDS 20000

struct maker {
    struct settle_id ids[IDS];
};

static void *make(void *ctx)
{
    struct maker *maker = ctx;

    for (int i = 0; i < IDS; i++)
        settle_id_new(&maker->ids[i]);
    return NULL;
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct settle_id));
}

static void ids_rise_in_each_thread_and_never_repeat(void)
{
    static struct maker makers[3];
    static struct settle_id all[3 * IDS];
    pthread_t threads[3];

    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, make, &makers[i]), 0);
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        for (int j = 1; j < IDS; j++) {
            if (compare_ids(&makers[i].ids[j - 1], &makers[i].ids[j]) >= 0)
                CU_FAIL("an id is not above the one before");
        }
        memcpy(all + (ptrdiff_t)i * IDS, makers[i].ids, sizeof(makers[i].ids));
    }
    qsort(all, sizeof(all) / sizeof(all[0]), sizeof(all[0]), compare_ids);
    for (size_t i = 1; i < sizeof(all) / sizeof(all[0]); i++) {
        if (compare_ids(&all[i - 1], &all[i]) == 0)
            CU_FAIL("an id was made twice");
    }
}

static void ids_are_of_now_and_read_back(void)
{
    uint64_t before, after, stamp = 0;
    struct settle_id id, back;
    char text[SETTLE_ID_TEXT_SIZE];
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    before = (uint64_t)now.tv_sec * 1000;
    CU_ASSERT_EQUAL(settle_id_new(&id), 0);
    clock_gettime(CLOCK_REALTIME, &now);
    /* Bursts borrow milliseconds from the future: 4,096 ids each. */
    after = (uint64_t)now.tv_sec * 1000 + 1000 + 4 * IDS / 4096 + 1;
    for (int i = 0; i < 6; i++)
        stamp = stamp << 8 | id.bytes[i];
    CU_ASSERT(stamp >= before);
    CU_ASSERT(stamp <= after);
    CU_ASSERT_EQUAL(settle_id_parse(settle_id_format(&id, text), &back), 0);
    CU_ASSERT_EQUAL(memcmp(&id, &back, sizeof(id)), 0);
    CU_ASSERT_EQUAL(strlen(text), 36);
}

static void what_is_no_id(void)
{
    static const char *const texts[] = {"",
                                        "01936f0e7c5e7a419d5b2f8a5b1c7e10",
                                        "01936f0e-7c5e-4a41-9d5b-2f8a5b1c7e10", /* version 4 */
                                        "01936f0e-7c5e-7a41-cd5b-2f8a5b1c7e10", /* variant */
                                        "01936f0e-7c5e-7a41-9d5b-2f8a5b1c7e1",
                                        "01936f0e-7c5e-7a41-9d5b-2f8a5b1c7e100",
                                        "01936f0g-7c5e-7a41-9d5b-2f8a5b1c7e10"};
    struct settle_id id;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        CU_ASSERT_EQUAL(settle_id_parse(texts[i], &id), SETTLE_ERR_USAGE);
}

/* ---- words and amounts ---- */

static void amounts_both_ways(void)
{
    static const struct {
        const char *text, *currency;
        int64_t minor;
        const char *canonical;
    } rows[] = {
        {"12.34", "EUR", 1234, "12.34"},
        {"12.3", "EUR", 1230, "12.30"},
        {"-0.01", "USD", -1, "-0.01"},
        {"0", "JPY", 0, "0"},
        {"1234567", "JPY", 1234567, "1234567"},
        {"0.001", "BHD", 1, "0.001"},
        {"92233720368547758.07", "EUR", INT64_MAX, "92233720368547758.07"},
        {"-92233720368547758.08", "EUR", INT64_MIN, "-92233720368547758.08"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[SETTLE_AMOUNT_TEXT_SIZE];
        int64_t minor = 99;

        CU_ASSERT_EQUAL(settle_amount_parse(rows[i].text, rows[i].currency, &minor, NULL), 0);
        CU_ASSERT_EQUAL(minor, rows[i].minor);
        CU_ASSERT_STRING_EQUAL(settle_amount_format(minor, rows[i].currency, text),
                               rows[i].canonical);
    }
}

static void amounts_that_are_none(void)
{
    static const char *const rows[][2] = {
        {"1.234", "EUR"}, {"1.0", "JPY"}, {"", "EUR"},    {"1e3", "EUR"},
        {"+1", "EUR"},    {".5", "EUR"},  {"1.", "EUR"},  {"92233720368547758.08", "EUR"},
        {"1", "ABC"},     {"1", "eur"},   {"0x1", "EUR"}, {" 1", "EUR"}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct settle_error err = {.code = 0};
        int64_t minor = 99;

        CU_ASSERT_EQUAL(settle_amount_parse(rows[i][0], rows[i][1], &minor, &err),
                        SETTLE_ERR_USAGE);
        CU_ASSERT_EQUAL(minor, 99);
        CU_ASSERT(err.text[0] != '\0');
    }
}

static void words(void)
{
    CU_ASSERT_STRING_EQUAL(settle_result_name(SETTLE_COMMITTED), "COMMITTED");
    CU_ASSERT_STRING_EQUAL(settle_result_name(SETTLE_REFUSED), "REFUSED");
    CU_ASSERT_STRING_EQUAL(settle_reason_name(4), "FUNDS");
    CU_ASSERT_STRING_EQUAL(settle_reason_name(60000), "UNKNOWN");
    CU_ASSERT_EQUAL(settle_currency_digits("JPY"), 0);
    CU_ASSERT_EQUAL(settle_currency_digits("EUR"), 2);
    CU_ASSERT_EQUAL(settle_currency_digits("BHD"), 3);
    CU_ASSERT_EQUAL(settle_currency_digits("XAU"), -1);
    CU_ASSERT_EQUAL(settle_currency_digits(""), -1);
}

/* ---- the cluster's text ---- */

static void clusters_that_are_read(void)
{
    struct url url;

    CU_ASSERT_EQUAL_FATAL(url_parse("zk://127.0.0.1:2181,[::1]:2182/prod-1", &url, NULL), 0);
    CU_ASSERT(url.zookeeper);
    CU_ASSERT_STRING_EQUAL(url.ensemble, "127.0.0.1:2181,[::1]:2182");
    CU_ASSERT_STRING_EQUAL(url.cluster.text, "prod-1");
    CU_ASSERT_EQUAL_FATAL(url_parse("tcp://127.0.0.1:7401,127.0.0.1:7402", &url, NULL), 0);
    CU_ASSERT_FALSE(url.zookeeper);
    CU_ASSERT_EQUAL_FATAL(url.host_count, 2);
    CU_ASSERT_EQUAL(address_port(&url.hosts[1]), 7402);
    CU_ASSERT_STRING_EQUAL(url.cluster.text, "");
}

static void clusters_that_are_not(void)
{
    static const char *const rows[][2] = {
        {"", "no known form"},
        {"127.0.0.1:7401", "no known form"},
        {NULL, "no cluster is given"},
        {"http://127.0.0.1:7401", "no known form"},
        {"zk://127.0.0.1:2181", "the cluster's name is missing"},
        {"zk://127.0.0.1:2181/", "is no cluster's name"},
        {"zk://127.0.0.1:2181/Prod", "'Prod' is no cluster's name"},
        {"zk:///prod", "no host"},
        {"tcp://", "no host"},
        {"tcp://127.0.0.1:7401,", "a comma without a host"},
        {"tcp://,127.0.0.1:7401", "an empty or overlong host"},
        {"tcp://127.0.0.1", "127.0.0.1"},
        {"tcp://127.0.0.1:0x10", "127.0.0.1:0x10"},
        {"tcp://127.0.0.1:70000", "127.0.0.1:70000"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct settle *settle = NULL;
        struct settle_error err = {.code = 0};

        CU_ASSERT_EQUAL(settle_open(rows[i][0], NULL, &settle, &err), SETTLE_ERR_USAGE);
        CU_ASSERT_PTR_NULL(settle);
        if (!strstr(err.text, rows[i][1])) {
            printf("\n  wanted: %s\n  got:    %s\n", rows[i][1], err.text);
            CU_FAIL("another complaint");
        }
    }
}

static void closing_nothing_is_fine(void)
{
    settle_close(NULL);
    settle_accounts_free(NULL);
    settle_entries_free(NULL);
    settle_txns_free(NULL);
}

CU_TestInfo api_tests[] = {
    {"what_is_wrong_by_itself_is_not_sent", what_is_wrong_by_itself_is_not_sent},
    {"a_full_transaction_is_sent", a_full_transaction_is_sent},
    {"a_completion_may_not_block", a_completion_may_not_block},
    {"ids_rise_in_each_thread_and_never_repeat", ids_rise_in_each_thread_and_never_repeat},
    {"ids_are_of_now_and_read_back", ids_are_of_now_and_read_back},
    {"what_is_no_id", what_is_no_id},
    {"amounts_both_ways", amounts_both_ways},
    {"amounts_that_are_none", amounts_that_are_none},
    {"words", words},
    {"clusters_that_are_read", clusters_that_are_read},
    {"clusters_that_are_not", clusters_that_are_not},
    {"closing_nothing_is_fine", closing_nothing_is_fine},
    CU_TEST_INFO_NULL,
};
