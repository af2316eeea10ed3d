/* From disk: rows, the journal's tail over rows that are newer, checkpoints. */
#include "base/err.h"
#include "ledger_bench.h"
#include "ledger_suites.h"
#include "support/runner.h"

#include <stdio.h>

/* Open `to` with the rows of `from` as a checkpoint would have stored them. */
static void load_all(const struct books *from, struct books *to)
{
    struct account_row row;
    uint32_t cursor = 0;
    struct err err;

    books_open(to, from->options.account_max, from->options.hold_max);
    while (ledger_next(from->ledger, &cursor, &row))
        CU_ASSERT_EQUAL_FATAL(ledger_load(to->ledger, &row, &err), 0);
}

static uint32_t restore(struct books *books, const char *text)
{
    struct branch branch;
    uint32_t hold = SLOT_NONE;
    struct err err;

    branch_of(text, &branch);
    CU_ASSERT_EQUAL_FATAL(ledger_restore(books->ledger, &branch, &hold, &err), 0);
    return hold;
}

static void rows_are_loaded_without_their_holds(void)
{
    struct books books, again;
    struct account_row row;

    books_open(&books, 8, 4);
    account_make(&books, "A", -5, 100);
    CU_ASSERT_EQUAL(reserve(&books, "A-30 WORLD+30", NULL), REASON_NONE);
    load_all(&books, &again);
    CU_ASSERT(TOTALS(&again, "A", 0, 100, 0, 0));
    row = row_of(&again, "A");
    CU_ASSERT_EQUAL(row.attributes.floor, -5);
    CU_ASSERT_EQUAL(row.applied, books.position);
    CU_ASSERT_EQUAL(row.last.index, 1);
    CU_ASSERT_EQUAL(ledger_stats(again.ledger)->dirty, 0);
    (void)restore(&again, "A-30 WORLD+30");
    CU_ASSERT(TOTALS(&again, "A", 0, 100, 30, 0));
    CU_ASSERT_EQUAL(available_of(&again, "A"), 75);
    books_close(&again);
    books_close(&books);
}

static void damaged_rows_are_refused(void)
{
    struct account_row good = {
        .attributes = {
            .name = {"A"}, .currency = {"USD"}, .status = ACCOUNT_OPEN, .has_floor = true}};
    struct account_row row;
    struct books books;
    struct err err;

    books_open(&books, 2, 4);
    row = good;
    row.attributes.number = 1;
    CU_ASSERT_EQUAL(ledger_load(books.ledger, &row, &err), ERR_CORRUPT); /* row 0 is missing */
    row = good;
    row.attributes.status = (enum account_status)6;
    CU_ASSERT_EQUAL(ledger_load(books.ledger, &row, &err), ERR_CORRUPT);
    row = good;
    row.attributes.currency = (struct currency){"ZZZ"};
    CU_ASSERT_EQUAL(ledger_load(books.ledger, &row, &err), ERR_CORRUPT);
    row = good;
    row.attributes.name = (struct account_name){"a"};
    CU_ASSERT_EQUAL(ledger_load(books.ledger, &row, &err), ERR_CORRUPT);
    row = good;
    row.debits_posted = -1;
    CU_ASSERT_EQUAL(ledger_load(books.ledger, &row, &err), ERR_CORRUPT);
    CU_ASSERT_EQUAL(ledger_load(books.ledger, &good, &err), 0);
    row = good;
    row.attributes.number = 1;
    CU_ASSERT_EQUAL(ledger_load(books.ledger, &row, &err), ERR_CORRUPT); /* A twice */
    row.attributes.name = (struct account_name){"B"};
    CU_ASSERT_EQUAL(ledger_load(books.ledger, &row, &err), 0);
    row.attributes.number = 2;
    row.attributes.name = (struct account_name){"C"};
    CU_ASSERT_EQUAL(ledger_load(books.ledger, &row, &err), ERR_FULL);
    CU_ASSERT_EQUAL(ledger_stats(books.ledger)->accounts, 2);
    books_close(&books);
}

