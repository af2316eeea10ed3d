/*
 * The simulator: a whole cluster in one process, under a seeded scheduler with virtual time.
 *
 * The sources of core, ledger, codec and outbox are the daemons' own. Around them stand models of
 * what the daemons meet: a network that loses, repeats, delays and reorders; disks that keep or
 * lose what was not forced; a ZooKeeper with sessions; clients that ask again, anybody, and
 * sometimes with other contents. After every event the invariants I1 to I9 of DESIGN section 4 are
 * checked against what is durable (oracle.c). A run is a function of its seed and its faults alone.
 *
 * queue.c: what happens next. net.c: connections and frames. zk.c: ZooKeeper. bank.c, disk.c: a
 * participant's process and what survives it. coordinator.c: a coordinator's process. client.c: who
 * submits and asks. oracle.c, cuts.c: the invariants. world.c: setting up, and the loop. chaos.c:
 * random schedules. script.h: directed ones.
 */
#ifndef SETTLE_SIM_SIM_H
#define SETTLE_SIM_SIM_H

#include "base/err.h"
#include "base/ledger_types.h"
#include "base/prng.h"
#include "core/coord.h"
#include "core/part.h"
#include "ledger/ledger.h"
#include "runtime/outbox.h"
#include "wire/record.h"
#include "wire/wire.h"

#include <stdio.h>

#define SIM_COORDINATORS    3
#define SIM_BANKS           4
#define SIM_GROUPS          2
#define SIM_CONTENTS        12   /* submissions that differ in id or content */
#define SIM_ASKS            2048 /* requests of clients in one run */
#define SIM_CONNS           512
#define SIM_FRAMES          512
#define SIM_FRAME_SIZE      8192
#define SIM_HAPPENINGS      4096
#define SIM_JOURNAL         4096 /* records of one bank in one run */
#define SIM_JOURNAL_SIZE    (512 * 1024)
#define SIM_JOBS            128
#define SIM_ROWS            8 /* accounts of one bank */
#define SIM_RULES           16
#define SIM_SESSIONS        256
#define SIM_STORED_SIZE     256
#define SIM_CUTS            256 /* reports of cuts that are verified at the end */
#define SIM_OUTBOX_SIZE     (128 * 1024)
#define SIM_TURN_STEPS      3 /* steps within a turn: a message, then the ledger's answers */
#define SIM_ZK_NODES        8
#define SIM_ACCOUNTS        4 /* of a bank: A, B, CASH in USD; CASH in EUR when it is named first */
#define SIM_CASH_USD        2
#define SIM_CASH_EUR        3
#define SIM_CURRENCIES      2
#define SIM_NEVER_AVAILABLE 1000 /* more than all the money there is */
#define SIM_FAILURE_SIZE    1024

#define SIM_WALL_MS         UINT64_C(1700000000000) /* the wall clocks' start */
#define SIM_SESSION_MS      2000
#define SIM_ZK_TICK_MS      500
#define SIM_HEAL_MS         (SIM_SESSION_MS + SIM_ZK_TICK_MS + 5000) /* I9's bound */
#define SIM_BANK_TICK_MS    100

