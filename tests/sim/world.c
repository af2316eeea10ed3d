/*
 * Setting a world up, and its loop: one happening after another, whoever it concerns.
 */
#include "base/assert.h"
#include "sim/sim.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_SIZE (1024 * 1024)

struct sim *sim_open(void)
{
    struct sim *sim = calloc(1, sizeof(*sim));

    ASSERT(sim);
    for (uint32_t i = 0; i < SIM_BANKS; i++)
        bank_open(sim, i);
    for (uint32_t i = 0; i < SIM_COORDINATORS; i++)
        coordinator_open(sim, i);
    arena_init(&sim->arena, malloc(ARENA_SIZE), ARENA_SIZE);
    arena_init(&sim->record_arena, malloc(ARENA_SIZE), ARENA_SIZE);
    arena_init(&sim->scratch, malloc(ARENA_SIZE), ARENA_SIZE);
    ASSERT(sim->arena.bytes && sim->record_arena.bytes && sim->scratch.bytes);
    return sim;
}

void sim_close(struct sim *sim)
{
    for (uint32_t i = 0; i < SIM_BANKS; i++)
        bank_close(&sim->banks[i]);
    for (uint32_t i = 0; i < SIM_COORDINATORS; i++)
        coordinator_close(&sim->coordinators[i]);
    free(sim->arena.bytes);
    free(sim->record_arena.bytes);
    free(sim->scratch.bytes);
    free(sim);
}

struct account_name sim_account_name(const char *text)
{
    struct account_name name = {{0}};
    bool valid = account_name_parse(&name, text, strlen(text));

    ASSERT(valid);
    return name;
}

struct currency sim_currency(const char *text)
{
    struct currency currency = {{0}};
    bool valid = currency_parse(&currency, text, strlen(text));

    ASSERT(valid);
    return currency;
}

/* What the books open with: customers' money, and CASH as its other side. */
int64_t sim_opening(uint32_t account)
{
    static const int64_t openings[SIM_ACCOUNTS] = {100, 50, -150, 0};

    ASSERT(account < SIM_ACCOUNTS);
    return openings[account];
}

/* A new store: accounts with money, and nothing else. */
void bank_found(struct sim *sim, uint32_t index)
{
    static const char *const names[3] = {"A", "B", LEDGER_CASH};
    struct bank *self = &sim->banks[index];
    char node[] = "bank-a";
    bool valid;

    node[5] = (char)('a' + index);
    valid = node_name_parse(&self->self.node, node, strlen(node));
    ASSERT(valid && !self->alive);
    prng_fill(&sim->prng, &self->self.store, sizeof(self->self.store));
    memset(&self->disk, 0, sizeof(self->disk));
    self->disk.first = 1;
    self->durable = 0;
    self->job_count = 0;
    for (uint32_t i = 0; i < 3; i++) {
        struct account_row row = {.attributes = {.number = i, .status = ACCOUNT_OPEN}};
        int64_t opening = sim_opening(i);
        int size;

        row.attributes.name = sim_account_name(names[i]);
        row.attributes.currency = sim_currency("USD");
        row.attributes.system = i == SIM_CASH_USD;
        row.attributes.has_floor = i != SIM_CASH_USD;
        row.credits_posted = opening > 0 ? opening : 0;
        row.debits_posted = opening < 0 ? -opening : 0;
        size = account_row_encode(&sim->scratch, &row, self->disk.rows[i].bytes, SIM_STORED_SIZE);
        ASSERT(size > 0);
        self->disk.rows[i].size = (uint16_t)size;
    }
}

/* Everything but what was allocated begins anew; counts are kept, to be added up over runs. */
void sim_begin(struct sim *sim, uint64_t seed)
{
    sim->seed = seed;
    sim->now_ms = 0;
    sim->hash = seed;
    sim->healing = false;
    sim->unmoneyed = false;
    sim->endless = false;
    sim->end_forced = false;
    sim->failed = false;
    prng_init(&sim->prng, seed);
    memset(&sim->faults, 0, sizeof(sim->faults));
    sim->queue.count = 0;
    sim->queue.counter = 0;
    memset(&sim->zk, 0, sizeof(sim->zk));
    sim->conn_count = 0;
    sim->frame_free_count = SIM_FRAMES;
    for (uint32_t i = 0; i < SIM_FRAMES; i++) {
        sim->frame_free[i] = i;
        sim->frames[i].used = false;
        sim->frames[i].held = false;
    }
    memset(sim->rules, 0, sizeof(sim->rules));
    memset(&sim->oldest, 0, sizeof(sim->oldest));
    sim->content_count = 0;
    sim->ask_count = 0;
    sim->asks_open = 0;
    sim->cut_count = 0;
    memset(&sim->oracle, 0, sizeof(sim->oracle));
}

