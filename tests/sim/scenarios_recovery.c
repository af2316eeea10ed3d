/*
 * Directed schedules of recovery: what a new leader finds, asks, and may conclude; and the end.
 */
#include "sim/script.h"

enum { B1, B2, B3, B4 };
enum { C1, C2, C3 };

static void s2_old_report(struct sim *sim)
{
    uint32_t t1, ask;

    script_begin(sim, 2, 2);
    t1 = script_transfer(sim, B2, B1, 120); /* b2 will say NO */
    script_hold(sim, C1, B2, MSG_PREPARE, ANY);
    script_submit(sim, t1, C1, 2000);
    sim_run(sim, 50);
    script_expect_state(sim, B1, t1, STATE_PREPARED);
    coordinator_crash(sim, C1);
    script_forget_rules(sim);
    script_hold(sim, C2, B1, MSG_REPORT_PAGE, ANY);
    script_lead(sim, C2);
    ask = script_submit(sim, t1, C2, 500);
    sim_run(sim, 50);
    script_expect_reply(sim, ask, REPLY_ABORTED);
    sim_run(sim, 1000);
    script_expect(sim, !script_is_unresolved(sim, B1, t1), "it is ended");
    script_release(sim);
    sim_run(sim, 1000);
    script_expect_state(sim, B1, t1, STATE_ABORTED);
    script_expect_state(sim, B2, t1, STATE_ABORTED);
}

static void s3_absent_from_a_report(struct sim *sim)
{
    struct msg end = {.kind = MSG_END, .end = {.watermark = 1000}};
    uint32_t t1, ask;

    script_begin(sim, 2, 2);
    t1 = script_transfer(sim, B1, B2, 10);
    script_hold(sim, C1, B2, MSG_COMMIT, ANY);
    ask = script_submit(sim, t1, C1, 1000);
    sim_run(sim, 50);
    script_expect_reply(sim, ask, REPLY_COMMITTED);
    sim->end_forced = true;
    end.tag.epoch = sim->coordinators[C1].groups[0].epoch;
    script_say(sim, C1, B1, &end);
    sim_run(sim, 50);
    script_expect(sim, !script_is_unresolved(sim, B1, t1), "b1 has ended it");
    script_expect_state(sim, B2, t1, STATE_PREPARED);
    coordinator_crash(sim, C1);
    script_lead(sim, C2);
    sim_run(sim, 500);
    script_expect_state(sim, B2, t1, STATE_COMMITTED);
}

/* What an id came to is kept for ever: through End, a checkpoint and a restart. */
static void remember_through_restart(struct sim *sim, uint32_t bank)
{
    sim_run(sim, 1000);
    disk_checkpoint(sim, bank);
    disk_submit(sim, bank);
    sim_run(sim, 50);
    disk_checkpoint(sim, bank);
    disk_submit(sim, bank);
    sim_run(sim, 50);
    script_restart_bank(sim, bank);
}

static void s5_aborted_for_ever(struct sim *sim)
{
    uint32_t t1, t2, ask;

    script_begin(sim, 2, 3);
    t1 = script_transfer(sim, B1, B2, 120); /* b1 has 100 */
    script_hold(sim, C1, B2, MSG_ABORT, ANY);
    script_hold(sim, C1, B2, MSG_ABORT_IF_MINE, ANY);
    ask = script_submit(sim, t1, C1, 1000);
    sim_run(sim, 50);
    script_expect_reply(sim, ask, REPLY_ABORTED);
    t2 = script_transfer(sim, B3, B1, 50); /* now it has enough */
    ask = script_submit(sim, t2, C1, 1000);
    sim_run(sim, 50);
    script_expect_reply(sim, ask, REPLY_COMMITTED);
    remember_through_restart(sim, B1);
    coordinator_crash(sim, C1);
    script_hold(sim, C2, ANY, MSG_REPORT_PAGE, ANY);
    script_lead(sim, C2);
    ask = script_submit(sim, t1, C2, 500);
    sim_run(sim, 500);
    script_expect_reply(sim, ask, REPLY_ABORTED);
}

