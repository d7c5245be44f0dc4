#include "passes/head_leave_out.h"

#include <string.h>

static struct prompt_batch_options leave_out_batch(const struct head_leave_out_options *o) {
    return (struct prompt_batch_options){.dims = &o->setup->params->dims,
                                         .slots = o->chunk,
                                         .tokens = 2 * (o->points - 1),
                                         .rows = o->chunk,
                                         .contexts = o->contexts,
                                         .share = o->share};
}

static void leave_out_lay_out(struct head_leave_out *h) {
    const size_t heads = method_weights(h->o.setup);
    h->w = arena_floats(&h->memory, heads);
    h->errors = arena_floats(&h->memory, (1 + heads) * h->o.functions);
}

enum err_code head_leave_out_create(struct head_leave_out *h,
                                    const struct head_leave_out_options *o, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct prompt_batch_options batch = leave_out_batch(o);
    *h = (struct head_leave_out){.o = *o};
    leave_out_lay_out(h);
    TRY(arena_commit(&h->memory, err));
    leave_out_lay_out(h);
    TRY(prompt_batch_create(&h->batch, &batch, err));
    TRY(vector_pass_create(&h->pass, o->setup, o->chunk, batch.tokens, false, err));
cleanup:
    if (rc != ERR_OK) head_leave_out_destroy(h);
    return rc;
}

void head_leave_out_destroy(struct head_leave_out *h) {
    vector_pass_destroy(&h->pass);
    prompt_batch_destroy(&h->batch);
    arena_release(&h->memory);
    h->errors = h->w = NULL;
}

size_t head_leave_out_bytes(const struct head_leave_out_options *o) {
    const struct prompt_batch_options batch = leave_out_batch(o);
    struct head_leave_out h = {.o = *o};
    leave_out_lay_out(&h);
    return h.memory.used + prompt_batch_bytes(&batch) + prompt_batch_context_bytes(&batch) +
           vector_pass_bytes(o->setup, o->chunk, batch.tokens, false);
}

/* One row of errors under the weights h->w. */
static void measure_without(float *errors, struct head_leave_out *h, const struct basis *basis,
                            size_t n) {
    const struct query_rows rows = prompt_rows_of(&h->batch.rows, n);
    vector_pass_set(&h->pass, basis, h->w);
    vector_pass_run(&h->pass, &h->batch.context, &rows);
    for (size_t i = 0; i < n; i++)
        errors[i] =
            prompt_loss_error(&h->o.loss, h->pass.query.prediction[i], h->batch.rows.target[i]);
}

void head_leave_out_run(struct head_leave_out *h, const struct prompt_view *prompts,
                        const struct basis *basis, size_t first) {
    const size_t heads = method_weights(h->o.setup), last = h->o.points - 1;
    const struct prompt_span before = {.pairs = last};
    prompt_batch_begin(&h->batch, h->o.setup->params, NULL);
    prompt_batch_fill(&h->batch, prompts, before);
    prompt_batch_ask(&h->batch, prompts, last, prompt_span_tokens(before));
    memcpy(h->w, h->o.w, heads * sizeof *h->w);
    for (size_t i = 0; i <= heads; i++) {
        if (i > 0) h->w[i - 1] = 0;
        measure_without(h->errors + i * h->o.functions + first, h, basis, prompts->n);
        if (i > 0) h->w[i - 1] = h->o.w[i - 1];
    }
}
