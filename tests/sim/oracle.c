/*
 * The invariants of DESIGN section 4, checked against what is durable.
 *
 * The truth is kept from the records that became durable, bank by bank, never from what a core
 * believes. Whatever a coordinator says or a client is told is held against it at that instant,
 * and every later record against all that was ever told.
 */
#include "base/assert.h"
#include "sim/sim.h"

#include <string.h>

static bool is_in(uint8_t set, uint32_t bank)
{
    return (set & 1u << bank) != 0;
}

/* True iff every voter durably said YES to this content. */
static bool all_said_yes(const struct sim *sim, uint32_t content)
{
    for (uint32_t bank = 0; bank < sim->bank_count; bank++) {
        enum txn_state state = sim->oracle.truths[content][bank].state;

        if (is_in(sim->contents[content].voters, bank) && state != STATE_PREPARED &&
            state != STATE_COMMITTED)
            return false;
    }
    return true;
}

static bool is_one_phase(const struct sim *sim, uint32_t content)
{
    uint8_t voters = sim->contents[content].voters;

    return (voters & (voters - 1)) == 0;
}

static bool any_is(const struct sim *sim, uint32_t content, enum txn_state state)
{
    for (uint32_t bank = 0; bank < sim->bank_count; bank++) {
        if (sim->oracle.truths[content][bank].state == state)
            return true;
    }
    return false;
}

/* The outcome function: COMMITTED, of many by their votes, of one by its record. */
static bool is_committed(const struct sim *sim, uint32_t content)
{
    if (is_one_phase(sim, content))
        return any_is(sim, content, STATE_COMMITTED);
    return all_said_yes(sim, content) && sim->contents[content].balanced;
}

/* The outcome function: ABORTED. */
static bool is_aborted(const struct sim *sim, uint32_t content)
{
    const struct content *self = &sim->contents[content];

    for (uint32_t bank = 0; bank < sim->bank_count; bank++) {
        const struct truth *truth = &sim->oracle.truths[content][bank];

        if (!is_in(self->voters, bank))
            continue;
        if (truth->state == STATE_ABORTED || truth->conflict)
            return true;
        /* R10: what was pruned will never be held again. */
        if (truth->state == STATE_NONE && memcmp(&self->id, &sim->oldest, sizeof(self->id)) < 0)
            return true;
    }
    return all_said_yes(sim, content) && !self->balanced;
}

/* ---- what becomes durable ---- */

static void check_content(struct sim *sim, uint32_t content)
{
    const char *name = sim_content_name(sim, (int)content);
    enum txn_state told = sim->oracle.told[content];
    bool committed = any_is(sim, content, STATE_COMMITTED);
    bool aborted = any_is(sim, content, STATE_ABORTED);

    if (committed && aborted)
        sim_fail(sim, "I1", "%s is COMMITTED at one bank and ABORTED at another", name);
    if (committed && !is_committed(sim, content))
        sim_fail(sim, "I2", "%s is COMMITTED without a durable YES of every voter", name);
    if (committed && sim->contents[content].readers != 0 &&
        sim->contents[content].check_min >= SIM_NEVER_AVAILABLE)
        sim_fail(sim, "R12", "%s is COMMITTED though its read-only branch cannot hold", name);
    if (told == STATE_COMMITTED && aborted)
        sim_fail(sim, "I3", "%s was told COMMITTED, and a bank recorded ABORTED", name);
    if (told == STATE_ABORTED && committed)
        sim_fail(sim, "I3", "%s was told ABORTED, and a bank recorded COMMITTED", name);
}

/* R4: of every site the same commit timestamp, the largest of the votes'. */
static void check_timestamp(struct sim *sim, uint32_t content, const struct record *record)
{
    uint64_t largest = 0;

    for (uint32_t bank = 0; bank < sim->bank_count; bank++) {
        const struct truth *truth = &sim->oracle.truths[content][bank];

        if (truth->prepare_timestamp > largest)
            largest = truth->prepare_timestamp;
    }
    if (!is_one_phase(sim, content) && record->timestamp != largest)
        sim_fail(sim, "R4", "%s commits at %llu, and its largest vote is of %llu",
                 sim_content_name(sim, (int)content), (unsigned long long)record->timestamp,
                 (unsigned long long)largest);
}

