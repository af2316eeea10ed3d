#include "ledger_model.h"

#include "base/currency.h"

static bool is_cash(const struct account_name *name)
{
    return strcmp(name->text, LEDGER_CASH) == 0;
}

uint32_t model_find(const struct model *model, const struct account_name *name,
                    const struct currency *currency)
{
    for (uint32_t i = 0; i < model->account_count; i++) {
        if (strcmp(model->accounts[i].attributes.name.text, name->text) == 0 &&
            strcmp(model->accounts[i].attributes.currency.code, currency->code) == 0)
            return i;
    }
    return SLOT_NONE;
}

int128 model_pending(const struct model *model, uint32_t number, enum side side)
{
    int128 sum = 0;

    for (int h = 0; h < MODEL_HOLDS; h++) {
        const struct model_hold *hold = &model->holds[h];

        for (uint16_t i = 0; hold->used && i < hold->branch.count; i++) {
            const struct posting *posting = &hold->branch.postings[i];

            if (posting->side == side &&
                model_find(model, &posting->account, &posting->currency) == number)
                sum += posting->amount;
        }
    }
    return sum;
}

int128 model_posted_in(const struct model *model, const struct currency *currency)
{
    int128 sum = 0;

    for (uint32_t i = 0; i < model->account_count; i++) {
        if (currency_equal(&model->accounts[i].attributes.currency, currency))
            sum += model->accounts[i].credits - model->accounts[i].debits;
    }
    return sum;
}

int128 model_pending_in(const struct model *model, const struct currency *currency, enum side side)
{
    int128 sum = 0;

    for (uint32_t i = 0; i < model->account_count; i++) {
        if (currency_equal(&model->accounts[i].attributes.currency, currency))
            sum += model_pending(model, i, side);
    }
    return sum;
}

enum reason model_create(const struct model *model, const struct account_attributes *wanted)
{
    uint32_t number = model_find(model, &wanted->name, &wanted->currency);
    const struct account_attributes *there;

    if (!currency_find(wanted->currency.code))
        return REASON_CURRENCY_UNKNOWN;
    if (is_cash(&wanted->name) && (wanted->has_floor || !wanted->system))
        return REASON_ACCOUNT_EXISTS;
    if ((wanted->has_floor && wanted->floor > 0) || (!wanted->has_floor && !wanted->system))
        return REASON_FLOOR;
    if (number == SLOT_NONE)
        return model->account_count == MODEL_ACCOUNTS ? REASON_LIMIT : REASON_NONE;
    there = &model->accounts[number].attributes;
    if (there->status == ACCOUNT_CLOSED)
        return REASON_ACCOUNT_CLOSED;
    if (there->system == wanted->system && there->has_floor == wanted->has_floor &&
        (!there->has_floor || there->floor == wanted->floor))
        return REASON_NONE;
    return REASON_ACCOUNT_EXISTS;
}

enum reason model_set_floor(const struct model *model, uint32_t number, const int64_t *floor)
{
    const struct model_account *account = &model->accounts[number];

    if (account->attributes.status == ACCOUNT_CLOSED)
        return REASON_ACCOUNT_CLOSED;
    if (is_cash(&account->attributes.name))
        return floor ? REASON_ACCOUNT_SYSTEM : REASON_NONE;
    if (!floor)
        return account->attributes.system ? REASON_NONE : REASON_FLOOR;
    if (*floor > account->credits - account->debits - model_pending(model, number, SIDE_DEBIT))
        return REASON_FLOOR;
    return REASON_NONE;
}

enum reason model_close(const struct model *model, uint32_t number)
{
    const struct model_account *account = &model->accounts[number];

    if (is_cash(&account->attributes.name))
        return REASON_ACCOUNT_SYSTEM;
    if (account->credits != account->debits || model_pending(model, number, SIDE_DEBIT) != 0 ||
        model_pending(model, number, SIDE_CREDIT) != 0)
        return REASON_ACCOUNT_IN_USE;
    return REASON_NONE;
}

/* The sum of the first `count` postings of a branch that are like `posting`. */
static int128 earlier(const struct model_branch *branch, uint16_t count,
                      const struct posting *posting, bool of_account)
{
    int128 sum = 0;

    for (uint16_t i = 0; i < count; i++) {
        const struct posting *other = &branch->postings[i];

        if (other->side == posting->side && currency_equal(&other->currency, &posting->currency) &&
            (!of_account || account_name_equal(&other->account, &posting->account)))
            sum += other->amount;
    }
    return sum;
}

