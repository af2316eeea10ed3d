/*
 * The participant daemon: one store's ledger behind the commit protocol.
 *
 * What the files of the daemon share; tests open one in their own process through it. The core
 * decides (core/part.h), the ledger holds and posts (ledger/ledger.h), the store forces, and this
 * joins them:
 *
 *   peer.c        frames from coordinators; what they ask passes to turn.c or admin.c
 *   turn.c        step the core, do its acts, put its records in the turn's job, gate what it says
 *   checkpoint.c  write back accounts and outcomes, carry what is unresolved, trim the journal
 *   load.c        from the store at start
 *   admin.c       an operator's questions and acts, relayed by a coordinator
 *   participant.c life: store, cluster, listener, drain
 *
 * One thread runs all of it, the loop's; the store has one of its own behind store.h.
 */
#ifndef SETTLE_PARTICIPANT_PARTICIPANT_H
#define SETTLE_PARTICIPANT_PARTICIPANT_H

#include "cluster/cluster.h"
#include "core/part.h"
#include "ledger/ledger.h"
#include "net/listener.h"
#include "runtime/log.h"
#include "runtime/outbox.h"
#include "runtime/outcomes.h"
#include "store/store.h"
#include "wire/record.h"
#include "wire/wire.h"

#define CHECKPOINT_KEY "checkpoint" /* of the checkpoint's row in the table META */
#define PARTICIPANT_PEERS_MAX                                          \
    64 /* connections at once; a cluster has COORDINATORS_MAX dialling \
        */

struct participant_options {
    const char *data_dir;
    struct node_name node;
    struct node_name cluster;
    const char *zookeeper; /* ensemble */
    struct address listen;
    const char *advertise; /* where others reach us; NULL: where we listen */
    bool insecure_listen;  /* beyond loopback without TLS */
    uint32_t session_timeout_ms;
    uint32_t account_max;
    uint32_t txn_max;
    uint32_t outcome_max;
    uint32_t orphan_ms;
    uint32_t drain_ms;      /* how long a stop waits for what is in flight */
    uint32_t checkpoint_ms; /* between two, when there is anything to write */
    uint64_t map_size;
    uint64_t reserve_size;
};

/* A connection that dialled us. */
struct peer {
    uint32_t handle; /* CONN_NONE: the slot is free */
    bool greeted;
    bool paused;
    struct hello hello;
};

/* The job that gathers what steps want forced, until it is urgent, old or large. */
struct turn {
    struct store_job *job; /* NULL: none is open */
    uint64_t since_ms;     /* when its first record came */
    uint64_t bytes;        /* put so far */
    uint64_t submitted;    /* position of the last job handed to the store */
    bool urgent;           /* somebody waits for it */
};

enum checkpoint_phase {
    CHECKPOINT_IDLE = 0,
    CHECKPOINT_OUTCOMES,
    CHECKPOINT_ACCOUNTS,
    CHECKPOINT_FORCING, /* its last job is on its way */
    CHECKPOINT_DROPPING,
};

struct checkpoint_run {
    enum checkpoint_phase phase;
    uint64_t position; /* what the tables will include; replay starts behind it */
    uint64_t last_job; /* durable at this position: the checkpoint is whole */
    uint32_t outcome_cursor;
    uint32_t account_cursor;
    uint64_t begun_ms;
    struct checkpoint row; /* as it is stored */
    struct id index_last;  /* the largest id in the index of outcomes */
};

