/*
 * Envelopes of operators: requests and responses.
 */
#include "support/wire_samples_internal.h"

static void sample_key(struct sampler *s, struct account_key *key)
{
    sample_account_name(s, &key->account);
    sample_currency(1, &key->currency);
}

static void sample_account_request(struct sampler *s, struct admin_request *r)
{
    switch ((int)r->op) {
    case ADMIN_ACCOUNT_CREATE:
        sample_account_name(s, &r->account_create.account);
        sample_currency(2, &r->account_create.currency);
        r->account_create.system = true;
        r->account_create.has_floor = true;
        r->account_create.floor = (int64_t)sample_u64(s);
        break;
    case ADMIN_ACCOUNT_SET:
        sample_key(s, &r->account_set.key);
        r->account_set.has_status = true;
        r->account_set.status = (enum account_status)sample_one_of(s, ACCOUNT_OPEN,
                                                                   ACCOUNT_BLOCKED);
        r->account_set.has_floor = true;
        r->account_set.floor = (int64_t)sample_u64(s);
        break;
    case ADMIN_ACCOUNT_CLOSE:
    case ADMIN_ACCOUNT_SHOW:
        sample_key(s, &r->account);
        break;
    case ADMIN_ACCOUNT_LIST:
        r->account_list.cursor = sample_u64(s);
        r->account_list.max = (uint16_t)sample_one_of(s, 1, ACCOUNT_PAGE_MAX);
        break;
    case ADMIN_STATEMENT:
        sample_key(s, &r->statement.key);
        r->statement.before.position = sample_u64(s);
        r->statement.before.index = (uint16_t)sample_u64(s);
        r->statement.max = (uint16_t)sample_one_of(s, 1, STATEMENT_PAGE_MAX);
        break;
    default:
        break;
    }
}

void sample_admin_request(struct sampler *s, enum admin_op op, struct admin_request *ret_request)
{
    struct admin_request *r = ret_request;

    r->op = op;
    if (op < ADMIN_STATUS)
        sample_node(s, 5, &r->participant);
    sample_account_request(s, r);
    if (op == ADMIN_TXN_LIST) {
        r->txn_list.cursor = sample_u64(s);
        r->txn_list.max = (uint16_t)sample_one_of(s, 1, TXN_PAGE_MAX);
        r->txn_list.has_stage = true;
        r->txn_list.stage = (enum txn_stage)sample_one_of(s, TXN_READING, TXN_GATHERING);
        r->txn_list.older_than_ms = sample_u64(s);
    }
    if (op == ADMIN_TXN_SHOW)
        sample_16(s, r->txn_show.id.bytes);
    if (op == ADMIN_AUDIT)
        r->audit.deadline_ms = (uint32_t)sample_one_of(s, 1, DEADLINE_MAX_MS);
}

static void sample_account(struct sampler *s, struct account_info *info)
{
    sample_account_row(s, &info->row);
    info->has_available = true;
    info->available = (int64_t)sample_u64(s);
}

static void sample_statement(struct sampler *s, struct admin_response *r)
{
    uint16_t count = sample_count(s, STATEMENT_PAGE_MAX);
    struct entry *entries = sample_room(s, count, sizeof(*entries));

    sample_account(s, &r->statement.account);
    for (uint16_t i = 0; i < count; i++)
        sample_entry(s, &entries[i]);
    r->statement.entries = entries;
    r->statement.entry_count = count;
    r->statement.next.position = sample_u64(s);
    r->statement.next.index = (uint16_t)sample_u64(s);
}

static void sample_participant_status(struct sampler *s, struct participant_status *status)
{
    uint64_t *counters[] = {
        &status->incarnation,
        &status->uptime_ms,
        &status->prepared,
        &status->unresolved,
        &status->accounts,
        &status->committed,
        &status->aborted,
        &status->ended,
        &status->repeats,
        &status->conflicts,
        &status->busy,
        &status->stale_refused,
        &status->orphans_named,
        &status->contradictions,
        &status->lmdb_commits,
        &status->journal_position,
        &status->durable_position,
        &status->checkpoint_position,
        &status->clock,
    };

    sample_node(s, 6, &status->node);
    sample_16(s, status->store.bytes);
    status->admit = sample_reason(s);
    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
        *counters[i] = sample_u64(s);
}

