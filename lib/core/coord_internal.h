/*
 * What the files of the coordinator share; nobody else includes it.
 *
 * coord.c: life, the step, the table. coord_view.c: to look at. coord_group.c: leadership, links,
 * seals, pacing. coord_txn.c: the one state machine. coord_submit.c: the door and who waits behind
 * it. coord_recover.c: reports, orphans. coord_find.c: outcome by id. coord_end.c:
 * acknowledgements, End, retries. coord_audit.c: the consistent cut.
 */
#ifndef SETTLE_CORE_COORD_INTERNAL_H
#define SETTLE_CORE_COORD_INTERNAL_H

#include "base/table.h"
#include "base/timers.h"
#include "core/coord.h"
#include "core/parties.h"
#include "core/pool.h"

#define AUDIT_LINES_MAX  192 /* currencies all books together may hold */
#define AUDIT_DOUBTS_MAX 256 /* undecided transactions one audit matches */

/* Somebody who waits for a transaction's outcome until a time of now_ms. */
struct coord_waiter {
    struct waiter waiter;
    uint64_t until_ms;
};

/* One currency of the votes heard. */
struct coord_sum {
    int128 net;      /* zero when all have voted, or nothing may be committed */
    uint64_t debits; /* the votes' negative nets */
    struct currency currency;
};

/* One transaction. The diagram of its phases stands above coord_txn.c. */
struct coord_txn {
    struct id id;
    struct digest digest;
    struct tag tag;          /* ours; a new sequence for every attempt to count votes (R7) */
    uint64_t timestamp;      /* the largest prepare timestamp heard; COMMITTED: the commit's */
    uint64_t since_ms;       /* when it began here */
    uint64_t deadline_ms;    /* of the first attempt; NEVER for a recovered one */
    uint64_t retry_ms;       /* when to ask again; NEVER: whoever is missing must seal first */
    uint32_t previous, next; /* the group's open transactions by sequence; free: next only */
    uint32_t branches;       /* entries of the pool: voters, then readers */
    uint16_t group;
    uint16_t acked;     /* bit per party: it holds the outcome under our tag (R9) */
    uint16_t prepared;  /* bit per party: it voted YES, under our list of stores (R14) */
    uint16_t readers;   /* bit per read-only branch that holds (R12) */
    uint16_t concerned; /* the party the reason is about, or PARTY_NONE */
    uint16_t parties[PARTICIPANTS_MAX];
    uint8_t heard[PARTICIPANTS_MAX]; /* enum heard */
    uint8_t party_count, reader_count, waiter_count, sum_count;
    uint8_t phase;    /* enum phase */
    uint8_t reason;   /* enum reason */
    uint8_t protocol; /* enum protocol */
    uint8_t retries;  /* since the last news, for the pause's length */
    bool used;
    bool recovered;
    bool sums_overflow; /* more than NETS_MAX currencies: never balanced */
    struct coord_waiter waiters[WAITERS_MAX];
    struct coord_sum sums[NETS_MAX];
};

/* How far one member's report was read (R8). */
struct coord_report {
    uint32_t cursor, count;
    uint64_t hash;
};

/* One group. Bits of members are by their index. */
struct coord_group {
    uint64_t epoch; /* 0: not led */
    uint64_t epoch_max;
    struct guid guid;
    uint64_t sequence; /* the last given */
    bool suspended;    /* start nothing new */
    bool deposed;      /* a higher seal was met: ask nobody, wait for EV_UNLEAD */
    uint64_t sealed;   /* who promised this epoch on the connection that stands */
    uint64_t reported; /* whose report was read to its end */
    uint32_t head, tail;
    uint32_t wake;     /* next open transaction to look at after a seal; SLOT_NONE: none */
    uint64_t wake_for; /* who sealed: whom those may have waited for */
    uint64_t retry_ms; /* seals and reports */
    uint64_t end_ms;   /* the next End */
    uint8_t end_repeats;
    struct coord_report reports[MEMBERS_MAX];
};

/* A participant by name. */
struct coord_member {
    struct node_name node;
    bool registered;
    uint16_t party;  /* its registered store, or PARTY_NONE */
    uint16_t linked; /* the store behind `peer` */
    uint32_t peer;   /* PEER_NONE: not connected */
};