static void s6_committed_for_ever(struct sim *sim)
{
    uint32_t t1, ask;

    script_begin(sim, 2, 2);
    t1 = script_transfer(sim, B1, B2, 10);
    ask = script_submit(sim, t1, C1, 1000);
    sim_run(sim, 1000);
    script_expect_reply(sim, ask, REPLY_COMMITTED);
    script_expect(sim, !script_is_unresolved(sim, B1, t1), "it is ended");
    remember_through_restart(sim, B1);
    coordinator_crash(sim, C1);
    script_lead(sim, C2);
    ask = script_submit(sim, t1, C2, 500);
    sim_run(sim, 500);
    script_expect_reply(sim, ask, REPLY_COMMITTED);
}

static void s7_other_content(struct sim *sim)
{
    uint32_t t1, t2, ask;

    script_begin(sim, 2, 3);
    t1 = script_transfer(sim, B1, B2, 10);
    t2 = script_transfer_as(sim, t1, B2, B3, 20);
    script_hold(sim, C1, ANY, MSG_COMMIT, ANY);
    ask = script_submit(sim, t1, C1, 1000);
    sim_run(sim, 50);
    script_expect_reply(sim, ask, REPLY_COMMITTED);
    coordinator_crash(sim, C1);
    script_hold(sim, C2, ANY, MSG_REPORT_PAGE, ANY);
    script_lead(sim, C2);
    ask = script_submit(sim, t2, C2, 500);
    sim_run(sim, 1000);
    script_expect_refused(sim, ask, REASON_CONFLICT);
    script_expect_state(sim, B1, t1, STATE_PREPARED);
    script_expect_state(sim, B2, t1, STATE_PREPARED);
    script_expect(sim, sim->oracle.told[t2] == STATE_NONE, "of t2 nothing was told");
    script_release(sim);
    sim_run(sim, 500);
    script_expect_state(sim, B1, t1, STATE_COMMITTED);
}

/* The same through the outcome by id, after the first content's end. */
static void s7_outcome_is_the_first_content(struct sim *sim)
{
    uint32_t t1, t2, ask;

    script_begin(sim, 2, 3);
    t1 = script_transfer(sim, B1, B2, 10);
    t2 = script_transfer_as(sim, t1, B2, B3, 20);
    script_submit(sim, t1, C1, 1000);
    sim_run(sim, 1000);
    coordinator_crash(sim, C1);
    script_lead(sim, C2);
    script_submit(sim, t2, C2, 500);
    sim_run(sim, 500);
    ask = script_outcome(sim, t1, C2);
    sim_run(sim, 500);
    script_expect_reply(sim, ask, REPLY_COMMITTED);
}

/* An ABORTED that was told here is of one content; another of the id was committed elsewhere. */
static void outcome_beside_an_aborted_content(struct sim *sim)
{
    uint32_t t1, t2, ask;

    script_begin(sim, 2, 3);
    t1 = script_transfer(sim, B1, B2, 120); /* b1 has 100 */
    t2 = script_transfer_as(sim, t1, B3, B3, 10);
    ask = script_submit(sim, t1, C1, 500);
    sim_run(sim, 500);
    script_expect_reply(sim, ask, REPLY_ABORTED);
    script_lead(sim, C2);
    ask = script_submit(sim, t2, C2, 500);
    sim_run(sim, 500);
    script_expect_reply(sim, ask, REPLY_COMMITTED);
    ask = script_outcome(sim, t2, C1);
    sim_run(sim, 500);
    script_expect(sim, sim->asks[ask].reply != REPLY_ABORTED, "c1 does not say ABORTED");
}

/*
 * ABORTED is known, and one is PREPARED by an earlier leader's tag: what it holds was read in its
 * report before the decision, so only its own naming tells it to the leader again (R15).
 */
