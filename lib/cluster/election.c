/*
 * The election of each group's leader, and the epoch that goes with it.
 *
 * A candidate is an ephemeral sequential node; the first one leads, every other watches the one
 * before it, so that a leader's end wakes one process and not all. Sixteen groups cost a standby
 * sixteen watches, and a leader sixteen nodes.
 *
 * The epoch is epoch_base plus the node's creation zxid: ZooKeeper gives no zxid twice, and a later
 * node has a higher one. The name carries a guid, fresh for each node, so that a create whose
 * answer was lost is found again; it goes into the seal with the epoch. A node counts as ours only
 * if our own session owns it (R14), and a node once led with and given up is removed, never led
 * with again: under its epoch we would number transactions from 1 a second time (S12).
 */
#include "cluster/cluster_internal.h"

#include "base/assert.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void forget_node(struct election *election)
{
    election->state = ELECTION_IDLE;
    election->dirty = false;
    election->first = false;
    election->name[0] = '\0';
    election->predecessor[0] = '\0';
}

static void unlead(struct cluster *cluster, uint16_t group)
{
    struct election *election = &cluster->elections[group];

    ASSERT(election->state == ELECTION_LEADING);
    election->state = ELECTION_LEAVING;
    election->suspended = false;
    CALL(cluster, on_unlead, group);
}

void elections_begin(struct cluster *cluster)
{
    for (uint16_t group = 0; group < GROUPS_MAX; group++) {
        struct election *election = &cluster->elections[group];

        if (election->state == ELECTION_LEADING)
            unlead(cluster, group);
        forget_node(election);
        election->busy = false;
        election->retry_ms = 0;
    }
}

void elections_reconnected(struct cluster *cluster)
{
    for (uint16_t group = 0; group < GROUPS_MAX; group++)
        cluster->elections[group].dirty = true;
}

void elections_suspend(struct cluster *cluster)
{
    for (uint16_t group = 0; group < GROUPS_MAX; group++) {
        struct election *election = &cluster->elections[group];

        if (election->state != ELECTION_LEADING || election->suspended)
            continue;
        election->suspended = true;
        election->verified = false;
        election->dirty = true; /* resumes when our node was seen again */
        CALL(cluster, on_suspend, group);
    }
}

void elections_lost(struct cluster *cluster)
{
    for (uint16_t group = 0; group < GROUPS_MAX; group++) {
        if (cluster->elections[group].state == ELECTION_LEADING)
            unlead(cluster, group);
    }
}

bool elections_lead(const struct cluster *cluster)
{
    for (uint16_t group = 0; group < GROUPS_MAX; group++) {
        if (cluster->elections[group].state == ELECTION_LEADING)
            return true;
    }
    return false;
}

bool elections_are_gone(const struct cluster *cluster)
{
    for (uint16_t group = 0; group < GROUPS_MAX; group++) {
        if (cluster->elections[group].state != ELECTION_IDLE)
            return false;
    }
    return true;
}

void elections_event(struct cluster *cluster, const struct path *path)
{
    struct election *election = &cluster->elections[path->group];

    if (path->kind == PATH_CANDIDATE && (strcmp(path->candidate, election->predecessor) == 0 ||
                                         strcmp(path->candidate, election->name) == 0))
        election->dirty = true;
}

void cluster_step_down(struct cluster *cluster, uint16_t group, uint64_t sealed_epoch)
{
    struct election *election = &cluster->elections[group];

    ASSERT(group < GROUPS_MAX);
    if (sealed_epoch > election->floor)
        election->floor = sealed_epoch;
    election->step_down = true;
    cluster_poke(cluster);
}

/* An answer that changes no state; true iff it is one. */
static bool is_retry(struct cluster *cluster, uint32_t group, const struct pump_result *result)
{
    if (result->code == PUMP_FAILED) {
        cluster->elections[group].retry_ms = cluster_failed(cluster, result, "an election node");
        return true;
    }
    return result->code == PUMP_UNKNOWN;
}

