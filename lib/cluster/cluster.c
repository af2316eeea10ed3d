/*
 * The session's life: connected, suspended, lost, expired, and again.
 *
 * Everything happens in the pump's turn (pump.h). A timer has the pump take a turn when a lease, a
 * heartbeat or a retry is due, and opens a new handle when there is none.
 */
#include "cluster/cluster_internal.h"

#include "base/assert.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/*
 * A session that could not be continued for so many timeouts is given up for a new one. Servers
 * that were set back to an older state refuse the old one for ever: it has seen later transactions.
 */
#define GIVE_UP_TIMEOUTS 4

#define REPEAT_FIRST_MS  1000
#define REPEAT_LAST_MS   64000

struct guid cluster_guid_make(void)
{
    struct guid guid;
    ssize_t got;

    do
        got = getrandom(guid.bytes, sizeof(guid.bytes), 0);
    while (got < 0 && errno == EINTR);
    ASSERT(got == (ssize_t)sizeof(guid.bytes));
    return guid;
}

const char *cluster_state_name(enum cluster_state state)
{
    switch (state) {
    case CLUSTER_CONNECTING:
        return "connecting";
    case CLUSTER_CONNECTED:
        return "connected";
    case CLUSTER_SUSPENDED:
        return "suspended";
    case CLUSTER_LOST:
        return "lost";
    case CLUSTER_EXPIRED:
        return "expired";
    }
    UNREACHABLE();
}

