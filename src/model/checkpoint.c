#include "model/checkpoint.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/family.h"

/* ---- notes */

static void add_size(struct model_note *out, const char *key, size_t value) {
    *out = (struct model_note){.key = key};
    snprintf(out->value, sizeof out->value, "%zu", value);
}

/* In the fewest digits that read back to the same float. */
static void add_float(struct model_note *out, const char *key, float value) {
    int digits = 1;
    *out = (struct model_note){.key = key};
    do snprintf(out->value, sizeof out->value, "%.*g", digits, (double)value);
    while (strtof(out->value, NULL) != value && ++digits <= 9);
}

static bool has_learned_positions(const struct model_dims *d) {
    return family_of(d)->names.wpe != NULL;
}

size_t model_describe(struct model_note out[MODEL_NOTES], const struct model_dims *d,
                      size_t trained_points) {
    const bool rotary = d->rotary.dims > 0;
    add_size(&out[0], "n_head", d->H);
    add_float(&out[1], "layer_norm_epsilon", d->epsilon);
    add_size(&out[2], "trained_points", trained_points);
    if (has_learned_positions(d)) return 3;
    out[3] = (struct model_note){"position_encoding", "none"};
    if (rotary) out[3] = (struct model_note){"position_encoding", "rotary"};
    add_size(&out[4], "n_positions", d->positions);
    if (!rotary) return 5;
    add_float(&out[5], "rope_theta", (float)d->rotary.base);
    return 6;
}

static enum err_code read_count(size_t *out, const struct tensorfile *f, const char *key,
                                struct err *err) {
    const char *text = tensorfile_note(f, key);
    const size_t n = strlen(text);
    if (n == 0 || n > 9 || strspn(text, "0123456789") != n)
        return ERR(err, ERR_DATA, "%s: metadata %s is \"%.40s\", expected a whole number",
                   tensorfile_path(f), key, text);
    *out = strtoul(text, NULL, 10);
    return ERR_OK;
}

/* A number above 0; *out stays where the metadata has none. */
static enum err_code read_number(float *out, const struct tensorfile *f, const char *key,
                                 struct err *err) {
    const char *text = tensorfile_note(f, key);
    char *end = NULL;
    if (!text) return ERR_OK;
    *out = strtof(text, &end);
    if (end == text || *end || !isfinite(*out) || *out <= 0)
        return ERR(err, ERR_DATA, "%s: metadata %s is \"%.40s\", expected a number above 0",
                   tensorfile_path(f), key, text);
    return ERR_OK;
}

/* ---- sizes */

/* One size of a required tensor of `rank` dimensions, none of which may be 0. */
static enum err_code read_size(size_t *out, const struct tensorfile *f, const char *name,
                               size_t rank, size_t axis, struct err *err) {
    const struct tensor_info *t = tensorfile_find(f, name);
    if (!t)
        return ERR(err, ERR_DATA,
                   "%s: no tensor named \"%s\"; a model with published names is needed",
                   tensorfile_path(f), name);
    if (t->rank != rank || t->elements == 0)
        return ERR(err, ERR_DATA,
                   "%s: tensor \"%s\" has %zu dimensions and %zu numbers, "
                   "expected %zu dimensions, none of them empty",
                   tensorfile_path(f), name, t->rank, t->elements, rank);
    *out = t->shape[axis];
    return ERR_OK;
}

static size_t count_layers(const struct family *family, const struct tensorfile *f) {
    for (size_t l = 0;; l++) {
        char name[PARAMS_NAME];
        family_layer_name(name, family, l, family->layer->ln_1_w);
        if (!tensorfile_find(f, name)) return l;
    }
}

