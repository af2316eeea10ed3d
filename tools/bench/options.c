#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define TRANSFERS_LIMIT UINT64_C(1000000000000)
#define SECONDS_LIMIT   86400u

enum {
    OPTION_CLUSTER = 256,
    OPTION_TRANSFERS,
    OPTION_ACCOUNTS,
    OPTION_IN_FLIGHT,
    OPTION_CLIENTS,
    OPTION_DURATION,
    OPTION_WARMUP,
    OPTION_HOT,
    OPTION_PROTOCOL,
    OPTION_PARTICIPANTS,
    OPTION_JSON,
    OPTION_VERSION,
};

static const struct option OPTIONS[] = {
    {"cluster", required_argument, NULL, OPTION_CLUSTER},
    {"transfers", required_argument, NULL, OPTION_TRANSFERS},
    {"accounts", required_argument, NULL, OPTION_ACCOUNTS},
    {"in-flight", required_argument, NULL, OPTION_IN_FLIGHT},
    {"clients", required_argument, NULL, OPTION_CLIENTS},
    {"duration", required_argument, NULL, OPTION_DURATION},
    {"warmup", required_argument, NULL, OPTION_WARMUP},
    {"hot", required_argument, NULL, OPTION_HOT},
    {"protocol", required_argument, NULL, OPTION_PROTOCOL},
    {"participants", required_argument, NULL, OPTION_PARTICIPANTS},
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

/* Where a complaint goes. */
struct complaint {
    char *text;
    size_t size;
};

static bool number_parse(const struct complaint *complaint, const char *name, const char *text,
                         uint64_t min, uint64_t max, uint64_t *ret_number)
{
    char *end;
    unsigned long long number;

    errno = 0;
    number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || number < min ||
        number > max) {
        snprintf(complaint->text, complaint->size,
                 "--%s '%s': give a whole number from %llu to %llu", name, text,
                 (unsigned long long)min, (unsigned long long)max);
        return false;
    }
    *ret_number = number;
    return true;
}

static bool count_parse(const struct complaint *complaint, const char *name, const char *text,
                        uint32_t min, uint32_t max, uint32_t *ret_count)
{
    uint64_t number;

    if (!number_parse(complaint, name, text, min, max, &number))
        return false;
    *ret_count = (uint32_t)number;
    return true;
}

static bool hot_parse(const struct complaint *complaint, const char *text, double *ret_hot)
{
    char *end;
    double hot = strtod(text, &end);

    if (end == text || *end != '\0' || !(hot >= 0 && hot <= 1)) {
        snprintf(complaint->text, complaint->size,
                 "--hot '%s': give the share of transfers, from 0 to 1", text);
        return false;
    }
    *ret_hot = hot;
    return true;
}

static bool protocol_parse(const struct complaint *complaint, const char *text)
{
    if (strcmp(text, "2pc") == 0)
        return true;
    if (strcmp(text, "3pc") == 0)
        snprintf(complaint->text, complaint->size,
                 "--protocol 3pc is refused: this release commits by 2pc only");
    else
        snprintf(complaint->text, complaint->size, "--protocol '%s': it is 2pc", text);
    return false;
}

static bool banks_parse(const struct complaint *complaint, const char *text,
                        struct bench_options *options)
{
    options->bank_count = 0;
    while (*text) {
        size_t length = strcspn(text, ",");

        if (length == 0 || length > SETTLE_NAME_MAX || options->bank_count == BANKS_MAX) {
            snprintf(complaint->text, complaint->size,
                     "--participants: give 1 to %d names, like bank-a,bank-b", BANKS_MAX);
            return false;
        }
        snprintf(options->banks[options->bank_count++], SETTLE_NAME_MAX + 1, "%.*s", (int)length,
                 text);
        text += length + (text[length] == ',');
    }
    return true;
}

static bool take(const struct complaint *complaint, int option, const char *value,
                 struct bench_options *options)
{
    switch (option) {
    case OPTION_CLUSTER:
        options->cluster = value;
        return true;
    case OPTION_TRANSFERS:
        return number_parse(complaint, "transfers", value, 1, TRANSFERS_LIMIT, &options->transfers);
    case OPTION_ACCOUNTS:
        return count_parse(complaint, "accounts", value, 2, ACCOUNTS_LIMIT, &options->accounts);
    case OPTION_IN_FLIGHT:
        return count_parse(complaint, "in-flight", value, 1, FLIGHT_LIMIT, &options->in_flight);
    case OPTION_CLIENTS:
        return count_parse(complaint, "clients", value, 1, CLIENTS_MAX, &options->clients);
    case OPTION_DURATION:
        return count_parse(complaint, "duration", value, 1, SECONDS_LIMIT, &options->duration_s);
    case OPTION_WARMUP:
        return count_parse(complaint, "warmup", value, 0, SECONDS_LIMIT, &options->warmup_s);
    case OPTION_HOT:
        return hot_parse(complaint, value, &options->hot);
    case OPTION_PROTOCOL:
        return protocol_parse(complaint, value);
    case OPTION_PARTICIPANTS:
        return banks_parse(complaint, value, options);
    case OPTION_JSON:
        options->json = true;
        return true;
    case OPTION_VERSION:
        options->version = true;
        return true;
    default:
        options->help = true;
        return true;
    }
}

bool bench_options_parse(struct bench_options *ret_options, int argc, char **argv,
                         char *ret_complaint, size_t size)
{
    struct bench_options options = {
        .transfers = 100000, .accounts = 1000, .in_flight = 64, .clients = 1};
    struct complaint complaint = {ret_complaint, size};
    int option;

    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, ":h", OPTIONS, NULL)) != -1) {
        if (option == '?' || option == ':') {
            snprintf(ret_complaint, size, option == ':' ? "%s needs a value" : "unknown option %s",
                     argv[optind - 1]);
            return false;
        }
        if (!take(&complaint, option, optarg, &options))
            return false;
    }
    if (optind < argc) {
        snprintf(ret_complaint, size, "'%s' is no option; see settle-bench --help", argv[optind]);
        return false;
    }
    if (options.clients > options.in_flight)
        options.clients = options.in_flight;
    *ret_options = options;
    return true;
}

void bench_options_help(FILE *out)
{
    fputs(
        "settle-bench: load a settle cluster with transfers between accounts of different\n"
        "participants, and say how fast it was. Creates and funds the accounts it needs, and\n"
        "ends with an audit.\n\n"
        "  --cluster URL         zk://H:P[,H:P]/NAME or tcp://H:P[,H:P]; else SETTLE_CLUSTER says\n"
        "  --transfers N         how many (100000)\n"
        "  --duration S          for so many seconds instead\n"
        "  --warmup S            seconds of the same load before anything is measured (0)\n"
        "  --accounts M          over all participants (1000)\n"
        "  --in-flight K         transfers under way at any time (64)\n"
        "  --clients C           connections they are spread over, a thread each (1)\n"
        "  --hot P               share of transfers, 0 to 1, that touch one hot account (0)\n"
        "  --participants A,B    which (all that are up)\n"
        "  --protocol P          2pc\n"
        "  --json                one JSON object instead of the line of figures\n"
        "  --help, --version\n\n"
        "Exit codes: 0 done and balanced; 1 usage or internal error; 2 the audit does not balance\n"
        "or could not read everybody; 3 outcomes stayed unknown; 4 cannot reach the cluster.\n",
        out);
}
