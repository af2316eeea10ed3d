#include "bench.h"

#include <stdlib.h>
#include <string.h>

#define ASK_MS      200
#define ASK_SOME_MS 15000u /* an id that nobody ever heard of stays unknown for ever */

/* ---- what stayed unknown ---- */

/* Ask once; true when the outcome is known now. */
static bool ask(struct settle *settle, const struct settle_id *id, struct result *result)
{
    struct settle_outcome outcome;

    if (settle_outcome_of(settle, id, CALL_MS, &outcome, NULL) != 0)
        return false;
    switch (outcome.result) {
    case SETTLE_COMMITTED:
        result->committed++;
        return true;
    case SETTLE_ABORTED:
        result->aborted++;
        return true;
    case SETTLE_REFUSED:
    case SETTLE_UNKNOWN:
        return false;
    }
    return false;
}

/* Round after round, until all are known or nothing more is to be learnt. */
static void ask_open(struct settle *settle, struct result *result)
{
    uint64_t until_ns = clock_ns() + ASK_SOME_MS * UINT64_C(1000000);

    while (result->open_count > 0 && clock_ns() < until_ns && !interrupted()) {
        size_t left = 0;

        for (size_t i = 0; i < result->open_count; i++) {
            progress("asking for unknown outcomes: %zu of %zu", i + 1, result->open_count);
            if (!ask(settle, &result->open[i], result))
                result->open[left++] = result->open[i];
        }
        result->open_count = left;
        if (left > 0)
            pause_ms(ASK_MS);
    }
    result->unknown = result->open_count;
    progress("%s", "");
}

/* ---- audit ---- */

static int judge(const struct settle_audit *audit)
{
    for (size_t i = 0; i < audit->line_count; i++) {
        if (!audit->lines[i].balanced && audit->missing_count == 0)
            complain("%s DOES NOT BALANCE: %s is posted over all participants, not 0",
                     audit->lines[i].currency, audit->lines[i].posted);
    }
    for (size_t i = 0; i < audit->missing_count; i++)
        complain("the audit is incomplete: %s could not be read", audit->missing[i]);
    return audit->balanced ? EXIT_DONE : EXIT_UNBALANCED;
}

/* Everybody must be read: who is away is waited for. */
static int audit(struct settle *settle)
{
    uint64_t until_ns = clock_ns() + PATIENCE_MS * UINT64_C(1000000);
    struct settle_audit audit;
    struct settle_error err;
    bool last, failed;
    int code = EXIT_AWAY;

    do {
        last = clock_ns() > until_ns || interrupted();
        failed = settle_audit_run(settle, &audit, CALL_MS, &err) != 0;
        if (!failed && (audit.missing_count == 0 || last)) {
            code = judge(&audit);
            settle_audit_release(&audit);
            return code;
        }
        progress("waiting for an audit: %s", failed ? err.text : "somebody is away");
        if (!failed)
            settle_audit_release(&audit);
        pause_ms(ASK_MS);
    } while (!last);
    complain("cannot audit: %s", err.text);
    return code;
}

/* ---- figures ---- */

/* LMDB commits for each transfer; below 0 when a daemon began anew or could not be asked. */
static double commits_per_transfer(const struct result *result)
{
    const struct meter *before = &result->before, *after = &result->after;

    if (!before->known || !after->known || before->incarnations != after->incarnations ||
        after->commits < before->commits || result->committed == 0)
        return -1;
    return (double)(after->commits - before->commits) / (double)result->committed;
}

static double quantile_ms(const struct result *result, unsigned permille)
{
    return (double)histogram_quantile(result->latency, permille) / 1e6;
}

static void print_json(const struct result *result, double throughput, double seconds)
{
    double commits = commits_per_transfer(result);

    printf("{\"throughput_per_s\":%.1f,\"p50_ms\":%.3f,\"p95_ms\":%.3f,\"p99_ms\":%.3f,"
           "\"p999_ms\":%.3f,",
           throughput, quantile_ms(result, 500), quantile_ms(result, 950), quantile_ms(result, 990),
           quantile_ms(result, 999));
    printf(
        "\"committed\":%llu,\"aborted\":%llu,\"unknown\":%llu,\"refused\":%llu,\"seconds\":%.3f,",
        (unsigned long long)result->committed, (unsigned long long)result->aborted,
        (unsigned long long)result->unknown, (unsigned long long)result->refused, seconds);
    if (commits < 0)
        printf("\"commits_per_transfer\":null}\n");
    else
        printf("\"commits_per_transfer\":%.4f}\n", commits);
}

static void print_line(const struct result *result, double throughput, double seconds)
{
    double commits = commits_per_transfer(result);

    printf("%.0f transfers/s  p50 %.2f ms  p95 %.2f ms  p99 %.2f ms  p99.9 %.2f ms  "
           "committed %llu  aborted %llu  refused %llu  unknown %llu  in %.1f s",
           throughput, quantile_ms(result, 500), quantile_ms(result, 950), quantile_ms(result, 990),
           quantile_ms(result, 999), (unsigned long long)result->committed,
           (unsigned long long)result->aborted, (unsigned long long)result->refused,
           (unsigned long long)result->unknown, seconds);
    if (commits >= 0)
        printf("  %.3f LMDB commits/transfer", commits);
    printf("\n");
}

int report(const struct clients *clients, const struct bench_options *options,
           struct result *result)
{
    /* Before outcomes are asked for: those did not commit while the clock ran. */
    double seconds = (double)result->elapsed_ns / 1e9;
    double throughput = seconds > 0 ? (double)result->committed / seconds : 0;
    int code;

    ask_open(clients->list[0], result);
    code = audit(clients->list[0]);
    if (options->json)
        print_json(result, throughput, seconds);
    else
        print_line(result, throughput, seconds);
    if (result->failure[0]) {
        complain("the load ended early: %s", result->failure);
        return EXIT_WRONG;
    }
    if (code == EXIT_DONE && result->unknown > 0) {
        complain("%llu outcomes stayed unknown", (unsigned long long)result->unknown);
        return EXIT_UNKNOWN;
    }
    return code;
}
