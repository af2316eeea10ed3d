/*
 * From the store: the checkpoint's row, the accounts, then the journal behind the checkpoint.
 *
 * Rows of accounts may be newer than the record that is replayed; the ledger knows by each row's
 * `applied`. A record that contradicts what stands before it stops the start (I11).
 */
#include "participant.h"

#include "base/assert.h"
#include "runtime/log.h"

#define LOAD_PAGE 4096u

/* What a scan's callback works with; it stops the scan by setting rc. */
struct load {
    struct participant *p;
    struct err *err;
    int rc;
    uint8_t next[STORE_KEY_SIZE_MAX]; /* the key to go on from: the last one's successor */
    size_t next_size;
    uint64_t count;
};

static int load_checkpoint(struct participant *p, struct err *err)
{
    struct checkpoint_run *run = &p->checkpoint;
    size_t size;
    int rc = store_get(p->store, STORE_META, CHECKPOINT_KEY, sizeof(CHECKPOINT_KEY) - 1, p->encoded,
                       sizeof(p->encoded), &size, err);

    if (rc == ERR_NOT_FOUND)
        return 0;
    if (rc == 0)
        rc = checkpoint_decode(&p->scratch, p->encoded, size, &run->row, err);
    if (rc != 0)
        return rc;
    for (uint16_t i = 0; i < run->row.seal_count; i++) {
        const struct seal *seal = &run->row.seals[i];

        if (seal->group >= store_identity(p->store)->groups)
            return err_set(err, ERR_CORRUPT, "the checkpoint seals group %u of %u", seal->group,
                           store_identity(p->store)->groups);
        part_restore_seal(p->part, seal->group, seal->epoch, &seal->guid);
    }
    part_restore_clock(p->part, run->row.clock);
    return 0;
}

/* Remember where to go on: the smallest key above `row`'s, which has no bytes of 0xff only. */
static void remember(struct load *load, const struct store_row *row)
{
    ASSERT(row->key_size < sizeof(load->next));
    memcpy(load->next, row->key, row->key_size);
    load->next[row->key_size] = 0; /* longer, so above it, and below the next of the same size */
    load->next_size = row->key_size + 1;
    load->count++;
}

/* Scan a table page by page, so that no read pins the store for long. */
static int scan_all(struct load *load, enum store_table table, store_scan_fn fn)
{
    struct store_scan scan = {.table = table, .direction = STORE_FORWARD, .max = LOAD_PAGE};
    int seen;

    do {
        scan.from = load->next_size > 0 ? load->next : NULL;
        scan.from_size = load->next_size;
        seen = store_scan(load->p->store, &scan, fn, load, load->err);
        if (seen < 0)
            return seen;
        if (load->rc != 0)
            return load->rc;
    } while ((uint32_t)seen == LOAD_PAGE);
    return 0;
}

static bool on_account(void *ctx, const struct store_row *row)
{
    struct load *load = ctx;
    struct account_row account;

    remember(load, row);
    arena_reset(&load->p->scratch);
    load->rc = account_row_decode(&load->p->scratch, row->value, row->value_size, &account,
                                  load->err);
    if (load->rc == 0)
        load->rc = ledger_load(load->p->ledger, &account, load->err);
    return load->rc == 0;
}

/* The hold a record's branch makes again, where it is not held already. */
static int restore_hold(struct participant *p, const struct record *record, uint32_t *ret_hold,
                        struct err *err)
{
    bool prepares = record->kind == RECORD_PREPARED ||
                    (record->kind == RECORD_CARRIED && record->state == STATE_PREPARED) ||
                    (record->kind == RECORD_COMMITTED && record->branch.size > 0);
    enum reason reason;

    *ret_hold = SLOT_NONE;
    if (!prepares || part_knows(p->part, &record->id))
        return 0;
    arena_reset(&p->scratch);
    reason = branch_decode(&p->scratch, record->branch.bytes, record->branch.size, &p->branch,
                           NULL);
    if (reason != REASON_NONE)
        return err_set(err, ERR_CORRUPT, "the branch of journal record %llu is not one: %s",
                       (unsigned long long)record->position, reason_text(reason));
    return ledger_restore(p->ledger, &p->branch, ret_hold, err);
}

