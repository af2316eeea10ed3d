#include "base/err.h"

#include <stdio.h>
#include <string.h>

#ifdef __clang_analyzer__
#undef err_set
#undef err_set_errno
#endif

const char *err_name(int code)
{
    switch (code) {
    case 0:
        return "ok";
#define X(symbol, value, name) \
    case symbol:               \
        return name;
        ERR_CODES(X)
#undef X
    default:
        return "unknown";
    }
}

int err_set(struct err *err, int code, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->text, sizeof(err->text), format, args);
        va_end(args);
        err->code = code;
    }
    return code;
}

int err_prefix(struct err *err, const char *format, ...)
{
    char old[ERR_TEXT_SIZE];
    va_list args;
    int used;

    if (!err)
        return 0;
    memcpy(old, err->text, sizeof(old));
    old[sizeof(old) - 1] = '\0';
    va_start(args, format);
    used = vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    if (used >= 0 && (size_t)used < sizeof(err->text))
        snprintf(err->text + used, sizeof(err->text) - (size_t)used, ": %s", old);
    return err->code;
}

int err_set_errno(struct err *err, int code, int errno_value, const char *format, ...)
{
    char reason[128];
    const char *said = strerror_r(errno_value, reason, sizeof(reason));

    if (err) {
        va_list args;
        int used;

        va_start(args, format);
        used = vsnprintf(err->text, sizeof(err->text), format, args);
        va_end(args);
        if (used >= 0 && (size_t)used < sizeof(err->text))
            snprintf(err->text + used, sizeof(err->text) - (size_t)used, ": %s", said);
        err->code = code;
    }
    return code;
}
