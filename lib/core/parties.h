/*
 * The (participant, store) pairs one process has met, numbered.
 *
 * Transactions list parties by number, two bytes each instead of 48. A number is for the life of
 * the process; the table is bounded by PARTIES_MAX, and who fills it is refused, not served.
 */
#ifndef SETTLE_CORE_PARTIES_H
#define SETTLE_CORE_PARTIES_H

#include "core/batch.h"

#define PARTY_NONE UINT16_MAX

struct parties {
    uint16_t count;
    uint16_t last_hit; /* transactions of a cluster name the same few */
    struct party all[PARTIES_MAX];
};

/** The number of `party`, given it if it is new; PARTY_NONE when the table is full. */
uint16_t parties_intern(struct parties *parties, const struct party *party);

/** Number `count` parties; false, with nothing usable in `ret_numbers`, when the table is full. */
bool parties_intern_all(struct parties *parties, const struct party *list, uint16_t count,
                        uint16_t *ret_numbers);

/** The parties behind `numbers`, as an array in the batch. */
const struct party *parties_expand(const struct parties *parties, const uint16_t *numbers,
                                   uint16_t count, struct batch *batch);

#endif
