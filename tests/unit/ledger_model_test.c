/*
 * The ledger by properties: random acts against the naive model, with a store that is checkpointed
 * in slices and a journal that is replayed after crashes.
 *
 * After every act all that can be seen is compared, and the invariants hold: no floor is broken,
 * whatever of the holds is posted (I4); totals are the sums; nothing leaves 64 bits. A failure
 * names its seed: SETTLE_SEED=N test_ledger random repeats it alone.
 */
#include "ledger_model.h"

#include "base/err.h"
#include "base/prng.h"
#include "ledger_suites.h"
#include "support/runner.h"

#include <stdio.h>
#include <stdlib.h>

#define SEEDS       60
#define ACTS        1000
#define JOURNAL_MAX 4096
#define NAMES       6

enum journal_kind { J_ACCOUNT, J_HELD, J_CARRIED, J_POSTED, J_VOIDED };

struct journal_record {
    enum journal_kind kind;
    uint64_t position;
    uint32_t key;                         /* of the hold */
    struct account_attributes attributes; /* ACCOUNT */
    struct model_branch branch;           /* HELD, CARRIED */
};

struct world {
    struct prng prng;
    uint64_t seed;
    uint32_t act;
    bool failed;
    bool huge;    /* amounts near the limits of 64 bits */
    bool patient; /* holds stay for long */
    struct model model;
    struct ledger_options options;
    struct ledger *ledger;
    uint32_t handles[MODEL_HOLDS]; /* the ledger's, by the model's slot */
    uint32_t keys;
    uint64_t position;
    uint32_t journal_count;
    struct journal_record journal[JOURNAL_MAX];
    uint32_t row_count; /* what the store has */
    struct account_row rows[MODEL_ACCOUNTS];
    bool pass; /* a checkpoint is under way */
    uint32_t pass_cursor;
    uint64_t pass_position;
};

/* Over all seeds: a property that was never put to the test proves nothing. */
static struct {
    uint32_t answers[REASON_COUNT]; /* to reservations */
    uint32_t posted, voided, passes, crashes;
} seen;

static void expect(struct world *world, bool holds, const char *what, int line)
{
    if (holds || world->failed)
        return;
    world->failed = true;
    printf("\nledger: seed %llu, act %u, line %d: %s\n", (unsigned long long)world->seed,
           world->act, line, what);
    CU_FAIL("the ledger and the model differ");
}

#define EXPECT(holds) expect(world, (holds), #holds, __LINE__)

static struct ledger *open_ledger(const struct ledger_options *options)
{
    return ledger_init(calloc(1, ledger_memory_size(options)), options);
}

/* ---- what is random ---- */

static uint64_t below(struct world *world, uint64_t bound)
{
    return prng_below(&world->prng, bound);
}

static void any_account(struct world *world, struct account_name *ret_name,
                        struct currency *ret_currency)
{
    static const char *const names[NAMES] = {"A", "B", "C-1", "D", "WORLD", "CASH"};
    static const char *const codes[] = {"USD", "USD", "USD", "JPY", "BHD"};

    memset(ret_name, 0, sizeof(*ret_name));
    memset(ret_currency, 0, sizeof(*ret_currency));
    snprintf(ret_name->text, sizeof(ret_name->text), "%s",
             below(world, 80) == 0 ? "NOBODY" : names[below(world, NAMES)]);
    snprintf(ret_currency->code, sizeof(ret_currency->code), "%s",
             below(world, 100) == 0 ? "ZZZ" : codes[below(world, 5)]);
}

static int64_t any_amount(struct world *world)
{
    uint64_t dice = below(world, 100);

    if (dice == 0)
        return -(int64_t)below(world, 3);
    if (world->huge && dice < 25)
        return INT64_MAX - (int64_t)below(world, 300);
    if (world->huge && dice < 40)
        return INT64_MAX / (int64_t)(2 + below(world, 6));
    return 1 + (int64_t)below(world, dice < 90 ? 100 : 100000);
}

static const int64_t *any_floor(struct world *world, int64_t *floor)
{
    switch (below(world, 8)) {
    case 0:
        return NULL;
    case 1:
        *floor = INT64_MIN + (int64_t)below(world, 2);
        break;
    case 2:
        *floor = (int64_t)below(world, 100);
        break;
    case 3:
        *floor = INT64_MAX - (int64_t)below(world, 100);
        break;
    case 4:
    case 5:
        *floor = -(int64_t)below(world, 500);
        break;
    default:
        *floor = 0;
    }
    return floor;
}

