/*
 * Opening and closing: whose store it is, that nobody else has it, and that it is whole.
 */
#include "store/store_internal.h"

#include "base/assert.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

_Noreturn void store_fatal(const struct store *store, const char *what, int rc)
{
    /* LMDB reports a disk that fills up in the middle of a write as EIO, so space is named too. */
    const char *todo = rc == MDB_MAP_FULL ? "raise the map size"
                                          : "look after the disk, its space and its health";

    fprintf(stderr,
            "level=fatal msg=\"store: %s\" error=\"%s\" dir=\"%s\" node=%s todo=\"%s; then start "
            "the process again: what was acknowledged is in the store\"\n",
            what, mdb_strerror(rc), store->dir, store->identity.node.text, todo);
    abort();
}

#ifdef __clang_analyzer__
#undef store_err
#endif

int store_err(struct err *err, int rc, const char *format, ...)
{
    char text[ERR_TEXT_SIZE / 2];
    int code = ERR_IO;
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND || rc == MDB_INVALID ||
        rc == MDB_VERSION_MISMATCH || rc == MDB_PANIC || rc == MDB_INCOMPATIBLE)
        code = ERR_CORRUPT;
    else if (rc == ENOMEM)
        code = ERR_MEMORY;
    return err_set(err, code, "%s: %s", text, mdb_strerror(rc));
}

const char *store_table_name(int table)
{
    static const char *const names[STORE_TABLE_END] = {[TABLE_IDENTITY] = "identity",
#define X(symbol, number, name) [symbol] = name,
                                                       STORE_TABLES(X)
#undef X
    };

    ASSERT(table >= 0 && table < STORE_TABLE_END);
    return names[table];
}

bool store_table_appends(int table)
{
    return table == STORE_JOURNAL || table == STORE_ENTRIES;
}

/* LMDB found its own structure broken. */
static void on_lmdb_assert(MDB_env *env, const char *text)
{
    store_fatal(mdb_env_get_userctx(env), text, MDB_CORRUPTED);
}

static int options_set(struct store *store, const struct store_options *given, struct err *err)
{
    struct store_options *options = &store->options;

    if (given)
        *options = *given;
    if (options->map_size == 0)
        options->map_size = STORE_MAP_SIZE_DEFAULT;
    if (options->reserve_size == 0)
        options->reserve_size = STORE_RESERVE_SIZE_DEFAULT;
    if (options->job_max == 0)
        options->job_max = STORE_JOBS_DEFAULT;
    if (options->job_size_max == 0)
        options->job_size_max = STORE_JOB_SIZE_DEFAULT;
    if (options->job_size_max < STORE_VALUE_SIZE_MAX + 4096)
        return err_set(err, ERR_USAGE, "a job of %u bytes cannot hold a value of %u",
                       options->job_size_max, STORE_VALUE_SIZE_MAX);
    /* Work taken before the state was seen to be low goes into the reserve, too. */
    if (options->reserve_size / 2 < (uint64_t)options->job_max * options->job_size_max)
        return err_set(err, ERR_USAGE,
                       "a reserve of %llu bytes is less than twice %u jobs of %u bytes; raise it",
                       (unsigned long long)options->reserve_size, options->job_max,
                       options->job_size_max);
    if (options->map_size / 2 < options->reserve_size)
        return err_set(
            err, ERR_USAGE, "a map of %llu bytes is less than twice the reserve of %llu; raise it",
            (unsigned long long)options->map_size, (unsigned long long)options->reserve_size);
    return 0;
}

