/*
 * Aligned columns: rows of text, printed with every column as wide as its widest cell.
 */
#ifndef SETTLE_TOOLS_SETTLECTL_GRID_H
#define SETTLE_TOOLS_SETTLECTL_GRID_H

#include <stddef.h>
#include <stdio.h>

#define GRID_COLUMNS_MAX 12

struct grid_column {
    const char *title;
    int right; /* aligned to the right: numbers */
};

struct grid {
    const struct grid_column *columns;
    size_t column_count;
    char **cells; /* row by row */
    size_t cell_count, cell_max;
    int short_of_memory;
};

void grid_init(struct grid *grid, const struct grid_column *columns, size_t column_count);

/** Append the next cell, printf-like; a row is complete when all its columns are there. */
void grid_add(struct grid *grid, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Print the titles and all rows, then free everything. Returns 0, or -1 when memory was short. */
int grid_print(struct grid *grid, FILE *out);

#endif
