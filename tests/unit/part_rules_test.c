/*
 * The participant's rules, each where it bites, as far as the transition table cannot show them;
 * the clock and the cuts (C1 to C7 of part_cut.c); and what a journal must not say.
 */
#include "base/err.h"
#include "part_bench.h"
#include "support/runner.h"

#include <stdlib.h>

#define DONE(bench, text) CU_ASSERT_STRING_EQUAL((bench)->done, text)
#define SAID(bench, text) CU_ASSERT_STRING_EQUAL((bench)->said, text)

static struct bench *sealed(uint32_t txn_max)
{
    static struct bench bench;

    bench_open(&bench, txn_max);
    bench_seal(&bench, BENCH_EPOCH, BENCH_EPOCH);
    return &bench;
}

static void a_repeated_vote_waits_for_the_force_like_the_first(void) /* R1, S11 */
{
    struct bench *bench = sealed(16);
    uint64_t voted;

    bench_say(bench, MSG_PREPARE, 1);
    voted = bench_last(bench)->depends;
    bench_say(bench, MSG_PREPARE, 1);
    SAID(bench, "YES");
    CU_ASSERT_EQUAL(bench_last(bench)->depends, voted); /* nothing was forced in between */
    CU_ASSERT(voted > 0);
    bench_close(bench);
}

static void a_repeated_vote_keeps_its_timestamp_and_nets(void) /* R3, C2, S24 */
{
    struct bench *bench = sealed(16);
    uint64_t timestamp;

    bench_say(bench, MSG_PREPARE, 1);
    timestamp = bench_last(bench)->record.timestamp;
    CU_ASSERT_EQUAL(bench_last(bench)->record.first.sequence, 1);
    bench->wall_ms += 1000;
    bench->amount = 99;
    bench_say(bench, MSG_PREPARE, 2);
    CU_ASSERT_EQUAL(bench_last(bench)->record.timestamp, timestamp);
    CU_ASSERT_EQUAL(bench_last(bench)->record.first.sequence, 1);
    CU_ASSERT_EQUAL(bench_last(bench)->record.nets[0].amount, 5);
    bench_close(bench);
}

static void abort_if_mine_looks_at_who_prepared_first(void) /* R6, S1 */
{
    struct bench *bench = sealed(16);
    struct msg msg;

    bench_say(bench, MSG_PREPARE, 1);
    bench_say(bench, MSG_PREPARE, 2); /* touches, but did not prepare */
    bench_say(bench, MSG_ABORT_IF_MINE, 2);
    DONE(bench, "");
    SAID(bench, "YES");
    bench_seal(bench, BENCH_EPOCH + 1, 1);
    msg = bench_msg(bench, MSG_ABORT_IF_MINE, 1);
    msg.tag.epoch = BENCH_EPOCH + 1; /* the same sequence of a later leader */
    bench_feed(bench, &msg);
    SAID(bench, "YES");
    bench_close(bench);
}

static void a_leader_that_lost_its_seal_is_refused_and_counted(void) /* R2 */
{
    struct bench *bench = sealed(16);

    bench_seal(bench, BENCH_EPOCH + 1, 1);
    bench_say(bench, MSG_PREPARE, 1);
    SAID(bench, "stale");
    CU_ASSERT_EQUAL(bench_last(bench)->stale.sealed_epoch, BENCH_EPOCH + 1);
    CU_ASSERT_EQUAL(bench_last(bench)->stale.to, MSG_PREPARE);
    CU_ASSERT_EQUAL(part_stats(bench->part)->stale_refused, 1);
    bench_close(bench);
}

static void a_restart_remembers_the_seal_but_not_the_connection(void) /* R2, I6 */
{
    struct bench *bench = sealed(16);
    struct part *old = bench->part;

    bench_say(bench, MSG_PREPARE, 1);
    bench->part = bench_replay(bench);
    free(old);
    bench_say(bench, MSG_COMMIT, 1); /* nobody has sealed since the start */
    SAID(bench, "stale");
    bench_seal(bench, BENCH_EPOCH, BENCH_EPOCH);
    DONE(bench, ""); /* it is durable already */
    bench_say(bench, MSG_COMMIT, 1);
    DONE(bench, "Cp");
    bench_close(bench);
}

