/*
 * varying_keys.h - which keys of a stage really differ among its jobs, so that a listing can leave
 * the others out.
 */
#ifndef RUN_PLAN_VARYING_KEYS_H
#define RUN_PLAN_VARYING_KEYS_H

#include "base/err.h"
#include "base/text.h"
#include "run/plan/plan.h"

enum { VARYING_KEYS_MAX = 32 };

struct varying_keys {
    const struct config_key *keys[VARYING_KEYS_MAX]; /* in the order they were met */
    size_t n;
};

/* Keys with CONFIG_AXIS whose value differs, or is absent in some, among the points of the stage.
 */
enum err_code varying_keys(struct varying_keys *out, const struct plan *p, size_t stage,
                           struct err *err);

/* "method=ltv points=26": the values of these keys in this point; absent ones are left out. */
void varying_keys_describe(struct text *out, const struct varying_keys *a, const struct plan *p,
                           const struct config_point *point);

/* Appends the value as in a config without quotes, "-" when the point does not have the key; of a
 * text task its name (task_names.h). Different values have different texts. */
void varying_keys_value(struct text *out, const struct plan *p, const struct config_point *point,
                        const char *key);

#endif
