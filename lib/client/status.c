/*
 * The cluster's status: any coordinator's view of who there is, and what each says of itself.
 *
 * Who does not answer soon is left with what the first coordinator said of it.
 */
#include "client/call.h"
#include "client/list.h"
#include "client/members.h"
#include "settle/admin.h"

#include <stdio.h>

const char *settle_role_name(enum settle_role role)
{
    switch (role) {
    case SETTLE_LEADER:
        return "leader";
    case SETTLE_STANDBY:
        return "standby";
    case SETTLE_SUSPENDED:
        return "suspended";
    }
    return "unknown";
}

static void to_public(const struct coordinator_info *info, struct settle_coordinator *ret_public)
{
    memset(ret_public, 0, sizeof(*ret_public));
    snprintf(ret_public->id, sizeof(ret_public->id), "%s", info->node.text);
    snprintf(ret_public->address, sizeof(ret_public->address), "%s", info->address);
    ret_public->live = info->live;
    ret_public->role = (enum settle_role)info->role;
    for (uint16_t i = 0; i < info->group_count && i < GROUPS_MAX; i++) {
        ret_public->groups[i].group = info->groups[i].group;
        ret_public->groups[i].epoch = info->groups[i].epoch;
        ret_public->group_count++;
    }
}

static int take_members(const struct coordinator_status *from, struct list *coordinators,
                        struct list *participants, struct err *err)
{
    for (uint16_t i = 0; i < from->coordinator_count; i++) {
        struct settle_coordinator *coordinator = list_add(coordinators, err);

        if (!coordinator)
            return ERR_MEMORY;
        to_public(&from->coordinators[i], coordinator);
    }
    for (uint16_t i = 0; i < from->participant_count; i++) {
        const struct participant_info *info = &from->participants[i];
        struct settle_participant *participant = list_add(participants, err);

        if (!participant)
            return ERR_MEMORY;
        snprintf(participant->id, sizeof(participant->id), "%s", info->node.text);
        snprintf(participant->address, sizeof(participant->address), "%s", info->address);
        participant->up = info->up;
        participant->incarnation = info->incarnation;
    }
    return 0;
}

static int compare_coordinators(const void *left, const void *right)
{
    return strcmp(((const struct settle_coordinator *)left)->id,
                  ((const struct settle_coordinator *)right)->id);
}

static int compare_participants(const void *left, const void *right)
{
    return strcmp(((const struct settle_participant *)left)->id,
                  ((const struct settle_participant *)right)->id);
}

/* A coordinator names members in the order it heard of them; people look for a name. */
static void sort_members(struct settle_status *status)
{
    if (status->coordinator_count > 0)
        qsort(status->coordinators, status->coordinator_count, sizeof(*status->coordinators),
              compare_coordinators);
    if (status->participant_count > 0)
        qsort(status->participants, status->participant_count, sizeof(*status->participants),
              compare_participants);
}

static void take_itself(const struct coordinator_info *info, struct settle_coordinator *coordinator)
{
    to_public(info, coordinator);
    coordinator->answered = 1;
}

/* What a coordinator says of itself and counts; of itself it knows better than others. */
static void take_own(const struct coordinator_status *from, struct settle_status *status)
{
    status->in_flight += from->in_flight;
    status->in_doubt += from->in_doubt;
    status->committed += from->committed;
    status->aborted += from->aborted;
    status->lmdb_commits += from->lmdb_commits;
    for (uint16_t i = 0; i < from->coordinator_count; i++) {
        if (!node_name_equal(&from->coordinators[i].node, &from->node))
            continue;
        for (size_t k = 0; k < status->coordinator_count; k++) {
            if (strcmp(status->coordinators[k].id, from->node.text) == 0)
                take_itself(&from->coordinators[i], &status->coordinators[k]);
        }
    }
}

static void ask_coordinators(struct call *call, const char *asked, struct settle_status *status)
{
    struct admin_request request = {.op = ADMIN_STATUS};

    for (size_t i = 0; i < status->coordinator_count; i++) {
        const struct settle_coordinator *coordinator = &status->coordinators[i];
        const struct admin_response *response;
        struct err err;

        if (!coordinator->live || coordinator->address[0] == '\0' ||
            strcmp(coordinator->id, asked) == 0)
            continue;
        response = call_ask(call, coordinator->address, &request, &err);
        if (response && response->body == ADMIN_BODY_STATUS)
            take_own(&response->status, status);
    }
}

static void ask_participants(struct call *call, struct settle_status *status)
{
    struct admin_request request = {.op = ADMIN_PARTICIPANT_STATUS};

    for (size_t i = 0; i < status->participant_count; i++) {
        struct settle_participant *participant = &status->participants[i];
        const struct admin_response *response = NULL;
        struct err err;

        memset(&request.participant, 0, sizeof(request.participant));
        if (participant->up &&
            node_name_parse(&request.participant, participant->id, strlen(participant->id)))
            response = call_ask(call, "", &request, &err);
        if (!response || response->body != ADMIN_BODY_PARTICIPANT_STATUS)
            continue;
        participant->answered = 1;
        participant->prepared = response->participant_status.prepared;
        participant->stale_refused = response->participant_status.stale_refused;
        status->stale_refused += participant->stale_refused;
        status->lmdb_commits += response->participant_status.lmdb_commits;
    }
}

/* The first answer, and everybody it names. */
int members_get(struct call *call, struct settle_status *ret_status, struct settle_error *ret_err)
{
    struct list coordinators = LIST_OF(struct settle_coordinator);
    struct list participants = LIST_OF(struct settle_participant);
    struct admin_request request = {.op = ADMIN_STATUS};
    const struct admin_response *response;
    struct err err;
    int rc;

    memset(ret_status, 0, sizeof(*ret_status));
    response = call_need(call, &request, ADMIN_BODY_STATUS, &rc, ret_err);
    if (!response)
        return rc;
    if (take_members(&response->status, &coordinators, &participants, &err) != 0)
        rc = handle_error(ret_err, &err);
    ret_status->coordinators = (void *)coordinators.items;
    ret_status->coordinator_count = coordinators.count;
    ret_status->participants = (void *)participants.items;
    ret_status->participant_count = participants.count;
    if (rc != 0) {
        settle_status_release(ret_status);
        return rc;
    }
    sort_members(ret_status);
    snprintf(ret_status->cluster, sizeof(ret_status->cluster), "%s", response->status.cluster.text);
    take_own(&response->status, ret_status);
    return 0;
}

int settle_status_get(struct settle *settle, struct settle_status *ret_status, uint32_t timeout_ms,
                      struct settle_error *ret_err)
{
    struct call call = {.workspace = NULL};
    char asked[NODE_NAME_SIZE] = "";
    struct err err;
    int rc = call_begin(&call, settle, timeout_ms, &err);

    if (rc != 0)
        return handle_error(ret_err, &err);
    rc = members_get(&call, ret_status, ret_err);
    if (rc == 0) {
        memcpy(asked, call.envelope.admin_response.status.node.text, sizeof(asked));
        call.each_ms = MEMBERS_EACH_MS;
        ask_coordinators(&call, asked, ret_status);
        ask_participants(&call, ret_status);
    }
    call_end(&call);
    return rc;
}

void settle_status_release(struct settle_status *status)
{
    free(status->coordinators);
    free(status->participants);
    memset(status, 0, sizeof(*status));
}
