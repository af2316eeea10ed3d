/*
 * The coordinator alone: its transition table, for every state and event.
 *
 * Each row puts a fresh coordinator into a state, feeds one event, and compares where the
 * transaction stands and all that was said. A pair without a row, or with two, fails.
 */
#include "coord_table.h"
#include "support/runner.h"

#include <stdio.h>

static const char *const state_names[STATES] = {"NOT_LED",  "UNKNOWN_ID", "GATHERING",
                                                "READING",  "PREPARING",  "QUERYING",
                                                "ABORTING", "COMMITTED",  "ABORTED"};
static const char *const event_names[STIMULI] = {
#define X(name) #name,
    EVENTS(X)
#undef X
};

static void enter(struct bench *bench, enum state state)
{
    struct msg no;

    if (state == NOT_LED)
        return;
    bench_serve(bench);
    switch (state) {
    case NOT_LED:
    case UNKNOWN_ID:
    case STATES:
        break;
    case GATHERING:
        bench_link(bench, 1, false);
        bench_submit(bench, 1, false, BENCH_LIMIT);
        break;
    case READING:
        bench_submit(bench, 1, true, BENCH_LIMIT);
        break;
    case PREPARING:
        bench_submit(bench, 1, false, BENCH_LIMIT);
        break;
    case QUERYING:
        bench_named(bench, 0, MSG_ORPHAN);
        bench_submit(bench, 1, false, BENCH_LIMIT);
        break;
    case ABORTING:
        bench_submit(bench, 1, false, BENCH_LIMIT);
        bench_tick(bench, BENCH_LIMIT);
        break;
    case COMMITTED:
        bench_submit(bench, 1, false, BENCH_LIMIT);
        bench_yes(bench, 0, MSG_PREPARE);
        bench_yes(bench, 1, MSG_PREPARE);
        break;
    case ABORTED:
        bench_submit(bench, 1, false, BENCH_LIMIT);
        no = bench_record(bench, MSG_PREPARE, STATE_ABORTED);
        no.record.reason = REASON_FUNDS;
        bench_msg(bench, 0, &no);
        break;
    }
}

static enum state stand(const struct bench *bench)
{
    uint64_t epoch;
    bool active;

    if (!coord_leads(bench->coord, 0, &epoch, &active))
        return NOT_LED;
    switch (bench_phase(bench)) {
    case PHASE_GATHERING:
        return GATHERING;
    case PHASE_READING:
        return READING;
    case PHASE_PREPARING:
        return PREPARING;
    case PHASE_QUERYING:
        return QUERYING;
    case PHASE_ABORTING:
        return ABORTING;
    case PHASE_COMMITTED:
        return COMMITTED;
    case PHASE_ABORTED:
        return ABORTED;
    }
    return UNKNOWN_ID;
}

/* What the phase asks. */
static enum msg_kind question(enum state state)
{
    switch (state) {
    case QUERYING:
        return MSG_QUERY;
    case ABORTING:
        return MSG_ABORT_IF_MINE;
    case COMMITTED:
        return MSG_COMMIT;
    case ABORTED:
        return MSG_ABORT;
    case NOT_LED:
    case UNKNOWN_ID:
    case GATHERING:
    case READING:
    case PREPARING:
    case STATES:
        break;
    }
    return MSG_PREPARE;
}

/* Who says it: in ABORTED a has acknowledged already. */
static int sayer(enum state state)
{
    return state == ABORTED ? 1 : 0;
}

static const struct {
    enum answer answer;
    enum txn_state state;
    enum reason reason;
} answers[STIMULI] = {
    [SAYS_NONE] = {ANSWER_RECORD, STATE_NONE, REASON_NONE},
    [SAYS_COMMITTED] = {ANSWER_RECORD, STATE_COMMITTED, REASON_NONE},
    [BOTH_COMMITTED] = {ANSWER_RECORD, STATE_COMMITTED, REASON_NONE},
    [SAYS_ABORTED] = {ANSWER_RECORD, STATE_ABORTED, REASON_FUNDS},
    [SAYS_CONFLICT] = {ANSWER_CONFLICT, STATE_NONE, REASON_NONE},
    [SAYS_BUSY] = {ANSWER_BUSY, STATE_NONE, REASON_DRAINING},
    [SAYS_TOO_OLD] = {ANSWER_TOO_OLD, STATE_NONE, REASON_NONE},
    [SAYS_REPLACED] = {ANSWER_STORE_REPLACED, STATE_NONE, REASON_NONE},
};

