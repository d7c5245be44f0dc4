/*
 * tensorfile.h - safetensors files: mapped and validated when read, durable when written.
 *
 * Format: 8-byte little-endian header length, a JSON header {"NAME": {"dtype", "shape",
 * "data_offsets"}, "__metadata__": {KEY: TEXT}}, then row-major data.  The reader trusts nothing:
 * every length, offset, product and name is checked against the mapped size before the file can be
 * used, and each error (ERR_DATA) names the file, the tensor and what was found.  As the format
 * requires, tensors follow each other without gaps.  Written headers are padded so that the data
 * starts at a multiple of 64 bytes of the file.
 */
#ifndef TENSORFILE_TENSORFILE_H
#define TENSORFILE_TENSORFILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { TENSOR_RANK_MAX = 8, TENSOR_NAME_MAX = 512 /* bytes */ };
enum { TENSORFILE_HEADER_MAX = 16 << 20 }; /* bytes; 100,000 tensors take about 10 MB */

/* clang-format off: the types of the format; published files hold masks as BOOL or U8. */
enum tensor_type {
    TENSOR_F32,
    TENSOR_F16,
    TENSOR_BF16,
    TENSOR_F64,
    TENSOR_I32,
    TENSOR_I64,
    TENSOR_BOOL,
    TENSOR_U8,
    TENSOR_I8,
    TENSOR_I16,
    TENSOR_U16,
    TENSOR_U32,
    TENSOR_U64
};
/* clang-format on */

const char *tensor_type_name(enum tensor_type type); /* as in the file: "F32" */
size_t tensor_type_size(enum tensor_type type);      /* bytes of an element */

struct tensor_info {
    const char *name;
    enum tensor_type type;
    size_t rank, shape[TENSOR_RANK_MAX];
    size_t elements;
    const void *data; /* in the mapping, read-only; may be unaligned in foreign files */
};

struct tensorfile; /* an open file */

/* ERR_DATA for a file that is missing or malformed. All pointers that the functions below return
 * are valid until tensorfile_close(). */
enum err_code tensorfile_open(struct tensorfile **out, const char *path, struct err *err);
void tensorfile_close(struct tensorfile *f); /* NULL-safe */

struct mapping;
const struct mapping *tensorfile_mapping(const struct tensorfile *f); /* mapping.h: all its bytes */
const char *tensorfile_path(const struct tensorfile *f);
size_t tensorfile_count(const struct tensorfile *f);
/* Tensor i < tensorfile_count(), in the order of the data; the tensor of a name, or NULL. */
const struct tensor_info *tensorfile_at(const struct tensorfile *f, size_t i);
const struct tensor_info *tensorfile_find(const struct tensorfile *f, const char *name);
/* Notes are the entries of __metadata__; NULL if there is none of that key. */
const char *tensorfile_note(const struct tensorfile *f, const char *key);
size_t tensorfile_note_count(const struct tensorfile *f);
void tensorfile_note_at(const struct tensorfile *f, size_t i, const char **key, const char **value);

/* Copies one tensor as float32; F16 and BF16 are widened. ERR_DATA if it is absent, of another type
 * or not of that shape (the message gives both); shape[i] == 0 accepts any length. */
enum err_code tensorfile_floats(float *out, const struct tensorfile *f, const char *name,
                                size_t rank, const size_t *shape, struct err *err);

/* The same of tensor t of the file, into *out [elements], which the caller frees. ERR_MEMORY. */
enum err_code tensorfile_copy(float **out, const struct tensorfile *f, const struct tensor_info *t,
                              struct err *err);

/* The numbers of an F32, F16 or BF16 tensor, whatever the alignment of its data; out [elements]. */
void tensorfile_widen(float *out, const struct tensor_info *t);

/* ---- writing
 *
 * Add tensors and notes, then save: the file appears whole or not at all (base/file.h). Names and
 * notes are copied; data is not, and must stay valid until tensor_writer_save() returns. The file
 * has tensors and notes in the order in which they were added, so the same calls give the same
 * bytes. A name that was added before, or that is not printable, is ERR_DATA. */
struct tensor_writer;
enum err_code tensor_writer_create(struct tensor_writer **out, struct err *err);
void tensor_writer_destroy(struct tensor_writer *w); /* NULL-safe */
enum err_code tensor_writer_add(struct tensor_writer *w, const char *name, size_t rank,
                                const size_t *shape, const float *data, struct err *err);
/* The same of binary16 numbers (half.h): a tensor of type F16. */
enum err_code tensor_writer_add_halves(struct tensor_writer *w, const char *name, size_t rank,
                                       const size_t *shape, const uint16_t *data, struct err *err);
enum err_code tensor_writer_note(struct tensor_writer *w, const char *key, const char *value,
                                 struct err *err);
enum err_code tensor_writer_save(struct tensor_writer *w, const char *path, struct err *err);

#endif
