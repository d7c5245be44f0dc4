#include "calibration/calibration_cache.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/version.h"
#include "calibration/calibration_prune.h"
#include "ops/blas.h"
#include "json/json.h"
#include "json/json_writer.h"

enum { SIZE_MOST = 1 << 16, FORMAT = 2 };

/* ---- whose it is */

static void describe_host(struct text *out) {
    char host[128] = "";
    if (gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
    text_add(out, "%s, %ld cores", host, sysconf(_SC_NPROCESSORS_ONLN));
}

static void describe_build(struct text *out) {
    text_add(out, "%s %s %s, %s %s, %s", version_number(), version_revision(), version_diff_sum(),
             version_compiler(), version_flags(), blas_config());
}

struct owner {
    struct text host, build;
    const char *core;
};

static void owner_init(struct owner *o) {
    *o = (struct owner){.core = blas_core()};
    describe_host(&o->host);
    describe_build(&o->build);
}

static void owner_release(struct owner *o) {
    text_release(&o->host);
    text_release(&o->build);
}

static void hash_texts(char out[HASH_HEX], const char *a, const char *b) {
    struct hash h;
    hash_begin(&h);
    hash_text(&h, a);
    hash_text(&h, b);
    hash_end(out, &h);
}

bool calibration_cache_path(char out[FILE_PATH_MAX]) {
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    const bool own = cache && cache[0] == '/';
    struct owner o;
    char host[HASH_HEX], build[HASH_HEX];
    if (!own && !(home && home[0] == '/')) return false;
    owner_init(&o);
    hash_texts(host, text_str(&o.host), "");
    hash_texts(build, text_str(&o.build), o.core);
    owner_release(&o);
    const int n = snprintf(out, FILE_PATH_MAX, "%s%s/taskvec/calibration-%.8s-%.16s.json",
                           own ? cache : home, own ? "" : "/.cache", host, build);
    return n > 0 && n < FILE_PATH_MAX;
}

/* ---- the numbers of a calibration, in the order of the file */

struct number {
    const char *key;
    double *value;
};

enum { NUMBERS = 11 };

static void list_numbers(struct number out[NUMBERS], struct calibration *c) {
    const struct number all[NUMBERS] = {{"contexts_narrow", &c->contexts.narrow},
                                        {"contexts_wide", &c->contexts.wide},
                                        {"queries_narrow", &c->queries.narrow},
                                        {"queries_wide", &c->queries.wide},
                                        {"training_narrow", &c->training.narrow},
                                        {"training_wide", &c->training.wide},
                                        {"read", &c->read},
                                        {"estimates", &c->estimates},
                                        {"took", &c->took},
                                        {"measured", &c->measured},
                                        {"load", &c->load}};
    memcpy(out, all, sizeof all);
}

/* ---- reading */

static bool text_is(struct json root, const char *key, const char *wanted) {
    struct err why;
    const char *value = NULL;
    return json_read_text(&value, json_member(root, key), key, &why) == ERR_OK &&
           strcmp(value, wanted) == 0;
}

/* The seconds of a byte may be 0, where memory is as fast as the cache; the load too. */
static bool read_numbers(struct calibration *out, struct json root) {
    struct number numbers[NUMBERS];
    struct err why;
    list_numbers(numbers, out);
    for (size_t i = 0; i < NUMBERS; i++) {
        double *value = numbers[i].value;
        const struct json member = json_member(root, numbers[i].key);
        if (json_read_number(value, member, numbers[i].key, &why) != ERR_OK) return false;
        if (!isfinite(*value) || *value < 0.0) return false;
        if (value != &out->read && value != &out->load && !(*value > 0.0)) return false;
    }
    return true;
}

static bool read_owned(struct calibration *out, struct json root) {
    struct owner o;
    struct err why;
    int64_t format = 0;
    owner_init(&o);
    const bool ours =
        json_read_int(&format, json_member(root, "format"), "format", &why) == ERR_OK &&
        format == FORMAT && text_is(root, "host", text_str(&o.host)) &&
        text_is(root, "build", text_str(&o.build)) && text_is(root, "core", o.core);
    owner_release(&o);
    return ours && read_numbers(out, root);
}

bool calibration_cache_read(struct calibration *out) {
    char path[FILE_PATH_MAX];
    struct text text = {0};
    struct json root = {0};
    struct err why;
    bool read = false;
    *out = (struct calibration){.cached = true};
    if (calibration_cache_path(path) && file_exists(path) &&
        file_read(&text, path, SIZE_MOST, &why) == ERR_OK &&
        json_parse(&root, text_str(&text), text.size, path, &why) == ERR_OK)
        read = read_owned(out, root);
    json_release(&root);
    text_release(&text);
    return read;
}

/* ---- writing */

static enum err_code print_calibration(struct text *out, const struct calibration *c,
                                       struct err *err) {
    struct calibration copy = *c;
    struct number numbers[NUMBERS];
    struct owner o;
    struct json_writer w = json_writer_begin(out);
    owner_init(&o);
    list_numbers(numbers, &copy);
    json_write_object(&w);
    json_write_key(&w, "format"), json_write_int(&w, FORMAT);
    json_write_key(&w, "host"), json_write_bytes(&w, text_str(&o.host));
    json_write_key(&w, "build"), json_write_bytes(&w, text_str(&o.build));
    json_write_key(&w, "core"), json_write_bytes(&w, o.core);
    for (size_t i = 0; i < NUMBERS; i++) {
        json_write_key(&w, numbers[i].key);
        json_write_number(&w, *numbers[i].value);
    }
    json_write_close(&w);
    owner_release(&o);
    return json_writer_end(&w, err);
}

void calibration_cache_write(const struct calibration *c) {
    char path[FILE_PATH_MAX];
    struct text text = {0};
    struct err why;
    if (!calibration_cache_path(path)) return;
    char *const end = strrchr(path, '/');
    *end = '\0';
    const bool folder = file_make_folder(path, &why) == ERR_OK;
    *end = '/';
    if (folder && print_calibration(&text, c, &why) == ERR_OK &&
        file_replace(path, text_str(&text), text.size, &why) == ERR_OK)
        calibration_prune(path, clock_wall());
    text_release(&text);
}
