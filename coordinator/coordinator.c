/*
 * The coordinator's life: open, join, lead or stand by, drain, close.
 *
 * Its store holds what it told and nothing that a decision needs; an empty one serves as well. The
 * first coordinator of a cluster creates the cluster's constants in ZooKeeper; its store is bound
 * to them from then on.
 */
#include "coordinator.h"

#include "base/assert.h"
#include "base/random.h"
#include "runtime/listen.h"
#include "runtime/log.h"

#include <stdlib.h>

#define TICK_MS          100u
#define CLIENT_OUTPUT    (8u * 1024 * 1024)
#define GREET_MS         5000u
#define STALL_MS         15000u
#define HISTORY_JOB_SIZE (2u * 1024 * 1024)

_Static_assert(GROUPS_MAX <= UINT16_MAX, "groups are counted in 16 bits");

static void fail(struct coordinator *c, const char *what, const struct err *err)
{
    log_line(LOG_FATAL, what, "error=%s", err->text);
    c->exit_code = 1;
    loop_stop(c->loop);
}

static int allocate(size_t size, void *ret_memory, struct err *err)
{
    void *memory = calloc(1, size);

    if (!memory)
        return err_set(err, ERR_MEMORY, "cannot allocate %zu bytes; lower txn-max or blob-bytes",
                       size);
    memcpy(ret_memory, &memory, sizeof(memory));
    return 0;
}

void coordinator_hello(const struct coordinator *c, struct hello *ret_hello)
{
    const struct store_identity *identity = store_identity(c->store);

    memset(ret_hello, 0, sizeof(*ret_hello));
    ret_hello->version = PROTOCOL_VERSION;
    ret_hello->cluster = c->options.cluster;
    ret_hello->cluster_guid = identity->cluster_guid;
    ret_hello->node = c->options.node;
    ret_hello->role = HELLO_COORDINATOR;
    ret_hello->incarnation = identity->incarnation;
    ret_hello->groups = identity->groups;
    ret_hello->process = c->process;
}

static int make_core(struct coordinator *c, struct err *err)
{
    struct coord_options options = {
        .groups = c->config.groups,
        .txn_max = c->options.txn_max,
        .in_flight_max = c->options.in_flight_max,
        .blob_bytes = c->options.blob_bytes,
        .retry_ms = c->options.retry_ms,
        .down_grace_ms = c->options.down_grace_ms,
        .end_ms = c->options.end_ms,
    };
    int rc = allocate(coord_memory_size(&options), &c->coord_memory, err);

    if (rc == 0)
        c->coord = coord_init(c->coord_memory, &options);
    return rc;
}

/* ---- the cluster's callbacks ---- */

static void on_state(void *ctx, enum cluster_state state)
{
    struct coordinator *c = ctx;

    c->suspended = state != CLUSTER_CONNECTED;
    log_line(state == CLUSTER_CONNECTED ? LOG_INFO : LOG_WARN, "cluster session", "state=%s",
             cluster_state_name(state));
}

static void on_config(void *ctx, const struct cluster_config *config)
{
    struct coordinator *c = ctx;
    struct err err;
    int rc = 0;

    c->config = *config;
    if (!c->coord) {
        rc = store_bind_cluster(c->store, &config->cluster, config->groups, &err);
        if (rc == 0)
            rc = make_core(c, &err);
    }
    if (rc != 0)
        fail(c, "cannot serve", &err);
}

static void on_registered(void *ctx)
{
    struct coordinator *c = ctx;
    char address[ADDRESS_TEXT_SIZE];

    log_line(LOG_INFO, "serving", "listen=%s",
             address_format(listener_address(c->listener), address));
}

static void lead_event(struct coordinator *c, enum event_kind kind, uint16_t group)
{
    struct event ev = drive_event_of(c, kind);

    ev.lead.group = group;
    drive(c, &ev);
}

static void on_lead(void *ctx, uint16_t group, uint64_t epoch, const struct guid *guid)
{
    struct coordinator *c = ctx;
    struct event ev = drive_event_of(c, EV_LEAD);

    log_line(LOG_INFO, "leading", "group=%u epoch=%llu", group, (unsigned long long)epoch);
    ev.lead.group = group;
    ev.lead.epoch = epoch;
    ev.lead.guid = *guid;
    drive(c, &ev);
    history_epoch(c, epoch);
}

static void on_suspend(void *ctx, uint16_t group)
{
    lead_event(ctx, EV_SUSPEND, group);
}

static void on_resume(void *ctx, uint16_t group)
{
    lead_event(ctx, EV_RESUME, group);
}

