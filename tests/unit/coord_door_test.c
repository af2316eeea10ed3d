/*
 * The coordinator's door, its look-ups by id, and its audits.
 */
#include "coord_bench.h"
#include "support/runner.h"

static void who_is_down_and_who_is_unknown_are_told_apart(void)
{
    struct bench *bench = bench_serving(NULL);
    struct submit_branch branches[2] = {{.node = bench->parties[0].node, .branch = BENCH_BRANCH},
                                        {.node = {"nobody"}, .branch = BENCH_BRANCH}};

    bench_submit_branches(bench, branches, 2, PROTOCOL_2PC);
    REPLIED(bench, "REFUSED PARTICIPANT_UNKNOWN");
    CU_ASSERT_STRING_EQUAL(bench->batch.replies[0].node.text, "nobody");
    bench_link(bench, 1, false);
    bench_submit(bench, 1, false, BENCH_LIMIT);
    bench_tick(bench, BENCH_GRACE);
    SENT(bench, "");
    REPLIED(bench, "REFUSED PARTICIPANT_DOWN");
    CU_ASSERT_STRING_EQUAL(bench->batch.replies[0].node.text, "b");
    bench_close(bench);
}

static void malformed_submits_are_refused(void)
{
    struct bench *bench = bench_serving(NULL);
    struct submit_branch many[PARTICIPANTS_MAX + 1];
    struct submit_branch twice[2];

    memset(many, 0, sizeof(many));
    for (int i = 0; i <= PARTICIPANTS_MAX; i++) {
        many[i].node.text[0] = (char)('a' + i);
        many[i].branch = BENCH_BRANCH;
    }
    bench_submit_branches(bench, many, PARTICIPANTS_MAX + 1, PROTOCOL_2PC);
    REPLIED(bench, "REFUSED PARTICIPANTS");
    bench_submit_branches(bench, many, 2, PROTOCOL_3PC); /* R16 */
    REPLIED(bench, "REFUSED PROTOCOL");
    bench_submit_branches(bench, many, 0, PROTOCOL_2PC);
    REPLIED(bench, "REFUSED MALFORMED");
    twice[0] = many[0];
    twice[1] = many[0];
    bench_submit_branches(bench, twice, 2, PROTOCOL_2PC);
    REPLIED(bench, "REFUSED MALFORMED");
    twice[1].read_only = true; /* a participant may well write and check */
    bench_submit_branches(bench, twice, 2, PROTOCOL_2PC);
    SENT(bench, "Ka");
    bench_use(bench, 1);
    bench->id.bytes[6] = 0x40;
    bench_submit_branches(bench, many, 2, PROTOCOL_2PC);
    REPLIED(bench, "REFUSED ID_INVALID");
    bench_close(bench);
}

static void overload_is_refused_before_anything_is_promised(void) /* I10 */
{
    struct coord_options options = bench_options();
    struct bench *bench;

    options.in_flight_max = 2;
    bench = bench_serving(&options);
    for (uint8_t i = 0; i < 3; i++) {
        bench_use(bench, i);
        bench_submit(bench, 1, false, BENCH_LIMIT);
    }
    SENT(bench, "");
    REPLIED(bench, "REFUSED BUSY");
    bench_use(bench, 0);
    for (int i = 0; i < WAITERS_MAX; i++)
        bench_submit(bench, 1, false, BENCH_LIMIT);
    REPLIED(bench, "UNKNOWN BUSY"); /* the first who waits gives way to the fifth */
    CU_ASSERT_EQUAL(bench->batch.replies[0].waiter.request, 1);
    bench_close(bench);
    options = bench_options();
    options.blob_bytes = 3 * 128; /* three chunks: one transaction's branches */
    bench = bench_serving(&options);
    for (uint8_t i = 0; i < 20; i++) { /* given back each time */
        bench_use(bench, i);
        bench_commit(bench);
    }
    bench_use(bench, 30);
    bench_submit(bench, 1, false, BENCH_LIMIT);
    bench_use(bench, 31);
    bench_submit(bench, 1, false, BENCH_LIMIT);
    REPLIED(bench, "REFUSED BUSY");
    bench_close(bench);
}

/* How many steps of one worst case's room it takes until nothing is due; each asserts its limits.
 */
