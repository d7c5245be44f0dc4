/* Contexts that grow token by token: what they hold, and what rows over them are, in every family.
 */
#include "model/context_pass.h"
#include "model/query.h"

#include <math.h>

#include "model/forward.h"
#include "model/tiny_families.h"
#include "ops/context_attention.h"
#include "ops/half_lanes.h"

enum { PROMPTS = 2, BEGIN = 3, END = 13 };
static const uint32_t SLOT[PROMPTS] = {0, 1};

static struct err err;
static const struct edits NONE;

static void fill_ids(uint32_t ids[PROMPTS][END], const struct model_dims *d) {
    for (size_t i = 0; i < PROMPTS * END; i++)
        ids[i / END][i % END] = (uint32_t)((5 * i + i / 3) % d->vocabulary);
}

/* The first length[b] tokens of both prompts at once. */
static void create_contexts(struct context *c, const struct params *p, uint32_t ids[PROMPTS][END],
                            const uint32_t length[PROMPTS], enum context_precision precision) {
    struct context_scratch *scratch;
    SUCCEEDS(context_create(c, &p->dims, PROMPTS, END, precision, &err));
    SUCCEEDS(context_scratch_create(&scratch, &p->dims, 1, END, &err));
    for (size_t b = 0; b < PROMPTS; b++) {
        context_add_ids(c, b, scratch, p, ids[b], length[b], &NONE);
        context_finish(c, scratch, p, &NONE);
    }
    context_scratch_destroy(scratch);
}

/* x[L] of the rows equals that of whole sequences. */
static void compare_rows(const struct query *q, const struct params *p, uint32_t ids[PROMPTS][END],
                         const uint32_t length[PROMPTS], const char *title) {
    const size_t E = p->dims.E;
    struct forward f;
    SUCCEEDS(forward_create_tokens(&f, &p->dims, 1, END, END, false, &err));
    for (size_t b = 0; b < PROMPTS; b++) {
        const uint32_t n = length[b] + 1;
        forward_run_ids(&f, p, &(struct forward_ids){1, &n, ids[b]});
        double want[64];
        for (size_t e = 0; e < E; e++)
            want[e] = (double)forward_x(&f, p->dims.L)[length[b] * E + e];
        FAMILY_CLOSE(relative_error(query_output(q) + b * E, want, E), 1e-5, title);
    }
    forward_destroy(&f);
}

/* From `length` on, until both prompts are whole; the second one is two tokens shorter. */
static void grow(struct context *c, const struct params *p, uint32_t ids[PROMPTS][END],
                 const char *title) {
    struct query q;
    uint32_t length[PROMPTS] = {BEGIN, BEGIN - 2}, own[PROMPTS];
    const struct query_rows rows = {.R = PROMPTS, .slot = SLOT, .length = length, .ids = own};
    SUCCEEDS(query_create(&q, &p->dims, PROMPTS, END, false, &err));
    for (; length[0] < END; length[0]++, length[1]++) {
        for (size_t b = 0; b < PROMPTS; b++) own[b] = ids[b][length[b]];
        query_append(&q, p, c, &rows, &NONE);
        if (c->layout.precision == CONTEXT_SINGLE) compare_rows(&q, p, ids, length, title);
    }
    query_destroy(&q);
}

/* The numbers of all layers but those of tokens that no prompt has. */
static void same_contexts(const struct context *grown, const struct context *whole,
                          const char *title) {
    const size_t n = context_layout_stride(&grown->layout) / sizeof(float);
    for (size_t l = 0; l < grown->dims.L; l++)
        for (size_t b = 0; b < PROMPTS; b++) {
            const float *got = (const float *)context_layer(grown, l) + b * n;
            const float *all = (const float *)context_layer(whole, l) + b * n;
            struct pair want = pair_filled(n, 0);
            for (size_t i = 0; i < n; i++) want.d[i] = (double)all[i];
            FAMILY_CLOSE(relative_error(got, want.d, n), 1e-5, title);
            pair_free(&want);
        }
}

