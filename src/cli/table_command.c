#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/terminal.h"
#include "run/rundir/run_state.h"
#include "run/tables/stage_table_print.h"
#include "run/tables/summary.h"

static const struct option_row OPTIONS[] = {
    {"--format", NULL, "FORMAT", "text (default), csv, markdown, latex or json"},
    {"--wide", NULL, NULL, "every column, however wide the table gets"},
    {"--intervals", NULL, NULL, "low and high ends of intervals instead of ±"},
    {"--rows", NULL, NULL, "every row of the evaluate stages instead of the summary"},
};

struct request {
    const char *dirs[OPTIONS_MAX];
    size_t n_dirs;
    const char *name; /* of a stage, or NULL */
    bool rows;
    struct summary_layout layout;
    struct table_output output;
};

/* The last word is the name of a stage where it is no folder and others precede it. */
static enum err_code read_request(struct request *q, const struct options *o, struct text *out,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    const char *format = options_value(o, "--format");
    const bool wide = options_has(o, "--wide");
    *q = (struct request){.n_dirs = o->n_args,
                          .rows = options_has(o, "--rows"),
                          .layout = {.wide = wide, .intervals = options_has(o, "--intervals")},
                          .output = {.out = out, .width = wide ? SIZE_MAX : terminal_width()}};
    if (q->n_dirs > 1 && !file_is_folder(o->args[q->n_dirs - 1])) q->name = o->args[--q->n_dirs];
    for (size_t i = 0; i < q->n_dirs; i++) q->dirs[i] = o->args[i];
    if (format) TRY(table_format_read(&q->output.format, format, err));
cleanup:
    return rc;
}

/* ---- one table */

/* What precedes and follows a table: in JSON it is the member "rows" of an object. */
static void begin_table(struct request *q, const struct run_state *r, size_t stage, bool first) {
    struct table_output *o = &q->output;
    if (o->format == TABLE_JSON) {
        json_write_object(&o->json);
        json_write_key(&o->json, "run"), json_write_bytes(&o->json, r->dir);
        json_write_key(&o->json, "stage"), json_write_text(&o->json, r->plan.stages[stage].name);
        json_write_key(&o->json, "rows");
    } else if (!first) {
        text_add(o->out, "\n");
    }
}

static void end_table(struct request *q) {
    if (q->output.format == TABLE_JSON) json_write_close(&q->output.json);
}

static enum err_code print_rows(struct request *q, const struct run_state *r, size_t stage,
                                bool first, struct err *err) {
    enum err_code rc = ERR_OK;
    struct stage_table rows = {0};
    struct text note = {0};
    begin_table(q, r, stage, first);
    TRY(stage_table_collect(&rows, r, stage, err));
    TRY(stage_table_print(&q->output, &rows, q->layout.wide, err));
    stage_table_note(&note, &rows);
    if (note.size && table_format_is_for_programs(q->output.format))
        log_line(&(struct log){.level = LOG_WARNING}, LOG_WARNING, "%s: %.*s", r->dir,
                 (int)note.size - 1, text_str(&note));
    end_table(q);
cleanup:
    text_release(&note);
    stage_table_release(&rows);
    return rc;
}

static enum err_code print_summary(struct request *q, const struct run_state *r, size_t stage,
                                   bool first, struct err *err) {
    enum err_code rc = ERR_OK;
    struct summary summary = {0};
    begin_table(q, r, stage, first);
    TRY(summary_make(&summary, r, stage, err));
    TRY(summary_print(&q->output, &summary, &q->layout, err));
    end_table(q);
cleanup:
    summary_release(&summary);
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

/* Stages with a table of their own: evaluations, and estimators on a source that no evaluation has.
 */
static bool is_summarised(const struct plan *p, size_t stage) {
    const char *kind = p->stages[stage].kind->name;
    if (strcmp(kind, "evaluate") == 0) return true;
    return strcmp(kind, "estimate") == 0 && !summary_is_joined(p, stage);
}

/* The stage of that name; without one, every stage with a table of its own. */
static enum err_code print_run(struct request *q, const struct run_state *r, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t found = 0;
    for (size_t s = 0; s < r->plan.n_stages; s++) {
        const bool named = q->name && strcmp(q->name, r->plan.stages[s].name) == 0;
        if (named || (!q->name && q->rows && is_summarised(&r->plan, s)))
            TRY(print_rows(q, r, s, found++ == 0, err));
        else if (!q->name && is_summarised(&r->plan, s))
            TRY(print_summary(q, r, s, found++ == 0, err));
    }
    if (found == 0) rc = no_stage(r, q->name, err);
cleanup:
    return rc;
}

static enum err_code print_runs(struct request *q, struct err *err) {
    enum err_code rc = ERR_OK;
    struct run_state r = {0};
    for (size_t i = 0; i < q->n_dirs; i++) {
        TRY(run_state_open(&r, q->dirs[i], err));
        if (q->n_dirs > 1 && !table_format_is_for_programs(q->output.format))
            text_add(q->output.out, "%s%s\n", i ? "\n" : "", q->dirs[i]);
        TRY(print_run(q, &r, err));
        run_state_release(&r);
    }
cleanup:
    run_state_release(&r);
    return rc;
}

static enum err_code table_command(struct text *out, int *exit_code, const struct options *o,
                                   char *const *argv, struct err *err) {
    enum err_code rc = ERR_OK;
    struct request q;
    (void)argv;
    (void)exit_code;
    TRY(read_request(&q, o, out, err));
    if (q.output.format != TABLE_JSON) return print_runs(&q, err);
    q.output.json = json_writer_begin(out);
    json_write_array(&q.output.json);
    TRY(print_runs(&q, err));
    json_write_close(&q.output.json);
    TRY(json_writer_end(&q.output.json, err));
    text_add(out, "\n");
cleanup:
    return rc;
}

const struct command COMMAND_TABLE = {
    .name = "table",
    .arguments = "DIR... [STAGE]",
    .meaning = "print the results: methods by ranges of k, or the rows of STAGE",
    .more =
        "Text fits the terminal (or COLUMNS; without a terminal 80 characters).\n"
        "csv and json have every column and exact numbers; docs/results.md explains the columns.\n",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .least_args = 1,
    .most_args = OPTIONS_MAX,
    .run = table_command,
};
