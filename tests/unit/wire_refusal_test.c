/*
 * Every field that may be wrong, made wrong alone: each is refused with its own sentence.
 *
 * A row changes one field of a valid message; the decoder must say where it is and what is wrong.
 */
#include "record.pb-c.h"
#include "support/pb_edit.h"
#include "support/runner.h"
#include "support/wire_samples.h"
#include "wire.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

#define MEMORY_SIZE (16u * 1024 * 1024)

static struct arena samples, work, decoded;
static uint8_t *frame;

static int open_memory(void)
{
    void *for_samples = malloc(MEMORY_SIZE), *for_work = malloc(MEMORY_SIZE);
    void *for_decoded = malloc(WIRE_ARENA_SIZE);

    frame = malloc(WIRE_FRAME_MAX);
    if (!for_samples || !for_work || !for_decoded || !frame)
        return 1;
    arena_init(&samples, for_samples, MEMORY_SIZE);
    arena_init(&work, for_work, MEMORY_SIZE);
    arena_init(&decoded, for_decoded, WIRE_ARENA_SIZE);
    return 0;
}

static int close_memory(void)
{
    free(samples.bytes);
    free(work.bytes);
    free(decoded.bytes);
    free(frame);
    return 0;
}

struct row {
    const char *sample;
    const char *path;
    struct pb_change change;
    const char *sentence;
};

#define DROP                \
    {                       \
        PB_DROP, 0, NULL, 0 \
    }
#define NUMBER(n)               \
    {                           \
        PB_NUMBER, (n), NULL, 0 \
    }
#define TEXT(t)                         \
    {                                   \
        PB_BYTES, 0, (t), sizeof(t) - 1 \
    }
#define REPEAT(n)               \
    {                           \
        PB_REPEAT, (n), NULL, 0 \
    }

#define ZERO_16        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define NOT_16         "has 5 bytes, not 16"
#define NOT_A_NAME     "is not a name of 1 to 31 characters of a-z, 0-9 and '-'"
#define NOT_AN_ACCOUNT "is not an account id of 1 to 34 of A-Z, 0-9 and '-'"
#define NOT_A_CURRENCY "is not a code of three letters A-Z"
#define NOT_PRINTABLE  "is not UTF-8 without control characters"

