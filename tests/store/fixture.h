/*
 * What the store's tests share: a folder of their own, stores in it, and taps on the calls by which
 * the store changes the disk. The taps are linker wraps; the store knows nothing of them.
 */
#ifndef SETTLE_TESTS_STORE_FIXTURE_H
#define SETTLE_TESTS_STORE_FIXTURE_H

#include "store/store.h"

#include <CUnit/CUnit.h>
#include <sys/types.h>

#define PATH_SIZE 512

/* Calls the taps see, in no order: see tap_kill_at() and tap_fail_at(). */
enum tap { TAP_COMMIT = 0, TAP_MKDIR, TAP_FSYNC, TAP_RENAME, TAP_COUNT };

/** A fresh folder under $TMPDIR or /tmp; NUL-terminated in `path`. */
void folder_make(char path[PATH_SIZE]);

/** Remove it with all that is in it. */
void folder_remove(const char *path);

/** `path` = folder/name. */
void path_join(char path[PATH_SIZE], const char *folder, const char *name);

/** The identity of participant bank-a in cluster test. */
struct store_identity bank_a(void);

/** Small sizes, three jobs. */
struct store_options small_options(void);

/** Open `dir` as bank_a() with small options; a failure ends the test. */
struct store *must_open(const char *dir);

/** Init and open. */
struct store *must_make(const char *dir);

/** store_job_begin(), waiting for the event descriptor while the pool is empty. */
struct store_job *must_begin(struct store *store);

/** Put a value made of `seed` under a journal position. */
void must_put_journal(struct store_job *job, uint64_t position, size_t size);

/** Fill `bytes` with what must_put_journal() puts. */
void pattern_fill(uint8_t *bytes, size_t size, uint64_t seed);

/** Wait for `position` to be durable; false after 20 seconds. */
bool wait_durable(struct store *store, uint64_t position);

/** True iff the journal has `position` with the pattern of `size` bytes. */
bool journal_has(struct store *store, uint64_t position, size_t size);

/** From now on, the k-th tapped call of any kind (1, 2, ...) ends the process before it happens. */
void tap_kill_at(unsigned k);

/** From now on, the k-th tapped call fails with EIO. */
void tap_fail_at(unsigned k);

/** Forget both; returns how many tapped calls there were. */
unsigned tap_clear(void);

/** Commits wait at the gate until it is opened; gate_wait() returns when one stands there. */
void gate_close(void);
void gate_wait(void);
void gate_open(void);

/**
 * Run `body` in a child process and return its wait status; what it wrote to stderr goes to `text`
 * where that is not NULL. No store may be open.
 */
int run_child(void (*body)(const char *dir), const char *dir, char *text, size_t text_size);

#endif
