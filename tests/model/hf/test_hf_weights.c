/* Folders of language models as they are published, from config.json to logits: against those that
 * PyTorch computed (../shared/fixtures/text; TASKVEC_FIXTURES names another folder of fixtures,
 * TASKVEC_REQUIRE_FIXTURES=1 makes their absence a failure). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "model/forward.h"
#include "model/hf/hf_weights.h"
#include "ops/blas.h"
#include "store/fixture.h"
#include "twins/error_says.h"
#include "twins/scratch_group.h"

static struct err err;

static bool folder_path(char out[FILE_PATH_MAX], const char *name) {
    const char *fixtures = getenv("TASKVEC_FIXTURES"), *source = getenv("TASKVEC_SOURCE");
    const char *required = getenv("TASKVEC_REQUIRE_FIXTURES");
    if (fixtures)
        (void)snprintf(out, FILE_PATH_MAX, "%s/text/%s", fixtures, name);
    else
        (void)snprintf(out, FILE_PATH_MAX, "%s/../shared/fixtures/text/%s", source ? source : ".",
                       name);
    if (file_is_folder(out)) return true;
    if (required && strcmp(required, "1") == 0) fail_msg("%s: no such folder", out);
    print_message("%s is not there: not compared\n", out);
    return false;
}

struct expected {
    struct fixture_array ids, lengths, logits; /* [B, T], [B], [B, T, V] */
};

static void expected_read(struct expected *e, const char *folder) {
    struct fixture *f = NULL;
    char path[FILE_PATH_MAX];
    (void)snprintf(path, sizeof path, "%.4000s/expected.h5", folder);
    SUCCEEDS(fixture_open(&f, path, &err));
    SUCCEEDS(fixture_integers(&e->ids, f, "token_ids", 2, &err));
    SUCCEEDS(fixture_integers(&e->lengths, f, "lengths", 1, &err));
    SUCCEEDS(fixture_floats(&e->logits, f, "logits", 3, &err));
    fixture_close(f);
}

static void expected_release(struct expected *e) {
    fixture_array_release(&e->ids);
    fixture_array_release(&e->lengths);
    fixture_array_release(&e->logits);
}

/* The logits [T, V] of all tokens of one prompt; free them. */
static float *logits_of(const struct params *p, const uint32_t *ids, uint32_t T) {
    const struct model_dims *d = &p->dims;
    struct forward f;
    struct unembed u;
    struct arena arena = {0};
    const struct forward_ids sequence = {1, &T, ids};
    float *logits = calloc((size_t)T * d->vocabulary, sizeof *logits);
    assert_non_null(logits);
    SUCCEEDS(forward_create(&f, d, 1, T, false, &err));
    unembed_lay_out(&u, &arena, d, T, false);
    SUCCEEDS(arena_commit(&arena, &err));
    unembed_lay_out(&u, &arena, d, T, false);
    forward_run_ids(&f, p, &sequence);
    unembed_forward(logits, &u, p, forward_x(&f, d->L), T);
    arena_release(&arena);
    forward_destroy(&f);
    return logits;
}

static void compare_prompt(const struct params *p, const struct expected *e, size_t b,
                           double allowed, const char *name) {
    const size_t T = e->ids.shape[1], V = p->dims.vocabulary;
    const uint32_t length = (uint32_t)e->lengths.integers[b];
    uint32_t ids[1024];
    assert_true(length <= T && T <= 1024);
    for (size_t t = 0; t < length; t++) ids[t] = (uint32_t)e->ids.integers[b * T + t];
    float *got = logits_of(p, ids, length);
    const float *want = e->logits.floats + b * T * V;
    for (size_t i = 0; i < length * V; i++)
        if (!(fabs((double)got[i] - (double)want[i]) <= allowed))
            fail_msg("%s: prompt %zu, token %zu, logit %zu: %.9g, expected %.9g", name, b, i / V,
                     i % V, (double)got[i], (double)want[i]);
    free(got);
}

static void compare_folder(const char *name) {
    char folder[FILE_PATH_MAX];
    struct hf_model m;
    struct params p;
    struct expected e;
    double top = 1;
    if (!folder_path(folder, name)) return;
    SUCCEEDS(hf_model_open(&m, folder, &err));
    SUCCEEDS(hf_weights_place(&p, &m, &err));
    expected_read(&e, folder);
    assert_int_equal(e.logits.shape[2], m.config.dims.vocabulary);
    for (size_t i = 0; i < e.logits.n; i++) top = fmax(top, fabs((double)e.logits.floats[i]));
    for (size_t b = 0; b < e.ids.shape[0]; b++) compare_prompt(&p, &e, b, 1e-5 * top, name);
    params_destroy(&p);
    hf_model_close(&m);
    expected_release(&e);
}

