#include "base/assert.h"
#include "net/conn_internal.h"

#include <string.h>
#include <sys/socket.h>

#define READ_SIZE       (32u * 1024) /* asked of the socket at once, more where there is room */
#define FLUSH_WRITE_MAX 64           /* writes of one flush: a transport may take a record each */

static bool wants_input(const struct conn *conn)
{
    return conn->state == CONN_FINISHING ||
           (conn->state == CONN_OPEN && !conn->paused && !conn->throttled);
}

static void watch_event(struct event *ev, bool wanted)
{
    bool added = event_pending(ev, EV_READ | EV_WRITE, NULL) != 0;

    if (wanted && !added)
        event_add(ev, NULL);
    else if (!wanted && added)
        event_del(ev);
}

void conn_watch(struct conn *conn)
{
    bool reads = false, writes = false;

    switch (conn->state) {
    case CONN_CONNECTING:
        writes = true;
        break;
    case CONN_HANDSHAKE:
        reads = !conn->read_on_write;
        writes = conn->read_on_write;
        break;
    case CONN_OPEN:
    case CONN_FINISHING:
        reads = wants_input(conn) || conn->write_on_read;
        /* Output that is queued for the turn's end is on LIST_DIRTY; this is what did not fit. */
        writes = conn->read_on_write ||
                 (buf_size(&conn->out) > 0 && !conn->listed[LIST_DIRTY] && !conn->write_on_read);
        break;
    case CONN_CLOSING:
        return;
    }
    watch_event(&conn->ev_read, reads);
    watch_event(&conn->ev_write, writes);
}

/* Hand out what is held. False when the connection no longer takes input. */
static bool deliver(struct conn *conn)
{
    struct err err = {0};
    size_t size = buf_size(&conn->in);
    ptrdiff_t used;

    if (conn->state != CONN_OPEN || !wants_input(conn) || size == 0)
        return wants_input(conn);
    used = conn->ops->on_data(conn, conn->ctx, buf_bytes(&conn->in), size, &err);
    if (conn->state != CONN_OPEN)
        return false;
    if (used < 0) {
        if (err.code == 0)
            err_set(&err, (int)used, "input from %s was refused", conn->peer);
        conn_close_err(conn, &err);
        return false;
    }
    ASSERT((size_t)used <= size);
    buf_consume(&conn->in, (size_t)used);
    return wants_input(conn);
}

/* Read at most `size` bytes, as many as there is room for. The transport's result. */
static ssize_t read_some(struct conn *conn, size_t size, size_t *ret_asked, struct err *err)
{
    size_t asked = conn->in.capacity - conn->in.tail, room;
    uint8_t *bytes;
    ssize_t got;

    if (conn->state == CONN_FINISHING) /* nobody wants it any more */
        buf_consume(&conn->in, buf_size(&conn->in));
    room = conn->in.size_max - buf_size(&conn->in);
    if (asked < READ_SIZE)
        asked = READ_SIZE;
    if (asked > size)
        asked = size;
    if (asked > room)
        asked = room;
    if (asked == 0) {
        err_set(err, ERR_PROTOCOL, "a message of %s is larger than %zu bytes", conn->peer,
                conn->in.size_max);
        return TRANSPORT_FAILED;
    }
    bytes = buf_reserve(&conn->in, asked);
    if (!bytes) {
        err_set(err, ERR_MEMORY, "no memory for input from %s", conn->peer);
        return TRANSPORT_FAILED;
    }
    got = conn_transport(conn)->ops->read(conn->session, conn->fd, bytes, asked, err);
    conn->conns->stats.reads++;
    *ret_asked = asked;
    if (got > 0) {
        buf_commit(&conn->in, (size_t)got);
        conn->conns->stats.bytes_in += (uint64_t)got;
        conn->input_ms = loop_now_ms(conn->conns->loop);
    }
    return got;
}

static void on_input_end(struct conn *conn)
{
    if (conn->state == CONN_FINISHING)
        conn_close_err(conn, &conn->err);
    else
        conn_close(conn, ERR_CLOSED, "%s closed the connection", conn->peer);
}

/*
 * Read until the socket is dry or the iteration's share is used up. What is left in the socket
 * makes it readable again; what is left in the transport is asked for by LIST_AGAIN.
 */
static void read_share(struct conn *conn)
{
    bool (*pending)(void *) = conn_transport(conn)->ops->pending;

    if (conn->share_turn != conn->conns->turn) {
        conn->share_turn = conn->conns->turn;
        conn->share = conn->options.turn_max;
    }
    while (conn->share > 0 && wants_input(conn)) {
        struct err err = {0};
        size_t asked = 0;
        ssize_t got = read_some(conn, conn->share, &asked, &err);

        if (got > 0) {
            conn->share -= (size_t)got;
            if (conn->state == CONN_OPEN && !deliver(conn))
                break;
            if ((size_t)got < asked && !pending(conn->session))
                break;
        } else if (got == TRANSPORT_WANT_READ || got == TRANSPORT_WANT_WRITE) {
            conn->read_on_write = got == TRANSPORT_WANT_WRITE;
            break;
        } else if (got == TRANSPORT_END) {
            on_input_end(conn);
            return;
        } else {
            err_prefix(&err, "connection with %s", conn->peer);
            conn_close_err(conn, &err);
            return;
        }
    }
    if (conn->state == CONN_CLOSING)
        return;
    if (wants_input(conn) && pending(conn->session))
        conns_list_add(conn, LIST_AGAIN);
    conn_watch(conn);
}

