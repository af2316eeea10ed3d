#include "base/reason.h"

static const struct {
    const char *name;
    const char *text;
} reasons[REASON_COUNT] = {
#define X(symbol, number, name, text) [number] = {name, text},
    REASONS(X)
#undef X
};

const char *reason_name(unsigned reason)
{
    return reason < REASON_COUNT ? reasons[reason].name : "UNKNOWN";
}

const char *reason_text(unsigned reason)
{
    return reason < REASON_COUNT ? reasons[reason].text
                                 : "a reason that this release does not know";
}
