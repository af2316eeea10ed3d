/*
 * The cluster's constants: read, watched, created once, raised by an operator.
 *
 * They are created by the first coordinator whose store belongs to no cluster yet, directories
 * first, so that who sees `config` finds the rest. A store that is bound finds its own cluster or
 * waits: an ensemble that was wiped, or is another one, must not look like a new cluster, whose
 * epochs would begin below our seals.
 */
#include "cluster/cluster_internal.h"

#include <string.h>

static const char complaint_absent[] = "absent", complaint_wiped[] = "wiped",
                  complaint_foreign[] = "foreign", complaint_malformed[] = "malformed",
                  complaint_older[] = "older";

void config_begin(struct cluster *cluster)
{
    struct config *config = &cluster->config;

    config->step = CONFIG_READ;
    config->known = false;
    config->dirty = false;
    config->busy = false;
    config->retry_ms = 0;
    config->creating = 0;
}

void config_event(struct cluster *cluster)
{
    cluster->config.dirty = true;
}

/* Say it once, until something else is the matter. */
static bool is_news(struct config *config, const char *complaint)
{
    bool news = config->complaint != complaint;

    config->complaint = complaint;
    return news;
}

static bool decode(const struct pump_result *result, struct cluster_config *ret_value)
{
    const char *bytes = result->value;
    size_t size = result->value_size;
    struct guid oldest;
    uint64_t groups;

    if (!nodetext_is_readable(bytes, size) ||
        !nodetext_get_guid(bytes, size, "cluster", &ret_value->cluster) ||
        !nodetext_get_u64(bytes, size, "groups", &groups) ||
        !nodetext_get_u64(bytes, size, "epoch_base", &ret_value->epoch_base) ||
        !nodetext_get_guid(bytes, size, "oldest_id", &oldest) || groups < 1 || groups > GROUPS_MAX)
        return false;
    ret_value->groups = (uint16_t)groups;
    memcpy(ret_value->oldest_id.bytes, oldest.bytes, sizeof(oldest.bytes));
    return true;
}

static void encode(const struct cluster_config *value, struct nodetext *text)
{
    struct guid oldest;

    memcpy(oldest.bytes, value->oldest_id.bytes, sizeof(oldest.bytes));
    nodetext_begin(text);
    nodetext_add_guid(text, "cluster", &value->cluster);
    nodetext_add_u64(text, "groups", value->groups);
    nodetext_add_u64(text, "epoch_base", value->epoch_base);
    nodetext_add_guid(text, "oldest_id", &oldest);
}

static bool is_ours(struct cluster *cluster, const struct cluster_config *value)
{
    const struct guid *bound = &cluster->options.bound;
    char ours[33], theirs[33];

    if (cluster->options.groups != 0 && cluster->options.groups != value->groups) {
        cluster_refuse(cluster, ERR_FOREIGN,
                       "cluster '%s' has %u groups, fixed when it was created; this process is "
                       "configured for %u: correct its 'groups'",
                       cluster->options.name.text, (unsigned)value->groups,
                       (unsigned)cluster->options.groups);
        return false;
    }
    if (guid_is_zero(bound) || guid_equal(bound, &value->cluster))
        return true;
    if (is_news(&cluster->config, complaint_foreign))
        cluster_log(cluster, CLUSTER_ERROR,
                    "this store belongs to cluster %s, but '%s' in ZooKeeper at %s is cluster %s: "
                    "it was created anew, or this is another ensemble; restore it or correct "
                    "the configuration; waiting",
                    hex_format(bound->bytes, sizeof(bound->bytes), ours),
                    cluster->options.name.text, cluster->ensemble,
                    hex_format(value->cluster.bytes, sizeof(value->cluster.bytes), theirs));
    return false;
}

/* Both values only rise. An older state of ZooKeeper does not lower what we know. */
static bool merge(struct cluster *cluster, const struct cluster_config *value)
{
    struct cluster_config *ours = &cluster->config.value;
    bool first = !guid_equal(&ours->cluster, &value->cluster), rose = first;

    if (first) {
        *ours = *value;
        cluster->config.complaint = NULL;
        return true;
    }
    if (value->epoch_base > ours->epoch_base) {
        ours->epoch_base = value->epoch_base;
        rose = true;
    }
    if (memcmp(&value->oldest_id, &ours->oldest_id, sizeof(value->oldest_id)) > 0) {
        ours->oldest_id = value->oldest_id;
        rose = true;
    }
    if (value->epoch_base < ours->epoch_base ||
        memcmp(&value->oldest_id, &ours->oldest_id, sizeof(value->oldest_id)) < 0) {
        if (is_news(&cluster->config, complaint_older))
            cluster_log(cluster, CLUSTER_ERROR,
                        "ZooKeeper at %s was set back to an older state: epoch_base or oldest_id "
                        "of cluster '%s' fell; keeping the higher ones",
                        cluster->ensemble, cluster->options.name.text);
    } else {
        cluster->config.complaint = NULL;
    }
    return rose;
}

