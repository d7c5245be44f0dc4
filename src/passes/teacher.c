#include "passes/teacher.h"

#include <stdlib.h>
#include <string.h>

#include "ops/vector_ops.h"
#include "passes/fit_size.h"
#include "sources/prompt_batch.h"

static struct prompt_batch_options teacher_batch(const struct fit_data_options *o) {
    return (struct prompt_batch_options){.dims = &o->setup->params->dims,
                                         .slots = o->batch,
                                         .tokens = o->size.teacher,
                                         .rows = o->batch,
                                         .contexts = o->contexts};
}

size_t teacher_bytes(const struct fit_data_options *o, size_t count) {
    const struct model_dims *d = &o->setup->params->dims;
    const struct prompt_batch_options batch = teacher_batch(o);
    if (o->size.teacher == 0) return 0;
    return count * fit_size_samples(o) * d->E * sizeof(float) + prompt_batch_bytes(&batch) +
           prompt_batch_context_bytes(&batch) + query_bytes(d, o->batch, o->size.teacher, false);
}

struct lesson { /* what the passes share */
    const struct fit_data_options *o;
    const struct prompt_view *prompts;
    struct job_ctx *ctx;
    struct prompt_batch batch;
    struct query query;
};

/* The states of the n samples first, first + shards, ... into out [n, E]. */
static void run_lesson(float *out, struct lesson *s, size_t first, size_t n) {
    const size_t last = s->prompts->points - 1, E = s->query.dims.E;
    for (size_t i = 0; i < n; i++) {
        const size_t sample = first + i * s->o->shards;
        prompt_batch_add(&s->batch, i, s->prompts, sample, (struct prompt_span){.pairs = last});
        prompt_rows_ask(&s->batch.rows, i, (struct prompt_seat){i, 0}, s->prompts, sample, last);
    }
    prompt_batch_finish(&s->batch);
    const struct query_rows rows = prompt_rows_of(&s->batch.rows, n);
    query_forward(&s->query, s->o->setup->params, &s->batch.context, &rows, &(struct edits){0});
    memcpy(out, query_output(&s->query), n * E * sizeof *out);
}

/* A sign of life; a group stops together at its next update instead. */
static enum err_code report_lesson(struct lesson *s, struct err *err) {
    if (!s->ctx) return ERR_OK;
    if (s->ctx->group_size == 1 && job_should_stop(s->ctx))
        return ERR(err, ERR_STOPPED, "stopped before the first update");
    return job_progress(s->ctx, 0, 1, err);
}

static enum err_code run_shard(float *out, struct lesson *s, size_t shard, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = s->prompts->n, step = s->o->batch * s->o->shards, E = s->query.dims.E;
    for (size_t first = shard; first < n; first += step) {
        const size_t left = (n - first + s->o->shards - 1) / s->o->shards;
        run_lesson(out, s, first, left < s->o->batch ? left : s->o->batch);
        out += s->o->batch * E;
        TRY(report_lesson(s, err));
    }
cleanup:
    return rc;
}

enum err_code teacher_create(struct teacher *t, const struct fit_data_options *o,
                             const struct prompt_view *prompts, struct job_ctx *ctx,
                             struct err *err) {
    enum err_code rc = ERR_OK;
    const struct params *p = o->setup->params;
    const struct prompt_batch_options batch = teacher_batch(o);
    const size_t each = fit_size_samples(o), E = p->dims.E;
    struct lesson s = {.o = o, .prompts = prompts, .ctx = ctx};
    size_t first = 0, count = o->shards;
    if (ctx) job_shard_range(&first, &count, o->shards, ctx->group_rank, ctx->group_size);
    *t = (struct teacher){.E = E, .slots = count * each};
    t->states = calloc(t->slots * E + 1, sizeof *t->states);
    CHECK(t->states, ERR_MEMORY, "no memory for the states of %zu prompts", t->slots);
    TRY(prompt_batch_create(&s.batch, &batch, err));
    prompt_batch_begin(&s.batch, p, NULL);
    TRY(query_create(&s.query, &p->dims, o->batch, o->size.teacher, false, err));
    for (size_t i = 0; i < count; i++) TRY(run_shard(t->states + i * each * E, &s, first + i, err));
cleanup:
    query_destroy(&s.query);
    prompt_batch_destroy(&s.batch);
    if (rc != ERR_OK) teacher_destroy(t);
    return rc;
}

void teacher_destroy(struct teacher *t) {
    free(t->states);
    *t = (struct teacher){0};
}

void teacher_gather(float *out, const struct teacher *t, const uint32_t *slots, size_t R) {
    rows_gather(out, t->states, slots, R, t->E);
}
