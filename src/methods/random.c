/*
 * Directions that know nothing, as long as those of a fit: what does the size of a vector do alone?
 * Each value that an edit of the fit reads becomes N(0, I) of its own norm, edit by edit (layer by
 * layer), drawn for each function; edits that shared a value still do.
 */
#include "methods/method.h"
#include "ops/vector_ops.h"

static void redraw(float *out, const float *like, size_t n, const struct rng *stream,
                   uint64_t sample, size_t which) {
    rng_normals(out, n, stream, sample, which);
    const double scale = vector_norm(like, n) / vector_norm(out, n);
    for (size_t i = 0; i < n; i++) out[i] = (float)(scale * (double)out[i]);
}

static size_t width_of(const struct edit *e, size_t E) { return e->n > 0 ? e->n : E - e->from; }

/* From the last edit on, so that those before it still show what they shared. */
static void random_redraw(struct edit *items, size_t n, float *values,
                          const struct method_redraw *of) {
    for (size_t i = n; i-- > 0;) {
        const struct edit old = items[i];
        const size_t width = width_of(&old, of->E);
        size_t twin = 0;
        while (items[twin].values != old.values || width_of(&items[twin], of->E) != width) twin++;
        items[i].values = values + twin * of->R * of->E;
        items[i].row_stride = of->E;
        for (size_t r = 0; twin == i && r < of->R; r++)
            redraw(values + (i * of->R + r) * of->E, edit_row(&old, r), width, of->stream,
                   of->first + r, i);
    }
}

static bool random_applies(const struct method *fit, bool own_basis) {
    (void)own_basis;
    return !fit->application.maps;
}

extern const struct method method_random;
const struct method method_random = {
    .name = "random",
    .docs = {.meaning =
                 "Control of a fit: random directions, drawn per function, with the norm of its "
                 "vector in each layer.",
             .paper = "",
             .sees = "the norms of the fit's vector",
             .cost = "that of the fit"},
    .control = {.applies = random_applies, .redraw = random_redraw},
};
