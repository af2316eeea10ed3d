/*
 * What is stored, as bytes: the values of the store's tables.
 *
 *   table     key                                    value
 *   JOURNAL   position, u64 big-endian               record_encode
 *   ACCOUNTS  number, u32 big-endian                 account_row_encode
 *   ENTRIES   position u64, index u16, big-endian    entry_encode
 *   OUTCOMES  id                                     outcome_encode (and a coordinator's HISTORY)
 *   META      "checkpoint"                           checkpoint_encode
 *
 * The store wraps each value with version, length and checksum. Decoders check what an encoder
 * promises as if the bytes came from a stranger; a failure is ERR_CORRUPT and names the field.
 */
#ifndef SETTLE_WIRE_RECORD_H
#define SETTLE_WIRE_RECORD_H

#include "base/err.h"
#include "base/ledger_types.h"
#include "core/record.h"
#include "wire/arena.h"

struct seal {
    uint16_t group;
    uint64_t epoch;
    struct guid guid;
};

/* What a checkpoint keeps beside the tables. */
struct checkpoint {
    uint64_t position; /* replay starts behind it */
    uint64_t clock;
    struct id oldest_id;
    uint16_t seal_count;
    struct seal seals[GROUPS_MAX]; /* ascending by group */
};

/* Bytes the encoders below may need. */
#define RECORD_SIZE_MAX      (BRANCH_SIZE_MAX + 4096)
#define ACCOUNT_ROW_SIZE_MAX 256
#define ATTRIBUTES_SIZE_MAX  128
#define ENTRY_SIZE_MAX       384
#define OUTCOME_SIZE_MAX     64
#define CHECKPOINT_SIZE_MAX  (GROUPS_MAX * 64 + 128)

/**
 * Each encoder writes to `out` and returns the size, or ERR_FULL when `out` or the scratch arena is
 * too small. The scratch arena is built in and given back; 64 KiB serve everything here.
 */
int record_encode(struct arena *scratch, const struct record *record, uint8_t *out, size_t size);
int attributes_encode(struct arena *scratch, const struct account_attributes *attributes,
                      uint8_t *out, size_t size);
int account_row_encode(struct arena *scratch, const struct account_row *row, uint8_t *out,
                       size_t size);
int entry_encode(struct arena *scratch, const struct entry *entry, uint8_t *out, size_t size);
int outcome_encode(struct arena *scratch, const struct outcome *outcome, uint8_t *out, size_t size);
int checkpoint_encode(struct arena *scratch, const struct checkpoint *checkpoint, uint8_t *out,
                      size_t size);

/**
 * Read a record of the journal.
 *
 * @arena     holds its arrays and blob until it is reset or rewound
 * @position  the key it was found under; a record of another position is corrupt
 * @return    0, ERR_CORRUPT, or ERR_FULL when the arena is used up
 */
int record_decode(struct arena *arena, const uint8_t *bytes, size_t size, uint64_t position,
                  struct record *ret_record, struct err *err);

/** The others return 0, ERR_CORRUPT or ERR_FULL, and leave nothing in the arena. A checkpoint is
 * undefined on failure. */
int attributes_decode(struct arena *scratch, const uint8_t *bytes, size_t size,
                      struct account_attributes *ret_attributes, struct err *err);
int account_row_decode(struct arena *scratch, const uint8_t *bytes, size_t size,
                       struct account_row *ret_row, struct err *err);
int entry_decode(struct arena *scratch, const uint8_t *bytes, size_t size, struct entry *ret_entry,
                 struct err *err);
int outcome_decode(struct arena *scratch, const uint8_t *bytes, size_t size,
                   struct outcome *ret_outcome, struct err *err);
int checkpoint_decode(struct arena *scratch, const uint8_t *bytes, size_t size,
                      struct checkpoint *ret_checkpoint, struct err *err);

#endif
