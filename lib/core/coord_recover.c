/*
 * Recovery: what earlier leaders left unresolved is named, taken over, and asked about (R8, R15).
 *
 * Names come from reports, which every member is asked for after it sealed; from orphans; and from
 * look-ups. A name is a hint whom to ask, never evidence: the report may be old, and what is absent
 * from it proves nothing (S2, S3).
 */
#include "base/assert.h"
#include "core/coord_internal.h"

static bool is_sound(const struct coord *coord, uint16_t group, const struct named_txn *named)
{
    return named->party_count >= 1 && named->party_count <= PARTICIPANTS_MAX &&
           id_group(&named->id, coord->options.groups) == group;
}

/* A Submit that has sent nothing yet gives way to what was begun before under its id. */
static void give_way(struct coord *coord, struct coord_txn *txn)
{
    coord->stats.in_flight_now--;
    coord->stats.in_doubt_now++;
    coord->stats.recovered++;
    txn->recovered = true;
}

/*
 * Follow a named transaction under its own list, asking by a new sequence; or the one that is
 * followed already. NULL when there is no room, or nothing may be started.
 */
struct coord_txn *coord_take_over(struct coord *coord, uint16_t group,
                                  const struct named_txn *named)
{
    struct coord_txn *txn = coord_txn_find(coord, &named->id, &named->digest);
    uint16_t parties[PARTICIPANTS_MAX];

    if (txn && txn->phase != PHASE_GATHERING)
        return txn; /* R7: one state machine per (id, digest) */
    if (!coord_group_active(&coord->groups[group]) ||
        !parties_intern_all(&coord->parties, named->parties, named->party_count, parties))
        return NULL;
    if (txn) {
        give_way(coord, txn);
    } else {
        txn = coord_txn_make(coord, group, &named->id, &named->digest);
        if (!txn)
            return NULL;
        txn->recovered = true;
        coord->stats.in_doubt_now++;
        coord->stats.recovered++;
    }
    txn->protocol = (uint8_t)named->protocol;
    txn->party_count = (uint8_t)named->party_count;
    memcpy(txn->parties, parties, sizeof(parties[0]) * named->party_count);
    coord_txn_query(coord, txn);
    return txn;
}

void coord_report_ask(struct coord *coord, uint16_t group, uint16_t member, struct batch *batch)
{
    const struct coord_report *report = &coord->groups[group].reports[member];
    struct msg *out = batch_msg(batch, MSG_REPORT, coord->members[member].peer);

    out->group = group;
    out->tag.epoch = coord->groups[group].epoch;
    out->report.cursor = report->cursor;
    out->report.count = report->count;
    out->report.hash = report->hash;
}

/* True iff the page goes on where the last one stopped: its count and hash include all before. */
static bool follows(const struct coord_report *report, const struct msg *msg)
{
    uint64_t hash = report->hash;

    for (uint16_t i = 0; i < msg->report_page.named_count; i++)
        hash = report_hash(hash, &msg->report_page.named[i].id, &msg->report_page.named[i].digest);
    return msg->report_page.hash == hash &&
           msg->report_page.count == report->count + msg->report_page.named_count &&
           (msg->report_page.next == 0 || msg->report_page.next > report->cursor);
}

static bool lists_ours(const struct coord *coord, const struct coord_txn *txn,
                       const struct named_txn *named)
{
    if (txn->party_count != named->party_count)
        return false;
    for (uint8_t i = 0; i < txn->party_count; i++) {
        if (!party_equal(&coord->parties.all[txn->parties[i]], &named->parties[i]))
            return false;
    }
    return true;
}

/*
 * `party` names what is decided here. R14: either it lists the very stores we do, so that it obeys
 * our Abort, and is asked again if it has not acknowledged (R9); or others, and then it is no
 * concern of ours, and will be followed under its own list.
 */
static void named_though_decided(struct coord *coord, struct coord_txn *txn,
                                 const struct named_txn *named, uint16_t party)
{
    bool ours = lists_ours(coord, txn, named);

    for (uint8_t i = 0; i < txn->party_count; i++) {
        uint16_t bit = (uint16_t)(1u << i);

        if (txn->parties[i] != party || (txn->acked & bit) != 0)
            continue;
        if (ours) {
            txn->prepared |= bit;
            txn->retry_ms = coord->now_ms;
        } else {
            txn->acked |= bit;
        }
    }
    if (!coord_over(coord, txn))
        coord_txn_schedule(coord, txn);
}

/* One name of a member's. False when there is no room for it now. */
static bool take_name(struct coord *coord, const struct coord_member *member, uint16_t group,
                      const struct named_txn *named)
{
    struct coord_txn *txn;

    if (!is_sound(coord, group, named))
        return true;
    txn = coord_take_over(coord, group, named);
    if (txn && !coord_undecided(txn))
        named_though_decided(coord, txn, named, member->linked);
    return txn != NULL;
}

/*
 * A page is read once, in its turn; a repeated or a late one does not follow, and is asked for
 * again with the group's next retry. So is one whose transactions find no room here.
 */
void coord_on_report_page(struct coord *coord, struct coord_member *member, const struct msg *msg,
                          struct batch *batch)
{
    struct coord_group *group = &coord->groups[msg->group];
    uint16_t index = coord_member_index(coord, member);
    struct coord_report *report = &group->reports[index];
    uint64_t bit = (uint64_t)1 << index;

    if (!coord_is_current(coord, msg) || !coord_group_active(group) || (group->sealed & bit) == 0 ||
        (group->reported & bit) != 0 || !follows(report, msg)) {
        coord->stats.stale_answers++;
        return;
    }
    for (uint16_t i = 0; i < msg->report_page.named_count; i++) {
        if (!take_name(coord, member, msg->group, &msg->report_page.named[i]))
            return;
    }
    report->cursor = msg->report_page.next;
    report->count = msg->report_page.count;
    report->hash = msg->report_page.hash;
    if (report->cursor == 0)
        group->reported |= bit;
    else
        coord_report_ask(coord, msg->group, index, batch);
}

/* R15: a participant has been PREPARED for long and heard nothing: ask, as after a report. */
void coord_on_orphan(struct coord *coord, const struct coord_member *member, const struct msg *msg)
{
    if (!coord_is_current(coord, msg)) {
        coord->stats.stale_answers++;
        return;
    }
    for (uint16_t i = 0; i < msg->report_page.named_count; i++)
        take_name(coord, member, msg->group, &msg->report_page.named[i]);
}
