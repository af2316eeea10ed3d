/*
 * The participant alone: its transition table, for every state and event.
 *
 * Each row puts a fresh participant into a state, feeds one event, and compares what is held, what
 * was recorded and done, and what was said; then the journal is replayed, and must make the same. A
 * pair without a row, or with two, fails.
 */
#include "part_table.h"
#include "support/runner.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const state_names[STATES] = {
    "UNSEALED", "NOTHING", "PREPARED", "COMMITTED", "ABORTED", "ENDED_COMMITTED", "ENDED_ABORTED"};
static const char *const event_names[STIMULI] = {
#define X(name) #name,
    EVENTS(X)
#undef X
};

static void end(struct bench *bench)
{
    struct msg msg = bench_msg(bench, MSG_END, 0);

    msg.end.watermark = 9;
    bench_feed(bench, &msg);
}

static void enter(struct bench *bench, enum state state)
{
    if (state == UNSEALED)
        return;
    bench_seal(bench, BENCH_EPOCH, BENCH_EPOCH);
    if (state == NOTHING)
        return;
    bench_say(bench, MSG_PREPARE, 1);
    if (state == COMMITTED || state == ENDED_COMMITTED)
        bench_say(bench, MSG_COMMIT, 1);
    if (state == ABORTED || state == ENDED_ABORTED)
        bench_say(bench, MSG_ABORT, 1);
    if (state == ENDED_COMMITTED || state == ENDED_ABORTED)
        end(bench);
}

static enum state stand(const struct bench *bench)
{
    struct guid guid;
    uint64_t epoch;

    switch (bench_state(bench)) {
    case STATE_PREPARED:
        return PREPARED;
    case STATE_COMMITTED:
        return COMMITTED;
    case STATE_ABORTED:
        return ABORTED;
    case STATE_NONE:
        break;
    }
    if (bench->stored.state == STATE_COMMITTED && id_equal(&bench->stored.id, &bench->id))
        return ENDED_COMMITTED;
    if (bench->stored.state == STATE_ABORTED && id_equal(&bench->stored.id, &bench->id))
        return ENDED_ABORTED;
    part_seal_get(bench->part, 0, &epoch, &guid);
    return epoch == 0 ? UNSEALED : NOTHING;
}

static void raise_oldest(struct bench *bench)
{
    struct event ev = bench_event(bench, EV_OLDEST);

    ev.oldest.id = bench->id;
    ev.oldest.id.bytes[15]++;
    bench_step(bench, &ev);
}

static void admit(struct bench *bench, enum reason reason)
{
    struct event ev = bench_event(bench, EV_ADMIT);

    ev.admit.reason = reason;
    bench_step(bench, &ev);
}

static void feed_prepare(struct bench *bench, enum stimulus event)
{
    struct msg msg = bench_msg(bench, MSG_PREPARE, event == PREPARE_LATER ? 2 : 1);
    struct party parties[2] = {bench->parties[0], bench->parties[1]};

    msg.prepare.parties = parties;
    if (event == PREPARE_NO)
        bench->reserve = REASON_FUNDS;
    if (event == PREPARE_BUSY)
        bench->reserve = REASON_LIMIT;
    if (event == PREPARE_OTHER)
        msg.digest.bytes[0]++;
    if (event == PREPARE_STORES)
        parties[1].store.bytes[0]++;
    if (event == PREPARE_UNLISTED)
        parties[0].store.bytes[0] += 9;
    if (event == PREPARE_ALONE || event == PREPARE_ALONE_UNBALANCED)
        msg.prepare.party_count = 1;
    if (event == PREPARE_ALONE)
        bench->amount = 0;
    if (event == PREPARE_3PC)
        msg.prepare.protocol = PROTOCOL_3PC;
    if (event == PREPARE_OLD)
        raise_oldest(bench);
    if (event == PREPARE_DRAINING)
        admit(bench, REASON_DRAINING);
    bench_feed(bench, &msg);
}

static void feed_end(struct bench *bench, enum stimulus event)
{
    static const uint64_t exceptions[] = {1, 2};
    struct msg msg = bench_msg(bench, MSG_END, 0);

    msg.end.watermark = event == END_BELOW ? 0 : 9;
    msg.end.exceptions = exceptions;
    msg.end.exception_count = event == END_EXCEPT ? 2 : 0;
    bench_feed(bench, &msg);
}

