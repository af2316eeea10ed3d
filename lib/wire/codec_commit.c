/*
 * The commit protocol's messages: struct msg and proto/commit.proto.
 *
 * The table below is README.md's: which kind needs what of the header. The kind is the number of
 * the envelope's field.
 */
#include "base/assert.h"
#include "wire/internal.h"

enum header_need {
    NEED_EPOCH = 1,
    NEED_SEQUENCE = 2,
    NEED_ID = 4,
    NEED_DIGEST = 8,
    NEED_TXN = NEED_EPOCH | NEED_SEQUENCE | NEED_ID | NEED_DIGEST,
};

static unsigned header_needs(enum msg_kind kind)
{
    switch (kind) {
    case MSG_SEAL:
    case MSG_SEALED:
    case MSG_END:
    case MSG_REPORT:
    case MSG_REPORT_PAGE:
    case MSG_ORPHAN:
    case MSG_STALE:
        return NEED_EPOCH;
    case MSG_PREPARE:
    case MSG_CHECK:
    case MSG_COMMIT:
    case MSG_ABORT:
    case MSG_ABORT_IF_MINE:
    case MSG_QUERY:
    case MSG_RECORD:
    case MSG_CHECKED:
        return NEED_TXN;
    case MSG_FIND:
    case MSG_FOUND:
        return NEED_ID;
    case MSG_CUT:
    case MSG_CUT_RESULT:
        return 0;
    }
    UNREACHABLE();
}

/* Requests of a coordinator: what an answer's `to` may name. */
#define REQUEST_KINDS                                                                      \
    (ONE_OF(MSG_SEAL) | ONE_OF(MSG_PREPARE) | ONE_OF(MSG_CHECK) | ONE_OF(MSG_COMMIT) |     \
     ONE_OF(MSG_ABORT) | ONE_OF(MSG_ABORT_IF_MINE) | ONE_OF(MSG_QUERY) | ONE_OF(MSG_END) | \
     ONE_OF(MSG_REPORT) | ONE_OF(MSG_CUT) | ONE_OF(MSG_FIND))

#define TXN_STATES \
    (ONE_OF(STATE_NONE) | ONE_OF(STATE_PREPARED) | ONE_OF(STATE_COMMITTED) | ONE_OF(STATE_ABORTED))

/* ---- reading ---- */

static enum need needed_if(bool condition)
{
    return condition ? NEEDED : OPTIONAL;
}

static bool take_header(struct decoder *d, const Settle__V1__Header *message, struct msg *msg)
{
    static const Settle__V1__Header absent = SETTLE__V1__HEADER__INIT;
    const Settle__V1__Header *m = message ? message : &absent;
    unsigned needs = header_needs(msg->kind);

    return take_u16(d, UINT(m, group), OPTIONAL, GROUPS_MAX - 1, &msg->group) &&
           take_u64(d, UINT(m, epoch), needed_if(needs & NEED_EPOCH), &msg->tag.epoch) &&
           take_u64(d, UINT(m, sequence), needed_if(needs & NEED_SEQUENCE), &msg->tag.sequence) &&
           take_16(d, BYTES(m, id), needed_if(needs & NEED_ID), msg->id.bytes) &&
           take_16(d, BYTES(m, digest), needed_if(needs & NEED_DIGEST), msg->digest.bytes);
}

static bool take_prepare(struct decoder *d, const Settle__V1__Prepare *m, struct msg *msg)
{
    return take_protocol(d, UINT(m, protocol), NEEDED, &msg->prepare.protocol) &&
           take_parties(d, m->n_party, m->party, 1, &msg->prepare.parties,
                        &msg->prepare.party_count) &&
           take_blob(d, BYTES(m, branch), BRANCH_SIZE_MAX, &msg->prepare.branch);
}

static bool take_end(struct decoder *d, const Settle__V1__End *m, struct msg *msg)
{
    if (!take_u64(d, UINT(m, watermark), OPTIONAL, &msg->end.watermark) ||
        !take_count(d, "exception", m->n_exception, 0, END_EXCEPTIONS_MAX))
        return false;
    for (size_t i = 0; i < m->n_exception; i++) {
        if (m->exception[i] > msg->end.watermark ||
            (i > 0 && m->exception[i] <= m->exception[i - 1]))
            return take_fail(d, "exception", "%zu is not ascending up to the watermark", i);
    }
    msg->end.exceptions = m->n_exception > 0 ? m->exception : NULL;
    msg->end.exception_count = (uint16_t)m->n_exception;
    return true;
}

static bool take_cut(struct decoder *d, const Settle__V1__Cut *m, struct msg *msg)
{
    return take_u64(d, UINT(m, number), OPTIONAL, &msg->cut.number) &&
           take_u64(d, UINT(m, timestamp), NEEDED, &msg->cut.timestamp) &&
           take_u32(d, UINT(m, wait_ms), OPTIONAL, &msg->cut.wait_ms);
}

