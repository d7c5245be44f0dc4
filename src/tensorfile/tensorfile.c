#include "tensorfile/tensorfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tensorfile/half.h"
#include "tensorfile/mapping.h"
#include "tensorfile/tensor_name.h"
#include "json/json.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the format is little-endian");

enum { LENGTH_BYTES = 8, PLACE_MAX = 700 };

static const struct {
    const char *name;
    size_t size; /* bytes of an element */
} TYPES[] = {
    [TENSOR_F32] = {"F32", 4},   [TENSOR_F16] = {"F16", 2}, [TENSOR_BF16] = {"BF16", 2},
    [TENSOR_F64] = {"F64", 8},   [TENSOR_I32] = {"I32", 4}, [TENSOR_I64] = {"I64", 8},
    [TENSOR_BOOL] = {"BOOL", 1}, [TENSOR_U8] = {"U8", 1},   [TENSOR_I8] = {"I8", 1},
    [TENSOR_I16] = {"I16", 2},   [TENSOR_U16] = {"U16", 2}, [TENSOR_U32] = {"U32", 4},
    [TENSOR_U64] = {"U64", 8},
};
enum { TYPE_COUNT = sizeof TYPES / sizeof *TYPES };

struct entry {
    struct tensor_info info;
    size_t begin, end; /* bytes of the data section */
};

struct note {
    const char *key, *value;
};

struct tensorfile {
    char *path;
    struct mapping map;
    struct json header;                 /* owns every name and note */
    struct entry *tensors;              /* sorted by begin, then end */
    const struct tensor_info **by_name; /* [n_tensors] */
    struct note *notes;
    size_t n_tensors, n_notes;
    const unsigned char *data; /* the data section */
    size_t data_size;
};

const char *tensor_type_name(enum tensor_type type) { return TYPES[type].name; }

size_t tensor_type_size(enum tensor_type type) { return TYPES[type].size; }

/* ---------------------------------------------------------------- one tensor of the header */

static enum err_code read_type(enum tensor_type *out, struct json tensor, const char *place,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    const char *name = NULL;
    char shown[NAME_SHOWN];
    TRY(json_read_text(&name, json_member(tensor, "dtype"), place, err));
    for (int t = 0; t < TYPE_COUNT; t++) {
        if (strcmp(TYPES[t].name, name) != 0) continue;
        *out = (enum tensor_type)t;
        return ERR_OK;
    }
    tensor_name_show(shown, name);
    rc = ERR(err, ERR_DATA, "%s: unknown dtype %s (F32, F16, BF16, F64, I32, I64 are read)", place,
             shown);
cleanup:
    return rc;
}

static enum err_code read_size(size_t *out, struct json value, const char *place, struct err *err) {
    int64_t number = 0;
    const enum err_code rc = json_read_int(&number, value, place, err);
    if (rc != ERR_OK) return rc;
    if (number < 0) return ERR(err, ERR_DATA, "%s: negative number %lld", place, (long long)number);
    *out = (size_t)number;
    return ERR_OK;
}

static enum err_code read_shape(struct tensor_info *t, struct json tensor, const char *place,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    const struct json shape = json_member(tensor, "shape");
    TRY(json_expect(shape, JSON_KIND_ARRAY, place, err));
    t->rank = json_count(shape);
    CHECK(t->rank <= TENSOR_RANK_MAX, ERR_DATA, "%s: %zu dimensions, at most %d are read", place,
          t->rank, TENSOR_RANK_MAX);
    t->elements = 1;
    for (size_t i = 0; i < t->rank; i++) {
        TRY(read_size(&t->shape[i], json_item(shape, i), place, err));
        CHECK(!__builtin_mul_overflow(t->elements, t->shape[i], &t->elements), ERR_DATA,
              "%s: the product of the shape does not fit in 64 bits", place);
    }
cleanup:
    return rc;
}

