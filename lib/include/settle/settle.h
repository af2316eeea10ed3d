/*
 * libsettle: move value between the ledgers of a settle cluster, atomically.
 *
 * A transaction is a list of legs; each debits or credits one account of one participant. Either
 * every leg happens or none does, whatever crashes, hangs or is cut off. This header submits
 * transactions and asks for outcomes; settle/admin.h has accounts, status and audits.
 *
 *     struct settle_error err;
 *     struct settle *settle;
 *     if (settle_open("zk://127.0.0.1:2181/prod", NULL, &settle, &err) != 0)
 *         return complain(err.text);
 *
 *     struct settle_leg legs[] = {
 *         {"bank-a", "ALICE", SETTLE_DEBIT, 1250, "EUR"},     // 12.50 EUR, in minor units
 *         {"bank-b", "BOB", SETTLE_CREDIT, 1250, "EUR"},
 *     };
 *     struct settle_submit submit = {
 *         .legs = legs, .leg_count = 2, .deadline_ms = 5000, .memo = "invoice 17"};
 *     struct settle_outcome outcome;
 *     settle_id_new(&submit.id);       // keep it: it is how you ask later
 *     if (settle_submit(settle, &submit, &outcome, &err) != 0)
 *         return complain(err.text);   // nothing was sent
 *     switch (outcome.result) { ... }
 *
 * What to do with an outcome
 *   COMMITTED  done, for ever, everywhere.
 *   ABORTED    nothing happened, for ever; outcome.reason says why. To try again, use a new id.
 *   REFUSED    this call started nothing and promised nothing; `reason` says why. The same id may
 *              be submitted again, with the same content. It says nothing of earlier calls: where
 *              one under the same id ended with UNKNOWN, that one may have happened.
 *   UNKNOWN    it happened or it did not; the cluster knows or will know. Ask with
 *              settle_outcome_of(), or submit the same id with the same content again: an id never
 *              executes twice. Never use a new id for the same payment after UNKNOWN.
 *
 * Caveats
 *   - An id kept only in memory is lost with the process, and with it the way to ask.
 *     Fix: store the id with the payment before it is submitted.
 *   - The digest of a transaction covers all of it: protocol, accounts, amounts, memo, the order of
 *     the legs of each participant. Submitting an id again with a byte changed is refused:
 * CONFLICT. Fix: store the content as well, and submit exactly that.
 *   - The deadline limits how long the caller waits. After UNKNOWN the cluster goes on, and may
 *     commit later. Fix: ask again.
 *   - A coordinator that is stopped, not dead, keeps its connection. Such an attempt is given up
 *     after 2 s, so deadlines below some seconds end as UNKNOWN while a leader hangs.
 *   - Completions of a handle run one after the other on its one thread: a slow one delays all.
 *     Fix: hand work over, or open several handles.
 *   - settle_open() looks names up, blocking. Fix: use addresses.
 *
 * Threads
 *   All functions may be called from any thread. A handle has one thread of its own, which talks to
 *   the cluster and calls completions. A completion must not block and must not call a blocking
 *   function of this library (that is refused with SETTLE_ERR_USAGE); it may start new requests.
 *   After fork() only the parent may use a handle.
 *
 * Memory
 *   What a caller passes stays the caller's, and is not needed after the call returns. Results are
 *   written to the caller's structs.
 *
 * Units: amounts are minor units of the currency (cents), int64; times are milliseconds. All
 * structs may grow at their end in later versions; zero what you do not set.
 *
 * Errors: a function returns 0, or a negative SETTLE_ERR_* and fills *err (which may be NULL) with
 * a sentence. A function that starts a request and returns an error never calls its completion.
 */
#ifndef SETTLE_SETTLE_H
#define SETTLE_SETTLE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SETTLE_API __attribute__((visibility("default")))
#else
#define SETTLE_API
#endif

