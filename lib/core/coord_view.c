/* The coordinator's transactions and members, to look at: status, txn list, txn show. */
#include "base/assert.h"
#include "core/coord_internal.h"

static void wait_for(struct coord_view *view, const struct coord *coord, uint16_t party)
{
    const struct node_name *node = &coord->parties.all[party].node;

    for (uint16_t i = 0; i < view->waiting_count; i++) {
        if (node_name_equal(&view->waiting_for[i], node))
            return;
    }
    if (view->waiting_count < PARTICIPANTS_MAX)
        view->waiting_for[view->waiting_count++] = *node;
}

/* GATHERING waits for links, READING for readers, the rest for voters. */
static void view_waiting(const struct coord *coord, const struct coord_txn *txn,
                         struct coord_view *view)
{
    uint32_t entry = txn->branches;

    if (txn->phase != PHASE_GATHERING && txn->phase != PHASE_READING) {
        for (uint8_t i = 0; i < txn->party_count; i++) {
            if (coord_undecided(txn) ? txn->heard[i] == HEARD_NOTHING
                                     : (txn->acked & (1u << i)) == 0)
                wait_for(view, coord, txn->parties[i]);
        }
        return;
    }
    for (uint8_t i = 0; entry != SLOT_NONE; i++) {
        uint16_t party = coord->pool.chunks[entry].party;

        if (txn->phase == PHASE_GATHERING
                ? coord_peer(coord, txn->group, party) == PEER_NONE
                : i >= txn->party_count && (txn->readers & (1u << (i - txn->party_count))) == 0)
            wait_for(view, coord, party);
        entry = coord->pool.chunks[entry].next_entry;
    }
}

static void view_of(const struct coord *coord, const struct coord_txn *txn,
                    struct coord_view *ret_view)
{
    memset(ret_view, 0, sizeof(*ret_view));
    ret_view->id = txn->id;
    ret_view->digest = txn->digest;
    ret_view->phase = (enum phase)txn->phase;
    ret_view->protocol = (enum protocol)txn->protocol;
    ret_view->reason = (enum reason)txn->reason;
    ret_view->group = txn->group;
    ret_view->tag = txn->tag;
    ret_view->recovered = txn->recovered;
    ret_view->since_ms = txn->since_ms;
    ret_view->deadline_ms = txn->deadline_ms == TIMERS_NEVER ? 0 : txn->deadline_ms;
    ret_view->party_count = txn->party_count;
    for (uint8_t i = 0; i < txn->party_count; i++) {
        ret_view->parties[i] = coord->parties.all[txn->parties[i]];
        ret_view->heard[i] = (enum heard)txn->heard[i];
    }
    view_waiting(coord, txn, ret_view);
    ret_view->net_count = txn->sum_count;
    for (uint8_t i = 0; i < txn->sum_count; i++) {
        uint64_t debits = txn->sums[i].debits;

        ret_view->value[i].currency = txn->sums[i].currency;
        ret_view->value[i].amount = debits > INT64_MAX ? INT64_MAX : (int64_t)debits;
    }
}

bool coord_next(const struct coord *coord, uint32_t *cursor, struct coord_view *ret_view)
{
    while (*cursor < coord->slots_touched) {
        const struct coord_txn *txn = &coord->txns[(*cursor)++];

        if (txn->used && coord_txn_live(coord, txn)) {
            view_of(coord, txn, ret_view);
            return true;
        }
    }
    return false;
}

bool coord_find(const struct coord *coord, const struct id *id, struct coord_view *ret_view)
{
    const struct coord_txn *txn = coord_txn_next(coord, id, NULL);
    const struct coord_txn *best = txn;

    while (txn && best->phase != PHASE_COMMITTED) {
        if (txn->phase == PHASE_COMMITTED)
            best = txn;
        txn = coord_txn_next(coord, id, txn);
    }
    if (best)
        view_of(coord, best, ret_view);
    return best != NULL;
}

bool coord_leads(const struct coord *coord, uint16_t group, uint64_t *ret_epoch, bool *ret_active)
{
    const struct coord_group *at = &coord->groups[group];

    ASSERT(group < coord->options.groups);
    if (at->epoch == 0)
        return false;
    if (ret_epoch)
        *ret_epoch = at->epoch;
    if (ret_active)
        *ret_active = coord_group_active(at);
    return true;
}

bool coord_member(const struct coord *coord, const struct node_name *node, struct party *ret_party,
                  bool *ret_up)
{
    for (uint16_t i = 0; i < coord->member_count; i++) {
        const struct coord_member *member = &coord->members[i];

        if (!member->registered || !node_name_equal(&member->node, node))
            continue;
        memset(ret_party, 0, sizeof(*ret_party));
        ret_party->node = member->node;
        if (member->party != PARTY_NONE)
            ret_party->store = coord->parties.all[member->party].store;
        *ret_up = member->peer != PEER_NONE && member->linked == member->party;
        return true;
    }
    return false;
}

const struct coord_stats *coord_stats(const struct coord *coord)
{
    return &coord->stats;
}
