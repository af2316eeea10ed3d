/*
 * A proxy before the server, on the test's loop: cuts one member off, or loses just the answer to
 * one kind of request after the server did it.
 */
#ifndef SETTLE_TESTS_CLUSTER_PROXY_H
#define SETTLE_TESTS_CLUSTER_PROXY_H

#include "net/dialer.h"
#include "net/listener.h"

#define PROXY_PAIRS  32
#define ZK_OP_CREATE 15 /* as zoo_acreate2() sends it */

struct proxy;

struct pair {
    struct proxy *proxy;
    struct conn *client, *server;
    struct dialer *dialer;
    bool used;
    bool swallow; /* the next answer is lost, and the connection with it */
};

struct proxy {
    struct conns *conns;
    struct listener *listener;
    struct address target;
    char address[ADDRESS_TEXT_SIZE]; /* where it listens */
    struct pair pairs[PROXY_PAIRS];
    bool frozen;         /* nothing passes, nothing is closed */
    const char *lose_of; /* lose the answers to creates whose path contains this; NULL: none */
    unsigned lose_max;   /* how many times */
    unsigned lost;
};

void proxy_open(struct proxy *proxy, struct loop *loop, const char *target);
void proxy_close(struct proxy *proxy);
void proxy_freeze(struct proxy *proxy, bool frozen);
/** Close what is open; new connections pass. */
void proxy_cut(struct proxy *proxy);

#endif
