/*
 * History: outcomes this coordinator told, for quick answers and for counting (R11).
 *
 * Written behind everybody's back, some every tick, and forgotten after a while. Nothing waits for
 * it and nothing rests on it: what a crash or a full disk takes from it, participants still know.
 */
#include "coordinator.h"

#include "base/assert.h"
#include "runtime/log.h"

#include <stdlib.h>

#define TOLD_MAX      262144u
#define EPOCH_KEY     "epoch"
#define SLICE         512u
#define SLICES_MAX    16 /* of a job: well below HISTORY_JOB_SIZE */
#define TRIM_EVERY_MS 10000u

static bool on_last(void *ctx, const struct store_row *row)
{
    struct id *last = ctx;

    if (row->key_size == sizeof(*last))
        memcpy(last, row->key, sizeof(*last));
    return false;
}

static int load_epoch(struct coordinator *c, struct err *err)
{
    uint8_t bytes[STORE_KEY_JOURNAL_SIZE];
    size_t size;
    int rc = store_get(c->store, STORE_META, EPOCH_KEY, sizeof(EPOCH_KEY) - 1, bytes, sizeof(bytes),
                       &size, err);

    if (rc == ERR_NOT_FOUND)
        return 0;
    if (rc == 0 && size != sizeof(bytes))
        rc = err_set(err, ERR_CORRUPT, "the highest epoch has %zu bytes, not %zu", size,
                     sizeof(bytes));
    if (rc == 0)
        c->epoch_seen = store_key_position(bytes);
    return rc;
}

void history_epoch(struct coordinator *c, uint64_t epoch)
{
    if (epoch <= c->epoch_seen)
        return;
    c->epoch_seen = epoch;
    c->epoch_unwritten = true;
}

static void put_epoch(struct coordinator *c, struct store_job *job)
{
    uint8_t bytes[STORE_KEY_JOURNAL_SIZE]; /* big-endian, as a position is */

    store_key_journal(bytes, c->epoch_seen);
    if (!store_put(job, STORE_META, EPOCH_KEY, sizeof(EPOCH_KEY) - 1, bytes, sizeof(bytes)))
        UNREACHABLE(); /* first in an empty job */
    c->epoch_unwritten = false;
}

int history_open(struct coordinator *c, struct err *err)
{
    struct store_scan last = {.table = STORE_HISTORY, .direction = STORE_BACKWARD, .max = 1};
    struct store_stats stats;
    int rc = outcomes_open(TOLD_MAX, &c->told, err);

    if (rc != 0)
        return rc;
    rc = store_scan(c->store, &last, on_last, &c->history_last, err);
    if (rc < 0)
        return rc;
    store_stats(c->store, &stats);
    memcpy(c->earlier, stats.counters, sizeof(c->earlier));
    return load_epoch(c, err);
}

void history_add(struct coordinator *c, const struct outcome *outcome)
{
    struct outcome before;
    const struct outcome *known = NULL;

    /* core/coord.h: no ABORTED of one content takes the place of another's COMMITTED. */
    if (outcome->state != STATE_COMMITTED)
        known = history_find(c, &outcome->id, &before);
    if (known && known->state == STATE_COMMITTED)
        return;
    if (outcomes_count(c->told) == outcomes_max(c->told)) {
        c->history_lost++;
        return;
    }
    outcomes_add(c->told, outcome, ++c->told_count);
}

const struct outcome *history_find(struct coordinator *c, const struct id *id,
                                   struct outcome *ret_outcome)
{
    const struct outcome *recent = outcomes_find(c->told, id);
    uint8_t bytes[OUTCOME_SIZE_MAX];
    struct err err;
    size_t size;
    int rc;

    if (recent)
        return recent;
    if (memcmp(id, &c->history_last, sizeof(*id)) > 0)
        return NULL;
    rc = store_get(c->store, STORE_HISTORY, id, sizeof(*id), bytes, sizeof(bytes), &size, &err);
    if (rc == ERR_NOT_FOUND)
        return NULL;
    if (rc == 0) {
        arena_reset(&c->scratch);
        rc = outcome_decode(&c->scratch, bytes, size, ret_outcome, &err);
    }
    if (rc != 0) {
        log_line(LOG_FATAL, "the history cannot be read; stopping", "error=%s", err.text);
        abort();
    }
    return ret_outcome;
}

/* Put a slice into `job`; false when there is none left or no room. */
static bool put_slice(struct coordinator *c, struct store_job *job)
{
    struct outcome slice[SLICE];
    uint32_t cursor = c->told_cursor;
    uint32_t count = outcomes_slice(c->told, UINT64_MAX, &cursor, slice, SLICE);

    for (uint32_t i = 0; i < count; i++) {
        uint8_t bytes[OUTCOME_SIZE_MAX];
        enum store_counter counter = slice[i].state == STATE_COMMITTED ? STORE_COMMITTED
                                                                       : STORE_ABORTED;
        int size;

        arena_reset(&c->scratch);
        size = outcome_encode(&c->scratch, &slice[i], bytes, sizeof(bytes));
        ASSERT(size > 0);
        /* A slice is far below a job's maximum, and a job takes a bounded number of them. */
        if (!store_put_counted(job, STORE_HISTORY, &slice[i].id, sizeof(slice[i].id), bytes,
                               (size_t)size, counter))
            UNREACHABLE();
        if (memcmp(&slice[i].id, &c->history_last, sizeof(slice[i].id)) > 0)
            c->history_last = slice[i].id;
    }
    c->told_cursor = cursor;
    return count == SLICE;
}

/* Forget what is older than the retention: ids are ordered by time. */
static void trim(struct coordinator *c, struct store_job *job)
{
    static const uint8_t zeros[10];
    uint64_t now = loop_now_ms(c->loop), wall = loop_wall_ms(c->loop);
    struct id oldest;

    if (now < c->history_trim_ms || wall < c->options.history_ms)
        return;
    c->history_trim_ms = now + TRIM_EVERY_MS;
    oldest = id_make(wall - c->options.history_ms, zeros);
    if (!store_trim(job, STORE_HISTORY, &oldest, sizeof(oldest)))
        UNREACHABLE();
}

void history_tick(struct coordinator *c)
{
    bool writes = c->told_cursor < outcomes_count(c->told) &&
                  store_space(c->store) == STORE_SPACE_OK;
    struct store_job *job;
    int slices = 0;

    if (!writes && !c->epoch_unwritten &&
        loop_now_ms(c->loop) < c->history_trim_ms) /* forgetting goes on when full */
        return;
    job = store_job_begin(c->store);
    if (!job)
        return;
    if (c->epoch_unwritten)
        put_epoch(c, job);
    trim(c, job);
    while (writes && slices < SLICES_MAX && put_slice(c, job))
        slices++;
    store_job_submit(job, c->told_count - (outcomes_count(c->told) - c->told_cursor));
}

void history_durable(void *ctx)
{
    struct coordinator *c = ctx;
    uint64_t durable = store_durable(c->store);

    c->told_cursor -= outcomes_drop(c->told, durable, UINT32_MAX);
}
