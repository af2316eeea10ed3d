/* Submits and questions: from the caller's structs to a frame, and from answers to outcomes. */
#include "base/assert.h"
#include "base/reason.h"
#include "client/handle.h"

#include <stdio.h>
#include <stdlib.h>

#define DEADLINE_DEFAULT_MS 5000u
#define MARGIN_MAX_MS       500u

/* ---- waiting ---- */

void waiting_init(struct waiting *waiting)
{
    pthread_mutex_init(&waiting->lock, NULL);
    pthread_cond_init(&waiting->done, NULL);
    waiting->over = false;
}

void waiting_release(struct waiting *waiting)
{
    pthread_cond_destroy(&waiting->done);
    pthread_mutex_destroy(&waiting->lock);
}

void waiting_end(struct waiting *waiting)
{
    pthread_mutex_lock(&waiting->lock);
    waiting->over = true;
    pthread_cond_signal(&waiting->done);
    pthread_mutex_unlock(&waiting->lock);
}

void waiting_wait(struct waiting *waiting)
{
    pthread_mutex_lock(&waiting->lock);
    while (!waiting->over)
        pthread_cond_wait(&waiting->done, &waiting->lock);
    pthread_mutex_unlock(&waiting->lock);
}

int handle_may_block(const struct settle *settle, struct err *err)
{
    if (engine_is_own_thread(settle->engine))
        return err_set(err, ERR_USAGE, "a completion must not call a function that waits");
    return 0;
}

/* ---- from an answer to an outcome ---- */

/* What the caller asked, kept until it is answered. */
struct asked {
    settle_done_fn *done;
    void *ctx;
    struct id id;
};

/*
 * Nobody answered in time. It may have been taken where it was sent: UNKNOWN. If it was sent
 * nowhere, nothing was promised: REFUSED says more, and is as true.
 */
static void not_answered(const struct request_end *answer, struct settle_outcome *outcome)
{
    outcome->result = answer->sent || answer->closing ? SETTLE_UNKNOWN : SETTLE_REFUSED;
    outcome->reason = answer->sent || answer->closing ? REASON_UNKNOWN_OUTCOME : REASON_NOT_LEADER;
}

static void on_answer(void *ctx, const struct request_end *answer)
{
    struct asked *asked = ctx;
    struct settle_outcome outcome;

    memset(&outcome, 0, sizeof(outcome));
    memcpy(outcome.id.bytes, asked->id.bytes, sizeof(outcome.id.bytes));
    if (answer->answered) {
        const struct submit_result *result = answer->result;

        outcome.result = (enum settle_result)result->outcome;
        outcome.reason = result->reason;
        snprintf(outcome.participant, sizeof(outcome.participant), "%s", result->participant.text);
        if (result->outcome == OUTCOME_COMMITTED)
            outcome.committed_ms = timestamp_ms(result->timestamp);
    } else {
        not_answered(answer, &outcome);
    }
    asked->done(asked->ctx, &outcome);
    free(asked);
}

/* ---- Submit ---- */

static int leg_posting(const struct settle_leg *leg, size_t index, struct posting *ret_posting,
                       struct err *err)
{
    memset(ret_posting, 0, sizeof(*ret_posting));
    if (!leg->account ||
        !account_name_parse(&ret_posting->account, leg->account, strlen(leg->account)))
        return err_set(err, ERR_USAGE,
                       "leg %zu: an account has 1 to 34 characters of A-Z, 0-9, '-'", index);
    if (!leg->currency ||
        !currency_parse(&ret_posting->currency, leg->currency, strlen(leg->currency)))
        return err_set(err, ERR_USAGE, "leg %zu: a currency is three capital letters", index);
    if (leg->side != SETTLE_DEBIT && leg->side != SETTLE_CREDIT)
        return err_set(err, ERR_USAGE, "leg %zu: side is SETTLE_DEBIT or SETTLE_CREDIT", index);
    if (leg->amount <= 0)
        return err_set(err, ERR_USAGE, "leg %zu: an amount is above zero", index);
    ret_posting->side = (enum side)leg->side;
    ret_posting->amount = leg->amount;
    return 0;
}

static int check_of(const struct settle_check *check, size_t index, struct balance_check *ret_check,
                    struct err *err)
{
    memset(ret_check, 0, sizeof(*ret_check));
    if (!check->account || !check->currency ||
        !account_name_parse(&ret_check->account, check->account, strlen(check->account)) ||
        !currency_parse(&ret_check->currency, check->currency, strlen(check->currency)))
        return err_set(err, ERR_USAGE, "check %zu: the account or currency is malformed", index);
    ret_check->available_min = check->available_min;
    return 0;
}

