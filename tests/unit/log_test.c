#include "runtime/log.h"
#include "support/runner.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Between the two stderr goes into a pipe, and comes out as `text`. */
static int saved, reads_from;

static void capture(void)
{
    int ends[2];

    saved = dup(STDERR_FILENO);
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    reads_from = ends[0];
}

static void release(char *text, size_t size)
{
    ssize_t count;

    dup2(saved, STDERR_FILENO);
    close(saved);
    count = read(reads_from, text, size - 1);
    close(reads_from);
    text[count > 0 ? count : 0] = '\0';
}

/* Run log_line() with stderr going into `text`. */
static void captured(char *text, size_t size, const char *value)
{
    capture();
    log_line(LOG_INFO, "it happened", "a=%s n=%d", value, 7);
    release(text, size);
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

static void a_flood_is_held_back_and_counted(void)
{
    struct log_limit limit = {0};
    char text[512];

    log_init("bank-a", LOG_INFO);
    capture();
    for (uint64_t i = 0; i < 2 * LOG_WINDOW_LINES; i++)
        CU_ASSERT_EQUAL(log_admits(&limit, 5 * LOG_WINDOW_MS + i), i < LOG_WINDOW_LINES);
    release(text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "");
    capture();
    CU_ASSERT_TRUE(log_admits(&limit, 6 * LOG_WINDOW_MS)); /* the next window */
    CU_ASSERT_TRUE(log_admits(&limit, 6 * LOG_WINDOW_MS));
    release(text, sizeof(text));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "msg=\"lines like the next one were held back\" count=10\n"));
    CU_ASSERT_EQUAL(strchr(text, '\n')[1], '\0'); /* said once */
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"values_are_quoted_where_they_must_be", values_are_quoted_where_they_must_be},
        {"a_line_is_one_line", a_line_is_one_line},
        {"a_long_line_is_cut", a_long_line_is_cut},
        {"levels_below_the_least_are_silent", levels_below_the_least_are_silent},
        {"a_flood_is_held_back_and_counted", a_flood_is_held_back_and_counted},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"log", NULL, NULL, NULL, NULL, tests},
        CU_SUITE_INFO_NULL,
    };
    return runner_main(suites, argc, argv);
}
