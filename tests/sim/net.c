/*
 * The network between coordinators and banks: connections, and frames under way.
 *
 * It is weaker than TCP on purpose: within a connection frames are lost, repeated and overtake each
 * other. What it shares with TCP: nothing crosses from one connection to another, and each end
 * learns by itself, and late, that a connection is gone. A coordinator's new connection supersedes
 * the same process's old one at the bank, and nobody else's.
 */
#include "base/assert.h"
#include "sim/sim.h"

#include <string.h>

static struct happening about_link(const struct sim *sim, enum happening_kind kind,
                                   uint32_t coordinator, uint32_t bank)
{
    return (struct happening){.kind = kind,
                              .node = (uint8_t)coordinator,
                              .other = (uint8_t)bank,
                              .process = sim->coordinators[coordinator].process};
}

void net_dial_later(struct sim *sim, uint32_t coordinator, uint32_t bank)
{
    sim_schedule(sim, sim_delay(sim, 100), about_link(sim, HAPPENS_DIAL, coordinator, bank));
}

/* True iff this run of the coordinator has a connection to the bank, or one is being made. */
static bool is_dialled(const struct sim *sim, uint32_t coordinator, uint32_t bank)
{
    for (uint32_t i = 0; i < sim->conn_count; i++) {
        const struct conn *conn = &sim->conns[i];

        if (conn->coordinator == coordinator && conn->bank == bank &&
            conn->coordinator_process == sim->coordinators[coordinator].process &&
            (conn->dialling || conn->coordinator_open))
            return true;
    }
    return false;
}

/* A Hello of the same process supersedes its old connection, never another process's. */
static void supersede(struct sim *sim, const struct conn *by)
{
    for (uint32_t i = 0; i < sim->conn_count; i++) {
        struct conn *conn = &sim->conns[i];

        if (conn == by || conn->bank != by->bank || conn->bank_process != by->bank_process ||
            conn->coordinator != by->coordinator ||
            conn->coordinator_process != by->coordinator_process || !conn->bank_open)
            continue;
        conn->bank_open = false;
        bank_link_down(sim, by->bank, i + 1);
    }
}

void net_dial(struct sim *sim, uint32_t coordinator, uint32_t bank)
{
    struct happening happening = about_link(sim, HAPPENS_LINK_UP, coordinator, bank);
    struct conn *conn = &sim->conns[sim->conn_count];

    if (is_dialled(sim, coordinator, bank))
        return;
    if (!sim->banks[bank].alive || sim->coordinators[coordinator].link_cut[bank]) {
        sim_schedule(sim, 50 + sim_delay(sim, 150),
                     about_link(sim, HAPPENS_DIAL, coordinator, bank));
        return;
    }
    ASSERT(sim->conn_count < SIM_CONNS);
    *conn = (struct conn){.coordinator = (uint8_t)coordinator,
                          .bank = (uint8_t)bank,
                          .coordinator_process = sim->coordinators[coordinator].process,
                          .bank_process = sim->banks[bank].process,
                          .dialling = true,
                          .bank_open = true};
    happening.value = sim->conn_count++;
    supersede(sim, conn);
    sim_schedule(sim, sim_delay(sim, sim->faults.delay_ms), happening);
}

void net_link_up(struct sim *sim, uint32_t index)
{
    struct conn *conn = &sim->conns[index];

    conn->dialling = false;
    if (!sim->banks[conn->bank].alive || sim->banks[conn->bank].process != conn->bank_process ||
        !conn->bank_open || sim->coordinators[conn->coordinator].link_cut[conn->bank]) {
        net_dial_later(sim, conn->coordinator, conn->bank);
        return;
    }
    conn->coordinator_open = true;
    coordinator_link(sim, conn->coordinator, index + 1, true);
}

void net_coordinator_notices(struct sim *sim, uint32_t index)
{
    struct conn *conn = &sim->conns[index];
    const struct coordinator *coordinator = &sim->coordinators[conn->coordinator];

    if (!conn->coordinator_open || !coordinator->alive ||
        coordinator->process != conn->coordinator_process)
        return;
    conn->coordinator_open = false;
    coordinator_link(sim, conn->coordinator, index + 1, false);
    net_dial_later(sim, conn->coordinator, conn->bank);
}