static void begin_coordinator(struct coordinator *self)
{
    self->alive = false;
    self->process = 0;
    self->skew_ms = 0;
    self->history_count = 0;
    self->session = 0;
    self->zk_cut = false;
    memset(self->link_cut, 0, sizeof(self->link_cut));
}

static void begin_bank(struct bank *self)
{
    outbox_close(self->outbox);
    self->outbox = NULL;
    self->alive = false;
    self->dying = false;
    self->store_stuck = false;
    self->process = 0;
    self->skew_ms = 0;
    self->turn_open = false;
    self->pass_open = false;
    self->slice_ready = false;
    self->job_head = 0;
    self->outcome_count = 0;
    batch_clear(&self->batch);
}

/* All nodes start: banks at once, coordinators one after the other, so that the first one leads. */
void sim_populate(struct sim *sim, uint32_t coordinators, uint32_t banks, uint32_t groups)
{
    sim->coordinator_count = coordinators;
    sim->bank_count = banks;
    sim->group_count = groups;
    for (uint32_t i = 0; i < SIM_BANKS; i++)
        begin_bank(&sim->banks[i]);
    for (uint32_t i = 0; i < SIM_COORDINATORS; i++)
        begin_coordinator(&sim->coordinators[i]);
    for (uint32_t i = 0; i < banks; i++) {
        bank_found(sim, i);
        bank_start(sim, i);
    }
    for (uint32_t i = 0; i < coordinators; i++)
        coordinator_start(sim, i);
}

/* ---- the loop ---- */

static void bank_happens(struct sim *sim, const struct happening *happening)
{
    const struct bank *self = &sim->banks[happening->node];

    if (!self->alive || self->process != happening->process)
        return;
    if (happening->kind == HAPPENS_TURN)
        bank_turn(sim, happening->node);
    else if (happening->kind == HAPPENS_FORCED)
        bank_forced(sim, happening->node);
    else if (happening->kind == HAPPENS_BANK_TICK)
        bank_tick(sim, happening->node);
    else
        net_bank_notices(sim, happening->value);
}

/* Whoever stands still meets everything later, and then at once. True iff it was put off. */
static bool put_off(struct sim *sim, uint32_t coordinator, const struct happening *happening)
{
    uint64_t until_ms = sim->coordinators[coordinator].paused_until_ms;

    if (!sim->coordinators[coordinator].alive || until_ms <= sim->now_ms)
        return false;
    sim_schedule(sim, until_ms - sim->now_ms, *happening);
    return true;
}

static void coordinator_happens(struct sim *sim, const struct happening *happening)
{
    const struct coordinator *self = &sim->coordinators[happening->node];
    uint32_t node = happening->node;

    if (!self->alive || self->process != happening->process || put_off(sim, node, happening))
        return;
    if (happening->kind == HAPPENS_COORD_TICK)
        coordinator_tick(sim, node);
    else if (happening->kind == HAPPENS_DIAL)
        net_dial(sim, node, happening->other);
    else if (happening->kind == HAPPENS_LINK_UP)
        net_link_up(sim, happening->value);
    else if (happening->kind == HAPPENS_COORD_NOTICE)
        net_coordinator_notices(sim, happening->value);
    else if (happening->kind == HAPPENS_JOIN)
        zk_join(sim, node);
    else if (happening->kind == HAPPENS_ELECTED)
        zk_elected(sim, node, happening->other);
    else if (happening->kind == HAPPENS_RESIGNED)
        coordinator_resigned(sim, node, happening->other, happening->value);
    else if (happening->kind == HAPPENS_REJOIN)
        zk_rejoin(sim, node, happening->other, happening->value);
    else if (happening->kind == HAPPENS_SUSPENDED)
        coordinator_suspended(sim, node);
    else if (happening->kind == HAPPENS_RESUMED)
        coordinator_resumed(sim, node);
    else if (happening->kind == HAPPENS_LEASE_ENDS)
        coordinator_lease_ends(sim, node);
    else
        coordinator_unled(sim, node);
}