/* Limits. One more is an error, SETTLE_ERR_USAGE; one more currency is REFUSED with LIMIT. */
#define SETTLE_LEGS_MAX         128     /* legs of a transaction */
#define SETTLE_PARTICIPANTS_MAX 16      /* participants with legs; as many more with checks only */
#define SETTLE_CURRENCIES_MAX   8       /* currencies of a transaction */
#define SETTLE_CHECKS_MAX       128     /* balance checks of a transaction */
#define SETTLE_MEMO_MAX         140     /* bytes of UTF-8 without control characters */
#define SETTLE_ACCOUNT_MAX      34      /* characters of an account's id, [A-Z0-9-] */
#define SETTLE_NAME_MAX         31      /* characters of a participant's name, [a-z0-9-] */
#define SETTLE_DEADLINE_MAX_MS  3600000 /* an hour */
#define SETTLE_ID_TEXT_SIZE     37      /* of an id's text, the NUL included */
#define SETTLE_AMOUNT_TEXT_SIZE 32      /* of an amount's text, the NUL included */

/* Why a call failed. The numbers are stable. */
enum settle_error_code {
    SETTLE_ERR_USAGE = -1,       /* an argument is off; the text says which and what is allowed */
    SETTLE_ERR_IO = -2,          /* the operating system refused: threads, random numbers */
    SETTLE_ERR_NOT_FOUND = -6,   /* what was asked for does not exist */
    SETTLE_ERR_UNREACHABLE = -8, /* nobody of the cluster answers */
    SETTLE_ERR_TIMEOUT = -9,     /* the time is over; what was asked may have been done */
    SETTLE_ERR_CLOSED = -10,     /* the handle is closing */
    SETTLE_ERR_PROTOCOL = -11,   /* the peer is of another version or another cluster */
    SETTLE_ERR_BUSY = -12,       /* in_flight_max requests are under way; nothing was sent */
    SETTLE_ERR_REFUSED = -13,    /* asked and denied; the text and `reason` say why */
    SETTLE_ERR_MEMORY = -14
};

struct settle_error {
    int code;        /* 0 or a SETTLE_ERR_* */
    unsigned reason; /* REFUSED, UNREACHABLE: an enum settle_reason where there is one, else 0 */
    char text[512];  /* a sentence for people */
};

/*
 * Why a transaction was aborted or a request refused. Later releases may add some: what is not
 * known still has its outcome. settle_reason_text() says each in a sentence.
 */
enum settle_reason {
    SETTLE_REASON_NONE = 0,

    /* A participant votes no. The transaction is ABORTED. */
    SETTLE_REASON_ACCOUNT_UNKNOWN = 1,  /* no such account in this currency: create it */
    SETTLE_REASON_ACCOUNT_CLOSED = 2,   /* for good */
    SETTLE_REASON_ACCOUNT_BLOCKED = 3,  /* for this side, by an operator */
    SETTLE_REASON_FUNDS = 4,            /* the floor would be broken, pending debits counted */
    SETTLE_REASON_OVERFLOW = 5,         /* totals of the account would pass 64 bits */
    SETTLE_REASON_CURRENCY_UNKNOWN = 6, /* not of ISO 4217 */
    SETTLE_REASON_CHECK_FAILED = 14,    /* a settle_check did not hold */

    /* Nobody voted no, and it was ABORTED all the same. */
    SETTLE_REASON_DEADLINE = 9,         /* a vote did not arrive in time */
    SETTLE_REASON_RECOVERY = 16,        /* the leader failed before all had prepared */
    SETTLE_REASON_ABORT_REQUESTED = 32, /* by an operator */

    /* The content is wrong; REFUSED. Submitting the same again will not help. */
    SETTLE_REASON_UNBALANCED = 7,    /* debits and credits differ in a currency */
    SETTLE_REASON_CONFLICT = 8,      /* the id was used before with other content; or ABORTED */
    SETTLE_REASON_TOO_OLD = 13,      /* the id's time is below what the cluster keeps outcomes of */
    SETTLE_REASON_LEGS = 17,         /* these are found by this library first: USAGE */
    SETTLE_REASON_PARTICIPANTS = 18, /* likewise */
    SETTLE_REASON_MALFORMED = 19,    /* likewise */
    SETTLE_REASON_AMOUNT = 20,       /* likewise */
    SETTLE_REASON_ID_INVALID = 21,   /* likewise */
    SETTLE_REASON_PROTOCOL = 22,     /* the cluster's release does not know SETTLE_3PC */
    SETTLE_REASON_ACCOUNT_NAME = 29, /* no account's id */