static void feed_cut(struct bench *bench, enum stimulus event)
{
    struct msg msg = bench_msg(bench, MSG_CUT, 0);
    uint64_t wall_ms = bench->wall_ms;

    msg.cut.number = 3;
    msg.cut.wait_ms = 500;
    msg.cut.timestamp = timestamp_of_ms(event == CUT          ? wall_ms + 1000
                                        : event == CUT_BEYOND ? wall_ms + CLOCK_AHEAD_MAX_MS + 1
                                                              : 0);
    bench_feed(bench, &msg);
}

/* What a leader's Commit, Abort or Query may be, on a right or a wrong way. */
static void feed_decision(struct bench *bench, enum stimulus event)
{
    static const struct {
        enum msg_kind kind;
        uint64_t sequence;
    } msgs[STIMULI] = {
        [CHECK] = {MSG_CHECK, 3},
        [CHECK_FAILS] = {MSG_CHECK, 3},
        [COMMIT] = {MSG_COMMIT, 1},
        [COMMIT_OTHER] = {MSG_COMMIT, 1},
        [ABORT] = {MSG_ABORT, 1},
        [ABORT_OTHER] = {MSG_ABORT, 1},
        [ABORT_OLD] = {MSG_ABORT, 1},
        [ABORT_IF_MINE] = {MSG_ABORT_IF_MINE, 1},
        [ABORT_IF_OTHERS] = {MSG_ABORT_IF_MINE, 2},
        [QUERY] = {MSG_QUERY, 2},
        [QUERY_OTHER] = {MSG_QUERY, 2},
        [FIND] = {MSG_FIND, 4},
        [REPORT] = {MSG_REPORT, 0},
        [STALE_EPOCH] = {MSG_COMMIT, 1},
        [STALE_PEER] = {MSG_COMMIT, 1},
        [CONFUSED] = {MSG_RECORD, 1},
        [OTHER_GROUP] = {MSG_COMMIT, 1},
    };
    struct msg msg = bench_msg(bench, msgs[event].kind, msgs[event].sequence);

    if (event == COMMIT_OTHER || event == ABORT_OTHER || event == QUERY_OTHER)
        msg.digest.bytes[0]++;
    if (event == CHECK_FAILS)
        bench->check = REASON_CHECK_FAILED;
    if (event == ABORT_OLD)
        raise_oldest(bench);
    if (event == STALE_EPOCH)
        msg.tag.epoch--;
    if (event == STALE_PEER)
        msg.peer++;
    if (event == OTHER_GROUP)
        msg.group++;
    bench_feed(bench, &msg);
}

static void feed_node(struct bench *bench, enum stimulus event)
{
    struct event ev = bench_event(bench, EV_LINK_DOWN);

    if (event == TICK) {
        bench_tick(bench, BENCH_ORPHAN);
    } else if (event == LINK_DOWN) {
        ev.link.peer = BENCH_PEER;
        bench_step(bench, &ev);
    } else if (event == ADMIT) {
        admit(bench, REASON_STORAGE_FULL);
    } else {
        raise_oldest(bench);
    }
}

static void feed(struct bench *bench, enum stimulus event)
{
    if (event == SEAL_AGAIN)
        bench_seal(bench, BENCH_EPOCH, BENCH_EPOCH);
    else if (event == SEAL_HIGHER)
        bench_seal(bench, BENCH_EPOCH + 1, 1);
    else if (event == SEAL_LOWER)
        bench_seal(bench, BENCH_EPOCH - 1, 1);
    else if (event == SEAL_OTHER_GUID)
        bench_seal(bench, BENCH_EPOCH, BENCH_EPOCH + 1);
    else if (event >= PREPARE && event <= PREPARE_DRAINING)
        feed_prepare(bench, event);
    else if (event >= END && event <= END_BELOW)
        feed_end(bench, event);
    else if (event >= CUT && event <= CUT_BEYOND)
        feed_cut(bench, event);
    else if (event >= TICK)
        feed_node(bench, event);
    else
        feed_decision(bench, event);
}

