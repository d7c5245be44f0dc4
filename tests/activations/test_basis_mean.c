#include "activations/basis_mean.h"

#include "methods/prompt_scene.h"
#include "ops/blas.h"

enum { CHUNK = 2, PARTS = 1 << BASIS_HEADS | 1 << BASIS_ATTENTION, STOP_AT = 4 };

static struct err err;

struct told { /* what report() was told */
    size_t calls, done, stop_at;
};

static enum err_code report(void *context, size_t more, struct err *e) {
    struct told *t = context;
    t->calls++;
    t->done += more;
    return t->done == t->stop_at ? ERR(e, ERR_STOPPED, "at %zu", t->done) : ERR_OK;
}

static enum err_code find(struct basis_set *mean, struct prompt_scene *s, struct told *told) {
    struct basis_collector *c = NULL;
    const struct basis_mean_options o = {
        .params = &s->p, .prompts = s->prompts, .chunk = CHUNK, .report = report, .context = told};
    SUCCEEDS(basis_set_create(mean, &s->p.dims, PARTS, 1, &err));
    SUCCEEDS(basis_collector_create(&c, &s->p.dims, T0, CHUNK, CONTEXT_SINGLE, &err));
    const enum err_code rc = basis_mean(mean, c, &o, &err);
    basis_collector_destroy(c);
    return rc;
}

/* Chunks of 2, 2 and 1. */
static void mean_equals_the_mean_of_rows(void **state) {
    (void)state;
    struct prompt_scene s = prompt_scene_make();
    struct basis_set mean = {0}, rows = {0};
    struct told told = {0};
    double want[3 * 8];
    SUCCEEDS(find(&mean, &s, &told));
    assert_int_equal(told.calls, 3);
    assert_int_equal(told.done, PROMPTS);
    SUCCEEDS(basis_set_create(&rows, &s.p.dims, PARTS, PROMPTS, &err));
    SUCCEEDS(basis_set_collect(&rows, &s.p, &s.prompts, T0, PROMPTS, &err));
    assert_int_equal(sizeof want / sizeof *want, TINY.L * TINY.E);
    for (enum basis_part part = BASIS_HEADS; part <= BASIS_ATTENTION; part++) {
        for (size_t i = 0; i < TINY.L * TINY.E; i++) {
            const size_t l = i / TINY.E, e = i % TINY.E;
            want[i] = 0;
            for (size_t r = 0; r < PROMPTS; r++)
                want[i] += (double)rows.part[part][(l * PROMPTS + r) * TINY.E + e] / PROMPTS;
        }
        CLOSE(relative_error(mean.part[part], want, TINY.L * TINY.E), 1e-6);
    }
    basis_set_destroy(&rows);
    basis_set_destroy(&mean);
    prompt_scene_free(&s);
}

static void an_error_of_the_callback_ends_it(void **state) {
    (void)state;
    struct prompt_scene s = prompt_scene_make();
    struct basis_set mean = {0};
    struct told told = {.stop_at = STOP_AT};
    ERROR_SAYS(find(&mean, &s, &told), ERR_STOPPED, "at 4");
    assert_int_equal(told.calls, 2);
    basis_set_destroy(&mean);
    prompt_scene_free(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mean_equals_the_mean_of_rows),
        cmocka_unit_test(an_error_of_the_callback_ends_it),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
