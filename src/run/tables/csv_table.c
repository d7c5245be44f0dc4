#include <string.h>

#include "run/tables/table_format.h"

static void print_csv_cell(struct text *out, const char *cell) {
    if (!strpbrk(cell, ",\"\r\n")) {
        text_add(out, "%s", cell);
        return;
    }
    text_add(out, "\"");
    for (; *cell; cell++) text_add(out, *cell == '"' ? "\"\"" : "%c", *cell);
    text_add(out, "\"");
}

void csv_table_print(struct text *out, const struct text_table *t) {
    for (size_t row = 0; row <= t->rows; row++)
        for (size_t c = 0; c < t->columns; c++) {
            print_csv_cell(out, text_table_at(t, row, c));
            text_add(out, c + 1 < t->columns ? "," : "\r\n");
        }
}
