/*
 * The main of a fuzz target where the compiler has no libFuzzer: every file of the folders named on
 * the command line is fed to the target once. A folder without files is a failure, as is a file
 * that cannot be read; a finding ends the process, as it does under libFuzzer.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_SIZE_MAX (2u * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static int replay_file(const char *path)
{
    static uint8_t input[INPUT_SIZE_MAX];
    FILE *file = fopen(path, "rb");
    uint8_t *exact;
    size_t size;

    if (!file) {
        fprintf(stderr, "replay: cannot read %s\n", path);
        return -1;
    }
    size = fread(input, 1, sizeof(input), file);
    fclose(file);
    /* In a block of its own size, so that a sanitizer sees the first byte read beyond it. */
    exact = malloc(size > 0 ? size : 1);
    if (!exact)
        return -1;
    memcpy(exact, input, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 0;
}

/* Returns the number of files, or -1. */
static int replay_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int count = 0;

    if (!dir) {
        fprintf(stderr, "replay: cannot open the folder %s\n", folder);
        return -1;
    }
    while ((entry = readdir(dir))) {
        char path[4096];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (replay_file(path) < 0) {
            closedir(dir);
            return -1;
        }
        count++;
    }
    closedir(dir);
    return count;
}

int main(int argc, char **argv)
{
    int total = 0;

    for (int i = 1; i < argc; i++) {
        int count = replay_folder(argv[i]);
        if (count <= 0) {
            fprintf(stderr, "replay: nothing was replayed from %s\n", argv[i]);
            return 1;
        }
        total += count;
    }
    printf("%d inputs replayed\n", total);
    return total > 0 ? 0 : 1;
}