static enum err_code read_range(struct entry *e, struct json tensor, size_t data_size,
                                const char *place, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct json range = json_member(tensor, "data_offsets");
    size_t bytes = 0;
    TRY(json_expect(range, JSON_KIND_ARRAY, place, err));
    CHECK(json_count(range) == 2, ERR_DATA, "%s: expected 2 data_offsets, received %zu", place,
          json_count(range));
    TRY(read_size(&e->begin, json_item(range, 0), place, err));
    TRY(read_size(&e->end, json_item(range, 1), place, err));
    CHECK(e->begin <= e->end, ERR_DATA, "%s: data_offsets run backwards: %zu to %zu", place,
          e->begin, e->end);
    CHECK(e->end <= data_size, ERR_DATA,
          "%s: data_offsets end at %zu, but the file holds %zu bytes of data (is it truncated?)",
          place, e->end, data_size);
    CHECK(!__builtin_mul_overflow(e->info.elements, TYPES[e->info.type].size, &bytes) &&
              bytes == e->end - e->begin,
          ERR_DATA, "%s: %zu elements of %s do not fill data_offsets %zu to %zu", place,
          e->info.elements, TYPES[e->info.type].name, e->begin, e->end);
cleanup:
    return rc;
}

static enum err_code read_tensor(struct entry *e, const struct tensorfile *f, const char *name,
                                 struct json tensor, struct err *err) {
    enum err_code rc = ERR_OK;
    char shown[NAME_SHOWN], place[PLACE_MAX];
    tensor_name_show(shown, name);
    (void)snprintf(place, sizeof place, "%.500s: tensor %s", f->path, shown);
    TRY(tensor_name_check(name, place, err));
    TRY(json_expect(tensor, JSON_KIND_OBJECT, place, err));
    CHECK(json_count(tensor) <= 3, ERR_DATA,
          "%s: %zu entries, expected only dtype, shape and data_offsets", place,
          json_count(tensor));
    e->info.name = name;
    TRY(read_type(&e->info.type, tensor, place, err));
    TRY(read_shape(&e->info, tensor, place, err));
    TRY(read_range(e, tensor, f->data_size, place, err));
    e->info.data = f->data + e->begin;
cleanup:
    return rc;
}

/* ---------------------------------------------------------------- the whole header */

static enum err_code read_notes(struct tensorfile *f, struct json notes, struct err *err) {
    enum err_code rc = ERR_OK;
    char shown[NAME_SHOWN], place[PLACE_MAX];
    (void)snprintf(place, sizeof place, "%.500s: __metadata__", f->path);
    TRY(json_expect(notes, JSON_KIND_OBJECT, place, err));
    f->notes = calloc(json_count(notes) + 1, sizeof *f->notes);
    CHECK(f->notes, ERR_MEMORY, "%s: no memory for %zu entries", place, json_count(notes));
    for (struct json_walk w = {.object = notes}; json_next(&w); f->n_notes++) {
        tensor_name_show(shown, w.key);
        (void)snprintf(place, sizeof place, "%.500s: __metadata__: key %s", f->path, shown);
        TRY(tensor_name_check(w.key, place, err));
        f->notes[f->n_notes].key = w.key;
        TRY(json_read_text(&f->notes[f->n_notes].value, w.value, place, err));
    }
cleanup:
    return rc;
}

static enum err_code read_entries(struct tensorfile *f, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(json_expect(f->header, JSON_KIND_OBJECT, f->path, err));
    f->tensors = calloc(json_count(f->header) + 1, sizeof *f->tensors);
    CHECK(f->tensors, ERR_MEMORY, "%s: no memory for %zu tensors", f->path, json_count(f->header));
    for (struct json_walk w = {.object = f->header}; json_next(&w);) {
        if (strcmp(w.key, "__metadata__") == 0) {
            TRY(read_notes(f, w.value, err));
            continue;
        }
        TRY(read_tensor(&f->tensors[f->n_tensors], f, w.key, w.value, err));
        f->n_tensors++;
    }
cleanup:
    return rc;
}

static int by_offset(const void *a, const void *b) {
    const struct entry *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end) return x->end < y->end ? -1 : 1;
    return strcmp(x->info.name, y->info.name);
}

