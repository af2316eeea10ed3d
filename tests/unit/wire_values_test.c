/*
 * What stands beside envelopes: Hello's agreement, a Submit's digest and sense, branches, records
 * and rows, and that the numbers of the schemas are the numbers of the code.
 */
#include "admin.pb-c.h"
#include "commit.pb-c.h"
#include "support/runner.h"
#include "support/wire_equal.h"
#include "support/wire_samples.h"
#include "types.pb-c.h"
#include "wire.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

#define MEMORY_SIZE (4u * 1024 * 1024)

static struct arena samples, scratch;
static uint8_t *bytes;

static int open_memory(void)
{
    void *for_samples = malloc(MEMORY_SIZE), *for_scratch = malloc(MEMORY_SIZE);

    bytes = malloc(WIRE_FRAME_MAX);
    if (!for_samples || !for_scratch || !bytes)
        return 1;
    arena_init(&samples, for_samples, MEMORY_SIZE);
    arena_init(&scratch, for_scratch, MEMORY_SIZE);
    return 0;
}

static int close_memory(void)
{
    free(samples.bytes);
    free(scratch.bytes);
    free(bytes);
    return 0;
}

static struct sampler sampler_of(uint64_t seed, size_t list_size, bool longest)
{
    struct sampler sampler = {.arena = &samples, .list_size = list_size, .longest = longest};

    arena_reset(&samples);
    arena_reset(&scratch);
    prng_init(&sampler.prng, seed);
    return sampler;
}

/* ---- Hello ---- */

static struct hello hello_of(const char *node)
{
    struct hello hello = {.version = PROTOCOL_VERSION, .role = HELLO_COORDINATOR, .groups = 16};

    CU_ASSERT_TRUE(node_name_parse(&hello.cluster, "demo", 4));
    CU_ASSERT_TRUE(node_name_parse(&hello.node, node, strlen(node)));
    hello.cluster_guid.bytes[0] = 0xc1;
    hello.process.bytes[0] = 1;
    return hello;
}

static void hellos_that_agree_pass(void)
{
    struct hello own = hello_of("coordinator-1"), peer = hello_of("bank-a");
    struct refused refused;

    CU_ASSERT_EQUAL(hello_check(&own, &peer, &refused), 0);
    memset(&peer.cluster, 0, sizeof(peer.cluster)); /* does not know yet */
    memset(&peer.cluster_guid, 0, sizeof(peer.cluster_guid));
    peer.groups = 0;
    CU_ASSERT_EQUAL(hello_check(&own, &peer, &refused), 0);
    CU_ASSERT_EQUAL(hello_check(&peer, &own, &refused), 0);
}

static void hellos_that_differ_are_told_how(void)
{
    struct hello own = hello_of("coordinator-1"), peer = hello_of("bank-a");
    struct refused refused;

    peer.version = 2;
    CU_ASSERT_EQUAL(hello_check(&own, &peer, &refused), ERR_REFUSED);
    CU_ASSERT_EQUAL(refused.code, REFUSED_VERSION);
    CU_ASSERT_STRING_EQUAL(refused.text,
                           "coordinator-1 speaks protocol version 1, the peer speaks version 2");
    peer = hello_of("bank-a");
    memcpy(peer.cluster.text, "live", 4);
    CU_ASSERT_EQUAL(hello_check(&own, &peer, &refused), ERR_REFUSED);
    CU_ASSERT_EQUAL(refused.code, REFUSED_CLUSTER);
    CU_ASSERT_STRING_EQUAL(refused.text,
                           "coordinator-1 belongs to cluster demo, bank-a to cluster live");
    peer = hello_of("bank-a");
    peer.cluster_guid.bytes[15] = 1;
    CU_ASSERT_EQUAL(hello_check(&own, &peer, &refused), ERR_REFUSED);
    CU_ASSERT_EQUAL(refused.code, REFUSED_CLUSTER);
    CU_ASSERT_PTR_NOT_NULL(strstr(refused.text, "c1000000000000000000000000000001"));
    peer = hello_of("bank-a");
    peer.groups = 8;
    CU_ASSERT_EQUAL(hello_check(&own, &peer, &refused), ERR_REFUSED);
    CU_ASSERT_EQUAL(refused.code, REFUSED_GROUPS);
    CU_ASSERT_STRING_EQUAL(refused.text, "coordinator-1 counts 16 groups, bank-a counts 8");
}

