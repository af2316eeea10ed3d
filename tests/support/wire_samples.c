#include "support/wire_samples.h"

#include "base/assert.h"
#include "support/wire_samples_internal.h"

/* ---- values ---- */

uint64_t sample_u64(struct sampler *s)
{
    return prng_next(&s->prng) | 1; /* never zero, which may mean absent */
}

uint32_t sample_u32(struct sampler *s)
{
    return (uint32_t)sample_u64(s);
}

uint16_t sample_group(struct sampler *s)
{
    return (uint16_t)(1 + prng_below(&s->prng, GROUPS_MAX - 1));
}

enum reason sample_reason(struct sampler *s)
{
    return (enum reason)(1 + prng_below(&s->prng, REASON_COUNT - 1));
}

uint64_t sample_one_of(struct sampler *s, uint64_t first, uint64_t last)
{
    return first + prng_below(&s->prng, last - first + 1);
}

void sample_16(struct sampler *s, uint8_t bytes[16])
{
    prng_fill(&s->prng, bytes, 16);
    bytes[0] |= 1;
}

uint16_t sample_count(const struct sampler *s, size_t max)
{
    return (uint16_t)(s->list_size < max ? s->list_size : max);
}

void *sample_room(struct sampler *s, size_t count, size_t element_size)
{
    void *room = arena_alloc(s->arena, count * element_size);

    ASSERT(room);
    memset(room, 0, count * element_size);
    return room;
}

/* Names of one list ascend by its index. */
void sample_node(struct sampler *s, size_t index, struct node_name *name)
{
    size_t length = s->longest ? NODE_NAME_SIZE - 1 : 6 + prng_below(&s->prng, 10);

    memset(name, 0, sizeof(*name));
    name->text[0] = 'n';
    name->text[1] = (char)('0' + index / 10);
    name->text[2] = (char)('0' + index % 10);
    name->text[3] = '-';
    for (size_t i = 4; i < length; i++)
        name->text[i] = (char)('a' + prng_below(&s->prng, 26));
}

void sample_account_name(struct sampler *s, struct account_name *name)
{
    size_t length = s->longest ? ACCOUNT_NAME_MAX : 3 + prng_below(&s->prng, 20);

    memset(name, 0, sizeof(*name));
    for (size_t i = 0; i < length; i++)
        name->text[i] = (char)('A' + prng_below(&s->prng, 26));
}

/* Currencies of one list differ by its index. */
void sample_currency(size_t index, struct currency *currency)
{
    memset(currency, 0, sizeof(*currency));
    currency->code[0] = 'X';
    currency->code[1] = (char)('A' + index / 26);
    currency->code[2] = (char)('A' + index % 26);
}

void sample_text(struct sampler *s, size_t size, char *text)
{
    static const char words[] = "Miete M\xc3\xa4rz \xe2\x82\xac \xf0\x9f\x8f\xa6 ";
    size_t length = s->longest ? size - 1 : sizeof(words) - 1;

    for (size_t i = 0; i < length; i++)
        text[i] = (char)(i < sizeof(words) - 1 ? words[i] : 'x');
    text[length] = '\0';
}

void sample_address(struct sampler *s, char text[ADDRESS_SIZE])
{
    static const char address[] = "[2001:db8::17]:7400";
    size_t length = s->longest ? ADDRESS_SIZE - 1 : sizeof(address) - 1;

    for (size_t i = 0; i < length; i++)
        text[i] = (char)(i < sizeof(address) - 1 ? address[i] : '0');
    text[length] = '\0';
}

void sample_blob(struct sampler *s, struct blob *blob)
{
    uint32_t size = s->longest ? BRANCH_SIZE_MAX : 40;
    uint8_t *bytes = sample_room(s, size, 1);

    prng_fill(&s->prng, bytes, size);
    blob->bytes = bytes;
    blob->size = size;
}

const struct party *sample_parties(struct sampler *s, uint16_t *ret_count)
{
    uint16_t count = sample_count(s, PARTICIPANTS_MAX);
    struct party *parties = sample_room(s, count, sizeof(*parties));

    for (uint16_t i = 0; i < count; i++) {
        sample_node(s, i, &parties[i].node);
        sample_16(s, parties[i].store.bytes);
    }
    *ret_count = count;
    return parties;
}

