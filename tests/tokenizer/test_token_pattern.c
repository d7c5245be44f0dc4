#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tokenizer/pieces.h"
#include "tokenizer/token_pattern.h"
#include "twins/error_says.h"

static void refused(const char *regex, const char *words) {
    struct err err;
    struct token_pattern *p = NULL;
    ERROR_SAYS(token_pattern_regex(&p, regex, "f.json: Split", &err), ERR_DATA, words);
    assert_non_null(strstr(err.msg, "f.json: Split: "));
    assert_null(p);
}

static void syntax_that_differs_is_refused_by_name(void **state) {
    (void)state;
    refused("a.b", "has '.' at byte 1");
    refused("^a", "'^'");
    refused("a$", "'$'");
    refused("\\w+", "'\\w'");
    refused("\\h", "'\\h'");
    refused("[a[b]]", "'['");
    refused("[a&&b]", "'&&'");
    refused("[[:alpha:]]", "'['");
    refused("[]a]", "']'");
    refused("[a", "''");
    refused("\\p{Han}", "'\\p{Han}'");
    refused("\\pL", "'\\pL'");
    refused("a{1,2}+", "'{1,2}+'");
    refused("a{,2}", "'{'");
    refused("(?m:a)", "'(?m'");
    refused("(*UTF)a", "'(*'");
    refused("a\\", "'\\'");
    refused("(a", "is not valid: ");
    refused("a*", "can match an empty text");
    refused("|a", "can match an empty text");
}

/* The pieces of a text cut by a pattern, between bars. */
static void cut(const char *regex, enum pieces_behavior behavior, bool invert, const char *text,
                const char *wanted) {
    struct err err;
    struct token_pattern *p = NULL;
    struct pieces in = {0}, out = {0};
    struct text line = {0};
    SUCCEEDS(token_pattern_regex(&p, regex, "t", &err));
    pieces_add(&in, text, strlen(text), -1, true);
    SUCCEEDS(pieces_split(&out, &in, 0, p, behavior, invert, &err));
    for (size_t i = 0; i < out.n; i++)
        text_add(&line, "%s%.*s", i ? "|" : "", (int)out.list[i].size, pieces_bytes(&out, i));
    assert_string_equal(text_str(&line), wanted);
    text_release(&line);
    pieces_release(&in);
    pieces_release(&out);
    token_pattern_free(p);
}

static void behaviours_of_split(void **state) {
    (void)state;
    cut("-", PIECES_ISOLATED, false, "the-final--countdown", "the|-|final|-|-|countdown");
    cut("-", PIECES_REMOVED, false, "the-final--countdown", "the|final|countdown");
    cut("-", PIECES_MERGED_WITH_PREVIOUS, false, "the-final--countdown", "the-|final-|-|countdown");
    cut("-", PIECES_MERGED_WITH_NEXT, false, "the-final--countdown", "the|-final|-|-countdown");
    cut("-", PIECES_CONTIGUOUS, false, "the-final--countdown", "the|-|final|--|countdown");
    cut("[a-z]+", PIECES_REMOVED, true, "the-final--countdown", "the|final|countdown");
    cut("-", PIECES_MERGED_WITH_NEXT, false, "--a-", "-|-a|-");
    cut("-", PIECES_MERGED_WITH_PREVIOUS, false, "-a", "-|a");
}

/* U+180E and U+200B are no white space, U+0085 and U+3000 are. */
static void classes_of_characters(void **state) {
    (void)state;
    cut("\\s+", PIECES_REMOVED, false,
        "a\xc2\x85"
        "b\xe3\x80\x80"
        "c\xe1\xa0\x8e"
        "d\xe2\x80\x8b"
        "e",
        "a|b|c\xe1\xa0\x8e"
        "d\xe2\x80\x8b"
        "e");
    cut("[^\\S\\n]", PIECES_ISOLATED, false, "a b\nc\td", "a| |b\nc|\t|d");
    cut("\\S", PIECES_ISOLATED, false, "ab \n", "a|b| \n");
    cut("\\p{N}", PIECES_ISOLATED, false, "x1\xd9\xa0\xe2\x85\xa0y", "x|1|\xd9\xa0|\xe2\x85\xa0|y");
    cut("\\d+|\\D", PIECES_ISOLATED, false, "12a\xc2\xbd", "12|a|\xc2\xbd");
    cut("(?i:'s)", PIECES_ISOLATED, false, "a'S'\xc5\xbf's", "a|'S|'\xc5\xbf|'s");
    cut("\\p{N}{1,3}", PIECES_ISOLATED, false, "12345", "123|45");
}

/* Matching a long run takes neither a deep stack nor quadratic time. */
static void long_runs(void **state) {
    (void)state;
    enum { SIZE = 1000000 };
    static char text[SIZE + 1];
    struct err err;
    struct token_pattern *p = NULL;
    struct pieces in = {0}, out = {0};
    memset(text, ' ', SIZE);
    text[SIZE - 1] = 'a';
    SUCCEEDS(token_pattern_regex(&p, " ?\\p{L}+|(?: | \\n)+(?!\\S)|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
                                 "t", &err));
    pieces_add(&in, text, SIZE, -1, true);
    SUCCEEDS(pieces_split(&out, &in, 0, p, PIECES_ISOLATED, false, &err));
    assert_int_equal(out.n, 2);
    assert_int_equal(out.list[0].size, SIZE - 2);
    pieces_release(&in);
    pieces_release(&out);
    token_pattern_free(p);
}

static void literals_are_replaced(void **state) {
    (void)state;
    struct err err;
    struct token_pattern *p = NULL;
    struct text out = {0};
    SUCCEEDS(token_pattern_literal(&p, "..", "t", &err));
    SUCCEEDS(token_pattern_replace(&out, p, "+", "a...b..", 7, &err));
    assert_string_equal(text_str(&out), "a+.b+");
    text_release(&out);
    token_pattern_free(p);
    p = NULL;
    ERROR_SAYS(token_pattern_literal(&p, "", "t", &err), ERR_DATA, "t: the pattern is an empty");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syntax_that_differs_is_refused_by_name),
        cmocka_unit_test(behaviours_of_split),
        cmocka_unit_test(classes_of_characters),
        cmocka_unit_test(long_runs),
        cmocka_unit_test(literals_are_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
