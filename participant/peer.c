/*
 * Coordinators' connections: Hello first, then one frame after another into the turn.
 *
 * A coordinator process has one connection here: its new Hello closes its older one and what that
 * still had queued, never another process's, so that a leader that is only believed dead cannot cut
 * off the one that follows it. When the store is behind, frames stay in their connection's buffer
 * and it is no longer read; TCP makes the coordinator wait.
 */
#include "participant.h"

#include "base/assert.h"
#include "runtime/log.h"

#include <stdio.h>

static struct peer *peer_free_slot(struct participant *p)
{
    for (int i = 0; i < PARTICIPANT_PEERS_MAX; i++) {
        if (p->peers[i].handle == CONN_NONE)
            return &p->peers[i];
    }
    return NULL;
}

static struct peer *peer_of(struct participant *p, const struct conn *conn)
{
    for (int i = 0; i < PARTICIPANT_PEERS_MAX; i++) {
        if (p->peers[i].handle == conn_handle(conn))
            return &p->peers[i];
    }
    return NULL;
}

/* Straight to the connection: before Hello is accepted nothing rests on the log. */
static void send_now(struct participant *p, struct conn *conn, const struct envelope *envelope)
{
    uint8_t frame[4096];
    int size;

    arena_reset(&p->scratch);
    size = wire_encode(&p->scratch, envelope, frame, sizeof(frame));
    ASSERT(size > 0);
    conn_send(conn, frame, (size_t)size);
}

static void own_hello(const struct participant *p, struct hello *ret_hello)
{
    const struct store_identity *identity = store_identity(p->store);

    memset(ret_hello, 0, sizeof(*ret_hello));
    ret_hello->version = PROTOCOL_VERSION;
    ret_hello->cluster = p->options.cluster;
    ret_hello->cluster_guid = identity->cluster_guid;
    ret_hello->node = p->options.node;
    ret_hello->role = HELLO_PARTICIPANT;
    ret_hello->store = identity->store_id;
    ret_hello->incarnation = identity->incarnation;
    ret_hello->groups = identity->groups;
    ret_hello->process = p->process;
}

static void refuse(struct participant *p, struct conn *conn, enum refused_code code,
                   const char *text)
{
    struct envelope envelope;

    memset(&envelope, 0, sizeof(envelope));
    envelope.kind = WIRE_REFUSED;
    envelope.refused.code = code;
    snprintf(envelope.refused.text, sizeof(envelope.refused.text), "%s", text);
    if (log_admits(&p->stranger_lines, loop_now_ms(p->loop)))
        log_line(LOG_WARN, "a Hello is refused", "peer=%s reason=%s", conn_peer_text(conn), text);
    send_now(p, conn, &envelope);
    conn_finish(conn, ERR_REFUSED, "%s", text);
}

/* A new Hello of the same process supersedes its older connection. */
static void close_older(struct participant *p, const struct peer *peer)
{
    for (int i = 0; i < PARTICIPANT_PEERS_MAX; i++) {
        struct peer *other = &p->peers[i];
        struct conn *conn;

        if (other == peer || !other->greeted ||
            !guid_equal(&other->hello.process, &peer->hello.process))
            continue;
        conn = conns_find(p->conns, other->handle);
        if (conn)
            conn_close(conn, ERR_CLOSED, "superseded by a newer connection of %s",
                       peer->hello.node.text);
    }
}

static void on_hello(struct participant *p, struct peer *peer, struct conn *conn,
                     const struct hello *hello)
{
    struct envelope envelope;
    struct refused refused;
    struct hello own;

    own_hello(p, &own);
    if (hello_check(&own, hello, &refused) != 0) {
        refuse(p, conn, refused.code, refused.text);
        return;
    }
    if (hello->role != HELLO_COORDINATOR) {
        refuse(p, conn, REFUSED_ROLE, "a participant serves coordinators only; clients ask one");
        return;
    }
    if (!p->part) {
        refuse(p, conn, REFUSED_NOT_READY, "the participant does not know its cluster yet");
        return;
    }
    peer->hello = *hello;
    peer->greeted = true;
    close_older(p, peer);
    conn_greeted(conn);
    memset(&envelope, 0, sizeof(envelope));
    envelope.kind = WIRE_WELCOME;
    envelope.hello = own;
    send_now(p, conn, &envelope);
    log_line(LOG_INFO, "coordinator connected", "peer=%s node=%s", conn_peer_text(conn),
             hello->node.text);
}

