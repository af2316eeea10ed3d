/*
 * The commit protocol's messages, written: the other half of codec_commit.c.
 */
#include "base/assert.h"
#include "wire/internal.h"

static bool put_seal(struct arena *scratch, const struct msg *msg, Settle__V1__Seal **ret_message)
{
    if (!NEW(scratch, *ret_message, settle__v1__seal__init))
        return false;
    PUT_16(*ret_message, guid, &msg->seal.guid);
    return true;
}

static bool put_prepare(struct arena *scratch, const struct msg *msg, Settle__V1__Envelope *e)
{
    Settle__V1__Prepare *m;

    if (!NEW(scratch, m, settle__v1__prepare__init))
        return false;
    ASSERT(msg->prepare.party_count > 0 && msg->prepare.branch.size <= BRANCH_SIZE_MAX);
    PUT(m, protocol, (Settle__V1__Protocol)msg->prepare.protocol);
    PUT(m, branch, pb_bytes(msg->prepare.branch.bytes, msg->prepare.branch.size));
    m->n_party = msg->prepare.party_count;
    e->prepare = m;
    return put_parties(scratch, msg->prepare.parties, msg->prepare.party_count, &m->party);
}

static bool put_check(struct arena *scratch, const struct msg *msg, Settle__V1__Envelope *e)
{
    ASSERT(msg->check.branch.size <= BRANCH_SIZE_MAX);
    if (!NEW(scratch, e->check, settle__v1__check__init))
        return false;
    PUT(e->check, branch, pb_bytes(msg->check.branch.bytes, msg->check.branch.size));
    return true;
}

static bool put_commit(struct arena *scratch, const struct msg *msg, Settle__V1__Envelope *e)
{
    if (!NEW(scratch, e->commit, settle__v1__commit__init))
        return false;
    PUT(e->commit, timestamp, msg->commit.timestamp);
    return true;
}

static bool put_abort(struct arena *scratch, const struct msg *msg, Settle__V1__Abort **ret_message)
{
    if (!NEW(scratch, *ret_message, settle__v1__abort__init))
        return false;
    PUT_NONZERO(*ret_message, reason, (uint32_t)msg->abort.reason);
    return true;
}

static bool put_end(struct arena *scratch, const struct msg *msg, Settle__V1__Envelope *e)
{
    if (!NEW(scratch, e->end, settle__v1__end__init))
        return false;
    ASSERT(msg->end.exception_count <= END_EXCEPTIONS_MAX);
    PUT(e->end, watermark, msg->end.watermark);
    e->end->n_exception = msg->end.exception_count;
    e->end->exception = arena_alloc(scratch, sizeof(uint64_t) * msg->end.exception_count);
    if (!e->end->exception)
        return false;
    if (msg->end.exception_count > 0)
        memcpy(e->end->exception, msg->end.exceptions, sizeof(uint64_t) * msg->end.exception_count);
    return true;
}

static bool put_report(struct arena *scratch, const struct msg *msg, Settle__V1__Envelope *e)
{
    if (!NEW(scratch, e->report, settle__v1__report__init))
        return false;
    PUT_NONZERO(e->report, cursor, msg->report.cursor);
    PUT_NONZERO(e->report, count, msg->report.count);
    PUT_NONZERO(e->report, hash, msg->report.hash);
    return true;
}

static bool put_cut(struct arena *scratch, const struct msg *msg, Settle__V1__Envelope *e)
{
    if (!NEW(scratch, e->cut, settle__v1__cut__init))
        return false;
    PUT(e->cut, number, msg->cut.number);
    PUT(e->cut, timestamp, msg->cut.timestamp);
    PUT_NONZERO(e->cut, wait_ms, msg->cut.wait_ms);
    return true;
}

