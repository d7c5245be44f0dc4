#include "passes/head_ablation.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

static bool is_text(const struct head_ablation_options *o) {
    return o->loss.kind == LOSS_CROSS_ENTROPY;
}

static size_t head_ablation_rows(const struct head_ablation_options *o) {
    return o->chunk * o->answer;
}

static struct prompt_batch_options head_ablation_batch(const struct head_ablation_options *o,
                                                       const struct model_dims *d) {
    return (struct prompt_batch_options){.dims = d,
                                         .slots = o->chunk,
                                         .tokens = o->tokens,
                                         .rows = head_ablation_rows(o),
                                         .contexts = o->contexts};
}

enum err_code head_ablation_create(struct head_ablation *a, const struct head_ablation_options *o,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &o->params->dims;
    const struct prompt_batch_options batch = head_ablation_batch(o, d);
    *a = (struct head_ablation){.o = *o};
    a->items = calloc(d->L * d->H, sizeof *a->items);
    a->scores = calloc(o->chunk * ANSWER_SCORE_COUNT, sizeof *a->scores);
    CHECK(a->items && a->scores, ERR_MEMORY, "no memory for the edits of %zu heads", d->L * d->H);
    TRY(prompt_batch_create(&a->batch, &batch, err));
    prompt_batch_begin(&a->batch, o->params, NULL);
    TRY(query_create_long(&a->query, d, batch.rows, o->tokens, o->answer - 1, false, err));
    if (is_text(o)) TRY(answer_scores_create(&a->score, d, batch.rows, err));
cleanup:
    if (rc != ERR_OK) head_ablation_destroy(a);
    return rc;
}

void head_ablation_destroy(struct head_ablation *a) {
    answer_scores_destroy(&a->score);
    query_destroy(&a->query);
    prompt_batch_destroy(&a->batch);
    free(a->scores);
    free(a->items);
    *a = (struct head_ablation){0};
}

size_t head_ablation_bytes(const struct model_dims *d, const struct head_ablation_options *o) {
    const struct prompt_batch_options batch = head_ablation_batch(o, d);
    return prompt_batch_bytes(&batch) + prompt_batch_context_bytes(&batch) +
           query_bytes_long(d, batch.rows, o->tokens, o->answer - 1, false) +
           (is_text(o) ? answer_scores_bytes(d, batch.rows) : 0) +
           d->L * d->H * sizeof(struct edit) + o->chunk * ANSWER_SCORE_COUNT * sizeof(float);
}

void head_ablation_begin(struct head_ablation *a, const struct prompt_view *part) {
    const size_t last = part->points - 1;
    assert(part->n <= a->o.chunk);
    prompt_batch_fill(&a->batch, part, (struct prompt_span){.pairs = last});
    a->prompts = a->rows = part->n;
    if (!is_text(&a->o)) {
        prompt_batch_ask(&a->batch, part, last, 2 * last);
        return;
    }
    a->rows = 0;
    for (size_t i = 0; i < part->n; i++)
        a->rows += prompt_rows_ask_answer(&a->batch.rows, a->rows, i, part, i);
}

static void set_items(struct head_ablation *a, const uint32_t *heads, size_t n) {
    const struct model_dims *d = &a->o.params->dims;
    const size_t D = model_head_width(d);
    for (size_t i = 0; i < n; i++)
        a->items[i] = (struct edit){.layer = heads[i] / d->H,
                                    .site = EDIT_HEADS,
                                    .operation = EDIT_REPLACE,
                                    .from = heads[i] % d->H * D,
                                    .n = D,
                                    .scale = 1,
                                    .values = a->o.mean + heads[i] * D};
}

static struct head_ablation_result result_of_text(const float *scores) {
    return (struct head_ablation_result){.loss = -scores[ANSWER_LOG_PROB] / scores[ANSWER_TOKENS],
                                         .first_right = scores[ANSWER_FIRST_RIGHT],
                                         .right = scores[ANSWER_RIGHT]};
}

static struct head_ablation_result result_of_number(const struct head_ablation *a, size_t r) {
    const float error =
        prompt_loss_error(&a->o.loss, a->query.prediction[r], a->batch.rows.target[r]);
    return (struct head_ablation_result){.loss = error, .first_right = NAN, .right = NAN};
}

void head_ablation_run(struct head_ablation_result *out, struct head_ablation *a,
                       const uint32_t *heads, size_t n) {
    const struct params *p = a->o.params;
    const struct prompt_rows *all = &a->batch.rows;
    const struct query_rows rows = prompt_rows_of(all, a->rows);
    assert(n <= p->dims.L * p->dims.H);
    set_items(a, heads, n);
    query_forward(&a->query, p, &a->batch.context, &rows,
                  &(struct edits){.items = a->items, .n = n});
    if (is_text(&a->o)) answer_scores_take(a->scores, &a->score, &a->query, p, all, a->rows);
    for (size_t i = 0; i < a->prompts; i++)
        out[i] = is_text(&a->o) ? result_of_text(a->scores + i * ANSWER_SCORE_COUNT)
                                : result_of_number(a, i);
}
