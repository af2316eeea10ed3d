/*
 * The cluster as ZooKeeper knows it: membership, who is there, and who leads which group.
 *
 * One `struct cluster` is one process's place in a cluster, on the process's loop: its session, the
 * lease it derives from it, its registration, its candidacy in every group (coordinators), and what
 * it watches of the others. It reconnects, starts new sessions and joins again by itself for as
 * long as it is open. All znode paths are in paths.h; all of the ZooKeeper client is in here.
 *
 * What it reports is a hint, except for one thing: on_lead() gives an epoch that ZooKeeper gives to
 * nobody else, and participants that sealed a higher one refuse it (R2). Safety rests on that alone
 * (I12, R14); nothing is decided on a read. The lease makes a cut-off leader stop early, which
 * saves clients time.
 *
 * A process that loses touch suspends (on_suspend) and, when the lease ends before the session is
 * seen again, no longer leads (on_unlead): by then nobody else does, on any clock that runs at
 * about the same speed. It resumes (on_resume) only after its own nodes were seen again. It never
 * leads twice with one epoch: a leadership once given up is followed by a new node (S12).
 *
 * The loop must not stall: ZooKeeper hears from us only through it, on purpose. A process stuck for
 * longer than the session timeout has lost its leaderships when it wakes.
 *
 * Callbacks run on the loop, never from within a cluster_* function, and may call any of them but
 * cluster_close(). Pointers they are given live until they return.
 */
#ifndef SETTLE_CLUSTER_CLUSTER_H
#define SETTLE_CLUSTER_CLUSTER_H

#include "base/err.h"
#include "base/limits.h"
#include "base/types.h"
#include "net/loop.h"

#define CLUSTER_ADDRESS_SIZE       64 /* "HOST:PORT" and the NUL, as net/address.h writes it */
#define SESSION_TIMEOUT_DEFAULT_MS 6000
#define SESSION_TIMEOUT_MIN_MS     500
#define SESSION_TIMEOUT_MAX_MS     60000

struct cluster;

enum cluster_role {
    CLUSTER_COORDINATOR = 1, /* registers, contends in every group, watches all */
    CLUSTER_PARTICIPANT = 2, /* registers */
    CLUSTER_CLIENT = 3,      /* registers nothing; watches coordinators and leaders */
};

/*
 *   CONNECTING --session_connected--> CONNECTED <--session_connected-- SUSPENDED
 *        ^                               |---session_suspended-----------^  |
 *        |                               |                       lease_ended|
 *        |                               v                                  v
 *        `------session_restart------ EXPIRED <-------session_expired---- LOST
 *
 * (LOST goes back to CONNECTED when the same session is seen again.)
 */
enum cluster_state {
    CLUSTER_CONNECTING = 1, /* no session yet, or a new one is being made */
    CLUSTER_CONNECTED = 2,
    CLUSTER_SUSPENDED = 3, /* out of touch; the lease still runs */
    CLUSTER_LOST = 4,      /* out of touch beyond the lease: we lead nothing */
    CLUSTER_EXPIRED = 5,   /* ZooKeeper ended the session: our nodes are gone; a new one follows */
};

/* The cluster's constants, in the znode `config`. The last two only rise, by an operator's act. */
struct cluster_config {
    struct guid cluster;
    uint16_t groups;
    uint64_t epoch_base;
    struct id oldest_id; /* all zero: nothing was ever pruned */
};

enum cluster_presence {
    CLUSTER_GONE = 1, /* an operator removed it from the cluster */
    CLUSTER_DOWN = 2, /* registered, no live process known */
    CLUSTER_LIVE = 3,
};

/* A registered process: a participant or a coordinator. */
struct cluster_member {
    struct node_name node;
    struct guid store;
    enum cluster_presence presence;
    char address[CLUSTER_ADDRESS_SIZE]; /* LIVE: where it listens; else empty */
    uint64_t incarnation;               /* LIVE */
};

enum cluster_level {
    CLUSTER_INFO = 1,
    CLUSTER_WARN = 2,
    CLUSTER_ERROR = 3,
};

