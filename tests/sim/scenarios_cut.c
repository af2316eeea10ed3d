/*
 * Directed schedules of the consistent cut: rules C1 to C7 of lib/core/part_cut.c. What a cut
 * reported is verified when all is over (cuts.c).
 */
#include "sim/script.h"

enum { B1, B2, B3, B4 };
enum { C1, C2, C3 };

static void audit_balances(struct sim *sim)
{
    uint32_t t1, ask;

    script_begin(sim, 1, 3);
    t1 = script_transfer(sim, B1, B2, 10);
    script_submit(sim, t1, C1, 500);
    sim_run(sim, 100);
    ask = script_audit(sim, C1);
    sim_run(sim, 100);
    script_expect_reply(sim, ask, REPLY_AUDIT);
    script_expect(sim, sim->asks[ask].complete, "everybody was read");
}

/* S23: the clock of a cut is forced before the report leaves. */
static void s23_clock_lost(struct sim *sim)
{
    uint32_t t1;

    script_begin(sim, 1, 2);
    for (uint32_t i = 0; i < 2; i++) {
        sim->banks[i].skew_ms = -5000;
        script_stick(sim, i);
    }
    script_audit(sim, C1);
    sim_run(sim, 100);
    for (uint32_t i = 0; i < 2; i++) {
        bank_crash(sim, i);
        script_unstick(sim, i);
        bank_start(sim, i);
    }
    sim_run(sim, 200);
    t1 = script_transfer(sim, B1, B2, 10); /* prepared at or before T */
    script_submit(sim, t1, C1, 500);
    sim_run(sim, 100);
}

/* C1: what is prepared after the cut is stamped after it. */
static void prepared_after_the_cut(struct sim *sim)
{
    uint32_t t1;

    script_begin(sim, 1, 2);
    for (uint32_t i = 0; i < 2; i++)
        sim->banks[i].skew_ms = -5000;
    script_audit(sim, C1);
    sim_run(sim, 100);
    script_expect(sim, sim->cut_count == 2, "both have reported");
    t1 = script_transfer(sim, B1, B2, 10);
    script_submit(sim, t1, C1, 500);
    sim_run(sim, 100);
}

/* C1 again: forced, lost with the machine's memory, and still there. */
static void clock_comes_back(struct sim *sim)
{
    uint64_t clock;
    uint32_t t1;

    script_begin(sim, 1, 2);
    for (uint32_t i = 0; i < 2; i++)
        sim->banks[i].skew_ms = -5000;
    script_audit(sim, C1);
    sim_run(sim, 100);
    clock = part_clock(sim->banks[B1].part);
    script_restart_bank(sim, B1);
    script_restart_bank(sim, B2);
    script_expect(sim, part_clock(sim->banks[B1].part) >= clock, "the clock did not fall");
    t1 = script_transfer(sim, B1, B2, 10);
    script_submit(sim, t1, C1, 500);
    sim_run(sim, 100);
}

/* C3: what was prepared at or before T is waited for. */
static void waits_for_the_prepared(struct sim *sim)
{
    uint32_t t1, ask;

    script_begin(sim, 1, 2);
    t1 = script_transfer(sim, B1, B2, 10);
    script_hold(sim, C1, B2, MSG_COMMIT, ANY);
    script_submit(sim, t1, C1, 500);
    sim_run(sim, 50);
    script_expect_state(sim, B1, t1, STATE_COMMITTED);
    script_expect_state(sim, B2, t1, STATE_PREPARED);
    ask = script_audit(sim, C1);
    sim_run(sim, 50);
    script_expect_silence(sim, ask);
    script_release(sim);
    sim_run(sim, 200);
    script_expect_reply(sim, ask, REPLY_AUDIT);
    script_expect(sim, sim->asks[ask].complete, "nothing is in doubt any more");
}

/* C3: ... or named, if it does not end in time. */
static void names_the_prepared(struct sim *sim)
{
    uint32_t t1, ask;

    script_begin(sim, 1, 2);
    t1 = script_transfer(sim, B1, B2, 10);
    script_hold(sim, C1, ANY, MSG_COMMIT, ANY);
    script_submit(sim, t1, C1, 500);
    sim_run(sim, 50);
    ask = script_audit(sim, C1);
    sim_run(sim, 3000);
    script_expect_reply(sim, ask, REPLY_AUDIT);
    script_expect(sim, sim->cut_count > 0 && sim->cuts[0].doubts != 0, "t1 was named");
}

/* In doubt at one bank, in the totals of another, which then cannot be asked. */
static void doubt_of_who_is_away(struct sim *sim)
{
    uint32_t t1, ask;

    script_begin(sim, 1, 2);
    t1 = script_transfer(sim, B1, B2, 10);
    script_hold(sim, C1, B1, MSG_COMMIT, ANY);
    script_submit(sim, t1, C1, 500);
    sim_run(sim, 50);
    script_expect_state(sim, B2, t1, STATE_COMMITTED);
    ask = script_audit(sim, C1);
    sim_run(sim, 100);
    bank_crash(sim, B2);
    sim_run(sim, 2000);
    script_expect_reply(sim, ask, REPLY_AUDIT);
    script_expect(sim, !sim->asks[ask].complete, "the audit does not know, and says so");
}

