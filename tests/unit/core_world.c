#include "core_world.h"

#include "base/assert.h"

#include <stdlib.h>

#define ROUNDS_MAX 64

static void *zeroed(size_t size)
{
    void *memory = calloc(1, size);

    ASSERT(memory);
    return memory;
}

struct id world_id(uint8_t number)
{
    uint8_t random[10] = {0};

    random[9] = number;
    return id_make(1700000000000u, random);
}

struct event world_event(const struct world *world, enum event_kind kind)
{
    struct event ev;

    memset(&ev, 0, sizeof(ev));
    ev.kind = kind;
    ev.now_ms = world->now_ms;
    ev.wall_ms = world->wall_ms;
    return ev;
}

/* The toy resource: execute the acts of one step, feeding their answers as the turn would. */
static void execute(struct world *world, struct world_part *at, uint32_t first)
{
    for (uint32_t i = first; i < at->batch.act_count; i++) {
        const struct act *act = &at->batch.acts[i];
        struct event ev;

        switch (act->kind) {
        case ACT_RESERVE:
            ev = world_event(world, EV_RESERVED);
            ev.reserved.slot = act->slot;
            ev.reserved.reason = at->refuse;
            ev.reserved.branch = act->branch;
            ev.reserved.hold = at->holds;
            ev.reserved.net_count = (uint16_t)(act->branch.size / sizeof(struct net));
            memcpy(ev.reserved.nets, act->branch.bytes, act->branch.size);
            at->holds += at->refuse == REASON_NONE;
            part_step(at->part, &ev, &at->batch);
            break;
        case ACT_CHECK:
            ev = world_event(world, EV_CHECKED);
            ev.checked.slot = act->slot;
            ev.checked.reason = at->check;
            part_step(at->part, &ev, &at->batch);
            break;
        case ACT_CUT_TOTALS: {
            struct net total = {.currency = {"EUR"}, .amount = at->posted_net};

            ev = world_event(world, EV_CUT_TOTALS);
            ev.cut_totals.slot = act->slot;
            ev.cut_totals.totals = &total;
            ev.cut_totals.total_count = 1;
            part_step(at->part, &ev, &at->batch);
            break;
        }
        case ACT_POST:
            at->posted++;
            break;
        case ACT_VOID:
            at->voided++;
            break;
        case ACT_STEP_DOWN:
            UNREACHABLE();
        }
    }
}

/* What the journal keeps for ever: the outcomes, and with them the posted value. */
static void remember(struct world_part *at, uint32_t first)
{
    for (uint32_t i = first; i < at->batch.record_count; i++) {
        const struct record *record = &at->batch.records[i];
        struct outcome *outcome;
        struct part_view view;

        if (record->kind != RECORD_COMMITTED && record->kind != RECORD_ABORTED)
            continue;
        ASSERT(at->stored_count < WORLD_STORED);
        outcome = &at->stored[at->stored_count++];
        memset(outcome, 0, sizeof(*outcome));
        outcome->id = record->id;
        outcome->digest = record->digest;
        outcome->state = record->kind == RECORD_COMMITTED ? STATE_COMMITTED : STATE_ABORTED;
        outcome->reason = record->reason;
        outcome->timestamp = record->timestamp;
        if (record->kind == RECORD_COMMITTED && part_find(at->part, &record->id, &view))
            at->posted_net += view.nets[0].amount;
    }
}

static void step_part(struct world *world, struct world_part *at, const struct event *ev)
{
    uint32_t first_act = at->batch.act_count, first_record = at->batch.record_count;

    ASSERT(batch_has_room(&at->batch));
    part_step(at->part, ev, &at->batch);
    execute(world, at, first_act);
    remember(at, first_record);
}

static void to_part(struct world *world, const struct msg *sent)
{
    for (int i = 0; i < WORLD_PARTS; i++) {
        struct world_part *at = &world->parts[i];
        struct event ev = world_event(world, EV_MSG);

        if (at->peer != sent->peer)
            continue;
        ev.msg.msg = sent;
        for (uint32_t j = 0; j < at->stored_count; j++) {
            if (id_equal(&at->stored[j].id, &sent->id))
                ev.msg.stored = &at->stored[j];
        }
        step_part(world, at, &ev);
    }
}

static void keep_replies(struct world *world)
{
    for (uint32_t i = 0; i < world->batch.reply_count; i++) {
        ASSERT(world->reply_count < WORLD_SEEN);
        if (world->batch.replies[i].line_count > 0)
            world->line = world->batch.replies[i].lines[0];
        world->replies[world->reply_count++] = world->batch.replies[i];
    }
    world->told_count += world->batch.told_count;
    for (uint32_t i = 0; i < world->batch.act_count; i++)
        world->step_down_count += world->batch.acts[i].kind == ACT_STEP_DOWN;
}

