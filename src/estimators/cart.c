/*
 * Greedy regression tree. Breiman et al., "Classification and Regression Trees", 1984: each split
 * x[c] <= t minimises the sum of squared errors of its two sides, with t half-way between two
 * examples; a leaf predicts the mean of its ys. A node with one example, with equal ys, or at the
 * depth limit is a leaf. Of equally good splits, a random order of the coordinates decides, and
 * within a coordinate the smallest t, as in scikit-learn. Baseline of Garg et al., NeurIPS 2022.
 *
 * Only the path of the query is built, since splits elsewhere in the tree do not affect it.
 */
#include "estimators/cart.h"

#include <math.h>

#include "base/rng.h"

/* Values of a coordinate closer than APART count as equal; gains closer than TIE of the larger are
 * ties. */
#define APART 1e-7F
#define TIE 1e-12

struct split {
    double gain; /* sum over both sides of (sum of y)^2 / examples */
    double threshold;
    size_t c;
    bool tied;
};

/* Sorts by coordinate c, then by index, so the order is unique. Insertion sort, because nodes are
 * small and nearly sorted already. */
static void sort_by(uint32_t *order, size_t n, const struct estimator_prompt *p, size_t c) {
    for (size_t i = 1; i < n; i++) {
        const uint32_t one = order[i];
        const float x = p->x[one * p->dims + c];
        size_t at = i;
        for (; at > 0; at--) {
            const uint32_t before = order[at - 1];
            const float other = p->x[before * p->dims + c];
            if (other < x || (other <= x && before < one)) break;
            order[at] = before;
        }
        order[at] = one;
    }
}

static double between(float below, float above) {
    const double middle = (double)below / 2 + (double)above / 2;
    return middle < (double)above ? middle : (double)below;
}

/* Updates *best with the best split on coordinate c; order is sorted by c. */
static void try_splits(struct split *best, const uint32_t *order, size_t n,
                       const struct estimator_prompt *p, size_t c, double total) {
    double left = 0;
    for (size_t i = 0; i + 1 < n; i++) {
        const float x = p->x[order[i] * p->dims + c], next = p->x[order[i + 1] * p->dims + c];
        left += (double)p->y[order[i]];
        if (!(next > x + APART)) continue;
        const double right = total - left;
        const double gain = left * left / (double)(i + 1) + right * right / (double)(n - i - 1);
        const double margin = TIE * fmax(fabs(gain), fabs(best->gain));
        if (gain > best->gain + margin) {
            *best = (struct split){gain, between(x, next), c, false};
        } else if (gain >= best->gain - margin) {
            best->tied = true;
        }
    }
}

/* Moves the examples on the side of the query to the front; returns their number. */
static size_t keep_side(uint32_t *order, size_t n, const struct estimator_prompt *p,
                        const struct split *q, const float *query) {
    const bool left = (double)query[q->c] <= q->threshold;
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (((double)p->x[order[i] * p->dims + q->c] <= q->threshold) == left)
            order[kept++] = order[i];
    return kept;
}

static double sum_of(const uint32_t *order, size_t n, const float *y) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)y[order[i]];
    return sum;
}

static bool all_equal(const uint32_t *order, size_t n, const float *y) {
    for (size_t i = 1; i < n; i++)
        if (y[order[i]] < y[order[0]] || y[order[i]] > y[order[0]]) return false;
    return true;
}

void cart_leaf_mean(double *y, bool *tied, const struct estimator_prompt *p, size_t k, size_t depth,
                    uint32_t *order, uint32_t *dims) {
    const struct rng stream = rng_stream(p->seed, "cart/order");
    const float *query = p->query + k * p->dims;
    size_t n = k;
    *tied = false;
    for (size_t i = 0; i < k; i++) order[i] = (uint32_t)i;
    for (size_t level = 0; (depth == 0 || level < depth) && n > 1 && !all_equal(order, n, p->y);
         level++) {
        struct split best = {.gain = -1}; /* below any */
        const double total = sum_of(order, n, p->y);
        rng_permutation(dims, (uint32_t)p->dims, &stream, p->sample, (uint64_t)k << 32 | level);
        for (size_t i = 0; i < p->dims; i++) {
            sort_by(order, n, p, dims[i]);
            try_splits(&best, order, n, p, dims[i], total);
        }
        if (best.gain < 0) break; /* all x are equal */
        *tied = *tied || best.tied;
        n = keep_side(order, n, p, &best, query);
    }
    *y = sum_of(order, n, p->y) / (double)n;
}

/* ---- the estimator */

static size_t cart_state_bytes(const struct estimator_setup *s, size_t points, size_t dims) {
    (void)s;
    return (points + dims) * sizeof(uint32_t);
}

/* The root costs most; each level below it handles half as many examples. */
static double cart_flops(const struct estimator_setup *s, size_t k, size_t dims) {
    (void)s;
    return 4 * (double)dims * (double)k * (8 + (double)k / 4);
}

static enum err_code cart_predict(double *y, const struct estimator_setup *s,
                                  const struct estimator_prompt *p, size_t k, void *state,
                                  struct err *err) {
    uint32_t *order = state;
    bool tied;
    (void)err;
    cart_leaf_mean(y, &tied, p, k, s->size, order, order + p->points);
    return ERR_OK;
}

static void cart_read(struct estimator_setup *s, const struct config_point *point) {
    s->size = (size_t)config_int(point, "cart.depth");
}

static const struct config_key KEYS[] = {
    {.name = "cart.depth",
     .type = CONFIG_INT,
     .flags = CONFIG_AXIS,
     .max = 1000,
     .def = "0",
     .when = "estimator=cart",
     .unit = "",
     .meaning = "Maximum depth of the tree; 0 splits until every leaf is pure."},
};

extern const struct estimator estimator_cart;
const struct estimator estimator_cart = {
    .name = "cart",
    .meaning = "Greedy regression tree that predicts the mean y of a leaf.",
    .paper = "Breiman et al. 1984",
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .read = cart_read,
    .state = cart_state_bytes,
    .flops = cart_flops,
    .predict = cart_predict,
};
