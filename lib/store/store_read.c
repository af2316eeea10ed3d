/*
 * Reading, on the loop's thread.
 *
 * One read transaction lives as long as the store and is reset after each call: a reader that stays
 * pins every page freed since, and the file grows for nothing.
 */
#include "store/store_internal.h"

#include "base/assert.h"

#include <string.h>

static int reader_begin(struct store *store, struct err *err)
{
    int rc = mdb_txn_renew(store->reader);

    return rc == 0 ? 0 : store_err(err, rc, "cannot read from the store %s", store->dir);
}

int store_get(struct store *store, enum store_table table, const void *key, size_t key_size,
              void *buffer, size_t buffer_size, size_t *ret_size, struct err *err)
{
    MDB_val key_val = val_of(key, key_size), record, value;
    int number = (int)table;
    int rc;

    ASSERT(table >= STORE_META && table < STORE_TABLE_END);
    ASSERT(key_size >= 1 && key_size <= STORE_KEY_SIZE_MAX);
    rc = reader_begin(store, err);
    if (rc != 0)
        return rc;
    rc = mdb_get(store->reader, store->dbis[number], &key_val, &record);
    if (rc == MDB_NOTFOUND)
        rc = err_set(err, ERR_NOT_FOUND, "table %s has no such key", store_table_name(number));
    else if (rc != 0)
        rc = store_err(err, rc, "cannot read from table %s", store_table_name(number));
    else
        rc = record_open(number, &key_val, &record, &value, err);
    if (rc == 0) {
        *ret_size = value.mv_size;
        if (value.mv_size > buffer_size)
            rc = err_set(err, ERR_FULL, "a record of table %s has %zu bytes, the buffer %zu",
                         store_table_name(number), value.mv_size, buffer_size);
        else
            memcpy(buffer, value.mv_data, value.mv_size);
    }
    mdb_txn_reset(store->reader);
    return rc;
}

/* Puts the cursor on the scan's first row. */
static int scan_first(MDB_cursor *cursor, const struct store_scan *scan, MDB_val *key,
                      MDB_val *record)
{
    MDB_val from = val_of(scan->from, scan->from_size);
    int rc;

    if (!scan->from)
        return mdb_cursor_get(cursor, key, record,
                              scan->direction == STORE_FORWARD ? MDB_FIRST : MDB_LAST);
    *key = from;
    rc = mdb_cursor_get(cursor, key, record, MDB_SET_RANGE);
    if (scan->direction == STORE_FORWARD)
        return rc;
    /* Backward: SET_RANGE went to the first key not below `from`; above it, or at the end, go one
     * back. */
    if (rc == MDB_NOTFOUND)
        return mdb_cursor_get(cursor, key, record, MDB_LAST);
    if (rc == 0 &&
        (key->mv_size != from.mv_size || memcmp(key->mv_data, from.mv_data, from.mv_size) != 0))
        return mdb_cursor_get(cursor, key, record, MDB_PREV);
    return rc;
}

/* Returns the number of rows seen, or a negative error. */
static int scan_rows(MDB_cursor *cursor, const struct store_scan *scan, store_scan_fn fn, void *ctx,
                     struct err *err)
{
    MDB_cursor_op step = scan->direction == STORE_FORWARD ? MDB_NEXT : MDB_PREV;
    MDB_val key, record, value;
    uint32_t count = 0;
    bool more = true;
    int rc = scan_first(cursor, scan, &key, &record);

    while (rc == 0) {
        struct store_row row;

        rc = record_open((int)scan->table, &key, &record, &value, err);
        if (rc != 0)
            return rc;
        row = (struct store_row){key.mv_data, key.mv_size, value.mv_data, value.mv_size};
        count++;
        more = fn(ctx, &row);
        if (!more || count == scan->max)
            return (int)count;
        rc = mdb_cursor_get(cursor, &key, &record, step);
    }
    if (rc != MDB_NOTFOUND)
        return store_err(err, rc, "cannot read from table %s", store_table_name((int)scan->table));
    return (int)count;
}

int store_scan(struct store *store, const struct store_scan *scan, store_scan_fn fn, void *ctx,
               struct err *err)
{
    MDB_cursor *cursor;
    int rc;

    ASSERT(scan->table >= STORE_META && scan->table < STORE_TABLE_END);
    ASSERT(scan->max >= 1 && scan->max <= INT_MAX);
    rc = reader_begin(store, err);
    if (rc != 0)
        return rc;
    rc = mdb_cursor_open(store->reader, store->dbis[scan->table], &cursor);
    if (rc != 0) {
        rc = store_err(err, rc, "cannot read from table %s", store_table_name((int)scan->table));
    } else {
        rc = scan_rows(cursor, scan, fn, ctx, err);
        mdb_cursor_close(cursor);
    }
    mdb_txn_reset(store->reader);
    return rc;
}

#define VERIFY_PAGE 4096

struct verify {
    struct key next;
};

static bool verify_row(void *ctx, const struct store_row *row)
{
    struct verify *verify = ctx;

    memcpy(verify->next.bytes, row->key, row->key_size);
    verify->next.size = (uint8_t)row->key_size;
    return true;
}

int store_verify(struct store *store, struct err *err)
{
    for (int table = STORE_META; table < STORE_TABLE_END; table++) {
        struct store_scan scan = {
            .table = (enum store_table)table, .direction = STORE_FORWARD, .max = VERIFY_PAGE};
        struct verify verify = {0};
        struct key from;
        int count;

        /* The last row of a page is the first of the next: a page of one row was seen before. */
        do {
            count = store_scan(store, &scan, verify_row, &verify, err);
            if (count < 0)
                return count;
            from = verify.next;
            scan.from = from.bytes;
            scan.from_size = from.size;
        } while (count == VERIFY_PAGE);
    }
    return 0;
}
