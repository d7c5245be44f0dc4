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
