/*
 * A bounded allocator for what is decoded or built during one turn.
 *
 * It hands out the caller's memory from front to back, never calls malloc, and gives everything
 * back at once. A peer can therefore make a message cost no more than the arena, however many
 * elements it packs into a frame.
 */
#ifndef SETTLE_WIRE_ARENA_H
#define SETTLE_WIRE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena {
    uint8_t *bytes;
    size_t size;
    size_t used;
    bool exhausted; /* an allocation was refused since the flag was cleared */
};

/** Use `size` bytes of `memory`, aligned as malloc does, kept by the caller. */
void arena_init(struct arena *arena, void *memory, size_t size);

/** `size` bytes aligned for any type, not cleared; NULL, and `exhausted` set, when they do not fit.
 */
void *arena_alloc(struct arena *arena, size_t size);

/** Give everything back. */
static inline void arena_reset(struct arena *arena)
{
    arena->used = 0;
    arena->exhausted = false;
}

/** Where the arena stands, for arena_rewind(). */
static inline size_t arena_mark(const struct arena *arena)
{
    return arena->used;
}

/** Give back what was handed out since the mark. */
static inline void arena_rewind(struct arena *arena, size_t mark)
{
    arena->used = mark;
}

#endif
