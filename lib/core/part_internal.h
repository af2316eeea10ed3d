/*
 * What the files of the participant share; nobody else includes it.
 *
 * part.c: life, seals, the step. part_txn.c: a transaction's record and its transitions.
 * part_report.c: naming what is unresolved, End. part_cut.c: clock and consistent cuts.
 * part_replay.c: from the journal.
 */
#ifndef SETTLE_CORE_PART_INTERNAL_H
#define SETTLE_CORE_PART_INTERNAL_H

#include "base/table.h"
#include "core/part.h"
#include "core/parties.h"

#define CUT_TOTALS_MAX CURRENCIES_MAX

/* One unresolved transaction. The diagram of its states stands at enum txn_state. */
struct part_txn {
    struct id id;
    struct digest digest;
    struct tag first;           /* who prepared it first (R6) */
    struct tag last;            /* who touched it last (R9) */
    uint64_t prepare_timestamp; /* once given, never another (R3) */
    uint64_t commit_timestamp;
    uint64_t since_ms;       /* of PREPARED; 0 after a replay */
    uint64_t named_ms;       /* when it was last named as an orphan */
    uint32_t hold;           /* the resource's handle while PREPARED */
    uint32_t previous, next; /* decided and not ended: the group's list; free: next only */
    uint16_t group;
    uint16_t parties[PARTICIPANTS_MAX];
    uint8_t party_count;
    uint8_t net_count;
    uint8_t state;    /* enum txn_state; NONE: the slot is free, or `checking` */
    uint8_t protocol; /* enum protocol */
    uint8_t reason;   /* enum reason */
    bool used;
    bool checking; /* ACT_RESERVE is out; ends within the same turn */
    struct net nets[NETS_MAX];
};

/* The promise to one group's leader (R2), and the connection it is reached by. */
struct part_group {
    uint64_t epoch; /* 0: nobody sealed yet */
    struct guid guid;
    uint32_t peer;       /* who sealed since the last start; PEER_NONE: nobody */
    uint32_t head, tail; /* decided and not ended, oldest touch first */
};

struct part_cut {
    bool used;
    bool counted; /* the totals were taken */
    uint32_t peer;
    uint64_t number;
    uint64_t timestamp;
    uint64_t until_ms; /* report what is undecided rather than wait longer */
    uint32_t waiting;  /* PREPARED at or before `timestamp` */
    uint16_t total_count;
    struct net totals[CUT_TOTALS_MAX];
};

struct part {
    struct part_options options;
    struct part_stats stats;
    uint64_t clock; /* the last timestamp given or learned */
    struct id oldest;
    enum reason admit; /* NONE: new work is taken */
    struct part_txn *txns;
    uint32_t free_head;     /* slots given back */
    uint32_t slots_touched; /* slots below were used once */
    uint32_t orphan_cursor;
    struct msg pending; /* the request whose ACT_RESERVE or ACT_CHECK is out; arrays are not kept */
    struct table index; /* id -> slot */
    struct part_group groups[GROUPS_MAX];
    struct part_cut cuts[CUTS_MAX];
    struct parties parties;
};

/* part.c */
struct part_txn *part_txn_find(const struct part *part, const struct id *id);
struct part_txn *part_txn_make(struct part *part, const struct id *id);
void part_txn_free(struct part *part, struct part_txn *txn);
uint32_t part_txn_slot(const struct part *part, const struct part_txn *txn);

/* part_txn.c: one function a message kind; `stored` is the permanent store's, or NULL. */
bool part_touch(struct part *part, struct part_txn *txn, struct tag tag);
void part_on_prepare(struct part *part, const struct event *ev, struct batch *batch);
void part_on_reserved(struct part *part, const struct event *ev, struct batch *batch);
void part_on_check(struct part *part, const struct event *ev, struct batch *batch);
void part_on_checked(struct part *part, const struct event *ev, struct batch *batch);
void part_on_commit(struct part *part, const struct event *ev, struct batch *batch);
void part_on_abort(struct part *part, const struct event *ev, struct batch *batch);
void part_on_query(struct part *part, const struct event *ev, struct batch *batch);
void part_on_find(struct part *part, const struct event *ev, struct batch *batch);

/* part_report.c */
void part_decided_link(struct part *part, struct part_txn *txn);
void part_decided_unlink(struct part *part, struct part_txn *txn);
void part_on_report(struct part *part, const struct msg *msg, struct batch *batch);
void part_on_end(struct part *part, const struct msg *msg, struct batch *batch);
uint32_t part_end_covered(struct part *part, uint16_t group, uint64_t epoch, uint64_t watermark,
                          const uint64_t *exceptions, uint16_t exception_count);
void part_name_orphans(struct part *part, const struct event *ev, struct batch *batch);

/* part_cut.c */
uint64_t part_clock_next(struct part *part, uint64_t wall_ms);
void part_clock_raise(struct part *part, uint64_t timestamp);
void part_on_cut(struct part *part, const struct event *ev, struct batch *batch);
void part_on_cut_totals(struct part *part, const struct event *ev, struct batch *batch);
void part_cut_resolved(struct part *part, const struct part_txn *txn, struct batch *batch);
void part_cut_tick(struct part *part, const struct event *ev, struct batch *batch);
void part_cut_link_down(struct part *part, uint32_t peer);

#endif
