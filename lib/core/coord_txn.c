/*
 * A transaction at its leader: one state machine per (id, digest) and epoch, for submission,
 * resubmission and recovery alike (R7).
 *
 *   Submit                                                named by a report, an orphan, a look-up
 *     |                                                                       |
 *     v            coord_txn_begin          all hold                          v
 *  GATHERING ------------------> READING ------------> PREPARING     QUERYING <--------.
 *     |  nobody came               | NO, deadline (R12)  |   |          |   |           |
 *     v                            |                     |   |          |   |           |
 *   refused                        |    BUSY, deadline   |   |          |   | NONE      |
 *                                  +---------------------+   |          |   | (R8)      |
 *                                  |                         |          |   |           |
 *                                  v                 all YES |          |   |           |
 *                               ABORTING <-------------------|----------|---'           |
 *                                  |  |                 (R4) |          |               |
 *                                  |  | PREPARED by others everywhere: renumber (R7)    |
 *                                  |  `-------------------------------------------------'
 *                       ABORTED    |                         |          |
 *                       at one (R6)v                         v          v
 *                               ABORTED <--- NO (R5) ----- . . . --> COMMITTED
 *
 * GATHERING: nothing was sent. READING: no Prepare was sent. PREPARING: only votes of our sequence
 * count. QUERYING: only answers to our Query count. ABORTING: AbortIfMine was sent, so votes of our
 * sequence count no more (R7). COMMITTED, ABORTED: decided, told; kept until all acknowledged (R9).
 * A durable COMMITTED or ABORTED heard in any phase decides at once: it is a fact, not a vote.
 */
#include "base/assert.h"
#include "core/coord_internal.h"

enum verdict {
    VERDICT_OPEN,       /* somebody's answer is missing */
    VERDICT_COMMITTED,  /* COMMITTED is durable somewhere */
    VERDICT_ABORTED,    /* ABORTED, or another digest, is durable somewhere */
    VERDICT_ALL_YES,    /* every listed participant holds PREPARED, and the nets sum to zero */
    VERDICT_UNBALANCED, /* likewise, and they do not */
    VERDICT_ABORTABLE,  /* a sealed participant holds nothing: no outcome, but AbortIfMine works */
};

static bool sums_to_zero(const struct coord_txn *txn)
{
    for (uint8_t i = 0; i < txn->sum_count; i++) {
        if (txn->sums[i].net != 0)
            return false;
    }
    return !txn->sums_overflow;
}

/*
 * The outcome function of DESIGN section 2, over what was heard. COMMITTED is looked for in all
 * answers before any abort clause (R8). "Nothing here" is no outcome (S16).
 */
static enum verdict outcome_of(const struct coord_txn *txn)
{
    uint8_t count[HEARD_TOO_OLD + 1] = {0};

    for (uint8_t i = 0; i < txn->party_count; i++)
        count[txn->heard[i]]++;
    if (count[HEARD_COMMITTED] > 0)
        return VERDICT_COMMITTED;
    if (count[HEARD_ABORTED] > 0 || count[HEARD_CONFLICT] > 0)
        return VERDICT_ABORTED;
    if (count[HEARD_YES] == txn->party_count)
        return sums_to_zero(txn) ? VERDICT_ALL_YES : VERDICT_UNBALANCED;
    if (count[HEARD_NONE] > 0)
        return VERDICT_ABORTABLE;
    return VERDICT_OPEN;
}

/* Out of the counts of the undecided, and out of need of its branches. */
static void leave_undecided(struct coord *coord, struct coord_txn *txn)
{
    if (txn->recovered)
        coord->stats.in_doubt_now--;
    else
        coord->stats.in_flight_now--;
}

static void free_branches(struct coord *coord, struct coord_txn *txn)
{
    pool_free(&coord->pool, txn->branches);
    txn->branches = SLOT_NONE;
    txn->reader_count = 0;
}

static void ask_now(struct coord *coord, struct coord_txn *txn, struct batch *batch)
{
    txn->retries = 0;
    coord_ask(coord, txn, batch);
    coord_txn_schedule(coord, txn);
}

