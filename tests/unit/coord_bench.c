#include "coord_bench.h"

#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

static void *zeroed(size_t size)
{
    void *memory = calloc(1, size);

    ASSERT(memory);
    return memory;
}

struct coord_options bench_options(void)
{
    return (struct coord_options){.groups = 1,
                                  .txn_max = 128,
                                  .in_flight_max = 64,
                                  .blob_bytes = 64 * 1024,
                                  .retry_ms = BENCH_RETRY,
                                  .down_grace_ms = BENCH_GRACE,
                                  .end_ms = 60 * 1000};
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

static char letter_of(enum msg_kind kind)
{
    switch (kind) {
    case MSG_SEAL:
        return 'S';
    case MSG_PREPARE:
        return 'P';
    case MSG_CHECK:
        return 'K';
    case MSG_COMMIT:
        return 'C';
    case MSG_ABORT:
        return 'A';
    case MSG_ABORT_IF_MINE:
        return 'I';
    case MSG_QUERY:
        return 'Q';
    case MSG_END:
        return 'E';
    case MSG_REPORT:
        return 'R';
    case MSG_CUT:
        return 'T';
    case MSG_FIND:
        return 'F';
    case MSG_SEALED:
    case MSG_RECORD:
    case MSG_CHECKED:
    case MSG_STALE:
    case MSG_REPORT_PAGE:
    case MSG_ORPHAN:
    case MSG_CUT_RESULT:
    case MSG_FOUND:
        break;
    }
    UNREACHABLE();
}

static const char *reply_name(enum reply_kind kind)
{
    switch (kind) {
    case REPLY_COMMITTED:
        return "COMMITTED";
    case REPLY_ABORTED:
        return "ABORTED";
    case REPLY_UNKNOWN:
        return "UNKNOWN";
    case REPLY_REFUSED:
        return "REFUSED";
    case REPLY_AUDIT:
        return "AUDIT";
    }
    return "?";
}

static char name_of(const struct bench *bench, uint32_t peer)
{
    for (int i = 0; i < 3; i++) {
        if (bench->peers[i] == peer)
            return bench->parties[i].node.text[0];
    }
    return '?';
}

static void append(char *text, const char *more)
{
    size_t length = strlen(text);

    ASSERT(length + strlen(more) < BENCH_TEXT);
    memcpy(text + length, more, strlen(more) + 1);
}

static void note(struct bench *bench)
{
    char text[128];

    for (uint32_t i = 0; i < bench->batch.msg_count; i++) {
        const struct msg *msg = &bench->batch.msgs[i];

        ASSERT(msg->depends == 0);
        text[0] = letter_of(msg->kind);
        text[1] = name_of(bench, msg->peer);
        text[2] = '\0';
        append(bench->sent, text);
    }
    for (uint32_t i = 0; i < bench->batch.act_count; i++)
        append(bench->sent, bench->batch.acts[i].kind == ACT_STEP_DOWN ? "!" : "?");
    for (uint32_t i = 0; i < bench->batch.reply_count; i++) {
        const struct reply *reply = &bench->batch.replies[i];
        bool bare = reply->reason == REASON_NONE;

        snprintf(text, sizeof(text), "%s%s%s%s", bench->reply[0] ? ", " : "",
                 reply_name(reply->kind), bare ? "" : " ", bare ? "" : reason_name(reply->reason));
        append(bench->reply, text);
    }
    if (bench->batch.told_count > 0)
        append(bench->reply, "+t");
}

void bench_step(struct bench *bench, struct event *ev)
{
    bench->sent[0] = '\0';
    bench->reply[0] = '\0';
    batch_clear(&bench->batch);
    ev->now_ms = bench->now_ms;
    ev->wall_ms = bench->wall_ms;
    coord_step(bench->coord, ev, &bench->batch);
    for (int i = 0; i < 8 && coord_next_ms(bench->coord) <= bench->now_ms; i++) {
        struct event tick = bench_event(bench, EV_TICK);

        coord_step(bench->coord, &tick, &bench->batch);
    }
    ASSERT(coord_next_ms(bench->coord) > bench->now_ms);
    note(bench);
}

void bench_use(struct bench *bench, uint8_t number)
{
    uint8_t random[10] = {0};

    random[9] = number;
    bench->id = id_make(1700000000000u, random);
}

void bench_open(struct bench *bench, const struct coord_options *options)
{
    memset(bench, 0, sizeof(*bench));
    bench->now_ms = 1000;
    bench->wall_ms = 1700000000000u;
    bench_use(bench, 0);
    bench->digest.bytes[0] = 1;
    bench->coord = coord_init(zeroed(coord_memory_size(options)), options);
    batch_init(&bench->batch, zeroed(batch_memory_size(16)), 16);
    for (int i = 0; i < 3; i++) {
        struct event ev = bench_event(bench, EV_MEMBER);

        bench->parties[i].node.text[0] = (char)('a' + i);
        bench->parties[i].store.bytes[0] = (uint8_t)(i + 1);
        ev.link.party = bench->parties[i];
        bench_step(bench, &ev);
        bench_link(bench, i, true);
    }
}

void bench_close(struct bench *bench)
{
    free(bench->coord);
    free(bench->batch.msgs);
}

void bench_link(struct bench *bench, int who, bool up)
{
    struct event ev = bench_event(bench, up ? EV_LINK_UP : EV_LINK_DOWN);

    if (up)
        bench->peers[who] = (uint32_t)who + 1;
    ev.link.peer = bench->peers[who];
    ev.link.party = bench->parties[who];
    if (!up)
        bench->peers[who] = PEER_NONE;
    bench_step(bench, &ev);
}

void bench_lead(struct bench *bench, uint64_t epoch, uint8_t guid)
{
    struct event ev = bench_event(bench, EV_LEAD);

    ev.lead.epoch = epoch;
    ev.lead.guid.bytes[0] = guid;
    bench_step(bench, &ev);
}

void bench_group_event(struct bench *bench, enum event_kind kind)
{
    struct event ev = bench_event(bench, kind);

    bench_step(bench, &ev);
}

void bench_msg(struct bench *bench, int who, struct msg *msg)
{
    struct event ev = bench_event(bench, EV_MSG);

    msg->peer = (uint32_t)who + 1;
    ev.msg.msg = msg;
    bench_step(bench, &ev);
}

void bench_sealed(struct bench *bench, int who)
{
    struct msg msg = {.kind = MSG_SEALED, .tag = {.epoch = BENCH_EPOCH}};

    msg.seal.guid.bytes[0] = BENCH_EPOCH;
    bench_msg(bench, who, &msg);
}

void bench_serve(struct bench *bench)
{
    bench_lead(bench, BENCH_EPOCH, BENCH_EPOCH);
    for (int i = 0; i < 3; i++) {
        struct msg page = {.kind = MSG_REPORT_PAGE, .tag = {.epoch = BENCH_EPOCH}};

        bench_sealed(bench, i);
        bench_msg(bench, i, &page);
    }
}

void bench_tick(struct bench *bench, uint64_t ms)
{
    struct event ev = bench_event(bench, EV_TICK);

    bench->now_ms += ms;
    bench->wall_ms += ms;
    bench_step(bench, &ev);
}

void bench_submit(struct bench *bench, uint8_t content, bool reader, uint32_t deadline_ms)
{
    struct submit_branch branches[3];
    struct event ev = bench_event(bench, EV_SUBMIT);

    memset(branches, 0, sizeof(branches));
    for (int i = 0; i < 3; i++) {
        branches[i].node = bench->parties[i].node;
        branches[i].branch = BENCH_BRANCH;
        branches[i].read_only = i == 2;
    }
    ev.submit.waiter.client = 1;
    ev.submit.waiter.request = ++bench->request;
    ev.submit.id = bench->id;
    ev.submit.digest.bytes[0] = content;
    ev.submit.protocol = PROTOCOL_2PC;
    ev.submit.deadline_ms = deadline_ms;
    ev.submit.branches = branches;
    ev.submit.branch_count = reader ? 3 : 2;
    bench_step(bench, &ev);
}

void bench_outcome(struct bench *bench, uint32_t deadline_ms)
{
    struct event ev = bench_event(bench, EV_OUTCOME);

    ev.outcome.waiter.client = 2;
    ev.outcome.waiter.request = ++bench->request;
    ev.outcome.id = bench->id;
    ev.outcome.deadline_ms = deadline_ms;
    bench_step(bench, &ev);
}

struct tag bench_tag(const struct bench *bench)
{
    struct coord_view view;

