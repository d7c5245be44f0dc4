/*
 * prompt_scene.h - prompts of a tiny model and their twin, token by token.
 */
#ifndef TESTS_METHODS_PROMPT_SCENE_H
#define TESTS_METHODS_PROMPT_SCENE_H

#include "model/tiny.h"
#include "sources/prompt_view.h"

enum { PROMPTS = 5, POINTS = 6, T0 = 5, INPUTS = 3 };

struct prompt_scene {
    struct params p;
    struct model_twin twin;
    struct pair x, y; /* [PROMPTS, POINTS, INPUTS], [PROMPTS, POINTS] */
    struct prompt_view prompts;
};

static inline struct prompt_scene prompt_scene_make(void) {
    struct prompt_scene s = {.p = tiny_params(&TINY)};
    assert_true(TINY.inputs == INPUTS);
    s.twin = model_twin_create(&s.p);
    s.x = pair_normals(PROMPTS * POINTS * INPUTS, 51, 1.0);
    s.y = pair_normals(PROMPTS * POINTS, 52, 1.0);
    s.prompts = (struct prompt_view){
        .n = PROMPTS, .points = POINTS, .dims = INPUTS, .x = s.x.f, .y = s.y.f};
    return s;
}

static inline void prompt_scene_free(struct prompt_scene *s) {
    model_twin_destroy(&s->twin);
    params_destroy(&s->p);
    pair_free(&s->x), pair_free(&s->y);
}

/* The first `length` tokens of prompt i, label k being that of point order[k]; NULL: its own. */
static inline void prompt_scene_run(struct prompt_scene *s, size_t i, size_t length,
                                    const uint32_t *order) {
    double tokens[2 * POINTS * INPUTS] = {0};
    for (size_t k = 0; k < POINTS; k++) {
        memcpy(tokens + 2 * k * INPUTS, s->x.d + (i * POINTS + k) * INPUTS,
               INPUTS * sizeof *tokens);
        if (2 * k + 1 < length)
            tokens[(2 * k + 1) * INPUTS] = s->y.d[i * POINTS + (order ? order[k] : k)];
    }
    model_twin_run(&s->twin, tokens, length, NULL, 0);
}

#endif
