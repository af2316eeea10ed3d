/*
 * The coordinator: its life, its table of transactions, and the step.
 *
 * An event concerns one transaction, one group or one member, and its step does what that needs at
 * once. What concerns many, such as a group's transactions after a participant came back, is done a
 * slice a tick: coord_next_ms() says 0 until it is done.
 */
#include "base/assert.h"
#include "core/coord_internal.h"

#include <stdalign.h>

/* What the costliest thing that a tick does once may need of BATCH_STEP_*. */
#define BUDGET_MSGS    (2 * MEMBERS_MAX)
#define BUDGET_REPLIES (2 * WAITERS_MAX)
#define BUDGET_BYTES   (PARTICIPANTS_MAX * BRANCH_SIZE_MAX + 64 * 1024)

_Static_assert(BUDGET_MSGS * 2 <= BATCH_STEP_MSGS, "a step does more than one thing");
_Static_assert(GROUPS_MAX <= BATCH_STEP_MSGS, "a connection is sealed for all groups in a step");
_Static_assert(COORD_FINDS_MAX + COORD_AUDITS_MAX <= BATCH_STEP_REPLIES,
               "one lost connection may end every look-up");
_Static_assert(BUDGET_BYTES <= BATCH_STEP_BYTES, "one transaction's branches fit a step");
_Static_assert(MEMBERS_MAX <= 64, "members are bits of a word");
_Static_assert(PARTICIPANTS_MAX <= 16 && READERS_MAX <= 16, "branches are bits of a uint16_t");

static size_t aligned(size_t size)
{
    size_t alignment = alignof(max_align_t);

    return (size + alignment - 1) / alignment * alignment;
}

static uint32_t timer_count(const struct coord_options *options)
{
    return options->txn_max + GROUPS_MAX + COORD_FINDS_MAX + COORD_AUDITS_MAX;
}

size_t coord_memory_size(const struct coord_options *options)
{
    return aligned(sizeof(struct coord)) + aligned(sizeof(struct coord_txn) * options->txn_max) +
           aligned(timers_memory_size(timer_count(options))) +
           aligned(pool_memory_size(options->blob_bytes)) + table_memory_size(options->txn_max);
}

struct coord *coord_init(void *memory, const struct coord_options *options)
{
    struct coord *coord = memory;
    uint8_t *at = memory;

    ASSERT(options->groups >= 1 && options->groups <= GROUPS_MAX);
    ASSERT(options->txn_max >= 1 && options->txn_max < SLOT_NONE / 2);
    ASSERT(options->in_flight_max >= 1 && options->in_flight_max <= options->txn_max);
    ASSERT(options->retry_ms >= 1 && options->end_ms >= 1);
    at += aligned(sizeof(struct coord));
    coord->txns = (void *)at;
    at += aligned(sizeof(struct coord_txn) * options->txn_max);
    timers_init(&coord->timers, at, timer_count(options));
    at += aligned(timers_memory_size(timer_count(options)));
    pool_init(&coord->pool, at, options->blob_bytes);
    at += aligned(pool_memory_size(options->blob_bytes));
    table_init(&coord->index, at, options->txn_max);
    coord->options = *options;
    coord->free_head = SLOT_NONE;
    coord->doomed = SLOT_NONE;
    for (uint16_t i = 0; i < GROUPS_MAX; i++) {
        coord->groups[i].head = SLOT_NONE;
        coord->groups[i].tail = SLOT_NONE;
        coord->groups[i].wake = SLOT_NONE;
    }
    return coord;
}

uint32_t coord_txn_slot(const struct coord *coord, const struct coord_txn *txn)
{
    return (uint32_t)(txn - coord->txns);
}

/* A transaction of an epoch that is over is only waiting to be forgotten. */
bool coord_txn_live(const struct coord *coord, const struct coord_txn *txn)
{
    return txn->tag.epoch == coord->groups[txn->group].epoch;
}

