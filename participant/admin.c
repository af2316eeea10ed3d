/*
 * What operators ask of a participant, relayed by a coordinator.
 *
 * Acts change one account of this store and repeat without harm, so no leader's epoch is asked for.
 * Answers leave as everything does: behind what is journaled when they were made (R1), so nobody is
 * shown a balance that a crash could take back.
 */
#include "participant.h"

#include "base/assert.h"
#include "base/currency.h"

#include <stdio.h>

static struct admin_response *respond(struct envelope *ret_answer, const struct envelope *request,
                                      enum admin_body body)
{
    memset(ret_answer, 0, sizeof(*ret_answer));
    ret_answer->kind = WIRE_ADMIN_RESPONSE;
    ret_answer->request = request->request;
    ret_answer->admin_response.code = ADMIN_OK;
    ret_answer->admin_response.body = body;
    return &ret_answer->admin_response;
}

static void refuse(struct admin_response *response, enum reason reason)
{
    response->code = ADMIN_REFUSED;
    response->reason = reason;
    response->body = ADMIN_BODY_NONE;
    snprintf(response->text, sizeof(response->text), "%s", reason_text(reason));
}

static void describe(const struct account_row *row, struct account_info *ret_info)
{
    ret_info->row = *row;
    ret_info->has_available = ledger_available(row, &ret_info->available);
}

static void show_number(struct participant *p, uint32_t number, struct admin_response *response)
{
    struct account_info *info = arena_alloc(&p->arena, sizeof(*info));
    struct account_row row;

    ASSERT(info);
    ledger_row(p->ledger, number, &row);
    describe(&row, info);
    response->accounts.list = info;
    response->accounts.count = 1;
}

/* The end of each act: nothing to do, or journal and make true; then show what is so now. */
static void act(struct participant *p, enum reason reason, bool changed,
                const struct account_attributes *attributes, struct admin_response *response)
{
    if (reason != REASON_NONE) {
        refuse(response, reason);
        return;
    }
    if (changed)
        turn_account_record(p, attributes);
    show_number(p, attributes->number, response);
}

static uint32_t find(struct participant *p, const struct account_key *key)
{
    return ledger_find(p->ledger, &key->account, &key->currency);
}

/* While new work is refused for want of space, accounts are not made either. */
static bool may_act(struct participant *p, struct admin_response *response)
{
    if (p->admit == REASON_NONE)
        return true;
    refuse(response, p->admit);
    return false;
}

static void on_create(struct participant *p, const struct admin_request *request,
                      struct admin_response *response)
{
    struct account_attributes wanted, attributes;
    enum reason reason;
    bool changed;

    if (!may_act(p, response))
        return;
    memset(&wanted, 0, sizeof(wanted));
    wanted.name = request->account_create.account;
    wanted.currency = request->account_create.currency;
    wanted.system = request->account_create.system;
    wanted.has_floor = request->account_create.has_floor;
    wanted.floor = request->account_create.floor;
    reason = ledger_create(p->ledger, &wanted, &attributes, &changed);
    act(p, reason, changed, &attributes, response);
}

/* Both wishes are looked at before either is done: all or nothing. */
static void on_set(struct participant *p, const struct admin_request *request,
                   struct admin_response *response)
{
    const int64_t *floor = request->account_set.floor_none ? NULL : &request->account_set.floor;
    bool sets_floor = request->account_set.floor_none || request->account_set.has_floor;
    uint32_t number = find(p, &request->account_set.key);
    enum reason reason = REASON_NONE;
    struct account_attributes attributes;
    bool changed = false;

    if (number == SLOT_NONE) {
        refuse(response, REASON_ACCOUNT_UNKNOWN);
        return;
    }
    if (!may_act(p, response))
        return;
    if (request->account_set.has_status)
        reason = ledger_set_status(p->ledger, number, request->account_set.status, &attributes,
                                   &changed);
    if (reason == REASON_NONE && sets_floor)
        reason = ledger_set_floor(p->ledger, number, floor, &attributes, &changed);
    if (reason != REASON_NONE) {
        refuse(response, reason);
        return;
    }
    if (sets_floor && changed)
        turn_account_record(p, &attributes);
    if (request->account_set.has_status) {
        reason = ledger_set_status(p->ledger, number, request->account_set.status, &attributes,
                                   &changed);
        ASSERT(reason == REASON_NONE);
        if (changed)
            turn_account_record(p, &attributes);
    }
    show_number(p, number, response);
}

