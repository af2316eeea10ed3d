/*
 * One change to one field of an unpacked protobuf message, found by its path.
 *
 * A path names fields from the root: "prepare/party.1/store" is the store of the second party. It
 * makes messages that no encoder of ours would write.
 */
#ifndef SETTLE_TESTS_PB_EDIT_H
#define SETTLE_TESTS_PB_EDIT_H

#include "wire/arena.h"

#include <protobuf-c/protobuf-c.h>

enum pb_op {
    PB_DROP = 1, /* the field is absent, the list empty */
    PB_NUMBER,   /* an integer, enum or bool is `number` */
    PB_BYTES,    /* a bytes field is `size` bytes of `bytes` */
    PB_REPEAT,   /* a list has `number` elements, all the first one */
};

struct pb_change {
    enum pb_op op;
    int64_t number;
    const char *bytes;
    size_t size;
};

/** Apply the change, with room from `arena`; 0, or -1 when the path leads nowhere. */
int pb_edit(struct arena *arena, ProtobufCMessage *message, const char *path,
            const struct pb_change *change);

/** Unpack into the arena; NULL when it is not well-formed. */
ProtobufCMessage *pb_unpack(struct arena *arena, const ProtobufCMessageDescriptor *descriptor,
                            const uint8_t *bytes, size_t size);

#endif
