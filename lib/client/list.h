/* A list that grows by doubling and is given to the caller whole. */
#ifndef SETTLE_CLIENT_LIST_H
#define SETTLE_CLIENT_LIST_H

#include "base/err.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct list {
    uint8_t *items;
    size_t count, capacity;
    size_t item_size;
};

#define LIST_OF(type)             \
    {                             \
        .item_size = sizeof(type) \
    }

/** A zeroed item at the end; NULL: ERR_MEMORY. */
static inline void *list_add(struct list *list, struct err *err)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 16;
        uint8_t *items = realloc(list->items, capacity * list->item_size);

        if (!items) {
            err_set(err, ERR_MEMORY, "cannot allocate a list of %zu", capacity);
            return NULL;
        }
        list->items = items;
        list->capacity = capacity;
    }
    memset(list->items + list->count * list->item_size, 0, list->item_size);
    return list->items + list->count++ * list->item_size;
}

/** Give it to the caller when `rc` is 0, else free it. Returns `rc`. */
static inline int list_give(struct list *list, int rc, void **ret_items, size_t *ret_count)
{
    if (rc != 0) {
        free(list->items);
        return rc;
    }
    *ret_items = list->items;
    *ret_count = list->count;
    return 0;
}

#endif