static const struct coordinator_info *sample_coordinators(struct sampler *s, uint16_t *ret_count)
{
    uint16_t count = sample_count(s, COORDINATORS_MAX);
    struct coordinator_info *infos = sample_room(s, count, sizeof(*infos));

    for (uint16_t i = 0; i < count; i++) {
        uint16_t group_count = sample_count(s, GROUPS_MAX);
        struct led_group *groups = sample_room(s, group_count, sizeof(*groups));

        for (uint16_t g = 0; g < group_count; g++) {
            groups[g].group = g;
            groups[g].epoch = sample_u64(s);
        }
        sample_node(s, i, &infos[i].node);
        sample_address(s, infos[i].address);
        infos[i].live = true;
        infos[i].role = (enum coordinator_role)sample_one_of(s, COORDINATOR_LEADER,
                                                             COORDINATOR_SUSPENDED);
        infos[i].groups = groups;
        infos[i].group_count = group_count;
    }
    *ret_count = count;
    return infos;
}

static const struct participant_info *sample_participants(struct sampler *s, uint16_t *ret_count)
{
    uint16_t count = sample_count(s, MEMBERS_MAX);
    struct participant_info *infos = sample_room(s, count, sizeof(*infos));

    for (uint16_t i = 0; i < count; i++) {
        sample_node(s, i, &infos[i].node);
        sample_16(s, infos[i].store.bytes);
        infos[i].incarnation = sample_u64(s);
        infos[i].up = true;
        sample_address(s, infos[i].address);
    }
    *ret_count = count;
    return infos;
}

static void sample_status(struct sampler *s, struct coordinator_status *status)
{
    uint64_t *counters[] = {
        &status->uptime_ms,     &status->in_flight, &status->following,      &status->in_doubt,
        &status->submitted,     &status->committed, &status->aborted,        &status->refused,
        &status->resubmitted,   &status->recovered, &status->unknown,        &status->retries,
        &status->stale_answers, &status->ended,     &status->contradictions, &status->lmdb_commits,
        &status->stale_refused,
    };

    sample_node(s, 7, &status->node);
    sample_node(s, 8, &status->cluster);
    status->coordinators = sample_coordinators(s, &status->coordinator_count);
    status->participants = sample_participants(s, &status->participant_count);
    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
        *counters[i] = sample_u64(s);
}

static void sample_cluster(struct sampler *s, struct cluster_info *cluster)
{
    sample_node(s, 8, &cluster->name);
    sample_16(s, cluster->guid.bytes);
    cluster->groups = (uint16_t)sample_one_of(s, 1, GROUPS_MAX);
    cluster->epoch_base = sample_u64(s);
    sample_16(s, cluster->oldest_id.bytes);
    cluster->coordinators = sample_coordinators(s, &cluster->coordinator_count);
    cluster->participants = sample_participants(s, &cluster->participant_count);
}

static void sample_txn(struct sampler *s, struct txn_info *info)
{
    uint16_t count = sample_count(s, TXN_PARTIES_MAX);
    struct txn_party *parties = sample_room(s, count, sizeof(*parties));

    for (uint16_t i = 0; i < count; i++) {
        sample_node(s, i, &parties[i].node);
        sample_16(s, parties[i].store.bytes);
        parties[i].vote = (enum txn_vote)sample_one_of(s, VOTE_NONE, VOTE_TOO_OLD);
        parties[i].waiting = true;
        parties[i].reason = sample_reason(s);
    }
    sample_16(s, info->id.bytes);
    sample_16(s, info->digest.bytes);
    info->stage = (enum txn_stage)sample_one_of(s, TXN_READING, TXN_GATHERING);
    info->protocol = PROTOCOL_2PC;
    info->group = sample_group(s);
    info->tag = (struct tag){sample_u64(s), sample_u64(s)};
    info->age_ms = sample_u64(s);
    info->has_deadline = true;
    info->deadline_in_ms = sample_u64(s);
    info->reason = sample_reason(s);
    info->timestamp = sample_u64(s);
    info->parties = parties;
    info->party_count = count;
    info->value = sample_nets(s, NETS_MAX, &info->value_count);
    sample_text(s, TEXT_SIZE, info->error);
}

