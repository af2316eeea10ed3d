/* Random bytes from the kernel, for ids and guids. */
#ifndef SETTLE_BASE_RANDOM_H
#define SETTLE_BASE_RANDOM_H

#include "base/err.h"

/** Fill `size` (up to 256) bytes. ERR_IO when the kernel has none to give. */
int random_bytes(void *ret_bytes, size_t size, struct err *err);

#endif
