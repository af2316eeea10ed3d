#include "net/listener.h"

#include "net/conn_internal.h"
#include "net/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ACCEPT_TURN_MAX 64   /* accepted in one iteration */
#define BACKLOG         1024 /* the kernel cuts it to its own limit */
#define PAUSE_MS        100  /* when accepting fails for want of resources */

struct listener {
    struct conns *conns;
    struct listener_options options;
    struct address address;
    struct event ev;
    struct loop_timer *pause;
    int fd;
    int reserve; /* a descriptor to give up when there are no others; -1: given up */
    uint32_t count;
    bool closed; /* freed when its last connection is gone */
};

static void listener_free_unused(struct listener *listener)
{
    if (listener->closed && listener->count == 0)
        free(listener);
}

static void on_gone(void *self, struct conn *conn, bool opened, const struct err *err)
{
    struct listener *listener = self;

    (void)conn;
    (void)opened;
    (void)err;
    listener->count--;
    listener_free_unused(listener);
}

static void on_pause_over(void *ctx)
{
    struct listener *listener = ctx;

    event_add(&listener->ev, NULL);
}

static void take_reserve(struct listener *listener)
{
    if (listener->reserve < 0)
        listener->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Without descriptors: use the one in reserve to turn the next caller away. False: not even that.
 */
static bool turn_away(struct listener *listener)
{
    int fd;

    if (listener->reserve < 0)
        return false;
    close(listener->reserve);
    listener->reserve = -1;
    fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0) {
        close(fd);
        listener->conns->stats.refused++;
    }
    take_reserve(listener);
    return fd >= 0;
}

static void accepted(struct listener *listener, int fd, const struct address *peer)
{
    struct conn_setup setup = {
        .fd = fd,
        .side = TRANSPORT_ACCEPTED,
        .peer = peer,
        .ops = listener->options.ops,
        .ctx = listener->options.ctx,
        .options = &listener->options.conn,
        .owner = {.gone = on_gone, .self = listener},
    };

    if (listener->count >= listener->options.conn_max) {
        close(fd);
        listener->conns->stats.refused++;
        return;
    }
    listener->count++; /* before on_open(), which may close the listener */
    if (!conn_open(listener->conns, &setup)) {
        listener->count--;
        listener->conns->stats.refused++;
    }
}

static void on_acceptable(evutil_socket_t fd, short what, void *ctx)
{
    struct listener *listener = ctx;

    (void)what;
    /* A callback of an accepted connection may close the listener; it is not freed before then. */
    for (int i = 0; i < ACCEPT_TURN_MAX && !listener->closed; i++) {
        struct address peer = {.size = 0};
        socklen_t size = sizeof(peer.bytes);
        int conn_fd = accept4(fd, (struct sockaddr *)(void *)peer.bytes, &size,
                              SOCK_NONBLOCK | SOCK_CLOEXEC);

        peer.size = (uint32_t)size;
        if (conn_fd >= 0) {
            accepted(listener, conn_fd, &peer);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            if (turn_away(listener))
                continue;
            event_del(&listener->ev);
            loop_timer_set(listener->pause, PAUSE_MS);
            return;
        }
        /* Anything else concerns the one caller that is gone already: accept(2), "Error handling".
         */
    }
}

static int bind_error(const struct listener_options *options, int errno_value, struct err *err)
{
    char text[ADDRESS_TEXT_SIZE];

    address_format(&options->address, text);
    if (errno_value == EADDRINUSE)
        return err_set(err, ERR_IO,
                       "cannot listen on %s: port %u is in use; choose another with %s", text,
                       (unsigned)address_port(&options->address), options->option_name);
    return err_set_errno(err, ERR_IO, errno_value, "cannot listen on %s (%s)", text,
                         options->option_name);
}

static int bind_socket(struct listener *listener, struct err *err)
{
    const struct address *address = &listener->options.address;
    socklen_t size = sizeof(listener->address.bytes);
    int on = 1;

    listener->fd = socket(address_family(address), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener->fd < 0)
        return err_set_errno(err, ERR_IO, errno, "cannot open a socket to listen on (%s)",
                             listener->options.option_name);
    setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (address_family(address) == AF_INET6)
        setsockopt(listener->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (bind(listener->fd, address_sockaddr(address), address->size) != 0 ||
        listen(listener->fd, BACKLOG) != 0 ||
        getsockname(listener->fd, (struct sockaddr *)(void *)listener->address.bytes, &size) != 0)
        return bind_error(&listener->options, errno, err);
    listener->address.size = (uint32_t)size;
    return 0;
}

int listener_open(struct listener **ret_listener, struct conns *conns,
                  const struct listener_options *options, struct err *err)
{
    struct listener *listener = calloc(1, sizeof(*listener));
    int code;

    if (!listener)
        return err_set(err, ERR_MEMORY, "no memory for a listener");
    listener->conns = conns;
    listener->options = *options;
    listener->fd = -1;
    listener->reserve = -1;
    listener->pause = loop_timer_open(conns->loop, on_pause_over, listener);
    code = listener->pause ? bind_socket(listener, err)
                           : err_set(err, ERR_MEMORY, "no memory for a listener");
    if (code != 0) {
        loop_timer_close(listener->pause);
        if (listener->fd >= 0)
            close(listener->fd);
        free(listener);
        return code;
    }
    take_reserve(listener);
    event_assign(&listener->ev, loop_event_base(conns->loop), listener->fd, EV_READ | EV_PERSIST,
                 on_acceptable, listener);
    event_add(&listener->ev, NULL);
    *ret_listener = listener;
    return 0;
}

void listener_close(struct listener *listener)
{
    if (!listener)
        return;
    event_del(&listener->ev);
    loop_timer_close(listener->pause);
    close(listener->fd);
    if (listener->reserve >= 0)
        close(listener->reserve);
    listener->closed = true;
    listener_free_unused(listener);
}

const struct address *listener_address(const struct listener *listener)
{
    return &listener->address;
}
