#include "base/prng.h"

#include "base/types.h"

static uint64_t rotate_left(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

void prng_init(struct prng *prng, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        uint64_t mixed = seed += UINT64_C(0x9e3779b97f4a7c15);

        mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
        prng->state[i] = mixed ^ mixed >> 31;
    }
}

uint64_t prng_next(struct prng *prng)
{
    uint64_t *state = prng->state;
    uint64_t result = rotate_left(state[1] * 5, 7) * 9;
    uint64_t shifted = state[1] << 17;

    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate_left(state[3], 45);
    return result;
}

uint64_t prng_below(struct prng *prng, uint64_t bound)
{
    __extension__ typedef unsigned __int128 uint128;

    /* Lemire's multiplication; the bias of 2^-64 per bound is nobody's concern here. */
    return (uint64_t)((uint128)prng_next(prng) * bound >> 64);
}

bool prng_chance(struct prng *prng, uint32_t permille)
{
    return prng_below(prng, 1000) < permille;
}

void prng_fill(struct prng *prng, void *bytes, size_t size)
{
    uint8_t *at = bytes;

    for (size_t done = 0; done < size; done += 8) {
        uint64_t next = prng_next(prng);

        memcpy(at + done, &next, size - done < 8 ? size - done : 8);
    }
}
