/*
 * The outcome by id, for whoever knows nothing else.
 *
 * What is followed here answers or is waited for; else every connected participant is asked what it
 * holds. COMMITTED is an answer at once. PREPARED is taken over (R8) and waited for. ABORTED is an
 * answer when all who were asked have answered, for other content of the id may be COMMITTED (S7).
 * Nothing anywhere is UNKNOWN, never ABORTED: it may prepare later (S16).
 */
#include "base/assert.h"
#include "core/coord_internal.h"

static uint64_t bit(uint16_t member)
{
    return (uint64_t)1 << member;
}

static void reply_find(struct coord *coord, struct coord_lookup *find, enum reply_kind kind,
                       const struct digest *digest, enum reason reason, struct batch *batch)
{
    struct reply *reply = batch_reply(batch, kind, find->waiter);

    reply->id = find->id;
    if (digest)
        reply->digest = *digest;
    reply->reason = reason;
    if (kind == REPLY_UNKNOWN)
        coord->stats.unknown++;
    find->used = false;
}

/* A registered participant that was not heard, or NULL. */
static const struct coord_member *unheard(const struct coord *coord,
                                          const struct coord_lookup *find)
{
    for (uint16_t i = 0; i < coord->member_count; i++) {
        if (coord->members[i].registered && (find->answered & bit(i)) == 0)
            return &coord->members[i];
    }
    return NULL;
}

static bool wait_for_prepared(struct coord *coord, struct coord_lookup *find, struct batch *batch)
{
    struct named_txn named = {.id = find->id,
                              .digest = find->digest,
                              .protocol = find->protocol,
                              .party_count = find->party_count};
    struct coord_txn *txn;

    if (!find->prepared)
        return false;
    named.parties = parties_expand(&coord->parties, find->parties, find->party_count, batch);
    txn = coord_take_over(coord, find->group, &named);
    if (!txn)
        return false;
    coord_wait(coord, txn, find->waiter, find->until_ms, batch);
    find->used = false;
    return true;
}

/* All who could be asked have answered, or the time is over. */
static void conclude(struct coord *coord, struct coord_lookup *find, struct batch *batch)
{
    const struct coord_member *missing = unheard(coord, find);
    uint32_t at = batch->reply_count;

    if (find->until_ms > coord->now_ms && wait_for_prepared(coord, find, batch))
        return;
    if (find->aborted && !find->prepared &&
        (!missing || !coord_reason_is_of_attempt(find->reason))) {
        reply_find(coord, find, REPLY_ABORTED, &find->aborted_digest, find->reason, batch);
        return;
    }
    reply_find(coord, find, REPLY_UNKNOWN, NULL,
               missing ? REASON_PARTICIPANT_DOWN : REASON_UNKNOWN_OUTCOME, batch);
    if (missing)
        batch->replies[at].node = missing->node;
}

static void find_ask(struct coord *coord, struct coord_lookup *find, struct batch *batch)
{
    for (uint16_t i = 0; i < coord->member_count; i++) {
        struct msg *out;

        if (coord->members[i].peer == PEER_NONE || (find->answered & bit(i)) != 0)
            continue;
        out = batch_msg(batch, MSG_FIND, coord->members[i].peer);
        out->group = find->group;
        out->tag.sequence = find->serial;
        out->id = find->id;
        find->asked |= bit(i);
    }
    find->retry_ms = coord->now_ms + coord->options.retry_ms;
}

static void find_schedule(struct coord *coord, const struct coord_lookup *find)
{
    uint64_t due = find->retry_ms < find->until_ms ? find->retry_ms : find->until_ms;
    uint32_t index = (uint32_t)(find - coord->finds);

    timers_ask(&coord->timers, coord->options.txn_max + GROUPS_MAX + index, due);
}

static void find_start(struct coord *coord, const struct event *ev, uint16_t group,
                       struct batch *batch)
{
    struct coord_lookup *find = NULL;

    for (int i = 0; i < COORD_FINDS_MAX && !find; i++) {
        if (!coord->finds[i].used)
            find = &coord->finds[i];
    }
    if (!find) {
        coord_refuse_waiter(coord, ev->outcome.waiter, &ev->outcome.id, REASON_BUSY, NULL, batch);
        return;
    }
    memset(find, 0, sizeof(*find));
    find->used = true;
    find->waiter = ev->outcome.waiter;
    find->id = ev->outcome.id;
    find->group = group;
    find->serial = ++coord->serial;
    find->until_ms = coord->now_ms + ev->outcome.deadline_ms;
    find_ask(coord, find, batch);
    if (find->asked == 0)
        conclude(coord, find, batch);
    else
        find_schedule(coord, find);
}