    if (coord_find(bench->coord, &bench->id, &view))
        return view.tag;
    return (struct tag){.epoch = BENCH_EPOCH, .sequence = 1};
}

enum phase bench_phase(const struct bench *bench)
{
    struct coord_view view;

    return coord_find(bench->coord, &bench->id, &view) ? view.phase : (enum phase)0;
}

struct msg bench_record(const struct bench *bench, enum msg_kind to, enum txn_state state)
{
    struct msg msg = {.kind = MSG_RECORD, .tag = bench_tag(bench)};

    msg.id = bench->id;
    msg.digest = bench->digest;
    msg.record.to = to;
    msg.record.answer = ANSWER_RECORD;
    msg.record.state = state;
    if (state == STATE_COMMITTED)
        msg.record.timestamp = 101;
    return msg;
}

void bench_yes(struct bench *bench, int who, enum msg_kind to)
{
    struct net net = {.currency = {"EUR"}, .amount = who == 0 ? -5 : 5};
    struct msg msg = bench_record(bench, to, STATE_PREPARED);

    msg.record.timestamp = 100 + (uint64_t)who;
    msg.record.nets = &net;
    msg.record.net_count = 1;
    msg.record.first = msg.tag;
    if (to != MSG_PREPARE)
        msg.record.first.epoch = BENCH_EPOCH - 1; /* an earlier leader's */
    bench_msg(bench, who, &msg);
}

void bench_named(struct bench *bench, int who, enum msg_kind kind)
{
    struct named_txn named = {.id = bench->id,
                              .digest = bench->digest,
                              .protocol = PROTOCOL_2PC,
                              .parties = bench->parties,
                              .party_count = 2};
    struct msg msg = {.kind = kind, .tag = {.epoch = BENCH_EPOCH}};

    msg.report_page.named = &named;
    msg.report_page.named_count = 1;
    msg.report_page.count = 1;
    msg.report_page.hash = report_hash(0, &named.id, &named.digest);
    bench_msg(bench, who, &msg);
}

struct bench *bench_serving(const struct coord_options *options)
{
    static struct bench bench;
    struct coord_options usual = bench_options();

