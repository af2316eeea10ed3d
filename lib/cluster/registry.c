/*
 * Who we are, as the others see it: the persistent node of our name holds our store, and its `live`
 * holds our process. `live` is exclusive: of two processes with one name the later one waits until
 * the former's session must be over, and gives up.
 *
 * Its owner must be our own session. A node of a former process of the same name, or of our own
 * former session, is somebody else's (R14).
 */
#include "cluster/cluster_internal.h"

#include <inttypes.h>
#include <string.h>

static const char *role_name(const struct cluster *cluster)
{
    return cluster->options.role == CLUSTER_COORDINATOR ? "coordinator" : "participant";
}

static struct path own_path(const struct cluster *cluster, bool live)
{
    struct path path = {.node = cluster->options.node};

    if (cluster->options.role == CLUSTER_COORDINATOR)
        path.kind = live ? PATH_COORDINATOR_LIVE : PATH_COORDINATOR;
    else
        path.kind = live ? PATH_PARTICIPANT_LIVE : PATH_PARTICIPANT;
    return path;
}

void registry_begin(struct cluster *cluster)
{
    struct registry *registry = &cluster->registry;

    memset(registry, 0, sizeof(*registry));
    registry->state = REGISTRY_MEMBER;
}

/*
 * What was asked for before may be lost, and our node with the session: look at once. Who waits for
 * a name begins anew: servers that come back give every session its whole time again, and a
 * process that is gone must not be taken for one that lives on.
 */
void registry_reconnected(struct cluster *cluster)
{
    struct registry *registry = &cluster->registry;

    registry->held_until_ms = 0;
    if (registry->state == REGISTRY_HELD)
        registry->state = REGISTRY_LIVE;
    cluster->lease.heartbeat_ms = 0;
}

void registry_event(struct cluster *cluster)
{
    struct registry *registry = &cluster->registry;

    if (registry->state == REGISTRY_HELD)
        registry->state = REGISTRY_LIVE;
    cluster->lease.heartbeat_ms = 0;
}

bool registry_is_done(const struct cluster *cluster)
{
    return cluster->options.role == CLUSTER_CLIENT || cluster->registry.state == REGISTRY_SERVING;
}

/* HELD is not ours to remove; LIVE and LIVE_CREATE may be, and soon tell. */
bool registry_is_gone(const struct cluster *cluster)
{
    enum registry_state state = cluster->registry.state;

    return cluster->options.role == CLUSTER_CLIENT ||
           (state != REGISTRY_LIVE && state != REGISTRY_LIVE_CREATE && state != REGISTRY_SERVING &&
            state != REGISTRY_LEAVING);
}

/* An answer that changes no state; true iff it is one. */
static bool is_retry(struct cluster *cluster, const struct pump_result *result, const char *what)
{
    if (result->code == PUMP_FAILED) {
        cluster->registry.retry_ms = cluster_failed(cluster, result, what);
        return true;
    }
    return result->code == PUMP_UNKNOWN;
}

static void on_member(void *ctx, uint32_t number, const struct pump_result *result)
{
    struct cluster *cluster = ctx;
    struct path path = own_path(cluster, false);
    char text[PATH_SIZE], ours[33], theirs[33];
    struct guid store;

    (void)number;
    cluster->registry.busy = false;
    if (is_retry(cluster, result, "our registration"))
        return;
    if (result->code == PUMP_NO_NODE) {
        cluster->registry.state = REGISTRY_MEMBER_CREATE;
        return;
    }
    path_format(&cluster->options.name, &path, text);
    if (!nodetext_is_readable(result->value, result->value_size) ||
        !nodetext_get_guid(result->value, result->value_size, "store", &store)) {
        cluster_refuse(cluster, ERR_CORRUPT, "%s in ZooKeeper at %s cannot be read by this release",
                       text, cluster->ensemble);
        return;
    }
    if (!guid_equal(&store, &cluster->options.store)) {
        cluster_refuse(
            cluster, ERR_FOREIGN,
            "%s '%s' is registered with store %s, and this is store %s: start it with its own "
            "data directory; if that store is lost for good, an operator removes %s from "
            "ZooKeeper, %s",
            role_name(cluster), cluster->options.node.text,
            hex_format(store.bytes, sizeof(store.bytes), theirs),
            hex_format(cluster->options.store.bytes, sizeof(store.bytes), ours), text,
            cluster->options.role == CLUSTER_PARTICIPANT
                ? "which gives up what it promised"
                : "and no outcome is lost: participants hold them");
        return;
    }
    cluster->registry.state = REGISTRY_LIVE;
}

static void on_member_created(void *ctx, uint32_t number, const struct pump_result *result)
{
    struct cluster *cluster = ctx;

    (void)number;
    cluster->registry.busy = false;
    cluster->registry.state = REGISTRY_MEMBER; /* ours, another's or lost: what is there counts */
    is_retry(cluster, result, "our registration");
}

/* The name is taken. Its owner's session is over within its timeout and two ticks, or it lives. */
static void held(struct cluster *cluster, const struct pump_result *result)
{
    struct registry *registry = &cluster->registry;
    uint64_t now = loop_now_ms(cluster->loop), wait_ms = 2 * (uint64_t)cluster->timeout_ms;
    char address[CLUSTER_ADDRESS_SIZE] = "unknown address";

    registry->state = REGISTRY_HELD;
    if (registry->held_until_ms != 0)
        return;
    registry->held_until_ms = now + wait_ms;
    nodetext_get(result->value, result->value_size, "address", address, sizeof(address));
    cluster_log(cluster, CLUSTER_WARN,
                "another process is registered as %s '%s' (%s): waiting %" PRIu64
                " ms for its session to end",
                role_name(cluster), cluster->options.node.text, address, wait_ms);
}

