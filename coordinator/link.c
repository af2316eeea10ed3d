/*
 * Links: one connection to each registered participant.
 *
 * The registry says who there is and where; a dialer keeps trying. After our Hello the participant
 * says WELCOME with its store id, and only then does the core hear of it: evidence counts from a
 * store, not from a name (R14). An end of the connection is an event, never an error.
 */
#include "coordinator.h"

#include "base/assert.h"
#include "runtime/log.h"

#define LINK_OUTPUT    (64u * 1024 * 1024)
#define CONNECT_MS     3000u
#define BACKOFF_MIN_MS 50u
#define BACKOFF_MAX_MS 1000u
#define GREET_MS       5000u
#define STALL_MS       15000u

struct link *link_find(struct coordinator *c, const struct node_name *node)
{
    for (int i = 0; i < MEMBERS_MAX; i++) {
        if (c->links[i].used && node_name_equal(&c->links[i].member.node, node))
            return &c->links[i];
    }
    return NULL;
}

static void on_open(struct conn *conn, void *ctx)
{
    struct link *link = ctx;
    struct envelope envelope;

    memset(&envelope, 0, sizeof(envelope));
    envelope.kind = WIRE_HELLO;
    coordinator_hello(link->c, &envelope.hello);
    drive_send(link->c, conn_handle(conn), &envelope);
}

static int on_welcome(struct link *link, struct conn *conn, const struct hello *hello,
                      struct err *err)
{
    struct coordinator *c = link->c;
    struct refused refused;
    struct hello own;
    struct event ev;

    coordinator_hello(c, &own);
    if (hello_check(&own, hello, &refused) != 0)
        return err_set(err, ERR_REFUSED, "%s", refused.text);
    if (hello->role != HELLO_PARTICIPANT || !node_name_equal(&hello->node, &link->member.node))
        return err_set(err, ERR_REFUSED, "%s answers as '%s', not as participant '%s'",
                       conn_peer_text(conn), hello->node.text, link->member.node.text);
    link->hello = *hello;
    link->handle = conn_handle(conn);
    conn_greeted(conn);
    log_line(LOG_INFO, "participant connected", "peer=%s participant=%s incarnation=%llu",
             conn_peer_text(conn), hello->node.text, (unsigned long long)hello->incarnation);
    ev = drive_event_of(c, EV_LINK_UP);
    ev.link.peer = link->handle;
    ev.link.party.node = hello->node;
    ev.link.party.store = hello->store;
    drive(c, &ev);
    return 0;
}

static int on_payload(struct link *link, struct conn *conn, const struct blob *payload,
                      struct err *err)
{
    struct coordinator *c = link->c;
    struct envelope envelope;
    struct event ev;
    int rc;

    arena_reset(&c->arena);
    rc = wire_decode(&c->arena, payload->bytes, payload->size, &envelope, err);
    if (rc != 0)
        return rc;
    if (envelope.kind == WIRE_REFUSED)
        return err_set(err, ERR_REFUSED, "participant '%s' refuses us: %s", link->member.node.text,
                       envelope.refused.text);
    if (!wire_may_send(HELLO_PARTICIPANT, HELLO_COORDINATOR, &envelope))
        return err_set(err, ERR_PROTOCOL, "a participant does not send %s",
                       wire_kind_name(&envelope));
    if (envelope.kind == WIRE_WELCOME && link->handle == CONN_NONE)
        return on_welcome(link, conn, &envelope.hello, err);
    if (link->handle != conn_handle(conn) || envelope.kind == WIRE_WELCOME)
        return err_set(err, ERR_PROTOCOL, "%s came out of order", wire_kind_name(&envelope));
    if (envelope.kind == WIRE_ADMIN_RESPONSE) {
        relay_on_response(c, link, &envelope);
        return 0;
    }
    envelope.msg.peer = link->handle;
    ev = drive_event_of(c, EV_MSG);
    ev.msg.msg = &envelope.msg;
    drive(c, &ev);
    return 0;
}

static ptrdiff_t on_data(struct conn *conn, void *ctx, const uint8_t *bytes, size_t size,
                         struct err *err)
{
    struct link *link = ctx;
    struct blob payload;
    size_t done = 0;

    for (;;) {
        size_t max = link->handle != CONN_NONE ? FRAME_SIZE_MAX : FRAME_SIZE_MAX_HELLO;
        size_t payload_size;
        int used = frame_next(bytes + done, size - done, max, &payload.bytes, &payload_size, err);
        int rc;

        if (used < 0)
            return used;
        if (used == 0)
            return (ptrdiff_t)done;
        payload.size = (uint32_t)payload_size;
        rc = on_payload(link, conn, &payload, err);
        if (rc < 0)
            return rc;
        done += (size_t)used;
    }
}

