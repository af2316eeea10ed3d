/*
 * Golden bytes of every message, record and row: README.md beside this file has the rules.
 */
#include "record.pb-c.h"
#include "support/pb_edit.h"
#include "support/runner.h"
#include "support/wire_samples.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define MEMORY_SIZE (4u * 1024 * 1024)
#define SEED        20240229
#define BYTES_MAX   (64u * 1024)
#define LINE_BYTES  32

static struct arena samples, scratch;

struct golden {
    const char *name;
    uint8_t bytes[BYTES_MAX];
    int size;
};

static int open_memory(void)
{
    void *for_samples = malloc(MEMORY_SIZE), *for_scratch = malloc(MEMORY_SIZE);

    if (!for_samples || !for_scratch)
        return 1;
    arena_init(&samples, for_samples, MEMORY_SIZE);
    arena_init(&scratch, for_scratch, MEMORY_SIZE);
    return 0;
}

static int close_memory(void)
{
    free(samples.bytes);
    free(scratch.bytes);
    return 0;
}

/* ---- writing samples ---- */

static void write_row(struct sampler *sampler, size_t row, struct golden *golden)
{
    static struct account_attributes attributes;
    static struct account_row account;
    static struct entry entry;
    static struct outcome outcome;
    static struct checkpoint checkpoint;
    static struct branch branch;
    uint8_t *out = golden->bytes;

    switch (row) {
    case 0:
        golden->name = "row_attributes";
        sample_attributes(sampler, &attributes);
        golden->size = attributes_encode(&scratch, &attributes, out, BYTES_MAX);
        break;
    case 1:
        golden->name = "row_account";
        sample_account_row(sampler, &account);
        golden->size = account_row_encode(&scratch, &account, out, BYTES_MAX);
        break;
    case 2:
        golden->name = "row_entry";
        sample_entry(sampler, &entry);
        golden->size = entry_encode(&scratch, &entry, out, BYTES_MAX);
        break;
    case 3:
        golden->name = "row_outcome";
        sample_outcome(sampler, &outcome);
        golden->size = outcome_encode(&scratch, &outcome, out, BYTES_MAX);
        break;
    case 4:
        golden->name = "row_checkpoint";
        sample_checkpoint(sampler, &checkpoint);
        golden->size = checkpoint_encode(&scratch, &checkpoint, out, BYTES_MAX);
        break;
    default:
        golden->name = row == 5 ? "branch_postings" : "branch_checks";
        sample_branch(sampler, row != 5, &branch);
        golden->size = branch_encode(&scratch, &branch, out, BYTES_MAX);
        break;
    }
}

#define ROW_COUNT 7

static size_t golden_count(void)
{
    return sample_envelope_count() + sample_record_count() + ROW_COUNT;
}

static void write_golden(size_t index, struct golden *golden)
{
    struct sampler sampler = {.arena = &samples, .list_size = 2};

    arena_reset(&samples);
    prng_init(&sampler.prng, SEED);
    if (index < sample_envelope_count()) {
        struct envelope envelope;
        int size;

        golden->name = sample_envelope(&sampler, index, &envelope);
        size = wire_encode(&scratch, &envelope, golden->bytes, BYTES_MAX);
        golden->size = size - FRAME_HEADER_SIZE;
        memmove(golden->bytes, golden->bytes + FRAME_HEADER_SIZE, (size_t)golden->size);
        return;
    }
    index -= sample_envelope_count();
    if (index < sample_record_count()) {
        struct record record;

        golden->name = sample_record(&sampler, index, &record);
        golden->size = record_encode(&scratch, &record, golden->bytes, BYTES_MAX);
        return;
    }
    write_row(&sampler, index - sample_record_count(), golden);
}

/* ---- files ---- */

static void file_path(const char *file, char path[512])
{
    snprintf(path, 512, "%s/%s", GOLDEN_DIR, file);
}

/* The bytes of a file; -1 when it is missing or no hex. */
static int read_hex(const char *file, uint8_t *out)
{
    char path[512], line[2 * LINE_BYTES + 2];
    FILE *in;
    int size = 0;

    file_path(file, path);
    in = fopen(path, "r");
    if (!in)
        return -1;
    while (fgets(line, sizeof(line), in)) {
        size_t length = strcspn(line, "\n");

        line[length] = '\0';
        if (length % 2 != 0 || (size_t)size + length / 2 > BYTES_MAX ||
            !hex_parse(out + size, length / 2, line)) {
            size = -1;
            break;
        }
        size += (int)(length / 2);
    }
    fclose(in);
    return size;
}

static int write_hex(const struct golden *golden)
{
    char path[512], line[2 * LINE_BYTES + 1], file[128];
    FILE *out;

    snprintf(file, sizeof(file), "%s.hex", golden->name);
    file_path(file, path);
    out = fopen(path, "wx");
    if (!out)
        return 0; /* it is there already */
    for (int at = 0; at < golden->size; at += LINE_BYTES) {
        int left = golden->size - at;

        fprintf(
            out, "%s\n",
            hex_format(golden->bytes + at, (size_t)(left < LINE_BYTES ? left : LINE_BYTES), line));
    }
    printf("%s written\n", path);
    return fclose(out);
}

