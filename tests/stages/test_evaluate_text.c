/* Evaluations on text: the scores of every item against whole sequences in double, rows, controls
 * of a fit, and what plan refuses. */
#include <math.h>

#include "model/checkpoint.h"
#include "passes/answer_scores.h"
#include "sources/source_registry.h"
#include "sources/text/task_scene.h"
#include "stages/evaluate_text_rows.h"
#include "stages/model_shape.h"
#include "stages/read_row.h"
#include "stages/stage_job.h"
#include "tensorfile/tensorfile.h"

ROW_READER(evaluate_text_row, EVALUATE_TEXT_ROW)

enum { L = 2, H = 2, E = 16, V = 96, POSITIONS = 70, FIT_POINTS = 2 };

static struct err err;

/* "pretrain" on the task t.json of the scratch folder, a fit with these keys, and an evaluation. */
static const char *config_of(const char *source, const char *fit, const char *keys) {
    static char text[4096];
    const int n = snprintf(
        text, sizeof text,
        "name = \"lab\"; seed = 5; source = { kind = \"text\"; task = \"%s/t.json\"; tokenizer = "
        "\"%s/tokenizer.json\"; %s };\nstages = ( { stage = \"pretrain\"; model = { layers = 2; "
        "heads = 2; width = 16; positions = 70; }; points = 3; batch = 8; shards = 4; steps = 12; "
        "optimiser = { lr = 1e-2; }; },\n{ stage = \"fit\"; of = \"pretrain\"; points = 2; "
        "prompts = 8; basis_points = 2; %s },\n"
        "{ stage = \"evaluate\"; of = \"fit\"; chunk = 4; %s } );\n",
        scratch.folder, scratch.folder, source, fit, keys);
    assert_true(n > 0 && (size_t)n < sizeof text);
    return text;
}

struct scene {
    struct lab lab;
    char model_path[SCRATCH_PATH], fit_path[SCRATCH_PATH];
    struct job_input model, fit;
    struct model open;
    struct model_twin twin;
    float w[L * E]; /* of the fit */
    size_t n_w;
};

static struct scene *scene_new(const char *source, const char *fit, const char *keys) {
    struct scene *s = calloc(1, sizeof *s);
    const struct lab_job pretrain = {.kind = "pretrain", .memory = SIZE_MAX};
    struct model_dims dims;
    assert_non_null(s);
    s->lab = lab_open(config_of(source, fit, keys));
    s->model = lab_make(&s->lab, &pretrain, "model.safetensors", s->model_path);
    SUCCEEDS(model_shape_read(&dims, s->model.point, &err));
    SUCCEEDS(model_open_as(&s->open, s->model_path, &dims, &err));
    s->twin = model_twin_create(&s->open.params);
    return s;
}

static void scene_free(struct scene *s) {
    model_twin_destroy(&s->twin);
    model_close(&s->open);
    lab_close(&s->lab);
    free(s);
}

/* An artifact of a fit with random weights [rows, columns]. */
static void make_fit(struct scene *s, size_t rows, size_t columns) {
    const struct rng stream = rng_stream(3, "weights");
    const size_t shape[] = {rows, columns}, one = 1;
    const float choice = 0;
    struct tensor_writer *w;
    s->n_w = rows * columns;
    rng_normals(s->w, s->n_w, &stream, 0, 0);
    scratch_path(s->fit_path, &s->lab.folder, "fit.safetensors");
    SUCCEEDS(tensor_writer_create(&w, &err));
    SUCCEEDS(tensor_writer_add(w, "weights", 2, shape, s->w, &err));
    SUCCEEDS(tensor_writer_add(w, "choice", 1, &one, &choice, &err));
    SUCCEEDS(tensor_writer_save(w, s->fit_path, &err));
    tensor_writer_destroy(w);
    s->fit = (struct job_input){"fit", "0", lab_point(&s->lab, "fit", 0), s->fit_path};
}

/* control NULL: the fit; a control of the fit where of_fit. */
static struct host_twin *evaluate(const struct scene *s, const char *control, bool of_fit,
                                  size_t point) {
    struct lab_job job = {.kind = "evaluate", .point = point, .control = control};
    if (of_fit) job.inputs[job.n_inputs++] = s->fit;
    job.inputs[job.n_inputs++] = s->model;
    return lab_run(&s->lab, &job);
}

static const float *scores_of(const struct host_twin *h, size_t n) {
    const struct job_tensor *t = host_twin_tensor(h, "scores");
    assert_true(t && t->rank == 2 && t->shape[0] == n && t->shape[1] == ANSWER_SCORE_COUNT);
    return t->data;
}

