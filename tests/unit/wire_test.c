/*
 * The codec as a whole: what is written is read back, at every size; what is cut is refused.
 */
#include "support/runner.h"
#include "support/wire_equal.h"
#include "support/wire_samples.h"

#include <stdio.h>
#include <stdlib.h>

#define SAMPLES_SIZE (16u * 1024 * 1024)

static struct arena samples, scratch, decoded;
static uint8_t *frame;

static int open_memory(void)
{
    void *for_samples = malloc(SAMPLES_SIZE), *for_scratch = malloc(WIRE_ARENA_SIZE);
    void *for_decoded = malloc(WIRE_ARENA_SIZE);

    frame = malloc(WIRE_FRAME_MAX);
    if (!for_samples || !for_scratch || !for_decoded || !frame)
        return 1;
    arena_init(&samples, for_samples, SAMPLES_SIZE);
    arena_init(&scratch, for_scratch, WIRE_ARENA_SIZE);
    arena_init(&decoded, for_decoded, WIRE_ARENA_SIZE);
    return 0;
}

static int close_memory(void)
{
    free(samples.bytes);
    free(scratch.bytes);
    free(decoded.bytes);
    free(frame);
    return 0;
}

static struct sampler sampler_of(uint64_t seed, size_t list_size, bool longest)
{
    struct sampler sampler = {.arena = &samples, .list_size = list_size, .longest = longest};

    arena_reset(&samples);
    arena_reset(&decoded);
    prng_init(&sampler.prng, seed);
    return sampler;
}

static void fail_with(const char *name, const char *what)
{
    printf("\n    %s: %s", name, what);
    CU_FAIL("a sample failed; its name stands above");
}

/* ---- envelopes ---- */

static void round_trip(struct sampler *sampler, size_t index)
{
    struct envelope before, after;
    const char *name = sample_envelope(sampler, index, &before);
    struct err err = {.text = ""};
    const uint8_t *payload = NULL;
    size_t payload_size = 0;
    int size = wire_encode(&scratch, &before, frame, WIRE_FRAME_MAX);

    CU_ASSERT_EQUAL(scratch.used, 0);
    if (size <= 0) {
        fail_with(name, "is not written");
        return;
    }
    CU_ASSERT_EQUAL(frame_next(frame, (size_t)size, FRAME_SIZE_MAX, &payload, &payload_size, &err),
                    size);
    if (wire_decode(&decoded, payload, payload_size, &after, &err) != 0)
        fail_with(name, err.text);
    else if (!envelope_equal(&before, &after))
        fail_with(name, "is read as something else");
}

static void every_kind_is_read_as_it_was_written(void)
{
    for (uint64_t seed = 0; seed < 40; seed++) {
        for (size_t i = 0; i < sample_envelope_count(); i++) {
            struct sampler sampler = sampler_of(seed, 1 + seed % 5, false);

            round_trip(&sampler, i);
        }
    }
}

/* Every list and text at its maximum at once: what the maxima promise fits frame and arena. */
static void largest_of_every_kind_fits_a_frame(void)
{
    for (size_t i = 0; i < sample_envelope_count(); i++) {
        struct sampler sampler = sampler_of(1, SIZE_MAX, true);

        round_trip(&sampler, i);
    }
}

static void every_cut_is_refused_or_means_less(void)
{
    for (size_t i = 0; i < sample_envelope_count(); i++) {
        struct sampler sampler = sampler_of(2, 2, false);
        struct envelope before, after;
        const char *name = sample_envelope(&sampler, i, &before);
        int size = wire_encode(&scratch, &before, frame, WIRE_FRAME_MAX) - FRAME_HEADER_SIZE;

        for (int cut = 0; cut < size; cut++) {
            struct err err = {.text = ""};
            int rc;

            arena_reset(&decoded);
            rc = wire_decode(&decoded, frame + FRAME_HEADER_SIZE, (size_t)cut, &after, &err);
            if (rc == 0 && envelope_equal(&before, &after))
                fail_with(name, "is whole without its last bytes");
            if (rc != 0 && (rc != ERR_PROTOCOL || err.text[0] == '\0' || decoded.used != 0))
                fail_with(name, "is refused without a sentence, or keeps memory");
        }
    }
}

