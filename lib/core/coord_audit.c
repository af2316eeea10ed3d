/*
 * Conservation, at a consistent cut (DESIGN section 5; the participant's half is part_cut.c).
 *
 * A time T is chosen ahead of every clock; every participant raises its clock to T and reports its
 * posted totals as of then. One whose clock is past T already says so, and all are asked again with
 * a later T. What was undecided at T is named with what it would add; where all sides of an
 * id are undecided it is in no total, and the sums match without it. Where only some are, somebody
 * decided it: its outcome is looked up, and what was COMMITTED at or before T is added. A
 * participant that cannot be read makes the audit incomplete, not unbalanced.
 */
#include "base/assert.h"
#include "core/coord_internal.h"

#define AUDIT_AHEAD_MS     50   /* T is chosen this far ahead of the clocks we know of */
#define AUDIT_ATTEMPTS_MAX 8    /* at choosing T */
#define AUDIT_WAIT_MS      1000 /* how long participants wait for what is undecided */

static uint64_t bit(uint16_t member)
{
    return (uint64_t)1 << member;
}

static void audit_schedule(struct coord *coord, const struct coord_audit *audit)
{
    uint64_t due = audit->retry_ms < audit->until_ms ? audit->retry_ms : audit->until_ms;
    uint32_t index = (uint32_t)(audit - coord->audits);

    timers_ask(&coord->timers, coord->options.txn_max + GROUPS_MAX + COORD_FINDS_MAX + index, due);
}

static bool is_missing(const struct coord *coord, const struct coord_audit *audit, uint16_t member)
{
    return coord->members[member].registered && (audit->read & bit(member)) == 0;
}

static enum reason verdict_on(const struct coord_audit *audit, uint16_t missing_count)
{
    if (audit->ahead)
        return REASON_CLOCK;
    if (missing_count > 0)
        return REASON_PARTICIPANT_DOWN;
    if (audit->more)
        return REASON_LIMIT;
    return audit->finding < audit->doubt_count ? REASON_UNKNOWN_OUTCOME : REASON_NONE;
}

/* `reason` NONE: every registered participant was read, and every doubt was matched. */
static void audit_reply(struct coord *coord, struct coord_audit *audit, struct batch *batch)
{
    struct node_name *missing = batch_alloc(batch, sizeof(*missing) * MEMBERS_MAX);
    struct reply *reply = batch_reply(batch, REPLY_AUDIT, audit->waiter);

    for (uint16_t i = 0; i < coord->member_count; i++) {
        if (is_missing(coord, audit, i))
            missing[reply->missing_count++] = coord->members[i].node;
    }
    reply->missing = missing;
    reply->reason = verdict_on(audit, reply->missing_count);
    if (reply->missing_count > 0)
        reply->node = missing[0];
    reply->timestamp = audit->timestamp;
    reply->lines = batch_copy(batch, audit->lines, sizeof(audit->lines[0]) * audit->line_count);
    reply->line_count = audit->line_count;
    reply->doubt_count = audit->in_doubt_count;
    audit->used = false;
}

/* The line of a currency, in their order; NULL when the books hold more than AUDIT_LINES_MAX. */
static struct audit_line *line_of(struct coord_audit *audit, const struct currency *currency)
{
    uint16_t at = 0;

    while (at < audit->line_count &&
           memcmp(&audit->lines[at].currency, currency, sizeof(*currency)) < 0)
        at++;
    if (at < audit->line_count && currency_equal(&audit->lines[at].currency, currency))
        return &audit->lines[at];
    if (audit->line_count == AUDIT_LINES_MAX) {
        audit->more = true;
        return NULL;
    }
    memmove(&audit->lines[at + 1], &audit->lines[at],
            sizeof(audit->lines[0]) * (size_t)(audit->line_count - at));
    memset(&audit->lines[at], 0, sizeof(audit->lines[at]));
    audit->lines[at].currency = *currency;
    audit->line_count++;
    return &audit->lines[at];
}

