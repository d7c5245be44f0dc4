#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "job/job.h"
#include "twins/error_says.h"
#include "twins/host_twin.h"

#define SAMPLE_ROW(X)                                                                              \
    X(TEXT, method, "", "how the vector is made")                                                  \
    X(INT, k, "examples", "examples seen")                                                         \
    X(REAL, mse, "", "mean squared error")
ROW_DECLARE(sample_row, SAMPLE_ROW);
ROW_DEFINE(sample_row, SAMPLE_ROW);

static struct err err;

static enum err_code write_sample(struct job_ctx *ctx, void *context, struct err *e) {
    const struct sample_row *row = context;
    return sample_row_write(ctx, 2, row, e);
}

static void a_struct_becomes_the_cells_of_a_row(void **state) {
    (void)state;
    struct sample_row row = {.mse = 0.5, .method = "ltv", .k = -4};
    struct host_twin *h = host_twin_create(1);
    size_t n;
    host_twin_ctx(h, 0)->columns = &sample_row_columns;
    assert_int_equal(host_twin_run(h, write_sample, &row, &err), ERR_OK);
    assert_int_equal(host_twin_rows(h), 3);
    const struct job_value *cells = host_twin_row(h, 2, &n);
    assert_int_equal(n, 3);
    assert_true(cells[0].type == JOB_TEXT && strcmp(cells[0].as.text, "ltv") == 0);
    assert_true(cells[1].type == JOB_INT && cells[1].as.integer == -4);
    assert_true(cells[2].type == JOB_REAL && cells[2].as.real == 0.5);
    host_twin_destroy(h);
}

static void columns_are_those_of_the_list(void **state) {
    (void)state;
    assert_int_equal(sample_row_columns.n, 3);
    const struct job_column *k = &sample_row_columns.list[1];
    assert_string_equal(k->name, "k");
    assert_int_equal(k->type, JOB_INT);
    assert_string_equal(k->unit, "examples");
    assert_string_equal(k->meaning, "examples seen");
}

static enum err_code write_cells(struct job_ctx *ctx, void *context, struct err *e) {
    const size_t *n = context;
    const struct job_value cells[] = {
        {JOB_TEXT, {.text = "ltv"}}, {JOB_REAL, {.real = 3}}, {JOB_REAL, {.real = 0.5}}};
    return job_row(ctx, 0, cells, *n, e);
}

/* Of whatever host: nothing reaches it. */
static void a_row_of_other_cells_is_refused(void **state) {
    (void)state;
    struct host_twin *h = host_twin_create(1);
    struct sample_row unset = {.k = 3};
    size_t n = 2;
    host_twin_ctx(h, 0)->columns = &sample_row_columns;
    ERROR_SAYS(host_twin_run(h, write_cells, &n, &err), ERR_BUG,
               "a row of 2 cells for a table of 3 columns");
    n = 3;
    ERROR_SAYS(host_twin_run(h, write_cells, &n, &err), ERR_BUG,
               "column k of a row: expected INT, got REAL");
    ERROR_SAYS(host_twin_run(h, write_sample, &unset, &err), ERR_BUG,
               "column method of a row: no text was given");
    assert_int_equal(err_exit_code(ERR_BUG), 70);
    assert_int_equal(host_twin_rows(h), 0);
    host_twin_destroy(h);
}

static void cells_are_found_by_name(void **state) {
    (void)state;
    const struct job_value cells[] = {{JOB_TEXT, {.text = "ltv"}}, {JOB_REAL, {.real = 3}}};
    const struct job_columns *columns = &sample_row_columns;
    assert_ptr_equal(row_find_cell(columns, cells, 2, "method"), &cells[0]);
    assert_null(row_find_cell(columns, cells, 2, "k"));   /* of another type */
    assert_null(row_find_cell(columns, cells, 2, "mse")); /* a shorter row */
    assert_null(row_find_cell(columns, cells, 2, "nothing"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_struct_becomes_the_cells_of_a_row),
        cmocka_unit_test(columns_are_those_of_the_list),
        cmocka_unit_test(a_row_of_other_cells_is_refused),
        cmocka_unit_test(cells_are_found_by_name),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
