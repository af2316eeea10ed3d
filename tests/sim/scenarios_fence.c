/*
 * Directed schedules of leadership: epochs, seals, zombies, identities.
 */
#include "sim/script.h"

enum { B1, B2, B3, B4 };
enum { C1, C2, C3 };

/* A leader that was replaced and does not know goes on with what it had. */
static void zombie_aborts(struct sim *sim)
{
    uint32_t t1;

    script_begin(sim, 2, 2);
    t1 = script_transfer(sim, B1, B2, 10);
    script_hold(sim, C1, ANY, MSG_RECORD, ANY);
    script_submit(sim, t1, C1, 400);
    sim_run(sim, 50);
    script_hold(sim, C2, ANY, MSG_COMMIT, ANY);
    script_lead(sim, C2);
    script_submit(sim, t1, C2, 1000);
    sim_run(sim, 50);
    script_expect(sim, sim->oracle.told[t1] == STATE_COMMITTED, "e2 found all PREPARED");
    sim_run(sim, 500); /* e1's deadline: AbortIfMine by who prepared first */
    script_expect_state(sim, B1, t1, STATE_PREPARED);
    script_expect(sim, part_stats(sim->banks[B1].part)->stale_refused > 0, "e1 was refused");
    script_release(sim);
    sim_run(sim, 500);
    script_expect_state(sim, B1, t1, STATE_COMMITTED);
}

/* It prepares more, under an epoch that is over. */
static void zombie_prepares(struct sim *sim)
{
    uint32_t t1, ask;

    script_begin(sim, 2, 2);
    script_lead(sim, C2);
    t1 = script_transfer(sim, B1, B2, 10);
    ask = script_submit(sim, t1, C1, 400);
    sim_run(sim, 1500);
    script_expect(sim, sim->asks[ask].reply != REPLY_COMMITTED, "a zombie commits nothing");
    script_expect_state(sim, B1, t1, STATE_NONE);
}

/* S12: what an earlier process of the same node prepared is not this one's to abort. */
static void s12_own_old_node(struct sim *sim)
{
    uint32_t t1, ask;

    script_begin(sim, 1, 2);
    t1 = script_transfer(sim, B1, B2, 10);
    script_hold(sim, C1, ANY, MSG_COMMIT, ANY);
    ask = script_submit(sim, t1, C1, 500);
    sim_run(sim, 50);
    script_expect_reply(sim, ask, REPLY_COMMITTED);
    sim->coordinators[C1].history_count = 0; /* its disk is lost, too */
    coordinator_crash(sim, C1);
    coordinator_start(sim, C1);
    script_forget_rules(sim);
    script_hold(sim, C1, ANY, MSG_REPORT_PAGE, ANY);
    script_drop(sim, C1, B2, MSG_PREPARE, ANY);
    sim_run(sim, 100);
    ask = script_submit(sim, t1, C1, 200);
    sim_run(sim, 1000);
    script_expect(sim, !sim->coordinators[C1].groups[0].leads, "the old node is not its own");
    script_expect_refused(sim, ask, REASON_NOT_LEADER);
    script_release(sim);
    sim_run(sim, 3000);
    script_expect(sim, sim->coordinators[C1].groups[0].leads, "the new node leads");
    script_expect_state(sim, B1, t1, STATE_COMMITTED);
}

/* ZooKeeper comes back from an older state and gives an epoch a second time. */
static void equal_epoch_other_guid(struct sim *sim)
{
    uint64_t epoch;
    uint32_t t1;

    script_begin(sim, 2, 2);
    epoch = sim->coordinators[C1].groups[0].epoch;
    t1 = script_transfer(sim, B1, B2, 10);
    script_hold(sim, C1, ANY, MSG_COMMIT, ANY);
    script_submit(sim, t1, C1, 500);
    sim_run(sim, 50);
    coordinator_crash(sim, C1);
    sim->zk.zxid = epoch - 1;
    sim->zk.restored = true;
    zk_expire(sim, 0);
    zk_expire(sim, 1);
    sim->zk.zxid = epoch - 1;
    zk_hear(sim, C2);
    sim_run(sim, 50);
    script_expect(sim, part_stats(sim->banks[B1].part)->stale_refused > 0, "c2 was refused");
    script_submit(sim, t1, C2, 20);
    sim_run(sim, 40);
    script_expect_state(sim, B1, t1, STATE_PREPARED);
    zk_remedy(sim);
    sim_run(sim, 500);
    script_expect_state(sim, B1, t1, STATE_COMMITTED);
}

/* A store made anew looks "sealed, never prepared"; it is not the one that voted. */
static void store_made_anew(struct sim *sim)
{
    uint32_t t1, ask;

    script_begin(sim, 2, 2);
    t1 = script_transfer(sim, B1, B2, 10);
    script_hold(sim, C1, ANY, MSG_COMMIT, ANY);
    ask = script_submit(sim, t1, C1, 500);
    sim_run(sim, 50);
    script_expect_reply(sim, ask, REPLY_COMMITTED);
    coordinator_crash(sim, C1);
    script_replace_store(sim, B2);
    script_lead(sim, C2);
    sim_run(sim, 3000);
    script_expect_state(sim, B1, t1, STATE_PREPARED);
    ask = script_submit(sim, t1, C2, 500);
    sim_run(sim, 2000);
    script_expect(sim, sim->asks[ask].reply != REPLY_ABORTED, "nobody is told ABORTED");
    sim->endless = true; /* an operator's case: the money is in doubt until he decides */
}

