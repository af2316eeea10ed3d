#include "support/pb_edit.h"

#include <stdlib.h>
#include <string.h>

static void *member(ProtobufCMessage *message, unsigned offset)
{
    return (uint8_t *)message + offset;
}

/* The field that the first part of `path` names; its index, and the rest of the path. */
static const ProtobufCFieldDescriptor *find(ProtobufCMessage *message, const char *path,
                                            size_t *ret_index, const char **ret_rest)
{
    char name[64];
    size_t length = strcspn(path, "./");

    if (length >= sizeof(name))
        return NULL;
    memcpy(name, path, length);
    name[length] = '\0';
    path += length;
    *ret_index = 0;
    if (*path == '.') {
        char *end;

        *ret_index = strtoul(path + 1, &end, 10);
        path = end;
    }
    *ret_rest = *path == '/' ? path + 1 : NULL;
    return protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
}

static int repeat(struct arena *arena, ProtobufCMessage *message,
                  const ProtobufCFieldDescriptor *field, size_t count)
{
    size_t *have = member(message, field->quantifier_offset);
    size_t size = field->type == PROTOBUF_C_TYPE_MESSAGE ? sizeof(void *)
                  : field->type == PROTOBUF_C_TYPE_BYTES ? sizeof(ProtobufCBinaryData)
                                                         : sizeof(uint64_t);
    void **list = member(message, field->offset);
    uint8_t *copy;

    if (field->label != PROTOBUF_C_LABEL_REPEATED || *have == 0)
        return -1;
    copy = arena_alloc(arena, count * size);
    if (!copy)
        return -1;
    for (size_t i = 0; i < count; i++)
        memcpy(copy + i * size, *list, size);
    *list = copy;
    *have = count;
    return 0;
}

static int drop(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        *(size_t *)member(message, field->quantifier_offset) = 0;
    else if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        *(void **)member(message, field->offset) = NULL;
    else
        *(protobuf_c_boolean *)member(message, field->quantifier_offset) = 0;
    return 0;
}

static int set_number(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                      size_t index, int64_t number)
{
    uint8_t *value = member(message, field->offset);

    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        value = *(uint8_t **)member(message, field->offset);
        value += index * sizeof(uint64_t); /* of the lists of numbers, all are uint64 */
    } else {
        *(protobuf_c_boolean *)member(message, field->quantifier_offset) = 1;
    }
    switch ((int)field->type) {
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_ENUM:
        memcpy(value, &(uint32_t){(uint32_t)number}, sizeof(uint32_t));
        return 0;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        memcpy(value, &number, sizeof(number));
        return 0;
    default:
        return -1;
    }
}

static int set_bytes(struct arena *arena, ProtobufCMessage *message,
                     const ProtobufCFieldDescriptor *field, size_t index,
                     const struct pb_change *change)
{
    uint8_t *copy = arena_alloc(arena, change->size);
    ProtobufCBinaryData *value = member(message, field->offset);

    if (!copy || field->type != PROTOBUF_C_TYPE_BYTES)
        return -1;
    memcpy(copy, change->bytes, change->size);
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        value = *(ProtobufCBinaryData **)member(message, field->offset) + index;
    else
        *(protobuf_c_boolean *)member(message, field->quantifier_offset) = 1;
    value->data = copy;
    value->len = change->size;
    return 0;
}

static ProtobufCMessage *descend(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                                 size_t index)
{
    if (field->type != PROTOBUF_C_TYPE_MESSAGE)
        return NULL;
    if (field->label != PROTOBUF_C_LABEL_REPEATED)
        return *(ProtobufCMessage **)member(message, field->offset);
    if (index >= *(size_t *)member(message, field->quantifier_offset))
        return NULL;
    return (*(ProtobufCMessage ***)member(message, field->offset))[index];
}

int pb_edit(struct arena *arena, ProtobufCMessage *message, const char *path,
            const struct pb_change *change)
{
    while (message) {
        size_t index;
        const char *rest;
        const ProtobufCFieldDescriptor *field = find(message, path, &index, &rest);

        if (!field)
            return -1;
        if (rest) {
            message = descend(message, field, index);
            path = rest;
            continue;
        }
        switch (change->op) {
        case PB_DROP:
            return drop(message, field);
        case PB_NUMBER:
            return set_number(message, field, index, change->number);
        case PB_BYTES:
            return set_bytes(arena, message, field, index, change);
        case PB_REPEAT:
            return repeat(arena, message, field, (size_t)change->number);
        }
        return -1;
    }
    return -1;
}

static void *allocate(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void release(void *arena, void *pointer)
{
    (void)arena;
    (void)pointer;
}

ProtobufCMessage *pb_unpack(struct arena *arena, const ProtobufCMessageDescriptor *descriptor,
                            const uint8_t *bytes, size_t size)
{
    ProtobufCAllocator allocator = {.alloc = allocate, .free = release, .allocator_data = arena};

    return protobuf_c_message_unpack(descriptor, &allocator, size, bytes);
}
