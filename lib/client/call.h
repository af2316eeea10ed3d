/* One operator's request and its response, waited for. */
#ifndef SETTLE_CLIENT_CALL_H
#define SETTLE_CLIENT_CALL_H

#include "client/handle.h"

/*
 * A response lives in a workspace until call_end(). Zero it before the first call; one may be used
 * for one call after another.
 */
struct call {
    struct settle *settle;
    struct workspace *workspace;
    struct envelope envelope;
    uint64_t until_ms; /* of CLOCK_MONOTONIC: several calls share one time */
    uint32_t each_ms;  /* and none takes longer than this; 0: no limit */
};

/** Begin: how long the calls may take together, 0 for the default. */
int call_begin(struct call *call, struct settle *settle, uint32_t timeout_ms, struct err *err);

/**
 * Ask and wait.
 *
 * @address  only that coordinator; "" any
 * @return   the response, until the next call; NULL: nobody answered, or an error in the text
 *           (ERR_UNREACHABLE, ERR_TIMEOUT, ERR_BUSY, ...). A response may still say no:
 *           call_refused().
 */
const struct admin_response *call_ask(struct call *call, const char *address,
                                      const struct admin_request *request, struct err *err);

/** 0 when the response is ADMIN_OK, else its code's error, with the reason in ret_err as well. */
int call_check(const struct admin_response *response, struct settle_error *ret_err);

/**
 * Ask any coordinator, and need this body in answer.
 *
 * @return  the response, until the next call; NULL: *ret_rc is not 0 and *ret_err says why
 */
const struct admin_response *call_need(struct call *call, const struct admin_request *request,
                                       enum admin_body body, int *ret_rc,
                                       struct settle_error *ret_err);

/** Give the workspace back. */
void call_end(struct call *call);

#endif
