/*
 * Envelopes: the commit protocol's, Hello's and the client's.
 */
#include "base/assert.h"
#include "support/wire_samples_internal.h"

/* Every kind of envelope; `what` is a msg_kind, an admin_op or an admin_body. */
static const struct {
    const char *name;
    enum wire_kind kind;
    int what;
} kinds[] = {
#define X(symbol, number, name) {"msg_" name, WIRE_MSG, symbol},
    MSG_KINDS(X)
#undef X
        {"hello", WIRE_HELLO, 0},
    {"welcome", WIRE_WELCOME, 0},
    {"refused", WIRE_REFUSED, 0},
    {"submit", WIRE_SUBMIT, 0},
    {"submit_result", WIRE_SUBMIT_RESULT, 0},
    {"outcome_request", WIRE_OUTCOME_REQUEST, 0},
    {"request_account_create", WIRE_ADMIN_REQUEST, ADMIN_ACCOUNT_CREATE},
    {"request_account_set", WIRE_ADMIN_REQUEST, ADMIN_ACCOUNT_SET},
    {"request_account_close", WIRE_ADMIN_REQUEST, ADMIN_ACCOUNT_CLOSE},
    {"request_account_show", WIRE_ADMIN_REQUEST, ADMIN_ACCOUNT_SHOW},
    {"request_account_list", WIRE_ADMIN_REQUEST, ADMIN_ACCOUNT_LIST},
    {"request_statement", WIRE_ADMIN_REQUEST, ADMIN_STATEMENT},
    {"request_participant_status", WIRE_ADMIN_REQUEST, ADMIN_PARTICIPANT_STATUS},
    {"request_txn_list", WIRE_ADMIN_REQUEST, ADMIN_TXN_LIST},
    {"request_txn_show", WIRE_ADMIN_REQUEST, ADMIN_TXN_SHOW},
    {"request_status", WIRE_ADMIN_REQUEST, ADMIN_STATUS},
    {"request_cluster", WIRE_ADMIN_REQUEST, ADMIN_CLUSTER},
    {"request_audit", WIRE_ADMIN_REQUEST, ADMIN_AUDIT},
    {"response_none", WIRE_ADMIN_RESPONSE, ADMIN_BODY_NONE},
    {"response_accounts", WIRE_ADMIN_RESPONSE, ADMIN_BODY_ACCOUNTS},
    {"response_statement", WIRE_ADMIN_RESPONSE, ADMIN_BODY_STATEMENT},
    {"response_participant_status", WIRE_ADMIN_RESPONSE, ADMIN_BODY_PARTICIPANT_STATUS},
    {"response_txns", WIRE_ADMIN_RESPONSE, ADMIN_BODY_TXNS},
    {"response_txn", WIRE_ADMIN_RESPONSE, ADMIN_BODY_TXN},
    {"response_status", WIRE_ADMIN_RESPONSE, ADMIN_BODY_STATUS},
    {"response_cluster", WIRE_ADMIN_RESPONSE, ADMIN_BODY_CLUSTER},
    {"response_audit", WIRE_ADMIN_RESPONSE, ADMIN_BODY_AUDIT},
};

size_t sample_envelope_count(void)
{
    return sizeof(kinds) / sizeof(kinds[0]);
}

static void sample_named(struct sampler *s, struct msg *msg)
{
    uint16_t count = sample_count(s, REPORT_PAGE_MAX);
    struct named_txn *named = sample_room(s, count, sizeof(*named));

    for (uint16_t i = 0; i < count; i++) {
        sample_16(s, named[i].id.bytes);
        sample_16(s, named[i].digest.bytes);
        named[i].protocol = PROTOCOL_2PC;
        named[i].parties = sample_parties(s, &named[i].party_count);
    }
    msg->report_page.next = sample_u32(s);
    msg->report_page.count = sample_u32(s);
    msg->report_page.hash = sample_u64(s);
    msg->report_page.named = named;
    msg->report_page.named_count = count;
}

