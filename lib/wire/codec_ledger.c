/*
 * The ledger's values: branches, accounts, statement entries.
 */
#include "base/assert.h"
#include "wire/internal.h"

/* ---- branches ---- */

static bool take_posting(struct decoder *d, const Settle__V1__Posting *m, struct posting *posting)
{
    int side = take_enum(d, UINT(m, side), NEEDED, ONE_OF(SIDE_DEBIT) | ONE_OF(SIDE_CREDIT));

    if (side < 0 || !take_account_name(d, BYTES(m, account), &posting->account) ||
        !take_currency(d, BYTES(m, currency), NEEDED, &posting->currency))
        return false;
    posting->side = (enum side)side;
    posting->amount = m->has_amount ? m->amount : 0;
    if (posting->amount <= 0) {
        d->flaw = REASON_AMOUNT;
        return take_fail(d, "amount", "is %lld, not positive", (long long)posting->amount);
    }
    return true;
}

static bool take_check_of(struct decoder *d, const Settle__V1__BalanceCheck *m,
                          struct balance_check *check)
{
    return take_account_name(d, BYTES(m, account), &check->account) &&
           take_currency(d, BYTES(m, currency), NEEDED, &check->currency) &&
           take_sint(d, SINT(m, available_min), INT64_MIN, &check->available_min);
}

static bool take_legs(struct decoder *d, const Settle__V1__Branch *m, struct branch *branch)
{
    for (size_t i = 0; i < m->n_posting; i++) {
        if (!take_posting(d, m->posting[i], &branch->postings[i]))
            return take_fail_at(d, "posting", i);
    }
    for (size_t i = 0; i < m->n_check; i++) {
        if (!take_check_of(d, m->check[i], &branch->checks[i]))
            return take_fail_at(d, "check", i);
    }
    branch->posting_count = (uint16_t)m->n_posting;
    branch->check_count = (uint16_t)m->n_check;
    return true;
}

static bool take_branch(struct decoder *d, const Settle__V1__Branch *m, struct branch *branch)
{
    size_t legs = m->n_posting + m->n_check;

    if (legs == 0 || legs > LEGS_MAX) {
        d->flaw = REASON_LEGS;
        return take_fail(d, "branch", "has %zu legs, outside 1 to %d", legs, LEGS_MAX);
    }
    if (m->n_posting > 0 && m->n_check > 0)
        return take_fail(d, "branch", "mixes postings and checks");
    return take_text(d, BYTES(m, memo), MEMO_SIZE, branch->memo) && take_legs(d, m, branch);
}

enum reason branch_decode(struct arena *scratch, const uint8_t *bytes, size_t size,
                          struct branch *ret_branch, struct err *err)
{
    struct decoder d = {
        .arena = scratch, .err = err, .bad = ERR_PROTOCOL, .flaw = REASON_MALFORMED};
    size_t mark = arena_mark(scratch);
    const Settle__V1__Branch *m = wire_unpack(&d, &settle__v1__branch__descriptor, bytes, size,
                                              "branch");
    bool ok = m && take_branch(&d, m, ret_branch);

    arena_rewind(scratch, mark);
    if (ok)
        return REASON_NONE;
    return d.code == ERR_FULL ? REASON_BUSY : d.flaw;
}

static bool put_postings(struct arena *scratch, const struct branch *branch, Settle__V1__Branch *m)
{
    Settle__V1__Posting *postings;

    m->n_posting = branch->posting_count;
    postings = put_room(scratch, m->n_posting, sizeof(*postings), &m->posting);
    if (!postings)
        return false;
    for (size_t i = 0; i < m->n_posting; i++) {
        const struct posting *posting = &branch->postings[i];

        settle__v1__posting__init(&postings[i]);
        PUT(&postings[i], account, pb_text(posting->account.text));
        PUT(&postings[i], currency, pb_text(posting->currency.code));
        PUT(&postings[i], side, (Settle__V1__Side)posting->side);
        PUT(&postings[i], amount, posting->amount);
    }
    return true;
}

static bool put_checks(struct arena *scratch, const struct branch *branch, Settle__V1__Branch *m)
{
    Settle__V1__BalanceCheck *checks;

    m->n_check = branch->check_count;
    checks = put_room(scratch, m->n_check, sizeof(*checks), &m->check);
    if (!checks)
        return false;
    for (size_t i = 0; i < m->n_check; i++) {
        const struct balance_check *check = &branch->checks[i];

        settle__v1__balance_check__init(&checks[i]);
        PUT(&checks[i], account, pb_text(check->account.text));
        PUT(&checks[i], currency, pb_text(check->currency.code));
        PUT(&checks[i], available_min, check->available_min);
    }
    return true;
}