/* Who is decided tells, and asks for acknowledgements; the only participant acknowledged (R13). */
static void decided(struct coord *coord, struct coord_txn *txn, struct batch *batch)
{
    coord_tell(coord, txn, batch);
    if (!coord_over(coord, txn))
        ask_now(coord, txn, batch);
}

static void enter_committed(struct coord *coord, struct coord_txn *txn, uint64_t timestamp,
                            struct batch *batch)
{
    leave_undecided(coord, txn);
    free_branches(coord, txn);
    txn->phase = PHASE_COMMITTED;
    txn->reason = REASON_NONE;
    txn->concerned = PARTY_NONE;
    txn->timestamp = timestamp;
    coord->stats.committed++;
    decided(coord, txn, batch);
}

/* R5, R6: an ABORTED is durable (or another digest, or an unbalanced set of votes): tell it. */
static void enter_aborted(struct coord *coord, struct coord_txn *txn, enum reason reason,
                          uint16_t concerned, struct batch *batch)
{
    leave_undecided(coord, txn);
    free_branches(coord, txn);
    txn->phase = PHASE_ABORTED;
    txn->reason = (uint8_t)reason;
    txn->concerned = concerned;
    coord->stats.aborted++;
    decided(coord, txn, batch);
}

/* R6: no ABORTED is known to be durable, so AbortIfMine goes out, and nobody is told yet. */
static void start_abort(struct coord *coord, struct coord_txn *txn, enum reason reason,
                        uint16_t concerned, struct batch *batch)
{
    free_branches(coord, txn);
    txn->phase = PHASE_ABORTING;
    txn->reason = (uint8_t)reason;
    txn->concerned = concerned;
    txn->deadline_ms = TIMERS_NEVER;
    memset(txn->heard, HEARD_NOTHING, sizeof(txn->heard)); /* R7: of no account from here on */
    if (coord_reason_is_of_attempt(reason))
        coord_refuse(coord, txn, reason, batch);
    ask_now(coord, txn, batch);
}

/* Ask for evidence, with counts of nothing heard. */
void coord_txn_query(struct coord *coord, struct coord_txn *txn)
{
    free_branches(coord, txn);
    txn->phase = PHASE_QUERYING;
    txn->reason = REASON_NONE;
    txn->concerned = PARTY_NONE;
    txn->deadline_ms = TIMERS_NEVER;
    txn->timestamp = 0;
    txn->acked = 0;
    txn->sum_count = 0;
    txn->sums_overflow = false;
    memset(txn->heard, HEARD_NOTHING, sizeof(txn->heard));
    txn->retries = 0;
    txn->retry_ms = coord->now_ms;
    coord_txn_schedule(coord, txn);
}

/*
 * Every listed participant is PREPARED, none by our sequence: an AbortIfMine of ours that is still
 * under way cannot be obeyed any more. R7: the votes are asked for again, under a new sequence.
 */
static void query_again(struct coord *coord, struct coord_txn *txn)
{
    coord_txn_renumber(coord, txn);
    coord_txn_query(coord, txn);
}

/* What is heard of `party` in `msg` may have made the outcome. */
static void conclude(struct coord *coord, struct coord_txn *txn, uint8_t party,
                     const struct msg *msg, struct batch *batch)
{
    uint16_t concerned = txn->parties[party];
    enum reason reason = REASON_CONFLICT;

    switch (outcome_of(txn)) {
    case VERDICT_OPEN:
        break;
    case VERDICT_COMMITTED:
        enter_committed(coord, txn, msg->record.timestamp, batch);
        break;
    case VERDICT_ABORTED:
        if (msg->record.answer == ANSWER_RECORD)
            reason = msg->record.reason;
        if (txn->phase == PHASE_ABORTING && reason == txn->reason)
            concerned = txn->concerned; /* obeyed: it is about whom we aborted for */
        enter_aborted(coord, txn, reason, concerned, batch);
        break;
    case VERDICT_ALL_YES:
        if (txn->phase == PHASE_ABORTING)
            query_again(coord, txn);
        else /* R4. The commit point: the last vote that was missing is durable. */
            enter_committed(coord, txn, txn->timestamp, batch);
        break;
    case VERDICT_UNBALANCED:
        if (txn->phase == PHASE_ABORTING)
            query_again(coord, txn);
        else
            enter_aborted(coord, txn, REASON_UNBALANCED, PARTY_NONE, batch);
        break;
    case VERDICT_ABORTABLE:
        start_abort(coord, txn, REASON_RECOVERY, concerned, batch);
        break;
    }
}

