/* A branch's life: what is admitted, what is refused, what a commit and an abort leave behind. */
#include "ledger_suites.h"

#include "ledger_bench.h"
#include "support/runner.h"

#include <stdio.h>

static void a_hold_counts_at_once_and_posts_later(void)
{
    struct books books;
    uint32_t hold;

    books_open(&books, 8, 4);
    account_make(&books, "A", 0, 1000);
    account_make(&books, "B", 0, 0);
    CU_ASSERT_EQUAL(reserve(&books, "A-300 B+300", &hold), REASON_NONE);
    CU_ASSERT(TOTALS(&books, "A", 0, 1000, 300, 0));
    CU_ASSERT(TOTALS(&books, "B", 0, 0, 0, 300));
    CU_ASSERT_EQUAL(available_of(&books, "A"), 700);
    CU_ASSERT_EQUAL(available_of(&books, "B"), 0); /* pending credits never count */
    post(&books, hold);
    CU_ASSERT(TOTALS(&books, "A", 300, 1000, 0, 0));
    CU_ASSERT(TOTALS(&books, "B", 0, 300, 0, 0));
    CU_ASSERT_EQUAL(available_of(&books, "B"), 300);
    CU_ASSERT_EQUAL(ledger_stats(books.ledger)->holds, 0);
    CU_ASSERT_EQUAL(ledger_stats(books.ledger)->postings, 0);
    books_close(&books);
}

static void a_void_leaves_nothing(void)
{
    struct books books;
    uint32_t hold;

    books_open(&books, 8, 4);
    account_make(&books, "A", 0, 1000);
    account_make(&books, "B", 0, 0);
    CU_ASSERT_EQUAL(reserve(&books, "A-300 B+300", &hold), REASON_NONE);
    ledger_void(books.ledger, hold);
    CU_ASSERT(TOTALS(&books, "A", 0, 1000, 0, 0));
    CU_ASSERT(TOTALS(&books, "B", 0, 0, 0, 0));
    CU_ASSERT_EQUAL(row_of(&books, "B").last.position, 0);
    CU_ASSERT_EQUAL(reserve(&books, "A-1000 B+1000", NULL), REASON_NONE);
    books_close(&books);
}

static void a_debit_stops_at_the_floor(void)
{
    struct books books;

    books_open(&books, 8, 4);
    account_make(&books, "ZERO", 0, 100);
    account_make(&books, "OVERDRAFT", -50, 100);
    CU_ASSERT_EQUAL(reserve(&books, "ZERO-101", NULL), REASON_FUNDS);
    CU_ASSERT_EQUAL(reserve(&books, "ZERO-100", NULL), REASON_NONE);
    CU_ASSERT_EQUAL(reserve(&books, "ZERO-1", NULL), REASON_FUNDS); /* the hold counts */
    CU_ASSERT_EQUAL(available_of(&books, "OVERDRAFT"), 150);
    CU_ASSERT_EQUAL(reserve(&books, "OVERDRAFT-151", NULL), REASON_FUNDS);
    CU_ASSERT_EQUAL(reserve(&books, "OVERDRAFT-150", NULL), REASON_NONE);
    books_close(&books);
}

static void a_system_account_has_no_floor(void)
{
    struct account_attributes world = wanted("WORLD", NULL, true);
    struct account_row row;
    struct books books;
    int64_t available;

    books_open(&books, 8, 4);
    CU_ASSERT_EQUAL(create(&books, &world), REASON_NONE);
    transfer(&books, "WORLD-5000");
    CU_ASSERT(TOTALS(&books, "WORLD", 5000, 0, 0, 0));
    row = row_of(&books, "WORLD");
    CU_ASSERT_FALSE(ledger_available(&row, &available));
    books_close(&books);
}

static void debits_of_one_account_count_together(void)
{
    struct books books;

    books_open(&books, 8, 4);
    account_make(&books, "A", 0, 100);
    account_make(&books, "B", 0, 0);
    CU_ASSERT_EQUAL(reserve(&books, "A-60 A-41 B+101", NULL), REASON_FUNDS);
    CU_ASSERT(TOTALS(&books, "A", 0, 100, 0, 0)); /* refused whole */
    CU_ASSERT_EQUAL(reserve(&books, "A-60 A-40 B+100", NULL), REASON_NONE);
    CU_ASSERT(TOTALS(&books, "A", 0, 100, 100, 0));
    books_close(&books);
}

