#include "part_bench.h"

#include "base/assert.h"
#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>

static void *zeroed(size_t size)
{
    void *memory = calloc(1, size);

    ASSERT(memory);
    return memory;
}

void bench_use(struct bench *bench, uint8_t number)
{
    uint8_t random[10] = {0};

    random[9] = number;
    bench->id = id_make(1700000000000u, random);
}

void bench_open(struct bench *bench, uint32_t txn_max)
{
    memset(bench, 0, sizeof(*bench));
    bench->now_ms = 5000;
    bench->wall_ms = 1700000000000u;
    bench->amount = 5;
    bench_use(bench, 0);
    bench->digest.bytes[0] = 1;
    for (int i = 0; i < 2; i++) {
        bench->parties[i].node.text[0] = (char)('a' + i);
        bench->parties[i].store.bytes[0] = (uint8_t)(i + 1);
    }
    bench->options = (struct part_options){
        .self = bench->parties[0], .groups = 1, .txn_max = txn_max, .orphan_ms = BENCH_ORPHAN};
    bench->part = part_init(zeroed(part_memory_size(&bench->options)), &bench->options);
    batch_init(&bench->batch, zeroed(batch_memory_size(BENCH_STEPS)), BENCH_STEPS);
}

void bench_close(struct bench *bench)
{
    free(bench->part);
    free(bench->batch.msgs);
}

struct event bench_event(const struct bench *bench, enum event_kind kind)
{
    struct event ev;

    memset(&ev, 0, sizeof(ev));
    ev.kind = kind;
    ev.now_ms = bench->now_ms;
    ev.wall_ms = bench->wall_ms;
    return ev;
}

static void append(char *text, const char *more)
{
    size_t length = strlen(text);

    ASSERT(length + strlen(more) < BENCH_TEXT);
    memcpy(text + length, more, strlen(more) + 1);
}

static void note_records(struct bench *bench)
{
    static const char letters[] = "?SKPCAE*";

    for (; bench->records_noted < bench->batch.record_count; bench->records_noted++) {
        const struct record *record = &bench->batch.records[bench->records_noted];
        char text[2] = {letters[record->kind], '\0'};

        append(bench->done, text);
        if (record->kind != RECORD_COMMITTED && record->kind != RECORD_ABORTED)
            continue;
        bench->stored.id = record->id;
        bench->stored.digest = record->digest;
        bench->stored.state = record->kind == RECORD_COMMITTED ? STATE_COMMITTED : STATE_ABORTED;
        bench->stored.reason = record->reason;
        bench->stored.timestamp = record->timestamp;
    }
}

/* Note one act; answer it as the turn would. */
static void execute(struct bench *bench, const struct act *act)
{
    static const char letters[] = "?rkpvt";
    char text[2] = {letters[act->kind], '\0'};
    struct net total = {.currency = {"EUR"}, .amount = 40};
    struct event ev;

    append(bench->done, text);
    if (act->kind == ACT_RESERVE) {
        ev = bench_event(bench, EV_RESERVED);
        ev.reserved.slot = act->slot;
        ev.reserved.hold = 77;
        ev.reserved.reason = bench->reserve;
        ev.reserved.net_count = 1;
        memcpy(ev.reserved.nets[0].currency.code, "EUR", 4);
        ev.reserved.nets[0].amount = bench->amount;
        ev.reserved.branch = act->branch;
        part_step(bench->part, &ev, &bench->batch);
    } else if (act->kind == ACT_CHECK) {
        ev = bench_event(bench, EV_CHECKED);
        ev.checked.slot = act->slot;
        ev.checked.reason = bench->check;
        part_step(bench->part, &ev, &bench->batch);
    } else if (act->kind == ACT_CUT_TOTALS) {
        ev = bench_event(bench, EV_CUT_TOTALS);
        ev.cut_totals.slot = act->slot;
        ev.cut_totals.totals = &total;
        ev.cut_totals.total_count = 1;
        part_step(bench->part, &ev, &bench->batch);
    }
}

static void say_record(const struct msg *msg, char *text, size_t size)
{
    const char *reason = msg->record.reason == REASON_NONE ? "" : reason_name(msg->record.reason);

    switch (msg->record.answer) {
    case ANSWER_RECORD:
        snprintf(text, size, "%s%s%s",
                 msg->record.state == STATE_PREPARED ? "YES" : txn_state_name(msg->record.state),
                 reason[0] ? " " : "", reason);
        break;
    case ANSWER_CONFLICT:
        snprintf(text, size, "CONFLICT");
        break;
    case ANSWER_BUSY:
        snprintf(text, size, "BUSY %s", reason);
        break;
    case ANSWER_STORE_REPLACED:
        snprintf(text, size, "STORE_REPLACED");
        break;
    case ANSWER_TOO_OLD:
        snprintf(text, size, "TOO_OLD");
        break;
    }
}

