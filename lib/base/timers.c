#include "base/timers.h"

#include "base/assert.h"

size_t timers_memory_size(uint32_t slot_max)
{
    return slot_max * (sizeof(struct timer_entry) + sizeof(uint32_t));
}

void timers_init(struct timers *timers, void *memory, uint32_t slot_max)
{
    timers->heap = memory;
    timers->places = (void *)(timers->heap + slot_max);
    timers->count = 0;
    timers->slot_max = slot_max;
}

static void place(struct timers *timers, uint32_t at, struct timer_entry entry)
{
    timers->heap[at] = entry;
    timers->places[entry.slot] = at + 1;
}

/* Move the hole at `at` up until `entry` fits into it. */
static void sift_up(struct timers *timers, uint32_t at, struct timer_entry entry)
{
    while (at > 0) {
        uint32_t parent = (at - 1) / 2;

        if (timers->heap[parent].due <= entry.due)
            break;
        place(timers, at, timers->heap[parent]);
        at = parent;
    }
    place(timers, at, entry);
}

static void sift_down(struct timers *timers, uint32_t at, struct timer_entry entry)
{
    while (2 * at + 1 < timers->count) {
        uint32_t child = 2 * at + 1;

        if (child + 1 < timers->count && timers->heap[child + 1].due < timers->heap[child].due)
            child++;
        if (entry.due <= timers->heap[child].due)
            break;
        place(timers, at, timers->heap[child]);
        at = child;
    }
    place(timers, at, entry);
}

void timers_ask(struct timers *timers, uint32_t slot, uint64_t due)
{
    struct timer_entry entry = {.due = due, .slot = slot};
    uint32_t at = timers->places[slot];

    ASSERT(slot < timers->slot_max);
    if (due == TIMERS_NEVER)
        return;
    if (at == 0)
        sift_up(timers, timers->count++, entry);
    else if (due < timers->heap[at - 1].due)
        sift_up(timers, at - 1, entry);
}

uint64_t timers_next(const struct timers *timers)
{
    return timers->count > 0 ? timers->heap[0].due : TIMERS_NEVER;
}

uint32_t timers_pop(struct timers *timers, uint64_t now)
{
    uint32_t slot;

    if (timers->count == 0 || timers->heap[0].due > now)
        return TIMERS_NONE;
    slot = timers->heap[0].slot;
    timers->places[slot] = 0;
    timers->count--;
    if (timers->count > 0)
        sift_down(timers, 0, timers->heap[timers->count]);
    return slot;
}