static void a_credit_of_the_same_branch_covers_no_debit(void)
{
    struct books books;

    books_open(&books, 8, 4);
    account_make(&books, "A", 0, 100);
    CU_ASSERT_EQUAL(reserve(&books, "A+50 A-150", NULL), REASON_FUNDS);
    CU_ASSERT_EQUAL(reserve(&books, "A-150 A+50", NULL), REASON_FUNDS);
    CU_ASSERT_EQUAL(reserve(&books, "A+50 A-100", NULL), REASON_NONE);
    books_close(&books);
}

static void an_account_may_be_debited_and_credited(void)
{
    struct books books;

    books_open(&books, 8, 4);
    account_make(&books, "A", 0, 100);
    transfer(&books, "A-30 A+50");
    CU_ASSERT(TOTALS(&books, "A", 30, 150, 0, 0));
    CU_ASSERT_EQUAL(books.entry_count, 2);
    CU_ASSERT_EQUAL(books.entries[0].balance, 70);
    CU_ASSERT_EQUAL(books.entries[1].balance, 120);
    CU_ASSERT_EQUAL(books.entries[1].previous.position, books.position);
    CU_ASSERT_EQUAL(books.entries[1].previous.index, 0);
    CU_ASSERT_EQUAL(row_of(&books, "A").last.index, 1);
    CU_ASSERT_EQUAL(books.nets[0].amount, 20);
    books_close(&books);
}

static void a_refused_branch_holds_nothing(void)
{
    struct books books;

    books_open(&books, 8, 4);
    account_make(&books, "A", 0, 100);
    account_make(&books, "B", 0, 0);
    CU_ASSERT_EQUAL(reserve(&books, "A-10 B+10 NOBODY+5", NULL), REASON_ACCOUNT_UNKNOWN);
    CU_ASSERT(TOTALS(&books, "A", 0, 100, 0, 0));
    CU_ASSERT(TOTALS(&books, "B", 0, 0, 0, 0));
    CU_ASSERT_EQUAL(ledger_stats(books.ledger)->holds, 0);
    CU_ASSERT_EQUAL(ledger_stats(books.ledger)->postings, 0);
    books_close(&books);
}

static void the_first_refusal_is_the_reason(void)
{
    static const struct {
        const char *branch;
        enum reason reason;
    } cases[] = {
        {"", REASON_LEGS},
        {"A-0", REASON_AMOUNT},
        {"A+0", REASON_AMOUNT},
        {"A/ZZZ-1", REASON_CURRENCY_UNKNOWN},
        {"A/XAU-1", REASON_CURRENCY_UNKNOWN},
        {"A/EUR-1", REASON_ACCOUNT_UNKNOWN}, /* A has dollars only */
        {"NOBODY-1", REASON_ACCOUNT_UNKNOWN},
        {"GONE+1", REASON_ACCOUNT_CLOSED},
        {"GONE-1", REASON_ACCOUNT_CLOSED},
        {"A-101 GONE+101", REASON_FUNDS},
        {"GONE+101 A-101", REASON_ACCOUNT_CLOSED},
        {"A/USD+1 A/EUR+1 A/JPY+1 A/BHD+1 A/GBP+1 A/CHF+1 A/SEK+1 A/NOK+1 A/DKK+1", REASON_LEGS},
    };
    struct books books;

    books_open(&books, 8, 4);
    account_make(&books, "A", 0, 100);
    account_make(&books, "GONE", 0, 0);
    CU_ASSERT_EQUAL(close_account(&books, "GONE"), REASON_NONE);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CU_ASSERT_EQUAL(reserve(&books, cases[i].branch, NULL), cases[i].reason);
    books_close(&books);
}

static void broken_branches_are_refused(void)
{
    struct branch branch;
    struct books books;
    uint32_t hold;

    books_open(&books, 8, 4);
    account_make(&books, "A", 0, 100);
    branch_of("A-1", &branch);
    branch.postings[0].side = (enum side)3;
    CU_ASSERT_EQUAL(ledger_reserve(books.ledger, &branch, &hold, books.nets, &books.net_count),
                    REASON_MALFORMED);
    branch_of("A+1", &branch);
    branch.postings[0].amount = -5;
    CU_ASSERT_EQUAL(ledger_reserve(books.ledger, &branch, &hold, books.nets, &books.net_count),
                    REASON_AMOUNT);
    branch.posting_count = LEGS_MAX + 1;
    CU_ASSERT_EQUAL(ledger_reserve(books.ledger, &branch, &hold, books.nets, &books.net_count),
                    REASON_LEGS);
    CU_ASSERT_EQUAL(ledger_stats(books.ledger)->holds, 0);
    books_close(&books);
}

