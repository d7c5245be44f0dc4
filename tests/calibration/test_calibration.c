/* The arithmetic of a calibration, and that its file is used only when it is this machine's. */
#include "calibration/calibration.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "calibration/calibration_cache.h"
#include "model/tiny.h"
#include "ops/blas.h"
#include "twins/scratch.h"

static const struct calibration SPEED = {.contexts = {4e-11, 2e-11},
                                         .queries = {3e-11, 1e-11},
                                         .training = {5e-11, 5e-11},
                                         .read = 1e-10,
                                         .estimates = 1e-9,
                                         .took = 0.25,
                                         .measured = 1.75e9,
                                         .load = 0.25};

static double seconds_of(struct job_load load) { return calibration_seconds(&SPEED, &load); }

static void rates_follow_the_width(void **state) {
    (void)state;
    const struct calibration_rate r = {4e-11, 2e-11};
    CLOSE(fabs(calibration_rate_at(&r, 64) * 1e11 - (4)), 1e-9);
    CLOSE(fabs(calibration_rate_at(&r, 256) * 1e11 - (2)), 1e-9);
    /* a + b / E: the slope in 1 / E is 2e-11 / (1/64 - 1/256), the rest as E grows is 4/3 e-11. */
    CLOSE(fabs(calibration_rate_at(&r, 128) * 1e11 - (4.0 / 3 + 128.0 / 3 * 4 / 128)), 1e-9);
    CLOSE(fabs(calibration_rate_at(&r, 1e9) * 1e11 - (4.0 / 3)), 1e-6);
    /* Measurements that disagree never give a time of 0 or less. */
    const struct calibration_rate steep = {9e-11, 2e-11};
    CLOSE(fabs(calibration_rate_at(&steep, 1e9) * 1e11 - (1)), 1e-9);
}

static void kinds_add_up(void **state) {
    (void)state;
    const double job = seconds_of((struct job_load){0});
    const struct job_load contexts = {.contexts = 1e11, .width = 256};
    assert_true(job > 0.0 && job < 0.1);
    CLOSE(fabs(calibration_contexts_seconds(&SPEED, &contexts) - (2.0)), 1e-9);
    CLOSE(fabs(seconds_of(contexts) - job - (2.0)), 1e-9);
    const struct job_load all = {.contexts = 1e11,
                                 .queries = 1e11,
                                 .training = 1e11,
                                 .read = 1e10,
                                 .estimates = 1e9,
                                 .width = 64};
    CLOSE(fabs(seconds_of(all) - job - (4 + 3 + 5 + 1 + 1)), 1e-9);
    CLOSE(fabs(seconds_of((struct job_load){.estimates = 2e9}) - job - (2)), 1e-9);
}

/* ---- the file */

struct cache {
    struct scratch folder;
    char path[FILE_PATH_MAX];
};

static void cache_open(struct cache *c) {
    char home[SCRATCH_PATH];
    scratch_create(&c->folder);
    scratch_path(home, &c->folder, "cache");
    setenv("XDG_CACHE_HOME", home, 1);
    assert_true(calibration_cache_path(c->path));
    assert_memory_equal(c->path, home, strlen(home));
}

static void cache_close(struct cache *c) {
    char folder[FILE_PATH_MAX];
    (void)remove(c->path);
    memcpy(folder, c->path, sizeof folder);
    *strrchr(folder, '/') = '\0';
    (void)remove(folder);
    *strrchr(folder, '/') = '\0';
    (void)remove(folder);
    scratch_destroy(&c->folder);
}

static void load_file(struct text *out, const struct cache *c) {
    struct err err;
    text_clear(out);
    assert_int_equal(file_read(out, c->path, 1 << 20, &err), ERR_OK);
}

static bool read_after(const struct cache *c, const char *data, size_t size) {
    struct calibration got;
    struct err err;
    assert_int_equal(file_replace(c->path, data, size, &err), ERR_OK);
    return calibration_cache_read(&got);
}

static void a_calibration_is_read_back_exactly(void **state) {
    (void)state;
    struct cache c;
    struct calibration got;
    struct err err;
    cache_open(&c);
    assert_false(calibration_cache_read(&got));
    struct calibration want = SPEED;
    want.measured = clock_wall();
    calibration_cache_write(&want);
    assert_int_equal(calibration_load(&got, &err), ERR_OK); /* it measures nothing */
    want.cached = true;
    assert_memory_equal(&got, &want, sizeof got);
    cache_close(&c);
}

static void old_and_loaded_calibrations_are_measured_again(void **state) {
    (void)state;
    const double day = 86400.0, then = SPEED.measured;
    struct calibration loaded = SPEED;
    loaded.load = 3.0;
    assert_true(!calibration_is_of_busy_machine(&SPEED) && calibration_is_of_busy_machine(&loaded));
    assert_true(calibration_is_current(&SPEED, then + 6.9 * day, 0.0));
    assert_false(calibration_is_current(&SPEED, then + 7.1 * day, 0.0));
    assert_true(calibration_is_current(&SPEED, then - 60, 0.0)); /* clocks of two hosts */
    assert_false(calibration_is_current(&SPEED, then - day, 0.0));
    assert_true(calibration_is_current(&SPEED, then, 9.0)); /* the idle one is better */
    assert_false(calibration_is_current(&loaded, then + 60, 1.5));
    assert_false(calibration_is_current(&loaded, then + 60, 0.0));
    assert_true(calibration_is_current(&loaded, then + 60, 1.6)); /* little would be better */
    assert_true(calibration_load_now() >= 0.0);
}

