/*
 * Room for the branches of what is in flight: one pool, in chunks, in memory the caller gives.
 *
 * A transaction's branches are a list of entries, each a chain of chunks; most fit one chunk. They
 * are kept only as long as a Prepare may have to be repeated. An entry is named by its first chunk.
 */
#ifndef SETTLE_CORE_POOL_H
#define SETTLE_CORE_POOL_H

#include "core/batch.h"

#define POOL_CHUNK_BYTES 116

struct pool_chunk {
    uint32_t next;       /* of the same entry, or of the free list; SLOT_NONE: the last */
    uint32_t next_entry; /* in an entry's first chunk */
    uint16_t party;      /* likewise */
    uint16_t size;       /* likewise: of the whole branch */
    uint8_t bytes[POOL_CHUNK_BYTES];
};

struct pool {
    struct pool_chunk *chunks;
    uint32_t chunk_count;
    uint32_t touched; /* chunks below were used once */
    uint32_t free_head;
    uint32_t free_count; /* the untouched included */
};

/** Bytes of memory for a pool that holds about `bytes` bytes of branches. */
size_t pool_memory_size(uint32_t bytes);

void pool_init(struct pool *pool, void *memory, uint32_t bytes);

/** How many chunks a branch of `size` bytes takes: at least one. */
uint32_t pool_chunks_of(uint32_t size);

/** Keep a copy; the caller saw that free_count suffices. Goes before `next_entry` in the list. */
uint32_t pool_put(struct pool *pool, uint16_t party, struct blob branch, uint32_t next_entry);

/** The branch of an entry, in the batch's arena. */
struct blob pool_get(const struct pool *pool, uint32_t entry, struct batch *batch);

/** Give back a list of entries; SLOT_NONE is an empty one. */
void pool_free(struct pool *pool, uint32_t entry);

#endif
