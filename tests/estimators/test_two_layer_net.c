/* The net against itself in double, from the same initial weights, and where it must succeed. */
#include "estimators/prompt_scene.h"

#include "base/rng.h"

enum { D = 3, H = 6, N = D * H + 2 * H + 1, STEPS = 40 };

/* As the registry names the draws: W1 [D,H], b1 [H], W2 [H], b2, uniform within 1 / sqrt(inputs).
 */
static void initial(double *w, uint64_t seed, uint64_t sample, size_t k) {
    static const char *const NAMES[] = {"two_layer_net/W1", "two_layer_net/b1", "two_layer_net/W2",
                                        "two_layer_net/b2"};
    const size_t size[] = {D * H, H, H, 1};
    for (size_t part = 0; part < 4; part++) {
        const struct rng r = rng_stream(seed, NAMES[part]);
        for (size_t i = 0; i < size[part]; i++) {
            double u;
            rng_uniforms(&u, 1, &r, sample, k * size[part] + i);
            *w++ = (2 * u - 1) / sqrt(part < 2 ? D : H);
        }
    }
}

static double output(const double *w, const float *x) {
    double y = w[N - 1];
    for (size_t h = 0; h < H; h++) {
        double a = w[D * H + h];
        for (size_t c = 0; c < D; c++) a += w[c * H + h] * (double)x[c];
        y += w[D * H + H + h] * fmax(a, 0);
    }
    return y;
}

/* Gradient of the mean square over k examples, unit by unit. */
static void gradient(double *g, const double *w, const struct estimator_prompt *p, size_t k) {
    memset(g, 0, N * sizeof *g);
    for (size_t i = 0; i < k; i++) {
        const float *x = p->x + i * D;
        const double slope = 2 * (output(w, x) - (double)p->y[i]) / (double)k;
        g[N - 1] += slope;
        for (size_t h = 0; h < H; h++) {
            double a = w[D * H + h];
            for (size_t c = 0; c < D; c++) a += w[c * H + h] * (double)x[c];
            if (a <= 0) continue;
            g[D * H + H + h] += slope * a;
            g[D * H + h] += slope * w[D * H + H + h];
            for (size_t c = 0; c < D; c++) g[c * H + h] += slope * w[D * H + H + h] * (double)x[c];
        }
    }
}

static double twin_net(const struct estimator_prompt *p, size_t k, double lr) {
    double w[N], m[N] = {0}, v[N] = {0}, g[N];
    initial(w, p->seed, p->sample, k);
    for (int step = 1; step <= STEPS; step++) {
        gradient(g, w, p, k);
        for (size_t i = 0; i < N; i++) {
            m[i] = 0.9 * m[i] + 0.1 * g[i];
            v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
            w[i] -= lr * m[i] / (1 - pow(0.9, step)) / (sqrt(v[i] / (1 - pow(0.999, step))) + 1e-8);
        }
    }
    return output(w, p->query + k * D);
}

static struct estimator_setup net(size_t hidden, size_t steps, size_t batch, double lr) {
    struct estimator_setup s;
    estimator_setup_named(&s, "two_layer_net");
    s.size = hidden, s.steps = steps, s.batch = batch, s.weight = lr;
    return s;
}

static void the_net_is_its_twin(void **state) {
    (void)state;
    struct scene s;
    float got[POINTS_MAX];
    const struct estimator_setup setup = net(H, STEPS, 100, 5e-3);
    for (uint64_t seed = 1; seed < 4; seed++) {
        scene_make(&s, 12, D, 0.3, seed);
        scene_curve(got, &setup, &s.prompt);
        assert_true(got[0] == 0);
        for (size_t k = 1; k < 12; k++)
            assert_near((double)got[k], twin_net(&s.prompt, k, 5e-3), 1e-4, "net", k);
    }
}

/* y = 2 |x| - 1 is a net of two units: enough steps learn it. */
static void a_bend_is_learned(void **state) {
    (void)state;
    enum { POINTS = 32 };
    struct scene s;
    float got[POINTS];
    const struct estimator_setup setup = net(50, 1000, 100, 1e-2);
    scene_make(&s, POINTS, 1, 0, 4);
    for (size_t i = 0; i < POINTS; i++) s.y[i] = 2 * fabsf(s.x[i]) - 1;
    s.x[POINTS - 1] = 0.7F; /* the last query, between examples */
    s.y[POINTS - 1] = 0.4F;
    scene_curve(got, &setup, &s.prompt);
    assert_near((double)got[POINTS - 1], 0.4, 0.05, "net", POINTS - 1);
}

/* More examples than the batch: other examples at other steps, all the same the next time. */
static void small_batches_are_drawn(void **state) {
    (void)state;
    struct scene s;
    float whole[POINTS_MAX], part[POINTS_MAX], again[POINTS_MAX];
    scene_make(&s, 16, D, 0.3, 2);
    const struct estimator_setup all = net(H, 20, 100, 5e-3), few = net(H, 20, 8, 5e-3);
    scene_curve(whole, &all, &s.prompt);
    scene_curve(part, &few, &s.prompt);
    scene_curve(again, &few, &s.prompt);
    assert_memory_equal(part, again, 16 * sizeof *part);
    assert_memory_equal(part, whole, 9 * sizeof *part);
    for (size_t k = 9; k < 16; k++) assert_true(part[k] != whole[k] && isfinite(part[k]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_net_is_its_twin),
        cmocka_unit_test(a_bend_is_learned),
        cmocka_unit_test(small_batches_are_drawn),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
