/*
 * Groups, members and the links between them.
 *
 * A group is led from EV_LEAD to EV_UNLEAD under one epoch. Whoever is connected is asked to seal
 * it (R2); who has sealed may be asked anything else, is read for what earlier leaders left (R8),
 * and wakes the transactions that waited for it. Recovery gates nothing: a Submit needs the seals
 * of its own participants, no more.
 */
#include "base/assert.h"
#include "core/coord_internal.h"

static uint64_t bit(uint16_t member)
{
    return (uint64_t)1 << member;
}

uint16_t coord_member_index(const struct coord *coord, const struct coord_member *member)
{
    return (uint16_t)(member - coord->members);
}

struct coord_member *coord_member_find(struct coord *coord, const struct node_name *node)
{
    for (uint16_t i = 0; i < coord->member_count; i++) {
        if (node_name_equal(&coord->members[i].node, node))
            return &coord->members[i];
    }
    return NULL;
}

/* NULL when MEMBERS_MAX are known: the cluster is larger than its limit. */
static struct coord_member *member_make(struct coord *coord, const struct node_name *node)
{
    struct coord_member *member = coord_member_find(coord, node);

    if (member || coord->member_count == MEMBERS_MAX)
        return member;
    member = &coord->members[coord->member_count++];
    member->node = *node;
    member->party = PARTY_NONE;
    member->linked = PARTY_NONE;
    member->peer = PEER_NONE;
    return member;
}

/*
 * Where to send what is meant for a listed party: PEER_NONE unless the very store that is listed is
 * connected (R14) and has sealed our epoch (R2), and nobody deposed us.
 */
uint32_t coord_peer(const struct coord *coord, uint16_t group, uint16_t party)
{
    uint8_t member = coord->member_of[party];

    if (member == 0 || (coord->groups[group].sealed & bit((uint16_t)(member - 1))) == 0 ||
        coord->groups[group].deposed)
        return PEER_NONE;
    return coord->members[member - 1].peer;
}

/* True iff new work may be started in the group. */
bool coord_group_active(const struct coord_group *group)
{
    return group->epoch != 0 && !group->suspended && !group->deposed;
}

/* R2: a leader, too, hears only what was said in its own epoch. */
bool coord_is_current(const struct coord *coord, const struct msg *msg)
{
    uint64_t epoch = coord->groups[msg->group].epoch;

    return epoch != 0 && msg->tag.epoch == epoch;
}

/* The registry is what says which store a participant's is; a Submit lists that one. */
void coord_on_member(struct coord *coord, const struct event *ev)
{
    struct coord_member *member = member_make(coord, &ev->link.party.node);

    if (!member)
        return;
    member->registered = true;
    if (!guid_is_zero(&ev->link.party.store))
        member->party = parties_intern(&coord->parties, &ev->link.party);
}

static void seal_ask(struct coord *coord, uint16_t group, const struct coord_member *member,
                     struct batch *batch)
{
    struct msg *out = batch_msg(batch, MSG_SEAL, member->peer);

    out->group = group;
    out->tag.epoch = coord->groups[group].epoch;
    out->seal.guid = coord->groups[group].guid;
}

void coord_group_schedule(struct coord *coord, uint16_t group)
{
    const struct coord_group *at = &coord->groups[group];
    uint64_t due = at->retry_ms < at->end_ms ? at->retry_ms : at->end_ms;

    timers_ask(&coord->timers, coord->options.txn_max + group, due);
}

static void retry_soon(struct coord *coord, uint16_t group)
{
    coord->groups[group].retry_ms = coord->now_ms + coord->options.retry_ms;
    coord_group_schedule(coord, group);
}

/* The group's turn: who has not sealed is asked again, who has is read further; then End. */
void coord_group_ask(struct coord *coord, uint16_t group, struct batch *batch)
{
    struct coord_group *at = &coord->groups[group];
    bool all = true;

    if (!coord_group_active(at))
        return;
    if (at->retry_ms <= coord->now_ms) {
        at->retry_ms = TIMERS_NEVER;
        for (uint16_t i = 0; i < coord->member_count; i++) {
            if (coord->members[i].peer == PEER_NONE || (at->sealed & at->reported & bit(i)) != 0)
                continue;
            all = false;
            if ((at->sealed & bit(i)) != 0)
                coord_report_ask(coord, group, i, batch);
            else
                seal_ask(coord, group, &coord->members[i], batch);
        }
        if (!all)
            at->retry_ms = coord->now_ms + coord->options.retry_ms;
    }
    if (at->end_ms <= coord->now_ms)
        coord_end_send(coord, group, batch);
    coord_group_schedule(coord, group);
}

void coord_on_link_up(struct coord *coord, const struct event *ev, struct batch *batch)
{
    struct coord_member *member = member_make(coord, &ev->link.party.node);
    uint16_t party = parties_intern(&coord->parties, &ev->link.party);

    if (!member || party == PARTY_NONE || ev->link.peer == PEER_NONE)
        return;
    if (member->peer != PEER_NONE)
        coord_on_link_down(coord, member->peer, batch); /* superseded */
    member->peer = ev->link.peer;
    member->linked = party;
    if (member->party == PARTY_NONE)
        member->party = party;
    coord->member_of[party] = (uint8_t)(coord_member_index(coord, member) + 1);
    for (uint16_t i = 0; i < coord->options.groups; i++) {
        if (!coord_group_active(&coord->groups[i]))
            continue;
        seal_ask(coord, i, member, batch);
        retry_soon(coord, i);
    }
}

