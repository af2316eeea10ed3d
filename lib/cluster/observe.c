/*
 * What is watched of the others: which members there are, who of them is live, who leads.
 *
 * These are reads, late by nature: hints for dialing and for finding a leader. Nothing is decided
 * on them.
 */
#include "cluster/cluster_internal.h"

#include <stdio.h>
#include <string.h>

static struct directory *directory_of(struct cluster *cluster, uint32_t number)
{
    return number / MEMBERS_MAX == 0 ? &cluster->participants : &cluster->coordinators;
}

/* An operation's number names directory and entry. */
static uint32_t number_of(const struct directory *directory, uint32_t entry)
{
    return (directory->is_participants ? 0 : MEMBERS_MAX) + entry;
}

static struct entry *entry_of(struct cluster *cluster, uint32_t number)
{
    return &directory_of(cluster, number)->entries[number % MEMBERS_MAX];
}

static void directory_begin(struct directory *directory)
{
    directory->dirty = true;
    directory->busy = false;
    for (uint32_t i = 0; i < directory->entry_max; i++) {
        directory->entries[i].busy = false;
        directory->entries[i].base_dirty = true;
        directory->entries[i].live_dirty = true;
        directory->entries[i].live_absent = false;
    }
}

void observe_begin(struct cluster *cluster)
{
    cluster->participants.is_participants = true;
    cluster->participants.entry_max = MEMBERS_MAX;
    cluster->coordinators.entry_max = COORDINATORS_MAX;
    directory_begin(&cluster->participants);
    directory_begin(&cluster->coordinators);
    for (uint16_t group = 0; group < GROUPS_MAX; group++) {
        cluster->leaders[group].dirty = true;
        cluster->leaders[group].busy = false;
        cluster->leaders[group].unread = false;
    }
}

static struct entry *find(struct directory *directory, const struct node_name *node)
{
    for (uint32_t i = 0; i < directory->entry_max; i++) {
        struct entry *entry = &directory->entries[i];

        if (entry->used && node_name_equal(&entry->member.node, node))
            return entry;
    }
    return NULL;
}

void observe_event(struct cluster *cluster, enum pump_event event, const struct path *path)
{
    struct directory *directory = &cluster->participants;
    struct entry *entry;

    if (path->kind == PATH_ELECTION)
        cluster->leaders[path->group].dirty = true;
    if (path->kind == PATH_COORDINATORS || path->kind == PATH_COORDINATOR_LIVE)
        directory = &cluster->coordinators;
    if (path->kind == PATH_COORDINATORS || path->kind == PATH_PARTICIPANTS)
        directory->dirty = true;
    if (path->kind != PATH_COORDINATOR_LIVE && path->kind != PATH_PARTICIPANT_LIVE)
        return;
    entry = find(directory, &path->node);
    if (entry) {
        entry->live_dirty = true;
        entry->live_absent = event == PUMP_DELETED;
    }
}

static bool member_equal(const struct cluster_member *a, const struct cluster_member *b)
{
    return node_name_equal(&a->node, &b->node) && guid_equal(&a->store, &b->store) &&
           a->presence == b->presence && strcmp(a->address, b->address) == 0 &&
           a->incarnation == b->incarnation;
}

/* Tell of an entry once it was read whole, and when something of it changed. */
static void tell(struct cluster *cluster, const struct directory *directory, struct entry *entry)
{
    if (member_equal(&entry->member, &entry->told))
        return;
    entry->told = entry->member;
    if (directory->is_participants)
        CALL(cluster, on_member, &entry->told);
    else
        CALL(cluster, on_coordinator, &entry->told);
}

