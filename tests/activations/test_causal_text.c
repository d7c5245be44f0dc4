#include "activations/head_gradient.h"

#include "model/tiny_families.h"
#include "sources/prompt_batch.h"

/* The causal map of prompts of token ids of different lengths, against one query pass for every
 * head with an edit and a softmax in double. */

enum { N = 5, MOST = 8, CHUNK = 2 };

static struct err err;

static const size_t FIRST[N + 1] = {0, 7, 9, 17, 22, 26};
static const size_t ANSWER_FIRST[N + 1] = {0, 1, 4, 5, 7, 8};
static uint32_t clean_ids[26], other_ids[26], answers[8];

static const struct model_dims *tiny_llama(void) {
    for (size_t i = 0; i < TINY_FAMILY_COUNT; i++)
        if (strncmp(TINY_FAMILIES[i].title, "Llama, grouped", 14) == 0)
            return &TINY_FAMILIES[i].dims;
    fail_msg("no Llama");
    return NULL;
}

static struct prompt_view view_of(uint32_t *ids, uint32_t step) {
    for (uint32_t i = 0; i < 26; i++) ids[i] = (step * i + i * i) % 13;
    for (uint32_t i = 0; i < 8; i++) answers[i] = (5 * i + 2) % 13;
    return (struct prompt_view){
        .n = N,
        .points = 3,
        .text = {.ids = ids, .first = FIRST, .answers = answers, .answer_first = ANSWER_FIRST}};
}

static struct causal_options options_of_text(void) {
    return (struct causal_options){.prompts = view_of(clean_ids, 3),
                                   .corrupted = view_of(other_ids, 4),
                                   .tokens = MOST - 1,
                                   .T0 = 3,
                                   .chunk = CHUNK};
}

struct world {
    struct params p;
    struct causal_options o;
    struct basis_set mean;
    float *effect; /* [L, H, N] */
    double *average;
};

static void world_run(struct world *w) {
    const struct model_dims *d = &w->p.dims;
    w->o = options_of_text();
    w->effect = calloc(d->L * d->H * N, sizeof *w->effect);
    w->average = calloc(d->L * d->H, sizeof *w->average);
    assert_true(w->effect && w->average);
    SUCCEEDS(basis_set_create(&w->mean, d, basis_bit(BASIS_HEADS), 1, &err));
    SUCCEEDS(causal_mean(&w->mean, &w->p, &w->o, &err));
    const struct basis values = basis_set_view(&w->mean, 0, 1);
    SUCCEEDS(causal_map(w->effect, &w->p, &values, &w->o, &err));
    SUCCEEDS(causal_effects(w->average, w->effect, d, N, &err));
}

static void world_free(struct world *w) {
    basis_set_destroy(&w->mean);
    free(w->effect);
    free(w->average);
    params_destroy(&w->p);
}

/* The rank of the first token of the answer. */
static size_t rank_of(const float *logits, size_t V, uint32_t token) {
    size_t rank = 0;
    for (size_t v = 0; v < V; v++) rank += logits[v] > logits[token];
    return rank;
}

static double probability(const float *logits, size_t V, uint32_t token) {
    double sum = 0;
    for (size_t v = 0; v < V; v++) sum += exp((double)logits[v]);
    return exp((double)logits[token]) / sum;
}

/* A pass of all prompts at once; probability [N] of the first tokens of answers. */
static void ask_all(double *out, struct query *q, const struct params *p,
                    const struct prompt_view *v, const struct edits *edits) {
    const struct prompt_batch_options o = {.dims = &p->dims, .slots = N, .tokens = MOST, .rows = N};
    struct prompt_batch b;
    SUCCEEDS(prompt_batch_create(&b, &o, &err));
    prompt_batch_begin(&b, p, NULL);
    prompt_batch_fill(&b, v, (struct prompt_span){.pairs = v->points - 1});
    prompt_batch_ask(&b, v, v->points - 1, 0);
    const struct query_rows rows = prompt_rows_of(&b.rows, N);
    query_forward(q, p, &b.context, &rows, edits);
    float *logits = tiny_logits(p, query_output(q), N);
    for (size_t i = 0; i < N; i++)
        out[i] = probability(logits + i * p->dims.vocabulary, p->dims.vocabulary,
                             prompt_view_answer(v, i)[0]);
    free(logits);
    prompt_batch_destroy(&b);
}

static void the_map_is_that_of_edited_passes(void **state) {
    (void)state;
    struct world w = {.p = tiny_params(tiny_llama())};
    const struct model_dims *d = &w.p.dims;
    const size_t D = model_head_width(d);
    double plain[N], edited[N];
    struct query q;
    world_run(&w);
    SUCCEEDS(query_create(&q, d, N, MOST, false, &err));
    ask_all(plain, &q, &w.p, &w.o.prompts, &(struct edits){0});
    for (size_t l = 0; l < d->L; l++)
        for (size_t j = 0; j < d->H * D; j++) {
            double mean = 0;
            for (size_t i = 0; i < N; i++) mean += (double)q.z[(l * N + i) * d->H * D + j] / N;
            CLOSE(fabs(mean - (double)w.mean.part[BASIS_HEADS][l * d->H * D + j]), 1e-6);
        }
    ask_all(plain, &q, &w.p, &w.o.corrupted, &(struct edits){0});
    for (size_t l = 0; l < d->L; l++)
        for (size_t h = 0; h < d->H; h++) {
            const struct edit item = {.layer = l,
                                      .site = EDIT_HEADS,
                                      .operation = EDIT_REPLACE,
                                      .from = h * D,
                                      .n = D,
                                      .scale = 1,
                                      .values = w.mean.part[BASIS_HEADS] + l * d->H * D + h * D};
            ask_all(edited, &q, &w.p, &w.o.corrupted, &(struct edits){.items = &item, .n = 1});
            for (size_t i = 0; i < N; i++)
                CLOSE(fabs((double)w.effect[(l * d->H + h) * N + i] - (edited[i] - plain[i])),
                      1e-6);
        }
    query_destroy(&q);
    world_free(&w);
}

