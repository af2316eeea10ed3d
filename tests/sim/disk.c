/*
 * What survives a participant's process: journal, rows, outcomes, checkpoints; and coming back.
 *
 * Jobs are durable in the order they were submitted, each whole or not at all; a crash keeps some
 * of those that were not acknowledged yet, and the rest is lost. Values are encoded as on a real
 * disk, and everything is decoded again at a start: rows first, then the journal's tail through
 * core and ledger.
 *
 * A checkpoint is a pass over several turns. It begins by carrying every unresolved transaction
 * into the journal, writes some dirty rows a job, and its last job has outcomes, clock and seals
 * and trims the journal to where the pass began.
 */
#include "base/assert.h"
#include "sim/sim.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_A_SLICE 2

static const struct ledger_options ledger_usual = {
    .account_max = SIM_ROWS,
    .hold_max = 32,
    .posting_max = 256,
};

static struct part_options part_usual(const struct sim *sim, const struct bank *self)
{
    return (struct part_options){
        .self = self->self,
        .groups = (uint16_t)sim->group_count,
        .txn_max = sim->faults.tight ? 2 : 32,
        .orphan_ms = 1000,
    };
}

void bank_open(struct sim *sim, uint32_t index)
{
    struct bank *self = &sim->banks[index];
    struct part_options options = {.groups = SIM_GROUPS, .txn_max = 32};

    self->sim = sim;
    self->index = index;
    self->part_size = part_memory_size(&options);
    self->ledger_size = ledger_memory_size(&ledger_usual);
    self->part_memory = malloc(self->part_size);
    self->ledger_memory = malloc(self->ledger_size);
    self->batch_memory = malloc(batch_memory_size(SIM_TURN_STEPS));
    ASSERT(self->part_memory && self->ledger_memory && self->batch_memory);
    batch_init(&self->batch, self->batch_memory, SIM_TURN_STEPS);
}

void bank_close(struct bank *self)
{
    outbox_close(self->outbox);
    free(self->part_memory);
    free(self->ledger_memory);
    free(self->batch_memory);
}

void disk_append(struct sim *sim, struct bank *self, const struct record *record)
{
    struct journal_entry *entry = &self->journal[record->position];
    int size;

    ASSERT(record->position < SIM_JOURNAL);
    size = record_encode(&sim->scratch, record, self->journal_bytes + self->journal_used,
                         SIM_JOURNAL_SIZE - self->journal_used);
    ASSERT(size > 0);
    entry->at = self->journal_used;
    entry->size = (uint32_t)size;
    self->journal_used += entry->size;
}

static struct record read_record(struct sim *sim, const struct bank *self, uint64_t position)
{
    const struct journal_entry *entry = &self->journal[position];
    struct record record = {0};
    struct err err = {0};

    arena_reset(&sim->record_arena);
    if (record_decode(&sim->record_arena, self->journal_bytes + entry->at, entry->size, position,
                      &record, &err) != 0)
        sim_fail(sim, "codec", "record %llu of b%u does not decode: %s",
                 (unsigned long long)position, self->index + 1, err.text);
    return record;
}

/* ---- jobs ---- */

static struct job *last_job(struct bank *self)
{
    return &self->jobs[(self->job_head + self->job_count - 1) % SIM_JOBS];
}

void disk_submit(struct sim *sim, uint32_t index)
{
    struct bank *self = &sim->banks[index];
    uint64_t at_ms = sim->now_ms + sim_delay(sim, sim->faults.force_ms);

    ASSERT(self->job_count < SIM_JOBS);
    self->job_count++;
    last_job(self)->end = self->batch.log_tail;
    if (!self->slice_ready) {
        last_job(self)->row_set = 0;
        last_job(self)->finishes = false;
    }
    self->slice_ready = false;
    self->submitted = self->batch.log_tail;
    if (at_ms < self->last_force_ms)
        at_ms = self->last_force_ms;
    self->last_force_ms = at_ms;
    sim_schedule(sim, at_ms - sim->now_ms,
                 (struct happening){
                     .kind = HAPPENS_FORCED, .node = (uint8_t)index, .process = self->process});
}

/* The oldest job is durable from here on. */
void disk_force(struct sim *sim, uint32_t index)
{
    struct bank *self = &sim->banks[index];
    const struct job *job = &self->jobs[self->job_head];

    for (uint64_t position = self->durable + 1; position <= job->end; position++) {
        struct record record = read_record(sim, self, position);

        oracle_durable(sim, index, &record);
    }
    self->durable = job->end;
    for (uint32_t i = 0; i < SIM_ROWS; i++) {
        if (job->row_set & 1u << i)
            self->disk.rows[i] = job->rows[i];
    }
    if (job->finishes) {
        self->disk.first = job->first;
        self->disk.checkpoint = job->checkpoint;
        self->disk.outcome_count = job->outcome_count;
        memcpy(self->disk.outcomes, job->outcomes, sizeof(job->outcomes[0]) * job->outcome_count);
    }
    self->job_head = (self->job_head + 1) % SIM_JOBS;
    self->job_count--;
}

