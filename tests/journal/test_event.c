#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "journal/event.h"

static const char ID[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static void add_row(struct text *out, int64_t number, const struct job_value *cells, size_t n) {
    struct text line = {0};
    event_begin(&line, EVENT_ROW);
    event_text(&line, "job", ID);
    event_integer(&line, "number", number);
    for (size_t i = 0; i < n; i++) event_cell(&line, &cells[i]);
    event_end(&line);
    text_bytes(out, line.data, line.size);
    text_release(&line);
}

static void test_round_trip(void **state) {
    (void)state;
    static const char HARD[] = "100% tab\there, line\nthere, = sign, \x7f\x01 and \xc3\xa9";
    const struct job_value cells[] = {
        {JOB_TEXT, {.text = HARD}},        {JOB_TEXT, {.text = ""}},
        {JOB_INT, {.integer = INT64_MIN}}, {JOB_REAL, {.real = 0.1}},
        {JOB_REAL, {.real = -HUGE_VAL}},   {JOB_REAL, {.real = nan("")}},
        {JOB_REAL, {.real = 4.9e-324}},
    };
    struct text data = {0};
    struct event_reader r;
    struct job_value v;
    add_row(&data, 7, cells, 7);
    event_reader_init(&r, data.data, data.size);
    assert_true(event_reader_next(&r));
    assert_int_equal(r.event.kind, EVENT_ROW);
    assert_string_equal(r.event.job, ID);
    assert_int_equal(event_find_integer(&r.event, "number", -1), 7);
    for (size_t i = 0; i < 7; i++) {
        assert_true(event_find_cell(&v, &r.event, i));
        assert_int_equal(v.type, cells[i].type);
        if (v.type == JOB_TEXT)
            assert_string_equal(v.as.text, cells[i].as.text);
        else if (i == 5)
            assert_true(isnan(v.as.real));
        else
            assert_memory_equal(&v.as, &cells[i].as, 8);
    }
    assert_false(event_find_cell(&v, &r.event, 7));
    assert_false(event_reader_next(&r));
    assert_int_equal(r.damaged, 0);
    assert_false(r.torn);
    event_reader_release(&r);
    text_release(&data);
}

static void add_journal(struct text *data) {
    for (int64_t i = 0; i < 20; i++) {
        const struct job_value cells[] = {{JOB_INT, {.integer = i}}, {JOB_TEXT, {.text = "a%b"}}};
        add_row(data, i, cells, 2);
    }
}

/* Any prefix reads as the whole lines it holds. */
static void test_every_prefix(void **state) {
    (void)state;
    struct text data = {0};
    add_journal(&data);
    for (size_t size = 0; size <= data.size; size++) {
        struct event_reader r;
        char *prefix = malloc(size + 1); /* exact, so that ASan sees a step too far */
        int64_t lines = 0, whole = 0;
        memcpy(prefix, data.data, size);
        for (size_t i = 0; i < size; i++) whole += prefix[i] == '\n';
        event_reader_init(&r, prefix, size);
        for (; event_reader_next(&r); lines++)
            assert_int_equal(event_find_integer(&r.event, "number", -1), lines);
        assert_int_equal(lines, whole);
        assert_int_equal(r.damaged, 0);
        assert_int_equal(r.torn, size > 0 && prefix[size - 1] != '\n');
        event_reader_release(&r);
        free(prefix);
    }
    text_release(&data);
}

/* One changed byte costs the line it is in, two if it was the newline between them, never another
 * and never goes unnoticed. */
static void test_every_byte_damaged(void **state) {
    (void)state;
    struct text data = {0};
    add_journal(&data);
    const struct rng rng = rng_stream(1, "test/event");
    for (size_t at = 0; at + 1 < data.size; at++) {
        struct event_reader r;
        size_t lines = 0;
        const char keep = data.data[at];
        const char flip = (char)(1 + rng_below(255, &rng, at, 0, 0));
        data.data[at] = (char)(keep ^ flip);
        event_reader_init(&r, data.data, data.size);
        while (event_reader_next(&r)) lines++;
        /* A digit of the checksum in capitals is the same checksum. */
        const bool same = flip == 0x20 && keep >= 'a' && keep <= 'f' && lines == 20;
        if (!same) {
            assert_in_range(r.damaged, 1, 2);
            assert_in_range(lines, 18, 19);
        }
        event_reader_release(&r);
        data.data[at] = keep;
    }
    text_release(&data);
}

static void test_noise(void **state) {
    (void)state;
    const struct rng rng = rng_stream(2, "test/event");
    for (uint64_t round = 0; round < 300; round++) {
        struct event_reader r;
        char noise[512];
        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = "0123456789abcdef\t\n=%c:ti\xff"[rng_below(25, &rng, round, i, 0)];
        event_reader_init(&r, noise, sizeof noise);
        while (event_reader_next(&r)) fail_msg("noise was taken for an event");
        event_reader_release(&r);
    }
}

static size_t parse_built(const char *rest, struct event *e) {
    struct text line = {0};
    event_begin(&line, EVENT_END);
    line.size = 17;
    text_add(&line, "%s", rest);
    event_end(&line);
    const bool sound = event_parse(e, line.data, line.size - 1);
    text_release(&line);
    return sound;
}

/* Sound checksums around contents of another version, or of none. */
static void test_contents(void **state) {
    (void)state;
    struct event e = {0};
    struct job_value v;
    assert_true(parse_built("levitate\tjob=x\theight=0x1p+1", &e));
    assert_int_equal(e.kind, EVENT_OTHER);
    assert_string_equal(e.word, "levitate");
    assert_true(event_find_real(&e, "height", 0.0) == 2.0);
    assert_true(parse_built("end", &e));
    assert_int_equal(event_find_integer(&e, "code", 42), 42);
    assert_true(parse_built("end\tcode=x", &e));
    assert_int_equal(event_find_integer(&e, "code", 42), 42);
    assert_true(parse_built("row\tc=z:1\tc=i:\tc=r:1x\tc=", &e));
    for (size_t i = 0; i < 4; i++) assert_false(event_find_cell(&v, &e, i));
    assert_false(parse_built("", &e));
    assert_false(parse_built("end\tnothing", &e));
    assert_false(parse_built("end\t=1", &e));
    assert_false(parse_built("end\tcode=%0", &e));
    assert_false(parse_built("end\tcode=%00", &e));
    assert_false(parse_built("end\tcode=%zz", &e));
    event_release(&e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),         cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_every_byte_damaged), cmocka_unit_test(test_noise),
        cmocka_unit_test(test_contents),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
