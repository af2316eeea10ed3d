/* What the files behind the public headers share. */
#ifndef SETTLE_CLIENT_HANDLE_H
#define SETTLE_CLIENT_HANDLE_H

#include "client/engine.h"
#include "settle/settle.h"

struct settle {
    struct engine *engine;
};

/** Copy an error to the caller (who may have given NULL) and return its code. */
int handle_error(struct settle_error *ret_err, const struct err *err);

#ifdef __clang_analyzer__
/* As in base/err.h: the analyzer does not see that it is never 0. */
#define handle_error(ret_err, err) ((void)(handle_error)(ret_err, err), SETTLE_ERR_IO)
#endif

/** Somebody who waits on another thread than the engine's. */
struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool over;
};

void waiting_init(struct waiting *waiting);
void waiting_release(struct waiting *waiting);
void waiting_end(struct waiting *waiting);
void waiting_wait(struct waiting *waiting);

/** ERR_USAGE on the engine's own thread, where waiting would wait for ever. */
int handle_may_block(const struct settle *settle, struct err *err);

#endif
