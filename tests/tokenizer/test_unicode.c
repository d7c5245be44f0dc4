#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tokenizer/byte_level.h"
#include "tokenizer/unicode.h"
#include "twins/error_says.h"

static void decodes_to(const char *bytes, const char *text) {
    struct text out = {0};
    unicode_add_lossy(&out, bytes, strlen(bytes));
    assert_string_equal(text_str(&out), text);
    text_release(&out);
}

#define BAD "\xef\xbf\xbd"

/* Table 3-8 of the Unicode Standard (3.9), and the ends of ranges. */
static void invalid_bytes_become_one_replacement_each_longest_beginning(void **state) {
    (void)state;
    decodes_to("a\xc3\xa9z", "a\xc3\xa9z");
    decodes_to("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", BAD BAD BAD BAD BAD BAD BAD BAD "A");
    decodes_to("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", BAD BAD BAD BAD BAD BAD BAD BAD "A");
    decodes_to("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", BAD BAD BAD BAD BAD "A" BAD BAD "B");
    decodes_to("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", BAD BAD BAD BAD "A");
    decodes_to("\xf4\x8f\xbf\xbf\xf4\x90", "\xf4\x8f\xbf\xbf" BAD BAD);
    decodes_to("\xe6\x95", BAD);
}

static void first_invalid_byte_is_found(void **state) {
    (void)state;
    assert_int_equal(unicode_check("a\xc3\xa9z", 4), 4);
    assert_int_equal(unicode_check("a\xc3\xa9z", 2), 1);
    assert_int_equal(unicode_check("ab\xff", 3), 2);
    assert_int_equal(unicode_check("", 0), 0);
}

static void characters_are_read_from_both_ends(void **state) {
    (void)state;
    const uint32_t all[] = {0x41, 0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0x10000, 0x10ffff};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char bytes[5] = "x";
        size_t at = 1, start;
        const size_t n = unicode_write(bytes + 1, all[i]);
        assert_int_equal(unicode_next(bytes, &at), all[i]);
        assert_int_equal(at, n + 1);
        assert_int_equal(unicode_before(bytes, n + 1, &start), all[i]);
        assert_int_equal(start, 1);
    }
}

static void properties_are_those_of_the_standard(void **state) {
    (void)state;
    const uint32_t spaces[] = {9, 13, 32, 0x85, 0xa0, 0x1680, 0x2029, 0x3000};
    const uint32_t others[] = {0, 8, 0x1c, 0x180e, 0x200b, 0xfeff, 'a'};
    for (size_t i = 0; i < 8; i++) assert_true(unicode_is_space(spaces[i]));
    for (size_t i = 0; i < 7; i++) assert_false(unicode_is_space(others[i]));
    assert_true(unicode_is_word('_') && unicode_is_word(0x301) && unicode_is_word(0x660));
    assert_true(unicode_is_word(0x200d) && unicode_is_word(0x2160));
    assert_false(unicode_is_word('-') || unicode_is_word(' ') || unicode_is_word(0xbd));
}

static void normalises(enum unicode_form form, const char *text, const char *wanted) {
    struct err err;
    struct text out = {0};
    SUCCEEDS(unicode_normalize(&out, form, text, strlen(text), &err));
    assert_string_equal(text_str(&out), wanted);
    text_release(&out);
}

static void normal_forms(void **state) {
    (void)state;
    normalises(UNICODE_NFC, "e\xcc\x81", "\xc3\xa9");
    normalises(UNICODE_NFC, "\xe2\x84\xab", "\xc3\x85");                  /* Angstrom sign */
    normalises(UNICODE_NFC, "\xe1\x84\x80\xe1\x85\xa1", "\xea\xb0\x80");  /* Hangul */
    normalises(UNICODE_NFC, "a\xcc\x81\xcc\xa3", "\xe1\xba\xa1\xcc\x81"); /* order of marks */
    normalises(UNICODE_NFC, "\xe0\xa5\x98", "\xe0\xa4\x95\xe0\xa4\xbc");  /* exclusion */
    normalises(UNICODE_NFD, "\xc3\xa9", "e\xcc\x81");
    normalises(UNICODE_NFKC, "\xef\xac\x83", "ffi");
    normalises(UNICODE_NFKD, "\xc2\xbd",
               "1\xe2\x81\x84"
               "2");
    normalises(UNICODE_NFC, "plain", "plain");
}

static void every_byte_has_its_character(void **state) {
    (void)state;
    struct text characters = {0}, bytes = {0};
    char all[256];
    for (int i = 0; i < 256; i++) all[i] = (char)i;
    byte_level_add(&characters, all, sizeof all);
    assert_int_equal(unicode_check(characters.data, characters.size), characters.size);
    byte_level_add_bytes(&bytes, characters.data, characters.size);
    assert_int_equal(bytes.size, 256);
    assert_memory_equal(bytes.data, all, 256);
    text_clear(&characters);
    byte_level_add(&characters, " \n\xad\x7f", 4);
    assert_string_equal(text_str(&characters), "\xc4\xa0\xc4\x8a\xc5\x83\xc4\xa1");
    text_clear(&bytes);
    byte_level_add_bytes(&bytes, "\xc4\xa0 a", 4); /* a space stands for no byte */
    assert_string_equal(text_str(&bytes), "\xc4\xa0 a");
    text_release(&characters);
    text_release(&bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(invalid_bytes_become_one_replacement_each_longest_beginning),
        cmocka_unit_test(first_invalid_byte_is_found),
        cmocka_unit_test(characters_are_read_from_both_ends),
        cmocka_unit_test(properties_are_those_of_the_standard),
        cmocka_unit_test(normal_forms),
        cmocka_unit_test(every_byte_has_its_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
