#include "sources/prompt_batch.h"

#include "model/tiny.h"
#include "ops/blas.h"
#include "twins/context_fill.h"

/* Contexts and query rows of a batch against tokens that are written out by hand here. */

enum { N = 5, POINTS = 6, DIMS = 3, MOST = 2 * POINTS };

static struct err err;

struct scene {
    struct params p;
    struct pair x, y, query_x, query_y, shown_y;
    struct prompt_view view;
};

static struct scene scene_make(void) {
    struct scene s = {.p = tiny_params(&TINY)};
    s.x = pair_normals(N * POINTS * DIMS, 1, 1.0);
    s.y = pair_normals(N * POINTS, 2, 1.0);
    s.query_x = pair_normals(N * POINTS * DIMS, 3, 1.0);
    s.query_y = pair_normals(N * POINTS, 4, 1.0);
    s.shown_y = pair_normals(N * POINTS * POINTS, 5, 1.0);
    s.view = (struct prompt_view){.n = N, .points = POINTS, .dims = DIMS, .x = s.x.f, .y = s.y.f};
    return s;
}

static void scene_free(struct scene *s) {
    params_destroy(&s->p);
    pair_free(&s->x), pair_free(&s->y), pair_free(&s->query_x);
    pair_free(&s->query_y), pair_free(&s->shown_y);
}

static struct prompt_batch batch_of(size_t slots, size_t tokens, size_t rows,
                                    enum context_precision contexts) {
    const struct prompt_batch_options o = {
        .dims = &TINY, .slots = slots, .tokens = tokens, .rows = rows, .contexts = contexts};
    struct prompt_batch b;
    SUCCEEDS(prompt_batch_create(&b, &o, &err));
    return b;
}

/* Token by token: x of the even ones, (y, 0, 0) of the odd ones. */
static void write_tokens(float *tokens, const float *x, const float *y, size_t n_tokens) {
    for (size_t t = 0; t < n_tokens; t++)
        for (size_t c = 0; c < DIMS; c++)
            tokens[t * DIMS + c] = t % 2 == 0 ? x[t / 2 * DIMS + c] : c == 0 ? y[t / 2] : 0;
}

static size_t bytes_of(const struct context *c) {
    return TINY.L * c->slots * context_layout_stride(&c->layout);
}

static void same_contexts(const struct prompt_batch *b, const struct context *want) {
    assert_int_equal(bytes_of(&b->context), bytes_of(want));
    assert_memory_equal(b->context.kv, want->kv, bytes_of(want));
}

/* The contexts that a span of each prompt should have, one prompt at a time. */
static void check_fill(struct scene *s, struct prompt_batch *b, struct prompt_span span,
                       const struct edits *edits) {
    const size_t n_tokens = prompt_span_tokens(span);
    struct context want;
    struct context_scratch *scratch;
    float tokens[MOST * DIMS] = {0};
    const struct edits none = {0};
    SUCCEEDS(context_create(&want, &TINY, b->context.slots, b->context.tokens,
                            b->context.layout.precision, &err));
    SUCCEEDS(context_scratch_create(&scratch, &TINY, N, b->context.tokens, &err));
    memcpy(want.kv, b->context.kv, bytes_of(&want)); /* what no token writes stays */
    for (size_t i = 0; i < N; i++) {
        const struct prompt_view *v = &s->view;
        const size_t k = span.first + span.pairs;
        const float *y = v->shown_y ? v->shown_y + (i * POINTS + k) * POINTS : v->y + i * POINTS;
        write_tokens(tokens, v->x + (i * POINTS + span.first) * DIMS, y + span.first, n_tokens);
        context_fill(&want, i, scratch, &s->p, tokens, n_tokens, edits ? edits : &none);
    }
    prompt_batch_begin(b, &s->p, edits);
    prompt_batch_fill(b, &s->view, span);
    same_contexts(b, &want);
    context_scratch_destroy(scratch);
    context_destroy(&want);
}

