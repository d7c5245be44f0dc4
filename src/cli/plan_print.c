#include "cli/plan_print.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/terminal.h"
#include "machine/memory_budget.h"
#include "run/plan/plan_folded.h"
#include "run/plan/varying_keys.h"
#include "json/json_writer.h"

/* ---- one row a job */

/* "fit[3] (ltv)": a job that is read, with the method of its fit. */
static void describe_read(struct text *out, const struct plan *p, size_t parent) {
    const char *method = plan_text(plan_read_point(p, parent), "method");
    text_add(out, "%sof %s", out->size ? " " : "", p->jobs[parent].label);
    if (method) text_add(out, " (%s)", method);
}

static void describe_job(struct text *out, const struct plan *p, size_t j,
                         const struct varying_keys *axes) {
    const struct planned_job *job = &p->jobs[j];
    const char *chosen = plan_chosen_key(p, j);
    text_clear(out);
    varying_keys_describe(out, &axes[job->stage], p, job->point);
    if (job->control) text_add(out, "%s%s", out->size ? " " : "", job->control);
    if (chosen) text_add(out, "best %s", chosen);
    if (job->n_parents > 0) describe_read(out, p, job->parents[0]);
    for (size_t i = 1; chosen && i < job->n_parents; i++)
        text_add(out, ", %s", p->jobs[job->parents[i]].label);
}

static void add_row(struct text_table *s, const struct plan *p, size_t j,
                    const struct run_state_job *state, double seconds, bool csv,
                    struct text *scratch) {
    const struct planned_job *job = &p->jobs[j];
    char span[32];
    const char *label = p->jobs[j].label;
    clock_span_fine(span, seconds);
    text_table_cell(s, "%zu", j);
    text_table_cell(s, "%s", label);
    text_table_cell(s, "%.12s", job->identity);
    text_table_cell(s, "%s", queue_state_text(state->state));
    text_table_cell(s, "%d", job->cost.group);
    text_table_cell(s, "%.1f", job->cost.memory / (1024.0 * 1024.0));
    if (csv)
        text_table_cell(s, "%.6g", seconds);
    else
        text_table_cell(s, "%s", span);
    text_table_cell(s, "%s", text_str(scratch));
}

enum err_code plan_print(struct text *out, const struct plan *p, const struct run_state_job *states,
                         const struct plan_totals *t, enum table_format format, struct err *err) {
    static const struct {
        const char *name, *narrow; /* for programs, for a terminal */
        bool right;
        int rank; /* of columns that a narrow terminal leaves out; see text_table.h */
    } heads[] = {
        {"line", "line", true, 5},          {"job", "job", false, 0},
        {"identity", "identity", false, 9}, {"state", "state", false, 0},
        {"ranks", "ranks", true, 8},        {"memory MiB", "MiB", true, 7},
        {"core seconds", "time", true, 6},  {"what", "what", false, 0},
    };
    enum err_code rc = ERR_OK;
    struct table_output o = {.out = out, .format = format, .width = terminal_width()};
    struct text_table s = {0};
    struct text scratch = {0}, hidden = {0};
    struct varying_keys *axes = calloc(p->n_stages + 1, sizeof *axes);
    CHECK(axes, ERR_MEMORY, "no memory for %zu stages", p->n_stages);
    for (size_t i = 0; i < p->n_stages; i++) TRY(varying_keys(&axes[i], p, i, err));
    TRY(text_table_init(&s, sizeof heads / sizeof *heads, err));
    for (size_t i = 0; i < s.columns; i++) {
        text_table_cell(&s, "%s", format == TABLE_CSV ? heads[i].name : heads[i].narrow);
        if (heads[i].right) text_table_align_right(&s, i);
        text_table_set_rank(&s, i, heads[i].rank);
    }
    for (size_t j = 0; j < p->n_jobs; j++) {
        describe_job(&scratch, p, j, axes);
        add_row(&s, p, j, &states[j], t->seconds[j], format == TABLE_CSV, &scratch);
    }
    TRY(text_check(&scratch, err));
    TRY(table_output_put(&o, &hidden, &s, err));
    if (hidden.size)
        text_add(out, "(columns that did not fit: %s; see --csv)\n", text_str(&hidden));
cleanup:
    text_table_release(&s);
    text_release(&hidden);
    text_release(&scratch);
    free(axes);
    return rc;
}

