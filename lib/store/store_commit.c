/*
 * The store's thread: takes what waits, in order, and commits it as one LMDB transaction.
 *
 * The order of operations, and why, stands in README.md. LMDB's own default flags make a commit
 * durable: pages, fdatasync, then the meta page through a descriptor opened O_DSYNC.
 */
#include "store/store_internal.h"

#include "base/assert.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define READER_CHECK_COMMITS 4096

/* One LMDB transaction in the making. */
struct commit {
    MDB_txn *txn;
    MDB_cursor *cursors[STORE_TABLE_END]; /* opened at first use; LMDB closes them with the txn */
    bool counters_changed;
    uint64_t jobs;
    uint64_t records;
    uint64_t bytes;
    uint64_t trimmed;
};

/* For the statistics alone: nothing is decided by it. */
static uint64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int key_compare(const MDB_val *a, const struct key *b)
{
    size_t size = a->mv_size < b->size ? a->mv_size : b->size;
    int order = memcmp(a->mv_data, b->bytes, size);

    if (order != 0)
        return order;
    return (a->mv_size > b->size) - (a->mv_size < b->size);
}

static void key_set(struct key *key, const MDB_val *from)
{
    ASSERT(from->mv_size >= 1 && from->mv_size <= sizeof(key->bytes));
    memcpy(key->bytes, from->mv_data, from->mv_size);
    key->size = (uint8_t)from->mv_size;
}

static MDB_cursor *cursor_of(struct store *store, struct commit *commit, int table)
{
    if (!commit->cursors[table]) {
        int rc = mdb_cursor_open(commit->txn, store->dbis[table], &commit->cursors[table]);
        if (rc != 0)
            store_fatal(store, "cannot open a cursor", rc);
    }
    return commit->cursors[table];
}

static void apply_put(struct store *store, struct commit *commit, const struct op *op,
                      const MDB_val *key, const MDB_val *record)
{
    MDB_cursor *cursor = cursor_of(store, commit, op->table);
    struct key *last = &store->last_keys[op->table];
    MDB_val k = *key, v = *record;
    unsigned flags = op->kind == OP_PUT_COUNTED ? MDB_NOOVERWRITE : 0;
    int rc;

    if (store_table_appends(op->table) && key_compare(key, last) > 0) {
        flags |= MDB_APPEND;
        key_set(last, key);
    }
    rc = mdb_cursor_put(cursor, &k, &v, flags);
    if (op->kind == OP_PUT_COUNTED && rc == 0) {
        store->counters[op->counter]++;
        commit->counters_changed = true;
    }
    if (op->kind == OP_PUT_COUNTED && rc == MDB_KEYEXIST) {
        k = *key;
        v = *record;
        rc = mdb_cursor_put(cursor, &k, &v, 0);
    }
    if (rc != 0)
        store_fatal(store, "cannot write a record", rc);
    commit->records++;
    commit->bytes += key->mv_size + record->mv_size;
}

static void apply_job(struct store *store, struct commit *commit, const struct store_job *job)
{
    for (uint32_t at = 0; at < job->used;) {
        const uint8_t *bytes = job->bytes + at;
        MDB_val key, record;
        struct op op;

        memcpy(&op, bytes, sizeof(op));
        key = val_of(bytes + sizeof(op), op.key_size);
        record = val_of(bytes + sizeof(op) + op.key_size, op.record_size);
        if (op.kind != OP_TRIM)
            apply_put(store, commit, &op, &key, &record);
        else if (key_compare(&key, &store->trims[op.table]) > 0)
            key_set(&store->trims[op.table], &key);
        at += (uint32_t)sizeof(op) + op.key_size + op.record_size;
    }
    commit->jobs++;
}

/* True iff the table's first record is to be deleted; its key is then current in the cursor. */
static bool trim_next(struct store *store, MDB_cursor *cursor, int table)
{
    MDB_val key, record;
    int rc = mdb_cursor_get(cursor, &key, &record, MDB_FIRST);

    if (rc == MDB_NOTFOUND)
        return false;
    if (rc != 0)
        store_fatal(store, "cannot read a record to trim", rc);
    if (key_compare(&key, &store->trims[table]) >= 0)
        return false;
    /* The journal's last record stays: it alone says where the positions go on. */
    return table != STORE_JOURNAL || key_compare(&key, &store->last_keys[table]) < 0;
}

static void trim_slice(struct store *store, struct commit *commit, int table)
{
    MDB_cursor *cursor = cursor_of(store, commit, table);

    for (int i = 0; i < TRIM_SLICE; i++) {
        int rc;

        if (!trim_next(store, cursor, table)) {
            store->trims[table].size = 0;
            return;
        }
        rc = mdb_cursor_del(cursor, 0);
        if (rc != 0)
            store_fatal(store, "cannot delete a record", rc);
        commit->trimmed++;
    }
}

