/*
 * A participant's process around core and ledger: the turn.
 *
 * A step's records go to the journal at once, in memory; the turn's end submits what was recorded
 * since the last one as one job of the store; the job is forced later. What a step says waits in
 * the outbox, the daemons' own, until what it rests on is forced (R1). A crash falls between any
 * two of these.
 */
#include "base/assert.h"
#include "sim/sim.h"

#include <string.h>

static struct happening of_self(const struct sim *sim, enum happening_kind kind, uint32_t index)
{
    return (struct happening){
        .kind = kind, .node = (uint8_t)index, .process = sim->banks[index].process};
}

void bank_send(void *ctx, uint32_t peer, const uint8_t *bytes, size_t size)
{
    static const struct guid nobody;
    struct bank *self = ctx;
    struct sim *sim = self->sim;

    if (!sim->healing && sim_chance(sim, sim->faults.crash_in_speech))
        self->dying = true; /* between two messages that were let go together */
    if (!self->dying && sim->conns[peer - 1].bank_open)
        net_send(sim, peer, false, &nobody, (struct blob){bytes, (uint32_t)size});
}

static const struct outcome *stored(const struct bank *self, const struct id *id)
{
    for (uint32_t i = 0; i < self->outcome_count; i++) {
        if (id_equal(&self->outcomes[i].id, id))
            return &self->outcomes[i];
    }
    return NULL;
}

/* The index of outcomes takes what a record decides (R10). */
void bank_index(struct bank *self, const struct record *record)
{
    bool decided = record->kind == RECORD_COMMITTED || record->kind == RECORD_ABORTED;

    if (!decided || stored(self, &record->id))
        return;
    ASSERT(self->outcome_count < SIM_CONTENTS);
    self->outcomes[self->outcome_count++] = (struct outcome){
        .id = record->id,
        .digest = record->digest,
        .state = record->kind == RECORD_COMMITTED ? STATE_COMMITTED : STATE_ABORTED,
        .reason = record->reason,
        .timestamp = record->timestamp,
    };
}

/* ---- acts: what the core asks of the ledger in mid-turn ---- */

/* CASH is made when it is named first: journaled, then true, before the branch is looked at. */
static void make_cash(struct sim *sim, struct bank *self, const struct branch *branch)
{
    struct account_attributes missing[NETS_MAX];
    uint16_t count = ledger_missing_cash(self->ledger, branch, missing);

    for (uint16_t i = 0; i < count; i++) {
        struct record *record = batch_record(&self->batch, RECORD_ACCOUNT);
        uint8_t *bytes = batch_alloc(&self->batch, ATTRIBUTES_SIZE_MAX);
        int size = attributes_encode(&sim->scratch, &missing[i], bytes, ATTRIBUTES_SIZE_MAX);
        int rc = ledger_apply(self->ledger, &missing[i], record->position, NULL);

        ASSERT(size > 0 && rc == 0);
        record->branch = (struct blob){bytes, (uint32_t)size};
    }
}

static void reserve(struct sim *sim, struct bank *self, const struct act *act, struct event *ev)
{
    struct branch branch;

    ev->kind = EV_RESERVED;
    ev->reserved.slot = act->slot;
    ev->reserved.branch = act->branch;
    ev->reserved.hold = SLOT_NONE;
    ev->reserved.reason = branch_decode(&sim->scratch, act->branch.bytes, act->branch.size, &branch,
                                        NULL);
    if (ev->reserved.reason != REASON_NONE)
        return;
    make_cash(sim, self, &branch);
    ev->reserved.reason = ledger_reserve(self->ledger, &branch, &ev->reserved.hold,
                                         ev->reserved.nets, &ev->reserved.net_count);
}

