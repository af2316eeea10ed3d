/*
 * The small value types every layer shares: ids, digests, names.
 *
 * All are plain bytes, compared with memcmp, without padding, and zeroed where unused, so that they
 * may be hashed and stored as they are.
 */
#ifndef SETTLE_BASE_TYPES_H
#define SETTLE_BASE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Sums of amounts over participants, which may pass 64 bits. */
__extension__ typedef __int128 int128;

#define ID_SIZE         16
#define ID_TEXT_SIZE    37 /* 36 characters and the NUL */
#define NODE_NAME_SIZE  32 /* 31 characters and the NUL */
#define CURRENCY_LENGTH 3

/* A TCP address as text, with its NUL: "[" 45 characters "]:65535" fit. */
#define ADDRESS_TEXT_SIZE 64

/* A transaction's id: a UUIDv7 (RFC 9562), in network byte order, so that memcmp orders by time. */
struct id {
    uint8_t bytes[ID_SIZE];
};

/* 128 bits of SHA-256 over the canonical form of a Submit: proto/README.md, "Digest". */
struct digest {
    uint8_t bytes[16];
};

/* Random 128 bits: of an election node, or of a store. */
struct guid {
    uint8_t bytes[16];
};

/* A node's name, [a-z0-9-], zero-padded to its full size. */
struct node_name {
    char text[NODE_NAME_SIZE];
};

/* An ISO 4217 alphabetic code, zero-padded. */
struct currency {
    char code[CURRENCY_LENGTH + 1];
};

static inline bool id_equal(const struct id *a, const struct id *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static inline bool digest_equal(const struct digest *a, const struct digest *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static inline bool guid_equal(const struct guid *a, const struct guid *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static inline bool guid_is_zero(const struct guid *a)
{
    static const struct guid zero;
    return guid_equal(a, &zero);
}

static inline bool node_name_equal(const struct node_name *a, const struct node_name *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static inline bool currency_equal(const struct currency *a, const struct currency *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

/** True iff `text` (NUL-terminated) is 1 to 31 characters of [a-z0-9-] and starts with a letter. */
bool node_name_parse(struct node_name *ret_name, const char *text, size_t length);

/** Build a UUIDv7 from milliseconds since 1970 (48 bits) and 10 random bytes. */
struct id id_make(uint64_t unix_ms, const uint8_t random[10]);

/** True iff the version is 7 and the variant is RFC 9562's. */
bool id_is_v7(const struct id *id);

/** The milliseconds since 1970 a UUIDv7 carries. */
uint64_t id_unix_ms(const struct id *id);

/** Write the 36 characters and a NUL. Returns `text`. */
const char *id_format(const struct id *id, char text[ID_TEXT_SIZE]);

/** Read 36 characters (any case of hex). Returns false, `ret_id` untouched, when malformed. */
bool id_parse(struct id *ret_id, const char *text);

/** The group of an id: FNV-1a over its bytes, folded, modulo `groups` (> 0). */
uint16_t id_group(const struct id *id, uint16_t groups);

/** A well-mixed hash of 16 bytes, for tables; not keyed, so bound what a stranger may insert. */
uint64_t hash_bytes(const void *bytes, size_t size);

/** Write `size` bytes as lower-case hex and a NUL; `text` has 2 * size + 1 bytes. Returns `text`.
 */
const char *hex_format(const void *bytes, size_t size, char *text);

/** Read exactly 2 * size hex digits and the NUL. Returns false when malformed. */
bool hex_parse(void *ret_bytes, size_t size, const char *text);

#endif
