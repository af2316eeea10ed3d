/*
 * A transaction at its participant: the record and its transitions.
 *
 * Every question is answered with the record (answer_record), and every transition is one record in
 * the log. The points of no return: the RECORD_PREPARED of a YES, which gives the decision away,
 * and the RECORD_COMMITTED of a one-participant transaction, which is the decision (R13).
 */
#include "base/assert.h"
#include "core/part_internal.h"

/* An answer that repeats its request's names. */
static struct msg *answer_to(const struct msg *msg, enum answer answer, struct batch *batch)
{
    struct msg *out = batch_msg(batch, MSG_RECORD, msg->peer);

    out->group = msg->group;
    out->tag = msg->tag;
    out->id = msg->id;
    out->digest = msg->digest;
    out->record.to = msg->kind;
    out->record.answer = answer;
    return out;
}

static void answer_busy(struct part *part, const struct msg *msg, enum reason reason,
                        struct batch *batch)
{
    struct msg *out = answer_to(msg, ANSWER_BUSY, batch);

    out->record.reason = reason;
    part->stats.busy++;
}

/* What this store holds for the id, said in full. */
static void answer_record(const struct part_txn *txn, const struct msg *msg, struct batch *batch)
{
    struct msg *out = answer_to(msg, ANSWER_RECORD, batch);

    out->record.state = (enum txn_state)txn->state;
    out->record.reason = (enum reason)txn->reason;
    out->record.first = txn->first;
    out->record.timestamp = txn->state == STATE_COMMITTED ? txn->commit_timestamp
                                                          : txn->prepare_timestamp;
    if (txn->state == STATE_PREPARED) {
        out->record.nets = batch_copy(batch, txn->nets, sizeof(txn->nets[0]) * txn->net_count);
        out->record.net_count = txn->net_count;
    }
}

static void answer_stored(const struct outcome *stored, const struct msg *msg, struct batch *batch)
{
    struct msg *out = answer_to(msg, ANSWER_RECORD, batch);

    ASSERT(stored->state == STATE_COMMITTED || stored->state == STATE_ABORTED);
    out->record.state = stored->state;
    out->record.reason = stored->reason;
    out->record.timestamp = stored->timestamp;
}

/* R9: a later touch moves the tag, so that only its leader's End may cover the record. */
bool part_touch(struct part *part, struct part_txn *txn, struct tag tag)
{
    bool later = tag.epoch > txn->last.epoch ||
                 (tag.epoch == txn->last.epoch && tag.sequence > txn->last.sequence);

    if (!later)
        return false;
    txn->last = tag;
    if (txn->state != STATE_PREPARED && !txn->checking) {
        part_decided_unlink(part, txn);
        part_decided_link(part, txn);
    }
    return true;
}

/*
 * The moved tag of what is decided goes into the log, for the acknowledgement speaks of it, and an
 * End must cover the same after a restart. What is PREPARED has a record of its decision to come.
 */
static void touch(struct part *part, struct part_txn *txn, struct tag tag, struct batch *batch)
{
    if (part_touch(part, txn, tag) && txn->state != STATE_PREPARED && !txn->checking)
        part_carry(part, part_txn_slot(part, txn), batch);
}

/*
 * Answer from what is held already, if anything is: the unresolved record, or the outcome that
 * stays for ever (R10). True iff it was answered. Another digest: CONFLICT, nothing changes (R3).
 */
static bool answer_held(struct part *part, struct part_txn *txn, const struct event *ev,
                        struct batch *batch)
{
    const struct msg *msg = ev->msg.msg;
    const struct outcome *stored = ev->msg.stored;
    const struct digest *held;

    if (!txn && !stored)
        return false;
    held = txn ? &txn->digest : &stored->digest;
    if (!digest_equal(held, &msg->digest)) {
        answer_to(msg, ANSWER_CONFLICT, batch);
        part->stats.conflicts++;
        return true;
    }
    part->stats.repeats++;
    if (txn)
        answer_record(txn, msg, batch);
    else
        answer_stored(stored, msg, batch);
    return true;
}

/*
 * R14: a repeat under a list of other stores is no repeat: whose evidence would count is unclear.
 * An outcome, though, is one under any list (R3).
 */
static bool same_parties(const struct part *part, const struct part_txn *txn, const struct msg *msg)
{
    if (txn->party_count != msg->prepare.party_count)
        return false;
    for (uint16_t i = 0; i < txn->party_count; i++) {
        if (!party_equal(&part->parties.all[txn->parties[i]], &msg->prepare.parties[i]))
            return false;
    }
    return true;
}

