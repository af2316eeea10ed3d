/*
 * A transaction's branch: held, then posted or voided.
 *
 *   (nothing) --ledger_reserve--> held --ledger_post--> posted
 *                                  `----ledger_void---> (nothing)
 *
 * Held: the amounts stand in the pending totals of their accounts. Debits count against the floor
 * from here on, credits not before they are posted, so that the account keeps its floor whichever
 * of its holds are posted or voided, in whatever order.
 */
#include "base/assert.h"
#include "base/currency.h"
#include "ledger/ledger_internal.h"

/* ---- the pools ---- */

static uint32_t held_take(struct ledger *ledger)
{
    uint32_t slot = ledger->held_free;

    if (slot != SLOT_NONE)
        ledger->held_free = ledger->held[slot].next;
    else
        slot = ledger->held_touched++;
    ASSERT(slot < ledger->options.posting_max);
    ledger->stats.postings++;
    return slot;
}

/* A hold with the branch's memo and no postings; NULL when the maxima leave no room for it. */
struct hold *ledger_hold_make(struct ledger *ledger, const struct branch *branch)
{
    struct hold *hold;
    uint32_t slot = ledger->hold_free;

    if (ledger->stats.holds == ledger->options.hold_max ||
        ledger->options.posting_max - ledger->stats.postings < branch->posting_count)
        return NULL;
    if (slot != SLOT_NONE)
        ledger->hold_free = ledger->holds[slot].first;
    else
        slot = ledger->holds_touched++;
    hold = &ledger->holds[slot];
    hold->first = SLOT_NONE;
    hold->count = 0;
    hold->used = true;
    memcpy(hold->memo, branch->memo, sizeof(hold->memo));
    ledger->stats.holds++;
    return hold;
}

void ledger_hold_free(struct ledger *ledger, struct hold *hold)
{
    uint32_t slot = hold->first;

    ASSERT(hold->used);
    while (slot != SLOT_NONE) {
        uint32_t next = ledger->held[slot].next;

        ledger->held[slot].next = ledger->held_free;
        ledger->held_free = slot;
        ledger->stats.postings--;
        slot = next;
    }
    hold->used = false;
    hold->first = ledger->hold_free;
    ledger->hold_free = (uint32_t)(hold - ledger->holds);
    ledger->stats.holds--;
}

static struct hold *hold_at(const struct ledger *ledger, uint32_t hold)
{
    ASSERT(hold < ledger->holds_touched && ledger->holds[hold].used);
    return &ledger->holds[hold];
}

/* ---- pending totals ---- */

/* Add a held posting to the pending totals of its account and currency, or with -1 take it out. */
void ledger_pend(struct ledger *ledger, const struct held *held, int sign)
{
    struct account *account = &ledger->accounts[held->account];
    struct currency_sum *sum = &ledger->sums[account->sum];
    int64_t change = sign * held->amount;

    if (held->side == SIDE_DEBIT) {
        account->debits_pending += change;
        sum->debits_pending += change;
    } else {
        account->credits_pending += change;
        sum->credits_pending += change;
    }
}

/* Hold one posting, in the order of the branch. */
void ledger_hold_add(struct ledger *ledger, struct hold *hold, uint32_t number,
                     const struct posting *posting)
{
    uint32_t slot = held_take(ledger);
    struct held *held = &ledger->held[slot];

    held->account = number;
    held->amount = posting->amount;
    held->side = (uint8_t)posting->side;
    held->next = SLOT_NONE;
    if (hold->count == 0)
        hold->first = slot;
    else
        ledger->held[hold->last].next = slot;
    hold->last = slot;
    hold->count++;
    ledger_pend(ledger, held, 1);
}

/* ---- admission ---- */

static bool blocks(const struct account *account, enum side side)
{
    switch ((enum account_status)account->status) {
    case ACCOUNT_OPEN:
        return false;
    case ACCOUNT_BLOCKED_DEBITS:
        return side == SIDE_DEBIT;
    case ACCOUNT_BLOCKED_CREDITS:
        return side == SIDE_CREDIT;
    case ACCOUNT_BLOCKED:
    case ACCOUNT_CLOSED:
        return true;
    }
    return true;
}

/* Whatever of the holds is posted, all totals stay within 64 bits, on both sides. */
static bool overflows(const struct ledger *ledger, const struct account *account,
                      const struct posting *posting)
{
    const struct currency_sum *sum = &ledger->sums[account->sum];
    int128 amount = posting->amount;

    if (posting->side == SIDE_DEBIT)
        return (int128)account->debits_posted + account->debits_pending + amount > INT64_MAX ||
               sum->posted - sum->debits_pending - amount < -(int128)INT64_MAX;
    return (int128)account->credits_posted + account->credits_pending + amount > INT64_MAX ||
           sum->posted + sum->credits_pending + amount > INT64_MAX;
}

