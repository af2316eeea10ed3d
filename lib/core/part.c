/*
 * The participant: its life, its promises to leaders, and the step.
 *
 * A message passes, in this order: a seal is taken or refused; anything else of a leader must come
 * from the sealed one (R2); then one function a kind. Whatever a step says depends on whatever the
 * log holds at its end (R1), repeats and reads included: a vote that is repeated from memory may
 * not outrun the force that makes it true.
 */
#include "core/part_internal.h"

#include "base/assert.h"

#include <stdalign.h>

static size_t aligned(size_t size)
{
    size_t alignment = alignof(max_align_t);

    return (size + alignment - 1) / alignment * alignment;
}

size_t part_memory_size(const struct part_options *options)
{
    return aligned(sizeof(struct part)) + aligned(sizeof(struct part_txn) * options->txn_max) +
           table_memory_size(options->txn_max);
}

struct part *part_init(void *memory, const struct part_options *options)
{
    struct part *part = memory;
    uint8_t *at = memory;

    ASSERT(options->groups >= 1 && options->groups <= GROUPS_MAX);
    ASSERT(options->txn_max >= 1 && options->txn_max < SLOT_NONE);
    at += aligned(sizeof(struct part));
    part->txns = (void *)at;
    at += aligned(sizeof(struct part_txn) * options->txn_max);
    table_init(&part->index, at, options->txn_max);
    part->options = *options;
    part->free_head = SLOT_NONE;
    for (uint16_t i = 0; i < GROUPS_MAX; i++) {
        part->groups[i].head = SLOT_NONE;
        part->groups[i].tail = SLOT_NONE;
    }
    return part;
}

struct part_txn *part_txn_find(const struct part *part, const struct id *id)
{
    uint32_t slot = table_first(&part->index, hash_bytes(id, sizeof(*id)));

    for (; slot != TABLE_END; slot = table_next(&part->index, slot)) {
        if (id_equal(&part->txns[slot].id, id))
            return &part->txns[slot];
    }
    return NULL;
}

uint32_t part_txn_slot(const struct part *part, const struct part_txn *txn)
{
    return (uint32_t)(txn - part->txns);
}

/* A zeroed entry under `id`, or NULL when txn_max are in use. */
struct part_txn *part_txn_make(struct part *part, const struct id *id)
{
    struct part_txn *txn;
    uint32_t slot = part->free_head;

    if (slot != SLOT_NONE)
        part->free_head = part->txns[slot].next;
    else if (part->slots_touched < part->options.txn_max)
        slot = part->slots_touched++;
    else
        return NULL;
    txn = &part->txns[slot];
    memset(txn, 0, sizeof(*txn));
    txn->id = *id;
    txn->used = true;
    txn->hold = SLOT_NONE;
    txn->previous = SLOT_NONE;
    txn->next = SLOT_NONE;
    table_insert(&part->index, hash_bytes(id, sizeof(*id)), slot);
    part->stats.unresolved_now++;
    return txn;
}

void part_txn_free(struct part *part, struct part_txn *txn)
{
    uint32_t slot = part_txn_slot(part, txn);

    ASSERT(txn->used && txn->state != STATE_PREPARED);
    table_remove(&part->index, hash_bytes(&txn->id, sizeof(txn->id)), slot);
    txn->used = false;
    txn->next = part->free_head;
    part->free_head = slot;
    part->stats.unresolved_now--;
}

bool part_knows(const struct part *part, const struct id *id)
{
    return part_txn_find(part, id) != NULL;
}

/* R2: refuse, say who is sealed, and count. */
static void refuse_stale(struct part *part, const struct msg *msg, struct batch *batch)
{
    const struct part_group *group = &part->groups[msg->group];
    struct msg *answer = batch_msg(batch, MSG_STALE, msg->peer);

    answer->group = msg->group;
    answer->tag = msg->tag;
    answer->id = msg->id;
    answer->digest = msg->digest;
    answer->stale.to = msg->kind;
    answer->stale.sealed_epoch = group->epoch;
    answer->stale.sealed_guid = group->guid;
    part->stats.stale_refused++;
}