static void note_said(struct bench *bench, const struct msg *msg)
{
    static const char *const cuts[] = {"?", "REPORTED", "TOO_LATE", "AHEAD", "BUSY"};
    char text[64] = "";

    ASSERT(msg->depends == bench->batch.log_tail); /* R1 */
    if (msg->kind == MSG_RECORD)
        say_record(msg, text, sizeof(text));
    else if (msg->kind == MSG_CHECKED)
        snprintf(text, sizeof(text), msg->checked.holds ? "HOLDS" : "FAILS");
    else if (msg->kind == MSG_REPORT_PAGE)
        snprintf(text, sizeof(text), "page of %u", msg->report_page.named_count);
    else if (msg->kind == MSG_CUT_RESULT)
        snprintf(text, sizeof(text), "cut %s", cuts[msg->cut_result.status]);
    else if (msg->kind == MSG_FOUND)
        snprintf(text, sizeof(text), "found %s", txn_state_name(msg->found.state));
    else
        snprintf(text, sizeof(text), "%s", msg_kind_name(msg->kind));
    if (bench->said[0])
        append(bench->said, ", ");
    append(bench->said, text);
}

void bench_step(struct bench *bench, const struct event *ev)
{
    bench->done[0] = '\0';
    bench->said[0] = '\0';
    ASSERT(batch_has_room(&bench->batch));
    part_step(bench->part, ev, &bench->batch);
    for (; bench->acts_noted < bench->batch.act_count; bench->acts_noted++) {
        note_records(bench);
        execute(bench, &bench->batch.acts[bench->acts_noted]);
    }
    note_records(bench);
    for (; bench->msgs_noted < bench->batch.msg_count; bench->msgs_noted++)
        note_said(bench, &bench->batch.msgs[bench->msgs_noted]);
}

void bench_tick(struct bench *bench, uint64_t ms)
{
    struct event ev;

    bench->now_ms += ms;
    bench->wall_ms += ms;
    ev = bench_event(bench, EV_TICK);
    bench_step(bench, &ev);
}

struct msg bench_msg(const struct bench *bench, enum msg_kind kind, uint64_t sequence)
{
    struct msg msg;

    memset(&msg, 0, sizeof(msg));
    msg.kind = kind;
    msg.peer = BENCH_PEER;
    msg.tag.epoch = BENCH_EPOCH;
    msg.tag.sequence = sequence;
    msg.id = bench->id;
    msg.digest = bench->digest;
    if (kind == MSG_PREPARE) {
        msg.prepare.protocol = PROTOCOL_2PC;
        msg.prepare.parties = bench->parties;
        msg.prepare.party_count = 2;
        msg.prepare.branch = (struct blob){(const uint8_t *)"branch", 6};
    } else if (kind == MSG_COMMIT) {
        msg.commit.timestamp = timestamp_of_ms(bench->wall_ms) + 9;
    } else if (kind == MSG_ABORT || kind == MSG_ABORT_IF_MINE) {
        msg.abort.reason = REASON_DEADLINE;
    }
    return msg;
}

void bench_feed(struct bench *bench, const struct msg *msg)
{
    struct event ev = bench_event(bench, EV_MSG);

    ev.msg.msg = msg;
    if (bench->stored.state != STATE_NONE && id_equal(&bench->stored.id, &msg->id))
        ev.msg.stored = &bench->stored;
    bench_step(bench, &ev);
}

void bench_say(struct bench *bench, enum msg_kind kind, uint64_t sequence)
{
    struct msg msg = bench_msg(bench, kind, sequence);

    bench_feed(bench, &msg);
}

void bench_seal(struct bench *bench, uint64_t epoch, uint8_t guid)
{
    struct msg msg = bench_msg(bench, MSG_SEAL, 0);

    msg.tag.epoch = epoch;
    msg.seal.guid.bytes[0] = guid;
    bench_feed(bench, &msg);
}

const struct msg *bench_last(const struct bench *bench)
{
    ASSERT(bench->batch.msg_count > 0);
    return &bench->batch.msgs[bench->batch.msg_count - 1];
}

enum txn_state bench_state(const struct bench *bench)
{
    struct part_view view;

    return part_find(bench->part, &bench->id, &view) ? view.state : STATE_NONE;
}

struct part *bench_replay(const struct bench *bench)
{
    struct part *part = part_init(zeroed(part_memory_size(&bench->options)), &bench->options);
    struct err err;
    uint32_t hold;

    for (uint32_t i = 0; i < bench->batch.record_count; i++)
        ASSERT(part_replay(part, &bench->batch.records[i], 77, &hold, &err) == 0);
    return part;
}
