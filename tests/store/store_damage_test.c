#include "base/crc32c.h"
#include "store/fixture.h"
#include "support/runner.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[PATH_SIZE];
static char dir[PATH_SIZE];

static void set_up(void)
{
    folder_make(folder);
    path_join(dir, folder, "data");
}

static void tear_down(void)
{
    tap_clear();
    folder_remove(folder);
}

static int init_it(struct err *err)
{
    struct store_identity identity = bank_a();

    memset(err, 0, sizeof(*err));
    return store_init(dir, &identity, err);
}

static int open_as(const struct store_identity *expected, struct err *err)
{
    struct store_options options = small_options();
    struct store *store = NULL;
    int rc;

    memset(err, 0, sizeof(*err));
    rc = store_open(dir, expected, &options, &store, err);
    CU_ASSERT((rc == 0) == (store != NULL));
    store_close(store);
    return rc;
}

static void data_path(char path[PATH_SIZE])
{
    path_join(path, dir, "data.mdb");
}

static size_t data_read(uint8_t **ret_bytes)
{
    char path[PATH_SIZE];
    struct stat st;
    int fd;

    data_path(path);
    fd = open(path, O_RDONLY);
    CU_ASSERT_FATAL(fd >= 0 && fstat(fd, &st) == 0);
    *ret_bytes = malloc((size_t)st.st_size);
    CU_ASSERT_EQUAL_FATAL(read(fd, *ret_bytes, (size_t)st.st_size), st.st_size);
    close(fd);
    return (size_t)st.st_size;
}

static void data_write(const uint8_t *bytes, size_t size, size_t at)
{
    char path[PATH_SIZE];
    int fd;

    data_path(path);
    fd = open(path, O_WRONLY);
    CU_ASSERT_EQUAL_FATAL(pwrite(fd, bytes, size, (off_t)at), (ssize_t)size);
    close(fd);
}

static int read_all(struct err *err)
{
    struct store_identity identity = bank_a();
    struct store_options options = small_options();
    struct store *store = NULL;
    int rc;

    memset(err, 0, sizeof(*err));
    rc = store_open(dir, &identity, &options, &store, err);
    if (rc == 0)
        rc = store_verify(store, err);
    store_close(store);
    return rc;
}

/* On the disk a record is its key, then the header of 8 bytes, then the value. */
#define KEY                 "clock"
#define RECORD_BYTES_BEFORE (sizeof(KEY) - 1 + 8)
#define NEEDLE              "a value that is found in the data file"

/*
 * Every byte of a stored record, header included, and of its key, changed on the disk: found, with
 * table and key named.
 */
static void every_flipped_byte_is_found(void)
{
    const size_t size = RECORD_BYTES_BEFORE + sizeof(NEEDLE) - 1;
    struct store *store = must_make(dir);
    struct store_job *job = must_begin(store);
    uint8_t *bytes;
    size_t file_size, found = 0;
    struct err err;

    CU_ASSERT_TRUE(store_put(job, STORE_META, KEY, sizeof(KEY) - 1, NEEDLE, sizeof(NEEDLE) - 1));
    store_job_submit(job, 1);
    store_close(store);
    CU_ASSERT_EQUAL(read_all(&err), 0);
    file_size = data_read(&bytes);
    for (size_t at = RECORD_BYTES_BEFORE; at + sizeof(NEEDLE) < file_size; at++) {
        if (memcmp(bytes + at, NEEDLE, sizeof(NEEDLE) - 1) != 0)
            continue;
        found++;
        for (size_t i = 0; i < size; i++) {
            size_t where = at - RECORD_BYTES_BEFORE + i;
            uint8_t flipped = bytes[where] ^ 0x10;

            data_write(&flipped, 1, where);
            CU_ASSERT_EQUAL(read_all(&err), ERR_CORRUPT);
            CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "table meta, key "));
            data_write(&bytes[where], 1, where);
        }
    }
    CU_ASSERT_EQUAL(found, 1);
    CU_ASSERT_EQUAL(read_all(&err), 0);
    free(bytes);
}

static bool data_has(const char *hex)
{
    uint8_t wanted[256], *bytes;
    size_t size = strlen(hex) / 2, file_size = data_read(&bytes);
    bool found = false;

    CU_ASSERT_TRUE_FATAL(size <= sizeof(wanted) && hex_parse(wanted, size, hex));
    for (size_t at = 0; at + size <= file_size && !found; at++)
        found = memcmp(bytes + at, wanted, size) == 0;
    free(bytes);
    return found;
}

