/*
 * The coordinator's rules, each where it bites: R1 to R16 of DESIGN section 2 as far as the
 * transition table cannot show them. S1, S2, ... are the schedules that broke earlier drafts.
 */
#include "coord_bench.h"
#include "support/runner.h"

static void a_commit_carries_the_largest_prepare_timestamp(void) /* R4 */
{
    struct bench *bench = bench_serving(NULL);
    const struct msg *sent;

    bench_submit(bench, 1, false, BENCH_LIMIT);
    bench_yes(bench, 1, MSG_PREPARE); /* at 101 */
    bench_yes(bench, 0, MSG_PREPARE); /* at 100 */
    sent = bench_first(bench, MSG_COMMIT);
    CU_ASSERT_EQUAL(sent->commit.timestamp, 101);
    CU_ASSERT_EQUAL(bench->batch.replies[0].timestamp, 101);
    CU_ASSERT_EQUAL(bench->batch.told[0].timestamp, 101);
    bench_close(bench);
}

static void nobody_is_told_aborted_before_one_is_durable(void) /* R6, R11 */
{
    struct bench *bench = bench_serving(NULL);

    bench_submit(bench, 1, false, BENCH_LIMIT);
    bench_tick(bench, BENCH_LIMIT);
    SENT(bench, "IaIb");
    REPLIED(bench, "");
    bench_answer(bench, 1, MSG_ABORT_IF_MINE, STATE_ABORTED);
    SENT(bench, "Ia");
    REPLIED(bench, "ABORTED+t");
    bench_close(bench);
}

static void abort_reaches_who_voted_under_an_earlier_leader(void) /* R5, S1 */
{
    struct bench *bench = bench_serving(NULL);
    struct msg msg;

    bench_submit(bench, 1, false, BENCH_LIMIT);
    msg = bench_record(bench, MSG_PREPARE, STATE_PREPARED); /* first: nobody we know */
    bench_msg(bench, 0, &msg);
    bench_answer(bench, 1, MSG_PREPARE, STATE_ABORTED);
    SENT(bench, "Aa");
    bench_close(bench);
}

static void votes_count_again_only_under_a_new_sequence(void) /* R7, S26 */
{
    struct bench *bench = bench_serving(NULL);
    struct tag old;
    struct msg late;

    bench_submit(bench, 1, false, BENCH_LIMIT);
    bench_yes(bench, 0, MSG_PREPARE);
    late = bench_record(bench, MSG_PREPARE, STATE_PREPARED);
    old = bench_tag(bench);
    bench_tick(bench, BENCH_LIMIT);
    bench_msg(bench, 1, &late); /* the vote that would have made it */
    CU_ASSERT_EQUAL(bench_phase(bench), PHASE_ABORTING);
    bench_yes(bench, 0, MSG_ABORT_IF_MINE); /* an earlier leader prepared both */
    bench_yes(bench, 1, MSG_ABORT_IF_MINE);
    SENT(bench, "QaQb");
    CU_ASSERT_EQUAL(bench_phase(bench), PHASE_QUERYING);
    CU_ASSERT(bench_tag(bench).sequence > old.sequence);
    bench_msg(bench, 1, &late);
    bench_yes(bench, 0, MSG_QUERY);
    CU_ASSERT_EQUAL(bench_phase(bench), PHASE_QUERYING);
    bench_yes(bench, 1, MSG_QUERY);
    SENT(bench, "CaCb");
    bench_close(bench);
}

static void a_resubmission_limits_only_its_own_wait(void) /* R7, I7, I8 */
{
    struct bench *bench = bench_serving(NULL);

    bench_submit(bench, 1, false, BENCH_LIMIT);
    bench_submit(bench, 1, false, 50);
    SENT(bench, "");
    bench_tick(bench, 50);
    REPLIED(bench, "UNKNOWN UNKNOWN_OUTCOME");
    CU_ASSERT_EQUAL(bench_phase(bench), PHASE_PREPARING);
    bench_submit(bench, 1, false, BENCH_LIMIT);
    bench_yes(bench, 0, MSG_PREPARE);
    bench_yes(bench, 1, MSG_PREPARE);
    REPLIED(bench, "COMMITTED, COMMITTED+t");
    CU_ASSERT_EQUAL(coord_stats(bench->coord)->committed, 1);
    bench_close(bench);
}