/* A vote's nets, into the sums; and its timestamp, into the commit's (R4: the largest). */
static void count_vote(struct coord_txn *txn, const struct msg *msg)
{
    if (msg->record.timestamp > txn->timestamp)
        txn->timestamp = msg->record.timestamp;
    for (uint16_t i = 0; i < msg->record.net_count; i++) {
        const struct net *net = &msg->record.nets[i];
        uint8_t at = 0;

        while (at < txn->sum_count && !currency_equal(&txn->sums[at].currency, &net->currency))
            at++;
        if (at == NETS_MAX) {
            txn->sums_overflow = true;
            return;
        }
        if (at == txn->sum_count) {
            memset(&txn->sums[at], 0, sizeof(txn->sums[at]));
            txn->sums[at].currency = net->currency;
            txn->sum_count++;
        }
        txn->sums[at].net += net->amount;
        if (net->amount < 0)
            txn->sums[at].debits += (uint64_t)0 - (uint64_t)net->amount;
    }
}

static enum heard heard_in(const struct msg *msg)
{
    switch (msg->record.answer) {
    case ANSWER_CONFLICT:
        return HEARD_CONFLICT;
    case ANSWER_TOO_OLD:
        return HEARD_TOO_OLD;
    case ANSWER_BUSY:
    case ANSWER_STORE_REPLACED:
        return HEARD_NOTHING; /* not votes */
    case ANSWER_RECORD:
        break;
    }
    switch (msg->record.state) {
    case STATE_NONE:
        return HEARD_NONE;
    case STATE_PREPARED:
        return HEARD_YES;
    case STATE_COMMITTED:
        return HEARD_COMMITTED;
    case STATE_ABORTED:
        return HEARD_ABORTED;
    }
    return HEARD_NOTHING;
}

/* What no vote or message can change any more. */
static bool is_fact(enum heard heard)
{
    return heard == HEARD_COMMITTED || heard == HEARD_ABORTED || heard == HEARD_CONFLICT;
}

/* PREPARING: a vote, an outcome of before, or a refusal to vote. */
static void on_vote(struct coord *coord, struct coord_txn *txn, uint8_t party,
                    const struct msg *msg, struct batch *batch)
{
    enum heard heard = heard_in(msg);

    if (msg->record.to != MSG_PREPARE || heard == HEARD_NONE)
        return;
    if (heard == HEARD_NOTHING) { /* BUSY and STORE_REPLACED promise nothing: R6 */
        start_abort(coord, txn,
                    msg->record.answer == ANSWER_BUSY ? msg->record.reason : REASON_STORE_REPLACED,
                    txn->parties[party], batch);
        return;
    }
    if (heard == HEARD_TOO_OLD) {
        start_abort(coord, txn, REASON_TOO_OLD, txn->parties[party], batch);
        return;
    }
    if (heard == HEARD_YES && tag_equal(msg->record.first, txn->tag) &&
        coord_clock_is_ahead(coord, msg->record.timestamp)) {
        start_abort(coord, txn, REASON_CLOCK, txn->parties[party], batch);
        return; /* only our own vote: what others prepared may be committed already */
    }
    txn->heard[party] = (uint8_t)heard;
    if (heard == HEARD_YES) {
        txn->prepared |= (uint16_t)(1u << party);
        count_vote(txn, msg);
    } else {
        coord_ack(txn, party, msg);
    }
    conclude(coord, txn, party, msg, batch);
}

/* QUERYING (R8): what the permanent record says; votes are counted as in PREPARING. */
static void on_evidence(struct coord *coord, struct coord_txn *txn, uint8_t party,
                        const struct msg *msg, struct batch *batch)
{
    enum heard heard = heard_in(msg);

    if (msg->record.to != MSG_QUERY || heard == HEARD_NOTHING)
        return;
    txn->heard[party] = (uint8_t)heard;
    if (heard == HEARD_YES)
        count_vote(txn, msg);
    conclude(coord, txn, party, msg, batch);
}

