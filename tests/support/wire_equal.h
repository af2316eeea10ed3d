/*
 * Whether two decoded values say the same, lists and blobs included.
 *
 * Both must have been made in zeroed memory, for everything but the lists is compared as bytes.
 */
#ifndef SETTLE_TESTS_WIRE_EQUAL_H
#define SETTLE_TESTS_WIRE_EQUAL_H

#include "wire/record.h"
#include "wire/wire.h"

bool envelope_equal(const struct envelope *a, const struct envelope *b);
bool record_equal(const struct record *a, const struct record *b);
bool branch_equal(const struct branch *a, const struct branch *b);

#endif
