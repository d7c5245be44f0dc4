#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/tables/table_format.h"

static void fill(struct text_table *t) {
    static const char *const cells[] = {"method", "mse", "ltv, \"a\"", "0.1 ±0.2",
                                        "b_1|c",  "-",   "zero",       "-3"};
    assert_int_equal(text_table_init(t, 2, NULL), ERR_OK);
    text_table_align_right(t, 1);
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        if (i == 2) text_table_title(t, false, "fitted");
        if (i == 4) text_table_title(t, false, "controls");
        text_table_cell(t, "%s", cells[i]);
    }
}

static void check(enum table_format format, const char *want) {
    struct text_table t;
    struct text out = {0};
    struct table_output o = {.out = &out, .format = format, .width = SIZE_MAX};
    fill(&t);
    if (format == TABLE_JSON) o.json = json_writer_begin(&out);
    assert_int_equal(table_output_put(&o, NULL, &t, NULL), ERR_OK);
    assert_string_equal(text_str(&out), want);
    text_release(&out);
    text_table_release(&t);
}

static void csv_is_rfc_4180(void **state) {
    (void)state;
    check(TABLE_CSV, "method,mse\r\n\"ltv, \"\"a\"\"\",0.1 ±0.2\r\nb_1|c,-\r\nzero,-3\r\n");
}

static void markdown_escapes_bars(void **state) {
    (void)state;
    check(TABLE_MARKDOWN, "| method | mse |\n| --- | ---: |\n"
                          "| **fitted** | |\n| ltv, \"a\" | 0.1 ±0.2 |\n"
                          "| **controls** | |\n| b_1\\|c | - |\n| zero | -3 |\n");
}

static void latex_escapes_what_tex_reads_as_commands(void **state) {
    (void)state;
    check(TABLE_LATEX, "% \\usepackage{booktabs}\n\\begin{tabular}{lr}\n\\toprule\n"
                       "method & mse \\\\\n\\midrule\n"
                       "\\multicolumn{2}{l}{\\emph{fitted}} \\\\\n"
                       "ltv, \"a\" & 0.1 $\\pm$ 0.2 \\\\\n\\addlinespace\n"
                       "\\multicolumn{2}{l}{\\emph{controls}} \\\\\n"
                       "b\\_1|c & - \\\\\nzero & $-$3 \\\\\n\\bottomrule\n\\end{tabular}\n");
}

static void json_has_numbers_or_null_in_columns_of_numbers(void **state) {
    (void)state;
    check(TABLE_JSON, "[{\"method\":\"ltv, \\\"a\\\"\",\"mse\":null},"
                      "{\"method\":\"b_1|c\",\"mse\":null},"
                      "{\"method\":\"zero\",\"mse\":-3}]");
}

static void formats_are_named(void **state) {
    (void)state;
    enum table_format f;
    struct err err = {0};
    assert_int_equal(table_format_read(&f, "latex", &err), ERR_OK);
    assert_int_equal(f, TABLE_LATEX);
    assert_true(table_format_is_for_programs(TABLE_CSV) && !table_format_is_for_programs(f));
    assert_int_equal(table_format_read(&f, "pdf", &err), ERR_USAGE);
    assert_string_equal(err.msg, "--format pdf: unknown; use text, csv, markdown, latex or json");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_is_rfc_4180),
        cmocka_unit_test(markdown_escapes_bars),
        cmocka_unit_test(latex_escapes_what_tex_reads_as_commands),
        cmocka_unit_test(json_has_numbers_or_null_in_columns_of_numbers),
        cmocka_unit_test(formats_are_named),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
