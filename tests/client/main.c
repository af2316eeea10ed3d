#include "client/stage.h"

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = {
        {"submit", NULL, NULL, NULL, NULL, submit_tests},
        {"failure", NULL, NULL, NULL, NULL, failure_tests},
        {"api", NULL, NULL, NULL, NULL, api_tests},
        {"admin", NULL, NULL, NULL, NULL, admin_tests},
        CU_SUITE_INFO_NULL,
    };

    return runner_main(suites, argc, argv);
}
