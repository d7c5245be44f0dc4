#include "activations/head_gradient.h"

#include <stdlib.h>

#include "activations/causal_text.h"
#include "activations/number_gradient.h"
#include "model/vocabulary.h"
#include "ops/vector_ops.h"

struct gradient_map {
    const struct causal_options *o;
    const struct params *params;
    size_t chunk, first; /* first: prompt of the chunk that runs */
    struct prompt_batch batch;
    struct query query;
    struct vocabulary words;
    struct edit *edits; /* [L] additions of nothing: the places that are visited */
    float *nothing;     /* [H D] zeros */
    float *dx;          /* [chunk, E] */
    double *log_prob;   /* [chunk] */
    uint32_t *rank;     /* [chunk] of the answer; 0: the most likely token */
    size_t answered;    /* prompts so far whose answer is among the most likely tokens */
    float *effect;      /* the caller's */
};

static void gradient_map_release(struct gradient_map *m) {
    free(m->edits);
    free(m->nothing);
    free(m->dx);
    free(m->log_prob);
    free(m->rank);
    vocabulary_destroy(&m->words);
    query_destroy(&m->query);
    prompt_batch_destroy(&m->batch);
}

static bool gradient_map_allocate(struct gradient_map *m) {
    const struct model_dims *d = &m->params->dims;
    m->edits = calloc(d->L, sizeof *m->edits);
    m->nothing = calloc(model_heads_width(d), sizeof *m->nothing);
    m->dx = calloc(m->chunk * d->E, sizeof *m->dx);
    m->log_prob = calloc(m->chunk, sizeof *m->log_prob);
    m->rank = calloc(m->chunk, sizeof *m->rank);
    if (!m->edits || !m->nothing || !m->dx || !m->log_prob || !m->rank) return false;
    for (size_t l = 0; l < d->L; l++)
        m->edits[l] = (struct edit){.layer = l,
                                    .site = EDIT_HEADS,
                                    .operation = EDIT_ADD,
                                    .scale = 1,
                                    .values = m->nothing};
    return true;
}

static enum err_code gradient_map_init(struct gradient_map *m, const struct params *p,
                                       const struct causal_options *o, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct prompt_batch_options batch = causal_text_batch(o, &p->dims, o->prompts.n);
    *m = (struct gradient_map){.o = o, .params = p, .chunk = batch.slots};
    CHECK(gradient_map_allocate(m), ERR_MEMORY, "no memory for the gradients of %zu prompts",
          m->chunk);
    TRY(prompt_batch_create(&m->batch, &batch, err));
    prompt_batch_begin(&m->batch, p, NULL);
    TRY(query_create(&m->query, &p->dims, m->chunk, o->tokens, true, err));
    TRY(vocabulary_create(&m->words, &p->dims, m->chunk, true, err));
cleanup:
    if (rc != ERR_OK) gradient_map_release(m);
    return rc;
}

size_t head_gradient_bytes(const struct model_dims *d, const struct causal_options *o) {
    if (o->tokens == 0) return number_gradient_bytes(d, o);
    const struct prompt_batch_options batch = causal_text_batch(o, d, o->prompts.n);
    return prompt_batch_bytes(&batch) + prompt_batch_context_bytes(&batch) +
           query_bytes(d, batch.slots, o->tokens, true) + vocabulary_bytes(d, batch.slots, true) +
           batch.slots * (d->E * sizeof(float) + sizeof(double) + sizeof(uint32_t));
}

/* A struct query_visitor: the heads of one layer. */
static void visit_heads(void *context, const struct query_place *place) {
    struct gradient_map *m = context;
    const struct model_dims *d = &m->params->dims;
    const size_t D = model_head_width(d), all = m->o->prompts.n, l = place->layer;
    for (size_t r = 0; r < place->R; r++) {
        const float *g = place->g + r * d->H * D;
        const float *z = m->query.z + (l * m->query.capacity + r) * d->H * D;
        for (size_t h = 0; h < d->H; h++)
            m->effect[(l * d->H + h) * all + m->first + r] =
                m->rank[r] < HEAD_GRADIENT_TOP ? (float)vector_dot(z + h * D, g + h * D, D) : 0;
    }
}

static void attribute(struct gradient_map *m, const struct prompt_view *part) {
    const size_t last = part->points - 1, n = part->n;
    const struct edits edits = {.items = m->edits, .n = m->params->dims.L};
    const struct query_visitor visitor = {visit_heads, m};
    prompt_batch_fill(&m->batch, part, (struct prompt_span){.pairs = last});
    prompt_batch_ask(&m->batch, part, last, 0);
    const struct query_rows rows = prompt_rows_of(&m->batch.rows, n);
    const uint32_t *wanted = m->batch.rows.wanted;
    query_forward(&m->query, m->params, &m->batch.context, &rows, &edits);
    const float *x = query_output(&m->query);
    vocabulary_log_prob(m->log_prob, &m->words, m->params, x, wanted, n);
    vocabulary_rank(m->rank, &m->words, m->params, n);
    for (size_t r = 0; r < n; r++) m->answered += m->rank[r] < HEAD_GRADIENT_TOP;
    vocabulary_logit_gradient(m->dx, &m->words, m->params, x, wanted, n);
    query_backward_edited(&m->query, m->params, &m->batch.context, &rows, &edits, m->dx, &visitor);
}

enum err_code head_gradient_map(float *effect, const struct params *p,
                                const struct causal_options *o, struct err *err) {
    struct gradient_map m;
    if (o->tokens == 0) return number_gradient_map(effect, p, o, err);
    enum err_code rc = gradient_map_init(&m, p, o, err);
    if (rc != ERR_OK) return rc;
    m.effect = effect;
    for (m.first = 0; m.first < o->prompts.n; m.first += m.chunk) {
        const struct prompt_view part = prompt_view_chunk(&o->prompts, m.first, m.chunk);
        attribute(&m, &part);
        TRY(causal_advance(o->progress, (double)part.n, err));
    }
    CHECK(m.answered > 0, ERR_NUMERIC,
          "none of %zu answers is among the %d most likely tokens of the model, so no head has an "
          "attribution: take more shots, or a task that the model can do",
          o->prompts.n, (int)HEAD_GRADIENT_TOP);
cleanup:
    gradient_map_release(&m);
    return rc;
}
