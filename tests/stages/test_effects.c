#include <math.h>
#include <stdlib.h>

#include "activations/causal_map.h"
#include "model/checkpoint.h"
#include "sources/problems/prompts.h"
#include "stages/effects_rows.h"
#include "stages/read_row.h"
#include "stages/stage_job.h"

#define HEAD                                                                                       \
    "name = \"lab\"; seed = 5; source = { problem = \"linear\"; dims = 3; };\n"                    \
    "stages = ( { stage = \"pretrain\"; model = { layers = 2; heads = 2; width = 16; positions = " \
    "24; }; points = 6; batch = 8; shards = 1; steps = 5; },\n"
#define EFFECTS(keys) HEAD "{ stage = \"effects\"; of = \"pretrain\"; " keys " } );\n"

enum { N = 5, POINTS = 4, L = 2, H = 2, E = 16, INPUTS = 3, QUERY = 2 * (POINTS - 1) };

ROW_READER(effects_row, EFFECTS_ROW)

static struct err err;

struct map { /* a job, and all that the definition needs */
    struct lab lab;
    struct host_twin *host;
    struct model model;
    struct model_twin twin;
    struct prompts prompts;
    struct rng stream;
};

static struct map map_make(const char *text) {
    struct map m = {.lab = lab_open(text), .stream = rng_stream(5, "effects/corruption")};
    char path[SCRATCH_PATH];
    const struct lab_job pretrain = {.kind = "pretrain", .memory = SIZE_MAX};
    struct lab_job job = {.kind = "effects", .n_inputs = 1};
    struct prompts_setup source = {.seed = 5, .split = "effects"};
    job.inputs[0] = lab_make(&m.lab, &pretrain, "model.safetensors", path);
    m.host = lab_run(&m.lab, &job);
    SUCCEEDS(model_open(&m.model, path, &err));
    m.twin = model_twin_create(&m.model.params);
    problem_setup_read(&source.setup, lab_point(&m.lab, "effects", 0));
    SUCCEEDS(prompts_create(&m.prompts, &source, N, POINTS, &err));
    prompts_draw(&m.prompts, &source, 0, INPUTS);
    return m;
}

static void map_free(struct map *m) {
    prompts_destroy(&m->prompts);
    model_twin_destroy(&m->twin);
    model_close(&m->model);
    host_twin_destroy(m->host);
    lab_close(&m->lab);
}

/* Prompt i up to its query, labels in another order, and what is patched there. */
static double predict(struct map *m, size_t i, const uint32_t *order,
                      const struct twin_patch *patch) {
    double tokens[2 * POINTS * INPUTS] = {0};
    for (size_t k = 0; k < POINTS; k++) {
        for (size_t c = 0; c < INPUTS; c++)
            tokens[2 * k * INPUTS + c] = (double)m->prompts.x[(i * POINTS + k) * INPUTS + c];
        tokens[(2 * k + 1) * INPUTS] = (double)m->prompts.y[i * POINTS + (order ? order[k] : k)];
    }
    m->twin.patches = patch;
    m->twin.n_patches = patch != NULL;
    model_twin_run(&m->twin, tokens, QUERY + 1, NULL, 0);
    m->twin.n_patches = 0;
    return m->twin.prediction[QUERY];
}

/* mean [L, E] of z or a at the clean queries. */
static void find_mean(double mean[L * E], struct map *m, bool heads) {
    memset(mean, 0, L * E * sizeof *mean);
    for (size_t i = 0; i < N; i++) {
        (void)predict(m, i, NULL, NULL);
        const double *from = heads ? m->twin.z : m->twin.a;
        for (size_t l = 0; l < L; l++)
            for (size_t e = 0; e < E; e++)
                mean[l * E + e] += from[(l * m->twin.dims.positions + QUERY) * E + e] / N;
    }
}

static double effect_on(struct map *m, size_t i, size_t head, const double *mean, bool heads,
                        bool shared) {
    const size_t D = E / H, at = head / H * E + head % H * D;
    const double y = (double)m->prompts.y[i * POINTS + POINTS - 1];
    uint32_t order[POINTS] = {0, 1, 2, 3};
    const struct twin_patch patch = {.site = heads ? 'z' : 'a',
                                     .layer = head / H,
                                     .token = QUERY,
                                     .from = head % H * D,
                                     .n = D,
                                     .scale = 1,
                                     .values = mean + at};
    rng_permutation(order, shared ? POINTS - 1 : POINTS, &m->stream, shared ? i : head, 0);
    const double corrupted = predict(m, i, order, NULL) - y;
    const double patched = predict(m, i, order, &patch) - y;
    return corrupted * corrupted - patched * patched;
}

static void compare(const char *text, bool heads, bool shared) {
    struct map m = map_make(text);
    const struct job_tensor *effects = host_twin_tensor(m.host, "effects");
    double mean[L * E], want[L * H] = {0}, each[L * H * N];
    find_mean(mean, &m, heads);
    assert_true(effects->shape[0] == L && effects->shape[1] == H && effects->shape[2] == N);
    for (size_t j = 0; j < L * H; j++)
        for (size_t i = 0; i < N; i++) {
            each[j * N + i] = effect_on(&m, i, j, mean, heads, shared);
            want[j] += each[j * N + i] / N;
        }
    CLOSE(relative_error(effects->data, each, L * H * N), 1e-4);
    CLOSE(relative_error(host_twin_tensor(m.host, heads ? "basis_heads" : "basis_attention")->data,
                         mean, L * E),
          1e-5);
    assert_int_equal(host_twin_rows(m.host), L * H);
    for (size_t j = 0; j < L * H; j++) {
        size_t before = 0;
        const struct effects_row row = read_effects_row(m.host, j);
        for (size_t i = 0; i < L * H; i++) before += want[i] > want[j];
        assert_true(row.layer == (int64_t)(j / H));
        assert_true(row.head == (int64_t)(j % H));
        assert_int_equal(row.prompts, N);
        CLOSE(fabs(row.effect - want[j]), 1e-5);
        assert_true(row.effect_low < row.effect && row.effect < row.effect_high);
        assert_int_equal(row.rank, before + 1);
    }
    map_free(&m);
}

static void maps_are_as_defined(void **state) {
    (void)state;
    compare(EFFECTS("points = 4; prompts = 5; chunk = 2;"), true, true);
    compare(EFFECTS("points = 4; prompts = 5; chunk = 3; corruption = \"redrawn\";"), true, false);
    compare(EFFECTS("points = 4; prompts = 5; reading = \"reprojected\";"), false, true);
}

static void plan_refuses_what_cannot_run(void **state) {
    (void)state;
    lab_refuses(EFFECTS("points = 13;"), "effects", "pretrain", "13 points are beyond");
    lab_refuses(EFFECTS("points = 3;"), "effects", NULL, "no model");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_are_as_defined),
        cmocka_unit_test(plan_refuses_what_cannot_run),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
