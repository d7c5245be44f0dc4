/*
 * query_scene.h - a tiny model with filled contexts, a query stream over them, and their twin.
 */
#ifndef TESTS_MODEL_QUERY_SCENE_H
#define TESTS_MODEL_QUERY_SCENE_H

#include "model/context_pass.h"
#include "model/query.h"
#include "model/tiny.h"
#include "twins/context_fill.h"

enum { SLOTS = 3, TOKENS = 12, LENGTHS = TOKENS / 2 + 1, ROWS = SLOTS * LENGTHS };

/* Every slot at every length, in no particular order, each row with a query of its own. */
struct scene {
    struct params p;
    struct model_twin twin;
    struct context context;
    struct query query;
    struct pair tokens, x, v, c; /* v [L, ROWS, E] to add, c [ROWS] = d loss / d prediction */
    uint32_t slot[ROWS], length[ROWS];
    struct query_rows rows;
};

static inline void fill(struct scene *s, const struct edits *edits) {
    struct context_scratch *scratch = NULL;
    struct err err;
    SUCCEEDS(context_scratch_create(&scratch, &TINY, SLOTS, TOKENS, &err));
    for (size_t i = 0; i < SLOTS; i++)
        context_fill(&s->context, i, scratch, &s->p, s->tokens.f + i * TOKENS * TINY.inputs, TOKENS,
                     edits);
    context_scratch_destroy(scratch);
}

static inline void scene_init(struct scene *s, bool for_backward) {
    struct err err;
    *s = (struct scene){.p = tiny_params(&TINY)};
    s->twin = model_twin_create(&s->p);
    s->tokens = pair_normals(SLOTS * TOKENS * TINY.inputs, 1, 1.0);
    s->x = pair_normals(ROWS * TINY.inputs, 2, 1.0);
    s->v = pair_normals(TINY.L * ROWS * TINY.E, 3, 0.5);
    s->c = pair_normals(ROWS, 4, 1.0);
    for (uint32_t i = 0; i < ROWS; i++) {
        const uint32_t mixed = 5 * i % ROWS;
        s->slot[i] = mixed % SLOTS;
        s->length[i] = 2 * (mixed / SLOTS);
    }
    s->rows = (struct query_rows){.R = ROWS, .slot = s->slot, .length = s->length, .x = s->x.f};
    SUCCEEDS(context_create(&s->context, &TINY, SLOTS, TOKENS, CONTEXT_SINGLE, &err));
    SUCCEEDS(query_create(&s->query, &TINY, ROWS + 2, TOKENS, for_backward, &err));
    fill(s, &(struct edits){0});
}

static inline void scene_free(struct scene *s) {
    query_destroy(&s->query);
    context_destroy(&s->context);
    model_twin_destroy(&s->twin);
    params_destroy(&s->p);
    pair_free(&s->tokens), pair_free(&s->x), pair_free(&s->v), pair_free(&s->c);
}

/* The row's prompt as the twin sees it: its context, then the query. */
static inline void run_twin(struct scene *s, size_t r, const struct twin_edit *edits, size_t n) {
    const size_t inputs = TINY.inputs, length = s->length[r];
    double tokens[(TOKENS + 1) * 3];
    assert_true(inputs == 3);
    memcpy(tokens, s->tokens.d + s->slot[r] * TOKENS * inputs, length * inputs * sizeof *tokens);
    memcpy(tokens + length * inputs, s->x.d + r * inputs, inputs * sizeof *tokens);
    model_twin_run(&s->twin, tokens, length + 1, edits, n);
}

static inline void compare_row(const struct scene *s, size_t r) {
    const struct query *q = &s->query;
    const size_t E = TINY.E, at = s->length[r] * E, layer = TINY.positions * E;
    for (size_t l = 0; l <= TINY.L; l++)
        CLOSE(twin_error(q->x + (l * q->capacity + r) * E, s->twin.x + l * layer + at, E), 1e-5);
    for (size_t l = 0; l < TINY.L; l++) {
        const size_t row = (l * q->capacity + r) * E;
        CLOSE(twin_error(q->z + row, s->twin.z + l * layer + at, E), 1e-5);
        CLOSE(twin_error(q->a + row, s->twin.a + l * layer + at, E), 1e-5);
    }
    CLOSE(twin_error(q->prediction + r, s->twin.prediction + s->length[r], 1), 1e-5);
}

#endif
