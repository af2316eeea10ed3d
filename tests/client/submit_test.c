/* Answers, redirects, many at once. */
#include "client/stage.h"

#include <stdatomic.h>

static void commits(struct actor *actor, struct conn *conn, const struct envelope *envelope)
{
    actor_answer(actor, conn, envelope, OUTCOME_COMMITTED, REASON_NONE);
}

static void committed(void)
{
    struct settle_outcome outcome;
    struct stage stage;

    stage_open(&stage, commits, NULL, 0);
    outcome = submit(&stage, 5000);
    CU_ASSERT_EQUAL(outcome.result, SETTLE_COMMITTED);
    CU_ASSERT_EQUAL(outcome.committed_ms, 1732476000123);
    CU_ASSERT_STRING_EQUAL(outcome.participant, "");
    stage_close(&stage);
}

static void aborts(struct actor *actor, struct conn *conn, const struct envelope *envelope)
{
    actor_answer(actor, conn, envelope, OUTCOME_ABORTED, REASON_FUNDS);
}

static void aborted_names_reason_and_participant(void)
{
    struct settle_outcome outcome;
    struct stage stage;

    stage_open(&stage, aborts, NULL, 0);
    outcome = submit(&stage, 5000);
    CU_ASSERT_EQUAL(outcome.result, SETTLE_ABORTED);
    CU_ASSERT_STRING_EQUAL(why(&outcome), "FUNDS");
    CU_ASSERT_STRING_EQUAL(outcome.participant, "bank-a");
    stage_close(&stage);
}

static void is_busy(struct actor *actor, struct conn *conn, const struct envelope *envelope)
{
    actor_answer(actor, conn, envelope, OUTCOME_REFUSED, REASON_BUSY);
}

static void refused_at_the_door_is_told_at_once(void)
{
    struct settle_outcome outcome;
    struct stage stage;

    stage_open(&stage, is_busy, NULL, 0);
    outcome = submit(&stage, 60000);
    CU_ASSERT_EQUAL(outcome.result, SETTLE_REFUSED);
    CU_ASSERT_STRING_EQUAL(why(&outcome), "BUSY");
    CU_ASSERT_EQUAL(actor_requests(&stage.one), 1);
    stage_close(&stage);
}

static void sends_to_other(struct actor *actor, struct conn *conn, const struct envelope *envelope)
{
    actor_redirect(actor, conn, envelope, actor->options.other);
}

static void a_redirect_is_followed_and_remembered(void)
{
    struct settle_submit transfer = a_transfer(5000);
    struct settle_outcome outcome;
    struct stage stage;

    stage_open(&stage, sends_to_other, commits, 0);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL_FATAL(settle_submit(stage.settle, &transfer, &outcome, NULL), 0);
        CU_ASSERT_EQUAL(outcome.result, SETTLE_COMMITTED);
    }
    CU_ASSERT_EQUAL(actor_requests(&stage.one), 1);
    CU_ASSERT_EQUAL(actor_requests(&stage.two), 3);
    stage_close(&stage);
}

static void leads_late(struct actor *actor, struct conn *conn, const struct envelope *envelope)
{
    if (actor_number(actor) < 4)
        actor_redirect(actor, conn, envelope, NULL);
    else
        commits(actor, conn, envelope);
}

static void an_election_is_waited_for(void)
{
    struct settle_outcome outcome;
    struct stage stage;

    stage_open(&stage, leads_late, NULL, 0);
    outcome = submit(&stage, 10000);
    CU_ASSERT_EQUAL(outcome.result, SETTLE_COMMITTED);
    CU_ASSERT_EQUAL(actor_requests(&stage.one), 5);
    stage_close(&stage);
}

static void never_leads(struct actor *actor, struct conn *conn, const struct envelope *envelope)
{
    actor_redirect(actor, conn, envelope, NULL);
}