static void a_submission_joins_its_own_recovery(void) /* R7, R8 */
{
    struct bench *bench = bench_serving(NULL);

    bench_named(bench, 0, MSG_ORPHAN);
    SENT(bench, "QaQb");
    bench_submit(bench, 1, false, BENCH_LIMIT);
    SENT(bench, "");
    bench_tick(bench, BENCH_LIMIT);
    CU_ASSERT_EQUAL(bench_phase(bench), PHASE_QUERYING);
    bench_outcome(bench, BENCH_LIMIT);
    bench_yes(bench, 0, MSG_QUERY);
    bench_yes(bench, 1, MSG_QUERY);
    REPLIED(bench, "COMMITTED+t");
    bench_close(bench);
}

static void nothing_is_prepared_before_the_seal(void) /* R2, R8 */
{
    struct coord_options options = bench_options();
    struct bench bench;

    bench_open(&bench, &options);
    bench_lead(&bench, BENCH_EPOCH, BENCH_EPOCH);
    SENT(&bench, "SaSbSc");
    bench_submit(&bench, 1, false, BENCH_LIMIT);
    SENT(&bench, "");
    bench_sealed(&bench, 0);
    SENT(&bench, "Ra");
    bench_sealed(&bench, 1); /* c has not sealed, no report was read: it does not matter */
    SENT(&bench, "RbPaPb");
    bench_tick(&bench, BENCH_RETRY);
    SENT(&bench, "RaRbScPaPb");
    bench_close(&bench);
}

static void a_report_only_names(void) /* R8, S2, S3 */
{
    struct bench *bench = bench_serving(NULL);

    bench_named(bench, 0, MSG_ORPHAN);
    bench_yes(bench, 0, MSG_QUERY);
    CU_ASSERT_EQUAL(bench_phase(bench), PHASE_QUERYING); /* b, absent from any report */
    bench_answer(bench, 1, MSG_QUERY, STATE_COMMITTED);
    SENT(bench, "CaCb"); /* b's answer to a Query is no acknowledgement (R9) */
    bench_answer(bench, 0, MSG_COMMIT, STATE_COMMITTED);
    CU_ASSERT_EQUAL(bench_phase(bench), PHASE_COMMITTED);
    bench_answer(bench, 1, MSG_COMMIT, STATE_COMMITTED);
    CU_ASSERT_EQUAL(coord_stats(bench->coord)->following_now, 0);
    bench_close(bench);
}

static void committed_is_heard_even_after_a_nothing(void) /* R8 */
{
    struct bench *bench = bench_serving(NULL);

    bench_named(bench, 0, MSG_ORPHAN);
    bench_answer(bench, 0, MSG_QUERY, STATE_NONE);
    SENT(bench, "IaIb");
    bench_answer(bench, 1, MSG_QUERY, STATE_COMMITTED); /* the late answer is a fact, not a vote */
    SENT(bench, "CaCb");
    CU_ASSERT_EQUAL(bench_phase(bench), PHASE_COMMITTED);
    bench_close(bench);
}

/* A page of `count` transactions, numbered from `from`; the hash goes on from `hash`. */
static uint64_t page(struct bench *bench, uint8_t from, uint8_t count, uint32_t before,
                     uint64_t hash, uint32_t next)
{
    static struct named_txn named[REPORT_PAGE_MAX];
    struct msg msg = {.kind = MSG_REPORT_PAGE, .tag = {.epoch = BENCH_EPOCH}};

    for (uint8_t i = 0; i < count; i++) {
        bench_use(bench, (uint8_t)(from + i));
        named[i] = (struct named_txn){bench->id, bench->digest, PROTOCOL_2PC, bench->parties, 2};
        hash = report_hash(hash, &bench->id, &bench->digest);
    }
    msg.report_page.named = named;
    msg.report_page.named_count = count;
    msg.report_page.count = before + count;
    msg.report_page.hash = hash;
    msg.report_page.next = next;
    bench_msg(bench, 0, &msg);
    return hash;
}

