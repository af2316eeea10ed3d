/* Accounts and statements: settle/admin.h's first half. */
#include "client/call.h"
#include "client/list.h"
#include "settle/admin.h"

#include <stdio.h>
#include <stdlib.h>

const char *settle_account_status_name(enum settle_account_status status)
{
    return account_status_name((enum account_status)status);
}

static void to_public(const struct account_info *info, struct settle_account *ret_account)
{
    const struct account_row *row = &info->row;

    memset(ret_account, 0, sizeof(*ret_account));
    snprintf(ret_account->account, sizeof(ret_account->account), "%s", row->attributes.name.text);
    snprintf(ret_account->currency, sizeof(ret_account->currency), "%s",
             row->attributes.currency.code);
    ret_account->status = (enum settle_account_status)row->attributes.status;
    ret_account->system = row->attributes.system;
    ret_account->has_floor = row->attributes.has_floor;
    ret_account->floor = row->attributes.floor;
    ret_account->posted = row->credits_posted - row->debits_posted;
    ret_account->has_available = info->has_available;
    ret_account->available = info->available;
    ret_account->debits_pending = row->debits_pending;
    ret_account->credits_pending = row->credits_pending;
}

static int name_participant(const char *name, struct admin_request *request, struct err *err)
{
    if (!name || !node_name_parse(&request->participant, name, strlen(name)))
        return err_set(err, ERR_USAGE,
                       "'%.40s' is no participant's name: 1 to 31 characters of a-z, 0-9 and '-'",
                       name ? name : "");
    return 0;
}

/* Participant, account and, unless it is optional and left out, currency. */
static int name_account(const struct settle_account_key *key, bool currency_optional,
                        struct admin_request *request, struct account_key *ret_key, struct err *err)
{
    int rc = name_participant(key->participant, request, err);

    if (rc != 0)
        return rc;
    memset(ret_key, 0, sizeof(*ret_key));
    if (!key->account || !account_name_parse(&ret_key->account, key->account, strlen(key->account)))
        return err_set(err, ERR_USAGE,
                       "'%.60s' is no account's id: 1 to 34 characters of A-Z, 0-9 and '-'",
                       key->account ? key->account : "");
    if (!key->currency && currency_optional)
        return 0;
    if (!key->currency || !currency_parse(&ret_key->currency, key->currency, strlen(key->currency)))
        return err_set(err, ERR_USAGE, "'%.20s' is no currency: three capital letters",
                       key->currency ? key->currency : "");
    return 0;
}

/* Ask, and take the one account of the response. */
static int act(struct settle *settle, const struct admin_request *request, uint32_t timeout_ms,
               struct settle_account *ret_account, struct settle_error *ret_err)
{
    const struct admin_response *response;
    struct call call;
    struct err err;
    int rc = call_begin(&call, settle, timeout_ms, &err);

    if (rc != 0)
        return handle_error(ret_err, &err);
    response = call_need(&call, request, ADMIN_BODY_ACCOUNTS, &rc, ret_err);
    if (response && response->accounts.count != 1) {
        err_set(&err, ERR_PROTOCOL, "the participant answered with %u accounts, not with the one",
                response->accounts.count);
        rc = handle_error(ret_err, &err);
    } else if (response && ret_account) {
        to_public(&response->accounts.list[0], ret_account);
    }
    call_end(&call);
    return rc;
}

int settle_account_create(struct settle *settle, const struct settle_account_key *key, int system,
                          const int64_t *floor, struct settle_account *ret_account,
                          uint32_t timeout_ms, struct settle_error *ret_err)
{
    struct admin_request request = {.op = ADMIN_ACCOUNT_CREATE};
    struct account_key named;
    struct err err;

    if (name_account(key, false, &request, &named, &err) != 0)
        return handle_error(ret_err, &err);
    request.account_create.account = named.account;
    request.account_create.currency = named.currency;
    request.account_create.system = system != 0;
    request.account_create.has_floor = floor != NULL;
    request.account_create.floor = floor ? *floor : 0;
    return act(settle, &request, timeout_ms, ret_account, ret_err);
}

int settle_account_set(struct settle *settle, const struct settle_account_key *key,
                       const struct settle_account_change *change,
                       struct settle_account *ret_account, uint32_t timeout_ms,
                       struct settle_error *ret_err)
{
    struct admin_request request = {.op = ADMIN_ACCOUNT_SET};
    struct err err;
    int rc = name_account(key, false, &request, &request.account_set.key, &err);

    if (rc == 0 && (change->status < 0 || change->status > SETTLE_BLOCKED))
        rc = err_set(&err, ERR_USAGE,
                     "status is OPEN or a BLOCKED one; settle_account_close closes");
    if (rc != 0)
        return handle_error(ret_err, &err);
    request.account_set.has_status = change->status != 0;
    request.account_set.status = (enum account_status)change->status;
    request.account_set.has_floor = change->set_floor && !change->floor_none;
    request.account_set.floor_none = change->set_floor && change->floor_none;
    request.account_set.floor = request.account_set.has_floor ? change->floor : 0;
    return act(settle, &request, timeout_ms, ret_account, ret_err);
}

