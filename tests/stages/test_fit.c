#include <math.h>
#include <stdlib.h>

#include "methods/ltv.h"
#include "passes/fit_data.h"
#include "sources/shared_contexts.h"
#include "stages/fit_world.h"

#define FIT(keys) FIT_WORLD(2) "{ stage = \"fit\"; of = \"pretrain\"; " keys " } );\n"
#define METHODS "method = [\"ltv\", \"constant\", \"bias_only\"];"
#define SIZES "points = 9; prompts = 40; batch = 12; epochs = 4; optimiser = { lr = 1e-2; };"

static struct err err;

/* ---- the stage */

static void kept_and_filled_again_are_the_same(void **state) {
    (void)state;
    struct fit_world w;
    fit_world_open(&w, FIT(METHODS SIZES "shards = 2; basis = [\"prompt\", \"mean\"];"));
    for (size_t i = 0; i < 4; i++) { /* only ltv reads the basis */
        struct lab_job job = fit_world_job(&w, i);
        struct host_twin *kept = lab_run(&w.lab, &job);
        job.memory = 0;
        struct host_twin *again = lab_run(&w.lab, &job);
        assert_true(host_twin_same(kept, again));
        assert_int_equal(host_twin_rows(kept), 1);
        host_twin_destroy(kept);
        host_twin_destroy(again);
    }
    lab_close(&w.lab);
}

static void any_group_gives_the_same_bits(void **state) {
    (void)state;
    struct fit_world w;
    fit_world_open(&w, FIT("basis = [\"prompt\", \"mean\"];" SIZES "shards = 3;"));
    for (size_t i = 0; i < 2; i++) {
        struct lab_job job = fit_world_job(&w, i);
        struct host_twin *alone = lab_run(&w.lab, &job);
        for (job.ranks = 2; job.ranks <= 3; job.ranks++) {
            struct host_twin *group = lab_run(&w.lab, &job);
            assert_true(host_twin_same(alone, group));
            for (int r = 0; r < job.ranks; r++) assert_true(host_twin_shards(group, r) >= 1);
            host_twin_destroy(group);
        }
        host_twin_destroy(alone);
    }
    lab_close(&w.lab);
}

static void a_resumed_fit_gives_the_same_bits(void **state) {
    (void)state;
    struct fit_world w;
    fit_world_open(&w, FIT(SIZES "checkpoint_every = 2;"));
    /* Three answers while contexts are made, then three updates an epoch. */
    const size_t answers[] = {1, 3 + 4, 3 + 7};
    const char *words[] = {"stopped before the first update", "stopped after epoch 1",
                           "stopped after epoch 3"};
    fit_world_resumes(&w, answers, words, 3, 2);
    lab_close(&w.lab);
}

/* Reports go up from 0, for a part of the whole while contexts are made. Uncached contexts without
 * a basis are made in the epochs; a resumed fit makes its contexts again, up to the same part. */
static void progress_starts_with_the_contexts(void **state) {
    (void)state;
    struct fit_world w;
    fit_world_open(&w,
                   FIT("method = [\"ltv\", \"constant\"]; points = 9; prompts = 40; batch = 12; "
                       "epochs = 4;"));
    for (size_t i = 0; i < 4; i++) {
        const bool cached = i < 2, basis = i % 2 == 0;
        struct lab_job job = fit_world_job(&w, i % 2);
        const double *reports;
        if (!cached) job.memory = 0;
        struct host_twin *h = lab_run(&w.lab, &job);
        const size_t n = host_twin_progress(&reports, h), loading = 3; /* at 0, 16 and 32 */
        assert_true(n > loading + 4 && reports[0] < 0.1 && reports[n - 1] > 0.9);
        for (size_t k = 1; k < n; k++) assert_true(reports[k] >= reports[k - 1]);
        if (cached || basis) assert_true(reports[1] > reports[0] && reports[2] > 1.5 * reports[1]);
        if (cached || basis) assert_true(reports[2] > 0.05 && reports[2] < 0.9);
        host_twin_destroy(h);
    }
    lab_close(&w.lab);
}

