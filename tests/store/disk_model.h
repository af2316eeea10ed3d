/*
 * A disk that loses power: watches what this process writes to one file, and knows at any instant
 * what of it a disk would be bound to have kept.
 *
 * Linking it replaces pwrite(), writev() and fdatasync() of the whole program, LMDB
 * included; they still do what they did. A write through a descriptor with O_DSYNC is kept at once;
 * any other is pending until the file is synced, and may be lost until then, page by page.
 */
#ifndef SETTLE_TESTS_STORE_DISK_MODEL_H
#define SETTLE_TESTS_STORE_DISK_MODEL_H

#include "base/prng.h"

#include <stdbool.h>
#include <stddef.h>

/** Watch `path`, whose present content counts as kept. */
void disk_watch(const char *path);

/** Stop watching. */
void disk_forget(void);

/**
 * Write to `path` what a power cut at this instant might leave: what is kept, and of what is
 * pending each page or not. Returns the number of pages lost.
 */
size_t disk_cut(const char *path, struct prng *prng);

/** From now on fdatasync() of any file fails with EIO. */
void disk_fail_syncs(void);

#endif
