#include "store/fixture.h"

#include <errno.h>
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "store/h5_check.h"

struct fixture {
    hid_t file;
    char *path;
};

static const size_t ELEMENTS_MAX = (size_t)1 << 28; /* of one dataset: 2 GiB as doubles */

enum err_code fixture_open(struct fixture **out, const char *path, struct err *err) {
    enum err_code rc = ERR_OK;
    struct stat info;
    struct fixture *f = calloc(1, sizeof *f);
    CHECK(f && (f->path = text_copy(path)), ERR_MEMORY, "%s: no memory to open it", path);
    CHECK(access(path, R_OK) == 0, ERR_DATA, "%s: cannot open: %s (check the path)", path,
          strerror(errno));
    /* HDF5 would wait for a pipe forever. */
    CHECK(stat(path, &info) == 0 && S_ISREG(info.st_mode), ERR_DATA,
          "%s: not a plain file: give a reference file or the folder of a run", path);
    h5_quiet();
    f->file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    CHECK(f->file >= 0, ERR_DATA, "%s: not a readable HDF5 file", path);
    *out = f;
    f = NULL;
cleanup:
    if (f) f->file = H5I_INVALID_HID;
    fixture_close(f);
    return rc;
}

void fixture_close(struct fixture *f) {
    if (!f) return;
    if (f->file >= 0) H5Fclose(f->file);
    free(f->path);
    free(f);
}

const char *fixture_path(const struct fixture *f) { return f->path; }

/* H5Lexists fails where a parent does not exist, so each prefix is checked in turn. */
bool fixture_has(const struct fixture *f, const char *name) {
    char prefix[256];
    const size_t length = strlen(name);
    if (length == 0 || length >= sizeof prefix) return false;
    for (size_t i = 1; i <= length; i++) {
        if (name[i] != '/' && name[i] != '\0') continue;
        memcpy(prefix, name, i);
        prefix[i] = '\0';
        if (H5Lexists(f->file, prefix, H5P_DEFAULT) <= 0) return false;
    }
    return true;
}

static enum err_code read_shape(struct fixture_array *out, hid_t set, const struct fixture *f,
                                const char *name, int rank, struct err *err) {
    enum err_code rc = ERR_OK;
    hsize_t shape[FIXTURE_RANK] = {0};
    hid_t space = H5I_INVALID_HID;
    TRY_H5_ID(space, H5Dget_space(set));
    const int found = H5Sget_simple_extent_ndims(space);
    CHECK(found >= 0 && found <= FIXTURE_RANK && (rank < 0 || found == rank), ERR_DATA,
          "%s: %s: expected %d dimensions, found %d", f->path, name, rank, found);
    TRY_H5(H5Sget_simple_extent_dims(space, shape, NULL));
    out->rank = (size_t)found;
    out->n = 1;
    for (int i = 0; i < found; i++) {
        out->shape[i] = (size_t)shape[i];
        CHECK(shape[i] <= ELEMENTS_MAX && out->n * out->shape[i] <= ELEMENTS_MAX, ERR_DATA,
              "%s: %s: more than %zu elements", f->path, name, ELEMENTS_MAX);
        out->n *= out->shape[i];
    }
cleanup:
    if (space >= 0) H5Sclose(space);
    return rc;
}

static bool is_number(hid_t type) {
    const H5T_class_t class = H5Tget_class(type);
    return class == H5T_INTEGER || class == H5T_FLOAT || class == H5T_ENUM;
}

static bool holds_numbers(hid_t set) {
    const hid_t type = H5Dget_type(set);
    const bool yes = type >= 0 && is_number(type);
    if (type >= 0) (void)H5Tclose(type);
    return yes;
}

static bool is_attribute_number(hid_t attribute) {
    const hid_t type = H5Aget_type(attribute);
    const bool yes = type >= 0 && is_number(type);
    if (type >= 0) (void)H5Tclose(type);
    return yes;
}

