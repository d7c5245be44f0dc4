#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/version.h"

static void says_what_built_it(void **state) {
    (void)state;
    int major = -1, minor = -1, patch = -1;
    assert_int_equal(sscanf(version_number(), "%d.%d.%d", &major, &minor, &patch), 3);
    const char *revision = version_revision();
    if (strcmp(revision, "unknown") != 0) {
        assert_int_equal(strlen(revision), 40);
        for (size_t i = 0; i < 40; i++) assert_true(isxdigit((unsigned char)revision[i]));
    }
    assert_non_null(strchr(version_compiler(), '.'));
    assert_non_null(strstr(version_flags(), "-march="));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(says_what_built_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
