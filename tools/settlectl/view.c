#include "view.h"

#include "grid.h"
#include "view_internal.h"

#include <inttypes.h>
#include <time.h>

struct making making_object(void)
{
    struct making making = {.json = json_object()};

    return making;
}

struct making making_array(void)
{
    struct making making = {.json = json_array()};

    return making;
}

void making_put(struct making *object, const char *key, json_t *value)
{
    if (json_object_set_new(object->json, key, value) != 0)
        object->failed = true;
}

void making_append(struct making *array, json_t *value)
{
    if (json_array_append_new(array->json, value) != 0)
        array->failed = true;
}

json_t *making_end(struct making *making)
{
    if (!making->failed)
        return making->json;
    json_decref(making->json);
    return NULL;
}

json_t *text_or_null(const char *text)
{
    return text && text[0] ? json_string(text) : json_null();
}

json_t *amount_json(int64_t minor, const char *currency)
{
    char text[SETTLE_AMOUNT_TEXT_SIZE];

    return json_string(settle_amount_format(minor, currency, text));
}

json_t *number_text_json(uint64_t number)
{
    return json_sprintf("%" PRIu64, number);
}

int view_json(const struct view *view, json_t *json)
{
    int rc;

    if (!json)
        return -1;
    rc = json_dumpf(json, view->out, JSON_COMPACT);
    json_decref(json);
    fputc('\n', view->out);
    return rc;
}

const char *instant_format(uint64_t unix_ms, char text[INSTANT_SIZE])
{
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm parts;
    size_t length = 0;

    if (gmtime_r(&seconds, &parts))
        length = strftime(text, INSTANT_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text + length, INSTANT_SIZE - length, ".%03uZ", (unsigned)(unix_ms % 1000));
    return text;
}

int view_id(const struct view *view, const struct settle_id *id)
{
    char text[SETTLE_ID_TEXT_SIZE];

    settle_id_format(id, text);
    if (view->json) {
        struct making object = making_object();

        making_put(&object, "id", json_string(text));
        return view_json(view, making_end(&object));
    }
    fprintf(view->out, "%s\n", text);
    return 0;
}

/* ---- outcomes ---- */

static json_t *outcome_json(const struct settle_outcome *outcome)
{
    char id[SETTLE_ID_TEXT_SIZE], instant[INSTANT_SIZE];
    bool committed = outcome->result == SETTLE_COMMITTED;
    struct making object = making_object();

    making_put(&object, "id", json_string(settle_id_format(&outcome->id, id)));
    making_put(&object, "outcome", json_string(settle_result_name(outcome->result)));
    making_put(&object, "reason",
               committed ? json_null() : json_string(settle_reason_name(outcome->reason)));
    making_put(&object, "participant", text_or_null(outcome->participant));
    making_put(&object, "committed_at",
               committed ? json_string(instant_format(outcome->committed_ms, instant))
                         : json_null());
    return making_end(&object);
}

int view_outcome(const struct view *view, const struct settle_outcome *outcome)
{
    char id[SETTLE_ID_TEXT_SIZE], instant[INSTANT_SIZE];

    settle_id_format(&outcome->id, id);
    if (view->json)
        return view_json(view, outcome_json(outcome));
    fprintf(view->out, "id        %s\noutcome   %s\n", id, settle_result_name(outcome->result));
    if (outcome->result == SETTLE_COMMITTED) {
        fprintf(view->out, "at        %s\n", instant_format(outcome->committed_ms, instant));
        return 0;
    }
    fprintf(view->out, "reason    %s%s%s: %s\n", settle_reason_name(outcome->reason),
            outcome->participant[0] ? " at " : "", outcome->participant,
            settle_reason_text(outcome->reason));
    if (outcome->result == SETTLE_UNKNOWN)
        fprintf(view->out, "next      ask again with: settlectl outcome %s\n", id);
    return 0;
}

/* ---- accounts ---- */

static json_t *account_json(const char *participant, const struct settle_account *account)
{
    const char *currency = account->currency;
    struct making object = making_object();

    making_put(&object, "account", json_sprintf("%s/%s", participant, account->account));
    making_put(&object, "currency", json_string(currency));
    making_put(&object, "status", json_string(settle_account_status_name(account->status)));
    making_put(&object, "system", json_boolean(account->system));
    making_put(&object, "floor",
               account->has_floor ? amount_json(account->floor, currency) : json_null());
    making_put(&object, "posted", amount_json(account->posted, currency));
    making_put(&object, "available",
               account->has_available ? amount_json(account->available, currency) : json_null());
    making_put(&object, "debits_pending", amount_json(account->debits_pending, currency));
    making_put(&object, "credits_pending", amount_json(account->credits_pending, currency));
    return making_end(&object);
}

