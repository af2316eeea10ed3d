/*
 * The coordinator where it is rarely looked at: views, odd links, limits of votes and audits.
 */
#include "coord_bench.h"
#include "support/runner.h"

#define AUDIT_LINES 150 /* currencies of one participant here; two have too many */

static void a_view_shows_who_is_waited_for_and_what_for(void)
{
    struct bench *bench = bench_serving(NULL);
    struct coord_view view;
    uint32_t cursor = 0;

    CU_ASSERT_FALSE(coord_next(bench->coord, &cursor, &view));
    bench_submit(bench, 1, false, BENCH_LIMIT);
    bench_yes(bench, 0, MSG_PREPARE);
    cursor = 0;
    CU_ASSERT_TRUE_FATAL(coord_next(bench->coord, &cursor, &view));
    CU_ASSERT_EQUAL(view.phase, PHASE_PREPARING);
    CU_ASSERT_STRING_EQUAL(phase_name(view.phase), "PREPARING");
    CU_ASSERT_EQUAL(view.heard[0], HEARD_YES);
    CU_ASSERT_STRING_EQUAL(heard_name(view.heard[1]), "NOTHING");
    CU_ASSERT_EQUAL(view.waiting_count, 1);
    CU_ASSERT_STRING_EQUAL(view.waiting_for[0].text, "b");
    CU_ASSERT_EQUAL(view.net_count, 1);
    CU_ASSERT_EQUAL(view.value[0].amount, 5);
    CU_ASSERT_EQUAL(view.deadline_ms, bench->now_ms + BENCH_LIMIT);
    CU_ASSERT_FALSE(view.recovered);
    CU_ASSERT_FALSE(coord_next(bench->coord, &cursor, &view));
    bench_yes(bench, 1, MSG_PREPARE);
    bench_answer(bench, 1, MSG_COMMIT, STATE_COMMITTED);
    CU_ASSERT_TRUE_FATAL(coord_find(bench->coord, &bench->id, &view));
    CU_ASSERT_EQUAL(view.waiting_count, 1);
    CU_ASSERT_STRING_EQUAL(view.waiting_for[0].text, "a");
    bench_close(bench);
}

static void a_view_shows_whom_a_gathering_or_a_reading_lacks(void)
{
    struct bench *bench = bench_serving(NULL);
    struct coord_view view;

    bench_submit(bench, 1, true, BENCH_LIMIT);
    CU_ASSERT_TRUE_FATAL(coord_find(bench->coord, &bench->id, &view));
    CU_ASSERT_EQUAL(view.phase, PHASE_READING);
    CU_ASSERT_EQUAL(view.waiting_count, 1);
    CU_ASSERT_STRING_EQUAL(view.waiting_for[0].text, "c");
    bench_use(bench, 1);
    bench_link(bench, 0, false);
    bench_submit(bench, 1, true, BENCH_LIMIT);
    CU_ASSERT_TRUE_FATAL(coord_find(bench->coord, &bench->id, &view));
    CU_ASSERT_EQUAL(view.phase, PHASE_GATHERING);
    CU_ASSERT_EQUAL(view.waiting_count, 1);
    CU_ASSERT_STRING_EQUAL(view.waiting_for[0].text, "a");
    bench_close(bench);
}

static void of_two_contents_the_committed_one_is_shown(void)
{
    struct bench *bench = bench_serving(NULL);
    struct coord_view view;

    bench->digest.bytes[0] = 2;
    bench_named(bench, 0, MSG_ORPHAN);
    bench->digest.bytes[0] = 1;
    bench_named(bench, 0, MSG_ORPHAN);
    bench_yes(bench, 0, MSG_QUERY); /* under the tag of whichever is found first */
    for (int content = 1; content <= 2; content++) {
        struct msg msg = bench_record(bench, MSG_QUERY, STATE_COMMITTED);

        msg.digest.bytes[0] = (uint8_t)content;
        bench_msg(bench, 0, &msg);
    }
    CU_ASSERT_TRUE_FATAL(coord_find(bench->coord, &bench->id, &view));
    CU_ASSERT_EQUAL(view.phase, PHASE_COMMITTED);
    bench_close(bench);
}

