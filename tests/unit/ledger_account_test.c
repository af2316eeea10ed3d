/* The operator's acts: create, block, floor, close; CASH; looking. */
#include "base/err.h"
#include "ledger_bench.h"
#include "ledger_suites.h"
#include "support/runner.h"

#include <stdio.h>

static const int64_t zero;

static void numbers_are_given_in_order(void)
{
    struct books books;
    struct account_row row;
    uint32_t cursor = 0;

    books_open(&books, 8, 4);
    CU_ASSERT_EQUAL(account_make(&books, "A", 0, 0), 0);
    CU_ASSERT_EQUAL(account_make(&books, "A/JPY", 0, 0), 1); /* another account */
    CU_ASSERT_EQUAL(account_make(&books, "B", -5, 0), 2);
    for (uint32_t i = 0; i < 3; i++) {
        CU_ASSERT_TRUE_FATAL(ledger_next(books.ledger, &cursor, &row));
        CU_ASSERT_EQUAL(row.attributes.number, i);
        CU_ASSERT_EQUAL(row.attributes.status, ACCOUNT_OPEN);
    }
    CU_ASSERT_EQUAL(row.attributes.floor, -5);
    CU_ASSERT_STRING_EQUAL(row.attributes.name.text, "B");
    CU_ASSERT_FALSE(ledger_next(books.ledger, &cursor, &row));
    CU_ASSERT_EQUAL(number_of(&books, "C"), SLOT_NONE);
    CU_ASSERT_EQUAL(ledger_stats(books.ledger)->accounts, 3);
    books_close(&books);
}

static void a_repeated_create_is_no_error(void)
{
    const int64_t floor = -100;
    struct account_attributes same = wanted("A", &floor, false), made;
    struct books books;
    bool changed = true;

    books_open(&books, 8, 4);
    CU_ASSERT_EQUAL(create(&books, &same), REASON_NONE);
    same.number = 77; /* not read, nor is the status */
    same.status = ACCOUNT_BLOCKED;
    CU_ASSERT_EQUAL(ledger_create(books.ledger, &same, &made, &changed), REASON_NONE);
    CU_ASSERT_FALSE(changed);
    CU_ASSERT_EQUAL(made.number, 0);
    CU_ASSERT_EQUAL(made.status, ACCOUNT_OPEN);
    /* A block does not make it another account. */
    CU_ASSERT_EQUAL(set_status(&books, "A", ACCOUNT_BLOCKED), REASON_NONE);
    CU_ASSERT_EQUAL(create(&books, &same), REASON_NONE);
    CU_ASSERT_EQUAL(row_of(&books, "A").attributes.status, ACCOUNT_BLOCKED);
    CU_ASSERT_EQUAL(books.position, 2);
    books_close(&books);
}

static void creates_are_refused(void)
{
    const int64_t one = 1, minus = -1;
    struct account_attributes attributes;
    struct books books;

    books_open(&books, 3, 4);
    account_make(&books, "A", 0, 0);
    account_make(&books, "GONE", 0, 0);
    CU_ASSERT_EQUAL(close_account(&books, "GONE"), REASON_NONE);
    attributes = wanted("A", &minus, false);
    CU_ASSERT_EQUAL(create(&books, &attributes), REASON_ACCOUNT_EXISTS);
    attributes = wanted("A", &zero, true);
    CU_ASSERT_EQUAL(create(&books, &attributes), REASON_ACCOUNT_EXISTS);
    attributes = wanted("A", NULL, true);
    CU_ASSERT_EQUAL(create(&books, &attributes), REASON_ACCOUNT_EXISTS);
    attributes = wanted("GONE", &zero, false);
    CU_ASSERT_EQUAL(create(&books, &attributes), REASON_ACCOUNT_CLOSED);
    attributes = wanted("B/ZZZ", &zero, false);
    CU_ASSERT_EQUAL(create(&books, &attributes), REASON_CURRENCY_UNKNOWN);
    attributes = wanted("B", &one, false);
    CU_ASSERT_EQUAL(create(&books, &attributes), REASON_FLOOR);
    attributes = wanted("B", NULL, false);
    CU_ASSERT_EQUAL(create(&books, &attributes), REASON_FLOOR);
    attributes = wanted("CASH", &zero, true);
    CU_ASSERT_EQUAL(create(&books, &attributes), REASON_ACCOUNT_EXISTS);
    attributes = wanted("CASH", &zero, false);
    CU_ASSERT_EQUAL(create(&books, &attributes), REASON_ACCOUNT_EXISTS);
    account_make(&books, "LAST", 0, 0);
    attributes = wanted("B", &zero, false);
    CU_ASSERT_EQUAL(create(&books, &attributes), REASON_LIMIT);
    attributes = wanted("LAST", &zero, false);
    CU_ASSERT_EQUAL(create(&books, &attributes), REASON_NONE);
    books_close(&books);
}

