/*
 * ZooKeeper as coordinators meet it: one total order of writes, sessions that end when they are not
 * heard of, ephemeral sequential election nodes, and news that come late.
 *
 * A session lives as long as its coordinator is heard: a crash, a pause or a cut sets its expiry.
 * The owner learns of it later, if ever: until then it is a zombie, which believes to lead. The
 * epoch of a leadership is epoch_base + the zxid its node was created with. A ZooKeeper restored
 * from an older state gives zxids twice, to nodes with other GUIDs.
 */
#include "base/assert.h"
#include "sim/sim.h"

static struct happening of_coordinator(const struct sim *sim, enum happening_kind kind,
                                       uint32_t node)
{
    return (struct happening){
        .kind = kind, .node = (uint8_t)node, .process = sim->coordinators[node].process};
}

/*
 * R14: only a node of the own session is adopted. One that an earlier process of the same
 * coordinator left is a stranger's, until ZooKeeper takes it away (S12).
 */
static bool owns(const struct sim *sim, uint32_t coordinator, const struct zk_node *node)
{
    return node->session + 1 == sim->coordinators[coordinator].session;
}

/* Whoever owns a group's first node is told so, when its watch fires. */
static void elect(struct sim *sim, uint32_t group)
{
    const struct zk_node *first = &sim->zk.nodes[group][0];

    if (sim->zk.node_counts[group] == 0)
        return;
    for (uint32_t i = 0; i < sim->coordinator_count; i++) {
        struct happening happening = of_coordinator(sim, HAPPENS_ELECTED, i);

        happening.other = (uint8_t)group;
        if (sim->coordinators[i].alive && owns(sim, i, first))
            sim_schedule(sim, sim_delay(sim, 50), happening);
    }
}

void zk_elected(struct sim *sim, uint32_t coordinator, uint32_t group)
{
    const struct zk_node *first = &sim->zk.nodes[group][0];
    struct coordinator *self = &sim->coordinators[coordinator];

    if (sim->zk.node_counts[group] == 0 || !owns(sim, coordinator, first) || self->zk_cut ||
        self->groups[group].leads || self->groups[group].given_up)
        return;
    coordinator_lead(sim, coordinator, group, sim->zk.epoch_base + first->zxid, &first->guid);
}

static void add_node(struct sim *sim, uint32_t coordinator, uint32_t group)
{
    struct zk *zk = &sim->zk;
    struct zk_node *node = &zk->nodes[group][zk->node_counts[group]++];

    ASSERT(zk->node_counts[group] <= SIM_ZK_NODES);
    node->session = sim->coordinators[coordinator].session - 1;
    node->zxid = ++zk->zxid;
    prng_fill(&sim->prng, &node->guid, sizeof(node->guid));
    elect(sim, group);
}

/* Take a session's nodes away from a group; who comes first then leads. */
static void remove_nodes(struct sim *sim, uint32_t session, uint32_t group)
{
    struct zk *zk = &sim->zk;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < zk->node_counts[group]; i++) {
        if (zk->nodes[group][i].session != session)
            zk->nodes[group][kept++] = zk->nodes[group][i];
    }
    if (kept == zk->node_counts[group])
        return;
    zk->node_counts[group] = kept;
    zk->zxid++;
    elect(sim, group);
}

void zk_join(struct sim *sim, uint32_t coordinator)
{
    struct coordinator *self = &sim->coordinators[coordinator];
    struct zk *zk = &sim->zk;

    if (self->session != 0)
        return;
    if (self->zk_cut) {
        sim_schedule(sim, 100, of_coordinator(sim, HAPPENS_JOIN, coordinator));
        return;
    }
    ASSERT(zk->session_count < SIM_SESSIONS);
    zk->sessions[zk->session_count] = (struct zk_session){.coordinator = (uint8_t)coordinator,
                                                          .alive = true};
    self->session = ++zk->session_count;
    self->suspended = false;
    for (uint32_t group = 0; group < sim->group_count; group++) {
        struct happening later = of_coordinator(sim, HAPPENS_REJOIN, coordinator);

        later.other = (uint8_t)group;
        later.value = self->session;
        if (sim->random && sim_draw(sim, 3) == 0) /* so that not one of them leads all groups */
            sim_schedule(sim, sim_delay(sim, 60), later);
        else
            add_node(sim, coordinator, group);
    }
}