static void logits_equal_the_fixtures(void **state) {
    (void)state;
    static const char *const FOLDERS[] = {"gpt2_f32", "gpt2_f16",   "gptj_f32",   "gptj_bf16",
                                          "neox_f32", "llama_bf16", "llama3_f32", "qwen2_bf16"};
    for (size_t i = 0; i < sizeof FOLDERS / sizeof *FOLDERS; i++) compare_folder(FOLDERS[i]);
}

/* Matrices stay in the file; of a file of halves, only vectors are copied. */
static void matrices_are_not_copied(void **state) {
    (void)state;
    char folder[FILE_PATH_MAX];
    struct hf_model m;
    struct params p;
    size_t bytes = 0;
    if (!folder_path(folder, "llama_bf16")) skip();
    SUCCEEDS(hf_model_open(&m, folder, &err));
    SUCCEEDS(hf_weights_place(&p, &m, &err));
    const struct weight *W = &p.layers[0].fc_w;
    assert_int_equal(W->type, WEIGHT_BF16);
    assert_ptr_equal(W->narrow, tensor_set_find(m.set, "model.layers.0.mlp.up_proj.weight")->data);
    assert_non_null(p.ln_f_w);
    SUCCEEDS(hf_weights_allocated(&bytes, &m, &err));
    assert_true(bytes >= WEIGHT_TILE * sizeof(float));
    assert_true(bytes < WEIGHT_TILE * sizeof(float) + 16384);
    params_destroy(&p);
    hf_model_close(&m);
    if (!folder_path(folder, "llama3_f32")) return;
    SUCCEEDS(hf_model_open(&m, folder, &err));
    SUCCEEDS(hf_weights_allocated(&bytes, &m, &err));
    assert_int_equal(bytes, 0);
    hf_model_close(&m);
}

/* Copies a file of a folder into the scratch folder; a safetensors file gets a header that is one
 * space longer, so that no float is aligned. */
static void copy_shifted(const char *folder, const char *name, bool shift) {
    char path[FILE_PATH_MAX], copy[SCRATCH_PATH];
    struct text from = {0}, to = {0};
    uint64_t length = 0;
    (void)snprintf(path, sizeof path, "%.4000s/%s", folder, name);
    SUCCEEDS(file_read(&from, path, 1 << 24, &err));
    if (shift) {
        memcpy(&length, from.data, sizeof length);
        length++;
        text_bytes(&to, &length, sizeof length);
        text_bytes(&to, from.data + 8, length - 1);
        text_bytes(&to, " ", 1);
        text_bytes(&to, from.data + 7 + length, from.size - 7 - length);
    } else {
        text_bytes(&to, from.data, from.size);
    }
    scratch_write(copy, &scratch, name, to.data, to.size);
    text_release(&from);
    text_release(&to);
}

static void floats_that_are_not_aligned_are_copied(void **state) {
    (void)state;
    char folder[FILE_PATH_MAX];
    struct hf_model m, shifted;
    struct params p, q;
    size_t bytes = 0;
    if (!folder_path(folder, "llama3_f32")) skip();
    copy_shifted(folder, "config.json", false);
    copy_shifted(folder, "model.safetensors", true);
    SUCCEEDS(hf_model_open(&m, folder, &err));
    SUCCEEDS(hf_model_open(&shifted, scratch.folder, &err));
    SUCCEEDS(hf_weights_place(&p, &m, &err));
    SUCCEEDS(hf_weights_place(&q, &shifted, &err));
    for (size_t i = 0; i < params_tensors(&p.dims); i++) {
        struct param_info a, b;
        params_at(&a, &p, i);
        params_at(&b, &q, i);
        assert_memory_equal(a.data, b.data, m.tensors[i]->elements * sizeof(float));
    }
    SUCCEEDS(hf_weights_allocated(&bytes, &shifted, &err));
    assert_true(bytes >= hf_model_bytes(&shifted));
    params_destroy(&p);
    params_destroy(&q);
    hf_model_close(&m);
    hf_model_close(&shifted);
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {cmocka_unit_test(logits_equal_the_fixtures),
                                       cmocka_unit_test(matrices_are_not_copied),
                                       cmocka_unit_test(floats_that_are_not_aligned_are_copied)};
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
