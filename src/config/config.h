/*
 * config.h - a config file becomes stages, a stage becomes points: one point per job.
 *
 * The language is described for users in docs/config.md. config_open() reads it in these steps:
 *
 *     syntax/      scan (limits, numbers as text), libconfig, then a tree of nodes with file:line
 *     overlay.c    `base` files and -s: several trees become one, the later one takes precedence
 *                  key by key
 *     nested_choice  `choose` in a fit becomes a stage of its own
 *     stage_entry  each stage: keys find their rows (schema.h), values are typed and bounded
 *     top_level.c  the groups `model` and `source` become defaults of the stages; `of` is linked
 *     axes.c       keys with several values, zip, list and exclude become axes
 *     expand.c     axes become points: the product, the last axis fastest
 *
 * A key whose condition (`when`) does not hold in a point is not part of that point. Every mistake
 * is ERR_CONFIG with one line, "FILE:LINE: stage.key: what is wrong, what was received, what to
 * do". Once open, a config is const.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "config/schema.h"

struct config;       /* a whole file with its bases and overrides, resolved */
struct config_point; /* the resolved keys of one job */

/* What config needs to know about stage kinds. schema_of returns NULL for an unknown kind. */
struct config_kinds {
    const char *const *names;
    size_t n;
    const struct config_schema *(*schema_of)(const char *kind, void *context);
    void *context;
    bool whole; /* points keep keys that are not read, as before version 0.3.0 (fold.h) */
};

/* Reads, overlays, overrides, checks and expands. sets: "seed=3", "fit.points=[16,26]",
 * "model.layers=3" (first word: a stage's name or a top-level key); strings may go unquoted. */
enum err_code config_open(struct config **out, const char *path, const char *const *sets,
                          size_t n_sets, const struct config_kinds *kinds, struct err *err);
void config_close(struct config *c); /* NULL-safe; ends every point of it */

const char *config_name(const struct config *c);
uint64_t config_seed(const struct config *c);
const char *config_gemm(const struct config *c); /* "openblas" or "onednn" */
const char *config_path(const struct config *c);

size_t config_stage_count(const struct config *c);
const char *config_stage_kind(const struct config *c, size_t stage);
const char *config_stage_name(const struct config *c, size_t stage); /* unique in the file */
size_t config_stage_of_count(const struct config *c, size_t stage);
const char *config_stage_of(const struct config *c, size_t stage, size_t i);
/* ERR_CONFIG "file:line: stage.key: MESSAGE" with the place of the whole stage; key may be NULL. */
enum err_code config_stage_error(struct err *err, const struct config *c, size_t stage,
                                 const char *key, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* Whether the stage itself gives the key, and whether as one value without brackets. */
bool config_stage_sets(const struct config *c, size_t stage, const char *key);
bool config_stage_sets_one(const struct config *c, size_t stage, const char *key);
/* Whether the stage itself gives the key another value than its default, or several. */
bool config_stage_changes(const struct config *c, size_t stage, const char *key);
size_t config_stage_points(const struct config *c, size_t stage);
/* Points that its axes span: those that differ only in keys that are not read are one point. */
size_t config_stage_spanned(const struct config *c, size_t stage);
/* The keys of its schema, and how many values one takes in the stage. */
size_t config_stage_keys(const struct config *c, size_t stage);
const struct config_key *config_stage_key(const struct config *c, size_t stage, size_t k);
size_t config_stage_values(const struct config *c, size_t stage, size_t k);
const struct config_point *config_stage_point(const struct config *c, size_t stage, size_t i);

/* Appends the resolved config with every default and absolute paths. The text opens again to a
 * config that prints the same bytes. */
void config_print(struct text *out, const struct config *c);

/* ---- keys of a point. It is a bug to ask for a key that the point lacks, or as another type. */
bool config_has(const struct config_point *p, const char *key);
/* The key is not read where the others have the values of this point (schema.h, `reads`). */
bool config_is_unread(const struct config_point *p, const char *key);
bool config_bool(const struct config_point *p, const char *key);
int64_t config_int(const struct config_point *p, const char *key);
double config_float(const struct config_point *p, const char *key);
const char *config_text(const struct config_point *p, const char *key); /* NAME and TEXT */
size_t config_list_size(const struct config_point *p, const char *key); /* CONFIG_LIST keys */
int64_t config_list_int(const struct config_point *p, const char *key, size_t i);
double config_list_float(const struct config_point *p, const char *key, size_t i);
const char *config_list_text(const struct config_point *p, const char *key, size_t i);

/* The seed of the run, for plan(): 0 in a point that config_point_read() has made, since a job that
 * computes gets its seed from its job_ctx. */
uint64_t config_point_seed(const struct config_point *p);

/* What a relative path in this value was relative to, for messages: the current directory if -s
 * gave the value, otherwise the file that contains it. */
const char *config_path_base(const struct config_point *p, const char *key);

/* ERR_CONFIG "file:line: stage.key: MESSAGE" with the place of the key's value in this point (of
 * the stage when the point lacks the key), for what the schema cannot check: numbers that do not
 * fit the model or each other. The message states what was received and the next step. */
enum err_code config_error(struct err *err, const struct config_point *p, const char *key,
                           const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* CHECK for such errors; needs `rc`, `err` and `cleanup:` in scope. */
#define CHECK_CONFIG(condition, point, key, ...)                                                   \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            rc = config_error(err, (point), (key), __VA_ARGS__);                                   \
            goto cleanup;                                                                          \
        }                                                                                          \
    } while (0)

/* Keys of the point in schema order, for `plan` and tables. */
size_t config_point_size(const struct config_point *p);
const struct config_key *config_point_key(const struct config_point *p, size_t i);
void config_point_value(struct text *out, const struct config_point *p,
                        size_t i); /* as in a file */

/* Two points of one stage have the same keys, with values that may differ. */
bool config_point_same_keys(const struct config_point *a, const struct config_point *b);

/* Part of the job's identity: false for a SILENT key, and for a SINCE key with its default. */
bool config_point_identifies(const struct config_point *p, size_t i);

/* One line "key type value @place" per key, floats exact. read() is the inverse of write() and
 * needs no schema: the process that computes a job gets its point this way. identity() is the text
 * whose hash identifies a job: without places, without PATH keys and without those that
 * config_point_identifies() excludes; keys that are not read stand there with their defaults. */
void config_point_write(struct text *out, const struct config_point *p);
void config_point_identity(struct text *out, const struct config_point *p);
enum err_code config_point_read(struct config_point **out, const char *text, struct err *err);
void config_point_destroy(struct config_point *p); /* only for points made by config_point_read */

/* Schema building and help. */
enum err_code config_schema_add(struct config_schema *s, const struct config_key *rows, size_t n,
                                struct err *err);
void config_schema_release(struct config_schema *s);

/* A row as text for help. values: type, bounds and unit; default: its text, "required" or
 * "optional"; facts: both, whether it is an axis, and its condition. */
void config_key_values(struct text *out, const struct config_key *row);
void config_key_default(struct text *out, const struct config_key *row);
void config_key_facts(struct text *out, const struct config_key *row);

#endif
