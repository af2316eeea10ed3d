#include "support/runner.h"

#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

/* Deactivates every test whose name does not contain `word`. */
static void select_tests(const char *word)
{
    CU_pTestRegistry registry = CU_get_registry();

    for (CU_pSuite suite = registry->pSuite; suite; suite = suite->pNext) {
        for (CU_pTest test = suite->pTest; test; test = test->pNext) {
            if (!strstr(test->pName, word))
                CU_set_test_active(test, CU_FALSE);
        }
    }
}

int runner_main(CU_SuiteInfo *suites, int argc, char **argv)
{
    CU_ErrorCode code;
    int bad;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS) {
        fprintf(stderr, "runner: cannot register suites: %s\n", CU_get_error_msg());
        return 1;
    }
    CU_set_fail_on_inactive(CU_FALSE);
    if (argc > 1)
        select_tests(argv[1]);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    code = CU_basic_run_tests();
    bad = code != CUE_SUCCESS || CU_get_number_of_failures() != 0 ||
          CU_get_number_of_suites_failed() != 0 || CU_get_number_of_tests_run() == 0;
    printf("\n%u passed, %u failed\n",
           CU_get_number_of_tests_run() - CU_get_number_of_tests_failed(),
           CU_get_number_of_tests_failed());
    CU_cleanup_registry();
    return bad ? 1 : 0;
}
