/*
 * A store that fills up, its map or its disk: new work is refused before anything is promised,
 * decided work still finishes, and with room again the bank takes work as before.
 */
#include "base/limits.h"
#include "base/reason.h"
#include "money.h"
#include "support/cluster.h"
#include "support/runner.h"

#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOTS         16
#define DISK_SIZE     "size=400m"
#define MAP_FLAG      "128m"
#define FILL_LIMIT_MS 240000u
#define CHUNK         65536

static struct test_cluster cluster;
static struct settle *handle;
static bool has_disk; /* bank-c's store is on a small file system of its own */

static const struct account alice = {"bank-a", "ALICE"}, bob = {"bank-b", "BOB"};
static const struct account carol = {"bank-c", "CAROL"};

/* ---- life ---- */

/* Where mounting is not allowed, the test of the full disk is left out, saying so. */
static bool mount_disk(const char *dir)
{
    return mkdir(dir, 0700) == 0 && mount("tmpfs", dir, "tmpfs", 0, DISK_SIZE) == 0;
}

static void move_store(struct test_node *node, const char *disk)
{
    char text[256];
    const char *argv[] = {"cp", "-a", node->data, disk, NULL};

    test_node_kill(node);
    if (test_run(argv, text, sizeof(text)) != 0)
        printf("  cannot move the store: %s\n", text);
    snprintf(node->data, sizeof(node->data), "%s/bank-c", disk);
    test_node_start(node);
}

static int up(void)
{
    /* Mounts of our own, which end with us and our children. */
    bool own = unshare(CLONE_NEWNS) == 0 &&
               mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
    char disk[TEST_PATH_SIZE - 16];

    test_cluster_up(&cluster, &(struct test_cluster_options){.coordinators = 1, .banks = 3});
    snprintf(disk, sizeof(disk), "%s/disk", cluster.dir);
    has_disk = own && mount_disk(disk);
    if (has_disk)
        move_store(test_cluster_node(&cluster, "bank-c"), disk);
    return settle_open(cluster.url, NULL, &handle, NULL);
}

static int down(void)
{
    char disk[TEST_PATH_SIZE];

    settle_close(handle);
    for (unsigned i = 0; i < cluster.node_count; i++)
        test_node_kill(&cluster.nodes[i]);
    snprintf(disk, sizeof(disk), "%s/disk", cluster.dir);
    if (has_disk)
        umount(disk);
    test_cluster_down(&cluster);
    return 0;
}

/* ---- filling ---- */

/* Payments of as many legs as there may be, from CASH to an account of the same bank. */
struct filling {
    struct settle_leg legs[LEGS_MAX];
    atomic_uint under_way, committed, full, other;
};

static void on_done(void *ctx, const struct settle_outcome *outcome)
{
    struct filling *filling = ctx;

    if (outcome->result == SETTLE_COMMITTED)
        filling->committed++;
    else if (outcome->reason == REASON_STORAGE_FULL)
        filling->full++;
    else
        filling->other++;
    filling->under_way--;
}

static void fill_one(struct filling *filling)
{
    struct settle_submit submit = {
        .legs = filling->legs, .leg_count = LEGS_MAX, .deadline_ms = MONEY_TIMEOUT_MS};

    settle_id_new(&submit.id);
    filling->under_way++;
    if (settle_submit_start(handle, &submit, on_done, filling, NULL) != 0)
        filling->under_way--;
}

static bool keep_filling(struct filling *filling)
{
    while (filling->under_way < SLOTS && filling->full == 0)
        fill_one(filling);
    return filling->full > 0;
}

/* Until the bank says that it is full: nothing else may come of it but commits. */
static void fill(struct account account)
{
    static struct filling filling;
    struct account cash = {account.bank, "CASH"};
    int64_t before = money_account(handle, account).posted;

    memset(&filling, 0, sizeof(filling));
    for (int i = 0; i < LEGS_MAX; i++)
        filling.legs[i] = money_leg(i % 2 ? account : cash, i % 2 ? SETTLE_CREDIT : SETTLE_DEBIT,
                                    1);
    CU_ASSERT_TRUE(TEST_WAIT(FILL_LIMIT_MS, keep_filling(&filling)));
    TEST_UNTIL(filling.under_way == 0);
    printf("  full after %u payments\n", filling.committed);
    CU_ASSERT_EQUAL(filling.other, 0);
    CU_ASSERT_TRUE(filling.committed > 0);
    CU_ASSERT_EQUAL(money_account(handle, account).posted,
                    before + (int64_t)filling.committed * LEGS_MAX / 2);
}

