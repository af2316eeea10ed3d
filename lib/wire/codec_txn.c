/*
 * Transactions as operators see them, and the names of their stages.
 */
#include "base/assert.h"
#include "wire/internal.h"

#define X(symbol, number, name) | ONE_OF(symbol)
static const uint64_t all_votes = 0 TXN_VOTES(X);
#undef X

static bool take_txn_party(struct decoder *d, const Settle__V1__TxnParty *m,
                           struct txn_party *party)
{
    int vote = take_enum(d, UINT(m, vote), NEEDED, all_votes);

    if (vote < 0)
        return false;
    party->vote = (enum txn_vote)vote;
    party->waiting = m->has_waiting && m->waiting;
    return take_node(d, BYTES(m, node), NEEDED, &party->node) &&
           take_16(d, BYTES(m, store), OPTIONAL, party->store.bytes) &&
           take_reason(d, UINT(m, reason), &party->reason);
}

static bool take_txn_parties(struct decoder *d, const Settle__V1__TxnInfo *m, struct txn_info *info)
{
    struct txn_party *parties;

    if (!take_count(d, "party", m->n_party, 0, TXN_PARTIES_MAX))
        return false;
    parties = take_room(d, m->n_party, sizeof(*parties));
    if (!parties && m->n_party > 0)
        return false;
    for (size_t i = 0; i < m->n_party; i++) {
        if (!take_txn_party(d, m->party[i], &parties[i]))
            return take_fail_at(d, "party", i);
    }
    info->parties = parties;
    info->party_count = (uint16_t)m->n_party;
    return true;
}

bool take_txn_info(struct decoder *d, const Settle__V1__TxnInfo *m, struct txn_info *ret_info)
{
    int stage = take_enum(d, UINT(m, stage), NEEDED, txn_stages_all());

    if (stage < 0)
        return false;
    ret_info->stage = (enum txn_stage)stage;
    ret_info->has_deadline = m->has_deadline_in_ms != 0;
    ret_info->value_count = (uint16_t)m->n_value;
    return take_16(d, BYTES(m, id), NEEDED, ret_info->id.bytes) &&
           take_16(d, BYTES(m, digest), NEEDED, ret_info->digest.bytes) &&
           take_protocol(d, UINT(m, protocol), NEEDED, &ret_info->protocol) &&
           take_u16(d, UINT(m, group), OPTIONAL, GROUPS_MAX - 1, &ret_info->group) &&
           take_u64(d, UINT(m, epoch), OPTIONAL, &ret_info->tag.epoch) &&
           take_u64(d, UINT(m, sequence), OPTIONAL, &ret_info->tag.sequence) &&
           take_u64(d, UINT(m, age_ms), OPTIONAL, &ret_info->age_ms) &&
           take_u64(d, UINT(m, deadline_in_ms), OPTIONAL, &ret_info->deadline_in_ms) &&
           take_reason(d, UINT(m, reason), &ret_info->reason) &&
           take_u64(d, UINT(m, timestamp), OPTIONAL, &ret_info->timestamp) &&
           take_txn_parties(d, m, ret_info) &&
           take_nets(d, "value", m->n_value, m->value, NETS_MAX, &ret_info->value) &&
           take_text(d, BYTES(m, error), TEXT_SIZE, ret_info->error);
}

static bool put_txn_parties(struct arena *scratch, const struct txn_info *info,
                            Settle__V1__TxnInfo *m)
{
    Settle__V1__TxnParty *parties;

    ASSERT(info->party_count <= TXN_PARTIES_MAX);
    m->n_party = info->party_count;
    parties = put_room(scratch, m->n_party, sizeof(*parties), &m->party);
    if (!parties)
        return false;
    for (size_t i = 0; i < m->n_party; i++) {
        const struct txn_party *party = &info->parties[i];

        settle__v1__txn_party__init(&parties[i]);
        PUT(&parties[i], node, pb_text(party->node.text));
        PUT_16_NONZERO(&parties[i], store, &party->store);
        PUT(&parties[i], vote, (Settle__V1__Vote)party->vote);
        if (party->waiting)
            PUT(&parties[i], waiting, true);
        PUT_NONZERO(&parties[i], reason, (uint32_t)party->reason);
    }
    return true;
}

