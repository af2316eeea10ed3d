/*
 * ISO 4217: the currencies money can be in, and how many digits their minor units have.
 *
 * The list is that of the standard's current codes with a minor unit: national currencies and the
 * fund codes. Left out are codes without one (metals, drawing rights, the test code and "no
 * currency"), of which no amount can be a whole number of minor units.
 */
#ifndef SETTLE_BASE_CURRENCY_H
#define SETTLE_BASE_CURRENCY_H

#include "base/types.h"

struct currency_info {
    struct currency currency;
    uint8_t digits; /* of the minor unit: JPY 0, USD 2, BHD 3, CLF 4 */
};

/** How many there are. */
uint32_t currency_count(void);

/** The index-th, in the order of codes. */
const struct currency_info *currency_at(uint32_t index);

/** By its code of three capital letters, NUL-terminated; NULL when ISO 4217 has none such. */
const struct currency_info *currency_find(const char *code);

#endif
