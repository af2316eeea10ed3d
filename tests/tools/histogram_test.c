#include "bench/histogram.h"

#include "support/runner.h"

#include <string.h>

static struct histogram histogram;

static int empty_it(void)
{
    memset(&histogram, 0, sizeof(histogram));
    return 0;
}

static void slots_cover_all_values_in_order(void)
{
    unsigned last = histogram_slot(0);

    CU_ASSERT_EQUAL(last, 0);
    for (uint64_t value = 1; value < 1000000; value++) {
        unsigned slot = histogram_slot(value);

        if (slot != last && slot != last + 1)
            CU_FAIL("a gap or a step back");
        last = slot;
    }
    CU_ASSERT_EQUAL(histogram_slot(UINT64_MAX), HISTOGRAM_SLOTS - 1);
}

static void a_slots_bound_is_its_last_value(void)
{
    for (unsigned slot = 0; slot + 1 < HISTOGRAM_SLOTS; slot++) {
        uint64_t bound = histogram_slot_max(slot);

        if (histogram_slot(bound) != slot || histogram_slot(bound + 1) != slot + 1)
            CU_FAIL("a bound is not the last value of its slot");
    }
    CU_ASSERT_EQUAL(histogram_slot_max(HISTOGRAM_SLOTS - 1), UINT64_MAX);
}

static void a_bound_is_off_by_a_thirty_second_at_most(void)
{
    for (uint64_t value = 1; value < (UINT64_C(1) << 62); value += value / 8 + 1) {
        uint64_t bound = histogram_slot_max(histogram_slot(value));

        CU_ASSERT(bound >= value);
        CU_ASSERT(bound - value <= value / 32);
    }
}

static void quantiles_of_a_known_sample(void)
{
    empty_it();
    for (uint64_t value = 1; value <= 1000; value++)
        histogram_add(&histogram, value);
    CU_ASSERT_EQUAL(histogram.count, 1000);
    CU_ASSERT_EQUAL(histogram.max, 1000);
    for (unsigned permille = 1; permille <= 1000; permille++) {
        uint64_t quantile = histogram_quantile(&histogram, permille);

        CU_ASSERT(quantile >= permille);
        CU_ASSERT(quantile <= permille + permille / 32);
    }
    CU_ASSERT_EQUAL(histogram_quantile(&histogram, 1000), 1000);
}

static void nothing_recorded_has_quantile_zero(void)
{
    empty_it();
    CU_ASSERT_EQUAL(histogram_quantile(&histogram, 500), 0);
}

static void one_outlier_shows_only_where_it_belongs(void)
{
    empty_it();
    for (int i = 0; i < 999; i++)
        histogram_add(&histogram, 10);
    histogram_add(&histogram, 1000000);
    CU_ASSERT_EQUAL(histogram_quantile(&histogram, 500), 10);
    CU_ASSERT_EQUAL(histogram_quantile(&histogram, 999), 10);
    CU_ASSERT_EQUAL(histogram_quantile(&histogram, 1000), 1000000);
}

static void merged_is_as_if_recorded_together(void)
{
    static struct histogram other, both;

    empty_it();
    memset(&other, 0, sizeof(other));
    memset(&both, 0, sizeof(both));
    for (uint64_t value = 1; value < 5000; value += 7) {
        histogram_add(value % 2 ? &histogram : &other, value);
        histogram_add(&both, value);
    }
    histogram_merge(&histogram, &other);
    CU_ASSERT_EQUAL(memcmp(&histogram, &both, sizeof(both)), 0);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"slots_cover_all_values_in_order", slots_cover_all_values_in_order},
        {"a_slots_bound_is_its_last_value", a_slots_bound_is_its_last_value},
        {"a_bound_is_off_by_a_thirty_second_at_most", a_bound_is_off_by_a_thirty_second_at_most},
        {"quantiles_of_a_known_sample", quantiles_of_a_known_sample},
        {"nothing_recorded_has_quantile_zero", nothing_recorded_has_quantile_zero},
        {"one_outlier_shows_only_where_it_belongs", one_outlier_shows_only_where_it_belongs},
        {"merged_is_as_if_recorded_together", merged_is_as_if_recorded_together},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {{"histogram", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

    return runner_main(suites, argc, argv);
}
