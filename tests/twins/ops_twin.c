#include "twins/ops_twin.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct pair pair_new(size_t n) {
    struct pair p = {n, calloc(n + 1, sizeof(float)), calloc(n + 1, sizeof(double))};
    if (!p.f || !p.d) {
        fprintf(stderr, "twins: out of memory for %zu numbers\n", n);
        exit(71);
    }
    return p;
}

/* splitmix64 (Steele, Lea, Flood 2014), to a double in (0, 1). */
static double uniform(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return ((double)((z ^ (z >> 31)) >> 12) + 0.5) / 4503599627370496.0;
}

struct pair pair_normals(size_t n, uint64_t seed, double scale) {
    struct pair p = pair_new(n);
    uint64_t state = seed * 1000003u;
    for (size_t i = 0; i < n; i++) {
        const double radius = sqrt(-2.0 * log(uniform(&state)));
        p.f[i] = (float)(scale * radius * cos(6.283185307179586 * uniform(&state)));
        p.d[i] = (double)p.f[i];
    }
    return p;
}

struct pair pair_filled(size_t n, double value) {
    struct pair p = pair_new(n);
    for (size_t i = 0; i < n; i++) p.d[i] = (double)(p.f[i] = (float)value);
    return p;
}

void pair_free(struct pair *p) {
    free(p->f);
    free(p->d);
    *p = (struct pair){0};
}

double twin_error(const float *got, const double *want, size_t n) {
    double worst = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double e = fabs((double)got[i] - want[i]) / fmax(1.0, fabs(want[i]));
        if (isnan(e)) return HUGE_VAL;
        worst = fmax(worst, e);
    }
    return worst;
}

double twin_slope(double (*f)(void *context), void *context, double *x) {
    const double keep = *x, h = 1e-5;
    *x = keep + h;
    const double above = f(context);
    *x = keep - h;
    const double below = f(context);
    *x = keep;
    return (above - below) / (2.0 * h);
}

double twin_dot(const double *x, const double *y, size_t n) {
    double s = 0.0;
    for (size_t i = 0; i < n; i++) s += x[i] * y[i];
    return s;
}

void twin_linear(double *y, const double *x, const double *W, const double *b, size_t N, size_t I,
                 size_t O, int out_in) {
    for (size_t n = 0; n < N; n++)
        for (size_t o = 0; o < O; o++) {
            double s = b ? b[o] : 0.0;
            for (size_t i = 0; i < I; i++)
                s += x[n * I + i] * (out_in ? W[o * I + i] : W[i * O + o]);
            y[n * O + o] = s;
        }
}

void twin_layernorm(double *y, const double *x, const double *gain, const double *bias, double eps,
                    size_t R, size_t E) {
    for (size_t r = 0; r < R; r++) {
        double mean = 0.0, variance = 0.0;
        for (size_t e = 0; e < E; e++) mean += x[r * E + e] / (double)E;
        for (size_t e = 0; e < E; e++) variance += pow(x[r * E + e] - mean, 2.0) / (double)E;
        for (size_t e = 0; e < E; e++)
            y[r * E + e] = gain[e] * (x[r * E + e] - mean) / sqrt(variance + eps) + bias[e];
    }
}

void twin_gelu(double *y, const double *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        y[i] = 0.5 * x[i] * (1.0 + tanh(sqrt(2.0 / M_PI) * (x[i] + 0.044715 * pow(x[i], 3.0))));
}

void twin_softmax(double *x, size_t n) {
    double max = x[0], sum = 0.0;
    for (size_t i = 1; i < n; i++) max = fmax(max, x[i]);
    for (size_t i = 0; i < n; i++) sum += x[i] = exp(x[i] - max);
    for (size_t i = 0; i < n; i++) x[i] /= sum;
}

void twin_rmsnorm(double *y, const double *x, const double *gain, double eps, size_t R, size_t E) {
    for (size_t r = 0; r < R; r++) {
        double squares = 0.0;
        for (size_t e = 0; e < E; e++) squares += x[r * E + e] * x[r * E + e] / (double)E;
        for (size_t e = 0; e < E; e++) y[r * E + e] = gain[e] * x[r * E + e] / sqrt(squares + eps);
    }
}

void twin_gelu_erf(double *y, const double *x, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] = 0.5 * x[i] * erfc(-x[i] / sqrt(2.0));
}

void twin_silu(double *y, const double *x, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] = x[i] / (1.0 + exp(-x[i]));
}

