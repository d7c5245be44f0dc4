/*
 * Nearest neighbours: the mean y of the `neighbours` examples with least Euclidean distance to the
 * query, all of equal weight, or of all k examples if there are fewer. Of equally near examples the
 * earlier one counts. Garg et al., NeurIPS 2022, section 3 (with 3 neighbours).
 */
#include "estimators/estimator.h"

struct neighbour {
    double distance; /* squared */
    double y;
};

static size_t knn_state_bytes(const struct estimator_setup *s, size_t points, size_t dims) {
    (void)points, (void)dims;
    return s->size * sizeof(struct neighbour);
}

static double knn_flops(const struct estimator_setup *s, size_t k, size_t dims) {
    (void)s;
    return 3 * (double)k * (double)dims;
}

static double distance_of(const float *a, const float *b, size_t dims) {
    double sum = 0;
    for (size_t c = 0; c < dims; c++) {
        const double d = (double)a[c] - (double)b[c];
        sum += d * d;
    }
    return sum;
}

/* Inserts one in order of distance; of more than `most` neighbours the farthest is dropped. */
static size_t insert(struct neighbour *nearest, size_t found, size_t most, struct neighbour one) {
    size_t at = found < most ? found++ : most - 1;
    for (; at > 0 && nearest[at - 1].distance > one.distance; at--) nearest[at] = nearest[at - 1];
    nearest[at] = one;
    return found;
}

static enum err_code knn_predict(double *y, const struct estimator_setup *s,
                                 const struct estimator_prompt *p, size_t k, void *state,
                                 struct err *err) {
    struct neighbour *nearest = state;
    size_t found = 0;
    (void)err;
    for (size_t i = 0; i < k; i++) {
        const double distance = distance_of(p->x + i * p->dims, p->query + k * p->dims, p->dims);
        if (found == s->size && distance >= nearest[found - 1].distance) continue;
        found = insert(nearest, found, s->size, (struct neighbour){distance, (double)p->y[i]});
    }
    *y = 0;
    for (size_t i = 0; i < found; i++) *y += nearest[i].y / (double)found;
    return ERR_OK;
}

static void knn_read(struct estimator_setup *s, const struct config_point *point) {
    s->size = (size_t)config_int(point, "knn.neighbours");
}

static const struct config_key KEYS[] = {
    {.name = "knn.neighbours",
     .type = CONFIG_INT,
     .flags = CONFIG_AXIS,
     .min = 1,
     .max = 1000,
     .def = "3",
     .when = "estimator=knn",
     .unit = "",
     .meaning = "Number of nearest examples whose y is averaged, or all of them if there are "
                "fewer."},
};

extern const struct estimator estimator_knn;
const struct estimator estimator_knn = {
    .name = "knn",
    .meaning = "Mean y of the nearest examples.",
    .paper = "",
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .read = knn_read,
    .state = knn_state_bytes,
    .flops = knn_flops,
    .predict = knn_predict,
};