void net_bank_notices(struct sim *sim, uint32_t index)
{
    struct conn *conn = &sim->conns[index];
    const struct bank *bank = &sim->banks[conn->bank];

    if (!conn->bank_open || !bank->alive || bank->process != conn->bank_process)
        return;
    conn->bank_open = false;
    bank_link_down(sim, conn->bank, index + 1);
}

/* Both ends of what is not there any more learn of it, each in its own time. */
static void notice_later(struct sim *sim, uint32_t index, uint64_t within_ms)
{
    const struct conn *conn = &sim->conns[index];
    struct happening happening = {.kind = HAPPENS_BANK_NOTICE,
                                  .node = conn->bank,
                                  .process = conn->bank_process,
                                  .value = index};

    if (conn->bank_open)
        sim_schedule(sim, sim_delay(sim, within_ms), happening);
    happening.kind = HAPPENS_COORD_NOTICE;
    happening.node = conn->coordinator;
    happening.process = conn->coordinator_process;
    if (conn->coordinator_open)
        sim_schedule(sim, sim_delay(sim, within_ms), happening);
}

void net_coordinator_gone(struct sim *sim, uint32_t coordinator)
{
    for (uint32_t i = 0; i < sim->conn_count; i++) {
        if (sim->conns[i].coordinator != coordinator)
            continue;
        sim->conns[i].coordinator_open = false;
        sim->conns[i].dialling = false;
        notice_later(sim, i, 1000);
    }
}

void net_bank_gone(struct sim *sim, uint32_t bank)
{
    for (uint32_t i = 0; i < sim->conn_count; i++) {
        if (sim->conns[i].bank != bank)
            continue;
        sim->conns[i].bank_open = false;
        notice_later(sim, i, 1000);
    }
}

void net_cut(struct sim *sim, uint32_t coordinator, uint32_t bank)
{
    sim->coordinators[coordinator].link_cut[bank] = true;
    for (uint32_t i = 0; i < sim->conn_count; i++) {
        if (sim->conns[i].coordinator == coordinator && sim->conns[i].bank == bank)
            notice_later(sim, i, 1500);
    }
}

/* ---- frames ---- */

static void free_frame(struct sim *sim, uint32_t index)
{
    sim->frames[index].used = false;
    sim->frames[index].held = false;
    sim->frame_free[sim->frame_free_count++] = index;
}

/* One copy of a frame on its way. A network without room loses it. */
static void transmit(struct sim *sim, uint32_t peer, bool to_bank, const struct guid *guid,
                     struct blob bytes)
{
    struct happening happening = {.kind = HAPPENS_FRAME};
    const struct sim_faults *faults = &sim->faults;
    struct frame *frame;
    uint64_t delay_ms = sim_delay(sim, faults->delay_ms);

    if (sim->frame_free_count == 0) {
        sim->counts.frames_lost++;
        return;
    }
    happening.value = sim->frame_free[--sim->frame_free_count];
    frame = &sim->frames[happening.value];
    frame->used = true;
    frame->to_bank = to_bank;
    frame->conn = peer - 1;
    frame->guid = *guid;
    frame->size = bytes.size;
    ASSERT(bytes.size <= SIM_FRAME_SIZE);
    memcpy(frame->bytes, bytes.bytes, bytes.size);
    sim_fold(sim, hash_bytes(bytes.bytes, bytes.size));
    if (sim_chance(sim, faults->straggle))
        delay_ms += sim_draw(sim, faults->straggle_ms);
    sim_schedule(sim, delay_ms, happening);
}

void net_send(struct sim *sim, uint32_t peer, bool to_bank, const struct guid *guid,
              struct blob bytes)
{
    ASSERT(peer >= 1 && peer <= sim->conn_count);
    if (sim_chance(sim, sim->faults.lose)) {
        sim->counts.frames_lost++;
        return;
    }
    transmit(sim, peer, to_bank, guid, bytes);
    if (sim_chance(sim, sim->faults.repeat)) {
        sim->counts.frames_repeated++;
        transmit(sim, peer, to_bank, guid, bytes);
    }
}