/* The live transactions of an id, one digest after another; NULL starts, and ends. */
struct coord_txn *coord_txn_next(const struct coord *coord, const struct id *id,
                                 const struct coord_txn *after)
{
    uint32_t slot = after ? table_next(&coord->index, coord_txn_slot(coord, after))
                          : table_first(&coord->index, hash_bytes(id, sizeof(*id)));

    for (; slot != TABLE_END; slot = table_next(&coord->index, slot)) {
        struct coord_txn *txn = &coord->txns[slot];

        if (id_equal(&txn->id, id) && coord_txn_live(coord, txn))
            return txn;
    }
    return NULL;
}

/* Leaders key by (id, digest): contents under one id are told apart, and none ends another. */
struct coord_txn *coord_txn_find(const struct coord *coord, const struct id *id,
                                 const struct digest *digest)
{
    struct coord_txn *txn = coord_txn_next(coord, id, NULL);

    while (txn && !digest_equal(&txn->digest, digest))
        txn = coord_txn_next(coord, id, txn);
    return txn;
}

/* Append to the group's open ones, which are in the order of their sequences. */
static void open_link(struct coord *coord, struct coord_txn *txn)
{
    struct coord_group *group = &coord->groups[txn->group];
    uint32_t slot = coord_txn_slot(coord, txn);

    txn->tag.epoch = group->epoch;
    txn->tag.sequence = ++group->sequence;
    txn->previous = group->tail;
    txn->next = SLOT_NONE;
    if (group->tail == SLOT_NONE)
        group->head = slot;
    else
        coord->txns[group->tail].next = slot;
    group->tail = slot;
}

static void open_unlink(struct coord *coord, struct coord_txn *txn)
{
    struct coord_group *group = &coord->groups[txn->group];

    if (group->wake == coord_txn_slot(coord, txn))
        group->wake = txn->next;
    if (txn->previous == SLOT_NONE)
        group->head = txn->next;
    else
        coord->txns[txn->previous].next = txn->next;
    if (txn->next == SLOT_NONE)
        group->tail = txn->previous;
    else
        coord->txns[txn->next].previous = txn->previous;
}

/* R7: votes are counted anew, under a sequence nobody aborts. */
void coord_txn_renumber(struct coord *coord, struct coord_txn *txn)
{
    open_unlink(coord, txn);
    open_link(coord, txn);
}

/* An entry in GATHERING under the group's next sequence; NULL when txn_max are followed. */
struct coord_txn *coord_txn_make(struct coord *coord, uint16_t group, const struct id *id,
                                 const struct digest *digest)
{
    struct coord_txn *txn;
    uint32_t slot = coord->free_head;

    if (slot != SLOT_NONE)
        coord->free_head = coord->txns[slot].next;
    else if (coord->slots_touched < coord->options.txn_max)
        slot = coord->slots_touched++;
    else
        return NULL;
    txn = &coord->txns[slot];
    memset(txn, 0, offsetof(struct coord_txn, waiters)); /* waiters and sums are counted */
    txn->id = *id;
    txn->digest = *digest;
    txn->used = true;
    txn->group = group;
    txn->phase = PHASE_GATHERING;
    txn->since_ms = coord->now_ms;
    txn->deadline_ms = TIMERS_NEVER;
    txn->retry_ms = TIMERS_NEVER;
    txn->branches = SLOT_NONE;
    txn->concerned = PARTY_NONE;
    open_link(coord, txn);
    table_insert(&coord->index, hash_bytes(id, sizeof(*id)), slot);
    coord->stats.following_now++;
    return txn;
}

/* Forget; the caller took it out of every count but following_now. */
static void slot_free(struct coord *coord, struct coord_txn *txn)
{
    uint32_t slot = coord_txn_slot(coord, txn);

    ASSERT(txn->used && txn->waiter_count == 0);
    pool_free(&coord->pool, txn->branches);
    table_remove(&coord->index, hash_bytes(&txn->id, sizeof(txn->id)), slot);
    if (coord_undecided(txn) && txn->recovered)
        coord->stats.in_doubt_now--;
    else if (coord_undecided(txn))
        coord->stats.in_flight_now--;
    txn->used = false;
    txn->next = coord->free_head;
    coord->free_head = slot;
    coord->stats.following_now--;
}