/* What is at stake in a currency: the credits, or the debits where only those are known. */
static int128 value_of(const struct audit_sum *sum)
{
    return sum->net < 0 ? sum->positive - sum->net : sum->positive;
}

/* The doubt is over: `committed` adds what some totals lack, undecided is listed, else nothing. */
static void settle(struct coord_audit *audit, const struct audit_doubt *doubt, bool committed,
                   bool undecided)
{
    for (uint16_t i = 0; i < doubt->net_count; i++) {
        struct audit_line *line = line_of(audit, &doubt->nets[i].currency);

        if (line && committed)
            line->posted += doubt->nets[i].net;
        if (line && undecided)
            line->in_doubt += value_of(&doubt->nets[i]);
    }
    if (undecided)
        audit->in_doubt_count++;
}

static bool is_one_sided(const struct audit_doubt *doubt)
{
    for (uint16_t i = 0; i < doubt->net_count; i++) {
        if (doubt->nets[i].net != 0)
            return true;
    }
    return false;
}

/* The cut's round: whoever is connected and was not read is asked, or asked again. */
static void cut_ask(struct coord *coord, struct coord_audit *audit, struct batch *batch)
{
    uint64_t left = audit->until_ms > coord->now_ms ? audit->until_ms - coord->now_ms : 0;
    uint32_t wait_ms = left / 2 < AUDIT_WAIT_MS ? (uint32_t)(left / 2) : AUDIT_WAIT_MS;

    for (uint16_t i = 0; i < coord->member_count; i++) {
        struct msg *out;

        if (coord->members[i].peer == PEER_NONE || (audit->answered & bit(i)) != 0)
            continue;
        out = batch_msg(batch, MSG_CUT, coord->members[i].peer);
        out->cut.number = audit->number;
        out->cut.timestamp = audit->timestamp;
        out->cut.wait_ms = wait_ms;
        audit->asked |= bit(i);
    }
    audit->retry_ms = coord->now_ms + wait_ms + coord->options.retry_ms;
}

/* The look-up's round, of one doubt at a time. */
static void doubt_ask(struct coord *coord, struct coord_audit *audit, struct batch *batch)
{
    const struct audit_doubt *doubt = &audit->doubts[audit->finding];

    for (uint16_t i = 0; i < coord->member_count; i++) {
        struct msg *out;

        if (coord->members[i].peer == PEER_NONE || (audit->answered & bit(i)) != 0)
            continue;
        out = batch_msg(batch, MSG_FIND, coord->members[i].peer);
        out->group = id_group(&doubt->id, coord->options.groups);
        out->tag.sequence = audit->serial;
        out->id = doubt->id;
        audit->asked |= bit(i);
    }
    audit->retry_ms = coord->now_ms + coord->options.retry_ms;
}

/* Pass over doubts whose sides match; look up the next that has one side only, or reply. */
static void next_doubt(struct coord *coord, struct coord_audit *audit, struct batch *batch)
{
    while (audit->finding < audit->doubt_count && !is_one_sided(&audit->doubts[audit->finding]))
        settle(audit, &audit->doubts[audit->finding++], false, true);
    if (audit->finding == audit->doubt_count) {
        audit_reply(coord, audit, batch);
        return;
    }
    audit->serial = ++coord->serial;
    audit->asked = 0;
    audit->answered = 0;
    doubt_ask(coord, audit, batch);
    if (audit->asked == 0)
        audit_reply(coord, audit, batch); /* nobody is left to ask */
    else
        audit_schedule(coord, audit);
}

/* True iff every registered participant answered this round. */
static bool all_answered(const struct coord *coord, const struct coord_audit *audit)
{
    for (uint16_t i = 0; i < coord->member_count; i++) {
        if (coord->members[i].registered && (audit->answered & bit(i)) == 0)
            return false;
    }
    return true;
}

/*
 * All who were asked have answered this round. What nobody says is decided is undecided only when
 * nobody is away: who is may have committed it, and have it in totals that were read before.
 */
