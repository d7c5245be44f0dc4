/*
 * A complete binary tree of depth `size`, stored as heap arrays: node i with coordinate c continues
 * at node 2 i + 1 + [x_c > 0], and y is the value of the leaf. Coordinates are uniform, leaf values
 * N(0, 1), so E[y^2] = 1. Garg et al., NeurIPS 2022, section 5 (depth 4).
 */
#include "sources/problems/problem.h"

#include <string.h>

enum { DEPTH_MAX = 10 };

static size_t node_count(const struct problem_setup *s) { return ((size_t)2 << s->size) - 1; }

static size_t inner_count(const struct problem_setup *s) { return ((size_t)1 << s->size) - 1; }

static size_t tree_parameters(const struct problem_setup *s) { return 2 * node_count(s); }

/* Parameters: coordinates [nodes] (0 at leaves, where they are not used), then values [nodes] (used
 * at leaves). Point 0 of the stream: coordinates, one draw per node; point 1: values. */
static void tree_draw(float *p, const struct problem_setup *s, const struct rng *stream,
                      uint64_t sample, size_t active) {
    const size_t nodes = node_count(s);
    memset(p, 0, nodes * sizeof *p);
    for (size_t i = 0; i < inner_count(s); i++)
        p[i] = (float)rng_below(active, stream, sample, 0, i);
    rng_normals(p + nodes, nodes, stream, sample, 1);
}

static size_t leaf_of(const float *coordinates, size_t inner, const float *x) {
    size_t i = 0;
    while (i < inner) i = 2 * i + 1 + (x[(size_t)coordinates[i]] > 0);
    return i;
}

static void tree_evaluate(float *y, const float *p, const struct problem_setup *s, const float *x,
                          size_t points) {
    const float *values = p + node_count(s);
    const size_t inner = inner_count(s);
    for (size_t i = 0; i < points; i++) y[i] = values[leaf_of(p, inner, x + i * s->dims)];
}

static double tree_variance(const struct problem_setup *s, size_t active) {
    (void)s, (void)active;
    return 1;
}

static const struct config_key KEYS[] = {
    {.name = "source.depth",
     .type = CONFIG_INT,
     .flags = CONFIG_AXIS,
     .min = 1,
     .max = DEPTH_MAX,
     .def = "4",
     .when = "source.problem=decision_tree",
     .unit = "",
     .meaning = "Depth of the tree: decisions from the root to a leaf."},
};

extern const struct problem problem_decision_tree;
const struct problem problem_decision_tree = {
    .name = "decision_tree",
    .meaning =
        "y = leaf of a complete binary tree that tests the signs of coordinates, leaves ~ N(0, 1).",
    .loss = PROBLEM_SQUARED,
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .size_key = "source.depth",
    .parameters = tree_parameters,
    .draw = tree_draw,
    .evaluate = tree_evaluate,
    .variance = tree_variance,
};