/* What another version's fields mean is not ours to check: it must only be told so. */
static void hello_of_another_version_is_read_for_its_version(void)
{
    static const uint8_t version_9[] = {0x82, 0x04, 0x04, 0x08, 0x09, 0x28, 0x63};
    struct envelope envelope;
    struct err err;

    arena_reset(&scratch);
    CU_ASSERT_EQUAL_FATAL(wire_decode(&scratch, version_9, sizeof(version_9), &envelope, &err), 0);
    CU_ASSERT_EQUAL(envelope.kind, WIRE_HELLO);
    CU_ASSERT_EQUAL(envelope.hello.version, 9);
    CU_ASSERT_EQUAL(envelope.hello.role, 0);
}

/* ---- Submit ---- */

static struct submit submit_of(struct submit_branch *branches, uint16_t count)
{
    static const uint8_t id[16] = {0x01, 0x92, 0xd0, 0xc0, 0xa1, 0xb2, 0x7c, 0x3d,
                                   0x8e, 0x4f, 0x50, 0x61, 0x72, 0x83, 0x94, 0xa5};
    struct submit submit = {.protocol = PROTOCOL_2PC, .deadline_ms = 5000};

    memcpy(submit.id.bytes, id, sizeof(id));
    submit.branches = branches;
    submit.branch_count = count;
    return submit;
}

/* proto/README.md has this vector, and the bytes that are hashed. */
static void digest_is_that_of_the_contract(void)
{
    static const uint8_t first[] = "\x0a\x05hello", second[] = {0xff, 0x00};
    struct submit_branch branches[] = {
        {.node = {"bank-a"}, .branch = {first, 7}},
        {.node = {"bank-b"}, .branch = {second, 2}},
        {.node = {"bank-c"}, .read_only = true},
    };
    struct submit submit = submit_of(branches, 3);
    struct digest digest = submit_digest(&submit);
    char text[33];

    CU_ASSERT_STRING_EQUAL(hex_format(digest.bytes, 16, text), "9876fce947984518d23d93e4530e6f5d");
}

static void digest_tells_every_part_apart(void)
{
    static const uint8_t content[] = {1, 2, 3};
    struct submit_branch branches[] = {
        {.node = {"bank-a"}, .branch = {content, 3}},
        {.node = {"bank-b"}, .branch = {content, 3}},
    };
    struct submit submit = submit_of(branches, 2);
    struct digest base = submit_digest(&submit), other;

    submit.deadline_ms++; /* no part of it: a resubmission may wait longer */
    other = submit_digest(&submit);
    CU_ASSERT_TRUE(digest_equal(&base, &other));
    submit.protocol = PROTOCOL_3PC;
    other = submit_digest(&submit);
    CU_ASSERT_FALSE(digest_equal(&base, &other));
    submit.protocol = PROTOCOL_2PC;
    submit.id.bytes[15]++;
    other = submit_digest(&submit);
    CU_ASSERT_FALSE(digest_equal(&base, &other));
    submit.id.bytes[15]--;
    branches[1].read_only = true;
    other = submit_digest(&submit);
    CU_ASSERT_FALSE(digest_equal(&base, &other));
    branches[1].read_only = false;
    branches[1].node.text[5] = 'c';
    other = submit_digest(&submit);
    CU_ASSERT_FALSE(digest_equal(&base, &other));
    branches[1].node.text[5] = 'b';
    branches[0].branch.size = 2;
    other = submit_digest(&submit);
    CU_ASSERT_FALSE(digest_equal(&base, &other));
}

static void expect_reason(const struct submit *submit, enum reason reason, const char *sentence)
{
    struct err err = {.text = ""};

    CU_ASSERT_EQUAL(submit_check(submit, &err), reason);
    CU_ASSERT_STRING_EQUAL(err.text, sentence);
    CU_ASSERT_EQUAL(submit_check(submit, NULL), reason);
}

