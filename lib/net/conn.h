/*
 * Connections: a byte stream to a peer, with both directions bounded.
 *
 * All connections of a process live in one `struct conns`, on one loop. A connection is named by a
 * handle, a number that is never given to another one, so a handle kept too long finds nothing
 * instead of a stranger; 0 names none.
 *
 * Input is collected until on_data() used it, up to input_max: then the connection is no longer
 * read, and TCP makes the peer wait. One connection gives at most turn_max bytes to an iteration.
 * Output is collected by conn_send() and written once, when the turn ends. A peer that leaves
 * output_max bytes unread has conn_send() refuse more, or is closed, as the options say; a
 * connection with more than half of that waiting is not read from either.
 *
 * Lifetime: a connection is alive from on_open() until on_close(), which is called exactly once for
 * every connection whose on_open() ran, never from within another call, whoever closed it. After
 * conn_close() the handle finds nothing and no other callback comes; the pointer stays good until
 * on_close() returns. So closing a connection in its own callback is safe.
 */
#ifndef SETTLE_NET_CONN_H
#define SETTLE_NET_CONN_H

#include "net/address.h"
#include "net/loop.h"
#include "net/transport.h"

#define CONN_NONE 0u

struct conns;
struct conn;

struct conn_ops {
    /* Application bytes may flow: TCP is connected and the transport's handshake is over. */
    void (*on_open)(struct conn *conn, void *ctx);
    /*
     * All input not used yet, in one piece, borrowed for the call. Returns how many bytes were
     * used, from the front, or a negative ERR_* (and *err) to close the connection. It is called
     * again when more came, or after conn_resume().
     */
    ptrdiff_t (*on_data)(struct conn *conn, void *ctx, const uint8_t *bytes, size_t size,
                         struct err *err);
    /* Output had passed half of output_max and is now below a quarter. May be NULL. */
    void (*on_drained)(struct conn *conn, void *ctx);
    /* The last call. `err` says why in a sentence that names the peer; ERR_CLOSED is an orderly
     * end. */
    void (*on_close)(struct conn *conn, void *ctx, const struct err *err);
};

struct conn_options {
    size_t input_max;     /* bytes; the largest message must fit */
    size_t output_max;    /* bytes */
    size_t turn_max;      /* bytes one connection may give to one iteration */
    uint32_t greet_ms;    /* from open to conn_greeted(), else closed; 0: no limit */
    uint32_t idle_ms;     /* without input, else closed; 0: no limit */
    uint32_t stall_ms;    /* output that makes no progress; also TCP_USER_TIMEOUT; 0: no limit */
    bool close_when_full; /* at output_max: close, rather than let conn_send() refuse */
    struct transport transport; /* ops NULL: plain TCP */
};

#define CONN_INPUT_DEFAULT  (1024u * 1024 + 4)
#define CONN_OUTPUT_DEFAULT (8u * 1024 * 1024)
#define CONN_TURN_DEFAULT   (256u * 1024)

struct conns_stats {
    uint64_t open_now; /* gauge */
    uint64_t accepted, dialed, closed;
    uint64_t refused; /* accepted and closed at once: limit reached, or out of descriptors */
    uint64_t bytes_in, bytes_out, reads, writes;
    uint64_t closed_slow, closed_idle, closed_greet; /* full or stalled; silent; never greeted */
};

/** A table for at most `conn_max` connections at once (1 to 65,535). */
int conns_open(struct conns **ret_conns, struct loop *loop, uint32_t conn_max, struct err *err);

/** Close every connection, each with its on_close(), then the table; accepts NULL. Not in a
 * callback. */
void conns_close(struct conns *conns);

/** The connection of a handle, or NULL when it is closed or never was. */
struct conn *conns_find(struct conns *conns, uint32_t handle);

const struct conns_stats *conns_stats(const struct conns *conns);
struct loop *conns_loop(struct conns *conns);

uint32_t conn_handle(const struct conn *conn);
const char *conn_peer_text(const struct conn *conn); /* "127.0.0.1:43210", for messages */

/** Change what callbacks are given; on_open() is the place. */
void conn_set_ctx(struct conn *conn, void *ctx);
void *conn_ctx(const struct conn *conn);

/** The peer said its Hello and was accepted: greet_ms is met; a dialer's backoff starts over. */
void conn_greeted(struct conn *conn);

/**
 * Queue bytes for the end of the turn. All or nothing.
 *
 * False when they do not fit (the connection is then closing, if close_when_full), when the
 * connection is closing or when memory is short; a handle's owner need not tell them apart.
 */
bool conn_send(struct conn *conn, const void *bytes, size_t size);

/**
 * Room for `size_max` bytes of output to encode into; NULL as conn_send() returns false.
 *
 * Good until the next call on this connection; conn_send_end() says how many were written.
 */
uint8_t *conn_send_begin(struct conn *conn, size_t size_max);
void conn_send_end(struct conn *conn, size_t size);

/** Bytes waiting to be written. */
size_t conn_output_size(const struct conn *conn);

/** Stop reading, and calling on_data(), until conn_resume(). Not counted: one resume ends it. */
void conn_pause(struct conn *conn);
void conn_resume(struct conn *conn);

/** Close now: what is queued is lost. The code and sentence are given to on_close(). */
void conn_close(struct conn *conn, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Send what is queued, take no more input, then close as conn_close() does. */
void conn_finish(struct conn *conn, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