static void advance(struct sim *sim, uint32_t bank, uint32_t content, const struct record *record)
{
    struct truth *truth = &sim->oracle.truths[content][bank];
    const char *name = sim_content_name(sim, (int)content);
    enum txn_state from = truth->state;

    if (record->kind == RECORD_CARRIED) {
        if (record->state != from)
            sim_fail(sim, "I1", "b%u carries %s as %s, and it is %s", bank + 1, name,
                     txn_state_name(record->state), txn_state_name(from));
        return;
    }
    if (record->kind == RECORD_PREPARED) {
        if (from != STATE_NONE)
            sim_fail(sim, "R3", "b%u prepares %s a second time", bank + 1, name);
        truth->state = STATE_PREPARED;
        truth->prepare_timestamp = record->timestamp;
        return;
    }
    if (from == STATE_COMMITTED || from == STATE_ABORTED)
        sim_fail(sim, from == STATE_COMMITTED && record->kind == RECORD_COMMITTED ? "I7" : "I1",
                 "b%u decides %s again, after %s", bank + 1, name, txn_state_name(from));
    if (record->kind == RECORD_ABORTED) {
        truth->state = STATE_ABORTED;
        return;
    }
    truth->state = STATE_COMMITTED;
    truth->commit_timestamp = record->timestamp;
    check_timestamp(sim, content, record);
}

/* Other contents of the same id are refused at this bank for ever. */
static void mark_conflicts(struct sim *sim, uint32_t bank, uint32_t content)
{
    for (uint32_t other = 0; other < sim->content_count; other++) {
        if (other == content || !id_equal(&sim->contents[other].id, &sim->contents[content].id))
            continue;
        sim->oracle.truths[other][bank].conflict = true;
        if (sim->oracle.truths[other][bank].state != STATE_NONE)
            sim_fail(sim, "I7", "b%u holds %s and %s under one id", bank + 1,
                     sim_content_name(sim, (int)content), sim_content_name(sim, (int)other));
    }
}

static void seal_durable(struct sim *sim, uint32_t bank, const struct record *record)
{
    struct oracle *oracle = &sim->oracle;

    if (record->tag.epoch <= oracle->seal_epochs[bank][record->group])
        sim_fail(sim, "I6", "the seal of group %u at b%u falls to %llu", (unsigned)record->group,
                 bank + 1, (unsigned long long)record->tag.epoch);
    oracle->seal_epochs[bank][record->group] = record->tag.epoch;
    oracle->seal_guids[bank][record->group] = record->guid;
}

static bool is_of_txn(const struct record *record)
{
    return record->kind == RECORD_PREPARED || record->kind == RECORD_COMMITTED ||
           record->kind == RECORD_ABORTED || record->kind == RECORD_CARRIED;
}

void oracle_durable(struct sim *sim, uint32_t bank, const struct record *record)
{
    int content;

    if (record->kind == RECORD_SEAL)
        seal_durable(sim, bank, record);
    if (!is_of_txn(record))
        return;
    content = sim_content_of(sim, &record->id, &record->digest);
    if (content < 0) {
        sim_fail(sim, "codec", "b%u records a transaction that nobody submitted", bank + 1);
        return;
    }
    advance(sim, bank, (uint32_t)content, record);
    mark_conflicts(sim, bank, (uint32_t)content);
    check_content(sim, (uint32_t)content);
}

/* ---- what a bank does, in memory ---- */

