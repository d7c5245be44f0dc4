#include "model/unembed.h"

#include <string.h>

#include "model/family.h"
#include "ops/layernorm.h"
#include "ops/linear.h"

struct output_matrix {
    float *w, *b; /* [O, E]; [O] or NULL: no bias */
    size_t O;
};

static struct output_matrix output_matrix_of(const struct params *p, const struct model_dims *d) {
    const bool tied = family_of(d)->output == OUTPUT_TIED;
    return tied ? (struct output_matrix){p->wte, NULL, d->vocabulary}
                : (struct output_matrix){p->read_out_w, p->read_out_b, 1};
}

size_t unembed_width(const struct model_dims *d) {
    return family_of(d)->output == OUTPUT_TIED ? d->vocabulary : 1;
}

void unembed_lay_out(struct unembed *u, struct arena *a, const struct model_dims *d, size_t R,
                     bool for_backward) {
    u->norm = arena_floats(a, R * d->E);
    u->mean = arena_floats(a, R);
    u->rstd = arena_floats(a, R);
    u->dnorm = for_backward ? arena_floats(a, R * d->E) : NULL;
}

void unembed_forward(float *out, const struct unembed *u, const struct params *p, const float *x,
                     size_t R) {
    const struct model_dims *d = &p->dims;
    const struct output_matrix m = output_matrix_of(p, d);
    layernorm_forward(u->norm, u->mean, u->rstd, x, p->ln_f_w, p->ln_f_b, d->epsilon, R, d->E);
    linear_forward(out, u->norm, m.w, m.b, R, d->E, m.O, LINEAR_OUT_IN);
}

void unembed_backward(float *dx, const struct params *g, const struct unembed *u,
                      const struct params *p, const float *x, const float *dout, size_t R) {
    const struct model_dims *d = &p->dims;
    const struct output_matrix m = output_matrix_of(p, d), dm = output_matrix_of(g, d);
    memset(dx, 0, R * d->E * sizeof *dx);
    linear_backward(u->dnorm, dm.w, dm.b, dout, u->norm, m.w, R, d->E, m.O, LINEAR_OUT_IN);
    layernorm_backward(dx, g->ln_f_w, g->ln_f_b, u->dnorm, x, u->mean, u->rstd, p->ln_f_w, R, d->E);
}
