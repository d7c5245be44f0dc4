/*
 * reproduction.h - a published table or figure as a JSON file: per scale the config that computes
 * it, the values to read from the run, and the published numbers.
 *
 *     {"meaning": "one sentence",
 *      "scales": {
 *        "small": {
 *          "config": "../small/linear.cfg",             as all paths, from the folder of this file
 *          "set": ["standard.functions=320"],           overrides of the config
 *          "model": "../models/a.safetensors",          overrides model.checkpoint
 *          "made_by": "where a missing model comes from",
 *          "source": "table or figure that the references are from",
 *          "values": [...]},                            or "values_of": another scale
 *        "published": {"verify": ["regression/a.h5"], "source": "..."}}}
 *
 * A value is a mean over rows of a stage's table:
 *
 *     {"name": "ltv", "stage": "evaluate", "where": {"method": "ltv"}, "column": "mse",
 *      "k": [[21, 40], 100],              one number for each: k, or a range; absent: all rows
 *      "by": ["method", "fit_points"],    without references: one line for each combination
 *      "reference": [0.40, 1.14],         one for each of k; absent: no reference
 *      "tolerance": 0.1,                  allowed difference, to which "relative" times the
 *                                         reference and "errors" standard errors are added
 *      "standard_error": [...]}           of the references; or "prompts": 1280, of whose errors
 *                                         they are means, with the relative spread of ours
 */
#ifndef RUN_REPRODUCE_REPRODUCTION_H
#define RUN_REPRODUCE_REPRODUCTION_H

#include "base/err.h"
#include "base/file.h"
#include "base/text.h"
#include "json/json.h"

struct reproduction {
    char path[FILE_PATH_MAX];
    struct json root;
    const char *meaning;
};

struct reproduction_scale {
    const char *name, *made_by, *source; /* "" where absent */
    char config[FILE_PATH_MAX];          /* "" for a comparison with reference files */
    char model[FILE_PATH_MAX];           /* "": that of the config */
    struct json set, values, verify;
};

/* ERR_IO, ERR_DATA. */
enum err_code reproduction_open(struct reproduction *r, const char *path, struct err *err);
void reproduction_close(struct reproduction *r); /* idempotent */

/* name NULL: the first one. ERR_USAGE, with their names, for one that is not there. What *out holds
 * belongs to *r. */
enum err_code reproduction_find_scale(struct reproduction_scale *out, const struct reproduction *r,
                                      const char *name, struct err *err);
void reproduction_scale_names(struct text *out, const struct reproduction *r); /* "small, paper" */

#endif
