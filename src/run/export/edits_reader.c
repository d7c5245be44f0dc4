#include "run/export/edits_reader.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "run/export/edits_names.h"
#include "tensorfile/finite.h"
#include "tensorfile/tensorfile.h"
#include "json/json.h"

enum { PLACE = 512 };

/* An object of the metadata: the whole, or one edit. */
struct part {
    const char *path;
    char name[32]; /* "edits[2]." or "" */
    struct json json;
    const struct read_edits *read; /* the vector is there */
    const struct model_dims *dims;
};

static const char *place_of(char out[PLACE], const struct part *s, const char *key) {
    (void)snprintf(out, PLACE, "%.400s: %s%s", s->path, s->name, key);
    return out;
}

static enum err_code read_size(size_t *out, const struct part *s, const char *key,
                               struct err *err) {
    char place[PLACE];
    int64_t value = 0;
    const enum err_code rc =
        json_read_int(&value, json_member(s->json, key), place_of(place, s, key), err);
    if (rc != ERR_OK) return rc;
    if (value < 0 || value > INT32_MAX)
        return ERR(err, ERR_DATA, "%s: expected 0 to %d, received %lld", place, INT32_MAX,
                   (long long)value);
    *out = (size_t)value;
    return ERR_OK;
}

/* The index of a word in a NULL-terminated list. */
static enum err_code read_word(size_t *out, const struct part *s, const char *key,
                               const char *const *list, struct err *err) {
    char place[PLACE];
    const char *word = NULL;
    const enum err_code rc =
        json_read_text(&word, json_member(s->json, key), place_of(place, s, key), err);
    if (rc != ERR_OK) return rc;
    for (*out = 0; list[*out]; ++*out)
        if (strcmp(list[*out], word) == 0) return ERR_OK;
    return ERR(err, ERR_DATA, "%s: '%.40s' is not known: the file is of a newer format", place,
               word);
}

/* ---- what the file is */

enum vector_kind { VECTOR_GIVEN, VECTOR_PROMPT, VECTOR_NONE };
static const char *const VECTORS[] = {
    [VECTOR_GIVEN] = "given", [VECTOR_PROMPT] = "prompt", [VECTOR_NONE] = "none", NULL};

static enum err_code check_format(const struct part *s, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t format = 0, redrawn = 0;
    TRY(read_size(&format, s, "format", err));
    CHECK(format == EDITS_FORMAT, ERR_DATA, "%s: format %zu, but %d is read: use a newer taskvec",
          s->path, format, EDITS_FORMAT);
    TRY(read_size(&redrawn, s, "wpe_seed", err));
    CHECK(
        redrawn == 0, ERR_DATA,
        "%s: the positions of its model were redrawn (wpe_seed %zu), which a file of a model does "
        "not have",
        s->path, redrawn);
cleanup:
    return rc;
}

/* Only a vector that all prompts share can be applied. */
static enum err_code check_method(size_t *vector, const struct part *s, struct err *err) {
    enum err_code rc = ERR_OK;
    const char *method = NULL;
    char place[PLACE];
    size_t prompt = 0;
    TRY(json_read_text(&method, json_member(s->json, "method"), place_of(place, s, "method"), err));
    TRY(read_word(vector, s, "vector", VECTORS, err));
    TRY(read_word(&prompt, s, "prompt", EDITS_PROMPTS, err));
    CHECK(*vector != VECTOR_PROMPT, ERR_DATA,
          "%s: %.40s makes a vector of each prompt from its activations: only a vector that all "
          "prompts share can be applied",
          s->path, method);
    CHECK(prompt == 0, ERR_DATA,
          "%s: %.40s changes which part of a prompt the model sees, which edits alone do not do",
          s->path, method);
cleanup:
    return rc;
}

static enum err_code read_vector(struct read_edits *r, const struct part *s,
                                 const struct tensorfile *f, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(read_size(&r->values, s, "values", err));
    r->vector = calloc(r->values + 1, sizeof *r->vector);
    CHECK(r->vector, ERR_MEMORY, "%s: no memory for a vector of %zu numbers", s->path, r->values);
    TRY(tensorfile_floats(r->vector, f, "vector", 1, &r->values, err));
    TRY(finite_check_tensor(tensorfile_find(f, "vector"), s->path, err));
cleanup:
    return rc;
}

/* ---- one edit */

/* n numbers of the vector; null: NULL where that is allowed. */
static enum err_code read_values(const float **out, const struct part *s, const char *key, size_t n,
                                 bool optional, struct err *err) {
    size_t offset = 0;
    if (optional && json_kind(json_member(s->json, key)) == JSON_KIND_NULL) return ERR_OK;
    const enum err_code rc = read_size(&offset, s, key, err);
    if (rc != ERR_OK) return rc;
    if (offset > s->read->values || n > s->read->values - offset)
        return ERR(err, ERR_DATA, "%s: %s%s: numbers %zu to %zu of a vector of %zu", s->path,
                   s->name, key, offset, offset + n, s->read->values);
    *out = s->read->vector + offset;
    return ERR_OK;
}

static enum err_code read_map(struct edit *e, const struct part *s, struct err *err) {
    enum err_code rc = ERR_OK;
    struct edit_map *m = &e->map;
    TRY(read_size(&m->rank, s, "rank", err));
    CHECK(m->rank > 0 && m->rank <= e->n, ERR_DATA, "%s: %srank: %zu, but %zu numbers are edited",
          s->path, s->name, m->rank, e->n);
    TRY(read_values(&m->A, s, "A", m->rank * e->n, false, err));
    TRY(read_values(&m->B, s, "B", m->rank * e->n, true, err));
    TRY(read_values(&m->c, s, "c", m->rank, true, err));
    CHECK(m->B || m->rank == e->n, ERR_DATA, "%s: %sB: null, but rank %zu is not %zu", s->path,
          s->name, m->rank, e->n);
cleanup:
    return rc;
}

