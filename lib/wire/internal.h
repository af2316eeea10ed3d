/*
 * What the codec's files share; nobody else includes it.
 *
 * One file a theme, each with both directions: take_NAME() checks a generated struct and makes the
 * core's of it, put_NAME() builds the generated struct in the scratch arena. All take_* and put_*
 * return false on failure: a take_* has then filled the decoder's error, a put_* ran out of
 * scratch. Values that arrive as absent are zero unless `need` says NEEDED.
 */
#ifndef SETTLE_WIRE_INTERNAL_H
#define SETTLE_WIRE_INTERNAL_H

#include "admin.pb-c.h"
#include "client.pb-c.h"
#include "commit.pb-c.h"
#include "ledger.pb-c.h"
#include "record.pb-c.h"
#include "types.pb-c.h"
#include "wire.pb-c.h"
#include "wire/record.h"
#include "wire/wire.h"

struct decoder {
    struct arena *arena;
    struct err *err;  /* may be NULL */
    int bad;          /* what a bad field is: ERR_PROTOCOL from a peer, ERR_CORRUPT from a store */
    int code;         /* the first failure; 0 until then */
    enum reason flaw; /* of a branch: which of a user's mistakes it is */
};

enum need {
    OPTIONAL = 0,
    NEEDED = 1, /* present, and not zero */
};

/* One field of a generated struct, by name. */
struct uint_field {
    const char *name;
    bool has;
    uint64_t value;
};

struct sint_field {
    const char *name;
    bool has;
    int64_t value;
};

struct bytes_field {
    const char *name;
    bool has;
    ProtobufCBinaryData value;
};

#define UINT(message, field)                                 \
    ((struct uint_field){.name = #field,                     \
                         .has = (message)->has_##field != 0, \
                         .value = (uint64_t)((message)->field)})
