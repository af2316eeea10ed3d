/*
 * Fault points: named places where a test makes a process die, fail or stand still.
 *
 * They exist in builds with SETTLE_FAULT_POINTS only; in a release FAULT_POINT() is false and
 * leaves no code behind, and a process that is asked for faults refuses to start. What happens
 * where is one text, from the configuration or from SETTLE_FAULTS in the environment:
 *
 *   SETTLE_FAULTS="vote_forced=crash@3,commit_sent=error,turn=wait:/tmp/go"
 *
 *   crash        the process is gone as by kill -9: nothing is flushed, nothing is said
 *   error        FAULT_POINT() is true, and the place fails in its own way
 *   wait:FILE    the thread stands still until FILE exists
 *   hold:FILE    the thread stands still while FILE exists
 *   ACTION@N     only at the N-th time the place is passed (from 1); without it, every time
 *
 * A point that takes effect says so in the log, before it does, so that a test has something to
 * wait for. Points may be passed by any thread; fault_init() comes before the first thread.
 */
#ifndef SETTLE_RUNTIME_FAULT_H
#define SETTLE_RUNTIME_FAULT_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define FAULTS_MAX      16
#define FAULT_NAME_SIZE 48
#define FAULT_FILE_SIZE 256
#define FAULT_HIT_MAX   1000000000u
#define FAULTS_ENV      "SETTLE_FAULTS"

/**
 * Pass the place `name`, a literal. True iff it is to fail; false always in a release.
 *
 *   if (FAULT_POINT("commit_sent"))
 *       return err_set(err, ERR_IO, "fault point");
 */
#ifdef SETTLE_FAULT_POINTS
#define FAULT_POINT(name) fault_passed(name)
#else
#define FAULT_POINT(name) fault_never()
#endif

/**
 * Say what happens where; replaces what was said before.
 *
 * @spec    NULL or "" for no faults
 * @return  0, or ERR_USAGE: malformed, a point named twice, too many, or this is a release
 */
int fault_init(const char *spec, struct err *err);

/** What FAULT_POINT() does; not to be called by itself. */
bool fault_passed(const char *name);

/** How often the named place was passed since fault_init(); 0 for one that no fault is set for. */
uint32_t fault_count(const char *name);

static inline bool fault_never(void)
{
    return false;
}

#endif
