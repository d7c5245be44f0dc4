#include <math.h>

#include "model/checkpoint.h"
#include "sources/source_registry.h"
#include "stages/pretrain_rows.h"
#include "stages/pretrain_run.h"
#include "stages/pretrain_validation.h"
#include "stages/read_row.h"
#include "stages/stage_job.h"
#include "twins/model_twin.h"

ROW_READER(pretrain_row, PRETRAIN_ROW)

#define PRETRAIN(keys)                                                                             \
    "name = \"lab\"; seed = 5; source = { problem = \"linear\"; dims = 3; };\n"                    \
    "stages = ( { stage = \"pretrain\"; model = { layers = 2; heads = 2; width = 16; positions = " \
    "24; }; points = 6; batch = 8; shards = 4; checkpoint_every = 4; " keys " } );\n"
#define CURRICULUM                                                                                 \
    "curriculum = { interval = 3; dims_start = 1; dims_step = 1; points_start = 2; points_step = " \
    "2; };"
/* 30 held-out prompts are cut into shards of 7 and 8, and these into pieces of 2. */
#define VALIDATION "validation = { every = 3; prompts = 30; };"

static struct err err;
static const struct lab_job JOB = {.kind = "pretrain", .memory = SIZE_MAX};

static void training_is_the_same_without_it(void **state) {
    (void)state;
    struct lab plain = lab_open(PRETRAIN("steps = 10; " CURRICULUM)),
               with = lab_open(PRETRAIN("steps = 10; " CURRICULUM VALIDATION));
    struct host_twin *a = lab_run(&plain, &JOB), *b = lab_run(&with, &JOB);
    assert_int_equal(host_twin_rows(a), 10);
    assert_int_equal(host_twin_rows(b), 10);
    for (size_t i = 0; i < 10; i++) {
        const struct pretrain_row x = read_pretrain_row(a, i), y = read_pretrain_row(b, i);
        assert_true(isnan(x.validation_loss) && isnan(x.validation_over_variance));
        assert_memory_equal(&x.loss, &y.loss, sizeof x.loss);
        const bool due = y.step == 1 || y.step % 3 == 0 || y.step == 10;
        assert_int_equal(due, !isnan(y.validation_loss));
        if (due) /* E[y^2] of all coordinates, though the curriculum shows fewer at first */
            assert_true(fabs(y.validation_over_variance * 3 - y.validation_loss) <
                        1e-9 * y.validation_loss);
    }
    for (size_t i = 0; i < host_twin_tensors(a); i++) {
        const struct job_tensor *want = host_twin_tensor_at(a, i),
                                *got = host_twin_tensor(b, want->name);
        size_t n = 1;
        for (size_t d = 0; d < want->rank; d++) n *= want->shape[d];
        assert_memory_equal(got->data, want->data, n * sizeof(float));
    }
    host_twin_destroy(a), host_twin_destroy(b);
    lab_close(&plain), lab_close(&with);
}

/* The mean squared error of a model on the held-out prompts, in double, prompt by prompt. */
static double naive_loss(const struct lab *lab, const struct params *params) {
    enum { N = 30, POINTS = 6, DIMS = 3 };
    struct model_twin twin = model_twin_create(params);
    struct source *source = NULL;
    const struct source_options o = {.seed = 5, .split = "pretrain/validation"};
    double sum = 0, tokens[2 * POINTS * DIMS];
    SUCCEEDS(source_open(&source, lab_point(lab, "pretrain", 0), &o, &err));
    SUCCEEDS(source_reserve(source, N, POINTS, &err));
    const struct prompt_view view = source_draw(source, 0, N);
    for (size_t i = 0; i < N; i++) {
        memset(tokens, 0, sizeof tokens);
        for (size_t t = 0; t < POINTS; t++) {
            for (size_t d = 0; d < DIMS; d++)
                tokens[2 * t * DIMS + d] = (double)view.x[(i * POINTS + t) * DIMS + d];
            tokens[(2 * t + 1) * DIMS] = (double)view.y[i * POINTS + t];
        }
        model_twin_run(&twin, tokens, 2 * POINTS, NULL, 0);
        for (size_t t = 0; t < POINTS; t++)
            sum += pow(twin.prediction[2 * t] - (double)view.y[i * POINTS + t], 2);
    }
    source_close(source);
    model_twin_destroy(&twin);
    return sum / (N * POINTS);
}

