/*
 * Envelopes: which message it is, and who may send it. The themes are in codec_*.c.
 */
#include "base/assert.h"
#include "wire/internal.h"

/* The kind of a body's number: 0 when this release knows none such. */
static enum wire_kind kind_of(Settle__V1__Envelope__BodyCase body)
{
    switch ((int)body) {
#define X(symbol, number, name) case symbol:
        MSG_KINDS(X)
#undef X
        return WIRE_MSG;
    case WIRE_HELLO:
    case WIRE_WELCOME:
    case WIRE_REFUSED:
    case WIRE_SUBMIT:
    case WIRE_SUBMIT_RESULT:
    case WIRE_OUTCOME_REQUEST:
    case WIRE_ADMIN_REQUEST:
    case WIRE_ADMIN_RESPONSE:
        return (enum wire_kind)body;
    default:
        return (enum wire_kind)0;
    }
}

static bool is_numbered(enum wire_kind kind)
{
    return kind >= WIRE_SUBMIT;
}

static bool take_envelope(struct decoder *d, const Settle__V1__Envelope *m,
                          struct envelope *envelope)
{
    envelope->kind = kind_of(m->body_case);
    if (is_numbered(envelope->kind) && !take_u64(d, UINT(m, request), NEEDED, &envelope->request))
        return false;
    switch (envelope->kind) {
    case WIRE_MSG:
        return take_msg(d, m, &envelope->msg);
    case WIRE_HELLO:
        return take_hello(d, m->hello, &envelope->hello);
    case WIRE_WELCOME:
        return take_hello(d, m->welcome, &envelope->hello);
    case WIRE_REFUSED:
        return take_refused(d, m->refused, &envelope->refused);
    case WIRE_SUBMIT:
        return take_submit(d, m->submit, &envelope->submit);
    case WIRE_SUBMIT_RESULT:
        return take_submit_result(d, m->submit_result, &envelope->submit_result);
    case WIRE_OUTCOME_REQUEST:
        return take_outcome_request(d, m->outcome_request, &envelope->outcome_request);
    case WIRE_ADMIN_REQUEST:
        return take_admin_request(d, m->admin_request, &envelope->admin_request);
    case WIRE_ADMIN_RESPONSE:
        return take_admin_response(d, m->admin_response, &envelope->admin_response);
    }
    return take_fail(d, "envelope", "has no body of a kind this release knows");
}

int wire_decode(struct arena *arena, const uint8_t *payload, size_t size,
                struct envelope *ret_envelope, struct err *err)
{
    struct decoder d = {.arena = arena, .err = err, .bad = ERR_PROTOCOL};
    size_t mark = arena_mark(arena);
    const Settle__V1__Envelope *m = wire_unpack(&d, &settle__v1__envelope__descriptor, payload,
                                                size, "envelope");
    struct envelope envelope;

    memset(&envelope, 0, sizeof(envelope));
    if (!m || !take_envelope(&d, m, &envelope)) {
        ASSERT(d.code != 0);
        arena_rewind(arena, mark);
        return d.code;
    }
    *ret_envelope = envelope;
    return 0;
}

static bool put_envelope(struct arena *scratch, const struct envelope *envelope,
                         Settle__V1__Envelope *m)
{
    if (is_numbered(envelope->kind)) {
        ASSERT(envelope->request > 0);
        PUT(m, request, envelope->request);
    }
    m->body_case = (Settle__V1__Envelope__BodyCase)envelope->kind;
    switch (envelope->kind) {
    case WIRE_MSG:
        return put_msg(scratch, &envelope->msg, m);
    case WIRE_HELLO:
        return put_hello(scratch, &envelope->hello, &m->hello);
    case WIRE_WELCOME:
        return put_hello(scratch, &envelope->hello, &m->welcome);
    case WIRE_REFUSED:
        return put_refused(scratch, &envelope->refused, &m->refused);
    case WIRE_SUBMIT:
        return put_submit(scratch, &envelope->submit, &m->submit);
    case WIRE_SUBMIT_RESULT:
        return put_submit_result(scratch, &envelope->submit_result, &m->submit_result);
    case WIRE_OUTCOME_REQUEST:
        return put_outcome_request(scratch, &envelope->outcome_request, &m->outcome_request);
    case WIRE_ADMIN_REQUEST:
        return put_admin_request(scratch, &envelope->admin_request, &m->admin_request);
    case WIRE_ADMIN_RESPONSE:
        return put_admin_response(scratch, &envelope->admin_response, &m->admin_response);
    }
    UNREACHABLE();
}

int wire_encode(struct arena *scratch, const struct envelope *envelope, uint8_t *out, size_t size)
{
    Settle__V1__Envelope m = SETTLE__V1__ENVELOPE__INIT;
    size_t mark = arena_mark(scratch);
    size_t room = size < FRAME_HEADER_SIZE ? 0 : size - FRAME_HEADER_SIZE;
    int payload_size = ERR_FULL;

    if (room > FRAME_SIZE_MAX)
        room = FRAME_SIZE_MAX;
    if (put_envelope(scratch, envelope, &m))
        payload_size = wire_pack(&m.base, out + FRAME_HEADER_SIZE, room);
    arena_rewind(scratch, mark);
    if (payload_size < 0)
        return payload_size;
    frame_header(out, (size_t)payload_size);
    return FRAME_HEADER_SIZE + payload_size;
}

bool wire_may_send(enum hello_role from, enum hello_role to, const struct envelope *envelope)
{
    bool to_bank = from == HELLO_COORDINATOR && to == HELLO_PARTICIPANT;
    bool from_bank = from == HELLO_PARTICIPANT && to == HELLO_COORDINATOR;
    bool from_client = from == HELLO_CLIENT && to == HELLO_COORDINATOR;
    bool to_client = from == HELLO_COORDINATOR && to == HELLO_CLIENT;

    switch (envelope->kind) {
    case WIRE_MSG: /* requests are numbered below their answers */
        return envelope->msg.kind < MSG_SEALED ? to_bank : from_bank;
    case WIRE_SUBMIT:
    case WIRE_OUTCOME_REQUEST:
        return from_client;
    case WIRE_SUBMIT_RESULT:
        return to_client;
    case WIRE_HELLO:
    case WIRE_ADMIN_REQUEST:
        return to_bank || from_client;
    case WIRE_WELCOME:
    case WIRE_REFUSED:
    case WIRE_ADMIN_RESPONSE:
        return from_bank || to_client;
    }
    return false;
}

const char *wire_kind_name(const struct envelope *envelope)
{
    switch (envelope->kind) {
    case WIRE_MSG:
        return msg_kind_name(envelope->msg.kind);
    case WIRE_HELLO:
        return "hello";
    case WIRE_WELCOME:
        return "welcome";
    case WIRE_REFUSED:
        return "refused";
    case WIRE_SUBMIT:
        return "submit";
    case WIRE_SUBMIT_RESULT:
        return "submit_result";
    case WIRE_OUTCOME_REQUEST:
        return "outcome_request";
    case WIRE_ADMIN_REQUEST:
        return "admin_request";
    case WIRE_ADMIN_RESPONSE:
        return "admin_response";
    }
    return "unknown";
}
