/* Operators' calls: what a response means, and lists over several pages. */
#include "client/stage.h"

static struct envelope response_to(const struct envelope *request, enum admin_code code)
{
    struct envelope envelope;

    memset(&envelope, 0, sizeof(envelope));
    envelope.kind = WIRE_ADMIN_RESPONSE;
    envelope.request = request->request;
    envelope.admin_response.code = code;
    return envelope;
}

/* As many accounts as the cursor says are left, ten a page; 25 in all. */
static void lists(struct actor *actor, struct conn *conn, const struct envelope *envelope)
{
    struct envelope response = response_to(envelope, ADMIN_OK);
    struct account_info list[10];
    uint64_t at = envelope->admin_request.account_list.cursor;
    uint16_t count = at == 20 ? 5 : 10;

    memset(list, 0, sizeof(list));
    for (uint16_t i = 0; i < count; i++) {
        struct account_attributes *attributes = &list[i].row.attributes;

        snprintf(attributes->name.text, sizeof(attributes->name.text), "A-%u", (unsigned)at + i);
        memcpy(attributes->currency.code, "EUR", 4);
        attributes->number = (uint32_t)at + i;
        attributes->status = ACCOUNT_OPEN;
        attributes->has_floor = true;
        list[i].row.credits_posted = 100;
        list[i].row.debits_posted = 30;
        list[i].has_available = true;
        list[i].available = 70;
    }
    response.admin_response.body = ADMIN_BODY_ACCOUNTS;
    response.admin_response.accounts.list = list;
    response.admin_response.accounts.count = count;
    response.admin_response.accounts.next = at == 20 ? 0 : at + 10;
    actor_send(actor, conn, &response);
}

static void a_list_of_several_pages_comes_whole(void)
{
    struct settle_account *list = NULL;
    struct settle_error err;
    struct stage stage;
    size_t count = 0;

    stage_open(&stage, lists, NULL, 0);
    CU_ASSERT_EQUAL_FATAL(settle_account_list(stage.settle, "bank-a", &list, &count, 10000, &err),
                          0);
    CU_ASSERT_EQUAL_FATAL(count, 25);
    CU_ASSERT_STRING_EQUAL(list[0].account, "A-0");
    CU_ASSERT_STRING_EQUAL(list[24].account, "A-24");
    CU_ASSERT_EQUAL(list[24].posted, 70);
    CU_ASSERT_EQUAL(list[24].available, 70);
    CU_ASSERT_EQUAL(list[24].status, SETTLE_OPEN);
    settle_accounts_free(list);
    stage_close(&stage);
}

static int create(struct stage *stage, struct settle_error *err)
{
    struct settle_account_key key = {"bank-a", "ALICE", "EUR"};
    struct settle_account account;
    const int64_t floor = 0;

    return settle_account_create(stage->settle, &key, 0, &floor, &account, 500, err);
}

static void says_no(struct actor *actor, struct conn *conn, const struct envelope *envelope)
{
    static const struct {
        enum admin_code code;
        enum reason reason;
        const char *text;
    } answers[] = {
        {ADMIN_REFUSED, REASON_ACCOUNT_EXISTS, ""},
        {ADMIN_UNAVAILABLE, REASON_PARTICIPANT_DOWN, "bank-a is away"},
        {ADMIN_UNKNOWN, REASON_NONE, "bank-a did not answer"},
        {ADMIN_FAILED, REASON_NONE, "the disk is on fire"},
    };
    unsigned number = actor_number(actor) % 4;
    struct envelope response = response_to(envelope, answers[number].code);

    response.admin_response.reason = answers[number].reason;
    snprintf(response.admin_response.text, sizeof(response.admin_response.text), "%s",
             answers[number].text);
    actor_send(actor, conn, &response);
}

