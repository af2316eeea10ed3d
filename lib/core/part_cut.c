/*
 * The hybrid logical clock, and the participant's side of a consistent cut.
 *
 * The cut's rules (DESIGN section 5), each with a mutant:
 *   C1  the clock is raised to T, and that is forced, before anything is reported
 *   C2  a repeated vote keeps its timestamp (kept in R3)
 *   C3  what was prepared at or before T is waited for, or named
 *   C4  a commit counts iff its timestamp is at or before T
 *   C5  a commit's timestamp raises the clock
 *   C6  a cut below the clock is refused: effects after it may be in the totals already
 *   C7  a cut more than 60 s ahead of the wall clock is refused, and named
 */
#include "base/assert.h"
#include "core/part_internal.h"

void part_clock_raise(struct part *part, uint64_t timestamp)
{
    if (timestamp > part->clock)
        part->clock = timestamp;
}

/* A timestamp above all given and learned, and not behind the wall. */
uint64_t part_clock_next(struct part *part, uint64_t wall_ms)
{
    uint64_t wall = timestamp_of_ms(wall_ms);

    part->clock = wall > part->clock ? wall : part->clock + 1;
    return part->clock;
}

static struct msg *result_to(uint32_t peer, uint64_t number, enum cut_status status,
                             uint64_t timestamp, struct batch *batch)
{
    struct msg *out = batch_msg(batch, MSG_CUT_RESULT, peer);

    out->cut_result.number = number;
    out->cut_result.status = status;
    out->cut_result.timestamp = timestamp;
    return out;
}

static struct part_cut *cut_find(struct part *part, uint64_t number, uint64_t timestamp)
{
    for (int i = 0; i < CUTS_MAX; i++) {
        struct part_cut *cut = &part->cuts[i];

        if (cut->used && cut->number == number && cut->timestamp == timestamp)
            return cut;
    }
    return NULL;
}

static struct part_cut *cut_unused(struct part *part)
{
    for (int i = 0; i < CUTS_MAX; i++) {
        if (!part->cuts[i].used)
            return &part->cuts[i];
    }
    return NULL;
}

/* C3: how many must be decided before the totals are those of T. */
static uint32_t prepared_until(const struct part *part, uint64_t timestamp)
{
    uint32_t count = 0;

    for (uint32_t slot = 0; slot < part->slots_touched; slot++) {
        const struct part_txn *txn = &part->txns[slot];

        if (txn->used && txn->state == STATE_PREPARED && txn->prepare_timestamp <= timestamp)
            count++;
    }
    return count;
}

void part_on_cut(struct part *part, const struct event *ev, struct batch *batch)
{
    const struct msg *msg = ev->msg.msg;
    uint64_t timestamp = msg->cut.timestamp;
    struct part_cut *cut = cut_find(part, msg->cut.number, timestamp);

    if (cut) {
        cut->peer = msg->peer; /* a repeat: the answer is under way */
        return;
    }
    if (timestamp > timestamp_of_ms(ev->wall_ms + CLOCK_AHEAD_MAX_MS)) { /* C7 */
        result_to(msg->peer, msg->cut.number, CUT_AHEAD, timestamp_of_ms(ev->wall_ms), batch);
        return;
    }
    if (part->clock > timestamp) { /* C6 */
        result_to(msg->peer, msg->cut.number, CUT_TOO_LATE, part->clock, batch);
        return;
    }
    cut = cut_unused(part);
    if (!cut) {
        result_to(msg->peer, msg->cut.number, CUT_BUSY, part->clock, batch);
        return;
    }
    part->clock = timestamp; /* C1: and the record below goes before the result, by R1 */
    batch_record(batch, RECORD_CLOCK)->timestamp = timestamp;
    memset(cut, 0, sizeof(*cut));
    cut->used = true;
    cut->peer = msg->peer;
    cut->number = msg->cut.number;
    cut->timestamp = timestamp;
    cut->until_ms = ev->now_ms + msg->cut.wait_ms;
    cut->waiting = prepared_until(part, timestamp);
    batch_act(batch, ACT_CUT_TOTALS)->slot = (uint32_t)(cut - part->cuts);
}

