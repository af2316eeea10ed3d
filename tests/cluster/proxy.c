#include "proxy.h"

#include "support/runner.h"

#include <string.h>

static const struct conn_options options = {
    .input_max = 4 * 1024 * 1024,
    .output_max = 4 * 1024 * 1024,
    .turn_max = 1024 * 1024,
};

static void pair_end(struct pair *pair)
{
    if (pair->client)
        conn_close(pair->client, ERR_CLOSED, "the proxy's other side is closed");
    dialer_close(pair->dialer);
    memset(pair, 0, sizeof(*pair));
}

/* A whole message at the front: its size, else 0. */
static size_t message_size(const uint8_t *bytes, size_t size)
{
    size_t body;

    if (size < 4)
        return 0;
    body = (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
    return body + 4 <= size ? body + 4 : 0;
}

static void inspect(struct pair *pair, const uint8_t *message, size_t size)
{
    struct proxy *proxy = pair->proxy;

    if (!proxy->lose_of || proxy->lost >= proxy->lose_max || size < 12 ||
        message[11] != ZK_OP_CREATE)
        return;
    if (memmem(message, size, proxy->lose_of, strlen(proxy->lose_of)))
        pair->swallow = true;
}

static ptrdiff_t on_client_data(struct conn *conn, void *ctx, const uint8_t *bytes, size_t size,
                                struct err *err)
{
    struct pair *pair = ctx;
    size_t used = 0, message;

    (void)err;
    if (!pair->used || pair->proxy->frozen || !pair->server) {
        conn_pause(conn);
        return 0;
    }
    while ((message = message_size(bytes + used, size - used)) > 0) {
        inspect(pair, bytes + used, message);
        used += message;
    }
    conn_send(pair->server, bytes, used);
    return (ptrdiff_t)used;
}

static ptrdiff_t on_server_data(struct conn *conn, void *ctx, const uint8_t *bytes, size_t size,
                                struct err *err)
{
    struct pair *pair = ctx;

    (void)err;
    if (!pair->used || pair->proxy->frozen) {
        conn_pause(conn);
        return 0;
    }
    if (pair->swallow) {
        pair->proxy->lost++;
        pair_end(pair);
        return (ptrdiff_t)size;
    }
    conn_send(pair->client, bytes, size);
    return (ptrdiff_t)size;
}

static void on_client_close(struct conn *conn, void *ctx, const struct err *err)
{
    struct pair *pair = ctx;

    (void)err;
    if (!pair->used || pair->client != conn)
        return;
    pair->client = NULL;
    pair_end(pair);
}

static void on_server_open(struct conn *conn, void *ctx)
{
    struct pair *pair = ctx;

    pair->server = conn;
    conn_resume(pair->client);
}

static void on_server_close(struct conn *conn, void *ctx, const struct err *err)
{
    struct pair *pair = ctx;

    (void)err;
    if (pair->used && pair->server == conn)
        pair_end(pair);
}

static void on_dial_failed(void *ctx, const struct err *err, uint64_t retry_ms)
{
    (void)err;
    (void)retry_ms;
    pair_end(ctx);
}

static const struct conn_ops server_ops = {
    .on_open = on_server_open,
    .on_data = on_server_data,
    .on_close = on_server_close,
};

static void on_client_open(struct conn *conn, void *ctx)
{
    struct proxy *proxy = ctx;
    struct pair *pair = proxy->pairs;
    struct err err = {0};

    while (pair < proxy->pairs + PROXY_PAIRS && pair->used)
        pair++;
    CU_ASSERT_FATAL(pair < proxy->pairs + PROXY_PAIRS);
    pair->used = true;
    pair->proxy = proxy;
    pair->client = conn;
    conn_set_ctx(conn, pair);
    CU_ASSERT_EQUAL_FATAL(dialer_open(&pair->dialer, proxy->conns,
                                      &(struct dialer_options){
                                          .address = proxy->target,
                                          .connect_ms = 5000,
                                          .backoff_min_ms = 1000,
                                          .backoff_max_ms = 1000,
                                          .ops = &server_ops,
                                          .on_failed = on_dial_failed,
                                          .ctx = pair,
                                          .conn = options,
                                      },
                                      &err),
                          0);
}

static const struct conn_ops client_ops = {
    .on_open = on_client_open,
    .on_data = on_client_data,
    .on_close = on_client_close,
};

void proxy_open(struct proxy *proxy, struct loop *loop, const char *target)
{
    struct listener_options listener = {
        .option_name = "proxy",
        .conn_max = PROXY_PAIRS,
        .ops = &client_ops,
        .ctx = proxy,
        .conn = options,
    };
    struct err err = {0};

    memset(proxy, 0, sizeof(*proxy));
    CU_ASSERT_EQUAL_FATAL(address_parse(&proxy->target, target, &err), 0);
    CU_ASSERT_EQUAL_FATAL(address_parse(&listener.address, "127.0.0.1:0", &err), 0);
    CU_ASSERT_EQUAL_FATAL(conns_open(&proxy->conns, loop, 4 * PROXY_PAIRS, &err), 0);
    CU_ASSERT_EQUAL_FATAL(listener_open(&proxy->listener, proxy->conns, &listener, &err), 0);
    address_format(listener_address(proxy->listener), proxy->address);
}

void proxy_cut(struct proxy *proxy)
{
    for (int i = 0; i < PROXY_PAIRS; i++) {
        if (proxy->pairs[i].used)
            pair_end(&proxy->pairs[i]);
    }
}

void proxy_close(struct proxy *proxy)
{
    listener_close(proxy->listener);
    proxy_cut(proxy);
    conns_close(proxy->conns);
}

void proxy_freeze(struct proxy *proxy, bool frozen)
{
    proxy->frozen = frozen;
    for (int i = 0; i < PROXY_PAIRS && !frozen; i++) {
        struct pair *pair = &proxy->pairs[i];

        if (pair->used && pair->server) {
            conn_resume(pair->client);
            conn_resume(pair->server);
        }
    }
}