static enum reason admit_debit(const struct model *model, uint32_t number, int128 pending,
                               int128 pending_in, int128 amount)
{
    const struct model_account *account = &model->accounts[number];
    enum account_status status = account->attributes.status;

    if (status == ACCOUNT_BLOCKED || status == ACCOUNT_BLOCKED_DEBITS)
        return REASON_ACCOUNT_BLOCKED;
    if (account->debits + pending + amount > INT64_MAX ||
        model_posted_in(model, &account->attributes.currency) - pending_in - amount < -INT64_MAX)
        return REASON_OVERFLOW;
    if (account->attributes.has_floor &&
        account->credits - account->debits - pending - amount < account->attributes.floor)
        return REASON_FUNDS;
    return REASON_NONE;
}

static enum reason admit_credit(const struct model *model, uint32_t number, int128 pending,
                                int128 pending_in, int128 amount)
{
    const struct model_account *account = &model->accounts[number];
    enum account_status status = account->attributes.status;

    if (status == ACCOUNT_BLOCKED || status == ACCOUNT_BLOCKED_CREDITS)
        return REASON_ACCOUNT_BLOCKED;
    if (account->credits + pending + amount > INT64_MAX ||
        model_posted_in(model, &account->attributes.currency) + pending_in + amount > INT64_MAX)
        return REASON_OVERFLOW;
    return REASON_NONE;
}

static enum reason admit(const struct model *model, const struct model_branch *branch, uint16_t at)
{
    const struct posting *posting = &branch->postings[at];
    uint32_t number = model_find(model, &posting->account, &posting->currency);
    int128 pending, pending_in;

    if (!currency_find(posting->currency.code))
        return REASON_CURRENCY_UNKNOWN;
    if (number == SLOT_NONE)
        return is_cash(&posting->account) ? REASON_LIMIT : REASON_ACCOUNT_UNKNOWN;
    if (model->accounts[number].attributes.status == ACCOUNT_CLOSED)
        return REASON_ACCOUNT_CLOSED;
    pending = model_pending(model, number, posting->side) + earlier(branch, at, posting, true);
    pending_in = model_pending_in(model, &posting->currency, posting->side) +
                 earlier(branch, at, posting, false);
    if (posting->side == SIDE_DEBIT)
        return admit_debit(model, number, pending, pending_in, posting->amount);
    return admit_credit(model, number, pending, pending_in, posting->amount);
}

int128 model_net(const struct model_branch *branch, const struct currency *currency)
{
    int128 sum = 0;

    for (uint16_t i = 0; i < branch->count; i++) {
        const struct posting *posting = &branch->postings[i];

        if (currency_equal(&posting->currency, currency))
            sum += posting->side == SIDE_CREDIT ? posting->amount : -(int128)posting->amount;
    }
    return sum;
}

static bool nets_overflow(const struct model_branch *branch)
{
    for (uint16_t i = 0; i < branch->count; i++) {
        int128 net = model_net(branch, &branch->postings[i].currency);

        if (net > INT64_MAX || net < -INT64_MAX)
            return true;
    }
    return false;
}

static bool is_busy(const struct model *model, uint16_t more)
{
    uint32_t holds = 0, postings = more;

    for (int h = 0; h < MODEL_HOLDS; h++) {
        if (!model->holds[h].used)
            continue;
        holds++;
        postings += model->holds[h].branch.count;
    }
    return holds == MODEL_HOLDS || postings > MODEL_POSTINGS;
}

enum reason model_reserve(const struct model *model, const struct model_branch *branch)
{
    if (branch->count == 0)
        return REASON_LEGS;
    for (uint16_t i = 0; i < branch->count; i++) {
        if (branch->postings[i].amount <= 0)
            return REASON_AMOUNT;
    }
    if (nets_overflow(branch))
        return REASON_OVERFLOW;
    if (is_busy(model, branch->count))
        return REASON_BUSY;
    for (uint16_t i = 0; i < branch->count; i++) {
        enum reason reason = admit(model, branch, i);

        if (reason != REASON_NONE)
            return reason;
    }
    return REASON_NONE;
}

