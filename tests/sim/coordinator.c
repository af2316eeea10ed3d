/*
 * A coordinator's process around the core: its start and end, its step, its store of what it told.
 *
 * Nothing a coordinator says waits for a disk (R1), so its messages leave at once; a crash may fall
 * between any two of them. Its store keeps what it told, or loses the newest of it, or all.
 */
#include "base/assert.h"
#include "sim/sim.h"

#include <stdlib.h>
#include <string.h>

static const struct coord_options options_usual = {
    .txn_max = 64,
    .in_flight_max = 32,
    .blob_bytes = 64 * 1024,
    .retry_ms = 200,
    .down_grace_ms = 500,
    .end_ms = 100,
};

static struct happening of_self(const struct sim *sim, enum happening_kind kind, uint32_t index)
{
    return (struct happening){
        .kind = kind, .node = (uint8_t)index, .process = sim->coordinators[index].process};
}

void coordinator_open(struct sim *sim, uint32_t index)
{
    struct coordinator *self = &sim->coordinators[index];
    struct coord_options options = options_usual;

    options.groups = SIM_GROUPS;
    self->coord_size = coord_memory_size(&options);
    self->coord_memory = malloc(self->coord_size);
    self->batch_memory = malloc(batch_memory_size(1));
    ASSERT(self->coord_memory && self->batch_memory);
    batch_init(&self->batch, self->batch_memory, 1);
}

void coordinator_close(struct coordinator *self)
{
    free(self->coord_memory);
    free(self->batch_memory);
}

static const struct outcome *told_before(const struct coordinator *self, const struct id *id)
{
    for (uint32_t i = 0; i < self->history_count; i++) {
        if (id_equal(&self->history[i].outcome.id, id))
            return &self->history[i].outcome;
    }
    return NULL;
}

/*
 * R11: what may be told is remembered; one row an id, as the store has it, and no ABORTED of one
 * content takes the place of another's COMMITTED.
 */
static void remember(struct coordinator *self, const struct outcome *outcome)
{
    struct told_row *row = NULL;

    for (uint32_t i = 0; i < self->history_count && !row; i++) {
        if (id_equal(&self->history[i].outcome.id, &outcome->id))
            row = &self->history[i];
    }
    if (row && (row->outcome.state == STATE_COMMITTED || outcome->state != STATE_COMMITTED))
        return;
    if (!row) {
        ASSERT(self->history_count < SIM_CONTENTS);
        row = &self->history[self->history_count++];
    }
    row->outcome = *outcome;
    row->durable = false;
}

static void schedule_tick(struct sim *sim, uint32_t index)
{
    struct coordinator *self = &sim->coordinators[index];
    uint64_t next_ms = coord_next_ms(self->coord);
    uint64_t at_ms = sim->now_ms + 1;

    if (next_ms == UINT64_MAX)
        return;
    if (next_ms > self->mono_ms + at_ms)
        at_ms = next_ms - self->mono_ms;
    if (self->tick_at_ms != 0 && self->tick_at_ms <= at_ms)
        return;
    self->tick_at_ms = at_ms;
    sim_schedule(sim, at_ms - sim->now_ms, of_self(sim, HAPPENS_COORD_TICK, index));
}

static void say(struct sim *sim, uint32_t index, const struct msg *msg)
{
    struct coordinator *self = &sim->coordinators[index];
    struct envelope envelope = {.kind = WIRE_MSG, .msg = *msg};
    const struct conn *conn = &sim->conns[msg->peer - 1];
    uint8_t bytes[SIM_FRAME_SIZE];
    int size;

    ASSERT(msg->peer >= 1 && msg->peer <= sim->conn_count && msg->group < sim->group_count);
    oracle_says(sim, index, msg);
    if (!conn->coordinator_open)
        return;
    size = wire_encode(&sim->scratch, &envelope, bytes, sizeof(bytes));
    ASSERT(size > 0);
    net_send(sim, msg->peer, true, &self->groups[msg->group].guid,
             (struct blob){bytes, (uint32_t)size});
}

