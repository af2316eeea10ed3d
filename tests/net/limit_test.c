/* What is bounded: buffers, shares, silence, numbers of connections and descriptors. */
#include "rig.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct conn_options tight = {
    .input_max = 64 * 1024,
    .output_max = 64 * 1024,
    .turn_max = 16 * 1024,
};

/* A paused connection's peer is made to wait by TCP; nothing piles up here. */
static void back_pressure_bounds_memory(void)
{
    const size_t size = 32 * 1024 * 1024; /* more than any socket buffers hold */
    struct rig rig;
    struct end *end;
    size_t sent = 0;
    uint64_t in;
    int raw;

    rig_open(&rig, &tight, 4);
    end = rig_accepted(&rig, &raw);
    conn_pause(end->conn);
    in = conns_stats(rig.conns)->bytes_in;
    /* The kernel takes more in bursts; it is full when it took nothing in ten rounds. */
    for (int full = 0; full < 10;) {
        size_t more = raw_write(raw, sent, size - sent);

        sent += more;
        full = more == 0 ? full + 1 : 0;
        loop_step(rig.loop, 1);
    }
    CU_ASSERT(sent < size);
    CU_ASSERT_EQUAL(conns_stats(rig.conns)->bytes_in, in);
    CU_ASSERT_EQUAL(end->received, 0);
    conn_resume(end->conn);
    UNTIL(&rig, (sent += raw_write(raw, sent, size - sent)) == size && end->received == size);
    CU_ASSERT_TRUE(end->in_order);
    close(raw);
    rig_close(&rig);
}

static void input_held_back_is_offered_again_on_resume(void)
{
    struct rig rig;
    struct end *end;
    int raw;

    rig_open(&rig, &tight, 4);
    rig.mode = END_HOLD;
    end = rig_accepted(&rig, &raw);
    CU_ASSERT_EQUAL(raw_write(raw, 0, 100), 100);
    UNTIL(&rig, end->calls == 1);
    conn_pause(end->conn);
    end->mode = END_TAKE;
    conn_resume(end->conn);
    UNTIL(&rig, end->received == 100);
    close(raw);
    rig_close(&rig);
}

static void message_larger_than_the_buffer_closes(void)
{
    struct rig rig;
    struct end *end;
    size_t sent = 0;
    int raw;

    rig_open(&rig, &tight, 4);
    rig.mode = END_HOLD;
    end = rig_accepted(&rig, &raw);
    UNTIL(&rig, (sent += raw_write(raw, sent, 65537 - sent)) == 65537);
    UNTIL(&rig, end->closed == 1);
    CU_ASSERT_EQUAL(end->err.code, ERR_PROTOCOL);
    CU_ASSERT_PTR_NOT_NULL(strstr(end->err.text, "larger than 65536 bytes"));
    close(raw);
    rig_close(&rig);
}

static void slow_reader_is_closed_at_its_cap(void)
{
    struct conn_options options = tight;
    struct rig rig;
    struct end *end;
    uint8_t bytes[4096] = {0};
    size_t sent = 0;
    int raw;

    options.close_when_full = true;
    rig_open(&rig, &options, 4);
    end = rig_accepted(&rig, &raw);
    while (end->conn && conn_send(end->conn, bytes, sizeof(bytes))) {
        sent += sizeof(bytes);
        CU_ASSERT_FATAL(conn_output_size(end->conn) <= options.output_max);
        if (conn_output_size(end->conn) > options.output_max / 2)
            loop_step(rig.loop, 0);
    }
    CU_ASSERT(sent >= options.output_max);
    UNTIL(&rig, end->closed == 1);
    CU_ASSERT_EQUAL(end->err.code, ERR_FULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(end->err.text, "reads too slowly"));
    CU_ASSERT_EQUAL(conns_stats(rig.conns)->closed_slow, 1);
    close(raw);
    rig_close(&rig);
}

/* Without close_when_full the owner is told no, the connection lives, and drains later. */
static void full_output_refuses_and_drains(void)
{
    struct rig rig;
    struct end *end;
    uint8_t bytes[4096] = {0};
    size_t sent = 0, got = 0;
    int raw;

    rig_open(&rig, &tight, 4);
    end = rig_accepted(&rig, &raw);
    for (int full = 0; full < 10;) {
        bool taken = conn_send(end->conn, bytes, sizeof(bytes));

        sent += taken ? sizeof(bytes) : 0;
        full = taken ? 0 : full + 1;
        loop_step(rig.loop, 0);
        CU_ASSERT_PTR_NOT_NULL_FATAL(end->conn);
        CU_ASSERT_FATAL(conn_output_size(end->conn) <= tight.output_max);
    }
    CU_ASSERT_EQUAL(end->drained, 0);
    UNTIL(&rig, raw_drain(raw, &got) || got == sent);
    UNTIL(&rig, end->drained == 1);
    CU_ASSERT_TRUE(conn_send(end->conn, bytes, sizeof(bytes)));
    close(raw);
    rig_close(&rig);
}

