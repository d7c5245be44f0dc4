#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "base/file.h"
#include "store/fixture.h"
#include "store/results.h"

static const struct job_column LIST[] = {
    {"method", JOB_TEXT, "", "how the vector is made"},
    {"k", JOB_INT, "examples", "examples seen"},
    {"mse", JOB_REAL, "", "mean squared error"},
};
static const struct job_columns COLUMNS = {LIST, 3};

static void folder(char out[64]) {
    (void)snprintf(out, 64, "/tmp/taskvec-results-XXXXXX");
    assert_non_null(mkdtemp(out));
}

static void write_file(const char *path, size_t rows) {
    struct results *r = NULL;
    struct err err = {0};
    const struct job_value cells[] = {
        {JOB_TEXT, {.text = "ltv"}},      {JOB_INT, {.integer = 3}},  {JOB_REAL, {.real = 0.5}},
        {JOB_TEXT, {.text = "constant"}}, {JOB_INT, {.integer = -4}}, {JOB_REAL, {.real = nan("")}},
    };
    assert_int_equal(results_create(&r, path, &err), ERR_OK);
    assert_int_equal(results_table(r, "/tables/evaluate", &COLUMNS, cells, rows, &err), ERR_OK);
    assert_int_equal(results_text(r, "/config", "seed = 1;\n", &err), ERR_OK);
    assert_int_equal(results_text(r, "/provenance/empty", "", &err), ERR_OK);
    assert_int_equal(results_publish(r, &err), ERR_OK);
}

static void published_file_holds_what_was_written(void **state) {
    (void)state;
    char dir[64], path[128];
    struct fixture *f = NULL;
    struct err err = {0};
    folder(dir);
    (void)snprintf(path, sizeof path, "%s/results.h5", dir);
    for (size_t rows = 0; rows <= 2; rows++) { /* again and again over the old file */
        write_file(path, rows);
        assert_int_equal(fixture_open(&f, path, &err), ERR_OK);
        assert_true(fixture_has(f, "tables/evaluate"));
        assert_true(fixture_has(f, "config"));
        assert_true(fixture_has(f, "provenance/empty"));
        fixture_close(f);
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0); /* nothing else was left */
}

static void discarded_file_leaves_nothing(void **state) {
    (void)state;
    char dir[64], path[128];
    struct results *r = NULL;
    struct err err = {0};
    folder(dir);
    (void)snprintf(path, sizeof path, "%s/results.h5", dir);
    assert_int_equal(results_create(&r, path, &err), ERR_OK);
    results_discard(r);
    assert_false(file_exists(path));
    assert_int_equal(rmdir(dir), 0);
}

static void errors_name_the_file_and_the_reason(void **state) {
    (void)state;
    struct results *r = NULL;
    struct err err = {0};
    assert_int_not_equal(results_create(&r, "/nonexistent/folder/results.h5", &err), ERR_OK);
    assert_null(r);
    assert_int_equal(err.code, ERR_IO);
    char dir[64], path[128];
    folder(dir);
    (void)snprintf(path, sizeof path, "%s/results.h5", dir);
    assert_int_equal(results_create(&r, path, &err), ERR_OK);
    assert_int_equal(results_text(r, "/config", "a", &err), ERR_OK);
    assert_int_equal(results_text(r, "/config", "b", &err), ERR_IO); /* twice the same name */
    assert_non_null(strstr(err.msg, "H5Dcreate2"));
    results_discard(r);
    assert_int_equal(rmdir(dir), 0);
}

static void library_is_named(void **state) {
    (void)state;
    struct text t = {0};
    results_library(&t);
    assert_non_null(strstr(text_str(&t), "HDF5 1."));
    text_release(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_file_holds_what_was_written),
        cmocka_unit_test(discarded_file_leaves_nothing),
        cmocka_unit_test(errors_name_the_file_and_the_reason),
        cmocka_unit_test(library_is_named),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
