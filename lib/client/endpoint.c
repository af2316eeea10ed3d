/* Coordinators by address: a dialer each, Hello, and frames in. */
#include "base/assert.h"
#include "client/engine_internal.h"

#include <stdio.h>

#define CONNECT_MS     2000u
#define BACKOFF_MIN_MS 20u
#define BACKOFF_MAX_MS 500u
#define GREET_MS       5000u
#define STALL_MS       15000u
#define OUTPUT_MAX     (32u * 1024 * 1024)

static uint16_t index_of(const struct endpoint *endpoint)
{
    return (uint16_t)(endpoint - endpoint->engine->endpoints);
}

bool endpoint_is_ready(const struct engine *engine, uint16_t endpoint)
{
    return endpoint != ENDPOINT_NONE && engine->endpoints[endpoint].handle != CONN_NONE;
}

bool endpoint_send(struct engine *engine, uint16_t endpoint, const void *bytes, size_t size)
{
    struct conn *conn = conns_find(engine->conns, engine->endpoints[endpoint].handle);

    return conn && conn_send(conn, bytes, size);
}

uint16_t endpoint_by_node(const struct engine *engine, const struct node_name *node)
{
    if (node->text[0] == '\0')
        return ENDPOINT_NONE;
    for (uint16_t i = 0; i < ENDPOINTS_MAX; i++) {
        if (engine->endpoints[i].used && node_name_equal(&engine->endpoints[i].node, node))
            return i;
    }
    return ENDPOINT_NONE;
}

/* One that greeted us, in turns, `avoid` only if it is the only one; ENDPOINT_NONE: nobody is. */
uint16_t endpoint_any(struct engine *engine, uint16_t avoid)
{
    for (uint16_t i = 0; i < ENDPOINTS_MAX; i++) {
        uint16_t at = (uint16_t)((engine->rotor + i) % ENDPOINTS_MAX);

        if (at == avoid || !endpoint_is_ready(engine, at))
            continue;
        engine->rotor = (uint16_t)(at + 1);
        return at;
    }
    return endpoint_is_ready(engine, avoid) ? avoid : ENDPOINT_NONE;
}

static void on_open(struct conn *conn, void *ctx)
{
    struct endpoint *endpoint = ctx;
    struct engine *engine = endpoint->engine;
    struct envelope envelope;
    uint8_t frame[4096];
    int size;

    memset(&envelope, 0, sizeof(envelope));
    envelope.kind = WIRE_HELLO;
    envelope.hello.version = PROTOCOL_VERSION;
    envelope.hello.cluster = engine->url.cluster;
    envelope.hello.cluster_guid = engine->cluster_guid;
    envelope.hello.role = HELLO_CLIENT;
    envelope.hello.groups = engine->groups;
    envelope.hello.process = engine->process;
    if (!node_name_parse(&envelope.hello.node, "client", 6))
        UNREACHABLE();
    arena_reset(&engine->arena);
    size = wire_encode(&engine->arena, &envelope, frame, sizeof(frame));
    ASSERT(size > 0);
    conn_send(conn, frame, (size_t)size);
}

/* A node is where it was seen last: after a restart it may listen elsewhere. */
static void name_endpoint(struct endpoint *endpoint, const struct node_name *node)
{
    struct endpoint *all = endpoint->engine->endpoints;

    if (!node || node->text[0] == '\0')
        return;
    for (uint16_t i = 0; i < ENDPOINTS_MAX; i++) {
        if (all[i].used && node_name_equal(&all[i].node, node))
            memset(&all[i].node, 0, sizeof(all[i].node));
    }
    endpoint->node = *node;
}

/* All coordinators we talk to are of one cluster: that of whoever answered first. */
static int check_cluster(struct engine *engine, const struct endpoint *endpoint,
                         const struct hello *hello, struct err *err)
{
    if (hello->role != HELLO_COORDINATOR)
        return err_set(err, ERR_PROTOCOL, "%s is no coordinator; name coordinators in tcp://",
                       endpoint->text);
    if (hello->groups == 0 || hello->groups > GROUPS_MAX)
        return err_set(err, ERR_PROTOCOL, "%s is of a cluster of %u groups", endpoint->text,
                       hello->groups);
    if (engine->groups != 0 && (engine->groups != hello->groups ||
                                !guid_equal(&engine->cluster_guid, &hello->cluster_guid)))
        return err_set(err, ERR_PROTOCOL, "%s is of another cluster than the first one",
                       endpoint->text);
    return 0;
}

static int on_welcome(struct endpoint *endpoint, struct conn *conn, const struct hello *hello,
                      struct err *err)
{
    struct engine *engine = endpoint->engine;
    int rc = check_cluster(engine, endpoint, hello, err);

    if (rc != 0)
        return rc;
    engine->groups = hello->groups;
    engine->cluster_guid = hello->cluster_guid;
    name_endpoint(endpoint, &hello->node);
    endpoint->handle = conn_handle(conn);
    conn_greeted(conn);
    engine_note_greeted(engine);
    request_endpoint_up(engine, index_of(endpoint));
    return 0;
}

static int on_refusal(struct endpoint *endpoint, const struct refused *refused, struct err *err)
{
    bool passes = refused->code == REFUSED_BUSY || refused->code == REFUSED_NOT_READY;

    engine_note_refused(endpoint->engine, passes ? ERR_UNREACHABLE : ERR_PROTOCOL, refused->text);
    return err_set(err, ERR_REFUSED, "%s refuses us: %s", endpoint->text, refused->text);
}

