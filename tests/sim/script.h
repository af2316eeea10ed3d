/*
 * Directed schedules: a script over the simulator where everything takes 1 ms, in order, and only
 * what the script says goes wrong.
 *
 * The script holds messages back, crashes, cuts, makes leaders, submits, lets time pass, and states
 * what must be so. Around it stands the same oracle as around random schedules, and at the end the
 * world heals and must become quiet.
 *
 * Coordinators, banks and contents are counted from 0; they are called c1, b1, t1 in traces.
 */
#ifndef SETTLE_SIM_SCRIPT_H
#define SETTLE_SIM_SCRIPT_H

#include "sim/sim.h"

#define ANY (-1)

struct scenario {
    const char *name;
    const char *rules; /* whose mutants it kills */
    const char *text;  /* the schedule, in a sentence */
    void (*run)(struct sim *sim);
};

/** All of them, ended by one without a name. */
const struct scenario *script_scenarios(void);

/** Run one in a fresh world. True iff it passed. */
bool script_run(struct sim *sim, const struct scenario *scenario);

/** Start nodes; returns when coordinator 0 leads and every bank has sealed to it. */
void script_begin(struct sim *sim, uint32_t coordinators, uint32_t banks);

/* ---- contents: the index of what may be submitted ---- */

/** `amount` of USD from account A of one bank to account A of another. */
uint32_t script_transfer(struct sim *sim, uint32_t from, uint32_t to, int64_t amount);

/** Other content of the same id as `of`. */
uint32_t script_transfer_as(struct sim *sim, uint32_t of, uint32_t from, uint32_t to,
                            int64_t amount);

/** `amount` each from one bank to two others. */
uint32_t script_split(struct sim *sim, uint32_t from, uint32_t to, uint32_t other, int64_t amount);

/** A transfer whose credit is `more` than its debit. */
uint32_t script_unbalanced(struct sim *sim, uint32_t from, uint32_t to, int64_t more);

/** A transfer that a read-only branch at `reader` guards: account A must have `min` available. */
uint32_t script_guarded(struct sim *sim, uint32_t from, uint32_t to, uint32_t reader, int64_t min);

/* ---- what clients do ---- */

/** Each returns the number of the request, for script_expect_reply(). */
uint32_t script_submit(struct sim *sim, uint32_t content, uint32_t coordinator,
                       uint32_t deadline_ms);
uint32_t script_outcome(struct sim *sim, uint32_t content, uint32_t coordinator);
uint32_t script_audit(struct sim *sim, uint32_t coordinator);

/* ---- what happens ---- */

/** Hold back, or drop, what matches where it arrives. `kind` 0 and ANY match all. */
void script_hold(struct sim *sim, int coordinator, int bank, int kind, int content);
void script_drop(struct sim *sim, int coordinator, int bank, int kind, int content);

/** Rules end, and what was held back arrives. */
void script_release(struct sim *sim);

/** Rules end, but what was held back stays where it is until script_release(). */
void script_forget_rules(struct sim *sim);

/** ZooKeeper makes it the leader of everything; whoever led before is not told. */
void script_lead(struct sim *sim, uint32_t coordinator);

/** A coordinator whose session is over is told so, and joins again. */
void script_tell_unled(struct sim *sim, uint32_t coordinator);

/** Cut off, or connected again, as both ends notice at once. */
void script_cut(struct sim *sim, uint32_t coordinator, uint32_t bank);
void script_mend(struct sim *sim, uint32_t coordinator, uint32_t bank);

/** Nothing is forced at this bank until script_unstick(). */
void script_stick(struct sim *sim, uint32_t bank);
void script_unstick(struct sim *sim, uint32_t bank);

/** Crash and start again; returns when its connections stand. */
void script_restart_bank(struct sim *sim, uint32_t bank);

/** A message as if the coordinator's core had made it. */
void script_say(struct sim *sim, uint32_t coordinator, uint32_t bank, const struct msg *msg);

/** The bank's machine is replaced by one with an empty store of a new id, and registered so. */
void script_replace_store(struct sim *sim, uint32_t bank);

/* ---- what must be so ---- */

void script_expect(struct sim *sim, bool holds, const char *what);
void script_expect_reply(struct sim *sim, uint32_t ask, enum reply_kind kind);
void script_expect_refused(struct sim *sim, uint32_t ask, enum reason reason);
void script_expect_silence(struct sim *sim, uint32_t ask);

/** The bank's core holds the content in this state (ended: by the index of outcomes). */
void script_expect_state(struct sim *sim, uint32_t bank, uint32_t content, enum txn_state state);

/** True iff the bank's core still keeps the content for recovery: it was not ended. */
bool script_is_unresolved(const struct sim *sim, uint32_t bank, uint32_t content);

/* One list a file. */
extern const struct scenario scenarios_votes[];
extern const struct scenario scenarios_recovery[];
extern const struct scenario scenarios_fence[];
extern const struct scenario scenarios_cut[];

#endif
