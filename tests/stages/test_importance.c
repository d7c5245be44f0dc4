#include <math.h>
#include <string.h>

#include "stages/evaluate_world.h"
#include "stages/importance_rows.h"

ROW_READER(importance_row, IMPORTANCE_ROW)

enum { FUNCTIONS = 10, LAYERS = 2, HEADS = 4 };

/* The test functions are those of EVALUATE(EVALUATE_SIZES). */
#define IMPORTANCE(keys)                                                                           \
    EVALUATE_HEAD "{ stage = \"importance\"; of = \"fit\"; functions = 10; chunk = 4; "            \
                  "prompts = 12; " keys " },\n{ stage = \"evaluate\"; of = \"fit\"; "              \
                  "points = 9; functions = 10; chunk = 4; } );\n"

static struct host_twin *importance_of(const struct evaluate_world *w) {
    const struct lab_job job = {.kind = "importance", .inputs = {w->fit, w->model}, .n_inputs = 2};
    return lab_run(&w->lab, &job);
}

/* With all weights the errors are those that `evaluate` finds at the last point. */
static void errors_of_all_heads(void **state) {
    (void)state;
    struct evaluate_world w;
    evaluate_world_open(&w, IMPORTANCE(""), 0);
    struct host_twin *h = importance_of(&w), *evaluated = evaluate_fitted(&w);
    const struct job_tensor *errors = host_twin_tensor(h, "errors"),
                            *wanted = host_twin_tensor(evaluated, "errors");
    assert_true(errors && errors->shape[0] == 1 + HEADS && errors->shape[1] == FUNCTIONS);
    assert_true(wanted && wanted->shape[1] == 9);
    for (size_t i = 0; i < FUNCTIONS; i++) {
        const double expected = (double)wanted->data[9 * i + 8];
        CLOSE(fabs((double)errors->data[i] - expected), 1e-5 * fmax(1, expected));
    }
    host_twin_destroy(h);
    host_twin_destroy(evaluated);
    lab_close(&w.lab);
}

static size_t rank_in(const double *x, size_t h) {
    size_t rank = 1;
    for (size_t i = 0; i < HEADS; i++) rank += x[i] > x[h] || (x[i] == x[h] && i < h);
    return rank;
}

/* The mean difference of two rows of errors, and the ranks of the columns. */
static void rows_summarise_the_maps(void **state) {
    (void)state;
    struct evaluate_world w;
    evaluate_world_open(&w, IMPORTANCE("points = 11;"), 0);
    struct host_twin *h = importance_of(&w);
    const float *errors = host_twin_tensor(h, "errors")->data;
    const struct job_tensor *effects = host_twin_tensor(h, "effects");
    double map[4][HEADS];
    assert_int_equal(host_twin_rows(h), HEADS);
    assert_true(effects && effects->shape[2] == 12);
    for (size_t i = 0; i < HEADS; i++) {
        const struct importance_row row = read_importance_row(h, i);
        double left_out = 0, effect = 0;
        for (size_t f = 0; f < FUNCTIONS; f++)
            left_out += (double)(errors[(1 + i) * FUNCTIONS + f] - errors[f]) / FUNCTIONS;
        for (size_t f = 0; f < 12; f++) effect += (double)effects->data[i * 12 + f] / 12;
        CLOSE(fabs(row.leave_one_out - left_out), 1e-6);
        CLOSE(fabs(row.effect - effect), 1e-6);
        assert_true(row.out_low < row.leave_one_out && row.leave_one_out < row.out_high);
        assert_int_equal(row.layer, i / 2);
        assert_int_equal(row.head, i % 2);
        assert_int_equal(row.points, 11);
        assert_int_equal(row.repeat, 7);
        map[0][i] = fabs(row.weight);
        map[1][i] = fabs(row.change);
        map[2][i] = row.leave_one_out;
        map[3][i] = row.effect;
    }
    for (size_t i = 0; i < HEADS; i++) {
        const struct importance_row row = read_importance_row(h, i);
        assert_int_equal(row.weight_rank, rank_in(map[0], i));
        assert_int_equal(row.change_rank, rank_in(map[1], i));
        assert_int_equal(row.out_rank, rank_in(map[2], i));
        assert_int_equal(row.effect_rank, rank_in(map[3], i));
    }
    host_twin_destroy(h);
    lab_close(&w.lab);
}

/* A head without a weight changes nothing when it is left out; the change is that from the initial
 * weights, which are 0 where the fit begins there. */
static void heads_without_weights(void **state) {
    (void)state;
    struct evaluate_world w;
    static const char CONFIG[] =
        "name = \"lab\"; seed = 5; source = { problem = \"linear\"; dims = 3; };\n"
        "stages = ( { stage = \"pretrain\"; model = { layers = 2; heads = 2; width = 16; "
        "positions = 24; }; points = 6; batch = 8; shards = 1; steps = 20; optimiser = { lr = "
        "1e-2; }; },\n{ stage = \"fit\"; of = \"pretrain\"; method = \"ltv\"; ltv = { init = 0.0; "
        "}; points = 9; prompts = 40; batch = 16; epochs = 1; patience = 1; optimiser = { lr = "
        "1e-12; }; },\n{ stage = \"importance\"; of = \"fit\"; functions = 10; prompts = 12; } );";
    evaluate_world_open(&w, CONFIG, 0);
    struct host_twin *h = importance_of(&w);
    for (size_t i = 0; i < HEADS; i++) {
        const struct importance_row row = read_importance_row(h, i);
        CLOSE(fabs(row.weight), 1e-10);
        CLOSE(fabs(row.change - row.weight), 1e-15);
        CLOSE(fabs(row.leave_one_out), 1e-6);
    }
    host_twin_destroy(h);
    lab_close(&w.lab);
}

static void what_is_refused(void **state) {
    struct err err;
    struct job_cost cost;
    (void)state;
    struct lab lab = lab_open(IMPORTANCE(""));
    const struct stage_parent constant[] = {
        {stage_find("fit"), lab_point(&lab, "fit", 1)},
        {stage_find("pretrain"), lab_point(&lab, "pretrain", 0)}};
    ERROR_SAYS(stage_find("importance")
                   ->plan(&cost, lab_point(&lab, "importance", 0), NULL, constant, 2, &err),
               ERR_CONFIG, "constant does not learn a weight for each head");
    lab_close(&lab);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_of_all_heads),
        cmocka_unit_test(rows_summarise_the_maps),
        cmocka_unit_test(heads_without_weights),
        cmocka_unit_test(what_is_refused),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