static void end(struct bench *bench, uint64_t epoch, uint64_t watermark)
{
    struct msg msg = bench_msg(bench, MSG_END, 0);

    msg.tag.epoch = epoch;
    msg.end.watermark = watermark;
    bench_feed(bench, &msg);
}

static void an_end_covers_only_its_own_epochs_records(void) /* R9, S13 */
{
    struct bench *bench = sealed(16);
    struct msg msg;

    bench_say(bench, MSG_PREPARE, 1);
    bench_say(bench, MSG_COMMIT, 1);
    bench_seal(bench, BENCH_EPOCH + 1, 1);
    end(bench, BENCH_EPOCH + 1, 9); /* says nothing of (7, 1) */
    DONE(bench, "");
    msg = bench_msg(bench, MSG_COMMIT, 4);
    msg.tag.epoch = BENCH_EPOCH + 1; /* its next leader asked, and commits */
    bench_feed(bench, &msg);
    SAID(bench, "COMMITTED");
    end(bench, BENCH_EPOCH + 1, 3);
    DONE(bench, "");
    end(bench, BENCH_EPOCH + 1, 4);
    DONE(bench, "E");
    bench_close(bench);
}

static void an_end_never_frees_what_is_prepared(void) /* R9 */
{
    struct bench *bench = sealed(16);

    bench_say(bench, MSG_PREPARE, 1);
    end(bench, BENCH_EPOCH, 9);
    CU_ASSERT_EQUAL(bench_state(bench), STATE_PREPARED);
    bench_close(bench);
}

static void oldest_id_never_falls(void) /* R10 */
{
    struct bench *bench = sealed(16);
    struct event ev = bench_event(bench, EV_OLDEST);

    ev.oldest.id = bench->id;
    ev.oldest.id.bytes[15]++;
    bench_step(bench, &ev);
    memset(&ev.oldest.id, 0, sizeof(ev.oldest.id));
    bench_step(bench, &ev);
    bench_say(bench, MSG_PREPARE, 1);
    SAID(bench, "TOO_OLD");
    bench_close(bench);
}

static void an_orphan_is_named_again_after_a_while(void) /* R15 */
{
    struct bench *bench = sealed(16);

    bench_say(bench, MSG_PREPARE, 1);
    bench_tick(bench, BENCH_ORPHAN - 1);
    SAID(bench, "");
    bench_tick(bench, 1);
    SAID(bench, "orphan");
    CU_ASSERT_EQUAL(bench_last(bench)->report_page.named[0].party_count, 2);
    bench_tick(bench, 1);
    SAID(bench, "");
    bench_tick(bench, BENCH_ORPHAN);
    SAID(bench, "orphan");
    bench_close(bench);
}

static void more_than_txn_max_is_busy_and_promises_nothing(void) /* I10 */
{
    struct bench *bench = sealed(2);

    for (uint8_t i = 0; i < 2; i++) {
        bench_use(bench, i);
        bench_say(bench, MSG_PREPARE, (uint64_t)i + 1);
    }
    bench_use(bench, 2);
    bench_say(bench, MSG_PREPARE, 3);
    DONE(bench, "");
    SAID(bench, "BUSY BUSY");
    bench_say(bench, MSG_ABORT, 3); /* needs no room */
    SAID(bench, "ABORTED DEADLINE");
    bench_use(bench, 0);
    bench_say(bench, MSG_COMMIT, 1);
    end(bench, BENCH_EPOCH, 1);
    bench_use(bench, 3);
    bench_say(bench, MSG_PREPARE, 4);
    SAID(bench, "YES");
    bench_close(bench);
}

