#include "estimators/estimator.h"

#include <assert.h>
#include <string.h>

/* The registry: one line per estimator, in the order of help. */
#define ESTIMATORS(X)                                                                              \
    X(least_squares)                                                                               \
    X(ridge)                                                                                       \
    X(lasso)                                                                                       \
    X(knn)                                                                                         \
    X(averaging)                                                                                   \
    X(two_layer_net)                                                                               \
    X(cart)                                                                                        \
    X(xgboost)

#define X(name) extern const struct estimator estimator_##name;
ESTIMATORS(X)
#undef X

#define X(name) &estimator_##name,
static const struct estimator *const ALL[] = {ESTIMATORS(X)};
#undef X

#define X(name) #name,
static const char *const NAMES[] = {ESTIMATORS(X) NULL};
#undef X

size_t estimator_count(void) { return sizeof ALL / sizeof *ALL; }

const struct estimator *estimator_at(size_t i) {
    assert(i < estimator_count());
    return ALL[i];
}

const struct estimator *estimator_find(const char *name) {
    for (size_t i = 0; i < estimator_count(); i++)
        if (strcmp(ALL[i]->name, name) == 0) return ALL[i];
    return NULL;
}

static const struct config_key ROW = {
    .name = "estimator",
    .type = CONFIG_NAME,
    .flags = CONFIG_AXIS,
    .def = "least_squares",
    .choices = NAMES,
    .unit = "",
    .meaning = "Classical learner that predicts y from the examples of each prompt.",
};

enum err_code estimator_schema(struct config_schema *out, struct err *err) {
    enum err_code rc = config_schema_add(out, &ROW, 1, err);
    for (size_t i = 0; rc == ERR_OK && i < estimator_count(); i++)
        if (ALL[i]->n_keys > 0) rc = config_schema_add(out, ALL[i]->keys, ALL[i]->n_keys, err);
    return rc;
}

void estimator_setup_read(struct estimator_setup *out, const struct config_point *point,
                          double noise) {
    *out = (struct estimator_setup){
        .estimator = estimator_find(config_text(point, "estimator")),
        .noise = noise,
    };
    assert(out->estimator); /* the schema admits registered names only */
    if (out->estimator->read) out->estimator->read(out, point);
}

void estimator_setup_named(struct estimator_setup *out, const char *name) {
    *out = (struct estimator_setup){.estimator = estimator_find(name)};
    assert(out->estimator);
}

enum err_code estimator_check(const struct estimator *e, struct err *err) {
    if (!e->absent) return ERR_OK;
    return ERR(err, ERR_CONFIG, "this build has no %s: %s", e->name, e->absent);
}

size_t estimator_state(const struct estimator_setup *s, size_t points, size_t dims) {
    return s->estimator->state ? s->estimator->state(s, points, dims) : 0;
}

/* Labels differ for every k, so an estimator that carries a state starts again at k = 1. */
static enum err_code relabelled(double *y, const struct estimator_setup *s,
                                const struct estimator_prompt *p, size_t k, void *state,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    struct estimator_prompt shown = *p;
    shown.y = p->labels + k * p->points;
    for (size_t i = s->estimator->carries ? 1 : k; i <= k; i++)
        TRY(s->estimator->predict(y, s, &shown, i, state, err));
cleanup:
    return rc;
}

enum err_code estimator_curve(float *predictions, const struct estimator_setup *s,
                              const struct estimator_prompt *p, void *state, struct err *err) {
    struct err why = {0};
    predictions[0] = 0;
    for (size_t k = 1; k < p->points; k++) {
        double y;
        const enum err_code rc =
            (p->labels ? relabelled : s->estimator->predict)(&y, s, p, k, state, &why);
        if (rc != ERR_OK)
            return ERR(err, rc, "function %llu, prediction after %zu examples: %s",
                       (unsigned long long)p->sample, k, why.msg);
        predictions[k] = (float)y;
    }
    return ERR_OK;
}
