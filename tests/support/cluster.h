/*
 * A real cluster for tests: a ZooKeeper server, coordinators and banks as processes of the same
 * build, on free ports and in a temporary folder.
 *
 * Every process is our child and ends with us, however we end. Each can be killed, stopped,
 * continued and started again on its port and store. Waits are for conditions, with a limit, never
 * for time. When a test fails, the last lines of every log are printed and the folder is kept.
 *
 *     struct test_cluster cluster;
 *     test_cluster_up(&cluster, &(struct test_cluster_options){.banks = 3});
 *     ... settle_open(cluster.url, ...)
 *     test_node_kill(test_cluster_leader(&cluster));
 *     test_cluster_down(&cluster);
 *
 * Names are coordinator-1, coordinator-2, .. and bank-a, bank-b, ..
 */
#ifndef SETTLE_TESTS_CLUSTER_H
#define SETTLE_TESTS_CLUSTER_H

#include "settle/admin.h"
#include "support/zookeeper.h"

#include <stdbool.h>
#include <stdint.h>

#define TEST_NODES_MAX          12
#define TEST_FLAGS_MAX          16
#define TEST_PATH_SIZE          128
#define TEST_CLUSTER_NAME       "test"

#define TEST_TICK_MS            500u
#define TEST_SESSION_TIMEOUT_MS 2000u
#define TEST_LIMIT_MS           60000u /* a condition that must come, on a busy machine */
/* I9: after faults heal every transaction ends within this. */
#define TEST_END_LIMIT_MS (TEST_SESSION_TIMEOUT_MS + TEST_TICK_MS + 5000u)

/* A daemon. What it is stays when it is killed; test_node_start() starts it again. */
struct test_node {
    char name[32];
    bool coordinator;
    uint16_t port;
    char address[32]; /* "127.0.0.1:PORT" */
    char data[TEST_PATH_SIZE];
    char log[TEST_PATH_SIZE];
    const char *flags[TEST_FLAGS_MAX]; /* more than the usual ones; ends with NULL */
    pid_t pid;                         /* 0: not running */
    bool stopped;
    long log_mark; /* where test_node_logged() begins to look */
    struct test_cluster *cluster;
};

struct test_cluster {
    struct zk_server zookeeper;
    char dir[64];
    char url[96]; /* zk://.. */
    struct test_node nodes[TEST_NODES_MAX];
    unsigned node_count;
    unsigned failures; /* of CUnit when it came up */
    uint64_t random;   /* state of test_random() */
};

struct test_cluster_options {
    unsigned coordinators;                /* 0: 2 */
    unsigned banks;                       /* 0: 3 */
    const char *const *coordinator_flags; /* more flags, NULL at the end; NULL: none */
    const char *const *bank_flags;
};

/** Monotonic, for limits. */
uint64_t test_now_ms(void);

/** Between two looks at a condition. */
void test_pause(void);

/* Look at a condition again and again; false when it did not come within the limit. */
#define TEST_WAIT(limit_ms, condition)                   \
    __extension__({                                      \
        uint64_t until_ms_ = test_now_ms() + (limit_ms); \
        bool met_ = (condition);                         \
                                                         \
        while (!met_ && test_now_ms() < until_ms_) {     \
            test_pause();                                \
            met_ = (condition);                          \
        }                                                \
        met_;                                            \
    })

/* The condition comes within TEST_LIMIT_MS, or the test ends here as failed. */
#define TEST_UNTIL(condition) CU_ASSERT_TRUE_FATAL(TEST_WAIT(TEST_LIMIT_MS, (condition)))

/** Start everything and wait until it serves; ends the process (TEST_SKIPPED) without Java. */
void test_cluster_up(struct test_cluster *cluster, const struct test_cluster_options *options);

/** End all processes. Prints logs and keeps the folder when a test failed since it came up. */
void test_cluster_down(struct test_cluster *cluster);

/**
 * Start what does not run, continue what is stopped, and wait until the cluster serves. A daemon
 * that ended by itself fails the test.
 */
void test_cluster_heal(struct test_cluster *cluster);

/** True iff a coordinator leads every group and every bank that runs is up, by this handle. */
bool test_cluster_serves(struct test_cluster *cluster, struct settle *settle);

/** By name; the name must be known. */
struct test_node *test_cluster_node(struct test_cluster *cluster, const char *name);

/** The coordinator that leads a group now; NULL when nobody says so. */
struct test_node *test_cluster_leader(struct test_cluster *cluster, struct settle *settle);

/** A number below `bound`, of the cluster's seed (SETTLE_TEST_SEED, or the time; printed). */
unsigned test_random(struct test_cluster *cluster, unsigned bound);

/** Add a daemon that does not run yet; with a store made by `init` unless `no_store`. */
struct test_node *test_node_add(struct test_cluster *cluster, const char *name, bool coordinator,
                                bool no_store);

void test_node_start(struct test_node *node);
void test_node_kill(struct test_node *node); /* SIGKILL, and reaped */
void test_node_stop(struct test_node *node); /* SIGSTOP */
void test_node_continue(struct test_node *node);
void test_node_signal(struct test_node *node, int signal);

/** Wait for the end; the exit code, 128 + signal, or -1 when it still runs at the limit. */
int test_node_wait(struct test_node *node, uint32_t limit_ms);

/** True iff the text stands in the log behind the mark. */
bool test_node_logged(const struct test_node *node, const char *text);
/** Look only at what is logged from now on. */
void test_node_mark(struct test_node *node);

/** A port nobody listens on, outside those the kernel gives to outgoing connections. */
uint16_t test_free_port(void);

/**
 * Run a program to its end and keep what it said on both outputs.
 *
 * @argv    its path first, NULL last
 * @return  its exit code, 128 + signal, or -1 when it had to be killed after TEST_LIMIT_MS
 */
int test_run(const char *const *argv, char *ret_text, size_t size);

/** The path of a program of this build: "settle-participant". */
const char *test_program(const char *name, char path[TEST_PATH_SIZE * 2]);

#endif
