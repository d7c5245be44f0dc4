#include "stages/fit_prompts.h"

#include <stdio.h>

#include "model/length.h"
#include "sources/source_registry.h"

/* ---- the sources */

static enum err_code open_as(struct source **out, struct source_options o, const struct fit_keys *k,
                             const struct config_point *point, uint64_t seed, struct err *err) {
    char split[32];
    (void)snprintf(split, sizeof split, "fit/%lld", (long long)k->repeat);
    o.seed = seed;
    o.split = split;
    o.asked = SOURCE_TRAIN;
    return source_open(out, point, &o, err);
}

static struct source_options asked_options(const struct fit_keys *k) {
    return (struct source_options){.held_from = k->train};
}

/* Of text, the basis prompt of a sample is of the split "basis" and asks a pair for validation. */
static struct source_options basis_options(const struct fit_keys *k, const struct method_setup *s) {
    return (struct source_options){.covariates = "basis",
                                   .held_from = k->train,
                                   .next = (method_basis(s) & basis_bit(BASIS_RECENT)) != 0};
}

/* The same pairs as those of the prompts themselves. */
static struct source_options teacher_options(const struct fit_keys *k) {
    return (struct source_options){.held_from = k->train, .clean = true};
}

static struct source_options text_options(enum method_texts which) {
    return (struct source_options){.shuffled = which == METHOD_SHUFFLED,
                                   .clean = which != METHOD_SHUFFLED};
}

static size_t text_points(enum method_texts which, size_t T0) {
    return which == METHOD_ALONE ? 1 : T0;
}

/* ---- their lengths */

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

/* Raises tokens and answer to those of the longest prompt of n. */
static enum err_code measure_more(size_t *tokens, size_t *answer, struct source *s, size_t n,
                                  size_t points, const struct model_dims *d,
                                  const struct config_point *point, struct err *err) {
    enum err_code rc = ERR_OK;
    struct source_lengths lengths;
    TRY(measure(&lengths, s, n, points, d, point, err));
    if (lengths.prompt > *tokens + 1) *tokens = lengths.prompt - 1;
    if (lengths.answer > *answer) *answer = lengths.answer;
cleanup:
    return rc;
}

static enum err_code measure_text(struct prompt_size *size, const struct fit_prompts *p,
                                  const struct fit_keys *k, const struct method_setup *s, size_t T0,
                                  const struct config_point *point, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &s->params->dims;
    size_t n[METHOD_TEXTS], answer = 0;
    *size = (struct prompt_size){0};
    method_texts(n, s, k->train);
    TRY(measure_more(&size->tokens, &size->answer, p->source, k->prompts, k->points, d, point,
                     err));
    if (k->first_token) size->answer = 1;
    if (p->basis_source)
        TRY(measure_more(&size->basis, &size->basis_answer, p->basis_source, k->prompts, T0, d,
                         point, err));
    if (p->teacher_source)
        TRY(measure_more(&size->teacher, &answer, p->teacher_source, k->prompts, k->teacher, d,
                         point, err));
    for (enum method_texts i = 0; i < METHOD_TEXTS; i++)
        if (p->text_sources[i])
            TRY(measure_more(&size->more, &size->more_answer, p->text_sources[i], n[i],
                             text_points(i, T0), d, point, err));
cleanup:
    return rc;
}

/* ---- opening */

static enum err_code open_texts(struct fit_prompts *p, const struct fit_keys *k,
                                const struct method_setup *s, const struct config_point *point,
                                uint64_t seed, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t n[METHOD_TEXTS];
    method_texts(n, s, k->train);
    if (method_basis(s)) TRY(open_as(&p->basis_source, basis_options(k, s), k, point, seed, err));
    if (method_basis(s) & basis_bit(BASIS_ALONE))
        TRY(open_as(&p->alone_source, basis_options(k, s), k, point, seed, err));
    if (k->teacher > 0) TRY(open_as(&p->teacher_source, teacher_options(k), k, point, seed, err));
    for (enum method_texts i = 0; i < METHOD_TEXTS; i++)
        if (n[i] > 0) TRY(open_as(&p->text_sources[i], text_options(i), k, point, seed, err));
cleanup:
    return rc;
}

