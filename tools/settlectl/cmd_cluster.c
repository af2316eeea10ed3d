/* status, txn list, txn show, audit */
#include "ctl.h"

#include <string.h>
#include <strings.h>

static int status(struct ctl *ctl)
{
    struct settle_status status;
    struct settle_error err;
    int rc, code = ctl_connect(ctl);

    if (code != EXIT_DONE)
        return code;
    if (settle_status_get(ctl->settle, &status, ctl->args.timeout_ms, &err) != 0)
        return ctl_failed(&err, false, "get the status");
    rc = view_status(&ctl->view, &status);
    settle_status_release(&status);
    return ctl_printed(rc, EXIT_DONE);
}

const struct verb STATUS = {
    .name = "status",
    .summary = "Coordinators and what they lead, participants, counts",
    .run = status,
};

/* ---- transactions ---- */

static const char *const STATES[] = {"READING",   "PREPARING", "QUERYING", "ABORTING",
                                     "COMMITTED", "ABORTED",   "PREPARED"};

static const struct option list_options[] = {
    {"state", "S", "only those in this state", false},
    {"older-than", "T", "only those at least so old: 250ms, 5s, 2m, 1h", false},
    {NULL, NULL, NULL, false}};

/* The state's own spelling, or NULL. */
static const char *state_find(const char *text)
{
    for (size_t i = 0; i < sizeof(STATES) / sizeof(STATES[0]); i++) {
        if (strcasecmp(text, STATES[i]) == 0)
            return STATES[i];
    }
    return NULL;
}

static int txn_list(struct ctl *ctl)
{
    const char *given = ctl_value(ctl, "state"), *older_than = ctl_value(ctl, "older-than");
    const char *state = given ? state_find(given) : NULL;
    unsigned long long older_than_ms = 0;
    struct settle_txn *list = NULL;
    struct settle_error err;
    size_t count = 0;
    int rc, code;

    if (given && !state)
        return ctl_wrong("--state '%s': it is READING, PREPARING, QUERYING, ABORTING, COMMITTED, "
                         "ABORTED or PREPARED",
                         given);
    if (older_than && !duration_parse(older_than, &older_than_ms))
        return ctl_wrong("--older-than '%s': write a time like 250ms, 5s, 2m or 1h", older_than);
    code = ctl_connect(ctl);
    if (code != EXIT_DONE)
        return code;
    if (settle_txn_list(ctl->settle, state, older_than_ms, &list, &count, ctl->args.timeout_ms,
                        &err) != 0)
        return ctl_failed(&err, false, "list the transactions");
    rc = view_txns(&ctl->view, list, count);
    settle_txns_free(list);
    return ctl_printed(rc, EXIT_DONE);
}

const struct verb TXN_LIST = {
    .name = "txn list",
    .summary = "Transactions in flight and in doubt",
    .detail = "States, at a coordinator: READING (read-only branches are asked), PREPARING, "
              "QUERYING (taken\nover, votes are asked for), ABORTING, COMMITTED and ABORTED "
              "(decided, not acknowledged by all);\nat a participant that nobody drives: PREPARED.",
    .options = list_options,
    .run = txn_list,
};

static int txn_show(struct ctl *ctl)
{
    struct settle_txn *list = NULL;
    struct settle_error err;
    struct settle_id id;
    size_t count = 0;
    int rc, code;

    if (settle_id_parse(ctl->args.operand, &id) != 0)
        return ctl_wrong("'%s' is no id: a UUIDv7 of 36 characters, as 'settlectl id' prints",
                         ctl->args.operand);
    code = ctl_connect(ctl);
    if (code != EXIT_DONE)
        return code;
    if (settle_txn_show(ctl->settle, &id, &list, &count, ctl->args.timeout_ms, &err) != 0)
        return ctl_failed(&err, false, "show %s", ctl->args.operand);
    rc = view_txn_details(&ctl->view, list, count);
    settle_txns_free(list);
    return ctl_printed(rc, EXIT_DONE);
}

const struct verb TXN_SHOW = {
    .name = "txn show",
    .operand = "ID",
    .summary = "What coordinator and participants say of one transaction",
    .run = txn_show,
};

/* ---- audit ---- */

static int audit(struct ctl *ctl)
{
    struct settle_audit audit;
    struct settle_error err;
    int rc, code = ctl_connect(ctl);

    if (code != EXIT_DONE)
        return code;
    if (settle_audit_run(ctl->settle, &audit, ctl->args.timeout_ms, &err) != 0)
        return ctl_failed(&err, false, "audit");
    rc = view_audit(&ctl->view, &audit);
    for (size_t i = 0; i < audit.missing_count; i++) {
        ctl_wrong("the audit is incomplete: %s could not be read; start it and audit again",
                  audit.missing[i]);
        code = EXIT_REFUSED;
    }
    for (size_t i = 0; i < audit.line_count; i++) {
        if (audit.lines[i].balanced)
            continue;
        if (audit.missing_count == 0)
            ctl_wrong("%s does not balance: %s is posted over all participants, not 0",
                      audit.lines[i].currency, audit.lines[i].posted);
        code = EXIT_REFUSED;
    }
    if (!audit.balanced)
        code = EXIT_REFUSED;
    settle_audit_release(&audit);
    return ctl_printed(rc, code);
}

const struct verb AUDIT = {
    .name = "audit",
    .summary = "Whether money is conserved over all participants, per currency",
    .detail = "At one consistent cut, while transfers go on. Fails, too, when a participant could "
              "not be read:\nthe audit is then incomplete, which is not the same as unbalanced.",
    .run = audit,
};
