/* The operator's acts on accounts: decided here, without changing anything, and applied. */
#include "base/assert.h"
#include "base/currency.h"
#include "base/err.h"
#include "ledger/ledger_internal.h"

bool ledger_name_is_valid(const struct account_name *name)
{
    struct account_name parsed;

    return account_name_parse(&parsed, name->text, strnlen(name->text, sizeof(name->text))) &&
           account_name_equal(&parsed, name);
}

/* Created before: the same again is no error, anything else is. */
static enum reason create_again(const struct ledger *ledger, uint32_t number,
                                const struct account_attributes *wanted,
                                struct account_attributes *ret_attributes)
{
    ledger_attributes(ledger, number, ret_attributes);
    if (ret_attributes->status == ACCOUNT_CLOSED)
        return REASON_ACCOUNT_CLOSED;
    if (ret_attributes->system != wanted->system ||
        ret_attributes->has_floor != wanted->has_floor ||
        (wanted->has_floor && ret_attributes->floor != wanted->floor))
        return REASON_ACCOUNT_EXISTS;
    return REASON_NONE;
}

enum reason ledger_create(const struct ledger *ledger, const struct account_attributes *wanted,
                          struct account_attributes *ret_attributes, bool *ret_changed)
{
    uint32_t number;

    *ret_changed = false;
    if (!ledger_name_is_valid(&wanted->name))
        return REASON_ACCOUNT_NAME;
    if (!currency_find(wanted->currency.code))
        return REASON_CURRENCY_UNKNOWN;
    if (ledger_is_cash(&wanted->name) && (!wanted->system || wanted->has_floor))
        return REASON_ACCOUNT_EXISTS;
    /* A new account is empty: a floor above zero could not hold. */
    if (wanted->has_floor ? wanted->floor > 0 : !wanted->system)
        return REASON_FLOOR;
    number = ledger_find(ledger, &wanted->name, &wanted->currency);
    if (number != SLOT_NONE)
        return create_again(ledger, number, wanted, ret_attributes);
    if (ledger->stats.accounts == ledger->options.account_max)
        return REASON_LIMIT;
    *ret_attributes = *wanted;
    ret_attributes->number = ledger->stats.accounts;
    ret_attributes->status = ACCOUNT_OPEN;
    if (!wanted->has_floor)
        ret_attributes->floor = 0;
    *ret_changed = true;
    return REASON_NONE;
}

enum reason ledger_set_status(const struct ledger *ledger, uint32_t number,
                              enum account_status status, struct account_attributes *ret_attributes,
                              bool *ret_changed)
{
    *ret_changed = false;
    ASSERT(status != ACCOUNT_CLOSED);
    if (number == SLOT_NONE)
        return REASON_ACCOUNT_UNKNOWN;
    ledger_attributes(ledger, number, ret_attributes);
    if (ret_attributes->status == ACCOUNT_CLOSED)
        return REASON_ACCOUNT_CLOSED;
    *ret_changed = ret_attributes->status != status;
    ret_attributes->status = status;
    return REASON_NONE;
}

enum reason ledger_set_floor(const struct ledger *ledger, uint32_t number, const int64_t *floor,
                             struct account_attributes *ret_attributes, bool *ret_changed)
{
    const struct account *account;

    *ret_changed = false;
    if (number == SLOT_NONE)
        return REASON_ACCOUNT_UNKNOWN;
    account = &ledger->accounts[number];
    ledger_attributes(ledger, number, ret_attributes);
    if (ret_attributes->status == ACCOUNT_CLOSED)
        return REASON_ACCOUNT_CLOSED;
    if (ledger_is_cash(&account->name))
        return floor ? REASON_ACCOUNT_SYSTEM : REASON_NONE;
    if (!floor && !account->system)
        return REASON_FLOOR;
    /* What is held may still be posted: the floor must hold after that. */
    if (floor &&
        (int128)account->credits_posted - account->debits_posted - account->debits_pending < *floor)
        return REASON_FLOOR;
    *ret_changed = ret_attributes->has_floor != (floor != NULL) ||
                   (floor && ret_attributes->floor != *floor);
    ret_attributes->has_floor = floor != NULL;
    ret_attributes->floor = floor ? *floor : 0;
    return REASON_NONE;
}

