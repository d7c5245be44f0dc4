#include "stages/heads/ablation_prompts.h"

#include <string.h>

#include "model/length.h"
#include "sources/source_registry.h"
#include "stages/effects_prompts.h"
#include "stages/evaluated_method.h"
#include "stages/shared_keys.h"

static enum err_code open_asked(struct ablation_prompts *t, const struct config_point *point,
                                uint64_t seed, const struct model_dims *d, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct source_options o = {.seed = seed,
                                     .split = EVALUATED_SPLIT,
                                     .asked = SOURCE_TEST,
                                     .most_tokens = length_most(d)};
    TRY(source_open(&t->asked, point, &o, err));
    TRY(source_check(t->asked, point, d->inputs, err));
    TRY(source_check_vocabulary(t->asked, point, d->vocabulary, err));
    const struct source_answers *answers = source_info(t->asked)->answers;
    if (answers && t->items > answers->samples) t->items = answers->samples;
    if (t->chunk > t->items) t->chunk = t->items;
    if (!answers) TRY(shared_keys_check_points(point, "points", t->points, d, err));
    const struct source_range range = {
        .n = t->items, .points = t->points, .most_tokens = o.most_tokens};
    TRY(source_measure(&t->lengths, t->asked, &range, err));
    if (answers) TRY(source_check_lengths(t->asked, point, &range, &t->lengths, err));
cleanup:
    return rc;
}

/* Over shots with shuffled labels, which do not say what the task is. */
static bool mean_is_shuffled(const struct config_point *point) {
    return config_has(point, "mean") && strcmp(config_text(point, "mean"), "shuffled") == 0;
}

static enum err_code open_mean(struct ablation_prompts *t, const struct config_point *point,
                               uint64_t seed, const struct model_dims *d, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = shared_keys_size(point, "prompts");
    const bool shuffled = mean_is_shuffled(point);
    t->mean = (struct causal_options){
        .prompts = {.n = n, .points = t->points, .dims = d->inputs},
        .T0 = t->points,
        .chunk = shared_keys_chunk(point, n),
        .contexts = shared_keys_contexts(point),
    };
    TRY(effects_prompts_open(&t->mean_of, point, seed, d, shuffled, err));
    if (!source_info(t->mean_of)->answers) return ERR_OK;
    CHECK_CONFIG(!source_info(t->asked)->relabels, point, "source.labels",
                 "heads are ablated on prompts with their own labels: set it to \"true\"");
    TRY(effects_prompts_measure(&t->mean, point, seed, d, err));
    if (shuffled) t->mean.prompts.n = t->mean.corrupted.n;
cleanup:
    return rc;
}

enum err_code ablation_prompts_open(struct ablation_prompts *t, const struct config_point *point,
                                    uint64_t seed, const struct model_dims *d, struct err *err) {
    enum err_code rc = ERR_OK;
    *t = (struct ablation_prompts){.points = shared_keys_size(point, "points"),
                                   .items = shared_keys_size(point, "functions")};
    t->chunk = shared_keys_chunk(point, t->items);
    TRY(open_asked(t, point, seed, d, err));
    TRY(open_mean(t, point, seed, d, err));
cleanup:
    if (rc != ERR_OK) ablation_prompts_close(t);
    return rc;
}

void ablation_prompts_close(struct ablation_prompts *t) {
    source_close(t->mean_of);
    source_close(t->asked);
    t->mean_of = t->asked = NULL;
}

struct head_ablation_options ablation_prompts_options(const struct ablation_prompts *t) {
    return (struct head_ablation_options){.loss = source_info(t->asked)->loss,
                                          .chunk = t->chunk,
                                          .tokens = t->lengths.prompt - 1,
                                          .answer = t->lengths.answer,
                                          .contexts = t->mean.contexts};
}