static int any_hold(struct world *world)
{
    int slot = (int)below(world, MODEL_HOLDS);

    for (int i = 0; i < MODEL_HOLDS; i++, slot = (slot + 1) % MODEL_HOLDS) {
        if (world->model.holds[slot].used)
            return slot;
    }
    return -1;
}

/* ---- the journal ---- */

static struct journal_record *journal(struct world *world, enum journal_kind kind)
{
    struct journal_record *record = &world->journal[world->journal_count++];

    CU_ASSERT_FATAL(world->journal_count <= JOURNAL_MAX);
    memset(record, 0, sizeof(*record));
    record->kind = kind;
    record->position = ++world->position;
    return record;
}

static void apply(struct world *world, const struct account_attributes *attributes)
{
    struct err err;

    journal(world, J_ACCOUNT)->attributes = *attributes;
    model_apply(&world->model, attributes, world->position);
    EXPECT(ledger_apply(world->ledger, attributes, world->position, &err) == 0);
}

static void whole_branch(const struct model_branch *branch, struct branch *ret_branch)
{
    memset(ret_branch, 0, sizeof(*ret_branch));
    ret_branch->posting_count = branch->count;
    memcpy(ret_branch->postings, branch->postings, sizeof(branch->postings[0]) * branch->count);
}

/* ---- acts ---- */

static void act_create(struct world *world)
{
    struct account_attributes wanted, made;
    bool changed, exists;
    enum reason reason;

    memset(&wanted, 0, sizeof(wanted));
    any_account(world, &wanted.name, &wanted.currency);
    wanted.has_floor = any_floor(world, &wanted.floor) != NULL;
    wanted.system = below(world, 3) == 0;
    exists = model_find(&world->model, &wanted.name, &wanted.currency) != SLOT_NONE;
    reason = ledger_create(world->ledger, &wanted, &made, &changed);
    EXPECT(reason == model_create(&world->model, &wanted));
    EXPECT(changed == (reason == REASON_NONE && !exists));
    if (!changed)
        return;
    EXPECT(made.number == world->model.account_count && made.status == ACCOUNT_OPEN);
    apply(world, &made);
}

/* A status, a floor or the end for an account. */
static void act_change(struct world *world)
{
    struct account_attributes made, old;
    enum reason reason = REASON_NONE, right = REASON_NONE;
    uint32_t number;
    bool changed;

    if (world->model.account_count == 0)
        return;
    number = (uint32_t)below(world, world->model.account_count);
    old = world->model.accounts[number].attributes;
    if (below(world, 3) == 0) {
        int64_t amount;
        const int64_t *floor = any_floor(world, &amount);

        reason = ledger_set_floor(world->ledger, number, floor, &made, &changed);
        right = model_set_floor(&world->model, number, floor);
    } else if (below(world, 8) == 0) {
        reason = ledger_close(world->ledger, number, &made, &changed);
        right = model_close(&world->model, number);
    } else {
        enum account_status status = below(world, 2) ? ACCOUNT_OPEN
                                                     : (enum account_status)(2 + below(world, 3));

        reason = ledger_set_status(world->ledger, number, status, &made, &changed);
        right = old.status == ACCOUNT_CLOSED ? REASON_ACCOUNT_CLOSED : REASON_NONE;
        EXPECT(reason != REASON_NONE || made.status == status);
    }
    EXPECT(reason == right);
    EXPECT(reason == REASON_NONE || !changed);
    if (changed)
        apply(world, &made);
}

static void make_cash(struct world *world, const struct branch *branch)
{
    struct account_attributes cash[NETS_MAX];
    uint16_t count = ledger_missing_cash(world->ledger, branch, cash);

    for (uint16_t i = 0; i < count && !world->failed; i++) {
        EXPECT(model_find(&world->model, &cash[i].name, &cash[i].currency) == SLOT_NONE);
        EXPECT(strcmp(cash[i].name.text, LEDGER_CASH) == 0 && cash[i].system &&
               !cash[i].has_floor && cash[i].number == world->model.account_count);
        apply(world, &cash[i]);
    }
    EXPECT(world->model.account_count == MODEL_ACCOUNTS ||
           ledger_missing_cash(world->ledger, branch, cash) == 0);
}

