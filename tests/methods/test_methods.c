#include "methods/method.h"

#include <math.h>
#include <stdlib.h>

#include "methods/fv.h"
#include "methods/loreft.h"
#include "methods/ltv.h"
#include "model/tiny.h"
#include "ops/blas.h"

enum { ROWS = 5, STRIDE = 7, G_STRIDE = 6, WEIGHTS_MAX = 64 };

static struct err err;

struct scene {
    struct params p;
    struct pair z, a, g, w; /* [L, STRIDE, E] twice, [L, G_STRIDE, E], [WEIGHTS_MAX] */
    struct basis basis;
};

static struct scene scene_make(void) {
    struct scene s = {.p = tiny_params(&TINY)};
    s.z = pair_normals(TINY.L * STRIDE * TINY.E, 11, 1.0);
    s.a = pair_normals(TINY.L * STRIDE * TINY.E, 12, 1.0);
    s.g = pair_normals(TINY.L * G_STRIDE * TINY.E, 13, 1.0);
    s.w = pair_normals(WEIGHTS_MAX, 14, 1.0);
    s.basis = (struct basis){ROWS, STRIDE, {s.z.f, s.a.f}};
    return s;
}

static void scene_free(struct scene *s) {
    params_destroy(&s->p);
    pair_free(&s->z), pair_free(&s->a), pair_free(&s->g), pair_free(&s->w);
}

/* ---- the definition, head by head: v = sum over h of w[l, h] o[l, h], o = slice h through W_o */

static double contribution(const struct scene *s, int reading, size_t l, size_t h, size_t r,
                           size_t e) {
    const struct layer_params *layer = &s->p.layers[l];
    const double *u = reading <= LTV_HEADS_BIAS ? s->z.d : s->a.d;
    const size_t E = TINY.E, D = E / TINY.H;
    double o = 0;
    u += (l * STRIDE + r) * E;
    if (reading == LTV_BLOCKS) return e / D == h ? u[e] : 0;
    for (size_t i = h * D; i < (h + 1) * D; i++) o += u[i] * (double)layer->proj_w.f32[i * E + e];
    if (reading != LTV_HEADS) o += (double)layer->proj_b[e];
    return o;
}

static void compare_vector(const struct scene *s, const struct method_setup *setup,
                           float *scratch) {
    const size_t L = TINY.L, H = TINY.H, E = TINY.E;
    float v[3 * ROWS * 8];
    double want[3 * ROWS * 8];
    assert_int_equal(sizeof v / sizeof *v, L * ROWS * E);
    for (size_t l = 0; l < L; l++)
        for (size_t r = 0; r < ROWS; r++)
            for (size_t e = 0; e < E; e++) {
                double sum = 0;
                for (size_t h = 0; h < H; h++)
                    sum += s->w.d[l * H + h] * contribution(s, setup->variant, l, h, r, e);
                want[(l * ROWS + r) * E + e] = sum;
            }
    setup->method->application.vector(v, s->w.f, &s->basis, setup, scratch);
    CLOSE(relative_error(v, want, L * ROWS * E), 1e-6);
}

static void compare_gradient(const struct scene *s, const struct method_setup *setup,
                             float *scratch) {
    const size_t L = TINY.L, H = TINY.H, E = TINY.E;
    float dw[WEIGHTS_MAX];
    double want[WEIGHTS_MAX];
    for (size_t l = 0; l < L; l++)
        for (size_t h = 0; h < H; h++) {
            double sum = 0;
            for (size_t r = 0; r < ROWS; r++)
                for (size_t e = 0; e < E; e++)
                    sum += s->g.d[(l * G_STRIDE + r) * E + e] *
                           contribution(s, setup->variant, l, h, r, e);
            want[l * H + h] = sum;
        }
    setup->method->application.gradient(dw, s->g.f, G_STRIDE, ROWS, &s->basis, setup, scratch);
    CLOSE(relative_error(dw, want, L * H), 1e-5);
}

