/*
 * Checkpoints: what the journal says, written where it is found without the journal.
 *
 * A checkpoint at position S makes the tables include every record up to S, so that replay starts
 * behind S and the journal is trimmed up to there. In this order:
 *
 *   1. every unresolved transaction is written to the journal again, whole, right behind S, before
 *      anything else is: whatever replay meets later finds it (checkpoint_begin)
 *   2. the outcomes up to S go into their index, in slices sorted by id
 *   3. dirty accounts are written in slices in the order of their numbers; each row includes what
 *      was journaled up to S at the least, and says how much more
 *   4. one job stores the checkpoint's row (S, clock, seals) and trims the journal up to S
 *
 * Dying before 4 is durable leaves the old checkpoint and a journal that reaches back to it; all
 * that 1 to 3 wrote says nothing new then. Only when 4 is durable are the outcomes up to S
 * forgotten here, for the index has them.
 */
#include "participant.h"

#include "base/assert.h"
#include "runtime/log.h"

#define SLICE_OUTCOMES 1024u
#define SLICE_ACCOUNTS 1024u
#define SLICE_DROPS    16384u

static void put_row(struct participant *p)
{
    int size;

    arena_reset(&p->scratch);
    size = checkpoint_encode(&p->scratch, &p->checkpoint.row, p->encoded, sizeof(p->encoded));
    ASSERT(size > 0);
    turn_put(p, STORE_META, CHECKPOINT_KEY, sizeof(CHECKPOINT_KEY) - 1, (size_t)size);
}

/*
 * Step 1, in one piece: nothing else may be journaled between S and the last of these, or replay
 * from S would meet the end of a transaction whose beginning was trimmed.
 */
static void carry_all(struct participant *p)
{
    struct part_view view;
    uint32_t cursor = 0;

    while (part_next(p->part, &cursor, &view)) {
        struct record *record;

        turn_wait_for_job(p);
        record = part_carry(p->part, cursor - 1, &p->batch);
        if (record->state == STATE_PREPARED) {
            uint8_t *bytes = batch_alloc(&p->batch, BRANCH_ENCODED_MAX);
            int size;

            ledger_hold_branch(p->ledger, view.hold, &p->branch);
            arena_reset(&p->scratch);
            size = branch_encode(&p->scratch, &p->branch, bytes, BRANCH_ENCODED_MAX);
            ASSERT(size > 0);
            record->branch.bytes = bytes;
            record->branch.size = (uint32_t)size;
        }
        turn_flush(p);
    }
}

static void begin(struct participant *p)
{
    struct checkpoint_run *run = &p->checkpoint;

    run->position = p->batch.log_tail;
    carry_all(p);
    run->phase = CHECKPOINT_OUTCOMES;
    run->outcome_cursor = 0;
    run->account_cursor = 0;
    run->begun_ms = loop_now_ms(p->loop);
}

static void write_outcomes(struct participant *p)
{
    struct checkpoint_run *run = &p->checkpoint;
    struct outcome slice[SLICE_OUTCOMES];
    uint32_t count = outcomes_slice(p->outcomes, run->position, &run->outcome_cursor, slice,
                                    SLICE_OUTCOMES);

    for (uint32_t i = 0; i < count; i++) {
        int size;

        arena_reset(&p->scratch);
        size = outcome_encode(&p->scratch, &slice[i], p->encoded, sizeof(p->encoded));
        ASSERT(size > 0);
        turn_put(p, STORE_OUTCOMES, &slice[i].id, sizeof(slice[i].id), (size_t)size);
    }
    if (count > 0 && memcmp(&slice[count - 1].id, &run->index_last, sizeof(run->index_last)) > 0)
        run->index_last = slice[count - 1].id;
    if (count < SLICE_OUTCOMES)
        run->phase = CHECKPOINT_ACCOUNTS;
}

static bool write_accounts(struct participant *p)
{
    struct checkpoint_run *run = &p->checkpoint;
    uint8_t key[STORE_KEY_ACCOUNT_SIZE];
    struct account_row row;

    for (uint32_t i = 0; i < SLICE_ACCOUNTS; i++) {
        int size;

        if (!ledger_checkpoint_next(p->ledger, &run->account_cursor, &row))
            return true;
        row.debits_pending = 0; /* holds are replayed from the journal */
        row.credits_pending = 0;
        arena_reset(&p->scratch);
        size = account_row_encode(&p->scratch, &row, p->encoded, sizeof(p->encoded));
        ASSERT(size > 0);
        store_key_account(key, row.attributes.number);
        turn_put(p, STORE_ACCOUNTS, key, sizeof(key), (size_t)size);
    }
    return false;
}

