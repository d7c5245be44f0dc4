#include "sources/problems/prompts.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void prompts_lay_out(struct prompts *p, size_t parameters, const struct shift *shift) {
    const size_t all = p->n * p->points;
    p->x = arena_floats(&p->memory, all * p->dims);
    p->y = arena_floats(&p->memory, all);
    p->functions = arena_floats(&p->memory, p->n * parameters);
    if (shift && shift->apart) {
        p->query_x = arena_floats(&p->memory, all * p->dims);
        p->query_y = arena_floats(&p->memory, all);
    }
    if (shift && shift->relabels) p->shown_y = arena_floats(&p->memory, all * p->points);
}

static size_t work_of(const struct shift *shift, size_t dims) {
    return shift && shift->work ? shift->work(dims) : 0;
}

enum err_code prompts_create(struct prompts *p, const struct prompts_setup *source, size_t n,
                             size_t points, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct problem_setup *s = &source->setup;
    const struct shift *shift = source->shift.shift;
    const size_t parameters = s->problem->parameters(s), work = work_of(shift, s->dims);
    *p = (struct prompts){.n = n, .points = points, .dims = s->dims};
    prompts_lay_out(p, parameters, shift);
    TRY(arena_commit(&p->memory, err));
    prompts_lay_out(p, parameters, shift);
    if (work > 0) p->work = calloc(work, sizeof *p->work);
    if (p->shown_y) p->order = calloc(points, sizeof *p->order);
    CHECK((work == 0 || p->work) && (!p->shown_y || p->order), ERR_MEMORY,
          "no memory for the shift of %zu prompts", n);
cleanup:
    if (rc != ERR_OK) prompts_destroy(p);
    return rc;
}

size_t prompts_bytes(const struct prompts_setup *source, size_t n, size_t points) {
    const struct problem_setup *s = &source->setup;
    const struct shift *shift = source->shift.shift;
    struct prompts p = {.n = n, .points = points, .dims = s->dims};
    prompts_lay_out(&p, s->problem->parameters(s), shift);
    return p.memory.used + work_of(shift, s->dims) * sizeof(double);
}

void prompts_destroy(struct prompts *p) {
    arena_release(&p->memory);
    free(p->order);
    free(p->work);
    *p = (struct prompts){0};
}

struct prompt_view prompts_view(const struct prompts *p) {
    return (struct prompt_view){.n = p->n,
                                .points = p->points,
                                .dims = p->dims,
                                .x = p->x,
                                .y = p->y,
                                .query_x = p->query_x,
                                .query_y = p->query_y,
                                .shown_y = p->shown_y};
}

/* The streams of one source: "PROBLEM/SPLIT/PURPOSE". */
static struct rng stream_of(const struct prompts_setup *source, const char *split,
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

struct streams {
    struct rng function, covariate, noise, shift;
};

static struct streams streams_of(const struct prompts_setup *source) {
    const struct shift *shift = source->shift.shift;
    const char *other = source->covariates[0] ? source->covariates : source->split;
    const char *function = shift && shift->function ? shift->function : "function";
    return (struct streams){
        stream_of(source, source->split, function), stream_of(source, other, "covariate"),
        stream_of(source, other, "noise"), stream_of(source, other, shift_name(&source->shift))};
}

static struct shift_prompt shift_prompt_of(struct prompts *p, size_t b,
                                           const struct prompts_setup *source,
                                           const struct streams *from, uint64_t first) {
    const size_t T = p->points, D = p->dims;
    return (struct shift_prompt){.setup = &source->shift,
                                 .problem = &source->setup,
                                 .stream = from->shift,
                                 .sample = first + b,
                                 .points = T,
                                 .x = p->x + b * T * D,
                                 .y = p->y + b * T,
                                 .query_x = p->query_x ? p->query_x + b * T * D : NULL,
                                 .query_y = p->query_y ? p->query_y + b * T : NULL,
                                 .shown_y = p->shown_y ? p->shown_y + b * T * T : NULL,
                                 .work = p->work,
                                 .order = p->order};
}

/* y [points] of x [points, dims] by function f, for the context and for separate queries; a query
 * has the noise of the point that it replaces. */
static void ask(float *y, const float *f, const struct problem_setup *s, const float *x,
                const struct rng *noise, uint64_t sample, size_t points) {
    s->problem->evaluate(y, f, s, x, points);
    scale_y(y, s, noise, sample, points);
}

static void draw_one(const struct shift_prompt *p, float *f, const struct shift *shift,
                     const struct streams *from, size_t active) {
    const struct problem_setup *s = p->problem;
    s->problem->draw(f, s, &from->function, p->sample, active);
    draw_x(p->x, &from->covariate, p->sample, p->points, s->dims, active);
    if (shift && shift->covariates) shift->covariates(p);
    ask(p->y, f, s, p->x, &from->noise, p->sample, p->points);
    if (p->query_x) ask(p->query_y, f, s, p->query_x, &from->noise, p->sample, p->points);
    if (shift && shift->values) shift->values(p);
}

static double renormal_factor(const float *y, size_t n, size_t dims) {
    double mean = 0, squares = 0;
    if (n < 2) return 1;
    for (size_t i = 0; i < n; i++) mean += (double)y[i];
    mean /= (double)n;
    for (size_t i = 0; i < n; i++) squares += ((double)y[i] - mean) * ((double)y[i] - mean);
    return squares > 0 ? sqrt((double)dims * (double)(n - 1) / squares) : 1;
}

static void multiply(float *y, size_t n, double factor) {
    for (size_t i = 0; y && factor != 1 && i < n; i++) y[i] = (float)((double)y[i] * factor);
}

/* One factor for all arrays, from the ys of the context. */
static void renormalise_all(struct prompts *p) {
    const size_t all = p->n * p->points;
    const double factor = renormal_factor(p->y, all, p->dims);
    multiply(p->y, all, factor);
    multiply(p->query_y, all, factor);
    multiply(p->shown_y, all * p->points, factor);
}

void prompts_draw(struct prompts *p, const struct prompts_setup *source, uint64_t first,
                  size_t active) {
    const struct problem_setup *s = &source->setup;
    const struct shift *shift = source->shift.shift;
    const size_t parameters = s->problem->parameters(s);
    const struct streams from = streams_of(source);
    assert(active >= 1 && active <= s->dims && p->dims == s->dims);
    assert(!shift || (!p->query_x == !shift->apart && !p->shown_y == !shift->relabels));
    if (shift && shift->prepare && !p->prepared) shift->prepare(p->work, s->dims, &from.shift);
    p->prepared = true;
    for (size_t b = 0; b < p->n; b++) {
        const struct shift_prompt one = shift_prompt_of(p, b, source, &from, first);
        draw_one(&one, p->functions + b * parameters, shift, &from, active);
    }
    if (s->renormalise) renormalise_all(p);
}

void prompts_renormalise(float *y, size_t n, size_t dims) {
    multiply(y, n, renormal_factor(y, n, dims));
}
