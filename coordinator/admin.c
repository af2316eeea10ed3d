/*
 * What operators ask of a coordinator: who is there, what is in flight, whether the books balance.
 */
#include "coordinator.h"

#include "base/assert.h"

#include <stdio.h>

#define SILENT_RETRIES 3u /* asked so often in vain, a participant is said not to answer */

static void respond(struct coordinator *c, struct waiter waiter, struct admin_response *response)
{
    struct envelope envelope;

    envelope.kind = WIRE_ADMIN_RESPONSE;
    envelope.request = waiter.request;
    envelope.admin_response = *response;
    drive_send(c, waiter.client, &envelope);
}

void admin_redirect(const struct coordinator *c, uint16_t group, struct redirect *ret_redirect)
{
    const struct leader *leader = &c->leaders[group];

    memset(ret_redirect, 0, sizeof(*ret_redirect));
    ret_redirect->group = group;
    ret_redirect->node = leader->node;
    ret_redirect->epoch = leader->epoch;
    for (uint16_t i = 0; i < c->coordinator_count; i++) {
        if (node_name_equal(&c->coordinators[i].node, &leader->node))
            snprintf(ret_redirect->address, sizeof(ret_redirect->address), "%s",
                     c->coordinators[i].address);
    }
    if (ret_redirect->address[0] == '\0')
        memset(&ret_redirect->node, 0, sizeof(ret_redirect->node)); /* of no use without */
}

/* ---- who is there ---- */

static void describe_coordinator(struct coordinator *c, const struct cluster_member *member,
                                 struct coordinator_info *ret_info)
{
    struct led_group *groups = arena_alloc(&c->arena, sizeof(*groups) * GROUPS_MAX);
    bool self = node_name_equal(&member->node, &c->options.node);

    ASSERT(groups);
    memset(ret_info, 0, sizeof(*ret_info));
    ret_info->node = member->node;
    snprintf(ret_info->address, sizeof(ret_info->address), "%s", member->address);
    ret_info->live = member->presence == CLUSTER_LIVE;
    for (uint16_t group = 0; group < c->config.groups; group++) {
        uint64_t epoch = c->leaders[group].epoch;
        bool leads = node_name_equal(&c->leaders[group].node, &member->node);

        if (self) /* of ourselves we know better than the registry */
            leads = coord_leads(c->coord, group, &epoch, NULL);
        if (!leads)
            continue;
        groups[ret_info->group_count].group = group;
        groups[ret_info->group_count].epoch = epoch;
        ret_info->group_count++;
    }
    ret_info->groups = groups;
    ret_info->role = ret_info->group_count > 0 ? COORDINATOR_LEADER : COORDINATOR_STANDBY;
    if (self && c->suspended)
        ret_info->role = COORDINATOR_SUSPENDED;
}

static const struct coordinator_info *describe_coordinators(struct coordinator *c)
{
    struct coordinator_info *list = arena_alloc(&c->arena, sizeof(*list) * COORDINATORS_MAX);

    ASSERT(list);
    for (uint16_t i = 0; i < c->coordinator_count; i++)
        describe_coordinator(c, &c->coordinators[i], &list[i]);
    return list;
}

static const struct participant_info *describe_participants(struct coordinator *c,
                                                            uint16_t *ret_count)
{
    struct participant_info *list = arena_alloc(&c->arena, sizeof(*list) * MEMBERS_MAX);
    uint16_t count = 0;

    ASSERT(list);
    for (int i = 0; i < MEMBERS_MAX; i++) {
        const struct link *link = &c->links[i];
        struct participant_info *info = &list[count];

        if (!link->used || link->member.presence == CLUSTER_GONE)
            continue;
        memset(info, 0, sizeof(*info));
        info->node = link->member.node;
        info->store = link->member.store;
        info->up = link->handle != CONN_NONE;
        info->incarnation = info->up ? link->hello.incarnation : link->member.incarnation;
        snprintf(info->address, sizeof(info->address), "%s", link->member.address);
        count++;
    }
    *ret_count = count;
    return list;
}

