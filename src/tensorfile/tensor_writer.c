#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "tensorfile/tensor_name.h"
#include "tensorfile/tensorfile.h"
#include "json/json_writer.h"

enum { DATA_ALIGN = 64 }; /* bytes */

struct tensor_row {
    char *name; /* owned */
    size_t rank, shape[TENSOR_RANK_MAX], elements;
    const void *data; /* the caller's */
    enum tensor_type type;
};

struct note_row {
    char *key, *value; /* owned */
};

struct tensor_writer {
    struct tensor_row *tensors;
    struct note_row *notes;
    size_t n_tensors, n_notes;
};

enum err_code tensor_writer_create(struct tensor_writer **out, struct err *err) {
    *out = calloc(1, sizeof **out);
    return *out ? ERR_OK : ERR(err, ERR_MEMORY, "no memory for a tensor file");
}

void tensor_writer_destroy(struct tensor_writer *w) {
    if (!w) return;
    for (size_t i = 0; i < w->n_tensors; i++) free(w->tensors[i].name);
    for (size_t i = 0; i < w->n_notes; i++) free(w->notes[i].key), free(w->notes[i].value);
    free(w->tensors);
    free(w->notes);
    free(w);
}

/* rows with room for one more: the capacity is the power of two from n on, so it doubles when n
 * reaches one. */
static void *grow_rows(void *rows, size_t n, size_t row_size) {
    if (n > 0 && (n & (n - 1)) != 0) return rows;
    return realloc(rows, (n > 0 ? 2 * n : 1) * row_size);
}

static enum err_code check_new(bool twice, const char *what, const char *name, struct err *err) {
    return twice ? ERR(err, ERR_DATA, "%s \"%s\" was added twice", what, name) : ERR_OK;
}

static enum err_code add_tensor(struct tensor_writer *w, const char *name, size_t rank,
                                const size_t *shape, const void *data, enum tensor_type type,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    assert(rank <= TENSOR_RANK_MAX);
    TRY(tensor_name_check(name, "a tensor to write", err));
    bool twice = strcmp(name, "__metadata__") == 0;
    for (size_t i = 0; i < w->n_tensors && !twice; i++)
        twice = strcmp(w->tensors[i].name, name) == 0;
    TRY(check_new(twice, "tensor", name, err));
    struct tensor_row *rows = grow_rows(w->tensors, w->n_tensors, sizeof *rows);
    CHECK(rows, ERR_MEMORY, "no memory for tensor \"%s\"", name);
    w->tensors = rows;
    struct tensor_row *row = &rows[w->n_tensors];
    *row = (struct tensor_row){
        .name = text_copy(name), .rank = rank, .elements = 1, .data = data, .type = type};
    CHECK(row->name, ERR_MEMORY, "no memory for tensor \"%s\"", name);
    for (size_t i = 0; i < rank; i++) row->elements *= row->shape[i] = shape[i];
    w->n_tensors++;
cleanup:
    return rc;
}

enum err_code tensor_writer_add(struct tensor_writer *w, const char *name, size_t rank,
                                const size_t *shape, const float *data, struct err *err) {
    return add_tensor(w, name, rank, shape, data, TENSOR_F32, err);
}

enum err_code tensor_writer_add_halves(struct tensor_writer *w, const char *name, size_t rank,
                                       const size_t *shape, const uint16_t *data, struct err *err) {
    return add_tensor(w, name, rank, shape, data, TENSOR_F16, err);
}

enum err_code tensor_writer_note(struct tensor_writer *w, const char *key, const char *value,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    bool twice = false;
    TRY(tensor_name_check(key, "a note to write", err));
    for (size_t i = 0; i < w->n_notes && !twice; i++) twice = strcmp(w->notes[i].key, key) == 0;
    TRY(check_new(twice, "note", key, err));
    struct note_row *rows = grow_rows(w->notes, w->n_notes, sizeof *rows);
    CHECK(rows, ERR_MEMORY, "no memory for note \"%s\"", key);
    w->notes = rows;
    struct note_row *row = &rows[w->n_notes++];
    *row = (struct note_row){text_copy(key), text_copy(value)};
    CHECK(row->key && row->value, ERR_MEMORY, "no memory for note \"%s\"", key);
cleanup:
    return rc;
}

