#include "store/fixture.h"
#include "support/runner.h"

#include <stdio.h>
#include <stdlib.h>

static char folder[PATH_SIZE];
static char dir[PATH_SIZE];

static void set_up(void)
{
    folder_make(folder);
    path_join(dir, folder, "data");
}

static void tear_down(void)
{
    tap_clear();
    folder_remove(folder);
}

/* Records. */

static void every_table_keeps_its_bytes(void)
{
    static const size_t sizes[] = {0, 1, 7, 160, 2030, 2100, 16384, STORE_VALUE_SIZE_MAX};
    static uint8_t value[STORE_VALUE_SIZE_MAX], got[STORE_VALUE_SIZE_MAX];
    struct store *store = must_make(dir);
    uint64_t position = 0;

    for (int table = STORE_META; table < STORE_TABLE_END; table++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            struct store_job *job = must_begin(store);
            uint8_t key[8];

            store_key_journal(key, ++position);
            pattern_fill(value, sizes[i], position);
            CU_ASSERT_TRUE(
                store_put(job, (enum store_table)table, key, sizeof(key), value, sizes[i]));
            store_job_submit(job, position);
        }
    }
    CU_ASSERT_TRUE(wait_durable(store, position));
    store_close(store);
    store = must_open(dir);
    position = 0;
    for (int table = STORE_META; table < STORE_TABLE_END; table++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            size_t size = 0;
            uint8_t key[8];

            store_key_journal(key, ++position);
            pattern_fill(value, sizes[i], position);
            CU_ASSERT_EQUAL(store_get(store, (enum store_table)table, key, sizeof(key), got,
                                      sizeof(got), &size, NULL),
                            0);
            CU_ASSERT_EQUAL(size, sizes[i]);
            CU_ASSERT_EQUAL(memcmp(got, value, sizes[i]), 0);
        }
    }
    CU_ASSERT_EQUAL(store_verify(store, NULL), 0);
    store_close(store);
}

static void later_put_replaces_and_absent_is_not_found(void)
{
    struct store *store = must_make(dir);
    struct store_job *job = must_begin(store);
    uint8_t key[STORE_KEY_ACCOUNT_SIZE], got[4];
    struct err err;
    size_t size = 0;

    store_key_account(key, 7);
    CU_ASSERT_TRUE(store_put(job, STORE_ACCOUNTS, key, sizeof(key), "old", 3));
    CU_ASSERT_TRUE(store_put(job, STORE_ACCOUNTS, key, sizeof(key), "new!", 4));
    store_job_submit(job, 1);
    CU_ASSERT_TRUE(wait_durable(store, 1));
    CU_ASSERT_EQUAL(
        store_get(store, STORE_ACCOUNTS, key, sizeof(key), got, sizeof(got), &size, NULL), 0);
    CU_ASSERT_EQUAL(size, 4);
    CU_ASSERT_EQUAL(memcmp(got, "new!", 4), 0);
    CU_ASSERT_EQUAL(store_get(store, STORE_ACCOUNTS, key, sizeof(key), got, 3, &size, &err),
                    ERR_FULL);
    CU_ASSERT_EQUAL(size, 4);
    store_key_account(key, 8);
    CU_ASSERT_EQUAL(
        store_get(store, STORE_ACCOUNTS, key, sizeof(key), got, sizeof(got), &size, &err),
        ERR_NOT_FOUND);
    store_close(store);
}

/* Entries may come again after a crash, below the last: they take the dear path, and are right. */
static void entries_below_the_last_are_accepted(void)
{
    struct store *store = must_make(dir);
    struct store_job *job = must_begin(store);
    uint8_t key[STORE_KEY_ENTRY_SIZE], got[8];
    static const uint64_t positions[] = {5, 9, 7, 5, 12};
    size_t size = 0;

    for (size_t i = 0; i < 5; i++) {
        store_key_entry(key, positions[i], 3);
        CU_ASSERT_TRUE(store_put(job, STORE_ENTRIES, key, sizeof(key), &i, sizeof(i)));
    }
    store_job_submit(job, 1);
    CU_ASSERT_TRUE(wait_durable(store, 1));
    for (size_t i = 1; i < 5; i++) {
        store_key_entry(key, positions[i], 3);
        CU_ASSERT_EQUAL(
            store_get(store, STORE_ENTRIES, key, sizeof(key), got, sizeof(got), &size, NULL), 0);
        CU_ASSERT_EQUAL(memcmp(got, &i, sizeof(i)), 0);
    }
    store_close(store);
}

