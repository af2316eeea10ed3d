#include "cluster/pump.h"

#include "base/assert.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <zookeeper/zookeeper.h>

#define PROCESS_MAX 64 /* packets taken in one turn: others on the loop have a turn too */

/* An operation under way. The library has its address until it calls back. */
struct op {
    struct pump *pump;
    struct op *next, *prev;
    pump_done *done;
    void *ctx;
    uint32_t number;
    uint64_t sent_ms;
    int refused; /* the library's answer when it did not take the operation */
};

struct pump {
    struct loop *loop;
    zhandle_t *zh;
    const struct pump_ops *ops;
    void *ctx;
    struct event ev;
    bool armed;
    bool in_turn;
    bool in_library; /* within zookeeper_process(): completions and watches run */
    bool expired;
    bool closing;
    bool *gone; /* the turn's own flag, set when pump_close() frees us under it */
    bool connected_anew;
    struct op *ops_first; /* all operations under way */
    struct op *refused;   /* those the library did not take, to be answered in the next turn */
};

/* The library's log callback has no context; a thread is in one pump's call at a time. */
static _Thread_local struct pump *logging;

static void on_library_log(const char *line)
{
    struct pump *pump = logging;
    const char *text = line;
    bool error = strstr(line, "ZOO_ERROR@") != NULL;

    if (!pump || pump->closing)
        return;
    /* "date:pid:LEVEL@function@line: text" */
    for (int at = 0; at < 2 && text; at++) {
        text = strchr(text, '@');
        text = text ? text + 1 : NULL;
    }
    text = text ? strstr(text, ": ") : NULL;
    pump->ops->on_log(pump->ctx, error, text ? text + 2 : line);
}

static void on_library_event(zhandle_t *zh, int type, int state, const char *path, void *ctx)
{
    struct pump *pump = ctx;

    (void)zh;
    if (pump->closing)
        return;
    if (type == ZOO_SESSION_EVENT) {
        /* Told again when the connection was lost and made between two looks at zoo_state(). */
        if (state == ZOO_CONNECTED_STATE)
            pump->connected_anew = true;
        return;
    }
    if (type == ZOO_CREATED_EVENT)
        pump->ops->on_event(pump->ctx, PUMP_CREATED, path);
    else if (type == ZOO_DELETED_EVENT)
        pump->ops->on_event(pump->ctx, PUMP_DELETED, path);
    else if (type == ZOO_CHANGED_EVENT)
        pump->ops->on_event(pump->ctx, PUMP_CHANGED, path);
    else if (type == ZOO_CHILD_EVENT)
        pump->ops->on_event(pump->ctx, PUMP_CHILDREN, path);
}

static void turn(struct pump *pump, int fd, int events);

static void on_event(evutil_socket_t fd, short what, void *ctx)
{
    struct pump *pump = ctx;
    int events = 0;

    pump->armed = false; /* one-shot */
    if (what & EV_READ)
        events |= ZOOKEEPER_READ;
    if (what & EV_WRITE)
        events |= ZOOKEEPER_WRITE;
    turn(pump, fd, events);
}

static void disarm(struct pump *pump)
{
    if (pump->armed)
        event_del(&pump->ev);
    pump->armed = false;
}

/* Ask the library what it waits for, and wait for that. The event is always a fresh one. */
static void arm(struct pump *pump)
{
    struct timeval tv = {0, 0};
    int fd = -1, interest = 0;
    short what = 0;
    int rc;

    ASSERT(!pump->armed);
    if (pump->expired)
        return;
    rc = zookeeper_interest(pump->zh, &fd, &interest, &tv);
    if (rc == ZINVALIDSTATE) {
        pump->expired = true;
        tv = (struct timeval){0, 0}; /* a last turn, to tell of it */
        fd = -1;
    } else if (rc != ZOK) {
        fd = -1; /* set before the library closed it */
        if (tv.tv_sec == 0 && tv.tv_usec < 1000)
            tv.tv_usec = 1000;
    }
    if (pump->refused)
        tv = (struct timeval){0, 0};
    if (fd >= 0 && (interest & ZOOKEEPER_READ))
        what |= EV_READ;
    if (fd >= 0 && (interest & ZOOKEEPER_WRITE))
        what |= EV_WRITE;
    event_assign(&pump->ev, loop_event_base(pump->loop), fd, what, on_event, pump);
    event_add(&pump->ev, &tv);
    pump->armed = true;
}

static void op_answer(struct op *op, struct pump_result *result);

static void answer_refused(struct pump *pump)
{
    struct op *op = pump->refused;

    pump->refused = NULL;
    while (op) {
        struct op *next = op->next;
        struct pump_result result = {
            .code = op->refused == ZINVALIDSTATE ? PUMP_UNKNOWN : PUMP_FAILED,
            .text = zerror(op->refused),
        };

        op_answer(op, &result);
        op = next;
    }
}