static void describe_memory(struct text *out, const struct plan *p, const struct plan_totals *t) {
    size_t largest = 0;
    for (size_t j = 1; j < p->n_jobs; j++)
        if (p->jobs[j].cost.memory > p->jobs[largest].cost.memory) largest = j;
    text_add(out, "Memory of the largest job: ");
    memory_budget_text(out, t->memory);
    text_add(out, ", at least ");
    memory_budget_text(out, t->memory_least);
    if (p->n_jobs > 0 && p->jobs[largest].cost.summary[0])
        text_add(out, " (%s)", p->jobs[largest].cost.summary);
    text_add(out, "; request ");
    plan_totals_request(out, t);
    text_add(out, ".");
}

/* "4 min 13 s of core time, ...", and what the remaining jobs can use. */
static void describe_time(struct text *out, const struct plan_totals *t) {
    char all[32], left[32], span[32];
    clock_span_fine(all, t->core);
    clock_span_fine(left, t->core_left);
    clock_span_fine(span, t->seconds_left);
    text_add(out, "Core time %s, %s of it left%s, at the speed of this machine (%s%s).", all, left,
             t->at_most ? ", or less where patience ends a fit" : "",
             t->speed.cached ? "measured earlier" : "measured now",
             calibration_is_of_busy_machine(&t->speed) ? " while it was busy" : "");
    if (t->core_left > 0.0)
        text_add(out, " The remaining jobs can use %d rank%s and then take %s on idle cores.",
                 t->useful_ranks, t->useful_ranks == 1 ? "" : "s", span);
}

void plan_print_totals(struct text *out, const struct plan *p, const struct plan_totals *t) {
    const size_t width = terminal_width();
    struct text line = {0};
    text_add(&line, "%zu job%s", p->n_jobs, text_plural(p->n_jobs));
    for (size_t s = 0; s < p->n_stages; s++)
        text_add(&line, "%s%s %zu", s ? ", " : ": ", p->stages[s].name, p->stages[s].n_jobs);
    if (p->merged) text_add(&line, " (%zu planned twice, run once)", p->merged);
    text_add(out, "\n");
    text_table_paragraph(out, text_str(&line), width);
    for (size_t s = 0; s < p->n_stages; s++) {
        text_clear(&line);
        plan_folded_describe(&line, p, s);
        if (line.size > 0) text_table_paragraph(out, text_str(&line), width);
    }
    text_clear(&line);
    describe_memory(&line, p, t);
    text_table_paragraph(out, text_str(&line), width);
    text_clear(&line);
    describe_time(&line, t);
    text_table_paragraph(out, text_str(&line), width);
    if (line.failed) out->failed = true;
    text_release(&line);
}

/* ---- JSON */

/* The work by kinds; only what there is. */
static void json_load(struct json_writer *w, const struct job_load *l) {
    const struct {
        const char *key;
        double value;
    } kinds[] = {{"contexts", l->contexts}, {"queries", l->queries},     {"read", l->read},
                 {"training", l->training}, {"estimates", l->estimates}, {"width", l->width}};
    json_write_key(w, "load"), json_write_object(w);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].value > 0.0)
            json_write_key(w, kinds[i].key), json_write_number(w, kinds[i].value);
    json_write_close(w);
}

static void json_job(struct json_writer *w, const struct plan *p, size_t j,
                     const struct run_state_job *state, double seconds, struct text *scratch) {
    const struct planned_job *job = &p->jobs[j];
    const char *label = p->jobs[j].label;
    json_write_object(w);
    json_write_key(w, "line"), json_write_int(w, (int64_t)j);
    json_write_key(w, "job"), json_write_text(w, label);
    json_write_key(w, "kind"), json_write_text(w, p->stages[job->stage].kind->name);
    json_write_key(w, "identity"), json_write_text(w, job->identity);
    json_write_key(w, "state"), json_write_text(w, queue_state_text(state->state));
    json_write_key(w, "what"), json_write_text(w, text_str(scratch));
    json_write_key(w, "reads"), json_write_array(w);
    for (size_t i = 0; i < job->n_parents; i++) json_write_int(w, (int64_t)job->parents[i]);
    json_write_close(w);
    json_write_key(w, "ranks"), json_write_int(w, job->cost.group);
    json_write_key(w, "memory"), json_write_number(w, job->cost.memory);
    json_write_key(w, "memory_least"), json_write_number(w, job->cost.memory_least);
    json_write_key(w, "flops"), json_write_number(w, job->cost.flops);
    json_write_key(w, "seconds"), json_write_number(w, seconds);
    json_load(w, &job->cost.load);
    json_write_close(w);
}

