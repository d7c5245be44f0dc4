#include "passes/answer_loss.h"

#include <assert.h>
#include <string.h>

#include "ops/vector_ops.h"

static bool is_taught(const struct prompt_loss *loss) { return loss->kind == LOSS_DIVERGENCE; }

static bool of_tokens(const struct prompt_loss *loss) {
    return loss->kind == LOSS_CROSS_ENTROPY || is_taught(loss);
}

static double *doubles(struct arena *a, size_t n) {
    return (double *)(void *)arena_floats(a, n * sizeof(double) / sizeof(float));
}

static void answer_loss_lay_out(struct answer_loss *a, const struct model_dims *d) {
    const bool tokens = of_tokens(&a->loss);
    a->gradient = arena_floats(&a->memory, a->rows * (tokens ? d->E : 1));
    a->weight = doubles(&a->memory, tokens ? a->rows : 0);
    a->log_prob = doubles(&a->memory, tokens ? a->rows : 0);
    a->taught = arena_floats(&a->memory, is_taught(&a->loss) ? a->rows * d->E : 0);
    a->divergence = arena_floats(&a->memory, is_taught(&a->loss) ? a->rows * d->E : 0);
}

enum err_code answer_loss_create(struct answer_loss *a, const struct model_dims *dims,
                                 const struct prompt_loss *loss, size_t rows, struct err *err) {
    enum err_code rc = ERR_OK;
    *a = (struct answer_loss){.loss = *loss, .rows = rows};
    answer_loss_lay_out(a, dims);
    TRY(arena_commit(&a->memory, err));
    answer_loss_lay_out(a, dims);
    if (of_tokens(loss)) TRY(vocabulary_create(&a->vocabulary, dims, rows, true, err));
    if (is_taught(loss)) TRY(vocabulary_create(&a->teacher, dims, rows, false, err));
cleanup:
    if (rc != ERR_OK) answer_loss_destroy(a);
    return rc;
}

void answer_loss_destroy(struct answer_loss *a) {
    vocabulary_destroy(&a->vocabulary);
    vocabulary_destroy(&a->teacher);
    arena_release(&a->memory);
    *a = (struct answer_loss){0};
}

size_t answer_loss_bytes(const struct model_dims *dims, const struct prompt_loss *loss,
                         size_t rows) {
    struct answer_loss a = {.loss = *loss, .rows = rows};
    answer_loss_lay_out(&a, dims);
    return a.memory.used + (of_tokens(loss) ? vocabulary_bytes(dims, rows, true) : 0) +
           (is_taught(loss) ? vocabulary_bytes(dims, rows, false) : 0);
}

/* Each answer has the same weight, whatever its number of tokens. */
static void weigh_answers(double *weight, const struct prompt_rows *rows, size_t R, double each) {
    for (size_t r = 0, next; r < R; r = next) {
        for (next = r + 1; next < R && rows->earlier[next] > 0;) next++;
        for (size_t i = r; i < next; i++) weight[i] = each / (double)(next - r);
    }
}

static double sum_of_tokens(struct answer_loss *a, const struct query *q, const struct params *p,
                            const struct prompt_rows *rows, size_t R, double weight,
                            bool gradient) {
    const float *x = query_output(q);
    double sum = 0;
    weigh_answers(a->weight, rows, R, weight);
    vocabulary_log_prob(a->log_prob, &a->vocabulary, p, x, rows->wanted, R);
    for (size_t r = 0; r < R; r++) sum -= a->weight[r] * a->log_prob[r];
    if (gradient)
        vocabulary_weighted_gradient(a->gradient, &a->vocabulary, p, x, rows->wanted, a->weight, R);
    return sum;
}

/* The divergence at the first row of each query, and cross_entropy times the loss of its tokens. */
static double sum_of_divergence(struct answer_loss *a, const struct query *q,
                                const struct params *p, const struct prompt_rows *rows, size_t R,
                                double weight, bool gradient) {
    const double tokens = a->loss.cross_entropy * weight;
    for (size_t r = 0; r < R; r++) a->weight[r] = rows->earlier[r] == 0 ? weight : 0;
    const double sum =
        vocabulary_divergence(gradient ? a->divergence : NULL, &a->vocabulary, &a->teacher, p,
                              query_output(q), a->taught, a->weight, R);
    const size_t n = R * a->vocabulary.dims.E;
    if (tokens <= 0) {
        if (gradient) memcpy(a->gradient, a->divergence, n * sizeof *a->gradient);
        return sum;
    }
    const double more = sum_of_tokens(a, q, p, rows, R, tokens, gradient);
    if (gradient) vector_add(a->gradient, a->divergence, n);
    return sum + more;
}

double answer_loss_sum(struct answer_loss *a, const struct query *q, const struct params *p,
                       const struct prompt_rows *rows, size_t R, double weight, bool gradient) {
    assert(R <= a->rows);
    if (is_taught(&a->loss)) return sum_of_divergence(a, q, p, rows, R, weight, gradient);
    if (of_tokens(&a->loss)) return sum_of_tokens(a, q, p, rows, R, weight, gradient);
    memset(a->gradient, 0, R * sizeof *a->gradient);
    return prompt_loss_sum(a->gradient, &a->loss, q->prediction, rows->target, weight, R);
}
