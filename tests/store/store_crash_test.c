#include "store/disk_model.h"
#include "store/fixture.h"
#include "support/runner.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[PATH_SIZE];
static char dir[PATH_SIZE];

static void set_up(void)
{
    folder_make(folder);
    path_join(dir, folder, "data");
}

static void tear_down(void)
{
    tap_clear();
    folder_remove(folder);
}

/* Sizes that use a part of a page, most of it, and several. */
static size_t size_of(uint64_t position)
{
    static const size_t sizes[] = {40, 160, 900, 1900, 5000};

    return sizes[position % (sizeof(sizes) / sizeof(sizes[0]))];
}

/* Every position up to the tail is there, whole, and the tail is not below `acknowledged`. */
static void check_journal(struct store *store, uint64_t acknowledged)
{
    struct err err = {0};

    CU_ASSERT(store_tail(store) >= acknowledged);
    for (uint64_t position = 1; position <= store_tail(store); position++)
        CU_ASSERT_TRUE_FATAL(journal_has(store, position, size_of(position)));
    CU_ASSERT_EQUAL(store_verify(store, &err), 0);
}

/* One to four records a job; returns the last position. */
static uint64_t submit_some(struct store *store, uint64_t position)
{
    struct store_job *job = must_begin(store);
    uint64_t count = 1 + position % 4;

    for (uint64_t i = 0; i < count; i++) {
        position++;
        must_put_journal(job, position, size_of(position));
    }
    CU_ASSERT_TRUE(store_put(job, STORE_META, "checkpoint", 10, &position, sizeof(position)));
    store_job_submit(job, position);
    return position;
}

/* SIGKILL. */

static int ack_fds[2];

/* Writes for ever, and says what is durable. */
static void write_for_ever(const char *path)
{
    struct store *store = must_open(path);
    uint64_t position = store_tail(store), said = position;

    for (;;) {
        uint64_t durable;

        position = submit_some(store, position);
        durable = store_durable(store);
        if (durable > said && write(ack_fds[1], &durable, sizeof(durable)) == sizeof(durable))
            said = durable;
    }
}

/*
 * What was acknowledged is there when the process is killed at any instant. The kernel lives on, so
 * this says nothing of power; the power cuts below do.
 */
static void acknowledged_positions_survive_sigkill(void)
{
    uint64_t acknowledged = 0;

    store_close(must_make(dir));
    for (int round = 0; round < 20; round++) {
        uint64_t target = acknowledged + 1 + (uint64_t)round * 7;
        struct store *store;
        pid_t pid;

        CU_ASSERT_EQUAL_FATAL(pipe(ack_fds), 0);
        pid = fork();
        if (pid == 0)
            write_for_ever(dir);
        close(ack_fds[1]);
        while (acknowledged < target)
            CU_ASSERT_EQUAL_FATAL(read(ack_fds[0], &acknowledged, sizeof(acknowledged)),
                                  sizeof(acknowledged));
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        while (read(ack_fds[0], &acknowledged, sizeof(acknowledged)) == sizeof(acknowledged))
            continue;
        close(ack_fds[0]);
        store = must_open(dir);
        CU_ASSERT_EQUAL(store_identity(store)->incarnation, 3 + 2 * (uint64_t)round);
        check_journal(store, acknowledged);
        store_close(store);
    }
}

/* Power. */

static void cut_and_check(struct prng *prng, uint64_t acknowledged, size_t *lost)
{
    char cut[PATH_SIZE], data[PATH_SIZE];
    struct store *store;

    path_join(cut, folder, "cut");
    path_join(data, cut, "data.mdb");
    CU_ASSERT_EQUAL_FATAL(mkdir(cut, 0700), 0);
    *lost += disk_cut(data, prng);
    store = must_open(cut);
    check_journal(store, acknowledged);
    store_close(store);
    folder_remove(cut);
}

/*
 * At any instant, with any part of what was not yet forced lost: a store that opens, whole, with
 * all that was acknowledged. Kills a commit without its fdatasync, and one that does not force its
 * meta page.
 */
static void acknowledged_positions_survive_power_cuts(void)
{
    char data[PATH_SIZE];
    struct store *store;
    struct prng prng;
    uint64_t position = 0;
    size_t lost = 0;

    prng_init(&prng, 42);
    store_close(must_make(dir));
    path_join(data, dir, "data.mdb");
    disk_watch(data);
    store = must_open(dir);
    for (int round = 0; round < 60; round++) {
        uint64_t acknowledged;

        for (uint64_t i = prng_below(&prng, 5); i > 0; i--)
            position = submit_some(store, position);
        if (prng_below(&prng, 3) == 0)
            CU_ASSERT_TRUE(wait_durable(store, position));
        acknowledged = store_durable(store);
        position = submit_some(store, position);
        cut_and_check(&prng, acknowledged, &lost);
    }
    store_close(store);
    cut_and_check(&prng, position, &lost);
    disk_forget();
    /* The cuts met commits in the middle. */
    CU_ASSERT(lost > 0);
}

