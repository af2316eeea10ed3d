#include "net/handles.h"

#include "base/assert.h"

#include <stdlib.h>

#define SLOT_END UINT32_MAX

bool handles_init(struct handles *handles, uint32_t slot_max)
{
    ASSERT(slot_max >= 1 && slot_max <= UINT16_MAX);
    handles->slots = calloc(slot_max, sizeof(*handles->slots));
    if (!handles->slots)
        return false;
    handles->slot_max = slot_max;
    handles->slot_bits = 0;
    while (1u << handles->slot_bits < slot_max)
        handles->slot_bits++;
    for (uint32_t i = 0; i < slot_max; i++) {
        handles->slots[i].generation = 1; /* so that no handle is HANDLE_NONE */
        handles->slots[i].next_free = i + 1 < slot_max ? i + 1 : SLOT_END;
    }
    handles->free_first = 0;
    handles->free_last = slot_max - 1;
    return true;
}

void handles_release(struct handles *handles)
{
    free(handles->slots);
    handles->slots = NULL;
}

uint32_t handles_take(struct handles *handles)
{
    uint32_t slot = handles->free_first;
    struct handle_slot *entry = &handles->slots[slot == SLOT_END ? 0 : slot];

    if (slot == SLOT_END)
        return HANDLE_NONE;
    handles->free_first = entry->next_free;
    if (handles->free_first == SLOT_END)
        handles->free_last = SLOT_END;
    entry->taken = true;
    return entry->generation << handles->slot_bits | slot;
}

bool handles_slot(const struct handles *handles, uint32_t handle, uint32_t *ret_slot)
{
    uint32_t slot = handle & ((1u << handles->slot_bits) - 1);

    if (slot >= handles->slot_max || !handles->slots[slot].taken ||
        handles->slots[slot].generation != handle >> handles->slot_bits)
        return false;
    *ret_slot = slot;
    return true;
}

void handles_give_back(struct handles *handles, uint32_t handle)
{
    struct handle_slot *entry;
    uint32_t slot = 0;

    ASSERT(handles_slot(handles, handle, &slot));
    entry = &handles->slots[slot];
    entry->taken = false;
    if (entry->generation == UINT32_MAX >> handles->slot_bits)
        return;
    entry->generation++;
    entry->next_free = SLOT_END;
    if (handles->free_last == SLOT_END)
        handles->free_first = slot;
    else
        handles->slots[handles->free_last].next_free = slot;
    handles->free_last = slot;
}
