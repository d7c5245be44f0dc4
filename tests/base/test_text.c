#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/text.h"
#include "twins/error_says.h"

static void grows_piece_by_piece(void **state) {
    (void)state;
    struct err err;
    struct text t = {0};
    assert_string_equal(text_str(&t), "");
    for (int i = 0; i < 1000; i++) text_add(&t, "%d,", i);
    text_bytes(&t, "a\0b", 3);
    SUCCEEDS(text_check(&t, &err));
    assert_int_equal(t.size, 10 * 2 + 90 * 3 + 900 * 4 + 3);
    assert_memory_equal(t.data, "0,1,2,3,", 8);
    assert_memory_equal(t.data + t.size - 7, "999,a\0b", 8); /* and the NUL */
    text_clear(&t);
    assert_string_equal(text_str(&t), "");
    text_add(&t, "%s", "again");
    assert_string_equal(text_str(&t), "again");
    text_release(&t);
    text_release(&t);
    assert_null(t.data);
}

static void integers_are_as_printed(void **state) {
    (void)state;
    const int64_t values[] = {0, 7, -1, 10, -10, 99999, INT64_MAX, INT64_MIN, INT64_MIN + 1};
    struct text t = {0}, want = {0};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        text_integer(&t, values[i]);
        text_add(&want, "%lld", (long long)values[i]);
        assert_string_equal(text_str(&t), text_str(&want));
    }
    text_release(&t);
    text_release(&want);
}

static void no_memory_is_remembered(void **state) {
    (void)state;
#ifndef __SANITIZE_ADDRESS__ /* which ends the program where malloc would return NULL */
    struct err err;
    struct text t = {0};
    text_add(&t, "kept");
    text_bytes(&t, "", (size_t)1 << 60);
    text_add(&t, "lost");
    ERROR_SAYS(text_check(&t, &err), ERR_MEMORY, "cannot grow a text beyond 4 bytes");
    assert_string_equal(text_str(&t), "kept");
    text_release(&t);
#endif
}

static void copies_are_their_own(void **state) {
    (void)state;
    char original[] = "abc";
    char *copy = text_copy(original);
    original[0] = 'x';
    assert_string_equal(copy, "abc");
    free(copy);
}

static void nearest_is_what_was_meant(void **state) {
    (void)state;
    static const char *const keys[] = {"points", "patience", "optimiser.lr", "batch", "epochs"};
    enum { N = sizeof keys / sizeof *keys };
    char long_word[200];
    memset(long_word, 'p', sizeof long_word - 1);
    long_word[sizeof long_word - 1] = '\0';
    assert_string_equal(text_nearest("pionts", keys, N), "points");
    assert_string_equal(text_nearest("point", keys, N), "points");
    assert_string_equal(text_nearest("optimizer.lr", keys, N), "optimiser.lr");
    assert_string_equal(text_nearest("bach", keys, N), "batch");
    assert_string_equal(text_nearest("batch", keys, N), "batch");
    assert_string_equal(text_nearest("EPOCHS", keys, N), "epochs");
    assert_string_equal(text_nearest("Optimiser.LR", keys, N), "optimiser.lr");
    assert_null(text_nearest("zzzzzz", keys, N));
    assert_null(text_nearest(long_word, keys, N));
    assert_null(text_nearest("points", keys, 0));
    const char *const ties[] = {"cat", "bat", "hat"};
    assert_string_equal(text_nearest("rat", ties, 3), "cat"); /* the first of equals */
}

static void index_of_a_name(void **state) {
    (void)state;
    static const char *const names[] = {"heads", "heads_bias", "blocks", NULL};
    assert_int_equal(text_index(names, "heads"), 0);
    assert_int_equal(text_index(names, "heads_bias"), 1);
    assert_int_equal(text_index(names, "blocks"), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_piece_by_piece),      cmocka_unit_test(integers_are_as_printed),
        cmocka_unit_test(no_memory_is_remembered),   cmocka_unit_test(copies_are_their_own),
        cmocka_unit_test(nearest_is_what_was_meant), cmocka_unit_test(index_of_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