static void on_status(struct coordinator *c, struct coordinator_status *status)
{
    const struct coord_stats *stats = coord_stats(c->coord);
    struct store_stats store;

    store_stats(c->store, &store);
    status->node = c->options.node;
    status->cluster = c->options.cluster;
    status->uptime_ms = loop_now_ms(c->loop) - c->started_ms;
    status->coordinators = describe_coordinators(c);
    status->coordinator_count = c->coordinator_count;
    status->participants = describe_participants(c, &status->participant_count);
    status->in_flight = stats->in_flight_now;
    status->following = stats->following_now;
    status->in_doubt = stats->in_doubt_now;
    status->submitted = stats->submitted;
    status->committed = c->earlier[STORE_COMMITTED] + stats->committed;
    status->aborted = c->earlier[STORE_ABORTED] + stats->aborted;
    status->refused = stats->refused;
    status->resubmitted = stats->resubmitted;
    status->recovered = stats->recovered;
    status->retries = stats->retries;
    status->stale_answers = stats->stale_answers;
    status->stale_refused = stats->stale_refused;
    status->ended = stats->ended;
    status->contradictions = stats->contradictions;
    status->lmdb_commits = store.commits;
}

static void on_cluster(struct coordinator *c, struct cluster_info *info)
{
    info->name = c->options.cluster;
    info->guid = c->config.cluster;
    info->groups = c->config.groups;
    info->epoch_base = c->config.epoch_base;
    info->oldest_id = c->config.oldest_id;
    info->coordinators = describe_coordinators(c);
    info->coordinator_count = c->coordinator_count;
    info->participants = describe_participants(c, &info->participant_count);
}

/* ---- what is in flight ---- */

static enum txn_vote vote_of(enum heard heard)
{
    switch (heard) {
    case HEARD_NOTHING:
        return VOTE_NONE;
    case HEARD_NONE:
    case HEARD_TOO_OLD:
        return VOTE_NOTHING;
    case HEARD_YES:
        return VOTE_YES;
    case HEARD_COMMITTED:
        return VOTE_COMMITTED;
    case HEARD_ABORTED:
        return VOTE_ABORTED;
    case HEARD_CONFLICT:
        return VOTE_CONFLICT;
    }
    return VOTE_NONE;
}

static bool is_waited_for(const struct coord_view *view, const struct node_name *node)
{
    for (uint16_t i = 0; i < view->waiting_count; i++) {
        if (node_name_equal(&view->waiting_for[i], node))
            return true;
    }
    return false;
}

/* Why it waits so long, as far as we can tell. */
static void describe_wait(struct coordinator *c, const struct node_name *node,
                          struct txn_info *info)
{
    const struct link *link = link_find(c, node);

    if (!link || link->handle == CONN_NONE)
        snprintf(info->error, sizeof(info->error), "participant '%s' is down or cut off",
                 node->text);
    else if (info->age_ms >= SILENT_RETRIES * c->options.retry_ms)
        snprintf(info->error, sizeof(info->error),
                 "participant '%s' is connected and does not answer", node->text);
}

static void describe_parties(struct coordinator *c, const struct coord_view *view,
                             struct txn_info *info)
{
    struct txn_party *parties = arena_alloc(&c->arena, sizeof(*parties) * PARTICIPANTS_MAX);

    ASSERT(parties);
    memset(parties, 0, sizeof(*parties) * PARTICIPANTS_MAX);
    for (uint16_t i = 0; i < view->party_count; i++) {
        parties[i].node = view->parties[i].node;
        parties[i].store = view->parties[i].store;
        parties[i].vote = vote_of(view->heard[i]);
        parties[i].waiting = is_waited_for(view, &parties[i].node);
        if (parties[i].waiting)
            describe_wait(c, &parties[i].node, info);
    }
    info->parties = parties;
    info->party_count = view->party_count;
}

static void describe_txn(struct coordinator *c, const struct coord_view *view,
                         struct txn_info *ret_info)
{
    struct net *value = arena_alloc(&c->arena, sizeof(*value) * NETS_MAX);
    uint64_t now = loop_now_ms(c->loop);

    ASSERT(value);
    memset(ret_info, 0, sizeof(*ret_info));
    ret_info->id = view->id;
    ret_info->digest = view->digest;
    ret_info->stage = txn_stage_of_phase(view->phase);
    ret_info->protocol = view->protocol;
    ret_info->group = view->group;
    ret_info->tag = view->tag;
    ret_info->age_ms = now - view->since_ms;
    ret_info->has_deadline = view->deadline_ms != 0;
    ret_info->deadline_in_ms = view->deadline_ms > now ? view->deadline_ms - now : 0;
    ret_info->reason = view->reason;
    describe_parties(c, view, ret_info);
    memcpy(value, view->value, sizeof(view->value));
    ret_info->value = value;
    ret_info->value_count = view->net_count;
}

static void on_txn_list(struct coordinator *c, const struct admin_request *request,
                        struct admin_response *response)
{
    struct txn_info *list = arena_alloc(&c->arena, sizeof(*list) * TXN_PAGE_MAX);
    uint32_t cursor = request->txn_list.cursor > UINT32_MAX ? UINT32_MAX
                                                            : (uint32_t)request->txn_list.cursor;
    uint64_t now = loop_now_ms(c->loop);
    struct coord_view view;
    uint16_t count = 0;

