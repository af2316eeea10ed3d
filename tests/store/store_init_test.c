#include "store/fixture.h"
#include "support/runner.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[PATH_SIZE];
static char dir[PATH_SIZE];

/* What kind of file system a test wants it to be; 0: what it is. */
static long fs_type;

int __real_fstatfs(int fd, struct statfs *fs);
int __wrap_fstatfs(int fd, struct statfs *fs);

int __wrap_fstatfs(int fd, struct statfs *fs)
{
    int rc = __real_fstatfs(fd, fs);

    if (rc == 0 && fs_type != 0)
        fs->f_type = fs_type;
    return rc;
}

static void set_up(void)
{
    fs_type = 0;
    folder_make(folder);
    path_join(dir, folder, "data");
}

static void tear_down(void)
{
    tap_clear();
    folder_remove(folder);
}

static int init_it(struct err *err)
{
    struct store_identity identity = bank_a();

    memset(err, 0, sizeof(*err));
    return store_init(dir, &identity, err);
}

static int open_as(const struct store_identity *expected, struct err *err)
{
    struct store_options options = small_options();
    struct store *store = NULL;
    int rc;

    memset(err, 0, sizeof(*err));
    rc = store_open(dir, expected, &options, &store, err);
    CU_ASSERT((rc == 0) == (store != NULL));
    store_close(store);
    return rc;
}

static void data_path(char path[PATH_SIZE])
{
    path_join(path, dir, "data.mdb");
}

/* Init. */

static void each_open_raises_the_incarnation(void)
{
    struct store *store = must_make(dir);
    struct guid store_id = store_identity(store)->store_id;

    CU_ASSERT_FALSE(guid_is_zero(&store_id));
    CU_ASSERT_STRING_EQUAL(store_identity(store)->node.text, "bank-a");
    for (uint64_t i = 1; i <= 3; i++) {
        CU_ASSERT_EQUAL(store_identity(store)->incarnation, i);
        CU_ASSERT_TRUE(guid_equal(&store_identity(store)->store_id, &store_id));
        store_close(store);
        store = must_open(dir);
    }
    CU_ASSERT_EQUAL(store_tail(store), 0);
    store_close(store);
}

static void two_stores_have_two_ids(void)
{
    struct store *store = must_make(dir);
    struct guid first = store_identity(store)->store_id;

    store_close(store);
    path_join(dir, folder, "other");
    store = must_make(dir);
    CU_ASSERT_FALSE(guid_equal(&store_identity(store)->store_id, &first));
    store_close(store);
}

static void init_of_a_store_is_refused(void)
{
    struct err err;

    CU_ASSERT_EQUAL(init_it(&err), 0);
    CU_ASSERT_EQUAL(init_it(&err), ERR_EXISTS);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "holds a store already"));
    store_close(must_open(dir));
}

static void init_takes_an_empty_folder_and_no_other(void)
{
    char path[PATH_SIZE];
    struct err err;

    CU_ASSERT_EQUAL(mkdir(dir, 0700), 0);
    path_join(path, dir, "notes.txt");
    close(open(path, O_CREAT | O_WRONLY, 0600));
    CU_ASSERT_EQUAL(init_it(&err), ERR_EXISTS);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "not empty"));
    CU_ASSERT_EQUAL(access(path, F_OK), 0);
    CU_ASSERT_EQUAL(unlink(path), 0);
    CU_ASSERT_EQUAL(init_it(&err), 0);
    store_close(must_open(dir));
}

static void init_names_what_is_in_the_way(void)
{
    char path[PATH_SIZE];
    struct err err;

    path_join(path, folder, "absent/data");
    memcpy(dir, path, sizeof(path));
    CU_ASSERT_EQUAL(init_it(&err), ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "absent/data"));

    path_join(dir, folder, "file");
    close(open(dir, O_CREAT | O_WRONLY, 0600));
    CU_ASSERT_EQUAL(init_it(&err), ERR_EXISTS);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no folder"));

    memcpy(dir, "", 1);
    CU_ASSERT_EQUAL(init_it(&err), ERR_USAGE);
    memcpy(dir, "..", 3);
    CU_ASSERT(init_it(&err) < 0);
}

static void init_follows_links_and_slashes(void)
{
    char target[PATH_SIZE];
    struct err err;

    path_join(target, folder, "target");
    CU_ASSERT_EQUAL(mkdir(target, 0700), 0);
    CU_ASSERT_EQUAL(symlink(target, dir), 0);
    CU_ASSERT_EQUAL(init_it(&err), 0);
    store_close(must_open(target));
    path_join(dir, folder, "slashes//");
    CU_ASSERT_EQUAL(init_it(&err), 0);
    store_close(must_open(dir));
}

