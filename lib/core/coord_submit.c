/*
 * The door: what a Submit must be before anything is promised, and who waits for the outcome.
 *
 * What is refused here started nothing (I10). A Submit of what is followed already joins it (I7,
 * R7): its deadline limits its own wait and nothing else.
 */
#include "base/assert.h"
#include "core/coord_internal.h"

void coord_refuse_waiter(struct coord *coord, struct waiter waiter, const struct id *id,
                         enum reason reason, const struct node_name *node, struct batch *batch)
{
    struct reply *reply = batch_reply(batch, REPLY_REFUSED, waiter);

    coord->stats.refused++;
    reply->id = *id;
    reply->reason = reason;
    if (node)
        reply->node = *node;
}

/* Reasons that speak of an attempt, where the id may have another outcome: refused, never told. */
bool coord_reason_is_of_attempt(enum reason reason)
{
    return reason == REASON_CONFLICT || reason == REASON_STORE_REPLACED || reason == REASON_TOO_OLD;
}

static const struct node_name *concerned_node(const struct coord *coord,
                                              const struct coord_txn *txn)
{
    return txn->concerned == PARTY_NONE ? NULL : &coord->parties.all[txn->concerned].node;
}

static void reply_outcome(struct coord *coord, const struct coord_txn *txn, struct waiter waiter,
                          struct batch *batch)
{
    const struct node_name *node = concerned_node(coord, txn);
    struct reply *reply;

    ASSERT(!coord_undecided(txn));
    if (txn->phase == PHASE_ABORTED && coord_reason_is_of_attempt((enum reason)txn->reason)) {
        coord_refuse_waiter(coord, waiter, &txn->id, (enum reason)txn->reason, node, batch);
        return;
    }
    reply = batch_reply(batch, txn->phase == PHASE_COMMITTED ? REPLY_COMMITTED : REPLY_ABORTED,
                        waiter);
    reply->id = txn->id;
    reply->digest = txn->digest;
    if (txn->phase == PHASE_COMMITTED) {
        reply->timestamp = txn->timestamp;
        return;
    }
    reply->reason = (enum reason)txn->reason;
    if (node)
        reply->node = *node;
}

/* A decision was made: all who wait hear it, and the history gets it (R11). */
void coord_tell(struct coord *coord, struct coord_txn *txn, struct batch *batch)
{
    struct outcome *told;

    for (uint8_t i = 0; i < txn->waiter_count; i++)
        reply_outcome(coord, txn, txn->waiters[i].waiter, batch);
    txn->waiter_count = 0;
    if (txn->phase == PHASE_ABORTED && coord_reason_is_of_attempt((enum reason)txn->reason))
        return;
    told = batch_told(batch);
    told->id = txn->id;
    told->digest = txn->digest;
    told->state = txn->phase == PHASE_COMMITTED ? STATE_COMMITTED : STATE_ABORTED;
    told->reason = txn->phase == PHASE_COMMITTED ? REASON_NONE : (enum reason)txn->reason;
    told->timestamp = txn->phase == PHASE_COMMITTED ? txn->timestamp : 0;
}

/* Nothing of this attempt took place, or will; all who wait hear that. */
void coord_refuse(struct coord *coord, struct coord_txn *txn, enum reason reason,
                  struct batch *batch)
{
    for (uint8_t i = 0; i < txn->waiter_count; i++)
        coord_refuse_waiter(coord, txn->waiters[i].waiter, &txn->id, reason,
                            concerned_node(coord, txn), batch);
    txn->waiter_count = 0;
}

/* I8: who can wait no longer hears UNKNOWN; the transaction goes on to its end. */
void coord_tell_unknown(struct coord *coord, struct coord_txn *txn, enum reason reason,
                        uint64_t now_ms, struct batch *batch)
{
    uint8_t kept = 0;

    for (uint8_t i = 0; i < txn->waiter_count; i++) {
        struct reply *reply;

        if (txn->waiters[i].until_ms > now_ms) {
            txn->waiters[kept++] = txn->waiters[i];
            continue;
        }
        reply = batch_reply(batch, REPLY_UNKNOWN, txn->waiters[i].waiter);
        reply->id = txn->id;
        reply->digest = txn->digest;
        reply->reason = reason;
        coord->stats.unknown++;
    }
    txn->waiter_count = kept;
}