/* One round: all that the coordinator said is heard, and all that is said to that. */
static bool travel(struct world *world)
{
    bool moved = world->batch.msg_count > 0;

    keep_replies(world);
    for (uint32_t i = 0; i < world->batch.msg_count; i++) {
        world->sent[world->batch.msgs[i].kind]++;
        to_part(world, &world->batch.msgs[i]);
    }
    batch_clear(&world->batch);
    for (int i = 0; i < WORLD_PARTS; i++) {
        struct world_part *at = &world->parts[i];

        for (uint32_t j = 0; j < at->batch.msg_count && !world->lose; j++) {
            struct event ev = world_event(world, EV_MSG);

            ASSERT(batch_has_room(&world->batch));
            ev.msg.msg = &at->batch.msgs[j];
            coord_step(world->coord, &ev, &world->batch);
            moved = true;
        }
        batch_clear(&at->batch);
    }
    while (coord_next_ms(world->coord) <= world->now_ms) {
        struct event ev = world_event(world, EV_TICK);

        if (!batch_has_room(&world->batch))
            break;
        coord_step(world->coord, &ev, &world->batch);
        moved = true;
    }
    return moved || world->batch.reply_count > 0;
}

void world_step(struct world *world, const struct event *ev)
{
    coord_step(world->coord, ev, &world->batch);
    for (int i = 0; travel(world); i++)
        ASSERT(i < ROUNDS_MAX);
    keep_replies(world);
    batch_clear(&world->batch);
}

void world_run(struct world *world, uint64_t ms)
{
    for (uint64_t done = 0; done < ms; done += 20) {
        struct event ev;

        world->now_ms += 20;
        world->wall_ms += 20;
        ev = world_event(world, EV_TICK);
        for (int i = 0; i < WORLD_PARTS; i++)
            step_part(world, &world->parts[i], &ev);
        world_step(world, &ev);
    }
}

static struct event link_event(struct world *world, enum event_kind kind, int part)
{
    struct event ev = world_event(world, kind);

    ev.link.peer = world->parts[part].peer;
    ev.link.party = world->parts[part].self;
    return ev;
}

void world_link_down(struct world *world, int part)
{
    struct event ev = link_event(world, EV_LINK_DOWN, part);

    step_part(world, &world->parts[part], &ev);
    world->parts[part].peer = PEER_NONE;
    world_step(world, &ev);
}

void world_link_up(struct world *world, int part)
{
    struct event ev;

    world->parts[part].peer = world->next_peer++;
    ev = link_event(world, EV_LINK_UP, part);
    world_step(world, &ev);
}

void world_open(struct world *world)
{
    struct coord_options options = {.groups = 1,
                                    .txn_max = 128,
                                    .in_flight_max = 32,
                                    .blob_bytes = 64 * 1024,
                                    .retry_ms = 100,
                                    .down_grace_ms = 500,
                                    .end_ms = 50};

    memset(world, 0, sizeof(*world));
    world->now_ms = 1000;
    world->wall_ms = 1700000000000u;
    world->next_peer = 1;
    world->coord = coord_init(zeroed(coord_memory_size(&options)), &options);
    batch_init(&world->batch, zeroed(batch_memory_size(WORLD_STEPS)), WORLD_STEPS);
    for (int i = 0; i < WORLD_PARTS; i++) {
        struct world_part *at = &world->parts[i];
        struct part_options part_options = {.groups = 1, .txn_max = 64, .orphan_ms = 1000};
        struct event ev;

        at->self.node.text[0] = (char)('a' + i);
        at->self.store.bytes[0] = (uint8_t)(i + 1);
        part_options.self = at->self;
        at->part = part_init(zeroed(part_memory_size(&part_options)), &part_options);
        batch_init(&at->batch, zeroed(batch_memory_size(WORLD_STEPS)), WORLD_STEPS);
        ev = link_event(world, EV_MEMBER, i);
        world_step(world, &ev);
        world_link_up(world, i);
    }
}

void world_close(struct world *world)
{
    free(world->coord);
    free(world->batch.msgs);
    for (int i = 0; i < WORLD_PARTS; i++) {
        free(world->parts[i].part);
        free(world->parts[i].batch.msgs);
    }
}

void world_lead(struct world *world, uint64_t epoch)
{
    struct event ev = world_event(world, EV_LEAD);

    ev.lead.epoch = epoch;
    ev.lead.guid.bytes[0] = (uint8_t)epoch;
    world_step(world, &ev);
}

void world_unlead(struct world *world)
{
    struct event ev = world_event(world, EV_UNLEAD);

    world_step(world, &ev);
}

void world_submit(struct world *world, const struct id *id, uint8_t content, int64_t amount,
                  uint32_t deadline_ms)
{
    struct net nets[2] = {{.currency = {"EUR"}, .amount = -amount},
                          {.currency = {"EUR"}, .amount = amount}};
    struct submit_branch branches[2];
    struct event ev = world_event(world, EV_SUBMIT);

    memset(branches, 0, sizeof(branches));
    for (int i = 0; i < 2; i++) {
        branches[i].node = world->parts[i].self.node;
        branches[i].branch.bytes = (const uint8_t *)&nets[i];
        branches[i].branch.size = sizeof(nets[i]);
    }
    ev.submit.waiter.client = 1;
    ev.submit.waiter.request = world->reply_count + 1;
    ev.submit.id = *id;
    ev.submit.digest.bytes[0] = content;
    ev.submit.protocol = PROTOCOL_2PC;
    ev.submit.deadline_ms = deadline_ms;
    ev.submit.branches = branches;
    ev.submit.branch_count = 2;
    world_step(world, &ev);
}