/* The branches of a Submit while they are put together: participants by name. */
struct plan {
    struct submit_branch branches[PARTICIPANTS_MAX + READERS_MAX];
    uint16_t voters, readers;
};

/* The place of `name` among list[0..count), made if it is new, so that names stay sorted. */
static int place_of(struct submit_branch *list, uint16_t *count, uint16_t max, const char *name,
                    struct err *err)
{
    struct node_name node;
    uint16_t at = 0;

    if (!name || !node_name_parse(&node, name, strlen(name)))
        return err_set(err, ERR_USAGE,
                       "a participant's name has 1 to 31 characters of a-z, 0-9 and '-'");
    while (at < *count && memcmp(&list[at].node, &node, sizeof(node)) < 0)
        at++;
    if (at < *count && node_name_equal(&list[at].node, &node))
        return 0;
    if (*count == max)
        return err_set(err, ERR_USAGE, "more than %u participants", max);
    memmove(&list[at + 1], &list[at], sizeof(*list) * (size_t)(*count - at));
    memset(&list[at], 0, sizeof(list[at]));
    list[at].node = node;
    (*count)++;
    return 0;
}

static bool is_voter(const struct plan *plan, const struct node_name *node)
{
    for (uint16_t i = 0; i < plan->voters; i++) {
        if (node_name_equal(&plan->branches[i].node, node))
            return true;
    }
    return false;
}

static int plan_participants(const struct settle_submit *submit, struct plan *plan, struct err *err)
{
    struct submit_branch *readers = plan->branches + PARTICIPANTS_MAX;
    int rc = 0;

    memset(plan, 0, sizeof(*plan));
    for (size_t i = 0; i < submit->leg_count && rc == 0; i++)
        rc = place_of(plan->branches, &plan->voters, PARTICIPANTS_MAX, submit->legs[i].participant,
                      err);
    for (size_t i = 0; i < submit->check_count && rc == 0; i++)
        rc = place_of(readers, &plan->readers, READERS_MAX, submit->checks[i].participant, err);
    for (uint16_t i = 0; i < plan->readers && rc == 0; i++) {
        if (is_voter(plan, &readers[i].node))
            return err_set(err, ERR_USAGE,
                           "'%s' has a leg already; a check is for a participant without one",
                           readers[i].node.text);
        readers[i].read_only = true;
        plan->branches[plan->voters + i] = readers[i];
    }
    return rc;
}

/* What one participant does: the legs or checks that name it, in the caller's order. */
static int fill_branch(const struct settle_submit *submit, const struct submit_branch *target,
                       struct branch *branch, struct err *err)
{
    int rc = 0;

    branch->posting_count = 0;
    branch->check_count = 0;
    memset(branch->memo, 0, sizeof(branch->memo));
    if (submit->memo)
        snprintf(branch->memo, sizeof(branch->memo), "%s", submit->memo);
    for (size_t i = 0; !target->read_only && i < submit->leg_count && rc == 0; i++) {
        if (strcmp(submit->legs[i].participant, target->node.text) == 0)
            rc = leg_posting(&submit->legs[i], i, &branch->postings[branch->posting_count++], err);
    }
    for (size_t i = 0; target->read_only && i < submit->check_count && rc == 0; i++) {
        if (strcmp(submit->checks[i].participant, target->node.text) == 0)
            rc = check_of(&submit->checks[i], i, &branch->checks[branch->check_count++], err);
    }
    return rc;
}

static int encode_branches(const struct settle_submit *submit, struct plan *plan,
                           struct workspace *workspace, struct err *err)
{
    for (uint16_t i = 0; i < plan->voters + plan->readers; i++) {
        struct submit_branch *target = &plan->branches[i];
        uint8_t *out = workspace->branches + (size_t)i * BRANCH_SIZE_MAX;
        int rc = fill_branch(submit, target, &workspace->branch, err);

        if (rc != 0)
            return rc;
        rc = branch_encode(&workspace->scratch, &workspace->branch, out, BRANCH_SIZE_MAX);
        if (rc < 0)
            return err_set(err, ERR_USAGE, "the part of '%s' is larger than %d bytes",
                           target->node.text, BRANCH_SIZE_MAX);
        target->branch.bytes = out;
        target->branch.size = (uint32_t)rc;
    }
    return 0;
}