/* What can happen next. `node` is whose it is; what no longer fits the state is ignored. */
enum happening_kind {
    HAPPENS_FRAME = 1, /* value: frame */
    HAPPENS_TURN,      /* a bank submits what its open turn recorded */
    HAPPENS_FORCED,    /* a bank's oldest job is durable */
    HAPPENS_BANK_TICK,
    HAPPENS_COORD_TICK,
    HAPPENS_DIAL,         /* a coordinator dials bank `other` */
    HAPPENS_LINK_UP,      /* a coordinator learns that connection `value` stands */
    HAPPENS_COORD_NOTICE, /* ... that connection `value` is gone */
    HAPPENS_BANK_NOTICE,  /* a bank learns the same */
    HAPPENS_JOIN,         /* a coordinator opens a session */
    HAPPENS_EXPIRE,       /* ZooKeeper ends session `value`, if it was not heard of since */
    HAPPENS_ELECTED,      /* a coordinator reads that it leads group `other` */
    HAPPENS_RESIGNED,     /* a coordinator gave up group `other`, which it led by epoch `value` */
    HAPPENS_REJOIN,       /* a coordinator makes a new election node for group `other` */
    HAPPENS_SUSPENDED,    /* a coordinator notices that ZooKeeper does not answer */
    HAPPENS_RESUMED,      /* ... that its session lived on */
    HAPPENS_LEASE_ENDS,   /* ... that it was out of touch for a session's time */
    HAPPENS_UNLED,        /* ... that its session is over */
    HAPPENS_SUBMIT,       /* a client submits content `value` to anybody */
    HAPPENS_OUTCOME,      /* ... asks for the outcome of content `value`'s id */
    HAPPENS_AUDIT,
    HAPPENS_REQUEST,    /* ask `value` arrives at its coordinator */
    HAPPENS_REPLY,      /* the reply to ask `value` arrives */
    HAPPENS_IMPATIENCE, /* the client of ask `value` gives up waiting */
    HAPPENS_FAULT,      /* `value`: enum fault */
    HAPPENS_START_COORD,
    HAPPENS_START_BANK,
    HAPPENS_MEND,    /* the network between coordinator `node` and bank `other` */
    HAPPENS_ZK_MEND, /* ... between coordinator `node` and ZooKeeper */
    HAPPENS_ROOM,    /* a bank's store has room again */
    HAPPENS_WAKE,    /* a coordinator that stood still goes on */
};

struct happening {
    uint64_t at_ms;
    uint64_t order; /* among those of one instant */
    enum happening_kind kind;
    uint8_t node, other;
    uint32_t process; /* of `node`, when it matters that it is still the same */
    uint32_t value;
};

enum fault {
    FAULT_CRASH_COORD = 1,
    FAULT_CRASH_BANK,
    FAULT_PAUSE,      /* a coordinator stands still, and is told late of all it missed */
    FAULT_CUT_LINK,   /* between a coordinator and a bank */
    FAULT_CUT_ZK,     /* between a coordinator and ZooKeeper */
    FAULT_ZK_RESTORE, /* ZooKeeper comes back from an older state */
    FAULT_FULL,       /* a bank takes no new work for a while */
    FAULT_CLOCK,      /* a wall clock jumps */
    FAULT_KINDS
};

/* How bad the world is. Probabilities are per mille; a zeroed struct is a world without faults. */
struct sim_faults {
    uint32_t lose, repeat, straggle; /* of a frame; stragglers take up to straggle_ms */
    uint32_t delay_ms, straggle_ms;
    uint32_t turn_ms, force_ms; /* at most, from step to submission to force */
    uint32_t crash_after_step;  /* of a bank that recorded something */
    uint32_t crash_at_force;    /* of a bank, between the force and what it lets go */
    uint32_t crash_in_speech;   /* of anybody, between two messages of one step */
    uint32_t checkpoint;        /* of a turn */
    uint32_t lose_reply;
    uint32_t skew_ms;      /* wall clocks are off by up to this */
    uint32_t repeat_told;  /* a client that knows the outcome asks again */
    uint32_t lose_history; /* a coordinator's store does not survive its crash */
    bool no_lease_clock;   /* coordinators learn of an expired session from ZooKeeper only */
    bool tight;            /* small tables: BUSY is usual */
};

struct queue {
    uint32_t count;
    uint64_t counter;
    struct happening heap[SIM_HAPPENINGS];
};

/* ---- clients ---- */

struct leg {
    uint8_t bank, account;
    enum side side;
    int64_t amount;
};

/* One content: what a client submits under an id. Several contents may share an id. */
struct content {
    struct id id;
    struct digest digest;
    uint16_t group;
    uint8_t leg_count;
    struct leg legs[8];
    enum protocol protocol;
    uint8_t voters, readers; /* sets of banks */
    int64_t check_min;       /* what readers check on their first account */
    uint8_t branch_count;
    struct submit_branch branches[SIM_BANKS * 2]; /* as Submit has them */
    uint8_t bytes[SIM_BANKS * 2][512];
    uint32_t deadline_ms;
    bool balanced;
    bool submitted; /* somebody was asked to do it */
    bool settled;   /* its client knows the outcome */
};