static void a_block_is_for_its_side(void)
{
    static const struct {
        enum account_status status;
        enum reason debit, credit;
    } cases[] = {
        {ACCOUNT_OPEN, REASON_NONE, REASON_NONE},
        {ACCOUNT_BLOCKED_DEBITS, REASON_ACCOUNT_BLOCKED, REASON_NONE},
        {ACCOUNT_BLOCKED_CREDITS, REASON_NONE, REASON_ACCOUNT_BLOCKED},
        {ACCOUNT_BLOCKED, REASON_ACCOUNT_BLOCKED, REASON_ACCOUNT_BLOCKED},
    };
    struct books books;

    books_open(&books, 8, 16);
    account_make(&books, "A", 0, 100);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CU_ASSERT_EQUAL(set_status(&books, "A", cases[i].status), REASON_NONE);
        CU_ASSERT_EQUAL(reserve(&books, "A-1", NULL), cases[i].debit);
        CU_ASSERT_EQUAL(reserve(&books, "A+1", NULL), cases[i].credit);
    }
    books_close(&books);
}

static void amounts_may_reach_the_limit_and_not_pass_it(void)
{
    struct account_attributes world = wanted("WORLD", NULL, true);
    struct books books;
    char text[96];

    books_open(&books, 8, 8);
    account_make(&books, "A", 0, 0);
    CU_ASSERT_EQUAL(create(&books, &world), REASON_NONE);
    snprintf(text, sizeof(text), "WORLD-%lld A+%lld", (long long)INT64_MAX, (long long)INT64_MAX);
    CU_ASSERT_EQUAL(reserve(&books, text, NULL), REASON_NONE);
    /* The hold is not posted yet, and counts on both sides. */
    CU_ASSERT_EQUAL(reserve(&books, "A+1", NULL), REASON_OVERFLOW);
    CU_ASSERT_EQUAL(reserve(&books, "WORLD-1", NULL), REASON_OVERFLOW);
    books_close(&books);
}

static void turnover_that_would_overflow_is_refused(void)
{
    struct books books;
    char text[96];

    books_open(&books, 8, 8);
    account_make(&books, "A", 0, INT64_MAX - 10);
    snprintf(text, sizeof(text), "A-%lld WORLD+%lld", (long long)INT64_MAX - 10,
             (long long)INT64_MAX - 10);
    transfer(&books, text);
    CU_ASSERT_EQUAL(available_of(&books, "A"), 0);
    /* The balance is zero again, but the credits' total has room for ten more only. */
    CU_ASSERT_EQUAL(reserve(&books, "A+11", NULL), REASON_OVERFLOW);
    CU_ASSERT_EQUAL(reserve(&books, "A+10", NULL), REASON_NONE);
    CU_ASSERT_EQUAL(reserve(&books, "A+1", NULL), REASON_OVERFLOW);
    books_close(&books);
}

static void a_currency_as_a_whole_stays_within_the_limit(void)
{
    struct books books;
    char text[96];

    books_open(&books, 8, 8);
    account_make(&books, "A", 0, 0);
    account_make(&books, "B", 0, 0);
    snprintf(text, sizeof(text), "A+%lld", (long long)INT64_MAX);
    CU_ASSERT_EQUAL(reserve(&books, text, NULL), REASON_NONE);
    CU_ASSERT_EQUAL(reserve(&books, "B+1", NULL), REASON_OVERFLOW);
    account_make(&books, "C/JPY", 0, 0);
    CU_ASSERT_EQUAL(reserve(&books, "C/JPY+1", NULL), REASON_NONE); /* another currency's room */
    snprintf(text, sizeof(text), "B+%lld A+%lld", (long long)INT64_MAX, (long long)INT64_MAX);
    CU_ASSERT_EQUAL(reserve(&books, text, NULL), REASON_OVERFLOW); /* its net */
    books_close(&books);
}

