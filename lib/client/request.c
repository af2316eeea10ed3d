/*
 * Requests: where each goes, and what an answer means for it.
 *
 * What a caller may be told follows from one question: can an earlier attempt of this request have
 * been taken by somebody? An attempt whose answer is missing may have been: its connection ended,
 * or it was sent to another coordinator meanwhile. From then on a refusal of a later attempt is no
 * answer, whatever its reason: it says nothing of the earlier one. The request is sent again until
 * a leader tells the outcome, and is UNKNOWN when the time is over. COMMITTED and ABORTED are true
 * for ever, whoever says them.
 */
#include "base/assert.h"
#include "client/engine_internal.h"

#define BACKOFF_MIN_MS 10u
#define BACKOFF_MAX_MS 100u
#define ATTEMPT_MS     2000u /* without an answer: whoever was asked may be stopped */
#define HOPS_MAX       4u    /* redirects followed at once; more mean that an election goes on */

static uint32_t slot_of(const struct engine *engine, const struct request *request)
{
    return (uint32_t)(request - engine->requests);
}

static void complete(struct engine *engine, struct request *request,
                     const struct request_end *answer)
{
    request_done_fn *done = request->done;
    void *ctx = request->ctx;

    request->state = REQUEST_FREE;
    /* The slot is free before the call, so that a completion can start the next request in it. */
    engine_free_slot(engine, request);
    done(ctx, answer);
}

static void give_up(struct engine *engine, struct request *request, bool closing)
{
    struct request_end answer = {.closing = closing,
                                 .sent = request->maybe_taken || request->state == REQUEST_SENT};

    complete(engine, request, &answer);
}

static void schedule(struct engine *engine, struct request *request)
{
    uint64_t due = request->deadline_ms;

    if (request->state == REQUEST_WAITING && request->retry_ms < due)
        due = request->retry_ms;
    if (request->state == REQUEST_SENT && request->attempt_ms < due)
        due = request->attempt_ms;
    timers_ask(&engine->timers, slot_of(engine, request), due);
}

/* The coordinator this one should go to now; ENDPOINT_NONE: nobody is there. */
static uint16_t choose(struct engine *engine, const struct request *request)
{
    uint16_t leader;

    if (request->kind == REQUEST_ADMIN && request->address[0] != '\0')
        return endpoint_is_ready(engine, request->wanted) ? request->wanted : ENDPOINT_NONE;
    if (request->kind == REQUEST_ADMIN || engine->groups == 0)
        return endpoint_any(engine, request->avoid);
    leader = engine->leaders[id_group(&request->id, engine->groups)];
    /* A leader that is not connected may be dead: somebody else knows who follows it. */
    return endpoint_is_ready(engine, leader) ? leader : endpoint_any(engine, request->avoid);
}

/* An audit may take its time; two of one caller are enough. */
static uint32_t patience_ms(const struct request *request)
{
    if (request->kind != REQUEST_ADMIN)
        return ATTEMPT_MS;
    return request->address[0] != '\0' ? request->timeout_ms : request->timeout_ms / 2;
}

static void wait_a_moment(struct engine *engine, struct request *request)
{
    request->backoff_ms = request->backoff_ms == 0 ? BACKOFF_MIN_MS : request->backoff_ms * 2;
    if (request->backoff_ms > BACKOFF_MAX_MS)
        request->backoff_ms = BACKOFF_MAX_MS;
    request->state = REQUEST_WAITING;
    request->retry_ms = loop_now_ms(engine->loop) + request->backoff_ms;
    schedule(engine, request);
}

static void try_now(struct engine *engine, struct request *request)
{
    uint16_t endpoint = choose(engine, request);

    if (endpoint == ENDPOINT_NONE ||
        !endpoint_send(engine, endpoint, request->frame, request->frame_size)) {
        wait_a_moment(engine, request);
        return;
    }
    request->state = REQUEST_SENT;
    request->endpoint = endpoint;
    request->attempt_ms = loop_now_ms(engine->loop) + patience_ms(request);
    schedule(engine, request);
}