enum reason model_check(const struct model *model, const struct balance_check *check)
{
    uint32_t number = model_find(model, &check->account, &check->currency);
    const struct model_account *account;
    int128 available;

    if (!currency_find(check->currency.code))
        return REASON_CURRENCY_UNKNOWN;
    if (number == SLOT_NONE)
        return is_cash(&check->account) ? REASON_NONE : REASON_ACCOUNT_UNKNOWN;
    account = &model->accounts[number];
    available = account->credits - account->debits - model_pending(model, number, SIDE_DEBIT) -
                account->attributes.floor;
    switch (account->attributes.status) {
    case ACCOUNT_CLOSED:
        return REASON_ACCOUNT_CLOSED;
    case ACCOUNT_BLOCKED:
    case ACCOUNT_BLOCKED_DEBITS:
        return check->available_min > 0 ? REASON_CHECK_FAILED : REASON_NONE;
    case ACCOUNT_OPEN:
    case ACCOUNT_BLOCKED_CREDITS:
        break;
    }
    return account->attributes.has_floor && available < check->available_min ? REASON_CHECK_FAILED
                                                                             : REASON_NONE;
}

void model_row(const struct model *model, uint32_t number, struct account_row *ret_row)
{
    const struct model_account *account = &model->accounts[number];

    memset(ret_row, 0, sizeof(*ret_row));
    ret_row->attributes = account->attributes;
    ret_row->debits_posted = (int64_t)account->debits;
    ret_row->credits_posted = (int64_t)account->credits;
    ret_row->debits_pending = (int64_t)model_pending(model, number, SIDE_DEBIT);
    ret_row->credits_pending = (int64_t)model_pending(model, number, SIDE_CREDIT);
    ret_row->last = account->last;
    ret_row->applied = account->applied;
}

void model_apply(struct model *model, const struct account_attributes *attributes,
                 uint64_t position)
{
    if (attributes->number == model->account_count)
        memset(&model->accounts[model->account_count++], 0, sizeof(model->accounts[0]));
    model->accounts[attributes->number].attributes = *attributes;
    model->accounts[attributes->number].applied = position;
}

void model_post(struct model *model, const struct posting *posting, struct entry_ref at,
                struct entry *ret_entry)
{
    uint32_t number = model_find(model, &posting->account, &posting->currency);
    struct model_account *account = &model->accounts[number];

    if (posting->side == SIDE_DEBIT)
        account->debits += posting->amount;
    else
        account->credits += posting->amount;
    ret_entry->at = at;
    ret_entry->previous = account->last;
    ret_entry->account = number;
    ret_entry->side = posting->side;
    ret_entry->amount = posting->amount;
    ret_entry->balance = (int64_t)(account->credits - account->debits);
    account->last = at;
    account->applied = at.position;
}

static bool attributes_are(const struct account_attributes *a, const struct account_attributes *b)
{
    return a->number == b->number && account_name_equal(&a->name, &b->name) &&
           currency_equal(&a->currency, &b->currency) && a->status == b->status &&
           a->system == b->system && a->has_floor == b->has_floor && a->floor == b->floor;
}

bool model_row_is(const struct account_row *row, const struct account_row *right)
{
    return attributes_are(&row->attributes, &right->attributes) &&
           row->debits_posted == right->debits_posted &&
           row->credits_posted == right->credits_posted &&
           row->debits_pending == right->debits_pending &&
           row->credits_pending == right->credits_pending &&
           row->last.position == right->last.position && row->last.index == right->last.index &&
           row->applied == right->applied;
}

bool model_entry_is(const struct entry *entry, const struct entry *right)
{
    return entry->at.position == right->at.position && entry->at.index == right->at.index &&
           entry->previous.position == right->previous.position &&
           entry->previous.index == right->previous.index && entry->account == right->account &&
           entry->side == right->side && entry->amount == right->amount &&
           entry->balance == right->balance;
}

bool model_branch_equal(const struct model_branch *a, const struct model_branch *b)
{
    bool equal = a->count == b->count;

    for (uint16_t i = 0; equal && i < a->count; i++) {
        const struct posting *x = &a->postings[i], *y = &b->postings[i];

        equal = memcmp(&x->account, &y->account, sizeof(x->account)) == 0 &&
                currency_equal(&x->currency, &y->currency) && x->side == y->side &&
                x->amount == y->amount;
    }
    return equal;
}