/* Never lets LMDB make a file: an absent or empty one is no store. */
static int check_present(const char *dir, const struct store_identity *expected, struct err *err)
{
    char path[PATH_MAX];
    struct stat st;

    if (snprintf(path, sizeof(path), "%s/%s", dir, DATA_FILE) >= (int)sizeof(path))
        return err_set(err, ERR_USAGE, "the path %s is too long", dir);
    if (stat(path, &st) == 0) {
        if (st.st_size > 0)
            return 0;
        return err_set(err, ERR_CORRUPT,
                       "%s is empty; restore the store from a backup, or make a new one", path);
    }
    if (errno != ENOENT && errno != ENOTDIR)
        return err_set_errno(err, ERR_IO, errno, "cannot read %s", path);
    return err_set(err, ERR_NOT_FOUND,
                   "there is no store in %s; make one with: settle-%s init --data %s --id %s "
                   "--cluster %s",
                   dir, identity_role_name(expected->role), dir, expected->node.text,
                   expected->cluster.text);
}

static int env_open(struct store *store, struct err *err)
{
    MDB_stat stat;
    int rc = mdb_env_create(&store->env);

    if (rc == 0)
        rc = mdb_env_set_userctx(store->env, store);
    if (rc == 0)
        rc = mdb_env_set_assert(store->env, on_lmdb_assert);
    if (rc == 0)
        rc = mdb_env_set_maxdbs(store->env, STORE_TABLE_END);
    if (rc == 0)
        rc = mdb_env_set_mapsize(store->env, store->options.map_size);
    /* No flag that weakens a commit. NOTLS: the reader belongs to the store, not to a thread. */
    if (rc == 0)
        rc = mdb_env_open(store->env, store->dir, MDB_NOTLS, 0600);
    if (rc != 0)
        return store_err(err, rc, "cannot open " DATA_FILE);
    /* What a killed backup or mdb_stat left pinned. */
    mdb_reader_check(store->env, NULL);
    mdb_env_stat(store->env, &stat);
    store->page_size = stat.ms_psize;
    return 0;
}

/* Remembers where an appended table ends. */
static int load_last_key(struct store *store, MDB_txn *txn, int table, struct err *err)
{
    MDB_val key, record;
    MDB_cursor *cursor;
    int rc = mdb_cursor_open(txn, store->dbis[table], &cursor);

    if (rc != 0)
        return store_err(err, rc, "cannot read table %s", store_table_name(table));
    rc = mdb_cursor_get(cursor, &key, &record, MDB_LAST);
    if (rc == MDB_NOTFOUND) {
        rc = 0;
    } else if (rc != 0) {
        rc = store_err(err, rc, "cannot read table %s", store_table_name(table));
    } else if (key.mv_size > STORE_KEY_SIZE_MAX ||
               (table == STORE_JOURNAL && key.mv_size != STORE_KEY_JOURNAL_SIZE)) {
        rc = err_set(err, ERR_CORRUPT, "table %s ends with a key of %zu bytes",
                     store_table_name(table), key.mv_size);
    } else {
        memcpy(store->last_keys[table].bytes, key.mv_data, key.mv_size);
        store->last_keys[table].size = (uint8_t)key.mv_size;
    }
    mdb_cursor_close(cursor);
    return rc;
}

static int load_own(struct store *store, MDB_txn *txn, const struct store_identity *expected,
                    struct err *err)
{
    MDB_dbi dbi = store->dbis[TABLE_IDENTITY];
    MDB_val value;
    int rc = record_get_own(txn, dbi, KEY_IDENTITY, &value, err);

    if (rc == 0)
        rc = identity_decode(&store->identity, value.mv_data, value.mv_size, err);
    if (rc == 0)
        rc = identity_match(&store->identity, expected, err);
    if (rc == 0)
        rc = record_get_own(txn, dbi, KEY_INCARNATION, &value, err);
    if (rc != 0)
        return rc;
    store->identity.incarnation = be_get(value.mv_data, value.mv_size < 8 ? value.mv_size : 8) + 1;
    rc = record_get_own(txn, dbi, KEY_COUNTERS, &value, err);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < STORE_COUNTERS && 8 * (i + 1) <= value.mv_size; i++)
        store->counters[i] = be_get((const uint8_t *)value.mv_data + 8 * i, 8);
    memcpy(store->stats.counters, store->counters, sizeof(store->counters));
    return 0;
}

