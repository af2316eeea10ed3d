/* The text by which a client names its cluster. */
#ifndef SETTLE_CLIENT_URL_H
#define SETTLE_CLIENT_URL_H

#include "base/err.h"
#include "base/types.h"
#include "net/address.h"

#define URL_HOSTS_MAX 16
#define URL_TEXT_MAX  1024

struct url {
    bool zookeeper;                      /* zk://, else tcp:// */
    char ensemble[URL_TEXT_MAX];         /* zk: "HOST:PORT,HOST:PORT" */
    struct node_name cluster;            /* zk */
    struct address hosts[URL_HOSTS_MAX]; /* tcp: coordinators */
    uint16_t host_count;
};

/** Read it; looks names up, blocking. ERR_USAGE, ERR_UNREACHABLE with a sentence. */
int url_parse(const char *text, struct url *ret_url, struct err *err);

#endif
