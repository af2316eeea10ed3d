/*
 * What processes say to each other, as values: the one door between bytes and structs.
 *
 * An envelope is one message of any kind: of the commit protocol (struct msg of core), of clients,
 * of operators, or the Hello that opens a connection. wire_encode() makes a frame of it,
 * wire_decode() makes it of a frame's payload. Decoding trusts nothing: every field is checked for
 * presence, size, range and character set, every list against its maximum in base/limits.h, and
 * memory comes from a bounded arena; an error says which field of which message and what is wrong
 * with it. What a user may get wrong in a Submit is not an error of the peer: submit_check() and
 * branch_decode() say it as a reason.
 *
 * proto/README.md is the contract; wire knows nothing of connections.
 */
#ifndef SETTLE_WIRE_WIRE_H
#define SETTLE_WIRE_WIRE_H

#include "base/err.h"
#include "base/ledger_types.h"
#include "core/coord.h"
#include "core/event.h"
#include "core/msg.h"
#include "wire/arena.h"
#include "wire/frame.h"

#define ADDRESS_SIZE (ADDRESS_LENGTH_MAX + 1)
#define TEXT_SIZE    (TEXT_LENGTH_MAX + 1)

/* An empty arena of this size decodes every frame that keeps its maxima, and encodes any envelope.
 */
#define WIRE_ARENA_SIZE (4u * 1024 * 1024)

/* A frame with its header: the largest thing wire_encode() writes. */
#define WIRE_FRAME_MAX (FRAME_HEADER_SIZE + FRAME_SIZE_MAX)

enum wire_kind {
    WIRE_MSG = 1,      /* of the commit protocol: msg.kind says which */
    WIRE_HELLO = 64,   /* first from who dialled */
    WIRE_WELCOME = 65, /* the answer, the same fields */
    WIRE_REFUSED = 66, /* the other answer; the connection closes after it */
    WIRE_SUBMIT = 72,
    WIRE_SUBMIT_RESULT = 73, /* to SUBMIT and to OUTCOME_REQUEST */
    WIRE_OUTCOME_REQUEST = 74,
    WIRE_ADMIN_REQUEST = 80,
    WIRE_ADMIN_RESPONSE = 81,
};

enum hello_role {
    HELLO_COORDINATOR = 1,
    HELLO_PARTICIPANT = 2,
    HELLO_CLIENT = 3,
};

struct hello {
    uint32_t version;         /* when it is not PROTOCOL_VERSION, nothing else is set */
    struct node_name cluster; /* empty: a client that does not know it yet */
    struct guid cluster_guid; /* zero: not bound to one yet */
    struct node_name node;
    enum hello_role role;
    struct guid store; /* zero but for participants */
    uint64_t incarnation;
    uint16_t groups;     /* 0: not known yet */
    struct guid process; /* random for each run of a process */
};

enum refused_code {
    REFUSED_VERSION = 1,
    REFUSED_CLUSTER = 2,
    REFUSED_GROUPS = 3,
    REFUSED_NODE = 4,      /* not the node that was dialled */
    REFUSED_ROLE = 5,      /* nobody of this role is served here */
    REFUSED_BUSY = 6,      /* connections are at their maximum */
    REFUSED_NOT_READY = 7, /* starting or shutting down */
};

struct refused {
    enum refused_code code;
    char text[TEXT_SIZE]; /* a sentence for people */
};

struct submit {
    struct id id;
    enum protocol protocol; /* 0 when this release does not know it: submit_check() refuses it */
    uint32_t deadline_ms;   /* from receipt */
    const struct submit_branch *branches; /* voters by name, then readers by name */
    uint16_t branch_count;
};

struct redirect {
    uint16_t group;
    struct node_name node;      /* empty: no leader is known */
    char address[ADDRESS_SIZE]; /* "" likewise */
    uint64_t epoch;
};

/* Numbers as on the wire; the same as core's enum reply_kind. */
enum submit_outcome {
    OUTCOME_COMMITTED = 1,
    OUTCOME_ABORTED = 2,
    OUTCOME_UNKNOWN = 3, /* ask again by id, or submit the same again */
    OUTCOME_REFUSED = 4, /* this attempt started nothing; of earlier ones it says nothing */
};

struct submit_result {
    struct id id;
    enum submit_outcome outcome;
    enum reason reason;
    uint64_t timestamp;           /* COMMITTED: of the commit */
    struct node_name participant; /* whom the reason is about; empty: nobody */
    bool has_redirect;            /* REFUSED, NOT_LEADER */
    struct redirect redirect;
};

struct outcome_request {
    struct id id;
    uint32_t deadline_ms; /* from receipt */
};