static void on_close(struct participant *p, const struct admin_request *request,
                     struct admin_response *response)
{
    uint32_t number = find(p, &request->account);
    struct account_attributes attributes;
    enum reason reason;
    bool changed;

    reason = ledger_close(p->ledger, number, &attributes, &changed);
    act(p, reason, changed, &attributes, response);
}

/* One account, or all of that name when no currency is given. */
static void on_show(struct participant *p, const struct admin_request *request,
                    struct admin_response *response)
{
    struct account_info *list = arena_alloc(&p->arena, sizeof(*list) * CURRENCIES_MAX);
    uint16_t count = 0;

    ASSERT(list);
    for (uint32_t i = 0; i < currency_count(); i++) {
        const struct currency *currency = &currency_at(i)->currency;
        struct account_row row;
        uint32_t number;

        if (request->account.currency.code[0] != '\0' &&
            !currency_equal(currency, &request->account.currency))
            continue;
        number = ledger_find(p->ledger, &request->account.account, currency);
        if (number == SLOT_NONE || count == ACCOUNT_PAGE_MAX)
            continue;
        ledger_row(p->ledger, number, &row);
        describe(&row, &list[count++]);
    }
    if (count == 0) {
        refuse(response, REASON_ACCOUNT_UNKNOWN);
        return;
    }
    response->accounts.list = list;
    response->accounts.count = count;
}

static void on_list(struct participant *p, const struct admin_request *request,
                    struct admin_response *response)
{
    struct account_info *list = arena_alloc(&p->arena, sizeof(*list) * ACCOUNT_PAGE_MAX);
    uint32_t cursor = request->account_list.cursor > UINT32_MAX
                          ? UINT32_MAX
                          : (uint32_t)request->account_list.cursor;
    struct account_row row;
    uint16_t count = 0;

    ASSERT(list && request->account_list.max <= ACCOUNT_PAGE_MAX);
    response->accounts.list = list;
    while (ledger_next(p->ledger, &cursor, &row)) {
        if (count == request->account_list.max) {
            response->accounts.next = row.attributes.number;
            break;
        }
        describe(&row, &list[count++]);
    }
    response->accounts.count = count;
}

/* An entry of the statement; a damaged or missing one is said, and nothing is guessed. */
static int read_entry(struct participant *p, const struct entry_ref *at, struct entry *ret_entry,
                      struct err *err)
{
    uint8_t key[STORE_KEY_ENTRY_SIZE], bytes[ENTRY_SIZE_MAX];
    size_t size;
    int rc;

    store_key_entry(key, at->position, at->index);
    rc = store_get(p->store, STORE_ENTRIES, key, sizeof(key), bytes, sizeof(bytes), &size, err);
    if (rc != 0)
        return rc;
    arena_reset(&p->scratch);
    return entry_decode(&p->scratch, bytes, size, ret_entry, err);
}

static void on_statement(struct participant *p, const struct admin_request *request,
                         struct admin_response *response)
{
    uint32_t number = find(p, &request->statement.key);
    struct entry *list = arena_alloc(&p->arena, sizeof(*list) * STATEMENT_PAGE_MAX);
    struct entry_ref at = request->statement.before;
    struct account_row row;
    struct err err;
    uint16_t count = 0;