static int on_payload(struct endpoint *endpoint, struct conn *conn, const struct blob *payload,
                      struct err *err)
{
    struct engine *engine = endpoint->engine;
    struct envelope envelope;
    int rc;

    arena_reset(&engine->arena);
    rc = wire_decode(&engine->arena, payload->bytes, payload->size, &envelope, err);
    if (rc != 0)
        return rc;
    if (envelope.kind == WIRE_REFUSED)
        return on_refusal(endpoint, &envelope.refused, err);
    if (envelope.kind == WIRE_WELCOME && endpoint->handle == CONN_NONE)
        return on_welcome(endpoint, conn, &envelope.hello, err);
    if (endpoint->handle == CONN_NONE ||
        (envelope.kind != WIRE_SUBMIT_RESULT && envelope.kind != WIRE_ADMIN_RESPONSE))
        return err_set(err, ERR_PROTOCOL, "a coordinator does not send %s now",
                       wire_kind_name(&envelope));
    request_on_answer(engine, index_of(endpoint), &envelope, payload);
    return 0;
}

static ptrdiff_t on_data(struct conn *conn, void *ctx, const uint8_t *bytes, size_t size,
                         struct err *err)
{
    struct endpoint *endpoint = ctx;
    struct blob payload;
    size_t done = 0;

    for (;;) {
        size_t payload_size;
        int used = frame_next(bytes + done, size - done, FRAME_SIZE_MAX, &payload.bytes,
                              &payload_size, err);
        int rc;

        if (used < 0)
            return used;
        if (used == 0)
            return (ptrdiff_t)done;
        payload.size = (uint32_t)payload_size;
        rc = on_payload(endpoint, conn, &payload, err);
        if (rc < 0)
            return rc;
        done += (size_t)used;
    }
}

static void on_close(struct conn *conn, void *ctx, const struct err *err)
{
    struct endpoint *endpoint = ctx;

    if (endpoint->handle != conn_handle(conn)) {
        if (err->code != ERR_REFUSED) /* which was noted with its reason */
            engine_note_refused(endpoint->engine,
                                err->code == ERR_PROTOCOL ? ERR_PROTOCOL : ERR_UNREACHABLE,
                                err->text);
        return;
    }
    endpoint->handle = CONN_NONE;
    request_endpoint_down(endpoint->engine, index_of(endpoint));
}

static void on_failed(void *ctx, const struct err *err, uint64_t retry_ms)
{
    struct endpoint *endpoint = ctx;

    (void)retry_ms;
    engine_note_refused(endpoint->engine, ERR_UNREACHABLE, err->text);
}

static const struct conn_ops endpoint_ops = {
    .on_open = on_open,
    .on_data = on_data,
    .on_close = on_close,
};

static void dial(struct endpoint *endpoint)
{
    struct dialer_options options = {
        .connect_ms = CONNECT_MS,
        .backoff_min_ms = BACKOFF_MIN_MS,
        .backoff_max_ms = BACKOFF_MAX_MS,
        .ops = &endpoint_ops,
        .on_failed = on_failed,
        .ctx = endpoint,
        .conn = {.input_max = CONN_INPUT_DEFAULT,
                 .output_max = OUTPUT_MAX,
                 .turn_max = CONN_TURN_DEFAULT,
                 .greet_ms = GREET_MS,
                 .stall_ms = STALL_MS},
    };
    struct err err;

    if (address_parse(&options.address, endpoint->text, &err) != 0 ||
        dialer_open(&endpoint->dialer, endpoint->engine->conns, &options, &err) != 0)
        engine_note_refused(endpoint->engine, err.code, err.text);
}

/* The place for an address: its own, a free one, or that of somebody not connected. */
static uint16_t place_for(struct engine *engine, const char *text)
{
    uint16_t place = ENDPOINT_NONE;

    for (uint16_t i = 0; i < ENDPOINTS_MAX; i++) {
        if (engine->endpoints[i].used && strcmp(engine->endpoints[i].text, text) == 0)
            return i;
        if (!engine->endpoints[i].used && place == ENDPOINT_NONE)
            place = i;
    }
    for (uint16_t i = 0; i < ENDPOINTS_MAX && place == ENDPOINT_NONE; i++) {
        if (!endpoint_is_ready(engine, i))
            place = i;
    }
    return place;
}

/* Know an address, dialing it from now on. ENDPOINT_NONE when too many are connected. */
uint16_t endpoint_add(struct engine *engine, const char *text, const struct node_name *node)
{
    uint16_t place = place_for(engine, text);
    struct endpoint *endpoint;

    if (place == ENDPOINT_NONE || text[0] == '\0')
        return ENDPOINT_NONE;
    endpoint = &engine->endpoints[place];
    if (endpoint->used && strcmp(endpoint->text, text) == 0) {
        name_endpoint(endpoint, node);
        if (endpoint->dialer)
            dialer_kick(endpoint->dialer);
        return place;
    }
    dialer_close(endpoint->dialer);
    memset(endpoint, 0, sizeof(*endpoint));
    endpoint->engine = engine;
    endpoint->used = true;
    snprintf(endpoint->text, sizeof(endpoint->text), "%s", text);
    name_endpoint(endpoint, node);
    dial(endpoint);
    return place;
}

void endpoint_close_all(struct engine *engine)
{
    for (uint16_t i = 0; i < ENDPOINTS_MAX; i++) {
        dialer_close(engine->endpoints[i].dialer);
        engine->endpoints[i].dialer = NULL;
    }
}
