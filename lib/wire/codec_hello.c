/*
 * Hello, Welcome and Refused, and who may talk to whom.
 */
#include "base/assert.h"
#include "wire/internal.h"

#include <stdio.h>

bool take_hello(struct decoder *d, const Settle__V1__Hello *m, struct hello *ret_hello)
{
    int role;

    if (!take_u32(d, UINT(m, version), NEEDED, &ret_hello->version))
        return take_fail_in(d, "hello");
    if (ret_hello->version != PROTOCOL_VERSION)
        return true; /* its other fields mean what that version says */
    role = take_enum(d, UINT(m, role), NEEDED,
                     ONE_OF(HELLO_COORDINATOR) | ONE_OF(HELLO_PARTICIPANT) | ONE_OF(HELLO_CLIENT));
    if (role >= 0) {
        bool participant = role == HELLO_PARTICIPANT;
        enum need of_store = participant ? NEEDED : OPTIONAL;
        enum need of_cluster = role == HELLO_CLIENT ? OPTIONAL : NEEDED;

        ret_hello->role = (enum hello_role)role;
        if (take_node(d, BYTES(m, cluster), of_cluster, &ret_hello->cluster) &&
            take_16(d, BYTES(m, cluster_guid), OPTIONAL, ret_hello->cluster_guid.bytes) &&
            take_node(d, BYTES(m, node), NEEDED, &ret_hello->node) &&
            take_16(d, BYTES(m, store), of_store, ret_hello->store.bytes) &&
            take_u64(d, UINT(m, incarnation), of_store, &ret_hello->incarnation) &&
            take_u16(d, UINT(m, groups), OPTIONAL, GROUPS_MAX, &ret_hello->groups) &&
            take_16(d, BYTES(m, process), NEEDED, ret_hello->process.bytes))
            return true;
    }
    return take_fail_in(d, "hello");
}

bool put_hello(struct arena *scratch, const struct hello *hello, Settle__V1__Hello **ret_message)
{
    Settle__V1__Hello *m;

    if (!NEW(scratch, m, settle__v1__hello__init))
        return false;
    PUT(m, version, hello->version);
    PUT_TEXT(m, cluster, hello->cluster.text);
    PUT_16_NONZERO(m, cluster_guid, &hello->cluster_guid);
    PUT_TEXT(m, node, hello->node.text);
    PUT(m, role, (Settle__V1__Role)hello->role);
    PUT_16_NONZERO(m, store, &hello->store);
    PUT_NONZERO(m, incarnation, hello->incarnation);
    PUT_NONZERO(m, groups, hello->groups);
    PUT_16(m, process, &hello->process);
    *ret_message = m;
    return true;
}

bool take_refused(struct decoder *d, const Settle__V1__Refused *m, struct refused *ret_refused)
{
    int code = take_enum(d, UINT(m, code), NEEDED,
                         ONE_OF(REFUSED_VERSION) | ONE_OF(REFUSED_CLUSTER) |
                             ONE_OF(REFUSED_GROUPS) | ONE_OF(REFUSED_NODE) | ONE_OF(REFUSED_ROLE) |
                             ONE_OF(REFUSED_BUSY) | ONE_OF(REFUSED_NOT_READY));

    if (code < 0 || !take_text(d, BYTES(m, text), TEXT_SIZE, ret_refused->text))
        return take_fail_in(d, "refused");
    ret_refused->code = (enum refused_code)code;
    return true;
}

bool put_refused(struct arena *scratch, const struct refused *refused,
                 Settle__V1__Refused **ret_message)
{
    Settle__V1__Refused *m;

    if (!NEW(scratch, m, settle__v1__refused__init))
        return false;
    PUT(m, code, (Settle__V1__RefusedCode)refused->code);
    m->has_text = 1;
    *ret_message = m;
    return put_sentence(scratch, refused->text, &m->text);
}

static int refuse(struct refused *ret_refused, enum refused_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int refuse(struct refused *ret_refused, enum refused_code code, const char *format, ...)
{
    va_list args;

    memset(ret_refused, 0, sizeof(*ret_refused));
    ret_refused->code = code;
    va_start(args, format);
    vsnprintf(ret_refused->text, sizeof(ret_refused->text), format, args);
    va_end(args);
    return ERR_REFUSED;
}

int hello_check(const struct hello *own, const struct hello *peer, struct refused *ret_refused)
{
    char own_text[33], peer_text[33];

    ASSERT(own->version == PROTOCOL_VERSION);
    if (peer->version != own->version)
        return refuse(ret_refused, REFUSED_VERSION,
                      "%s speaks protocol version %u, the peer speaks version %u", own->node.text,
                      own->version, peer->version);
    if (own->cluster.text[0] && peer->cluster.text[0] &&
        !node_name_equal(&own->cluster, &peer->cluster))
        return refuse(ret_refused, REFUSED_CLUSTER, "%s belongs to cluster %s, %s to cluster %s",
                      own->node.text, own->cluster.text, peer->node.text, peer->cluster.text);
    if (!guid_is_zero(&own->cluster_guid) && !guid_is_zero(&peer->cluster_guid) &&
        !guid_equal(&own->cluster_guid, &peer->cluster_guid))
        return refuse(ret_refused, REFUSED_CLUSTER,
                      "%s is bound to cluster %s with guid %s, %s to one of the same name with "
                      "guid %s",
                      own->node.text, own->cluster.text,
                      hex_format(own->cluster_guid.bytes, 16, own_text), peer->node.text,
                      hex_format(peer->cluster_guid.bytes, 16, peer_text));
    if (own->groups && peer->groups && own->groups != peer->groups)
        return refuse(ret_refused, REFUSED_GROUPS, "%s counts %u groups, %s counts %u",
                      own->node.text, own->groups, peer->node.text, peer->groups);
    return 0;
}
