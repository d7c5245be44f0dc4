/* Verdicts of values beside their references, and what a file of them may say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>
#include <unistd.h>

#include "run/reproduce/reproduced.h"

static struct reproduced_point point(double value, double reference, double tolerance) {
    return (struct reproduced_point){
        .value = value, .reference = reference, .tolerance = tolerance};
}

static enum reproduced_verdict judge(double value, double reference, double tolerance) {
    const struct reproduced_point p = point(value, reference, tolerance);
    return reproduced_judge(&p);
}

static void a_value_within_its_tolerance_passes(void **state) {
    (void)state;
    assert_int_equal(judge(1.0, 1.5, 0.5), REPRODUCED_PASS);
    assert_int_equal(judge(1.0, 1.5, 0.4), REPRODUCED_FAIL);
    assert_int_equal(judge(0.0, 0.0, 0.0), REPRODUCED_PASS);
    assert_int_equal(judge(1.0, nan(""), nan("")), REPRODUCED_NO_REFERENCE);
    assert_int_equal(judge(nan(""), 1.5, 0.5), REPRODUCED_FAIL);
    assert_int_equal(judge(1.0, 1.0, nan("")), REPRODUCED_FAIL);
}

/* Lines and text of the points of one value. */
static bool fails(struct text *out, const struct reproduced_point *points, size_t n, bool whole,
                  size_t lines) {
    struct reproduced r = {0};
    bool failed = false;
    assert_int_equal(reproduced_add(&r, "v", points, n, whole, NULL), ERR_OK);
    assert_int_equal(r.n, lines);
    assert_int_equal(reproduced_print(out, &failed, &r, NULL), ERR_OK);
    reproduced_release(&r);
    return failed;
}

static void many_points_are_one_line_with_the_farthest(void **state) {
    (void)state;
    struct reproduced_point points[20];
    struct text out = {0};
    for (int i = 0; i < 20; i++) points[i] = point(i, i, 1.0);
    points[7].value = 7.75;
    assert_false(fails(&out, points, 20, false, 1));
    assert_non_null(strstr(text_str(&out), "7.75"));
    assert_non_null(strstr(text_str(&out), "20 of 20 points"));
    points[11].value = nan("");
    text_clear(&out);
    assert_true(fails(&out, points, 20, false, 1));
    assert_non_null(strstr(text_str(&out), "FAIL: 19 of 20 points"));
    assert_true(fails(&out, points, 20, true, 20));
    assert_false(fails(&out, points, 10, false, 10));
    text_release(&out);
}

/* Of 100 points 2 may be beyond half of the tolerance, of 3 points one. */
static void few_points_may_be_beyond_half_of_the_tolerance(void **state) {
    (void)state;
    struct reproduced_point points[100];
    struct text out = {0};
    for (int i = 0; i < 100; i++) {
        points[i] = point(1.0, 1.0, 1.0);
        points[i].by_error = true;
        points[i].within_half = i >= 2;
    }
    assert_false(fails(&out, points, 100, false, 1));
    points[2].within_half = false;
    assert_true(fails(&out, points, 100, false, 1));
    assert_false(fails(&out, points + 2, 3, false, 3));
    assert_true(fails(&out, points + 1, 3, false, 3));
    text_release(&out);
}

/* The code of opening a file with this text and finding the scale; the message in *err. */
static enum err_code open_text(const char *json, const char *scale, struct err *err) {
    char path[] = "/tmp/reproduction-XXXXXX";
    struct reproduction r = {0};
    struct reproduction_scale s;
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, json, strlen(json)), (ssize_t)strlen(json));
    assert_int_equal(close(fd), 0);
    enum err_code rc = reproduction_open(&r, path, err);
    if (rc == ERR_OK) rc = reproduction_find_scale(&s, &r, scale, err);
    reproduction_close(&r);
    assert_int_equal(unlink(path), 0);
    return rc;
}

static void a_scale_has_a_config_with_values_or_files(void **state) {
    (void)state;
    struct err err;
    static const char WHOLE[] =
        "{\"meaning\": \"m\", \"scales\": {\"b\": {\"config\": \"c.cfg\", \"values\": []},"
        " \"a\": {\"verify\": []}, \"c\": {\"config\": \"c.cfg\", \"values_of\": \"b\"},"
        " \"d\": {\"config\": \"c.cfg\", \"values_of\": \"a\"}, \"e\": {},"
        " \"f\": {\"config\": \"c.cfg\", \"verify\": []}}}";
    assert_int_equal(open_text(WHOLE, NULL, &err), ERR_OK);
    assert_int_equal(open_text(WHOLE, "a", &err), ERR_OK);
    assert_int_equal(open_text(WHOLE, "c", &err), ERR_OK);
    assert_int_equal(open_text(WHOLE, "d", &err), ERR_DATA);
    assert_int_equal(open_text(WHOLE, "e", &err), ERR_DATA);
    assert_int_equal(open_text(WHOLE, "f", &err), ERR_DATA);
    assert_int_equal(open_text(WHOLE, "large", &err), ERR_USAGE);
    assert_non_null(strstr(err.msg, "b, a, c, d, e, f"));
    assert_int_equal(open_text("{\"scales\": {}}", NULL, &err), ERR_DATA);
    assert_int_equal(open_text("{\"meaning\": \"m\", \"scales\": []}", NULL, &err), ERR_DATA);
    assert_int_equal(open_text("{\"meaning\": \"m\", \"scales\": {}}", NULL, &err), ERR_USAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_within_its_tolerance_passes),
        cmocka_unit_test(many_points_are_one_line_with_the_farthest),
        cmocka_unit_test(few_points_may_be_beyond_half_of_the_tolerance),
        cmocka_unit_test(a_scale_has_a_config_with_values_or_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