static const struct row commit_rows[] = {
    {"msg_seal", "header", DROP, "seal: epoch is missing"},
    {"msg_seal", "header/epoch", NUMBER(0), "seal: epoch is zero"},
    {"msg_seal", "header/group", NUMBER(256), "seal: group is 256, above the maximum of 255"},
    {"msg_seal", "seal/guid", DROP, "seal: guid is missing"},
    {"msg_seal", "seal/guid", TEXT("short"), "seal: guid " NOT_16},
    {"msg_seal", "seal/guid", TEXT(ZERO_16 "\0"), "seal: guid is zero"},
    {"msg_sealed", "header/epoch", DROP, "sealed: epoch is missing"},
    {"msg_sealed", "sealed/guid", DROP, "sealed: guid is missing"},
    {"msg_prepare", "header/epoch", DROP, "prepare: epoch is missing"},
    {"msg_prepare", "header/sequence", DROP, "prepare: sequence is missing"},
    {"msg_prepare", "header/sequence", NUMBER(0), "prepare: sequence is zero"},
    {"msg_prepare", "header/id", DROP, "prepare: id is missing"},
    {"msg_prepare", "header/id", TEXT("short"), "prepare: id " NOT_16},
    {"msg_prepare", "header/id", TEXT(ZERO_16 "\0"), "prepare: id is zero"},
    {"msg_prepare", "header/digest", DROP, "prepare: digest is missing"},
    {"msg_prepare", "prepare/protocol", DROP, "prepare: protocol is missing"},
    {"msg_prepare", "prepare/protocol", NUMBER(3), "prepare: protocol has the unknown value 3"},
    {"msg_prepare", "prepare/protocol", NUMBER(-1),
     "prepare: protocol has the unknown value 4294967295"},
    {"msg_prepare", "prepare/party", DROP, "prepare: party has 0 elements, below the minimum of 1"},
    {"msg_prepare", "prepare/party", REPEAT(17),
     "prepare: party has 17 elements, above the maximum of 16"},
    {"msg_prepare", "prepare/party", REPEAT(2),
     "prepare: party 1 does not follow its predecessor by name"},
    {"msg_prepare", "prepare/party.1/node", DROP, "prepare: party 1: node is missing"},
    {"msg_prepare", "prepare/party.1/node", TEXT("Bank"), "prepare: party 1: node " NOT_A_NAME},
    {"msg_prepare", "prepare/party.1/node", TEXT("n0\0x"), "prepare: party 1: node " NOT_A_NAME},
    {"msg_prepare", "prepare/party.0/store", DROP, "prepare: party 0: store is missing"},
    {"msg_prepare", "prepare/party.0/store", TEXT(ZERO_16 "\0"), "prepare: party 0: store is zero"},
    {"msg_prepare", "prepare/branch", DROP, "prepare: branch is missing"},
    {"msg_check", "header/digest", DROP, "check: digest is missing"},
    {"msg_check", "check/branch", DROP, "check: branch is missing"},
    {"msg_commit", "header/sequence", DROP, "commit: sequence is missing"},
    {"msg_commit", "commit/timestamp", DROP, "commit: timestamp is missing"},
    {"msg_commit", "commit/timestamp", NUMBER(0), "commit: timestamp is zero"},
    {"msg_abort", "header/id", DROP, "abort: id is missing"},
    {"msg_abort", "abort/reason", NUMBER(256), "abort: reason is 256, above the maximum of 255"},
    {"msg_abort_if_mine", "header/sequence", DROP, "abort_if_mine: sequence is missing"},
    {"msg_abort_if_mine", "abort_if_mine/reason", NUMBER(999),
     "abort_if_mine: reason is 999, above the maximum of 255"},
    {"msg_query", "header/digest", DROP, "query: digest is missing"},
    {"msg_end", "header/epoch", DROP, "end: epoch is missing"},
    {"msg_end", "end/exception", REPEAT(65),
     "end: exception has 65 elements, above the maximum of 64"},
    {"msg_end", "end/exception", REPEAT(2),
     "end: exception 1 is not ascending up to the watermark"},
    {"msg_end", "end/watermark", NUMBER(8),
     "end: exception 1 is not ascending up to the watermark"},
    {"msg_report", "header/epoch", DROP, "report: epoch is missing"},
    {"msg_cut", "cut/timestamp", DROP, "cut: timestamp is missing"},
    {"msg_find", "header/id", DROP, "find: id is missing"},
    {"msg_record", "header/sequence", DROP, "record: sequence is missing"},
    {"msg_record", "record/to", DROP, "record: to is missing"},
    {"msg_record", "record/to", NUMBER(MSG_SEALED), "record: to has the unknown value 32"},
    {"msg_record", "record/answer", DROP, "record: answer is missing"},
    {"msg_record", "record/answer", NUMBER(6), "record: answer has the unknown value 6"},
    {"msg_record", "record/answer", NUMBER(ANSWER_BUSY),
     "record: state stands beside an answer that has none"},
    {"msg_record", "record/state", NUMBER(4), "record: state has the unknown value 4"},
    {"msg_record", "record/first_epoch", DROP, "record: first_epoch is missing"},
    {"msg_record", "record/first_sequence", DROP, "record: first_sequence is missing"},
    {"msg_record", "record/timestamp", DROP, "record: timestamp is missing"},
    {"msg_record", "record/net", REPEAT(9), "record: net has 9 elements, above the maximum of 8"},
    {"msg_record", "record/net", REPEAT(2), "record: net names XAA twice"},
    {"msg_record", "record/net.1/currency", DROP, "record: net 1: currency is missing"},
    {"msg_record", "record/net.1/currency", TEXT("usd"), "record: net 1: currency " NOT_A_CURRENCY},
    {"msg_record", "record/reason", NUMBER(256), "record: reason is 256, above the maximum of 255"},
    {"msg_checked", "checked/holds", DROP, "checked: holds is missing"},
    {"msg_stale", "header/epoch", DROP, "stale: epoch is missing"},
    {"msg_stale", "stale/to", DROP, "stale: to is missing"},
    {"msg_stale", "stale/sealed_guid", TEXT("short"), "stale: sealed_guid " NOT_16},
    {"msg_report_page", "report_page/named", REPEAT(65),
     "report_page: named has 65 elements, above the maximum of 64"},
    {"msg_report_page", "report_page/named.1/id", DROP, "report_page: named 1: id is missing"},
    {"msg_report_page", "report_page/named.1/digest", DROP,
     "report_page: named 1: digest is missing"},
    {"msg_report_page", "report_page/named.0/protocol", DROP,
     "report_page: named 0: protocol is missing"},
    {"msg_report_page", "report_page/named.0/party", DROP,
     "report_page: named 0: party has 0 elements, below the minimum of 1"},
    {"msg_orphan", "orphan/named.1/party.1/store", TEXT("short"),
     "orphan: named 1: party 1: store " NOT_16},
    {"msg_cut_result", "cut_result/status", DROP, "cut_result: status is missing"},
    {"msg_cut_result", "cut_result/status", NUMBER(5),
     "cut_result: status has the unknown value 5"},
    {"msg_cut_result", "cut_result/total", REPEAT(193),
     "cut_result: total has 193 elements, above the maximum of 192"},
    {"msg_cut_result", "cut_result/doubt", REPEAT(65),
     "cut_result: doubt has 65 elements, above the maximum of 64"},
    {"msg_cut_result", "cut_result/doubt.1/id", DROP, "cut_result: doubt 1: id is missing"},
    {"msg_cut_result", "cut_result/doubt.1/digest", DROP, "cut_result: doubt 1: digest is missing"},
    {"msg_cut_result", "cut_result/doubt.1/net", REPEAT(9),
     "cut_result: doubt 1: net has 9 elements, above the maximum of 8"},
    {"msg_found", "header/id", DROP, "found: id is missing"},
    {"msg_found", "header/digest", DROP, "found: digest is missing"},
    {"msg_found", "found/state", DROP, "found: state is missing"},
    {"msg_found", "found/protocol", DROP, "found: protocol is missing"},
    {"msg_found", "found/party", DROP, "found: party has 0 elements, below the minimum of 1"},
};