static int steps_to_rest(struct bench *bench, struct event ev, uint32_t *ret_msgs)
{
    int steps = 0;

    *ret_msgs = 0;
    do {
        batch_clear(&bench->batch);
        ev.now_ms = bench->now_ms;
        ev.wall_ms = bench->wall_ms;
        coord_step(bench->coord, &ev, &bench->batch);
        *ret_msgs += bench->batch.msg_count;
        ev = bench_event(bench, EV_TICK);
    } while (++steps < 1000 && coord_next_ms(bench->coord) <= bench->now_ms);
    return steps;
}

static void many_transactions_are_woken_and_dropped_in_slices(void)
{
    struct coord_options options = bench_options();
    struct msg sealed = {.kind = MSG_SEALED, .tag = {.epoch = BENCH_EPOCH}, .peer = 2};
    struct event ev;
    struct bench *bench;
    uint32_t msgs;

    options.txn_max = 1000;
    options.in_flight_max = 1000;
    options.blob_bytes = 1024 * 1024;
    bench = bench_serving(&options);
    for (uint16_t i = 0; i < 1000; i++) {
        bench_use(bench, (uint8_t)i);
        bench->id.bytes[14] = (uint8_t)(i >> 8);
        bench_submit(bench, 1, false, 60 * 1000);
    }
    bench_link(bench, 1, false);
    bench_link(bench, 1, true);
    sealed.seal.guid.bytes[0] = BENCH_EPOCH;
    ev = bench_event(bench, EV_MSG);
    ev.msg.msg = &sealed;
    CU_ASSERT(steps_to_rest(bench, ev, &msgs) > 2);
    CU_ASSERT_EQUAL(msgs, 1 + 2 * 1000);
    CU_ASSERT(steps_to_rest(bench, bench_event(bench, EV_UNLEAD), &msgs) > 10);
    CU_ASSERT_EQUAL(coord_stats(bench->coord)->unknown, 1000);
    CU_ASSERT_EQUAL(coord_stats(bench->coord)->following_now, 0);
    CU_ASSERT_EQUAL(coord_stats(bench->coord)->in_flight_now, 0);
    bench_close(bench);
}

/* What `who` holds for the id of the last Find, in a state, under a content's digest. */
static void found(struct bench *bench, int who, enum txn_state state, uint8_t content,
                  enum reason reason)
{
    struct msg msg = {.kind = MSG_FOUND};

    msg.tag.sequence = bench->find;
    msg.id = bench->id;
    msg.digest.bytes[0] = content;
    msg.found.state = state;
    msg.found.reason = reason;
    msg.found.timestamp = 101;
    msg.found.protocol = PROTOCOL_2PC;
    msg.found.parties = bench->parties;
    msg.found.party_count = 2;
    bench_msg(bench, who, &msg);
}

static void look_up(struct bench *bench)
{
    bench_outcome(bench, BENCH_LIMIT);
    bench->find = bench_first(bench, MSG_FIND)->tag.sequence;
}

static void committed_anywhere_is_the_outcome(void)
{
    struct bench *bench = bench_serving(NULL);

    look_up(bench);
    SENT(bench, "FaFbFc");
    found(bench, 0, STATE_ABORTED, 2, REASON_FUNDS); /* other content's: not yet an answer (S7) */
    REPLIED(bench, "");
    found(bench, 0, STATE_COMMITTED, 1, REASON_NONE); /* a has answered */
    REPLIED(bench, "");
    found(bench, 1, STATE_COMMITTED, 1, REASON_NONE);
    REPLIED(bench, "COMMITTED");
    CU_ASSERT_EQUAL(bench->batch.replies[0].digest.bytes[0], 1);
    CU_ASSERT_EQUAL(bench->batch.replies[0].timestamp, 101);
    found(bench, 2, STATE_NONE, 0, REASON_NONE);
    REPLIED(bench, "");
    bench_close(bench);
}

static void aborted_is_the_outcome_when_all_have_answered(void)
{
    struct bench *bench = bench_serving(NULL);

    look_up(bench);
    found(bench, 0, STATE_ABORTED, 1, REASON_FUNDS);
    found(bench, 1, STATE_NONE, 0, REASON_NONE);
    REPLIED(bench, "");
    found(bench, 2, STATE_NONE, 0, REASON_NONE);
    REPLIED(bench, "ABORTED FUNDS");
    bench_close(bench);
}

