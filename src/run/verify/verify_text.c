/*
 * A reference file of a language model: all logits by the full forward pass (core); logits, head
 * outputs and hidden states of the last tokens by contexts and query rows.
 */
#include "run/verify/verify_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/context_pass.h"
#include "model/forward.h"
#include "model/length.h"
#include "model/vocabulary.h"
#include "run/verify/verify_file.h"
#include "run/verify/verify_reference.h"

void text_reference_by_prompt(float *out, const float *x, const struct query *q, size_t B, size_t n,
                              size_t blocks, size_t width) {
    for (size_t b = 0; b < B; b++)
        for (size_t l = 0; l < n; l++)
            memcpy(out + (b * blocks + l) * width, x + (l * q->capacity + b) * width,
                   width * sizeof *x);
}

enum err_code text_reference_compare(const struct text_reference *t, const char *part,
                                     const char *name, const float *got, size_t n,
                                     enum tolerance tolerance, struct err *err) {
    return verify_reference_compare(t->report, t->file, part, name, got, n, tolerance, err);
}

/* ---- prompts */

/* Integers in [least, below); padding, which is negative, becomes 0. */
static enum err_code narrow(uint32_t *out, const struct fixture_array *a, int64_t least,
                            size_t below, const char *name, const struct fixture *f,
                            struct err *err) {
    for (size_t i = 0; i < a->n; i++) {
        const int64_t x = a->integers[i];
        if (x < least || x >= (int64_t)below)
            return ERR(err, ERR_DATA, "%s: %s: %lld is out of range", fixture_path(f), name,
                       (long long)x);
        out[i] = x < 0 ? 0 : (uint32_t)x;
    }
    return ERR_OK;
}

static enum err_code allocate_prompts(struct text_reference *t, struct err *err) {
    t->ids = calloc(t->B * t->T + 5 * t->B + 1, sizeof *t->ids);
    if (!t->ids) return ERR(err, ERR_MEMORY, "no memory for %zu prompts", t->B);
    t->length = t->ids + t->B * t->T;
    t->target = t->length + t->B;
    t->slot = t->target + t->B;
    t->seen = t->slot + t->B;
    t->own = t->seen + t->B;
    return ERR_OK;
}

static enum err_code read_integers(struct fixture_array *out, const struct fixture *f,
                                   const char *prefix, const char *name, int rank,
                                   struct err *err) {
    char whole[96];
    (void)snprintf(whole, sizeof whole, "%s%s", prefix, name);
    return fixture_integers(out, f, whole, rank, err);
}

static enum err_code read_prompts(struct text_reference *t, const char *prefix, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct fixture *f = t->file;
    const struct model_dims *d = &t->params->dims;
    struct fixture_array ids = {0}, lengths = {0}, targets = {0};
    TRY(read_integers(&ids, f, prefix, "token_ids", 2, err));
    TRY(read_integers(&lengths, f, prefix, "lengths", 1, err));
    TRY(read_integers(&targets, f, prefix, "target_ids", 1, err));
    t->B = ids.shape[0], t->T = ids.shape[1];
    CHECK(t->B > 0 && t->T > 0 && lengths.n == t->B && targets.n == t->B, ERR_DATA,
          "%s: token_ids, lengths, target_ids and config.json disagree", fixture_path(f));
    TRY(length_check(d, t->T, fixture_path(f), err));
    TRY(allocate_prompts(t, err));
    TRY(narrow(t->ids, &ids, -1, d->vocabulary, "token_ids", f, err));
    TRY(narrow(t->length, &lengths, 1, t->T + 1, "lengths", f, err));
    TRY(narrow(t->target, &targets, 0, d->vocabulary, "target_ids", f, err));
cleanup:
    fixture_array_release(&targets);
    fixture_array_release(&lengths);
    fixture_array_release(&ids);
    return rc;
}