/* True iff the end that the frame goes to still has its connection. */
static bool reaches(const struct sim *sim, const struct frame *frame)
{
    const struct conn *conn = &sim->conns[frame->conn];
    const struct bank *bank = &sim->banks[conn->bank];
    const struct coordinator *coordinator = &sim->coordinators[conn->coordinator];

    if (coordinator->link_cut[conn->bank])
        return false;
    if (frame->to_bank)
        return bank->alive && bank->process == conn->bank_process && conn->bank_open;
    return coordinator->alive && coordinator->process == conn->coordinator_process &&
           conn->coordinator_open;
}

static const struct rule *rule_for(const struct sim *sim, const struct conn *conn,
                                   const struct msg *msg)
{
    for (uint32_t i = 0; i < SIM_RULES; i++) {
        const struct rule *rule = &sim->rules[i];

        if (rule->used && (rule->coordinator < 0 || rule->coordinator == conn->coordinator) &&
            (rule->bank < 0 || rule->bank == conn->bank) &&
            (rule->kind == 0 || rule->kind == (int)msg->kind) &&
            (rule->content < 0 || rule->content == sim_content_of(sim, &msg->id, &msg->digest)))
            return rule;
    }
    return NULL;
}

/* Where a directed schedule may hold a frame back, or drop it. True iff it did. */
static bool withhold(struct sim *sim, uint32_t index, const struct msg *msg)
{
    const struct rule *rule = rule_for(sim, &sim->conns[sim->frames[index].conn], msg);

    if (!rule)
        return false;
    if (rule->drop)
        free_frame(sim, index);
    else
        sim->frames[index].held = true;
    sim->frames[index].held_order = ++sim->queue.counter;
    return true;
}

/* The frame that was held back first, or SIM_FRAMES. */
static uint32_t first_held(const struct sim *sim)
{
    uint32_t first = SIM_FRAMES;

    for (uint32_t i = 0; i < SIM_FRAMES; i++) {
        const struct frame *frame = &sim->frames[i];

        if (frame->used && frame->held &&
            (first == SIM_FRAMES || frame->held_order < sim->frames[first].held_order))
            first = i;
    }
    return first;
}

/* What was held back goes on, in its order; what a rule still matches is held again. */
void net_release(struct sim *sim)
{
    for (uint32_t i = first_held(sim); i < SIM_FRAMES; i = first_held(sim)) {
        sim->frames[i].held = false;
        sim_schedule(sim, 1, (struct happening){.kind = HAPPENS_FRAME, .value = i});
    }
}

static void trace_frame(struct sim *sim, const struct conn *conn, const struct msg *msg,
                        bool to_bank)
{
    sim_trace(
        sim, to_bank ? "c%u -> b%u  %s g%u e%llu/%llu %s" : "c%u <- b%u  %s g%u e%llu/%llu %s",
        conn->coordinator + 1u, conn->bank + 1u, msg_kind_name(msg->kind), (unsigned)msg->group,
        (unsigned long long)msg->tag.epoch, (unsigned long long)msg->tag.sequence,
        sim_content_name(sim, sim_content_of(sim, &msg->id, &msg->digest)));
}

void net_arrive(struct sim *sim, uint32_t index)
{
    struct frame *frame = &sim->frames[index];
    struct conn *conn = &sim->conns[frame->conn];
    struct envelope envelope;
    struct err err = {0};
    const uint8_t *payload;
    size_t payload_size;

    if (!reaches(sim, frame)) {
        sim->counts.frames_lost++;
        free_frame(sim, index);
        return;
    }
    arena_reset(&sim->arena);
    if (frame_next(frame->bytes, frame->size, FRAME_SIZE_MAX, &payload, &payload_size, &err) !=
            (int)frame->size ||
        wire_decode(&sim->arena, payload, payload_size, &envelope, &err) != 0) {
        sim_fail(sim, "codec", "a frame does not decode: %s", err.text);
        return;
    }
    ASSERT(envelope.kind == WIRE_MSG);
    if (!sim->random && withhold(sim, index, &envelope.msg))
        return;
    envelope.msg.peer = frame->conn + 1;
    if (sim->trace)
        trace_frame(sim, conn, &envelope.msg, frame->to_bank);
    if (frame->to_bank)
        bank_receive(sim, conn->bank, &envelope.msg, &frame->guid);
    else
        coordinator_receive(sim, conn->coordinator, &envelope.msg);
    free_frame(sim, index);
}