static void account_row(struct grid *grid, const char *participant,
                        const struct settle_account *account)
{
    char text[SETTLE_AMOUNT_TEXT_SIZE];
    const char *currency = account->currency;

    grid_add(grid, "%s/%s", participant, account->account);
    grid_add(grid, "%s", currency);
    grid_add(grid, "%s%s", settle_account_status_name(account->status),
             account->system ? " (system)" : "");
    grid_add(grid, "%s",
             account->has_floor ? settle_amount_format(account->floor, currency, text) : "none");
    grid_add(grid, "%s", settle_amount_format(account->posted, currency, text));
    grid_add(grid, "%s",
             account->has_available ? settle_amount_format(account->available, currency, text)
                                    : "unlimited");
    grid_add(grid, "%s", settle_amount_format(account->debits_pending, currency, text));
    grid_add(grid, "%s", settle_amount_format(account->credits_pending, currency, text));
}

int view_accounts(const struct view *view, const char *participant,
                  const struct settle_account *list, size_t count)
{
    static const struct grid_column columns[] = {
        {"ACCOUNT", 0}, {"CURRENCY", 0},  {"STATUS", 0},         {"FLOOR", 1},
        {"POSTED", 1},  {"AVAILABLE", 1}, {"DEBITS-PENDING", 1}, {"CREDITS-PENDING", 1}};
    struct grid grid;
    int rc = 0;

    if (view->json) {
        for (size_t i = 0; i < count && rc == 0; i++)
            rc = view_json(view, account_json(participant, &list[i]));
        return rc;
    }
    grid_init(&grid, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < count; i++)
        account_row(&grid, participant, &list[i]);
    return grid_print(&grid, view->out);
}

/* ---- statements ---- */

static const char *side_name(enum settle_side side)
{
    return side == SETTLE_DEBIT ? "debit" : "credit";
}

static json_t *entry_json(const struct settle_account_key *key, const struct settle_entry *entry)
{
    char id[SETTLE_ID_TEXT_SIZE], instant[INSTANT_SIZE];
    struct making object = making_object();

    making_put(&object, "account", json_sprintf("%s/%s", key->participant, key->account));
    making_put(&object, "currency", json_string(key->currency));
    making_put(&object, "id", json_string(settle_id_format(&entry->id, id)));
    making_put(&object, "committed_at", json_string(instant_format(entry->committed_ms, instant)));
    making_put(&object, "side", json_string(side_name(entry->side)));
    making_put(&object, "amount", amount_json(entry->amount, key->currency));
    making_put(&object, "balance", amount_json(entry->balance, key->currency));
    making_put(&object, "memo", json_string(entry->memo));
    return making_end(&object);
}

static void entry_row(struct grid *grid, const char *currency, const struct settle_entry *entry)
{
    char text[SETTLE_AMOUNT_TEXT_SIZE], id[SETTLE_ID_TEXT_SIZE], instant[INSTANT_SIZE];
    bool debit = entry->side == SETTLE_DEBIT;

    grid_add(grid, "%s", instant_format(entry->committed_ms, instant));
    grid_add(grid, "%s", settle_id_format(&entry->id, id));
    settle_amount_format(entry->amount, currency, text);
    grid_add(grid, "%s", debit ? text : "");
    grid_add(grid, "%s", debit ? "" : text);
    grid_add(grid, "%s", settle_amount_format(entry->balance, currency, text));
    grid_add(grid, "%s", entry->memo);
}

int view_statement(const struct view *view, const struct settle_account_key *key,
                   const struct settle_entry *list, size_t count)
{
    static const struct grid_column columns[] = {{"COMMITTED", 0}, {"ID", 0},      {"DEBIT", 1},
                                                 {"CREDIT", 1},    {"BALANCE", 1}, {"MEMO", 0}};
    struct grid grid;
    int rc = 0;

    if (view->json) {
        for (size_t i = 0; i < count && rc == 0; i++)
            rc = view_json(view, entry_json(key, &list[i]));
        return rc;
    }
    grid_init(&grid, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < count; i++)
        entry_row(&grid, key->currency, &list[i]);
    return grid_print(&grid, view->out);
}
