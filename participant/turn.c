/*
 * The turn: step the core, do its acts, remember, and let out what is durable.
 *
 * The order within a step is fixed: the core decides; the ledger holds, posts or voids; records and
 * statement entries go into the turn's job, which is durable as a whole or not at all; what the
 * core says is queued behind the job's position (R1). Dying anywhere before the job is durable
 * loses all of it, and nobody was told.
 *
 * A job with a vote in it is handed over when the turn ends. A job with nothing but decisions that
 * were told elsewhere waits up to TURN_LAZY_MS for company: the client has its answer already, and
 * the acknowledgement may come a little later for fewer forces.
 */
#include "participant.h"

#include "base/assert.h"
#include "runtime/fault.h"
#include "runtime/log.h"

#include <poll.h>
#include <stdlib.h>

#define TURN_LAZY_MS   2u
#define TURN_JOB_BYTES (2u * 1024 * 1024) /* a job this large is handed over */
#define STEP_FRAMES    80u                /* frames one step makes at most */
#define STEP_BYTES     (2u * 1024 * 1024) /* bytes of them */

struct event turn_event_of(struct participant *p, enum event_kind kind)
{
    struct event ev;

    memset(&ev, 0, sizeof(ev));
    ev.kind = kind;
    ev.now_ms = loop_now_ms(p->loop);
    ev.wall_ms = loop_wall_ms(p->loop);
    return ev;
}

/* The open job, begun if there is none; NULL: the store is behind. */
static struct store_job *turn_job(struct participant *p)
{
    if (!p->turn.job) {
        p->turn.job = store_job_begin(p->store);
        p->turn.bytes = 0;
    }
    return p->turn.job;
}

void turn_submit(struct participant *p)
{
    ASSERT(p->turn.job);
    store_job_submit(p->turn.job, p->batch.log_tail);
    p->turn.submitted = p->batch.log_tail;
    p->turn.job = NULL;
    p->turn.urgent = false;
    loop_timer_stop(p->turn_timer);
}

static void submit_if_large(struct participant *p)
{
    if (p->turn.job && p->turn.bytes > TURN_JOB_BYTES)
        turn_submit(p);
}

void turn_wait_for_job(struct participant *p)
{
    struct pollfd freed = {.fd = store_event_fd(p->store), .events = POLLIN};

    submit_if_large(p);
    while (!turn_job(p)) {
        poll(&freed, 1, -1);
        turn_durable(p);
    }
}

void turn_wait_durable(struct participant *p, uint64_t position)
{
    struct pollfd committed = {.fd = store_event_fd(p->store), .events = POLLIN};

    if (position > p->turn.submitted)
        turn_submit(p);
    while (outbox_durable(p->outbox) < position) {
        poll(&committed, 1, -1);
        turn_durable(p);
    }
}

bool turn_has_room(struct participant *p)
{
    submit_if_large(p);
    return outbox_has_room(p->outbox, STEP_BYTES, STEP_FRAMES) &&
           outcomes_count(p->outcomes) < outcomes_max(p->outcomes) && turn_job(p) != NULL;
}

void turn_put(struct participant *p, enum store_table table, const void *key, size_t key_size,
              size_t encoded_size)
{
    bool put = store_put(p->turn.job, table, key, key_size, p->encoded, encoded_size);

    if (p->turn.bytes == 0)
        p->turn.since_ms = loop_now_ms(p->loop);
    ASSERT(put); /* TURN_JOB_BYTES and one step's worth are below STORE_JOB_SIZE_DEFAULT */
    p->turn.bytes += key_size + encoded_size;
}

/* Acknowledgements of what was decided and told elsewhere can wait; everything else is waited for.
 */
static bool is_lazy(const struct msg *msg)
{
    return msg->kind == MSG_RECORD && msg->record.answer == ANSWER_RECORD &&
           (msg->record.to == MSG_COMMIT || msg->record.to == MSG_ABORT);
}

