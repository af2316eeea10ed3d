/*
 * The protocol's value types: tags, parties, nets, states.
 *
 * Times are milliseconds of a clock the caller reads (the core reads none, I12). Timestamps are
 * those of the hybrid logical clock: 48 bits of milliseconds since 1970, 16 bits of counter.
 */
#ifndef SETTLE_CORE_TYPES_H
#define SETTLE_CORE_TYPES_H

#include "base/limits.h"
#include "base/reason.h"
#include "base/types.h"

#define SLOT_NONE UINT32_MAX /* no entry of a table */
#define PEER_NONE 0u         /* no connection; handles of connections start at 1 */

/* The commit protocol, fixed at Submit and part of the digest (R16). Numbers stand on disk. */
enum protocol {
    PROTOCOL_2PC = 1,
    PROTOCOL_3PC = 2,
};

/*
 * What a participant durably holds for an id. Written once forward:
 *
 *   NONE --on_reserved--> PREPARED --on_commit--> COMMITTED
 *    |                       `------on_abort, on_abort_if_mine (R6)--> ABORTED
 *    |--on_reserved (NO), on_abort, on_abort_if_mine--> ABORTED
 *    `--on_reserved, one participant (R13)--> COMMITTED
 *
 * PREPARED: branch held, list kept, vote YES may have left. COMMITTED, ABORTED: for ever (R10).
 */
enum txn_state {
    STATE_NONE = 0,
    STATE_PREPARED = 1,
    STATE_COMMITTED = 2,
    STATE_ABORTED = 3,
};

/* Which leader's which transaction: the fencing token and the leader's own number within it. */
struct tag {
    uint64_t epoch;
    uint64_t sequence;
};

/* A participant as a transaction lists it: evidence counts from this store only (R14). */
struct party {
    struct node_name node;
    struct guid store;
};

/* What a branch adds to its participant's books in one currency: credits minus debits, minor units.
 */
struct net {
    struct currency currency;
    int64_t amount;
};

/* Bytes borrowed from somewhere whose life the context states. */
struct blob {
    const uint8_t *bytes;
    uint32_t size;
};

static inline bool tag_equal(struct tag a, struct tag b)
{
    return a.epoch == b.epoch && a.sequence == b.sequence;
}

static inline bool party_equal(const struct party *a, const struct party *b)
{
    return node_name_equal(&a->node, &b->node) && guid_equal(&a->store, &b->store);
}

/* The hybrid logical clock's timestamp of a wall clock's millisecond. */
static inline uint64_t timestamp_of_ms(uint64_t wall_ms)
{
    return wall_ms << 16;
}

static inline uint64_t timestamp_ms(uint64_t timestamp)
{
    return timestamp >> 16;
}

const char *txn_state_name(enum txn_state state);

#endif
