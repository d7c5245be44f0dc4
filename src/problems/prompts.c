#include "problems/prompts.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void lay_out(struct prompts *p, size_t parameters) {
    p->x = arena_floats(&p->memory, p->n * p->points * p->dims);
    p->y = arena_floats(&p->memory, p->n * p->points);
    p->functions = arena_floats(&p->memory, p->n * parameters);
}

enum err_code prompts_create(struct prompts *p, const struct problem_setup *s, size_t n,
                             size_t points, struct err *err) {
    *p = (struct prompts){.n = n, .points = points, .dims = s->dims};
    const size_t parameters = s->problem->parameters(s);
    lay_out(p, parameters);
    const enum err_code rc = arena_commit(&p->memory, err);
    if (rc == ERR_OK)
        lay_out(p, parameters);
    else
        *p = (struct prompts){0};
    return rc;
}

void prompts_destroy(struct prompts *p) {
    arena_release(&p->memory);
    *p = (struct prompts){0};
}

/* The streams of one source: "PROBLEM/SPLIT/PURPOSE". */
static struct rng stream_of(const struct prompt_source *source, const char *split,
                            const char *purpose) {
    char name[128];
    const int n =
        snprintf(name, sizeof name, "%s/%s/%s", source->setup.problem->name, split, purpose);
    assert(n > 0 && n < (int)sizeof name), (void)n;
    return rng_stream(source->seed, name);
}

static void draw_x(float *x, const struct rng *stream, uint64_t sample, size_t points, size_t dims,
                   size_t active) {
    for (size_t i = 0; i < points; i++, x += dims) {
        rng_normals(x, active, stream, sample, i);
        for (size_t c = active; c < dims; c++) x[c] = 0;
    }
}

static void scale_y(float *y, const struct problem_setup *s, const struct rng *noise,
                    uint64_t sample, size_t points) {
    if (s->scale != 1)
        for (size_t i = 0; i < points; i++) y[i] = (float)(s->scale * (double)y[i]);
    if (s->noise > 0)
        for (size_t i = 0; i < points; i++) {
            float eps;
            rng_normals(&eps, 1, noise, sample, i);
            y[i] = (float)((double)y[i] + s->noise * (double)eps);
        }
}

void prompts_draw(struct prompts *p, const struct prompt_source *source, uint64_t first,
                  size_t active) {
    const struct problem_setup *s = &source->setup;
    const size_t parameters = s->problem->parameters(s);
    const char *other = source->covariates[0] ? source->covariates : source->split;
    const struct rng function = stream_of(source, source->split, "function");
    const struct rng covariate = stream_of(source, other, "covariate");
    const struct rng noise = stream_of(source, other, "noise");
    assert(active >= 1 && active <= s->dims && p->dims == s->dims);
    for (size_t b = 0; b < p->n; b++) {
        float *x = p->x + b * p->points * p->dims, *y = p->y + b * p->points;
        float *f = p->functions + b * parameters;
        s->problem->draw(f, s, &function, first + b, active);
        draw_x(x, &covariate, first + b, p->points, p->dims, active);
        s->problem->evaluate(y, f, s, x, p->points);
        scale_y(y, s, &noise, first + b, p->points);
    }
    if (s->renormalise) prompts_renormalise(p->y, p->n * p->points, p->dims);
}

void prompts_renormalise(float *y, size_t n, size_t dims) {
    double mean = 0, squares = 0;
    if (n < 2) return;
    for (size_t i = 0; i < n; i++) mean += (double)y[i];
    mean /= (double)n;
    for (size_t i = 0; i < n; i++) squares += ((double)y[i] - mean) * ((double)y[i] - mean);
    const double factor = sqrt((double)dims * (double)(n - 1) / squares);
    if (squares > 0)
        for (size_t i = 0; i < n; i++) y[i] = (float)((double)y[i] * factor);
}