const struct net *sample_nets(struct sampler *s, size_t max, uint16_t *ret_count)
{
    uint16_t count = sample_count(s, max);
    struct net *nets = sample_room(s, count, sizeof(*nets));

    for (uint16_t i = 0; i < count; i++) {
        sample_currency(i, &nets[i].currency);
        nets[i].amount = (int64_t)sample_u64(s);
    }
    *ret_count = count;
    return nets;
}

/* ---- the ledger's ---- */

void sample_branch(struct sampler *s, bool read_only, struct branch *ret_branch)
{
    uint16_t count = sample_count(s, LEGS_MAX);

    memset(ret_branch, 0, sizeof(*ret_branch));
    sample_text(s, MEMO_SIZE, ret_branch->memo);
    for (uint16_t i = 0; i < count; i++) {
        if (read_only) {
            sample_account_name(s, &ret_branch->checks[i].account);
            sample_currency(i, &ret_branch->checks[i].currency);
            ret_branch->checks[i].available_min = (int64_t)sample_u64(s);
        } else {
            sample_account_name(s, &ret_branch->postings[i].account);
            sample_currency(i, &ret_branch->postings[i].currency);
            ret_branch->postings[i].side = (enum side)sample_one_of(s, SIDE_DEBIT, SIDE_CREDIT);
            ret_branch->postings[i].amount = (int64_t)(sample_u64(s) >> 1 | 1);
        }
    }
    ret_branch->check_count = read_only ? count : 0;
    ret_branch->posting_count = read_only ? 0 : count;
}

void sample_attributes(struct sampler *s, struct account_attributes *ret_attributes)
{
    memset(ret_attributes, 0, sizeof(*ret_attributes));
    ret_attributes->number = (uint32_t)prng_below(&s->prng, ACCOUNTS_MAX);
    sample_account_name(s, &ret_attributes->name);
    sample_currency(0, &ret_attributes->currency);
    ret_attributes->status = (enum account_status)sample_one_of(s, ACCOUNT_OPEN, ACCOUNT_CLOSED);
    ret_attributes->system = true;
    ret_attributes->has_floor = true;
    ret_attributes->floor = (int64_t)sample_u64(s);
}

/* Field by field, into zeroed memory: a struct passed by value may leave its padding behind. */
static void sample_ref(struct sampler *s, struct entry_ref *ref)
{
    ref->position = sample_u64(s);
    ref->index = (uint16_t)sample_u64(s);
}

void sample_account_row(struct sampler *s, struct account_row *ret_row)
{
    memset(ret_row, 0, sizeof(*ret_row));
    sample_attributes(s, &ret_row->attributes);
    ret_row->debits_posted = (int64_t)(sample_u64(s) >> 1);
    ret_row->credits_posted = (int64_t)(sample_u64(s) >> 1);
    ret_row->debits_pending = (int64_t)(sample_u64(s) >> 1);
    ret_row->credits_pending = (int64_t)(sample_u64(s) >> 1);
    sample_ref(s, &ret_row->last);
    ret_row->applied = sample_u64(s);
}

void sample_entry(struct sampler *s, struct entry *ret_entry)
{
    memset(ret_entry, 0, sizeof(*ret_entry));
    sample_ref(s, &ret_entry->at);
    sample_ref(s, &ret_entry->previous);
    ret_entry->account = (uint32_t)prng_below(&s->prng, ACCOUNTS_MAX);
    ret_entry->side = (enum side)sample_one_of(s, SIDE_DEBIT, SIDE_CREDIT);
    ret_entry->amount = (int64_t)(sample_u64(s) >> 1 | 1);
    ret_entry->balance = (int64_t)sample_u64(s);
    sample_16(s, ret_entry->id.bytes);
    ret_entry->timestamp = sample_u64(s);
    sample_text(s, MEMO_SIZE, ret_entry->memo);
}

void sample_outcome(struct sampler *s, struct outcome *ret_outcome)
{
    memset(ret_outcome, 0, sizeof(*ret_outcome));
    sample_16(s, ret_outcome->id.bytes);
    sample_16(s, ret_outcome->digest.bytes);
    ret_outcome->state = (enum txn_state)sample_one_of(s, STATE_COMMITTED, STATE_ABORTED);
    ret_outcome->reason = sample_reason(s);
    ret_outcome->timestamp = sample_u64(s);
}

