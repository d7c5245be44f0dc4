/*
 * The models in experiments/models are what their notes say: training them again begins with the
 * recorded losses, and they are good within their range and bad beyond it.
 */
#include <glob.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/checkpoint.h"
#include "ops/blas.h"
#include "passes/curve.h"
#include "sources/problems/prompts.h"
#include "stages/model_shape.h"
#include "stages/pretrain_rows.h"
#include "stages/read_row.h"
#include "stages/shared_keys.h"
#include "stages/stage.h"
#include "tensorfile/tensorfile.h"
#include "twins/error_says.h"
#include "twins/host_twin.h"

ROW_READER(pretrain_row, PRETRAIN_ROW)

#ifdef __SANITIZE_ADDRESS__
enum { STEPS = 10 };
#else
enum { STEPS = 100 };
#endif
enum { FUNCTIONS = 256, CHUNK = 64 };
static const double LOSS_TOLERANCE = 1e-3, BEYOND = 2.5;

/* MSE / E[y^2] after all but one of the trained points at most, and how many times that after
 * BEYOND as many at least, or after the most that the model has positions for. */
static const struct acceptance {
    const char *problem;
    double good, worse;
} ACCEPTANCE[] = {
    {"linear", 0.005, 10},
    {"sparse_linear", 0.03, 10},
    {"relu_net", 0.1, 2},
    {"decision_tree", 0.07, 1.5},
};

static struct err err;

/* ---- the files */

static glob_t find_models(void) {
    const char *source = getenv("TASKVEC_SOURCE");
    char pattern[4096];
    glob_t found = {0};
    (void)snprintf(pattern, sizeof pattern, "%s/experiments/models/*.safetensors",
                   source ? source : ".");
    if (glob(pattern, 0, NULL, &found) == 0) return found;
    if (getenv("TASKVEC_REQUIRE_MODELS")) fail_msg("%s: no model", pattern);
    print_message("%s: no model yet, nothing was checked\n", pattern);
    return (glob_t){0};
}

struct shipped {
    struct model model;
    struct config_point *point; /* of its pretraining */
    uint64_t seed;
};

static const char *note(const struct shipped *s, const char *key) {
    const char *value = tensorfile_note(s->model.file, key);
    if (!value) fail_msg("%s: no note \"%s\"", tensorfile_path(s->model.file), key);
    return value;
}

/* Adds a key that the text does not have. */
static void add_absent(struct text *text, const char *key, const char *value) {
    char start[64];
    (void)snprintf(start, sizeof start, "\n%s ", key);
    if (!strstr(text_str(text), start)) text_add(text, "%s %s\n", key, value);
}

/* What decides bits is in the note "config"; what does not, and keys that are younger than a
 * model, are added here. */
static struct shipped open_shipped(const char *path) {
    static const char *const MORE[][2] = {
        {"group", "i 1"},
        {"checkpoint_every", "i 1000000000"},
        {"validation.every", "i 0"},
        {"validation.prompts", "i 1"},
        {"source.kind", "n \"functions\""},
        {"model.position_encoding", "n \"learned\""},
        {"model.rotary_base", "f 10000"},
        {"optimiser.decay_steps", "i 0"},
        {"optimiser.cooldown", "i 0"},
    };
    struct shipped s = {0};
    struct text text = {0};
    SUCCEEDS(model_open(&s.model, path, &err));
    text_add(&text, "%s", note(&s, "config"));
    for (size_t i = 0; i < sizeof MORE / sizeof *MORE; i++)
        add_absent(&text, MORE[i][0], MORE[i][1]);
    SUCCEEDS(text_check(&text, &err));
    SUCCEEDS(config_point_read(&s.point, text_str(&text), &err));
    const char *seed = tensorfile_note(s.model.file, "seed");
    s.seed = seed ? strtoull(seed, NULL, 10) : 1; /* 1: of a config that names none */
    text_release(&text);
    return s;
}

static void close_shipped(struct shipped *s) {
    config_point_destroy(s->point);
    model_close(&s->model);
}

/* ---- the first steps again */

static enum err_code work(struct job_ctx *ctx, void *context, struct err *e) {
    (void)context;
    return stage_find("pretrain")->run(ctx, e);
}

static void check_losses(const struct shipped *s, const struct host_twin *h) {
    const char *at = note(s, "losses_1_100");
    for (size_t step = 1; step <= STEPS; step++) {
        char *end = NULL;
        const double recorded = strtod(at + 1, &end); /* behind "[" or "," */
        if (end == at + 1) fail_msg("%s: no loss of step %zu", note(s, "config"), step);
        const double loss = read_pretrain_row(h, step - 1).loss;
        if (!(fabs(loss - recorded) <= LOSS_TOLERANCE * fabs(recorded)))
            fail_msg("%s: loss of step %zu: recorded %.9g, now %.9g",
                     tensorfile_path(s->model.file), step, recorded, loss);
        at = end;
    }
}