static int write_missing(void)
{
    static struct golden golden;
    int rc = open_memory();

    for (size_t i = 0; rc == 0 && i < golden_count(); i++) {
        write_golden(i, &golden);
        rc = write_hex(&golden);
    }
    close_memory();
    return rc == 0 ? 0 : 1;
}

/* ---- tests ---- */

static void fail_with(const char *name, const char *what)
{
    printf("\n    %s %s", name, what);
    CU_FAIL("a golden file failed; its name stands above");
}

static void what_is_written_has_not_changed(void)
{
    static struct golden golden;
    static uint8_t kept[BYTES_MAX];

    for (size_t i = 0; i < golden_count(); i++) {
        char file[128];
        int size;

        write_golden(i, &golden);
        CU_ASSERT_EQUAL(scratch.used, 0);
        snprintf(file, sizeof(file), "%s.hex", golden.name);
        size = read_hex(file, kept);
        if (size < 0)
            fail_with(file, "is missing or no hex; see README.md");
        else if (size != golden.size || memcmp(kept, golden.bytes, (size_t)size) != 0)
            fail_with(file, "is not what is written today");
    }
}

/* Read and write again; the size written, or an error. */
static int again_envelope(const uint8_t *bytes, size_t size, uint8_t *out, struct err *err)
{
    struct envelope envelope;
    int rc = wire_decode(&scratch, bytes, size, &envelope, err);

    if (rc != 0)
        return rc;
    rc = wire_encode(&samples, &envelope, out, BYTES_MAX);
    if (rc < 0)
        return rc;
    memmove(out, out + FRAME_HEADER_SIZE, (size_t)rc - FRAME_HEADER_SIZE);
    return rc - FRAME_HEADER_SIZE;
}

static int again_record(const uint8_t *bytes, size_t size, uint8_t *out, struct err *err)
{
    const Settle__V1__JournalRecord *raw = (const void *)pb_unpack(
        &samples, &settle__v1__journal_record__descriptor, bytes, size);
    struct record record;
    int rc;

    if (!raw)
        return err_set(err, ERR_CORRUPT, "not well-formed");
    rc = record_decode(&scratch, bytes, size, raw->position, &record, err);
    return rc != 0 ? rc : record_encode(&samples, &record, out, BYTES_MAX);
}

static int again_branch(const uint8_t *bytes, size_t size, uint8_t *out, struct err *err)
{
    static struct branch branch;

    if (branch_decode(&scratch, bytes, size, &branch, err) != REASON_NONE)
        return ERR_CORRUPT;
    return branch_encode(&scratch, &branch, out, BYTES_MAX);
}

#define AGAIN(type, verb)                                                                     \
    static int again_##verb(const uint8_t *bytes, size_t size, uint8_t *out, struct err *err) \
    {                                                                                         \
        static type value;                                                                    \
        int rc = verb##_decode(&scratch, bytes, size, &value, err);                           \
        return rc != 0 ? rc : verb##_encode(&scratch, &value, out, BYTES_MAX);                \
    }

AGAIN(struct account_attributes, attributes)
AGAIN(struct account_row, account_row)
AGAIN(struct entry, entry)
AGAIN(struct outcome, outcome)
AGAIN(struct checkpoint, checkpoint)

/* A file's name begins with what it is; what begins with nothing here is an envelope. */
static const struct {
    const char *prefix;
    int (*again)(const uint8_t *bytes, size_t size, uint8_t *out, struct err *err);
} readers[] = {
    {"record_", again_record},
    {"branch_", again_branch},
    {"row_attributes", again_attributes},
    {"row_account", again_account_row},
    {"row_entry", again_entry},
    {"row_outcome", again_outcome},
    {"row_checkpoint", again_checkpoint},
    {"", again_envelope},
};

static void read_again(const char *file)
{
    static uint8_t bytes[BYTES_MAX], out[BYTES_MAX];
    struct err err = {.text = ""};
    int size = read_hex(file, bytes), rc;
    size_t reader = 0;

    if (size < 0) {
        fail_with(file, "is no hex");
        return;
    }
    while (strncmp(file, readers[reader].prefix, strlen(readers[reader].prefix)) != 0)
        reader++;
    arena_reset(&samples);
    arena_reset(&scratch);
    rc = readers[reader].again(bytes, (size_t)size, out, &err);
    if (rc < 0)
        fail_with(file, err.text);
    else if (rc != size || memcmp(bytes, out, (size_t)size) != 0)
        fail_with(file, "is written otherwise after it was read");
}

static void old_bytes_are_still_read(void)
{
    DIR *dir = opendir(GOLDEN_DIR);
    struct dirent *entry;
    size_t count = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        read_again(entry->d_name);
        count++;
    }
    closedir(dir);
    CU_ASSERT(count >= golden_count());
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"what_is_written_has_not_changed", what_is_written_has_not_changed},
        {"old_bytes_are_still_read", old_bytes_are_still_read},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {
        {"golden_wire", open_memory, close_memory, NULL, NULL, tests},
        CU_SUITE_INFO_NULL,
    };

    if (argc > 1 && strcmp(argv[1], "--write") == 0)
        return write_missing();
    return runner_main(suites, argc, argv);
}
