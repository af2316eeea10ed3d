/*
 * TCP addresses as text and as the kernel wants them.
 *
 * Text is "127.0.0.1:7400" or "[::1]:7400". Names are looked up only by address_resolve(), which
 * blocks and is therefore for start-up; whatever runs in a turn parses numbers.
 */
#ifndef SETTLE_NET_ADDRESS_H
#define SETTLE_NET_ADDRESS_H

#include "base/err.h"
#include "base/types.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct address {
    union {
        uint8_t bytes[32]; /* sockaddr_in or sockaddr_in6 */
        uint64_t align;
    };
    uint32_t size;
};

/** Read a numeric address. ERR_USAGE, saying what is wrong with the text. */
int address_parse(struct address *ret_address, const char *text, struct err *err);

/** Like address_parse(), but the host may be a name. BLOCKS; ERR_UNREACHABLE if it is unknown. */
int address_resolve(struct address *ret_address, const char *text, struct err *err);

/** Write the text of an address, in the form address_parse() reads. Returns `text`. */
const char *address_format(const struct address *address, char text[ADDRESS_TEXT_SIZE]);

uint16_t address_port(const struct address *address);

/** True iff only this machine can reach it: 127.0.0.0/8, ::1. */
bool address_is_loopback(const struct address *address);

bool address_equal(const struct address *a, const struct address *b);

#endif
