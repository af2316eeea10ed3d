#include "client/stage.h"

#include <time.h>

#define WAIT_S 20

void stage_open(struct stage *stage, actor_script *one, actor_script *two, uint32_t in_flight_max)
{
    struct actor_options first = {.script = one, .node = "coordinator-1", .cluster_byte = 7};
    struct actor_options second = {
        .script = two, .node = "coordinator-2", .cluster_byte = 7, .other = &stage->one};
    struct settle_options options = {.in_flight_max = in_flight_max, .connect_ms = 10000};
    char url[ACTOR_URL_MAX];
    struct settle_error err;

    stage->has_two = two != NULL;
    if (two)
        actor_open(&stage->two, &second);
    first.other = two ? &stage->two : NULL;
    actor_open(&stage->one, &first);
    if (settle_open(actor_url(&stage->one, NULL, url), &options, &stage->settle, &err) != 0) {
        printf("\n  %s\n", err.text);
        CU_FAIL_FATAL("the handle does not open");
    }
}

void stage_close(struct stage *stage)
{
    settle_close(stage->settle);
    actor_close(&stage->one);
    if (stage->has_two)
        actor_close(&stage->two);
}

struct settle_submit a_transfer(uint32_t deadline_ms)
{
    static const struct settle_leg legs[] = {{"bank-a", "ALICE", SETTLE_DEBIT, 1250, "EUR"},
                                             {"bank-b", "BOB", SETTLE_CREDIT, 1250, "EUR"}};
    struct settle_submit submit = {
        .legs = legs, .leg_count = 2, .deadline_ms = deadline_ms, .memo = "invoice 17"};

    CU_ASSERT_EQUAL_FATAL(settle_id_new(&submit.id), 0);
    return submit;
}

struct settle_outcome submit(struct stage *stage, uint32_t deadline_ms)
{
    struct settle_submit transfer = a_transfer(deadline_ms);
    struct settle_outcome outcome;
    struct settle_error err;

    if (settle_submit(stage->settle, &transfer, &outcome, &err) != 0) {
        printf("\n  %s\n", err.text);
        CU_FAIL_FATAL("a submit does not start");
    }
    CU_ASSERT_EQUAL(memcmp(&outcome.id, &transfer.id, sizeof(outcome.id)), 0);
    return outcome;
}

const char *why(const struct settle_outcome *outcome)
{
    return settle_reason_name(outcome->reason);
}

uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void counted_init(struct counted *counted)
{
    memset(counted, 0, sizeof(*counted));
    pthread_mutex_init(&counted->lock, NULL);
    pthread_cond_init(&counted->changed, NULL);
}

void counted_release(struct counted *counted)
{
    pthread_cond_destroy(&counted->changed);
    pthread_mutex_destroy(&counted->lock);
}

void counted_done(void *ctx, const struct settle_outcome *outcome)
{
    struct counted *counted = ctx;

    pthread_mutex_lock(&counted->lock);
    counted->all++;
    counted->committed += outcome->result == SETTLE_COMMITTED;
    counted->unknown += outcome->result == SETTLE_UNKNOWN;
    pthread_cond_broadcast(&counted->changed);
    pthread_mutex_unlock(&counted->lock);
}

bool counted_wait(struct counted *counted, unsigned all)
{
    struct timespec until;
    bool enough;
    int rc = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    pthread_mutex_lock(&counted->lock);
    while (counted->all < all && rc == 0)
        rc = pthread_cond_timedwait(&counted->changed, &counted->lock, &until);
    enough = counted->all >= all;
    pthread_mutex_unlock(&counted->lock);
    return enough;
}