/* ---- the reference */

static struct source *open_part(const struct scene *s, size_t point, const char *covariates,
                                size_t points, enum source_part asked) {
    struct source *source;
    const struct source_options o = {.seed = 5,
                                     .split = "test",
                                     .covariates = covariates,
                                     .asked = asked,
                                     .shifted = !covariates};
    SUCCEEDS(source_open(&source, lab_point(&s->lab, "evaluate", point), &o, &err));
    SUCCEEDS(source_reserve(source, 1, points, &err));
    return source;
}

static struct source *open_source(const struct scene *s, size_t point, const char *covariates,
                                  size_t points) {
    return open_part(s, point, covariates, points, SOURCE_TEST);
}

static double log_sum(const double *logits) {
    double sum = 0;
    for (size_t t = 0; t < V; t++) sum += exp(logits[t]);
    return log(sum);
}

static size_t larger(const double *logits, uint32_t own) {
    size_t n = 0;
    for (size_t t = 0; t < V; t++) n += logits[t] > logits[own];
    return n;
}

static size_t best(const double *logits) {
    size_t at = 0;
    for (size_t t = 1; t < V; t++) at = logits[t] > logits[at] ? t : at;
    return at;
}

static void near(double got, double want, const char *what) {
    if (!(fabs(got - want) < 1e-4)) fail_msg("%s: %.9g, not %.9g", what, got, want);
}

/* The scores of one item from one run over its prompt and its answer. */
static void compare_item(const float *got, struct model_twin *twin, const struct prompt_view *v) {
    const size_t n = prompt_view_length(v, 0), m = prompt_view_answer_length(v, 0);
    const uint32_t *answer = prompt_view_answer(v, 0);
    uint32_t ids[POSITIONS];
    double sum = 0;
    bool right = true;
    memcpy(ids, prompt_view_ids(v, 0), n * sizeof *ids);
    memcpy(ids + n, answer, m * sizeof *ids);
    model_twin_run_ids(twin, ids, n + m - 1);
    for (size_t j = 0; j < m; j++) {
        const double *logits = twin->prediction + (n - 1 + j) * V;
        sum += logits[answer[j]] - log_sum(logits);
        right = right && best(logits) == answer[j];
    }
    const double *first = twin->prediction + (n - 1) * V;
    near((double)got[ANSWER_FIRST_LOG_PROB], first[answer[0]] - log_sum(first), "first_log_prob");
    near((double)got[ANSWER_LOG_PROB], sum, "log_prob");
    assert_true((size_t)got[ANSWER_TOKENS] == m && m > 1);
    assert_true((size_t)got[ANSWER_RANK] == 1 + larger(first, answer[0]));
    assert_true((size_t)got[ANSWER_FIRST_TOKEN] == best(first));
    assert_true((got[ANSWER_FIRST_RIGHT] == 1) == (best(first) == answer[0]));
    assert_true((got[ANSWER_RIGHT] == 1) == right);
}

/* ---- tests */

static void scores_are_those_of_whole_sequences(void **state) {
    (void)state;
    struct scene *s = scene_new("", "method = \"constant\";",
                                "points = [1, 3]; functions = 100; shift = [\"none\", "
                                "\"shuffled_labels\"];");
    for (size_t point = 0; point < 4; point++) {
        const size_t points = point < 2 ? 1 : 3;
        struct host_twin *h = evaluate(s, "plain", false, point);
        struct source *source = open_source(s, point, NULL, points);
        const size_t items = source_info(source)->answers->samples;
        const float *scores = scores_of(h, items), *samples = host_twin_tensor(h, "samples")->data;
        const struct evaluate_text_row row = read_evaluate_text_row(h, 0);
        double loss = 0, perplexity = 0;
        assert_true(items > 4 && items < 40 && host_twin_rows(h) == 1);
        for (size_t i = 0; i < items; i++) {
            const float *own = scores + i * ANSWER_SCORE_COUNT;
            const double each = -(double)own[ANSWER_LOG_PROB] / (double)own[ANSWER_TOKENS];
            const struct prompt_view one = source_draw(source, i, 1);
            assert_true((size_t)samples[i] == i);
            compare_item(own, &s->twin, &one);
            loss += each, perplexity += exp(each);
        }
        assert_true(row.k == (int64_t)points - 1 && row.items == (int64_t)items);
        near(row.loss, loss / (double)items, "loss");
        near(row.perplexity, perplexity / (double)items, "perplexity");
        assert_true(row.first_accuracy > 0.5 && row.first_accuracy <= 1); /* the space */
        assert_true(row.accuracy < row.first_accuracy && row.rank >= 1 && row.left_out == 0);
        source_close(source);
        host_twin_destroy(h);
    }
    scene_free(s);
}