static void send_at(struct participant *p, uint32_t peer, uint64_t depends,
                    const struct envelope *envelope)
{
    uint8_t *out = outbox_reserve(p->outbox, WIRE_FRAME_MAX);
    int size;

    ASSERT(out); /* turn_has_room() */
    arena_reset(&p->scratch);
    size = wire_encode(&p->scratch, envelope, out, WIRE_FRAME_MAX);
    ASSERT(size > 0);
    outbox_push(p->outbox, peer, depends, (size_t)size);
}

void turn_send(struct participant *p, uint32_t peer, const struct envelope *envelope)
{
    if (p->batch.log_tail > p->turn.submitted)
        p->turn.urgent = true;
    send_at(p, peer, p->batch.log_tail, envelope);
}

static void put_record(struct participant *p, const struct record *record)
{
    uint8_t key[STORE_KEY_JOURNAL_SIZE];
    int size;

    arena_reset(&p->scratch);
    size = record_encode(&p->scratch, record, p->encoded, sizeof(p->encoded));
    ASSERT(size > 0);
    store_key_journal(key, record->position);
    turn_put(p, STORE_JOURNAL, key, sizeof(key), (size_t)size);
}

void turn_keep_outcome(struct participant *p, const struct record *record)
{
    struct outcome outcome;

    if (record->kind != RECORD_COMMITTED && record->kind != RECORD_ABORTED)
        return;
    memset(&outcome, 0, sizeof(outcome));
    outcome.id = record->id;
    outcome.digest = record->digest;
    outcome.state = record->kind == RECORD_COMMITTED ? STATE_COMMITTED : STATE_ABORTED;
    outcome.reason = record->reason;
    outcome.timestamp = record->kind == RECORD_COMMITTED ? record->timestamp : 0;
    outcomes_add(p->outcomes, &outcome, record->position);
}

void turn_flush(struct participant *p)
{
    struct envelope envelope;

    for (uint32_t i = 0; i < p->batch.record_count; i++) {
        put_record(p, &p->batch.records[i]);
        turn_keep_outcome(p, &p->batch.records[i]);
    }
    envelope.kind = WIRE_MSG;
    envelope.request = 0;
    for (uint32_t i = 0; i < p->batch.msg_count; i++) {
        envelope.msg = p->batch.msgs[i];
        if (envelope.msg.depends > p->turn.submitted && !is_lazy(&envelope.msg))
            p->turn.urgent = true;
        send_at(p, envelope.msg.peer, envelope.msg.depends, &envelope);
    }
    batch_clear(&p->batch);
}

static void apply_account(struct participant *p, const struct account_attributes *attributes)
{
    struct record *record = batch_record(&p->batch, RECORD_ACCOUNT);
    uint8_t encoded[ATTRIBUTES_SIZE_MAX];
    struct err err;
    int rc, size;

    arena_reset(&p->scratch);
    size = attributes_encode(&p->scratch, attributes, encoded, sizeof(encoded));
    ASSERT(size > 0);
    record->branch.bytes = batch_copy(&p->batch, encoded, (size_t)size);
    record->branch.size = (uint32_t)size;
    rc = ledger_apply(p->ledger, attributes, record->position, &err);
    ASSERT(rc == 0);
}

void turn_account_record(struct participant *p, const struct account_attributes *attributes)
{
    apply_account(p, attributes);
    turn_flush(p);
}