static void sample_audit(struct sampler *s, struct admin_response *r)
{
    uint16_t line_count = sample_count(s, CURRENCIES_MAX);
    uint16_t missing_count = sample_count(s, MEMBERS_MAX);
    struct audit_line *lines = sample_room(s, line_count, sizeof(*lines));
    struct node_name *missing = sample_room(s, missing_count, sizeof(*missing));

    for (uint16_t i = 0; i < line_count; i++) {
        sample_currency(i, &lines[i].currency);
        lines[i].posted = -(int128)sample_u64(s) * 1000003;
        lines[i].in_doubt = (int128)sample_u64(s) * 1000003;
    }
    for (uint16_t i = 0; i < missing_count; i++)
        sample_node(s, i, &missing[i]);
    r->audit.timestamp = sample_u64(s);
    r->audit.lines = lines;
    r->audit.line_count = line_count;
    r->audit.missing = missing;
    r->audit.missing_count = missing_count;
    r->audit.doubt_count = sample_u32(s);
}

static void sample_accounts(struct sampler *s, struct admin_response *r)
{
    uint16_t count = sample_count(s, ACCOUNT_PAGE_MAX);
    struct account_info *list = sample_room(s, count, sizeof(*list));

    for (uint16_t i = 0; i < count; i++)
        sample_account(s, &list[i]);
    r->accounts.list = list;
    r->accounts.count = count;
    r->accounts.next = sample_u64(s);
}

static void sample_txns(struct sampler *s, struct admin_response *r)
{
    uint16_t count = sample_count(s, TXN_PAGE_MAX);
    struct txn_info *list = sample_room(s, count, sizeof(*list));

    for (uint16_t i = 0; i < count; i++)
        sample_txn(s, &list[i]);
    r->txns.list = list;
    r->txns.count = count;
    r->txns.next = sample_u64(s);
}

void sample_admin_response(struct sampler *s, enum admin_body body,
                           struct admin_response *ret_response)
{
    struct admin_response *r = ret_response;

    r->code = (enum admin_code)sample_one_of(s, ADMIN_OK, ADMIN_FAILED);
    r->reason = sample_reason(s);
    sample_text(s, TEXT_SIZE, r->text);
    r->has_redirect = true;
    sample_redirect(s, &r->redirect);
    r->body = body;
    switch (body) {
    case ADMIN_BODY_NONE:
        break;
    case ADMIN_BODY_ACCOUNTS:
        sample_accounts(s, r);
        break;
    case ADMIN_BODY_STATEMENT:
        sample_statement(s, r);
        break;
    case ADMIN_BODY_PARTICIPANT_STATUS:
        sample_participant_status(s, &r->participant_status);
        break;
    case ADMIN_BODY_TXNS:
        sample_txns(s, r);
        break;
    case ADMIN_BODY_TXN:
        sample_txn(s, &r->txn.info);
        sample_blob(s, &r->txn.branch);
        sample_node(s, 9, &r->txn.coordinator);
        break;
    case ADMIN_BODY_STATUS:
        sample_status(s, &r->status);
        break;
    case ADMIN_BODY_CLUSTER:
        sample_cluster(s, &r->cluster);
        break;
    case ADMIN_BODY_AUDIT:
        sample_audit(s, r);
        break;
    }
}
