/*
 * sample.h - a small schema and a folder of its own for the tests of config.
 */
#ifndef TESTS_CONFIG_SAMPLE_H
#define TESTS_CONFIG_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/config.h"

static const char *const SAMPLE_METHODS[] = {"ltv", "constant", "zero", NULL};
static const char *const SAMPLE_PROBLEMS[] = {"linear", "sparse_linear", NULL};
static const char *const SAMPLE_READINGS[] = {"heads", "blocks", NULL};

static const struct config_key SAMPLE_FIT[] = {
    {"method", CONFIG_NAME, CONFIG_AXIS, 0, 0, "ltv", SAMPLE_METHODS, NULL, "", "the method"},
    {"points", CONFIG_INT, CONFIG_AXIS, 1, 1e6, NULL, NULL, NULL, "", "examples in a prompt"},
    {"repeat", CONFIG_INT, CONFIG_AXIS, 0, 1e6, "0", NULL, NULL, "", "number of the repeat"},
    {"batch", CONFIG_INT, 0, 1, 4096, "256", NULL, NULL, "prompts", "prompts in a step"},
    {"optimiser.lr", CONFIG_FLOAT, CONFIG_AXIS, 0, 1, "1e-2", NULL, NULL, "", "step size"},
    {"optimiser.decay", CONFIG_FLOAT, 0, 0, 1e300, "0", NULL, NULL, "", "weight decay"},
    {"ltv.reading", CONFIG_NAME, CONFIG_AXIS, 0, 0, "heads", SAMPLE_READINGS, "method=ltv", "",
     "how heads are read"},
    {"constant.at", CONFIG_INT, CONFIG_AXIS, 0, 100, "0", NULL, "method=constant|zero", "",
     "layer"},
    {"also", CONFIG_NAME, CONFIG_LIST, 0, 0, "[]", SAMPLE_METHODS, NULL, "", "further methods"},
    {"weights", CONFIG_FLOAT, CONFIG_LIST, 0, 0, NULL, NULL, "method=zero", "", "weights"},
    {"verbose", CONFIG_BOOL, CONFIG_SILENT, 0, 0, "false", NULL, NULL, "", "more lines"},
    {"note", CONFIG_TEXT, CONFIG_OPTIONAL, 0, 0, NULL, NULL, NULL, "", "free text"},
    {"source.problem", CONFIG_NAME, CONFIG_AXIS, 0, 0, "linear", SAMPLE_PROBLEMS, NULL, "",
     "class"},
    {"source.dims", CONFIG_INT, CONFIG_AXIS, 1, 1000, "5", NULL, NULL, "", "dimensions"},
    {"source.nonzero", CONFIG_INT, 0, 1, 1000, "3", NULL, "source.problem=sparse_linear", "",
     "entries that are not zero"},
    {"model.checkpoint", CONFIG_TEXT, CONFIG_PATH, 0, 0, "", NULL, NULL, "", "file of the model"},
};

#define KEYS                                                                                       \
    "method, points, repeat, batch, optimiser.lr, optimiser.decay, ltv.reading, constant.at, "     \
    "also, weights, verbose, note, source.problem, source.dims, source.nonzero, model.checkpoint"

static const struct config_key SAMPLE_SHOW[] = {
    {"points", CONFIG_INT, 0, 1, 1000, "41", NULL, NULL, "", "examples in a prompt"},
    {"big", CONFIG_INT, 0, 0, 0, "0", NULL, NULL, "", "any integer"},
    {"share", CONFIG_FLOAT, 0, 0, 0, "0.5", NULL, NULL, "", "any number"},
};

static const char *const SAMPLE_KINDS[] = {"fit", "show"};
static struct config_schema sample_fit, sample_show;
static char sample_folder[64];

static inline const struct config_schema *sample_schema_of(const char *kind, void *context) {
    (void)context;
    if (strcmp(kind, "fit") == 0) return &sample_fit;
    return strcmp(kind, "show") == 0 ? &sample_show : NULL;
}

static const struct config_kinds SAMPLE = {SAMPLE_KINDS, 2, sample_schema_of, NULL, false};

#define ROWS(rows) rows, sizeof rows / sizeof *rows

static inline int sample_setup(void **state) {
    (void)state;
    struct err err;
    (void)snprintf(sample_folder, sizeof sample_folder, "/tmp/taskvec-config-XXXXXX");
    if (!mkdtemp(sample_folder) || chdir(sample_folder) != 0) return -1;
    if (config_schema_add(&sample_fit, ROWS(SAMPLE_FIT), &err) != ERR_OK) return -1;
    return config_schema_add(&sample_show, ROWS(SAMPLE_SHOW), &err) == ERR_OK ? 0 : -1;
}

static inline int sample_teardown(void **state) {
    (void)state;
    char command[128];
    config_schema_release(&sample_fit);
    config_schema_release(&sample_show);
    (void)snprintf(command, sizeof command, "rm -r %s", sample_folder);
    return chdir("/") == 0 ? system(command) : -1;
}

static inline void sample_bytes(const char *path, const char *text, size_t n) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static inline void sample_write(const char *path, const char *text) {
    sample_bytes(path, text, strlen(text));
}

/* Opens a.cfg with this text, which has to work. */
static inline struct config *sample_open(const char *text) {
    struct config *c = NULL;
    struct err err = {.msg = ""};
    sample_write("a.cfg", text);
    if (config_open(&c, "a.cfg", NULL, 0, &SAMPLE, &err) != ERR_OK) fail_msg("%s", err.msg);
    return c;
}

static inline struct config *sample_open_set(const char *text, const char *const *sets, size_t n) {
    struct config *c = NULL;
    struct err err = {.msg = ""};
    sample_write("a.cfg", text);
    if (config_open(&c, "a.cfg", sets, n, &SAMPLE, &err) != ERR_OK) fail_msg("%s", err.msg);
    return c;
}

/* Opens a.cfg as it is, which has to fail with this code and message. */
static inline void sample_refuse_set(const char *const *sets, size_t n, enum err_code code,
                                     const char *message) {
    struct config *c = NULL;
    struct err err = {.msg = "opened without an error"};
    const enum err_code rc = config_open(&c, "a.cfg", sets, n, &SAMPLE, &err);
    if (rc == ERR_OK) config_close(c);
    assert_string_equal(err.msg, message);
    assert_int_equal(rc, code);
    assert_int_equal(err.code, code);
}

static inline void sample_refuse(const char *text, const char *message) {
    sample_write("a.cfg", text);
    sample_refuse_set(NULL, 0, ERR_CONFIG, message);
}

#endif