static bool lists_me(const struct part *part, const struct msg *msg)
{
    for (uint16_t i = 0; i < msg->prepare.party_count; i++) {
        if (party_equal(&part->options.self, &msg->prepare.parties[i]))
            return true;
    }
    return false;
}

/* The header of `msg` without its body, which is borrowed. */
static void keep_pending(struct part *part, const struct msg *msg)
{
    memset(&part->pending, 0, sizeof(part->pending));
    part->pending.kind = msg->kind;
    part->pending.peer = msg->peer;
    part->pending.group = msg->group;
    part->pending.tag = msg->tag;
    part->pending.id = msg->id;
    part->pending.digest = msg->digest;
}

/* R3: a new id is checked and reserved; PREPARED or ABORTED follows in on_reserved. */
static void prepare_new(struct part *part, const struct event *ev, struct batch *batch)
{
    const struct msg *msg = ev->msg.msg;
    struct part_txn *txn;
    struct act *act;

    if (memcmp(&msg->id, &part->oldest, sizeof(msg->id)) < 0) {
        answer_to(msg, ANSWER_TOO_OLD, batch); /* R10: its outcome may have been pruned */
        return;
    }
    if (!lists_me(part, msg)) {
        answer_to(msg, ANSWER_STORE_REPLACED, batch);
        return;
    }
    if (part->admit != REASON_NONE || msg->prepare.protocol != PROTOCOL_2PC) {
        answer_busy(part, msg, part->admit != REASON_NONE ? part->admit : REASON_PROTOCOL, batch);
        return;
    }
    txn = part_txn_make(part, &msg->id);
    if (!txn) {
        answer_busy(part, msg, REASON_BUSY, batch);
        return;
    }
    if (!parties_intern_all(&part->parties, msg->prepare.parties, msg->prepare.party_count,
                            txn->parties)) {
        part_txn_free(part, txn);
        answer_busy(part, msg, REASON_LIMIT, batch);
        return;
    }
    txn->digest = msg->digest;
    txn->group = msg->group;
    txn->first = msg->tag;
    txn->last = msg->tag;
    txn->party_count = (uint8_t)msg->prepare.party_count;
    txn->protocol = (uint8_t)msg->prepare.protocol;
    txn->checking = true;
    keep_pending(part, msg);
    act = batch_act(batch, ACT_RESERVE);
    act->slot = part_txn_slot(part, txn);
    act->id = txn->id;
    act->branch = msg->prepare.branch;
}

void part_on_prepare(struct part *part, const struct event *ev, struct batch *batch)
{
    const struct msg *msg = ev->msg.msg;
    struct part_txn *txn = part_txn_find(part, &msg->id);

    if (txn && digest_equal(&txn->digest, &msg->digest)) {
        if (txn->state == STATE_PREPARED && !same_parties(part, txn, msg)) {
            answer_to(msg, ANSWER_STORE_REPLACED, batch);
            return;
        }
        touch(part, txn, msg->tag, batch);
    }
    if (!answer_held(part, txn, ev, batch))
        prepare_new(part, ev, batch);
}

static void record_aborted(struct part *part, const struct msg *msg, enum reason reason,
                           struct batch *batch)
{
    struct record *record = batch_record(batch, RECORD_ABORTED);

    record->group = msg->group;
    record->tag = msg->tag;
    record->id = msg->id;
    record->digest = msg->digest;
    record->reason = reason;
    part->stats.aborted++;
}

/* ABORTED out of nothing holds nothing recovery needs: it is an outcome at once, and never ended.
 */
static void abort_from_none(struct part *part, const struct msg *msg, enum reason reason,
                            struct batch *batch)
{
    struct msg *out;

    record_aborted(part, msg, reason, batch);
    out = answer_to(msg, ANSWER_RECORD, batch);
    out->record.state = STATE_ABORTED;
    out->record.reason = reason;
}

/* True iff the nets are zero in every currency. */
static bool nets_balance(const struct net *nets, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++) {
        if (nets[i].amount != 0)
            return false;
    }
    return true;
}

static struct record *record_with_branch(struct part *part, enum record_kind kind,
                                         const struct part_txn *txn, struct blob branch,
                                         struct batch *batch)
{
    struct record *record = batch_record(batch, kind);

    record->group = txn->group;
    record->tag = txn->first;
    record->id = txn->id;
    record->digest = txn->digest;
    record->protocol = (enum protocol)txn->protocol;
    record->timestamp = txn->prepare_timestamp;
    record->parties = parties_expand(&part->parties, txn->parties, txn->party_count, batch);
    record->party_count = txn->party_count;
    record->nets = batch_copy(batch, txn->nets, sizeof(txn->nets[0]) * txn->net_count);
    record->net_count = txn->net_count;
    record->branch.bytes = batch_copy(batch, branch.bytes, branch.size);
    record->branch.size = branch.size;
    return record;
}

