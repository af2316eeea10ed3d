/*
 * The participant of the commit protocol: one store's promises, pure.
 *
 * It keeps a record per unresolved transaction, the seal of every group and the hybrid logical
 * clock; it answers with what it durably holds. It decides nothing alone after YES, reads no clock,
 * allocates nothing after part_init(), and cannot fail: what is wrong in a message is answered or
 * counted. The rules R1 to R16 are DESIGN's section 2; README.md beside this file has them in
 * short.
 */
#ifndef SETTLE_CORE_PART_H
#define SETTLE_CORE_PART_H

#include "core/event.h"

struct part;

struct part_options {
    struct party self;
    uint16_t groups;    /* 1 to GROUPS_MAX */
    uint32_t txn_max;   /* unresolved transactions; more are answered BUSY */
    uint32_t orphan_ms; /* PREPARED for this long re-names itself (R15) */
};

/* Counted since part_init(); gauges are marked. */
struct part_stats {
    uint64_t prepared_now;   /* gauge: in doubt here */
    uint64_t unresolved_now; /* gauge: in doubt, or decided and not ended */
    uint64_t prepared, committed, aborted, ended;
    uint64_t repeats;       /* questions answered from the record */
    uint64_t stale_refused; /* R2 */
    uint64_t conflicts, busy;
    uint64_t orphans_named;
    uint64_t contradictions; /* a decision that cannot be: never, unless an invariant broke */
};

/* An unresolved transaction, to look at. Pointers live until the next step. */
struct part_view {
    struct id id;
    struct digest digest;
    enum txn_state state;
    enum protocol protocol;
    enum reason reason;
    uint16_t group;
    struct tag first, last;
    uint64_t prepare_timestamp, commit_timestamp;
    uint64_t since_ms; /* now_ms of the event that prepared it; 0 after a replay */
    uint32_t hold;
    uint16_t party_count, net_count;
    struct party parties[PARTICIPANTS_MAX];
    struct net nets[NETS_MAX];
};

size_t part_memory_size(const struct part_options *options);

/** Make an empty participant in caller's zeroed memory of part_memory_size(). */
struct part *part_init(void *memory, const struct part_options *options);

/**
 * Feed one event. Cannot fail; duplicates and what comes too late are legal and change nothing.
 *
 * @batch  receives records, messages and acts; batch_has_room() before every call. After the call
 *         the caller answers ACT_RESERVE, ACT_CHECK and ACT_CUT_TOTALS before any other event.
 */
void part_step(struct part *part, const struct event *ev, struct batch *batch);

/** True iff the id has an unresolved record here: then EV_MSG needs no `stored`. */
bool part_knows(const struct part *part, const struct id *id);

/**
 * Apply one record of the journal, in order, before the first event.
 *
 * @hold      for PREPARED (and CARRIED with state PREPARED): what the resource restored
 * @ret_hold  when not SLOT_NONE: the hold to post (COMMITTED) or to void (ABORTED) now
 * @return    0, or ERR_CORRUPT when the record contradicts the state; *err says how
 */
struct err;
int part_replay(struct part *part, const struct record *record, uint32_t hold, uint32_t *ret_hold,
                struct err *err);

/** Emit a RECORD_CARRIED for the transaction in `slot`; the caller adds a PREPARED one's branch. */
struct record *part_carry(const struct part *part, uint32_t slot, struct batch *batch);

/** The next unresolved transaction at or after *cursor (0 first); false at the end. */
bool part_next(const struct part *part, uint32_t *cursor, struct part_view *ret_view);

/** Look at the unresolved transaction `id`; false if there is none. */
bool part_find(const struct part *part, const struct id *id, struct part_view *ret_view);

/** The connection of the group's sealed leader; PEER_NONE when it did not seal since the start. */
uint32_t part_leader_peer(const struct part *part, uint16_t group);

/* What a checkpoint keeps beside journal and tables. */
uint64_t part_clock(const struct part *part);
void part_seal_get(const struct part *part, uint16_t group, uint64_t *ret_epoch,
                   struct guid *ret_guid);

/** Restore a checkpoint's clock and seals before replaying; both only rise. */
void part_restore_clock(struct part *part, uint64_t clock);
void part_restore_seal(struct part *part, uint16_t group, uint64_t epoch, const struct guid *guid);

const struct part_stats *part_stats(const struct part *part);

#endif