enum ask_kind { ASK_SUBMIT = 1, ASK_OUTCOME, ASK_AUDIT };

struct ask {
    enum ask_kind kind;
    uint8_t content;
    uint8_t coordinator;
    bool over; /* answered, or given up */
    bool answered;
    bool complete; /* an audit that could read everybody, with nothing in doubt */
    enum reply_kind reply;
    enum reason reason;
};

/* ---- network ---- */

/* A connection; both ends know it by its index + 1. */
struct conn {
    uint8_t coordinator, bank;
    uint32_t coordinator_process, bank_process;
    bool dialling, coordinator_open, bank_open;
};

struct frame {
    bool used, held;
    uint64_t held_order;
    bool to_bank;
    uint32_t conn;
    uint32_t size;
    struct guid guid; /* to a bank: of the election node its sender leads by */
    uint8_t bytes[SIM_FRAME_SIZE];
};

/* Directed schedules: frames that match are held back or dropped where they arrive. */
struct rule {
    bool used, drop;
    int coordinator, bank; /* -1: any */
    int kind, content;     /* 0, -1: any */
};

/* ---- a participant ---- */

struct journal_entry {
    uint32_t at, size; /* of the encoded record */
};

/* A value of the store, encoded as the daemons do. */
struct stored {
    uint16_t size;
    uint8_t bytes[SIM_STORED_SIZE];
};

/* What a bank's store holds beside the journal: what checkpoints wrote. */
struct disk {
    uint64_t first;           /* records below are trimmed */
    struct stored checkpoint; /* size 0: none yet */
    struct stored rows[SIM_ROWS];
    struct stored outcomes[SIM_CONTENTS];
    uint32_t outcome_count;
};

/* One commit of the store: all of it becomes durable, or nothing. */
struct job {
    uint64_t end;     /* the records up to this position */
    uint32_t row_set; /* rows that are in it */
    bool finishes;    /* a checkpoint's last: checkpoint, outcomes and trim too */
    uint64_t first;
    struct stored checkpoint;
    struct stored rows[SIM_ROWS];
    struct stored outcomes[SIM_CONTENTS];
    uint32_t outcome_count;
};

struct bank {
    struct sim *sim;
    uint32_t index;
    bool alive;
    bool dying;       /* it crashes when its step is over, and says no more */
    bool store_stuck; /* directed: nothing is forced */
    uint32_t process;
    struct party self;
    int64_t skew_ms;
    uint64_t mono_ms; /* added to virtual time: monotonic clocks start anywhere */
    struct part *part;
    struct ledger *ledger;
    struct batch batch;
    void *part_memory, *ledger_memory, *batch_memory;
    size_t part_size, ledger_size;
    struct outbox *outbox;
    bool turn_open;
    uint64_t submitted, durable; /* positions */
    uint64_t last_force_ms;
    struct job jobs[SIM_JOBS];
    uint32_t job_head, job_count;
    struct journal_entry journal[SIM_JOURNAL];
    uint8_t journal_bytes[SIM_JOURNAL_SIZE];
    uint32_t journal_used;
    struct disk disk;
    struct outcome outcomes[SIM_CONTENTS]; /* the index: what disk and journal hold */
    uint32_t outcome_count;
    bool pass_open;      /* a checkpoint is being written, slice by slice */
    uint64_t pass_first; /* where the journal will begin after it */
    uint32_t pass_cursor;
    bool slice_ready; /* the next job has rows */
};

/* ---- a coordinator ---- */

struct leadership {
    bool leads;
    bool given_up; /* its lease ended: the node goes when ZooKeeper is heard again */
    uint64_t epoch;
    struct guid guid;
};

struct told_row {
    struct outcome outcome;
    bool durable;
};

struct coordinator {
    bool alive;
    uint32_t process;
    uint64_t paused_until_ms;
    int64_t skew_ms;
    uint64_t mono_ms;
    struct coord *coord;
    struct batch batch;
    void *coord_memory, *batch_memory;
    size_t coord_size;
    uint64_t tick_at_ms; /* when its next tick is scheduled; 0: none */
    struct leadership groups[SIM_GROUPS];
    struct told_row history[SIM_CONTENTS];
    uint32_t history_count;
    uint32_t session; /* + 1; 0: none */
    bool zk_cut, suspended;
    bool link_cut[SIM_BANKS];
};

