#include "grid.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void grid_init(struct grid *grid, const struct grid_column *columns, size_t column_count)
{
    memset(grid, 0, sizeof(*grid));
    grid->columns = columns;
    grid->column_count = column_count;
}

void grid_add(struct grid *grid, const char *format, ...)
{
    va_list args;
    char *text = NULL;

    if (grid->cell_count == grid->cell_max) {
        size_t more = grid->cell_max ? grid->cell_max * 2 : 64;
        char **cells = realloc(grid->cells, more * sizeof(*cells));

        if (!cells) {
            grid->short_of_memory = 1;
            return;
        }
        grid->cells = cells;
        grid->cell_max = more;
    }
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        grid->short_of_memory = 1;
    else
        grid->cells[grid->cell_count++] = text;
    va_end(args);
}

/* Characters, not bytes: continuation bytes of UTF-8 take no place. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void print_cell(const struct grid *grid, size_t column, const char *text, size_t width,
                       FILE *out)
{
    size_t blanks = width - width_of(text);
    int last = column + 1 == grid->column_count;

    if (grid->columns[column].right)
        fprintf(out, "%*s%s", (int)blanks, "", text);
    else if (last)
        fprintf(out, "%s", text);
    else
        fprintf(out, "%s%*s", text, (int)blanks, "");
    fprintf(out, "%s", last ? "\n" : "  ");
}

static void print_rows(const struct grid *grid, FILE *out)
{
    size_t widths[GRID_COLUMNS_MAX] = {0};

    if (grid->column_count == 0)
        return;
    for (size_t c = 0; c < grid->column_count; c++) {
        widths[c] = width_of(grid->columns[c].title);
        for (size_t i = c; i < grid->cell_count; i += grid->column_count) {
            size_t width = width_of(grid->cells[i]);
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
    for (size_t c = 0; c < grid->column_count; c++)
        print_cell(grid, c, grid->columns[c].title, widths[c], out);
    for (size_t i = 0, c = 0; i < grid->cell_count; i++) {
        print_cell(grid, c, grid->cells[i], widths[c], out);
        c = c + 1 < grid->column_count ? c + 1 : 0;
    }
}

int grid_print(struct grid *grid, FILE *out)
{
    int rc = grid->short_of_memory ? -1 : 0;

    if (rc == 0)
        print_rows(grid, out);
    for (size_t i = 0; i < grid->cell_count; i++)
        free(grid->cells[i]);
    free(grid->cells);
    memset(grid, 0, sizeof(*grid));
    return rc;
}