static void names_are_1_to_34_of_their_alphabet(void)
{
    static const char *const bad[] = {"",         "a",    "A B",    "A_B", "A/B",
                                      "\xc3\x84", "A-\n", "(none)", "A.B"};
    struct account_attributes attributes = wanted("A", &zero, false);
    struct books books;

    books_open(&books, 8, 4);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memset(&attributes.name, 0, sizeof(attributes.name));
        memcpy(attributes.name.text, bad[i], strlen(bad[i]));
        CU_ASSERT_EQUAL(create(&books, &attributes), REASON_ACCOUNT_NAME);
    }
    memset(attributes.name.text, 'A', ACCOUNT_NAME_MAX);
    CU_ASSERT_EQUAL(create(&books, &attributes), REASON_NONE);
    attributes.name.text[ACCOUNT_NAME_MAX] = 'A';
    CU_ASSERT_EQUAL(create(&books, &attributes), REASON_ACCOUNT_NAME);
    memset(&attributes.name, 0, sizeof(attributes.name));
    memcpy(attributes.name.text, "A\0B", 3); /* not padded with zeros */
    CU_ASSERT_EQUAL(create(&books, &attributes), REASON_ACCOUNT_NAME);
    CU_ASSERT_EQUAL(create(&books, &(struct account_attributes){.name = {"-0-"},
                                                                .currency = {"USD"},
                                                                .has_floor = true}),
                    REASON_NONE);
    books_close(&books);
}

static void a_block_leaves_holds_alone(void)
{
    struct books books;
    uint32_t hold;

    books_open(&books, 8, 4);
    account_make(&books, "A", 0, 100);
    account_make(&books, "B", 0, 0);
    CU_ASSERT_EQUAL(reserve(&books, "A-60 B+60", &hold), REASON_NONE);
    CU_ASSERT_EQUAL(set_status(&books, "A", ACCOUNT_BLOCKED), REASON_NONE);
    CU_ASSERT_EQUAL(set_status(&books, "B", ACCOUNT_BLOCKED_CREDITS), REASON_NONE);
    CU_ASSERT_EQUAL(available_of(&books, "A"), 0);
    post(&books, hold);
    CU_ASSERT(TOTALS(&books, "A", 60, 100, 0, 0));
    CU_ASSERT(TOTALS(&books, "B", 0, 60, 0, 0));
    CU_ASSERT_EQUAL(set_status(&books, "A", ACCOUNT_OPEN), REASON_NONE);
    CU_ASSERT_EQUAL(available_of(&books, "A"), 40);
    books_close(&books);
}

static void statuses_change_only_what_they_must(void)
{
    struct account_attributes made;
    struct books books;
    bool changed = true;

    books_open(&books, 8, 4);
    account_make(&books, "A", -7, 0);
    CU_ASSERT_EQUAL(ledger_set_status(books.ledger, 0, ACCOUNT_OPEN, &made, &changed), REASON_NONE);
    CU_ASSERT_FALSE(changed);
    CU_ASSERT_EQUAL(set_status(&books, "A", ACCOUNT_BLOCKED_DEBITS), REASON_NONE);
    CU_ASSERT_EQUAL(row_of(&books, "A").attributes.status, ACCOUNT_BLOCKED_DEBITS);
    CU_ASSERT_EQUAL(row_of(&books, "A").attributes.floor, -7);
    CU_ASSERT_EQUAL(set_status(&books, "NOBODY", ACCOUNT_OPEN), REASON_ACCOUNT_UNKNOWN);
    CU_ASSERT_EQUAL(close_account(&books, "A"), REASON_NONE);
    CU_ASSERT_EQUAL(set_status(&books, "A", ACCOUNT_OPEN), REASON_ACCOUNT_CLOSED);
    books_close(&books);
}

static void a_floor_may_rise_to_what_no_hold_needs(void)
{
    struct books books;
    uint32_t hold;

    books_open(&books, 8, 4);
    account_make(&books, "A", -50, 100);
    CU_ASSERT_EQUAL(reserve(&books, "A-30", &hold), REASON_NONE);
    CU_ASSERT_EQUAL(reserve(&books, "A+500", NULL), REASON_NONE); /* a pending credit is nothing */
    CU_ASSERT_EQUAL(set_floor(&books, "A", 71), REASON_FLOOR);
    CU_ASSERT_EQUAL(set_floor(&books, "A", 70), REASON_NONE);
    CU_ASSERT_EQUAL(available_of(&books, "A"), 0);
    CU_ASSERT_EQUAL(reserve(&books, "A-1", NULL), REASON_FUNDS);
    post(&books, hold); /* a promise */
    CU_ASSERT_EQUAL(available_of(&books, "A"), 0);
    CU_ASSERT_EQUAL(set_floor(&books, "A", INT64_MIN), REASON_NONE);
    CU_ASSERT_EQUAL(available_of(&books, "A"), INT64_MAX); /* no wrap around */
    books_close(&books);
}

