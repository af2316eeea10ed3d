#include "net/loop.h"

#include "base/assert.h"
#include "base/prng.h"
#include "net/loop_hook.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

struct loop {
    struct event_base *base;
    bool stop;
    bool clock_read; /* now_ms and wall_ms are those of this iteration */
    uint64_t now_ms;
    uint64_t wall_ms;
    loop_fn *turn;
    void *turn_ctx;
    struct loop_hook *hooks;
    struct prng prng;
    struct event wait; /* loop_step()'s own timer */
    bool wait_over;
};

struct loop_timer {
    struct event ev;
    loop_fn *fn;
    void *ctx;
};

struct loop_watch {
    struct event ev;
    loop_fn *fn;
    void *ctx;
};

struct loop_wake {
    int fd;
    struct loop_watch *watch;
};

struct loop_signal {
    struct event ev;
    loop_fn *fn;
    void *ctx;
};

static void on_wait(evutil_socket_t fd, short what, void *ctx)
{
    struct loop *loop = ctx;

    (void)fd;
    (void)what;
    loop->wait_over = true;
}

/*
 * Precise timers, because libevent's usual clock is coarse: its timers may come up to 4 ms before
 * the time that loop_now_ms() shows, and a core asked too early would be asked again and again.
 */
static struct event_base *base_open(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base;

    if (!config)
        return NULL;
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_PRECISE_TIMER);
    base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

int loop_open(struct loop **ret_loop, struct err *err)
{
    struct loop *loop = calloc(1, sizeof(*loop));
    uint64_t seed = 0;

    if (!loop)
        return err_set(err, ERR_MEMORY, "no memory for the event loop");
    loop->base = base_open();
    if (!loop->base) {
        free(loop);
        return err_set(err, ERR_IO, "cannot open the event loop: no descriptors or no memory");
    }
    if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
        int errno_value = errno;
        event_base_free(loop->base);
        free(loop);
        return err_set_errno(err, ERR_IO, errno_value, "cannot read random bytes");
    }
    prng_init(&loop->prng, seed);
    event_assign(&loop->wait, loop->base, -1, 0, on_wait, loop);
    *ret_loop = loop;
    return 0;
}

void loop_close(struct loop *loop)
{
    if (!loop)
        return;
    ASSERT(!loop->hooks);
    event_del(&loop->wait);
    event_base_free(loop->base);
    free(loop);
}

static bool hooks_pending(const struct loop *loop)
{
    for (const struct loop_hook *hook = loop->hooks; hook; hook = hook->next) {
        if (hook->pending(hook->ctx))
            return true;
    }
    return false;
}

static void iterate(struct loop *loop)
{
    int flags = EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY;

    if (hooks_pending(loop))
        flags |= EVLOOP_NONBLOCK;
    loop->clock_read = false; /* whoever asks first after the wait reads it */
    event_base_loop(loop->base, flags);
    for (struct loop_hook *hook = loop->hooks; hook; hook = hook->next)
        hook->begin(hook->ctx);
    if (loop->turn)
        loop->turn(loop->turn_ctx);
    for (struct loop_hook *hook = loop->hooks; hook; hook = hook->next)
        hook->end(hook->ctx);
}

void loop_run(struct loop *loop)
{
    loop->stop = false;
    while (!loop->stop)
        iterate(loop);
}

bool loop_step(struct loop *loop, uint32_t wait_ms)
{
    struct timeval tv = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};

    loop->wait_over = false;
    event_add(&loop->wait, &tv);
    iterate(loop);
    event_del(&loop->wait);
    return !loop->wait_over;
}

void loop_stop(struct loop *loop)
{
    loop->stop = true;
}

void loop_on_turn(struct loop *loop, loop_fn *fn, void *ctx)
{
    loop->turn = fn;
    loop->turn_ctx = ctx;
}

void loop_hook_add(struct loop *loop, struct loop_hook *hook)
{
    hook->next = loop->hooks;
    loop->hooks = hook;
}

void loop_hook_remove(struct loop *loop, struct loop_hook *hook)
{
    struct loop_hook **link = &loop->hooks;

    while (*link != hook) {
        ASSERT(*link);
        link = &(*link)->next;
    }
    *link = hook->next;
}

