/*
 * Status: of a coordinator, of the cluster as it knows it, of a participant.
 *
 * The counters of each stand in one list, read and written by the same lines.
 */
#include "base/assert.h"
#include "wire/internal.h"

#define PARTICIPANT_COUNTERS(X) \
    X(incarnation)              \
    X(uptime_ms)                \
    X(prepared)                 \
    X(unresolved)               \
    X(accounts)                 \
    X(committed)                \
    X(aborted)                  \
    X(ended)                    \
    X(repeats)                  \
    X(conflicts)                \
    X(busy)                     \
    X(stale_refused)            \
    X(orphans_named)            \
    X(contradictions)           \
    X(lmdb_commits)             \
    X(journal_position)         \
    X(durable_position)         \
    X(checkpoint_position)      \
    X(clock)

#define COORDINATOR_COUNTERS(X) \
    X(uptime_ms)                \
    X(in_flight)                \
    X(following)                \
    X(in_doubt)                 \
    X(submitted)                \
    X(committed)                \
    X(aborted)                  \
    X(refused)                  \
    X(resubmitted)              \
    X(recovered)                \
    X(unknown)                  \
    X(retries)                  \
    X(stale_answers)            \
    X(stale_refused)            \
    X(ended)                    \
    X(contradictions)           \
    X(lmdb_commits)

#define READ(field)  &&take_u64(d, UINT(m, field), OPTIONAL, &ret_status->field)
#define WRITE(field) PUT_NONZERO(m, field, status->field);

bool take_participant_status(struct decoder *d, const Settle__V1__ParticipantStatus *m,
                             struct participant_status *ret_status)
{
    return take_node(d, BYTES(m, node), NEEDED, &ret_status->node) &&
           take_16(d, BYTES(m, store), NEEDED, ret_status->store.bytes) &&
           take_reason(d, UINT(m, admit), &ret_status->admit) PARTICIPANT_COUNTERS(READ);
}

bool put_participant_status(struct arena *scratch, const struct participant_status *status,
                            Settle__V1__ParticipantStatus **ret_message)
{
    Settle__V1__ParticipantStatus *m;

    if (!NEW(scratch, m, settle__v1__participant_status__init))
        return false;
    PUT(m, node, pb_text(status->node.text));
    PUT_16(m, store, &status->store);
    PUT_NONZERO(m, admit, (uint32_t)status->admit);
    PARTICIPANT_COUNTERS(WRITE)
    *ret_message = m;
    return true;
}

/* ---- who there is ---- */

static bool take_coordinator(struct decoder *d, const Settle__V1__CoordinatorInfo *m,
                             struct coordinator_info *info)
{
    int role = take_enum(d, UINT(m, role), NEEDED,
                         ONE_OF(COORDINATOR_LEADER) | ONE_OF(COORDINATOR_STANDBY) |
                             ONE_OF(COORDINATOR_SUSPENDED));
    struct led_group *groups;

    if (role < 0 || !take_node(d, BYTES(m, node), NEEDED, &info->node) ||
        !take_address(d, BYTES(m, address), info->address) ||
        !take_count(d, "group", m->n_group, 0, GROUPS_MAX))
        return false;
    groups = take_room(d, m->n_group, sizeof(*groups));
    if (!groups && m->n_group > 0)
        return false;
    for (size_t i = 0; i < m->n_group; i++) {
        if (!take_u16(d, UINT(m->group[i], group), OPTIONAL, GROUPS_MAX - 1, &groups[i].group) ||
            !take_u64(d, UINT(m->group[i], epoch), OPTIONAL, &groups[i].epoch))
            return take_fail_at(d, "group", i);
    }
    info->role = (enum coordinator_role)role;
    info->live = m->has_live && m->live;
    info->groups = groups;
    info->group_count = (uint16_t)m->n_group;
    return true;
}

static bool put_coordinator(struct arena *scratch, const struct coordinator_info *info,
                            Settle__V1__CoordinatorInfo *m)
{
    Settle__V1__LedGroup *groups;

    ASSERT(info->group_count <= GROUPS_MAX);
    settle__v1__coordinator_info__init(m);
    PUT(m, node, pb_text(info->node.text));
    PUT_TEXT(m, address, info->address);
    if (info->live)
        PUT(m, live, true);
    PUT(m, role, (Settle__V1__CoordinatorRole)info->role);
    m->n_group = info->group_count;
    groups = put_room(scratch, m->n_group, sizeof(*groups), &m->group);
    if (!groups)
        return false;
    for (size_t i = 0; i < m->n_group; i++) {
        settle__v1__led_group__init(&groups[i]);
        PUT(&groups[i], group, info->groups[i].group);
        PUT_NONZERO(&groups[i], epoch, info->groups[i].epoch);
    }
    return true;
}

static bool take_coordinators(struct decoder *d, size_t count, Settle__V1__CoordinatorInfo **list,
                              const struct coordinator_info **ret_infos, uint16_t *ret_count)
{
    struct coordinator_info *infos;

    if (!take_count(d, "coordinator", count, 0, COORDINATORS_MAX))
        return false;
    infos = take_room(d, count, sizeof(*infos));
    if (!infos && count > 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!take_coordinator(d, list[i], &infos[i]))
            return take_fail_at(d, "coordinator", i);
    }
    *ret_infos = infos;
    *ret_count = (uint16_t)count;
    return true;
}