static void round_over(struct coord *coord, struct coord_audit *audit, struct batch *batch)
{
    if (audit->cutting) {
        audit->cutting = false;
        audit->finding = 0;
    } else if (!audit->found_aborted && !all_answered(coord, audit)) {
        audit_reply(coord, audit, batch);
        return;
    } else {
        settle(audit, &audit->doubts[audit->finding++], false, !audit->found_aborted);
    }
    audit->found_aborted = false;
    next_doubt(coord, audit, batch);
}

static void cut_start(struct coord *coord, struct coord_audit *audit, uint64_t above,
                      struct batch *batch)
{
    uint64_t clock = above > coord->clock ? above : coord->clock;
    uint64_t wall = timestamp_of_ms(coord->wall_ms);

    audit->attempts++;
    audit->cutting = true;
    audit->timestamp = (clock > wall ? clock : wall) + timestamp_of_ms(AUDIT_AHEAD_MS);
    /* Distinct between the coordinators that may audit at the same time, as far as it matters. */
    audit->number = hash_bytes(&audit->timestamp, sizeof(audit->timestamp)) ^ ++coord->serial;
    audit->asked = 0;
    audit->answered = 0;
    audit->read = 0;
    audit->line_count = 0;
    audit->doubt_count = 0;
    audit->in_doubt_count = 0;
    audit->more = false;
    audit->ahead = false;
    cut_ask(coord, audit, batch);
    if (audit->asked == 0)
        audit_reply(coord, audit, batch);
    else
        audit_schedule(coord, audit);
}

void coord_on_audit(struct coord *coord, const struct event *ev, struct batch *batch)
{
    static const struct id none;
    struct coord_audit *audit = NULL;

    for (int i = 0; i < COORD_AUDITS_MAX && !audit; i++) {
        if (!coord->audits[i].used)
            audit = &coord->audits[i];
    }
    if (!audit) {
        coord_refuse_waiter(coord, ev->audit.waiter, &none, REASON_BUSY, NULL, batch);
        return;
    }
    audit->used = true;
    audit->waiter = ev->audit.waiter;
    audit->until_ms = coord->now_ms + ev->audit.deadline_ms;
    audit->attempts = 0;
    audit->finding = 0;
    audit->found_aborted = false;
    cut_start(coord, audit, 0, batch);
}

static struct audit_doubt *doubt_of(struct coord_audit *audit, const struct cut_doubt *named)
{
    struct audit_doubt *doubt;

    for (uint16_t i = 0; i < audit->doubt_count; i++) {
        if (id_equal(&audit->doubts[i].id, &named->id) &&
            digest_equal(&audit->doubts[i].digest, &named->digest))
            return &audit->doubts[i];
    }
    if (audit->doubt_count == AUDIT_DOUBTS_MAX) {
        audit->more = true;
        return NULL;
    }
    doubt = &audit->doubts[audit->doubt_count++];
    memset(doubt, 0, sizeof(*doubt));
    doubt->id = named->id;
    doubt->digest = named->digest;
    return doubt;
}

static void add_doubt(struct coord_audit *audit, const struct cut_doubt *named)
{
    struct audit_doubt *doubt = doubt_of(audit, named);

    for (uint16_t i = 0; doubt && i < named->net_count; i++) {
        const struct net *net = &named->nets[i];
        uint16_t at = 0;

        while (at < doubt->net_count && !currency_equal(&doubt->nets[at].currency, &net->currency))
            at++;
        if (at == NETS_MAX) {
            audit->more = true;
            return;
        }
        if (at == doubt->net_count)
            doubt->nets[doubt->net_count++].currency = net->currency;
        doubt->nets[at].net += net->amount;
        if (net->amount > 0)
            doubt->nets[at].positive += net->amount;
    }
}

static void add_report(struct coord_audit *audit, const struct msg *msg)
{
    for (uint16_t i = 0; i < msg->cut_result.total_count; i++) {
        struct audit_line *line = line_of(audit, &msg->cut_result.totals[i].currency);

        if (line)
            line->posted += msg->cut_result.totals[i].amount;
    }
    for (uint16_t i = 0; i < msg->cut_result.doubt_count; i++)
        add_doubt(audit, &msg->cut_result.doubts[i]);
    audit->more |= msg->cut_result.more_doubts;
}