static void a_post_that_the_row_includes_is_not_made_twice(void)
{
    struct books books, again;
    uint32_t hold;

    books_open(&books, 8, 4);
    account_make(&books, "A", 0, 100);
    account_make(&books, "B", 0, 0);
    transfer(&books, "A-30 B+30");
    load_all(&books, &again);
    hold = restore(&again, "A-30 B+30");
    CU_ASSERT(TOTALS(&again, "A", 30, 100, 30, 0));
    ledger_replay_post(again.ledger, hold, books.position);
    CU_ASSERT(TOTALS(&again, "A", 30, 100, 0, 0));
    CU_ASSERT(TOTALS(&again, "B", 0, 30, 0, 0));
    CU_ASSERT_EQUAL(ledger_stats(again.ledger)->dirty, 0);
    books_close(&again);
    books_close(&books);
}

static void rows_of_one_transaction_may_differ_in_age(void)
{
    struct books books, again;
    struct account_row a, b, world;
    uint32_t hold;
    struct err err;

    books_open(&books, 8, 4);
    account_make(&books, "A", 0, 100);
    account_make(&books, "B", 0, 0);
    a = row_of(&books, "A"); /* stored before the transfer */
    world = row_of(&books, "WORLD");
    transfer(&books, "A-30 B+20 A+1 B+9");
    b = row_of(&books, "B"); /* stored after it */
    books_open(&again, 8, 4);
    CU_ASSERT_EQUAL(ledger_load(again.ledger, &a, &err), 0);
    CU_ASSERT_EQUAL(ledger_load(again.ledger, &world, &err), 0);
    CU_ASSERT_EQUAL(ledger_load(again.ledger, &b, &err), 0);
    hold = restore(&again, "A-30 B+20 A+1 B+9");
    ledger_replay_post(again.ledger, hold, books.position);
    /* Both postings of A, none of B. */
    CU_ASSERT(TOTALS(&again, "A", 30, 101, 0, 0));
    CU_ASSERT(TOTALS(&again, "B", 0, 29, 0, 0));
    a = row_of(&again, "A");
    b = row_of(&books, "A");
    CU_ASSERT_EQUAL(memcmp(&a, &b, sizeof(a)), 0);
    CU_ASSERT_EQUAL(ledger_stats(again.ledger)->dirty, 1);
    books_close(&again);
    books_close(&books);
}

static void a_restored_hold_is_a_promise(void)
{
    struct books books;
    uint32_t hold;

    books_open(&books, 8, 4);
    account_make(&books, "A", 0, 0);
    account_make(&books, "B", 0, 0);
    CU_ASSERT_EQUAL(set_status(&books, "A", ACCOUNT_BLOCKED), REASON_NONE);
    hold = restore(&books, "A-30 B+30"); /* neither blocked nor short of funds */
    CU_ASSERT(TOTALS(&books, "A", 0, 0, 30, 0));
    ledger_replay_post(books.ledger, hold, ++books.position);
    CU_ASSERT(TOTALS(&books, "A", 30, 0, 0, 0));
    hold = restore(&books, "A-1 B+1");
    ledger_void(books.ledger, hold);
    CU_ASSERT(TOTALS(&books, "A", 30, 0, 0, 0));
    books_close(&books);
}