/*
 * Take what the socket holds. The library is asked to read only where there is something: asked in
 * vain, it allocates a buffer for the next message, and loses it when the connection breaks.
 */
static void process(struct pump *pump, int fd, int events)
{
    struct pollfd socket = {.fd = fd, .events = POLLIN};

    for (int i = 0; events != 0 && i < PROCESS_MAX; i++) {
        if (zookeeper_process(pump->zh, events) != ZOK)
            break;
        events = poll(&socket, 1, 0) == 1 ? ZOOKEEPER_READ : 0;
    }
}

static void turn(struct pump *pump, int fd, int events)
{
    bool gone = false;

    ASSERT(!pump->in_turn);
    disarm(pump);
    pump->in_turn = true;
    pump->gone = &gone;
    logging = pump;
    pump->in_library = true;
    process(pump, fd, events);
    answer_refused(pump);
    pump->in_library = false;
    if (is_unrecoverable(pump->zh))
        pump->expired = true;
    if (pump->connected_anew && pump_state(pump) == PUMP_CONNECTED) {
        pump->connected_anew = false;
        pump->ops->on_connected(pump->ctx);
    }
    pump->ops->on_turn(pump->ctx);
    if (gone)
        return;
    logging = pump; /* a callback may have driven another pump */
    arm(pump);
    logging = NULL;
    pump->gone = NULL;
    pump->in_turn = false;
}

int pump_open(struct pump **ret_pump, const struct pump_options *options, struct err *err)
{
    struct pump *pump = calloc(1, sizeof(*pump));

    if (!pump)
        return err_set(err, ERR_MEMORY, "no memory for a ZooKeeper session");
    pump->loop = options->loop;
    pump->ops = options->ops;
    pump->ctx = options->ctx;
    zoo_set_debug_level(ZOO_LOG_LEVEL_WARN);
    logging = pump;
    pump->closing = true; /* no callback before we return */
    pump->zh = zookeeper_init2(options->ensemble, on_library_event, (int)options->timeout_ms, NULL,
                               pump, ZOO_NO_LOG_CLIENTENV, on_library_log);
    pump->closing = false;
    logging = NULL;
    if (!pump->zh) {
        free(pump);
        return err_set(err, ERR_USAGE,
                       "cannot use the ZooKeeper ensemble '%s': write it as HOST:PORT[,HOST:PORT], "
                       "with names that can be looked up",
                       options->ensemble);
    }
    zoo_set_servers_resolution_delay(pump->zh, -1); /* looking names up again would block */
    pump_kick(pump);
    *ret_pump = pump;
    return 0;
}

void pump_close(struct pump *pump)
{
    if (!pump)
        return;
    ASSERT(!pump->in_library);
    disarm(pump);
    pump->closing = true;
    logging = pump;
    zookeeper_close(pump->zh);
    logging = NULL;
    while (pump->ops_first) {
        struct op *op = pump->ops_first;

        pump->ops_first = op->next;
        free(op);
    }
    while (pump->refused) {
        struct op *op = pump->refused;

        pump->refused = op->next;
        free(op);
    }
    if (pump->gone)
        *pump->gone = true;
    free(pump);
}

void pump_kick(struct pump *pump)
{
    static const struct timeval at_once = {0, 0};

    if (pump->in_turn)
        return;
    disarm(pump);
    event_assign(&pump->ev, loop_event_base(pump->loop), -1, 0, on_event, pump);
    event_add(&pump->ev, &at_once);
    pump->armed = true;
}

enum pump_state pump_state(const struct pump *pump)
{
    if (pump->expired)
        return PUMP_EXPIRED;
    return zoo_state(pump->zh) == ZOO_CONNECTED_STATE ? PUMP_CONNECTED : PUMP_CONNECTING;
}

int64_t pump_session(const struct pump *pump)
{
    return zoo_client_id(pump->zh)->client_id;
}

uint32_t pump_timeout_ms(const struct pump *pump)
{
    return (uint32_t)zoo_recv_timeout(pump->zh);
}

static enum pump_code code_of(int rc)
{
    switch (rc) {
    case ZOK:
        return PUMP_OK;
    case ZNONODE:
        return PUMP_NO_NODE;
    case ZNODEEXISTS:
        return PUMP_NODE_EXISTS;
    case ZBADVERSION:
        return PUMP_BAD_VERSION;
    case ZCONNECTIONLOSS:
    case ZOPERATIONTIMEOUT:
    case ZCLOSING:
    case ZRUNTIMEINCONSISTENCY:
    case ZSESSIONEXPIRED:
    case ZSESSIONMOVED:
    case ZINVALIDSTATE:
        return PUMP_UNKNOWN;
    default:
        return PUMP_FAILED;
    }
}

