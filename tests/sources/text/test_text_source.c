/* Prompts of text tasks: what they say, which pairs they show, and that nothing else changes them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sources/source_registry.h"
#include "task_scene.h"
#include "twins/error_says.h"
#include "twins/keys_stage.h"

#define KEYS(task, more)                                                                           \
    "source = { kind = \"text\"; task = \"" task "\"; tokenizer = \"tokenizer.json\"; " more " };"
enum { N = 12, SHOTS = 4 };

static struct err err;
static struct config *config;

static struct source *open_with(const char *keys, struct source_options o) {
    struct source *s = NULL;
    if (config) config_close(config);
    config = NULL;
    if (o.seed == 0) o.seed = 7;
    if (!o.split) o.split = "test";
    SUCCEEDS(keys_open(&config, keys, &err));
    SUCCEEDS(source_open(&s, config_stage_point(config, 0, 0), &o, &err));
    return s;
}

/* The characters of all prompts, their answers after a '|', a line each. */
static void print_prompts(struct text *out, const struct prompt_view *v) {
    for (size_t i = 0; i < v->n; i++) {
        for (size_t t = 0; t < prompt_view_length(v, i); t++)
            text_add(out, "%c", scene_character(prompt_view_ids(v, i)[t]));
        text_add(out, "|");
        for (size_t t = 0; t < prompt_view_answer_length(v, i); t++)
            text_add(out, "%c", scene_character(prompt_view_answer(v, i)[t]));
        text_add(out, "#");
    }
}

/* Prompts first .. first + n - 1 of `shots` shots, printed; the caller frees them. */
static struct text drawn(const char *keys, struct source_options o, size_t shots, uint64_t first,
                         size_t n) {
    struct text out = {0};
    struct source *s = open_with(keys, o);
    SUCCEEDS(source_reserve(s, n, shots + 1, &err));
    const struct prompt_view v = source_draw(s, first, n);
    SUCCEEDS(source_status(s, &err));
    print_prompts(&out, &v);
    source_close(s);
    return out;
}

static void assert_same(struct text a, struct text b) {
    assert_string_equal(text_str(&a), text_str(&b));
    text_release(&a);
    text_release(&b);
}

static void assert_other(struct text a, struct text b) {
    assert_string_not_equal(text_str(&a), text_str(&b));
    text_release(&a);
    text_release(&b);
}

static void a_prompt_is_written_by_the_template(void **state) {
    unsigned x[3], y[2];
    int end = 0;
    (void)state;
    struct text p = drawn(KEYS("t.json", ""), (struct source_options){0}, 2, 0, 1);
    assert_int_equal(sscanf(text_str(&p), "Q: w%u\nA: A%u\n\nQ: w%u\nA: A%u\n\nQ: w%u\nA:%n| A",
                            &x[0], &y[0], &x[1], &y[1], &x[2], &end),
                     5);
    assert_true(end > 0 && p.data[end] == '|');
    assert_true(x[0] == y[0] && x[1] == y[1] && x[0] != x[1] && x[0] != x[2] && x[1] != x[2]);
    assert_int_equal(strtoul(p.data + end + strlen("| A"), NULL, 10), x[2]);
    text_release(&p);
    p = drawn(KEYS("t.json", "template = \"{x} is {y}; \";"), (struct source_options){0}, 1, 0, 1);
    assert_int_equal(sscanf(text_str(&p), "w%u is A%u; w%u is| A%u#", &x[0], &y[0], &x[1], &y[1]),
                     4);
    assert_int_equal(x[1], y[1]);
    text_release(&p);
}

static void only_content_and_names_decide(void **state) {
    const struct source_options o = {0}, fit = {.split = "fit/0"}, seed = {.seed = 8};
    (void)state;
    assert_same(drawn(KEYS("t.json", ""), o, SHOTS, 0, N),
                drawn(KEYS("t.json", ""), o, SHOTS, 0, N));
    assert_same(drawn(KEYS("t.json", ""), o, SHOTS, 0, N),
                drawn(KEYS("renamed.json", ""), o, SHOTS, 0, N)); /* and in another order */
    assert_other(drawn(KEYS("t.json", ""), o, SHOTS, 0, N),
                 drawn(KEYS("other.json", ""), o, SHOTS, 0, N));
    assert_other(drawn(KEYS("t.json", ""), o, SHOTS, 0, N),
                 drawn(KEYS("t.json", ""), fit, SHOTS, 0, N));
    assert_other(drawn(KEYS("t.json", ""), o, SHOTS, 0, N),
                 drawn(KEYS("t.json", ""), seed, SHOTS, 0, N));
}

