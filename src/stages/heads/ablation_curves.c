#include "stages/heads/ablation_curves.h"

#include <stdlib.h>
#include <string.h>

#include "activations/head_ranking.h"
#include "base/text.h"
#include "stages/shared_keys.h"

struct head_maps_options ablation_curves_maps(const struct config_point *point) {
    struct head_maps_options o = {.random = shared_keys_size(point, "draws")};
    for (size_t i = 0; i < config_list_size(point, "rankings"); i++)
        o.wanted[text_index(HEAD_MAP_NAMES, config_list_text(point, "rankings", i))] = true;
    return o;
}

/* Random orders exclude nothing, and are not excluded. */
static bool is_excluded(const struct head_map *by, const struct head_map *without,
                        double excluded) {
    return excluded > 0 && by->kind != HEAD_MAP_RANDOM && without->kind != HEAD_MAP_RANDOM &&
           !head_maps_alike(by, without);
}

size_t ablation_curves_count(const struct head_map *maps, size_t n, double excluded) {
    size_t curves = n;
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b < n; b++) curves += is_excluded(&maps[a], &maps[b], excluded);
    return curves;
}

static void add_curve(struct ablation_curves *c, const struct head_map *by,
                      const struct head_map *without, size_t top) {
    struct ablation_curve *to = &c->list[c->n];
    *to = (struct ablation_curve){
        .by = by, .without = without, .order = c->orders + c->n * c->heads, .left = c->heads};
    if (without)
        to->left = head_ranking_without(to->order, by->order, c->heads, without->order, top);
    else
        memcpy(to->order, by->order, c->heads * sizeof *to->order);
    c->n++;
}

enum err_code ablation_curves_create(struct ablation_curves *out, const struct head_maps *maps,
                                     double excluded, struct err *err) {
    const size_t n = ablation_curves_count(maps->list, maps->n, excluded);
    const size_t top = head_ranking_top(excluded, maps->heads);
    *out = (struct ablation_curves){.heads = maps->heads};
    out->list = calloc(n + 1, sizeof *out->list);
    out->orders = calloc(n * maps->heads + 1, sizeof *out->orders);
    if (!out->list || !out->orders) {
        ablation_curves_destroy(out);
        return ERR(err, ERR_MEMORY, "no memory for %zu orders of %zu heads", n, maps->heads);
    }
    for (size_t a = 0; a < maps->n; a++) {
        add_curve(out, &maps->list[a], NULL, 0);
        for (size_t b = 0; b < maps->n; b++)
            if (is_excluded(&maps->list[a], &maps->list[b], excluded))
                add_curve(out, &maps->list[a], &maps->list[b], top);
    }
    return ERR_OK;
}

void ablation_curves_destroy(struct ablation_curves *c) {
    free(c->orders);
    free(c->list);
    *c = (struct ablation_curves){0};
}

size_t ablation_curves_heads(const struct ablation_curve *c, double share, size_t heads) {
    const size_t top = head_ranking_top(share, heads);
    return top < c->left ? top : c->left;
}