/* A peer that asks and never reads the answers is soon not read from any more. */
static void who_does_not_read_is_not_read(void)
{
    const size_t size = 32 * 1024 * 1024;
    struct rig rig;
    struct end *end;
    size_t sent = 0, got = 0;
    int raw;

    rig_open(&rig, &tight, 4);
    rig.mode = END_ECHO;
    end = rig_accepted(&rig, &raw);
    for (int full = 0; full < 10;) {
        size_t more = raw_write(raw, sent, size - sent);

        sent += more;
        full = more == 0 ? full + 1 : 0;
        loop_step(rig.loop, 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(end->conn);
        CU_ASSERT_FATAL(conn_output_size(end->conn) <= tight.output_max);
    }
    UNTIL(&rig, (sent += raw_write(raw, sent, size - sent)) < size &&
                    conn_output_size(end->conn) > tight.output_max / 2);
    UNTIL(&rig, raw_drain(raw, &got) || (sent += raw_write(raw, sent, size - sent)) == size);
    UNTIL(&rig, raw_drain(raw, &got) || got == size);
    CU_ASSERT_TRUE(end->in_order);
    UNTIL(&rig, end->drained > 0);
    close(raw);
    rig_close(&rig);
}

static void flood_does_not_starve_others(void)
{
    const size_t size = 8 * 1024 * 1024;
    struct rig rig;
    struct end *flood, *quiet;
    size_t sent = 0;
    unsigned turns;
    int raw[2];

    rig_open(&rig, &tight, 4);
    flood = rig_accepted(&rig, &raw[0]);
    quiet = rig_accepted(&rig, &raw[1]);
    UNTIL(&rig, (sent += raw_write(raw[0], sent, size - sent)) > 1024 * 1024);
    turns = rig.turns;
    CU_ASSERT_EQUAL(raw_write(raw[1], 0, 1), 1);
    UNTIL(&rig, quiet->received == 1);
    /* On loopback what was written is there: the quiet one is heard in the very next turns. */
    CU_ASSERT(rig.turns - turns <= 3);
    UNTIL(&rig, (sent += raw_write(raw[0], sent, size - sent)) == size);
    UNTIL(&rig, flood->received == size);
    CU_ASSERT(flood->turn_received_max <= tight.turn_max);
    close(raw[0]);
    close(raw[1]);
    rig_close(&rig);
}

static void silent_stranger_is_closed(void)
{
    struct conn_options options = tight;
    struct rig rig;
    struct end *silent, *greeted;
    int raw[2];

    options.greet_ms = 50;
    rig_open(&rig, &options, 4);
    silent = rig_accepted(&rig, &raw[0]);
    greeted = rig_accepted(&rig, &raw[1]);
    conn_greeted(greeted->conn);
    CU_ASSERT_EQUAL(raw_write(raw[0], 0, 3), 3); /* talking alone does not help */
    UNTIL(&rig, silent->closed == 1);
    CU_ASSERT_EQUAL(silent->err.code, ERR_TIMEOUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(silent->err.text, "did not introduce itself"));
    CU_ASSERT_EQUAL(conns_stats(rig.conns)->closed_greet, 1);
    CU_ASSERT_EQUAL(greeted->closed, 0);
    close(raw[0]);
    close(raw[1]);
    rig_close(&rig);
}

/* The half-open case: the peer is gone without a word, only its silence tells. */
static void silent_peer_is_closed_as_idle(void)
{
    struct conn_options options = tight;
    struct rig rig;
    struct end *end;
    uint64_t begin;
    int raw;

    options.idle_ms = 60;
    rig_open(&rig, &options, 4);
    begin = loop_now_ms(rig.loop);
    end = rig_accepted(&rig, &raw);
    UNTIL(&rig, end->closed == 1);
    CU_ASSERT(loop_now_ms(rig.loop) - begin >= 60);
    CU_ASSERT_EQUAL(end->err.code, ERR_TIMEOUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(end->err.text, "sent nothing for 60 ms"));
    CU_ASSERT_EQUAL(conns_stats(rig.conns)->closed_idle, 1);
    close(raw);
    rig_close(&rig);
}

static void paused_peer_is_not_idle(void)
{
    struct conn_options options = tight;
    struct rig rig;
    struct end *held, *witness;
    int raw[2];

    options.idle_ms = 60;
    rig_open(&rig, &options, 4);
    held = rig_accepted(&rig, &raw[0]);
    conn_pause(held->conn);
    witness = rig_accepted(&rig, &raw[1]);
    UNTIL(&rig, witness->closed == 1); /* it came later and its time is over */
    CU_ASSERT_EQUAL(held->closed, 0);
    conn_resume(held->conn);
    UNTIL(&rig, held->closed == 1);
    close(raw[0]);
    close(raw[1]);
    rig_close(&rig);
}

static void output_without_progress_is_closed(void)
{
    struct conn_options options = tight;
    struct rig rig;
    struct end *end;
    uint8_t bytes[4096] = {0};
    int raw;

    options.stall_ms = 60;
    rig_open(&rig, &options, 4);
    end = rig_accepted(&rig, &raw);
    while (end->conn) {
        conn_send(end->conn, bytes, sizeof(bytes));
        loop_step(rig.loop, 1);
    }
    CU_ASSERT_EQUAL(end->err.code, ERR_TIMEOUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(end->err.text, "read nothing for 60 ms"));
    close(raw);
    rig_close(&rig);
}

static void caller_above_the_limit_is_turned_away(void)
{
    struct rig rig;
    struct end *end;
    size_t got = 0;
    int raw[3];

    rig_open(&rig, &tight, 2);
    end = rig_accepted(&rig, &raw[0]);
    rig_accepted(&rig, &raw[1]);
    raw[2] = rig_raw(&rig);
    UNTIL(&rig, raw_drain(raw[2], &got));
    CU_ASSERT_EQUAL(conns_stats(rig.conns)->refused, 1);
    close(raw[0]);
    UNTIL(&rig, end->closed == 1);
    close(raw[2]);
    rig_accepted(&rig, &raw[2]); /* there is room again */
    close(raw[1]);
    close(raw[2]);
    rig_close(&rig);
}

/* Without descriptors callers are told so at once, the loop does not spin, and it ends by itself.
 */
static void out_of_descriptors_turns_callers_away(void)
{
    struct rlimit old, low;
    struct rig rig;
    size_t got = 0;
    unsigned turns;
    int raw[2], probe;

    rig_open(&rig, &tight, 8);
    raw[0] = rig_raw(&rig);
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &old), 0);
    probe = fcntl(raw[0], F_DUPFD_CLOEXEC, 0); /* the lowest free descriptor */
    CU_ASSERT_FATAL(probe >= 0);
    close(probe);
    low = old;
    low.rlim_cur = (rlim_t)probe;
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &low), 0);
    turns = rig.turns;
    UNTIL(&rig, raw_drain(raw[0], &got));
    CU_ASSERT_EQUAL(conns_stats(rig.conns)->refused, 1);
    CU_ASSERT(rig.turns - turns < 100);
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &old), 0);
    rig_accepted(&rig, &raw[1]);
    close(raw[0]);
    close(raw[1]);
    rig_close(&rig);
}

