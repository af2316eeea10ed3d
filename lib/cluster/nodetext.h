/*
 * What a znode holds: a few lines of "key=value", for people with a ZooKeeper shell as well.
 *
 * The first line is "version=1". A reader refuses a higher version, takes its keys in any order and
 * skips keys it does not know.
 */
#ifndef SETTLE_CLUSTER_NODETEXT_H
#define SETTLE_CLUSTER_NODETEXT_H

#include "base/types.h"

#define NODETEXT_SIZE    1024
#define NODETEXT_VERSION 1

struct nodetext {
    size_t size;
    char bytes[NODETEXT_SIZE];
};

void nodetext_begin(struct nodetext *text);
/** Add a line. The value has no line end; a text too small for it is a programmer's error. */
void nodetext_add(struct nodetext *text, const char *key, const char *value);
void nodetext_add_u64(struct nodetext *text, const char *key, uint64_t value);
void nodetext_add_guid(struct nodetext *text, const char *key, const struct guid *value);

/** True iff these bytes are a text of a version we read. */
bool nodetext_is_readable(const char *bytes, size_t size);

/* Each false, the result untouched, when the key is missing or its value is malformed. */
bool nodetext_get(const char *bytes, size_t size, const char *key, char *ret_value,
                  size_t value_size);
bool nodetext_get_u64(const char *bytes, size_t size, const char *key, uint64_t *ret_value);
bool nodetext_get_guid(const char *bytes, size_t size, const char *key, struct guid *ret_value);
bool nodetext_get_node(const char *bytes, size_t size, const char *key,
                       struct node_name *ret_value);

#endif
