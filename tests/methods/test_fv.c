#include "methods/fv.h"

#include <math.h>

#include "activations/causal_map.h"
#include "activations/head_gradient.h"
#include "methods/prompt_scene.h"
#include "methods/vector_pass.h"
#include "ops/blas.h"

enum { E = 8, HEADS = 2, LAYERS = 3, ALL = LAYERS * HEADS, ROWS = 4, STRIDE = 6 };

static struct err err;

/* ---- the vector, head by head: the sum over chosen heads of o = slice h of u, alone, through W_o,
 * and the bias as often as the key sets */

static void add_head(double *v, const struct params *p, const double *u, size_t l, size_t h) {
    const size_t D = E / HEADS;
    for (size_t i = h * D; i < (h + 1) * D; i++)
        for (size_t e = 0; e < E; e++) v[e] += u[i] * (double)p->layers[l].proj_w.f32[i * E + e];
}

static void add_bias(double *v, const struct params *p, size_t l) {
    for (size_t e = 0; e < E; e++) v[e] += (double)p->layers[l].proj_b[e];
}

static void vector_of(double v[E], const struct params *p, const double *u, const float *w,
                      enum fv_bias bias, size_t r) {
    memset(v, 0, E * sizeof *v);
    for (size_t l = 0; l < LAYERS; l++) {
        int chosen = 0;
        for (size_t h = 0; h < HEADS; h++) {
            if (w[l * HEADS + h] == 0) continue;
            add_head(v, p, u + (l * STRIDE + r) * E, l, h);
            if (bias == FV_PER_HEAD || (bias == FV_ONCE && chosen == 0)) add_bias(v, p, l);
            chosen++;
        }
    }
}

static void the_vector_sums_chosen_heads(void **state) {
    (void)state;
    struct params p = tiny_params(&TINY);
    struct pair z = pair_normals(LAYERS * STRIDE * E, 71, 1.0);
    struct pair a = pair_normals(LAYERS * STRIDE * E, 72, 1.0);
    const struct basis b = {ROWS, STRIDE, {z.f, a.f}};
    const float w[ALL] = {1, 1, 0, 0, 0, 1}; /* two of one layer, none, one */
    struct method_setup s;
    method_setup_named(&s, "fv", &p);
    for (s.variant = CAUSAL_HEADS; s.variant <= CAUSAL_REPROJECTED; s.variant++)
        for (enum fv_bias bias = FV_ONCE; bias <= FV_NONE; bias++) {
            float v[ROWS * E], scratch[ROWS * E];
            double want[ROWS * E];
            fv_set_keys(&s, (struct fv_keys){.bias = bias});
            for (size_t r = 0; r < ROWS; r++)
                vector_of(want + r * E, &p, s.variant == CAUSAL_HEADS ? z.d : a.d, w, bias, r);
            assert_int_equal(s.method->application.scratch(&s, ROWS), ROWS * E);
            assert_int_equal(method_values(&s), E);
            s.method->application.vector(v, w, &b, &s, scratch);
            CLOSE(relative_error(v, want, ROWS * E), 1e-6);
        }
    pair_free(&z), pair_free(&a);
    params_destroy(&p);
}

static void its_edits_share_the_vector(void **state) {
    (void)state;
    struct params p = tiny_params(&TINY);
    struct method_setup s;
    struct edit items[LAYERS];
    struct edits edits;
    const float v[2 * E] = {0};
    method_setup_named(&s, "fv", &p);
    method_edits(items, &edits, v, NULL, 1, &s); /* the middle third of three */
    assert_int_equal(edits.n, 1);
    assert_int_equal(items[0].layer, 1);
    assert_true(items[0].scale == 1 && items[0].row_stride == 0);
    fv_set_keys(&s, (struct fv_keys){.n_layers = 2, .layers = {2, 0}});
    assert_int_equal(method_edits_most(&s), 2);
    method_edits(items, &edits, v, NULL, 2, &s);
    assert_int_equal(edits.n, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(items[i].layer, i == 0 ? 2 : 0);
        assert_ptr_equal(items[i].values, v);
        assert_int_equal(items[i].row_stride, E);
        assert_true(items[i].scale == 0.5f);
    }
    params_destroy(&p);
}

