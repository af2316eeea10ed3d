/*
 * Clients: they submit, wait, lose patience and ask again, any coordinator, by id or with the whole
 * content, until they know the outcome; and sometimes once more after that.
 */
#include "base/assert.h"
#include "sim/sim.h"

static struct happening about(enum happening_kind kind, uint32_t value)
{
    return (struct happening){.kind = kind, .value = value};
}

void client_ask(struct sim *sim, enum ask_kind kind, uint32_t content, uint32_t coordinator)
{
    uint32_t index = sim->ask_count;
    struct happening request = {
        .kind = HAPPENS_REQUEST, .node = (uint8_t)coordinator, .value = index};
    uint32_t patience_ms = kind == ASK_AUDIT ? 2500 : sim->contents[content].deadline_ms + 1000;

    if (index == SIM_ASKS) {
        sim_fail(sim, "I9", "clients asked %u times and still do not know", SIM_ASKS);
        return;
    }
    sim->ask_count++;
    sim->asks_open++;
    sim->asks[index] = (struct ask){
        .kind = kind, .content = (uint8_t)content, .coordinator = (uint8_t)coordinator};
    if (kind == ASK_SUBMIT) {
        sim->counts.submissions++;
        sim->counts.resubmissions += sim->contents[content].submitted;
        sim->contents[content].submitted = true;
    }
    sim->counts.outcomes_asked += kind == ASK_OUTCOME;
    sim_schedule(sim, sim_delay(sim, sim->faults.delay_ms), request);
    if (sim->random || sim->healing)
        sim_schedule(sim, patience_ms, about(HAPPENS_IMPATIENCE, index));
}

void client_ask_anybody(struct sim *sim, enum ask_kind kind, uint32_t content)
{
    client_ask(sim, kind, content, (uint32_t)sim_draw(sim, sim->coordinator_count));
}

/* When faults are over, only who began and does not know the outcome goes on. */
void client_wants(struct sim *sim, enum ask_kind kind, uint32_t content)
{
    const struct content *self = &sim->contents[content];

    if (!sim->healing || (kind == ASK_SUBMIT && self->submitted && !self->settled))
        client_ask_anybody(sim, kind, content);
}

static void ask_again(struct sim *sim, const struct ask *ask)
{
    enum happening_kind kind = ask->kind == ASK_AUDIT     ? HAPPENS_AUDIT
                               : ask->kind == ASK_OUTCOME ? HAPPENS_OUTCOME
                                                          : HAPPENS_SUBMIT;

    if (!sim->random && !sim->healing)
        return; /* a script says itself who asks again */
    sim_schedule(sim, 20 + sim_delay(sim, 300), about(kind, ask->content));
}

/* An id that is taken or too old will stay so: there is nothing to wait for. */
static bool is_final(const struct ask *ask)
{
    return ask->reply == REPLY_COMMITTED || ask->reply == REPLY_ABORTED ||
           (ask->reply == REPLY_REFUSED &&
            (ask->reason == REASON_CONFLICT || ask->reason == REASON_TOO_OLD ||
             ask->reason == REASON_PROTOCOL));
}

/* When faults end, whoever still does not know the outcome asks until he does. */
void clients_heal(struct sim *sim)
{
    if (sim->random)
        return; /* they ask already */
    for (uint32_t i = 0; i < sim->ask_count; i++)
        sim->asks[i].over = true;
    sim->asks_open = 0;
    for (uint32_t i = 0; i < sim->content_count; i++) {
        if (sim->contents[i].submitted && !sim->contents[i].settled)
            sim_schedule(sim, 1, about(HAPPENS_SUBMIT, i));
    }
}

static void learned(struct sim *sim, const struct ask *ask)
{
    struct content *content = &sim->contents[ask->content];
    struct happening again;

    content->settled = true;
    if (sim->healing || !sim_chance(sim, sim->faults.repeat_told))
        return;
    again = about(sim_chance(sim, 300) ? HAPPENS_OUTCOME : HAPPENS_SUBMIT, ask->content);
    sim_schedule(sim, 50 + sim_delay(sim, 1000), again);
}

