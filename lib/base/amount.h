/*
 * Amounts as people write them, in major units, and as settle keeps them, in minor units.
 *
 * Never through a floating point number: "0.1" is one tenth to the last digit.
 */
#ifndef SETTLE_BASE_AMOUNT_H
#define SETTLE_BASE_AMOUNT_H

#include "base/err.h"

#include <stdint.h>

#define AMOUNT_DIGITS_MAX 4  /* of a minor unit */
#define AMOUNT_TEXT_SIZE  32 /* sign, 19 digits, point and NUL fit */

/**
 * Read "12.34", "-3", "0.05": an optional minus, digits, and at most `digits` after a point.
 *
 * No blanks, no plus, no exponent, no grouping; a digit on both sides of the point.
 *
 * @digits  of the currency's minor unit, 0 to AMOUNT_DIGITS_MAX
 * @return  0, or ERR_USAGE with a sentence that says what is wrong with the text
 */
int amount_parse(const char *text, unsigned digits, int64_t *ret_minor, struct err *err);

/** Write with exactly `digits` after the point, none and no point for 0. Returns `text`. */
const char *amount_format(int64_t minor, unsigned digits, char text[AMOUNT_TEXT_SIZE]);

#endif