static void a_member_is_up_when_its_registered_store_is_connected(void) /* R14 */
{
    struct bench *bench = bench_serving(NULL);
    struct node_name nobody = {"nobody"};
    struct party party;
    bool up;

    CU_ASSERT_FALSE(coord_member(bench->coord, &nobody, &party, &up));
    CU_ASSERT_TRUE(coord_member(bench->coord, &bench->parties[1].node, &party, &up));
    CU_ASSERT_TRUE(up);
    CU_ASSERT_TRUE(party_equal(&party, &bench->parties[1]));
    bench->parties[1].store.bytes[0]++;
    bench_link(bench, 1, true);
    CU_ASSERT_TRUE(coord_member(bench->coord, &bench->parties[1].node, &party, &up));
    CU_ASSERT_FALSE(up);
    bench_close(bench);
}

static void a_new_connection_supersedes_the_old_one(void)
{
    struct bench *bench = bench_serving(NULL);
    struct event ev = bench_event(bench, EV_LINK_UP);
    struct msg old;

    bench_submit(bench, 1, false, BENCH_LIMIT);
    old = bench_record(bench, MSG_PREPARE, STATE_ABORTED);
    bench->peers[1] = 20;
    ev.link.peer = 20;
    ev.link.party = bench->parties[1];
    bench_step(bench, &ev);
    SENT(bench, "Sb");
    bench_msg(bench, 1, &old); /* from the old one, which is gone */
    CU_ASSERT_EQUAL(bench_phase(bench), PHASE_PREPARING);
    ev = bench_event(bench, EV_LINK_DOWN);
    ev.link.peer = 2; /* the old one's end is news of the past */
    bench_step(bench, &ev);
    CU_ASSERT_EQUAL(coord_stats(bench->coord)->stale_answers, 1);
    bench_close(bench);
}

static void a_store_is_learned_from_hello_where_the_registry_has_none(void)
{
    struct bench *bench = bench_serving(NULL);
    struct submit_branch branch = {.node = {"d"}, .branch = BENCH_BRANCH};
    struct event ev = bench_event(bench, EV_MEMBER);

    ev.link.party.node = branch.node;
    bench_step(bench, &ev);
    bench_submit_branches(bench, &branch, 1, PROTOCOL_2PC);
    REPLIED(bench, "REFUSED PARTICIPANT_DOWN");
    ev = bench_event(bench, EV_LINK_UP);
    ev.link.party.node = branch.node;
    ev.link.party.store.bytes[0] = 44;
    ev.link.peer = 9;
    bench_step(bench, &ev);
    bench_submit_branches(bench, &branch, 1, PROTOCOL_2PC);
    REPLIED(bench, "");
    CU_ASSERT_EQUAL(bench_phase(bench), PHASE_GATHERING); /* not sealed yet */
    bench_close(bench);
}

static void a_request_that_comes_twice_is_answered_once(void)
{
    struct bench *bench = bench_serving(NULL);

    bench_submit(bench, 1, false, BENCH_LIMIT);
    bench->request--;
    bench_submit(bench, 1, false, BENCH_LIMIT);
    bench_yes(bench, 0, MSG_PREPARE);
    bench_yes(bench, 1, MSG_PREPARE);
    REPLIED(bench, "COMMITTED+t");
    bench_close(bench);
}

static void branches_come_in_the_digests_order(void)
{
    struct bench *bench = bench_serving(NULL);
    struct submit_branch branches[3];
    struct msg checked;

    memset(branches, 0, sizeof(branches));
    for (int i = 0; i < 3; i++) {
        branches[i].node = bench->parties[i].node;
        branches[i].branch = BENCH_BRANCH;
        branches[i].read_only = i == 1;
    }
    bench_submit_branches(bench, branches, 3, PROTOCOL_2PC);
    REPLIED(bench, "REFUSED MALFORMED");
    branches[2].read_only = true;
    bench_submit_branches(bench, branches, 3, PROTOCOL_2PC);
    SENT(bench, "KbKc");
    checked = bench_record(bench, MSG_CHECK, STATE_NONE);
    checked.kind = MSG_CHECKED;
    checked.checked.holds = true;
    bench_msg(bench, 0, &checked); /* a has no read-only branch here */
    bench_msg(bench, 2, &checked);
    bench_msg(bench, 2, &checked);
    SENT(bench, "");
    bench_msg(bench, 1, &checked);
    SENT(bench, "Pa");
    bench_close(bench);
}

