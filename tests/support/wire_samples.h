/*
 * Valid envelopes and records of every kind, with contents drawn from a seed.
 *
 * Unit, golden and fuzz tests share them: what one kind may carry is written down once. Lists have
 * `list_size` elements or their maximum if that is less; nothing optional is left out.
 */
#ifndef SETTLE_TESTS_WIRE_SAMPLES_H
#define SETTLE_TESTS_WIRE_SAMPLES_H

#include "base/prng.h"
#include "wire/record.h"
#include "wire/wire.h"

struct sampler {
    struct prng prng;
    struct arena *arena; /* holds lists and blobs; must not run out */
    size_t list_size;
    bool longest; /* texts, names and blobs at their maximum */
};

/** How many kinds of envelope there are; a response counts once a body, a request once an op. */
size_t sample_envelope_count(void);

/** A valid envelope of kind `index`; returns its name, which is a file name too. */
const char *sample_envelope(struct sampler *sampler, size_t index, struct envelope *ret_envelope);

size_t sample_record_count(void);

/** A valid journal record; its position is in it. */
const char *sample_record(struct sampler *sampler, size_t index, struct record *ret_record);

void sample_attributes(struct sampler *sampler, struct account_attributes *ret_attributes);
void sample_account_row(struct sampler *sampler, struct account_row *ret_row);
void sample_entry(struct sampler *sampler, struct entry *ret_entry);
void sample_outcome(struct sampler *sampler, struct outcome *ret_outcome);
void sample_checkpoint(struct sampler *sampler, struct checkpoint *ret_checkpoint);

/** A branch of postings, or of checks. */
void sample_branch(struct sampler *sampler, bool read_only, struct branch *ret_branch);

#endif