static void job_without_room_refuses_and_keeps_what_it_has(void)
{
    static uint8_t value[STORE_VALUE_SIZE_MAX];
    struct store *store = must_make(dir);
    struct store_job *job = must_begin(store);

    must_put_journal(job, 1, STORE_VALUE_SIZE_MAX);
    CU_ASSERT_FALSE(store_put(job, STORE_META, "k", 1, value, sizeof(value)));
    CU_ASSERT_FALSE(
        store_put_counted(job, STORE_HISTORY, "k", 1, value, sizeof(value), STORE_COMMITTED));
    CU_ASSERT_TRUE(store_put(job, STORE_META, "k", 1, value, 100));
    store_job_submit(job, 1);
    CU_ASSERT_TRUE(wait_durable(store, 1));
    CU_ASSERT_TRUE(journal_has(store, 1, STORE_VALUE_SIZE_MAX));
    store_close(store);
}

/* Group commit. */

static void waiting_jobs_are_committed_as_one_in_order(void)
{
    struct store *store = must_make(dir);
    struct store_stats before, after;
    struct store_job *job;

    store_stats(store, &before);
    gate_close();
    job = must_begin(store);
    must_put_journal(job, 1, 100);
    store_job_submit(job, 1);
    gate_wait();
    /* The first commit stands at the gate: these two wait together. */
    for (uint64_t position = 2; position <= 3; position++) {
        job = must_begin(store);
        must_put_journal(job, position, 100);
        CU_ASSERT_TRUE(store_put(job, STORE_META, "last", 4, &position, sizeof(position)));
        store_job_submit(job, position);
    }
    CU_ASSERT_EQUAL(store_durable(store), 0);
    CU_ASSERT_FALSE(journal_has(store, 1, 100));
    gate_open();
    CU_ASSERT_TRUE(wait_durable(store, 3));
    store_stats(store, &after);
    CU_ASSERT_EQUAL(after.commits - before.commits, 2);
    CU_ASSERT_EQUAL(after.jobs - before.jobs, 3);
    CU_ASSERT_EQUAL(after.batch_jobs_max, 2);
    CU_ASSERT_EQUAL(after.records - before.records, 5);
    for (uint64_t position = 1; position <= 3; position++) {
        uint64_t last = 0;
        size_t size = 0;

        CU_ASSERT_TRUE(journal_has(store, position, 100));
        CU_ASSERT_EQUAL(store_get(store, STORE_META, "last", 4, &last, sizeof(last), &size, NULL),
                        0);
        CU_ASSERT_EQUAL(last, 3);
    }
    store_close(store);
}

static void pool_exhausted_until_a_job_is_durable(void)
{
    struct store *store = must_make(dir);
    struct store_job *jobs[3];

    gate_close();
    for (uint64_t i = 0; i < 3; i++) {
        jobs[i] = store_job_begin(store);
        CU_ASSERT_PTR_NOT_NULL_FATAL(jobs[i]);
        must_put_journal(jobs[i], i + 1, 10);
        store_job_submit(jobs[i], i + 1);
    }
    CU_ASSERT_PTR_NULL(store_job_begin(store));
    CU_ASSERT_EQUAL(store_durable(store), 0);
    gate_open();
    CU_ASSERT_TRUE(wait_durable(store, 3));
    for (int i = 0; i < 3; i++)
        CU_ASSERT_PTR_NOT_NULL(store_job_begin(store));
    store_close(store);
}

static void empty_job_completes_without_a_commit(void)
{
    struct store *store = must_make(dir);
    struct store_stats before, after;

    store_stats(store, &before);
    store_job_submit(must_begin(store), 5);
    CU_ASSERT_TRUE(wait_durable(store, 5));
    store_stats(store, &after);
    CU_ASSERT_EQUAL(after.commits, before.commits);
    store_close(store);
}

