#include "base/prng.h"
#include "rig.h"

#include <string.h>
#include <unistd.h>

static const struct conn_options plain = {
    .input_max = 4096,
    .output_max = 4096,
    .turn_max = 4096,
};

static void pauses_double_and_stay_in_bounds(void)
{
    struct prng prng;

    prng_init(&prng, 7);
    for (uint32_t attempt = 1; attempt < 100; attempt++) {
        uint32_t shift = attempt - 1 < 20 ? attempt - 1 : 20;
        uint64_t full = 100u << shift < 5000 ? 100u << shift : 5000;

        CU_ASSERT_EQUAL(dialer_backoff_ms(100, 5000, attempt, 0), full);
        CU_ASSERT_EQUAL(dialer_backoff_ms(100, 5000, attempt, full / 2), full - full / 2);
        for (int i = 0; i < 100; i++) {
            uint32_t pause = dialer_backoff_ms(100, 5000, attempt, prng_next(&prng));

            CU_ASSERT(pause >= full - full / 2 && pause <= full);
        }
    }
    CU_ASSERT_EQUAL(dialer_backoff_ms(1, 1, UINT32_MAX, UINT64_MAX), 1);
}

struct attempts {
    struct end end; /* first: the callbacks' ctx is both */
    unsigned failed;
    uint64_t pause_max_ms;
    struct err err;
};

static void on_failed(void *ctx, const struct err *err, uint64_t retry_ms)
{
    struct attempts *attempts = ctx;

    attempts->failed++;
    attempts->err = *err;
    if (retry_ms > attempts->pause_max_ms)
        attempts->pause_max_ms = retry_ms;
}

static void absent_peer_is_dialed_until_it_comes(void)
{
    struct attempts attempts = {.failed = 0};
    struct dialer_options options;
    struct listener_options again = {.option_name = "--listen", .conn_max = 4};
    struct dialer *dialer;
    struct rig rig;
    struct err err = {0};
    struct end served = {0};
    char text[ADDRESS_TEXT_SIZE];

    rig_open(&rig, &plain, 8);
    options = rig_dialer_options(&rig, &attempts.end);
    options.on_failed = on_failed;
    again.address = options.address;
    again.ops = &rig_end_ops;
    again.ctx = &served;
    again.conn = plain;
    listener_close(rig.listener);
    rig.listener = NULL;
    CU_ASSERT_EQUAL_FATAL(dialer_open(&dialer, rig.conns, &options, &err), 0);
    UNTIL(&rig, attempts.failed >= 10);
    CU_ASSERT_EQUAL(attempts.end.opened, 0);
    CU_ASSERT_EQUAL(attempts.err.code, ERR_UNREACHABLE);
    CU_ASSERT_PTR_NOT_NULL(strstr(attempts.err.text, address_format(&options.address, text)));
    CU_ASSERT(attempts.pause_max_ms > 1 && attempts.pause_max_ms <= options.backoff_max_ms);
    CU_ASSERT_EQUAL_FATAL(listener_open(&rig.listener, rig.conns, &again, &err), 0);
    UNTIL(&rig, dialer_conn(dialer) && served.opened == 1);
    dialer_close(dialer);
    rig_close(&rig);
}

static void lost_connection_is_made_again(void)
{
    struct end end = {0};
    struct dialer_options options;
    struct dialer *dialer;
    struct rig rig;
    struct err err = {0};
    uint32_t first;

    rig_open(&rig, &plain, 8);
    options = rig_dialer_options(&rig, &end);
    CU_ASSERT_EQUAL_FATAL(dialer_open(&dialer, rig.conns, &options, &err), 0);
    CU_ASSERT_PTR_NULL(dialer_conn(dialer)); /* no callback from within the call */
    UNTIL(&rig, end.conn && rig.ends[0].conn);
    first = end.handle;
    conn_close(rig.ends[0].conn, ERR_CLOSED, "the server restarts");
    UNTIL(&rig, end.opened == 2);
    CU_ASSERT_EQUAL(end.closed, 1);
    CU_ASSERT_NOT_EQUAL(end.handle, first);
    CU_ASSERT_PTR_NULL(conns_find(rig.conns, first));
    dialer_close(dialer);
    UNTIL(&rig, end.closed == 2);
    rig_close(&rig);
}

/* A peer that accepts and hangs up is not hammered; one that greeted is dialed soon. */
static void only_a_greeting_starts_the_pauses_over(void)
{
    struct end end = {0};
    struct dialer_options options;
    struct dialer *dialer;
    struct rig rig;
    struct err err = {0};
    uint64_t lost_ms;

    rig_open(&rig, &plain, 8);
    options = rig_dialer_options(&rig, &end);
    options.backoff_min_ms = 20;
    options.backoff_max_ms = 100000;
    CU_ASSERT_EQUAL_FATAL(dialer_open(&dialer, rig.conns, &options, &err), 0);
    for (unsigned i = 1; i <= 4; i++) {
        UNTIL(&rig, end.opened == i && rig.end_count == i);
        conn_close(rig.ends[i - 1].conn, ERR_CLOSED, "not you");
        UNTIL(&rig, end.closed == i);
    }
    lost_ms = loop_now_ms(rig.loop);
    UNTIL(&rig, end.opened == 5 && rig.end_count == 5);
    CU_ASSERT(loop_now_ms(rig.loop) - lost_ms >= 80); /* 20 * 2 * 2 * 2, upper half */
    conn_greeted(end.conn);
    conn_close(rig.ends[4].conn, ERR_CLOSED, "later");
    UNTIL(&rig, end.closed == 5);
    dialer_kick(dialer); /* from here on the pause is over at once */
    UNTIL(&rig, end.opened == 6);
    dialer_close(dialer);
    rig_close(&rig);
}

static struct dialer *closing_dialer;

static void close_dialer_on_close(struct conn *conn, void *ctx, const struct err *err)
{
    rig_end_ops.on_close(conn, ctx, err);
    dialer_close(closing_dialer);
    closing_dialer = NULL;
}

static void dialer_may_be_closed_in_its_callback(void)
{
    struct conn_ops ops = rig_end_ops;
    struct end end = {0};
    struct dialer_options options;
    struct rig rig;
    struct err err = {0};

    rig_open(&rig, &plain, 8);
    ops.on_close = close_dialer_on_close;
    options = rig_dialer_options(&rig, &end);
    options.ops = &ops;
    CU_ASSERT_EQUAL_FATAL(dialer_open(&closing_dialer, rig.conns, &options, &err), 0);
    UNTIL(&rig, end.conn && rig.ends[0].conn);
    conn_close(rig.ends[0].conn, ERR_CLOSED, "over");
    UNTIL(&rig, end.closed == 1);
    CU_ASSERT_PTR_NULL(closing_dialer);
    rig_close(&rig);
    CU_ASSERT_EQUAL(end.opened, 1);
}

CU_TestInfo dialer_tests[] = {
    {"pauses_double_and_stay_in_bounds", pauses_double_and_stay_in_bounds},
    {"absent_peer_is_dialed_until_it_comes", absent_peer_is_dialed_until_it_comes},
    {"lost_connection_is_made_again", lost_connection_is_made_again},
    {"only_a_greeting_starts_the_pauses_over", only_a_greeting_starts_the_pauses_over},
    {"dialer_may_be_closed_in_its_callback", dialer_may_be_closed_in_its_callback},
    CU_TEST_INFO_NULL,
};
