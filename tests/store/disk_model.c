#include "store/disk_model.h"

#include "base/assert.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILE_SIZE_MAX (64u << 20)
#define PAGE_SIZE     4096u
#define PENDING_MAX   65536u

/* A part of a write, within one page: what a disk writes whole or not at all. */
struct pending {
    size_t at;
    size_t size;
    uint8_t *bytes;
};

static struct {
    pthread_mutex_t mutex;
    bool watching;
    dev_t dev;
    ino_t ino;
    uint8_t *kept; /* FILE_SIZE_MAX */
    size_t kept_size;
    struct pending pending[PENDING_MAX]; /* in the order of the writes */
    size_t pending_count;
} disk = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static atomic_bool syncs_fail;

static ssize_t (*real_pwrite)(int fd, const void *bytes, size_t size, off_t at);
static ssize_t (*real_writev)(int fd, const struct iovec *parts, int count);
static int (*real_fdatasync)(int fd);

static void *next(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    ASSERT(function);
    return function;
}

__attribute__((constructor)) static void find_real(void)
{
    *(void **)&real_pwrite = next("pwrite");
    *(void **)&real_writev = next("writev");
    *(void **)&real_fdatasync = next("fdatasync");
}

static void keep(const void *bytes, size_t size, size_t at)
{
    ASSERT(at + size <= FILE_SIZE_MAX);
    memcpy(disk.kept + at, bytes, size);
    if (at + size > disk.kept_size)
        disk.kept_size = at + size;
}

static bool is_watched(int fd)
{
    struct stat st;

    return disk.watching && fstat(fd, &st) == 0 && st.st_dev == disk.dev && st.st_ino == disk.ino;
}

static void add_pending(const uint8_t *bytes, size_t size, size_t at)
{
    while (size > 0) {
        struct pending *pending = &disk.pending[disk.pending_count++];
        size_t rest = PAGE_SIZE - at % PAGE_SIZE;
        size_t part = size < rest ? size : rest;

        ASSERT(disk.pending_count < PENDING_MAX);
        *pending = (struct pending){.at = at, .size = part, .bytes = malloc(part)};
        ASSERT(pending->bytes);
        memcpy(pending->bytes, bytes, part);
        bytes += part;
        at += part;
        size -= part;
    }
}

/* Called before the write is made, so that what is kept never lags behind what was answered. */
static void on_write(int fd, const void *bytes, size_t size, size_t at)
{
    pthread_mutex_lock(&disk.mutex);
    if (is_watched(fd)) {
        if (fcntl(fd, F_GETFL) & O_DSYNC)
            keep(bytes, size, at);
        else
            add_pending(bytes, size, at);
    }
    pthread_mutex_unlock(&disk.mutex);
}

static void forget_pending(void)
{
    for (size_t i = 0; i < disk.pending_count; i++)
        free(disk.pending[i].bytes);
    disk.pending_count = 0;
}

static void on_sync(int fd)
{
    pthread_mutex_lock(&disk.mutex);
    if (is_watched(fd)) {
        for (size_t i = 0; i < disk.pending_count; i++)
            keep(disk.pending[i].bytes, disk.pending[i].size, disk.pending[i].at);
        forget_pending();
    }
    pthread_mutex_unlock(&disk.mutex);
}

void disk_watch(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    ASSERT(fd >= 0 && fstat(fd, &st) == 0 && (size_t)st.st_size <= FILE_SIZE_MAX);
    pthread_mutex_lock(&disk.mutex);
    disk.kept = calloc(1, FILE_SIZE_MAX);
    ASSERT(disk.kept);
    disk.kept_size = (size_t)st.st_size;
    ASSERT(read(fd, disk.kept, disk.kept_size) == st.st_size);
    disk.dev = st.st_dev;
    disk.ino = st.st_ino;
    disk.watching = true;
    pthread_mutex_unlock(&disk.mutex);
    close(fd);
}

void disk_forget(void)
{
    pthread_mutex_lock(&disk.mutex);
    disk.watching = false;
    forget_pending();
    free(disk.kept);
    disk.kept = NULL;
    pthread_mutex_unlock(&disk.mutex);
}

static void write_whole(int fd, const void *bytes, size_t size, size_t at)
{
    ASSERT(real_pwrite(fd, bytes, size, (off_t)at) == (ssize_t)size);
}

size_t disk_cut(const char *path, struct prng *prng)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t lost = 0;

    ASSERT(fd >= 0);
    pthread_mutex_lock(&disk.mutex);
    ASSERT(disk.watching);
    write_whole(fd, disk.kept, disk.kept_size, 0);
    for (size_t i = 0; i < disk.pending_count; i++) {
        if (prng_below(prng, 2) == 0)
            write_whole(fd, disk.pending[i].bytes, disk.pending[i].size, disk.pending[i].at);
        else
            lost++;
    }
    pthread_mutex_unlock(&disk.mutex);
    close(fd);
    return lost;
}

void disk_fail_syncs(void)
{
    atomic_store(&syncs_fail, true);
}

/* The calls themselves. */

#define EXPORTED __attribute__((visibility("default")))

EXPORTED ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    on_write(fd, bytes, size, (size_t)at);
    return real_pwrite(fd, bytes, size, at);
}

EXPORTED ssize_t writev(int fd, const struct iovec *parts, int count)
{
    off_t at = lseek(fd, 0, SEEK_CUR);

    for (int i = 0; i < count && at >= 0; i++) {
        on_write(fd, parts[i].iov_base, parts[i].iov_len, (size_t)at);
        at += (off_t)parts[i].iov_len;
    }
    return real_writev(fd, parts, count);
}

EXPORTED int fdatasync(int fd)
{
    int rc;

    if (atomic_load(&syncs_fail)) {
        errno = EIO;
        return -1;
    }
    rc = real_fdatasync(fd);
    if (rc == 0)
        on_sync(fd);
    return rc;
}