/* True iff the debit leaves the floor: pending debits count, pending credits never. */
static bool is_covered(const struct account *account, int64_t amount)
{
    return !account->has_floor || (int128)account->credits_posted - account->debits_posted -
                                          account->debits_pending - amount >=
                                      account->floor;
}

/* One posting, the earlier ones of its branch being held already. */
static enum reason admit(const struct ledger *ledger, const struct posting *posting,
                         uint32_t *ret_number)
{
    const struct account *account;

    if (posting->amount <= 0)
        return REASON_AMOUNT;
    if (!currency_find(posting->currency.code))
        return REASON_CURRENCY_UNKNOWN;
    if (posting->side != SIDE_DEBIT && posting->side != SIDE_CREDIT)
        return REASON_MALFORMED;
    *ret_number = ledger_find(ledger, &posting->account, &posting->currency);
    if (*ret_number == SLOT_NONE) /* CASH is everywhere, unless there was no room to make it */
        return ledger_is_cash(&posting->account) ? REASON_LIMIT : REASON_ACCOUNT_UNKNOWN;
    account = &ledger->accounts[*ret_number];
    if (account->status == ACCOUNT_CLOSED)
        return REASON_ACCOUNT_CLOSED;
    if (blocks(account, posting->side))
        return REASON_ACCOUNT_BLOCKED;
    if (overflows(ledger, account, posting))
        return REASON_OVERFLOW;
    if (posting->side == SIDE_DEBIT && !is_covered(account, posting->amount))
        return REASON_FUNDS;
    return REASON_NONE;
}

static enum reason check_one(const struct ledger *ledger, const struct balance_check *check)
{
    struct account_row row;
    uint32_t number;
    int64_t available;

    if (!currency_find(check->currency.code))
        return REASON_CURRENCY_UNKNOWN;
    number = ledger_find(ledger, &check->account, &check->currency);
    if (number == SLOT_NONE) /* CASH is everywhere and has no floor, made or not */
        return ledger_is_cash(&check->account) ? REASON_NONE : REASON_ACCOUNT_UNKNOWN;
    ledger_row(ledger, number, &row);
    if (row.attributes.status == ACCOUNT_CLOSED)
        return REASON_ACCOUNT_CLOSED;
    if (ledger_available(&row, &available) && available < check->available_min)
        return REASON_CHECK_FAILED;
    return REASON_NONE;
}

static enum reason check_all(const struct ledger *ledger, const struct branch *branch)
{
    enum reason reason = REASON_NONE;

    if (branch->check_count > LEGS_MAX)
        return REASON_LEGS;
    for (uint16_t i = 0; i < branch->check_count && reason == REASON_NONE; i++)
        reason = check_one(ledger, &branch->checks[i]);
    return reason;
}

enum reason ledger_check(const struct ledger *ledger, const struct branch *branch)
{
    if (branch->posting_count != 0 || branch->check_count == 0)
        return REASON_MALFORMED;
    return check_all(ledger, branch);
}

/* Add a posting to the branch's nets; false when it is of one currency too many. */
static bool net_add(struct net nets[NETS_MAX], int128 sums[NETS_MAX], uint16_t *count,
                    const struct posting *posting)
{
    uint16_t at = 0;

    while (at < *count && !currency_equal(&nets[at].currency, &posting->currency))
        at++;
    if (at == NETS_MAX)
        return false;
    if (at == *count) {
        nets[at].currency = posting->currency;
        sums[at] = 0;
        (*count)++;
    }
    sums[at] += posting->side == SIDE_CREDIT ? posting->amount : -(int128)posting->amount;
    return true;
}

/* Credits minus debits per currency, each within 64 bits. */
static enum reason sum_nets(const struct branch *branch, struct net nets[NETS_MAX],
                            uint16_t *ret_count)
{
    int128 sums[NETS_MAX];

    *ret_count = 0;
    for (uint16_t i = 0; i < branch->posting_count; i++) {
        if (branch->postings[i].amount <= 0)
            return REASON_AMOUNT;
        if (!net_add(nets, sums, ret_count, &branch->postings[i]))
            return REASON_LEGS;
    }
    for (uint16_t i = 0; i < *ret_count; i++) {
        if (sums[i] > INT64_MAX || sums[i] < -(int128)INT64_MAX)
            return REASON_OVERFLOW;
        nets[i].amount = (int64_t)sums[i];
    }
    return REASON_NONE;
}

enum reason ledger_reserve(struct ledger *ledger, const struct branch *branch, uint32_t *ret_hold,
                           struct net nets[NETS_MAX], uint16_t *ret_net_count)
{
    struct hold *hold;
    enum reason reason;

