#include "rig.h"

#include <stdlib.h>

static void stop_server(void)
{
    zk_server_stop(&server);
}

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = {
        {SUITE_NAME, NULL, NULL, NULL, NULL, SUITE_TESTS},
        CU_SUITE_INFO_NULL,
    };

    loop_ignore_sigpipe();
    atexit(stop_server);
    zk_server_start(&server, TICK_MS);
    return runner_main(suites, argc, argv);
}
