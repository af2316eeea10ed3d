/*
 * Messages between a coordinator and a participant, as the core sees them.
 *
 * One shape for all kinds: the header names group, tag, id and digest; the body's union has what a
 * kind adds. Arrays are borrowed: in a received message from the decoder's arena, in a sent one
 * from the batch's; both live until the turn ends. proto/commit.proto is the wire's form of the
 * same.
 *
 * A participant answers everything it is asked about an id with one kind, MSG_RECORD: what it
 * holds. A vote, an acknowledgement and an answer to a query are the same sentence, said for other
 * reasons.
 */
#ifndef SETTLE_CORE_MSG_H
#define SETTLE_CORE_MSG_H

#include "core/types.h"

/* X(symbol, number, name). The numbers stand on the wire. */
#define MSG_KINDS(X)                                                                           \
    /* coordinator to participant */                                                           \
    X(MSG_SEAL, 1, "seal")                   /* promise me this group: R2 */                   \
    X(MSG_PREPARE, 2, "prepare")             /* R3; with one party: prepare and decide, R13 */ \
    X(MSG_CHECK, 3, "check")                 /* a read-only branch: R12 */                     \
    X(MSG_COMMIT, 4, "commit")               /* R4 */                                          \
    X(MSG_ABORT, 5, "abort")                 /* R5: an ABORTED is durable somewhere */         \
    X(MSG_ABORT_IF_MINE, 6, "abort_if_mine") /* R6 */                                          \
    X(MSG_QUERY, 7, "query")                 /* R8 */                                          \
    X(MSG_END, 8, "end")                     /* R9 */                                          \
    X(MSG_REPORT, 9, "report")               /* R8: the next page of unresolved, please */     \
    X(MSG_CUT, 10, "cut")                    /* raise the clock, report totals as of then */   \
    X(MSG_FIND, 11, "find")                  /* what do you hold for this id, any digest */    \
    /* participant to coordinator */                                                           \
    X(MSG_SEALED, 32, "sealed")                                                                \
    X(MSG_RECORD, 33, "record")                                                                \
    X(MSG_CHECKED, 34, "checked")                                                              \
    X(MSG_STALE, 35, "stale") /* refused: another (epoch, GUID) is sealed */                   \
    X(MSG_REPORT_PAGE, 36, "report_page")                                                      \
    X(MSG_ORPHAN, 37, "orphan") /* R15 */                                                      \
    X(MSG_CUT_RESULT, 38, "cut_result")                                                        \
    X(MSG_FOUND, 39, "found")

enum msg_kind {
#define X(symbol, number, name) symbol = number,
    MSG_KINDS(X)
#undef X
};

/* Answers that are not votes change nothing at the participant. */
enum answer {
    ANSWER_RECORD = 1,   /* `state` and what belongs to it is what I durably hold */
    ANSWER_CONFLICT = 2, /* I hold another digest for this id */
    ANSWER_BUSY = 3,     /* not now, for `reason`; nothing promised */
    ANSWER_STORE_REPLACED =
        4,              /* the list names a store that is not mine, or differs from my record's */
    ANSWER_TOO_OLD = 5, /* the id is below oldest_id and I hold nothing (R10) */
};

enum cut_status {
    CUT_REPORTED = 1,
    CUT_TOO_LATE = 2, /* my clock is past the cut already: choose one after `timestamp` */
    CUT_AHEAD = 3,    /* the cut is more than 60 s ahead of my wall clock */
    CUT_BUSY = 4,     /* CUTS_MAX cuts are in progress */
};

/* An unresolved transaction as a participant names it (R8, R15): a hint whom to ask, no evidence.
 */
struct named_txn {
    struct id id;
    struct digest digest;
    enum protocol protocol;
    const struct party *parties;
    uint16_t party_count;
};

/* A transaction a cut could not wait for: prepared at or before it, undecided, not in the totals.
 */
struct cut_doubt {
    struct id id;
    struct digest digest; /* another content of the id has its own outcome */
    const struct net *nets;
    uint16_t net_count;
};

struct msg {
    enum msg_kind kind;
    uint32_t peer;    /* the connection it came from or goes to */
    uint64_t depends; /* R1: leaves when the log is durable up to here; 0: at once */
    uint16_t group;
    struct tag tag; /* an answer repeats its request's tag, id and digest */
    struct id id;
    struct digest digest;
    union {
        struct {
            struct guid guid; /* of the election node */
        } seal;               /* and SEALED, which adds nothing */
        struct {
            enum protocol protocol;
            const struct party *parties; /* in the order of the digest */
            uint16_t party_count;
            struct blob branch;
        } prepare;
        struct {
            struct blob branch;
        } check;
        struct {
            uint64_t timestamp; /* the largest prepare timestamp */
        } commit;
        struct {
            enum reason reason; /* what to record */
        } abort;                /* and ABORT_IF_MINE */
        struct {
            uint64_t watermark;         /* tag.epoch's sequences up to here are over ... */
            const uint64_t *exceptions; /* ... but for these, ascending */
            uint16_t exception_count;
        } end;
        struct {
            uint32_t cursor; /* 0 first, then the last page's `next` */
            uint32_t count;  /* transactions of the pages so far, and their hash */
            uint64_t hash;
        } report;
        struct {
            uint64_t number;    /* the coordinator's name for the cut; an answer repeats it */
            uint64_t timestamp; /* T */
            uint32_t wait_ms;   /* how long to wait for what is undecided at or before T */
        } cut;
        struct {
            enum msg_kind to; /* the kind it answers */
            enum answer answer;
            enum txn_state state;
            enum reason reason;     /* ABORTED, BUSY */
            struct tag first;       /* PREPARED: who prepared it first */
            uint64_t timestamp;     /* PREPARED: the vote's; COMMITTED: the commit's */
            const struct net *nets; /* PREPARED */
            uint16_t net_count;
        } record;
        struct {
            bool holds;
            enum reason reason;
        } checked;
        struct {
            enum msg_kind to;
            uint64_t sealed_epoch;
            struct guid sealed_guid;
        } stale;
        struct {
            uint32_t next; /* cursor of the next page; 0: this was the last */
            uint32_t count;
            uint64_t hash; /* report_hash over all pages up to and with this one */
            const struct named_txn *named;
            uint16_t named_count;
        } report_page; /* and ORPHAN: `named` only */
        struct {
            uint64_t number;
            uint64_t timestamp; /* T, or with TOO_LATE and AHEAD the participant's clock */
            enum cut_status status;
            const struct net *totals; /* posted as of T, per currency */
            uint16_t total_count;
            const struct cut_doubt *doubts;
            uint16_t doubt_count;
            bool more_doubts; /* there were more than CUT_DOUBTS_MAX */
        } cut_result;
        struct {
            enum txn_state state; /* and the header's digest is the record's */
            enum reason reason;
            uint64_t timestamp;
            const struct party *parties; /* when PREPARED */
            uint16_t party_count;
            enum protocol protocol;
        } found;
    };
};

const char *msg_kind_name(enum msg_kind kind);

/** Extend a report's hash by one named transaction; order matters, 0 to start. */
uint64_t report_hash(uint64_t hash, const struct id *id, const struct digest *digest);

#endif
