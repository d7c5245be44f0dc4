/* Files of reference numbers that cannot be read say why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <hdf5.h>

#include "store/fixture.h"
#include "twins/error_says.h"

enum { UNKNOWN_FILTER = 300 };

static struct err err;

/* A filter that changes nothing, but without which HDF5 refuses to read. */
static size_t pass_through(unsigned flags, size_t n, const unsigned values[], size_t bytes,
                           size_t *size, void **buffer) {
    (void)flags, (void)n, (void)values, (void)size, (void)buffer;
    return bytes;
}

static void write_filtered(const char *path) {
    const H5Z_class2_t filter = {.version = H5Z_CLASS_T_VERS,
                                 .id = UNKNOWN_FILTER,
                                 .encoder_present = 1,
                                 .decoder_present = 1,
                                 .name = "squeeze",
                                 .filter = pass_through};
    const hsize_t n = 4;
    const float numbers[4] = {1, 2, 3, 4};
    assert_true(H5Zregister(&filter) >= 0);
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT),
                space = H5Screate_simple(1, &n, NULL), list = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(H5Pset_chunk(list, 1, &n) >= 0);
    assert_true(H5Pset_filter(list, UNKNOWN_FILTER, H5Z_FLAG_MANDATORY, 0, NULL) >= 0);
    const hid_t set =
        H5Dcreate2(file, "x", H5T_NATIVE_FLOAT, space, H5P_DEFAULT, list, H5P_DEFAULT);
    assert_true(H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers) >= 0);
    (void)H5Dclose(set), (void)H5Pclose(list), (void)H5Sclose(space), (void)H5Fclose(file);
    assert_true(H5Zunregister(UNKNOWN_FILTER) >= 0);
}

static void a_filter_that_is_missing_is_named(void **state) {
    char path[] = "/tmp/test_fixture.XXXXXX";
    struct fixture *f = NULL;
    struct fixture_array array = {0};
    (void)state;
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    write_filtered(path);
    SUCCEEDS(fixture_open(&f, path, &err));
    ERROR_SAYS(fixture_floats(&array, f, "x", 1, &err), ERR_DATA,
               "the filter squeeze (number 300)");
    fixture_close(f);
    (void)unlink(path);
}

static void write_text(hid_t file, const char *name, const char *text, bool variable) {
    const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    assert_true(H5Tset_size(type, variable ? H5T_VARIABLE : strlen(text)) >= 0);
    assert_true(H5Tset_cset(type, variable ? H5T_CSET_UTF8 : H5T_CSET_ASCII) >= 0);
    const hid_t a = H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Awrite(a, type, variable ? (const void *)&text : text) >= 0);
    (void)H5Aclose(a), (void)H5Sclose(space), (void)H5Tclose(type);
}

static void texts_are_read_in_both_forms(void **state) {
    char path[] = "/tmp/test_fixture.XXXXXX", text[8];
    struct fixture *f = NULL;
    (void)state;
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    write_text(file, "variable", "as h5py", true);
    write_text(file, "fixed", "fixed", false);
    write_text(file, "long", "longer than the room", true);
    (void)H5Fclose(file);
    SUCCEEDS(fixture_open(&f, path, &err));
    SUCCEEDS(fixture_text_attribute(text, sizeof text, f, "variable", &err));
    assert_string_equal(text, "as h5py");
    SUCCEEDS(fixture_text_attribute(text, sizeof text, f, "fixed", &err));
    assert_string_equal(text, "fixed");
    SUCCEEDS(fixture_text_attribute(text, sizeof text, f, "long", &err));
    assert_string_equal(text, "longer ");
    ERROR_SAYS(fixture_text_attribute(text, sizeof text, f, "none", &err), ERR_DATA,
               "attribute none is missing");
    fixture_close(f);
    (void)unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_filter_that_is_missing_is_named),
                                       cmocka_unit_test(texts_are_read_in_both_forms)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