static enum err_code fill_contexts(struct text_reference *t, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &t->params->dims;
    const struct edits none = {0};
    struct context_scratch *scratch = NULL;
    TRY(context_create(&t->context, d, t->B, t->T - 1, CONTEXT_SINGLE, err));
    TRY(context_scratch_create(&scratch, d, 1, t->T - 1, err));
    for (size_t b = 0; b < t->B; b++) {
        const uint32_t *ids = t->ids + b * t->T, seen = t->length[b] - 1;
        context_add_ids(&t->context, b, scratch, t->params, ids, seen, &none);
        context_finish(&t->context, scratch, t->params, &none);
        t->slot[b] = (uint32_t)b, t->seen[b] = seen, t->own[b] = ids[seen];
    }
    t->rows = (struct query_rows){.R = t->B, .slot = t->slot, .length = t->seen, .ids = t->own};
cleanup:
    context_scratch_destroy(scratch);
    return rc;
}

enum err_code text_reference_fill(struct text_reference *t, const char *prefix, struct err *err) {
    const enum err_code rc = read_prompts(t, prefix, err);
    return rc == ERR_OK ? fill_contexts(t, err) : rc;
}

void text_reference_release(struct text_reference *t) {
    context_destroy(&t->context);
    free(t->ids);
    t->ids = NULL;
}

/* ---- the full forward pass */

/* All prompts one after the other without padding. */
static struct forward_ids packed(uint32_t *out, const struct text_reference *t) {
    uint32_t *at = out;
    for (size_t b = 0; b < t->B; at += t->length[b++])
        memcpy(at, t->ids + b * t->T, t->length[b] * sizeof *at);
    return (struct forward_ids){t->B, t->length, out};
}

static double largest_difference(const float *logits, const float *want,
                                 const struct text_reference *t) {
    const size_t V = t->params->dims.vocabulary;
    double error = 0;
    for (size_t b = 0; b < t->B; logits += t->length[b++] * V)
        error = fmax(error, verify_max_error(logits, want + b * t->T * V, t->length[b] * V));
    return error;
}

/* out [R, V] from rows after the final norm, in tiles, as packed matrices of a vocabulary are. */
static void logits_by_tile(float *out, float *tile, const float *norm, const struct params *p,
                           size_t R) {
    const struct weight_map all = unembed_map(p);
    for (size_t first = 0; first < all.O; first += VOCABULARY_TILE) {
        const size_t rest = all.O - first, n = rest < VOCABULARY_TILE ? rest : VOCABULARY_TILE;
        const struct weight_map part = weight_map_part(&all, first, n);
        weight_forward(tile, n, norm, &part, R);
        for (size_t r = 0; r < R; r++)
            memcpy(out + r * all.O + first, tile + r * n, n * sizeof *out);
    }
}

static float *lay_out_logits(struct unembed *u, struct arena *memory, const struct model_dims *d,
                             size_t R) {
    unembed_lay_out(u, memory, d, R, false);
    return arena_floats(memory, R * VOCABULARY_TILE);
}

enum err_code text_reference_logits(float *out, float *norm, const struct params *p, const float *x,
                                    size_t R, struct err *err) {
    struct arena memory = {0};
    struct unembed u;
    (void)lay_out_logits(&u, &memory, &p->dims, R);
    const enum err_code rc = arena_commit(&memory, err);
    if (rc != ERR_OK) return rc;
    float *tile = lay_out_logits(&u, &memory, &p->dims, R);
    unembed_norm(&u, p, x, R);
    logits_by_tile(out, tile, u.norm, p, R);
    if (norm) memcpy(norm, u.norm, R * p->dims.E * sizeof *norm);
    arena_release(&memory);
    return ERR_OK;
}

