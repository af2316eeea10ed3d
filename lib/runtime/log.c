#include "runtime/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = {"debug", "info", "warn", "error", "fatal"};
static char log_node[64] = "-";
static enum log_level log_least = LOG_INFO;

void log_init(const char *node, enum log_level least)
{
    snprintf(log_node, sizeof(log_node), "%s", node);
    log_least = least;
}

bool log_enabled(enum log_level level)
{
    return level >= log_least;
}

bool log_level_parse(const char *name, enum log_level *ret_level)
{
    for (size_t i = 0; i < LOG_FATAL; i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *ret_level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static void append(char *text, size_t size, size_t *used, const char *bytes, size_t count)
{
    size_t room = size - 1 - *used;

    if (count > room)
        count = room;
    memcpy(text + *used, bytes, count);
    *used += count;
    text[*used] = '\0';
}

static bool needs_quotes(const char *value)
{
    if (value[0] == '\0')
        return true;
    for (const char *at = value; *at; at++) {
        if (*at <= ' ' || *at == '"' || *at == '=' || *at == '\\' || *at == 0x7f)
            return true;
    }
    return false;
}

void log_append_value(char *text, size_t size, size_t *used, const char *value)
{
    if (!needs_quotes(value)) {
        append(text, size, used, value, strlen(value));
        return;
    }
    append(text, size, used, "\"", 1);
    for (const char *at = value; *at; at++) {
        if (*at == '"' || *at == '\\')
            append(text, size, used, "\\", 1);
        if (*at == '\n')
            append(text, size, used, "\\n", 2);
        else if ((*at >= 0 && *at < ' ') || *at == 0x7f)
            append(text, size, used, "?", 1);
        else
            append(text, size, used, at, 1);
    }
    append(text, size, used, "\"", 1);
}

static void append_time(char *text, size_t size, size_t *used)
{
    char stamp[48];
    struct timespec now;
    struct tm utc;
    size_t length;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    length = strftime(stamp, sizeof(stamp), "ts=%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(stamp + length, sizeof(stamp) - length, ".%03dZ", (int)(now.tv_nsec / 1000000));
    append(text, size, used, stamp, strlen(stamp));
}

/*
 * The pairs were formatted with a separator that no value may hold (it is replaced by the format's
 * caller below), so that each value can be quoted by itself.
 */
static void append_pairs(char *text, size_t size, size_t *used, char *pairs)
{
    char *at = pairs;

    while (*at) {
        char *end = strchr(at, '\x1f');
        char *equals;

        if (end)
            *end = '\0';
        equals = strchr(at, '=');
        append(text, size, used, " ", 1);
        if (equals) {
            append(text, size, used, at, (size_t)(equals - at) + 1);
            log_append_value(text, size, used, equals + 1);
        } else {
            append(text, size, used, at, strlen(at));
        }
        if (!end)
            break;
        at = end + 1;
    }
}

/* "a=%s b=%d" with the blanks between pairs turned into separators. */
static void separate(const char *fields, char *format, size_t size)
{
    size_t i = 0;

    for (; fields[i] && i + 1 < size; i++)
        format[i] = (char)(fields[i] == ' ' ? '\x1f' : fields[i]);
    format[i] = '\0';
}

void log_line(enum log_level level, const char *msg, const char *fields, ...)
{
    char line[LOG_LINE_MAX];
    size_t used = 0;
    ssize_t written;

    if (!log_enabled(level))
        return;
    line[0] = '\0';
    append_time(line, sizeof(line), &used);
    append(line, sizeof(line), &used, " level=", 7);
    log_append_value(line, sizeof(line), &used, level_names[level]);
    append(line, sizeof(line), &used, " node=", 6);
    log_append_value(line, sizeof(line), &used, log_node);
    append(line, sizeof(line), &used, " msg=", 5);
    log_append_value(line, sizeof(line), &used, msg);
    if (fields) {
        char format[256], pairs[LOG_LINE_MAX];
        va_list args;

        separate(fields, format, sizeof(format));
        va_start(args, fields);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        vsnprintf(pairs, sizeof(pairs), format, args); /* checked against `fields` by the caller */
#pragma GCC diagnostic pop
        va_end(args);
        append_pairs(line, sizeof(line) - 1, &used, pairs);
    }
    line[used++] = '\n';
    written = write(STDERR_FILENO, line, used);
    (void)written; /* a log that cannot be written has nobody to tell */
}

bool log_admits(struct log_limit *limit, uint64_t now_ms)
{
    uint64_t window = now_ms / LOG_WINDOW_MS;

    if (window != limit->window) {
        limit->window = window;
        limit->lines = 0;
    }
    if (limit->lines == LOG_WINDOW_LINES) {
        limit->held_back++;
        return false;
    }
    limit->lines++;
    if (limit->held_back > 0)
        log_line(LOG_WARN, "lines like the next one were held back", "count=%u", limit->held_back);
    limit->held_back = 0;
    return true;
}
