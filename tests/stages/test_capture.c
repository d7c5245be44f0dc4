#include <math.h>

#include "model/checkpoint.h"
#include "sources/problems/prompts.h"
#include "sources/prompt_batch.h"
#include "stages/capture_rows.h"
#include "stages/read_row.h"
#include "stages/stage_job.h"

ROW_READER(capture_row, CAPTURE_ROW)

#define HEAD                                                                                       \
    "name = \"lab\"; seed = 5; source = { problem = \"linear\"; dims = 3; };\n"                    \
    "stages = ( { stage = \"pretrain\"; model = { layers = 2; heads = 2; width = 16; positions = " \
    "24; }; points = 6; batch = 8; shards = 1; steps = 5; },\n"
#define CAPTURE(keys) HEAD "{ stage = \"capture\"; of = \"pretrain\"; " keys " } );\n"

enum { N = 5, POINTS = 4, L = 2, E = 16 };

static struct err err;

static struct host_twin *capture(struct lab *lab, struct model *model) {
    char path[SCRATCH_PATH];
    const struct lab_job pretrain = {.kind = "pretrain", .memory = SIZE_MAX};
    struct lab_job job = {.kind = "capture", .n_inputs = 1};
    job.inputs[0] = lab_make(lab, &pretrain, "model.safetensors", path);
    struct host_twin *h = lab_run(lab, &job);
    if (model) SUCCEEDS(model_open(model, path, &err));
    return h;
}

/* Every captured number against the full forward in double, on the prompts the stage names. */
static void compare(const char *text, double bound) {
    struct lab lab = lab_open(text);
    struct model model;
    struct host_twin *h = capture(&lab, &model);
    struct prompts_setup source = {.seed = 5, .split = "capture"};
    struct prompts prompts;
    float tokens[2 * POINTS * 3];
    double wide[2 * POINTS * 3];
    problem_setup_read(&source.setup, lab_point(&lab, "capture", 0));
    SUCCEEDS(prompts_create(&prompts, &source, N, POINTS, &err));
    prompts_draw(&prompts, &source, 0, 3);
    struct model_twin twin = model_twin_create(&model.params);
    const struct prompt_view all = {
        .n = N, .points = POINTS, .dims = 3, .x = prompts.x, .y = prompts.y};
    const struct job_tensor *heads = host_twin_tensor(h, "heads"),
                            *attention = host_twin_tensor(h, "attention"),
                            *hidden = host_twin_tensor(h, "hidden");
    assert_true(heads->shape[0] == N && heads->shape[1] == L && heads->shape[2] == E);
    assert_true(hidden->shape[0] == N && hidden->shape[1] == L + 1 && hidden->shape[2] == E);
    for (size_t i = 0; i < N; i++) {
        const size_t token = 2 * (POINTS - 1), layer = twin.dims.positions * E;
        const struct prompt_view one = prompt_view_part(&all, i, 1);
        prompt_batch_sequences(tokens, &one, POINTS);
        for (size_t j = 0; j < 2 * POINTS * 3; j++) wide[j] = (double)tokens[j];
        model_twin_run(&twin, wide, token + 1, NULL, 0);
        for (size_t l = 0; l <= L; l++) {
            const size_t at = l * layer + token * E;
            CLOSE(twin_error(hidden->data + (i * (L + 1) + l) * E, twin.x + at, E), bound);
            if (l == L) continue;
            CLOSE(twin_error(heads->data + (i * L + l) * E, twin.z + at, E), bound);
            CLOSE(twin_error(attention->data + (i * L + l) * E, twin.a + at, E), bound);
        }
    }
    model_twin_destroy(&twin);
    prompts_destroy(&prompts);
    model_close(&model);
    host_twin_destroy(h);
    lab_close(&lab);
}

static void captures_equal_the_full_forward(void **state) {
    (void)state;
    compare(CAPTURE("points = 4; prompts = 5; chunk = 3;"), 1e-5);
    compare(CAPTURE("points = 4; prompts = 5; chunk = 3; contexts = \"half\";"), 5e-4);
}