static void senseless_submits_get_their_reason(void)
{
    struct submit_branch branches[PARTICIPANTS_MAX + READERS_MAX + 1];
    struct submit submit = submit_of(branches, 2);

    memset(branches, 0, sizeof(branches));
    for (int i = 0; i < PARTICIPANTS_MAX + READERS_MAX + 1; i++)
        snprintf(branches[i].node.text, NODE_NAME_SIZE, "bank-%02d", i);
    expect_reason(&submit, REASON_NONE, "");
    submit.deadline_ms = 0;
    expect_reason(&submit, REASON_MALFORMED, "the deadline of 0 ms is outside 1 to 3600000");
    submit.deadline_ms = DEADLINE_MAX_MS + 1;
    expect_reason(&submit, REASON_MALFORMED, "the deadline of 3600001 ms is outside 1 to 3600000");
    submit.deadline_ms = DEADLINE_MAX_MS;
    submit.id.bytes[6] = 0x40;
    expect_reason(&submit, REASON_ID_INVALID, "the id is not a UUIDv7");
    submit.id.bytes[6] = 0x70;
    submit.protocol = (enum protocol)0;
    expect_reason(&submit, REASON_PROTOCOL, "the commit protocol is not known to this release");
    submit.protocol = PROTOCOL_2PC;
    submit.branch_count = 0;
    expect_reason(&submit, REASON_LEGS, "the transaction has no branch that votes");
    submit.branch_count = PARTICIPANTS_MAX;
    expect_reason(&submit, REASON_NONE, "");
    submit.branch_count = PARTICIPANTS_MAX + 1;
    expect_reason(&submit, REASON_PARTICIPANTS, "17 participants are more than the maximum of 16");
    for (int i = 1; i < PARTICIPANTS_MAX + READERS_MAX + 1; i++)
        branches[i].read_only = true;
    submit.branch_count = READERS_MAX + 1;
    expect_reason(&submit, REASON_NONE, "");
    submit.branch_count = READERS_MAX + 2;
    expect_reason(&submit, REASON_PARTICIPANTS,
                  "17 read-only branches are more than the maximum of 16");
    submit.branch_count = 3;
    branches[2].read_only = false;
    expect_reason(&submit, REASON_MALFORMED,
                  "branch 2, of voter bank-02, stands behind a reader's");
    branches[1].read_only = false;
    branches[2] = branches[1];
    expect_reason(&submit, REASON_MALFORMED,
                  "branch 2, of bank-01, does not follow that of bank-01");
}

/* ---- branches ---- */

static void branches_are_read_as_they_were_written(void)
{
    static struct branch before, after;

    for (uint64_t seed = 0; seed < 60; seed++) {
        struct sampler sampler = sampler_of(seed, seed < 58 ? 1 + seed % 9 : SIZE_MAX, seed >= 58);
        struct err err = {.text = ""};
        int size;

        sample_branch(&sampler, seed % 2 == 1, &before);
        size = branch_encode(&scratch, &before, bytes, BRANCH_ENCODED_MAX);
        CU_ASSERT_FATAL(size > 0);
        CU_ASSERT_EQUAL(branch_encode(&scratch, &before, bytes, (size_t)size - 1), ERR_FULL);
        CU_ASSERT_EQUAL(branch_decode(&scratch, bytes, (size_t)size, &after, &err), REASON_NONE);
        CU_ASSERT_TRUE(branch_equal(&before, &after));
        CU_ASSERT_EQUAL(scratch.used, 0);
    }
}

static void expect_branch(const struct branch *branch, enum reason reason, const char *sentence)
{
    static struct branch after;
    struct err err = {.text = ""};
    int size = branch_encode(&scratch, branch, bytes, BRANCH_ENCODED_MAX);

    CU_ASSERT_FATAL(size >= 0);
    CU_ASSERT_EQUAL(branch_decode(&scratch, bytes, (size_t)size, &after, &err), reason);
    CU_ASSERT_STRING_EQUAL(err.text, sentence);
}