static void without_a_leader_it_is_refused_at_the_deadline(void)
{
    struct settle_outcome outcome;
    uint64_t began = now_ms();
    struct stage stage;

    stage_open(&stage, never_leads, NULL, 0);
    outcome = submit(&stage, 300);
    CU_ASSERT(now_ms() - began >= 300);
    CU_ASSERT(now_ms() - began < 5000);
    CU_ASSERT_EQUAL(outcome.result, SETTLE_REFUSED);
    CU_ASSERT_STRING_EQUAL(why(&outcome), "NOT_LEADER");
    stage_close(&stage);
}

/* Both name the other one: a client that believed them at once, always, would never rest. */
static void actors_that_name_each_other_do_not_spin(void)
{
    struct settle_outcome outcome;
    struct stage stage;
    unsigned sum;

    stage_open(&stage, sends_to_other, sends_to_other, 0);
    outcome = submit(&stage, 1000);
    CU_ASSERT_EQUAL(outcome.result, SETTLE_REFUSED);
    sum = actor_requests(&stage.one) + actor_requests(&stage.two);
    CU_ASSERT(sum >= 4);
    CU_ASSERT(sum < 500);
    stage_close(&stage);
}

static void an_outcome_is_asked_for_by_id(void)
{
    struct settle_submit transfer = a_transfer(0);
    struct settle_outcome outcome;
    struct stage stage;

    stage_open(&stage, aborts, NULL, 0);
    CU_ASSERT_EQUAL_FATAL(settle_outcome_of(stage.settle, &transfer.id, 5000, &outcome, NULL), 0);
    CU_ASSERT_EQUAL(outcome.result, SETTLE_ABORTED);
    CU_ASSERT_STRING_EQUAL(why(&outcome), "FUNDS");
    stage_close(&stage);
}

static void is_busy_twice(struct actor *actor, struct conn *conn, const struct envelope *envelope)
{
    if (actor_number(actor) < 2)
        actor_answer(actor, conn, envelope, OUTCOME_REFUSED, REASON_BUSY);
    else
        actor_answer(actor, conn, envelope, OUTCOME_COMMITTED, REASON_NONE);
}

static void conflicts(struct actor *actor, struct conn *conn, const struct envelope *envelope)
{
    actor_answer(actor, conn, envelope, OUTCOME_REFUSED, REASON_CONFLICT);
}

/* REFUSED would say that nothing happened; what is refused here is the question. */
static void a_question_is_never_refused(void)
{
    struct settle_submit transfer = a_transfer(0);
    struct settle_outcome outcome;
    struct stage stage;

    stage_open(&stage, is_busy_twice, NULL, 0);
    CU_ASSERT_EQUAL_FATAL(settle_outcome_of(stage.settle, &transfer.id, 5000, &outcome, NULL), 0);
    CU_ASSERT_EQUAL(outcome.result, SETTLE_COMMITTED);
    stage_close(&stage);
    stage_open(&stage, conflicts, NULL, 0);
    CU_ASSERT_EQUAL_FATAL(settle_outcome_of(stage.settle, &transfer.id, 500, &outcome, NULL), 0);
    CU_ASSERT_EQUAL(outcome.result, SETTLE_UNKNOWN);
    stage_close(&stage);
}

static void knows_nothing(struct actor *actor, struct conn *conn, const struct envelope *envelope)
{
    actor_answer(actor, conn, envelope, OUTCOME_UNKNOWN, REASON_UNKNOWN_OUTCOME);
}

static void an_id_nobody_heard_of_is_unknown_at_once(void)
{
    struct settle_submit transfer = a_transfer(0);
    struct settle_outcome outcome;
    struct stage stage;

    stage_open(&stage, knows_nothing, NULL, 0);
    CU_ASSERT_EQUAL_FATAL(settle_outcome_of(stage.settle, &transfer.id, 60000, &outcome, NULL), 0);
    CU_ASSERT_EQUAL(outcome.result, SETTLE_UNKNOWN);
    CU_ASSERT_EQUAL(actor_requests(&stage.one), 1);
    stage_close(&stage);
}

/* ---- many ---- */

struct chain {
    struct settle *settle;
    struct counted counted;
    atomic_uint left;
};

