/* SmolLM2-135M-Instruct (experiments/text/fetch_smollm2.sh): the log probability of every token of
 * six prompts, against ../shared/fixtures/text/smollm2. TASKVEC_SMOLLM2 names the folder of the
 * model; without it, or without the fixture, the test is skipped and says so. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "model/forward.h"
#include "model/hf/hf_weights.h"
#include "ops/blas.h"
#include "store/fixture.h"
#include "twins/error_says.h"

static struct err err;

enum { TILE = 8 }; /* tokens whose logits are computed together */

struct prompts {
    struct fixture_array ids, lengths, log_probs; /* [B, T], [B], [B, T - 1] */
    char hash[HASH_HEX];
};

static bool prompts_read(struct prompts *e) {
    const char *fixtures = getenv("TASKVEC_FIXTURES"), *source = getenv("TASKVEC_SOURCE");
    char path[FILE_PATH_MAX];
    struct fixture *f = NULL;
    if (fixtures)
        (void)snprintf(path, sizeof path, "%s/text/smollm2/expected.h5", fixtures);
    else
        (void)snprintf(path, sizeof path, "%s/../shared/fixtures/text/smollm2/expected.h5",
                       source ? source : ".");
    if (!file_exists(path)) return false;
    SUCCEEDS(fixture_open(&f, path, &err));
    SUCCEEDS(fixture_integers(&e->ids, f, "token_ids", 2, &err));
    SUCCEEDS(fixture_integers(&e->lengths, f, "lengths", 1, &err));
    SUCCEEDS(fixture_floats(&e->log_probs, f, "float64/next_token_log_prob", 2, &err));
    SUCCEEDS(fixture_text_attribute(e->hash, sizeof e->hash, f, "tensors_sha256", &err));
    fixture_close(f);
    return true;
}

static void prompts_release(struct prompts *e) {
    fixture_array_release(&e->ids);
    fixture_array_release(&e->lengths);
    fixture_array_release(&e->log_probs);
}

static double log_prob(const float *logits, size_t V, uint32_t id) {
    double top = -INFINITY, sum = 0;
    for (size_t v = 0; v < V; v++) top = fmax(top, (double)logits[v]);
    for (size_t v = 0; v < V; v++) sum += exp((double)logits[v] - top);
    return (double)logits[id] - top - log(sum);
}

/* The largest difference to want [T - 1] over the tokens of one prompt. */
static double compare_prompt(const struct params *p, const uint32_t *ids, uint32_t T,
                             const float *want) {
    const struct model_dims *d = &p->dims;
    const size_t V = d->vocabulary;
    struct forward f;
    struct unembed u;
    struct arena arena = {0};
    const struct forward_ids sequence = {1, &T, ids};
    double worst = 0;
    float *logits = calloc(TILE * V, sizeof *logits);
    assert_non_null(logits);
    SUCCEEDS(forward_create(&f, d, 1, T, false, &err));
    unembed_lay_out(&u, &arena, d, TILE, false);
    SUCCEEDS(arena_commit(&arena, &err));
    unembed_lay_out(&u, &arena, d, TILE, false);
    forward_run_ids(&f, p, &sequence);
    for (size_t t = 0; t + 1 < T; t += TILE) {
        const size_t n = T - 1 - t < TILE ? T - 1 - t : TILE;
        unembed_forward(logits, &u, p, forward_x(&f, d->L) + t * d->E, n);
        for (size_t i = 0; i < n; i++) {
            const double got = log_prob(logits + i * V, V, ids[t + i + 1]);
            worst = fmax(worst, fabs(got - (double)want[t + i]));
        }
    }
    free(logits);
    arena_release(&arena);
    forward_destroy(&f);
    return worst;
}

static void compare_prompts(const struct params *p, const struct prompts *e) {
    const size_t T = e->ids.shape[1];
    uint32_t ids[1024];
    assert_true(T <= sizeof ids / sizeof *ids);
    for (size_t b = 0; b < e->ids.shape[0]; b++) {
        for (size_t t = 0; t < T; t++)
            ids[t] = e->ids.integers[b * T + t] < 0 ? 0 : (uint32_t)e->ids.integers[b * T + t];
        const double worst = compare_prompt(p, ids, (uint32_t)e->lengths.integers[b],
                                            e->log_probs.floats + b * (T - 1));
        if (!(worst <= 3e-4)) fail_msg("prompt %zu: a log probability is off by %g", b, worst);
    }
}

static void log_probabilities_equal_the_fixture(void **state) {
    (void)state;
    const char *folder = getenv("TASKVEC_SMOLLM2");
    struct prompts e = {0};
    struct hf_model m;
    struct params p;
    char hash[HASH_HEX];
    if (!folder || !prompts_read(&e)) {
        print_message("TASKVEC_SMOLLM2 is not set, or the fixture is not there: not compared\n");
        skip();
    }
    SUCCEEDS(hf_model_open(&m, folder, &err));
    tensor_set_hash(hash, m.set);
    assert_string_equal(hash, e.hash);
    SUCCEEDS(hf_weights_place(&p, &m, &err));
    compare_prompts(&p, &e);
    params_destroy(&p);
    hf_model_close(&m);
    prompts_release(&e);
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {cmocka_unit_test(log_probabilities_equal_the_fixture)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
