#include "rig.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct zk_server server;

static void on_state(void *ctx, enum cluster_state state)
{
    struct member *member = ctx;

    member->state = state;
    member->states[state]++;
}

static void on_config(void *ctx, const struct cluster_config *config)
{
    struct member *member = ctx;

    member->config = *config;
    member->configs++;
}

static void on_registered(void *ctx)
{
    struct member *member = ctx;

    member->registered++;
}

static void on_lead(void *ctx, uint16_t group, uint64_t epoch, const struct guid *guid)
{
    struct member *member = ctx;
    struct rig *rig = member->rig;

    for (unsigned i = 0; i < rig->member_count; i++) {
        if (rig->members[i]->leads[group])
            rig->one_leads = false;
    }
    if (epoch <= rig->epoch_max[group])
        rig->epochs_rise = false;
    rig->epoch_max[group] = epoch;
    member->leads[group] = true;
    member->suspended[group] = false;
    member->epoch[group] = epoch;
    member->guid[group] = *guid;
    member->leads_count++;
}

static void on_suspend(void *ctx, uint16_t group)
{
    struct member *member = ctx;

    member->suspended[group] = true;
    member->suspends_count++;
}

static void on_resume(void *ctx, uint16_t group)
{
    struct member *member = ctx;

    member->suspended[group] = false;
    member->resumes_count++;
}

static void on_unlead(void *ctx, uint16_t group)
{
    struct member *member = ctx;

    member->leads[group] = false;
    member->suspended[group] = false;
    member->unleads_count++;
    member->unlead_ms = loop_now_ms(member->rig->loop);
}

static void on_member(void *ctx, const struct cluster_member *participant)
{
    struct member *member = ctx;

    member->participant = *participant;
    member->participants_count++;
}

static void on_coordinator(void *ctx, const struct cluster_member *coordinator)
{
    struct member *member = ctx;
    unsigned i = 0;

    while (i < member->coordinators_count &&
           !node_name_equal(&member->coordinators[i].node, &coordinator->node))
        i++;
    member->coordinators[i] = *coordinator;
    if (i == member->coordinators_count)
        member->coordinators_count++;
}

static void on_leader(void *ctx, uint16_t group, const struct node_name *node, uint64_t epoch)
{
    struct member *member = ctx;

    member->leader[group] = *node;
    member->leader_epoch[group] = epoch;
}

static void on_refused(void *ctx, const struct err *err)
{
    struct member *member = ctx;

    member->refused = *err;
}

static void on_left(void *ctx)
{
    struct member *member = ctx;

    member->left++;
}

static void on_log(void *ctx, enum cluster_level level, const char *text)
{
    struct member *member = ctx;
    size_t used = strlen(member->log);

    snprintf(member->log + used, sizeof(member->log) - used, "%d %s\n", (int)level, text);
}

static const struct cluster_ops member_ops = {
    .on_state = on_state,
    .on_config = on_config,
    .on_registered = on_registered,
    .on_lead = on_lead,
    .on_suspend = on_suspend,
    .on_resume = on_resume,
    .on_unlead = on_unlead,
    .on_member = on_member,
    .on_coordinator = on_coordinator,
    .on_leader = on_leader,
    .on_refused = on_refused,
    .on_left = on_left,
    .on_log = on_log,
};

void rig_open(struct rig *rig)
{
    static unsigned count;
    char name[NODE_NAME_SIZE];
    struct err err = {0};

    memset(rig, 0, sizeof(*rig));
    snprintf(name, sizeof(name), "test-%u", ++count);
    CU_ASSERT_TRUE_FATAL(node_name_parse(&rig->name, name, strlen(name)));
    CU_ASSERT_EQUAL_FATAL(loop_open(&rig->loop, &err), 0);
    rig->epochs_rise = true;
    rig->one_leads = true;
}

void rig_close(struct rig *rig)
{
    for (unsigned i = 0; i < rig->member_count; i++)
        member_close(rig->members[i]);
    CU_ASSERT_TRUE(rig->epochs_rise);
    CU_ASSERT_TRUE(rig->one_leads);
    loop_close(rig->loop);
}