static void nothing_anywhere_is_unknown(void) /* S16 */
{
    struct bench *bench = bench_serving(NULL);

    look_up(bench);
    for (int i = 0; i < 3; i++)
        found(bench, i, STATE_NONE, 0, REASON_NONE);
    REPLIED(bench, "UNKNOWN UNKNOWN_OUTCOME");
    bench_close(bench);
}

static void who_could_not_be_asked_is_named(void)
{
    struct bench *bench = bench_serving(NULL);

    look_up(bench);
    found(bench, 0, STATE_NONE, 0, REASON_NONE);
    found(bench, 2, STATE_ABORTED, 2, REASON_CONFLICT); /* says nothing of the first content */
    bench_link(bench, 1, false);
    REPLIED(bench, "UNKNOWN PARTICIPANT_DOWN");
    CU_ASSERT_STRING_EQUAL(bench->batch.replies[0].node.text, "b");
    look_up(bench);
    bench_tick(bench, BENCH_RETRY);
    SENT(bench, "FaFc");
    bench_tick(bench, BENCH_LIMIT);
    REPLIED(bench, "UNKNOWN PARTICIPANT_DOWN");
    bench_close(bench);
}

static void prepared_is_taken_over_and_waited_for(void) /* R8 */
{
    struct bench *bench = bench_serving(NULL);

    look_up(bench);
    found(bench, 0, STATE_PREPARED, 1, REASON_NONE);
    found(bench, 1, STATE_NONE, 0, REASON_NONE);
    found(bench, 2, STATE_NONE, 0, REASON_NONE);
    SENT(bench, "QaQb");
    REPLIED(bench, "");
    bench_answer(bench, 1, MSG_QUERY, STATE_NONE);
    SENT(bench, "IaIb");
    bench_answer(bench, 1, MSG_ABORT_IF_MINE, STATE_ABORTED);
    REPLIED(bench, "ABORTED+t");
    bench_close(bench);
}

static void what_was_told_is_told_again(void) /* R11, I3 */
{
    struct bench *bench = bench_serving(NULL);
    struct outcome told = {.id = bench->id, .digest = bench->digest, .state = STATE_COMMITTED};
    struct event ev = bench_event(bench, EV_OUTCOME);

    bench_group_event(bench, EV_UNLEAD);
    ev.outcome.id = bench->id;
    ev.outcome.told = &told;
    bench_step(bench, &ev);
    REPLIED(bench, "COMMITTED");
    ev = bench_event(bench, EV_SUBMIT);
    ev.submit.id = bench->id;
    ev.submit.digest = bench->digest;
    ev.submit.told = &told;
    bench_step(bench, &ev);
    REPLIED(bench, "COMMITTED");
    ev.submit.digest.bytes[0]++;
    bench_step(bench, &ev);
    REPLIED(bench, "REFUSED CONFLICT");
    bench_lead(bench, BENCH_EPOCH + 1, 1);
    told.state = STATE_ABORTED; /* of one content: says nothing of another (S7) */
    ev = bench_event(bench, EV_OUTCOME);
    ev.outcome.id = bench->id;
    ev.outcome.told = &told;
    ev.outcome.deadline_ms = BENCH_LIMIT;
    bench_step(bench, &ev);
    SENT(bench, "FaFbFc");
    bench_close(bench);
}

static void look_ups_are_bounded(void) /* I10 */
{
    struct bench *bench = bench_serving(NULL);

    for (int i = 0; i < COORD_FINDS_MAX; i++)
        bench_outcome(bench, BENCH_LIMIT);
    SENT(bench, "FaFbFc");
    bench_outcome(bench, BENCH_LIMIT);
    REPLIED(bench, "REFUSED BUSY");
    bench_close(bench);
}

static void audit(struct bench *bench)
{
    struct event ev = bench_event(bench, EV_AUDIT);

    ev.audit.deadline_ms = BENCH_LIMIT;
    bench_step(bench, &ev);
}

/* `who` reports, as of the last Cut that was sent, or `status` and its clock. */
static void cut(struct bench *bench, int who, enum cut_status status, int64_t posted,
                const struct cut_doubt *doubts, uint16_t doubt_count)
{
    struct net total = {.currency = {"EUR"}, .amount = posted};
    struct msg msg = {.kind = MSG_CUT_RESULT};

    if (bench_has(bench, MSG_CUT))
        bench->cut = *bench_first(bench, MSG_CUT);
    msg.cut_result.number = bench->cut.cut.number;
    msg.cut_result.status = status;
    msg.cut_result.timestamp = bench->cut.cut.timestamp + 5;
    msg.cut_result.totals = &total;
    msg.cut_result.total_count = status == CUT_REPORTED;
    msg.cut_result.doubts = doubts;
    msg.cut_result.doubt_count = doubt_count;
    bench_msg(bench, who, &msg);
}