/* Sizes that the metadata repeats must agree with the tensors. */
static enum err_code check_claims(const struct model_dims *d, const struct tensorfile *f,
                                  struct err *err) {
    const struct {
        const char *key;
        size_t have;
    } claims[] = {{"n_layer", d->L}, {"n_embd", d->E}, {"n_dims", d->inputs}};
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        size_t stated = 0;
        if (!tensorfile_note(f, claims[i].key)) continue;
        const enum err_code rc = read_count(&stated, f, claims[i].key, err);
        if (rc != ERR_OK) return rc;
        if (stated != claims[i].have)
            return ERR(err, ERR_DATA,
                       "%s: metadata %s is %zu, but the tensors have %zu: correct the metadata, or "
                       "use the file it belongs to",
                       tensorfile_path(f), claims[i].key, stated, claims[i].have);
    }
    return ERR_OK;
}

static enum err_code read_encoding(struct model_dims *d, const struct tensorfile *f,
                                   struct err *err) {
    const char *text = tensorfile_note(f, "position_encoding");
    d->family = text ? &family_gpt2_regression_unlearned : &family_gpt2_regression;
    if (!text || strcmp(text, "none") == 0) return ERR_OK;
    d->rotary.base = 10000;
    if (strcmp(text, "rotary") == 0) return ERR_OK;
    return ERR(
        err, ERR_DATA,
        "%s: metadata position_encoding is \"%.40s\", expected \"rotary\" or \"none\" (leave "
        "it out where _backbone.wpe.weight holds the positions)",
        tensorfile_path(f), text);
}

/* The longest sequence, and the frequencies of rotary positions: after read_encoding() and sizes.
 */
static enum err_code read_positions(struct model_dims *d, const struct tensorfile *f,
                                    struct err *err) {
    enum err_code rc = ERR_OK;
    const char *path = tensorfile_path(f);
    float base = (float)d->rotary.base;
    if (has_learned_positions(d))
        return read_size(&d->positions, f, family_of(d)->names.wpe, 2, 0, err);
    CHECK(tensorfile_note(f, "n_positions"), ERR_DATA,
          "%s: the metadata lacks n_positions, which a model without learned positions needs: add "
          "the longest sequence in tokens to __metadata__ as text",
          path);
    TRY(read_count(&d->positions, f, "n_positions", err));
    CHECK(d->positions > 0, ERR_DATA, "%s: metadata n_positions is 0: a sequence has tokens", path);
    if (d->rotary.base == 0) return ERR_OK;
    TRY(read_number(&base, f, "rope_theta", err));
    d->rotary.base = (double)base;
    d->rotary.dims = model_head_width(d);
    CHECK(d->rotary.dims % 2 == 0, ERR_DATA,
          "%s: heads of %zu coordinates have no rotary positions: an even number is needed", path,
          d->rotary.dims);
cleanup:
    return rc;
}

static enum err_code read_dims(struct model_dims *d, size_t *trained_points,
                               const struct tensorfile *f, struct err *err) {
    enum err_code rc = ERR_OK;
    const char *path = tensorfile_path(f);
    TRY(read_encoding(d, f, err));
    const struct family *family = family_of(d);
    TRY(read_size(&d->E, f, family->names.ln_f_w, 1, 0, err));
    TRY(read_size(&d->inputs, f, family->names.read_in_w, 2, 1, err));
    d->L = count_layers(family, f);
    CHECK(d->L > 0, ERR_DATA, "%s: no tensor named \"_backbone.h.0.ln_1.weight\": no layers", path);
    CHECK(tensorfile_note(f, "n_head"), ERR_DATA,
          "%s: the metadata lacks n_head, which the tensors do not determine: add it to "
          "__metadata__ as text, "
          "such as \"n_head\": \"8\"",
          path);
    TRY(read_count(&d->H, f, "n_head", err));
    CHECK(d->H > 0 && d->E % d->H == 0, ERR_DATA,
          "%s: metadata n_head is %zu, which does not divide the width %zu", path, d->H, d->E);
    d->epsilon = 1e-5f;
    TRY(read_number(&d->epsilon, f, "layer_norm_epsilon", err));
    TRY(read_positions(d, f, err));
    *trained_points = 0;
    if (tensorfile_note(f, "trained_points"))
        TRY(read_count(trained_points, f, "trained_points", err));
    CHECK(*trained_points <= model_points(d), ERR_DATA,
          "%s: metadata trained_points is %zu, but %zu positions hold %zu points", path,
          *trained_points, d->positions, model_points(d));
    TRY(check_claims(d, f, err));
cleanup:
    return rc;
}

