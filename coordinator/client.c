/*
 * Clients: Hello first, then Submits, questions and operators' requests.
 *
 * What is wrong with a Submit is found at the door, before anything is asked of anybody: its form,
 * its branches, its balance, its participants. Only then does the core hear of it.
 */
#include "coordinator.h"

#include "base/assert.h"
#include "base/currency.h"
#include "runtime/fault.h"
#include "runtime/log.h"

#include <stdio.h>

/* ---- Hello ---- */

static void refuse_hello(struct client *client, struct conn *conn, enum refused_code code,
                         const char *text)
{
    struct envelope envelope;

    memset(&envelope, 0, sizeof(envelope));
    envelope.kind = WIRE_REFUSED;
    envelope.refused.code = code;
    snprintf(envelope.refused.text, sizeof(envelope.refused.text), "%s", text);
    if (log_admits(&client->c->stranger_lines, loop_now_ms(client->c->loop)))
        log_line(LOG_WARN, "a Hello is refused", "peer=%s reason=%s", conn_peer_text(conn), text);
    drive_send(client->c, client->handle, &envelope);
    conn_finish(conn, ERR_REFUSED, "%s", text);
}

static void on_hello(struct client *client, struct conn *conn, const struct hello *hello)
{
    struct coordinator *c = client->c;
    struct envelope envelope;
    struct refused refused;

    memset(&envelope, 0, sizeof(envelope));
    envelope.kind = WIRE_WELCOME;
    coordinator_hello(c, &envelope.hello);
    if (hello_check(&envelope.hello, hello, &refused) != 0) {
        refuse_hello(client, conn, refused.code, refused.text);
    } else if (hello->role != HELLO_CLIENT) {
        refuse_hello(client, conn, REFUSED_ROLE, "a coordinator serves clients only");
    } else if (!c->coord) {
        refuse_hello(client, conn, REFUSED_NOT_READY,
                     "the coordinator does not know its cluster yet");
    } else {
        client->greeted = true;
        conn_greeted(conn);
        drive_send(c, client->handle, &envelope);
    }
}

/* ---- Submit ---- */

/* Sums per currency over all branches of a Submit. */
struct balance {
    struct currency currencies[NETS_MAX];
    int128 sums[NETS_MAX];
    uint16_t count;
    uint32_t legs;
};

static enum reason balance_add(struct balance *balance, const struct posting *posting)
{
    uint16_t at = 0;

    while (at < balance->count && !currency_equal(&balance->currencies[at], &posting->currency))
        at++;
    if (at == NETS_MAX)
        return REASON_LIMIT;
    if (at == balance->count) {
        if (!currency_find(posting->currency.code))
            return REASON_CURRENCY_UNKNOWN;
        balance->currencies[at] = posting->currency;
        balance->sums[at] = 0;
        balance->count++;
    }
    balance->sums[at] += posting->side == SIDE_CREDIT ? posting->amount : -(int128)posting->amount;
    return REASON_NONE;
}

static enum reason check_branch(struct coordinator *c, const struct submit_branch *branch,
                                struct balance *balance)
{
    enum reason reason;

    arena_reset(&c->scratch);
    reason = branch_decode(&c->scratch, branch->branch.bytes, branch->branch.size, &c->branch,
                           NULL);
    if (reason != REASON_NONE)
        return reason;
    if (branch->read_only != (c->branch.posting_count == 0))
        return REASON_MALFORMED; /* a voter moves money, a reader does not */
    balance->legs += c->branch.posting_count;
    for (uint16_t i = 0; i < c->branch.posting_count && reason == REASON_NONE; i++)
        reason = balance_add(balance, &c->branch.postings[i]);
    return reason;
}

/* Everything about a Submit that this process can see by itself. */
static enum reason check_submit(struct coordinator *c, const struct submit *submit)
{
    struct balance balance = {.count = 0};
    enum reason reason = submit_check(submit, NULL);

    for (uint16_t i = 0; i < submit->branch_count && reason == REASON_NONE; i++)
        reason = check_branch(c, &submit->branches[i], &balance);
    if (reason != REASON_NONE)
        return reason;
    if (balance.legs > LEGS_MAX)
        return REASON_LEGS;
    for (uint16_t i = 0; i < balance.count; i++) {
        if (balance.sums[i] != 0) /* R4: and the votes' nets are summed again */
            return REASON_UNBALANCED;
    }
    if (memcmp(&submit->id, &c->config.oldest_id, sizeof(submit->id)) < 0)
        return REASON_TOO_OLD; /* R10 */
    if (submit->protocol == PROTOCOL_3PC)
        return REASON_PROTOCOL;
    return REASON_NONE;
}

