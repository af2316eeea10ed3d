/*
 * The identity: the record that says whose store this is.
 *
 *   bytes 0-3    format of the whole store, big-endian; stays here in every later format
 *   byte  4      role
 *   5, 37        cluster and node, 32 bytes each, zero-padded
 *   69, 85       store id and the cluster's guid, 16 bytes each
 *   101-102      groups, big-endian
 */
#include "store/store_internal.h"

#include <string.h>

#define FORMAT_AT  0
#define ROLE_AT    4
#define CLUSTER_AT 5
#define NODE_AT    37
#define STORE_AT   69
#define GUID_AT    85
#define GROUPS_AT  101

_Static_assert(GROUPS_AT + 2 == IDENTITY_SIZE, "the identity ends with the groups");
_Static_assert(NODE_AT - CLUSTER_AT == NODE_NAME_SIZE, "names have their full size");

void be_put(uint8_t *bytes, uint64_t value, size_t size)
{
    for (size_t i = size; i > 0; i--, value >>= 8)
        bytes[i - 1] = (uint8_t)value;
}

uint64_t be_get(const uint8_t *bytes, size_t size)
{
    uint64_t value = 0;

    for (size_t i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

const char *identity_role_name(enum store_role role)
{
    switch (role) {
    case STORE_PARTICIPANT:
        return "participant";
    case STORE_COORDINATOR:
        return "coordinator";
    }
    return "unknown";
}

void identity_encode(const struct store_identity *identity, uint8_t bytes[IDENTITY_SIZE])
{
    be_put(bytes + FORMAT_AT, STORE_FORMAT, 4);
    bytes[ROLE_AT] = (uint8_t)identity->role;
    memcpy(bytes + CLUSTER_AT, identity->cluster.text, NODE_NAME_SIZE);
    memcpy(bytes + NODE_AT, identity->node.text, NODE_NAME_SIZE);
    memcpy(bytes + STORE_AT, identity->store_id.bytes, 16);
    memcpy(bytes + GUID_AT, identity->cluster_guid.bytes, 16);
    be_put(bytes + GROUPS_AT, identity->groups, 2);
}

int identity_decode(struct store_identity *identity, const uint8_t *bytes, size_t size,
                    struct err *err)
{
    uint64_t format = size >= 4 ? be_get(bytes + FORMAT_AT, 4) : 0;

    if (format > STORE_FORMAT)
        return err_set(err, ERR_FOREIGN,
                       "the store has format %llu, this release reads up to %u; start the release "
                       "that wrote it, or a later one",
                       (unsigned long long)format, STORE_FORMAT);
    if (format == 0 || size != IDENTITY_SIZE)
        return err_set(err, ERR_CORRUPT,
                       "the store's identity is malformed; restore the store from a backup, or "
                       "make a new one");
    memset(identity, 0, sizeof(*identity));
    identity->role = (enum store_role)bytes[ROLE_AT];
    memcpy(identity->cluster.text, bytes + CLUSTER_AT, NODE_NAME_SIZE);
    memcpy(identity->node.text, bytes + NODE_AT, NODE_NAME_SIZE);
    identity->cluster.text[NODE_NAME_SIZE - 1] = '\0';
    identity->node.text[NODE_NAME_SIZE - 1] = '\0';
    memcpy(identity->store_id.bytes, bytes + STORE_AT, 16);
    memcpy(identity->cluster_guid.bytes, bytes + GUID_AT, 16);
    identity->groups = (uint16_t)be_get(bytes + GROUPS_AT, 2);
    return 0;
}

static int guid_mismatch(const char *what, const struct guid *found, const struct guid *expected,
                         struct err *err)
{
    char found_text[33], expected_text[33];

    return err_set(err, ERR_FOREIGN, "the store's %s is %s, expected was %s", what,
                   hex_format(found, sizeof(*found), found_text),
                   hex_format(expected, sizeof(*expected), expected_text));
}

int identity_match(const struct store_identity *found, const struct store_identity *expected,
                   struct err *err)
{
    if (found->role != expected->role)
        return err_set(err, ERR_FOREIGN, "the store is a %s's, expected was a %s's",
                       identity_role_name(found->role), identity_role_name(expected->role));
    if (!node_name_equal(&found->cluster, &expected->cluster))
        return err_set(err, ERR_FOREIGN, "the store belongs to cluster %s, expected was cluster %s",
                       found->cluster.text, expected->cluster.text);
    if (!node_name_equal(&found->node, &expected->node))
        return err_set(err, ERR_FOREIGN, "the store belongs to node %s, expected was node %s",
                       found->node.text, expected->node.text);
    if (!guid_is_zero(&expected->store_id) && !guid_equal(&found->store_id, &expected->store_id))
        return guid_mismatch("id", &found->store_id, &expected->store_id, err);
    if (!guid_is_zero(&expected->cluster_guid) &&
        !guid_equal(&found->cluster_guid, &expected->cluster_guid))
        return guid_mismatch("cluster guid", &found->cluster_guid, &expected->cluster_guid, err);
    if (expected->groups != 0 && found->groups != expected->groups)
        return err_set(err, ERR_FOREIGN,
                       "the store's cluster has %u groups, expected was a cluster of %u",
                       found->groups, expected->groups);
    return 0;
}
