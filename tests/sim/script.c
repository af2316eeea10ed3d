#include "sim/script.h"

#include "base/assert.h"

#include <string.h>

#define SETTLE_IN_MS 100 /* all nodes connected, led and sealed */

void script_begin(struct sim *sim, uint32_t coordinators, uint32_t banks)
{
    sim_populate(sim, coordinators, banks, 1);
    sim_run(sim, SETTLE_IN_MS);
    script_expect(sim, sim->coordinators[0].groups[0].leads, "the first coordinator leads");
}

bool script_run(struct sim *sim, const struct scenario *scenario)
{
    sim_begin(sim, 1);
    sim->random = false;
    sim_trace(sim, "scenario %s: %s", scenario->name, scenario->text);
    scenario->run(sim);
    script_release(sim);
    if (!sim->failed && !sim->endless)
        chaos_end(sim);
    return !sim->failed;
}

/* ---- contents ---- */

static void add_leg(struct content *content, uint32_t bank, enum side side, int64_t amount)
{
    content->legs[content->leg_count++] = (struct leg){
        .bank = (uint8_t)bank, .side = side, .amount = amount};
}

static struct content *begin_transfer(struct sim *sim, uint32_t from, uint32_t to, int64_t amount)
{
    struct content *content = content_add(sim);

    content->id = sim_id(sim);
    add_leg(content, from, SIDE_DEBIT, amount);
    add_leg(content, to, SIDE_CREDIT, amount);
    return content;
}

static uint32_t finish(struct sim *sim, struct content *content)
{
    content_finish(sim, content);
    return sim->content_count - 1;
}

uint32_t script_transfer(struct sim *sim, uint32_t from, uint32_t to, int64_t amount)
{
    return finish(sim, begin_transfer(sim, from, to, amount));
}

uint32_t script_transfer_as(struct sim *sim, uint32_t of, uint32_t from, uint32_t to,
                            int64_t amount)
{
    struct content *content = begin_transfer(sim, from, to, amount);

    content->id = sim->contents[of].id;
    return finish(sim, content);
}

uint32_t script_split(struct sim *sim, uint32_t from, uint32_t to, uint32_t other, int64_t amount)
{
    struct content *content = begin_transfer(sim, from, to, amount);

    add_leg(content, from, SIDE_DEBIT, amount);
    add_leg(content, other, SIDE_CREDIT, amount);
    return finish(sim, content);
}

uint32_t script_unbalanced(struct sim *sim, uint32_t from, uint32_t to, int64_t more)
{
    struct content *content = begin_transfer(sim, from, to, 10);

    content->legs[1].amount += more;
    return finish(sim, content);
}

uint32_t script_guarded(struct sim *sim, uint32_t from, uint32_t to, uint32_t reader, int64_t min)
{
    struct content *content = begin_transfer(sim, from, to, 10);

    content->readers = (uint8_t)(1u << reader);
    content->check_min = min;
    return finish(sim, content);
}

/* ---- clients ---- */

uint32_t script_submit(struct sim *sim, uint32_t content, uint32_t coordinator,
                       uint32_t deadline_ms)
{
    sim->contents[content].deadline_ms = deadline_ms;
    client_ask(sim, ASK_SUBMIT, content, coordinator);
    return sim->ask_count - 1;
}

uint32_t script_outcome(struct sim *sim, uint32_t content, uint32_t coordinator)
{
    client_ask(sim, ASK_OUTCOME, content, coordinator);
    return sim->ask_count - 1;
}

uint32_t script_audit(struct sim *sim, uint32_t coordinator)
{
    client_ask(sim, ASK_AUDIT, 0, coordinator);
    return sim->ask_count - 1;
}

/* ---- what happens ---- */

static void add_rule(struct sim *sim, struct rule rule)
{
    uint32_t at = 0;

    while (sim->rules[at].used)
        at++;
    ASSERT(at < SIM_RULES);
    rule.used = true;
    sim->rules[at] = rule;
}

void script_hold(struct sim *sim, int coordinator, int bank, int kind, int content)
{
    add_rule(sim, (struct rule){
                      .coordinator = coordinator, .bank = bank, .kind = kind, .content = content});
}

void script_drop(struct sim *sim, int coordinator, int bank, int kind, int content)
{
    add_rule(sim, (struct rule){.drop = true,
                                .coordinator = coordinator,
                                .bank = bank,
                                .kind = kind,
                                .content = content});
}

void script_forget_rules(struct sim *sim)
{
    memset(sim->rules, 0, sizeof(sim->rules));
}

void script_release(struct sim *sim)
{
    script_forget_rules(sim);
    net_release(sim);
}

void script_lead(struct sim *sim, uint32_t coordinator)
{
    for (uint32_t session = 0; session < sim->zk.session_count; session++) {
        if (session + 1 != sim->coordinators[coordinator].session)
            zk_expire(sim, session);
    }
    sim_run(sim, 20);
    script_expect(sim, sim->coordinators[coordinator].groups[0].leads, "the new leader leads");
}

void script_tell_unled(struct sim *sim, uint32_t coordinator)
{
    zk_hear(sim, coordinator);
    sim_run(sim, 20);
}