static void feed_answer(struct bench *bench, enum state from, enum stimulus event)
{
    struct msg msg;

    if (event == BOTH_COMMITTED) {
        msg = bench_record(bench, question(from), STATE_COMMITTED);
        bench_msg(bench, 1 - sayer(from), &msg);
    }
    msg = bench_record(bench, question(from), answers[event].state);
    msg.record.answer = answers[event].answer;
    msg.record.reason = answers[event].reason;
    bench_msg(bench, sayer(from), &msg);
}

static void feed_vote(struct bench *bench, enum state from, enum stimulus event)
{
    struct msg msg = bench_record(bench, question(from), STATE_PREPARED);
    struct net net = {.currency = {"EUR"}, .amount = -6};

    if (event == YES_LAST || event == YES_UNBALANCED)
        bench_yes(bench, 1, question(from));
    if (event == YES_LATE)
        bench_yes(bench, 1, MSG_PREPARE);
    if (event == YES_TWICE)
        bench_yes(bench, 0, question(from));
    if (event == YES || event == YES_LAST || event == YES_TWICE || event == YES_LATE) {
        bench_yes(bench, 0, event == YES_LATE ? MSG_PREPARE : question(from));
        return;
    }
    msg.record.first = msg.tag;
    msg.record.nets = &net;
    msg.record.net_count = 1;
    if (event == YES_AHEAD)
        msg.record.timestamp = timestamp_of_ms(bench->wall_ms + CLOCK_AHEAD_MAX_MS + 1);
    if (event == YES_BY_OTHER) {
        msg.record.to = MSG_PREPARE;
        msg.record.first.epoch--;
    }
    bench_msg(bench, sayer(from), &msg);
}

static void feed_stray(struct bench *bench, enum state from, enum stimulus event)
{
    struct msg msg = bench_record(bench, question(from), STATE_COMMITTED);

    if (event == OLD_EPOCH)
        msg.tag.epoch--;
    if (event == OLD_SEQUENCE)
        msg.tag.sequence++;
    if (event == FOUND)
        msg.kind = MSG_FOUND;
    if (event == CUT_RESULT)
        msg.kind = MSG_CUT_RESULT;
    if (event == CONFUSED)
        msg.kind = MSG_COMMIT;
    if (event == CHECK_HOLDS || event == CHECK_FAILS) {
        msg.kind = MSG_CHECKED;
        msg.checked.holds = event == CHECK_HOLDS;
        msg.checked.reason = event == CHECK_HOLDS ? REASON_NONE : REASON_CHECK_FAILED;
    }
    bench_msg(bench, event == UNLISTED || msg.kind == MSG_CHECKED ? 2 : 0, &msg);
}

static void feed_stale(struct bench *bench, enum state from, enum stimulus event)
{
    struct msg msg = bench_record(bench, question(from), STATE_NONE);

    msg.kind = MSG_STALE;
    msg.stale.to = question(from);
    msg.stale.sealed_epoch = BENCH_EPOCH;
    memset(&msg.stale.sealed_guid, 0, sizeof(msg.stale.sealed_guid));
    msg.stale.sealed_guid.bytes[0] = BENCH_EPOCH;
    if (event == STALE_LOWER)
        msg.stale.sealed_epoch--;
    if (event == STALE_HIGHER)
        msg.stale.sealed_epoch++;
    if (event == STALE_GUID)
        msg.stale.sealed_guid.bytes[0]++;
    if (event == STALE_LATE) {
        msg.tag.epoch -= 2;
        msg.stale.sealed_epoch--;
    }
    bench_msg(bench, 0, &msg);
}

/* Off and on again; noted is what the seal brings about. */
static void link_again(struct bench *bench, int who)
{
    bench_link(bench, who, false);
    bench_link(bench, who, true);
    bench_sealed(bench, who);
}

static void feed_cluster(struct bench *bench, enum stimulus event)
{
    struct event ev = bench_event(bench, event == MEMBER ? EV_MEMBER : EV_AUDIT);

    switch ((int)event) {
    case LINK_LOST:
        bench_link(bench, 1, false);
        break;
    case LINK_BACK:
        link_again(bench, 1);
        break;
    case REPORT_NAMES:
        link_again(bench, 0);
        bench_named(bench, 0, MSG_REPORT_PAGE);
        break;
    case ORPHAN_NAMES:
        bench_named(bench, 0, MSG_ORPHAN);
        break;
    case SEALED_AGAIN:
        bench_sealed(bench, 0);
        break;
    case SUSPEND:
        bench_group_event(bench, EV_SUSPEND);
        break;
    case RESUME:
        bench_group_event(bench, EV_SUSPEND);
        bench_group_event(bench, EV_RESUME);
        break;
    case UNLEAD:
        bench_group_event(bench, EV_UNLEAD);
        break;
    case LEAD_AGAIN:
        bench_lead(bench, BENCH_EPOCH, BENCH_EPOCH);
        break;
    case LEAD_HIGHER:
        bench_lead(bench, BENCH_EPOCH + 1, BENCH_EPOCH + 1);
        break;
    case LEAD_LOWER:
        bench_lead(bench, BENCH_EPOCH - 1, BENCH_EPOCH - 1);
        break;
    case MEMBER:
        ev.link.party = bench->parties[0];
        bench_step(bench, &ev);
        break;
    case AUDIT:
        ev.audit.deadline_ms = 1000;
        bench_step(bench, &ev);
        break;
    default:
        CU_FAIL("an event that nothing feeds");
    }
}

