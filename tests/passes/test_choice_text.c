/* The validation loss of derived methods on prompts of token ids, for every choice, against whole
 * sequences in double with the same edits: prompts and answers of different lengths, and the basis
 * of other prompts. */
#include <math.h>

#include "activations/causal_map.h"
#include "methods/fv.h"
#include "methods/icv.h"
#include "methods/linear_vector.h"
#include "methods/state_vector.h"
#include "model/tiny_families.h"
#include "ops/blas.h"
#include "passes/choice_loss.h"

enum {
    N = 3,
    L = 2,
    E = 16,
    V = 13,
    MOST = 7,
    ANSWER = 3,
    BASIS = 6,
    BASIS_ANSWER = 2,
    EDITS = 64
};

static struct err err;

static const size_t FIRST[N + 1] = {0, 7, 8, 13};
static const size_t ANSWER_FIRST[N + 1] = {0, 1, 4, 6};
static const size_t BASIS_FIRST[N + 1] = {0, 3, 10, 15};
static const size_t BASIS_ANSWER_FIRST[N + 1] = {0, 1, 3, 4};
static const size_t ALONE_FIRST[N + 1] = {0, 2, 3, 6};
static uint32_t ids[13], answers[6], basis_ids[15], basis_answers[4], alone_ids[6];

#define NONE PROMPT_NO_TARGET
/* Shown answers: none in the first prompt, tokens 2 and 5 to 6 of the second, 2 of the third. */
static const uint32_t NEXT[15] = {NONE, NONE, NONE, NONE, 1,    NONE, NONE, 1,
                                  1,    NONE, NONE, 1,    NONE, NONE, NONE};
/* Tokens of each prompt after which an answer begins, the last one first. */
static const size_t BEFORE[N][3] = {{2}, {6, 4, 1}, {4, 1}};
static const size_t BEFORE_COUNT[N] = {1, 3, 2};

static const struct model_dims *llama(void) {
    for (size_t i = 0; i < TINY_FAMILY_COUNT; i++)
        if (strncmp(TINY_FAMILIES[i].title, "Llama, grouped", 14) == 0)
            return &TINY_FAMILIES[i].dims;
    fail_msg("no Llama");
    return NULL;
}

static void fill(uint32_t *out, uint32_t n, uint32_t step) {
    for (uint32_t i = 0; i < n; i++) out[i] = (step * i + i * i / 3 + 2) % V;
}

static struct prompt_view asked(void) {
    fill(ids, 13, 5), fill(answers, 6, 7);
    return (struct prompt_view){
        .n = N,
        .points = 2,
        .text = {.ids = ids, .first = FIRST, .answers = answers, .answer_first = ANSWER_FIRST}};
}

static struct prompt_view bases(void) {
    fill(basis_ids, 15, 3), fill(basis_answers, 4, 11), fill(alone_ids, 6, 4);
    return (struct prompt_view){.n = N,
                                .points = 3,
                                .text = {.ids = basis_ids,
                                         .first = BASIS_FIRST,
                                         .answers = basis_answers,
                                         .answer_first = BASIS_ANSWER_FIRST,
                                         .next = NEXT,
                                         .alone_ids = alone_ids,
                                         .alone_first = ALONE_FIRST}};
}

struct scene {
    struct params p;
    struct model_twin twin;
    struct prompt_view asked, bases;
    struct method_setup setup;
    struct choice_loss_options o;
};

static void scene_open(struct scene *s, const char *method) {
    *s = (struct scene){.p = tiny_params(llama()), .asked = asked(), .bases = bases()};
    s->twin = model_twin_create(&s->p);
    method_setup_named(&s->setup, method, &s->p);
    s->setup.layer = -1;
    s->o = (struct choice_loss_options){.setup = &s->setup,
                                        .points = 2,
                                        .T0 = 3,
                                        .chunk = N,
                                        .size = {.tokens = MOST - 1,
                                                 .answer = ANSWER,
                                                 .basis = BASIS,
                                                 .basis_answer = BASIS_ANSWER},
                                        .loss = {.kind = LOSS_CROSS_ENTROPY}};
}

static void scene_close(struct scene *s) {
    model_twin_destroy(&s->twin);
    params_destroy(&s->p);
}

/* ---- the twin */

/* Prompt i with its answer. Returns the number of tokens of the prompt. */
static size_t run_sequence(struct model_twin *t, const struct prompt_view *v, size_t i) {
    uint32_t tokens[MOST + ANSWER];
    const size_t n = prompt_view_length(v, i), m = prompt_view_answer_length(v, i);
    memcpy(tokens, prompt_view_ids(v, i), n * sizeof *tokens);
    memcpy(tokens + n, prompt_view_answer(v, i), m * sizeof *tokens);
    model_twin_run_ids(t, tokens, n + m);
    return n;
}

