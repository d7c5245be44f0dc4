#include <math.h>
#include <stdlib.h>

#include "methods/linear_vector.h"
#include "passes/choice_loss.h"
#include "passes/curve.h"
#include "passes/flops.h"
#include "stages/fit_world.h"

#define SIZES "points = 9; prompts = 40; batch = 12;"
#define FIT(keys) FIT_WORLD(3) "{ stage = \"fit\"; of = \"pretrain\"; " SIZES keys " }"
#define END " );\n"
#define EVALUATE ", { stage = \"evaluate\"; of = \"fit\"; points = 8; functions = 6; chunk = 4; }"

static struct err err;

static double loss_of(const struct host_twin *h) { return read_fit_row(h, 0).validation_loss; }

/* A fit that is told a layer has the loss that a fit which tries all had there, and the latter
 * takes the least. */
static void check_choice(const struct fit_world *w, size_t open, size_t layers) {
    const struct lab_job job = fit_world_job(w, open);
    struct host_twin *tried = lab_run(&w->lab, &job);
    const struct job_tensor *losses = host_twin_tensor(tried, "choice_losses");
    const size_t best = (size_t)host_twin_tensor(tried, "choice")->data[0];
    const struct fit_row row = read_fit_row(tried, 0);
    assert_int_equal(losses->shape[0], layers);
    assert_string_equal(row.end, "derived");
    assert_true(row.choice == (double)best);
    for (size_t l = 0; l < layers; l++) {
        const struct lab_job told = fit_world_job(w, open + 1 + l);
        struct host_twin *h = lab_run(&w->lab, &told);
        assert_int_equal(host_twin_tensor(h, "choice_losses")->shape[0], 1);
        assert_true((float)loss_of(h) == losses->data[l]);
        assert_true(losses->data[l] >= losses->data[best]);
        host_twin_destroy(h);
    }
    assert_true((float)loss_of(tried) == losses->data[best]);
    host_twin_destroy(tried);
}

static void validation_chooses_the_layer(void **state) {
    (void)state;
    struct fit_world w;
    fit_world_open(&w,
                   FIT("method = \"task_vector\"; task_vector = { layer = [-1, 0, 1, 2]; };") END);
    check_choice(&w, 0, 3);
    lab_close(&w.lab);
    fit_world_open(&w, FIT("method = \"task_vector\"; basis = \"mean\"; task_vector = { form = "
                           "\"replace\"; layer = [-1, 0, 1, 2]; };") END);
    check_choice(&w, 0, 3);
    lab_close(&w.lab);
    fit_world_open(&w,
                   FIT("method = \"state_vector\"; state_vector = { last = [-1, 0, 1, 2]; };") END);
    check_choice(&w, 0, 3);
    lab_close(&w.lab);
}

#define FV(keys)                                                                                   \
    FIT("method = \"fv\"; basis = \"mean\"; fv = { heads = 3; prompts = 10; " keys " };") END

/* The loss of candidate i of a function vector is that of the fit that is told it. */
static void validation_chooses_the_scale(void **state) {
    (void)state;
    static const double SCALES[] = {0.25, 0.5, 1, 2, 4};
    struct fit_world w;
    fit_world_open(&w, FV("sites = \"distributed\"; scale = [0.0, 0.25, 0.5, 1.0, 2.0, 4.0];"));
    const struct lab_job open = fit_world_job(&w, 0);
    struct host_twin *tried = lab_run(&w.lab, &open);
    const struct job_tensor *losses = host_twin_tensor(tried, "choice_losses");
    const size_t best = (size_t)host_twin_tensor(tried, "choice")->data[0];
    assert_int_equal(losses->shape[0], 5);
    assert_true(read_fit_row(tried, 0).choice == SCALES[best]);
    for (size_t i = 0; i < 5; i++) {
        const struct lab_job told = fit_world_job(&w, 1 + i);
        struct host_twin *h = lab_run(&w.lab, &told);
        assert_true((float)loss_of(h) == losses->data[i] && losses->data[best] <= losses->data[i]);
        assert_true(read_fit_row(h, 0).choice == SCALES[i]);
        host_twin_destroy(h);
    }
    host_twin_destroy(tried);
    lab_close(&w.lab);
}