/* Any may be NULL; coordinators need the lead ones. */
struct cluster_ops {
    void (*on_state)(void *ctx, enum cluster_state state);
    /* At each session's beginning, and whenever it rose. An unbound store is bound to it now. */
    void (*on_config)(void *ctx, const struct cluster_config *config);
    /* Our live node is there: we may serve. Again with each new session. */
    void (*on_registered)(void *ctx);
    /* This group is ours under (epoch, guid) until on_unlead(). */
    void (*on_lead)(void *ctx, uint16_t group, uint64_t epoch, const struct guid *guid);
    void (*on_suspend)(void *ctx, uint16_t group); /* out of touch: start nothing new */
    void (*on_resume)(void *ctx, uint16_t group);  /* still ours */
    void (*on_unlead)(void *ctx, uint16_t group);  /* no longer ours: forget it */
    /* Coordinators: a participant appeared, or something of it changed. */
    void (*on_member)(void *ctx, const struct cluster_member *member);
    /* Coordinators, clients: the same of a coordinator. */
    void (*on_coordinator)(void *ctx, const struct cluster_member *coordinator);
    /* Coordinators, clients: who leads a group; `node` is empty when nobody does. A hint. */
    void (*on_leader)(void *ctx, uint16_t group, const struct node_name *node, uint64_t epoch);
    /* The last callback: we cannot take part, and the text says what an operator must do. */
    void (*on_refused)(void *ctx, const struct err *err);
    /* cluster_leave() is done. */
    void (*on_left)(void *ctx);
    /* A line for the log; repeated causes are reported at growing intervals. */
    void (*on_log)(void *ctx, enum cluster_level level, const char *text);
};

struct cluster_options {
    const char *ensemble;  /* "127.0.0.1:2181,127.0.0.1:2182"; names are looked up, blocking */
    struct node_name name; /* of the cluster */
    uint32_t session_timeout_ms; /* asked for; the servers may change it */
    enum cluster_role role;
    /* Coordinators and participants: */
    struct node_name node;
    struct guid store;
    uint64_t incarnation;
    const char *address; /* where others reach us */
    struct guid bound;   /* the cluster our store belongs to; zero: none yet */
    uint16_t groups;     /* what the first coordinator creates; else must match; 0: any */
    uint64_t epoch_seen; /* the highest epoch our store knows of: ZooKeeper must pass it */
};

/** Begin to join. ERR_USAGE, ERR_MEMORY; an absent ZooKeeper is no error, it is waited for. */
int cluster_open(struct cluster **ret_cluster, struct loop *loop,
                 const struct cluster_options *options, const struct cluster_ops *ops, void *ctx,
                 struct err *err);

/**
 * Leave in order: first the election nodes, so that others lead at once, then the live node.
 *
 * on_unlead() for each group led, then on_left(), within a session timeout at the latest.
 */
void cluster_leave(struct cluster *cluster);

/**
 * End the session and free all; no callback follows. Accepts NULL. Not in a callback.
 *
 * Blocks: some milliseconds usually, up to 1.5 s when the servers hang. Close the listeners first.
 */
void cluster_close(struct cluster *cluster);

/**
 * Give a group up, because a participant has sealed `sealed_epoch` (ACT_STEP_DOWN).
 *
 * on_unlead() follows, and a new candidacy. When its epoch is not above `sealed_epoch` either,
 * ZooKeeper was set back to an older state: this is said in the log with its remedy, and the group
 * is led again only after epoch_base was raised.
 */
void cluster_step_down(struct cluster *cluster, uint16_t group, uint64_t sealed_epoch);

/**
 * Raise the cluster's epoch_base and oldest_id to at least these; never lowers. An operator's act.
 *
 * on_config() tells when it is done. ERR_BUSY while another raise is under way, ERR_UNREACHABLE
 * while there is no session.
 */
int cluster_raise(struct cluster *cluster, uint64_t epoch_base, const struct id *oldest_id,
                  struct err *err);

enum cluster_state cluster_state(const struct cluster *cluster);

/** As negotiated with the servers; as asked for before the first session. */
uint32_t cluster_session_timeout_ms(const struct cluster *cluster);

const char *cluster_state_name(enum cluster_state state);

#endif