static void a_full_pool_is_busy_and_says_nothing_about_the_branch(void)
{
    struct books books;
    uint32_t holds[4];

    books_open(&books, 8, 4);
    account_make(&books, "A", 0, 100);
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(reserve(&books, "A-1", &holds[i]), REASON_NONE);
    CU_ASSERT_EQUAL(reserve(&books, "A-1", NULL), REASON_BUSY);
    ledger_void(books.ledger, holds[2]);
    CU_ASSERT_EQUAL(reserve(&books, "A-1", &holds[2]), REASON_NONE);
    CU_ASSERT_EQUAL(ledger_stats(books.ledger)->holds, 4);
    books_close(&books);
}

static void postings_have_a_pool_of_their_own(void)
{
    struct branch branch;
    struct books books;
    uint32_t first, second;

    books_open(&books, 8, 4); /* room for LEGS_MAX + 8 postings */
    account_make(&books, "A", 0, 0);
    branch_of("A+1", &branch);
    branch.posting_count = LEGS_MAX;
    for (int i = 1; i < LEGS_MAX; i++)
        branch.postings[i] = branch.postings[0];
    CU_ASSERT_EQUAL(ledger_reserve(books.ledger, &branch, &first, books.nets, &books.net_count),
                    REASON_NONE);
    branch.posting_count = 9;
    CU_ASSERT_EQUAL(ledger_reserve(books.ledger, &branch, &second, books.nets, &books.net_count),
                    REASON_BUSY);
    branch.posting_count = 8;
    CU_ASSERT_EQUAL(ledger_reserve(books.ledger, &branch, &second, books.nets, &books.net_count),
                    REASON_NONE);
    CU_ASSERT(TOTALS(&books, "A", 0, 0, 0, LEGS_MAX + 8));
    post(&books, first);
    CU_ASSERT_EQUAL(books.entry_count, LEGS_MAX);
    CU_ASSERT_EQUAL(books.entries[LEGS_MAX - 1].at.index, LEGS_MAX - 1);
    CU_ASSERT_EQUAL(books.entries[LEGS_MAX - 1].balance, LEGS_MAX);
    CU_ASSERT_EQUAL(ledger_stats(books.ledger)->postings, 8);
    books_close(&books);
}

static void nets_are_credits_minus_debits_per_currency(void)
{
    struct books books;

    books_open(&books, 8, 4);
    account_make(&books, "A", 0, 1000);
    account_make(&books, "B/JPY", 0, 0);
    CU_ASSERT_EQUAL(reserve(&books, "A-300 B/JPY+40 A+100 B/JPY+2", NULL), REASON_NONE);
    CU_ASSERT_EQUAL_FATAL(books.net_count, 2);
    CU_ASSERT_STRING_EQUAL(books.nets[0].currency.code, "USD");
    CU_ASSERT_EQUAL(books.nets[0].amount, -200);
    CU_ASSERT_STRING_EQUAL(books.nets[1].currency.code, "JPY");
    CU_ASSERT_EQUAL(books.nets[1].amount, 42);
    books_close(&books);
}

static void statement_entries_walk_back(void)
{
    struct books books;
    struct entry first;

    books_open(&books, 8, 4);
    account_make(&books, "A", 0, 100); /* its credit is the entry before */
    account_make(&books, "B", 0, 0);
    transfer(&books, "A-10 B+10");
    CU_ASSERT_EQUAL_FATAL(books.entry_count, 2);
    first = books.entries[0];
    CU_ASSERT_EQUAL(first.at.position, books.position);
    CU_ASSERT_EQUAL(first.at.index, 0);
    CU_ASSERT_EQUAL(first.account, number_of(&books, "A"));
    CU_ASSERT_EQUAL(first.side, SIDE_DEBIT);
    CU_ASSERT_EQUAL(first.amount, 10);
    CU_ASSERT_EQUAL(first.balance, 90);
    CU_ASSERT_EQUAL(first.id.bytes[15], (uint8_t)books.position);
    CU_ASSERT_EQUAL(first.timestamp, 1000 * books.position);
    CU_ASSERT_STRING_EQUAL(first.memo, "memo");
    CU_ASSERT(first.previous.position > 0 && first.previous.position < books.position);
    CU_ASSERT_EQUAL(first.previous.index, 1);
    CU_ASSERT_EQUAL(books.entries[1].previous.position, 0); /* B's first */
    transfer(&books, "B-4 A+4");
    CU_ASSERT_EQUAL(books.entries[1].previous.position, first.at.position);
    CU_ASSERT_EQUAL(books.entries[1].previous.index, first.at.index);
    CU_ASSERT_EQUAL(books.entries[0].previous.index, 1);
    CU_ASSERT_EQUAL(row_of(&books, "A").last.position, books.position);
    books_close(&books);
}

