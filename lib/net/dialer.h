/*
 * A dialer: keeps one connection to one address, again and again.
 *
 * A connection that could not be made, or ended, is tried again after a pause that doubles from
 * backoff_min_ms to backoff_max_ms and is drawn at random from its upper half, so that many dialers
 * do not come back in step. conn_greeted() starts the pauses over; a TCP connection alone does not,
 * since a peer that refuses us at Hello accepts those as well.
 */
#ifndef SETTLE_NET_DIALER_H
#define SETTLE_NET_DIALER_H

#include "net/conn.h"

struct dialer;

struct dialer_options {
    struct address address;
    uint32_t connect_ms;     /* until TCP is connected and the transport is ready */
    uint32_t backoff_min_ms; /* > 0 */
    uint32_t backoff_max_ms;
    const struct conn_ops *ops; /* on_close() as for any connection */
    /* An attempt made no connection (its on_open() never ran). May be NULL. */
    void (*on_failed)(void *ctx, const struct err *err, uint64_t retry_ms);
    void *ctx; /* given to all of them */
    struct conn_options conn;
};

/** Start dialing, at once. ERR_MEMORY. */
int dialer_open(struct dialer **ret_dialer, struct conns *conns,
                const struct dialer_options *options, struct err *err);

/** Close its connection, if any (on_close() follows as always), and stop. Accepts NULL. */
void dialer_close(struct dialer *dialer);

/** Dial now if it is pausing: the peer is known to be there again. */
void dialer_kick(struct dialer *dialer);

/** The open connection, or NULL. */
struct conn *dialer_conn(struct dialer *dialer);

/** The pause before attempt number `attempt` (1, 2, ...), drawn by `random`; pure. */
uint32_t dialer_backoff_ms(uint32_t min_ms, uint32_t max_ms, uint32_t attempt, uint64_t random);

#endif
