/*
 * The client's engine: one thread that keeps requests until they have their answer.
 *
 * A request is a frame, a deadline and a function to call. The engine finds a coordinator to send
 * it to (the one that leads its group, where that matters), sends it again when a connection ends
 * or a coordinator sends it elsewhere, and calls back exactly once: with an answer, or when the
 * time is over. The frame never changes, so a Submit sent twice has one digest.
 *
 * Functions marked "any thread" lock; everything else runs on the engine's thread.
 */
#ifndef SETTLE_CLIENT_ENGINE_H
#define SETTLE_CLIENT_ENGINE_H

#include "base/timers.h"
#include "client/url.h"
#include "cluster/cluster.h"
#include "net/dialer.h"
#include "wire/wire.h"

#include <pthread.h>

#define ENDPOINTS_MAX 32
#define ENDPOINT_NONE UINT16_MAX

struct engine;
struct request;

enum request_kind {
    REQUEST_SUBMIT = 1, /* goes to the leader of its group */
    REQUEST_OUTCOME,    /* likewise */
    REQUEST_ADMIN,      /* goes to any coordinator, or to the one named */
};

/* How a request ended. */
struct request_end {
    bool answered;                      /* false: time is over, or the engine closes */
    bool closing;                       /* not answered: the engine closes */
    bool sent;                          /* not answered: it may have been taken somewhere */
    const struct submit_result *result; /* SUBMIT, OUTCOME */
    const uint8_t *payload;             /* ADMIN: the response's frame, without its header */
    size_t payload_size;
};

typedef void request_done_fn(void *ctx, const struct request_end *answer);

/* What a caller fills in before engine_start(). */
struct request_spec {
    enum request_kind kind;
    struct id id;                    /* SUBMIT, OUTCOME */
    char address[ADDRESS_TEXT_SIZE]; /* ADMIN: only this coordinator; "" any */
    uint32_t timeout_ms;
    request_done_fn *done;
    void *ctx;
};

struct engine_options {
    uint32_t in_flight_max;
    uint32_t session_timeout_ms;
};

/** Start the thread, and dialing. ERR_USAGE, ERR_IO, ERR_MEMORY. */
int engine_open(const struct url *url, const struct engine_options *options,
                struct engine **ret_engine, struct err *err);

/** Complete what is under way as not answered, stop the thread, free. */
void engine_close(struct engine *engine);

/** Any thread: wait until a coordinator greeted us. ERR_UNREACHABLE, ERR_PROTOCOL. */
int engine_wait_ready(struct engine *engine, uint32_t wait_ms, struct err *err);

/** Any thread: true on the engine's own thread, where nothing may block. */
bool engine_is_own_thread(const struct engine *engine);

/**
 * Any thread: take a request slot and the number its frame must carry.
 *
 * NULL: ERR_BUSY (in_flight_max are under way), ERR_CLOSED. Follow with engine_start() or
 * engine_drop().
 */
struct request *engine_take(struct engine *engine, uint64_t *ret_number, struct err *err);

/** Any thread: start it. `frame` is copied. ERR_MEMORY: dropped. */
int engine_start(struct engine *engine, struct request *request, const struct request_spec *spec,
                 const uint8_t *frame, size_t size, struct err *err);

/** Any thread: give a slot back that was not started. */
void engine_drop(struct engine *engine, struct request *request);

/** Any thread: memory to encode and decode in, held until engine_workspace_give(). */
struct workspace {
    struct workspace *next;
    struct arena arena;
    struct arena scratch;
    uint8_t *frame;    /* WIRE_FRAME_MAX */
    uint8_t *branches; /* PARTICIPANTS_MAX + READERS_MAX branches of BRANCH_SIZE_MAX */
    struct branch branch;
};

struct workspace *engine_workspace_take(struct engine *engine);
void engine_workspace_give(struct engine *engine, struct workspace *workspace);

#endif
