/*
 * Connections from the inside; for net's own files.
 *
 *   conns.c    the table: handles, the again/dirty/closing lists, the loop's hook
 *   conn.c     one connection's life: opening, timers, closing
 *   conn_io.c  its bytes
 */
#ifndef SETTLE_NET_CONN_INTERNAL_H
#define SETTLE_NET_CONN_INTERNAL_H

#include "base/buf.h"
#include "net/conn.h"
#include "net/handles.h"
#include "net/loop_hook.h"

#include <event2/event.h>
#include <event2/event_struct.h>

/*
 *   CONNECTING --on_connected--> HANDSHAKE --conn_handshake--> OPEN --conn_finish--> FINISHING
 *       |                            |                           |                       |
 *       `----------------------------+--------conn_close---------+-----------------------'
 *                                                |
 *                                             CLOSING --conn_reap--> freed
 *
 * CONNECTING, HANDSHAKE: no application byte flowed; the user knows nothing of the connection.
 * OPEN: on_open() was called. FINISHING: output drains, input is dropped. CLOSING: the socket is
 * closed, the handle finds nothing; on_close() and the owner's gone() follow in the next begin().
 */
enum conn_state {
    CONN_CONNECTING = 1,
    CONN_HANDSHAKE,
    CONN_OPEN,
    CONN_FINISHING,
    CONN_CLOSING,
};

/* Who made the connection: a listener or a dialer. */
struct conn_owner {
    void (*greeted)(void *self);
    /* The connection is about to be freed. `opened`: its on_open() and on_close() were called. */
    void (*gone)(void *self, struct conn *conn, bool opened, const struct err *err);
    void *self;
};

/* The lists a connection may be on, one link each; a connection is on a list at most once. */
enum conn_list {
    LIST_AGAIN,   /* has input to hand out, or on_drained() to call, that no event announces */
    LIST_DIRTY,   /* has output to write at the turn's end */
    LIST_CLOSING, /* to be reaped */
    LIST_COUNT,
};

struct conn {
    struct conns *conns;
    uint32_t handle;
    enum conn_state state;
    int fd;
    enum transport_side side;
    void *session;
    struct conn_options options;
    const struct conn_ops *ops;
    void *ctx;
    struct conn_owner owner; /* gone NULL: none any more */

    struct buf in, out;
    struct event ev_read, ev_write, ev_timer;
    bool opened;        /* on_open() was called */
    bool greeted;       /* conn_greeted() was called */
    bool paused;        /* by conn_pause() */
    bool throttled;     /* by more than half of output_max waiting */
    bool drained;       /* on_drained() is to be called */
    bool read_on_write; /* the transport reads when the socket is writable */
    bool write_on_read; /* the transport writes when the socket is readable */
    bool shut;          /* FINISHING: our end of the stream was sent */

    uint64_t share_turn; /* the iteration that `share` is the rest of turn_max in */
    size_t share;

    uint64_t open_by_ms;  /* until on_open(); UINT64_MAX: no limit */
    uint64_t greet_by_ms; /* until conn_greeted() */
    uint64_t input_ms;    /* when input came last, or reading was resumed */
    uint64_t output_ms;   /* when output last progressed or began to wait */
    uint64_t finish_by_ms;
    uint64_t timer_ms; /* what ev_timer is set to; UINT64_MAX: not set */

    struct conn *next[LIST_COUNT];
    bool listed[LIST_COUNT];
    struct err err;
    char peer[ADDRESS_TEXT_SIZE];
};

struct conn_queue {
    struct conn *first, *last;
};

struct conns {
    struct loop *loop;
    struct loop_hook hook;
    struct handles handles;
    struct conn **all; /* by the slot of the handle; NULL where there is none */
    struct conn_queue lists[LIST_COUNT];
    uint64_t turn; /* counts iterations, from 1 */
    struct conns_stats stats;
};

/* conns.c */
/** A zeroed connection with a handle; NULL when the table is full or memory is short. */
struct conn *conns_take(struct conns *conns);
/** Free the connection and its handle for ever. */
void conns_give_back(struct conn *conn);
void conns_list_add(struct conn *conn, enum conn_list list);

/* conn.c */
struct conn_setup {
    int fd; /* owned by the connection from here on, also on failure */
    enum transport_side side;
    bool connecting;     /* the socket's connect() is under way */
    uint32_t connect_ms; /* until on_open(); 0: no limit */
    const struct address *peer;
    const struct conn_ops *ops;
    void *ctx;
    const struct conn_options *options;
    struct conn_owner owner;
};
/** A connection on a socket. NULL: the table is full or memory is short, the socket is closed. */
struct conn *conn_open(struct conns *conns, const struct conn_setup *setup);
void conn_reap(struct conn *conn);
void conn_close_err(struct conn *conn, const struct err *err);
void conn_timer_arm(struct conn *conn);
/** Go on with the handshake; calls on_open() when it is over. */
void conn_handshake(struct conn *conn);
const struct transport *conn_transport(const struct conn *conn);

/* conn_io.c */
/** Watch the socket for what the state wants to read and write. */
void conn_watch(struct conn *conn);
void conn_on_readable(evutil_socket_t fd, short what, void *ctx);
void conn_on_writable(evutil_socket_t fd, short what, void *ctx);
/** What LIST_AGAIN asked for. */
void conn_again(struct conn *conn);
/** Write what waits, once. */
void conn_flush(struct conn *conn);

#endif
