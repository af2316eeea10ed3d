/*
 * The coordinator daemon: clients on one side, participants on the other, the protocol between.
 *
 * What the files of the daemon share. The core decides (core/coord.h); this joins it to the world:
 *
 *   link.c         one connection to each registered participant, dialled and dialled again
 *   client.c       clients' connections; Submits and questions become events
 *   drive.c        step the core, send what it says, answer who waits
 *   relay.c        an operator's requests for a participant, passed on and back
 *   admin.c        an operator's requests for this coordinator
 *   history.c      outcomes told, kept for quick answers (R11)
 *   coordinator.c  life: store, cluster, listener, drain
 *
 * Nothing here is needed for safety: a coordinator that loses its disk is a new one (DESIGN 2).
 */
#ifndef SETTLE_COORDINATOR_COORDINATOR_H
#define SETTLE_COORDINATOR_COORDINATOR_H

#include "cluster/cluster.h"
#include "core/coord.h"
#include "net/dialer.h"
#include "net/listener.h"
#include "runtime/log.h"
#include "runtime/outcomes.h"
#include "store/store.h"
#include "wire/record.h"
#include "wire/wire.h"

#define RELAYS_MAX     4096u
#define RELAY_LIMIT_MS 10000u /* a participant's answer is awaited this long */

struct coordinator_options {
    const char *data_dir;
    struct node_name node;
    struct node_name cluster;
    const char *zookeeper; /* ensemble */
    struct address listen;
    const char *advertise; /* where others reach us; NULL: where we listen */
    bool insecure_listen;  /* beyond loopback without TLS */
    uint32_t session_timeout_ms;
    uint16_t groups; /* of a cluster that does not exist yet */
    uint32_t client_max;
    uint32_t txn_max;
    uint32_t in_flight_max;
    uint32_t blob_bytes;
    uint32_t retry_ms;
    uint32_t down_grace_ms;
    uint32_t end_ms;
    uint32_t drain_ms;
    uint64_t history_ms; /* outcomes told are kept this long */
    uint64_t map_size;
    uint64_t reserve_size;
};

struct coordinator;

/* A registered participant and the connection to it. */
struct link {
    struct coordinator *c;
    bool used;
    struct cluster_member member;
    struct dialer *dialer; /* NULL: no address known */
    uint32_t handle;       /* of the connection whose WELCOME came; CONN_NONE: down */
    struct hello hello;    /* what the WELCOME said */
};

/* A client's connection. */
struct client {
    struct coordinator *c;
    uint32_t handle; /* CONN_NONE: the slot is free */
    bool greeted;
};

/* A request that a participant is answering. */
struct relay {
    bool used;
    uint32_t generation; /* so that a late answer is not taken for another's */
    struct waiter waiter;
    struct link *link;
    enum admin_op op;
    uint64_t until_ms;
};

struct leader {
    struct node_name node; /* empty: nobody known */
    uint64_t epoch;
};

struct coordinator {
    struct coordinator_options options;
    struct loop *loop;
    struct conns *conns;
    struct listener *listener;
    struct cluster *cluster;
    struct store *store;
    struct loop_watch *store_watch;
    struct loop_timer *core_timer; /* the core's next tick */
    struct loop_timer *tick_timer; /* everybody else's */
    struct coord *coord;           /* NULL until the cluster's config is known */
    void *coord_memory;
    struct batch batch;
    void *batch_memory;
    struct arena arena; /* what the current frame was decoded into */
    void *arena_memory;
    struct arena scratch;
    void *scratch_memory;
    struct branch branch;
    uint8_t *frame; /* WIRE_FRAME_MAX */
    struct link links[MEMBERS_MAX];
    struct client *clients; /* client_max */
    struct relay *relays;   /* RELAYS_MAX */
    struct cluster_member coordinators[COORDINATORS_MAX];
    uint16_t coordinator_count;
    struct leader leaders[GROUPS_MAX];
    struct cluster_config config;
    struct outcomes *told;            /* not durable in the store yet */
    uint64_t told_count;              /* their position */
    uint32_t told_cursor;             /* of told: written, not durable */
    uint64_t history_lost;            /* told while the store was behind */
    uint64_t history_trim_ms;         /* when to forget the oldest next */
    uint64_t earlier[STORE_COUNTERS]; /* told before this start */
    uint64_t epoch_seen;              /* the highest this node ever led under */
    bool epoch_unwritten;
    struct id history_last; /* no larger id is in the store */
    struct guid process;    /* random for this run */
    struct log_limit stranger_lines;
    bool suspended;
    bool draining;
    bool leaving;
    uint64_t drain_until_ms;
    uint64_t started_ms;
    int exit_code;
};

