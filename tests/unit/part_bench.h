/*
 * A participant on the bench: one group, itself a, the other participant b, and a resource that
 * does as it is told. What it records, does and says is noted as text, to be compared with a table.
 *
 *   done   records and acts in order: S seal, K clock, P PREPARED, C COMMITTED, A ABORTED, E end;
 *          r reserve, k check, p post, v void, t totals
 *   said   what the messages say: "YES", "NONE", "COMMITTED", "ABORTED FUNDS", "CONFLICT", ...
 *
 * Every message is seen to depend on all that was recorded before it left (R1), and the journal can
 * be replayed into a second participant at any time.
 */
#ifndef SETTLE_TESTS_PART_BENCH_H
#define SETTLE_TESTS_PART_BENCH_H

#include "core/part.h"

#define BENCH_EPOCH  7
#define BENCH_PEER   1
#define BENCH_TEXT   256
#define BENCH_STEPS  24 /* the batch keeps the whole journal */
#define BENCH_ORPHAN 1000

struct bench {
    struct part_options options;
    struct part *part;
    struct batch batch;
    uint64_t now_ms, wall_ms;
    struct party parties[2];
    struct id id;
    struct digest digest;
    enum reason reserve, check; /* what the resource says next */
    int64_t amount;             /* the net of the next reservation */
    struct outcome stored;      /* the permanent outcome of `id`; state NONE: none yet */
    uint32_t msgs_noted, records_noted, acts_noted;
    char done[BENCH_TEXT], said[BENCH_TEXT];
};

void bench_open(struct bench *bench, uint32_t txn_max);
void bench_close(struct bench *bench);

/** From here on the bench's id is the one of this number; 0 is the first. */
void bench_use(struct bench *bench, uint8_t number);

/** Feed an event, and the resource's answers; `done` and `said` are of this event. */
void bench_step(struct bench *bench, const struct event *ev);
struct event bench_event(const struct bench *bench, enum event_kind kind);
void bench_tick(struct bench *bench, uint64_t ms);

/** A message about the bench's id, under (BENCH_EPOCH, sequence), with the list a, b. */
struct msg bench_msg(const struct bench *bench, enum msg_kind kind, uint64_t sequence);
void bench_feed(struct bench *bench, const struct msg *msg);
void bench_say(struct bench *bench, enum msg_kind kind, uint64_t sequence);
void bench_seal(struct bench *bench, uint64_t epoch, uint8_t guid);

/** The last message the participant sent. */
const struct msg *bench_last(const struct bench *bench);

/** The state of the bench's id among the unresolved. */
enum txn_state bench_state(const struct bench *bench);

/** A second participant, out of the first one's journal; the caller frees it. */
struct part *bench_replay(const struct bench *bench);

#endif
