/*
 * schema.h - one row per configuration key: its type, bounds, default, unit and meaning.
 *
 * Stages, problems, methods and estimators each have rows; stage_schema() (stages/stage.h)
 * concatenates them into the schema of a stage. Validation, expansion into jobs, `plan --resolved`,
 * `taskvec help` and docs/config.md read the same rows, so a new key is a new row and the code that
 * reads it.
 */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

enum config_type {
    CONFIG_BOOL,
    CONFIG_INT,   /* within +-2^53, checked against the digits in the file */
    CONFIG_FLOAT, /* finite; an integer literal is accepted */
    CONFIG_NAME,  /* one of `choices` */
    CONFIG_TEXT
};

/* A key that is added to a stage without raising its version must be CONFIG_SINCE, and its default
 * must compute what the stage computed before: then what was computed stays valid. */
enum config_flag {
    CONFIG_AXIS = 1,      /* may be an array: one point, so one job, for each element */
    CONFIG_LIST = 2,      /* is an array (or one scalar): the whole list is the value */
    CONFIG_PATH = 4,      /* TEXT: a file, relative to the config that contains it; a job's identity
                             has the hash of its content instead of the path */
    CONFIG_SILENT = 8,    /* cannot change a result: not part of a job's identity */
    CONFIG_OPTIONAL = 16, /* may be absent without a default */
    CONFIG_SINCE = 32     /* came later: identifies only where it differs from its default */
};

struct config_key {
    const char *name; /* dotted below its stage: "optimiser.lr", "source.dims" */
    enum config_type type;
    unsigned flags;
    double min, max;            /* inclusive, for INT and FLOAT; both 0: no bounds */
    const char *def;            /* default, as config text; NULL: required unless CONFIG_OPTIONAL */
    const char *const *choices; /* NULL-terminated, for NAME */
    const char *when;           /* condition "method=ltv|constant" (conditions.h); NULL: always */
    const char *unit;           /* "" if it has none */
    const char *meaning;        /* one sentence with its capital and full stop, for help and docs */
};

/* A published procedure as defaults of several keys: in a stage whose key `recipe` has this name,
 * `value` (config text) takes the place of the default of `key`. The point has the value like any
 * other, so the key `recipe` itself is CONFIG_SILENT. */
struct config_recipe {
    const char *name, *key, *value;
};

/* The rows of one stage, in the order of its axes. Rows are not owned and must outlive the schema.
 *
 * A key that `reads` denies for the value of the key `reader` may be given all the same, but is not
 * part of the point: points that differ in such keys alone are one point (fold.h). In the identity
 * of the job it counts with its default, or not at all where it has none. `reads` also has the
 * value of the key `setting`, "" where a stage has several. */
struct config_schema {
    const struct config_key **rows;
    size_t n, capacity;
    const struct config_recipe *recipes; /* the last has no name; NULL: there are none */
    const char *reader;                  /* "method"; NULL: every key is read */
    const char *setting;                 /* "source.kind"; NULL: none */
    bool (*reads)(const char *value, const char *setting, const char *key);
};

#endif
