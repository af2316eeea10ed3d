/*
 * Asking, asking again, and the end of a transaction.
 *
 * A question is repeated while somebody who can be reached has not answered it, with pauses that
 * grow; whoever cannot be reached is asked when he has sealed. R9: a transaction is over when every
 * listed participant holds its outcome under our tag; its sequence then falls under the watermark
 * of the next End.
 */
#include "base/assert.h"
#include "core/coord_internal.h"

#define RETRY_SHIFT_MAX 4 /* the longest pause is 16 times the first */
#define END_REPEATS_MAX                                                       \
    10 /* an End is repeated with doubling pauses, for it is not acknowledged \
        */

static struct msg *msg_of(const struct coord_txn *txn, enum msg_kind kind, uint32_t peer,
                          struct batch *batch)
{
    struct msg *out = batch_msg(batch, kind, peer);

    out->group = txn->group;
    out->tag = txn->tag;
    out->id = txn->id;
    out->digest = txn->digest;
    return out;
}

/* R12, then R3: branches come out of the pool in the list's order, voters before readers. */
static bool ask_branches(struct coord *coord, const struct coord_txn *txn, struct batch *batch)
{
    bool reading = txn->phase == PHASE_READING;
    const struct party *parties = NULL;
    uint32_t entry = txn->branches;
    bool asked = false;

    if (!reading)
        parties = parties_expand(&coord->parties, txn->parties, txn->party_count, batch);
    for (uint8_t i = 0; entry != SLOT_NONE; i++) {
        const struct pool_chunk *chunk = &coord->pool.chunks[entry];
        uint32_t peer = coord_peer(coord, txn->group, chunk->party);
        bool reader = i >= txn->party_count;
        bool answered = reader ? (txn->readers & (1u << (i - txn->party_count))) != 0
                               : txn->heard[i] != HEARD_NOTHING;
        struct blob branch;
        struct msg *out;

        if (reader == reading && !answered && peer != PEER_NONE) {
            branch = pool_get(&coord->pool, entry, batch);
            out = msg_of(txn, reading ? MSG_CHECK : MSG_PREPARE, peer, batch);
            if (reading) {
                out->check.branch = branch;
            } else {
                out->prepare.protocol = (enum protocol)txn->protocol;
                out->prepare.parties = parties;
                out->prepare.party_count = txn->party_count;
                out->prepare.branch = branch;
            }
            asked = true;
        }
        entry = chunk->next_entry;
    }
    return asked;
}

/*
 * Abort (R5) goes to whoever is known to hold this transaction under this very list of stores;
 * whoever is not gets AbortIfMine, which is obeyed where nothing is held, or ours (R6, R14).
 */
static enum msg_kind abort_kind(const struct coord_txn *txn, uint8_t party)
{
    bool known = txn->recovered || (txn->prepared & (1u << party)) != 0;

    return known ? MSG_ABORT : MSG_ABORT_IF_MINE;
}

static bool ask_parties(struct coord *coord, const struct coord_txn *txn, enum msg_kind kind,
                        struct batch *batch)
{
    bool asked = false;

    for (uint8_t i = 0; i < txn->party_count; i++) {
        uint32_t peer = coord_peer(coord, txn->group, txn->parties[i]);
        bool answered = coord_undecided(txn) ? txn->heard[i] != HEARD_NOTHING
                                             : (txn->acked & (1u << i)) != 0;
        struct msg *out;

        if (answered || peer == PEER_NONE)
            continue;
        out = msg_of(txn, kind == MSG_ABORT ? abort_kind(txn, i) : kind, peer, batch);
        if (kind == MSG_COMMIT)
            out->commit.timestamp = txn->timestamp;
        else if (kind != MSG_QUERY)
            out->abort.reason = (enum reason)txn->reason;
        asked = true;
    }
    return asked;
}

/* Ask whoever can be reached and has not answered what the phase asks. */
void coord_ask(struct coord *coord, struct coord_txn *txn, struct batch *batch)
{
    uint8_t shift = txn->retries < RETRY_SHIFT_MAX ? txn->retries : RETRY_SHIFT_MAX;
    bool asked = false;

    switch ((enum phase)txn->phase) {
    case PHASE_GATHERING:
        break;
    case PHASE_READING:
    case PHASE_PREPARING:
        asked = ask_branches(coord, txn, batch);
        break;
    case PHASE_QUERYING:
        asked = ask_parties(coord, txn, MSG_QUERY, batch);
        break;
    case PHASE_ABORTING:
        asked = ask_parties(coord, txn, MSG_ABORT_IF_MINE, batch);
        break;
    case PHASE_COMMITTED:
        asked = ask_parties(coord, txn, MSG_COMMIT, batch);
        break;
    case PHASE_ABORTED:
        asked = ask_parties(coord, txn, MSG_ABORT, batch);
        break;
    }
    txn->retry_ms = TIMERS_NEVER; /* whoever is missing wakes us by sealing */
    if (asked) {
        txn->retry_ms = coord->now_ms + ((uint64_t)coord->options.retry_ms << shift);
        txn->retries = (uint8_t)(shift + 1);
    }
}

