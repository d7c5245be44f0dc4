#include "store/results.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "store/h5_check.h"

struct results {
    hid_t file;
    char path[FILE_PATH_MAX], temporary[FILE_PATH_MAX];
};

enum err_code results_create(struct results **out, const char *path, struct err *err) {
    enum err_code rc = ERR_OK;
    struct results *r = calloc(1, sizeof *r);
    CHECK(r, ERR_MEMORY, "no memory to write %s", path);
    r->file = H5I_INVALID_HID;
    CHECK(strlen(path) < sizeof r->path, ERR_IO, "%s: path too long", path);
    memcpy(r->path, path, strlen(path) + 1);
    TRY(file_temporary(r->temporary, path, err));
    h5_quiet();
    TRY_H5_ID(r->file, H5Fcreate(r->temporary, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    *out = r;
    r = NULL;
cleanup:
    results_discard(r);
    return rc;
}

void results_discard(struct results *r) {
    if (!r) return;
    if (r->file >= 0) (void)H5Fclose(r->file);
    if (r->temporary[0]) file_discard(r->temporary);
    free(r);
}

/* ---- one record of a table: columns at their offsets */

struct layout {
    hid_t *types; /* of each column; ours to close */
    size_t *offsets, n, size;
    size_t *sizes; /* of each column, in bytes */
};

static void layout_release(struct layout *l) {
    for (size_t i = 0; i < l->n && l->types; i++)
        if (l->types[i] > 0) (void)H5Tclose(l->types[i]);
    free(l->types);
    free(l->offsets);
    free(l->sizes);
}

/* Room for the longest text of a column, at least one byte. */
static size_t text_width(const struct job_value *cells, size_t rows, size_t n, size_t column) {
    size_t width = 1;
    for (size_t r = 0; r < rows; r++) {
        const size_t size = strlen(cells[r * n + column].as.text);
        if (size > width) width = size;
    }
    return width;
}

static enum err_code column_type(hid_t *out, size_t width, enum job_type type, struct err *err) {
    enum err_code rc = ERR_OK;
    if (type == JOB_INT) {
        TRY_H5_ID(*out, H5Tcopy(H5T_STD_I64LE));
    } else if (type == JOB_REAL) {
        TRY_H5_ID(*out, H5Tcopy(H5T_IEEE_F64LE));
    } else {
        TRY_H5_ID(*out, H5Tcopy(H5T_C_S1));
        TRY_H5(H5Tset_size(*out, width));
        TRY_H5(H5Tset_strpad(*out, H5T_STR_NULLPAD));
        TRY_H5(H5Tset_cset(*out, H5T_CSET_UTF8));
    }
cleanup:
    return rc;
}

static enum err_code layout_make(struct layout *l, const struct job_columns *columns,
                                 const struct job_value *cells, size_t rows, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = columns->n;
    l->types = calloc(n, sizeof *l->types);
    l->offsets = calloc(n, sizeof *l->offsets);
    l->sizes = calloc(n, sizeof *l->sizes);
    CHECK(l->types && l->offsets && l->sizes, ERR_MEMORY, "no memory for %zu columns", n);
    l->n = n;
    for (size_t i = 0; i < n; i++) {
        const enum job_type type = columns->list[i].type;
        l->sizes[i] = type == JOB_TEXT ? text_width(cells, rows, n, i) : 8;
        l->offsets[i] = l->size;
        l->size += l->sizes[i];
        TRY(column_type(&l->types[i], l->sizes[i], type, err));
    }
cleanup:
    return rc;
}

static void cell_put(unsigned char *to, const struct job_value *cell) {
    if (cell->type == JOB_TEXT)
        memcpy(to, cell->as.text, strlen(cell->as.text)); /* the rest of its width stays 0 */
    else if (cell->type == JOB_INT)
        memcpy(to, &cell->as.integer, 8);
    else
        memcpy(to, &cell->as.real, 8);
}

/* The table in the form that HDF5 takes: one record of l->size bytes per row. */
static enum err_code pack(unsigned char **out, const struct layout *l,
                          const struct job_value *cells, size_t rows, struct err *err) {
    unsigned char *data = calloc(rows + 1, l->size);
    if (!data) return ERR(err, ERR_MEMORY, "no memory for a table of %zu rows", rows);
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < l->n; i++)
            cell_put(data + r * l->size + l->offsets[i], &cells[r * l->n + i]);
    *out = data;
    return ERR_OK;
}

/* ---- HDF5 */

/* A scalar string of fixed length under `where`, as attribute or dataset. */
static enum err_code text_write(hid_t where, const char *name, const char *text, bool attribute,
                                hid_t links, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t size = strlen(text);
    hid_t type = H5I_INVALID_HID, space = H5I_INVALID_HID, out = H5I_INVALID_HID;
    TRY_H5_ID(type, H5Tcopy(H5T_C_S1));
    TRY_H5(H5Tset_size(type, size + 1));
    TRY_H5(H5Tset_cset(type, H5T_CSET_UTF8));
    TRY_H5_ID(space, H5Screate(H5S_SCALAR));
    if (attribute) {
        TRY_H5_ID(out, H5Acreate2(where, name, type, space, H5P_DEFAULT, H5P_DEFAULT));
        TRY_H5(H5Awrite(out, type, text));
    } else {
        TRY_H5_ID(out, H5Dcreate2(where, name, type, space, links, H5P_DEFAULT, H5P_DEFAULT));
        TRY_H5(H5Dwrite(out, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text));
    }
cleanup:
    if (out >= 0) (void)(attribute ? H5Aclose(out) : H5Dclose(out));
    if (space >= 0) (void)H5Sclose(space);
    if (type >= 0) (void)H5Tclose(type);
    return rc;
}

static enum err_code attributes_write(hid_t set, const struct job_columns *columns,
                                      struct err *err) {
    enum err_code rc = ERR_OK;
    char name[160];
    for (size_t i = 0; i < columns->n; i++) {
        const struct job_column *column = &columns->list[i];
        (void)snprintf(name, sizeof name, "%s.unit", column->name);
        TRY(text_write(set, name, column->unit, true, H5P_DEFAULT, err));
        (void)snprintf(name, sizeof name, "%s.meaning", column->name);
        TRY(text_write(set, name, column->meaning, true, H5P_DEFAULT, err));
    }
cleanup:
    return rc;
}

/* Link properties that make the groups on the way to a dataset. */
static enum err_code links_make(hid_t *out, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY_H5_ID(*out, H5Pcreate(H5P_LINK_CREATE));
    TRY_H5(H5Pset_create_intermediate_group(*out, 1));
cleanup:
    return rc;
}

static enum err_code compound_make(hid_t *out, const struct layout *l,
                                   const struct job_columns *columns, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY_H5_ID(*out, H5Tcreate(H5T_COMPOUND, l->size));
    for (size_t i = 0; i < l->n; i++)
        TRY_H5(H5Tinsert(*out, columns->list[i].name, l->offsets[i], l->types[i]));
cleanup:
    return rc;
}

enum err_code results_table(struct results *r, const char *path, const struct job_columns *columns,
                            const struct job_value *cells, size_t rows, struct err *err) {
    enum err_code rc = ERR_OK;
    struct layout l = {0};
    unsigned char *data = NULL;
    const hsize_t extent = rows;
    hid_t type = H5I_INVALID_HID, space = H5I_INVALID_HID, set = H5I_INVALID_HID,
          links = H5I_INVALID_HID;
    assert(columns->n > 0);
    TRY(layout_make(&l, columns, cells, rows, err));
    TRY(pack(&data, &l, cells, rows, err));
    TRY(compound_make(&type, &l, columns, err));
    TRY(links_make(&links, err));
    TRY_H5_ID(space, H5Screate_simple(1, &extent, NULL));
    TRY_H5_ID(set, H5Dcreate2(r->file, path, type, space, links, H5P_DEFAULT, H5P_DEFAULT));
    if (rows > 0) TRY_H5(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data));
    TRY(attributes_write(set, columns, err));
cleanup:
    if (set >= 0) (void)H5Dclose(set);
    if (space >= 0) (void)H5Sclose(space);
    if (links >= 0) (void)H5Pclose(links);
    if (type >= 0) (void)H5Tclose(type);
    layout_release(&l);
    free(data);
    return rc;
}