static double twin_frequency(size_t i, const struct rotary_dims *r) {
    const double f = exp(-2.0 * (double)i / (double)r->dims * log(r->base));
    const double u = 2.0 * M_PI / f, N = (double)r->original;
    if (r->scaling == ROTARY_PLAIN) return f;
    if (r->scaling == ROTARY_LINEAR || u > N / r->low) return f / r->factor;
    if (u < N / r->high) return f;
    const double s = (N / u - r->low) / (r->high - r->low);
    return f * (1.0 - s) / r->factor + s * f;
}

void twin_rotary(double *x, double position, const struct rotary_dims *r, enum rotary_pairs pairs) {
    for (size_t i = 0; i < r->dims / 2; i++) {
        const double angle = position * twin_frequency(i, r);
        double *a = pairs == ROTARY_HALVES ? x + i : x + 2 * i;
        double *b = pairs == ROTARY_HALVES ? x + i + r->dims / 2 : x + 2 * i + 1;
        const double turned = *a * cos(angle) - *b * sin(angle);
        *b = *b * cos(angle) + *a * sin(angle);
        *a = turned;
    }
}

/* Output z [D] of head h of one query over n visible tokens whose qkv rows are seen[0..n). */
static void attend(double *z, double *p, const double *own, const double *const *seen, size_t n,
                   size_t h, const struct head_layout *l) {
    const size_t group = l->H / l->KV;
    const size_t q = h * l->q_step, k = l->k + h / group * l->kv_step;
    const size_t v = l->v + h / group * l->kv_step;
    for (size_t j = 0; j < n; j++) p[j] = twin_dot(own + q, seen[j] + k, l->D) * (double)l->scale;
    twin_softmax(p, n);
    for (size_t d = 0; d < l->D; d++) {
        double s = 0.0;
        for (size_t j = 0; j < n; j++) s += p[j] * seen[j][v + d];
        z[d] = s;
    }
}

/* The `own` row last, after the first n of `context`; all heads. p_out [H] rows `stride` apart. */
static void attend_heads(double *z, double *p_out, size_t stride, const double *own,
                         const double *context, size_t n, const struct head_layout *l) {
    const double **seen = malloc((n + 1) * sizeof *seen);
    double *p = malloc((n + 1) * sizeof *p);
    if (!seen || !p) exit(71);
    for (size_t j = 0; j < n; j++) seen[j] = context + j * l->row;
    seen[n] = own;
    for (size_t h = 0; h < l->H; h++) {
        attend(z + h * l->D, p, own, seen, n + 1, h, l);
        for (size_t j = 0; p_out && j <= n; j++) p_out[h * stride + j] = p[j];
    }
    free(p);
    free(seen);
}

void twin_attention(double *z, double *att, const double *qkv, size_t B, size_t T,
                    const struct head_layout *l) {
    const size_t H = l->H;
    for (size_t i = 0; att && i < B * H * T * T; i++) att[i] = 0.0;
    for (size_t b = 0; b < B; b++)
        for (size_t t = 0; t < T; t++)
            attend_heads(z + (b * T + t) * H * l->D, att ? att + b * H * T * T + t * T : NULL,
                         T * T, qkv + (b * T + t) * l->row, qkv + b * T * l->row, t, l);
}

void twin_context_attend(double *z, const double *qkv, const double *context,
                         const uint32_t *prompt, const uint32_t *tokens, size_t R, size_t T,
                         const struct head_layout *l) {
    for (size_t r = 0; r < R; r++)
        attend_heads(z + r * l->H * l->D, NULL, 0, qkv + r * l->row,
                     context + prompt[r] * T * l->row, tokens[r], l);
}

double twin_mse(const double *pred, const double *target, double weight, size_t n) {
    double s = 0.0;
    for (size_t i = 0; i < n; i++) s += weight * pow(pred[i] - target[i], 2.0);
    return s;
}

double twin_huber(const double *pred, const double *target, double delta, double weight, size_t n) {
    double s = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double a = fabs(pred[i] - target[i]);
        s += weight * (a <= delta ? a * a / 2.0 : delta * (a - delta / 2.0));
    }
    return s;
}

double twin_logistic(const double *pred, const double *target, double weight, size_t n) {
    double s = 0.0;
    for (size_t i = 0; i < n; i++) s += weight * log1p(exp(-target[i] * pred[i]));
    return s;
}