static double loss_at_layer(const char *config) {
    struct fit_world w;
    fit_world_open(&w, config);
    const struct lab_job job = fit_world_job(&w, 0);
    struct host_twin *h = lab_run(&w.lab, &job);
    const double loss = loss_of(h);
    host_twin_destroy(h);
    lab_close(&w.lab);
    return loss;
}

static void validation_chooses_one_layer(void **state) {
    (void)state;
    static const char *const TOLD[] = {FV("layers = [0]; scale = 1.0;"),
                                       FV("layers = [1]; scale = 1.0;"),
                                       FV("layers = [2]; scale = 1.0;")};
    struct fit_world w;
    fit_world_open(&w, FV("sites = \"one_layer\";"));
    const struct lab_job open = fit_world_job(&w, 0);
    struct host_twin *h = lab_run(&w.lab, &open);
    const struct job_tensor *losses = host_twin_tensor(h, "choice_losses");
    const size_t best = (size_t)host_twin_tensor(h, "choice")->data[0];
    assert_int_equal(losses->shape[0], 3);
    assert_true(read_fit_row(h, 0).choice == (double)best);
    for (size_t l = 0; l < 3; l++) {
        assert_true((float)loss_at_layer(TOLD[l]) == losses->data[l]);
        assert_true(losses->data[best] <= losses->data[l]);
    }
    host_twin_destroy(h);
    lab_close(&w.lab);
}

/* evaluate with the choice read back equals evaluate with the choice as a key. */
static void evaluate_reads_the_choice(void **state) {
    (void)state;
    struct fit_world w;
    char path[SCRATCH_PATH], told_path[SCRATCH_PATH];
    fit_world_open(&w,
                   FIT("method = \"state_vector\"; basis = \"mean\"; state_vector = { last = [-1, "
                       "0, 1, 2]; };") EVALUATE END);
    struct lab_job job = fit_world_job(&w, 0);
    struct host_twin *h = lab_run(&w.lab, &job);
    const size_t best = (size_t)host_twin_tensor(h, "choice")->data[0];
    assert_non_null(host_twin_tensor(h, "basis_attention"));
    host_twin_destroy(h);
    const struct lab_job told = fit_world_job(&w, 1 + best);
    const struct job_input fits[] = {lab_make(&w.lab, &job, "a.safetensors", path),
                                     lab_make(&w.lab, &told, "b.safetensors", told_path)};
    struct host_twin *e[2];
    for (size_t i = 0; i < 2; i++) {
        const struct lab_job evaluate = {
            .kind = "evaluate", .memory = SIZE_MAX, .inputs = {fits[i], w.model}, .n_inputs = 2};
        e[i] = lab_run(&w.lab, &evaluate);
    }
    assert_true(host_twin_same(e[0], e[1]));
    host_twin_destroy(e[0]);
    host_twin_destroy(e[1]);
    lab_close(&w.lab);
}

/* With the mean basis: 3 chunks of training prompts, one of validation, an answer each. */
static void a_stopped_derivation_starts_again(void **state) {
    (void)state;
    struct fit_world w;
    fit_world_open(&w, FIT("method = \"task_vector\"; basis = \"mean\";") END);
    const char *words[] = {"stopped after 12 prompts", "stopped after 32 prompts",
                           "stopped after 40 prompts"};
    const size_t answers[] = {0, 2, 3};
    fit_world_resumes(&w, answers, words, 3, 0);
    lab_close(&w.lab);
}

