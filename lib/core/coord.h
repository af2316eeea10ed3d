/*
 * The coordinator of the commit protocol, for all groups one process leads; pure.
 *
 * It drives each transaction from Submit to End, takes over what earlier leaders left, and answers
 * who waits. It has no memory that safety needs: the votes are the log (DESIGN section 2). It reads
 * no clock, allocates nothing after coord_init(), and cannot fail.
 */
#ifndef SETTLE_CORE_COORD_H
#define SETTLE_CORE_COORD_H

#include "core/event.h"

struct coord;

struct coord_options {
    uint16_t groups;
    uint32_t txn_max;       /* transactions followed at once, recovered ones included */
    uint32_t in_flight_max; /* of which undecided submissions; more are refused BUSY */
    uint32_t blob_bytes;    /* room for the branches of what is in flight */
    uint32_t retry_ms;      /* a question without an answer is asked again */
    uint32_t down_grace_ms; /* how long a Submit waits for a participant that is not connected */
    uint32_t end_ms;        /* pause between two Ends of a group */
};

struct coord_stats {
    uint64_t in_flight_now; /* gauge: undecided submissions */
    uint64_t following_now; /* gauge: all transactions in the table */
    uint64_t in_doubt_now;  /* gauge: recovered, not decided yet */
    uint64_t submitted, committed, aborted, refused;
    uint64_t resubmitted; /* joined one that was there */
    uint64_t recovered;   /* taken over by report or orphan */
    uint64_t retries, stale_answers, stale_refused, ended;
    uint64_t contradictions; /* two answers that cannot both be: never, unless an invariant broke */
};

/* The life of a transaction at its leader: the diagram stands above the states in coord.c. */
enum phase {
    PHASE_READING = 1,
    PHASE_PREPARING,
    PHASE_QUERYING,
    PHASE_ABORTING,
    PHASE_COMMITTED,
    PHASE_ABORTED,
};

struct coord_view {
    struct id id;
    struct digest digest;
    enum phase phase;
    enum protocol protocol;
    enum reason reason;
    uint16_t group;
    struct tag tag;
    uint64_t since_ms, deadline_ms; /* now_ms of its beginning; of its deadline, 0 if none */
    uint16_t party_count, waiting_count;
    struct party parties[PARTICIPANTS_MAX];
    uint8_t answers[PARTICIPANTS_MAX]; /* enum heard, coord.c's */
    struct node_name waiting_for[PARTICIPANTS_MAX];
    uint16_t net_count; /* value: the debits seen in votes so far */
    struct net value[NETS_MAX];
};

const char *phase_name(enum phase phase);

size_t coord_memory_size(const struct coord_options *options);
struct coord *coord_init(void *memory, const struct coord_options *options);

/** Feed one event. Cannot fail. After EV_TICK call coord_next_ms() for when to tick again. */
void coord_step(struct coord *coord, const struct event *ev, struct batch *batch);

/** When the next EV_TICK is due, in now_ms; UINT64_MAX if nothing is scheduled. */
uint64_t coord_next_ms(const struct coord *coord);

/** True iff this process leads the group, and whether it may start new work there. */
bool coord_leads(const struct coord *coord, uint16_t group, uint64_t *ret_epoch);

/** Registered participant by name: its store if known, and whether it is connected. */
bool coord_member(const struct coord *coord, const struct node_name *node, struct party *ret_party,
                  bool *ret_up);

/** The next transaction at or after *cursor (0 first); false at the end. */
bool coord_next(const struct coord *coord, uint32_t *cursor, struct coord_view *ret_view);
bool coord_find(const struct coord *coord, const struct id *id, struct coord_view *ret_view);

const struct coord_stats *coord_stats(const struct coord *coord);

#endif