void coord_txn_free(struct coord *coord, struct coord_txn *txn)
{
    open_unlink(coord, txn);
    slot_free(coord, txn);
}

/* A clock this far ahead of ours is broken, or ours is: what it stamped must raise no other's. */
bool coord_clock_is_ahead(const struct coord *coord, uint64_t timestamp)
{
    return timestamp > timestamp_of_ms(coord->wall_ms + CLOCK_AHEAD_MAX_MS);
}

bool coord_has_budget(const struct coord *coord, const struct batch *batch)
{
    return batch->msg_count - coord->step_msgs <= BATCH_STEP_MSGS - BUDGET_MSGS &&
           batch->reply_count - coord->step_replies <= BATCH_STEP_REPLIES - BUDGET_REPLIES &&
           batch->told_count - coord->step_told <= BATCH_STEP_REPLIES - BUDGET_REPLIES &&
           batch->bytes_used - coord->step_bytes <= BATCH_STEP_BYTES - BUDGET_BYTES;
}

static void on_msg(struct coord *coord, const struct msg *msg, struct batch *batch)
{
    struct coord_member *member = NULL;

    for (uint16_t i = 0; i < coord->member_count && !member; i++) {
        if (coord->members[i].peer == msg->peer && msg->peer != PEER_NONE)
            member = &coord->members[i];
    }
    if (!member || msg->group >= coord->options.groups) {
        coord->stats.stale_answers++; /* a connection that is gone */
        return;
    }
    switch (msg->kind) {
    case MSG_SEALED:
        coord_on_sealed(coord, member, msg, batch);
        break;
    case MSG_RECORD:
        coord_on_record(coord, member, msg, batch);
        break;
    case MSG_CHECKED:
        coord_on_checked(coord, member, msg, batch);
        break;
    case MSG_STALE:
        coord_on_stale(coord, member, msg, batch);
        break;
    case MSG_REPORT_PAGE:
        coord_on_report_page(coord, member, msg, batch);
        break;
    case MSG_ORPHAN:
        coord_on_orphan(coord, member, msg);
        break;
    case MSG_CUT_RESULT:
        coord_on_cut_result(coord, member, msg, batch);
        break;
    case MSG_FOUND:
        coord_on_found(coord, member, msg, batch);
        break;
    case MSG_SEAL:
    case MSG_PREPARE:
    case MSG_CHECK:
    case MSG_COMMIT:
    case MSG_ABORT:
    case MSG_ABORT_IF_MINE:
    case MSG_QUERY:
    case MSG_END:
    case MSG_REPORT:
    case MSG_CUT:
    case MSG_FIND:
        break; /* a coordinator's kinds, said by somebody confused */
    }
}

/* Forget what belonged to lost groups; who waits is told that we cannot know any more. */
static void forget_doomed(struct coord *coord, struct batch *batch)
{
    while (coord->doomed != SLOT_NONE && coord_has_budget(coord, batch)) {
        struct coord_txn *txn = &coord->txns[coord->doomed];

        coord->doomed = txn->next;
        if (txn->phase == PHASE_GATHERING)
            coord_refuse(coord, txn, REASON_NOT_LEADER, batch);
        else
            coord_tell_unknown(coord, txn, REASON_NOT_LEADER, TIMERS_NEVER, batch);
        slot_free(coord, txn);
    }
}

#define WAKE_SLICE 1024 /* open transactions looked at per group and tick */

/* True iff the transaction may wait for one of the members in `wake_for`. */
static bool waits_for(const struct coord *coord, const struct coord_txn *txn, uint64_t wake_for)
{
    if (txn->phase == PHASE_GATHERING || txn->phase == PHASE_READING)
        return true; /* its read-only branches' participants are not in its list */
    for (uint8_t i = 0; i < txn->party_count; i++) {
        uint8_t member = coord->member_of[txn->parties[i]];
        bool answered = coord_undecided(txn) ? txn->heard[i] != HEARD_NOTHING
                                             : (txn->acked & (1u << i)) != 0;

        if (!answered && member != 0 && (wake_for >> (member - 1) & 1) != 0)
            return true;
    }
    return false;
}

