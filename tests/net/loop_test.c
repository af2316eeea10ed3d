#include "rig.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct tally {
    struct loop *loop;
    struct loop_timer *timer;
    unsigned calls, turns;
    uint64_t at_ms;
};

static void on_call(void *ctx)
{
    struct tally *tally = ctx;

    tally->calls++;
    tally->at_ms = loop_now_ms(tally->loop);
}

static void on_turn(void *ctx)
{
    struct tally *tally = ctx;

    tally->turns++;
}

static void tally_open(struct tally *tally)
{
    struct err err = {0};

    *tally = (struct tally){.calls = 0};
    CU_ASSERT_EQUAL_FATAL(loop_open(&tally->loop, &err), 0);
    loop_on_turn(tally->loop, on_turn, tally);
}

static void timers_are_never_early(void)
{
    struct tally tally;

    tally_open(&tally);
    tally.timer = loop_timer_open(tally.loop, on_call, &tally);
    for (unsigned delay = 0; delay < 8; delay++) {
        uint64_t set_ms = loop_now_ms(tally.loop);

        tally.calls = 0;
        loop_timer_set(tally.timer, delay);
        CU_ASSERT_TRUE(loop_timer_is_set(tally.timer));
        UNTIL(&tally, tally.calls == 1);
        CU_ASSERT(tally.at_ms >= set_ms + delay);
        CU_ASSERT_FALSE(loop_timer_is_set(tally.timer));
    }
    loop_timer_close(tally.timer);
    loop_close(tally.loop);
}

static void stopped_timer_is_silent(void)
{
    struct tally tally;
    struct loop_timer *other;

    tally_open(&tally);
    tally.timer = loop_timer_open(tally.loop, on_call, &tally);
    other = loop_timer_open(tally.loop, on_turn, &tally);
    loop_timer_set(tally.timer, 1);
    loop_timer_stop(tally.timer);
    loop_on_turn(tally.loop, NULL, NULL);
    loop_timer_set(other, 5);
    UNTIL(&tally, tally.turns == 1);
    CU_ASSERT_EQUAL(tally.calls, 0);
    loop_timer_close(tally.timer);
    loop_timer_close(other);
    loop_close(tally.loop);
}

static void close_own_timer(void *ctx)
{
    struct tally *tally = ctx;

    tally->calls++;
    loop_timer_close(tally->timer);
}

static void timer_may_close_itself(void)
{
    struct tally tally;

    tally_open(&tally);
    tally.timer = loop_timer_open(tally.loop, close_own_timer, &tally);
    loop_timer_set(tally.timer, 0);
    UNTIL(&tally, tally.calls == 1);
    loop_close(tally.loop);
}

static void time_stands_still_in_an_iteration(void)
{
    struct tally tally;
    uint64_t mono, wall;

    tally_open(&tally);
    mono = loop_now_ms(tally.loop);
    wall = loop_wall_ms(tally.loop);
    CU_ASSERT_EQUAL(loop_now_ms(tally.loop), mono);
    CU_ASSERT_EQUAL(loop_wall_ms(tally.loop), wall);
    CU_ASSERT_FALSE(loop_step(tally.loop, 3));
    CU_ASSERT(loop_now_ms(tally.loop) >= mono + 3);
    CU_ASSERT(wall > 1600000000000u);
    loop_close(tally.loop);
}

#define SENDS 10000

static void *send_often(void *arg)
{
    for (int i = 0; i < SENDS; i++)
        loop_wake_send(arg);
    return NULL;
}

/* Many sends are one call or more, and none is lost: the last one is heard after it was sent. */
static void other_threads_wake_the_loop(void)
{
    struct tally tally;
    struct loop_wake *wake;
    pthread_t thread;
    unsigned calls;

    tally_open(&tally);
    wake = loop_wake_open(tally.loop, on_call, &tally);
    CU_ASSERT_PTR_NOT_NULL_FATAL(wake);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, send_often, wake), 0);
    UNTIL(&tally, tally.calls > 0);
    pthread_join(thread, NULL);
    while (loop_step(tally.loop, 0))
        continue;
    calls = tally.calls;
    CU_ASSERT(calls <= SENDS);
    loop_wake_send(wake);
    loop_wake_send(wake);
    UNTIL(&tally, tally.calls > calls);
    CU_ASSERT_EQUAL(tally.calls, calls + 1);
    loop_wake_close(wake);
    loop_close(tally.loop);
}

static void somebodys_eventfd_is_watched_and_reset(void)
{
    struct tally tally;
    struct loop_watch *watch;
    uint64_t count = 3;
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    tally_open(&tally);
    watch = loop_watch_open(tally.loop, fd, on_call, &tally);
    CU_ASSERT_EQUAL(write(fd, &count, sizeof(count)), (ssize_t)sizeof(count));
    UNTIL(&tally, tally.calls == 1);
    CU_ASSERT_FALSE(loop_step(tally.loop, 1)); /* reset: it does not come again */
    CU_ASSERT_EQUAL(tally.calls, 1);
    loop_watch_close(watch);
    loop_close(tally.loop);
    close(fd);
}

static void stop_loop(void *ctx)
{
    struct tally *tally = ctx;

    on_call(tally);
    loop_stop(tally->loop);
}

static void signals_arrive_on_the_loop(void)
{
    struct tally tally;
    struct loop_signal *signal;

    tally_open(&tally);
    signal = loop_signal_open(tally.loop, SIGUSR1, stop_loop, &tally);
    CU_ASSERT_PTR_NOT_NULL_FATAL(signal);
    CU_ASSERT_EQUAL(raise(SIGUSR1), 0);
    CU_ASSERT_EQUAL(tally.calls, 0); /* not in the handler */
    loop_run(tally.loop);
    CU_ASSERT_EQUAL(tally.calls, 1);
    CU_ASSERT(tally.turns >= 1); /* the stopping iteration was finished */
    loop_signal_close(signal);
    loop_close(tally.loop);
}

CU_TestInfo loop_tests[] = {
    {"timers_are_never_early", timers_are_never_early},
    {"stopped_timer_is_silent", stopped_timer_is_silent},
    {"timer_may_close_itself", timer_may_close_itself},
    {"time_stands_still_in_an_iteration", time_stands_still_in_an_iteration},
    {"other_threads_wake_the_loop", other_threads_wake_the_loop},
    {"somebodys_eventfd_is_watched_and_reset", somebodys_eventfd_is_watched_and_reset},
    {"signals_arrive_on_the_loop", signals_arrive_on_the_loop},
    CU_TEST_INFO_NULL,
};
