/* Folders of a tiny GPT-2: tensors under their published names, the output matrix, and files that
 * are not whole. */
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
#include "base/text.h"
#include "model/family.h"
#include "model/hf/hf_model.h"
#include "model/hf/hf_names.h"
#include "twins/error_says.h"
#include "twins/scratch_group.h"

static struct err err;

#define CONFIG                                                                                     \
    "\"model_type\":\"gpt2\",\"vocab_size\":7,\"n_positions\":8,\"n_embd\":4,\"n_layer\":2,\"n_"   \
    "head\":2"
static const struct model_dims DIMS = {.L = 2,
                                       .H = 2,
                                       .E = 4,
                                       .vocabulary = 7,
                                       .positions = 8,
                                       .epsilon = 1e-5F,
                                       .family = &family_gpt2,
                                       .tied = true};

static void put_text(const char *name, const char *text) {
    char path[SCRATCH_PATH];
    scratch_write(path, &scratch, name, text, strlen(text));
}

static void drop(const char *name) {
    char path[SCRATCH_PATH];
    scratch_path(path, &scratch, name);
    (void)unlink(path);
}

/* How a file differs from a plain one; all zero: none. */
struct change {
    const char *leave_out, *reshape, *infinite; /* published names */
    const char *extra[3];                       /* tensors [7, 4] of value 0, but see `output` */
    float output;                               /* added to the embedding in extra[0] */
    bool bare;                                  /* names without "transformer." */
};

static float numbers[1 << 10];

static float value_of(size_t tensor, size_t i) { return (float)(100 * tensor + i); }

static void add(struct tensor_writer *w, const struct param_info *t, size_t number, float **data,
                const struct change *how) {
    size_t shape[2] = {t->shape[0], t->shape[1]}, n = shape[0] * (t->rank == 2 ? shape[1] : 1);
    const char *name = how->bare ? t->name + strlen("transformer.") : t->name;
    for (size_t i = 0; i < n; i++) (*data)[i] = value_of(number, i);
    if (how->infinite && strcmp(how->infinite, t->name) == 0) (*data)[1] = INFINITY;
    if (how->reshape && strcmp(how->reshape, t->name) == 0) shape[0]--;
    SUCCEEDS(tensor_writer_add(w, name, t->rank, shape, *data, &err));
    *data += n;
}

static void add_extra(struct tensor_writer *w, const struct change *how) {
    static float copy[28], zeros[28];
    for (size_t i = 0; i < 3 && how->extra[i]; i++) {
        for (size_t k = 0; k < 28; k++)
            copy[k] = value_of(params_tensors(&DIMS) - 4, k) + how->output;
        SUCCEEDS(
            tensor_writer_add(w, how->extra[i], 2, (size_t[]){7, 4}, i == 0 ? copy : zeros, &err));
    }
}

static void put_model(const struct change *how) {
    char path[SCRATCH_PATH];
    struct tensor_writer *w = NULL;
    struct params p;
    float *data = numbers;
    SUCCEEDS(tensor_writer_create(&w, &err));
    SUCCEEDS(params_borrow(&p, &DIMS, &err));
    for (size_t i = 0; i < params_tensors(&DIMS); i++) {
        struct param_info t;
        params_at(&t, &p, i);
        if (!how->leave_out || strcmp(how->leave_out, t.name) != 0) add(w, &t, i, &data, how);
    }
    add_extra(w, how);
    scratch_path(path, &scratch, TENSOR_SET_SINGLE);
    SUCCEEDS(tensor_writer_save(w, path, &err));
    tensor_writer_destroy(w);
    params_destroy(&p);
}

static void put_folder(const char *config, const struct change *how) {
    char text[1024];
    (void)snprintf(text, sizeof text, "{%s}", config);
    put_text("config.json", text);
    put_model(how);
}

static void accepted(struct hf_model *m) { SUCCEEDS(hf_model_open(m, scratch.folder, &err)); }

static void refused(const char *words) {
    struct hf_model m = {0};
    ERROR_SAYS(hf_model_open(&m, scratch.folder, &err), ERR_DATA, words);
}

static void check_tensors(const struct hf_model *m) {
    for (size_t i = 0; i < params_tensors(&DIMS); i++) {
        float first;
        memcpy(&first, m->tensors[i]->data, sizeof first);
        assert_true(first == value_of(i, 0));
    }
}

static void names_are_found_with_and_without_prefix(void **state) {
    (void)state;
    for (int bare = 0; bare < 2; bare++) {
        struct hf_model m;
        struct text types = {0}, unused = {0};
        put_folder(CONFIG, &(struct change){.bare = bare == 1});
        accepted(&m);
        check_tensors(&m);
        assert_true(m.config.dims.tied);
        hf_model_types(&types, &m);
        assert_string_equal(text_str(&types), "F32");
        assert_int_equal(hf_model_unused(&unused, &m, 3), 0);
        assert_int_equal(hf_model_bytes(&m), 4 * params_weights(&DIMS));
        SUCCEEDS(hf_model_check_finite(&m, &err));
        text_release(&types);
        hf_model_close(&m);
    }
}