/* ---- admin: requests ---- */

enum admin_op {
    /* for a participant */
    ADMIN_ACCOUNT_CREATE = 16,
    ADMIN_ACCOUNT_SET = 17,
    ADMIN_ACCOUNT_CLOSE = 18,
    ADMIN_ACCOUNT_SHOW = 19,
    ADMIN_ACCOUNT_LIST = 20,
    ADMIN_STATEMENT = 21,
    ADMIN_PARTICIPANT_STATUS = 22,
    /* for a participant when one is named, else for the coordinator */
    ADMIN_TXN_LIST = 32,
    ADMIN_TXN_SHOW = 33,
    /* for the coordinator */
    ADMIN_STATUS = 48,
    ADMIN_CLUSTER = 49,
    ADMIN_AUDIT = 50,
};

/* At a coordinator the life of core's `phase`, at a participant that of its record. */
#define TXN_STAGES(X)                                            \
    X(TXN_READING, 1, "READING")                                 \
    X(TXN_PREPARING, 2, "PREPARING")                             \
    X(TXN_QUERYING, 3, "QUERYING")                               \
    X(TXN_ABORTING, 4, "ABORTING")                               \
    X(TXN_COMMITTED, 5, "COMMITTED")                             \
    X(TXN_ABORTED, 6, "ABORTED")                                 \
    X(TXN_PREPARED, 7, "PREPARED")   /* participant: in doubt */ \
    X(TXN_GATHERING, 8, "GATHERING") /* nothing was sent yet */

enum txn_stage {
#define X(symbol, number, name) symbol = number,
    TXN_STAGES(X)
#undef X
};

struct account_key {
    struct account_name account;
    struct currency currency; /* empty: every currency (show), the only one (else) */
};

struct admin_request {
    struct node_name participant; /* empty: the coordinator itself */
    enum admin_op op;
    union {
        struct {
            struct account_name account;
            struct currency currency;
            bool system;
            bool has_floor; /* false: none */
            int64_t floor;
        } account_create;
        struct {
            struct account_key key;
            bool has_status; /* false: as it is */
            enum account_status status;
            bool has_floor; /* false and not floor_none: as it is */
            bool floor_none;
            int64_t floor;
        } account_set;
        struct account_key account; /* CLOSE, SHOW */
        struct {
            uint64_t cursor; /* 0, then the last page's `next` */
            uint16_t max;    /* 1 to ACCOUNT_PAGE_MAX */
        } account_list;
        struct {
            struct account_key key;
            struct entry_ref before; /* position 0: from the newest; else the last page's `next` */
            uint16_t max;            /* 1 to STATEMENT_PAGE_MAX */
        } statement;
        struct {
            uint64_t cursor;
            uint16_t max; /* 1 to TXN_PAGE_MAX */
            bool has_stage;
            enum txn_stage stage;
            uint64_t older_than_ms;
        } txn_list;
        struct {
            struct id id;
        } txn_show;
        struct {
            uint32_t deadline_ms;
        } audit;
    };
};

/* ---- admin: responses ---- */

enum admin_code {
    ADMIN_OK = 1,
    ADMIN_REFUSED = 2,     /* for `reason`; nothing was changed */
    ADMIN_UNAVAILABLE = 3, /* not now or not here; nothing was changed */
    ADMIN_UNKNOWN = 4,     /* asked, and no answer: it may have been done */
    ADMIN_FAILED = 5,      /* an error inside */
};

/* What a response carries; 0 beside errors and where there is nothing to say. */
enum admin_body {
    ADMIN_BODY_NONE = 0,
    ADMIN_BODY_ACCOUNTS = 16, /* to account create, set, close, show and list */
    ADMIN_BODY_STATEMENT = 21,
    ADMIN_BODY_PARTICIPANT_STATUS = 22,
    ADMIN_BODY_TXNS = 32,
    ADMIN_BODY_TXN = 33,
    ADMIN_BODY_STATUS = 48,
    ADMIN_BODY_CLUSTER = 49,
    ADMIN_BODY_AUDIT = 50,
};

struct account_info {
    struct account_row row;
    bool has_available; /* false: no floor limits what may be debited */
    int64_t available;
};

struct participant_status {
    struct node_name node;
    struct guid store;
    uint64_t incarnation;
    uint64_t uptime_ms;
    uint64_t prepared, unresolved, accounts; /* now */
    uint64_t committed, aborted, ended;      /* since the start, as all that follow */
    uint64_t repeats, conflicts, busy;
    uint64_t stale_refused, orphans_named, contradictions;
    uint64_t lmdb_commits;
    uint64_t journal_position, durable_position, checkpoint_position;
    enum reason admit; /* why new work is refused; NONE: it is taken */
    uint64_t clock;
};