/*
 * ABORTING: R7, only durable outcomes count, whatever they answer. PREPARED counts for one thing:
 * an answer to AbortIfMine under another's tag says that ours is not obeyed there, now or ever.
 */
static void on_abort_answer(struct coord *coord, struct coord_txn *txn, uint8_t party,
                            const struct msg *msg, struct batch *batch)
{
    enum heard heard = heard_in(msg);
    bool fact = is_fact(heard);

    if (!fact && (msg->record.to != MSG_ABORT_IF_MINE || heard == HEARD_NONE ||
                  heard == HEARD_NOTHING || tag_equal(msg->record.first, txn->tag)))
        return;
    txn->heard[party] = (uint8_t)heard;
    if (fact || heard == HEARD_TOO_OLD)
        coord_ack(txn, party, msg);
    if (txn->acked == coord_all(txn->party_count) && !fact) {
        /* All below oldest_id: nothing is held anywhere, and nothing ever will be (R10). */
        leave_undecided(coord, txn);
        txn->phase = PHASE_ABORTED;
        coord_refuse(coord, txn, REASON_TOO_OLD, batch);
        coord_over(coord, txn);
        return;
    }
    conclude(coord, txn, party, msg, batch);
}

/*
 * ABORTED, and a participant is PREPARED by another's tag, so that it does not obey AbortIfMine.
 * R14: it obeys our Abort only if its record lists the very stores we do, which a YES to our
 * Prepare proves; else it is waited for to name itself with its list (R9, R15).
 */
static void on_held_by_other(struct coord *coord, struct coord_txn *txn, uint8_t party,
                             const struct msg *msg, struct batch *batch)
{
    uint16_t bit = (uint16_t)(1u << party);

    if (msg->record.to != MSG_PREPARE || (txn->prepared & bit) != 0)
        return;
    txn->prepared |= bit;
    ask_now(coord, txn, batch);
}

/* COMMITTED, ABORTED: acknowledgements (R9). I1: nothing heard now changes a decision. */
static void on_ack(struct coord *coord, struct coord_txn *txn, uint8_t party, const struct msg *msg,
                   struct batch *batch)
{
    enum heard heard = heard_in(msg);
    bool committed = txn->phase == PHASE_COMMITTED;

    if ((committed && (heard == HEARD_ABORTED || heard == HEARD_CONFLICT ||
                       (heard == HEARD_NONE && msg->record.to == MSG_COMMIT))) ||
        (!committed && heard == HEARD_COMMITTED))
        coord->stats.contradictions++;
    if (is_fact(heard) || heard == HEARD_TOO_OLD)
        coord_ack(txn, party, msg);
    else if (!committed && heard == HEARD_YES && !tag_equal(msg->record.first, txn->tag))
        on_held_by_other(coord, txn, party, msg, batch);
    coord_over(coord, txn);
}