static void close_commits_what_was_submitted(void)
{
    struct store *store = must_make(dir);

    for (uint64_t position = 1; position <= 20; position++) {
        struct store_job *job = must_begin(store);
        must_put_journal(job, position, 50);
        store_job_submit(job, position);
    }
    must_put_journal(must_begin(store), 21, 50); /* open, never submitted */
    store_close(store);
    store = must_open(dir);
    CU_ASSERT_EQUAL(store_tail(store), 20);
    CU_ASSERT_EQUAL(store_durable(store), 20);
    CU_ASSERT_TRUE(journal_has(store, 20, 50));
    CU_ASSERT_FALSE(journal_has(store, 21, 50));
    store_close(store);
}

/* Trimming. */

static void fill_journal(struct store *store, uint64_t first, uint64_t last)
{
    for (uint64_t position = first; position <= last;) {
        struct store_job *job = must_begin(store);

        for (int i = 0; i < 1000 && position <= last; i++)
            must_put_journal(job, position++, 64);
        store_job_submit(job, position - 1);
    }
    CU_ASSERT_TRUE_FATAL(wait_durable(store, last));
}

static void submit_trim(struct store *store, uint64_t below, uint64_t position)
{
    struct store_job *job = must_begin(store);
    uint8_t key[STORE_KEY_JOURNAL_SIZE];

    store_key_journal(key, below);
    CU_ASSERT_TRUE(store_trim(job, STORE_JOURNAL, key, sizeof(key)));
    store_job_submit(job, position);
}

/* Waits until `count` records were trimmed, driving the store with empty jobs. */
static void wait_trimmed(struct store *store, uint64_t count, uint64_t position)
{
    struct store_stats stats;

    do {
        store_job_submit(must_begin(store), position);
        CU_ASSERT_TRUE_FATAL(wait_durable(store, position));
        store_stats(store, &stats);
    } while (stats.trimmed < count);
    CU_ASSERT_EQUAL(stats.trimmed, count);
}

static void trim_goes_in_slices(void)
{
    struct store *store = must_make(dir);
    struct store_stats before, after;

    fill_journal(store, 1, 5000);
    store_stats(store, &before);
    submit_trim(store, 4501, 5000);
    wait_trimmed(store, 4500, 5000);
    store_stats(store, &after);
    CU_ASSERT(after.commits - before.commits >= 5);
    CU_ASSERT_FALSE(journal_has(store, 4500, 64));
    CU_ASSERT_TRUE(journal_has(store, 4501, 64));
    CU_ASSERT_TRUE(journal_has(store, 5000, 64));
    fill_journal(store, 5001, 5100);
    CU_ASSERT_TRUE(journal_has(store, 5100, 64));
    store_close(store);
}

static void positions_never_go_back(void)
{
    struct store *store = must_make(dir);

    fill_journal(store, 1, 300);
    submit_trim(store, UINT64_MAX, 300);
    wait_trimmed(store, 299, 300);
    CU_ASSERT_TRUE(journal_has(store, 300, 64));
    store_close(store);
    store = must_open(dir);
    CU_ASSERT_EQUAL(store_tail(store), 300);
    fill_journal(store, 301, 302);
    store_close(store);
}

/* Scanning. */

struct seen {
    uint64_t positions[64];
    size_t count;
    size_t stop_at;
};

static bool see(void *ctx, const struct store_row *row)
{
    struct seen *seen = ctx;

    seen->positions[seen->count++] = store_key_position(row->key);
    return seen->count != seen->stop_at;
}

static int scan(struct store *store, enum store_direction direction, uint64_t from, uint32_t max,
                struct seen *seen)
{
    uint8_t key[STORE_KEY_JOURNAL_SIZE];
    struct store_scan scan = {
        .table = STORE_JOURNAL, .direction = direction, .from = key, .from_size = 8, .max = max};

    store_key_journal(key, from);
    if (from == 0)
        scan.from = NULL;
    memset(seen, 0, sizeof(*seen));
    return store_scan(store, &scan, see, seen, NULL);
}