    ASSERT(list && request->txn_list.max <= TXN_PAGE_MAX);
    while (coord_next(c->coord, &cursor, &view)) {
        if (request->txn_list.has_stage &&
            txn_stage_of_phase(view.phase) != request->txn_list.stage)
            continue;
        if (now - view.since_ms < request->txn_list.older_than_ms)
            continue;
        if (count == request->txn_list.max) {
            response->txns.next = cursor - 1;
            break;
        }
        describe_txn(c, &view, &list[count++]);
    }
    response->txns.list = list;
    response->txns.count = count;
}

static void on_txn_show(struct coordinator *c, const struct admin_request *request,
                        struct admin_response *response)
{
    struct coord_view view;

    if (!coord_find(c->coord, &request->txn_show.id, &view)) {
        response->body = ADMIN_BODY_NONE; /* not in flight here */
        return;
    }
    describe_txn(c, &view, &response->txn.info);
    response->txn.coordinator = c->options.node;
}

/* ---- audit ---- */

static void on_audit(struct coordinator *c, struct waiter waiter,
                     const struct admin_request *request)
{
    struct event ev = drive_event_of(c, EV_AUDIT);

    ev.audit.waiter = waiter;
    ev.audit.deadline_ms = request->audit.deadline_ms;
    drive(c, &ev);
}

void admin_audit_reply(struct coordinator *c, const struct reply *reply)
{
    struct admin_response response;

    memset(&response, 0, sizeof(response));
    if (reply->kind != REPLY_AUDIT) {
        response.code = ADMIN_UNAVAILABLE;
        response.reason = reply->reason;
        snprintf(response.text, sizeof(response.text), "%s", reason_text(reply->reason));
        respond(c, reply->waiter, &response);
        return;
    }
    response.code = ADMIN_OK;
    response.body = ADMIN_BODY_AUDIT;
    response.audit.timestamp = reply->timestamp;
    response.audit.lines = reply->lines;
    response.audit.line_count = reply->line_count;
    response.audit.missing = reply->missing;
    response.audit.missing_count = reply->missing_count;
    response.audit.doubt_count = reply->doubt_count;
    respond(c, reply->waiter, &response);
}

/* ---- the door ---- */

static enum admin_body body_of(enum admin_op op)
{
    switch (op) {
    case ADMIN_STATUS:
        return ADMIN_BODY_STATUS;
    case ADMIN_CLUSTER:
        return ADMIN_BODY_CLUSTER;
    case ADMIN_TXN_LIST:
        return ADMIN_BODY_TXNS;
    case ADMIN_TXN_SHOW:
        return ADMIN_BODY_TXN;
    case ADMIN_AUDIT:
        return ADMIN_BODY_AUDIT;
    case ADMIN_ACCOUNT_CREATE:
    case ADMIN_ACCOUNT_SET:
    case ADMIN_ACCOUNT_CLOSE:
    case ADMIN_ACCOUNT_SHOW:
    case ADMIN_ACCOUNT_LIST:
    case ADMIN_STATEMENT:
    case ADMIN_PARTICIPANT_STATUS:
        return ADMIN_BODY_NONE;
    }
    return ADMIN_BODY_NONE;
}

void admin_on_request(struct coordinator *c, struct waiter waiter,
                      const struct admin_request *request)
{
    struct admin_response response;

    memset(&response, 0, sizeof(response));
    response.code = ADMIN_OK;
    response.body = body_of(request->op);
    switch (response.body) {
    case ADMIN_BODY_STATUS:
        on_status(c, &response.status);
        break;
    case ADMIN_BODY_CLUSTER:
        on_cluster(c, &response.cluster);
        break;
    case ADMIN_BODY_TXNS:
        on_txn_list(c, request, &response);
        break;
    case ADMIN_BODY_TXN:
        on_txn_show(c, request, &response);
        break;
    case ADMIN_BODY_AUDIT:
        on_audit(c, waiter, request);
        return;
    case ADMIN_BODY_NONE:
    case ADMIN_BODY_ACCOUNTS:
    case ADMIN_BODY_STATEMENT:
    case ADMIN_BODY_PARTICIPANT_STATUS:
        response.code = ADMIN_REFUSED;
        response.reason = REASON_PARTICIPANT_UNKNOWN;
        snprintf(response.text, sizeof(response.text),
                 "this is asked of a participant, and none is named");
        break;
    }
    respond(c, waiter, &response);
}
