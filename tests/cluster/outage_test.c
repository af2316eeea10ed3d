/* ZooKeeper away, back, killed, set back; answers lost on the way. */
#include "proxy.h"
#include "rig.h"

#include <stdio.h>
#include <string.h>

/* A coordinator "c1" that reaches the server through a proxy, with time enough for any machine. */
static void open_behind(struct rig *rig, struct proxy *proxy, struct member *member)
{
    member_init(rig, member, CLUSTER_COORDINATOR, "c1");
    member->options.ensemble = proxy->address;
    member->options.session_timeout_ms = 10000;
    member_open(member);
}

static void absent_at_start_is_waited_for(void)
{
    struct member a;
    struct rig rig;

    rig_open(&rig);
    zk_server_kill(&server);
    member_join(&rig, &a, CLUSTER_COORDINATOR, "c1");
    UNTIL(&rig, member_said(&a, "does not answer"));
    CU_ASSERT_TRUE(member_said(&a, server.address));
    CU_ASSERT_EQUAL(a.state, CLUSTER_CONNECTING);
    /* Hundreds of attempts are a few lines. */
    CU_ASSERT(strlen(a.log) < 4000);
    zk_server_restart(&server);
    UNTIL(&rig, member_leads(&a) == GROUPS);
    rig_close(&rig);
}

/* One member is cut off: it gives up before the other may begin. */
static void cut_off_leader_gives_up_before_another_leads(void)
{
    struct member a, b;
    struct proxy proxy;
    struct rig rig;

    rig_open(&rig);
    proxy_open(&proxy, rig.loop, server.address);
    member_init(&rig, &a, CLUSTER_COORDINATOR, "c1");
    a.options.ensemble = proxy.address;
    member_open(&a);
    UNTIL(&rig, member_leads(&a) == GROUPS);
    member_follow(&rig, &b);
    proxy_freeze(&proxy, true);
    UNTIL(&rig, a.unleads_count == GROUPS);
    CU_ASSERT_EQUAL(a.suspends_count, GROUPS); /* first it starts nothing new */
    CU_ASSERT_EQUAL(a.states[CLUSTER_SUSPENDED], 1);
    UNTIL(&rig, a.state == CLUSTER_LOST);
    UNTIL(&rig, member_leads(&b) == GROUPS); /* rig.one_leads is checked at each */
    proxy_freeze(&proxy, false);
    UNTIL(&rig, a.registered == 2);
    CU_ASSERT_EQUAL(member_leads(&a), 0);
    member_close(&a);
    proxy_close(&proxy);
    rig_close(&rig);
}

/* The connection breaks and comes again: suspended, then resumed under the same epoch. */
static void broken_connection_suspends_and_resumes(void)
{
    struct member a;
    struct proxy proxy;
    struct rig rig;
    uint64_t epochs[GROUPS];

    rig_open(&rig);
    proxy_open(&proxy, rig.loop, server.address);
    open_behind(&rig, &proxy, &a);
    UNTIL(&rig, member_leads(&a) == GROUPS);
    memcpy(epochs, a.epoch, sizeof(epochs));
    for (unsigned cut = 1; cut <= 3; cut++) {
        proxy_cut(&proxy);
        UNTIL(&rig, a.resumes_count == cut * GROUPS);
        CU_ASSERT_EQUAL(a.suspends_count, cut * GROUPS);
    }
    CU_ASSERT_EQUAL(a.unleads_count, 0);
    CU_ASSERT_EQUAL(memcmp(epochs, a.epoch, sizeof(epochs)), 0);
    CU_ASSERT_EQUAL(a.states[CLUSTER_EXPIRED], 0);
    member_close(&a);
    proxy_close(&proxy);
    rig_close(&rig);
}

/* From the leader's death to the next leader: a session timeout and a tick, and what it takes. */
static void killed_leader_is_followed_in_time(void)
{
    struct member b;
    struct rig rig;
    char path[256];
    pid_t leader;
    uint64_t killed_ms;

    rig_open(&rig);
    snprintf(path, sizeof(path), "/settle/%s/coordinators/c1/live", rig.name.text);
    leader = process_join(&rig, CLUSTER_COORDINATOR, "c1", path);
    for (unsigned group = 0; group < GROUPS; group++) {
        snprintf(path, sizeof(path), "/settle/%s/groups/%u/election", rig.name.text, group);
        UNTIL(&rig, zk_server_count(&server, path) == 1);
    }
    member_follow(&rig, &b);
    CU_ASSERT_EQUAL(b.leads_count, 0);
    process_kill(leader);
    killed_ms = loop_now_ms(rig.loop);
    UNTIL(&rig, member_leads(&b) == GROUPS);
    CU_ASSERT(loop_now_ms(rig.loop) - killed_ms <= SESSION_MS + TICK_MS + 1000);
    printf("(%u ms) ", (unsigned)(loop_now_ms(rig.loop) - killed_ms));
    rig_close(&rig);
}