/* Adopt `name`, if our session owns it. */
static void adopt(struct cluster *cluster, struct election *election, const char *name,
                  const struct pump_result *result)
{
    if (result->owner != cluster->session) { /* R14 */
        forget_node(election);
        return;
    }
    if (name != election->name)
        snprintf(election->name, sizeof(election->name), "%s", name);
    election->created = result->created;
    election->state = ELECTION_WAITING;
    election->dirty = true;
    election->first = false;
}

static void on_created(void *ctx, uint32_t group, const struct pump_result *result)
{
    struct cluster *cluster = ctx;
    struct election *election = &cluster->elections[group];
    struct path path;

    election->busy = false;
    if (result->code == PUMP_OK) {
        path = path_parse(&cluster->options.name, result->path);
        ASSERT(path.kind == PATH_CANDIDATE);
        adopt(cluster, election, path.candidate, result);
        return;
    }
    election->state = ELECTION_SEARCHING; /* it may be there all the same */
    if (!is_retry(cluster, group, result))
        election->retry_ms = cluster_failed(cluster, result, "an election node");
}

static void on_found(void *ctx, uint32_t group, const struct pump_result *result)
{
    struct cluster *cluster = ctx;
    struct election *election = &cluster->elections[group];

    election->busy = false;
    if (is_retry(cluster, group, result))
        return;
    if (result->code == PUMP_OK)
        adopt(cluster, election, election->name, result);
    else
        election->name[0] = '\0'; /* gone already: search again, and create if it is not there */
}

/* The first child with our guid; NULL if there is none. */
static const char *find_own(const struct election *election, const struct pump_result *result)
{
    for (uint32_t i = 0; i < result->child_count; i++) {
        struct guid guid;
        int32_t sequence;

        if (candidate_parse(result->children[i], &guid, &sequence) &&
            guid_equal(&guid, &election->guid))
            return result->children[i];
    }
    return NULL;
}

static void on_searched(void *ctx, uint32_t group, const struct pump_result *result)
{
    struct cluster *cluster = ctx;
    struct election *election = &cluster->elections[group];
    const char *own;

    election->busy = false;
    if (is_retry(cluster, group, result))
        return;
    own = find_own(election, result);
    if (own)
        snprintf(election->name, sizeof(election->name), "%s", own);
    else
        election->state = ELECTION_CREATING; /* under the same guid */
}

/* Find our place: the first one leads, the others have a predecessor. */
static void on_listed(void *ctx, uint32_t group, const struct pump_result *result)
{
    struct cluster *cluster = ctx;
    struct election *election = &cluster->elections[group];
    const char *before = NULL;
    int32_t before_sequence = 0, own_sequence = 0;
    struct guid guid;
    bool found = false;

    election->busy = false;
    if (is_retry(cluster, group, result) || election->state != ELECTION_WAITING)
        return;
    ASSERT(candidate_parse(election->name, &guid, &own_sequence));
    for (uint32_t i = 0; i < result->child_count; i++) {
        const char *name = result->children[i];
        int32_t sequence;

        found = found || strcmp(name, election->name) == 0;
        if (!candidate_parse(name, &guid, &sequence) ||
            !candidate_is_before(sequence, own_sequence))
            continue;
        if (!before || candidate_is_before(before_sequence, sequence)) {
            before = name;
            before_sequence = sequence;
        }
    }
    if (!found) { /* removed by somebody */
        forget_node(election);
        return;
    }
    election->dirty = false;
    election->first = !before;
    snprintf(election->predecessor, sizeof(election->predecessor), "%s", before ? before : "");
    election->watch_predecessor = before != NULL;
}