static void every_no_has_its_code(void)
{
    static const struct {
        int code;
        const char *reason, *text;
    } rows[] = {
        {SETTLE_ERR_REFUSED, "ACCOUNT_EXISTS", "the account exists with other attributes"},
        {SETTLE_ERR_UNREACHABLE, "PARTICIPANT_DOWN", "bank-a is away"},
        {SETTLE_ERR_TIMEOUT, "NONE", "bank-a did not answer"},
        {SETTLE_ERR_IO, "NONE", "the disk is on fire"},
    };
    struct stage stage;

    stage_open(&stage, says_no, NULL, 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct settle_error err;

        CU_ASSERT_EQUAL(create(&stage, &err), rows[i].code);
        CU_ASSERT_EQUAL(err.code, rows[i].code);
        CU_ASSERT_STRING_EQUAL(settle_reason_name(err.reason), rows[i].reason);
        CU_ASSERT_STRING_EQUAL(err.text, rows[i].text);
    }
    stage_close(&stage);
}

static void answers_something_else(struct actor *actor, struct conn *conn,
                                   const struct envelope *envelope)
{
    struct envelope response = response_to(envelope, ADMIN_OK);

    if (actor_number(actor) % 2 == 0)
        response.admin_response.body = ADMIN_BODY_NONE;
    else
        response.admin_response.body = ADMIN_BODY_ACCOUNTS; /* of which there is none */
    actor_send(actor, conn, &response);
}

static void another_body_than_asked_for_is_an_error(void)
{
    struct settle_account *list = NULL;
    struct settle_error err;
    struct stage stage;
    size_t count = 0;

    stage_open(&stage, answers_something_else, NULL, 0);
    CU_ASSERT_EQUAL(settle_account_list(stage.settle, "bank-a", &list, &count, 5000, &err),
                    SETTLE_ERR_PROTOCOL);
    CU_ASSERT_PTR_NULL(list);
    CU_ASSERT_EQUAL(create(&stage, &err), SETTLE_ERR_PROTOCOL);
    CU_ASSERT_STRING_EQUAL(err.text, "the participant answered with 0 accounts, not with the one");
    stage_close(&stage);
}

static void is_silent(struct actor *actor, struct conn *conn, const struct envelope *envelope)
{
    (void)actor;
    (void)conn;
    (void)envelope;
}

static void no_answer_to_an_act_leaves_it_open(void)
{
    struct settle_error err;
    struct stage stage;

    stage_open(&stage, is_silent, NULL, 0);
    CU_ASSERT_EQUAL(create(&stage, &err), SETTLE_ERR_TIMEOUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "may have been done"));
    stage_close(&stage);
}

static void nobody_to_ask(void)
{
    struct settle_error err;
    struct stage stage;

    stage_open(&stage, is_silent, NULL, 0);
    actor_kill(&stage.one);
    /* The first may still be sent into the connection that has just ended. */
    create(&stage, &err);
    CU_ASSERT_EQUAL(create(&stage, &err), SETTLE_ERR_UNREACHABLE);
    CU_ASSERT_STRING_EQUAL(err.text, "no coordinator answers");
    stage_close(&stage);
}

static void audits(struct actor *actor, struct conn *conn, const struct envelope *envelope)
{
    struct envelope response = response_to(envelope, ADMIN_OK);
    struct audit_line lines[3];
    struct node_name missing;

    memset(lines, 0, sizeof(lines));
    memcpy(lines[0].currency.code, "BHD", 4);
    lines[0].posted = -1;
    memcpy(lines[1].currency.code, "EUR", 4);
    lines[1].in_doubt = 1250;
    memcpy(lines[2].currency.code, "JPY", 4);
    lines[2].posted = (int128)INT64_MAX * 4;
    node_name_parse(&missing, "bank-c", 6);
    response.admin_response.body = ADMIN_BODY_AUDIT;
    response.admin_response.audit.timestamp = timestamp_of_ms(1732476000123);
    response.admin_response.audit.lines = lines;
    response.admin_response.audit.line_count = 3;
    response.admin_response.audit.doubt_count = 1;
    if (actor_number(actor) == 1) {
        response.admin_response.audit.lines = &lines[1];
        response.admin_response.audit.line_count = 1;
        response.admin_response.audit.missing = &missing;
        response.admin_response.audit.missing_count = 1;
    }
    actor_send(actor, conn, &response);
}