static void ltv_reads_heads_as_defined(void **state) {
    (void)state;
    struct scene s = scene_make();
    struct method_setup setup;
    method_setup_named(&setup, "ltv", &s.p);
    float *scratch = calloc(setup.method->application.scratch(&setup, ROWS), sizeof *scratch);
    assert_non_null(scratch);
    for (setup.variant = LTV_HEADS; setup.variant <= LTV_BLOCKS; setup.variant++) {
        assert_string_equal(method_variant(&setup), LTV_READINGS[setup.variant]);
        compare_vector(&s, &setup, scratch);
        compare_gradient(&s, &setup, scratch);
    }
    free(scratch);
    scene_free(&s);
}

static void bias_only_scales_the_biases(void **state) {
    (void)state;
    struct scene s = scene_make();
    struct method_setup setup;
    const size_t L = TINY.L, E = TINY.E;
    float v[3 * 8], dw[3];
    double want_v[3 * 8], want_dw[3] = {0};
    method_setup_named(&setup, "bias_only", &s.p);
    for (size_t l = 0; l < L; l++)
        for (size_t e = 0; e < E; e++) {
            const double b = (double)s.p.layers[l].proj_b[e];
            want_v[l * E + e] = s.w.d[l] * b;
            for (size_t r = 0; r < ROWS; r++) want_dw[l] += s.g.d[(l * G_STRIDE + r) * E + e] * b;
        }
    setup.method->application.vector(v, s.w.f, NULL, &setup, NULL);
    setup.method->application.gradient(dw, s.g.f, G_STRIDE, ROWS, NULL, &setup, NULL);
    CLOSE(relative_error(v, want_v, L * E), 1e-6);
    CLOSE(relative_error(dw, want_dw, L), 1e-5);
    scene_free(&s);
}

static void constant_is_its_weights(void **state) {
    (void)state;
    struct scene s = scene_make();
    struct method_setup setup;
    const size_t L = TINY.L, E = TINY.E;
    float v[3 * 8], dw[3 * 8];
    double want[3 * 8] = {0};
    method_setup_named(&setup, "constant", &s.p);
    for (size_t l = 0; l < L; l++)
        for (size_t r = 0; r < ROWS; r++)
            for (size_t e = 0; e < E; e++) want[l * E + e] += s.g.d[(l * G_STRIDE + r) * E + e];
    setup.method->application.vector(v, s.w.f, NULL, &setup, NULL);
    setup.method->application.gradient(dw, s.g.f, G_STRIDE, ROWS, NULL, &setup, NULL);
    assert_memory_equal(v, s.w.f, sizeof v);
    CLOSE(relative_error(dw, want, L * E), 1e-6);
    scene_free(&s);
}

static void edits_add_the_vector_everywhere(void **state) {
    (void)state;
    struct scene s = scene_make();
    struct method_setup setup;
    struct edit items[3];
    struct edits edits;
    float v[3 * ROWS * 8] = {1};
    method_setup_named(&setup, "zero", &s.p);
    setup.method->application.vector(v, NULL, NULL, &setup, NULL);
    for (size_t i = 0; i < TINY.L * TINY.E; i++) assert_true(v[i] == 0);
    method_edits(items, &edits, v, NULL, 1, &setup);
    assert_int_equal(edits.n, TINY.L);
    for (size_t l = 0; l < TINY.L; l++) {
        assert_int_equal(items[l].layer, l);
        assert_ptr_equal(items[l].values, v + l * TINY.E);
        assert_int_equal(items[l].row_stride, 0);
    }
    method_edits(items, &edits, v, NULL, ROWS, &setup);
    assert_ptr_equal(items[2].values, v + 2 * ROWS * TINY.E);
    assert_int_equal(items[2].row_stride, TINY.E);
    scene_free(&s);
}

/* ---- heads whose widths do not add up to E */

/* <g, x + s (t - x)> summed over rows, in the slice of head h: what the gate of that head changes.
 */