/* ERR_DATA with the name of a compression or other filter that this HDF5 library lacks. */
static enum err_code check_filters(hid_t set, const struct fixture *f, const char *name,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    hid_t list = H5I_INVALID_HID;
    TRY_H5_ID(list, H5Dget_create_plist(set));
    const int n = H5Pget_nfilters(list);
    for (int i = 0; i < n; i++) {
        char filter[64] = "";
        unsigned flags = 0, settings;
        size_t n_values = 0;
        const H5Z_filter_t id = H5Pget_filter2(list, (unsigned)i, &flags, &n_values, NULL,
                                               sizeof filter, filter, &settings);
        CHECK(id >= 0 && H5Zfilter_avail(id) > 0, ERR_DATA,
              "%s: %s: written with the filter %s (number %d), which this HDF5 library does not "
              "have: write it without compression, or with gzip",
              f->path, name, filter[0] ? filter : "without a name", (int)id);
    }
cleanup:
    if (list >= 0) H5Pclose(list);
    return rc;
}

/* Reads a dataset converted to `type`; *data is malloc'ed, element_size bytes each. */
static enum err_code read_as(struct fixture_array *out, void **data, size_t element_size,
                             hid_t type, const struct fixture *f, const char *name, int rank,
                             struct err *err) {
    enum err_code rc = ERR_OK;
    hid_t set = H5I_INVALID_HID;
    *out = (struct fixture_array){0};
    *data = NULL;
    CHECK(fixture_has(f, name), ERR_DATA, "%s: %s: no such dataset", f->path, name);
    TRY_H5_ID(set, H5Dopen2(f->file, name, H5P_DEFAULT));
    CHECK(holds_numbers(set), ERR_DATA,
          "%s: %s: expected numbers, received another type: write it as float or integer", f->path,
          name);
    TRY(read_shape(out, set, f, name, rank, err));
    *data = calloc(out->n ? out->n : 1, element_size);
    CHECK(*data, ERR_MEMORY, "%s: %s: no memory for %zu elements", f->path, name, out->n);
    if (H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, *data) < 0) {
        struct err plain = {0};
        const enum err_code failed = h5_error(&plain, "H5Dread", __FILE__, __LINE__);
        TRY(check_filters(set, f, name, err));
        *err = plain;
        rc = failed;
    }
cleanup:
    if (set >= 0) H5Dclose(set);
    if (rc != ERR_OK) {
        free(*data);
        *data = NULL;
    }
    return rc;
}

enum err_code fixture_floats(struct fixture_array *out, const struct fixture *f, const char *name,
                             int rank, struct err *err) {
    void *data;
    const enum err_code rc =
        read_as(out, &data, sizeof(float), H5T_NATIVE_FLOAT, f, name, rank, err);
    out->floats = data;
    return rc;
}

enum err_code fixture_doubles(struct fixture_array *out, const struct fixture *f, const char *name,
                              int rank, struct err *err) {
    void *data;
    const enum err_code rc =
        read_as(out, &data, sizeof(double), H5T_NATIVE_DOUBLE, f, name, rank, err);
    out->doubles = data;
    return rc;
}

enum err_code fixture_integers(struct fixture_array *out, const struct fixture *f, const char *name,
                               int rank, struct err *err) {
    void *data;
    const enum err_code rc =
        read_as(out, &data, sizeof(int64_t), H5T_NATIVE_INT64, f, name, rank, err);
    out->integers = data;
    return rc;
}

void fixture_array_release(struct fixture_array *a) {
    free(a->floats);
    free(a->doubles);
    free(a->integers);
    *a = (struct fixture_array){0};
}

