/* The parts of cluster that need no server: paths, znode texts, the lease. */
#include "base/limits.h"
#include "cluster/lease.h"
#include "cluster/nodetext.h"
#include "cluster/paths.h"
#include "support/runner.h"

#include <string.h>

static struct node_name name(const char *text)
{
    struct node_name result;

    CU_ASSERT_TRUE_FATAL(node_name_parse(&result, text, strlen(text)));
    return result;
}

static void paths_round_trip(void)
{
    static const struct {
        struct path path;
        const char *text;
    } cases[] = {
        {{.kind = PATH_ROOT}, "/settle"},
        {{.kind = PATH_CLUSTER}, "/settle/demo"},
        {{.kind = PATH_CONFIG}, "/settle/demo/config"},
        {{.kind = PATH_GROUPS}, "/settle/demo/groups"},
        {{.kind = PATH_GROUP, .group = 0}, "/settle/demo/groups/0"},
        {{.kind = PATH_ELECTION, .group = 15}, "/settle/demo/groups/15/election"},
        {{.kind = PATH_CANDIDATE, .group = 7, .candidate = "abc-1"},
         "/settle/demo/groups/7/election/abc-1"},
        {{.kind = PATH_PARTICIPANTS}, "/settle/demo/participants"},
        {{.kind = PATH_PARTICIPANT, .node = {"bank-a"}}, "/settle/demo/participants/bank-a"},
        {{.kind = PATH_PARTICIPANT_LIVE, .node = {"bank-a"}},
         "/settle/demo/participants/bank-a/live"},
        {{.kind = PATH_COORDINATORS}, "/settle/demo/coordinators"},
        {{.kind = PATH_COORDINATOR, .node = {"c1"}}, "/settle/demo/coordinators/c1"},
        {{.kind = PATH_COORDINATOR_LIVE, .node = {"c1"}}, "/settle/demo/coordinators/c1/live"},
    };
    struct node_name demo = name("demo");

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[PATH_SIZE];
        struct path back = path_parse(&demo, cases[i].text);

        CU_ASSERT_STRING_EQUAL(path_format(&demo, &cases[i].path, text), cases[i].text);
        CU_ASSERT_EQUAL(back.kind, cases[i].path.kind);
        CU_ASSERT_EQUAL(back.group, cases[i].path.group);
        CU_ASSERT_TRUE(node_name_equal(&back.node, &cases[i].path.node));
        CU_ASSERT_STRING_EQUAL(back.candidate, cases[i].path.candidate);
    }
}

static void foreign_paths_are_nobodys(void)
{
    static const char *const foreign[] = {
        "",
        "/",
        "/settled",
        "/zookeeper/quota",
        "/settle/",
        "/settle/demo2/config",
        "/settle/dem/config",
        "/settle/demo/configs",
        "/settle/demo/groups/256",
        "/settle/demo/groups/007",
        "/settle/demo/groups/-1",
        "/settle/demo/groups/x/election",
        "/settle/demo/groups/1/elections",
        "/settle/demo/groups/1/election/a-name-that-is-longer-than-any-candidate-ever-has",
        "/settle/demo/participants/Bank",
        "/settle/demo/participants/bank-a/alive",
        "/settle/demo/participants/",
        "/settle/demo/locks/x",
    };
    struct node_name demo = name("demo");

    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        if (path_parse(&demo, foreign[i]).kind != PATH_OTHER)
            CU_FAIL(foreign[i]);
    }
}

