/*
 * Naming what is unresolved (R8, R15), and End (R9).
 *
 * A report is read page by page along the slots of the table, at the leader's pace. Whatever was
 * unresolved when the leader sealed stays in its slot until it is resolved, so no page can miss it;
 * what comes later belongs to the leader itself. Nothing is ever concluded from absence: a page
 * only names whom to ask.
 */
#include "base/assert.h"
#include "core/part_internal.h"

#define ORPHAN_SCAN_MAX 4096 /* slots looked at in one tick */

_Static_assert(REPORT_PAGE_MAX *(PARTICIPANTS_MAX * sizeof(struct party) +
                                 sizeof(struct named_txn)) < BATCH_STEP_BYTES,
               "a page fits a step");

void part_decided_link(struct part *part, struct part_txn *txn)
{
    struct part_group *group = &part->groups[txn->group];
    uint32_t slot = part_txn_slot(part, txn);

    txn->previous = group->tail;
    txn->next = SLOT_NONE;
    if (group->tail == SLOT_NONE)
        group->head = slot;
    else
        part->txns[group->tail].next = slot;
    group->tail = slot;
}

void part_decided_unlink(struct part *part, struct part_txn *txn)
{
    struct part_group *group = &part->groups[txn->group];

    if (txn->previous == SLOT_NONE)
        group->head = txn->next;
    else
        part->txns[txn->previous].next = txn->next;
    if (txn->next == SLOT_NONE)
        group->tail = txn->previous;
    else
        part->txns[txn->next].previous = txn->previous;
    txn->previous = SLOT_NONE;
    txn->next = SLOT_NONE;
}

static void name_txn(const struct part *part, const struct part_txn *txn,
                     struct named_txn *ret_named, struct batch *batch)
{
    ret_named->id = txn->id;
    ret_named->digest = txn->digest;
    ret_named->protocol = (enum protocol)txn->protocol;
    ret_named->parties = parties_expand(&part->parties, txn->parties, txn->party_count, batch);
    ret_named->party_count = txn->party_count;
}

void part_on_report(struct part *part, const struct msg *msg, struct batch *batch)
{
    struct msg *out = batch_msg(batch, MSG_REPORT_PAGE, msg->peer);
    struct named_txn *named = batch_alloc(batch, sizeof(*named) * REPORT_PAGE_MAX);
    uint32_t slot = msg->report.cursor;
    uint16_t count = 0;

    out->group = msg->group;
    out->tag = msg->tag;
    out->report_page.hash = msg->report.hash;
    for (; slot < part->slots_touched && count < REPORT_PAGE_MAX; slot++) {
        const struct part_txn *txn = &part->txns[slot];

        if (!txn->used || txn->group != msg->group)
            continue;
        name_txn(part, txn, &named[count++], batch);
        out->report_page.hash = report_hash(out->report_page.hash, &txn->id, &txn->digest);
    }
    out->report_page.next = slot < part->slots_touched ? slot : 0;
    out->report_page.count = msg->report.count + count;
    out->report_page.named = named;
    out->report_page.named_count = count;
}

static bool is_exception(uint64_t sequence, const uint64_t *exceptions, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++) {
        if (exceptions[i] == sequence)
            return true;
    }
    return false;
}

/*
 * R9: an End covers a record only if the epoch that touched it last is the End's own. Epochs are
 * compared for equality, never order: sequence 3 of one leader says nothing of another's 3.
 * Frees what it covers and returns how many that were; the outcomes stay (R10).
 */
uint32_t part_end_covered(struct part *part, uint16_t group, uint64_t epoch, uint64_t watermark,
                          const uint64_t *exceptions, uint16_t exception_count)
{
    uint32_t slot = part->groups[group].head;
    uint32_t count = 0;

    while (slot != SLOT_NONE) {
        struct part_txn *txn = &part->txns[slot];
        bool covered = txn->last.epoch == epoch && txn->last.sequence <= watermark &&
                       !is_exception(txn->last.sequence, exceptions, exception_count);

        slot = txn->next;
        if (!covered)
            continue;
        ASSERT(txn->state == STATE_COMMITTED || txn->state == STATE_ABORTED);
        part_decided_unlink(part, txn);
        part_txn_free(part, txn);
        count++;
    }
    part->stats.ended += count;
    return count;
}

void part_on_end(struct part *part, const struct msg *msg, struct batch *batch)
{
    struct record *record;

    if (part_end_covered(part, msg->group, msg->tag.epoch, msg->end.watermark, msg->end.exceptions,
                         msg->end.exception_count) == 0)
        return;
    record = batch_record(batch, RECORD_END);
    record->group = msg->group;
    record->tag.epoch = msg->tag.epoch;
    record->watermark = msg->end.watermark;
    record->exceptions = batch_copy(batch, msg->end.exceptions,
                                    sizeof(uint64_t) * msg->end.exception_count);
    record->exception_count = msg->end.exception_count;
}

/* R15: who has been PREPARED for long tells the group's current leader again, which asks. */
void part_name_orphans(struct part *part, const struct event *ev, struct batch *batch)
{
    uint16_t named = 0;

    for (uint32_t scanned = 0; scanned < ORPHAN_SCAN_MAX && named < REPORT_PAGE_MAX; scanned++) {
        struct part_txn *txn;
        struct msg *out;
        struct named_txn *name;

        if (part->orphan_cursor >= part->slots_touched) {
            part->orphan_cursor = 0;
            return; /* once around is enough for one tick */
        }
        txn = &part->txns[part->orphan_cursor++];
        if (!txn->used || txn->state != STATE_PREPARED ||
            part->groups[txn->group].peer == PEER_NONE ||
            ev->now_ms < txn->named_ms + part->options.orphan_ms)
            continue;
        txn->named_ms = ev->now_ms;
        name = batch_alloc(batch, sizeof(*name));
        name_txn(part, txn, name, batch);
        out = batch_msg(batch, MSG_ORPHAN, part->groups[txn->group].peer);
        out->group = txn->group;
        out->tag.epoch = part->groups[txn->group].epoch;
        out->report_page.named = name;
        out->report_page.named_count = 1;
        part->stats.orphans_named++;
        named++;
    }
}