static bool take_to(struct decoder *d, struct uint_field field, enum msg_kind *ret_to)
{
    int to = take_enum(d, field, NEEDED, REQUEST_KINDS);

    if (to < 0)
        return false;
    *ret_to = (enum msg_kind)to;
    return true;
}

static bool take_record(struct decoder *d, const Settle__V1__Record *m, struct msg *msg)
{
    int answer = take_enum(d, UINT(m, answer), NEEDED,
                           ONE_OF(ANSWER_RECORD) | ONE_OF(ANSWER_CONFLICT) | ONE_OF(ANSWER_BUSY) |
                               ONE_OF(ANSWER_STORE_REPLACED) | ONE_OF(ANSWER_TOO_OLD));
    int state = answer < 0 ? -1 : take_enum(d, UINT(m, state), OPTIONAL, TXN_STATES);
    bool prepared = answer == ANSWER_RECORD && state == STATE_PREPARED;
    bool timed = prepared || (answer == ANSWER_RECORD && state == STATE_COMMITTED);

    if (state < 0)
        return false;
    if (answer != ANSWER_RECORD && state != STATE_NONE)
        return take_fail(d, "state", "stands beside an answer that has none");
    msg->record.answer = (enum answer)answer;
    msg->record.state = (enum txn_state)state;
    msg->record.net_count = (uint16_t)m->n_net;
    return take_to(d, UINT(m, to), &msg->record.to) &&
           take_reason(d, UINT(m, reason), &msg->record.reason) &&
           take_u64(d, UINT(m, first_epoch), needed_if(prepared), &msg->record.first.epoch) &&
           take_u64(d, UINT(m, first_sequence), needed_if(prepared), &msg->record.first.sequence) &&
           take_u64(d, UINT(m, timestamp), needed_if(timed), &msg->record.timestamp) &&
           take_nets(d, "net", m->n_net, m->net, NETS_MAX, &msg->record.nets);
}

static bool take_checked(struct decoder *d, const Settle__V1__Checked *m, struct msg *msg)
{
    if (!m->has_holds)
        return take_fail(d, "holds", "is missing");
    msg->checked.holds = m->holds != 0;
    return take_reason(d, UINT(m, reason), &msg->checked.reason);
}

static bool take_stale(struct decoder *d, const Settle__V1__Stale *m, struct msg *msg)
{
    return take_to(d, UINT(m, to), &msg->stale.to) &&
           take_u64(d, UINT(m, sealed_epoch), OPTIONAL, &msg->stale.sealed_epoch) &&
           take_16(d, BYTES(m, sealed_guid), OPTIONAL, msg->stale.sealed_guid.bytes);
}

static bool take_named(struct decoder *d, const Settle__V1__NamedTxn *m, struct named_txn *named)
{
    return take_16(d, BYTES(m, id), NEEDED, named->id.bytes) &&
           take_16(d, BYTES(m, digest), NEEDED, named->digest.bytes) &&
           take_protocol(d, UINT(m, protocol), NEEDED, &named->protocol) &&
           take_parties(d, m->n_party, m->party, 1, &named->parties, &named->party_count);
}

static bool take_report_page(struct decoder *d, const Settle__V1__ReportPage *m, struct msg *msg)
{
    struct named_txn *named;

    if (!take_u32(d, UINT(m, next), OPTIONAL, &msg->report_page.next) ||
        !take_u32(d, UINT(m, count), OPTIONAL, &msg->report_page.count) ||
        !take_u64(d, UINT(m, hash), OPTIONAL, &msg->report_page.hash) ||
        !take_count(d, "named", m->n_named, 0, REPORT_PAGE_MAX))
        return false;
    named = take_room(d, m->n_named, sizeof(*named));
    if (!named && m->n_named > 0)
        return false;
    for (size_t i = 0; i < m->n_named; i++) {
        if (!take_named(d, m->named[i], &named[i]))
            return take_fail_at(d, "named", i);
    }
    msg->report_page.named = named;
    msg->report_page.named_count = (uint16_t)m->n_named;
    return true;
}

static bool take_doubts(struct decoder *d, const Settle__V1__CutResult *m, struct msg *msg)
{
    struct cut_doubt *doubts;

    if (!take_count(d, "doubt", m->n_doubt, 0, CUT_DOUBTS_MAX))
        return false;
    doubts = take_room(d, m->n_doubt, sizeof(*doubts));
    if (!doubts && m->n_doubt > 0)
        return false;
    for (size_t i = 0; i < m->n_doubt; i++) {
        const Settle__V1__CutDoubt *doubt = m->doubt[i];

        if (!take_16(d, BYTES(doubt, id), NEEDED, doubts[i].id.bytes) ||
            !take_16(d, BYTES(doubt, digest), NEEDED, doubts[i].digest.bytes) ||
            !take_nets(d, "net", doubt->n_net, doubt->net, NETS_MAX, &doubts[i].nets))
            return take_fail_at(d, "doubt", i);
        doubts[i].net_count = (uint16_t)doubt->n_net;
    }
    msg->cut_result.doubts = doubts;
    msg->cut_result.doubt_count = (uint16_t)m->n_doubt;
    return true;
}

