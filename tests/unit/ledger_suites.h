/* The suites of the ledger's test, one a file. */
#ifndef SETTLE_TESTS_LEDGER_SUITES_H
#define SETTLE_TESTS_LEDGER_SUITES_H

#include <CUnit/CUnit.h>

extern CU_TestInfo ledger_branch_tests[];  /* ledger_test.c */
extern CU_TestInfo ledger_account_tests[]; /* ledger_account_test.c */
extern CU_TestInfo ledger_replay_tests[];  /* ledger_replay_test.c */
extern CU_TestInfo ledger_model_tests[];   /* ledger_model_test.c */

#endif
