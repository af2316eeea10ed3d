/*
 * What the tests of net share: a loop, a table of connections, a listener whose connections record
 * what happens to them, and raw sockets for peers that misbehave.
 */
#ifndef SETTLE_TESTS_NET_RIG_H
#define SETTLE_TESTS_NET_RIG_H

#include "net/conn.h"
#include "net/dialer.h"
#include "net/listener.h"
#include "support/runner.h"

#define RIG_ENDS 16

enum end_mode {
    END_TAKE = 0, /* use all input */
    END_HOLD,     /* use none */
    END_ECHO,     /* send it back */
    END_CLOSE,    /* close in on_data() */
    END_REFUSE,   /* return an error */
    END_FINISH,   /* say "refused" and finish */
};

/* One end of a connection, and what happened to it. */
struct end {
    struct conn *conn; /* NULL before on_open() and after on_close() */
    uint32_t handle;
    enum end_mode mode;
    unsigned opened, closed, drained, calls;
    size_t received;
    size_t turn_received, turn_received_max; /* per iteration */
    bool in_order;                           /* every byte was the low byte of its offset */
    bool close_on_open;
    struct err err;
};

struct rig {
    struct loop *loop;
    struct conns *conns;
    struct listener *listener;
    struct end ends[RIG_ENDS]; /* of accepted connections, in their order */
    unsigned end_count;
    enum end_mode mode; /* of the next accepted ones */
    struct conn_options options;
    unsigned turns;
};

extern const struct conn_ops rig_end_ops; /* ctx is a struct end */

/** Open a rig listening on a free port; `conn_max` connections, of the table and the listener. */
void rig_open(struct rig *rig, const struct conn_options *options, uint32_t conn_max);
void rig_close(struct rig *rig);

/** A connected raw socket, non-blocking; the accepted end is rig->ends[n] after some steps. */
int rig_raw(struct rig *rig);

/** The next accepted end, opened; for a raw socket just made. */
struct end *rig_accepted(struct rig *rig, int *ret_raw);

struct dialer_options rig_dialer_options(const struct rig *rig, struct end *end);

/** Write `size` bytes of the pattern from `offset`, as many as the socket takes; returns how many.
 */
size_t raw_write(int fd, size_t offset, size_t size);
/** Read and drop what is there; true iff the peer closed. *total is raised. */
bool raw_drain(int fd, size_t *total);

/* Run the loop until the condition holds; fail the test when it does not within 20 s. */
#define UNTIL(rig, condition)                                               \
    do {                                                                    \
        uint64_t until_ms = loop_now_ms((rig)->loop) + 20000;               \
        bool met;                                                           \
        while (!(met = (condition)) && loop_now_ms((rig)->loop) < until_ms) \
            loop_step((rig)->loop, 10);                                     \
        CU_ASSERT_TRUE_FATAL(met);                                          \
    } while (0)

extern CU_TestInfo conn_tests[], limit_tests[], dialer_tests[], loop_tests[], address_tests[],
    transport_tests[];

#endif