/** Open the store, listen and begin to join the cluster. Errors as participant_open()'s. */
int coordinator_open(const struct coordinator_options *options, struct coordinator **ret_c,
                     struct err *err);

/** Serve until a stop is asked for or the cluster refuses us. Returns the process's exit code. */
int coordinator_run(struct coordinator *c);

/** Drain, then end coordinator_run(): no new work, what is in flight ends. */
void coordinator_stop(struct coordinator *c);

/** Accepts NULL and half-opened ones. */
void coordinator_close(struct coordinator *c);

/* ---- drive.c ---- */

/** An empty event with the clocks set. */
struct event drive_event_of(struct coordinator *c, enum event_kind kind);

/** Step the core and do what it wants done. */
void drive(struct coordinator *c, const struct event *ev);

/** Queue an envelope on a connection; false when it is gone or full. */
bool drive_send(struct coordinator *c, uint32_t handle, const struct envelope *envelope);

/** Answer a Submit or a question that the core does not see. */
void drive_refuse(struct coordinator *c, struct waiter waiter, const struct id *id,
                  enum reason reason);

/** The loop's turn hook. */
void drive_turn_end(void *ctx);

/** The core's timer. */
void drive_tick(void *ctx);

/* ---- link.c ---- */

/** The registry said something about a participant. */
void link_on_member(struct coordinator *c, const struct cluster_member *member);

/** By name; NULL when no such participant is registered. */
struct link *link_find(struct coordinator *c, const struct node_name *node);

void link_close_all(struct coordinator *c);

/** What this process says in Hello and WELCOME. */
void coordinator_hello(const struct coordinator *c, struct hello *ret_hello);

/* ---- client.c ---- */

extern const struct conn_ops client_conn_ops;

/* ---- relay.c ---- */

/** Pass a request on to the participant it names. */
void relay_request(struct coordinator *c, struct waiter waiter,
                   const struct admin_request *request);

/** A participant answered. */
void relay_on_response(struct coordinator *c, struct link *link, const struct envelope *answer);

/** A participant's connection ended: what it was asked is answered for it. */
void relay_link_down(struct coordinator *c, const struct link *link);

/** Give up on those that took too long. */
void relay_tick(struct coordinator *c);

/* ---- admin.c ---- */

void admin_on_request(struct coordinator *c, struct waiter waiter,
                      const struct admin_request *request);

/** The core's answer to an audit. */
void admin_audit_reply(struct coordinator *c, const struct reply *reply);

/** Who leads a group, for clients who asked the wrong one. */
void admin_redirect(const struct coordinator *c, uint16_t group, struct redirect *ret_redirect);

/* ---- history.c ---- */

int history_open(struct coordinator *c, struct err *err);

/** Keep the highest epoch, so that a ZooKeeper set back to an older state is noticed at start. */
void history_epoch(struct coordinator *c, uint64_t epoch);

/** Keep an outcome that may be told. */
void history_add(struct coordinator *c, const struct outcome *outcome);

/** What this node told of the id before, or NULL. */
const struct outcome *history_find(struct coordinator *c, const struct id *id,
                                   struct outcome *ret_outcome);

/** Write what was told since, and forget the oldest. */
void history_tick(struct coordinator *c);

/** The store made something durable. */
void history_durable(void *ctx);

#endif
