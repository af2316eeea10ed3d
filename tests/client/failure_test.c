/* Lost answers, cut connections, wrong frames, stopped coordinators, and closing. */
#include "client/stage.h"

static void commits(struct actor *actor, struct conn *conn, const struct envelope *envelope)
{
    actor_answer(actor, conn, envelope, OUTCOME_COMMITTED, REASON_NONE);
}

static void is_silent(struct actor *actor, struct conn *conn, const struct envelope *envelope)
{
    (void)actor;
    (void)conn;
    (void)envelope;
}

static void cuts_first(struct actor *actor, struct conn *conn, const struct envelope *envelope)
{
    if (actor_number(actor) == 0)
        actor_cut(conn);
    else
        commits(actor, conn, envelope);
}

static void a_lost_answer_is_asked_for_with_the_same_bytes(void)
{
    struct settle_outcome outcome;
    struct stage stage;

    stage_open(&stage, cuts_first, NULL, 0);
    outcome = submit(&stage, 10000);
    CU_ASSERT_EQUAL(outcome.result, SETTLE_COMMITTED);
    CU_ASSERT_EQUAL_FATAL(stage.one.kept_count, 2);
    CU_ASSERT_EQUAL_FATAL(stage.one.kept[0].size, stage.one.kept[1].size);
    CU_ASSERT_EQUAL(
        memcmp(stage.one.kept[0].bytes, stage.one.kept[1].bytes, stage.one.kept[0].size), 0);
    stage_close(&stage);
}

static void halves_first(struct actor *actor, struct conn *conn, const struct envelope *envelope)
{
    if (actor_number(actor) == 0)
        actor_answer_half(actor, conn, envelope);
    else
        commits(actor, conn, envelope);
}

static void half_an_answer_is_none(void)
{
    struct settle_outcome outcome;
    struct stage stage;

    stage_open(&stage, halves_first, NULL, 0);
    outcome = submit(&stage, 10000);
    CU_ASSERT_EQUAL(outcome.result, SETTLE_COMMITTED);
    CU_ASSERT_EQUAL(actor_requests(&stage.one), 2);
    stage_close(&stage);
}

/* Wrong in another way each time: length 0, too long, no envelope, a kind that is not for clients.
 */
static void babbles(struct actor *actor, struct conn *conn, const struct envelope *envelope)
{
    static const uint8_t empty[] = {0, 0, 0, 0};
    static const uint8_t too_long[] = {0xff, 0xff, 0xff, 0xff};
    static const uint8_t noise[] = {0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff};
    struct envelope query;

    switch (actor_number(actor)) {
    case 0:
        conn_send(conn, empty, sizeof(empty));
        break;
    case 1:
        conn_send(conn, too_long, sizeof(too_long));
        break;
    case 2:
        conn_send(conn, noise, sizeof(noise));
        break;
    case 3:
        query = *envelope;
        actor_send(actor, conn, &query); /* its own Submit, back */
        break;
    default:
        commits(actor, conn, envelope);
    }
}

static void wrong_frames_end_the_connection_not_the_request(void)
{
    struct settle_outcome outcome;
    struct stage stage;

    stage_open(&stage, babbles, NULL, 0);
    outcome = submit(&stage, 20000);
    CU_ASSERT_EQUAL(outcome.result, SETTLE_COMMITTED);
    CU_ASSERT_EQUAL(actor_requests(&stage.one), 5);
    CU_ASSERT(stage.one.hellos >= 5);
    stage_close(&stage);
}

static void answers_somebody_else(struct actor *actor, struct conn *conn,
                                  const struct envelope *envelope)
{
    struct envelope other = *envelope;

    other.request += 1; /* a slot that asked nothing */
    actor_answer(actor, conn, &other, OUTCOME_ABORTED, REASON_FUNDS);
    other.request = envelope->request + (UINT64_C(1) << 32); /* the slot's next one */
    actor_answer(actor, conn, &other, OUTCOME_ABORTED, REASON_FUNDS);
    other.request = envelope->request;
    other.submit.id.bytes[15] ^= 1; /* another id */
    actor_answer(actor, conn, &other, OUTCOME_ABORTED, REASON_FUNDS);
    commits(actor, conn, envelope);
    commits(actor, conn, envelope); /* and once more */
}