static void a_sample_does_not_depend_on_its_batch(void **state) {
    struct text all = drawn(KEYS("t.json", ""), (struct source_options){0}, SHOTS, 0, N),
                parts = {0};
    struct source *s = open_with(KEYS("t.json", ""), (struct source_options){0});
    (void)state;
    SUCCEEDS(source_reserve(s, N, SHOTS + 1, &err));
    for (uint64_t first = 0; first < N; first += 3) {
        const struct prompt_view v = source_draw(s, first, 3);
        print_prompts(&parts, &v);
    }
    source_close(s);
    assert_same(all, parts);
}

/* The query of each printed prompt: what follows its last "Q: ". */
static void queries_of(unsigned *out, size_t n, const struct text *printed) {
    const char *at = text_str(printed);
    for (size_t i = 0; i < n; i++) {
        const char *end = strchr(at, '|'), *query = at;
        for (const char *q = at; q && q < end; q = strstr(q + 1, "Q: ")) query = q;
        assert_int_equal(sscanf(query, "Q: w%u", &out[i]), 1);
        at = strchr(end, '#') + 1;
    }
}

static size_t count_samples(void) {
    struct source *s = open_with(KEYS("t.json", ""), (struct source_options){.asked = SOURCE_TEST});
    const size_t n = source_info(s)->answers->samples;
    source_close(s);
    return n;
}

static void test_items_come_once(void **state) {
    const size_t n = count_samples();
    unsigned query[100], train[100];
    (void)state;
    assert_true(n > 10 && n < 35);
    struct text p =
        drawn(KEYS("t.json", ""), (struct source_options){.asked = SOURCE_TEST}, 0, 0, n);
    struct text q =
        drawn(KEYS("t.json", ""), (struct source_options){.asked = SOURCE_TRAIN}, 0, 0, 50);
    queries_of(query, n, &p);
    queries_of(train, 50, &q);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) assert_int_not_equal(query[i], query[j]);
        for (size_t j = 0; j < 50; j++) assert_int_not_equal(query[i], train[j]);
    }
    text_release(&p);
    text_release(&q);
}

/* Pretraining: every pair is a query once in each pass, and pairs of all parts are shots. */
static void all_pairs_are_asked_and_shown(void **state) {
    enum { PAIRS = 100 };
    const struct source_options all = {.asked = SOURCE_ALL};
    unsigned query[PAIRS], test[100];
    size_t asked = 0, shown = 0;
    const size_t n = count_samples();
    (void)state;
    struct text p = drawn(KEYS("t.json", ""), all, 2, 0, PAIRS);
    struct text q =
        drawn(KEYS("t.json", ""), (struct source_options){.asked = SOURCE_TEST}, 0, 0, n);
    queries_of(query, PAIRS, &p);
    queries_of(test, n, &q);
    for (size_t i = 0; i < PAIRS; i++) {
        for (size_t j = 0; j < i; j++) assert_int_not_equal(query[i], query[j]);
        asked += query[i] < PAIRS;
    }
    assert_int_equal(asked, PAIRS);
    for (size_t i = 0; i < n; i++) { /* the pairs for test stand among the shots too */
        char shot[32];
        (void)snprintf(shot, sizeof shot, "Q: w%u\nA: A%u\n", test[i], test[i]);
        shown += strstr(text_str(&p), shot) != NULL;
    }
    assert_true(shown > n / 2);
    text_release(&p);
    text_release(&q);
}

static void longer_prompts_ask_the_same(void **state) {
    unsigned none[N], some[N];
    (void)state;
    struct text p = drawn(KEYS("t.json", ""), (struct source_options){0}, 0, 0, N);
    struct text q = drawn(KEYS("t.json", ""), (struct source_options){0}, SHOTS, 0, N);
    queries_of(none, N, &p);
    queries_of(some, N, &q);
    assert_memory_equal(none, some, sizeof none);
    text_release(&p);
    text_release(&q);
}

