/* What an operator does to a cluster's constants in ZooKeeper, through lib/cluster. */
#ifndef SETTLE_TESTS_OPERATOR_H
#define SETTLE_TESTS_OPERATOR_H

#include "support/cluster.h"

/** Raise epoch_base by this much, and oldest_id to the smallest id of this time. 0: as it is. */
void operator_raise(struct test_cluster *cluster, uint64_t epochs, uint64_t oldest_unix_ms);

#endif
