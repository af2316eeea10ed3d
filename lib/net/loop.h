/*
 * The event loop: one thread's turn of waiting and working, over libevent.
 *
 * An iteration waits for something to happen, runs the callbacks of what happened, then the turn
 * hook, then flushes what the turn queued (conn.h writes once per connection here), and only then
 * waits again. Time is read once per iteration; nothing else in the house reads a clock (I12).
 *
 * A loop belongs to the thread that runs it. The one thing another thread may do is
 * loop_wake_send(). Everything opened on a loop is closed before the loop is.
 */
#ifndef SETTLE_NET_LOOP_H
#define SETTLE_NET_LOOP_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_timer;
struct loop_watch;
struct loop_wake;
struct loop_signal;
struct event_base; /* libevent's; for cluster */

typedef void loop_fn(void *ctx);

/** Open a loop. ERR_MEMORY, ERR_IO. */
int loop_open(struct loop **ret_loop, struct err *err);

/** Close a loop; accepts NULL. What was opened on it must be closed already. */
void loop_close(struct loop *loop);

/** Run iterations until loop_stop(). */
void loop_run(struct loop *loop);

/** Run one iteration, waiting at most `wait_ms`. Returns false when the wait ran out. */
bool loop_step(struct loop *loop, uint32_t wait_ms);

/** End loop_run() after the current iteration. From the loop's thread. */
void loop_stop(struct loop *loop);

/** Call `fn` once per iteration, after the callbacks of all that happened. */
void loop_on_turn(struct loop *loop, loop_fn *fn, void *ctx);

/** Milliseconds of CLOCK_BOOTTIME: never set back, the same for a whole iteration. */
uint64_t loop_now_ms(struct loop *loop);

/** Milliseconds since 1970, read together with loop_now_ms(). */
uint64_t loop_wall_ms(struct loop *loop);

/** 64 random bits, for jitter and timeouts; not for secrets and not for ids. */
uint64_t loop_random(struct loop *loop);

struct event_base *loop_event_base(struct loop *loop);

/**
 * A timer that calls `fn` once per loop_timer_set(). NULL when memory is short.
 *
 * It may be set, stopped or closed at any time on the loop's thread, in its own callback as well.
 */
struct loop_timer *loop_timer_open(struct loop *loop, loop_fn *fn, void *ctx);
void loop_timer_close(struct loop_timer *timer); /* accepts NULL */
/** Fire once after `delay_ms` from now, 0 being the next iteration; replaces what was set before.
 */
void loop_timer_set(struct loop_timer *timer, uint64_t delay_ms);
void loop_timer_stop(struct loop_timer *timer);
bool loop_timer_is_set(const struct loop_timer *timer);

/**
 * Watch somebody's eventfd: `fn` is called when it was raised, and has been reset.
 *
 * @fd  borrowed until loop_watch_close(); non-blocking
 */
struct loop_watch *loop_watch_open(struct loop *loop, int fd, loop_fn *fn, void *ctx);
void loop_watch_close(struct loop_watch *watch); /* accepts NULL */

/** A way in for other threads: `fn` runs on the loop after loop_wake_send(), once for many sends.
 */
struct loop_wake *loop_wake_open(struct loop *loop, loop_fn *fn, void *ctx);
void loop_wake_close(struct loop_wake *wake); /* accepts NULL; no thread may send any more */
/** Any thread. Never blocks, never fails. */
void loop_wake_send(struct loop_wake *wake);

/** Call `fn` on the loop when the process receives `signal_number`. For daemons only. */
struct loop_signal *loop_signal_open(struct loop *loop, int signal_number, loop_fn *fn, void *ctx);
void loop_signal_close(struct loop_signal *signal); /* accepts NULL */

/**
 * Ignore SIGPIPE in the whole process. For daemons.
 *
 * net's own writes raise none; the ZooKeeper client's may. A library blocks it on its own thread.
 */
void loop_ignore_sigpipe(void);

#endif