static void hold(struct world *world, const struct model_branch *branch, uint32_t handle)
{
    struct journal_record *record;
    int slot = 0;

    while (world->model.holds[slot].used)
        slot++;
    world->model.holds[slot].used = true;
    world->model.holds[slot].key = ++world->keys;
    world->model.holds[slot].branch = *branch;
    world->handles[slot] = handle;
    record = journal(world, J_HELD);
    record->key = world->keys;
    record->branch = *branch;
}

static void act_reserve(struct world *world)
{
    struct net nets[NETS_MAX];
    struct model_branch small;
    struct branch branch;
    uint16_t net_count = 0;
    uint32_t handle;
    enum reason reason;

    memset(&small, 0, sizeof(small));
    small.count = (uint16_t)(below(world, 4) ? below(world, 4) : below(world, MODEL_LEGS + 1));
    for (uint16_t i = 0; i < small.count; i++) {
        any_account(world, &small.postings[i].account, &small.postings[i].currency);
        small.postings[i].side = below(world, 2) ? SIDE_DEBIT : SIDE_CREDIT;
        small.postings[i].amount = any_amount(world);
    }
    whole_branch(&small, &branch);
    make_cash(world, &branch);
    reason = ledger_reserve(world->ledger, &branch, &handle, nets, &net_count);
    EXPECT(reason == model_reserve(&world->model, &small));
    seen.answers[reason]++;
    if (reason != REASON_NONE || world->failed)
        return;
    for (uint16_t i = 0; i < net_count; i++)
        EXPECT(nets[i].amount == model_net(&small, &nets[i].currency));
    hold(world, &small, handle);
}

static void act_post(struct world *world)
{
    struct entry entries[LEGS_MAX], right;
    struct model_hold *held;
    int slot = any_hold(world);
    struct id id = {{7}};
    uint16_t count;

    if (slot < 0)
        return;
    held = &world->model.holds[slot];
    held->used = false;
    journal(world, J_POSTED)->key = held->key;
    count = ledger_post(world->ledger, world->handles[slot], &id, world->position, 5, entries);
    EXPECT(count == held->branch.count);
    for (uint16_t i = 0; i < held->branch.count && !world->failed; i++) {
        struct entry_ref at = {world->position, i};

        model_post(&world->model, &held->branch.postings[i], at, &right);
        EXPECT(model_entry_is(&entries[i], &right));
        EXPECT(id_equal(&entries[i].id, &id) && entries[i].timestamp == 5);
    }
    seen.posted++;
}

static void act_void(struct world *world)
{
    int slot = any_hold(world);

    if (slot < 0)
        return;
    world->model.holds[slot].used = false;
    journal(world, J_VOIDED)->key = world->model.holds[slot].key;
    ledger_void(world->ledger, world->handles[slot]);
    seen.voided++;
}

static void act_check(struct world *world)
{
    struct branch branch;

    memset(&branch, 0, sizeof(branch));
    branch.check_count = 1;
    any_account(world, &branch.checks[0].account, &branch.checks[0].currency);
    branch.checks[0].available_min = any_amount(world);
    EXPECT(ledger_check(world->ledger, &branch) == model_check(&world->model, &branch.checks[0]));
}

/* ---- the store ---- */

/* As the runtime does: what is held is journaled again first, the pass covers what was before. */
static void begin_pass(struct world *world)
{
    world->pass = true;
    world->pass_cursor = 0;
    world->pass_position = world->position;
    for (int slot = 0; slot < MODEL_HOLDS; slot++) {
        struct journal_record *record;
        struct branch branch;

        if (!world->model.holds[slot].used)
            continue;
        ledger_hold_branch(world->ledger, world->handles[slot], &branch);
        record = journal(world, J_CARRIED);
        record->key = world->model.holds[slot].key;
        record->branch.count = branch.posting_count;
        memcpy(record->branch.postings, branch.postings,
               sizeof(branch.postings[0]) * branch.posting_count);
        EXPECT(model_branch_equal(&record->branch, &world->model.holds[slot].branch));
    }
}

