#include "job/context_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "twins/error_says.h"

/* What stays in the cache and what leaves it, block by block. */

enum { SIZE = 1024 };

static struct err err;
static ptrdiff_t known; /* bytes that the cache has reported */

static void report(ptrdiff_t bytes) { known += bytes; }

static struct context_cache *cache_of(const char *key, size_t room) {
    struct context_cache *c = NULL;
    SUCCEEDS(context_cache_create(&c, report, &err));
    context_cache_begin(c, key, room);
    return c;
}

static void cache_free(struct context_cache *c) {
    context_cache_destroy(c);
    assert_int_equal(known, 0);
}

/* A job of this key fills the blocks that these letters name. */
static void fill(struct context_cache *c, const char *key, size_t room, const char *names) {
    context_cache_begin(c, key, room);
    for (; *names; names++) {
        const char name[] = {*names, '\0'};
        bool complete = true;
        float *block = context_cache_hold(&complete, c, name, SIZE);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % ARENA_ALIGN, 0);
        if (complete) continue;
        for (size_t i = 0; i < SIZE / sizeof *block; i++) assert_true(block[i] == 0.0F);
        block[0] = (float)*names;
        context_cache_complete(c, block);
    }
    assert_int_equal(known, context_cache_bytes(c));
    context_cache_end(c);
}

/* A later job finds exactly these of the blocks a, b, c, d. */
static void expect_blocks(struct context_cache *c, const char *names) {
    context_cache_begin(c, "reader", SIZE_MAX / 2);
    for (char name[] = "a"; *name <= 'd'; (*name)++) {
        bool complete = false;
        const float *block = context_cache_hold(&complete, c, name, SIZE);
        if (complete != (strchr(names, *name) != NULL))
            fail_msg("block %s is %s", name, complete ? "there" : "missing");
        if (complete) assert_true(block[0] == (float)*name);
    }
    context_cache_end(c);
}

static void a_block_is_found_by_its_name_and_size(void **state) {
    (void)state;
    bool complete = true;
    struct context_cache *c = cache_of("x", 10 * SIZE);
    fill(c, "x", 10 * SIZE, "ab");
    expect_blocks(c, "ab");
    context_cache_begin(c, "x", 10 * SIZE);
    assert_non_null(context_cache_hold(&complete, c, "a", 2 * SIZE));
    assert_false(complete);
    context_cache_end(c); /* it was not completed */
    assert_int_equal(context_cache_bytes(c), 2 * SIZE);
    cache_free(c);
}

static void the_oldest_leave_first_and_those_of_the_own_key_last(void **state) {
    (void)state;
    struct context_cache *c = cache_of("x", 0);
    fill(c, "x", 3 * SIZE, "abc");
    fill(c, "x", 3 * SIZE, "a"); /* used again: now b is the oldest */
    fill(c, "y", 3 * SIZE, "d");
    expect_blocks(c, "acd");
    context_cache_destroy(c);
    c = cache_of("x", 0);
    fill(c, "x", 3 * SIZE, "a");
    fill(c, "y", 3 * SIZE, "bc");
    context_cache_begin(c, "x", SIZE); /* what it may need itself stays */
    context_cache_end(c);
    expect_blocks(c, "a");
    cache_free(c);
}

static void what_is_held_stays(void **state) {
    (void)state;
    bool complete;
    struct context_cache *c = cache_of("x", 2 * SIZE);
    float *a = context_cache_hold(&complete, c, "a", SIZE);
    assert_non_null(a);
    assert_non_null(context_cache_hold(&complete, c, "b", SIZE));
    assert_null(context_cache_hold(&complete, c, "c", SIZE)); /* both are held */
    assert_null(context_cache_hold(&complete, c, "d", 3 * SIZE));
    assert_ptr_equal(context_cache_hold(&complete, c, "a", SIZE), a);
    a[0] = 'a';
    context_cache_complete(c, a);
    context_cache_end(c);
    expect_blocks(c, "a");
    cache_free(c);
}

static void a_job_that_needs_the_room_gets_it(void **state) {
    (void)state;
    struct context_cache *c = cache_of("x", 0);
    fill(c, "x", 4 * SIZE, "abcd");
    context_cache_begin(c, "", 2 * SIZE + SIZE / 2);
    assert_int_equal(context_cache_bytes(c), 2 * SIZE);
    context_cache_end(c);
    context_cache_begin(c, "x", 0);
    assert_int_equal(context_cache_bytes(c), 0);
    context_cache_end(c);
    cache_free(c);
}

/* The pages of a block that has to leave serve the next one of its size, with zeros in them. */
static void a_block_that_leaves_gives_its_memory_to_the_next(void **state) {
    (void)state;
    bool complete = true;
    struct context_cache *c = cache_of("x", 2 * SIZE);
    const float *a = context_cache_hold(&complete, c, "a", SIZE);
    context_cache_complete(c, a);
    context_cache_end(c);
    fill(c, "y", 2 * SIZE, "b"); /* there is room for both */
    context_cache_begin(c, "z", 2 * SIZE);
    known = 0; /* nothing is freed and nothing allocated */
    float *third = context_cache_hold(&complete, c, "c", SIZE);
    assert_ptr_equal(third, a);
    assert_false(complete);
    assert_int_equal(known, 0);
    for (size_t i = 0; i < SIZE / sizeof *third; i++) assert_true(third[i] == 0.0F);
    assert_int_equal(context_cache_bytes(c), 2 * SIZE);
    third[0] = 'c';
    context_cache_complete(c, third);
    context_cache_end(c);
    known = 2 * SIZE;
    expect_blocks(c, "bc");
    cache_free(c);
}

/* Two blocks leave for one that is larger. */
static void a_block_of_another_size_is_freed(void **state) {
    (void)state;
    bool complete = true;
    struct context_cache *c = cache_of("x", 0);
    fill(c, "x", 2 * SIZE, "ab");
    context_cache_begin(c, "y", 2 * SIZE);
    assert_non_null(context_cache_hold(&complete, c, "c", 2 * SIZE));
    assert_int_equal(context_cache_bytes(c), 2 * SIZE);
    context_cache_end(c);
    assert_int_equal(context_cache_bytes(c), 0);
    cache_free(c);
}

static void counts_are_those_of_one_job(void **state) {
    (void)state;
    struct context_cache *c = cache_of("x", 0);
    context_cache_count(c, 3, 0);
    context_cache_count(c, 4, 5);
    assert_int_equal(context_cache_counts(c).found, 7);
    assert_int_equal(context_cache_counts(c).made, 5);
    context_cache_begin(c, "x", 0);
    assert_int_equal(context_cache_counts(c).found, 0);
    cache_free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_is_found_by_its_name_and_size),
        cmocka_unit_test(the_oldest_leave_first_and_those_of_the_own_key_last),
        cmocka_unit_test(what_is_held_stays),
        cmocka_unit_test(a_job_that_needs_the_room_gets_it),
        cmocka_unit_test(a_block_that_leaves_gives_its_memory_to_the_next),
        cmocka_unit_test(a_block_of_another_size_is_freed),
        cmocka_unit_test(counts_are_those_of_one_job),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
