#include "model/family.h"

#include "model/tiny_tokens.h"

static struct err err;

static void names_are_those_of_the_published_models(void **state) {
    (void)state;
    const struct family *garg = family_of(&TINY), *gpt2 = family_of(&TINY_TOKENS);
    char name[PARAMS_NAME];
    family_layer_name(name, garg, 11, garg->layer->proj_w);
    assert_string_equal(name, "_backbone.h.11.attn.c_proj.weight");
    family_layer_name(name, gpt2, 0, gpt2->layer->ln_2_b);
    assert_string_equal(name, "transformer.h.0.ln_2.bias");
    assert_string_equal(garg->names.read_in_w, "_read_in.weight");
    assert_string_equal(gpt2->names.wte, "transformer.wte.weight");
}

/* A tensor without a name is neither counted nor placed; the others lie in the order of params.h.
 */
static void a_model_has_the_tensors_its_family_names(void **state) {
    (void)state;
    struct params p = tiny_params(&TINY_TOKENS);
    struct param_info t;
    assert_int_equal(params_tensors(&TINY_TOKENS), 3 * 12 + 4);
    assert_int_equal(params_weights(&TINY_TOKENS), 3 * (12 * 64 + 13 * 8) + (11 + 14) * 8 + 2 * 8);
    assert_null(p.read_in_w), assert_null(p.read_in_b);
    assert_null(p.read_out_w), assert_null(p.read_out_b);
    params_at(&t, &p, 36);
    assert_string_equal(t.name, "transformer.wte.weight");
    assert_ptr_equal(t.data, p.wte.f32);
    assert_int_equal(t.shape[0], 11);
    assert_int_equal(t.shape[1], 8);
    params_at(&t, &p, 39);
    assert_string_equal(t.name, "transformer.ln_f.bias");
    assert_ptr_equal(t.data, p.ln_f_b);
    params_destroy(&p);
    p = tiny_params(&TINY);
    assert_null(p.wte.f32);
    params_destroy(&p);
}

/* The distribution of wpe, as in GPT-2. */
static void token_embeddings_are_initialised(void **state) {
    (void)state;
    struct params p;
    double squares = 0;
    struct model_dims d = TINY_TOKENS;
    d.vocabulary = 1000;
    SUCCEEDS(params_create(&p, &d, &err));
    params_init(&p, 7);
    for (size_t i = 0; i < 8000; i++) squares += (double)p.wte.f32[i] * (double)p.wte.f32[i];
    assert_true(squares / 8000 > 0.019 * 0.019 && squares / 8000 < 0.021 * 0.021);
    assert_true(p.layers[0].ln_1_w[3] == 1 && p.ln_f_w[3] == 1 && p.ln_f_b[3] == 0);
    params_destroy(&p);
}

static void sizes_have_the_defaults_of_gpt2(void **state) {
    (void)state;
    const struct model_dims grouped = {.E = 24, .H = 6, .KV = 2, .D = 8, .F = 40};
    assert_int_equal(model_head_width(&TINY), 4);
    assert_int_equal(model_key_heads(&TINY), 2);
    assert_int_equal(model_mlp_width(&TINY), 32);
    assert_int_equal(model_heads_width(&TINY), 8);
    assert_int_equal(model_head_width(&grouped), 8);
    assert_int_equal(model_key_heads(&grouped), 2);
    assert_int_equal(model_mlp_width(&grouped), 40);
    assert_int_equal(model_heads_width(&grouped), 48);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_those_of_the_published_models),
        cmocka_unit_test(a_model_has_the_tensors_its_family_names),
        cmocka_unit_test(token_embeddings_are_initialised),
        cmocka_unit_test(sizes_have_the_defaults_of_gpt2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
