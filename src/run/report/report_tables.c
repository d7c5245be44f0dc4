#include "run/report/report.h"
#include "run/tables/main_table.h"
#include "run/tables/stage_table_print.h"

enum { ROWS_MOST = 1000 }; /* of one table; results.h5 has all */

/* A cell of a column of numbers that holds none is null. */
static void write_row(struct json_writer *w, const struct text_table *t, size_t row) {
    json_write_array(w);
    for (size_t c = 0; c < t->columns; c++) json_table_write_cell(w, t, row, c);
    json_write_close(w);
}

static void write_table(struct json_writer *w, const struct table_block *b, const char *kind,
                        bool main) {
    const struct text_table *t = &b->table;
    const size_t rows = t->rows < ROWS_MOST ? t->rows : ROWS_MOST;
    json_write_object(w);
    json_write_key(w, "stage"), json_write_bytes(w, b->stage);
    json_write_key(w, "kind"), json_write_text(w, kind);
    json_write_key(w, "main"), json_write_bool(w, main);
    json_write_key(w, "omitted"), json_write_int(w, (int64_t)(t->rows - rows));
    json_write_key(w, "columns"), json_write_array(w);
    for (size_t c = 0; c < t->columns; c++) json_write_bytes(w, text_table_at(t, 0, c));
    json_write_close(w);
    json_write_key(w, "rows"), json_write_array(w);
    for (size_t row = 1; row <= rows; row++) write_row(w, t, row);
    json_write_close(w);
    json_write_close(w);
}

static enum err_code put_rows(struct table_output *o, const struct run_state *r, size_t stage,
                              struct err *err) {
    enum err_code rc = ERR_OK;
    struct stage_table rows = {0};
    TRY(stage_table_collect(&rows, r, stage, err));
    TRY(stage_table_print(o, &rows, true, err));
cleanup:
    stage_table_release(&rows);
    return rc;
}

static enum err_code write_stage(struct json_writer *w, const struct run_state *r, size_t stage,
                                 bool main, struct err *err) {
    enum err_code rc = ERR_OK;
    static const struct summary_layout WHOLE = {.wide = true, .intervals = true};
    static const struct answer_layout ANSWERS = {.intervals = true};
    struct table_blocks blocks = {0};
    struct text unused = {0};
    struct table_output o = {.out = &unused,
                             .format = TABLE_JSON,
                             .blocks = &blocks,
                             .run = r->dir,
                             .stage = r->plan.stages[stage].name};
    if (main)
        TRY(main_table_print(&o, r, stage, &WHOLE, &ANSWERS, err));
    else
        TRY(put_rows(&o, r, stage, err));
    for (size_t i = 0; i < blocks.n; i++)
        write_table(w, &blocks.list[i], r->plan.stages[stage].kind->name, main);
cleanup:
    table_blocks_release(&blocks);
    text_release(&unused);
    return rc;
}

enum err_code report_tables_write(struct json_writer *w, const struct run_state *r,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    const struct plan *p = &r->plan;
    json_write_array(w);
    for (size_t s = 0; s < p->n_stages; s++)
        if (main_table_exists(p, s)) TRY(write_stage(w, r, s, true, err));
    for (size_t s = 0; s < p->n_stages; s++)
        if (!report_curves_has(p, s)) TRY(write_stage(w, r, s, false, err));
    json_write_close(w);
cleanup:
    return rc;
}