/*
 * R2: the promise to refuse every other epoch until a higher one seals. An equal epoch with another
 * GUID is a ZooKeeper restored from an older state that gave one zxid twice: refused.
 */
static void on_seal(struct part *part, const struct msg *msg, struct batch *batch)
{
    struct part_group *group = &part->groups[msg->group];
    struct msg *answer;

    if (msg->tag.epoch < group->epoch || msg->tag.epoch == 0 ||
        (msg->tag.epoch == group->epoch && !guid_equal(&msg->seal.guid, &group->guid))) {
        refuse_stale(part, msg, batch);
        return;
    }
    if (msg->tag.epoch > group->epoch) {
        struct record *record = batch_record(batch, RECORD_SEAL);

        record->group = msg->group;
        record->tag.epoch = msg->tag.epoch;
        record->guid = msg->seal.guid;
        group->epoch = msg->tag.epoch;
        group->guid = msg->seal.guid;
    }
    group->peer = msg->peer;
    answer = batch_msg(batch, MSG_SEALED, msg->peer);
    answer->group = msg->group;
    answer->tag = msg->tag;
    answer->seal.guid = msg->seal.guid;
}

/* R2: obeyed is only who sealed, on the connection it sealed by. */
static bool is_sealed_leader(const struct part *part, const struct msg *msg)
{
    const struct part_group *group = &part->groups[msg->group];

    return msg->tag.epoch == group->epoch && msg->peer == group->peer && msg->peer != PEER_NONE;
}

static void on_leader_msg(struct part *part, const struct event *ev, struct batch *batch)
{
    const struct msg *msg = ev->msg.msg;

    if (!is_sealed_leader(part, msg)) {
        refuse_stale(part, msg, batch);
        return;
    }
    switch (msg->kind) {
    case MSG_PREPARE:
        part_on_prepare(part, ev, batch);
        break;
    case MSG_CHECK:
        part_on_check(part, ev, batch);
        break;
    case MSG_COMMIT:
        part_on_commit(part, ev, batch);
        break;
    case MSG_ABORT:
    case MSG_ABORT_IF_MINE:
        part_on_abort(part, ev, batch);
        break;
    case MSG_QUERY:
        part_on_query(part, ev, batch);
        break;
    case MSG_END:
        part_on_end(part, msg, batch);
        break;
    case MSG_REPORT:
        part_on_report(part, msg, batch);
        break;
    case MSG_SEAL:
    case MSG_CUT:
    case MSG_FIND:
    case MSG_SEALED:
    case MSG_RECORD:
    case MSG_CHECKED:
    case MSG_STALE:
    case MSG_REPORT_PAGE:
    case MSG_ORPHAN:
    case MSG_CUT_RESULT:
    case MSG_FOUND:
        UNREACHABLE();
    }
}

static void on_msg(struct part *part, const struct event *ev, struct batch *batch)
{
    const struct msg *msg = ev->msg.msg;

    if (msg->group >= part->options.groups)
        return;
    switch (msg->kind) {
    case MSG_SEAL:
        on_seal(part, msg, batch);
        break;
    case MSG_CUT: /* a read: raising the clock harms nobody, so no leader need be fenced off */
        part_on_cut(part, ev, batch);
        break;
    case MSG_FIND: /* a read */
        part_on_find(part, ev, batch);
        break;
    case MSG_PREPARE:
    case MSG_CHECK:
    case MSG_COMMIT:
    case MSG_ABORT:
    case MSG_ABORT_IF_MINE:
    case MSG_QUERY:
    case MSG_END:
    case MSG_REPORT:
        on_leader_msg(part, ev, batch);
        break;
    case MSG_SEALED:
    case MSG_RECORD:
    case MSG_CHECKED:
    case MSG_STALE:
    case MSG_REPORT_PAGE:
    case MSG_ORPHAN:
    case MSG_CUT_RESULT:
    case MSG_FOUND:
        break; /* a participant's kinds, said by somebody confused */
    }
}

static void on_link_down(struct part *part, uint32_t peer)
{
    for (uint16_t i = 0; i < part->options.groups; i++) {
        if (part->groups[i].peer == peer)
            part->groups[i].peer = PEER_NONE;
    }
    part_cut_link_down(part, peer);
}