static void end_pass(struct world *world)
{
    uint32_t gone = 0;

    while (gone < world->journal_count && world->journal[gone].position <= world->pass_position)
        gone++;
    world->journal_count -= gone;
    memmove(world->journal, world->journal + gone,
            sizeof(world->journal[0]) * world->journal_count);
    world->pass = false;
    seen.passes++;
}

static void act_checkpoint(struct world *world)
{
    uint64_t slice = below(world, 6);
    struct account_row row;

    if (!world->pass)
        begin_pass(world);
    while (slice-- > 0) {
        if (!ledger_checkpoint_next(world->ledger, &world->pass_cursor, &row)) {
            end_pass(world);
            return;
        }
        EXPECT(row.attributes.number <= world->row_count);
        if (row.attributes.number == world->row_count)
            world->row_count++;
        world->rows[row.attributes.number] = row;
    }
}

static int slot_of(const struct world *world, const bool *live, uint32_t key)
{
    for (int slot = 0; slot < MODEL_HOLDS; slot++) {
        if (live[slot] && world->model.holds[slot].key == key)
            return slot;
    }
    return -1;
}

/* Holds that are over when the crash comes are restored and decided on the way. */
struct replayed {
    uint32_t key, handle;
};

static void replay_one(struct world *world, const struct journal_record *record,
                       struct replayed *holds, uint32_t *count)
{
    struct branch branch;
    uint32_t at = 0;
    struct err err;

    while (at < *count && (holds[at].key != record->key))
        at++;
    switch (record->kind) {
    case J_ACCOUNT:
        EXPECT(ledger_apply(world->ledger, &record->attributes, record->position, &err) == 0);
        return;
    case J_CARRIED:
        if (at < *count)
            return; /* its original was still there */
        /* fall through */
    case J_HELD:
        whole_branch(&record->branch, &branch);
        holds[*count].key = record->key;
        EXPECT(ledger_restore(world->ledger, &branch, &holds[(*count)++].handle, &err) == 0);
        return;
    case J_POSTED:
    case J_VOIDED:
        /* A hold that began before the journal and was not carried would be lost money. */
        EXPECT(at < *count);
        if (world->failed)
            return;
        if (record->kind == J_POSTED)
            ledger_replay_post(world->ledger, holds[at].handle, record->position);
        else
            ledger_void(world->ledger, holds[at].handle);
        holds[at] = holds[--*count];
        return;
    }
}

static void act_crash(struct world *world)
{
    struct replayed holds[MODEL_HOLDS + 1];
    bool live[MODEL_HOLDS];
    uint32_t count = 0;
    struct err err;

    free(world->ledger);
    world->ledger = open_ledger(&world->options);
    world->pass = false;
    for (uint32_t i = 0; i < world->row_count; i++)
        EXPECT(ledger_load(world->ledger, &world->rows[i], &err) == 0);
    for (uint32_t i = 0; i < world->journal_count && !world->failed; i++)
        replay_one(world, &world->journal[i], holds, &count);
    for (int slot = 0; slot < MODEL_HOLDS; slot++)
        live[slot] = world->model.holds[slot].used;
    for (uint32_t i = 0; i < count && !world->failed; i++) {
        int slot = slot_of(world, live, holds[i].key);

        EXPECT(slot >= 0);
        if (slot >= 0)
            world->handles[slot] = holds[i].handle;
    }
    seen.crashes++;
}

/* ---- after every act ---- */

static void check_account(struct world *world, uint32_t number, uint32_t *dirty)
{
    struct account_row row, right;

    ledger_row(world->ledger, number, &row);
    model_row(&world->model, number, &right);
    EXPECT(model_row_is(&row, &right));
    EXPECT(ledger_find(world->ledger, &row.attributes.name, &row.attributes.currency) == number);
    /* I4, and what a commit may add up to. */
    EXPECT(!row.attributes.has_floor ||
           (int128)row.credits_posted - row.debits_posted - row.debits_pending >=
               row.attributes.floor);
    EXPECT(row.debits_posted >= 0 && row.debits_pending >= 0 &&
           (int128)row.debits_posted + row.debits_pending <= INT64_MAX);
    EXPECT(row.credits_posted >= 0 && row.credits_pending >= 0 &&
           (int128)row.credits_posted + row.credits_pending <= INT64_MAX);
    if (number >= world->row_count || world->rows[number].applied != row.applied)
        (*dirty)++;
}

