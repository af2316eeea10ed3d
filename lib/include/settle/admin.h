/*
 * libsettle for operators: accounts, statements, status, what is in flight, audits.
 *
 * All calls block until they have an answer or `timeout_ms` (0: 5,000) is over, and may be called
 * from any thread but not from a completion. A coordinator passes what concerns a participant on to
 * it, so that a client needs to reach coordinators only. Acts may be repeated: creating what exists
 * with the same attributes, or setting what is set, is no error.
 *
 * Errors: as settle.h has them. REFUSED carries the reason (ACCOUNT_UNKNOWN, ...); UNREACHABLE:
 * nobody answered, or the participant is down; TIMEOUT: an act may have been done.
 *
 * Lists are returned whole, in memory that the caller frees with the function named; the library
 * reads them page by page.
 */
#ifndef SETTLE_ADMIN_H
#define SETTLE_ADMIN_H

#include "settle/settle.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- accounts ---- */

enum settle_account_status {
    SETTLE_OPEN = 1,
    SETTLE_BLOCKED_DEBITS = 2,
    SETTLE_BLOCKED_CREDITS = 3,
    SETTLE_BLOCKED = 4,
    SETTLE_CLOSED = 5
};

struct settle_account {
    char account[40];
    char currency[4];
    enum settle_account_status status;
    int system;
    int has_floor; /* 0: none, which only system accounts may have */
    int64_t floor;
    int64_t posted;    /* credits minus debits */
    int has_available; /* 0: nothing limits what may be debited */
    int64_t available; /* what may be debited now */
    int64_t debits_pending, credits_pending;
};

/** "OPEN", ... */
SETTLE_API const char *settle_account_status_name(enum settle_account_status status);

/** Which account: of a participant, by id and currency. */
struct settle_account_key {
    const char *participant;
    const char *account;
    const char *currency;
};

/** floor NULL: none. EXISTS with other attributes is REFUSED with ACCOUNT_EXISTS. */
SETTLE_API int settle_account_create(struct settle *settle, const struct settle_account_key *key,
                                     int system, const int64_t *floor,
                                     struct settle_account *ret_account, uint32_t timeout_ms,
                                     struct settle_error *err);

struct settle_account_change {
    enum settle_account_status status; /* 0: as it is; not CLOSED */
    int set_floor;                     /* 0: as it is */
    int floor_none;                    /* with set_floor: take it away */
    int64_t floor;
};

SETTLE_API int settle_account_set(struct settle *settle, const struct settle_account_key *key,
                                  const struct settle_account_change *change,
                                  struct settle_account *ret_account, uint32_t timeout_ms,
                                  struct settle_error *err);

/** For good; REFUSED with ACCOUNT_IN_USE while money or holds are left. */
SETTLE_API int settle_account_close(struct settle *settle, const struct settle_account_key *key,
                                    struct settle_account *ret_account, uint32_t timeout_ms,
                                    struct settle_error *err);

/** key->currency NULL: the account in every currency it has. */
SETTLE_API int settle_account_show(struct settle *settle, const struct settle_account_key *key,
                                   struct settle_account **ret_list, size_t *ret_count,
                                   uint32_t timeout_ms, struct settle_error *err);

/** All accounts of a participant, in the order they were made. */
SETTLE_API int settle_account_list(struct settle *settle, const char *participant,
                                   struct settle_account **ret_list, size_t *ret_count,
                                   uint32_t timeout_ms, struct settle_error *err);
SETTLE_API void settle_accounts_free(struct settle_account *list);

struct settle_entry {
    struct settle_id id; /* of the transaction */
    enum settle_side side;
    int64_t amount;
    int64_t balance; /* after this entry */
    uint64_t committed_ms;
    char memo[SETTLE_MEMO_MAX + 1];
};

/** The newest `max` entries (0: all), newest first. */
SETTLE_API int settle_account_statement(struct settle *settle, const struct settle_account_key *key,
                                        size_t max, struct settle_entry **ret_list,
                                        size_t *ret_count, uint32_t timeout_ms,
                                        struct settle_error *err);
SETTLE_API void settle_entries_free(struct settle_entry *list);

/* ---- the cluster ---- */

enum settle_role { SETTLE_LEADER = 1, SETTLE_STANDBY = 2, SETTLE_SUSPENDED = 3 };