/* ---------------------------------------------------------------- saving */

static void write_tensor_entry(struct json_writer *j, const struct tensor_row *row,
                               size_t *offset) {
    json_write_key(j, row->name);
    json_write_object(j);
    json_write_key(j, "dtype"), json_write_text(j, tensor_type_name(row->type));
    json_write_key(j, "shape"), json_write_array(j);
    for (size_t i = 0; i < row->rank; i++) json_write_int(j, (int64_t)row->shape[i]);
    json_write_close(j);
    json_write_key(j, "data_offsets"), json_write_array(j);
    json_write_int(j, (int64_t)*offset);
    *offset += row->elements * tensor_type_size(row->type);
    json_write_int(j, (int64_t)*offset);
    json_write_close(j);
    json_write_close(j);
}

/* The 8-byte length and the JSON, padded with spaces to a multiple of DATA_ALIGN. */
static enum err_code make_header(struct text *out, const struct tensor_writer *w, struct err *err) {
    uint64_t length = 0;
    size_t offset = 0;
    text_bytes(out, &length, sizeof length);
    struct json_writer j = json_writer_begin(out);
    json_write_object(&j);
    if (w->n_notes > 0) {
        json_write_key(&j, "__metadata__"), json_write_object(&j);
        for (size_t i = 0; i < w->n_notes; i++)
            json_write_key(&j, w->notes[i].key), json_write_text(&j, w->notes[i].value);
        json_write_close(&j);
    }
    for (size_t i = 0; i < w->n_tensors; i++) write_tensor_entry(&j, &w->tensors[i], &offset);
    json_write_close(&j);
    while (!out->failed && out->size % DATA_ALIGN != 0) text_bytes(out, " ", 1);
    const enum err_code rc = json_writer_end(&j, err);
    if (rc != ERR_OK) return rc;
    length = out->size - sizeof length;
    if (length > TENSORFILE_HEADER_MAX)
        return ERR(err, ERR_DATA, "a header of %llu bytes would not be read again, at most %d",
                   (unsigned long long)length, TENSORFILE_HEADER_MAX);
    memcpy(out->data, &length, sizeof length);
    return ERR_OK;
}

static enum err_code write_file(const char *path, const struct text *header,
                                const struct tensor_writer *w, struct err *err) {
    enum err_code rc = ERR_OK;
    FILE *f = fopen(path, "wbe");
    CHECK(f, ERR_IO, "%s: cannot create: %s", path, strerror(errno));
    CHECK(fwrite(header->data, 1, header->size, f) == header->size, ERR_IO,
          "%s: cannot write the header: %s", path, strerror(errno));
    for (size_t i = 0; i < w->n_tensors; i++) {
        const struct tensor_row *row = &w->tensors[i];
        if (row->elements == 0) continue; /* data may be NULL */
        const size_t size = tensor_type_size(row->type);
        CHECK(fwrite(row->data, size, row->elements, f) == row->elements, ERR_IO,
              "%s: cannot write tensor \"%s\": %s", path, row->name, strerror(errno));
    }
cleanup:
    if (f && fclose(f) != 0 && rc == ERR_OK)
        rc = ERR(err, ERR_IO, "%s: cannot write: %s", path, strerror(errno));
    return rc;
}

enum err_code tensor_writer_save(struct tensor_writer *w, const char *path, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text header = {0};
    char temporary[FILE_PATH_MAX] = "";
    TRY(make_header(&header, w, err));
    TRY(file_temporary(temporary, path, err));
    TRY(write_file(temporary, &header, w, err));
    TRY(file_publish(temporary, path, err));
cleanup:
    if (rc != ERR_OK && temporary[0]) file_discard(temporary);
    text_release(&header);
    return rc;
}