static void check_all(struct world *world)
{
    const struct ledger_stats *stats = ledger_stats(world->ledger);
    struct net totals[CURRENCIES_MAX];
    uint32_t holds = 0, postings = 0, dirty = 0;
    uint16_t count = ledger_totals(world->ledger, totals);

    for (int slot = 0; slot < MODEL_HOLDS; slot++) {
        holds += world->model.holds[slot].used;
        postings += world->model.holds[slot].used ? world->model.holds[slot].branch.count : 0;
    }
    for (uint32_t i = 0; i < world->model.account_count; i++)
        check_account(world, i, &dirty);
    EXPECT(stats->accounts == world->model.account_count);
    EXPECT(stats->holds == holds && stats->postings == postings);
    EXPECT(stats->dirty == dirty);
    for (uint16_t i = 0; i < count; i++) {
        int128 posted = model_posted_in(&world->model, &totals[i].currency);

        EXPECT(posted == totals[i].amount);
        EXPECT(posted + model_pending_in(&world->model, &totals[i].currency, SIDE_CREDIT) <=
               INT64_MAX);
        EXPECT(posted - model_pending_in(&world->model, &totals[i].currency, SIDE_DEBIT) >=
               -(int128)INT64_MAX);
    }
}

static void act(struct world *world)
{
    uint64_t dice = below(world, 1000);

    if (world->patient && dice >= 560 && dice < 830 && below(world, 5) != 0)
        dice = 559;
    if (dice < 90)
        act_create(world);
    else if (dice < 170)
        act_change(world);
    else if (dice < 560)
        act_reserve(world);
    else if (dice < 760)
        act_post(world);
    else if (dice < 830)
        act_void(world);
    else if (dice < 880)
        act_check(world);
    else if (dice < 980)
        act_checkpoint(world);
    else
        act_crash(world);
}

static void run_seed(struct world *world, uint64_t seed)
{
    memset(world, 0, sizeof(*world));
    world->seed = seed;
    world->huge = seed % 3 == 0;
    world->patient = seed % 4 == 1;
    world->options = (struct ledger_options){MODEL_ACCOUNTS, MODEL_HOLDS, MODEL_POSTINGS};
    world->ledger = open_ledger(&world->options);
    prng_init(&world->prng, seed);
    for (world->act = 1; world->act <= ACTS && !world->failed; world->act++) {
        act(world);
        check_all(world);
    }
    free(world->ledger);
}

static void random_acts_agree_with_the_model(void)
{
    static const enum reason met[] = {
        REASON_NONE,           REASON_LEGS,
        REASON_AMOUNT,         REASON_CURRENCY_UNKNOWN,
        REASON_BUSY,           REASON_FUNDS,
        REASON_OVERFLOW,       REASON_ACCOUNT_UNKNOWN,
        REASON_ACCOUNT_CLOSED, REASON_ACCOUNT_BLOCKED,
    };
    const char *one = getenv("SETTLE_SEED");
    struct world *world = calloc(1, sizeof(*world));

    CU_ASSERT_PTR_NOT_NULL_FATAL(world);
    if (one) {
        run_seed(world, strtoull(one, NULL, 10));
    } else {
        for (uint64_t seed = 1; seed <= SEEDS && !world->failed; seed++)
            run_seed(world, seed);
        for (size_t i = 0; i < sizeof(met) / sizeof(met[0]); i++)
            CU_ASSERT(seen.answers[met[i]] > 0);
        CU_ASSERT(seen.posted > 1000 && seen.voided > 500);
        CU_ASSERT(seen.passes > 100 && seen.crashes > 100);
    }
    printf("held %u, refused for funds %u, for overflow %u; posted %u, voided %u; %u checkpoints, "
           "%u crashes ... ",
           seen.answers[REASON_NONE], seen.answers[REASON_FUNDS], seen.answers[REASON_OVERFLOW],
           seen.posted, seen.voided, seen.passes, seen.crashes);
    free(world);
}

CU_TestInfo ledger_model_tests[] = {
    {"random_acts_agree_with_the_model", random_acts_agree_with_the_model},
    CU_TEST_INFO_NULL,
};
