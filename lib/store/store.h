/*
 * The store: what must survive, in LMDB. Bytes in, bytes out.
 *
 * A store is a directory made by store_init() and opened by one process at a time. Writes are
 * gathered into jobs on the loop's thread; one thread of the store commits them, strictly in the
 * order of their submission, folding those that wait into one transaction (group commit). A job is
 * durable as a whole or not at all, and never before the jobs submitted before it. Reads run on the
 * loop's thread and see what is committed.
 *
 * What it promises: after store_durable() returned a position, every job submitted up to it is
 * found again after any crash, bytes and all. A record that changed on the disk is reported, never
 * returned. A store of another cluster, node or role is refused.
 *
 * What it never does: answer after a failed commit. It prints one line that says what failed and
 * what to do, and aborts the process (I11); memory is ahead of the disk then, and recovery is the
 * only way back. It knows nothing of what the bytes mean.
 *
 * Threads: everything here belongs to one thread, the loop's, apart from store_init(). Never fork
 * while a store is open. Only local file systems.
 */
#ifndef SETTLE_STORE_STORE_H
#define SETTLE_STORE_STORE_H

#include "base/err.h"
#include "base/types.h"

#define STORE_FORMAT               1u /* of the whole store; a higher one is refused */
#define STORE_KEY_SIZE_MAX         32u
#define STORE_VALUE_SIZE_MAX       (1024u * 1024) /* bytes of one value */

#define STORE_MAP_SIZE_DEFAULT     (64ull << 30) /* (config) address space, not disk */
#define STORE_RESERVE_SIZE_DEFAULT (64ull << 20) /* (config) kept for decided work */
#define STORE_JOBS_DEFAULT         8u
#define STORE_JOB_SIZE_DEFAULT     (4u << 20)

/* X(symbol, number, "name"). The numbers stand in records' checksums. */
#define STORE_TABLES(X)                                                                           \
    X(STORE_META, 1, "meta")         /* the runtime's: short texts -> checkpoint state */         \
    X(STORE_JOURNAL, 2, "journal")   /* position, u64 big-endian -> record; only appended */      \
    X(STORE_ACCOUNTS, 3, "accounts") /* number, u32 big-endian -> account row */                  \
    X(STORE_ENTRIES, 4, "entries")   /* position u64, index u16, big-endian -> statement entry */ \
    X(STORE_OUTCOMES, 5, "outcomes") /* id, 16 bytes -> outcome, for ever (R10) */                \
    X(STORE_HISTORY, 6, "history")   /* coordinator: id, 16 bytes -> outcome told (R11) */

enum store_table {
#define X(symbol, number, name) symbol = number,
    STORE_TABLES(X)
#undef X
        STORE_TABLE_END
};

enum store_role {
    STORE_PARTICIPANT = 1,
    STORE_COORDINATOR = 2,
};

/* Totals over the life of the store, kept across restarts: see store_put_counted(). */
enum store_counter { STORE_COMMITTED = 0, STORE_ABORTED = 1, STORE_COUNTERS };

/* Whose store it is. */
struct store_identity {
    enum store_role role;
    struct node_name cluster;
    struct node_name node;
    struct guid store_id;     /* init: zero = draw one; open: zero = any */
    struct guid cluster_guid; /* zero until store_bind_cluster(); open: zero = any */
    uint16_t groups;          /* 0 until store_bind_cluster(); open: 0 = any */
    uint64_t incarnation;     /* opens so far, this one included; ignored in what a caller gives */
};

/* Zero in a field takes its default. */
struct store_options {
    uint64_t map_size;     /* the most the store can grow to; 1 GiB or less under valgrind */
    uint64_t reserve_size; /* of map and disk, below which store_space() is not OK */
    uint32_t job_max;      /* jobs that may be open, waiting or in the works at once */
    uint32_t job_size_max; /* bytes of one job; the sum over jobs should fit half the reserve */
};

struct store;
struct store_job;

/**
 * Make a store in `dir`, which must be absent or an empty directory; its parent must exist.
 *
 * All or nothing: it is built beside `dir` and renamed into place. After a crash `dir` is a whole
 * store or none, and the call may simply be repeated.
 *
 * ERR_EXISTS: `dir` holds a store, or other files. ERR_BUSY: another process makes it right now.
 * ERR_IO: parent missing or not writable, `dir` is a mount point (choose a folder inside), ...
 */
int store_init(const char *dir, const struct store_identity *identity, struct err *err);

/**
 * Open a store, raise its incarnation and force that, and start its thread.
 *
 * `expected` gives role, cluster and node, which must be the store's; store_id, cluster_guid and
 * groups are compared where given. `options` may be NULL.
 *
 * ERR_NOT_FOUND: no store there; the text says how to make one. ERR_FOREIGN: another cluster, node,
 * role or store id, or made by a newer release; the text has both. ERR_CORRUPT: damaged. ERR_BUSY:
 * open in a live process (this one included). ERR_USAGE: options, or a network file system. ERR_IO,
 * ERR_MEMORY.
 */
int store_open(const char *dir, const struct store_identity *expected,
               const struct store_options *options, struct store **ret_store, struct err *err);

/** Commit what was submitted, stop the thread, close. An open job is dropped. Accepts NULL. */
void store_close(struct store *store);

/** Valid until store_close(). */
const struct store_identity *store_identity(const struct store *store);

/**
 * Bind the store to a cluster's guid and number of groups, for ever; blocks for one commit.
 *
 * Repeating it with the same values is no error; with others it is ERR_FOREIGN.
 */
int store_bind_cluster(struct store *store, const struct guid *cluster_guid, uint16_t groups,
                       struct err *err);