static void reports_come_in_pages(void) /* R8 */
{
    struct bench *bench = sealed(REPORT_PAGE_MAX + 8);
    struct msg msg = bench_msg(bench, MSG_REPORT, 0);
    uint64_t hash;

    for (uint8_t i = 0; i < REPORT_PAGE_MAX + 3; i++) {
        bench_use(bench, i);
        bench_say(bench, MSG_PREPARE, (uint64_t)i + 1);
    }
    bench_feed(bench, &msg);
    SAID(bench, "page of 64");
    CU_ASSERT_EQUAL(bench_last(bench)->report_page.next, REPORT_PAGE_MAX);
    hash = bench_last(bench)->report_page.hash;
    msg.report.cursor = REPORT_PAGE_MAX;
    msg.report.count = REPORT_PAGE_MAX;
    msg.report.hash = hash;
    bench_feed(bench, &msg);
    SAID(bench, "page of 3");
    CU_ASSERT_EQUAL(bench_last(bench)->report_page.next, 0);
    CU_ASSERT_EQUAL(bench_last(bench)->report_page.count, REPORT_PAGE_MAX + 3);
    for (uint16_t i = 0; i < 3; i++)
        hash = report_hash(hash, &bench_last(bench)->report_page.named[i].id,
                           &bench_last(bench)->report_page.named[i].digest);
    CU_ASSERT_EQUAL(bench_last(bench)->report_page.hash, hash);
    bench_close(bench);
}

/* A cut of number 3, `ahead_ms` of the wall clock; waits 500 ms for what is undecided. */
static uint64_t cut(struct bench *bench, uint64_t number, uint64_t ahead_ms)
{
    struct msg msg = bench_msg(bench, MSG_CUT, 0);

    msg.cut.number = number;
    msg.cut.wait_ms = 500;
    msg.cut.timestamp = timestamp_of_ms(bench->wall_ms + ahead_ms);
    bench_feed(bench, &msg);
    return msg.cut.timestamp;
}

static void commit_at(struct bench *bench, uint64_t timestamp)
{
    struct msg msg = bench_msg(bench, MSG_COMMIT, 1);

    msg.commit.timestamp = timestamp;
    bench_feed(bench, &msg);
}

static void a_cut_forces_the_clock_before_it_reports(void) /* C1, S23 */
{
    struct bench *bench = sealed(16);
    uint64_t at = cut(bench, 3, 100);
    struct part *again;

    DONE(bench, "Kt");
    SAID(bench, "cut REPORTED");
    CU_ASSERT_EQUAL(bench_last(bench)->depends, bench->batch.log_tail);
    again = bench_replay(bench);
    CU_ASSERT_EQUAL(part_clock(again), at);
    free(again);
    bench_say(bench, MSG_PREPARE, 1);
    CU_ASSERT(bench_last(bench)->record.timestamp > at);
    bench_close(bench);
}

static void a_cut_waits_for_what_is_prepared_and_counts_it(void) /* C3, C4 */
{
    struct bench *bench = sealed(16);
    uint64_t at;

    bench_say(bench, MSG_PREPARE, 1);
    at = cut(bench, 3, 100);
    SAID(bench, "");
    commit_at(bench, at);
    SAID(bench, "cut REPORTED, COMMITTED");
    CU_ASSERT_EQUAL(bench->batch.msgs[bench->batch.msg_count - 2].cut_result.totals[0].amount, 45);
    bench_close(bench);
}

static void a_commit_after_the_cut_is_not_in_it(void) /* C4, C5 */
{
    struct bench *bench = sealed(16);
    uint64_t at;

    bench_say(bench, MSG_PREPARE, 1);
    at = cut(bench, 3, 100);
    commit_at(bench, at + 1);
    SAID(bench, "cut REPORTED, COMMITTED");
    CU_ASSERT_EQUAL(bench->batch.msgs[bench->batch.msg_count - 2].cut_result.totals[0].amount, 40);
    CU_ASSERT_EQUAL(part_clock(bench->part), at + 1);
    cut(bench, 4, 100); /* C6: effects after it are in the totals already */
    SAID(bench, "cut TOO_LATE");
    CU_ASSERT_EQUAL(bench_last(bench)->cut_result.timestamp, at + 1);
    bench_close(bench);
}

