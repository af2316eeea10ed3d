/*
 * The journal's records: struct record and proto/record.proto.
 *
 * The table below is README.md's: which kind has which fields. A record that lacks one was damaged
 * or made by something else; both stop the node.
 */
#include "wire/record.h"

#include "base/assert.h"
#include "wire/internal.h"

enum record_need {
    NEED_EPOCH = 1,
    NEED_SEQUENCE = 2,
    NEED_FIRST = 4,
    NEED_NAMES = 8, /* id and digest */
    NEED_PROTOCOL = 16,
    NEED_STATE = 32,
    NEED_TIMESTAMP = 64,
    NEED_PREPARE_TIMESTAMP = 128,
    NEED_GUID = 256,
    NEED_PARTIES = 512,
    NEED_BRANCH = 1024,
};

static unsigned record_needs(enum record_kind kind)
{
    switch (kind) {
    case RECORD_SEAL:
        return NEED_EPOCH | NEED_GUID;
    case RECORD_CLOCK:
        return 0; /* its timestamp is zero until the first vote or cut */
    case RECORD_PREPARED:
        return NEED_EPOCH | NEED_SEQUENCE | NEED_NAMES | NEED_PROTOCOL | NEED_TIMESTAMP |
               NEED_PARTIES | NEED_BRANCH;
    case RECORD_COMMITTED:
        return NEED_EPOCH | NEED_SEQUENCE | NEED_NAMES | NEED_TIMESTAMP;
    case RECORD_ABORTED:
        return NEED_EPOCH | NEED_SEQUENCE | NEED_NAMES;
    case RECORD_END:
        return NEED_EPOCH;
    case RECORD_CARRIED:
        return NEED_EPOCH | NEED_SEQUENCE | NEED_FIRST | NEED_NAMES | NEED_PROTOCOL | NEED_STATE |
               NEED_PREPARE_TIMESTAMP | NEED_PARTIES;
    case RECORD_ACCOUNT:
        return NEED_BRANCH;
    }
    UNREACHABLE();
}

#define RECORD_KINDS                                                          \
    (ONE_OF(RECORD_SEAL) | ONE_OF(RECORD_CLOCK) | ONE_OF(RECORD_PREPARED) |   \
     ONE_OF(RECORD_COMMITTED) | ONE_OF(RECORD_ABORTED) | ONE_OF(RECORD_END) | \
     ONE_OF(RECORD_CARRIED) | ONE_OF(RECORD_ACCOUNT))

#define HELD_STATES (ONE_OF(STATE_PREPARED) | ONE_OF(STATE_COMMITTED) | ONE_OF(STATE_ABORTED))

static enum need needed_if(unsigned condition)
{
    return condition ? NEEDED : OPTIONAL;
}

static bool take_numbers(struct decoder *d, const Settle__V1__JournalRecord *m, unsigned needs,
                         struct record *r)
{
    enum need of_first = needed_if(needs & NEED_FIRST);

    return take_u16(d, UINT(m, group), OPTIONAL, GROUPS_MAX - 1, &r->group) &&
           take_u64(d, UINT(m, epoch), needed_if(needs & NEED_EPOCH), &r->tag.epoch) &&
           take_u64(d, UINT(m, sequence), needed_if(needs & NEED_SEQUENCE), &r->tag.sequence) &&
           take_u64(d, UINT(m, first_epoch), of_first, &r->first.epoch) &&
           take_u64(d, UINT(m, first_sequence), of_first, &r->first.sequence) &&
           take_u64(d, UINT(m, timestamp), needed_if(needs & NEED_TIMESTAMP), &r->timestamp) &&
           take_u64(d, UINT(m, prepare_timestamp), needed_if(needs & NEED_PREPARE_TIMESTAMP),
                    &r->prepare_timestamp) &&
           take_reason(d, UINT(m, reason), &r->reason) &&
           take_protocol(d, UINT(m, protocol), needed_if(needs & NEED_PROTOCOL), &r->protocol);
}

static bool take_exceptions(struct decoder *d, const Settle__V1__JournalRecord *m, struct record *r)
{
    if (!take_u64(d, UINT(m, watermark), OPTIONAL, &r->watermark) ||
        !take_count(d, "exception", m->n_exception, 0, END_EXCEPTIONS_MAX))
        return false;
    r->exceptions = m->n_exception > 0 ? m->exception : NULL;
    r->exception_count = (uint16_t)m->n_exception;
    return true;
}

static bool take_journal_record(struct decoder *d, const Settle__V1__JournalRecord *m,
                                struct record *r)
{
    int kind = take_enum(d, UINT(m, kind), NEEDED, RECORD_KINDS);
    unsigned needs = kind < 0 ? 0 : record_needs((enum record_kind)kind);
    enum need of_names = needed_if(needs & NEED_NAMES);
    int state;

