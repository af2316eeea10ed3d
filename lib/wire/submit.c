/*
 * What a Submit is as a whole: its digest, and whether it makes sense.
 */
#include "base/assert.h"
#include "wire/wire.h"

#include <openssl/evp.h>
#include <stdio.h>

#define DIGEST_DOMAIN "settle submit v1"

struct hasher {
    EVP_MD_CTX *ctx;
};

/* Hashing memory cannot fail; a broken libcrypto must not go on deciding. */
static void hash(const struct hasher *hasher, const void *bytes, size_t size)
{
    ASSERT(size == 0 || EVP_DigestUpdate(hasher->ctx, bytes, size) == 1);
}

static void hash_u32(const struct hasher *hasher, uint32_t value)
{
    uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                        (uint8_t)value};

    hash(hasher, bytes, sizeof(bytes));
}

static void hash_branches(const struct hasher *hasher, const struct submit *submit, bool read_only)
{
    uint32_t count = 0;

    for (uint16_t i = 0; i < submit->branch_count; i++)
        count += submit->branches[i].read_only == read_only;
    hash_u32(hasher, count);
    for (uint16_t i = 0; i < submit->branch_count; i++) {
        const struct submit_branch *branch = &submit->branches[i];
        size_t name_length = strnlen(branch->node.text, sizeof(branch->node.text));

        if (branch->read_only != read_only)
            continue;
        hash_u32(hasher, (uint32_t)name_length);
        hash(hasher, branch->node.text, name_length);
        hash_u32(hasher, branch->branch.size);
        hash(hasher, branch->branch.bytes, branch->branch.size);
    }
}

struct digest submit_digest(const struct submit *submit)
{
    struct hasher hasher = {.ctx = EVP_MD_CTX_new()};
    uint8_t protocol = (uint8_t)submit->protocol;
    uint8_t sha256[32];
    struct digest digest;

    ASSERT(hasher.ctx && EVP_DigestInit_ex(hasher.ctx, EVP_sha256(), NULL) == 1);
    hash(&hasher, DIGEST_DOMAIN, sizeof(DIGEST_DOMAIN)); /* with its NUL */
    hash(&hasher, submit->id.bytes, sizeof(submit->id.bytes));
    hash(&hasher, &protocol, 1);
    hash_branches(&hasher, submit, false);
    hash_branches(&hasher, submit, true);
    ASSERT(EVP_DigestFinal_ex(hasher.ctx, sha256, NULL) == 1);
    EVP_MD_CTX_free(hasher.ctx);
    memcpy(digest.bytes, sha256, sizeof(digest.bytes));
    return digest;
}

static enum reason wrong(struct err *err, enum reason reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum reason wrong(struct err *err, enum reason reason, const char *format, ...)
{
    char what[192];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    err_set(err, ERR_REFUSED, "%s", what);
    return reason;
}

/* Voters before readers, each ascending by name: one order, and nobody twice in either part. */
static enum reason check_order(const struct submit *submit, struct err *err)
{
    for (uint16_t i = 1; i < submit->branch_count; i++) {
        const struct submit_branch *before = &submit->branches[i - 1];
        const struct submit_branch *branch = &submit->branches[i];

        if (before->read_only && !branch->read_only)
            return wrong(err, REASON_MALFORMED, "branch %u, of voter %s, stands behind a reader's",
                         i, branch->node.text);
        if (before->read_only == branch->read_only &&
            strcmp(before->node.text, branch->node.text) >= 0)
            return wrong(err, REASON_MALFORMED, "branch %u, of %s, does not follow that of %s", i,
                         branch->node.text, before->node.text);
    }
    return REASON_NONE;
}

enum reason submit_check(const struct submit *submit, struct err *err)
{
    uint16_t voters = 0;

    for (uint16_t i = 0; i < submit->branch_count; i++)
        voters = (uint16_t)(voters + !submit->branches[i].read_only);
    if (!id_is_v7(&submit->id))
        return wrong(err, REASON_ID_INVALID, "the id is not a UUIDv7");
    if (submit->protocol != PROTOCOL_2PC && submit->protocol != PROTOCOL_3PC)
        return wrong(err, REASON_PROTOCOL, "the commit protocol is not known to this release");
    if (submit->deadline_ms == 0 || submit->deadline_ms > DEADLINE_MAX_MS)
        return wrong(err, REASON_MALFORMED, "the deadline of %u ms is outside 1 to %d",
                     submit->deadline_ms, DEADLINE_MAX_MS);
    if (voters == 0)
        return wrong(err, REASON_LEGS, "the transaction has no branch that votes");
    if (voters > PARTICIPANTS_MAX)
        return wrong(err, REASON_PARTICIPANTS, "%u participants are more than the maximum of %d",
                     voters, PARTICIPANTS_MAX);
    if (submit->branch_count - voters > READERS_MAX)
        return wrong(err, REASON_PARTICIPANTS,
                     "%u read-only branches are more than the maximum of %d",
                     submit->branch_count - voters, READERS_MAX);
    return check_order(submit, err);
}
