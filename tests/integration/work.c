#include "work.h"

#include <CUnit/CUnit.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BANKS           3
#define ACCOUNTS        4  /* of each bank */
#define SLOTS           64 /* below PROGRESS of the tests: answers on their way are no progress */
#define RECORDS_MAX     60000
#define FUNDS           100000000 /* minor units, in each account */
#define BEYOND_FUNDS    1000000000
#define AMOUNT_MAX      500
#define DEADLINE_MS     3000
#define ASK_MS          1000
#define TIMEOUT_MS      10000
#define LEGS            3
#define AGAIN_PERCENT   5  /* of those committed are submitted again */
#define REFUSED_PERCENT 5  /* ask for more than there is */
#define THIRD_PERCENT   30 /* touch three banks */
#define ACCOUNT_SIZE    16
#define CURRENCY        "EUR"

/* What a test that failed left running. */
static struct work *left_over;

static const char *const banks[BANKS] = {"bank-a", "bank-b", "bank-c"};

/* One submitted transaction. Ids ascend, so that the array is sorted. */
struct record {
    struct settle_id id;
    int64_t amount;
    uint8_t debited, credited, third; /* account numbers; third == credited: two legs */
    enum settle_result result;        /* all but UNKNOWN are for ever; 0: none yet */
    bool unknown;                     /* was told UNKNOWN once: it may happen yet */
    bool again;                       /* was submitted again after its outcome */
    uint8_t found;                    /* a bit for each leg found in a statement */
};

enum slot_state { SLOT_IDLE, SLOT_BUSY, SLOT_DONE };

struct slot {
    struct work *work;
    unsigned record;
    bool has_record; /* that has to go on */
    _Atomic enum slot_state state;
    struct settle_outcome outcome; /* DONE */
};

struct work {
    struct test_cluster *cluster;
    struct settle *settle;
    char accounts[ACCOUNTS][ACCOUNT_SIZE];
    pthread_t thread;
    atomic_bool stop;
    atomic_uint committed;
    unsigned mark;
    unsigned aborted, unknown, refused, again, contradictions;
    uint64_t random;
    struct slot slots[SLOTS];
    struct record *records;
    unsigned record_count;
};

static const char *bank_of(unsigned account)
{
    return banks[account / ACCOUNTS];
}

static struct settle_account_key key_of(const struct work *work, unsigned account)
{
    struct settle_account_key key = {bank_of(account), work->accounts[account % ACCOUNTS],
                                     CURRENCY};
    return key;
}

static unsigned draw(struct work *work, unsigned bound)
{
    work->random = work->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((work->random >> 33) % bound);
}

/* ---- legs ---- */

static struct settle_leg leg_of(const struct work *work, unsigned account, enum settle_side side,
                                int64_t amount)
{
    struct settle_leg leg = {bank_of(account), work->accounts[account % ACCOUNTS], side, amount,
                             CURRENCY};
    return leg;
}

/* The third account, if any, gets half of it. Returns how many legs there are. */
static size_t legs_of(const struct work *work, const struct record *record,
                      struct settle_leg legs[LEGS])
{
    int64_t half = record->amount / 2;

    legs[0] = leg_of(work, record->debited, SETTLE_DEBIT, record->amount);
    if (record->third == record->credited) {
        legs[1] = leg_of(work, record->credited, SETTLE_CREDIT, record->amount);
        return 2;
    }
    legs[1] = leg_of(work, record->credited, SETTLE_CREDIT, record->amount - half);
    legs[2] = leg_of(work, record->third, SETTLE_CREDIT, half);
    return LEGS;
}

static void new_record(struct work *work, struct slot *slot)
{
    struct record *record = &work->records[work->record_count];
    unsigned bank = draw(work, BANKS), other = (bank + 1 + draw(work, BANKS - 1)) % BANKS;

    memset(record, 0, sizeof(*record));
    settle_id_new(&record->id);
    record->amount = 2 + draw(work, AMOUNT_MAX);
    if (draw(work, 100) < REFUSED_PERCENT)
        record->amount = BEYOND_FUNDS;
    record->debited = (uint8_t)(bank * ACCOUNTS + draw(work, ACCOUNTS));
    record->credited = (uint8_t)(other * ACCOUNTS + draw(work, ACCOUNTS));
    record->third = record->credited;
    if (draw(work, 100) < THIRD_PERCENT)
        record->third = (uint8_t)((BANKS - bank - other) * ACCOUNTS + draw(work, ACCOUNTS));
    slot->record = work->record_count++;
    slot->has_record = true;
}