/* After run_sequence(): the mean of -log p over the tokens of the answer. */
static double loss_of_answer(const struct model_twin *t, const struct prompt_view *v, size_t i) {
    const size_t n = prompt_view_length(v, i), m = prompt_view_answer_length(v, i);
    double sum = 0;
    for (size_t j = 0; j < m; j++) {
        const double *row = t->prediction + (n - 1 + j) * V;
        double all = 0;
        for (size_t k = 0; k < V; k++) all += exp(row[k]);
        sum += log(all) - row[prompt_view_answer(v, i)[j]];
    }
    return sum / (double)m;
}

static size_t run_prompt(struct model_twin *t, const struct prompt_view *v, size_t i) {
    model_twin_run_ids(t, prompt_view_ids(v, i), prompt_view_length(v, i));
    return prompt_view_length(v, i);
}

static const double *state_at(const struct model_twin *t, size_t stage, size_t token) {
    return t->x + (stage * t->dims.positions + token) * E;
}

static const double *attention_at(const struct model_twin *t, size_t l, size_t token) {
    return t->a + (l * t->dims.positions + token) * E;
}

/* What a method does to prompt i under a choice: values from its basis prompt, then patches. */
struct patched {
    double values[(L + 1) * E];
    struct twin_patch patches[EDITS];
    size_t n;
};

static void replace(struct patched *to, char site, size_t l, size_t token, const double *values) {
    to->patches[to->n++] = (struct twin_patch){
        .site = site, .layer = l, .token = token, .n = E, .scale = 1, .values = values};
}

static void patch_task_vector(struct patched *to, struct scene *s, size_t i, size_t choice) {
    const size_t last = run_sequence(&s->twin, &s->bases, i) - 1;
    memcpy(to->values, state_at(&s->twin, choice + 1, last), E * sizeof(double));
    replace(to, 'x', choice, prompt_view_length(&s->asked, i) - 1, to->values);
}

/* Adds what the shots of the basis prompt make of the state. */
static void patch_difference(struct patched *to, struct scene *s, size_t i, size_t choice) {
    const struct prompt_view alone = prompt_view_alone(&s->bases);
    patch_task_vector(to, s, i, choice);
    const size_t last = run_prompt(&s->twin, &alone, i) - 1;
    for (size_t e = 0; e < E; e++) to->values[e] -= state_at(&s->twin, choice + 1, last)[e];
    to->patches[0].keep = 1;
}

static void patch_state_vector(struct patched *to, struct scene *s, size_t i, size_t choice) {
    const size_t most = (size_t)state_vector_keys(&s->setup).average;
    const size_t n = BEFORE_COUNT[i] < most ? BEFORE_COUNT[i] : most;
    (void)run_sequence(&s->twin, &s->bases, i);
    for (size_t l = 0; l <= choice; l++) {
        for (size_t e = 0; e < E; e++)
            for (size_t j = 0; j < n; j++)
                to->values[l * E + e] += attention_at(&s->twin, l, BEFORE[i][j])[e] / (double)n;
        replace(to, 'a', l, prompt_view_length(&s->asked, i) - 1, to->values + l * E);
    }
}

static void steer(double *x, const void *context) {
    const double *v = context;
    const double before = sqrt(twin_dot(x, x, E));
    for (size_t e = 0; e < E; e++) x[e] += 0.8 * v[e];
    const double after = sqrt(twin_dot(x, x, E));
    for (size_t e = 0; e < E; e++) x[e] *= before / after;
}

static void patch_icv(struct patched *to, struct scene *s, size_t i, size_t choice) {
    const size_t query = run_sequence(&s->twin, &s->bases, i) - 1,
                 last = query + prompt_view_answer_length(&s->bases, i);
    double normed[2 * E], squares = 0;
    assert_int_equal(choice, 0);
    for (size_t l = 0; l < L; l++)
        for (size_t e = 0; e < E; e++)
            to->values[l * E + e] =
                state_at(&s->twin, l, last)[e] - state_at(&s->twin, l, query)[e];
    model_twin_norm(normed, state_at(&s->twin, L, last), s->twin.ln_f_w, s->twin.ln_f_b, 1,
                    &s->twin);
    model_twin_norm(normed + E, state_at(&s->twin, L, query), s->twin.ln_f_w, s->twin.ln_f_b, 1,
                    &s->twin);
    for (size_t e = 0; e < E; e++) to->values[L * E + e] = normed[e] - normed[E + e];
    for (size_t e = 0; e < (L + 1) * E; e++) squares += to->values[e] * to->values[e];
    for (size_t e = 0; e < (L + 1) * E; e++) to->values[e] /= sqrt(squares);
    const size_t tokens =
        prompt_view_length(&s->asked, i) + prompt_view_answer_length(&s->asked, i);
    for (size_t l = 0; l < L; l++)
        for (size_t t = 0; t < tokens; t++)
            to->patches[to->n++] = (struct twin_patch){.site = 'x',
                                                       .layer = l,
                                                       .token = t,
                                                       .map = steer,
                                                       .context = to->values + (l + 1) * E};
}