static const struct row hello_rows[] = {
    {"hello", "hello/version", DROP, "hello: version is missing"},
    {"hello", "hello/version", NUMBER(0), "hello: version is zero"},
    {"hello", "hello/role", DROP, "hello: role is missing"},
    {"hello", "hello/role", NUMBER(4), "hello: role has the unknown value 4"},
    {"hello", "hello/cluster", DROP, "hello: cluster is missing"},
    {"hello", "hello/cluster", TEXT("A"), "hello: cluster " NOT_A_NAME},
    {"hello", "hello/cluster_guid", TEXT("short"), "hello: cluster_guid " NOT_16},
    {"hello", "hello/node", DROP, "hello: node is missing"},
    {"hello", "hello/store", DROP, "hello: store is missing"},
    {"hello", "hello/incarnation", DROP, "hello: incarnation is missing"},
    {"hello", "hello/groups", NUMBER(257), "hello: groups is 257, above the maximum of 256"},
    {"hello", "hello/process", DROP, "hello: process is missing"},
    {"welcome", "welcome/process", TEXT(ZERO_16 "\0"), "hello: process is zero"},
    {"refused", "refused/code", DROP, "refused: code is missing"},
    {"refused", "refused/code", NUMBER(8), "refused: code has the unknown value 8"},
    {"refused", "refused/text", TEXT("a\0b"), "refused: text " NOT_PRINTABLE},
    {"refused", "refused/text", TEXT("a\xc3"), "refused: text " NOT_PRINTABLE},
};