bool put_txn_info(struct arena *scratch, const struct txn_info *info,
                  Settle__V1__TxnInfo *ret_message)
{
    Settle__V1__TxnInfo *m = ret_message;

    ASSERT(info->value_count <= NETS_MAX);
    settle__v1__txn_info__init(m);
    PUT_16(m, id, &info->id);
    PUT_16(m, digest, &info->digest);
    PUT(m, stage, (Settle__V1__TxnStage)info->stage);
    PUT(m, protocol, (Settle__V1__Protocol)info->protocol);
    PUT(m, group, info->group);
    PUT_NONZERO(m, epoch, info->tag.epoch);
    PUT_NONZERO(m, sequence, info->tag.sequence);
    PUT(m, age_ms, info->age_ms);
    if (info->has_deadline)
        PUT(m, deadline_in_ms, info->deadline_in_ms);
    PUT_NONZERO(m, reason, (uint32_t)info->reason);
    PUT_NONZERO(m, timestamp, info->timestamp);
    m->has_error = info->error[0] != '\0';
    m->n_value = info->value_count;
    return put_sentence(scratch, info->error, &m->error) && put_txn_parties(scratch, info, m) &&
           put_nets(scratch, info->value, info->value_count, &m->value);
}

uint64_t txn_stages_all(void)
{
#define X(symbol, number, name) | ONE_OF(symbol)
    return 0 TXN_STAGES(X);
#undef X
}

enum txn_stage txn_stage_of_phase(enum phase phase)
{
    switch (phase) {
    case PHASE_GATHERING:
        return TXN_GATHERING;
    case PHASE_READING:
        return TXN_READING;
    case PHASE_PREPARING:
        return TXN_PREPARING;
    case PHASE_QUERYING:
        return TXN_QUERYING;
    case PHASE_ABORTING:
        return TXN_ABORTING;
    case PHASE_COMMITTED:
        return TXN_COMMITTED;
    case PHASE_ABORTED:
        return TXN_ABORTED;
    }
    UNREACHABLE();
}

enum txn_stage txn_stage_of_state(enum txn_state state)
{
    switch (state) {
    case STATE_PREPARED:
        return TXN_PREPARED;
    case STATE_COMMITTED:
        return TXN_COMMITTED;
    case STATE_ABORTED:
        return TXN_ABORTED;
    case STATE_NONE:
        break;
    }
    UNREACHABLE();
}

const char *txn_stage_name(enum txn_stage stage)
{
    switch (stage) {
#define X(symbol, number, name) \
    case symbol:                \
        return name;
        TXN_STAGES(X)
#undef X
    }
    return "UNKNOWN";
}

bool txn_stage_parse(enum txn_stage *ret_stage, const char *name)
{
#define X(symbol, number, symbol_name)    \
    if (strcmp(name, symbol_name) == 0) { \
        *ret_stage = symbol;              \
        return true;                      \
    }
    TXN_STAGES(X)
#undef X
    return false;
}

enum txn_vote txn_vote_of_heard(enum heard heard)
{
    switch (heard) {
    case HEARD_NOTHING:
        return VOTE_NONE;
    case HEARD_NONE:
        return VOTE_NOTHING;
    case HEARD_YES:
        return VOTE_YES;
    case HEARD_COMMITTED:
        return VOTE_COMMITTED;
    case HEARD_ABORTED:
        return VOTE_ABORTED;
    case HEARD_CONFLICT:
        return VOTE_CONFLICT;
    case HEARD_TOO_OLD:
        return VOTE_TOO_OLD;
    }
    UNREACHABLE();
}

const char *txn_vote_name(enum txn_vote vote)
{
    switch (vote) {
#define X(symbol, number, name) \
    case symbol:                \
        return name;
        TXN_VOTES(X)
#undef X
    }
    return "UNKNOWN";
}
