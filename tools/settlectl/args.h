/*
 * The command line of settlectl: verbs, their options, and what the user gave.
 *
 * A verb is one or two words ("status", "account create"). Options may stand anywhere after the
 * program's name, as "--name value" or "--name=value"; a value may begin with a dash ("--floor
 * -10.00"); "--" ends them. Parsing touches nothing but its arguments, so that it can be tested
 * alone.
 */
#ifndef SETTLE_TOOLS_SETTLECTL_ARGS_H
#define SETTLE_TOOLS_SETTLECTL_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define OPTIONS_MAX     12 /* of one verb */
#define OPERANDS_MAX    1
#define COMPLAINT_SIZE  512
#define TIMEOUT_DEFAULT 5000

struct ctl;

struct option {
    const char *name;  /* without the dashes */
    const char *value; /* what to call the value; NULL: a flag */
    const char *help;
    bool required;
};

struct verb {
    const char *name;
    const char *operand; /* "P/ACCOUNT", one and required; NULL: none */
    const char *summary;
    const char *detail;           /* more for --help; may be NULL */
    const struct option *options; /* ends with a NULL name; may be NULL */
    int (*run)(struct ctl *ctl);  /* returns the exit code */
};

struct args {
    const struct verb *verb; /* NULL with help and version */
    const char *topic;       /* help on verbs that begin with this word; NULL: on all */
    bool help, version;
    const char *cluster; /* NULL: not given */
    bool json;
    unsigned timeout_ms;
    const char *values[OPTIONS_MAX]; /* by the place in verb->options; NULL: not given */
    const char *operand;
};

/**
 * Read a command line.
 *
 * @verbs          ends with a NULL name
 * @ret_complaint  on failure, what is wrong and what would be right
 * @return         false when it is wrong
 */
bool args_parse(struct args *ret_args, const struct verb *verbs, int argc, char **argv,
                char ret_complaint[COMPLAINT_SIZE]);

/** The value of an option of the verb; "" for a flag that was given; NULL when it was not. */
const char *args_value(const struct args *args, const char *name);

/** What --help says: about args->verb, about the verbs of args->topic, or about the program. */
void args_help(const struct args *args, const struct verb *verbs, FILE *out);

/** A decimal number of `length` digits, without sign or blanks, at most `max`; false otherwise. */
bool number_parse(const char *text, size_t length, unsigned long long max,
                  unsigned long long *ret_number);

/** "250ms", "5s", "2m", "1h", or a number of milliseconds; false when it is none of these. */
bool duration_parse(const char *text, unsigned long long *ret_ms);

#endif