static void plan_refuses_what_cannot_run(void **state) {
    (void)state;
    lab_refuses(FIT("method = \"task_vector\"; shards = 2;") END, "fit", "pretrain",
                "task_vector is derived on one rank and needs shards = 1, not 2");
    lab_refuses(FIT("method = \"task_vector\"; group = 2;") END, "fit", "pretrain",
                "2 ranks for 1 shards");
    lab_refuses(FIT("method = \"task_vector\"; task_vector = { layer = 3; };") END, "fit",
                "pretrain", "layer 3 of a model with layers 0 to 2");
    lab_refuses(FIT("method = \"state_vector\"; state_vector = { last = 3; };") END, "fit",
                "pretrain", "layer 3 of a model with layers 0 to 2");
}

static void the_first_of_equals_is_least(void **state) {
    (void)state;
    const double losses[] = {(double)NAN, 3, 1, 2, 1}, none[] = {(double)NAN, (double)NAN};
    assert_int_equal(choice_loss_least(losses, 5), 2);
    assert_int_equal(choice_loss_least(none, 2), 2);
}

/* ---- cases whose answer is known: prompts whose query at T0 has the x of point 1 */

enum { N = 4, T0 = 5 };

struct known {
    struct params p;
    struct pair x, y;
    struct prompt_view prompts;
    struct basis_set basis;
    float plain[N * T0], got[N * T0];
};

static void predict(float *out, struct known *k, const struct method_setup *s) {
    struct curve c;
    const struct curve_options o = {
        .setup = s, .chunk = N, .points = T0, .window_points = T0, .trained_points = T0};
    const struct basis basis = basis_set_view(&k->basis, 0, N);
    SUCCEEDS(curve_create(&c, &o, &err));
    curve_predict(out, &c, &k->prompts, &basis, NULL);
    curve_destroy(&c);
}

static void known_init(struct known *k) {
    struct method_setup plain;
    *k = (struct known){.p = tiny_params(&TINY)};
    k->x = pair_normals(N * T0 * 3, 31, 1.0);
    k->y = pair_normals(N * T0, 32, 1.0);
    for (size_t i = 0; i < N; i++)
        memcpy(k->x.f + i * T0 * 3, k->x.f + (i * T0 + T0 - 1) * 3, 3 * sizeof *k->x.f);
    k->prompts = (struct prompt_view){.n = N, .points = T0, .dims = 3, .x = k->x.f, .y = k->y.f};
    const unsigned parts =
        basis_bit(BASIS_STATE) | basis_bit(BASIS_ALONE) | basis_bit(BASIS_ATTENTION);
    SUCCEEDS(basis_set_create(&k->basis, &TINY, parts, N, &err));
    SUCCEEDS(basis_set_collect(&k->basis, &k->p, &k->prompts, T0, N, &err));
    method_setup_named(&plain, "plain", &k->p);
    predict(k->plain, k, &plain);
}

static void known_free(struct known *k) {
    basis_set_destroy(&k->basis);
    params_destroy(&k->p);
    pair_free(&k->x), pair_free(&k->y);
}

static void close_at(const struct known *k, size_t point, const float *want, size_t want_point) {
    for (size_t i = 0; i < N; i++)
        CLOSE(fabs((double)k->got[i * T0 + point] - (double)want[i * T0 + want_point]), 1e-5);
}

/* The query of the basis prompt itself: what replaces its state is its state. */
static void its_own_state_changes_nothing(void **state) {
    (void)state;
    struct known k;
    struct method_setup s;
    known_init(&k);
    method_setup_named(&s, "task_vector", &k.p);
    s.variant = 1; /* replace */
    for (s.layer = 0; s.layer < 3; s.layer++) {
        predict(k.got, &k, &s);
        close_at(&k, T0 - 1, k.plain, T0 - 1);
    }
    method_setup_named(&s, "state_vector", &k.p);
    for (s.layer = 0; s.layer < 3; s.layer++) {
        predict(k.got, &k, &s);
        close_at(&k, T0 - 1, k.plain, T0 - 1);
    }
    known_free(&k);
}

/* The same x without an example, and what the examples change in the last state: what the model
 * says with them. */
