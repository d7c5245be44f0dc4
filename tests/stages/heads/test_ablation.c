#include <math.h>
#include <stdlib.h>

#include "model/checkpoint.h"
#include "sources/problems/prompts.h"
#include "stages/heads/ablation_rows.h"
#include "stages/heads/agreement_rows.h"
#include "stages/heads/head_weights_rows.h"
#include "stages/read_row.h"
#include "stages/stage_job.h"
#include "tensorfile/tensorfile.h"

/* Weights of heads, their agreement and curves of ablation on a small model of numbers, against the
 * double-precision twin of the model and orders that are sorted here. */

#define FIT(more)                                                                                  \
    "{ stage = \"fit\"; of = \"pretrain\"; method = \"ltv\"; points = 4; basis_points = 4; "       \
    "prompts = 16; batch = 8; repeat = 3; " more " }"
#define CONFIG(fit)                                                                                \
    "name = \"lab\"; seed = 5; source = { problem = \"linear\"; dims = 3; };\n"                    \
    "stages = ( { stage = \"pretrain\"; model = { layers = 2; heads = 2; width = 16; positions = " \
    "24; }; points = 6; batch = 8; shards = 1; steps = 5; },\n" fit ",\n"                          \
    "{ stage = \"effects\"; of = \"pretrain\"; points = 4; prompts = 5; },\n"                      \
    "{ stage = \"head_weights\"; of = \"fit\"; },\n"                                               \
    "{ stage = \"agreement\"; of = [\"effects\", \"head_weights\"]; share = 0.5; },\n"             \
    "{ stage = \"ablation\"; of = [\"effects\", \"head_weights\"]; points = 4; functions = 5; "    \
    "prompts = 6; chunk = 2; shares = [0.25, 0.5, 1.0]; excluded = 0.25; draws = 2; } );\n"
#define LEARNS FIT("epochs = 30; optimiser = { lr = 0.1; };")

enum {
    L = 2,
    H = 2,
    HEADS = L * H,
    E = 16,
    D = E / H,
    INPUTS = 3,
    POINTS = 4,
    ITEMS = 5,
    MEANS = 6
};
enum { QUERY = 2 * (POINTS - 1) };

ROW_READER(head_weights_row, HEAD_WEIGHTS_ROW)
ROW_READER(agreement_row, AGREEMENT_ROW)
ROW_READER(ablation_row, ABLATION_ROW)

static struct err err;

struct world { /* one run of all stages */
    struct lab lab;
    char paths[4][SCRATCH_PATH];
    struct job_input model, fit, effects, weights;
    struct host_twin *weights_host;
};

static void world_open(struct world *w, const char *text) {
    const struct lab_job pretrain = {.kind = "pretrain", .memory = SIZE_MAX};
    w->lab = lab_open(text);
    w->model = lab_make(&w->lab, &pretrain, "model.safetensors", w->paths[0]);
    const struct lab_job fit = {
        .kind = "fit", .memory = SIZE_MAX, .inputs = {w->model}, .n_inputs = 1};
    const struct lab_job effects = {.kind = "effects", .inputs = {w->model}, .n_inputs = 1};
    w->fit = lab_make(&w->lab, &fit, "fit.safetensors", w->paths[1]);
    w->effects = lab_make(&w->lab, &effects, "effects.safetensors", w->paths[2]);
    const struct lab_job weights = {
        .kind = "head_weights", .inputs = {w->fit, w->model}, .n_inputs = 2};
    w->weights = lab_make(&w->lab, &weights, "weights.safetensors", w->paths[3]);
    w->weights_host = lab_run(&w->lab, &weights);
}

static void world_free(struct world *w) {
    host_twin_destroy(w->weights_host);
    lab_close(&w->lab);
}

static struct host_twin *run_on_maps(const struct world *w, const char *kind) {
    const struct lab_job job = {
        .kind = kind, .inputs = {w->effects, w->weights, w->model}, .n_inputs = 3};
    return lab_run(&w->lab, &job);
}

/* ---- weights */