static bool trim_waits(const struct store *store)
{
    for (int table = 0; table < STORE_TABLE_END; table++) {
        if (store->trims[table].size != 0)
            return true;
    }
    return false;
}

static void put_counters(struct store *store, struct commit *commit)
{
    uint8_t value[8 * STORE_COUNTERS];
    int rc;

    for (int i = 0; i < STORE_COUNTERS; i++)
        be_put(value + 8 * i, store->counters[i], 8);
    rc = record_put_own(commit->txn, store->dbis[TABLE_IDENTITY], KEY_COUNTERS, value,
                        sizeof(value));
    if (rc != 0)
        store_fatal(store, "cannot write the counters", rc);
}

static void commit_txn(struct store *store, struct commit *commit, const struct store_job *jobs)
{
    int rc = mdb_txn_begin(store->env, NULL, 0, &commit->txn);

    if (rc != 0)
        store_fatal(store, "cannot begin a transaction", rc);
    for (; jobs; jobs = jobs->next)
        apply_job(store, commit, jobs);
    for (int table = 0; table < STORE_TABLE_END; table++) {
        if (store->trims[table].size != 0)
            trim_slice(store, commit, table);
    }
    if (commit->counters_changed)
        put_counters(store, commit);
    /* The commit point. Nothing that depends on it was said before; after it, all may be. */
    rc = mdb_txn_commit(commit->txn);
    if (rc != 0)
        store_fatal(store, "cannot commit", rc);
}

static uint64_t max_of(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void count(struct store *store, const struct commit *commit, uint64_t took_us)
{
    struct store_stats *stats = &store->stats;

    stats->commits++;
    stats->jobs += commit->jobs;
    stats->records += commit->records + commit->trimmed;
    stats->bytes += commit->bytes;
    stats->trimmed += commit->trimmed;
    stats->batch_jobs_max = max_of(stats->batch_jobs_max, commit->jobs);
    stats->batch_bytes_max = max_of(stats->batch_bytes_max, commit->bytes);
    stats->commit_us_last = took_us;
    stats->commit_us_max = max_of(stats->commit_us_max, took_us);
    memcpy(stats->counters, store->counters, sizeof(stats->counters));
}

static bool has_work(const struct store_job *jobs)
{
    for (; jobs; jobs = jobs->next) {
        if (jobs->used > 0)
            return true;
    }
    return false;
}

/* Makes the jobs durable, with a slice of what is to be trimmed. */
static void commit_jobs(struct store *store, const struct store_job *jobs)
{
    struct commit commit = {0};
    uint64_t begun_us = now_us();

    if (!has_work(jobs) && !trim_waits(store))
        return;
    commit_txn(store, &commit, jobs);
    pthread_mutex_lock(&store->mutex);
    count(store, &commit, now_us() - begun_us);
    pthread_mutex_unlock(&store->mutex);
    /* A reader killed in the middle, such as a backup's, would pin pages for ever. */
    if (store->stats.commits % READER_CHECK_COMMITS == 0)
        mdb_reader_check(store->env, NULL);
    space_refresh(store);
}

/* Publishes the position, gives the jobs back, and wakes the loop. */
static void finish(struct store *store, struct store_job *jobs)
{
    uint64_t one = 1;

    while (jobs) {
        struct store_job *next = jobs->next;

        atomic_store(&store->durable, jobs->position);
        pthread_mutex_lock(&store->mutex);
        jobs->state = JOB_FREE;
        jobs->next = store->free_jobs;
        store->free_jobs = jobs;
        pthread_mutex_unlock(&store->mutex);
        jobs = next;
    }
    if (write(store->event_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
        store_fatal(store, "cannot write the event descriptor", errno);
}

/* Waits for something to do. Returns false when the store closes and nothing is left. */
static bool take(struct store *store, struct store_job **ret_jobs)
{
    bool go_on;

    pthread_mutex_lock(&store->mutex);
    while (!store->queue_head && !store->stopping && !trim_waits(store) &&
           !atomic_load(&store->space_wanted))
        pthread_cond_wait(&store->work, &store->mutex);
    *ret_jobs = store->queue_head;
    store->queue_head = NULL;
    store->queue_tail = NULL;
    go_on = *ret_jobs || !store->stopping;
    pthread_mutex_unlock(&store->mutex);
    return go_on;
}

void *store_thread(void *arg)
{
    struct store *store = arg;
    struct store_job *jobs;

    while (take(store, &jobs)) {
        if (atomic_exchange(&store->space_wanted, false))
            space_refresh(store);
        commit_jobs(store, jobs);
        if (jobs)
            finish(store, jobs);
    }
    return NULL;
}