static void op_unlink(struct op *op)
{
    if (op->next)
        op->next->prev = op->prev;
    if (op->prev)
        op->prev->next = op->next;
    else
        op->pump->ops_first = op->next;
}

static void op_answer(struct op *op, struct pump_result *result)
{
    result->sent_ms = op->sent_ms;
    if (!op->pump->closing)
        op->done(op->ctx, op->number, result);
    free(op);
}

/* The library calls back: the operation is over. Completions are const in its eyes, not in ours. */
static void op_done(const void *data, int rc, struct pump_result *result)
{
    struct op *op = (struct op *)(uintptr_t)data;

    result->code = code_of(rc);
    result->text = zerror(rc);
    op_unlink(op);
    op_answer(op, result);
}

static void set_stat(struct pump_result *result, const struct Stat *stat)
{
    if (!stat)
        return;
    result->created = (uint64_t)stat->czxid;
    result->owner = stat->ephemeralOwner;
    result->version = stat->version;
}

static void on_created(int rc, const char *path, const struct Stat *stat, const void *data)
{
    struct pump_result result = {.path = path};

    set_stat(&result, stat);
    op_done(data, rc, &result);
}

static void on_got(int rc, const char *value, int size, const struct Stat *stat, const void *data)
{
    struct pump_result result = {.value = value, .value_size = size > 0 ? (size_t)size : 0};

    set_stat(&result, stat);
    op_done(data, rc, &result);
}

static void on_stat(int rc, const struct Stat *stat, const void *data)
{
    struct pump_result result = {.path = NULL};

    set_stat(&result, stat);
    op_done(data, rc, &result);
}

static void on_listed(int rc, const struct String_vector *list, const void *data)
{
    struct pump_result result = {.path = NULL};

    if (rc == ZOK && list) {
        result.children = (const char *const *)list->data;
        result.child_count = (uint32_t)list->count;
    }
    op_done(data, rc, &result);
}

static void on_removed(int rc, const void *data)
{
    struct pump_result result = {.path = NULL};

    op_done(data, rc, &result);
}

/* An operation on its way, before the library is asked: it may call back from within. */
static struct op *op_begin(struct pump *pump, const struct pump_call *call)
{
    struct op *op = calloc(1, sizeof(*op));

    ASSERT(op && pump->in_turn && !pump->in_library);
    op->pump = pump;
    op->done = call->done;
    op->ctx = call->ctx;
    op->number = call->number;
    op->sent_ms = loop_now_ms(pump->loop);
    op->next = pump->ops_first;
    if (op->next)
        op->next->prev = op;
    pump->ops_first = op;
    return op;
}

/* The library did not take it, and will not call back: we do, in the next turn. */
static void op_sent(struct op *op, int rc)
{
    if (rc == ZOK)
        return;
    op_unlink(op);
    op->refused = rc;
    op->next = op->pump->refused;
    op->pump->refused = op;
}

void pump_create(struct pump *pump, const struct pump_call *call)
{
    struct op *op = op_begin(pump, call);
    int mode = call->ephemeral ? ZOO_EPHEMERAL : ZOO_PERSISTENT;

    if (call->sequential)
        mode = call->ephemeral ? ZOO_EPHEMERAL_SEQUENTIAL : ZOO_PERSISTENT_SEQUENTIAL;
    op_sent(op, zoo_acreate2(pump->zh, call->path, call->value, (int)call->value_size,
                             &ZOO_OPEN_ACL_UNSAFE, mode, on_created, op));
}

void pump_get(struct pump *pump, const struct pump_call *call)
{
    struct op *op = op_begin(pump, call);

    op_sent(op, zoo_aget(pump->zh, call->path, call->watch, on_got, op));
}

void pump_exists(struct pump *pump, const struct pump_call *call)
{
    struct op *op = op_begin(pump, call);

    op_sent(op, zoo_aexists(pump->zh, call->path, call->watch, on_stat, op));
}

void pump_children(struct pump *pump, const struct pump_call *call)
{
    struct op *op = op_begin(pump, call);

    op_sent(op, zoo_aget_children(pump->zh, call->path, call->watch, on_listed, op));
}

void pump_set(struct pump *pump, const struct pump_call *call)
{
    struct op *op = op_begin(pump, call);

    op_sent(op, zoo_aset(pump->zh, call->path, call->value, (int)call->value_size, call->version,
                         on_stat, op));
}

void pump_remove(struct pump *pump, const struct pump_call *call)
{
    struct op *op = op_begin(pump, call);

    op_sent(op, zoo_adelete(pump->zh, call->path, call->version, on_removed, op));
}
