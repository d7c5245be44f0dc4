#include "run/tables/table_blocks.h"

#include <stdlib.h>
#include <string.h>

static enum err_code copy_table(struct text_table *out, const struct text_table *t,
                                struct err *err) {
    const enum err_code rc = text_table_init(out, t->columns, err);
    if (rc != ERR_OK) return rc;
    memcpy(out->column, t->column, t->columns * sizeof *t->column);
    for (size_t i = 0; i < t->n; i++) text_table_copy_cell(out, t->cells[i]);
    return text_table_check(out, err);
}

enum err_code table_blocks_add(struct table_blocks *b, const char *run, const char *stage,
                               const struct text_table *t, struct err *err) {
    struct table_block *list = realloc(b->list, (b->n + 1) * sizeof *list);
    if (!list) return ERR(err, ERR_MEMORY, "no memory for %zu tables", b->n + 1);
    b->list = list;
    struct table_block *block = &list[b->n++];
    *block = (struct table_block){.run = text_copy(run), .stage = text_copy(stage)};
    if (!block->run || !block->stage) return ERR(err, ERR_MEMORY, "no memory for a table");
    return copy_table(&block->table, t, err);
}

/* ---- the columns of all blocks */

struct columns_met {
    const char **names; /* not owned */
    struct text_column *column;
    size_t n;
};

static size_t find_column(const char *const *names, size_t n, const char *name) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0) return i;
    return n;
}

static void meet_columns(struct columns_met *met, const struct text_table *t) {
    for (size_t c = 0; c < t->columns; c++) {
        const char *name = text_table_at(t, 0, c);
        if (find_column(met->names, met->n, name) < met->n) continue;
        met->names[met->n] = name;
        met->column[met->n++] = t->column[c];
    }
}

static enum err_code meet_all(struct columns_met *met, const struct table_blocks *b,
                              struct err *err) {
    size_t most = 0;
    for (size_t i = 0; i < b->n; i++) most += b->list[i].table.columns;
    met->names = calloc(most + 1, sizeof *met->names);
    met->column = calloc(most + 1, sizeof *met->column);
    if (!met->names || !met->column) return ERR(err, ERR_MEMORY, "no memory for %zu columns", most);
    for (size_t i = 0; i < b->n; i++) meet_columns(met, &b->list[i].table);
    return ERR_OK;
}

/* ---- the rows */

/* at[i]: the column of the block that is column i of the whole; its number of columns: none is. */
static void join_block(struct text_table *out, const struct table_block *b,
                       const struct columns_met *met, size_t *at) {
    const struct text_table *t = &b->table;
    for (size_t i = 0; i < met->n; i++)
        at[i] = find_column((const char *const *)t->cells, t->columns, met->names[i]);
    for (size_t row = 1; row <= t->rows; row++) {
        for (size_t i = 0; i < met->n; i++)
            text_table_copy_cell(out, at[i] < t->columns ? text_table_at(t, row, at[i]) : "");
        text_table_copy_cell(out, b->run);
        text_table_copy_cell(out, b->stage);
    }
}

enum err_code table_blocks_join(struct text_table *out, const struct table_blocks *b,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    struct columns_met met = {0};
    size_t *at = NULL;
    *out = (struct text_table){0};
    TRY(meet_all(&met, b, err));
    at = calloc(met.n + 1, sizeof *at);
    CHECK(at, ERR_MEMORY, "no memory for %zu columns", met.n);
    TRY(text_table_init(out, met.n + 2, err));
    memcpy(out->column, met.column, met.n * sizeof *met.column);
    for (size_t i = 0; i < met.n; i++) text_table_copy_cell(out, met.names[i]);
    text_table_copy_cell(out, "run");
    text_table_copy_cell(out, "stage");
    for (size_t i = 0; i < b->n; i++) join_block(out, &b->list[i], &met, at);
    TRY(text_table_check(out, err));
cleanup:
    free(met.names);
    free(met.column);
    free(at);
    return rc;
}

void table_blocks_release(struct table_blocks *b) {
    for (size_t i = 0; i < b->n; i++) {
        free(b->list[i].run);
        free(b->list[i].stage);
        text_table_release(&b->list[i].table);
    }
    free(b->list);
    *b = (struct table_blocks){0};
}
