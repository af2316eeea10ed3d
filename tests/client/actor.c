#include "client/actor.h"

#include "support/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define CONNECTIONS_MAX 64
#define WAIT_S          10

static void send_frame(struct actor *actor, struct conn *conn, const struct envelope *envelope,
                       bool half)
{
    int size;

    arena_reset(&actor->scratch);
    size = wire_encode(&actor->scratch, envelope, actor->frame, WIRE_FRAME_MAX);
    if (size > 0)
        conn_send(conn, actor->frame, (size_t)size / (half ? 2 : 1));
}

void actor_send(struct actor *actor, struct conn *conn, const struct envelope *envelope)
{
    send_frame(actor, conn, envelope, false);
}

static void on_hello(struct actor *actor, struct conn *conn)
{
    struct envelope envelope;

    pthread_mutex_lock(&actor->lock);
    actor->hellos++;
    pthread_mutex_unlock(&actor->lock);
    memset(&envelope, 0, sizeof(envelope));
    if (actor->options.refuse_hello) {
        envelope.kind = WIRE_REFUSED;
        envelope.refused.code = REFUSED_VERSION;
        snprintf(envelope.refused.text, sizeof(envelope.refused.text), "too old for us");
        send_frame(actor, conn, &envelope, false);
        conn_finish(conn, ERR_REFUSED, "refused");
        return;
    }
    envelope.kind = WIRE_WELCOME;
    envelope.hello.version = PROTOCOL_VERSION;
    envelope.hello.role = HELLO_COORDINATOR;
    envelope.hello.groups = ACTOR_GROUPS;
    node_name_parse(&envelope.hello.cluster, "stage", 5);
    node_name_parse(&envelope.hello.node, actor->options.node, strlen(actor->options.node));
    memset(&envelope.hello.cluster_guid, actor->options.cluster_byte, sizeof(struct guid));
    memset(&envelope.hello.process, 1, sizeof(struct guid));
    conn_greeted(conn);
    send_frame(actor, conn, &envelope, false);
}

static void keep_frame(struct actor *actor, const uint8_t *payload, size_t size)
{
    struct kept_frame *kept;

    pthread_mutex_lock(&actor->lock);
    if (actor->kept_count < ACTOR_FRAMES) {
        kept = &actor->kept[actor->kept_count];
        kept->bytes = malloc(size);
        kept->size = size;
        if (kept->bytes) {
            memcpy(kept->bytes, payload, size);
            actor->kept_count++;
        }
    }
    pthread_mutex_unlock(&actor->lock);
}

static int on_payload(struct actor *actor, struct conn *conn, const uint8_t *payload, size_t size,
                      struct err *err)
{
    struct envelope envelope;
    int rc;

    arena_reset(&actor->arena);
    rc = wire_decode(&actor->arena, payload, size, &envelope, err);
    if (rc != 0)
        return rc;
    if (envelope.kind == WIRE_HELLO) {
        on_hello(actor, conn);
        return 0;
    }
    keep_frame(actor, payload, size);
    if (actor->options.script)
        actor->options.script(actor, conn, &envelope);
    /* Counted when the script has run, so that who waits finds what it did. */
    pthread_mutex_lock(&actor->lock);
    actor->requests++;
    pthread_cond_broadcast(&actor->changed);
    pthread_mutex_unlock(&actor->lock);
    return 0;
}

static void on_open(struct conn *conn, void *ctx)
{
    (void)conn;
    (void)ctx;
}

static ptrdiff_t on_data(struct conn *conn, void *ctx, const uint8_t *bytes, size_t size,
                         struct err *err)
{
    size_t done = 0, payload_size;
    const uint8_t *payload;

    for (;;) {
        int used = frame_next(bytes + done, size - done, FRAME_SIZE_MAX, &payload, &payload_size,
                              err);
        int rc = used > 0 ? on_payload(ctx, conn, payload, payload_size, err) : used;

        if (rc < 0)
            return rc;
        if (used == 0)
            return (ptrdiff_t)done;
        done += (size_t)used;
    }
}

static void on_close(struct conn *conn, void *ctx, const struct err *err)
{
    (void)conn;
    (void)ctx;
    (void)err;
}

static const struct conn_ops ops = {.on_open = on_open, .on_data = on_data, .on_close = on_close};

static void on_wake(void *ctx)
{
    struct actor *actor = ctx;
    bool dead, stop;

    pthread_mutex_lock(&actor->lock);
    dead = actor->asked_dead && !actor->is_dead;
    stop = actor->asked_stop;
    pthread_mutex_unlock(&actor->lock);
    if (dead) {
        listener_close(actor->listener);
        actor->listener = NULL;
        conns_close(actor->conns);
        actor->conns = NULL;
        pthread_mutex_lock(&actor->lock);
        actor->is_dead = true;
        pthread_cond_broadcast(&actor->changed);
        pthread_mutex_unlock(&actor->lock);
    }
    if (stop)
        loop_stop(actor->loop);
}

static void *run(void *ctx)
{
    struct actor *actor = ctx;

    loop_run(actor->loop);
    return NULL;
}