/* A probe needs what the activations are of: the artifact has the prompts that the stage names, and
 * with the weights of the function they give y. */
static void prompts_and_functions_are_kept(void **state) {
    (void)state;
    struct lab lab = lab_open(CAPTURE("points = 4; prompts = 5; chunk = 3; what = \"hidden\";"));
    struct host_twin *h = capture(&lab, NULL);
    struct prompts_setup source = {.seed = 5, .split = "capture"};
    struct prompts prompts;
    problem_setup_read(&source.setup, lab_point(&lab, "capture", 0));
    SUCCEEDS(prompts_create(&prompts, &source, N, POINTS, &err));
    prompts_draw(&prompts, &source, 0, 3);
    const struct job_tensor *x = host_twin_tensor(h, "x"), *y = host_twin_tensor(h, "y"),
                            *function = host_twin_tensor(h, "function"),
                            *position = host_twin_tensor(h, "position");
    assert_true(x && x->rank == 3 && x->shape[0] == N && x->shape[1] == POINTS && x->shape[2] == 3);
    assert_true(y && y->rank == 2 && y->shape[0] == N && y->shape[1] == POINTS);
    assert_true(function && function->rank == 2 && function->shape[0] == N);
    assert_true(function->shape[1] == 3 && position && position->shape[0] == N);
    assert_memory_equal(x->data, prompts.x, sizeof(float) * N * POINTS * 3);
    assert_memory_equal(y->data, prompts.y, sizeof(float) * N * POINTS);
    for (size_t i = 0; i < N * POINTS; i++) {
        double sum = 0;
        for (size_t c = 0; c < 3; c++)
            sum += (double)function->data[i / POINTS * 3 + c] * (double)x->data[i * 3 + c];
        CLOSE(fabs(sum - (double)y->data[i]), 1e-6);
    }
    for (size_t i = 0; i < N; i++) assert_true(position->data[i] == 2 * (POINTS - 1));
    prompts_destroy(&prompts);
    host_twin_destroy(h);
    lab_close(&lab);
}

static void only_what_was_asked_for_is_kept(void **state) {
    (void)state;
    struct lab lab = lab_open(CAPTURE("points = 4; prompts = 5; what = \"attention\";"));
    struct host_twin *h = capture(&lab, NULL);
    assert_int_equal(host_twin_tensors(h), 5); /* with x, y, function and position */
    assert_non_null(host_twin_tensor(h, "attention"));
    assert_int_equal(host_twin_rows(h), L);
    for (size_t l = 0; l < L; l++) {
        const struct capture_row row = read_capture_row(h, l);
        assert_true(row.layer == (int64_t)l);
        assert_true(isnan(row.heads_norm) && row.attention_norm > 0 && isnan(row.hidden_norm));
    }
    host_twin_destroy(h);
    lab_close(&lab);
}

static void plan_refuses_what_cannot_run(void **state) {
    (void)state;
    lab_refuses(CAPTURE("points = 13;"), "capture", "pretrain", "13 points are beyond");
    lab_refuses(CAPTURE("points = 3;"), "capture", NULL, "no model");
}

static void the_registry_is_whole(void **state) {
    (void)state;
    struct lab lab = lab_open(CAPTURE("points = 4;")); /* builds every schema */
    assert_true(stage_count() >= 7);
    for (size_t i = 0; i < stage_count(); i++) {
        const struct stage *s = stage_at(i);
        assert_ptr_equal(stage_find(s->name), s);
        assert_true(s->plan && s->run && s->parents && s->columns->n > 0 && s->version >= 1);
    }
    assert_null(stage_find("nothing"));
    lab_close(&lab);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captures_equal_the_full_forward),
        cmocka_unit_test(prompts_and_functions_are_kept),
        cmocka_unit_test(only_what_was_asked_for_is_kept),
        cmocka_unit_test(plan_refuses_what_cannot_run),
        cmocka_unit_test(the_registry_is_whole),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