static void report_pages_are_read_once_and_in_order(void) /* R8 */
{
    struct coord_options options = bench_options();
    struct bench bench;
    uint64_t hash;

    bench_open(&bench, &options);
    bench_lead(&bench, BENCH_EPOCH, BENCH_EPOCH);
    bench_sealed(&bench, 0);
    hash = page(&bench, 10, 2, 0, 0, 64);
    SENT(&bench, "RaQaQa"); /* b has not sealed */
    CU_ASSERT_EQUAL(bench_first(&bench, MSG_REPORT)->report.cursor, 64);
    CU_ASSERT_EQUAL(bench_first(&bench, MSG_REPORT)->report.count, 2);
    CU_ASSERT_EQUAL(bench_first(&bench, MSG_REPORT)->report.hash, hash);
    page(&bench, 10, 2, 0, 0, 64); /* the first again */
    SENT(&bench, "");
    page(&bench, 20, 1, 2, hash ^ 1, 0); /* not what was asked for */
    SENT(&bench, "");
    CU_ASSERT_EQUAL(coord_stats(bench.coord)->recovered, 2);
    page(&bench, 20, 1, 2, hash, 0);
    SENT(&bench, "Qa");
    CU_ASSERT_EQUAL(coord_stats(bench.coord)->recovered, 3);
    bench_tick(&bench, BENCH_RETRY);
    CU_ASSERT_FALSE(bench_has(&bench, MSG_REPORT)); /* read to its end */
    bench_close(&bench);
}

static void a_page_without_room_is_asked_for_again(void) /* R8, I10 */
{
    struct coord_options options = bench_options();
    struct bench bench;

    options.txn_max = 4;
    options.in_flight_max = 4;
    bench_open(&bench, &options);
    bench_lead(&bench, BENCH_EPOCH, BENCH_EPOCH);
    bench_sealed(&bench, 0);
    page(&bench, 10, 6, 0, 0, 0);
    CU_ASSERT_EQUAL(coord_stats(bench.coord)->recovered, 4);
    bench_use(&bench, 10);
    bench_answer(&bench, 0, MSG_QUERY, STATE_ABORTED);
    bench_tick(&bench, BENCH_RETRY);
    CU_ASSERT_EQUAL(bench_first(&bench, MSG_REPORT)->report.cursor, 0);
    bench_close(&bench);
}

static void an_end_excludes_what_is_open(void) /* R9, S13, S14 */
{
    struct coord_options options = bench_options();
    struct bench *bench;
    const struct msg *end;

    options.end_ms = 10;
    bench = bench_serving(&options);
    bench_commit(bench); /* 1 */
    bench_use(bench, 1);
    bench_submit(bench, 1, false, BENCH_LIMIT); /* 2 stays open */
    bench_use(bench, 2);
    bench_commit(bench); /* 3 */
    bench_tick(bench, 10);
    end = bench_first(bench, MSG_END);
    CU_ASSERT_EQUAL(end->tag.epoch, BENCH_EPOCH);
    CU_ASSERT_EQUAL(end->end.watermark, 3);
    CU_ASSERT_EQUAL(end->end.exception_count, 1);
    CU_ASSERT_EQUAL(end->end.exceptions[0], 2);
    CU_ASSERT_EQUAL(coord_stats(bench->coord)->ended, 2);
    bench_tick(bench, 10);
    CU_ASSERT_TRUE(bench_has(bench, MSG_END)); /* again, for it may be lost */
    bench_close(bench);
}

