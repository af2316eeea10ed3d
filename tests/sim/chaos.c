/*
 * Random schedules. Each seed draws which faults exist and how strong they are (swarm testing:
 * a world with every fault at once never gets far), who transfers what, and when what goes wrong.
 * Then the faults stop, and I9 must come true.
 */
#include "base/assert.h"
#include "sim/sim.h"

#define CHAOS_MS       5000 /* of faults */
#define FAULTS_MAX     8
#define BURST          12
#define HEAL_STEP_MS   100
#define LAST_WORDS_MAX 5 /* times the last questions are asked */
#define STRAGGLE_MS    2500
#define AWAKE_MS       1500 /* clients begin within */

/* One of a few strengths, most often none. */
static uint32_t strength(struct sim *sim, uint32_t low, uint32_t high)
{
    uint64_t drawn = sim_draw(sim, 4);

    return drawn < 2 ? 0 : drawn == 2 ? low : high;
}

/* One statement a draw: the order of drawing must not be the compiler's choice. */
static void draw_faults(struct sim *sim)
{
    struct sim_faults *faults = &sim->faults;

    faults->lose = strength(sim, 20, 150);
    faults->repeat = strength(sim, 20, 150);
    faults->straggle = strength(sim, 20, 150);
    faults->delay_ms = 2 + strength(sim, 10, 80);
    faults->straggle_ms = STRAGGLE_MS;
    faults->turn_ms = strength(sim, 2, 20);
    faults->force_ms = 1 + strength(sim, 4, 60);
    faults->crash_after_step = strength(sim, 15, 80);
    faults->crash_at_force = strength(sim, 15, 80);
    faults->crash_in_speech = strength(sim, 5, 20);
    faults->checkpoint = strength(sim, 100, 500);
    faults->lose_reply = strength(sim, 50, 300);
    faults->skew_ms = strength(sim, 50, 15000);
    faults->repeat_told = 100 + strength(sim, 300, 700);
    faults->lose_history = strength(sim, 300, 1000);
    faults->no_lease_clock = sim_chance(sim, 300);
    faults->tight = sim_chance(sim, 250);
}

static int64_t draw_skew(struct sim *sim)
{
    return (int64_t)sim_draw(sim, 2 * sim->faults.skew_ms + 1) - sim->faults.skew_ms;
}

/* ---- what is submitted ---- */

static void add_leg(struct sim *sim, struct content *content, uint32_t account, enum side side,
                    int64_t amount)
{
    content->legs[content->leg_count++] = (struct leg){
        .bank = (uint8_t)sim_draw(sim, sim->bank_count),
        .account = (uint8_t)account,
        .side = side,
        .amount = amount};
}

/* One or two transfers between any accounts of any banks; sometimes too much, or unbalanced. */
static void draw_legs(struct sim *sim, struct content *content)
{
    uint64_t transfers = 1 + sim_draw(sim, 2);

    for (uint64_t i = 0; i < transfers; i++) {
        bool euro = sim_chance(sim, 150);
        int64_t amount = sim_chance(sim, 100) ? SIM_NEVER_AVAILABLE
                                              : 1 + (int64_t)sim_draw(sim, 40);

        add_leg(sim, content, euro ? SIM_CASH_EUR : (uint32_t)sim_draw(sim, 2), SIDE_DEBIT, amount);
        if (sim_chance(sim, 15))
            amount++;
        add_leg(sim, content, euro ? SIM_CASH_EUR : (uint32_t)sim_draw(sim, 3), SIDE_CREDIT,
                amount);
    }
}

