#include "passes/head_ablation.h"

#include <math.h>

#include "model/tiny_families.h"

/* Ablation on prompts of token ids of different lengths, whole answers, against prompts that grow
 * token by token in a context of their own, with a softmax in double; and on a model of which one
 * head alone has an output. Numbers: tests/stages/test_ablation.c. */

enum { N = 5, MOST = 8, ANSWER = 3, CHUNK = 2 };

static struct err err;

static const size_t FIRST[N + 1] = {0, 7, 9, 17, 22, 26};
static const size_t ANSWER_FIRST[N + 1] = {0, 1, 4, 5, 7, 8};
static uint32_t ids[26], answers[8];

static struct prompt_view text_view(void) {
    for (uint32_t i = 0; i < 26; i++) ids[i] = (3 * i + i * i) % 13;
    for (uint32_t i = 0; i < 8; i++) answers[i] = (5 * i + 2) % 13;
    return (struct prompt_view){
        .n = N,
        .points = 3,
        .text = {.ids = ids, .first = FIRST, .answers = answers, .answer_first = ANSWER_FIRST}};
}

static const struct model_dims *family_titled(const char *title) {
    for (size_t i = 0; i < TINY_FAMILY_COUNT; i++)
        if (strncmp(TINY_FAMILIES[i].title, title, strlen(title)) == 0)
            return &TINY_FAMILIES[i].dims;
    fail_msg("no %s", title);
    return NULL;
}

struct scene {
    struct params p;
    struct prompt_view view;
    float *mean; /* [L, H D], any numbers */
    struct head_ablation pass;
};

static void scene_open(struct scene *s, struct params p) {
    const size_t n = p.dims.L * model_heads_width(&p.dims);
    *s = (struct scene){.p = p, .view = text_view(), .mean = calloc(n, sizeof *s->mean)};
    assert_non_null(s->mean);
    for (size_t i = 0; i < n; i++) s->mean[i] = 0.3F * (float)sin((double)i);
    const struct head_ablation_options o = {.params = &s->p,
                                            .mean = s->mean,
                                            .loss = {.kind = LOSS_CROSS_ENTROPY},
                                            .chunk = CHUNK,
                                            .tokens = MOST - 1,
                                            .answer = ANSWER};
    SUCCEEDS(head_ablation_create(&s->pass, &o, &err));
}

static void scene_close(struct scene *s) {
    head_ablation_destroy(&s->pass);
    free(s->mean);
    params_destroy(&s->p);
}

static void ablate_all(struct head_ablation_result out[N], struct scene *s, const uint32_t *heads,
                       size_t n) {
    for (size_t first = 0; first < N; first += CHUNK) {
        const struct prompt_view part = prompt_view_chunk(&s->view, first, CHUNK);
        head_ablation_begin(&s->pass, &part);
        head_ablation_run(out + first, &s->pass, heads, n);
    }
}

/* log p of a token; *is_best: no other has a larger logit. */
static double log_prob(bool *is_best, const struct params *p, const float *x, uint32_t token) {
    float *logits = tiny_logits(p, x, 1);
    double sum = 0;
    *is_best = true;
    for (size_t v = 0; v < p->dims.vocabulary; v++) {
        sum += exp((double)logits[v]);
        *is_best = *is_best && logits[v] <= logits[token];
    }
    const double of = (double)logits[token] - log(sum);
    free(logits);
    return of;
}

