#include "store/fixture.h"
#include "support/runner.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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

/* Damage. */

static size_t data_read(uint8_t **ret_bytes)
{
    char path[PATH_SIZE];
    struct stat st;
    int fd;

    data_path(path);
    fd = open(path, O_RDONLY);
    CU_ASSERT_FATAL(fd >= 0 && fstat(fd, &st) == 0);
    *ret_bytes = malloc((size_t)st.st_size);
    CU_ASSERT_EQUAL_FATAL(read(fd, *ret_bytes, (size_t)st.st_size), st.st_size);
    close(fd);
    return (size_t)st.st_size;
}

static void data_write(const uint8_t *bytes, size_t size, size_t at)
{
    char path[PATH_SIZE];
    int fd;

    data_path(path);
    fd = open(path, O_WRONLY);
    CU_ASSERT_EQUAL_FATAL(pwrite(fd, bytes, size, (off_t)at), (ssize_t)size);
    close(fd);
}

static int read_all(struct err *err)
{
    struct store_identity identity = bank_a();
    struct store_options options = small_options();
    struct store *store = NULL;
    int rc;

    memset(err, 0, sizeof(*err));
    rc = store_open(dir, &identity, &options, &store, err);
    if (rc == 0)
        rc = store_verify(store, err);
    store_close(store);
    return rc;
}

/* On the disk a record is its key, then the header of 8 bytes, then the value. */
#define KEY                 "clock"
#define RECORD_BYTES_BEFORE (sizeof(KEY) - 1 + 8)
#define NEEDLE              "a value that is found in the data file"

/*
 * Every byte of a stored record, header included, and of its key, changed on the disk: found, with
 * table and key named.
 */
static void every_flipped_byte_is_found(void)
{
    const size_t size = RECORD_BYTES_BEFORE + sizeof(NEEDLE) - 1;
    struct store *store = must_make(dir);
    struct store_job *job = must_begin(store);
    uint8_t *bytes;
    size_t file_size, found = 0;
    struct err err;

    CU_ASSERT_TRUE(store_put(job, STORE_META, KEY, sizeof(KEY) - 1, NEEDLE, sizeof(NEEDLE) - 1));
    store_job_submit(job, 1);
    store_close(store);
    CU_ASSERT_EQUAL(read_all(&err), 0);
    file_size = data_read(&bytes);
    for (size_t at = RECORD_BYTES_BEFORE; at + sizeof(NEEDLE) < file_size; at++) {
        if (memcmp(bytes + at, NEEDLE, sizeof(NEEDLE) - 1) != 0)
            continue;
        found++;
        for (size_t i = 0; i < size; i++) {
            size_t where = at - RECORD_BYTES_BEFORE + i;
            uint8_t flipped = bytes[where] ^ 0x10;

            data_write(&flipped, 1, where);
            CU_ASSERT_EQUAL(read_all(&err), ERR_CORRUPT);
            CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "table meta, key "));
            data_write(&bytes[where], 1, where);
        }
    }
    CU_ASSERT_EQUAL(found, 1);
    CU_ASSERT_EQUAL(read_all(&err), 0);
    free(bytes);
}

static void damaged_identity_is_found_at_open(void)
{
    struct store_identity identity = bank_a();
    uint8_t *bytes;
    size_t file_size, found = 0;
    struct err err;

    CU_ASSERT_EQUAL(init_it(&err), 0);
    CU_ASSERT_EQUAL(open_as(&identity, &err), 0);
    file_size = data_read(&bytes);
    for (size_t at = 0; at + 6 < file_size; at++) {
        if (memcmp(bytes + at, "bank-a", 6) == 0) {
            data_write((const uint8_t *)"bank-b", 6, at);
            found++;
        }
    }
    CU_ASSERT(found >= 1);
    CU_ASSERT_EQUAL(open_as(&identity, &err), ERR_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "table identity"));
    free(bytes);
}

static void file_that_is_no_store_is_refused(void)
{
    static const uint8_t zeros[8192];
    struct store_identity identity = bank_a();
    char path[PATH_SIZE];
    struct err err;

    CU_ASSERT_EQUAL(init_it(&err), 0);
    data_write(zeros, sizeof(zeros), 0);
    CU_ASSERT_EQUAL(open_as(&identity, &err), ERR_CORRUPT);
    data_path(path);
    CU_ASSERT_EQUAL(truncate(path, 0), 0);
    CU_ASSERT_EQUAL(open_as(&identity, &err), ERR_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "empty"));
}

/* Cut off at every page: refused with a sentence, never a crash, never an empty store. */
static void file_cut_off_anywhere_is_refused(void)
{
    struct store_identity identity = bank_a();
    struct store *store = must_make(dir);
    struct store_job *job = must_begin(store);
    size_t file_size, page = (size_t)sysconf(_SC_PAGESIZE);
    char path[PATH_SIZE];
    uint8_t *bytes;
    struct err err;

    for (uint64_t position = 1; position <= 200; position++)
        must_put_journal(job, position, 500);
    store_job_submit(job, 200);
    store_close(store);
    data_path(path);
    file_size = data_read(&bytes);
    CU_ASSERT(file_size > 20 * page);
    for (size_t size = 2 * page; size < file_size; size += page) {
        CU_ASSERT_EQUAL(truncate(path, (off_t)size), 0);
        CU_ASSERT_EQUAL(open_as(&identity, &err), ERR_CORRUPT);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "was cut off"));
        data_write(bytes, file_size, 0);
    }
    CU_ASSERT_EQUAL(read_all(&err), 0);
    free(bytes);
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
        {"init_killed_at_every_step_is_all_or_nothing",
         init_killed_at_every_step_is_all_or_nothing},
        {"init_failing_at_every_step_leaves_nothing", init_failing_at_every_step_leaves_nothing},
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
        {"sizes_that_cannot_work_are_refused", sizes_that_cannot_work_are_refused},
        CU_TEST_INFO_NULL,
    };
    CU_TestInfo damage_tests[] = {
        {"every_flipped_byte_is_found", every_flipped_byte_is_found},
        {"damaged_identity_is_found_at_open", damaged_identity_is_found_at_open},
        {"file_that_is_no_store_is_refused", file_that_is_no_store_is_refused},
        {"file_cut_off_anywhere_is_refused", file_cut_off_anywhere_is_refused},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"init", NULL, NULL, set_up, tear_down, init_tests},
        {"open", NULL, NULL, set_up, tear_down, open_tests},
        {"damage", NULL, NULL, set_up, tear_down, damage_tests},
        CU_SUITE_INFO_NULL,
    };
    return runner_main(suites, argc, argv);
}
