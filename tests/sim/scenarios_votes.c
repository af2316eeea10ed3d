/*
 * Directed schedules of a transaction's own life: votes, aborts, deadlines, reads, one participant.
 * S numbers are those under which the schedules broke earlier drafts of the protocol.
 */
#include "sim/script.h"

enum { B1, B2, B3, B4 };
enum { C1, C2, C3 };

static void commits(struct sim *sim)
{
    uint32_t t1, ask;

    script_begin(sim, 2, 2);
    t1 = script_transfer(sim, B1, B2, 30);
    ask = script_submit(sim, t1, C1, 1000);
    sim_run(sim, 50);
    script_expect_reply(sim, ask, REPLY_COMMITTED);
    script_expect_state(sim, B1, t1, STATE_COMMITTED);
    script_expect_state(sim, B2, t1, STATE_COMMITTED);
    sim_run(sim, 1000);
    script_expect(sim, !script_is_unresolved(sim, B1, t1), "it is ended");
}

static void no_is_told(struct sim *sim)
{
    uint32_t t1, ask;

    script_begin(sim, 2, 2);
    t1 = script_transfer(sim, B1, B2, 101);
    ask = script_submit(sim, t1, C1, 1000);
    sim_run(sim, 50);
    script_expect_reply(sim, ask, REPLY_ABORTED);
    script_expect(sim, sim->asks[ask].reason == REASON_FUNDS, "the voter's reason is told");
    script_expect_state(sim, B2, t1, STATE_ABORTED);
}

/* The largest prepare timestamp is the commit's, whichever vote comes last. */
static void timestamp_is_the_largest(struct sim *sim)
{
    uint32_t t1, t2, ask;

    script_begin(sim, 2, 2);
    sim->banks[B1].skew_ms = 5000;
    t1 = script_transfer(sim, B1, B2, 10);
    script_hold(sim, ANY, B1, MSG_RECORD, ANY);
    ask = script_submit(sim, t1, C1, 1000);
    sim_run(sim, 50);
    script_release(sim);
    sim_run(sim, 50);
    script_expect_reply(sim, ask, REPLY_COMMITTED);
    t2 = script_transfer(sim, B1, B2, 10);
    script_hold(sim, ANY, B2, MSG_RECORD, ANY);
    ask = script_submit(sim, t2, C1, 1000);
    sim_run(sim, 50);
    script_release(sim);
    sim_run(sim, 50);
    script_expect_reply(sim, ask, REPLY_COMMITTED);
}

static void s1_deadline_of_a_resubmission(struct sim *sim)
{
    uint32_t t1, ask;

    script_begin(sim, 2, 2);
    t1 = script_transfer(sim, B1, B2, 10);
    script_hold(sim, C1, ANY, MSG_COMMIT, ANY);
    ask = script_submit(sim, t1, C1, 1000);
    sim_run(sim, 50);
    script_expect_reply(sim, ask, REPLY_COMMITTED);
    coordinator_crash(sim, C1);
    script_hold(sim, C2, ANY, MSG_REPORT_PAGE, ANY); /* to e2 it looks new */
    script_hold(sim, C2, B2, MSG_PREPARE, ANY);
    script_lead(sim, C2);
    ask = script_submit(sim, t1, C2, 300);
    sim_run(sim, 290);
    script_expect_silence(sim, ask);
    script_expect_state(sim, B1, t1, STATE_PREPARED);
    sim_run(sim, 1500); /* the deadline passes, and AbortIfMine goes out */
    script_expect(sim, sim->oracle.told[t1] == STATE_COMMITTED, "nobody was told otherwise");
}

static void s4_unbalanced_votes(struct sim *sim)
{
    uint32_t t1, ask;

    script_begin(sim, 2, 2);
    t1 = script_unbalanced(sim, B1, B2, 5);
    script_drop(sim, C1, ANY, MSG_ABORT, ANY);
    script_drop(sim, C1, ANY, MSG_ABORT_IF_MINE, ANY);
    ask = script_submit(sim, t1, C1, 1000);
    sim_run(sim, 50);
    script_expect_reply(sim, ask, REPLY_ABORTED);
    script_expect_state(sim, B1, t1, STATE_PREPARED);
    coordinator_crash(sim, C1);
    script_lead(sim, C2);
    sim_run(sim, 500);
    script_expect_state(sim, B1, t1, STATE_ABORTED);
    script_expect_state(sim, B2, t1, STATE_ABORTED);
}