static void small_output_or_scratch_is_full_not_overrun(void)
{
    struct sampler sampler = sampler_of(3, 2, false);
    struct arena tiny = scratch;
    struct envelope envelope;

    for (size_t i = 0; i < sample_envelope_count(); i++) {
        int size;

        sample_envelope(&sampler, i, &envelope);
        size = wire_encode(&scratch, &envelope, frame, WIRE_FRAME_MAX);
        CU_ASSERT(size > 0);
        for (int less = 0; less < size; less++) {
            frame[less] = 0x5a;
            CU_ASSERT_EQUAL(wire_encode(&scratch, &envelope, frame, (size_t)less), ERR_FULL);
            CU_ASSERT_EQUAL(frame[less], 0x5a);
        }
        tiny.size = 64;
        if (envelope.kind == WIRE_MSG)
            CU_ASSERT_EQUAL(wire_encode(&tiny, &envelope, frame, WIRE_FRAME_MAX), ERR_FULL);
    }
}

/* A frame of empty elements costs the arena and no more, and says what happened. */
static void many_empty_elements_meet_the_arena(void)
{
    struct envelope envelope;
    struct err err;
    size_t size = FRAME_SIZE_MAX, at;

    memset(frame, 0, FRAME_SIZE_MAX);
    frame[0] = 0xa2; /* report_page, number 36, length-delimited */
    frame[1] = 0x02;
    at = 5;
    for (size_t i = 0; i < 3; i++)
        frame[2 + i] = (uint8_t)(((size - at) >> (7 * i) & 0x7f) | (i < 2 ? 0x80 : 0));
    for (; at + 1 < size; at += 2)
        frame[at] = 0x22; /* named, number 4, empty */
    size = at;
    for (size_t i = 0; i < 3; i++)
        frame[2 + i] = (uint8_t)(((size - 5) >> (7 * i) & 0x7f) | (i < 2 ? 0x80 : 0));
    arena_reset(&decoded);
    CU_ASSERT_EQUAL(wire_decode(&decoded, frame, size, &envelope, &err), ERR_FULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "more elements than memory"));
    CU_ASSERT_EQUAL(decoded.used, 0);
}

/* A newer peer's fields are skipped, a newer peer's kinds are not. */
static void unknown_fields_pass_and_unknown_kinds_do_not(void)
{
    static const uint8_t kind_77[] = {0xea, 0x04, 0x00};
    static const uint8_t field_2000[] = {0x80, 0x7d, 0x2a};
    struct sampler sampler = sampler_of(4, 2, false);
    struct envelope before, after;
    struct err err;
    int size;

    sample_envelope(&sampler, 0, &before);
    size = wire_encode(&scratch, &before, frame, WIRE_FRAME_MAX);
    memcpy(frame + size, field_2000, sizeof(field_2000));
    CU_ASSERT_EQUAL(wire_decode(&decoded, frame + FRAME_HEADER_SIZE,
                                (size_t)size - FRAME_HEADER_SIZE + sizeof(field_2000), &after,
                                &err),
                    0);
    CU_ASSERT_TRUE(envelope_equal(&before, &after));
    CU_ASSERT_EQUAL(wire_decode(&decoded, kind_77, sizeof(kind_77), &after, &err), ERR_PROTOCOL);
    CU_ASSERT_STRING_EQUAL(err.text, "envelope has no body of a kind this release knows");
}

/* A sentence that was cut inside a character, or quotes a terminal's codes, still arrives. */
static void sentences_are_made_printable(void)
{
    struct envelope before = {.kind = WIRE_REFUSED}, after;
    struct err err;
    int size;

    before.refused.code = REFUSED_BUSY;
    memcpy(before.refused.text, "a\x1b[2J\xc3", 7);
    size = wire_encode(&scratch, &before, frame, WIRE_FRAME_MAX);
    arena_reset(&decoded);
    CU_ASSERT_EQUAL_FATAL(wire_decode(&decoded, frame + FRAME_HEADER_SIZE,
                                      (size_t)size - FRAME_HEADER_SIZE, &after, &err),
                          0);
    CU_ASSERT_STRING_EQUAL(after.refused.text, "a?[2J?");
}