void coord_reply_told(const struct outcome *told, struct waiter waiter, struct batch *batch)
{
    bool committed = told->state == STATE_COMMITTED;
    struct reply *reply = batch_reply(batch, committed ? REPLY_COMMITTED : REPLY_ABORTED, waiter);

    reply->id = told->id;
    reply->digest = told->digest;
    reply->reason = told->reason;
    reply->timestamp = told->timestamp;
}

/*
 * Wait for a transaction that is there: answered at once if it is decided. When WAITERS_MAX wait,
 * the one who came first gives way: it is the likeliest to be gone, as a client that reconnects
 * asks again.
 */
void coord_wait(struct coord *coord, struct coord_txn *txn, struct waiter waiter, uint64_t until_ms,
                struct batch *batch)
{
    if (!coord_undecided(txn)) {
        reply_outcome(coord, txn, waiter, batch);
        return;
    }
    for (uint8_t i = 0; i < txn->waiter_count; i++) {
        if (txn->waiters[i].waiter.client == waiter.client &&
            txn->waiters[i].waiter.request == waiter.request)
            return; /* the request came twice */
    }
    if (txn->waiter_count == WAITERS_MAX) {
        txn->waiters[0].until_ms = 0;
        coord_tell_unknown(coord, txn, REASON_BUSY, 0, batch);
    }
    txn->waiters[txn->waiter_count].waiter = waiter;
    txn->waiters[txn->waiter_count].until_ms = until_ms;
    txn->waiter_count++;
    coord_txn_schedule(coord, txn);
}

/* The shape of a Submit, as far as it can be seen without opening a branch. */
static enum reason check_shape(const struct event *ev, uint8_t *ret_voters, uint8_t *ret_readers)
{
    const struct submit_branch *branches = ev->submit.branches;
    uint16_t voters = 0;

    if (!id_is_v7(&ev->submit.id))
        return REASON_ID_INVALID;
    if (ev->submit.protocol != PROTOCOL_2PC) /* R16 */
        return REASON_PROTOCOL;
    while (voters < ev->submit.branch_count && !branches[voters].read_only)
        voters++;
    if (voters == 0)
        return REASON_MALFORMED;
    if (voters > PARTICIPANTS_MAX || ev->submit.branch_count - voters > READERS_MAX)
        return REASON_PARTICIPANTS;
    for (uint16_t i = 0; i < ev->submit.branch_count; i++) {
        if (branches[i].read_only != (i >= voters) || branches[i].branch.size > BRANCH_SIZE_MAX)
            return REASON_MALFORMED;
        for (uint16_t j = i < voters ? 0 : voters; j < i; j++) {
            if (node_name_equal(&branches[i].node, &branches[j].node))
                return REASON_MALFORMED;
        }
    }
    *ret_voters = (uint8_t)voters;
    *ret_readers = (uint8_t)(ev->submit.branch_count - voters);
    return REASON_NONE;
}

/* Who is meant; and room for their branches. `*ret_index` is the branch a refusal is about. */
static enum reason check_room(struct coord *coord, const struct event *ev, uint16_t *ret_parties,
                              uint16_t *ret_index)
{
    uint32_t chunks = 0;

    for (uint16_t i = 0; i < ev->submit.branch_count; i++) {
        const struct submit_branch *branch = &ev->submit.branches[i];
        const struct coord_member *member = coord_member_find(coord, &branch->node);

        *ret_index = i;
        if (!member || !member->registered)
            return REASON_PARTICIPANT_UNKNOWN;
        if (member->party == PARTY_NONE)
            return REASON_PARTICIPANT_DOWN; /* never seen, so its store is not known */
        ret_parties[i] = member->party;
        chunks += pool_chunks_of(branch->branch.size);
    }
    *ret_index = ev->submit.branch_count;
    if (coord->stats.in_flight_now >= coord->options.in_flight_max ||
        coord->pool.free_count < chunks)
        return REASON_BUSY;
    return REASON_NONE;
}

