/*
 * The rows beside the journal: outcomes and checkpoints. Accounts and entries: codec_ledger.c.
 */
#include "base/assert.h"
#include "wire/internal.h"

static bool take_outcome(struct decoder *d, const Settle__V1__OutcomeRow *m,
                         struct outcome *ret_outcome)
{
    int state = take_enum(d, UINT(m, state), NEEDED,
                          ONE_OF(STATE_COMMITTED) | ONE_OF(STATE_ABORTED));

    if (state < 0 || !take_16(d, BYTES(m, id), NEEDED, ret_outcome->id.bytes) ||
        !take_16(d, BYTES(m, digest), NEEDED, ret_outcome->digest.bytes) ||
        !take_reason(d, UINT(m, reason), &ret_outcome->reason) ||
        !take_u64(d, UINT(m, timestamp), state == STATE_COMMITTED ? NEEDED : OPTIONAL,
                  &ret_outcome->timestamp))
        return take_fail_in(d, "outcome");
    ret_outcome->state = (enum txn_state)state;
    return true;
}

int outcome_decode(struct arena *scratch, const uint8_t *bytes, size_t size,
                   struct outcome *ret_outcome, struct err *err)
{
    struct decoder d = {.arena = scratch, .err = err, .bad = ERR_CORRUPT};
    struct outcome outcome = {.state = STATE_NONE};
    size_t mark = arena_mark(scratch);
    const Settle__V1__OutcomeRow *m = wire_unpack(&d, &settle__v1__outcome_row__descriptor, bytes,
                                                  size, "outcome");

    if (m && take_outcome(&d, m, &outcome))
        *ret_outcome = outcome;
    arena_rewind(scratch, mark);
    return d.code;
}

int outcome_encode(struct arena *scratch, const struct outcome *outcome, uint8_t *out, size_t size)
{
    Settle__V1__OutcomeRow m = SETTLE__V1__OUTCOME_ROW__INIT;

    (void)scratch; /* one flat message */
    PUT_16(&m, id, &outcome->id);
    PUT_16(&m, digest, &outcome->digest);
    PUT(&m, state, (Settle__V1__TxnState)outcome->state);
    PUT_NONZERO(&m, reason, (uint32_t)outcome->reason);
    PUT_NONZERO(&m, timestamp, outcome->timestamp);
    return wire_pack(&m.base, out, size);
}

static bool take_seals(struct decoder *d, const Settle__V1__Checkpoint *m,
                       struct checkpoint *checkpoint)
{
    if (!take_count(d, "seal", m->n_seal, 0, GROUPS_MAX))
        return false;
    for (size_t i = 0; i < m->n_seal; i++) {
        struct seal *seal = &checkpoint->seals[i];

        if (!take_u16(d, UINT(m->seal[i], group), OPTIONAL, GROUPS_MAX - 1, &seal->group) ||
            !take_u64(d, UINT(m->seal[i], epoch), NEEDED, &seal->epoch) ||
            !take_16(d, BYTES(m->seal[i], guid), NEEDED, seal->guid.bytes))
            return take_fail_at(d, "seal", i);
        if (i > 0 && seal->group <= seal[-1].group)
            return take_fail(d, "seal", "%zu does not follow its predecessor by group", i);
    }
    checkpoint->seal_count = (uint16_t)m->n_seal;
    return true;
}

int checkpoint_decode(struct arena *scratch, const uint8_t *bytes, size_t size,
                      struct checkpoint *ret_checkpoint, struct err *err)
{
    struct decoder d = {.arena = scratch, .err = err, .bad = ERR_CORRUPT};
    size_t mark = arena_mark(scratch);
    const Settle__V1__Checkpoint *m = wire_unpack(&d, &settle__v1__checkpoint__descriptor, bytes,
                                                  size, "checkpoint");

    memset(ret_checkpoint, 0, sizeof(*ret_checkpoint));
    if (m && !(take_u64(&d, UINT(m, position), OPTIONAL, &ret_checkpoint->position) &&
               take_u64(&d, UINT(m, clock), OPTIONAL, &ret_checkpoint->clock) &&
               take_16(&d, BYTES(m, oldest_id), OPTIONAL, ret_checkpoint->oldest_id.bytes) &&
               take_seals(&d, m, ret_checkpoint)))
        take_fail_in(&d, "checkpoint");
    arena_rewind(scratch, mark);
    return d.code;
}

int checkpoint_encode(struct arena *scratch, const struct checkpoint *checkpoint, uint8_t *out,
                      size_t size)
{
    Settle__V1__Checkpoint m = SETTLE__V1__CHECKPOINT__INIT;
    size_t mark = arena_mark(scratch);
    Settle__V1__SealRow *seals;
    int rc = ERR_FULL;

    ASSERT(checkpoint->seal_count <= GROUPS_MAX);
    PUT_NONZERO(&m, position, checkpoint->position);
    PUT_NONZERO(&m, clock, checkpoint->clock);
    PUT_16_NONZERO(&m, oldest_id, &checkpoint->oldest_id);
    m.n_seal = checkpoint->seal_count;
    seals = put_room(scratch, m.n_seal, sizeof(*seals), &m.seal);
    if (seals) {
        for (size_t i = 0; i < m.n_seal; i++) {
            settle__v1__seal_row__init(&seals[i]);
            PUT(&seals[i], group, checkpoint->seals[i].group);
            PUT(&seals[i], epoch, checkpoint->seals[i].epoch);
            PUT_16(&seals[i], guid, &checkpoint->seals[i].guid);
        }
        rc = wire_pack(&m.base, out, size);
    }
    arena_rewind(scratch, mark);
    return rc;
}
