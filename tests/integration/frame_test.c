/*
 * Peers that break the wire contract, over raw sockets, at a coordinator and at a bank: each loses
 * its connection with a reason in the log, and the daemon goes on serving.
 */
#include "base/limits.h"
#include "input.h"
#include "wire/wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GREET_LIMIT_MS 15000u /* a peer that says nothing is let go before this */
#define LOGGED_MS      500u
#define MANY           (PARTICIPANTS_MAX + 1)

/* Field numbers of lists in the contract. */
#define LIST_OF_SUBMIT  4 /* Submit.branch */
#define LIST_OF_PREPARE 2 /* Prepare.party */

static uint8_t memory[WIRE_ARENA_SIZE];
static uint8_t frame[WIRE_FRAME_MAX];
static uint8_t answer[WIRE_FRAME_MAX];
static struct envelope envelope; /* the last answer, in `memory` */

/* ---- raw peers ---- */

static int dial(const struct test_node *node)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(node->port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* What the peer does not take any more, because it has closed, is no failure of ours. */
static void say(int fd, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;

    while (size > 0) {
        ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);

        if (sent <= 0)
            return;
        at += sent;
        size -= (size_t)sent;
    }
}

static void say_frame(int fd, const void *payload, size_t size)
{
    uint8_t header[FRAME_HEADER_SIZE];

    frame_header(header, size);
    say(fd, header, sizeof(header));
    say(fd, payload, size);
}

static void say_envelope(int fd, const struct envelope *what)
{
    struct arena arena;
    int size;

    arena_init(&arena, memory, sizeof(memory));
    size = wire_encode(&arena, what, frame, sizeof(frame));
    CU_ASSERT_TRUE_FATAL(size > 0);
    say(fd, frame, (size_t)size);
}

/* True iff the peer ends the connection within the limit; what it says before is dropped. */
static bool is_closed(int fd, uint32_t limit_ms)
{
    uint64_t until_ms = test_now_ms() + limit_ms;

    while (test_now_ms() < until_ms) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};

        if (poll(&wait, 1, 100) > 0 && recv(fd, answer, sizeof(answer), 0) <= 0)
            return true;
    }
    return false;
}

static bool receive_all(int fd, uint8_t *bytes, size_t size)
{
    const struct timeval limit = {TEST_LIMIT_MS / 1000, 0};

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return recv(fd, bytes, size, MSG_WAITALL) == (ssize_t)size;
}

/* The next envelope, in `envelope`. */
static void hear(int fd)
{
    struct arena arena;
    uint32_t size;

    CU_ASSERT_TRUE_FATAL(receive_all(fd, answer, FRAME_HEADER_SIZE));
    memcpy(&size, answer, sizeof(size));
    size = ntohl(size);
    CU_ASSERT_TRUE_FATAL(size > 0 && size <= FRAME_SIZE_MAX);
    CU_ASSERT_TRUE_FATAL(receive_all(fd, answer, size));
    arena_init(&arena, memory, sizeof(memory));
    CU_ASSERT_EQUAL_FATAL(wire_decode(&arena, answer, size, &envelope, NULL), 0);
}

static struct envelope hello_of(enum hello_role role)
{
    struct envelope hello;

    memset(&hello, 0, sizeof(hello));
    hello.kind = WIRE_HELLO;
    hello.hello.version = PROTOCOL_VERSION;
    hello.hello.role = role;
    node_name_parse(&hello.hello.node, "raw", 3);
    node_name_parse(&hello.hello.cluster, TEST_CLUSTER_NAME, strlen(TEST_CLUSTER_NAME));
    memset(&hello.hello.process, 7, sizeof(hello.hello.process));
    return hello;
}

/* A connection that was welcomed. */
static int greeted(const struct test_node *node)
{
    struct envelope hello = hello_of(node->coordinator ? HELLO_CLIENT : HELLO_COORDINATOR);
    int fd = dial(node);

    say_envelope(fd, &hello);
    hear(fd);
    CU_ASSERT_EQUAL_FATAL(envelope.kind, WIRE_WELCOME);
    return fd;
}

