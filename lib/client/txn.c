/*
 * What is in flight: coordinators' views, and what participants hold PREPARED that nobody follows.
 */
#include "base/assert.h"
#include "client/call.h"
#include "client/list.h"
#include "client/members.h"
#include "settle/admin.h"

#include <stdio.h>

static void take_parties(const struct txn_info *info, struct settle_txn *txn)
{
    size_t max = sizeof(txn->parties) / sizeof(txn->parties[0]);

    for (uint16_t i = 0; i < info->party_count && txn->party_count < max; i++) {
        struct settle_txn_party *party = &txn->parties[txn->party_count++];

        snprintf(party->participant, sizeof(party->participant), "%s", info->parties[i].node.text);
        snprintf(party->vote, sizeof(party->vote), "%s", txn_vote_name(info->parties[i].vote));
        party->waiting = info->parties[i].waiting;
    }
}

static void to_public(const struct txn_info *info, const char *seen_by, struct settle_txn *txn)
{
    memcpy(txn->id.bytes, info->id.bytes, sizeof(txn->id.bytes));
    snprintf(txn->state, sizeof(txn->state), "%s", txn_stage_name(info->stage));
    txn->protocol = (enum settle_protocol)info->protocol;
    txn->group = info->group;
    txn->epoch = info->tag.epoch;
    txn->age_ms = info->age_ms;
    txn->has_deadline = info->has_deadline;
    txn->deadline_in_ms = info->deadline_in_ms;
    txn->reason = info->reason;
    snprintf(txn->seen_by, sizeof(txn->seen_by), "%s", seen_by);
    snprintf(txn->error, sizeof(txn->error), "%s", info->error);
    take_parties(info, txn);
    for (uint16_t i = 0; i < info->value_count && i < NETS_MAX; i++) {
        snprintf(txn->value[i].currency, sizeof(txn->value[i].currency), "%s",
                 info->value[i].currency.code);
        txn->value[i].amount = info->value[i].amount;
        txn->value_count++;
    }
}

/* Whom to ask, and how. */
struct source {
    const char *address;     /* of a coordinator */
    const char *participant; /* NULL: the coordinator itself */
    const char *name;        /* whose view it is */
};

/* All pages of one source; one that does not answer has none. */
static int take_list(struct call *call, const struct source *source, uint64_t older_than_ms,
                     struct list *list, struct err *err)
{
    struct admin_request request = {.op = ADMIN_TXN_LIST};
    const struct admin_response *response;

    request.txn_list.max = TXN_PAGE_MAX;
    request.txn_list.older_than_ms = older_than_ms;
    if (source->participant) {
        if (!node_name_parse(&request.participant, source->participant,
                             strlen(source->participant)))
            return 0;
        request.txn_list.has_stage = true;
        request.txn_list.stage = TXN_PREPARED;
    }
    do {
        struct err unanswered;

        response = call_ask(call, source->address, &request, &unanswered);
        if (!response || response->body != ADMIN_BODY_TXNS)
            return 0;
        for (uint16_t i = 0; i < response->txns.count; i++) {
            struct settle_txn *txn = list_add(list, err);

            if (!txn)
                return ERR_MEMORY;
            to_public(&response->txns.list[i], source->name, txn);
        }
        request.txn_list.cursor = response->txns.next;
    } while (request.txn_list.cursor != 0);
    return 0;
}

static int take_show(struct call *call, const struct source *source, const struct id *id,
                     struct list *list, struct err *err)
{
    struct admin_request request = {.op = ADMIN_TXN_SHOW};
    const struct admin_response *response;
    struct settle_txn *txn;
    struct err unanswered;

    request.txn_show.id = *id;
    if (source->participant &&
        !node_name_parse(&request.participant, source->participant, strlen(source->participant)))
        return 0;
    response = call_ask(call, source->address, &request, &unanswered);
    if (!response || response->body != ADMIN_BODY_TXN)
        return 0;
    txn = list_add(list, err);
    if (!txn)
        return ERR_MEMORY;
    to_public(&response->txn.info, source->name, txn);
    return 0;
}

/* What is wanted of every source: a list when `id` is NULL. */
struct wanted {
    const struct id *id;
    uint64_t older_than_ms;
};

static int take(struct call *call, const struct source *source, const struct wanted *wanted,
                struct list *list, struct err *err)
{
    if (wanted->id)
        return take_show(call, source, wanted->id, list, err);
    return take_list(call, source, wanted->older_than_ms, list, err);
}