enum { TO_BANK = 1, FROM_BANK = 2, FROM_CLIENT = 4, TO_CLIENT = 8, NOBODY = 16 };

/* Which of the four ways this is, if the envelope may go it; NOBODY goes any other. */
static int way_of(int from, int to, const struct envelope *envelope)
{
    if (!wire_may_send((enum hello_role)from, (enum hello_role)to, envelope))
        return 0;
    if (from == HELLO_COORDINATOR)
        return to == HELLO_PARTICIPANT ? TO_BANK : to == HELLO_CLIENT ? TO_CLIENT : NOBODY;
    if (to != HELLO_COORDINATOR)
        return NOBODY;
    return from == HELLO_PARTICIPANT ? FROM_BANK : FROM_CLIENT;
}

/* A kind in a wrong direction would be read as another member of the envelope's union. */
static int ways_of(const struct envelope *envelope)
{
    int ways = 0;

    for (int from = HELLO_COORDINATOR; from <= HELLO_CLIENT; from++) {
        for (int to = HELLO_COORDINATOR; to <= HELLO_CLIENT; to++)
            ways |= way_of(from, to, envelope);
    }
    return ways;
}

static void kinds_go_one_way_only(void)
{
    static const struct {
        const char *name;
        int ways;
    } rows[] = {
        {"msg_prepare", TO_BANK},
        {"msg_find", TO_BANK},
        {"msg_sealed", FROM_BANK},
        {"msg_found", FROM_BANK},
        {"hello", TO_BANK | FROM_CLIENT},
        {"welcome", FROM_BANK | TO_CLIENT},
        {"refused", FROM_BANK | TO_CLIENT},
        {"submit", FROM_CLIENT},
        {"outcome_request", FROM_CLIENT},
        {"submit_result", TO_CLIENT},
        {"request_status", TO_BANK | FROM_CLIENT},
        {"response_status", FROM_BANK | TO_CLIENT},
    };
    size_t met = 0;

    for (size_t i = 0; i < sample_envelope_count(); i++) {
        struct sampler sampler = sampler_of(5, 1, false);
        struct envelope envelope;
        const char *name = sample_envelope(&sampler, i, &envelope);

        CU_ASSERT_STRING_NOT_EQUAL(wire_kind_name(&envelope), "unknown");
        for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
            if (strcmp(rows[r].name, name) != 0)
                continue;
            CU_ASSERT_EQUAL(ways_of(&envelope), rows[r].ways);
            met++;
        }
    }
    CU_ASSERT_EQUAL(met, sizeof(rows) / sizeof(rows[0]));
}

/* A response of another body would be read as another member of the union. */
static void responses_answer_their_request_only(void)
{
    struct admin_response response = {.code = ADMIN_OK, .body = ADMIN_BODY_ACCOUNTS};

    CU_ASSERT_TRUE(admin_answers(ADMIN_ACCOUNT_CREATE, &response));
    CU_ASSERT_TRUE(admin_answers(ADMIN_ACCOUNT_LIST, &response));
    CU_ASSERT_FALSE(admin_answers(ADMIN_STATEMENT, &response));
    CU_ASSERT_FALSE(admin_answers(ADMIN_TXN_SHOW, &response));
    response.code = ADMIN_REFUSED;
    CU_ASSERT_FALSE(admin_answers(ADMIN_ACCOUNT_CREATE, &response));
    response.body = ADMIN_BODY_NONE;
    CU_ASSERT_TRUE(admin_answers(ADMIN_ACCOUNT_CREATE, &response));
    response.code = ADMIN_OK;
    CU_ASSERT_FALSE(admin_answers(ADMIN_AUDIT, &response));
    CU_ASSERT_TRUE(admin_answers(ADMIN_TXN_SHOW, &response));
    response.body = ADMIN_BODY_AUDIT;
    CU_ASSERT_TRUE(admin_answers(ADMIN_AUDIT, &response));
}