/*
 * R9: an acknowledgement is an answer, under our tag, to what moves the record's tag: a Query moves
 * nothing, so an End of ours would not cover what only answered one. CONFLICT and TOO_OLD say that
 * nothing of this transaction is held, or ever will be.
 */
void coord_ack(struct coord_txn *txn, uint8_t party, const struct msg *msg)
{
    if (msg->record.to == MSG_PREPARE || msg->record.to == MSG_COMMIT ||
        msg->record.to == MSG_ABORT || msg->record.to == MSG_ABORT_IF_MINE)
        txn->acked |= (uint16_t)(1u << party);
}

/* R9: decided, and acknowledged by all listed, voted or not: then it is over, and forgotten here.
 */
bool coord_over(struct coord *coord, struct coord_txn *txn)
{
    uint16_t group = txn->group;

    if (coord_undecided(txn) || txn->acked != coord_all(txn->party_count))
        return false;
    coord_txn_free(coord, txn);
    coord->stats.ended++;
    coord_end_soon(coord, group);
    return true;
}

/* The time by which a GATHERING transaction's participants must have come. */
static uint64_t gather_until(const struct coord *coord, const struct coord_txn *txn)
{
    uint64_t grace = txn->since_ms + coord->options.down_grace_ms;

    return grace < txn->deadline_ms ? grace : txn->deadline_ms;
}

void coord_txn_schedule(struct coord *coord, struct coord_txn *txn)
{
    uint64_t due = txn->phase == PHASE_GATHERING ? gather_until(coord, txn) : txn->deadline_ms;

    if (!coord_undecided(txn))
        due = TIMERS_NEVER;
    if (txn->retry_ms < due)
        due = txn->retry_ms;
    for (uint8_t i = 0; i < txn->waiter_count; i++) {
        if (txn->waiters[i].until_ms < due)
            due = txn->waiters[i].until_ms;
    }
    timers_ask(&coord->timers, coord_txn_slot(coord, txn), due);
}

void coord_txn_tick(struct coord *coord, uint32_t slot, struct batch *batch)
{
    struct coord_txn *txn = &coord->txns[slot];
    uint64_t limit;

    if (!txn->used || !coord_txn_live(coord, txn))
        return; /* the timer of one that was here before */
    if (txn->phase == PHASE_GATHERING)
        coord_txn_begin(coord, txn, batch);
    limit = txn->phase == PHASE_GATHERING ? gather_until(coord, txn) : txn->deadline_ms;
    if (coord_undecided(txn) && limit <= coord->now_ms) {
        coord_txn_deadline(coord, txn, batch);
        if (!txn->used)
            return;
    } else if (txn->retry_ms <= coord->now_ms) {
        if (txn->retries > 0)
            coord->stats.retries++;
        coord_ask(coord, txn, batch);
    }
    coord_tell_unknown(coord, txn, REASON_UNKNOWN_OUTCOME, coord->now_ms, batch);
    coord_txn_schedule(coord, txn);
}

/* Something is over: the next End says so, and is then repeated for a while. */
void coord_end_soon(struct coord *coord, uint16_t group)
{
    struct coord_group *at = &coord->groups[group];
    uint64_t soon = coord->now_ms + coord->options.end_ms;

    at->end_repeats = 0;
    if (at->end_ms > soon)
        at->end_ms = soon;
    coord_group_schedule(coord, group);
}

/*
 * R9: all our sequences up to the watermark are over, but for those still open. At most
 * END_EXCEPTIONS_MAX of them are named; the next open one then holds the watermark down.
 */
void coord_end_send(struct coord *coord, uint16_t group, struct batch *batch)
{
    struct coord_group *at = &coord->groups[group];
    uint64_t *exceptions = batch_alloc(batch, sizeof(*exceptions) * END_EXCEPTIONS_MAX);
    uint64_t watermark = at->sequence;
    uint16_t count = 0;

    at->end_ms = TIMERS_NEVER;
    if (at->sequence == 0)
        return;
    for (uint32_t slot = at->head; slot != SLOT_NONE; slot = coord->txns[slot].next) {
        if (count == END_EXCEPTIONS_MAX) {
            watermark = coord->txns[slot].tag.sequence - 1;
            break;
        }
        exceptions[count++] = coord->txns[slot].tag.sequence;
    }
    for (uint16_t i = 0; i < coord->member_count; i++) {
        struct msg *out;

        if ((at->sealed >> i & 1) == 0 || coord->members[i].peer == PEER_NONE)
            continue;
        out = batch_msg(batch, MSG_END, coord->members[i].peer);
        out->group = group;
        out->tag.epoch = at->epoch;
        out->end.watermark = watermark;
        out->end.exceptions = exceptions;
        out->end.exception_count = count;
    }
    if (at->end_repeats < END_REPEATS_MAX)
        at->end_ms = coord->now_ms + ((uint64_t)coord->options.end_ms << at->end_repeats++);
}
