/*
 * Control of a fit: every value that an edit of the fit reads is replaced by a draw from N(0, I)
 * scaled to its norm, edit by edit (layer by layer), drawn for each function. Edits that share a
 * value share its replacement. It measures the effect of the vector's norm alone. Does not apply to
 * edits that are maps, which have no norm. Cost: that of the fit.
 */
#include "methods/method.h"
#include "ops/vector_ops.h"

static void redraw(float *out, const float *like, size_t n, const struct rng *stream,
                   uint64_t sample, size_t which) {
    rng_normals(out, n, stream, sample, which);
    const double scale = vector_norm(like, n) / vector_norm(out, n);
    for (size_t i = 0; i < n; i++) out[i] = (float)(scale * (double)out[i]);
}

/* From the last edit to the first, so that earlier edits still point to the shared values. */
static void random_redraw(struct edit *items, size_t n, float *values,
                          const struct method_redraw *of) {
    for (size_t i = n; i-- > 0;) {
        const struct edit old = items[i];
        const size_t width = edit_width(&old, of->E);
        size_t same = 0; /* the first edit that reads the same value */
        while (items[same].values != old.values || edit_width(&items[same], of->E) != width) same++;
        items[i].values = values + same * of->R * of->E;
        items[i].row_stride = of->E;
        for (size_t r = 0; same == i && r < of->R; r++)
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
             .cost = "that of the fit",
             .control = true,
             .weights = "",
             .vector = "v of the fit, each value replaced by a normal draw of the same norm, for "
                       "each function",
             .place = "that of the fit"},
    .control = {.applies = random_applies, .redraw = random_redraw},
};
