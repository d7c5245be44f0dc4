#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/tables/table_format.h"

/* A table of the columns `method` and `name` with one row. */
static void print_block(struct table_output *o, const char *run, const char *name,
                        const char *number) {
    struct text_table t;
    assert_int_equal(text_table_init(&t, 2, NULL), ERR_OK);
    text_table_align_right(&t, 1);
    text_table_cell(&t, "method"), text_table_cell(&t, "%s", name);
    text_table_cell(&t, "ltv"), text_table_cell(&t, "%s", number);
    o->run = run, o->stage = "evaluate";
    assert_int_equal(table_output_put(o, NULL, &t, NULL), ERR_OK);
    text_table_release(&t);
}

static void check(enum table_format format, const char *want) {
    struct text out = {0};
    struct table_blocks blocks = {0};
    struct table_output o = {.out = &out, .format = format, .width = SIZE_MAX, .blocks = &blocks};
    print_block(&o, "a", "k_40", "1.5");
    print_block(&o, "b", "k_20", "2");
    assert_string_equal(text_str(&out), "");
    assert_int_equal(table_output_end(&o, NULL), ERR_OK);
    assert_string_equal(text_str(&out), want);
    table_blocks_release(&blocks);
    text_release(&out);
}

static void csv_has_one_header_with_all_columns(void **state) {
    (void)state;
    check(TABLE_CSV, "method,k_40,k_20,run,stage\r\nltv,1.5,,a,evaluate\r\nltv,,2,b,evaluate\r\n");
}

static void json_is_one_list_of_rows(void **state) {
    (void)state;
    check(TABLE_JSON, "[{\"method\":\"ltv\",\"k_40\":1.5,\"k_20\":null,"
                      "\"run\":\"a\",\"stage\":\"evaluate\"},"
                      "{\"method\":\"ltv\",\"k_40\":null,\"k_20\":2,"
                      "\"run\":\"b\",\"stage\":\"evaluate\"}]\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_has_one_header_with_all_columns),
        cmocka_unit_test(json_is_one_list_of_rows),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
