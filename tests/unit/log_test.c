#include "runtime/log.h"
#include "support/runner.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Run log_line() with stderr going into `text`. */
static void captured(char *text, size_t size, const char *value)
{
    int ends[2], saved = dup(STDERR_FILENO);
    ssize_t count;

    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    log_line(LOG_INFO, "it happened", "a=%s n=%d", value, 7);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[1]);
    count = read(ends[0], text, size - 1);
    close(ends[0]);
    text[count > 0 ? count : 0] = '\0';
}

static void values_are_quoted_where_they_must_be(void)
{
    static const char *const cases[][2] = {
        {"plain", "plain"},
        {"", "\"\""},
        {"two words", "\"two words\""},
        {"a=b", "\"a=b\""},
        {"say \"no\"", "\"say \\\"no\\\"\""},
        {"back\\slash", "\"back\\\\slash\""},
        {"line\nbreak", "\"line\\nbreak\""},
        {"bell\a", "\"bell?\""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[64] = "";
        size_t used = 0;

        log_append_value(text, sizeof(text), &used, cases[i][0]);
        CU_ASSERT_STRING_EQUAL(text, cases[i][1]);
    }
}

static void a_line_is_one_line(void)
{
    char text[4096];
    const char *newline;

    log_init("bank-a", LOG_INFO);
    captured(text, sizeof(text), "two\nlines");
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, " level=info node=bank-a msg=\"it happened\" a=\"two\\nlines\" n=7\n"));
    newline = strchr(text, '\n');
    CU_ASSERT_PTR_NOT_NULL_FATAL(newline);
    CU_ASSERT_EQUAL(newline[1], '\0');
    CU_ASSERT_EQUAL(strncmp(text, "ts=20", 5), 0);
}

static void a_long_line_is_cut(void)
{
    char text[8192], value[4000];

    memset(value, 'x', sizeof(value));
    value[sizeof(value) - 1] = '\0';
    captured(text, sizeof(text), value);
    CU_ASSERT(strlen(text) <= LOG_LINE_MAX);
    CU_ASSERT_EQUAL(text[strlen(text) - 1], '\n');
}

static void levels_below_the_least_are_silent(void)
{
    enum log_level level;
    char text[256];

    log_init("bank-a", LOG_WARN);
    captured(text, sizeof(text), "x");
    CU_ASSERT_STRING_EQUAL(text, "");
    CU_ASSERT_TRUE(log_level_parse("debug", &level) && level == LOG_DEBUG);
    CU_ASSERT_FALSE(log_level_parse("loud", &level));
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"values_are_quoted_where_they_must_be", values_are_quoted_where_they_must_be},
        {"a_line_is_one_line", a_line_is_one_line},
        {"a_long_line_is_cut", a_long_line_is_cut},
        {"levels_below_the_least_are_silent", levels_below_the_least_are_silent},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"log", NULL, NULL, NULL, NULL, tests},
        CU_SUITE_INFO_NULL,
    };
    return runner_main(suites, argc, argv);
}