/* An id looked up at every connected participant. */
struct coord_lookup {
    bool used;
    struct waiter waiter;
    struct id id;
    uint16_t group;
    uint64_t serial;
    uint64_t until_ms, retry_ms;
    uint64_t asked, answered; /* bits of members */
    bool prepared, aborted;
    enum reason reason; /* of `aborted` */
    struct digest digest, aborted_digest;
    enum protocol protocol;
    uint16_t parties[PARTICIPANTS_MAX]; /* of `prepared` */
    uint16_t party_count;
};

/* A transaction some members' totals lack: what they say it would add there. */
struct audit_doubt {
    struct id id;
    struct digest digest;
    uint16_t net_count;
    struct audit_sum {
        struct currency currency;
        int128 net, positive;
    } nets[NETS_MAX];
};

/* A round asks every connected participant: for its cut first, then of one doubt after another. */
struct coord_audit {
    bool used;
    bool cutting;       /* the round is the cut's; else it looks up doubts[finding] */
    bool more;          /* a member, or we, could not keep all: the audit is incomplete */
    bool ahead;         /* T is too far ahead of a member's clock */
    bool found_aborted; /* by this look-up */
    uint8_t attempts;   /* at choosing T */
    uint16_t finding;
    uint64_t number;    /* of this attempt's cut */
    uint64_t serial;    /* of this look-up */
    uint64_t timestamp; /* T */
    uint64_t until_ms, retry_ms;
    uint64_t asked, answered; /* bits of members, in this round */
    uint64_t read;            /* whose totals are in the lines */
    struct waiter waiter;
    uint32_t in_doubt_count;
    uint16_t line_count, doubt_count;
    struct audit_line lines[AUDIT_LINES_MAX];
    struct audit_doubt doubts[AUDIT_DOUBTS_MAX];
};

struct coord {
    struct coord_options options;
    struct coord_stats stats;
    uint64_t now_ms, wall_ms;                                /* of the event in hand */
    uint32_t step_msgs, step_replies, step_told, step_bytes; /* of the batch when it began */
    struct coord_txn *txns;
    uint32_t free_head;     /* slots given back */
    uint32_t slots_touched; /* slots below were used once */
    bool waking;            /* some group's `wake` is set */
    uint32_t doomed;        /* head of the transactions of groups that were lost */
    uint64_t clock;         /* the largest timestamp heard */
    uint64_t serial;        /* of finds and audits */
    struct table index;     /* (id, digest) -> slot */
    struct timers timers;   /* transactions, then groups, finds, audits */
    struct pool pool;
    struct coord_group groups[GROUPS_MAX];
    struct coord_member members[MEMBERS_MAX];
    uint16_t member_count;
    uint8_t member_of[PARTIES_MAX]; /* index + 1 of the member connected with that store */
    struct coord_lookup finds[COORD_FINDS_MAX];
    struct coord_audit audits[COORD_AUDITS_MAX];
    struct parties parties;
};

static inline bool coord_undecided(const struct coord_txn *txn)
{
    return txn->phase != PHASE_COMMITTED && txn->phase != PHASE_ABORTED;
}

static inline uint16_t coord_all(uint8_t count)
{
    return (uint16_t)((1u << count) - 1);
}

/* coord.c: the table */
struct coord_txn *coord_txn_find(const struct coord *coord, const struct id *id,
                                 const struct digest *digest);
struct coord_txn *coord_txn_next(const struct coord *coord, const struct id *id,
                                 const struct coord_txn *after);
struct coord_txn *coord_txn_make(struct coord *coord, uint16_t group, const struct id *id,
                                 const struct digest *digest);
void coord_txn_free(struct coord *coord, struct coord_txn *txn);
bool coord_txn_live(const struct coord *coord, const struct coord_txn *txn);
uint32_t coord_txn_slot(const struct coord *coord, const struct coord_txn *txn);
void coord_txn_renumber(struct coord *coord, struct coord_txn *txn);
bool coord_has_budget(const struct coord *coord, const struct batch *batch);

bool coord_clock_is_ahead(const struct coord *coord, uint64_t timestamp);