    /* Not now; REFUSED, or ABORTED when it was under way. Later it may do. */
    SETTLE_REASON_PARTICIPANT_DOWN = 10,    /* down or cut off from the coordinators */
    SETTLE_REASON_PARTICIPANT_UNKNOWN = 11, /* nobody of that name was ever registered */
    SETTLE_REASON_BUSY = 12,                /* too much in flight there: slow down */
    SETTLE_REASON_CLOCK = 15,               /* a participant's clock is over 60 s ahead: set it */
    SETTLE_REASON_STORE_REPLACED = 23,      /* a participant came back with another store */
    SETTLE_REASON_NOT_LEADER = 24,          /* no leader was found before the deadline */
    SETTLE_REASON_STORAGE_FULL = 25,        /* a participant's store is full: give it space */
    SETTLE_REASON_DRAINING = 26,            /* the process is shutting down */
    SETTLE_REASON_LIMIT = 31,               /* a limit of a participant, or too many currencies */

    /* Accounts: settle/admin.h. */
    SETTLE_REASON_ACCOUNT_EXISTS = 27, /* with other attributes */
    SETTLE_REASON_ACCOUNT_IN_USE = 28, /* money or holds are left: it cannot be closed */
    SETTLE_REASON_FLOOR = 30,          /* above what is available; or none without `system` */
    SETTLE_REASON_ACCOUNT_SYSTEM = 34, /* CASH keeps its attributes */

    SETTLE_REASON_UNKNOWN_OUTCOME = 33 /* UNKNOWN: nobody who was asked can tell */
};

/* A transaction's id: a UUIDv7 in network byte order, chosen by the client. */
struct settle_id {
    uint8_t bytes[16];
};

enum settle_side { SETTLE_DEBIT = 1, SETTLE_CREDIT = 2 };

enum settle_protocol {
    SETTLE_2PC = 1, /* also what 0 means */
    SETTLE_3PC = 2  /* refused with PROTOCOL by this release */
};

enum settle_result {
    SETTLE_COMMITTED = 1,
    SETTLE_ABORTED = 2,
    SETTLE_UNKNOWN = 3,
    SETTLE_REFUSED = 4
};

/* One leg. Debits and credits of a transaction must be equal in every currency. */
struct settle_leg {
    const char *participant;
    const char *account;
    enum settle_side side;
    int64_t amount;       /* > 0, minor units */
    const char *currency; /* ISO 4217, "EUR" */
};

/* A balance that must be there before anything is prepared; it is not kept reserved. */
struct settle_check {
    const char *participant; /* one that has no leg in the transaction */
    const char *account;
    const char *currency;
    int64_t available_min; /* minor units */
};

struct settle_submit {
    struct settle_id id;
    enum settle_protocol protocol;
    uint32_t deadline_ms; /* the call's time and the first attempt's; 0: 5,000 */
    const char *memo;     /* stands in every statement; NULL: none */
    const struct settle_leg *legs;
    size_t leg_count;
    const struct settle_check *checks;
    size_t check_count;
};

struct settle_outcome {
    struct settle_id id;
    enum settle_result result;
    unsigned reason;       /* ABORTED, REFUSED, UNKNOWN: an enum settle_reason */
    char participant[32];  /* whom the reason is about; "" if nobody */
    uint64_t committed_ms; /* COMMITTED: when, by the cluster's clock, since 1970 */
};

struct settle; /* a handle */

struct settle_options {
    uint32_t in_flight_max;      /* requests under way; 0: 16,384 */
    uint32_t connect_ms;         /* settle_open() waits this long; 0: 5,000 */
    uint32_t session_timeout_ms; /* zk://; 0: 6,000 */
};