/* ---- ZooKeeper ---- */

struct zk_session {
    uint8_t coordinator;
    bool alive;
    uint32_t heard; /* counts; an expiry that was set before the last one is void */
};

struct zk_node {
    uint32_t session;
    uint64_t zxid;
    struct guid guid;
};

struct zk {
    uint64_t zxid, epoch_base;
    bool restored;
    uint32_t session_count;
    struct zk_session sessions[SIM_SESSIONS];
    struct zk_node nodes[SIM_GROUPS][SIM_ZK_NODES]; /* in order; the first leads */
    uint32_t node_counts[SIM_GROUPS];
};

/* ---- the oracle ---- */

/* What one bank durably holds of one content. Never falls back. */
struct truth {
    enum txn_state state;
    uint64_t prepare_timestamp, commit_timestamp;
    bool conflict; /* durably holds another content of the same id */
};

struct oracle {
    struct truth truths[SIM_CONTENTS][SIM_BANKS];
    enum txn_state told[SIM_CONTENTS]; /* what some client was told */
    uint64_t told_timestamp[SIM_CONTENTS];
    uint64_t seal_epochs[SIM_BANKS][SIM_GROUPS]; /* durable */
    struct guid seal_guids[SIM_BANKS][SIM_GROUPS];
    /* In this bank's memory: */
    bool applied[SIM_CONTENTS][SIM_BANKS];    /* committed */
    bool held[SIM_CONTENTS][SIM_BANKS];       /* prepared */
    bool unresolved[SIM_CONTENTS][SIM_BANKS]; /* not ended */
};

/* A cut's report that left a bank. */
struct cut_seen {
    uint8_t bank;
    uint64_t timestamp;
    int64_t totals[SIM_CURRENCIES];
    uint32_t doubts; /* set of contents */
};

/* X(field): what is counted over runs; none may stay zero (simulate.c). */
#define SIM_COUNTS(X)      \
    X(events)              \
    X(commits)             \
    X(aborts)              \
    X(recoveries)          \
    X(stale_answers)       \
    X(stale_refusals)      \
    X(bank_crashes)        \
    X(coordinator_crashes) \
    X(batches_lost)        \
    X(pauses)              \
    X(cut_links)           \
    X(expired_sessions)    \
    X(zookeepers_restored) \
    X(full_stores)         \
    X(clock_jumps)         \
    X(frames_lost)         \
    X(frames_repeated)     \
    X(submissions)         \
    X(resubmissions)       \
    X(conflicts)           \
    X(busy)                \
    X(unknowns)            \
    X(outcomes_asked)      \
    X(audits)              \
    X(audits_incomplete)   \
    X(cuts_verified)       \
    X(orphans)             \
    X(checkpoints)         \
    X(ended)

struct sim_counts {
#define X(field) uint64_t field;
    SIM_COUNTS(X)
#undef X
};

struct sim {
    uint64_t seed;
    uint64_t now_ms;
    uint64_t hash;   /* of all that happened */
    bool random;     /* delays are drawn; else everything takes 1 ms, in order */
    bool healing;    /* no new faults; I9's clock runs */
    bool endless;    /* directed: it is not meant to become quiet */
    bool end_forced; /* directed: an End came that no leader may send, R9 does not apply */
    bool unmoneyed;  /* a store was replaced: its books are gone, I4 does not apply */
    struct prng prng;
    struct sim_faults faults;
    uint32_t coordinator_count, bank_count, group_count;
    struct queue queue;
    struct coordinator coordinators[SIM_COORDINATORS];
    struct bank banks[SIM_BANKS];
    struct zk zk;
    uint32_t conn_count;
    struct conn conns[SIM_CONNS];
    uint32_t frame_free_count;
    uint32_t frame_free[SIM_FRAMES];
    struct frame frames[SIM_FRAMES];
    struct rule rules[SIM_RULES];
    uint32_t content_count;
    struct content contents[SIM_CONTENTS];
    uint32_t ask_count, asks_open;
    struct ask asks[SIM_ASKS];
    struct oracle oracle;
    uint32_t cut_count;
    struct cut_seen cuts[SIM_CUTS];
    struct id oldest; /* ids below were pruned everywhere (R10) */
    struct sim_counts counts;
    struct arena arena; /* what is decoded lives here until the next is */
    struct arena record_arena;
    struct arena scratch;
    FILE *trace; /* NULL: silent */
    bool failed;
    char failure[SIM_FAILURE_SIZE];
};