/* The tensors must cover the data section exactly once. */
static enum err_code check_cover(struct tensorfile *f, struct err *err) {
    enum err_code rc = ERR_OK;
    char shown[NAME_SHOWN], before[NAME_SHOWN] = "";
    size_t covered = 0;
    qsort(f->tensors, f->n_tensors, sizeof *f->tensors, by_offset);
    for (size_t i = 0; i < f->n_tensors; i++) {
        const struct entry *e = &f->tensors[i];
        tensor_name_show(shown, e->info.name);
        CHECK(e->begin >= covered, ERR_DATA, "%s: tensor %s: starts at %zu and overlaps %s",
              f->path, shown, e->begin, before);
        CHECK(e->begin == covered, ERR_DATA,
              "%s: tensor %s: starts at %zu and leaves a gap of %zu bytes", f->path, shown,
              e->begin, e->begin - covered);
        covered = e->end;
        memcpy(before, shown, sizeof before);
    }
    CHECK(covered == f->data_size, ERR_DATA, "%s: %zu bytes after the last tensor belong to none",
          f->path, f->data_size - covered);
cleanup:
    return rc;
}

static int compare_names(const void *a, const void *b) {
    const struct tensor_info *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static enum err_code sort_names(struct tensorfile *f, struct err *err) {
    f->by_name = calloc(f->n_tensors + 1, sizeof *f->by_name);
    if (!f->by_name)
        return ERR(err, ERR_MEMORY, "%s: no memory for %zu names", f->path, f->n_tensors);
    for (size_t i = 0; i < f->n_tensors; i++) f->by_name[i] = &f->tensors[i].info;
    qsort(f->by_name, f->n_tensors, sizeof *f->by_name, compare_names);
    return ERR_OK;
}

static enum err_code read_header(struct tensorfile *f, struct err *err) {
    enum err_code rc = ERR_OK;
    uint64_t length = 0;
    CHECK(f->map.size >= LENGTH_BYTES, ERR_DATA, "%s: %zu bytes are too few for a safetensors file",
          f->path, f->map.size);
    memcpy(&length, f->map.data, sizeof length);
    CHECK(length <= TENSORFILE_HEADER_MAX, ERR_DATA,
          "%s: a header of %llu bytes, at most %d are accepted (is it a safetensors file?)",
          f->path, (unsigned long long)length, TENSORFILE_HEADER_MAX);
    CHECK(length <= f->map.size - LENGTH_BYTES, ERR_DATA,
          "%s: a header of %llu bytes does not fit into a file of %zu (is it truncated?)", f->path,
          (unsigned long long)length, f->map.size);
    f->data = f->map.data + LENGTH_BYTES + length;
    f->data_size = f->map.size - LENGTH_BYTES - (size_t)length;
    TRY(json_parse(&f->header, (const char *)f->map.data + LENGTH_BYTES, (size_t)length, f->path,
                   err));
    TRY(read_entries(f, err));
    TRY(check_cover(f, err));
    TRY(sort_names(f, err));
cleanup:
    return rc;
}

enum err_code tensorfile_open(struct tensorfile **out, const char *path, struct err *err) {
    enum err_code rc = ERR_OK;
    struct tensorfile *f = calloc(1, sizeof *f);
    CHECK(f && (f->path = text_copy(path)), ERR_MEMORY, "%s: no memory to open it", path);
    TRY(mapping_open(&f->map, path, err));
    TRY(read_header(f, err));
    *out = f;
    f = NULL;
cleanup:
    tensorfile_close(f);
    return rc;
}

void tensorfile_close(struct tensorfile *f) {
    if (!f) return;
    free(f->tensors);
    free(f->by_name);
    free(f->notes);
    json_release(&f->header);
    mapping_close(&f->map);
    free(f->path);
    free(f);
}

/* ---------------------------------------------------------------- queries */

const struct mapping *tensorfile_mapping(const struct tensorfile *f) { return &f->map; }

const char *tensorfile_path(const struct tensorfile *f) { return f->path; }

size_t tensorfile_count(const struct tensorfile *f) { return f->n_tensors; }

const struct tensor_info *tensorfile_at(const struct tensorfile *f, size_t i) {
    return &f->tensors[i].info;
}

const struct tensor_info *tensorfile_find(const struct tensorfile *f, const char *name) {
    const struct tensor_info sought = {.name = name}, *key = &sought;
    const struct tensor_info **found =
        bsearch(&key, f->by_name, f->n_tensors, sizeof *f->by_name, compare_names);
    return found ? *found : NULL;
}

size_t tensorfile_note_count(const struct tensorfile *f) { return f->n_notes; }

void tensorfile_note_at(const struct tensorfile *f, size_t i, const char **key,
                        const char **value) {
    *key = f->notes[i].key;
    *value = f->notes[i].value;
}

const char *tensorfile_note(const struct tensorfile *f, const char *key) {
    for (size_t i = 0; i < f->n_notes; i++)
        if (strcmp(f->notes[i].key, key) == 0) return f->notes[i].value;
    return NULL;
}

/* ---------------------------------------------------------------- copying as float32 */

static enum err_code report_absent(const struct tensorfile *f, const char *name, struct err *err) {
    const char **names = calloc(f->n_tensors + 1, sizeof *names);
    const char *near = NULL;
    for (size_t i = 0; names && i < f->n_tensors; i++) names[i] = f->tensors[i].info.name;
    if (names) near = text_nearest(name, names, f->n_tensors);
    const enum err_code rc =
        near ? ERR(err, ERR_DATA, "%s: no tensor named \"%s\" (did you mean \"%s\"?)", f->path,
                   name, near)
             : ERR(err, ERR_DATA, "%s: no tensor named \"%s\"", f->path, name);
    free(names);
    return rc;
}

static void show_shape(struct text *out, size_t rank, const size_t *shape, bool wildcards) {
    text_add(out, "[");
    for (size_t i = 0; i < rank; i++) {
        if (i > 0) text_add(out, ", ");
        if (wildcards && shape[i] == 0)
            text_add(out, "any");
        else
            text_add(out, "%zu", shape[i]);
    }
    text_add(out, "]");
}

static enum err_code check_shape(const struct tensorfile *f, const struct tensor_info *t,
                                 size_t rank, const size_t *shape, struct err *err) {
    bool same = t->rank == rank;
    for (size_t i = 0; same && i < rank; i++) same = shape[i] == 0 || shape[i] == t->shape[i];
    if (same) return ERR_OK;
    struct text has = {0}, wanted = {0};
    show_shape(&has, t->rank, t->shape, false);
    show_shape(&wanted, rank, shape, true);
    const enum err_code rc = ERR(err, ERR_DATA, "%s: tensor \"%s\": shape %s, expected %s", f->path,
                                 t->name, text_str(&has), text_str(&wanted));
    text_release(&has);
    text_release(&wanted);
    return rc;
}

static void widen(float *out, const void *data, size_t n, float (*one)(uint16_t)) {
    const unsigned char *at = data;
    for (size_t i = 0; i < n; i++, at += 2) {
        uint16_t bits;
        memcpy(&bits, at, sizeof bits);
        out[i] = one(bits);
    }
}

void tensorfile_widen(float *out, const struct tensor_info *t) {
    if (t->type == TENSOR_F16)
        widen(out, t->data, t->elements, half_widen);
    else if (t->type == TENSOR_BF16)
        widen(out, t->data, t->elements, half_widen_bfloat);
    else if (t->elements > 0)
        memcpy(out, t->data, t->elements * sizeof *out);
}

enum err_code tensorfile_floats(float *out, const struct tensorfile *f, const char *name,
                                size_t rank, const size_t *shape, struct err *err) {
    const struct tensor_info *t = tensorfile_find(f, name);
    if (!t) return report_absent(f, name, err);
    const enum err_code rc = check_shape(f, t, rank, shape, err);
    if (rc != ERR_OK) return rc;
    if (t->type != TENSOR_F32 && t->type != TENSOR_F16 && t->type != TENSOR_BF16)
        return ERR(err, ERR_DATA, "%s: tensor \"%s\": dtype %s, expected F32, F16 or BF16", f->path,
                   name, TYPES[t->type].name);
    tensorfile_widen(out, t);
    return ERR_OK;
}

enum err_code tensorfile_copy(float **out, const struct tensorfile *f, const struct tensor_info *t,
                              struct err *err) {
    *out = malloc((t->elements + 1) * sizeof **out);
    if (!*out)
        return ERR(err, ERR_MEMORY, "no memory for %zu numbers of \"%s\"", t->elements, t->name);
    return tensorfile_floats(*out, f, t->name, t->rank, t->shape, err);
}