static void contexts_are_those_of_tokens(void **state) {
    (void)state;
    struct scene s = scene_make();
    for (enum context_precision c = CONTEXT_SINGLE; c <= CONTEXT_HALF; c++) {
        struct prompt_batch b = batch_of(N, MOST, N, c);
        for (size_t k = 0; k < POINTS; k++) /* one batch serves every length, up and down */
            check_fill(&s, &b, (struct prompt_span){.pairs = k}, NULL);
        for (size_t k = POINTS; k-- > 0;)
            check_fill(&s, &b, (struct prompt_span){.pairs = k, .and_x = true}, NULL);
        check_fill(&s, &b, (struct prompt_span){.first = 2, .pairs = 3}, NULL);
        prompt_batch_destroy(&b);
    }
    scene_free(&s);
}

static void labels_are_those_shown_at_the_length(void **state) {
    (void)state;
    struct scene s = scene_make();
    struct prompt_batch b = batch_of(N, MOST, N, CONTEXT_SINGLE);
    s.view.shown_y = s.shown_y.f;
    check_fill(&s, &b, (struct prompt_span){.pairs = 4}, NULL);
    check_fill(&s, &b, (struct prompt_span){.pairs = 5}, NULL);
    check_fill(&s, &b, (struct prompt_span){.first = 1, .pairs = 3}, NULL);
    prompt_batch_destroy(&b);
    scene_free(&s);
}

static void edits_reach_the_contexts(void **state) {
    (void)state;
    struct scene s = scene_make();
    struct prompt_batch b = batch_of(N, MOST, N, CONTEXT_SINGLE);
    struct pair v = pair_normals(N * TINY.E, 6, 1.0);
    const struct edit item = {
        .layer = 0, .scope = EDIT_ALL, .scale = 1, .values = v.f, .row_stride = TINY.E};
    const struct edits edits = {.items = &item, .n = 1};
    check_fill(&s, &b, (struct prompt_span){.pairs = 3}, &edits);
    check_fill(&s, &b, (struct prompt_span){.pairs = 3}, NULL);
    pair_free(&v);
    prompt_batch_destroy(&b);
    scene_free(&s);
}

/* Slots in any order, some of them only, the rest as they were: how fits cache contexts. */
static void slots_are_filled_one_by_one(void **state) {
    (void)state;
    struct scene s = scene_make();
    struct prompt_batch all = batch_of(N, MOST, N, CONTEXT_SINGLE),
                        some = batch_of(N, MOST, N, CONTEXT_SINGLE);
    const struct prompt_span span = {.pairs = POINTS - 1};
    const size_t order[N] = {3, 0, 4, 1, 2};
    prompt_batch_begin(&all, &s.p, NULL);
    prompt_batch_fill(&all, &s.view, span);
    prompt_batch_begin(&some, &s.p, NULL);
    for (size_t i = 0; i < N; i++) {
        prompt_batch_add(&some, order[i], &s.view, order[i], span);
        if (i == 1) prompt_batch_finish(&some);
    }
    prompt_batch_finish(&some);
    prompt_batch_finish(&some); /* nothing waits: nothing happens */
    same_contexts(&some, &all.context);
    prompt_batch_destroy(&some);
    prompt_batch_destroy(&all);
    scene_free(&s);
}

static void check_row(const struct query_rows *rows, const struct prompt_rows *r, size_t row,
                      struct prompt_seat at, const float *x, float target) {
    assert_int_equal(rows->slot[row], at.slot);
    assert_int_equal(rows->length[row], at.length);
    assert_memory_equal(rows->x + row * DIMS, x, DIMS * sizeof *x);
    if (r->target[row] != target)
        fail_msg("row %zu: target %g, not %g", row, (double)r->target[row], (double)target);
}

