/*
 * The ledger's value types: what the ledger keeps, the wire encodes and the client asks for.
 *
 * They stand in base because wire and ledger both speak them and neither knows the other. Amounts
 * are minor units of the currency; names and currencies are zero-padded to their full size, so that
 * memcmp compares them. The numbers of the enums stand on the wire and on disk.
 */
#ifndef SETTLE_BASE_LEDGER_TYPES_H
#define SETTLE_BASE_LEDGER_TYPES_H

#include "base/limits.h"
#include "base/types.h"

#define MEMO_SIZE (MEMO_LENGTH_MAX + 1) /* and the NUL */

/* An account's id within its participant: 1 to 34 characters of [A-Z0-9-]. */
struct account_name {
    char text[ACCOUNT_NAME_MAX + 2]; /* the NUL, and one more for the alignment of what follows */
};

enum side {
    SIDE_DEBIT = 1,
    SIDE_CREDIT = 2,
};

enum account_status {
    ACCOUNT_OPEN = 1,
    ACCOUNT_BLOCKED_DEBITS = 2,
    ACCOUNT_BLOCKED_CREDITS = 3,
    ACCOUNT_BLOCKED = 4,
    ACCOUNT_CLOSED = 5,
};

/* One leg of a transaction. */
struct posting {
    struct account_name account;
    struct currency currency;
    enum side side;
    int64_t amount; /* > 0 in a valid branch */
};

/* What a read-only branch asks: at least this much may be debited now. */
struct balance_check {
    struct account_name account;
    struct currency currency;
    int64_t available_min;
};

/* What one participant does in a transaction: postings, or only checks when it is read-only. */
struct branch {
    uint16_t posting_count;
    uint16_t check_count;
    struct posting postings[LEGS_MAX];
    struct balance_check checks[LEGS_MAX];
    char memo[MEMO_SIZE]; /* UTF-8, NUL-terminated, "" when there is none */
};

/* What an operator decides about an account. */
struct account_attributes {
    uint32_t number; /* given at creation in order from 0, never reused: the key of its row */
    struct account_name name;
    struct currency currency;
    enum account_status status;
    bool system;    /* may be without floor; where money enters and leaves */
    bool has_floor; /* false: no floor at all */
    int64_t floor;  /* 0 when there is none */
};

/* Where a statement entry stands: the journal's position of its commit, and the how-manieth. */
struct entry_ref {
    uint64_t position; /* 0: no entry */
    uint16_t index;
};

/* An account as it is stored and shown. A stored row's pending totals are 0: holds are replayed. */
struct account_row {
    struct account_attributes attributes;
    int64_t debits_posted;
    int64_t credits_posted;
    int64_t debits_pending;
    int64_t credits_pending;
    struct entry_ref last; /* the newest statement entry */
    uint64_t applied;      /* posted totals include the journal's records up to this position */
};

/* One line of an account's statement. */
struct entry {
    struct entry_ref at;
    struct entry_ref previous; /* of the same account */
    uint32_t account;          /* its number */
    enum side side;
    int64_t amount;
    int64_t balance; /* credits minus debits posted, after this entry */
    struct id id;
    uint64_t timestamp; /* of the commit */
    char memo[MEMO_SIZE];
};

static inline bool account_name_equal(const struct account_name *a, const struct account_name *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

/** True iff `text` is `length` characters of [A-Z0-9-], 1 to 34; `ret_name` untouched otherwise. */
bool account_name_parse(struct account_name *ret_name, const char *text, size_t length);

/** True iff `text` is three capital letters; whether ISO 4217 knows them is the ledger's to say. */
bool currency_parse(struct currency *ret_currency, const char *text, size_t length);

/** The status as users see it ("OPEN"). */
const char *account_status_name(enum account_status status);

#endif