enum err_code fixture_attribute(double *out, const struct fixture *f, const char *name,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    hid_t attribute = H5I_INVALID_HID, space = H5I_INVALID_HID;
    CHECK(H5Aexists(f->file, name) > 0, ERR_DATA, "%s: attribute %s is missing", f->path, name);
    TRY_H5_ID(attribute, H5Aopen(f->file, name, H5P_DEFAULT));
    TRY_H5_ID(space, H5Aget_space(attribute));
    CHECK(H5Sget_simple_extent_npoints(space) == 1, ERR_DATA,
          "%s: attribute %s: expected one number", f->path, name);
    CHECK(is_attribute_number(attribute), ERR_DATA,
          "%s: attribute %s: expected a number, received another type: write it as one", f->path,
          name);
    TRY_H5(H5Aread(attribute, H5T_NATIVE_DOUBLE, out));
cleanup:
    if (space >= 0) H5Sclose(space);
    if (attribute >= 0) H5Aclose(attribute);
    return rc;
}

bool fixture_has_attribute(const struct fixture *f, const char *name) {
    return H5Aexists(f->file, name) > 0;
}

/* h5py writes texts as pointers to their bytes, other programs often with a fixed length. */
static enum err_code read_text(char *out, size_t size, hid_t attribute, hid_t type,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    char *text = NULL;
    hid_t memory = H5I_INVALID_HID;
    TRY_H5_ID(memory, H5Tcopy(H5T_C_S1));
    TRY_H5(H5Tset_cset(memory, H5Tget_cset(type)));
    if (H5Tis_variable_str(type) > 0) {
        TRY_H5(H5Tset_size(memory, H5T_VARIABLE));
        TRY_H5(H5Aread(attribute, memory, &text));
        (void)snprintf(out, size, "%s", text ? text : "");
    } else {
        TRY_H5(H5Tset_size(memory, size));
        TRY_H5(H5Aread(attribute, memory, out));
        out[size - 1] = '\0';
    }
cleanup:
    if (text) H5free_memory(text);
    if (memory >= 0) H5Tclose(memory);
    return rc;
}

enum err_code fixture_text_attribute(char *out, size_t size, const struct fixture *f,
                                     const char *name, struct err *err) {
    enum err_code rc = ERR_OK;
    hid_t attribute = H5I_INVALID_HID, space = H5I_INVALID_HID, type = H5I_INVALID_HID;
    CHECK(H5Aexists(f->file, name) > 0, ERR_DATA, "%s: attribute %s is missing", f->path, name);
    TRY_H5_ID(attribute, H5Aopen(f->file, name, H5P_DEFAULT));
    TRY_H5_ID(space, H5Aget_space(attribute));
    TRY_H5_ID(type, H5Aget_type(attribute));
    CHECK(H5Sget_simple_extent_npoints(space) == 1 && H5Tget_class(type) == H5T_STRING, ERR_DATA,
          "%s: attribute %s: expected one text", f->path, name);
    TRY(read_text(out, size, attribute, type, err));
cleanup:
    if (type >= 0) H5Tclose(type);
    if (space >= 0) H5Sclose(space);
    if (attribute >= 0) H5Aclose(attribute);
    return rc;
}

struct visitor {
    enum err_code (*visit)(void *context, const char *name, struct err *err);
    void *context;
    struct err *err;
    enum err_code rc;
};

static herr_t visit_link(hid_t group, const char *name, const H5L_info_t *info, void *data) {
    (void)group, (void)info;
    struct visitor *v = data;
    v->rc = v->visit(v->context, name, v->err);
    return v->rc == ERR_OK ? 0 : 1; /* 1 ends the walk without being an HDF5 error */
}

enum err_code fixture_members(const struct fixture *f, const char *group,
                              enum err_code (*visit)(void *context, const char *name,
                                                     struct err *err),
                              void *context, struct err *err) {
    enum err_code rc = ERR_OK;
    struct visitor v = {.visit = visit, .context = context, .err = err, .rc = ERR_OK};
    hid_t id = H5I_INVALID_HID;
    TRY_H5_ID(id, H5Gopen2(f->file, group, H5P_DEFAULT));
    TRY_H5(H5Literate(id, H5_INDEX_NAME, H5_ITER_INC, NULL, visit_link, &v));
    rc = v.rc;
cleanup:
    if (id >= 0) H5Gclose(id);
    return rc;
}
