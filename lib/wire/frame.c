#include "wire/frame.h"

#include "base/assert.h"

#include <limits.h>

int frame_next(const uint8_t *bytes, size_t size, size_t size_max, const uint8_t **ret_payload,
               size_t *ret_payload_size, struct err *err)
{
    size_t length;

    ASSERT(size_max <= INT_MAX - FRAME_HEADER_SIZE);
    if (size < FRAME_HEADER_SIZE)
        return 0;
    length = (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
    if (length == 0)
        return err_set(err, ERR_PROTOCOL, "a frame is empty");
    if (length > size_max)
        return err_set(err, ERR_PROTOCOL, "a frame of %zu bytes is above the maximum of %zu",
                       length, size_max);
    if (size - FRAME_HEADER_SIZE < length)
        return 0;
    *ret_payload = bytes + FRAME_HEADER_SIZE;
    *ret_payload_size = length;
    return (int)(FRAME_HEADER_SIZE + length);
}

void frame_header(uint8_t out[FRAME_HEADER_SIZE], size_t payload_size)
{
    ASSERT(payload_size > 0 && payload_size <= FRAME_SIZE_MAX);
    for (int i = 0; i < FRAME_HEADER_SIZE; i++)
        out[i] = (uint8_t)(payload_size >> (8 * (FRAME_HEADER_SIZE - 1 - i)));
}
