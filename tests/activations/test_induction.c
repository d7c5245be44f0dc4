#include <math.h>

#include "activations/induction.h"

#include "model/forward.h"
#include "model/tiny_families.h"
#include "ops/attention.h"

/* Induction scores against the attention of full passes over whole sequences, and of a head that
 * is made to attend to the token after the earlier occurrence. */

enum { N = 3, LENGTH = 6, CHUNK = 2, V = 13, MOST = 1 + 2 * LENGTH };

static struct err err;

static struct induction_options options_of(const struct rng *stream, int32_t bos) {
    return (struct induction_options){.sequences = N,
                                      .length = LENGTH,
                                      .vocabulary = V,
                                      .bos = bos,
                                      .chunk = CHUNK,
                                      .stream = stream};
}

/* Different tokens, without bos, drawn as the header says; then the same again. */
static size_t draw_naively(uint32_t ids[MOST], const struct rng *stream, int32_t bos, size_t i) {
    uint32_t order[V];
    size_t n = 0;
    rng_permutation(order, bos >= 0 ? V - 1 : V, stream, i, 0);
    if (bos >= 0) ids[n++] = (uint32_t)bos;
    for (size_t twice = 0; twice < 2; twice++)
        for (size_t j = 0; j < LENGTH; j++)
            ids[n++] = order[j] + (bos >= 0 && order[j] >= (uint32_t)bos);
    return n;
}

/* From a full pass: what token `from` of the only sequence pays to token `to`. */
static double attention_of(const struct forward *f, size_t tokens, size_t l, size_t h, size_t from,
                           size_t to) {
    const float *triangle = f->layers[l].att + h * attention_triangle(tokens, 1);
    return (double)triangle[attention_row_start(from, 1) + to];
}

static void compare_with_full_passes(const struct tiny_family *family, int32_t bos) {
    struct params p = tiny_params(&family->dims);
    const struct model_dims *d = &p.dims;
    const struct rng stream = rng_stream(3, "induction");
    const struct induction_options o = options_of(&stream, bos);
    float score[2 * 4 * N];
    struct forward f;
    SUCCEEDS(induction_scores(score, &p, &o, &err));
    SUCCEEDS(forward_create(&f, d, 1, MOST, true, &err));
    for (size_t i = 0; i < N; i++) {
        uint32_t ids[MOST];
        const uint32_t tokens = (uint32_t)draw_naively(ids, &stream, bos, i);
        assert_int_equal(tokens, induction_tokens(&o));
        forward_run_ids(&f, &p, &(struct forward_ids){1, &tokens, ids});
        for (size_t lh = 0; lh < d->L * d->H; lh++) {
            double want = 0;
            for (size_t from = tokens - LENGTH; from < tokens; from++)
                for (size_t to = 0; to < from; to++) /* the token after an earlier occurrence */
                    if (to > 0 && ids[to - 1] == ids[from])
                        want += attention_of(&f, tokens, lh / d->H, lh % d->H, from, to) / LENGTH;
            FAMILY_CLOSE(fabs((double)score[lh * N + i] - want), 1e-5, family->title);
        }
    }
    forward_destroy(&f);
    params_destroy(&p);
}

static void scores_are_those_of_full_passes(void **state) {
    (void)state;
    for (size_t i = 0; i < TINY_FAMILY_COUNT; i++) {
        compare_with_full_passes(&TINY_FAMILIES[i], -1);
        compare_with_full_passes(&TINY_FAMILIES[i], (int32_t)i % V);
    }
}

static struct param_info tensor_named(struct params *p, const char *end) {
    for (size_t i = 0; i < params_tensors(&p->dims); i++) {
        struct param_info t;
        params_at(&t, p, i);
        const size_t n = strlen(t.name), m = strlen(end);
        if (n >= m && strcmp(t.name + n - m, end) == 0) return t;
    }
    fail_msg("no tensor %s", end);
    return (struct param_info){0};
}

/* GPT-2 whose tokens are their positions, one coordinate each. Keys of one head are the angles of
 * positions on a circle, its queries the angle of the position LENGTH - 1 earlier; all other heads
 * attend to everything alike. */
static void plant(struct params *p, size_t head) {
    const struct model_dims *d = &p->dims;
    const size_t E = d->E, D = model_head_width(d), width = model_qkv_width(d);
    for (size_t i = 0; i < params_tensors(d); i++) {
        struct param_info t;
        params_at(&t, p, i);
        const bool is_gain = strstr(t.name, "ln_") && strstr(t.name, "weight");
        for (size_t j = 0; j < tensor_size(&t); j++) t.data[j] = is_gain ? 1.0F : 0.0F;
    }
    float *wpe = tensor_named(p, "wpe.weight").data;
    float *qkv = tensor_named(p, "h.1.attn.c_attn.weight").data; /* [E, q k v] */
    for (size_t t = 0; t < E; t++) {
        const double turn = 2 * acos(-1.0) / (double)E;
        const double to = turn * (double)(t + 1) - turn * LENGTH, own = turn * (double)t;
        wpe[t * E + t] = 1;
        qkv[t * width + head * D] = (float)(30 * cos(to));
        qkv[t * width + head * D + 1] = (float)(30 * sin(to));
        qkv[t * width + E + head * D] = (float)cos(own);
        qkv[t * width + E + head * D + 1] = (float)sin(own);
    }
}

static void a_planted_head_has_all(void **state) {
    enum { HEAD = 2 };
    (void)state;
    struct params p = tiny_params(&TINY_FAMILIES[0].dims);
    const struct rng stream = rng_stream(3, "induction");
    const struct induction_options o = options_of(&stream, 4);
    float score[2 * 4 * N];
    double even = 0; /* of a head that attends to everything alike */
    for (size_t j = 0; j < LENGTH; j++) even += 1.0 / (double)(LENGTH + j + 2) / LENGTH;
    assert_string_equal(TINY_FAMILIES[0].title, "GPT-2");
    plant(&p, HEAD);
    SUCCEEDS(induction_scores(score, &p, &o, &err));
    for (size_t lh = 0; lh < p.dims.L * p.dims.H; lh++)
        for (size_t i = 0; i < N; i++) {
            const bool planted = lh == p.dims.H + HEAD;
            if (planted)
                assert_true(score[lh * N + i] > 0.95F);
            else
                CLOSE(fabs((double)score[lh * N + i] - even), 1e-6);
        }
    params_destroy(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_are_those_of_full_passes),
        cmocka_unit_test(a_planted_head_has_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