typedef void patch_fn(struct patched *to, struct scene *s, size_t i, size_t choice);

static double twin_loss(struct scene *s, size_t choice, patch_fn *patch) {
    double sum = 0;
    for (size_t i = 0; i < N; i++) {
        struct patched p = {0};
        patch(&p, s, i, choice);
        s->twin.patches = p.patches, s->twin.n_patches = p.n;
        (void)run_sequence(&s->twin, &s->asked, i);
        s->twin.patches = NULL, s->twin.n_patches = 0;
        sum += loss_of_answer(&s->twin, &s->asked, i) / N;
    }
    return sum;
}

/* ---- the tests */

static void check_losses(struct scene *s, const float *w, size_t choices, patch_fn *patch) {
    double losses[8] = {0};
    struct choice_loss *c;
    assert_int_equal(method_choices(&s->setup), choices);
    SUCCEEDS(choice_loss_create(&c, &s->o, w, &err));
    choice_loss_add(losses, c, &s->asked, &s->bases, NULL, 1.0 / N);
    for (size_t i = 0; i < choices; i++) CLOSE(fabs(losses[i] - twin_loss(s, i, patch)), 2e-5);
    assert_true(choices == 1 || fabs(losses[0] - losses[1]) > 1e-3);
    choice_loss_destroy(c);
}

static void the_losses_are_those_of_whole_sequences(void **state) {
    (void)state;
    struct scene s;
    scene_open(&s, "task_vector");
    s.setup.variant = 1; /* replace */
    check_losses(&s, NULL, L, patch_task_vector);
    s.setup.variant = 0;
    check_losses(&s, NULL, L, patch_difference);
    scene_close(&s);
    for (int64_t average = 1; average <= 3; average++) {
        scene_open(&s, "state_vector");
        state_vector_set_keys(&s.setup, (struct state_vector_keys){.average = average});
        check_losses(&s, NULL, L, patch_state_vector);
        scene_close(&s);
    }
    scene_open(&s, "icv");
    icv_set_keys(&s.setup, (struct icv_keys){.scale = 0.8});
    check_losses(&s, NULL, 1, patch_icv);
    scene_close(&s);
}

/* The first of several tokens of an answer has the loss that it has alone. */
static void the_loss_may_be_that_of_the_first_token(void **state) {
    (void)state;
    struct scene s;
    double loss[L] = {0}, want = 0;
    struct choice_loss *c;
    scene_open(&s, "task_vector");
    s.setup.variant = 1;
    s.o.first_token = true, s.o.size.answer = 1;
    SUCCEEDS(choice_loss_create(&c, &s.o, NULL, &err));
    choice_loss_add(loss, c, &s.asked, &s.bases, NULL, 1.0 / N);
    for (size_t i = 0; i < N; i++) {
        struct patched p = {0};
        patch_task_vector(&p, &s, i, 1);
        s.twin.patches = p.patches, s.twin.n_patches = p.n;
        const double *row = s.twin.prediction + (run_sequence(&s.twin, &s.asked, i) - 1) * V;
        s.twin.patches = NULL, s.twin.n_patches = 0;
        double all = 0;
        for (size_t k = 0; k < V; k++) all += exp(row[k]);
        want += (log(all) - row[prompt_view_answer(&s.asked, i)[0]]) / N;
    }
    CLOSE(fabs(loss[1] - want), 2e-5);
    choice_loss_destroy(c);
    scene_close(&s);
}

/* ---- derivations */

/* A [n, n] becomes its inverse, by Gauss-Jordan elimination of a positive definite matrix. */
static void invert(double *A, size_t n) {
    for (size_t k = 0; k < n; k++) {
        const double pivot = A[k * n + k];
        A[k * n + k] = 1;
        for (size_t j = 0; j < n; j++) A[k * n + j] /= pivot;
        for (size_t i = 0; i < n; i++) {
            const double factor = A[i * n + k];
            if (i == k) continue;
            A[i * n + k] = 0;
            for (size_t j = 0; j < n; j++) A[i * n + j] -= factor * A[k * n + j];
        }
    }
}

/* W = D H^T (H H^T + 0.5)^-1 with the last states of `alone` in H and the changes to those of
 * `clean` in D; the query's last state x becomes x + W x. */
static double W[E * E];

