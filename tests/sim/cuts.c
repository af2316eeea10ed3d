/*
 * Consistent cuts: every report a coordinator received is kept, and at the end, when every outcome
 * and timestamp is known, held against what a cut at its T must show.
 */
#include "base/assert.h"
#include "sim/sim.h"

static const struct currency currencies[SIM_CURRENCIES] = {{"USD"}, {"EUR"}};

void cuts_seen(struct sim *sim, uint32_t bank, const struct msg *msg)
{
    struct cut_seen *cut = &sim->cuts[sim->cut_count];

    if (msg->cut_result.status != CUT_REPORTED || sim->cut_count == SIM_CUTS ||
        msg->cut_result.more_doubts) /* who cannot name all is not held to the sum */
        return;
    sim->cut_count++;
    *cut = (struct cut_seen){.bank = (uint8_t)bank, .timestamp = msg->cut_result.timestamp};
    for (uint16_t i = 0; i < msg->cut_result.total_count; i++) {
        for (int j = 0; j < SIM_CURRENCIES; j++) {
            if (currency_equal(&currencies[j], &msg->cut_result.totals[i].currency))
                cut->totals[j] = msg->cut_result.totals[i].amount;
        }
    }
    for (uint16_t i = 0; i < msg->cut_result.doubt_count; i++) {
        for (uint32_t j = 0; j < sim->content_count; j++) {
            if (id_equal(&sim->contents[j].id, &msg->cut_result.doubts[i].id))
                cut->doubts |= 1u << j;
        }
    }
}

/*
 * I4: an audit that read everybody, and matched what was in doubt, sums to zero in every currency.
 */
void cuts_audited(struct sim *sim, const struct reply *reply)
{
    sim->counts.audits++;
    if (reply->reason != REASON_NONE) {
        sim->counts.audits_incomplete++;
        return;
    }
    for (uint16_t i = 0; i < reply->line_count && !sim->unmoneyed; i++) {
        if (reply->lines[i].posted != 0)
            sim_fail(sim, "I4", "an audit finds %lld %s", (long long)reply->lines[i].posted,
                     reply->lines[i].currency.code);
    }
}

/* What the bank's books had in them at the cut, by the rules: commits at or before T, less doubts.
 */
static void verify(struct sim *sim, const struct cut_seen *cut)
{
    int64_t expected[SIM_CURRENCIES] = {0};

    for (uint32_t i = 0; i < sim->content_count; i++) {
        const struct truth *truth = &sim->oracle.truths[i][cut->bank];

        if (truth->state != STATE_COMMITTED || truth->commit_timestamp > cut->timestamp ||
            cut->doubts & 1u << i)
            continue;
        for (uint32_t j = 0; j < sim->contents[i].leg_count; j++) {
            const struct leg *leg = &sim->contents[i].legs[j];

            if (leg->bank == cut->bank)
                expected[leg->account == SIM_CASH_EUR] += leg->side == SIDE_CREDIT ? leg->amount
                                                                                   : -leg->amount;
        }
    }
    for (int i = 0; i < SIM_CURRENCIES; i++) {
        if (cut->totals[i] != expected[i])
            sim_fail(sim, "cut", "b%u reported %lld %s as of %llu, and %lld was committed by then",
                     cut->bank + 1u, (long long)cut->totals[i], currencies[i].code,
                     (unsigned long long)cut->timestamp, (long long)expected[i]);
    }
}

void cuts_verify(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->cut_count && !sim->unmoneyed; i++) {
        verify(sim, &sim->cuts[i]);
        sim->counts.cuts_verified++;
    }
}
