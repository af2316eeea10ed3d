/*
 * Extent: is the data file as long as its pages want it?
 *
 * LMDB maps the file and trusts its length; a page beyond the end is a SIGBUS in the middle of a
 * read. A file that was cut off, by a bad copy or a file system that lost its tail, is found here.
 *
 * A short file is not always damaged: LMDB may give out a page at the end and take it back in the
 * same transaction; such a page is in the list of free pages and was never written. So a short file
 * is whole iff all pages it lacks are in that list. The list itself may lie beyond the end, which
 * is the one place where SIGBUS is caught.
 */
#include "store/store_internal.h"

#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

static sigjmp_buf beyond_end;

static void on_sigbus(int signal)
{
    siglongjmp(beyond_end, signal);
}

/* How many pages from `first` on are in the list of free pages. */
static int count_free(MDB_cursor *cursor, size_t first, size_t *ret_count)
{
    MDB_val key, pages;
    size_t count = 0;
    int rc;

    while ((rc = mdb_cursor_get(cursor, &key, &pages, MDB_NEXT)) == 0) {
        const uint8_t *at = pages.mv_data;
        size_t page;

        for (size_t i = 1; i < pages.mv_size / sizeof(page); i++) {
            memcpy(&page, at + i * sizeof(page), sizeof(page));
            count += page >= first;
        }
    }
    *ret_count = count;
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* As count_free; a SIGBUS on the way is MDB_CORRUPTED. */
static int count_free_guarded(MDB_cursor *cursor, size_t first, size_t *ret_count)
{
    struct sigaction guard = {.sa_handler = on_sigbus}, before;
    int rc;

    sigaction(SIGBUS, &guard, &before);
    if (sigsetjmp(beyond_end, 1) == 0)
        rc = count_free(cursor, first, ret_count);
    else
        rc = MDB_CORRUPTED;
    sigaction(SIGBUS, &before, NULL);
    return rc;
}

static int count_free_pages(struct store *store, size_t first, size_t *ret_count)
{
    MDB_cursor *cursor;
    MDB_txn *txn;
    int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);

    if (rc != 0)
        return rc;
    /* LMDB's table 0 lists freed pages per transaction: their count, then their numbers. */
    rc = mdb_cursor_open(txn, 0, &cursor);
    if (rc == 0) {
        rc = count_free_guarded(cursor, first, ret_count);
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    return rc;
}

int extent_check(struct store *store, struct err *err)
{
    size_t wanted, present, free_count = 0;
    MDB_envinfo info;
    struct stat st;
    int fd = -1, rc;

    mdb_env_info(store->env, &info);
    mdb_env_get_fd(store->env, &fd);
    if (fstat(fd, &st) != 0)
        return err_set(err, ERR_IO, "cannot read the size of " DATA_FILE);
    wanted = info.me_last_pgno + 1;
    present = (size_t)st.st_size / store->page_size;
    if (present >= wanted)
        return 0;
    rc = count_free_pages(store, present, &free_count);
    if (rc == 0 && free_count == wanted - present)
        return 0;
    return err_set(err, ERR_CORRUPT,
                   DATA_FILE " was cut off: it has %zu pages of %zu; restore the store from a "
                             "backup, or make a new one",
                   present, wanted);
}
