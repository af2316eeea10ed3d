/*
 * Records: what the store puts around every value.
 *
 *   byte 0      version of this form
 *   bytes 1-3   length of the value, big-endian
 *   bytes 4-7   CRC32C over table number, version, length, key and value, big-endian
 *
 * The key and the table are in the checksum, so that a value that turns up under another key is
 * found out as well. LMDB 0.9 has no checksums of its own.
 */
#include "store/store_internal.h"

#include "base/assert.h"
#include "base/crc32c.h"

#include <stdio.h>
#include <string.h>

#define OWN_SIZE_MAX  128
#define KEY_TEXT_SIZE (2 * STORE_KEY_SIZE_MAX + 1)

_Static_assert(STORE_VALUE_SIZE_MAX < 1u << 24, "the length has 24 bits");
_Static_assert(IDENTITY_SIZE <= OWN_SIZE_MAX, "the identity is a record of the store's own");

static uint32_t checksum(int table, const MDB_val *key, const uint8_t *record, size_t value_size)
{
    uint8_t number = (uint8_t)table;
    uint32_t crc = crc32c(0, &number, 1);

    crc = crc32c(crc, record, 4);
    crc = crc32c(crc, key->mv_data, key->mv_size);
    return crc32c(crc, record + RECORD_HEADER_SIZE, value_size);
}

void record_seal(int table, const MDB_val *key, uint8_t *record, uint32_t value_size)
{
    ASSERT(value_size <= STORE_VALUE_SIZE_MAX);
    record[0] = RECORD_VERSION;
    be_put(record + 1, value_size, 3);
    be_put(record + 4, checksum(table, key, record, value_size), 4);
}

static int damaged(int table, const MDB_val *key, const char *how, struct err *err)
{
    char text[KEY_TEXT_SIZE];
    size_t size = key->mv_size < STORE_KEY_SIZE_MAX ? key->mv_size : STORE_KEY_SIZE_MAX;

    return err_set(err, ERR_CORRUPT,
                   "table %s, key %s: the record is damaged (%s); restore the store from a backup, "
                   "or make a new one, and look after the disk",
                   store_table_name(table), hex_format(key->mv_data, size, text), how);
}

int record_open(int table, const MDB_val *key, const MDB_val *record, MDB_val *ret_value,
                struct err *err)
{
    const uint8_t *bytes = record->mv_data;
    size_t value_size;

    if (key->mv_size > STORE_KEY_SIZE_MAX)
        return damaged(table, key, "key too long", err);
    if (record->mv_size < RECORD_HEADER_SIZE)
        return damaged(table, key, "shorter than its header", err);
    value_size = record->mv_size - RECORD_HEADER_SIZE;
    if (be_get(bytes + 1, 3) != value_size)
        return damaged(table, key, "wrong length", err);
    if (be_get(bytes + 4, 4) != checksum(table, key, bytes, value_size))
        return damaged(table, key, "wrong checksum", err);
    if (bytes[0] != RECORD_VERSION)
        return err_set(err, ERR_FOREIGN,
                       "table %s holds records of version %u, this release reads %u; "
                       "start the release that wrote them",
                       store_table_name(table), bytes[0], RECORD_VERSION);
    *ret_value = val_of(bytes + RECORD_HEADER_SIZE, value_size);
    return 0;
}

int record_put_own(MDB_txn *txn, MDB_dbi dbi, const char *key, const uint8_t *value, size_t size)
{
    uint8_t record[RECORD_HEADER_SIZE + OWN_SIZE_MAX];
    MDB_val key_val = val_of(key, strlen(key));
    MDB_val record_val = val_of(record, RECORD_HEADER_SIZE + size);

    ASSERT(size <= OWN_SIZE_MAX);
    memcpy(record + RECORD_HEADER_SIZE, value, size);
    record_seal(TABLE_IDENTITY, &key_val, record, (uint32_t)size);
    return mdb_put(txn, dbi, &key_val, &record_val, 0);
}

int record_get_own(MDB_txn *txn, MDB_dbi dbi, const char *key, MDB_val *ret_value, struct err *err)
{
    MDB_val key_val = val_of(key, strlen(key)), record;
    int rc = mdb_get(txn, dbi, &key_val, &record);

    if (rc == MDB_NOTFOUND)
        return err_set(err, ERR_CORRUPT,
                       "the store has no record '%s'; restore the store from a backup, or make a "
                       "new one",
                       key);
    if (rc != 0)
        return store_err(err, rc, "cannot read the record '%s'", key);
    return record_open(TABLE_IDENTITY, &key_val, &record, ret_value, err);
}