int branch_encode(struct arena *scratch, const struct branch *branch, uint8_t *out, size_t size)
{
    Settle__V1__Branch m = SETTLE__V1__BRANCH__INIT;
    size_t mark = arena_mark(scratch);
    int rc = ERR_FULL;

    ASSERT(branch->posting_count <= LEGS_MAX && branch->check_count <= LEGS_MAX);
    PUT_TEXT(&m, memo, branch->memo);
    if (put_postings(scratch, branch, &m) && put_checks(scratch, branch, &m))
        rc = wire_pack(&m.base, out, size);
    arena_rewind(scratch, mark);
    return rc;
}

/* ---- accounts ---- */

bool take_entry_ref(struct decoder *d, const Settle__V1__EntryRef *m, struct entry_ref *ret_ref)
{
    return take_u64(d, UINT(m, position), NEEDED, &ret_ref->position) &&
           take_u16(d, UINT(m, index), OPTIONAL, UINT16_MAX, &ret_ref->index);
}

bool put_entry_ref(struct arena *scratch, struct entry_ref ref, Settle__V1__EntryRef **ret_message)
{
    if (ref.position == 0)
        return true;
    if (!NEW(scratch, *ret_message, settle__v1__entry_ref__init))
        return false;
    PUT(*ret_message, position, ref.position);
    PUT_NONZERO(*ret_message, index, ref.index);
    return true;
}

/* An absent message is an absent reference; a present one must be whole. */
static bool take_ref_if(struct decoder *d, const Settle__V1__EntryRef *m, const char *field,
                        struct entry_ref *ret_ref)
{
    memset(ret_ref, 0, sizeof(*ret_ref));
    return !m || take_entry_ref(d, m, ret_ref) || take_fail_in(d, field);
}

static bool take_attributes(struct decoder *d, const Settle__V1__AccountAttributes *m,
                            struct account_attributes *attributes)
{
    int status = take_enum(d, UINT(m, status), NEEDED, ACCOUNT_STATUSES);
    uint64_t number;

    if (status < 0 || !take_uint(d, UINT(m, number), OPTIONAL, ACCOUNTS_MAX - 1, &number) ||
        !take_account_name(d, BYTES(m, name), &attributes->name) ||
        !take_currency(d, BYTES(m, currency), NEEDED, &attributes->currency) ||
        !take_sint(d, SINT(m, floor), INT64_MIN, &attributes->floor))
        return false;
    attributes->number = (uint32_t)number;
    attributes->status = (enum account_status)status;
    attributes->system = m->has_system && m->system;
    attributes->has_floor = m->has_floor != 0;
    return true;
}

static void put_attributes(const struct account_attributes *attributes,
                           Settle__V1__AccountAttributes *m)
{
    settle__v1__account_attributes__init(m);
    ASSERT(attributes->number < ACCOUNTS_MAX);
    PUT(m, number, attributes->number);
    PUT(m, name, pb_text(attributes->name.text));
    PUT(m, currency, pb_text(attributes->currency.code));
    PUT(m, status, (Settle__V1__AccountStatus)attributes->status);
    if (attributes->system)
        PUT(m, system, true);
    if (attributes->has_floor)
        PUT(m, floor, attributes->floor);
}

bool take_account_row(struct decoder *d, const Settle__V1__AccountRow *m,
                      struct account_row *ret_row)
{
    if (!m->attributes)
        return take_fail(d, "attributes", "is missing");
    return take_attributes(d, m->attributes, &ret_row->attributes) &&
           take_sint(d, SINT(m, debits_posted), 0, &ret_row->debits_posted) &&
           take_sint(d, SINT(m, credits_posted), 0, &ret_row->credits_posted) &&
           take_sint(d, SINT(m, debits_pending), 0, &ret_row->debits_pending) &&
           take_sint(d, SINT(m, credits_pending), 0, &ret_row->credits_pending) &&
           take_ref_if(d, m->last, "last", &ret_row->last) &&
           take_u64(d, UINT(m, applied), OPTIONAL, &ret_row->applied);
}

bool put_account_row(struct arena *scratch, const struct account_row *row,
                     Settle__V1__AccountRow **ret_message)
{
    Settle__V1__AccountRow *m;

    if (!NEW(scratch, m, settle__v1__account_row__init))
        return false;
    m->attributes = arena_alloc(scratch, sizeof(*m->attributes));
    if (!m->attributes)
        return false;
    put_attributes(&row->attributes, m->attributes);
    PUT_NONZERO(m, debits_posted, row->debits_posted);
    PUT_NONZERO(m, credits_posted, row->credits_posted);
    PUT_NONZERO(m, debits_pending, row->debits_pending);
    PUT_NONZERO(m, credits_pending, row->credits_pending);
    PUT_NONZERO(m, applied, row->applied);
    *ret_message = m;
    return put_entry_ref(scratch, row->last, &m->last);
}

