#include "bench.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEADLINE_MS 5000u
#define AMOUNT_MAX  1000u /* minor units */
#define PROGRESS_MS 500
#define WARM        UINT64_MAX
#define IDS_FIRST   64

/* What one handle's thread counts; nobody else writes it. */
struct tally {
    struct settle *settle;
    struct histogram latency;
    atomic_uint_fast64_t committed, aborted, refused, unknown; /* read for the progress line */
    struct settle_id *open;
    size_t open_count, open_max;
    char pad[64]; /* the next one's counters are on another cache line */
};

/* One of the K transfers under way. */
struct place {
    struct load *load;
    struct tally *tally;
    uint64_t random;
    uint64_t began_ns;
};

struct load {
    const struct books *books;
    const struct bench_options *options;
    struct tally *tallies;
    struct place *places;
    atomic_uint_fast64_t measured_from; /* WARM: still warming up */
    atomic_uint_fast64_t started;       /* since then */
    atomic_bool over;
    pthread_mutex_t lock;
    pthread_cond_t idle;
    uint32_t active; /* under the lock: places that will complete */
    uint64_t ended_ns;
    char failure[256];
};

/* splitmix64: each place has its own state, so that nothing is shared. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* ---- one transfer ---- */

/* An account of another bank than `bank`, or with one bank another account than `not`. */
static uint32_t pick_other(const struct books *books, uint32_t bank, uint32_t not, uint64_t random)
{
    uint32_t other, here;

    if (books->bank_count == 1) {
        other = (uint32_t)(random % (books->count - (not < books->count)));
        return other >= not ? other + 1 : other;
    }
    other = (bank + 1 + (uint32_t)(random % (books->bank_count - 1))) % books->bank_count;
    here = (books->count - other + books->bank_count - 1) / books->bank_count;
    return other + books->bank_count * (uint32_t)((random >> 32) % here);
}

static void pick_pair(const struct load *load, uint64_t *random, uint32_t *ret_from,
                      uint32_t *ret_to)
{
    const struct books *books = load->books;
    bool hot = books->has_hot && (double)(next_random(random) >> 11) * 0x1p-53 < load->options->hot;
    uint32_t one = hot ? books->count : (uint32_t)(next_random(random) % books->count);
    uint32_t bank = hot ? 0 : one % books->bank_count;
    uint32_t other = pick_other(books, bank, one, next_random(random));
    bool forth = next_random(random) >> 63;

    *ret_from = forth ? one : other;
    *ret_to = forth ? other : one;
}

static struct settle_leg leg_of(const struct books *books, uint32_t account, enum settle_side side,
                                int64_t amount)
{
    uint32_t bank = account == books->count ? 0 : account % books->bank_count;
    struct settle_leg leg = {books->banks[bank], books->names[account], side, amount, CURRENCY};

    return leg;
}

/* True iff one more transfer is to be started. */
static bool take_ticket(struct load *load)
{
    if (atomic_load_explicit(&load->over, memory_order_relaxed) || interrupted())
        return false;
    if (atomic_load_explicit(&load->measured_from, memory_order_relaxed) == WARM)
        return true;
    if (load->options->duration_s)
        return true;
    return atomic_fetch_add_explicit(&load->started, 1, memory_order_relaxed) <
           load->options->transfers;
}

static void place_retire(struct place *place, const char *failure)
{
    struct load *load = place->load;

    pthread_mutex_lock(&load->lock);
    if (failure && !load->failure[0])
        snprintf(load->failure, sizeof(load->failure), "%s", failure);
    if (--load->active == 0) {
        load->ended_ns = clock_ns();
        pthread_cond_signal(&load->idle);
    }
    pthread_mutex_unlock(&load->lock);
}

static void on_done(void *ctx, const struct settle_outcome *outcome);

