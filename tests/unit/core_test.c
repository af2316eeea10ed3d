/* Both machines together: what a whole transaction looks like, and what is left after faults. */
#include "core_world.h"
#include "support/runner.h"

static uint32_t unresolved(const struct world *world)
{
    uint32_t count = 0;

    for (int i = 0; i < WORLD_PARTS; i++)
        count += (uint32_t)part_stats(world->parts[i].part)->unresolved_now;
    return count;
}

static const struct reply *last_reply(const struct world *world)
{
    static const struct reply none;

    return world->reply_count > 0 ? &world->replies[world->reply_count - 1] : &none;
}

static void commits_in_one_round_of_votes(void)
{
    struct world world;
    struct id id = world_id(1);

    world_open(&world);
    world_lead(&world, 7);
    world_submit(&world, &id, 1, 100, 5000);
    CU_ASSERT_EQUAL(world.reply_count, 1);
    CU_ASSERT_EQUAL(last_reply(&world)->kind, REPLY_COMMITTED);
    CU_ASSERT_EQUAL(world.told_count, 1);
    CU_ASSERT_EQUAL(world.sent[MSG_PREPARE], 2);
    CU_ASSERT_EQUAL(world.sent[MSG_COMMIT], 2);
    CU_ASSERT_EQUAL(world.parts[0].posted, 1);
    CU_ASSERT_EQUAL(world.parts[1].posted_net, 100);
    CU_ASSERT_EQUAL(coord_stats(world.coord)->following_now, 0);
    world_run(&world, 100);
    CU_ASSERT_EQUAL(unresolved(&world), 0);
    CU_ASSERT_EQUAL(coord_stats(world.coord)->contradictions, 0);
    world_close(&world);
}

static void a_no_aborts_everywhere(void)
{
    struct world world;
    struct id id = world_id(1);

    world_open(&world);
    world_lead(&world, 7);
    world.parts[1].refuse = REASON_FUNDS;
    world_submit(&world, &id, 1, 100, 5000);
    CU_ASSERT_EQUAL(last_reply(&world)->kind, REPLY_ABORTED);
    CU_ASSERT_EQUAL(last_reply(&world)->reason, REASON_FUNDS);
    CU_ASSERT_STRING_EQUAL(last_reply(&world)->node.text, "b");
    CU_ASSERT_EQUAL(world.parts[0].voided, 1);
    world_run(&world, 100);
    CU_ASSERT_EQUAL(unresolved(&world), 0);
    CU_ASSERT_EQUAL(coord_stats(world.coord)->following_now, 0);
    world_close(&world);
}

/* S1, S3: the votes are the log. */
static void next_leader_commits_what_all_voted_for(void)
{
    struct world world;
    struct id id = world_id(1);

    world_open(&world);
    world_lead(&world, 7);
    world.lose = true; /* the votes never arrive */
    world_submit(&world, &id, 1, 100, 5000);
    world.lose = false;
    CU_ASSERT_EQUAL(world.reply_count, 0);
    world_unlead(&world);
    CU_ASSERT_EQUAL(last_reply(&world)->kind, REPLY_UNKNOWN);
    world_lead(&world, 8);
    CU_ASSERT_EQUAL(coord_stats(world.coord)->recovered, 1);
    CU_ASSERT_EQUAL(world.parts[0].posted + world.parts[1].posted, 2);
    world_submit(&world, &id, 1, 100, 5000);
    CU_ASSERT_EQUAL(last_reply(&world)->kind, REPLY_COMMITTED);
    world_run(&world, 200);
    CU_ASSERT_EQUAL(unresolved(&world), 0);
    CU_ASSERT_EQUAL(world.parts[0].posted, 1);
    world_close(&world);
}

static void next_leader_waits_for_whom_it_must_ask(void)
{
    struct world world;
    struct id id = world_id(1);

    world_open(&world);
    world_lead(&world, 7);
    world.lose = true;
    world_submit(&world, &id, 1, 100, 5000);
    world_link_down(&world, 1);
    world.lose = false;
    world_unlead(&world);
    world_lead(&world, 8);
    CU_ASSERT_EQUAL(coord_stats(world.coord)->in_doubt_now, 1);
    CU_ASSERT_EQUAL(world.parts[0].posted + world.parts[0].voided, 0); /* it waits for b */
    world_link_up(&world, 1);
    CU_ASSERT_EQUAL(coord_stats(world.coord)->in_doubt_now, 0);
    CU_ASSERT_EQUAL(world.parts[0].posted, 1);
    world_run(&world, 200);
    CU_ASSERT_EQUAL(unresolved(&world), 0);
    world_close(&world);
}

static void an_audit_sums_to_zero(void)
{
    struct world world;
    struct id id = world_id(1);
    struct event ev;

    world_open(&world);
    world_lead(&world, 7);
    world_submit(&world, &id, 1, 100, 5000);
    ev = world_event(&world, EV_AUDIT);
    ev.audit.deadline_ms = 1000;
    world_step(&world, &ev);
    CU_ASSERT_EQUAL(last_reply(&world)->kind, REPLY_AUDIT);
    CU_ASSERT_EQUAL(last_reply(&world)->reason, REASON_NONE);
    CU_ASSERT_EQUAL(last_reply(&world)->line_count, 1);
    CU_ASSERT(world.line.posted == 0);
    world_close(&world);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"commits_in_one_round_of_votes", commits_in_one_round_of_votes},
        {"a_no_aborts_everywhere", a_no_aborts_everywhere},
        {"next_leader_commits_what_all_voted_for", next_leader_commits_what_all_voted_for},
        {"next_leader_waits_for_whom_it_must_ask", next_leader_waits_for_whom_it_must_ask},
        {"an_audit_sums_to_zero", an_audit_sums_to_zero},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"core", NULL, NULL, NULL, NULL, tests},
        CU_SUITE_INFO_NULL,
    };

    return runner_main(suites, argc, argv);
}
