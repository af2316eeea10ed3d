#include "core/coord.h"
#include "core/msg.h"

const char *txn_state_name(enum txn_state state)
{
    switch (state) {
    case STATE_NONE:
        return "NONE";
    case STATE_PREPARED:
        return "PREPARED";
    case STATE_COMMITTED:
        return "COMMITTED";
    case STATE_ABORTED:
        return "ABORTED";
    }
    return "UNKNOWN";
}

const char *msg_kind_name(enum msg_kind kind)
{
    switch (kind) {
#define X(symbol, number, name) \
    case symbol:                \
        return name;
        MSG_KINDS(X)
#undef X
    }
    return "unknown";
}

const char *phase_name(enum phase phase)
{
    switch (phase) {
    case PHASE_GATHERING:
        return "GATHERING";
    case PHASE_READING:
        return "READING";
    case PHASE_PREPARING:
        return "PREPARING";
    case PHASE_QUERYING:
        return "QUERYING";
    case PHASE_ABORTING:
        return "ABORTING";
    case PHASE_COMMITTED:
        return "COMMITTED";
    case PHASE_ABORTED:
        return "ABORTED";
    }
    return "UNKNOWN";
}

const char *heard_name(enum heard heard)
{
    switch (heard) {
    case HEARD_NOTHING:
        return "NOTHING";
    case HEARD_NONE:
        return "NONE";
    case HEARD_YES:
        return "YES";
    case HEARD_COMMITTED:
        return "COMMITTED";
    case HEARD_ABORTED:
        return "ABORTED";
    case HEARD_CONFLICT:
        return "CONFLICT";
    case HEARD_TOO_OLD:
        return "TOO_OLD";
    }
    return "UNKNOWN";
}

uint64_t report_hash(uint64_t hash, const struct id *id, const struct digest *digest)
{
    uint64_t mixed = hash_bytes(id, sizeof(*id)) ^ hash_bytes(digest, sizeof(*digest));

    /* Order matters, so that a page shown twice or in the wrong place is noticed. */
    return (hash << 7 | hash >> 57) ^ mixed;
}