/* What was suspended resumes only where our node is still there. */
static void node_removed_meanwhile_is_not_resumed(void)
{
    struct member a;
    struct proxy proxy;
    struct rig rig;

    rig_open(&rig);
    proxy_open(&proxy, rig.loop, server.address);
    open_behind(&rig, &proxy, &a);
    UNTIL(&rig, member_leads(&a) == GROUPS);
    proxy_freeze(&proxy, true);
    proxy_cut(&proxy);
    UNTIL(&rig, a.suspends_count == GROUPS);
    CU_ASSERT_TRUE(zk_raw_remove(&server, member_candidate(&a, 1)));
    proxy_freeze(&proxy, false);
    UNTIL(&rig, a.leads_count == GROUPS + 1 && a.resumes_count >= GROUPS - 1);
    CU_ASSERT_EQUAL(a.resumes_count, GROUPS - 1);
    CU_ASSERT_EQUAL(a.unleads_count, 1);
    member_close(&a);
    proxy_close(&proxy);
    rig_close(&rig);
}

static void stopped_server_ends_leadership_and_gives_it_again(void)
{
    struct member a, b;
    struct rig rig;

    rig_open(&rig);
    member_join_two(&rig, &a, &b);
    zk_server_pause(&server);
    UNTIL(&rig, a.state == CLUSTER_LOST);
    CU_ASSERT_EQUAL(member_leads(&a), 0);
    CU_ASSERT_EQUAL(a.suspends_count, GROUPS);
    zk_server_continue(&server);
    /* Who it is cannot be foretold; that epochs rise and one leads is checked at the end. */
    UNTIL(&rig, member_leads(&a) + member_leads(&b) == GROUPS);
    CU_ASSERT(a.leads_count + b.leads_count >= 2 * GROUPS); /* nobody went on with an old node */
    rig_close(&rig);
}

static void killed_server_comes_back(void)
{
    struct member a, p;
    struct rig rig;

    rig_open(&rig);
    member_join(&rig, &a, CLUSTER_COORDINATOR, "c1");
    member_join(&rig, &p, CLUSTER_PARTICIPANT, "bank-a");
    UNTIL(&rig, member_leads(&a) == GROUPS && a.participant.presence == CLUSTER_LIVE);
    zk_server_kill(&server);
    UNTIL(&rig, a.suspends_count == GROUPS && p.states[CLUSTER_SUSPENDED] > 0);
    zk_server_restart(&server);
    UNTIL(&rig, a.state == CLUSTER_CONNECTED && p.state == CLUSTER_CONNECTED);
    UNTIL(&rig, member_leads(&a) == GROUPS && !a.suspended[0] && !a.suspended[GROUPS - 1]);
    UNTIL(&rig, a.participant.presence == CLUSTER_LIVE);
    rig_close(&rig);
}

/* The server creates the nodes, the answer is lost: they are found again, and none is left over. */
static void lost_answer_to_a_candidacy_leaves_no_orphan(void)
{
    struct member a;
    struct proxy proxy;
    struct rig rig;
    char path[256];

    rig_open(&rig);
    proxy_open(&proxy, rig.loop, server.address);
    proxy.lose_of = "/election/";
    proxy.lose_max = 3;
    open_behind(&rig, &proxy, &a);
    UNTIL(&rig, proxy.lost > 0);
    UNTIL(&rig, member_leads(&a) == GROUPS && !a.suspended[0] && !a.suspended[GROUPS - 1]);
    CU_ASSERT_EQUAL(a.states[CLUSTER_EXPIRED], 0);
    for (unsigned group = 0; group < GROUPS; group++) {
        snprintf(path, sizeof(path), "/settle/%s/groups/%u/election", rig.name.text, group);
        CU_ASSERT_EQUAL(zk_server_count(&server, path), 1);
    }
    member_close(&a);
    proxy_close(&proxy);
    rig_close(&rig);
}

static void lost_answer_to_a_registration_is_found_again(void)
{
    struct member c, p;
    struct proxy proxy;
    struct rig rig;

    rig_open(&rig);
    proxy_open(&proxy, rig.loop, server.address);
    member_join(&rig, &c, CLUSTER_COORDINATOR, "c1");
    UNTIL(&rig, c.registered);
    proxy.lose_of = "/participants/";
    proxy.lose_max = 2; /* the member's and its live node's */
    member_init(&rig, &p, CLUSTER_PARTICIPANT, "bank-a");
    p.options.ensemble = proxy.address;
    p.options.session_timeout_ms = 10000;
    member_open(&p);
    UNTIL(&rig, p.registered);
    CU_ASSERT_EQUAL(proxy.lost, 2);
    CU_ASSERT_FALSE(member_said(&p, "another process"));
    UNTIL(&rig, c.participant.presence == CLUSTER_LIVE);
    member_close(&p);
    proxy_close(&proxy);
    rig_close(&rig);
}

