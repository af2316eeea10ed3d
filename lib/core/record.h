/*
 * Records: what a participant's core forces before it speaks.
 *
 * The journal is a sequence of these (and of the ledger's account records, which the core never
 * sees), numbered by position from 1. Replaying them in order through part_replay() makes the state
 * they were written in. proto/record.proto is the disk's form.
 */
#ifndef SETTLE_CORE_RECORD_H
#define SETTLE_CORE_RECORD_H

#include "core/types.h"

enum record_kind {
    RECORD_SEAL = 1,     /* group, tag.epoch, guid */
    RECORD_CLOCK = 2,    /* timestamp: a cut's */
    RECORD_PREPARED = 3, /* tag (first), parties, nets, timestamp, branch */
    RECORD_COMMITTED =
        4, /* tag (last), timestamp; with branch, parties and nets when one-phase (R13) */
    RECORD_ABORTED = 5, /* tag (last), reason */
    RECORD_END = 6,     /* group, tag.epoch, watermark, exceptions */
    /*
     * An unresolved transaction written again, whole: at a checkpoint, or when its tag moved after
     * it was decided (R9). `state` and all that belongs to it; PREPARED with its branch. Applied
     * over what it repeats, it changes no more than the tag; its effects on accounts were applied
     * before.
     */
    RECORD_CARRIED = 7,
    /* The ledger's: `branch` has an account's encoded attributes. The core never sees it. */
    RECORD_ACCOUNT = 16,
};

struct record {
    enum record_kind kind;
    uint64_t position; /* 1, 2, ... */
    uint16_t group;
    struct tag tag;
    struct tag first; /* CARRIED: who prepared it first */
    struct id id;
    struct digest digest;
    enum protocol protocol;
    enum txn_state state; /* CARRIED */
    enum reason reason;
    uint64_t timestamp;         /* of the commit, of the clock; PREPARED: of the vote */
    uint64_t prepare_timestamp; /* CARRIED */
    struct guid guid;
    const struct party *parties;
    uint16_t party_count;
    const struct net *nets;
    uint16_t net_count;
    struct blob branch;
    uint64_t watermark;
    const uint64_t *exceptions;
    uint16_t exception_count;
};

/* What stays of a transaction for ever (R10): the row of the outcome index. */
struct outcome {
    struct id id;
    struct digest digest;
    enum txn_state state; /* COMMITTED or ABORTED */
    enum reason reason;
    uint64_t timestamp; /* COMMITTED: of the commit */
};

#endif