/* ---- the thread ---- */

static void on_done(void *ctx, const struct settle_outcome *outcome)
{
    struct slot *slot = ctx;

    slot->outcome = *outcome;
    slot->state = SLOT_DONE;
}

static void submit(struct work *work, struct slot *slot)
{
    const struct record *record = &work->records[slot->record];
    struct settle_leg legs[LEGS];
    struct settle_submit request = {
        .id = record->id, .deadline_ms = DEADLINE_MS, .memo = "work", .legs = legs};

    request.leg_count = legs_of(work, record, legs);
    slot->state = SLOT_BUSY;
    if (settle_submit_start(work->settle, &request, on_done, slot, NULL) != 0)
        slot->state = SLOT_IDLE; /* and again at the next look */
}

/* An outcome is for ever: another one after it is what must never be. */
static void conclude(struct work *work, struct record *record, const struct settle_outcome *outcome)
{
    char text[SETTLE_ID_TEXT_SIZE];

    if (outcome->result != SETTLE_COMMITTED && outcome->result != SETTLE_ABORTED)
        return;
    if (record->result == 0) {
        record->result = outcome->result;
        work->aborted += outcome->result == SETTLE_ABORTED;
        if (outcome->result == SETTLE_COMMITTED)
            work->committed++;
    } else if (record->result != outcome->result) {
        work->contradictions++;
        printf("  %s was told %s and then %s (%s)\n", settle_id_format(&record->id, text),
               settle_result_name(record->result), settle_result_name(outcome->result),
               settle_reason_name(outcome->reason));
    }
}

static void take_outcome(struct work *work, struct slot *slot)
{
    struct record *record = &work->records[slot->record];

    conclude(work, record, &slot->outcome);
    work->unknown += slot->outcome.result == SETTLE_UNKNOWN;
    work->refused += slot->outcome.result == SETTLE_REFUSED;
    if (slot->outcome.result == SETTLE_UNKNOWN)
        record->unknown = true;
    if (slot->outcome.result == SETTLE_REFUSED && !record->unknown && record->result == 0)
        record->result = SETTLE_REFUSED; /* nothing happened: no entry may show it */
    /* Some are submitted again at once, the others are asked for in the end. */
    slot->has_record = record->result == 0 && draw(work, 2) == 0;
    if (record->result != 0 && record->result != SETTLE_REFUSED && !record->again &&
        draw(work, 100) < AGAIN_PERCENT) {
        record->again = true;
        work->again++;
        slot->has_record = true;
    }
    slot->state = SLOT_IDLE;
}

static void turn(struct work *work, struct slot *slot)
{
    if (slot->state == SLOT_DONE)
        take_outcome(work, slot);
    if (slot->state != SLOT_IDLE || work->stop)
        return;
    if (!slot->has_record && work->record_count == RECORDS_MAX)
        return;
    if (!slot->has_record)
        new_record(work, slot);
    submit(work, slot);
}

static bool any_busy(const struct work *work)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        if (work->slots[i].state != SLOT_IDLE)
            return true;
    }
    return false;
}

static void *run(void *ctx)
{
    struct work *work = ctx;

    while (!work->stop || any_busy(work)) {
        for (unsigned i = 0; i < SLOTS; i++)
            turn(work, &work->slots[i]);
        test_pause();
    }
    return NULL;
}

/* ---- life ---- */

static void fund(struct work *work, unsigned account)
{
    struct settle_account_key key = key_of(work, account);
    struct settle_leg legs[] = {
        {key.participant, "CASH", SETTLE_DEBIT, FUNDS, CURRENCY},
        {key.participant, key.account, SETTLE_CREDIT, FUNDS, CURRENCY},
    };
    struct settle_submit request = {
        .legs = legs, .leg_count = 2, .deadline_ms = TIMEOUT_MS, .memo = "funds"};
    struct settle_outcome outcome = {.result = SETTLE_UNKNOWN};
    struct settle_account made;
    const int64_t floor = 0;
    struct settle_error err = {.text = ""};

    if (settle_account_create(work->settle, &key, 0, &floor, &made, TIMEOUT_MS, &err) != 0)
        printf("  %s/%s: %s\n", key.participant, key.account, err.text);
    CU_ASSERT_EQUAL_FATAL(err.code, 0);
    settle_id_new(&request.id);
    CU_ASSERT_EQUAL_FATAL(settle_submit(work->settle, &request, &outcome, &err), 0);
    CU_ASSERT_EQUAL_FATAL(outcome.result, SETTLE_COMMITTED);
}