static void on_close(struct conn *conn, void *ctx, const struct err *err)
{
    struct link *link = ctx;
    struct event ev;

    if (link->handle != conn_handle(conn)) {
        log_line(LOG_WARN, "no connection to a participant", "participant=%s peer=%s reason=%s",
                 link->member.node.text, conn_peer_text(conn), err->text);
        return;
    }
    log_line(LOG_WARN, "participant disconnected", "participant=%s peer=%s reason=%s",
             link->member.node.text, conn_peer_text(conn), err->text);
    link->handle = CONN_NONE;
    ev = drive_event_of(link->c, EV_LINK_DOWN);
    ev.link.peer = conn_handle(conn);
    drive(link->c, &ev);
    relay_link_down(link->c, link);
}

static const struct conn_ops link_conn_ops = {
    .on_open = on_open,
    .on_data = on_data,
    .on_close = on_close,
};

static void dial(struct link *link)
{
    struct dialer_options options = {
        .connect_ms = CONNECT_MS,
        .backoff_min_ms = BACKOFF_MIN_MS,
        .backoff_max_ms = BACKOFF_MAX_MS,
        .ops = &link_conn_ops,
        .ctx = link,
        .conn = {.input_max = CONN_INPUT_DEFAULT,
                 .output_max = LINK_OUTPUT,
                 .turn_max = CONN_TURN_DEFAULT,
                 .greet_ms = GREET_MS,
                 .stall_ms = STALL_MS,
                 .close_when_full = true},
    };
    struct err err;
    int rc = address_parse(&options.address, link->member.address, &err);

    if (rc == 0)
        rc = dialer_open(&link->dialer, link->c->conns, &options, &err);
    if (rc != 0)
        log_line(LOG_ERROR, "cannot dial a participant", "participant=%s error=%s",
                 link->member.node.text, err.text);
}

static struct link *link_make(struct coordinator *c, const struct node_name *node)
{
    for (int i = 0; i < MEMBERS_MAX; i++) {
        struct link *link = &c->links[i];

        if (link->used)
            continue;
        memset(link, 0, sizeof(*link));
        link->c = c;
        link->used = true;
        link->member.node = *node;
        return link;
    }
    return NULL;
}

static void tell_member(struct coordinator *c, const struct cluster_member *member)
{
    struct event ev = drive_event_of(c, EV_MEMBER);

    ev.link.party.node = member->node;
    ev.link.party.store = member->store;
    drive(c, &ev);
}

static bool address_is_anothers(const struct coordinator *c, const struct link *link)
{
    for (int i = 0; i < MEMBERS_MAX; i++) {
        const struct link *other = &c->links[i];

        if (other != link && other->used && other->member.presence == CLUSTER_LIVE &&
            strcmp(other->member.address, link->member.address) == 0)
            return true;
    }
    return false;
}

/*
 * Who is down and has lost its address to another must not be dialled there: the other would take
 * us for a newer connection of ours and close the one it has.
 */
static void hang_up_on_the_replaced(struct coordinator *c)
{
    for (int i = 0; i < MEMBERS_MAX; i++) {
        struct link *link = &c->links[i];

        if (!link->used || !link->dialer || link->member.presence == CLUSTER_LIVE ||
            !address_is_anothers(c, link))
            continue;
        log_line(LOG_WARN, "another participant has this one's address; it is not dialled",
                 "participant=%s address=%s", link->member.node.text, link->member.address);
        dialer_close(link->dialer);
        link->dialer = NULL;
    }
}

/*
 * A participant that is only down keeps its dialer: what the registry says is a hint, and the
 * connection itself knows better.
 */
void link_on_member(struct coordinator *c, const struct cluster_member *member)
{
    struct link *link = link_find(c, &member->node);
    bool moved;

    if (!link)
        link = link_make(c, &member->node);
    if (!link) {
        log_line(LOG_ERROR, "more participants than the maximum", "participant=%s maximum=%d",
                 member->node.text, MEMBERS_MAX);
        return;
    }
    moved = member->presence == CLUSTER_LIVE && strcmp(link->member.address, member->address) != 0;
    if (member->presence == CLUSTER_GONE || moved) {
        dialer_close(link->dialer);
        link->dialer = NULL;
    }
    if (member->presence != CLUSTER_LIVE) {
        char address[ADDRESS_TEXT_SIZE];

        memcpy(address, link->member.address, sizeof(address));
        link->member = *member;
        memcpy(link->member.address, address, sizeof(address));
    } else {
        link->member = *member;
    }
    hang_up_on_the_replaced(c);
    if (member->presence == CLUSTER_GONE)
        return;
    tell_member(c, member);
    if (member->presence == CLUSTER_LIVE && !link->dialer)
        dial(link);
    else if (member->presence == CLUSTER_LIVE)
        dialer_kick(link->dialer);
}

void link_close_all(struct coordinator *c)
{
    for (int i = 0; i < MEMBERS_MAX; i++) {
        dialer_close(c->links[i].dialer);
        c->links[i].dialer = NULL;
    }
}
