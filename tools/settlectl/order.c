#include "order.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Where in the order we are, for complaints. */
struct reader {
    struct order *order;
    const char *name;
    char *complaint;
};

static bool complain(const struct reader *reader, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool complain(const struct reader *reader, const char *path, const char *format, ...)
{
    va_list args;
    int used = snprintf(reader->complaint, COMPLAINT_SIZE, "%s: %s%s", reader->name, path,
                        path[0] ? ": " : "");

    if (used < 0 || used >= COMPLAINT_SIZE)
        return false;
    va_start(args, format);
    vsnprintf(reader->complaint + used, COMPLAINT_SIZE - (size_t)used, format, args);
    va_end(args);
    return false;
}

/* What JSON calls it. */
static const char *type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "a whole number";
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        return "null";
    }
    return "something else";
}

/* ---- one leg ---- */

static bool read_account(const struct reader *reader, const char *path, size_t index,
                         const char *text)
{
    struct order *order = reader->order;
    size_t before = strcspn(text, "/");

    if (before == 0 || text[before] == '\0' || text[before + 1] == '\0')
        return complain(reader, path,
                        "'%s' names no account: write PARTICIPANT/ACCOUNT, like bank-a/ALICE",
                        text);
    if (before > SETTLE_NAME_MAX)
        return complain(reader, path, "a participant's name has at most %d characters",
                        SETTLE_NAME_MAX);
    snprintf(order->participants[index], sizeof(order->participants[index]), "%.*s", (int)before,
             text);
    order->legs[index].participant = order->participants[index];
    order->legs[index].account = text + before + 1;
    return true;
}

static bool read_side(const struct reader *reader, const char *path, const char *text,
                      enum settle_side *ret_side)
{
    if (strcmp(text, "debit") == 0)
        *ret_side = SETTLE_DEBIT;
    else if (strcmp(text, "credit") == 0)
        *ret_side = SETTLE_CREDIT;
    else
        return complain(reader, path, "'%s' is neither \"debit\" nor \"credit\"", text);
    return true;
}

static bool read_amount(const struct reader *reader, const char *path, const char *text,
                        struct settle_leg *leg)
{
    struct settle_error err;

    if (settle_amount_parse(text, leg->currency, &leg->amount, &err) != 0)
        return complain(reader, path, "%s", err.text);
    if (leg->amount <= 0)
        return complain(reader, path, "'%s' is not above zero; the side says where money goes",
                        text);
    return true;
}

enum leg_key { LEG_ACCOUNT, LEG_SIDE, LEG_AMOUNT, LEG_CURRENCY, LEG_KEYS };

static const char *const LEG_NAMES[LEG_KEYS] = {"account", "side", "amount", "currency"};

/* All four are there, are strings, and nothing else is. */
static bool leg_fields(const struct reader *reader, json_t *leg, size_t index,
                       const char *ret_values[LEG_KEYS])
{
    char path[64];
    const char *key;
    json_t *value;

    snprintf(path, sizeof(path), "legs[%zu]", index);
    if (!json_is_object(leg))
        return complain(reader, path, "must be an object, but is %s", type_name(leg));
    json_object_foreach(leg, key, value)
    {
        int at = 0;

        while (at < LEG_KEYS && strcmp(LEG_NAMES[at], key) != 0)
            at++;
        snprintf(path, sizeof(path), "legs[%zu].%.40s", index, key);
        if (at == LEG_KEYS)
            return complain(reader, path,
                            "unknown; a leg has \"account\", \"side\", \"amount\", \"currency\"");
        if (!json_is_string(value))
            return complain(reader, path, "must be a string, but is %s", type_name(value));
        ret_values[at] = json_string_value(value);
    }
    for (int at = 0; at < LEG_KEYS; at++) {
        snprintf(path, sizeof(path), "legs[%zu].%s", index, LEG_NAMES[at]);
        if (!ret_values[at])
            return complain(reader, path, "is missing");
    }
    return true;
}

static bool read_leg(const struct reader *reader, json_t *json, size_t index)
{
    struct settle_leg *leg = &reader->order->legs[index];
    const char *values[LEG_KEYS] = {NULL};
    char paths[LEG_KEYS][64];

    if (!leg_fields(reader, json, index, values))
        return false;
    for (int at = 0; at < LEG_KEYS; at++)
        snprintf(paths[at], sizeof(paths[at]), "legs[%zu].%s", index, LEG_NAMES[at]);
    leg->currency = values[LEG_CURRENCY];
    if (settle_currency_digits(leg->currency) < 0)
        return complain(reader, paths[LEG_CURRENCY], "'%s' is no currency of ISO 4217",
                        leg->currency);
    return read_account(reader, paths[LEG_ACCOUNT], index, values[LEG_ACCOUNT]) &&
           read_side(reader, paths[LEG_SIDE], values[LEG_SIDE], &leg->side) &&
           read_amount(reader, paths[LEG_AMOUNT], values[LEG_AMOUNT], leg);
}

/* ---- the order ---- */

