#include "core/batch.h"

#include "base/assert.h"

#include <stdalign.h>

/* Every part of the batch's memory starts aligned for any type. */
static size_t aligned(size_t size)
{
    size_t alignment = alignof(max_align_t);

    return (size + alignment - 1) / alignment * alignment;
}

size_t batch_memory_size(uint32_t steps)
{
    return aligned(sizeof(struct msg) * BATCH_STEP_MSGS * steps) +
           aligned(sizeof(struct record) * BATCH_STEP_RECORDS * steps) +
           aligned(sizeof(struct act) * BATCH_STEP_ACTS * steps) +
           aligned(sizeof(struct reply) * BATCH_STEP_REPLIES * steps) +
           aligned(sizeof(struct outcome) * BATCH_STEP_REPLIES * steps) +
           aligned((size_t)BATCH_STEP_BYTES * steps);
}

void batch_init(struct batch *batch, void *memory, uint32_t steps)
{
    uint8_t *at = memory;

    memset(batch, 0, sizeof(*batch));
    batch->msgs = (void *)at;
    batch->msg_max = BATCH_STEP_MSGS * steps;
    at += aligned(sizeof(struct msg) * batch->msg_max);
    batch->records = (void *)at;
    batch->record_max = BATCH_STEP_RECORDS * steps;
    at += aligned(sizeof(struct record) * batch->record_max);
    batch->acts = (void *)at;
    batch->act_max = BATCH_STEP_ACTS * steps;
    at += aligned(sizeof(struct act) * batch->act_max);
    batch->replies = (void *)at;
    batch->reply_max = BATCH_STEP_REPLIES * steps;
    at += aligned(sizeof(struct reply) * batch->reply_max);
    batch->told = (void *)at;
    batch->told_max = BATCH_STEP_REPLIES * steps;
    at += aligned(sizeof(struct outcome) * batch->told_max);
    batch->bytes = at;
    batch->bytes_max = BATCH_STEP_BYTES * steps;
}

bool batch_has_room(const struct batch *batch)
{
    return batch->msg_max - batch->msg_count >= BATCH_STEP_MSGS &&
           batch->record_max - batch->record_count >= BATCH_STEP_RECORDS &&
           batch->act_max - batch->act_count >= BATCH_STEP_ACTS &&
           batch->reply_max - batch->reply_count >= BATCH_STEP_REPLIES &&
           batch->told_max - batch->told_count >= BATCH_STEP_REPLIES &&
           batch->bytes_max - batch->bytes_used >= BATCH_STEP_BYTES;
}

void batch_clear(struct batch *batch)
{
    batch->msg_count = 0;
    batch->record_count = 0;
    batch->act_count = 0;
    batch->reply_count = 0;
    batch->told_count = 0;
    batch->bytes_used = 0;
}

struct msg *batch_msg(struct batch *batch, enum msg_kind kind, uint32_t peer)
{
    struct msg *msg = &batch->msgs[batch->msg_count];

    ASSERT(batch->msg_count < batch->msg_max);
    batch->msg_count++;
    memset(msg, 0, sizeof(*msg));
    msg->kind = kind;
    msg->peer = peer;
    return msg;
}

struct record *batch_record(struct batch *batch, enum record_kind kind)
{
    struct record *record = &batch->records[batch->record_count];

    ASSERT(batch->record_count < batch->record_max);
    batch->record_count++;
    memset(record, 0, sizeof(*record));
    record->kind = kind;
    record->position = ++batch->log_tail;
    return record;
}

struct act *batch_act(struct batch *batch, enum act_kind kind)
{
    struct act *act = &batch->acts[batch->act_count];

    ASSERT(batch->act_count < batch->act_max);
    batch->act_count++;
    memset(act, 0, sizeof(*act));
    act->kind = kind;
    return act;
}

struct reply *batch_reply(struct batch *batch, enum reply_kind kind, struct waiter waiter)
{
    struct reply *reply = &batch->replies[batch->reply_count];

    ASSERT(batch->reply_count < batch->reply_max);
    batch->reply_count++;
    memset(reply, 0, sizeof(*reply));
    reply->kind = kind;
    reply->waiter = waiter;
    return reply;
}

struct outcome *batch_told(struct batch *batch)
{
    struct outcome *outcome = &batch->told[batch->told_count];

    ASSERT(batch->told_count < batch->told_max);
    batch->told_count++;
    memset(outcome, 0, sizeof(*outcome));
    return outcome;
}

void *batch_alloc(struct batch *batch, size_t size)
{
    void *at = batch->bytes + batch->bytes_used;
    size_t used = aligned(size);

    ASSERT(used <= batch->bytes_max - batch->bytes_used);
    batch->bytes_used += (uint32_t)used;
    memset(at, 0, size);
    return at;
}

void *batch_copy(struct batch *batch, const void *bytes, size_t size)
{
    void *copy;

    if (size == 0)
        return NULL;
    copy = batch_alloc(batch, size);
    memcpy(copy, bytes, size);
    return copy;
}
