/* What settlectl prints, to the letter: the keys of --json are a contract, columns are for eyes. */
#include "settlectl/view.h"

#include "support/runner.h"

#include <stdlib.h>
#include <string.h>

#define ID "01936f0e-7c5e-7a41-9d5b-2f8a5b1c7e10"

static struct view view;
static char *text;
static size_t size;

static void begin(bool json)
{
    view.json = json;
    view.out = open_memstream(&text, &size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(view.out);
}

static void expect(int rc, const char *wanted)
{
    fclose(view.out);
    CU_ASSERT_EQUAL(rc, 0);
    if (strcmp(text, wanted) != 0)
        printf("\n--- wanted\n%s--- got\n%s", wanted, text);
    CU_ASSERT_STRING_EQUAL(text, wanted);
    free(text);
    text = NULL;
}

static struct settle_id an_id(void)
{
    struct settle_id id;

    CU_ASSERT_EQUAL_FATAL(settle_id_parse(ID, &id), 0);
    return id;
}

static void outcome_committed(void)
{
    struct settle_outcome outcome = {
        .id = an_id(), .result = SETTLE_COMMITTED, .committed_ms = 1732476000123};

    begin(true);
    expect(view_outcome(&view, &outcome),
           "{\"id\":\"" ID "\",\"outcome\":\"COMMITTED\",\"reason\":null,\"participant\":null,"
           "\"committed_at\":\"2024-11-24T19:20:00.123Z\"}\n");
    begin(false);
    expect(view_outcome(&view, &outcome), "id        " ID "\n"
                                          "outcome   COMMITTED\n"
                                          "at        2024-11-24T19:20:00.123Z\n");
}

static void outcome_aborted(void)
{
    struct settle_outcome outcome = {.id = an_id(),
                                     .result = SETTLE_ABORTED,
                                     .reason = SETTLE_REASON_FUNDS,
                                     .participant = "bank-a"};

    begin(true);
    expect(view_outcome(&view, &outcome),
           "{\"id\":\"" ID "\",\"outcome\":\"ABORTED\",\"reason\":\"FUNDS\",\"participant\":"
           "\"bank-a\",\"committed_at\":null}\n");
    begin(false);
    expect(view_outcome(&view, &outcome),
           "id        " ID "\n"
           "outcome   ABORTED\n"
           "reason    FUNDS at bank-a: the debit would take the account below its floor\n");
}

static void outcome_unknown_says_what_to_do(void)
{
    struct settle_outcome outcome = {
        .id = an_id(), .result = SETTLE_UNKNOWN, .reason = SETTLE_REASON_UNKNOWN_OUTCOME};

    begin(false);
    expect(view_outcome(&view, &outcome),
           "id        " ID "\n"
           "outcome   UNKNOWN\n"
           "reason    UNKNOWN_OUTCOME: the outcome is not known yet; ask again by id\n"
           "next      ask again with: settlectl outcome " ID "\n");
}

static const struct settle_account accounts[] = {
    {.account = "ALICE",
     .currency = "EUR",
     .status = SETTLE_OPEN,
     .has_floor = 1,
     .floor = -100000,
     .posted = 123456,
     .has_available = 1,
     .available = 223406,
     .debits_pending = 50,
     .credits_pending = 7},
    {.account = "CASH",
     .currency = "JPY",
     .status = SETTLE_BLOCKED_DEBITS,
     .system = 1,
     .posted = -1500},
};

static void accounts_in_columns(void)
{
    begin(false);
    expect(view_accounts(&view, "bank-a", accounts, 2),
           "ACCOUNT       CURRENCY  STATUS                      FLOOR   POSTED  AVAILABLE  "
           "DEBITS-PENDING  CREDITS-PENDING\n"
           "bank-a/ALICE  EUR       OPEN                     -1000.00  1234.56    2234.06  "
           "          0.50             0.07\n"
           "bank-a/CASH   JPY       BLOCKED_DEBITS (system)      none    -1500  unlimited  "
           "             0                0\n");
}

static void accounts_in_json(void)
{
    begin(true);
    expect(view_accounts(&view, "bank-a", accounts, 2),
           "{\"account\":\"bank-a/ALICE\",\"currency\":\"EUR\",\"status\":\"OPEN\",\"system\":"
           "false,\"floor\":\"-1000.00\",\"posted\":\"1234.56\",\"available\":\"2234.06\","
           "\"debits_pending\":\"0.50\",\"credits_pending\":\"0.07\"}\n"
           "{\"account\":\"bank-a/CASH\",\"currency\":\"JPY\",\"status\":\"BLOCKED_DEBITS\","
           "\"system\":true,\"floor\":null,\"posted\":\"-1500\",\"available\":null,"
           "\"debits_pending\":\"0\",\"credits_pending\":\"0\"}\n");
}

static void a_statement(void)
{
    struct settle_account_key key = {"bank-a", "ALICE", "EUR"};
    struct settle_entry entries[] = {
        {an_id(), SETTLE_CREDIT, 5, 1239, 1732476000123, "caf\xc3\xa9 \"au lait\""},
        {an_id(), SETTLE_DEBIT, 1234567, 1234, 1732476000000, ""},
    };

    begin(false);
    expect(view_statement(&view, &key, entries, 2),
           "COMMITTED                 ID                                       DEBIT  CREDIT  "
           "BALANCE  MEMO\n"
           "2024-11-24T19:20:00.123Z  " ID "              0.05    12.39  "
           "caf\xc3\xa9 \"au lait\"\n"
           "2024-11-24T19:20:00.000Z  " ID "  12345.67            12.34  \n");
    begin(true);
    expect(view_statement(&view, &key, entries, 1),
           "{\"account\":\"bank-a/ALICE\",\"currency\":\"EUR\",\"id\":\"" ID "\","
           "\"committed_at\":\"2024-11-24T19:20:00.123Z\",\"side\":\"credit\",\"amount\":\"0.05\","
           "\"balance\":\"12.39\",\"memo\":\"caf\xc3\xa9 \\\"au lait\\\"\"}\n");
}

static struct settle_status a_status(void)
{
    static struct settle_coordinator coordinators[2];
    static struct settle_participant participants[2];
    struct settle_status status = {.cluster = "prod",
                                   .coordinators = coordinators,
                                   .coordinator_count = 2,
                                   .participants = participants,
                                   .participant_count = 2,
                                   .in_flight = 1,
                                   .in_doubt = 2,
                                   .committed = 3,
                                   .aborted = 4,
                                   .stale_refused = 5,
                                   .lmdb_commits = 6};

    memset(coordinators, 0, sizeof(coordinators));
    memset(participants, 0, sizeof(participants));
    coordinators[0] = (struct settle_coordinator){.id = "coordinator-1",
                                                  .address = "127.0.0.1:7401",
                                                  .live = 1,
                                                  .role = SETTLE_LEADER,
                                                  .group_count = 4,
                                                  .answered = 1};
    for (uint16_t i = 0; i < 4; i++) {
        coordinators[0].groups[i].group = (uint16_t)(i < 3 ? i : 9);
        coordinators[0].groups[i].epoch = UINT64_C(18446744073709551600) + i;
    }
    coordinators[1] = (struct settle_coordinator){
        .id = "coordinator-2", .live = 0, .role = SETTLE_STANDBY};
    participants[0] = (struct settle_participant){.id = "bank-a",
                                                  .address = "127.0.0.1:7411",
                                                  .up = 1,
                                                  .incarnation = 7,
                                                  .prepared = 2,
                                                  .stale_refused = 5,
                                                  .answered = 1};
    participants[1] = (struct settle_participant){.id = "bank-b", .up = 0};
    return status;
}

static void a_status_in_columns(void)
{
    struct settle_status status = a_status();

    begin(false);
    expect(view_status(&view, &status),
           "cluster prod\n\n"
           "COORDINATOR    ROLE    GROUPS                 EPOCH  ADDRESS\n"
           "coordinator-1  leader  0-2,9   18446744073709551603  127.0.0.1:7401\n"
           "coordinator-2  down    -                          -  -\n\n"
           "PARTICIPANT  UP   INCARNATION  IN-DOUBT  STALE  ADDRESS\n"
           "bank-a       yes            7         2      5  127.0.0.1:7411\n"
           "bank-b       no             0         ?      ?  -\n\n"
           "in flight 1, in doubt 2, committed 3, aborted 4, stale messages refused 5\n");
}

static void who_is_silent_is_told_from_who_is_down(void)
{
    struct settle_status status = a_status();

    begin(false);
    status.coordinators[0].answered = 0;
    status.coordinators[0].group_count = 0;
    status.participants[0].answered = 0;
    expect(view_status(&view, &status),
           "cluster prod\n\n"
           "COORDINATOR    ROLE    GROUPS  EPOCH  ADDRESS\n"
           "coordinator-1  silent  -           -  127.0.0.1:7401\n"
           "coordinator-2  down    -           -  -\n\n"
           "PARTICIPANT  UP      INCARNATION  IN-DOUBT  STALE  ADDRESS\n"
           "bank-a       silent            7         ?      ?  127.0.0.1:7411\n"
           "bank-b       no                0         ?      ?  -\n\n"
           "in flight 1, in doubt 2, committed 3, aborted 4, stale messages refused 5\n");
}

static void a_status_in_json(void)
{
    struct settle_status status = a_status();

    begin(true);
    status.coordinators[0].group_count = 1;
    expect(
        view_status(&view, &status),
        "{\"cluster\":\"prod\",\"coordinators\":[{\"id\":\"coordinator-1\",\"role\":\"leader\","
        "\"live\":true,\"address\":\"127.0.0.1:7401\",\"groups\":[{\"group\":0,\"epoch\":"
        "\"18446744073709551600\"}],\"answered\":true},{\"id\":\"coordinator-2\",\"role\":"
        "\"standby\",\"live\":"
        "false,\"address\":null,\"groups\":[],\"answered\":false}],\"participants\":[{\"id\":"
        "\"bank-a\",\"up\":true,"
        "\"incarnation\":\"7\",\"address\":\"127.0.0.1:7411\",\"in_doubt\":2,\"stale_refused\":5,"
        "\"answered\":true},{\"id\":\"bank-b\",\"up\":false,\"incarnation\":\"0\",\"address\":null,"
        "\"in_doubt\":null,\"stale_refused\":null,\"answered\":false}],\"in_flight\":1,\"in_"
        "doubt\":2,\"committed\":3,\"aborted\":4,"
        "\"stale_refused\":5,\"lmdb_commits\":6}\n");
}

static struct settle_txn a_txn(void)
{
    struct settle_txn txn = {.id = an_id(),
                             .state = "PREPARING",
                             .protocol = SETTLE_2PC,
                             .group = 3,
                             .epoch = UINT64_C(9007199254740993),
                             .age_ms = 6250,
                             .has_deadline = 1,
                             .deadline_in_ms = 1500,
                             .seen_by = "coordinator-1",
                             .error = "bank-b is down",
                             .party_count = 2,
                             .value_count = 1};

    txn.parties[0] = (struct settle_txn_party){"bank-a", "YES", 0};
    txn.parties[1] = (struct settle_txn_party){"bank-b", "NONE", 1};
    txn.value[0] = (struct settle_value){"EUR", 1250};
    return txn;
}

static void transactions_in_json(void)
{
    struct settle_txn txn = a_txn();

    begin(true);
    expect(view_txns(&view, &txn, 1),
           "{\"id\":\"" ID "\",\"state\":\"PREPARING\",\"protocol\":\"2pc\",\"group\":3,\"epoch\":"
           "\"9007199254740993\",\"age_ms\":6250,\"deadline_in_ms\":1500,\"waiting_for\":"
           "[\"bank-b\"],\"value\":[{\"currency\":\"EUR\",\"amount\":\"12.50\"}],\"votes\":"
           "[{\"participant\":\"bank-a\",\"vote\":\"YES\"},{\"participant\":\"bank-b\",\"vote\":"
           "\"NONE\"}],\"reason\":null,\"error\":\"bank-b is down\",\"seen_by\":"
           "\"coordinator-1\"}\n");
    begin(true);
    expect(view_txns(&view, &txn, 0), "");
}

static void transactions_in_columns(void)
{
    struct settle_txn txn = a_txn();

    begin(false);
    expect(view_txns(&view, &txn, 1),
           "ID                                    STATE      PROTOCOL  GROUP             EPOCH    "
           "AGE  VOTES                   WAITING-FOR  VALUE      LAST-ERROR\n" ID
           "  PREPARING  2pc           3  9007199254740993  6.2 s  bank-a:YES bank-b:NONE  bank-b  "
           "     EUR 12.50  bank-b is down\n");
    begin(false);
    expect(view_txns(&view, &txn, 0), "nothing is in flight or in doubt\n");
}

static void one_transaction_in_full(void)
{
    struct settle_txn txn = a_txn();

    begin(false);
    expect(view_txn_details(&view, &txn, 1), "id        " ID "\n"
                                             "seen by   coordinator-1\n"
                                             "state     PREPARING\n"
                                             "protocol  2pc\n"
                                             "group     3\n"
                                             "epoch     9007199254740993\n"
                                             "age       6.2 s\n"
                                             "deadline  in 1.5 s\n"
                                             "value     EUR 12.50\n"
                                             "error     bank-b is down\n"
                                             "PARTICIPANT  VOTE  WAITING\n"
                                             "bank-a       YES   no\n"
                                             "bank-b       NONE  yes\n");
}

static void an_audit(void)
{
    struct settle_audit_line lines[] = {
        {"EUR", "0.00", "12.50", 1}, {"JPY", "-170141183460469231731687303715884105728", "0", 0}};
    struct settle_audit audit = {
        .cut_ms = 1732476000123, .lines = lines, .line_count = 2, .in_doubt_count = 1};

    begin(true);
    expect(view_audit(&view, &audit),
           "{\"currency\":\"EUR\",\"posted\":\"0.00\",\"in_doubt\":\"12.50\",\"balanced\":true}\n"
           "{\"currency\":\"JPY\",\"posted\":\"-170141183460469231731687303715884105728\","
           "\"in_doubt\":\"0\",\"balanced\":false}\n");
    begin(false);
    audit.line_count = 1;
    expect(view_audit(&view, &audit), "as of 2024-11-24T19:20:00.123Z, 1 in doubt\n\n"
                                      "CURRENCY  POSTED  IN-DOUBT  BALANCED\n"
                                      "EUR         0.00     12.50  yes\n");
    begin(false);
    audit.missing_count = 1;
    expect(view_audit(&view, &audit), "as of 2024-11-24T19:20:00.123Z, 1 in doubt\n\n"
                                      "CURRENCY  POSTED  IN-DOUBT  BALANCED\n"
                                      "EUR         0.00     12.50  incomplete\n");
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"outcome_committed", outcome_committed},
        {"outcome_aborted", outcome_aborted},
        {"outcome_unknown_says_what_to_do", outcome_unknown_says_what_to_do},
        {"accounts_in_columns", accounts_in_columns},
        {"accounts_in_json", accounts_in_json},
        {"a_statement", a_statement},
        {"a_status_in_columns", a_status_in_columns},
        {"who_is_silent_is_told_from_who_is_down", who_is_silent_is_told_from_who_is_down},
        {"a_status_in_json", a_status_in_json},
        {"transactions_in_json", transactions_in_json},
        {"transactions_in_columns", transactions_in_columns},
        {"one_transaction_in_full", one_transaction_in_full},
        {"an_audit", an_audit},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {{"settlectl_view", NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};

    return runner_main(suites, argc, argv);
}