static void feed(struct bench *bench, enum state from, enum stimulus event)
{
    switch ((int)event) {
    case SUBMIT:
        bench_submit(bench, 1, from == READING, BENCH_LIMIT);
        break;
    case SUBMIT_OTHER:
        bench_submit(bench, 2, false, BENCH_LIMIT);
        break;
    case OUTCOME:
        bench_outcome(bench, BENCH_LIMIT);
        break;
    case RETRY:
        bench_tick(bench, BENCH_RETRY);
        break;
    case DEADLINE:
        bench_tick(bench, BENCH_LIMIT);
        break;
    case PATIENCE:
        bench_tick(bench, 2 * BENCH_LIMIT);
        break;
    case YES:
    case YES_LAST:
    case YES_TWICE:
    case YES_UNBALANCED:
    case YES_AHEAD:
    case YES_BY_OTHER:
    case YES_LATE:
        feed_vote(bench, from, event);
        break;
    case SAYS_NONE:
    case SAYS_COMMITTED:
    case BOTH_COMMITTED:
    case SAYS_ABORTED:
    case SAYS_CONFLICT:
    case SAYS_BUSY:
    case SAYS_TOO_OLD:
    case SAYS_REPLACED:
        feed_answer(bench, from, event);
        break;
    case OLD_EPOCH:
    case OLD_SEQUENCE:
    case UNLISTED:
    case FOUND:
    case CUT_RESULT:
    case CONFUSED:
    case CHECK_HOLDS:
    case CHECK_FAILS:
        feed_stray(bench, from, event);
        break;
    case STALE_LOWER:
    case STALE_SAME:
    case STALE_HIGHER:
    case STALE_GUID:
    case STALE_LATE:
        feed_stale(bench, from, event);
        break;
    default:
        feed_cluster(bench, event);
    }
}

/* I1: an answer that cannot be, after the decision, is counted; nothing else ever is. */
static uint64_t contradictions(const struct row *row)
{
    bool committed = row->from == COMMITTED &&
                     (row->event == SAYS_ABORTED || row->event == SAYS_CONFLICT ||
                      row->event == SAYS_NONE);

    if (row->from == ABORTED && row->event == BOTH_COMMITTED)
        return 2;
    return committed || (row->from == ABORTED && row->event == SAYS_COMMITTED);
}

static void run_row(const struct row *row)
{
    struct coord_options options = bench_options();
    struct bench bench;
    enum state to;

    bench_open(&bench, &options);
    enter(&bench, row->from);
    CU_ASSERT_EQUAL(stand(&bench), row->from);
    feed(&bench, row->from, row->event);
    to = stand(&bench);
    if (to == row->to && strcmp(bench.sent, row->sent) == 0 &&
        strcmp(bench.reply, row->reply) == 0) {
        CU_PASS("as the table says");
    } else {
        printf("\n    {%s, %s, %s, \"%s\", \"%s\"},", state_names[row->from],
               event_names[row->event], state_names[to], bench.sent, bench.reply);
        CU_FAIL("another transition than the table's");
    }
    CU_ASSERT_EQUAL(coord_stats(bench.coord)->contradictions, contradictions(row));
    bench_close(&bench);
}

static void every_state_and_event_has_its_transition(void)
{
    uint8_t rows[STATES][STIMULI];

    memset(rows, 0, sizeof(rows));
    for (size_t i = 0; i < coord_table_count; i++) {
        rows[coord_table[i].from][coord_table[i].event]++;
        run_row(&coord_table[i]);
    }
    for (int state = 0; state < STATES; state++) {
        for (int event = 0; event < STIMULI; event++) {
            if (rows[state][event] != 1)
                printf("\n    %s, %s has %d rows", state_names[state], event_names[event],
                       rows[state][event]);
            CU_ASSERT_EQUAL(rows[state][event], 1);
        }
    }
}

int main(int argc, char **argv)
{
    CU_TestInfo table[] = {
        {"every_state_and_event_has_its_transition", every_state_and_event_has_its_transition},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"coord table", NULL, NULL, NULL, NULL, table},
        CU_SUITE_INFO_NULL,
    };

    return runner_main(suites, argc, argv);
}
