/* The coordinator's transition table: one row for every state and event; see coord_test.c. */
#ifndef SETTLE_TESTS_COORD_TABLE_H
#define SETTLE_TESTS_COORD_TABLE_H

#include "coord_bench.h"

/* Before, and after: where the bench's transaction, with voters a and b, stands. */
enum state {
    NOT_LED,
    UNKNOWN_ID, /* led, and nothing is followed */
    GATHERING,  /* b is not connected */
    READING,    /* c was asked to check */
    PREPARING,  /* a and b were asked for their votes */
    QUERYING,   /* a named it; a client waits for it */
    ABORTING,   /* the deadline has passed */
    COMMITTED,  /* nobody acknowledged yet */
    ABORTED,    /* a said NO; b did not acknowledge yet */
    STATES
};

/*
 * "Says" is the answer of a, in ABORTED of b, to what the phase asks; to Prepare, where it asks
 * nothing.
 */
#define EVENTS(X)                                                             \
    X(SUBMIT)         /* the same content again */                            \
    X(SUBMIT_OTHER)   /* other content under the id */                        \
    X(OUTCOME)        /* the id's outcome is asked for */                     \
    X(RETRY)          /* the pause is over */                                 \
    X(DEADLINE)       /* the first Submit's */                                \
    X(PATIENCE)       /* nobody waits any longer */                           \
    X(YES)            /* a says PREPARED; b has said nothing */               \
    X(YES_LAST)       /* b said PREPARED, now a does */                       \
    X(YES_TWICE)      /* a says PREPARED twice */                             \
    X(YES_UNBALANCED) /* as YES_LAST, but the nets do not sum to zero */      \
    X(YES_AHEAD)      /* PREPARED at a time more than 60 s ahead */           \
    X(YES_BY_OTHER)   /* PREPARED by an earlier leader, said to Prepare */    \
    X(YES_LATE)       /* both say PREPARED to a Prepare of this tag */        \
    X(SAYS_NONE)                                                              \
    X(SAYS_COMMITTED)                                                         \
    X(BOTH_COMMITTED) /* the other said COMMITTED, now this one does */       \
    X(SAYS_ABORTED)                                                           \
    X(SAYS_CONFLICT)                                                          \
    X(SAYS_BUSY)                                                              \
    X(SAYS_TOO_OLD)                                                           \
    X(SAYS_REPLACED) /* STORE_REPLACED */                                     \
    X(OLD_EPOCH)     /* COMMITTED, under an earlier epoch's tag */            \
    X(OLD_SEQUENCE)  /* COMMITTED, under another sequence */                  \
    X(UNLISTED)      /* COMMITTED, from c, which is not listed */             \
    X(CHECK_HOLDS)   /* c's read-only branch */                               \
    X(CHECK_FAILS)                                                            \
    X(SEALED_AGAIN)                                                           \
    X(STALE_LOWER)  /* refused: a has not sealed on this connection */        \
    X(STALE_HIGHER) /* refused: a has sealed a later leader */                \
    X(STALE_SAME)   /* refused: a has sealed us, but on another connection */ \
    X(STALE_GUID)   /* refused: a has sealed our epoch for another */         \
    X(STALE_LATE)   /* refused, of an earlier epoch of ours */                \
    X(LINK_LOST)    /* b's */                                                 \
    X(LINK_BACK)    /* b's was lost, came again and sealed */                 \
    X(REPORT_NAMES) /* a came again, and its report names it */               \
    X(ORPHAN_NAMES)                                                           \
    X(FOUND)      /* an answer nobody asked for */                            \
    X(CUT_RESULT) /* likewise */                                              \
    X(CONFUSED)   /* a coordinator's kind */                                  \
    X(SUSPEND)                                                                \
    X(RESUME) /* after a suspension */                                        \
    X(UNLEAD)                                                                 \
    X(LEAD_AGAIN) /* said twice */                                            \
    X(LEAD_HIGHER)                                                            \
    X(LEAD_LOWER)                                                             \
    X(MEMBER) /* registered already */                                        \
    X(AUDIT)

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
    const char *sent, *reply; /* as coord_bench.h has them */
};

extern const struct row coord_table[];
extern const size_t coord_table_count;

#endif