/* Shots of a printed prompt: numbers of inputs and of labels. Returns the place after it. */
static const char *shots_of(unsigned *x, unsigned *y, const char *at) {
    for (size_t j = 0; j < SHOTS; j++) {
        int end = 0;
        assert_int_equal(sscanf(at, "Q: w%u\nA: A%u\n\n%n", &x[j], &y[j], &end), 2);
        at += end;
    }
    return strchr(at, '#') + 1;
}

static void shuffled_labels_are_those_of_the_prompt(void **state) {
    struct text clean = drawn(KEYS("t.json", ""), (struct source_options){0}, SHOTS, 0, N);
    struct text mixed =
        drawn(KEYS("t.json", "labels = \"shuffled\";"), (struct source_options){0}, SHOTS, 0, N);
    const char *c = text_str(&clean), *m = text_str(&mixed);
    size_t moved = 0;
    (void)state;
    for (size_t i = 0; i < N; i++) {
        unsigned x[SHOTS], y[SHOTS], mx[SHOTS], my[SHOTS], sum = 0, mixed_sum = 0;
        c = shots_of(x, y, c);
        m = shots_of(mx, my, m);
        assert_memory_equal(x, mx, sizeof x);
        for (size_t j = 0; j < SHOTS; j++) {
            moved += y[j] != my[j];
            sum += 1U << y[j] % 31;
            mixed_sum += 1U << my[j] % 31;
        }
        assert_int_equal(sum, mixed_sum);
    }
    assert_true(moved > N);
    text_release(&clean);
    text_release(&mixed);
}

static void basis_prompts_do_not_show_what_is_asked(void **state) {
    const struct source_options asked = {.asked = SOURCE_TRAIN, .split = "fit/0"};
    const struct source_options basis = {
        .asked = SOURCE_TRAIN, .split = "fit/0", .covariates = "basis"};
    unsigned query[N], other[N];
    (void)state;
    struct text p = drawn(KEYS("t.json", ""), asked, SHOTS, 0, N);
    struct text q = drawn(KEYS("t.json", "labels = \"shuffled\";"), basis, SHOTS, 0,
                          N); /* clean all the same */
    const char *at = text_str(&q);
    queries_of(query, N, &p);
    queries_of(other, N, &q);
    for (size_t i = 0; i < N; i++) {
        unsigned x[SHOTS], y[SHOTS];
        at = shots_of(x, y, at);
        assert_memory_equal(x, y, sizeof x);
        assert_int_not_equal(other[i], query[i]);
        for (size_t j = 0; j < SHOTS; j++) assert_int_not_equal(x[j], query[i]);
    }
    text_release(&p);
    text_release(&q);
}

/* What pretraining predicts: exactly the characters of the shown answers. */
static void next_tokens_are_those_of_shown_answers(void **state) {
    struct source *s = open_with(KEYS("t.json", ""), (struct source_options){.next = true});
    struct text wanted = {0}, got = {0};
    (void)state;
    SUCCEEDS(source_reserve(s, 3, SHOTS + 1, &err));
    const struct prompt_view v = source_draw(s, 0, 3);
    for (size_t i = 0; i < v.n; i++) {
        const size_t first = v.text.first[i], n = prompt_view_length(&v, i);
        bool answer = false;
        for (size_t t = 0; t < n; t++) {
            const char c = scene_character(v.text.ids[first + t]);
            if (c == '\n') answer = false;
            if (answer) text_add(&wanted, "%c", c);
            if (c == ':' && t > 0 && scene_character(v.text.ids[first + t - 1]) == 'A')
                answer = true;
            if (v.text.next[first + t] != PROMPT_NO_TARGET)
                text_add(&got, "%c", scene_character(v.text.next[first + t]));
        }
        assert_true(v.text.next[first + n - 1] == PROMPT_NO_TARGET);
    }
    assert_true(got.size > 3 * SHOTS);
    source_close(s);
    assert_same(got, wanted);
}

