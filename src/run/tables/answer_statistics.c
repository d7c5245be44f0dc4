/*
 * Means of the lines of an evaluation on text, and what the lines of the plain model say of a task.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "run/tables/answer_lines.h"
#include "run/tables/summary.h"
#include "stats/bootstrap.h"

double answer_line_value(const struct answer_line *line, enum answer_measure measure) {
    const size_t n = line->repeats * line->items;
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += line->x[measure][i];
    return sum / (double)n;
}

enum err_code answer_line_mean(struct interval *out, struct answer_lines *a,
                               const struct answer_line *line, enum answer_measure measure,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    const double *x = line->x[measure], value = answer_line_value(line, measure);
    struct resamples resamples;
    *out = (struct interval){value, (double)NAN, (double)NAN};
    if (isnan(value)) return ERR_OK;
    *out = interval_t(x, line->items, SUMMARY_CONFIDENCE);
    if (line->repeats == 1) return ERR_OK;
    TRY(resampler_get(&resamples, &a->resampler, line->repeats, line->items, err));
    TRY(bootstrap_mean(out, x, &resamples, SUMMARY_CONFIDENCE, err));
cleanup:
    return rc;
}

/* ---- tasks and methods */

static size_t task_of(struct answer_lines *a, size_t line) {
    for (size_t t = 0; t < a->n_tasks; t++)
        if (answer_line_same_task(&a->list[a->tasks[t].line], &a->list[line])) return t;
    a->tasks[a->n_tasks] = (struct answer_task){.line = line};
    return a->n_tasks++;
}

static size_t method_of(struct answer_lines *a, size_t line) {
    for (size_t m = 0; m < a->n_methods; m++)
        if (answer_line_same_method(&a->list[a->methods[m]], &a->list[line])) return m;
    a->methods[a->n_methods] = line;
    return a->n_methods++;
}

static const struct answer_line *find_plain(const struct answer_lines *a, size_t task, int64_t k,
                                            const char *shift) {
    for (size_t i = 0; i < a->n; i++) {
        const struct answer_line *line = &a->list[i];
        if (line->kind == ANSWER_BASELINE && line->of_task == task && line->k == k &&
            strcmp(line->shift, shift) == 0)
            return line;
    }
    return NULL;
}

/* ---- what plain says of them */

double answer_effect_share(const struct answer_effect *e) {
    return e->k > 0 && e->clean > 0 ? e->shuffled / e->clean : (double)NAN;
}

void answer_effect_describe(struct text *out, const struct answer_effect *e) {
    if (e->k > 0)
        text_add(out, "; plain %" PRId64 "-shot %.3f, shuffled %.3f", e->k, e->clean, e->shuffled);
}

static void find_worse(struct answer_line *line, const struct answer_line *plain) {
    const double *loss = line->x[MEASURE_LOSS];
    for (size_t i = 0; i < line->repeats * line->items; i++)
        line->x[MEASURE_WORSE][i] = loss[i] > plain->x[MEASURE_LOSS][i % line->items];
}

static void find_effect(struct answer_effect *out, const struct answer_lines *a,
                        const struct answer_line *clean) {
    const struct answer_line *shuffled = find_plain(a, clean->of_task, clean->k, "shuffled_labels");
    if (clean->k > out->k && shuffled)
        *out = (struct answer_effect){clean->k, answer_line_value(clean, MEASURE_ACCURACY),
                                      answer_line_value(shuffled, MEASURE_ACCURACY)};
}

static void look_at_plain(struct answer_lines *a, struct answer_line *line) {
    const struct answer_line *plain = find_plain(a, line->of_task, line->k, line->shift);
    if (plain == line && strcmp(line->shift, "none") == 0)
        find_effect(&a->tasks[line->of_task].effect, a, line);
    if (plain && plain != line && plain->items == line->items) find_worse(line, plain);
}

enum err_code answer_lines_relate(struct answer_lines *a, struct err *err) {
    enum err_code rc = ERR_OK;
    a->tasks = calloc(a->n + 1, sizeof *a->tasks);
    a->methods = calloc(a->n + 1, sizeof *a->methods);
    CHECK(a->tasks && a->methods, ERR_MEMORY, "no memory for %zu lines", a->n);
    for (size_t i = 0; i < a->n; i++) {
        a->list[i].of_task = task_of(a, i);
        a->list[i].of_method = method_of(a, i);
    }
    for (size_t i = 0; i < a->n; i++) look_at_plain(a, &a->list[i]);
    for (size_t t = 0; t < a->n_tasks; t++) {
        struct answer_task *task = &a->tasks[t];
        task->share = answer_effect_share(&task->effect);
        task->harmless = task->share >= ANSWER_HARMLESS;
    }
cleanup:
    return rc;
}

void answer_lines_name_task(struct text *out, const struct answer_lines *a,
                            const struct answer_task *task) {
    const struct answer_line *line = &a->list[task->line];
    text_add(out, "%s%s%s%s", text_str(&line->task), task->harmless ? " *" : "",
             line->setting.size ? ", " : "", text_str(&line->setting));
}

void answer_lines_describe_task(struct text *out, const struct answer_lines *a,
                                const struct answer_task *task) {
    text_add(out, "%zu items", a->list[task->line].items);
    answer_effect_describe(out, &task->effect);
}