static void s8_read_only_no(struct sim *sim)
{
    uint32_t t1, ask;

    script_begin(sim, 2, 3);
    t1 = script_guarded(sim, B1, B2, B3, SIM_NEVER_AVAILABLE);
    script_hold(sim, C1, ANY, MSG_ABORT, ANY);
    script_hold(sim, C1, ANY, MSG_ABORT_IF_MINE, ANY);
    ask = script_submit(sim, t1, C1, 1000);
    sim_run(sim, 50);
    script_expect_silence(sim, ask); /* no ABORTED is durable yet */
    script_expect_state(sim, B1, t1, STATE_NONE);
    script_expect_state(sim, B2, t1, STATE_NONE);
    coordinator_crash(sim, C1);
    script_lead(sim, C2);
    sim_run(sim, 500);
    script_expect(sim, sim->oracle.told[t1] == STATE_NONE, "nothing was told");
}

static void s8_read_only_no_is_told(struct sim *sim)
{
    uint32_t t1, ask;

    script_begin(sim, 2, 3);
    t1 = script_guarded(sim, B1, B2, B3, SIM_NEVER_AVAILABLE);
    ask = script_submit(sim, t1, C1, 1000);
    sim_run(sim, 50);
    script_expect_reply(sim, ask, REPLY_ABORTED);
    script_expect(sim, sim->asks[ask].reason == REASON_CHECK_FAILED, "the check is the reason");
}

static void s9_reader_keeps_nothing(struct sim *sim)
{
    uint32_t t1, ask;

    script_begin(sim, 2, 3);
    t1 = script_guarded(sim, B1, B2, B3, 100);
    script_hold(sim, C1, ANY, MSG_COMMIT, ANY);
    ask = script_submit(sim, t1, C1, 1000);
    sim_run(sim, 50);
    script_expect_reply(sim, ask, REPLY_COMMITTED);
    script_restart_bank(sim, B3);
    coordinator_crash(sim, C1);
    script_lead(sim, C2);
    sim_run(sim, 1000);
    script_expect_state(sim, B1, t1, STATE_COMMITTED);
    script_expect_state(sim, B2, t1, STATE_COMMITTED);
    script_expect_state(sim, B3, t1, STATE_NONE);
}

static void s10_aborted_before_it_may_be_told(struct sim *sim)
{
    uint32_t t1, ask;

    script_begin(sim, 2, 2);
    t1 = script_transfer(sim, B1, B2, 10);
    script_hold(sim, C1, B2, MSG_RECORD, ANY);
    script_hold(sim, C1, ANY, MSG_ABORT_IF_MINE, ANY);
    ask = script_submit(sim, t1, C1, 300);
    sim_run(sim, 1000); /* its deadline is over, and nobody has heard of that */
    script_expect(sim, sim->oracle.told[t1] == STATE_NONE, "nothing was told");
    coordinator_crash(sim, C1);
    script_lead(sim, C2);
    sim_run(sim, 500);
    script_expect_state(sim, B1, t1, STATE_COMMITTED);
    coordinator_start(sim, C1);
    sim_run(sim, 200);
    ask = script_outcome(sim, t1, C1);
    sim_run(sim, 1500);
    script_expect(sim, sim->asks[ask].reply != REPLY_ABORTED, "c1 does not say ABORTED");
    script_submit(sim, t1, C1, 300);
    sim_run(sim, 1500);
}

static void s11_vote_repeated_before_it_is_forced(struct sim *sim)
{
    uint32_t t1, ask;

    script_begin(sim, 2, 2);
    t1 = script_transfer(sim, B1, B2, 10);
    script_stick(sim, B1);
    ask = script_submit(sim, t1, C1, 2000);
    sim_run(sim, 1200); /* Prepare was repeated */
    script_expect_silence(sim, ask);
    script_expect(sim, part_stats(sim->banks[B1].part)->repeats > 0, "the vote was asked again");
    bank_crash(sim, B1);
    script_unstick(sim, B1);
    bank_start(sim, B1);
    sim_run(sim, 1500);
}