static void too_many_exceptions_hold_the_watermark(void) /* R9 */
{
    struct coord_options options = bench_options();
    struct bench *bench;
    const struct msg *end;

    options.end_ms = 10;
    options.in_flight_max = END_EXCEPTIONS_MAX + 2;
    bench = bench_serving(&options);
    for (uint8_t i = 0; i <= END_EXCEPTIONS_MAX; i++) { /* 1 to 65 stay open */
        bench_use(bench, i);
        bench_submit(bench, 1, false, BENCH_LIMIT);
    }
    bench_use(bench, 200);
    bench_commit(bench); /* 66 */
    bench_tick(bench, 10);
    end = bench_first(bench, MSG_END);
    CU_ASSERT_EQUAL(end->end.exception_count, END_EXCEPTIONS_MAX);
    CU_ASSERT_EQUAL(end->end.watermark, END_EXCEPTIONS_MAX);
    bench_close(bench);
}

static void other_content_is_refused_and_never_recorded(void) /* R11, I7, S7 */
{
    struct bench *bench = bench_serving(NULL);
    struct msg conflict;

    bench_submit(bench, 1, false, BENCH_LIMIT);
    conflict = bench_record(bench, MSG_PREPARE, STATE_NONE);
    conflict.record.answer = ANSWER_CONFLICT;
    bench_msg(bench, 0, &conflict);
    REPLIED(bench, "REFUSED CONFLICT"); /* no outcome of the id: that is the other content's */
    CU_ASSERT_STRING_EQUAL(bench->batch.replies[0].node.text, "a");
    SENT(bench, "Ib");
    bench_answer(bench, 1, MSG_ABORT_IF_MINE, STATE_ABORTED);
    REPLIED(bench, "");
    CU_ASSERT_EQUAL(coord_stats(bench->coord)->following_now, 0);
    bench_close(bench);
}

static void readers_answer_before_the_first_prepare(void) /* R12, S8 */
{
    struct bench *bench = bench_serving(NULL);
    struct msg checked;

    bench_submit(bench, 1, true, BENCH_LIMIT);
    SENT(bench, "Kc");
    checked = bench_record(bench, MSG_CHECK, STATE_NONE);
    checked.kind = MSG_CHECKED;
    checked.checked.holds = false;
    checked.checked.reason = REASON_CHECK_FAILED;
    bench_msg(bench, 2, &checked);
    SENT(bench, "IaIb");
    REPLIED(bench, "");
    checked.checked.holds = true; /* late, and no way back (R7) */
    bench_msg(bench, 2, &checked);
    SENT(bench, "");
    bench_answer(bench, 0, MSG_ABORT_IF_MINE, STATE_ABORTED);
    REPLIED(bench, "ABORTED+t");
    bench_close(bench);
}

static void one_participant_decides_itself(void) /* R13 */
{
    struct bench *bench = bench_serving(NULL);
    struct submit_branch branch = {.node = bench->parties[0].node, .branch = BENCH_BRANCH};

    bench_submit_branches(bench, &branch, 1, PROTOCOL_2PC);
    SENT(bench, "Pa");
    CU_ASSERT_EQUAL(bench->batch.msgs[0].prepare.party_count, 1);
    bench_answer(bench, 0, MSG_PREPARE, STATE_COMMITTED);
    SENT(bench, ""); /* its answer acknowledges: no Commit */
    REPLIED(bench, "COMMITTED+t");
    bench_use(bench, 1);
    bench_submit_branches(bench, &branch, 1, PROTOCOL_2PC);
    bench_tick(bench, BENCH_LIMIT);
    SENT(bench, "Ia");
    bench_answer(bench, 0, MSG_ABORT_IF_MINE, STATE_COMMITTED); /* the abort came too late */
    REPLIED(bench, "COMMITTED+t");
    bench_close(bench);
}

static void another_store_is_another_participant(void) /* R14 */
{
    struct bench *bench = bench_serving(NULL);

    bench_submit(bench, 1, false, BENCH_LIMIT);
    bench_link(bench, 1, false);
    bench->parties[1].store.bytes[0] = 99;
    bench_link(bench, 1, true);
    bench_sealed(bench, 1);
    SENT(bench, "Rb");                /* no Prepare: it is not who is listed */
    bench_yes(bench, 1, MSG_PREPARE); /* nor does its vote count */
    bench_yes(bench, 0, MSG_PREPARE);
    CU_ASSERT_EQUAL(bench_phase(bench), PHASE_PREPARING);
    bench_close(bench);
}