static bool take_cut_result(struct decoder *d, const Settle__V1__CutResult *m, struct msg *msg)
{
    int status = take_enum(d, UINT(m, status), NEEDED,
                           ONE_OF(CUT_REPORTED) | ONE_OF(CUT_TOO_LATE) | ONE_OF(CUT_AHEAD) |
                               ONE_OF(CUT_BUSY));

    if (status < 0)
        return false;
    msg->cut_result.status = (enum cut_status)status;
    msg->cut_result.more_doubts = m->has_more_doubts && m->more_doubts;
    msg->cut_result.total_count = (uint16_t)m->n_total;
    return take_u64(d, UINT(m, number), OPTIONAL, &msg->cut_result.number) &&
           take_u64(d, UINT(m, timestamp), OPTIONAL, &msg->cut_result.timestamp) &&
           take_nets(d, "total", m->n_total, m->total, CURRENCIES_MAX, &msg->cut_result.totals) &&
           take_doubts(d, m, msg);
}

static bool take_found(struct decoder *d, const Settle__V1__Found *m, struct msg *msg)
{
    int state = take_enum(d, UINT(m, state), NEEDED, TXN_STATES);
    bool prepared = state == STATE_PREPARED;

    if (state < 0)
        return false;
    msg->found.state = (enum txn_state)state;
    if (state != STATE_NONE && bytes_are_zero(msg->digest.bytes))
        return take_fail(d, "digest", "is missing");
    return take_reason(d, UINT(m, reason), &msg->found.reason) &&
           take_u64(d, UINT(m, timestamp), OPTIONAL, &msg->found.timestamp) &&
           take_protocol(d, UINT(m, protocol), needed_if(prepared), &msg->found.protocol) &&
           take_parties(d, m->n_party, m->party, prepared ? 1 : 0, &msg->found.parties,
                        &msg->found.party_count);
}

static bool take_body(struct decoder *d, const Settle__V1__Envelope *e, struct msg *msg)
{
    switch (msg->kind) {
    case MSG_SEAL:
        return take_16(d, BYTES(e->seal, guid), NEEDED, msg->seal.guid.bytes);
    case MSG_SEALED:
        return take_16(d, BYTES(e->sealed, guid), NEEDED, msg->seal.guid.bytes);
    case MSG_PREPARE:
        return take_prepare(d, e->prepare, msg);
    case MSG_CHECK:
        return take_blob(d, BYTES(e->check, branch), BRANCH_SIZE_MAX, &msg->check.branch);
    case MSG_COMMIT:
        return take_u64(d, UINT(e->commit, timestamp), NEEDED, &msg->commit.timestamp);
    case MSG_ABORT:
        return take_reason(d, UINT(e->abort, reason), &msg->abort.reason);
    case MSG_ABORT_IF_MINE:
        return take_reason(d, UINT(e->abort_if_mine, reason), &msg->abort.reason);
    case MSG_END:
        return take_end(d, e->end, msg);
    case MSG_REPORT:
        return take_u32(d, UINT(e->report, cursor), OPTIONAL, &msg->report.cursor) &&
               take_u32(d, UINT(e->report, count), OPTIONAL, &msg->report.count) &&
               take_u64(d, UINT(e->report, hash), OPTIONAL, &msg->report.hash);
    case MSG_CUT:
        return take_cut(d, e->cut, msg);
    case MSG_RECORD:
        return take_record(d, e->record, msg);
    case MSG_CHECKED:
        return take_checked(d, e->checked, msg);
    case MSG_STALE:
        return take_stale(d, e->stale, msg);
    case MSG_REPORT_PAGE:
        return take_report_page(d, e->report_page, msg);
    case MSG_ORPHAN:
        return take_report_page(d, e->orphan, msg);
    case MSG_CUT_RESULT:
        return take_cut_result(d, e->cut_result, msg);
    case MSG_FOUND:
        return take_found(d, e->found, msg);
    case MSG_QUERY:
    case MSG_FIND:
        return true;
    }
    UNREACHABLE();
}

bool take_msg(struct decoder *d, const Settle__V1__Envelope *envelope, struct msg *ret_msg)
{
    ret_msg->kind = (enum msg_kind)envelope->body_case;
    if (take_header(d, envelope->header, ret_msg) && take_body(d, envelope, ret_msg))
        return true;
    return take_fail_in(d, msg_kind_name(ret_msg->kind));
}
