/*
 * A listener: accepts connections on one address, within limits.
 *
 * Above conn_max, or when the process has no descriptor left, a new connection is accepted and
 * closed at once, and counted: its peer learns it and may go elsewhere, instead of waiting in the
 * backlog. When not even that works, accepting pauses for a moment; it never spins.
 */
#ifndef SETTLE_NET_LISTENER_H
#define SETTLE_NET_LISTENER_H

#include "net/conn.h"

struct listener;

struct listener_options {
    struct address address;  /* port 0: any; see listener_address() */
    const char *option_name; /* "--listen": named when the address cannot be had */
    uint32_t conn_max;       /* connections of this listener at once */
    const struct conn_ops *ops;
    void *ctx; /* given to on_open(), which may conn_set_ctx() */
    struct conn_options conn;
};

/**
 * Listen. ERR_IO; the text names address and option: "cannot listen on 127.0.0.1:7400: the port is
 * in use; choose another with --listen".
 */
int listener_open(struct listener **ret_listener, struct conns *conns,
                  const struct listener_options *options, struct err *err);

/** Stop listening; accepted connections stay. Accepts NULL. */
void listener_close(struct listener *listener);

/** Where it listens, with the port the kernel chose. */
const struct address *listener_address(const struct listener *listener);

#endif