/* Every chosen head at its own layer; the scale is a candidate, or the key. */
static void distributed_edits_are_at_the_heads(void **state) {
    (void)state;
    static const double SCALES[] = {0.25, 0.5, 1, 2, 4};
    static const size_t CHOSEN[] = {0, 1, 5};
    struct params p = tiny_params(&TINY);
    struct pair z = pair_normals(LAYERS * STRIDE * E, 71, 1.0);
    const struct basis b = {ROWS, STRIDE, {z.f}};
    const float w[ALL] = {1, 1, 0, 0, 0, 1};
    struct method_setup s;
    struct edit items[ALL];
    struct edits edits;
    float v[LAYERS * ROWS * E];
    method_setup_named(&s, "fv", &p);
    fv_set_keys(&s, (struct fv_keys){.sites = FV_DISTRIBUTED});
    assert_int_equal(method_values(&s), LAYERS * E);
    assert_int_equal(method_edits_most(&s), ALL);
    assert_int_equal(method_choices(&s), 5);
    s.method->application.vector(v, w, &b, &s, NULL);
    for (s.choice = 0; s.choice < 5; s.choice++) {
        method_edits(items, &edits, v, w, ROWS, &s);
        assert_int_equal(edits.n, 3);
        assert_true(s.method->derivation.chosen(&s) == SCALES[s.choice]);
        for (size_t i = 0; i < 3; i++) {
            const size_t l = CHOSEN[i] / HEADS, from = CHOSEN[i] % HEADS * E / HEADS;
            assert_int_equal(items[i].layer, l);
            assert_true(items[i].site == EDIT_HEADS && items[i].operation == EDIT_ADD);
            assert_true(items[i].from == from && items[i].n == E / HEADS);
            assert_true(items[i].scale == (float)SCALES[s.choice]);
            for (size_t r = 0; r < ROWS; r++)
                assert_memory_equal(edit_row(&items[i], r), z.f + (l * STRIDE + r) * E + from,
                                    E / HEADS * sizeof *v);
        }
    }
    s.choice = 0;
    fv_set_keys(&s, (struct fv_keys){.sites = FV_DISTRIBUTED, .scale = 0.7});
    assert_int_equal(method_choices(&s), 1);
    method_edits(items, &edits, v, w, ROWS, &s);
    assert_true(items[0].scale == 0.7f);
    pair_free(&z);
    params_destroy(&p);
}

static void one_layer_is_a_choice(void **state) {
    (void)state;
    struct params p = tiny_params(&TINY);
    struct method_setup s;
    struct edit items[1];
    struct edits edits;
    const float v[E] = {0};
    method_setup_named(&s, "fv", &p);
    assert_int_equal(method_choices(&s), 1);
    assert_true(isnan(s.method->derivation.chosen(&s)));
    for (uint32_t given = 0; given < 2; given++) {
        fv_set_keys(
            &s, (struct fv_keys){.sites = FV_ONE_LAYER, .n_layers = 2 * given, .layers = {0, 2}});
        assert_int_equal(method_choices(&s), given ? 2 : LAYERS);
        assert_int_equal(method_edits_most(&s), 1);
        for (s.choice = 0; s.choice < method_choices(&s); s.choice++) {
            const size_t layer = given ? 2 * s.choice : s.choice;
            method_edits(items, &edits, v, NULL, 1, &s);
            assert_int_equal(edits.n, 1);
            assert_int_equal(items[0].layer, layer);
            assert_true(items[0].site == EDIT_BLOCK && items[0].scale == 1);
            assert_true(s.method->derivation.chosen(&s) == (double)layer);
        }
        s.choice = 0;
    }
    params_destroy(&p);
}

/* ---- a model whose answer is the label before the query, read and written by one head */

