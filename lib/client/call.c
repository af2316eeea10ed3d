#include "client/call.h"

#include "base/assert.h"
#include "base/reason.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TIMEOUT_DEFAULT_MS 5000u

static uint64_t monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int call_begin(struct call *call, struct settle *settle, uint32_t timeout_ms, struct err *err)
{
    int rc = handle_may_block(settle, err);

    memset(call, 0, sizeof(*call));
    if (rc != 0)
        return rc;
    if (timeout_ms > DEADLINE_MAX_MS)
        return err_set(err, ERR_USAGE, "timeout_ms is above %d", DEADLINE_MAX_MS);
    call->settle = settle;
    call->until_ms = monotonic_ms() + (timeout_ms ? timeout_ms : TIMEOUT_DEFAULT_MS);
    call->workspace = engine_workspace_take(settle->engine);
    if (!call->workspace)
        return err_set(err, ERR_MEMORY, "cannot allocate a request");
    return 0;
}

void call_end(struct call *call)
{
    if (call->workspace)
        engine_workspace_give(call->settle->engine, call->workspace);
    call->workspace = NULL;
}

/* What the engine's thread leaves for the one that waits. */
struct heard_call {
    struct waiting waiting;
    uint8_t *frame; /* the workspace's */
    size_t size;
    struct request_end answer;
};

static void on_answer(void *ctx, const struct request_end *answer)
{
    struct heard_call *heard = ctx;

    heard->answer = *answer;
    if (answer->answered) {
        ASSERT(answer->payload_size <= FRAME_SIZE_MAX);
        memcpy(heard->frame, answer->payload, answer->payload_size);
        heard->size = answer->payload_size;
    }
    waiting_end(&heard->waiting);
}

static int not_answered(const struct request_end *answer, struct err *err)
{
    if (answer->closing)
        return err_set(err, ERR_CLOSED, "the handle is closing");
    if (answer->sent)
        return err_set(err, ERR_TIMEOUT, "no answer in time; what was asked may have been done");
    return err_set(err, ERR_UNREACHABLE, "no coordinator answers");
}

static int send_and_wait(struct call *call, const struct request_spec *like,
                         const struct admin_request *request, struct heard_call *heard,
                         struct err *err)
{
    struct workspace *workspace = call->workspace;
    struct envelope envelope;
    struct request *slot;
    uint64_t number;
    int size;

    slot = engine_take(call->settle->engine, &number, err);
    if (!slot)
        return err->code;
    envelope.kind = WIRE_ADMIN_REQUEST;
    envelope.request = number;
    envelope.admin_request = *request;
    arena_reset(&workspace->scratch);
    size = wire_encode(&workspace->scratch, &envelope, workspace->frame, WIRE_FRAME_MAX);
    ASSERT(size > 0);
    size = engine_start(call->settle->engine, slot, like, workspace->frame, (size_t)size, err);
    if (size != 0)
        return size;
    waiting_wait(&heard->waiting);
    return heard->answer.answered ? 0 : not_answered(&heard->answer, err);
}

const struct admin_response *call_ask(struct call *call, const char *address,
                                      const struct admin_request *request, struct err *err)
{
    struct heard_call heard = {.frame = call->workspace->frame};
    struct request_spec spec = {.kind = REQUEST_ADMIN, .done = on_answer, .ctx = &heard};
    uint64_t now = monotonic_ms();
    int rc;

    if (now >= call->until_ms) {
        err_set(err, ERR_TIMEOUT, "no time is left");
        return NULL;
    }
    spec.timeout_ms = (uint32_t)(call->until_ms - now);
    if (call->each_ms != 0 && call->each_ms < spec.timeout_ms)
        spec.timeout_ms = call->each_ms;
    snprintf(spec.address, sizeof(spec.address), "%s", address);
    waiting_init(&heard.waiting);
    rc = send_and_wait(call, &spec, request, &heard, err);
    waiting_release(&heard.waiting);
    if (rc != 0)
        return NULL;
    arena_reset(&call->workspace->arena);
    rc = wire_decode(&call->workspace->arena, call->workspace->frame, heard.size, &call->envelope,
                     err);
    if (rc == 0 && !admin_answers(request->op, &call->envelope.admin_response))
        rc = err_set(err, ERR_PROTOCOL, "a coordinator answered something else than it was asked");
    return rc == 0 ? &call->envelope.admin_response : NULL;
}

int call_check(const struct admin_response *response, struct settle_error *ret_err)
{
    struct err err;
    int code = ERR_IO;

    switch (response->code) {
    case ADMIN_OK:
        return 0;
    case ADMIN_REFUSED:
        code = ERR_REFUSED;
        break;
    case ADMIN_UNAVAILABLE:
        code = ERR_UNREACHABLE;
        break;
    case ADMIN_UNKNOWN:
        code = ERR_TIMEOUT;
        break;
    case ADMIN_FAILED:
        break;
    }
    err_set(&err, code, "%s",
            response->text[0] != '\0' ? response->text : reason_text(response->reason));
    handle_error(ret_err, &err);
    if (ret_err)
        ret_err->reason = response->reason;
    return code;
}

const struct admin_response *call_need(struct call *call, const struct admin_request *request,
                                       enum admin_body body, int *ret_rc,
                                       struct settle_error *ret_err)
{
    struct err err;
    const struct admin_response *response = call_ask(call, "", request, &err);

    if (!response) {
        *ret_rc = handle_error(ret_err, &err);
        return NULL;
    }
    *ret_rc = call_check(response, ret_err);
    if (*ret_rc == 0 && response->body != body) {
        err_set(&err, ERR_PROTOCOL, "a coordinator answered something else than it was asked");
        *ret_rc = handle_error(ret_err, &err);
    }
    return *ret_rc == 0 ? response : NULL;
}