void actor_open(struct actor *actor, const struct actor_options *options)
{
    struct listener_options listen = {
        .option_name = "--listen",
        .conn_max = CONNECTIONS_MAX,
        .ops = &ops,
        .ctx = actor,
        .conn = {.input_max = CONN_INPUT_DEFAULT,
                 .output_max = CONN_OUTPUT_DEFAULT,
                 .turn_max = CONN_TURN_DEFAULT},
    };

    memset(actor, 0, sizeof(*actor));
    actor->options = *options;
    pthread_mutex_init(&actor->lock, NULL);
    pthread_cond_init(&actor->changed, NULL);
    actor->memory = malloc(2 * (size_t)WIRE_ARENA_SIZE + WIRE_FRAME_MAX);
    CU_ASSERT_PTR_NOT_NULL_FATAL(actor->memory);
    arena_init(&actor->arena, actor->memory, WIRE_ARENA_SIZE);
    arena_init(&actor->scratch, (uint8_t *)actor->memory + WIRE_ARENA_SIZE, WIRE_ARENA_SIZE);
    actor->frame = (uint8_t *)actor->memory + 2 * (size_t)WIRE_ARENA_SIZE;
    CU_ASSERT_FATAL(loop_open(&actor->loop, NULL) == 0);
    CU_ASSERT_FATAL(conns_open(&actor->conns, actor->loop, CONNECTIONS_MAX, NULL) == 0);
    CU_ASSERT_FATAL(address_parse(&listen.address, "127.0.0.1:0", NULL) == 0);
    CU_ASSERT_FATAL(listener_open(&actor->listener, actor->conns, &listen, NULL) == 0);
    address_format(listener_address(actor->listener), actor->address);
    actor->wake = loop_wake_open(actor->loop, on_wake, actor);
    CU_ASSERT_PTR_NOT_NULL_FATAL(actor->wake);
    CU_ASSERT_FATAL(pthread_create(&actor->thread, NULL, run, actor) == 0);
}

void actor_kill(struct actor *actor)
{
    pthread_mutex_lock(&actor->lock);
    actor->asked_dead = true;
    pthread_mutex_unlock(&actor->lock);
    loop_wake_send(actor->wake);
    pthread_mutex_lock(&actor->lock);
    while (!actor->is_dead)
        pthread_cond_wait(&actor->changed, &actor->lock);
    pthread_mutex_unlock(&actor->lock);
}

void actor_close(struct actor *actor)
{
    pthread_mutex_lock(&actor->lock);
    actor->asked_stop = true;
    pthread_mutex_unlock(&actor->lock);
    loop_wake_send(actor->wake);
    pthread_join(actor->thread, NULL);
    listener_close(actor->listener);
    conns_close(actor->conns);
    loop_wake_close(actor->wake);
    loop_close(actor->loop);
    for (unsigned i = 0; i < actor->kept_count; i++)
        free(actor->kept[i].bytes);
    free(actor->memory);
    pthread_cond_destroy(&actor->changed);
    pthread_mutex_destroy(&actor->lock);
}

bool actor_wait(struct actor *actor, unsigned requests)
{
    struct timespec until;
    bool enough;
    int rc = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    pthread_mutex_lock(&actor->lock);
    while (actor->requests < requests && rc == 0)
        rc = pthread_cond_timedwait(&actor->changed, &actor->lock, &until);
    enough = actor->requests >= requests;
    pthread_mutex_unlock(&actor->lock);
    return enough;
}

unsigned actor_requests(struct actor *actor)
{
    unsigned requests;

    pthread_mutex_lock(&actor->lock);
    requests = actor->requests;
    pthread_mutex_unlock(&actor->lock);
    return requests;
}

unsigned actor_number(struct actor *actor)
{
    return actor_requests(actor);
}

const char *actor_url(const struct actor *one, const struct actor *two, char text[ACTOR_URL_MAX])
{
    snprintf(text, ACTOR_URL_MAX, "tcp://%s%s%s", one->address, two ? "," : "",
             two ? two->address : "");
    return text;
}

static struct envelope result_of(const struct envelope *request, enum submit_outcome outcome,
                                 enum reason reason)
{
    struct envelope envelope;

    memset(&envelope, 0, sizeof(envelope));
    envelope.kind = WIRE_SUBMIT_RESULT;
    envelope.request = request->request;
    envelope.submit_result.id = request->kind == WIRE_SUBMIT ? request->submit.id
                                                             : request->outcome_request.id;
    envelope.submit_result.outcome = outcome;
    envelope.submit_result.reason = reason;
    if (outcome == OUTCOME_COMMITTED)
        envelope.submit_result.timestamp = timestamp_of_ms(1732476000123);
    if (outcome == OUTCOME_ABORTED)
        node_name_parse(&envelope.submit_result.participant, "bank-a", 6);
    return envelope;
}

void actor_answer(struct actor *actor, struct conn *conn, const struct envelope *request,
                  enum submit_outcome outcome, enum reason reason)
{
    struct envelope envelope = result_of(request, outcome, reason);

    send_frame(actor, conn, &envelope, false);
}

void actor_redirect(struct actor *actor, struct conn *conn, const struct envelope *request,
                    const struct actor *leader)
{
    struct envelope envelope = result_of(request, OUTCOME_REFUSED, REASON_NOT_LEADER);
    struct redirect *redirect = &envelope.submit_result.redirect;

    envelope.submit_result.has_redirect = true;
    redirect->group = id_group(&envelope.submit_result.id, ACTOR_GROUPS);
    if (leader) {
        node_name_parse(&redirect->node, leader->options.node, strlen(leader->options.node));
        snprintf(redirect->address, sizeof(redirect->address), "%s", leader->address);
        redirect->epoch = 7;
    }
    send_frame(actor, conn, &envelope, false);
}

void actor_answer_half(struct actor *actor, struct conn *conn, const struct envelope *request)
{
    struct envelope envelope = result_of(request, OUTCOME_COMMITTED, REASON_NONE);

    send_frame(actor, conn, &envelope, true);
    conn_finish(conn, ERR_CLOSED, "in the middle of an answer");
}

void actor_cut(struct conn *conn)
{
    conn_close(conn, ERR_CLOSED, "cut");
}
