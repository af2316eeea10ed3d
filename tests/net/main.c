#include "rig.h"

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = {
        {"loop", NULL, NULL, NULL, NULL, loop_tests},
        {"address", NULL, NULL, NULL, NULL, address_tests},
        {"conn", NULL, NULL, NULL, NULL, conn_tests},
        {"limit", NULL, NULL, NULL, NULL, limit_tests},
        {"dialer", NULL, NULL, NULL, NULL, dialer_tests},
        {"transport", NULL, NULL, NULL, NULL, transport_tests},
        CU_SUITE_INFO_NULL,
    };
    return runner_main(suites, argc, argv);
}
