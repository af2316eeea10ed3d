/*
 * What the tests of cluster share: one real server, and members that record what they are told.
 */
#ifndef SETTLE_TESTS_CLUSTER_RIG_H
#define SETTLE_TESTS_CLUSTER_RIG_H

#include "cluster/cluster.h"
#include "support/runner.h"
#include "support/zookeeper.h"

#define TICK_MS    500
#define SESSION_MS 2000
#define GROUPS     4

/* One member of a cluster, and what it was told. */
struct member {
    struct cluster *cluster;
    struct cluster_options options;
    enum cluster_state state;
    unsigned states[8]; /* how often each state was entered */
    struct cluster_config config;
    unsigned configs, registered, left;
    bool leads[GROUPS_MAX], suspended[GROUPS_MAX];
    uint64_t epoch[GROUPS_MAX];
    struct guid guid[GROUPS_MAX];
    unsigned leads_count, unleads_count, suspends_count, resumes_count;
    uint64_t unlead_ms; /* when it last gave a group up */
    struct err refused;
    struct cluster_member participant; /* the last told */
    unsigned participants_count;
    struct cluster_member coordinators[8]; /* by name, as last told */
    unsigned coordinators_count;
    struct node_name leader[GROUPS_MAX];
    uint64_t leader_epoch[GROUPS_MAX];
    char log[16384]; /* all lines */
    struct rig *rig;
};

struct rig {
    struct loop *loop;
    struct node_name name; /* of this test's cluster */
    uint64_t epoch_max[GROUPS_MAX];
    bool epochs_rise; /* every leadership of a group had a higher epoch than those before */
    bool one_leads;   /* no two members believed to lead one group at once */
    struct member *members[8];
    unsigned member_count;
};

extern struct zk_server server;

/** A loop, and a cluster's name that no other test uses. */
void rig_open(struct rig *rig);
void rig_close(struct rig *rig);

/** Options of a member; change them before member_open(). */
void member_init(struct rig *rig, struct member *member, enum cluster_role role, const char *node);
void member_open(struct member *member);
/** member_init() and member_open(). */
void member_join(struct rig *rig, struct member *member, enum cluster_role role, const char *node);
/** A coordinator "c1" that leads every group, and "c2" that is the next of each. */
void member_join_two(struct rig *rig, struct member *leader, struct member *standby);
/** The second half of that: "c2" behind whoever leads. */
void member_follow(struct rig *rig, struct member *standby);
void member_close(struct member *member);

/**
 * A member in a process of its own, so that its session can outlive it; waits until the server has
 * its node `path`. End it by process_kill(): SIGKILL.
 */
pid_t process_join(struct rig *rig, enum cluster_role role, const char *node, const char *path);
void process_kill(pid_t pid);

/** The path of a candidate that is the first ever created in its group. */
const char *member_candidate(const struct member *member, unsigned group);
unsigned member_leads(const struct member *member); /* how many groups */
/** What the member was told of a coordinator; NULL when nothing. */
const struct cluster_member *member_sees(const struct member *member, const char *coordinator);
bool member_is_live(const struct member *member, const char *coordinator);
bool member_said(const struct member *member, const char *words);

/** Print what the members were told, for a condition that was not met. */
void rig_explain(const struct rig *rig, const char *condition);

/* Run the loop until the condition holds; fail the test when it does not within 60 s. */
#define UNTIL(rig, condition)                                               \
    do {                                                                    \
        uint64_t until_ms = loop_now_ms((rig)->loop) + 60000;               \
        bool met;                                                           \
        while (!(met = (condition)) && loop_now_ms((rig)->loop) < until_ms) \
            loop_step((rig)->loop, 20);                                     \
        if (!met)                                                           \
            rig_explain(rig, #condition);                                   \
        CU_ASSERT_TRUE_FATAL(met);                                          \
    } while (0)

extern CU_TestInfo join_tests[], election_tests[], outage_tests[];

#endif
