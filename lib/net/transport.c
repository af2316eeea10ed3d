#include "net/transport.h"

#include <errno.h>
#include <sys/socket.h>

static void *plain_open(void *config, int fd, enum transport_side side)
{
    (void)config;
    (void)fd;
    (void)side;
    return NULL;
}

static enum transport_result plain_handshake(void *session, int fd, struct err *err)
{
    (void)session;
    (void)fd;
    (void)err;
    return TRANSPORT_READY;
}

static bool would_block(int errno_value)
{
    return errno_value == EAGAIN || errno_value == EWOULDBLOCK || errno_value == EINTR;
}

static ssize_t plain_read(void *session, int fd, void *bytes, size_t size, struct err *err)
{
    ssize_t got = recv(fd, bytes, size, 0);

    (void)session;
    if (got > 0)
        return got;
    if (got == 0)
        return TRANSPORT_END;
    if (would_block(errno))
        return TRANSPORT_WANT_READ;
    err_set_errno(err, ERR_IO, errno, "cannot read");
    return TRANSPORT_FAILED;
}

static ssize_t plain_write(void *session, int fd, const void *bytes, size_t size, struct err *err)
{
    ssize_t put = send(fd, bytes, size, MSG_NOSIGNAL);

    (void)session;
    if (put > 0)
        return put;
    if (put < 0 && !would_block(errno)) {
        err_set_errno(err, ERR_IO, errno, "cannot write");
        return TRANSPORT_FAILED;
    }
    return TRANSPORT_WANT_WRITE;
}

static bool plain_pending(void *session)
{
    (void)session;
    return false;
}

static void plain_close(void *session, int fd)
{
    (void)session;
    (void)fd;
}

static const struct transport_ops plain_ops = {
    .open = plain_open,
    .handshake = plain_handshake,
    .read = plain_read,
    .write = plain_write,
    .pending = plain_pending,
    .close = plain_close,
    .has_session = false,
};

const struct transport transport_plain = {.ops = &plain_ops, .config = NULL};
