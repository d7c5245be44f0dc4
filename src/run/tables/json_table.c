#include <stdlib.h>
#include <string.h>

#include "run/tables/table_format.h"

/* A cell such as "" or "-" holds no number. */
static void write_number(struct json_writer *w, const char *cell) {
    char *end = NULL;
    const double value = strtod(cell, &end);
    if (end == cell || *end)
        json_write_null(w);
    else if (cell[strspn(cell, "-0123456789")] == '\0')
        json_write_int(w, strtoll(cell, NULL, 10));
    else
        json_write_number(w, value);
}

void json_table_write_cell(struct json_writer *w, const struct text_table *t, size_t row,
                           size_t column) {
    const char *cell = text_table_at(t, row, column);
    if (t->column[column].right)
        write_number(w, cell);
    else if (cell[0] == '\0')
        json_write_null(w);
    else
        json_write_bytes(w, cell);
}

void json_table_write(struct json_writer *w, const struct text_table *t) {
    json_write_array(w);
    for (size_t row = 1; row <= t->rows; row++) {
        json_write_object(w);
        for (size_t c = 0; c < t->columns; c++) {
            json_write_key(w, text_table_at(t, 0, c));
            json_table_write_cell(w, t, row, c);
        }
        json_write_close(w);
    }
    json_write_close(w);
}
