/*
 * Responses to operators: the shell, accounts, statements, audits. Status stands in codec_status.c,
 * transactions in codec_txn.c.
 */
#include "base/assert.h"
#include "wire/internal.h"

/* ---- accounts ---- */

static bool take_account(struct decoder *d, const Settle__V1__AccountInfo *m,
                         struct account_info *info)
{
    if (!m->row)
        return take_fail(d, "row", "is missing");
    info->has_available = m->has_available != 0;
    return take_account_row(d, m->row, &info->row) &&
           take_sint(d, SINT(m, available), INT64_MIN, &info->available);
}

static bool put_account(struct arena *scratch, const struct account_info *info,
                        Settle__V1__AccountInfo *m)
{
    settle__v1__account_info__init(m);
    if (info->has_available)
        PUT(m, available, info->available);
    return put_account_row(scratch, &info->row, &m->row);
}

static bool take_accounts(struct decoder *d, const Settle__V1__Accounts *m,
                          struct admin_response *r)
{
    struct account_info *list;

    if (!take_count(d, "account", m->n_account, 0, ACCOUNT_PAGE_MAX) ||
        !take_u64(d, UINT(m, next), OPTIONAL, &r->accounts.next))
        return false;
    list = take_room(d, m->n_account, sizeof(*list));
    if (!list && m->n_account > 0)
        return false;
    for (size_t i = 0; i < m->n_account; i++) {
        if (!take_account(d, m->account[i], &list[i]))
            return take_fail_at(d, "account", i);
    }
    r->accounts.list = list;
    r->accounts.count = (uint16_t)m->n_account;
    return true;
}

static bool put_accounts(struct arena *scratch, const struct admin_response *r,
                         Settle__V1__Accounts **ret_message)
{
    Settle__V1__AccountInfo *list;
    Settle__V1__Accounts *m;

    ASSERT(r->accounts.count <= ACCOUNT_PAGE_MAX);
    if (!NEW(scratch, m, settle__v1__accounts__init))
        return false;
    PUT_NONZERO(m, next, r->accounts.next);
    m->n_account = r->accounts.count;
    list = put_room(scratch, m->n_account, sizeof(*list), &m->account);
    if (!list)
        return false;
    for (size_t i = 0; i < m->n_account; i++) {
        if (!put_account(scratch, &r->accounts.list[i], &list[i]))
            return false;
    }
    *ret_message = m;
    return true;
}

static bool take_entries(struct decoder *d, const Settle__V1__StatementPage *m,
                         struct admin_response *r)
{
    struct entry *entries;

    if (!take_count(d, "entry", m->n_entry, 0, STATEMENT_PAGE_MAX))
        return false;
    entries = take_room(d, m->n_entry, sizeof(*entries));
    if (!entries && m->n_entry > 0)
        return false;
    for (size_t i = 0; i < m->n_entry; i++) {
        if (!take_entry(d, m->entry[i], &entries[i]))
            return take_fail_at(d, "entry", i);
    }
    r->statement.entries = entries;
    r->statement.entry_count = (uint16_t)m->n_entry;
    return true;
}

static bool take_statement_page(struct decoder *d, const Settle__V1__StatementPage *m,
                                struct admin_response *r)
{
    if (!m->account)
        return take_fail(d, "account", "is missing");
    return take_account(d, m->account, &r->statement.account) && take_entries(d, m, r) &&
           (!m->next || take_entry_ref(d, m->next, &r->statement.next));
}

static bool put_statement_page(struct arena *scratch, const struct admin_response *r,
                               Settle__V1__StatementPage **ret_message)
{
    Settle__V1__StatementPage *m;
    Settle__V1__Entry *entries;

    ASSERT(r->statement.entry_count <= STATEMENT_PAGE_MAX);
    if (!NEW(scratch, m, settle__v1__statement_page__init))
        return false;
    *ret_message = m;
    m->n_entry = r->statement.entry_count;
    m->account = arena_alloc(scratch, sizeof(*m->account));
    entries = put_room(scratch, m->n_entry, sizeof(*entries), &m->entry);
    if (!m->account || !entries)
        return false;
    for (size_t i = 0; i < m->n_entry; i++) {
        if (!put_entry(scratch, &r->statement.entries[i], &entries[i]))
            return false;
    }
    return put_account(scratch, &r->statement.account, m->account) &&
           put_entry_ref(scratch, r->statement.next, &m->next);
}

/* ---- audit ---- */

