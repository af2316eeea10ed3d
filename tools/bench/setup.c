#include "bench.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define THREADS_MAX 64
#define BATCH       (SETTLE_LEGS_MAX - 1) /* accounts funded by one transaction; CASH is a leg */
#define FUNDS_MIN   INT64_C(1000000)      /* 10,000.00: below this an account is funded again */
#define FUNDS       INT64_C(10000000)     /* 100,000.00 */
#define HOT_NAME    "BENCH-HOT"
#define HOT_FACTOR  1000 /* the hot account has so much more */
#define ASK_MS      200  /* between two attempts with somebody who is away */

/* What set-up knows of each account. */
enum need { NEED_CREATE = 0, NEED_FUNDS, NEED_NOTHING };

struct setup {
    struct books *books;
    const struct clients *clients;
    uint8_t *needs; /* enum need, by account */
    uint32_t total; /* accounts, the hot one included */
    uint64_t until_ns;
    atomic_uint next;
    atomic_int code; /* an exit code: set once something failed for good */
};

static const char *bank_of(const struct books *books, uint32_t account)
{
    return books->banks[account == books->count ? 0 : account % books->bank_count];
}

static bool time_is_over(const struct setup *setup)
{
    return clock_ns() > setup->until_ns || interrupted();
}

/* True iff the error may pass: somebody is away, or busy. */
static bool may_pass(const struct settle_error *err)
{
    return err->code == SETTLE_ERR_UNREACHABLE || err->code == SETTLE_ERR_TIMEOUT ||
           err->code == SETTLE_ERR_BUSY ||
           (err->code == SETTLE_ERR_REFUSED &&
            (err->reason == SETTLE_REASON_BUSY || err->reason == SETTLE_REASON_PARTICIPANT_DOWN));
}

static int code_of(const struct settle_error *err)
{
    return may_pass(err) ? EXIT_AWAY : EXIT_WRONG;
}

/* ---- participants ---- */

static uint32_t banks_up(struct books *books, const struct settle_status *status)
{
    books->bank_count = 0;
    for (size_t i = 0; i < status->participant_count && books->bank_count < BANKS_MAX; i++) {
        if (status->participants[i].up)
            snprintf(books->banks[books->bank_count++], sizeof(books->banks[0]), "%s",
                     status->participants[i].id);
    }
    return books->bank_count;
}

static int find_banks(struct setup *setup, const struct bench_options *options)
{
    struct settle_status status;
    struct settle_error err = {.text = "no participant is up"};

    if (options->bank_count) {
        memcpy(setup->books->banks, options->banks, sizeof(options->banks));
        setup->books->bank_count = options->bank_count;
        return EXIT_DONE;
    }
    while (!time_is_over(setup)) {
        if (settle_status_get(setup->clients->list[0], &status, CALL_MS, &err) == 0) {
            uint32_t count = banks_up(setup->books, &status);

            settle_status_release(&status);
            if (count > 0)
                return EXIT_DONE;
            snprintf(err.text, sizeof(err.text), "no participant is up");
        }
        progress("waiting for participants: %s", err.text);
        pause_ms(ASK_MS);
    }
    complain("cannot find participants: %s", err.text);
    return EXIT_AWAY;
}

static int name_accounts(struct setup *setup, const struct bench_options *options)
{
    struct books *books = setup->books;

    books->count = options->accounts;
    books->has_hot = options->hot > 0;
    if (books->count < books->bank_count)
        return complain("--accounts %u: give at least one for each of the %u participants",
                        books->count, books->bank_count);
    setup->total = books->count + books->has_hot;
    books->names = calloc(books->count + 1, sizeof(*books->names));
    setup->needs = calloc(books->count + 1, 1);
    if (!books->names || !setup->needs) {
        complain("out of memory");
        return EXIT_WRONG;
    }
    for (uint32_t i = 0; i < books->count; i++)
        snprintf(books->names[i], ACCOUNT_NAME_SIZE, "BENCH-%08u", i);
    snprintf(books->names[books->count], ACCOUNT_NAME_SIZE, HOT_NAME);
    return EXIT_DONE;
}

/* ---- what is there already ---- */

/* The index of an account of ours at that bank, or `total`. */
static uint32_t index_of(const struct setup *setup, uint32_t bank, const char *name)
{
    const struct books *books = setup->books;
    unsigned long index;
    char *end;

    if (books->has_hot && bank == 0 && strcmp(name, HOT_NAME) == 0)
        return books->count;
    if (strncmp(name, "BENCH-", 6) != 0)
        return setup->total;
    index = strtoul(name + 6, &end, 10);
    if (*end != '\0' || index >= books->count || index % books->bank_count != bank)
        return setup->total;
    return (uint32_t)index;
}

static void note_accounts(struct setup *setup, uint32_t bank, const struct settle_account *list,
                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t index = index_of(setup, bank, list[i].account);

        if (index < setup->total && strcmp(list[i].currency, CURRENCY) == 0)
            setup->needs[index] = list[i].available < FUNDS_MIN ? NEED_FUNDS : NEED_NOTHING;
    }
}

static int look_at_bank(struct setup *setup, uint32_t bank)
{
    const char *name = setup->books->banks[bank];
    struct settle_account *list;
    struct settle_error err;
    size_t count;

    do {
        if (settle_account_list(setup->clients->list[0], name, &list, &count, PATIENCE_MS, &err) ==
            0) {
            note_accounts(setup, bank, list, count);
            settle_accounts_free(list);
            return EXIT_DONE;
        }
        progress("waiting for %s: %s", name, err.text);
        pause_ms(ASK_MS);
    } while (may_pass(&err) && !time_is_over(setup));
    complain("cannot list the accounts of %s: %s", name, err.text);
    return code_of(&err);
}