static void on_listed(void *ctx, uint32_t number, const struct pump_result *result)
{
    struct cluster *cluster = ctx;
    struct directory *directory = directory_of(cluster, number);

    directory->busy = false;
    if (result->code != PUMP_OK) {
        directory->dirty = true;
        return;
    }
    for (uint32_t i = 0; i < directory->entry_max; i++)
        directory->entries[i].listed = false;
    for (uint32_t i = 0; i < result->child_count; i++) {
        struct node_name node;
        struct entry *entry;

        if (!node_name_parse(&node, result->children[i], strlen(result->children[i])))
            continue;
        entry = find(directory, &node);
        for (uint32_t j = 0; !entry && j < directory->entry_max; j++) {
            if (directory->entries[j].used || directory->entries[j].busy)
                continue;
            entry = &directory->entries[j];
            memset(entry, 0, sizeof(*entry));
            entry->used = true;
            entry->base_dirty = true;
            entry->live_dirty = true;
            entry->member.node = node;
        }
        if (entry)
            entry->listed = true;
        else
            cluster_log(cluster, CLUSTER_ERROR,
                        "'%s' is one more than the %u members we can follow", node.text,
                        (unsigned)directory->entry_max);
    }
    for (uint32_t i = 0; i < directory->entry_max; i++) {
        struct entry *entry = &directory->entries[i];

        if (!entry->used || entry->listed)
            continue;
        entry->used = false;
        entry->member.presence = CLUSTER_GONE;
        entry->member.address[0] = '\0';
        entry->member.incarnation = 0;
        tell(cluster, directory, entry);
    }
}

/* An answer for an entry: false when it is gone from the list meanwhile. */
static bool is_wanted(struct entry *entry)
{
    entry->busy = false;
    return entry->used;
}

static void on_base(void *ctx, uint32_t number, const struct pump_result *result)
{
    struct cluster *cluster = ctx;
    struct entry *entry = entry_of(cluster, number);

    if (!is_wanted(entry))
        return;
    if (result->code == PUMP_UNKNOWN || result->code == PUMP_FAILED) {
        entry->base_dirty = true;
    } else if (result->code != PUMP_OK) {
        directory_of(cluster, number)->dirty = true; /* removed meanwhile */
    } else if (!nodetext_is_readable(result->value, result->value_size) ||
               !nodetext_get_guid(result->value, result->value_size, "store",
                                  &entry->member.store)) {
        cluster_log(cluster, CLUSTER_ERROR,
                    "the registration of '%s' cannot be read by this release; leaving it out",
                    entry->member.node.text);
        entry->used = false;
    }
}

/* live is there: its process. The watch tells of its end. */
static void on_live(void *ctx, uint32_t number, const struct pump_result *result)
{
    struct cluster *cluster = ctx;
    struct entry *entry = entry_of(cluster, number);
    struct cluster_member *member = &entry->member;

    if (!is_wanted(entry))
        return;
    if (result->code == PUMP_NO_NODE) {
        entry->live_absent = true;
        entry->live_dirty = true; /* watch for it */
        return;
    }
    if (result->code != PUMP_OK) {
        entry->live_dirty = true;
        return;
    }
    memset(member->address, 0, sizeof(member->address));
    member->incarnation = 0;
    member->presence = CLUSTER_DOWN;
    if (nodetext_is_readable(result->value, result->value_size) &&
        nodetext_get(result->value, result->value_size, "address", member->address,
                     sizeof(member->address)) &&
        nodetext_get_u64(result->value, result->value_size, "incarnation", &member->incarnation))
        member->presence = CLUSTER_LIVE;
    tell(cluster, directory_of(cluster, number), entry);
}

/* live was absent: it still is, and the watch tells of it, or it came meanwhile. */
static void on_absent(void *ctx, uint32_t number, const struct pump_result *result)
{
    struct cluster *cluster = ctx;
    struct entry *entry = entry_of(cluster, number);

    if (!is_wanted(entry))
        return;
    if (result->code != PUMP_NO_NODE) {
        entry->live_dirty = true;
        entry->live_absent = result->code != PUMP_OK;
        return;
    }
    entry->member.presence = CLUSTER_DOWN;
    memset(entry->member.address, 0, sizeof(entry->member.address));
    entry->member.incarnation = 0;
    tell(cluster, directory_of(cluster, number), entry);
}

static void read_entry(struct cluster *cluster, const struct directory *directory, uint32_t index,
                       struct entry *entry)
{
    bool base = entry->base_dirty;
    struct path path = {.node = entry->member.node};
    struct request request;

    if (directory->is_participants)
        path.kind = base ? PATH_PARTICIPANT : PATH_PARTICIPANT_LIVE;
    else
        path.kind = base ? PATH_COORDINATOR : PATH_COORDINATOR_LIVE;
    entry->busy = true;
    if (base)
        entry->base_dirty = false;
    else
        entry->live_dirty = false;
    request_make(cluster, &request, &path, on_base, number_of(directory, index));
    request.call.watch = !base;
    if (base) {
        pump_get(cluster->pump, &request.call);
    } else if (entry->live_absent) {
        entry->live_absent = false;
        request.call.done = on_absent;
        pump_exists(cluster->pump, &request.call);
    } else {
        request.call.done = on_live;
        pump_get(cluster->pump, &request.call);
    }
}