static void check(struct sim *sim, struct bank *self, const struct act *act, struct event *ev)
{
    struct branch branch;

    ev->kind = EV_CHECKED;
    ev->checked.slot = act->slot;
    ev->checked.reason = branch_decode(&sim->scratch, act->branch.bytes, act->branch.size, &branch,
                                       NULL);
    if (ev->checked.reason == REASON_NONE)
        ev->checked.reason = ledger_check(self->ledger, &branch);
}

static void stamp(const struct sim *sim, const struct bank *self, struct event *ev)
{
    ev->now_ms = sim->now_ms + self->mono_ms;
    ev->wall_ms = sim_wall_ms(sim, self->skew_ms);
}

static void act(struct sim *sim, struct bank *self, const struct act *act)
{
    struct entry entries[LEGS_MAX];
    struct net totals[CURRENCIES_MAX];
    struct event ev = {0};

    switch (act->kind) {
    case ACT_RESERVE:
        reserve(sim, self, act, &ev);
        break;
    case ACT_CHECK:
        check(sim, self, act, &ev);
        break;
    case ACT_POST:
        ledger_post(self->ledger, act->hold, &act->id, act->position, act->timestamp, entries);
        return;
    case ACT_VOID:
        ledger_void(self->ledger, act->hold);
        return;
    case ACT_CUT_TOTALS:
        ev.kind = EV_CUT_TOTALS;
        ev.cut_totals.slot = act->slot;
        ev.cut_totals.total_count = ledger_totals(self->ledger, totals);
        ev.cut_totals.totals = totals;
        break;
    case ACT_STEP_DOWN:
        UNREACHABLE(); /* a coordinator's */
    }
    stamp(sim, self, &ev);
    part_step(self->part, &ev, &self->batch);
}

/* ---- the step ---- */

static void queue_frames(struct sim *sim, struct bank *self)
{
    for (uint32_t i = 0; i < self->batch.msg_count; i++) {
        const struct msg *msg = &self->batch.msgs[i];
        struct envelope envelope = {.kind = WIRE_MSG, .msg = *msg};
        uint8_t *room = outbox_reserve(self->outbox, SIM_FRAME_SIZE);
        int size;

        if (!room) {
            sim_fail(sim, "I10", "the outbox of b%u is full", self->index + 1);
            return;
        }
        size = wire_encode(&sim->scratch, &envelope, room, SIM_FRAME_SIZE);
        ASSERT(size > 0);
        outbox_push(self->outbox, msg->peer, msg->depends, (size_t)size);
    }
}

/* What rests on no more than what is forced leaves (R1). */
static void release(struct sim *sim, uint32_t index)
{
    struct bank *self = &sim->banks[index];

    outbox_release(self->outbox, self->durable);
    if (self->dying)
        bank_crash(sim, index);
}

static void open_turn(struct sim *sim, uint32_t index)
{
    struct bank *self = &sim->banks[index];

    if (!self->alive || self->turn_open || self->batch.log_tail == self->submitted)
        return;
    self->turn_open = true;
    sim_schedule(sim, sim->random ? sim_draw(sim, sim->faults.turn_ms + 1) : 1,
                 of_self(sim, HAPPENS_TURN, index));
}

/* `guid`: of the leader whose message it is; NULL when it is no leader's. */
static void step(struct sim *sim, uint32_t index, struct event *ev, const struct guid *guid)
{
    struct bank *self = &sim->banks[index];
    struct batch *batch = &self->batch;
    bool recorded;

    ASSERT(self->alive);
    stamp(sim, self, ev);
    part_step(self->part, ev, batch);
    for (uint32_t i = 0; i < batch->act_count; i++) {
        struct act next = batch->acts[i];

        act(sim, self, &next);
    }
    recorded = batch->record_count > 0;
    for (uint32_t i = 0; i < batch->record_count; i++) {
        oracle_recorded(sim, index, &batch->records[i], guid);
        disk_append(sim, self, &batch->records[i]);
        bank_index(self, &batch->records[i]);
    }
    queue_frames(sim, self);
    if (batch->act_count > 0 || recorded)
        oracle_books(sim, index);
    batch_clear(batch);
    if (recorded && !sim->healing && sim_chance(sim, sim->faults.crash_after_step)) {
        bank_crash(sim, index);
        return;
    }
    release(sim, index);
    open_turn(sim, index);
}