static bool party_of(const struct coord_txn *txn, uint16_t party, uint8_t *ret_index)
{
    for (uint8_t i = 0; i < txn->party_count; i++) {
        if (txn->parties[i] == party) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

/* The transaction that `msg` answers, if it is followed under exactly that tag (R2, R7, R9). */
static struct coord_txn *answered(struct coord *coord, const struct msg *msg)
{
    struct coord_txn *txn = coord_is_current(coord, msg)
                                ? coord_txn_find(coord, &msg->id, &msg->digest)
                                : NULL;

    if (txn && tag_equal(txn->tag, msg->tag))
        return txn;
    coord->stats.stale_answers++;
    return NULL;
}

void coord_on_record(struct coord *coord, const struct coord_member *member, const struct msg *msg,
                     struct batch *batch)
{
    struct coord_txn *txn = answered(coord, msg);
    uint8_t party;

    if (!txn || !party_of(txn, member->linked, &party))
        return; /* R14: evidence counts only from a listed store */
    if (msg->record.timestamp > coord->clock && !coord_clock_is_ahead(coord, msg->record.timestamp))
        coord->clock = msg->record.timestamp;
    if (coord_undecided(txn) && txn->heard[party] != HEARD_NOTHING && !is_fact(heard_in(msg)))
        return; /* a repeat: it was counted */
    switch ((enum phase)txn->phase) {
    case PHASE_GATHERING:
    case PHASE_READING:
        break; /* nobody was asked */
    case PHASE_PREPARING:
        on_vote(coord, txn, party, msg, batch);
        break;
    case PHASE_QUERYING:
        on_evidence(coord, txn, party, msg, batch);
        break;
    case PHASE_ABORTING:
        on_abort_answer(coord, txn, party, msg, batch);
        break;
    case PHASE_COMMITTED:
    case PHASE_ABORTED:
        on_ack(coord, txn, party, msg, batch);
        break;
    }
}

/* R12: all read-only branches hold before the first Prepare leaves; one that does not aborts. */
void coord_on_checked(struct coord *coord, const struct coord_member *member, const struct msg *msg,
                      struct batch *batch)
{
    struct coord_txn *txn = answered(coord, msg);
    uint32_t entry;

    if (!txn || txn->phase != PHASE_READING)
        return;
    entry = txn->branches;
    for (uint8_t i = 0; i < txn->party_count; i++)
        entry = coord->pool.chunks[entry].next_entry;
    for (uint8_t i = 0; i < txn->reader_count; i++) {
        if (coord->pool.chunks[entry].party != member->linked) {
            entry = coord->pool.chunks[entry].next_entry;
            continue;
        }
        if (!msg->checked.holds) {
            start_abort(coord, txn, msg->checked.reason, member->linked, batch);
            return;
        }
        txn->readers |= (uint16_t)(1u << i);
        break;
    }
    if (txn->readers != coord_all(txn->reader_count))
        return;
    txn->phase = PHASE_PREPARING;
    ask_now(coord, txn, batch);
}

/*
 * The first participant that does not let the phase go on: in GATHERING one that is not connected
 * or has not sealed, in READING and PREPARING one that has not answered. PARTY_NONE: nobody.
 */
static uint16_t first_silent(const struct coord *coord, const struct coord_txn *txn)
{
    uint32_t entry = txn->branches;

    for (uint8_t i = 0; entry != SLOT_NONE; i++) {
        const struct pool_chunk *chunk = &coord->pool.chunks[entry];
        bool reader = i >= txn->party_count;
        bool silent;

        if (txn->phase == PHASE_GATHERING)
            silent = coord_peer(coord, txn->group, chunk->party) == PEER_NONE;
        else if (txn->phase == PHASE_READING)
            silent = reader && (txn->readers & (1u << (i - txn->party_count))) == 0;
        else
            silent = !reader && txn->heard[i] == HEARD_NOTHING;
        if (silent)
            return chunk->party;
        entry = chunk->next_entry;
    }
    return PARTY_NONE;
}

/* GATHERING: start as soon as everybody is there (R8: recovery of others gates nothing). */
void coord_txn_begin(struct coord *coord, struct coord_txn *txn, struct batch *batch)
{
    ASSERT(txn->phase == PHASE_GATHERING);
    if (coord_group_active(&coord->groups[txn->group]) && first_silent(coord, txn) == PARTY_NONE) {
        txn->phase = txn->reader_count > 0 ? PHASE_READING : PHASE_PREPARING;
        ask_now(coord, txn, batch);
    }
}

/* The first attempt's time is over: nothing sent is refused; anything sent is aborted by R6. */
void coord_txn_deadline(struct coord *coord, struct coord_txn *txn, struct batch *batch)
{
    bool active = coord_group_active(&coord->groups[txn->group]);
    uint16_t silent = first_silent(coord, txn);
    bool down = active && silent != PARTY_NONE &&
                coord_peer(coord, txn->group, silent) == PEER_NONE;

    if (txn->phase == PHASE_GATHERING) {
        txn->concerned = down ? silent : PARTY_NONE;
        coord_refuse(coord, txn, down ? REASON_PARTICIPANT_DOWN : REASON_NOT_LEADER, batch);
        coord_txn_free(coord, txn);
        return;
    }
    ASSERT(txn->phase == PHASE_READING || txn->phase == PHASE_PREPARING);
    start_abort(coord, txn, down ? REASON_PARTICIPANT_DOWN : REASON_DEADLINE, silent, batch);
}
