/*
 * ablation_curves.h - which heads an ablation leaves out: for every order of heads a curve over
 * shares, and another one without the first heads of each order of another kind.
 */
#ifndef STAGES_HEADS_ABLATION_CURVES_H
#define STAGES_HEADS_ABLATION_CURVES_H

#include "config/config.h"
#include "stages/heads/head_maps.h"

struct ablation_curve {
    const struct head_map *by, *without; /* without NULL: nothing is excluded */
    uint32_t *order;                     /* [heads] those that are left, the first ones first */
    size_t left;
};

struct ablation_curves {
    struct ablation_curve *list;
    size_t n, heads;
    uint32_t *orders; /* [n, heads] */
};

/* What the keys `rankings` and `draws` want of maps; the caller adds model and stream. */
struct head_maps_options ablation_curves_maps(const struct config_point *point);

/* The number of curves of these maps. Only their kinds are read, so plan() can ask too. */
size_t ablation_curves_count(const struct head_map *maps, size_t n, double excluded);

/* excluded: the share of heads of the other order. maps must outlive the curves. ERR_MEMORY. */
enum err_code ablation_curves_create(struct ablation_curves *out, const struct head_maps *maps,
                                     double excluded, struct err *err);
void ablation_curves_destroy(struct ablation_curves *c); /* idempotent */

/* How many heads of a curve a share of all heads is. */
size_t ablation_curves_heads(const struct ablation_curve *c, double share, size_t heads);

#endif
