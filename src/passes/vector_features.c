#include "passes/vector_features.h"

#include <stdlib.h>
#include <string.h>

static size_t layers_of_features(const struct vector_features *f) {
    return f->o.setup->params->dims.L;
}

static bool is_redrawn(const struct vector_features_options *o) {
    return o->control && o->control->control.redraw;
}

static size_t redrawn_numbers(const struct vector_features_options *o) {
    if (!is_redrawn(o)) return 0;
    return method_edits_most(o->setup) * o->chunk * o->setup->params->dims.E;
}

enum err_code vector_features_create(struct vector_features *f,
                                     const struct vector_features_options *o, struct err *err) {
    enum err_code rc = ERR_OK;
    *f = (struct vector_features){.o = *o};
    TRY(vector_pass_create(&f->pass, o->setup, o->chunk, 1, false, err));
    f->width = calloc(layers_of_features(f), sizeof *f->width);
    f->remade = calloc(redrawn_numbers(o) + 1, sizeof *f->remade);
    CHECK(f->width && f->remade, ERR_MEMORY, "no memory for the vectors of %zu functions",
          o->functions);
cleanup:
    if (rc != ERR_OK) vector_features_destroy(f);
    return rc;
}

void vector_features_destroy(struct vector_features *f) {
    vector_pass_destroy(&f->pass);
    free(f->remade);
    free(f->width);
    free(f->x);
    f->remade = f->x = NULL;
    f->width = NULL;
}

size_t vector_features_bytes(const struct vector_features_options *o) {
    return vector_pass_bytes(o->setup, o->chunk, 1, false) +
           (redrawn_numbers(o) +
            o->functions * method_edits_most(o->setup) * o->setup->params->dims.E) *
               sizeof(float);
}

static size_t site_width(const struct vector_features *f, const struct edit *e) {
    const struct model_dims *d = &f->o.setup->params->dims;
    if (e->operation == EDIT_MAP) return 0;
    return edit_width(e, e->site == EDIT_HEADS ? model_heads_width(d) : d->E);
}

/* After the first vectors are known. */
static enum err_code lay_out_layers(struct vector_features *f, struct err *err) {
    for (size_t i = 0; i < f->pass.edits.n; i++) {
        const size_t width = site_width(f, &f->pass.edits.items[i]);
        f->width[f->pass.edits.items[i].layer] += width;
        f->all += width;
    }
    f->x = calloc(f->o.functions * f->all + 1, sizeof *f->x);
    if (!f->x)
        return ERR(err, ERR_MEMORY, "no memory for the vectors of %zu functions", f->o.functions);
    return ERR_OK;
}

/* Row r of the edits of layer l, side by side. Returns where the next layer begins. */
static float *take_layer(float *to, const struct vector_features *f, size_t l, size_t r) {
    for (size_t i = 0; i < f->pass.edits.n; i++) {
        const struct edit *e = &f->pass.edits.items[i];
        const size_t width = site_width(f, e);
        if (e->layer != l || width == 0) continue;
        memcpy(to, edit_row(e, r), width * sizeof *to);
        to += width;
    }
    return to;
}

enum err_code vector_features_add(struct vector_features *f, const struct basis *basis,
                                  const float *w, size_t first, size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct method_redraw of = {n, f->o.setup->params->dims.E, &f->o.stream, first};
    vector_pass_set(&f->pass, basis, w);
    if (is_redrawn(&f->o))
        f->o.control->control.redraw(f->pass.items, f->pass.edits.n, f->remade, &of);
    if (!f->x) TRY(lay_out_layers(f, err));
    for (size_t r = 0; r < n; r++) {
        float *to = f->x + (first + r) * f->all;
        for (size_t l = 0; l < layers_of_features(f); l++) to = take_layer(to, f, l, r);
    }
cleanup:
    return rc;
}

void vector_features_layer(double *out, const struct vector_features *f, size_t l) {
    const size_t L = layers_of_features(f), width = l < L ? f->width[l] : f->all;
    size_t at = 0;
    for (size_t i = 0; l < L && i < l; i++) at += f->width[i];
    for (size_t r = 0; r < f->o.functions; r++)
        for (size_t e = 0; e < width; e++) out[r * width + e] = (double)f->x[r * f->all + at + e];
}
