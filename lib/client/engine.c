/* The engine's thread, its slots, and how callers hand requests over. */
#include "client/engine_internal.h"

#include "base/assert.h"
#include "base/random.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SLOT_END UINT32_MAX

/* ---- slots; under the lock ---- */

struct request *engine_take(struct engine *engine, uint64_t *ret_number, struct err *err)
{
    struct request *request = NULL;
    bool closing;

    pthread_mutex_lock(&engine->lock);
    closing = engine->closing;
    if (!closing && engine->free_head != SLOT_END) {
        request = &engine->requests[engine->free_head];
        engine->free_head = request->next;
        request->generation++;
        *ret_number = (uint64_t)request->generation << 32 |
                      ((uint64_t)(request - engine->requests) + 1);
    }
    pthread_mutex_unlock(&engine->lock);
    if (closing)
        err_set(err, ERR_CLOSED, "the handle is closing");
    else if (!request)
        err_set(err, ERR_BUSY, "%u requests are under way, which is in_flight_max",
                engine->options.in_flight_max);
    return request;
}

void engine_free_slot(struct engine *engine, struct request *request)
{
    pthread_mutex_lock(&engine->lock);
    request->next = engine->free_head;
    engine->free_head = (uint32_t)(request - engine->requests);
    pthread_mutex_unlock(&engine->lock);
}

void engine_drop(struct engine *engine, struct request *request)
{
    engine_free_slot(engine, request);
}

static int keep_frame(struct request *request, const uint8_t *frame, size_t size, struct err *err)
{
    if (request->frame_capacity < size) {
        uint8_t *larger = realloc(request->frame, size);

        if (!larger)
            return err_set(err, ERR_MEMORY, "cannot allocate %zu bytes for a request", size);
        request->frame = larger;
        request->frame_capacity = size;
    }
    memcpy(request->frame, frame, size);
    request->frame_size = size;
    return 0;
}

int engine_start(struct engine *engine, struct request *request, const struct request_spec *spec,
                 const uint8_t *frame, size_t size, struct err *err)
{
    uint32_t slot = (uint32_t)(request - engine->requests);
    int rc = keep_frame(request, frame, size, err);
    bool first;

    if (rc != 0) {
        engine_drop(engine, request);
        return rc;
    }
    request->kind = spec->kind;
    request->id = spec->id;
    request->timeout_ms = spec->timeout_ms;
    request->done = spec->done;
    request->ctx = spec->ctx;
    memcpy(request->address, spec->address, sizeof(request->address));
    pthread_mutex_lock(&engine->lock);
    request->next = SLOT_END;
    first = engine->handed_head == SLOT_END;
    if (first)
        engine->handed_head = slot;
    else
        engine->requests[engine->handed_tail].next = slot;
    engine->handed_tail = slot;
    pthread_mutex_unlock(&engine->lock);
    if (first)
        loop_wake_send(engine->wake);
    return 0;
}

/* ---- workspaces; under the lock ---- */

static struct workspace *workspace_make(void)
{
    struct workspace *workspace = calloc(1, sizeof(*workspace));
    uint8_t *memory;

    if (!workspace)
        return NULL;
    memory = malloc(2 * (size_t)WIRE_ARENA_SIZE + WIRE_FRAME_MAX +
                    (size_t)(PARTICIPANTS_MAX + READERS_MAX) * BRANCH_SIZE_MAX);
    if (!memory) {
        free(workspace);
        return NULL;
    }
    arena_init(&workspace->arena, memory, WIRE_ARENA_SIZE);
    arena_init(&workspace->scratch, memory + WIRE_ARENA_SIZE, WIRE_ARENA_SIZE);
    workspace->frame = memory + 2 * (size_t)WIRE_ARENA_SIZE;
    workspace->branches = workspace->frame + WIRE_FRAME_MAX;
    return workspace;
}

struct workspace *engine_workspace_take(struct engine *engine)
{
    struct workspace *workspace;

    pthread_mutex_lock(&engine->lock);
    workspace = engine->workspaces;
    if (workspace)
        engine->workspaces = workspace->next;
    pthread_mutex_unlock(&engine->lock);
    if (!workspace)
        workspace = workspace_make();
    if (workspace) {
        arena_reset(&workspace->arena);
        arena_reset(&workspace->scratch);
    }
    return workspace;
}