/* ---- queue.c ---- */

void sim_schedule(struct sim *sim, uint64_t delay_ms, struct happening happening);

/** Take the next happening up to `until_ms`, and move the time to it; false if there is none. */
bool sim_next(struct sim *sim, uint64_t until_ms, struct happening *ret_happening);

uint64_t sim_draw(struct sim *sim, uint64_t bound);
bool sim_chance(struct sim *sim, uint32_t permille); /* never in a directed schedule */
uint64_t sim_delay(struct sim *sim, uint64_t max_ms);

/* ---- world.c ---- */

struct sim *sim_open(void);
void sim_close(struct sim *sim);

/** A new world under `seed`; then faults may be set, and sim_populate() starts its nodes. */
void sim_begin(struct sim *sim, uint64_t seed);
void sim_populate(struct sim *sim, uint32_t coordinators, uint32_t banks, uint32_t groups);

/** Let `ms` of virtual time pass; stops at the first violation. */
void sim_run(struct sim *sim, uint64_t ms);

/** Make a value part of the run's hash. */
void sim_fold(struct sim *sim, uint64_t value);

bool sim_is_quiet(const struct sim *sim);

int64_t sim_opening(uint32_t account);
struct account_name sim_account_name(const char *text);
struct currency sim_currency(const char *text);
uint64_t sim_wall_ms(const struct sim *sim, int64_t skew_ms);

/** Index of the content, or -1. */
int sim_content_of(const struct sim *sim, const struct id *id, const struct digest *digest);
const char *sim_content_name(const struct sim *sim, int content);
const char *sim_reply_name(enum reply_kind kind);

