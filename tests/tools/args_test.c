#include "settlectl/args.h"

#include "support/runner.h"

#include <string.h>

#define WORDS_MAX 8

static const struct option list_options[] = {
    {"state", "S", "which", false}, {"all", NULL, "all of them", false}, {NULL, NULL, NULL, false}};
static const struct option create_options[] = {
    {"currency", "C", "which", true}, {"floor", "F", "how low", false}, {NULL, NULL, NULL, false}};
static const struct verb verbs[] = {
    {.name = "status", .summary = "How it is"},
    {.name = "txn list", .summary = "List", .options = list_options},
    {.name = "txn show", .summary = "Show", .operand = "ID"},
    {.name = "account create",
     .summary = "Create",
     .operand = "P/ACCOUNT",
     .options = create_options},
    {.name = NULL},
};

static bool parse(const char *const words[WORDS_MAX], struct args *ret_args,
                  char complaint[COMPLAINT_SIZE])
{
    static char copies[WORDS_MAX + 1][64];
    char *argv[WORDS_MAX + 2] = {copies[0]};
    int argc = 1;

    while (argc <= WORDS_MAX && words[argc - 1]) {
        snprintf(copies[argc], sizeof(copies[argc]), "%s", words[argc - 1]);
        argv[argc] = copies[argc];
        argc++;
    }
    complaint[0] = '\0';
    return args_parse(ret_args, verbs, argc, argv, complaint);
}

static void what_is_wrong_is_named(void)
{
    static const struct {
        const char *words[WORDS_MAX];
        const char *complaint;
    } lines[] = {
        {{NULL}, "a verb is missing; see settlectl --help"},
        {{"stats"}, "there is no verb 'stats'; see settlectl --help"},
        {{"txn"}, "'txn' is not complete; see settlectl txn --help"},
        {{"txn", "lists"}, "there is no verb 'txn lists'; see settlectl --help"},
        {{"status", "now"}, "'status' takes nothing more, but got 'now'"},
        {{"txn", "show"}, "'txn show' needs ID; see settlectl txn show --help"},
        {{"txn", "show", "a", "b"}, "'txn show' takes one ID, but got 'b' as well"},
        {{"txn", "list", "--bogus"},
         "'txn list' has no option '--bogus'; see settlectl txn list --help"},
        {{"--bogus", "status"}, "unknown option '--bogus'; see settlectl --help"},
        {{"-x", "status"}, "unknown option '-x'; see settlectl --help"},
        {{"txn", "list", "--state"}, "--state needs a value: --state S"},
        {{"txn", "list", "--state", "A", "--state=B"}, "--state is given twice"},
        {{"txn", "list", "--all=yes"}, "--all takes no value"},
        {{"account", "create", "a/B"}, "'account create' needs --currency C"},
        {{"status", "--timeout-ms", "0"}, "--timeout-ms 0: give milliseconds from 1 to 3600000"},
        {{"status", "--timeout-ms", "5s"}, "--timeout-ms 5s: give milliseconds from 1 to 3600000"},
        {{"status", "--timeout-ms", "99999999999999999999"},
         "--timeout-ms 99999999999999999999: give milliseconds from 1 to 3600000"},
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char complaint[COMPLAINT_SIZE];
        struct args args;

        CU_ASSERT_FALSE(parse(lines[i].words, &args, complaint));
        CU_ASSERT_STRING_EQUAL(complaint, lines[i].complaint);
    }
}

static void options_stand_before_or_after_the_verb(void)
{
    static const char *const words[WORDS_MAX] = {"--json", "txn",     "--timeout-ms=250", "list",
                                                 "--all",  "--state", "PREPARED"};
    char complaint[COMPLAINT_SIZE];
    struct args args;

    CU_ASSERT_FATAL(parse(words, &args, complaint));
    CU_ASSERT_STRING_EQUAL(args.verb->name, "txn list");
    CU_ASSERT(args.json);
    CU_ASSERT_EQUAL(args.timeout_ms, 250);
    CU_ASSERT_STRING_EQUAL(args_value(&args, "state"), "PREPARED");
    CU_ASSERT_STRING_EQUAL(args_value(&args, "all"), "");
    CU_ASSERT_PTR_NULL(args.cluster);
}

static void a_value_may_begin_with_a_dash(void)
{
    static const char *const words[WORDS_MAX] = {"account", "create",  "bank-a/A", "--currency",
                                                 "EUR",     "--floor", "-1000.00"};
    char complaint[COMPLAINT_SIZE];
    struct args args;

    CU_ASSERT_FATAL(parse(words, &args, complaint));
    CU_ASSERT_STRING_EQUAL(args.operand, "bank-a/A");
    CU_ASSERT_STRING_EQUAL(args_value(&args, "floor"), "-1000.00");
    CU_ASSERT_EQUAL(args.timeout_ms, TIMEOUT_DEFAULT);
}

static void an_operand_may_be_a_dash_or_follow_two(void)
{
    static const char *const dash[WORDS_MAX] = {"txn", "show", "-"};
    static const char *const two[WORDS_MAX] = {"txn", "show", "--", "--json"};
    char complaint[COMPLAINT_SIZE];
    struct args args;

    CU_ASSERT_FATAL(parse(dash, &args, complaint));
    CU_ASSERT_STRING_EQUAL(args.operand, "-");
    CU_ASSERT_FATAL(parse(two, &args, complaint));
    CU_ASSERT_STRING_EQUAL(args.operand, "--json");
    CU_ASSERT_FALSE(args.json);
}

static void help_wants_nothing_else(void)
{
    static const char *const verb[WORDS_MAX] = {"account", "create", "--help"};
    static const char *const topic[WORDS_MAX] = {"account", "-h"};
    char complaint[COMPLAINT_SIZE];
    struct args args;

    CU_ASSERT_FATAL(parse(verb, &args, complaint));
    CU_ASSERT(args.help);
    CU_ASSERT_STRING_EQUAL(args.verb->name, "account create");
    CU_ASSERT_FATAL(parse(topic, &args, complaint));
    CU_ASSERT(args.help);
    CU_ASSERT_PTR_NULL(args.verb);
    CU_ASSERT_STRING_EQUAL(args.topic, "account");
}

static void durations(void)
{
    static const struct {
        const char *text;
        bool fine;
        unsigned long long ms;
    } rows[] = {
        {"5s", true, 5000},
        {"250ms", true, 250},
        {"2m", true, 120000},
        {"1h", true, 3600000},
        {"1500", true, 1500},
        {"0", true, 0},
        {"", false, 0},
        {"s", false, 0},
        {"5x", false, 0},
        {"-5s", false, 0},
        {"5 s", false, 0},
        {"1.5s", false, 0},
        {"9223372036854775807h", false, 0},
        {"99999999999999999999", false, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unsigned long long ms = 0;

        CU_ASSERT_EQUAL(duration_parse(rows[i].text, &ms), rows[i].fine);
        CU_ASSERT_EQUAL(ms, rows[i].ms);
    }
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"what_is_wrong_is_named", what_is_wrong_is_named},
        {"options_stand_before_or_after_the_verb", options_stand_before_or_after_the_verb},
        {"a_value_may_begin_with_a_dash", a_value_may_begin_with_a_dash},
        {"an_operand_may_be_a_dash_or_follow_two", an_operand_may_be_a_dash_or_follow_two},
        {"help_wants_nothing_else", help_wants_nothing_else},
        {"durations", durations},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {{"settlectl_args", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

    return runner_main(suites, argc, argv);
}
