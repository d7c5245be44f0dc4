#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/command.h"
#include "run/rundir/run_state.h"
#include "run/tables/stage_table.h"
#include "run/tables/summary.h"
#include "run/tables/text_table.h"

static const struct option_row OPTIONS[] = {
    {"--format", NULL, "FORMAT", "text (default), csv or markdown"},
    {"--rows", NULL, NULL, "every row as it was computed, not the summary"},
};

struct request {
    const char *dirs[OPTIONS_MAX];
    size_t n_dirs;
    const char *name; /* of a stage, or NULL */
    enum text_table_format format;
    bool rows;
};

/* The last word is a stage's name when it is no directory and others stand before it. */
static enum err_code read_request(struct request *q, const struct options *o, struct err *err) {
    const char *format = options_value(o, "--format");
    *q = (struct request){.n_dirs = o->n_args, .rows = options_has(o, "--rows")};
    if (q->n_dirs > 1 && !file_is_folder(o->args[q->n_dirs - 1])) q->name = o->args[--q->n_dirs];
    for (size_t i = 0; i < q->n_dirs; i++) q->dirs[i] = o->args[i];
    return format ? text_table_format_read(&q->format, format, err) : ERR_OK;
}

/* ---- rows */

static void cell_print(struct text_table *t, const struct job_value *cell) {
    if (stage_table_is_missing(cell))
        text_table_cell(t, "%s", "");
    else if (cell->type == JOB_TEXT)
        text_table_cell(t, "%s", cell->as.text);
    else if (cell->type == JOB_INT)
        text_table_cell(t, "%" PRId64, cell->as.integer);
    else
        text_table_cell(t, "%.9g", cell->as.real);
}

static enum err_code print_rows(struct text *out, const struct run_state *r, size_t stage,
                                enum text_table_format format, struct err *err) {
    enum err_code rc = ERR_OK;
    struct stage_table rows = {0};
    struct text_table t = {0};
    TRY(stage_table_collect(&rows, r, stage, err));
    const struct job_columns *columns = &rows.columns;
    TRY(text_table_init(&t, columns->n, err));
    for (size_t c = 0; c < columns->n; c++) {
        text_table_cell(&t, "%s", columns->list[c].name);
        if (columns->list[c].type != JOB_TEXT) text_table_align_right(&t, c);
    }
    for (size_t i = 0; i < rows.n * columns->n; i++) cell_print(&t, &rows.cells[i]);
    TRY(text_table_print(out, &t, format, err));
    if (format != SHEET_CSV) stage_table_note(out, &rows);
cleanup:
    text_table_release(&t);
    stage_table_release(&rows);
    return rc;
}

/* ---- which stage */

static enum err_code no_stage(const struct run_state *r, const char *name, struct err *err) {
    struct text names = {0};
    for (size_t s = 0; s < r->plan.n_stages; s++)
        text_add(&names, "%s%s", s ? ", " : "", r->plan.stages[s].name);
    const enum err_code rc = ERR(err, ERR_USAGE, "%s: no stage is called \"%s\"; there are: %s",
                                 r->dir, name ? name : "evaluate", text_str(&names));
    text_release(&names);
    return rc;
}

/* Stages with a table of their own: evaluations, and estimators on a source that none of them has.
 */
static bool is_summarised(const struct plan *p, size_t stage) {
    const char *kind = p->stages[stage].kind->name;
    if (strcmp(kind, "evaluate") == 0) return true;
    return strcmp(kind, "estimate") == 0 && !summary_is_joined(p, stage);
}

static enum err_code print_named(struct text *out, const struct run_state *r,
                                 const struct request *q, struct err *err) {
    const size_t stage = plan_find_stage(&r->plan, q->name);
    if (stage == PLAN_NONE) return no_stage(r, q->name, err);
    return print_rows(out, r, stage, q->format, err);
}

/* Every such stage of one run; a summary each, or its rows. */
static enum err_code print_run(struct text *out, const struct run_state *r, const struct request *q,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    size_t found = 0;
    struct summary summary = {0};
    if (q->name) return print_named(out, r, q, err);
    for (size_t s = 0; s < r->plan.n_stages; s++) {
        if (!is_summarised(&r->plan, s)) continue;
        if (found++ > 0) text_add(out, "\n");
        if (q->rows) {
            TRY(print_rows(out, r, s, q->format, err));
            continue;
        }
        TRY(summary_make(&summary, r, s, err));
        TRY(summary_print(out, &summary, q->format, err));
        summary_release(&summary);
    }
    if (found == 0) rc = no_stage(r, NULL, err);
cleanup:
    summary_release(&summary);
    return rc;
}

static enum err_code table_command(struct text *out, int *exit_code, const struct options *o,
                                   char *const *argv, struct err *err) {
    enum err_code rc = ERR_OK;
    struct request q;
    struct run_state r = {0};
    (void)argv;
    (void)exit_code;
    TRY(read_request(&q, o, err));
    for (size_t i = 0; i < q.n_dirs; i++) {
        TRY(run_state_open(&r, q.dirs[i], err));
        if (q.n_dirs > 1 && q.format != SHEET_CSV)
            text_add(out, "%s%s\n", i ? "\n" : "", q.dirs[i]);
        TRY(print_run(out, &r, &q, err));
        run_state_release(&r);
    }
cleanup:
    run_state_release(&r);
    return rc;
}

const struct command COMMAND_TABLE = {
    .name = "table",
    .arguments = "DIR... [NAME]",
    .meaning = "print results: methods by range of k, or the rows of the stage NAME",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .least_args = 1,
    .most_args = OPTIONS_MAX,
    .run = table_command,
};