static double gated(const struct pair *g, const struct pair *x, const struct pair *t, double gate,
                    size_t Z, size_t D, size_t h) {
    double sum = 0;
    for (size_t i = 0; i < ROWS * Z; i++)
        if (i % Z / D == h) sum += g->d[i] * (x->d[i] + gate * (t->d[i] - x->d[i]));
    return sum;
}

static void gates_take_slices_of_heads(size_t D) {
    struct model_dims d = TINY;
    d.D = D;
    const size_t L = d.L, H = d.H, Z = H * D, last = L - 1;
    struct params p = tiny_params(&d);
    struct method_setup setup;
    struct edit items[6];
    struct pair z = pair_normals(L * STRIDE * Z, 21, 1.0), x = pair_normals(ROWS * Z, 22, 1.0);
    struct pair g = pair_normals(ROWS * Z, 23, 1.0), v = pair_filled(L * ROWS * Z, 0);
    const struct basis basis = {ROWS, STRIDE, {z.f}};
    const float w[6] = {0.5F, -0.3F, 0.1F, 1.2F, 0.7F, -0.9F};
    float dw[6] = {0};
    method_setup_named(&setup, "site", &p);
    assert_true(method_values(&setup) == L * Z && method_weights(&setup) == 6);
    setup.method->application.vector(v.f, w, &basis, &setup, NULL);
    for (size_t i = 0; i < L * ROWS * Z; i++) {
        const size_t l = i / (ROWS * Z);
        assert_true(v.f[i] == z.f[l * STRIDE * Z + i % (ROWS * Z)]);
        v.d[i] = (double)v.f[i];
    }
    setup.method->application.edits(items, v.f, w, ROWS, &setup);
    assert_ptr_equal(items[3].values, v.f + ROWS * Z + D); /* layer 1, head 1 */
    assert_true(items[3].from == D && items[3].n == D && items[3].row_stride == Z);
    const struct query_place at = {last, ROWS, EDIT_HEADS, x.f, g.f};
    setup.method->application.gradient_at(dw, &at, v.f, w, &basis, &setup, NULL);
    const struct pair t = {.d = v.d + last * ROWS * Z};
    for (size_t h = 0; h < H; h++) {
        const double alpha = (double)w[last * H + h], step = 1e-5;
        const double above = 1 / (1 + exp(-alpha - step)), below = 1 / (1 + exp(-alpha + step));
        const double want =
            (gated(&g, &x, &t, above, Z, D, h) - gated(&g, &x, &t, below, Z, D, h)) / (2 * step);
        CLOSE(relative_error(dw + last * H + h, &want, 1), 1e-5);
    }
    pair_free(&z), pair_free(&x), pair_free(&g), pair_free(&v);
    params_destroy(&p);
}

static void site_takes_heads_of_any_width(void **state) {
    (void)state;
    gates_take_slices_of_heads(6); /* H D = 12 above E = 8 */
    gates_take_slices_of_heads(2);
}

/* ---- the registry */

/* Initial weights [n], and their mean square. */
static float *drawn_weights(double *square, const struct method_setup *setup, const char *purpose) {
    const struct rng stream = rng_stream(3, purpose);
    const size_t n = method_weights(setup);
    float *w = calloc(n, sizeof *w);
    assert_non_null(w);
    *square = 0;
    setup->method->derivation.init(w, setup, &stream);
    for (size_t i = 0; i < n; i++) *square += (double)w[i] * (double)w[i] / (double)n;
    return w;
}

/* Initial weights that are drawn have the size that the key `init` asks for; others are finite. */
static void initial_weights_have_their_size(const struct method *m, struct params *p) {
    const struct method_setup setup = {.method = m, .params = p, .init = 0.5};
    const size_t n = method_weights(&setup);
    double square, another;
    assert_true(n > 0);
    float *w = drawn_weights(&square, &setup, "init");
    float *other = drawn_weights(&another, &setup, "another init");
    assert_true(isfinite(square));
    if (memcmp(w, other, n * sizeof *w) != 0) assert_true(square > 0.01 && square < 1.5);
    free(w);
    free(other);
}

