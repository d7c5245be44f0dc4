#include "methods/fv.h"

#include "activations/causal_map.h"
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
    prompt_scene_free(&s);
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vector_sums_chosen_heads),
        cmocka_unit_test(its_edits_share_the_vector),
        cmocka_unit_test(the_head_that_answers_is_found),
        cmocka_unit_test(no_other_head_has_an_effect),
        cmocka_unit_test(a_derivation_can_be_stopped),
        cmocka_unit_test(its_work_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