void bank_receive(struct sim *sim, uint32_t index, const struct msg *msg, const struct guid *guid)
{
    struct bank *self = &sim->banks[index];
    struct event ev = {.kind = EV_MSG, .msg = {.msg = msg}};

    if (!part_knows(self->part, &msg->id))
        ev.msg.stored = stored(self, &msg->id);
    step(sim, index, &ev, guid);
}

void bank_link_down(struct sim *sim, uint32_t index, uint32_t peer)
{
    struct event ev = {.kind = EV_LINK_DOWN, .link = {.peer = peer}};

    step(sim, index, &ev, NULL);
}

void bank_tick(struct sim *sim, uint32_t index)
{
    struct event ev = {.kind = EV_TICK};

    sim_schedule(sim, SIM_BANK_TICK_MS, of_self(sim, HAPPENS_BANK_TICK, index));
    step(sim, index, &ev, NULL);
}

/* The store is full, or has room again: new work is refused, what is decided finishes. */
void bank_admit(struct sim *sim, uint32_t index, enum reason reason)
{
    struct event ev = {.kind = EV_ADMIT, .admit = {.reason = reason}};

    if (sim->banks[index].alive)
        step(sim, index, &ev, NULL);
}

void bank_forget_before(struct sim *sim, uint32_t index, const struct id *oldest)
{
    struct event ev = {.kind = EV_OLDEST, .oldest = {.id = *oldest}};

    step(sim, index, &ev, NULL);
}

/* The end of a turn: what it recorded becomes one job, and maybe a slice of a checkpoint with it.
 */
void bank_turn(struct sim *sim, uint32_t index)
{
    struct bank *self = &sim->banks[index];

    self->turn_open = false;
    if (self->pass_open || sim_chance(sim, sim->faults.checkpoint))
        disk_checkpoint(sim, index);
    disk_submit(sim, index);
}

/* A job is durable: what rests on it may leave. */
void bank_forced(struct sim *sim, uint32_t index)
{
    struct bank *self = &sim->banks[index];

    if (self->store_stuck || self->job_count == 0)
        return;
    disk_force(sim, index);
    if (!sim->healing && sim_chance(sim, sim->faults.crash_at_force)) {
        bank_crash(sim, index);
        return;
    }
    release(sim, index);
}

/* The counters of a process's life are added up when it ends. */
void bank_count(struct sim *sim, uint32_t index)
{
    const struct part_stats *stats = part_stats(sim->banks[index].part);

    sim->counts.stale_refusals += stats->stale_refused;
    sim->counts.conflicts += stats->conflicts;
    sim->counts.busy += stats->busy;
    sim->counts.orphans += stats->orphans_named;
    sim->counts.ended += stats->ended;
    if (stats->contradictions > 0)
        sim_fail(sim, "I1", "b%u met %llu contradictions", index + 1,
                 (unsigned long long)stats->contradictions);
}

void bank_crash(struct sim *sim, uint32_t index)
{
    struct bank *self = &sim->banks[index];

    if (!self->alive)
        return;
    sim_trace(sim, "b%u crashes", index + 1);
    bank_count(sim, index);
    sim->counts.bank_crashes += !sim->healing;
    self->alive = false;
    self->dying = false;
    batch_clear(&self->batch);
    outbox_close(self->outbox);
    self->outbox = NULL;
    disk_crash(sim, index);
    net_bank_gone(sim, index);
    if (sim->random)
        sim_schedule(sim, sim_delay(sim, 2500),
                     (struct happening){.kind = HAPPENS_START_BANK, .node = (uint8_t)index});
}