/* ---- create ---- */

static int create_account(struct setup *setup, uint32_t index)
{
    struct settle_account_key key = {bank_of(setup->books, index), setup->books->names[index],
                                     CURRENCY};
    struct settle *settle = setup->clients->list[index % setup->clients->count];
    const int64_t floor = 0;
    struct settle_account account;
    struct settle_error err;

    do {
        if (settle_account_create(settle, &key, 0, &floor, &account, CALL_MS, &err) == 0) {
            setup->needs[index] = NEED_FUNDS;
            return EXIT_DONE;
        }
        pause_ms(ASK_MS);
    } while (may_pass(&err) && !time_is_over(setup));
    complain("cannot create %s/%s: %s", key.participant, key.account, err.text);
    return code_of(&err);
}

/* One of many that create accounts: a participant commits what arrives together as one. */
static void *create_some(void *ctx)
{
    struct setup *setup = ctx;
    unsigned index;

    while (atomic_load(&setup->code) == EXIT_DONE &&
           (index = atomic_fetch_add(&setup->next, 1)) < setup->total) {
        int code = EXIT_DONE;

        if (setup->needs[index] == NEED_CREATE)
            code = create_account(setup, index);
        if (code != EXIT_DONE)
            atomic_store(&setup->code, code);
        if (index % 256 == 0)
            progress("creating accounts: %u of %u", index, setup->total);
    }
    return NULL;
}

static int create_missing(struct setup *setup)
{
    pthread_t threads[THREADS_MAX];
    uint32_t missing = 0, count = 0;

    for (uint32_t i = 0; i < setup->total; i++)
        missing += setup->needs[i] == NEED_CREATE;
    while (count < THREADS_MAX && count < missing &&
           pthread_create(&threads[count], NULL, create_some, setup) == 0)
        count++;
    if (missing > 0 && count == 0)
        return complain("cannot start a thread");
    for (uint32_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    progress("%s", "");
    return atomic_load(&setup->code);
}

/* ---- fund ---- */

/* Submit until it is COMMITTED: the same id as long as that may still happen. */
static int pay(struct setup *setup, struct settle_submit *submit)
{
    struct settle *settle = setup->clients->list[0];
    struct settle_outcome outcome = {.result = SETTLE_ABORTED};
    struct settle_error err;

    do {
        if (outcome.result == SETTLE_ABORTED && settle_id_new(&submit->id) != 0)
            return complain("the system gives no random numbers");
        if (settle_submit(settle, submit, &outcome, &err) != 0)
            return complain("cannot fund accounts of %s: %s", submit->legs[0].participant,
                            err.text);
        if (outcome.result == SETTLE_COMMITTED)
            return EXIT_DONE;
        progress("waiting for %s: %s", submit->legs[0].participant,
                 settle_reason_text(outcome.reason));
        pause_ms(ASK_MS);
    } while (!time_is_over(setup));
    complain("cannot fund accounts of %s: %s: %s", submit->legs[0].participant,
             settle_reason_name(outcome.reason), settle_reason_text(outcome.reason));
    return EXIT_AWAY;
}

/* Fund up to BATCH accounts of a bank from *at on; moves *at behind them. */
static int fund_batch(struct setup *setup, uint32_t bank, uint32_t *at)
{
    const struct books *books = setup->books;
    struct settle_leg legs[SETTLE_LEGS_MAX];
    struct settle_submit submit = {.legs = legs, .leg_count = 1, .memo = "settle-bench"};
    int64_t sum = 0;

    for (; *at < setup->total && submit.leg_count <= BATCH; ++*at) {
        bool hot = *at == books->count;
        int64_t amount = hot ? FUNDS * HOT_FACTOR : FUNDS;

        if (setup->needs[*at] != NEED_FUNDS || (hot ? 0 : *at % books->bank_count) != bank)
            continue;
        legs[submit.leg_count++] = (struct settle_leg){books->banks[bank], books->names[*at],
                                                       SETTLE_CREDIT, amount, CURRENCY};
        sum += amount;
    }
    legs[0] = (struct settle_leg){books->banks[bank], "CASH", SETTLE_DEBIT, sum, CURRENCY};
    return submit.leg_count > 1 ? pay(setup, &submit) : EXIT_DONE;
}

static int fund_missing(struct setup *setup)
{
    int code = EXIT_DONE;

    for (uint32_t bank = 0; bank < setup->books->bank_count; bank++) {
        for (uint32_t at = 0; at < setup->total && code == EXIT_DONE;)
            code = fund_batch(setup, bank, &at);
        progress("funding accounts: %u of %u participants", bank + 1, setup->books->bank_count);
    }
    progress("%s", "");
    return code;
}

int books_open(struct books *books, const struct clients *clients,
               const struct bench_options *options)
{
    struct setup setup = {.books = books,
                          .clients = clients,
                          .until_ns = clock_ns() + PATIENCE_MS * UINT64_C(1000000)};
    int code;

    atomic_init(&setup.next, 0);
    atomic_init(&setup.code, EXIT_DONE);
    code = find_banks(&setup, options);
    if (code == EXIT_DONE)
        code = name_accounts(&setup, options);
    for (uint32_t bank = 0; bank < books->bank_count && code == EXIT_DONE; bank++)
        code = look_at_bank(&setup, bank);
    if (code == EXIT_DONE)
        code = create_missing(&setup);
    if (code == EXIT_DONE)
        code = fund_missing(&setup);
    free(setup.needs);
    return code;
}

void books_release(struct books *books)
{
    free(books->names);
    books->names = NULL;
}
