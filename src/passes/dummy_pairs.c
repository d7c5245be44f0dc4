#include "passes/dummy_pairs.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

const char *const DUMMIES_RULES[] = {"none", "as_published", "corrected", NULL};

const struct config_key DUMMIES_KEYS[] = {
    {
        .name = "dummies",
        .type = CONFIG_NAME,
        .flags = CONFIG_AXIS,
        .def = "none",
        .choices = DUMMIES_RULES,
        .unit = "",
        .meaning =
            "Whether pairs of zeros are inserted into every prompt, with vectors added to them "
            "where the published code does, or at the x of each pair.",
    },
    {
        .name = "dummy_fractions",
        .type = CONFIG_FLOAT,
        .flags = CONFIG_LIST,
        .min = 0,
        .max = 0.999,
        .def = "[0.1, 0.25, 0.5, 0.75, 0.9]",
        .when = "dummies=as_published|corrected",
        .unit = "",
        .meaning = "Positions of the pairs: each fraction m inserts one before point int(m t) of a "
                   "prompt of t points.",
    },
};
const size_t DUMMIES_KEYS_N = sizeof DUMMIES_KEYS / sizeof *DUMMIES_KEYS;

static size_t given(const struct config_point *point) {
    return config_has(point, "dummy_fractions") ? config_list_size(point, "dummy_fractions") : 0;
}

void dummy_pairs_read(struct dummy_pairs *out, const struct config_point *point) {
    *out = (struct dummy_pairs){
        .rule = (enum dummy_pairs_rule)text_index(DUMMIES_RULES, config_text(point, "dummies"))};
    for (; out->n < given(point) && out->n < DUMMIES_MOST; out->n++)
        out->fraction[out->n] = config_list_float(point, "dummy_fractions", out->n);
}

enum err_code dummy_pairs_check(const struct config_point *point, struct err *err) {
    if (config_has(point, "dummy_fractions") && given(point) == 0)
        return config_error(err, point, "dummy_fractions",
                            "[] inserts no pairs: set dummies = \"none\" instead");
    if (given(point) <= DUMMIES_MOST) return ERR_OK;
    return config_error(err, point, "dummy_fractions", "%zu fractions, at most %d are possible",
                        given(point), DUMMIES_MOST);
}

/* Dummy pair i is inserted before this point of the prompt, counted without dummies. */
static size_t point_of(const struct dummy_pairs *d, size_t i, size_t pairs) {
    return (size_t)(d->fraction[i] * (double)(pairs + 1));
}

/* Number of dummies before dummy i: those at earlier points, and at the same point those with a
 * smaller index. */
static size_t rank_of(const struct dummy_pairs *d, size_t i, size_t pairs) {
    const size_t here = point_of(d, i, pairs);
    size_t rank = 0;
    for (size_t k = 0; k < d->n; k++) {
        const size_t there = point_of(d, k, pairs);
        rank += there < here || (there == here && k < i);
    }
    return rank;
}

void dummy_pairs_insert(float *out_x, float *out_y, const struct dummy_pairs *d, const float *x,
                        const float *y, size_t pairs, size_t dims) {
    size_t done = 0;
    for (size_t p = 0; p <= pairs; p++) {
        for (size_t i = 0; i < d->n; i++) {
            if (point_of(d, i, pairs) != p) continue;
            memset(out_x + done * dims, 0, dims * sizeof *out_x);
            out_y[done++] = 0;
        }
        if (p == pairs) break;
        memcpy(out_x + done * dims, x + p * dims, dims * sizeof *out_x);
        out_y[done++] = y[p];
    }
    assert(done == pairs + d->n);
}

void dummy_pairs_places(uint32_t *at, const struct dummy_pairs *d, size_t pairs) {
    for (size_t i = 0; i < d->n; i++) {
        const size_t point = point_of(d, i, pairs);
        if (d->rule == DUMMIES_CORRECTED)
            at[i] = (uint32_t)(2 * (point + rank_of(d, i, pairs)));
        else
            at[i] = point > 0 ? (uint32_t)(2 * (point - 1)) : 0;
    }
}
