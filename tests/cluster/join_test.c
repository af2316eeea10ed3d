/* Joining: the cluster's config, names, stores, who is seen. */
#include "rig.h"

#include <stdio.h>
#include <string.h>

static const char *path_of(const struct rig *rig, const char *below)
{
    static char path[256];

    snprintf(path, sizeof(path), "/settle/%s/%s", rig->name.text, below);
    return path;
}

static void two_racing_coordinators_create_one_config(void)
{
    struct member a, b;
    struct rig rig;

    rig_open(&rig);
    member_join(&rig, &a, CLUSTER_COORDINATOR, "c1");
    member_join(&rig, &b, CLUSTER_COORDINATOR, "c2");
    UNTIL(&rig, a.registered && b.registered);
    CU_ASSERT_FALSE(guid_is_zero(&a.config.cluster));
    CU_ASSERT_TRUE(guid_equal(&a.config.cluster, &b.config.cluster));
    CU_ASSERT_EQUAL(a.config.groups, GROUPS);
    CU_ASSERT_EQUAL(b.config.groups, GROUPS);
    CU_ASSERT_EQUAL(a.config.epoch_base, 0);
    CU_ASSERT_EQUAL(member_said(&a, "created cluster") + member_said(&b, "created cluster"), 1);
    rig_close(&rig);
}

static void participant_waits_for_the_first_coordinator(void)
{
    struct member p, c;
    struct rig rig;

    rig_open(&rig);
    member_join(&rig, &p, CLUSTER_PARTICIPANT, "bank-a");
    UNTIL(&rig, member_said(&p, "waiting for its first coordinator"));
    CU_ASSERT_EQUAL(p.registered, 0);
    member_join(&rig, &c, CLUSTER_COORDINATOR, "c1");
    UNTIL(&rig, p.registered);
    CU_ASSERT_TRUE(guid_equal(&p.config.cluster, &c.config.cluster));
    rig_close(&rig);
}

static void other_number_of_groups_is_refused(void)
{
    struct member a, b;
    struct rig rig;

    rig_open(&rig);
    member_join(&rig, &a, CLUSTER_COORDINATOR, "c1");
    UNTIL(&rig, a.registered);
    member_init(&rig, &b, CLUSTER_COORDINATOR, "c2");
    b.options.groups = GROUPS + 1;
    member_open(&b);
    UNTIL(&rig, b.refused.code);
    CU_ASSERT_EQUAL(b.refused.code, ERR_FOREIGN);
    CU_ASSERT_PTR_NOT_NULL(strstr(b.refused.text, "has 4 groups"));
    CU_ASSERT_EQUAL(b.registered, 0);
    rig_close(&rig);
}

/* A wiped ensemble must not look like a new cluster to a store that belongs to one. */
static void bound_store_does_not_create_its_cluster_again(void)
{
    struct member a;
    struct rig rig;

    rig_open(&rig);
    member_init(&rig, &a, CLUSTER_COORDINATOR, "c1");
    memset(a.options.bound.bytes, 7, sizeof(a.options.bound.bytes));
    member_open(&a);
    UNTIL(&rig, member_said(&a, "it was wiped, or this is another ensemble"));
    CU_ASSERT_EQUAL(a.registered, 0);
    CU_ASSERT_EQUAL(a.configs, 0);
    CU_ASSERT_EQUAL(a.refused.code, 0); /* it waits */
    rig_close(&rig);
}

static void bound_store_refuses_another_cluster(void)
{
    struct member a, b;
    struct rig rig;

    rig_open(&rig);
    member_join(&rig, &a, CLUSTER_COORDINATOR, "c1");
    UNTIL(&rig, a.registered);
    member_init(&rig, &b, CLUSTER_PARTICIPANT, "bank-a");
    memset(b.options.bound.bytes, 7, sizeof(b.options.bound.bytes));
    member_open(&b);
    UNTIL(&rig, member_said(&b, "this store belongs to cluster 0707"));
    CU_ASSERT_EQUAL(b.registered, 0);
    member_close(&b);
    b.options.bound = a.config.cluster;
    member_open(&b);
    UNTIL(&rig, b.registered);
    rig_close(&rig);
}

