/*
 * Starts that must fail, with a sentence that says what to do, and starts that must wait: flags and
 * configuration, ports, stores, identities.
 */
#include "money.h"
#include "support/cluster.h"
#include "support/runner.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_SIZE    8192
#define FLAGS        20
#define END_LIMIT_MS 15000u /* a refused start ends within this; twice the session is waited */
#define USUAL        3      /* a coordinator and two banks */
#define MARK         "DAMAGE-ME"

static struct test_cluster cluster;
static struct settle *handle;
static char text[TEXT_SIZE]; /* what the last program said */

static const struct account alice = {"bank-a", "ALICE"}, bob = {"bank-b", "BOB"};

static int up(void)
{
    test_cluster_up(&cluster, &(struct test_cluster_options){.coordinators = 1, .banks = 2});
    return settle_open(cluster.url, NULL, &handle, NULL);
}

static int down(void)
{
    settle_close(handle);
    test_cluster_down(&cluster);
    return 0;
}

/* Before each test: the usual three run and serve. */
static void begin(void)
{
    static bool funded;

    while (cluster.node_count > USUAL) /* what a failed test left */
        test_node_kill(&cluster.nodes[--cluster.node_count]);
    test_cluster_heal(&cluster);
    money_open(handle, alice, funded ? 0 : 100000);
    money_open(handle, bob, 0);
    funded = true;
}

static void serves(void)
{
    CU_ASSERT_EQUAL(money_pay(handle, alice, bob, 1).result, SETTLE_COMMITTED);
}

/* Run a program with flags to its end. */
static int run(const char *program, const char *const *flags)
{
    const char *argv[FLAGS + 2];
    char path[TEST_PATH_SIZE * 2];
    size_t count = 1;

    argv[0] = test_program(program, path);
    while (flags[count - 1] && count < FLAGS) {
        argv[count] = flags[count - 1];
        count++;
    }
    argv[count] = NULL;
    return test_run(argv, text, sizeof(text));
}

static void says(const char *part)
{
    if (!strstr(text, part))
        printf("  not said: %s\n  but: %s\n", part, text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, part));
}

/* Start a daemon that must end by itself, saying this. It is forgotten afterwards. */
static void is_refused(struct test_node *node, const char *reason)
{
    int code;

    test_node_mark(node);
    test_node_start(node);
    code = test_node_wait(node, END_LIMIT_MS);
    if (code != 1 || !test_node_logged(node, reason))
        printf("  %s ended with %d; not said: %s\n", node->name, code, reason);
    CU_ASSERT_EQUAL(code, 1);
    CU_ASSERT_TRUE(test_node_logged(node, reason));
    test_node_kill(node);
    cluster.node_count--;
    serves();
}

/* ---- flags and configuration ---- */

static void write_file(const char *path, const char *content)
{
    FILE *file = fopen(path, "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(content, file);
    fclose(file);
}

static void check_config(void)
{
    static const char *const programs[] = {"settle-participant", "settle-coordinator"};
    char path[TEST_PATH_SIZE];
    const char *flags[] = {"--config", path, "--data", "/nowhere", "--check-config", NULL};

    snprintf(path, sizeof(path), "%s/good.ini", cluster.dir);
    write_file(path, "[node]\nid = bank-z\n[cluster]\ncluster = c\nzookeeper = 127.0.0.1:1\n"
                     "session-timeout-ms = 4321\n");
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(run(programs[i], flags), 0); /* nothing is opened */
        says("bank-z");
        says("4321");
        says("/nowhere");
        says("listen");
    }
}

static void unknown_key(void)
{
    char path[TEST_PATH_SIZE];
    const char *flags[] = {"--config", path, "--check-config", NULL};

    snprintf(path, sizeof(path), "%s/bad.ini", cluster.dir);
    write_file(path, "[node]\nid = bank-z\nlisen = 127.0.0.1:1\n");
    CU_ASSERT_EQUAL(run("settle-participant", flags), 1);
    says("line 3");
    says("unknown key 'lisen' in section [node]");
    write_file(path, "[store]\nid = bank-z\n");
    CU_ASSERT_EQUAL(run("settle-coordinator", flags), 1);
    says("belongs to section [node]");
    write_file(path, "[node]\nid\n");
    CU_ASSERT_EQUAL(run("settle-coordinator", flags), 1);
    says("line 2");
}

