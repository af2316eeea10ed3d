/*
 * Requests of operators.
 */
#include "base/assert.h"
#include "wire/internal.h"

static bool take_key(struct decoder *d, const Settle__V1__AccountKey *m,
                     struct account_key *ret_key)
{
    if (!m)
        return take_fail(d, "key", "is missing");
    return take_account_name(d, BYTES(m, account), &ret_key->account) &&
           take_currency(d, BYTES(m, currency), OPTIONAL, &ret_key->currency);
}

static bool put_key(struct arena *scratch, const struct account_key *key,
                    Settle__V1__AccountKey **ret_message)
{
    if (!NEW(scratch, *ret_message, settle__v1__account_key__init))
        return false;
    PUT(*ret_message, account, pb_text(key->account.text));
    PUT_TEXT(*ret_message, currency, key->currency.code);
    return true;
}

static bool take_create(struct decoder *d, const Settle__V1__AccountCreate *m,
                        struct admin_request *r)
{
    r->account_create.system = m->has_system && m->system;
    r->account_create.has_floor = m->has_floor != 0;
    return take_account_name(d, BYTES(m, account), &r->account_create.account) &&
           take_currency(d, BYTES(m, currency), NEEDED, &r->account_create.currency) &&
           take_sint(d, SINT(m, floor), INT64_MIN, &r->account_create.floor);
}

static bool put_create(struct arena *scratch, const struct admin_request *r,
                       Settle__V1__AccountCreate **ret_message)
{
    Settle__V1__AccountCreate *m;

    if (!NEW(scratch, m, settle__v1__account_create__init))
        return false;
    PUT(m, account, pb_text(r->account_create.account.text));
    PUT(m, currency, pb_text(r->account_create.currency.code));
    if (r->account_create.system)
        PUT(m, system, true);
    if (r->account_create.has_floor)
        PUT(m, floor, r->account_create.floor);
    *ret_message = m;
    return true;
}

static bool take_set(struct decoder *d, const Settle__V1__AccountSet *m, struct admin_request *r)
{
    int status = take_enum(d, UINT(m, status), OPTIONAL,
                           ACCOUNT_STATUSES & ~ONE_OF(ACCOUNT_CLOSED));

    if (status < 0)
        return false;
    r->account_set.has_status = m->has_status != 0;
    r->account_set.status = (enum account_status)status;
    r->account_set.has_floor = m->has_floor != 0;
    r->account_set.floor_none = m->has_floor_none && m->floor_none;
    if (r->account_set.has_floor && r->account_set.floor_none)
        return take_fail(d, "floor", "stands beside floor_none");
    return take_key(d, m->key, &r->account_set.key) &&
           take_sint(d, SINT(m, floor), INT64_MIN, &r->account_set.floor);
}

static bool put_set(struct arena *scratch, const struct admin_request *r,
                    Settle__V1__AccountSet **ret_message)
{
    Settle__V1__AccountSet *m;

    if (!NEW(scratch, m, settle__v1__account_set__init))
        return false;
    if (r->account_set.has_status)
        PUT(m, status, (Settle__V1__AccountStatus)r->account_set.status);
    if (r->account_set.has_floor)
        PUT(m, floor, r->account_set.floor);
    if (r->account_set.floor_none)
        PUT(m, floor_none, true);
    *ret_message = m;
    return put_key(scratch, &r->account_set.key, &m->key);
}

static bool take_account_list(struct decoder *d, const Settle__V1__AccountList *m,
                              struct admin_request *r)
{
    return take_u64(d, UINT(m, cursor), OPTIONAL, &r->account_list.cursor) &&
           take_u16(d, UINT(m, max), NEEDED, ACCOUNT_PAGE_MAX, &r->account_list.max);
}

static bool put_account_list(struct arena *scratch, const struct admin_request *r,
                             Settle__V1__AccountList **ret_message)
{
    if (!NEW(scratch, *ret_message, settle__v1__account_list__init))
        return false;
    PUT_NONZERO(*ret_message, cursor, r->account_list.cursor);
    PUT(*ret_message, max, r->account_list.max);
    return true;
}

