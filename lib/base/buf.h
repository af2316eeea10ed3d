/*
 * A queue of bytes in one piece of memory: appended at the end, used from the front.
 *
 * It grows by doubling up to the maximum it was made with, and gives its memory back when it is
 * empty and had grown large. Views and rooms are good until the next call on the buffer.
 */
#ifndef SETTLE_BASE_BUF_H
#define SETTLE_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    uint8_t *memory;
    size_t head, tail; /* the bytes held are memory[head..tail) */
    size_t capacity;
    size_t size_max;
};

/** Make an empty buffer for at most `size_max` bytes; allocates nothing yet. */
void buf_init(struct buf *buf, size_t size_max);

/** Free the memory; the buffer is empty and may be used again. */
void buf_release(struct buf *buf);

static inline size_t buf_size(const struct buf *buf)
{
    return buf->tail - buf->head;
}

/** What is held, buf_size() bytes; may be NULL when empty. */
static inline const uint8_t *buf_bytes(const struct buf *buf)
{
    return buf->memory ? buf->memory + buf->head : NULL;
}

/** Room for `size` more bytes at the end; NULL when size_max would be passed or memory is short. */
uint8_t *buf_reserve(struct buf *buf, size_t size);

/** Take the first `size` bytes of the room buf_reserve() gave into the buffer. */
void buf_commit(struct buf *buf, size_t size);

/** Append a copy; false, with nothing changed, as buf_reserve() returns NULL. */
bool buf_append(struct buf *buf, const void *bytes, size_t size);

/** Drop `size` bytes (at most buf_size()) from the front. */
void buf_consume(struct buf *buf, size_t size);

#endif