    ASSERT(list && request->statement.max <= STATEMENT_PAGE_MAX);
    if (number == SLOT_NONE) {
        refuse(response, REASON_ACCOUNT_UNKNOWN);
        return;
    }
    ledger_row(p->ledger, number, &row);
    describe(&row, &response->statement.account);
    if (at.position == 0)
        at = row.last;
    if (at.position > p->batch.log_tail) { /* no page of ours said this: it never comes */
        refuse(response, REASON_MALFORMED);
        return;
    }
    turn_wait_durable(p, at.position); /* entries are read from the store */
    for (; at.position != 0 && count < request->statement.max; count++) {
        int rc = read_entry(p, &at, &list[count], &err);

        if (rc != 0 || list[count].account != number) {
            response->code = ADMIN_FAILED;
            response->body = ADMIN_BODY_NONE;
            snprintf(response->text, sizeof(response->text), "the statement cannot be read: %s",
                     rc != 0 ? err.text : "the cursor is not of this account");
            return;
        }
        at = list[count].previous;
    }
    response->statement.entries = list;
    response->statement.entry_count = count;
    response->statement.next = at;
}

static void on_status(struct participant *p, struct admin_response *response)
{
    const struct store_identity *identity = store_identity(p->store);
    const struct part_stats *stats = part_stats(p->part);
    struct participant_status *status = &response->participant_status;
    struct store_stats store;

    store_stats(p->store, &store);
    status->node = identity->node;
    status->store = identity->store_id;
    status->incarnation = identity->incarnation;
    status->uptime_ms = loop_now_ms(p->loop) - p->started_ms;
    status->prepared = stats->prepared_now;
    status->unresolved = stats->unresolved_now;
    status->accounts = ledger_stats(p->ledger)->accounts;
    status->committed = stats->committed;
    status->aborted = stats->aborted;
    status->ended = stats->ended;
    status->repeats = stats->repeats;
    status->conflicts = stats->conflicts;
    status->busy = stats->busy;
    status->stale_refused = stats->stale_refused;
    status->orphans_named = stats->orphans_named;
    status->contradictions = stats->contradictions;
    status->lmdb_commits = store.commits;
    status->journal_position = p->batch.log_tail;
    status->durable_position = outbox_durable(p->outbox);
    status->checkpoint_position = p->checkpoint.row.position;
    status->admit = p->admit;
    status->clock = part_clock(p->part);
}

/* How long ago the vote was made, by the wall clock: it survives restarts. */
static uint64_t age_ms(struct participant *p, const struct part_view *view)
{
    uint64_t then = timestamp_ms(view->prepare_timestamp);
    uint64_t now = loop_wall_ms(p->loop);

    return now > then ? now - then : 0;
}

static void describe_txn(struct participant *p, const struct part_view *view,
                         struct txn_info *ret_info)
{
    struct txn_party *parties = arena_alloc(&p->arena, sizeof(*parties) * PARTICIPANTS_MAX);
    struct net *value = arena_alloc(&p->arena, sizeof(*value) * NETS_MAX);

    ASSERT(parties && value);
    memset(ret_info, 0, sizeof(*ret_info));
    memset(parties, 0, sizeof(*parties) * PARTICIPANTS_MAX);
    ret_info->id = view->id;
    ret_info->digest = view->digest;
    ret_info->stage = txn_stage_of_state(view->state);
    ret_info->protocol = view->protocol;
    ret_info->group = view->group;
    ret_info->tag = view->last;
    ret_info->age_ms = age_ms(p, view);
    ret_info->reason = view->reason;
    ret_info->timestamp = view->state == STATE_COMMITTED ? view->commit_timestamp
                                                         : view->prepare_timestamp;
    for (uint16_t i = 0; i < view->party_count; i++) {
        parties[i].node = view->parties[i].node;
        parties[i].store = view->parties[i].store;
        parties[i].vote = VOTE_NONE;
        if (node_name_equal(&parties[i].node, &p->options.node))
            parties[i].vote = view->state == STATE_ABORTED ? VOTE_ABORTED : VOTE_YES;
    }
    for (uint16_t i = 0; i < view->net_count; i++) {
        value[i] = view->nets[i];
        if (value[i].amount < 0)
            value[i].amount = -value[i].amount;
    }
    ret_info->parties = parties;
    ret_info->party_count = view->party_count;
    ret_info->value = value;
    ret_info->value_count = view->net_count;
}