static bool put_record(struct arena *scratch, const struct msg *msg, Settle__V1__Envelope *e)
{
    Settle__V1__Record *m;

    if (!NEW(scratch, m, settle__v1__record__init))
        return false;
    ASSERT(msg->record.net_count <= NETS_MAX);
    PUT(m, to, msg->record.to);
    PUT(m, answer, (Settle__V1__Answer)msg->record.answer);
    PUT_NONZERO(m, state, (Settle__V1__TxnState)msg->record.state);
    PUT_NONZERO(m, reason, (uint32_t)msg->record.reason);
    PUT_NONZERO(m, first_epoch, msg->record.first.epoch);
    PUT_NONZERO(m, first_sequence, msg->record.first.sequence);
    PUT_NONZERO(m, timestamp, msg->record.timestamp);
    m->n_net = msg->record.net_count;
    e->record = m;
    return put_nets(scratch, msg->record.nets, msg->record.net_count, &m->net);
}

static bool put_checked(struct arena *scratch, const struct msg *msg, Settle__V1__Envelope *e)
{
    if (!NEW(scratch, e->checked, settle__v1__checked__init))
        return false;
    PUT(e->checked, holds, msg->checked.holds);
    PUT_NONZERO(e->checked, reason, (uint32_t)msg->checked.reason);
    return true;
}

static bool put_stale(struct arena *scratch, const struct msg *msg, Settle__V1__Envelope *e)
{
    if (!NEW(scratch, e->stale, settle__v1__stale__init))
        return false;
    PUT(e->stale, to, msg->stale.to);
    PUT_NONZERO(e->stale, sealed_epoch, msg->stale.sealed_epoch);
    PUT_16_NONZERO(e->stale, sealed_guid, &msg->stale.sealed_guid);
    return true;
}

static bool put_named(struct arena *scratch, const struct named_txn *named,
                      Settle__V1__NamedTxn *ret_message)
{
    settle__v1__named_txn__init(ret_message);
    PUT_16(ret_message, id, &named->id);
    PUT_16(ret_message, digest, &named->digest);
    PUT(ret_message, protocol, (Settle__V1__Protocol)named->protocol);
    ret_message->n_party = named->party_count;
    return put_parties(scratch, named->parties, named->party_count, &ret_message->party);
}

static bool put_report_page(struct arena *scratch, const struct msg *msg,
                            Settle__V1__ReportPage **ret_message)
{
    Settle__V1__NamedTxn *named;
    Settle__V1__ReportPage *m;

    if (!NEW(scratch, m, settle__v1__report_page__init))
        return false;
    ASSERT(msg->report_page.named_count <= REPORT_PAGE_MAX);
    PUT_NONZERO(m, next, msg->report_page.next);
    PUT_NONZERO(m, count, msg->report_page.count);
    PUT_NONZERO(m, hash, msg->report_page.hash);
    *ret_message = m;
    m->n_named = msg->report_page.named_count;
    named = put_room(scratch, m->n_named, sizeof(*named), &m->named);
    if (!named)
        return false;
    for (size_t i = 0; i < m->n_named; i++) {
        if (!put_named(scratch, &msg->report_page.named[i], &named[i]))
            return false;
    }
    return true;
}

static bool put_doubts(struct arena *scratch, const struct msg *msg, Settle__V1__CutResult *m)
{
    Settle__V1__CutDoubt *doubts;

    ASSERT(msg->cut_result.doubt_count <= CUT_DOUBTS_MAX);
    m->n_doubt = msg->cut_result.doubt_count;
    doubts = put_room(scratch, m->n_doubt, sizeof(*doubts), &m->doubt);
    if (!doubts)
        return false;
    for (size_t i = 0; i < m->n_doubt; i++) {
        const struct cut_doubt *doubt = &msg->cut_result.doubts[i];

        settle__v1__cut_doubt__init(&doubts[i]);
        PUT_16(&doubts[i], id, &doubt->id);
        PUT_16(&doubts[i], digest, &doubt->digest);
        ASSERT(doubt->net_count <= NETS_MAX);
        doubts[i].n_net = doubt->net_count;
        if (!put_nets(scratch, doubt->nets, doubt->net_count, &doubts[i].net))
            return false;
    }
    return true;
}

