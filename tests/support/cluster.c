#include "support/cluster.h"

#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SETTLE_BIN_DIR
#error "SETTLE_BIN_DIR is the build's to define"
#endif

#define PAUSE_NS    5000000
#define ARGUMENTS   48
#define PORT_FIRST  20000u /* below what the kernel takes for outgoing connections */
#define PORT_COUNT  12000u
#define LOG_TAIL    60 /* lines of each log, printed when a test failed */
#define LINE_SIZE   1024
#define STATUS_MS   2000u
#define TEXT_LENGTH 16

static void die(const char *what)
{
    fprintf(stderr, "cluster: %s: %s\n", what, strerror(errno));
    exit(1);
}

uint64_t test_now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void test_pause(void)
{
    static const struct timespec pause = {0, PAUSE_NS};

    nanosleep(&pause, NULL);
}

/* ---- ports and programs ---- */

static bool port_is_free(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_free;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_free = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return is_free;
}

uint16_t test_free_port(void)
{
    static uint32_t offset;

    if (offset == 0)
        offset = (uint32_t)getpid() * 61;
    for (uint32_t i = 0; i < PORT_COUNT; i++) {
        uint16_t port = (uint16_t)(PORT_FIRST + offset++ % PORT_COUNT);

        if (port_is_free(port))
            return port;
    }
    die("no free port");
    return 0;
}

const char *test_program(const char *name, char path[TEST_PATH_SIZE * 2])
{
    snprintf(path, TEST_PATH_SIZE * 2, "%s/%s", SETTLE_BIN_DIR, name);
    return path;
}

/* In the child: both outputs into `fd`, and no life after the parent's. */
static void exec_program(const char *const *argv, int fd)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    dprintf(STDERR_FILENO, "cannot execute %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

static int exit_code(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Read until the end of the output, the limit, or the buffer is full; the rest is dropped. */
static void read_output(int fd, uint64_t until_ms, char *ret_text, size_t size)
{
    char rest[LINE_SIZE];
    size_t used = 0;

    while (test_now_ms() < until_ms) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        size_t room = size - 1 - used;
        ssize_t got;

        if (poll(&wait, 1, 100) <= 0)
            continue;
        got = room > 0 ? read(fd, ret_text + used, room) : read(fd, rest, sizeof(rest));
        if (got <= 0)
            break;
        used += room > 0 ? (size_t)got : 0;
    }
    ret_text[used] = '\0';
}

int test_run(const char *const *argv, char *ret_text, size_t size)
{
    uint64_t until_ms = test_now_ms() + TEST_LIMIT_MS;
    int ends[2], status;
    bool ended;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0)
        die("pipe");
    pid = fork();
    if (pid == 0)
        exec_program(argv, ends[1]);
    if (pid < 0)
        die("fork");
    close(ends[1]);
    read_output(ends[0], until_ms, ret_text, size);
    close(ends[0]);
    ended = TEST_WAIT(until_ms > test_now_ms() ? until_ms - test_now_ms() : 0,
                      waitpid(pid, &status, WNOHANG) == pid);
    if (ended)
        return exit_code(status);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return -1;
}

/* ---- one daemon ---- */

static void init_store(struct test_node *node)
{
    char path[TEST_PATH_SIZE * 2], text[LINE_SIZE];
    const char *argv[] = {
        test_program(node->coordinator ? "settle-coordinator" : "settle-participant", path),
        "init",
        "--data",
        node->data,
        "--id",
        node->name,
        "--cluster",
        TEST_CLUSTER_NAME,
        NULL};

    if (test_run(argv, text, sizeof(text)) != 0) {
        fprintf(stderr, "cluster: init of %s: %s\n", node->name, text);
        exit(1);
    }
}

struct test_node *test_node_add(struct test_cluster *cluster, const char *name, bool coordinator,
                                bool no_store)
{
    struct test_node *node = &cluster->nodes[cluster->node_count];

    if (cluster->node_count++ == TEST_NODES_MAX) {
        errno = E2BIG;
        die("too many nodes");
    }
    memset(node, 0, sizeof(*node));
    node->cluster = cluster;
    node->coordinator = coordinator;
    node->port = test_free_port();
    snprintf(node->name, sizeof(node->name), "%s", name);
    snprintf(node->address, sizeof(node->address), "127.0.0.1:%u", (unsigned)node->port);
    snprintf(node->data, sizeof(node->data), "%s/%s", cluster->dir, name);
    snprintf(node->log, sizeof(node->log), "%s/%s.log", cluster->dir, name);
    if (!no_store)
        init_store(node);
    return node;
}

