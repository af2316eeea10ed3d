/*
 * A batch: what steps of a core want done, in order.
 *
 * The caller owns one, of fixed size, steps the core as long as batch_has_room(), and then executes
 * it: acts at once and in order, records as one commit, messages when what they depend on is
 * durable (R1), replies likewise. Nothing in it outlives batch_clear().
 */
#ifndef SETTLE_CORE_BATCH_H
#define SETTLE_CORE_BATCH_H

#include "core/msg.h"
#include "core/record.h"

/* One step makes at most this much. */
#define BATCH_STEP_MSGS    512
#define BATCH_STEP_RECORDS 16
#define BATCH_STEP_ACTS    16
#define BATCH_STEP_REPLIES 64
#define BATCH_STEP_BYTES   (512u * 1024)

/* What a participant's core asks of the resource in the same turn. */
enum act_kind {
    ACT_RESERVE = 1,    /* answer with EV_RESERVED before any other event */
    ACT_CHECK = 2,      /* answer with EV_CHECKED before any other event */
    ACT_POST = 3,       /* make the hold's postings final, at `timestamp`, for record `position` */
    ACT_VOID = 4,       /* drop the hold */
    ACT_CUT_TOTALS = 5, /* answer with EV_CUT_TOTALS: posted totals as they stand */
    ACT_STEP_DOWN = 6,  /* coordinator: a higher seal was met; stop leading `group` */
};

struct act {
    enum act_kind kind;
    uint32_t slot; /* of the transaction, or of the cut; repeated in the answer */
    uint32_t hold; /* POST, VOID: what EV_RESERVED gave */
    uint16_t group;
    struct id id;
    uint64_t timestamp;
    uint64_t position;
    uint64_t sealed_epoch; /* STEP_DOWN: what was met */
    struct blob branch;    /* RESERVE, CHECK: borrowed from the event */
};

/* Who waits for an answer: the runtime's handle of a client connection and its request's number. */
struct waiter {
    uint32_t client;
    uint64_t request;
};

enum reply_kind {
    REPLY_COMMITTED = 1,
    REPLY_ABORTED = 2,
    REPLY_UNKNOWN = 3, /* ask again */
    REPLY_REFUSED = 4, /* this attempt started nothing; of earlier attempts it says nothing */
    REPLY_AUDIT = 5,
};

struct audit_line {
    struct currency currency;
    int128 posted;   /* over all participants; 0 when balanced */
    int128 in_doubt; /* sum of the positive nets of undecided transactions */
};

struct reply {
    enum reply_kind kind;
    struct waiter waiter;
    struct id id;
    struct digest digest;
    enum reason reason;
    uint64_t timestamp;
    struct node_name node; /* whom the reason is about; empty if nobody */
    /* REPLY_AUDIT */
    const struct audit_line *lines;
    uint16_t line_count;
    const struct node_name *missing; /* participants that could not be read */
    uint16_t missing_count;
    uint32_t doubt_count;
};

struct batch {
    uint64_t log_tail; /* position of the last record made; survives batch_clear() */

    struct msg *msgs;
    uint32_t msg_count, msg_max;
    struct record *records;
    uint32_t record_count, record_max;
    struct act *acts;
    uint32_t act_count, act_max;
    struct reply *replies;
    uint32_t reply_count, reply_max;
    struct outcome *told; /* coordinator: outcomes it may tell, for its history (R11) */
    uint32_t told_count, told_max;
    uint8_t *bytes; /* arena for arrays and blobs */
    uint32_t bytes_used, bytes_max;
};

/** Bytes batch_init() needs for a batch of room for `steps` worst-case steps. */
size_t batch_memory_size(uint32_t steps);

/** Make an empty batch in caller's memory of batch_memory_size(steps), aligned as malloc does. */
void batch_init(struct batch *batch, void *memory, uint32_t steps);

/** True iff one more worst-case step fits. */
bool batch_has_room(const struct batch *batch);

/** Forget everything but log_tail. */
void batch_clear(struct batch *batch);

/* For the cores: each returns zeroed room; the step's limits make failure a programmer's error. */
struct msg *batch_msg(struct batch *batch, enum msg_kind kind, uint32_t peer);
struct record *batch_record(struct batch *batch, enum record_kind kind);
struct act *batch_act(struct batch *batch, enum act_kind kind);
struct reply *batch_reply(struct batch *batch, enum reply_kind kind, struct waiter waiter);
struct outcome *batch_told(struct batch *batch);

/** Room in the arena, aligned for any type, zeroed. */
void *batch_alloc(struct batch *batch, size_t size);

/** A copy of `size` bytes in the arena; NULL for 0 bytes. */
void *batch_copy(struct batch *batch, const void *bytes, size_t size);

#endif
