#include "stages/effects_prompts.h"

#include <string.h>

#include "model/length.h"
#include "sources/source_registry.h"
#include "stages/shared_keys.h"

enum err_code effects_prompts_open(struct source **out, const struct config_point *point,
                                   uint64_t seed, const struct model_dims *d, bool shuffled,
                                   struct err *err) {
    const struct source_options o = {.seed = seed,
                                     .split = "effects",
                                     .asked = SOURCE_VALIDATION,
                                     .shuffled = shuffled,
                                     .most_tokens = length_most(d)};
    return source_open(out, point, &o, err);
}

enum err_code effects_prompts_draw(struct prompt_view *out, struct source *source,
                                   const struct config_point *point, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = shared_keys_size(point, "prompts");
    TRY(source_reserve(source, n, shared_keys_size(point, "points"), err));
    *out = source_draw(source, 0, n);
    TRY(source_status(source, err));
cleanup:
    return rc;
}

enum err_code effects_prompts_measure(struct causal_options *o, const struct config_point *point,
                                      uint64_t seed, const struct model_dims *d, struct err *err) {
    enum err_code rc = ERR_OK;
    struct source *source = NULL;
    for (int shuffled = 0; shuffled <= 1; shuffled++) {
        const struct source_range range = {.n = shared_keys_size(point, "prompts"),
                                           .points = o->T0,
                                           .most_tokens = length_most(d)};
        struct source_lengths lengths;
        TRY(effects_prompts_open(&source, point, seed, d, shuffled, err));
        TRY(source_measure(&lengths, source, &range, err));
        TRY(source_check_lengths(source, point, &range, &lengths, err));
        *(shuffled ? &o->corrupted.n : &o->prompts.n) = range.n - lengths.too_long;
        if (lengths.prompt - 1 > o->tokens) o->tokens = lengths.prompt - 1;
        source_close(source);
        source = NULL;
    }
cleanup:
    source_close(source);
    return rc;
}

static enum err_code check_text(const struct source *source, const struct config_point *point,
                                const struct model_dims *d, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(source_check(source, point, d->inputs, err));
    TRY(source_check_vocabulary(source, point, d->vocabulary, err));
    CHECK_CONFIG(!source_info(source)->relabels, point, "source.labels",
                 "effects compares prompts with their own and with shuffled labels: set it to "
                 "\"true\"");
    CHECK_CONFIG(strcmp(config_text(point, "corruption"), "shared") == 0, point, "corruption",
                 "labels of text are shuffled once for each prompt: set it to \"shared\"");
cleanup:
    return rc;
}

enum err_code effects_prompts_check(const struct source *source, const struct config_point *point,
                                    const struct model_dims *d, struct err *err) {
    if (source_info(source)->answers) return check_text(source, point, d, err);
    if (source_info(source)->loss.kind == LOSS_SQUARED)
        return source_check(source, point, d->inputs, err);
    return config_error(
        err, point, "source.problem",
        "effects are differences of squared errors, which do not suit class labels: "
        "choose a problem whose y is a number");
}

size_t effects_prompts_mapped(const struct causal_options *o) {
    return o->tokens > 0 ? o->corrupted.n : o->prompts.n;
}

static enum err_code check_random(const struct induction_options *o,
                                  const struct config_point *point, const struct model_dims *d,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    CHECK_CONFIG(d->inputs == 0, point, "measure",
                 "induction is attention to tokens of a vocabulary, but the model reads tokens of "
                 "%zu numbers: choose \"patching\"",
                 d->inputs);
    CHECK_CONFIG(o->vocabulary <= d->vocabulary, point, "source.tokenizer",
                 "it has %zu tokens, but the embedding of the model has %zu rows: files of two "
                 "models are mixed",
                 o->vocabulary, d->vocabulary);
    CHECK_CONFIG(o->length < o->vocabulary, point, "repeated",
                 "the vocabulary has only %zu tokens: lower it", o->vocabulary);
    CHECK_CONFIG(induction_tokens(o) <= length_most(d), point, "repeated",
                 "%zu tokens shown twice are a sequence of %zu, but the model computes %zu at "
                 "most: lower it",
                 o->length, induction_tokens(o), length_most(d));
cleanup:
    return rc;
}

enum err_code effects_prompts_random(struct induction_options *out,
                                     const struct config_point *point, const struct model_dims *d,
                                     struct err *err) {
    enum err_code rc = ERR_OK;
    struct source_tokens tokens;
    TRY(source_tokens_of(&tokens, point, err));
    *out = (struct induction_options){.sequences = shared_keys_size(point, "prompts"),
                                      .length = shared_keys_size(point, "repeated"),
                                      .vocabulary = tokens.count,
                                      .bos = tokens.bos,
                                      .contexts = shared_keys_contexts(point)};
    out->chunk = shared_keys_chunk(point, out->sequences);
    TRY(check_random(out, point, d, err));
cleanup:
    return rc;
}
