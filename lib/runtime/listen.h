/* Where a daemon may listen: loopback only, unless the operator says otherwise. */
#ifndef SETTLE_RUNTIME_LISTEN_H
#define SETTLE_RUNTIME_LISTEN_H

#include "net/address.h"

/** ERR_USAGE when `address` is reached from other machines and `insecure` was not given. */
int listen_check(const struct address *address, bool insecure, struct err *err);

#endif
