/* The stream itself: order, turns, closing, handles. */
#include "net/handles.h"
#include "rig.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct conn_options roomy = {
    .input_max = 256 * 1024,
    .output_max = 4 * 1024 * 1024,
    .turn_max = 64 * 1024,
};

static void bytes_arrive_in_order(void)
{
    const size_t size = 3 * 1000 * 1000;
    struct rig rig;
    struct end *end;
    size_t sent = 0;
    int raw;

    rig_open(&rig, &roomy, 4);
    end = rig_accepted(&rig, &raw);
    UNTIL(&rig, (sent += raw_write(raw, sent, size - sent)) == size);
    UNTIL(&rig, end->received == size);
    CU_ASSERT_TRUE(end->in_order);
    close(raw);
    rig_close(&rig);
}

static void echo_comes_back_whole(void)
{
    const size_t size = 1000 * 1000;
    struct dialer_options options;
    struct dialer *dialer;
    struct end client = {0};
    struct rig rig;
    struct err err;
    uint8_t *bytes = malloc(size);

    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)i;
    rig_open(&rig, &roomy, 4);
    rig.mode = END_ECHO;
    options = rig_dialer_options(&rig, &client);
    CU_ASSERT_EQUAL_FATAL(dialer_open(&dialer, rig.conns, &options, &err), 0);
    UNTIL(&rig, client.conn);
    CU_ASSERT_TRUE(conn_send(client.conn, bytes, size));
    UNTIL(&rig, client.received == size);
    CU_ASSERT_TRUE(client.in_order);
    dialer_close(dialer);
    UNTIL(&rig, client.closed == 1 && rig.ends[0].closed == 1);
    rig_close(&rig);
    free(bytes);
}

static void a_turn_writes_once(void)
{
    struct rig rig;
    struct end *end;
    uint64_t before;
    size_t got = 0;
    int raw;

    rig_open(&rig, &roomy, 4);
    end = rig_accepted(&rig, &raw);
    before = conns_stats(rig.conns)->writes;
    for (int i = 0; i < 100; i++)
        CU_ASSERT_TRUE(conn_send(end->conn, "0123456789", 10));
    CU_ASSERT_EQUAL(conns_stats(rig.conns)->writes, before);
    UNTIL(&rig, raw_drain(raw, &got) || got == 1000);
    CU_ASSERT_EQUAL(conns_stats(rig.conns)->writes, before + 1);
    close(raw);
    rig_close(&rig);
}

static void encoding_into_the_buffer(void)
{
    struct rig rig;
    struct end *end;
    uint8_t *room;
    size_t got = 0;
    int raw;

    rig_open(&rig, &roomy, 4);
    end = rig_accepted(&rig, &raw);
    room = conn_send_begin(end->conn, 1000);
    CU_ASSERT_PTR_NOT_NULL_FATAL(room);
    memset(room, 'x', 300);
    conn_send_end(end->conn, 300);
    CU_ASSERT_EQUAL(conn_output_size(end->conn), 300);
    CU_ASSERT_PTR_NULL(conn_send_begin(end->conn, roomy.output_max));
    UNTIL(&rig, raw_drain(raw, &got) || got == 300);
    close(raw);
    rig_close(&rig);
}

/* The peer ends its half: what it said before is delivered, then the connection is over. */
static void half_closed_peer_is_heard_then_closed(void)
{
    struct rig rig;
    struct end *end;
    int raw;

    rig_open(&rig, &roomy, 4);
    end = rig_accepted(&rig, &raw);
    CU_ASSERT_EQUAL(raw_write(raw, 0, 5000), 5000);
    shutdown(raw, SHUT_WR);
    UNTIL(&rig, end->closed == 1);
    CU_ASSERT_EQUAL(end->received, 5000);
    CU_ASSERT_EQUAL(end->err.code, ERR_CLOSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(end->err.text, "closed the connection"));
    close(raw);
    rig_close(&rig);
}

