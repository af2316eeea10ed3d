/*
 * Frames: how messages are told apart on a stream.
 *
 * A frame is a 4-byte big-endian length and that many bytes of payload; the length is at least 1.
 */
#ifndef SETTLE_WIRE_FRAME_H
#define SETTLE_WIRE_FRAME_H

#include "base/err.h"
#include "base/limits.h"

#include <stddef.h>
#include <stdint.h>

/**
 * Find the first frame in what was received.
 *
 * @size_max     the largest payload taken: FRAME_SIZE_MAX_HELLO before the peer's Hello, then
 *               FRAME_SIZE_MAX; at most INT_MAX less the header
 * @ret_payload  borrowed from `bytes`
 * @return       bytes consumed, header included; 0 when the frame is not complete; ERR_PROTOCOL
 *               when its length is 0 or above `size_max`: nothing after it can be trusted
 */
int frame_next(const uint8_t *bytes, size_t size, size_t size_max, const uint8_t **ret_payload,
               size_t *ret_payload_size, struct err *err);

/** Write the header of a frame whose payload of 1 to FRAME_SIZE_MAX bytes follows. */
void frame_header(uint8_t out[FRAME_HEADER_SIZE], size_t payload_size);

#endif
