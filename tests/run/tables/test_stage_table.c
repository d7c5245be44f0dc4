#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/plan_case.h"
#include "run/tables/stage_table.h"
#include "stages/pretrain_rows.h"

enum { COLUMNS = 12, CELLS_OF_OLD = 2 };

static struct job_value integer(int64_t x) { return (struct job_value){JOB_INT, {.integer = x}}; }
static struct job_value real(double x) { return (struct job_value){JOB_REAL, {.real = x}}; }

/* One job with these rows, as the journal would give them. */
static void collect(struct stage_table *t, struct plan_case *c, struct history_row *rows,
                    size_t n) {
    plan_case_must_open(c, PLAN_CASE_TOP "stages = ( " PLAN_CASE_PRETRAIN " );\n", NULL);
    const struct history_job past = {.rows = rows, .n_rows = n};
    struct run_state_job job = {.past = &past};
    const struct run_state r = {.plan = c->plan, .jobs = &job};
    assert_int_equal(stage_table_collect(t, &r, 0, NULL), ERR_OK);
}

static void rows_of_older_folders_lack_cells(void **state) {
    (void)state;
    struct plan_case plan; /* labels of jobs are its own */
    struct stage_table t;
    struct text note = {0};
    struct job_value whole[COLUMNS] = {integer(1), real(3),    real(0.5), real(1e-3),
                                       integer(2), integer(6), real(4),   real(0.75),
                                       real(0.5),  real(0.5),  real(0.5), real(0.5)};
    struct job_value other[COLUMNS] = {integer(3), real(3),    real(0.5), real(1e-3),
                                       real(2.0),  integer(6), real(4),   real(0.75),
                                       real(0.5),  real(0.5),  real(0.5), real(0.5)};
    struct history_row rows[] = {{.number = 0, .cells = whole, .n = COLUMNS},
                                 {.number = 1, .cells = whole, .n = CELLS_OF_OLD},
                                 {.number = 2, .cells = other, .n = COLUMNS}};
    assert_int_equal(pretrain_row_columns.n, COLUMNS);
    collect(&t, &plan, rows, 3);
    assert_int_equal(t.n, 3);
    assert_int_equal(t.columns.n, COLUMNS + 1);
    assert_int_equal(t.n_incomplete, 2);
    const struct job_value *old = t.cells + t.columns.n, *wrong = old + t.columns.n;
    assert_true(old[0].as.integer == 1 && old[1].as.real == 3);
    assert_true(isnan(old[2].as.real) && old[4].type == JOB_REAL && isnan(old[4].as.real));
    assert_true(t.cells[4].as.real == 2); /* the integers of the other rows */
    for (size_t c = 0; c < COLUMNS; c++) {
        assert_int_equal(old[c].type, t.columns.list[c].type);
        assert_int_equal(stage_table_is_missing(&old[c]), c >= CELLS_OF_OLD);
        assert_int_equal(stage_table_is_missing(&wrong[c]), c == 4); /* dims: of another type */
    }
    assert_string_equal(old[COLUMNS].as.text, "pretrain[0]");
    stage_table_note(&note, &t);
    assert_string_equal(
        text_str(&note),
        "2 of 3 rows without some cells: an older program wrote them, before the table had all of "
        "these columns with their present types\n");
    text_release(&note);
    stage_table_release(&t);
    plan_case_close(&plan);
}

static void whole_rows_need_no_note(void **state) {
    (void)state;
    struct plan_case plan; /* labels of jobs are its own */
    struct stage_table t;
    struct text note = {0};
    struct job_value whole[COLUMNS] = {integer(1), real(3),    real(0.5), real(1e-3),
                                       integer(2), integer(6), real(4),   real(0.75),
                                       real(0.5),  real(0.5),  real(0.5), real(0.5)};
    struct history_row row = {.cells = whole, .n = COLUMNS};
    collect(&t, &plan, &row, 1);
    assert_int_equal(t.n_incomplete, 0);
    stage_table_note(&note, &t);
    assert_string_equal(text_str(&note), "");
    stage_table_release(&t);
    plan_case_close(&plan);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_older_folders_lack_cells),
        cmocka_unit_test(whole_rows_need_no_note),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
