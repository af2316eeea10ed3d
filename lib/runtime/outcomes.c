#include "runtime/outcomes.h"

#include "base/assert.h"
#include "base/table.h"

#include <stdlib.h>

struct row {
    struct outcome outcome;
    uint64_t position;
};

/* A ring of rows in the order of positions, and an index of its slots by id. */
struct outcomes {
    struct row *rows;
    uint32_t max;
    uint32_t head; /* slot of the oldest */
    uint32_t count;
    struct table index;
    void *index_memory;
};

int outcomes_open(uint32_t outcome_max, struct outcomes **ret_outcomes, struct err *err)
{
    struct outcomes *outcomes = calloc(1, sizeof(*outcomes));

    ASSERT(outcome_max > 0);
    if (!outcomes)
        return err_set(err, ERR_MEMORY, "cannot allocate the recent outcomes");
    outcomes->max = outcome_max;
    outcomes->rows = calloc(outcome_max, sizeof(struct row));
    outcomes->index_memory = calloc(1, table_memory_size(outcome_max));
    if (!outcomes->rows || !outcomes->index_memory) {
        outcomes_close(outcomes);
        return err_set(err, ERR_MEMORY, "cannot allocate room for %u recent outcomes", outcome_max);
    }
    table_init(&outcomes->index, outcomes->index_memory, outcome_max);
    *ret_outcomes = outcomes;
    return 0;
}

void outcomes_close(struct outcomes *outcomes)
{
    if (!outcomes)
        return;
    free(outcomes->rows);
    free(outcomes->index_memory);
    free(outcomes);
}

uint32_t outcomes_count(const struct outcomes *outcomes)
{
    return outcomes->count;
}

uint32_t outcomes_max(const struct outcomes *outcomes)
{
    return outcomes->max;
}

static uint64_t hash_of(const struct id *id)
{
    return hash_bytes(id, sizeof(*id));
}

/* The slot of the index-th oldest. */
static uint32_t slot_at(const struct outcomes *outcomes, uint32_t index)
{
    uint64_t slot = (uint64_t)outcomes->head + index;

    return (uint32_t)(slot < outcomes->max ? slot : slot - outcomes->max);
}

void outcomes_add(struct outcomes *outcomes, const struct outcome *outcome, uint64_t position)
{
    uint32_t slot = slot_at(outcomes, outcomes->count);

    ASSERT(outcomes->count < outcomes->max);
    ASSERT(outcomes->count == 0 ||
           outcomes->rows[slot_at(outcomes, outcomes->count - 1)].position <= position);
    outcomes->rows[slot].outcome = *outcome;
    outcomes->rows[slot].position = position;
    outcomes->count++;
    table_insert(&outcomes->index, hash_of(&outcome->id), slot);
}

const struct outcome *outcomes_find(const struct outcomes *outcomes, const struct id *id)
{
    uint32_t slot = table_first(&outcomes->index, hash_of(id));

    for (; slot != TABLE_END; slot = table_next(&outcomes->index, slot)) {
        if (id_equal(&outcomes->rows[slot].outcome.id, id))
            return &outcomes->rows[slot].outcome;
    }
    return NULL;
}

/* Of one id COMMITTED comes last, so that it is what stays when the slice is written. */
static int compare_ids(const void *a, const void *b)
{
    const struct outcome *left = a, *right = b;
    int order = memcmp(&left->id, &right->id, sizeof(left->id));

    if (order != 0)
        return order;
    return (left->state == STATE_COMMITTED) - (right->state == STATE_COMMITTED);
}

uint32_t outcomes_slice(const struct outcomes *outcomes, uint64_t position, uint32_t *cursor,
                        struct outcome *ret_list, uint32_t max)
{
    uint32_t copied = 0;

    while (copied < max && *cursor < outcomes->count) {
        const struct row *row = &outcomes->rows[slot_at(outcomes, *cursor)];

        if (row->position > position)
            break;
        ret_list[copied++] = row->outcome;
        (*cursor)++;
    }
    qsort(ret_list, copied, sizeof(*ret_list), compare_ids);
    return copied;
}

uint32_t outcomes_drop(struct outcomes *outcomes, uint64_t position, uint32_t max)
{
    uint32_t dropped = 0;

    while (dropped < max && outcomes->count > 0) {
        const struct row *row = &outcomes->rows[outcomes->head];

        if (row->position > position)
            break;
        table_remove(&outcomes->index, hash_of(&row->outcome.id), outcomes->head);
        outcomes->head = slot_at(outcomes, 1);
        outcomes->count--;
        dropped++;
    }
    return dropped;
}
