#include "sources/problems/problem_source.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "sources/source_kind.h"

struct problem_source {
    struct source source; /* first: source.h sees this */
    struct source_functions functions;
    struct prompts_setup setup;
    struct prompts prompts; /* once reserved */
};

static struct problem_source *self(struct source *s) { return (void *)s; }
static const struct problem_source *look(const struct source *s) { return (const void *)s; }

static void problem_close(struct source *s) {
    prompts_destroy(&self(s)->prompts);
    free(s);
}

static size_t problem_points(const struct source *s, size_t points) {
    const struct prompts_setup *setup = &look(s)->setup;
    return shift_points(&setup->shift, setup->setup.dims, points);
}

static enum err_code problem_check(const struct source *s, const struct config_point *point,
                                   size_t inputs, struct err *err) {
    const struct prompts_setup *setup = &look(s)->setup;
    if (inputs == 0)
        return config_error(err, point, "source.kind",
                            "prompts of numbers, but the model reads token ids: set source.kind = "
                            "\"text\" and source.task");
    if (setup->setup.dims != inputs)
        return config_error(err, point, "source.dims",
                            "prompts have %zu dims, but the model reads %zu: set source.dims = %zu",
                            setup->setup.dims, inputs, inputs);
    return shift_check(&setup->shift, &setup->setup, point, err);
}

static enum err_code problem_reserve(struct source *s, size_t n, size_t points, struct err *err) {
    return prompts_create(&self(s)->prompts, &look(s)->setup, n, points, err);
}

static size_t problem_bytes(const struct source *s, size_t n, size_t points) {
    return prompts_bytes(&look(s)->setup, n, points);
}

/* The rows to fill, with the arrays and the shift's own memory of all. */
static struct prompts rows_from(const struct prompts *all, size_t row, size_t parameters) {
    struct prompts part = *all;
    part.x += row * all->points * all->dims;
    part.y += row * all->points;
    part.functions += row * parameters;
    if (all->query_x) part.query_x += row * all->points * all->dims;
    if (all->query_y) part.query_y += row * all->points;
    if (all->shown_y) part.shown_y += row * all->points * all->points;
    return part;
}

static struct prompt_view problem_draw(struct source *s, const struct source_draw *draw) {
    struct problem_source *of = self(s);
    const struct problem_setup *setup = &of->setup.setup;
    of->prompts.points = draw->points;
    struct prompts rows = rows_from(&of->prompts, draw->row, setup->problem->parameters(setup));
    rows.n = draw->n;
    prompts_draw(&rows, &of->setup, draw->first, draw->active > 0 ? draw->active : setup->dims);
    of->prompts.prepared = true;
    of->prompts.n = draw->row + draw->n;
    return prompts_view(&of->prompts);
}

static double problem_normaliser(const struct source *s, size_t active) {
    return problem_variance_active(&look(s)->setup.setup, active);
}

static const float *problem_parameters(const struct source *s) {
    return look(s)->prompts.functions;
}

static const struct source_kind KIND = {
    .close = problem_close,
    .points = problem_points,
    .check = problem_check,
    .reserve = problem_reserve,
    .bytes = problem_bytes,
    .draw = problem_draw,
    .normaliser = problem_normaliser,
    .parameters = problem_parameters,
};

static void name_split(char out[32], const char *name) {
    const int n = snprintf(out, 32, "%s", name ? name : "");
    assert(n >= 0 && n < 32), (void)n;
}

static void fill_info(struct problem_source *of) {
    const struct problem_setup *s = &of->setup.setup;
    const struct shift_setup *shift = &of->setup.shift;
    const double added = shift->shift && shift->shift->noise ? shift->level : 0;
    const bool classes = s->problem->loss == PROBLEM_CLASSIFICATION;
    of->functions = (struct source_functions){s->dims, hypot(s->noise, added) / s->scale,
                                              s->problem->parameters(s)};
    of->source.info = (struct source_info){
        .name = s->problem->name,
        .shift = shift_name(shift),
        .shift_level = shift->level,
        .loss = {.kind = classes ? LOSS_LOGISTIC : LOSS_SQUARED},
        .normaliser = problem_variance(s),
        .inputs = s->dims,
        .apart = shift->shift && shift->shift->apart,
        .relabels = shift->shift && shift->shift->relabels,
        .functions = &of->functions,
    };
}

enum err_code problem_source_open(struct source **out, const struct problem_setup *setup,
                                  const struct shift_setup *shift, const struct source_options *o,
                                  struct err *err) {
    struct problem_source *of = calloc(1, sizeof *of);
    if (!of) return ERR(err, ERR_MEMORY, "no memory for a source of prompts");
    of->source.kind = &KIND;
    of->setup = (struct prompts_setup){.setup = *setup, .seed = o->seed, .shift = *shift};
    name_split(of->setup.split, o->split);
    name_split(of->setup.covariates, o->covariates);
    fill_info(of);
    *out = &of->source;
    return ERR_OK;
}