/* The answer to what was sent is given up; the request may have been taken all the same. */
static void try_elsewhere(struct engine *engine, struct request *request)
{
    request->maybe_taken = true;
    request->avoid = request->endpoint;
    request->state = REQUEST_WAITING;
    try_now(engine, request);
}

void request_begin(struct engine *engine, struct request *request)
{
    request->deadline_ms = loop_now_ms(engine->loop) + request->timeout_ms;
    /* Who asks for an outcome had it taken before: no refusal of the question says otherwise. */
    request->maybe_taken = request->kind == REQUEST_OUTCOME;
    request->backoff_ms = 0;
    request->hops = 0;
    request->avoid = ENDPOINT_NONE;
    request->state = REQUEST_WAITING;
    request->retry_ms = 0;
    if (request->kind == REQUEST_ADMIN && request->address[0] != '\0')
        request->wanted = endpoint_add(engine, request->address, NULL);
    try_now(engine, request);
}

/* This coordinator cannot serve it, another can. */
static bool is_of_coordinator(enum reason reason)
{
    return reason == REASON_NOT_LEADER || reason == REASON_DRAINING;
}

static void learn_leader(struct engine *engine, uint16_t endpoint,
                         const struct submit_result *result)
{
    uint16_t group = id_group(&result->id, engine->groups);

    if (engine->leaders[group] == endpoint)
        engine->leaders[group] = ENDPOINT_NONE;
    if (result->has_redirect && result->redirect.address[0] != '\0')
        engine->leaders[group] = endpoint_add(engine, result->redirect.address,
                                              &result->redirect.node);
}

/* Not here: at once where we were sent, or to somebody else after a moment. */
static void follow(struct engine *engine, struct request *request)
{
    uint16_t leader = engine->leaders[id_group(&request->id, engine->groups)];

    request->state = REQUEST_WAITING;
    request->avoid = request->endpoint;
    if (leader != request->endpoint && endpoint_is_ready(engine, leader) &&
        request->hops < HOPS_MAX) {
        request->hops++;
        try_now(engine, request);
        return;
    }
    request->hops = 0;
    wait_a_moment(engine, request);
}

static void on_refused(struct engine *engine, struct request *request,
                       const struct submit_result *result)
{
    struct request_end answer = {.answered = true, .result = result};

    if (is_of_coordinator(result->reason)) {
        learn_leader(engine, request->endpoint, result);
        follow(engine, request);
    } else if (request->maybe_taken) {
        wait_a_moment(engine, request); /* it says nothing of the earlier attempt */
    } else {
        complete(engine, request, &answer);
    }
}

/*
 * The leader waited with us in vain. To a question that is the answer: whoever could know was
 * asked. A Submit was taken and will end: there is more to hear while there is time.
 */
static void on_unknown(struct engine *engine, struct request *request,
                       const struct submit_result *result)
{
    struct request_end answer = {.answered = true, .result = result};

    request->maybe_taken = true;
    if (request->kind == REQUEST_OUTCOME ||
        loop_now_ms(engine->loop) + BACKOFF_MAX_MS >= request->deadline_ms)
        complete(engine, request, &answer);
    else
        wait_a_moment(engine, request);
}

static void on_result(struct engine *engine, struct request *request, uint16_t endpoint,
                      const struct submit_result *result)
{
    struct request_end answer = {.answered = true, .result = result};
    bool current = request->state == REQUEST_SENT && request->endpoint == endpoint;

    if (!id_equal(&result->id, &request->id))
        return;
    switch (result->outcome) {
    case OUTCOME_COMMITTED:
    case OUTCOME_ABORTED:
        engine->leaders[id_group(&request->id, engine->groups)] = endpoint;
        complete(engine, request, &answer);
        break;
    case OUTCOME_UNKNOWN:
        if (current)
            on_unknown(engine, request, result);
        break;
    case OUTCOME_REFUSED:
        if (current)
            on_refused(engine, request, result);
        break;
    }
}

