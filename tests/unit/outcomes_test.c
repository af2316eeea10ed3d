#include "runtime/outcomes.h"
#include "support/runner.h"

static struct outcome outcome_of(uint32_t number)
{
    struct outcome outcome = {.state = STATE_COMMITTED, .timestamp = number};

    /* Ids in another order than positions. */
    outcome.id.bytes[0] = (uint8_t)(number * 37);
    outcome.id.bytes[1] = (uint8_t)(number >> 8);
    outcome.id.bytes[2] = (uint8_t)number;
    return outcome;
}

static void found_until_dropped(void)
{
    struct outcomes *outcomes;
    struct outcome wanted = outcome_of(2);

    CU_ASSERT_EQUAL_FATAL(outcomes_open(8, &outcomes, NULL), 0);
    for (uint32_t i = 1; i <= 3; i++) {
        struct outcome outcome = outcome_of(i);
        outcomes_add(outcomes, &outcome, 10 + i);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(outcomes_find(outcomes, &wanted.id));
    CU_ASSERT_EQUAL(outcomes_find(outcomes, &wanted.id)->timestamp, 2);
    CU_ASSERT_EQUAL(outcomes_drop(outcomes, 11, 100), 1);
    CU_ASSERT_PTR_NOT_NULL(outcomes_find(outcomes, &wanted.id));
    CU_ASSERT_EQUAL(outcomes_drop(outcomes, 12, 100), 1);
    CU_ASSERT_PTR_NULL(outcomes_find(outcomes, &wanted.id));
    CU_ASSERT_EQUAL(outcomes_count(outcomes), 1);
    outcomes_close(outcomes);
}

static void slices_are_sorted_and_complete(void)
{
    struct outcomes *outcomes;
    struct outcome slice[16];
    uint32_t cursor = 0, total = 0, count;

    CU_ASSERT_EQUAL_FATAL(outcomes_open(100, &outcomes, NULL), 0);
    for (uint32_t i = 0; i < 100; i++) {
        struct outcome outcome = outcome_of(i);
        outcomes_add(outcomes, &outcome, i);
    }
    while ((count = outcomes_slice(outcomes, 79, &cursor, slice, 16)) > 0) {
        for (uint32_t i = 1; i < count; i++)
            CU_ASSERT(memcmp(&slice[i - 1].id, &slice[i].id, sizeof(slice[i].id)) < 0);
        for (uint32_t i = 0; i < count; i++)
            CU_ASSERT(slice[i].timestamp <= 79);
        total += count;
    }
    CU_ASSERT_EQUAL(total, 80);
    outcomes_close(outcomes);
}

static void the_ring_is_used_again(void)
{
    struct outcomes *outcomes;

    CU_ASSERT_EQUAL_FATAL(outcomes_open(5, &outcomes, NULL), 0);
    for (uint32_t i = 0; i < 1000; i++) {
        struct outcome outcome = outcome_of(i), gone = outcome_of(i - 5);

        if (outcomes_count(outcomes) == outcomes_max(outcomes))
            CU_ASSERT_EQUAL(outcomes_drop(outcomes, i - 5, 1), 1);
        outcomes_add(outcomes, &outcome, i);
        CU_ASSERT_PTR_NOT_NULL(outcomes_find(outcomes, &outcome.id));
        if (i >= 5)
            CU_ASSERT_PTR_NULL(outcomes_find(outcomes, &gone.id));
    }
    outcomes_close(outcomes);
}

/* qsort() need not keep the order of equal ids: what is written last is what stays. */
static void of_one_id_committed_comes_last_in_a_slice(void)
{
    struct outcome committed = outcome_of(1), aborted = outcome_of(1), slice[2];
    struct outcomes *outcomes;
    uint32_t cursor = 0;

    aborted.state = STATE_ABORTED;
    CU_ASSERT_EQUAL_FATAL(outcomes_open(8, &outcomes, NULL), 0);
    outcomes_add(outcomes, &committed, 1);
    outcomes_add(outcomes, &aborted, 2);
    CU_ASSERT_EQUAL(outcomes_slice(outcomes, 2, &cursor, slice, 2), 2);
    CU_ASSERT_EQUAL(slice[0].state, STATE_ABORTED);
    CU_ASSERT_EQUAL(slice[1].state, STATE_COMMITTED);
    outcomes_close(outcomes);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"found_until_dropped", found_until_dropped},
        {"slices_are_sorted_and_complete", slices_are_sorted_and_complete},
        {"the_ring_is_used_again", the_ring_is_used_again},
        {"of_one_id_committed_comes_last_in_a_slice", of_one_id_committed_comes_last_in_a_slice},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"outcomes", NULL, NULL, NULL, NULL, tests},
        CU_SUITE_INFO_NULL,
    };
    return runner_main(suites, argc, argv);
}
