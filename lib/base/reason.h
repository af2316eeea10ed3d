/*
 * Reasons: why a transaction was aborted or a request refused.
 *
 * The numbers stand in records on disk and in messages on the wire; they are never reused. The same
 * list makes proto's Reason, settle.h's enum and the words users see. A reason says who can act on
 * it: the texts are complete sentences without the final stop.
 */
#ifndef SETTLE_BASE_REASON_H
#define SETTLE_BASE_REASON_H

/* X(symbol, number, "NAME", "text") */
#define REASONS(X)                                                                                 \
    X(REASON_NONE, 0, "NONE", "no reason was given")                                               \
    X(REASON_ACCOUNT_UNKNOWN, 1, "ACCOUNT_UNKNOWN",                                                \
      "the participant has no such account in this currency")                                      \
    X(REASON_ACCOUNT_CLOSED, 2, "ACCOUNT_CLOSED", "the account is closed")                         \
    X(REASON_ACCOUNT_BLOCKED, 3, "ACCOUNT_BLOCKED", "the account is blocked for this side")        \
    X(REASON_FUNDS, 4, "FUNDS", "the debit would take the account below its floor")                \
    X(REASON_OVERFLOW, 5, "OVERFLOW", "the amounts would overflow 64 bits")                        \
    X(REASON_CURRENCY_UNKNOWN, 6, "CURRENCY_UNKNOWN", "the currency is not an ISO 4217 code")      \
    X(REASON_UNBALANCED, 7, "UNBALANCED",                                                          \
      "debits and credits do not sum to zero in every currency")                                   \
    X(REASON_CONFLICT, 8, "CONFLICT", "the id was used before with other content")                 \
    X(REASON_DEADLINE, 9, "DEADLINE", "not every vote arrived before the deadline")                \
    X(REASON_PARTICIPANT_DOWN, 10, "PARTICIPANT_DOWN", "a participant is down or cut off")         \
    X(REASON_PARTICIPANT_UNKNOWN, 11, "PARTICIPANT_UNKNOWN", "no such participant is registered")  \
    X(REASON_BUSY, 12, "BUSY", "too much is in flight; nothing was promised, try again later")     \
    X(REASON_TOO_OLD, 13, "TOO_OLD", "the id is below the cluster's oldest_id")                    \
    X(REASON_CHECK_FAILED, 14, "CHECK_FAILED", "a read-only check did not hold")                   \
    X(REASON_CLOCK, 15, "CLOCK", "a participant's clock is more than 60 s ahead")                  \
    X(REASON_RECOVERY, 16, "RECOVERY", "the leader failed before every participant had prepared")  \
    X(REASON_LEGS, 17, "LEGS", "the number of legs is outside 1 to the maximum")                   \
    X(REASON_PARTICIPANTS, 18, "PARTICIPANTS", "more participants than the maximum")               \
    X(REASON_MALFORMED, 19, "MALFORMED", "the request breaks the wire contract")                   \
    X(REASON_AMOUNT, 20, "AMOUNT", "an amount must be positive and within 64 bits of minor units") \
    X(REASON_ID_INVALID, 21, "ID_INVALID", "the id is not a UUIDv7")                               \
    X(REASON_PROTOCOL, 22, "PROTOCOL", "the commit protocol is not supported by this release")     \
    X(REASON_STORE_REPLACED, 23, "STORE_REPLACED",                                                 \
      "a participant's store is not the one that was asked first")                                 \
    X(REASON_NOT_LEADER, 24, "NOT_LEADER", "this coordinator does not lead the id's group")        \
    X(REASON_STORAGE_FULL, 25, "STORAGE_FULL",                                                     \
      "a participant's store is full; decided work still finishes")                                \
    X(REASON_DRAINING, 26, "DRAINING", "the process is shutting down and takes no new work")       \
    X(REASON_ACCOUNT_EXISTS, 27, "ACCOUNT_EXISTS", "the account exists with other attributes")     \
    X(REASON_ACCOUNT_IN_USE, 28, "ACCOUNT_IN_USE", "the account holds money or pending holds")     \
    X(REASON_ACCOUNT_NAME, 29, "ACCOUNT_NAME",                                                     \
      "an account id has 1 to 34 characters of A-Z, 0-9 and '-'")                                  \
    X(REASON_FLOOR, 30, "FLOOR",                                                                   \
      "the floor is above what is available, or none on an account that is no system account")     \
    X(REASON_LIMIT, 31, "LIMIT", "a named limit of the participant is reached")                    \
    X(REASON_ABORT_REQUESTED, 32, "ABORT_REQUESTED", "an abort was asked for")                     \
    X(REASON_UNKNOWN_OUTCOME, 33, "UNKNOWN_OUTCOME",                                               \
      "the outcome is not known yet; ask again by id")                                             \
    X(REASON_ACCOUNT_SYSTEM, 34, "ACCOUNT_SYSTEM",                                                 \
      "CASH is every participant's own: it has no floor and is never closed")

enum reason {
#define X(symbol, number, name, text) symbol = number,
    REASONS(X)
#undef X
        REASON_COUNT
};

/** The reason's name ("FUNDS"); "UNKNOWN" for a number this release does not know. */
const char *reason_name(unsigned reason);

/** One sentence for a user; a sentence as well for a number this release does not know. */
const char *reason_text(unsigned reason);

#endif