static void old_calibrations_are_loaded_no_more(void **state) {
    (void)state;
    struct cache c;
    struct calibration got;
    struct err err;
    cache_open(&c);
    calibration_cache_write(&SPEED); /* of 2025 */
    assert_int_equal(calibration_load(&got, &err), ERR_OK);
    assert_false(got.cached);
    assert_true(fabs(got.measured - clock_wall()) < 60 && got.contexts.wide > 0.0);
    assert_true(calibration_cache_read(&got) && got.measured > SPEED.measured);
    cache_close(&c);
}

/* ---- which files stay */

/* calibration-NAME.json next to the cache's file, written this many days before `now`. */
static void put_file(const struct cache *c, const char *name, double now, double days) {
    char path[FILE_PATH_MAX];
    struct err err;
    const double written = now - days * 86400.0;
    const struct timespec times[2] = {{.tv_sec = (time_t)written}, {.tv_sec = (time_t)written}};
    (void)snprintf(path, sizeof path, "%.*s/calibration-%s.json",
                   (int)(strrchr(c->path, '/') - c->path), c->path, name);
    assert_int_equal(file_replace(path, "{}", 2, &err), ERR_OK);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* Whether it is there; removes it, so that the folder can go. */
static bool take_file(const struct cache *c, const char *name) {
    char path[FILE_PATH_MAX];
    (void)snprintf(path, sizeof path, "%.*s/calibration-%s.json",
                   (int)(strrchr(c->path, '/') - c->path), c->path, name);
    return remove(path) == 0;
}

static void files_do_not_pile_up(void **state) {
    (void)state;
    struct cache c;
    char own[16], name[64];
    const double now = clock_wall();
    cache_open(&c);
    calibration_cache_write(&SPEED);
    (void)snprintf(own, sizeof own, "%.8s", strrchr(c.path, '/') + strlen("/calibration-"));
    for (int i = 1; i <= 12; i++) { /* other builds of this host: the newest seven stay */
        (void)snprintf(name, sizeof name, "%s-%016d", own, i);
        put_file(&c, name, now, i);
    }
    for (int i = 1; i <= 12; i++) { /* of other hosts: those of a month */
        (void)snprintf(name, sizeof name, "%08d-%016d", i, 0);
        put_file(&c, name, now, 3 * i);
    }
    calibration_cache_write(&SPEED);
    for (int i = 1; i <= 12; i++) {
        (void)snprintf(name, sizeof name, "%s-%016d", own, i);
        assert_int_equal(take_file(&c, name), i <= 7);
        (void)snprintf(name, sizeof name, "%08d-%016d", i, 0);
        assert_int_equal(take_file(&c, name), 3 * i < 30);
    }
    assert_true(file_exists(c.path));
    cache_close(&c);
}

/* Replaces the first `from` in the file by `to` of the same length. */
static bool read_changed(const struct cache *c, const char *from, const char *to) {
    struct text text = {0};
    calibration_cache_write(&SPEED);
    load_file(&text, c);
    char *at = strstr(text.data, from);
    assert_non_null(at);
    memcpy(at, to, strlen(to));
    const bool read = read_after(c, text_str(&text), text.size);
    text_release(&text);
    return read;
}

static void other_hosts_builds_and_kernels_are_ignored(void **state) {
    (void)state;
    struct cache c;
    cache_open(&c);
    assert_true(read_changed(&c, "\"host\"", "\"host\"")); /* unchanged: it is taken */
    assert_false(read_changed(&c, " cores", " Cores"));
    assert_false(read_changed(&c, "\"build\":\"", "\"build\":\"~"));
    assert_false(read_changed(&c, "\"core\":\"", "\"core\":\"~"));
    assert_false(read_changed(&c, "\"format\":2", "\"format\":1"));
    cache_close(&c);
}

static void damaged_files_are_ignored(void **state) {
    (void)state;
    struct cache c;
    struct text text = {0};
    cache_open(&c);
    calibration_cache_write(&SPEED);
    load_file(&text, &c);
    for (size_t size = 0; size < text.size; size += 7)
        assert_false(read_after(&c, text_str(&text), size));
    assert_false(read_changed(&c, "4e-11", "-4e-1"));
    assert_false(read_changed(&c, "4e-11", "0e-11"));
    assert_false(read_changed(&c, "4e-11", " null"));
    text_release(&text);
    cache_close(&c);
}

static void folders_that_cannot_be_used_are_no_error(void **state) {
    (void)state;
    char path[FILE_PATH_MAX];
    struct calibration got;
    setenv("XDG_CACHE_HOME", "relative/is/ignored", 1);
    setenv("HOME", "/dev/null", 1);
    assert_true(calibration_cache_path(path));
    assert_memory_equal(path, "/dev/null/.cache/taskvec/", 25);
    calibration_cache_write(&SPEED);
    assert_false(calibration_cache_read(&got));
    unsetenv("HOME");
    assert_false(calibration_cache_path(path));
    calibration_cache_write(&SPEED);
    assert_false(calibration_cache_read(&got));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_follow_the_width),
        cmocka_unit_test(kinds_add_up),
        cmocka_unit_test(a_calibration_is_read_back_exactly),
        cmocka_unit_test(old_and_loaded_calibrations_are_measured_again),
        cmocka_unit_test(old_calibrations_are_loaded_no_more),
        cmocka_unit_test(files_do_not_pile_up),
        cmocka_unit_test(other_hosts_builds_and_kernels_are_ignored),
        cmocka_unit_test(damaged_files_are_ignored),
        cmocka_unit_test(folders_that_cannot_be_used_are_no_error),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