static void frame_happens(struct sim *sim, const struct happening *happening)
{
    const struct frame *frame = &sim->frames[happening->value];

    if (frame->to_bank || !put_off(sim, sim->conns[frame->conn].coordinator, happening))
        net_arrive(sim, happening->value);
}

static void request_happens(struct sim *sim, const struct happening *happening)
{
    if (sim->coordinators[happening->node].alive && !put_off(sim, happening->node, happening))
        coordinator_request(sim, happening->node, happening->value);
}

static void dispatch(struct sim *sim, const struct happening *happening)
{
    switch (happening->kind) {
    case HAPPENS_FRAME:
        frame_happens(sim, happening);
        break;
    case HAPPENS_TURN:
    case HAPPENS_FORCED:
    case HAPPENS_BANK_TICK:
    case HAPPENS_BANK_NOTICE:
        bank_happens(sim, happening);
        break;
    case HAPPENS_COORD_TICK:
    case HAPPENS_DIAL:
    case HAPPENS_LINK_UP:
    case HAPPENS_COORD_NOTICE:
    case HAPPENS_JOIN:
    case HAPPENS_ELECTED:
    case HAPPENS_RESIGNED:
    case HAPPENS_REJOIN:
    case HAPPENS_SUSPENDED:
    case HAPPENS_RESUMED:
    case HAPPENS_LEASE_ENDS:
    case HAPPENS_UNLED:
        coordinator_happens(sim, happening);
        break;
    case HAPPENS_EXPIRE:
        if (sim->zk.sessions[happening->value].heard == happening->process)
            zk_expire(sim, happening->value);
        break;
    case HAPPENS_SUBMIT:
        client_wants(sim, ASK_SUBMIT, happening->value);
        break;
    case HAPPENS_OUTCOME:
        client_wants(sim, ASK_OUTCOME, happening->value);
        break;
    case HAPPENS_AUDIT:
        client_wants(sim, ASK_AUDIT, 0);
        break;
    case HAPPENS_REQUEST:
        request_happens(sim, happening);
        break;
    case HAPPENS_REPLY:
        client_reply(sim, happening->value);
        break;
    case HAPPENS_IMPATIENCE:
        client_loses_patience(sim, happening->value);
        break;
    case HAPPENS_FAULT:
        chaos_fault(sim, (enum fault)happening->value);
        break;
    case HAPPENS_START_COORD:
        coordinator_start(sim, happening->node);
        break;
    case HAPPENS_START_BANK:
        bank_start(sim, happening->node);
        break;
    case HAPPENS_MEND:
        sim->coordinators[happening->node].link_cut[happening->other] = false;
        break;
    case HAPPENS_ZK_MEND:
        zk_mend(sim, happening->node);
        break;
    case HAPPENS_ROOM:
        bank_admit(sim, happening->node, REASON_NONE);
        break;
    case HAPPENS_WAKE:
        zk_hear(sim, happening->node);
        break;
    }
}

