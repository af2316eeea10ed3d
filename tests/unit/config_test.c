#include "base/types.h"
#include "runtime/config.h"
#include "support/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct values {
    struct node_name id;
    char data[CONFIG_VALUE_MAX];
    bool insecure;
    uint32_t limit;
    uint64_t size;
};

static struct values values;

static const struct config_key keys[] = {
    {"node", "id", CONFIG_NAME, offsetof(struct values, id), NULL, 0, 0, "name of the node"},
    {"node", "data", CONFIG_TEXT, offsetof(struct values, data), NULL, 0, 0, "folder"},
    {"net", "insecure", CONFIG_BOOL, offsetof(struct values, insecure), "no", 0, 0, "no TLS"},
    {"limits", "limit", CONFIG_U32, offsetof(struct values, limit), "10", 1, 100, "how many"},
    {"limits", "size", CONFIG_U64, offsetof(struct values, size), "4k", 1, 1u << 30, "bytes"},
};

static const struct config_table table = {keys, sizeof(keys) / sizeof(keys[0]), &values};
static struct config config;

/* Write a file and return its name, a static text. */
static const char *file_of(const char *content)
{
    static char path[64];
    FILE *file;
    int fd;

    snprintf(path, sizeof(path), "/tmp/settle-config-test-XXXXXX");
    fd = mkstemp(path);
    file = fdopen(fd, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(content, file);
    fclose(file);
    return path;
}

static int read_args(struct err *err, int count, const char *const *args)
{
    char copies[8][128];
    char *argv[8];

    memset(&values, 0, sizeof(values));
    for (int i = 0; i < count; i++) {
        snprintf(copies[i], sizeof(copies[i]), "%s", args[i]);
        argv[i] = copies[i];
    }
    err->text[0] = '\0';
    return config_read(&config, &table, count, argv, err);
}

#define READ(err, ...)                                                                 \
    read_args(err, (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)), \
              (const char *const[]){__VA_ARGS__})

static void flags_win_over_file_over_defaults(void)
{
    const char *path = file_of(
        "# a comment\n[node]\nid = bank-a\ndata = /x\n[limits]\nlimit = 7\n");
    char flag[96];
    struct err err;

    snprintf(flag, sizeof(flag), "--config=%s", path);
    CU_ASSERT_EQUAL(READ(&err, flag, "--data", "/y", "--size=16m", "--insecure"), 0);
    CU_ASSERT_STRING_EQUAL(values.id.text, "bank-a");
    CU_ASSERT_STRING_EQUAL(values.data, "/y");
    CU_ASSERT_EQUAL(values.limit, 7);
    CU_ASSERT_EQUAL(values.size, 16u << 20);
    CU_ASSERT_TRUE(values.insecure);
    unlink(path);
}

static void files_are_refused_with_line_and_key(void)
{
    static const char *const cases[][2] = {
        {"[node]\nid = bank-a\nidd = x\n", "line 3: unknown key 'idd' in section [node]"},
        {"[net]\nid = bank-a\n", "line 2: key 'id' belongs to section [node], not [net]"},
        {"[node]\nid = Bank A\n", "line 2: id = 'Bank A': give 1 to 31 characters"},
        {"[limits]\nlimit = 101\n", "line 2: limit = '101': give a whole number from 1 to 100"},
        {"[limits]\nlimit = 7 apples\n", "line 2: limit = '7 apples'"},
        {"[limits]\nlimit = -1\n", "line 2: limit = '-1'"},
        {"[limits]\nlimit = 7\nlimit = 8\n", "line 3: limit is given twice"},
        {"[net]\ninsecure = maybe\n", "line 2: insecure = 'maybe': give yes or no"},
        {"[node]\njust words\n", "line 2: this is no 'key = value'"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *path = file_of(cases[i][0]);
        struct err err;

        CU_ASSERT_EQUAL(READ(&err, "--config", path), ERR_USAGE);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, cases[i][1]));
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, path));
        unlink(path);
    }
}

static void flags_are_refused_with_their_name(void)
{
    struct err err;

    CU_ASSERT_EQUAL(READ(&err, "--nope", "1"), ERR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "unknown flag --nope"));
    CU_ASSERT_EQUAL(READ(&err, "stray"), ERR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "'stray' is no flag"));
    CU_ASSERT_EQUAL(READ(&err, "--id"), ERR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "--id needs a value"));
    CU_ASSERT_EQUAL(READ(&err, "--id", "bank-a"), ERR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "--data is missing"));
    CU_ASSERT_EQUAL(READ(&err, "--size", "99999999999999999999"), ERR_USAGE);
    CU_ASSERT_EQUAL(READ(&err, "--config", "/nowhere/at/all"), ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nowhere/at/all"));
    CU_ASSERT_EQUAL(READ(&err, "--config", "/tmp"), ERR_IO); /* a folder */
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/tmp"));
}

static void help_and_version_need_nothing_else(void)
{
    struct err err;

    CU_ASSERT_EQUAL(READ(&err, "--help"), 0);
    CU_ASSERT_TRUE(config.help);
    CU_ASSERT_EQUAL(READ(&err, "--version"), 0);
    CU_ASSERT_TRUE(config.version);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"flags_win_over_file_over_defaults", flags_win_over_file_over_defaults},
        {"files_are_refused_with_line_and_key", files_are_refused_with_line_and_key},
        {"flags_are_refused_with_their_name", flags_are_refused_with_their_name},
        {"help_and_version_need_nothing_else", help_and_version_need_nothing_else},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"config", NULL, NULL, NULL, NULL, tests},
        CU_SUITE_INFO_NULL,
    };
    return runner_main(suites, argc, argv);
}
