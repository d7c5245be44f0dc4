#include "stages/fit_prompts.h"

#include <stdio.h>

#include "model/length.h"
#include "sources/source_registry.h"

/* Of text, the basis prompt of a sample is of the split "basis" and asks a pair for validation. */
static enum err_code open_source(struct source **out, const struct fit_keys *k,
                                 const struct config_point *point, uint64_t seed, bool basis,
                                 struct err *err) {
    char split[32];
    const struct source_options o = {.seed = seed,
                                     .split = split,
                                     .covariates = basis ? "basis" : NULL,
                                     .asked = SOURCE_TRAIN,
                                     .held_from = k->train};
    (void)snprintf(split, sizeof split, "fit/%lld", (long long)k->repeat);
    return source_open(out, point, &o, err);
}

static enum err_code measure(struct source_lengths *out, struct source *s, size_t n, size_t points,
                             const struct model_dims *d, const struct config_point *point,
                             struct err *err) {
    enum err_code rc = ERR_OK;
    const struct source_range range = {.n = n, .points = points, .most_tokens = length_most(d)};
    TRY(source_measure(out, s, &range, err));
    TRY(source_check_lengths(s, point, &range, out, err));
    CHECK_CONFIG(out->too_long == 0, point, "source.too_long",
                 "%zu of %zu prompts are too long, and a fit cannot drop them: use fewer shots, or "
                 "a task with shorter texts",
                 out->too_long, n);
cleanup:
    return rc;
}

static enum err_code measure_text(struct prompt_size *size, struct source *asked,
                                  struct source *basis, const struct fit_keys *k, size_t T0,
                                  const struct model_dims *d, const struct config_point *point,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    struct source_lengths lengths;
    TRY(measure(&lengths, asked, k->prompts, k->points, d, point, err));
    *size = (struct prompt_size){.tokens = lengths.prompt - 1,
                                 .answer = k->first_token ? 1 : lengths.answer};
    if (!basis) return rc;
    TRY(measure(&lengths, basis, k->prompts, T0, d, point, err));
    size->basis = lengths.prompt - 1;
cleanup:
    return rc;
}

enum err_code fit_prompts_plan(struct source **source, struct prompt_size *size,
                               const struct fit_keys *k, size_t T0, const struct model_dims *d,
                               const struct config_point *point, struct err *err) {
    enum err_code rc = ERR_OK;
    struct source *basis = NULL;
    const uint64_t seed = config_point_seed(point);
    *size = (struct prompt_size){0};
    TRY(open_source(source, k, point, seed, false, err));
    if (!source_info(*source)->answers) return rc;
    TRY(source_check(*source, point, d->inputs, err));
    TRY(source_check_vocabulary(*source, point, d->vocabulary, err));
    if (T0 > 0) TRY(open_source(&basis, k, point, seed, true, err));
    TRY(measure_text(size, *source, basis, k, T0, d, point, err));
cleanup:
    source_close(basis);
    return rc;
}

static enum err_code draw(struct prompt_view *out, struct source *s, size_t n, size_t points,
                          struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(source_reserve(s, n, points, err));
    *out = source_draw(s, 0, n);
    TRY(source_status(s, err));
cleanup:
    return rc;
}

enum err_code fit_prompts_draw(struct fit_prompts *p, const struct fit_keys *k, size_t T0,
                               const struct model_dims *d, const struct job_ctx *ctx,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    *p = (struct fit_prompts){0};
    TRY(open_source(&p->source, k, ctx->point, ctx->seed, false, err));
    const bool text = source_info(p->source)->answers != NULL;
    if (text && T0 > 0) TRY(open_source(&p->basis_source, k, ctx->point, ctx->seed, true, err));
    if (text) TRY(measure_text(&p->size, p->source, p->basis_source, k, T0, d, ctx->point, err));
    TRY(draw(&p->prompts, p->source, k->prompts, k->points, err));
    if (p->basis_source) TRY(draw(&p->basis, p->basis_source, k->prompts, T0, err));
cleanup:
    if (rc != ERR_OK) fit_prompts_close(p);
    return rc;
}

void fit_prompts_close(struct fit_prompts *p) {
    source_close(p->basis_source);
    source_close(p->source);
    *p = (struct fit_prompts){0};
}
