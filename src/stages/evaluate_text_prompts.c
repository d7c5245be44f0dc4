#include "stages/evaluate_text_prompts.h"

#include <string.h>

#include "model/length.h"
#include "sources/source_registry.h"
#include "stages/evaluate_keep.h"
#include "stages/evaluated_method.h"
#include "stages/shared_keys.h"

static enum source_part asked_part(const struct config_point *point) {
    return strcmp(config_text(point, "asked"), "test") == 0 ? SOURCE_TEST : SOURCE_VALIDATION;
}

static enum err_code open_asked(struct evaluate_text_prompts *t, const struct config_point *point,
                                uint64_t seed, const struct model_dims *d, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct source_options o = {.seed = seed,
                                     .split = EVALUATED_SPLIT,
                                     .asked = asked_part(point),
                                     .shifted = true,
                                     .most_tokens = length_most(d)};
    TRY(source_open(&t->source, point, &o, err));
    TRY(source_check(t->source, point, d->inputs, err));
    TRY(source_check_vocabulary(t->source, point, d->vocabulary, err));
    const size_t all = source_info(t->source)->answers->samples;
    if (t->items > all) t->items = all;
    if (t->chunk > t->items) t->chunk = t->items;
    const struct source_range range = {
        .n = t->items, .points = t->points, .most_tokens = o.most_tokens};
    TRY(source_measure(&t->lengths, t->source, &range, err));
    TRY(source_check_lengths(t->source, point, &range, &t->lengths, err));
cleanup:
    return rc;
}

/* A dropped basis prompt would take its item from one method and not from the others. */
static enum err_code open_basis(struct evaluate_text_prompts *t, const struct config_point *point,
                                uint64_t seed, const struct model_dims *d, unsigned parts,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    const struct source_options o = {.seed = seed,
                                     .split = EVALUATED_SPLIT,
                                     .asked = asked_part(point),
                                     .covariates = "basis",
                                     .next = (parts & basis_bit(BASIS_RECENT)) != 0,
                                     .most_tokens = length_most(d)};
    const struct source_range range = {
        .n = t->items, .points = t->T0, .most_tokens = o.most_tokens};
    TRY(source_open(&t->basis, point, &o, err));
    if (parts & basis_bit(BASIS_ALONE)) TRY(source_open(&t->alone, point, &o, err));
    TRY(source_measure(&t->basis_lengths, t->basis, &range, err));
    CHECK_CONFIG(t->basis_lengths.too_long == 0, point, "source.too_long",
                 "%zu of %zu basis prompts of %zu points are longer than the %zu tokens that the "
                 "model computes: lower basis_points of the fit, or give it basis = \"mean\"",
                 t->basis_lengths.too_long, t->items, t->T0, o.most_tokens);
cleanup:
    return rc;
}

enum err_code evaluate_text_prompts_open(struct evaluate_text_prompts *t,
                                         const struct config_point *point, uint64_t seed,
                                         const struct model_dims *d,
                                         const struct evaluate_text_basis *basis, struct err *err) {
    enum err_code rc = ERR_OK;
    *t = (struct evaluate_text_prompts){.points = shared_keys_size(point, "points"),
                                        .items = shared_keys_size(point, "functions"),
                                        .chunk = shared_keys_size(point, "chunk"),
                                        .T0 = basis->T0,
                                        .keeps = evaluate_keeps(point, "prompts"),
                                        .contexts = shared_keys_contexts(point)};
    TRY(open_asked(t, point, seed, d, err));
    if (t->T0 > 0) TRY(open_basis(t, point, seed, d, basis->parts, err));
cleanup:
    if (rc != ERR_OK) evaluate_text_prompts_close(t);
    return rc;
}

void evaluate_text_prompts_close(struct evaluate_text_prompts *t) {
    source_close(t->alone);
    source_close(t->basis);
    source_close(t->source);
    t->alone = t->basis = t->source = NULL;
}

struct prompt_batch_options evaluate_text_batch(const struct evaluate_text_prompts *t,
                                                const struct model_dims *d) {
    return (struct prompt_batch_options){.dims = d,
                                         .slots = t->chunk,
                                         .tokens = t->lengths.prompt - 1,
                                         .rows = t->chunk * t->lengths.answer,
                                         .contexts = t->contexts};
}

struct basis_size evaluate_text_bases(const struct evaluate_text_prompts *t) {
    return (struct basis_size){
        .T0 = t->T0, .tokens = t->basis_lengths.prompt - 1, .answer = t->basis_lengths.answer};
}

struct vector_pass_size evaluate_text_pass(const struct evaluate_text_prompts *t) {
    return (struct vector_pass_size){.capacity = t->chunk * t->lengths.answer,
                                     .tokens = t->lengths.prompt - 1,
                                     .earlier = t->lengths.answer - 1};
}
