#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "twins/error_says.h"
#include "json/json_writer.h"

static void commas_levels_and_escapes(void **state) {
    (void)state;
    struct err err;
    struct text out = {0};
    struct json_writer w = json_writer_begin(&out);
    json_write_object(&w);
    json_write_key(&w, "a\"b"), json_write_array(&w);
    json_write_int(&w, INT64_MIN), json_write_bool(&w, true), json_write_null(&w);
    json_write_array(&w), json_write_close(&w);
    json_write_close(&w);
    json_write_key(&w, "t"), json_write_text(&w, "\x01\n\\/\xc3\xa9");
    json_write_key(&w, "n"), json_write_sized(&w, "a\0b", 3);
    json_write_key(&w, "o"), json_write_object(&w), json_write_close(&w);
    json_write_close(&w);
    SUCCEEDS(json_writer_end(&w, &err));
    assert_string_equal(text_str(&out),
                        "{\"a\\\"b\":[-9223372036854775808,true,null,[]],"
                        "\"t\":\"\\u0001\\n\\\\/\xc3\xa9\",\"n\":\"a\\u0000b\",\"o\":{}}");
    text_release(&out);
}

static void written(const char *expected, double value) {
    struct err err;
    struct text out = {0};
    struct json_writer w = json_writer_begin(&out);
    json_write_number(&w, value);
    SUCCEEDS(json_writer_end(&w, &err));
    assert_string_equal(text_str(&out), expected);
    text_release(&out);
}

static void numbers_are_short_and_exact(void **state) {
    (void)state;
    written("0.1", 0.1);
    written("0.30000000000000004", 0.1 + 0.2);
    written("1.0", 1);
    written("-0.0", -0.0);
    written("null", (double)NAN);
    written("null", -HUGE_VAL);
}

static void numbers_read_back_to_the_same_bits(void **state) {
    (void)state;
    static const double values[] = {1.0 / 3, 5e-324, 1.7976931348623157e308, 123456789.125, 1e22};
    struct err err;
    struct text out = {0};
    struct json_writer w = json_writer_begin(&out);
    struct json root = {0};
    enum { N = sizeof values / sizeof *values };
    json_write_array(&w);
    for (int i = 0; i < N; i++) json_write_number(&w, values[i]);
    json_write_close(&w);
    SUCCEEDS(json_writer_end(&w, &err));
    SUCCEEDS(json_parse(&root, out.data, out.size, "t", &err));
    for (size_t i = 0; i < N; i++) {
        double back = 0;
        SUCCEEDS(json_read_number(&back, json_item(root, i), "t", &err));
        assert_memory_equal(&back, &values[i], sizeof back);
    }
    json_release(&root);
    text_release(&out);
}

static void bytes_that_are_not_utf8_may_become_question_marks(void **state) {
    (void)state;
    struct text out = {0};
    struct err err = {.msg = ""};
    struct json_writer w = json_writer_begin(&out);
    json_write_array(&w);
    json_write_bytes(&w, "caf\xc3\xa9");
    json_write_bytes(&w, "caf\xc3\xa9 caf\xe9");
    json_write_close(&w);
    assert_int_equal(json_writer_end(&w, &err), ERR_OK);
    assert_string_equal(text_str(&out), "[\"caf\xc3\xa9\",\"caf?? caf?\"]");
    text_release(&out);
}

static void bytes_that_are_not_utf8_fail_at_the_end(void **state) {
    (void)state;
    struct err err;
    struct text out = {0};
    struct json_writer w = json_writer_begin(&out);
    json_write_array(&w);
    json_write_text(&w, "\xff");
    json_write_int(&w, 1);
    json_write_close(&w);
    ERROR_SAYS(json_writer_end(&w, &err), ERR_DATA, "not valid UTF-8");
    text_release(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_levels_and_escapes),
        cmocka_unit_test(numbers_are_short_and_exact),
        cmocka_unit_test(numbers_read_back_to_the_same_bits),
        cmocka_unit_test(bytes_that_are_not_utf8_fail_at_the_end),
        cmocka_unit_test(bytes_that_are_not_utf8_may_become_question_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