/* ---- what must hold ---- */

struct kept {
    struct settle_leg legs[2];
    struct settle_id id;
    struct settle_outcome outcome;
    atomic_bool done;
};

static void on_kept(void *ctx, const struct settle_outcome *outcome)
{
    struct kept *kept = ctx;

    kept->outcome = *outcome;
    kept->done = true;
}

/* A payment that is prepared where it will be full, and waits for bank-b, which hangs. */
static void prepare(struct kept *kept, struct account from)
{
    struct settle_submit submit = {
        .legs = kept->legs, .leg_count = 2, .deadline_ms = FILL_LIMIT_MS};

    memset(kept, 0, sizeof(*kept));
    kept->legs[0] = money_leg(from, SETTLE_DEBIT, 7);
    kept->legs[1] = money_leg(bob, SETTLE_CREDIT, 7);
    test_node_stop(test_cluster_node(&cluster, "bank-b"));
    settle_id_new(&kept->id);
    submit.id = kept->id;
    CU_ASSERT_EQUAL_FATAL(settle_submit_start(handle, &submit, on_kept, kept, NULL), 0);
    TEST_UNTIL(money_account(handle, from).debits_pending == 7);
}

static void finishes(struct kept *kept, struct account from)
{
    CU_ASSERT_EQUAL(money_account(handle, from).debits_pending, 7); /* and no more */
    test_node_continue(test_cluster_node(&cluster, "bank-b"));
    TEST_UNTIL(kept->done);
    CU_ASSERT_EQUAL(kept->outcome.result, SETTLE_COMMITTED);
    CU_ASSERT_EQUAL(money_entries(handle, bob, &kept->id), 1);
    TEST_UNTIL(money_account(handle, from).debits_pending == 0);
    TEST_UNTIL(money_at_rest(handle));
    money_audit(handle);
}

static void full_map(void)
{
    static struct kept kept;
    struct test_node *bank = test_cluster_node(&cluster, "bank-a");

    test_node_kill(bank);
    bank->flags[0] = "--map-size";
    bank->flags[1] = MAP_FLAG;
    test_cluster_heal(&cluster);
    money_open(handle, alice, 100);
    money_open(handle, bob, 0);
    prepare(&kept, alice);
    fill(alice);
    CU_ASSERT_TRUE(test_node_logged(bank, "raise the map size and restart"));
    finishes(&kept, alice);
    test_node_kill(bank);
    test_cluster_heal(&cluster); /* a full one starts, too */
    CU_ASSERT_EQUAL(money_account(handle, bob).posted, 7);
    test_node_kill(bank);
    bank->flags[0] = NULL;
    test_cluster_heal(&cluster);
    CU_ASSERT_EQUAL(money_pay(handle, alice, bob, 1).result, SETTLE_COMMITTED);
    money_audit(handle);
}

/* Write until nothing more fits. */
static void write_ballast(const char *path)
{
    static const char zeros[CHUNK];
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    CU_ASSERT_TRUE_FATAL(fd >= 0);
    while (write(fd, zeros, sizeof(zeros)) > 0)
        ;
    close(fd);
}

static void full_disk(void)
{
    static struct kept kept;
    struct test_node *bank = test_cluster_node(&cluster, "bank-c");
    char ballast[TEST_PATH_SIZE * 2];

    if (!has_disk) {
        printf("  left out: mounting a small file system is not allowed here\n");
        return;
    }
    test_cluster_heal(&cluster);
    money_open(handle, carol, 100);
    money_open(handle, bob, 0);
    snprintf(ballast, sizeof(ballast), "%s/disk/ballast", cluster.dir);
    write_ballast(ballast);
    prepare(&kept, carol);
    fill(carol);
    CU_ASSERT_TRUE(test_node_logged(bank, "free space on it"));
    finishes(&kept, carol);
    CU_ASSERT_EQUAL(unlink(ballast), 0);
    TEST_UNTIL(money_pay(handle, carol, bob, 1).result == SETTLE_COMMITTED);
    CU_ASSERT_TRUE(test_node_logged(bank, "there is space again"));
    money_audit(handle);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"full_map", full_map},
        {"full_disk", full_disk},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"full", up, down, NULL, NULL, tests},
        CU_SUITE_INFO_NULL,
    };

    return runner_main(suites, argc, argv);
}
