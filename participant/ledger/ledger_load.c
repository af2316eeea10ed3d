/* Rows of the store, the journal's replay, and checkpoints. */
#include "base/assert.h"
#include "base/currency.h"
#include "base/err.h"
#include "ledger/ledger_internal.h"

static bool row_is_sound(const struct account_row *row)
{
    return ledger_name_is_valid(&row->attributes.name) && row->attributes.status >= ACCOUNT_OPEN &&
           row->attributes.status <= ACCOUNT_CLOSED && row->debits_posted >= 0 &&
           row->credits_posted >= 0 && currency_find(row->attributes.currency.code) != NULL;
}

int ledger_load(struct ledger *ledger, const struct account_row *row, struct err *err)
{
    struct account *account;
    uint32_t number = row->attributes.number;

    if (number != ledger->stats.accounts)
        return err_set(err, ERR_CORRUPT, "account row %u stands where row %u should", number,
                       ledger->stats.accounts);
    if (!row_is_sound(row))
        return err_set(err, ERR_CORRUPT, "account row %u has impossible values", number);
    if (ledger_find(ledger, &row->attributes.name, &row->attributes.currency) != SLOT_NONE)
        return err_set(err, ERR_CORRUPT, "account row %u repeats %s in %s", number,
                       row->attributes.name.text, row->attributes.currency.code);
    if (number == ledger->options.account_max)
        return err_set(err, ERR_FULL, "the store holds more than %u accounts; raise account-max",
                       ledger->options.account_max);
    ledger_make(ledger, &row->attributes);
    account = &ledger->accounts[number];
    account->status = (uint8_t)row->attributes.status;
    account->system = row->attributes.system;
    account->has_floor = row->attributes.has_floor;
    account->floor = row->attributes.floor;
    account->debits_posted = row->debits_posted;
    account->credits_posted = row->credits_posted;
    account->last_position = row->last.position;
    account->last_index = row->last.index;
    account->applied = row->applied;
    ledger->sums[account->sum].posted += (int128)row->credits_posted - row->debits_posted;
    return 0;
}

/* Whether a posting of the journal can be held at all. */
static int check_posting(const struct ledger *ledger, const struct posting *posting,
                         uint32_t *ret_number, struct err *err)
{
    const struct account *account;
    int64_t pending;

    if (posting->side != SIDE_DEBIT && posting->side != SIDE_CREDIT)
        return err_set(err, ERR_CORRUPT, "a held branch has a posting that is of no side");
    *ret_number = ledger_find(ledger, &posting->account, &posting->currency);
    if (*ret_number == SLOT_NONE)
        return err_set(err, ERR_CORRUPT, "a held branch names account %s in %s, which is not there",
                       posting->account.text, posting->currency.code);
    account = &ledger->accounts[*ret_number];
    pending = posting->side == SIDE_DEBIT ? account->debits_pending : account->credits_pending;
    if (posting->amount <= 0 || posting->amount > INT64_MAX - pending)
        return err_set(err, ERR_CORRUPT, "a held branch has an impossible amount on account %s",
                       posting->account.text);
    return 0;
}

int ledger_restore(struct ledger *ledger, const struct branch *branch, uint32_t *ret_hold,
                   struct err *err)
{
    struct hold *hold;

    if (branch->posting_count == 0 || branch->posting_count > LEGS_MAX)
        return err_set(err, ERR_CORRUPT, "a held branch has %u postings", branch->posting_count);
    hold = ledger_hold_make(ledger, branch);
    if (!hold)
        return err_set(err, ERR_FULL,
                       "the store holds more than %u branches or %u postings; raise txn-max",
                       ledger->options.hold_max, ledger->options.posting_max);
    for (uint16_t i = 0; i < branch->posting_count; i++) {
        uint32_t number = SLOT_NONE;
        int rc = check_posting(ledger, &branch->postings[i], &number, err);

        if (rc != 0) {
            ledger_void(ledger, (uint32_t)(hold - ledger->holds));
            return rc;
        }
        ledger_hold_add(ledger, hold, number, &branch->postings[i]);
    }
    *ret_hold = (uint32_t)(hold - ledger->holds);
    return 0;
}

bool ledger_checkpoint_next(struct ledger *ledger, uint32_t *cursor, struct account_row *ret_row)
{
    while (*cursor < ledger->stats.accounts) {
        uint64_t word = ledger->dirty[*cursor / 64] >> (*cursor % 64);

        if (word == 0) {
            *cursor = (*cursor / 64 + 1) * 64;
            continue;
        }
        *cursor += (uint32_t)__builtin_ctzll(word);
        ledger->dirty[*cursor / 64] &= ~(1ull << (*cursor % 64));
        ledger->stats.dirty--;
        ledger_row(ledger, (*cursor)++, ret_row);
        return true;
    }
    return false;
}