static void only_its_own_answer_counts_and_only_once(void)
{
    struct settle_submit transfer = a_transfer(5000);
    struct counted counted;
    struct stage stage;

    stage_open(&stage, answers_somebody_else, NULL, 0);
    counted_init(&counted);
    CU_ASSERT_EQUAL_FATAL(
        settle_submit_start(stage.settle, &transfer, counted_done, &counted, NULL), 0);
    CU_ASSERT(counted_wait(&counted, 1));
    stage_close(&stage);
    CU_ASSERT_EQUAL(counted.all, 1);
    CU_ASSERT_EQUAL(counted.committed, 1);
    counted_release(&counted);
}

static void cuts_then_refuses(struct actor *actor, struct conn *conn,
                              const struct envelope *envelope)
{
    static const enum reason reasons[] = {REASON_BUSY, REASON_CONFLICT, REASON_UNBALANCED,
                                          REASON_PARTICIPANT_DOWN, REASON_TOO_OLD};
    unsigned number = actor_number(actor);

    if (number == 0)
        actor_cut(conn);
    else
        actor_answer(actor, conn, envelope, OUTCOME_REFUSED,
                     reasons[number % (sizeof(reasons) / sizeof(reasons[0]))]);
}

/* The first attempt may have been taken: no refusal of a later one may hide that. */
static void refused_after_a_lost_answer_is_unknown(void)
{
    struct settle_outcome outcome;
    uint64_t began = now_ms();
    struct stage stage;

    stage_open(&stage, cuts_then_refuses, NULL, 0);
    outcome = submit(&stage, 1500);
    CU_ASSERT_EQUAL(outcome.result, SETTLE_UNKNOWN);
    CU_ASSERT_STRING_EQUAL(why(&outcome), "UNKNOWN_OUTCOME");
    CU_ASSERT(now_ms() - began >= 1500);
    CU_ASSERT(actor_requests(&stage.one) > 5);
    stage_close(&stage);
}

static void refuses_then_is_silent(struct actor *actor, struct conn *conn,
                                   const struct envelope *envelope)
{
    if (actor_number(actor) == 0)
        actor_redirect(actor, conn, envelope, NULL);
}

static void silence_after_a_refusal_is_unknown(void)
{
    struct settle_outcome outcome;
    struct stage stage;

    stage_open(&stage, refuses_then_is_silent, NULL, 0);
    outcome = submit(&stage, 500);
    CU_ASSERT_EQUAL(outcome.result, SETTLE_UNKNOWN);
    stage_close(&stage);
}

static void silence_is_unknown_at_the_deadline(void)
{
    struct settle_outcome outcome;
    uint64_t began, took;
    struct stage stage;

    stage_open(&stage, is_silent, NULL, 0);
    began = now_ms();
    outcome = submit(&stage, 400);
    took = now_ms() - began;
    CU_ASSERT_EQUAL(outcome.result, SETTLE_UNKNOWN);
    CU_ASSERT(took >= 400);
    CU_ASSERT(took < 5000);
    stage_close(&stage);
}

static void decides_late(struct actor *actor, struct conn *conn, const struct envelope *envelope)
{
    if (actor_number(actor) < 2)
        actor_answer(actor, conn, envelope, OUTCOME_UNKNOWN, REASON_UNKNOWN_OUTCOME);
    else
        commits(actor, conn, envelope);
}

static void unknown_is_asked_again_while_there_is_time(void)
{
    struct settle_outcome outcome;
    struct stage stage;

    stage_open(&stage, decides_late, NULL, 0);
    outcome = submit(&stage, 10000);
    CU_ASSERT_EQUAL(outcome.result, SETTLE_COMMITTED);
    CU_ASSERT_EQUAL(actor_requests(&stage.one), 3);
    stage_close(&stage);
}

