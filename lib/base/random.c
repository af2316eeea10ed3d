#include "base/random.h"

#include "base/assert.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/types.h>

int random_bytes(void *ret_bytes, size_t size, struct err *err)
{
    ssize_t count;

    ASSERT(size <= 256); /* the kernel gives these whole or not at all */
    do {
        count = getrandom(ret_bytes, size, 0);
    } while (count < 0 && errno == EINTR);
    if (count != (ssize_t)size)
        return err_set_errno(err, ERR_IO, errno, "cannot get random bytes");
    return 0;
}
