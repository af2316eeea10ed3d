/*
 * Space: what is kept so that decided work still finishes when new work finds none.
 *
 * Two things run out: the map, which is a number, and the disk. The disk is reserved ahead of need:
 * fallocate() with KEEP_SIZE gives the data file blocks beyond its end. LMDB writes new pages with
 * pwrite() at page number times page size, so a file that grows grows into those blocks and needs
 * nothing of a file system that is full. The reserve moves ahead of the end as the file grows; when
 * it cannot, the state is DISK_LOW, and what remains is spent on decided work.
 *
 * Free pages inside the file count by half: a value above half a page needs neighbouring ones,
 * which they may not be. What decided work writes is small, so that any free page serves it.
 */
#include "store/store_internal.h"

#include "base/assert.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

struct room {
    uint64_t used; /* bytes of the file up to the last page ever used */
    uint64_t map;  /* bytes of the map behind it */
    uint64_t disk; /* bytes of disk kept behind it */
};

static uint64_t min_of(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static int data_fd(const struct store *store)
{
    int fd = -1, rc = mdb_env_get_fd(store->env, &fd);

    ASSERT(rc == 0);
    return fd;
}

static uint64_t disk_free(const struct store *store)
{
    struct statvfs fs;

    if (fstatvfs(data_fd(store), &fs) != 0)
        return 0;
    return (uint64_t)fs.f_bavail * fs.f_frsize;
}

/* Reserve up to `end`; the rest of the reserve stays as it was when the disk has no room for it. */
static void reserve(struct store *store, uint64_t used, uint64_t end)
{
    uint64_t kept = store->reserved_end > used ? store->reserved_end - used : 0;
    uint64_t missing = end - used - min_of(kept, end - used);

    /* Asked first: an fallocate() that fails keeps what it got until then, all that was free. */
    if (disk_free(store) < missing)
        return;
    if (fallocate(data_fd(store), FALLOC_FL_KEEP_SIZE, (off_t)used, (off_t)(end - used)) == 0)
        store->reserved_end = end;
    else if (errno == EOPNOTSUPP || errno == ENOSYS)
        store->reserve_unsupported = true;
}

static struct room measure(struct store *store)
{
    const uint64_t wanted = store->options.reserve_size;
    MDB_envinfo info;
    struct room room;
    int rc = mdb_env_info(store->env, &info);

    ASSERT(rc == 0);
    room.used = ((uint64_t)info.me_last_pgno + 1) * store->page_size;
    room.map = info.me_mapsize > room.used ? info.me_mapsize - room.used : 0;
    /* A quarter more than is wanted, so that not every commit asks the file system. */
    if (!store->reserve_unsupported && store->reserved_end < room.used + min_of(wanted, room.map))
        reserve(store, room.used, room.used + min_of(wanted + wanted / 4, room.map));
    if (store->reserve_unsupported)
        room.disk = disk_free(store);
    else
        room.disk = store->reserved_end > room.used ? store->reserved_end - room.used : 0;
    return room;
}

/* Bytes of the free pages inside the file. */
static uint64_t free_pages_size(struct store *store)
{
    MDB_val key, pages;
    MDB_cursor *cursor;
    MDB_txn *txn;
    size_t total = 0, count;
    int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);

    if (rc != 0)
        return 0;
    /* LMDB's table 0 lists freed pages per transaction: their count, then their numbers. */
    rc = mdb_cursor_open(txn, 0, &cursor);
    if (rc == 0) {
        while (mdb_cursor_get(cursor, &key, &pages, MDB_NEXT) == 0) {
            memcpy(&count, pages.mv_data, sizeof(count));
            total += count;
        }
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    return (uint64_t)total * store->page_size;
}

/* LOW until an eighth more than the reserve is there, so that the state does not flap. */
static enum store_space judge(const struct store *store, const struct room *room,
                              uint64_t free_size)
{
    const uint64_t wanted = store->options.reserve_size;
    bool low = atomic_load(&store->space) != STORE_SPACE_OK;
    uint64_t least = low && free_size > 0 ? wanted + wanted / 8 : wanted;

    if (room->map + free_size / 2 < least)
        return STORE_SPACE_MAP_LOW;
    /* The disk is not asked for more than the map could use. */
    if (room->disk < room->map && room->disk + free_size / 2 < least)
        return STORE_SPACE_DISK_LOW;
    return STORE_SPACE_OK;
}

void space_open(struct store *store)
{
    struct stat st;
    uint64_t allocated;

    /*
     * Blocks beyond the file's size are what an earlier run reserved. Their number is all stat()
     * tells, which is enough: the file has no holes to speak of.
     */
    if (fstat(data_fd(store), &st) != 0)
        return;
    allocated = (uint64_t)st.st_blocks * 512;
    store->reserved_end = allocated > (uint64_t)st.st_size ? allocated : (uint64_t)st.st_size;
}

void space_refresh(struct store *store)
{
    struct room room = measure(store);
    enum store_space space = judge(store, &room, 0);

    if (space != STORE_SPACE_OK)
        space = judge(store, &room, free_pages_size(store));
    atomic_store(&store->space, (int)space);
    pthread_mutex_lock(&store->mutex);
    store->stats.map_used = room.used;
    store->stats.map_size = room.used + room.map;
    store->stats.reserved = store->reserve_unsupported ? 0 : room.disk;
    pthread_mutex_unlock(&store->mutex);
}

enum store_space store_space(struct store *store)
{
    enum store_space space = (enum store_space)atomic_load(&store->space);

    /* Refused work makes no commits that would refresh the state: have the thread look again. */
    if (space != STORE_SPACE_OK && !atomic_exchange(&store->space_wanted, true)) {
        pthread_mutex_lock(&store->mutex);
        pthread_cond_signal(&store->work);
        pthread_mutex_unlock(&store->mutex);
    }
    return space;
}

const char *store_space_text(enum store_space space)
{
    switch (space) {
    case STORE_SPACE_OK:
        return "the store has room";
    case STORE_SPACE_MAP_LOW:
        return "the store's map is used up to its reserve; raise the map size and restart";
    case STORE_SPACE_DISK_LOW:
        return "the disk has no room left for the store's reserve; free space on it";
    }
    return "unknown";
}
