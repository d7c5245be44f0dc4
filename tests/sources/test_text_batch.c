#include "model/forward.h"
#include "model/tiny_tokens.h"
#include "sources/prompt_batch.h"

/* Prompts of token ids of different lengths, with their answers, in one batch: each row against the
 * same token of a forward pass over the whole prompt. */

enum { N = 4, MOST = 9 };

static struct err err;

static const size_t FIRST[N + 1] = {0, 7, 8, 16, 20};
static const size_t ANSWER_FIRST[N + 1] = {0, 1, 4, 5, 7};
static uint32_t ids[20], answers[7];

static struct prompt_view view_of_text(void) {
    tiny_ids(ids, 20);
    tiny_ids(answers, 7);
    return (struct prompt_view){
        .n = N,
        .points = 3,
        .text = {.ids = ids, .first = FIRST, .answers = answers, .answer_first = ANSWER_FIRST}};
}

static struct prompt_batch batch_of(size_t rows) {
    const struct prompt_batch_options o = {
        .dims = &TINY_TOKENS, .slots = N, .tokens = MOST, .rows = rows};
    struct prompt_batch b;
    SUCCEEDS(prompt_batch_create(&b, &o, &err));
    return b;
}

/* The tokens of prompt i and of its answer. */
static size_t whole_prompt(uint32_t *out, const struct prompt_view *v, size_t i) {
    const size_t n = prompt_view_length(v, i), more = prompt_view_answer_length(v, i);
    memcpy(out, prompt_view_ids(v, i), n * sizeof *out);
    memcpy(out + n, prompt_view_answer(v, i), more * sizeof *out);
    return n + more;
}

/* Rows first .. of the pass are the last token of prompt i and those after it. */
static void check_rows(const struct query *q, size_t first, size_t rows, const struct params *p,
                       const struct prompt_view *v, size_t i) {
    const size_t E = TINY_TOKENS.E;
    uint32_t tokens[MOST + 4];
    const uint32_t length = (uint32_t)whole_prompt(tokens, v, i);
    const struct forward_ids whole = {1, &length, tokens};
    struct forward f;
    SUCCEEDS(forward_create(&f, &TINY_TOKENS, 1, length, false, &err));
    forward_run_ids(&f, p, &whole);
    for (size_t j = 0; j < rows * E; j++) {
        const float got = query_output(q)[first * E + j];
        const float want = forward_x(&f, TINY_TOKENS.L)[(prompt_view_length(v, i) - 1) * E + j];
        assert_float_equal(got, want, 1e-5);
    }
    forward_destroy(&f);
}

static void fill(struct prompt_batch *b, const struct params *p, const struct prompt_view *v) {
    prompt_batch_begin(b, p, NULL);
    prompt_batch_fill(b, v, (struct prompt_span){.pairs = v->points - 1});
}

static void queries_of_different_lengths(void **state) {
    (void)state;
    const struct prompt_view v = view_of_text();
    struct params p = tiny_params(&TINY_TOKENS);
    struct prompt_batch b = batch_of(N);
    struct query q;
    SUCCEEDS(query_create(&q, &TINY_TOKENS, N, MOST, false, &err));
    fill(&b, &p, &v);
    prompt_batch_ask(&b, &v, v.points - 1, 0);
    const struct query_rows rows = prompt_rows_of(&b.rows, N);
    query_forward(&q, &p, &b.context, &rows, &(struct edits){0});
    for (size_t i = 0; i < N; i++) {
        check_rows(&q, i, 1, &p, &v, i);
        assert_int_equal(b.rows.wanted[i], prompt_view_answer(&v, i)[0]);
    }
    query_destroy(&q);
    prompt_batch_destroy(&b);
    params_destroy(&p);
}

static void answers_follow_their_queries(void **state) {
    (void)state;
    const struct prompt_view v = view_of_text();
    struct params p = tiny_params(&TINY_TOKENS);
    struct prompt_batch b = batch_of(7);
    struct query q;
    size_t n = 0;
    SUCCEEDS(query_create_long(&q, &TINY_TOKENS, 7, MOST, 2, false, &err));
    fill(&b, &p, &v);
    for (size_t i = 0; i < N; i++) n += prompt_rows_ask_answer(&b.rows, n, i, &v, i);
    assert_int_equal(n, 7);
    const struct query_rows rows = prompt_rows_of(&b.rows, n);
    query_forward(&q, &p, &b.context, &rows, &(struct edits){0});
    for (size_t i = 0; i < N; i++)
        check_rows(&q, ANSWER_FIRST[i], prompt_view_answer_length(&v, i), &p, &v, i);
    assert_memory_equal(b.rows.wanted, answers, sizeof answers);
    query_destroy(&q);
    prompt_batch_destroy(&b);
    params_destroy(&p);
}