static void on_unlead(void *ctx, uint16_t group)
{
    log_line(LOG_INFO, "no longer leading", "group=%u", group);
    lead_event(ctx, EV_UNLEAD, group);
}

static void on_member(void *ctx, const struct cluster_member *member)
{
    link_on_member(ctx, member);
}

static void on_coordinator(void *ctx, const struct cluster_member *member)
{
    struct coordinator *c = ctx;
    uint16_t at = 0;

    while (at < c->coordinator_count && !node_name_equal(&c->coordinators[at].node, &member->node))
        at++;
    if (at == COORDINATORS_MAX) {
        log_line(LOG_ERROR, "more coordinators than the maximum", "coordinator=%s maximum=%d",
                 member->node.text, COORDINATORS_MAX);
        return;
    }
    if (at == c->coordinator_count)
        c->coordinator_count++;
    c->coordinators[at] = *member;
    if (member->presence == CLUSTER_GONE)
        c->coordinators[at] = c->coordinators[--c->coordinator_count];
}

static void on_leader(void *ctx, uint16_t group, const struct node_name *node, uint64_t epoch)
{
    struct coordinator *c = ctx;

    if (group >= GROUPS_MAX)
        return;
    c->leaders[group].node = *node;
    c->leaders[group].epoch = epoch;
}

static void on_refused(void *ctx, const struct err *err)
{
    fail(ctx, "the cluster refuses this coordinator", err);
}

static void on_left(void *ctx)
{
    struct coordinator *c = ctx;

    loop_stop(c->loop);
}

static void on_cluster_log(void *ctx, enum cluster_level level, const char *text)
{
    static const enum log_level levels[] = {
        [CLUSTER_INFO] = LOG_INFO, [CLUSTER_WARN] = LOG_WARN, [CLUSTER_ERROR] = LOG_ERROR};

    (void)ctx;
    log_line(levels[level], "cluster", "text=%s", text);
}

static const struct cluster_ops cluster_ops = {
    .on_state = on_state,
    .on_config = on_config,
    .on_registered = on_registered,
    .on_lead = on_lead,
    .on_suspend = on_suspend,
    .on_resume = on_resume,
    .on_unlead = on_unlead,
    .on_member = on_member,
    .on_coordinator = on_coordinator,
    .on_leader = on_leader,
    .on_refused = on_refused,
    .on_left = on_left,
    .on_log = on_cluster_log,
};

/* ---- time ---- */

/* A stop waits until every submission has its answer, but not for ever. */
static void drain(struct coordinator *c)
{
    uint64_t in_flight = c->coord ? coord_stats(c->coord)->in_flight_now : 0;

    if (c->leaving || (in_flight > 0 && loop_now_ms(c->loop) < c->drain_until_ms))
        return;
    if (in_flight > 0)
        log_line(LOG_WARN, "stopping with submissions undecided; the next leader ends them",
                 "in_flight=%llu", (unsigned long long)in_flight);
    c->leaving = true;
    cluster_leave(c->cluster);
}

static void on_tick(void *ctx)
{
    struct coordinator *c = ctx;

    loop_timer_set(c->tick_timer, TICK_MS);
    relay_tick(c);
    history_tick(c);
    if (c->draining)
        drain(c);
}

/* ---- life ---- */

static int open_store(struct coordinator *c, struct err *err)
{
    struct store_identity expected = {
        .role = STORE_COORDINATOR, .cluster = c->options.cluster, .node = c->options.node};
    struct store_options options = {.map_size = c->options.map_size,
                                    .reserve_size = c->options.reserve_size,
                                    .job_max = 4,
                                    .job_size_max = HISTORY_JOB_SIZE};

    return store_open(c->options.data_dir, &expected, &options, &c->store, err);
}

static int open_loop(struct coordinator *c, struct err *err)
{
    int rc = loop_open(&c->loop, err);

    if (rc == 0)
        rc = conns_open(&c->conns, c->loop, c->options.client_max + MEMBERS_MAX * 2, err);
    if (rc != 0)
        return rc;
    c->started_ms = loop_now_ms(c->loop);
    c->core_timer = loop_timer_open(c->loop, drive_tick, c);
    c->tick_timer = loop_timer_open(c->loop, on_tick, c);
    c->store_watch = loop_watch_open(c->loop, store_event_fd(c->store), history_durable, c);
    if (!c->core_timer || !c->tick_timer || !c->store_watch)
        return err_set(err, ERR_MEMORY, "cannot allocate timers");
    loop_on_turn(c->loop, drive_turn_end, c);
    loop_timer_set(c->tick_timer, TICK_MS);
    return 0;
}

