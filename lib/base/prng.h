/*
 * Pseudo-random numbers that repeat: xoshiro256** seeded by splitmix64.
 *
 * For schedules of the simulator, load generators and jitter; never for ids, guids or anything an
 * adversary may want to guess. The same seed gives the same numbers.
 */
#ifndef SETTLE_BASE_PRNG_H
#define SETTLE_BASE_PRNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prng {
    uint64_t state[4];
};

/** Start the sequence that `seed` names; any seed will do, 0 included. */
void prng_init(struct prng *prng, uint64_t seed);

/** 64 uniform bits. */
uint64_t prng_next(struct prng *prng);

/** Uniform in 0 to `bound` - 1; `bound` > 0. */
uint64_t prng_below(struct prng *prng, uint64_t bound);

/** True `permille` times in a thousand. */
bool prng_chance(struct prng *prng, uint32_t permille);

/** Fill `size` bytes. */
void prng_fill(struct prng *prng, void *bytes, size_t size);

#endif
