/*
 * How a module of net takes part in each iteration of the loop.
 *
 *   pending()  before the wait: true iff there is work that no event will announce
 *   begin()    after the callbacks, before the turn hook
 *   end()      after the turn hook, before the next wait
 */
#ifndef SETTLE_NET_LOOP_HOOK_H
#define SETTLE_NET_LOOP_HOOK_H

#include "net/loop.h"

struct loop_hook {
    bool (*pending)(void *ctx);
    loop_fn *begin;
    loop_fn *end;
    void *ctx;
    struct loop_hook *next; /* the loop's */
};

/** Add a hook; it stays the caller's, and must stay where it is until it is removed. */
void loop_hook_add(struct loop *loop, struct loop_hook *hook);
void loop_hook_remove(struct loop *loop, struct loop_hook *hook);

#endif
