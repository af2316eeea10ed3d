/* Who leads, with which epoch, and how it passes on. */
#include "rig.h"

#include <stdio.h>
#include <string.h>

static int64_t session_of(const struct rig *rig, const char *node)
{
    char path[256];

    snprintf(path, sizeof(path), "/settle/%s/coordinators/%s/live", rig->name.text, node);
    return zk_server_owner(&server, path);
}

static void first_leads_all_and_the_other_takes_over(void)
{
    struct member a, b;
    struct rig rig;

    rig_open(&rig);
    member_join_two(&rig, &a, &b);
    CU_ASSERT_EQUAL(member_leads(&b), 0);
    for (unsigned i = 0; i < GROUPS; i++) {
        for (unsigned j = 0; j < i; j++) {
            CU_ASSERT_NOT_EQUAL(a.epoch[i], a.epoch[j]);
            CU_ASSERT_FALSE(guid_equal(&a.guid[i], &a.guid[j]));
        }
    }
    member_close(&a);
    UNTIL(&rig, member_leads(&b) == GROUPS);
    for (unsigned i = 0; i < GROUPS; i++)
        CU_ASSERT(b.epoch[i] > a.epoch[i]);
    rig_close(&rig);
}

/* Leaving hands over while the session still lives: nobody waits for a timeout. */
static void leaving_hands_over_at_once(void)
{
    struct member a, b;
    struct rig rig;

    rig_open(&rig);
    member_join_two(&rig, &a, &b);
    cluster_leave(a.cluster);
    UNTIL(&rig, a.left == 1);
    UNTIL(&rig, member_leads(&b) == GROUPS);
    CU_ASSERT_EQUAL(a.unleads_count, GROUPS);
    CU_ASSERT_EQUAL(a.state, CLUSTER_CONNECTED);
    CU_ASSERT_EQUAL(session_of(&rig, "c1"), 0);
    CU_ASSERT_EQUAL(a.left, 1);
    rig_close(&rig);
}

static void stolen_session_ends_every_leadership(void)
{
    struct member a, b;
    struct rig rig;
    int64_t session;

    rig_open(&rig);
    member_join_two(&rig, &a, &b);
    session = session_of(&rig, "c1");
    zk_server_expire(&server, session);
    UNTIL(&rig, a.states[CLUSTER_EXPIRED] == 1);
    CU_ASSERT_EQUAL(member_leads(&a), 0);
    UNTIL(&rig, member_leads(&b) == GROUPS);
    rig.one_leads = true;           /* no lease foresees that: here only the seals tell */
    UNTIL(&rig, a.registered == 2); /* it joined again, in a session of its own */
    CU_ASSERT_NOT_EQUAL(session_of(&rig, "c1"), session);
    member_close(&b);
    UNTIL(&rig, member_leads(&a) == GROUPS);
    rig_close(&rig);
}

static void removed_node_ends_that_leadership_only(void)
{
    struct member a;
    struct rig rig;
    uint64_t epochs[GROUPS];

    rig_open(&rig);
    member_join(&rig, &a, CLUSTER_COORDINATOR, "c1");
    UNTIL(&rig, member_leads(&a) == GROUPS);
    memcpy(epochs, a.epoch, sizeof(epochs));
    CU_ASSERT_TRUE(zk_raw_remove(&server, member_candidate(&a, 2)));
    UNTIL(&rig, a.leads_count == GROUPS + 1 && member_leads(&a) == GROUPS);
    CU_ASSERT_EQUAL(a.unleads_count, 1);
    CU_ASSERT(a.epoch[2] > epochs[2]);
    CU_ASSERT_EQUAL(a.epoch[1], epochs[1]);
    rig_close(&rig);
}

/* A participant sealed a higher epoch than ours: we stand down, and lead with a later node. */
static void stepping_down_leads_again_above_the_seal(void)
{
    struct member a;
    struct rig rig;
    uint64_t old;

    rig_open(&rig);
    member_join(&rig, &a, CLUSTER_COORDINATOR, "c1");
    UNTIL(&rig, member_leads(&a) == GROUPS);
    old = a.epoch[1];
    cluster_step_down(a.cluster, 1, old);
    CU_ASSERT_TRUE(a.leads[1]); /* never from within the call */
    UNTIL(&rig, a.unleads_count == 1);
    UNTIL(&rig, member_leads(&a) == GROUPS);
    CU_ASSERT(a.epoch[1] > old);
    CU_ASSERT_FALSE(member_said(&a, "set back to an older state"));
    rig_close(&rig);
}

