/*
 * What happens next: a heap ordered by time, and within one instant at random or in order.
 */
#include "base/assert.h"
#include "sim/sim.h"

static bool is_before(const struct happening *a, const struct happening *b)
{
    return a->at_ms < b->at_ms || (a->at_ms == b->at_ms && a->order < b->order);
}

void sim_schedule(struct sim *sim, uint64_t delay_ms, struct happening happening)
{
    struct queue *queue = &sim->queue;
    uint32_t at = queue->count++;

    ASSERT(at < SIM_HAPPENINGS);
    happening.at_ms = sim->now_ms + delay_ms;
    happening.order = ++queue->counter;
    if (sim->random)
        happening.order |= prng_next(&sim->prng) << 32;
    while (at > 0 && is_before(&happening, &queue->heap[(at - 1) / 2])) {
        queue->heap[at] = queue->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    queue->heap[at] = happening;
}

bool sim_next(struct sim *sim, uint64_t until_ms, struct happening *ret_happening)
{
    struct queue *queue = &sim->queue;
    struct happening last;
    uint32_t at = 0;

    if (queue->count == 0 || queue->heap[0].at_ms > until_ms)
        return false;
    *ret_happening = queue->heap[0];
    last = queue->heap[--queue->count];
    while (2 * at + 1 < queue->count) {
        uint32_t child = 2 * at + 1;

        if (child + 1 < queue->count && is_before(&queue->heap[child + 1], &queue->heap[child]))
            child++;
        if (!is_before(&queue->heap[child], &last))
            break;
        queue->heap[at] = queue->heap[child];
        at = child;
    }
    queue->heap[at] = last;
    sim->now_ms = ret_happening->at_ms;
    return true;
}

uint64_t sim_draw(struct sim *sim, uint64_t bound)
{
    return bound == 0 ? 0 : prng_below(&sim->prng, bound);
}

bool sim_chance(struct sim *sim, uint32_t permille)
{
    return permille > 0 && sim->random && prng_chance(&sim->prng, permille);
}

/* A delay of 1 to `max_ms`, or 1 ms in a directed schedule. */
uint64_t sim_delay(struct sim *sim, uint64_t max_ms)
{
    return sim->random ? 1 + sim_draw(sim, max_ms) : 1;
}
