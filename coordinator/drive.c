/*
 * Drive the core: an event in, its batch out, at once.
 *
 * Nothing waits here for this process's disk: what a coordinator says rests on the votes of others,
 * which are durable where they were made (R1, R11). A message whose participant is gone is dropped;
 * the core asks again.
 */
#include "coordinator.h"

#include "base/assert.h"
#include "runtime/fault.h"
#include "runtime/log.h"

struct event drive_event_of(struct coordinator *c, enum event_kind kind)
{
    struct event ev;

    memset(&ev, 0, sizeof(ev));
    ev.kind = kind;
    ev.now_ms = loop_now_ms(c->loop);
    ev.wall_ms = loop_wall_ms(c->loop);
    return ev;
}

bool drive_send(struct coordinator *c, uint32_t handle, const struct envelope *envelope)
{
    struct conn *conn = conns_find(c->conns, handle);
    int size;

    if (!conn)
        return false;
    arena_reset(&c->scratch);
    size = wire_encode(&c->scratch, envelope, c->frame, WIRE_FRAME_MAX);
    ASSERT(size > 0);
    return conn_send(conn, c->frame, (size_t)size);
}

static void answer_about_id(struct coordinator *c, const struct reply *reply)
{
    struct envelope envelope;
    struct submit_result *result = &envelope.submit_result;

    envelope.kind = WIRE_SUBMIT_RESULT;
    envelope.request = reply->waiter.request;
    memset(result, 0, sizeof(*result));
    result->id = reply->id;
    result->outcome = (enum submit_outcome)reply->kind;
    result->reason = reply->reason;
    result->timestamp = reply->timestamp;
    result->participant = reply->node;
    if (reply->kind == REPLY_REFUSED && reply->reason == REASON_NOT_LEADER) {
        result->has_redirect = true;
        admin_redirect(c, id_group(&reply->id, c->config.groups), &result->redirect);
    }
    drive_send(c, reply->waiter.client, &envelope);
}

void drive_refuse(struct coordinator *c, struct waiter waiter, const struct id *id,
                  enum reason reason)
{
    struct reply reply = {.kind = REPLY_REFUSED, .waiter = waiter, .id = *id, .reason = reason};

    answer_about_id(c, &reply);
}

/* Only audits are about no id. */
static void answer(struct coordinator *c, const struct reply *reply)
{
    static const struct id none;

    if (id_equal(&reply->id, &none))
        admin_audit_reply(c, reply);
    else
        answer_about_id(c, reply);
}

static void step_down(struct coordinator *c, const struct act *act)
{
    log_line(LOG_WARN, "a participant has sealed a higher epoch; standing down",
             "group=%u sealed_epoch=%llu", act->group, (unsigned long long)act->sealed_epoch);
    cluster_step_down(c->cluster, act->group, act->sealed_epoch);
}

/* After the first message of a kind, so that the others of its step are not sent. */
static void pass_fault_points(enum msg_kind kind)
{
    if (kind == MSG_PREPARE)
        (void)FAULT_POINT("prepare_sent");
    else if (kind == MSG_COMMIT)
        (void)FAULT_POINT("commit_sent");
    else if (kind == MSG_ABORT_IF_MINE || kind == MSG_ABORT)
        (void)FAULT_POINT("abort_sent");
    else if (kind == MSG_END)
        (void)FAULT_POINT("end_sent");
}

void drive(struct coordinator *c, const struct event *ev)
{
    struct envelope envelope;

    coord_step(c->coord, ev, &c->batch);
    envelope.kind = WIRE_MSG;
    envelope.request = 0;
    for (uint32_t i = 0; i < c->batch.msg_count; i++) {
        envelope.msg = c->batch.msgs[i];
        drive_send(c, envelope.msg.peer, &envelope);
        pass_fault_points(envelope.msg.kind);
    }
    for (uint32_t i = 0; i < c->batch.reply_count; i++) {
        (void)FAULT_POINT("decided"); /* messages are queued, the client is not told */
        answer(c, &c->batch.replies[i]);
    }
    for (uint32_t i = 0; i < c->batch.told_count; i++)
        history_add(c, &c->batch.told[i]);
    for (uint32_t i = 0; i < c->batch.act_count; i++) {
        ASSERT(c->batch.acts[i].kind == ACT_STEP_DOWN);
        step_down(c, &c->batch.acts[i]);
    }
    batch_clear(&c->batch);
}

void drive_tick(void *ctx)
{
    struct coordinator *c = ctx;
    struct event ev;

    if (!c->coord)
        return;
    ev = drive_event_of(c, EV_TICK);
    drive(c, &ev);
}

void drive_turn_end(void *ctx)
{
    struct coordinator *c = ctx;
    uint64_t next, now;

    if (!c->coord)
        return;
    next = coord_next_ms(c->coord);
    now = loop_now_ms(c->loop);
    if (next == UINT64_MAX)
        loop_timer_stop(c->core_timer);
    else
        loop_timer_set(c->core_timer, next > now ? next - now : 0);
}