static void port_in_use_names_port_and_option(void)
{
    struct listener_options options = {.option_name = "--client-listen", .conn_max = 1};
    struct listener *second;
    struct rig rig;
    struct err err = {0};
    char expected[200], text[ADDRESS_TEXT_SIZE];
    unsigned port;

    rig_open(&rig, &tight, 2);
    options.address = *listener_address(rig.listener);
    options.conn = tight;
    options.ops = &rig_end_ops;
    port = address_port(&options.address);
    CU_ASSERT_EQUAL(listener_open(&second, rig.conns, &options, &err), ERR_IO);
    snprintf(expected, sizeof(expected),
             "cannot listen on %s: port %u is in use; choose another with --client-listen",
             address_format(&options.address, text), port);
    CU_ASSERT_STRING_EQUAL(err.text, expected);
    rig_close(&rig);
}

CU_TestInfo limit_tests[] = {
    {"back_pressure_bounds_memory", back_pressure_bounds_memory},
    {"input_held_back_is_offered_again_on_resume", input_held_back_is_offered_again_on_resume},
    {"message_larger_than_the_buffer_closes", message_larger_than_the_buffer_closes},
    {"slow_reader_is_closed_at_its_cap", slow_reader_is_closed_at_its_cap},
    {"full_output_refuses_and_drains", full_output_refuses_and_drains},
    {"who_does_not_read_is_not_read", who_does_not_read_is_not_read},
    {"flood_does_not_starve_others", flood_does_not_starve_others},
    {"silent_stranger_is_closed", silent_stranger_is_closed},
    {"silent_peer_is_closed_as_idle", silent_peer_is_closed_as_idle},
    {"paused_peer_is_not_idle", paused_peer_is_not_idle},
    {"output_without_progress_is_closed", output_without_progress_is_closed},
    {"caller_above_the_limit_is_turned_away", caller_above_the_limit_is_turned_away},
    {"out_of_descriptors_turns_callers_away", out_of_descriptors_turns_callers_away},
    {"port_in_use_names_port_and_option", port_in_use_names_port_and_option},
    CU_TEST_INFO_NULL,
};
