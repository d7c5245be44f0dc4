/*
 * source_kind.h - what a kind of source implements; only its file and source.c include this.
 *
 * A kind has a struct of its own whose first member is a struct source, and a function that opens
 * it from a config point, which source_registry.c calls.
 */
#ifndef SOURCES_SOURCE_KIND_H
#define SOURCES_SOURCE_KIND_H

#include "sources/source.h"

struct source_draw { /* samples first .. first + n - 1 into rows row .. row + n - 1 */
    size_t row, n;
    uint64_t first;
    size_t points, active; /* active: coordinates of x in use, 0: all */
};

struct source_kind {
    void (*close)(struct source *s);
    size_t (*points)(const struct source *s, size_t points);
    enum err_code (*check)(const struct source *s, const struct config_point *point, size_t inputs,
                           struct err *err);
    enum err_code (*reserve)(struct source *s, size_t n, size_t points, struct err *err);
    size_t (*bytes)(const struct source *s, size_t n, size_t points);
    /* Rows 0 .. row + n - 1 afterwards. */
    struct prompt_view (*draw)(struct source *s, const struct source_draw *draw);
    /* Of sources of token ids; NULL for others. */
    enum err_code (*status)(const struct source *s, struct err *err);
    struct source_question (*question)(const struct source *s, size_t i);
    enum err_code (*reads_as_answer)(bool *out, const struct source *s, size_t i,
                                     const uint32_t *ids, size_t n, struct err *err);
    enum err_code (*measure)(struct source_lengths *out, struct source *s,
                             const struct source_range *range, struct err *err);
    /* Of sources of functions; NULL for others. */
    double (*normaliser)(const struct source *s, size_t active);
    const float *(*parameters)(const struct source *s);
};

struct source {
    const struct source_kind *kind;
    struct source_info info;
    size_t points; /* as reserved */
};

#endif