void coord_on_cut_result(struct coord *coord, const struct coord_member *member,
                         const struct msg *msg, struct batch *batch)
{
    uint64_t mine = bit(coord_member_index(coord, member));
    struct coord_audit *audit = NULL;

    for (int i = 0; i < COORD_AUDITS_MAX && !audit; i++) {
        if (coord->audits[i].used && coord->audits[i].cutting &&
            coord->audits[i].number == msg->cut_result.number)
            audit = &coord->audits[i];
    }
    if (!audit || (audit->asked & mine) == 0 || (audit->answered & mine) != 0)
        return;
    switch (msg->cut_result.status) {
    case CUT_TOO_LATE:
        if (coord_clock_is_ahead(coord, msg->cut_result.timestamp)) {
            audit->ahead = true;
            break; /* it stays unread, and is named */
        }
        if (audit->attempts < AUDIT_ATTEMPTS_MAX) {
            cut_start(coord, audit, msg->cut_result.timestamp, batch);
            return;
        }
        break;
    case CUT_BUSY:
        return; /* asked again with the next retry */
    case CUT_AHEAD:
        audit->ahead = true;
        break;
    case CUT_REPORTED:
        audit->read |= mine;
        add_report(audit, msg);
        break;
    }
    audit->answered |= mine;
    if (audit->answered == audit->asked)
        round_over(coord, audit, batch);
}

/* An answer to the look-up of a one-sided doubt; COMMITTED by T is in the others' totals. */
void coord_audit_found(struct coord *coord, const struct coord_member *member,
                       const struct msg *msg, struct batch *batch)
{
    uint64_t mine = bit(coord_member_index(coord, member));
    const struct audit_doubt *doubt;
    struct coord_audit *audit = NULL;
    bool same;

    for (int i = 0; i < COORD_AUDITS_MAX && !audit; i++) {
        if (coord->audits[i].used && !coord->audits[i].cutting &&
            coord->audits[i].serial == msg->tag.sequence &&
            id_equal(&coord->audits[i].doubts[coord->audits[i].finding].id, &msg->id))
            audit = &coord->audits[i];
    }
    if (!audit || (audit->asked & mine) == 0 || (audit->answered & mine) != 0)
        return;
    audit->answered |= mine;
    doubt = &audit->doubts[audit->finding];
    same = digest_equal(&doubt->digest, &msg->digest); /* another content tells nothing of it */
    if (same && msg->found.state == STATE_COMMITTED) {
        audit->finding++;
        settle(audit, doubt, msg->found.timestamp <= audit->timestamp, false);
        audit->found_aborted = false;
        next_doubt(coord, audit, batch);
        return;
    }
    audit->found_aborted |= same && msg->found.state == STATE_ABORTED;
    if (audit->answered == audit->asked)
        round_over(coord, audit, batch);
}

void coord_audit_tick(struct coord *coord, uint32_t index, struct batch *batch)
{
    struct coord_audit *audit = &coord->audits[index];

    if (!audit->used)
        return;
    if (audit->until_ms <= coord->now_ms) {
        audit_reply(coord, audit, batch);
        return;
    }
    if (audit->retry_ms <= coord->now_ms && audit->cutting)
        cut_ask(coord, audit, batch);
    else if (audit->retry_ms <= coord->now_ms)
        doubt_ask(coord, audit, batch);
    audit_schedule(coord, audit);
}

/* Who is gone is not waited for; in the cut's round it stays unread, and is named. */
void coord_audit_link_down(struct coord *coord, uint16_t member, struct batch *batch)
{
    for (int i = 0; i < COORD_AUDITS_MAX; i++) {
        struct coord_audit *audit = &coord->audits[i];

        if (!audit->used || (audit->asked & ~audit->answered & bit(member)) == 0)
            continue;
        audit->asked &= ~bit(member);
        if (audit->asked == audit->answered)
            round_over(coord, audit, batch);
    }
}