static struct envelope own_hello(const struct test_node *node)
{
    return hello_of(node->coordinator ? HELLO_CLIENT : HELLO_COORDINATOR);
}

/* ---- at both daemons ---- */

/* Misbehaves on a new connection, which is returned. */
typedef int attack_fn(const struct test_node *node);

/* Lines that strangers cause are held back above some a second: done again until one is written. */
static bool attack_is_logged(attack_fn *attack, struct test_node *node, const char *reason)
{
    int fd = attack(node);
    bool closed = is_closed(fd, GREET_LIMIT_MS);

    close(fd);
    CU_ASSERT_TRUE_FATAL(closed);
    return TEST_WAIT(LOGGED_MS, test_node_logged(node, reason));
}

static void attack_node(attack_fn *attack, const char *name, const char *reason)
{
    struct test_node *node = test_cluster_node(&input_cluster, name);
    bool logged;

    test_node_mark(node);
    logged = TEST_WAIT(TEST_LIMIT_MS, attack_is_logged(attack, node, reason));
    if (!logged)
        printf("  %s does not log: %s\n", name, reason);
    CU_ASSERT_TRUE(logged);
}

static void at_all(attack_fn *attack, const char *reason)
{
    attack_node(attack, "coordinator-1", reason);
    attack_node(attack, "coordinator-2", reason);
    attack_node(attack, "bank-a", reason);
    input_serves();
}

/* ---- frames ---- */

static int garbage(const struct test_node *node)
{
    static const uint8_t noise[] = "\0\0\0\x10GET / HTTP/1.1\r\n";
    int fd = dial(node);

    say(fd, noise, FRAME_HEADER_SIZE + 16);
    return fd;
}

static void malformed_frame(void)
{
    at_all(garbage, "reason=");
}

static int length_zero(const struct test_node *node)
{
    static const uint8_t zero[FRAME_HEADER_SIZE];
    int fd = dial(node);

    say(fd, zero, sizeof(zero));
    return fd;
}

static void frame_of_length_zero(void)
{
    at_all(length_zero, "a frame is empty");
}

static int above_hello_maximum(const struct test_node *node)
{
    uint8_t header[FRAME_HEADER_SIZE];
    int fd = dial(node);

    frame_header(header, FRAME_SIZE_MAX_HELLO + 1);
    say(fd, header, sizeof(header));
    return fd;
}

static int above_maximum(const struct test_node *node)
{
    static const uint8_t header[FRAME_HEADER_SIZE] = {0, 0x10, 0, 1}; /* 1 MiB and 1 */
    int fd = greeted(node);

    say(fd, header, sizeof(header));
    return fd;
}

static void oversized_frame(void)
{
    at_all(above_hello_maximum, "65537 bytes");
    at_all(above_maximum, "1048577 bytes");
}

static int cut(const struct test_node *node)
{
    struct envelope hello = own_hello(node);
    struct arena arena;
    int fd = dial(node), size;

    arena_init(&arena, memory, sizeof(memory));
    size = wire_encode(&arena, &hello, frame, sizeof(frame));
    CU_ASSERT_TRUE_FATAL(size > 8);
    say(fd, frame, (size_t)size - 8);
    shutdown(fd, SHUT_WR);
    return fd;
}

static int silent(const struct test_node *node)
{
    int fd = dial(node);

    say(fd, "\0\0", 2);
    return fd;
}

static void truncated_frame(void)
{
    at_all(cut, "closed the connection");
    at_all(silent, "did not introduce itself");
}