static void init_here(const char *unused)
{
    struct store_identity identity = bank_a();

    (void)unused;
    if (chdir(folder) != 0 || store_init("here", &identity, NULL) != 0 ||
        store_init("./there/", &identity, NULL) != 0)
        _exit(1);
    store_close(must_open("here"));
    store_close(must_open("there"));
    _exit(store_init("/", &identity, NULL) < 0 ? 0 : 2);
}

static void init_takes_relative_paths(void)
{
    int status = run_child(init_here, dir, NULL, 0);

    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Two at once: the second is told, and takes nothing from the first. */
static void init_beside_a_running_one_is_busy(void)
{
    char temp[PATH_SIZE], path[PATH_SIZE];
    struct err err;
    int fd;

    path_join(temp, folder, "data.init");
    path_join(path, temp, "LOCK");
    CU_ASSERT_EQUAL(mkdir(temp, 0700), 0);
    fd = open(path, O_RDWR | O_CREAT, 0600);
    CU_ASSERT_EQUAL(flock(fd, LOCK_EX), 0);
    CU_ASSERT_EQUAL(init_it(&err), ERR_BUSY);
    CU_ASSERT_EQUAL(access(path, F_OK), 0);
    close(fd);
    CU_ASSERT_EQUAL(init_it(&err), 0);
}

static void init_body(const char *unused)
{
    struct err err;

    (void)unused;
    _exit(init_it(&err) == 0 ? 0 : 1);
}

/*
 * The process dies before the k-th call that changes the disk, for every k: what is there is a
 * whole store or none, and the same command then goes through.
 */
static void init_killed_at_every_step_is_all_or_nothing(void)
{
    unsigned steps = 0;
    struct err err;

    for (unsigned k = 1; k < 50; k++) {
        int status, rc;

        tap_kill_at(k);
        status = run_child(init_body, dir, NULL, 0);
        tap_clear();
        if (WEXITSTATUS(status) == 0) {
            steps = k - 1;
            break;
        }
        CU_ASSERT_EQUAL(WEXITSTATUS(status), 99);
        rc = init_it(&err);
        CU_ASSERT(rc == 0 ||
                  (rc == ERR_EXISTS && strstr(err.text, "holds a store already") != NULL));
        store_close(must_open(dir));
        folder_remove(dir);
    }
    /* mkdir, commit, three times fsync, rename. */
    CU_ASSERT_EQUAL(steps, 6);
}

static void init_failing_at_every_step_leaves_nothing(void)
{
    char temp[PATH_SIZE];
    unsigned failed = 0;
    struct err err;

    path_join(temp, folder, "data.init");
    for (unsigned k = 1; k < 50; k++) {
        int rc;

        tap_fail_at(k);
        rc = init_it(&err);
        tap_clear();
        if (rc == 0)
            break;
        failed++;
        CU_ASSERT_EQUAL(rc, ERR_IO);
        CU_ASSERT(strlen(err.text) > 20);
        CU_ASSERT_EQUAL(access(temp, F_OK), -1);
        /* Only the last step, forcing the parent, fails after the store stands. */
        if (access(dir, F_OK) == 0) {
            store_close(must_open(dir));
            folder_remove(dir);
        }
    }
    CU_ASSERT_EQUAL(failed, 6);
    store_close(must_open(dir));
}

/* Maps and locks do not hold there: two banks could open one store. */
static void network_file_system_is_refused(void)
{
    struct store_identity identity = bank_a();
    char temp[PATH_SIZE];
    struct err err;

    fs_type = NFS_SUPER_MAGIC;
    CU_ASSERT_EQUAL(init_it(&err), ERR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "network file system"));
    path_join(temp, folder, "data.init");
    CU_ASSERT_EQUAL(access(temp, F_OK), -1);
    fs_type = 0;
    CU_ASSERT_EQUAL(init_it(&err), 0);
    fs_type = NFS_SUPER_MAGIC;
    CU_ASSERT_EQUAL(open_as(&identity, &err), ERR_USAGE);
    fs_type = 0;
    CU_ASSERT_EQUAL(open_as(&identity, &err), 0);
}

