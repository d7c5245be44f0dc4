/*
 * Two-layer network: y = W2 relu(W1 x + b1) + b2, trained from scratch for every k by `steps` steps
 * of Adam on the mean squared error. Garg et al., NeurIPS 2022, section 5 (100 hidden units,
 * learning rate 5e-3, 100 steps). Initial weights are uniform within +-1/sqrt(inputs of the layer),
 * as in PyTorch's Linear, with a fresh draw for every k. A step uses all examples if they fit the
 * batch, otherwise a random subset. Cost: about 6 steps k dims hidden operations for every k.
 */
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "estimators/estimator.h"
#include "ops/linear.h"
#include "optim/adam.h"

struct net {
    size_t D, H, n;       /* n: parameters */
    float *w, *m, *v, *g; /* [n] each: W1 [D,H], b1 [H], W2 [H,1], b2 [1] */
    float *x, *y;         /* [batch, D], [batch] */
    float *hidden, *back; /* [batch, H]: activations, and the loss derivative there */
    float *out, *loss;    /* [batch] */
};

static size_t smaller_size(size_t a, size_t b) { return a < b ? a : b; }

static size_t parameters(size_t D, size_t H) { return D * H + 2 * H + 1; }

static size_t net_state_bytes(const struct estimator_setup *s, size_t points, size_t dims) {
    const size_t rows = smaller_size(s->batch, points);
    const size_t floats = 4 * parameters(dims, s->size) + rows * (dims + 2 * s->size + 3);
    return floats * sizeof(float) + points * sizeof(uint32_t);
}

static double net_flops(const struct estimator_setup *s, size_t k, size_t dims) {
    const double rows = (double)smaller_size(s->batch, k);
    const double step = 6 * rows * (double)(dims + 1) * (double)s->size;
    return 0.1 * (double)s->steps * (step + 10 * (double)parameters(dims, s->size));
}

static struct net net_lay_out(const struct estimator_setup *s, const struct estimator_prompt *p,
                              void *state) {
    const size_t rows = smaller_size(s->batch, p->points);
    struct net net = {.D = p->dims, .H = s->size, .n = parameters(p->dims, s->size), .w = state};
    net.m = net.w + net.n;
    net.v = net.m + net.n;
    net.g = net.v + net.n;
    net.x = net.g + net.n;
    net.y = net.x + rows * net.D;
    net.hidden = net.y + rows;
    net.back = net.hidden + rows * net.H;
    net.out = net.back + rows * net.H;
    net.loss = net.out + rows;
    return net;
}

/* n numbers within +-bound, from draws point * n, ... of the sample. */
static void draw_uniform(float *w, size_t n, double bound, const struct rng *stream,
                         uint64_t sample, uint64_t point) {
    double u;
    for (size_t i = 0; i < n; i++) {
        rng_uniforms(&u, 1, stream, sample, point * n + i);
        w[i] = (float)(bound * (2 * u - 1));
    }
}

static void net_init(struct net *net, const struct estimator_prompt *p, size_t k) {
    static const char *const NAMES[] = {"two_layer_net/W1", "two_layer_net/b1", "two_layer_net/W2",
                                        "two_layer_net/b2"};
    const size_t size[] = {net->D * net->H, net->H, net->H, 1};
    float *w = net->w;
    for (size_t i = 0; i < 4; w += size[i++]) {
        const struct rng stream = rng_stream(p->seed, NAMES[i]);
        const double inputs = (double)(i < 2 ? net->D : net->H);
        draw_uniform(w, size[i], 1 / sqrt(inputs), &stream, p->sample, k);
    }
    memset(net->m, 0, 2 * net->n * sizeof *net->m); /* and v */
}

/* hidden and out of `rows` rows of x. */
static void forward(const struct net *net, size_t rows) {
    const float *b1 = net->w + net->D * net->H, *W2 = b1 + net->H, *b2 = W2 + net->H;
    linear_forward(net->hidden, net->x, net->w, b1, rows, net->D, net->H, LINEAR_IN_OUT);
    for (size_t i = 0; i < rows * net->H; i++) net->hidden[i] = fmaxf(net->hidden[i], 0);
    linear_forward(net->out, net->hidden, W2, b2, rows, net->H, 1, LINEAR_IN_OUT);
}

