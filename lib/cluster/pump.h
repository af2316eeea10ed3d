/*
 * The pump: one ZooKeeper handle, driven by the loop; for cluster's own files.
 *
 * The single-threaded client closes and reopens its socket inside any of its calls, the sending
 * ones included, and says nothing of it. A libevent event registered for the old socket would then
 * never fire for the new one. So everything happens in the pump's turn: the event is removed, the
 * library works, operations are sent, and a fresh event is added. An operation sent outside the
 * turn is an assertion.
 *
 * A pump is one session at most: an expired one is closed and another is opened.
 */
#ifndef SETTLE_CLUSTER_PUMP_H
#define SETTLE_CLUSTER_PUMP_H

#include "base/err.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pump;

enum pump_state {
    PUMP_CONNECTING = 1,
    PUMP_CONNECTED = 2,
    PUMP_EXPIRED = 3, /* for good: nothing can be sent any more */
};

enum pump_event {
    PUMP_CREATED = 1,
    PUMP_DELETED,
    PUMP_CHANGED,
    PUMP_CHILDREN,
};

/* What became of an operation, as far as its caller must tell apart. */
enum pump_code {
    PUMP_OK = 0,
    PUMP_NO_NODE,
    PUMP_NODE_EXISTS,
    PUMP_BAD_VERSION,
    PUMP_UNKNOWN, /* lost on the way: it may have happened or not */
    PUMP_FAILED,  /* refused by the servers or by the client library; `text` says why */
};

/* The answer to an operation; what it points to lives until the callback returns. */
struct pump_result {
    enum pump_code code;
    const char *text;  /* the client library's words for the code */
    uint64_t sent_ms;  /* loop_now_ms() when it was sent */
    const char *path;  /* create: of the new node, with its sequence */
    const char *value; /* get */
    size_t value_size; /* get */
    uint64_t created;  /* create, get, exists: the creation zxid */
    int64_t owner;     /* create, get, exists: the session an ephemeral node belongs to, or 0 */
    int32_t version;   /* get, exists */
    const char *const *children; /* children */
    uint32_t child_count;
};

/* `number` is what the caller gave with the operation. */
typedef void pump_done(void *ctx, uint32_t number, const struct pump_result *result);

struct pump_ops {
    /* A session begins, or one goes on over a new connection: what was asked for may be lost. */
    void (*on_connected)(void *ctx);
    /* A watch was hit. It is gone; the same path must be watched again. */
    void (*on_event)(void *ctx, enum pump_event event, const char *path);
    /* After the library worked: the place to look at pump_state() and to send operations. */
    void (*on_turn)(void *ctx);
    /* A line of the client library; `error` as it calls it. */
    void (*on_log)(void *ctx, bool error, const char *text);
};

struct pump_options {
    struct loop *loop;
    const char *ensemble;
    uint32_t timeout_ms; /* of the session; the servers may change it */
    const struct pump_ops *ops;
    void *ctx;
};

/** Begin a session. ERR_USAGE when the ensemble's text is malformed or a name is unknown. */
int pump_open(struct pump **ret_pump, const struct pump_options *options, struct err *err);

/**
 * End the session. Accepts NULL. No callback follows: operations under way are forgotten.
 *
 * Blocks up to 1.5 s while it waits for the servers' answer, unless the session is expired. It may
 * be called in on_turn(), but not from an operation's or a watch's callback.
 */
void pump_close(struct pump *pump);

/** Have a turn in the next iteration. */
void pump_kick(struct pump *pump);

enum pump_state pump_state(const struct pump *pump);
int64_t pump_session(const struct pump *pump);     /* valid once connected */
uint32_t pump_timeout_ms(const struct pump *pump); /* as negotiated, once connected */

/* What an operation is sent with. `path` and `value` are copied. */
struct pump_call {
    const char *path;
    const char *value;
    size_t value_size;
    bool watch;      /* get, children: of what is there; exists: also of what is not */
    bool ephemeral;  /* create */
    bool sequential; /* create */
    int32_t version; /* set, remove; -1: any */
    pump_done *done; /* called exactly once, unless the pump is closed first */
    void *ctx;
    uint32_t number;
};

/* In a turn only, and while connected. Always answered through `done`, never from within. */
void pump_create(struct pump *pump, const struct pump_call *call);
void pump_get(struct pump *pump, const struct pump_call *call);
void pump_exists(struct pump *pump, const struct pump_call *call);
void pump_children(struct pump *pump, const struct pump_call *call);
void pump_set(struct pump *pump, const struct pump_call *call);
void pump_remove(struct pump *pump, const struct pump_call *call);

#endif