static void a_method_without_effect_equals_plain(void **state) {
    (void)state;
    struct scene *s = scene_new("", "method = \"constant\";", "points = 3; functions = 6;");
    struct host_twin *plain = evaluate(s, "plain", false, 0), *zero = evaluate(s, "zero", false, 0);
    assert_memory_equal(scores_of(plain, 6), scores_of(zero, 6),
                        6 * ANSWER_SCORE_COUNT * sizeof(float));
    host_twin_destroy(plain);
    host_twin_destroy(zero);
    scene_free(s);
}

/* Adds v [L, E] at the query, the last token of the prompt. */
static void steer(struct scene *s, struct twin_patch patches[L], const double *v, size_t token) {
    for (size_t l = 0; l < L; l++)
        patches[l] = (struct twin_patch){'x', l, token, 0, E, 1, 1, v + l * E, NULL, NULL};
    s->twin.patches = patches;
    s->twin.n_patches = L;
}

static void a_vector_acts_on_the_query_alone(void **state) {
    (void)state;
    struct scene *s = scene_new("", "method = \"constant\";", "points = 3; functions = 6;");
    make_fit(s, L, E);
    struct host_twin *h = evaluate(s, NULL, true, 0);
    struct source *source = open_source(s, 0, NULL, 3);
    struct twin_patch patches[L];
    double v[L * E];
    for (size_t i = 0; i < L * E; i++) v[i] = (double)s->w[i];
    for (size_t i = 0; i < 6; i++) {
        const struct prompt_view one = source_draw(source, i, 1);
        steer(s, patches, v, prompt_view_length(&one, 0) - 1);
        compare_item(scores_of(h, 6) + i * ANSWER_SCORE_COUNT, &s->twin, &one);
    }
    const struct evaluate_text_row row = read_evaluate_text_row(h, 0);
    assert_string_equal(row.method, "constant");
    source_close(source);
    host_twin_destroy(h);
    scene_free(s);
}

/* v[l] = (z[l] D(w[l])) W_o with z of the last token of the item's own basis prompt. */
static void vector_of(double v[L * E], struct scene *s, const struct prompt_view *basis) {
    const size_t n = prompt_view_length(basis, 0), D = E / H;
    s->twin.n_patches = 0;
    model_twin_run_ids(&s->twin, prompt_view_ids(basis, 0), n);
    for (size_t l = 0; l < L; l++) {
        const double *z = s->twin.z + (l * s->twin.dims.positions + n - 1) * E;
        for (size_t e = 0; e < E; e++) {
            v[l * E + e] = 0;
            for (size_t i = 0; i < E; i++)
                v[l * E + e] +=
                    (double)s->w[l * H + i / D] * z[i] * s->twin.layers[l].proj_w[i * E + e];
        }
    }
}

static void every_item_has_the_basis_of_its_own_prompt(void **state) {
    (void)state;
    struct scene *s =
        scene_new("", "method = \"ltv\"; basis = \"prompt\";", "points = [1, 3]; functions = 6;");
    make_fit(s, L, H);
    for (size_t point = 0; point < 2; point++) {
        struct host_twin *h = evaluate(s, NULL, true, point);
        struct source *source = open_source(s, point, NULL, point == 0 ? 1 : 3),
                      *bases = open_source(s, point, "basis", FIT_POINTS);
        for (size_t i = 0; i < 6; i++) {
            struct twin_patch patches[L];
            double v[L * E];
            const struct prompt_view basis = source_draw(bases, i, 1);
            vector_of(v, s, &basis);
            const struct prompt_view one = source_draw(source, i, 1);
            steer(s, patches, v, prompt_view_length(&one, 0) - 1);
            compare_item(scores_of(h, 6) + i * ANSWER_SCORE_COUNT, &s->twin, &one);
        }
        source_close(bases);
        source_close(source);
        host_twin_destroy(h);
    }
    scene_free(s);
}