static const struct row client_rows[] = {
    {"submit", "request", DROP, "request is missing"},
    {"submit", "request", NUMBER(0), "request is zero"},
    {"submit", "submit/id", DROP, "submit: id is missing"},
    {"submit", "submit/id", TEXT("short"), "submit: id " NOT_16},
    {"submit", "submit/protocol", DROP, "submit: protocol is missing"},
    {"submit", "submit/branch", REPEAT(129),
     "submit: branch has 129 elements, above the maximum of 128"},
    {"submit", "submit/branch.1/participant", DROP, "submit: branch 1: participant is missing"},
    {"submit", "submit/branch.1/participant", TEXT(""),
     "submit: branch 1: participant " NOT_A_NAME},
    {"submit", "submit/branch.0/branch", DROP, "submit: branch 0: branch is missing"},
    {"submit_result", "submit_result/id", DROP, "submit_result: id is missing"},
    {"submit_result", "submit_result/outcome", DROP, "submit_result: outcome is missing"},
    {"submit_result", "submit_result/outcome", NUMBER(5),
     "submit_result: outcome has the unknown value 5"},
    {"submit_result", "submit_result/reason", NUMBER(256),
     "submit_result: reason is 256, above the maximum of 255"},
    {"submit_result", "submit_result/participant", TEXT("X"),
     "submit_result: participant " NOT_A_NAME},
    {"submit_result", "submit_result/redirect/group", NUMBER(256),
     "submit_result: redirect: group is 256, above the maximum of 255"},
    {"submit_result", "submit_result/redirect/address", TEXT("a b"),
     "submit_result: redirect: address is not an address of printable ASCII"},
    {"outcome_request", "outcome_request/id", DROP, "outcome_request: id is missing"},
    {"outcome_request", "outcome_request/deadline_ms", NUMBER(0),
     "outcome_request: deadline_ms is zero"},
    {"outcome_request", "outcome_request/deadline_ms", NUMBER(3600001),
     "outcome_request: deadline_ms is 3600001, above the maximum of 3600000"},
};

static const struct row request_rows[] = {
    {"request_account_create", "admin_request/participant", DROP,
     "account_create: participant is missing"},
    {"request_account_create", "admin_request/account_create/account", DROP,
     "account_create: account is missing"},
    {"request_account_create", "admin_request/account_create/account", TEXT("a"),
     "account_create: account " NOT_AN_ACCOUNT},
    {"request_account_create", "admin_request/account_create/currency", DROP,
     "account_create: currency is missing"},
    {"request_account_set", "admin_request/account_set/key", DROP, "account_set: key is missing"},
    {"request_account_set", "admin_request/account_set/status", NUMBER(ACCOUNT_CLOSED),
     "account_set: status has the unknown value 5"},
    {"request_account_close", "admin_request/account_close/account", DROP,
     "account_close: account is missing"},
    {"request_account_show", "admin_request/account_show/currency", TEXT("EURO"),
     "account_show: currency " NOT_A_CURRENCY},
    {"request_account_list", "admin_request/account_list/max", DROP,
     "account_list: max is missing"},
    {"request_account_list", "admin_request/account_list/max", NUMBER(257),
     "account_list: max is 257, above the maximum of 256"},
    {"request_statement", "admin_request/statement/key", DROP, "statement: key is missing"},
    {"request_statement", "admin_request/statement/max", NUMBER(0), "statement: max is zero"},
    {"request_statement", "admin_request/statement/before/position", DROP,
     "statement: position is missing"},
    {"request_statement", "admin_request/statement/before/index", NUMBER(65536),
     "statement: index is 65536, above the maximum of 65535"},
    {"request_participant_status", "admin_request/participant", DROP,
     "participant_status: participant is missing"},
    {"request_txn_list", "admin_request/txn_list/max", NUMBER(65),
     "txn_list: max is 65, above the maximum of 64"},
    {"request_txn_list", "admin_request/txn_list/stage", NUMBER(9),
     "txn_list: stage has the unknown value 9"},
    {"request_txn_show", "admin_request/txn_show/id", DROP, "txn_show: id is missing"},
    {"request_status", "admin_request/participant", TEXT("bank-a"),
     "status: participant is named, but the coordinator is asked"},
    {"request_audit", "admin_request/audit/deadline_ms", DROP, "audit: deadline_ms is missing"},
};