static void on_predecessor(void *ctx, uint32_t group, const struct pump_result *result)
{
    struct cluster *cluster = ctx;
    struct election *election = &cluster->elections[group];

    election->busy = false;
    /* Gone, or never watched: list again. It does not follow that we are first. */
    if (is_retry(cluster, group, result) || result->code != PUMP_OK)
        election->dirty = true;
}

/* LEADING: our node was looked at again. */
static void on_verified(void *ctx, uint32_t group, const struct pump_result *result)
{
    struct cluster *cluster = ctx;
    struct election *election = &cluster->elections[group];

    election->busy = false;
    if (election->state != ELECTION_LEADING || is_retry(cluster, group, result))
        return;
    if (result->code != PUMP_OK || result->owner != cluster->session) {
        cluster_log(cluster, CLUSTER_WARN, "our election node of group %u was removed",
                    (unsigned)group);
        unlead(cluster, (uint16_t)group);
        forget_node(election);
        return;
    }
    election->dirty = false;
    election->verified = true;
}

static void on_removed(void *ctx, uint32_t group, const struct pump_result *result)
{
    struct cluster *cluster = ctx;

    cluster->elections[group].busy = false;
    if (!is_retry(cluster, group, result))
        forget_node(&cluster->elections[group]);
}

/* ZooKeeper gave an epoch that was led or sealed before: it was set back to an older state. */
static void bar(struct cluster *cluster, uint16_t group, uint64_t epoch)
{
    static const struct path config = {.kind = PATH_CONFIG};
    struct election *election = &cluster->elections[group];
    char text[PATH_SIZE];

    election->barred = true;
    election->barred_base = cluster->config.value.epoch_base;
    election->state = ELECTION_LEAVING;
    cluster_log(cluster, CLUSTER_ERROR,
                "group %u: ZooKeeper at %s gives the epoch %" PRIu64 ", but %" PRIu64
                " was in force before: it was set back to an older state; not leading. Remedy: "
                "raise epoch_base in %s to %" PRIu64 " or more",
                (unsigned)group, cluster->ensemble, epoch, election->floor,
                path_format(&cluster->options.name, &config, text), election->floor);
}

static void lead(struct cluster *cluster, uint16_t group)
{
    struct election *election = &cluster->elections[group];
    uint64_t epoch = cluster->config.value.epoch_base + election->created;

    if (epoch <= election->floor) {
        bar(cluster, group, epoch);
        return;
    }
    election->state = ELECTION_LEADING;
    election->epoch = epoch;
    election->floor = epoch;
    election->suspended = false;
    election->step_down = false;
    election->dirty = true; /* to be watched: somebody may remove it */
    CALL(cluster, on_lead, group, epoch, &election->guid);
}

static void create(struct cluster *cluster, uint16_t group)
{
    struct election *election = &cluster->elections[group];
    struct path path = {.kind = PATH_CANDIDATE, .group = group};
    struct request request;
    struct nodetext text;

    candidate_prefix(&election->guid, path.candidate);
    nodetext_begin(&text);
    nodetext_add(&text, "node", cluster->options.node.text);
    nodetext_add(&text, "address", cluster->address);
    request_make(cluster, &request, &path, on_created, group);
    request.call.value = text.bytes;
    request.call.value_size = text.size;
    request.call.ephemeral = true;
    request.call.sequential = true;
    pump_create(cluster->pump, &request.call);
}

static void list(struct cluster *cluster, uint16_t group, pump_done *done)
{
    struct path path = {.kind = PATH_ELECTION, .group = group};
    struct request request;

    request_make(cluster, &request, &path, done, group);
    pump_children(cluster->pump, &request.call);
}

/* get, not exists: on a node that is gone, exists would leave a watch behind for ever. */
static void get(struct cluster *cluster, uint16_t group, const char *name, pump_done *done)
{
    struct path path = {.kind = PATH_CANDIDATE, .group = group};
    struct request request;

    snprintf(path.candidate, sizeof(path.candidate), "%s", name);
    request_make(cluster, &request, &path, done, group);
    request.call.watch = done != on_found;
    pump_get(cluster->pump, &request.call);
}