/* Two's complement, 16 bytes, big-endian: the sign stands in the high half. */
static bool take_int128(struct decoder *d, struct bytes_field field, int128 *ret_value)
{
    uint64_t high = 0, low = 0;
    uint8_t bytes[16];

    if (!take_16(d, field, OPTIONAL, bytes))
        return false;
    for (size_t i = 0; i < 8; i++) {
        high = high << 8 | bytes[i];
        low = low << 8 | bytes[8 + i];
    }
    *ret_value = (int128)(int64_t)high * ((int128)UINT64_MAX + 1) + low;
    return true;
}

static bool put_int128(struct arena *scratch, int128 value, ProtobufCBinaryData *ret_data)
{
    uint8_t *bytes = arena_alloc(scratch, 16);

    if (!bytes)
        return false;
    for (int i = 15; i >= 0; i--) {
        bytes[i] = (uint8_t)(value & 0xff);
        value >>= 8;
    }
    *ret_data = pb_bytes(bytes, 16);
    return true;
}

static bool take_audit_lines(struct decoder *d, const Settle__V1__AuditResult *m,
                             struct admin_response *r)
{
    struct audit_line *lines;

    if (!take_count(d, "line", m->n_line, 0, CURRENCIES_MAX))
        return false;
    lines = take_room(d, m->n_line, sizeof(*lines));
    if (!lines && m->n_line > 0)
        return false;
    for (size_t i = 0; i < m->n_line; i++) {
        const Settle__V1__AuditLine *line = m->line[i];

        if (!take_currency(d, BYTES(line, currency), NEEDED, &lines[i].currency) ||
            !take_int128(d, BYTES(line, posted), &lines[i].posted) ||
            !take_int128(d, BYTES(line, in_doubt), &lines[i].in_doubt))
            return take_fail_at(d, "line", i);
    }
    r->audit.lines = lines;
    r->audit.line_count = (uint16_t)m->n_line;
    return true;
}

static bool take_missing(struct decoder *d, const Settle__V1__AuditResult *m,
                         struct admin_response *r)
{
    struct node_name *missing;

    if (!take_count(d, "missing", m->n_missing, 0, MEMBERS_MAX))
        return false;
    missing = take_room(d, m->n_missing, sizeof(*missing));
    if (!missing && m->n_missing > 0)
        return false;
    for (size_t i = 0; i < m->n_missing; i++) {
        struct bytes_field field = {.name = "name", .has = true, .value = m->missing[i]};

        if (!take_node(d, field, NEEDED, &missing[i]))
            return take_fail_at(d, "missing", i);
    }
    r->audit.missing = missing;
    r->audit.missing_count = (uint16_t)m->n_missing;
    return true;
}

static bool take_audit_result(struct decoder *d, const Settle__V1__AuditResult *m,
                              struct admin_response *r)
{
    return take_u64(d, UINT(m, timestamp), OPTIONAL, &r->audit.timestamp) &&
           take_u32(d, UINT(m, doubts), OPTIONAL, &r->audit.doubt_count) &&
           take_audit_lines(d, m, r) && take_missing(d, m, r);
}

static bool put_audit_lines(struct arena *scratch, const struct admin_response *r,
                            Settle__V1__AuditResult *m)
{
    Settle__V1__AuditLine *lines;

    ASSERT(r->audit.line_count <= CURRENCIES_MAX);
    m->n_line = r->audit.line_count;
    lines = put_room(scratch, m->n_line, sizeof(*lines), &m->line);
    if (!lines)
        return false;
    for (size_t i = 0; i < m->n_line; i++) {
        settle__v1__audit_line__init(&lines[i]);
        PUT(&lines[i], currency, pb_text(r->audit.lines[i].currency.code));
        lines[i].has_posted = 1;
        lines[i].has_in_doubt = 1;
        if (!put_int128(scratch, r->audit.lines[i].posted, &lines[i].posted) ||
            !put_int128(scratch, r->audit.lines[i].in_doubt, &lines[i].in_doubt))
            return false;
    }
    return true;
}

static bool put_audit_result(struct arena *scratch, const struct admin_response *r,
                             Settle__V1__AuditResult **ret_message)
{
    Settle__V1__AuditResult *m;

    ASSERT(r->audit.missing_count <= MEMBERS_MAX);
    if (!NEW(scratch, m, settle__v1__audit_result__init))
        return false;
    PUT_NONZERO(m, timestamp, r->audit.timestamp);
    PUT_NONZERO(m, doubts, r->audit.doubt_count);
    m->n_missing = r->audit.missing_count;
    m->missing = arena_alloc(scratch, sizeof(*m->missing) * m->n_missing);
    if (!m->missing)
        return false;
    for (size_t i = 0; i < m->n_missing; i++)
        m->missing[i] = pb_text(r->audit.missing[i].text);
    *ret_message = m;
    return put_audit_lines(scratch, r, m);
}