static void reset_peer_is_an_error_that_names_it(void)
{
    const struct linger abort_on_close = {.l_onoff = 1, .l_linger = 0};
    struct rig rig;
    struct end *end;
    char peer[ADDRESS_TEXT_SIZE];
    int raw;

    rig_open(&rig, &roomy, 4);
    end = rig_accepted(&rig, &raw);
    memcpy(peer, conn_peer_text(end->conn), sizeof(peer));
    setsockopt(raw, SOL_SOCKET, SO_LINGER, &abort_on_close, sizeof(abort_on_close));
    close(raw);
    UNTIL(&rig, end->closed == 1);
    CU_ASSERT_EQUAL(end->err.code, ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(end->err.text, peer));
    rig_close(&rig);
}

static void closing_in_own_callback_is_safe(void)
{
    static const enum end_mode modes[] = {END_CLOSE, END_REFUSE};

    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        struct rig rig;
        struct end *end;
        size_t got = 0;
        int raw;

        rig_open(&rig, &roomy, 4);
        rig.mode = modes[i];
        end = rig_accepted(&rig, &raw);
        CU_ASSERT_EQUAL(raw_write(raw, 0, 10), 10);
        UNTIL(&rig, end->closed == 1);
        CU_ASSERT_EQUAL(end->calls, 1);
        CU_ASSERT_PTR_NOT_NULL(strstr(end->err.text, "in on_data"));
        UNTIL(&rig, raw_drain(raw, &got));
        close(raw);
        rig_close(&rig);
    }
}

static void closing_in_on_open_is_safe(void)
{
    struct dialer_options options;
    struct dialer *dialer;
    struct end client = {.close_on_open = true};
    struct rig rig;
    struct err err;

    rig_open(&rig, &roomy, 4);
    options = rig_dialer_options(&rig, &client);
    CU_ASSERT_EQUAL_FATAL(dialer_open(&dialer, rig.conns, &options, &err), 0);
    UNTIL(&rig, client.closed >= 3); /* it comes again and again */
    CU_ASSERT_TRUE(client.opened - client.closed <= 1);
    CU_ASSERT_EQUAL(client.calls, 0);
    dialer_close(dialer);
    rig_close(&rig);
}

static void closed_handle_finds_nothing_and_sends_nothing(void)
{
    struct rig rig;
    struct end *end;
    struct conn *conn;
    int raw;

    rig_open(&rig, &roomy, 4);
    end = rig_accepted(&rig, &raw);
    conn = end->conn;
    CU_ASSERT_PTR_EQUAL(conns_find(rig.conns, end->handle), conn);
    conn_close(conn, ERR_CLOSED, "enough");
    CU_ASSERT_PTR_NULL(conns_find(rig.conns, end->handle));
    CU_ASSERT_FALSE(conn_send(conn, "x", 1));
    CU_ASSERT_EQUAL(end->closed, 0); /* never from within the call */
    UNTIL(&rig, end->closed == 1);
    CU_ASSERT_STRING_EQUAL(end->err.text, "enough");
    CU_ASSERT_PTR_NULL(conns_find(rig.conns, CONN_NONE));
    close(raw);
    rig_close(&rig);
}

static void handles_are_never_given_twice(void)
{
    uint32_t seen[200];
    struct rig rig;

    rig_open(&rig, &roomy, 2);
    for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++) {
        int raw;
        struct end *end = rig_accepted(&rig, &raw);

        seen[i] = end->handle;
        CU_ASSERT_NOT_EQUAL(end->handle, CONN_NONE);
        for (size_t j = 0; j < i; j++) {
            CU_ASSERT_NOT_EQUAL(seen[j], end->handle);
            CU_ASSERT_PTR_NULL(conns_find(rig.conns, seen[j]));
        }
        close(raw);
        UNTIL(&rig, end->closed == 1);
    }
    rig_close(&rig);
}

