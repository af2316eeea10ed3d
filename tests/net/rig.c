#include "rig.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_open(struct conn *conn, void *ctx)
{
    struct end *end = ctx;

    end->conn = conn;
    end->handle = conn_handle(conn);
    end->opened++;
    end->in_order = true;
    if (end->close_on_open)
        conn_close(conn, ERR_CLOSED, "closed in on_open");
}

static ptrdiff_t on_data(struct conn *conn, void *ctx, const uint8_t *bytes, size_t size,
                         struct err *err)
{
    struct end *end = ctx;

    end->calls++;
    switch (end->mode) {
    case END_HOLD:
        return 0;
    case END_CLOSE:
        conn_close(conn, ERR_CLOSED, "closed in on_data");
        return (ptrdiff_t)size;
    case END_REFUSE:
        return err_set(err, ERR_PROTOCOL, "refused in on_data");
    case END_FINISH:
        conn_send(conn, "refused", 7);
        conn_finish(conn, ERR_REFUSED, "finished in on_data");
        return 0;
    case END_ECHO:
        if (!conn_send(conn, bytes, size))
            return 0;
        break;
    case END_TAKE:
        break;
    }
    for (size_t i = 0; i < size; i++)
        end->in_order = end->in_order && bytes[i] == (uint8_t)(end->received + i);
    end->received += size;
    end->turn_received += size;
    if (end->turn_received > end->turn_received_max)
        end->turn_received_max = end->turn_received;
    return (ptrdiff_t)size;
}

static void on_drained(struct conn *conn, void *ctx)
{
    struct end *end = ctx;

    (void)conn;
    end->drained++;
}

static void on_close(struct conn *conn, void *ctx, const struct err *err)
{
    struct end *end = ctx;

    (void)conn;
    end->conn = NULL;
    end->closed++;
    end->err = *err;
}

const struct conn_ops rig_end_ops = {
    .on_open = on_open,
    .on_data = on_data,
    .on_drained = on_drained,
    .on_close = on_close,
};

static void on_accepted(struct conn *conn, void *ctx)
{
    struct rig *rig = ctx;
    struct end *end = &rig->ends[rig->end_count++ % RIG_ENDS];

    memset(end, 0, sizeof(*end));
    end->mode = rig->mode;
    conn_set_ctx(conn, end);
    on_open(conn, end);
}

static const struct conn_ops accepted_ops = {
    .on_open = on_accepted,
    .on_data = on_data,
    .on_drained = on_drained,
    .on_close = on_close,
};

static void on_turn(void *ctx)
{
    struct rig *rig = ctx;

    rig->turns++;
    for (unsigned i = 0; i < RIG_ENDS; i++)
        rig->ends[i].turn_received = 0;
}

void rig_open(struct rig *rig, const struct conn_options *options, uint32_t conn_max)
{
    struct listener_options listener = {
        .option_name = "--listen",
        .conn_max = conn_max,
        .ops = &accepted_ops,
        .ctx = rig,
        .conn = *options,
    };
    struct err err = {0};

    memset(rig, 0, sizeof(*rig));
    rig->options = *options;
    CU_ASSERT_EQUAL_FATAL(loop_open(&rig->loop, &err), 0);
    CU_ASSERT_EQUAL_FATAL(conns_open(&rig->conns, rig->loop, conn_max, &err), 0);
    CU_ASSERT_EQUAL_FATAL(address_parse(&listener.address, "127.0.0.1:0", &err), 0);
    CU_ASSERT_EQUAL_FATAL(listener_open(&rig->listener, rig->conns, &listener, &err), 0);
    loop_on_turn(rig->loop, on_turn, rig);
}

void rig_close(struct rig *rig)
{
    listener_close(rig->listener);
    conns_close(rig->conns);
    loop_close(rig->loop);
}

int rig_raw(struct rig *rig)
{
    const struct address *address = listener_address(rig->listener);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int done;

    CU_ASSERT_FATAL(fd >= 0);
    done = connect(fd, (const struct sockaddr *)(const void *)address->bytes, address->size);
    CU_ASSERT_FATAL(done == 0 || errno == EINPROGRESS);
    return fd;
}

struct end *rig_accepted(struct rig *rig, int *ret_raw)
{
    unsigned before = rig->end_count;

    *ret_raw = rig_raw(rig);
    while (rig->end_count == before)
        loop_step(rig->loop, 10);
    return &rig->ends[before % RIG_ENDS];
}

struct dialer_options rig_dialer_options(const struct rig *rig, struct end *end)
{
    struct dialer_options options = {
        .address = *listener_address(rig->listener),
        .connect_ms = 5000,
        .backoff_min_ms = 1,
        .backoff_max_ms = 8,
        .ops = &rig_end_ops,
        .ctx = end,
        .conn = rig->options,
    };

    return options;
}

size_t raw_write(int fd, size_t offset, size_t size)
{
    uint8_t bytes[16384];
    size_t total = 0;

    while (total < size) {
        size_t part = size - total < sizeof(bytes) ? size - total : sizeof(bytes);
        ssize_t put;

        for (size_t i = 0; i < part; i++)
            bytes[i] = (uint8_t)(offset + total + i);
        put = send(fd, bytes, part, MSG_NOSIGNAL);
        if (put <= 0)
            break;
        total += (size_t)put;
    }
    return total;
}

bool raw_drain(int fd, size_t *total)
{
    uint8_t bytes[16384];

    for (;;) {
        ssize_t got = recv(fd, bytes, sizeof(bytes), 0);

        if (got > 0)
            *total += (size_t)got;
        else if (got == 0)
            return true;
        else if (errno != EINTR)
            return errno != EAGAIN;
    }
}