static void scans_go_both_ways_in_pages(void)
{
    struct store *store = must_make(dir);
    struct store_job *job = must_begin(store);
    struct seen seen;

    CU_ASSERT_EQUAL(scan(store, STORE_FORWARD, 0, 10, &seen), 0);
    CU_ASSERT_EQUAL(scan(store, STORE_BACKWARD, 5, 10, &seen), 0);
    for (uint64_t position = 10; position <= 50; position += 10)
        must_put_journal(job, position, 10);
    store_job_submit(job, 50);
    CU_ASSERT_TRUE(wait_durable(store, 50));

    CU_ASSERT_EQUAL(scan(store, STORE_FORWARD, 0, 10, &seen), 5);
    CU_ASSERT_EQUAL(seen.positions[0], 10);
    CU_ASSERT_EQUAL(seen.positions[4], 50);
    CU_ASSERT_EQUAL(scan(store, STORE_FORWARD, 20, 2, &seen), 2);
    CU_ASSERT_EQUAL(seen.positions[0], 20);
    CU_ASSERT_EQUAL(seen.positions[1], 30);
    CU_ASSERT_EQUAL(scan(store, STORE_FORWARD, 21, 1, &seen), 1);
    CU_ASSERT_EQUAL(seen.positions[0], 30);
    CU_ASSERT_EQUAL(scan(store, STORE_FORWARD, 51, 1, &seen), 0);
    CU_ASSERT_EQUAL(scan(store, STORE_BACKWARD, 0, 2, &seen), 2);
    CU_ASSERT_EQUAL(seen.positions[0], 50);
    CU_ASSERT_EQUAL(seen.positions[1], 40);
    CU_ASSERT_EQUAL(scan(store, STORE_BACKWARD, 30, 10, &seen), 3);
    CU_ASSERT_EQUAL(seen.positions[0], 30);
    CU_ASSERT_EQUAL(scan(store, STORE_BACKWARD, 29, 10, &seen), 2);
    CU_ASSERT_EQUAL(seen.positions[0], 20);
    CU_ASSERT_EQUAL(scan(store, STORE_BACKWARD, 99, 1, &seen), 1);
    CU_ASSERT_EQUAL(seen.positions[0], 50);
    CU_ASSERT_EQUAL(scan(store, STORE_BACKWARD, 9, 1, &seen), 0);
    store_close(store);
}

static void scan_ends_where_the_callback_says(void)
{
    struct store *store = must_make(dir);
    struct store_scan all = {.table = STORE_JOURNAL, .direction = STORE_FORWARD, .max = 60};
    struct seen seen = {.stop_at = 3};

    fill_journal(store, 1, 50);
    CU_ASSERT_EQUAL(store_scan(store, &all, see, &seen, NULL), 3);
    CU_ASSERT_EQUAL(seen.count, 3);
    store_close(store);
}

/* A reader that stayed would pin every page freed since, and the file would grow without end. */
static void reads_do_not_pin_pages(void)
{
    struct store *store = must_make(dir);
    struct store_stats early, late;

    fill_journal(store, 1, 1);
    for (uint64_t i = 1; i <= 400; i++) {
        struct store_job *job = must_begin(store);

        CU_ASSERT_TRUE(store_put(job, STORE_META, "checkpoint", 10, &i, sizeof(i)));
        store_job_submit(job, i);
        CU_ASSERT_TRUE(wait_durable(store, i));
        CU_ASSERT_TRUE(journal_has(store, 1, 64));
        if (i == 50)
            store_stats(store, &early);
    }
    store_stats(store, &late);
    CU_ASSERT_EQUAL(late.map_used, early.map_used);
    store_close(store);
}

/* Counters. */

static void put_history(struct store *store, uint64_t number, enum store_counter counter)
{
    struct store_job *job = must_begin(store);
    uint8_t random[10] = {0};
    struct id id = id_make(number, random);

    CU_ASSERT_TRUE(store_put_counted(job, STORE_HISTORY, id.bytes, sizeof(id.bytes), &counter,
                                     sizeof(counter), counter));
    store_job_submit(job, number);
    CU_ASSERT_TRUE(wait_durable(store, number));
}

