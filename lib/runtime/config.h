/*
 * Configuration: one table of keys serves the ini file, the command line and the help text.
 *
 * A key stands in a section of the file as `key = value`, and on the command line as `--key VALUE`,
 * which wins. Nothing is guessed: an unknown section or key, a key given twice in a file, a value
 * out of range or of the wrong kind is an error that names file, line, key and what is allowed.
 */
#ifndef SETTLE_RUNTIME_CONFIG_H
#define SETTLE_RUNTIME_CONFIG_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_KEYS_MAX  64
#define CONFIG_VALUE_MAX 512 /* bytes of a value's text, the NUL included */

enum config_kind {
    CONFIG_TEXT,    /* char[CONFIG_VALUE_MAX] */
    CONFIG_NAME,    /* struct node_name */
    CONFIG_ADDRESS, /* struct address; names are looked up */
    CONFIG_BOOL,    /* bool; on the command line alone it means true */
    CONFIG_U16,
    CONFIG_U32,
    CONFIG_U64, /* these between min and max; 64k, 16m, 4g as bytes are understood */
};

struct config_key {
    const char *section;
    const char *name;
    enum config_kind kind;
    size_t offset;        /* of the value in the caller's struct */
    const char *fallback; /* the default as text; NULL: the key must be given */
    uint64_t min, max;    /* of numbers */
    const char *help;     /* one line, with the unit */
};

struct config_table {
    const struct config_key *keys;
    size_t count; /* at most CONFIG_KEYS_MAX */
    void *values; /* the caller's struct */
};

/* Where each value came from, for config_print() and for "given twice". */
enum config_source { CONFIG_DEFAULT = 0, CONFIG_FILE, CONFIG_FLAG };

struct config {
    struct config_table table;
    uint8_t sources[CONFIG_KEYS_MAX];
    char texts[CONFIG_KEYS_MAX][CONFIG_VALUE_MAX];
    const char *file; /* --config, or NULL */
    bool check;       /* --check-config */
    bool help;        /* --help */
    bool version;     /* --version */
};

/**
 * Read defaults, then the file that --config names, then the other flags.
 *
 * With help or version among the flags, nothing else is read.
 *
 * @argv   the arguments after the program's name; kept by the caller
 * @err    ERR_USAGE, ERR_IO (the file cannot be read)
 */
int config_read(struct config *config, const struct config_table *table, int argc, char **argv,
                struct err *err);

/** Call `fn` for each key with its value as text, in the table's order. */
void config_each(const struct config *config,
                 void (*fn)(void *ctx, const struct config_key *key, const char *value,
                            enum config_source source),
                 void *ctx);

/** Print the resolved configuration to stdout, as an ini file that reads back the same. */
void config_print(const struct config *config);

/** Print what the keys are, their defaults and limits, to stdout. */
void config_help(const struct config_table *table);

#endif