static void reply(struct sim *sim, uint32_t index, const struct reply *reply)
{
    struct happening happening = of_self(sim, HAPPENS_REPLY, index);
    struct ask *ask = &sim->asks[reply->waiter.request];

    ASSERT(reply->waiter.request < sim->ask_count);
    oracle_told(sim, index, ask, reply);
    ask->reply = reply->kind;
    ask->reason = reply->reason;
    ask->complete = reply->reason == REASON_NONE && reply->doubt_count == 0;
    happening.value = (uint32_t)reply->waiter.request;
    if (!sim_chance(sim, sim->faults.lose_reply))
        sim_schedule(sim, sim_delay(sim, sim->faults.delay_ms), happening);
}

/* A higher seal was met: the leadership is given up, as the cluster's module does, a little later.
 */
static void act(struct sim *sim, uint32_t index, const struct act *act)
{
    struct happening happening = of_self(sim, HAPPENS_RESIGNED, index);

    ASSERT(act->kind == ACT_STEP_DOWN);
    happening.other = (uint8_t)act->group;
    happening.value = (uint32_t)sim->coordinators[index].groups[act->group].epoch;
    sim_schedule(sim, sim_delay(sim, 20), happening);
}

/* Carry a step's batch out. */
static void execute(struct sim *sim, uint32_t index)
{
    struct coordinator *self = &sim->coordinators[index];
    struct batch *batch = &self->batch;

    ASSERT(batch->record_count == 0);
    for (uint32_t i = 0; i < batch->told_count; i++)
        remember(self, &batch->told[i]);
    for (uint32_t i = 0; i < batch->msg_count; i++) {
        if (!sim->healing && sim_chance(sim, sim->faults.crash_in_speech)) {
            batch_clear(batch);
            coordinator_crash(sim, index);
            return;
        }
        say(sim, index, &batch->msgs[i]);
    }
    for (uint32_t i = 0; i < batch->reply_count; i++)
        reply(sim, index, &batch->replies[i]);
    for (uint32_t i = 0; i < batch->act_count; i++)
        act(sim, index, &batch->acts[i]);
    batch_clear(batch);
}

static void step(struct sim *sim, uint32_t index, struct event *ev)
{
    struct coordinator *self = &sim->coordinators[index];

    ASSERT(self->alive);
    ev->now_ms = sim->now_ms + self->mono_ms;
    ev->wall_ms = sim_wall_ms(sim, self->skew_ms);
    coord_step(self->coord, ev, &self->batch);
    execute(sim, index);
    if (self->alive)
        schedule_tick(sim, index);
}

/* The registry tells of a participant and its store. */
void coordinator_member(struct sim *sim, uint32_t index, uint32_t bank)
{
    struct event ev = {.kind = EV_MEMBER, .link = {.party = sim->banks[bank].self}};

    step(sim, index, &ev);
}

void coordinator_start(struct sim *sim, uint32_t index)
{
    struct coordinator *self = &sim->coordinators[index];
    struct coord_options options = options_usual;

    if (self->alive)
        return;
    options.groups = (uint16_t)sim->group_count;
    if (sim->faults.tight) {
        options.txn_max = 3;
        options.in_flight_max = 2;
    }
    memset(self->coord_memory, 0, self->coord_size);
    self->coord = coord_init(self->coord_memory, &options);
    self->alive = true;
    self->process++;
    self->session = 0;
    self->suspended = false;
    self->paused_until_ms = 0;
    self->tick_at_ms = 0;
    self->mono_ms = sim_draw(sim, 1000000);
    memset(self->groups, 0, sizeof(self->groups));
    batch_clear(&self->batch);
    sim_trace(sim, "c%u starts", index + 1);
    for (uint32_t i = 0; i < sim->bank_count; i++) {
        coordinator_member(sim, index, i);
        sim_schedule(sim, sim_delay(sim, 20),
                     (struct happening){.kind = HAPPENS_DIAL,
                                        .node = (uint8_t)index,
                                        .other = (uint8_t)i,
                                        .process = self->process});
    }
    sim_schedule(sim, sim_delay(sim, 50), of_self(sim, HAPPENS_JOIN, index));
}

/* The counters of a process's life are added up when it ends. */
void coordinator_count(struct sim *sim, uint32_t index)
{
    const struct coord_stats *stats = coord_stats(sim->coordinators[index].coord);

    sim->counts.recoveries += stats->recovered;
    sim->counts.stale_answers += stats->stale_answers;
    if (stats->contradictions > 0)
        sim_fail(sim, "I1", "c%u met %llu contradictions", index + 1,
                 (unsigned long long)stats->contradictions);
}