static void branches_that_cannot_be_are_corruption(void)
{
    struct branch branch;
    struct books books;
    uint32_t hold;
    struct err err;

    books_open(&books, 8, 1);
    account_make(&books, "A", 0, 100);
    branch_of("A-1 NOBODY+1", &branch);
    CU_ASSERT_EQUAL(ledger_restore(books.ledger, &branch, &hold, &err), ERR_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "NOBODY in USD"));
    CU_ASSERT(TOTALS(&books, "A", 0, 100, 0, 0));
    branch_of("A-0", &branch);
    CU_ASSERT_EQUAL(ledger_restore(books.ledger, &branch, &hold, &err), ERR_CORRUPT);
    branch_of("A-9223372036854775807 A-1", &branch);
    CU_ASSERT_EQUAL(ledger_restore(books.ledger, &branch, &hold, &err), ERR_CORRUPT);
    branch_of("A-1", &branch);
    branch.postings[0].side = (enum side)0;
    CU_ASSERT_EQUAL(ledger_restore(books.ledger, &branch, &hold, &err), ERR_CORRUPT);
    branch.posting_count = 0;
    CU_ASSERT_EQUAL(ledger_restore(books.ledger, &branch, &hold, &err), ERR_CORRUPT);
    branch.posting_count = LEGS_MAX + 1;
    CU_ASSERT_EQUAL(ledger_restore(books.ledger, &branch, &hold, &err), ERR_CORRUPT);
    (void)restore(&books, "A-1");
    branch_of("A-1", &branch);
    CU_ASSERT_EQUAL(ledger_restore(books.ledger, &branch, &hold, &err), ERR_FULL);
    CU_ASSERT_EQUAL(ledger_stats(books.ledger)->postings, 1);
    books_close(&books);
}

static void account_records_are_replayed_over_rows(void)
{
    struct account_attributes old, made;
    struct books books, again;
    struct err err;
    bool changed;

    books_open(&books, 8, 4);
    account_make(&books, "A", 0, 0);
    old = row_of(&books, "A").attributes;
    CU_ASSERT_EQUAL(set_floor(&books, "A", -10), REASON_NONE);
    load_all(&books, &again);
    /* The row is newer than the record of its making. */
    CU_ASSERT_EQUAL(ledger_apply(again.ledger, &old, 1, &err), 0);
    CU_ASSERT_EQUAL(row_of(&again, "A").attributes.floor, -10);
    CU_ASSERT_EQUAL(ledger_stats(again.ledger)->dirty, 0);
    /* And older than this one. */
    CU_ASSERT_EQUAL(ledger_set_status(books.ledger, 0, ACCOUNT_BLOCKED, &made, &changed),
                    REASON_NONE);
    CU_ASSERT_EQUAL(ledger_apply(again.ledger, &made, 3, &err), 0);
    CU_ASSERT_EQUAL(row_of(&again, "A").attributes.status, ACCOUNT_BLOCKED);
    CU_ASSERT_EQUAL(row_of(&again, "A").applied, 3);
    CU_ASSERT_EQUAL(ledger_stats(again.ledger)->dirty, 1);
    books_close(&again);
    books_close(&books);
}

static void account_records_that_contradict_are_corruption(void)
{
    struct account_attributes good = wanted("A", NULL, true), bad;
    struct books books;
    struct err err;

    books_open(&books, 1, 4);
    good.status = ACCOUNT_OPEN;
    bad = good;
    bad.number = 1;
    CU_ASSERT_EQUAL(ledger_apply(books.ledger, &bad, 1, &err), ERR_CORRUPT); /* where is 0? */
    bad = good;
    bad.status = (enum account_status)0;
    CU_ASSERT_EQUAL(ledger_apply(books.ledger, &bad, 1, &err), ERR_CORRUPT);
    CU_ASSERT_EQUAL(ledger_apply(books.ledger, &good, 1, &err), 0);
    bad = good;
    bad.name = name_of("B");
    CU_ASSERT_EQUAL(ledger_apply(books.ledger, &bad, 2, &err), ERR_CORRUPT);
    CU_ASSERT_STRING_EQUAL(err.text, "account 0 is A in USD, not B in USD");
    bad = good;
    bad.number = 1;
    CU_ASSERT_EQUAL(ledger_apply(books.ledger, &bad, 2, &err), ERR_CORRUPT); /* A twice */
    bad.name = name_of("B");
    CU_ASSERT_EQUAL(ledger_apply(books.ledger, &bad, 2, &err), ERR_FULL);
    books_close(&books);
}

