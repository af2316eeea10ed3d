/*
 * Jobs, the loop's side: gathering operations, and handing them over.
 *
 * A job's bytes are operations one after the other, each a struct op, the key and the sealed
 * record. Checksums are made here, as near as can be to where the bytes come from.
 */
#include "store/store_internal.h"

#include "base/assert.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct store_job *store_job_begin(struct store *store)
{
    struct store_job *job;

    pthread_mutex_lock(&store->mutex);
    job = store->free_jobs;
    if (job)
        store->free_jobs = job->next;
    pthread_mutex_unlock(&store->mutex);
    if (!job)
        return NULL;
    ASSERT(job->state == JOB_FREE);
    job->state = JOB_OPEN;
    job->next = NULL;
    job->used = 0;
    return job;
}

/* Appends the operation and the key; returns where `record_size` bytes go, or NULL: no room. */
static uint8_t *append(struct store_job *job, const struct op *op, const void *key)
{
    size_t size = sizeof(*op) + op->key_size + op->record_size;
    uint8_t *at = job->bytes + job->used;

    ASSERT(job->state == JOB_OPEN);
    if (size > job->store->options.job_size_max - job->used)
        return NULL;
    memcpy(at, op, sizeof(*op));
    memcpy(at + sizeof(*op), key, op->key_size);
    job->used += (uint32_t)size;
    return at + sizeof(*op) + op->key_size;
}

static bool put(struct store_job *job, struct op op, const void *key, const void *value,
                size_t value_size)
{
    MDB_val key_val = val_of(key, op.key_size);
    uint8_t *record;

    ASSERT(value_size <= STORE_VALUE_SIZE_MAX);
    op.record_size = (uint32_t)(RECORD_HEADER_SIZE + value_size);
    record = append(job, &op, key);
    if (!record)
        return false;
    if (value_size > 0)
        memcpy(record + RECORD_HEADER_SIZE, value, value_size);
    record_seal(op.table, &key_val, record, (uint32_t)value_size);
    return true;
}

static struct op op_make(enum op_kind kind, enum store_table table, size_t key_size)
{
    ASSERT(table >= STORE_META && table < STORE_TABLE_END);
    ASSERT(key_size >= 1 && key_size <= STORE_KEY_SIZE_MAX);
    return (struct op){
        .kind = (uint8_t)kind, .table = (uint8_t)table, .key_size = (uint8_t)key_size};
}

bool store_put(struct store_job *job, enum store_table table, const void *key, size_t key_size,
               const void *value, size_t value_size)
{
    if (!put(job, op_make(OP_PUT, table, key_size), key, value, value_size))
        return false;
    if (table == STORE_JOURNAL) {
        uint64_t position;

        ASSERT(key_size == STORE_KEY_JOURNAL_SIZE);
        position = store_key_position(key);
        ASSERT(position > job->store->journal_put);
        job->store->journal_put = position;
    }
    return true;
}

bool store_put_counted(struct store_job *job, enum store_table table, const void *key,
                       size_t key_size, const void *value, size_t value_size,
                       enum store_counter counter)
{
    struct op op = op_make(OP_PUT_COUNTED, table, key_size);

    ASSERT(table != STORE_JOURNAL);
    ASSERT(counter < STORE_COUNTERS);
    op.counter = (uint8_t)counter;
    return put(job, op, key, value, value_size);
}

bool store_trim(struct store_job *job, enum store_table table, const void *key, size_t key_size)
{
    struct op op = op_make(OP_TRIM, table, key_size);

    return append(job, &op, key) != NULL;
}

void store_job_submit(struct store_job *job, uint64_t position)
{
    struct store *store = job->store;

    ASSERT(job->state == JOB_OPEN);
    ASSERT(position >= store->position_submitted);
    store->position_submitted = position;
    job->position = position;
    job->state = JOB_SUBMITTED;
    pthread_mutex_lock(&store->mutex);
    if (store->queue_tail)
        store->queue_tail->next = job;
    else
        store->queue_head = job;
    store->queue_tail = job;
    pthread_cond_signal(&store->work);
    pthread_mutex_unlock(&store->mutex);
}

int store_event_fd(const struct store *store)
{
    return store->event_fd;
}

uint64_t store_durable(struct store *store)
{
    uint64_t count;

    /* Drained before the position is read: what becomes durable in between makes a new event. */
    if (read(store->event_fd, &count, sizeof(count)) < 0 && errno != EAGAIN && errno != EINTR)
        store_fatal(store, "cannot read the event descriptor", errno);
    return atomic_load(&store->durable);
}

uint64_t store_tail(const struct store *store)
{
    return store->tail;
}

void store_key_journal(uint8_t key[STORE_KEY_JOURNAL_SIZE], uint64_t position)
{
    be_put(key, position, STORE_KEY_JOURNAL_SIZE);
}

void store_key_account(uint8_t key[STORE_KEY_ACCOUNT_SIZE], uint32_t number)
{
    be_put(key, number, STORE_KEY_ACCOUNT_SIZE);
}

void store_key_entry(uint8_t key[STORE_KEY_ENTRY_SIZE], uint64_t position, uint16_t index)
{
    be_put(key, position, 8);
    be_put(key + 8, index, 2);
}

uint64_t store_key_position(const uint8_t *key)
{
    return be_get(key, 8);
}