static void on_submit(struct client *client, const struct envelope *envelope)
{
    struct coordinator *c = client->c;
    const struct submit *submit = &envelope->submit;
    struct waiter waiter = {.client = client->handle, .request = envelope->request};
    uint16_t group = id_group(&submit->id, c->config.groups);
    enum reason reason = check_submit(c, submit);
    struct outcome told;
    struct event ev;

    if (reason == REASON_NONE && c->draining)
        reason = REASON_DRAINING;
    if (reason == REASON_NONE && !coord_leads(c->coord, group, NULL, NULL))
        reason = REASON_NOT_LEADER;
    if (reason != REASON_NONE) {
        drive_refuse(c, waiter, &submit->id, reason);
        return;
    }
    ev = drive_event_of(c, EV_SUBMIT);
    ev.submit.waiter = waiter;
    ev.submit.id = submit->id;
    ev.submit.digest = submit_digest(submit);
    ev.submit.protocol = submit->protocol;
    ev.submit.deadline_ms = submit->deadline_ms;
    ev.submit.branches = submit->branches;
    ev.submit.branch_count = submit->branch_count;
    ev.submit.told = history_find(c, &submit->id, &told);
    (void)FAULT_POINT("submit_accepted");
    drive(c, &ev);
}

static void on_outcome_request(struct client *client, const struct envelope *envelope)
{
    struct coordinator *c = client->c;
    const struct outcome_request *request = &envelope->outcome_request;
    struct waiter waiter = {.client = client->handle, .request = envelope->request};
    struct outcome told;
    struct event ev;

    if (!id_is_v7(&request->id)) {
        drive_refuse(c, waiter, &request->id, REASON_ID_INVALID);
        return;
    }
    if (!coord_leads(c->coord, id_group(&request->id, c->config.groups), NULL, NULL)) {
        drive_refuse(c, waiter, &request->id, REASON_NOT_LEADER);
        return;
    }
    ev = drive_event_of(c, EV_OUTCOME);
    ev.outcome.waiter = waiter;
    ev.outcome.id = request->id;
    ev.outcome.deadline_ms = request->deadline_ms;
    ev.outcome.told = history_find(c, &request->id, &told);
    drive(c, &ev);
}

/* ---- the connection ---- */

static int on_payload(struct client *client, struct conn *conn, const struct blob *payload,
                      struct err *err)
{
    struct envelope envelope;
    struct waiter waiter;
    int rc;

    arena_reset(&client->c->arena);
    rc = wire_decode(&client->c->arena, payload->bytes, payload->size, &envelope, err);
    if (rc != 0)
        return rc;
    if (!client->greeted) {
        if (envelope.kind != WIRE_HELLO)
            return err_set(err, ERR_PROTOCOL, "%s came before Hello", wire_kind_name(&envelope));
        on_hello(client, conn, &envelope.hello);
        return 0;
    }
    if (!wire_may_send(HELLO_CLIENT, HELLO_COORDINATOR, &envelope) || envelope.kind == WIRE_HELLO)
        return err_set(err, ERR_PROTOCOL, "a client does not send %s", wire_kind_name(&envelope));
    waiter.client = client->handle;
    waiter.request = envelope.request;
    if (envelope.kind == WIRE_SUBMIT)
        on_submit(client, &envelope);
    else if (envelope.kind == WIRE_OUTCOME_REQUEST)
        on_outcome_request(client, &envelope);
    else if (envelope.admin_request.participant.text[0] != '\0')
        relay_request(client->c, waiter, &envelope.admin_request);
    else
        admin_on_request(client->c, waiter, &envelope.admin_request);
    return 0;
}

static ptrdiff_t on_data(struct conn *conn, void *ctx, const uint8_t *bytes, size_t size,
                         struct err *err)
{
    struct client *client = ctx;
    struct blob payload;
    size_t done = 0;

    while (client && conns_find(client->c->conns, client->handle)) {
        size_t max = client->greeted ? FRAME_SIZE_MAX : FRAME_SIZE_MAX_HELLO;
        size_t payload_size;
        int used = frame_next(bytes + done, size - done, max, &payload.bytes, &payload_size, err);
        int rc;

        if (used < 0)
            return used;
        if (used == 0)
            break;
        payload.size = (uint32_t)payload_size;
        rc = on_payload(client, conn, &payload, err);
        if (rc < 0)
            return rc;
        done += (size_t)used;
    }
    return (ptrdiff_t)done;
}

static void on_open(struct conn *conn, void *ctx)
{
    struct coordinator *c = ctx;

    for (uint32_t i = 0; i < c->options.client_max; i++) {
        struct client *client = &c->clients[i];

        if (client->handle != CONN_NONE)
            continue;
        client->c = c;
        client->handle = conn_handle(conn);
        client->greeted = false;
        conn_set_ctx(conn, client);
        return;
    }
    UNREACHABLE(); /* the listener's conn_max */
}

static void on_close(struct conn *conn, void *ctx, const struct err *err)
{
    struct client *client = ctx;

    if ((!client->greeted || err->code != ERR_CLOSED) &&
        log_admits(&client->c->stranger_lines, loop_now_ms(client->c->loop)))
        log_line(LOG_WARN, "a client's connection ended", "peer=%s reason=%s", conn_peer_text(conn),
                 err->text);
    client->handle = CONN_NONE;
}

const struct conn_ops client_conn_ops = {
    .on_open = on_open,
    .on_data = on_data,
    .on_close = on_close,
};
