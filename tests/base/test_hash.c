#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"
#include "twins/error_says.h"
#include "twins/scratch.h"

static const char ABC[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char EMPTY[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char MILLION_A[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

static void bytes_give_the_published_sums(void **state) { /* FIPS 180-2, appendix B */
    (void)state;
    struct hash h;
    char hex[HASH_HEX];
    hash_begin(&h);
    hash_end(hex, &h);
    assert_string_equal(hex, EMPTY);
    hash_begin(&h);
    hash_bytes(&h, "a", 1);
    hash_bytes(&h, "bc", 2);
    hash_end(hex, &h);
    assert_string_equal(hex, ABC);
    assert_true(hash_name("abc") == 0xba7816bf8f01cfeaULL);
}

static void texts_do_not_run_together(void **state) {
    (void)state;
    struct hash h;
    char one[HASH_HEX], two[HASH_HEX];
    hash_begin(&h);
    hash_text(&h, "ab"), hash_text(&h, "c");
    hash_end(one, &h);
    hash_begin(&h);
    hash_text(&h, "a"), hash_text(&h, "bc");
    hash_end(two, &h);
    assert_string_not_equal(one, two);
}

static void files_give_the_sum_of_their_bytes(void **state) {
    (void)state;
    enum { MILLION = 1000000 };
    struct err err;
    struct scratch scratch;
    char path[SCRATCH_PATH], hex[HASH_HEX], *bytes = malloc(MILLION);
    assert_non_null(bytes);
    memset(bytes, 'a', MILLION);
    scratch_create(&scratch);
    scratch_write(path, &scratch, "million", bytes, MILLION);
    SUCCEEDS(hash_file(hex, path, &err));
    assert_string_equal(hex, MILLION_A);
    scratch_path(path, &scratch, "absent");
    ERROR_SAYS(hash_file(hex, path, &err), ERR_IO, "absent: cannot open: No such file");
    ERROR_SAYS(hash_file(hex, scratch.folder, &err), ERR_DATA, "not a plain file");
    scratch_destroy(&scratch);
    free(bytes);
}

/* Contents count; names, the order of files, and files of other kinds do not. */
static void folders_give_the_sum_of_their_files(void **state) {
    (void)state;
    struct err err;
    struct scratch a, b;
    char path[SCRATCH_PATH], first[HASH_HEX], second[HASH_HEX];
    scratch_create(&a), scratch_create(&b);
    ERROR_SAYS(hash_path(first, a.folder, &err), ERR_IO, "a folder without files *.json");
    scratch_write(path, &a, "a.json", "one", 3);
    scratch_write(path, &a, "b.safetensors", "two", 3);
    scratch_write(path, &b, "x.json", "two", 3);
    scratch_write(path, &b, "y.txt", "one", 3);
    SUCCEEDS(hash_path(first, a.folder, &err));
    SUCCEEDS(hash_path(second, b.folder, &err));
    assert_string_equal(first, second);
    scratch_write(path, &b, "README.md", "three", 5);
    SUCCEEDS(hash_path(second, b.folder, &err));
    assert_string_equal(first, second);
    scratch_write(path, &b, "z.json", "three", 5);
    SUCCEEDS(hash_path(second, b.folder, &err));
    assert_string_not_equal(first, second);
    SUCCEEDS(hash_path(first, path, &err));
    SUCCEEDS(hash_file(second, path, &err));
    assert_string_equal(first, second);
    scratch_destroy(&a), scratch_destroy(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_give_the_published_sums),
        cmocka_unit_test(texts_do_not_run_together),
        cmocka_unit_test(files_give_the_sum_of_their_bytes),
        cmocka_unit_test(folders_give_the_sum_of_their_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