static void a_control_of_a_fit_replaces_its_vector(void **state) {
    (void)state;
    struct scene *s = scene_new("", "method = \"constant\";", "points = 3; functions = 6;");
    make_fit(s, L, E);
    struct host_twin *fit = evaluate(s, NULL, true, 0), *random = evaluate(s, "random", true, 0),
                     *plain = evaluate(s, "plain", false, 0);
    const double of_fit = read_evaluate_text_row(fit, 0).loss,
                 of_random = read_evaluate_text_row(random, 0).loss,
                 of_plain = read_evaluate_text_row(plain, 0).loss;
    assert_true(of_fit != of_random && of_random != of_plain && isfinite(of_random));
    assert_string_equal(read_evaluate_text_row(random, 0).method, "random");
    assert_string_equal(read_evaluate_text_row(random, 0).reading, "constant");
    host_twin_destroy(plain);
    host_twin_destroy(random);
    host_twin_destroy(fit);
    scene_free(s);
}

static void prompts_that_are_too_long_may_be_left_out(void **state) {
    (void)state;
    struct scene *s =
        scene_new("too_long = \"drop\";", "method = \"constant\";", "points = 5; functions = 100;");
    struct host_twin *h = evaluate(s, "plain", false, 0);
    const struct evaluate_text_row row = read_evaluate_text_row(h, 0);
    const struct job_tensor *samples = host_twin_tensor(h, "samples");
    assert_true(row.left_out > 0 && row.items > 0 && samples->shape[0] == (size_t)row.items);
    (void)scores_of(h, (size_t)row.items);
    for (size_t i = 1; i < samples->shape[0]; i++)
        assert_true(samples->data[i] > samples->data[i - 1]);
    host_twin_destroy(h);
    scene_free(s);
}

static void validation_pairs_may_be_asked(void **state) {
    (void)state;
    struct scene *s = scene_new("", "method = \"constant\";",
                                "points = 3; functions = 100; asked = \"validation\";");
    struct host_twin *h = evaluate(s, "plain", false, 0);
    struct source *source = open_part(s, 0, NULL, 3, SOURCE_VALIDATION),
                  *test = open_source(s, 0, NULL, 3);
    const size_t items = source_info(source)->answers->samples;
    const float *scores = scores_of(h, items);
    assert_true(items > 1 && items < source_info(test)->answers->samples);
    for (size_t i = 0; i < items; i++) {
        const struct prompt_view one = source_draw(source, i, 1);
        compare_item(scores + i * ANSWER_SCORE_COUNT, &s->twin, &one);
    }
    source_close(test);
    source_close(source);
    host_twin_destroy(h);
    scene_free(s);
}

static void refuses(const char *fit, const char *keys, const char *words) {
    lab_refuses(config_of("", fit, keys), "evaluate", "pretrain", words);
}

static void plan_refuses_what_text_does_not_have(void **state) {
    (void)state;
    const char *fit = "method = \"constant\";";
    refuses(fit, "points = 3; dummies = \"corrected\";", "pairs of zeros");
    refuses(fit, "points = 3; keep = [\"predictions\"];", "predictions are numbers");
    refuses(fit, "points = 3; basis_points = 4;", "the window of controls");
    refuses(fit, "points = 3; also = [\"window\"];", "\"window\" shows the last points");
    refuses(fit, "points = 3; also = [\"oracle\"];", "\"oracle\" shows the last points");
    refuses(fit, "points = 3; shift = \"scale_x\";", "is a shift of functions");
    refuses(fit, "points = 9;", "prompts of t with 9 points are longer than the 70 tokens");
}

static void plan_knows_memory_and_items(void **state) {
    (void)state;
    struct job_cost cost;
    struct lab lab = lab_open(config_of("", "method = \"constant\";", "points = 3;"));
    SUCCEEDS(lab_plan(&cost, &lab, "evaluate", "pretrain", &err));
    assert_true(cost.work > 4 && cost.work < 40 && cost.memory > 0 && cost.load.contexts > 0);
    assert_non_null(strstr(cost.summary, "2 shots, shift none, up to"));
    lab_close(&lab);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_are_those_of_whole_sequences),
        cmocka_unit_test(a_method_without_effect_equals_plain),
        cmocka_unit_test(a_vector_acts_on_the_query_alone),
        cmocka_unit_test(every_item_has_the_basis_of_its_own_prompt),
        cmocka_unit_test(a_control_of_a_fit_replaces_its_vector),
        cmocka_unit_test(prompts_that_are_too_long_may_be_left_out),
        cmocka_unit_test(validation_pairs_may_be_asked),
        cmocka_unit_test(plan_refuses_what_text_does_not_have),
        cmocka_unit_test(plan_knows_memory_and_items),
    };
    return cmocka_run_group_tests(tests, scene_begin, scratch_end);
}
