/* GPT-2 over token ids, by the context and the query stream: against the double-precision twin, and
 * against the logits that PyTorch computed (../shared/fixtures/text/gpt2_f32; TASKVEC_FIXTURES
 * names another folder of fixtures, TASKVEC_REQUIRE_FIXTURES=1 makes their absence a failure). */
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "model/context_pass.h"
#include "model/query.h"
#include "model/tiny_tokens.h"
#include "ops/blas.h"
#include "store/fixture.h"
#include "tensorfile/tensorfile.h"
#include "json/json.h"

static struct err err;
static const struct edits NONE;

/* Every token of B prompts of up to T tokens is a query over what precedes it. */
struct scene {
    size_t B, T, R;
    const uint32_t *ids, *lengths; /* [B, T], [B] */
    struct context context;
    struct query query;
    uint32_t *slot, *length, *own; /* [R] */
    float *logits;                 /* [R, V] */
};

static void scene_fill(struct scene *s, const struct params *p) {
    struct context_scratch *scratch = NULL;
    SUCCEEDS(context_create(&s->context, &p->dims, s->B, s->T, CONTEXT_SINGLE, &err));
    SUCCEEDS(context_scratch_create(&scratch, &p->dims, 1, s->T, &err));
    for (size_t b = 0; b < s->B; b++) {
        context_add_ids(&s->context, b, scratch, p, s->ids + b * s->T, s->lengths[b] - 1, &NONE);
        context_finish(&s->context, scratch, p, &NONE);
    }
    context_scratch_destroy(scratch);
}

static struct scene scene_run(const struct params *p, const uint32_t *ids, const uint32_t *lengths,
                              size_t B, size_t T) {
    struct scene s = {.B = B, .T = T, .ids = ids, .lengths = lengths};
    s.slot = calloc(3 * B * T, sizeof *s.slot);
    assert_non_null(s.slot);
    s.length = s.slot + B * T;
    s.own = s.length + B * T;
    scene_fill(&s, p);
    for (size_t b = 0; b < B; b++)
        for (uint32_t t = 0; t < lengths[b]; t++, s.R++) {
            s.slot[s.R] = (uint32_t)b;
            s.length[s.R] = t;
            s.own[s.R] = ids[b * T + t];
        }
    SUCCEEDS(query_create(&s.query, &p->dims, s.R, T, false, &err));
    const struct query_rows rows = {.R = s.R, .slot = s.slot, .length = s.length, .ids = s.own};
    query_forward(&s.query, p, &s.context, &rows, &NONE);
    s.logits = tiny_logits(p, query_output(&s.query), s.R);
    return s;
}

static void scene_free(struct scene *s) {
    query_destroy(&s->query);
    context_destroy(&s->context);
    free(s->slot);
    free(s->logits);
}

static void logits_equal_the_twin(void **state) {
    (void)state;
    enum { B = 2, T = 12 };
    const uint32_t lengths[B] = {12, 7};
    const size_t V = TINY_TOKENS.vocabulary;
    struct params p = tiny_params(&TINY_TOKENS);
    struct model_twin twin = model_twin_create(&p);
    uint32_t ids[B * T];
    tiny_ids(ids, B * T);
    struct scene s = scene_run(&p, ids, lengths, B, T);
    for (size_t b = 0, r = 0; b < B; b++) {
        model_twin_run_ids(&twin, ids + b * T, lengths[b]);
        CLOSE(twin_error(s.logits + r * V, twin.prediction, lengths[b] * V), 1e-5);
        r += lengths[b];
    }
    scene_free(&s);
    model_twin_destroy(&twin);
    params_destroy(&p);
}

/* ---- the fixture */

static void fixture_path_of(char out[FILE_PATH_MAX], const char *name) {
    const char *folder = getenv("TASKVEC_FIXTURES"), *source = getenv("TASKVEC_SOURCE");
    if (folder)
        (void)snprintf(out, FILE_PATH_MAX, "%s/text/gpt2_f32/%s", folder, name);
    else
        (void)snprintf(out, FILE_PATH_MAX, "%s/../shared/fixtures/text/gpt2_f32/%s",
                       source ? source : ".", name);
}

static bool fixture_is_there(void) {
    const char *required = getenv("TASKVEC_REQUIRE_FIXTURES");
    char path[FILE_PATH_MAX];
    fixture_path_of(path, "expected.h5");
    if (access(path, R_OK) == 0) return true;
    if (required && strcmp(required, "1") == 0) fail_msg("%s: no such file", path);
    print_message("%s is not there: not compared\n", path);
    return false;
}

