/*
 * An index from hashes to slots of the caller's array, by chaining, in memory the caller gives.
 *
 * It holds slots 0 to slot_max - 1, each at most once, and never allocates; what two slots have in
 * common besides the hash is the caller's to compare while walking:
 *
 *   for (s = table_first(t, hash); s != TABLE_END; s = table_next(t, s)) if (equal(...)) ...
 *
 * The walk meets other hashes too.
 */
#ifndef SETTLE_BASE_TABLE_H
#define SETTLE_BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define TABLE_END UINT32_MAX

struct table {
    uint32_t *heads; /* per bucket: first slot + 1, 0 when empty: zeroed memory is an empty table */
    uint32_t *nexts; /* per slot: next slot + 1 */
    uint32_t bucket_mask;
    uint32_t slot_max;
};

/** Bytes of memory for slots 0 to slot_max - 1. */
size_t table_memory_size(uint32_t slot_max);

/** Make an empty table in ZEROED memory of table_memory_size(), aligned for uint32_t. */
void table_init(struct table *table, void *memory, uint32_t slot_max);

/** Put a slot that is not in the table. */
void table_insert(struct table *table, uint64_t hash, uint32_t slot);

/** Take out a slot that is in the table under this hash. */
void table_remove(struct table *table, uint64_t hash, uint32_t slot);

static inline uint32_t table_first(const struct table *table, uint64_t hash)
{
    return table->heads[hash & table->bucket_mask] - 1;
}

static inline uint32_t table_next(const struct table *table, uint32_t slot)
{
    return table->nexts[slot] - 1;
}

#endif
