#include "cluster/nodetext.h"

#include "base/assert.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void nodetext_begin(struct nodetext *text)
{
    text->size = 0;
    nodetext_add_u64(text, "version", NODETEXT_VERSION);
}

void nodetext_add(struct nodetext *text, const char *key, const char *value)
{
    size_t room = sizeof(text->bytes) - text->size;
    int used = snprintf(text->bytes + text->size, room, "%s=%s\n", key, value);

    ASSERT(used > 0 && (size_t)used < room && !strchr(value, '\n'));
    text->size += (size_t)used;
}

void nodetext_add_u64(struct nodetext *text, const char *key, uint64_t value)
{
    char digits[21];

    snprintf(digits, sizeof(digits), "%" PRIu64, value);
    nodetext_add(text, key, digits);
}

void nodetext_add_guid(struct nodetext *text, const char *key, const struct guid *value)
{
    char digits[2 * sizeof(value->bytes) + 1];

    nodetext_add(text, key, hex_format(value->bytes, sizeof(value->bytes), digits));
}

bool nodetext_get(const char *bytes, size_t size, const char *key, char *ret_value,
                  size_t value_size)
{
    size_t key_size = strlen(key);
    const char *line = bytes, *end = bytes + size;

    while (line < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t length = stop ? (size_t)(stop - line) : (size_t)(end - line);

        if (length > key_size && memcmp(line, key, key_size) == 0 && line[key_size] == '=') {
            length -= key_size + 1;
            if (length >= value_size)
                return false;
            memcpy(ret_value, line + key_size + 1, length);
            ret_value[length] = '\0';
            return true;
        }
        line = stop ? stop + 1 : end;
    }
    return false;
}

bool nodetext_get_u64(const char *bytes, size_t size, const char *key, uint64_t *ret_value)
{
    char digits[21];
    uint64_t value = 0;

    if (!nodetext_get(bytes, size, key, digits, sizeof(digits)) || digits[0] == '\0')
        return false;
    for (const char *at = digits; *at; at++) {
        uint64_t digit = (uint64_t)(*at - '0');

        if (*at < '0' || *at > '9' || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *ret_value = value;
    return true;
}

bool nodetext_get_guid(const char *bytes, size_t size, const char *key, struct guid *ret_value)
{
    char digits[2 * sizeof(ret_value->bytes) + 1];

    return nodetext_get(bytes, size, key, digits, sizeof(digits)) &&
           hex_parse(ret_value->bytes, sizeof(ret_value->bytes), digits);
}

bool nodetext_get_node(const char *bytes, size_t size, const char *key, struct node_name *ret_value)
{
    char name[NODE_NAME_SIZE];

    return nodetext_get(bytes, size, key, name, sizeof(name)) &&
           node_name_parse(ret_value, name, strlen(name));
}

bool nodetext_is_readable(const char *bytes, size_t size)
{
    uint64_t version;

    return nodetext_get_u64(bytes, size, "version", &version) && version >= 1 &&
           version <= NODETEXT_VERSION;
}