enum reason ledger_close(const struct ledger *ledger, uint32_t number,
                         struct account_attributes *ret_attributes, bool *ret_changed)
{
    const struct account *account;

    *ret_changed = false;
    if (number == SLOT_NONE)
        return REASON_ACCOUNT_UNKNOWN;
    account = &ledger->accounts[number];
    if (ledger_is_cash(&account->name))
        return REASON_ACCOUNT_SYSTEM;
    /* A hold is a promise on either side, and money left would have no owner. */
    if (account->debits_pending != 0 || account->credits_pending != 0 ||
        account->debits_posted != account->credits_posted)
        return REASON_ACCOUNT_IN_USE;
    ledger_attributes(ledger, number, ret_attributes);
    *ret_changed = ret_attributes->status != ACCOUNT_CLOSED;
    ret_attributes->status = ACCOUNT_CLOSED;
    return REASON_NONE;
}

static bool is_listed(const struct account_attributes *list, uint16_t count,
                      const struct currency *currency)
{
    for (uint16_t i = 0; i < count; i++) {
        if (currency_equal(&list[i].currency, currency))
            return true;
    }
    return false;
}

uint16_t ledger_missing_cash(const struct ledger *ledger, const struct branch *branch,
                             struct account_attributes attributes[NETS_MAX])
{
    uint16_t count = 0;

    for (uint16_t i = 0; i < branch->posting_count; i++) {
        const struct posting *posting = &branch->postings[i];
        struct account_attributes *cash = &attributes[count];

        if (!ledger_is_cash(&posting->account) || !currency_find(posting->currency.code) ||
            is_listed(attributes, count, &posting->currency) ||
            ledger_find(ledger, &posting->account, &posting->currency) != SLOT_NONE)
            continue;
        if (count == NETS_MAX || ledger->stats.accounts + count >= ledger->options.account_max)
            break;
        memset(cash, 0, sizeof(*cash));
        cash->number = ledger->stats.accounts + count;
        cash->name = posting->account;
        cash->currency = posting->currency;
        cash->status = ACCOUNT_OPEN;
        cash->system = true;
        count++;
    }
    return count;
}

/* What a record of the journal may say of an account. */
static int check_attributes(const struct ledger *ledger,
                            const struct account_attributes *attributes, struct err *err)
{
    if (!ledger_name_is_valid(&attributes->name) || !currency_find(attributes->currency.code) ||
        attributes->status < ACCOUNT_OPEN || attributes->status > ACCOUNT_CLOSED)
        return err_set(err, ERR_CORRUPT, "account %u has an invalid name, currency or status",
                       attributes->number);
    if (attributes->number > ledger->stats.accounts)
        return err_set(err, ERR_CORRUPT, "account %u is made before account %u", attributes->number,
                       ledger->stats.accounts);
    if (attributes->number < ledger->stats.accounts) {
        const struct account *account = &ledger->accounts[attributes->number];

        if (account_name_equal(&account->name, &attributes->name) &&
            currency_equal(&account->currency, &attributes->currency))
            return 0;
        return err_set(err, ERR_CORRUPT, "account %u is %s in %s, not %s in %s", attributes->number,
                       account->name.text, account->currency.code, attributes->name.text,
                       attributes->currency.code);
    }
    if (ledger_find(ledger, &attributes->name, &attributes->currency) != SLOT_NONE)
        return err_set(err, ERR_CORRUPT, "account %s in %s is made twice", attributes->name.text,
                       attributes->currency.code);
    if (ledger->stats.accounts == ledger->options.account_max)
        return err_set(err, ERR_FULL, "the store holds more than %u accounts; raise account-max",
                       ledger->options.account_max);
    return 0;
}

int ledger_apply(struct ledger *ledger, const struct account_attributes *attributes,
                 uint64_t position, struct err *err)
{
    struct account *account;
    int rc = check_attributes(ledger, attributes, err);

    if (rc != 0)
        return rc;
    if (attributes->number == ledger->stats.accounts)
        ledger_make(ledger, attributes);
    account = &ledger->accounts[attributes->number];
    if (position <= account->applied)
        return 0; /* its row is newer */
    account->status = (uint8_t)attributes->status;
    account->system = attributes->system;
    account->has_floor = attributes->has_floor;
    account->floor = attributes->floor;
    account->applied = position;
    ledger_touch(ledger, attributes->number);
    return 0;
}
