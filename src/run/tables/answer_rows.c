/*
 * The main table of text for programs: a row for each line, with exact numbers.
 */
#include <inttypes.h>
#include <math.h>

#include "run/tables/answer_table.h"
#include "run/tables/cell_text.h"

static const char *const KINDS[] = {"baseline", "vector", "control"};

static void number_head(struct text_table *t, size_t *column, const char *name, const char *end) {
    text_table_cell(t, "%s%s", name, end);
    text_table_align_right(t, (*column)++);
}

static void add_heads(struct text_table *t) {
    static const char *const words[] = {"method", "fit", "task", "setting"};
    size_t c = 0;
    for (; c < sizeof words / sizeof *words; c++) text_table_cell(t, "%s", words[c]);
    number_head(t, &c, "k", "");
    text_table_cell(t, "shift"), c++;
    number_head(t, &c, "items", "");
    number_head(t, &c, "repeats", "");
    for (size_t m = 0; m < ANSWER_MEASURES_N; m++) {
        number_head(t, &c, ANSWER_MEASURE[m].column, "");
        number_head(t, &c, ANSWER_MEASURE[m].ends, "_low");
        number_head(t, &c, ANSWER_MEASURE[m].ends, "_high");
    }
    number_head(t, &c, "plain_accuracy", "");
    number_head(t, &c, "plain_shuffled", "");
    number_head(t, &c, "shuffled_share", "");
    number_head(t, &c, "crossed", "");
    text_table_cell(t, "kind");
}
enum { COLUMNS = 8 + 3 * ANSWER_MEASURES_N + 5 };

static void exact(struct text_table *t, double value) {
    char cell[CELL_TEXT];
    cell_text_exact(cell, value);
    text_table_cell(t, "%s", cell);
}

static enum err_code add_row(struct text_table *t, struct answer_lines *a,
                             const struct answer_line *line, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct answer_task *task = &a->tasks[line->of_task];
    const bool known = task->effect.k > 0;
    struct interval mean;
    text_table_copy_cell(t, text_str(&line->method));
    text_table_copy_cell(t, text_str(&line->fit));
    text_table_copy_cell(t, text_str(&line->task));
    text_table_copy_cell(t, text_str(&line->setting));
    text_table_cell(t, "%" PRId64, line->k);
    text_table_cell(t, "%s", line->shift);
    text_table_cell(t, "%zu", line->items);
    text_table_cell(t, "%zu", line->repeats);
    for (size_t m = 0; m < ANSWER_MEASURES_N; m++) {
        TRY(answer_line_mean(&mean, a, line, (enum answer_measure)m, err));
        exact(t, mean.value), exact(t, mean.low), exact(t, mean.high);
    }
    exact(t, known ? task->effect.clean : (double)NAN);
    exact(t, known ? task->effect.shuffled : (double)NAN);
    exact(t, task->share);
    text_table_cell(t, "%zu", line->crossed);
    text_table_cell(t, "%s", KINDS[line->kind]);
cleanup:
    return rc;
}

enum err_code answer_rows_print(struct table_output *o, struct answer_lines *a, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text_table t = {0};
    TRY(text_table_init(&t, COLUMNS, err));
    add_heads(&t);
    for (size_t i = 0; i < a->n; i++) TRY(add_row(&t, a, &a->list[i], err));
    TRY(table_output_put(o, NULL, &t, err));
cleanup:
    text_table_release(&t);
    return rc;
}