static bool raise_is_done(const struct config *config)
{
    return config->value.epoch_base >= config->raise_epoch_base &&
           memcmp(&config->value.oldest_id, &config->raise_oldest_id,
                  sizeof(config->raise_oldest_id)) >= 0;
}

static void take(struct cluster *cluster, const struct pump_result *result)
{
    struct config *config = &cluster->config;
    struct cluster_config value = {.groups = 0};
    bool tell;

    if (!decode(result, &value)) {
        if (is_news(config, complaint_malformed))
            cluster_log(cluster, CLUSTER_ERROR,
                        "the config of cluster '%s' in ZooKeeper at %s cannot be read by this "
                        "release; waiting",
                        cluster->options.name.text, cluster->ensemble);
        config->known = false;
        return;
    }
    if (!is_ours(cluster, &value)) {
        config->known = false;
        return;
    }
    cluster->options.bound = value.cluster;
    config->version = result->version;
    tell = merge(cluster, &value) || !config->known;
    config->known = true;
    if (config->raise && raise_is_done(config)) {
        config->raise = false;
        tell = true;
    }
    if (tell)
        CALL(cluster, on_config, &config->value);
}

static void on_exists(void *ctx, uint32_t number, const struct pump_result *result)
{
    struct cluster *cluster = ctx;

    (void)number;
    cluster->config.busy = false;
    /* Not there: the watch will tell. Else it came meanwhile, or the answer was lost. */
    cluster->config.step = result->code == PUMP_NO_NODE ? CONFIG_IDLE : CONFIG_READ;
    if (result->code == PUMP_FAILED)
        cluster->config.retry_ms = cluster_failed(cluster, result, "the cluster's config");
}

/* Not there, and not ours to create: wait for it. */
static void wait_for_it(struct cluster *cluster)
{
    static const struct path path = {.kind = PATH_CONFIG};
    bool bound = !guid_is_zero(&cluster->options.bound);
    struct request request;

    cluster->config.known = false;
    if (is_news(&cluster->config, bound ? complaint_wiped : complaint_absent)) {
        if (bound)
            cluster_log(cluster, CLUSTER_ERROR,
                        "ZooKeeper at %s holds no cluster '%s', but our store belongs to one: it "
                        "was wiped, or this is another ensemble; restore it or correct the "
                        "configuration; waiting",
                        cluster->ensemble, cluster->options.name.text);
        else
            cluster_log(cluster, CLUSTER_WARN,
                        "ZooKeeper at %s holds no cluster '%s' yet; waiting for its first "
                        "coordinator",
                        cluster->ensemble, cluster->options.name.text);
    }
    request_make(cluster, &request, &path, on_exists, 0);
    request.call.watch = true;
    pump_exists(cluster->pump, &request.call);
}

static void on_config_created(void *ctx, uint32_t number, const struct pump_result *result)
{
    struct cluster *cluster = ctx;

    (void)number;
    cluster->config.busy = false;
    cluster->config.step = CONFIG_READ; /* ours, another's, or lost: what is there now counts */
    if (result->code == PUMP_OK)
        cluster_log(cluster, CLUSTER_INFO, "created cluster '%s' in ZooKeeper at %s",
                    cluster->options.name.text, cluster->ensemble);
    else if (result->code == PUMP_FAILED)
        cluster->config.retry_ms = cluster_failed(cluster, result, "the cluster's config");
}

static void create_config(struct cluster *cluster)
{
    static const struct path path = {.kind = PATH_CONFIG};
    struct cluster_config value = {.groups = cluster->options.groups};
    struct request request;
    struct nodetext text;

    if (value.groups == 0)
        value.groups = GROUPS_DEFAULT;
    value.cluster = cluster_guid_make();
    encode(&value, &text);
    request_make(cluster, &request, &path, on_config_created, 0);
    request.call.value = text.bytes;
    request.call.value_size = text.size;
    pump_create(cluster->pump, &request.call);
}

static void on_directory_created(void *ctx, uint32_t number, const struct pump_result *result)
{
    struct cluster *cluster = ctx;
    struct config *config = &cluster->config;

    (void)number;
    if (result->code != PUMP_OK && result->code != PUMP_NODE_EXISTS)
        config->create_failed = true;
    if (result->code == PUMP_FAILED)
        config->retry_ms = cluster_failed(cluster, result, "the cluster's directories");
    if (--config->creating > 0)
        return;
    config->busy = false;
    config->step = config->create_failed ? CONFIG_READ : CONFIG_CREATE;
}