/* R9: End frees a transaction only when every voter holds its outcome, or never will. */
static void check_ended(struct sim *sim, uint32_t bank)
{
    for (uint32_t content = 0; content < sim->content_count; content++) {
        bool *unresolved = &sim->oracle.unresolved[content][bank];

        if (!*unresolved || part_knows(sim->banks[bank].part, &sim->contents[content].id))
            continue;
        *unresolved = false;
        if (sim->end_forced || sim->unmoneyed)
            continue; /* not by a leader's End; or under a list of other stores */
        for (uint32_t voter = 0; voter < sim->bank_count; voter++) {
            const struct truth *truth = &sim->oracle.truths[content][voter];

            if (is_in(sim->contents[content].voters, voter) && !truth->conflict &&
                truth->state != STATE_COMMITTED && truth->state != STATE_ABORTED)
                sim_fail(sim, "R9", "%s is ended at b%u though b%u did not acknowledge it",
                         sim_content_name(sim, (int)content), bank + 1, voter + 1);
        }
    }
}

/* I6: an effect has the sealed epoch, and comes from the very leader that was sealed. */
static void check_fence(struct sim *sim, uint32_t bank, const struct record *record,
                        const struct guid *guid)
{
    struct guid sealed;
    uint64_t epoch;

    part_seal_get(sim->banks[bank].part, record->group, &epoch, &sealed);
    if (record->tag.epoch != epoch || !guid || !guid_equal(guid, &sealed))
        sim_fail(sim, "I6", "b%u obeys epoch %llu though it sealed %llu", bank + 1,
                 (unsigned long long)record->tag.epoch, (unsigned long long)epoch);
}

void oracle_recorded(struct sim *sim, uint32_t bank, const struct record *record,
                     const struct guid *guid)
{
    int content = is_of_txn(record) ? sim_content_of(sim, &record->id, &record->digest) : -1;
    bool *applied, *held;

    if (record->kind == RECORD_END)
        check_ended(sim, bank);
    if (record->kind != RECORD_CLOCK && record->kind != RECORD_ACCOUNT)
        check_fence(sim, bank, record, guid);
    if (content < 0)
        return;
    applied = &sim->oracle.applied[content][bank];
    held = &sim->oracle.held[content][bank];
    if (record->kind == RECORD_COMMITTED && *applied)
        sim_fail(sim, "I7", "b%u executes %s twice", bank + 1, sim_content_name(sim, content));
    if (record->kind == RECORD_COMMITTED)
        *applied = true;
    *held = record->kind == RECORD_PREPARED;
    if (record->kind != RECORD_ABORTED)
        sim->oracle.unresolved[content][bank] = true;
    if (sim->trace)
        sim_trace(sim, "b%u %s %s", bank + 1,
                  record->kind == RECORD_PREPARED    ? "prepares"
                  : record->kind == RECORD_COMMITTED ? "commits"
                  : record->kind == RECORD_ABORTED   ? "aborts"
                                                     : "moves the tag of",
                  sim_content_name(sim, content));
}

/* ---- what a coordinator says ---- */

void oracle_says(struct sim *sim, uint32_t coordinator, const struct msg *msg)
{
    int content = sim_content_of(sim, &msg->id, &msg->digest);

    if (msg->kind != MSG_COMMIT && msg->kind != MSG_ABORT)
        return;
    if (content < 0)
        sim_fail(sim, "R4", "c%u decides a transaction that nobody submitted", coordinator + 1);
    else if (msg->kind == MSG_COMMIT && !is_committed(sim, (uint32_t)content))
        sim_fail(sim, "I2", "c%u sends Commit of %s without a durable YES of every voter",
                 coordinator + 1, sim_content_name(sim, content));
    else if (msg->kind == MSG_ABORT && !is_aborted(sim, (uint32_t)content))
        sim_fail(sim, "R6", "c%u sends Abort of %s, and no ABORTED is durable", coordinator + 1,
                 sim_content_name(sim, content));
}

