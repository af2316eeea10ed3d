/*
 * The participant's life: open, join, serve, drain, close.
 *
 * The store is opened and the port taken before ZooKeeper is spoken to, so that what an operator
 * must mend is said at once. A store that no cluster owns yet learns its cluster's guid and groups
 * at the first contact and keeps them; until then every Hello is refused.
 */
#include "participant.h"

#include "base/assert.h"
#include "base/random.h"
#include "runtime/listen.h"
#include "runtime/log.h"

#include <stdlib.h>

#define TICK_MS     100u
#define OUTBOX_SIZE (64u * 1024 * 1024)
#define PEER_OUTPUT (64u * 1024 * 1024)
#define GREET_MS    5000u
#define STALL_MS    15000u

static void fail(struct participant *p, const char *what, const struct err *err)
{
    log_line(LOG_FATAL, what, "error=%s", err->text);
    p->exit_code = 1;
    loop_stop(p->loop);
}

/* What R1 let go; a peer that is gone hears nothing, and asks again when it is back. */
static void on_outbox(void *ctx, uint32_t peer, const uint8_t *frame, size_t size)
{
    struct participant *p = ctx;
    struct conn *conn = conns_find(p->conns, peer);

    if (conn)
        conn_send(conn, frame, size);
}

static int allocate(size_t size, void **ret_memory, struct err *err)
{
    /* Untouched pages of large zeroed memory cost nothing, so that maxima may be generous. */
    *ret_memory = calloc(1, size);
    if (!*ret_memory)
        return err_set(err, ERR_MEMORY, "cannot allocate %zu bytes; lower account-max or txn-max",
                       size);
    return 0;
}

static int make_state(struct participant *p, struct err *err)
{
    const struct store_identity *identity = store_identity(p->store);
    struct part_options part = {
        .groups = identity->groups,
        .txn_max = p->options.txn_max,
        .orphan_ms = p->options.orphan_ms,
    };
    struct ledger_options ledger = {
        .account_max = p->options.account_max,
        .hold_max = p->options.txn_max,
        .posting_max = p->options.txn_max * 4 + LEGS_MAX,
    };
    int rc;

    part.self.node = identity->node;
    part.self.store = identity->store_id;
    rc = allocate(part_memory_size(&part), &p->part_memory, err);
    if (rc == 0)
        rc = allocate(ledger_memory_size(&ledger), &p->ledger_memory, err);
    if (rc == 0)
        rc = outcomes_open(p->options.outcome_max, &p->outcomes, err);
    if (rc != 0)
        return rc;
    p->part = part_init(p->part_memory, &part);
    p->ledger = ledger_init(p->ledger_memory, &ledger);
    return 0;
}

static void tell_oldest(struct participant *p, const struct id *oldest)
{
    struct event ev = turn_event_of(p, EV_OLDEST);

    ev.oldest.id = *oldest;
    turn_event(p, &ev);
}

/* From here on Hellos are answered. */
static int start_serving(struct participant *p, struct err *err)
{
    int rc = make_state(p, err);

    if (rc == 0)
        rc = participant_load(p, err);
    if (rc == 0)
        rc = outbox_open(OUTBOX_SIZE, p->batch.log_tail, on_outbox, p, &p->outbox, err);
    if (rc != 0) {
        p->part = NULL;
        return rc;
    }
    tell_oldest(p, &p->checkpoint.row.oldest_id);
    loop_timer_set(p->tick_timer, TICK_MS);
    loop_timer_set(p->checkpoint_timer, p->options.checkpoint_ms);
    return 0;
}

/* ---- the cluster's callbacks ---- */

static void on_state(void *ctx, enum cluster_state state)
{
    (void)ctx;
    log_line(state == CLUSTER_CONNECTED ? LOG_INFO : LOG_WARN, "cluster session", "state=%s",
             cluster_state_name(state));
}