/* What was told and not forced yet is kept up to some point, or the whole store is lost. */
static void crash_store(struct sim *sim, struct coordinator *self)
{
    uint32_t kept = 0;

    if (sim_chance(sim, sim->faults.lose_history))
        self->history_count = 0;
    while (kept < self->history_count &&
           (self->history[kept].durable || !sim->random || sim_chance(sim, 500)))
        self->history[kept++].durable = true;
    self->history_count = kept;
}

void coordinator_crash(struct sim *sim, uint32_t index)
{
    struct coordinator *self = &sim->coordinators[index];

    if (!self->alive)
        return;
    sim_trace(sim, "c%u crashes", index + 1);
    coordinator_count(sim, index);
    sim->counts.coordinator_crashes++;
    self->alive = false;
    crash_store(sim, self);
    zk_silence(sim, index);
    self->session = 0;
    self->paused_until_ms = 0;
    net_coordinator_gone(sim, index);
    if (sim->random)
        sim_schedule(sim, sim_delay(sim, 2500),
                     (struct happening){.kind = HAPPENS_START_COORD, .node = (uint8_t)index});
}

void coordinator_tick(struct sim *sim, uint32_t index)
{
    struct event ev = {.kind = EV_TICK};

    if (sim->coordinators[index].tick_at_ms > sim->now_ms)
        return; /* an earlier one was due, and has been */
    sim->coordinators[index].tick_at_ms = 0;
    step(sim, index, &ev);
}

void coordinator_receive(struct sim *sim, uint32_t index, const struct msg *msg)
{
    struct event ev = {.kind = EV_MSG, .msg = {.msg = msg}};

    if (msg->kind == MSG_CUT_RESULT)
        cuts_seen(sim, sim->conns[msg->peer - 1].bank, msg);
    step(sim, index, &ev);
}

void coordinator_link(struct sim *sim, uint32_t index, uint32_t peer, bool up)
{
    struct event ev = {.kind = up ? EV_LINK_UP : EV_LINK_DOWN, .link = {.peer = peer}};

    ev.link.party = sim->banks[sim->conns[peer - 1].bank].self;
    sim_trace(sim, "c%u has b%u %s", index + 1, sim->conns[peer - 1].bank + 1u, up ? "up" : "down");
    step(sim, index, &ev);
}

/* A Submit as it comes over the wire: what is digested and handed on is what was decoded. */
static void receive_submit(struct sim *sim, const struct content *content, struct event *ev)
{
    struct envelope sent = {.kind = WIRE_SUBMIT, .request = 1}, received;
    uint8_t bytes[SIM_FRAME_SIZE];
    int size;

    sent.submit.id = content->id;
    sent.submit.protocol = content->protocol;
    sent.submit.deadline_ms = content->deadline_ms;
    sent.submit.branches = content->branches;
    sent.submit.branch_count = content->branch_count;
    size = wire_encode(&sim->scratch, &sent, bytes, sizeof(bytes));
    ASSERT(size > FRAME_HEADER_SIZE);
    arena_reset(&sim->arena);
    if (wire_decode(&sim->arena, bytes + FRAME_HEADER_SIZE, (size_t)size - FRAME_HEADER_SIZE,
                    &received, NULL) != 0) {
        sim_fail(sim, "codec", "a Submit does not decode");
        return;
    }
    ev->submit.id = received.submit.id;
    ev->submit.digest = submit_digest(&received.submit);
    ev->submit.protocol = received.submit.protocol;
    ev->submit.deadline_ms = received.submit.deadline_ms;
    ev->submit.branches = received.submit.branches;
    ev->submit.branch_count = received.submit.branch_count;
}

void coordinator_request(struct sim *sim, uint32_t index, uint32_t ask_index)
{
    const struct ask *ask = &sim->asks[ask_index];
    const struct content *content = &sim->contents[ask->content];
    const struct coordinator *self = &sim->coordinators[index];
    struct waiter waiter = {.client = 1, .request = ask_index};
    struct event ev = {.kind = EV_AUDIT, .audit = {.waiter = waiter, .deadline_ms = 1500}};

    if (ask->kind == ASK_SUBMIT) {
        ev.kind = EV_SUBMIT;
        ev.submit.waiter = waiter;
        receive_submit(sim, content, &ev);
        ev.submit.told = told_before(self, &content->id);
    } else if (ask->kind == ASK_OUTCOME) {
        ev.kind = EV_OUTCOME;
        ev.outcome.waiter = waiter;
        ev.outcome.id = content->id;
        ev.outcome.deadline_ms = content->deadline_ms;
        ev.outcome.told = told_before(self, &content->id);
    }
    step(sim, index, &ev);
}

