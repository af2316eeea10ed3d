/*
 * Handles: numbers for the places of a table, none of which is ever given twice.
 *
 * A handle is a generation above a slot. Free slots queue up, so that all generations of all slots
 * are used before one comes again; and a slot whose generations are used up retires: the table is
 * one place smaller, for good.
 */
#ifndef SETTLE_NET_HANDLES_H
#define SETTLE_NET_HANDLES_H

#include <stdbool.h>
#include <stdint.h>

#define HANDLE_NONE 0u

struct handle_slot {
    uint32_t generation; /* of the handle that has it, or is given next; from 1 */
    uint32_t next_free;
    bool taken;
};

struct handles {
    struct handle_slot *slots;
    uint32_t slot_max;
    uint32_t slot_bits; /* of a handle; the rest is the generation */
    uint32_t free_first, free_last;
};

/** A table of `slot_max` (1 to 65,535) slots; false when memory is short. */
bool handles_init(struct handles *handles, uint32_t slot_max);
void handles_release(struct handles *handles);

/** A handle for a free slot; HANDLE_NONE when there is none. */
uint32_t handles_take(struct handles *handles);

/** The handle names nothing any more. */
void handles_give_back(struct handles *handles, uint32_t handle);

/** True iff the handle is taken now; then its slot, below slot_max. */
bool handles_slot(const struct handles *handles, uint32_t handle, uint32_t *ret_slot);

#endif