static void on_config(void *ctx, const struct cluster_config *config)
{
    struct participant *p = ctx;
    struct err err;
    int rc = 0;

    if (!p->part) {
        rc = store_bind_cluster(p->store, &config->cluster, config->groups, &err);
        if (rc == 0)
            rc = start_serving(p, &err);
        if (rc != 0) {
            fail(p, "cannot serve", &err);
            return;
        }
    }
    if (memcmp(&config->oldest_id, &p->checkpoint.row.oldest_id, sizeof(config->oldest_id)) > 0) {
        tell_oldest(p, &config->oldest_id);
        checkpoint_save_oldest(p, &config->oldest_id);
    }
}

static void on_registered(void *ctx)
{
    struct participant *p = ctx;
    char address[ADDRESS_TEXT_SIZE];

    log_line(LOG_INFO, "serving", "listen=%s",
             address_format(listener_address(p->listener), address));
}

static void on_refused(void *ctx, const struct err *err)
{
    fail(ctx, "the cluster refuses this participant", err);
}

static void on_left(void *ctx)
{
    struct participant *p = ctx;

    loop_stop(p->loop);
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
    .on_refused = on_refused,
    .on_left = on_left,
    .on_log = on_cluster_log,
};

/* ---- time ---- */

/* A stop waits until nothing is in doubt here, but not for ever: what is left is resolved later. */
static void drain(struct participant *p)
{
    uint64_t prepared = p->part ? part_stats(p->part)->prepared_now : 0;

    if (p->leaving || (prepared > 0 && loop_now_ms(p->loop) < p->drain_until_ms))
        return;
    if (prepared > 0)
        log_line(LOG_WARN, "stopping with transactions in doubt; they are resolved after a start",
                 "prepared=%llu", (unsigned long long)prepared);
    p->leaving = true;
    cluster_leave(p->cluster);
}

static void on_tick(void *ctx)
{
    struct participant *p = ctx;
    struct event ev;

    loop_timer_set(p->tick_timer, TICK_MS);
    if (p->part && turn_has_room(p)) {
        ev = turn_event_of(p, EV_TICK);
        turn_event(p, &ev);
    }
    if (p->draining)
        drain(p);
}

static void on_turn_timer(void *ctx)
{
    struct participant *p = ctx;

    if (p->turn.job && p->batch.log_tail > p->turn.submitted)
        turn_submit(p);
}

/* ---- life ---- */

static int open_store(struct participant *p, struct err *err)
{
    struct store_identity expected = {
        .role = STORE_PARTICIPANT, .cluster = p->options.cluster, .node = p->options.node};
    struct store_options options = {.map_size = p->options.map_size,
                                    .reserve_size = p->options.reserve_size};

    return store_open(p->options.data_dir, &expected, &options, &p->store, err);
}

static int open_loop(struct participant *p, struct err *err)
{
    int rc = loop_open(&p->loop, err);

    if (rc == 0)
        rc = conns_open(&p->conns, p->loop, PARTICIPANT_PEERS_MAX, err);
    if (rc != 0)
        return rc;
    p->started_ms = loop_now_ms(p->loop);
    p->tick_timer = loop_timer_open(p->loop, on_tick, p);
    p->turn_timer = loop_timer_open(p->loop, on_turn_timer, p);
    p->checkpoint_timer = loop_timer_open(p->loop, checkpoint_step, p);
    p->store_watch = loop_watch_open(p->loop, store_event_fd(p->store), turn_durable, p);
    if (!p->tick_timer || !p->turn_timer || !p->checkpoint_timer || !p->store_watch)
        return err_set(err, ERR_MEMORY, "cannot allocate timers");
    loop_on_turn(p->loop, turn_end, p);
    return 0;
}