static void on_admin(struct engine *engine, struct request *request, const struct blob *payload)
{
    struct request_end answer = {
        .answered = true, .payload = payload->bytes, .payload_size = payload->size};

    complete(engine, request, &answer);
}

void request_on_answer(struct engine *engine, uint16_t endpoint, const struct envelope *envelope,
                       const struct blob *payload)
{
    uint64_t slot = (envelope->request & UINT32_MAX) - 1;
    struct request *request;
    bool admin = envelope->kind == WIRE_ADMIN_RESPONSE;

    if (slot >= engine->options.in_flight_max)
        return;
    request = &engine->requests[slot];
    if (request->state == REQUEST_FREE || request->generation != envelope->request >> 32 ||
        admin != (request->kind == REQUEST_ADMIN))
        return; /* completed before */
    if (admin)
        on_admin(engine, request, payload);
    else
        on_result(engine, request, endpoint, &envelope->submit_result);
}

/* Whoever waits for a coordinator tries again. */
void request_endpoint_up(struct engine *engine, uint16_t endpoint)
{
    (void)endpoint;
    for (uint32_t i = 0; i < engine->options.in_flight_max; i++) {
        if (engine->requests[i].state == REQUEST_WAITING)
            try_now(engine, &engine->requests[i]);
    }
}

/* The registry names another leader: what was sent to the last one may never be answered. */
void request_leader_is(struct engine *engine, uint16_t group, uint16_t endpoint)
{
    engine->leaders[group] = endpoint;
    if (endpoint == ENDPOINT_NONE || engine->groups == 0)
        return;
    for (uint32_t i = 0; i < engine->options.in_flight_max; i++) {
        struct request *request = &engine->requests[i];

        if (request->state == REQUEST_FREE || request->kind == REQUEST_ADMIN ||
            id_group(&request->id, engine->groups) != group)
            continue;
        if (request->state == REQUEST_WAITING)
            try_now(engine, request);
        else if (request->endpoint != endpoint)
            try_elsewhere(engine, request);
    }
}

/* No answer for long: another may lead, and whoever was asked may not know it. */
static void lose_patience(struct engine *engine, struct request *request)
{
    if (request->kind != REQUEST_ADMIN && engine->groups != 0) {
        uint16_t *leader = &engine->leaders[id_group(&request->id, engine->groups)];

        if (*leader == request->endpoint)
            *leader = ENDPOINT_NONE;
    }
    try_elsewhere(engine, request);
}

/* What was sent there has lost its answer. */
void request_endpoint_down(struct engine *engine, uint16_t endpoint)
{
    for (uint16_t group = 0; group < GROUPS_MAX; group++) {
        if (engine->leaders[group] == endpoint)
            engine->leaders[group] = ENDPOINT_NONE;
    }
    for (uint32_t i = 0; i < engine->options.in_flight_max; i++) {
        struct request *request = &engine->requests[i];

        if (request->state != REQUEST_SENT || request->endpoint != endpoint)
            continue;
        request->maybe_taken = true;
        wait_a_moment(engine, request);
    }
}

void request_tick(void *ctx)
{
    struct engine *engine = ctx;
    uint64_t now = loop_now_ms(engine->loop);
    uint32_t slot;

    while ((slot = timers_pop(&engine->timers, now)) != TIMERS_NONE) {
        struct request *request = &engine->requests[slot];

        if (request->state == REQUEST_FREE)
            continue; /* it rang for an earlier request of the slot */
        if (now >= request->deadline_ms)
            give_up(engine, request, false);
        else if (request->state == REQUEST_WAITING && now >= request->retry_ms)
            try_now(engine, request);
        else if (request->state == REQUEST_SENT && now >= request->attempt_ms)
            lose_patience(engine, request);
        else
            schedule(engine, request);
    }
}

void request_fail_all(struct engine *engine)
{
    for (uint32_t i = 0; i < engine->options.in_flight_max; i++) {
        struct request *request = &engine->requests[i];

        if (request->state != REQUEST_FREE)
            give_up(engine, request, true);
    }
}
