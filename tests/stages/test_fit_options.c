/* What a fit can be told beyond mini-batches of one length: L-BFGS, a penalty, several lengths. */
#include <math.h>
#include <stdlib.h>

#include "methods/method.h"
#include "stages/fit_world.h"

#define FIT(keys) FIT_WORLD(2) "{ stage = \"fit\"; of = \"pretrain\"; " keys " } );\n"
#define SIZES "points = 9; prompts = 40; batch = 12; "
#define LBFGS "optimiser = { name = \"lbfgs\"; };"

static struct err err;

/* The row of one fit of a config; its texts are gone, but for `end` where it is "converged". */
static struct fit_row run_fit(struct fit_world *w, size_t point) {
    const struct lab_job job = fit_world_job(w, point);
    struct host_twin *h = lab_run(&w->lab, &job);
    struct fit_row row = read_fit_row(h, 0);
    row.end = strcmp(row.end, "converged") == 0 ? "converged" : "";
    row.method = row.reading = NULL;
    host_twin_destroy(h);
    return row;
}

/* All prompts at once: what Adam is still far from after as many epochs. */
static void lbfgs_goes_further_than_adam(void **state) {
    (void)state;
    struct fit_world w;
    fit_world_open(
        &w, FIT("method = \"constant\"; " SIZES
                "epochs = 25; patience = 0; optimiser = { name = [\"adam\", \"lbfgs\"]; };"));
    const double a = run_fit(&w, 0).train_loss, b = run_fit(&w, 1).train_loss;
    if (!(b < 0.95 * a)) fail_msg("Adam %g, L-BFGS %g", a, b);
    lab_close(&w.lab);
}

/* Two numbers: the minimum is found to the last digits, and said so. */
static void lbfgs_says_when_it_has_converged(void **state) {
    (void)state;
    struct fit_world w;
    fit_world_open(&w, FIT("method = \"bias_only\"; " SIZES "epochs = 200; patience = 0; " LBFGS));
    const struct fit_row row = run_fit(&w, 0);
    assert_string_equal(row.end, "converged");
    assert_int_equal(row.nonzero, 2);
    lab_close(&w.lab);
}

static void lbfgs_has_the_same_bits_in_any_group(void **state) {
    (void)state;
    struct fit_world w;
    fit_world_open(&w, FIT(SIZES "epochs = 5; shards = 3; " LBFGS));
    struct lab_job job = fit_world_job(&w, 0);
    struct host_twin *alone = lab_run(&w.lab, &job);
    for (job.ranks = 2; job.ranks <= 3; job.ranks++) {
        struct host_twin *group = lab_run(&w.lab, &job);
        assert_true(host_twin_same(alone, group));
        host_twin_destroy(group);
    }
    host_twin_destroy(alone);
    lab_close(&w.lab);
}

static void a_stopped_descent_goes_on_with_the_same_bits(void **state) {
    (void)state;
    struct fit_world w;
    fit_world_open(&w, FIT(SIZES "epochs = 6; checkpoint_every = 2; " LBFGS));
    const struct lab_job job = fit_world_job(&w, 0);
    struct host_twin *whole = lab_run(&w.lab, &job), *h = lab_host(&w.lab, &job);
    size_t stops = 0;
    for (size_t answers = 1; answers < 200; answers++) {
        host_twin_stop_after(h, answers);
        if (host_twin_run(h, lab_work, lab_stage("fit"), &err) == ERR_OK) break;
        assert_int_equal(err.code, ERR_STOPPED);
        stops++;
    }
    assert_true(stops > 3 && host_twin_same(whole, h));
    host_twin_destroy(h);
    host_twin_destroy(whole);
    lab_close(&w.lab);
}

static void a_penalty_leaves_fewer_weights(void **state) {
    (void)state;
    struct fit_world w;
    int64_t before = 5;
    fit_world_open(&w, FIT("method = \"ltv\"; ltv = { l1 = [0.0, 3e-3, 1.0]; }; " SIZES
                           "epochs = 30; patience = 0; optimiser = { lr = 2e-2; };"));
    for (size_t i = 0; i < 3; i++) {
        const int64_t kept = run_fit(&w, i).nonzero;
        assert_true(i == 0 ? kept == 4 : kept < before);
        before = kept;
    }
    assert_int_equal(before, 0);
    lab_close(&w.lab);
    lab_refuses(FIT(SIZES "ltv = { l1 = 1e-3; }; " LBFGS), "fit", "pretrain",
                "L-BFGS cannot minimise an L1 penalty of 0.001: use adam");
}

/* Of its own prompt's basis or the mean; contexts kept or not, in any group: the same bits, and
 * others than of one length. */
static void lengths_have_the_same_bits_everywhere(void **state) {
    (void)state;
    struct fit_world w;
    fit_world_open(&w, FIT(SIZES
                           "lengths = ([], [6, 7, 9]); basis = [\"prompt\", \"mean\"]; epochs = 3; "
                           "shards = 2;"));
    assert_int_equal(config_stage_points(w.lab.config, 1), 4);
    struct lab_job plain = fit_world_job(&w, 0);
    struct host_twin *single = lab_run(&w.lab, &plain);
    for (size_t i = 0; i < 4; i++) {
        struct lab_job job = fit_world_job(&w, i);
        struct host_twin *alone = lab_run(&w.lab, &job);
        job.memory = 0;
        struct host_twin *again = lab_run(&w.lab, &job);
        job.ranks = 2;
        struct host_twin *group = lab_run(&w.lab, &job);
        assert_true(host_twin_same(alone, again) && host_twin_same(alone, group));
        assert_true(host_twin_same(alone, single) == (i == 0));
        host_twin_destroy(group);
        host_twin_destroy(again);
        host_twin_destroy(alone);
    }
    host_twin_destroy(single);
    lab_close(&w.lab);
}

