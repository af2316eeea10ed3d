/* What the suites of bad input share: one cluster that goes on serving through all of it. */
#ifndef SETTLE_TESTS_INPUT_H
#define SETTLE_TESTS_INPUT_H

#include "support/cluster.h"

#include <CUnit/CUnit.h>

extern struct test_cluster input_cluster;
extern struct settle *input_handle;

int input_up(void);
int input_down(void);

/** Before each test: everything runs, and the accounts are there. */
void input_begin(void);

/** A payment there and back commits. */
void input_serves(void);

extern CU_TestInfo input_tests[], frame_tests[];

#endif