/* g: gradient of the mean squared error over `rows` rows, after forward(). */
static void backward(const struct net *net, size_t rows) {
    const size_t DH = net->D * net->H, H = net->H;
    float *g = net->g;
    memset(g, 0, net->n * sizeof *g);
    for (size_t i = 0; i < rows; i++) net->loss[i] = 2 * (net->out[i] - net->y[i]) / (float)rows;
    linear_backward(net->back, g + DH + H, g + DH + 2 * H, net->loss, net->hidden, net->w + DH + H,
                    rows, H, 1, LINEAR_IN_OUT);
    for (size_t i = 0; i < rows * H; i++)
        if (net->hidden[i] <= 0) net->back[i] = 0;
    linear_backward(NULL, g, g + DH, net->back, net->x, NULL, rows, net->D, H, LINEAR_IN_OUT);
}

/* The examples of one step: all k, or `rows` of them in the order of a permutation. */
static void choose(struct net *net, const struct estimator_prompt *p, size_t k, size_t rows,
                   size_t step, uint32_t *order) {
    if (rows == k) {
        if (step > 0) return;
        memcpy(net->x, p->x, k * net->D * sizeof *net->x);
        memcpy(net->y, p->y, k * sizeof *net->y);
        return;
    }
    const struct rng stream = rng_stream(p->seed, "two_layer_net/batch");
    rng_permutation(order, (uint32_t)k, &stream, p->sample, (uint64_t)k << 32 | step);
    for (size_t i = 0; i < rows; i++) {
        memcpy(net->x + i * net->D, p->x + order[i] * net->D, net->D * sizeof *net->x);
        net->y[i] = p->y[order[i]];
    }
}

static enum err_code net_predict(double *y, const struct estimator_setup *s,
                                 const struct estimator_prompt *p, size_t k, void *state,
                                 struct err *err) {
    static const struct adam ADAM = {0.9F, 0.999F, 1e-8F};
    struct net net = net_lay_out(s, p, state);
    const size_t rows = smaller_size(s->batch, k);
    uint32_t *order = (uint32_t *)(void *)(net.loss + smaller_size(s->batch, p->points));
    (void)err;
    net_init(&net, p, k);
    for (size_t step = 0; step < s->steps; step++) {
        choose(&net, p, k, rows, step, order);
        forward(&net, rows);
        backward(&net, rows);
        adam_step(net.w, net.m, net.v, net.g, net.n, &ADAM, (float)s->weight, (int64_t)step + 1);
    }
    memcpy(net.x, p->query + k * net.D, net.D * sizeof *net.x);
    forward(&net, 1);
    *y = (double)net.out[0];
    return ERR_OK;
}

static void net_read(struct estimator_setup *s, const struct config_point *point) {
    s->size = (size_t)config_int(point, "two_layer_net.hidden");
    s->steps = (size_t)config_int(point, "two_layer_net.steps");
    s->batch = (size_t)config_int(point, "two_layer_net.batch");
    s->weight = config_float(point, "two_layer_net.lr");
}

static const struct config_key KEYS[] = {
    {.name = "two_layer_net.hidden",
     .type = CONFIG_INT,
     .flags = CONFIG_AXIS,
     .min = 1,
     .max = 1e5,
     .def = "100",
     .when = "estimator=two_layer_net",
     .unit = "",
     .meaning = "Number of hidden units."},
    {.name = "two_layer_net.steps",
     .type = CONFIG_INT,
     .flags = CONFIG_AXIS,
     .min = 1,
     .max = 1e6,
     .def = "100",
     .when = "estimator=two_layer_net",
     .unit = "",
     .meaning = "Number of Adam steps for each number of examples."},
    {.name = "two_layer_net.batch",
     .type = CONFIG_INT,
     .min = 1,
     .max = 1e6,
     .def = "100",
     .when = "estimator=two_layer_net",
     .unit = "examples",
     .meaning = "Number of examples in a step, drawn at random if there are more."},
    {.name = "two_layer_net.lr",
     .type = CONFIG_FLOAT,
     .flags = CONFIG_AXIS,
     .min = 1e-9,
     .max = 1e3,
     .def = "5e-3",
     .when = "estimator=two_layer_net",
     .unit = "",
     .meaning = "Learning rate of Adam."},
};

extern const struct estimator estimator_two_layer_net;
const struct estimator estimator_two_layer_net = {
    .name = "two_layer_net",
    .meaning = "Network of one hidden ReLU layer, trained on the examples.",
    .paper = "Garg et al. 2022",
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .read = net_read,
    .state = net_state_bytes,
    .flops = net_flops,
    .predict = net_predict,
};