static int check_shape(const struct settle_submit *submit, struct err *err)
{
    if ((submit->leg_count > 0 && !submit->legs) || (submit->check_count > 0 && !submit->checks))
        return err_set(err, ERR_USAGE, "legs or checks are counted and not given");
    if (submit->leg_count == 0 || submit->leg_count > LEGS_MAX)
        return err_set(err, ERR_USAGE, "a transaction has 1 to %d legs, not %zu", LEGS_MAX,
                       submit->leg_count);
    if (submit->check_count > SETTLE_CHECKS_MAX)
        return err_set(err, ERR_USAGE, "a transaction has at most %d checks, not %zu",
                       SETTLE_CHECKS_MAX, submit->check_count);
    if (submit->memo && strlen(submit->memo) > MEMO_LENGTH_MAX)
        return err_set(err, ERR_USAGE, "the memo is longer than %d bytes", MEMO_LENGTH_MAX);
    if (submit->memo && !utf8_printable(submit->memo, strlen(submit->memo)))
        return err_set(err, ERR_USAGE, "the memo is not UTF-8 without control characters");
    if (submit->deadline_ms > DEADLINE_MAX_MS)
        return err_set(err, ERR_USAGE, "deadline_ms is above %d", DEADLINE_MAX_MS);
    if (submit->protocol != 0 && submit->protocol != SETTLE_2PC && submit->protocol != SETTLE_3PC)
        return err_set(err, ERR_USAGE, "protocol is SETTLE_2PC or SETTLE_3PC");
    return 0;
}

/* The leader's deadline is a little before the caller's, so that its abort is still heard. */
static uint32_t leaders_deadline(uint32_t deadline_ms)
{
    uint32_t margin = deadline_ms / 4 < MARGIN_MAX_MS ? deadline_ms / 4 : MARGIN_MAX_MS;

    return deadline_ms - margin > 0 ? deadline_ms - margin : 1;
}

static int encode_submit(const struct settle_submit *submit, uint32_t deadline_ms, uint64_t number,
                         struct workspace *workspace, struct err *err)
{
    struct envelope envelope = {.kind = WIRE_SUBMIT, .request = number};
    struct plan plan;
    enum reason reason;
    int rc = check_shape(submit, err);

    if (rc == 0)
        rc = plan_participants(submit, &plan, err);
    if (rc == 0)
        rc = encode_branches(submit, &plan, workspace, err);
    if (rc != 0)
        return rc;
    memset(&envelope.submit, 0, sizeof(envelope.submit));
    memcpy(envelope.submit.id.bytes, submit->id.bytes, sizeof(envelope.submit.id.bytes));
    envelope.submit.protocol = submit->protocol == SETTLE_3PC ? PROTOCOL_3PC : PROTOCOL_2PC;
    envelope.submit.deadline_ms = leaders_deadline(deadline_ms);
    envelope.submit.branches = plan.branches;
    envelope.submit.branch_count = (uint16_t)(plan.voters + plan.readers);
    reason = submit_check(&envelope.submit, err);
    if (reason != REASON_NONE) {
        err->code = ERR_USAGE; /* the caller's mistake, whatever it would be of a peer */
        return ERR_USAGE;
    }
    rc = wire_encode(&workspace->arena, &envelope, workspace->frame, WIRE_FRAME_MAX);
    return rc > 0 ? rc : err_set(err, ERR_USAGE, "the transaction is too large for a message");
}

/* A slot, a frame, and off it goes; the frame is in the workspace when `encode` returned its size.
 */
static int start(struct settle *settle, struct request *request, const struct request_spec *like,
                 const struct workspace *workspace, int size, struct err *err)
{
    struct asked *asked = like->ctx;
    int rc;

    if (size < 0) {
        engine_drop(settle->engine, request);
        free(asked);
        return size;
    }
    rc = engine_start(settle->engine, request, like, workspace->frame, (size_t)size, err);
    if (rc != 0)
        free(asked);
    return rc;
}

static struct asked *asked_make(settle_done_fn *done, void *ctx, const struct settle_id *id,
                                struct err *err)
{
    struct asked *asked = malloc(sizeof(*asked));

    if (!asked) {
        err_set(err, ERR_MEMORY, "cannot allocate a request");
        return NULL;
    }
    asked->done = done;
    asked->ctx = ctx;
    memcpy(asked->id.bytes, id->bytes, sizeof(asked->id.bytes));
    return asked;
}

int settle_submit_start(struct settle *settle, const struct settle_submit *submit,
                        settle_done_fn *done, void *ctx, struct settle_error *ret_err)
{
    uint32_t deadline_ms = submit->deadline_ms ? submit->deadline_ms : DEADLINE_DEFAULT_MS;
    struct request_spec spec = {
        .kind = REQUEST_SUBMIT, .timeout_ms = deadline_ms, .done = on_answer};
    struct workspace *workspace = engine_workspace_take(settle->engine);
    struct err err = {.code = ERR_MEMORY, .text = "cannot allocate a request"};
    struct request *request = NULL;
    struct asked *asked = NULL;
    uint64_t number;
    int rc = ERR_MEMORY;

    if (workspace)
        asked = asked_make(done, ctx, &submit->id, &err);
    if (asked)
        request = engine_take(settle->engine, &number, &err);
    if (request) {
        spec.ctx = asked;
        spec.id = asked->id;
        rc = start(settle, request, &spec, workspace,
                   encode_submit(submit, deadline_ms, number, workspace, &err), &err);
    } else {
        free(asked);
        rc = err.code;
    }
    if (workspace)
        engine_workspace_give(settle->engine, workspace);
    return rc == 0 ? 0 : handle_error(ret_err, &err);
}