struct participant {
    struct participant_options options;
    struct loop *loop;
    struct conns *conns;
    struct listener *listener;
    struct cluster *cluster;
    struct store *store;
    struct loop_watch *store_watch;
    struct loop_timer *tick_timer;
    struct loop_timer *turn_timer;       /* a lazy job is forced when it fires */
    struct loop_timer *checkpoint_timer; /* the next slice, or the next checkpoint */
    struct outbox *outbox;
    struct outcomes *outcomes;
    struct ledger *ledger;
    void *ledger_memory;
    struct part *part; /* NULL until the store is bound to a cluster and loaded */
    void *part_memory;
    struct batch batch;
    void *batch_memory;
    struct arena arena; /* what the current frame was decoded into */
    void *arena_memory;
    struct arena scratch; /* for encoders and branches */
    void *scratch_memory;
    struct branch branch;
    struct entry entries[LEGS_MAX];
    uint8_t encoded[RECORD_SIZE_MAX];
    struct turn turn;
    struct checkpoint_run checkpoint;
    struct peer peers[PARTICIPANT_PEERS_MAX];
    struct guid process; /* random for this run */
    struct log_limit stranger_lines;
    bool any_paused;
    bool draining;
    bool leaving;
    uint64_t drain_until_ms;
    uint64_t started_ms;
    enum reason admit;
    int exit_code;
};

/**
 * Open the store, listen and begin to join the cluster.
 *
 * @err  ERR_USAGE (a listen address beyond loopback without insecure_listen), the store's and the
 *       listener's errors
 */
int participant_open(const struct participant_options *options, struct participant **ret_part,
                     struct err *err);

/** Serve until a stop is asked for or the cluster refuses us. Returns the process's exit code. */
int participant_run(struct participant *p);

/** Drain, then end participant_run(): no new work, what is in flight ends. */
void participant_stop(struct participant *p);

/** Accepts NULL and half-opened ones. */
void participant_close(struct participant *p);

/* ---- load.c ---- */

/** Read checkpoint, accounts and journal. ERR_CORRUPT, ERR_FULL, ERR_MEMORY. */
int participant_load(struct participant *p, struct err *err);

/* ---- turn.c ---- */

/** True iff one more step can be taken now: else stop reading until the store caught up. */
bool turn_has_room(struct participant *p);

/** Step the core with a message of a coordinator. turn_has_room() said yes. */
void turn_msg(struct participant *p, const struct msg *msg);

/** Step the core with an event that makes no records. */
void turn_event(struct participant *p, struct event *ev);

/** An empty event with the clocks set. */
struct event turn_event_of(struct participant *p, enum event_kind kind);

/** Records of the batch into the job, its messages behind them; the batch is empty then. */
void turn_flush(struct participant *p);

/** R10: if the record is an outcome, it is findable from the step that made it on. */
void turn_keep_outcome(struct participant *p, const struct record *record);

/** Journal an operator's decision about an account and make it true. turn_has_room() said yes. */
void turn_account_record(struct participant *p, const struct account_attributes *attributes);

/** Queue an envelope behind everything journaled so far (R1). */
void turn_send(struct participant *p, uint32_t peer, const struct envelope *envelope);

/** Have a job open, with room; blocks while the store is behind. For checkpoints. */
void turn_wait_for_job(struct participant *p);

/** Block until `position` is durable, for a read from the store that must see it. */
void turn_wait_durable(struct participant *p, uint64_t position);

/** Put one row into the open job: the first `encoded_size` bytes of p->encoded. */
void turn_put(struct participant *p, enum store_table table, const void *key, size_t key_size,
              size_t encoded_size);

/** Hand the open job to the store now. */
void turn_submit(struct participant *p);

/** The loop's turn hook. */
void turn_end(void *ctx);

/** The store made something durable. */
void turn_durable(void *ctx);

/* ---- checkpoint.c ---- */

/** Start one if it is due, or go on with the next slice. Called by its timer. */
void checkpoint_step(void *ctx);

/** Start one soon: the recent outcomes fill up. */
void checkpoint_hurry(struct participant *p);

/** Store the checkpoint's row again with a risen oldest_id. */
void checkpoint_save_oldest(struct participant *p, const struct id *oldest);

/* ---- peer.c ---- */

extern const struct conn_ops peer_conn_ops;

/** Read on from those who had to wait. */
void peer_resume_all(struct participant *p);

/* ---- admin.c ---- */

/** Answer an operator's request. turn_has_room() said yes. */
void admin_on_request(struct participant *p, uint32_t peer, const struct envelope *request);

#endif