static void an_abort_ends_a_cuts_wait(void) /* C3 */
{
    struct bench *bench = sealed(16);

    bench_say(bench, MSG_PREPARE, 1);
    cut(bench, 3, 100);
    bench_say(bench, MSG_ABORT, 1);
    SAID(bench, "cut REPORTED, ABORTED DEADLINE");
    CU_ASSERT_EQUAL(bench->batch.msgs[bench->batch.msg_count - 2].cut_result.totals[0].amount, 40);
    bench_close(bench);
}

static void a_cut_names_what_it_could_not_wait_for(void) /* C3 */
{
    struct bench *bench = sealed(16);

    bench_say(bench, MSG_PREPARE, 1);
    cut(bench, 3, 100);
    bench_tick(bench, 499);
    SAID(bench, "");
    bench_tick(bench, 1);
    SAID(bench, "cut REPORTED");
    CU_ASSERT_EQUAL(bench_last(bench)->cut_result.doubt_count, 1);
    CU_ASSERT_TRUE(id_equal(&bench_last(bench)->cut_result.doubts[0].id, &bench->id));
    CU_ASSERT_EQUAL(bench_last(bench)->cut_result.doubts[0].nets[0].amount, 5);
    CU_ASSERT_EQUAL(bench_last(bench)->cut_result.totals[0].amount, 40);
    bench_close(bench);
}

static void cuts_are_bounded_and_end_with_their_connection(void) /* I10 */
{
    struct bench *bench = sealed(16);
    struct event ev = bench_event(bench, EV_LINK_DOWN);

    bench_say(bench, MSG_PREPARE, 1);
    for (uint64_t i = 0; i < CUTS_MAX; i++) {
        cut(bench, i, 100 + i);
        SAID(bench, "");
    }
    cut(bench, 0, 100);
    SAID(bench, ""); /* a repeat: its answer is under way */
    cut(bench, 9, 200);
    SAID(bench, "cut BUSY");
    ev.link.peer = BENCH_PEER;
    bench_step(bench, &ev);
    cut(bench, 10, 201);
    DONE(bench, "Kt");
    bench_close(bench);
}

/* Ids 0 to `count` - 1 are committed, under sequences 1 to `count`. */
static void commit_many(struct bench *bench, uint8_t count)
{
    for (uint8_t i = 0; i < count; i++) {
        bench_use(bench, i);
        bench_say(bench, MSG_PREPARE, (uint64_t)i + 1);
        bench_say(bench, MSG_COMMIT, (uint64_t)i + 1);
    }
}

static void an_end_frees_all_but_its_exceptions(void) /* R9 */
{
    static const uint64_t exceptions[] = {2, 4};
    struct bench *bench = sealed(16);
    struct msg msg = bench_msg(bench, MSG_END, 0);

    commit_many(bench, 6);
    msg.end.watermark = 5;
    msg.end.exceptions = exceptions;
    msg.end.exception_count = 2;
    bench_feed(bench, &msg);
    for (uint8_t i = 0; i < 6; i++) {
        bench_use(bench, i);
        CU_ASSERT_EQUAL(bench_state(bench) == STATE_COMMITTED, i == 1 || i == 3 || i == 5);
    }
    CU_ASSERT_EQUAL(part_stats(bench->part)->unresolved_now, 3);
    bench_use(bench, 1); /* the first of the list is touched, and goes to its end */
    bench_say(bench, MSG_COMMIT, 7);
    msg.end.watermark = 6;
    msg.end.exception_count = 0;
    bench_feed(bench, &msg);
    CU_ASSERT_EQUAL(part_stats(bench->part)->unresolved_now, 1);
    msg.end.watermark = 7;
    bench_feed(bench, &msg);
    CU_ASSERT_EQUAL(part_stats(bench->part)->unresolved_now, 0);
    CU_ASSERT_EQUAL(part_stats(bench->part)->ended, 6);
    bench_close(bench);
}

static void what_was_decided_alone_is_ended_like_any_other(void) /* R13, R9 */
{
    struct bench *bench = sealed(16);
    struct msg msg = bench_msg(bench, MSG_PREPARE, 1);

    bench->amount = 0;
    msg.prepare.party_count = 1;
    bench_feed(bench, &msg);
    DONE(bench, "rCp");
    end(bench, BENCH_EPOCH, 1);
    DONE(bench, "E");
    bench_close(bench);
}

