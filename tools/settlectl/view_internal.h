/* What the files of view.h share. */
#ifndef SETTLE_TOOLS_SETTLECTL_VIEW_INTERNAL_H
#define SETTLE_TOOLS_SETTLECTL_VIEW_INTERNAL_H

#include "view.h"

#include <jansson.h>

/* A JSON object or array in the making; the first shortage of memory is kept until its end. */
struct making {
    json_t *json;
    bool failed;
};

struct making making_object(void);
struct making making_array(void);

/** Put a member; takes `value`, which is NULL when memory was short. */
void making_put(struct making *object, const char *key, json_t *value);

/** Append an element likewise. */
void making_append(struct making *array, json_t *value);

/** The value, or NULL when memory was short. */
json_t *making_end(struct making *making);

/** A string, or null for NULL and "". */
json_t *text_or_null(const char *text);

/** A string in major units; the currency is one the cluster knows. */
json_t *amount_json(int64_t minor, const char *currency);

/** A string, because it may use all of 64 bits. */
json_t *number_text_json(uint64_t number);

/** Print on a line of its own and drop it; -1 when it is NULL. */
int view_json(const struct view *view, json_t *json);

#endif