static void on_txn_list(struct participant *p, const struct admin_request *request,
                        struct admin_response *response)
{
    struct txn_info *list = arena_alloc(&p->arena, sizeof(*list) * TXN_PAGE_MAX);
    uint32_t cursor = request->txn_list.cursor > UINT32_MAX ? UINT32_MAX
                                                            : (uint32_t)request->txn_list.cursor;
    struct part_view view;
    uint16_t count = 0;

    ASSERT(list && request->txn_list.max <= TXN_PAGE_MAX);
    while (part_next(p->part, &cursor, &view)) {
        if (request->txn_list.has_stage &&
            txn_stage_of_state(view.state) != request->txn_list.stage)
            continue;
        if (age_ms(p, &view) < request->txn_list.older_than_ms)
            continue;
        if (count == request->txn_list.max) {
            response->txns.next = cursor - 1;
            break;
        }
        describe_txn(p, &view, &list[count++]);
    }
    response->txns.list = list;
    response->txns.count = count;
}

/* Who leads the transaction's group, as far as this store was told. */
static void name_coordinator(struct participant *p, const struct part_view *view,
                             struct node_name *ret_name)
{
    uint32_t handle = part_leader_peer(p->part, view->group);

    for (int i = 0; i < PARTICIPANT_PEERS_MAX; i++) {
        if (handle != PEER_NONE && p->peers[i].handle == handle)
            *ret_name = p->peers[i].hello.node;
    }
}

static void on_txn_show(struct participant *p, const struct admin_request *request,
                        struct admin_response *response)
{
    struct part_view view;
    uint8_t *bytes;
    int size;

    if (!part_find(p->part, &request->txn_show.id, &view)) {
        response->body = ADMIN_BODY_NONE; /* nothing unresolved under this id */
        return;
    }
    describe_txn(p, &view, &response->txn.info);
    name_coordinator(p, &view, &response->txn.coordinator);
    if (view.state != STATE_PREPARED)
        return;
    bytes = arena_alloc(&p->arena, BRANCH_ENCODED_MAX);
    ASSERT(bytes);
    ledger_hold_branch(p->ledger, view.hold, &p->branch);
    arena_reset(&p->scratch);
    size = branch_encode(&p->scratch, &p->branch, bytes, BRANCH_ENCODED_MAX);
    ASSERT(size > 0);
    response->txn.branch.bytes = bytes;
    response->txn.branch.size = (uint32_t)size;
}

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
    case ADMIN_CLUSTER:
    case ADMIN_AUDIT:
        return ADMIN_BODY_NONE;
    }
    return ADMIN_BODY_NONE;
}

static void dispatch(struct participant *p, const struct admin_request *request,
                     struct admin_response *response)
{
    switch (request->op) {
    case ADMIN_ACCOUNT_CREATE:
        on_create(p, request, response);
        break;
    case ADMIN_ACCOUNT_SET:
        on_set(p, request, response);
        break;
    case ADMIN_ACCOUNT_CLOSE:
        on_close(p, request, response);
        break;
    case ADMIN_ACCOUNT_SHOW:
        on_show(p, request, response);
        break;
    case ADMIN_ACCOUNT_LIST:
        on_list(p, request, response);
        break;
    case ADMIN_STATEMENT:
        on_statement(p, request, response);
        break;
    case ADMIN_PARTICIPANT_STATUS:
        on_status(p, response);
        break;
    case ADMIN_TXN_LIST:
        on_txn_list(p, request, response);
        break;
    case ADMIN_TXN_SHOW:
        on_txn_show(p, request, response);
        break;
    case ADMIN_STATUS:
    case ADMIN_CLUSTER:
    case ADMIN_AUDIT:
        refuse(response, REASON_MALFORMED); /* a coordinator's */
        break;
    }
}

void admin_on_request(struct participant *p, uint32_t peer, const struct envelope *request)
{
    struct envelope answer;
    struct admin_response *response = respond(&answer, request, body_of(request->admin_request.op));

    dispatch(p, &request->admin_request, response);
    turn_send(p, peer, &answer);
}
