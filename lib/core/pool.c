#include "core/pool.h"

#include "base/assert.h"

_Static_assert(BRANCH_SIZE_MAX <= UINT16_MAX, "a chunk's size field holds any branch");

static uint32_t chunk_count_of(uint32_t bytes)
{
    return bytes / (uint32_t)sizeof(struct pool_chunk);
}

size_t pool_memory_size(uint32_t bytes)
{
    return chunk_count_of(bytes) * sizeof(struct pool_chunk);
}

void pool_init(struct pool *pool, void *memory, uint32_t bytes)
{
    pool->chunks = memory;
    pool->chunk_count = chunk_count_of(bytes);
    pool->touched = 0;
    pool->free_head = SLOT_NONE;
    pool->free_count = pool->chunk_count;
}

uint32_t pool_chunks_of(uint32_t size)
{
    return size == 0 ? 1 : (size + POOL_CHUNK_BYTES - 1) / POOL_CHUNK_BYTES;
}

static uint32_t take_chunk(struct pool *pool)
{
    uint32_t at = pool->free_head;

    ASSERT(pool->free_count > 0);
    pool->free_count--;
    if (at == SLOT_NONE)
        return pool->touched++;
    pool->free_head = pool->chunks[at].next;
    return at;
}

uint32_t pool_put(struct pool *pool, uint16_t party, struct blob branch, uint32_t next_entry)
{
    uint32_t entry = take_chunk(pool);
    uint32_t at = entry, done = 0;

    ASSERT(branch.size <= BRANCH_SIZE_MAX);
    pool->chunks[entry].next_entry = next_entry;
    pool->chunks[entry].party = party;
    pool->chunks[entry].size = (uint16_t)branch.size;
    for (;;) {
        uint32_t left = branch.size - done;
        uint32_t part = left < POOL_CHUNK_BYTES ? left : POOL_CHUNK_BYTES;

        if (part > 0)
            memcpy(pool->chunks[at].bytes, branch.bytes + done, part);
        done += part;
        if (done == branch.size)
            break;
        pool->chunks[at].next = take_chunk(pool);
        at = pool->chunks[at].next;
    }
    pool->chunks[at].next = SLOT_NONE;
    return entry;
}

struct blob pool_get(const struct pool *pool, uint32_t entry, struct batch *batch)
{
    uint32_t size = pool->chunks[entry].size, done = 0;
    uint8_t *bytes = size > 0 ? batch_alloc(batch, size) : NULL;

    for (uint32_t at = entry; done < size; at = pool->chunks[at].next) {
        uint32_t left = size - done;
        uint32_t part = left < POOL_CHUNK_BYTES ? left : POOL_CHUNK_BYTES;

        memcpy(bytes + done, pool->chunks[at].bytes, part);
        done += part;
    }
    return (struct blob){.bytes = bytes, .size = size};
}

void pool_free(struct pool *pool, uint32_t entry)
{
    while (entry != SLOT_NONE) {
        uint32_t next_entry = pool->chunks[entry].next_entry;
        uint32_t at = entry;

        while (at != SLOT_NONE) {
            uint32_t next = pool->chunks[at].next;

            pool->chunks[at].next = pool->free_head;
            pool->free_head = at;
            pool->free_count++;
            at = next;
        }
        entry = next_entry;
    }
}