/* Coordinators first: what they say of a transaction is the more telling. */
static int ask_everybody(struct call *call, const struct settle_status *members,
                         const struct wanted *wanted, struct list *list, struct err *err)
{
    int rc = 0;

    for (size_t i = 0; i < members->coordinator_count && rc == 0; i++) {
        const struct settle_coordinator *coordinator = &members->coordinators[i];
        struct source source = {coordinator->address, NULL, coordinator->id};

        if (coordinator->live && coordinator->address[0] != '\0')
            rc = take(call, &source, wanted, list, err);
    }
    for (size_t i = 0; i < members->participant_count && rc == 0; i++) {
        const struct settle_participant *participant = &members->participants[i];
        struct source source = {"", participant->id, participant->id};

        if (participant->up)
            rc = take(call, &source, wanted, list, err);
    }
    return rc;
}

static int gather(struct settle *settle, const struct wanted *wanted, struct list *list,
                  uint32_t timeout_ms, struct settle_error *ret_err)
{
    struct call call = {.workspace = NULL};
    struct settle_status members;
    struct err err;
    int rc = call_begin(&call, settle, timeout_ms, &err);

    if (rc != 0)
        return handle_error(ret_err, &err);
    rc = members_get(&call, &members, ret_err);
    if (rc == 0) {
        call.each_ms = MEMBERS_EACH_MS;
        if (ask_everybody(&call, &members, wanted, list, &err) != 0)
            rc = handle_error(ret_err, &err);
        settle_status_release(&members);
    }
    call_end(&call);
    return rc;
}

/* Of one transaction, an undecided coordinator's view first, then a participant's. */
static int compare(const void *a, const void *b)
{
    const struct settle_txn *left = a, *right = b;
    int order = memcmp(&left->id, &right->id, sizeof(left->id));

    if (order != 0)
        return order;
    return (strcmp(left->state, "PREPARED") == 0) - (strcmp(right->state, "PREPARED") == 0);
}

/* Keep the first view of each transaction, and of those the ones of the wanted state. */
static void unite(struct list *list, const char *state)
{
    struct settle_txn *txns = (void *)list->items;
    struct settle_id last;
    size_t kept = 0;

    if (list->count == 0)
        return;
    qsort(txns, list->count, sizeof(*txns), compare);
    for (size_t i = 0; i < list->count; i++) {
        bool repeated = i > 0 && memcmp(&last, &txns[i].id, sizeof(last)) == 0;

        last = txns[i].id;
        if (!repeated && (!state || strcmp(txns[i].state, state) == 0))
            txns[kept++] = txns[i];
    }
    list->count = kept;
}

int settle_txn_list(struct settle *settle, const char *state, uint64_t older_than_ms,
                    struct settle_txn **ret_list, size_t *ret_count, uint32_t timeout_ms,
                    struct settle_error *ret_err)
{
    struct list list = LIST_OF(struct settle_txn);
    struct wanted wanted = {.older_than_ms = older_than_ms};
    enum txn_stage stage;
    struct err err;
    int rc;

    if (state && !txn_stage_parse(&stage, state)) {
        err_set(&err, ERR_USAGE,
                "'%.20s' is no state; there are READING, PREPARING, QUERYING, ABORTING, "
                "COMMITTED, ABORTED and PREPARED",
                state);
        return handle_error(ret_err, &err);
    }
    rc = gather(settle, &wanted, &list, timeout_ms, ret_err);
    unite(&list, state);
    return list_give(&list, rc, (void **)ret_list, ret_count);
}

int settle_txn_show(struct settle *settle, const struct settle_id *id, struct settle_txn **ret_list,
                    size_t *ret_count, uint32_t timeout_ms, struct settle_error *ret_err)
{
    struct list list = LIST_OF(struct settle_txn);
    struct id internal;
    struct wanted wanted = {.id = &internal};
    struct err err;
    int rc;

    memcpy(internal.bytes, id->bytes, sizeof(internal.bytes));
    rc = gather(settle, &wanted, &list, timeout_ms, ret_err);
    if (rc == 0 && list.count == 0) {
        err_set(&err, ERR_NOT_FOUND,
                "no coordinator follows this id and no participant holds it undecided; ask for its "
                "outcome");
        rc = handle_error(ret_err, &err);
    }
    return list_give(&list, rc, (void **)ret_list, ret_count);
}

void settle_txns_free(struct settle_txn *list)
{
    free(list);
}