/* R3: check and reserve; the core hears the ledger's verdict in the same step. */
static void act_reserve(struct participant *p, const struct act *act)
{
    struct event ev = turn_event_of(p, EV_RESERVED);
    struct account_attributes cash[NETS_MAX];
    enum reason reason;

    ev.reserved.slot = act->slot;
    ev.reserved.hold = SLOT_NONE;
    ev.reserved.branch = act->branch;
    arena_reset(&p->scratch);
    reason = branch_decode(&p->scratch, act->branch.bytes, act->branch.size, &p->branch, NULL);
    if (reason == REASON_NONE) {
        uint16_t count = ledger_missing_cash(p->ledger, &p->branch, cash);

        for (uint16_t i = 0; i < count; i++)
            apply_account(p, &cash[i]);
        reason = ledger_reserve(p->ledger, &p->branch, &ev.reserved.hold, ev.reserved.nets,
                                &ev.reserved.net_count);
    }
    ev.reserved.reason = reason;
    (void)FAULT_POINT("reserved"); /* checked and held, not forced */
    part_step(p->part, &ev, &p->batch);
}

/* R12: a read-only branch. */
static void act_check(struct participant *p, const struct act *act)
{
    struct event ev = turn_event_of(p, EV_CHECKED);

    ev.checked.slot = act->slot;
    arena_reset(&p->scratch);
    ev.checked.reason = branch_decode(&p->scratch, act->branch.bytes, act->branch.size, &p->branch,
                                      NULL);
    if (ev.checked.reason == REASON_NONE)
        ev.checked.reason = ledger_check(p->ledger, &p->branch);
    part_step(p->part, &ev, &p->batch);
}

static void act_post(struct participant *p, const struct act *act)
{
    uint8_t key[STORE_KEY_ENTRY_SIZE];
    uint16_t count;

    (void)FAULT_POINT("commit_received"); /* not applied, not forced */
    count = ledger_post(p->ledger, act->hold, &act->id, act->position, act->timestamp, p->entries);
    for (uint16_t i = 0; i < count; i++) {
        int size;

        arena_reset(&p->scratch);
        size = entry_encode(&p->scratch, &p->entries[i], p->encoded, sizeof(p->encoded));
        ASSERT(size > 0);
        store_key_entry(key, p->entries[i].at.position, p->entries[i].at.index);
        turn_put(p, STORE_ENTRIES, key, sizeof(key), (size_t)size);
    }
}

static void act_cut_totals(struct participant *p, const struct act *act)
{
    struct event ev = turn_event_of(p, EV_CUT_TOTALS);
    struct net totals[CURRENCIES_MAX];

    ev.cut_totals.slot = act->slot;
    ev.cut_totals.totals = totals;
    ev.cut_totals.total_count = ledger_totals(p->ledger, totals);
    part_step(p->part, &ev, &p->batch);
}

/* Acts make steps, which make acts: the list grows while it is done, a few at the most. */
static void do_acts(struct participant *p)
{
    for (uint32_t i = 0; i < p->batch.act_count; i++) {
        struct act act = p->batch.acts[i];

        switch (act.kind) {
        case ACT_RESERVE:
            act_reserve(p, &act);
            break;
        case ACT_CHECK:
            act_check(p, &act);
            break;
        case ACT_POST:
            act_post(p, &act);
            break;
        case ACT_VOID:
            ledger_void(p->ledger, act.hold);
            break;
        case ACT_CUT_TOTALS:
            act_cut_totals(p, &act);
            break;
        case ACT_STEP_DOWN:
            UNREACHABLE(); /* a coordinator's */
        }
    }
}

void turn_event(struct participant *p, struct event *ev)
{
    part_step(p->part, ev, &p->batch);
    do_acts(p);
    turn_flush(p);
}

static bool asks_about_an_id(const struct msg *msg)
{
    switch (msg->kind) {
    case MSG_PREPARE:
    case MSG_COMMIT:
    case MSG_ABORT:
    case MSG_ABORT_IF_MINE:
    case MSG_QUERY:
    case MSG_FIND:
        return true;
    case MSG_SEAL:
    case MSG_CHECK:
    case MSG_END:
    case MSG_REPORT:
    case MSG_CUT:
    case MSG_SEALED:
    case MSG_RECORD:
    case MSG_CHECKED:
    case MSG_STALE:
    case MSG_REPORT_PAGE:
    case MSG_ORPHAN:
    case MSG_CUT_RESULT:
    case MSG_FOUND:
        return false;
    }
    return false;
}