/* The row of step 6 is of the model that five steps give. */
static void it_is_the_loss_before_the_update(void **state) {
    (void)state;
    struct lab shorter = lab_open(PRETRAIN("steps = 5;")),
               lab = lab_open(PRETRAIN("steps = 10; " VALIDATION));
    struct model m = {0};
    char path[SCRATCH_PATH];
    lab_make(&shorter, &JOB, "model.safetensors", path);
    SUCCEEDS(model_open(&m, path, &err));
    struct host_twin *h = lab_run(&lab, &JOB);
    const double want = naive_loss(&lab, &m.params), got = read_pretrain_row(h, 5).validation_loss;
    if (!(fabs(got - want) < 1e-5 * want)) fail_msg("loss %.9g, in double %.9g", got, want);
    host_twin_destroy(h);
    model_close(&m);
    lab_close(&shorter), lab_close(&lab);
}

static void any_group_gives_the_same_rows(void **state) {
    (void)state;
    struct lab lab = lab_open(PRETRAIN("steps = 7; " VALIDATION));
    struct lab_job job = JOB;
    struct host_twin *alone = lab_run(&lab, &job);
    for (job.ranks = 2; job.ranks <= 5; job.ranks++) {
        struct host_twin *group = lab_run(&lab, &job);
        assert_true(host_twin_same(alone, group));
        host_twin_destroy(group);
    }
    host_twin_destroy(alone);
    lab_close(&lab);
}

/* Stops within validations too; each attempt gives rows that a whole run gives. */
static void resume_with(const struct lab *lab, const struct host_twin *whole, int ranks,
                        size_t answers) {
    struct lab_job job = JOB;
    job.ranks = ranks;
    struct host_twin *h = lab_host(lab, &job);
    enum err_code rc = ERR_STOPPED;
    size_t attempts = 0, compared = 0;
    host_twin_stop_after(h, answers);
    for (; rc == ERR_STOPPED && attempts < 40; attempts++) {
        rc = host_twin_run(h, lab_work, lab_stage("pretrain"), &err);
        for (size_t i = 0; i < host_twin_rows(h); i++) {
            size_t n = 0, m = 0;
            const struct job_value *got = host_twin_row(h, i, &n),
                                   *want = host_twin_row(whole, i, &m);
            if (n == 0) continue; /* of an earlier attempt */
            assert_int_equal(n, m);
            for (size_t c = 0; c < n; c++)
                assert_memory_equal(&got[c].as.integer, &want[c].as.integer, sizeof(int64_t));
            compared++;
        }
    }
    assert_int_equal(rc, ERR_OK);
    assert_true(attempts > 2 && compared >= host_twin_rows(whole));
    host_twin_destroy(h);
}

static void a_resumed_run_gives_the_same_rows(void **state) {
    (void)state;
    struct lab lab = lab_open(PRETRAIN("steps = 10; " VALIDATION));
    struct host_twin *whole = lab_run(&lab, &JOB);
    for (size_t answers = 6; answers < 12; answers++) resume_with(&lab, whole, 1, answers);
    resume_with(&lab, whole, 3, 7);
    host_twin_destroy(whole);
    lab_close(&lab);
}

static void row_numbers_are_dense(void **state) {
    (void)state;
    static const int64_t log[] = {1, 7, 30, 100, 1000}, validate[] = {1, 6, 30, 45, 99, 250, 5000};
    for (size_t i = 0; i < sizeof log / sizeof *log; i++)
        for (size_t j = 0; j < sizeof validate / sizeof *validate; j++) {
            const struct pretrain_keys k = {
                .steps = 1234, .log_every = log[i], .validate_every = validate[j]};
            int64_t next = 0;
            for (int64_t step = 1; step <= k.steps; step++) {
                const bool wanted = step <= 100 || step % log[i] == 0 || step == k.steps ||
                                    pretrain_validation_due(&k, step);
                assert_int_equal(pretrain_row_number(&k, step), wanted ? next : -1);
                next += wanted;
            }
        }
}

/* What a new column leaves empty is no part of a row that is compared. */
static void empty_cells_at_the_end_do_not_count(void **state) {
    (void)state;
    struct job_value cells[] = {{JOB_REAL, {.real = NAN}},
                                {JOB_INT, {.integer = 1}},
                                {JOB_REAL, {.real = NAN}},
                                {JOB_REAL, {.real = NAN}}};
    assert_int_equal(row_valued_cells(cells, 4), 2);
    cells[3].as.real = 0;
    assert_int_equal(row_valued_cells(cells, 4), 4);
    assert_int_equal(row_valued_cells(cells, 1), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_is_the_same_without_it),
        cmocka_unit_test(it_is_the_loss_before_the_update),
        cmocka_unit_test(any_group_gives_the_same_rows),
        cmocka_unit_test(a_resumed_run_gives_the_same_rows),
        cmocka_unit_test(row_numbers_are_dense),
        cmocka_unit_test(empty_cells_at_the_end_do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