static void the_difference_stands_for_the_examples(void **state) {
    (void)state;
    struct known k;
    struct method_setup s;
    known_init(&k);
    method_setup_named(&s, "task_vector", &k.p);
    s.layer = (int64_t)TINY.L - 1;
    predict(k.got, &k, &s);
    close_at(&k, 0, k.plain, T0 - 1);
    for (size_t i = 0; i < N; i++)
        assert_true(fabs((double)k.plain[i * T0] - (double)k.plain[i * T0 + T0 - 1]) > 1e-3);
    known_free(&k);
}

/* ---- linear_vector: states that a linear map changes, and a mean of equal changes */

enum { ANCHORS = 40, WIDE = 8, ROW = 3 + 2 * WIDE };

struct linear {
    struct params p;
    struct pair x;
    struct method_setup s;
    float w[ANCHORS * ROW], part[WIDE * WIDE];
};

static void linear_init(struct linear *k, int form) {
    *k = (struct linear){.p = tiny_params(&TINY)};
    k->x = pair_normals(ANCHORS * 3, 41, 1.0);
    const struct method_training t = {.prompts = {ANCHORS, 1, 3, .x = k->x.f}, .T0 = 1, .chunk = 1};
    method_setup_named(&k->s, "linear_vector", &k->p);
    k->s.variant = form;
    linear_vector_set_keys(&k->s, (struct linear_vector_keys){ANCHORS, .ridge = 1e-9});
    assert_int_equal(method_weights(&k->s), ANCHORS * ROW);
    SUCCEEDS(k->s.method->derivation.derive(k->w, &t, &k->s, &err));
}

/* The basis of a function that changes anchor i by change(i, e). */
static void linear_change(struct linear *k, double (*change)(const float *h, size_t e)) {
    for (size_t i = 0; i < ANCHORS; i++) {
        const float *h = k->w + i * ROW + 3, *share = h + WIDE;
        for (size_t j = 0; j < WIDE; j++)
            for (size_t e = 0; e < WIDE; e++)
                k->part[j * WIDE + e] += share[j] * (float)change(h, e);
    }
}

static double entry(size_t e, size_t f) { return sin((double)(3 * e + 7 * f + 1)); }

static double mapped(const float *h, size_t e) {
    double sum = 0;
    for (size_t f = 0; f < WIDE; f++) sum += entry(e, f) * (double)h[f];
    return sum;
}

static double same(const float *h, size_t e) {
    (void)h;
    return entry(e, 0);
}

static void a_linear_change_is_found(void **state) {
    (void)state;
    struct linear k;
    float v[WIDE * WIDE], scratch[WIDE * WIDE];
    double want[WIDE * WIDE];
    linear_init(&k, 0);
    linear_change(&k, mapped);
    const struct basis b = {1, 1, {[BASIS_ANCHORS] = k.part}};
    k.s.method->application.vector(v, k.w, &b, &k.s, scratch);
    for (size_t i = 0; i < WIDE * WIDE; i++) want[i] = entry(i / WIDE, i % WIDE);
    CLOSE(relative_error(v, want, WIDE * WIDE), 1e-3);
    linear_vector_set_keys(
        &k.s, (struct linear_vector_keys){ANCHORS, .ridge = 1e12}); /* leaves nothing */
    k.s.method->application.vector(v, k.w, &b, &k.s, scratch);
    for (size_t i = 0; i < WIDE * WIDE; i++) CLOSE(fabs((double)v[i]), 1e-6);
    params_destroy(&k.p);
    pair_free(&k.x);
}

static void the_constant_form_is_the_mean(void **state) {
    (void)state;
    struct linear k;
    float v[WIDE];
    double want[WIDE];
    linear_init(&k, 1);
    linear_change(&k, same);
    const struct basis b = {1, 1, {[BASIS_ANCHORS] = k.part}};
    k.s.method->application.vector(v, k.w, &b, &k.s, NULL);
    for (size_t e = 0; e < WIDE; e++) want[e] = entry(e, 0);
    CLOSE(relative_error(v, want, WIDE), 1e-5);
    params_destroy(&k.p);
    pair_free(&k.x);
}

