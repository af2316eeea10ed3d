/*
 * Faults under load: processes killed, stopped and restarted while transfers run between three
 * banks, and after each the books against what the clients were told.
 */
#include "support/runner.h"
#include "work.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define PROGRESS     100 /* commits that show that the cluster serves */
#define KILLS        20  /* or SETTLE_TEST_KILLS */
#define STOP_EXIT_MS 20000u

static struct test_cluster cluster;
static struct settle *handle;

static int up(void)
{
    test_cluster_up(&cluster, &(struct test_cluster_options){.coordinators = 2, .banks = 3});
    return settle_open(cluster.url, NULL, &handle, NULL);
}

static int down(void)
{
    work_end();
    settle_close(handle);
    test_cluster_down(&cluster);
    return 0;
}

static struct work *begin(const char *tag)
{
    struct work *work;

    test_cluster_heal(&cluster);
    work = work_start(&cluster, handle, tag);
    TEST_UNTIL(work_moved(work, PROGRESS));
    return work;
}

static void goes_on(struct work *work)
{
    work_mark(work);
    TEST_UNTIL(work_moved(work, PROGRESS));
}

static void end(struct work *work)
{
    test_cluster_heal(&cluster);
    goes_on(work);
    work_verify(work);
}

static struct test_node *find_leader(void)
{
    struct test_node *leader = NULL;

    TEST_UNTIL((leader = test_cluster_leader(&cluster, handle)) != NULL);
    return leader;
}

static struct test_node *find_standby(void)
{
    struct test_node *leader = find_leader();
    struct test_node *first = test_cluster_node(&cluster, "coordinator-1");

    return leader == first ? test_cluster_node(&cluster, "coordinator-2") : first;
}

static uint64_t stale_refused(void)
{
    struct settle_status status;
    uint64_t count = 0;

    if (settle_status_get(handle, &status, 0, NULL) != 0)
        return 0;
    count = status.stale_refused;
    settle_status_release(&status);
    return count;
}

/* ---- the tests ---- */

static void leader_killed(void)
{
    struct work *work = begin("LEADER");

    test_node_kill(find_leader());
    goes_on(work);
    end(work);
}

static void standby_killed(void)
{
    struct work *work = begin("STANDBY");

    test_node_kill(find_standby());
    goes_on(work);
    end(work);
}

static void bank_killed_and_restarted(void)
{
    struct work *work = begin("BANK");
    struct test_node *bank = test_cluster_node(&cluster, "bank-b");

    test_node_kill(bank);
    goes_on(work); /* transfers that do not touch it */
    test_node_start(bank);
    end(work);
}

static void leader_stopped_beyond_session_is_refused(void)
{
    struct work *work = begin("STOPPED");
    struct test_node *leader = find_leader();
    uint64_t before = stale_refused();

    test_node_stop(leader);
    TEST_UNTIL(test_cluster_leader(&cluster, handle) != NULL &&
               test_cluster_leader(&cluster, handle) != leader);
    goes_on(work);
    test_node_continue(leader);
    TEST_UNTIL(stale_refused() > before);
    end(work);
}

static void bank_stopped_and_continued(void)
{
    struct work *work = begin("HUNG");
    struct test_node *bank = test_cluster_node(&cluster, "bank-c");

    test_node_stop(bank);
    goes_on(work);
    test_node_continue(bank);
    end(work);
}

static void all_killed_at_once(void)
{
    struct work *work = begin("ALL");

    for (unsigned i = 0; i < cluster.node_count; i++)
        test_node_signal(&cluster.nodes[i], SIGKILL);
    zk_server_kill(&cluster.zookeeper);
    for (unsigned i = 0; i < cluster.node_count; i++)
        test_node_kill(&cluster.nodes[i]); /* reaped */
    end(work);
}

static void zookeeper_killed_under_load(void)
{
    struct work *work = begin("ZOOKEEPER");

    zk_server_kill(&cluster.zookeeper);
    TEST_UNTIL(test_cluster_leader(&cluster, handle) == NULL);
    zk_server_restart(&cluster.zookeeper);
    goes_on(work);
    end(work);
}

static void zookeeper_restarts_within_the_session(void)
{
    struct work *work = begin("BLINK");

    zk_server_pause(&cluster.zookeeper);
    goes_on(work); /* the lease still runs */
    zk_server_continue(&cluster.zookeeper);
    end(work);
}

static void stops_in_order(struct work *work, struct test_node *node)
{
    test_node_signal(node, SIGTERM);
    CU_ASSERT_EQUAL(test_node_wait(node, STOP_EXIT_MS), 0);
    goes_on(work);
    test_cluster_heal(&cluster);
    goes_on(work);
}

static void terminated_leader_and_bank_end_in_order(void)
{
    struct work *work = begin("TERM");

    stops_in_order(work, find_leader());
    stops_in_order(work, test_cluster_node(&cluster, "bank-a"));
    end(work);
}

/* One of the daemons, or now and then ZooKeeper. */
static void kill_somebody(unsigned number)
{
    unsigned chosen = test_random(&cluster, cluster.node_count + 1);
    struct test_node *node = &cluster.nodes[chosen];

    if (chosen == cluster.node_count) {
        printf("  kill %u: zookeeper\n", number);
        zk_server_kill(&cluster.zookeeper);
        zk_server_restart(&cluster.zookeeper);
        return;
    }
    printf("  kill %u: %s\n", number, node->name);
    test_node_kill(node);
    test_node_start(node);
}

static void random_kills(void)
{
    const char *text = getenv("SETTLE_TEST_KILLS");
    unsigned kills = text ? (unsigned)strtoul(text, NULL, 10) : KILLS;
    struct work *work = begin("RANDOM");
    unsigned more;

    for (unsigned i = 0; i < kills; i++) {
        kill_somebody(i + 1);
        more = test_random(&cluster, 2) * test_random(&cluster, 10 * PROGRESS);
        work_mark(work);
        TEST_UNTIL(work_moved(work, more)); /* 0: the next one comes at once */
    }
    end(work);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"leader_killed", leader_killed},
        {"standby_killed", standby_killed},
        {"bank_killed_and_restarted", bank_killed_and_restarted},
        {"leader_stopped_beyond_session_is_refused", leader_stopped_beyond_session_is_refused},
        {"bank_stopped_and_continued", bank_stopped_and_continued},
        {"all_killed_at_once", all_killed_at_once},
        {"zookeeper_killed_under_load", zookeeper_killed_under_load},
        {"zookeeper_restarts_within_the_session", zookeeper_restarts_within_the_session},
        {"terminated_leader_and_bank_end_in_order", terminated_leader_and_bank_end_in_order},
        {"random_kills", random_kills},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"faults", up, down, NULL, NULL, tests},
        CU_SUITE_INFO_NULL,
    };

    return runner_main(suites, argc, argv);
}