static void told_committed(struct sim *sim, uint32_t content, const struct reply *reply)
{
    struct oracle *oracle = &sim->oracle;
    const char *name = sim_content_name(sim, (int)content);

    if (!is_committed(sim, content))
        sim_fail(sim, "I3", "%s is told COMMITTED, and is not", name);
    if (oracle->told[content] == STATE_ABORTED)
        sim_fail(sim, "I7", "%s is told COMMITTED after ABORTED", name);
    if (oracle->told_timestamp[content] != 0 && oracle->told_timestamp[content] != reply->timestamp)
        sim_fail(sim, "I7", "%s is told with another timestamp", name);
    oracle->told[content] = STATE_COMMITTED;
    oracle->told_timestamp[content] = reply->timestamp;
}

void oracle_told(struct sim *sim, uint32_t coordinator, const struct ask *ask,
                 const struct reply *reply)
{
    int content = sim_content_of(sim, &reply->id, &reply->digest);

    sim_trace(sim, "c%u answers %s %s: %s", coordinator + 1, sim_content_name(sim, content),
              sim_reply_name(reply->kind), reason_name(reply->reason));
    if (reply->kind == REPLY_AUDIT) {
        cuts_audited(sim, reply);
        return;
    }
    if (reply->kind != REPLY_COMMITTED && reply->kind != REPLY_ABORTED)
        return;
    if (ask->kind == ASK_SUBMIT && content != ask->content) {
        sim_fail(sim, "I7", "c%u answers a submission with another content's outcome",
                 coordinator + 1);
        return;
    }
    ASSERT(content >= 0);
    if (reply->kind == REPLY_COMMITTED) {
        told_committed(sim, (uint32_t)content, reply);
        return;
    }
    if (!is_aborted(sim, (uint32_t)content))
        sim_fail(sim, "I3", "%s is told ABORTED, and no ABORTED is durable",
                 sim_content_name(sim, content));
    if (sim->oracle.told[content] == STATE_COMMITTED)
        sim_fail(sim, "I7", "%s is told ABORTED after COMMITTED", sim_content_name(sim, content));
    sim->oracle.told[content] = STATE_ABORTED;
}

/* ---- after a start ---- */

/* What came back is what was durable: seals, outcomes, money. */
void oracle_restarted(struct sim *sim, uint32_t bank)
{
    struct oracle *oracle = &sim->oracle;
    const struct part *part = sim->banks[bank].part;

    for (uint16_t group = 0; group < (uint16_t)sim->group_count; group++) {
        struct guid guid;
        uint64_t epoch;

        part_seal_get(part, group, &epoch, &guid);
        if (epoch != oracle->seal_epochs[bank][group] ||
            !guid_equal(&guid, &oracle->seal_guids[bank][group]))
            sim_fail(sim, "I6", "b%u came back with seal %llu of group %u, and promised %llu",
                     bank + 1, (unsigned long long)epoch, (unsigned)group,
                     (unsigned long long)oracle->seal_epochs[bank][group]);
    }
    for (uint32_t content = 0; content < sim->content_count && !sim->unmoneyed; content++) {
        const struct truth *truth = &oracle->truths[content][bank];
        struct part_view view;
        bool found = part_find(part, &sim->contents[content].id, &view) &&
                     digest_equal(&view.digest, &sim->contents[content].digest);

        oracle->applied[content][bank] = truth->state == STATE_COMMITTED;
        oracle->held[content][bank] = truth->state == STATE_PREPARED;
        oracle->unresolved[content][bank] = found;
        if ((found && view.state != truth->state) || (!found && truth->state == STATE_PREPARED))
            sim_fail(sim, "I1", "b%u came back with another state of %s", bank + 1,
                     sim_content_name(sim, (int)content));
    }
    oracle_books(sim, bank);
}

/* ---- money ---- */