static void a_grown_context_equals_the_whole_one(void **state) {
    (void)state;
    const uint32_t begin[PROMPTS] = {BEGIN, BEGIN - 2}, end[PROMPTS] = {END, END - 2};
    for (size_t i = 0; i < TINY_FAMILY_COUNT; i++) {
        const struct tiny_family *family = &TINY_FAMILIES[i];
        struct params p = tiny_params(&family->dims);
        struct context grown, whole;
        uint32_t ids[PROMPTS][END];
        fill_ids(ids, &p.dims);
        create_contexts(&grown, &p, ids, begin, CONTEXT_SINGLE);
        create_contexts(&whole, &p, ids, end, CONTEXT_SINGLE);
        grow(&grown, &p, ids, family->title);
        same_contexts(&grown, &whole, family->title);
        context_destroy(&grown), context_destroy(&whole);
        params_destroy(&p);
    }
}

/* query_append() returns the bits of query_forward(), and the latter stores nothing. */
static void appending_changes_no_bit_of_the_rows(void **state) {
    (void)state;
    struct params p = tiny_params(&TINY_FAMILIES[7].dims);
    const uint32_t length[PROMPTS] = {BEGIN, BEGIN + 1}, own[PROMPTS] = {4, 5};
    const struct query_rows rows = {.R = PROMPTS, .slot = SLOT, .length = length, .ids = own};
    struct context c;
    struct query with, without;
    uint32_t ids[PROMPTS][END];
    fill_ids(ids, &p.dims);
    create_contexts(&c, &p, ids, length, CONTEXT_HALF);
    const size_t bytes = p.dims.L * PROMPTS * context_layout_stride(&c.layout);
    unsigned char *before = malloc(bytes);
    assert_non_null(before);
    SUCCEEDS(query_create(&with, &p.dims, PROMPTS, END, false, &err));
    SUCCEEDS(query_create(&without, &p.dims, PROMPTS, END, false, &err));
    memcpy(before, c.kv, bytes);
    query_forward(&without, &p, &c, &rows, &NONE);
    assert_memory_equal(c.kv, before, bytes);
    query_append(&with, &p, &c, &rows, &NONE);
    assert_memory_not_equal(c.kv, before, bytes);
    assert_memory_equal(query_output(&with), query_output(&without),
                        PROMPTS * p.dims.E * sizeof(float));
    query_destroy(&with), query_destroy(&without);
    context_destroy(&c);
    params_destroy(&p);
    free(before);
}

/* In halves, too, a token stands where a whole prompt has it: contexts agree to their precision. */
static void contexts_in_halves_grow(void **state) {
    (void)state;
    struct params p = tiny_params(&TINY_FAMILIES[7].dims);
    const uint32_t begin[PROMPTS] = {BEGIN, BEGIN - 2}, end[PROMPTS] = {END, END - 2};
    struct context grown, whole;
    uint32_t ids[PROMPTS][END];
    fill_ids(ids, &p.dims);
    create_contexts(&grown, &p, ids, begin, CONTEXT_HALF);
    create_contexts(&whole, &p, ids, end, CONTEXT_HALF);
    grow(&grown, &p, ids, "halves");
    const size_t n = context_layout_stride(&grown.layout) * PROMPTS / sizeof(uint16_t);
    const uint16_t *got = context_layer(&grown, 0), *want = context_layer(&whole, 0);
    for (size_t i = 0; i < n; i++) /* layer 0: the keys depend on the tokens alone */
        FAMILY_CLOSE(fabs((double)(half_lanes_widen_one(got[i]) - half_lanes_widen_one(want[i]))),
                     2e-3, "halves");
    context_destroy(&grown), context_destroy(&whole);
    params_destroy(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grown_context_equals_the_whole_one),
        cmocka_unit_test(appending_changes_no_bit_of_the_rows),
        cmocka_unit_test(contexts_in_halves_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
