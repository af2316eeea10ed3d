#include "base/assert.h"
#include "net/conn_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FINISH_MS 2000 /* for the peer to read the last words and close */

const struct transport *conn_transport(const struct conn *conn)
{
    return conn->options.transport.ops ? &conn->options.transport : &transport_plain;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t idle_by_ms(const struct conn *conn)
{
    /* Whom we do not read from cannot be blamed for silence. */
    if (conn->options.idle_ms == 0 || conn->state != CONN_OPEN || conn->paused || conn->throttled)
        return UINT64_MAX;
    return conn->input_ms + conn->options.idle_ms;
}

static uint64_t stall_by_ms(const struct conn *conn)
{
    if (conn->options.stall_ms == 0 || buf_size(&conn->out) == 0)
        return UINT64_MAX;
    return conn->output_ms + conn->options.stall_ms;
}

/*
 * One timer serves all limits of a connection. It is set to the nearest and not moved when a limit
 * moves away: when it fires early it is set again. So traffic costs no timer operations.
 */
void conn_timer_arm(struct conn *conn)
{
    uint64_t now = loop_now_ms(conn->conns->loop);
    uint64_t at = min_u64(idle_by_ms(conn), stall_by_ms(conn));
    struct timeval tv;

    at = min_u64(at, min_u64(conn->open_by_ms, conn->greet_by_ms));
    at = min_u64(at, conn->finish_by_ms);
    if (at >= conn->timer_ms)
        return;
    conn->timer_ms = at;
    at = at > now ? at - now : 0;
    tv.tv_sec = (time_t)(at / 1000);
    tv.tv_usec = (suseconds_t)(at % 1000 * 1000);
    event_add(&conn->ev_timer, &tv);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    struct conn *conn = ctx;
    struct conns_stats *stats = &conn->conns->stats;
    uint64_t now = loop_now_ms(conn->conns->loop);

    (void)fd;
    (void)what;
    conn->timer_ms = UINT64_MAX;
    if (now >= conn->open_by_ms) {
        conn_close(conn, ERR_TIMEOUT, "%s does not accept the connection in time", conn->peer);
    } else if (now >= conn->greet_by_ms) {
        stats->closed_greet++;
        conn_close(conn, ERR_TIMEOUT, "%s did not introduce itself within %u ms", conn->peer,
                   (unsigned)conn->options.greet_ms);
    } else if (now >= idle_by_ms(conn)) {
        stats->closed_idle++;
        conn_close(conn, ERR_TIMEOUT, "%s sent nothing for %u ms", conn->peer,
                   (unsigned)conn->options.idle_ms);
    } else if (now >= stall_by_ms(conn)) {
        stats->closed_slow++;
        conn_close(conn, ERR_TIMEOUT, "%s read nothing for %u ms; %zu bytes wait", conn->peer,
                   (unsigned)conn->options.stall_ms, buf_size(&conn->out));
    } else if (now >= conn->finish_by_ms) {
        conn_close_err(conn, &conn->err);
    } else {
        conn_timer_arm(conn);
    }
}

static void set_socket_options(const struct conn *conn)
{
    int on = 1;
    unsigned user_timeout_ms = conn->options.stall_ms;

    /* Neither can fail on a TCP socket; without them the connection is slower, not wrong. */
    setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (user_timeout_ms > 0)
        setsockopt(conn->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout_ms,
                   sizeof(user_timeout_ms));
}

static void on_writable(evutil_socket_t fd, short what, void *ctx);

struct conn *conn_open(struct conns *conns, const struct conn_setup *setup)
{
    struct event_base *base = loop_event_base(conns->loop);
    struct conn *conn = conns_take(conns);

    if (!conn) {
        close(setup->fd);
        return NULL;
    }
    conn->fd = setup->fd;
    conn->side = setup->side;
    conn->ops = setup->ops;
    conn->ctx = setup->ctx;
    conn->options = *setup->options;
    conn->owner = setup->owner;
    buf_init(&conn->in, conn->options.input_max);
    buf_init(&conn->out, conn->options.output_max);
    address_format(setup->peer, conn->peer);
    set_socket_options(conn);
    conn->session = conn_transport(conn)->ops->open(conn_transport(conn)->config, conn->fd,
                                                    conn->side);
    if (conn_transport(conn)->ops->has_session && !conn->session) {
        close(conn->fd);
        conns_give_back(conn);
        return NULL;
    }
    event_assign(&conn->ev_read, base, conn->fd, EV_READ | EV_PERSIST, conn_on_readable, conn);
    event_assign(&conn->ev_write, base, conn->fd, EV_WRITE | EV_PERSIST, on_writable, conn);
    event_assign(&conn->ev_timer, base, -1, 0, on_timer, conn);
    conn->input_ms = loop_now_ms(conns->loop);
    conn->open_by_ms = setup->connect_ms ? conn->input_ms + setup->connect_ms : UINT64_MAX;
    conn->greet_by_ms = conn->options.greet_ms ? conn->input_ms + conn->options.greet_ms
                                               : UINT64_MAX;
    conn->finish_by_ms = UINT64_MAX;
    conn->timer_ms = UINT64_MAX;
    conn->state = setup->connecting ? CONN_CONNECTING : CONN_HANDSHAKE;
    conn_timer_arm(conn);
    if (setup->connecting)
        conn_watch(conn);
    else
        conn_handshake(conn);
    return conn;
}

/*
 * On one machine, a socket that dials a port nobody listens on may be given that very port as its
 * own, and TCP then connects it with itself.
 */
static bool connected_to_itself(int fd)
{
    struct sockaddr_storage own = {0}, peer = {0};
    socklen_t own_size = sizeof(own), peer_size = sizeof(peer);

    return getsockname(fd, (struct sockaddr *)&own, &own_size) == 0 &&
           getpeername(fd, (struct sockaddr *)&peer, &peer_size) == 0 && own_size == peer_size &&
           memcmp(&own, &peer, own_size) == 0;
}

static void on_connected(struct conn *conn)
{
    int errno_value = 0;
    socklen_t size = sizeof(errno_value);
    struct err err;

    if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &errno_value, &size) != 0)
        errno_value = errno;
    if (errno_value == 0 && connected_to_itself(conn->fd))
        errno_value = ECONNREFUSED;
    if (errno_value != 0) {
        err_set_errno(&err, ERR_UNREACHABLE, errno_value, "cannot connect to %s", conn->peer);
        conn_close_err(conn, &err);
        return;
    }
    conn->state = CONN_HANDSHAKE;
    conn_handshake(conn);
}