static void sample_cut_result(struct sampler *s, struct msg *msg)
{
    uint16_t count = sample_count(s, CUT_DOUBTS_MAX);
    struct cut_doubt *doubts = sample_room(s, count, sizeof(*doubts));

    for (uint16_t i = 0; i < count; i++) {
        sample_16(s, doubts[i].id.bytes);
        sample_16(s, doubts[i].digest.bytes);
        doubts[i].nets = sample_nets(s, NETS_MAX, &doubts[i].net_count);
    }
    msg->cut_result.number = sample_u64(s);
    msg->cut_result.timestamp = sample_u64(s);
    msg->cut_result.status = (enum cut_status)sample_one_of(s, CUT_REPORTED, CUT_BUSY);
    msg->cut_result.totals = sample_nets(s, CURRENCIES_MAX, &msg->cut_result.total_count);
    msg->cut_result.doubts = doubts;
    msg->cut_result.doubt_count = count;
    msg->cut_result.more_doubts = true;
}

static void sample_end(struct sampler *s, struct msg *msg)
{
    uint16_t count = sample_count(s, END_EXCEPTIONS_MAX);
    uint64_t *exceptions = sample_room(s, count, sizeof(*exceptions));

    for (uint16_t i = 0; i < count; i++)
        exceptions[i] = 7 + 2 * (uint64_t)i;
    msg->end.watermark = 1000;
    msg->end.exceptions = exceptions;
    msg->end.exception_count = count;
}

static void sample_request_msg(struct sampler *s, struct msg *msg)
{
    switch ((int)msg->kind) {
    case MSG_SEAL:
    case MSG_SEALED:
        sample_16(s, msg->seal.guid.bytes);
        break;
    case MSG_PREPARE:
        msg->prepare.protocol = PROTOCOL_2PC;
        msg->prepare.parties = sample_parties(s, &msg->prepare.party_count);
        sample_blob(s, &msg->prepare.branch);
        break;
    case MSG_CHECK:
        sample_blob(s, &msg->check.branch);
        break;
    case MSG_COMMIT:
        msg->commit.timestamp = sample_u64(s);
        break;
    case MSG_ABORT:
    case MSG_ABORT_IF_MINE:
        msg->abort.reason = sample_reason(s);
        break;
    case MSG_END:
        sample_end(s, msg);
        break;
    case MSG_REPORT:
        msg->report.cursor = sample_u32(s);
        msg->report.count = sample_u32(s);
        msg->report.hash = sample_u64(s);
        break;
    case MSG_CUT:
        msg->cut.number = sample_u64(s);
        msg->cut.timestamp = sample_u64(s);
        msg->cut.wait_ms = sample_u32(s);
        break;
    default: /* QUERY and FIND are their header */
        break;
    }
}

static void sample_answer_msg(struct sampler *s, struct msg *msg)
{
    switch ((int)msg->kind) {
    case MSG_RECORD:
        msg->record.to = MSG_PREPARE;
        msg->record.answer = ANSWER_RECORD;
        msg->record.state = STATE_PREPARED;
        msg->record.reason = sample_reason(s);
        msg->record.first = (struct tag){sample_u64(s), sample_u64(s)};
        msg->record.timestamp = sample_u64(s);
        msg->record.nets = sample_nets(s, NETS_MAX, &msg->record.net_count);
        break;
    case MSG_CHECKED:
        msg->checked.holds = true;
        msg->checked.reason = sample_reason(s);
        break;
    case MSG_STALE:
        msg->stale.to = MSG_COMMIT;
        msg->stale.sealed_epoch = sample_u64(s);
        sample_16(s, msg->stale.sealed_guid.bytes);
        break;
    case MSG_REPORT_PAGE:
    case MSG_ORPHAN:
        sample_named(s, msg);
        break;
    case MSG_CUT_RESULT:
        sample_cut_result(s, msg);
        break;
    case MSG_FOUND:
        msg->found.state = STATE_PREPARED;
        msg->found.reason = sample_reason(s);
        msg->found.timestamp = sample_u64(s);
        msg->found.protocol = PROTOCOL_2PC;
        msg->found.parties = sample_parties(s, &msg->found.party_count);
        break;
    default: /* SEALED was made with the requests */
        break;
    }
}

