#include "base/assert.h"
#include "net/conn_internal.h"

#include <stdlib.h>
#include <string.h>

static bool on_pending(void *ctx)
{
    const struct conns *conns = ctx;

    for (int list = 0; list < LIST_COUNT; list++) {
        if (conns->lists[list].first)
            return true;
    }
    return false;
}

/* Take the list as it stands: what is added meanwhile belongs to the next iteration. */
static struct conn *list_take(struct conns *conns, enum conn_list list)
{
    struct conn *first = conns->lists[list].first;

    conns->lists[list].first = NULL;
    conns->lists[list].last = NULL;
    return first;
}

/* Unlink `conn`, the first of a taken list, and return its successor. */
static struct conn *list_next(struct conn *conn, enum conn_list list)
{
    struct conn *next = conn->next[list];

    conn->next[list] = NULL;
    conn->listed[list] = false;
    return next;
}

void conns_list_add(struct conn *conn, enum conn_list list)
{
    struct conn_queue *queue = &conn->conns->lists[list];

    if (conn->listed[list])
        return;
    conn->listed[list] = true;
    conn->next[list] = NULL;
    if (queue->last)
        queue->last->next[list] = conn;
    else
        queue->first = conn;
    queue->last = conn;
}

/*
 * Reaping comes last, and frees only what is on no other list: a connection closed while it waits
 * for its turn is met there first, and skipped.
 */
static void on_begin(void *ctx)
{
    struct conns *conns = ctx;
    struct conn *conn = list_take(conns, LIST_AGAIN);

    while (conn) {
        struct conn *next = list_next(conn, LIST_AGAIN);

        conn_again(conn);
        conn = next;
    }
    conn = list_take(conns, LIST_CLOSING);
    while (conn) {
        struct conn *next = list_next(conn, LIST_CLOSING);

        if (conn->listed[LIST_DIRTY] || conn->listed[LIST_AGAIN])
            conns_list_add(conn, LIST_CLOSING);
        else
            conn_reap(conn);
        conn = next;
    }
}

static void on_end(void *ctx)
{
    struct conns *conns = ctx;
    struct conn *conn = list_take(conns, LIST_DIRTY);

    while (conn) {
        struct conn *next = list_next(conn, LIST_DIRTY);

        conn_flush(conn);
        conn = next;
    }
    conns->turn++;
}

int conns_open(struct conns **ret_conns, struct loop *loop, uint32_t conn_max, struct err *err)
{
    struct conns *conns = calloc(1, sizeof(*conns));

    if (conns)
        conns->all = calloc(conn_max, sizeof(struct conn *));
    if (!conns || !conns->all || !handles_init(&conns->handles, conn_max)) {
        if (conns)
            free(conns->all);
        free(conns);
        return err_set(err, ERR_MEMORY, "no memory for a table of %u connections",
                       (unsigned)conn_max);
    }
    conns->loop = loop;
    conns->turn = 1;
    conns->hook = (struct loop_hook){
        .pending = on_pending,
        .begin = on_begin,
        .end = on_end,
        .ctx = conns,
    };
    loop_hook_add(loop, &conns->hook);
    *ret_conns = conns;
    return 0;
}

void conns_close(struct conns *conns)
{
    if (!conns)
        return;
    for (uint32_t i = 0; i < conns->handles.slot_max; i++) {
        if (conns->all[i])
            conn_close(conns->all[i], ERR_CLOSED, "the process is shutting down");
    }
    for (uint32_t i = 0; i < conns->handles.slot_max; i++) {
        if (conns->all[i])
            conn_reap(conns->all[i]);
    }
    loop_hook_remove(conns->loop, &conns->hook);
    handles_release(&conns->handles);
    free(conns->all);
    free(conns);
}

struct conn *conns_take(struct conns *conns)
{
    struct conn *conn = calloc(1, sizeof(*conn));
    uint32_t slot = 0;

    if (conn)
        conn->handle = handles_take(&conns->handles);
    if (!conn || conn->handle == HANDLE_NONE) {
        free(conn);
        return NULL;
    }
    conn->conns = conns;
    ASSERT(handles_slot(&conns->handles, conn->handle, &slot));
    conns->all[slot] = conn;
    conns->stats.open_now++;
    return conn;
}

void conns_give_back(struct conn *conn)
{
    struct conns *conns = conn->conns;
    uint32_t slot = 0;

    ASSERT(handles_slot(&conns->handles, conn->handle, &slot) && conns->all[slot] == conn);
    handles_give_back(&conns->handles, conn->handle);
    conns->all[slot] = NULL;
    conns->stats.open_now--;
    conns->stats.closed++;
    free(conn);
}

struct conn *conns_find(struct conns *conns, uint32_t handle)
{
    uint32_t slot;

    if (!handles_slot(&conns->handles, handle, &slot) || conns->all[slot]->state == CONN_CLOSING)
        return NULL;
    return conns->all[slot];
}

const struct conns_stats *conns_stats(const struct conns *conns)
{
    return &conns->stats;
}

struct loop *conns_loop(struct conns *conns)
{
    return conns->loop;
}