static void unusable_flags(void)
{
    static const char *const unknown[] = {"--lisen", "127.0.0.1:1", NULL};
    static const char *const missing[] = {"--id", "bank-z", NULL};
    static const char *const word[] = {"--session-timeout-ms", "soon", NULL};
    static const char *const below[] = {"--session-timeout-ms", "1", NULL};
    static const char *const name[] = {"--id", "Bank Z", NULL};
    static const char *const absent[] = {"--config", "/nowhere.ini", NULL};

    CU_ASSERT_EQUAL(run("settle-participant", unknown), 1);
    says("unknown flag --lisen");
    CU_ASSERT_EQUAL(run("settle-participant", missing), 1);
    says("is missing");
    CU_ASSERT_EQUAL(run("settle-participant", word), 1);
    says("whole number");
    CU_ASSERT_EQUAL(run("settle-coordinator", below), 1);
    says("from 500 to 60000");
    CU_ASSERT_EQUAL(run("settle-coordinator", name), 1);
    says("a-z, 0-9");
    CU_ASSERT_EQUAL(run("settle-coordinator", absent), 1);
    says("cannot open the configuration file '/nowhere.ini'");
}

static void help_and_version(void)
{
    static const char *const help[] = {"--help", NULL}, *const version[] = {"--version", NULL};

    CU_ASSERT_EQUAL(run("settle-participant", help), 0);
    says("init --data DIR --id NAME --cluster NAME");
    CU_ASSERT_EQUAL(run("settle-coordinator", help), 0);
    says("--in-flight-max");
    CU_ASSERT_EQUAL(run("settle-coordinator", version), 0);
    says("settle-coordinator 0.");
}

/* ---- ports ---- */

static void port_in_use(void)
{
    struct test_node *node = test_node_add(&cluster, "bank-p", false, false);
    struct test_node *other = test_cluster_node(&cluster, "bank-a");
    char expected[64];

    memcpy(node->address, other->address, sizeof(node->address));
    snprintf(expected, sizeof(expected), "port %u is in use; choose another with --listen",
             (unsigned)other->port);
    is_refused(node, expected);
    node = test_node_add(&cluster, "coordinator-p", true, false);
    memcpy(node->address, other->address, sizeof(node->address));
    is_refused(node, expected);
}

static void listening_beyond_loopback(void)
{
    struct test_node *node = test_node_add(&cluster, "coordinator-l", true, false);

    snprintf(node->address, sizeof(node->address), "0.0.0.0:%u", (unsigned)node->port);
    is_refused(node, "accept that with --insecure-listen");
    node = &cluster.nodes[cluster.node_count++]; /* the same once more, now told */
    node->flags[0] = "--insecure-listen";
    test_node_mark(node);
    test_node_start(node);
    TEST_UNTIL(test_node_logged(node, "msg=serving"));
    test_node_signal(node, SIGTERM);
    CU_ASSERT_EQUAL(test_node_wait(node, END_LIMIT_MS), 0);
    cluster.node_count--;
    serves();
}

/* ---- stores ---- */

static void store_missing(void)
{
    is_refused(test_node_add(&cluster, "bank-m", false, true),
               "make one with: settle-participant init --data");
}

static void store_of_another_node(void)
{
    struct test_node *node = test_node_add(&cluster, "bank-n", false, false);

    snprintf(node->name, sizeof(node->name), "bank-o");
    is_refused(node, "the store belongs to node bank-n, expected was node bank-o");
}

static void store_of_another_role(void)
{
    struct test_node *node = test_node_add(&cluster, "bank-r", false, false);

    node->coordinator = true;
    is_refused(node, "the store is a participant's, expected was a coordinator's");
}

static void store_of_another_cluster(void)
{
    struct test_node *node = test_node_add(&cluster, "bank-k", false, true);
    const char *init[] = {"init",   "--data",    node->data,  "--id",
                          "bank-k", "--cluster", "elsewhere", NULL};

    CU_ASSERT_EQUAL_FATAL(run("settle-participant", init), 0);
    is_refused(node, "the store belongs to cluster elsewhere, expected was cluster test");
}

static void store_made_twice(void)
{
    struct test_node *node = test_cluster_node(&cluster, "bank-a");
    const char *init[] = {"init",   "--data",    node->data,        "--id",
                          "bank-a", "--cluster", TEST_CLUSTER_NAME, NULL};

    CU_ASSERT_EQUAL(run("settle-participant", init), 1);
    says(node->data);
    serves();
}

static void store_in_use(void)
{
    struct test_node *node = test_node_add(&cluster, "bank-u", false, true);
    struct test_node *other = test_cluster_node(&cluster, "bank-a");

    snprintf(node->name, sizeof(node->name), "bank-a");
    memcpy(node->data, other->data, sizeof(node->data));
    is_refused(node, "is in use");
}