void engine_workspace_give(struct engine *engine, struct workspace *workspace)
{
    pthread_mutex_lock(&engine->lock);
    workspace->next = engine->workspaces;
    engine->workspaces = workspace;
    pthread_mutex_unlock(&engine->lock);
}

/* ---- what openers wait for ---- */

void engine_note_greeted(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    engine->greeted = true;
    pthread_cond_broadcast(&engine->changed);
    pthread_mutex_unlock(&engine->lock);
}

void engine_note_refused(struct engine *engine, int code, const char *text)
{
    pthread_mutex_lock(&engine->lock);
    engine->refusal_code = code;
    snprintf(engine->refusal, sizeof(engine->refusal), "%s", text);
    pthread_mutex_unlock(&engine->lock);
}

int engine_wait_ready(struct engine *engine, uint32_t wait_ms, struct err *err)
{
    struct timespec until;
    int rc = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&engine->lock);
    while (!engine->greeted && rc == 0)
        rc = pthread_cond_timedwait(&engine->changed, &engine->lock, &until);
    if (engine->greeted)
        rc = 0;
    else
        rc = err_set(err, engine->refusal_code != 0 ? engine->refusal_code : ERR_UNREACHABLE,
                     "no coordinator answered within %u ms%s%s", wait_ms,
                     engine->refusal[0] != '\0' ? "; the last said: " : "", engine->refusal);
    pthread_mutex_unlock(&engine->lock);
    return rc;
}

bool engine_is_own_thread(const struct engine *engine)
{
    return pthread_equal(pthread_self(), engine->thread) != 0;
}

/* ---- the thread ---- */

/* Requests that callers handed over since the last time, in their order. */
static void on_wake(void *ctx)
{
    struct engine *engine = ctx;
    uint32_t slot;
    bool closing;

    pthread_mutex_lock(&engine->lock);
    slot = engine->handed_head;
    engine->handed_head = SLOT_END;
    closing = engine->closing;
    pthread_mutex_unlock(&engine->lock);
    while (slot != SLOT_END) {
        struct request *request = &engine->requests[slot];

        slot = request->next;
        request_begin(engine, request);
    }
    if (closing)
        loop_stop(engine->loop);
}

static void on_turn(void *ctx)
{
    struct engine *engine = ctx;
    uint64_t next = timers_next(&engine->timers), now = loop_now_ms(engine->loop);

    if (next == TIMERS_NEVER)
        loop_timer_stop(engine->timer);
    else
        loop_timer_set(engine->timer, next > now ? next - now : 0);
}

static void on_coordinator(void *ctx, const struct cluster_member *member)
{
    struct engine *engine = ctx;

    if (member->presence == CLUSTER_LIVE)
        endpoint_add(engine, member->address, &member->node);
}

static void on_leader(void *ctx, uint16_t group, const struct node_name *node, uint64_t epoch)
{
    struct engine *engine = ctx;

    (void)epoch;
    if (group < GROUPS_MAX)
        request_leader_is(engine, group, endpoint_by_node(engine, node));
}

static void on_cluster_log(void *ctx, enum cluster_level level, const char *text)
{
    if (level != CLUSTER_INFO)
        engine_note_refused(ctx, ERR_UNREACHABLE, text);
}

static void on_refused(void *ctx, const struct err *err)
{
    engine_note_refused(ctx, ERR_PROTOCOL, err->text);
}

static const struct cluster_ops cluster_ops = {
    .on_coordinator = on_coordinator,
    .on_leader = on_leader,
    .on_refused = on_refused,
    .on_log = on_cluster_log,
};

static int open_discovery(struct engine *engine, struct err *err)
{
    struct cluster_options options = {
        .ensemble = engine->url.ensemble,
        .name = engine->url.cluster,
        .session_timeout_ms = engine->options.session_timeout_ms,
        .role = CLUSTER_CLIENT,
    };

    if (engine->url.zookeeper)
        return cluster_open(&engine->cluster, engine->loop, &options, &cluster_ops, engine, err);
    for (uint16_t i = 0; i < engine->url.host_count; i++) {
        char text[ADDRESS_TEXT_SIZE];

        endpoint_add(engine, address_format(&engine->url.hosts[i], text), NULL);
    }
    return 0;
}