static void only_one_has_effects(const struct world *w, size_t head) {
    const struct model_dims *d = &w->p.dims;
    size_t effects = 0;
    for (size_t lh = 0; lh < d->L * d->H; lh++)
        for (size_t i = 0; i < N; i++) {
            const double effect = fabs((double)w->effect[lh * N + i]);
            if (lh == head)
                effects += effect > 1e-5;
            else
                CLOSE(effect, 1e-7);
        }
    assert_true(effects > 0);
}

/* The output projections of all heads but one are 0: only that head has effects. */
static void a_planted_head_is_found(void **state) {
    enum { LAYER = 1, HEAD = 2 };
    (void)state;
    struct world w = {.p = tiny_params(tiny_llama())};
    const struct model_dims *d = &w.p.dims;
    const size_t D = model_head_width(d), width = model_heads_width(d);
    for (size_t i = 0; i < params_tensors(d); i++) {
        struct param_info t;
        params_at(&t, &w.p, i);
        if (!strstr(t.name, "o_proj.weight")) continue;
        const bool planted = strstr(t.name, "layers.1.") != NULL;
        for (size_t j = 0; j < d->E * width; j++) /* [E, H D] */
            if (!planted || j % width / D != HEAD) t.data[j] = 0;
    }
    world_run(&w);
    only_one_has_effects(&w, LAYER * d->H + HEAD);
    SUCCEEDS(head_gradient_map(w.effect, &w.p, &w.o, &err));
    only_one_has_effects(&w, LAYER * d->H + HEAD);
    world_free(&w);
}

/* Logits [N, V] of all prompts with coordinates [from, from + D) of z at a layer times 1 + step;
 * free() them. */
static float *scaled_logits(struct query *q, const struct params *p, const struct prompt_view *v,
                            size_t layer, size_t from, float step) {
    const struct model_dims *d = &p->dims;
    const size_t D = model_head_width(d), width = model_heads_width(d);
    const struct prompt_batch_options o = {.dims = d, .slots = N, .tokens = MOST, .rows = N};
    struct prompt_batch b;
    float more[N * 64];
    SUCCEEDS(prompt_batch_create(&b, &o, &err));
    prompt_batch_begin(&b, p, NULL);
    prompt_batch_fill(&b, v, (struct prompt_span){.pairs = v->points - 1});
    prompt_batch_ask(&b, v, v->points - 1, 0);
    const struct query_rows rows = prompt_rows_of(&b.rows, N);
    query_forward(q, p, &b.context, &rows, &(struct edits){0});
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < D; j++) more[i * D + j] = q->z[(layer * N + i) * width + from + j];
    const struct edit item = {.layer = layer,
                              .site = EDIT_HEADS,
                              .from = from,
                              .n = D,
                              .scale = step,
                              .values = more,
                              .row_stride = D};
    query_forward(q, p, &b.context, &rows, &(struct edits){.items = &item, .n = 1});
    prompt_batch_destroy(&b);
    return tiny_logits(p, query_output(q), N);
}

/* Gradient times output of a head is how fast the logit changes with the size of the output. */
static void attributions_are_those_of_differences(void **state) {
    static const float STEP = 0.01F;
    (void)state;
    struct params p = tiny_params(tiny_llama());
    const struct model_dims *d = &p.dims;
    const struct causal_options o = options_of_text();
    const size_t V = d->vocabulary, D = model_head_width(d);
    float *effect = calloc(d->L * d->H * N, sizeof *effect);
    struct query q;
    size_t answered = 0;
    assert_non_null(effect);
    SUCCEEDS(query_create(&q, d, N, MOST, false, &err));
    SUCCEEDS(head_gradient_map(effect, &p, &o, &err));
    for (size_t lh = 0; lh < d->L * d->H; lh++) {
        float *up = scaled_logits(&q, &p, &o.prompts, lh / d->H, lh % d->H * D, STEP);
        float *down = scaled_logits(&q, &p, &o.prompts, lh / d->H, lh % d->H * D, -STEP);
        for (size_t i = 0; i < N; i++) {
            const uint32_t token = prompt_view_answer(&o.prompts, i)[0];
            const double change =
                ((double)up[i * V + token] - (double)down[i * V + token]) / (2 * (double)STEP);
            const bool is_likely = rank_of(up + i * V, V, token) < HEAD_GRADIENT_TOP;
            CLOSE(fabs((double)effect[lh * N + i] - (is_likely ? change : 0)), 1e-3);
            answered += is_likely;
        }
        free(up);
        free(down);
    }
    assert_true(answered > 0 && answered < d->L * d->H * N);
    query_destroy(&q);
    free(effect);
    params_destroy(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_map_is_that_of_edited_passes),
        cmocka_unit_test(a_planted_head_is_found),
        cmocka_unit_test(attributions_are_those_of_differences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
