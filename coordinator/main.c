/* settle-coordinator: flags into options, signals into a drain. */
#include "coordinator.h"
#include "runtime/program.h"

#include <signal.h>

struct values {
    struct program_values program; /* first: program.h */
    char zookeeper[CONFIG_VALUE_MAX];
    char advertise[CONFIG_VALUE_MAX];
    struct coordinator_options options;
};

static struct values values;

#define OPTION(member) offsetof(struct values, options.member)

static const struct config_key keys[] = {
    PROGRAM_NODE_KEYS(struct values),
    {"node", "listen", CONFIG_ADDRESS, OPTION(listen), "127.0.0.1:7400", 0, 0,
     "HOST:PORT that clients dial"},
    {"node", "advertise", CONFIG_TEXT, offsetof(struct values, advertise), "", 0, 0,
     "HOST:PORT given to others, where it is not --listen"},
    {"node", "insecure-listen", CONFIG_BOOL, OPTION(insecure_listen), "no", 0, 0,
     "allow --listen beyond loopback, unencrypted"},
    PROGRAM_CLUSTER_KEYS(struct values),
    {"cluster", "zookeeper", CONFIG_TEXT, offsetof(struct values, zookeeper), NULL, 0, 0,
     "ensemble, HOST:PORT[,HOST:PORT]"},
    {"cluster", "session-timeout-ms", CONFIG_U32, OPTION(session_timeout_ms), "6000",
     SESSION_TIMEOUT_MIN_MS, SESSION_TIMEOUT_MAX_MS, "ZooKeeper session, milliseconds"},
    {"cluster", "groups", CONFIG_U16, OPTION(groups), "16", 1, GROUPS_MAX,
     "groups of a cluster that is created now"},
    {"limits", "client-max", CONFIG_U32, OPTION(client_max), "4096", 1, 60000,
     "clients connected at once"},
    {"limits", "txn-max", CONFIG_U32, OPTION(txn_max), "131072", 1, 4194304,
     "transactions followed at once"},
    {"limits", "in-flight-max", CONFIG_U32, OPTION(in_flight_max), "16384", 1, 4194304,
     "undecided submissions; more are refused BUSY"},
    {"limits", "blob-bytes", CONFIG_U32, OPTION(blob_bytes), "64m", 1u << 20, 1u << 31,
     "room for the branches of what is in flight, bytes (k, m, g)"},
    {"limits", "drain-ms", CONFIG_U32, OPTION(drain_ms), "10000", 0, 3600000,
     "a stop waits this long for what is in flight, milliseconds"},
    {"timing", "retry-ms", CONFIG_U32, OPTION(retry_ms), "500", 10, 60000,
     "a participant that does not answer is asked again, milliseconds"},
    {"timing", "down-grace-ms", CONFIG_U32, OPTION(down_grace_ms), "1000", 0, 60000,
     "a Submit waits this long for a participant that is down, milliseconds"},
    {"timing", "end-ms", CONFIG_U32, OPTION(end_ms), "200", 10, 60000,
     "pause between two Ends of a group, milliseconds"},
    {"store", "history-ms", CONFIG_U64, OPTION(history_ms), "86400000", 1000, 1ull << 42,
     "outcomes told are kept this long, milliseconds"},
    {"store", "map-size", CONFIG_U64, OPTION(map_size), "16g", 1u << 20, 1ull << 46,
     "the most the store can grow to, bytes (k, m, g)"},
    {"store", "reserve-size", CONFIG_U64, OPTION(reserve_size), "16m", 1u << 16, 1ull << 40,
     "space kept free, bytes (k, m, g)"},
};

static void on_signal(void *ctx)
{
    coordinator_stop(ctx);
}

static int serve(struct err *err)
{
    struct coordinator_options *options = &values.options;
    struct loop_signal *term, *interrupt;
    struct coordinator *c;
    int rc;

    options->data_dir = values.program.data;
    options->node = values.program.id;
    options->cluster = values.program.cluster;
    options->zookeeper = values.zookeeper;
    options->advertise = values.advertise[0] != '\0' ? values.advertise : NULL;
    rc = coordinator_open(options, &c, err);
    if (rc != 0)
        return rc;
    term = loop_signal_open(c->loop, SIGTERM, on_signal, c);
    interrupt = loop_signal_open(c->loop, SIGINT, on_signal, c);
    rc = coordinator_run(c);
    loop_signal_close(term);
    loop_signal_close(interrupt);
    coordinator_close(c);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct program program = {
        .name = "settle-coordinator",
        .about = "drives transactions over the participants of a cluster",
        .role = STORE_COORDINATOR,
        .table = {keys, sizeof(keys) / sizeof(keys[0]), &values},
        .values = &values.program,
        .serve = serve,
    };

    return program_main(&program, argc, argv);
}
