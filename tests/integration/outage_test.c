/*
 * ZooKeeper away: when daemons start, for longer than a session, wiped, or set back to an older
 * state. What is decided stays decided, and nobody leads under an epoch that was in force before.
 */
#include "money.h"
#include "operator.h"
#include "support/runner.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#define EPOCHS    1000000u /* above every epoch of a test's life */
#define FAILOVERS 3
#define TEXT_SIZE 256

static struct test_cluster cluster;
static struct settle *handle;
static int64_t paid; /* ALICE's balance as the clients were told */

static const struct account alice = {"bank-a", "ALICE"}, bob = {"bank-b", "BOB"};

static int up(void)
{
    test_cluster_up(&cluster, &(struct test_cluster_options){.coordinators = 2, .banks = 2});
    return settle_open(cluster.url, NULL, &handle, NULL);
}

static int down(void)
{
    settle_close(handle);
    test_cluster_down(&cluster);
    return 0;
}

static void begin(void)
{
    test_cluster_heal(&cluster);
    money_open(handle, alice, 1000);
    money_open(handle, bob, 0);
    paid = money_account(handle, bob).posted;
}

static void pay(void)
{
    CU_ASSERT_EQUAL_FATAL(money_pay(handle, alice, bob, 1).result, SETTLE_COMMITTED);
    paid++;
}

static void books_are_right(void)
{
    pay();
    CU_ASSERT_EQUAL(money_account(handle, bob).posted, paid);
    money_audit(handle);
    TEST_UNTIL(money_at_rest(handle));
}

/* True iff every running daemon of this kind has said so. */
static bool all_say(bool coordinators, const char *text)
{
    for (unsigned i = 0; i < cluster.node_count; i++) {
        const struct test_node *node = &cluster.nodes[i];

        if (node->coordinator == coordinators && node->pid != 0 && !test_node_logged(node, text))
            return false;
    }
    return true;
}

static void mark_all(void)
{
    for (unsigned i = 0; i < cluster.node_count; i++)
        test_node_mark(&cluster.nodes[i]);
}

static void restart_all(void)
{
    for (unsigned i = 0; i < cluster.node_count; i++) {
        test_node_kill(&cluster.nodes[i]);
        test_node_start(&cluster.nodes[i]);
    }
}

static void absent_at_start(void)
{
    zk_server_kill(&cluster.zookeeper);
    mark_all();
    restart_all();
    TEST_UNTIL(all_say(true, "does not answer") && all_say(false, "does not answer"));
    zk_server_restart(&cluster.zookeeper);
    TEST_UNTIL(all_say(true, "msg=serving") && all_say(false, "msg=serving"));
    test_cluster_heal(&cluster);
    books_are_right();
}

/* Lost for longer than every session: nobody leads, nothing is told that is not so. */
static void lost_and_back(void)
{
    struct settle_outcome outcome;

    mark_all();
    zk_server_kill(&cluster.zookeeper);
    TEST_UNTIL(all_say(true, "state=lost"));
    outcome = money_pay(handle, alice, bob, 1);
    CU_ASSERT_TRUE(outcome.result == SETTLE_REFUSED || outcome.result == SETTLE_UNKNOWN);
    zk_server_restart(&cluster.zookeeper);
    test_cluster_heal(&cluster);
    CU_ASSERT_EQUAL(money_pay_as(handle, &outcome.id, alice, bob, 1).result, SETTLE_COMMITTED);
    paid++;
    books_are_right();
}

/* Groups that were led under higher epochs are not led again before an operator raises the base. */
static void set_back_to_an_older_state(void)
{
    struct test_node *leader = NULL;

    zk_server_kill(&cluster.zookeeper);
    zk_server_save(&cluster.zookeeper);
    zk_server_restart(&cluster.zookeeper);
    for (int i = 0; i < FAILOVERS; i++) {
        test_cluster_heal(&cluster);
        pay();
        TEST_UNTIL((leader = test_cluster_leader(&cluster, handle)) != NULL);
        test_node_kill(leader);
        pay();
    }
    test_cluster_heal(&cluster);
    mark_all();
    zk_server_kill(&cluster.zookeeper);
    zk_server_restore(&cluster.zookeeper);
    zk_server_restart(&cluster.zookeeper);
    TEST_UNTIL(test_node_logged(&cluster.nodes[0], "was set back to an older state") ||
               test_node_logged(&cluster.nodes[1], "was set back to an older state"));
    operator_raise(&cluster, EPOCHS, 0);
    test_cluster_heal(&cluster);
    books_are_right();
}

/* Stores that belong to a cluster do not make another one where it was. */
static void wiped_and_restored(void)
{
    char data[TEST_PATH_SIZE], text[TEXT_SIZE];
    const char *remove[] = {"rm", "-rf", data, NULL};

    snprintf(data, sizeof(data), "%s/data", cluster.zookeeper.dir);
    zk_server_kill(&cluster.zookeeper);
    zk_server_save(&cluster.zookeeper);
    CU_ASSERT_EQUAL_FATAL(test_run(remove, text, sizeof(text)), 0);
    mark_all();
    zk_server_restart(&cluster.zookeeper);
    TEST_UNTIL(all_say(true, "it was wiped, or this is another ensemble"));
    CU_ASSERT_PTR_NULL(test_cluster_leader(&cluster, handle));
    zk_server_kill(&cluster.zookeeper);
    zk_server_restore(&cluster.zookeeper);
    zk_server_restart(&cluster.zookeeper);
    test_cluster_heal(&cluster);
    books_are_right();
}

/*
 * A bank restarts and waits for its own old session to end, while ZooKeeper is away: when it comes
 * back it gives that session its whole time again, beyond the first wait's end.
 */
static void restart_while_it_is_away(void)
{
    struct test_node *bank = test_cluster_node(&cluster, "bank-a");

    test_node_mark(bank);
    test_node_kill(bank);
    test_node_start(bank);
    TEST_UNTIL(test_node_logged(bank, "ms for its session to end"));
    zk_server_kill(&cluster.zookeeper);
    TEST_UNTIL(test_node_logged(bank, "does not answer since 2 s"));
    test_node_mark(bank);
    zk_server_restart(&cluster.zookeeper);
    TEST_UNTIL(test_node_logged(bank, "msg=serving") || test_node_logged(bank, "msg=stopped"));
    CU_ASSERT_TRUE(test_node_logged(bank, "msg=serving"));
    test_cluster_heal(&cluster);
    books_are_right();
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"absent_at_start", absent_at_start},
        {"lost_and_back", lost_and_back},
        {"restart_while_it_is_away", restart_while_it_is_away},
        {"set_back_to_an_older_state", set_back_to_an_older_state},
        {"wiped_and_restored", wiped_and_restored},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"zookeeper", up, down, begin, NULL, tests},
        CU_SUITE_INFO_NULL,
    };

    return runner_main(suites, argc, argv);
}
