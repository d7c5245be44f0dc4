#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "twins/error_says.h"

struct three {
    float *a, *none, *b;
};

static void lay_out(struct three *t, struct arena *a) {
    t->a = arena_floats(a, 17);
    t->none = arena_floats(a, 0);
    t->b = arena_floats(a, 1);
}

static void measured_then_placed(void **state) {
    (void)state;
    struct err err;
    struct arena a = {0};
    struct three t;
    lay_out(&t, &a);
    assert_null(t.a);
    assert_null(t.b);
    SUCCEEDS(arena_commit(&a, &err));
    lay_out(&t, &a);
    assert_int_equal(a.used, a.size);
    assert_int_equal((uintptr_t)t.a % ARENA_ALIGN, 0);
    assert_int_equal((uintptr_t)t.b % ARENA_ALIGN, 0);
    assert_true(t.b >= t.a + 32); /* 17 floats are padded to 32 */
    for (size_t i = 0; i < 17; i++) assert_true(t.a[i] == 0);
    memset(t.a, 1, 17 * sizeof *t.a);
    assert_true(t.b[0] == 0);
    arena_release(&a);
    arena_release(&a);
    assert_null(a.block);
}

static void nothing_measured_is_fine(void **state) {
    (void)state;
    struct err err;
    struct arena a = {0};
    SUCCEEDS(arena_commit(&a, &err));
    arena_release(&a);
}

static size_t pages_in_use(void *block, size_t bytes) {
    static unsigned char in_use[1 << 12];
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = bytes / page;
    size_t n = 0;
    assert_true(pages <= sizeof in_use);
    assert_int_equal(mincore(block, pages * page, in_use), 0);
    for (size_t i = 0; i < pages; i++) n += in_use[i] & 1U;
    return n;
}

/* What is laid out and never used takes no memory. */
static void a_large_block_takes_its_pages_when_they_are_used(void **state) {
    (void)state;
    enum { FLOATS = 2 << 20 };
    struct err err;
    struct arena a = {0};
    (void)arena_floats(&a, FLOATS);
    SUCCEEDS(arena_commit(&a, &err));
    float *x = arena_floats(&a, FLOATS);
    assert_int_equal((uintptr_t)x % ARENA_ALIGN, 0);
    assert_int_equal(pages_in_use(x, FLOATS * sizeof *x), 0);
    for (size_t i = 0; i < FLOATS; i++) assert_true(x[i] == 0);
    x[0] = x[FLOATS - 1] = 1;
    assert_true(pages_in_use(x, FLOATS * sizeof *x) > 0);
    arena_release(&a);
    (void)arena_floats(&a, FLOATS);
    SUCCEEDS(arena_commit(&a, &err));
    x = arena_floats(&a, FLOATS);
    assert_true(x[0] == 0 && x[FLOATS - 1] == 0);
    arena_release(&a);
}

static void too_much_names_its_size(void **state) {
    (void)state;
#ifndef __SANITIZE_ADDRESS__ /* which ends the program where malloc would return NULL */
    struct err err;
    struct arena a = {0};
    (void)arena_floats(&a, (size_t)1 << 58);
    ERROR_SAYS(arena_commit(&a, &err), ERR_MEMORY, "cannot allocate 1152921504606846976 bytes");
    arena_release(&a);
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measured_then_placed),
        cmocka_unit_test(nothing_measured_is_fine),
        cmocka_unit_test(a_large_block_takes_its_pages_when_they_are_used),
        cmocka_unit_test(too_much_names_its_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