/* A stopped process keeps its connection: only patience tells. */
static void a_silent_coordinator_is_passed_over(void)
{
    struct actor_options silent = {.script = is_silent, .node = "coordinator-1"};
    struct actor_options sound = {.script = commits, .node = "coordinator-2"};
    struct settle_options options = {.connect_ms = 10000};
    struct settle_submit transfer = a_transfer(20000);
    struct settle_outcome outcome;
    struct actor one, two;
    struct settle *settle;
    char url[ACTOR_URL_MAX];

    actor_open(&one, &silent);
    actor_open(&two, &sound);
    CU_ASSERT_EQUAL_FATAL(settle_open(actor_url(&one, &two, url), &options, &settle, NULL), 0);
    CU_ASSERT_EQUAL_FATAL(settle_submit(settle, &transfer, &outcome, NULL), 0);
    CU_ASSERT_EQUAL(outcome.result, SETTLE_COMMITTED);
    settle_close(settle);
    actor_close(&one);
    actor_close(&two);
}

static void nobody_left_to_send_to_is_refused(void)
{
    struct settle_outcome outcome;
    struct stage stage;

    stage_open(&stage, commits, NULL, 0);
    actor_kill(&stage.one);
    outcome = submit(&stage, 500);
    /* The end of the connection may be noticed after a first attempt was sent into it. */
    CU_ASSERT(outcome.result == SETTLE_REFUSED || outcome.result == SETTLE_UNKNOWN);
    outcome = submit(&stage, 500);
    CU_ASSERT_EQUAL(outcome.result, SETTLE_REFUSED);
    CU_ASSERT_STRING_EQUAL(why(&outcome), "NOT_LEADER");
    stage_close(&stage);
}

static void one_more_than_the_maximum_is_busy(void)
{
    struct settle_submit transfer;
    struct counted counted;
    struct settle_error err;
    struct stage stage;

    stage_open(&stage, is_silent, NULL, 2);
    counted_init(&counted);
    for (int i = 0; i < 2; i++) {
        transfer = a_transfer(60000);
        CU_ASSERT_EQUAL(settle_submit_start(stage.settle, &transfer, counted_done, &counted, &err),
                        0);
    }
    transfer = a_transfer(60000);
    CU_ASSERT_EQUAL(settle_submit_start(stage.settle, &transfer, counted_done, &counted, &err),
                    SETTLE_ERR_BUSY);
    CU_ASSERT_EQUAL(err.code, SETTLE_ERR_BUSY);
    CU_ASSERT_STRING_EQUAL(err.text, "2 requests are under way, which is in_flight_max");
    CU_ASSERT(actor_wait(&stage.one, 2));
    stage_close(&stage);
    /* Closing completes what is under way, and what was refused is never heard of again. */
    CU_ASSERT_EQUAL(counted.all, 2);
    CU_ASSERT_EQUAL(counted.unknown, 2);
    counted_release(&counted);
}

static void starts_another(void *ctx, const struct settle_outcome *outcome)
{
    struct settle_leg legs[] = {{"bank-a", "ALICE", SETTLE_DEBIT, 1, "EUR"},
                                {"bank-b", "BOB", SETTLE_CREDIT, 1, "EUR"}};
    struct settle_submit next = {.id = outcome->id, .legs = legs, .leg_count = 2};
    struct stage *stage = ctx;
    struct settle_error err;

    stage->has_two = settle_submit_start(stage->settle, &next, counted_done, NULL, &err) ==
                     SETTLE_ERR_CLOSED;
}

static void a_closing_handle_takes_nothing_new(void)
{
    struct settle_submit transfer = a_transfer(60000);
    struct stage stage;

    stage_open(&stage, is_silent, NULL, 0);
    CU_ASSERT_EQUAL_FATAL(
        settle_submit_start(stage.settle, &transfer, starts_another, &stage, NULL), 0);
    CU_ASSERT(actor_wait(&stage.one, 1));
    settle_close(stage.settle);
    CU_ASSERT(stage.has_two);
    actor_close(&stage.one);
}