static int load_tables(struct store *store, MDB_txn *txn, struct err *err)
{
    for (int table = 0; table < STORE_TABLE_END; table++) {
        int rc = mdb_dbi_open(txn, store_table_name(table), 0, &store->dbis[table]);

        if (rc == MDB_NOTFOUND)
            return err_set(err, ERR_CORRUPT,
                           "the store has no table '%s'; restore it from a backup, or make a new "
                           "one",
                           store_table_name(table));
        if (rc != 0)
            return store_err(err, rc, "cannot open table '%s'", store_table_name(table));
    }
    return 0;
}

/*
 * One transaction checks the store and counts this opening. Forced before anything else, so that no
 * two runs ever speak under one incarnation.
 */
static int load(struct store *store, const struct store_identity *expected, struct err *err)
{
    uint8_t incarnation[8];
    MDB_txn *txn;
    int rc = mdb_txn_begin(store->env, NULL, 0, &txn);

    if (rc != 0)
        return store_err(err, rc, "cannot begin a transaction");
    rc = load_tables(store, txn, err);
    if (rc == 0)
        rc = load_own(store, txn, expected, err);
    for (int table = STORE_META; table < STORE_TABLE_END && rc == 0; table++) {
        if (store_table_appends(table))
            rc = load_last_key(store, txn, table, err);
    }
    if (rc != 0) {
        mdb_txn_abort(txn);
        return rc;
    }
    be_put(incarnation, store->identity.incarnation, 8);
    rc = record_put_own(txn, store->dbis[TABLE_IDENTITY], KEY_INCARNATION, incarnation, 8);
    if (rc != 0) {
        mdb_txn_abort(txn);
        return store_err(err, rc, "cannot write the incarnation");
    }
    rc = mdb_txn_commit(txn);
    if (rc != 0)
        return store_err(err, rc, "cannot commit the incarnation");
    if (store->last_keys[STORE_JOURNAL].size != 0)
        store->tail = store_key_position(store->last_keys[STORE_JOURNAL].bytes);
    store->journal_put = store->tail;
    store->position_submitted = store->tail;
    atomic_store(&store->durable, store->tail);
    return 0;
}

static int jobs_make(struct store *store, struct err *err)
{
    const struct store_options *options = &store->options;

    store->jobs = calloc(options->job_max, sizeof(*store->jobs));
    /* Whole from the start, so that no put ever waits for memory or fails for want of it; the
     * kernel gives pages only as far as a job was ever filled. */
    store->job_bytes = malloc((size_t)options->job_max * options->job_size_max);
    if (!store->jobs || !store->job_bytes)
        return err_set(err, ERR_MEMORY, "no memory for %u jobs of %u bytes", options->job_max,
                       options->job_size_max);
    for (uint32_t i = 0; i < options->job_max; i++) {
        struct store_job *job = &store->jobs[i];

        job->store = store;
        job->bytes = store->job_bytes + (size_t)i * options->job_size_max;
        job->next = store->free_jobs;
        store->free_jobs = job;
    }
    return 0;
}

static int reader_make(struct store *store, struct err *err)
{
    int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &store->reader);

    if (rc != 0)
        return store_err(err, rc, "cannot begin to read");
    mdb_txn_reset(store->reader);
    return 0;
}