static void chain_done(void *ctx, const struct settle_outcome *outcome)
{
    struct settle_leg legs[] = {{"bank-a", "ALICE", SETTLE_DEBIT, 1, "EUR"},
                                {"bank-b", "BOB", SETTLE_CREDIT, 1, "EUR"}};
    struct settle_submit next = {.legs = legs, .leg_count = 2, .deadline_ms = 20000};
    struct chain *chain = ctx;

    if (atomic_fetch_sub(&chain->left, 1) > 1 && settle_id_new(&next.id) == 0)
        settle_submit_start(chain->settle, &next, chain_done, chain, NULL);
    counted_done(&chain->counted, outcome);
}

static void a_completion_starts_the_next(void)
{
    struct settle_submit transfer = a_transfer(20000);
    struct chain chain = {.settle = NULL};
    struct stage stage;

    /* One slot: it must be free again before the completion is called. */
    stage_open(&stage, commits, NULL, 1);
    chain.settle = stage.settle;
    counted_init(&chain.counted);
    atomic_init(&chain.left, 1000);
    CU_ASSERT_EQUAL_FATAL(settle_submit_start(stage.settle, &transfer, chain_done, &chain, NULL),
                          0);
    CU_ASSERT(counted_wait(&chain.counted, 1000));
    CU_ASSERT_EQUAL(chain.counted.committed, 1000);
    stage_close(&stage);
    CU_ASSERT_EQUAL(chain.counted.all, 1000);
    counted_release(&chain.counted);
}

#define THREADS 4
#define EACH    2000

struct crowd {
    struct settle *settle;
    struct counted *counted;
    unsigned started;
};

static void *crowd_run(void *ctx)
{
    struct settle_leg legs[] = {{"bank-a", "ALICE", SETTLE_DEBIT, 1, "EUR"},
                                {"bank-b", "BOB", SETTLE_CREDIT, 1, "EUR"}};
    struct crowd *crowd = ctx;

    for (unsigned i = 0; i < EACH; i++) {
        struct settle_submit next = {.legs = legs, .leg_count = 2, .deadline_ms = 20000};

        if (settle_id_new(&next.id) == 0 &&
            settle_submit_start(crowd->settle, &next, counted_done, crowd->counted, NULL) == 0)
            crowd->started++;
    }
    return NULL;
}

static void thousands_from_many_threads_complete_once_each(void)
{
    struct crowd crowds[THREADS];
    pthread_t threads[THREADS];
    struct counted counted;
    struct stage stage;

    stage_open(&stage, commits, NULL, THREADS * EACH);
    counted_init(&counted);
    for (unsigned i = 0; i < THREADS; i++) {
        crowds[i] = (struct crowd){.settle = stage.settle, .counted = &counted};
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, crowd_run, &crowds[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CU_ASSERT_EQUAL(crowds[i].started, EACH);
    }
    CU_ASSERT(counted_wait(&counted, THREADS * EACH));
    CU_ASSERT_EQUAL(counted.committed, THREADS * EACH);
    stage_close(&stage);
    CU_ASSERT_EQUAL(counted.all, THREADS * EACH);
    counted_release(&counted);
}

CU_TestInfo submit_tests[] = {
    {"committed", committed},
    {"aborted_names_reason_and_participant", aborted_names_reason_and_participant},
    {"refused_at_the_door_is_told_at_once", refused_at_the_door_is_told_at_once},
    {"a_redirect_is_followed_and_remembered", a_redirect_is_followed_and_remembered},
    {"an_election_is_waited_for", an_election_is_waited_for},
    {"without_a_leader_it_is_refused_at_the_deadline",
     without_a_leader_it_is_refused_at_the_deadline},
    {"actors_that_name_each_other_do_not_spin", actors_that_name_each_other_do_not_spin},
    {"an_outcome_is_asked_for_by_id", an_outcome_is_asked_for_by_id},
    {"a_question_is_never_refused", a_question_is_never_refused},
    {"an_id_nobody_heard_of_is_unknown_at_once", an_id_nobody_heard_of_is_unknown_at_once},
    {"a_completion_starts_the_next", a_completion_starts_the_next},
    {"thousands_from_many_threads_complete_once_each",
     thousands_from_many_threads_complete_once_each},
    CU_TEST_INFO_NULL,
};