/* Change every copy of the mark in a file; returns how many there were. */
static unsigned damage(const char *path)
{
    FILE *file = fopen(path, "r+");
    unsigned found = 0;
    size_t length;
    char *bytes;
    long size;

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    bytes = malloc((size_t)size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    rewind(file);
    length = fread(bytes, 1, (size_t)size, file);
    for (size_t i = 0; i + sizeof(MARK) <= length; i++) {
        if (memcmp(bytes + i, MARK, sizeof(MARK) - 1) != 0)
            continue;
        fseek(file, (long)i, SEEK_SET);
        fputc('X', file);
        found++;
    }
    free(bytes);
    fclose(file);
    return found;
}

static void store_damaged(void)
{
    struct test_node *node = test_node_add(&cluster, "bank-d", false, false);
    char path[TEST_PATH_SIZE + 16];

    test_node_start(node);
    TEST_UNTIL(test_cluster_serves(&cluster, handle));
    money_open(handle, (struct account){"bank-d", MARK}, 500);
    test_node_kill(node);
    snprintf(path, sizeof(path), "%s/data.mdb", node->data);
    CU_ASSERT_TRUE_FATAL(damage(path) > 0);
    is_refused(node, "checksum");
}

static void store_cut_off(void)
{
    struct test_node *node = test_node_add(&cluster, "bank-c", false, false);
    char path[TEST_PATH_SIZE + 16];

    snprintf(path, sizeof(path), "%s/data.mdb", node->data);
    write_file(path, "");
    is_refused(node, "is empty; restore the store from a backup");
}

/* ---- identities ---- */

static void second_process_with_a_store_of_its_own(void)
{
    struct test_node *node = test_node_add(&cluster, "bank-v", false, true);
    const char *init[] = {"init",   "--data",    node->data,        "--id",
                          "bank-a", "--cluster", TEST_CLUSTER_NAME, NULL};

    CU_ASSERT_EQUAL_FATAL(run("settle-participant", init), 0);
    snprintf(node->name, sizeof(node->name), "bank-a");
    is_refused(node, "start it with its own data directory");
}

/* A copy of the store has the same identity: it waits, and gives up while the first one lives. */
static void second_process_with_a_copied_store(void)
{
    struct test_node *node = test_node_add(&cluster, "bank-w", false, true);
    struct test_node *other = test_cluster_node(&cluster, "bank-a");
    const char *copy[] = {"cp", "-a", other->data, node->data, NULL};

    test_node_signal(other, SIGTERM);
    CU_ASSERT_EQUAL_FATAL(test_node_wait(other, END_LIMIT_MS), 0);
    CU_ASSERT_EQUAL_FATAL(test_run(copy, text, sizeof(text)), 0);
    test_node_start(other);
    TEST_UNTIL(test_cluster_serves(&cluster, handle));
    snprintf(node->name, sizeof(node->name), "bank-a");
    is_refused(node, "another process is registered as participant 'bank-a'");
}

static void own_restart_before_the_old_session_is_gone(void)
{
    struct test_node *node = test_cluster_node(&cluster, "bank-a");

    test_node_kill(node);
    test_node_mark(node);
    test_node_start(node);
    TEST_UNTIL(test_node_logged(node, "ms for its session to end"));
    TEST_UNTIL(test_node_logged(node, "msg=serving"));
    TEST_UNTIL(test_cluster_serves(&cluster, handle));
    serves();
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"check_config", check_config},
        {"unknown_key", unknown_key},
        {"unusable_flags", unusable_flags},
        {"help_and_version", help_and_version},
        {"port_in_use", port_in_use},
        {"listening_beyond_loopback", listening_beyond_loopback},
        {"store_missing", store_missing},
        {"store_of_another_node", store_of_another_node},
        {"store_of_another_role", store_of_another_role},
        {"store_of_another_cluster", store_of_another_cluster},
        {"store_made_twice", store_made_twice},
        {"store_in_use", store_in_use},
        {"store_damaged", store_damaged},
        {"store_cut_off", store_cut_off},
        {"second_process_with_a_store_of_its_own", second_process_with_a_store_of_its_own},
        {"second_process_with_a_copied_store", second_process_with_a_copied_store},
        {"own_restart_before_the_old_session_is_gone", own_restart_before_the_old_session_is_gone},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"start", up, down, begin, NULL, tests},
        CU_SUITE_INFO_NULL,
    };

    return runner_main(suites, argc, argv);
}
