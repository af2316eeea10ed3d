#include "bench/options.h"

#include "support/runner.h"

#include <string.h>

#define WORDS_MAX 8

/* One command line, and what must come of it. */
struct line {
    const char *words[WORDS_MAX];
    const char *complaint; /* NULL: it is accepted */
};

static bool parse(const char *const words[WORDS_MAX], struct bench_options *ret_options,
                  char complaint[256])
{
    static char copies[WORDS_MAX + 1][64];
    char *argv[WORDS_MAX + 2] = {copies[0]};
    int argc = 1;

    snprintf(copies[0], sizeof(copies[0]), "settle-bench");
    while (argc <= WORDS_MAX && words[argc - 1]) {
        snprintf(copies[argc], sizeof(copies[argc]), "%s", words[argc - 1]);
        argv[argc] = copies[argc];
        argc++;
    }
    complaint[0] = '\0';
    return bench_options_parse(ret_options, argc, argv, complaint, 256);
}

static void what_is_wrong_is_named(void)
{
    static const struct line lines[] = {
        {{"--transfers", "0"}, "--transfers '0': give a whole number from 1 to 1000000000000"},
        {{"--transfers", "1e6"}, "--transfers '1e6': give a whole number"},
        {{"--transfers", "-5"}, "--transfers '-5'"},
        {{"--transfers"}, "--transfers needs a value"},
        {{"--accounts", "1"}, "--accounts '1': give a whole number from 2"},
        {{"--in-flight", "100001"}, "--in-flight '100001'"},
        {{"--hot", "1.01"}, "--hot '1.01': give the share of transfers, from 0 to 1"},
        {{"--hot", "nan"}, "--hot 'nan'"},
        {{"--protocol", "3pc"}, "--protocol 3pc is refused"},
        {{"--protocol", "4pc"}, "--protocol '4pc'"},
        {{"--participants", "bank-a,,bank-b"}, "--participants: give 1 to 64 names"},
        {{"--bogus"}, "unknown option --bogus"},
        {{"bank-a"}, "'bank-a' is no option"},
        {{"--json", "--clients", "3", "--warmup", "0", "--duration", "2"}, NULL},
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct bench_options options;
        char complaint[256];
        bool fine = parse(lines[i].words, &options, complaint);

        CU_ASSERT_EQUAL(fine, lines[i].complaint == NULL);
        if (lines[i].complaint &&
            strncmp(complaint, lines[i].complaint, strlen(lines[i].complaint)) != 0) {
            printf("\n  wanted: %s\n  got:    %s\n", lines[i].complaint, complaint);
            CU_FAIL("another complaint");
        }
    }
}

static void what_is_given_is_taken(void)
{
    static const char *const words[WORDS_MAX] = {"--participants",  "bank-a,bank-b", "--hot", "0.5",
                                                 "--in-flight=256", "--accounts=10"};
    struct bench_options options;
    char complaint[256];

    CU_ASSERT_FATAL(parse(words, &options, complaint));
    CU_ASSERT_EQUAL(options.bank_count, 2);
    CU_ASSERT_STRING_EQUAL(options.banks[0], "bank-a");
    CU_ASSERT_STRING_EQUAL(options.banks[1], "bank-b");
    CU_ASSERT_EQUAL(options.hot, 0.5);
    CU_ASSERT_EQUAL(options.in_flight, 256);
    CU_ASSERT_EQUAL(options.accounts, 10);
    CU_ASSERT_EQUAL(options.clients, 1);
    CU_ASSERT_FALSE(options.json);
}

static void no_client_is_without_a_transfer(void)
{
    static const char *const words[WORDS_MAX] = {"--clients", "8", "--in-flight", "3"};
    struct bench_options options;
    char complaint[256];

    CU_ASSERT_FATAL(parse(words, &options, complaint));
    CU_ASSERT_EQUAL(options.clients, 3);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"what_is_wrong_is_named", what_is_wrong_is_named},
        {"what_is_given_is_taken", what_is_given_is_taken},
        {"no_client_is_without_a_transfer", no_client_is_without_a_transfer},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {{"bench_options", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

    return runner_main(suites, argc, argv);
}
