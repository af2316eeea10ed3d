/*
 * Single fields, lists of parties and of nets: what every theme reads and writes.
 *
 * Each failure names the field and what is wrong with it; the callers on the way up add the list
 * and the message.
 */
#include "base/assert.h"
#include "wire/internal.h"

#include <stdio.h>

void note_failure(struct decoder *d, const char *field, const char *format, ...)
{
    char what[160];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    d->code = err_set(d->err, d->bad, "%s %s", field, what);
}

bool take_uint(struct decoder *d, struct uint_field field, enum need need, uint64_t max,
               uint64_t *ret_value)
{
    if (!field.has) {
        if (need == NEEDED)
            return take_fail(d, field.name, "is missing");
        *ret_value = 0;
        return true;
    }
    if (need == NEEDED && field.value == 0)
        return take_fail(d, field.name, "is zero");
    if (field.value > max)
        return take_fail(d, field.name, "is %llu, above the maximum of %llu",
                         (unsigned long long)field.value, (unsigned long long)max);
    *ret_value = field.value;
    return true;
}

bool take_u64(struct decoder *d, struct uint_field field, enum need need, uint64_t *ret_value)
{
    return take_uint(d, field, need, UINT64_MAX, ret_value);
}

bool take_u32(struct decoder *d, struct uint_field field, enum need need, uint32_t *ret_value)
{
    uint64_t value;

    if (!take_uint(d, field, need, UINT32_MAX, &value))
        return false;
    *ret_value = (uint32_t)value;
    return true;
}

bool take_u16(struct decoder *d, struct uint_field field, enum need need, uint16_t max,
              uint16_t *ret_value)
{
    uint64_t value;

    if (!take_uint(d, field, need, max, &value))
        return false;
    *ret_value = (uint16_t)value;
    return true;
}

bool take_sint(struct decoder *d, struct sint_field field, int64_t min, int64_t *ret_value)
{
    int64_t value = field.has ? field.value : 0;

    if (value < min)
        return take_fail(d, field.name, "is %lld, below the minimum of %lld", (long long)value,
                         (long long)min);
    *ret_value = value;
    return true;
}

int take_enum(struct decoder *d, struct uint_field field, enum need need, uint64_t allowed)
{
    if (!field.has) {
        if (need == OPTIONAL)
            return 0;
        note_failure(d, field.name, "is missing");
        return -1;
    }
    if (field.value >= 64 || !(allowed & ONE_OF(field.value))) {
        note_failure(d, field.name, "has the unknown value %llu", (unsigned long long)field.value);
        return -1;
    }
    return (int)field.value;
}

/* A number of a newer release passes: what it means is for people, and is shown as such. */
bool take_reason(struct decoder *d, struct uint_field field, enum reason *ret_reason)
{
    uint64_t value;

    if (!take_uint(d, field, OPTIONAL, UINT8_MAX, &value))
        return false;
    *ret_reason = (enum reason)value;
    return true;
}

bool take_protocol(struct decoder *d, struct uint_field field, enum need need,
                   enum protocol *ret_protocol)
{
    int value = take_enum(d, field, need, ONE_OF(PROTOCOL_2PC) | ONE_OF(PROTOCOL_3PC));

    if (value < 0)
        return false;
    *ret_protocol = (enum protocol)value;
    return true;
}

bool bytes_are_zero(const uint8_t bytes[16])
{
    static const uint8_t zero[16];

    return memcmp(bytes, zero, sizeof(zero)) == 0;
}

bool take_16(struct decoder *d, struct bytes_field field, enum need need, void *ret_bytes)
{
    if (!field.has) {
        if (need == NEEDED)
            return take_fail(d, field.name, "is missing");
        memset(ret_bytes, 0, 16);
        return true;
    }
    if (field.value.len != 16)
        return take_fail(d, field.name, "has %zu bytes, not 16", field.value.len);
    if (need == NEEDED && bytes_are_zero(field.value.data))
        return take_fail(d, field.name, "is zero");
    memcpy(ret_bytes, field.value.data, 16);
    return true;
}