/* Some of what was submitted and not acknowledged may have reached the disk; nothing else has. */
void disk_crash(struct sim *sim, uint32_t index)
{
    struct bank *self = &sim->banks[index];

    while (self->job_count > 0 && sim_chance(sim, 500))
        disk_force(sim, index);
    if (self->durable < self->batch.log_tail)
        sim->counts.batches_lost++;
    self->job_head = 0;
    self->job_count = 0;
    self->turn_open = false;
    self->pass_open = false;
    self->slice_ready = false;
}

/* ---- checkpoints ---- */

/* Everything unresolved goes into the journal again, so that what is before may be trimmed. */
static void carry(struct sim *sim, struct bank *self)
{
    struct part_view view;
    uint32_t cursor = 0;

    while (part_next(self->part, &cursor, &view)) {
        struct record *record = part_carry(self->part, cursor - 1, &self->batch);
        uint8_t bytes[512];
        struct branch branch;
        int size = 0;

        if (view.state == STATE_PREPARED) {
            ledger_hold_branch(self->ledger, view.hold, &branch);
            size = branch_encode(&sim->scratch, &branch, bytes, sizeof(bytes));
            ASSERT(size > 0);
        }
        record->branch = (struct blob){bytes, (uint32_t)size};
        disk_append(sim, self, record);
        batch_clear(&self->batch);
    }
}

static void encode_meta(struct sim *sim, const struct bank *self, struct job *job)
{
    struct checkpoint checkpoint = {.position = self->pass_first - 1,
                                    .clock = part_clock(self->part)};
    int size;

    for (uint16_t group = 0; group < (uint16_t)sim->group_count; group++) {
        struct seal *seal = &checkpoint.seals[checkpoint.seal_count];

        part_seal_get(self->part, group, &seal->epoch, &seal->guid);
        seal->group = group;
        if (seal->epoch > 0)
            checkpoint.seal_count++;
    }
    size = checkpoint_encode(&sim->scratch, &checkpoint, job->checkpoint.bytes, SIM_STORED_SIZE);
    ASSERT(size > 0);
    job->checkpoint.size = (uint16_t)size;
    job->outcome_count = self->outcome_count;
    for (uint32_t i = 0; i < self->outcome_count; i++) {
        size = outcome_encode(&sim->scratch, &self->outcomes[i], job->outcomes[i].bytes,
                              SIM_STORED_SIZE);
        ASSERT(size > 0);
        job->outcomes[i].size = (uint16_t)size;
    }
    job->first = self->pass_first;
}

/* The next slice of the pass goes into the job that the turn will submit. */
void disk_checkpoint(struct sim *sim, uint32_t index)
{
    struct bank *self = &sim->banks[index];
    struct job *job = &self->jobs[(self->job_head + self->job_count) % SIM_JOBS];
    struct account_row row;

    ASSERT(self->job_count < SIM_JOBS);
    if (!self->pass_open) {
        self->pass_open = true;
        self->pass_cursor = 0;
        self->pass_first = self->batch.log_tail + 1;
        carry(sim, self);
        sim_trace(sim, "b%u begins a checkpoint at %llu", index + 1,
                  (unsigned long long)self->pass_first);
    }
    job->row_set = 0;
    job->finishes = false;
    self->slice_ready = true;
    for (int i = 0; i < ROWS_A_SLICE; i++) {
        struct stored *stored;
        int size;

        if (!ledger_checkpoint_next(self->ledger, &self->pass_cursor, &row)) {
            job->finishes = true;
            break;
        }
        stored = &job->rows[row.attributes.number];
        size = account_row_encode(&sim->scratch, &row, stored->bytes, SIM_STORED_SIZE);
        ASSERT(size > 0);
        stored->size = (uint16_t)size;
        job->row_set |= 1u << row.attributes.number;
    }
    if (!job->finishes)
        return;
    encode_meta(sim, self, job);
    self->pass_open = false;
    sim->counts.checkpoints++;
}

/* ---- coming back ---- */

static void load_rows(struct sim *sim, struct bank *self)
{
    struct err err = {0};

    for (uint32_t i = 0; i < SIM_ROWS && self->disk.rows[i].size > 0; i++) {
        struct account_row row;

        if (account_row_decode(&sim->scratch, self->disk.rows[i].bytes, self->disk.rows[i].size,
                               &row, &err) != 0 ||
            ledger_load(self->ledger, &row, &err) != 0)
            sim_fail(sim, "recovery", "row %u of b%u: %s", i, self->index + 1, err.text);
    }
}

