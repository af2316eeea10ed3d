/*
 * A coordinator on the bench: one group, participants a, b and c on peers 1, 2 and 3, and every
 * message made by hand. What it sends and replies is noted as text, to be compared with a table.
 *
 *   sent   a letter of the kind and the participant's name, in order: "PaPb" are two Prepares.
 *          S seal, P prepare, K check, C commit, A abort, I abort-if-mine, Q query, E end,
 *          R report, T cut, F find; "!" is ACT_STEP_DOWN
 *   reply  "COMMITTED", "ABORTED FUNDS", "REFUSED BUSY", "UNKNOWN ..."; a comma between several;
 *          "+t" once an outcome is told to the history
 */
#ifndef SETTLE_TESTS_COORD_BENCH_H
#define SETTLE_TESTS_COORD_BENCH_H

#include "core/coord.h"

#define BENCH_EPOCH  7
#define BENCH_TEXT   512
#define BENCH_BRANCH ((struct blob){(const uint8_t *)"branch", 6})
#define BENCH_RETRY  100
#define BENCH_GRACE  500
#define BENCH_LIMIT  5000 /* a Submit's deadline */

struct bench {
    struct coord *coord;
    struct batch batch;
    uint64_t now_ms, wall_ms;
    uint64_t request;
    struct party parties[3];
    uint32_t peers[3]; /* PEER_NONE: not connected */
    struct id id;
    struct digest digest;
    char sent[BENCH_TEXT], reply[BENCH_TEXT];
    uint64_t find;  /* for the test: the last look-up's number */
    struct msg cut; /* likewise: the last Cut sent */
};

/** From here on the bench's transaction is the one of this number; 0 is the first. */
void bench_use(struct bench *bench, uint8_t number);

/** All three are registered and connected; nothing is led. */
void bench_open(struct bench *bench, const struct coord_options *options);
void bench_close(struct bench *bench);
struct coord_options bench_options(void);

/** Feed an event; `sent` and `reply` are of this step and the ticks that were due at once. */
void bench_step(struct bench *bench, struct event *ev);
struct event bench_event(const struct bench *bench, enum event_kind kind);

void bench_lead(struct bench *bench, uint64_t epoch, uint8_t guid);
void bench_group_event(struct bench *bench, enum event_kind kind);
void bench_link(struct bench *bench, int who, bool up);
void bench_sealed(struct bench *bench, int who);
void bench_tick(struct bench *bench, uint64_t ms);

/** Lead in BENCH_EPOCH, sealed by all, their reports read. */
void bench_serve(struct bench *bench);

/** A Submit of voters a and b, and of reader c; `content` is in the digest. */
void bench_submit(struct bench *bench, uint8_t content, bool reader, uint32_t deadline_ms);
void bench_outcome(struct bench *bench, uint32_t deadline_ms);

/** An answer to a question of kind `to` about the bench's id, under its present tag. */
struct msg bench_record(const struct bench *bench, enum msg_kind to, enum txn_state state);
void bench_msg(struct bench *bench, int who, struct msg *msg);

/** A's vote or evidence: -5 EUR; b's: +5 EUR; PREPARED at timestamp 100 + who. */
void bench_yes(struct bench *bench, int who, enum msg_kind to);
void bench_named(struct bench *bench, int who, enum msg_kind kind);

/** That the text is what was sent, or replied, since the last bench_step(). */
#define SENT(bench, text)    CU_ASSERT_STRING_EQUAL((bench)->sent, text)
#define REPLIED(bench, text) CU_ASSERT_STRING_EQUAL((bench)->reply, text)

/** A bench that serves, until bench_close(); NULL for bench_options(). There is only one. */
struct bench *bench_serving(const struct coord_options *options);

/** bench_record() to bench_msg(): what holds `state` says so, in answer to `to`. */
void bench_answer(struct bench *bench, int who, enum msg_kind to, enum txn_state state);

/** True iff a message of the kind was sent in the last step; and the first, which must be. */
bool bench_has(const struct bench *bench, enum msg_kind kind);
const struct msg *bench_first(const struct bench *bench, enum msg_kind kind);

/** Submit; both vote YES; both acknowledge. */
void bench_commit(struct bench *bench);

/** A Submit of whatever branches. */
void bench_submit_branches(struct bench *bench, const struct submit_branch *branches,
                           uint16_t count, enum protocol protocol);

/** The tag under which the bench's transaction is followed; the last one known, if it is not. */
struct tag bench_tag(const struct bench *bench);
enum phase bench_phase(const struct bench *bench);

#endif