static const struct row response_rows[] = {
    {"response_none", "admin_response/code", DROP, "admin_response: code is missing"},
    {"response_none", "admin_response/code", NUMBER(6),
     "admin_response: code has the unknown value 6"},
    {"response_none", "admin_response/text", TEXT("\x1b"), "admin_response: text " NOT_PRINTABLE},
    {"response_accounts", "admin_response/accounts/account", REPEAT(257),
     "admin_response: accounts: account has 257 elements, above the maximum of 256"},
    {"response_accounts", "admin_response/accounts/account.1/row", DROP,
     "admin_response: accounts: account 1: row is missing"},
    {"response_accounts", "admin_response/accounts/account.1/row/attributes", DROP,
     "admin_response: accounts: account 1: attributes is missing"},
    {"response_accounts", "admin_response/accounts/account.1/row/debits_posted", NUMBER(-1),
     "admin_response: accounts: account 1: debits_posted is -1, below the minimum of 0"},
    {"response_statement", "admin_response/statement/account", DROP,
     "admin_response: statement: account is missing"},
    {"response_statement", "admin_response/statement/entry", REPEAT(257),
     "admin_response: statement: entry has 257 elements, above the maximum of 256"},
    {"response_statement", "admin_response/statement/entry.1/at", DROP,
     "admin_response: statement: entry 1: at is missing"},
    {"response_statement", "admin_response/statement/entry.1/amount", NUMBER(0),
     "admin_response: statement: entry 1: amount is 0, below the minimum of 1"},
    {"response_statement", "admin_response/statement/entry.1/side", NUMBER(3),
     "admin_response: statement: entry 1: side has the unknown value 3"},
    {"response_statement", "admin_response/statement/entry.1/memo", TEXT("\xed\xa0\x80"),
     "admin_response: statement: entry 1: memo " NOT_PRINTABLE},
    {"response_participant_status", "admin_response/participant_status/store", DROP,
     "admin_response: participant_status: store is missing"},
    {"response_txns", "admin_response/txns/txn", REPEAT(65),
     "admin_response: txns: txn has 65 elements, above the maximum of 64"},
    {"response_txns", "admin_response/txns/txn.1/stage", DROP,
     "admin_response: txns: txn 1: stage is missing"},
    {"response_txns", "admin_response/txns/txn.1/party", REPEAT(33),
     "admin_response: txns: txn 1: party has 33 elements, above the maximum of 32"},
    {"response_txns", "admin_response/txns/txn.1/party.1/vote", DROP,
     "admin_response: txns: txn 1: party 1: vote is missing"},
    {"response_txns", "admin_response/txns/txn.1/value.1/currency", TEXT("X"),
     "admin_response: txns: txn 1: value 1: currency " NOT_A_CURRENCY},
    {"response_txn", "admin_response/txn/txn", DROP, "admin_response: txn: txn is missing"},
    {"response_txn", "admin_response/txn/txn/digest", DROP,
     "admin_response: txn: digest is missing"},
    {"response_status", "admin_response/status/node", DROP,
     "admin_response: status: node is missing"},
    {"response_status", "admin_response/status/coordinator", REPEAT(17),
     "admin_response: status: coordinator has 17 elements, above the maximum of 16"},
    {"response_status", "admin_response/status/coordinator.1/role", NUMBER(4),
     "admin_response: status: coordinator 1: role has the unknown value 4"},
    {"response_status", "admin_response/status/coordinator.1/group", REPEAT(257),
     "admin_response: status: coordinator 1: group has 257 elements, above the maximum of 256"},
    {"response_status", "admin_response/status/participant", REPEAT(65),
     "admin_response: status: participant has 65 elements, above the maximum of 64"},
    {"response_cluster", "admin_response/cluster/name", DROP,
     "admin_response: cluster: name is missing"},
    {"response_cluster", "admin_response/cluster/participant.1/store", TEXT("short"),
     "admin_response: cluster: participant 1: store " NOT_16},
    {"response_audit", "admin_response/audit/line", REPEAT(193),
     "admin_response: audit: line has 193 elements, above the maximum of 192"},
    {"response_audit", "admin_response/audit/line.1/posted", TEXT("short"),
     "admin_response: audit: line 1: posted " NOT_16},
    {"response_audit", "admin_response/audit/missing", REPEAT(65),
     "admin_response: audit: missing has 65 elements, above the maximum of 64"},
    {"response_audit", "admin_response/audit/missing.1", TEXT("?"),
     "admin_response: audit: missing 1: name " NOT_A_NAME},
};

