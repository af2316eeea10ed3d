/* The participant's transition table: one row for every state and event; see part_test.c. */
#ifndef SETTLE_TESTS_PART_TABLE_H
#define SETTLE_TESTS_PART_TABLE_H

#include "part_bench.h"

/* What a holds for the id, with list a, b, prepared under (7, 1). */
enum state {
    UNSEALED, /* nothing, and nobody has sealed */
    NOTHING,  /* sealed in epoch 7 on peer 1, as are those below */
    PREPARED,
    COMMITTED, /* and not ended */
    ABORTED,   /* and not ended */
    ENDED_COMMITTED,
    ENDED_ABORTED,
    STATES
};

#define EVENTS(X)                                                    \
    X(SEAL_AGAIN)                                                    \
    X(SEAL_HIGHER)                                                   \
    X(SEAL_LOWER)                                                    \
    X(SEAL_OTHER_GUID)                                               \
    X(PREPARE)          /* (7, 1): where it is held, a repeat */     \
    X(PREPARE_LATER)    /* (7, 2) */                                 \
    X(PREPARE_NO)       /* the resource refuses: FUNDS */            \
    X(PREPARE_BUSY)     /* the resource is at a limit: not a vote */ \
    X(PREPARE_OTHER)    /* another digest */                         \
    X(PREPARE_STORES)   /* the list names another store of b */      \
    X(PREPARE_UNLISTED) /* the list names another store of a */      \
    X(PREPARE_ALONE)    /* R13; the nets sum to zero */              \
    X(PREPARE_ALONE_UNBALANCED)                                      \
    X(PREPARE_3PC)                                                   \
    X(PREPARE_OLD)      /* the id is below oldest_id (R10) */        \
    X(PREPARE_DRAINING) /* no new work is admitted */                \
    X(CHECK)                                                         \
    X(CHECK_FAILS)                                                   \
    X(COMMIT)                                                        \
    X(COMMIT_OTHER) /* another digest */                             \
    X(ABORT)                                                         \
    X(ABORT_OTHER)     /* another digest */                          \
    X(ABORT_OLD)       /* the id is below oldest_id */               \
    X(ABORT_IF_MINE)   /* (7, 1) */                                  \
    X(ABORT_IF_OTHERS) /* (7, 2), which prepared nothing */          \
    X(QUERY)                                                         \
    X(QUERY_OTHER) /* another digest */                              \
    X(FIND)                                                          \
    X(END)        /* up to (7, 9) */                                 \
    X(END_EXCEPT) /* up to (7, 9), but for 1 and 2 */                \
    X(END_BELOW)  /* up to (7, 0) */                                 \
    X(REPORT)                                                        \
    X(CUT)         /* one second ahead */                            \
    X(CUT_BEHIND)  /* of long ago */                                 \
    X(CUT_BEYOND)  /* more than 60 s ahead */                        \
    X(STALE_EPOCH) /* a Commit of epoch 6 */                         \
    X(STALE_PEER)  /* a Commit on a connection that did not seal */  \
    X(CONFUSED)    /* a participant's kind */                        \
    X(OTHER_GROUP) /* of a group the cluster does not have */        \
    X(TICK)        /* it was PREPARED for long (R15) */              \
    X(LINK_DOWN)                                                     \
    X(ADMIT)                                                         \
    X(OLDEST)

enum stimulus {
#define X(name) name,
    EVENTS(X)
#undef X
        STIMULI
};

struct row {
    enum state from;
    enum stimulus event;
    enum state to;
    const char *done, *said; /* as part_bench.h has them */
};

extern const struct row part_table[];
extern const size_t part_table_count;

#endif