enum err_code results_text(struct results *r, const char *path, const char *text, struct err *err) {
    enum err_code rc = ERR_OK;
    hid_t links = H5I_INVALID_HID;
    TRY(links_make(&links, err));
    TRY(text_write(r->file, path, text, false, links, err));
cleanup:
    if (links >= 0) (void)H5Pclose(links);
    return rc;
}

enum err_code results_attribute(struct results *r, const char *path, const char *name,
                                const char *text, struct err *err) {
    enum err_code rc = ERR_OK;
    hid_t set = H5I_INVALID_HID;
    TRY_H5_ID(set, H5Dopen2(r->file, path, H5P_DEFAULT));
    TRY(text_write(set, name, text, true, H5P_DEFAULT, err));
cleanup:
    if (set >= 0) (void)H5Dclose(set);
    return rc;
}

enum err_code results_publish(struct results *r, struct err *err) {
    enum err_code rc = ERR_OK;
    const hid_t file = r->file;
    r->file = H5I_INVALID_HID;
    TRY_H5(H5Fclose(file));
    TRY_H5_ID(r->file, H5Fopen(r->temporary, H5F_ACC_RDONLY, H5P_DEFAULT));
    TRY_H5(H5Fclose(r->file));
    r->file = H5I_INVALID_HID;
    TRY(file_publish(r->temporary, r->path, err));
    r->temporary[0] = '\0';
cleanup:
    results_discard(r);
    return rc;
}

void results_library(struct text *out) {
    unsigned major = 0, minor = 0, release = 0;
    h5_quiet();
    (void)H5get_libversion(&major, &minor, &release);
#ifdef H5_HAVE_PARALLEL
    text_add(out, "HDF5 %u.%u.%u, parallel build", major, minor, release);
#else
    text_add(out, "HDF5 %u.%u.%u, serial build", major, minor, release);
#endif
}