static void candidates_are_read_by_their_sequence(void)
{
    static const struct {
        const char *text;
        bool good;
        int32_t sequence;
    } cases[] = {
        {"00112233445566778899aabbccddeeff-0000000000", true, 0},
        {"00112233445566778899aabbccddeeff-0000000042", true, 42},
        {"00112233445566778899aabbccddeeff-2147483647", true, INT32_MAX},
        {"00112233445566778899aabbccddeeff--2147483648", true, INT32_MIN},
        {"00112233445566778899aabbccddeeff-2147483648", false, 0},
        {"00112233445566778899aabbccddeeff-", false, 0},
        {"00112233445566778899aabbccddeeff-000000000", false, 0},
        {"00112233445566778899aabbccddeeff-00000000000", false, 0},
        {"00112233445566778899aabbccddeeff-000000000x", false, 0},
        {"00112233445566778899aabbccddeefg-0000000000", false, 0},
        {"00112233445566778899aabbccddeeff_0000000000", false, 0},
        {"readme", false, 0},
        {"", false, 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct guid guid = {{0}};
        int32_t sequence = -7;

        CU_ASSERT_EQUAL(candidate_parse(cases[i].text, &guid, &sequence), cases[i].good);
        CU_ASSERT_EQUAL(sequence, cases[i].good ? cases[i].sequence : -7);
        CU_ASSERT_EQUAL(guid.bytes[15], cases[i].good ? 0xff : 0);
    }
}

/* The counter wraps from its largest to its smallest number, in a parent that lives long enough. */
static void sequences_are_ordered_across_the_wrap(void)
{
    CU_ASSERT_TRUE(candidate_is_before(1, 2));
    CU_ASSERT_FALSE(candidate_is_before(2, 1));
    CU_ASSERT_FALSE(candidate_is_before(2, 2));
    CU_ASSERT_TRUE(candidate_is_before(INT32_MAX, INT32_MIN));
    CU_ASSERT_FALSE(candidate_is_before(INT32_MIN, INT32_MAX));
    CU_ASSERT_TRUE(candidate_is_before(INT32_MAX - 5, INT32_MIN + 5));
}

static void texts_round_trip(void)
{
    struct guid store = {{1, 2, 0xfe}}, back;
    struct node_name node;
    struct nodetext text;
    uint64_t number;
    char address[32];

    nodetext_begin(&text);
    nodetext_add_guid(&text, "store", &store);
    nodetext_add(&text, "node", "bank-a");
    nodetext_add_u64(&text, "incarnation", UINT64_MAX);
    nodetext_add(&text, "address", "[::1]:7400");
    CU_ASSERT_TRUE(nodetext_is_readable(text.bytes, text.size));
    CU_ASSERT_TRUE(nodetext_get_guid(text.bytes, text.size, "store", &back));
    CU_ASSERT_TRUE(guid_equal(&store, &back));
    CU_ASSERT_TRUE(nodetext_get_u64(text.bytes, text.size, "incarnation", &number));
    CU_ASSERT_EQUAL(number, UINT64_MAX);
    CU_ASSERT_TRUE(nodetext_get_node(text.bytes, text.size, "node", &node));
    CU_ASSERT_STRING_EQUAL(node.text, "bank-a");
    CU_ASSERT_TRUE(nodetext_get(text.bytes, text.size, "address", address, sizeof(address)));
    CU_ASSERT_STRING_EQUAL(address, "[::1]:7400");
    CU_ASSERT_FALSE(nodetext_get(text.bytes, text.size, "address", address, 10)); /* no room */
    CU_ASSERT_FALSE(nodetext_get(text.bytes, text.size, "addres", address, sizeof(address)));
}

static void later_releases_are_told_apart(void)
{
    static const struct {
        const char *text;
        bool readable;
    } cases[] = {
        {"version=1\n", true},
        {"version=1", true},
        {"later=x\nversion=1\n", true}, /* unknown keys are skipped, the order is free */
        {"version=2\n", false},
        {"version=0\n", false},
        {"version=\n", false},
        {"version=1x\n", false},
        {"version=99999999999999999999\n", false},
        {"", false},
        {"xversion=1\n", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CU_ASSERT_EQUAL(nodetext_is_readable(cases[i].text, strlen(cases[i].text)),
                        cases[i].readable);
    CU_ASSERT_FALSE(nodetext_is_readable(NULL, 0));
}

static void lease_counts_from_sending(void)
{
    struct lease lease;

    lease_begin(&lease, 4000);
    CU_ASSERT_FALSE(lease_holds(&lease, 0)); /* nothing was answered yet */
    lease_sent(&lease, 10000);
    CU_ASSERT_EQUAL(lease.heartbeat_ms, 11000);
    CU_ASSERT_FALSE(lease_holds(&lease, 10001));
    lease_answered(&lease, 10000); /* it took 900 ms; that does not lengthen it */
    CU_ASSERT_TRUE(lease_holds(&lease, 10900));
    CU_ASSERT_TRUE(lease_holds(&lease, 13499));
    CU_ASSERT_FALSE(lease_holds(&lease, 13500)); /* an eighth before the servers' 14000 */
    lease_answered(&lease, 9000);                /* a late answer shortens nothing */
    CU_ASSERT_TRUE(lease_holds(&lease, 13499));
    lease_end(&lease);
    CU_ASSERT_FALSE(lease_holds(&lease, 10001));
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"paths_round_trip", paths_round_trip},
        {"foreign_paths_are_nobodys", foreign_paths_are_nobodys},
        {"candidates_are_read_by_their_sequence", candidates_are_read_by_their_sequence},
        {"sequences_are_ordered_across_the_wrap", sequences_are_ordered_across_the_wrap},
        {"texts_round_trip", texts_round_trip},
        {"later_releases_are_told_apart", later_releases_are_told_apart},
        {"lease_counts_from_sending", lease_counts_from_sending},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"cluster", NULL, NULL, NULL, NULL, tests},
        CU_SUITE_INFO_NULL,
    };
    return runner_main(suites, argc, argv);
}