static const struct reply *audited(const struct bench *bench)
{
    CU_ASSERT_EQUAL_FATAL(bench->batch.reply_count, 1);
    CU_ASSERT_EQUAL_FATAL(bench->batch.replies[0].kind, REPLY_AUDIT);
    return &bench->batch.replies[0];
}

static void an_audit_sums_over_all_participants(void) /* I4 */
{
    struct bench *bench = bench_serving(NULL);

    audit(bench);
    SENT(bench, "TaTbTc");
    CU_ASSERT(bench->batch.msgs[0].cut.timestamp > timestamp_of_ms(bench->wall_ms));
    cut(bench, 0, CUT_REPORTED, -70, NULL, 0);
    cut(bench, 1, CUT_REPORTED, 50, NULL, 0);
    cut(bench, 1, CUT_REPORTED, 50, NULL, 0); /* twice counts once */
    cut(bench, 2, CUT_REPORTED, 20, NULL, 0);
    REPLIED(bench, "AUDIT");
    CU_ASSERT_EQUAL(audited(bench)->line_count, 1);
    CU_ASSERT(audited(bench)->lines[0].posted == 0);
    CU_ASSERT_EQUAL(audited(bench)->missing_count, 0);
    bench_close(bench);
}

static void a_cut_that_comes_too_late_is_moved_on(void)
{
    struct bench *bench = bench_serving(NULL);
    uint64_t before;

    audit(bench);
    before = bench->batch.msgs[0].cut.timestamp;
    cut(bench, 0, CUT_REPORTED, 7, NULL, 0); /* of a cut that is given up */
    cut(bench, 1, CUT_TOO_LATE, 0, NULL, 0);
    SENT(bench, "TaTbTc");
    CU_ASSERT(bench->batch.msgs[0].cut.timestamp > before + 5);
    cut(bench, 0, CUT_REPORTED, -20, NULL, 0);
    cut(bench, 1, CUT_REPORTED, 20, NULL, 0);
    cut(bench, 2, CUT_REPORTED, 0, NULL, 0);
    CU_ASSERT(audited(bench)->lines[0].posted == 0);
    audit(bench);
    for (int i = 0; i < 20 && bench->batch.reply_count == 0; i++)
        cut(bench, i % 3, CUT_TOO_LATE, 0, NULL, 0);
    REPLIED(bench, "AUDIT PARTICIPANT_DOWN"); /* no end to it: unread, and named */
    bench_close(bench);
}

static void who_cannot_be_read_makes_an_audit_incomplete(void)
{
    struct bench *bench = bench_serving(NULL);

    audit(bench);
    cut(bench, 0, CUT_REPORTED, -20, NULL, 0);
    cut(bench, 2, CUT_REPORTED, 0, NULL, 0);
    cut(bench, 1, CUT_BUSY, 0, NULL, 0);
    REPLIED(bench, "");
    bench_tick(bench, 1000 + BENCH_RETRY);
    SENT(bench, "Tb");
    bench_link(bench, 1, false);
    REPLIED(bench, "AUDIT PARTICIPANT_DOWN");
    CU_ASSERT_EQUAL(audited(bench)->missing_count, 1);
    CU_ASSERT_STRING_EQUAL(audited(bench)->missing[0].text, "b");
    audit(bench);
    SENT(bench, "TaTc");
    cut(bench, 0, CUT_AHEAD, 0, NULL, 0);
    bench_tick(bench, BENCH_LIMIT);
    REPLIED(bench, "AUDIT CLOCK");
    bench_close(bench);
}

/* a's and b's doubts of one transfer of 5; `sides` of them still have it undecided. */
static void audit_with_doubts(struct bench *bench, int sides)
{
    struct net nets[2] = {{.currency = {"EUR"}, .amount = -5}, {.currency = {"EUR"}, .amount = 5}};
    struct cut_doubt doubts[2] = {{bench->id, {{1}}, &nets[0], 1}, {bench->id, {{1}}, &nets[1], 1}};

    audit(bench);
    cut(bench, 0, CUT_REPORTED, 0, &doubts[0], 1);
    cut(bench, 1, CUT_REPORTED, sides == 2 ? 0 : 5, &doubts[1], sides == 2);
    cut(bench, 2, CUT_REPORTED, 0, NULL, 0);
    if (sides == 1)
        bench->find = bench_first(bench, MSG_FIND)->tag.sequence;
}

