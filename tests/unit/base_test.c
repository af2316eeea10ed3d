#include "base/err.h"
#include "base/ledger_types.h"
#include "base/prng.h"
#include "base/reason.h"
#include "base/types.h"
#include "support/runner.h"

#include <string.h>

static void id_text_round_trip(void)
{
    static const uint8_t random[10] = {0xff, 1, 0xff, 3, 4, 5, 6, 7, 8, 9};
    struct id id = id_make(0x0123456789abu, random), back;
    char text[ID_TEXT_SIZE];

    CU_ASSERT_TRUE(id_is_v7(&id));
    CU_ASSERT_EQUAL(id_unix_ms(&id), 0x0123456789abu);
    CU_ASSERT_STRING_EQUAL(id_format(&id, text), "01234567-89ab-7f01-bf03-040506070809");
    CU_ASSERT_TRUE_FATAL(id_parse(&back, text));
    CU_ASSERT_TRUE(id_equal(&id, &back));
}

static void id_parse_refuses_malformed(void)
{
    static const char *const bad[] = {
        "",
        "01234567-89ab-7f01-bf03-04050607080",
        "01234567-89ab-7f01-bf03-0405060708090",
        "0123456789ab7f01bf03040506070809",
        "01234567-89ab-7f01-bf03-04050607080g",
        "01234567x89ab-7f01-bf03-040506070809",
    };
    struct id id;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CU_ASSERT_FALSE(id_parse(&id, bad[i]));
}

static void ids_of_other_versions_are_told_apart(void)
{
    struct id id;

    CU_ASSERT_TRUE(id_parse(&id, "01234567-89ab-4f01-bf03-040506070809"));
    CU_ASSERT_FALSE(id_is_v7(&id));
    CU_ASSERT_TRUE(id_parse(&id, "01234567-89ab-7f01-cf03-040506070809"));
    CU_ASSERT_FALSE(id_is_v7(&id));
}

static void node_names_are_checked(void)
{
    static const char *const bad[] = {"",       "1bank", "Bank",
                                      "bank_a", "-a",    "a2345678901234567890123456789012"};
    struct node_name name;

    CU_ASSERT_TRUE(node_name_parse(&name, "bank-a", 6));
    CU_ASSERT_STRING_EQUAL(name.text, "bank-a");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CU_ASSERT_FALSE(node_name_parse(&name, bad[i], strlen(bad[i])));
}

static void groups_spread_evenly(void)
{
    unsigned count[16] = {0};
    uint8_t random[10] = {0};

    for (unsigned i = 0; i < 16000; i++) {
        struct id id;
        random[9] = (uint8_t)i;
        random[8] = (uint8_t)(i >> 8);
        id = id_make(1700000000000u + i / 7, random);
        count[id_group(&id, 16)]++;
    }
    for (unsigned i = 0; i < 16; i++)
        CU_ASSERT(count[i] > 800 && count[i] < 1200);
}

static void errors_are_prefixed_on_the_way_up(void)
{
    struct err err;

    CU_ASSERT_EQUAL(err_set(&err, ERR_IO, "cannot open %s", "x"), ERR_IO);
    CU_ASSERT_EQUAL(err_prefix(&err, "store %s", "d"), ERR_IO);
    CU_ASSERT_STRING_EQUAL(err.text, "store d: cannot open x");
    CU_ASSERT_STRING_EQUAL(err_name(ERR_IO), "io");
    CU_ASSERT_EQUAL(err_set(NULL, ERR_FULL, "full"), ERR_FULL);
}

static void every_reason_has_name_and_text(void)
{
    for (unsigned i = 0; i < REASON_COUNT; i++) {
        CU_ASSERT_PTR_NOT_NULL(reason_name(i));
        CU_ASSERT(strlen(reason_text(i)) > 10);
    }
    CU_ASSERT_STRING_EQUAL(reason_name(REASON_COUNT), "UNKNOWN");
}

static void account_names_and_currencies_are_checked(void)
{
    static const char *const bad[] = {"", "main", "A_B", "A B",
                                      "A23456789012345678901234567890123456"};
    struct account_name name;
    struct currency currency;

    CU_ASSERT_TRUE(account_name_parse(&name, "A-234567890123456789012345678901234", 34));
    CU_ASSERT_EQUAL(strlen(name.text), 34);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CU_ASSERT_FALSE(account_name_parse(&name, bad[i], strlen(bad[i])));
    CU_ASSERT_TRUE(currency_parse(&currency, "USD", 3));
    CU_ASSERT_STRING_EQUAL(currency.code, "USD");
    CU_ASSERT_FALSE(currency_parse(&currency, "usd", 3));
    CU_ASSERT_FALSE(currency_parse(&currency, "USDT", 4));
    CU_ASSERT_STRING_EQUAL(account_status_name(ACCOUNT_BLOCKED_DEBITS), "BLOCKED_DEBITS");
}

static void random_numbers_repeat(void)
{
    uint8_t bytes[5] = {0};
    struct prng a, b;
    uint64_t seen = 0;

    prng_init(&a, 0); /* the reference implementation's first number after splitmix64(0) */
    CU_ASSERT_EQUAL(prng_next(&a), UINT64_C(0x99ec5f36cb75f2b4));
    prng_init(&a, 7);
    prng_init(&b, 7);
    for (int i = 0; i < 1000; i++) {
        uint64_t below = prng_below(&a, 64);

        CU_ASSERT_TRUE(below < 64);
        CU_ASSERT_EQUAL(below, prng_below(&b, 64));
        seen |= UINT64_C(1) << below;
    }
    CU_ASSERT_EQUAL(seen, UINT64_MAX);
    CU_ASSERT_FALSE(prng_chance(&a, 0));
    CU_ASSERT_TRUE(prng_chance(&a, 1000));
    prng_fill(&a, bytes, 3);
    CU_ASSERT_EQUAL(bytes[3], 0);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"id_text_round_trip", id_text_round_trip},
        {"id_parse_refuses_malformed", id_parse_refuses_malformed},
        {"ids_of_other_versions_are_told_apart", ids_of_other_versions_are_told_apart},
        {"node_names_are_checked", node_names_are_checked},
        {"account_names_and_currencies_are_checked", account_names_and_currencies_are_checked},
        {"random_numbers_repeat", random_numbers_repeat},
        {"groups_spread_evenly", groups_spread_evenly},
        {"errors_are_prefixed_on_the_way_up", errors_are_prefixed_on_the_way_up},
        {"every_reason_has_name_and_text", every_reason_has_name_and_text},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"base", NULL, NULL, NULL, NULL, tests},
        CU_SUITE_INFO_NULL,
    };
    return runner_main(suites, argc, argv);
}