/** "leader", "standby", "suspended" */
SETTLE_API const char *settle_role_name(enum settle_role role);

struct settle_led_group {
    uint16_t group;
    uint64_t epoch;
};

struct settle_coordinator {
    char id[32];
    char address[128];
    int live; /* registered and there */
    enum settle_role role;
    uint16_t group_count;
    struct settle_led_group groups[256];
    int answered; /* it says so itself; 0: another coordinator said so of it */
};

struct settle_participant {
    char id[32];
    char address[128];
    int up; /* a coordinator is connected to it */
    uint64_t incarnation;
    uint64_t prepared;      /* in doubt there */
    uint64_t stale_refused; /* messages of deposed leaders it refused */
    int answered;           /* 0: down or silent, and the two numbers above are not known */
};

/* Coordinators and participants are in the order of their ids. */
struct settle_status {
    char cluster[32];
    struct settle_coordinator *coordinators;
    size_t coordinator_count;
    struct settle_participant *participants;
    size_t participant_count;
    uint64_t in_flight;          /* submissions not decided yet */
    uint64_t in_doubt;           /* taken over from an earlier leader, not decided yet */
    uint64_t committed, aborted; /* told by the coordinators that answered, over restarts */
    uint64_t stale_refused;      /* by all participants that answered */
    uint64_t lmdb_commits;       /* of all daemons that answered, since their start */
};

SETTLE_API int settle_status_get(struct settle *settle, struct settle_status *ret_status,
                                 uint32_t timeout_ms, struct settle_error *err);
SETTLE_API void settle_status_release(struct settle_status *status);

/* ---- transactions in flight and in doubt ---- */

struct settle_txn_party {
    char participant[32];
    char vote[12]; /* NONE, YES, NO, NOTHING, COMMITTED, ABORTED, CONFLICT */
    int waiting;   /* the transaction waits for it */
};

struct settle_value {
    char currency[4];
    int64_t amount;
};

struct settle_txn {
    struct settle_id id;
    char state[12]; /* READING, PREPARING, QUERYING, ABORTING, COMMITTED, ABORTED, PREPARED */
    enum settle_protocol protocol;
    uint16_t group;
    uint64_t epoch;
    uint64_t age_ms;
    int has_deadline;
    uint64_t deadline_in_ms;
    unsigned reason;
    char seen_by[32]; /* the coordinator or participant that said so */
    char error[256];  /* the last, "" if none */
    size_t party_count;
    struct settle_txn_party parties[32];
    size_t value_count;
    struct settle_value value[SETTLE_CURRENCIES_MAX];
};

/**
 * Every transaction that is not over: what its coordinator says, and what participants hold
 * PREPARED that no coordinator follows. `state` NULL: any.
 */
SETTLE_API int settle_txn_list(struct settle *settle, const char *state, uint64_t older_than_ms,
                               struct settle_txn **ret_list, size_t *ret_count, uint32_t timeout_ms,
                               struct settle_error *err);

/** The views of one transaction: its coordinator's first, then participants'. NOT_FOUND: none. */
SETTLE_API int settle_txn_show(struct settle *settle, const struct settle_id *id,
                               struct settle_txn **ret_list, size_t *ret_count, uint32_t timeout_ms,
                               struct settle_error *err);
SETTLE_API void settle_txns_free(struct settle_txn *list);

/* ---- audit ---- */

struct settle_audit_line {
    char currency[4];
    char posted[48];   /* over all participants, major units: "0.00" when balanced */
    char in_doubt[48]; /* value that moves in undecided transactions */
    int balanced;
};

struct settle_audit {
    uint64_t cut_ms; /* the instant of the cut, by the cluster's clock */
    struct settle_audit_line *lines;
    size_t line_count;
    char (*missing)[32]; /* participants that could not be read */
    size_t missing_count;
    uint64_t in_doubt_count;
    int balanced; /* every line is, and nobody is missing */
};

/** Conservation per currency over all participants at one consistent cut. */
SETTLE_API int settle_audit_run(struct settle *settle, struct settle_audit *ret_audit,
                                uint32_t timeout_ms, struct settle_error *err);
SETTLE_API void settle_audit_release(struct settle_audit *audit);

#ifdef __cplusplus
}
#endif

#endif
