#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "twins/error_says.h"
#include "json/json.h"

static struct json parsed(const char *text) {
    struct err err;
    struct json root = {0};
    SUCCEEDS(json_parse(&root, text, strlen(text), "t.json", &err));
    return root;
}

static void refused(const char *text, const char *words) {
    struct err err;
    struct json root = {0};
    ERROR_SAYS(json_parse(&root, text, strlen(text), "t.json", &err), ERR_DATA, words);
    assert_non_null(strstr(err.msg, "t.json: line "));
    assert_null(root.node);
}

static void values_of_each_kind(void **state) {
    (void)state;
    struct err err;
    struct json root = parsed(" {\"i\": -9007199254740993, \"r\": 1e-3, \"t\": \"\\u00e9\\n\", "
                              "\"b\": true, \"n\": null, \"a\": [1, [2]], \"o\": {}}\n");
    const char *text = NULL;
    int64_t whole = 0;
    double real = 0;
    SUCCEEDS(json_read_int(&whole, json_member(root, "i"), "i", &err));
    assert_true(whole == -INT64_C(9007199254740993));
    SUCCEEDS(json_read_number(&real, json_member(root, "r"), "r", &err));
    assert_true(real == 1e-3);
    SUCCEEDS(json_read_number(&real, json_item(json_member(root, "a"), 0), "a", &err));
    assert_true(real == 1);
    SUCCEEDS(json_read_text(&text, json_member(root, "t"), "t", &err));
    assert_string_equal(text, "\xc3\xa9\n");
    assert_int_equal(json_kind(json_member(root, "b")), JSON_KIND_BOOL);
    assert_int_equal(json_kind(json_member(root, "n")), JSON_KIND_NULL);
    assert_int_equal(json_kind(json_member(root, "none")), JSON_KIND_ABSENT);
    assert_int_equal(json_kind(json_item(root, 0)), JSON_KIND_ABSENT);
    assert_int_equal(json_count(json_member(root, "a")), 2);
    assert_int_equal(json_count(root), 7);
    assert_int_equal(json_count(json_member(root, "t")), 0);
    json_release(&root);
    json_release(&root);
}

static void texts_with_nul(void **state) {
    (void)state;
    struct err err;
    struct json root = {0};
    const char *text = NULL;
    size_t size = 0;
    static const char json[] = "[\"a\\u0000b\"]";
    refused(json, "\\u0000 is not allowed");
    refused(json, "remove the character 0 from this text");
    SUCCEEDS(json_parse_any_text(&root, json, sizeof json - 1, "t.json", &err));
    SUCCEEDS(json_read_sized(&text, &size, json_item(root, 0), "t", &err));
    assert_int_equal(size, 3);
    assert_memory_equal(text, "a\0b", 3);
    ERROR_SAYS(json_read_sized(&text, &size, root, "t", &err), ERR_DATA, "expected a text");
    json_release(&root);
}

static void members_in_the_order_of_the_text(void **state) {
    (void)state;
    struct json root = parsed("{\"z\": 1, \"a\": 2, \"m\": 3}");
    char seen[8] = "";
    for (struct json_walk w = {.object = root}; json_next(&w);) strcat(seen, w.key);
    assert_string_equal(seen, "zam");
    json_release(&root);
}

static void wrong_types_name_place_and_value(void **state) {
    (void)state;
    struct err err;
    struct json root = parsed("{\"s\": \"a\\nb\", \"r\": 2.5, \"i\": 7, \"o\": {}}");
    const char *text;
    int64_t whole;
    double real;
    ERROR_SAYS(json_read_int(&whole, json_member(root, "s"), "p", &err), ERR_DATA,
               "p: expected an integer, received \"a?b\"");
    ERROR_SAYS(json_read_int(&whole, json_member(root, "r"), "p", &err), ERR_DATA,
               "p: expected an integer, received 2.5");
    ERROR_SAYS(json_read_text(&text, json_member(root, "i"), "p", &err), ERR_DATA,
               "p: expected a text, received 7");
    ERROR_SAYS(json_read_number(&real, json_member(root, "o"), "p", &err), ERR_DATA,
               "p: expected a number, received an object");
    ERROR_SAYS(json_read_text(&text, json_member(root, "x"), "p", &err), ERR_DATA,
               "p: expected a text, received nothing");
    json_release(&root);
}

static void bad_texts_are_refused(void **state) {
    (void)state;
    refused("", "byte 0");
    refused("{\"a\": 1, \"a\": 2}", "duplicate");
    refused("{\"a\": 1} x", "end of file expected");
    refused("{\"a\": 1}{", "end of file expected");
    refused("{\"a\": 1,}", "string or '}' expected");
    refused("{\"a\":\n  01}", "line 2");
    refused("{\"a\": 99999999999999999999}", "too big integer");
    refused("{\"a\": 1e999}", "real number overflow");
    refused("{\"a\": NaN}", "invalid token");
    refused("{\"a\": \"\xff\"}", "unable to decode byte 0xff");
    refused("{\"a\": \"\xff\"}", "save the file as UTF-8");
    refused("\xef\xbb\xbf{}", "a byte order mark: save the file as UTF-8 without one");
    refused("{\"a\": \"\\u0000\"}", "\\u0000");
    refused("{\"a\": \"x", "premature end of input");
    refused("{\"a\": \"x\ny\"}", "unexpected newline");
    refused("[1, \x01]", "invalid token");
}

static void a_nul_byte_is_refused(void **state) {
    (void)state;
    struct err err;
    struct json root = {0};
    ERROR_SAYS(json_parse(&root, "[1]\0", 4, "t.json", &err), ERR_DATA, "end of file expected");
}

static void nesting_is_bounded(void **state) {
    (void)state;
    char text[2 * JSON_DEPTH_MAX + 8];
    struct json root;
    memset(text, '[', JSON_DEPTH_MAX);
    memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    text[2 * JSON_DEPTH_MAX] = '\0';
    root = parsed(text);
    json_release(&root);
    memset(text, '[', JSON_DEPTH_MAX + 1);
    refused(text, "byte 64: nested deeper than 64 levels");
    root = parsed("\"[[[[\\\"[[[\""); /* brackets in a string do not nest */
    json_release(&root);
    char *many = malloc(1 << 20);
    memset(many, '{', 1 << 20);
    many[(1 << 20) - 1] = '\0';
    refused(many, "nested deeper");
    free(many);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_each_kind),
        cmocka_unit_test(texts_with_nul),
        cmocka_unit_test(members_in_the_order_of_the_text),
        cmocka_unit_test(wrong_types_name_place_and_value),
        cmocka_unit_test(bad_texts_are_refused),
        cmocka_unit_test(a_nul_byte_is_refused),
        cmocka_unit_test(nesting_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
