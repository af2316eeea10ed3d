/*
 * Outcomes on their way to a table of the store, findable while they are.
 *
 * Every outcome stays findable by id for ever (R10). Written one by one into a sorted table they
 * would cost a random insert each, so they wait here, in the order they were made, until their
 * owner writes them in slices sorted by id and sees that durable. Who asks for an id looks here
 * first and then in the store.
 *
 * A participant's are in the journal meanwhile, and filled in again from it at start. A
 * coordinator's are those it told; losing them in a crash loses nothing that safety needs (R11).
 *
 * Bounded: whoever steps a core asks for room first, and has the oldest written long before.
 */
#ifndef SETTLE_RUNTIME_OUTCOMES_H
#define SETTLE_RUNTIME_OUTCOMES_H

#include "base/err.h"
#include "core/record.h"

struct outcomes;

/** Make an empty one for `outcome_max` outcomes. Errors: ERR_MEMORY. */
int outcomes_open(uint32_t outcome_max, struct outcomes **ret_outcomes, struct err *err);

/** Accepts NULL. */
void outcomes_close(struct outcomes *outcomes);

/** How many are held, and how many may be. */
uint32_t outcomes_count(const struct outcomes *outcomes);
uint32_t outcomes_max(const struct outcomes *outcomes);

/** Keep one, made at `position`; positions never fall. There must be room. */
void outcomes_add(struct outcomes *outcomes, const struct outcome *outcome, uint64_t position);

/** The outcome of `id`, valid until the next outcomes_drop(); NULL if it is not here. */
const struct outcome *outcomes_find(const struct outcomes *outcomes, const struct id *id);

/**
 * Copy up to `max` outcomes of positions up to `position`, sorted by id, from the cursor on.
 *
 * @cursor  0 for the oldest; advanced by what was copied
 * @return  how many; 0 when there are no more
 */
uint32_t outcomes_slice(const struct outcomes *outcomes, uint64_t position, uint32_t *cursor,
                        struct outcome *ret_list, uint32_t max);

/** Forget up to `max` of the oldest whose position is at or below `position`. Returns how many. */
uint32_t outcomes_drop(struct outcomes *outcomes, uint64_t position, uint32_t max);

#endif
