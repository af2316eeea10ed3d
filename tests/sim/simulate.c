/*
 * simulate: run the simulator. See --help.
 *
 * Exit code 0 iff every invariant held (and, with --counts, everything that should happen did).
 */
#include "base/assert.h"
#include "sim/script.h"
#include "sim/sim.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: simulate [--seeds N] [--seed S] [--counts] [--twice] [--trace]\n"
    "       simulate --scenario NAME|all [--trace]\n"
    "       simulate --list\n"
    "\n"
    "  --seeds N        run N random schedules (default 1000)\n"
    "  --seed S         the first one's seed (default 1); without --seeds only this one\n"
    "  --counts         fail if something that is counted never happened\n"
    "  --twice          run each schedule twice, and fail if the runs differ\n"
    "  --scenario NAME  run a directed schedule (or all of them)\n"
    "  --list           print the directed schedules and the rules they guard\n"
    "  --trace          print what happens\n";

struct options {
    uint64_t seed, seeds;
    bool counts, twice, trace, list;
    const char *scenario;
};

static bool parse_number(const char *text, uint64_t *ret_number)
{
    char *end;

    if (!text)
        return false;
    *ret_number = strtoull(text, &end, 10);
    return end != text && *end == '\0';
}

/* True iff the arguments make sense. */
static bool parse(int argc, char **argv, struct options *options)
{
    bool seeds_given = false, seed_given = false;

    *options = (struct options){.seed = 1, .seeds = 1000};
    for (int i = 1; i < argc; i++) {
        const char *next = i + 1 < argc ? argv[i + 1] : NULL;

        if (strcmp(argv[i], "--counts") == 0) {
            options->counts = true;
        } else if (strcmp(argv[i], "--twice") == 0) {
            options->twice = true;
        } else if (strcmp(argv[i], "--trace") == 0) {
            options->trace = true;
        } else if (strcmp(argv[i], "--list") == 0) {
            options->list = true;
        } else if (strcmp(argv[i], "--seeds") == 0 && parse_number(next, &options->seeds)) {
            seeds_given = true;
            i++;
        } else if (strcmp(argv[i], "--seed") == 0 && parse_number(next, &options->seed)) {
            seed_given = true;
            i++;
        } else if (strcmp(argv[i], "--scenario") == 0 && next) {
            options->scenario = next;
            i++;
        } else {
            return false;
        }
    }
    if (seed_given && !seeds_given)
        options->seeds = 1;
    return true;
}

/* ---- random schedules ---- */

static void print_counts(const struct sim_counts *counts)
{
#define X(field) printf("  %-22s %12" PRIu64 "\n", #field, counts->field);
    SIM_COUNTS(X)
#undef X
}

static int check_counts(const struct sim_counts *counts)
{
    int zeros = 0;

#define X(field)                                             \
    if (counts->field == 0) {                                \
        printf("simulate: no %s in any schedule\n", #field); \
        zeros++;                                             \
    }
    SIM_COUNTS(X)
#undef X
    return zeros > 0 ? 1 : 0;
}

static int failed(const struct sim *sim)
{
    printf("simulate: seed %" PRIu64 " violates %s\n"
           "simulate: replay with: simulate --seed %" PRIu64 " --trace\n",
           sim->seed, sim->failure, sim->seed);
    return 1;
}

static int run_seeds(struct sim *sim, const struct options *options)
{
    uint64_t hash = 0;

    for (uint64_t seed = options->seed; seed - options->seed < options->seeds; seed++) {
        uint64_t first;

        if (!chaos_run(sim, seed))
            return failed(sim);
        first = sim->hash;
        hash = (hash ^ first) * UINT64_C(0x100000001b3);
        if (options->twice && (!chaos_run(sim, seed) || sim->hash != first)) {
            printf("simulate: seed %" PRIu64 " ran differently the second time\n", seed);
            return 1;
        }
    }
    printf("%" PRIu64 " schedules from seed %" PRIu64
           " kept every invariant, state hash %016" PRIx64 "\n",
           options->seeds, options->seed, hash);
    print_counts(&sim->counts);
    return options->counts ? check_counts(&sim->counts) : 0;
}

/* ---- directed schedules ---- */

static int list(void)
{
    for (const struct scenario *at = script_scenarios(); at->name; at++)
        printf("%-34s %-12s %s\n", at->name, at->rules, at->text);
    return 0;
}

static int run_scenarios(struct sim *sim, const struct options *options)
{
    bool all = strcmp(options->scenario, "all") == 0;
    int run = 0, bad = 0;

    for (const struct scenario *at = script_scenarios(); at->name; at++) {
        if (!all && strcmp(at->name, options->scenario) != 0)
            continue;
        run++;
        if (script_run(sim, at)) {
            printf("%-34s passed\n", at->name);
            continue;
        }
        bad++;
        printf("%-34s FAILED: %s\n"
               "simulate: replay with: simulate --scenario %s --trace\n",
               at->name, sim->failure, at->name);
    }
    if (run == 0) {
        printf("simulate: no scenario is called %s; see --list\n", options->scenario);
        return 1;
    }
    printf("%d scenarios passed, %d failed\n", run - bad, bad);
    return bad > 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct options options;
    struct sim *sim;
    int rc;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!parse(argc, argv, &options)) {
        fputs(help, stderr);
        return 1;
    }
    if (options.list)
        return list();
    sim = sim_open();
    if (options.trace)
        sim->trace = stdout;
    rc = options.scenario ? run_scenarios(sim, &options) : run_seeds(sim, &options);
    sim_close(sim);
    return rc;
}