/* The place's next transfer, or its end. */
static void place_start(struct place *place)
{
    const struct books *books = place->load->books;
    struct settle_leg legs[2];
    struct settle_submit submit = {
        .deadline_ms = DEADLINE_MS, .legs = legs, .leg_count = 2, .protocol = SETTLE_2PC};
    struct settle_error err;
    uint32_t from, to;
    int64_t amount;

    if (!take_ticket(place->load)) {
        place_retire(place, NULL);
        return;
    }
    pick_pair(place->load, &place->random, &from, &to);
    amount = 1 + (int64_t)(next_random(&place->random) % AMOUNT_MAX);
    legs[0] = leg_of(books, from, SETTLE_DEBIT, amount);
    legs[1] = leg_of(books, to, SETTLE_CREDIT, amount);
    if (settle_id_new(&submit.id) != 0) {
        place_retire(place, "the system gives no random numbers");
        return;
    }
    place->began_ns = clock_ns();
    if (settle_submit_start(place->tally->settle, &submit, on_done, place, &err) != 0)
        place_retire(place, err.text);
}

/* Somebody must ask again what became of it. */
static bool keep_open(struct tally *tally, const struct settle_id *id)
{
    if (tally->open_count == tally->open_max) {
        size_t more = tally->open_max ? tally->open_max * 2 : IDS_FIRST;
        struct settle_id *open = realloc(tally->open, more * sizeof(*open));

        if (!open)
            return false;
        tally->open = open;
        tally->open_max = more;
    }
    tally->open[tally->open_count++] = *id;
    return true;
}

/* False when memory is short. */
static bool count(struct tally *tally, const struct settle_outcome *outcome, uint64_t took_ns)
{
    switch (outcome->result) {
    case SETTLE_COMMITTED:
        histogram_add(&tally->latency, took_ns);
        atomic_fetch_add_explicit(&tally->committed, 1, memory_order_relaxed);
        break;
    case SETTLE_ABORTED:
        atomic_fetch_add_explicit(&tally->aborted, 1, memory_order_relaxed);
        break;
    case SETTLE_REFUSED:
        atomic_fetch_add_explicit(&tally->refused, 1, memory_order_relaxed);
        break;
    case SETTLE_UNKNOWN:
        atomic_fetch_add_explicit(&tally->unknown, 1, memory_order_relaxed);
        return keep_open(tally, &outcome->id);
    }
    return true;
}

static void on_done(void *ctx, const struct settle_outcome *outcome)
{
    struct place *place = ctx;
    uint64_t from = atomic_load_explicit(&place->load->measured_from, memory_order_relaxed);

    if (place->began_ns >= from && !count(place->tally, outcome, clock_ns() - place->began_ns)) {
        place_retire(place, "out of memory");
        return;
    }
    place_start(place);
}

/* ---- all of them ---- */

/* Commits are counted from each daemon's start: a restart shows as another incarnation. */
static struct meter read_meter(const struct clients *clients)
{
    struct meter meter = {.known = false};
    struct settle_status status;

    if (settle_status_get(clients->list[0], &status, CALL_MS, NULL) != 0)
        return meter;
    meter.known = true;
    meter.commits = status.lmdb_commits;
    for (size_t i = 0; i < status.participant_count; i++) {
        meter.known = meter.known && status.participants[i].up;
        meter.incarnations += status.participants[i].incarnation;
    }
    settle_status_release(&status);
    return meter;
}

static uint64_t sum_committed(const struct load *load)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < load->options->clients; i++)
        sum += atomic_load_explicit(&load->tallies[i].committed, memory_order_relaxed);
    return sum;
}

static void show_progress(const struct load *load, uint64_t *last_ns, uint64_t *last_sum)
{
    uint64_t now = clock_ns(), sum = sum_committed(load);

    if (atomic_load(&load->measured_from) == WARM)
        progress("warming up");
    else
        progress("%llu committed, %.0f/s", (unsigned long long)sum,
                 (double)(sum - *last_sum) * 1e9 / (double)(now - *last_ns));
    *last_ns = now;
    *last_sum = sum;
}

/* Wait until no place is active, `until_ns` at the latest; shows progress meanwhile. */
static void wait_idle(struct load *load, uint64_t until_ns)
{
    uint64_t last_ns = clock_ns(), last_sum = sum_committed(load);
    bool idle = false;

    while (!idle && clock_ns() < until_ns && !interrupted()) {
        uint64_t wake_ns = clock_ns() + (uint64_t)PROGRESS_MS * 1000000;
        struct timespec wake;

        wake_ns = wake_ns < until_ns ? wake_ns : until_ns;
        wake.tv_sec = (time_t)(wake_ns / 1000000000);
        wake.tv_nsec = (long)(wake_ns % 1000000000);
        pthread_mutex_lock(&load->lock);
        if (load->active > 0)
            pthread_cond_timedwait(&load->idle, &load->lock, &wake);
        idle = load->active == 0;
        pthread_mutex_unlock(&load->lock);
        show_progress(load, &last_ns, &last_sum);
    }
}