/* Another store under a known name: refused, naming what an operator would do. */
static void another_store_under_the_name_is_refused(void)
{
    struct member c, p;
    struct rig rig;

    rig_open(&rig);
    member_join(&rig, &c, CLUSTER_COORDINATOR, "c1");
    member_join(&rig, &p, CLUSTER_PARTICIPANT, "bank-a");
    UNTIL(&rig, p.registered);
    member_close(&p);
    p.options.store.bytes[15] = 9;
    member_open(&p);
    UNTIL(&rig, p.refused.code);
    CU_ASSERT_EQUAL(p.refused.code, ERR_FOREIGN);
    CU_ASSERT_PTR_NOT_NULL(strstr(p.refused.text, "an operator removes "));
    CU_ASSERT_PTR_NOT_NULL(strstr(p.refused.text, path_of(&rig, "participants/bank-a")));
    CU_ASSERT_EQUAL(p.registered, 1);
    member_close(&p);
    memset(&p.refused, 0, sizeof(p.refused));
    CU_ASSERT_TRUE(zk_raw_remove(&server, path_of(&rig, "participants/bank-a")));
    member_open(&p);
    UNTIL(&rig, p.registered == 2);
    rig_close(&rig);
}

static void second_process_of_a_name_waits_and_gives_up(void)
{
    struct member c, first, second;
    struct rig rig;

    rig_open(&rig);
    member_join(&rig, &c, CLUSTER_COORDINATOR, "c1");
    member_join(&rig, &first, CLUSTER_PARTICIPANT, "bank-a");
    UNTIL(&rig, first.registered);
    member_join(&rig, &second, CLUSTER_PARTICIPANT, "bank-a");
    UNTIL(&rig, member_said(&second, "another process is registered as participant 'bank-a'"));
    UNTIL(&rig, second.refused.code);
    CU_ASSERT_EQUAL(second.refused.code, ERR_EXISTS);
    CU_ASSERT_PTR_NOT_NULL(strstr(second.refused.text, "stop it first"));
    CU_ASSERT_EQUAL(second.registered, 0);
    CU_ASSERT_EQUAL(first.registered, 1);
    CU_ASSERT_EQUAL(first.refused.code, 0);
    rig_close(&rig);
}

static void second_process_serves_when_the_first_leaves(void)
{
    struct member c, first, second;
    struct rig rig;

    rig_open(&rig);
    member_join(&rig, &c, CLUSTER_COORDINATOR, "c1");
    member_join(&rig, &first, CLUSTER_PARTICIPANT, "bank-a");
    UNTIL(&rig, first.registered);
    member_join(&rig, &second, CLUSTER_PARTICIPANT, "bank-a");
    UNTIL(&rig, member_said(&second, "another process is registered"));
    /* One that leaves while its name is held must not take the holder's node with it. */
    cluster_leave(second.cluster);
    UNTIL(&rig, second.left);
    CU_ASSERT_NOT_EQUAL(zk_server_owner(&server, path_of(&rig, "participants/bank-a/live")), 0);
    member_close(&second);
    member_open(&second);
    UNTIL(&rig, strstr(strstr(second.log, "another process") + 1, "another process"));
    cluster_leave(first.cluster);
    UNTIL(&rig, second.registered);
    CU_ASSERT_EQUAL(second.refused.code, 0);
    rig_close(&rig);
}

static void own_restart_waits_for_the_old_session_and_serves(void)
{
    struct member c, p;
    struct rig rig;
    char live[256];
    int64_t old;

    rig_open(&rig);
    member_join(&rig, &c, CLUSTER_COORDINATOR, "c1");
    UNTIL(&rig, c.registered);
    snprintf(live, sizeof(live), "%s", path_of(&rig, "participants/bank-a/live"));
    process_kill(process_join(&rig, CLUSTER_PARTICIPANT, "bank-a", live));
    old = zk_server_owner(&server, live);
    member_join(&rig, &p, CLUSTER_PARTICIPANT, "bank-a");
    UNTIL(&rig, p.registered);
    CU_ASSERT_EQUAL(p.refused.code, 0);
    CU_ASSERT_TRUE(member_said(&p, "waiting"));
    CU_ASSERT_NOT_EQUAL(old, 0);
    CU_ASSERT_NOT_EQUAL(zk_server_owner(&server, live), old); /* never taken over: R14 */
    rig_close(&rig);
}

