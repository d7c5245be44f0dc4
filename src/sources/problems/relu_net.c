/* y = sqrt(2 / r) sum_j v_j relu(u_j.x) with u, v ~ N(0, 1) and r = `size` hidden units: a random
 * two-layer network. Garg et al., NeurIPS 2022, section 5 (r = 100). E[y^2] = dims. */
#include "sources/problems/problem.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { HIDDEN_MAX = 4096 };

static size_t relu_net_parameters(const struct problem_setup *s) { return (s->dims + 1) * s->size; }

/* Parameters: u [dims, r], then v [r]. Point 0 of the stream: u; point 1: v. */
static void relu_net_draw(float *p, const struct problem_setup *s, const struct rng *stream,
                          uint64_t sample, size_t active) {
    (void)active; /* inactive coordinates of x are 0 */
    rng_normals(p, s->dims * s->size, stream, sample, 0);
    rng_normals(p + s->dims * s->size, s->size, stream, sample, 1);
}

static double net(const float *p, const struct problem_setup *s, const float *x) {
    const size_t r = s->size;
    const float *v = p + s->dims * r;
    float hidden[HIDDEN_MAX];
    double sum = 0;
    assert(r <= HIDDEN_MAX);
    memset(hidden, 0, r * sizeof *hidden);
    for (size_t c = 0; c < s->dims; c++)
        for (size_t j = 0; j < r; j++) hidden[j] += x[c] * p[c * r + j];
    for (size_t j = 0; j < r; j++)
        if (hidden[j] > 0) sum += (double)v[j] * (double)hidden[j];
    return sum;
}

static void relu_net_evaluate(float *y, const float *p, const struct problem_setup *s,
                              const float *x, size_t points) {
    const double gain = sqrt(2 / (double)s->size);
    for (size_t i = 0; i < points; i++) y[i] = (float)(gain * net(p, s, x + i * s->dims));
}

/* E[v^2 relu(u.x)^2] = |x|^2 / 2 for each unit, since u.x is symmetric; r units, times 2 / r. */
static double relu_net_variance(const struct problem_setup *s, size_t active) {
    (void)s;
    return (double)active;
}

static const struct config_key KEYS[] = {
    {.name = "source.hidden",
     .type = CONFIG_INT,
     .flags = CONFIG_AXIS,
     .min = 1,
     .max = HIDDEN_MAX,
     .def = "100",
     .when = "source.problem=relu_net",
     .unit = "",
     .meaning = "Number of hidden units."},
};

extern const struct problem problem_relu_net;
const struct problem problem_relu_net = {
    .name = "relu_net",
    .meaning = "y = sqrt(2 / r) sum_j v_j relu(u_j.x) with r hidden units and u, v ~ N(0, 1).",
    .loss = PROBLEM_SQUARED,
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .size_key = "source.hidden",
    .parameters = relu_net_parameters,
    .draw = relu_net_draw,
    .evaluate = relu_net_evaluate,
    .variance = relu_net_variance,
};
