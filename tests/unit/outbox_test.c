#include "runtime/outbox.h"
#include "support/runner.h"

#include <string.h>

#define SENT_MAX 4096

/* What came out, in order: peer and first byte of each frame. */
struct sent {
    uint32_t peers[SENT_MAX];
    uint8_t firsts[SENT_MAX];
    size_t sizes[SENT_MAX];
    uint32_t count;
    bool torn; /* a frame's bytes were not all the same */
};

static void on_send(void *ctx, uint32_t peer, const uint8_t *frame, size_t size)
{
    struct sent *sent = ctx;

    if (sent->count == SENT_MAX)
        return;
    for (size_t i = 1; i < size; i++) {
        if (frame[i] != frame[0])
            sent->torn = true;
    }
    sent->peers[sent->count] = peer;
    sent->firsts[sent->count] = frame[0];
    sent->sizes[sent->count] = size;
    sent->count++;
}

static bool push(struct outbox *outbox, uint32_t peer, uint64_t depends, uint8_t byte, size_t size)
{
    uint8_t *at = outbox_reserve(outbox, size);

    if (!at)
        return false;
    memset(at, byte, size);
    outbox_push(outbox, peer, depends, size);
    return true;
}

static void nothing_leaves_before_it_is_durable(void)
{
    struct sent sent = {.count = 0};
    struct outbox *outbox;

    CU_ASSERT_EQUAL_FATAL(outbox_open(4096, 10, on_send, &sent, &outbox, NULL), 0);
    CU_ASSERT_TRUE(push(outbox, 1, 11, 'a', 3));
    CU_ASSERT_TRUE(push(outbox, 2, 12, 'b', 5));
    outbox_release(outbox, 10);
    CU_ASSERT_EQUAL(sent.count, 0);
    outbox_release(outbox, 11);
    CU_ASSERT_EQUAL(sent.count, 1);
    CU_ASSERT_EQUAL(sent.firsts[0], 'a');
    CU_ASSERT_FALSE(outbox_is_empty(outbox));
    outbox_release(outbox, 12);
    CU_ASSERT_EQUAL(sent.count, 2);
    CU_ASSERT_EQUAL(sent.peers[1], 2);
    CU_ASSERT_EQUAL(sent.sizes[1], 5);
    CU_ASSERT_TRUE(outbox_is_empty(outbox));
    CU_ASSERT_EQUAL(outbox_durable(outbox), 12);
    outbox_close(outbox);
}

static void nothing_overtakes(void)
{
    struct sent sent = {.count = 0};
    struct outbox *outbox;

    CU_ASSERT_EQUAL_FATAL(outbox_open(4096, 10, on_send, &sent, &outbox, NULL), 0);
    CU_ASSERT_TRUE(push(outbox, 1, 12, 'a', 3));
    CU_ASSERT_TRUE(push(outbox, 1, 5, 'b', 3)); /* a read that rests on older things */
    outbox_release(outbox, 11);
    CU_ASSERT_EQUAL(sent.count, 0);
    outbox_release(outbox, 12);
    CU_ASSERT_EQUAL(sent.count, 2);
    CU_ASSERT_EQUAL(sent.firsts[0], 'a');
    outbox_close(outbox);
}

static void full_outbox_refuses_and_recovers(void)
{
    struct sent sent = {.count = 0};
    struct outbox *outbox;
    uint32_t pushed = 0;

    CU_ASSERT_EQUAL_FATAL(outbox_open(1024, 0, on_send, &sent, &outbox, NULL), 0);
    while (outbox_has_room(outbox, 20, 1)) {
        CU_ASSERT_TRUE_FATAL(push(outbox, 1, 1, (uint8_t)pushed, 20));
        pushed++;
    }
    CU_ASSERT(pushed >= 1024 / 64 - 2);
    CU_ASSERT_PTR_NULL(outbox_reserve(outbox, 900));
    outbox_release(outbox, 1);
    CU_ASSERT_EQUAL(sent.count, pushed);
    CU_ASSERT_TRUE(outbox_has_room(outbox, 900, 1));
    CU_ASSERT_TRUE(push(outbox, 1, 2, 'z', 900));
    outbox_close(outbox);
}

/* Sizes and releases of all kinds, so that frames wrap at every place of the ring. */
static void order_holds_around_the_ring(void)
{
    struct sent sent = {.count = 0};
    struct outbox *outbox;
    uint64_t position = 0;
    uint32_t pushed = 0, seed = 7;

    CU_ASSERT_EQUAL_FATAL(outbox_open(2048, 0, on_send, &sent, &outbox, NULL), 0);
    while (pushed < SENT_MAX) {
        seed = seed * 1664525 + 1013904223;
        if (push(outbox, pushed, ++position, (uint8_t)pushed, 1 + seed / 65536 % 300))
            pushed++;
        else
            position--;
        if (seed / 7 % 3 == 0)
            outbox_release(outbox, position > 2 ? position - 2 : 0);
    }
    outbox_release(outbox, position);
    CU_ASSERT_EQUAL(sent.count, pushed);
    CU_ASSERT_FALSE(sent.torn);
    for (uint32_t i = 0; i < sent.count; i++)
        CU_ASSERT_TRUE(sent.peers[i] == i && sent.firsts[i] == (uint8_t)i);
    outbox_close(outbox);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"nothing_leaves_before_it_is_durable", nothing_leaves_before_it_is_durable},
        {"nothing_overtakes", nothing_overtakes},
        {"full_outbox_refuses_and_recovers", full_outbox_refuses_and_recovers},
        {"order_holds_around_the_ring", order_holds_around_the_ring},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"outbox", NULL, NULL, NULL, NULL, tests},
        CU_SUITE_INFO_NULL,
    };
    return runner_main(suites, argc, argv);
}
