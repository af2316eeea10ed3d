#include "store/fixture.h"
#include "support/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB     (1u << 20)
#define RESERVE (8u * MIB) /* as small_options() has it */

static char folder[PATH_SIZE];
static char dir[PATH_SIZE];

/* What the file system says, where a test wants to say it itself. */
static atomic_bool disk_full;
static atomic_bool disk_cannot_reserve;

int __real_fallocate(int fd, int mode, off_t offset, off_t size);
int __wrap_fallocate(int fd, int mode, off_t offset, off_t size);
int __real_fstatvfs(int fd, struct statvfs *fs);
int __wrap_fstatvfs(int fd, struct statvfs *fs);

int __wrap_fallocate(int fd, int mode, off_t offset, off_t size)
{
    if (atomic_load(&disk_cannot_reserve)) {
        errno = EOPNOTSUPP;
        return -1;
    }
    if (atomic_load(&disk_full)) {
        errno = ENOSPC;
        return -1;
    }
    return __real_fallocate(fd, mode, offset, size);
}

int __wrap_fstatvfs(int fd, struct statvfs *fs)
{
    int rc = __real_fstatvfs(fd, fs);

    if (rc == 0 && atomic_load(&disk_full))
        fs->f_bavail = 0;
    return rc;
}

static void set_up(void)
{
    folder_make(folder);
    path_join(dir, folder, "data");
    atomic_store(&disk_full, false);
    atomic_store(&disk_cannot_reserve, false);
}

static void tear_down(void)
{
    folder_remove(folder);
}

/* A job of about `size` bytes in the journal; returns the last position, which is durable. */
static uint64_t write_bytes(struct store *store, uint64_t position, size_t size)
{
    struct store_job *job = must_begin(store);

    for (size_t done = 0; done < size; done += 1000)
        must_put_journal(job, ++position, 1000);
    store_job_submit(job, position);
    CU_ASSERT_TRUE_FATAL(wait_durable(store, position));
    return position;
}

/* Writes until the store is not OK, at most `size` bytes. */
static uint64_t write_until_low(struct store *store, uint64_t position, size_t size)
{
    for (size_t done = 0; done < size && store_space(store) == STORE_SPACE_OK; done += 200000)
        position = write_bytes(store, position, 200000);
    return position;
}

/* Asks as a refusing runtime does, each turn, until the store has looked again and found room. */
static bool becomes_ok(struct store *store)
{
    for (int i = 0; i < 2000000; i++) {
        if (store_space(store) == STORE_SPACE_OK)
            return true;
        sched_yield();
    }
    return false;
}

static void trim_to(struct store *store, uint64_t position)
{
    struct store_job *job = must_begin(store);
    uint8_t key[STORE_KEY_JOURNAL_SIZE];
    struct store_stats stats;

    store_key_journal(key, position);
    CU_ASSERT_TRUE(store_trim(job, STORE_JOURNAL, key, sizeof(key)));
    store_job_submit(job, position);
    do {
        store_job_submit(must_begin(store), position);
        CU_ASSERT_TRUE_FATAL(wait_durable(store, position));
        store_stats(store, &stats);
    } while (stats.trimmed < position - 1);
}

static struct store *open_with_map(uint64_t map_size)
{
    struct store_identity identity = bank_a();
    struct store_options options = small_options();
    struct store *store = NULL;
    struct err err = {0};

    options.map_size = map_size;
    CU_ASSERT_EQUAL_FATAL(store_open(dir, &identity, &options, &store, &err), 0);
    return store;
}

/*
 * A full map: new work is told before the map ends, decided work goes on into the reserve, a
 * checkpoint that trims makes room again, and a larger map as well.
 */
static void full_map_refuses_new_work_and_finishes_decided(void)
{
    struct store_stats stats;
    struct store *store;
    uint64_t position;

    store_close(must_make(dir));
    store = open_with_map(24 * MIB);
    CU_ASSERT_EQUAL(store_space(store), STORE_SPACE_OK);
    position = write_until_low(store, 0, 64 * MIB);
    CU_ASSERT_EQUAL(store_space(store), STORE_SPACE_MAP_LOW);
    CU_ASSERT_PTR_NOT_NULL(strstr(store_space_text(STORE_SPACE_MAP_LOW), "map size"));
    store_stats(store, &stats);
    CU_ASSERT_EQUAL(stats.map_size, 24 * MIB);
    CU_ASSERT(stats.map_used >= 15 * MIB && stats.map_used <= 17 * MIB);
    for (size_t done = 0; done < RESERVE * 5 / 8; done += 200000)
        position = write_bytes(store, position, 200000);
    CU_ASSERT_NOT_EQUAL(store_space(store), STORE_SPACE_OK);

    store_close(store);
    store = open_with_map(48 * MIB);
    CU_ASSERT_EQUAL(store_space(store), STORE_SPACE_OK);
    store_close(store);
    store = open_with_map(24 * MIB);
    CU_ASSERT_EQUAL(store_space(store), STORE_SPACE_MAP_LOW);

    trim_to(store, position);
    CU_ASSERT_TRUE(becomes_ok(store));
    position = write_until_low(store, position, 4 * MIB);
    CU_ASSERT_EQUAL(store_space(store), STORE_SPACE_OK);
    store_close(store);
}