/* Keys. Big-endian, so that the order of bytes is the order of numbers. */
#define STORE_KEY_JOURNAL_SIZE 8u
#define STORE_KEY_ACCOUNT_SIZE 4u
#define STORE_KEY_ENTRY_SIZE   10u
void store_key_journal(uint8_t key[STORE_KEY_JOURNAL_SIZE], uint64_t position);
void store_key_account(uint8_t key[STORE_KEY_ACCOUNT_SIZE], uint32_t number);
void store_key_entry(uint8_t key[STORE_KEY_ENTRY_SIZE], uint64_t position, uint16_t index);
uint64_t store_key_position(const uint8_t *key); /* of a journal's or an entry's key */

/* Writing. */

/**
 * Take an empty job from the pool. NULL when all are out: stop reading what makes work until
 * store_event_fd() is readable, then call store_durable() and try again.
 */
struct store_job *store_job_begin(struct store *store);

/**
 * Put a record; both `key` and `value` are copied. A record under the same key is replaced, except
 * in the journal, whose keys must ascend. Later puts of a job win over earlier ones.
 *
 * Returns false, and changes nothing, when the job has no room for it: submit it and begin another.
 * A value of STORE_VALUE_SIZE_MAX always fits an empty job.
 */
bool store_put(struct store_job *job, enum store_table table, const void *key, size_t key_size,
               const void *value, size_t value_size) __attribute__((warn_unused_result));

/** As store_put, and adds one to `counter` iff there was no record under the key. */
bool store_put_counted(struct store_job *job, enum store_table table, const void *key,
                       size_t key_size, const void *value, size_t value_size,
                       enum store_counter counter) __attribute__((warn_unused_result));

/**
 * Delete the records of `table` whose keys are below `key`, soon after the job is durable.
 *
 * The store deletes in slices, a few with each later commit and the rest when it is idle; a crash
 * forgets what is left of it, so repeat it with the next checkpoint. The journal's last record
 * always stays: positions never go back. Returns false as store_put does.
 */
bool store_trim(struct store_job *job, enum store_table table, const void *key, size_t key_size)
    __attribute__((warn_unused_result));

/**
 * Hand the job to the store's thread; it is no longer the caller's.
 *
 * @position  what store_durable() returns once this job and all before it are durable: the
 *            journal's last position so far, or any number that never falls. An empty job is fine.
 */
void store_job_submit(struct store_job *job, uint64_t position);

/** Readable when jobs became durable, or freed, since the last store_durable(). */
int store_event_fd(const struct store *store);

/** Drain the event, take finished jobs back, and return the highest position that is durable. */
uint64_t store_durable(struct store *store);

/** The last position in the journal when the store was opened; 0 when it never had one. */
uint64_t store_tail(const struct store *store);

/* Reading. Sees committed records only. A damaged one is ERR_CORRUPT, naming table and key. */

/**
 * Copy a record's value into `buffer`. Returns 0; ERR_NOT_FOUND; ERR_FULL when `buffer_size` is
 * less than `*ret_size`, which is set then too; ERR_CORRUPT.
 */
int store_get(struct store *store, enum store_table table, const void *key, size_t key_size,
              void *buffer, size_t buffer_size, size_t *ret_size, struct err *err);

/* A record in a scan: borrowed until the callback returns; not aligned. */
struct store_row {
    const uint8_t *key;
    size_t key_size;
    const uint8_t *value;
    size_t value_size;
};

/** Return false to end the scan after this row. Must not call the store. */
typedef bool (*store_scan_fn)(void *ctx, const struct store_row *row);

enum store_direction {
    STORE_FORWARD = 1,
    STORE_BACKWARD = 2,
};

struct store_scan {
    enum store_table table;
    enum store_direction direction;
    const void *from; /* first key to see, included if it is there; NULL: from the end */
    size_t from_size;
    uint32_t max; /* rows of this call; page with `from` so that a scan never pins the store */
};

/** Call `fn` for rows in the order of keys. Returns how many it saw, or a negative error. */
int store_scan(struct store *store, const struct store_scan *scan, store_scan_fn fn, void *ctx,
               struct err *err);

/** Read every record of every table and check it. For tools and tests: takes its time. */
int store_verify(struct store *store, struct err *err);

/* Space. */

enum store_space {
    STORE_SPACE_OK = 0,
    STORE_SPACE_MAP_LOW = 1,  /* the map is used up to the reserve */
    STORE_SPACE_DISK_LOW = 2, /* the file system cannot keep the reserve */
};

/**
 * Cheap; as of the last commit. While not OK take no new work; what is decided still fits. Asking
 * while it is not OK makes the store look again, so ask each turn, not only after commits.
 */
enum store_space store_space(struct store *store);

/** A sentence on a state: what is short and what to do. */
const char *store_space_text(enum store_space space);

struct store_stats {
    uint64_t commits; /* LMDB transactions */
    uint64_t jobs;
    uint64_t records;         /* puts, and records trimmed */
    uint64_t bytes;           /* of keys and values as stored */
    uint64_t trimmed;         /* records */
    uint64_t batch_jobs_max;  /* most jobs folded into one transaction */
    uint64_t batch_bytes_max; /* most bytes of one transaction */
    uint64_t commit_us_last;  /* from the first put to the end of the commit */
    uint64_t commit_us_max;
    uint64_t map_used; /* bytes of the map in use, free pages not counted */
    uint64_t map_size;
    uint64_t reserved; /* bytes of disk kept beyond the file's end */
    uint64_t counters[STORE_COUNTERS];
};

/** As of the last commit. */
void store_stats(struct store *store, struct store_stats *ret_stats);

#endif
