/*
 * What both daemons' main() have in common: flags, the `init` command, logs, exit codes.
 *
 *   settle-X init --data DIR --id NAME --cluster NAME     make a store, once
 *   settle-X --config FILE [--key VALUE ...]              serve
 */
#ifndef SETTLE_RUNTIME_PROGRAM_H
#define SETTLE_RUNTIME_PROGRAM_H

#include "base/types.h"
#include "runtime/config.h"
#include "store/store.h"

/* The first member of each daemon's values. */
struct program_values {
    struct node_name id;
    struct node_name cluster;
    char data[CONFIG_VALUE_MAX];
    char log_level[CONFIG_VALUE_MAX];
};

/* The keys behind them, for the head of each daemon's sections [node] and [cluster]. */
#define PROGRAM_NODE_KEYS(type)                                                               \
    {"node", "id", CONFIG_NAME, offsetof(type, program.id), NULL, 0, 0, "name of this node"}, \
        {"node", "data", CONFIG_TEXT, offsetof(type, program.data),                           \
         NULL,   0,      0,           "folder of the store, made by init"},                   \
    {                                                                                         \
        "node", "log-level", CONFIG_TEXT, offsetof(type, program.log_level), "info", 0, 0,    \
            "debug, info, warn or error"                                                      \
    }
#define PROGRAM_CLUSTER_KEYS(type)                                                      \
    {                                                                                   \
        "cluster", "cluster", CONFIG_NAME, offsetof(type, program.cluster), NULL, 0, 0, \
            "name of the cluster"                                                       \
    }

struct program {
    const char *name;  /* "settle-participant" */
    const char *about; /* one sentence */
    enum store_role role;
    struct config_table table;     /* has PROGRAM_NODE_KEYS, PROGRAM_CLUSTER_KEYS */
    struct program_values *values; /* the first member of table.values */
    int (*serve)(struct err *err); /* until a signal; returns the exit code, or an ERR_* */
};

/** Returns the process's exit code: 0, or 1 with the reason on stderr. */
int program_main(const struct program *program, int argc, char **argv);

#endif
