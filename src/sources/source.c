#include "sources/source_kind.h"

#include <assert.h>

void source_close(struct source *s) {
    if (s) s->kind->close(s);
}

const struct source_info *source_info(const struct source *s) { return &s->info; }

size_t source_points(const struct source *s, size_t points) { return s->kind->points(s, points); }

enum err_code source_check(const struct source *s, const struct config_point *point, size_t inputs,
                           struct err *err) {
    return s->kind->check(s, point, inputs, err);
}

enum err_code source_check_functions(const struct source *s, const struct config_point *point,
                                     const char *what, struct err *err) {
    if (s->info.functions) return ERR_OK;
    return config_error(err, point, s->info.answers ? "source.kind" : "source.problem",
                        "%s needs prompts of functions, and %s has none: choose another source",
                        what, s->info.name);
}

enum err_code source_measure(struct source_lengths *out, struct source *s,
                             const struct source_range *range, struct err *err) {
    *out = (struct source_lengths){0};
    if (s->kind->measure) return s->kind->measure(out, s, range, err);
    out->prompt = 2 * range->points - 1;
    out->answer = 1;
    return ERR_OK;
}

enum err_code source_check_lengths(const struct source *s, const struct config_point *point,
                                   const struct source_range *range,
                                   const struct source_lengths *lengths, struct err *err) {
    const size_t fit = range->n - lengths->too_long;
    if (!s->info.answers || lengths->too_long == 0 || (s->info.answers->drop && fit > 0))
        return ERR_OK;
    return config_error(
        err, point, "source.too_long",
        "%zu of %zu prompts of %s with %zu points are longer than the %zu tokens "
        "that the model computes: lower points, %s",
        lengths->too_long, range->n, s->info.name, range->points, range->most_tokens,
        fit > 0 ? "or set source.too_long = \"drop\"" : "as dropping them would leave none");
}

enum err_code source_check_vocabulary(const struct source *s, const struct config_point *point,
                                      size_t vocabulary, struct err *err) {
    if (!s->info.answers || s->info.answers->vocabulary <= vocabulary) return ERR_OK;
    return config_error(err, point, "source.tokenizer",
                        "it has %zu tokens, but the embedding of the model has %zu rows: files of "
                        "two models are mixed",
                        s->info.answers->vocabulary, vocabulary);
}

enum err_code source_reserve(struct source *s, size_t n, size_t points, struct err *err) {
    assert(s->points == 0 && points >= 1);
    const enum err_code rc = s->kind->reserve(s, n, points, err);
    if (rc == ERR_OK) s->points = points;
    return rc;
}

size_t source_bytes(const struct source *s, size_t n, size_t points) {
    return s->kind->bytes(s, n, points);
}

struct prompt_view source_draw(struct source *s, uint64_t first, size_t n) {
    const struct source_draw draw = {.n = n, .first = first, .points = s->points};
    return s->kind->draw(s, &draw);
}

void source_redraw(struct source *s, size_t row, uint64_t sample) {
    const struct source_draw draw = {.row = row, .n = 1, .first = sample, .points = s->points};
    (void)s->kind->draw(s, &draw);
}

enum err_code source_status(const struct source *s, struct err *err) {
    return s->kind->status ? s->kind->status(s, err) : ERR_OK;
}

struct source_question source_question(const struct source *s, size_t i) {
    assert(s->info.answers);
    return s->kind->question(s, i);
}

enum err_code source_reads_as_answer(bool *out, const struct source *s, size_t i,
                                     const uint32_t *ids, size_t n, struct err *err) {
    assert(s->info.answers);
    return s->kind->reads_as_answer(out, s, i, ids, n, err);
}

const float *source_parameters(const struct source *s) {
    assert(s->info.functions);
    return s->kind->parameters(s);
}

struct prompt_view source_draw_active(struct source *s, uint64_t first, size_t n, size_t points,
                                      size_t active) {
    const struct source_draw draw = {.n = n, .first = first, .points = points, .active = active};
    assert(s->info.functions && points <= s->points);
    return s->kind->draw(s, &draw);
}

double source_normaliser_active(const struct source *s, size_t active) {
    assert(s->info.functions);
    return s->kind->normaliser(s, active);
}