/* ---- frames ---- */

static void frames_are_told_apart_at_every_cut(void)
{
    static const uint8_t stream[] = {0, 0, 0, 2, 7, 8, 0, 0, 0, 1, 9};
    const uint8_t *payload = NULL;
    size_t payload_size = 0;
    struct err err;

    for (size_t cut = 0; cut < 6; cut++)
        CU_ASSERT_EQUAL(frame_next(stream, cut, 100, &payload, &payload_size, &err), 0);
    CU_ASSERT_EQUAL(frame_next(stream, sizeof(stream), 100, &payload, &payload_size, &err), 6);
    CU_ASSERT_PTR_EQUAL(payload, stream + 4);
    CU_ASSERT_EQUAL(payload_size, 2);
}

static void bad_frame_lengths_are_refused_at_once(void)
{
    static const uint8_t empty[] = {0, 0, 0, 0}, large[] = {0, 1, 0, 1},
                         huge[] = {255, 255, 255, 255};
    const uint8_t *payload;
    size_t payload_size;
    struct err err;

    CU_ASSERT_EQUAL(frame_next(empty, 4, 100, &payload, &payload_size, &err), ERR_PROTOCOL);
    CU_ASSERT_STRING_EQUAL(err.text, "a frame is empty");
    CU_ASSERT_EQUAL(frame_next(large, 4, FRAME_SIZE_MAX_HELLO, &payload, &payload_size, &err),
                    ERR_PROTOCOL);
    CU_ASSERT_STRING_EQUAL(err.text, "a frame of 65537 bytes is above the maximum of 65536");
    CU_ASSERT_EQUAL(frame_next(large, 4, FRAME_SIZE_MAX, &payload, &payload_size, &err), 0);
    CU_ASSERT_EQUAL(frame_next(huge, 4, FRAME_SIZE_MAX, &payload, &payload_size, &err),
                    ERR_PROTOCOL);
}

/* ---- the arena ---- */

static void arena_aligns_and_stops(void)
{
    static _Alignas(16) uint8_t memory[64];
    struct arena arena;
    uint8_t *first, *second;

    arena_init(&arena, memory, sizeof(memory));
    first = arena_alloc(&arena, 1);
    second = arena_alloc(&arena, 1);
    CU_ASSERT_EQUAL(second - first, 16);
    CU_ASSERT_PTR_NULL(arena_alloc(&arena, SIZE_MAX));
    CU_ASSERT_TRUE(arena.exhausted);
    CU_ASSERT_PTR_NULL(arena_alloc(&arena, 33));
    CU_ASSERT_PTR_NOT_NULL(arena_alloc(&arena, 32));
    arena_reset(&arena);
    CU_ASSERT_PTR_EQUAL(arena_alloc(&arena, 64), memory);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"every_kind_is_read_as_it_was_written", every_kind_is_read_as_it_was_written},
        {"largest_of_every_kind_fits_a_frame", largest_of_every_kind_fits_a_frame},
        {"every_cut_is_refused_or_means_less", every_cut_is_refused_or_means_less},
        {"small_output_or_scratch_is_full_not_overrun",
         small_output_or_scratch_is_full_not_overrun},
        {"many_empty_elements_meet_the_arena", many_empty_elements_meet_the_arena},
        {"unknown_fields_pass_and_unknown_kinds_do_not",
         unknown_fields_pass_and_unknown_kinds_do_not},
        {"sentences_are_made_printable", sentences_are_made_printable},
        {"kinds_go_one_way_only", kinds_go_one_way_only},
        {"responses_answer_their_request_only", responses_answer_their_request_only},
        {"frames_are_told_apart_at_every_cut", frames_are_told_apart_at_every_cut},
        {"bad_frame_lengths_are_refused_at_once", bad_frame_lengths_are_refused_at_once},
        {"arena_aligns_and_stops", arena_aligns_and_stops},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"wire", open_memory, close_memory, NULL, NULL, tests},
        CU_SUITE_INFO_NULL,
    };
    return runner_main(suites, argc, argv);
}