static void coordinators_see_members_come_and_go(void)
{
    struct member c, p;
    struct rig rig;

    rig_open(&rig);
    member_join(&rig, &c, CLUSTER_COORDINATOR, "c1");
    UNTIL(&rig, c.registered);
    member_init(&rig, &p, CLUSTER_PARTICIPANT, "bank-a");
    p.options.address = "127.0.0.1:7501";
    p.options.incarnation = 41;
    member_open(&p);
    UNTIL(&rig, c.participant.presence == CLUSTER_LIVE);
    CU_ASSERT_STRING_EQUAL(c.participant.node.text, "bank-a");
    CU_ASSERT_STRING_EQUAL(c.participant.address, "127.0.0.1:7501");
    CU_ASSERT_EQUAL(c.participant.incarnation, 41);
    CU_ASSERT_TRUE(guid_equal(&c.participant.store, &p.options.store));
    member_close(&p);
    UNTIL(&rig, c.participant.presence == CLUSTER_DOWN);
    CU_ASSERT_STRING_EQUAL(c.participant.address, "");
    p.options.address = "127.0.0.1:7502";
    p.options.incarnation = 42;
    member_open(&p);
    UNTIL(&rig, c.participant.presence == CLUSTER_LIVE);
    CU_ASSERT_STRING_EQUAL(c.participant.address, "127.0.0.1:7502");
    CU_ASSERT_EQUAL(c.participant.incarnation, 42);
    member_close(&p);
    UNTIL(&rig, c.participant.presence == CLUSTER_DOWN);
    CU_ASSERT_TRUE(zk_raw_remove(&server, path_of(&rig, "participants/bank-a")));
    UNTIL(&rig, c.participant.presence == CLUSTER_GONE);
    rig_close(&rig);
}

static void clients_find_coordinators_and_leaders(void)
{
    struct member a, client;
    struct rig rig;

    rig_open(&rig);
    member_init(&rig, &a, CLUSTER_COORDINATOR, "c1");
    a.options.address = "127.0.0.1:7411";
    member_open(&a);
    member_join(&rig, &client, CLUSTER_CLIENT, "");
    UNTIL(&rig, member_leads(&a) == GROUPS);
    for (unsigned group = 0; group < GROUPS; group++) {
        UNTIL(&rig, client.leader_epoch[group] == a.epoch[group]);
        CU_ASSERT_STRING_EQUAL(client.leader[group].text, "c1");
    }
    UNTIL(&rig, member_is_live(&client, "c1"));
    CU_ASSERT_STRING_EQUAL(member_sees(&client, "c1")->address, "127.0.0.1:7411");
    CU_ASSERT_EQUAL(client.participants_count, 0);
    CU_ASSERT_EQUAL(client.registered, 0);
    member_close(&a);
    UNTIL(&rig, client.leader[0].text[0] == '\0');
    UNTIL(&rig, !member_is_live(&client, "c1"));
    rig_close(&rig);
}

static void malformed_ensemble_is_refused_at_once(void)
{
    struct member a;
    struct rig rig;
    struct err err = {0};
    struct cluster *cluster = NULL;
    static const struct cluster_ops none;

    rig_open(&rig);
    member_init(&rig, &a, CLUSTER_COORDINATOR, "c1");
    a.options.ensemble = "no port here";
    CU_ASSERT_EQUAL(cluster_open(&cluster, rig.loop, &a.options, &none, NULL, &err), ERR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no port here"));
    a.options.ensemble = server.address;
    a.options.session_timeout_ms = 100;
    CU_ASSERT_EQUAL(cluster_open(&cluster, rig.loop, &a.options, &none, NULL, &err), ERR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "session timeout of 100 ms"));
    CU_ASSERT_PTR_NULL(cluster);
    rig_close(&rig);
}

CU_TestInfo join_tests[] = {
    {"two_racing_coordinators_create_one_config", two_racing_coordinators_create_one_config},
    {"participant_waits_for_the_first_coordinator", participant_waits_for_the_first_coordinator},
    {"other_number_of_groups_is_refused", other_number_of_groups_is_refused},
    {"bound_store_does_not_create_its_cluster_again",
     bound_store_does_not_create_its_cluster_again},
    {"bound_store_refuses_another_cluster", bound_store_refuses_another_cluster},
    {"another_store_under_the_name_is_refused", another_store_under_the_name_is_refused},
    {"second_process_of_a_name_waits_and_gives_up", second_process_of_a_name_waits_and_gives_up},
    {"second_process_serves_when_the_first_leaves", second_process_serves_when_the_first_leaves},
    {"own_restart_waits_for_the_old_session_and_serves",
     own_restart_waits_for_the_old_session_and_serves},
    {"coordinators_see_members_come_and_go", coordinators_see_members_come_and_go},
    {"clients_find_coordinators_and_leaders", clients_find_coordinators_and_leaders},
    {"malformed_ensemble_is_refused_at_once", malformed_ensemble_is_refused_at_once},
    CU_TEST_INFO_NULL,
};
