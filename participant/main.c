/* settle-participant: flags into options, signals into a drain. */
#include "participant.h"
#include "runtime/program.h"

#include <signal.h>

struct values {
    struct program_values program; /* first: program.h */
    char zookeeper[CONFIG_VALUE_MAX];
    char advertise[CONFIG_VALUE_MAX];
    struct participant_options options;
};

static struct values values;

#define OPTION(member) offsetof(struct values, options.member)

static const struct config_key keys[] = {
    PROGRAM_NODE_KEYS(struct values),
    {"node", "listen", CONFIG_ADDRESS, OPTION(listen), "127.0.0.1:7410", 0, 0,
     "HOST:PORT that coordinators dial"},
    {"node", "advertise", CONFIG_TEXT, offsetof(struct values, advertise), "", 0, 0,
     "HOST:PORT given to others, where it is not --listen"},
    {"node", "insecure-listen", CONFIG_BOOL, OPTION(insecure_listen), "no", 0, 0,
     "allow --listen beyond loopback, unencrypted"},
    PROGRAM_CLUSTER_KEYS(struct values),
    {"cluster", "zookeeper", CONFIG_TEXT, offsetof(struct values, zookeeper), NULL, 0, 0,
     "ensemble, HOST:PORT[,HOST:PORT]"},
    {"cluster", "session-timeout-ms", CONFIG_U32, OPTION(session_timeout_ms), "6000",
     SESSION_TIMEOUT_MIN_MS, SESSION_TIMEOUT_MAX_MS, "ZooKeeper session, milliseconds"},
    {"limits", "account-max", CONFIG_U32, OPTION(account_max), "1048576", 1, ACCOUNTS_MAX,
     "accounts"},
    {"limits", "txn-max", CONFIG_U32, OPTION(txn_max), "65536", 1, 4194304,
     "unresolved transactions; more are refused BUSY"},
    {"limits", "outcome-max", CONFIG_U32, OPTION(outcome_max), "524288", 1024, 16777216,
     "outcomes between two checkpoints"},
    {"limits", "orphan-ms", CONFIG_U32, OPTION(orphan_ms), "2000", 100, 3600000,
     "prepared for this long is named to the leader again, milliseconds"},
    {"limits", "drain-ms", CONFIG_U32, OPTION(drain_ms), "10000", 0, 3600000,
     "a stop waits this long for what is in doubt, milliseconds"},
    {"store", "checkpoint-ms", CONFIG_U32, OPTION(checkpoint_ms), "30000", 10, 3600000,
     "pause between two checkpoints, milliseconds"},
    {"store", "map-size", CONFIG_U64, OPTION(map_size), "64g", 1u << 20, 1ull << 46,
     "the most the store can grow to, bytes (k, m, g)"},
    {"store", "reserve-size", CONFIG_U64, OPTION(reserve_size), "64m", 1u << 16, 1ull << 40,
     "space kept for decided work, bytes (k, m, g)"},
};

static void on_signal(void *ctx)
{
    participant_stop(ctx);
}

static int serve(struct err *err)
{
    struct participant_options *options = &values.options;
    struct loop_signal *term, *interrupt;
    struct participant *p;
    int rc;

    options->data_dir = values.program.data;
    options->node = values.program.id;
    options->cluster = values.program.cluster;
    options->zookeeper = values.zookeeper;
    options->advertise = values.advertise[0] != '\0' ? values.advertise : NULL;
    rc = participant_open(options, &p, err);
    if (rc != 0)
        return rc;
    term = loop_signal_open(p->loop, SIGTERM, on_signal, p);
    interrupt = loop_signal_open(p->loop, SIGINT, on_signal, p);
    rc = participant_run(p);
    loop_signal_close(term);
    loop_signal_close(interrupt);
    participant_close(p);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct program program = {
        .name = "settle-participant",
        .about = "a bank's ledger behind the commit protocol",
        .role = STORE_PARTICIPANT,
        .table = {keys, sizeof(keys) / sizeof(keys[0]), &values},
        .values = &values.program,
        .serve = serve,
    };

    return program_main(&program, argc, argv);
}
