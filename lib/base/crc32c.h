/*
 * CRC32C (Castagnoli), as iSCSI, ext4 and SCTP use it: finds what disks and memory do to stored
 * bytes. Not a defence against whoever writes them on purpose.
 */
#ifndef SETTLE_BASE_CRC32C_H
#define SETTLE_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/**
 * The checksum of the bytes so far and `size` more. Begin with 0:
 *
 *   crc32c(crc32c(0, a, a_size), b, b_size) == crc32c(0, ab, a_size + b_size)
 *
 * Takes the processor's instruction where there is one.
 */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t size);

/** The same by table, on every processor: what the instruction is tested against. */
uint32_t crc32c_table(uint32_t crc, const void *bytes, size_t size);

#endif
