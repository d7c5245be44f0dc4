#include "methods/i2cl_prompts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { INDICES = 6 }; /* slot, length, ids, earlier, at, wanted */

static size_t rows_most(size_t tokens, size_t answer) { return I2CL_BATCH * (tokens + 1 + answer); }

static void i2cl_prompts_lay_out(struct i2cl_prompts *p, const struct model_dims *d) {
    const size_t width = model_heads_width(d) > d->E ? model_heads_width(d) : d->E;
    p->x = arena_floats(&p->memory, p->rows * d->E);
    p->dx = arena_floats(&p->memory, p->rows * d->E);
    p->dall = arena_floats(&p->memory, p->rows * d->E);
    p->query.before = arena_floats(&p->memory, d->L * p->rows * width);
    p->query.before_mlp = arena_floats(&p->memory, d->L * p->rows * d->E);
}

static enum err_code create_tables(struct i2cl_prompts *p, struct err *err) {
    p->slot = calloc(INDICES * p->rows, sizeof *p->slot);
    p->weight = calloc(2 * p->rows, sizeof *p->weight);
    if (!p->slot || !p->weight) return ERR(err, ERR_MEMORY, "no memory for %zu rows", p->rows);
    p->length = p->slot + p->rows;
    p->ids = p->length + p->rows;
    p->earlier = p->ids + p->rows;
    p->at = p->earlier + p->rows;
    p->wanted = p->at + p->rows;
    p->log_prob = p->weight + p->rows;
    return ERR_OK;
}

enum err_code i2cl_prompts_create(struct i2cl_prompts *p, const struct params *params,
                                  const struct prompt_view *view, size_t tokens, size_t answer,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &params->dims;
    *p = (struct i2cl_prompts){.params = params, .view = view, .rows = rows_most(tokens, answer)};
    i2cl_prompts_lay_out(p, d);
    TRY(create_tables(p, err));
    TRY(arena_commit(&p->memory, err));
    TRY(context_create(&p->nothing, d, I2CL_BATCH, 0, CONTEXT_SINGLE, err));
    TRY(query_create_long(&p->query, d, p->rows, 0, tokens + answer, true, err));
    i2cl_prompts_lay_out(p, d);
    TRY(vocabulary_create(&p->words, d, I2CL_BATCH * answer, true, err));
cleanup:
    if (rc != ERR_OK) i2cl_prompts_destroy(p);
    return rc;
}

void i2cl_prompts_destroy(struct i2cl_prompts *p) {
    vocabulary_destroy(&p->words);
    query_destroy(&p->query);
    context_destroy(&p->nothing);
    arena_release(&p->memory);
    free(p->weight);
    free(p->slot);
    *p = (struct i2cl_prompts){0};
}

size_t i2cl_prompts_bytes(const struct model_dims *d, size_t tokens, size_t answer) {
    struct i2cl_prompts p = {.rows = rows_most(tokens, answer)};
    i2cl_prompts_lay_out(&p, d);
    return p.memory.used + query_bytes_long(d, p.rows, 0, tokens + answer, true) +
           vocabulary_bytes(d, I2CL_BATCH * answer, true) +
           p.rows * (INDICES * sizeof *p.slot + 2 * sizeof *p.weight);
}

/* Rows from R on: demonstration i as a query of its own, in `slot`; `last`: with the last token of
 * its answer. Returns the row after them. */
static size_t ask_whole(struct i2cl_prompts *p, size_t R, size_t slot, size_t i, bool last) {
    const size_t prompt = prompt_view_length(p->view, i);
    const size_t n = prompt + prompt_view_answer_length(p->view, i) - (last ? 0 : 1);
    assert(R + n <= p->rows);
    for (size_t t = 0; t < n; t++) {
        p->slot[R + t] = (uint32_t)slot;
        p->length[R + t] = 0;
        p->earlier[R + t] = (uint32_t)t;
        p->ids[R + t] = t < prompt ? prompt_view_ids(p->view, i)[t]
                                   : prompt_view_answer(p->view, i)[t - prompt];
    }
    return R + n;
}

static struct query_rows rows_of(const struct i2cl_prompts *p, size_t R) {
    return (struct query_rows){
        .R = R, .slot = p->slot, .length = p->length, .ids = p->ids, .earlier = p->earlier};
}

void i2cl_prompts_add(double *sum, struct i2cl_prompts *p, size_t i) {
    const struct query *q = &p->query;
    const size_t E = q->dims.E, layer = q->capacity * E, R = ask_whole(p, 0, 0, i, true);
    const struct query_rows rows = rows_of(p, R);
    query_forward(&p->query, p->params, &p->nothing, &rows, &(struct edits){0});
    for (size_t l = 0; l < q->dims.L; l++, sum += 2 * E) {
        const float *a = q->a + l * layer + (R - 1) * E, *x = q->x + l * layer + (R - 1) * E;
        for (size_t e = 0; e < E; e++) {
            sum[e] += (double)a[e];
            sum[E + e] += (double)x[layer + e] - (double)x[e] - (double)a[e];
        }
    }
}

/* Adds the rows of demonstration i, of `n` in the pass, that predict its answer to the first `A`.
 * end: the row after its own. */
static size_t add_answer(struct i2cl_prompts *p, size_t A, size_t end, size_t i, size_t n) {
    const size_t answer = prompt_view_answer_length(p->view, i);
    for (size_t j = 0; j < answer; j++, A++) {
        p->at[A] = (uint32_t)(end - answer + j);
        p->wanted[A] = prompt_view_answer(p->view, i)[j];
        p->weight[A] = 1 / (double)(answer * n);
    }
    return A;
}

/* After the forward pass: the loss of A answer tokens, and p->dall of R rows. */
static double loss_of_rows(struct i2cl_prompts *p, size_t A, size_t R) {
    const size_t E = p->params->dims.E;
    double loss = 0;
    for (size_t a = 0; a < A; a++)
        memcpy(p->x + a * E, query_output(&p->query) + p->at[a] * E, E * sizeof *p->x);
    vocabulary_log_prob(p->log_prob, &p->words, p->params, p->x, p->wanted, A);
    vocabulary_weighted_gradient(p->dx, &p->words, p->params, p->x, p->wanted, p->weight, A);
    memset(p->dall, 0, R * E * sizeof *p->dall);
    for (size_t a = 0; a < A; a++) {
        loss -= p->weight[a] * p->log_prob[a];
        memcpy(p->dall + p->at[a] * E, p->dx + a * E, E * sizeof *p->dx);
    }
    return loss;
}

double i2cl_prompts_loss(struct i2cl_prompts *p, const uint32_t *which, size_t n,
                         const struct edits *edits, const struct query_visitor *visitor) {
    size_t R = 0, A = 0;
    assert(n <= I2CL_BATCH);
    for (size_t i = 0; i < n; i++) {
        R = ask_whole(p, R, i, which[i], false);
        A = add_answer(p, A, R, which[i], n);
    }
    const struct query_rows rows = rows_of(p, R);
    const struct edits all = {.items = edits->items, .n = edits->n, .index = p->slot};
    query_forward(&p->query, p->params, &p->nothing, &rows, &all);
    const double loss = loss_of_rows(p, A, R);
    query_backward_edited(&p->query, p->params, &p->nothing, &rows, &all, p->dall, visitor);
    return loss;
}