static void foreign_files_beside_are_not_removed(void)
{
    char temp[PATH_SIZE], path[PATH_SIZE];
    struct err err;

    path_join(temp, folder, "data.init");
    CU_ASSERT_EQUAL(mkdir(temp, 0700), 0);
    path_join(path, temp, "thesis.txt");
    close(open(path, O_CREAT | O_WRONLY, 0600));
    CU_ASSERT_EQUAL(init_it(&err), ERR_EXISTS);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "data.init"));
    CU_ASSERT_EQUAL(access(path, F_OK), 0);
}

/* Opening. */

static void absent_store_names_the_command(void)
{
    struct store_identity identity = bank_a();
    char path[PATH_SIZE];
    struct err err;

    CU_ASSERT_EQUAL(open_as(&identity, &err), ERR_NOT_FOUND);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "settle-participant init --data "));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "--id bank-a --cluster test"));
    CU_ASSERT_EQUAL(mkdir(dir, 0700), 0);
    CU_ASSERT_EQUAL(open_as(&identity, &err), ERR_NOT_FOUND);
    data_path(path);
    CU_ASSERT_EQUAL(access(path, F_OK), -1);
}

static void foreign_stores_are_refused_with_both_names(void)
{
    struct store_identity expected = bank_a();
    struct err err;

    CU_ASSERT_EQUAL(init_it(&err), 0);
    node_name_parse(&expected.node, "bank-b", 6);
    CU_ASSERT_EQUAL(open_as(&expected, &err), ERR_FOREIGN);
    CU_ASSERT(strstr(err.text, "bank-a") && strstr(err.text, "bank-b"));

    expected = bank_a();
    memset(&expected.cluster, 0, sizeof(expected.cluster));
    node_name_parse(&expected.cluster, "prod", 4);
    CU_ASSERT_EQUAL(open_as(&expected, &err), ERR_FOREIGN);
    CU_ASSERT(strstr(err.text, "cluster test") && strstr(err.text, "cluster prod"));

    expected = bank_a();
    expected.role = STORE_COORDINATOR;
    CU_ASSERT_EQUAL(open_as(&expected, &err), ERR_FOREIGN);
    CU_ASSERT(strstr(err.text, "participant") && strstr(err.text, "coordinator"));

    expected = bank_a();
    expected.store_id.bytes[3] = 0x77;
    CU_ASSERT_EQUAL(open_as(&expected, &err), ERR_FOREIGN);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "00000077"));

    /* Looking at a foreign store changed nothing in it. */
    expected = bank_a();
    CU_ASSERT_EQUAL(open_as(&expected, &err), 0);
}

static void binding_is_for_ever(void)
{
    struct guid cluster = {{1, 2, 3}}, other = {{9}};
    struct store_identity expected = bank_a();
    struct store *store = must_make(dir);
    struct err err;

    CU_ASSERT_EQUAL(store_bind_cluster(store, &cluster, 16, &err), 0);
    CU_ASSERT_EQUAL(store_bind_cluster(store, &cluster, 16, &err), 0);
    CU_ASSERT_EQUAL(store_bind_cluster(store, &other, 16, &err), ERR_FOREIGN);
    CU_ASSERT_EQUAL(store_bind_cluster(store, &cluster, 8, &err), ERR_FOREIGN);
    store_close(store);
    store = must_open(dir);
    CU_ASSERT_TRUE(guid_equal(&store_identity(store)->cluster_guid, &cluster));
    CU_ASSERT_EQUAL(store_identity(store)->groups, 16);
    CU_ASSERT_EQUAL(store_bind_cluster(store, &other, 16, &err), ERR_FOREIGN);
    store_close(store);
    expected.cluster_guid = other;
    CU_ASSERT_EQUAL(open_as(&expected, &err), ERR_FOREIGN);
    expected.cluster_guid = cluster;
    expected.groups = 8;
    CU_ASSERT_EQUAL(open_as(&expected, &err), ERR_FOREIGN);
    expected.groups = 16;
    CU_ASSERT_EQUAL(open_as(&expected, &err), 0);
}

static void one_process_opens_a_store_once(void)
{
    struct store *store = must_make(dir);
    struct store_identity identity = bank_a();
    char own[32];
    struct err err;

    snprintf(own, sizeof(own), "process %ld", (long)getpid());
    CU_ASSERT_EQUAL(open_as(&identity, &err), ERR_BUSY);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, own));
    /* The refusal took nothing from the one that has it. */
    must_put_journal(must_begin(store), 1, 10);
    CU_ASSERT_EQUAL(open_as(&identity, &err), ERR_BUSY);
    store_close(store);
    CU_ASSERT_EQUAL(open_as(&identity, &err), 0);
}