static void version_refused(void)
{
    struct actor_options options = {.node = "coordinator-1", .refuse_hello = true};
    struct settle_options quick = {.connect_ms = 300};
    struct settle *settle = NULL;
    struct settle_error err;
    char url[ACTOR_URL_MAX];
    struct actor actor;

    actor_open(&actor, &options);
    CU_ASSERT_EQUAL(settle_open(actor_url(&actor, NULL, url), &quick, &settle, &err),
                    SETTLE_ERR_PROTOCOL);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "too old for us"));
    CU_ASSERT_PTR_NULL(settle);
    actor_close(&actor);
}

static void nobody_listens(void)
{
    struct actor_options options = {.node = "coordinator-1"};
    struct settle_options quick = {.connect_ms = 300};
    struct settle *settle = NULL;
    struct settle_error err;
    char url[ACTOR_URL_MAX];
    struct actor actor;

    actor_open(&actor, &options);
    actor_kill(&actor);
    CU_ASSERT_EQUAL(settle_open(actor_url(&actor, NULL, url), &quick, &settle, &err),
                    SETTLE_ERR_UNREACHABLE);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, actor.address));
    actor_close(&actor);
}

/* Whoever answers first decides which cluster it is; the other one is not talked to. */
static void a_coordinator_of_another_cluster_is_not_used(void)
{
    struct actor_options ours = {.script = commits, .node = "coordinator-1", .cluster_byte = 7};
    struct actor_options theirs = {.script = commits, .node = "coordinator-2", .cluster_byte = 8};
    struct settle_options options = {.connect_ms = 10000};
    struct actor one, two;
    struct settle *settle;
    char url[ACTOR_URL_MAX];

    actor_open(&one, &ours);
    actor_open(&two, &theirs);
    CU_ASSERT_EQUAL_FATAL(settle_open(actor_url(&one, &two, url), &options, &settle, NULL), 0);
    for (int i = 0; i < 20; i++) {
        struct settle_submit transfer = a_transfer(10000);
        struct settle_outcome outcome;

        CU_ASSERT_EQUAL_FATAL(settle_submit(settle, &transfer, &outcome, NULL), 0);
        CU_ASSERT_EQUAL(outcome.result, SETTLE_COMMITTED);
    }
    CU_ASSERT(actor_requests(&one) == 0 || actor_requests(&two) == 0);
    settle_close(settle);
    actor_close(&one);
    actor_close(&two);
}

CU_TestInfo failure_tests[] = {
    {"a_lost_answer_is_asked_for_with_the_same_bytes",
     a_lost_answer_is_asked_for_with_the_same_bytes},
    {"half_an_answer_is_none", half_an_answer_is_none},
    {"wrong_frames_end_the_connection_not_the_request",
     wrong_frames_end_the_connection_not_the_request},
    {"only_its_own_answer_counts_and_only_once", only_its_own_answer_counts_and_only_once},
    {"refused_after_a_lost_answer_is_unknown", refused_after_a_lost_answer_is_unknown},
    {"silence_after_a_refusal_is_unknown", silence_after_a_refusal_is_unknown},
    {"silence_is_unknown_at_the_deadline", silence_is_unknown_at_the_deadline},
    {"unknown_is_asked_again_while_there_is_time", unknown_is_asked_again_while_there_is_time},
    {"a_silent_coordinator_is_passed_over", a_silent_coordinator_is_passed_over},
    {"nobody_left_to_send_to_is_refused", nobody_left_to_send_to_is_refused},
    {"one_more_than_the_maximum_is_busy", one_more_than_the_maximum_is_busy},
    {"a_closing_handle_takes_nothing_new", a_closing_handle_takes_nothing_new},
    {"version_refused", version_refused},
    {"nobody_listens", nobody_listens},
    {"a_coordinator_of_another_cluster_is_not_used", a_coordinator_of_another_cluster_is_not_used},
    CU_TEST_INFO_NULL,
};
