/*
 * The cluster from the inside; for its own files.
 *
 * All parts work alike: answers and watches only note what is known and what must be looked at
 * again, and X_run(), called at the end of each pump's turn while the session is connected, sends
 * the next operation if none of the part's is under way. So an answer that was lost, a reconnect
 * and a first start are one case: the part looks again. No part sends anything elsewhere.
 */
#ifndef SETTLE_CLUSTER_INTERNAL_H
#define SETTLE_CLUSTER_INTERNAL_H

#include "cluster/cluster.h"
#include "cluster/lease.h"
#include "cluster/nodetext.h"
#include "cluster/paths.h"
#include "cluster/pump.h"

#define RETRY_MS 1000 /* after an operation that the servers refused */

/*
 * config.c
 *
 *   READ --there--> IDLE;  READ --not there--> WAIT --there--> READ
 *   READ --not there, ours to create--> DIRECTORIES --> CREATE --> READ
 *   IDLE --changed--> READ
 */
enum config_step {
    CONFIG_READ = 1,
    CONFIG_WAIT,
    CONFIG_DIRECTORIES,
    CONFIG_CREATE,
    CONFIG_IDLE,
};

struct config {
    enum config_step step;
    bool known; /* `value` is this cluster's, and told */
    bool dirty; /* a watch was hit */
    bool busy;
    uint64_t retry_ms;
    struct cluster_config value;
    int32_t version;
    const char *complaint; /* what was said last, to say it once */
    uint32_t creating;     /* directories under way */
    bool create_failed;
    bool raise;
    uint64_t raise_epoch_base;
    struct id raise_oldest_id;
};

/*
 * registry.c
 *
 *   MEMBER --> MEMBER_CREATE --> MEMBER        who are we: the persistent node holds our store
 *   MEMBER --> LIVE --> LIVE_CREATE --> LIVE   is our name free
 *   LIVE --> HELD --(its owner's session ends)--> LIVE;  HELD --(time is over)--> refused
 *   LIVE --(ours)--> SERVING --(node gone)--> LIVE
 *   any --cluster_leave--> LEAVING --> GONE
 */
enum registry_state {
    REGISTRY_MEMBER = 1,
    REGISTRY_MEMBER_CREATE,
    REGISTRY_LIVE,
    REGISTRY_LIVE_CREATE,
    REGISTRY_HELD,
    REGISTRY_SERVING,
    REGISTRY_LEAVING,
    REGISTRY_GONE,
};

struct registry {
    enum registry_state state;
    bool busy, heartbeat_busy;
    uint64_t retry_ms;
    uint64_t held_until_ms; /* 0: not said yet */
};

/*
 * election.c
 *
 *            .------------------ node gone, new session -------------------.
 *            v                                                             |
 *          IDLE --create--> CREATING --created--> WAITING --first--> LEADING
 *            ^                |   ^                  |                  |
 *            |           lost |   | not found        | leave            | step down, lease over,
 *            |                v   |                  v                  v leave
 *            |              SEARCHING --found-->  (WAITING)          LEAVING
 *            `-----------------------removed---------------------------'
 *
 * IDLE: no node of ours. CREATING, SEARCHING: there may be one; its guid finds it. WAITING: `name`
 * is ours, and watches its predecessor. LEADING: told by on_lead(). LEAVING: `name` is to be
 * removed, and never led with again (S12).
 */
enum election_state {
    ELECTION_IDLE = 1,
    ELECTION_CREATING,
    ELECTION_SEARCHING,
    ELECTION_WAITING,
    ELECTION_LEADING,
    ELECTION_LEAVING,
};

struct election {
    enum election_state state;
    bool busy;
    bool dirty;             /* WAITING, LEADING: look again */
    bool first;             /* WAITING: nobody is before us */
    bool watch_predecessor; /* WAITING: it is known, and to be watched */
    bool suspended;         /* LEADING: on_suspend() was called */
    bool verified;          /* LEADING: our node was seen since */
    bool step_down;         /* asked for by cluster_step_down() */
    bool barred;            /* until epoch_base is above barred_base */
    uint64_t barred_base;
    uint64_t floor; /* epochs up to here were led or sealed: ours must be above */
    uint64_t retry_ms;
    struct guid guid;
    char name[CANDIDATE_SIZE];
    char predecessor[CANDIDATE_SIZE]; /* whose removal we wait for; empty if none */
    uint64_t created;                 /* zxid of our node */
    uint64_t epoch;                   /* LEADING */
};

/* observe.c: a directory of members, and one of its entries */
struct entry {
    bool used, listed;
    bool base_dirty, live_dirty; /* to be read */
    bool live_absent;            /* live is not there: watch for its creation */
    bool busy;
    struct cluster_member member;
    struct cluster_member told;
};

