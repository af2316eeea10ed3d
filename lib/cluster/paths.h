/*
 * Every znode path of the house, written and read here and nowhere else.
 *
 *   /settle/<cluster>/config                        the cluster's constants
 *   /settle/<cluster>/participants/<node>           a member: its store
 *   /settle/<cluster>/participants/<node>/live      ephemeral: its process
 *   /settle/<cluster>/coordinators/<node>[/live]    likewise
 *   /settle/<cluster>/groups/<g>/election/<guid>-<sequence>   ephemeral: a candidate
 */
#ifndef SETTLE_CLUSTER_PATHS_H
#define SETTLE_CLUSTER_PATHS_H

#include "base/types.h"

#define PATH_SIZE      192
#define CANDIDATE_SIZE 48 /* 32 hex digits, '-', a sequence of up to 11 characters, NUL */

enum path_kind {
    PATH_OTHER = 0,
    PATH_ROOT,    /* /settle */
    PATH_CLUSTER, /* /settle/<cluster> */
    PATH_CONFIG,
    PATH_GROUPS,
    PATH_GROUP,
    PATH_ELECTION,
    PATH_CANDIDATE,
    PATH_PARTICIPANTS,
    PATH_PARTICIPANT,
    PATH_PARTICIPANT_LIVE,
    PATH_COORDINATORS,
    PATH_COORDINATOR,
    PATH_COORDINATOR_LIVE,
};

/* A path taken apart; what the kind does not have is zero. */
struct path {
    enum path_kind kind;
    uint16_t group;
    struct node_name node;
    char candidate[CANDIDATE_SIZE];
};

_Static_assert(sizeof("/settle//coordinators//live") + 2 * NODE_NAME_SIZE <= PATH_SIZE &&
                   sizeof("/settle//groups/65535/election/") + NODE_NAME_SIZE + CANDIDATE_SIZE <=
                       PATH_SIZE,
               "the longest paths fit");

/** Write the text of a path of `cluster`. Returns `text`. */
const char *path_format(const struct node_name *cluster, const struct path *path,
                        char text[PATH_SIZE]);

/** Take a path of `cluster` apart; PATH_OTHER when it is none of ours. */
struct path path_parse(const struct node_name *cluster, const char *text);

/** The name a candidate asks for: ZooKeeper appends the sequence. */
const char *candidate_prefix(const struct guid *guid, char name[CANDIDATE_SIZE]);

/**
 * Take a candidate's name apart: 32 hex digits, '-', the sequence of 10 digits, or of 11 characters
 * with a sign, as the counter is 32 bits wide and wraps. False for anything else.
 */
bool candidate_parse(const char *name, struct guid *ret_guid, int32_t *ret_sequence);

/** Sequences wrap; those of living nodes are close together, so the shorter way round counts. */
static inline bool candidate_is_before(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a - (uint32_t)b) < 0;
}

#endif
