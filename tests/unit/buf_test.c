#include "base/buf.h"
#include "base/prng.h"
#include "support/runner.h"

#include <string.h>

#define SIZE_MAX_TESTED 100000u

static void bytes_come_out_as_they_went_in(void)
{
    struct buf buf;
    struct prng prng;
    size_t in = 0, out = 0;

    prng_init(&prng, 1);
    buf_init(&buf, SIZE_MAX_TESTED);
    for (int i = 0; i < 20000; i++) {
        size_t size = (size_t)prng_below(&prng, 3000);

        if (prng_chance(&prng, 520)) {
            uint8_t *room = buf_reserve(&buf, size);

            CU_ASSERT_EQUAL(room != NULL, in - out + size <= SIZE_MAX_TESTED);
            if (!room)
                continue;
            for (size_t j = 0; j < size; j++)
                room[j] = (uint8_t)((in + j) * 7);
            buf_commit(&buf, size);
            in += size;
        } else {
            size = size < buf_size(&buf) ? size : buf_size(&buf);
            for (size_t j = 0; j < size; j++)
                CU_ASSERT_EQUAL(buf_bytes(&buf)[j], (uint8_t)((out + j) * 7));
            buf_consume(&buf, size);
            out += size;
        }
        CU_ASSERT_EQUAL_FATAL(buf_size(&buf), in - out);
        CU_ASSERT_FATAL(buf.capacity <= SIZE_MAX_TESTED);
    }
    CU_ASSERT(out > 0);
    buf_release(&buf);
}

static void full_buffer_changes_nothing(void)
{
    struct buf buf;

    buf_init(&buf, 10);
    CU_ASSERT_TRUE(buf_append(&buf, "0123456", 7));
    CU_ASSERT_FALSE(buf_append(&buf, "abcd", 4));
    CU_ASSERT_TRUE(buf_append(&buf, "789", 3));
    CU_ASSERT_FALSE(buf_append(&buf, "x", 1));
    CU_ASSERT_TRUE(buf_append(&buf, NULL, 0));
    CU_ASSERT_EQUAL(memcmp(buf_bytes(&buf), "0123456789", 10), 0);
    buf_consume(&buf, 4);
    CU_ASSERT_TRUE(buf_append(&buf, "abcd", 4)); /* moved: there is no other way */
    CU_ASSERT_EQUAL(memcmp(buf_bytes(&buf), "456789abcd", 10), 0);
    buf_release(&buf);
    CU_ASSERT_TRUE(buf_append(&buf, "again", 5));
    buf_release(&buf);
}

static void large_memory_is_given_back_when_empty(void)
{
    static const uint8_t bytes[200000];
    struct buf buf;

    buf_init(&buf, sizeof(bytes));
    CU_ASSERT_EQUAL(buf.capacity, 0);
    CU_ASSERT_TRUE(buf_append(&buf, bytes, sizeof(bytes)));
    buf_consume(&buf, sizeof(bytes) - 1);
    CU_ASSERT(buf.capacity >= sizeof(bytes));
    buf_consume(&buf, 1);
    CU_ASSERT_EQUAL(buf.capacity, 0);
    CU_ASSERT_TRUE(buf_append(&buf, bytes, 100));
    buf_consume(&buf, 100);
    CU_ASSERT(buf.capacity > 0); /* small memory is kept */
    buf_release(&buf);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"bytes_come_out_as_they_went_in", bytes_come_out_as_they_went_in},
        {"full_buffer_changes_nothing", full_buffer_changes_nothing},
        {"large_memory_is_given_back_when_empty", large_memory_is_given_back_when_empty},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"buf", NULL, NULL, NULL, NULL, tests},
        CU_SUITE_INFO_NULL,
    };
    return runner_main(suites, argc, argv);
}