static void load_meta(struct sim *sim, struct bank *self)
{
    struct checkpoint checkpoint;
    struct err err = {0};

    self->outcome_count = self->disk.outcome_count;
    for (uint32_t i = 0; i < self->outcome_count; i++) {
        if (outcome_decode(&sim->scratch, self->disk.outcomes[i].bytes, self->disk.outcomes[i].size,
                           &self->outcomes[i], &err) != 0)
            sim_fail(sim, "codec", "outcome %u of b%u: %s", i, self->index + 1, err.text);
    }
    if (self->disk.checkpoint.size == 0)
        return;
    if (checkpoint_decode(&sim->scratch, self->disk.checkpoint.bytes, self->disk.checkpoint.size,
                          &checkpoint, &err) != 0) {
        sim_fail(sim, "codec", "the checkpoint of b%u: %s", self->index + 1, err.text);
        return;
    }
    ASSERT(checkpoint.position + 1 == self->disk.first);
    part_restore_clock(self->part, checkpoint.clock);
    for (uint16_t i = 0; i < checkpoint.seal_count; i++)
        part_restore_seal(self->part, checkpoint.seals[i].group, checkpoint.seals[i].epoch,
                          &checkpoint.seals[i].guid);
}

/* The hold of a record that has its branch and says something new; SLOT_NONE for any other. */
static int restore_hold(struct sim *sim, struct bank *self, const struct record *record,
                        uint32_t *ret_hold, struct err *err)
{
    struct branch branch;

    *ret_hold = SLOT_NONE;
    if (record->branch.size == 0 || part_knows(self->part, &record->id))
        return 0;
    if (branch_decode(&sim->scratch, record->branch.bytes, record->branch.size, &branch, err) !=
        REASON_NONE)
        return ERR_CORRUPT;
    return ledger_restore(self->ledger, &branch, ret_hold, err);
}

static int replay_account(struct sim *sim, struct bank *self, const struct record *record,
                          struct err *err)
{
    struct account_attributes attributes;
    int rc = attributes_decode(&sim->scratch, record->branch.bytes, record->branch.size,
                               &attributes, err);

    return rc != 0 ? rc : ledger_apply(self->ledger, &attributes, record->position, err);
}

static int replay(struct sim *sim, struct bank *self, const struct record *record, struct err *err)
{
    uint32_t hold, done;
    int rc;

    if (record->kind == RECORD_ACCOUNT)
        return replay_account(sim, self, record, err);
    rc = restore_hold(sim, self, record, &hold, err);
    if (rc == 0)
        rc = part_replay(self->part, record, hold, &done, err);
    if (rc != 0)
        return rc;
    if (done != SLOT_NONE && record->kind == RECORD_COMMITTED)
        ledger_replay_post(self->ledger, done, record->position);
    else if (done != SLOT_NONE)
        ledger_void(self->ledger, done);
    bank_index(self, record);
    return 0;
}

static void replay_journal(struct sim *sim, struct bank *self)
{
    for (uint64_t position = self->disk.first; position <= self->durable; position++) {
        struct record record = read_record(sim, self, position);
        struct err err = {0};

        if (replay(sim, self, &record, &err) != 0)
            sim_fail(sim, "recovery", "b%u does not start: %s", self->index + 1, err.text);
    }
}

/* A start: memory is empty, and what the disk holds is all there is. */
void bank_start(struct sim *sim, uint32_t index)
{
    struct bank *self = &sim->banks[index];
    struct part_options options = part_usual(sim, self);
    struct err err = {0};
    int rc;

    if (self->alive)
        return;
    sim_trace(sim, "b%u starts with %llu records", index + 1, (unsigned long long)self->durable);
    memset(self->part_memory, 0, self->part_size);
    memset(self->ledger_memory, 0, self->ledger_size);
    self->part = part_init(self->part_memory, &options);
    self->ledger = ledger_init(self->ledger_memory, &ledger_usual);
    rc = outbox_open(SIM_OUTBOX_SIZE, self->durable, bank_send, self, &self->outbox, &err);
    ASSERT(rc == 0);
    self->alive = true;
    self->process++;
    self->mono_ms = sim_draw(sim, 1000000);
    self->submitted = self->durable;
    self->batch.log_tail = self->durable;
    self->last_force_ms = 0;
    self->journal_used = 0;
    if (self->durable > 0)
        self->journal_used = self->journal[self->durable].at + self->journal[self->durable].size;
    load_rows(sim, self);
    load_meta(sim, self);
    replay_journal(sim, self);
    oracle_restarted(sim, index);
    sim_schedule(sim, sim_delay(sim, SIM_BANK_TICK_MS),
                 (struct happening){
                     .kind = HAPPENS_BANK_TICK, .node = (uint8_t)index, .process = self->process});
}