static bool take_statement(struct decoder *d, const Settle__V1__Statement *m,
                           struct admin_request *r)
{
    return take_key(d, m->key, &r->statement.key) &&
           (!m->before || take_entry_ref(d, m->before, &r->statement.before)) &&
           take_u16(d, UINT(m, max), NEEDED, STATEMENT_PAGE_MAX, &r->statement.max);
}

static bool put_statement(struct arena *scratch, const struct admin_request *r,
                          Settle__V1__Statement **ret_message)
{
    Settle__V1__Statement *m;

    if (!NEW(scratch, m, settle__v1__statement__init))
        return false;
    PUT(m, max, r->statement.max);
    *ret_message = m;
    return put_key(scratch, &r->statement.key, &m->key) &&
           put_entry_ref(scratch, r->statement.before, &m->before);
}

static bool take_txn_list(struct decoder *d, const Settle__V1__TxnList *m, struct admin_request *r)
{
    int stage = take_enum(d, UINT(m, stage), OPTIONAL, txn_stages_all());

    if (stage < 0)
        return false;
    r->txn_list.has_stage = m->has_stage != 0;
    r->txn_list.stage = (enum txn_stage)stage;
    return take_u64(d, UINT(m, cursor), OPTIONAL, &r->txn_list.cursor) &&
           take_u16(d, UINT(m, max), NEEDED, TXN_PAGE_MAX, &r->txn_list.max) &&
           take_u64(d, UINT(m, older_than_ms), OPTIONAL, &r->txn_list.older_than_ms);
}

static bool put_txn_list(struct arena *scratch, const struct admin_request *r,
                         Settle__V1__TxnList **ret_message)
{
    Settle__V1__TxnList *m;

    if (!NEW(scratch, m, settle__v1__txn_list__init))
        return false;
    PUT_NONZERO(m, cursor, r->txn_list.cursor);
    PUT(m, max, r->txn_list.max);
    if (r->txn_list.has_stage)
        PUT(m, stage, (Settle__V1__TxnStage)r->txn_list.stage);
    PUT_NONZERO(m, older_than_ms, r->txn_list.older_than_ms);
    *ret_message = m;
    return true;
}

static bool put_txn_show(struct arena *scratch, const struct admin_request *r,
                         Settle__V1__TxnShow **ret_message)
{
    if (!NEW(scratch, *ret_message, settle__v1__txn_show__init))
        return false;
    PUT_16(*ret_message, id, &r->txn_show.id);
    return true;
}

static bool take_audit(struct decoder *d, const Settle__V1__Audit *m, struct admin_request *r)
{
    uint64_t deadline_ms;

    if (!take_uint(d, UINT(m, deadline_ms), NEEDED, DEADLINE_MAX_MS, &deadline_ms))
        return false;
    r->audit.deadline_ms = (uint32_t)deadline_ms;
    return true;
}

static bool put_audit(struct arena *scratch, const struct admin_request *r,
                      Settle__V1__Audit **ret_message)
{
    if (!NEW(scratch, *ret_message, settle__v1__audit__init))
        return false;
    PUT(*ret_message, deadline_ms, r->audit.deadline_ms);
    return true;
}

static const char *op_name(enum admin_op op)
{
    switch (op) {
    case ADMIN_ACCOUNT_CREATE:
        return "account_create";
    case ADMIN_ACCOUNT_SET:
        return "account_set";
    case ADMIN_ACCOUNT_CLOSE:
        return "account_close";
    case ADMIN_ACCOUNT_SHOW:
        return "account_show";
    case ADMIN_ACCOUNT_LIST:
        return "account_list";
    case ADMIN_STATEMENT:
        return "statement";
    case ADMIN_PARTICIPANT_STATUS:
        return "participant_status";
    case ADMIN_TXN_LIST:
        return "txn_list";
    case ADMIN_TXN_SHOW:
        return "txn_show";
    case ADMIN_STATUS:
        return "status";
    case ADMIN_CLUSTER:
        return "cluster";
    case ADMIN_AUDIT:
        return "audit";
    }
    return "admin_request";
}

