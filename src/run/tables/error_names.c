#include "run/tables/error_names.h"

#include <stdlib.h>
#include <string.h>

#include "sources/source_registry.h"

enum err_code error_names_of_point(const char **out, const struct config_point *point,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    struct source *source = NULL;
    TRY(source_open(&source, point, &(struct source_options){.split = "test"}, err));
    *out = prompt_loss_error_name(&source_info(source)->loss);
cleanup:
    source_close(source);
    return rc;
}

struct named { /* the errors of one problem */
    const char *problem, *error;
};

static bool is_named(const struct named *list, size_t n, const char *problem) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].problem, problem) == 0) return true;
    return false;
}

static bool all_equal(const struct named *list, size_t n) {
    for (size_t i = 1; i < n; i++)
        if (strcmp(list[i].error, list[0].error) != 0) return false;
    return true;
}

enum err_code error_names_of_stage(struct text *out, const struct plan *p, size_t stage,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    const struct plan_stage *s = &p->stages[stage];
    size_t n = 0;
    struct named *list = calloc(s->n_jobs + 1, sizeof *list);
    CHECK(list, ERR_MEMORY, "no memory for %zu problems", s->n_jobs);
    for (size_t i = 0; i < s->n_jobs; i++) {
        const struct config_point *point = p->jobs[s->jobs[i]].point;
        const char *problem =
            config_has(point, "source.problem") ? config_text(point, "source.problem") : "text";
        if (is_named(list, n, problem)) continue;
        list[n].problem = problem;
        TRY(error_names_of_point(&list[n++].error, point, err));
    }
    if (n > 0 && all_equal(list, n)) {
        text_add(out, "%s", list[0].error);
        goto cleanup;
    }
    for (size_t i = 0; i < n; i++)
        text_add(out, "%s%s (%s)", i ? ", " : "", list[i].error, list[i].problem);
cleanup:
    free(list);
    return rc;
}