void sim_fold(struct sim *sim, uint64_t value)
{
    sim->hash = (sim->hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    sim->hash ^= sim->hash >> 29;
}

static void fold(struct sim *sim, const struct happening *happening)
{
    uint64_t mixed = happening->at_ms << 24 ^ (uint64_t)happening->kind << 16 ^
                     (uint64_t)happening->node << 8 ^ happening->other ^
                     (uint64_t)happening->value << 40;

    sim_fold(sim, mixed);
}

void sim_run(struct sim *sim, uint64_t ms)
{
    uint64_t until_ms = sim->now_ms + ms;
    struct happening happening;

    while (!sim->failed && sim_next(sim, until_ms, &happening)) {
        sim->counts.events++;
        fold(sim, &happening);
        dispatch(sim, &happening);
    }
    if (!sim->failed)
        sim->now_ms = until_ms;
}

/* True iff somebody leads the group who has not lost it yet without knowing. */
static bool is_led(const struct sim *sim, uint32_t group)
{
    for (uint32_t i = 0; i < sim->coordinator_count; i++) {
        const struct coordinator *self = &sim->coordinators[i];

        if (self->alive && self->groups[group].leads && !self->suspended &&
            sim->zk.sessions[self->session - 1].alive)
            return true;
    }
    return false;
}

/* True iff the coordinator runs, is connected to every bank, and has nothing to do. */
static bool is_idle(const struct sim *sim, const struct coordinator *self)
{
    struct party party;
    bool up;

    if (!self->alive || coord_stats(self->coord)->following_now > 0)
        return false;
    for (uint32_t i = 0; i < sim->bank_count; i++) {
        if (!coord_member(self->coord, &sim->banks[i].self.node, &party, &up) || !up)
            return false;
    }
    return true;
}

/* True iff nothing is left to do: nobody waits, nothing is followed, nothing is unresolved. */
bool sim_is_quiet(const struct sim *sim)
{
    if (sim->asks_open > 0)
        return false;
    for (uint32_t i = 0; i < sim->content_count; i++) {
        if (sim->contents[i].submitted && !sim->contents[i].settled)
            return false;
    }
    for (uint32_t i = 0; i < sim->group_count; i++) {
        if (!is_led(sim, i))
            return false;
    }
    for (uint32_t i = 0; i < sim->coordinator_count; i++) {
        if (!is_idle(sim, &sim->coordinators[i]))
            return false;
    }
    for (uint32_t i = 0; i < sim->bank_count; i++) {
        const struct bank *bank = &sim->banks[i];

        if (!bank->alive || part_stats(bank->part)->unresolved_now > 0 ||
            bank->durable != bank->batch.log_tail || !outbox_is_empty(bank->outbox))
            return false;
    }
    return true;
}

/* ---- words ---- */

int sim_content_of(const struct sim *sim, const struct id *id, const struct digest *digest)
{
    for (uint32_t i = 0; i < sim->content_count; i++) {
        if (id_equal(&sim->contents[i].id, id) && digest_equal(&sim->contents[i].digest, digest))
            return (int)i;
    }
    return -1;
}

const char *sim_content_name(const struct sim *sim, int content)
{
    static const char *const names[SIM_CONTENTS + 1] = {"",   "t1", "t2", "t3",  "t4",  "t5", "t6",
                                                        "t7", "t8", "t9", "t10", "t11", "t12"};

    ASSERT(content >= -1 && content < (int)sim->content_count);
    return names[content + 1];
}

const char *sim_reply_name(enum reply_kind kind)
{
    switch (kind) {
    case REPLY_COMMITTED:
        return "COMMITTED";
    case REPLY_ABORTED:
        return "ABORTED";
    case REPLY_UNKNOWN:
        return "UNKNOWN";
    case REPLY_REFUSED:
        return "REFUSED";
    case REPLY_AUDIT:
        return "AUDIT";
    }
    return "?";
}

uint64_t sim_wall_ms(const struct sim *sim, int64_t skew_ms)
{
    return (uint64_t)((int64_t)(SIM_WALL_MS + sim->now_ms) + skew_ms);
}

void sim_trace(const struct sim *sim, const char *format, ...)
{
    va_list args;

    if (!sim->trace)
        return;
    fprintf(sim->trace, "%8llu ms  ", (unsigned long long)sim->now_ms);
    va_start(args, format);
    vfprintf(sim->trace, format, args);
    va_end(args);
    fputc('\n', sim->trace);
}

/* The first violation is the one to look at. */
void sim_fail(struct sim *sim, const char *invariant, const char *format, ...)
{
    va_list args;
    int size;

    if (sim->failed)
        return;
    sim->failed = true;
    size = snprintf(sim->failure, sizeof(sim->failure), "%s at %llu ms: ", invariant,
                    (unsigned long long)sim->now_ms);
    va_start(args, format);
    vsnprintf(sim->failure + size, sizeof(sim->failure) - (size_t)size, format, args);
    va_end(args);
    sim_trace(sim, "VIOLATED %s", sim->failure);
}
