#include "input.h"
#include "support/runner.h"

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = {
        {"input", input_up, input_down, input_begin, NULL, input_tests},
        {"frames", input_up, input_down, input_begin, NULL, frame_tests},
        CU_SUITE_INFO_NULL,
    };

    return runner_main(suites, argc, argv);
}
