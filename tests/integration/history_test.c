/*
 * What a coordinator remembers of what it told, on a store and without a cluster: two contents of
 * one id, of which one is COMMITTED.
 */
#include "base/assert.h"
#include "coordinator.h"
#include "support/runner.h"

#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IDS 64u

static char folder[] = "/tmp/settle-history-XXXXXX";
static char data[sizeof(folder) + 16];
static struct store_identity identity;
static struct coordinator c;
static uint8_t scratch[65536];

static int make_store(void)
{
    struct err err;

    memset(&identity, 0, sizeof(identity));
    identity.role = STORE_COORDINATOR;
    node_name_parse(&identity.cluster, "test", 4);
    node_name_parse(&identity.node, "coordinator-1", 13);
    if (!mkdtemp(folder))
        return 1;
    snprintf(data, sizeof(data), "%s/data", folder);
    return store_init(data, &identity, &err);
}

static int remove_one(const char *path, const struct stat *status, int flag, struct FTW *ftw)
{
    (void)status;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static int remove_store(void)
{
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void open_history(void)
{
    struct err err;

    memset(&c, 0, sizeof(c));
    c.options.history_ms = UINT64_MAX;
    arena_init(&c.scratch, scratch, sizeof(scratch));
    CU_ASSERT_EQUAL_FATAL(loop_open(&c.loop, &err), 0);
    CU_ASSERT_EQUAL_FATAL(store_open(data, &identity, NULL, &c.store, &err), 0);
    CU_ASSERT_EQUAL_FATAL(history_open(&c, &err), 0);
}

static void close_history(void)
{
    store_close(c.store);
    outcomes_close(c.told);
    loop_close(c.loop);
}

static struct id id_of(unsigned number)
{
    uint8_t random[10] = {(uint8_t)number};

    return id_make(1000, random);
}

static void tell(unsigned number, enum txn_state state)
{
    struct outcome outcome = {.id = id_of(number), .state = state};

    memset(&outcome.digest, (int)state, sizeof(outcome.digest));
    outcome.reason = state == STATE_COMMITTED ? REASON_NONE : REASON_FUNDS;
    outcome.timestamp = state == STATE_COMMITTED ? 7 : 0;
    history_add(&c, &outcome);
}

static void write_all(void)
{
    struct pollfd written = {.fd = store_event_fd(c.store), .events = POLLIN};

    history_tick(&c);
    for (int i = 0; i < 100 && outcomes_count(c.told) > 0; i++) {
        poll(&written, 1, 100);
        history_durable(&c);
    }
    CU_ASSERT_EQUAL_FATAL(outcomes_count(c.told), 0);
}

static void all_are_committed(void)
{
    for (unsigned i = 0; i < IDS; i++) {
        struct id id = id_of(i);
        struct outcome outcome;
        const struct outcome *found = history_find(&c, &id, &outcome);

        CU_ASSERT_PTR_NOT_NULL_FATAL(found);
        CU_ASSERT_EQUAL(found->state, STATE_COMMITTED);
    }
}

static void committed_stays_whatever_is_aborted_later(void)
{
    open_history();
    for (unsigned i = 0; i < IDS; i++)
        tell(i, STATE_COMMITTED);
    for (unsigned i = 0; i < IDS / 2; i++)
        tell(i, STATE_ABORTED);
    all_are_committed();
    write_all();
    for (unsigned i = 0; i < IDS; i++)
        tell(i, STATE_ABORTED); /* the first is in the store by now */
    write_all();
    all_are_committed();
    close_history();
}

static void committed_replaces_what_was_aborted_before(void)
{
    open_history();
    for (unsigned i = 0; i < IDS; i++)
        tell(i, STATE_ABORTED);
    for (unsigned i = 0; i < IDS; i++)
        tell(i, STATE_COMMITTED);
    all_are_committed();
    write_all(); /* both in one slice */
    all_are_committed();
    close_history();
}

static CU_TestInfo tests[] = {
    {"committed_stays_whatever_is_aborted_later", committed_stays_whatever_is_aborted_later},
    {"committed_replaces_what_was_aborted_before", committed_replaces_what_was_aborted_before},
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = {{"history", make_store, remove_store, NULL, NULL, tests},
                             CU_SUITE_INFO_NULL};

    return runner_main(suites, argc, argv);
}