/* Key, header and value as version 1 has them, checksums made by another program. */
static void records_have_the_form_of_version_1(void)
{
    struct store_identity identity = bank_a();
    struct guid cluster = {{17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32}};
    struct store *store;
    struct store_job *job;
    struct err err;

    for (uint8_t i = 0; i < 16; i++)
        identity.store_id.bytes[i] = (uint8_t)(i + 1);
    CU_ASSERT_EQUAL_FATAL(store_init(dir, &identity, &err), 0);
    store_close(must_open(dir));
    store = must_open(dir);
    CU_ASSERT_EQUAL(store_bind_cluster(store, &cluster, 16, &err), 0);
    job = must_begin(store);
    CU_ASSERT_TRUE(store_put(job, STORE_META, KEY, sizeof(KEY) - 1, "0123456789abcdef", 16));
    store_job_submit(job, 1);
    store_close(store);
    CU_ASSERT_TRUE(data_has("636c6f636b01000010849465dc30313233343536373839616263646566"));
    CU_ASSERT_TRUE(data_has("696e6361726e6174696f6e01000008ab23e4950000000000000002"));
    CU_ASSERT_TRUE(data_has("6964656e7469747901000067843656ab000000010174657374000000"
                            "00000000000000000000000000000000000000000000000000"
                            "62616e6b2d6100000000000000000000000000000000000000000000"
                            "000000000102030405060708090a0b0c0d0e0f10"
                            "1112131415161718191a1b1c1d1e1f200010"));
}

static void damaged_identity_is_found_at_open(void)
{
    struct store_identity identity = bank_a();
    uint8_t *bytes;
    size_t file_size, found = 0;
    struct err err;

    CU_ASSERT_EQUAL(init_it(&err), 0);
    CU_ASSERT_EQUAL(open_as(&identity, &err), 0);
    file_size = data_read(&bytes);
    for (size_t at = 0; at + 6 < file_size; at++) {
        if (memcmp(bytes + at, "bank-a", 6) == 0) {
            data_write((const uint8_t *)"bank-b", 6, at);
            found++;
        }
    }
    CU_ASSERT(found >= 1);
    CU_ASSERT_EQUAL(open_as(&identity, &err), ERR_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "table identity"));
    free(bytes);
}

static void file_that_is_no_store_is_refused(void)
{
    static const uint8_t zeros[8192];
    struct store_identity identity = bank_a();
    char path[PATH_SIZE];
    struct err err;

    CU_ASSERT_EQUAL(init_it(&err), 0);
    data_write(zeros, sizeof(zeros), 0);
    CU_ASSERT_EQUAL(open_as(&identity, &err), ERR_CORRUPT);
    data_path(path);
    CU_ASSERT_EQUAL(truncate(path, 0), 0);
    CU_ASSERT_EQUAL(open_as(&identity, &err), ERR_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "empty"));
}

/* Cut off at every page: refused with a sentence, never a crash, never an empty store. */
static void file_cut_off_anywhere_is_refused(void)
{
    struct store_identity identity = bank_a();
    struct store *store = must_make(dir);
    struct store_job *job = must_begin(store);
    size_t file_size, page = (size_t)sysconf(_SC_PAGESIZE);
    char path[PATH_SIZE];
    uint8_t *bytes;
    struct err err;

    for (uint64_t position = 1; position <= 200; position++)
        must_put_journal(job, position, 500);
    store_job_submit(job, 200);
    store_close(store);
    data_path(path);
    file_size = data_read(&bytes);
    CU_ASSERT(file_size > 20 * page);
    for (size_t size = 2 * page; size < file_size; size += page) {
        CU_ASSERT_EQUAL(truncate(path, (off_t)size), 0);
        CU_ASSERT_EQUAL(open_as(&identity, &err), ERR_CORRUPT);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "was cut off"));
        data_write(bytes, file_size, 0);
    }
    CU_ASSERT_EQUAL(read_all(&err), 0);
    free(bytes);
}

/* Changes one byte of a record's header or value and makes the checksum right again. */
static void rewrite_record(int table, const char *key, size_t value_size, size_t at, uint8_t byte)
{
    const size_t key_size = strlen(key);
    uint8_t *bytes, number = (uint8_t)table;
    size_t file_size = data_read(&bytes), found = 0;

    for (size_t i = 0; i + key_size + 8 + value_size <= file_size; i++) {
        uint8_t *header = bytes + i + key_size;
        uint32_t crc;

        if (memcmp(bytes + i, key, key_size) != 0 || header[0] != 1 || header[1] != 0 ||
            (size_t)(header[2] << 8 | header[3]) != value_size)
            continue;
        header[at] = byte;
        crc = crc32c(crc32c(0, &number, 1), header, 4);
        crc = crc32c(crc32c(crc, key, key_size), header + 8, value_size);
        for (int b = 0; b < 4; b++)
            header[4 + b] = (uint8_t)(crc >> (24 - 8 * b));
        data_write(header, 8 + value_size, i + key_size);
        found++;
    }
    CU_ASSERT(found >= 1);
    free(bytes);
}

