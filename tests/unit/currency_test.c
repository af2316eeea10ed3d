#include "base/amount.h"
#include "base/currency.h"
#include "support/runner.h"

#include <string.h>

static void every_currency_is_found_by_its_code(void)
{
    for (uint32_t i = 0; i < currency_count(); i++) {
        const struct currency_info *info = currency_at(i);

        CU_ASSERT_PTR_EQUAL(currency_find(info->currency.code), info);
        CU_ASSERT(info->digits <= AMOUNT_DIGITS_MAX);
        CU_ASSERT(i == 0 || strcmp(currency_at(i - 1)->currency.code, info->currency.code) < 0);
    }
}

static void digits_are_those_of_iso_4217(void)
{
    static const struct {
        const char *code;
        unsigned digits;
    } cases[] = {{"JPY", 0}, {"KRW", 0}, {"ISK", 0}, {"USD", 2}, {"EUR", 2}, {"BHD", 3},
                 {"KWD", 3}, {"TND", 3}, {"CLF", 4}, {"UYW", 4}, {"CHW", 2}, {"XOF", 0}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct currency_info *info = currency_find(cases[i].code);

        CU_ASSERT_PTR_NOT_NULL_FATAL(info);
        CU_ASSERT_EQUAL(info->digits, cases[i].digits);
    }
}

static void others_are_not_found(void)
{
    static const char *const others[] = {"", "US", "USDX", "usd", "XAU", "XTS", "ZZZ"};

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        CU_ASSERT_PTR_NULL(currency_find(others[i]));
}

static void amounts_are_read_and_written(void)
{
    static const struct {
        const char *text;
        unsigned digits;
        int64_t minor;
        const char *written;
    } cases[] = {
        {"12.34", 2, 1234, "12.34"},
        {"12", 2, 1200, "12.00"},
        {"12.3", 2, 1230, "12.30"},
        {"0.05", 2, 5, "0.05"},
        {"-0.05", 2, -5, "-0.05"},
        {"007", 0, 7, "7"},
        {"1", 3, 1000, "1.000"},
        {"0", 2, 0, "0.00"},
        {"-1000.00", 2, -100000, "-1000.00"},
        {"9223372036854775807", 0, INT64_MAX, "9223372036854775807"},
        {"-9223372036854775808", 0, INT64_MIN, "-9223372036854775808"},
        {"92233720368547758.07", 2, INT64_MAX, "92233720368547758.07"},
        {"922337203685477.5807", 4, INT64_MAX, "922337203685477.5807"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[AMOUNT_TEXT_SIZE];
        int64_t minor = -1;

        CU_ASSERT_EQUAL(amount_parse(cases[i].text, cases[i].digits, &minor, NULL), 0);
        CU_ASSERT_EQUAL(minor, cases[i].minor);
        CU_ASSERT_STRING_EQUAL(amount_format(minor, cases[i].digits, text), cases[i].written);
    }
}

static void other_amounts_are_refused_with_the_reason(void)
{
    static const struct {
        const char *text;
        unsigned digits;
        const char *says;
    } cases[] = {
        {"", 2, "is no amount"},
        {"-", 2, "is no amount"},
        {".5", 2, "is no amount"},
        {"5.", 2, "is no amount"},
        {"+5", 2, "is no amount"},
        {" 5", 2, "is no amount"},
        {"5 ", 2, "is no amount"},
        {"1e3", 2, "is no amount"},
        {"1,000", 2, "is no amount"},
        {"1.2.3", 2, "is no amount"},
        {"--5", 2, "is no amount"},
        {"0x10", 2, "is no amount"},
        {"1.234", 2, "has 3 decimals; the currency has 2"},
        {"1.0", 0, "has 1 decimals; the currency has 0"},
        {"9223372036854775808", 0, "beyond 64 bits"},
        {"-9223372036854775809", 0, "beyond 64 bits"},
        {"92233720368547758.08", 2, "beyond 64 bits"},
        {"92233720368547758", 4, "beyond 64 bits"},
        {"99999999999999999999999999", 2, "beyond 64 bits"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t minor = 77;
        struct err err;

        CU_ASSERT_EQUAL(amount_parse(cases[i].text, cases[i].digits, &minor, &err), ERR_USAGE);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, cases[i].says));
        CU_ASSERT_EQUAL(minor, 77);
    }
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"every_currency_is_found_by_its_code", every_currency_is_found_by_its_code},
        {"digits_are_those_of_iso_4217", digits_are_those_of_iso_4217},
        {"others_are_not_found", others_are_not_found},
        {"amounts_are_read_and_written", amounts_are_read_and_written},
        {"other_amounts_are_refused_with_the_reason", other_amounts_are_refused_with_the_reason},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"currency", NULL, NULL, NULL, NULL, tests},
        CU_SUITE_INFO_NULL,
    };
    return runner_main(suites, argc, argv);
}