static void on_writable(evutil_socket_t fd, short what, void *ctx)
{
    struct conn *conn = ctx;

    if (conn->state == CONN_CONNECTING)
        on_connected(conn);
    else
        conn_on_writable(fd, what, conn);
}

void conn_handshake(struct conn *conn)
{
    struct err err = {0};

    switch (conn_transport(conn)->ops->handshake(conn->session, conn->fd, &err)) {
    case TRANSPORT_READY:
        conn->state = CONN_OPEN;
        conn->opened = true;
        conn->write_on_read = false;
        conn->read_on_write = false;
        conn->open_by_ms = UINT64_MAX;
        conn->input_ms = loop_now_ms(conn->conns->loop);
        if (conn->side == TRANSPORT_ACCEPTED)
            conn->conns->stats.accepted++;
        else
            conn->conns->stats.dialed++;
        conn_timer_arm(conn);
        conn->ops->on_open(conn, conn->ctx);
        break;
    case TRANSPORT_WANT_READ:
        conn->read_on_write = false;
        break;
    case TRANSPORT_WANT_WRITE:
        conn->read_on_write = true; /* conn_watch: wait for room, not for bytes */
        break;
    case TRANSPORT_END:
        conn_close(conn, ERR_UNREACHABLE, "%s closed the connection while it was opened",
                   conn->peer);
        return;
    case TRANSPORT_FAILED:
        err_prefix(&err, "connection with %s", conn->peer);
        conn_close_err(conn, &err);
        return;
    }
    conn_watch(conn);
    /* A handshake may have read application bytes with its last message. */
    if (conn->state == CONN_OPEN && conn_transport(conn)->ops->pending(conn->session))
        conns_list_add(conn, LIST_AGAIN);
}

/* The socket is closed at once; who must know is told from begin(), never from within a call. */
void conn_close_err(struct conn *conn, const struct err *err)
{
    if (conn->state == CONN_CLOSING)
        return;
    if (err != &conn->err)
        conn->err = *err;
    conn->state = CONN_CLOSING;
    event_del(&conn->ev_read);
    event_del(&conn->ev_write);
    event_del(&conn->ev_timer);
    conn_transport(conn)->ops->close(conn->session, conn->fd);
    close(conn->fd);
    conn->fd = -1;
    conns_list_add(conn, LIST_CLOSING);
}

void conn_close(struct conn *conn, int code, const char *format, ...)
{
    struct err err = {.code = code};
    va_list args;

    va_start(args, format);
    vsnprintf(err.text, sizeof(err.text), format, args);
    va_end(args);
    conn_close_err(conn, &err);
}

void conn_finish(struct conn *conn, int code, const char *format, ...)
{
    va_list args;

    if (conn->state != CONN_OPEN)
        return;
    conn->err.code = code;
    va_start(args, format);
    vsnprintf(conn->err.text, sizeof(conn->err.text), format, args);
    va_end(args);
    conn->state = CONN_FINISHING;
    conn->greet_by_ms = UINT64_MAX;
    conn->finish_by_ms = loop_now_ms(conn->conns->loop) + FINISH_MS;
    conn_timer_arm(conn);
    conn_watch(conn);
    conns_list_add(conn, LIST_DIRTY);
}

void conn_reap(struct conn *conn)
{
    if (conn->opened)
        conn->ops->on_close(conn, conn->ctx, &conn->err);
    if (conn->owner.gone) /* unless on_close() closed the dialer */
        conn->owner.gone(conn->owner.self, conn, conn->opened, &conn->err);
    buf_release(&conn->in);
    buf_release(&conn->out);
    conns_give_back(conn);
}

void conn_greeted(struct conn *conn)
{
    conn->greeted = true;
    conn->greet_by_ms = UINT64_MAX;
    if (conn->owner.greeted)
        conn->owner.greeted(conn->owner.self);
}

uint32_t conn_handle(const struct conn *conn)
{
    return conn->handle;
}

const char *conn_peer_text(const struct conn *conn)
{
    return conn->peer;
}

void conn_set_ctx(struct conn *conn, void *ctx)
{
    conn->ctx = ctx;
}

void *conn_ctx(const struct conn *conn)
{
    return conn->ctx;
}