    bench_open(&bench, options ? options : &usual);
    bench_serve(&bench);
    return &bench;
}

void bench_answer(struct bench *bench, int who, enum msg_kind to, enum txn_state state)
{
    struct msg msg = bench_record(bench, to, state);

    bench_msg(bench, who, &msg);
}

bool bench_has(const struct bench *bench, enum msg_kind kind)
{
    for (uint32_t i = 0; i < bench->batch.msg_count; i++) {
        if (bench->batch.msgs[i].kind == kind)
            return true;
    }
    return false;
}

const struct msg *bench_first(const struct bench *bench, enum msg_kind kind)
{
    uint32_t at = 0;

    while (at < bench->batch.msg_count && bench->batch.msgs[at].kind != kind)
        at++;
    ASSERT(at < bench->batch.msg_count);
    return &bench->batch.msgs[at];
}

void bench_commit(struct bench *bench)
{
    bench_submit(bench, 1, false, BENCH_LIMIT);
    bench_yes(bench, 0, MSG_PREPARE);
    bench_yes(bench, 1, MSG_PREPARE);
    ASSERT(strcmp(bench->reply, "COMMITTED+t") == 0);
    bench_answer(bench, 0, MSG_COMMIT, STATE_COMMITTED);
    bench_answer(bench, 1, MSG_COMMIT, STATE_COMMITTED);
    ASSERT(bench_phase(bench) == 0);
}

void bench_submit_branches(struct bench *bench, const struct submit_branch *branches,
                           uint16_t count, enum protocol protocol)
{
    struct event ev = bench_event(bench, EV_SUBMIT);

    ev.submit.waiter.request = ++bench->request;
    ev.submit.id = bench->id;
    ev.submit.digest = bench->digest;
    ev.submit.protocol = protocol;
    ev.submit.deadline_ms = BENCH_LIMIT;
    ev.submit.branches = branches;
    ev.submit.branch_count = count;
    bench_step(bench, &ev);
}
