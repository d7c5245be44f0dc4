#include "job/row.h"

#include <math.h>
#include <string.h>

static const char *type_name(enum job_type type) {
    static const char *const names[] = {"TEXT", "INT", "REAL"};
    return names[type];
}

enum err_code row_check(const struct job_columns *columns, const struct job_value *cells, size_t n,
                        struct err *err) {
    enum err_code rc = ERR_OK;
    CHECK(n == columns->n, ERR_BUG, "a row of %zu cells for a table of %zu columns", n, columns->n);
    for (size_t i = 0; i < n; i++) {
        const struct job_column *column = &columns->list[i];
        CHECK(cells[i].type == column->type, ERR_BUG, "column %s of a row: expected %s, got %s",
              column->name, type_name(column->type), type_name(cells[i].type));
        CHECK(cells[i].type != JOB_TEXT || cells[i].as.text, ERR_BUG,
              "column %s of a row: no text was given", column->name);
    }
cleanup:
    return rc;
}

const struct job_value *row_find_cell(const struct job_columns *columns,
                                      const struct job_value *cells, size_t n, const char *name) {
    for (size_t i = 0; i < columns->n && i < n; i++)
        if (strcmp(columns->list[i].name, name) == 0)
            return cells[i].type == columns->list[i].type ? &cells[i] : NULL;
    return NULL;
}

size_t row_valued_cells(const struct job_value *cells, size_t n) {
    while (n > 0 && cells[n - 1].type == JOB_REAL && isnan(cells[n - 1].as.real)) n--;
    return n;
}
