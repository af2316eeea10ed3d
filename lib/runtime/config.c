#include "runtime/config.h"

#include "base/assert.h"
#include "base/types.h"
#include "net/address.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one reading of a file works with. */
struct reading {
    struct config *config;
    struct err *err;
    int rc;
};

static void *value_at(const struct config *config, const struct config_key *key)
{
    return (uint8_t *)config->table.values + key->offset;
}

static const struct config_key *find_key(const struct config_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->keys[i].name, name) == 0)
            return &table->keys[i];
    }
    return NULL;
}

/* "4096", "64k", "16m", "4g": bytes in powers of two. */
static bool parse_number(const char *text, uint64_t *ret_value)
{
    uint64_t value;
    unsigned shift = 0;
    char *end;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno != 0)
        return false;
    if (*end == 'k')
        shift = 10;
    else if (*end == 'm')
        shift = 20;
    else if (*end == 'g')
        shift = 30;
    if (shift != 0)
        end++;
    if (*end != '\0' || value > UINT64_MAX >> shift)
        return false;
    *ret_value = value << shift;
    return true;
}

static int set_number(struct config *config, const struct config_key *key, const char *text,
                      struct err *err)
{
    void *at = value_at(config, key);
    uint64_t value;

    if (!parse_number(text, &value) || value < key->min || value > key->max)
        return err_set(err, ERR_USAGE, "%s = '%s': give a whole number from %llu to %llu",
                       key->name, text, (unsigned long long)key->min, (unsigned long long)key->max);
    if (key->kind == CONFIG_U16)
        *(uint16_t *)at = (uint16_t)value;
    else if (key->kind == CONFIG_U32)
        *(uint32_t *)at = (uint32_t)value;
    else
        *(uint64_t *)at = value;
    return 0;
}

static int set_bool(struct config *config, const struct config_key *key, const char *text,
                    struct err *err)
{
    bool yes = strcmp(text, "yes") == 0 || strcmp(text, "true") == 0;

    if (!yes && strcmp(text, "no") != 0 && strcmp(text, "false") != 0)
        return err_set(err, ERR_USAGE, "%s = '%s': give yes or no", key->name, text);
    *(bool *)value_at(config, key) = yes;
    return 0;
}

static int set_parsed(struct config *config, const struct config_key *key, const char *text,
                      struct err *err)
{
    switch (key->kind) {
    case CONFIG_TEXT:
        memcpy(value_at(config, key), text, strlen(text) + 1);
        return 0;
    case CONFIG_NAME:
        if (!node_name_parse(value_at(config, key), text, strlen(text)))
            return err_set(err, ERR_USAGE,
                           "%s = '%s': give 1 to 31 characters of a-z, 0-9 and '-', a letter first",
                           key->name, text);
        return 0;
    case CONFIG_ADDRESS:
        if (address_resolve(value_at(config, key), text, err) != 0)
            return err_prefix(err, "%s = '%s'", key->name, text);
        return 0;
    case CONFIG_BOOL:
        return set_bool(config, key, text, err);
    case CONFIG_U16:
    case CONFIG_U32:
    case CONFIG_U64:
        return set_number(config, key, text, err);
    }
    UNREACHABLE();
}

static int set(struct config *config, const struct config_key *key, const char *text,
               enum config_source source, struct err *err)
{
    size_t index = (size_t)(key - config->table.keys);
    int rc;

    if (strlen(text) >= CONFIG_VALUE_MAX)
        return err_set(err, ERR_USAGE, "%s: the value is longer than %d bytes", key->name,
                       CONFIG_VALUE_MAX - 1);
    if (source != CONFIG_DEFAULT && config->sources[index] == source)
        return err_set(err, ERR_USAGE, "%s is given twice", key->name);
    rc = set_parsed(config, key, text, err);
    if (rc != 0)
        return rc;
    config->sources[index] = (uint8_t)source;
    snprintf(config->texts[index], CONFIG_VALUE_MAX, "%s", text);
    return 0;
}

/* inih's callback: 0 says that the line is wrong. Only the first wrong line is told. */
static int on_pair(void *ctx, const char *section, const char *name, const char *value)
{
    struct reading *reading = ctx;
    struct config *config = reading->config;
    const struct config_key *key = find_key(&config->table, name);

    if (reading->rc != 0)
        return 0;
    if (!key)
        reading->rc = err_set(reading->err, ERR_USAGE,
                              "unknown key '%s' in section [%s]; --help lists the keys", name,
                              section);
    else if (strcmp(key->section, section) != 0)
        reading->rc = err_set(reading->err, ERR_USAGE, "key '%s' belongs to section [%s], not [%s]",
                              name, key->section, section);
    else
        reading->rc = set(config, key, value, CONFIG_FILE, reading->err);
    return reading->rc == 0;
}

static int read_file(struct config *config, const char *path, struct err *err)
{
    struct reading reading = {.config = config, .err = err};
    int line, rc = 0;
    FILE *file = fopen(path, "re");

    if (!file)
        return err_set_errno(err, ERR_IO, errno, "cannot open the configuration file '%s'", path);
    line = ini_parse_file(file, on_pair, &reading);
    if (ferror(file)) /* a folder, for one: it opens */
        rc = err_set_errno(err, ERR_IO, errno, "cannot read the configuration file '%s'", path);
    fclose(file);
    if (rc != 0 || line == 0)
        return rc;
    if (reading.rc == 0)
        err_set(err, ERR_USAGE, "this is no 'key = value', no [section] and no comment");
    err_prefix(err, "%s, line %d", path, line);
    return ERR_USAGE;
}