static bool read_id(const struct reader *reader, json_t *value)
{
    if (!json_is_string(value))
        return complain(reader, "id", "must be a string, but is %s", type_name(value));
    if (settle_id_parse(json_string_value(value), &reader->order->submit.id) != 0)
        return complain(reader, "id",
                        "'%s' is no id: a UUIDv7 of 36 characters, as 'settlectl id' prints",
                        json_string_value(value));
    reader->order->has_id = true;
    return true;
}

static bool read_protocol(const struct reader *reader, json_t *value)
{
    if (!json_is_string(value))
        return complain(reader, "protocol", "must be a string, but is %s", type_name(value));
    if (strcmp(json_string_value(value), "2pc") == 0)
        reader->order->submit.protocol = SETTLE_2PC;
    else if (strcmp(json_string_value(value), "3pc") == 0)
        reader->order->submit.protocol = SETTLE_3PC;
    else
        return complain(reader, "protocol", "'%s' is neither \"2pc\" nor \"3pc\"",
                        json_string_value(value));
    return true;
}

static bool read_deadline(const struct reader *reader, json_t *value)
{
    json_int_t number = json_integer_value(value);

    if (!json_is_integer(value) || number < 1 || number > SETTLE_DEADLINE_MAX_MS)
        return complain(reader, "deadline_ms", "must be a whole number from 1 to %d",
                        SETTLE_DEADLINE_MAX_MS);
    reader->order->submit.deadline_ms = (uint32_t)number;
    return true;
}

static bool read_memo(const struct reader *reader, json_t *value)
{
    if (!json_is_string(value))
        return complain(reader, "memo", "must be a string, but is %s", type_name(value));
    if (json_string_length(value) > SETTLE_MEMO_MAX)
        return complain(reader, "memo", "has %zu bytes; at most %d", json_string_length(value),
                        SETTLE_MEMO_MAX);
    reader->order->submit.memo = json_string_value(value);
    return true;
}

static bool read_legs(const struct reader *reader, json_t *value)
{
    struct settle_submit *submit = &reader->order->submit;
    bool fine = true;

    if (!json_is_array(value))
        return complain(reader, "legs", "must be an array, but is %s", type_name(value));
    if (json_array_size(value) == 0 || json_array_size(value) > SETTLE_LEGS_MAX)
        return complain(reader, "legs", "has %zu legs; 1 to %d are allowed", json_array_size(value),
                        SETTLE_LEGS_MAX);
    submit->legs = reader->order->legs;
    submit->leg_count = json_array_size(value);
    for (size_t i = 0; i < submit->leg_count && fine; i++)
        fine = read_leg(reader, json_array_get(value, i), i);
    return fine;
}

static bool read_order(const struct reader *reader, json_t *json)
{
    static const struct {
        const char *name;
        bool (*read)(const struct reader *reader, json_t *value);
    } fields[] = {{"id", read_id},
                  {"protocol", read_protocol},
                  {"deadline_ms", read_deadline},
                  {"memo", read_memo},
                  {"legs", read_legs}};
    const size_t field_count = sizeof(fields) / sizeof(fields[0]);
    const char *key;
    json_t *value;

    if (!json_is_object(json))
        return complain(reader, "", "must be an object, but is %s", type_name(json));
    json_object_foreach(json, key, value)
    {
        size_t at = 0;

        while (at < field_count && strcmp(fields[at].name, key) != 0)
            at++;
        if (at == field_count)
            return complain(reader, key,
                            "unknown; an order has \"id\", \"protocol\", \"deadline_ms\", "
                            "\"memo\", \"legs\"");
        if (!fields[at].read(reader, value))
            return false;
    }
    return reader->order->submit.legs ? true : complain(reader, "legs", "is missing");
}

/* The whole text, to be freed; NULL after a complaint. */
static char *read_text(const struct reader *reader, FILE *in, size_t *ret_size)
{
    char *text = malloc(ORDER_SIZE_MAX + 1);
    size_t size = text ? fread(text, 1, ORDER_SIZE_MAX + 1, in) : 0;

    if (!text)
        complain(reader, "", "out of memory");
    else if (ferror(in))
        complain(reader, "", "cannot read: %s", strerror(errno));
    else if (size > ORDER_SIZE_MAX)
        complain(reader, "", "is larger than %u bytes", ORDER_SIZE_MAX);
    else {
        *ret_size = size;
        return text;
    }
    free(text);
    return NULL;
}

bool order_read(struct order *order, FILE *in, const char *name, char ret_complaint[COMPLAINT_SIZE])
{
    struct reader reader = {.order = order, .name = name, .complaint = ret_complaint};
    json_error_t error;
    size_t size = 0;
    char *text;

    memset(order, 0, sizeof(*order));
    text = read_text(&reader, in, &size);
    if (!text)
        return false;
    order->json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    free(text);
    if (!order->json) {
        snprintf(ret_complaint, COMPLAINT_SIZE, "%s:%d:%d: %s", name, error.line, error.column,
                 error.text);
        return false;
    }
    return read_order(&reader, order->json);
}

void order_release(struct order *order)
{
    json_decref(order->json);
    order->json = NULL;
}
