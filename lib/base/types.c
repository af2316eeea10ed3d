#include "base/types.h"

#include "base/assert.h"

bool node_name_parse(struct node_name *ret_name, const char *text, size_t length)
{
    struct node_name name;

    if (length == 0 || length >= NODE_NAME_SIZE || text[0] < 'a' || text[0] > 'z')
        return false;
    memset(&name, 0, sizeof(name));
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
        name.text[i] = c;
    }
    *ret_name = name;
    return true;
}

struct id id_make(uint64_t unix_ms, const uint8_t random[10])
{
    struct id id;

    for (int i = 0; i < 6; i++)
        id.bytes[i] = (uint8_t)(unix_ms >> (8 * (5 - i)));
    memcpy(id.bytes + 6, random, 10);
    id.bytes[6] = (uint8_t)((id.bytes[6] & 0x0f) | 0x70);
    id.bytes[8] = (uint8_t)((id.bytes[8] & 0x3f) | 0x80);
    return id;
}

bool id_is_v7(const struct id *id)
{
    return (id->bytes[6] & 0xf0) == 0x70 && (id->bytes[8] & 0xc0) == 0x80;
}

uint64_t id_unix_ms(const struct id *id)
{
    uint64_t ms = 0;

    for (int i = 0; i < 6; i++)
        ms = (ms << 8) | id->bytes[i];
    return ms;
}

const char *id_format(const struct id *id, char text[ID_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;

    for (size_t i = 0; i < ID_SIZE; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text[at++] = '-';
        text[at++] = digits[id->bytes[i] >> 4];
        text[at++] = digits[id->bytes[i] & 0xf];
    }
    text[at] = '\0';
    return text;
}

/* The value of a hex digit, or -1. */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool id_parse(struct id *ret_id, const char *text)
{
    struct id id;
    size_t at = 0;

    for (size_t i = 0; i < ID_SIZE; i++) {
        int high, low;

        if (i == 4 || i == 6 || i == 8 || i == 10) {
            if (text[at++] != '-')
                return false;
        }
        high = hex_value(text[at]);
        if (high < 0)
            return false;
        low = hex_value(text[at + 1]);
        if (low < 0)
            return false;
        id.bytes[i] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    if (text[at] != '\0')
        return false;
    *ret_id = id;
    return true;
}

uint64_t hash_bytes(const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    uint64_t hash = 0xcbf29ce484222325u;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * 0x100000001b3u;
    /* FNV's low bits are weak; fold the high ones in (splitmix64's finalizer). */
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
    hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebu;
    return hash ^ (hash >> 31);
}

uint16_t id_group(const struct id *id, uint16_t groups)
{
    ASSERT(groups > 0);
    return (uint16_t)(hash_bytes(id->bytes, sizeof(id->bytes)) % groups);
}

const char *hex_format(const void *bytes, size_t size, char *text)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *at = bytes;

    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[at[i] >> 4];
        text[2 * i + 1] = digits[at[i] & 0xf];
    }
    text[2 * size] = '\0';
    return text;
}

bool hex_parse(void *ret_bytes, size_t size, const char *text)
{
    uint8_t *out = ret_bytes;

    for (size_t i = 0; i < size; i++) {
        int high = hex_value(text[2 * i]);
        int low = high < 0 ? -1 : hex_value(text[2 * i + 1]);
        if (low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return text[2 * size] == '\0';
}