/* After a step back to an older release: refused, and the text says whom to start. */
static void newer_format_is_foreign(void)
{
    struct store_identity identity = bank_a();
    struct err err;

    CU_ASSERT_EQUAL(init_it(&err), 0);
    rewrite_record(0, "identity", 103, 8 + 3, STORE_FORMAT + 1);
    CU_ASSERT_EQUAL(open_as(&identity, &err), ERR_FOREIGN);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "has format 2, this release reads up to 1"));
}

static void newer_record_is_foreign(void)
{
    struct store *store = must_make(dir);
    struct store_job *job = must_begin(store);
    struct err err;

    CU_ASSERT_TRUE(store_put(job, STORE_META, KEY, sizeof(KEY) - 1, "0123456789abcdef", 16));
    store_job_submit(job, 1);
    store_close(store);
    rewrite_record(STORE_META, KEY, 16, 0, 2);
    CU_ASSERT_EQUAL(read_all(&err), ERR_FOREIGN);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "version 2, this release reads 1"));
}

/* The checksum covers the key: a value under another's key is found out. */
static void value_under_another_key_is_found(void)
{
    struct store *store = must_make(dir);
    struct store_job *job = must_begin(store);
    struct store_identity identity = bank_a();
    uint8_t *bytes;
    size_t file_size, found = 0;
    struct err err;

    CU_ASSERT_TRUE(store_put(job, STORE_META, KEY, sizeof(KEY) - 1, NEEDLE, sizeof(NEEDLE) - 1));
    store_job_submit(job, 1);
    store_close(store);
    file_size = data_read(&bytes);
    for (size_t at = 0; at + RECORD_BYTES_BEFORE + sizeof(NEEDLE) < file_size; at++) {
        if (memcmp(bytes + at, KEY, sizeof(KEY) - 1) == 0 &&
            memcmp(bytes + at + RECORD_BYTES_BEFORE, NEEDLE, sizeof(NEEDLE) - 1) == 0) {
            data_write((const uint8_t *)"cloak", 5, at);
            found++;
        }
    }
    CU_ASSERT_EQUAL(found, 1);
    CU_ASSERT_EQUAL(read_all(&err), ERR_CORRUPT);
    CU_ASSERT_EQUAL(open_as(&identity, &err), 0);
    free(bytes);
}

/* A file that lacks only pages nobody uses is whole: cut behind its last page in use. */
static void file_without_its_free_tail_is_whole(void)
{
    struct store *store = must_make(dir);
    struct store_job *job = must_begin(store);
    size_t file_size, page = (size_t)sysconf(_SC_PAGESIZE), whole = 0;
    uint8_t below[STORE_KEY_JOURNAL_SIZE];
    char path[PATH_SIZE];
    uint8_t *bytes;
    struct err err;

    for (uint64_t position = 1; position <= 200; position++)
        must_put_journal(job, position, 500);
    store_job_submit(job, 200);
    CU_ASSERT_TRUE(wait_durable(store, 200));
    job = must_begin(store);
    store_key_journal(below, 200);
    CU_ASSERT_TRUE(store_trim(job, STORE_JOURNAL, below, sizeof(below)));
    store_job_submit(job, 200);
    store_close(store);
    /* Each of these moves the pages in use to lower ones that became free. */
    for (int i = 0; i < 6; i++)
        store_close(must_open(dir));
    data_path(path);
    file_size = data_read(&bytes);
    for (size_t size = 2 * page; size < file_size; size += page) {
        int rc;

        CU_ASSERT_EQUAL(truncate(path, (off_t)size), 0);
        rc = read_all(&err);
        CU_ASSERT(rc == 0 || (rc == ERR_CORRUPT && strstr(err.text, "was cut off")));
        whole += rc == 0;
        data_write(bytes, file_size, 0);
    }
    CU_ASSERT(whole > 0);
    free(bytes);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"every_flipped_byte_is_found", every_flipped_byte_is_found},
        {"records_have_the_form_of_version_1", records_have_the_form_of_version_1},
        {"damaged_identity_is_found_at_open", damaged_identity_is_found_at_open},
        {"file_that_is_no_store_is_refused", file_that_is_no_store_is_refused},
        {"newer_format_is_foreign", newer_format_is_foreign},
        {"newer_record_is_foreign", newer_record_is_foreign},
        {"value_under_another_key_is_found", value_under_another_key_is_found},
        {"file_without_its_free_tail_is_whole", file_without_its_free_tail_is_whole},
        {"file_cut_off_anywhere_is_refused", file_cut_off_anywhere_is_refused},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"store_damage", NULL, NULL, set_up, tear_down, tests},
        CU_SUITE_INFO_NULL,
    };
    return runner_main(suites, argc, argv);
}
