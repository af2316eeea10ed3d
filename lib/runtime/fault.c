#include "runtime/fault.h"

#ifndef SETTLE_FAULT_POINTS

int fault_init(const char *spec, struct err *err)
{
    if (!spec || !*spec)
        return 0;
    return err_set(err, ERR_USAGE,
                   "faults '%.100s' are asked for, but this build has none; unset %s", spec,
                   FAULTS_ENV);
}

bool fault_passed(const char *name)
{
    (void)name;
    return false;
}

uint32_t fault_count(const char *name)
{
    (void)name;
    return 0;
}

#else

#include "base/assert.h"
#include "runtime/log.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum action {
    ACTION_CRASH,
    ACTION_ERROR,
    ACTION_WAIT, /* until the file exists */
    ACTION_HOLD, /* while the file exists */
};

struct fault {
    char name[FAULT_NAME_SIZE];
    char file[FAULT_FILE_SIZE]; /* WAIT, HOLD */
    enum action action;
    uint32_t only; /* the time it takes effect; 0: every time */
    atomic_uint passed;
};

/* The process's; written by fault_init() alone, but for the counts. */
static struct fault faults[FAULTS_MAX];
static uint32_t fault_total;

static struct fault *find(const char *name, size_t length)
{
    for (uint32_t i = 0; i < fault_total; i++) {
        if (strlen(faults[i].name) == length && memcmp(faults[i].name, name, length) == 0)
            return &faults[i];
    }
    return NULL;
}

/* ---- reading the text ---- */

static int malformed(const char *item, size_t length, struct err *err)
{
    return err_set(err, ERR_USAGE,
                   "fault '%.*s' is malformed; write NAME=ACTION or NAME=ACTION@N, where ACTION is "
                   "crash, error, wait:FILE or hold:FILE",
                   (int)length, item);
}

/* Cuts "@N" off the end of the action; false when what follows the '@' is no such number. */
static bool parse_only(const char *action, size_t *length, uint32_t *ret_only)
{
    const char *at = memrchr(action, '@', *length);
    uint32_t only = 0;

    *ret_only = 0;
    if (!at)
        return true;
    for (const char *digit = at + 1; digit < action + *length; digit++) {
        if (*digit < '0' || *digit > '9' || only > FAULT_HIT_MAX / 10)
            return false;
        only = only * 10 + (uint32_t)(*digit - '0');
    }
    *length = (size_t)(at - action);
    *ret_only = only;
    return only > 0;
}

static bool parse_action(const char *text, size_t length, struct fault *fault)
{
    static const char *const words[] = {"crash", "error", "wait:", "hold:"};
    size_t word = 0;

    while (word < 4 && (length < 5 || memcmp(text, words[word], 5) != 0))
        word++;
    if (word == 4)
        return false;
    fault->action = (enum action)word;
    if (fault->action == ACTION_CRASH || fault->action == ACTION_ERROR)
        return length == 5;
    /* A file stands in a folder, which is what is watched: so its path is a full one. */
    if (length - 5 >= sizeof(fault->file) || length < 7 || text[5] != '/')
        return false;
    memcpy(fault->file, text + 5, length - 5);
    fault->file[length - 5] = '\0';
    return true;
}

static int parse_fault(const char *item, size_t length, struct err *err)
{
    const char *equals = memchr(item, '=', length);
    size_t name_length = equals ? (size_t)(equals - item) : 0;
    size_t action_length = equals ? length - name_length - 1 : 0;
    struct fault *fault = &faults[fault_total];

    if (name_length == 0 || name_length >= FAULT_NAME_SIZE)
        return malformed(item, length, err);
    if (find(item, name_length))
        return err_set(err, ERR_USAGE, "fault point '%.*s' is named twice", (int)name_length, item);
    if (fault_total == FAULTS_MAX)
        return err_set(err, ERR_USAGE, "more than %d faults are asked for", FAULTS_MAX);
    memset(fault->name, 0, sizeof(fault->name));
    memcpy(fault->name, item, name_length);
    atomic_store(&fault->passed, 0);
    if (!parse_only(equals + 1, &action_length, &fault->only) ||
        !parse_action(equals + 1, action_length, fault))
        return malformed(item, length, err);
    fault_total++;
    return 0;
}

int fault_init(const char *spec, struct err *err)
{
    const char *at = spec;

    fault_total = 0;
    while (at && *at) {
        size_t length = strcspn(at, ",");
        int rc = parse_fault(at, length, err);

        if (rc != 0) {
            fault_total = 0;
            return rc;
        }
        at += length;
        if (*at == ',')
            at++;
    }
    return 0;
}

/* ---- taking effect ---- */

/* Blocks until the file's existence is as wanted; events of its folder are the occasions to look.
 */
static void wait_for_file(const char *file, bool wanted)
{
    char folder[FAULT_FILE_SIZE], events[4096];
    size_t length = (size_t)(strrchr(file, '/') - file);
    int fd = inotify_init1(IN_CLOEXEC);

    memcpy(folder, file, length);
    folder[length] = '\0';
    /* Without the watch the test would hang for no visible reason: better to stop here (I11). */
    ASSERT(fd >= 0 && inotify_add_watch(fd, length > 0 ? folder : "/",
                                        IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM) >= 0);
    /* The watch stands before the first look, so no change falls between them. */
    while ((access(file, F_OK) == 0) != wanted) {
        ssize_t count = read(fd, events, sizeof(events));

        ASSERT(count > 0 || errno == EINTR);
    }
    close(fd);
}

static const char *action_name(enum action action)
{
    static const char *const names[] = {"crash", "error", "wait", "hold"};

    return names[action];
}

bool fault_passed(const char *name)
{
    struct fault *fault = find(name, strlen(name));
    uint32_t count;

    if (!fault)
        return false;
    count = atomic_fetch_add(&fault->passed, 1) + 1;
    if (fault->only != 0 && fault->only != count)
        return false;
    log_line(LOG_WARN, "fault point takes effect", "point=%s action=%s count=%u", name,
             action_name(fault->action), count);
    switch (fault->action) {
    case ACTION_CRASH:
        kill(getpid(), SIGKILL);
        abort(); /* a signal to oneself is delivered before kill() returns */
    case ACTION_ERROR:
        return true;
    case ACTION_WAIT:
        wait_for_file(fault->file, true);
        return false;
    case ACTION_HOLD:
        wait_for_file(fault->file, false);
        return false;
    }
    return false;
}

uint32_t fault_count(const char *name)
{
    const struct fault *fault = find(name, strlen(name));

    return fault ? atomic_load(&fault->passed) : 0;
}

#endif
