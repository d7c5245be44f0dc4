#include "passes/fit_size.h"

#include "passes/answer_loss.h"

size_t fit_size_samples(const struct fit_data_options *o) {
    return (o->prompts.n + o->shards - 1) / o->shards;
}

bool fit_size_is_text(const struct fit_data_options *o) { return o->size.answer > 0; }

size_t fit_size_lengths(const struct fit_data_options *o) {
    return o->n_lengths > 0 ? o->n_lengths : 1;
}

/* Rows of one sample at most. */
static size_t sample_rows(const struct fit_data_options *o) {
    return fit_size_is_text(o) ? o->size.answer : fit_size_lengths(o);
}

size_t fit_size_rows(const struct fit_data_options *o) { return o->batch * sample_rows(o); }

size_t fit_size_tokens(const struct fit_data_options *o) {
    return fit_size_is_text(o) ? o->size.tokens : 2 * (o->prompts.points - 1);
}

unsigned fit_size_parts(const struct fit_data_options *o) { return method_basis(o->setup); }

void fit_size_lay_out(float *gathered[BASIS_PARTS], struct arena *a,
                      const struct fit_data_options *o, const struct model_dims *m) {
    const size_t B = fit_size_rows(o);
    for (enum basis_part p = 0; p < BASIS_PARTS && !o->mean; p++)
        if (fit_size_parts(o) & basis_bit(p))
            gathered[p] = arena_floats(a, basis_blocks(p, m) * B * basis_width(p, m));
}

struct vector_pass_size fit_size_pass(const struct fit_data_options *o) {
    const size_t tokens = fit_size_tokens(o);
    return (struct vector_pass_size){
        .capacity = fit_size_rows(o),
        .tokens = o->size.basis > tokens ? o->size.basis : tokens,
        .earlier = fit_size_is_text(o) ? o->size.answer - 1 : 0,
        .for_backward = true,
    };
}

struct prompt_batch_options fit_size_batch(const struct fit_data_options *o,
                                           const struct model_dims *m, size_t slots) {
    return (struct prompt_batch_options){.dims = m,
                                         .slots = slots,
                                         .tokens = fit_size_tokens(o),
                                         .rows = fit_size_rows(o),
                                         .fills = o->batch,
                                         .contexts = o->contexts};
}

struct prompt_batch_options fit_size_bases(const struct fit_data_options *o,
                                           const struct model_dims *m) {
    return (struct prompt_batch_options){.dims = m,
                                         .slots = o->batch,
                                         .tokens = o->size.basis,
                                         .rows = o->batch,
                                         .contexts = o->contexts};
}

size_t fit_size_bases_bytes(const struct fit_data_options *o, const struct model_dims *m) {
    const struct prompt_batch_options bases = fit_size_bases(o, m);
    if (o->size.basis == 0 || !fit_size_parts(o)) return 0;
    return prompt_batch_bytes(&bases) + prompt_batch_context_bytes(&bases);
}

size_t fit_data_cached_bytes(const struct fit_data_options *o, const struct model_dims *dims,
                             size_t count) {
    const struct prompt_batch_options shard = fit_size_batch(o, dims, fit_size_samples(o));
    return count * prompt_batch_context_bytes(&shard);
}

size_t fit_data_pass_bytes(const struct fit_data_options *o, const struct model_dims *dims) {
    const struct prompt_batch_options pass = fit_size_batch(o, dims, o->batch);
    return prompt_batch_context_bytes(&pass);
}

size_t fit_size_basis_rows(const struct fit_data_options *o, size_t count) {
    return o->mean ? 1 : count * fit_size_samples(o);
}

size_t fit_data_bytes(const struct fit_data_options *o, const struct model_dims *dims,
                      size_t count) {
    float *gathered[BASIS_PARTS];
    struct arena a = {0};
    const struct prompt_batch_options pass = fit_size_batch(o, dims, o->batch);
    const struct vector_pass_size size = fit_size_pass(o);
    fit_size_lay_out(gathered, &a, o, dims);
    return a.used + prompt_batch_bytes(&pass) + fit_size_bases_bytes(o, dims) +
           vector_pass_bytes_long(o->setup, &size) +
           answer_loss_bytes(dims, &o->loss, fit_size_rows(o)) +
           basis_set_bytes(dims, fit_size_parts(o), fit_size_basis_rows(o, count));
}