static const struct row record_rows[] = {
    {"record_seal", "position", DROP, "position is 0, not its key"},
    {"record_seal", "position", NUMBER(2), "position is 2, not its key"},
    {"record_seal", "kind", DROP, "kind is missing"},
    {"record_seal", "kind", NUMBER(8), "kind has the unknown value 8"},
    {"record_seal", "epoch", DROP, "epoch is missing"},
    {"record_seal", "guid", DROP, "guid is missing"},
    {"record_seal", "group", NUMBER(256), "group is 256, above the maximum of 255"},
    {"record_prepared", "sequence", DROP, "sequence is missing"},
    {"record_prepared", "id", DROP, "id is missing"},
    {"record_prepared", "digest", TEXT("short"), "digest " NOT_16},
    {"record_prepared", "protocol", DROP, "protocol is missing"},
    {"record_prepared", "timestamp", DROP, "timestamp is missing"},
    {"record_prepared", "party", DROP, "party has 0 elements, below the minimum of 1"},
    {"record_prepared", "party", REPEAT(17), "party has 17 elements, above the maximum of 16"},
    {"record_prepared", "party.1/store", DROP, "party 1: store is missing"},
    {"record_prepared", "net", REPEAT(9), "net has 9 elements, above the maximum of 8"},
    {"record_prepared", "branch", DROP, "branch is missing"},
    {"record_committed", "epoch", NUMBER(0), "epoch is zero"},
    {"record_committed", "digest", DROP, "digest is missing"},
    {"record_committed", "timestamp", DROP, "timestamp is missing"},
    {"record_aborted", "id", TEXT(ZERO_16 "\0"), "id is zero"},
    {"record_aborted", "reason", NUMBER(256), "reason is 256, above the maximum of 255"},
    {"record_end", "epoch", DROP, "epoch is missing"},
    {"record_end", "exception", REPEAT(65), "exception has 65 elements, above the maximum of 64"},
    {"record_carried_prepared", "state", DROP, "state is missing"},
    {"record_carried_prepared", "state", NUMBER(0), "state has the unknown value 0"},
    {"record_carried_prepared", "first_epoch", DROP, "first_epoch is missing"},
    {"record_carried_prepared", "prepare_timestamp", DROP, "prepare_timestamp is missing"},
    {"record_carried_prepared", "branch", DROP, "branch is missing"},
    {"record_carried_committed", "timestamp", DROP, "timestamp is missing"},
    {"record_account", "branch", DROP, "branch is missing"},
};

static void report(const struct row *row, const char *said)
{
    printf("\n    %s %s: want \"%s\", got \"%s\"", row->sample, row->path, row->sentence, said);
    CU_FAIL("a change was not refused as it should be");
}

static struct sampler fresh_sampler(void)
{
    struct sampler sampler = {.arena = &samples, .list_size = 2};

    arena_reset(&samples);
    arena_reset(&work);
    arena_reset(&decoded);
    prng_init(&sampler.prng, 7);
    return sampler;
}

/* Change the message in `frame`; its new size, or 0. */
static size_t edit(const struct row *row, const ProtobufCMessageDescriptor *descriptor, size_t size)
{
    ProtobufCMessage *message = pb_unpack(&work, descriptor, frame, size);

    if (!message || pb_edit(&work, message, row->path, &row->change) != 0)
        return 0;
    if (protobuf_c_message_get_packed_size(message) > WIRE_FRAME_MAX)
        return 0;
    return protobuf_c_message_pack(message, frame);
}

