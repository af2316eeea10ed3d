/*
 * The decoders of what is stored on any bytes: the first byte says whose. What they take is written
 * and read again as the same.
 */
#include "base/assert.h"
#include "support/wire_equal.h"

#include <stdalign.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define SCRATCH_SIZE (1024u * 1024)

static alignas(max_align_t) uint8_t first_memory[SCRATCH_SIZE];
static alignas(max_align_t) uint8_t second_memory[SCRATCH_SIZE];
static struct arena first, second;
static uint8_t out[SCRATCH_SIZE];

static void check_refusal(int rc, const struct err *err)
{
    ASSERT(rc == ERR_CORRUPT || rc == ERR_FULL);
    ASSERT(err->code == rc && err->text[0] != '\0' && first.used == 0);
}

/* The position stands in the value, as its first field when one of ours wrote it. */
static uint64_t position_of(const uint8_t *bytes, size_t size)
{
    uint64_t position = 0;

    if (size == 0 || bytes[0] != 0x08)
        return 1;
    for (size_t i = 1; i < size && i < 11; i++) {
        position |= (uint64_t)(bytes[i] & 0x7f) << (7 * (i - 1));
        if (!(bytes[i] & 0x80))
            break;
    }
    return position;
}

static void check_record(const uint8_t *bytes, size_t size)
{
    struct record before, after;
    struct err err = {.text = ""};
    int rc = record_decode(&first, bytes, size, position_of(bytes, size), &before, &err);

    if (rc != 0) {
        check_refusal(rc, &err);
        return;
    }
    rc = record_encode(&second, &before, out, sizeof(out));
    ASSERT(rc > 0 && second.used == 0);
    ASSERT(record_decode(&second, out, (size_t)rc, before.position, &after, &err) == 0);
    ASSERT(record_equal(&before, &after));
}

static void check_branch(const uint8_t *bytes, size_t size)
{
    static struct branch before, after;
    struct err err = {.text = ""};
    int rc;

    if (branch_decode(&first, bytes, size, &before, &err) != REASON_NONE) {
        ASSERT(err.text[0] != '\0' && first.used == 0);
        return;
    }
    rc = branch_encode(&first, &before, out, BRANCH_ENCODED_MAX);
    ASSERT(rc > 0);
    ASSERT(branch_decode(&first, out, (size_t)rc, &after, &err) == REASON_NONE);
    ASSERT(branch_equal(&before, &after));
}

/* Decode, encode, decode, encode: the second bytes are the first. */
#define CHECK(type, verb)                                                    \
    static void check_##verb(const uint8_t *bytes, size_t size)              \
    {                                                                        \
        static uint8_t again[SCRATCH_SIZE];                                  \
        static type value;                                                   \
        struct err err = {.text = ""};                                       \
        int rc = verb##_decode(&first, bytes, size, &value, &err), rc_again; \
        if (rc != 0) {                                                       \
            check_refusal(rc, &err);                                         \
            return;                                                          \
        }                                                                    \
        rc = verb##_encode(&first, &value, out, sizeof(out));                \
        ASSERT(rc > 0 && first.used == 0);                                   \
        ASSERT(verb##_decode(&first, out, (size_t)rc, &value, &err) == 0);   \
        rc_again = verb##_encode(&first, &value, again, sizeof(again));      \
        ASSERT(rc_again == rc && memcmp(out, again, (size_t)rc) == 0);       \
    }

CHECK(struct account_attributes, attributes)
CHECK(struct account_row, account_row)
CHECK(struct entry, entry)
CHECK(struct outcome, outcome)

static void check_checkpoint(const uint8_t *bytes, size_t size)
{
    static struct checkpoint before, after;
    struct err err = {.text = ""};
    int rc = checkpoint_decode(&first, bytes, size, &before, &err);

    if (rc != 0) {
        check_refusal(rc, &err);
        return;
    }
    rc = checkpoint_encode(&first, &before, out, sizeof(out)); /* of nothing at all: 0 bytes */
    ASSERT(rc >= 0 && rc <= CHECKPOINT_SIZE_MAX);
    ASSERT(checkpoint_decode(&first, out, (size_t)rc, &after, &err) == 0);
    ASSERT(memcmp(&before, &after, sizeof(before)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static void (*const checks[])(const uint8_t *, size_t) = {
        check_record,  check_attributes, check_account_row, check_entry,
        check_outcome, check_checkpoint, check_branch,
    };

    if (size == 0 || size > FRAME_SIZE_MAX)
        return 0;
    arena_init(&first, first_memory, sizeof(first_memory));
    arena_init(&second, second_memory, sizeof(second_memory));
    checks[bytes[0] % (sizeof(checks) / sizeof(checks[0]))](bytes + 1, size - 1);
    return 0;
}
