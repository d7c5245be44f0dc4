#include "passes/train_step.h"

#include <assert.h>
#include <string.h>

#include "model/family.h"
#include "sources/prompt_batch.h"

static bool reads_ids(const struct model_dims *d) {
    return family_of(d)->embedding == EMBEDDING_TOKENS;
}

static void lay_out_step(struct train_step *s, const struct model_dims *d, size_t n,
                         size_t points) {
    s->tokens = arena_floats(&s->memory, n * 2 * points * d->inputs);
    s->dprediction = arena_floats(&s->memory, n * points);
}

enum err_code train_step_create(struct train_step *s, const struct model_dims *dims, size_t n,
                                size_t points, struct err *err) {
    enum err_code rc = ERR_OK;
    *s = (struct train_step){0};
    if (reads_ids(dims)) return train_text_create(&s->text, dims, n, err);
    lay_out_step(s, dims, n, points);
    TRY(arena_commit(&s->memory, err));
    lay_out_step(s, dims, n, points);
    TRY(forward_create(&s->forward, dims, n, 2 * points, true, err));
cleanup:
    if (rc != ERR_OK) train_step_destroy(s);
    return rc;
}

void train_step_destroy(struct train_step *s) {
    train_text_destroy(&s->text);
    forward_destroy(&s->forward);
    arena_release(&s->memory);
}

size_t train_step_bytes(const struct model_dims *dims, size_t n, size_t points) {
    struct train_step s = {0};
    if (reads_ids(dims)) return train_text_bytes(dims, n);
    lay_out_step(&s, dims, n, points);
    return s.memory.used + forward_bytes(dims, n, 2 * points, true);
}

size_t train_step_answers(const struct prompt_view *prompts) {
    return prompts->text.ids ? train_text_answers(prompts) : prompts->n * prompts->points;
}

double train_step_loss(struct train_step *s, const struct params *p, const struct prompt_view *part,
                       const struct prompt_loss *loss, double weight) {
    size_t n = part->n * part->points;
    if (part->text.ids) return train_text_loss(&s->text, p, part, weight);
    assert(part->n <= s->forward.B && 2 * part->points <= s->forward.length);
    prompt_batch_sequences(s->tokens, part, part->points);
    forward_run(&s->forward, p, s->tokens, part->n, 2 * part->points);
    memset(s->dprediction, 0, n * sizeof *s->dprediction);
    return prompt_loss_sum(s->dprediction, loss, s->forward.prediction, part->y, weight, n);
}

double train_step_run(struct params *gradient, struct train_step *s, const struct params *p,
                      const struct prompt_view *part, const struct prompt_loss *loss,
                      double weight) {
    if (part->text.ids) return train_text_run(gradient, &s->text, p, part, weight);
    const double value = train_step_loss(s, p, part, loss, weight);
    forward_backward(gradient, &s->forward, p, s->tokens, s->dprediction);
    return value;
}
