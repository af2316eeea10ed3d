/* The bounded structures under the coordinator: timers and the pool of branches. */
#include "base/prng.h"
#include "base/timers.h"
#include "core/pool.h"
#include "support/runner.h"

#include <stdlib.h>

#define SLOTS 50

/* Against a naive model: whoever rings is among the earliest, and nobody is forgotten. */
static void timers_ring_in_order(void)
{
    void *memory = calloc(1, timers_memory_size(SLOTS));
    uint64_t due[SLOTS];
    struct timers timers;
    struct prng prng;

    CU_ASSERT_PTR_NOT_NULL_FATAL(memory);
    prng_init(&prng, 1);
    timers_init(&timers, memory, SLOTS);
    for (int i = 0; i < SLOTS; i++)
        due[i] = TIMERS_NEVER;
    for (uint64_t now = 0; now < 20000; now++) {
        uint32_t slot = (uint32_t)prng_below(&prng, SLOTS), rung;
        uint64_t at = now + prng_below(&prng, 100), first = TIMERS_NEVER;

        timers_ask(&timers, slot, at);
        timers_ask(&timers, slot, TIMERS_NEVER);
        if (at < due[slot])
            due[slot] = at;
        for (int i = 0; i < SLOTS; i++)
            first = due[i] < first ? due[i] : first;
        CU_ASSERT_EQUAL(timers_next(&timers), first);
        rung = timers_pop(&timers, now);
        CU_ASSERT_EQUAL(rung != TIMERS_NONE, first <= now);
        if (rung == TIMERS_NONE)
            continue;
        CU_ASSERT_EQUAL(due[rung], first);
        due[rung] = TIMERS_NEVER;
    }
    free(memory);
}

static void the_pool_gives_back_what_it_was_given(void)
{
    static uint8_t bytes[BRANCH_SIZE_MAX];
    static const uint32_t sizes[] = {
        0, 1, POOL_CHUNK_BYTES, POOL_CHUNK_BYTES + 1, 5000, BRANCH_SIZE_MAX};
    void *memory = calloc(1, pool_memory_size(64 * 1024));
    void *batch_memory = calloc(1, batch_memory_size(1));
    struct batch batch;
    struct pool pool;
    uint32_t all;

    CU_ASSERT_PTR_NOT_NULL_FATAL(memory);
    CU_ASSERT_PTR_NOT_NULL_FATAL(batch_memory);
    for (uint32_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    batch_init(&batch, batch_memory, 1);
    pool_init(&pool, memory, 64 * 1024);
    all = pool.free_count;
    for (int round = 0; round < 50; round++) {
        uint32_t entry = SLOT_NONE, taken = 0;

        for (uint16_t i = 0; i < 6; i++) {
            entry = pool_put(&pool, i, (struct blob){bytes, sizes[i]}, entry);
            taken += pool_chunks_of(sizes[i]);
        }
        CU_ASSERT_EQUAL(pool.free_count, all - taken);
        batch_clear(&batch);
        for (uint32_t at = entry; at != SLOT_NONE; at = pool.chunks[at].next_entry) {
            struct blob blob = pool_get(&pool, at, &batch);

            CU_ASSERT_EQUAL_FATAL(blob.size, sizes[pool.chunks[at].party]);
            CU_ASSERT(blob.size == 0 || memcmp(blob.bytes, bytes, blob.size) == 0);
        }
        pool_free(&pool, entry);
        CU_ASSERT_EQUAL(pool.free_count, all);
    }
    free(batch_memory);
    free(memory);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"timers_ring_in_order", timers_ring_in_order},
        {"the_pool_gives_back_what_it_was_given", the_pool_gives_back_what_it_was_given},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"core memory", NULL, NULL, NULL, NULL, tests},
        CU_SUITE_INFO_NULL,
    };

    return runner_main(suites, argc, argv);
}