static void training_begins_with_the_recorded_losses(void **state) {
    (void)state;
    glob_t found = find_models();
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct shipped s = open_shipped(found.gl_pathv[i]);
        struct host_twin *h = host_twin_create(1);
        struct job_ctx *ctx = host_twin_ctx(h, 0);
        ctx->point = s.point;
        ctx->columns = &pretrain_row_columns;
        ctx->seed = s.seed;
        host_twin_stop_after(h, STEPS);
        ERROR_SAYS(host_twin_run(h, work, NULL, &err), ERR_STOPPED, "stopped after step");
        check_losses(&s, h);
        host_twin_destroy(h);
        close_shipped(&s);
    }
    globfree(&found);
}

static void the_weights_have_the_sizes_of_the_config(void **state) {
    (void)state;
    glob_t found = find_models();
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct shipped s = open_shipped(found.gl_pathv[i]);
        const struct model_dims *has = &s.model.params.dims;
        struct model_dims want;
        SUCCEEDS(model_shape_read(&want, s.point, &err));
        assert_int_equal(has->L, want.L);
        assert_int_equal(has->H, want.H);
        assert_int_equal(has->E, want.E);
        assert_int_equal(has->inputs, want.inputs);
        assert_int_equal(has->positions, want.positions);
        assert_int_equal(s.model.trained_points, shared_keys_size(s.point, "points"));
        close_shipped(&s);
    }
    globfree(&found);
}

/* ---- its quality */

/* Adds the squared errors of CHUNK functions from number `first` on to sum [points]. */
static void add_errors(double *sum, struct curve *c, const struct shipped *s, struct prompts *p,
                       size_t first) {
    struct prompts_setup source = {.seed = s->seed, .split = "test"};
    float *prediction = calloc(CHUNK * p->points, sizeof *prediction);
    assert_non_null(prediction);
    problem_setup_read(&source.setup, s->point);
    prompts_draw(p, &source, first, p->dims);
    const struct prompt_view view = {
        .n = p->n, .points = p->points, .dims = p->dims, .x = p->x, .y = p->y};
    curve_predict(prediction, c, &view, NULL, NULL);
    for (size_t i = 0; i < CHUNK; i++)
        for (size_t k = 0; k < p->points; k++) {
            const double e =
                (double)prediction[i * p->points + k] - (double)p->y[i * p->points + k];
            sum[k] += e * e;
        }
    free(prediction);
}

/* Mean squared errors of the plain model over E[y^2], after k = 0 .. points - 1 examples. */
static void relative_errors(double *out, const struct shipped *s, size_t points) {
    struct method_setup plain;
    struct prompts_setup source = {0};
    struct prompts prompts;
    struct curve c;
    method_setup_named(&plain, "plain", &s->model.params);
    problem_setup_read(&source.setup, s->point);
    const struct curve_options o = {.setup = &plain,
                                    .chunk = CHUNK,
                                    .points = points,
                                    .window_points = s->model.trained_points,
                                    .trained_points = s->model.trained_points};
    SUCCEEDS(curve_create(&c, &o, &err));
    SUCCEEDS(prompts_create(&prompts, &source, CHUNK, points, &err));
    for (size_t k = 0; k < points; k++) out[k] = 0;
    for (size_t first = 0; first < FUNCTIONS; first += CHUNK)
        add_errors(out, &c, s, &prompts, first);
    for (size_t k = 0; k < points; k++) out[k] /= FUNCTIONS * problem_variance(&source.setup);
    prompts_destroy(&prompts);
    curve_destroy(&c);
}

static const struct acceptance *acceptance_of(const struct shipped *s) {
    const char *problem = config_text(s->point, "source.problem");
    for (size_t i = 0; i < sizeof ACCEPTANCE / sizeof *ACCEPTANCE; i++)
        if (strcmp(ACCEPTANCE[i].problem, problem) == 0) return &ACCEPTANCE[i];
    fail_msg("%s: nothing says what a model of %s must reach", tensorfile_path(s->model.file),
             problem);
    return NULL;
}

static void good_within_its_range_and_bad_beyond(void **state) {
    (void)state;
    glob_t found = find_models();
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct shipped s = open_shipped(found.gl_pathv[i]);
        const size_t trained = s.model.trained_points, room = model_points(&s.model.params.dims);
        const size_t far = (size_t)fmin(BEYOND * (double)trained, (double)room - 1);
        double *errors = calloc(far + 1, sizeof *errors);
        assert_non_null(errors);
        assert_true(far > trained);
        relative_errors(errors, &s, far + 1);
        const struct acceptance *a = acceptance_of(&s);
        const double in = errors[trained - 1], out = errors[far];
        if (!(in <= a->good))
            fail_msg("%s: MSE / E[y^2] after %zu examples is %.3g, more than %.3g",
                     found.gl_pathv[i], trained - 1, in, a->good);
        if (!(out >= a->worse * in))
            fail_msg("%s: MSE / E[y^2] after %zu examples is %.3g, not %g times the %.3g after %zu",
                     found.gl_pathv[i], far, out, a->worse, in, trained - 1);
        free(errors);
        close_shipped(&s);
    }
    globfree(&found);
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_weights_have_the_sizes_of_the_config),
        cmocka_unit_test(training_begins_with_the_recorded_losses),
        cmocka_unit_test(good_within_its_range_and_bad_beyond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