static void a_view_shows_the_record(void)
{
    struct bench *bench = sealed(16);
    struct part_view view;
    uint32_t cursor = 0;

    bench_say(bench, MSG_PREPARE, 1);
    CU_ASSERT_TRUE_FATAL(part_next(bench->part, &cursor, &view));
    CU_ASSERT_TRUE(id_equal(&view.id, &bench->id));
    CU_ASSERT_TRUE(digest_equal(&view.digest, &bench->digest));
    CU_ASSERT_EQUAL(view.state, STATE_PREPARED);
    CU_ASSERT_EQUAL(view.since_ms, bench->now_ms);
    CU_ASSERT_EQUAL(view.hold, 77);
    CU_ASSERT_EQUAL(view.party_count, 2);
    CU_ASSERT_TRUE(party_equal(&view.parties[1], &bench->parties[1]));
    CU_ASSERT_EQUAL(view.net_count, 1);
    CU_ASSERT_FALSE(part_next(bench->part, &cursor, &view));
    bench_say(bench, MSG_COMMIT, 1);
    CU_ASSERT_TRUE_FATAL(part_find(bench->part, &bench->id, &view));
    CU_ASSERT_EQUAL(view.commit_timestamp, timestamp_of_ms(bench->wall_ms) + 9);
    CU_ASSERT_EQUAL(view.hold, SLOT_NONE);
    bench_close(bench);
}

static void a_failed_check_says_why(void) /* R12 */
{
    struct bench *bench = sealed(16);

    bench->check = REASON_CHECK_FAILED;
    bench_say(bench, MSG_CHECK, 1);
    CU_ASSERT_EQUAL(bench_last(bench)->checked.reason, REASON_CHECK_FAILED);
    bench_close(bench);
}

static void a_checkpoint_restores_clock_and_seal(void)
{
    struct bench *bench = sealed(16);
    struct guid guid = {{9}};
    uint64_t epoch;

    part_restore_clock(bench->part, timestamp_of_ms(bench->wall_ms + 50));
    part_restore_clock(bench->part, 3); /* never falls */
    bench_say(bench, MSG_PREPARE, 1);
    CU_ASSERT_EQUAL(bench_last(bench)->record.timestamp, timestamp_of_ms(bench->wall_ms + 50) + 1);
    part_restore_seal(bench->part, 0, BENCH_EPOCH + 5, &guid);
    part_restore_seal(bench->part, 0, BENCH_EPOCH, &guid);
    part_seal_get(bench->part, 0, &epoch, &guid);
    CU_ASSERT_EQUAL(epoch, BENCH_EPOCH + 5);
    bench_close(bench);
}

static void a_cut_waits_for_nothing_prepared_after_it(void) /* C3 */
{
    struct bench *bench = sealed(16);

    bench_say(bench, MSG_PREPARE, 1);
    cut(bench, 3, 100);
    bench_use(bench, 1);
    bench_say(bench, MSG_PREPARE, 2);
    bench_say(bench, MSG_COMMIT, 2);
    SAID(bench, "COMMITTED");
    bench_use(bench, 0);
    bench_say(bench, MSG_ABORT, 1);
    SAID(bench, "cut REPORTED, ABORTED DEADLINE");
    for (uint64_t i = 0; i < 2 * CUTS_MAX; i++) { /* and each gives its place back */
        cut(bench, 10 + i, 300 + i);
        SAID(bench, "cut REPORTED");
    }
    bench_close(bench);
}

