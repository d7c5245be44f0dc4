#include "model/edit_slope.h"

#include <assert.h>
#include <string.h>

#include "ops/rows.h"

static bool is_at(const struct edit *e, size_t layer, enum edit_site site) {
    return e->layer == layer && e->site == site;
}

bool edits_touch(const struct edits *edits, size_t layer, enum edit_site site) {
    for (size_t i = 0; i < edits->n; i++)
        if (is_at(&edits->items[i], layer, site)) return true;
    return false;
}

bool edits_bend(const struct edits *edits, size_t layer, enum edit_site site) {
    for (size_t i = 0; i < edits->n; i++)
        if (is_at(&edits->items[i], layer, site) && edits->items[i].operation != EDIT_ADD)
            return true;
    return false;
}

/* One row. */
static void backward(float *g, const struct edit *e, size_t E) {
    const size_t n = e->n > 0 ? e->n : E - e->from;
    switch (e->operation) {
    case EDIT_ADD:
        return;
    case EDIT_REPLACE:
        memset(g + e->from, 0, n * sizeof *g);
        return;
    case EDIT_MIX:
        rows_scale(g + e->from, 1.0f - e->scale, n);
        return;
    }
}

void edits_backward(float *g, const struct edits *edits, size_t layer, enum edit_site site,
                    size_t R, size_t E) {
    for (size_t i = edits->n; i-- > 0;) {
        const struct edit *e = &edits->items[i];
        if (!is_at(e, layer, site)) continue;
        for (size_t r = 0; r < R; r++) backward(g + r * E, e, E);
    }
}
