/*
 * A log-linear histogram of 64-bit values: 32 steps for each power of two, so that no quantile is
 * off by more than 1/32, at a fixed size whatever is recorded.
 */
#ifndef SETTLE_TOOLS_BENCH_HISTOGRAM_H
#define SETTLE_TOOLS_BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_STEP_BITS 5
#define HISTOGRAM_SLOTS     ((64 - HISTOGRAM_STEP_BITS + 1) << HISTOGRAM_STEP_BITS)

struct histogram {
    uint64_t count;
    uint64_t max;
    uint64_t slots[HISTOGRAM_SLOTS];
};

void histogram_add(struct histogram *histogram, uint64_t value);

/** Add all that `other` holds. */
void histogram_merge(struct histogram *histogram, const struct histogram *other);

/**
 * The smallest value that at least `permille` of 1000 of the values do not exceed: an upper bound,
 * off by 1/32 at most and never above the maximum. 0 when nothing was recorded.
 */
uint64_t histogram_quantile(const struct histogram *histogram, unsigned permille);

/** The slot of a value, and the largest value of a slot. */
unsigned histogram_slot(uint64_t value);
uint64_t histogram_slot_max(unsigned slot);

#endif