/* The value of flag number *at, moved to its last argument; NULL when there is none. */
static const char *flag_value(int argc, char **argv, int *at, const struct config_key *key)
{
    const char *equals = strchr(argv[*at], '=');

    if (equals)
        return equals + 1;
    if (key && key->kind == CONFIG_BOOL)
        return "yes";
    if (*at + 1 >= argc)
        return NULL;
    return argv[++*at];
}

/* "--data=x" has the name "data". False when it is no flag or too long to be one of ours. */
static bool flag_name(const char *argument, char *name, size_t size)
{
    size_t length;

    if (strncmp(argument, "--", 2) != 0)
        return false;
    length = strcspn(argument + 2, "=");
    if (length == 0 || length >= size)
        return false;
    memcpy(name, argument + 2, length);
    name[length] = '\0';
    return true;
}

static int read_flag(struct config *config, int argc, char **argv, int *at, struct err *err)
{
    const char *argument = argv[*at];
    const struct config_key *key;
    const char *value;
    char name[64];

    ASSERT(argument);
    if (!flag_name(argument, name, sizeof(name)))
        return err_set(err, ERR_USAGE, "'%s' is no flag; --help lists them", argument);
    if (strcmp(name, "check-config") == 0)
        return 0; /* seen already */
    key = find_key(&config->table, name);
    if (!key && strcmp(name, "config") != 0)
        return err_set(err, ERR_USAGE, "unknown flag --%s; --help lists them", name);
    value = flag_value(argc, argv, at, key);
    if (!value)
        return err_set(err, ERR_USAGE, "--%s needs a value", name);
    if (!key)
        return 0; /* --config, read before the flags */
    if (set(config, key, value, CONFIG_FLAG, err) != 0)
        return err_prefix(err, "--%s", name);
    return 0;
}

/* The flags that are about reading itself. */
static void read_own_flags(struct config *config, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            config->help = true;
        else if (strcmp(argv[i], "--version") == 0)
            config->version = true;
        else if (strcmp(argv[i], "--check-config") == 0)
            config->check = true;
        else if (strncmp(argv[i], "--config=", 9) == 0)
            config->file = argv[i] + 9;
        else if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            config->file = argv[++i];
    }
}

static int require_all(const struct config *config, struct err *err)
{
    for (size_t i = 0; i < config->table.count; i++) {
        const struct config_key *key = &config->table.keys[i];

        if (!key->fallback && config->sources[i] == CONFIG_DEFAULT)
            return err_set(err, ERR_USAGE, "--%s is missing (%s); or set '%s' in [%s] of --config",
                           key->name, key->help, key->name, key->section);
    }
    return 0;
}

int config_read(struct config *config, const struct config_table *table, int argc, char **argv,
                struct err *err)
{
    int rc = 0;

    ASSERT(table->count <= CONFIG_KEYS_MAX);
    memset(config, 0, sizeof(*config));
    config->table = *table;
    read_own_flags(config, argc, argv);
    if (config->help || config->version)
        return 0;
    for (size_t i = 0; i < table->count && rc == 0; i++) {
        if (table->keys[i].fallback)
            rc = set(config, &table->keys[i], table->keys[i].fallback, CONFIG_DEFAULT, err);
    }
    ASSERT(rc == 0); /* our own defaults */
    if (config->file)
        rc = read_file(config, config->file, err);
    for (int i = 0; i < argc && rc == 0; i++)
        rc = read_flag(config, argc, argv, &i, err);
    if (rc == 0)
        rc = require_all(config, err);
    return rc;
}

void config_each(const struct config *config,
                 void (*fn)(void *ctx, const struct config_key *key, const char *value,
                            enum config_source source),
                 void *ctx)
{
    for (size_t i = 0; i < config->table.count; i++)
        fn(ctx, &config->table.keys[i], config->texts[i], (enum config_source)config->sources[i]);
}

void config_print(const struct config *config)
{
    const char *section = "";

    for (size_t i = 0; i < config->table.count; i++) {
        const struct config_key *key = &config->table.keys[i];

        if (strcmp(section, key->section) != 0)
            printf("%s[%s]\n", i == 0 ? "" : "\n", key->section);
        section = key->section;
        printf("%s = %s\n", key->name, config->texts[i]);
    }
}

static void print_key(const struct config_key *key)
{
    printf("  --%-22s %s", key->name, key->help);
    if (!key->fallback)
        printf(" (required)");
    else if (key->fallback[0] != '\0')
        printf(" (default %s)", key->fallback);
    printf("\n");
}

void config_help(const struct config_table *table)
{
    const char *section = "";

    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(section, table->keys[i].section) != 0)
            printf("\n[%s]\n", table->keys[i].section);
        section = table->keys[i].section;
        print_key(&table->keys[i]);
    }
    printf("\nAny of them may stand in the file as `name = value` under its [section].\n"
           "  --config FILE            read this ini file first; flags win\n"
           "  --check-config           check the configuration, print it and exit\n"
           "  --help, --version\n");
}