static void create_directory(struct cluster *cluster, enum path_kind kind, uint16_t group)
{
    struct path path = {.kind = kind, .group = group};
    struct request request;

    cluster->config.creating++;
    request_make(cluster, &request, &path, on_directory_created, 0);
    request.call.value = "";
    pump_create(cluster->pump, &request.call);
}

/* All at once: one session's operations are done in the order they were sent. */
static void create_directories(struct cluster *cluster)
{
    static const enum path_kind kinds[] = {PATH_ROOT, PATH_CLUSTER, PATH_PARTICIPANTS,
                                           PATH_COORDINATORS, PATH_GROUPS};
    uint16_t groups = cluster->options.groups ? cluster->options.groups : GROUPS_DEFAULT;

    cluster->config.create_failed = false;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        create_directory(cluster, kinds[i], 0);
    for (uint16_t group = 0; group < groups; group++) {
        create_directory(cluster, PATH_GROUP, group);
        create_directory(cluster, PATH_ELECTION, group);
    }
}

static void on_got(void *ctx, uint32_t number, const struct pump_result *result)
{
    struct cluster *cluster = ctx;
    struct config *config = &cluster->config;
    bool may_create = cluster->options.role == CLUSTER_COORDINATOR &&
                      guid_is_zero(&cluster->options.bound);

    (void)number;
    config->busy = false;
    config->step = CONFIG_READ;
    switch (result->code) {
    case PUMP_OK:
        config->step = CONFIG_IDLE; /* the watch will tell */
        take(cluster, result);
        break;
    case PUMP_NO_NODE:
        config->step = may_create ? CONFIG_DIRECTORIES : CONFIG_WAIT;
        break;
    case PUMP_FAILED:
        config->retry_ms = cluster_failed(cluster, result, "the cluster's config");
        break;
    case PUMP_NODE_EXISTS:
    case PUMP_BAD_VERSION:
    case PUMP_UNKNOWN:
        break;
    }
}

static void read_config(struct cluster *cluster)
{
    static const struct path path = {.kind = PATH_CONFIG};
    struct request request;

    request_make(cluster, &request, &path, on_got, 0);
    request.call.watch = true;
    pump_get(cluster->pump, &request.call);
}

static void on_raised(void *ctx, uint32_t number, const struct pump_result *result)
{
    struct cluster *cluster = ctx;

    (void)number;
    cluster->config.busy = false;
    cluster->config.step = CONFIG_READ; /* done, overtaken by another, or lost: look */
    if (result->code == PUMP_FAILED)
        cluster->config.retry_ms = cluster_failed(cluster, result, "the cluster's config");
}

static void raise_config(struct cluster *cluster)
{
    static const struct path path = {.kind = PATH_CONFIG};
    struct config *config = &cluster->config;
    struct cluster_config value = config->value;
    struct request request;
    struct nodetext text;

    if (value.epoch_base < config->raise_epoch_base)
        value.epoch_base = config->raise_epoch_base;
    if (memcmp(&value.oldest_id, &config->raise_oldest_id, sizeof(value.oldest_id)) < 0)
        value.oldest_id = config->raise_oldest_id;
    encode(&value, &text);
    request_make(cluster, &request, &path, on_raised, 0);
    request.call.value = text.bytes;
    request.call.value_size = text.size;
    request.call.version = config->version; /* who read something older starts over */
    pump_set(cluster->pump, &request.call);
}

void config_run(struct cluster *cluster, uint64_t now)
{
    struct config *config = &cluster->config;

    if (config->busy)
        return;
    if (config->dirty)
        config->step = CONFIG_READ;
    if (config->step == CONFIG_IDLE && !(config->raise && config->known))
        return;
    if (now < config->retry_ms) {
        cluster_wake_at(cluster, config->retry_ms);
        return;
    }
    config->busy = true;
    config->dirty = false;
    switch (config->step) {
    case CONFIG_READ:
        read_config(cluster);
        break;
    case CONFIG_WAIT:
        wait_for_it(cluster);
        break;
    case CONFIG_DIRECTORIES:
        create_directories(cluster);
        break;
    case CONFIG_CREATE:
        create_config(cluster);
        break;
    case CONFIG_IDLE:
        raise_config(cluster);
        break;
    }
}

int cluster_raise(struct cluster *cluster, uint64_t epoch_base, const struct id *oldest_id,
                  struct err *err)
{
    struct config *config = &cluster->config;

    if (config->raise)
        return err_set(err, ERR_BUSY, "another raise of the cluster's constants is under way");
    if (cluster->state != CLUSTER_CONNECTED || !config->known)
        return err_set(err, ERR_UNREACHABLE, "there is no session with ZooKeeper at %s",
                       cluster->ensemble);
    config->raise = true;
    config->raise_epoch_base = epoch_base;
    config->raise_oldest_id = *oldest_id;
    cluster_poke(cluster);
    return 0;
}