/* Two bytes for each element: a list's field number, and an empty message. */
static int crowded(const struct test_node *node)
{
    static uint8_t payload[FRAME_SIZE_MAX];
    const uint32_t size = FRAME_SIZE_MAX - 64;
    uint8_t *body = payload + 5;
    int fd = greeted(node);

    /* Envelope.submit (72) or .prepare (2), delimited; then a length of three bytes. */
    payload[0] = node->coordinator ? 0xc2 : 0x80 | (2 << 3 | 2);
    payload[1] = node->coordinator ? 0x04 : 0x00;
    payload[2] = (uint8_t)(0x80 | (size & 0x7f));
    payload[3] = (uint8_t)(0x80 | (size >> 7 & 0x7f));
    payload[4] = (uint8_t)(size >> 14);
    for (uint32_t i = 0; i < size; i += 2) {
        body[i] = (uint8_t)((node->coordinator ? LIST_OF_SUBMIT : LIST_OF_PREPARE) << 3 | 2);
        body[i + 1] = 0;
    }
    say_frame(fd, payload, 5 + size);
    return fd;
}

static void frame_with_too_many_elements(void)
{
    at_all(crowded, "elements");
}

static int unknown_kind(const struct test_node *node)
{
    static const uint8_t payload[] = {0xfa, 0x3f, 0x00}; /* field 1023, delimited, empty */
    int fd = greeted(node);

    say_frame(fd, payload, sizeof(payload));
    return fd;
}

static void frame_of_an_unknown_kind(void)
{
    at_all(unknown_kind, "reason=");
}

static int second_hello(const struct test_node *node)
{
    struct envelope hello = own_hello(node);
    int fd = greeted(node);

    say_envelope(fd, &hello);
    return fd;
}

static int before_hello(const struct test_node *node)
{
    struct envelope request = {.kind = WIRE_ADMIN_REQUEST, .request = 1};
    int fd = dial(node);

    request.admin_request.op = ADMIN_STATUS;
    if (!node->coordinator) {
        request.admin_request.op = ADMIN_PARTICIPANT_STATUS;
        node_name_parse(&request.admin_request.participant, node->name, strlen(node->name));
    }
    say_envelope(fd, &request);
    return fd;
}

static void message_out_of_turn(void)
{
    at_all(before_hello, "before Hello");
    at_all(second_hello, "does not send");
}

/* Byte by byte is slow, and no offence. */
static void hello_in_single_bytes(void)
{
    struct envelope hello = hello_of(HELLO_CLIENT);
    int fd = dial(test_cluster_node(&input_cluster, "coordinator-1")), size;
    struct arena arena;

    arena_init(&arena, memory, sizeof(memory));
    size = wire_encode(&arena, &hello, frame, sizeof(frame));
    CU_ASSERT_TRUE_FATAL(size > 0);
    for (int i = 0; i < size; i++)
        say(fd, frame + i, 1);
    hear(fd);
    CU_ASSERT_EQUAL(envelope.kind, WIRE_WELCOME);
    close(fd);
}

/* ---- Hellos that are refused, with a sentence ---- */

static int refused(const struct test_node *node, const struct envelope *hello,
                   enum refused_code code)
{
    int fd = dial(node);

    say_envelope(fd, hello);
    hear(fd);
    CU_ASSERT_EQUAL_FATAL(envelope.kind, WIRE_REFUSED);
    CU_ASSERT_EQUAL(envelope.refused.code, code);
    CU_ASSERT_TRUE(strlen(envelope.refused.text) > 0);
    return fd;
}

static int other_version(const struct test_node *node)
{
    struct envelope hello = own_hello(node);

    hello.hello.version = PROTOCOL_VERSION + 1;
    return refused(node, &hello, REFUSED_VERSION);
}

static void wrong_protocol_version(void)
{
    at_all(other_version, "the peer speaks version 2");
}

static int other_cluster(const struct test_node *node)
{
    struct envelope hello = own_hello(node);

    node_name_parse(&hello.hello.cluster, "elsewhere", 9);
    return refused(node, &hello, REFUSED_CLUSTER);
}