static void wait_end(struct load *load)
{
    atomic_store(&load->over, true);
    pthread_mutex_lock(&load->lock);
    while (load->active > 0)
        pthread_cond_wait(&load->idle, &load->lock);
    pthread_mutex_unlock(&load->lock);
}

static void start_places(struct load *load)
{
    uint32_t count = load->options->in_flight;
    uint64_t seed = clock_ns();

    load->active = count;
    for (uint32_t i = 0; i < count; i++) {
        struct place *place = &load->places[i];

        place->load = load;
        place->tally = &load->tallies[i % load->options->clients];
        place->random = seed + (uint64_t)i * UINT64_C(0xd1342543de82ef95);
    }
    for (uint32_t i = 0; i < count; i++)
        place_start(&load->places[i]);
}

/* Everything in one piece, for the caller. */
static bool gather(const struct load *load, struct result *result)
{
    size_t open = 0;

    for (uint32_t i = 0; i < load->options->clients; i++)
        open += load->tallies[i].open_count;
    result->latency = calloc(1, sizeof(*result->latency));
    result->open = calloc(open + 1, sizeof(*result->open));
    if (!result->latency || !result->open)
        return false;
    for (uint32_t i = 0; i < load->options->clients; i++) {
        struct tally *tally = &load->tallies[i];

        histogram_merge(result->latency, &tally->latency);
        result->committed += atomic_load(&tally->committed);
        result->aborted += atomic_load(&tally->aborted);
        result->refused += atomic_load(&tally->refused);
        result->unknown += atomic_load(&tally->unknown);
        if (tally->open_count > 0)
            memcpy(result->open + result->open_count, tally->open,
                   tally->open_count * sizeof(*tally->open));
        result->open_count += tally->open_count;
    }
    result->elapsed_ns = load->ended_ns - atomic_load(&load->measured_from);
    snprintf(result->failure, sizeof(result->failure), "%s", load->failure);
    return true;
}

static void measure(struct load *load, const struct clients *clients, struct result *result)
{
    const struct bench_options *options = load->options;
    uint64_t from;

    if (options->warmup_s) {
        start_places(load);
        wait_idle(load, clock_ns() + options->warmup_s * UINT64_C(1000000000));
    }
    result->before = read_meter(clients);
    from = clock_ns();
    atomic_store(&load->measured_from, from);
    if (!options->warmup_s)
        start_places(load);
    wait_idle(load,
              options->duration_s ? from + options->duration_s * UINT64_C(1000000000) : UINT64_MAX);
    wait_end(load);
    result->after = read_meter(clients);
    progress("%s", "");
}

int load_run(const struct books *books, const struct clients *clients,
             const struct bench_options *options, struct result *ret_result)
{
    struct load load = {.books = books, .options = options};
    pthread_condattr_t monotonic;
    int code = EXIT_DONE;

    atomic_init(&load.measured_from, WARM);
    load.tallies = calloc(options->clients, sizeof(*load.tallies));
    load.places = calloc(options->in_flight, sizeof(*load.places));
    if (!load.tallies || !load.places) {
        free(load.tallies);
        free(load.places);
        return complain("out of memory");
    }
    for (uint32_t i = 0; i < options->clients; i++)
        load.tallies[i].settle = clients->list[i];
    pthread_mutex_init(&load.lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&load.idle, &monotonic);
    pthread_condattr_destroy(&monotonic);
    measure(&load, clients, ret_result);
    if (!gather(&load, ret_result))
        code = complain("out of memory");
    pthread_cond_destroy(&load.idle);
    pthread_mutex_destroy(&load.lock);
    for (uint32_t i = 0; i < options->clients; i++)
        free(load.tallies[i].open);
    free(load.tallies);
    free(load.places);
    return code;
}

void result_release(struct result *result)
{
    free(result->latency);
    free(result->open);
    memset(result, 0, sizeof(*result));
}
