/*
 * What the files of the samples share; nobody else includes it.
 */
#ifndef SETTLE_TESTS_WIRE_SAMPLES_INTERNAL_H
#define SETTLE_TESTS_WIRE_SAMPLES_INTERNAL_H

#include "support/wire_samples.h"

uint64_t sample_u64(struct sampler *s);
uint32_t sample_u32(struct sampler *s);
uint16_t sample_group(struct sampler *s);
enum reason sample_reason(struct sampler *s);
uint64_t sample_one_of(struct sampler *s, uint64_t first, uint64_t last);
void sample_16(struct sampler *s, uint8_t bytes[16]);
uint16_t sample_count(const struct sampler *s, size_t max);
void *sample_room(struct sampler *s, size_t count, size_t element_size);
void sample_node(struct sampler *s, size_t index, struct node_name *name);
void sample_account_name(struct sampler *s, struct account_name *name);
void sample_currency(size_t index, struct currency *currency);
void sample_text(struct sampler *s, size_t size, char *text);
void sample_address(struct sampler *s, char text[ADDRESS_SIZE]);
void sample_blob(struct sampler *s, struct blob *blob);
const struct party *sample_parties(struct sampler *s, uint16_t *ret_count);
const struct net *sample_nets(struct sampler *s, size_t max, uint16_t *ret_count);

/* wire_samples_admin.c */
void sample_admin_request(struct sampler *s, enum admin_op op, struct admin_request *ret_request);
void sample_admin_response(struct sampler *s, enum admin_body body,
                           struct admin_response *ret_response);
void sample_redirect(struct sampler *s, struct redirect *ret_redirect);

#endif
