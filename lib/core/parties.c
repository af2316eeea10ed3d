#include "core/parties.h"

#include "base/assert.h"

_Static_assert(PARTIES_MAX < PARTY_NONE, "every party has a number");

uint16_t parties_intern(struct parties *parties, const struct party *party)
{
    if (parties->last_hit < parties->count && party_equal(&parties->all[parties->last_hit], party))
        return parties->last_hit;
    for (uint16_t i = 0; i < parties->count; i++) {
        if (party_equal(&parties->all[i], party)) {
            parties->last_hit = i;
            return i;
        }
    }
    if (parties->count == PARTIES_MAX)
        return PARTY_NONE;
    parties->all[parties->count] = *party;
    return parties->count++;
}

bool parties_intern_all(struct parties *parties, const struct party *list, uint16_t count,
                        uint16_t *ret_numbers)
{
    for (uint16_t i = 0; i < count; i++) {
        ret_numbers[i] = parties_intern(parties, &list[i]);
        if (ret_numbers[i] == PARTY_NONE)
            return false;
    }
    return true;
}

const struct party *parties_expand(const struct parties *parties, const uint16_t *numbers,
                                   uint16_t count, struct batch *batch)
{
    struct party *list;

    if (count == 0)
        return NULL;
    list = batch_alloc(batch, sizeof(*list) * count);
    for (uint16_t i = 0; i < count; i++) {
        ASSERT(numbers[i] < parties->count);
        list[i] = parties->all[numbers[i]];
    }
    return list;
}