static void weights_are_compared_with_where_they_began(void **state) {
    (void)state;
    struct world w, still;
    world_open(&w, CONFIG(LEARNS));
    world_open(&still, CONFIG(FIT("epochs = 1; optimiser = { lr = 1e-30; };")));
    const float *weight = host_twin_tensor(w.weights_host, "weights")->data;
    const float *initial = host_twin_tensor(w.weights_host, "initial")->data;
    const float *unmoved = host_twin_tensor(still.weights_host, "weights")->data;
    assert_int_equal(host_twin_rows(w.weights_host), HEADS);
    for (size_t i = 0; i < HEADS; i++) {
        const struct head_weights_row row = read_head_weights_row(w.weights_host, i);
        int64_t larger = 1, moved_more = 1;
        for (size_t k = 0; k < HEADS; k++) {
            larger += fabsf(weight[k]) > fabsf(weight[i]);
            moved_more += fabsf(weight[k] - initial[k]) > fabsf(weight[i] - initial[i]);
        }
        assert_true(initial[i] == unmoved[i]);
        assert_true(row.weight == (double)weight[i] && row.initial == (double)initial[i]);
        assert_true(row.change == (double)weight[i] - (double)initial[i] && row.change != 0);
        assert_true(row.rank == larger && row.change_rank == moved_more);
        assert_true(row.layer == (int64_t)(i / H) && row.head == (int64_t)(i % H));
        assert_true(row.repeat == 3 && row.points == 4);
        assert_string_equal(row.method, "ltv");
        assert_string_equal(row.source, "linear");
    }
    world_free(&w);
    world_free(&still);
}

/* ---- orders, sorted here */

static double value_of(const struct world *w, const char *ranking, size_t head) {
    double value = 0;
    if (strcmp(ranking, "patching") == 0) {
        struct err ignored;
        struct tensorfile *file;
        SUCCEEDS(tensorfile_open(&file, w->effects.artifact, &ignored));
        const float *effect = tensorfile_find(file, "effects")->data;
        for (size_t i = 0; i < 5; i++) value += (double)effect[head * 5 + i];
        tensorfile_close(file);
        return value;
    }
    const struct head_weights_row row = read_head_weights_row(w->weights_host, head);
    return fabs(strcmp(ranking, "weights") == 0 ? row.weight : row.change);
}

static void sort_heads(uint32_t order[HEADS], const struct world *w, const char *ranking,
                       int64_t draw) {
    double value[HEADS];
    if (strcmp(ranking, "random") == 0) {
        const struct rng stream = rng_stream(5, "ablation/random");
        rng_permutation(order, HEADS, &stream, (uint64_t)draw, 0);
        return;
    }
    for (size_t i = 0; i < HEADS; i++) value[i] = value_of(w, ranking, i);
    for (uint32_t i = 0; i < HEADS; i++) {
        size_t before = 0;
        for (size_t k = 0; k < HEADS; k++) before += value[k] > value[i];
        order[before] = i;
    }
}

static void orders_of_maps_are_compared(void **state) {
    static const char *const names[] = {"patching", "weights", "change"};
    (void)state;
    struct world w;
    world_open(&w, CONFIG(LEARNS));
    struct host_twin *h = run_on_maps(&w, "agreement");
    size_t number = 0;
    assert_int_equal(host_twin_rows(h), 3);
    for (size_t a = 0; a < 3; a++)
        for (size_t b = a + 1; b < 3; b++) {
            const struct agreement_row row = read_agreement_row(h, number++);
            uint32_t x[HEADS], y[HEADS];
            double apart = 0;
            size_t both = 0;
            sort_heads(x, &w, names[a], 0);
            sort_heads(y, &w, names[b], 0);
            for (size_t i = 0; i < HEADS; i++)
                for (size_t k = 0; k < HEADS; k++)
                    if (x[i] == y[k]) {
                        apart += pow((double)i - (double)k, 2);
                        both += i < 2 && k < 2;
                    }
            assert_string_equal(row.ranking, names[a]);
            assert_string_equal(row.other, names[b]);
            assert_string_equal(row.fit, a > 0 ? "ltv.heads" : "");
            assert_string_equal(row.other_fit, "ltv.heads");
            assert_true(row.repeat == (a > 0 ? 3 : 0) && row.other_repeat == 3 && row.top == 2);
            CLOSE(fabs(row.spearman - (1 - 6 * apart / (HEADS * (HEADS * HEADS - 1)))), 1e-12);
            CLOSE(fabs(row.overlap - (double)both / 2), 1e-12);
        }
    host_twin_destroy(h);
    world_free(&w);
}

/* ---- ablation, by the twin */

struct asked {
    struct model model;
    struct model_twin twin;
    struct prompts test, clean;
    double mean[L * E];
};

static double predict(struct asked *a, const struct prompts *from, size_t i,
                      const struct twin_patch *patches, size_t n) {
    double tokens[2 * POINTS * INPUTS] = {0};
    for (size_t k = 0; k < POINTS; k++) {
        for (size_t c = 0; c < INPUTS; c++)
            tokens[2 * k * INPUTS + c] = (double)from->x[(i * POINTS + k) * INPUTS + c];
        tokens[(2 * k + 1) * INPUTS] = (double)from->y[i * POINTS + k];
    }
    a->twin.patches = patches;
    a->twin.n_patches = n;
    model_twin_run(&a->twin, tokens, QUERY + 1, NULL, 0);
    a->twin.n_patches = 0;
    return a->twin.prediction[QUERY];
}