static void lost_answer_to_the_config_creates_one_cluster(void)
{
    struct member a, b;
    struct proxy proxy;
    struct rig rig;

    rig_open(&rig);
    proxy_open(&proxy, rig.loop, server.address);
    proxy.lose_of = "/config";
    proxy.lose_max = 1;
    open_behind(&rig, &proxy, &a);
    UNTIL(&rig, a.registered);
    CU_ASSERT_EQUAL(proxy.lost, 1);
    CU_ASSERT_EQUAL(a.configs, 1);
    member_join(&rig, &b, CLUSTER_COORDINATOR, "c2");
    UNTIL(&rig, b.configs == 1);
    CU_ASSERT_TRUE(guid_equal(&a.config.cluster, &b.config.cluster));
    member_close(&a);
    proxy_close(&proxy);
    rig_close(&rig);
}

/* Leaving while cut off ends by itself, and the nodes go with the session. */
static void leaving_while_cut_off_ends_in_time(void)
{
    struct member a, b;
    struct proxy proxy;
    struct rig rig;

    rig_open(&rig);
    proxy_open(&proxy, rig.loop, server.address);
    member_init(&rig, &a, CLUSTER_COORDINATOR, "c1");
    a.options.ensemble = proxy.address;
    member_open(&a);
    UNTIL(&rig, member_leads(&a) == GROUPS);
    member_follow(&rig, &b);
    proxy_freeze(&proxy, true);
    cluster_leave(a.cluster);
    UNTIL(&rig, a.left == 1);
    CU_ASSERT_EQUAL(member_leads(&a), 0);
    member_close(&a);
    UNTIL(&rig, member_leads(&b) == GROUPS);
    proxy_close(&proxy);
    rig_close(&rig);
}

/*
 * Set back to an older state, ZooKeeper gives zxids a second time. A running process notices: its
 * session is refused, a new one is given an epoch it knows to be used, and it says so.
 */
static void older_state_is_noticed_and_remedied(void)
{
    static const struct id none;
    struct member a;
    struct rig rig;
    struct err err = {0};
    uint64_t high = 0;
    char path[256];

    rig_open(&rig);
    member_join(&rig, &a, CLUSTER_COORDINATOR, "c1");
    UNTIL(&rig, a.registered);
    member_close(&a);
    zk_server_kill(&server);
    zk_server_save(&server);
    zk_server_restart(&server);
    for (int i = 0; i < 100; i++) { /* the zxids to be given again */
        snprintf(path, sizeof(path), "/settle/%s/filler-%d", rig.name.text, i);
        CU_ASSERT_TRUE(zk_raw_create(&server, path, "x"));
    }
    member_open(&a);
    UNTIL(&rig, member_leads(&a) == GROUPS);
    for (unsigned group = 0; group < GROUPS; group++)
        high = a.epoch[group] > high ? a.epoch[group] : high;
    zk_server_kill(&server);
    zk_server_restore(&server);
    zk_server_restart(&server);
    UNTIL(&rig, member_said(&a, "group 0: ZooKeeper") && member_said(&a, "group 3: ZooKeeper"));
    CU_ASSERT_TRUE(member_said(&a, "it was set back to an older state; not leading"));
    CU_ASSERT_EQUAL(member_leads(&a), 0);
    CU_ASSERT_EQUAL(a.leads_count, GROUPS);
    UNTIL(&rig, cluster_raise(a.cluster, high, &none, &err) == 0);
    UNTIL(&rig, member_leads(&a) == GROUPS);
    CU_ASSERT(a.epoch[0] > high);
    rig_close(&rig);
}

CU_TestInfo outage_tests[] = {
    {"absent_at_start_is_waited_for", absent_at_start_is_waited_for},
    {"cut_off_leader_gives_up_before_another_leads", cut_off_leader_gives_up_before_another_leads},
    {"broken_connection_suspends_and_resumes", broken_connection_suspends_and_resumes},
    {"killed_leader_is_followed_in_time", killed_leader_is_followed_in_time},
    {"node_removed_meanwhile_is_not_resumed", node_removed_meanwhile_is_not_resumed},
    {"stopped_server_ends_leadership_and_gives_it_again",
     stopped_server_ends_leadership_and_gives_it_again},
    {"killed_server_comes_back", killed_server_comes_back},
    {"lost_answer_to_a_candidacy_leaves_no_orphan", lost_answer_to_a_candidacy_leaves_no_orphan},
    {"lost_answer_to_a_registration_is_found_again", lost_answer_to_a_registration_is_found_again},
    {"lost_answer_to_the_config_creates_one_cluster",
     lost_answer_to_the_config_creates_one_cluster},
    {"leaving_while_cut_off_ends_in_time", leaving_while_cut_off_ends_in_time},
    {"older_state_is_noticed_and_remedied", older_state_is_noticed_and_remedied},
    CU_TEST_INFO_NULL,
};