static bool put_coordinators(struct arena *scratch, const struct coordinator_info *infos,
                             size_t count, Settle__V1__CoordinatorInfo ***ret_list)
{
    Settle__V1__CoordinatorInfo *list;

    ASSERT(count <= COORDINATORS_MAX);
    list = put_room(scratch, count, sizeof(*list), ret_list);
    if (!list)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!put_coordinator(scratch, &infos[i], &list[i]))
            return false;
    }
    return true;
}

static bool take_participants(struct decoder *d, size_t count, Settle__V1__ParticipantInfo **list,
                              const struct participant_info **ret_infos, uint16_t *ret_count)
{
    struct participant_info *infos;

    if (!take_count(d, "participant", count, 0, MEMBERS_MAX))
        return false;
    infos = take_room(d, count, sizeof(*infos));
    if (!infos && count > 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        const Settle__V1__ParticipantInfo *m = list[i];

        if (!take_node(d, BYTES(m, node), NEEDED, &infos[i].node) ||
            !take_16(d, BYTES(m, store), OPTIONAL, infos[i].store.bytes) ||
            !take_u64(d, UINT(m, incarnation), OPTIONAL, &infos[i].incarnation) ||
            !take_address(d, BYTES(m, address), infos[i].address))
            return take_fail_at(d, "participant", i);
        infos[i].up = m->has_up && m->up;
    }
    *ret_infos = infos;
    *ret_count = (uint16_t)count;
    return true;
}

static bool put_participants(struct arena *scratch, const struct participant_info *infos,
                             size_t count, Settle__V1__ParticipantInfo ***ret_list)
{
    Settle__V1__ParticipantInfo *list;

    ASSERT(count <= MEMBERS_MAX);
    list = put_room(scratch, count, sizeof(*list), ret_list);
    if (!list)
        return false;
    for (size_t i = 0; i < count; i++) {
        settle__v1__participant_info__init(&list[i]);
        PUT(&list[i], node, pb_text(infos[i].node.text));
        PUT_16_NONZERO(&list[i], store, &infos[i].store);
        PUT_NONZERO(&list[i], incarnation, infos[i].incarnation);
        PUT_TEXT(&list[i], address, infos[i].address);
        if (infos[i].up)
            PUT(&list[i], up, true);
    }
    return true;
}

bool take_status(struct decoder *d, const Settle__V1__CoordinatorStatus *m,
                 struct coordinator_status *ret_status)
{
    return take_node(d, BYTES(m, node), NEEDED, &ret_status->node) &&
           take_node(d, BYTES(m, cluster), NEEDED, &ret_status->cluster) &&
           take_coordinators(d, m->n_coordinator, m->coordinator, &ret_status->coordinators,
                             &ret_status->coordinator_count) &&
           take_participants(d, m->n_participant, m->participant, &ret_status->participants,
                             &ret_status->participant_count) COORDINATOR_COUNTERS(READ);
}

bool put_status(struct arena *scratch, const struct coordinator_status *status,
                Settle__V1__CoordinatorStatus **ret_message)
{
    Settle__V1__CoordinatorStatus *m;

    if (!NEW(scratch, m, settle__v1__coordinator_status__init))
        return false;
    PUT(m, node, pb_text(status->node.text));
    PUT(m, cluster, pb_text(status->cluster.text));
    COORDINATOR_COUNTERS(WRITE)
    m->n_coordinator = status->coordinator_count;
    m->n_participant = status->participant_count;
    *ret_message = m;
    return put_coordinators(scratch, status->coordinators, status->coordinator_count,
                            &m->coordinator) &&
           put_participants(scratch, status->participants, status->participant_count,
                            &m->participant);
}

bool take_cluster(struct decoder *d, const Settle__V1__Cluster *m, struct cluster_info *ret_cluster)
{
    return take_node(d, BYTES(m, name), NEEDED, &ret_cluster->name) &&
           take_16(d, BYTES(m, guid), OPTIONAL, ret_cluster->guid.bytes) &&
           take_u16(d, UINT(m, groups), OPTIONAL, GROUPS_MAX, &ret_cluster->groups) &&
           take_u64(d, UINT(m, epoch_base), OPTIONAL, &ret_cluster->epoch_base) &&
           take_16(d, BYTES(m, oldest_id), OPTIONAL, ret_cluster->oldest_id.bytes) &&
           take_coordinators(d, m->n_coordinator, m->coordinator, &ret_cluster->coordinators,
                             &ret_cluster->coordinator_count) &&
           take_participants(d, m->n_participant, m->participant, &ret_cluster->participants,
                             &ret_cluster->participant_count);
}

bool put_cluster(struct arena *scratch, const struct cluster_info *cluster,
                 Settle__V1__Cluster **ret_message)
{
    Settle__V1__Cluster *m;

    if (!NEW(scratch, m, settle__v1__cluster__init))
        return false;
    PUT(m, name, pb_text(cluster->name.text));
    PUT_16_NONZERO(m, guid, &cluster->guid);
    PUT_NONZERO(m, groups, cluster->groups);
    PUT_NONZERO(m, epoch_base, cluster->epoch_base);
    PUT_16_NONZERO(m, oldest_id, &cluster->oldest_id);
    m->n_coordinator = cluster->coordinator_count;
    m->n_participant = cluster->participant_count;
    *ret_message = m;
    return put_coordinators(scratch, cluster->coordinators, cluster->coordinator_count,
                            &m->coordinator) &&
           put_participants(scratch, cluster->participants, cluster->participant_count,
                            &m->participant);
}
