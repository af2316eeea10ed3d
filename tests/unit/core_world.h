/*
 * Both machines of the core joined by a perfect network, for unit tests.
 *
 * One coordinator and a few participants whose resource is a toy: a branch's bytes are one struct
 * net per currency, taken as they are, unless the test set a reason to refuse. Messages travel in
 * rounds; a test may cut links, lose a round, or look at everything. The real scheduler of faults
 * is the simulator's.
 */
#ifndef SETTLE_TESTS_CORE_WORLD_H
#define SETTLE_TESTS_CORE_WORLD_H

#include "core/coord.h"
#include "core/part.h"

#define WORLD_PARTS  3
#define WORLD_STEPS  32
#define WORLD_STORED 64
#define WORLD_SEEN   64

struct world_part {
    struct party self;
    struct part *part;
    struct batch batch;
    uint32_t peer; /* PEER_NONE: cut off */
    enum reason refuse, check;
    uint32_t holds, posted, voided;
    int64_t posted_net; /* of all currencies, for tests that use one */
    struct outcome stored[WORLD_STORED];
    uint32_t stored_count;
};

struct world {
    struct coord *coord;
    struct batch batch;
    struct world_part parts[WORLD_PARTS];
    uint64_t now_ms, wall_ms;
    uint32_t next_peer;
    struct reply replies[WORLD_SEEN]; /* all given so far; arrays are not kept */
    struct audit_line line;           /* the first of the last audit */
    uint32_t reply_count;
    uint32_t told_count;
    uint32_t step_down_count;
    uint32_t sent[64]; /* per message kind, to participants */
    bool lose;         /* what the participants say is lost */
};

/** A world whose coordinator knows, and is connected to, all participants; it leads nothing. */
void world_open(struct world *world);
void world_close(struct world *world);

struct event world_event(const struct world *world, enum event_kind kind);

/** Step the coordinator, then let messages travel until none is left. */
void world_step(struct world *world, const struct event *ev);

/** Move the clocks on by up to `ms`, ticking whoever asks for it, a few times per retry. */
void world_run(struct world *world, uint64_t ms);

void world_lead(struct world *world, uint64_t epoch);
void world_unlead(struct world *world);
void world_link_down(struct world *world, int part);
void world_link_up(struct world *world, int part);

/** Submit a transfer of `amount` EUR from participant 0 to 1; `content` makes the digest. */
void world_submit(struct world *world, const struct id *id, uint8_t content, int64_t amount,
                  uint32_t deadline_ms);

struct id world_id(uint8_t number);

#endif