/* ---- tensors */

static bool is_ignored(const char *name) {
    const char *const ends[] = {".attn.bias", ".attn.masked_bias"};
    const size_t n = strlen(name);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const size_t m = strlen(ends[i]);
        if (n > m && strcmp(name + n - m, ends[i]) == 0) return true;
    }
    return strcmp(name, "_backbone.wte.weight") == 0;
}

/* Every tensor of the file must belong to the model or be known to carry no weights. Call it after
 * check_tensors(), so that the tensors of the model are known to be there. */
static enum err_code check_names(const struct params *p, const struct tensorfile *f,
                                 struct err *err) {
    const struct model_dims *d = &p->dims;
    size_t weights = 0;
    for (size_t i = 0; i < tensorfile_count(f); i++)
        weights += !is_ignored(tensorfile_at(f, i)->name);
    if (weights == params_tensors(d)) return ERR_OK;
    for (size_t i = 0; i < tensorfile_count(f); i++) {
        const char *name = tensorfile_at(f, i)->name;
        bool known = is_ignored(name);
        for (size_t k = 0; !known && k < params_tensors(d); k++) {
            struct param_info t;
            params_at(&t, p, k);
            known = strcmp(t.name, name) == 0;
        }
        if (!known)
            return ERR(err, ERR_DATA,
                       "%s: tensor \"%s\" does not belong to a %s of %zu layers: remove it, or add "
                       "the tensors of the layer it belongs to",
                       tensorfile_path(f), name, family_of(d)->title, d->L);
    }
    return ERR_OK;
}

static void show_shape(char out[64], size_t rank, const size_t *shape) {
    if (rank == 1)
        snprintf(out, 64, "[%zu]", shape[0]);
    else if (rank == 2)
        snprintf(out, 64, "[%zu, %zu]", shape[0], shape[1]);
    else
        snprintf(out, 64, "of %zu dimensions", rank);
}

static bool holds_floats(const struct tensor_info *t) {
    return t->type == TENSOR_F32 || t->type == TENSOR_F16 || t->type == TENSOR_BF16;
}

/* Shapes and types. Nothing may be allocated for the sizes that a file claims before this. */
static enum err_code check_tensors(const struct params *p, const struct tensorfile *f,
                                   struct err *err) {
    for (size_t i = 0; i < params_tensors(&p->dims); i++) {
        struct param_info t;
        params_at(&t, p, i);
        const struct tensor_info *found = tensorfile_find(f, t.name);
        if (!found)
            return ERR(err, ERR_DATA, "%s: no tensor named \"%s\"", tensorfile_path(f), t.name);
        if (!holds_floats(found))
            return ERR(err, ERR_DATA, "%s: tensor \"%s\": dtype %s, expected F32, F16 or BF16",
                       tensorfile_path(f), t.name, tensor_type_name(found->type));
        if (found->rank == t.rank && memcmp(found->shape, t.shape, t.rank * sizeof *t.shape) == 0)
            continue;
        char has[64], wanted[64];
        show_shape(has, found->rank, found->shape);
        show_shape(wanted, t.rank, t.shape);
        return ERR(err, ERR_DATA,
                   "%s: tensor \"%s\": shape %s, expected %s from the sizes of the model",
                   tensorfile_path(f), t.name, has, wanted);
    }
    return ERR_OK;
}

static enum err_code copy_tensors(struct params *p, const struct tensorfile *f, struct err *err) {
    for (size_t i = 0; i < params_tensors(&p->dims); i++) {
        struct param_info t;
        params_at(&t, p, i);
        const enum err_code rc = tensorfile_floats(t.data, f, t.name, t.rank, t.shape, err);
        if (rc != ERR_OK) return rc;
    }
    return ERR_OK;
}