/* As the file system has it: the reserve is there before it is needed, and moves with the file. */
static void reserve_moves_ahead_of_the_file(void)
{
    struct store *store = must_make(dir);
    struct store_stats stats;
    uint64_t position = 0;

    for (int i = 0; i < 60; i++) {
        char path[PATH_SIZE];
        struct stat st;

        position = write_bytes(store, position, 300000);
        store_stats(store, &stats);
        CU_ASSERT(stats.reserved >= RESERVE);
        path_join(path, dir, "data.mdb");
        CU_ASSERT_EQUAL(stat(path, &st), 0);
        CU_ASSERT((uint64_t)st.st_blocks * 512 >= stats.map_used + RESERVE);
    }
    store_close(store);
}

static void full_disk_is_told_and_noticed_when_it_ends(void)
{
    struct store *store = must_make(dir);
    uint64_t position = write_bytes(store, 0, 200000);

    CU_ASSERT_EQUAL(store_space(store), STORE_SPACE_OK);
    atomic_store(&disk_full, true);
    position = write_until_low(store, position, 32 * MIB);
    CU_ASSERT_EQUAL(store_space(store), STORE_SPACE_DISK_LOW);
    CU_ASSERT(position * 1000 < RESERVE);
    /* Refused work makes no commits; asking is enough to have it looked at again. */
    atomic_store(&disk_full, false);
    CU_ASSERT_TRUE(becomes_ok(store));
    store_close(store);
    /* Opened on a full disk: what was reserved is still there. */
    atomic_store(&disk_full, true);
    store = must_open(dir);
    CU_ASSERT_EQUAL(store_space(store), STORE_SPACE_OK);
    store_close(store);
}

static void file_system_without_reserve_is_asked_for_its_room(void)
{
    struct store *store;

    atomic_store(&disk_cannot_reserve, true);
    store = must_make(dir);
    write_bytes(store, 0, 200000);
    CU_ASSERT_EQUAL(store_space(store), STORE_SPACE_OK);
    atomic_store(&disk_full, true);
    write_bytes(store, store_durable(store), 200000);
    CU_ASSERT_EQUAL(store_space(store), STORE_SPACE_DISK_LOW);
    atomic_store(&disk_full, false);
    CU_ASSERT_TRUE(becomes_ok(store));
    store_close(store);
}

/* A real file system of 40 MiB. */

#define SKIPPED 77
#define CHECK(expr)                                                    \
    do {                                                               \
        if (!(expr)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #expr); \
            _exit(1);                                                  \
        }                                                              \
    } while (0)

/* Takes every byte that is left. */
static void hog(const char *path)
{
    static const uint8_t block[4096];
    int fd = open(path, O_WRONLY | O_CREAT, 0600);

    CHECK(fd >= 0);
    while (write(fd, block, sizeof(block)) == sizeof(block))
        continue;
    CHECK(errno == ENOSPC);
    close(fd);
}

/* In a child: its mounts are its own, and gone with it. */
static void fill_a_small_file_system(const char *mount_point)
{
    struct store_identity identity = bank_a();
    char hog_path[PATH_SIZE];
    struct store *store;
    struct err err;
    uint64_t position = 0;

    if ((unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", mount_point, "tmpfs", 0, "size=40m") != 0)
        _exit(SKIPPED);
    CHECK(store_init(mount_point, &identity, &err) == ERR_IO);
    CHECK(strstr(err.text, "is a mount point; name a folder inside it"));
    path_join(dir, mount_point, "data");
    path_join(hog_path, mount_point, "hog");
    store = must_make(dir);
    position = write_bytes(store, position, 500000);
    CHECK(store_space(store) == STORE_SPACE_OK);
    hog(hog_path);
    position = write_until_low(store, position, 32 * MIB);
    CHECK(store_space(store) == STORE_SPACE_DISK_LOW);
    /* Not a byte is free on the disk: decided work lives on the reserve. */
    hog(hog_path);
    for (size_t done = 0; done < RESERVE * 5 / 8; done += 200000)
        position = write_bytes(store, position, 200000);
    CHECK(store_space(store) == STORE_SPACE_DISK_LOW);
    store_close(store);
    /* Nor does a restart need any. */
    store = must_open(dir);
    CHECK(store_space(store) == STORE_SPACE_DISK_LOW);
    position = write_bytes(store, position, 200000);
    CHECK(unlink(hog_path) == 0);
    CHECK(becomes_ok(store));
    position = write_bytes(store, position, 500000);
    CHECK(store_space(store) == STORE_SPACE_OK);
    CHECK(store_verify(store, NULL) == 0);
    store_close(store);
    umount2(mount_point, MNT_DETACH);
}

static void decided_work_finishes_on_a_disk_without_a_free_byte(void)
{
    char text[2048];
    int status = run_child(fill_a_small_file_system, folder, text, sizeof(text));

    CU_ASSERT_TRUE(WIFEXITED(status));
    if (WEXITSTATUS(status) == SKIPPED) {
        printf("(skipped: mounting a tmpfs is not allowed here) ");
        return;
    }
    CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
    CU_ASSERT_STRING_EQUAL(text, "");
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"full_map_refuses_new_work_and_finishes_decided",
         full_map_refuses_new_work_and_finishes_decided},
        {"reserve_moves_ahead_of_the_file", reserve_moves_ahead_of_the_file},
        {"full_disk_is_told_and_noticed_when_it_ends", full_disk_is_told_and_noticed_when_it_ends},
        {"file_system_without_reserve_is_asked_for_its_room",
         file_system_without_reserve_is_asked_for_its_room},
        {"decided_work_finishes_on_a_disk_without_a_free_byte",
         decided_work_finishes_on_a_disk_without_a_free_byte},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"store_space", NULL, NULL, set_up, tear_down, tests},
        CU_SUITE_INFO_NULL,
    };
    return runner_main(suites, argc, argv);
}
