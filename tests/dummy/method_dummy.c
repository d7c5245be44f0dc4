/* Learns one number, which it adds to every coordinate of the query after every block: the smallest
 * method. docs/extending.md explains it. */
#include "methods/method.h"

struct dummy_keys {
    double start;
};
METHOD_KEYS(dummy)

static void shape(size_t out[2], const struct method_setup *s) {
    (void)s;
    out[0] = out[1] = 1;
}

static void init(float *w, const struct method_setup *s, const struct rng *stream) {
    (void)stream;
    *w = (float)dummy_keys(s).start;
}

static void vector(float *v, const float *w, const struct basis *b, const struct method_setup *s,
                   float *scratch) {
    (void)b, (void)scratch;
    for (size_t i = 0; i < s->params->dims.L * s->params->dims.E; i++) v[i] = *w;
}

static void gradient(float *dw, const float *g, size_t g_stride, size_t R, const struct basis *b,
                     const struct method_setup *s, float *scratch) {
    const size_t E = s->params->dims.E;
    double sum = 0;
    (void)b, (void)scratch;
    for (size_t l = 0; l < s->params->dims.L; l++)
        for (size_t i = 0; i < R * E; i++) sum += (double)g[l * g_stride * E + i];
    *dw = (float)sum;
}

static void read_keys(struct method_setup *s, const struct config_point *point) {
    dummy_set_keys(s, (struct dummy_keys){.start = config_float(point, "dummy.start")});
}

static const struct config_key KEYS[] = {
    {.name = "dummy.start",
     .type = CONFIG_FLOAT,
     .flags = CONFIG_AXIS,
     .def = "0.0",
     .when = "method=dummy",
     .unit = "",
     .meaning = "Number that learning begins with."},
};

extern const struct method method_dummy;
const struct method method_dummy = {
    .name = "dummy",
    .docs =
        {
            .meaning = "Learns one number, added to every coordinate after every block.",
            .paper = "",
            .sees = "nothing",
            .cost = "none",
            .weights = "1 x 1: the number",
            .vector = "v_l = weights",
            .place = "adds v_l to the output of every block l; query",
        },
    .config =
        {
            .rows = KEYS,
            .n = sizeof KEYS / sizeof *KEYS,
            .read = read_keys,
        },
    .derivation =
        {
            .weights_shape = shape,
            .init = init,
        },
    .application =
        {
            .vector = vector,
            .gradient = gradient,
        },
};