static void wake_group(struct coord *coord, struct coord_group *group)
{
    for (int looked = 0; group->wake != SLOT_NONE && looked < WAKE_SLICE; looked++) {
        struct coord_txn *txn = &coord->txns[group->wake];

        group->wake = txn->next;
        if (!waits_for(coord, txn, group->wake_for))
            continue;
        txn->retry_ms = coord->now_ms;
        txn->retries = 0;
        timers_ask(&coord->timers, coord_txn_slot(coord, txn), coord->now_ms);
    }
    if (group->wake == SLOT_NONE)
        group->wake_for = 0;
}

/* After a seal: let those who waited for it ask at once, not at their next retry. */
static void wake_open(struct coord *coord)
{
    if (!coord->waking)
        return;
    coord->waking = false;
    for (uint16_t i = 0; i < coord->options.groups; i++) {
        wake_group(coord, &coord->groups[i]);
        coord->waking |= coord->groups[i].wake != SLOT_NONE;
    }
}

static void on_tick(struct coord *coord, struct batch *batch)
{
    forget_doomed(coord, batch);
    wake_open(coord);
    while (coord_has_budget(coord, batch)) {
        uint32_t slot = timers_pop(&coord->timers, coord->now_ms);

        if (slot == TIMERS_NONE)
            break;
        if (slot < coord->options.txn_max) {
            coord_txn_tick(coord, slot, batch);
            continue;
        }
        slot -= coord->options.txn_max;
        if (slot < GROUPS_MAX)
            coord_group_ask(coord, (uint16_t)slot, batch);
        else if (slot < GROUPS_MAX + COORD_FINDS_MAX)
            coord_find_tick(coord, slot - GROUPS_MAX, batch);
        else
            coord_audit_tick(coord, slot - GROUPS_MAX - COORD_FINDS_MAX, batch);
    }
}

uint64_t coord_next_ms(const struct coord *coord)
{
    if (coord->doomed != SLOT_NONE || coord->waking)
        return 0;
    return timers_next(&coord->timers);
}

void coord_step(struct coord *coord, const struct event *ev, struct batch *batch)
{
    coord->now_ms = ev->now_ms;
    coord->wall_ms = ev->wall_ms;
    coord->step_msgs = batch->msg_count;
    coord->step_replies = batch->reply_count;
    coord->step_told = batch->told_count;
    coord->step_bytes = batch->bytes_used;
    switch (ev->kind) {
    case EV_MSG:
        on_msg(coord, ev->msg.msg, batch);
        break;
    case EV_TICK:
        on_tick(coord, batch);
        break;
    case EV_LINK_DOWN:
        coord_on_link_down(coord, ev->link.peer, batch);
        break;
    case EV_LINK_UP:
        coord_on_link_up(coord, ev, batch);
        break;
    case EV_MEMBER:
        coord_on_member(coord, ev);
        break;
    case EV_LEAD:
        coord_on_lead(coord, ev, batch);
        break;
    case EV_SUSPEND:
        coord_on_suspend(coord, ev->lead.group);
        break;
    case EV_RESUME:
        coord_on_resume(coord, ev->lead.group);
        break;
    case EV_UNLEAD:
        coord_on_unlead(coord, ev->lead.group);
        break;
    case EV_SUBMIT:
        coord_on_submit(coord, ev, batch);
        break;
    case EV_OUTCOME:
        coord_on_outcome(coord, ev, batch);
        break;
    case EV_AUDIT:
        coord_on_audit(coord, ev, batch);
        break;
    case EV_RESERVED:
    case EV_CHECKED:
    case EV_CUT_TOTALS:
    case EV_ADMIT:
    case EV_OLDEST:
        UNREACHABLE(); /* a participant's events */
    }
    /* R1: nothing a leader says rests on its own log; `depends` stays 0. */
    ASSERT(batch->msg_count - coord->step_msgs <= BATCH_STEP_MSGS);
    ASSERT(batch->reply_count - coord->step_replies <= BATCH_STEP_REPLIES);
}
