#include "cluster/paths.h"

#include "base/limits.h"

#include <stdio.h>
#include <string.h>

#define SEQUENCE_DIGITS 10
#define GUID_DIGITS     32

static const char *format_member(const char *root, const char *dir, const struct path *path,
                                 const char *below, char text[PATH_SIZE])
{
    snprintf(text, PATH_SIZE, "%s/%s/%s%s", root, dir, path->node.text, below);
    return text;
}

const char *path_format(const struct node_name *cluster, const struct path *path,
                        char text[PATH_SIZE])
{
    char root[sizeof("/settle/") + NODE_NAME_SIZE];
    unsigned group = path->group;

    snprintf(root, sizeof(root), "/settle/%s", cluster->text);
    switch (path->kind) {
    case PATH_OTHER:
    case PATH_ROOT:
        snprintf(text, PATH_SIZE, "/settle");
        break;
    case PATH_CLUSTER:
        snprintf(text, PATH_SIZE, "%s", root);
        break;
    case PATH_CONFIG:
        snprintf(text, PATH_SIZE, "%s/config", root);
        break;
    case PATH_GROUPS:
        snprintf(text, PATH_SIZE, "%s/groups", root);
        break;
    case PATH_GROUP:
        snprintf(text, PATH_SIZE, "%s/groups/%u", root, group);
        break;
    case PATH_ELECTION:
        snprintf(text, PATH_SIZE, "%s/groups/%u/election", root, group);
        break;
    case PATH_CANDIDATE:
        snprintf(text, PATH_SIZE, "%s/groups/%u/election/%s", root, group, path->candidate);
        break;
    case PATH_PARTICIPANTS:
        snprintf(text, PATH_SIZE, "%s/participants", root);
        break;
    case PATH_PARTICIPANT:
        return format_member(root, "participants", path, "", text);
    case PATH_PARTICIPANT_LIVE:
        return format_member(root, "participants", path, "/live", text);
    case PATH_COORDINATORS:
        snprintf(text, PATH_SIZE, "%s/coordinators", root);
        break;
    case PATH_COORDINATOR:
        return format_member(root, "coordinators", path, "", text);
    case PATH_COORDINATOR_LIVE:
        return format_member(root, "coordinators", path, "/live", text);
    }
    return text;
}

/* Skip `word` at *text; false when it is not there. */
static bool skip(const char **text, const char *word)
{
    size_t length = strlen(word);

    if (strncmp(*text, word, length) != 0)
        return false;
    *text += length;
    return true;
}

/* A group's number in the one way we write it: no sign, no leading zero. */
static bool parse_group(const char *text, size_t length, uint16_t *ret_group)
{
    uint32_t group = 0;

    if (length == 0 || length > 5 || (text[0] == '0' && length > 1))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        group = group * 10 + (uint32_t)(text[i] - '0');
    }
    if (group >= GROUPS_MAX)
        return false;
    *ret_group = (uint16_t)group;
    return true;
}

static struct path parse_member(const char *text, enum path_kind dir, enum path_kind member,
                                enum path_kind live)
{
    struct path path = {.kind = PATH_OTHER};
    size_t length;

    if (*text == '\0') {
        path.kind = dir;
        return path;
    }
    text++; /* the slash */
    length = strcspn(text, "/");
    if (!node_name_parse(&path.node, text, length))
        return path;
    if (text[length] == '\0')
        path.kind = member;
    else if (strcmp(text + length, "/live") == 0)
        path.kind = live;
    return path;
}

static struct path parse_group_path(const char *text)
{
    struct path path = {.kind = PATH_OTHER};
    size_t length;

    if (*text == '\0') {
        path.kind = PATH_GROUPS;
        return path;
    }
    text++; /* the slash */
    length = strcspn(text, "/");
    if (!parse_group(text, length, &path.group))
        return path;
    text += length;
    if (*text == '\0') {
        path.kind = PATH_GROUP;
    } else if (skip(&text, "/election")) {
        if (*text == '\0') {
            path.kind = PATH_ELECTION;
        } else if (*text == '/' && strlen(text + 1) < CANDIDATE_SIZE) {
            path.kind = PATH_CANDIDATE;
            snprintf(path.candidate, sizeof(path.candidate), "%s", text + 1);
        }
    }
    return path;
}

/* What follows a directory's name must be its end or a slash. */
static bool is_dir(const char *text)
{
    return *text == '\0' || *text == '/';
}

struct path path_parse(const struct node_name *cluster, const char *text)
{
    struct path path = {.kind = PATH_OTHER};
    const char *at = text;

    if (!skip(&at, "/settle") || !is_dir(at))
        return path;
    if (*at == '\0') {
        path.kind = PATH_ROOT;
        return path;
    }
    at++;
    if (!skip(&at, cluster->text) || !is_dir(at))
        return path;
    if (*at == '\0')
        path.kind = PATH_CLUSTER;
    else if (strcmp(at, "/config") == 0)
        path.kind = PATH_CONFIG;
    else if (skip(&at, "/groups") && is_dir(at))
        return parse_group_path(at);
    else if (skip(&at, "/participants") && is_dir(at))
        return parse_member(at, PATH_PARTICIPANTS, PATH_PARTICIPANT, PATH_PARTICIPANT_LIVE);
    else if (skip(&at, "/coordinators") && is_dir(at))
        return parse_member(at, PATH_COORDINATORS, PATH_COORDINATOR, PATH_COORDINATOR_LIVE);
    return path;
}

const char *candidate_prefix(const struct guid *guid, char name[CANDIDATE_SIZE])
{
    hex_format(guid->bytes, sizeof(guid->bytes), name);
    name[GUID_DIGITS] = '-';
    name[GUID_DIGITS + 1] = '\0';
    return name;
}

bool candidate_parse(const char *name, struct guid *ret_guid, int32_t *ret_sequence)
{
    char digits[GUID_DIGITS + 1];
    struct guid guid;
    int64_t sequence = 0;
    bool negative;

    if (strlen(name) < GUID_DIGITS + 1 + SEQUENCE_DIGITS || name[GUID_DIGITS] != '-')
        return false;
    memcpy(digits, name, GUID_DIGITS);
    digits[GUID_DIGITS] = '\0';
    if (!hex_parse(guid.bytes, sizeof(guid.bytes), digits))
        return false;
    name += GUID_DIGITS + 1;
    negative = *name == '-';
    if (negative)
        name++;
    if (strlen(name) != SEQUENCE_DIGITS || strspn(name, "0123456789") != SEQUENCE_DIGITS)
        return false;
    for (int i = 0; i < SEQUENCE_DIGITS; i++)
        sequence = sequence * 10 + (name[i] - '0');
    sequence = negative ? -sequence : sequence;
    if (sequence < INT32_MIN || sequence > INT32_MAX)
        return false;
    *ret_guid = guid;
    *ret_sequence = (int32_t)sequence;
    return true;
}