static void start(struct coord *coord, const struct event *ev, uint16_t group, struct batch *batch)
{
    uint16_t parties[PARTICIPANTS_MAX + READERS_MAX], index = ev->submit.branch_count;
    uint8_t voters = 0, readers = 0;
    struct coord_txn *txn = NULL;
    enum reason reason = check_shape(ev, &voters, &readers);

    if (reason == REASON_NONE)
        reason = check_room(coord, ev, parties, &index);
    if (reason == REASON_NONE) {
        txn = coord_txn_make(coord, group, &ev->submit.id, &ev->submit.digest);
        reason = txn ? REASON_NONE : REASON_BUSY;
    }
    if (reason != REASON_NONE) {
        bool named = index < ev->submit.branch_count;

        coord_refuse_waiter(coord, ev->submit.waiter, &ev->submit.id, reason,
                            named ? &ev->submit.branches[index].node : NULL, batch);
        return;
    }
    txn->protocol = (uint8_t)ev->submit.protocol;
    txn->deadline_ms = coord->now_ms + ev->submit.deadline_ms;
    txn->party_count = voters;
    txn->reader_count = readers;
    memcpy(txn->parties, parties, sizeof(parties[0]) * voters);
    for (uint16_t i = ev->submit.branch_count; i > 0; i--)
        txn->branches = pool_put(&coord->pool, parties[i - 1], ev->submit.branches[i - 1].branch,
                                 txn->branches);
    coord->stats.submitted++;
    coord->stats.in_flight_now++;
    /* At the deadline AbortIfMine goes out; the answer to that is worth one more pause. */
    coord_wait(coord, txn, ev->submit.waiter, txn->deadline_ms + coord->options.retry_ms, batch);
    coord_txn_begin(coord, txn, batch);
}

/*
 * I7: true iff the id is known to be used for other content, by what was told or is followed. What
 * is ABORTED does not count: the first content may be this one, and COMMITTED at the participants,
 * who refuse the second themselves (R3).
 */
static bool is_used_otherwise(const struct coord *coord, const struct event *ev)
{
    const struct outcome *told = ev->submit.told;

    if (told && told->state == STATE_COMMITTED && !digest_equal(&told->digest, &ev->submit.digest))
        return true;
    for (const struct coord_txn *txn = coord_txn_next(coord, &ev->submit.id, NULL); txn;
         txn = coord_txn_next(coord, &ev->submit.id, txn)) {
        if (txn->phase != PHASE_ABORTED && !digest_equal(&txn->digest, &ev->submit.digest))
            return true;
    }
    return false;
}

void coord_on_submit(struct coord *coord, const struct event *ev, struct batch *batch)
{
    const struct outcome *told = ev->submit.told;
    struct waiter waiter = ev->submit.waiter;
    uint16_t group = id_group(&ev->submit.id, coord->options.groups);
    struct coord_txn *txn = coord_txn_find(coord, &ev->submit.id, &ev->submit.digest);
    uint64_t until_ms = coord->now_ms + ev->submit.deadline_ms;

    if (told && digest_equal(&told->digest, &ev->submit.digest)) {
        coord->stats.resubmitted++;
        coord_reply_told(told, waiter, batch); /* I7: the first outcome */
    } else if (!txn && is_used_otherwise(coord, ev)) {
        coord_refuse_waiter(coord, waiter, &ev->submit.id, REASON_CONFLICT, NULL, batch);
    } else if (txn) {
        coord->stats.resubmitted++; /* R7: it joins, and its deadline is only its own */
        coord_wait(coord, txn, waiter, until_ms, batch);
    } else if (!coord_group_active(&coord->groups[group])) {
        coord_refuse_waiter(coord, waiter, &ev->submit.id, REASON_NOT_LEADER, NULL, batch);
    } else {
        start(coord, ev, group, batch);
    }
}
