/*
 * Due times of numbered things, earliest first: a binary heap in memory the caller gives.
 *
 * A timer rings at the latest when asked for, and may ring early: asking for a later time than the
 * one that stands changes nothing. Whoever is rung looks whether anything is due, and asks again.
 * So a thing that changes its mind a thousand times between two rings costs the heap nothing.
 */
#ifndef SETTLE_BASE_TIMERS_H
#define SETTLE_BASE_TIMERS_H

#include <stddef.h>
#include <stdint.h>

#define TIMERS_NONE  UINT32_MAX /* nobody rings */
#define TIMERS_NEVER UINT64_MAX /* no due time */

struct timer_entry {
    uint64_t due;
    uint32_t slot;
};

struct timers {
    struct timer_entry *heap;
    uint32_t *places; /* per slot: place in the heap + 1; 0: not set, as in zeroed memory */
    uint32_t count;
    uint32_t slot_max;
};

/** Bytes of memory for slots 0 to slot_max - 1. */
size_t timers_memory_size(uint32_t slot_max);

/** Make an empty heap in ZEROED memory of timers_memory_size(), aligned for uint64_t. */
void timers_init(struct timers *timers, void *memory, uint32_t slot_max);

/** Let the slot ring at `due` or earlier; TIMERS_NEVER asks for nothing. */
void timers_ask(struct timers *timers, uint32_t slot, uint64_t due);

/** When the first is due; TIMERS_NEVER if none is set. */
uint64_t timers_next(const struct timers *timers);

/** Take out the first slot that is due at `now`; TIMERS_NONE if none is. */
uint32_t timers_pop(struct timers *timers, uint64_t now);

#endif
