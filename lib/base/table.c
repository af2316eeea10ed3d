#include "base/table.h"

#include "base/assert.h"

/* Twice as many buckets as slots at the most, at least as many: a power of two. */
static uint32_t bucket_count(uint32_t slot_max)
{
    uint32_t count = 16;

    while (count < slot_max && count < (1u << 31))
        count *= 2;
    return count;
}

size_t table_memory_size(uint32_t slot_max)
{
    return ((size_t)bucket_count(slot_max) + slot_max) * sizeof(uint32_t);
}

void table_init(struct table *table, void *memory, uint32_t slot_max)
{
    uint32_t buckets = bucket_count(slot_max);

    table->heads = memory;
    table->nexts = table->heads + buckets;
    table->bucket_mask = buckets - 1;
    table->slot_max = slot_max;
}

void table_insert(struct table *table, uint64_t hash, uint32_t slot)
{
    uint32_t *head = &table->heads[hash & table->bucket_mask];

    ASSERT(slot < table->slot_max);
    table->nexts[slot] = *head;
    *head = slot + 1;
}

void table_remove(struct table *table, uint64_t hash, uint32_t slot)
{
    uint32_t *link = &table->heads[hash & table->bucket_mask];

    while (*link != slot + 1) {
        ASSERT(*link != 0);
        link = &table->nexts[*link - 1];
    }
    *link = table->nexts[slot];
    table->nexts[slot] = 0;
}