void part_step(struct part *part, const struct event *ev, struct batch *batch)
{
    uint32_t first = batch->msg_count;

    switch (ev->kind) {
    case EV_MSG:
        on_msg(part, ev, batch);
        break;
    case EV_RESERVED:
        part_on_reserved(part, ev, batch);
        break;
    case EV_CHECKED:
        part_on_checked(part, ev, batch);
        break;
    case EV_CUT_TOTALS:
        part_on_cut_totals(part, ev, batch);
        break;
    case EV_TICK:
        part_name_orphans(part, ev, batch);
        part_cut_tick(part, ev, batch);
        break;
    case EV_LINK_DOWN:
        on_link_down(part, ev->link.peer);
        break;
    case EV_ADMIT:
        part->admit = ev->admit.reason;
        break;
    case EV_OLDEST:
        if (memcmp(&ev->oldest.id, &part->oldest, sizeof(part->oldest)) > 0)
            part->oldest = ev->oldest.id;
        break;
    case EV_LINK_UP:
    case EV_MEMBER:
    case EV_LEAD:
    case EV_SUSPEND:
    case EV_RESUME:
    case EV_UNLEAD:
    case EV_SUBMIT:
    case EV_OUTCOME:
    case EV_AUDIT:
        UNREACHABLE(); /* a coordinator's events */
    }
    /* R1: nothing leaves before all that the log holds now is durable. */
    for (uint32_t i = first; i < batch->msg_count; i++)
        batch->msgs[i].depends = batch->log_tail;
}

static void view_of(const struct part *part, const struct part_txn *txn, struct part_view *ret_view)
{
    memset(ret_view, 0, sizeof(*ret_view));
    ret_view->id = txn->id;
    ret_view->digest = txn->digest;
    ret_view->state = (enum txn_state)txn->state;
    ret_view->protocol = (enum protocol)txn->protocol;
    ret_view->reason = (enum reason)txn->reason;
    ret_view->group = txn->group;
    ret_view->first = txn->first;
    ret_view->last = txn->last;
    ret_view->prepare_timestamp = txn->prepare_timestamp;
    ret_view->commit_timestamp = txn->commit_timestamp;
    ret_view->since_ms = txn->since_ms;
    ret_view->hold = txn->hold;
    ret_view->party_count = txn->party_count;
    ret_view->net_count = txn->net_count;
    for (uint16_t i = 0; i < txn->party_count; i++)
        ret_view->parties[i] = part->parties.all[txn->parties[i]];
    memcpy(ret_view->nets, txn->nets, sizeof(txn->nets));
}

bool part_next(const struct part *part, uint32_t *cursor, struct part_view *ret_view)
{
    while (*cursor < part->slots_touched) {
        const struct part_txn *txn = &part->txns[(*cursor)++];

        if (txn->used) {
            view_of(part, txn, ret_view);
            return true;
        }
    }
    return false;
}

bool part_find(const struct part *part, const struct id *id, struct part_view *ret_view)
{
    const struct part_txn *txn = part_txn_find(part, id);

    if (!txn)
        return false;
    view_of(part, txn, ret_view);
    return true;
}

uint64_t part_clock(const struct part *part)
{
    return part->clock;
}

void part_seal_get(const struct part *part, uint16_t group, uint64_t *ret_epoch,
                   struct guid *ret_guid)
{
    ASSERT(group < part->options.groups);
    *ret_epoch = part->groups[group].epoch;
    *ret_guid = part->groups[group].guid;
}

uint32_t part_leader_peer(const struct part *part, uint16_t group)
{
    ASSERT(group < part->options.groups);
    return part->groups[group].peer;
}

void part_restore_clock(struct part *part, uint64_t clock)
{
    part_clock_raise(part, clock);
}

void part_restore_seal(struct part *part, uint16_t group, uint64_t epoch, const struct guid *guid)
{
    ASSERT(group < part->options.groups);
    if (epoch > part->groups[group].epoch) {
        part->groups[group].epoch = epoch;
        part->groups[group].guid = *guid;
    }
}

const struct part_stats *part_stats(const struct part *part)
{
    return &part->stats;
}