static void below_oldest_everywhere_is_dropped(void) /* R10 */
{
    struct bench *bench = bench_serving(NULL);
    struct msg old;

    bench_submit(bench, 1, false, BENCH_LIMIT);
    old = bench_record(bench, MSG_PREPARE, STATE_NONE);
    old.record.answer = ANSWER_TOO_OLD;
    bench_msg(bench, 0, &old);
    REPLIED(bench, "REFUSED TOO_OLD");
    bench_submit(bench, 1, false, BENCH_LIMIT); /* joins, and waits for an outcome */
    old.record.to = MSG_ABORT_IF_MINE;
    bench_msg(bench, 0, &old);
    CU_ASSERT_EQUAL(bench_phase(bench), PHASE_ABORTING);
    bench_msg(bench, 1, &old);
    REPLIED(bench, "REFUSED TOO_OLD");
    CU_ASSERT_EQUAL(coord_stats(bench->coord)->following_now, 0);
    CU_ASSERT_EQUAL(coord_stats(bench->coord)->in_flight_now, 0);
    bench_close(bench);
}

/* Both vote with `count` currencies each; a's amounts are the negatives of b's. */
static void vote_in_currencies(struct bench *bench, uint16_t count, char salt)
{
    struct net nets[NETS_MAX];

    for (int who = 0; who < 2; who++) {
        struct msg msg = bench_record(bench, MSG_PREPARE, STATE_PREPARED);

        memset(nets, 0, sizeof(nets));
        for (uint16_t i = 0; i < count; i++) {
            nets[i].currency.code[0] = (char)('A' + i);
            nets[i].currency.code[1] = (char)(who == 0 ? 'X' : salt);
            nets[i].amount = who == 0 ? INT64_MIN + 1 + i : INT64_MAX - i;
        }
        msg.record.nets = nets;
        msg.record.net_count = count;
        bench_msg(bench, who, &msg);
    }
}

static void votes_in_many_currencies_are_summed_one_by_one(void) /* I4 */
{
    struct bench *bench = bench_serving(NULL);

    bench_submit(bench, 1, false, BENCH_LIMIT);
    vote_in_currencies(bench, NETS_MAX, 'X');
    REPLIED(bench, "COMMITTED+t");
    bench_use(bench, 1);
    bench_submit(bench, 1, false, BENCH_LIMIT);
    vote_in_currencies(bench, NETS_MAX, 'Y'); /* other currencies, and too many together */
    REPLIED(bench, "ABORTED UNBALANCED+t");
    bench_close(bench);
}

/* `who` answers the last Cut with `count` currencies of `posted` each, from `first` on. */
static void cut(struct bench *bench, int who, uint16_t first, uint16_t count, int64_t posted)
{
    struct net totals[AUDIT_LINES];
    struct msg msg = {.kind = MSG_CUT_RESULT};

    if (bench_has(bench, MSG_CUT))
        bench->cut = *bench_first(bench, MSG_CUT);
    memset(totals, 0, sizeof(totals));
    for (uint16_t i = 0; i < count; i++) {
        uint16_t code = (uint16_t)(first + count - 1 - i); /* not in their order */

        totals[i].currency.code[0] = (char)('A' + code / 26);
        totals[i].currency.code[1] = (char)('A' + code % 26);
        totals[i].amount = posted;
    }
    msg.cut_result.number = bench->cut.cut.number;
    msg.cut_result.status = CUT_REPORTED;
    msg.cut_result.totals = totals;
    msg.cut_result.total_count = count;
    bench_msg(bench, who, &msg);
}

static void audit(struct bench *bench)
{
    struct event ev = bench_event(bench, EV_AUDIT);

    ev.audit.deadline_ms = BENCH_LIMIT;
    bench_step(bench, &ev);
}

static void an_audit_lists_currencies_in_order(void)
{
    struct bench *bench = bench_serving(NULL);
    const struct reply *reply;

    audit(bench);
    cut(bench, 0, 0, 3, -4);
    cut(bench, 1, 1, 3, 4);
    cut(bench, 2, 0, 0, 0);
    REPLIED(bench, "AUDIT");
    reply = &bench->batch.replies[0];
    CU_ASSERT_EQUAL_FATAL(reply->line_count, 4);
    CU_ASSERT_STRING_EQUAL(reply->lines[0].currency.code, "AA");
    CU_ASSERT_STRING_EQUAL(reply->lines[3].currency.code, "AD");
    CU_ASSERT(reply->lines[0].posted == -4);
    CU_ASSERT(reply->lines[1].posted == 0);
    CU_ASSERT(reply->lines[3].posted == 4);
    bench_close(bench);
}

