/*
 * How fast the store is on this disk: store_bench [FOLDER] [SECONDS-PER-ROW]
 *
 * For batches of 1, 16 and 256 "transfers" a job, each a journal record of 160 bytes and a
 * statement entry of 100, prints jobs, commits and transfers per second.
 */
#include "store/store.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void die(const char *what, const struct err *err)
{
    fprintf(stderr, "store_bench: %s: %s\n", what, err->text);
    exit(1);
}

static void wait_event(struct store *store)
{
    struct pollfd event = {.fd = store_event_fd(store), .events = POLLIN};

    poll(&event, 1, -1);
    store_durable(store);
}

static struct store_job *begin(struct store *store)
{
    struct store_job *job;

    while (!(job = store_job_begin(store)))
        wait_event(store);
    return job;
}

static void fill(struct store_job *job, uint64_t *position, unsigned batch)
{
    static const uint8_t value[160];
    uint8_t key[STORE_KEY_JOURNAL_SIZE], entry[STORE_KEY_ENTRY_SIZE];

    for (unsigned i = 0; i < batch; i++) {
        ++*position;
        store_key_journal(key, *position);
        store_key_entry(entry, *position, 0);
        if (!store_put(job, STORE_JOURNAL, key, sizeof(key), value, 160) ||
            !store_put(job, STORE_ENTRIES, entry, sizeof(entry), value, 100)) {
            fprintf(stderr, "store_bench: a job has no room\n");
            exit(1);
        }
    }
}

/* `pipelined`: as many jobs in the works as the pool has; else one after the other. */
static void row(struct store *store, uint64_t *position, unsigned batch, bool pipelined,
                double seconds)
{
    struct store_stats before, after;
    uint64_t first = *position, jobs = 0;
    double begun = now_s(), took;

    store_stats(store, &before);
    while (now_s() - begun < seconds) {
        struct store_job *job = begin(store);

        fill(job, position, batch);
        store_job_submit(job, *position);
        jobs++;
        while (!pipelined && store_durable(store) < *position)
            wait_event(store);
    }
    while (store_durable(store) < *position)
        wait_event(store);
    took = now_s() - begun;
    store_stats(store, &after);
    printf("%5u %-9s %10.0f %10.0f %12.0f %10.0f\n", batch, pipelined ? "pipelined" : "alone",
           (double)jobs / took, (double)(after.commits - before.commits) / took,
           (double)(*position - first) / took,
           took * 1e6 / (double)(after.commits - before.commits));
}

int main(int argc, char **argv)
{
    static const unsigned batches[] = {1, 16, 256};
    double seconds = argc > 2 ? strtod(argv[2], NULL) : 2;
    struct store_identity identity = {.role = STORE_PARTICIPANT};
    struct store *store;
    uint64_t position = 0;
    char dir[256];
    struct err err;

    snprintf(dir, sizeof(dir), "%s/settle-bench-%ld", argc > 1 ? argv[1] : "/tmp", (long)getpid());
    node_name_parse(&identity.cluster, "bench", 5);
    node_name_parse(&identity.node, "bench", 5);
    if (store_init(dir, &identity, &err) != 0 ||
        store_open(dir, &identity, NULL, &store, &err) != 0)
        die("cannot make a store", &err);
    printf("%5s %-9s %10s %10s %12s %10s\n", "batch", "jobs are", "jobs/s", "commits/s",
           "transfers/s", "us/commit");
    for (size_t i = 0; i < sizeof(batches) / sizeof(batches[0]); i++) {
        row(store, &position, batches[i], false, seconds);
        row(store, &position, batches[i], true, seconds);
    }
    store_close(store);
    printf("the store stays in %s; remove it when you have looked at it\n", dir);
    return 0;
}
