/*
 * What carries a connection's bytes: the seam where TLS goes.
 *
 * A connection owns a socket and hands it to its transport for every read and write. Plain TCP is
 * the transport there is; another one keeps a session per connection and may need several rounds
 * before application bytes flow.
 *
 * Every function returns a count of bytes > 0, or one of the negative results. WANT_READ and
 * WANT_WRITE mean: nothing more now, call again when the socket is readable or writable.
 */
#ifndef SETTLE_NET_TRANSPORT_H
#define SETTLE_NET_TRANSPORT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum transport_result {
    TRANSPORT_READY = 0,       /* handshake: application bytes may flow */
    TRANSPORT_WANT_READ = -1,  /* any function */
    TRANSPORT_WANT_WRITE = -2, /* any function */
    TRANSPORT_END = -3,        /* read: the peer will send no more */
    TRANSPORT_FAILED = -4,     /* *err says why */
};

enum transport_side {
    TRANSPORT_ACCEPTED = 1,
    TRANSPORT_DIALED = 2,
};

struct transport_ops {
    /* Begin a session on a connected socket; NULL when memory is short and ops->has_session. */
    void *(*open)(void *config, int fd, enum transport_side side);
    enum transport_result (*handshake)(void *session, int fd, struct err *err);
    ssize_t (*read)(void *session, int fd, void *bytes, size_t size, struct err *err);
    /* May take fewer bytes than given; the rest is given again, perhaps from another place. */
    ssize_t (*write)(void *session, int fd, const void *bytes, size_t size, struct err *err);
    /* Bytes read from the socket and not handed out yet: no event will tell of them. */
    bool (*pending)(void *session);
    /* End the session; the socket is closed by the caller. Accepts what open() returned. */
    void (*close)(void *session, int fd);
    bool has_session;
};

/* A transport and what its sessions share, such as keys. */
struct transport {
    const struct transport_ops *ops;
    void *config;
};

/** Plain TCP: the transport of a connection whose options name none. */
extern const struct transport transport_plain;

#endif
