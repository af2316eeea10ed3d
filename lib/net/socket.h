/*
 * The addresses of net as the socket calls want them; for net's own files.
 */
#ifndef SETTLE_NET_SOCKET_H
#define SETTLE_NET_SOCKET_H

#include "net/address.h"

#include <sys/socket.h>

static inline const struct sockaddr *address_sockaddr(const struct address *address)
{
    return (const struct sockaddr *)(const void *)address->bytes;
}

static inline int address_family(const struct address *address)
{
    return address_sockaddr(address)->sa_family;
}

#endif
