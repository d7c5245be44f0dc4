#include "model/unembed.h"

#include <string.h>

#include "model/family.h"
#include "model/norm.h"

static bool has_vocabulary(const struct model_dims *d) {
    return family_of(d)->output == OUTPUT_VOCABULARY;
}

size_t unembed_width(const struct model_dims *d) { return has_vocabulary(d) ? d->vocabulary : 1; }

/* The output matrix of a model, or its gradient in a struct of gradients. */
static struct weight output_matrix(const struct params *p, const struct model_dims *d) {
    if (!has_vocabulary(d)) return weight_floats(p->read_out_w);
    return d->tied ? p->wte : p->head_w;
}

float *unembed_weight_gradient(const struct params *g, const struct model_dims *d) {
    return output_matrix(g, d).f32;
}

float *unembed_bias_gradient(const struct params *g, const struct model_dims *d) {
    return has_vocabulary(d) ? g->head_b : g->read_out_b;
}

struct weight_map unembed_map(const struct params *p) {
    const struct model_dims *d = &p->dims;
    return (struct weight_map){.W = output_matrix(p, d),
                               .b = has_vocabulary(d) ? p->head_b : p->read_out_b,
                               .I = d->E,
                               .O = unembed_width(d),
                               .layout = LINEAR_OUT_IN};
}

void unembed_lay_out(struct unembed *u, struct arena *a, const struct model_dims *d, size_t R,
                     bool for_backward) {
    u->norm = arena_floats(a, R * d->E);
    u->mean = arena_floats(a, R);
    u->rstd = arena_floats(a, R);
    u->dnorm = for_backward ? arena_floats(a, R * d->E) : NULL;
}

void unembed_norm(const struct unembed *u, const struct params *p, const float *x, size_t R) {
    norm_forward(u->norm, u->mean, u->rstd, x, p->ln_f_w, p->ln_f_b, &p->dims, R);
}

void unembed_norm_backward(float *dx, const struct params *g, const struct unembed *u,
                           const struct params *p, const float *x, size_t R) {
    memset(dx, 0, R * p->dims.E * sizeof *dx);
    norm_backward(dx, g->ln_f_w, g->ln_f_b, u->dnorm, x, u->mean, u->rstd, p->ln_f_w, &p->dims, R);
}

void unembed_forward(float *out, const struct unembed *u, const struct params *p, const float *x,
                     size_t R) {
    const struct weight_map m = unembed_map(p);
    unembed_norm(u, p, x, R);
    weight_forward(out, m.O, u->norm, &m, R);
}

void unembed_backward(float *dx, const struct params *g, const struct unembed *u,
                      const struct params *p, const float *x, const float *dout, size_t R) {
    const struct model_dims *d = &p->dims;
    const struct weight_map m = unembed_map(p);
    weight_backward(u->dnorm, 0.0f, dout, m.O, &m, R);
    weight_gradient(unembed_weight_gradient(g, d), unembed_bias_gradient(g, d), dout, m.O, u->norm,
                    &m, R);
    unembed_norm_backward(dx, g, u, p, x, R);
}