    if (kind < 0)
        return false;
    state = take_enum(d, UINT(m, state), needed_if(needs & NEED_STATE), HELD_STATES);
    if (state < 0)
        return false;
    r->kind = (enum record_kind)kind;
    r->state = (enum txn_state)state;
    r->net_count = (uint16_t)m->n_net;
    if (state == STATE_PREPARED)
        needs |= NEED_BRANCH;
    if (state == STATE_COMMITTED)
        needs |= NEED_TIMESTAMP;
    return take_numbers(d, m, needs, r) && take_16(d, BYTES(m, id), of_names, r->id.bytes) &&
           take_16(d, BYTES(m, digest), of_names, r->digest.bytes) &&
           take_16(d, BYTES(m, guid), needed_if(needs & NEED_GUID), r->guid.bytes) &&
           take_parties(d, m->n_party, m->party, needs & NEED_PARTIES ? 1 : 0, &r->parties,
                        &r->party_count) &&
           take_nets(d, "net", m->n_net, m->net, NETS_MAX, &r->nets) &&
           ((!m->has_branch && !(needs & NEED_BRANCH)) ||
            take_blob(d, BYTES(m, branch), BRANCH_SIZE_MAX, &r->branch)) &&
           take_exceptions(d, m, r);
}

int record_decode(struct arena *arena, const uint8_t *bytes, size_t size, uint64_t position,
                  struct record *ret_record, struct err *err)
{
    struct decoder d = {.arena = arena, .err = err, .bad = ERR_CORRUPT};
    struct record record = {.position = position};
    size_t mark = arena_mark(arena);
    const Settle__V1__JournalRecord *m = wire_unpack(&d, &settle__v1__journal_record__descriptor,
                                                     bytes, size, "journal record");

    if (m && (!m->has_position || m->position != position))
        note_failure(&d, "position", "is %llu, not its key", (unsigned long long)m->position);
    else if (m)
        take_journal_record(&d, m, &record);
    if (d.code != 0) {
        arena_rewind(arena, mark);
        err_prefix(err, "journal record %llu", (unsigned long long)position);
        return d.code;
    }
    *ret_record = record;
    return 0;
}

static void put_numbers(const struct record *r, Settle__V1__JournalRecord *m)
{
    PUT(m, position, r->position);
    PUT(m, kind, (Settle__V1__RecordKind)r->kind);
    PUT_NONZERO(m, group, r->group);
    PUT_NONZERO(m, epoch, r->tag.epoch);
    PUT_NONZERO(m, sequence, r->tag.sequence);
    PUT_NONZERO(m, first_epoch, r->first.epoch);
    PUT_NONZERO(m, first_sequence, r->first.sequence);
    PUT_16_NONZERO(m, id, &r->id);
    PUT_16_NONZERO(m, digest, &r->digest);
    PUT_NONZERO(m, protocol, (Settle__V1__Protocol)r->protocol);
    PUT_NONZERO(m, state, (Settle__V1__TxnState)r->state);
    PUT_NONZERO(m, reason, (uint32_t)r->reason);
    PUT_NONZERO(m, timestamp, r->timestamp);
    PUT_NONZERO(m, prepare_timestamp, r->prepare_timestamp);
    PUT_16_NONZERO(m, guid, &r->guid);
    PUT_NONZERO(m, watermark, r->watermark);
}

static bool put_exceptions(struct arena *scratch, const struct record *r,
                           Settle__V1__JournalRecord *m)
{
    ASSERT(r->exception_count <= END_EXCEPTIONS_MAX);
    if (r->exception_count == 0)
        return true;
    m->exception = arena_alloc(scratch, sizeof(uint64_t) * r->exception_count);
    if (!m->exception)
        return false;
    memcpy(m->exception, r->exceptions, sizeof(uint64_t) * r->exception_count);
    m->n_exception = r->exception_count;
    return true;
}

int record_encode(struct arena *scratch, const struct record *record, uint8_t *out, size_t size)
{
    Settle__V1__JournalRecord m = SETTLE__V1__JOURNAL_RECORD__INIT;
    bool held = record->kind == RECORD_CARRIED && record->state == STATE_PREPARED;
    size_t mark = arena_mark(scratch);
    int rc = ERR_FULL;

    ASSERT(record->branch.size <= BRANCH_SIZE_MAX && record->net_count <= NETS_MAX);
    put_numbers(record, &m);
    if (record->branch.size > 0 || held || (record_needs(record->kind) & NEED_BRANCH))
        PUT(&m, branch, pb_bytes(record->branch.bytes, record->branch.size));
    m.n_party = record->party_count;
    m.n_net = record->net_count;
    if (put_parties(scratch, record->parties, record->party_count, &m.party) &&
        put_nets(scratch, record->nets, record->net_count, &m.net) &&
        put_exceptions(scratch, record, &m))
        rc = wire_pack(&m.base, out, size);
    arena_rewind(scratch, mark);
    return rc;
}