static void linear_vector_fits_and_is_evaluated(void **state) {
    (void)state;
    struct fit_world w;
    char path[SCRATCH_PATH];
    fit_world_open(
        &w, FIT("method = \"linear_vector\"; basis = [\"prompt\", \"mean\"]; linear_vector = "
                "{ anchors = 20; };") EVALUATE END);
    for (size_t i = 0; i < 2; i++) {
        const struct lab_job job = fit_world_job(&w, i);
        struct host_twin *h = lab_run(&w.lab, &job);
        const double grid[] = {0.05, 0.5, 5, 50, 500, 5e3, 5e4};
        const size_t choice = (size_t)host_twin_tensor(h, "choice")->data[0];
        assert_true(read_fit_row(h, 0).choice == grid[choice]);
        assert_int_equal(host_twin_tensor(h, "weights")->shape[0], 20);
        assert_int_equal(host_twin_tensor(h, "choice_losses")->shape[0], 7);
        if (i == 1) assert_int_equal(host_twin_tensor(h, "basis_anchors")->shape[0], 16);
        host_twin_destroy(h);
        const struct job_input fit = lab_make(&w.lab, &job, "a.safetensors", path);
        const struct lab_job evaluate = {
            .kind = "evaluate", .memory = SIZE_MAX, .inputs = {fit, w.model}, .n_inputs = 2};
        h = lab_run(&w.lab, &evaluate);
        assert_int_equal(host_twin_rows(h), 8);
        host_twin_destroy(h);
    }
    lab_close(&w.lab);
}

/* Anchors are read alone, so only the 8 validation prompts pass through the model: 5 pairs of their
 * basis and 8 pairs of their query. icv reads a basis of the 32 training prompts too, and takes no
 * loss at the 8 pairs. */
static void only_prompts_that_pass_through_the_model_are_planned(void **state) {
    (void)state;
    static const struct model_dims d = {.L = 3, .H = 2, .E = 16, .inputs = 3, .positions = 24};
    struct job_cost cost;
    struct job_load want = {0};
    struct lab lab = lab_open(FIT("method = \"linear_vector\";") END),
               other = lab_open(FIT("method = \"icv\"; icv = { prompts = 32; };") END);
    SUCCEEDS(lab_plan(&cost, &lab, "fit", "pretrain", &err));
    flops_add_contexts(&want, &d, 8, 10);
    flops_add_contexts(&want, &d, 8, 16);
    CLOSE(fabs(cost.load.contexts - want.contexts), 1e-6 * want.contexts);
    want = (struct job_load){0};
    flops_add_contexts(&want, &d, 8 + 8 + 32, 10);
    SUCCEEDS(lab_plan(&cost, &other, "fit", "pretrain", &err));
    CLOSE(fabs(cost.load.contexts - want.contexts), 1e-6 * want.contexts);
    lab_close(&lab), lab_close(&other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(validation_chooses_the_layer),
        cmocka_unit_test(validation_chooses_the_scale),
        cmocka_unit_test(validation_chooses_one_layer),
        cmocka_unit_test(evaluate_reads_the_choice),
        cmocka_unit_test(a_stopped_derivation_starts_again),
        cmocka_unit_test(plan_refuses_what_cannot_run),
        cmocka_unit_test(the_first_of_equals_is_least),
        cmocka_unit_test(its_own_state_changes_nothing),
        cmocka_unit_test(the_difference_stands_for_the_examples),
        cmocka_unit_test(a_linear_change_is_found),
        cmocka_unit_test(the_constant_form_is_the_mean),
        cmocka_unit_test(linear_vector_fits_and_is_evaluated),
        cmocka_unit_test(only_prompts_that_pass_through_the_model_are_planned),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