static void act_on_hold(enum act_kind kind, const struct part *part, const struct part_txn *txn,
                        struct batch *batch)
{
    struct act *act = batch_act(batch, kind);

    act->slot = part_txn_slot(part, txn);
    act->hold = txn->hold;
    act->id = txn->id;
    act->timestamp = txn->commit_timestamp;
    act->position = batch->log_tail; /* the decision's record, made just before */
}

/* R13: the only participant decides; its record is the decision. */
static void decide_alone(struct part *part, struct part_txn *txn, const struct event *ev,
                         struct batch *batch)
{
    if (!nets_balance(txn->nets, txn->net_count)) {
        act_on_hold(ACT_VOID, part, txn, batch);
        abort_from_none(part, &part->pending, REASON_UNBALANCED, batch);
        part_txn_free(part, txn);
        return;
    }
    txn->state = STATE_COMMITTED;
    txn->commit_timestamp = txn->prepare_timestamp;
    record_with_branch(part, RECORD_COMMITTED, txn, ev->reserved.branch, batch);
    act_on_hold(ACT_POST, part, txn, batch);
    txn->hold = SLOT_NONE;
    part_decided_link(part, txn);
    part->stats.committed++;
    answer_record(txn, &part->pending, batch);
}

void part_on_reserved(struct part *part, const struct event *ev, struct batch *batch)
{
    struct part_txn *txn = &part->txns[ev->reserved.slot];
    enum reason reason = ev->reserved.reason;

    ASSERT(txn->used && txn->checking && id_equal(&txn->id, &part->pending.id));
    txn->checking = false;
    if (reason == REASON_BUSY || reason == REASON_LIMIT) {
        part_txn_free(part, txn); /* not a vote: nothing was promised, nothing is recorded */
        answer_busy(part, &part->pending, reason, batch);
        return;
    }
    if (reason != REASON_NONE) {
        abort_from_none(part, &part->pending, reason, batch); /* R5: NO is durable at its voter */
        part_txn_free(part, txn);
        return;
    }
    ASSERT(ev->reserved.net_count <= NETS_MAX);
    txn->hold = ev->reserved.hold;
    txn->net_count = (uint8_t)ev->reserved.net_count;
    memcpy(txn->nets, ev->reserved.nets, sizeof(txn->nets[0]) * txn->net_count);
    txn->prepare_timestamp = part_clock_next(part, ev->wall_ms);
    txn->since_ms = ev->now_ms;
    txn->named_ms = ev->now_ms;
    if (txn->party_count == 1) {
        decide_alone(part, txn, ev, batch);
        return;
    }
    /* YES: from the force of this record on, the decision is no longer ours. */
    txn->state = STATE_PREPARED;
    record_with_branch(part, RECORD_PREPARED, txn, ev->reserved.branch, batch);
    part->stats.prepared++;
    part->stats.prepared_now++;
    answer_record(txn, &part->pending, batch);
}

/* R12: a read-only branch is asked before anything is prepared, and keeps nothing here. */
void part_on_check(struct part *part, const struct event *ev, struct batch *batch)
{
    const struct msg *msg = ev->msg.msg;
    struct act *act = batch_act(batch, ACT_CHECK);

    keep_pending(part, msg);
    act->slot = SLOT_NONE;
    act->id = msg->id;
    act->branch = msg->check.branch;
}

void part_on_checked(struct part *part, const struct event *ev, struct batch *batch)
{
    struct msg *out = batch_msg(batch, MSG_CHECKED, part->pending.peer);

    ASSERT(part->pending.kind == MSG_CHECK);
    out->group = part->pending.group;
    out->tag = part->pending.tag;
    out->id = part->pending.id;
    out->digest = part->pending.digest;
    out->checked.holds = ev->checked.reason == REASON_NONE;
    out->checked.reason = ev->checked.reason;
}

/* PREPARED -> COMMITTED, for R4 said so: every listed participant voted YES. */
static void commit_prepared(struct part *part, struct part_txn *txn, const struct msg *msg,
                            struct batch *batch)
{
    struct record *record = batch_record(batch, RECORD_COMMITTED);

    txn->state = STATE_COMMITTED;
    txn->last = msg->tag;
    txn->commit_timestamp = msg->commit.timestamp;
    part_clock_raise(part, txn->commit_timestamp); /* cut: later prepares come after it */
    record->group = txn->group;
    record->tag = msg->tag;
    record->id = txn->id;
    record->digest = txn->digest;
    record->timestamp = txn->commit_timestamp;
    act_on_hold(ACT_POST, part, txn, batch);
    txn->hold = SLOT_NONE;
    part_decided_link(part, txn);
    part->stats.prepared_now--;
    part->stats.committed++;
    part_cut_resolved(part, txn, batch);
}