/* A part of a view has the contexts of the same prompts in the whole. */
static void parts_have_the_same_bits(void **state) {
    (void)state;
    const struct prompt_view v = view_of_text();
    struct params p = tiny_params(&TINY_TOKENS);
    struct prompt_batch whole = batch_of(N);
    fill(&whole, &p, &v);
    for (size_t i = 0; i < N; i++) {
        const struct prompt_view one = prompt_view_part(&v, i, 1);
        struct prompt_batch part = batch_of(N);
        fill(&part, &p, &one);
        for (size_t l = 0; l < TINY_TOKENS.L; l++)
            assert_memory_equal(context_slot(&part.context, l, 0),
                                context_slot(&whole.context, l, i),
                                context_layout_stride(&whole.context.layout));
        prompt_batch_destroy(&part);
    }
    prompt_batch_destroy(&whole);
    params_destroy(&p);
}

/* Prompts whose contexts a fill finds in the cache. */
static size_t found_in(struct prompt_batch *b, const struct params *p,
                       const struct prompt_view *v) {
    struct context_cache *cache = b->share->cache;
    context_cache_begin(cache, "key", 1 << 20);
    fill(b, p, v);
    const size_t found = context_cache_counts(cache).found;
    context_cache_end(cache);
    return found;
}

static void contexts_are_shared_by_their_tokens(void **state) {
    (void)state;
    const struct prompt_view v = view_of_text();
    struct params p = tiny_params(&TINY_TOKENS);
    struct prompt_batch b = batch_of(N);
    struct context_share share = {.model = "m"};
    SUCCEEDS(context_cache_create(&share.cache, NULL, &err));
    b.share = &share;
    assert_int_equal(found_in(&b, &p, &v), 0);
    assert_int_equal(found_in(&b, &p, &v), N);
    ids[6]++; /* a query is not part of its context */
    assert_int_equal(found_in(&b, &p, &v), N);
    ids[8]++;
    assert_int_equal(found_in(&b, &p, &v), 0);
    prompt_batch_destroy(&b);
    context_cache_destroy(share.cache);
    params_destroy(&p);
}

enum { MANY = 20 };

struct watcher {
    size_t calls, last, most; /* after `most` calls it wants no more */
};

static bool count_calls(void *of, size_t prompts) {
    struct watcher *w = of;
    assert_true(prompts > w->last);
    w->last = prompts;
    return ++w->calls < w->most;
}

/* 20 prompts of 2 tokens: someone who watches is told every few of them, and can stop it. */
static void filling_is_watched(void **state) {
    (void)state;
    size_t first[MANY + 1], answer_first[MANY + 1];
    uint32_t tokens[2 * MANY], own[MANY];
    struct params p = tiny_params(&TINY_TOKENS);
    tiny_ids(tokens, 2 * MANY);
    tiny_ids(own, MANY);
    for (size_t i = 0; i <= MANY; i++) first[i] = 2 * i, answer_first[i] = i;
    const struct prompt_view v = {
        .n = MANY,
        .points = 1,
        .text = {.ids = tokens, .first = first, .answers = own, .answer_first = answer_first}};
    for (size_t most = 1; most < 100; most += 98) {
        struct watcher w = {.most = most};
        const struct prompt_batch_options o = {.dims = &TINY_TOKENS,
                                               .slots = MANY,
                                               .tokens = MOST,
                                               .rows = MANY,
                                               .watch = {count_calls, &w}};
        struct prompt_batch b;
        SUCCEEDS(prompt_batch_create(&b, &o, &err));
        prompt_batch_begin(&b, &p, NULL);
        assert_true(prompt_batch_fill(&b, &v, (struct prompt_span){0}) == (most > 1));
        assert_true(most == 1 ? w.calls == 1 : w.calls > 1 && w.last < MANY);
        prompt_batch_destroy(&b);
    }
    params_destroy(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries_of_different_lengths),
        cmocka_unit_test(answers_follow_their_queries),
        cmocka_unit_test(parts_have_the_same_bits),
        cmocka_unit_test(contexts_are_shared_by_their_tokens),
        cmocka_unit_test(filling_is_watched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
