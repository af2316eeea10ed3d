/* Who there is, for calls that ask everybody. */
#ifndef SETTLE_CLIENT_MEMBERS_H
#define SETTLE_CLIENT_MEMBERS_H

#include "client/call.h"
#include "settle/admin.h"

#define MEMBERS_EACH_MS 1000u /* one that does not answer holds the others up this long */

/** Coordinators and participants as one coordinator sees them, with its own counts. */
int members_get(struct call *call, struct settle_status *ret_status, struct settle_error *ret_err);

#endif