static void wrong_branches_get_their_reason(void)
{
    static struct branch good, bad;
    struct sampler sampler = sampler_of(9, 2, false);

    sample_branch(&sampler, false, &good);
    bad = good;
    bad.posting_count = 0;
    expect_branch(&bad, REASON_LEGS, "branch has 0 legs, outside 1 to 128");
    bad = good;
    bad.check_count = LEGS_MAX;
    expect_branch(&bad, REASON_LEGS, "branch has 130 legs, outside 1 to 128");
    bad.check_count = 1;
    expect_branch(&bad, REASON_MALFORMED, "branch mixes postings and checks");
    bad = good;
    bad.postings[1].amount = 0;
    expect_branch(&bad, REASON_AMOUNT, "posting 1: amount is 0, not positive");
    bad.postings[1].amount = INT64_MIN;
    expect_branch(&bad, REASON_AMOUNT, "posting 1: amount is -9223372036854775808, not positive");
    bad = good;
    bad.postings[0].account.text[1] = 'a';
    expect_branch(&bad, REASON_ACCOUNT_NAME,
                  "posting 0: account is not an account id of 1 to 34 of A-Z, 0-9 and '-'");
    bad = good;
    memcpy(bad.postings[1].currency.code, "usd", 4);
    expect_branch(&bad, REASON_CURRENCY_UNKNOWN,
                  "posting 1: currency is not a code of three letters A-Z");
    bad = good;
    bad.postings[0].side = (enum side)3;
    expect_branch(&bad, REASON_MALFORMED, "posting 0: side has the unknown value 3");
    bad = good;
    memcpy(bad.memo, "\xff", 2);
    expect_branch(&bad, REASON_MALFORMED, "memo is not UTF-8 without control characters");
}

static void bytes_that_are_no_branch_are_malformed(void)
{
    static struct branch branch;
    struct arena tiny = scratch;
    struct err err;

    arena_reset(&scratch);
    CU_ASSERT_EQUAL(branch_decode(&scratch, (const uint8_t *)"\x0a\xff", 2, &branch, &err),
                    REASON_MALFORMED);
    CU_ASSERT_STRING_EQUAL(err.text, "branch of 2 bytes is not well-formed protobuf");
    memset(bytes, 0, 4000);
    for (size_t i = 0; i < 4000; i += 2)
        bytes[i] = 0x0a;
    tiny.size = 4096;
    CU_ASSERT_EQUAL(branch_decode(&tiny, bytes, 4000, &branch, &err), REASON_BUSY);
    CU_ASSERT_EQUAL(branch_decode(&scratch, bytes, 4000, &branch, &err), REASON_LEGS);
}

static void memos_are_printable_utf8(void)
{
    static const char *const good[] = {"",
                                       "ASCII ~",
                                       "\xc2\xa0",
                                       "\xe2\x82\xac",
                                       "\xed\x9f\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\n",
                                      "\x7f",
                                      "\x80",
                                      "\xc2\x85",
                                      "\xc1\xbf",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xe2\x82",
                                      "\xc3("};
    static struct branch branch;
    struct sampler sampler = sampler_of(10, 1, false);

    sample_branch(&sampler, false, &branch);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        snprintf(branch.memo, MEMO_SIZE, "%s", good[i]);
        expect_branch(&branch, REASON_NONE, "");
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(branch.memo, MEMO_SIZE, "%s", bad[i]);
        expect_branch(&branch, REASON_MALFORMED, "memo is not UTF-8 without control characters");
    }
}

/* ---- records and rows ---- */

static void records_are_read_as_they_were_written(void)
{
    for (uint64_t seed = 0; seed < 40; seed++) {
        for (size_t i = 0; i < sample_record_count(); i++) {
            struct sampler sampler = sampler_of(seed, seed < 38 ? 1 + seed % 6 : SIZE_MAX,
                                                seed >= 38);
            struct record before, after;
            struct err err = {.text = ""};
            int size;

            sample_record(&sampler, i, &before);
            size = record_encode(&scratch, &before, bytes, RECORD_SIZE_MAX);
            CU_ASSERT_FATAL(size > 0);
            CU_ASSERT_EQUAL(scratch.used, 0);
            CU_ASSERT_EQUAL(record_encode(&scratch, &before, bytes, (size_t)size - 1), ERR_FULL);
            CU_ASSERT_EQUAL(
                record_decode(&scratch, bytes, (size_t)size, before.position, &after, &err), 0);
            CU_ASSERT_TRUE(record_equal(&before, &after));
        }
    }
}

/* A participant that has neither voted nor seen a cut writes checkpoints, too. */
static void a_clock_that_stands_still_is_read_again(void)
{
    struct record before = {.kind = RECORD_CLOCK, .position = 17}, after;
    struct err err;
    int size;

    arena_reset(&scratch);
    size = record_encode(&scratch, &before, bytes, RECORD_SIZE_MAX);
    CU_ASSERT_FATAL(size > 0);
    CU_ASSERT_EQUAL(record_decode(&scratch, bytes, (size_t)size, 17, &after, &err), 0);
    CU_ASSERT_TRUE(record_equal(&before, &after));
}