/* ---- outcome by id ---- */

static int encode_outcome(const struct id *id, uint32_t deadline_ms, uint64_t number,
                          struct workspace *workspace, struct err *err)
{
    struct envelope envelope = {.kind = WIRE_OUTCOME_REQUEST, .request = number};
    int rc;

    if (deadline_ms > DEADLINE_MAX_MS)
        return err_set(err, ERR_USAGE, "deadline_ms is above %d", DEADLINE_MAX_MS);
    if (!id_is_v7(id))
        return err_set(err, ERR_USAGE, "the id is not a UUIDv7");
    envelope.outcome_request.id = *id;
    envelope.outcome_request.deadline_ms = leaders_deadline(deadline_ms);
    rc = wire_encode(&workspace->arena, &envelope, workspace->frame, WIRE_FRAME_MAX);
    ASSERT(rc > 0);
    return rc;
}

/* An outcome that nobody could be asked for is unknown, not refused. */
static void on_outcome_answer(void *ctx, const struct request_end *answer)
{
    struct request_end asked = *answer;

    if (!asked.answered)
        asked.sent = true;
    on_answer(ctx, &asked);
}

int settle_outcome_start(struct settle *settle, const struct settle_id *id, uint32_t deadline_ms,
                         settle_done_fn *done, void *ctx, struct settle_error *ret_err)
{
    struct request_spec spec = {.kind = REQUEST_OUTCOME,
                                .timeout_ms = deadline_ms ? deadline_ms : DEADLINE_DEFAULT_MS,
                                .done = on_outcome_answer};
    struct workspace *workspace = engine_workspace_take(settle->engine);
    struct err err = {.code = ERR_MEMORY, .text = "cannot allocate a request"};
    struct request *request = NULL;
    struct asked *asked = NULL;
    uint64_t number;
    int rc = ERR_MEMORY;

    if (workspace)
        asked = asked_make(done, ctx, id, &err);
    if (asked)
        request = engine_take(settle->engine, &number, &err);
    if (request) {
        spec.ctx = asked;
        spec.id = asked->id;
        rc = start(settle, request, &spec, workspace,
                   encode_outcome(&spec.id, spec.timeout_ms, number, workspace, &err), &err);
    } else {
        free(asked);
        rc = err.code;
    }
    if (workspace)
        engine_workspace_give(settle->engine, workspace);
    return rc == 0 ? 0 : handle_error(ret_err, &err);
}

/* ---- and wait ---- */

struct waited {
    struct waiting waiting;
    struct settle_outcome outcome;
};

static void on_waited(void *ctx, const struct settle_outcome *outcome)
{
    struct waited *waited = ctx;

    waited->outcome = *outcome;
    waiting_end(&waited->waiting);
}

static int may_wait(const struct settle *settle, struct settle_error *ret_err)
{
    struct err err;

    return handle_may_block(settle, &err) == 0 ? 0 : handle_error(ret_err, &err);
}

int settle_submit(struct settle *settle, const struct settle_submit *submit,
                  struct settle_outcome *ret_outcome, struct settle_error *ret_err)
{
    struct waited waited;
    int rc = may_wait(settle, ret_err);

    if (rc != 0)
        return rc;
    waiting_init(&waited.waiting);
    rc = settle_submit_start(settle, submit, on_waited, &waited, ret_err);
    if (rc == 0) {
        waiting_wait(&waited.waiting);
        *ret_outcome = waited.outcome;
    }
    waiting_release(&waited.waiting);
    return rc;
}

int settle_outcome_of(struct settle *settle, const struct settle_id *id, uint32_t deadline_ms,
                      struct settle_outcome *ret_outcome, struct settle_error *ret_err)
{
    struct waited waited;
    int rc = may_wait(settle, ret_err);

    if (rc != 0)
        return rc;
    waiting_init(&waited.waiting);
    rc = settle_outcome_start(settle, id, deadline_ms, on_waited, &waited, ret_err);
    if (rc == 0) {
        waiting_wait(&waited.waiting);
        *ret_outcome = waited.outcome;
    }
    waiting_release(&waited.waiting);
    return rc;
}