/* At the gate a commit is complete in memory, and must not have touched what is on the disk. */
static void commit_that_has_not_begun_is_not_there(void)
{
    char data[PATH_SIZE];
    struct store *store;
    struct prng prng;
    size_t lost = 0;

    prng_init(&prng, 7);
    store_close(must_make(dir));
    path_join(data, dir, "data.mdb");
    disk_watch(data);
    store = must_open(dir);
    gate_close();
    submit_some(store, 0);
    gate_wait();
    CU_ASSERT_EQUAL(store_durable(store), 0);
    CU_ASSERT_FALSE(journal_has(store, 1, size_of(1)));
    gate_open();
    CU_ASSERT_TRUE(wait_durable(store, 1));
    cut_and_check(&prng, 1, &lost);
    CU_ASSERT_EQUAL(lost, 0);
    store_close(store);
    disk_forget();
}

/* Failed commits. */

static void write_once(const char *path)
{
    struct store *store = must_open(path);

    tap_fail_at(1);
    if (wait_durable(store, submit_some(store, store_tail(store))))
        fprintf(stderr, "acknowledged\n");
}

static void write_with_failing_sync(const char *path)
{
    struct store *store = must_open(path);

    disk_fail_syncs();
    if (wait_durable(store, submit_some(store, store_tail(store))))
        fprintf(stderr, "acknowledged\n");
}

static void write_beyond_the_file_size_limit(const char *path)
{
    struct store *store = must_open(path);
    struct rlimit limit = {.rlim_cur = 256 << 10, .rlim_max = 256 << 10};
    uint64_t position = store_tail(store);

    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    while (position < store_tail(store) + 2000)
        position = submit_some(store, position);
    if (wait_durable(store, position))
        fprintf(stderr, "acknowledged\n");
}

/*
 * Whatever fails in a commit: the process is gone, with one line that says so, and nothing was
 * acknowledged; started again, the store is whole.
 */
static void failed_commit_ends_the_process(void)
{
    static void (*const cases[])(const char *path) = {write_once, write_with_failing_sync,
                                                      write_beyond_the_file_size_limit};

    store_close(must_make(dir));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct store *store;
        char text[2048];
        int status = run_child(cases[i], dir, text, sizeof(text));

        CU_ASSERT_TRUE(WIFSIGNALED(status));
        CU_ASSERT_EQUAL(WTERMSIG(status), SIGABRT);
        CU_ASSERT_PTR_EQUAL(strstr(text, "level=fatal msg=\"store: cannot commit\""), text);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "error=\"Input/output error\""));
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "todo=\"look after the disk, its space"));
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "node=bank-a"));
        CU_ASSERT_PTR_NULL(strstr(text, "acknowledged\n"));
        CU_ASSERT_PTR_EQUAL(strchr(text, '\n') + 1, text + strlen(text));
        store = must_open(dir);
        CU_ASSERT_EQUAL(store_verify(store, NULL), 0);
        store_close(store);
    }
}

static void write_an_old_position(const char *path)
{
    struct store *store = must_open(path);

    submit_some(store, store_tail(store) - 1);
}

/* A position that was given out once is never given out again, not after a restart either. */
static void old_position_ends_the_process(void)
{
    struct store *store = must_make(dir);
    char text[2048];
    int status;

    CU_ASSERT_TRUE(wait_durable(store, submit_some(store, 0)));
    store_close(store);
    status = run_child(write_an_old_position, dir, text, sizeof(text));
    CU_ASSERT_TRUE(WIFSIGNALED(status));
    CU_ASSERT_EQUAL(WTERMSIG(status), SIGABRT);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "assertion failed"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "journal_put"));
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"acknowledged_positions_survive_sigkill", acknowledged_positions_survive_sigkill},
        {"acknowledged_positions_survive_power_cuts", acknowledged_positions_survive_power_cuts},
        {"commit_that_has_not_begun_is_not_there", commit_that_has_not_begun_is_not_there},
        {"failed_commit_ends_the_process", failed_commit_ends_the_process},
        {"old_position_ends_the_process", old_position_ends_the_process},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"store_crash", NULL, NULL, set_up, tear_down, tests},
        CU_SUITE_INFO_NULL,
    };
    return runner_main(suites, argc, argv);
}
