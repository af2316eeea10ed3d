#include "base/crc32c.h"
#include "support/runner.h"

#include <string.h>

/* RFC 3720, appendix B.4, and the check value of the catalogue of CRCs. */
static void published_values(void)
{
    uint8_t bytes[32];

    CU_ASSERT_EQUAL(crc32c(0, "", 0), 0);
    CU_ASSERT_EQUAL(crc32c(0, "123456789", 9), 0xe3069283u);
    memset(bytes, 0, sizeof(bytes));
    CU_ASSERT_EQUAL(crc32c(0, bytes, sizeof(bytes)), 0x8a9136aau);
    memset(bytes, 0xff, sizeof(bytes));
    CU_ASSERT_EQUAL(crc32c(0, bytes, sizeof(bytes)), 0x62a8ab43u);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)i;
    CU_ASSERT_EQUAL(crc32c(0, bytes, sizeof(bytes)), 0x46dd794eu);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(31 - i);
    CU_ASSERT_EQUAL(crc32c(0, bytes, sizeof(bytes)), 0x113fdb5cu);
}

/* Every length and start, so that the words and the rest of the instruction are met. */
static void instruction_and_table_agree(void)
{
    uint8_t bytes[80];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 37 + 11);
    for (size_t at = 0; at < 9; at++) {
        for (size_t size = 0; at + size <= sizeof(bytes); size++)
            CU_ASSERT_EQUAL(crc32c(0, bytes + at, size), crc32c_table(0, bytes + at, size));
    }
}

static void parts_make_the_whole(void)
{
    static const char text[] = "one transaction, one outcome, for ever";
    uint32_t whole = crc32c(0, text, sizeof(text));

    for (size_t cut = 0; cut <= sizeof(text); cut++) {
        CU_ASSERT_EQUAL(crc32c(crc32c(0, text, cut), text + cut, sizeof(text) - cut), whole);
        CU_ASSERT_EQUAL(crc32c_table(crc32c(0, text, cut), text + cut, sizeof(text) - cut), whole);
    }
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"published_values", published_values},
        {"instruction_and_table_agree", instruction_and_table_agree},
        {"parts_make_the_whole", parts_make_the_whole},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"crc32c", NULL, NULL, NULL, NULL, tests},
        CU_SUITE_INFO_NULL,
    };
    return runner_main(suites, argc, argv);
}
