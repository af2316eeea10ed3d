/* The ledger's life, its index of accounts, and looking at them. */
#include "ledger/ledger.h"

#include "base/assert.h"
#include "base/currency.h"
#include "ledger/ledger_internal.h"

#include <stdalign.h>

static size_t aligned(size_t size)
{
    size_t alignment = alignof(max_align_t);

    return (size + alignment - 1) / alignment * alignment;
}

static size_t dirty_words(const struct ledger_options *options)
{
    return ((size_t)options->account_max + 63) / 64;
}

size_t ledger_memory_size(const struct ledger_options *options)
{
    return aligned(sizeof(struct ledger)) +
           aligned(sizeof(struct account) * (size_t)options->account_max) +
           aligned(sizeof(struct hold) * (size_t)options->hold_max) +
           aligned(sizeof(struct held) * (size_t)options->posting_max) +
           aligned(sizeof(uint64_t) * dirty_words(options)) +
           table_memory_size(options->account_max);
}

struct ledger *ledger_init(void *memory, const struct ledger_options *options)
{
    struct ledger *ledger = memory;
    uint8_t *at = memory;

    ASSERT(options->account_max >= 1 && options->account_max <= ACCOUNTS_MAX);
    ASSERT(options->hold_max >= 1 && options->hold_max < SLOT_NONE);
    ASSERT(options->posting_max >= LEGS_MAX && options->posting_max < SLOT_NONE);
    ledger->options = *options;
    at += aligned(sizeof(struct ledger));
    ledger->accounts = (void *)at;
    at += aligned(sizeof(struct account) * (size_t)options->account_max);
    ledger->holds = (void *)at;
    at += aligned(sizeof(struct hold) * (size_t)options->hold_max);
    ledger->held = (void *)at;
    at += aligned(sizeof(struct held) * (size_t)options->posting_max);
    ledger->dirty = (void *)at;
    at += aligned(sizeof(uint64_t) * dirty_words(options));
    table_init(&ledger->index, at, options->account_max);
    ledger->hold_free = SLOT_NONE;
    ledger->held_free = SLOT_NONE;
    return ledger;
}

const struct ledger_stats *ledger_stats(const struct ledger *ledger)
{
    return &ledger->stats;
}

bool ledger_is_cash(const struct account_name *name)
{
    static const struct account_name cash = {LEDGER_CASH};

    return account_name_equal(name, &cash);
}

static uint64_t hash_of(const struct account_name *name, const struct currency *currency)
{
    struct {
        struct account_name name;
        struct currency currency;
    } key = {*name, *currency};

    _Static_assert(sizeof(key) == sizeof(*name) + sizeof(*currency), "hashed without padding");
    return hash_bytes(&key, sizeof(key));
}

uint32_t ledger_find(const struct ledger *ledger, const struct account_name *name,
                     const struct currency *currency)
{
    uint32_t number = table_first(&ledger->index, hash_of(name, currency));

    for (; number != TABLE_END; number = table_next(&ledger->index, number)) {
        const struct account *account = &ledger->accounts[number];

        if (account_name_equal(&account->name, name) &&
            currency_equal(&account->currency, currency))
            return number;
    }
    return SLOT_NONE;
}

/* Sums stand in the order of their first account; there is room for every currency there is. */
static uint8_t sum_of(struct ledger *ledger, const struct currency *currency)
{
    uint16_t at = 0;

    while (at < ledger->sum_count && !currency_equal(&ledger->sums[at].currency, currency))
        at++;
    if (at == ledger->sum_count) {
        ASSERT(ledger->sum_count < CURRENCIES_MAX);
        ledger->sums[at].currency = *currency;
        ledger->sum_count++;
    }
    return (uint8_t)at;
}

/* A new account under the next number, which is the attributes'; its totals are zero. */
uint32_t ledger_make(struct ledger *ledger, const struct account_attributes *attributes)
{
    uint32_t number = ledger->stats.accounts;
    struct account *account = &ledger->accounts[number];

    ASSERT(attributes->number == number && number < ledger->options.account_max);
    account->name = attributes->name;
    account->currency = attributes->currency;
    account->sum = sum_of(ledger, &attributes->currency);
    table_insert(&ledger->index, hash_of(&account->name, &account->currency), number);
    ledger->stats.accounts++;
    return number;
}

void ledger_touch(struct ledger *ledger, uint32_t number)
{
    uint64_t bit = 1ull << (number % 64);

    if ((ledger->dirty[number / 64] & bit) == 0)
        ledger->stats.dirty++;
    ledger->dirty[number / 64] |= bit;
}

void ledger_attributes(const struct ledger *ledger, uint32_t number,
                       struct account_attributes *ret_attributes)
{
    const struct account *account = &ledger->accounts[number];

    memset(ret_attributes, 0, sizeof(*ret_attributes));
    ret_attributes->number = number;
    ret_attributes->name = account->name;
    ret_attributes->currency = account->currency;
    ret_attributes->status = (enum account_status)account->status;
    ret_attributes->system = account->system;
    ret_attributes->has_floor = account->has_floor;
    ret_attributes->floor = account->floor;
}

void ledger_row(const struct ledger *ledger, uint32_t number, struct account_row *ret_row)
{
    const struct account *account = &ledger->accounts[number];

    ASSERT(number < ledger->stats.accounts);
    memset(ret_row, 0, sizeof(*ret_row));
    ledger_attributes(ledger, number, &ret_row->attributes);
    ret_row->debits_posted = account->debits_posted;
    ret_row->credits_posted = account->credits_posted;
    ret_row->debits_pending = account->debits_pending;
    ret_row->credits_pending = account->credits_pending;
    ret_row->last.position = account->last_position;
    ret_row->last.index = account->last_index;
    ret_row->applied = account->applied;
}

bool ledger_next(const struct ledger *ledger, uint32_t *cursor, struct account_row *ret_row)
{
    if (*cursor >= ledger->stats.accounts)
        return false;
    ledger_row(ledger, (*cursor)++, ret_row);
    return true;
}

bool ledger_available(const struct account_row *row, int64_t *ret_available)
{
    int128 available = (int128)row->credits_posted - row->debits_posted - row->debits_pending -
                       row->attributes.floor;

    if (row->attributes.status == ACCOUNT_BLOCKED_DEBITS ||
        row->attributes.status == ACCOUNT_BLOCKED || row->attributes.status == ACCOUNT_CLOSED) {
        *ret_available = 0;
        return true;
    }
    if (!row->attributes.has_floor)
        return false;
    *ret_available = available > INT64_MAX ? INT64_MAX : (int64_t)available;
    return true;
}

uint16_t ledger_totals(const struct ledger *ledger, struct net totals[CURRENCIES_MAX])
{
    uint16_t count = 0;

    for (uint32_t i = 0; i < currency_count(); i++) {
        const struct currency *currency = &currency_at(i)->currency;

        for (uint16_t at = 0; at < ledger->sum_count; at++) {
            if (!currency_equal(&ledger->sums[at].currency, currency))
                continue;
            totals[count].currency = *currency;
            totals[count].amount = (int64_t)ledger->sums[at].posted;
            count++;
        }
    }
    return count;
}