static bool put_cut_result(struct arena *scratch, const struct msg *msg, Settle__V1__Envelope *e)
{
    Settle__V1__CutResult *m;

    if (!NEW(scratch, m, settle__v1__cut_result__init))
        return false;
    PUT(m, number, msg->cut_result.number);
    PUT_NONZERO(m, timestamp, msg->cut_result.timestamp);
    PUT(m, status, (Settle__V1__CutStatus)msg->cut_result.status);
    if (msg->cut_result.more_doubts)
        PUT(m, more_doubts, true);
    m->n_total = msg->cut_result.total_count;
    e->cut_result = m;
    return put_nets(scratch, msg->cut_result.totals, msg->cut_result.total_count, &m->total) &&
           put_doubts(scratch, msg, m);
}

static bool put_found(struct arena *scratch, const struct msg *msg, Settle__V1__Envelope *e)
{
    Settle__V1__Found *m;

    if (!NEW(scratch, m, settle__v1__found__init))
        return false;
    PUT(m, state, (Settle__V1__TxnState)msg->found.state);
    PUT_NONZERO(m, reason, (uint32_t)msg->found.reason);
    PUT_NONZERO(m, timestamp, msg->found.timestamp);
    PUT_NONZERO(m, protocol, (Settle__V1__Protocol)msg->found.protocol);
    m->n_party = msg->found.party_count;
    e->found = m;
    return put_parties(scratch, msg->found.parties, msg->found.party_count, &m->party);
}

static bool put_body(struct arena *scratch, const struct msg *msg, Settle__V1__Envelope *e)
{
    switch (msg->kind) {
    case MSG_SEAL:
        return put_seal(scratch, msg, &e->seal);
    case MSG_SEALED:
        return put_seal(scratch, msg, &e->sealed);
    case MSG_PREPARE:
        return put_prepare(scratch, msg, e);
    case MSG_CHECK:
        return put_check(scratch, msg, e);
    case MSG_COMMIT:
        return put_commit(scratch, msg, e);
    case MSG_ABORT:
        return put_abort(scratch, msg, &e->abort);
    case MSG_ABORT_IF_MINE:
        return put_abort(scratch, msg, &e->abort_if_mine);
    case MSG_QUERY:
        return NEW(scratch, e->query, settle__v1__query__init);
    case MSG_END:
        return put_end(scratch, msg, e);
    case MSG_REPORT:
        return put_report(scratch, msg, e);
    case MSG_CUT:
        return put_cut(scratch, msg, e);
    case MSG_FIND:
        return NEW(scratch, e->find, settle__v1__find__init);
    case MSG_RECORD:
        return put_record(scratch, msg, e);
    case MSG_CHECKED:
        return put_checked(scratch, msg, e);
    case MSG_STALE:
        return put_stale(scratch, msg, e);
    case MSG_REPORT_PAGE:
        return put_report_page(scratch, msg, &e->report_page);
    case MSG_ORPHAN:
        return put_report_page(scratch, msg, &e->orphan);
    case MSG_CUT_RESULT:
        return put_cut_result(scratch, msg, e);
    case MSG_FOUND:
        return put_found(scratch, msg, e);
    }
    UNREACHABLE();
}

bool put_msg(struct arena *scratch, const struct msg *msg, Settle__V1__Envelope *ret_envelope)
{
    Settle__V1__Header *header;

    if (!NEW(scratch, header, settle__v1__header__init))
        return false;
    ASSERT(msg->group < GROUPS_MAX);
    PUT_NONZERO(header, group, msg->group);
    PUT_NONZERO(header, epoch, msg->tag.epoch);
    PUT_NONZERO(header, sequence, msg->tag.sequence);
    PUT_16_NONZERO(header, id, &msg->id);
    PUT_16_NONZERO(header, digest, &msg->digest);
    ret_envelope->header = header;
    ret_envelope->body_case = (Settle__V1__Envelope__BodyCase)msg->kind;
    return put_body(scratch, msg, ret_envelope);
}