/* Rounded contexts: other bits, nearly the same fit, kept or filled again. */
static void half_contexts_fit_alike(void **state) {
    (void)state;
    struct fit_world w;
    fit_world_open(&w, FIT(SIZES "contexts = [\"single\", \"half\"];"));
    struct lab_job jobs[] = {fit_world_job(&w, 0), fit_world_job(&w, 1), fit_world_job(&w, 1)};
    struct host_twin *h[3];
    jobs[2].memory = 0;
    for (size_t i = 0; i < 3; i++) h[i] = lab_run(&w.lab, &jobs[i]);
    assert_false(host_twin_same(h[0], h[1]));
    assert_true(host_twin_same(h[1], h[2]));
    const double single = read_fit_row(h[0], 0).validation_loss;
    const double half = read_fit_row(h[1], 0).validation_loss;
    CLOSE(fabs(half - single) / single, 1e-3);
    for (size_t i = 0; i < 3; i++) host_twin_destroy(h[i]);
    lab_close(&w.lab);
}

static void results_have_the_methods_shape(void **state) {
    (void)state;
    struct fit_world w;
    fit_world_open(&w, FIT(METHODS SIZES "patience = 1; patience_rule = \"cumulative\";"));
    const char *names[] = {"ltv", "constant", "bias_only"};
    const size_t columns[] = {2, 16, 1};
    for (size_t i = 0; i < 3; i++) {
        const struct lab_job job = fit_world_job(&w, i);
        struct host_twin *h = lab_run(&w.lab, &job);
        const struct job_tensor *weights = host_twin_tensor(h, "weights");
        const struct fit_row row = read_fit_row(h, 0);
        assert_string_equal(row.method, names[i]);
        assert_string_equal(row.reading, i == 0 ? "heads" : "");
        assert_int_equal(row.points, 9);
        assert_int_equal(row.basis_points, i == 0 ? 6 : 0);
        assert_int_equal(weights->shape[0], 2);
        assert_int_equal(weights->shape[1], columns[i]);
        assert_int_equal(host_twin_tensor(h, "validation_losses")->shape[0], row.epochs);
        assert_string_equal(host_twin_note(h, "method"), names[i]);
        host_twin_destroy(h);
    }
    lab_close(&w.lab);
}

/* Another fit's weights, kept as they are: its validation loss again, on the same prompts. */
static void weights_of_a_file_are_kept(void **state) {
    (void)state;
    struct fit_world w, again;
    char path[SCRATCH_PATH], text[1024 + SCRATCH_PATH];
    fit_world_open(&w, FIT(SIZES));
    const struct lab_job job = fit_world_job(&w, 0);
    struct host_twin *made = lab_run(&w.lab, &job);
    (void)lab_make(&w.lab, &job, "weights.safetensors", path);
    (void)snprintf(text, sizeof text, FIT("%s epochs = 0; weights = \"%s\";"),
                   "points = 9; prompts = 40; batch = 12;", path);
    fit_world_open(&again, text);
    const struct lab_job keep = fit_world_job(&again, 0);
    struct host_twin *kept = lab_run(&again.lab, &keep);
    const struct job_tensor *a = host_twin_tensor(made, "weights");
    const struct job_tensor *b = host_twin_tensor(kept, "weights");
    assert_memory_equal(a->data, b->data, 4 * sizeof *a->data);
    const struct fit_row row = read_fit_row(kept, 0);
    assert_int_equal(row.epochs, 0);
    assert_true(isnan(row.train_loss));
    assert_true(row.validation_loss == read_fit_row(made, 0).validation_loss);
    (void)snprintf(text, sizeof text, FIT("method = \"constant\"; %s weights = \"%s\";"),
                   "points = 9; prompts = 40;", path);
    lab_refuses(text, "fit", "pretrain", "weights of the method ltv, not of constant");
    host_twin_destroy(kept);
    host_twin_destroy(made);
    lab_close(&again.lab);
    lab_close(&w.lab);
}

