#include "sources/problems/problem.h"

#include <assert.h>
#include <string.h>

/* The registry: one line per problem, in the order of help. */
#define PROBLEMS(X)                                                                                \
    X(linear)                                                                                      \
    X(sparse_linear)                                                                               \
    X(noisy_linear)                                                                                \
    X(relu_net)                                                                                    \
    X(decision_tree)                                                                               \
    X(quadratic)                                                                                   \
    X(linear_classification)

#define X(name) extern const struct problem problem_##name;
PROBLEMS(X)
#undef X

static const struct problem *const ALL[] = {
#define X(name) &problem_##name,
    PROBLEMS(X)
#undef X
};
static const char *const NAMES[] = {
#define X(name) #name,
    PROBLEMS(X)
#undef X
        NULL,
};
enum { COUNT = sizeof ALL / sizeof *ALL };

size_t problem_count(void) { return COUNT; }

const struct problem *problem_at(size_t i) {
    assert(i < COUNT);
    return ALL[i];
}

const struct problem *problem_find(const char *name) {
    for (size_t i = 0; i < COUNT; i++)
        if (strcmp(ALL[i]->name, name) == 0) return ALL[i];
    return NULL;
}

static const struct config_key ROWS[] = {
    {.name = "source.problem",
     .type = CONFIG_NAME,
     .flags = CONFIG_AXIS,
     .def = "linear",
     .choices = NAMES,
     .when = "source.kind=functions",
     .unit = "",
     .meaning = "Function class from which prompts are drawn."},
    {.name = "source.dims",
     .type = CONFIG_INT,
     .flags = CONFIG_AXIS,
     .min = 1,
     .max = PROBLEM_DIMS_MAX,
     .def = "5",
     .when = "source.kind=functions",
     .unit = "",
     .meaning = "Number of coordinates of x."},
    {.name = "source.scale",
     .type = CONFIG_FLOAT,
     .min = 1e-6,
     .max = 1e6,
     .def = "1.0",
     .when = "source.kind=functions",
     .unit = "",
     .meaning = "Factor that multiplies y; class labels are not scaled."},
};

enum err_code problem_schema(struct config_schema *out, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(config_schema_add(out, ROWS, sizeof ROWS / sizeof *ROWS, err));
    for (size_t i = 0; i < COUNT; i++)
        if (ALL[i]->n_keys > 0) TRY(config_schema_add(out, ALL[i]->keys, ALL[i]->n_keys, err));
cleanup:
    return rc;
}

void problem_setup_read(struct problem_setup *out, const struct config_point *point) {
    const struct problem *p = problem_find(config_text(point, "source.problem"));
    assert(p); /* the schema admits registered names only */
    *out = (struct problem_setup){
        .problem = p,
        .dims = (size_t)config_int(point, "source.dims"),
        .size = p->size_key ? (size_t)config_int(point, p->size_key) : 0,
        .scale = p->loss == PROBLEM_SQUARED ? config_float(point, "source.scale") : 1,
    };
    if (p->read) p->read(out, point);
}

double problem_variance_active(const struct problem_setup *s, size_t active) {
    if (s->renormalise) return (double)s->dims;
    return s->scale * s->scale * s->problem->variance(s, active) + s->noise * s->noise;
}

double problem_variance(const struct problem_setup *s) {
    return problem_variance_active(s, s->dims);
}