static void draw_content(struct sim *sim)
{
    const struct content *earlier = NULL;
    struct content *content;

    if (sim->content_count > 0)
        earlier = &sim->contents[sim_draw(sim, sim->content_count)];
    content = content_add(sim);
    content->id = earlier && sim_chance(sim, 120) ? earlier->id : sim_id(sim);
    content->deadline_ms = 200 + (uint32_t)sim_draw(sim, 1500);
    draw_legs(sim, content);
    if (sim_chance(sim, 250))
        content->readers = (uint8_t)(1u << sim_draw(sim, sim->bank_count));
    content->check_min = sim_chance(sim, 300) ? SIM_NEVER_AVAILABLE : 10;
    content_finish(sim, content);
    if (sim_content_of(sim, &content->id, &content->digest) + 1 < (int)sim->content_count)
        sim->content_count--; /* drawn twice: the same content of the same id */
}

/* Many ask for the same at one moment: more than may wait for it, or be cut, at once. */
static void draw_burst(struct sim *sim)
{
    bool audits = sim_chance(sim, 500);
    struct happening happening = {.kind = audits ? HAPPENS_AUDIT : HAPPENS_SUBMIT};
    uint64_t at_ms = 100 + sim_draw(sim, CHAOS_MS - 1000);

    for (int i = 0; i < BURST; i++)
        sim_schedule(sim, at_ms, happening);
}

static void draw_clients(struct sim *sim)
{
    for (uint64_t i = 2 + sim_draw(sim, 5); i > 0; i--)
        draw_content(sim);
    for (uint32_t i = 0; i < sim->content_count; i++) {
        sim_schedule(sim, 100 + sim_draw(sim, AWAKE_MS),
                     (struct happening){.kind = HAPPENS_SUBMIT, .value = i});
        if (sim_chance(sim, 150)) /* a second client, or the same with two windows open */
            sim_schedule(sim, 100 + sim_draw(sim, CHAOS_MS),
                         (struct happening){.kind = HAPPENS_SUBMIT, .value = i});
    }
    for (uint64_t i = sim_draw(sim, 3); i > 0; i--)
        sim_schedule(sim, 100 + sim_draw(sim, CHAOS_MS - 1000),
                     (struct happening){.kind = HAPPENS_AUDIT});
    if (sim_chance(sim, 60))
        draw_burst(sim);
}

/* ---- what goes wrong ---- */

static void draw_disasters(struct sim *sim)
{
    for (uint64_t i = sim_draw(sim, FAULTS_MAX); i > 0; i--) {
        enum fault fault = (enum fault)(1 + sim_draw(sim, FAULT_KINDS - 1));

        if (fault == FAULT_ZK_RESTORE && !sim_chance(sim, 200))
            fault = FAULT_CRASH_COORD;
        sim_schedule(sim, 100 + sim_draw(sim, CHAOS_MS - 500),
                     (struct happening){.kind = HAPPENS_FAULT, .value = (uint32_t)fault});
    }
}

static void pause_coordinator(struct sim *sim, uint32_t index, uint64_t ms)
{
    struct coordinator *self = &sim->coordinators[index];

    if (!self->alive || self->paused_until_ms > sim->now_ms)
        return;
    if (ms > CHAOS_MS - sim->now_ms)
        ms = CHAOS_MS - sim->now_ms;
    sim_trace(sim, "c%u stands still for %llu ms", index + 1, (unsigned long long)ms);
    sim->counts.pauses++;
    self->paused_until_ms = sim->now_ms + ms;
    if (!self->zk_cut)
        zk_silence(sim, index);
    sim_schedule(
        sim, ms,
        (struct happening){.kind = HAPPENS_WAKE, .node = (uint8_t)index, .process = self->process});
}

static void cut_link(struct sim *sim, uint32_t coordinator, uint32_t bank, uint64_t ms)
{
    if (sim->coordinators[coordinator].link_cut[bank])
        return;
    sim_trace(sim, "c%u and b%u are cut off", coordinator + 1, bank + 1);
    sim->counts.cut_links++;
    net_cut(sim, coordinator, bank);
    sim_schedule(sim, ms,
                 (struct happening){
                     .kind = HAPPENS_MEND, .node = (uint8_t)coordinator, .other = (uint8_t)bank});
}