static void a_hold_gives_its_branch_back(void)
{
    struct branch branch, back;
    struct books books;
    uint32_t hold;

    books_open(&books, 8, 4);
    account_make(&books, "A", 0, 1000);
    account_make(&books, "B/JPY", 0, 0);
    branch_of("A-300 B/JPY+40 A+100", &branch);
    CU_ASSERT_EQUAL(reserve(&books, "A-300 B/JPY+40 A+100", &hold), REASON_NONE);
    memset(&back, 0, sizeof(back));
    ledger_hold_branch(books.ledger, hold, &back);
    CU_ASSERT_EQUAL(memcmp(&back, &branch, sizeof(branch)), 0);
    books_close(&books);
}

/* One check of "A" or "A/JPY". */
static enum reason check(struct books *books, const char *account, int64_t available_min)
{
    struct account_attributes attributes = wanted(account, NULL, true);
    struct branch branch;

    branch_of("", &branch);
    branch.check_count = 1;
    branch.checks[0].account = attributes.name;
    branch.checks[0].currency = attributes.currency;
    branch.checks[0].available_min = available_min;
    return ledger_check(books->ledger, &branch);
}

static void checks_look_at_what_is_available(void)
{
    struct books books;

    books_open(&books, 8, 4);
    account_make(&books, "A", -20, 100);
    account_make(&books, "GONE", 0, 0);
    CU_ASSERT_EQUAL(close_account(&books, "GONE"), REASON_NONE);
    CU_ASSERT_EQUAL(check(&books, "A", 120), REASON_NONE);
    CU_ASSERT_EQUAL(check(&books, "A", 121), REASON_CHECK_FAILED);
    CU_ASSERT_EQUAL(reserve(&books, "A-50", NULL), REASON_NONE);
    CU_ASSERT_EQUAL(check(&books, "A", 71), REASON_CHECK_FAILED);
    CU_ASSERT_EQUAL(check(&books, "A", 70), REASON_NONE);
    CU_ASSERT_EQUAL(check(&books, "WORLD", INT64_MAX), REASON_NONE); /* nothing limits it */
    CU_ASSERT_EQUAL(check(&books, "CASH", INT64_MAX), REASON_NONE);  /* made or not */
    CU_ASSERT_EQUAL(check(&books, "A/ZZZ", 0), REASON_CURRENCY_UNKNOWN);
    CU_ASSERT_EQUAL(check(&books, "A/JPY", 0), REASON_ACCOUNT_UNKNOWN);
    CU_ASSERT_EQUAL(check(&books, "GONE", 0), REASON_ACCOUNT_CLOSED);
    CU_ASSERT_EQUAL(set_status(&books, "A", ACCOUNT_BLOCKED_DEBITS), REASON_NONE);
    CU_ASSERT_EQUAL(check(&books, "A", 1), REASON_CHECK_FAILED);
    CU_ASSERT_EQUAL(check(&books, "A", 0), REASON_NONE);
    books_close(&books);
}

static void a_read_only_branch_has_checks_and_nothing_else(void)
{
    struct branch branch;
    struct books books;

    books_open(&books, 8, 4);
    account_make(&books, "A", 0, 100);
    branch_of("", &branch);
    CU_ASSERT_EQUAL(ledger_check(books.ledger, &branch), REASON_MALFORMED);
    branch_of("A-1", &branch);
    branch.check_count = 1;
    branch.checks[0].account = name_of("A");
    branch.checks[0].currency = currency_of("USD");
    CU_ASSERT_EQUAL(ledger_check(books.ledger, &branch), REASON_MALFORMED);
    branch_of("", &branch);
    branch.check_count = LEGS_MAX + 1;
    CU_ASSERT_EQUAL(ledger_check(books.ledger, &branch), REASON_LEGS);
    books_close(&books);
}

