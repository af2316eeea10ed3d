/*
 * The coordinator of the commit protocol, for all groups one process leads; pure.
 *
 * It drives each transaction from Submit to End, takes over what earlier leaders left, and answers
 * who waits. It has no memory that safety needs: the votes are the log (DESIGN section 2). It reads
 * no clock, allocates nothing after coord_init(), and cannot fail.
 *
 * What the caller owes it:
 *   - every event with a rising now_ms, and EV_TICK whenever coord_next_ms() has come: a step is
 *     bounded (BATCH_STEP_*), so what concerns many transactions is done a slice a tick;
 *   - EV_MEMBER for each registered participant, EV_LINK_UP and EV_LINK_DOWN for connections, a
 *     fresh peer number for each, and messages only from peers that are up;
 *   - `told` outcomes kept in a history by id, where a COMMITTED is never overwritten;
 *   - a Submit whose postings sum to zero per currency: the core does not look into branches;
 *   - EV_UNLEAD after ACT_STEP_DOWN, once leadership was given up.
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

#define COORD_FINDS_MAX  32 /* ids looked up at the participants at once */
#define COORD_AUDITS_MAX 2  /* audits at once */

/* Counted since coord_init(); gauges are marked. */
struct coord_stats {
    uint64_t in_flight_now; /* gauge: undecided submissions */
    uint64_t following_now; /* gauge: all transactions in the table */
    uint64_t in_doubt_now;  /* gauge: recovered, not decided yet */
    uint64_t submitted, committed, aborted, refused;
    uint64_t resubmitted; /* joined one that was there */
    uint64_t recovered;   /* taken over by report, orphan or look-up */
    uint64_t unknown;     /* waits that ended before a decision could be told */
    uint64_t retries, stale_answers, stale_refused, ended;
    uint64_t contradictions; /* two answers that cannot both be: never, unless an invariant broke */
};

/* The life of a transaction at its leader: the diagram stands above coord_txn.c. */
enum phase {
    PHASE_GATHERING = 1, /* nothing was sent: a participant is not connected or not sealed yet */
    PHASE_READING,       /* read-only branches are asked (R12) */
    PHASE_PREPARING,     /* votes are asked for (R3) */
    PHASE_QUERYING,      /* evidence is asked for (R8) */
    PHASE_ABORTING,      /* AbortIfMine is out, no ABORTED known yet (R6) */
    PHASE_COMMITTED,     /* decided, told; not every listed participant acknowledged (R9) */
    PHASE_ABORTED,
};

/* What a listed participant said last, of what counts in the phase. */
enum heard {
    HEARD_NOTHING = 0,
    HEARD_NONE, /* sealed, and holds nothing */
    HEARD_YES,  /* PREPARED */
    HEARD_COMMITTED,
    HEARD_ABORTED,
    HEARD_CONFLICT, /* it holds another digest for the id */
    HEARD_TOO_OLD,  /* it holds nothing, and never will (R10) */
};

/* A transaction to look at. */
struct coord_view {
    struct id id;
    struct digest digest;
    enum phase phase;
    enum protocol protocol;
    enum reason reason; /* of the abort, NONE before one */
    uint16_t group;
    struct tag tag;
    bool recovered;                 /* taken over from an earlier leader */
    uint64_t since_ms, deadline_ms; /* now_ms of its beginning; of its deadline, 0 if none */
    uint16_t party_count, waiting_count;
    struct party parties[PARTICIPANTS_MAX];
    enum heard heard[PARTICIPANTS_MAX];
    struct node_name waiting_for[PARTICIPANTS_MAX]; /* the first of whoever has not answered */
    uint16_t net_count; /* value: the debits seen in votes so far, as amounts > 0 */
    struct net value[NETS_MAX];
};

const char *phase_name(enum phase phase);
const char *heard_name(enum heard heard);

/** Bytes coord_init() needs. */
size_t coord_memory_size(const struct coord_options *options);

/** Make a coordinator that leads nothing, in caller's ZEROED memory of coord_memory_size(). */
struct coord *coord_init(void *memory, const struct coord_options *options);

/**
 * Feed one event. Cannot fail; duplicates and what comes too late are legal and change nothing.
 *
 * @batch  receives messages, acts, replies and told outcomes; batch_has_room() before every call
 */
void coord_step(struct coord *coord, const struct event *ev, struct batch *batch);

/** When the next EV_TICK is due, in now_ms: 0 for at once; UINT64_MAX if nothing is scheduled. */
uint64_t coord_next_ms(const struct coord *coord);

/**
 * True iff this process leads the group; and since which epoch, and whether it may start work (both
 * may be NULL).
 */
bool coord_leads(const struct coord *coord, uint16_t group, uint64_t *ret_epoch, bool *ret_active);

/** Registered participant by name: its store (zero if unknown), and whether it is connected. */
bool coord_member(const struct coord *coord, const struct node_name *node, struct party *ret_party,
                  bool *ret_up);

/** The next transaction at or after *cursor (0 first); false at the end. */
bool coord_next(const struct coord *coord, uint32_t *cursor, struct coord_view *ret_view);

/** A transaction of that id, the one that is decided COMMITTED first; false if there is none. */
bool coord_find(const struct coord *coord, const struct id *id, struct coord_view *ret_view);

const struct coord_stats *coord_stats(const struct coord *coord);

#endif