static void cut_zk(struct sim *sim, uint32_t coordinator, uint64_t ms)
{
    sim_trace(sim, "c%u is cut off from zookeeper", coordinator + 1);
    zk_cut(sim, coordinator);
    sim_schedule(sim, ms,
                 (struct happening){.kind = HAPPENS_ZK_MEND, .node = (uint8_t)coordinator});
}

void chaos_fault(struct sim *sim, enum fault fault)
{
    uint32_t coordinator = (uint32_t)sim_draw(sim, sim->coordinator_count);
    uint32_t bank = (uint32_t)sim_draw(sim, sim->bank_count);

    if (sim->healing)
        return;
    switch (fault) {
    case FAULT_CRASH_COORD:
        coordinator_crash(sim, coordinator);
        break;
    case FAULT_CRASH_BANK:
        bank_crash(sim, bank);
        break;
    case FAULT_PAUSE:
        pause_coordinator(sim, coordinator, 50 + sim_draw(sim, 2 * SIM_SESSION_MS));
        break;
    case FAULT_CUT_LINK:
        cut_link(sim, coordinator, bank, 50 + sim_draw(sim, 4000));
        break;
    case FAULT_CUT_ZK:
        cut_zk(sim, coordinator, 50 + sim_draw(sim, 2 * SIM_SESSION_MS));
        break;
    case FAULT_ZK_RESTORE:
        sim_trace(sim, "zookeeper comes back from an older state");
        sim->counts.zookeepers_restored++;
        zk_restore(sim);
        break;
    case FAULT_FULL:
        sim->counts.full_stores++;
        bank_admit(sim, bank, REASON_STORAGE_FULL);
        sim_schedule(sim, 50 + sim_draw(sim, CHAOS_MS - sim->now_ms),
                     (struct happening){.kind = HAPPENS_ROOM, .node = (uint8_t)bank});
        break;
    case FAULT_CLOCK:
        sim->counts.clock_jumps++;
        sim->banks[bank].skew_ms = draw_skew(sim);
        sim->coordinators[coordinator].skew_ms = draw_skew(sim);
        break;
    case FAULT_KINDS:
        UNREACHABLE();
    }
}

/* ---- the end ---- */

/* Nothing more goes wrong: everybody runs, hears everybody, and has a disk that works. */
void chaos_heal(struct sim *sim)
{
    sim_trace(sim, "faults end");
    sim->healing = true;
    sim->faults.lose = 0;
    sim->faults.repeat = 0;
    sim->faults.straggle = 0;
    sim->faults.lose_reply = 0;
    sim->faults.delay_ms = 5;
    sim->faults.force_ms = 5;
    sim->faults.tight = false;
    for (uint32_t i = 0; i < sim->bank_count; i++)
        bank_start(sim, i);
    for (uint32_t i = 0; i < sim->coordinator_count; i++) {
        struct coordinator *self = &sim->coordinators[i];

        for (uint32_t bank = 0; bank < sim->bank_count; bank++)
            self->link_cut[bank] = false;
        self->paused_until_ms = 0;
        zk_mend(sim, i);
        if (self->alive)
            zk_hear(sim, i);
        coordinator_start(sim, i);
    }
    zk_remedy(sim);
    clients_heal(sim);
}

/* In the trace: what is not over, where. */
static void trace_unresolved(const struct sim *sim)
{
    for (uint32_t i = 0; i < sim->bank_count; i++) {
        struct part_view view;
        uint32_t cursor = 0;

        while (part_next(sim->banks[i].part, &cursor, &view))
            sim_trace(sim, "b%u keeps %s %s, first e%llu/%llu, last e%llu/%llu", i + 1,
                      sim_content_name(sim, sim_content_of(sim, &view.id, &view.digest)),
                      txn_state_name(view.state), (unsigned long long)view.first.epoch,
                      (unsigned long long)view.first.sequence, (unsigned long long)view.last.epoch,
                      (unsigned long long)view.last.sequence);
    }
}

