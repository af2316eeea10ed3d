#include "runtime/outbox.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 16u

/* Stands before each frame. A size of 0 says: the rest up to the memory's end is unused. */
struct entry {
    uint64_t depends;
    uint32_t peer;
    uint32_t size;
};

_Static_assert(sizeof(struct entry) == ALIGNMENT, "entries keep their successors aligned");

/*
 * A ring of entries. `head` is the oldest entry, `tail` where the next one goes; they are equal
 * only when the ring is empty, because a push never fills it to the last byte. All sizes are
 * multiples of ALIGNMENT, so that one entry's head always fits behind `tail`.
 */
struct outbox {
    outbox_send_fn send;
    void *ctx;
    uint8_t *memory;
    size_t size;
    size_t head, tail;
    size_t reserved; /* bytes of the room outbox_reserve() gave at `tail`; 0 if none */
    uint64_t durable;
    bool sending;
};

static size_t aligned(size_t size)
{
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static size_t entry_size(size_t frame_size)
{
    return sizeof(struct entry) + aligned(frame_size);
}

int outbox_open(size_t size_max, uint64_t durable, outbox_send_fn send, void *ctx,
                struct outbox **ret_outbox, struct err *err)
{
    struct outbox *outbox = calloc(1, sizeof(*outbox));

    if (!outbox)
        return err_set(err, ERR_MEMORY, "cannot allocate an outbox");
    outbox->size = aligned(size_max);
    outbox->memory = aligned_alloc(ALIGNMENT, outbox->size);
    if (!outbox->memory) {
        free(outbox);
        return err_set(err, ERR_MEMORY, "cannot allocate %zu bytes for an outbox", size_max);
    }
    outbox->send = send;
    outbox->ctx = ctx;
    outbox->durable = durable;
    *ret_outbox = outbox;
    return 0;
}

void outbox_close(struct outbox *outbox)
{
    if (!outbox)
        return;
    free(outbox->memory);
    free(outbox);
}

bool outbox_is_empty(const struct outbox *outbox)
{
    return outbox->head == outbox->tail;
}

uint64_t outbox_durable(const struct outbox *outbox)
{
    return outbox->durable;
}

/* The largest entry that fits at once, and what would fit after it at the memory's start. */
static void room(const struct outbox *outbox, size_t *ret_at_tail, size_t *ret_at_start)
{
    if (outbox->tail >= outbox->head) {
        *ret_at_tail = outbox->size - outbox->tail;
        *ret_at_start = outbox->head;
    } else {
        *ret_at_tail = outbox->head - outbox->tail;
        *ret_at_start = 0;
    }
}

bool outbox_has_room(const struct outbox *outbox, size_t size, uint32_t count)
{
    size_t need = size + (size_t)count * (sizeof(struct entry) + ALIGNMENT);
    size_t at_tail, at_start;

    room(outbox, &at_tail, &at_start);
    return need < at_tail || need < at_start;
}

static struct entry *entry_at(const struct outbox *outbox, size_t at)
{
    return (struct entry *)(void *)(outbox->memory + at);
}

/* Give up the rest of the memory behind the tail, so that a frame stays in one piece. */
static void wrap(struct outbox *outbox)
{
    entry_at(outbox, outbox->tail)->size = 0;
    outbox->tail = 0;
}

uint8_t *outbox_reserve(struct outbox *outbox, size_t size_max)
{
    size_t need = entry_size(size_max);
    size_t at_tail, at_start;

    ASSERT(size_max > 0);
    if (outbox_is_empty(outbox))
        outbox->head = outbox->tail = 0;
    room(outbox, &at_tail, &at_start);
    if (need >= at_tail) {
        if (need >= at_start)
            return NULL;
        wrap(outbox);
    }
    outbox->reserved = need;
    return outbox->memory + outbox->tail + sizeof(struct entry);
}

void outbox_push(struct outbox *outbox, uint32_t peer, uint64_t depends, size_t size)
{
    struct entry *entry = entry_at(outbox, outbox->tail);

    ASSERT(size > 0 && entry_size(size) <= outbox->reserved);
    entry->depends = depends;
    entry->peer = peer;
    entry->size = (uint32_t)size;
    outbox->tail += entry_size(size);
    outbox->reserved = 0;
}

void outbox_release(struct outbox *outbox, uint64_t durable)
{
    ASSERT(durable >= outbox->durable && !outbox->sending);
    outbox->durable = durable;
    outbox->sending = true;
    while (outbox->head != outbox->tail) {
        const struct entry *entry = entry_at(outbox, outbox->head);

        if (entry->size == 0) {
            outbox->head = 0;
            continue;
        }
        if (entry->depends > durable) /* R1: this one and all behind it wait */
            break;
        outbox->send(outbox->ctx, entry->peer, (const uint8_t *)(entry + 1), entry->size);
        outbox->head += entry_size(entry->size);
    }
    outbox->sending = false;
}