static void floors_are_refused(void)
{
    struct account_attributes cash = wanted("CASH", NULL, true), made;
    struct account_attributes world = wanted("WORLD", NULL, true);
    struct books books;
    bool changed = true;

    books_open(&books, 8, 4);
    account_make(&books, "A", 0, 0);
    CU_ASSERT_EQUAL(create(&books, &cash), REASON_NONE);
    CU_ASSERT_EQUAL(create(&books, &world), REASON_NONE);
    CU_ASSERT_EQUAL(set_floor(&books, "NOBODY", 0), REASON_ACCOUNT_UNKNOWN);
    CU_ASSERT_EQUAL(set_floor(&books, "CASH", 0), REASON_ACCOUNT_SYSTEM);
    CU_ASSERT_EQUAL(ledger_set_floor(books.ledger, 0, NULL, &made, &changed), REASON_FLOOR);
    CU_ASSERT_FALSE(changed);
    /* A system account may get a floor, and lose it again. */
    CU_ASSERT_EQUAL(set_floor(&books, "WORLD", -10), REASON_NONE);
    CU_ASSERT_EQUAL(reserve(&books, "WORLD-11", NULL), REASON_FUNDS);
    CU_ASSERT_EQUAL(
        ledger_set_floor(books.ledger, number_of(&books, "WORLD"), NULL, &made, &changed),
        REASON_NONE);
    CU_ASSERT_TRUE(changed);
    CU_ASSERT_FALSE(made.has_floor);
    CU_ASSERT_EQUAL(made.floor, 0);
    CU_ASSERT_EQUAL(set_floor(&books, "WORLD", -10), REASON_NONE);
    CU_ASSERT_EQUAL(books.position, 4); /* the same floor again makes no record */
    CU_ASSERT_EQUAL(close_account(&books, "A"), REASON_NONE);
    CU_ASSERT_EQUAL(set_floor(&books, "A", 0), REASON_ACCOUNT_CLOSED);
    books_close(&books);
}

static void an_account_in_use_is_not_closed(void)
{
    struct books books;
    uint32_t hold;

    books_open(&books, 8, 4);
    account_make(&books, "A", -50, 10);
    CU_ASSERT_EQUAL(close_account(&books, "A"), REASON_ACCOUNT_IN_USE); /* money is left */
    transfer(&books, "A-10 WORLD+10");
    CU_ASSERT_EQUAL(reserve(&books, "A-1", &hold), REASON_NONE);
    CU_ASSERT_EQUAL(close_account(&books, "A"), REASON_ACCOUNT_IN_USE);
    ledger_void(books.ledger, hold);
    CU_ASSERT_EQUAL(reserve(&books, "A+1", &hold), REASON_NONE);
    CU_ASSERT_EQUAL(close_account(&books, "A"), REASON_ACCOUNT_IN_USE);
    ledger_void(books.ledger, hold);
    transfer(&books, "A-5 WORLD+5"); /* overdrawn */
    CU_ASSERT_EQUAL(close_account(&books, "A"), REASON_ACCOUNT_IN_USE);
    transfer(&books, "WORLD-5 A+5");
    CU_ASSERT_EQUAL(close_account(&books, "A"), REASON_NONE);
    CU_ASSERT_EQUAL(available_of(&books, "A"), 0);            /* in spite of its floor of -50 */
    CU_ASSERT_EQUAL(close_account(&books, "A"), REASON_NONE); /* again: nothing to do */
    CU_ASSERT_EQUAL(close_account(&books, "NOBODY"), REASON_ACCOUNT_UNKNOWN);
    books_close(&books);
}