void coordinator_lead(struct sim *sim, uint32_t index, uint32_t group, uint64_t epoch,
                      const struct guid *guid)
{
    struct coordinator *self = &sim->coordinators[index];
    struct event ev = {.kind = EV_LEAD, .lead = {(uint16_t)group, epoch, *guid}};

    self->groups[group] = (struct leadership){.leads = true, .epoch = epoch, .guid = *guid};
    sim_trace(sim, "c%u leads group %u by epoch %llu", index + 1, group, (unsigned long long)epoch);
    step(sim, index, &ev);
}

void coordinator_unlead(struct sim *sim, uint32_t index, uint32_t group)
{
    struct event ev = {.kind = EV_UNLEAD, .lead = {.group = (uint16_t)group}};

    if (!sim->coordinators[index].groups[group].leads)
        return;
    sim->coordinators[index].groups[group].leads = false;
    sim_trace(sim, "c%u no longer leads group %u", index + 1, group);
    step(sim, index, &ev);
}

void coordinator_resigned(struct sim *sim, uint32_t index, uint32_t group, uint32_t epoch)
{
    const struct leadership *led = &sim->coordinators[index].groups[group];

    if (!led->leads || (uint32_t)led->epoch != epoch)
        return;
    zk_resign(sim, index, group);
    coordinator_unlead(sim, index, group);
}

/* The session is over, or the lease is: nothing is led any more; a new session follows. */
void coordinator_unled(struct sim *sim, uint32_t index)
{
    struct coordinator *self = &sim->coordinators[index];

    if (self->session == 0 || sim->zk.sessions[self->session - 1].alive)
        return;
    for (uint32_t group = 0; group < sim->group_count && self->alive; group++)
        coordinator_unlead(sim, index, group);
    if (!self->alive)
        return;
    memset(self->groups, 0, sizeof(self->groups));
    self->session = 0;
    sim_schedule(sim, sim_delay(sim, 100), of_self(sim, HAPPENS_JOIN, index));
}

static void tell_all(struct sim *sim, uint32_t index, enum event_kind kind)
{
    struct coordinator *self = &sim->coordinators[index];

    for (uint32_t group = 0; group < sim->group_count && self->alive; group++) {
        struct event ev = {.kind = kind, .lead = {.group = (uint16_t)group}};

        if (self->groups[group].leads)
            step(sim, index, &ev);
    }
}

void coordinator_suspended(struct sim *sim, uint32_t index)
{
    struct coordinator *self = &sim->coordinators[index];

    if (self->suspended || !self->zk_cut)
        return;
    self->suspended = true;
    sim_trace(sim, "c%u suspends", index + 1);
    tell_all(sim, index, EV_SUSPEND);
    if (self->alive && !sim->faults.no_lease_clock)
        sim_schedule(sim, SIM_SESSION_MS, of_self(sim, HAPPENS_LEASE_ENDS, index));
}

void coordinator_resumed(struct sim *sim, uint32_t index)
{
    struct coordinator *self = &sim->coordinators[index];

    if (!self->suspended || self->zk_cut)
        return;
    self->suspended = false;
    sim_trace(sim, "c%u resumes", index + 1);
    tell_all(sim, index, EV_RESUME);
    for (uint32_t group = 0; group < sim->group_count && self->alive; group++) {
        if (self->groups[group].given_up)
            zk_resign(sim, index, group);
        self->groups[group].given_up = false;
    }
}

/*
 * The own lease clock: out of touch for a session's time, so somebody else may lead by now. What is
 * given up is not led again by the same node, should the session have lived on.
 */
void coordinator_lease_ends(struct sim *sim, uint32_t index)
{
    struct coordinator *self = &sim->coordinators[index];

    for (uint32_t group = 0; group < sim->group_count && self->alive && self->suspended; group++) {
        if (self->groups[group].leads) {
            coordinator_unlead(sim, index, group);
            self->groups[group].given_up = true;
        }
    }
}
