/*
 * The TLS seam, with a toy in TLS's place: a handshake of two rounds, every byte turned over, and
 * input read ahead, so that bytes wait in the session where no event tells of them.
 */
#include "rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define AHEAD 512 /* read from the socket at once; handed out in pieces of at most PIECE */
#define PIECE 100

struct toy {
    enum transport_side side;
    bool said, heard;
    uint8_t ahead[AHEAD];
    size_t first, last;
};

static unsigned toys_open;

static void *toy_open(void *config, int fd, enum transport_side side)
{
    struct toy *toy = calloc(1, sizeof(*toy));

    (void)config;
    (void)fd;
    if (toy)
        toy->side = side;
    toys_open++;
    return toy;
}

/* The dialing side says 'c', the accepting side answers 's'; anything else fails. */
static enum transport_result toy_handshake(void *session, int fd, struct err *err)
{
    struct toy *toy = session;
    char own = toy->side == TRANSPORT_DIALED ? 'c' : 's', theirs;

    if (toy->side == TRANSPORT_DIALED && !toy->said) {
        if (send(fd, &own, 1, MSG_NOSIGNAL) != 1)
            return TRANSPORT_WANT_WRITE;
        toy->said = true;
    }
    if (!toy->heard) {
        ssize_t got = recv(fd, &theirs, 1, 0);

        if (got == 0)
            return TRANSPORT_END;
        if (got < 0)
            return TRANSPORT_WANT_READ;
        if (theirs == own) {
            err_set(err, ERR_PROTOCOL, "the toy handshake failed");
            return TRANSPORT_FAILED;
        }
        toy->heard = true;
    }
    if (!toy->said && send(fd, &own, 1, MSG_NOSIGNAL) != 1)
        return TRANSPORT_WANT_WRITE;
    toy->said = true;
    return TRANSPORT_READY;
}

static ssize_t toy_read(void *session, int fd, void *bytes, size_t size, struct err *err)
{
    struct toy *toy = session;
    uint8_t *out = bytes;
    size_t count;

    if (toy->first == toy->last) {
        ssize_t got = recv(fd, toy->ahead, AHEAD, 0);

        if (got == 0)
            return TRANSPORT_END;
        if (got < 0 && errno != EAGAIN)
            return err_set(err, ERR_IO, "broken"), TRANSPORT_FAILED;
        if (got < 0)
            return TRANSPORT_WANT_READ;
        toy->first = 0;
        toy->last = (size_t)got;
    }
    count = toy->last - toy->first < size ? toy->last - toy->first : size;
    count = count < PIECE ? count : PIECE;
    for (size_t i = 0; i < count; i++)
        out[i] = toy->ahead[toy->first++] ^ 0xff;
    return (ssize_t)count;
}

static ssize_t toy_write(void *session, int fd, const void *bytes, size_t size, struct err *err)
{
    const uint8_t *in = bytes;
    uint8_t turned[1000];
    ssize_t put;

    (void)session;
    size = size < sizeof(turned) ? size : sizeof(turned);
    for (size_t i = 0; i < size; i++)
        turned[i] = in[i] ^ 0xff;
    put = send(fd, turned, size, MSG_NOSIGNAL);
    if (put > 0)
        return put;
    if (errno == EAGAIN)
        return TRANSPORT_WANT_WRITE;
    err_set(err, ERR_IO, "broken");
    return TRANSPORT_FAILED;
}

static bool toy_pending(void *session)
{
    struct toy *toy = session;

    return toy->first < toy->last;
}

static void toy_close(void *session, int fd)
{
    (void)fd;
    free(session);
    toys_open--;
}

static const struct transport_ops toy_ops = {
    .open = toy_open,
    .handshake = toy_handshake,
    .read = toy_read,
    .write = toy_write,
    .pending = toy_pending,
    .close = toy_close,
    .has_session = true,
};

static const struct conn_options options = {
    .input_max = 64 * 1024,
    .output_max = 1024 * 1024,
    .turn_max = 150, /* less than is read ahead: the rest must be asked for */
    .transport = {.ops = &toy_ops},
};

static void streams_pass_through_the_seam(void)
{
    const size_t size = 200000;
    struct dialer_options dial;
    struct dialer *dialer;
    struct end client = {0};
    struct rig rig;
    struct err err;
    uint8_t *bytes = malloc(size);

    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)i;
    rig_open(&rig, &options, 4);
    rig.mode = END_ECHO;
    dial = rig_dialer_options(&rig, &client);
    CU_ASSERT_EQUAL_FATAL(dialer_open(&dialer, rig.conns, &dial, &err), 0);
    UNTIL(&rig, client.conn);
    CU_ASSERT_TRUE(conn_send(client.conn, bytes, size));
    UNTIL(&rig, client.received == size);
    CU_ASSERT_TRUE(client.in_order);
    CU_ASSERT(rig.ends[0].turn_received_max <= options.turn_max);
    dialer_close(dialer);
    rig_close(&rig);
    CU_ASSERT_EQUAL(toys_open, 0);
    free(bytes);
}

/* Who fails the handshake was never a connection: its owner hears nothing of it. */
static void failed_handshake_opens_nothing(void)
{
    struct rig rig;
    size_t got = 0;
    int raw;

    rig_open(&rig, &options, 4);
    raw = rig_raw(&rig);
    UNTIL(&rig, send(raw, "s", 1, MSG_NOSIGNAL) == 1);
    UNTIL(&rig, raw_drain(raw, &got));
    CU_ASSERT_EQUAL(rig.end_count, 0);
    CU_ASSERT_EQUAL(conns_stats(rig.conns)->accepted, 0);
    rig_close(&rig);
    CU_ASSERT_EQUAL(toys_open, 0);
}

CU_TestInfo transport_tests[] = {
    {"streams_pass_through_the_seam", streams_pass_through_the_seam},
    {"failed_handshake_opens_nothing", failed_handshake_opens_nothing},
    CU_TEST_INFO_NULL,
};