static void directory_run(struct cluster *cluster, struct directory *directory)
{
    struct path path = {.kind = directory->is_participants ? PATH_PARTICIPANTS : PATH_COORDINATORS};
    struct request request;

    if (directory->dirty && !directory->busy) {
        directory->dirty = false;
        directory->busy = true;
        request_make(cluster, &request, &path, on_listed, number_of(directory, 0));
        request.call.watch = true;
        pump_children(cluster->pump, &request.call);
    }
    for (uint32_t i = 0; i < directory->entry_max; i++) {
        struct entry *entry = &directory->entries[i];

        if (entry->used && !entry->busy && (entry->base_dirty || entry->live_dirty))
            read_entry(cluster, directory, i, entry);
    }
}

static void tell_leader(struct cluster *cluster, uint16_t group)
{
    struct leader *leader = &cluster->leaders[group];

    if (node_name_equal(&leader->node, &leader->told_node) && leader->epoch == leader->told_epoch)
        return;
    leader->told_node = leader->node;
    leader->told_epoch = leader->epoch;
    CALL(cluster, on_leader, group, &leader->told_node, leader->told_epoch);
}

static void on_candidates(void *ctx, uint32_t group, const struct pump_result *result)
{
    struct cluster *cluster = ctx;
    struct leader *leader = &cluster->leaders[group];
    int32_t first = 0;

    leader->busy = false;
    if (result->code != PUMP_OK) {
        leader->dirty = true;
        return;
    }
    leader->candidate[0] = '\0';
    for (uint32_t i = 0; i < result->child_count; i++) {
        struct guid guid;
        int32_t sequence;

        if (!candidate_parse(result->children[i], &guid, &sequence))
            continue;
        if (leader->candidate[0] && !candidate_is_before(sequence, first))
            continue;
        first = sequence;
        snprintf(leader->candidate, sizeof(leader->candidate), "%s", result->children[i]);
    }
    leader->unread = leader->candidate[0] != '\0';
    if (leader->unread)
        return;
    memset(&leader->node, 0, sizeof(leader->node));
    leader->epoch = 0;
    tell_leader(cluster, (uint16_t)group);
}

static void on_leader(void *ctx, uint32_t group, const struct pump_result *result)
{
    struct cluster *cluster = ctx;
    struct leader *leader = &cluster->leaders[group];

    leader->busy = false;
    if (result->code != PUMP_OK) {
        leader->dirty = true; /* it left meanwhile: who is first now? */
        return;
    }
    if (!nodetext_get_node(result->value, result->value_size, "node", &leader->node))
        memset(&leader->node, 0, sizeof(leader->node)); /* nobody we could name */
    leader->epoch = cluster->config.value.epoch_base + result->created;
    tell_leader(cluster, (uint16_t)group);
}

static void leader_run(struct cluster *cluster, uint16_t group)
{
    struct leader *leader = &cluster->leaders[group];
    struct path path = {.kind = PATH_ELECTION, .group = group};
    struct request request;

    if (leader->busy || (!leader->dirty && !leader->unread))
        return;
    leader->busy = true;
    if (leader->dirty) {
        leader->dirty = false;
        request_make(cluster, &request, &path, on_candidates, group);
        request.call.watch = true;
        pump_children(cluster->pump, &request.call);
        return;
    }
    leader->unread = false;
    path.kind = PATH_CANDIDATE;
    snprintf(path.candidate, sizeof(path.candidate), "%s", leader->candidate);
    request_make(cluster, &request, &path, on_leader, group);
    pump_get(cluster->pump, &request.call);
}

void observe_run(struct cluster *cluster, uint64_t now)
{
    (void)now;
    if (cluster->options.role == CLUSTER_PARTICIPANT)
        return;
    if (cluster->options.role == CLUSTER_COORDINATOR)
        directory_run(cluster, &cluster->participants);
    directory_run(cluster, &cluster->coordinators);
    for (uint16_t group = 0; group < cluster->config.value.groups; group++)
        leader_run(cluster, group);
}