static void checks_of_a_voter_come_before_its_postings(void)
{
    struct branch branch;
    struct books books;
    uint32_t hold;

    books_open(&books, 8, 4);
    account_make(&books, "A", 0, 100);
    branch_of("A-60", &branch);
    branch.check_count = 1;
    branch.checks[0].account = name_of("A");
    branch.checks[0].currency = currency_of("USD");
    branch.checks[0].available_min = 100;
    CU_ASSERT_EQUAL(ledger_reserve(books.ledger, &branch, &hold, books.nets, &books.net_count),
                    REASON_NONE);
    CU_ASSERT_EQUAL(ledger_reserve(books.ledger, &branch, &hold, books.nets, &books.net_count),
                    REASON_CHECK_FAILED);
    CU_ASSERT(TOTALS(&books, "A", 0, 100, 60, 0));
    books_close(&books);
}

static void a_hot_account_takes_holds_side_by_side(void)
{
    struct books books;
    uint32_t holds[10];

    books_open(&books, 8, 10);
    account_make(&books, "HOT", 0, 100);
    account_make(&books, "B", 0, 0);
    for (int i = 0; i < 10; i++)
        CU_ASSERT_EQUAL(reserve(&books, "HOT-10 B+10", &holds[i]), REASON_NONE);
    CU_ASSERT_EQUAL(reserve(&books, "HOT-1", NULL), REASON_BUSY);
    for (int i = 9; i >= 0; i--) { /* decided in another order */
        if (i % 2)
            post(&books, holds[i]);
        else
            ledger_void(books.ledger, holds[i]);
    }
    CU_ASSERT(TOTALS(&books, "HOT", 50, 100, 0, 0));
    CU_ASSERT(TOTALS(&books, "B", 0, 50, 0, 0));
    books_close(&books);
}

CU_TestInfo ledger_branch_tests[] = {
    {"a_hold_counts_at_once_and_posts_later", a_hold_counts_at_once_and_posts_later},
    {"a_void_leaves_nothing", a_void_leaves_nothing},
    {"a_debit_stops_at_the_floor", a_debit_stops_at_the_floor},
    {"a_system_account_has_no_floor", a_system_account_has_no_floor},
    {"debits_of_one_account_count_together", debits_of_one_account_count_together},
    {"a_credit_of_the_same_branch_covers_no_debit", a_credit_of_the_same_branch_covers_no_debit},
    {"an_account_may_be_debited_and_credited", an_account_may_be_debited_and_credited},
    {"a_refused_branch_holds_nothing", a_refused_branch_holds_nothing},
    {"the_first_refusal_is_the_reason", the_first_refusal_is_the_reason},
    {"broken_branches_are_refused", broken_branches_are_refused},
    {"a_block_is_for_its_side", a_block_is_for_its_side},
    {"amounts_may_reach_the_limit_and_not_pass_it", amounts_may_reach_the_limit_and_not_pass_it},
    {"turnover_that_would_overflow_is_refused", turnover_that_would_overflow_is_refused},
    {"a_currency_as_a_whole_stays_within_the_limit", a_currency_as_a_whole_stays_within_the_limit},
    {"a_full_pool_is_busy_and_says_nothing_about_the_branch",
     a_full_pool_is_busy_and_says_nothing_about_the_branch},
    {"postings_have_a_pool_of_their_own", postings_have_a_pool_of_their_own},
    {"nets_are_credits_minus_debits_per_currency", nets_are_credits_minus_debits_per_currency},
    {"statement_entries_walk_back", statement_entries_walk_back},
    {"a_hold_gives_its_branch_back", a_hold_gives_its_branch_back},
    {"checks_look_at_what_is_available", checks_look_at_what_is_available},
    {"a_read_only_branch_has_checks_and_nothing_else",
     a_read_only_branch_has_checks_and_nothing_else},
    {"checks_of_a_voter_come_before_its_postings", checks_of_a_voter_come_before_its_postings},
    {"a_hot_account_takes_holds_side_by_side", a_hot_account_takes_holds_side_by_side},
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    CU_SuiteInfo suites[] = {
        {"branches", NULL, NULL, NULL, NULL, ledger_branch_tests},
        {"accounts", NULL, NULL, NULL, NULL, ledger_account_tests},
        {"replay", NULL, NULL, NULL, NULL, ledger_replay_tests},
        {"model", NULL, NULL, NULL, NULL, ledger_model_tests},
        CU_SUITE_INFO_NULL,
    };
    return runner_main(suites, argc, argv);
}
