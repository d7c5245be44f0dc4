#include "model/edit.h"

#include <assert.h>
#include <string.h>

void edit_add(float *restrict x, const float *restrict values, float scale, size_t E) {
    for (size_t e = 0; e < E; e++) {
        const float v = scale * values[e];
        x[e] = v != 0.0f ? x[e] + v : x[e]; /* -0 + 0 would be +0 */
    }
}

static void mix(float *restrict x, const float *restrict values, float gate, size_t n) {
    if (gate == 0.0f) return;
    for (size_t i = 0; i < n; i++) x[i] = (1.0f - gate) * x[i] + gate * values[i];
}

void edit_apply(float *x, const struct edit *e, size_t r, size_t E) {
    const size_t n = e->n > 0 ? e->n : E - e->from;
    const float *values = edit_row(e, r);
    assert(e->from + n <= E);
    switch (e->operation) {
    case EDIT_ADD:
        edit_add(x + e->from, values, e->scale, n);
        return;
    case EDIT_REPLACE:
        memcpy(x + e->from, values, n * sizeof *x);
        return;
    case EDIT_MIX:
        mix(x + e->from, values, e->scale, n);
        return;
    }
}