static void open_prompts(struct prompts *out, const struct world *w, const char *split, size_t n) {
    struct prompts_setup source = {.seed = 5};
    (void)snprintf(source.split, sizeof source.split, "%s", split);
    problem_setup_read(&source.setup, lab_point(&w->lab, "ablation", 0));
    SUCCEEDS(prompts_create(out, &source, n, POINTS, &err));
    prompts_draw(out, &source, 0, INPUTS);
}

static struct asked asked_open(const struct world *w) {
    struct asked a = {0};
    SUCCEEDS(model_open(&a.model, w->model.artifact, &err));
    a.twin = model_twin_create(&a.model.params);
    open_prompts(&a.test, w, "test", ITEMS);
    open_prompts(&a.clean, w, "effects", MEANS);
    for (size_t i = 0; i < MEANS; i++) {
        (void)predict(&a, &a.clean, i, NULL, 0);
        for (size_t l = 0; l < L; l++)
            for (size_t e = 0; e < E; e++)
                a.mean[l * E + e] += a.twin.z[(l * a.twin.dims.positions + QUERY) * E + e] / MEANS;
    }
    return a;
}

static void asked_close(struct asked *a) {
    prompts_destroy(&a->test);
    prompts_destroy(&a->clean);
    model_twin_destroy(&a->twin);
    model_close(&a->model);
}

/* Mean squared error without n heads. */
static double error_without(struct asked *a, const uint32_t *heads, size_t n) {
    struct twin_patch patches[HEADS];
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        patches[i] = (struct twin_patch){.site = 'z',
                                         .layer = heads[i] / H,
                                         .token = QUERY,
                                         .from = heads[i] % H * D,
                                         .n = D,
                                         .scale = 1,
                                         .values = a->mean + heads[i] * D};
    for (size_t i = 0; i < ITEMS; i++) {
        const double y = (double)a->test.y[i * POINTS + POINTS - 1];
        const double error = predict(a, &a->test, i, patches, n) - y;
        sum += error * error / ITEMS;
    }
    return sum;
}

/* The heads of a row: the first of its order that are not the first of the excluded one. */
static size_t heads_of(uint32_t heads[HEADS], const struct world *w,
                       const struct ablation_row *row) {
    uint32_t order[HEADS], excluded[HEADS] = {HEADS};
    size_t n = 0;
    if (strcmp(row->ranking, "none") == 0) return 0;
    sort_heads(order, w, row->ranking, row->repeat);
    if (strcmp(row->excluded, "none") != 0) sort_heads(excluded, w, row->excluded, 0);
    for (size_t i = 0; i < HEADS && (double)n < row->share * HEADS; i++)
        if (order[i] != excluded[0]) heads[n++] = order[i];
    return n;
}

static void curves_are_those_of_the_twin(void **state) {
    (void)state;
    struct world w;
    world_open(&w, CONFIG(LEARNS));
    struct host_twin *h = run_on_maps(&w, "ablation");
    struct asked a = asked_open(&w);
    size_t excluding = 0;
    /* patching, weights, change, two at random; patching without two others, two without patching
     */
    assert_int_equal(host_twin_rows(h), 1 + 3 * (5 + 4));
    for (size_t i = 0; i < host_twin_rows(h); i++) {
        const struct ablation_row row = read_ablation_row(h, i);
        uint32_t heads[HEADS];
        const size_t n = heads_of(heads, &w, &row);
        assert_true(row.heads == (int64_t)n && row.items == ITEMS && row.k == POINTS - 1);
        CLOSE(fabs(row.loss - error_without(&a, heads, n)) / row.loss, 1e-4);
        assert_true(row.loss_low < row.loss && row.loss < row.loss_high);
        assert_true(isnan(row.first_accuracy) && isnan(row.accuracy));
        excluding += strcmp(row.excluded, "none") != 0;
        if (row.share == 1)
            assert_true(n == (strcmp(row.excluded, "none") == 0 ? HEADS : HEADS - 1));
    }
    assert_int_equal(excluding, 3 * 4);
    asked_close(&a);
    host_twin_destroy(h);
    world_free(&w);
}

static void plan_refuses_what_has_no_meaning(void **state) {
    (void)state;
    lab_refuses(CONFIG(LEARNS), "agreement", "effects", "name more jobs");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_compared_with_where_they_began),
        cmocka_unit_test(orders_of_maps_are_compared),
        cmocka_unit_test(curves_are_those_of_the_twin),
        cmocka_unit_test(plan_refuses_what_has_no_meaning),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
