#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/terminal.h"
#include "run/rundir/run_state.h"
#include "run/tables/comparison_pool.h"
#include "run/tables/main_table.h"
#include "run/tables/stage_table_print.h"
#include "run/tables/transfer_table.h"

static const struct option_row OPTIONS[] = {
    {"--format", NULL, "FORMAT", "text (default), csv, markdown, latex or json"},
    {"--wide", NULL, NULL, "every column, however wide the table gets"},
    {"--intervals", NULL, NULL, "low and high ends of intervals instead of ±"},
    {"--compare", NULL, NULL, "methods against plain and controls: tests, intervals, effects"},
    {"--measure", NULL, "NAME",
     "of text: accuracy (default), first_accuracy, stripped, loss, perplexity, rank, d_ntp, worse"},
    {"--tasks", NULL, NULL, "of text: a column for each task, a section for each kind of prompts"},
    {"--transfer", NULL, NULL,
     "errors of fits at the lengths of other fits, and on other problems"},
    {"--rows", NULL, NULL, "every row of the evaluate stages instead of the summary"},
};

struct request {
    const char *dirs[OPTIONS_MAX];
    size_t n_dirs;
    const char *name; /* of a stage, or NULL */
    bool rows, compare, transfer;
    bool several;     /* the command prints more than one table */
    size_t n_printed; /* tables so far */
    struct summary_layout layout;
    struct answer_layout answers; /* of evaluations on text */
    struct table_output output;
    struct comparison_set compared; /* of --compare, which prints when it has all of them */
};

/* The last word is the name of a stage where it is no folder and others precede it. */
static enum err_code read_request(struct request *q, const struct options *o, struct text *out,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    const char *format = options_value(o, "--format"), *measure = options_value(o, "--measure");
    const bool wide = options_has(o, "--wide");
    *q = (struct request){.n_dirs = o->n_args,
                          .rows = options_has(o, "--rows"),
                          .compare = options_has(o, "--compare"),
                          .transfer = options_has(o, "--transfer"),
                          .layout = {.wide = wide, .intervals = options_has(o, "--intervals")},
                          .output = {.out = out, .width = wide ? SIZE_MAX : terminal_width()}};
    if (q->n_dirs > 1 && !file_is_folder(o->args[q->n_dirs - 1])) q->name = o->args[--q->n_dirs];
    for (size_t i = 0; i < q->n_dirs; i++) q->dirs[i] = o->args[i];
    CHECK(!(q->rows && q->compare), ERR_USAGE,
          "--rows, --compare: expected one of them: --rows prints what --compare averages");
    q->answers = (struct answer_layout){.intervals = q->layout.intervals,
                                        .tasks = options_has(o, "--tasks")};
    if (measure) TRY(answer_measure_read(&q->answers.measure, measure, err));
    CHECK(!q->transfer || !(q->rows || q->compare), ERR_USAGE,
          "--rows, --compare, --transfer: expected one of them");
    if (format) TRY(table_format_read(&q->output.format, format, err));
cleanup:
    return rc;
}

/* ---- one table */

/* Names the table where the command prints several; in CSV and JSON columns do. */
static void begin_table(struct request *q, const struct run_state *r, size_t stage) {
    struct table_output *o = &q->output;
    o->run = r->dir;
    o->stage = r->plan.stages[stage].name;
    if (table_format_is_for_programs(o->format)) return;
    if (q->several)
        text_add(o->out, "%s%s%s, stage %s%s\n", q->n_printed ? "\n" : "",
                 o->format == TABLE_LATEX ? "% " : "", o->run, o->stage,
                 o->format == TABLE_MARKDOWN ? "\n" : "");
    q->n_printed++;
}

static enum err_code print_rows(struct request *q, const struct run_state *r, size_t stage,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    struct stage_table rows = {0};
    struct text note = {0};
    begin_table(q, r, stage);
    TRY(stage_table_collect(&rows, r, stage, err));
    TRY(stage_table_print(&q->output, &rows, q->layout.wide, err));
    stage_table_note(&note, &rows);
    if (note.size && table_format_is_for_programs(q->output.format))
        log_line(&(struct log){.level = LOG_WARNING}, LOG_WARNING, "%s: %.*s", r->dir,
                 (int)note.size - 1, text_str(&note));
cleanup:
    text_release(&note);
    stage_table_release(&rows);
    return rc;
}

static enum err_code print_transfer(struct request *q, const struct run_state *r, size_t stage,
                                    struct err *err) {
    enum err_code rc = ERR_OK;
    struct stage_table rows = {0}, made = {0};
    begin_table(q, r, stage);
    TRY(stage_table_collect(&rows, r, stage, err));
    TRY(transfer_table_make(&made, &rows, err));
    TRY(stage_table_print(&q->output, &made, q->layout.wide, err));
cleanup:
    stage_table_release(&made);
    stage_table_release(&rows);
    return rc;
}

