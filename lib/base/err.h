/*
 * Errors of the world: what a call could not do, said in a sentence a user can act on.
 *
 * A function that can fail returns 0 or a negative ERR_* code and fills the `struct err` it was
 * given (which may be NULL). The text names what failed, on what, and where it helps, what to do.
 * A caller that adds knowledge prefixes it on the way up; it is logged once, where it stops.
 */
#ifndef SETTLE_BASE_ERR_H
#define SETTLE_BASE_ERR_H

#include <stdarg.h>
#include <stddef.h>

#define ERR_TEXT_SIZE 512

/* X(symbol, value, name): the codes a caller may tell apart. The text carries the rest. */
#define ERR_CODES(X)                                                                              \
    X(ERR_USAGE, -1, "usage")         /* the caller's words are off: arguments, configuration */  \
    X(ERR_IO, -2, "io")               /* the operating system refused; text carries errno */      \
    X(ERR_CORRUPT, -3, "corrupt")     /* stored or received bytes fail their checks */            \
    X(ERR_FOREIGN, -4, "foreign")     /* a store of another cluster, node or version */           \
    X(ERR_EXISTS, -5, "exists")       /* what should be created is there already */               \
    X(ERR_NOT_FOUND, -6, "not_found") /* what should be there is not */                           \
    X(ERR_FULL, -7, "full")           /* a named limit is reached; nothing was changed */         \
    X(ERR_UNREACHABLE, -8, "unreachable") /* the peer or the ensemble does not answer */          \
    X(ERR_TIMEOUT, -9, "timeout")         /* the caller's time is over; the outcome is unknown */ \
    X(ERR_CLOSED, -10, "closed")          /* the object is closed or closing */                   \
    X(ERR_PROTOCOL, -11, "protocol")      /* the peer broke the wire contract */                  \
    X(ERR_BUSY, -12, "busy")              /* refused at the door; try again later */              \
    X(ERR_REFUSED, -13, "refused")        /* asked and denied, for the reason in the text */      \
    X(ERR_MEMORY, -14, "memory")          /* an allocation at start failed */

enum err_code {
#define X(symbol, value, name) symbol = value,
    ERR_CODES(X)
#undef X
};

struct err {
    int code;                 /* 0 or an ERR_* */
    char text[ERR_TEXT_SIZE]; /* NUL-terminated sentence, cut if it must be */
};

/** The code's name, as used in logs; "ok" for 0, "unknown" for anything else. */
const char *err_name(int code);

/** Fill `err` (may be NULL) and return `code`, so that `return err_set(err, ERR_IO, ...)` works. */
int err_set(struct err *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Put "prefix: " before the text of `err` (may be NULL). Returns the code it holds, or 0. */
int err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Like err_set with ": <text of errno_value>" appended. */
int err_set_errno(struct err *err, int code, int errno_value, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#ifdef __clang_analyzer__
/* The analyzer does not see across files that what comes back is the code, and never 0. */
#define err_set(err, code, ...) ((void)(err_set)(err, code, __VA_ARGS__), (code))
#define err_set_errno(err, code, errno_value, ...) \
    ((void)(err_set_errno)(err, code, errno_value, __VA_ARGS__), (code))
#endif

#endif
