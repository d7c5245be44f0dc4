#include "passes/query_states.h"

#include <assert.h>
#include <string.h>

static void states_lay_out(struct query_states *s, const struct model_dims *d,
                           const struct curve_options *o) {
    s->query_x = arena_floats(&s->memory, o->chunk * o->points * d->inputs);
    s->columns = arena_floats(&s->memory, o->chunk * o->points);
    s->states = arena_floats(&s->memory, s->n_k * d->L * s->functions * d->E);
    s->prediction = arena_floats(&s->memory, s->n_k * s->functions);
}

static float *states_row(const struct query_states *s, size_t i, size_t l, size_t row) {
    const struct model_dims *d = &s->curve.o.setup->params->dims;
    return s->states + ((i * d->L + l) * s->functions + row) * d->E;
}

const float *query_states_at(const struct query_states *s, size_t i, size_t l) {
    return states_row(s, i, l, 0);
}

/* Row r of a pass becomes row `row` at k[i]. */
static void take_row(struct query_states *s, const struct query *q, size_t r, size_t i,
                     size_t row) {
    const size_t L = q->dims.L, E = q->dims.E;
    for (size_t l = 0; l < L; l++) {
        const float *from = l + 1 < L ? q->x + (l + 1) * q->capacity * E : q->last.norm;
        memcpy(states_row(s, i, l, row), from + r * E, E * sizeof *from);
    }
    s->prediction[i * s->functions + row] = q->prediction[r];
}

static void see_rows(void *context, const struct curve_rows *rows) {
    struct query_states *s = context;
    for (size_t i = 0; i < s->n_k; i++) {
        if (s->k[i] < rows->k || s->k[i] >= rows->k + rows->lengths) continue;
        for (size_t j = 0; j < rows->n; j++)
            take_row(s, rows->query, j * rows->lengths + s->k[i] - rows->k, i,
                     s->first + rows->first + j);
    }
}

enum err_code query_states_create(struct query_states *s, const struct curve_options *o,
                                  const size_t *k, size_t n_k, size_t functions, struct err *err) {
    enum err_code rc = ERR_OK;
    struct curve_options watched = *o;
    assert(n_k <= QUERY_STATES_MOST);
    *s = (struct query_states){.n_k = n_k, .functions = functions};
    memcpy(s->k, k, n_k * sizeof *k);
    s->watch = (struct curve_watch){see_rows, s};
    watched.watch = &s->watch;
    states_lay_out(s, &o->setup->params->dims, o);
    TRY(arena_commit(&s->memory, err));
    states_lay_out(s, &o->setup->params->dims, o);
    TRY(curve_create(&s->curve, &watched, err));
cleanup:
    if (rc != ERR_OK) query_states_destroy(s);
    return rc;
}

void query_states_destroy(struct query_states *s) {
    curve_destroy(&s->curve);
    arena_release(&s->memory);
    *s = (struct query_states){0};
}

size_t query_states_bytes(const struct model_dims *dims, const struct curve_options *o, size_t n_k,
                          size_t functions) {
    struct query_states s = {.n_k = n_k, .functions = functions};
    states_lay_out(&s, dims, o);
    return s.memory.used + curve_bytes(dims, o);
}

void query_states_run(struct query_states *s, const struct prompt_view *prompts,
                      const struct basis *basis, const float *w, size_t first) {
    const size_t points = prompts->points, dims = prompts->dims;
    struct prompt_view asked = *prompts;
    assert(first + prompts->n <= s->functions);
    for (size_t i = 0; i < prompts->n; i++)
        for (size_t k = 0; k < points; k++)
            memcpy(s->query_x + (i * points + k) * dims, prompt_view_query(prompts, i, points - 1),
                   dims * sizeof *s->query_x);
    asked.query_x = s->query_x;
    s->first = first;
    curve_begin(&s->curve, &asked, basis, w, first);
    for (size_t i = 0; i < s->n_k; i++)
        (void)curve_step(s->columns, &s->curve, &asked, curve_step_of(&s->curve, &asked, s->k[i]));
}