struct work *work_start(struct test_cluster *cluster, struct settle *settle, const char *tag)
{
    struct work *work;

    work_end();
    work = calloc(1, sizeof(*work));
    CU_ASSERT_PTR_NOT_NULL_FATAL(work);
    work->cluster = cluster;
    work->settle = settle;
    work->random = test_random(cluster, UINT32_MAX);
    work->records = calloc(RECORDS_MAX, sizeof(*work->records));
    CU_ASSERT_PTR_NOT_NULL_FATAL(work->records);
    for (unsigned i = 0; i < ACCOUNTS; i++)
        snprintf(work->accounts[i], ACCOUNT_SIZE, "%s-%u", tag, i);
    for (unsigned i = 0; i < BANKS * ACCOUNTS; i++)
        fund(work, i);
    for (unsigned i = 0; i < SLOTS; i++)
        work->slots[i].work = work;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&work->thread, NULL, run, work), 0);
    left_over = work;
    return work;
}

unsigned work_committed(const struct work *work)
{
    return work->committed;
}

void work_mark(struct work *work)
{
    work->mark = work->committed;
}

bool work_moved(const struct work *work, unsigned more)
{
    return work->committed >= work->mark + more;
}

void work_stop(struct work *work)
{
    if (work->stop)
        return;
    work->stop = true;
    pthread_join(work->thread, NULL);
}

static void work_free(struct work *work)
{
    if (!work)
        return;
    work_stop(work);
    free(work->records);
    free(work);
}

void work_end(void)
{
    work_free(left_over);
    left_over = NULL;
}

/* ---- judgement ---- */

/* I8: ask, and submit again, until there is an outcome. */
static bool resolve(struct work *work, struct record *record)
{
    struct settle_leg legs[LEGS];
    struct settle_submit request = {
        .id = record->id, .deadline_ms = DEADLINE_MS, .memo = "work", .legs = legs};
    struct settle_outcome outcome = {.result = SETTLE_UNKNOWN};

    if (settle_outcome_of(work->settle, &record->id, ASK_MS, &outcome, NULL) == 0)
        conclude(work, record, &outcome);
    if (record->result != 0)
        return true;
    request.leg_count = legs_of(work, record, legs);
    if (settle_submit(work->settle, &request, &outcome, NULL) == 0)
        conclude(work, record, &outcome);
    return record->result != 0;
}

static void resolve_all(struct work *work)
{
    unsigned asked = 0, left = 0;

    for (unsigned i = 0; i < work->record_count; i++) {
        struct record *record = &work->records[i];

        if (record->result != 0)
            continue;
        asked++;
        left += !TEST_WAIT(TEST_LIMIT_MS, resolve(work, record));
    }
    printf("  %u without an outcome were asked again, %u have none\n", asked, left);
    CU_ASSERT_EQUAL(left, 0);
}

static bool nothing_in_flight(struct work *work, bool print)
{
    struct settle_txn *list;
    size_t count;

    if (settle_txn_list(work->settle, NULL, 0, &list, &count, TIMEOUT_MS, NULL) != 0)
        return false;
    for (size_t i = 0; print && i < count && i < 5; i++) {
        char text[SETTLE_ID_TEXT_SIZE];

        printf("  %s %s at %s, %llu ms old\n", settle_id_format(&list[i].id, text), list[i].state,
               list[i].seen_by, (unsigned long long)list[i].age_ms);
    }
    settle_txns_free(list);
    return count == 0;
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(&((const struct record *)a)->id, &((const struct record *)b)->id,
                  sizeof(struct settle_id));
}

/* Find the entry's leg among what was submitted; each leg once, and only of what was committed. */
static bool entry_is_right(struct work *work, unsigned account, const struct settle_entry *entry)
{
    struct record key = {.id = entry->id};
    struct record *record = bsearch(&key, work->records, work->record_count, sizeof(key),
                                    compare_ids);
    struct settle_leg legs[LEGS];
    size_t count;

    if (!record || record->result != SETTLE_COMMITTED)
        return false;
    count = legs_of(work, record, legs);
    for (size_t i = 0; i < count; i++) {
        if (legs[i].participant != bank_of(account) || legs[i].side != entry->side ||
            legs[i].account != work->accounts[account % ACCOUNTS] ||
            legs[i].amount != entry->amount || (record->found & 1u << i) != 0)
            continue;
        record->found |= (uint8_t)(1u << i);
        return strcmp(entry->memo, "work") == 0;
    }
    return false;
}