static void long_prompts_are_left_out(void **state) {
    struct source *s = open_with(KEYS("t.json", ""), (struct source_options){.most_tokens = 26});
    (void)state;
    SUCCEEDS(source_reserve(s, 40, 2, &err));
    const struct prompt_view v = source_draw(s, 0, 40);
    assert_true(v.n > 0 && v.n < 40);
    assert_int_equal(source_info(s)->answers->left_out, 40 - v.n);
    for (size_t i = 0; i < v.n; i++)
        assert_true(prompt_view_length(&v, i) + prompt_view_answer_length(&v, i) <= 27);
    source_close(s);
}

static void parts_of_a_view(void **state) {
    struct source *s = open_with(KEYS("t.json", ""), (struct source_options){0});
    (void)state;
    SUCCEEDS(source_reserve(s, 4, 2, &err));
    const struct prompt_view v = source_draw(s, 0, 4), part = prompt_view_chunk(&v, 2, 8);
    assert_int_equal(part.n, 2);
    assert_ptr_equal(prompt_view_ids(&part, 1), prompt_view_ids(&v, 3));
    assert_ptr_equal(prompt_view_answer(&part, 1), prompt_view_answer(&v, 3));
    assert_int_equal(prompt_view_length(&part, 0), prompt_view_length(&v, 2));
    source_close(s);
}

static void both_directions_of_a_bijection(void **state) {
    struct text p =
        drawn(KEYS("t.json", "form = \"bijection\";"), (struct source_options){0}, SHOTS, 0, 30);
    size_t forward = 0, inverse = 0;
    (void)state;
    for (const char *at = text_str(&p); (at = strstr(at, "Q: ")); at++) {
        forward += at[3] == 'w';
        inverse += at[3] == 'A';
    }
    assert_true(forward > 30 && inverse > 30);
    text_release(&p);
}

/* Paths that end as wanted, one for each point of the axis. */
static void a_pattern_is_an_axis_of_files(void **state) {
    static const char *const wanted[] = {"/other.json", "/renamed.json", "/t.json"};
    (void)state;
    if (config) config_close(config);
    config = NULL;
    SUCCEEDS(keys_open(
        &config, "source = { kind = \"text\"; task = [\"[or]*.json\", \"t.json\"]; };", &err));
    assert_int_equal(config_stage_points(config, 0), 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(text_ends_with(config_text(config_stage_point(config, 0, i), "source.task"),
                                   wanted[i]));
    config_close(config);
    config = NULL;
    ERROR_SAYS(keys_open(&config, KEYS("none*.json", ""), &err), ERR_CONFIG,
               "none*.json matches no file");
}

static void small_tasks_are_refused_by_name(void **state) {
    struct source *s = open_with(KEYS("t.json", ""), (struct source_options){0});
    (void)state;
    ERROR_SAYS(source_reserve(s, 4, 41, &err), ERR_DATA, "t.json: ");
    assert_non_null(strstr(err.msg, "40 shots need 80"));
    source_close(s);
}

static int begin(void **state) {
    if (scratch_begin(state) != 0) return 1;
    scene_tokenizer();
    scene_task("t.json", 100, false);
    scene_task("renamed.json", 100, true);
    scene_task("other.json", 99, false);
    return source_schema(&keys_schema, &err) == ERR_OK &&
                   source_shift_schema(&keys_schema, &err) == ERR_OK
               ? 0
               : 1;
}

static int end(void **state) {
    if (config) config_close(config);
    return keys_end(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prompt_is_written_by_the_template),
        cmocka_unit_test(only_content_and_names_decide),
        cmocka_unit_test(a_sample_does_not_depend_on_its_batch),
        cmocka_unit_test(test_items_come_once),
        cmocka_unit_test(all_pairs_are_asked_and_shown),
        cmocka_unit_test(longer_prompts_ask_the_same),
        cmocka_unit_test(shuffled_labels_are_those_of_the_prompt),
        cmocka_unit_test(basis_prompts_do_not_show_what_is_asked),
        cmocka_unit_test(next_tokens_are_those_of_shown_answers),
        cmocka_unit_test(long_prompts_are_left_out),
        cmocka_unit_test(parts_of_a_view),
        cmocka_unit_test(both_directions_of_a_bijection),
        cmocka_unit_test(a_pattern_is_an_axis_of_files),
        cmocka_unit_test(small_tasks_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