#define SINT(message, field) \
    ((struct sint_field){    \
        .name = #field, .has = (message)->has_##field != 0, .value = (message)->field})
#define BYTES(message, field) \
    ((struct bytes_field){    \
        .name = #field, .has = (message)->has_##field != 0, .value = (message)->field})

/* Assign an optional field of a generated struct. */
#define PUT(message, field, expr) ((message)->has_##field = 1, (message)->field = (expr), (void)0)
#define PUT_NONZERO(message, field, expr)  \
    do {                                   \
        if ((expr) != 0)                   \
            PUT((message), field, (expr)); \
    } while (0)

/* The set of enum values a field may have; all are below 64. */
#define ONE_OF(value) ((uint64_t)1 << (value))

/* ---- fields.c: reading ---- */

void note_failure(struct decoder *d, const char *field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Fail at a field. A macro, so that the compiler sees that it is false. */
#define take_fail(d, field, ...) (note_failure((d), (field), __VA_ARGS__), false)

/* Say on the way up in which message, and in which element of its list, it failed. */
static inline bool take_fail_in(struct decoder *d, const char *message)
{
    err_prefix(d->err, "%s", message);
    return false;
}

static inline bool take_fail_at(struct decoder *d, const char *list, size_t index)
{
    err_prefix(d->err, "%s %zu", list, index);
    return false;
}

bool take_uint(struct decoder *d, struct uint_field field, enum need need, uint64_t max,
               uint64_t *ret_value);
bool take_u64(struct decoder *d, struct uint_field field, enum need need, uint64_t *ret_value);
bool take_u32(struct decoder *d, struct uint_field field, enum need need, uint32_t *ret_value);
bool take_u16(struct decoder *d, struct uint_field field, enum need need, uint16_t max,
              uint16_t *ret_value);
bool take_sint(struct decoder *d, struct sint_field field, int64_t min, int64_t *ret_value);

/** The value of an enum field, 0 when absent, -1 on failure; `allowed` is made with ONE_OF. */
int take_enum(struct decoder *d, struct uint_field field, enum need need, uint64_t allowed);
bool take_reason(struct decoder *d, struct uint_field field, enum reason *ret_reason);
bool take_protocol(struct decoder *d, struct uint_field field, enum need need,
                   enum protocol *ret_protocol);

/** Exactly 16 bytes: ids, digests, guids. */
bool take_16(struct decoder *d, struct bytes_field field, enum need need, void *ret_bytes);
bool take_node(struct decoder *d, struct bytes_field field, enum need need,
               struct node_name *ret_name);
bool take_account_name(struct decoder *d, struct bytes_field field, struct account_name *ret_name);
bool take_currency(struct decoder *d, struct bytes_field field, enum need need,
                   struct currency *ret_currency);
/** UTF-8 without control characters, into `size_max` bytes with the NUL; absent is "". */
bool take_text(struct decoder *d, struct bytes_field field, size_t size_max, char *ret_text);
bool take_address(struct decoder *d, struct bytes_field field, char ret_address[ADDRESS_SIZE]);
/** Bytes that stay where they are. */
bool take_blob(struct decoder *d, struct bytes_field field, size_t size_max, struct blob *ret_blob);
/** A list's length. */
bool take_count(struct decoder *d, const char *list, size_t count, size_t min, size_t max);
/** Room for a decoded list; NULL only on failure, or for no element. */
void *take_room(struct decoder *d, size_t count, size_t element_size);

bool take_parties(struct decoder *d, size_t count, Settle__V1__Party **list, size_t min,
                  const struct party **ret_parties, uint16_t *ret_count);
bool take_nets(struct decoder *d, const char *list_name, size_t count, Settle__V1__Net **list,
               size_t max, const struct net **ret_nets);

/** Bytes of the printable UTF-8 character at `text`, of which `size` > 0 bytes are left; 0: none.
 */
size_t utf8_step(const char *text, size_t size);

/* ---- fields.c: writing ---- */

/**
 * The one place that casts away const: protobuf-c packs from non-const pointers, and only reads.
 */
static inline ProtobufCBinaryData pb_bytes(const void *bytes, size_t size)
{
    ProtobufCBinaryData data = {.len = size, .data = (uint8_t *)(uintptr_t)bytes};
    return data;
}

static inline ProtobufCBinaryData pb_text(const char *text)
{
    return pb_bytes(text, strlen(text));
}

/* The named types' bytes, as a field takes them. */
#define PUT_16(message, field, value) PUT((message), field, pb_bytes((value)->bytes, 16))
#define PUT_16_NONZERO(message, field, value)  \
    do {                                       \
        if (!bytes_are_zero((value)->bytes))   \
            PUT_16((message), field, (value)); \
    } while (0)
#define PUT_TEXT(message, field, text)              \
    do {                                            \
        if ((text)[0] != '\0')                      \
            PUT((message), field, pb_text((text))); \
    } while (0)

bool bytes_are_zero(const uint8_t bytes[16]);

/** Room for `count` elements and the pointers protobuf-c lists them by; NULL when scratch is full.
 */
void *put_room(struct arena *scratch, size_t count, size_t element_size, void *ret_pointers);

/** A sentence for people as the decoder takes it: whatever is not printable UTF-8 becomes '?'. */
bool put_sentence(struct arena *scratch, const char *text, ProtobufCBinaryData *ret_data);

bool put_parties(struct arena *scratch, const struct party *parties, size_t count,
                 Settle__V1__Party ***ret_list);
bool put_nets(struct arena *scratch, const struct net *nets, size_t count,
              Settle__V1__Net ***ret_list);

/* A generated message in the scratch arena, with its init function: false when it is full. */
#define NEW(scratch, message, init) \
    (((message) = arena_alloc((scratch), sizeof(*(message)))) != NULL && (init(message), true))

/* ---- packing (pack.c) ---- */

/** Unpack into the decoder's arena. NULL, with the error set, when it cannot be. */
void *wire_unpack(struct decoder *d, const ProtobufCMessageDescriptor *descriptor,
                  const uint8_t *bytes, size_t size, const char *message);

/** Pack a message built in scratch; its size, or ERR_FULL. */
int wire_pack(const ProtobufCMessage *message, uint8_t *out, size_t size);

/* ---- themes ---- */

bool take_msg(struct decoder *d, const Settle__V1__Envelope *envelope, struct msg *ret_msg);
bool put_msg(struct arena *scratch, const struct msg *msg, Settle__V1__Envelope *ret_envelope);

bool take_hello(struct decoder *d, const Settle__V1__Hello *message, struct hello *ret_hello);
bool put_hello(struct arena *scratch, const struct hello *hello, Settle__V1__Hello **ret_message);
bool take_refused(struct decoder *d, const Settle__V1__Refused *message,
                  struct refused *ret_refused);
bool put_refused(struct arena *scratch, const struct refused *refused,
                 Settle__V1__Refused **ret_message);

bool take_submit(struct decoder *d, const Settle__V1__Submit *message, struct submit *ret_submit);
bool put_submit(struct arena *scratch, const struct submit *submit,
                Settle__V1__Submit **ret_message);
bool take_submit_result(struct decoder *d, const Settle__V1__SubmitResult *message,
                        struct submit_result *ret_result);
bool put_submit_result(struct arena *scratch, const struct submit_result *result,
                       Settle__V1__SubmitResult **ret_message);
bool take_outcome_request(struct decoder *d, const Settle__V1__OutcomeRequest *message,
                          struct outcome_request *ret_request);
bool put_outcome_request(struct arena *scratch, const struct outcome_request *request,
                         Settle__V1__OutcomeRequest **ret_message);
bool take_redirect(struct decoder *d, const Settle__V1__Redirect *message,
                   struct redirect *ret_redirect);
bool put_redirect(struct arena *scratch, const struct redirect *redirect,
                  Settle__V1__Redirect **ret_message);

bool take_admin_request(struct decoder *d, const Settle__V1__AdminRequest *message,
                        struct admin_request *ret_request);
bool put_admin_request(struct arena *scratch, const struct admin_request *request,
                       Settle__V1__AdminRequest **ret_message);
bool take_admin_response(struct decoder *d, const Settle__V1__AdminResponse *message,
                         struct admin_response *ret_response);
bool put_admin_response(struct arena *scratch, const struct admin_response *response,
                        Settle__V1__AdminResponse **ret_message);

/* codec_status.c */
bool take_status(struct decoder *d, const Settle__V1__CoordinatorStatus *message,
                 struct coordinator_status *ret_status);
bool put_status(struct arena *scratch, const struct coordinator_status *status,
                Settle__V1__CoordinatorStatus **ret_message);
bool take_cluster(struct decoder *d, const Settle__V1__Cluster *message,
                  struct cluster_info *ret_cluster);
bool put_cluster(struct arena *scratch, const struct cluster_info *cluster,
                 Settle__V1__Cluster **ret_message);
bool take_participant_status(struct decoder *d, const Settle__V1__ParticipantStatus *message,
                             struct participant_status *ret_status);
bool put_participant_status(struct arena *scratch, const struct participant_status *status,
                            Settle__V1__ParticipantStatus **ret_message);

/* codec_txn.c */
bool take_txn_info(struct decoder *d, const Settle__V1__TxnInfo *message,
                   struct txn_info *ret_info);
bool put_txn_info(struct arena *scratch, const struct txn_info *info,
                  Settle__V1__TxnInfo *ret_message);

/* The set of all stages, as take_enum() takes it. */
uint64_t txn_stages_all(void);

/* codec_ledger.c */
bool take_entry_ref(struct decoder *d, const Settle__V1__EntryRef *message,
                    struct entry_ref *ret_ref);
bool put_entry_ref(struct arena *scratch, struct entry_ref ref, Settle__V1__EntryRef **ret_message);
bool take_account_row(struct decoder *d, const Settle__V1__AccountRow *message,
                      struct account_row *ret_row);
bool put_account_row(struct arena *scratch, const struct account_row *row,
                     Settle__V1__AccountRow **ret_message);
bool take_entry(struct decoder *d, const Settle__V1__Entry *message, struct entry *ret_entry);
bool put_entry(struct arena *scratch, const struct entry *entry, Settle__V1__Entry *ret_message);

#define ACCOUNT_STATUSES                                                                       \
    (ONE_OF(ACCOUNT_OPEN) | ONE_OF(ACCOUNT_BLOCKED_DEBITS) | ONE_OF(ACCOUNT_BLOCKED_CREDITS) | \
     ONE_OF(ACCOUNT_BLOCKED) | ONE_OF(ACCOUNT_CLOSED))

#endif