void part_on_commit(struct part *part, const struct event *ev, struct batch *batch)
{
    const struct msg *msg = ev->msg.msg;
    struct part_txn *txn = part_txn_find(part, &msg->id);
    bool mine = txn && digest_equal(&txn->digest, &msg->digest);

    if (mine && txn->state == STATE_PREPARED)
        commit_prepared(part, txn, msg, batch);
    else if (mine)
        touch(part, txn, msg->tag, batch);
    if ((mine && txn->state != STATE_COMMITTED) ||
        (!txn && ev->msg.stored && ev->msg.stored->state != STATE_COMMITTED &&
         digest_equal(&ev->msg.stored->digest, &msg->digest)))
        part->stats.contradictions++; /* I1 is broken somewhere: say what is held, change nothing */
    if (answer_held(part, txn, ev, batch))
        return;
    /* Nothing held, though a Commit implies our YES (I2): another store's, or a broken leader. */
    part->stats.contradictions++;
    answer_to(msg, ANSWER_RECORD, batch)->record.state = STATE_NONE;
}

/* PREPARED -> ABORTED. */
static void abort_prepared(struct part *part, struct part_txn *txn, const struct msg *msg,
                           struct batch *batch)
{
    record_aborted(part, msg, msg->abort.reason, batch);
    txn->state = STATE_ABORTED;
    txn->last = msg->tag;
    txn->reason = (uint8_t)msg->abort.reason;
    act_on_hold(ACT_VOID, part, txn, batch);
    txn->hold = SLOT_NONE;
    part_decided_link(part, txn);
    part->stats.prepared_now--;
    part_cut_resolved(part, txn, batch);
}

/*
 * Abort, and AbortIfMine. A plain Abort follows a durable ABORTED (R5), so it is obeyed by whoever
 * is PREPARED. R6: AbortIfMine is obeyed only where nothing is held, or where this very (epoch,
 * sequence) prepared first: then nobody else can have counted that vote. Any other answers what it
 * holds; an outcome is never reversed.
 */
void part_on_abort(struct part *part, const struct event *ev, struct batch *batch)
{
    const struct msg *msg = ev->msg.msg;
    struct part_txn *txn = part_txn_find(part, &msg->id);

    if (txn && digest_equal(&txn->digest, &msg->digest)) {
        bool obey = msg->kind == MSG_ABORT || tag_equal(txn->first, msg->tag);

        if (txn->state == STATE_PREPARED && obey)
            abort_prepared(part, txn, msg, batch);
        else
            touch(part, txn, msg->tag, batch);
    }
    if (answer_held(part, txn, ev, batch))
        return;
    if (memcmp(&msg->id, &part->oldest, sizeof(msg->id)) < 0)
        answer_to(msg, ANSWER_TOO_OLD, batch);
    else
        abort_from_none(part, msg, msg->abort.reason, batch);
}

/* R8: evidence. NONE is no outcome: "sealed and never prepared" only makes an abort possible. */
void part_on_query(struct part *part, const struct event *ev, struct batch *batch)
{
    const struct msg *msg = ev->msg.msg;
    struct part_txn *txn = part_txn_find(part, &msg->id);

    if (!answer_held(part, txn, ev, batch))
        answer_to(msg, ANSWER_RECORD, batch)->record.state = STATE_NONE;
}

/* What is held under an id, whatever its digest: for those who know nothing but the id. */
void part_on_find(struct part *part, const struct event *ev, struct batch *batch)
{
    const struct msg *msg = ev->msg.msg;
    const struct part_txn *txn = part_txn_find(part, &msg->id);
    struct msg *out = batch_msg(batch, MSG_FOUND, msg->peer);

    out->group = msg->group;
    out->tag = msg->tag;
    out->id = msg->id;
    if (txn) {
        out->digest = txn->digest;
        out->found.state = (enum txn_state)txn->state;
        out->found.reason = (enum reason)txn->reason;
        out->found.timestamp = txn->commit_timestamp;
        out->found.protocol = (enum protocol)txn->protocol;
        out->found.parties = parties_expand(&part->parties, txn->parties, txn->party_count, batch);
        out->found.party_count = txn->party_count;
    } else if (ev->msg.stored) {
        out->digest = ev->msg.stored->digest;
        out->found.state = ev->msg.stored->state;
        out->found.reason = ev->msg.stored->reason;
        out->found.timestamp = ev->msg.stored->timestamp;
    }
}