struct directory {
    bool dirty, busy;
    bool is_participants;
    uint32_t entry_max;
    struct entry entries[MEMBERS_MAX];
};

struct leader {
    bool dirty, busy;
    char candidate[CANDIDATE_SIZE]; /* first of the list, to be read; empty: nobody */
    bool unread;
    struct node_name node, told_node;
    uint64_t epoch, told_epoch;
};

_Static_assert(COORDINATORS_MAX <= MEMBERS_MAX, "one directory type serves both");

/* A text's turn: the same cause is reported after 1, 2, 4 ... 64 s. */
struct repeat {
    uint64_t next_ms;
    uint32_t interval_ms;
    uint32_t unsaid;
};

struct cluster {
    struct loop *loop;
    struct cluster_options options;
    char *ensemble; /* options.ensemble and options.address point to our copies */
    char *address;
    const struct cluster_ops *ops;
    void *ctx;
    struct pump *pump; /* NULL: to be opened by the timer */
    struct loop_timer *timer;
    uint64_t wake_ms; /* within a turn: when the next is wanted */
    bool in_turn, in_callback, refused;

    enum cluster_state state;
    int64_t session; /* 0: none yet */
    uint32_t timeout_ms;
    uint64_t apart_ms; /* since when we are out of touch */
    struct lease lease;
    struct repeat absent, library;

    bool leaving, left;
    uint64_t leave_by_ms;

    struct config config;
    struct registry registry;
    struct election elections[GROUPS_MAX];
    struct directory participants, coordinators;
    struct leader leaders[GROUPS_MAX];
};

/* An operation with its path written out. */
struct request {
    struct pump_call call;
    char path[PATH_SIZE];
};

/* cluster.c */
void request_make(struct cluster *cluster, struct request *request, const struct path *path,
                  pump_done *done, uint32_t number);
/** Have a turn at `at_ms` at the latest. */
void cluster_wake_at(struct cluster *cluster, uint64_t at_ms);
/** Have a turn soon; from anywhere. */
void cluster_poke(struct cluster *cluster);
void cluster_log(struct cluster *cluster, enum cluster_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** The end: tell on_refused(), and do nothing more. */
void cluster_refuse(struct cluster *cluster, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** An operation on `what` was refused by the servers: say so, and return when to try again. */
uint64_t cluster_failed(struct cluster *cluster, const struct pump_result *result,
                        const char *what);
struct guid cluster_guid_make(void);

/* Call back, marked as such: CALL(cluster, on_lead, group, epoch, &guid). */
#define CALL(cluster, op, ...)                               \
    do {                                                     \
        if ((cluster)->ops->op) {                            \
            (cluster)->in_callback = true;                   \
            (cluster)->ops->op((cluster)->ctx, __VA_ARGS__); \
            (cluster)->in_callback = false;                  \
        }                                                    \
    } while (0)
#define CALL0(cluster, op)                      \
    do {                                        \
        if ((cluster)->ops->op) {               \
            (cluster)->in_callback = true;      \
            (cluster)->ops->op((cluster)->ctx); \
            (cluster)->in_callback = false;     \
        }                                       \
    } while (0)

/* config.c */
void config_begin(struct cluster *cluster);
void config_event(struct cluster *cluster);
void config_run(struct cluster *cluster, uint64_t now);

/* registry.c */
void registry_begin(struct cluster *cluster);
void registry_reconnected(struct cluster *cluster);
void registry_event(struct cluster *cluster);
void registry_run(struct cluster *cluster, uint64_t now);
/** We are registered, or need not be. */
bool registry_is_done(const struct cluster *cluster);
/** cluster_leave(): our live node is gone. */
bool registry_is_gone(const struct cluster *cluster);

/* election.c */
/** A new session: what we led is lost, the nodes of the old one are not ours any more (R14). */
void elections_begin(struct cluster *cluster);
void elections_reconnected(struct cluster *cluster);
void elections_suspend(struct cluster *cluster);
/** The lease is over: lead nothing, and remove the nodes when that is possible. */
void elections_lost(struct cluster *cluster);
void elections_event(struct cluster *cluster, const struct path *path);
void elections_run(struct cluster *cluster, uint64_t now);
/** True iff any group is led. */
bool elections_lead(const struct cluster *cluster);
/** cluster_leave(): no node of ours is left. */
bool elections_are_gone(const struct cluster *cluster);

/* observe.c */
void observe_begin(struct cluster *cluster);
void observe_event(struct cluster *cluster, enum pump_event event, const struct path *path);
void observe_run(struct cluster *cluster, uint64_t now);

#endif
