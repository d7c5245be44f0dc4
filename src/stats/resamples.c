#include "stats/resamples.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

static void draw_indices(uint32_t *out, size_t n, size_t length, const struct rng *stream) {
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < length; i++)
            out[r * length + i] = (uint32_t)rng_below(length, stream, r, 0, i);
}

/* name: also of the stream from which the axis is drawn. */
static enum err_code axis_get(const uint32_t **out, struct resampler *r, const char *name,
                              size_t length, struct err *err) {
    for (size_t i = 0; i < r->n; i++)
        if (r->axes[i].length == length && strcmp(r->axes[i].name, name) == 0) {
            *out = r->axes[i].indices;
            return ERR_OK;
        }
    struct resampler_axis *axes = realloc(r->axes, (r->n + 1) * sizeof *axes);
    if (axes) r->axes = axes;
    uint32_t *indices = axes ? malloc(r->resamples * length * sizeof *indices) : NULL;
    if (!indices)
        return ERR(err, ERR_MEMORY, "bootstrap: no memory for %u resamples of %zu values",
                   (unsigned)r->resamples, length);
    const struct rng stream = rng_stream(r->seed, name);
    draw_indices(indices, r->resamples, length, &stream);
    axes[r->n++] = (struct resampler_axis){name, length, indices};
    *out = indices;
    return ERR_OK;
}

enum err_code resampler_get(struct resamples *out, struct resampler *r, size_t seeds,
                            size_t functions, struct err *err) {
    enum err_code rc = ERR_OK;
    *out = (struct resamples){.n = r->resamples, .seeds = seeds, .functions = functions};
    CHECK(seeds > 0 && functions > 0 && r->resamples > 0, ERR_CONFIG,
          "bootstrap: expected at least one seed, one function and one resample, got %zu, %zu "
          "and %u",
          seeds, functions, (unsigned)r->resamples);
    TRY(axis_get(&out->seed, r, "bootstrap/seeds", seeds, err));
    TRY(axis_get(&out->function, r, "bootstrap/functions", functions, err));
cleanup:
    return rc;
}

void resampler_release(struct resampler *r) {
    for (size_t i = 0; i < r->n; i++) free(r->axes[i].indices);
    free(r->axes);
    r->axes = NULL;
    r->n = 0;
}