static void methods_are_whole(void **state) {
    (void)state;
    struct params p = tiny_params(&TINY);
    for (size_t i = 0; i < method_count(); i++) {
        const struct method *m = method_at(i);
        assert_ptr_equal(method_find(m->name), m);
        assert_true(strlen(m->docs.meaning) > 0);
        if (!m->docs.weights || !m->docs.vector || !m->docs.place || !*m->docs.place ||
            !*m->docs.weights == (m->derivation.weights_shape != NULL) ||
            (!*m->docs.vector && m->application.vector))
            fail_msg("%s: its docs lack weights, vector or place", m->name);
        assert_true(!m->inputs.basis || m->application.vector);
        if (method_learns(m)) initial_weights_have_their_size(m, &p);
        if (!method_learns(m)) assert_null(m->application.gradient);
    }
    assert_null(method_find("nothing"));
    for (size_t i = 0; METHOD_CONTROLS[i]; i++)
        assert_false(method_learns(method_find(METHOD_CONTROLS[i])));
    params_destroy(&p);
}

static void some_of_the_prompts_or_all(void **state) {
    (void)state;
    const struct method_training t = {.prompts = {.n = 60}};
    assert_int_equal(method_first_prompts(&t, 0), 60);
    assert_int_equal(method_first_prompts(&t, 59), 59);
    assert_int_equal(method_first_prompts(&t, 100000000), 60);
}

/* A method's own keys are 0 before they are set, survive a copy, and touch nothing else. */
static void own_keys_are_typed(void **state) {
    (void)state;
    struct params p = tiny_params(&TINY);
    struct method_setup s, copy;
    method_setup_named(&s, "loreft", &p);
    assert_int_equal(loreft_keys(&s).rank, 0);
    s.layer = 2, s.init = 0.5;
    loreft_set_keys(&s, (struct loreft_keys){.rank = 3});
    copy = s;
    loreft_set_keys(&s, (struct loreft_keys){.rank = 4});
    assert_int_equal(loreft_keys(&copy).rank, 3);
    assert_true(copy.layer == 2 && copy.init == 0.5 && copy.method == s.method);
    method_setup_named(&s, "fv", &p);
    struct fv_keys keys = {.scale = 0.25, .n_layers = FV_LAYERS};
    keys.layers[FV_LAYERS - 1] = 7;
    fv_set_keys(&s, keys);
    assert_true(fv_keys(&s).scale == 0.25 && fv_keys(&s).layers[FV_LAYERS - 1] == 7);
    assert_ptr_equal(s.params, &p);
    params_destroy(&p);
}

static bool is_listed(const char *const *list, const char *name) {
    while (*list && strcmp(*list, name) != 0) list++;
    return *list != NULL;
}

static size_t schema_rows(bool learning_only) {
    struct config_schema schema = {0};
    SUCCEEDS(method_schema(&schema, learning_only, &err));
    const size_t n = schema.n;
    assert_string_equal(schema.rows[0]->name, "method");
    for (size_t i = 0; i < method_count(); i++)
        assert_true(is_listed(schema.rows[0]->choices, method_at(i)->name) ||
                    (learning_only && !method_is_fitted(method_at(i))));
    config_schema_release(&schema);
    return n;
}

static void schemas_hold_every_methods_keys(void **state) {
    (void)state;
    size_t keys = 1;
    for (size_t i = 0; i < method_count(); i++) keys += method_at(i)->config.n;
    assert_int_equal(schema_rows(false), keys);
    assert_int_equal(schema_rows(true), keys);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ltv_reads_heads_as_defined),
        cmocka_unit_test(bias_only_scales_the_biases),
        cmocka_unit_test(constant_is_its_weights),
        cmocka_unit_test(edits_add_the_vector_everywhere),
        cmocka_unit_test(site_takes_heads_of_any_width),
        cmocka_unit_test(methods_are_whole),
        cmocka_unit_test(some_of_the_prompts_or_all),
        cmocka_unit_test(own_keys_are_typed),
        cmocka_unit_test(schemas_hold_every_methods_keys),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