static void rows_are_queries(void **state) {
    (void)state;
    struct scene s = scene_make();
    struct prompt_rows r;
    SUCCEEDS(prompt_rows_create(&r, &TINY, 4, &err));
    prompt_rows_ask(&r, 0, (struct prompt_seat){2, 8}, &s.view, 3, 4);
    prompt_rows_ask(&r, 3, (struct prompt_seat){0, 0}, &s.view, 4, 5);
    s.view.query_x = s.query_x.f;
    s.view.query_y = s.query_y.f;
    prompt_rows_ask(&r, 1, (struct prompt_seat){1, 2}, &s.view, 1, 0);
    const struct query_rows rows = prompt_rows_of(&r, 4);
    assert_int_equal(rows.R, 4);
    check_row(&rows, &r, 0, (struct prompt_seat){2, 8}, s.x.f + (3 * POINTS + 4) * DIMS,
              s.y.f[3 * POINTS + 4]);
    check_row(&rows, &r, 3, (struct prompt_seat){0, 0}, s.x.f + (4 * POINTS + 5) * DIMS,
              s.y.f[4 * POINTS + 5]);
    check_row(&rows, &r, 1, (struct prompt_seat){1, 2}, s.query_x.f + POINTS * DIMS,
              s.query_y.f[POINTS]);

    const float label[DIMS] = {s.y.f[2 * POINTS + 1], 0, 0}, token[DIMS] = {1, 2, 3};
    prompt_rows_ask_label(&r, 1, (struct prompt_seat){2, 3}, &s.view, 2, 1);
    prompt_rows_ask_token(&r, 2, (struct prompt_seat){1, 6}, token);
    assert_memory_equal(rows.x + DIMS, label, sizeof label);
    assert_memory_equal(rows.x + 2 * DIMS, token, sizeof token);
    assert_int_equal(rows.length[1], 3);
    assert_int_equal(rows.slot[2], 1);
    assert_int_equal(rows.length[2], 6);
    prompt_rows_destroy(&r);
    scene_free(&s);
}

/* A smaller batch of prompts in a batch with room for more, then the larger one again. */
static void a_batch_is_used_again(void **state) {
    (void)state;
    struct scene s = scene_make();
    struct prompt_batch b = batch_of(N, MOST, N, CONTEXT_SINGLE);
    const struct prompt_span span = {.pairs = 4};
    check_fill(&s, &b, span, NULL);
    prompt_batch_ask(&b, &s.view, 4, 8);
    const struct prompt_view two = prompt_view_part(&s.view, 1, 2);
    prompt_batch_begin(&b, &s.p, NULL);
    prompt_batch_fill(&b, &two, span);
    prompt_batch_ask(&b, &two, 2, 4);
    const struct query_rows rows = prompt_rows_of(&b.rows, N);
    check_row(&rows, &b.rows, 1, (struct prompt_seat){1, 4}, s.x.f + (2 * POINTS + 2) * DIMS,
              s.y.f[2 * POINTS + 2]);
    check_row(&rows, &b.rows, 2, (struct prompt_seat){2, 8}, s.x.f + (2 * POINTS + 4) * DIMS,
              s.y.f[2 * POINTS + 4]); /* as before: only two rows were set */
    check_fill(&s, &b, span, NULL);
    prompt_batch_destroy(&b);
    scene_free(&s);
}

static void whole_prompts_are_sequences(void **state) {
    (void)state;
    struct scene s = scene_make();
    float got[N * MOST * DIMS], want[N * MOST * DIMS];
    for (size_t points = 1; points <= POINTS; points++) {
        const size_t each = 2 * points * DIMS;
        memset(got, 0x7f, sizeof got);
        for (size_t i = 0; i < N; i++)
            write_tokens(want + i * each, s.x.f + i * POINTS * DIMS, s.y.f + i * POINTS,
                         2 * points);
        prompt_batch_sequences(got, &s.view, points);
        assert_memory_equal(got, want, N * each * sizeof *got);
    }
    scene_free(&s);
}