static void compare_views(const struct part_view *a, const struct part_view *b)
{
    CU_ASSERT_TRUE(digest_equal(&a->digest, &b->digest));
    CU_ASSERT_EQUAL(a->state, b->state);
    CU_ASSERT_EQUAL(a->protocol, b->protocol);
    CU_ASSERT_EQUAL(a->reason, b->reason);
    CU_ASSERT_EQUAL(a->group, b->group);
    CU_ASSERT_TRUE(tag_equal(a->first, b->first));
    /* What touched a PREPARED one is not recorded; its decision will be. */
    CU_ASSERT_TRUE(a->state == STATE_PREPARED || tag_equal(a->last, b->last));
    CU_ASSERT_EQUAL(a->prepare_timestamp, b->prepare_timestamp);
    CU_ASSERT_EQUAL(a->commit_timestamp, b->commit_timestamp);
    CU_ASSERT_EQUAL(a->hold, b->hold);
    CU_ASSERT_EQUAL_FATAL(a->party_count, b->party_count);
    for (uint16_t i = 0; i < a->party_count; i++)
        CU_ASSERT_TRUE(party_equal(&a->parties[i], &b->parties[i]));
    CU_ASSERT_EQUAL_FATAL(a->net_count, b->net_count);
    for (uint16_t i = 0; i < a->net_count; i++) {
        CU_ASSERT_TRUE(currency_equal(&a->nets[i].currency, &b->nets[i].currency));
        CU_ASSERT_EQUAL(a->nets[i].amount, b->nets[i].amount);
    }
}

/* The journal makes the same record, clock and seal; only since when it is held is not in it. */
static void compare_replayed(const struct bench *bench, enum stimulus event)
{
    struct part *again = bench_replay(bench);
    struct part_view view, view_again;
    struct guid guid, guid_again;
    uint64_t epoch, epoch_again;
    bool held = part_find(bench->part, &bench->id, &view);

    CU_ASSERT_EQUAL(part_find(again, &bench->id, &view_again), held);
    if (held) {
        compare_views(&view, &view_again);
    }
    part_seal_get(bench->part, 0, &epoch, &guid);
    part_seal_get(again, 0, &epoch_again, &guid_again);
    CU_ASSERT_EQUAL(epoch, epoch_again);
    CU_ASSERT_TRUE(guid_equal(&guid, &guid_again));
    if (event != PREPARE_ALONE_UNBALANCED) /* took a time, but told it nobody */
        CU_ASSERT_EQUAL(part_clock(bench->part), part_clock(again));
    free(again);
}

/* I1: a Commit that meets no YES, or an ABORTED, is counted; nothing else ever is. */
static bool contradicts(const struct row *row)
{
    bool nothing = row->from == NOTHING;
    bool aborted = row->from == ABORTED || row->from == ENDED_ABORTED;

    return (row->event == COMMIT && (nothing || aborted)) ||
           (row->event == COMMIT_OTHER && nothing);
}

static void run_row(const struct row *row)
{
    struct bench bench;
    enum state to;

    bench_open(&bench, 16);
    enter(&bench, row->from);
    CU_ASSERT_EQUAL(stand(&bench), row->from);
    feed(&bench, row->event);
    to = stand(&bench);
    if (to == row->to && strcmp(bench.done, row->done) == 0 && strcmp(bench.said, row->said) == 0) {
        CU_PASS("as the table says");
    } else {
        printf("\n    {%s, %s, %s, \"%s\", \"%s\"},", state_names[row->from],
               event_names[row->event], state_names[to], bench.done, bench.said);
        CU_FAIL("another transition than the table's");
    }
    CU_ASSERT_EQUAL(part_stats(bench.part)->contradictions, contradicts(row));
    compare_replayed(&bench, row->event);
    bench_close(&bench);
}

static void every_state_and_event_has_its_transition(void)
{
    uint8_t rows[STATES][STIMULI];

    memset(rows, 0, sizeof(rows));
    for (size_t i = 0; i < part_table_count; i++) {
        rows[part_table[i].from][part_table[i].event]++;
        run_row(&part_table[i]);
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
        {"part table", NULL, NULL, NULL, NULL, table},
        CU_SUITE_INFO_NULL,
    };

    return runner_main(suites, argc, argv);
}