static int open_listener(struct coordinator *c, struct err *err)
{
    struct listener_options options = {
        .address = c->options.listen,
        .option_name = "--listen",
        .conn_max = c->options.client_max,
        .ops = &client_conn_ops,
        .ctx = c,
        .conn = {.input_max = CONN_INPUT_DEFAULT,
                 .output_max = CLIENT_OUTPUT,
                 .turn_max = CONN_TURN_DEFAULT,
                 .greet_ms = GREET_MS,
                 .stall_ms = STALL_MS,
                 .close_when_full = true},
    };

    return listener_open(&c->listener, c->conns, &options, err);
}

static int open_cluster(struct coordinator *c, struct err *err)
{
    const struct store_identity *identity = store_identity(c->store);
    char address[ADDRESS_TEXT_SIZE];
    struct cluster_options options = {
        .ensemble = c->options.zookeeper,
        .name = c->options.cluster,
        .session_timeout_ms = c->options.session_timeout_ms,
        .role = CLUSTER_COORDINATOR,
        .node = c->options.node,
        .store = identity->store_id,
        .incarnation = identity->incarnation,
        .bound = identity->cluster_guid,
        .groups = identity->groups != 0 ? identity->groups : c->options.groups,
        .epoch_seen = c->epoch_seen,
    };

    address_format(listener_address(c->listener), address);
    options.address = c->options.advertise ? c->options.advertise : address;
    return cluster_open(&c->cluster, c->loop, &options, &cluster_ops, c, err);
}

static int open_memory(struct coordinator *c, struct err *err)
{
    int rc = allocate(WIRE_ARENA_SIZE, &c->arena_memory, err);

    if (rc == 0)
        rc = allocate(WIRE_ARENA_SIZE, &c->scratch_memory, err);
    if (rc == 0)
        rc = allocate(batch_memory_size(1), &c->batch_memory, err);
    if (rc == 0)
        rc = allocate(WIRE_FRAME_MAX, &c->frame, err);
    if (rc == 0)
        rc = allocate(sizeof(*c->clients) * c->options.client_max, &c->clients, err);
    if (rc == 0)
        rc = allocate(sizeof(*c->relays) * RELAYS_MAX, &c->relays, err);
    if (rc != 0)
        return rc;
    arena_init(&c->arena, c->arena_memory, WIRE_ARENA_SIZE);
    arena_init(&c->scratch, c->scratch_memory, WIRE_ARENA_SIZE);
    batch_init(&c->batch, c->batch_memory, 1);
    return random_bytes(&c->process, sizeof(c->process), err);
}

int coordinator_open(const struct coordinator_options *options, struct coordinator **ret_c,
                     struct err *err)
{
    struct coordinator *c;
    int rc = listen_check(&options->listen, options->insecure_listen, err);

    if (rc != 0)
        return rc;
    c = calloc(1, sizeof(*c));
    if (!c)
        return err_set(err, ERR_MEMORY, "cannot allocate a coordinator");
    c->options = *options;
    rc = open_memory(c, err);
    if (rc == 0)
        rc = open_store(c, err);
    if (rc == 0)
        rc = history_open(c, err);
    if (rc == 0)
        rc = open_loop(c, err);
    if (rc == 0)
        rc = open_listener(c, err);
    if (rc == 0)
        rc = open_cluster(c, err);
    if (rc != 0) {
        coordinator_close(c);
        return rc;
    }
    *ret_c = c;
    return 0;
}

int coordinator_run(struct coordinator *c)
{
    loop_run(c->loop);
    history_tick(c); /* store_close() commits it */
    return c->exit_code;
}

void coordinator_stop(struct coordinator *c)
{
    if (c->draining)
        return;
    log_line(LOG_INFO, "draining: no new work is taken", NULL);
    c->draining = true;
    c->drain_until_ms = loop_now_ms(c->loop) + c->options.drain_ms;
    loop_timer_set(c->tick_timer, 0);
}

void coordinator_close(struct coordinator *c)
{
    if (!c)
        return;
    listener_close(c->listener);
    link_close_all(c);
    conns_close(c->conns);
    cluster_close(c->cluster);
    loop_timer_close(c->core_timer);
    loop_timer_close(c->tick_timer);
    loop_watch_close(c->store_watch);
    store_close(c->store);
    loop_close(c->loop);
    outcomes_close(c->told);
    free(c->coord_memory);
    free(c->batch_memory);
    free(c->arena_memory);
    free(c->scratch_memory);
    free(c->frame);
    free(c->clients);
    free(c->relays);
    free(c);
}