    if (branch->posting_count == 0 || branch->posting_count > LEGS_MAX)
        return REASON_LEGS;
    reason = check_all(ledger, branch);
    if (reason == REASON_NONE)
        reason = sum_nets(branch, nets, ret_net_count);
    if (reason != REASON_NONE)
        return reason;
    hold = ledger_hold_make(ledger, branch);
    if (!hold)
        return REASON_BUSY;
    for (uint16_t i = 0; i < branch->posting_count; i++) {
        uint32_t number;

        reason = admit(ledger, &branch->postings[i], &number);
        if (reason != REASON_NONE) {
            ledger_void(ledger, (uint32_t)(hold - ledger->holds)); /* whole or not at all */
            return reason;
        }
        ledger_hold_add(ledger, hold, number, &branch->postings[i]);
    }
    *ret_hold = (uint32_t)(hold - ledger->holds);
    return REASON_NONE;
}

/* ---- the second phase ---- */

static void write_entry(const struct account *account, const struct held *held, struct entry *entry)
{
    entry->previous.position = account->last_position;
    entry->previous.index = account->last_index;
    entry->account = held->account;
    entry->side = (enum side)held->side;
    entry->amount = held->amount;
}

static void post_one(struct ledger *ledger, const struct held *held, uint64_t position,
                     uint16_t index)
{
    struct account *account = &ledger->accounts[held->account];
    struct currency_sum *sum = &ledger->sums[account->sum];

    if (held->side == SIDE_DEBIT) {
        account->debits_posted += held->amount;
        sum->posted -= held->amount;
    } else {
        account->credits_posted += held->amount;
        sum->posted += held->amount;
    }
    account->last_position = position;
    account->last_index = index;
    ledger_touch(ledger, held->account);
}

uint16_t ledger_post(struct ledger *ledger, uint32_t hold_slot, const struct id *id,
                     uint64_t position, uint64_t timestamp, struct entry entries[LEGS_MAX])
{
    struct hold *hold = hold_at(ledger, hold_slot);
    uint16_t count = hold->count, index = 0;

    for (uint32_t slot = hold->first; slot != SLOT_NONE; slot = ledger->held[slot].next) {
        const struct held *held = &ledger->held[slot];
        struct account *account = &ledger->accounts[held->account];
        struct entry *entry = &entries[index];

        ASSERT(position >= account->applied);
        ledger_pend(ledger, held, -1);
        entry->at.position = position;
        entry->at.index = index;
        entry->id = *id;
        entry->timestamp = timestamp;
        memcpy(entry->memo, hold->memo, sizeof(entry->memo));
        write_entry(account, held, entry); /* `previous` is read before it becomes this one */
        post_one(ledger, held, position, index);
        entry->balance = account->credits_posted - account->debits_posted;
        account->applied = position;
        index++;
    }
    ASSERT(index == count);
    ledger_hold_free(ledger, hold);
    return count;
}

void ledger_void(struct ledger *ledger, uint32_t hold_slot)
{
    struct hold *hold = hold_at(ledger, hold_slot);

    for (uint32_t slot = hold->first; slot != SLOT_NONE; slot = ledger->held[slot].next)
        ledger_pend(ledger, &ledger->held[slot], -1);
    ledger_hold_free(ledger, hold);
}

/* Post a hold again; the rows that include the record already are left as they are. */
void ledger_replay_post(struct ledger *ledger, uint32_t hold_slot, uint64_t position)
{
    struct hold *hold = hold_at(ledger, hold_slot);
    uint16_t index = 0;

    for (uint32_t slot = hold->first; slot != SLOT_NONE; slot = ledger->held[slot].next, index++) {
        const struct held *held = &ledger->held[slot];

        ledger_pend(ledger, held, -1);
        if (ledger->accounts[held->account].applied < position)
            post_one(ledger, held, position, index);
    }
    /* Only now: two postings of one account belong to the same record. */
    for (uint32_t slot = hold->first; slot != SLOT_NONE; slot = ledger->held[slot].next) {
        struct account *account = &ledger->accounts[ledger->held[slot].account];

        if (account->applied < position)
            account->applied = position;
    }
    ledger_hold_free(ledger, hold);
}

void ledger_hold_branch(const struct ledger *ledger, uint32_t hold_slot, struct branch *ret_branch)
{
    const struct hold *hold = hold_at(ledger, hold_slot);
    uint16_t count = 0;

    for (uint32_t slot = hold->first; slot != SLOT_NONE; slot = ledger->held[slot].next) {
        const struct held *held = &ledger->held[slot];
        struct posting *posting = &ret_branch->postings[count++];

        posting->account = ledger->accounts[held->account].name;
        posting->currency = ledger->accounts[held->account].currency;
        posting->side = (enum side)held->side;
        posting->amount = held->amount;
    }
    ret_branch->posting_count = count;
    ret_branch->check_count = 0;
    memcpy(ret_branch->memo, hold->memo, sizeof(ret_branch->memo));
}