int settle_account_close(struct settle *settle, const struct settle_account_key *key,
                         struct settle_account *ret_account, uint32_t timeout_ms,
                         struct settle_error *ret_err)
{
    struct admin_request request = {.op = ADMIN_ACCOUNT_CLOSE};
    struct err err;

    if (name_account(key, false, &request, &request.account, &err) != 0)
        return handle_error(ret_err, &err);
    return act(settle, &request, timeout_ms, ret_account, ret_err);
}

/* ---- lists ---- */

static int take_accounts(struct list *list, const struct admin_response *response, struct err *err)
{
    for (uint16_t i = 0; i < response->accounts.count; i++) {
        struct settle_account *account = list_add(list, err);

        if (!account)
            return ERR_MEMORY;
        to_public(&response->accounts.list[i], account);
    }
    return 0;
}

int settle_account_show(struct settle *settle, const struct settle_account_key *key,
                        struct settle_account **ret_list, size_t *ret_count, uint32_t timeout_ms,
                        struct settle_error *ret_err)
{
    struct admin_request request = {.op = ADMIN_ACCOUNT_SHOW};
    struct list list = LIST_OF(struct settle_account);
    const struct admin_response *response;
    struct call call;
    struct err err;
    int rc = name_account(key, true, &request, &request.account, &err);

    if (rc == 0)
        rc = call_begin(&call, settle, timeout_ms, &err);
    if (rc != 0)
        return handle_error(ret_err, &err);
    response = call_need(&call, &request, ADMIN_BODY_ACCOUNTS, &rc, ret_err);
    if (response && take_accounts(&list, response, &err) != 0)
        rc = handle_error(ret_err, &err);
    call_end(&call);
    return list_give(&list, rc, (void **)ret_list, ret_count);
}

int settle_account_list(struct settle *settle, const char *participant,
                        struct settle_account **ret_list, size_t *ret_count, uint32_t timeout_ms,
                        struct settle_error *ret_err)
{
    struct admin_request request = {.op = ADMIN_ACCOUNT_LIST};
    struct list list = LIST_OF(struct settle_account);
    const struct admin_response *response;
    struct call call;
    struct err err;
    int rc = name_participant(participant, &request, &err);

    request.account_list.max = ACCOUNT_PAGE_MAX;
    if (rc == 0)
        rc = call_begin(&call, settle, timeout_ms, &err);
    if (rc != 0)
        return handle_error(ret_err, &err);
    do {
        response = call_need(&call, &request, ADMIN_BODY_ACCOUNTS, &rc, ret_err);
        if (response && take_accounts(&list, response, &err) != 0)
            rc = handle_error(ret_err, &err);
        request.account_list.cursor = response ? response->accounts.next : 0;
    } while (rc == 0 && request.account_list.cursor != 0);
    call_end(&call);
    return list_give(&list, rc, (void **)ret_list, ret_count);
}

void settle_accounts_free(struct settle_account *list)
{
    free(list);
}

/* ---- statements ---- */

static int take_entries(struct list *list, const struct admin_response *response, struct err *err)
{
    for (uint16_t i = 0; i < response->statement.entry_count; i++) {
        const struct entry *from = &response->statement.entries[i];
        struct settle_entry *entry = list_add(list, err);

        if (!entry)
            return ERR_MEMORY;
        memcpy(entry->id.bytes, from->id.bytes, sizeof(entry->id.bytes));
        entry->side = (enum settle_side)from->side;
        entry->amount = from->amount;
        entry->balance = from->balance;
        entry->committed_ms = timestamp_ms(from->timestamp);
        memcpy(entry->memo, from->memo, sizeof(entry->memo));
    }
    return 0;
}

/* How many to ask for next; 0 when the caller has enough. */
static uint16_t page(size_t max, size_t count)
{
    size_t left = max == 0 ? STATEMENT_PAGE_MAX : max - count;

    return (uint16_t)(left < STATEMENT_PAGE_MAX ? left : STATEMENT_PAGE_MAX);
}

int settle_account_statement(struct settle *settle, const struct settle_account_key *key,
                             size_t max, struct settle_entry **ret_list, size_t *ret_count,
                             uint32_t timeout_ms, struct settle_error *ret_err)
{
    struct admin_request request = {.op = ADMIN_STATEMENT};
    struct list list = LIST_OF(struct settle_entry);
    const struct admin_response *response;
    struct call call;
    struct err err;
    int rc = name_account(key, false, &request, &request.statement.key, &err);

    if (rc == 0)
        rc = call_begin(&call, settle, timeout_ms, &err);
    if (rc != 0)
        return handle_error(ret_err, &err);
    while (rc == 0 && (request.statement.max = page(max, list.count)) > 0) {
        response = call_need(&call, &request, ADMIN_BODY_STATEMENT, &rc, ret_err);
        if (response && take_entries(&list, response, &err) != 0)
            rc = handle_error(ret_err, &err);
        if (!response || response->statement.next.position == 0)
            break;
        request.statement.before = response->statement.next;
    }
    call_end(&call);
    return list_give(&list, rc, (void **)ret_list, ret_count);
}

void settle_entries_free(struct settle_entry *list)
{
    free(list);
}
