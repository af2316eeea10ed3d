#include "base/amount.h"

#include "base/assert.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const uint64_t scales[AMOUNT_DIGITS_MAX + 1] = {1, 10, 100, 1000, 10000};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Append a digit; false on overflow of what an int64's magnitude can be. */
static bool append(uint64_t *value, unsigned digit)
{
    const uint64_t limit = (uint64_t)INT64_MAX + 1;

    if (*value > (limit - digit) / 10)
        return false;
    *value = *value * 10 + digit;
    return true;
}

/* Digits up to the end or a point, scaled to minor units; -1 malformed, 0 overflow, 1 read. */
static int read_digits(const char *at, unsigned digits, uint64_t *ret_value, unsigned *ret_decimals)
{
    bool point = false, any = false;

    *ret_value = 0;
    *ret_decimals = 0;
    for (; *at; at++) {
        if (*at == '.' && !point && any && is_digit(at[1])) {
            point = true;
            continue;
        }
        if (!is_digit(*at))
            return -1;
        any = true;
        if (point)
            (*ret_decimals)++;
        if (*ret_decimals <= digits && !append(ret_value, (unsigned)(*at - '0')))
            return 0;
    }
    for (unsigned i = *ret_decimals; i < digits; i++) {
        if (!append(ret_value, 0))
            return 0;
    }
    return any ? 1 : -1;
}

int amount_parse(const char *text, unsigned digits, int64_t *ret_minor, struct err *err)
{
    bool negative = text[0] == '-';
    unsigned decimals;
    uint64_t value;
    int rc;

    ASSERT(digits <= AMOUNT_DIGITS_MAX);
    rc = read_digits(text + (negative ? 1 : 0), digits, &value, &decimals);
    if (rc < 0)
        return err_set(err, ERR_USAGE, "'%.40s' is no amount; write it like 12 or 12.34", text);
    if (decimals > digits)
        return err_set(err, ERR_USAGE, "'%.40s' has %u decimals; the currency has %u", text,
                       decimals, digits);
    if (rc == 0 || value > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return err_set(err, ERR_USAGE, "'%.40s' is beyond 64 bits of minor units", text);
    if (negative)
        *ret_minor = value > (uint64_t)INT64_MAX ? INT64_MIN : -(int64_t)value;
    else
        *ret_minor = (int64_t)value;
    return 0;
}

const char *amount_format(int64_t minor, unsigned digits, char text[AMOUNT_TEXT_SIZE])
{
    uint64_t magnitude = minor < 0 ? (uint64_t)0 - (uint64_t)minor : (uint64_t)minor;
    const char *sign = minor < 0 ? "-" : "";

    ASSERT(digits <= AMOUNT_DIGITS_MAX);
    if (digits == 0)
        snprintf(text, AMOUNT_TEXT_SIZE, "%s%llu", sign, (unsigned long long)magnitude);
    else
        snprintf(text, AMOUNT_TEXT_SIZE, "%s%llu.%0*llu", sign,
                 (unsigned long long)(magnitude / scales[digits]), (int)digits,
                 (unsigned long long)(magnitude % scales[digits]));
    return text;
}
