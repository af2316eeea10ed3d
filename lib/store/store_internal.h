/*
 * What the files of the store share. Nobody outside lib/store includes this.
 *
 * Three owners, marked at the fields: the loop's thread, the store's thread, or both under `mutex`.
 */
#ifndef SETTLE_STORE_INTERNAL_H
#define SETTLE_STORE_INTERNAL_H

#include "store/store.h"

#include <limits.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>

#define DATA_FILE      "data.mdb"
#define LMDB_LOCK_FILE "lock.mdb"
#define LOCK_FILE      "LOCK"

/* The store's own table, number 0 beside those of enum store_table. */
#define TABLE_IDENTITY  0
#define KEY_IDENTITY    "identity"
#define KEY_INCARNATION "incarnation"
#define KEY_COUNTERS    "counters"

/* A record on disk: version, length (24 bits), CRC32C, value. */
#define RECORD_VERSION     1u
#define RECORD_HEADER_SIZE 8u

#define IDENTITY_SIZE      103u /* see store_identity.c */

#define TRIM_SLICE         1024 /* records deleted per table and transaction */

/* An operation in a job's bytes; followed by the key and the record. */
enum op_kind {
    OP_PUT = 1,
    OP_PUT_COUNTED = 2,
    OP_TRIM = 3,
};

struct op {
    uint8_t kind;
    uint8_t table;
    uint8_t counter;
    uint8_t key_size;
    uint32_t record_size; /* header included; 0 for TRIM */
};

/* Keys are short: they are kept by value. */
struct key {
    uint8_t bytes[STORE_KEY_SIZE_MAX];
    uint8_t size; /* 0: none */
};

enum job_state {
    JOB_FREE = 0,      /* in free_jobs */
    JOB_OPEN = 1,      /* the caller's: store_job_begin() */
    JOB_SUBMITTED = 2, /* in the queue or with the store's thread: store_job_submit() */
};

struct store_job {
    struct store *store;
    struct store_job *next;
    enum job_state state;
    uint8_t *bytes; /* job_size_max of them; touched only as far as they were ever used */
    uint32_t used;
    uint64_t position;
};

struct store {
    /* Fixed while the store is open. */
    char dir[PATH_MAX];
    struct store_options options;
    MDB_env *env;
    MDB_dbi dbis[STORE_TABLE_END];
    unsigned page_size;
    int lock_fd;
    int event_fd;
    pthread_t thread;
    bool thread_started;
    struct store_job *jobs;
    uint8_t *job_bytes;

    /* The loop's. */
    struct store_identity identity;
    MDB_txn *reader; /* reset between calls, so that it pins no pages */
    uint64_t tail;
    uint64_t journal_put;
    uint64_t position_submitted;

    /* Both, under mutex. */
    pthread_mutex_t mutex;
    pthread_cond_t work;
    struct store_job *free_jobs;
    struct store_job *queue_head, *queue_tail;
    bool stopping;
    struct store_stats stats;

    /* Both, atomic. */
    _Atomic uint64_t durable;
    _Atomic int space;
    _Atomic bool space_wanted;

    /* The store thread's. */
    struct key last_keys[STORE_TABLE_END]; /* of the appended tables */
    struct key trims[STORE_TABLE_END];     /* size 0: nothing to delete */
    uint64_t counters[STORE_COUNTERS];
    uint64_t reserved_end; /* the disk is ours up to here */
    bool reserve_unsupported;
};

/* store.c */

/** Say what failed and what to do, and abort. `rc` is LMDB's or an errno. */
_Noreturn void store_fatal(const struct store *store, const char *what, int rc);

/** ERR_CORRUPT, ERR_IO or ERR_MEMORY of an LMDB code, with its text after the sentence. */
int store_err(struct err *err, int rc, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#ifdef __clang_analyzer__
/* As in base/err.h: the analyzer does not see that it is never 0. */
#define store_err(err, rc, ...) ((void)(store_err)(err, rc, __VA_ARGS__), ERR_IO)
#endif

const char *store_table_name(int table);

/** Tables whose keys usually ascend: a put above the last key takes the cheap path. */
bool store_table_appends(int table);

/** LMDB takes `void *` for what it only reads: the one place where const is cast away. */
static inline MDB_val val_of(const void *bytes, size_t size)
{
    return (MDB_val){size, (void *)(uintptr_t)bytes};
}

/* store_identity.c */
void identity_encode(const struct store_identity *identity, uint8_t bytes[IDENTITY_SIZE]);
int identity_decode(struct store_identity *identity, const uint8_t *bytes, size_t size,
                    struct err *err);
int identity_match(const struct store_identity *found, const struct store_identity *expected,
                   struct err *err);
const char *identity_role_name(enum store_role role);
void be_put(uint8_t *bytes, uint64_t value, size_t size);
uint64_t be_get(const uint8_t *bytes, size_t size);

/* store_init.c */

/** Open DIR/LOCK and take it. `dir` is named in errors. Returns the descriptor or an error. */
int store_lock(const char *dir, struct err *err);

/* extent.c */

/** ERR_CORRUPT when the data file was cut off: to read it would end in SIGBUS. */
int extent_check(struct store *store, struct err *err);

/* store_record.c */

/** Write the header of a record whose value stands behind it already. */
void record_seal(int table, const MDB_val *key, uint8_t *record, uint32_t value_size);

/** Check a record. On success *ret_value is the value inside it. */
int record_open(int table, const MDB_val *key, const MDB_val *record, MDB_val *ret_value,
                struct err *err);

/** Put a record of the store's own table. */
int record_put_own(MDB_txn *txn, MDB_dbi dbi, const char *key, const uint8_t *value, size_t size);

/** Get one; MDB_NOTFOUND becomes ERR_CORRUPT: they are written by init. */
int record_get_own(MDB_txn *txn, MDB_dbi dbi, const char *key, MDB_val *ret_value, struct err *err);

/* store_commit.c */
void *store_thread(void *arg);

/* space.c */

/** Take what the last run had reserved into account. */
void space_open(struct store *store);

/** Top the reserve up and publish the state. The store's thread only, outside a transaction. */
void space_refresh(struct store *store);

#endif