/* I4, I5, I7: posted is what was committed, once; pending what is prepared; no floor is broken. */
static void check_account(struct sim *sim, uint32_t bank, const struct account_row *row)
{
    uint32_t number = row->attributes.number;
    int64_t posted = row->credits_posted - row->debits_posted;
    int64_t expected = sim_opening(number), debits = 0, credits = 0;

    for (uint32_t i = 0; i < sim->content_count; i++) {
        const struct content *content = &sim->contents[i];

        for (uint32_t j = 0; j < content->leg_count; j++) {
            const struct leg *leg = &content->legs[j];

            if (leg->bank != bank || leg->account != number)
                continue;
            if (sim->oracle.applied[i][bank])
                expected += leg->side == SIDE_CREDIT ? leg->amount : -leg->amount;
            if (sim->oracle.held[i][bank])
                *(leg->side == SIDE_CREDIT ? &credits : &debits) += leg->amount;
        }
    }
    if (posted != expected)
        sim_fail(sim, "I4", "account %u of b%u has %lld posted, and %lld was committed", number,
                 bank + 1, (long long)posted, (long long)expected);
    if (row->debits_pending != debits || row->credits_pending != credits)
        sim_fail(sim, "I5", "account %u of b%u has %lld, %lld pending, and %lld, %lld is prepared",
                 number, bank + 1, (long long)row->debits_pending, (long long)row->credits_pending,
                 (long long)debits, (long long)credits);
    if (row->attributes.has_floor && posted - row->debits_pending < row->attributes.floor)
        sim_fail(sim, "I4", "account %u of b%u is below its floor", number, bank + 1);
}

void oracle_books(struct sim *sim, uint32_t bank)
{
    struct account_row row;
    uint32_t cursor = 0;

    if (sim->unmoneyed)
        return;
    while (ledger_next(sim->banks[bank].ledger, &cursor, &row))
        check_account(sim, bank, &row);
}

/* ---- the end ---- */

/* I1, I9: every transaction that any bank holds has the one outcome at every voter of its list. */
static void check_ending(struct sim *sim, uint32_t content)
{
    const struct content *self = &sim->contents[content];

    for (uint32_t bank = 0; bank < sim->bank_count; bank++) {
        const struct truth *truth = &sim->oracle.truths[content][bank];

        if (truth->state == STATE_PREPARED)
            sim_fail(sim, "I9", "%s is still in doubt at b%u", sim_content_name(sim, (int)content),
                     bank + 1);
        if (is_in(self->voters, bank) && any_is(sim, content, STATE_COMMITTED) &&
            truth->state != STATE_COMMITTED)
            sim_fail(sim, "I9", "%s is COMMITTED, and b%u never heard of it",
                     sim_content_name(sim, (int)content), bank + 1);
    }
}

/*
 * I8: who asks by id when all is quiet hears the outcome, COMMITTED before any other content's.
 * False when it must be asked again.
 */
bool oracle_last_word(struct sim *sim, const struct ask *ask)
{
    enum reply_kind want = REPLY_UNKNOWN;

    if (ask->kind == ASK_AUDIT)
        return ask->complete;
    for (uint32_t i = 0; i < sim->content_count; i++) {
        if (!id_equal(&sim->contents[i].id, &sim->contents[ask->content].id))
            continue;
        if (any_is(sim, i, STATE_COMMITTED))
            want = REPLY_COMMITTED;
        else if (want == REPLY_UNKNOWN &&
                 (any_is(sim, i, STATE_ABORTED) || sim->oracle.told[i] != STATE_NONE))
            want = REPLY_ABORTED;
    }
    /* While a bank is away, ABORTED may be of another content: who holds COMMITTED was not heard.
     */
    if (ask->reply == REPLY_COMMITTED && ask->reply != want)
        sim_fail(sim, "I8", "the outcome of %s is %s, and who asks hears %s",
                 sim_content_name(sim, ask->content), sim_reply_name(want),
                 sim_reply_name(ask->reply));
    return ask->reply == want;
}

void oracle_quiescent(struct sim *sim)
{
    for (uint32_t content = 0; content < sim->content_count; content++) {
        check_ending(sim, content);
        sim->counts.commits += any_is(sim, content, STATE_COMMITTED);
        sim->counts.aborts += any_is(sim, content, STATE_ABORTED);
    }
    cuts_verify(sim);
}