static int ready_fds[2], end_fds[2];

static void hold_open(const char *path)
{
    struct store_identity identity = bank_a();
    struct store_options options = small_options();
    struct store *store;
    char byte = 1;

    if (store_open(path, &identity, &options, &store, NULL) == 0 &&
        write(ready_fds[1], &byte, 1) == 1 && read(end_fds[0], &byte, 1) >= 0)
        _exit(0);
}

static void store_of_a_live_process_is_refused_and_of_a_dead_one_is_not(void)
{
    struct store_identity identity = bank_a();
    char byte, text[32];
    struct err err;
    pid_t pid;

    CU_ASSERT_EQUAL(init_it(&err), 0);
    CU_ASSERT_EQUAL(pipe(ready_fds), 0);
    CU_ASSERT_EQUAL(pipe(end_fds), 0);
    pid = fork();
    if (pid == 0) {
        hold_open(dir);
        _exit(1);
    }
    CU_ASSERT_EQUAL(read(ready_fds[0], &byte, 1), 1);
    snprintf(text, sizeof(text), "process %ld", (long)pid);
    CU_ASSERT_EQUAL(open_as(&identity, &err), ERR_BUSY);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, text));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    CU_ASSERT_EQUAL(open_as(&identity, &err), 0);
    close(ready_fds[0]);
    close(ready_fds[1]);
    close(end_fds[0]);
    close(end_fds[1]);
}

/* An opening that cannot be counted is no opening. */
static void incarnation_that_is_not_forced_is_not_used(void)
{
    struct store_identity identity = bank_a();
    struct err err;

    CU_ASSERT_EQUAL(init_it(&err), 0);
    tap_fail_at(1);
    CU_ASSERT_EQUAL(open_as(&identity, &err), ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "incarnation"));
    tap_clear();
    CU_ASSERT_EQUAL(open_as(&identity, &err), 0);
}

static void sizes_that_cannot_work_are_refused(void)
{
    static const struct store_options bad[] = {
        {.map_size = 1 << 20},
        {.reserve_size = 1 << 20},
        {.job_size_max = 1000},
        {.job_max = 1000},
    };
    struct store_identity identity = bank_a();
    struct store *store = NULL;
    struct err err;

    CU_ASSERT_EQUAL(init_it(&err), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CU_ASSERT_EQUAL(store_open(dir, &identity, &bad[i], &store, &err), ERR_USAGE);
}

int main(int argc, char **argv)
{
    CU_TestInfo init_tests[] = {
        {"each_open_raises_the_incarnation", each_open_raises_the_incarnation},
        {"two_stores_have_two_ids", two_stores_have_two_ids},
        {"init_of_a_store_is_refused", init_of_a_store_is_refused},
        {"init_takes_an_empty_folder_and_no_other", init_takes_an_empty_folder_and_no_other},
        {"init_names_what_is_in_the_way", init_names_what_is_in_the_way},
        {"init_follows_links_and_slashes", init_follows_links_and_slashes},
        {"init_takes_relative_paths", init_takes_relative_paths},
        {"init_beside_a_running_one_is_busy", init_beside_a_running_one_is_busy},
        {"init_killed_at_every_step_is_all_or_nothing",
         init_killed_at_every_step_is_all_or_nothing},
        {"init_failing_at_every_step_leaves_nothing", init_failing_at_every_step_leaves_nothing},
        {"network_file_system_is_refused", network_file_system_is_refused},
        {"foreign_files_beside_are_not_removed", foreign_files_beside_are_not_removed},
        CU_TEST_INFO_NULL,
    };
    CU_TestInfo open_tests[] = {
        {"absent_store_names_the_command", absent_store_names_the_command},
        {"foreign_stores_are_refused_with_both_names", foreign_stores_are_refused_with_both_names},
        {"binding_is_for_ever", binding_is_for_ever},
        {"one_process_opens_a_store_once", one_process_opens_a_store_once},
        {"store_of_a_live_process_is_refused_and_of_a_dead_one_is_not",
         store_of_a_live_process_is_refused_and_of_a_dead_one_is_not},
        {"incarnation_that_is_not_forced_is_not_used", incarnation_that_is_not_forced_is_not_used},
        {"sizes_that_cannot_work_are_refused", sizes_that_cannot_work_are_refused},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"init", NULL, NULL, set_up, tear_down, init_tests},
        {"open", NULL, NULL, set_up, tear_down, open_tests},
        CU_SUITE_INFO_NULL,
    };
    return runner_main(suites, argc, argv);
}