static void *run(void *ctx)
{
    struct engine *engine = ctx;

    loop_run(engine->loop);
    request_fail_all(engine);
    /* Here, where SIGPIPE is blocked: the ZooKeeper client says goodbye to a server. */
    cluster_close(engine->cluster);
    engine->cluster = NULL;
    return NULL;
}

/* Signals are the application's, and so is what SIGPIPE does: none reaches the engine's thread. */
static int start_thread(struct engine *engine, struct err *err)
{
    sigset_t all, before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    rc = pthread_create(&engine->thread, NULL, run, engine);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        return err_set_errno(err, ERR_IO, rc, "cannot start a thread");
    engine->thread_runs = true;
    return 0;
}

static int allocate(struct engine *engine, struct err *err)
{
    uint32_t max = engine->options.in_flight_max;

    engine->requests = calloc(max, sizeof(*engine->requests));
    engine->timers_memory = calloc(1, timers_memory_size(max));
    engine->arena_memory = malloc(WIRE_ARENA_SIZE);
    if (!engine->requests || !engine->timers_memory || !engine->arena_memory)
        return err_set(err, ERR_MEMORY, "cannot allocate %u requests", max);
    timers_init(&engine->timers, engine->timers_memory, max);
    arena_init(&engine->arena, engine->arena_memory, WIRE_ARENA_SIZE);
    engine->free_head = 0;
    for (uint32_t i = 0; i < max; i++)
        engine->requests[i].next = i + 1 < max ? i + 1 : SLOT_END;
    for (uint16_t group = 0; group < GROUPS_MAX; group++)
        engine->leaders[group] = ENDPOINT_NONE;
    return 0;
}

static int open_loop(struct engine *engine, struct err *err)
{
    int rc = loop_open(&engine->loop, err);

    if (rc == 0)
        rc = conns_open(&engine->conns, engine->loop, ENDPOINTS_MAX * 2, err);
    if (rc != 0)
        return rc;
    engine->wake = loop_wake_open(engine->loop, on_wake, engine);
    engine->timer = loop_timer_open(engine->loop, request_tick, engine);
    if (!engine->wake || !engine->timer)
        return err_set(err, ERR_MEMORY, "cannot allocate timers");
    loop_on_turn(engine->loop, on_turn, engine);
    return 0;
}

static void init_lock(struct engine *engine)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&engine->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&engine->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

int engine_open(const struct url *url, const struct engine_options *options,
                struct engine **ret_engine, struct err *err)
{
    struct engine *engine = calloc(1, sizeof(*engine));
    int rc;

    if (!engine)
        return err_set(err, ERR_MEMORY, "cannot allocate a handle");
    engine->url = *url;
    engine->options = *options;
    engine->free_head = SLOT_END;
    engine->handed_head = SLOT_END;
    init_lock(engine);
    rc = allocate(engine, err);
    if (rc == 0)
        rc = random_bytes(&engine->process, sizeof(engine->process), err);
    if (rc == 0)
        rc = open_loop(engine, err);
    if (rc == 0)
        rc = open_discovery(engine, err);
    if (rc == 0)
        rc = start_thread(engine, err);
    if (rc != 0) {
        engine_close(engine);
        return rc;
    }
    *ret_engine = engine;
    return 0;
}

static void stop_thread(struct engine *engine)
{
    if (!engine->thread_runs)
        return;
    pthread_mutex_lock(&engine->lock);
    engine->closing = true;
    pthread_mutex_unlock(&engine->lock);
    loop_wake_send(engine->wake);
    pthread_join(engine->thread, NULL);
}

void engine_close(struct engine *engine)
{
    if (!engine)
        return;
    stop_thread(engine);
    if (engine->conns) {
        endpoint_close_all(engine);
        conns_close(engine->conns);
    }
    cluster_close(engine->cluster);
    loop_timer_close(engine->timer);
    loop_wake_close(engine->wake);
    loop_close(engine->loop);
    while (engine->workspaces) {
        struct workspace *next = engine->workspaces->next;

        free(engine->workspaces->arena.bytes);
        free(engine->workspaces);
        engine->workspaces = next;
    }
    for (uint32_t i = 0; engine->requests && i < engine->options.in_flight_max; i++)
        free(engine->requests[i].frame);
    free(engine->requests);
    free(engine->timers_memory);
    free(engine->arena_memory);
    pthread_cond_destroy(&engine->changed);
    pthread_mutex_destroy(&engine->lock);
    free(engine);
}
