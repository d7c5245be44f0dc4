#include <math.h>

#include "model/checkpoint.h"
#include "passes/train_step.h"
#include "stages/pretrain_rows.h"
#include "stages/pretrain_run.h"
#include "stages/read_row.h"
#include "stages/stage_job.h"

ROW_READER(pretrain_row, PRETRAIN_ROW)

#define HEAD "name = \"lab\"; seed = 5; source = { problem = \"linear\"; dims = 3; };\n"
#define MODEL "model = { layers = 2; heads = 2; width = 16; positions = 24; };"
#define PRETRAIN(keys) HEAD "stages = ( { stage = \"pretrain\"; " MODEL keys " } );\n"
#define TEN "points = 6; batch = 8; shards = 4; steps = 10; checkpoint_every = 4;"

static struct err err;
static const struct lab_job JOB = {.kind = "pretrain", .memory = SIZE_MAX};

static void any_group_gives_the_same_bits(void **state) {
    (void)state;
    struct lab lab = lab_open(PRETRAIN(TEN));
    struct lab_job job = JOB;
    struct host_twin *alone = lab_run(&lab, &job);
    assert_int_equal(host_twin_rows(alone), 10);
    assert_int_equal(host_twin_checkpoints(alone), 2);
    for (job.ranks = 2; job.ranks <= 4; job.ranks++) {
        struct host_twin *group = lab_run(&lab, &job);
        assert_true(host_twin_same(alone, group));
        for (int rank = 0; rank < job.ranks; rank++)
            assert_true(host_twin_shards(group, rank) >= 1);
        host_twin_destroy(group);
    }
    host_twin_destroy(alone);
    lab_close(&lab);
}

/* Stops at a step, resumes from the checkpoint, as often as it takes. */
static void resume_with(const struct lab *lab, const struct host_twin *whole, int ranks,
                        size_t steps_at_once) {
    struct lab_job job = JOB;
    job.ranks = ranks;
    struct host_twin *h = lab_host(lab, &job);
    enum err_code rc = ERR_STOPPED;
    int attempts = 0;
    host_twin_stop_after(h, steps_at_once);
    for (; rc == ERR_STOPPED && attempts < 20; attempts++) {
        rc = host_twin_run(h, lab_work, lab_stage("pretrain"), &err);
        if (rc == ERR_STOPPED) assert_non_null(strstr(err.msg, "stopped after step"));
    }
    assert_int_equal(rc, ERR_OK);
    assert_true(attempts > 1);
    for (size_t i = 0; i < host_twin_tensors(whole); i++) {
        const struct job_tensor *want = host_twin_tensor_at(whole, i);
        const struct job_tensor *got = host_twin_tensor(h, want->name);
        assert_memory_equal(got->data, want->data, want->shape[0] * sizeof(float));
    }
    assert_string_equal(host_twin_note(h, "losses_1_100"), host_twin_note(whole, "losses_1_100"));
    host_twin_destroy(h);
}

static void a_resumed_run_gives_the_same_bits(void **state) {
    (void)state;
    struct lab lab = lab_open(PRETRAIN(TEN));
    struct host_twin *whole = lab_run(&lab, &JOB);
    resume_with(&lab, whole, 1, 3);
    resume_with(&lab, whole, 1, 7);
    resume_with(&lab, whole, 3, 1);
    host_twin_destroy(whole);
    lab_close(&lab);
}

static void the_result_is_a_model(void **state) {
    (void)state;
    struct lab lab = lab_open(PRETRAIN(TEN));
    struct model m = {0};
    char path[SCRATCH_PATH];
    lab_make(&lab, &JOB, "model.safetensors", path);
    SUCCEEDS(model_open(&m, path, &err));
    assert_int_equal(m.params.dims.L, 2);
    assert_int_equal(m.params.dims.H, 2);
    assert_int_equal(m.params.dims.inputs, 3);
    assert_int_equal(m.params.dims.positions, 24);
    assert_int_equal(m.trained_points, 6);
    assert_non_null(strstr(tensorfile_note(m.file, "config"), "steps i 10\n"));
    assert_int_equal(tensorfile_note(m.file, "losses_1_100")[0], '[');
    model_close(&m);
    lab_close(&lab);
}