static void an_audit_of_too_many_currencies_says_so(void) /* I10 */
{
    struct bench *bench = bench_serving(NULL);

    audit(bench);
    cut(bench, 0, 0, AUDIT_LINES, 1);
    cut(bench, 1, 100, AUDIT_LINES, 1);
    cut(bench, 2, 0, 0, 0);
    REPLIED(bench, "AUDIT LIMIT");
    bench_close(bench);
}

static void an_audit_with_nobody_connected_names_all(void)
{
    struct bench *bench = bench_serving(NULL);

    for (int i = 0; i < 3; i++)
        bench_link(bench, i, false);
    audit(bench);
    REPLIED(bench, "AUDIT PARTICIPANT_DOWN");
    CU_ASSERT_EQUAL(bench->batch.replies[0].missing_count, 3);
    bench_outcome(bench, BENCH_LIMIT);
    REPLIED(bench, "UNKNOWN PARTICIPANT_DOWN");
    bench_close(bench);
}

static void every_message_and_reply_names_what_it_is_about(void)
{
    struct coord_options options = bench_options();
    struct bench bench;
    uint16_t group;
    struct event ev;

    options.groups = GROUPS_MAX;
    bench_open(&bench, &options);
    group = id_group(&bench.id, GROUPS_MAX);
    ev = bench_event(&bench, EV_LEAD);
    ev.lead.group = group;
    ev.lead.epoch = BENCH_EPOCH;
    bench_step(&bench, &ev);
    CU_ASSERT_EQUAL(bench.batch.msgs[0].group, group);
    for (int i = 0; i < 2; i++) {
        struct msg sealed = {.kind = MSG_SEALED, .group = group, .tag = {.epoch = BENCH_EPOCH}};

        bench_msg(&bench, i, &sealed);
    }
    bench_submit(&bench, 1, false, BENCH_LIMIT);
    SENT(&bench, "PaPb");
    for (int i = 0; i < 2; i++) {
        const struct msg *msg = &bench.batch.msgs[i];

        CU_ASSERT_EQUAL(msg->group, group);
        CU_ASSERT_EQUAL(msg->tag.epoch, BENCH_EPOCH);
        CU_ASSERT_EQUAL(msg->tag.sequence, 1);
        CU_ASSERT_TRUE(id_equal(&msg->id, &bench.id));
        CU_ASSERT_TRUE(digest_equal(&msg->digest, &bench.digest));
        CU_ASSERT_EQUAL(msg->prepare.party_count, 2);
        CU_ASSERT_TRUE(party_equal(&msg->prepare.parties[1], &bench.parties[1]));
        CU_ASSERT_EQUAL(msg->prepare.branch.size, BENCH_BRANCH.size);
        CU_ASSERT(memcmp(msg->prepare.branch.bytes, "branch", 6) == 0);
    }
    for (int i = 0; i < 2; i++) {
        struct msg yes = bench_record(&bench, MSG_PREPARE, STATE_PREPARED);

        yes.group = group;
        bench_msg(&bench, i, &yes);
    }
    CU_ASSERT_EQUAL_FATAL(bench.batch.reply_count, 1);
    CU_ASSERT_TRUE(id_equal(&bench.batch.replies[0].id, &bench.id));
    CU_ASSERT_TRUE(digest_equal(&bench.batch.replies[0].digest, &bench.digest));
    CU_ASSERT_EQUAL(bench.batch.replies[0].waiter.request, bench.request);
    CU_ASSERT_TRUE(id_equal(&bench.batch.told[0].id, &bench.id));
    CU_ASSERT_EQUAL(bench.batch.told[0].state, STATE_COMMITTED);
    bench_close(&bench);
}

