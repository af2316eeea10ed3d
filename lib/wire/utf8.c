#include "wire/internal.h"

/* Bytes of the sequence that starts with `lead`; 0 when none does. */
static size_t sequence_size(uint8_t lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        return 2;
    if (lead >= 0xe0 && lead <= 0xef)
        return 3;
    if (lead >= 0xf0 && lead <= 0xf4)
        return 4;
    return 0;
}

/* RFC 3629, table of well-formed sequences: what the second byte may be after these leads. */
static bool second_allowed(uint8_t lead, uint8_t second)
{
    switch (lead) {
    case 0xc2:
        return second >= 0xa0; /* U+0080 to U+009F are control characters */
    case 0xe0:
        return second >= 0xa0; /* overlong below */
    case 0xed:
        return second <= 0x9f; /* surrogates above */
    case 0xf0:
        return second >= 0x90; /* overlong below */
    case 0xf4:
        return second <= 0x8f; /* above U+10FFFF */
    default:
        return true;
    }
}

size_t utf8_step(const char *text, size_t size)
{
    const uint8_t *at = (const uint8_t *)text;
    size_t count = sequence_size(at[0]);

    if (count == 0 || count > size)
        return 0;
    if (count == 1)
        return at[0] >= 0x20 && at[0] != 0x7f ? 1 : 0;
    for (size_t i = 1; i < count; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    }
    return second_allowed(at[0], at[1]) ? count : 0;
}

bool utf8_printable(const char *text, size_t size)
{
    for (size_t at = 0; at < size;) {
        size_t step = utf8_step(text + at, size - at);
        if (step == 0)
            return false;
        at += step;
    }
    return true;
}
