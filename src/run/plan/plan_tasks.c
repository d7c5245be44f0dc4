#include "run/plan/plan_tasks.h"

#include <string.h>

/* A task is a file or folder in a form: an inverse is another task. */
static bool has_task_of(const struct config_point *a, const struct config_point *b) {
    static const char *const keys[] = {"source.task", "source.form"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!config_has(a, keys[i]) || !config_has(b, keys[i]) ||
            strcmp(config_text(a, keys[i]), config_text(b, keys[i])) != 0)
            return false;
    return true;
}

bool plan_tasks_match(const struct plan *p, size_t stage, const struct config_point *point,
                      size_t parent) {
    const struct config_point *read = plan_read_point(p, parent);
    if (!config_has(point, "fits") || strcmp(config_text(point, "fits"), "all") == 0) return true;
    if (!config_has(read, "source.task") || has_task_of(point, read)) return true;
    for (size_t i = 0; i < config_stage_points(p->config, stage); i++)
        if (has_task_of(config_stage_point(p->config, stage, i), read)) return false;
    return true;
}

/* ---- prompts without shots */

static const char SHUFFLED[] = "shuffled_labels", SHIFT[] = "shift";

static bool has_shift(const struct config_point *point, const char *shift) {
    return config_has(point, "fits") && config_int(point, "points") == 1 &&
           strcmp(config_text(point, SHIFT), shift) == 0;
}

static bool is_equal(const struct config_point *a, const struct config_point *b, size_t i,
                     struct text value[2]) {
    text_clear(&value[0]), text_clear(&value[1]);
    config_point_value(&value[0], a, i);
    config_point_value(&value[1], b, i);
    return !value[0].failed && strcmp(text_str(&value[0]), text_str(&value[1])) == 0;
}

static bool names(const char *const *list, const char *key) {
    while (*list && strcmp(*list, key) != 0) list++;
    return *list != NULL;
}

/* All keys but these have the same values. */
static bool are_equal_but(const struct config_point *a, const struct config_point *b,
                          const char *const *but) {
    struct text value[2] = {{0}, {0}};
    bool same = config_point_same_keys(a, b);
    for (size_t i = 0; same && i < config_point_size(a); i++)
        same = names(but, config_point_key(a, i)->name) || is_equal(a, b, i, value);
    text_release(&value[0]);
    text_release(&value[1]);
    return same;
}

bool plan_tasks_repeats(const struct plan *p, size_t stage, const struct config_point *point) {
    static const char *const shift[] = {SHIFT, NULL};
    if (!has_shift(point, SHUFFLED)) return false;
    for (size_t i = 0; i < config_stage_points(p->config, stage); i++) {
        const struct config_point *other = config_stage_point(p->config, stage, i);
        if (has_shift(other, "none") && are_equal_but(point, other, shift)) return true;
    }
    return false;
}

size_t plan_tasks_next(const struct plan *p, const struct job_list *of, size_t fit) {
    static const char *const task[] = {"source.task", "source.form", NULL};
    const struct config_point *point = plan_read_point(p, fit);
    size_t at = 0;
    if (!config_has(point, "source.task")) return PLAN_NONE;
    while (at < of->n && of->jobs[at] != fit) at++;
    for (size_t i = 1; i < of->n; i++) {
        const size_t other = of->jobs[(at + i) % of->n];
        const struct config_point *theirs = plan_read_point(p, other);
        if (plan_model(p, other) == plan_model(p, fit) && are_equal_but(point, theirs, task) &&
            !has_task_of(point, theirs))
            return other;
    }
    return PLAN_NONE;
}