/* The same, over the repeat of an outcome. */
static void commit_repeated_before_it_is_forced(struct sim *sim)
{
    uint32_t t1;

    script_begin(sim, 2, 2);
    t1 = script_transfer(sim, B1, B2, 10);
    script_hold(sim, C1, ANY, MSG_COMMIT, ANY);
    script_submit(sim, t1, C1, 1000);
    sim_run(sim, 50);
    script_stick(sim, B1);
    script_release(sim);
    sim_run(sim, 1200);
    script_expect(sim, script_is_unresolved(sim, B2, t1), "b1 acknowledged nothing");
    bank_crash(sim, B1);
    script_unstick(sim, B1);
    bank_start(sim, B1);
}

static void s16_never_prepared_is_no_outcome(struct sim *sim)
{
    uint32_t t1, ask;

    script_begin(sim, 2, 2);
    t1 = script_transfer(sim, B1, B2, 10);
    script_hold(sim, C1, B2, MSG_PREPARE, ANY);
    script_submit(sim, t1, C1, 2000);
    sim_run(sim, 50);
    coordinator_crash(sim, C1);
    script_hold(sim, C2, ANY, MSG_ABORT_IF_MINE, ANY);
    script_lead(sim, C2);
    sim_run(sim, 100); /* b1 is PREPARED, b2 sealed with nothing */
    ask = script_submit(sim, t1, C2, 200);
    sim_run(sim, 1000);
    script_expect(sim, sim->oracle.told[t1] == STATE_NONE, "nothing was told");
    script_release(sim);
    sim_run(sim, 1000);
    script_expect_state(sim, B2, t1, STATE_ABORTED);
    (void)ask;
}

static void s24_repeated_vote(struct sim *sim)
{
    uint32_t t1, ask;

    script_begin(sim, 2, 2);
    t1 = script_transfer(sim, B1, B2, 10);
    script_drop(sim, C1, B1, MSG_RECORD, ANY);
    ask = script_submit(sim, t1, C1, 2000);
    sim_run(sim, 50);
    script_forget_rules(sim);
    sim_run(sim, 500);
    script_expect_reply(sim, ask, REPLY_COMMITTED);
    script_expect(sim, part_stats(sim->banks[B1].part)->repeats > 0, "the vote was repeated");
}

static void s26_votes_after_abort_if_mine(struct sim *sim)
{
    uint32_t t1;

    script_begin(sim, 2, 2);
    t1 = script_transfer(sim, B1, B2, 10);
    script_hold(sim, C1, B2, MSG_RECORD, ANY);
    script_submit(sim, t1, C1, 300);
    sim_run(sim, 250);
    script_hold(sim, C1, ANY, MSG_ABORT_IF_MINE, ANY);
    sim_run(sim, 150); /* the deadline has passed; AbortIfMine is under way */
    script_forget_rules(sim);
    script_hold(sim, C1, ANY, MSG_ABORT_IF_MINE, ANY);
    net_release(sim); /* the vote that was missing arrives first */
    sim_run(sim, 100);
    script_expect(sim, sim->oracle.told[t1] == STATE_NONE, "nothing was told");
    script_expect_state(sim, B1, t1, STATE_PREPARED);
    script_release(sim);
    sim_run(sim, 500);
    script_expect_state(sim, B1, t1, STATE_ABORTED);
    script_expect_state(sim, B2, t1, STATE_ABORTED);
}

static void one_participant_decides(struct sim *sim)
{
    uint32_t t1, t2, ask;

    script_begin(sim, 2, 2);
    t1 = script_transfer(sim, B1, B1, 10);
    script_hold(sim, C1, ANY, MSG_RECORD, ANY);
    ask = script_submit(sim, t1, C1, 300);
    sim_run(sim, 100);
    script_expect_state(sim, B1, t1, STATE_COMMITTED);
    sim_run(sim, 300); /* AbortIfMine meets COMMITTED */
    script_release(sim);
    sim_run(sim, 500);
    script_expect_state(sim, B1, t1, STATE_COMMITTED);
    t2 = script_unbalanced(sim, B1, B1, 5);
    ask = script_submit(sim, t2, C1, 300);
    sim_run(sim, 500);
    script_expect_reply(sim, ask, REPLY_ABORTED);
    script_restart_bank(sim, B1);
}

static void one_participant_lost_before_force(struct sim *sim)
{
    uint32_t t1, ask;

    script_begin(sim, 2, 2);
    t1 = script_transfer(sim, B1, B1, 10);
    script_stick(sim, B1);
    ask = script_submit(sim, t1, C1, 300);
    sim_run(sim, 250);
    script_expect_silence(sim, ask);
    bank_crash(sim, B1);
    script_unstick(sim, B1);
    bank_start(sim, B1);
    script_expect_state(sim, B1, t1, STATE_NONE);
}