static void prepared_by_another_leader(struct sim *sim)
{
    uint32_t t1, ask;

    script_begin(sim, 2, 3);
    t1 = script_split(sim, B2, B1, B3, 60); /* b2 will say NO */
    script_drop(sim, C1, B2, MSG_RECORD, ANY);
    script_submit(sim, t1, C1, 1000);
    sim_run(sim, 50);
    script_expect_state(sim, B3, t1, STATE_PREPARED);
    coordinator_crash(sim, C1);
    script_hold(sim, C2, ANY, MSG_REPORT_PAGE, ANY);
    script_lead(sim, C2);
    script_drop(sim, C2, B2, MSG_RECORD, ANY);
    script_drop(sim, C2, B3, MSG_RECORD, ANY);
    ask = script_submit(sim, t1, C2, 1000);
    sim_run(sim, 10); /* b1 has repeated its YES; b2's NO and b3's YES are lost */
    script_release(sim);
    script_drop(sim, C2, B3, MSG_PREPARE, ANY);
    sim_run(sim, 300); /* b2's NO, asked for again, and b3 does not obey AbortIfMine */
    script_expect_reply(sim, ask, REPLY_ABORTED);
    script_expect_state(sim, B1, t1, STATE_ABORTED);
    sim_run(sim, 300);
    script_expect_state(sim, B3, t1, STATE_PREPARED);
    script_expect(sim, script_is_unresolved(sim, B1, t1), "b1 keeps it for b3's sake");
    sim_run(sim, 1500);
    script_expect_state(sim, B3, t1, STATE_ABORTED);
}

static void s13_watermark_of_another_epoch(struct sim *sim)
{
    uint32_t t1, t2, t3;

    script_begin(sim, 2, 3);
    t1 = script_transfer(sim, B1, B2, 10);
    t2 = script_transfer(sim, B1, B3, 10);
    t3 = script_transfer(sim, B3, B1, 10);
    script_hold(sim, C1, B2, MSG_COMMIT, ANY);
    script_submit(sim, t1, C1, 1000);
    sim_run(sim, 50);
    script_expect_state(sim, B1, t1, STATE_COMMITTED);
    coordinator_crash(sim, C1);
    script_hold(sim, C2, ANY, MSG_REPORT_PAGE, ANY);
    script_hold(sim, C2, ANY, MSG_ORPHAN, ANY);
    script_lead(sim, C2);
    script_submit(sim, t2, C2, 500);
    script_submit(sim, t3, C2, 500);
    sim_run(sim, 900);
    script_expect(sim, !script_is_unresolved(sim, B1, t2), "t2 is ended");
    script_expect(sim, script_is_unresolved(sim, B1, t1), "t1 is not");
    script_release(sim);
    sim_run(sim, 500);
    script_expect_state(sim, B2, t1, STATE_COMMITTED);
}

static void s14_end_without_all(struct sim *sim)
{
    uint32_t t1, ask;

    script_begin(sim, 2, 3);
    t1 = script_split(sim, B1, B2, B3, 60); /* b1 will say NO */
    script_hold(sim, C1, B2, MSG_RECORD, ANY);
    script_hold(sim, C1, B2, MSG_ABORT, ANY);
    script_hold(sim, C1, B2, MSG_ABORT_IF_MINE, ANY);
    ask = script_submit(sim, t1, C1, 1000);
    sim_run(sim, 100);
    script_expect_reply(sim, ask, REPLY_ABORTED);
    script_expect_state(sim, B2, t1, STATE_PREPARED);
    sim_run(sim, 1000);
    script_expect(sim, script_is_unresolved(sim, B3, t1), "b3 keeps it for b2's sake");
}

static void s15_acknowledgement_of_another_epoch(struct sim *sim)
{
    uint32_t t1;

    script_begin(sim, 1, 2);
    t1 = script_transfer(sim, B1, B2, 10);
    script_hold(sim, C1, B2, MSG_COMMIT, ANY);
    script_submit(sim, t1, C1, 1000);
    sim_run(sim, 6);
    script_hold(sim, C1, B1, MSG_RECORD, (int)t1); /* b1's acknowledgement (e1, 1) */
    sim_run(sim, 44);
    script_expect_state(sim, B1, t1, STATE_COMMITTED);
    zk_expire(sim, 0);
    script_forget_rules(sim);
    script_hold(sim, C1, B1, MSG_COMMIT, ANY);
    script_tell_unled(sim, C1); /* the same process leads again, as e2 */
    sim_run(sim, 100);
    script_expect_state(sim, B2, t1, STATE_COMMITTED);
    script_forget_rules(sim);
    script_drop(sim, C1, B1, MSG_COMMIT, ANY);
    net_release(sim); /* the late acknowledgement arrives, the Commit of e2 does not */
    sim_run(sim, 1500);
    script_expect(sim, script_is_unresolved(sim, B2, t1), "e2 waits for b1");
}