static void unused_tensors_are_listed_but_for_buffers(void **state) {
    (void)state;
    struct hf_model m;
    struct text unused = {0};
    put_folder(CONFIG, &(struct change){.extra = {"lm_head.weight", "transformer.h.0.attn.bias",
                                                  "transformer.h.2.ln_1.weight"}});
    accepted(&m);
    assert_int_equal(hf_model_unused(&unused, &m, 3), 1);
    assert_string_equal(text_str(&unused), "\"transformer.h.2.ln_1.weight\"");
    text_release(&unused);
    hf_model_close(&m);
    static const char *const BUFFERS[] = {"transformer.h.0.attn.bias",
                                          "h.11.attn.masked_bias",
                                          "gpt_neox.layers.0.attention.bias",
                                          "gpt_neox.layers.0.attention.masked_bias",
                                          "rotary_emb.inv_freq",
                                          "model.layers.0.self_attn.rotary_emb.inv_freq",
                                          "gpt_neox.layers.0.attention.rotary_emb.inv_freq"};
    for (size_t i = 0; i < sizeof BUFFERS / sizeof *BUFFERS; i++)
        assert_true(hf_names_is_buffer(BUFFERS[i]));
    assert_false(hf_names_is_buffer("transformer.h.0.attn.c_attn.bias"));
    assert_false(hf_names_is_buffer("gpt_neox.layers.0.attention.dense.bias"));
    assert_false(hf_names_is_buffer("gpt_neox.layers.0.post_attention_layernorm.bias"));
}

static void a_tied_output_must_be_the_embedding(void **state) {
    (void)state;
    struct hf_model m;
    const struct change equal = {.extra = {"lm_head.weight"}};
    const struct change differs = {.extra = {"lm_head.weight"}, .output = 1};
    const struct change older = {.extra = {"embed_out.weight"}, .output = 1};
    put_folder(CONFIG ",\"tie_word_embeddings\":true", &equal);
    accepted(&m);
    assert_true(m.config.dims.tied);
    hf_model_close(&m);
    put_folder(CONFIG ",\"tie_word_embeddings\":true", &differs);
    refused("tie_word_embeddings is true, but tensor \"lm_head.weight\" differs from "
            "\"transformer.wte.weight\": correct the flag or remove the tensor");
    put_folder(CONFIG ",\"tie_word_embeddings\":true", &older);
    refused("tensor \"embed_out.weight\" differs");
    put_folder(CONFIG, &differs);
    refused("tie_word_embeddings is true by default, but tensor \"lm_head.weight\" differs");
    put_folder(CONFIG ",\"tie_word_embeddings\":false", &(struct change){0});
    refused("tie_word_embeddings is false, but there is no tensor \"lm_head.weight\" (nor "
            "\"embed_out.weight\")");
}

static void wrong_tensors_are_refused(void **state) {
    (void)state;
    put_folder(CONFIG, &(struct change){.leave_out = "transformer.h.1.mlp.c_fc.bias"});
    refused("no tensor \"transformer.h.1.mlp.c_fc.bias\", which a gpt2 of 2 layers has");
    put_folder(CONFIG, &(struct change){.leave_out = "transformer.wte.weight"});
    refused("no tensor \"transformer.wte.weight\"");
    put_folder(CONFIG, &(struct change){.reshape = "transformer.wpe.weight"});
    refused("tensor \"transformer.wpe.weight\": shape [7, 4], but config.json makes it [8, 4]");
}

static void sizes_must_be_those_of_the_config(void **state) {
    (void)state;
    put_folder("\"model_type\":\"gpt2\",\"vocab_size\":9,\"n_positions\":8,\"n_embd\":4,"
               "\"n_layer\":2,\"n_head\":2",
               &(struct change){0});
    refused("tensor \"transformer.wte.weight\": shape [7, 4], but config.json makes it [9, 4]");
    put_folder("\"model_type\":\"gpt2\",\"vocab_size\":7,\"n_positions\":8,\"n_embd\":4,"
               "\"n_layer\":3,\"n_head\":2",
               &(struct change){0});
    refused("no tensor \"transformer.h.2.ln_1.weight\", which a gpt2 of 3 layers has");
}

static void an_infinity_is_found(void **state) {
    (void)state;
    struct hf_model m;
    put_folder(CONFIG,
               &(struct change){0}); /* a set that is finite is remembered until it changes */
    for (int time = 0; time < 2; time++) {
        accepted(&m);
        SUCCEEDS(hf_model_check_finite(&m, &err));
        hf_model_close(&m);
    }
    put_folder(CONFIG, &(struct change){.infinite = "transformer.h.1.ln_2.bias"});
    accepted(&m);
    ERROR_SAYS(hf_model_check_finite(&m, &err), ERR_DATA,
               "model.safetensors: element 1 of tensor \"transformer.h.1.ln_2.bias\" is inf");
    hf_model_close(&m);
}

static void other_folders_are_refused_with_the_remedy(void **state) {
    (void)state;
    struct hf_model m = {0};
    put_folder(CONFIG, &(struct change){0});
    put_text("tokenizer.model", "x");
    refused("holds tokenizer.model alone, which is not read: write tokenizer.json by python3 "
            "analysis/to_safetensors.py --tokenizer /");
    put_text("tokenizer.json", "{}");
    accepted(&m);
    hf_model_close(&m);
    drop("config.json");
    refused("config.json: no such file: a model is a folder with config.json");
    drop(TENSOR_SET_SINGLE);
    refused("holds neither model.safetensors nor model.safetensors.index.json: a model is");
    put_text("pytorch_model.bin", "x");
    refused("holds pytorch_model.bin, which is not read: convert it by python3 "
            "analysis/to_safetensors.py /");
    ERROR_SAYS(hf_model_open(&m, "/nowhere", &err), ERR_DATA, "/nowhere: not a folder");
    drop("pytorch_model.bin");
    drop("tokenizer.model");
    drop("tokenizer.json");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_with_and_without_prefix),
        cmocka_unit_test(unused_tensors_are_listed_but_for_buffers),
        cmocka_unit_test(a_tied_output_must_be_the_embedding),
        cmocka_unit_test(wrong_tensors_are_refused),
        cmocka_unit_test(sizes_must_be_those_of_the_config),
        cmocka_unit_test(an_infinity_is_found),
        cmocka_unit_test(other_folders_are_refused_with_the_remedy),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