static enum err_code print_main_table(struct request *q, const struct run_state *r, size_t stage,
                                      struct err *err) {
    begin_table(q, r, stage);
    return main_table_print(&q->output, r, stage, &q->layout, &q->answers, err);
}

static enum err_code print_comparisons(struct request *q, struct err *err) {
    enum err_code rc = ERR_OK;
    q->several = q->compared.n > 1;
    TRY(comparison_pool(&q->compared, err));
    for (size_t i = 0; i < q->compared.n; i++) {
        struct comparison_source *c = q->compared.list[i];
        begin_table(q, c->run, c->stage);
        TRY(comparisons_print(&q->output, &c->comparisons, &c->summary, &q->layout, err));
    }
cleanup:
    return rc;
}

/* ---- which stage */

static enum err_code no_stage(const struct run_state *r, const struct request *q, struct err *err) {
    const char *name = q->name ? q->name : "evaluate";
    struct text names = {0};
    for (size_t s = 0; s < r->plan.n_stages; s++)
        text_add(&names, "%s%s", s ? ", " : "", r->plan.stages[s].name);
    const enum err_code rc = ERR(err, ERR_USAGE, "%s: no stage is called \"%s\"; there are: %s",
                                 r->dir, name, text_str(&names));
    text_release(&names);
    return rc;
}

/* The stage of that name; without one, every stage with a table of its own. */
static bool is_wanted(const struct request *q, const struct plan *p, size_t stage) {
    if (q->name) return strcmp(q->name, p->stages[stage].name) == 0;
    return q->compare || q->transfer ? plan_stage_is(p, stage, "evaluate")
                                     : main_table_exists(p, stage);
}

/* That the stage has what the options ask for. */
static enum err_code check_stage(const struct request *q, const struct plan *p, size_t stage,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    const char *option = q->compare ? "--compare" : "--transfer";
    const bool evaluations = q->compare || q->transfer;
    CHECK(!evaluations || plan_stage_is(p, stage, "evaluate"), ERR_USAGE,
          "%s %s: the stage evaluates no method: name one of kind evaluate, or none", option,
          q->name);
    CHECK(!q->transfer || !main_table_is_text(p, stage), ERR_USAGE,
          "--transfer: stage %s is of text, whose fits are evaluated on other tasks by fits = "
          "\"all\": omit it",
          p->stages[stage].name);
cleanup:
    return rc;
}

static enum err_code print_stage(struct request *q, const struct run_state *r, size_t stage,
                                 struct err *err) {
    if (q->transfer) return print_transfer(q, r, stage, err);
    if (q->compare) return comparison_set_add(&q->compared, r, stage, err);
    if (q->name || q->rows) return print_rows(q, r, stage, err);
    return print_main_table(q, r, stage, err);
}

static enum err_code print_run(struct request *q, const struct run_state *r, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t found = 0;
    for (size_t s = 0; s < r->plan.n_stages; s++) found += is_wanted(q, &r->plan, s);
    if (found == 0) return no_stage(r, q, err);
    q->several = q->n_dirs > 1 || found > 1;
    for (size_t s = 0; s < r->plan.n_stages; s++) {
        if (!is_wanted(q, &r->plan, s)) continue;
        TRY(check_stage(q, &r->plan, s, err));
        TRY(print_stage(q, r, s, err));
    }
cleanup:
    return rc;
}

static enum err_code print_runs(struct request *q, struct err *err) {
    enum err_code rc = ERR_OK;
    struct run_state *runs = calloc(q->n_dirs, sizeof *runs);
    CHECK(runs, ERR_MEMORY, "no memory for %zu runs", q->n_dirs);
    for (size_t i = 0; i < q->n_dirs; i++) {
        TRY(run_state_open(&runs[i], q->dirs[i], err));
        TRY(print_run(q, &runs[i], err));
        if (!q->compare) run_state_release(&runs[i]);
    }
    TRY(print_comparisons(q, err));
    TRY(table_output_end(&q->output, err));
cleanup:
    comparison_set_release(&q->compared);
    for (size_t i = 0; runs && i < q->n_dirs; i++) run_state_release(&runs[i]);
    free(runs);
    return rc;
}

static enum err_code table_command(struct text *out, int *exit_code, const struct options *o,
                                   char *const *argv, struct err *err) {
    enum err_code rc = ERR_OK;
    struct table_blocks blocks = {0};
    struct request q;
    (void)argv;
    (void)exit_code;
    TRY(read_request(&q, o, out, err));
    q.output.blocks = &blocks;
    TRY(print_runs(&q, err));
cleanup:
    table_blocks_release(&blocks);
    return rc;
}

const struct command COMMAND_TABLE = {
    .name = "table",
    .arguments = "DIR... [STAGE]",
    .meaning = "print the results: methods by ranges of k, or the rows of STAGE",
    .more = "Text fits the terminal (or COLUMNS; without a terminal 80 characters).\n"
            "csv and json are one table with every column and exact numbers; docs/results.md "
            "explains the columns.\n",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .least_args = 1,
    .most_args = OPTIONS_MAX,
    .run = table_command,
};