/* ---- transactions ---- */

static bool take_txns(struct decoder *d, const Settle__V1__Txns *m, struct admin_response *r)
{
    struct txn_info *list;

    if (!take_count(d, "txn", m->n_txn, 0, TXN_PAGE_MAX) ||
        !take_u64(d, UINT(m, next), OPTIONAL, &r->txns.next))
        return false;
    list = take_room(d, m->n_txn, sizeof(*list));
    if (!list && m->n_txn > 0)
        return false;
    for (size_t i = 0; i < m->n_txn; i++) {
        if (!take_txn_info(d, m->txn[i], &list[i]))
            return take_fail_at(d, "txn", i);
    }
    r->txns.list = list;
    r->txns.count = (uint16_t)m->n_txn;
    return true;
}

static bool put_txns(struct arena *scratch, const struct admin_response *r,
                     Settle__V1__Txns **ret_message)
{
    Settle__V1__TxnInfo *list;
    Settle__V1__Txns *m;

    ASSERT(r->txns.count <= TXN_PAGE_MAX);
    if (!NEW(scratch, m, settle__v1__txns__init))
        return false;
    PUT_NONZERO(m, next, r->txns.next);
    m->n_txn = r->txns.count;
    list = put_room(scratch, m->n_txn, sizeof(*list), &m->txn);
    if (!list)
        return false;
    for (size_t i = 0; i < m->n_txn; i++) {
        if (!put_txn_info(scratch, &r->txns.list[i], &list[i]))
            return false;
    }
    *ret_message = m;
    return true;
}

static bool take_txn_detail(struct decoder *d, const Settle__V1__TxnDetail *m,
                            struct admin_response *r)
{
    if (!m->txn)
        return take_fail(d, "txn", "is missing");
    return take_txn_info(d, m->txn, &r->txn.info) &&
           (!m->has_branch || take_blob(d, BYTES(m, branch), BRANCH_SIZE_MAX, &r->txn.branch)) &&
           take_node(d, BYTES(m, coordinator), OPTIONAL, &r->txn.coordinator);
}

static bool put_txn_detail(struct arena *scratch, const struct admin_response *r,
                           Settle__V1__TxnDetail **ret_message)
{
    Settle__V1__TxnDetail *m;

    ASSERT(r->txn.branch.size <= BRANCH_SIZE_MAX);
    if (!NEW(scratch, m, settle__v1__txn_detail__init))
        return false;
    *ret_message = m;
    if (r->txn.branch.size > 0)
        PUT(m, branch, pb_bytes(r->txn.branch.bytes, r->txn.branch.size));
    PUT_TEXT(m, coordinator, r->txn.coordinator.text);
    m->txn = arena_alloc(scratch, sizeof(*m->txn));
    return m->txn && put_txn_info(scratch, &r->txn.info, m->txn);
}

/* ---- the shell ---- */

static enum admin_body body_of(enum admin_op op)
{
    switch (op) {
    case ADMIN_ACCOUNT_CREATE:
    case ADMIN_ACCOUNT_SET:
    case ADMIN_ACCOUNT_CLOSE:
    case ADMIN_ACCOUNT_SHOW:
    case ADMIN_ACCOUNT_LIST:
        return ADMIN_BODY_ACCOUNTS;
    case ADMIN_STATEMENT:
        return ADMIN_BODY_STATEMENT;
    case ADMIN_PARTICIPANT_STATUS:
        return ADMIN_BODY_PARTICIPANT_STATUS;
    case ADMIN_TXN_LIST:
        return ADMIN_BODY_TXNS;
    case ADMIN_TXN_SHOW:
        return ADMIN_BODY_TXN;
    case ADMIN_STATUS:
        return ADMIN_BODY_STATUS;
    case ADMIN_CLUSTER:
        return ADMIN_BODY_CLUSTER;
    case ADMIN_AUDIT:
        return ADMIN_BODY_AUDIT;
    }
    return ADMIN_BODY_NONE;
}