static void no_abort_for_what_may_list_another_store(void) /* R14 */
{
    struct bench *bench = bench_serving(NULL);
    struct msg replaced;

    bench_submit(bench, 1, false, BENCH_LIMIT);
    replaced = bench_record(bench, MSG_PREPARE, STATE_NONE);
    replaced.record.answer = ANSWER_STORE_REPLACED;
    bench_msg(bench, 0, &replaced);
    SENT(bench, "IaIb");
    REPLIED(bench, "REFUSED STORE_REPLACED");
    bench_answer(bench, 1, MSG_ABORT_IF_MINE, STATE_ABORTED);
    SENT(bench, "Ia"); /* never a plain Abort: a's record may be of a committed attempt */
    bench_yes(bench, 0, MSG_ABORT_IF_MINE);
    CU_ASSERT_EQUAL(coord_stats(bench->coord)->following_now, 1); /* R9: not acknowledged */
    bench->parties[1].store.bytes[0] ^= 1;
    bench_named(bench, 0, MSG_ORPHAN); /* under another list: not ours to end, ours is over */
    SENT(bench, "");
    CU_ASSERT_EQUAL(coord_stats(bench->coord)->following_now, 0);
    bench_close(bench);
}

static void an_epoch_is_never_led_twice(void) /* R14, S12 */
{
    struct bench *bench = bench_serving(NULL);

    bench_group_event(bench, EV_UNLEAD);
    bench_lead(bench, BENCH_EPOCH, BENCH_EPOCH);
    SENT(bench, "!");
    bench_lead(bench, BENCH_EPOCH + 1, 1);
    SENT(bench, "SaSbSc");
    bench_close(bench);
}

static void suspended_starts_nothing_but_decides(void) /* section 5: suspended */
{
    struct bench *bench = bench_serving(NULL);

    bench_submit(bench, 1, false, BENCH_LIMIT);
    bench_group_event(bench, EV_SUSPEND);
    bench_yes(bench, 0, MSG_PREPARE);
    bench_yes(bench, 1, MSG_PREPARE);
    REPLIED(bench, "COMMITTED+t");
    bench_use(bench, 1);
    bench_submit(bench, 1, false, BENCH_LIMIT);
    REPLIED(bench, "REFUSED NOT_LEADER");
    bench_named(bench, 0, MSG_ORPHAN);
    SENT(bench, "");
    bench_group_event(bench, EV_RESUME);
    bench_submit(bench, 1, false, BENCH_LIMIT);
    SENT(bench, "PaPb");
    bench_close(bench);
}

static void the_deposed_ask_nobody(void) /* R2 */
{
    struct bench *bench = bench_serving(NULL);
    struct msg stale;

    bench_submit(bench, 1, false, BENCH_LIMIT);
    stale = bench_record(bench, MSG_PREPARE, STATE_NONE);
    stale.kind = MSG_STALE;
    stale.stale.sealed_epoch = BENCH_EPOCH + 1;
    bench_msg(bench, 0, &stale);
    SENT(bench, "!");
    bench_msg(bench, 0, &stale);
    SENT(bench, "");
    bench_tick(bench, BENCH_LIMIT);
    SENT(bench, "");
    CU_ASSERT_EQUAL(coord_stats(bench->coord)->stale_refused, 2);
    bench_close(bench);
}

static void a_lost_seal_is_asked_for_again(void) /* R2 */
{
    struct bench *bench = bench_serving(NULL);
    struct msg stale = bench_record(bench, MSG_END, STATE_NONE);

    stale.kind = MSG_STALE;
    stale.stale.sealed_epoch = BENCH_EPOCH - 1;
    bench_msg(bench, 0, &stale);
    SENT(bench, "Sa");
    bench_tick(bench, BENCH_RETRY);
    SENT(bench, "Sa"); /* though its report was read */
    bench_submit(bench, 1, false, BENCH_LIMIT);
    SENT(bench, "");
    bench_sealed(bench, 0);
    SENT(bench, "PaPb");
    bench_tick(bench, BENCH_RETRY);
    SENT(bench, "PaPb"); /* and nothing else */
    bench_close(bench);
}