static void json_totals(struct json_writer *w, const struct plan *p, const struct plan_totals *t) {
    json_write_key(w, "name"), json_write_text(w, config_name(p->config));
    json_write_key(w, "seed"), json_write_int(w, (int64_t)config_seed(p->config));
    json_write_key(w, "n_jobs"), json_write_int(w, (int64_t)p->n_jobs);
    json_write_key(w, "memory"), json_write_number(w, t->memory);
    json_write_key(w, "memory_least"), json_write_number(w, t->memory_least);
    json_write_key(w, "memory_per_rank"), json_write_int(w, (int64_t)t->memory_per_rank);
    json_write_key(w, "memory_mapped_per_node"), json_write_number(w, t->mapped);
    json_write_key(w, "ranks_of_largest_group"), json_write_int(w, t->group);
    json_write_key(w, "ranks_useful"), json_write_int(w, t->useful_ranks);
    json_write_key(w, "seconds_left"), json_write_number(w, t->seconds_left);
    json_write_key(w, "flops"), json_write_number(w, t->flops);
    json_write_key(w, "flops_left"), json_write_number(w, t->flops_left);
    json_write_key(w, "flops_per_second"),
        json_write_number(w, t->core > 0.0 ? t->flops / t->core : 0.0);
    json_write_key(w, "core_hours"), json_write_number(w, t->core / 3600.0);
    json_write_key(w, "core_seconds"), json_write_number(w, t->core);
    json_write_key(w, "core_seconds_left"), json_write_number(w, t->core_left);
    json_write_key(w, "core_seconds_at_most"), json_write_bool(w, t->at_most);
    json_write_key(w, "core_seconds_contexts"), json_write_number(w, t->contexts);
    json_write_key(w, "calibration"), json_write_text(w, t->speed.cached ? "cached" : "measured");
}

/* "folded": {"fit": {"points": 48, "kept": 28, "why": "fit: 20 of ..."}} */
static enum err_code json_folded(struct json_writer *w, const struct plan *p, struct err *err) {
    struct text why = {0};
    json_write_key(w, "folded"), json_write_object(w);
    for (size_t s = 0; s < p->n_stages; s++) {
        text_clear(&why);
        plan_folded_describe(&why, p, s);
        if (why.size == 0) continue;
        json_write_key(w, p->stages[s].name), json_write_object(w);
        json_write_key(w, "points"), json_write_int(w, (int64_t)config_stage_spanned(p->config, s));
        json_write_key(w, "kept"), json_write_int(w, (int64_t)config_stage_points(p->config, s));
        json_write_key(w, "why"), json_write_text(w, text_str(&why));
        json_write_close(w);
    }
    json_write_close(w);
    const enum err_code rc = text_check(&why, err);
    text_release(&why);
    return rc;
}

enum err_code plan_print_json(struct text *out, const struct plan *p,
                              const struct run_state_job *states, const struct plan_totals *t,
                              const struct plan_notes *notes, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text scratch = {0};
    struct json_writer w = json_writer_begin(out);
    struct varying_keys *axes = calloc(p->n_stages + 1, sizeof *axes);
    CHECK(axes, ERR_MEMORY, "no memory for %zu stages", p->n_stages);
    for (size_t i = 0; i < p->n_stages; i++) TRY(varying_keys(&axes[i], p, i, err));
    json_write_object(&w);
    json_totals(&w, p, t);
    json_write_key(&w, "notes"), json_write_array(&w);
    for (size_t i = 0; i < notes->n; i++) json_write_bytes(&w, notes->items[i]);
    json_write_close(&w);
    TRY(json_folded(&w, p, err));
    json_write_key(&w, "jobs"), json_write_array(&w);
    for (size_t j = 0; j < p->n_jobs; j++) {
        describe_job(&scratch, p, j, axes);
        json_job(&w, p, j, &states[j], t->seconds[j], &scratch);
    }
    json_write_close(&w);
    json_write_close(&w);
    TRY(json_writer_end(&w, err));
    text_add(out, "\n");
cleanup:
    free(axes);
    text_release(&scratch);
    return rc;
}