static bool take_op(struct decoder *d, const Settle__V1__AdminRequest *m, struct admin_request *r)
{
    switch (r->op) {
    case ADMIN_ACCOUNT_CREATE:
        return take_create(d, m->account_create, r);
    case ADMIN_ACCOUNT_SET:
        return take_set(d, m->account_set, r);
    case ADMIN_ACCOUNT_CLOSE:
        return take_key(d, m->account_close, &r->account);
    case ADMIN_ACCOUNT_SHOW:
        return take_key(d, m->account_show, &r->account);
    case ADMIN_ACCOUNT_LIST:
        return take_account_list(d, m->account_list, r);
    case ADMIN_STATEMENT:
        return take_statement(d, m->statement, r);
    case ADMIN_TXN_LIST:
        return take_txn_list(d, m->txn_list, r);
    case ADMIN_TXN_SHOW:
        return take_16(d, BYTES(m->txn_show, id), NEEDED, r->txn_show.id.bytes);
    case ADMIN_AUDIT:
        return take_audit(d, m->audit, r);
    case ADMIN_PARTICIPANT_STATUS:
    case ADMIN_STATUS:
    case ADMIN_CLUSTER:
        return true;
    }
    return take_fail(d, "op", "is none this release knows");
}

/* Whether the request is for a participant, which must then be named, or for the coordinator. */
static bool check_addressee(struct decoder *d, const struct admin_request *r)
{
    bool named = r->participant.text[0] != '\0';

    if (r->op < ADMIN_TXN_LIST && !named)
        return take_fail(d, "participant", "is missing");
    if (r->op >= ADMIN_STATUS && named)
        return take_fail(d, "participant", "is named, but the coordinator is asked");
    return true;
}

bool take_admin_request(struct decoder *d, const Settle__V1__AdminRequest *m,
                        struct admin_request *ret_request)
{
    ret_request->op = (enum admin_op)m->op_case;
    if (take_node(d, BYTES(m, participant), OPTIONAL, &ret_request->participant) &&
        take_op(d, m, ret_request) && check_addressee(d, ret_request))
        return true;
    return take_fail_in(d, op_name(ret_request->op));
}

static bool put_op(struct arena *scratch, const struct admin_request *r,
                   Settle__V1__AdminRequest *m)
{
    switch (r->op) {
    case ADMIN_ACCOUNT_CREATE:
        return put_create(scratch, r, &m->account_create);
    case ADMIN_ACCOUNT_SET:
        return put_set(scratch, r, &m->account_set);
    case ADMIN_ACCOUNT_CLOSE:
        return put_key(scratch, &r->account, &m->account_close);
    case ADMIN_ACCOUNT_SHOW:
        return put_key(scratch, &r->account, &m->account_show);
    case ADMIN_ACCOUNT_LIST:
        return put_account_list(scratch, r, &m->account_list);
    case ADMIN_STATEMENT:
        return put_statement(scratch, r, &m->statement);
    case ADMIN_PARTICIPANT_STATUS:
        return NEW(scratch, m->participant_status, settle__v1__participant_status_request__init);
    case ADMIN_TXN_LIST:
        return put_txn_list(scratch, r, &m->txn_list);
    case ADMIN_TXN_SHOW:
        return put_txn_show(scratch, r, &m->txn_show);
    case ADMIN_STATUS:
        return NEW(scratch, m->status, settle__v1__status_request__init);
    case ADMIN_CLUSTER:
        return NEW(scratch, m->cluster, settle__v1__cluster_request__init);
    case ADMIN_AUDIT:
        return put_audit(scratch, r, &m->audit);
    }
    UNREACHABLE();
}

bool put_admin_request(struct arena *scratch, const struct admin_request *request,
                       Settle__V1__AdminRequest **ret_message)
{
    if (!NEW(scratch, *ret_message, settle__v1__admin_request__init))
        return false;
    PUT_TEXT(*ret_message, participant, request->participant.text);
    (*ret_message)->op_case = (Settle__V1__AdminRequest__OpCase)request->op;
    return put_op(scratch, request, *ret_message);
}
