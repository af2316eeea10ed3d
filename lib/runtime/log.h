/*
 * Log lines of a daemon: logfmt on stderr, one write a line.
 *
 *   ts=2026-01-31T12:00:00.123Z level=info node=bank-a msg="store loaded" accounts=7 position=9
 *
 * Values with blanks, quotes, '=' or control characters are quoted and escaped, so that a line is
 * always one line and every value can be read back. A line longer than LOG_LINE_MAX is cut.
 *
 * Fields are given as one format of name=conversion pairs, separated by single blanks:
 *
 *   log_line(LOG_INFO, "coordinator connected", "peer=%s epoch=%llu", peer, epoch);
 *
 * Each pair's value is formatted by itself and quoted where it must be. Names in use, where they
 * apply: group, epoch, txn, peer, reason, error.
 */
#ifndef SETTLE_RUNTIME_LOG_H
#define SETTLE_RUNTIME_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_LINE_MAX 2048

enum log_level {
    LOG_DEBUG = 0,
    LOG_INFO,
    LOG_WARN,
    LOG_ERROR,
    LOG_FATAL, /* the process ends after it */
};

/** Set once at start: the node every line names, and the least level that is written. */
void log_init(const char *node, enum log_level least);

/** True iff a line of this level is written. */
bool log_enabled(enum log_level level);

/**
 * Write a line.
 *
 * @msg     what happened, a constant sentence without its stop
 * @fields  "name=%d other=%s" with plain conversions (no width from arguments), or NULL
 */
void log_line(enum log_level level, const char *msg, const char *fields, ...)
    __attribute__((format(printf, 3, 4)));

/* How many lines of one kind a window has room for, where a stranger can cause them. */
#define LOG_WINDOW_MS    10000
#define LOG_WINDOW_LINES 10

/* One kind of line; zeroed to begin with. */
struct log_limit {
    uint64_t window; /* the window's number */
    uint32_t lines;  /* asked for in it */
    uint32_t held_back;
};

/**
 * True iff a line of this kind may be written now, so that nobody fills the disk from outside:
 *
 *   if (log_admits(&peer_lines, loop_now_ms(loop)))
 *       log_line(LOG_WARN, "a Hello is refused", "peer=%s", peer);
 *
 * The first one after some were held back is preceded by a line that says how many.
 */
bool log_admits(struct log_limit *limit, uint64_t now_ms);

/** Append `value` to `text` at `*used`, quoted where it must be; cut at `size`. For tests as well.
 */
void log_append_value(char *text, size_t size, size_t *used, const char *value);

/** Read a level's name ("debug" to "error"); false when there is none such. */
bool log_level_parse(const char *name, enum log_level *ret_level);

#endif