static void an_audit_in_major_units(void)
{
    struct settle_audit audit;
    struct settle_error err;
    struct stage stage;

    stage_open(&stage, audits, NULL, 0);
    CU_ASSERT_EQUAL_FATAL(settle_audit_run(stage.settle, &audit, 10000, &err), 0);
    CU_ASSERT_EQUAL(audit.cut_ms, 1732476000123);
    CU_ASSERT_EQUAL_FATAL(audit.line_count, 3);
    CU_ASSERT_STRING_EQUAL(audit.lines[0].posted, "-0.001");
    CU_ASSERT_FALSE(audit.lines[0].balanced);
    CU_ASSERT_STRING_EQUAL(audit.lines[1].posted, "0.00");
    CU_ASSERT_STRING_EQUAL(audit.lines[1].in_doubt, "12.50");
    CU_ASSERT(audit.lines[1].balanced);
    CU_ASSERT_STRING_EQUAL(audit.lines[2].posted, "36893488147419103228");
    CU_ASSERT_EQUAL(audit.in_doubt_count, 1);
    CU_ASSERT_FALSE(audit.balanced);
    settle_audit_release(&audit);
    stage_close(&stage);
}

static void an_audit_without_everybody_is_not_balanced(void)
{
    struct settle_audit audit;
    struct settle_error err;
    struct stage stage;

    stage_open(&stage, audits, NULL, 0);
    CU_ASSERT_EQUAL_FATAL(settle_audit_run(stage.settle, &audit, 10000, &err), 0);
    settle_audit_release(&audit);
    CU_ASSERT_EQUAL_FATAL(settle_audit_run(stage.settle, &audit, 10000, &err), 0);
    CU_ASSERT_EQUAL_FATAL(audit.missing_count, 1);
    CU_ASSERT_STRING_EQUAL(audit.missing[0], "bank-c");
    CU_ASSERT(audit.lines[0].balanced);
    CU_ASSERT_FALSE(audit.balanced);
    settle_audit_release(&audit);
    stage_close(&stage);
}

static void names_that_are_none(void)
{
    struct settle_account_key keys[] = {{"Bank", "ALICE", "EUR"},
                                        {"bank-a", "alice", "EUR"},
                                        {"bank-a", "ALICE", "EURO"},
                                        {"bank-a", "ALICE", NULL},
                                        {NULL, "ALICE", "EUR"}};
    struct stage stage;

    stage_open(&stage, is_silent, NULL, 0);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        struct settle_account account;
        struct settle_error err;

        CU_ASSERT_EQUAL(settle_account_close(stage.settle, &keys[i], &account, 500, &err),
                        SETTLE_ERR_USAGE);
    }
    CU_ASSERT_EQUAL(actor_requests(&stage.one), 0);
    stage_close(&stage);
}

CU_TestInfo admin_tests[] = {
    {"a_list_of_several_pages_comes_whole", a_list_of_several_pages_comes_whole},
    {"every_no_has_its_code", every_no_has_its_code},
    {"another_body_than_asked_for_is_an_error", another_body_than_asked_for_is_an_error},
    {"no_answer_to_an_act_leaves_it_open", no_answer_to_an_act_leaves_it_open},
    {"nobody_to_ask", nobody_to_ask},
    {"an_audit_in_major_units", an_audit_in_major_units},
    {"an_audit_without_everybody_is_not_balanced", an_audit_without_everybody_is_not_balanced},
    {"names_that_are_none", names_that_are_none},
    CU_TEST_INFO_NULL,
};
