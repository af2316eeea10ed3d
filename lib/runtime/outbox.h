/*
 * The gate of R1: what a process says waits here until what it rests on is durable.
 *
 * A first-in-first-out queue of encoded frames, each with the log position it depends on. Released
 * is what stands at the head and depends on no more than what is durable; nothing overtakes. This
 * is the only way a participant speaks to anybody.
 *
 * The memory is fixed at outbox_open(). Who is about to make frames asks outbox_has_room() first
 * and does not start what it could not say: a full outbox means the disk is behind, and reading
 * stops.
 */
#ifndef SETTLE_RUNTIME_OUTBOX_H
#define SETTLE_RUNTIME_OUTBOX_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outbox;

/* Hands over one frame; borrowed for the call. A peer that is gone is the callee's to ignore. */
typedef void (*outbox_send_fn)(void *ctx, uint32_t peer, const uint8_t *frame, size_t size);

/**
 * Make an empty outbox.
 *
 * @size_max  bytes of frames it may hold, overhead included
 * @durable   the position that is durable already
 * @errors    ERR_MEMORY
 */
int outbox_open(size_t size_max, uint64_t durable, outbox_send_fn send, void *ctx,
                struct outbox **ret_outbox, struct err *err);

/** Free it; what still waits was never said. Accepts NULL. */
void outbox_close(struct outbox *outbox);

/** True iff frames of `size` bytes in all, `count` of them, fit now. */
bool outbox_has_room(const struct outbox *outbox, size_t size, uint32_t count);

/**
 * Room for one frame of at most `size_max` bytes, to encode into; NULL when there is none. Valid
 * until the next call on this outbox.
 */
uint8_t *outbox_reserve(struct outbox *outbox, size_t size_max);

/** Queue the `size` bytes (at least 1) written to outbox_reserve()'s room. */
void outbox_push(struct outbox *outbox, uint32_t peer, uint64_t depends, size_t size);

/** Everything up to `durable` is durable: send what waited for no more than that. */
void outbox_release(struct outbox *outbox, uint64_t durable);

/** The position up to which outbox_release() was called. */
uint64_t outbox_durable(const struct outbox *outbox);

/** True iff nothing waits. */
bool outbox_is_empty(const struct outbox *outbox);

#endif