enum { ANSWER_LAYER = 1, ANSWER_HEAD = 0, LABEL = 2 * (T0 - 2) + 1 };

static struct params copying_model(void) {
    struct params p;
    SUCCEEDS(params_create(&p, &TINY, &err));
    for (size_t l = 0; l < LAYERS; l++)
        for (size_t e = 0; e < E; e++) p.layers[l].ln_1_w[e] = p.layers[l].ln_2_w[e] = 1;
    for (size_t e = 0; e < E; e++) p.ln_f_w[e] = 1;
    for (size_t i = 0; i < 2; i++) p.read_in_w[i * INPUTS + i] = 1; /* y, or 0; and some of x */
    p.wpe[LABEL * E + 2] = 5;
    struct layer_params *answer = &p.layers[ANSWER_LAYER];
    const size_t at = ANSWER_HEAD * E / HEADS;
    answer->attn_b[at] = 10;                        /* every query */
    answer->attn_w.f32[2 * 3 * E + E + at] = 10;    /* asks for that position, */
    answer->attn_w.f32[0 * 3 * E + 2 * E + at] = 1; /* takes its y */
    answer->proj_w.f32[at * E + 3] = 3;             /* and leaves it where it is read out */
    p.read_out_w[3] = 1;
    return p;
}

/* x has no first coordinate; every label before the query is -2 but the last, which is 2; the y of
 * the query is the prediction of the model. */
static struct prompt_scene copying_scene(void) {
    struct prompt_scene s = {.p = copying_model()};
    s.twin = model_twin_create(&s.p);
    s.x = pair_normals(PROMPTS * POINTS * INPUTS, 51, 1.0);
    s.y = pair_filled(PROMPTS * POINTS, -2);
    for (size_t i = 0; i < PROMPTS; i++) {
        for (size_t k = 0; k < POINTS; k++)
            s.x.f[(i * POINTS + k) * INPUTS] = 0, s.x.d[(i * POINTS + k) * INPUTS] = 0;
        s.y.f[i * POINTS + T0 - 2] = 2, s.y.d[i * POINTS + T0 - 2] = 2;
        prompt_scene_run(&s, i, 2 * T0 - 1, NULL);
        const double y = s.twin.prediction[2 * T0 - 2];
        assert_true(y > 0.5);
        s.y.f[i * POINTS + T0 - 1] = (float)y, s.y.d[i * POINTS + T0 - 1] = y;
    }
    s.prompts = (struct prompt_view){
        .n = PROMPTS, .points = POINTS, .dims = INPUTS, .x = s.x.f, .y = s.y.f};
    return s;
}

struct watch {
    double done, total, stop_after;
    int calls;
};

static enum err_code watch_report(void *context, double done, double total, struct err *e) {
    struct watch *w = context;
    assert_true(done > w->done && done <= total);
    w->done = done;
    w->total = total;
    w->calls++;
    return done > w->stop_after ? ERR(e, ERR_STOPPED, "stopped") : ERR_OK;
}

static struct method_training training_of(const struct prompt_scene *s, const struct rng *stream,
                                          struct watch *w) {
    return (struct method_training){.prompts = s->prompts,
                                    .T0 = T0,
                                    .chunk = 2,
                                    .stream = stream,
                                    .report = watch_report,
                                    .context = w};
}

static void the_head_that_answers_is_found(void **state) {
    (void)state;
    struct prompt_scene s = copying_scene();
    const struct rng stream = rng_stream(9, "orders");
    for (enum causal_corruption corruption = CAUSAL_SHARED; corruption <= CAUSAL_REDRAWN;
         corruption++) {
        struct watch w = {.stop_after = 1e9};
        const struct method_training t = training_of(&s, &stream, &w);
        struct method_setup setup;
        float weights[ALL];
        method_setup_named(&setup, "fv", &s.p);
        fv_set_keys(&setup, (struct fv_keys){.heads = 1, .corruption = corruption});
        SUCCEEDS(setup.method->derivation.derive(weights, &t, &setup, &err));
        for (size_t i = 0; i < ALL; i++)
            assert_true(weights[i] == (i == ANSWER_LAYER * HEADS + ANSWER_HEAD ? 1 : 0));
        assert_true(w.calls > LAYERS && w.done == w.total);
    }
    prompt_scene_free(&s);
}