static void the_deadline_names_whom_it_waited_for(void)
{
    struct bench *bench = bench_serving(NULL);
    struct msg msg;

    bench_submit(bench, 1, false, BENCH_LIMIT);
    bench_yes(bench, 0, MSG_PREPARE);
    bench_tick(bench, BENCH_LIMIT);
    CU_ASSERT_EQUAL(bench_first(bench, MSG_ABORT_IF_MINE)->abort.reason, REASON_DEADLINE);
    bench_answer(bench, 0, MSG_ABORT_IF_MINE, STATE_ABORTED);
    bench_answer(bench, 1, MSG_ABORT_IF_MINE, STATE_ABORTED);
    bench_use(bench, 1);
    bench_submit(bench, 1, false, BENCH_LIMIT);
    bench_yes(bench, 0, MSG_PREPARE);
    bench_link(bench, 1, false);
    bench_tick(bench, BENCH_LIMIT);
    CU_ASSERT_EQUAL(bench_first(bench, MSG_ABORT_IF_MINE)->abort.reason, REASON_PARTICIPANT_DOWN);
    msg = bench_record(bench, MSG_ABORT_IF_MINE, STATE_ABORTED);
    msg.record.reason = REASON_PARTICIPANT_DOWN;
    bench_msg(bench, 0, &msg);
    REPLIED(bench, "ABORTED PARTICIPANT_DOWN+t");
    CU_ASSERT_STRING_EQUAL(bench->batch.replies[0].node.text, "b");
    bench_close(bench);
}

static void pauses_grow_between_questions(void)
{
    struct bench *bench = bench_serving(NULL);
    uint32_t asked = 0;

    bench_submit(bench, 1, false, 60 * 1000);
    for (int i = 0; i < 100; i++) {
        bench_tick(bench, BENCH_RETRY);
        asked += bench->sent[0] != '\0';
    }
    CU_ASSERT(asked >= 8 && asked <= 12);
    bench_close(bench);
}

int main(int argc, char **argv)
{
#define TEST(name) {#name, name}
    CU_TestInfo tests[] = {
        TEST(a_commit_carries_the_largest_prepare_timestamp),
        TEST(nobody_is_told_aborted_before_one_is_durable),
        TEST(abort_reaches_who_voted_under_an_earlier_leader),
        TEST(votes_count_again_only_under_a_new_sequence),
        TEST(a_resubmission_limits_only_its_own_wait),
        TEST(a_submission_joins_its_own_recovery),
        TEST(nothing_is_prepared_before_the_seal),
        TEST(a_report_only_names),
        TEST(committed_is_heard_even_after_a_nothing),
        TEST(report_pages_are_read_once_and_in_order),
        TEST(a_page_without_room_is_asked_for_again),
        TEST(an_end_excludes_what_is_open),
        TEST(too_many_exceptions_hold_the_watermark),
        TEST(other_content_is_refused_and_never_recorded),
        TEST(readers_answer_before_the_first_prepare),
        TEST(one_participant_decides_itself),
        TEST(another_store_is_another_participant),
        TEST(no_abort_for_what_may_list_another_store),
        TEST(an_epoch_is_never_led_twice),
        TEST(suspended_starts_nothing_but_decides),
        TEST(the_deposed_ask_nobody),
        TEST(a_lost_seal_is_asked_for_again),
        TEST(the_deadline_names_whom_it_waited_for),
        TEST(pauses_grow_between_questions),
        CU_TEST_INFO_NULL,
    };
#undef TEST
    CU_SuiteInfo suites[] = {
        {"coord rules", NULL, NULL, NULL, NULL, tests},
        CU_SUITE_INFO_NULL,
    };

    return runner_main(suites, argc, argv);
}