static size_t read_size(struct json config, const char *key) {
    int64_t size = 0;
    SUCCEEDS(json_read_int(&size, json_member(config, key), key, &err));
    return (size_t)size;
}

static struct model_dims fixture_dims(void) {
    char path[FILE_PATH_MAX], text[4096];
    struct json config = {0};
    double epsilon = 0;
    fixture_path_of(path, "config.json");
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    const size_t size = fread(text, 1, sizeof text, f);
    (void)fclose(f);
    SUCCEEDS(json_parse(&config, text, size, path, &err));
    SUCCEEDS(json_read_number(&epsilon, json_member(config, "layer_norm_epsilon"), path, &err));
    const struct model_dims d = {.L = read_size(config, "n_layer"),
                                 .H = read_size(config, "n_head"),
                                 .E = read_size(config, "n_embd"),
                                 .vocabulary = read_size(config, "vocab_size"),
                                 .positions = read_size(config, "n_positions"),
                                 .epsilon = (float)epsilon,
                                 .family = &family_gpt2,
                                 .tied = true};
    json_release(&config);
    return d;
}

/* The file's tensors are found by the names of the family's row, and by nothing else. */
static struct params fixture_params(void) {
    const struct model_dims d = fixture_dims();
    char path[FILE_PATH_MAX];
    struct tensorfile *f = NULL;
    struct params p;
    fixture_path_of(path, "model.safetensors");
    SUCCEEDS(tensorfile_open(&f, path, &err));
    SUCCEEDS(params_create(&p, &d, &err));
    for (size_t i = 0; i < params_tensors(&d); i++) {
        struct param_info t;
        params_at(&t, &p, i);
        SUCCEEDS(tensorfile_floats(t.data, f, t.name, t.rank, t.shape, &err));
    }
    assert_int_equal(tensorfile_count(f), params_tensors(&d));
    tensorfile_close(f);
    return p;
}

struct expected {
    struct fixture_array ids, lengths, logits; /* [B, T], [B], [B, T, V] */
};

static struct expected fixture_expected(void) {
    struct expected e;
    struct fixture *f = NULL;
    char path[FILE_PATH_MAX];
    fixture_path_of(path, "expected.h5");
    SUCCEEDS(fixture_open(&f, path, &err));
    SUCCEEDS(fixture_integers(&e.ids, f, "token_ids", 2, &err));
    SUCCEEDS(fixture_integers(&e.lengths, f, "lengths", 1, &err));
    SUCCEEDS(fixture_floats(&e.logits, f, "logits", 3, &err));
    fixture_close(f);
    return e;
}

static double largest(const float *x, size_t n) {
    double top = 0;
    for (size_t i = 0; i < n; i++) top = fmax(top, fabs((double)x[i]));
    return top;
}

/* 1e-5 of max(1, the largest logit): the tolerance that the fixtures' README states. */
static void compare_logits(const struct scene *s, const struct expected *e, size_t V) {
    const double allowed = 1e-5 * fmax(1, largest(e->logits.floats, e->logits.n));
    for (size_t r = 0; r < s->R; r++) {
        const float *want = e->logits.floats + (s->slot[r] * s->T + s->length[r]) * V;
        for (size_t v = 0; v < V; v++) {
            const float got = s->logits[r * V + v];
            if (!(fabs((double)got - (double)want[v]) <= allowed))
                fail_msg("prompt %u, token %u, logit %zu: %.9g, expected %.9g", s->slot[r],
                         s->length[r], v, (double)got, (double)want[v]);
        }
    }
}

static uint32_t *narrowed(const struct fixture_array *a) {
    uint32_t *x = calloc(a->n, sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < a->n; i++) x[i] = (uint32_t)(a->integers[i] < 0 ? 0 : a->integers[i]);
    return x;
}

static void logits_equal_the_fixture(void **state) {
    (void)state;
    if (!fixture_is_there()) skip();
    struct params p = fixture_params();
    struct expected e = fixture_expected();
    uint32_t *ids = narrowed(&e.ids), *lengths = narrowed(&e.lengths);
    const size_t V = p.dims.vocabulary;
    assert_int_equal(e.logits.shape[2], V);
    struct scene s = scene_run(&p, ids, lengths, e.ids.shape[0], e.ids.shape[1]);
    assert_true(s.R > e.ids.shape[0]);
    compare_logits(&s, &e, V);
    scene_free(&s);
    params_destroy(&p);
    free(ids), free(lengths);
    fixture_array_release(&e.ids);
    fixture_array_release(&e.lengths);
    fixture_array_release(&e.logits);
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_equal_the_twin),
        cmocka_unit_test(logits_equal_the_fixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