static void open_sequences_stay_in_order(void) /* R9 */
{
    static const uint64_t open[] = {1, 4, 6};
    struct coord_options options = bench_options();
    struct bench *bench;
    const struct msg *end;

    options.end_ms = 10;
    bench = bench_serving(&options);
    for (uint8_t i = 0; i < 5; i++) { /* 1 to 5 */
        bench_use(bench, i);
        bench_submit(bench, 1, false, 60 * 1000);
    }
    for (uint8_t i = 0; i < 3; i++) { /* 3, 2 and 5 end, in no order */
        static const uint8_t over[] = {2, 1, 4};

        bench_use(bench, over[i]);
        bench_yes(bench, 0, MSG_PREPARE);
        bench_yes(bench, 1, MSG_PREPARE);
        bench_answer(bench, 0, MSG_COMMIT, STATE_COMMITTED);
        bench_answer(bench, 1, MSG_COMMIT, STATE_COMMITTED);
    }
    bench_use(bench, 9);
    bench_submit(bench, 1, false, 60 * 1000); /* 6 */
    bench_tick(bench, 10);
    end = bench_first(bench, MSG_END);
    CU_ASSERT_EQUAL(end->end.watermark, 6);
    CU_ASSERT_EQUAL_FATAL(end->end.exception_count, 3);
    CU_ASSERT(memcmp(end->end.exceptions, open, sizeof(open)) == 0);
    bench_close(bench);
}

static void branches_are_given_back_when_an_abort_starts(void) /* I10 */
{
    struct coord_options options = bench_options();
    struct bench *bench;

    options.blob_bytes = 3 * 128;
    bench = bench_serving(&options);
    bench_submit(bench, 1, false, BENCH_LIMIT);
    bench_tick(bench, BENCH_LIMIT);
    CU_ASSERT_EQUAL(bench_phase(bench), PHASE_ABORTING);
    bench_use(bench, 1);
    bench_submit(bench, 1, false, BENCH_LIMIT);
    SENT(bench, "PaPb");
    bench_close(bench);
}

static void a_full_table_is_busy(void) /* I10 */
{
    struct coord_options options = bench_options();
    struct bench *bench;

    options.txn_max = 2;
    options.in_flight_max = 2;
    bench = bench_serving(&options);
    for (uint8_t i = 0; i < 3; i++) { /* the third finds no room, and will be named again */
        bench_use(bench, i);
        bench_named(bench, 0, MSG_ORPHAN);
    }
    CU_ASSERT_EQUAL(coord_stats(bench->coord)->in_doubt_now, 2);
    bench_submit(bench, 1, false, BENCH_LIMIT);
    REPLIED(bench, "REFUSED BUSY");
    bench_close(bench);
}

static void a_lost_leadership_may_come_back_higher(void) /* R2 */
{
    struct bench *bench = bench_serving(NULL);
    struct msg stale = bench_record(bench, MSG_SEAL, STATE_NONE);

    stale.kind = MSG_STALE;
    stale.stale.sealed_epoch = BENCH_EPOCH + 1;
    bench_msg(bench, 0, &stale);
    SENT(bench, "!");
    bench_group_event(bench, EV_UNLEAD);
    bench_lead(bench, BENCH_EPOCH + 2, 1);
    SENT(bench, "SaSbSc");
    for (int i = 0; i < 2; i++) {
        struct msg sealed = {.kind = MSG_SEALED, .tag = {.epoch = BENCH_EPOCH + 2}};

        sealed.seal.guid.bytes[0] = 1;
        bench_msg(bench, i, &sealed);
        CU_ASSERT_TRUE(bench_has(bench, MSG_REPORT)); /* read anew */
    }
    bench_submit(bench, 1, false, BENCH_LIMIT);
    SENT(bench, "PaPb");
    CU_ASSERT_EQUAL(bench->batch.msgs[0].tag.sequence, 1);
    bench_close(bench);
}

static void the_suspended_seal_and_end_nothing(void)
{
    struct coord_options options = bench_options();
    struct bench *bench;

    options.end_ms = 10;
    bench = bench_serving(&options);
    bench_commit(bench);
    bench_group_event(bench, EV_SUSPEND);
    bench_link(bench, 2, false);
    bench_link(bench, 2, true);
    SENT(bench, "");
    bench_tick(bench, BENCH_RETRY);
    SENT(bench, "");
    bench_group_event(bench, EV_RESUME);
    SENT(bench, "ScEaEb");
    bench_close(bench);
}

