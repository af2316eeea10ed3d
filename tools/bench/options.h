/* The command line of settle-bench. */
#ifndef SETTLE_TOOLS_BENCH_OPTIONS_H
#define SETTLE_TOOLS_BENCH_OPTIONS_H

#include "settle/settle.h"

#include <stdbool.h>
#include <stdio.h>

#define BANKS_MAX      64
#define CLIENTS_MAX    64
#define ACCOUNTS_LIMIT 10000000u
#define FLIGHT_LIMIT   100000u

struct bench_options {
    const char *cluster;
    uint64_t transfers; /* to do; ignored with duration_s */
    uint32_t accounts;
    uint32_t in_flight;
    uint32_t clients;
    uint32_t duration_s; /* 0: until all transfers are done */
    uint32_t warmup_s;
    double hot; /* share of transfers that touch the one hot account */
    char banks[BANKS_MAX][SETTLE_NAME_MAX + 1];
    uint32_t bank_count; /* 0: all that are up */
    bool json;
    bool help, version;
};

/** Read the command line; false with a complaint of at most `size` bytes. */
bool bench_options_parse(struct bench_options *ret_options, int argc, char **argv,
                         char *ret_complaint, size_t size);

void bench_options_help(FILE *out);

#endif
