#include "net/dialer.h"

#include "base/assert.h"
#include "net/conn_internal.h"
#include "net/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct dialer {
    struct conns *conns;
    struct dialer_options options;
    struct loop_timer *timer; /* set while it pauses */
    struct conn *conn;        /* dialing, or open */
    uint32_t attempt;         /* since somebody greeted */
};

uint32_t dialer_backoff_ms(uint32_t min_ms, uint32_t max_ms, uint32_t attempt, uint64_t random)
{
    uint64_t pause = min_ms;

    for (uint32_t i = 1; i < attempt && pause < max_ms; i++)
        pause *= 2;
    if (pause > max_ms)
        pause = max_ms;
    return (uint32_t)(pause - random % (pause / 2 + 1));
}

static void failed(struct dialer *dialer, bool opened, const struct err *err)
{
    uint32_t pause_ms;

    dialer->attempt++;
    pause_ms = dialer_backoff_ms(dialer->options.backoff_min_ms, dialer->options.backoff_max_ms,
                                 dialer->attempt, loop_random(dialer->conns->loop));
    loop_timer_set(dialer->timer, pause_ms);
    /* Last: the callback may close the dialer. */
    if (!opened && dialer->options.on_failed)
        dialer->options.on_failed(dialer->options.ctx, err, pause_ms);
}

static void on_gone(void *self, struct conn *conn, bool opened, const struct err *err)
{
    struct dialer *dialer = self;

    ASSERT(dialer->conn == conn);
    dialer->conn = NULL;
    failed(dialer, opened, err);
}

static void on_greeted(void *self)
{
    struct dialer *dialer = self;

    dialer->attempt = 0;
}

static int connect_socket(const struct address *address, struct err *err)
{
    char text[ADDRESS_TEXT_SIZE];
    int fd = socket(address_family(address), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    address_format(address, text);
    if (fd < 0)
        return err_set_errno(err, ERR_IO, errno, "cannot open a socket to connect to %s", text);
    if (connect(fd, address_sockaddr(address), address->size) != 0 && errno != EINPROGRESS) {
        int errno_value = errno;
        close(fd);
        return err_set_errno(err, ERR_UNREACHABLE, errno_value, "cannot connect to %s", text);
    }
    return fd;
}

static void dial(void *ctx)
{
    struct dialer *dialer = ctx;
    struct conn_setup setup = {
        .side = TRANSPORT_DIALED,
        .connecting = true,
        .connect_ms = dialer->options.connect_ms,
        .peer = &dialer->options.address,
        .ops = dialer->options.ops,
        .ctx = dialer->options.ctx,
        .options = &dialer->options.conn,
        .owner = {.greeted = on_greeted, .gone = on_gone, .self = dialer},
    };
    struct err err = {0};

    setup.fd = connect_socket(&dialer->options.address, &err);
    if (setup.fd >= 0) {
        dialer->conn = conn_open(dialer->conns, &setup);
        if (dialer->conn)
            return;
        err_set(&err, ERR_FULL, "no room for another connection");
    }
    failed(dialer, false, &err);
}

int dialer_open(struct dialer **ret_dialer, struct conns *conns,
                const struct dialer_options *options, struct err *err)
{
    struct dialer *dialer = calloc(1, sizeof(*dialer));

    ASSERT(options->backoff_min_ms > 0);
    if (dialer)
        dialer->timer = loop_timer_open(conns->loop, dial, dialer);
    if (!dialer || !dialer->timer) {
        free(dialer);
        return err_set(err, ERR_MEMORY, "no memory for a dialer");
    }
    dialer->conns = conns;
    dialer->options = *options;
    loop_timer_set(dialer->timer, 0);
    *ret_dialer = dialer;
    return 0;
}

void dialer_close(struct dialer *dialer)
{
    if (!dialer)
        return;
    if (dialer->conn) {
        memset(&dialer->conn->owner, 0, sizeof(dialer->conn->owner));
        conn_close(dialer->conn, ERR_CLOSED, "the connection is no longer wanted");
    }
    loop_timer_close(dialer->timer);
    free(dialer);
}

void dialer_kick(struct dialer *dialer)
{
    if (dialer->conn)
        return;
    dialer->attempt = 0;
    loop_timer_set(dialer->timer, 0);
}

struct conn *dialer_conn(struct dialer *dialer)
{
    return dialer->conn && dialer->conn->state == CONN_OPEN ? dialer->conn : NULL;
}