static void protocol_is_fixed(struct sim *sim)
{
    struct msg msg = {.kind = MSG_PREPARE};
    struct content *content;
    uint32_t t1, ask;

    script_begin(sim, 2, 2);
    t1 = script_transfer(sim, B1, B2, 10);
    content = &sim->contents[t1];
    content->protocol = PROTOCOL_3PC;
    content_digest(content);
    ask = script_submit(sim, t1, C1, 500);
    sim_run(sim, 1000);
    script_expect_refused(sim, ask, REASON_PROTOCOL);
    msg.tag = (struct tag){sim->coordinators[C1].groups[0].epoch, 77};
    msg.id = content->id;
    msg.digest = content->digest;
    msg.prepare.protocol = PROTOCOL_3PC;
    msg.prepare.parties = (struct party[]){sim->banks[B1].self, sim->banks[B2].self};
    msg.prepare.party_count = 2;
    msg.prepare.branch = content->branches[0].branch;
    script_say(sim, C1, B1, &msg);
    sim_run(sim, 50);
    script_expect_state(sim, B1, t1, STATE_NONE);
    script_expect_state(sim, B2, t1, STATE_NONE);
}

static void busy_promises_nothing(struct sim *sim)
{
    uint32_t contents[5], asks[5], busy = 0;

    sim->faults.tight = true;
    script_begin(sim, 1, 2);
    script_hold(sim, C1, ANY, MSG_COMMIT, ANY);
    for (int i = 0; i < 5; i++) {
        contents[i] = script_transfer(sim, B1, B2, 1);
        asks[i] = script_submit(sim, contents[i], C1, 300);
        sim_run(sim, 50);
        script_expect(sim, sim->asks[asks[i]].answered, "it is answered");
        if (sim->asks[asks[i]].reason != REASON_BUSY)
            continue;
        busy++;
        if (sim->asks[asks[i]].reply == REPLY_REFUSED)
            script_expect_state(sim, B1, contents[i], STATE_NONE);
    }
    script_expect(sim, busy > 0 && busy < 5, "some were too many");
}

const struct scenario scenarios_votes[] = {
    {"commits", "R4 R9", "two votes, a commit, acknowledgements, End", commits},
    {"no_is_told", "R5", "one votes NO, the other holds and lets go", no_is_told},
    {"timestamp_is_the_largest", "R4", "the larger timestamp comes first, then last",
     timestamp_is_the_largest},
    {"S1", "R6", "told COMMITTED; the next leader's deadline passes on a resubmission",
     s1_deadline_of_a_resubmission},
    {"S4", "R4 R8", "all say YES, the nets do not sum to zero, the leader dies",
     s4_unbalanced_votes},
    {"S8", "R12 R6", "a read-only NO, the leader dies before anything is durable", s8_read_only_no},
    {"S8_told", "R12", "a read-only NO is an outcome when one ABORTED is durable",
     s8_read_only_no_is_told},
    {"S9", "R12", "a reader keeps nothing, and recovery does not need it", s9_reader_keeps_nothing},
    {"S10", "R11", "past the deadline, dead, committed by the next, asked again",
     s10_aborted_before_it_may_be_told},
    {"S11", "R1", "a vote that is not forced is asked for again; then a crash",
     s11_vote_repeated_before_it_is_forced},
    {"S11_commit", "R1", "the same of a COMMITTED", commit_repeated_before_it_is_forced},
    {"S16", "R6 R8", "sealed and never prepared is no outcome yet",
     s16_never_prepared_is_no_outcome},
    {"S24", "R3 C2", "a vote that was lost is repeated", s24_repeated_vote},
    {"S26", "R7", "the last YES arrives after AbortIfMine left", s26_votes_after_abort_if_mine},
    {"one_participant", "R13", "the only participant decides; an abort meets COMMITTED",
     one_participant_decides},
    {"one_participant_unforced", "R1 R13", "its decision is lost before it was forced",
     one_participant_lost_before_force},
    {"protocol_is_fixed", "R16", "3PC is refused at both doors", protocol_is_fixed},
    {"busy_promises_nothing", "R3", "tables are full: refused, and nothing is held",
     busy_promises_nothing},
    {0},
};