void test_node_start(struct test_node *node)
{
    char path[TEST_PATH_SIZE * 2], session[TEXT_LENGTH];
    const char *argv[ARGUMENTS] = {
        test_program(node->coordinator ? "settle-coordinator" : "settle-participant", path),
        "--data",
        node->data,
        "--id",
        node->name,
        "--cluster",
        TEST_CLUSTER_NAME,
        "--zookeeper",
        node->cluster->zookeeper.address,
        "--listen",
        node->address,
        "--session-timeout-ms",
        session};
    size_t count = 0;
    int fd;

    snprintf(session, sizeof(session), "%u", TEST_SESSION_TIMEOUT_MS);
    while (argv[count])
        count++;
    for (size_t i = 0; node->flags[i] && count < ARGUMENTS - 1; i++)
        argv[count++] = node->flags[i];
    fd = open(node->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        die(node->log);
    node->pid = fork();
    if (node->pid == 0)
        exec_program(argv, fd);
    if (node->pid < 0)
        die("fork");
    close(fd);
    node->stopped = false;
}

void test_node_kill(struct test_node *node)
{
    int status;

    if (node->pid <= 0)
        return;
    kill(node->pid, SIGKILL);
    waitpid(node->pid, &status, 0);
    node->pid = 0;
    node->stopped = false;
}

void test_node_signal(struct test_node *node, int signal)
{
    if (node->pid > 0)
        kill(node->pid, signal);
}

void test_node_stop(struct test_node *node)
{
    test_node_signal(node, SIGSTOP);
    node->stopped = true;
}

void test_node_continue(struct test_node *node)
{
    test_node_signal(node, SIGCONT);
    node->stopped = false;
}

int test_node_wait(struct test_node *node, uint32_t limit_ms)
{
    int status;

    if (!TEST_WAIT(limit_ms, waitpid(node->pid, &status, WNOHANG) == node->pid))
        return -1;
    node->pid = 0;
    return exit_code(status);
}

bool test_node_logged(const struct test_node *node, const char *text)
{
    char line[LINE_SIZE];
    bool found = false;
    FILE *file = fopen(node->log, "r");

    if (!file)
        return false;
    fseek(file, node->log_mark, SEEK_SET);
    while (!found && fgets(line, sizeof(line), file))
        found = strstr(line, text) != NULL;
    fclose(file);
    return found;
}

void test_node_mark(struct test_node *node)
{
    FILE *file = fopen(node->log, "r");

    node->log_mark = 0;
    if (!file)
        return;
    fseek(file, 0, SEEK_END);
    node->log_mark = ftell(file);
    fclose(file);
}

/* The last lines of a log, kept in a ring while it is read. */
static void print_tail(const char *path, const char *name)
{
    static char lines[LOG_TAIL][LINE_SIZE];
    FILE *file = fopen(path, "r");
    unsigned count = 0;

    if (!file)
        return;
    while (fgets(lines[count % LOG_TAIL], LINE_SIZE, file))
        count++;
    fclose(file);
    printf("---- %s, the end of %u lines\n", name, count);
    for (unsigned i = count > LOG_TAIL ? count - LOG_TAIL : 0; i < count; i++)
        printf("%s", lines[i % LOG_TAIL]);
}

/* ---- the whole ---- */

struct test_node *test_cluster_node(struct test_cluster *cluster, const char *name)
{
    for (unsigned i = 0; i < cluster->node_count; i++) {
        if (strcmp(cluster->nodes[i].name, name) == 0)
            return &cluster->nodes[i];
    }
    errno = ENOENT;
    die(name);
    return NULL;
}

struct test_node *test_cluster_leader(struct test_cluster *cluster, struct settle *settle)
{
    struct test_node *leader = NULL;
    struct settle_status status;

    if (settle_status_get(settle, &status, STATUS_MS, NULL) != 0)
        return NULL;
    for (size_t i = 0; i < status.coordinator_count; i++) {
        if (status.coordinators[i].live && status.coordinators[i].role == SETTLE_LEADER)
            leader = test_cluster_node(cluster, status.coordinators[i].id);
    }
    settle_status_release(&status);
    return leader;
}

static bool bank_is_up(const struct settle_status *status, const struct test_node *node)
{
    for (size_t i = 0; i < status->participant_count; i++) {
        if (strcmp(status->participants[i].id, node->name) == 0)
            return status->participants[i].up != 0;
    }
    return false;
}

bool test_cluster_serves(struct test_cluster *cluster, struct settle *settle)
{
    struct settle_status status;
    unsigned groups = 0;
    bool up = true;

    if (settle_status_get(settle, &status, STATUS_MS, NULL) != 0)
        return false;
    for (size_t i = 0; i < status.coordinator_count; i++) {
        if (status.coordinators[i].live)
            groups += status.coordinators[i].group_count;
    }
    for (unsigned i = 0; i < cluster->node_count && up; i++) {
        const struct test_node *node = &cluster->nodes[i];

        up = node->coordinator || node->pid == 0 || bank_is_up(&status, node);
    }
    settle_status_release(&status);
    return up && groups >= 16; /* GROUPS_DEFAULT */
}

/* Each coordinator by itself: any of them may be asked. */
static bool coordinator_serves(struct test_cluster *cluster, const struct test_node *node)
{
    struct settle_options options = {.connect_ms = STATUS_MS};
    struct settle *settle;
    char url[64];
    bool serves;

    snprintf(url, sizeof(url), "tcp://%s", node->address);
    if (settle_open(url, &options, &settle, NULL) != 0)
        return false;
    serves = test_cluster_serves(cluster, settle);
    settle_close(settle);
    return serves;
}

static bool all_serve(struct test_cluster *cluster)
{
    for (unsigned i = 0; i < cluster->node_count; i++) {
        const struct test_node *node = &cluster->nodes[i];

        if (node->coordinator && node->pid != 0 && !coordinator_serves(cluster, node))
            return false;
    }
    return true;
}

void test_cluster_heal(struct test_cluster *cluster)
{
    if (cluster->zookeeper.pid == 0)
        zk_server_restart(&cluster->zookeeper);
    for (unsigned i = 0; i < cluster->node_count; i++) {
        struct test_node *node = &cluster->nodes[i];

        if (node->pid != 0 && test_node_wait(node, 0) >= 0) {
            printf("  %s has ended by itself\n", node->name);
            CU_FAIL("a daemon ended by itself");
        }
        if (node->stopped)
            test_node_continue(node);
        if (node->pid == 0)
            test_node_start(node);
    }
    CU_ASSERT_TRUE_FATAL(TEST_WAIT(TEST_LIMIT_MS, all_serve(cluster)));
}

static void add_nodes(struct test_cluster *cluster, unsigned count, bool coordinator,
                      const char *const *flags)
{
    for (unsigned i = 0; i < count; i++) {
        struct test_node *node;
        char name[TEXT_LENGTH];

        if (coordinator)
            snprintf(name, sizeof(name), "coordinator-%u", i + 1);
        else
            snprintf(name, sizeof(name), "bank-%c", (char)('a' + i));
        node = test_node_add(cluster, name, coordinator, false);
        for (size_t flag = 0; flags && flags[flag] && flag < TEST_FLAGS_MAX - 1; flag++)
            node->flags[flag] = flags[flag];
        test_node_start(node);
    }
}

static void seed(struct test_cluster *cluster)
{
    const char *text = getenv("SETTLE_TEST_SEED");

    cluster->random = text ? strtoull(text, NULL, 10) : (uint64_t)time(NULL) % 1000000;
    printf("\n  cluster in %s; SETTLE_TEST_SEED=%" PRIu64 "\n", cluster->dir, cluster->random);
}

unsigned test_random(struct test_cluster *cluster, unsigned bound)
{
    uint64_t x;

    cluster->random += 0x9e3779b97f4a7c15u; /* splitmix64 */
    x = cluster->random;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return (unsigned)((x ^ (x >> 31)) % bound);
}

void test_cluster_up(struct test_cluster *cluster, const struct test_cluster_options *options)
{
    memset(cluster, 0, sizeof(*cluster));
    signal(SIGPIPE, SIG_IGN);
    cluster->failures = CU_get_number_of_failures();
    zk_server_start(&cluster->zookeeper, TEST_TICK_MS);
    snprintf(cluster->dir, sizeof(cluster->dir), "/tmp/settle-test-XXXXXX");
    if (!mkdtemp(cluster->dir))
        die("mkdtemp");
    snprintf(cluster->url, sizeof(cluster->url), "zk://%s/%s", cluster->zookeeper.address,
             TEST_CLUSTER_NAME);
    seed(cluster);
    add_nodes(cluster, options->coordinators ? options->coordinators : 2, true,
              options->coordinator_flags);
    add_nodes(cluster, options->banks ? options->banks : 3, false, options->bank_flags);
    if (!TEST_WAIT(TEST_LIMIT_MS, all_serve(cluster))) {
        fprintf(stderr, "cluster: it does not come up\n");
        cluster->failures = UINT32_MAX;
        test_cluster_down(cluster);
        exit(1);
    }
}

void test_cluster_down(struct test_cluster *cluster)
{
    const char *remove[] = {"rm", "-rf", cluster->dir, NULL};
    char text[LINE_SIZE];

    for (unsigned i = 0; i < cluster->node_count; i++)
        test_node_kill(&cluster->nodes[i]);
    zk_server_stop(&cluster->zookeeper);
    if (CU_get_number_of_failures() == cluster->failures && !getenv("SETTLE_TEST_KEEP")) {
        test_run(remove, text, sizeof(text));
        return;
    }
    for (unsigned i = 0; i < cluster->node_count; i++)
        print_tail(cluster->nodes[i].log, cluster->nodes[i].name);
    printf("---- logs and stores are kept in %s\n", cluster->dir);
}