/* The positions of a model are part of its file. */
static void positions_may_be_rotary_or_none(void **state) {
    (void)state;
    const char *const configs[] = {
        HEAD "stages = ( { stage = \"pretrain\"; model = { layers = 2; heads = 2; width = 16; "
             "positions = 24; position_encoding = \"rotary\"; rotary_base = 50.0; }; " TEN " } );",
        HEAD "stages = ( { stage = \"pretrain\"; model = { layers = 2; heads = 2; width = 16; "
             "positions = 24; position_encoding = \"none\"; }; " TEN " } );"};
    for (size_t i = 0; i < 2; i++) {
        struct lab lab = lab_open(configs[i]);
        struct model m = {0};
        char path[SCRATCH_PATH];
        lab_make(&lab, &JOB, "model.safetensors", path);
        SUCCEEDS(model_open(&m, path, &err));
        assert_null(m.params.wpe);
        assert_int_equal(m.params.dims.positions, 24);
        assert_int_equal(m.params.dims.rotary.dims, i == 0 ? 8 : 0);
        assert_true(m.params.dims.rotary.base == (i == 0 ? 50 : 0));
        model_close(&m);
        lab_close(&lab);
    }
}

static void rows_follow_the_curriculum(void **state) {
    (void)state;
    struct lab lab = lab_open(PRETRAIN(
        "points = 6; batch = 4; shards = 2; steps = 115; log_every = 5; curriculum = { interval "
        "= 3; dims_start = 1; dims_step = 1; points_start = 2; points_step = 2; };"));
    struct host_twin *h = lab_run(&lab, &JOB);
    const int64_t dims[] = {1, 1, 1, 2, 2, 2, 3, 3, 3, 3},
                  points[] = {2, 2, 2, 4, 4, 4, 6, 6, 6, 6};
    assert_int_equal(host_twin_rows(h), 103);
    for (size_t i = 0; i < 10; i++) {
        const struct pretrain_row row = read_pretrain_row(h, i);
        assert_int_equal(row.step, i + 1);
        assert_true(row.dims == dims[i] && row.points == points[i]);
        assert_true(fabs(row.loss_over_variance * (double)dims[i] - row.loss) < 1e-9 * row.loss);
    }
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(read_pretrain_row(h, 100 + i).step, 105 + 5 * i);
    host_twin_destroy(h);
    lab_close(&lab);
}

static void row_numbers_are_dense(void **state) {
    (void)state;
    const int64_t every[] = {1, 7, 30, 100, 1000};
    for (size_t i = 0; i < sizeof every / sizeof *every; i++) {
        const struct pretrain_keys k = {.steps = 1234, .log_every = every[i]};
        int64_t next = 0;
        for (int64_t step = 1; step <= k.steps; step++) {
            const int64_t number = pretrain_row_number(&k, step);
            assert_true(number == next || (number == -1 && step > 100 && step < k.steps));
            if (number >= 0) next++;
        }
    }
}

static void it_learns(void **state) {
    (void)state;
    struct lab lab =
        lab_open("name = \"lab\"; seed = 5; source = { problem = \"linear\"; dims = 1; };\n"
                 "stages = ( { stage = \"pretrain\"; " MODEL " points = 8; batch = 32; shards = 1; "
                 "steps = 300; optimiser = { lr = 1e-2; warmup = 20; }; } );");
    struct host_twin *h = lab_run(&lab, &JOB);
    const double last = read_pretrain_row(h, host_twin_rows(h) - 1).loss_over_variance;
    if (!(last < 0.8)) /* 1: no better than predicting 0 */
        fail_msg("loss over variance %g", last);
    host_twin_destroy(h);
    lab_close(&lab);
}

static void repeats_differ(void **state) {
    (void)state;
    struct lab lab = lab_open(PRETRAIN("repeat = [0, 1]; points = 4; batch = 4; steps = 1;"));
    struct lab_job second = JOB;
    second.point = 1;
    struct host_twin *a = lab_run(&lab, &JOB), *b = lab_run(&lab, &second);
    assert_true(read_pretrain_row(a, 0).loss != read_pretrain_row(b, 0).loss);
    host_twin_destroy(a);
    host_twin_destroy(b);
    lab_close(&lab);
}

static void a_diverged_loss_is_said(void **state) {
    (void)state;
    struct lab lab =
        lab_open(PRETRAIN("points = 4; batch = 4; steps = 60; optimiser = { lr = 100.0; beta2 = "
                          "0.0; epsilon = 0.0; };" /* Adam divides by zero where nothing moves */));
    struct host_twin *h = lab_host(&lab, &JOB);
    ERROR_SAYS(host_twin_run(h, lab_work, lab_stage("pretrain"), &err), ERR_NUMERIC,
               "optimiser.epsilon = 0");
    host_twin_destroy(h);
    lab_close(&lab);
}