static void check_balance(struct work *work, const struct settle_account_key *key, int64_t expected)
{
    struct settle_account *list;
    size_t count;

    CU_ASSERT_EQUAL_FATAL(settle_account_show(work->settle, key, &list, &count, TIMEOUT_MS, NULL),
                          0);
    CU_ASSERT_EQUAL_FATAL(count, 1);
    CU_ASSERT_EQUAL(list[0].posted, expected);
    CU_ASSERT_EQUAL(list[0].available, expected);
    CU_ASSERT_EQUAL(list[0].debits_pending, 0);
    CU_ASSERT_EQUAL(list[0].credits_pending, 0);
    settle_accounts_free(list);
}

static void check_statement(struct work *work, unsigned account)
{
    struct settle_account_key key = key_of(work, account);
    struct settle_entry *entries;
    struct settle_error err = {.text = ""};
    unsigned wrong = 0;
    int64_t balance = 0;
    size_t count;

    if (settle_account_statement(work->settle, &key, 0, &entries, &count, TIMEOUT_MS, &err) != 0)
        printf("  statement of %s/%s: %s\n", key.participant, key.account, err.text);
    CU_ASSERT_EQUAL_FATAL(err.code, 0);
    CU_ASSERT_TRUE_FATAL(count > 0);
    for (size_t i = count; i-- > 0;) {
        const struct settle_entry *entry = &entries[i];

        balance += entry->side == SETTLE_CREDIT ? entry->amount : -entry->amount;
        wrong += entry->balance != balance;
        if (i != count - 1) /* the first is the funding */
            wrong += !entry_is_right(work, account, entry);
    }
    CU_ASSERT_EQUAL(entries[count - 1].amount, FUNDS);
    settle_entries_free(entries);
    if (wrong > 0)
        printf("  %s/%s: %u entries are wrong\n", key.participant, key.account, wrong);
    CU_ASSERT_EQUAL(wrong, 0);
    check_balance(work, &key, balance);
}

static void check_all_found(struct work *work)
{
    unsigned missing = 0;

    for (unsigned i = 0; i < work->record_count; i++) {
        struct record *record = &work->records[i];
        struct settle_leg legs[LEGS];
        size_t count = legs_of(work, record, legs);
        char text[SETTLE_ID_TEXT_SIZE];

        if (record->result != SETTLE_COMMITTED || record->found == (1u << count) - 1)
            continue;
        if (missing++ < 5)
            printf("  %s was told COMMITTED, of its legs only %x stand in the books\n",
                   settle_id_format(&record->id, text), (unsigned)record->found);
    }
    CU_ASSERT_EQUAL(missing, 0);
}

static void check_audit(struct work *work)
{
    struct settle_audit audit;
    struct settle_error err = {.text = ""};

    if (settle_audit_run(work->settle, &audit, TIMEOUT_MS, &err) != 0)
        printf("  audit: %s\n", err.text);
    CU_ASSERT_EQUAL_FATAL(err.code, 0);
    CU_ASSERT_TRUE(audit.balanced);
    CU_ASSERT_EQUAL(audit.missing_count, 0);
    CU_ASSERT_EQUAL(audit.in_doubt_count, 0);
    CU_ASSERT_EQUAL_FATAL(audit.line_count, 1);
    CU_ASSERT_STRING_EQUAL(audit.lines[0].currency, CURRENCY);
    CU_ASSERT_STRING_EQUAL(audit.lines[0].posted, "0.00");
    settle_audit_release(&audit);
}

void work_verify(struct work *work)
{
    uint64_t since_ms = test_now_ms(), spent_ms;
    bool ended;

    work_stop(work);
    spent_ms = test_now_ms() - since_ms;
    ended = TEST_WAIT(spent_ms < TEST_END_LIMIT_MS ? TEST_END_LIMIT_MS - spent_ms : 0,
                      nothing_in_flight(work, false));
    printf("  nothing in flight after %llu ms\n", (unsigned long long)(test_now_ms() - since_ms));
    if (!ended)
        nothing_in_flight(work, true);
    CU_ASSERT_TRUE(ended);
    resolve_all(work);
    for (unsigned i = 0; i < BANKS * ACCOUNTS; i++)
        check_statement(work, i);
    check_all_found(work);
    check_audit(work);
    CU_ASSERT_EQUAL(work->contradictions, 0);
    printf("  %u submitted: %u committed, %u aborted, %u again; %u times unknown, %u refused\n",
           work->record_count, work->committed, work->aborted, work->again, work->unknown,
           work->refused);
    work_end();
}
