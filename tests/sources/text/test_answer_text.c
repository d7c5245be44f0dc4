/* Whether predicted tokens read as an answer: blanks at the ends do not count, all else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sources/text/answer_text.h"
#include "task_scene.h"
#include "twins/error_says.h"

static struct err err;

static size_t encode(int32_t *out, const char *text) {
    size_t n = 0;
    for (; text[n]; n++) out[n] = text[n] == '\n' ? 0 : text[n] - 31;
    return n;
}

static bool equal(const char *predicted, const char *answer) {
    char path[SCRATCH_PATH];
    struct tokenizer *t;
    int32_t a[16], b[16];
    bool out;
    scratch_path(path, &scratch, "tokenizer.json");
    SUCCEEDS(tokenizer_open(&t, path, &err));
    const size_t n = encode(a, predicted), m = encode(b, answer);
    SUCCEEDS(answer_text_equal(&out, t, a, n, b, m, &err));
    tokenizer_close(t);
    return out;
}

static void blanks_at_the_ends_do_not_count(void **state) {
    (void)state;
    assert_true(equal(" cold", " cold"));
    assert_true(equal("cold", " cold"));
    assert_true(equal("\n cold \n", " cold"));
    assert_true(equal(" ", "\n"));
}

static void all_else_does(void **state) {
    (void)state;
    assert_false(equal(" Cold", " cold"));
    assert_false(equal(" col", " cold"));
    assert_false(equal(" colds", " cold"));
    assert_false(equal(" co ld", " cold"));
    assert_false(equal(" ", " cold"));
}

static void an_unknown_token_is_no_answer(void **state) {
    (void)state;
    char path[SCRATCH_PATH];
    struct tokenizer *t;
    const int32_t a[] = {5000}, b[] = {1};
    bool out = true;
    scratch_path(path, &scratch, "tokenizer.json");
    SUCCEEDS(tokenizer_open(&t, path, &err));
    SUCCEEDS(answer_text_equal(&out, t, a, 1, b, 1, &err));
    assert_false(out);
    tokenizer_close(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blanks_at_the_ends_do_not_count),
        cmocka_unit_test(all_else_does),
        cmocka_unit_test(an_unknown_token_is_no_answer),
    };
    return cmocka_run_group_tests(tests, scene_begin, scratch_end);
}