static void serve(struct cluster *cluster)
{
    cluster->registry.state = REGISTRY_SERVING;
    cluster->registry.held_until_ms = 0;
    cluster->lease.heartbeat_ms = 0;
    CALL0(cluster, on_registered);
}

static void on_live(void *ctx, uint32_t number, const struct pump_result *result)
{
    struct cluster *cluster = ctx;

    (void)number;
    cluster->registry.busy = false;
    if (is_retry(cluster, result, "our live node"))
        return;
    if (result->code == PUMP_NO_NODE)
        cluster->registry.state = REGISTRY_LIVE_CREATE;
    else if (result->owner == cluster->session) /* R14 */
        serve(cluster);
    else
        held(cluster, result);
}

static void on_live_created(void *ctx, uint32_t number, const struct pump_result *result)
{
    struct cluster *cluster = ctx;

    (void)number;
    cluster->registry.busy = false;
    /* Whatever came of it, the node's owner tells; the member may have been removed as well. */
    cluster->registry.state = result->code == PUMP_NO_NODE ? REGISTRY_MEMBER : REGISTRY_LIVE;
    is_retry(cluster, result, "our live node");
}

static void on_heartbeat(void *ctx, uint32_t number, const struct pump_result *result)
{
    struct cluster *cluster = ctx;
    struct registry *registry = &cluster->registry;

    (void)number;
    registry->heartbeat_busy = false;
    if (registry->state != REGISTRY_SERVING || is_retry(cluster, result, "our live node"))
        return;
    if (result->code == PUMP_OK && result->owner == cluster->session) {
        lease_answered(&cluster->lease, result->sent_ms);
        return;
    }
    cluster_log(cluster, CLUSTER_WARN, "our live node was removed; registering again");
    registry->state = REGISTRY_LIVE;
}

static void on_live_removed(void *ctx, uint32_t number, const struct pump_result *result)
{
    struct cluster *cluster = ctx;

    (void)number;
    cluster->registry.busy = false;
    if (!is_retry(cluster, result, "our live node"))
        cluster->registry.state = REGISTRY_GONE;
}

static void heartbeat(struct cluster *cluster, uint64_t now)
{
    struct path path = own_path(cluster, true);
    struct request request;

    if (cluster->registry.heartbeat_busy)
        return;
    if (now < cluster->lease.heartbeat_ms) {
        cluster_wake_at(cluster, cluster->lease.heartbeat_ms);
        return;
    }
    cluster->registry.heartbeat_busy = true;
    lease_sent(&cluster->lease, now);
    request_make(cluster, &request, &path, on_heartbeat, 0);
    pump_exists(cluster->pump, &request.call);
}

static void create_node(struct cluster *cluster, bool live)
{
    struct path path = own_path(cluster, live);
    struct request request;
    struct nodetext text;

    nodetext_begin(&text);
    nodetext_add_guid(&text, "store", &cluster->options.store);
    if (live) {
        nodetext_add(&text, "address", cluster->address);
        nodetext_add_u64(&text, "incarnation", cluster->options.incarnation);
    }
    request_make(cluster, &request, &path, live ? on_live_created : on_member_created, 0);
    request.call.value = text.bytes;
    request.call.value_size = text.size;
    request.call.ephemeral = live;
    pump_create(cluster->pump, &request.call);
}

static void read_node(struct cluster *cluster, bool live)
{
    struct path path = own_path(cluster, live);
    struct request request;

    request_make(cluster, &request, &path, live ? on_live : on_member, 0);
    request.call.watch = live;
    pump_get(cluster->pump, &request.call);
}

static void remove_live(struct cluster *cluster)
{
    struct path path = own_path(cluster, true);
    struct request request;

    request_make(cluster, &request, &path, on_live_removed, 0);
    request.call.version = -1;
    pump_remove(cluster->pump, &request.call);
}

/* HELD: the watch ends it, or the time. */
static void check_held(struct cluster *cluster, uint64_t now)
{
    struct registry *registry = &cluster->registry;

    if (now < registry->held_until_ms) {
        cluster_wake_at(cluster, registry->held_until_ms);
        return;
    }
    cluster_refuse(cluster, ERR_EXISTS,
                   "another process serves as %s '%s' of cluster '%s', and its session lives on; "
                   "stop it first, or give this one another name",
                   role_name(cluster), cluster->options.node.text, cluster->options.name.text);
}

void registry_run(struct cluster *cluster, uint64_t now)
{
    struct registry *registry = &cluster->registry;

    if (cluster->options.role == CLUSTER_CLIENT || registry->state == REGISTRY_GONE)
        return;
    if (registry->state == REGISTRY_SERVING) {
        heartbeat(cluster, now);
        return;
    }
    if (registry->state == REGISTRY_HELD) {
        check_held(cluster, now);
        return;
    }
    if (registry->busy)
        return;
    if (now < registry->retry_ms) {
        cluster_wake_at(cluster, registry->retry_ms);
        return;
    }
    registry->busy = true;
    if (registry->state == REGISTRY_MEMBER || registry->state == REGISTRY_LIVE)
        read_node(cluster, registry->state == REGISTRY_LIVE);
    else if (registry->state == REGISTRY_LEAVING)
        remove_live(cluster);
    else
        create_node(cluster, registry->state == REGISTRY_LIVE_CREATE);
}
