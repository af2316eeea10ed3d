#include "ledger_bench.h"

#include "base/err.h"
#include "support/runner.h"

#include <stdio.h>
#include <stdlib.h>

void books_open(struct books *books, uint32_t account_max, uint32_t hold_max)
{
    memset(books, 0, sizeof(*books));
    books->options.account_max = account_max;
    books->options.hold_max = hold_max;
    books->options.posting_max = LEGS_MAX + 2 * hold_max;
    books->ledger = ledger_init(calloc(1, ledger_memory_size(&books->options)), &books->options);
}

void books_close(struct books *books)
{
    free(books->ledger);
}

struct account_name name_of(const char *text)
{
    struct account_name name;

    CU_ASSERT_TRUE_FATAL(account_name_parse(&name, text, strlen(text)));
    return name;
}

struct currency currency_of(const char *code)
{
    struct currency currency;

    CU_ASSERT_TRUE_FATAL(currency_parse(&currency, code, strlen(code)));
    return currency;
}

/* Split "A" or "A/JPY", `length` characters of `text`. */
static void account_of(const char *text, size_t length, struct account_name *ret_name,
                       struct currency *ret_currency)
{
    const char *slash = memchr(text, '/', length);
    size_t name_length = slash ? (size_t)(slash - text) : length;

    CU_ASSERT_TRUE_FATAL(account_name_parse(ret_name, text, name_length));
    *ret_currency = currency_of("USD");
    if (slash)
        CU_ASSERT_TRUE_FATAL(currency_parse(ret_currency, slash + 1, length - name_length - 1));
}

void branch_of(const char *text, struct branch *ret_branch)
{
    memset(ret_branch, 0, sizeof(*ret_branch));
    snprintf(ret_branch->memo, sizeof(ret_branch->memo), "memo");
    while (*text) {
        struct posting *posting = &ret_branch->postings[ret_branch->posting_count++];
        size_t length = strcspn(text, "+-");
        char *end;

        CU_ASSERT_FATAL(ret_branch->posting_count <= LEGS_MAX && text[length] != '\0');
        account_of(text, length, &posting->account, &posting->currency);
        posting->side = text[length] == '-' ? SIDE_DEBIT : SIDE_CREDIT;
        posting->amount = strtoll(text + length + 1, &end, 10);
        text = *end == ' ' ? end + 1 : end;
    }
}

struct account_attributes wanted(const char *account, const int64_t *floor, bool system)
{
    struct account_attributes attributes;

    memset(&attributes, 0, sizeof(attributes));
    account_of(account, strlen(account), &attributes.name, &attributes.currency);
    attributes.has_floor = floor != NULL;
    attributes.floor = floor ? *floor : 0;
    attributes.system = system;
    return attributes;
}

/* What the runtime does with a decision. */
static void apply(struct books *books, const struct account_attributes *attributes)
{
    struct err err;

    CU_ASSERT_EQUAL_FATAL(ledger_apply(books->ledger, attributes, ++books->position, &err), 0);
}

enum reason create(struct books *books, const struct account_attributes *attributes)
{
    struct account_attributes made;
    bool changed = true;
    enum reason reason = ledger_create(books->ledger, attributes, &made, &changed);

    CU_ASSERT(reason == REASON_NONE || !changed);
    if (reason == REASON_NONE && changed)
        apply(books, &made);
    return reason;
}

enum reason set_status(struct books *books, const char *account, enum account_status status)
{
    struct account_attributes made;
    bool changed = true;
    enum reason reason = ledger_set_status(books->ledger, number_of(books, account), status, &made,
                                           &changed);

    CU_ASSERT(reason == REASON_NONE || !changed);
    if (reason == REASON_NONE && changed)
        apply(books, &made);
    return reason;
}

enum reason set_floor(struct books *books, const char *account, int64_t floor)
{
    struct account_attributes made;
    bool changed = true;
    enum reason reason = ledger_set_floor(books->ledger, number_of(books, account), &floor, &made,
                                          &changed);

    CU_ASSERT(reason == REASON_NONE || !changed);
    if (reason == REASON_NONE && changed)
        apply(books, &made);
    return reason;
}

enum reason close_account(struct books *books, const char *account)
{
    struct account_attributes made;
    bool changed = true;
    enum reason reason = ledger_close(books->ledger, number_of(books, account), &made, &changed);

    CU_ASSERT(reason == REASON_NONE || !changed);
    if (reason == REASON_NONE && changed)
        apply(books, &made);
    return reason;
}

uint32_t account_make(struct books *books, const char *account, int64_t floor, int64_t credit)
{
    struct account_attributes attributes = wanted(account, &floor, false);
    const char *slash = strchr(account, '/');
    char text[128];

    CU_ASSERT_EQUAL_FATAL(create(books, &attributes), REASON_NONE);
    if (credit > 0) {
        snprintf(text, sizeof(text), "WORLD%s", slash ? slash : "");
        attributes = wanted(text, NULL, true);
        CU_ASSERT_EQUAL_FATAL(create(books, &attributes), REASON_NONE);
        snprintf(text, sizeof(text), "WORLD%s-%lld %s+%lld", slash ? slash : "", (long long)credit,
                 account, (long long)credit);
        transfer(books, text);
    }
    return number_of(books, account);
}

uint32_t number_of(const struct books *books, const char *account)
{
    struct account_name name;
    struct currency currency;

    account_of(account, strlen(account), &name, &currency);
    return ledger_find(books->ledger, &name, &currency);
}

struct account_row row_of(const struct books *books, const char *account)
{
    struct account_row row;

    ledger_row(books->ledger, number_of(books, account), &row);
    return row;
}

int64_t available_of(const struct books *books, const char *account)
{
    struct account_row row = row_of(books, account);
    int64_t available = -1;

    CU_ASSERT_TRUE(ledger_available(&row, &available));
    return available;
}

enum reason reserve(struct books *books, const char *text, uint32_t *ret_hold)
{
    struct branch branch;
    uint32_t hold = SLOT_NONE;
    enum reason reason;

    branch_of(text, &branch);
    reason = ledger_reserve(books->ledger, &branch, &hold, books->nets, &books->net_count);
    CU_ASSERT((reason == REASON_NONE) == (hold != SLOT_NONE));
    if (ret_hold)
        *ret_hold = hold;
    return reason;
}

void post(struct books *books, uint32_t hold)
{
    struct id id = {{0}};

    books->position++;
    id.bytes[15] = (uint8_t)books->position;
    books->entry_count = ledger_post(books->ledger, hold, &id, books->position,
                                     1000 * books->position, books->entries);
}

void transfer(struct books *books, const char *text)
{
    uint32_t hold;

    CU_ASSERT_EQUAL_FATAL(reserve(books, text, &hold), REASON_NONE);
    post(books, hold);
}

bool totals_are(const struct books *books, const char *account, const int64_t totals[4])
{
    struct account_row row = row_of(books, account);

    return row.debits_posted == totals[0] && row.credits_posted == totals[1] &&
           row.debits_pending == totals[2] && row.credits_pending == totals[3];
}
