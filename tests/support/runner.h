/*
 * The one runner of all CUnit executables.
 *
 * CU_basic_run_tests() returns success when tests fail, and counts no failure when a suite's
 * initialisation fails; this runner derives the exit code itself, and an executable that ran no
 * test fails.
 */
#ifndef SETTLE_TESTS_RUNNER_H
#define SETTLE_TESTS_RUNNER_H

#include <CUnit/CUnit.h>

/**
 * Run suites of tests and return the process's exit code: 0 iff every test ran and passed.
 *
 * @suites  ends with CU_SUITE_INFO_NULL
 * @argv    an optional argument selects the tests whose name contains it
 */
int runner_main(CU_SuiteInfo *suites, int argc, char **argv);

#endif
