#include "operator.h"

#include "cluster/cluster.h"

#include <CUnit/CUnit.h>
#include <string.h>

struct raise {
    struct cluster *cluster;
    uint64_t epochs;
    struct id oldest;
    uint64_t epoch_base; /* what it will be; 0: not asked for yet */
    bool done;
};

static void on_config(void *ctx, const struct cluster_config *config)
{
    struct raise *raise = ctx;

    if (raise->epoch_base == 0 && raise->epochs + config->epoch_base > 0)
        raise->epoch_base = raise->epochs + config->epoch_base;
    raise->done = config->epoch_base >= raise->epoch_base &&
                  memcmp(&config->oldest_id, &raise->oldest, sizeof(raise->oldest)) >= 0;
    if (!raise->done)
        cluster_raise(raise->cluster, raise->epoch_base, &raise->oldest, NULL);
}

void operator_raise(struct test_cluster *cluster, uint64_t epochs, uint64_t oldest_unix_ms)
{
    static const struct cluster_ops ops = {.on_config = on_config};
    static const uint8_t zeros[10];
    struct cluster_options options = {.ensemble = cluster->zookeeper.address,
                                      .session_timeout_ms = TEST_SESSION_TIMEOUT_MS,
                                      .role = CLUSTER_CLIENT};
    uint64_t until_ms = test_now_ms() + TEST_LIMIT_MS;
    struct raise raise = {.epochs = epochs};
    struct loop *loop;

    if (oldest_unix_ms > 0)
        raise.oldest = id_make(oldest_unix_ms, zeros);
    CU_ASSERT_TRUE_FATAL(
        node_name_parse(&options.name, TEST_CLUSTER_NAME, strlen(TEST_CLUSTER_NAME)));
    CU_ASSERT_EQUAL_FATAL(loop_open(&loop, NULL), 0);
    CU_ASSERT_EQUAL_FATAL(cluster_open(&raise.cluster, loop, &options, &ops, &raise, NULL), 0);
    while (!raise.done && test_now_ms() < until_ms)
        loop_step(loop, 10);
    CU_ASSERT_TRUE(raise.done);
    cluster_close(raise.cluster);
    loop_close(loop);
}
