#include "rig.h"

#include <string.h>

static void addresses_round_trip(void)
{
    static const char *const good[] = {"127.0.0.1:7400", "0.0.0.0:0", "[::1]:7400",
                                       "[2001:db8::7]:65535"};

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct address address, again;
        char text[ADDRESS_TEXT_SIZE];
        struct err err = {0};

        CU_ASSERT_EQUAL_FATAL(address_parse(&address, good[i], &err), 0);
        CU_ASSERT_STRING_EQUAL(address_format(&address, text), good[i]);
        CU_ASSERT_EQUAL_FATAL(address_resolve(&again, good[i], &err), 0);
        CU_ASSERT_TRUE(address_equal(&address, &again));
    }
}

static void malformed_addresses_say_what_is_wrong(void)
{
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"", "no port"},
        {"127.0.0.1", "no port"},
        {"127.0.0.1:", "must be a number"},
        {"127.0.0.1:x", "must be a number"},
        {"127.0.0.1:-1", "must be a number"},
        {"127.0.0.1:65536", "must be a number"},
        {"127.0.0.1:100000", "must be a number"},
        {"127.0.0.1: 80", "must be a number"},
        {":80", "no host"},
        {"[]:80", "no host"},
        {"[::1:80", "']' is missing"},
        {"::1:80", "in brackets"},
        {"127.0.0:80", "no IP address"},
        {"bank-a:80", "no IP address"},
        {"[bank-a]:80", "no IP address"},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct address address;
        struct err err = {0};

        CU_ASSERT_EQUAL(address_parse(&address, bad[i].text, &err), ERR_USAGE);
        if (!strstr(err.text, bad[i].says))
            CU_FAIL(bad[i].text);
        if (bad[i].text[0] && !strstr(err.text, bad[i].text))
            CU_FAIL("the text does not quote the address");
    }
}

static void loopback_is_told_apart(void)
{
    static const struct {
        const char *text;
        bool loopback;
    } cases[] = {
        {"127.0.0.1:1", true}, {"127.9.9.9:1", true},  {"[::1]:1", true},
        {"0.0.0.0:1", false},  {"128.0.0.1:1", false}, {"[::]:1", false},
        {"10.0.0.1:1", false}, {"[fe80::1]:1", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct address address;

        CU_ASSERT_EQUAL_FATAL(address_parse(&address, cases[i].text, NULL), 0);
        CU_ASSERT_EQUAL(address_is_loopback(&address), cases[i].loopback);
        CU_ASSERT_EQUAL(address_port(&address), 1);
    }
}

static void names_are_looked_up_at_start_only(void)
{
    struct address address;
    struct err err = {0};

    CU_ASSERT_EQUAL_FATAL(address_resolve(&address, "localhost:7400", &err), 0);
    CU_ASSERT_TRUE(address_is_loopback(&address));
    CU_ASSERT_EQUAL(address_port(&address), 7400);
    CU_ASSERT_EQUAL(address_resolve(&address, "no-such-host.invalid:1", &err), ERR_UNREACHABLE);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no-such-host.invalid"));
}

CU_TestInfo address_tests[] = {
    {"addresses_round_trip", addresses_round_trip},
    {"malformed_addresses_say_what_is_wrong", malformed_addresses_say_what_is_wrong},
    {"loopback_is_told_apart", loopback_is_told_apart},
    {"names_are_looked_up_at_start_only", names_are_looked_up_at_start_only},
    CU_TEST_INFO_NULL,
};