static void absent_participant_holds_the_watermark(struct sim *sim)
{
    uint32_t kept[3], ended[3];

    script_begin(sim, 1, 3);
    script_hold(sim, C1, B3, MSG_COMMIT, ANY);
    for (int i = 0; i < 3; i++) {
        kept[i] = script_transfer(sim, B1, B3, 5);
        ended[i] = script_transfer(sim, B1, B2, 5);
        script_submit(sim, kept[i], C1, 500);
        script_submit(sim, ended[i], C1, 500);
        sim_run(sim, 50);
    }
    script_cut(sim, C1, B3);
    sim_run(sim, 2000);
    for (int i = 0; i < 3; i++) {
        script_expect(sim, script_is_unresolved(sim, B1, kept[i]), "b1 keeps what b3 has not");
        script_expect(sim, !script_is_unresolved(sim, B1, ended[i]), "the rest is ended");
    }
}

/* All acknowledged, and the leader dies before its End. */
static void decided_and_not_ended(struct sim *sim)
{
    uint32_t t1;

    script_begin(sim, 2, 2);
    t1 = script_transfer(sim, B1, B2, 10);
    script_submit(sim, t1, C1, 1000);
    sim_run(sim, 50);
    script_expect_state(sim, B1, t1, STATE_COMMITTED);
    script_expect_state(sim, B2, t1, STATE_COMMITTED);
    coordinator_crash(sim, C1);
    script_lead(sim, C2);
    sim_run(sim, 1500);
    script_expect(sim, !script_is_unresolved(sim, B1, t1), "the next leader ends it");
}

/* A tag that moved without a record is lost in a crash; whoever names the record is asked again. */
static void tag_lost_in_a_crash(struct sim *sim)
{
    uint32_t t1;

    script_begin(sim, 2, 2);
    t1 = script_transfer(sim, B1, B2, 10);
    script_hold(sim, C1, B2, MSG_COMMIT, ANY);
    script_submit(sim, t1, C1, 1000);
    sim_run(sim, 50);
    script_expect_state(sim, B1, t1, STATE_COMMITTED);
    coordinator_crash(sim, C1);
    script_hold(sim, C2, B2, MSG_COMMIT, ANY);
    script_lead(sim, C2);
    sim_run(sim, 100); /* b1 acknowledged e2's Commit */
    script_restart_bank(sim, B1);
    script_release(sim);
    sim_run(sim, 1500);
    script_expect(sim, !script_is_unresolved(sim, B1, t1), "e2's End covers it");
}

/* R15: a leader whose table is full cannot take all over at once; who is left out says so again. */
static void orphans_are_named_again(struct sim *sim)
{
    uint32_t contents[4];

    script_begin(sim, 2, 4);
    script_hold(sim, C1, ANY, MSG_COMMIT, ANY);
    for (uint32_t i = 0; i < 4; i++) {
        contents[i] = script_transfer(sim, B1, 1 + i % 3, 5);
        script_submit(sim, contents[i], C1, 500);
        sim_run(sim, 20);
    }
    coordinator_crash(sim, C1);
    coordinator_crash(sim, C2);
    sim->faults.tight = true; /* it follows three transactions at once */
    coordinator_start(sim, C2);
    sim_run(sim, 5000);
    for (uint32_t i = 0; i < 4; i++)
        script_expect_state(sim, B1, contents[i], STATE_COMMITTED);
    script_expect(sim, part_stats(sim->banks[B1].part)->orphans_named > 0, "b1 named orphans");
}

/* The decision is found by asking, whoever is still there to answer. */
static void committed_at_one_is_committed(struct sim *sim)
{
    uint32_t t1;

    script_begin(sim, 2, 3);
    t1 = script_split(sim, B1, B2, B3, 10);
    script_hold(sim, C1, B1, MSG_COMMIT, ANY);
    script_hold(sim, C1, B2, MSG_COMMIT, ANY);
    script_submit(sim, t1, C1, 1000);
    sim_run(sim, 50);
    script_expect_state(sim, B3, t1, STATE_COMMITTED);
    coordinator_crash(sim, C1);
    script_cut(sim, C2, B1); /* an asked participant is away */
    script_lead(sim, C2);
    sim_run(sim, 500);
    script_expect_state(sim, B2, t1, STATE_COMMITTED);
}