/* Its effect is that of a right answer in place of a wrong one, all others have none. */
static void no_other_head_has_an_effect(void **state) {
    (void)state;
    struct prompt_scene s = copying_scene();
    const struct rng stream = rng_stream(9, "orders");
    const struct causal_options o = {.prompts = s.prompts, .T0 = T0, .chunk = 3, .stream = &stream};
    struct basis_set mean;
    float effect[ALL * PROMPTS];
    double effects[ALL];
    SUCCEEDS(basis_set_create(&mean, &TINY, basis_bit(BASIS_HEADS), 1, &err));
    SUCCEEDS(causal_mean(&mean, &s.p, &o, &err));
    const struct basis values = basis_set_view(&mean, 0, 1);
    SUCCEEDS(causal_map(effect, &s.p, &values, &o, &err));
    SUCCEEDS(causal_effects(effects, effect, &TINY, PROMPTS, &err));
    for (size_t i = 0; i < ALL; i++)
        if (i == ANSWER_LAYER * HEADS + ANSWER_HEAD)
            assert_true(effects[i] > 0.5);
        else
            CLOSE(effects[i] < 0 ? -effects[i] : effects[i], 1e-5);
    basis_set_destroy(&mean);
    prompt_scene_free(&s);
}

static void derive(float *w, struct prompt_scene *s, const struct rng *stream,
                   enum fv_selection selection, int64_t heads) {
    struct watch watch = {.stop_after = 1e9};
    const struct method_training t = training_of(s, stream, &watch);
    struct method_setup setup;
    method_setup_named(&setup, "fv", &s->p);
    fv_set_keys(&setup, (struct fv_keys){.heads = heads, .selection = selection});
    SUCCEEDS(setup.method->derivation.derive(w, &t, &setup, &err));
    assert_true(watch.done == watch.total);
}

static void other_selections(void **state) {
    (void)state;
    struct prompt_scene s = copying_scene();
    const size_t answer = ANSWER_LAYER * HEADS + ANSWER_HEAD;
    float w[ALL], seen[ALL] = {0};
    const struct rng stream = rng_stream(9, "orders");
    derive(w, &s, &stream, FV_GRADIENT, 1);
    for (size_t i = 0; i < ALL; i++) assert_true(w[i] == (i == answer ? 1 : 0));
    derive(w, &s, &stream, FV_BOTTOM, ALL - 1);
    for (size_t i = 0; i < ALL; i++) assert_true(w[i] == (i == answer ? 0 : 1));
    for (uint64_t seed = 0; seed < 40; seed++) {
        const struct rng own = rng_stream(seed, "derive");
        float again[ALL], sum = 0;
        derive(w, &s, &own, FV_RANDOM, 2);
        derive(again, &s, &own, FV_RANDOM, 2);
        assert_memory_equal(w, again, sizeof w);
        for (size_t i = 0; i < ALL; i++) sum += w[i], seen[i] += w[i];
        assert_true(sum == 2);
    }
    for (size_t i = 0; i < ALL; i++) assert_true(seen[i] > 3 && seen[i] < 30); /* 13 expected */
    prompt_scene_free(&s);
}

/* ---- attributions against differences of the twin */

struct scaled { /* the output of one head times 1 + by */
    struct prompt_scene *s;
    struct twin_patch patch;
    size_t prompt;
    double by;
};

static double score_when_scaled(void *context) {
    struct scaled *c = context;
    c->patch.keep = 1 + c->by;
    c->s->twin.patches = &c->patch;
    c->s->twin.n_patches = 1;
    prompt_scene_run(c->s, c->prompt, 2 * T0 - 1, NULL);
    return c->s->twin.prediction[2 * T0 - 2] * c->s->y.d[c->prompt * POINTS + T0 - 1];
}