static int replay_account(struct participant *p, const struct record *record, struct err *err)
{
    struct account_attributes attributes;
    int rc;

    arena_reset(&p->scratch);
    rc = attributes_decode(&p->scratch, record->branch.bytes, record->branch.size, &attributes,
                           err);
    if (rc != 0)
        return rc;
    return ledger_apply(p->ledger, &attributes, record->position, err);
}

static int replay(struct participant *p, const struct record *record, struct err *err)
{
    bool ends = record->kind == RECORD_COMMITTED || record->kind == RECORD_ABORTED;
    uint32_t hold, done;
    int rc;

    if (record->kind == RECORD_ACCOUNT)
        return replay_account(p, record, err);
    /* Others may follow the one that took the last room: what a checkpoint wrote before we died. */
    if (ends && outcomes_count(p->outcomes) == outcomes_max(p->outcomes))
        return err_set(err, ERR_FULL, "the journal holds more than %u outcomes; raise outcome-max",
                       outcomes_max(p->outcomes));
    rc = restore_hold(p, record, &hold, err);
    if (rc == 0)
        rc = part_replay(p->part, record, hold, &done, err);
    if (rc != 0)
        return rc;
    if (done != SLOT_NONE && record->kind == RECORD_COMMITTED)
        ledger_replay_post(p->ledger, done, record->position);
    else if (done != SLOT_NONE)
        ledger_void(p->ledger, done);
    turn_keep_outcome(p, record);
    return 0;
}

static bool on_record(void *ctx, const struct store_row *row)
{
    struct load *load = ctx;
    struct participant *p = load->p;
    struct record record;

    remember(load, row);
    arena_reset(&p->arena);
    load->rc = record_decode(&p->arena, row->value, row->value_size, store_key_position(row->key),
                             &record, load->err);
    if (load->rc == 0)
        load->rc = replay(p, &record, load->err);
    return load->rc == 0;
}

static bool on_last_outcome(void *ctx, const struct store_row *row)
{
    struct id *last = ctx;

    if (row->key_size == sizeof(*last))
        memcpy(last, row->key, sizeof(*last));
    return false;
}

static int load_journal(struct participant *p, struct load *load)
{
    store_key_journal(load->next, p->checkpoint.row.position + 1);
    load->next_size = STORE_KEY_JOURNAL_SIZE;
    load->count = 0;
    return scan_all(load, STORE_JOURNAL, on_record);
}

int participant_load(struct participant *p, struct err *err)
{
    struct store_scan last = {.table = STORE_OUTCOMES, .direction = STORE_BACKWARD, .max = 1};
    struct load load = {.p = p, .err = err};
    uint64_t accounts;
    int rc;

    rc = load_checkpoint(p, err);
    if (rc == 0)
        rc = scan_all(&load, STORE_ACCOUNTS, on_account);
    accounts = load.count;
    if (rc == 0)
        rc = load_journal(p, &load);
    if (rc != 0)
        return rc;
    rc = store_scan(p->store, &last, on_last_outcome, &p->checkpoint.index_last, err);
    if (rc < 0)
        return rc;
    p->batch.log_tail = store_tail(p->store);
    if (p->batch.log_tail < p->checkpoint.row.position)
        return err_set(err, ERR_CORRUPT, "the journal ends at %llu, before its checkpoint at %llu",
                       (unsigned long long)p->batch.log_tail,
                       (unsigned long long)p->checkpoint.row.position);
    p->turn.submitted = p->batch.log_tail;
    p->checkpoint.last_job = p->checkpoint.row.position;
    log_line(LOG_INFO, "store loaded",
             "accounts=%llu replayed=%llu prepared=%llu unresolved=%llu position=%llu",
             (unsigned long long)accounts, (unsigned long long)load.count,
             (unsigned long long)part_stats(p->part)->prepared_now,
             (unsigned long long)part_stats(p->part)->unresolved_now,
             (unsigned long long)p->batch.log_tail);
    return 0;
}