/* Loss of a step against the full forward in double; parts of a batch add up to the whole. */
static void the_loss_is_the_mean_over_all_points(void **state) {
    (void)state;
    enum { N = 4, POINTS = 5 };
    struct params p = tiny_params(&TINY), gradient, parts;
    struct model_twin twin = model_twin_create(&p);
    struct train_step step;
    struct pair x = pair_normals(N * POINTS * 3, 1, 1.0), y = pair_normals(N * POINTS, 2, 1.0);
    const struct prompt_view all = {.n = N, .points = POINTS, .dims = 3, .x = x.f, .y = y.f};
    const double weight = 1.0 / (N * POINTS);
    double want = 0, tokens[2 * POINTS * 3];
    SUCCEEDS(params_create(&gradient, &TINY, &err));
    SUCCEEDS(params_create(&parts, &TINY, &err));
    SUCCEEDS(train_step_create(&step, &TINY, N, POINTS + 1, &err));
    for (size_t i = 0; i < N; i++) {
        memset(tokens, 0, sizeof tokens);
        for (size_t t = 0; t < POINTS; t++) {
            memcpy(tokens + 2 * t * 3, x.d + (i * POINTS + t) * 3, 3 * sizeof *tokens);
            tokens[(2 * t + 1) * 3] = y.d[i * POINTS + t];
        }
        model_twin_run(&twin, tokens, 2 * POINTS, NULL, 0);
        for (size_t t = 0; t < POINTS; t++)
            want += weight * pow(twin.prediction[2 * t] - y.d[i * POINTS + t], 2);
    }
    const double got = train_step_run(&gradient, &step, &p, &all,
                                      &(struct prompt_loss){.kind = LOSS_SQUARED}, weight);
    CLOSE(fabs(got - want) / want, 1e-5);
    double sum = 0;
    for (size_t i = 0; i < N; i++) {
        const struct prompt_view one = prompt_view_part(&all, i, 1);
        sum += train_step_run(&parts, &step, &p, &one, &(struct prompt_loss){.kind = LOSS_SQUARED},
                              weight);
    }
    CLOSE(fabs(sum - got) / got, 1e-6);
    double scale = 0, error = 0;
    for (size_t i = 0; i < params_count(&TINY); i++) {
        scale = fmax(scale, fabs((double)gradient.block[i]));
        error = fmax(error, fabs((double)gradient.block[i] - (double)parts.block[i]));
    }
    CLOSE(error / scale, 1e-5);
    train_step_destroy(&step);
    params_destroy(&parts), params_destroy(&gradient), params_destroy(&p);
    model_twin_destroy(&twin);
    pair_free(&x), pair_free(&y);
}

static void plan_says_what_it_costs(void **state) {
    (void)state;
    struct lab lab = lab_open(PRETRAIN(TEN " group = 2;"));
    struct job_cost cost;
    SUCCEEDS(lab_plan(&cost, &lab, "pretrain", NULL, &err));
    assert_int_equal(cost.group, 2);
    assert_true(job_load_flops(&cost.load) > 1e6 && cost.memory > 1e5 &&
                cost.memory_least == cost.memory);
    assert_non_null(strstr(cost.summary, "10 steps x 8 prompts x 6 points"));
    lab_close(&lab);
}

static void plan_refuses_what_cannot_run(void **state) {
    (void)state;
    lab_refuses(PRETRAIN("batch = 6; shards = 4; points = 4;"), "pretrain", NULL,
                "a batch of 6 prompts cannot be cut into 4 equal shards");
    lab_refuses(PRETRAIN("points = 13;"), "pretrain", NULL,
                "13 points are beyond the model's positions, which hold 12 points (24 tokens)");
    lab_refuses(PRETRAIN("points = 4; shards = 2; group = 3;"), "pretrain", NULL,
                "3 ranks for 2 shards");
    lab_refuses(HEAD "stages = ( { stage = \"pretrain\"; points = 4; model = { heads = 3; width = "
                     "16; }; } );",
                "pretrain", NULL, "3 heads do not divide a width of 16");
    lab_refuses(HEAD "stages = ( { stage = \"pretrain\"; points = 4; model = { heads = 16; width = "
                     "16; position_encoding = \"rotary\"; }; } );",
                "pretrain", NULL, "heads have 1: choose model.width as a multiple of 32");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_group_gives_the_same_bits),
        cmocka_unit_test(a_resumed_run_gives_the_same_bits),
        cmocka_unit_test(the_result_is_a_model),
        cmocka_unit_test(positions_may_be_rotary_or_none),
        cmocka_unit_test(rows_follow_the_curriculum),
        cmocka_unit_test(row_numbers_are_dense),
        cmocka_unit_test(it_learns),
        cmocka_unit_test(repeats_differ),
        cmocka_unit_test(a_diverged_loss_is_said),
        cmocka_unit_test(the_loss_is_the_mean_over_all_points),
        cmocka_unit_test(plan_says_what_it_costs),
        cmocka_unit_test(plan_refuses_what_cannot_run),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