void sample_checkpoint(struct sampler *s, struct checkpoint *ret_checkpoint)
{
    memset(ret_checkpoint, 0, sizeof(*ret_checkpoint));
    ret_checkpoint->position = sample_u64(s);
    ret_checkpoint->clock = sample_u64(s);
    sample_16(s, ret_checkpoint->oldest_id.bytes);
    ret_checkpoint->seal_count = sample_count(s, GROUPS_MAX);
    for (uint16_t i = 0; i < ret_checkpoint->seal_count; i++) {
        ret_checkpoint->seals[i].group = i;
        ret_checkpoint->seals[i].epoch = sample_u64(s);
        sample_16(s, ret_checkpoint->seals[i].guid.bytes);
    }
}

/* ---- the journal ---- */

static const struct {
    const char *name;
    enum record_kind kind;
    enum txn_state state;
} record_kinds[] = {
    {"record_seal", RECORD_SEAL, STATE_NONE},
    {"record_clock", RECORD_CLOCK, STATE_NONE},
    {"record_prepared", RECORD_PREPARED, STATE_NONE},
    {"record_committed", RECORD_COMMITTED, STATE_NONE},
    {"record_aborted", RECORD_ABORTED, STATE_NONE},
    {"record_end", RECORD_END, STATE_NONE},
    {"record_carried_prepared", RECORD_CARRIED, STATE_PREPARED},
    {"record_carried_committed", RECORD_CARRIED, STATE_COMMITTED},
    {"record_carried_aborted", RECORD_CARRIED, STATE_ABORTED},
    {"record_account", RECORD_ACCOUNT, STATE_NONE},
};

size_t sample_record_count(void)
{
    return sizeof(record_kinds) / sizeof(record_kinds[0]);
}

static void sample_txn_record(struct sampler *s, struct record *record)
{
    bool whole = record->kind == RECORD_PREPARED || record->kind == RECORD_CARRIED;

    record->tag.sequence = sample_u64(s);
    sample_16(s, record->id.bytes);
    sample_16(s, record->digest.bytes);
    record->timestamp = sample_u64(s);
    record->reason = sample_reason(s);
    if (!whole)
        return;
    record->protocol = PROTOCOL_2PC;
    record->parties = sample_parties(s, &record->party_count);
    record->nets = sample_nets(s, NETS_MAX, &record->net_count);
    if (record->kind == RECORD_CARRIED) {
        record->first = (struct tag){sample_u64(s), sample_u64(s)};
        record->prepare_timestamp = sample_u64(s);
    }
    if (record->kind == RECORD_PREPARED || record->state == STATE_PREPARED)
        sample_blob(s, &record->branch);
}

static void sample_end_record(struct sampler *s, struct record *record)
{
    uint16_t count = sample_count(s, END_EXCEPTIONS_MAX);
    uint64_t *exceptions = sample_room(s, count, sizeof(*exceptions));

    for (uint16_t i = 0; i < count; i++)
        exceptions[i] = 5 + 3 * (uint64_t)i;
    record->watermark = 100000;
    record->exceptions = exceptions;
    record->exception_count = count;
}

const char *sample_record(struct sampler *s, size_t index, struct record *ret_record)
{
    struct record *record = ret_record;

    memset(record, 0, sizeof(*record));
    record->kind = record_kinds[index].kind;
    record->state = record_kinds[index].state;
    record->position = sample_u64(s);
    if (record->kind != RECORD_CLOCK && record->kind != RECORD_ACCOUNT) {
        record->group = sample_group(s);
        record->tag.epoch = sample_u64(s);
    }
    switch (record->kind) {
    case RECORD_SEAL:
        sample_16(s, record->guid.bytes);
        break;
    case RECORD_CLOCK:
        record->timestamp = sample_u64(s);
        break;
    case RECORD_PREPARED:
    case RECORD_COMMITTED:
    case RECORD_ABORTED:
    case RECORD_CARRIED:
        sample_txn_record(s, record);
        break;
    case RECORD_END:
        sample_end_record(s, record);
        break;
    case RECORD_ACCOUNT:
        sample_blob(s, &record->branch);
        break;
    }
    return record_kinds[index].name;
}