static void a_fit_lowers_its_loss(void **state) {
    (void)state;
    struct fit_world w;
    fit_world_open(&w, FIT("method = \"constant\"; points = 9; prompts = 120; batch = 16; epochs = "
                           "12; optimiser = { lr = 2e-2; };"));
    const struct lab_job job = fit_world_job(&w, 0);
    struct host_twin *h = lab_run(&w.lab, &job);
    const float *losses = host_twin_tensor(h, "validation_losses")->data;
    const size_t epochs = host_twin_tensor(h, "validation_losses")->shape[0];
    const double best = read_fit_row(h, 0).validation_loss;
    double least = (double)losses[0];
    for (size_t i = 0; i < epochs; i++) least = fmin(least, (double)losses[i]);
    assert_true((float)best == (float)least);
    if (!(best < (double)losses[0])) fail_msg("%g at first, %g at best", (double)losses[0], best);
    host_twin_destroy(h);
    lab_close(&w.lab);
}

static void a_model_is_needed(void **state) {
    (void)state;
    struct lab lab = lab_open(FIT("points = 9;"));
    struct job_cost cost;
    ERROR_SAYS(lab_plan(&cost, &lab, "fit", NULL, &err), ERR_CONFIG,
               "no model: give model.checkpoint, or name a pretrain stage in `of`");
    const struct lab_job job = {.kind = "fit"};
    struct host_twin *h = lab_host(&lab, &job);
    ERROR_SAYS(host_twin_run(h, lab_work, lab_stage("fit"), &err), ERR_CONFIG, "no model");
    host_twin_destroy(h);
    lab_close(&lab);
}

static void plan_refuses_what_cannot_run(void **state) {
    (void)state;
    lab_refuses(FIT("points = 13;"), "fit", "pretrain", "13 points are beyond the model's");
    lab_refuses(FIT("points = 5;"), "fit", "pretrain",
                "the basis is at point 6, but prompts have 5 points");
    lab_refuses(FIT("points = 9; prompts = 10; validation = 0.01;"), "fit", "pretrain",
                "0.01 of 10 prompts leaves 10 for training");
    lab_refuses(FIT("points = 9; prompts = 10; validation = 0.99;"), "fit", "pretrain",
                "leaves 0 for training");
    lab_refuses(FIT("points = 9; group = 2;"), "fit", "pretrain", "2 ranks for 1 shards");
    lab_refuses(FIT("points = 9; source = { dims = 4; };"), "fit", "pretrain",
                "prompts have 4 dims, but the model reads 3");
}

static void check_contexts(const char *text, double bytes) {
    struct lab lab = lab_open(text);
    struct job_cost cost;
    SUCCEEDS(lab_plan(&cost, &lab, "fit", "pretrain", &err));
    const double contexts = 4000.0 * 2 * 2 * 16 * 16 * bytes; /* n, k and v, L, T, E */
    const double pass = contexts * 256 / 4000; /* a batch's: what is there in any case */
    CLOSE(fabs(cost.memory - cost.memory_least - (contexts - pass)), 1e4);
    lab_close(&lab);
}

static void plan_knows_the_contexts(void **state) {
    (void)state;
    check_contexts(FIT("points = 9; prompts = 4000;"), 4);
    check_contexts(FIT("points = 9; prompts = 4000; contexts = \"half\";"), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_and_filled_again_are_the_same),
        cmocka_unit_test(any_group_gives_the_same_bits),
        cmocka_unit_test(a_resumed_fit_gives_the_same_bits),
        cmocka_unit_test(progress_starts_with_the_contexts),
        cmocka_unit_test(half_contexts_fit_alike),
        cmocka_unit_test(results_have_the_methods_shape),
        cmocka_unit_test(weights_of_a_file_are_kept),
        cmocka_unit_test(a_fit_lowers_its_loss),
        cmocka_unit_test(a_model_is_needed),
        cmocka_unit_test(plan_refuses_what_cannot_run),
        cmocka_unit_test(plan_knows_the_contexts),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