/* When a slot's generations are used up it is out of use: the table shrinks, no handle returns. */
static void used_up_slot_retires(void)
{
    const uint32_t last = UINT32_MAX >> 1; /* two slots take one bit */
    struct handles handles;
    uint32_t handle, slot;

    CU_ASSERT_TRUE_FATAL(handles_init(&handles, 2));
    handles.slots[0].generation = last;
    handle = handles_take(&handles);
    CU_ASSERT_EQUAL(handle, last << 1);
    CU_ASSERT_TRUE(handles_slot(&handles, handle, &slot));
    handles_give_back(&handles, handle);
    CU_ASSERT_FALSE(handles_slot(&handles, handle, &slot));
    for (uint32_t generation = 1; generation < 10; generation++) {
        handle = handles_take(&handles);
        CU_ASSERT_EQUAL(handle, generation << 1 | 1);
        CU_ASSERT_EQUAL(handles_take(&handles), HANDLE_NONE);
        handles_give_back(&handles, handle);
    }
    handles_release(&handles);
}

/* The refusal reaches the peer although it is still sending and nobody reads that any more. */
static void last_words_are_heard(void)
{
    struct rig rig;
    struct end *end;
    size_t got = 0;
    int raw;

    rig_open(&rig, &roomy, 4);
    rig.mode = END_FINISH;
    end = rig_accepted(&rig, &raw);
    CU_ASSERT_EQUAL(raw_write(raw, 0, 100000), 100000);
    UNTIL(&rig, raw_drain(raw, &got));
    CU_ASSERT_EQUAL(got, 7);
    CU_ASSERT_EQUAL(end->closed, 0);
    close(raw);
    UNTIL(&rig, end->closed == 1);
    CU_ASSERT_EQUAL(end->err.code, ERR_REFUSED);
    CU_ASSERT_STRING_EQUAL(end->err.text, "finished in on_data");
    CU_ASSERT_EQUAL(end->calls, 1);
    rig_close(&rig);
}

/* Input that was held back when the connection was finished is not offered again. */
static void finished_connection_takes_no_input(void)
{
    struct rig rig;
    struct end *end;
    int raw;

    rig_open(&rig, &roomy, 4);
    rig.mode = END_HOLD;
    end = rig_accepted(&rig, &raw);
    CU_ASSERT_EQUAL(raw_write(raw, 0, 100), 100);
    UNTIL(&rig, end->calls == 1);
    conn_pause(end->conn);
    conn_finish(end->conn, ERR_REFUSED, "no more");
    conn_resume(end->conn);
    CU_ASSERT_FALSE(conn_send(end->conn, "x", 1));
    close(raw);
    UNTIL(&rig, end->closed == 1);
    CU_ASSERT_EQUAL(end->calls, 1);
    rig_close(&rig);
}

static void closing_the_table_tells_everyone(void)
{
    struct rig rig;
    struct end *a, *b;
    int raw[2];

    rig_open(&rig, &roomy, 4);
    a = rig_accepted(&rig, &raw[0]);
    b = rig_accepted(&rig, &raw[1]);
    rig_close(&rig);
    CU_ASSERT_EQUAL(a->closed, 1);
    CU_ASSERT_EQUAL(b->closed, 1);
    CU_ASSERT_EQUAL(b->err.code, ERR_CLOSED);
    close(raw[0]);
    close(raw[1]);
}

CU_TestInfo conn_tests[] = {
    {"bytes_arrive_in_order", bytes_arrive_in_order},
    {"echo_comes_back_whole", echo_comes_back_whole},
    {"a_turn_writes_once", a_turn_writes_once},
    {"encoding_into_the_buffer", encoding_into_the_buffer},
    {"half_closed_peer_is_heard_then_closed", half_closed_peer_is_heard_then_closed},
    {"reset_peer_is_an_error_that_names_it", reset_peer_is_an_error_that_names_it},
    {"closing_in_own_callback_is_safe", closing_in_own_callback_is_safe},
    {"closing_in_on_open_is_safe", closing_in_on_open_is_safe},
    {"closed_handle_finds_nothing_and_sends_nothing",
     closed_handle_finds_nothing_and_sends_nothing},
    {"handles_are_never_given_twice", handles_are_never_given_twice},
    {"used_up_slot_retires", used_up_slot_retires},
    {"last_words_are_heard", last_words_are_heard},
    {"finished_connection_takes_no_input", finished_connection_takes_no_input},
    {"closing_the_table_tells_everyone", closing_the_table_tells_everyone},
    CU_TEST_INFO_NULL,
};