static void parts_are_views(void **state) {
    (void)state;
    struct scene s = scene_make();
    s.view.query_x = s.query_x.f;
    s.view.query_y = s.query_y.f;
    s.view.shown_y = s.shown_y.f;
    const struct prompt_view part = prompt_view_part(&s.view, 2, 3);
    assert_int_equal(part.n, 3);
    assert_ptr_equal(prompt_view_x(&part, 1, 1), s.x.f + (3 * POINTS + 1) * DIMS);
    assert_ptr_equal(prompt_view_query(&part, 1, 1), s.query_x.f + (3 * POINTS + 1) * DIMS);
    assert_ptr_equal(prompt_view_labels(&part, 1, 1), s.shown_y.f + (3 * POINTS + 1) * POINTS);
    assert_ptr_equal(prompt_view_targets(&part), s.query_y.f + 2 * POINTS);
    assert_ptr_equal(part.y, s.y.f + 2 * POINTS);
    assert_int_equal(prompt_view_chunk(&s.view, 0, 2).n, 2);
    assert_int_equal(prompt_view_chunk(&s.view, N - 1, 2).n, 1); /* the last one is smaller */
    scene_free(&s);
}

/* Keys and values of all slots of a batch that was filled with these edits and this sharing. */
static struct context_counts fill_shared(struct prompt_batch *b, const struct scene *s,
                                         struct context_share *share, const struct edits *edits,
                                         size_t room) {
    const struct prompt_span span = {.pairs = 4};
    context_cache_begin(share->cache, "key", room);
    b->share = share;
    prompt_batch_begin(b, &s->p, edits);
    prompt_batch_fill(b, &s->view, span);
    const struct context_counts counts = context_cache_counts(share->cache);
    context_cache_end(share->cache);
    return counts;
}

static void contexts_of_an_earlier_job_are_used(void **state) {
    (void)state;
    struct scene s = scene_make();
    struct context_share share = {.model = "m"};
    struct prompt_batch alone = batch_of(N, 8, N, CONTEXT_SINGLE),
                        b = batch_of(N, 8, N, CONTEXT_SINGLE);
    const size_t bytes = context_bytes(&TINY, N, 8, CONTEXT_SINGLE);
    SUCCEEDS(context_cache_create(&share.cache, NULL, &err));
    prompt_batch_begin(&alone, &s.p, NULL);
    prompt_batch_fill(&alone, &s.view, (struct prompt_span){.pairs = 4});
    assert_int_equal(fill_shared(&b, &s, &share, NULL, bytes).made, N);
    assert_true(b.context.kv != b.own.kv);
    assert_memory_equal(b.context.kv, alone.context.kv, bytes);
    assert_int_equal(fill_shared(&b, &s, &share, NULL, bytes).found, N);
    assert_memory_equal(b.context.kv, alone.context.kv, bytes);
    const struct edit edit = {
        .layer = 0, .site = EDIT_BLOCK, .scope = EDIT_ALL, .values = s.x.f, .scale = 1};
    const struct edits edits = {.n = 1, .items = &edit};
    assert_int_equal(fill_shared(&b, &s, &share, &edits, bytes).made,
                     0); /* neither used nor kept */
    assert_ptr_equal(b.context.kv, b.own.kv);
    s.view.shown_y = s.shown_y.f; /* other labels than before */
    assert_int_equal(fill_shared(&b, &s, &share, NULL, bytes - 1).made, N);
    assert_ptr_equal(b.context.kv, b.own.kv); /* no room */
    prompt_batch_destroy(&alone);
    prompt_batch_destroy(&b);
    context_cache_destroy(share.cache);
    scene_free(&s);
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contexts_of_an_earlier_job_are_used),
        cmocka_unit_test(contexts_are_those_of_tokens),
        cmocka_unit_test(labels_are_those_shown_at_the_length),
        cmocka_unit_test(edits_reach_the_contexts),
        cmocka_unit_test(slots_are_filled_one_by_one),
        cmocka_unit_test(rows_are_queries),
        cmocka_unit_test(a_batch_is_used_again),
        cmocka_unit_test(whole_prompts_are_sequences),
        cmocka_unit_test(parts_are_views),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