static void say_who_waits(struct sim *sim)
{
    uint32_t following = 0, unresolved = 0, unsettled = 0;

    trace_unresolved(sim);
    for (uint32_t i = 0; i < sim->coordinator_count; i++)
        following += (uint32_t)coord_stats(sim->coordinators[i].coord)->following_now;
    for (uint32_t i = 0; i < sim->bank_count; i++)
        unresolved += (uint32_t)part_stats(sim->banks[i].part)->unresolved_now;
    for (uint32_t i = 0; i < sim->content_count; i++)
        unsettled += sim->contents[i].submitted && !sim->contents[i].settled;
    sim_fail(sim, "I9",
             "%u ms after the last fault %u transactions are followed, %u unresolved, %u unknown "
             "to their client, %u requests open",
             SIM_HEAL_MS, following, unresolved, unsettled, sim->asks_open);
}

static bool become_quiet(struct sim *sim)
{
    for (uint32_t ms = 0; ms < SIM_HEAL_MS && !sim->failed; ms += HEAL_STEP_MS) {
        sim_run(sim, HEAL_STEP_MS);
        if (!sim->failed && sim_is_quiet(sim))
            return true;
    }
    if (!sim->failed)
        say_who_waits(sim);
    return false;
}

static uint32_t leader_of(const struct sim *sim, uint32_t group)
{
    uint32_t leader = 0;

    while (leader + 1 < sim->coordinator_count && !sim->coordinators[leader].groups[group].leads)
        leader++;
    return leader;
}

/* Everybody's last question: every outcome by its id, and a whole audit. True iff all is known. */
static bool ask_all(struct sim *sim)
{
    uint32_t first = sim->ask_count, end;
    bool known = true;

    for (uint32_t i = 0; i < sim->content_count; i++) {
        if (sim->contents[i].submitted)
            client_ask(sim, ASK_OUTCOME, i, leader_of(sim, sim->contents[i].group));
    }
    client_ask_anybody(sim, ASK_AUDIT, 0);
    end = sim->ask_count;
    if (!become_quiet(sim))
        return false;
    for (uint32_t i = first; i < end; i++)
        known &= oracle_last_word(sim, &sim->asks[i]);
    return known;
}

/* I8: UNKNOWN is honest, so who asks again hears the outcome. */
static void ask_at_last(struct sim *sim)
{
    for (int i = 0; i < LAST_WORDS_MAX && !sim->failed; i++) {
        if (ask_all(sim))
            return;
    }
    sim_fail(sim, "I8", "after %d times of asking, not every outcome is known", LAST_WORDS_MAX);
}

static void crash_all(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->bank_count; i++) {
        bank_crash(sim, i);
        bank_start(sim, i);
    }
}

static void count_lives(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->coordinator_count; i++) {
        if (sim->coordinators[i].alive)
            coordinator_count(sim, i);
    }
    for (uint32_t i = 0; i < sim->bank_count; i++) {
        if (sim->banks[i].alive)
            bank_count(sim, i);
    }
}

void chaos_end(struct sim *sim)
{
    chaos_heal(sim);
    if (!sim->failed && become_quiet(sim))
        ask_at_last(sim);
    if (!sim->failed)
        oracle_quiescent(sim);
    if (!sim->failed)
        crash_all(sim);
    count_lives(sim);
}

/* One whole schedule. True iff every invariant held. */
bool chaos_run(struct sim *sim, uint64_t seed)
{
    uint32_t coordinators, banks;

    sim_begin(sim, seed);
    sim->random = true;
    draw_faults(sim);
    coordinators = 2 + (uint32_t)sim_draw(sim, SIM_COORDINATORS - 1);
    banks = 2 + (uint32_t)sim_draw(sim, SIM_BANKS - 1);
    sim_populate(sim, coordinators, banks, 1 + (uint32_t)sim_draw(sim, SIM_GROUPS));
    for (uint32_t i = 0; i < sim->bank_count; i++)
        sim->banks[i].skew_ms = draw_skew(sim);
    draw_clients(sim);
    draw_disasters(sim);
    sim_run(sim, CHAOS_MS);
    chaos_end(sim);
    return !sim->failed;
}