static int thread_start(struct store *store, struct err *err)
{
    sigset_t all, before;
    int rc;

    store->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (store->event_fd < 0)
        return err_set_errno(err, ERR_IO, errno, "cannot make an event descriptor");
    /* Signals are the loop's. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&store->thread, NULL, store_thread, store);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        return err_set_errno(err, ERR_MEMORY, rc, "cannot start the store's thread");
    pthread_setname_np(store->thread, "store");
    store->thread_started = true;
    return 0;
}

static int open_in(struct store *store, const struct store_identity *expected, struct err *err)
{
    int rc = env_open(store, err);

    if (rc == 0)
        rc = extent_check(store, err);
    if (rc == 0)
        rc = load(store, expected, err);
    if (rc == 0)
        rc = jobs_make(store, err);
    if (rc == 0)
        rc = reader_make(store, err);
    if (rc != 0)
        return rc;
    space_open(store);
    space_refresh(store);
    return thread_start(store, err);
}

int store_open(const char *dir, const struct store_identity *expected,
               const struct store_options *options, struct store **ret_store, struct err *err)
{
    struct store *store;
    int rc = check_present(dir, expected, err);

    if (rc != 0)
        return rc;
    store = calloc(1, sizeof(*store));
    if (!store)
        return err_set(err, ERR_MEMORY, "no memory for the store %s", dir);
    pthread_mutex_init(&store->mutex, NULL);
    pthread_cond_init(&store->work, NULL);
    store->event_fd = -1;
    snprintf(store->dir, sizeof(store->dir), "%s", dir);
    rc = options_set(store, options, err);
    store->lock_fd = rc == 0 ? store_lock(dir, err) : -1;
    if (rc == 0 && store->lock_fd < 0)
        rc = store->lock_fd;
    if (rc == 0) {
        rc = open_in(store, expected, err);
        if (rc != 0)
            err_prefix(err, "store %s", dir);
    }
    if (rc != 0) {
        store_close(store);
        return rc;
    }
    *ret_store = store;
    return 0;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    if (store->thread_started) {
        pthread_mutex_lock(&store->mutex);
        store->stopping = true;
        pthread_cond_signal(&store->work);
        pthread_mutex_unlock(&store->mutex);
        pthread_join(store->thread, NULL);
    }
    if (store->event_fd >= 0)
        close(store->event_fd);
    if (store->reader)
        mdb_txn_abort(store->reader);
    free(store->job_bytes);
    free(store->jobs);
    if (store->env)
        mdb_env_close(store->env);
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    pthread_cond_destroy(&store->work);
    pthread_mutex_destroy(&store->mutex);
    free(store);
}

const struct store_identity *store_identity(const struct store *store)
{
    return &store->identity;
}

int store_bind_cluster(struct store *store, const struct guid *cluster_guid, uint16_t groups,
                       struct err *err)
{
    struct store_identity bound = store->identity;
    uint8_t bytes[IDENTITY_SIZE];
    MDB_txn *txn;
    int rc;

    ASSERT(!guid_is_zero(cluster_guid) && groups > 0);
    if (!guid_is_zero(&bound.cluster_guid)) {
        bound.cluster_guid = *cluster_guid;
        bound.groups = groups;
        rc = identity_match(&store->identity, &bound, err);
        return rc == 0 ? 0 : err_prefix(err, "store %s", store->dir);
    }
    bound.cluster_guid = *cluster_guid;
    bound.groups = groups;
    identity_encode(&bound, bytes);
    /* Once in a store's life, so it does not go by the store's thread; LMDB lets one writer in. */
    rc = mdb_txn_begin(store->env, NULL, 0, &txn);
    if (rc != 0)
        store_fatal(store, "cannot begin a transaction", rc);
    rc = record_put_own(txn, store->dbis[TABLE_IDENTITY], KEY_IDENTITY, bytes, sizeof(bytes));
    if (rc != 0)
        store_fatal(store, "cannot bind the store to the cluster", rc);
    rc = mdb_txn_commit(txn);
    if (rc != 0)
        store_fatal(store, "cannot commit the binding to the cluster", rc);
    store->identity = bound;
    return 0;
}

void store_stats(struct store *store, struct store_stats *ret_stats)
{
    pthread_mutex_lock(&store->mutex);
    *ret_stats = store->stats;
    pthread_mutex_unlock(&store->mutex);
}