struct led_group {
    uint16_t group;
    uint64_t epoch;
};

enum coordinator_role {
    COORDINATOR_LEADER = 1, /* leads at least one group */
    COORDINATOR_STANDBY = 2,
    COORDINATOR_SUSPENDED = 3,
};

struct coordinator_info {
    struct node_name node;
    char address[ADDRESS_SIZE]; /* "": not known */
    bool live;
    enum coordinator_role role;
    const struct led_group *groups;
    uint16_t group_count;
};

struct participant_info {
    struct node_name node;
    struct guid store; /* zero: not known */
    uint64_t incarnation;
    bool up; /* connected */
    char address[ADDRESS_SIZE];
};

struct coordinator_status {
    struct node_name node; /* whose view this is */
    struct node_name cluster;
    uint64_t uptime_ms;
    const struct coordinator_info *coordinators;
    uint16_t coordinator_count;
    const struct participant_info *participants;
    uint16_t participant_count;
    uint64_t in_flight, following, in_doubt; /* now */
    uint64_t submitted, committed, aborted, refused;
    uint64_t resubmitted, recovered, unknown, retries;
    uint64_t stale_answers, stale_refused, ended, contradictions;
    uint64_t lmdb_commits;
};

struct cluster_info {
    struct node_name name;
    struct guid guid;
    uint16_t groups; /* 0: not known yet */
    uint64_t epoch_base;
    struct id oldest_id;
    const struct coordinator_info *coordinators;
    uint16_t coordinator_count;
    const struct participant_info *participants;
    uint16_t participant_count;
};

/* What a party of a transaction is known to have answered. */
#define TXN_VOTES(X)                                                 \
    X(VOTE_NONE, 1, "NONE") /* nothing heard yet */                  \
    X(VOTE_YES, 2, "YES")                                            \
    X(VOTE_NO, 3, "NO")                                              \
    X(VOTE_NOTHING, 4, "NOTHING") /* asked, sealed, holds nothing */ \
    X(VOTE_COMMITTED, 5, "COMMITTED")                                \
    X(VOTE_ABORTED, 6, "ABORTED")                                    \
    X(VOTE_CONFLICT, 7, "CONFLICT")                                  \
    X(VOTE_TOO_OLD, 8, "TOO_OLD") /* holds nothing, and never will */

enum txn_vote {
#define X(symbol, number, name) symbol = number,
    TXN_VOTES(X)
#undef X
};

#define TXN_PARTIES_MAX (PARTICIPANTS_MAX + READERS_MAX)

struct txn_party {
    struct node_name node;
    struct guid store; /* zero: not known */
    enum txn_vote vote;
    bool waiting; /* the transaction waits for it */
    enum reason reason;
};

struct txn_info {
    struct id id;
    struct digest digest;
    enum txn_stage stage;
    enum protocol protocol;
    uint16_t group;
    struct tag tag;
    uint64_t age_ms;
    bool has_deadline;
    uint64_t deadline_in_ms; /* 0: over */
    enum reason reason;
    uint64_t timestamp; /* COMMITTED: of the commit; PREPARED: of the vote */
    const struct txn_party *parties;
    uint16_t party_count;
    const struct net *value; /* what is moved, per currency */
    uint16_t value_count;
    char error[TEXT_SIZE]; /* the last, for people */
};

struct admin_response {
    enum admin_code code;
    enum reason reason;
    char text[TEXT_SIZE]; /* for people */
    bool has_redirect;
    struct redirect redirect;
    enum admin_body body;
    union {
        struct {
            const struct account_info *list;
            uint16_t count;
            uint64_t next; /* 0: the last page */
        } accounts;
        struct {
            struct account_info account;
            const struct entry *entries; /* newest first */
            uint16_t entry_count;
            struct entry_ref next; /* position 0: the last page */
        } statement;
        struct participant_status participant_status;
        struct {
            const struct txn_info *list;
            uint16_t count;
            uint64_t next;
        } txns;
        struct {
            struct txn_info info;
            struct blob branch;           /* at a participant: of branch_encode() */
            struct node_name coordinator; /* at a participant: the sealed leader, if known */
        } txn;
        struct coordinator_status status;
        struct cluster_info cluster;
        struct {
            uint64_t timestamp; /* of the cut */
            const struct audit_line *lines;
            uint16_t line_count;
            const struct node_name *missing; /* participants that could not be read */
            uint16_t missing_count;
            uint32_t doubt_count;
        } audit;
    };
};

