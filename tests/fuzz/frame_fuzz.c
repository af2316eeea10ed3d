/*
 * frame_next() on any bytes: frames are found as a whole, wherever the stream was cut, and what
 * follows a bad length is never looked at.
 */
#include "base/assert.h"
#include "wire/frame.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What frame_next() says of a prefix must not contradict what it says of the whole. */
static void check_prefix(const uint8_t *bytes, size_t size, size_t size_max, int whole)
{
    const uint8_t *payload;
    size_t payload_size;
    struct err err;
    int rc = frame_next(bytes, size, size_max, &payload, &payload_size, &err);

    if (size < FRAME_HEADER_SIZE)
        ASSERT(rc == 0);
    else if (whole < 0)
        ASSERT(rc == whole && err.code == whole && err.text[0] != '\0');
    else if (whole == 0 || size < (size_t)whole)
        ASSERT(rc == 0);
    else
        ASSERT(rc == whole);
}

static void check_frame(const uint8_t *bytes, int consumed, const uint8_t *payload,
                        size_t payload_size)
{
    uint8_t header[FRAME_HEADER_SIZE];

    ASSERT(payload == bytes + FRAME_HEADER_SIZE);
    ASSERT(payload_size > 0 && payload_size + FRAME_HEADER_SIZE == (size_t)consumed);
    frame_header(header, payload_size);
    ASSERT(memcmp(header, bytes, sizeof(header)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const size_t maxima[] = {FRAME_SIZE_MAX_HELLO, FRAME_SIZE_MAX};

    for (size_t m = 0; m < sizeof(maxima) / sizeof(maxima[0]); m++) {
        size_t at = 0;
        int consumed;

        do {
            const uint8_t *payload = NULL;
            size_t payload_size = 0;
            struct err err;

            consumed = frame_next(bytes + at, size - at, maxima[m], &payload, &payload_size, &err);
            for (size_t cut = 0; cut <= size - at && cut < 64; cut++)
                check_prefix(bytes + at, cut, maxima[m], consumed);
            if (consumed > 0) {
                ASSERT((size_t)consumed <= size - at && payload_size <= maxima[m]);
                check_frame(bytes + at, consumed, payload, payload_size);
                at += (size_t)consumed;
            }
        } while (consumed > 0);
    }
    return 0;
}