static void an_audits_cut_is_after_all_that_was_heard(void)
{
    struct bench *bench = bench_serving(NULL);
    struct msg yes;

    bench_submit(bench, 1, false, BENCH_LIMIT);
    yes = bench_record(bench, MSG_PREPARE, STATE_PREPARED);
    yes.record.timestamp = timestamp_of_ms(bench->wall_ms + 30000);
    bench_msg(bench, 0, &yes);
    audit(bench);
    CU_ASSERT(bench_first(bench, MSG_CUT)->cut.timestamp > yes.record.timestamp);
    bench_close(bench);
}

static void another_list_is_followed_as_another_transaction(void) /* R14, R15 */
{
    struct bench *bench = bench_serving(NULL);
    struct guid store = bench->parties[1].store;
    struct coord_view view;

    bench_submit(bench, 1, false, BENCH_LIMIT);
    bench_answer(bench, 1, MSG_PREPARE, STATE_ABORTED);
    SENT(bench, "Ia");
    bench_yes(bench, 0, MSG_ABORT_IF_MINE); /* an earlier leader's, of who knows which list */
    CU_ASSERT_EQUAL(bench_phase(bench), PHASE_ABORTED);
    bench->parties[1].store.bytes[0] = 99;
    bench_named(bench, 0, MSG_ORPHAN); /* of another store of b: our Abort is not meant */
    SENT(bench, "");
    CU_ASSERT_EQUAL(coord_stats(bench->coord)->following_now, 0);
    bench_named(bench, 0, MSG_ORPHAN);
    SENT(bench, "Qa");
    CU_ASSERT_TRUE_FATAL(coord_find(bench->coord, &bench->id, &view));
    CU_ASSERT_EQUAL(view.phase, PHASE_QUERYING);
    CU_ASSERT_EQUAL(view.parties[1].store.bytes[0], 99);
    bench->parties[1].store = store;
    bench_close(bench);
}

static void its_own_list_makes_a_participant_obey(void) /* R14, R15 */
{
    struct bench *bench = bench_serving(NULL);

    bench_submit(bench, 1, false, BENCH_LIMIT);
    bench_answer(bench, 1, MSG_PREPARE, STATE_ABORTED);
    bench_yes(bench, 0, MSG_ABORT_IF_MINE);
    bench_named(bench, 0, MSG_ORPHAN);
    SENT(bench, "Aa");
    bench_answer(bench, 0, MSG_ABORT, STATE_ABORTED);
    CU_ASSERT_EQUAL(coord_stats(bench->coord)->following_now, 0);
    bench_close(bench);
}

int main(int argc, char **argv)
{
#define TEST(name) {#name, name}
    CU_TestInfo tests[] = {
        TEST(a_view_shows_who_is_waited_for_and_what_for),
        TEST(a_view_shows_whom_a_gathering_or_a_reading_lacks),
        TEST(of_two_contents_the_committed_one_is_shown),
        TEST(a_member_is_up_when_its_registered_store_is_connected),
        TEST(a_new_connection_supersedes_the_old_one),
        TEST(a_store_is_learned_from_hello_where_the_registry_has_none),
        TEST(a_request_that_comes_twice_is_answered_once),
        TEST(branches_come_in_the_digests_order),
        TEST(below_oldest_everywhere_is_dropped),
        TEST(votes_in_many_currencies_are_summed_one_by_one),
        TEST(an_audit_lists_currencies_in_order),
        TEST(an_audit_of_too_many_currencies_says_so),
        TEST(an_audit_with_nobody_connected_names_all),
        TEST(every_message_and_reply_names_what_it_is_about),
        TEST(open_sequences_stay_in_order),
        TEST(branches_are_given_back_when_an_abort_starts),
        TEST(a_full_table_is_busy),
        TEST(a_lost_leadership_may_come_back_higher),
        TEST(the_suspended_seal_and_end_nothing),
        TEST(an_audits_cut_is_after_all_that_was_heard),
        TEST(another_list_is_followed_as_another_transaction),
        TEST(its_own_list_makes_a_participant_obey),
        CU_TEST_INFO_NULL,
    };
#undef TEST
    CU_SuiteInfo suites[] = {
        {"coord edge", NULL, NULL, NULL, NULL, tests},
        CU_SUITE_INFO_NULL,
    };

    return runner_main(suites, argc, argv);
}