struct envelope {
    enum wire_kind kind;
    uint64_t
        request; /* SUBMIT to ADMIN_RESPONSE: the asker's number, > 0, repeated in the answer */
    union {
        struct msg msg;
        struct hello hello; /* and WELCOME */
        struct refused refused;
        struct submit submit;
        struct submit_result submit_result;
        struct outcome_request outcome_request;
        struct admin_request admin_request;
        struct admin_response admin_response;
    };
};

/* ---- envelopes ---- */

/**
 * Read one frame's payload.
 *
 * @arena         holds the envelope's arrays and blobs until it is reset or rewound; as it was on
 *                failure
 * @ret_envelope  set on success only; msg.peer and msg.depends are 0
 * @return        0; ERR_PROTOCOL: close the connection; ERR_FULL: the arena is used up: end the
 *                turn, reset it and decode again, and when it was empty, as ERR_PROTOCOL
 */
int wire_decode(struct arena *arena, const uint8_t *payload, size_t size,
                struct envelope *ret_envelope, struct err *err);

/**
 * Write the envelope as a whole frame, header included.
 *
 * A value that the decoder would refuse is the programmer's error.
 *
 * @scratch  built in and given back; an empty one of WIRE_ARENA_SIZE serves everything
 * @return   bytes written; ERR_FULL when `out` or `scratch` is too small (WIRE_FRAME_MAX never is),
 *           or the frame would pass FRAME_SIZE_MAX
 */
int wire_encode(struct arena *scratch, const struct envelope *envelope, uint8_t *out, size_t size);

/**
 * True iff a process of role `from` may send this to one of role `to`; whoever gets anything else
 * closes the connection. What was let through after Hello and Welcome is one of few kinds: nothing
 * but MSG and ADMIN_* between coordinator and participant.
 */
bool wire_may_send(enum hello_role from, enum hello_role to, const struct envelope *envelope);

/** The kind's name, that of the message for WIRE_MSG: for logs. */
const char *wire_kind_name(const struct envelope *envelope);

/**
 * True iff the response has the body that this request is answered with: when it is OK that one (or
 * none, to TXN_SHOW of what is not followed there), else none. Who asked checks it before looking.
 */
bool admin_answers(enum admin_op op, const struct admin_response *response);

/* ---- Hello ---- */

/**
 * Whether two processes may talk: versions are the same, cluster, its guid and groups where both
 * know them.
 *
 * @return  0, or ERR_REFUSED with a sentence in `ret_refused` that names both sides' values
 */
int hello_check(const struct hello *own, const struct hello *peer, struct refused *ret_refused);

/* ---- Submit ---- */

/** Digest of a Submit: proto/README.md, "Digest". Branch bytes are hashed as they came. */
struct digest submit_digest(const struct submit *submit);

/**
 * What is wrong with a Submit by itself: its id, protocol, deadline, the number, order and
 * doubles of its branches. NONE when nothing is.
 *
 * @err  a sentence that names it; may be NULL
 */
enum reason submit_check(const struct submit *submit, struct err *err);

/* ---- the ledger's Branch ---- */

/** Bytes branch_encode() may need. */
#define BRANCH_ENCODED_MAX BRANCH_SIZE_MAX

/** Write a branch. Returns its size, or ERR_FULL when `out` is too small. */
int branch_encode(struct arena *scratch, const struct branch *branch, uint8_t *out, size_t size);

/**
 * Read a branch.
 *
 * @scratch     built in and given back; nothing in `ret_branch` points into it
 * @ret_branch  undefined on failure
 * @return      NONE, or why: MALFORMED (not the encoding of a Branch, postings and checks mixed, a
 *              bad memo), LEGS, ACCOUNT_NAME, CURRENCY_UNKNOWN (not three capitals), AMOUNT; BUSY
 *              when the scratch arena is used up
 * @err         a sentence that names the leg; may be NULL
 */
enum reason branch_decode(struct arena *scratch, const uint8_t *bytes, size_t size,
                          struct branch *ret_branch, struct err *err);

/** True iff the bytes are UTF-8 without control characters: what memos and texts consist of. */
bool utf8_printable(const char *text, size_t size);

/* ---- names and mappings ---- */

enum txn_stage txn_stage_of_phase(enum phase phase);

/** COMMITTED, ABORTED or PREPARED of a record that holds something. */
enum txn_stage txn_stage_of_state(enum txn_state state);

/** The name users see; "UNKNOWN" for no stage. */
const char *txn_stage_name(enum txn_stage stage);

/** Read a stage's name; false when there is none such. */
bool txn_stage_parse(enum txn_stage *ret_stage, const char *name);

enum txn_vote txn_vote_of_heard(enum heard heard);
const char *txn_vote_name(enum txn_vote vote);

#endif
