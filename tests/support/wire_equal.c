#include "support/wire_equal.h"

/* True iff both lists hold the same bytes; both pointers are then forgotten. */
static bool lists_equal(void *pointer_a, void *pointer_b, size_t size)
{
    const void *a, *b;

    memcpy(&a, pointer_a, sizeof(a));
    memcpy(&b, pointer_b, sizeof(b));
    memset(pointer_a, 0, sizeof(a));
    memset(pointer_b, 0, sizeof(b));
    return size == 0 || memcmp(a, b, size) == 0;
}

/* A list without pointers of its own, which both copies then forget. */
#define FORGET(a, b, list, count) \
    ((a)->count == (b)->count &&  \
     lists_equal(&(a)->list, &(b)->list, sizeof(*(a)->list) * (a)->count))

static bool blobs_equal(struct blob *a, struct blob *b)
{
    return a->size == b->size && lists_equal(&a->bytes, &b->bytes, a->size);
}

static bool named_equal(struct msg *a, struct msg *b)
{
    bool equal = a->report_page.named_count == b->report_page.named_count;

    for (uint16_t i = 0; equal && i < a->report_page.named_count; i++) {
        struct named_txn x = a->report_page.named[i], y = b->report_page.named[i];

        equal = FORGET(&x, &y, parties, party_count) && memcmp(&x, &y, sizeof(x)) == 0;
    }
    a->report_page.named = b->report_page.named = NULL;
    return equal;
}

static bool doubts_equal(struct msg *a, struct msg *b)
{
    bool equal = a->cut_result.doubt_count == b->cut_result.doubt_count;

    for (uint16_t i = 0; equal && i < a->cut_result.doubt_count; i++) {
        struct cut_doubt x = a->cut_result.doubts[i], y = b->cut_result.doubts[i];

        equal = FORGET(&x, &y, nets, net_count) && memcmp(&x, &y, sizeof(x)) == 0;
    }
    a->cut_result.doubts = b->cut_result.doubts = NULL;
    return equal;
}

static bool msg_lists_equal(struct msg *a, struct msg *b)
{
    switch ((int)a->kind) {
    case MSG_PREPARE:
        return FORGET(a, b, prepare.parties, prepare.party_count) &&
               blobs_equal(&a->prepare.branch, &b->prepare.branch);
    case MSG_CHECK:
        return blobs_equal(&a->check.branch, &b->check.branch);
    case MSG_END:
        return FORGET(a, b, end.exceptions, end.exception_count);
    case MSG_RECORD:
        return FORGET(a, b, record.nets, record.net_count);
    case MSG_REPORT_PAGE:
    case MSG_ORPHAN:
        return named_equal(a, b);
    case MSG_CUT_RESULT:
        return FORGET(a, b, cut_result.totals, cut_result.total_count) && doubts_equal(a, b);
    case MSG_FOUND:
        return FORGET(a, b, found.parties, found.party_count);
    default:
        return true;
    }
}

static bool submits_equal(struct submit *a, struct submit *b)
{
    bool equal = a->branch_count == b->branch_count;

    for (uint16_t i = 0; equal && i < a->branch_count; i++) {
        struct submit_branch x = a->branches[i], y = b->branches[i];

        equal = blobs_equal(&x.branch, &y.branch) && memcmp(&x, &y, sizeof(x)) == 0;
    }
    a->branches = b->branches = NULL;
    return equal;
}

static bool coordinators_equal(const struct coordinator_info **a, const struct coordinator_info **b,
                               uint16_t count)
{
    bool equal = true;

    for (uint16_t i = 0; equal && i < count; i++) {
        struct coordinator_info x = (*a)[i], y = (*b)[i];

        equal = FORGET(&x, &y, groups, group_count) && memcmp(&x, &y, sizeof(x)) == 0;
    }
    *a = *b = NULL;
    return equal;
}

static bool txn_lists_equal(struct txn_info *a, struct txn_info *b)
{
    return FORGET(a, b, parties, party_count) && FORGET(a, b, value, value_count);
}

static bool txns_equal(struct admin_response *a, struct admin_response *b)
{
    bool equal = a->txns.count == b->txns.count;

    for (uint16_t i = 0; equal && i < a->txns.count; i++) {
        struct txn_info x = a->txns.list[i], y = b->txns.list[i];

        equal = txn_lists_equal(&x, &y) && memcmp(&x, &y, sizeof(x)) == 0;
    }
    a->txns.list = b->txns.list = NULL;
    return equal;
}

static bool response_lists_equal(struct admin_response *a, struct admin_response *b)
{
    switch ((int)a->body) {
    case ADMIN_BODY_ACCOUNTS:
        return FORGET(a, b, accounts.list, accounts.count);
    case ADMIN_BODY_STATEMENT:
        return FORGET(a, b, statement.entries, statement.entry_count);
    case ADMIN_BODY_TXNS:
        return txns_equal(a, b);
    case ADMIN_BODY_TXN:
        return txn_lists_equal(&a->txn.info, &b->txn.info) &&
               blobs_equal(&a->txn.branch, &b->txn.branch);
    case ADMIN_BODY_STATUS:
        return a->status.coordinator_count == b->status.coordinator_count &&
               coordinators_equal(&a->status.coordinators, &b->status.coordinators,
                                  a->status.coordinator_count) &&
               FORGET(a, b, status.participants, status.participant_count);
    case ADMIN_BODY_CLUSTER:
        return a->cluster.coordinator_count == b->cluster.coordinator_count &&
               coordinators_equal(&a->cluster.coordinators, &b->cluster.coordinators,
                                  a->cluster.coordinator_count) &&
               FORGET(a, b, cluster.participants, cluster.participant_count);
    case ADMIN_BODY_AUDIT:
        return FORGET(a, b, audit.lines, audit.line_count) &&
               FORGET(a, b, audit.missing, audit.missing_count);
    default:
        return true;
    }
}

bool envelope_equal(const struct envelope *a, const struct envelope *b)
{
    struct envelope x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    if (x.kind != y.kind)
        return false;
    if (x.kind == WIRE_MSG && (x.msg.kind != y.msg.kind || !msg_lists_equal(&x.msg, &y.msg)))
        return false;
    if (x.kind == WIRE_SUBMIT && !submits_equal(&x.submit, &y.submit))
        return false;
    if (x.kind == WIRE_ADMIN_RESPONSE &&
        (x.admin_response.body != y.admin_response.body ||
         !response_lists_equal(&x.admin_response, &y.admin_response)))
        return false;
    return memcmp(&x, &y, sizeof(x)) == 0;
}

bool record_equal(const struct record *a, const struct record *b)
{
    struct record x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return FORGET(&x, &y, parties, party_count) && FORGET(&x, &y, nets, net_count) &&
           FORGET(&x, &y, exceptions, exception_count) && blobs_equal(&x.branch, &y.branch) &&
           memcmp(&x, &y, sizeof(x)) == 0;
}

bool branch_equal(const struct branch *a, const struct branch *b)
{
    return a->posting_count == b->posting_count && a->check_count == b->check_count &&
           memcmp(a->postings, b->postings, sizeof(a->postings[0]) * a->posting_count) == 0 &&
           memcmp(a->checks, b->checks, sizeof(a->checks[0]) * a->check_count) == 0 &&
           strcmp(a->memo, b->memo) == 0;
}