static void one_waits_for_who_is_away(struct sim *sim)
{
    uint32_t t1, ask;

    script_begin(sim, 2, 2);
    t1 = script_transfer(sim, B1, B2, 10);
    script_hold(sim, C1, ANY, MSG_COMMIT, ANY);
    script_submit(sim, t1, C1, 1000);
    sim_run(sim, 50);
    coordinator_crash(sim, C1);
    script_cut(sim, C2, B2);
    script_lead(sim, C2);
    ask = script_submit(sim, t1, C2, 300);
    sim_run(sim, 2000);
    script_expect_reply(sim, ask, REPLY_UNKNOWN);
    script_expect_state(sim, B1, t1, STATE_PREPARED);
    script_mend(sim, C2, B2);
    sim_run(sim, 500);
    script_expect_state(sim, B1, t1, STATE_COMMITTED);
}

/* Every kind of record is replayed: prepared, committed, aborted, carried, and with it the money.
 */
static void comes_back_with_everything(struct sim *sim)
{
    uint32_t held, done, undone;

    script_begin(sim, 1, 2);
    done = script_transfer(sim, B1, B2, 10);
    undone = script_transfer(sim, B2, B1, 150);
    held = script_transfer(sim, B1, B2, 20);
    script_submit(sim, done, C1, 500);
    script_submit(sim, undone, C1, 500);
    sim_run(sim, 50);
    script_hold(sim, C1, ANY, MSG_COMMIT, ANY);
    script_submit(sim, held, C1, 500);
    sim_run(sim, 50);
    script_restart_bank(sim, B1);
    script_expect_state(sim, B1, held, STATE_PREPARED);
    for (int i = 0; i < 3; i++) {
        disk_checkpoint(sim, B1);
        disk_submit(sim, B1);
        sim_run(sim, 10);
    }
    script_restart_bank(sim, B1);
    script_expect_state(sim, B1, held, STATE_PREPARED);
    script_expect_state(sim, B1, done, STATE_COMMITTED);
    script_expect_state(sim, B1, undone, STATE_ABORTED);
}

const struct scenario scenarios_recovery[] = {
    {"S2", "R8", "a report is read when what it names has ended", s2_old_report},
    {"S3", "R8 R10", "committed and ended here, so absent from the report; prepared there",
     s3_absent_from_a_report},
    {"S5", "R10", "ABORTED is remembered when it could be voted otherwise", s5_aborted_for_ever},
    {"S6", "R10 R3", "COMMITTED is remembered, and not done again", s6_committed_for_ever},
    {"S7", "R3", "other content of the id of a committed transaction", s7_other_content},
    {"S7_outcome", "R3 R8", "and the outcome by id is the committed one",
     s7_outcome_is_the_first_content},
    {"outcome_beside_an_aborted_content", "R8", "ABORTED was told of one content of an id",
     outcome_beside_an_aborted_content},
    {"prepared_by_another_leader", "R9 R14 R15", "it does not obey AbortIfMine, and is waited for",
     prepared_by_another_leader},
    {"S13", "R9", "the sequences of two epochs say nothing of each other",
     s13_watermark_of_another_epoch},
    {"S14", "R9", "End waits for who never answered", s14_end_without_all},
    {"S15", "R9 R2", "an acknowledgement of e1 is read by the same process as e2",
     s15_acknowledgement_of_another_epoch},
    {"absent_participant", "R9", "who is away holds the watermark up, within bounds",
     absent_participant_holds_the_watermark},
    {"decided_and_not_ended", "R8 R9", "acknowledged by all, and the leader dies before its End",
     decided_and_not_ended},
    {"tag_lost_in_a_crash", "R9", "acknowledged to e2, crashed, back under e1's tag",
     tag_lost_in_a_crash},
    {"orphans_are_named_again", "R15", "a full table leaves some out, who name themselves",
     orphans_are_named_again},
    {"committed_at_one", "R8", "COMMITTED anywhere decides, though others are away",
     committed_at_one_is_committed},
    {"waits_for_who_is_away", "R8 R7", "no evidence, no outcome; UNKNOWN is honest",
     one_waits_for_who_is_away},
    {"comes_back_with_everything", "R1 R10", "restart with records of every kind, then carried",
     comes_back_with_everything},
    {0},
};