static void cash_is_made_where_it_is_named(void)
{
    struct account_attributes cash[NETS_MAX];
    struct branch branch;
    struct books books;
    struct err err;

    books_open(&books, 8, 4);
    account_make(&books, "A", 0, 0);
    CU_ASSERT_EQUAL(reserve(&books, "CASH-5 A+5", NULL),
                    REASON_LIMIT); /* the caller's part first */
    branch_of("CASH-5 CASH/JPY-1 CASH-6 A+5 CASH/ZZZ+1 NOBODY+1", &branch);
    CU_ASSERT_EQUAL_FATAL(ledger_missing_cash(books.ledger, &branch, cash), 2);
    for (uint32_t i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(cash[i].number, 1 + i);
        CU_ASSERT_TRUE(cash[i].system);
        CU_ASSERT_FALSE(cash[i].has_floor);
        CU_ASSERT_EQUAL(cash[i].status, ACCOUNT_OPEN);
        CU_ASSERT_EQUAL(ledger_apply(books.ledger, &cash[i], ++books.position, &err), 0);
    }
    CU_ASSERT_EQUAL(number_of(&books, "CASH"), 1);
    CU_ASSERT_EQUAL(number_of(&books, "CASH/JPY"), 2);
    CU_ASSERT_EQUAL(ledger_missing_cash(books.ledger, &branch, cash), 0);
    CU_ASSERT_EQUAL(reserve(&books, "CASH-5 A+5", NULL), REASON_NONE);
    CU_ASSERT_EQUAL(reserve(&books, "CASH/ZZZ-5", NULL), REASON_CURRENCY_UNKNOWN);
    books_close(&books);
}

static void cash_refuses_what_would_unmake_it(void)
{
    struct account_attributes cash = wanted("CASH", NULL, true);
    struct books books;

    books_open(&books, 8, 4);
    CU_ASSERT_EQUAL(create(&books, &cash), REASON_NONE); /* as it would be made anyway */
    CU_ASSERT_EQUAL(close_account(&books, "CASH"), REASON_ACCOUNT_SYSTEM);
    CU_ASSERT_EQUAL(set_floor(&books, "CASH", -100), REASON_ACCOUNT_SYSTEM);
    CU_ASSERT_EQUAL(set_status(&books, "CASH", ACCOUNT_BLOCKED_DEBITS), REASON_NONE);
    CU_ASSERT_EQUAL(reserve(&books, "CASH-5", NULL), REASON_ACCOUNT_BLOCKED);
    books_close(&books);
}

static void cash_without_room_is_no_vote(void)
{
    struct account_attributes cash[NETS_MAX];
    struct branch branch;
    struct books books;

    books_open(&books, 1, 4);
    account_make(&books, "A", 0, 0);
    branch_of("CASH-5 A+5", &branch);
    CU_ASSERT_EQUAL(ledger_missing_cash(books.ledger, &branch, cash), 0);
    CU_ASSERT_EQUAL(reserve(&books, "CASH-5 A+5", NULL), REASON_LIMIT);
    CU_ASSERT(TOTALS(&books, "A", 0, 0, 0, 0));
    books_close(&books);
}

static void totals_are_posted_per_currency(void)
{
    struct net totals[CURRENCIES_MAX];
    struct books books;

    books_open(&books, 8, 4);
    CU_ASSERT_EQUAL(ledger_totals(books.ledger, totals), 0);
    account_make(&books, "A", 0, 500);
    account_make(&books, "B/JPY", 0, 0);
    account_make(&books, "C/BHD", 0, 0);
    transfer(&books, "B/JPY+30 A-100");
    CU_ASSERT_EQUAL(reserve(&books, "B/JPY+7", NULL), REASON_NONE); /* pending: not in it */
    CU_ASSERT_EQUAL_FATAL(ledger_totals(books.ledger, totals), 3);
    CU_ASSERT_STRING_EQUAL(totals[0].currency.code, "BHD");
    CU_ASSERT_EQUAL(totals[0].amount, 0);
    CU_ASSERT_STRING_EQUAL(totals[1].currency.code, "JPY");
    CU_ASSERT_EQUAL(totals[1].amount, 30);
    CU_ASSERT_STRING_EQUAL(totals[2].currency.code, "USD");
    CU_ASSERT_EQUAL(totals[2].amount, -100);
    books_close(&books);
}

CU_TestInfo ledger_account_tests[] = {
    {"numbers_are_given_in_order", numbers_are_given_in_order},
    {"a_repeated_create_is_no_error", a_repeated_create_is_no_error},
    {"creates_are_refused", creates_are_refused},
    {"names_are_1_to_34_of_their_alphabet", names_are_1_to_34_of_their_alphabet},
    {"a_block_leaves_holds_alone", a_block_leaves_holds_alone},
    {"statuses_change_only_what_they_must", statuses_change_only_what_they_must},
    {"a_floor_may_rise_to_what_no_hold_needs", a_floor_may_rise_to_what_no_hold_needs},
    {"floors_are_refused", floors_are_refused},
    {"an_account_in_use_is_not_closed", an_account_in_use_is_not_closed},
    {"cash_is_made_where_it_is_named", cash_is_made_where_it_is_named},
    {"cash_refuses_what_would_unmake_it", cash_refuses_what_would_unmake_it},
    {"cash_without_room_is_no_vote", cash_without_room_is_no_vote},
    {"totals_are_posted_per_currency", totals_are_posted_per_currency},
    CU_TEST_INFO_NULL,
};