void sim_trace(const struct sim *sim, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** An invariant does not hold. The first one said counts; the run stops. */
void sim_fail(struct sim *sim, const char *invariant, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- zk.c ---- */

void zk_join(struct sim *sim, uint32_t coordinator);
void zk_elected(struct sim *sim, uint32_t coordinator, uint32_t group);
void zk_expire(struct sim *sim, uint32_t session);
void zk_silence(struct sim *sim, uint32_t coordinator);
void zk_hear(struct sim *sim, uint32_t coordinator);
void zk_cut(struct sim *sim, uint32_t coordinator);
void zk_mend(struct sim *sim, uint32_t coordinator);
void zk_resign(struct sim *sim, uint32_t coordinator, uint32_t group);
void zk_rejoin(struct sim *sim, uint32_t coordinator, uint32_t group, uint32_t session);
void zk_restore(struct sim *sim);
void zk_remedy(struct sim *sim);

/* ---- net.c ---- */

void net_dial_later(struct sim *sim, uint32_t coordinator, uint32_t bank);
void net_dial(struct sim *sim, uint32_t coordinator, uint32_t bank);
void net_link_up(struct sim *sim, uint32_t index);
void net_coordinator_notices(struct sim *sim, uint32_t index);
void net_bank_notices(struct sim *sim, uint32_t index);
void net_coordinator_gone(struct sim *sim, uint32_t coordinator);
void net_bank_gone(struct sim *sim, uint32_t bank);
void net_cut(struct sim *sim, uint32_t coordinator, uint32_t bank);
void net_send(struct sim *sim, uint32_t peer, bool to_bank, const struct guid *guid,
              struct blob bytes);
void net_arrive(struct sim *sim, uint32_t index);
void net_release(struct sim *sim);

/* ---- bank.c, disk.c ---- */

void bank_open(struct sim *sim, uint32_t index);
void bank_close(struct bank *self);
void bank_found(struct sim *sim, uint32_t index);
void bank_start(struct sim *sim, uint32_t index);
void bank_crash(struct sim *sim, uint32_t index);
void bank_count(struct sim *sim, uint32_t index);
void bank_send(void *ctx, uint32_t peer, const uint8_t *bytes, size_t size);
void bank_receive(struct sim *sim, uint32_t index, const struct msg *msg, const struct guid *guid);
void bank_link_down(struct sim *sim, uint32_t index, uint32_t peer);
void bank_tick(struct sim *sim, uint32_t index);
void bank_turn(struct sim *sim, uint32_t index);
void bank_forced(struct sim *sim, uint32_t index);
void bank_admit(struct sim *sim, uint32_t index, enum reason reason);
void bank_forget_before(struct sim *sim, uint32_t index, const struct id *oldest);
void bank_index(struct bank *self, const struct record *record);
void disk_append(struct sim *sim, struct bank *self, const struct record *record);
void disk_submit(struct sim *sim, uint32_t index);
void disk_force(struct sim *sim, uint32_t index);
void disk_crash(struct sim *sim, uint32_t index);
void disk_checkpoint(struct sim *sim, uint32_t index);

/* ---- coordinator.c ---- */

void coordinator_open(struct sim *sim, uint32_t index);
void coordinator_close(struct coordinator *self);
void coordinator_start(struct sim *sim, uint32_t index);
void coordinator_crash(struct sim *sim, uint32_t index);
void coordinator_count(struct sim *sim, uint32_t index);
void coordinator_member(struct sim *sim, uint32_t index, uint32_t bank);
void coordinator_tick(struct sim *sim, uint32_t index);
void coordinator_receive(struct sim *sim, uint32_t index, const struct msg *msg);
void coordinator_link(struct sim *sim, uint32_t index, uint32_t peer, bool up);
void coordinator_request(struct sim *sim, uint32_t index, uint32_t ask_index);
void coordinator_lead(struct sim *sim, uint32_t index, uint32_t group, uint64_t epoch,
                      const struct guid *guid);
void coordinator_unlead(struct sim *sim, uint32_t index, uint32_t group);
void coordinator_resigned(struct sim *sim, uint32_t index, uint32_t group, uint32_t epoch);
void coordinator_unled(struct sim *sim, uint32_t index);
void coordinator_suspended(struct sim *sim, uint32_t index);
void coordinator_resumed(struct sim *sim, uint32_t index);
void coordinator_lease_ends(struct sim *sim, uint32_t index);

/* ---- client.c ---- */

void client_ask(struct sim *sim, enum ask_kind kind, uint32_t content, uint32_t coordinator);
void client_ask_anybody(struct sim *sim, enum ask_kind kind, uint32_t content);
void client_reply(struct sim *sim, uint32_t index);
void client_wants(struct sim *sim, enum ask_kind kind, uint32_t content);
void clients_heal(struct sim *sim);
void client_loses_patience(struct sim *sim, uint32_t index);
struct content *content_add(struct sim *sim);
void content_digest(struct content *content);
void content_finish(struct sim *sim, struct content *content);
struct id sim_id(struct sim *sim);

/* ---- oracle.c, cuts.c ---- */

void oracle_recorded(struct sim *sim, uint32_t bank, const struct record *record,
                     const struct guid *guid);
void oracle_durable(struct sim *sim, uint32_t bank, const struct record *record);
void oracle_says(struct sim *sim, uint32_t coordinator, const struct msg *msg);
void oracle_told(struct sim *sim, uint32_t coordinator, const struct ask *ask,
                 const struct reply *reply);
void oracle_restarted(struct sim *sim, uint32_t bank);
void oracle_books(struct sim *sim, uint32_t bank);
bool oracle_last_word(struct sim *sim, const struct ask *ask);
void oracle_quiescent(struct sim *sim);
void cuts_seen(struct sim *sim, uint32_t bank, const struct msg *msg);
void cuts_audited(struct sim *sim, const struct reply *reply);
void cuts_verify(struct sim *sim);

/* ---- chaos.c ---- */

void chaos_fault(struct sim *sim, enum fault fault);
void chaos_heal(struct sim *sim);

/** Heal, wait for quiet within I9's bound, ask everything once more, and check the end. */
void chaos_end(struct sim *sim);

/** One whole random schedule. True iff every invariant held; else sim->failure says which. */
bool chaos_run(struct sim *sim, uint64_t seed);

#endif