void conn_on_readable(evutil_socket_t fd, short what, void *ctx)
{
    struct conn *conn = ctx;

    (void)fd;
    (void)what;
    if (conn->state == CONN_HANDSHAKE) {
        conn_handshake(conn);
        return;
    }
    if (conn->write_on_read) {
        conn->write_on_read = false;
        conn_flush(conn);
    }
    read_share(conn);
}

void conn_on_writable(evutil_socket_t fd, short what, void *ctx)
{
    struct conn *conn = ctx;

    (void)fd;
    (void)what;
    if (conn->state == CONN_HANDSHAKE) {
        conn_handshake(conn);
        return;
    }
    conn_flush(conn);
    if (conn->read_on_write) {
        conn->read_on_write = false;
        read_share(conn);
    }
}

void conn_again(struct conn *conn)
{
    if (conn->drained && conn->state == CONN_OPEN) {
        conn->drained = false;
        if (conn->ops->on_drained)
            conn->ops->on_drained(conn, conn->ctx);
    }
    if (conn->state == CONN_CLOSING || !deliver(conn))
        return;
    if (conn_transport(conn)->ops->pending(conn->session))
        read_share(conn);
}

/* Output falls below the mark: read on, and tell the owner, from begin(). */
static void check_drained(struct conn *conn)
{
    if (!conn->throttled || buf_size(&conn->out) >= conn->out.size_max / 4)
        return;
    conn->throttled = false;
    conn->drained = true;
    conn->input_ms = loop_now_ms(conn->conns->loop);
    conn_timer_arm(conn);
    conns_list_add(conn, LIST_AGAIN);
}

static void finish_sent(struct conn *conn)
{
    if (conn->state != CONN_FINISHING || conn->shut || buf_size(&conn->out) > 0)
        return;
    /* The peer reads what is on its way and closes; closing first could discard it. */
    conn->shut = true;
    shutdown(conn->fd, SHUT_WR);
}

void conn_flush(struct conn *conn)
{
    struct err err = {0};
    ssize_t put = 0;

    if (conn->state != CONN_OPEN && conn->state != CONN_FINISHING)
        return;
    for (int i = 0; i < FLUSH_WRITE_MAX && buf_size(&conn->out) > 0; i++) {
        put = conn_transport(conn)->ops->write(conn->session, conn->fd, buf_bytes(&conn->out),
                                               buf_size(&conn->out), &err);
        conn->conns->stats.writes++;
        if (put <= 0)
            break;
        buf_consume(&conn->out, (size_t)put);
        conn->conns->stats.bytes_out += (uint64_t)put;
        conn->output_ms = loop_now_ms(conn->conns->loop);
    }
    if (put == TRANSPORT_FAILED) {
        err_prefix(&err, "connection with %s", conn->peer);
        conn_close_err(conn, &err);
        return;
    }
    conn->write_on_read = put == TRANSPORT_WANT_READ;
    check_drained(conn);
    finish_sent(conn);
    if (buf_size(&conn->out) > 0)
        conn_timer_arm(conn);
    conn_watch(conn);
}

static void on_full(struct conn *conn, size_t size)
{
    if (!conn->options.close_when_full)
        return;
    conn->conns->stats.closed_slow++;
    conn_close(conn, ERR_FULL, "%s reads too slowly: %zu bytes wait and %zu more do not fit",
               conn->peer, buf_size(&conn->out), size);
}

uint8_t *conn_send_begin(struct conn *conn, size_t size_max)
{
    uint8_t *room;

    if (conn->state != CONN_OPEN)
        return NULL;
    room = buf_reserve(&conn->out, size_max);
    if (!room)
        on_full(conn, size_max);
    return room;
}

void conn_send_end(struct conn *conn, size_t size)
{
    if (size == 0)
        return;
    if (buf_size(&conn->out) == 0)
        conn->output_ms = loop_now_ms(conn->conns->loop);
    buf_commit(&conn->out, size);
    if (!conn->throttled && buf_size(&conn->out) > conn->out.size_max / 2) {
        conn->throttled = true;
        conn_watch(conn);
    }
    /* What waits for the socket to take more is written when it does. */
    if (!event_pending(&conn->ev_write, EV_WRITE, NULL) && !conn->write_on_read)
        conns_list_add(conn, LIST_DIRTY);
}

bool conn_send(struct conn *conn, const void *bytes, size_t size)
{
    uint8_t *room;

    if (size == 0)
        return conn->state == CONN_OPEN;
    room = conn_send_begin(conn, size);
    if (!room)
        return false;
    memcpy(room, bytes, size);
    conn_send_end(conn, size);
    return true;
}

size_t conn_output_size(const struct conn *conn)
{
    return buf_size(&conn->out);
}

void conn_pause(struct conn *conn)
{
    conn->paused = true;
    conn_watch(conn);
}

void conn_resume(struct conn *conn)
{
    if (!conn->paused)
        return;
    conn->paused = false;
    conn->input_ms = loop_now_ms(conn->conns->loop);
    conn_timer_arm(conn);
    conns_list_add(conn, LIST_AGAIN);
    conn_watch(conn);
}
