#include "base/buf.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN  4096u
#define CAPACITY_KEPT (64u * 1024) /* an empty buffer larger than this gives its memory back */

void buf_init(struct buf *buf, size_t size_max)
{
    memset(buf, 0, sizeof(*buf));
    buf->size_max = size_max;
}

void buf_release(struct buf *buf)
{
    free(buf->memory);
    buf_init(buf, buf->size_max);
}

static bool grow(struct buf *buf, size_t needed)
{
    size_t capacity = buf->capacity ? buf->capacity : CAPACITY_MIN;
    uint8_t *memory;

    while (capacity < needed)
        capacity *= 2;
    if (capacity > buf->size_max)
        capacity = buf->size_max;
    memory = malloc(capacity);
    if (!memory)
        return false;
    if (buf_size(buf) > 0)
        memcpy(memory, buf->memory + buf->head, buf_size(buf));
    free(buf->memory);
    buf->memory = memory;
    buf->tail = buf_size(buf);
    buf->head = 0;
    buf->capacity = capacity;
    return true;
}

uint8_t *buf_reserve(struct buf *buf, size_t size)
{
    size_t held = buf_size(buf);

    if (size > buf->size_max - held)
        return NULL;
    if (size > buf->capacity - buf->tail) {
        bool fits = size <= buf->capacity - held;

        /*
         * Moving is paid for by the bytes used since: it is done where at least as many were
         * dropped as are held, else a long queue would be moved again and again. At the maximum
         * there is no other way.
         */
        if (fits && (buf->head >= held || buf->capacity == buf->size_max)) {
            memmove(buf->memory, buf->memory + buf->head, held);
            buf->head = 0;
            buf->tail = held;
        } else if (!grow(buf, fits ? buf->capacity + 1 : held + size)) {
            return NULL;
        }
    }
    return buf->memory + buf->tail;
}

void buf_commit(struct buf *buf, size_t size)
{
    ASSERT(size <= buf->capacity - buf->tail);
    buf->tail += size;
}

bool buf_append(struct buf *buf, const void *bytes, size_t size)
{
    uint8_t *room;

    if (size == 0)
        return true;
    room = buf_reserve(buf, size);
    if (!room)
        return false;
    memcpy(room, bytes, size);
    buf_commit(buf, size);
    return true;
}

void buf_consume(struct buf *buf, size_t size)
{
    ASSERT(size <= buf_size(buf));
    buf->head += size;
    if (buf->head < buf->tail)
        return;
    if (buf->capacity > CAPACITY_KEPT) {
        buf_release(buf);
    } else {
        buf->head = 0;
        buf->tail = 0;
    }
}