bool take_node(struct decoder *d, struct bytes_field field, enum need need,
               struct node_name *ret_name)
{
    if (!field.has) {
        if (need == NEEDED)
            return take_fail(d, field.name, "is missing");
        memset(ret_name, 0, sizeof(*ret_name));
        return true;
    }
    if (!node_name_parse(ret_name, (const char *)field.value.data, field.value.len))
        return take_fail(d, field.name, "is not a name of 1 to %d characters of a-z, 0-9 and '-'",
                         NODE_NAME_SIZE - 1);
    return true;
}

bool take_account_name(struct decoder *d, struct bytes_field field, struct account_name *ret_name)
{
    if (!field.has)
        return take_fail(d, field.name, "is missing");
    if (!account_name_parse(ret_name, (const char *)field.value.data, field.value.len)) {
        d->flaw = REASON_ACCOUNT_NAME;
        return take_fail(d, field.name, "is not an account id of 1 to %d of A-Z, 0-9 and '-'",
                         ACCOUNT_NAME_MAX);
    }
    return true;
}

bool take_currency(struct decoder *d, struct bytes_field field, enum need need,
                   struct currency *ret_currency)
{
    if (!field.has) {
        if (need == NEEDED)
            return take_fail(d, field.name, "is missing");
        memset(ret_currency, 0, sizeof(*ret_currency));
        return true;
    }
    if (!currency_parse(ret_currency, (const char *)field.value.data, field.value.len)) {
        d->flaw = REASON_CURRENCY_UNKNOWN;
        return take_fail(d, field.name, "is not a code of three letters A-Z");
    }
    return true;
}

bool take_text(struct decoder *d, struct bytes_field field, size_t size_max, char *ret_text)
{
    size_t size = field.has ? field.value.len : 0;

    if (size >= size_max)
        return take_fail(d, field.name, "has %zu bytes, above the maximum of %zu", size,
                         size_max - 1);
    if (size > 0 && !utf8_printable((const char *)field.value.data, size))
        return take_fail(d, field.name, "is not UTF-8 without control characters");
    if (size > 0)
        memcpy(ret_text, field.value.data, size);
    ret_text[size] = '\0';
    return true;
}

bool take_address(struct decoder *d, struct bytes_field field, char ret_address[ADDRESS_SIZE])
{
    if (!take_text(d, field, ADDRESS_SIZE, ret_address))
        return false;
    for (const char *at = ret_address; *at; at++) {
        if (*at <= ' ' || *at > '~')
            return take_fail(d, field.name, "is not an address of printable ASCII");
    }
    return true;
}

bool take_blob(struct decoder *d, struct bytes_field field, size_t size_max, struct blob *ret_blob)
{
    if (!field.has)
        return take_fail(d, field.name, "is missing");
    if (field.value.len > size_max)
        return take_fail(d, field.name, "has %zu bytes, above the maximum of %zu", field.value.len,
                         size_max);
    ret_blob->bytes = field.value.len > 0 ? field.value.data : NULL;
    ret_blob->size = (uint32_t)field.value.len;
    return true;
}

bool take_count(struct decoder *d, const char *list, size_t count, size_t min, size_t max)
{
    if (count < min)
        return take_fail(d, list, "has %zu elements, below the minimum of %zu", count, min);
    if (count > max)
        return take_fail(d, list, "has %zu elements, above the maximum of %zu", count, max);
    return true;
}

void *take_room(struct decoder *d, size_t count, size_t element_size)
{
    void *room;

    if (count == 0)
        return NULL;
    room = arena_alloc(d->arena, count * element_size);
    if (!room) {
        d->code = err_set(d->err, ERR_FULL, "the decoder's memory of %zu bytes is used up",
                          d->arena->size);
        return NULL;
    }
    memset(room, 0, count * element_size);
    return room;
}

