/*
 * A participant whose recent outcomes have no room left, in this process and without ZooKeeper: it
 * starts, and a checkpoint makes room, whatever came before.
 */
#include "base/assert.h"
#include "participant.h"
#include "support/runner.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUTCOME_MAX 8u
#define STEPS_MAX   2000

static char folder[] = "/tmp/settle-recent-XXXXXX";
static char data[sizeof(folder) + 16];
static struct store_identity identity;

static void put(struct store_job *job, const struct record *record)
{
    static uint8_t memory[65536], bytes[RECORD_SIZE_MAX];
    uint8_t key[STORE_KEY_JOURNAL_SIZE];
    struct arena scratch;
    int size;

    arena_init(&scratch, memory, sizeof(memory));
    size = record_encode(&scratch, record, bytes, sizeof(bytes));
    ASSERT(size > 0);
    store_key_journal(key, record->position);
    if (!store_put(job, STORE_JOURNAL, key, sizeof(key), bytes, (size_t)size))
        UNREACHABLE();
}

/* OUTCOME_MAX aborts out of nothing, and what a checkpoint wrote behind them before it died. */
static int make_store(void)
{
    struct guid cluster = {{1}};
    struct store_job *job;
    struct store *store;
    struct err err;

    memset(&identity, 0, sizeof(identity));
    identity.role = STORE_PARTICIPANT;
    node_name_parse(&identity.cluster, "test", 4);
    node_name_parse(&identity.node, "bank-a", 6);
    if (!mkdtemp(folder))
        return 1;
    snprintf(data, sizeof(data), "%s/data", folder);
    if (store_init(data, &identity, &err) != 0 ||
        store_open(data, &identity, NULL, &store, &err) != 0 ||
        store_bind_cluster(store, &cluster, 1, &err) != 0)
        return 1;
    job = store_job_begin(store);
    for (uint64_t i = 1; i <= OUTCOME_MAX; i++) {
        uint8_t random[10] = {(uint8_t)i};
        struct record record = {.kind = RECORD_ABORTED, .position = i, .reason = REASON_FUNDS};

        record.tag.epoch = 1;
        record.tag.sequence = i;
        record.protocol = PROTOCOL_2PC;
        record.id = id_make(1000, random);
        memset(&record.digest, 7, sizeof(record.digest));
        put(job, &record);
    }
    put(job, &(struct record){.kind = RECORD_CLOCK, .position = OUTCOME_MAX + 1, .timestamp = 5});
    store_job_submit(job, OUTCOME_MAX + 1);
    store_close(store); /* commits */
    return 0;
}

static struct participant *opened(void)
{
    struct participant_options options = {
        .data_dir = data,
        .node = identity.node,
        .cluster = identity.cluster,
        .zookeeper = "127.0.0.1:1", /* nobody is there */
        .session_timeout_ms = 2000,
        .account_max = 16,
        .txn_max = 16,
        .outcome_max = OUTCOME_MAX,
        .orphan_ms = 1000,
        .checkpoint_ms = 3600000,
    };
    struct participant *p = NULL;
    struct err err;

    CU_ASSERT_EQUAL_FATAL(address_parse(&options.listen, "127.0.0.1:0", &err), 0);
    if (participant_open(&options, &p, &err) != 0)
        printf("  %s\n", err.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    return p;
}

/* A full ring is followed by records that are no outcomes: nothing is too much in that. */
static void starts_with_as_many_outcomes_as_there_may_be(void)
{
    struct participant *p = opened();

    CU_ASSERT_EQUAL(outcomes_count(p->outcomes), OUTCOME_MAX);
    CU_ASSERT_FALSE(turn_has_room(p));
    participant_close(p);
}

/*
 * All of them came while a checkpoint ran, which ends with the last record there is: no step can be
 * taken until the next one, and that must not wait for a step.
 */
static void filled_up_while_a_checkpoint_ran(void)
{
    struct participant *p = opened();
    int steps = 0;

    p->checkpoint.last_job = p->batch.log_tail;
    while (!turn_has_room(p) && steps++ < STEPS_MAX)
        loop_step(p->loop, 10);
    CU_ASSERT_TRUE(turn_has_room(p));
    CU_ASSERT_EQUAL(outcomes_count(p->outcomes), 0);
    participant_close(p);
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

static CU_TestInfo tests[] = {
    {"starts_with_as_many_outcomes_as_there_may_be", starts_with_as_many_outcomes_as_there_may_be},
    {"filled_up_while_a_checkpoint_ran", filled_up_while_a_checkpoint_ran},
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = {{"recent", make_store, remove_store, NULL, NULL, tests},
                             CU_SUITE_INFO_NULL};

    return runner_main(suites, argc, argv);
}