void cluster_log(struct cluster *cluster, enum cluster_level level, const char *format, ...)
{
    char text[ERR_TEXT_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    CALL(cluster, on_log, level, text);
}

/* True when the cause may be reported now; counts it otherwise. */
static bool repeat_is_due(struct repeat *repeat, uint64_t now)
{
    if (now < repeat->next_ms) {
        repeat->unsaid++;
        return false;
    }
    repeat->interval_ms = repeat->interval_ms ? 2 * repeat->interval_ms : REPEAT_FIRST_MS;
    if (repeat->interval_ms > REPEAT_LAST_MS)
        repeat->interval_ms = REPEAT_LAST_MS;
    repeat->next_ms = now + repeat->interval_ms;
    return true;
}

/* The cause is over: the next one is reported at once. */
static void repeat_reset(struct repeat *repeat, uint64_t first_ms)
{
    memset(repeat, 0, sizeof(*repeat));
    repeat->next_ms = first_ms;
}

void cluster_refuse(struct cluster *cluster, int code, const char *format, ...)
{
    struct err err = {.code = code};
    va_list args;

    if (cluster->refused)
        return;
    va_start(args, format);
    vsnprintf(err.text, sizeof(err.text), format, args);
    va_end(args);
    elections_lost(cluster);
    cluster->refused = true;
    CALL(cluster, on_refused, &err);
}

uint64_t cluster_failed(struct cluster *cluster, const struct pump_result *result, const char *what)
{
    cluster_log(cluster, CLUSTER_ERROR, "ZooKeeper at %s refuses %s: %s; trying again in %d ms",
                cluster->ensemble, what, result->text, RETRY_MS);
    return loop_now_ms(cluster->loop) + RETRY_MS;
}

void request_make(struct cluster *cluster, struct request *request, const struct path *path,
                  pump_done *done, uint32_t number)
{
    memset(&request->call, 0, sizeof(request->call));
    request->call.path = path_format(&cluster->options.name, path, request->path);
    request->call.done = done;
    request->call.ctx = cluster;
    request->call.number = number;
}

void cluster_wake_at(struct cluster *cluster, uint64_t at_ms)
{
    if (at_ms < cluster->wake_ms)
        cluster->wake_ms = at_ms;
}

void cluster_poke(struct cluster *cluster)
{
    if (cluster->in_turn)
        cluster->wake_ms = 0;
    else
        loop_timer_set(cluster->timer, 0);
}

static void set_state(struct cluster *cluster, enum cluster_state state)
{
    if (cluster->state == state)
        return;
    cluster->state = state;
    CALL(cluster, on_state, state);
}

static void session_connected(struct cluster *cluster, uint64_t now)
{
    if (cluster->session != pump_session(cluster->pump)) {
        cluster->session = pump_session(cluster->pump);
        cluster->timeout_ms = pump_timeout_ms(cluster->pump);
        lease_begin(&cluster->lease, cluster->timeout_ms);
        config_begin(cluster);
        registry_begin(cluster);
        elections_begin(cluster);
        observe_begin(cluster);
    }
    repeat_reset(&cluster->absent, 0);
    repeat_reset(&cluster->library, now);
    set_state(cluster, CLUSTER_CONNECTED);
}

static void session_suspended(struct cluster *cluster, uint64_t now)
{
    cluster->apart_ms = now;
    repeat_reset(&cluster->absent, now + REPEAT_FIRST_MS);
    set_state(cluster, CLUSTER_SUSPENDED);
    elections_suspend(cluster);
}

static void session_open(struct cluster *cluster);

/* Our nodes are gone, or may be: forget them, and join again in a new session. */
static void session_restart(struct cluster *cluster)
{
    elections_begin(cluster);
    lease_end(&cluster->lease);
    set_state(cluster, CLUSTER_EXPIRED);
    pump_close(cluster->pump);
    cluster->pump = NULL;
    session_open(cluster);
}

/* Who registers has a lease; a client's patience stands in for it. */
static uint64_t lease_until(const struct cluster *cluster)
{
    if (cluster->options.role == CLUSTER_CLIENT)
        return cluster->apart_ms + cluster->timeout_ms;
    return cluster->lease.until_ms;
}

/*
 * The end of the lease ends every leadership, connected or not: servers that keep the connection
 * and answer nothing are as good as none.
 */
static void check_lease(struct cluster *cluster, uint64_t now)
{
    bool lead = elections_lead(cluster);

    if (lead && !lease_holds(&cluster->lease, now))
        elections_lost(cluster);
    else if (lead)
        cluster_wake_at(cluster, cluster->lease.until_ms);
    if (cluster->state != CLUSTER_SUSPENDED)
        return;
    if (now >= lease_until(cluster))
        set_state(cluster, CLUSTER_LOST);
    else
        cluster_wake_at(cluster, lease_until(cluster));
}

static void report_absent(struct cluster *cluster, uint64_t now)
{
    uint64_t apart_s = (now - cluster->apart_ms) / 1000;

    if (repeat_is_due(&cluster->absent, now))
        cluster_log(cluster, CLUSTER_WARN,
                    "ZooKeeper at %s does not answer since %llu s; trying again and again",
                    cluster->ensemble, (unsigned long long)apart_s);
    cluster_wake_at(cluster, cluster->absent.next_ms);
}

static void run_parts(struct cluster *cluster, uint64_t now)
{
    config_run(cluster, now);
    if (cluster->config.known && !cluster->refused)
        registry_run(cluster, now);
    if (cluster->config.known && !cluster->refused) {
        elections_run(cluster, now);
        observe_run(cluster, now);
    }
}

static void left(struct cluster *cluster)
{
    elections_lost(cluster); /* out of touch: the session's end removes the nodes */
    cluster->left = true;
    CALL0(cluster, on_left);
}

/* cluster_leave(): election nodes first, so that others lead; then the live node; then it is told.
 */
static void run_leave(struct cluster *cluster, uint64_t now)
{
    struct registry *registry = &cluster->registry;
    bool can = cluster->state == CLUSTER_CONNECTED && cluster->config.known;

    if (can && elections_are_gone(cluster) && registry->state == REGISTRY_SERVING) {
        registry->state = REGISTRY_LEAVING;
        registry_run(cluster, now);
    }
    if (now < cluster->leave_by_ms && !(elections_are_gone(cluster) && registry_is_gone(cluster))) {
        cluster_wake_at(cluster, cluster->leave_by_ms);
        return;
    }
    left(cluster);
}

/* Follow the pump's state. False when the session was replaced. */
static bool follow_session(struct cluster *cluster, uint64_t now)
{
    switch (pump_state(cluster->pump)) {
    case PUMP_CONNECTED:
        if (cluster->state != CLUSTER_CONNECTED)
            session_connected(cluster, now);
        return true;
    case PUMP_CONNECTING:
        if (cluster->state == CLUSTER_CONNECTED)
            session_suspended(cluster, now);
        report_absent(cluster, now);
        if (cluster->state != CLUSTER_LOST)
            return true;
        if (now < cluster->apart_ms + GIVE_UP_TIMEOUTS * (uint64_t)cluster->timeout_ms) {
            cluster_wake_at(cluster,
                            cluster->apart_ms + GIVE_UP_TIMEOUTS * (uint64_t)cluster->timeout_ms);
            return true;
        }
        break;
    case PUMP_EXPIRED:
        break;
    }
    session_restart(cluster);
    return false;
}

static void on_turn(void *ctx)
{
    struct cluster *cluster = ctx;
    uint64_t now = loop_now_ms(cluster->loop);

    if (cluster->refused || cluster->left)
        return;
    cluster->in_turn = true;
    cluster->wake_ms = UINT64_MAX;
    if (follow_session(cluster, now)) {
        check_lease(cluster, now);
        if (cluster->state == CLUSTER_CONNECTED)
            run_parts(cluster, now);
        if (cluster->leaving && !cluster->refused)
            run_leave(cluster, now);
        check_lease(cluster, now); /* what began in this turn has an end as well */
    }
    cluster->in_turn = false;
    if (cluster->wake_ms != UINT64_MAX)
        loop_timer_set(cluster->timer, cluster->wake_ms > now ? cluster->wake_ms - now : 0);
}

static void on_connected(void *ctx)
{
    struct cluster *cluster = ctx;

    if (cluster->session != pump_session(cluster->pump))
        return; /* a new one: everything is looked at anyway */
    registry_reconnected(cluster);
    elections_suspend(cluster); /* what was never seen apart was apart nevertheless */
    elections_reconnected(cluster);
}

static void on_event(void *ctx, enum pump_event event, const char *text)
{
    struct cluster *cluster = ctx;
    struct path path = path_parse(&cluster->options.name, text);

    if (path.kind == PATH_CONFIG)
        config_event(cluster);
    if ((path.kind == PATH_PARTICIPANT_LIVE || path.kind == PATH_COORDINATOR_LIVE) &&
        node_name_equal(&path.node, &cluster->options.node))
        registry_event(cluster);
    if (path.kind == PATH_CANDIDATE)
        elections_event(cluster, &path);
    observe_event(cluster, event, &path);
}

static void on_library_log(void *ctx, bool error, const char *text)
{
    struct cluster *cluster = ctx;
    uint32_t unsaid = cluster->library.unsaid;

    if (!repeat_is_due(&cluster->library, loop_now_ms(cluster->loop)))
        return;
    cluster->library.unsaid = 0;
    if (unsaid > 0)
        cluster_log(cluster, error ? CLUSTER_WARN : CLUSTER_INFO,
                    "ZooKeeper client: %s (and %u lines before)", text, (unsigned)unsaid);
    else
        cluster_log(cluster, error ? CLUSTER_WARN : CLUSTER_INFO, "ZooKeeper client: %s", text);
}

static const struct pump_ops pump_ops = {
    .on_connected = on_connected,
    .on_event = on_event,
    .on_turn = on_turn,
    .on_log = on_library_log,
};

static int open_pump(struct cluster *cluster, struct err *err)
{
    struct pump_options options = {
        .loop = cluster->loop,
        .ensemble = cluster->ensemble,
        .timeout_ms = cluster->options.session_timeout_ms,
        .ops = &pump_ops,
        .ctx = cluster,
    };

    cluster->session = 0;
    cluster->apart_ms = loop_now_ms(cluster->loop);
    repeat_reset(&cluster->absent, cluster->apart_ms + REPEAT_FIRST_MS);
    return pump_open(&cluster->pump, &options, err);
}

static void session_open(struct cluster *cluster)
{
    struct err err = {0};

    set_state(cluster, CLUSTER_CONNECTING);
    if (open_pump(cluster, &err) == 0)
        return;
    cluster_log(cluster, CLUSTER_ERROR, "%s", err.text);
    if (cluster->leaving)
        left(cluster);
    else
        loop_timer_set(cluster->timer, RETRY_MS);
}

static void on_timer(void *ctx)
{
    struct cluster *cluster = ctx;

    if (cluster->pump)
        pump_kick(cluster->pump);
    else
        session_open(cluster);
}

static int check_options(const struct cluster_options *options, struct err *err)
{
    if (!options->ensemble || options->ensemble[0] == '\0')
        return err_set(err, ERR_USAGE, "no ZooKeeper ensemble is given");
    if (options->session_timeout_ms < SESSION_TIMEOUT_MIN_MS ||
        options->session_timeout_ms > SESSION_TIMEOUT_MAX_MS)
        return err_set(err, ERR_USAGE, "a session timeout of %u ms is outside %u to %u",
                       (unsigned)options->session_timeout_ms, SESSION_TIMEOUT_MIN_MS,
                       SESSION_TIMEOUT_MAX_MS);
    if (options->name.text[0] == '\0')
        return err_set(err, ERR_USAGE, "no cluster name is given");
    if (options->groups > GROUPS_MAX)
        return err_set(err, ERR_USAGE, "%u groups are more than %u", (unsigned)options->groups,
                       GROUPS_MAX);
    if (options->role == CLUSTER_CLIENT)
        return 0;
    if (options->node.text[0] == '\0' || guid_is_zero(&options->store))
        return err_set(err, ERR_USAGE, "a process without name or store cannot be registered");
    if (!options->address || strlen(options->address) >= CLUSTER_ADDRESS_SIZE)
        return err_set(err, ERR_USAGE, "no address, or a longer one than %d characters",
                       CLUSTER_ADDRESS_SIZE - 1);
    return 0;
}

static void cluster_free(struct cluster *cluster)
{
    pump_close(cluster->pump);
    loop_timer_close(cluster->timer);
    free(cluster->ensemble);
    free(cluster->address);
    free(cluster);
}

int cluster_open(struct cluster **ret_cluster, struct loop *loop,
                 const struct cluster_options *options, const struct cluster_ops *ops, void *ctx,
                 struct err *err)
{
    struct cluster *cluster;
    int code = check_options(options, err);

    if (code != 0)
        return code;
    cluster = calloc(1, sizeof(*cluster));
    if (!cluster)
        return err_set(err, ERR_MEMORY, "no memory for the cluster");
    cluster->loop = loop;
    cluster->options = *options;
    cluster->ensemble = strdup(options->ensemble);
    cluster->address = strdup(options->address ? options->address : "");
    cluster->timer = loop_timer_open(loop, on_timer, cluster);
    if (!cluster->ensemble || !cluster->address || !cluster->timer) {
        cluster_free(cluster);
        return err_set(err, ERR_MEMORY, "no memory for the cluster");
    }
    cluster->ops = ops;
    cluster->ctx = ctx;
    cluster->state = CLUSTER_CONNECTING;
    cluster->timeout_ms = options->session_timeout_ms;
    for (uint16_t group = 0; group < GROUPS_MAX; group++)
        cluster->elections[group].floor = options->epoch_seen;
    elections_begin(cluster);
    code = open_pump(cluster, err);
    if (code != 0) {
        cluster_free(cluster);
        return code;
    }
    *ret_cluster = cluster;
    return 0;
}

void cluster_leave(struct cluster *cluster)
{
    if (cluster->leaving)
        return;
    cluster->leaving = true;
    cluster->leave_by_ms = loop_now_ms(cluster->loop) + cluster->timeout_ms;
    cluster_poke(cluster);
}

void cluster_close(struct cluster *cluster)
{
    if (!cluster)
        return;
    ASSERT(!cluster->in_callback);
    cluster_free(cluster);
}

enum cluster_state cluster_state(const struct cluster *cluster)
{
    return cluster->state;
}

uint32_t cluster_session_timeout_ms(const struct cluster *cluster)
{
    return cluster->timeout_ms;
}
