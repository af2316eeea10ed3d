#include "store/fixture.h"

#include <errno.h>
#include <ftw.h>
#include <lmdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Taps. */

static atomic_uint tap_calls, tap_kill, tap_fail;

/* True iff this call is to fail. */
static bool tap(void)
{
    unsigned call = atomic_fetch_add(&tap_calls, 1) + 1;

    if (call == atomic_load(&tap_kill))
        _exit(99);
    return call == atomic_load(&tap_fail);
}

void tap_kill_at(unsigned k)
{
    atomic_store(&tap_calls, 0);
    atomic_store(&tap_kill, k);
}

void tap_fail_at(unsigned k)
{
    atomic_store(&tap_calls, 0);
    atomic_store(&tap_fail, k);
}

unsigned tap_clear(void)
{
    atomic_store(&tap_kill, 0);
    atomic_store(&tap_fail, 0);
    return atomic_exchange(&tap_calls, 0);
}

static pthread_mutex_t gate_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_cond = PTHREAD_COND_INITIALIZER;
static bool gate_closed;
static bool gate_taken;

void gate_close(void)
{
    pthread_mutex_lock(&gate_mutex);
    gate_closed = true;
    gate_taken = false;
    pthread_mutex_unlock(&gate_mutex);
}

void gate_wait(void)
{
    pthread_mutex_lock(&gate_mutex);
    while (!gate_taken)
        pthread_cond_wait(&gate_cond, &gate_mutex);
    pthread_mutex_unlock(&gate_mutex);
}

void gate_open(void)
{
    pthread_mutex_lock(&gate_mutex);
    gate_closed = false;
    pthread_cond_broadcast(&gate_cond);
    pthread_mutex_unlock(&gate_mutex);
}

static void gate_pass(void)
{
    pthread_mutex_lock(&gate_mutex);
    while (gate_closed) {
        gate_taken = true;
        pthread_cond_broadcast(&gate_cond);
        pthread_cond_wait(&gate_cond, &gate_mutex);
    }
    pthread_mutex_unlock(&gate_mutex);
}

int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);
int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);

int __wrap_mdb_txn_commit(MDB_txn *txn)
{
    bool failed;
    int rc;

    gate_pass();
    failed = tap();
    /* Also when it is to fail, so that LMDB lets the transaction go. */
    rc = __real_mdb_txn_commit(txn);
    return failed ? EIO : rc;
}

static int fail(void)
{
    errno = EIO;
    return -1;
}

int __wrap_mkdir(const char *path, mode_t mode)
{
    return tap() ? fail() : __real_mkdir(path, mode);
}

int __wrap_fsync(int fd)
{
    return tap() ? fail() : __real_fsync(fd);
}

int __wrap_rename(const char *from, const char *to)
{
    return tap() ? fail() : __real_rename(from, to);
}

/* Folders. */

void folder_make(char path[PATH_SIZE])
{
    const char *base = getenv("TMPDIR");

    snprintf(path, PATH_SIZE, "%s/settle-store-XXXXXX", base ? base : "/tmp");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(path));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

void folder_remove(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void path_join(char path[PATH_SIZE], const char *folder, const char *name)
{
    int used = snprintf(path, PATH_SIZE, "%s/%s", folder, name);

    CU_ASSERT_FATAL(used > 0 && used < PATH_SIZE);
}

/* Stores. */

struct store_identity bank_a(void)
{
    struct store_identity identity = {.role = STORE_PARTICIPANT};

    node_name_parse(&identity.cluster, "test", 4);
    node_name_parse(&identity.node, "bank-a", 6);
    return identity;
}

struct store_options small_options(void)
{
    return (struct store_options){
        .map_size = 64 << 20, .reserve_size = 8 << 20, .job_max = 3, .job_size_max = 5 << 18};
}

struct store *must_open(const char *dir)
{
    struct store_identity identity = bank_a();
    struct store_options options = small_options();
    struct store *store = NULL;
    struct err err = {0};
    int rc = store_open(dir, &identity, &options, &store, &err);

    if (rc != 0)
        fprintf(stderr, "store_open: %s\n", err.text);
    CU_ASSERT_EQUAL_FATAL(rc, 0);
    return store;
}

struct store *must_make(const char *dir)
{
    struct store_identity identity = bank_a();
    struct err err = {0};
    int rc = store_init(dir, &identity, &err);

    if (rc != 0)
        fprintf(stderr, "store_init: %s\n", err.text);
    CU_ASSERT_EQUAL_FATAL(rc, 0);
    return must_open(dir);
}

static bool wait_event(struct store *store)
{
    struct pollfd event = {.fd = store_event_fd(store), .events = POLLIN};

    return poll(&event, 1, 20000) == 1;
}

struct store_job *must_begin(struct store *store)
{
    struct store_job *job = store_job_begin(store);

    while (!job) {
        CU_ASSERT_TRUE_FATAL(wait_event(store));
        store_durable(store);
        job = store_job_begin(store);
    }
    return job;
}

void pattern_fill(uint8_t *bytes, size_t size, uint64_t seed)
{
    uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;

    for (size_t i = 0; i < size; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (uint8_t)(state >> 56);
    }
}

void must_put_journal(struct store_job *job, uint64_t position, size_t size)
{
    static uint8_t value[STORE_VALUE_SIZE_MAX];
    uint8_t key[STORE_KEY_JOURNAL_SIZE];

    pattern_fill(value, size, position);
    store_key_journal(key, position);
    CU_ASSERT_TRUE_FATAL(store_put(job, STORE_JOURNAL, key, sizeof(key), value, size));
}

bool journal_has(struct store *store, uint64_t position, size_t size)
{
    static uint8_t value[STORE_VALUE_SIZE_MAX], expected[STORE_VALUE_SIZE_MAX];
    uint8_t key[STORE_KEY_JOURNAL_SIZE];
    size_t got = 0;

    store_key_journal(key, position);
    pattern_fill(expected, size, position);
    return store_get(store, STORE_JOURNAL, key, sizeof(key), value, sizeof(value), &got, NULL) ==
               0 &&
           got == size && memcmp(value, expected, size) == 0;
}

bool wait_durable(struct store *store, uint64_t position)
{
    while (store_durable(store) < position) {
        if (!wait_event(store))
            return false;
    }
    return true;
}

int run_child(void (*body)(const char *dir), const char *dir, char *text, size_t text_size)
{
    int pipe_fds[2], status = 0;
    size_t used = 0;
    ssize_t got;
    pid_t pid;

    CU_ASSERT_EQUAL_FATAL(pipe(pipe_fds), 0);
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        dup2(pipe_fds[1], STDERR_FILENO);
        close(pipe_fds[0]);
        close(pipe_fds[1]);
        body(dir);
        _exit(0);
    }
    CU_ASSERT_FATAL(pid > 0);
    close(pipe_fds[1]);
    while (text && used + 1 < text_size &&
           (got = read(pipe_fds[0], text + used, text_size - 1 - used)) > 0)
        used += (size_t)got;
    if (text)
        text[used] = '\0';
    waitpid(pid, &status, 0);
    close(pipe_fds[0]);
    return status;
}