static void cut_records_are_corrupt(void)
{
    for (size_t i = 0; i < sample_record_count(); i++) {
        struct sampler sampler = sampler_of(3, 2, false);
        struct record before, after;
        int size;

        sample_record(&sampler, i, &before);
        size = record_encode(&scratch, &before, bytes, RECORD_SIZE_MAX);
        for (int cut = 0; cut < size; cut++) {
            struct err err = {.text = ""};
            int rc;

            arena_reset(&scratch);
            rc = record_decode(&scratch, bytes, (size_t)cut, before.position, &after, &err);
            CU_ASSERT(rc == ERR_CORRUPT || (rc == 0 && !record_equal(&before, &after)));
            CU_ASSERT(rc == 0 || strncmp(err.text, "journal record ", 15) == 0);
        }
    }
}

/* Encode, decode, compare; and every cut is corrupt or says less. */
#define CHECK_ROW(kind, type, size_max)                                                       \
    do {                                                                                      \
        static type before, after;                                                            \
        struct err err = {.text = ""};                                                        \
        int size;                                                                             \
        sample_##kind(&sampler, &before);                                                     \
        size = kind##_encode(&scratch, &before, bytes, (size_max));                           \
        CU_ASSERT_FATAL(size > 0);                                                            \
        CU_ASSERT_EQUAL(kind##_encode(&scratch, &before, bytes, (size_t)size - 1), ERR_FULL); \
        CU_ASSERT_EQUAL(kind##_decode(&scratch, bytes, (size_t)size, &after, &err), 0);       \
        CU_ASSERT_EQUAL(memcmp(&before, &after, sizeof(before)), 0);                          \
        CU_ASSERT_EQUAL(scratch.used, 0);                                                     \
        for (int cut = 0; cut < size; cut++) {                                                \
            int rc = kind##_decode(&scratch, bytes, (size_t)cut, &after, &err);               \
            CU_ASSERT(rc == ERR_CORRUPT || memcmp(&before, &after, sizeof(before)) != 0);     \
            CU_ASSERT_EQUAL(scratch.used, 0);                                                 \
        }                                                                                     \
    } while (0)

static void rows_are_read_as_they_were_written(void)
{
    for (uint64_t seed = 0; seed < 12; seed++) {
        struct sampler sampler = sampler_of(seed, seed < 11 ? 3 : SIZE_MAX, seed >= 11);

        CHECK_ROW(attributes, struct account_attributes, ATTRIBUTES_SIZE_MAX);
        CHECK_ROW(account_row, struct account_row, ACCOUNT_ROW_SIZE_MAX);
        CHECK_ROW(entry, struct entry, ENTRY_SIZE_MAX);
        CHECK_ROW(outcome, struct outcome, OUTCOME_SIZE_MAX);
        if (seed < 11)
            CHECK_ROW(checkpoint, struct checkpoint, CHECKPOINT_SIZE_MAX);
    }
}

static void largest_checkpoint_fits(void)
{
    static struct checkpoint before, after;
    struct sampler sampler = sampler_of(11, SIZE_MAX, true);
    struct err err = {.text = ""};
    int size;

    sample_checkpoint(&sampler, &before);
    size = checkpoint_encode(&scratch, &before, bytes, CHECKPOINT_SIZE_MAX);
    CU_ASSERT_FATAL(size > 0);
    CU_ASSERT_EQUAL(checkpoint_decode(&scratch, bytes, (size_t)size, &after, &err), 0);
    CU_ASSERT_EQUAL(memcmp(&before, &after, sizeof(before)), 0);
}

/* ---- numbers ---- */

static int number_of(const ProtobufCEnumDescriptor *descriptor, const char *prefix,
                     const char *name)
{
    const ProtobufCEnumValue *value;
    char full[80];

    snprintf(full, sizeof(full), "%s%s", prefix, name);
    value = protobuf_c_enum_descriptor_get_value_by_name(descriptor, full);
    return value ? value->value : -1;
}

static void numbers_of_the_schemas_are_those_of_the_code(void)
{
    const ProtobufCMessageDescriptor *envelope = &settle__v1__envelope__descriptor;
    const ProtobufCFieldDescriptor *field;

    CU_ASSERT_EQUAL(settle__v1__reason__descriptor.n_values, REASON_COUNT);
    for (int i = 0; i < REASON_COUNT; i++)
        CU_ASSERT_EQUAL(
            number_of(&settle__v1__reason__descriptor, "REASON_", reason_name((unsigned)i)), i);
#define X(symbol, number, name)                                              \
    field = protobuf_c_message_descriptor_get_field_by_name(envelope, name); \
    CU_ASSERT_PTR_NOT_NULL_FATAL(field);                                     \
    CU_ASSERT_EQUAL(field->id, symbol);
    MSG_KINDS(X)
#undef X
#define X(symbol, number, name) \
    CU_ASSERT_EQUAL(number_of(&settle__v1__txn_stage__descriptor, "TXN_", name), (int)(symbol));
    TXN_STAGES(X)
#undef X
#define X(symbol, number, name) \
    CU_ASSERT_EQUAL(number_of(&settle__v1__vote__descriptor, "VOTE_", name), (int)(symbol));
    TXN_VOTES(X)
#undef X
    for (int i = STATE_NONE; i <= STATE_ABORTED; i++)
        CU_ASSERT_EQUAL(number_of(&settle__v1__txn_state__descriptor, "STATE_",
                                  txn_state_name((enum txn_state)i)),
                        i);
}

static void stages_and_votes_have_names(void)
{
    enum txn_stage stage;

    CU_ASSERT_STRING_EQUAL(txn_stage_name(txn_stage_of_phase(PHASE_GATHERING)), "GATHERING");
    for (int phase = PHASE_GATHERING; phase <= PHASE_ABORTED; phase++)
        CU_ASSERT_STRING_EQUAL(txn_stage_name(txn_stage_of_phase((enum phase)phase)),
                               phase_name((enum phase)phase));
    for (int state = STATE_PREPARED; state <= STATE_ABORTED; state++)
        CU_ASSERT_STRING_EQUAL(txn_stage_name(txn_stage_of_state((enum txn_state)state)),
                               txn_state_name((enum txn_state)state));
    CU_ASSERT_TRUE(txn_stage_parse(&stage, "QUERYING"));
    CU_ASSERT_EQUAL(stage, TXN_QUERYING);
    CU_ASSERT_FALSE(txn_stage_parse(&stage, "querying"));
    CU_ASSERT_STRING_EQUAL(txn_vote_name(txn_vote_of_heard(HEARD_NONE)), "NOTHING");
    CU_ASSERT_STRING_EQUAL(txn_vote_name(txn_vote_of_heard(HEARD_TOO_OLD)), "TOO_OLD");
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"hellos_that_agree_pass", hellos_that_agree_pass},
        {"hellos_that_differ_are_told_how", hellos_that_differ_are_told_how},
        {"hello_of_another_version_is_read_for_its_version",
         hello_of_another_version_is_read_for_its_version},
        {"digest_is_that_of_the_contract", digest_is_that_of_the_contract},
        {"digest_tells_every_part_apart", digest_tells_every_part_apart},
        {"senseless_submits_get_their_reason", senseless_submits_get_their_reason},
        {"branches_are_read_as_they_were_written", branches_are_read_as_they_were_written},
        {"wrong_branches_get_their_reason", wrong_branches_get_their_reason},
        {"bytes_that_are_no_branch_are_malformed", bytes_that_are_no_branch_are_malformed},
        {"memos_are_printable_utf8", memos_are_printable_utf8},
        {"records_are_read_as_they_were_written", records_are_read_as_they_were_written},
        {"a_clock_that_stands_still_is_read_again", a_clock_that_stands_still_is_read_again},
        {"cut_records_are_corrupt", cut_records_are_corrupt},
        {"rows_are_read_as_they_were_written", rows_are_read_as_they_were_written},
        {"largest_checkpoint_fits", largest_checkpoint_fits},
        {"numbers_of_the_schemas_are_those_of_the_code",
         numbers_of_the_schemas_are_those_of_the_code},
        {"stages_and_votes_have_names", stages_and_votes_have_names},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"wire_values", open_memory, close_memory, NULL, NULL, tests},
        CU_SUITE_INFO_NULL,
    };
    return runner_main(suites, argc, argv);
}