static enum err_code read_operand(struct edit *e, const struct part *s, struct err *err) {
    enum err_code rc = ERR_OK;
    double scale = 0;
    char place[PLACE];
    if (e->operation == EDIT_MAP) return read_map(e, s, err);
    TRY(read_values(&e->values, s, "values", e->n, false, err));
    TRY(json_read_number(&scale, json_member(s->json, "scale"), place_of(place, s, "scale"), err));
    e->scale = (float)scale;
    CHECK(isfinite(e->scale), ERR_DATA, "%s: %g is too large", place, scale);
cleanup:
    return rc;
}

/* Whole sites, and whole heads of head outputs: others are of a model of other widths. */
static enum err_code check_place(const struct edit *e, const struct part *s, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = s->dims;
    const bool heads = e->site == EDIT_HEADS;
    const size_t width = heads ? model_heads_width(d) : d->E, D = model_head_width(d);
    const bool whole = e->from == 0 && e->n == width;
    const bool one_head = heads && e->n == D && e->from % D == 0 && e->from < width;
    CHECK(e->layer < d->L, ERR_DATA, "%s: %slayer: %zu, but the model has %zu layers", s->path,
          s->name, e->layer, d->L);
    CHECK(whole || one_head, ERR_DATA,
          "%s: %sn: %zu numbers from %zu on of %s, but those of the model have %zu (heads of %zu): "
          "the vector is of another model",
          s->path, s->name, e->n, e->from, EDITS_SITES[e->site], width, D);
    const bool all = e->site == EDIT_BLOCK || e->site == EDIT_ATTENTION || e->site == EDIT_MLP;
    CHECK(e->scope == EDIT_QUERY || all, ERR_DATA,
          "%s: %sscope: all tokens are edited at outputs of blocks, attention and MLP, not at %s",
          s->path, s->name, EDITS_SITES[e->site]);
    CHECK(e->site != EDIT_EMBEDDING || e->layer == 0, ERR_DATA,
          "%s: %slayer: %zu, but the embedding is at layer 0", s->path, s->name, e->layer);
cleanup:
    return rc;
}

static enum err_code read_edit(struct edit *e, const struct part *s, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t kind = 0, site = 0, scope = 0;
    TRY(json_expect(s->json, JSON_KIND_OBJECT, s->path, err));
    TRY(read_word(&kind, s, "kind", EDITS_KINDS, err));
    TRY(read_word(&site, s, "site", EDITS_SITES, err));
    TRY(read_word(&scope, s, "scope", EDITS_SCOPES, err));
    e->operation = (enum edit_operation)kind;
    e->site = (enum edit_site)site;
    e->scope = (enum edit_scope)scope;
    TRY(read_size(&e->layer, s, "layer", err));
    TRY(read_size(&e->from, s, "from", err));
    TRY(read_size(&e->n, s, "n", err));
    TRY(check_place(e, s, err));
    TRY(read_operand(e, s, err));
cleanup:
    return rc;
}

/* ---- all of them */

static enum err_code read_list(struct read_edits *r, const struct part *all, struct err *err) {
    enum err_code rc = ERR_OK;
    char place[PLACE];
    const struct json list = json_member(all->json, "edits");
    TRY(json_expect(list, JSON_KIND_ARRAY, place_of(place, all, "edits"), err));
    const size_t n = json_count(list);
    r->items = calloc(n + 1, sizeof *r->items);
    CHECK(r->items, ERR_MEMORY, "%s: no memory for %zu edits", all->path, n);
    for (size_t i = 0; i < n; i++) {
        struct part one = *all;
        (void)snprintf(one.name, sizeof one.name, "edits[%zu].", i);
        one.json = json_item(list, i);
        TRY(read_edit(&r->items[i], &one, err));
    }
    r->edits = (struct edits){.items = r->items, .n = n};
cleanup:
    return rc;
}

static enum err_code read_all(struct read_edits *r, const struct part *all,
                              const struct tensorfile *f, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t vector = VECTOR_NONE;
    TRY(check_format(all, err));
    TRY(check_method(&vector, all, err));
    if (vector == VECTOR_GIVEN) TRY(read_vector(r, all, f, err));
    TRY(read_list(r, all, err));
cleanup:
    return rc;
}

enum err_code edits_reader_open(struct read_edits *out, const char *path,
                                const struct model_dims *dims, struct err *err) {
    enum err_code rc = ERR_OK;
    struct read_edits made = {0};
    struct tensorfile *f = NULL;
    struct part all = {.path = path, .read = &made, .dims = dims};
    TRY(tensorfile_open(&f, path, err));
    const char *note = tensorfile_note(f, EDITS_NOTE);
    CHECK(note, ERR_DATA, "%s: holds no edits: write them by taskvec artifact DIR JOB --edits FILE",
          path);
    TRY(json_parse(&all.json, note, strlen(note), path, err));
    TRY(read_all(&made, &all, f, err));
    *out = made;
    made = (struct read_edits){0};
cleanup:
    edits_reader_close(&made);
    json_release(&all.json);
    tensorfile_close(f);
    return rc;
}

void edits_reader_close(struct read_edits *r) {
    free(r->items);
    free(r->vector);
    *r = (struct read_edits){0};
}
