/*
 * wire_decode() on any bytes: it refuses with a sentence and keeps no memory, or gives a value that
 * is written and read again as the same.
 */
#include "base/assert.h"
#include "support/wire_equal.h"

#include <stdalign.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static alignas(max_align_t) uint8_t first_memory[WIRE_ARENA_SIZE];
static alignas(max_align_t) uint8_t second_memory[WIRE_ARENA_SIZE];
static alignas(max_align_t) uint8_t scratch_memory[WIRE_ARENA_SIZE];
static uint8_t frame[WIRE_FRAME_MAX];

/* The first submit_check() and branch_decode() see what a client sent; neither may trust it. */
static void check_submit(const struct submit *submit, struct arena *scratch)
{
    static struct branch branch;
    struct err err;

    submit_check(submit, &err);
    submit_digest(submit);
    for (uint16_t i = 0; i < submit->branch_count; i++)
        branch_decode(scratch, submit->branches[i].branch.bytes, submit->branches[i].branch.size,
                      &branch, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct arena first, second, scratch;
    struct envelope before, after;
    struct err err = {.text = ""};
    int rc;

    if (size > FRAME_SIZE_MAX)
        return 0;
    arena_init(&first, first_memory, sizeof(first_memory));
    arena_init(&second, second_memory, sizeof(second_memory));
    arena_init(&scratch, scratch_memory, sizeof(scratch_memory));
    rc = wire_decode(&first, bytes, size, &before, &err);
    if (rc != 0) {
        ASSERT(rc == ERR_PROTOCOL || rc == ERR_FULL);
        ASSERT(err.code == rc && err.text[0] != '\0' && first.used == 0);
        return 0;
    }
    rc = wire_encode(&scratch, &before, frame, sizeof(frame));
    ASSERT(rc > FRAME_HEADER_SIZE && scratch.used == 0);
    rc = wire_decode(&second, frame + FRAME_HEADER_SIZE, (size_t)rc - FRAME_HEADER_SIZE, &after,
                     &err);
    ASSERT(rc == 0 && envelope_equal(&before, &after));
    if (before.kind == WIRE_SUBMIT)
        check_submit(&before.submit, &scratch);
    return 0;
}