static int open_listener(struct participant *p, struct err *err)
{
    struct listener_options options = {
        .address = p->options.listen,
        .option_name = "--listen",
        .conn_max = PARTICIPANT_PEERS_MAX,
        .ops = &peer_conn_ops,
        .ctx = p,
        .conn = {.input_max = CONN_INPUT_DEFAULT,
                 .output_max = PEER_OUTPUT,
                 .turn_max = CONN_TURN_DEFAULT,
                 .greet_ms = GREET_MS,
                 .stall_ms = STALL_MS,
                 .close_when_full = true},
    };

    return listener_open(&p->listener, p->conns, &options, err);
}

static int open_cluster(struct participant *p, struct err *err)
{
    const struct store_identity *identity = store_identity(p->store);
    char address[ADDRESS_TEXT_SIZE];
    struct cluster_options options = {
        .ensemble = p->options.zookeeper,
        .name = p->options.cluster,
        .session_timeout_ms = p->options.session_timeout_ms,
        .role = CLUSTER_PARTICIPANT,
        .node = p->options.node,
        .store = identity->store_id,
        .incarnation = identity->incarnation,
        .bound = identity->cluster_guid,
        .groups = identity->groups,
    };

    address_format(listener_address(p->listener), address);
    options.address = p->options.advertise ? p->options.advertise : address;
    return cluster_open(&p->cluster, p->loop, &options, &cluster_ops, p, err);
}

static int open_memory(struct participant *p, struct err *err)
{
    int rc = allocate(WIRE_ARENA_SIZE, &p->arena_memory, err);

    if (rc == 0)
        rc = allocate(WIRE_ARENA_SIZE, &p->scratch_memory, err);
    if (rc == 0)
        rc = allocate(batch_memory_size(2), &p->batch_memory, err);
    if (rc != 0)
        return rc;
    arena_init(&p->arena, p->arena_memory, WIRE_ARENA_SIZE);
    arena_init(&p->scratch, p->scratch_memory, WIRE_ARENA_SIZE);
    batch_init(&p->batch, p->batch_memory, 2);
    return random_bytes(&p->process, sizeof(p->process), err);
}

int participant_open(const struct participant_options *options, struct participant **ret_part,
                     struct err *err)
{
    struct participant *p;
    int rc = listen_check(&options->listen, options->insecure_listen, err);

    if (rc != 0)
        return rc;
    p = calloc(1, sizeof(*p));
    if (!p)
        return err_set(err, ERR_MEMORY, "cannot allocate a participant");
    p->options = *options;
    rc = open_memory(p, err);
    if (rc == 0)
        rc = open_store(p, err);
    if (rc == 0)
        rc = open_loop(p, err);
    if (rc == 0)
        rc = open_listener(p, err);
    if (rc == 0 && !guid_is_zero(&store_identity(p->store)->cluster_guid))
        rc = start_serving(p, err);
    if (rc == 0)
        rc = open_cluster(p, err);
    if (rc != 0) {
        participant_close(p);
        return rc;
    }
    *ret_part = p;
    return 0;
}

int participant_run(struct participant *p)
{
    loop_run(p->loop);
    if (p->exit_code == 0 && p->turn.job)
        turn_submit(p); /* store_close() commits it */
    return p->exit_code;
}

void participant_stop(struct participant *p)
{
    if (p->draining)
        return;
    log_line(LOG_INFO, "draining: no new work is taken", NULL);
    p->draining = true;
    p->drain_until_ms = loop_now_ms(p->loop) + p->options.drain_ms;
    loop_timer_set(p->tick_timer, 0);
}

void participant_close(struct participant *p)
{
    if (!p)
        return;
    listener_close(p->listener);
    conns_close(p->conns);
    cluster_close(p->cluster);
    loop_timer_close(p->tick_timer);
    loop_timer_close(p->turn_timer);
    loop_timer_close(p->checkpoint_timer);
    loop_watch_close(p->store_watch);
    store_close(p->store);
    loop_close(p->loop);
    outbox_close(p->outbox);
    outcomes_close(p->outcomes);
    free(p->part_memory);
    free(p->ledger_memory);
    free(p->batch_memory);
    free(p->arena_memory);
    free(p->scratch_memory);
    free(p);
}