/*
 * The transaction here that speaks for the id: one that is COMMITTED, or one that may be. ABORTED
 * is of one content, and the participants may hold another (S7).
 */
static struct coord_txn *best_followed(struct coord *coord, const struct id *id)
{
    struct coord_txn *best = NULL;

    for (struct coord_txn *txn = coord_txn_next(coord, id, NULL); txn;
         txn = coord_txn_next(coord, id, txn)) {
        if (txn->phase == PHASE_COMMITTED)
            return txn;
        if (coord_undecided(txn) && txn->phase != PHASE_GATHERING)
            best = txn;
    }
    return best;
}

void coord_on_outcome(struct coord *coord, const struct event *ev, struct batch *batch)
{
    uint16_t group = id_group(&ev->outcome.id, coord->options.groups);
    struct coord_txn *txn;

    /* An ABORTED that was told is of one content: another of this id may be COMMITTED (S7). */
    if (ev->outcome.told && ev->outcome.told->state == STATE_COMMITTED) {
        coord_reply_told(ev->outcome.told, ev->outcome.waiter, batch);
        return;
    }
    if (!coord_group_active(&coord->groups[group])) {
        coord_refuse_waiter(coord, ev->outcome.waiter, &ev->outcome.id, REASON_NOT_LEADER, NULL,
                            batch);
        return;
    }
    txn = best_followed(coord, &ev->outcome.id);
    if (txn)
        coord_wait(coord, txn, ev->outcome.waiter, coord->now_ms + ev->outcome.deadline_ms, batch);
    else
        find_start(coord, ev, group, batch);
}

static void find_note(struct coord *coord, struct coord_lookup *find, const struct msg *msg)
{
    if (msg->found.state == STATE_PREPARED && !find->prepared && msg->found.party_count >= 1 &&
        msg->found.party_count <= PARTICIPANTS_MAX) {
        find->prepared = parties_intern_all(&coord->parties, msg->found.parties,
                                            msg->found.party_count, find->parties);
        find->party_count = msg->found.party_count;
        find->protocol = msg->found.protocol;
        find->digest = msg->digest;
    }
    if (msg->found.state == STATE_ABORTED &&
        (!find->aborted || coord_reason_is_of_attempt(find->reason))) {
        find->aborted = true;
        find->reason = msg->found.reason;
        find->aborted_digest = msg->digest;
    }
}

void coord_on_found(struct coord *coord, const struct coord_member *member, const struct msg *msg,
                    struct batch *batch)
{
    uint64_t mine = bit(coord_member_index(coord, member));
    struct coord_lookup *find = NULL;

    for (int i = 0; i < COORD_FINDS_MAX && !find; i++) {
        if (coord->finds[i].used && coord->finds[i].serial == msg->tag.sequence &&
            id_equal(&coord->finds[i].id, &msg->id))
            find = &coord->finds[i];
    }
    if (!find) {
        coord_audit_found(coord, member, msg, batch);
        return;
    }
    if ((find->asked & mine) == 0 || (find->answered & mine) != 0)
        return;
    find->answered |= mine;
    if (msg->found.state == STATE_COMMITTED) {
        uint32_t at = batch->reply_count;

        reply_find(coord, find, REPLY_COMMITTED, &msg->digest, REASON_NONE, batch);
        batch->replies[at].timestamp = msg->found.timestamp;
        return;
    }
    find_note(coord, find, msg);
    if (find->answered == find->asked)
        conclude(coord, find, batch);
}

void coord_find_tick(struct coord *coord, uint32_t index, struct batch *batch)
{
    struct coord_lookup *find = &coord->finds[index];

    if (!find->used)
        return;
    if (find->until_ms <= coord->now_ms) {
        conclude(coord, find, batch);
        return;
    }
    if (find->retry_ms <= coord->now_ms)
        find_ask(coord, find, batch);
    find_schedule(coord, find);
}

/* Who is gone is not waited for; what the others said stands. */
void coord_find_link_down(struct coord *coord, uint16_t member, struct batch *batch)
{
    for (int i = 0; i < COORD_FINDS_MAX; i++) {
        struct coord_lookup *find = &coord->finds[i];

        if (!find->used || (find->asked & ~find->answered & bit(member)) == 0)
            continue;
        find->asked &= ~bit(member);
        if (find->asked == find->answered)
            conclude(coord, find, batch);
    }
}