void script_cut(struct sim *sim, uint32_t coordinator, uint32_t bank)
{
    net_cut(sim, coordinator, bank);
    sim_run(sim, 5);
}

void script_mend(struct sim *sim, uint32_t coordinator, uint32_t bank)
{
    sim->coordinators[coordinator].link_cut[bank] = false;
    sim_run(sim, 100);
}

void script_stick(struct sim *sim, uint32_t bank)
{
    sim->banks[bank].store_stuck = true;
}

void script_unstick(struct sim *sim, uint32_t bank)
{
    struct bank *self = &sim->banks[bank];
    uint32_t waiting = self->job_count;

    self->store_stuck = false;
    for (uint32_t i = 0; i < waiting && self->alive; i++)
        bank_forced(sim, bank);
}

void script_replace_store(struct sim *sim, uint32_t bank)
{
    sim->unmoneyed = true;
    bank_crash(sim, bank);
    bank_found(sim, bank);
    memset(sim->oracle.seal_epochs[bank], 0, sizeof(sim->oracle.seal_epochs[bank]));
    memset(sim->oracle.seal_guids[bank], 0, sizeof(sim->oracle.seal_guids[bank]));
    bank_start(sim, bank);
    for (uint32_t i = 0; i < sim->coordinator_count; i++) {
        if (sim->coordinators[i].alive)
            coordinator_member(sim, i, bank);
    }
}

void script_say(struct sim *sim, uint32_t coordinator, uint32_t bank, const struct msg *msg)
{
    const struct coordinator *self = &sim->coordinators[coordinator];
    struct envelope envelope = {.kind = WIRE_MSG, .msg = *msg};
    uint8_t bytes[SIM_FRAME_SIZE];
    int size;

    size = wire_encode(&sim->scratch, &envelope, bytes, sizeof(bytes));
    ASSERT(size > 0);
    for (uint32_t i = 0; i < sim->conn_count; i++) {
        const struct conn *conn = &sim->conns[i];

        if (conn->coordinator == coordinator && conn->bank == bank && conn->bank_open &&
            conn->coordinator_process == self->process && conn->coordinator_open)
            net_send(sim, i + 1, true, &self->groups[0].guid, (struct blob){bytes, (uint32_t)size});
    }
}

/* ---- what must be so ---- */

void script_expect(struct sim *sim, bool holds, const char *what)
{
    if (!holds)
        sim_fail(sim, "script", "this does not hold: %s", what);
}

void script_expect_reply(struct sim *sim, uint32_t ask, enum reply_kind kind)
{
    const struct ask *self = &sim->asks[ask];

    if (!self->answered)
        sim_fail(sim, "script", "request %u is not answered, want %s", ask, sim_reply_name(kind));
    else if (self->reply != kind)
        sim_fail(sim, "script", "request %u is answered %s: %s, want %s", ask,
                 sim_reply_name(self->reply), reason_name(self->reason), sim_reply_name(kind));
}

void script_expect_refused(struct sim *sim, uint32_t ask, enum reason reason)
{
    script_expect_reply(sim, ask, REPLY_REFUSED);
    if (sim->asks[ask].reason != reason)
        sim_fail(sim, "script", "request %u is refused for %s, want %s", ask,
                 reason_name(sim->asks[ask].reason), reason_name(reason));
}

void script_expect_silence(struct sim *sim, uint32_t ask)
{
    if (sim->asks[ask].answered)
        sim_fail(sim, "script", "request %u is answered %s: %s, want silence", ask,
                 sim_reply_name(sim->asks[ask].reply), reason_name(sim->asks[ask].reason));
}

bool script_is_unresolved(const struct sim *sim, uint32_t bank, uint32_t content)
{
    return part_knows(sim->banks[bank].part, &sim->contents[content].id);
}

void script_expect_state(struct sim *sim, uint32_t bank, uint32_t content, enum txn_state state)
{
    const struct content *self = &sim->contents[content];
    const struct bank *at = &sim->banks[bank];
    enum txn_state found = STATE_NONE;
    struct part_view view;

    if (part_find(at->part, &self->id, &view) && digest_equal(&view.digest, &self->digest))
        found = view.state;
    for (uint32_t i = 0; i < at->outcome_count; i++) {
        if (digest_equal(&at->outcomes[i].digest, &self->digest))
            found = at->outcomes[i].state;
    }
    if (found != state)
        sim_fail(sim, "script", "b%u holds %s as %s, want %s", bank + 1,
                 sim_content_name(sim, (int)content), txn_state_name(found), txn_state_name(state));
}

void script_restart_bank(struct sim *sim, uint32_t bank)
{
    bank_crash(sim, bank);
    bank_start(sim, bank);
    sim_run(sim, 100);
}

const struct scenario *script_scenarios(void)
{
    static struct scenario all[64];
    const struct scenario *const parts[] = {scenarios_votes, scenarios_recovery, scenarios_fence,
                                            scenarios_cut};
    uint32_t count = 0;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        for (const struct scenario *at = parts[i]; at->name; at++) {
            ASSERT(count + 1 < sizeof(all) / sizeof(all[0]));
            all[count++] = *at;
        }
    }
    return all;
}