/* The permanent outcome of an id, or NULL. A damaged one stops the process: it never guesses. */
static const struct outcome *stored_outcome(struct participant *p, const struct id *id,
                                            struct outcome *ret_outcome)
{
    const struct outcome *recent = outcomes_find(p->outcomes, id);
    uint8_t bytes[OUTCOME_SIZE_MAX];
    struct err err;
    size_t size;
    int rc;

    if (recent)
        return recent;
    /* Ids rise with time, so that a new one is mostly above all that the index holds. */
    if (memcmp(id, &p->checkpoint.index_last, sizeof(*id)) > 0)
        return NULL;
    rc = store_get(p->store, STORE_OUTCOMES, id, sizeof(*id), bytes, sizeof(bytes), &size, &err);
    if (rc == ERR_NOT_FOUND)
        return NULL;
    if (rc == 0) {
        arena_reset(&p->scratch);
        rc = outcome_decode(&p->scratch, bytes, size, ret_outcome, &err);
    }
    if (rc != 0) {
        log_line(LOG_FATAL, "an outcome cannot be read; stopping", "error=%s", err.text);
        abort();
    }
    return ret_outcome;
}

void turn_msg(struct participant *p, const struct msg *msg)
{
    struct event ev = turn_event_of(p, EV_MSG);
    struct outcome stored;

    ev.msg.msg = msg;
    if (asks_about_an_id(msg) && !part_knows(p->part, &msg->id))
        ev.msg.stored = stored_outcome(p, &msg->id, &stored);
    turn_event(p, &ev);
}

/* New work is refused while the store is short of space; what is decided still finishes. */
static void update_admit(struct participant *p)
{
    enum store_space space = store_space(p->store);
    enum reason admit = REASON_NONE;
    struct event ev;

    if (p->draining)
        admit = REASON_DRAINING;
    else if (space != STORE_SPACE_OK)
        admit = REASON_STORAGE_FULL;
    if (admit == p->admit)
        return;
    if (admit == REASON_STORAGE_FULL)
        log_line(LOG_ERROR, "new work is refused", "reason=%s", store_space_text(space));
    else if (p->admit == REASON_STORAGE_FULL)
        log_line(LOG_INFO, "there is space again; new work is taken", NULL);
    p->admit = admit;
    ev = turn_event_of(p, EV_ADMIT);
    ev.admit.reason = admit;
    turn_event(p, &ev);
}

void turn_end(void *ctx)
{
    struct participant *p = ctx;
    uint64_t age_ms;

    if (!p->part)
        return;
    update_admit(p);
    if (p->turn.job && p->batch.log_tail > p->turn.submitted) {
        age_ms = loop_now_ms(p->loop) - p->turn.since_ms;
        if (p->turn.urgent || age_ms >= TURN_LAZY_MS)
            turn_submit(p);
        else if (!loop_timer_is_set(p->turn_timer))
            loop_timer_set(p->turn_timer, TURN_LAZY_MS - age_ms);
    }
    outbox_release(p->outbox, outbox_durable(p->outbox));
    /* A checkpoint makes room for outcomes, and its trim gives the journal's pages back. */
    if (outcomes_count(p->outcomes) > outcomes_max(p->outcomes) / 2 ||
        p->admit == REASON_STORAGE_FULL)
        checkpoint_hurry(p);
}

void turn_durable(void *ctx)
{
    struct participant *p = ctx;
    uint64_t durable = store_durable(p->store);

    if (!p->part)
        return;
    if (durable > outbox_durable(p->outbox)) {
        (void)FAULT_POINT("forced"); /* and nobody was told */
        outbox_release(p->outbox, durable);
        (void)FAULT_POINT("released"); /* said, as far as the connections' buffers */
    }
    if (p->any_paused)
        peer_resume_all(p);
}