static void counters_count_each_key_once_and_survive(void)
{
    struct store *store = must_make(dir);
    struct store_stats stats;

    put_history(store, 1, STORE_COMMITTED);
    put_history(store, 2, STORE_COMMITTED);
    put_history(store, 2, STORE_COMMITTED);
    put_history(store, 3, STORE_ABORTED);
    store_close(store);
    store = must_open(dir);
    store_stats(store, &stats);
    CU_ASSERT_EQUAL(stats.counters[STORE_COMMITTED], 2);
    CU_ASSERT_EQUAL(stats.counters[STORE_ABORTED], 1);
    put_history(store, 4, STORE_ABORTED);
    store_stats(store, &stats);
    CU_ASSERT_EQUAL(stats.counters[STORE_ABORTED], 2);
    store_close(store);
}

/* A coordinator's history: what is older than the retention goes, and stays counted. */
static void history_older_than_a_time_goes_and_stays_counted(void)
{
    static const uint8_t zeros[10];
    struct store_scan first = {.table = STORE_HISTORY, .direction = STORE_FORWARD, .max = 1};
    struct store *store = must_make(dir);
    struct id oldest = id_make(1500, zeros);
    struct store_stats stats;
    struct seen seen = {0};
    struct store_job *job;

    for (uint64_t at = 1; at <= 3000;) {
        job = must_begin(store);
        for (int i = 0; i < 1000; i++, at++) {
            struct id id = id_make(at, zeros);
            CU_ASSERT_TRUE_FATAL(store_put_counted(job, STORE_HISTORY, id.bytes, sizeof(id.bytes),
                                                   &at, sizeof(at),
                                                   at % 3 ? STORE_COMMITTED : STORE_ABORTED));
        }
        store_job_submit(job, at);
    }
    job = must_begin(store);
    CU_ASSERT_TRUE(store_trim(job, STORE_HISTORY, oldest.bytes, sizeof(oldest.bytes)));
    store_job_submit(job, 3002);
    wait_trimmed(store, 1499, 3002);
    CU_ASSERT_EQUAL(store_scan(store, &first, see, &seen, NULL), 1);
    CU_ASSERT_EQUAL(seen.positions[0] >> 16, 1500);
    store_close(store);
    store = must_open(dir);
    store_stats(store, &stats);
    CU_ASSERT_EQUAL(stats.counters[STORE_COMMITTED], 2000);
    CU_ASSERT_EQUAL(stats.counters[STORE_ABORTED], 1000);
    store_close(store);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"every_table_keeps_its_bytes", every_table_keeps_its_bytes},
        {"later_put_replaces_and_absent_is_not_found", later_put_replaces_and_absent_is_not_found},
        {"entries_below_the_last_are_accepted", entries_below_the_last_are_accepted},
        {"job_without_room_refuses_and_keeps_what_it_has",
         job_without_room_refuses_and_keeps_what_it_has},
        {"waiting_jobs_are_committed_as_one_in_order", waiting_jobs_are_committed_as_one_in_order},
        {"pool_exhausted_until_a_job_is_durable", pool_exhausted_until_a_job_is_durable},
        {"empty_job_completes_without_a_commit", empty_job_completes_without_a_commit},
        {"close_commits_what_was_submitted", close_commits_what_was_submitted},
        {"trim_goes_in_slices", trim_goes_in_slices},
        {"positions_never_go_back", positions_never_go_back},
        {"scans_go_both_ways_in_pages", scans_go_both_ways_in_pages},
        {"scan_ends_where_the_callback_says", scan_ends_where_the_callback_says},
        {"reads_do_not_pin_pages", reads_do_not_pin_pages},
        {"counters_count_each_key_once_and_survive", counters_count_each_key_once_and_survive},
        {"history_older_than_a_time_goes_and_stays_counted",
         history_older_than_a_time_goes_and_stays_counted},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"store", NULL, NULL, set_up, tear_down, tests},
        CU_SUITE_INFO_NULL,
    };
    return runner_main(suites, argc, argv);
}