void member_init(struct rig *rig, struct member *member, enum cluster_role role, const char *node)
{
    memset(member, 0, sizeof(*member));
    member->rig = rig;
    member->state = CLUSTER_CONNECTING;
    member->options = (struct cluster_options){
        .ensemble = server.address,
        .name = rig->name,
        .session_timeout_ms = SESSION_MS,
        .role = role,
        .address = "127.0.0.1:7400",
        .incarnation = 1,
        .groups = role == CLUSTER_COORDINATOR ? GROUPS : 0,
    };
    if (role == CLUSTER_CLIENT)
        return;
    CU_ASSERT_TRUE_FATAL(node_name_parse(&member->options.node, node, strlen(node)));
    memcpy(member->options.store.bytes, node, strlen(node) < 16 ? strlen(node) : 16);
}

void member_open(struct member *member)
{
    struct rig *rig = member->rig;
    struct err err = {0};
    int code = cluster_open(&member->cluster, rig->loop, &member->options, &member_ops, member,
                            &err);

    CU_ASSERT_EQUAL_FATAL(code, 0);
    for (unsigned i = 0; i < rig->member_count; i++) {
        if (rig->members[i] == member)
            return;
    }
    rig->members[rig->member_count++] = member;
}

void member_join(struct rig *rig, struct member *member, enum cluster_role role, const char *node)
{
    member_init(rig, member, role, node);
    member_open(member);
}

void member_follow(struct rig *rig, struct member *standby)
{
    char below[256];

    member_join(rig, standby, CLUSTER_COORDINATOR, "c2");
    for (unsigned group = 0; group < GROUPS; group++) {
        snprintf(below, sizeof(below), "/settle/%s/groups/%u/election", rig->name.text, group);
        UNTIL(rig, zk_server_count(&server, below) == 2);
    }
}

void member_join_two(struct rig *rig, struct member *leader, struct member *standby)
{
    member_join(rig, leader, CLUSTER_COORDINATOR, "c1");
    UNTIL(rig, member_leads(leader) == GROUPS);
    member_follow(rig, standby);
}

void member_close(struct member *member)
{
    cluster_close(member->cluster);
    member->cluster = NULL;
    memset(member->leads, 0, sizeof(member->leads));
}

pid_t process_join(struct rig *rig, enum cluster_role role, const char *node, const char *path)
{
    pid_t pid = fork();

    if (pid == 0) {
        struct member member;
        struct rig own;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        rig_open(&own);
        own.name = rig->name;
        member_join(&own, &member, role, node);
        loop_run(own.loop);
        _exit(1);
    }
    CU_ASSERT_FATAL(pid > 0);
    UNTIL(rig, zk_server_owner(&server, path) != 0);
    return pid;
}

void process_kill(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

void rig_explain(const struct rig *rig, const char *condition)
{
    printf("\nnot met: %s\n", condition);
    for (unsigned i = 0; i < rig->member_count; i++) {
        const struct member *member = rig->members[i];

        printf("%s: %s, registered %u times, leads %u, refused '%s', log:\n%s",
               member->options.node.text, cluster_state_name(member->state), member->registered,
               member_leads(member), member->refused.text, member->log);
    }
}

unsigned member_leads(const struct member *member)
{
    unsigned count = 0;

    for (unsigned group = 0; group < GROUPS_MAX; group++)
        count += member->leads[group];
    return count;
}

const struct cluster_member *member_sees(const struct member *member, const char *coordinator)
{
    for (unsigned i = 0; i < member->coordinators_count; i++) {
        if (strcmp(member->coordinators[i].node.text, coordinator) == 0)
            return &member->coordinators[i];
    }
    return NULL;
}

bool member_is_live(const struct member *member, const char *coordinator)
{
    const struct cluster_member *seen = member_sees(member, coordinator);

    return seen && seen->presence == CLUSTER_LIVE;
}

const char *member_candidate(const struct member *member, unsigned group)
{
    static char path[256];
    char guid[33];

    hex_format(member->guid[group].bytes, sizeof(member->guid[group].bytes), guid);
    snprintf(path, sizeof(path), "/settle/%s/groups/%u/election/%s-0000000000",
             member->rig->name.text, group, guid);
    return path;
}

bool member_said(const struct member *member, const char *words)
{
    return strstr(member->log, words) != NULL;
}