/* In doubt here is one content of an id, committed there another. */
static void doubt_of_another_content(struct sim *sim)
{
    uint32_t t1, t2, ask;

    script_begin(sim, 1, 3);
    t1 = script_transfer(sim, B1, B2, 10);
    t2 = script_transfer_as(sim, t1, B3, B3, 10); /* its list shares no bank with t1's */
    script_submit(sim, t2, C1, 500);
    sim_run(sim, 1000);
    script_expect_state(sim, B3, t2, STATE_COMMITTED);
    coordinator_crash(sim, C1); /* what it told would refuse t1 at the door */
    sim->coordinators[C1].history_count = 0;
    coordinator_start(sim, C1);
    sim_run(sim, 3000);
    script_hold(sim, C1, ANY, MSG_COMMIT, ANY);
    script_hold(sim, C1, B2, MSG_PREPARE, ANY);
    script_submit(sim, t1, C1, 3000);
    sim_run(sim, 50);
    script_expect_state(sim, B1, t1, STATE_PREPARED);
    ask = script_audit(sim, C1); /* one-sided: b1 names it, b2 never heard of it */
    sim_run(sim, 2000);
    script_expect_reply(sim, ask, REPLY_AUDIT);
    script_expect(sim, sim->cut_count == 3, "all have reported");
}

/* C4: prepared before T, committed after it: not in the cut. */
static void commit_after_the_cut(struct sim *sim)
{
    uint32_t t1, ask;

    script_begin(sim, 1, 2);
    t1 = script_transfer(sim, B1, B2, 10);
    script_hold(sim, C1, B2, MSG_PREPARE, ANY);
    script_submit(sim, t1, C1, 1500);
    sim_run(sim, 50);
    script_expect_state(sim, B1, t1, STATE_PREPARED);
    ask = script_audit(sim, C1);
    sim_run(sim, 50); /* b2 has reported, b1 waits */
    script_release(sim);
    sim_run(sim, 500);
    script_expect_state(sim, B1, t1, STATE_COMMITTED);
    script_expect_reply(sim, ask, REPLY_AUDIT);
    script_expect(sim, sim->cut_count == 2, "both have reported");
}

/* C5, C6: a commit raised the clock, so that a cut before it is refused where it was applied. */
static void cut_before_a_commit(struct sim *sim)
{
    uint32_t t1;

    script_begin(sim, 2, 2);
    sim->banks[B1].skew_ms = 5000;
    t1 = script_transfer(sim, B1, B2, 10);
    script_submit(sim, t1, C1, 500);
    sim_run(sim, 100);
    script_expect_state(sim, B2, t1, STATE_COMMITTED);
    script_cut(sim, C2, B1); /* c2 never heard of b1's clock */
    script_audit(sim, C2);
    sim_run(sim, 2000);
}

/* C7: a cut far in the future would make every clock useless for as long. */
static void cut_far_ahead(struct sim *sim)
{
    uint64_t limit;
    uint32_t ask;

    script_begin(sim, 1, 2);
    sim->coordinators[C1].skew_ms = 100000;
    ask = script_audit(sim, C1);
    sim_run(sim, 2000);
    limit = timestamp_of_ms(SIM_WALL_MS + sim->now_ms + CLOCK_AHEAD_MAX_MS);
    script_expect(sim, part_clock(sim->banks[B1].part) <= limit, "b1's clock is near its wall");
    script_expect_reply(sim, ask, REPLY_AUDIT);
    script_expect(sim, !sim->asks[ask].complete, "the audit says that it read nobody");
    sim->coordinators[C1].skew_ms = 0;
    coordinator_crash(sim, C1); /* what it learned of time goes with it */
}

static void audit_without_one(struct sim *sim)
{
    uint32_t t1, ask;

    script_begin(sim, 1, 3);
    t1 = script_transfer(sim, B1, B2, 10);
    script_submit(sim, t1, C1, 500);
    sim_run(sim, 100);
    bank_crash(sim, B2);
    ask = script_audit(sim, C1);
    sim_run(sim, 3000);
    script_expect_reply(sim, ask, REPLY_AUDIT);
    script_expect(sim, !sim->asks[ask].complete, "b2 is missing, and that is said");
}

const struct scenario scenarios_cut[] = {
    {"audit_balances", "C3 C4", "an audit of quiet books", audit_balances},
    {"S23", "C1", "a bank reports a cut, crashes, and comes back with a lower clock",
     s23_clock_lost},
    {"prepared_after_the_cut", "C1", "walls behind the cut, and a transfer after it",
     prepared_after_the_cut},
    {"clock_comes_back", "C1", "a cut's clock survives a restart", clock_comes_back},
    {"waits_for_the_prepared", "C3", "committed here, prepared there, then the cut",
     waits_for_the_prepared},
    {"names_the_prepared", "C3", "what stays in doubt is named with the cut", names_the_prepared},
    {"doubt_of_who_is_away", "C3", "in doubt here, in the totals of who is away",
     doubt_of_who_is_away},
    {"doubt_of_another_content", "C3", "in doubt is one content of an id, committed another",
     doubt_of_another_content},
    {"commit_after_the_cut", "C4", "prepared before the cut, committed after it",
     commit_after_the_cut},
    {"cut_before_a_commit", "C5 C6", "a cut below a bank's clock is refused", cut_before_a_commit},
    {"cut_far_ahead", "C7", "a cut more than 60 s ahead is refused", cut_far_ahead},
    {"audit_without_one", "C3", "an absent participant makes an audit incomplete, not unbalanced",
     audit_without_one},
    {0},
};