/* One frame's payload. Returns 0, 1 when it cannot be taken now, or a negative error. */
static int on_payload(struct participant *p, struct peer *peer, struct conn *conn,
                      const struct blob *payload, struct err *err)
{
    struct envelope envelope;
    int rc;

    if (peer->greeted && !turn_has_room(p))
        return 1;
    arena_reset(&p->arena);
    rc = wire_decode(&p->arena, payload->bytes, payload->size, &envelope, err);
    if (rc != 0)
        return rc;
    if (!peer->greeted) {
        if (envelope.kind != WIRE_HELLO)
            return err_set(err, ERR_PROTOCOL, "%s came before Hello", wire_kind_name(&envelope));
        on_hello(p, peer, conn, &envelope.hello);
        return 0;
    }
    if (!wire_may_send(HELLO_COORDINATOR, HELLO_PARTICIPANT, &envelope) ||
        envelope.kind == WIRE_HELLO)
        return err_set(err, ERR_PROTOCOL, "a coordinator does not send %s",
                       wire_kind_name(&envelope));
    if (envelope.kind == WIRE_MSG) {
        envelope.msg.peer = peer->handle;
        turn_msg(p, &envelope.msg);
    } else {
        admin_on_request(p, peer->handle, &envelope);
    }
    return 0;
}

static ptrdiff_t on_data(struct conn *conn, void *ctx, const uint8_t *bytes, size_t size,
                         struct err *err)
{
    struct participant *p = ctx;
    struct peer *peer = peer_of(p, conn);
    struct blob payload;
    size_t done = 0;

    while (peer && peer->handle == conn_handle(conn)) {
        size_t max = peer->greeted ? FRAME_SIZE_MAX : FRAME_SIZE_MAX_HELLO;
        size_t payload_size;
        int used = frame_next(bytes + done, size - done, max, &payload.bytes, &payload_size, err);
        int rc;

        if (used < 0)
            return used;
        if (used == 0)
            break;
        payload.size = (uint32_t)payload_size;
        rc = on_payload(p, peer, conn, &payload, err);
        if (rc < 0)
            return rc;
        if (rc > 0) {
            peer->paused = true;
            p->any_paused = true;
            conn_pause(conn);
            break;
        }
        done += (size_t)used;
        if (!conns_find(p->conns, peer->handle)) /* closed while it was served */
            break;
    }
    return (ptrdiff_t)done;
}

static void on_open(struct conn *conn, void *ctx)
{
    struct participant *p = ctx;
    struct peer *peer = peer_free_slot(p);

    ASSERT(peer); /* the listener's conn_max */
    memset(peer, 0, sizeof(*peer));
    peer->handle = conn_handle(conn);
}

static void on_close(struct conn *conn, void *ctx, const struct err *err)
{
    struct participant *p = ctx;
    struct peer *peer = peer_of(p, conn);
    struct event ev;

    if (!peer)
        return;
    if (peer->greeted) {
        log_line(LOG_INFO, "coordinator disconnected", "peer=%s node=%s reason=%s",
                 conn_peer_text(conn), peer->hello.node.text, err->text);
        ev = turn_event_of(p, EV_LINK_DOWN);
        ev.link.peer = peer->handle;
        turn_event(p, &ev);
    } else if (log_admits(&p->stranger_lines, loop_now_ms(p->loop))) {
        log_line(LOG_WARN, "connection closed before Hello", "peer=%s reason=%s",
                 conn_peer_text(conn), err->text);
    }
    peer->handle = CONN_NONE;
}

const struct conn_ops peer_conn_ops = {
    .on_open = on_open,
    .on_data = on_data,
    .on_close = on_close,
};

void peer_resume_all(struct participant *p)
{
    p->any_paused = false;
    for (int i = 0; i < PARTICIPANT_PEERS_MAX; i++) {
        struct conn *conn;

        if (!p->peers[i].paused)
            continue;
        p->peers[i].paused = false;
        conn = conns_find(p->conns, p->peers[i].handle);
        if (conn)
            conn_resume(conn);
    }
}
