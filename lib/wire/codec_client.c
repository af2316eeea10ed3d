/*
 * Submit, its result, the question for an outcome.
 */
#include "base/assert.h"
#include "wire/internal.h"

static bool take_submit_branches(struct decoder *d, const Settle__V1__Submit *m,
                                 struct submit *submit)
{
    struct submit_branch *branches;

    if (!take_count(d, "branch", m->n_branch, 0, SUBMIT_BRANCHES_MAX))
        return false;
    branches = take_room(d, m->n_branch, sizeof(*branches));
    if (!branches && m->n_branch > 0)
        return false;
    for (size_t i = 0; i < m->n_branch; i++) {
        const Settle__V1__SubmitBranch *branch = m->branch[i];

        if (!take_node(d, BYTES(branch, participant), NEEDED, &branches[i].node) ||
            !take_blob(d, BYTES(branch, branch), BRANCH_SIZE_MAX, &branches[i].branch))
            return take_fail_at(d, "branch", i);
        branches[i].read_only = branch->has_read_only && branch->read_only;
    }
    submit->branches = branches;
    submit->branch_count = (uint16_t)m->n_branch;
    return true;
}

/* What a user may get wrong is left to submit_check(), which says it as a reason. */
static bool take_submit_fields(struct decoder *d, const Settle__V1__Submit *m,
                               struct submit *submit)
{
    if (!m->has_protocol)
        return take_fail(d, "protocol", "is missing");
    if ((int)m->protocol == PROTOCOL_2PC || (int)m->protocol == PROTOCOL_3PC)
        submit->protocol = (enum protocol)m->protocol;
    return take_16(d, BYTES(m, id), NEEDED, submit->id.bytes) &&
           take_u32(d, UINT(m, deadline_ms), OPTIONAL, &submit->deadline_ms) &&
           take_submit_branches(d, m, submit);
}

bool take_submit(struct decoder *d, const Settle__V1__Submit *m, struct submit *ret_submit)
{
    return take_submit_fields(d, m, ret_submit) || take_fail_in(d, "submit");
}

bool put_submit(struct arena *scratch, const struct submit *submit,
                Settle__V1__Submit **ret_message)
{
    Settle__V1__SubmitBranch *branches;
    Settle__V1__Submit *m;

    ASSERT(submit->branch_count <= SUBMIT_BRANCHES_MAX);
    if (!NEW(scratch, m, settle__v1__submit__init))
        return false;
    PUT_16(m, id, &submit->id);
    PUT(m, protocol, (Settle__V1__Protocol)submit->protocol);
    PUT(m, deadline_ms, submit->deadline_ms);
    m->n_branch = submit->branch_count;
    branches = put_room(scratch, m->n_branch, sizeof(*branches), &m->branch);
    if (!branches)
        return false;
    for (size_t i = 0; i < m->n_branch; i++) {
        const struct submit_branch *branch = &submit->branches[i];

        ASSERT(branch->branch.size <= BRANCH_SIZE_MAX);
        settle__v1__submit_branch__init(&branches[i]);
        PUT_TEXT(&branches[i], participant, branch->node.text);
        PUT(&branches[i], branch, pb_bytes(branch->branch.bytes, branch->branch.size));
        if (branch->read_only)
            PUT(&branches[i], read_only, true);
    }
    *ret_message = m;
    return true;
}

bool take_redirect(struct decoder *d, const Settle__V1__Redirect *m, struct redirect *ret_redirect)
{
    return (take_u16(d, UINT(m, group), OPTIONAL, GROUPS_MAX - 1, &ret_redirect->group) &&
            take_node(d, BYTES(m, node), OPTIONAL, &ret_redirect->node) &&
            take_address(d, BYTES(m, address), ret_redirect->address) &&
            take_u64(d, UINT(m, epoch), OPTIONAL, &ret_redirect->epoch)) ||
           take_fail_in(d, "redirect");
}

bool put_redirect(struct arena *scratch, const struct redirect *redirect,
                  Settle__V1__Redirect **ret_message)
{
    Settle__V1__Redirect *m;

    if (!NEW(scratch, m, settle__v1__redirect__init))
        return false;
    PUT(m, group, redirect->group);
    PUT_TEXT(m, node, redirect->node.text);
    PUT_TEXT(m, address, redirect->address);
    PUT_NONZERO(m, epoch, redirect->epoch);
    *ret_message = m;
    return true;
}

bool take_submit_result(struct decoder *d, const Settle__V1__SubmitResult *m,
                        struct submit_result *ret_result)
{
    int outcome = take_enum(d, UINT(m, outcome), NEEDED,
                            ONE_OF(OUTCOME_COMMITTED) | ONE_OF(OUTCOME_ABORTED) |
                                ONE_OF(OUTCOME_UNKNOWN) | ONE_OF(OUTCOME_REFUSED));

    if (outcome < 0 || !take_16(d, BYTES(m, id), NEEDED, ret_result->id.bytes) ||
        !take_reason(d, UINT(m, reason), &ret_result->reason) ||
        !take_u64(d, UINT(m, timestamp), outcome == OUTCOME_COMMITTED ? NEEDED : OPTIONAL,
                  &ret_result->timestamp) ||
        !take_node(d, BYTES(m, participant), OPTIONAL, &ret_result->participant) ||
        (m->redirect && !take_redirect(d, m->redirect, &ret_result->redirect)))
        return take_fail_in(d, "submit_result");
    ret_result->outcome = (enum submit_outcome)outcome;
    ret_result->has_redirect = m->redirect != NULL;
    return true;
}

bool put_submit_result(struct arena *scratch, const struct submit_result *result,
                       Settle__V1__SubmitResult **ret_message)
{
    Settle__V1__SubmitResult *m;

    if (!NEW(scratch, m, settle__v1__submit_result__init))
        return false;
    PUT_16(m, id, &result->id);
    PUT(m, outcome, (Settle__V1__Outcome)result->outcome);
    PUT_NONZERO(m, reason, (uint32_t)result->reason);
    PUT_NONZERO(m, timestamp, result->timestamp);
    PUT_TEXT(m, participant, result->participant.text);
    *ret_message = m;
    return !result->has_redirect || put_redirect(scratch, &result->redirect, &m->redirect);
}

bool take_outcome_request(struct decoder *d, const Settle__V1__OutcomeRequest *m,
                          struct outcome_request *ret_request)
{
    uint64_t deadline_ms;

    if (!take_16(d, BYTES(m, id), NEEDED, ret_request->id.bytes) ||
        !take_uint(d, UINT(m, deadline_ms), NEEDED, DEADLINE_MAX_MS, &deadline_ms))
        return take_fail_in(d, "outcome_request");
    ret_request->deadline_ms = (uint32_t)deadline_ms;
    return true;
}

bool put_outcome_request(struct arena *scratch, const struct outcome_request *request,
                         Settle__V1__OutcomeRequest **ret_message)
{
    Settle__V1__OutcomeRequest *m;

    if (!NEW(scratch, m, settle__v1__outcome_request__init))
        return false;
    PUT_16(m, id, &request->id);
    PUT(m, deadline_ms, request->deadline_ms);
    *ret_message = m;
    return true;
}
