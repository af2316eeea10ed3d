/*
 * A real ZooKeeper server for tests, on a free port and in a temporary folder of its own.
 *
 * The server is our child: it ends with us, however we end. It can be stopped as a partition stops
 * it, killed as a crash kills it, started again on the same port and data, and set back to data
 * that was saved before. Where there is no Java or no ZooKeeper the test is skipped, saying so.
 *
 * raw_*: a few operations over ZooKeeper's wire protocol, blocking, for what a test does to the
 * servers behind our back; the client library is lib/cluster's alone.
 */
#ifndef SETTLE_TESTS_ZOOKEEPER_H
#define SETTLE_TESTS_ZOOKEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TEST_SKIPPED 77

struct zk_server {
    pid_t pid; /* 0: not running */
    uint16_t port;
    uint32_t tick_ms;
    char dir[64];
    char address[32]; /* "127.0.0.1:PORT" */
};

/** Start a server and wait until it serves. Ends the process (TEST_SKIPPED) where it cannot be. */
void zk_server_start(struct zk_server *server, uint32_t tick_ms);
/** End the server and remove its folder. */
void zk_server_stop(struct zk_server *server);

void zk_server_pause(struct zk_server *server);    /* SIGSTOP: as if cut off */
void zk_server_continue(struct zk_server *server); /* SIGCONT */
void zk_server_kill(struct zk_server *server);     /* SIGKILL, and reaped */
void zk_server_restart(struct zk_server *server);  /* after a kill; waits until it serves */

/** Keep a copy of the data, while killed. */
void zk_server_save(struct zk_server *server);
/** Put the copy back in place of the data, while killed. */
void zk_server_restore(struct zk_server *server);

/** The session that owns an ephemeral node; 0 if there is no such node. */
int64_t zk_server_owner(struct zk_server *server, const char *path);
/** How many ephemeral nodes there are below this path. */
unsigned zk_server_count(struct zk_server *server, const char *below);
/** End somebody's session, as if the servers had given it up. */
void zk_server_expire(struct zk_server *server, int64_t session);

/** One operation in a session of its own. True iff the server did it. */
bool zk_raw_create(struct zk_server *server, const char *path, const char *value);
bool zk_raw_remove(struct zk_server *server, const char *path);

#endif
