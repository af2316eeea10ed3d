/*
 * Events: all that ever happens to a core.
 *
 * Borrowed for the step. Every event carries the caller's clocks; they trigger, and decide nothing
 * (I12). An event that names a transaction the core does not hold comes with what the permanent
 * store knows of the id (`stored`), because the core asks nobody in mid-step.
 */
#ifndef SETTLE_CORE_EVENT_H
#define SETTLE_CORE_EVENT_H

#include "core/batch.h"

enum event_kind {
    /* both */
    EV_MSG = 1,
    EV_TICK,
    EV_LINK_DOWN, /* link.peer is gone */
    /* participant */
    EV_RESERVED,   /* the answer to ACT_RESERVE */
    EV_CHECKED,    /* the answer to ACT_CHECK */
    EV_CUT_TOTALS, /* the answer to ACT_CUT_TOTALS */
    EV_ADMIT,      /* admit.reason: NONE takes new work, anything else refuses it with that */
    EV_OLDEST,     /* oldest.id: absent ids below it are refused (R10); never falls */
    /* coordinator */
    EV_LINK_UP, /* a participant said Hello on link.peer */
    EV_MEMBER,  /* the registry lists link.party */
    EV_LEAD,    /* the group is ours: lead.epoch, lead.guid */
    EV_SUSPEND, /* start nothing new in lead.group */
    EV_RESUME,  /* still ours */
    EV_UNLEAD,  /* lost: forget everything of it */
    EV_SUBMIT,
    EV_OUTCOME, /* the outcome of an id is asked for */
    EV_AUDIT,   /* conservation over all participants at a consistent cut */
};

/* One participant's part in a Submit. */
struct submit_branch {
    struct node_name node;
    struct blob branch;
    bool read_only;
};

struct event {
    enum event_kind kind;
    uint64_t now_ms;  /* monotonic */
    uint64_t wall_ms; /* since 1970 */
    union {
        struct {
            const struct msg *msg;
            const struct outcome *stored; /* participant: NULL if the store has none */
        } msg;
        struct {
            uint32_t peer;
            struct party party; /* node and store as Hello or the registry name them */
        } link;
        struct {
            uint32_t slot;
            uint32_t hold;
            enum reason reason; /* NONE: reserved; BUSY, LIMIT: not a vote; else NO */
            struct net nets[NETS_MAX];
            uint16_t net_count;
            struct blob branch; /* as ACT_RESERVE gave it */
        } reserved;
        struct {
            uint32_t slot;
            enum reason reason; /* NONE: holds */
        } checked;
        struct {
            uint32_t slot;
            const struct net *totals;
            uint16_t total_count;
        } cut_totals;
        struct {
            enum reason reason;
        } admit;
        struct {
            struct id id;
        } oldest;
        struct {
            uint16_t group;
            uint64_t epoch;
            struct guid guid;
        } lead;
        struct {
            struct waiter waiter;
            struct id id;
            struct digest digest;
            enum protocol protocol;
            uint32_t deadline_ms; /* from now; limits a first attempt's work and the wait */
            const struct submit_branch *branches; /* voters in the digest's order, then readers */
            uint16_t branch_count;
            const struct outcome *told; /* what this node told before, NULL if nothing */
        } submit;
        struct {
            struct waiter waiter;
            struct id id;
            uint32_t deadline_ms;
            const struct outcome *told;
        } outcome;
        struct {
            struct waiter waiter;
            uint32_t deadline_ms;
        } audit;
    };
};

#endif
