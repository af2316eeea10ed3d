/* What the tests of libsettle share: one or two actors, a handle, a transfer. */
#ifndef SETTLE_TESTS_CLIENT_STAGE_H
#define SETTLE_TESTS_CLIENT_STAGE_H

#include "client/actor.h"
#include "settle/admin.h"
#include "support/runner.h"

#include <stdlib.h>
#include <string.h>

struct stage {
    struct actor one, two;
    bool has_two;
    struct settle *settle;
};

/** Actors that follow these scripts (`two` NULL: only one), and a handle; fails the test. */
void stage_open(struct stage *stage, actor_script *one, actor_script *two, uint32_t in_flight_max);
void stage_close(struct stage *stage);

/** 12.50 EUR from bank-a to bank-b under a new id. */
struct settle_submit a_transfer(uint32_t deadline_ms);

/** Submit and wait; fails the test when it was not even started. */
struct settle_outcome submit(struct stage *stage, uint32_t deadline_ms);

/** The reason's name of an outcome. */
const char *why(const struct settle_outcome *outcome);

uint64_t now_ms(void);

/** Completions counted under a lock. */
struct counted {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned all, committed, unknown;
};

void counted_init(struct counted *counted);
void counted_release(struct counted *counted);
void counted_done(void *ctx, const struct settle_outcome *outcome); /* a settle_done_fn */

/** Wait until so many were called; false after 20 s. */
bool counted_wait(struct counted *counted, unsigned all);

extern CU_TestInfo submit_tests[], failure_tests[], api_tests[], admin_tests[];

#endif