/* coord_group.c */
struct coord_member *coord_member_find(struct coord *coord, const struct node_name *node);
uint16_t coord_member_index(const struct coord *coord, const struct coord_member *member);
uint32_t coord_peer(const struct coord *coord, uint16_t group, uint16_t party);
bool coord_group_active(const struct coord_group *group);
bool coord_is_current(const struct coord *coord, const struct msg *msg);
void coord_on_member(struct coord *coord, const struct event *ev);
void coord_on_link_up(struct coord *coord, const struct event *ev, struct batch *batch);
void coord_on_link_down(struct coord *coord, uint32_t peer, struct batch *batch);
void coord_on_lead(struct coord *coord, const struct event *ev, struct batch *batch);
void coord_on_suspend(struct coord *coord, uint16_t group);
void coord_on_resume(struct coord *coord, uint16_t group);
void coord_on_unlead(struct coord *coord, uint16_t group);
void coord_on_sealed(struct coord *coord, struct coord_member *member, const struct msg *msg,
                     struct batch *batch);
void coord_on_stale(struct coord *coord, struct coord_member *member, const struct msg *msg,
                    struct batch *batch);
void coord_group_ask(struct coord *coord, uint16_t group, struct batch *batch);
void coord_group_schedule(struct coord *coord, uint16_t group);

/* coord_submit.c */
void coord_on_submit(struct coord *coord, const struct event *ev, struct batch *batch);
void coord_wait(struct coord *coord, struct coord_txn *txn, struct waiter waiter, uint64_t until_ms,
                struct batch *batch);
void coord_tell(struct coord *coord, struct coord_txn *txn, struct batch *batch);
void coord_refuse(struct coord *coord, struct coord_txn *txn, enum reason reason,
                  struct batch *batch);
void coord_refuse_waiter(struct coord *coord, struct waiter waiter, const struct id *id,
                         enum reason reason, const struct node_name *node, struct batch *batch);
void coord_tell_unknown(struct coord *coord, struct coord_txn *txn, enum reason reason,
                        uint64_t now_ms, struct batch *batch);
void coord_reply_told(const struct outcome *told, struct waiter waiter, struct batch *batch);
bool coord_reason_is_of_attempt(enum reason reason);

/* coord_txn.c */
void coord_txn_begin(struct coord *coord, struct coord_txn *txn, struct batch *batch);
void coord_txn_query(struct coord *coord, struct coord_txn *txn);
void coord_on_checked(struct coord *coord, const struct coord_member *member, const struct msg *msg,
                      struct batch *batch);
void coord_on_record(struct coord *coord, const struct coord_member *member, const struct msg *msg,
                     struct batch *batch);
void coord_txn_deadline(struct coord *coord, struct coord_txn *txn, struct batch *batch);

/* coord_recover.c */
struct coord_txn *coord_take_over(struct coord *coord, uint16_t group,
                                  const struct named_txn *named);
void coord_on_report_page(struct coord *coord, struct coord_member *member, const struct msg *msg,
                          struct batch *batch);
void coord_on_orphan(struct coord *coord, const struct coord_member *member, const struct msg *msg);
void coord_report_ask(struct coord *coord, uint16_t group, uint16_t member, struct batch *batch);

/* coord_find.c */
void coord_on_outcome(struct coord *coord, const struct event *ev, struct batch *batch);
void coord_on_found(struct coord *coord, const struct coord_member *member, const struct msg *msg,
                    struct batch *batch);
void coord_find_tick(struct coord *coord, uint32_t index, struct batch *batch);
void coord_find_link_down(struct coord *coord, uint16_t member, struct batch *batch);

/* coord_end.c */
void coord_ask(struct coord *coord, struct coord_txn *txn, struct batch *batch);
void coord_ack(struct coord_txn *txn, uint8_t party, const struct msg *msg);
bool coord_over(struct coord *coord, struct coord_txn *txn);
void coord_txn_schedule(struct coord *coord, struct coord_txn *txn);
void coord_txn_tick(struct coord *coord, uint32_t slot, struct batch *batch);
void coord_end_soon(struct coord *coord, uint16_t group);
void coord_end_send(struct coord *coord, uint16_t group, struct batch *batch);

/* coord_audit.c */
void coord_on_audit(struct coord *coord, const struct event *ev, struct batch *batch);
void coord_on_cut_result(struct coord *coord, const struct coord_member *member,
                         const struct msg *msg, struct batch *batch);
void coord_audit_found(struct coord *coord, const struct coord_member *member,
                       const struct msg *msg, struct batch *batch);
void coord_audit_tick(struct coord *coord, uint32_t index, struct batch *batch);
void coord_audit_link_down(struct coord *coord, uint16_t member, struct batch *batch);

#endif
