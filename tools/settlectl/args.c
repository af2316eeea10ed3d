#include "args.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const struct option GLOBALS[] = {
    {"cluster", "URL", "zk://H:P[,H:P]/NAME or tcp://H:P[,H:P]; else SETTLE_CLUSTER says", false},
    {"timeout-ms", "N", "how long to wait, 1 to 3600000 (5000)", false},
    {"json", NULL, "one JSON object per line", false},
    {"help", NULL, "what a verb does, and its options", false},
    {"version", NULL, "the version of the library", false},
    {NULL, NULL, NULL, false},
};

static bool complain(char *complaint, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool complain(char *complaint, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(complaint, COMPLAINT_SIZE, format, args);
    va_end(args);
    return false;
}

bool number_parse(const char *text, size_t length, unsigned long long max,
                  unsigned long long *ret_number)
{
    unsigned long long number = 0;

    if (length == 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        unsigned digit = (unsigned)(text[i] - '0');

        if (!isdigit((unsigned char)text[i]) || number > (max - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *ret_number = number;
    return true;
}

bool duration_parse(const char *text, unsigned long long *ret_ms)
{
    static const struct {
        const char *unit;
        unsigned long long ms;
    } units[] = {{"", 1}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    size_t digits = strspn(text, "0123456789");
    unsigned long long number;

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(text + digits, units[i].unit) != 0)
            continue;
        if (!number_parse(text, digits, LLONG_MAX / units[i].ms, &number))
            return false;
        *ret_ms = number * units[i].ms;
        return true;
    }
    return false;
}

/* How many words of argv the verb's name takes: 0 when it is another's. */
static int verb_words(const struct verb *verb, const char *first, const char *second)
{
    size_t length = strlen(first);

    if (strcmp(verb->name, first) == 0)
        return 1;
    if (strncmp(verb->name, first, length) != 0 || verb->name[length] != ' ' || !second)
        return 0;
    return strcmp(verb->name + length + 1, second) == 0 ? 2 : 0;
}

static bool is_topic(const struct verb *verbs, const char *word)
{
    size_t length = strlen(word);

    for (; verbs->name; verbs++) {
        if (strncmp(verbs->name, word, length) == 0 && verbs->name[length] == ' ')
            return true;
    }
    return false;
}

/* The place of an option's name in a list, or -1. `name` may go on with "=value". */
static int option_place(const struct option *options, const char *name, size_t length)
{
    for (int i = 0; options && options[i].name; i++) {
        if (strlen(options[i].name) == length && strncmp(options[i].name, name, length) == 0)
            return i;
    }
    return -1;
}

/* The words that are no options, in order. */
struct words {
    const char *list[OPERANDS_MAX + 3];
    int count;
};

/* Options met before the verb is known are looked up when it is. */
struct scan {
    int argc;
    char **argv;
    const struct verb *verbs;
    struct args *args;
    struct words words;
    char *complaint;
};

static bool set_global(struct scan *scan, int place, const char *value)
{
    struct args *args = scan->args;
    unsigned long long number;

    switch (place) {
    case 0:
        args->cluster = value;
        return true;
    case 1:
        if (!number_parse(value, strlen(value), 3600000, &number) || number == 0)
            return complain(scan->complaint, "--timeout-ms %s: give milliseconds from 1 to 3600000",
                            value);
        args->timeout_ms = (unsigned)number;
        return true;
    case 2:
        args->json = true;
        return true;
    case 3:
        args->help = true;
        return true;
    default:
        args->version = true;
        return true;
    }
}

static bool set_option(struct scan *scan, const struct option *option, int place, const char *value)
{
    if (place < 0)
        return set_global(scan, (int)(option - GLOBALS), value);
    if (scan->args->values[place])
        return complain(scan->complaint, "--%s is given twice", option->name);
    scan->args->values[place] = value;
    return true;
}

/* One "--name", "--name value" or "--name=value" at *at; moves *at to its last word. */
static bool take_option(struct scan *scan, int *at)
{
    const char *word = scan->argv[*at] + 2;
    size_t length = strcspn(word, "=");
    const struct verb *verb = scan->args->verb;
    int place = verb ? option_place(verb->options, word, length) : -1;
    int global = option_place(GLOBALS, word, length);
    const struct option *option;

    if (place < 0 && global < 0 && !verb)
        return complain(scan->complaint, "unknown option '--%.*s'; see settlectl --help",
                        (int)length, word);
    if (place < 0 && global < 0)
        return complain(scan->complaint, "'%s' has no option '--%.*s'; see settlectl %s --help",
                        verb->name, (int)length, word, verb->name);
    option = place >= 0 ? &verb->options[place] : &GLOBALS[global];
    if (!option->value) {
        if (word[length] == '=')
            return complain(scan->complaint, "--%s takes no value", option->name);
        return set_option(scan, option, place, "");
    }
    if (word[length] == '=')
        return set_option(scan, option, place, word + length + 1);
    if (*at + 1 >= scan->argc)
        return complain(scan->complaint, "--%s needs a value: --%s %s", option->name, option->name,
                        option->value);
    *at += 1;
    return set_option(scan, option, place, scan->argv[*at]);
}

/* The verb is known as soon as its words are there; the rest are operands. */
static bool take_word(struct scan *scan, const char *word)
{
    struct words *words = &scan->words;

    if (scan->args->verb) {
        if (!scan->args->verb->operand)
            return complain(scan->complaint, "'%s' takes nothing more, but got '%s'",
                            scan->args->verb->name, word);
        if (scan->args->operand)
            return complain(scan->complaint, "'%s' takes one %s, but got '%s' as well",
                            scan->args->verb->name, scan->args->verb->operand, word);
        scan->args->operand = word;
        return true;
    }
    words->list[words->count++] = word;
    for (const struct verb *verb = scan->verbs; verb->name; verb++) {
        if (verb_words(verb, words->list[0], words->count > 1 ? words->list[1] : NULL) ==
            words->count) {
            scan->args->verb = verb;
            return true;
        }
    }
    if (words->count == 1 && is_topic(scan->verbs, word)) {
        scan->args->topic = word;
        return true;
    }
    return complain(scan->complaint, "there is no verb '%s%s%s'; see settlectl --help",
                    words->list[0], words->count > 1 ? " " : "",
                    words->count > 1 ? words->list[1] : "");
}

static bool scan_all(struct scan *scan)
{
    bool options = true;

    for (int i = 1; i < scan->argc; i++) {
        const char *word = scan->argv[i];
        bool fine;

        if (options && strcmp(word, "--") == 0) {
            options = false;
            continue;
        }
        if (options && strcmp(word, "-h") == 0) {
            scan->args->help = true;
            continue;
        }
        if (options && word[0] == '-' && word[1] == '-')
            fine = take_option(scan, &i);
        else if (options && word[0] == '-' && word[1] != '\0')
            fine = complain(scan->complaint, "unknown option '%s'; see settlectl --help", word);
        else
            fine = take_word(scan, word);
        if (!fine)
            return false;
    }
    return true;
}

/* A verb has all it needs. */
static bool check_complete(const struct scan *scan)
{
    const struct args *args = scan->args;
    const struct verb *verb = args->verb;

    if (!verb && args->topic)
        return complain(scan->complaint, "'%s' is not complete; see settlectl %s --help",
                        args->topic, args->topic);
    if (!verb)
        return complain(scan->complaint, "a verb is missing; see settlectl --help");
    if (verb->operand && !args->operand)
        return complain(scan->complaint, "'%s' needs %s; see settlectl %s --help", verb->name,
                        verb->operand, verb->name);
    for (int i = 0; verb->options && verb->options[i].name; i++) {
        if (verb->options[i].required && !args->values[i])
            return complain(scan->complaint, "'%s' needs --%s %s", verb->name,
                            verb->options[i].name, verb->options[i].value);
    }
    return true;
}

bool args_parse(struct args *ret_args, const struct verb *verbs, int argc, char **argv,
                char ret_complaint[COMPLAINT_SIZE])
{
    struct scan scan = {
        .argc = argc, .argv = argv, .verbs = verbs, .args = ret_args, .complaint = ret_complaint};

    memset(ret_args, 0, sizeof(*ret_args));
    ret_args->timeout_ms = TIMEOUT_DEFAULT;
    if (!scan_all(&scan))
        return false;
    return ret_args->help || ret_args->version || check_complete(&scan);
}

const char *args_value(const struct args *args, const char *name)
{
    int place = option_place(args->verb->options, name, strlen(name));

    return place < 0 ? NULL : args->values[place];
}

/* ---- help ---- */

static void help_options(const struct option *options, FILE *out)
{
    for (; options->name; options++) {
        char left[40];

        snprintf(left, sizeof(left), "--%s%s%s", options->name, options->value ? " " : "",
                 options->value ? options->value : "");
        fprintf(out, "  %-28s %s\n", left, options->help);
    }
}

static void help_verb(const struct verb *verb, FILE *out)
{
    fprintf(out, "settlectl %s%s%s", verb->name, verb->operand ? " " : "",
            verb->operand ? verb->operand : "");
    for (const struct option *option = verb->options; option && option->name; option++)
        fprintf(out, option->required ? " --%s%s%s" : " [--%s%s%s]", option->name,
                option->value ? " " : "", option->value ? option->value : "");
    fprintf(out, "\n\n%s.\n", verb->summary);
    if (verb->detail)
        fprintf(out, "%s\n", verb->detail);
    if (verb->options) {
        fprintf(out, "\n");
        help_options(verb->options, out);
    }
    fprintf(out, "\nFor every verb:\n");
    help_options(GLOBALS, out);
}

static void help_verbs(const struct verb *verbs, const char *topic, FILE *out)
{
    for (; verbs->name; verbs++) {
        char left[64];

        if (topic && strncmp(verbs->name, topic, strlen(topic)) != 0)
            continue;
        snprintf(left, sizeof(left), "%s%s%s", verbs->name, verbs->operand ? " " : "",
                 verbs->operand ? verbs->operand : "");
        fprintf(out, "  %-28s %s\n", left, verbs->summary);
    }
}

void args_help(const struct args *args, const struct verb *verbs, FILE *out)
{
    if (args->verb) {
        help_verb(args->verb, out);
        return;
    }
    fprintf(out, "settlectl [OPTIONS] VERB [...]: move value between the ledgers of a settle "
                 "cluster,\nand see what it does.\n\n");
    help_verbs(verbs, args->topic, out);
    fprintf(out, "\n");
    help_options(GLOBALS, out);
    fprintf(out, "\nsettlectl VERB --help says more about one.\n\n"
                 "Exit codes: 0 done or COMMITTED; 1 usage or internal error; 2 ABORTED or "
                 "refused;\n3 outcome UNKNOWN; 4 cannot reach the cluster.\n");
}