static enum err_code compare_core(const struct text_reference *t, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &t->params->dims;
    const size_t most = t->B * t->T;
    struct forward f = {0};
    struct fixture_array want = {0};
    uint32_t *ids = calloc(most, sizeof *ids);
    float *logits = calloc(most * d->vocabulary, sizeof *logits);
    CHECK(ids && logits, ERR_MEMORY, "no memory for the logits of %zu tokens", most);
    TRY(verify_reference_floats(&want, t->file, "logits", most * d->vocabulary, err));
    const struct forward_ids sequences = packed(ids, t);
    TRY(forward_create_tokens(&f, d, t->B, t->T, most, false, err));
    forward_run_ids(&f, t->params, &sequences);
    TRY(text_reference_logits(logits, NULL, t->params, forward_x(&f, d->L), f.T_run, err));
    TRY(verify_error(t->report, "core", "logits of all tokens",
                     largest_difference(logits, want.floats, t),
                     tolerance_of(TOLERANCE_FORWARD, want.floats, want.n), err));
cleanup:
    forward_destroy(&f);
    fixture_array_release(&want);
    free(logits);
    free(ids);
    return rc;
}

/* ---- the last tokens, by the query stream */

/* logits [B, V] */
static enum err_code compare_logits(const struct text_reference *t, const float *logits,
                                    struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t V = t->params->dims.vocabulary;
    struct fixture_array want = {0};
    double error = 0;
    TRY(verify_reference_floats(&want, t->file, "logits", t->B * t->T * V, err));
    for (size_t b = 0; b < t->B; b++)
        error = fmax(
            error, verify_max_error(logits + b * V, want.floats + (b * t->T + t->seen[b]) * V, V));
    TRY(verify_error(t->report, "logits", "logits of the last token", error,
                     tolerance_of(TOLERANCE_FORWARD, want.floats, want.n), err));
cleanup:
    fixture_array_release(&want);
    return rc;
}

/* norm [B, E]: x[L] after the final norm. */
static enum err_code compare_states(const struct text_reference *t, const struct query *q,
                                    const float *norm, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &t->params->dims;
    const size_t B = t->B, L = d->L, Z = model_heads_width(d), E = d->E;
    float *heads = calloc(B * L * Z, sizeof *heads), *x = calloc(B * (L + 1) * E, sizeof *x);
    CHECK(heads && x, ERR_MEMORY, "no memory for the states of %zu prompts", B);
    text_reference_by_prompt(heads, q->z, q, B, L, L, Z);
    TRY(text_reference_compare(t, "heads", "head_outputs_last_token", heads, B * L * Z,
                               TOLERANCE_FORWARD, err));
    text_reference_by_prompt(x, q->x, q, B, L, L + 1, E);
    text_reference_by_prompt(x + L * E, norm, q, B, 1, L + 1, E);
    TRY(text_reference_compare(t, "hidden", "hidden_states_last_token", x, B * (L + 1) * E,
                               TOLERANCE_FORWARD, err));
cleanup:
    free(heads);
    free(x);
    return rc;
}

static enum err_code compare_queries(const struct text_reference *t, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &t->params->dims;
    struct query q = {0};
    float *logits = calloc(t->B * d->vocabulary, sizeof *logits);
    float *norm = calloc(t->B * d->E, sizeof *norm);
    CHECK(logits && norm, ERR_MEMORY, "no memory for the logits of %zu prompts", t->B);
    TRY(query_create(&q, d, t->B, t->T - 1, false, err));
    query_forward(&q, t->params, &t->context, &t->rows, &(struct edits){0});
    TRY(text_reference_logits(logits, norm, t->params, query_output(&q), t->B, err));
    TRY(compare_logits(t, logits, err));
    TRY(compare_states(t, &q, norm, err));
cleanup:
    query_destroy(&q);
    free(norm);
    free(logits);
    return rc;
}

enum err_code verify_text(struct verify_report *r, const struct fixture *f, const struct params *p,
                          struct err *err) {
    enum err_code rc = ERR_OK;
    struct text_reference t = {.report = r, .file = f, .params = p};
    TRY(text_reference_fill(&t, "", err));
    TRY(compare_core(&t, err));
    TRY(compare_queries(&t, err));
    TRY(verify_text_vectors(&t, err));
cleanup:
    text_reference_release(&t);
    return rc;
}
