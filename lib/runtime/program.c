#include "runtime/program.h"

#include "net/loop.h"
#include "runtime/fault.h"
#include "runtime/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef SETTLE_VERSION
#error "SETTLE_VERSION is the build's to define"
#endif

static int complain(const struct program *program, const struct err *err)
{
    fprintf(stderr, "%s: %s\n", program->name, err->text);
    return 1;
}

static void help(const struct program *program)
{
    printf("%s: %s\n\n"
           "  %s init --data DIR --id NAME --cluster NAME   make a store, once\n"
           "  %s --config FILE [--key VALUE ...]            serve until SIGTERM\n",
           program->name, program->about, program->name, program->name);
    config_help(&program->table);
}

static int print_version(const struct program *program)
{
    printf("%s %s\n", program->name, SETTLE_VERSION);
    return 0;
}

static int init(const struct program *program, int argc, char **argv)
{
    struct {
        struct program_values program;
    } values;
    static const struct config_key keys[] = {
        {"node", "id", CONFIG_NAME, offsetof(struct program_values, id), NULL, 0, 0,
         "name of this node"},
        {"node", "data", CONFIG_TEXT, offsetof(struct program_values, data), NULL, 0, 0,
         "folder of the new store"},
        {"cluster", "cluster", CONFIG_NAME, offsetof(struct program_values, cluster), NULL, 0, 0,
         "name of the cluster"},
    };
    struct config_table table = {keys, sizeof(keys) / sizeof(keys[0]), &values};
    struct store_identity identity = {.role = program->role};
    static struct config config;
    struct err err;

    memset(&values, 0, sizeof(values));
    if (config_read(&config, &table, argc, argv, &err) != 0)
        return complain(program, &err);
    if (config.help) {
        printf("%s init: make an empty store, once and never by accident\n", program->name);
        config_help(&table);
        return 0;
    }
    if (config.version)
        return print_version(program);
    if (config.check) {
        config_print(&config);
        return 0;
    }
    identity.node = values.program.id;
    identity.cluster = values.program.cluster;
    if (store_init(values.program.data, &identity, &err) != 0)
        return complain(program, &err);
    printf("initialised the store of %s in cluster %s at %s\n", identity.node.text,
           identity.cluster.text, values.program.data);
    return 0;
}

static void log_key(void *ctx, const struct config_key *key, const char *value,
                    enum config_source source)
{
    static const char *const sources[] = {"default", "file", "flag"};

    (void)ctx;
    log_line(LOG_INFO, "configuration", "key=%s value=%s source=%s", key->name, value,
             sources[source]);
}

static int serve(const struct program *program, const struct config *config)
{
    struct err err;
    int rc;

    if (fault_init(getenv(FAULTS_ENV), &err) != 0)
        return complain(program, &err);
    loop_ignore_sigpipe();
    log_line(LOG_INFO, "starting", "program=%s version=%s cluster=%s", program->name,
             SETTLE_VERSION, program->values->cluster.text);
    config_each(config, log_key, NULL);
    rc = program->serve(&err);
    if (rc < 0) {
        log_line(LOG_FATAL, "cannot serve", "error=%s", err.text);
        return complain(program, &err);
    }
    log_line(LOG_INFO, "stopped", "exit=%d", rc);
    return rc;
}

int program_main(const struct program *program, int argc, char **argv)
{
    static struct config config;
    enum log_level level;
    struct err err;

    if (argc > 1 && strcmp(argv[1], "init") == 0)
        return init(program, argc - 2, argv + 2);
    if (config_read(&config, &program->table, argc - 1, argv + 1, &err) != 0)
        return complain(program, &err);
    if (config.help) {
        help(program);
        return 0;
    }
    if (config.version)
        return print_version(program);
    if (!log_level_parse(program->values->log_level, &level)) {
        err_set(&err, ERR_USAGE, "log-level = '%s': give debug, info, warn or error",
                program->values->log_level);
        return complain(program, &err);
    }
    log_init(program->values->id.text, level);
    if (config.check) {
        config_print(&config);
        return 0;
    }
    return serve(program, &config);
}