static void a_checkpoint_hands_out_what_changed_in_order(void)
{
    struct books books;
    struct account_row row;
    uint32_t cursor = 0, hold;
    char name[8];

    books_open(&books, 200, 4);
    for (int i = 0; i < 150; i++) {
        snprintf(name, sizeof(name), "A%d", i);
        account_make(&books, name, -1000, 0);
    }
    CU_ASSERT_EQUAL(ledger_stats(books.ledger)->dirty, 150);
    for (uint32_t i = 0; i < 150; i++) {
        CU_ASSERT_TRUE_FATAL(ledger_checkpoint_next(books.ledger, &cursor, &row));
        CU_ASSERT_EQUAL(row.attributes.number, i);
    }
    CU_ASSERT_FALSE(ledger_checkpoint_next(books.ledger, &cursor, &row));
    CU_ASSERT_EQUAL(ledger_stats(books.ledger)->dirty, 0);
    /* Far apart, over the words of the bitmap; a hold makes no row differ. */
    transfer(&books, "A149-1 A0+1 A64-1 A63+1");
    CU_ASSERT_EQUAL(reserve(&books, "A5-1 A6+1", &hold), REASON_NONE);
    ledger_void(books.ledger, hold);
    cursor = 0;
    for (uint32_t i = 0; i < 4; i++) {
        static const uint32_t numbers[] = {0, 63, 64, 149};

        CU_ASSERT_TRUE_FATAL(ledger_checkpoint_next(books.ledger, &cursor, &row));
        CU_ASSERT_EQUAL(row.attributes.number, numbers[i]);
    }
    CU_ASSERT_FALSE(ledger_checkpoint_next(books.ledger, &cursor, &row));
    books_close(&books);
}

static void what_changes_behind_the_cursor_is_the_next_pass(void)
{
    struct books books;
    struct account_row row;
    uint32_t cursor = 0;

    books_open(&books, 8, 4);
    account_make(&books, "A", -100, 0);
    account_make(&books, "B", -100, 0);
    CU_ASSERT_TRUE(ledger_checkpoint_next(books.ledger, &cursor, &row));
    transfer(&books, "A-7 B+7");
    account_make(&books, "C", 0, 0); /* ahead: in this pass */
    CU_ASSERT_TRUE(ledger_checkpoint_next(books.ledger, &cursor, &row));
    CU_ASSERT_EQUAL(row.attributes.number, 1);
    CU_ASSERT_EQUAL(row.credits_posted, 7);
    CU_ASSERT_TRUE(ledger_checkpoint_next(books.ledger, &cursor, &row));
    CU_ASSERT_EQUAL(row.attributes.number, 2);
    CU_ASSERT_FALSE(ledger_checkpoint_next(books.ledger, &cursor, &row));
    CU_ASSERT_EQUAL(ledger_stats(books.ledger)->dirty, 1);
    cursor = 0;
    CU_ASSERT_TRUE(ledger_checkpoint_next(books.ledger, &cursor, &row));
    CU_ASSERT_EQUAL(row.attributes.number, 0);
    CU_ASSERT_EQUAL(row.debits_posted, 7);
    CU_ASSERT_EQUAL(row.applied, 3);
    CU_ASSERT_FALSE(ledger_checkpoint_next(books.ledger, &cursor, &row));
    books_close(&books);
}

CU_TestInfo ledger_replay_tests[] = {
    {"rows_are_loaded_without_their_holds", rows_are_loaded_without_their_holds},
    {"damaged_rows_are_refused", damaged_rows_are_refused},
    {"a_post_that_the_row_includes_is_not_made_twice",
     a_post_that_the_row_includes_is_not_made_twice},
    {"rows_of_one_transaction_may_differ_in_age", rows_of_one_transaction_may_differ_in_age},
    {"a_restored_hold_is_a_promise", a_restored_hold_is_a_promise},
    {"branches_that_cannot_be_are_corruption", branches_that_cannot_be_are_corruption},
    {"account_records_are_replayed_over_rows", account_records_are_replayed_over_rows},
    {"account_records_that_contradict_are_corruption",
     account_records_that_contradict_are_corruption},
    {"a_checkpoint_hands_out_what_changed_in_order", a_checkpoint_hands_out_what_changed_in_order},
    {"what_changes_behind_the_cursor_is_the_next_pass",
     what_changes_behind_the_cursor_is_the_next_pass},
    CU_TEST_INFO_NULL,
};
