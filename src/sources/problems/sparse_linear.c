/* y = w.x with w ~ N(0, I), where all but `size` random weights are 0; E[y^2] = size. Garg et al.,
 * NeurIPS 2022, section 5 (3 of 20). */
#include "sources/problems/linear_functions.h"

#include <assert.h>

static size_t nonzero(const struct problem_setup *s, size_t active) {
    return s->size < active ? s->size : active;
}

/* Point 0 of the stream: the weights; point 1: the active coordinates that keep theirs. */
static void sparse_draw(float *w, const struct problem_setup *s, const struct rng *stream,
                        uint64_t sample, size_t active) {
    float full[PROBLEM_DIMS_MAX];
    uint32_t order[PROBLEM_DIMS_MAX];
    assert(s->dims <= PROBLEM_DIMS_MAX && active <= s->dims);
    linear_functions_draw(full, s, stream, sample, active);
    rng_permutation(order, (uint32_t)active, stream, sample, 1);
    for (size_t c = 0; c < s->dims; c++) w[c] = 0;
    for (size_t i = 0; i < nonzero(s, active); i++) w[order[i]] = full[order[i]];
}

static double sparse_variance(const struct problem_setup *s, size_t active) {
    return (double)nonzero(s, active);
}

static const struct config_key KEYS[] = {
    {.name = "source.sparsity",
     .type = CONFIG_INT,
     .flags = CONFIG_AXIS,
     .min = 1,
     .max = PROBLEM_DIMS_MAX,
     .def = "3",
     .when = "source.problem=sparse_linear",
     .unit = "",
     .meaning = "Number of nonzero weights, or all weights if `source.dims` is smaller."},
};

extern const struct problem problem_sparse_linear;
const struct problem problem_sparse_linear = {
    .name = "sparse_linear",
    .meaning = "y = w.x with w ~ N(0, I), all but `source.sparsity` random weights set to 0.",
    .loss = PROBLEM_SQUARED,
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .size_key = "source.sparsity",
    .parameters = linear_functions_parameters,
    .draw = sparse_draw,
    .evaluate = linear_functions_evaluate,
    .variance = sparse_variance,
};
