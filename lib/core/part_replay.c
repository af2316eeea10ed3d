/*
 * From the journal: the same transitions, without saying anything.
 *
 * A record that contradicts the state it should follow is corruption, and the node must not start
 * (I11). A record that repeats what is known (CARRIED, after its original) changes no more than its
 * tag.
 */
#include "base/assert.h"
#include "base/err.h"
#include "core/part_internal.h"

static int contradicts(const struct record *record, const char *what, struct err *err)
{
    char id[ID_TEXT_SIZE];

    return err_set(err, ERR_CORRUPT, "journal record %llu (transaction %s) %s",
                   (unsigned long long)record->position, id_format(&record->id, id), what);
}

/* An unresolved transaction out of a record that has all of it. */
static int replay_whole(struct part *part, const struct record *record, struct part_txn **ret_txn,
                        struct err *err)
{
    struct part_txn *txn;

    if (record->party_count == 0 || record->party_count > PARTICIPANTS_MAX ||
        record->net_count > NETS_MAX)
        return contradicts(record, "lists too many participants or currencies", err);
    txn = part_txn_make(part, &record->id);
    if (!txn)
        return err_set(err, ERR_FULL,
                       "the store holds more than %u unresolved transactions; raise txn-max",
                       part->options.txn_max);
    txn->digest = record->digest;
    txn->group = record->group;
    txn->protocol = (uint8_t)record->protocol;
    txn->party_count = (uint8_t)record->party_count;
    txn->net_count = (uint8_t)record->net_count;
    memcpy(txn->nets, record->nets, sizeof(txn->nets[0]) * txn->net_count);
    txn->first = record->tag;
    txn->last = record->tag;
    if (!parties_intern_all(&part->parties, record->parties, record->party_count, txn->parties)) {
        part_txn_free(part, txn);
        return contradicts(record, "names more participants than PARTIES_MAX", err);
    }
    *ret_txn = txn;
    return 0;
}

static int replay_prepared(struct part *part, const struct record *record, uint32_t hold,
                           struct err *err)
{
    struct part_txn *txn;
    int rc;

    if (part_knows(part, &record->id))
        return contradicts(record, "is prepared twice", err);
    rc = replay_whole(part, record, &txn, err);
    if (rc != 0)
        return rc;
    txn->state = STATE_PREPARED;
    txn->prepare_timestamp = record->timestamp;
    txn->hold = hold;
    part_clock_raise(part, record->timestamp);
    part->stats.prepared_now++;
    return 0;
}

static int replay_committed(struct part *part, const struct record *record, uint32_t hold,
                            uint32_t *ret_hold, struct err *err)
{
    struct part_txn *txn = part_txn_find(part, &record->id);
    int rc;

    if (!txn && record->party_count == 1) { /* R13: with its branch, restored by the caller */
        rc = replay_whole(part, record, &txn, err);
        if (rc != 0)
            return rc;
        txn->prepare_timestamp = record->timestamp;
        txn->hold = hold;
    } else if (!txn || txn->state != STATE_PREPARED) {
        return contradicts(record, "is committed without being prepared", err);
    } else {
        part->stats.prepared_now--;
    }
    if (!digest_equal(&txn->digest, &record->digest))
        return contradicts(record, "is committed under another digest", err);
    txn->state = STATE_COMMITTED;
    txn->last = record->tag;
    txn->commit_timestamp = record->timestamp;
    part_clock_raise(part, record->timestamp);
    *ret_hold = txn->hold;
    txn->hold = SLOT_NONE;
    part_decided_link(part, txn);
    return 0;
}

static int replay_aborted(struct part *part, const struct record *record, uint32_t *ret_hold,
                          struct err *err)
{
    struct part_txn *txn = part_txn_find(part, &record->id);

    if (!txn)
        return 0; /* out of nothing: the outcome index has it */
    if (txn->state != STATE_PREPARED || !digest_equal(&txn->digest, &record->digest))
        return contradicts(record, "is aborted though it is not prepared", err);
    txn->state = STATE_ABORTED;
    txn->reason = (uint8_t)record->reason;
    txn->last = record->tag;
    *ret_hold = txn->hold;
    txn->hold = SLOT_NONE;
    part_decided_link(part, txn);
    part->stats.prepared_now--;
    return 0;
}

static int replay_carried(struct part *part, const struct record *record, uint32_t hold,
                          struct err *err)
{
    struct part_txn *txn = part_txn_find(part, &record->id);
    int rc;

    if (txn) {
        if (txn->state != record->state || !digest_equal(&txn->digest, &record->digest))
            return contradicts(record, "is carried in another state", err);
        part_touch(part, txn, record->tag);
        return 0;
    }
    rc = replay_whole(part, record, &txn, err);
    if (rc != 0)
        return rc;
    txn->state = (uint8_t)record->state;
    txn->reason = (uint8_t)record->reason;
    txn->first = record->first;
    txn->prepare_timestamp = record->prepare_timestamp;
    txn->commit_timestamp = record->timestamp;
    part_clock_raise(part, record->prepare_timestamp);
    part_clock_raise(part, record->timestamp);
    if (txn->state == STATE_PREPARED) {
        txn->hold = hold;
        part->stats.prepared_now++;
    } else {
        part_decided_link(part, txn);
    }
    return 0;
}

int part_replay(struct part *part, const struct record *record, uint32_t hold, uint32_t *ret_hold,
                struct err *err)
{
    *ret_hold = SLOT_NONE;
    if (record->group >= part->options.groups)
        return contradicts(record, "is of a group the cluster does not have", err);
    switch (record->kind) {
    case RECORD_SEAL:
        part_restore_seal(part, record->group, record->tag.epoch, &record->guid);
        return 0;
    case RECORD_CLOCK:
        part_clock_raise(part, record->timestamp);
        return 0;
    case RECORD_PREPARED:
        return replay_prepared(part, record, hold, err);
    case RECORD_COMMITTED:
        return replay_committed(part, record, hold, ret_hold, err);
    case RECORD_ABORTED:
        return replay_aborted(part, record, ret_hold, err);
    case RECORD_END:
        part_end_covered(part, record->group, record->tag.epoch, record->watermark,
                         record->exceptions, record->exception_count);
        return 0;
    case RECORD_CARRIED:
        return replay_carried(part, record, hold, err);
    case RECORD_ACCOUNT:
        break; /* the runtime keeps it to itself */
    }
    return contradicts(record, "is of a kind the core does not know", err);
}

struct record *part_carry(const struct part *part, uint32_t slot, struct batch *batch)
{
    const struct part_txn *txn = &part->txns[slot];
    struct record *record = batch_record(batch, RECORD_CARRIED);

    ASSERT(txn->used && txn->state != STATE_NONE);
    record->group = txn->group;
    record->tag = txn->last;
    record->first = txn->first;
    record->id = txn->id;
    record->digest = txn->digest;
    record->protocol = (enum protocol)txn->protocol;
    record->state = (enum txn_state)txn->state;
    record->reason = (enum reason)txn->reason;
    record->timestamp = txn->commit_timestamp;
    record->prepare_timestamp = txn->prepare_timestamp;
    record->parties = parties_expand(&part->parties, txn->parties, txn->party_count, batch);
    record->party_count = txn->party_count;
    record->nets = batch_copy(batch, txn->nets, sizeof(txn->nets[0]) * txn->net_count);
    record->net_count = txn->net_count;
    return record;
}