void zk_expire(struct sim *sim, uint32_t session)
{
    struct zk_session *self = &sim->zk.sessions[session];

    if (!self->alive)
        return;
    self->alive = false;
    sim->counts.expired_sessions++;
    sim_trace(sim, "zookeeper ends the session of c%u", self->coordinator + 1u);
    for (uint32_t group = 0; group < sim->group_count; group++)
        remove_nodes(sim, session, group);
}

/* The session is not heard of from now on. */
void zk_silence(struct sim *sim, uint32_t coordinator)
{
    uint32_t session = sim->coordinators[coordinator].session;
    struct happening happening = {.kind = HAPPENS_EXPIRE};

    if (session == 0)
        return;
    happening.value = session - 1;
    happening.process = sim->zk.sessions[session - 1].heard;
    sim_schedule(sim, SIM_SESSION_MS + sim_delay(sim, SIM_ZK_TICK_MS), happening);
}

/* The coordinator is heard again: its session lives on, or it is told late that it ended. */
void zk_hear(struct sim *sim, uint32_t coordinator)
{
    struct coordinator *self = &sim->coordinators[coordinator];

    if (self->session == 0)
        return;
    if (!sim->zk.sessions[self->session - 1].alive) {
        sim_schedule(sim, sim_delay(sim, 300), of_coordinator(sim, HAPPENS_UNLED, coordinator));
        return;
    }
    sim->zk.sessions[self->session - 1].heard++;
    if (self->suspended)
        sim_schedule(sim, sim_delay(sim, 20), of_coordinator(sim, HAPPENS_RESUMED, coordinator));
    for (uint32_t group = 0; group < sim->group_count; group++)
        elect(sim, group);
}

void zk_cut(struct sim *sim, uint32_t coordinator)
{
    struct coordinator *self = &sim->coordinators[coordinator];

    if (self->zk_cut)
        return;
    self->zk_cut = true;
    zk_silence(sim, coordinator);
    sim_schedule(sim, sim_delay(sim, 700), of_coordinator(sim, HAPPENS_SUSPENDED, coordinator));
}

void zk_mend(struct sim *sim, uint32_t coordinator)
{
    struct coordinator *self = &sim->coordinators[coordinator];

    if (!self->zk_cut)
        return;
    self->zk_cut = false;
    if (self->alive)
        zk_hear(sim, coordinator);
}

/* A leader that met a higher seal gave its node up; it contends again with a new one. */
void zk_resign(struct sim *sim, uint32_t coordinator, uint32_t group)
{
    struct happening happening = of_coordinator(sim, HAPPENS_REJOIN, coordinator);

    if (sim->coordinators[coordinator].session == 0)
        return;
    happening.other = (uint8_t)group;
    happening.value = sim->coordinators[coordinator].session;
    remove_nodes(sim, sim->coordinators[coordinator].session - 1, group);
    sim_schedule(sim, 100 + sim_delay(sim, 400), happening);
}

void zk_rejoin(struct sim *sim, uint32_t coordinator, uint32_t group, uint32_t session)
{
    struct coordinator *self = &sim->coordinators[coordinator];

    if (self->session != session || !sim->zk.sessions[session - 1].alive)
        return;
    for (uint32_t i = 0; i < sim->zk.node_counts[group]; i++) {
        if (owns(sim, coordinator, &sim->zk.nodes[group][i]))
            return;
    }
    add_node(sim, coordinator, group);
}

/* Back to the state of the beginning: every session is gone, and zxids are given a second time. */
void zk_restore(struct sim *sim)
{
    struct zk *zk = &sim->zk;

    for (uint32_t session = 0; session < zk->session_count; session++)
        zk_expire(sim, session);
    zk->zxid = 0;
    zk->restored = true;
    for (uint32_t i = 0; i < sim->coordinator_count; i++) {
        if (sim->coordinators[i].alive && !sim->coordinators[i].zk_cut)
            zk_hear(sim, i);
    }
}

/* The operator's remedy: a base above every seal. New sessions lead by it. */
void zk_remedy(struct sim *sim)
{
    struct zk *zk = &sim->zk;

    if (!zk->restored)
        return;
    zk->restored = false;
    zk->epoch_base += 1000000;
    for (uint32_t session = 0; session < zk->session_count; session++)
        zk_expire(sim, session);
    for (uint32_t i = 0; i < sim->coordinator_count; i++) {
        if (sim->coordinators[i].alive && !sim->coordinators[i].zk_cut)
            zk_hear(sim, i);
    }
}