void client_reply(struct sim *sim, uint32_t index)
{
    struct ask *ask = &sim->asks[index];

    if (ask->over)
        return;
    ask->over = true;
    ask->answered = true;
    sim->asks_open--;
    sim->counts.unknowns += ask->reply == REPLY_UNKNOWN;
    if (ask->kind == ASK_AUDIT)
        return;
    if (is_final(ask))
        learned(sim, ask);
    else if (ask->kind == ASK_SUBMIT)
        ask_again(sim, ask);
}

void client_loses_patience(struct sim *sim, uint32_t index)
{
    struct ask *ask = &sim->asks[index];

    if (ask->over)
        return;
    ask->over = true;
    sim->asks_open--;
    if (ask->kind == ASK_SUBMIT)
        ask_again(sim, ask);
}

/* ---- contents ---- */

static void encode_branch(struct sim *sim, struct content *content, uint32_t bank, bool read_only)
{
    static const char *const names[SIM_ACCOUNTS] = {"A", "B", LEDGER_CASH, LEDGER_CASH};
    uint16_t index = content->branch_count++;
    struct branch branch = {0};
    int size;

    for (uint32_t i = 0; i < content->leg_count && !read_only; i++) {
        const struct leg *leg = &content->legs[i];
        struct posting *posting = &branch.postings[branch.posting_count];

        if (leg->bank != bank)
            continue;
        branch.posting_count++;
        posting->account = sim_account_name(names[leg->account]);
        posting->currency = sim_currency(leg->account == SIM_CASH_EUR ? "EUR" : "USD");
        posting->side = leg->side;
        posting->amount = leg->amount;
    }
    if (read_only) {
        branch.check_count = 1;
        branch.checks[0].account = sim_account_name(names[0]);
        branch.checks[0].currency = sim_currency("USD");
        branch.checks[0].available_min = content->check_min;
    }
    size = branch_encode(&sim->scratch, &branch, content->bytes[index],
                         sizeof(content->bytes[index]));
    ASSERT(size > 0);
    content->branches[index].node = sim->banks[bank].self.node;
    content->branches[index].branch = (struct blob){content->bytes[index], (uint32_t)size};
    content->branches[index].read_only = read_only;
}

static bool is_balanced(const struct content *content)
{
    int64_t sums[SIM_CURRENCIES] = {0};

    for (uint32_t i = 0; i < content->leg_count; i++) {
        const struct leg *leg = &content->legs[i];

        sums[leg->account == SIM_CASH_EUR] += leg->side == SIDE_CREDIT ? leg->amount : -leg->amount;
    }
    return sums[0] == 0 && sums[1] == 0;
}

void content_digest(struct content *content)
{
    struct submit submit = {.id = content->id,
                            .protocol = content->protocol,
                            .deadline_ms = content->deadline_ms,
                            .branches = content->branches,
                            .branch_count = content->branch_count};

    ASSERT(content->protocol != PROTOCOL_2PC || submit_check(&submit, NULL) == REASON_NONE);
    content->digest = submit_digest(&submit);
}

/* A content from its legs and readers: branches as a client sends them, digest, group. */
void content_finish(struct sim *sim, struct content *content)
{
    for (uint32_t i = 0; i < content->leg_count; i++)
        content->voters |= (uint8_t)(1u << content->legs[i].bank);
    for (uint32_t bank = 0; bank < sim->bank_count; bank++) {
        if (content->voters & 1u << bank)
            encode_branch(sim, content, bank, false);
    }
    for (uint32_t bank = 0; bank < sim->bank_count; bank++) {
        if (content->readers & 1u << bank)
            encode_branch(sim, content, bank, true);
    }
    content->group = id_group(&content->id, (uint16_t)sim->group_count);
    content->balanced = is_balanced(content);
    content_digest(content);
}

/* A zeroed content at the end of the list. The list never moves. */
struct content *content_add(struct sim *sim)
{
    struct content *content = &sim->contents[sim->content_count];

    ASSERT(sim->content_count < SIM_CONTENTS);
    sim->content_count++;
    *content = (struct content){.protocol = PROTOCOL_2PC, .deadline_ms = 1000};
    return content;
}

struct id sim_id(struct sim *sim)
{
    uint8_t random[10];

    prng_fill(&sim->prng, random, sizeof(random));
    return id_make(SIM_WALL_MS + sim->now_ms, random);
}
