#include "methods/vector_pass.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ops/vector_ops.h"

static size_t method_scratch(const struct method_setup *s, size_t rows) {
    return s->method->application.scratch ? s->method->application.scratch(s, rows) : 0;
}

/* Returns the room for activations before edits, or NULL if the method does not need them. */
static float *vector_pass_lay_out(struct vector_pass *p, const struct method_setup *s,
                                  size_t capacity, bool for_backward) {
    const struct model_dims *d = &s->params->dims;
    p->v = arena_floats(&p->memory, capacity * method_values(s));
    p->g_sum = arena_floats(&p->memory, d->L * d->E);
    p->scratch = arena_floats(&p->memory, method_scratch(s, capacity));
    if (!for_backward || !s->method->application.gradient_at) return NULL;
    const size_t width = model_heads_width(d) > d->E ? model_heads_width(d) : d->E;
    return arena_floats(&p->memory, d->L * capacity * width);
}

enum err_code vector_pass_create_long(struct vector_pass *p, const struct method_setup *setup,
                                      const struct vector_pass_size *size, struct err *err) {
    enum err_code rc = ERR_OK;
    const bool backward = size->for_backward;
    *p = (struct vector_pass){.setup = setup};
    p->items = calloc(method_edits_most(setup) + 1, sizeof *p->items);
    CHECK(p->items, ERR_MEMORY, "no memory for %zu edits", method_edits_most(setup));
    (void)vector_pass_lay_out(p, setup, size->capacity, backward);
    TRY(arena_commit(&p->memory, err));
    TRY(query_create_long(&p->query, &setup->params->dims, size->capacity, size->tokens,
                          size->earlier, backward, err));
    p->query.before = vector_pass_lay_out(p, setup, size->capacity, backward);
cleanup:
    if (rc != ERR_OK) vector_pass_destroy(p);
    return rc;
}

enum err_code vector_pass_create(struct vector_pass *p, const struct method_setup *setup,
                                 size_t capacity, size_t tokens, bool for_backward,
                                 struct err *err) {
    const struct vector_pass_size size = {capacity, tokens, 0, for_backward};
    return vector_pass_create_long(p, setup, &size, err);
}

void vector_pass_destroy(struct vector_pass *p) {
    query_destroy(&p->query);
    arena_release(&p->memory);
    free(p->items);
    p->items = NULL;
}

size_t vector_pass_bytes_long(const struct method_setup *s, const struct vector_pass_size *size) {
    struct vector_pass p = {0};
    (void)vector_pass_lay_out(&p, s, size->capacity, size->for_backward);
    return query_bytes_long(&s->params->dims, size->capacity, size->tokens, size->earlier,
                            size->for_backward) +
           p.memory.used;
}

size_t vector_pass_bytes(const struct method_setup *s, size_t capacity, size_t tokens,
                         bool for_backward) {
    const struct vector_pass_size size = {capacity, tokens, 0, for_backward};
    return vector_pass_bytes_long(s, &size);
}

void vector_pass_set(struct vector_pass *p, const struct basis *b, const float *w) {
    const struct method_application *m = &p->setup->method->application;
    p->edits = (struct edits){0};
    p->v_rows = 0;
    p->w = w;
    if (!m->vector) return;
    assert((b && b->R > 0) || !method_basis(p->setup));
    p->v_rows = method_basis(p->setup) ? b->R : 1;
    assert(p->v_rows <= p->query.capacity);
    m->vector(p->v, w, b, p->setup, p->scratch);
    method_edits(p->items, &p->edits, p->v, w, p->v_rows, p->setup);
}

void vector_pass_run(struct vector_pass *p, const struct context *c,
                     const struct query_rows *rows) {
    assert(p->v_rows <= 1 || p->v_rows == rows->R || p->edits.index);
    query_forward(&p->query, p->setup->params, c, rows, &p->edits);
}

/* One vector serves all rows, so its gradient is the sum over rows. */
static void sum_rows(struct vector_pass *p, size_t R) {
    const struct model_dims *d = &p->query.dims;
    memset(p->g_sum, 0, d->L * d->E * sizeof *p->g_sum);
    for (size_t l = 0; l < d->L; l++)
        rows_sum(p->g_sum + l * d->E, p->query.g + l * p->query.capacity * d->E, R, d->E);
}

struct places { /* context of the callback below */
    const struct vector_pass *p;
    const struct basis *b;
    float *dw;
};

static void add_gradient_at(void *context, const struct query_place *place) {
    const struct places *x = context;
    const struct vector_pass *p = x->p;
    p->setup->method->application.gradient_at(x->dw, place, p->v, p->w, x->b, p->setup, p->scratch);
}

static void backward_edited(float *dw, struct vector_pass *p, const struct context *c,
                            const struct query_rows *rows, const struct basis *b,
                            const float *dprediction) {
    struct places places = {p, b, dw};
    const struct query_visitor visitor = {add_gradient_at, &places};
    memset(dw, 0, method_weights(p->setup) * sizeof *dw);
    query_backward_edited(&p->query, p->setup->params, c, rows, &p->edits, dprediction, &visitor);
}

void vector_pass_backward(float *dw, struct vector_pass *p, const struct context *c,
                          const struct query_rows *rows, const struct basis *b,
                          const float *dprediction) {
    const struct method_application *m = &p->setup->method->application;
    if (m->gradient_at) {
        backward_edited(dw, p, c, rows, b, dprediction);
        return;
    }
    query_backward(&p->query, p->setup->params, c, rows, dprediction);
    if (p->v_rows == 1) {
        sum_rows(p, rows->R);
        m->gradient(dw, p->g_sum, 1, 1, b, p->setup, p->scratch);
    } else {
        m->gradient(dw, p->query.g, p->query.capacity, rows->R, b, p->setup, p->scratch);
    }
}