/* The length of the prompts, said as the only one. */
static void one_length_is_that_of_the_prompts(void **state) {
    (void)state;
    struct fit_world w;
    fit_world_open(&w, FIT(SIZES "lengths = ([], [9]); epochs = 3;"));
    const struct lab_job jobs[] = {fit_world_job(&w, 0), fit_world_job(&w, 1)};
    struct host_twin *a = lab_run(&w.lab, &jobs[0]), *b = lab_run(&w.lab, &jobs[1]);
    const struct job_tensor *x = host_twin_tensor(a, "weights"),
                            *y = host_twin_tensor(b, "weights");
    assert_memory_equal(x->data, y->data, 4 * sizeof(float));
    host_twin_destroy(a);
    host_twin_destroy(b);
    lab_close(&w.lab);
}

static void plan_refuses_lengths_that_cannot_be(void **state) {
    (void)state;
    lab_refuses(FIT(SIZES "lengths = [6, 10];"), "fit", "pretrain",
                "lengths: length 10 in prompts of 9 points");
    lab_refuses(FIT(SIZES "lengths = [9, 6];"), "fit", "pretrain", "lengths: 6 after 9");
    lab_refuses(FIT(SIZES "lengths = [5, 9];"), "fit", "pretrain",
                "the basis at point 6 already contains the y of a query at point 5");
    lab_refuses(FIT(SIZES "lengths = [9]; method = \"task_vector\";"), "fit", "pretrain",
                "task_vector is derived and has no loss");
}

/* Heads that are wider together than the residual stream, as in Qwen3. */
static void readings_through_the_projection_need_its_width(void **state) {
    (void)state;
    struct fit_world w;
    struct method_setup setup;
    const struct params shape = {.dims = TINY};
    struct params wide = {.dims = TINY};
    fit_world_open(
        &w, FIT("method = \"ltv\"; ltv = { reading = [\"heads\", \"reprojected\"]; }; " SIZES));
    wide.dims.D = TINY.E / TINY.H + 2;
    const struct config_point *heads = lab_point(&w.lab, "fit", 0);
    const struct config_point *reprojected = lab_point(&w.lab, "fit", 1);
    method_setup_read(&setup, reprojected, &shape);
    SUCCEEDS(setup.method->config.check(&setup, reprojected, &err));
    setup.params = &wide;
    SUCCEEDS(setup.method->config.check(&setup, heads, &err));
    ERROR_SAYS(setup.method->config.check(&setup, reprojected, &err), ERR_CONFIG,
               "takes the attention output, of width 8, as input of the output projection, but the "
               "model has 2 heads of width 6");
    lab_close(&w.lab);
}

/* The text that identifies the first fit of a config. */
static void identify(struct text *out, const char *config) {
    struct lab lab = lab_open(config);
    config_point_identity(out, lab_point(&lab, "fit", 0));
    SUCCEEDS(text_check(out, &err));
    lab_close(&lab);
}

/* It is the same fit as one that is given every key, and a key that is given goes first. */
static void a_recipe_is_a_set_of_defaults(void **state) {
    (void)state;
    static const char *const SAME[] = {
        FIT("recipe = \"site_functions\"; optimiser = { lr = 0.1; };"),
        FIT("method = \"site\"; site = { gate = 0.5; init = 0.0; }; basis = \"mean\"; basis_points "
            "= 11; basis_prompts = 50; points = 11; lengths = [1]; prompts = 500; validation = "
            "0.2; "
            "batch = 1; epochs = 8; validate_every = 50; patience = 0; optimiser = { lr = 0.1; "
            "};")};
    struct text texts[2] = {{0}, {0}};
    for (size_t i = 0; i < 2; i++) identify(&texts[i], SAME[i]);
    assert_string_equal(text_str(&texts[0]), text_str(&texts[1]));
    for (size_t i = 0; i < 2; i++) text_release(&texts[i]);
}

/* SITE as published: 400 updates by one prompt each, and 8 validations, the best of which is kept.
 */
static void the_recipe_of_site(void **state) {
    (void)state;
    struct fit_world w;
    fit_world_open(&w, FIT("recipe = \"site_functions\";"));
    const struct lab_job job = fit_world_job(&w, 0);
    struct host_twin *h = lab_run(&w.lab, &job);
    const struct fit_row row = read_fit_row(h, 0);
    const struct job_tensor *losses = host_twin_tensor(h, "validation_losses");
    assert_string_equal(row.method, "site");
    assert_true(row.epochs == 8 && row.basis_points == 11 && losses->shape[0] == 8);
    for (size_t i = 0; i < 8; i++)
        assert_true((double)losses->data[i] >= row.validation_loss - 1e-6);
    assert_true((double)losses->data[row.best_epoch - 1] <= row.validation_loss + 1e-6);
    host_twin_destroy(h);
    lab_close(&w.lab);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lbfgs_goes_further_than_adam),
        cmocka_unit_test(lbfgs_says_when_it_has_converged),
        cmocka_unit_test(lbfgs_has_the_same_bits_in_any_group),
        cmocka_unit_test(a_stopped_descent_goes_on_with_the_same_bits),
        cmocka_unit_test(a_penalty_leaves_fewer_weights),
        cmocka_unit_test(lengths_have_the_same_bits_everywhere),
        cmocka_unit_test(one_length_is_that_of_the_prompts),
        cmocka_unit_test(plan_refuses_lengths_that_cannot_be),
        cmocka_unit_test(readings_through_the_projection_need_its_width),
        cmocka_unit_test(a_recipe_is_a_set_of_defaults),
        cmocka_unit_test(the_recipe_of_site),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