static int other_cluster_guid(const struct test_node *node)
{
    struct envelope hello = own_hello(node);

    memset(&hello.hello.cluster_guid, 9, sizeof(hello.hello.cluster_guid));
    return refused(node, &hello, REFUSED_CLUSTER);
}

static int other_groups(const struct test_node *node)
{
    struct envelope hello = own_hello(node);

    hello.hello.groups = 3;
    return refused(node, &hello, REFUSED_GROUPS);
}

static void wrong_cluster(void)
{
    at_all(other_cluster, "to cluster elsewhere");
    at_all(other_cluster_guid, "of the same name with");
    at_all(other_groups, "counts 3");
}

static int other_role(const struct test_node *node)
{
    struct envelope hello = hello_of(node->coordinator ? HELLO_COORDINATOR : HELLO_CLIENT);

    return refused(node, &hello, REFUSED_ROLE);
}

static void wrong_role(void)
{
    at_all(other_role, "serves");
}

/* ---- Submits that libsettle does not make ---- */

static void put_branch(struct submit_branch *branch, const char *name, unsigned legs)
{
    static struct branch content;
    static uint8_t scratch[BRANCH_SIZE_MAX * 4];
    static uint8_t bytes[MANY][BRANCH_SIZE_MAX];
    static unsigned used;
    uint8_t *out = bytes[used++ % MANY];
    struct arena arena;
    int size;

    arena_init(&arena, scratch, sizeof(scratch));
    memset(&content, 0, sizeof(content));
    content.posting_count = (uint16_t)legs;
    for (unsigned i = 0; i < legs; i++) {
        struct posting *posting = &content.postings[i];

        account_name_parse(&posting->account, "ALICE", 5);
        currency_parse(&posting->currency, "EUR", 3);
        posting->side = i % 2 ? SIDE_CREDIT : SIDE_DEBIT;
        posting->amount = 1;
    }
    size = branch_encode(&arena, &content, out, BRANCH_SIZE_MAX);
    CU_ASSERT_TRUE_FATAL(size > 0);
    memset(branch, 0, sizeof(*branch));
    node_name_parse(&branch->node, name, strlen(name));
    branch->branch.bytes = out;
    branch->branch.size = (uint32_t)size;
}

/* Sent to both coordinators: the form is looked at before leadership. */
static void submit_is_refused(const struct submit_branch *branches, unsigned count,
                              const uint8_t id[16], enum reason reason)
{
    struct envelope submit;
    int fd = greeted(test_cluster_node(&input_cluster, "coordinator-1"));

    memset(&submit, 0, sizeof(submit));
    submit.kind = WIRE_SUBMIT;
    submit.request = 1;
    memcpy(submit.submit.id.bytes, id, 16);
    submit.submit.protocol = PROTOCOL_2PC;
    submit.submit.deadline_ms = 1000;
    submit.submit.branches = branches;
    submit.submit.branch_count = (uint16_t)count;
    say_envelope(fd, &submit);
    hear(fd);
    CU_ASSERT_EQUAL_FATAL(envelope.kind, WIRE_SUBMIT_RESULT);
    CU_ASSERT_EQUAL(envelope.submit_result.outcome, OUTCOME_REFUSED);
    CU_ASSERT_EQUAL(envelope.submit_result.reason, reason);
    close(fd); /* the connection was not ended for it */
}

static void submit_beyond_the_limits(void)
{
    static struct submit_branch branches[MANY];
    struct settle_id id;
    char name[32];

    settle_id_new(&id);
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "bank-%c", (char)('a' + i));
        put_branch(&branches[i], name, 2);
    }
    submit_is_refused(branches, MANY, id.bytes, REASON_PARTICIPANTS);
    put_branch(&branches[0], "bank-a", LEGS_MAX);
    submit_is_refused(branches, 2, id.bytes, REASON_LEGS);
    put_branch(&branches[0], "bank-b", 2); /* twice the same, and not in order */
    submit_is_refused(branches, 2, id.bytes, REASON_MALFORMED);
    input_serves();
}