/* Name what could not be waited for; their nets are in no total here. */
static void name_doubts(const struct part *part, uint64_t timestamp, struct msg *out,
                        struct batch *batch)
{
    struct cut_doubt *doubts = batch_alloc(batch, sizeof(*doubts) * CUT_DOUBTS_MAX);
    uint16_t count = 0;

    for (uint32_t slot = 0; slot < part->slots_touched; slot++) {
        const struct part_txn *txn = &part->txns[slot];

        if (!txn->used || txn->state != STATE_PREPARED || txn->prepare_timestamp > timestamp)
            continue;
        if (count == CUT_DOUBTS_MAX) {
            out->cut_result.more_doubts = true;
            break;
        }
        doubts[count].id = txn->id;
        doubts[count].digest = txn->digest;
        doubts[count].nets = batch_copy(batch, txn->nets, sizeof(txn->nets[0]) * txn->net_count);
        doubts[count].net_count = txn->net_count;
        count++;
    }
    out->cut_result.doubts = doubts;
    out->cut_result.doubt_count = count;
}

static void cut_report(struct part *part, struct part_cut *cut, struct batch *batch)
{
    struct msg *out = result_to(cut->peer, cut->number, CUT_REPORTED, cut->timestamp, batch);

    out->cut_result.totals = batch_copy(batch, cut->totals,
                                        sizeof(cut->totals[0]) * cut->total_count);
    out->cut_result.total_count = cut->total_count;
    if (cut->waiting > 0)
        name_doubts(part, cut->timestamp, out, batch);
    cut->used = false;
}

void part_on_cut_totals(struct part *part, const struct event *ev, struct batch *batch)
{
    struct part_cut *cut = &part->cuts[ev->cut_totals.slot];

    ASSERT(cut->used && !cut->counted && ev->cut_totals.total_count <= CUT_TOTALS_MAX);
    cut->counted = true;
    cut->total_count = ev->cut_totals.total_count;
    memcpy(cut->totals, ev->cut_totals.totals, sizeof(cut->totals[0]) * cut->total_count);
    if (cut->waiting == 0)
        cut_report(part, cut, batch);
}

static void cut_add(struct part_cut *cut, const struct part_txn *txn)
{
    for (uint8_t i = 0; i < txn->net_count; i++) {
        uint16_t at = 0;

        while (at < cut->total_count &&
               !currency_equal(&cut->totals[at].currency, &txn->nets[i].currency))
            at++;
        if (at == cut->total_count) {
            ASSERT(cut->total_count < CUT_TOTALS_MAX);
            cut->totals[at].currency = txn->nets[i].currency;
            cut->totals[at].amount = 0;
            cut->total_count++;
        }
        cut->totals[at].amount += txn->nets[i].amount;
    }
}

/* A prepared transaction was decided: every cut it was waited for by takes note. */
void part_cut_resolved(struct part *part, const struct part_txn *txn, struct batch *batch)
{
    for (int i = 0; i < CUTS_MAX; i++) {
        struct part_cut *cut = &part->cuts[i];

        if (!cut->used || txn->prepare_timestamp > cut->timestamp)
            continue;
        if (txn->state == STATE_COMMITTED && txn->commit_timestamp <= cut->timestamp) /* C4 */
            cut_add(cut, txn);
        ASSERT(cut->waiting > 0 && cut->counted);
        cut->waiting--;
        if (cut->waiting == 0)
            cut_report(part, cut, batch);
    }
}

void part_cut_tick(struct part *part, const struct event *ev, struct batch *batch)
{
    for (int i = 0; i < CUTS_MAX; i++) {
        struct part_cut *cut = &part->cuts[i];

        if (cut->used && cut->counted && ev->now_ms >= cut->until_ms)
            cut_report(part, cut, batch);
    }
}

void part_cut_link_down(struct part *part, uint32_t peer)
{
    for (int i = 0; i < CUTS_MAX; i++) {
        if (part->cuts[i].used && part->cuts[i].peer == peer)
            part->cuts[i].used = false;
    }
}