bool take_entry(struct decoder *d, const Settle__V1__Entry *m, struct entry *ret_entry)
{
    int side = take_enum(d, UINT(m, side), NEEDED, ONE_OF(SIDE_DEBIT) | ONE_OF(SIDE_CREDIT));
    uint64_t number;

    if (side < 0)
        return false;
    if (!m->at)
        return take_fail(d, "at", "is missing");
    if (!take_ref_if(d, m->at, "at", &ret_entry->at) ||
        !take_ref_if(d, m->previous, "previous", &ret_entry->previous) ||
        !take_uint(d, UINT(m, account), OPTIONAL, ACCOUNTS_MAX - 1, &number) ||
        !take_sint(d, SINT(m, amount), 1, &ret_entry->amount) ||
        !take_sint(d, SINT(m, balance), INT64_MIN, &ret_entry->balance) ||
        !take_16(d, BYTES(m, id), NEEDED, ret_entry->id.bytes) ||
        !take_u64(d, UINT(m, timestamp), OPTIONAL, &ret_entry->timestamp) ||
        !take_text(d, BYTES(m, memo), MEMO_SIZE, ret_entry->memo))
        return false;
    ret_entry->account = (uint32_t)number;
    ret_entry->side = (enum side)side;
    return true;
}

bool put_entry(struct arena *scratch, const struct entry *entry, Settle__V1__Entry *ret_message)
{
    Settle__V1__Entry *m = ret_message;

    settle__v1__entry__init(m);
    PUT(m, account, entry->account);
    PUT(m, side, (Settle__V1__Side)entry->side);
    PUT(m, amount, entry->amount);
    PUT(m, balance, entry->balance);
    PUT_16(m, id, &entry->id);
    PUT(m, timestamp, entry->timestamp);
    PUT_TEXT(m, memo, entry->memo);
    return put_entry_ref(scratch, entry->at, &m->at) &&
           put_entry_ref(scratch, entry->previous, &m->previous);
}

/* ---- as stored ---- */

int attributes_encode(struct arena *scratch, const struct account_attributes *attributes,
                      uint8_t *out, size_t size)
{
    Settle__V1__AccountAttributes m;

    (void)scratch;
    put_attributes(attributes, &m);
    return wire_pack(&m.base, out, size);
}

int attributes_decode(struct arena *scratch, const uint8_t *bytes, size_t size,
                      struct account_attributes *ret_attributes, struct err *err)
{
    struct decoder d = {.arena = scratch, .err = err, .bad = ERR_CORRUPT};
    struct account_attributes attributes = {0};
    size_t mark = arena_mark(scratch);
    const Settle__V1__AccountAttributes *m = wire_unpack(
        &d, &settle__v1__account_attributes__descriptor, bytes, size, "attributes");

    if (m && take_attributes(&d, m, &attributes))
        *ret_attributes = attributes;
    else if (m)
        take_fail_in(&d, "account attributes");
    arena_rewind(scratch, mark);
    return d.code;
}

int account_row_encode(struct arena *scratch, const struct account_row *row, uint8_t *out,
                       size_t size)
{
    size_t mark = arena_mark(scratch);
    Settle__V1__AccountRow *m;
    int rc = ERR_FULL;

    if (put_account_row(scratch, row, &m))
        rc = wire_pack(&m->base, out, size);
    arena_rewind(scratch, mark);
    return rc;
}

int account_row_decode(struct arena *scratch, const uint8_t *bytes, size_t size,
                       struct account_row *ret_row, struct err *err)
{
    struct decoder d = {.arena = scratch, .err = err, .bad = ERR_CORRUPT};
    struct account_row row = {0};
    size_t mark = arena_mark(scratch);
    const Settle__V1__AccountRow *m = wire_unpack(&d, &settle__v1__account_row__descriptor, bytes,
                                                  size, "account row");

    if (m && take_account_row(&d, m, &row))
        *ret_row = row;
    else if (m)
        take_fail_in(&d, "account row");
    arena_rewind(scratch, mark);
    return d.code;
}

int entry_encode(struct arena *scratch, const struct entry *entry, uint8_t *out, size_t size)
{
    size_t mark = arena_mark(scratch);
    Settle__V1__Entry m;
    int rc = ERR_FULL;

    if (put_entry(scratch, entry, &m))
        rc = wire_pack(&m.base, out, size);
    arena_rewind(scratch, mark);
    return rc;
}

int entry_decode(struct arena *scratch, const uint8_t *bytes, size_t size, struct entry *ret_entry,
                 struct err *err)
{
    struct decoder d = {.arena = scratch, .err = err, .bad = ERR_CORRUPT};
    struct entry entry = {0};
    size_t mark = arena_mark(scratch);
    const Settle__V1__Entry *m = wire_unpack(&d, &settle__v1__entry__descriptor, bytes, size,
                                             "statement entry");

    if (m && take_entry(&d, m, &entry))
        *ret_entry = entry;
    else if (m)
        take_fail_in(&d, "statement entry");
    arena_rewind(scratch, mark);
    return d.code;
}