/* Seals are promises on a connection: a new one asks again, and reads the report anew. */
void coord_on_link_down(struct coord *coord, uint32_t peer, struct batch *batch)
{
    for (uint16_t i = 0; i < coord->member_count; i++) {
        struct coord_member *member = &coord->members[i];

        if (member->peer != peer || peer == PEER_NONE)
            continue;
        coord->member_of[member->linked] = 0;
        member->peer = PEER_NONE;
        member->linked = PARTY_NONE;
        for (uint16_t group = 0; group < coord->options.groups; group++) {
            coord->groups[group].sealed &= ~bit(i);
            coord->groups[group].reported &= ~bit(i);
        }
        coord_find_link_down(coord, i, batch);
        coord_audit_link_down(coord, i, batch);
    }
}

static void step_down(struct coord *coord, uint16_t group, uint64_t sealed_epoch,
                      struct batch *batch)
{
    struct act *act = batch_act(batch, ACT_STEP_DOWN);

    act->group = group;
    act->sealed_epoch = sealed_epoch;
    coord->groups[group].deposed = true;
}

/*
 * R14: an epoch this process led before is never led again: its sequences were given. The cluster
 * cannot hand one out twice, unless ZooKeeper was restored from an older state.
 */
void coord_on_lead(struct coord *coord, const struct event *ev, struct batch *batch)
{
    struct coord_group *group = &coord->groups[ev->lead.group];

    ASSERT(ev->lead.group < coord->options.groups && ev->lead.epoch != 0);
    if (group->epoch == ev->lead.epoch && guid_equal(&group->guid, &ev->lead.guid))
        return; /* said twice */
    if (group->epoch != 0)
        coord_on_unlead(coord, ev->lead.group);
    if (ev->lead.epoch <= group->epoch_max) {
        struct act *act = batch_act(batch, ACT_STEP_DOWN);

        act->group = ev->lead.group;
        act->sealed_epoch = group->epoch_max;
        return;
    }
    group->epoch = ev->lead.epoch;
    group->epoch_max = ev->lead.epoch;
    group->guid = ev->lead.guid;
    group->sequence = 0;
    group->suspended = false;
    group->deposed = false;
    group->sealed = 0;
    group->reported = 0;
    group->end_ms = TIMERS_NEVER;
    group->retry_ms = coord->now_ms;
    coord_group_ask(coord, ev->lead.group, batch);
}

void coord_on_suspend(struct coord *coord, uint16_t group)
{
    ASSERT(group < coord->options.groups);
    coord->groups[group].suspended = true;
}

/* Still ours: what was left undone meanwhile is done now. */
void coord_on_resume(struct coord *coord, uint16_t group)
{
    struct coord_group *at = &coord->groups[group];

    ASSERT(group < coord->options.groups);
    if (!at->suspended || at->epoch == 0)
        return;
    at->suspended = false;
    at->retry_ms = coord->now_ms;
    at->wake = at->head;
    at->wake_for = UINT64_MAX;
    coord->waking = true;
    coord_end_soon(coord, group);
    coord_group_schedule(coord, group);
}

/* Lost: every transaction of it is dropped, a slice a tick; their next leader asks for itself. */
void coord_on_unlead(struct coord *coord, uint16_t group)
{
    struct coord_group *at = &coord->groups[group];

    ASSERT(group < coord->options.groups);
    if (at->head != SLOT_NONE) {
        coord->txns[at->tail].next = coord->doomed;
        coord->doomed = at->head;
    }
    at->head = SLOT_NONE;
    at->tail = SLOT_NONE;
    at->wake = SLOT_NONE;
    at->wake_for = 0;
    at->epoch = 0;
    at->sealed = 0;
    at->reported = 0;
}

void coord_on_sealed(struct coord *coord, struct coord_member *member, const struct msg *msg,
                     struct batch *batch)
{
    struct coord_group *group = &coord->groups[msg->group];
    uint16_t index = coord_member_index(coord, member);

    if (!coord_is_current(coord, msg) || !guid_equal(&msg->seal.guid, &group->guid)) {
        coord->stats.stale_answers++;
        return;
    }
    if ((group->sealed & bit(index)) != 0)
        return;
    group->sealed |= bit(index);
    if (group->head != SLOT_NONE) {
        group->wake = group->head;
        group->wake_for |= bit(index);
        coord->waking = true;
    }
    if (group->sequence > 0)
        coord_end_soon(coord, msg->group); /* what it missed */
    if (!coord_group_active(group) || (group->reported & bit(index)) != 0)
        return;
    memset(&group->reports[index], 0, sizeof(group->reports[index]));
    coord_report_ask(coord, msg->group, index, batch);
    retry_soon(coord, msg->group);
}

/*
 * R2: refused. A higher seal, or ours under another GUID, ends our leadership: whoever sealed it
 * may have decided otherwise already, and we ask nobody any more. A lower one only means that this
 * connection has not sealed yet.
 */
void coord_on_stale(struct coord *coord, struct coord_member *member, const struct msg *msg,
                    struct batch *batch)
{
    struct coord_group *group = &coord->groups[msg->group];
    uint16_t index = coord_member_index(coord, member);
    bool higher;

    if (!coord_is_current(coord, msg)) {
        coord->stats.stale_answers++;
        return;
    }
    coord->stats.stale_refused++;
    higher = msg->stale.sealed_epoch > group->epoch ||
             (msg->stale.sealed_epoch == group->epoch &&
              !guid_equal(&msg->stale.sealed_guid, &group->guid));
    if (higher && !group->deposed) {
        step_down(coord, msg->group, msg->stale.sealed_epoch, batch);
    } else if (!higher && (group->sealed & bit(index)) != 0) {
        group->sealed &= ~bit(index);
        seal_ask(coord, msg->group, member, batch);
        retry_soon(coord, msg->group);
    }
}
