#include "histogram.h"

#define STEPS (1u << HISTOGRAM_STEP_BITS)

unsigned histogram_slot(uint64_t value)
{
    unsigned exponent;

    if (value < STEPS)
        return (unsigned)value;
    exponent = 63u - (unsigned)__builtin_clzll(value);
    return ((exponent - HISTOGRAM_STEP_BITS + 1) << HISTOGRAM_STEP_BITS) +
           (unsigned)((value >> (exponent - HISTOGRAM_STEP_BITS)) & (STEPS - 1));
}

uint64_t histogram_slot_max(unsigned slot)
{
    unsigned exponent, shift;

    if (slot < STEPS)
        return slot;
    exponent = (slot >> HISTOGRAM_STEP_BITS) + HISTOGRAM_STEP_BITS - 1;
    shift = exponent - HISTOGRAM_STEP_BITS;
    return ((UINT64_C(1) << exponent) | ((uint64_t)(slot & (STEPS - 1)) << shift)) +
           ((UINT64_C(1) << shift) - 1);
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
    histogram->slots[histogram_slot(value)]++;
    histogram->count++;
    if (value > histogram->max)
        histogram->max = value;
}

void histogram_merge(struct histogram *histogram, const struct histogram *other)
{
    for (unsigned i = 0; i < HISTOGRAM_SLOTS; i++)
        histogram->slots[i] += other->slots[i];
    histogram->count += other->count;
    if (other->max > histogram->max)
        histogram->max = other->max;
}

uint64_t histogram_quantile(const struct histogram *histogram, unsigned permille)
{
    uint64_t wanted = histogram->count - histogram->count * (1000 - permille) / 1000;
    uint64_t seen = 0;

    if (histogram->count == 0)
        return 0;
    for (unsigned i = 0; i < HISTOGRAM_SLOTS; i++) {
        uint64_t bound = histogram_slot_max(i);

        seen += histogram->slots[i];
        if (seen >= wanted && seen > 0)
            return bound < histogram->max ? bound : histogram->max;
    }
    return histogram->max;
}