static uint64_t read_ms(clockid_t clock)
{
    struct timespec ts;

    ASSERT(clock_gettime(clock, &ts) == 0);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void read_clocks(struct loop *loop)
{
    if (loop->clock_read)
        return;
    loop->now_ms = read_ms(CLOCK_BOOTTIME); /* a lease runs on while the machine is suspended */
    loop->wall_ms = read_ms(CLOCK_REALTIME);
    loop->clock_read = true;
}

uint64_t loop_now_ms(struct loop *loop)
{
    read_clocks(loop);
    return loop->now_ms;
}

uint64_t loop_wall_ms(struct loop *loop)
{
    read_clocks(loop);
    return loop->wall_ms;
}

uint64_t loop_random(struct loop *loop)
{
    return prng_next(&loop->prng);
}

struct event_base *loop_event_base(struct loop *loop)
{
    return loop->base;
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    struct loop_timer *timer = ctx;

    (void)fd;
    (void)what;
    timer->fn(timer->ctx);
}

struct loop_timer *loop_timer_open(struct loop *loop, loop_fn *fn, void *ctx)
{
    struct loop_timer *timer = calloc(1, sizeof(*timer));

    if (!timer)
        return NULL;
    timer->fn = fn;
    timer->ctx = ctx;
    event_assign(&timer->ev, loop->base, -1, 0, on_timer, timer);
    return timer;
}

void loop_timer_close(struct loop_timer *timer)
{
    if (!timer)
        return;
    event_del(&timer->ev);
    free(timer);
}

void loop_timer_set(struct loop_timer *timer, uint64_t delay_ms)
{
    struct timeval tv = {
        .tv_sec = (time_t)(delay_ms / 1000),
        .tv_usec = (suseconds_t)(delay_ms % 1000 * 1000),
    };

    event_add(&timer->ev, &tv);
}

void loop_timer_stop(struct loop_timer *timer)
{
    event_del(&timer->ev);
}

bool loop_timer_is_set(const struct loop_timer *timer)
{
    return event_pending(&timer->ev, EV_TIMEOUT, NULL) != 0;
}

static void on_raised(evutil_socket_t fd, short what, void *ctx)
{
    struct loop_watch *watch = ctx;
    uint64_t count;

    (void)what;
    /* Reset before the call: what is raised during it raises again. */
    if (read(fd, &count, sizeof(count)) == (ssize_t)sizeof(count))
        watch->fn(watch->ctx);
}

struct loop_watch *loop_watch_open(struct loop *loop, int fd, loop_fn *fn, void *ctx)
{
    struct loop_watch *watch = calloc(1, sizeof(*watch));

    if (!watch)
        return NULL;
    watch->fn = fn;
    watch->ctx = ctx;
    event_assign(&watch->ev, loop->base, fd, EV_READ | EV_PERSIST, on_raised, watch);
    if (event_add(&watch->ev, NULL) != 0) {
        free(watch);
        return NULL;
    }
    return watch;
}

void loop_watch_close(struct loop_watch *watch)
{
    if (!watch)
        return;
    event_del(&watch->ev);
    free(watch);
}

struct loop_wake *loop_wake_open(struct loop *loop, loop_fn *fn, void *ctx)
{
    struct loop_wake *wake = calloc(1, sizeof(*wake));

    if (!wake)
        return NULL;
    wake->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (wake->fd >= 0)
        wake->watch = loop_watch_open(loop, wake->fd, fn, ctx);
    if (!wake->watch) {
        loop_wake_close(wake);
        return NULL;
    }
    return wake;
}

void loop_wake_close(struct loop_wake *wake)
{
    if (!wake)
        return;
    loop_watch_close(wake->watch);
    if (wake->fd >= 0)
        close(wake->fd);
    free(wake);
}

void loop_wake_send(struct loop_wake *wake)
{
    static const uint64_t one = 1;
    ssize_t written;

    do
        written = write(wake->fd, &one, sizeof(one));
    while (written < 0 && errno == EINTR);
    /* EAGAIN: the counter is full, so the loop is about to wake as it is. */
    ASSERT(written == (ssize_t)sizeof(one) || errno == EAGAIN);
}

static void on_signal(evutil_socket_t number, short what, void *ctx)
{
    struct loop_signal *signal = ctx;

    (void)number;
    (void)what;
    signal->fn(signal->ctx);
}

struct loop_signal *loop_signal_open(struct loop *loop, int signal_number, loop_fn *fn, void *ctx)
{
    struct loop_signal *signal = calloc(1, sizeof(*signal));

    if (!signal)
        return NULL;
    signal->fn = fn;
    signal->ctx = ctx;
    event_assign(&signal->ev, loop->base, signal_number, EV_SIGNAL | EV_PERSIST, on_signal, signal);
    if (event_add(&signal->ev, NULL) != 0) {
        free(signal);
        return NULL;
    }
    return signal;
}

void loop_signal_close(struct loop_signal *signal)
{
    if (!signal)
        return;
    event_del(&signal->ev);
    free(signal);
}

void loop_ignore_sigpipe(void)
{
    struct sigaction action = {.sa_handler = SIG_IGN};

    sigemptyset(&action.sa_mask);
    ASSERT(sigaction(SIGPIPE, &action, NULL) == 0);
}