/* A seal that ZooKeeper cannot reach: it is said, and the remedy works. */
static void unreachable_seal_is_reported_and_remedied(void)
{
    static const struct id none;
    struct member a, b;
    struct rig rig;
    struct err err = {0};
    uint64_t seal;

    rig_open(&rig);
    member_join(&rig, &a, CLUSTER_COORDINATOR, "c1");
    UNTIL(&rig, member_leads(&a) == GROUPS);
    seal = a.epoch[3] + 1000000;
    rig.epoch_max[3] = seal;
    cluster_step_down(a.cluster, 3, seal);
    UNTIL(&rig, member_said(&a, "set back to an older state"));
    CU_ASSERT_TRUE(member_said(&a, "/config to "));
    UNTIL(&rig, a.leader[3].text[0] == '\0'); /* its node is gone: others may try */
    CU_ASSERT_EQUAL(member_leads(&a), GROUPS - 1);
    member_join(&rig, &b, CLUSTER_CLIENT, "");
    UNTIL(&rig, b.configs == 1);
    CU_ASSERT_EQUAL_FATAL(cluster_raise(a.cluster, seal, &none, &err), 0);
    CU_ASSERT_EQUAL(cluster_raise(a.cluster, seal, &none, &err), ERR_BUSY);
    UNTIL(&rig, member_leads(&a) == GROUPS && a.leads[3]);
    CU_ASSERT(a.epoch[3] > seal);
    for (unsigned group = 0; group < GROUPS; group++) /* the others moved up as well */
        UNTIL(&rig, a.leads[group] && a.epoch[group] > seal);
    UNTIL(&rig, b.config.epoch_base == seal);
    rig_close(&rig);
}

static void constants_only_rise(void)
{
    struct member a;
    struct rig rig;
    struct err err = {0};
    struct id high = {.bytes = {9}}, low = {.bytes = {3}};

    rig_open(&rig);
    member_join(&rig, &a, CLUSTER_COORDINATOR, "c1");
    CU_ASSERT_EQUAL(cluster_raise(a.cluster, 5, &high, &err), ERR_UNREACHABLE);
    UNTIL(&rig, member_leads(&a) == GROUPS);
    CU_ASSERT_EQUAL_FATAL(cluster_raise(a.cluster, 5, &high, &err), 0);
    UNTIL(&rig, a.config.epoch_base == 5 && id_equal(&a.config.oldest_id, &high));
    CU_ASSERT_EQUAL_FATAL(cluster_raise(a.cluster, 7, &low, &err), 0);
    UNTIL(&rig, a.config.epoch_base == 7);
    CU_ASSERT_TRUE(id_equal(&a.config.oldest_id, &high));
    UNTIL(&rig, member_leads(&a) == GROUPS);
    rig_close(&rig);
}

/* What the store knows of earlier epochs counts from the first candidacy on. */
static void epoch_of_the_store_is_a_floor(void)
{
    struct member a;
    struct rig rig;

    rig_open(&rig);
    member_init(&rig, &a, CLUSTER_COORDINATOR, "c1");
    a.options.epoch_seen = UINT64_MAX / 2;
    member_open(&a);
    UNTIL(&rig, member_said(&a, "group 3: ZooKeeper"));
    CU_ASSERT_EQUAL(a.leads_count, 0);
    CU_ASSERT_EQUAL(a.registered, 1);
    rig_close(&rig);
}

static void middle_candidate_leaves_unnoticed(void)
{
    struct member a, b, c;
    struct rig rig;

    rig_open(&rig);
    member_join_two(&rig, &a, &b);
    member_join(&rig, &c, CLUSTER_COORDINATOR, "c3");
    UNTIL(&rig, c.leader[GROUPS - 1].text[0]);
    UNTIL(&rig, member_is_live(&c, "c2"));
    member_close(&b);
    UNTIL(&rig, !member_is_live(&c, "c2"));
    CU_ASSERT_EQUAL(member_leads(&a), GROUPS);
    CU_ASSERT_EQUAL(a.unleads_count, 0);
    CU_ASSERT_EQUAL(c.leads_count, 0);
    member_close(&a);
    UNTIL(&rig, member_leads(&c) == GROUPS);
    rig_close(&rig);
}

static void strangers_among_the_candidates_are_ignored(void)
{
    struct member a, b;
    struct rig rig;
    char path[256];

    rig_open(&rig);
    member_join(&rig, &a, CLUSTER_COORDINATOR, "c1");
    UNTIL(&rig, member_leads(&a) == GROUPS);
    snprintf(path, sizeof(path), "/settle/%s/groups/0/election/readme", rig.name.text);
    CU_ASSERT_TRUE(zk_raw_create(&server, path, "not a candidate"));
    member_join(&rig, &b, CLUSTER_COORDINATOR, "c2");
    UNTIL(&rig, b.leader[0].text[0]);
    CU_ASSERT_STRING_EQUAL(b.leader[0].text, "c1");
    member_close(&a);
    UNTIL(&rig, member_leads(&b) == GROUPS);
    rig_close(&rig);
}

CU_TestInfo election_tests[] = {
    {"first_leads_all_and_the_other_takes_over", first_leads_all_and_the_other_takes_over},
    {"leaving_hands_over_at_once", leaving_hands_over_at_once},
    {"stolen_session_ends_every_leadership", stolen_session_ends_every_leadership},
    {"removed_node_ends_that_leadership_only", removed_node_ends_that_leadership_only},
    {"stepping_down_leads_again_above_the_seal", stepping_down_leads_again_above_the_seal},
    {"unreachable_seal_is_reported_and_remedied", unreachable_seal_is_reported_and_remedied},
    {"constants_only_rise", constants_only_rise},
    {"epoch_of_the_store_is_a_floor", epoch_of_the_store_is_a_floor},
    {"middle_candidate_leaves_unnoticed", middle_candidate_leaves_unnoticed},
    {"strangers_among_the_candidates_are_ignored", strangers_among_the_candidates_are_ignored},
    CU_TEST_INFO_NULL,
};