static bool envelope_named(const char *name, struct envelope *ret_envelope)
{
    for (size_t i = 0; i < sample_envelope_count(); i++) {
        struct sampler sampler = fresh_sampler();

        if (strcmp(sample_envelope(&sampler, i, ret_envelope), name) == 0)
            return true;
    }
    return false;
}

static void check_envelope_row(const struct row *row)
{
    struct envelope envelope, kept;
    struct err err = {.text = ""};
    size_t size;
    int rc;

    CU_ASSERT_TRUE_FATAL(envelope_named(row->sample, &envelope));
    if (envelope.kind == WIRE_MSG && envelope.msg.kind == MSG_FIND)
        memset(&envelope.msg.digest, 0, sizeof(envelope.msg.digest));
    rc = wire_encode(&work, &envelope, frame, WIRE_FRAME_MAX);
    CU_ASSERT_FATAL(rc > FRAME_HEADER_SIZE);
    size = (size_t)rc - FRAME_HEADER_SIZE;
    memmove(frame, frame + FRAME_HEADER_SIZE, size);
    size = edit(row, &settle__v1__envelope__descriptor, size);
    if (size == 0) {
        report(row, "no such field");
        return;
    }
    memset(&envelope, 0x5a, sizeof(envelope));
    memcpy(&kept, &envelope, sizeof(kept));
    rc = wire_decode(&decoded, frame, size, &envelope, &err);
    if (rc != ERR_PROTOCOL || strcmp(err.text, row->sentence) != 0)
        report(row, rc == 0 ? "nothing" : err.text);
    CU_ASSERT_EQUAL(memcmp(&kept, &envelope, sizeof(kept)), 0);
    CU_ASSERT_EQUAL(decoded.used, 0);
}

static void check_envelope_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_envelope_row(&rows[i]);
}

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void commit_messages(void)
{
    check_envelope_rows(commit_rows, COUNT(commit_rows));
}

static void hellos(void)
{
    check_envelope_rows(hello_rows, COUNT(hello_rows));
}

static void client_messages(void)
{
    check_envelope_rows(client_rows, COUNT(client_rows));
}

static void admin_requests(void)
{
    check_envelope_rows(request_rows, COUNT(request_rows));
}

static void admin_responses(void)
{
    check_envelope_rows(response_rows, COUNT(response_rows));
}

static bool record_named(const char *name, struct record *ret_record)
{
    for (size_t i = 0; i < sample_record_count(); i++) {
        struct sampler sampler = fresh_sampler();

        if (strcmp(sample_record(&sampler, i, ret_record), name) == 0)
            return true;
    }
    return false;
}

static void journal_records(void)
{
    for (size_t i = 0; i < COUNT(record_rows); i++) {
        const struct row *row = &record_rows[i];
        struct err err = {.text = ""};
        char sentence[ERR_TEXT_SIZE];
        struct record record;
        size_t size;
        int rc;

        CU_ASSERT_TRUE_FATAL(record_named(row->sample, &record));
        record.position = 1;
        rc = record_encode(&work, &record, frame, WIRE_FRAME_MAX);
        CU_ASSERT_FATAL(rc > 0);
        size = edit(row, &settle__v1__journal_record__descriptor, (size_t)rc);
        if (size == 0) {
            report(row, "no such field");
            continue;
        }
        rc = record_decode(&decoded, frame, size, 1, &record, &err);
        snprintf(sentence, sizeof(sentence), "journal record 1: %s", row->sentence);
        if (rc != ERR_CORRUPT || strcmp(err.text, sentence) != 0)
            report(row, rc == 0 ? "nothing" : err.text);
        CU_ASSERT_EQUAL(decoded.used, 0);
    }
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"commit_messages", commit_messages},
        {"hellos", hellos},
        {"client_messages", client_messages},
        {"admin_requests", admin_requests},
        {"admin_responses", admin_responses},
        {"journal_records", journal_records},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"wire_refusal", open_memory, close_memory, NULL, NULL, tests},
        CU_SUITE_INFO_NULL,
    };
    return runner_main(suites, argc, argv);
}