static void remove_node(struct cluster *cluster, uint16_t group)
{
    struct path path = {.kind = PATH_CANDIDATE, .group = group};
    struct request request;

    snprintf(path.candidate, sizeof(path.candidate), "%s", cluster->elections[group].name);
    request_make(cluster, &request, &path, on_removed, group);
    request.call.version = -1;
    pump_remove(cluster->pump, &request.call);
}

static bool is_wanted(struct cluster *cluster, struct election *election)
{
    if (cluster->leaving || !registry_is_done(cluster))
        return false;
    if (election->barred && cluster->config.value.epoch_base <= election->barred_base)
        return false;
    election->barred = false;
    return true;
}

static void begin(struct cluster *cluster, uint16_t group)
{
    struct election *election = &cluster->elections[group];

    election->guid = cluster_guid_make();
    election->state = ELECTION_CREATING;
    election->busy = true;
    create(cluster, group);
}

static void run_waiting(struct cluster *cluster, uint16_t group, uint64_t now)
{
    struct election *election = &cluster->elections[group];

    if (election->dirty) {
        election->busy = true;
        list(cluster, group, on_listed);
    } else if (election->watch_predecessor) {
        election->watch_predecessor = false;
        election->busy = true;
        get(cluster, group, election->predecessor, on_predecessor);
    } else if (election->first && lease_holds(&cluster->lease, now)) {
        lead(cluster, group);
        if (election->state == ELECTION_LEADING) {
            election->busy = true;
            get(cluster, group, election->name, on_verified);
        }
    }
}

/* The next operation of a group that has none under way. */
static void run_next(struct cluster *cluster, uint16_t group, uint64_t now)
{
    struct election *election = &cluster->elections[group];

    switch (election->state) {
    case ELECTION_IDLE:
        if (is_wanted(cluster, election))
            begin(cluster, group);
        break;
    case ELECTION_CREATING: /* searched for, and not there */
        if (cluster->leaving) {
            forget_node(election);
            break;
        }
        election->busy = true;
        create(cluster, group);
        break;
    case ELECTION_SEARCHING:
        election->busy = true;
        if (election->name[0])
            get(cluster, group, election->name, on_found);
        else
            list(cluster, group, on_searched);
        break;
    case ELECTION_WAITING:
        run_waiting(cluster, group, now);
        break;
    case ELECTION_LEADING:
        if (!election->dirty)
            break;
        election->busy = true;
        get(cluster, group, election->name, on_verified);
        break;
    case ELECTION_LEAVING:
        election->busy = true;
        remove_node(cluster, group);
        break;
    }
}

/* What is decided without asking: to give up, and to go on after a suspension. */
static void run_leading(struct cluster *cluster, uint16_t group, uint64_t now)
{
    struct election *election = &cluster->elections[group];
    bool rebased = election->epoch != cluster->config.value.epoch_base + election->created;

    if (election->step_down || rebased || cluster->leaving) {
        unlead(cluster, group);
    } else if (election->suspended && election->verified && lease_holds(&cluster->lease, now)) {
        election->suspended = false;
        CALL(cluster, on_resume, group);
    }
}

void elections_run(struct cluster *cluster, uint64_t now)
{
    if (cluster->options.role != CLUSTER_COORDINATOR)
        return;
    for (uint16_t group = 0; group < cluster->config.value.groups; group++) {
        struct election *election = &cluster->elections[group];

        if (election->state == ELECTION_LEADING)
            run_leading(cluster, group, now);
        election->step_down = false;
        if (election->busy)
            continue;
        if (election->state == ELECTION_WAITING && cluster->leaving)
            election->state = ELECTION_LEAVING;
        if (now < election->retry_ms)
            cluster_wake_at(cluster, election->retry_ms);
        else
            run_next(cluster, group, now);
    }
}
