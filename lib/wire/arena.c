#include "wire/arena.h"

#include <stdalign.h>

void arena_init(struct arena *arena, void *memory, size_t size)
{
    arena->bytes = memory;
    arena->size = size;
    arena->used = 0;
    arena->exhausted = false;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t alignment = alignof(max_align_t);
    size_t at = (arena->used + alignment - 1) / alignment * alignment;

    if (at > arena->size || size > arena->size - at) {
        arena->exhausted = true;
        return NULL;
    }
    arena->used = at + size;
    return arena->bytes + at;
}