/* The whole prompt one token at a time: only the last one of the prompt is edited. */
static struct head_ablation_result grow(struct scene *s, size_t i, const struct edits *edits) {
    const size_t length = prompt_view_length(&s->view, i);
    const size_t n = prompt_view_answer_length(&s->view, i);
    struct head_ablation_result out = {.right = 1};
    struct context c;
    struct query q;
    SUCCEEDS(context_create(&c, &s->p.dims, 1, MOST + ANSWER, CONTEXT_SINGLE, &err));
    SUCCEEDS(query_create(&q, &s->p.dims, 1, MOST + ANSWER, false, &err));
    for (uint32_t t = 0; t + 1 < length + n; t++) {
        const uint32_t slot = 0, *answer = prompt_view_answer(&s->view, i);
        const uint32_t id = t < length ? prompt_view_ids(&s->view, i)[t] : answer[t - length];
        const struct query_rows row = {.R = 1, .slot = &slot, .length = &t, .ids = &id};
        bool is_best;
        query_append(&q, &s->p, &c, &row, t + 1 == length ? edits : &(struct edits){0});
        if (t + 1 < length) continue;
        const double of = log_prob(&is_best, &s->p, query_output(&q), answer[t + 1 - length]);
        out.loss -= (float)(of / (double)n);
        if (t + 1 == length) out.first_right = is_best;
        out.right = out.right != 0 && is_best;
    }
    query_destroy(&q);
    context_destroy(&c);
    return out;
}

static void compare_with_growing_prompts(struct scene *s, const uint32_t *heads, size_t n) {
    const struct model_dims *d = &s->p.dims;
    const size_t D = model_head_width(d);
    struct head_ablation_result got[N];
    struct edit items[8];
    for (size_t k = 0; k < n; k++)
        items[k] =
            (struct edit){.layer = heads[k] / d->H,
                          .site = EDIT_HEADS,
                          .operation = EDIT_REPLACE,
                          .from = heads[k] % d->H * D,
                          .n = D,
                          .scale = 1,
                          .values = s->mean + heads[k] / d->H * d->H * D + heads[k] % d->H * D};
    ablate_all(got, s, heads, n);
    for (size_t i = 0; i < N; i++) {
        const struct head_ablation_result want =
            grow(s, i, &(struct edits){.items = items, .n = n});
        CLOSE(fabs((double)got[i].loss - (double)want.loss), 1e-5);
        assert_true(got[i].first_right == want.first_right && got[i].right == want.right);
    }
}

static void results_are_those_of_growing_prompts(void **state) {
    static const uint32_t HEADS[] = {6, 1, 4, 0, 2, 3, 5, 7};
    static const char *const TITLES[] = {"Llama, grouped", "GPT-J", "Qwen3, H D above"};
    (void)state;
    for (size_t f = 0; f < 3; f++) {
        struct scene s;
        scene_open(&s, tiny_params(family_titled(TITLES[f])));
        for (size_t n = 0; n <= 8; n += n < 2 ? 1 : 3) compare_with_growing_prompts(&s, HEADS, n);
        scene_close(&s);
    }
}

static void only_the_planted_head_matters(void **state) {
    enum { PLANTED = 6 };
    (void)state;
    struct params p = tiny_params(family_titled("Llama, grouped"));
    const struct model_dims *d = &p.dims;
    const size_t D = model_head_width(d), width = model_heads_width(d);
    struct head_ablation_result plain[N], without[N];
    struct scene s;
    for (size_t i = 0; i < params_tensors(d); i++) {
        struct param_info t;
        params_at(&t, &p, i);
        if (!strstr(t.name, "o_proj.weight")) continue;
        const size_t layer = strstr(t.name, "layers.1.") != NULL;
        for (size_t j = 0; j < d->E * width; j++) /* [E, H D] */
            if (layer * d->H + j % width / D != PLANTED) t.data[j] = 0;
    }
    scene_open(&s, p);
    ablate_all(plain, &s, NULL, 0);
    for (uint32_t head = 0; head < 8; head++) {
        double most = 0;
        ablate_all(without, &s, &head, 1);
        for (size_t i = 0; i < N; i++)
            most = fmax(most, fabs((double)without[i].loss - (double)plain[i].loss));
        if (head == PLANTED)
            assert_true(most > 1e-3);
        else
            CLOSE(most, 1e-6);
    }
    scene_close(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_those_of_growing_prompts),
        cmocka_unit_test(only_the_planted_head_matters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