bool admin_answers(enum admin_op op, const struct admin_response *response)
{
    if (response->body == ADMIN_BODY_NONE)
        return response->code != ADMIN_OK || op == ADMIN_TXN_SHOW;
    return response->code == ADMIN_OK && response->body == body_of(op);
}

static bool take_response_body(struct decoder *d, const Settle__V1__AdminResponse *m,
                               struct admin_response *r)
{
    switch (r->body) {
    case ADMIN_BODY_NONE:
        return true;
    case ADMIN_BODY_ACCOUNTS:
        return take_accounts(d, m->accounts, r) || take_fail_in(d, "accounts");
    case ADMIN_BODY_STATEMENT:
        return take_statement_page(d, m->statement, r) || take_fail_in(d, "statement");
    case ADMIN_BODY_PARTICIPANT_STATUS:
        return take_participant_status(d, m->participant_status, &r->participant_status) ||
               take_fail_in(d, "participant_status");
    case ADMIN_BODY_TXNS:
        return take_txns(d, m->txns, r) || take_fail_in(d, "txns");
    case ADMIN_BODY_TXN:
        return take_txn_detail(d, m->txn, r) || take_fail_in(d, "txn");
    case ADMIN_BODY_STATUS:
        return take_status(d, m->status, &r->status) || take_fail_in(d, "status");
    case ADMIN_BODY_CLUSTER:
        return take_cluster(d, m->cluster, &r->cluster) || take_fail_in(d, "cluster");
    case ADMIN_BODY_AUDIT:
        return take_audit_result(d, m->audit, r) || take_fail_in(d, "audit");
    }
    UNREACHABLE();
}

bool take_admin_response(struct decoder *d, const Settle__V1__AdminResponse *m,
                         struct admin_response *ret_response)
{
    int code = take_enum(d, UINT(m, code), NEEDED,
                         ONE_OF(ADMIN_OK) | ONE_OF(ADMIN_REFUSED) | ONE_OF(ADMIN_UNAVAILABLE) |
                             ONE_OF(ADMIN_UNKNOWN) | ONE_OF(ADMIN_FAILED));

    ret_response->body = (enum admin_body)m->body_case;
    ret_response->has_redirect = m->redirect != NULL;
    if (code >= 0 && take_reason(d, UINT(m, reason), &ret_response->reason) &&
        take_text(d, BYTES(m, text), TEXT_SIZE, ret_response->text) &&
        (!m->redirect || take_redirect(d, m->redirect, &ret_response->redirect)) &&
        take_response_body(d, m, ret_response)) {
        ret_response->code = (enum admin_code)code;
        return true;
    }
    return take_fail_in(d, "admin_response");
}

static bool put_response_body(struct arena *scratch, const struct admin_response *r,
                              Settle__V1__AdminResponse *m)
{
    switch (r->body) {
    case ADMIN_BODY_NONE:
        return true;
    case ADMIN_BODY_ACCOUNTS:
        return put_accounts(scratch, r, &m->accounts);
    case ADMIN_BODY_STATEMENT:
        return put_statement_page(scratch, r, &m->statement);
    case ADMIN_BODY_PARTICIPANT_STATUS:
        return put_participant_status(scratch, &r->participant_status, &m->participant_status);
    case ADMIN_BODY_TXNS:
        return put_txns(scratch, r, &m->txns);
    case ADMIN_BODY_TXN:
        return put_txn_detail(scratch, r, &m->txn);
    case ADMIN_BODY_STATUS:
        return put_status(scratch, &r->status, &m->status);
    case ADMIN_BODY_CLUSTER:
        return put_cluster(scratch, &r->cluster, &m->cluster);
    case ADMIN_BODY_AUDIT:
        return put_audit_result(scratch, r, &m->audit);
    }
    UNREACHABLE();
}

bool put_admin_response(struct arena *scratch, const struct admin_response *response,
                        Settle__V1__AdminResponse **ret_message)
{
    Settle__V1__AdminResponse *m;

    if (!NEW(scratch, m, settle__v1__admin_response__init))
        return false;
    PUT(m, code, (Settle__V1__AdminCode)response->code);
    PUT_NONZERO(m, reason, (uint32_t)response->reason);
    m->has_text = response->text[0] != '\0';
    m->body_case = (Settle__V1__AdminResponse__BodyCase)response->body;
    *ret_message = m;
    return put_sentence(scratch, response->text, &m->text) &&
           (!response->has_redirect || put_redirect(scratch, &response->redirect, &m->redirect)) &&
           put_response_body(scratch, response, m);
}
