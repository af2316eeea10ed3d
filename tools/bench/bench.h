/*
 * The benchmark's parts: accounts to move money between, the load, and what came of it.
 *
 *   setup.c   finds the participants, creates and funds accounts; may be repeated
 *   load.c    a closed loop: each of K places starts its next transfer when the last one is over
 *   report.c  asks for outcomes that stayed unknown, audits, prints
 *
 * Times are nanoseconds of CLOCK_MONOTONIC.
 */
#ifndef SETTLE_TOOLS_BENCH_BENCH_H
#define SETTLE_TOOLS_BENCH_BENCH_H

#include "histogram.h"
#include "options.h"
#include "settle/admin.h"

#define CURRENCY          "EUR"
#define ACCOUNT_NAME_SIZE 16
#define PATIENCE_MS       60000u /* how long set-up and the end wait for who is away */
#define CALL_MS           5000u

enum exit_code {
    EXIT_DONE = 0,
    EXIT_WRONG = 1,
    EXIT_UNBALANCED = 2,
    EXIT_UNKNOWN = 3,
    EXIT_AWAY = 4,
};

/* The accounts: the i-th stands at bank i mod bank_count; the last is the hot one, if any. */
struct books {
    char banks[BANKS_MAX][SETTLE_NAME_MAX + 1];
    uint32_t bank_count;
    uint32_t count; /* without the hot one */
    bool has_hot;   /* at the first bank, index `count` */
    char (*names)[ACCOUNT_NAME_SIZE];
};

/* LMDB commits of all daemons, and who they were. */
struct meter {
    bool known; /* everybody was up and answered */
    uint64_t commits;
    uint64_t incarnations; /* their sum */
};

/* What a load came to. */
struct result {
    struct histogram *latency; /* ns, of committed transfers */
    uint64_t committed, aborted, refused, unknown;
    uint64_t elapsed_ns;
    struct settle_id *open; /* the unknown ones */
    size_t open_count;
    struct meter before, after;
    char failure[256]; /* why the load ended early; "" */
};

/* Handles to the cluster: one connection and one thread each. */
struct clients {
    struct settle *list[CLIENTS_MAX];
    uint32_t count;
};

/** Print a complaint to standard error; returns EXIT_WRONG. */
int complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#ifdef __clang_analyzer__
/* The analyzer does not see what it returns. */
#define complain(...) ((void)(complain)(__VA_ARGS__), EXIT_WRONG)
#endif

/** One line that is written over by the next, on a terminal only; "" clears it. */
void progress(const char *format, ...) __attribute__((format(printf, 1, 2)));

uint64_t clock_ns(void);

/** Wait before asking somebody again who was away. */
void pause_ms(int ms);

/** True once the user asked us to stop (SIGINT, SIGTERM). */
bool interrupted(void);

/** Find participants, create and fund what is missing. Returns an exit code, after a complaint. */
int books_open(struct books *books, const struct clients *clients,
               const struct bench_options *options);
void books_release(struct books *books);

/** Run the load to its end. Returns an exit code, after a complaint. */
int load_run(const struct books *books, const struct clients *clients,
             const struct bench_options *options, struct result *ret_result);
void result_release(struct result *result);

/** Ask again what is unknown, audit, print. Returns the program's exit code. */
int report(const struct clients *clients, const struct bench_options *options,
           struct result *result);

#endif