static void attributions_equal_differences(void **state) {
    (void)state;
    struct prompt_scene s = prompt_scene_make();
    static const double zeros[E];
    for (enum causal_reading reading = CAUSAL_HEADS; reading <= CAUSAL_REPROJECTED; reading++) {
        const struct causal_options o = {
            .prompts = s.prompts, .T0 = T0, .chunk = 3, .reading = reading};
        float effect[ALL * PROMPTS];
        double want[ALL * PROMPTS];
        SUCCEEDS(head_gradient_map(effect, &s.p, &o, &err));
        for (size_t i = 0; i < ALL * PROMPTS; i++) {
            struct scaled c = {.s = &s, .prompt = i % PROMPTS};
            const size_t head = i / PROMPTS;
            c.patch = (struct twin_patch){.site = reading == CAUSAL_HEADS ? 'z' : 'a',
                                          .layer = head / HEADS,
                                          .token = 2 * T0 - 2,
                                          .from = head % HEADS * E / HEADS,
                                          .n = E / HEADS,
                                          .values = zeros};
            want[i] = twin_slope(score_when_scaled, &c, &c.by);
        }
        CLOSE(relative_error(effect, want, ALL * PROMPTS), 1e-5);
    }
    prompt_scene_free(&s);
}

static void a_derivation_can_be_stopped(void **state) {
    (void)state;
    struct prompt_scene s = copying_scene();
    const struct rng stream = rng_stream(9, "orders");
    for (double after = 0; after < 20; after += 6) {
        struct watch w = {.stop_after = after};
        const struct method_training t = training_of(&s, &stream, &w);
        struct method_setup setup;
        float weights[ALL];
        method_setup_named(&setup, "fv", &s.p);
        assert_int_equal(setup.method->derivation.derive(weights, &t, &setup, &err), ERR_STOPPED);
    }
    prompt_scene_free(&s);
}

/* For plan: a context a prompt of the map, or one for each of its heads. */
static void its_work_is_told(void **state) {
    (void)state;
    struct prompt_scene s = prompt_scene_make();
    const struct method_training t = training_of(&s, NULL, NULL);
    struct method_setup setup;
    double contexts, tokens;
    method_setup_named(&setup, "fv", &s.p);
    setup.method->derivation.work(&contexts, &tokens, &setup, &t);
    assert_true(contexts == PROMPTS && tokens == PROMPTS * ALL / 2.0);
    fv_set_keys(&setup, (struct fv_keys){.prompts = 2, .corruption = CAUSAL_REDRAWN});
    setup.method->derivation.work(&contexts, &tokens, &setup, &t);
    assert_true(contexts == 2 * ALL && tokens == ALL);
    fv_set_keys(&setup, (struct fv_keys){.prompts = 2, .selection = FV_GRADIENT});
    setup.method->derivation.work(&contexts, &tokens, &setup, &t);
    assert_true(contexts == 2 - PROMPTS && tokens == 6 - PROMPTS);
    fv_set_keys(&setup, (struct fv_keys){.selection = FV_RANDOM});
    setup.method->derivation.work(&contexts, &tokens, &setup, &t);
    assert_true(contexts == -PROMPTS && tokens == -PROMPTS);
    prompt_scene_free(&s);
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vector_sums_chosen_heads),
        cmocka_unit_test(its_edits_share_the_vector),
        cmocka_unit_test(the_head_that_answers_is_found),
        cmocka_unit_test(no_other_head_has_an_effect),
        cmocka_unit_test(distributed_edits_are_at_the_heads),
        cmocka_unit_test(one_layer_is_a_choice),
        cmocka_unit_test(other_selections),
        cmocka_unit_test(attributions_equal_differences),
        cmocka_unit_test(a_derivation_can_be_stopped),
        cmocka_unit_test(its_work_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