static void sample_hello(struct sampler *s, struct hello *hello)
{
    hello->version = PROTOCOL_VERSION;
    sample_node(s, 1, &hello->cluster);
    sample_16(s, hello->cluster_guid.bytes);
    sample_node(s, 2, &hello->node);
    hello->role = HELLO_PARTICIPANT;
    sample_16(s, hello->store.bytes);
    hello->incarnation = sample_u64(s);
    hello->groups = (uint16_t)sample_one_of(s, 1, GROUPS_MAX);
    sample_16(s, hello->process.bytes);
}

static void sample_submit(struct sampler *s, struct submit *submit)
{
    uint16_t voters = sample_count(s, PARTICIPANTS_MAX), readers = sample_count(s, READERS_MAX);
    struct submit_branch *branches = sample_room(s, (size_t)voters + readers, sizeof(*branches));

    for (uint16_t i = 0; i < voters + readers; i++) {
        sample_node(s, i, &branches[i].node);
        sample_blob(s, &branches[i].branch);
        branches[i].read_only = i >= voters;
    }
    sample_16(s, submit->id.bytes);
    submit->id.bytes[6] = (uint8_t)((submit->id.bytes[6] & 0x0f) | 0x70);
    submit->id.bytes[8] = (uint8_t)((submit->id.bytes[8] & 0x3f) | 0x80);
    submit->protocol = PROTOCOL_2PC;
    submit->deadline_ms = (uint32_t)sample_one_of(s, 1, DEADLINE_MAX_MS);
    submit->branches = branches;
    submit->branch_count = (uint16_t)(voters + readers);
}

void sample_redirect(struct sampler *s, struct redirect *ret_redirect)
{
    ret_redirect->group = sample_group(s);
    sample_node(s, 3, &ret_redirect->node);
    sample_address(s, ret_redirect->address);
    ret_redirect->epoch = sample_u64(s);
}

static void sample_submit_result(struct sampler *s, struct submit_result *result)
{
    sample_16(s, result->id.bytes);
    result->outcome = (enum submit_outcome)sample_one_of(s, OUTCOME_COMMITTED, OUTCOME_REFUSED);
    result->reason = sample_reason(s);
    result->timestamp = sample_u64(s);
    sample_node(s, 4, &result->participant);
    result->has_redirect = true;
    sample_redirect(s, &result->redirect);
}

static void sample_msg(struct sampler *s, enum msg_kind kind, struct msg *msg)
{
    msg->kind = kind;
    msg->group = sample_group(s);
    msg->tag = (struct tag){sample_u64(s), sample_u64(s)};
    sample_16(s, msg->id.bytes);
    sample_16(s, msg->digest.bytes);
    sample_request_msg(s, msg);
    sample_answer_msg(s, msg);
}

const char *sample_envelope(struct sampler *s, size_t index, struct envelope *ret_envelope)
{
    struct envelope *e = ret_envelope;

    memset(e, 0, sizeof(*e));
    e->kind = kinds[index].kind;
    if (e->kind >= WIRE_SUBMIT)
        e->request = sample_u64(s);
    switch (e->kind) {
    case WIRE_MSG:
        sample_msg(s, (enum msg_kind)kinds[index].what, &e->msg);
        break;
    case WIRE_HELLO:
    case WIRE_WELCOME:
        sample_hello(s, &e->hello);
        break;
    case WIRE_REFUSED:
        e->refused.code = (enum refused_code)sample_one_of(s, REFUSED_VERSION, REFUSED_NOT_READY);
        sample_text(s, TEXT_SIZE, e->refused.text);
        break;
    case WIRE_SUBMIT:
        sample_submit(s, &e->submit);
        break;
    case WIRE_SUBMIT_RESULT:
        sample_submit_result(s, &e->submit_result);
        break;
    case WIRE_OUTCOME_REQUEST:
        sample_16(s, e->outcome_request.id.bytes);
        e->outcome_request.deadline_ms = (uint32_t)sample_one_of(s, 1, DEADLINE_MAX_MS);
        break;
    case WIRE_ADMIN_REQUEST:
        sample_admin_request(s, (enum admin_op)kinds[index].what, &e->admin_request);
        break;
    case WIRE_ADMIN_RESPONSE:
        sample_admin_response(s, (enum admin_body)kinds[index].what, &e->admin_response);
        break;
    }
    return kinds[index].name;
}