/* Prepared under a list with the old store; submitted again under one with the new. */
static void list_of_the_old_store(struct sim *sim)
{
    uint32_t t1, ask;

    script_begin(sim, 2, 2);
    t1 = script_transfer(sim, B1, B2, 10);
    script_hold(sim, C1, B2, MSG_PREPARE, ANY);
    script_submit(sim, t1, C1, 2000);
    sim_run(sim, 50);
    coordinator_crash(sim, C1);
    script_replace_store(sim, B2);
    sim_run(sim, 200);
    script_hold(sim, C2, ANY, MSG_REPORT_PAGE, ANY); /* to e2 it looks new */
    script_lead(sim, C2);
    ask = script_submit(sim, t1, C2, 500);
    sim_run(sim, 500);
    script_expect_refused(sim, ask, REASON_STORE_REPLACED);
    script_expect_state(sim, B1, t1, STATE_PREPARED);
    sim_run(sim, 3000); /* b1 names it under its own list, which e2 then follows */
    script_expect_state(sim, B1, t1, STATE_PREPARED);
    script_expect(sim, sim->oracle.told[t1] == STATE_NONE, "nothing was told");
    sim->endless = true; /* an operator's case */
}

/* R14: a Prepare that lists another store than one's own is not obeyed. */
static void prepare_for_another_store(struct sim *sim)
{
    struct msg msg = {.kind = MSG_PREPARE};
    const struct content *content;
    struct party parties[2];
    uint32_t t1;

    script_begin(sim, 1, 2);
    t1 = script_transfer(sim, B1, B2, 10);
    content = &sim->contents[t1];
    parties[0] = sim->banks[B1].self;
    parties[1] = sim->banks[B2].self;
    parties[0].store.bytes[3] ^= 1;
    msg.tag = (struct tag){sim->coordinators[C1].groups[0].epoch, 77};
    msg.id = content->id;
    msg.digest = content->digest;
    msg.prepare.protocol = PROTOCOL_2PC;
    msg.prepare.parties = parties;
    msg.prepare.party_count = 2;
    msg.prepare.branch = content->branches[0].branch;
    script_say(sim, C1, B1, &msg);
    sim_run(sim, 50);
    script_expect_state(sim, B1, t1, STATE_NONE);
}

/* A zombie connects anew: its Hello supersedes its own old connection, and not the leader's. */
static void zombie_says_hello(struct sim *sim)
{
    uint32_t t1, ask, conns;

    script_begin(sim, 2, 2);
    script_lead(sim, C2);
    t1 = script_transfer(sim, B1, B2, 10);
    script_hold(sim, C2, B1, MSG_PREPARE, ANY);
    ask = script_submit(sim, t1, C2, 1000);
    sim_run(sim, 20);
    conns = sim->conn_count;
    script_cut(sim, C1, B1);
    script_mend(sim, C1, B1);
    sim_run(sim, 200);
    script_expect(sim, sim->conn_count == conns + 1, "only the zombie dialled");
    script_expect_silence(sim, ask);
    script_release(sim); /* what the leader had under way was not superseded */
    sim_run(sim, 50);
    script_expect_reply(sim, ask, REPLY_COMMITTED);
}

/* A seal is kept through a restart, and is not given to a lower epoch. */
static void seal_survives(struct sim *sim)
{
    uint64_t epoch;
    struct guid guid;

    script_begin(sim, 2, 2);
    script_lead(sim, C2);
    script_restart_bank(sim, B1);
    sim_run(sim, 300); /* both connect again, the zombie too */
    part_seal_get(sim->banks[B1].part, 0, &epoch, &guid);
    script_expect(sim, epoch == sim->coordinators[C2].groups[0].epoch, "c2 is sealed");
}

/* Below oldest_id nothing is ever prepared again, and what is known stays known. */
static void too_old(struct sim *sim)
{
    uint32_t t1, t2, t3, ask;

    script_begin(sim, 1, 2);
    t1 = script_transfer(sim, B1, B2, 10);
    t2 = script_transfer(sim, B2, B1, 10);
    script_submit(sim, t1, C1, 500);
    sim_run(sim, 100);
    t3 = script_transfer(sim, B2, B1, 10);
    sim->oldest = sim->contents[t3].id;
    memset(sim->oldest.bytes + 6, 0, sizeof(sim->oldest.bytes) - 6);
    bank_forget_before(sim, B1, &sim->oldest);
    bank_forget_before(sim, B2, &sim->oldest);
    ask = script_submit(sim, t2, C1, 500);
    sim_run(sim, 700);
    script_expect_refused(sim, ask, REASON_TOO_OLD);
    script_expect_state(sim, B1, t2, STATE_NONE);
    ask = script_submit(sim, t3, C1, 500);
    sim_run(sim, 500);
    script_expect_reply(sim, ask, REPLY_COMMITTED);
}

const struct scenario scenarios_fence[] = {
    {"zombie_aborts", "R2 R6", "who prepared first aborts after another sealed", zombie_aborts},
    {"zombie_prepares", "R2", "new work under an epoch that is over", zombie_prepares},
    {"S12", "R14", "a restarted coordinator finds its old election node", s12_own_old_node},
    {"equal_epoch_other_guid", "R2", "a restored ZooKeeper gives an epoch twice",
     equal_epoch_other_guid},
    {"store_made_anew", "R14", "a new store is not the one that voted", store_made_anew},
    {"list_of_the_old_store", "R14", "a repeat under a list of other stores is no repeat",
     list_of_the_old_store},
    {"prepare_for_another_store", "R14", "a list that names another store than mine",
     prepare_for_another_store},
    {"zombie_says_hello", "R2", "a Hello supersedes its own process's connection only",
     zombie_says_hello},
    {"seal_survives", "R2", "a seal is a promise beyond a restart", seal_survives},
    {"too_old", "R10", "ids below oldest_id are refused", too_old},
    {0},
};
