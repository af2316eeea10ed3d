#include "runtime/listen.h"

int listen_check(const struct address *address, bool insecure, struct err *err)
{
    char text[ADDRESS_TEXT_SIZE];

    if (insecure || address_is_loopback(address))
        return 0;
    return err_set(err, ERR_USAGE,
                   "--listen %s is reached from other machines and connections are not encrypted; "
                   "listen on 127.0.0.1, or accept that with --insecure-listen",
                   address_format(address, text));
}