/* Points p into the mapping if every tensor is F32 and aligned there; else returns false. */
static bool place_mapped(struct params *p, const struct tensorfile *f) {
    for (size_t i = 0; i < params_tensors(&p->dims); i++) {
        struct param_info t;
        params_at(&t, p, i);
        const struct tensor_info *found = tensorfile_find(f, t.name);
        const uintptr_t address = (uintptr_t)found->data;
        if (found->type != TENSOR_F32 || address % ARENA_ALIGN != 0) return false;
        params_place(p, i, (float *)address); /* the mapping is read-only; so is the model */
    }
    return true;
}

/* Tensors of an open file as the parameters of a model of these sizes. */
static enum err_code place_tensors(struct model *m, const struct model_dims *dims,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(params_borrow(&m->params, dims, err));
    TRY(check_tensors(&m->params, m->file, err));
    TRY(check_names(&m->params, m->file, err));
    if (place_mapped(&m->params, m->file)) return ERR_OK;
    params_destroy(&m->params);
    TRY(params_create(&m->params, dims, err));
    TRY(copy_tensors(&m->params, m->file, err));
cleanup:
    return rc;
}

enum err_code model_open(struct model *m, const char *path, struct err *err) {
    enum err_code rc = ERR_OK;
    struct model made = {0};
    struct model_dims dims = {0};
    TRY(tensorfile_open(&made.file, path, err));
    TRY(read_dims(&dims, &made.trained_points, made.file, err));
    TRY(place_tensors(&made, &dims, err));
    *m = made;
    made = (struct model){0};
cleanup:
    model_close(&made);
    return rc;
}

enum err_code model_open_as(struct model *m, const char *path, const struct model_dims *dims,
                            struct err *err) {
    enum err_code rc = ERR_OK;
    struct model made = {0};
    TRY(tensorfile_open(&made.file, path, err));
    if (tensorfile_note(made.file, "trained_points"))
        TRY(read_count(&made.trained_points, made.file, "trained_points", err));
    TRY(place_tensors(&made, dims, err));
    *m = made;
    made = (struct model){0};
cleanup:
    model_close(&made);
    return rc;
}

enum err_code model_redraw_positions(struct model *m, uint64_t seed, struct err *err) {
    const struct model_dims *d = &m->params.dims;
    const struct rng stream = rng_stream(seed, "wpe/untrained");
    assert(has_learned_positions(d));
    float *wpe = m->wpe ? m->wpe : calloc(d->positions * d->E, sizeof *wpe);
    if (!wpe) return ERR(err, ERR_MEMORY, "no memory for %zu position rows", d->positions);
    if (wpe != m->params.wpe) memcpy(wpe, m->params.wpe, d->positions * d->E * sizeof *wpe);
    for (size_t row = 2 * m->trained_points; row < d->positions; row++) {
        rng_normals(wpe + row * d->E, d->E, &stream, row, 0);
        for (size_t e = 0; e < d->E; e++) wpe[row * d->E + e] *= 0.02F;
    }
    m->wpe = m->params.wpe = wpe;
    return ERR_OK;
}

void model_close(struct model *m) {
    params_destroy(&m->params);
    free(m->wpe);
    tensorfile_close(m->file);
    if (m->lender_close) m->lender_close(m->lender);
    *m = (struct model){0};
}

enum err_code model_read_dims(struct model_dims *out, size_t *trained_points, const char *path,
                              struct err *err) {
    enum err_code rc = ERR_OK;
    struct tensorfile *f = NULL;
    struct model_dims dims = {0};
    struct params params = {0};
    size_t points = 0;
    TRY(tensorfile_open(&f, path, err));
    TRY(read_dims(&dims, &points, f, err));
    TRY(params_borrow(&params, &dims, err));
    TRY(check_tensors(&params, f, err));
    TRY(check_names(&params, f, err));
    *out = dims;
    *trained_points = points;
cleanup:
    params_destroy(&params);
    tensorfile_close(f);
    return rc;
}