/**
 * Connect to a cluster.
 *
 * `cluster` is "zk://HOST:PORT[,HOST:PORT]/NAME", where coordinators are found by themselves, or
 * "tcp://HOST:PORT[,HOST:PORT]", naming coordinators. Names are looked up, blocking.
 *
 * Returns when a coordinator answered. USAGE: the text is neither; UNREACHABLE: nobody answered
 * within connect_ms; PROTOCOL: a coordinator refused us, the text says why.
 */
SETTLE_API int settle_open(const char *cluster, const struct settle_options *options,
                           struct settle **ret_settle, struct settle_error *err);

/**
 * Disconnect and free. Requests under way are completed first, with UNKNOWN.
 *
 * Accepts NULL. Not from a completion; no other call on the handle may be running.
 */
SETTLE_API void settle_close(struct settle *settle);

/** A new id: time-ordered, and above all that this process made before. IO. */
SETTLE_API int settle_id_new(struct settle_id *ret_id);

/** Write the 36 characters of the id and a NUL. Returns `text`. */
SETTLE_API const char *settle_id_format(const struct settle_id *id, char text[SETTLE_ID_TEXT_SIZE]);

/** Read an id's 36 characters. USAGE when malformed or no UUIDv7. */
SETTLE_API int settle_id_parse(const char *text, struct settle_id *ret_id);

/** Called once, on the handle's thread. */
typedef void settle_done_fn(void *ctx, const struct settle_outcome *outcome);

/**
 * Start a transaction; `done` is called when its outcome is known or the deadline is over.
 *
 * Through failures of coordinators it is submitted again by itself, under the same id. USAGE, BUSY,
 * CLOSED, MEMORY: nothing was sent and `done` is never called.
 */
SETTLE_API int settle_submit_start(struct settle *settle, const struct settle_submit *submit,
                                   settle_done_fn *done, void *ctx, struct settle_error *err);

/** settle_submit_start(), and wait. */
SETTLE_API int settle_submit(struct settle *settle, const struct settle_submit *submit,
                             struct settle_outcome *ret_outcome, struct settle_error *err);

/**
 * Ask for the outcome of an id: COMMITTED, ABORTED or UNKNOWN. UNKNOWN also when the cluster has
 * never heard of the id: that is no proof that it never will.
 */
SETTLE_API int settle_outcome_start(struct settle *settle, const struct settle_id *id,
                                    uint32_t deadline_ms, settle_done_fn *done, void *ctx,
                                    struct settle_error *err);

/** settle_outcome_start(), and wait. */
SETTLE_API int settle_outcome_of(struct settle *settle, const struct settle_id *id,
                                 uint32_t deadline_ms, struct settle_outcome *ret_outcome,
                                 struct settle_error *err);

/* Words and amounts; these need no handle. */

/** "COMMITTED", ... */
SETTLE_API const char *settle_result_name(enum settle_result result);

/** The reason's name, "FUNDS"; "UNKNOWN" for a number this release does not know. */
SETTLE_API const char *settle_reason_name(unsigned reason);

/** One sentence on a reason, for users. */
SETTLE_API const char *settle_reason_text(unsigned reason);

/** Digits of a currency's minor unit (JPY 0, EUR 2, BHD 3), or -1 when ISO 4217 has none such. */
SETTLE_API int settle_currency_digits(const char *currency);

/** Read an amount in major units, "12.34". USAGE: no amount, too many decimals, beyond 64 bits. */
SETTLE_API int settle_amount_parse(const char *text, const char *currency, int64_t *ret_minor,
                                   struct settle_error *err);

/** Write an amount in major units with the currency's digits. Returns `text`. */
SETTLE_API const char *settle_amount_format(int64_t minor, const char *currency,
                                            char text[SETTLE_AMOUNT_TEXT_SIZE]);

/** "0.1.0" */
SETTLE_API const char *settle_version(void);

#ifdef __cplusplus
}
#endif

#endif