static void doubts_match_by_id(void)
{
    struct bench *bench = bench_serving(NULL);

    audit_with_doubts(bench, 2);
    CU_ASSERT(audited(bench)->lines[0].posted == 0);
    CU_ASSERT(audited(bench)->lines[0].in_doubt == 5);
    CU_ASSERT_EQUAL(audited(bench)->doubt_count, 1);
    audit_with_doubts(bench, 1); /* b has it in its totals: somebody decided */
    SENT(bench, "FaFbFc");
    found(bench, 0, STATE_PREPARED, 1, REASON_NONE);
    REPLIED(bench, "");
    found(bench, 1, STATE_COMMITTED, 1, REASON_NONE); /* at 101, long before the cut */
    REPLIED(bench, "AUDIT");
    CU_ASSERT(audited(bench)->lines[0].posted == 0);
    CU_ASSERT_EQUAL(audited(bench)->doubt_count, 0);
    audit_with_doubts(bench, 1);
    found(bench, 0, STATE_PREPARED, 1, REASON_NONE);
    found(bench, 1, STATE_COMMITTED, 2, REASON_NONE); /* other content: tells nothing of it */
    found(bench, 2, STATE_NONE, 0, REASON_NONE);
    REPLIED(bench, "AUDIT");
    CU_ASSERT(audited(bench)->lines[0].posted == 5); /* the 5 are the other content's */
    CU_ASSERT_EQUAL(audited(bench)->doubt_count, 1);
    bench_close(bench);
}

static void an_unbalanced_book_is_not_explained_away(void) /* I4 */
{
    struct bench *bench = bench_serving(NULL);

    audit_with_doubts(bench, 1); /* b's 5 came from nowhere: the doubt was aborted */
    found(bench, 0, STATE_ABORTED, 1, REASON_FUNDS);
    found(bench, 1, STATE_ABORTED, 1, REASON_FUNDS);
    found(bench, 2, STATE_NONE, 0, REASON_NONE);
    REPLIED(bench, "AUDIT");
    CU_ASSERT(audited(bench)->lines[0].posted == 5);
    audit_with_doubts(bench, 1);
    bench_tick(bench, BENCH_LIMIT); /* nobody answers the look-up */
    REPLIED(bench, "AUDIT UNKNOWN_OUTCOME");
    bench_close(bench);
}

static void audits_are_bounded(void) /* I10 */
{
    struct bench *bench = bench_serving(NULL);

    for (int i = 0; i < COORD_AUDITS_MAX; i++)
        audit(bench);
    audit(bench);
    REPLIED(bench, "REFUSED BUSY");
    bench_close(bench);
}

int main(int argc, char **argv)
{
#define TEST(name) {#name, name}
    CU_TestInfo tests[] = {
        TEST(who_is_down_and_who_is_unknown_are_told_apart),
        TEST(malformed_submits_are_refused),
        TEST(overload_is_refused_before_anything_is_promised),
        TEST(many_transactions_are_woken_and_dropped_in_slices),
        TEST(committed_anywhere_is_the_outcome),
        TEST(aborted_is_the_outcome_when_all_have_answered),
        TEST(nothing_anywhere_is_unknown),
        TEST(who_could_not_be_asked_is_named),
        TEST(prepared_is_taken_over_and_waited_for),
        TEST(what_was_told_is_told_again),
        TEST(look_ups_are_bounded),
        TEST(an_audit_sums_over_all_participants),
        TEST(a_cut_that_comes_too_late_is_moved_on),
        TEST(who_cannot_be_read_makes_an_audit_incomplete),
        TEST(doubts_match_by_id),
        TEST(an_unbalanced_book_is_not_explained_away),
        TEST(audits_are_bounded),
        CU_TEST_INFO_NULL,
    };
#undef TEST
    CU_SuiteInfo suites[] = {
        {"coord door", NULL, NULL, NULL, NULL, tests},
        CU_SUITE_INFO_NULL,
    };

    return runner_main(suites, argc, argv);
}