static void a_checkpoint_carries_what_is_unresolved(void)
{
    struct bench *bench = sealed(16);
    struct part *again = bench_replay(bench); /* before: only the seal */
    struct part_view view;
    struct err err;
    uint32_t hold;

    bench_say(bench, MSG_PREPARE, 1);
    bench_say(bench, MSG_PREPARE, 2);
    part_carry(bench->part, 0, &bench->batch);
    CU_ASSERT_EQUAL(
        part_replay(again, &bench->batch.records[bench->batch.record_count - 1], 77, &hold, &err),
        0);
    CU_ASSERT_TRUE_FATAL(part_find(again, &bench->id, &view));
    CU_ASSERT_EQUAL(view.state, STATE_PREPARED);
    CU_ASSERT_EQUAL(view.hold, 77);
    CU_ASSERT_EQUAL(view.first.sequence, 1);
    CU_ASSERT_EQUAL(view.last.sequence, 2);
    CU_ASSERT_EQUAL(view.nets[0].amount, 5);
    CU_ASSERT_EQUAL(part_clock(again), part_clock(bench->part));
    free(again);
    again = bench_replay(bench); /* and over its original it changes nothing */
    CU_ASSERT_TRUE(part_find(again, &bench->id, &view));
    CU_ASSERT_EQUAL(part_stats(again)->prepared_now, 1);
    free(again);
    bench_close(bench);
}

static void a_journal_that_contradicts_itself_stops_the_node(void) /* I11 */
{
    struct bench *bench = sealed(16);
    struct record record = {.kind = RECORD_COMMITTED, .position = 9, .party_count = 2};
    struct err err;
    uint32_t hold;

    record.id = bench->id;
    CU_ASSERT_EQUAL(part_replay(bench->part, &record, 1, &hold, &err), ERR_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "committed without being prepared"));
    bench_say(bench, MSG_PREPARE, 1);
    record = bench->batch.records[bench->batch.record_count - 1];
    CU_ASSERT_EQUAL(part_replay(bench->part, &record, 1, &hold, &err), ERR_CORRUPT);
    record.kind = RECORD_COMMITTED;
    record.digest.bytes[0]++;
    CU_ASSERT_EQUAL(part_replay(bench->part, &record, 1, &hold, &err), ERR_CORRUPT);
    record.kind = RECORD_ABORTED;
    CU_ASSERT_EQUAL(part_replay(bench->part, &record, 1, &hold, &err), ERR_CORRUPT);
    record.group = 1;
    CU_ASSERT_EQUAL(part_replay(bench->part, &record, 1, &hold, &err), ERR_CORRUPT);
    bench_close(bench);
}

int main(int argc, char **argv)
{
#define TEST(name) {#name, name}
    CU_TestInfo tests[] = {
        TEST(a_repeated_vote_waits_for_the_force_like_the_first),
        TEST(a_repeated_vote_keeps_its_timestamp_and_nets),
        TEST(abort_if_mine_looks_at_who_prepared_first),
        TEST(a_leader_that_lost_its_seal_is_refused_and_counted),
        TEST(a_restart_remembers_the_seal_but_not_the_connection),
        TEST(an_end_covers_only_its_own_epochs_records),
        TEST(an_end_never_frees_what_is_prepared),
        TEST(oldest_id_never_falls),
        TEST(an_orphan_is_named_again_after_a_while),
        TEST(more_than_txn_max_is_busy_and_promises_nothing),
        TEST(reports_come_in_pages),
        TEST(a_cut_forces_the_clock_before_it_reports),
        TEST(a_cut_waits_for_what_is_prepared_and_counts_it),
        TEST(a_commit_after_the_cut_is_not_in_it),
        TEST(an_abort_ends_a_cuts_wait),
        TEST(a_cut_names_what_it_could_not_wait_for),
        TEST(cuts_are_bounded_and_end_with_their_connection),
        TEST(an_end_frees_all_but_its_exceptions),
        TEST(what_was_decided_alone_is_ended_like_any_other),
        TEST(a_view_shows_the_record),
        TEST(a_failed_check_says_why),
        TEST(a_checkpoint_restores_clock_and_seal),
        TEST(a_cut_waits_for_nothing_prepared_after_it),
        TEST(a_checkpoint_carries_what_is_unresolved),
        TEST(a_journal_that_contradicts_itself_stops_the_node),
        CU_TEST_INFO_NULL,
    };
#undef TEST
    CU_SuiteInfo suites[] = {
        {"part rules", NULL, NULL, NULL, NULL, tests},
        CU_SUITE_INFO_NULL,
    };

    return runner_main(suites, argc, argv);
}