static void find_map(struct scene *s, const struct prompt_view *alone,
                     const struct prompt_view *clean) {
    double H[N][E], D[N][E], A[E * E] = {0}, B[E * E] = {0};
    for (size_t i = 0; i < N; i++) {
        size_t last = run_sequence(&s->twin, alone, i) - 1;
        memcpy(H[i], state_at(&s->twin, L, last), sizeof H[i]);
        last = run_sequence(&s->twin, clean, i) - 1;
        for (size_t e = 0; e < E; e++) D[i][e] = state_at(&s->twin, L, last)[e] - H[i][e];
    }
    for (size_t a = 0; a < E; a++)
        for (size_t b = 0; b < E; b++) {
            A[a * E + b] = a == b ? 0.5 : 0;
            for (size_t i = 0; i < N; i++) A[a * E + b] += H[i][a] * H[i][b];
            for (size_t i = 0; i < N; i++) B[a * E + b] += D[i][a] * H[i][b];
        }
    invert(A, E);
    memset(W, 0, sizeof W);
    for (size_t a = 0; a < E; a++)
        for (size_t b = 0; b < E; b++)
            for (size_t k = 0; k < E; k++) W[a * E + b] += B[a * E + k] * A[k * E + b];
}

static void apply_map(double *x, const void *context) {
    double y[E];
    (void)context;
    for (size_t a = 0; a < E; a++) y[a] = x[a] + twin_dot(W + a * E, x, E);
    memcpy(x, y, sizeof y);
}

static void patch_map(struct patched *to, struct scene *s, size_t i, size_t choice) {
    assert_int_equal(choice, 0);
    to->patches[to->n++] = (struct twin_patch){.site = 'x',
                                               .layer = L - 1,
                                               .token = prompt_view_length(&s->asked, i) - 1,
                                               .map = apply_map};
}

static struct method_training training_of(const struct scene *s) {
    return (struct method_training){
        .prompts = s->bases, .tokens = MOST - 1, .answer = ANSWER, .T0 = 3, .chunk = 2};
}

static void the_map_is_that_of_ridge_regression(void **state) {
    (void)state;
    struct scene s;
    scene_open(&s, "linear_vector");
    linear_vector_set_keys(&s.setup, (struct linear_vector_keys){.anchors = N, .ridge = 0.5});
    float *w = calloc(method_weights(&s.setup), sizeof *w);
    struct method_training t = training_of(&s);
    t.texts[METHOD_ALONE] = s.asked;
    t.texts[METHOD_CLEAN] = s.bases;
    assert_int_equal(method_weights(&s.setup), 3 * N * E);
    assert_int_equal(method_basis(&s.setup), 0);
    SUCCEEDS(s.setup.method->derivation.derive(w, &t, &s.setup, &err));
    find_map(&s, &s.asked, &s.bases);
    check_losses(&s, w, 1, patch_map);
    free(w);
    scene_close(&s);
}

/* Its heads are those of largest effect on the shuffled prompts. */
static void a_function_vector_has_the_heads_of_largest_effect(void **state) {
    (void)state;
    struct scene s;
    scene_open(&s, "fv");
    const size_t heads = L * 4;
    fv_set_keys(&s.setup, (struct fv_keys){.heads = 3, .n_layers = 1, .layers = {1}});
    struct method_training t = training_of(&s);
    t.texts[METHOD_SHUFFLED] = s.asked;
    float w[L * 4], effect[L * 4 * N];
    double mean_effect[L * 4];
    uint32_t order[L * 4];
    SUCCEEDS(s.setup.method->derivation.derive(w, &t, &s.setup, &err));
    const struct causal_options o = {
        .prompts = s.bases, .corrupted = s.asked, .tokens = MOST - 1, .T0 = 3, .chunk = N};
    struct basis_set mean;
    SUCCEEDS(basis_set_create(&mean, &s.p.dims, basis_bit(BASIS_HEADS), 1, &err));
    SUCCEEDS(causal_mean(&mean, &s.p, &o, &err));
    const struct basis values = basis_set_view(&mean, 0, 1);
    SUCCEEDS(causal_map(effect, &s.p, &values, &o, &err));
    SUCCEEDS(causal_effects(mean_effect, effect, &s.p.dims, N, &err));
    causal_rank(order, mean_effect, heads);
    for (size_t i = 0; i < heads; i++) assert_true(w[order[i]] == (i < 3 ? 1.0f : 0.0f));
    basis_set_destroy(&mean);
    scene_close(&s);
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_losses_are_those_of_whole_sequences),
        cmocka_unit_test(the_loss_may_be_that_of_the_first_token),
        cmocka_unit_test(the_map_is_that_of_ridge_regression),
        cmocka_unit_test(a_function_vector_has_the_heads_of_largest_effect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