/*
 * Step 4, in one job: the row without the trim would be harmless, the trim without the row not.
 * The clock's record gives this job a position of its own, by which it is known to be durable.
 */
static void finish(struct participant *p)
{
    struct checkpoint_run *run = &p->checkpoint;
    uint8_t key[STORE_KEY_JOURNAL_SIZE];
    bool trimmed;

    run->row.position = run->position;
    run->row.clock = part_clock(p->part);
    run->row.seal_count = 0;
    for (uint16_t group = 0; group < store_identity(p->store)->groups; group++) {
        struct seal *seal = &run->row.seals[run->row.seal_count];

        part_seal_get(p->part, group, &seal->epoch, &seal->guid);
        seal->group = group;
        if (seal->epoch != 0)
            run->row.seal_count++;
    }
    put_row(p);
    store_key_journal(key, run->position + 1);
    trimmed = store_trim(p->turn.job, STORE_JOURNAL, key, sizeof(key));
    ASSERT(trimmed);
    batch_record(&p->batch, RECORD_CLOCK)->timestamp = run->row.clock;
    turn_flush(p);
    run->last_job = p->batch.log_tail;
    turn_submit(p);
    run->phase = CHECKPOINT_FORCING;
}

static void drop(struct participant *p)
{
    struct checkpoint_run *run = &p->checkpoint;

    if (outcomes_drop(p->outcomes, run->position, SLICE_DROPS) == SLICE_DROPS)
        return;
    run->phase = CHECKPOINT_IDLE;
    peer_resume_all(p); /* there is room for outcomes again */
    log_line(LOG_DEBUG, "checkpoint", "position=%llu ms=%llu", (unsigned long long)run->position,
             (unsigned long long)(loop_now_ms(p->loop) - run->begun_ms));
}

/*
 * Something was journaled since the last one; or so much came while that one ran that outcomes may
 * have no room left: then no step is taken, and nothing more would ever be journaled.
 */
static bool is_due(const struct participant *p)
{
    return p->batch.log_tail > p->checkpoint.last_job ||
           outcomes_count(p->outcomes) > outcomes_max(p->outcomes) / 2;
}

/* One slice. Returns in how many milliseconds to come again. */
static uint64_t slice(struct participant *p)
{
    struct checkpoint_run *run = &p->checkpoint;

    if (run->phase == CHECKPOINT_FORCING) {
        if (outbox_durable(p->outbox) < run->last_job)
            return 1;
        run->phase = CHECKPOINT_DROPPING;
    }
    if (run->phase == CHECKPOINT_DROPPING) {
        drop(p);
        return run->phase == CHECKPOINT_IDLE ? p->options.checkpoint_ms : 0;
    }
    turn_wait_for_job(p);
    switch (run->phase) {
    case CHECKPOINT_IDLE:
        if (!is_due(p))
            return p->options.checkpoint_ms;
        begin(p);
        break;
    case CHECKPOINT_OUTCOMES:
        write_outcomes(p);
        break;
    case CHECKPOINT_ACCOUNTS:
        if (write_accounts(p))
            finish(p);
        break;
    case CHECKPOINT_FORCING:
    case CHECKPOINT_DROPPING:
        UNREACHABLE();
    }
    return 0;
}

void checkpoint_step(void *ctx)
{
    struct participant *p = ctx;

    loop_timer_set(p->checkpoint_timer, slice(p));
}

void checkpoint_hurry(struct participant *p)
{
    if (p->checkpoint.phase == CHECKPOINT_IDLE && is_due(p))
        loop_timer_set(p->checkpoint_timer, 0);
}

void checkpoint_save_oldest(struct participant *p, const struct id *oldest)
{
    p->checkpoint.row.oldest_id = *oldest;
    turn_wait_for_job(p);
    put_row(p);
    batch_record(&p->batch, RECORD_CLOCK)->timestamp = part_clock(p->part);
    turn_flush(p);
    turn_submit(p);
}