static void submit_with_a_bad_id(void)
{
    static struct submit_branch branches[2];
    struct settle_id id;

    settle_id_new(&id);
    id.bytes[6] = 0x40; /* version 4 */
    put_branch(&branches[0], "bank-a", 2);
    put_branch(&branches[1], "bank-b", 2);
    submit_is_refused(branches, 2, id.bytes, REASON_ID_INVALID);
    input_serves();
}

static void submit_with_a_bad_branch(void)
{
    static struct submit_branch branches[2];
    static const uint8_t noise[] = {0xff, 0xff, 0xff, 0xff};
    /* posting { account "A", currency "EUR", side DEBIT, amount 0 or -1 } */
    static const uint8_t zero[] = {0x0a, 0x0c, 0x0a, 1,    'A', 0x12, 3,
                                   'E',  'U',  'R',  0x18, 1,   0x20, 0};
    static const uint8_t minus[] = {0x0a, 0x0c, 0x0a, 1,    'A', 0x12, 3,
                                    'E',  'U',  'R',  0x18, 1,   0x20, 1};
    struct settle_id id;

    settle_id_new(&id);
    put_branch(&branches[0], "bank-a", 2);
    put_branch(&branches[1], "bank-b", 2);
    branches[0].branch = (struct blob){noise, sizeof(noise)};
    submit_is_refused(branches, 2, id.bytes, REASON_MALFORMED);
    branches[0].branch = (struct blob){zero, sizeof(zero)};
    submit_is_refused(branches, 2, id.bytes, REASON_AMOUNT);
    branches[0].branch = (struct blob){minus, sizeof(minus)};
    submit_is_refused(branches, 2, id.bytes, REASON_AMOUNT);
    input_serves();
}

/* A page that no answer named: the bank would wait for a record that nobody writes. */
static void statement_from_beyond_the_end(void)
{
    struct envelope request;
    int fd = greeted(test_cluster_node(&input_cluster, "coordinator-1"));

    memset(&request, 0, sizeof(request));
    request.kind = WIRE_ADMIN_REQUEST;
    request.request = 1;
    request.admin_request.op = ADMIN_STATEMENT;
    node_name_parse(&request.admin_request.participant, "bank-a", 6);
    account_name_parse(&request.admin_request.statement.key.account, "ALICE", 5);
    currency_parse(&request.admin_request.statement.key.currency, "EUR", 3);
    request.admin_request.statement.before.position = UINT64_MAX;
    request.admin_request.statement.max = 1;
    say_envelope(fd, &request);
    hear(fd);
    CU_ASSERT_EQUAL_FATAL(envelope.kind, WIRE_ADMIN_RESPONSE);
    CU_ASSERT_EQUAL(envelope.admin_response.code, ADMIN_REFUSED);
    CU_ASSERT_EQUAL(envelope.admin_response.reason, REASON_MALFORMED);
    close(fd);
    input_serves();
}

CU_TestInfo frame_tests[] = {
    {"malformed_frame", malformed_frame},
    {"frame_of_length_zero", frame_of_length_zero},
    {"oversized_frame", oversized_frame},
    {"truncated_frame", truncated_frame},
    {"frame_with_too_many_elements", frame_with_too_many_elements},
    {"frame_of_an_unknown_kind", frame_of_an_unknown_kind},
    {"message_out_of_turn", message_out_of_turn},
    {"hello_in_single_bytes", hello_in_single_bytes},
    {"wrong_protocol_version", wrong_protocol_version},
    {"wrong_cluster", wrong_cluster},
    {"wrong_role", wrong_role},
    {"submit_beyond_the_limits", submit_beyond_the_limits},
    {"submit_with_a_bad_id", submit_with_a_bad_id},
    {"submit_with_a_bad_branch", submit_with_a_bad_branch},
    {"statement_from_beyond_the_end", statement_from_beyond_the_end},
    CU_TEST_INFO_NULL,
};
