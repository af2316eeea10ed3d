/*
 * The door to protobuf-c: unpack into an arena, pack into a caller's buffer.
 */
#include "base/assert.h"
#include "wire/internal.h"

#include <limits.h>

static void *allocate(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

/* The arena gives back everything at once. */
static void release(void *arena, void *pointer)
{
    (void)arena;
    (void)pointer;
}

void *wire_unpack(struct decoder *d, const ProtobufCMessageDescriptor *descriptor,
                  const uint8_t *bytes, size_t size, const char *message)
{
    ProtobufCAllocator allocator = {.alloc = allocate, .free = release, .allocator_data = d->arena};
    ProtobufCMessage *unpacked;

    d->arena->exhausted = false;
    unpacked = protobuf_c_message_unpack(descriptor, &allocator, size, bytes);
    if (!unpacked && d->arena->exhausted)
        d->code = err_set(d->err, ERR_FULL,
                          "%s of %zu bytes has more elements than memory of %zu bytes holds",
                          message, size, d->arena->size);
    else if (!unpacked)
        d->code = err_set(d->err, d->bad, "%s of %zu bytes is not well-formed protobuf", message,
                          size);
    return unpacked;
}

int wire_pack(const ProtobufCMessage *message, uint8_t *out, size_t size)
{
    size_t packed_size = protobuf_c_message_get_packed_size(message);

    if (packed_size > size || packed_size > INT_MAX)
        return ERR_FULL;
    return (int)protobuf_c_message_pack(message, out);
}