static enum err_code open_sources(struct fit_prompts *p, const struct fit_keys *k,
                                  const struct method_setup *s, size_t T0,
                                  const struct config_point *point, uint64_t seed,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    *p = (struct fit_prompts){0};
    TRY(open_as(&p->source, asked_options(k), k, point, seed, err));
    if (!source_info(p->source)->answers) return rc;
    TRY(source_check(p->source, point, s->params->dims.inputs, err));
    TRY(source_check_vocabulary(p->source, point, s->params->dims.vocabulary, err));
    TRY(open_texts(p, k, s, point, seed, err));
    TRY(measure_text(&p->size, p, k, s, T0, point, err));
cleanup:
    return rc;
}

enum err_code fit_prompts_plan(struct source **source, struct prompt_size *size,
                               const struct fit_keys *k, const struct method_setup *s, size_t T0,
                               const struct config_point *point, struct err *err) {
    struct fit_prompts p;
    const enum err_code rc = open_sources(&p, k, s, T0, point, config_point_seed(point), err);
    *source = p.source;
    *size = p.size;
    p.source = NULL;
    fit_prompts_close(&p);
    return rc;
}

/* ---- drawing */

static enum err_code draw(struct prompt_view *out, struct source *s, size_t n, size_t points,
                          struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(source_reserve(s, n, points, err));
    *out = source_draw(s, 0, n);
    TRY(source_status(s, err));
cleanup:
    return rc;
}

/* A sample asks the same question with shots and without. */
static enum err_code draw_bases(struct fit_prompts *p, size_t n, size_t T0, struct err *err) {
    enum err_code rc = ERR_OK;
    struct prompt_view alone;
    if (p->basis_source) TRY(draw(&p->basis, p->basis_source, n, T0, err));
    if (!p->alone_source) return ERR_OK;
    TRY(draw(&alone, p->alone_source, n, 1, err));
    p->basis.text.alone_ids = alone.text.ids;
    p->basis.text.alone_first = alone.text.first;
cleanup:
    return rc;
}

enum err_code fit_prompts_draw(struct fit_prompts *p, const struct fit_keys *k,
                               const struct method_setup *s, size_t T0, const struct job_ctx *ctx,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    size_t n[METHOD_TEXTS];
    method_texts(n, s, k->train);
    TRY(open_sources(p, k, s, T0, ctx->point, ctx->seed, err));
    TRY(draw(&p->prompts, p->source, k->prompts, k->points, err));
    TRY(draw_bases(p, k->prompts, T0, err));
    if (p->teacher_source) TRY(draw(&p->teacher, p->teacher_source, k->prompts, k->teacher, err));
    for (enum method_texts i = 0; i < METHOD_TEXTS; i++)
        if (p->text_sources[i])
            TRY(draw(&p->texts[i], p->text_sources[i], n[i], text_points(i, T0), err));
cleanup:
    if (rc != ERR_OK) fit_prompts_close(p);
    return rc;
}

void fit_prompts_close(struct fit_prompts *p) {
    for (enum method_texts i = 0; i < METHOD_TEXTS; i++) source_close(p->text_sources[i]);
    source_close(p->teacher_source);
    source_close(p->alone_source);
    source_close(p->basis_source);
    source_close(p->source);
    *p = (struct fit_prompts){0};
}

size_t fit_prompts_bytes(const struct source *source, const struct fit_keys *k,
                         const struct method_setup *s, size_t T0) {
    size_t bytes = source_bytes(source, k->prompts, k->points), n[METHOD_TEXTS];
    if (!source_info(source)->answers) return bytes;
    if (method_basis(s)) bytes += source_bytes(source, k->prompts, T0);
    if (method_basis(s) & basis_bit(BASIS_ALONE)) bytes += source_bytes(source, k->prompts, 1);
    if (k->teacher > 0) bytes += source_bytes(source, k->prompts, k->teacher);
    method_texts(n, s, k->train);
    for (enum method_texts i = 0; i < METHOD_TEXTS; i++)
        bytes += n[i] > 0 ? source_bytes(source, n[i], text_points(i, T0)) : 0;
    return bytes;
}