/* Ascending names leave no room for one participant twice, and make one order of the list. */
bool take_parties(struct decoder *d, size_t count, Settle__V1__Party **list, size_t min,
                  const struct party **ret_parties, uint16_t *ret_count)
{
    struct party *parties;

    if (!take_count(d, "party", count, min, PARTICIPANTS_MAX))
        return false;
    parties = take_room(d, count, sizeof(*parties));
    if (!parties && count > 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!take_node(d, BYTES(list[i], node), NEEDED, &parties[i].node) ||
            !take_16(d, BYTES(list[i], store), NEEDED, parties[i].store.bytes))
            return take_fail_at(d, "party", i);
        if (i > 0 && strcmp(parties[i - 1].node.text, parties[i].node.text) >= 0)
            return take_fail(d, "party", "%zu does not follow its predecessor by name", i);
    }
    *ret_parties = parties;
    *ret_count = (uint16_t)count;
    return true;
}

bool take_nets(struct decoder *d, const char *list_name, size_t count, Settle__V1__Net **list,
               size_t max, const struct net **ret_nets)
{
    struct net *nets;

    if (!take_count(d, list_name, count, 0, max))
        return false;
    nets = take_room(d, count, sizeof(*nets));
    if (!nets && count > 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!take_currency(d, BYTES(list[i], currency), NEEDED, &nets[i].currency) ||
            !take_sint(d, SINT(list[i], amount), INT64_MIN, &nets[i].amount))
            return take_fail_at(d, list_name, i);
        for (size_t j = 0; j < i; j++) {
            if (currency_equal(&nets[j].currency, &nets[i].currency))
                return take_fail(d, list_name, "names %s twice", nets[i].currency.code);
        }
    }
    *ret_nets = nets;
    return true;
}

void *put_room(struct arena *scratch, size_t count, size_t element_size, void *ret_pointers)
{
    uint8_t *elements = arena_alloc(scratch, count * element_size);
    void **pointers = arena_alloc(scratch, count * sizeof(*pointers));

    if (!elements || !pointers)
        return NULL;
    for (size_t i = 0; i < count; i++)
        pointers[i] = elements + i * element_size;
    memcpy(ret_pointers, &pointers, sizeof(pointers));
    return elements;
}

bool put_sentence(struct arena *scratch, const char *text, ProtobufCBinaryData *ret_data)
{
    size_t size = strlen(text);
    char *copy;

    if (utf8_printable(text, size)) {
        *ret_data = pb_bytes(text, size);
        return true;
    }
    copy = arena_alloc(scratch, size);
    if (!copy)
        return false;
    for (size_t at = 0; at < size;) {
        size_t step = utf8_step(text + at, size - at);

        if (step > 0)
            memcpy(copy + at, text + at, step);
        else
            copy[at] = '?';
        at += step > 0 ? step : 1;
    }
    *ret_data = pb_bytes(copy, size);
    return true;
}

bool put_parties(struct arena *scratch, const struct party *parties, size_t count,
                 Settle__V1__Party ***ret_list)
{
    Settle__V1__Party *elements;

    ASSERT(count <= PARTICIPANTS_MAX);
    if (count == 0)
        return true;
    elements = put_room(scratch, count, sizeof(*elements), ret_list);
    if (!elements)
        return false;
    for (size_t i = 0; i < count; i++) {
        settle__v1__party__init(&elements[i]);
        PUT(&elements[i], node, pb_text(parties[i].node.text));
        PUT_16(&elements[i], store, &parties[i].store);
    }
    return true;
}

bool put_nets(struct arena *scratch, const struct net *nets, size_t count,
              Settle__V1__Net ***ret_list)
{
    Settle__V1__Net *elements;

    ASSERT(count <= CURRENCIES_MAX);
    if (count == 0)
        return true;
    elements = put_room(scratch, count, sizeof(*elements), ret_list);
    if (!elements)
        return false;
    for (size_t i = 0; i < count; i++) {
        settle__v1__net__init(&elements[i]);
        PUT(&elements[i], currency, pb_text(nets[i].currency.code));
        PUT(&elements[i], amount, nets[i].amount);
    }
    return true;
}
