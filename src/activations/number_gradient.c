#include "activations/number_gradient.h"

#include <stdlib.h>

#include "ops/vector_ops.h"
#include "sources/prompt_batch.h"

struct number_map {
    const struct causal_options *o;
    const struct params *params;
    size_t chunk, first; /* first: prompt of the chunk that runs */
    size_t width;        /* of the heads of a layer together */
    struct prompt_batch batch;
    struct query query;
    struct edit *edits; /* [L] additions of nothing: the places that are visited */
    float *nothing;     /* [width] zeros */
    float *effect;      /* the caller's */
};

static void number_map_release(struct number_map *m) {
    free(m->edits);
    free(m->nothing);
    query_destroy(&m->query);
    prompt_batch_destroy(&m->batch);
}

static struct prompt_batch_options batch_of(const struct causal_options *o,
                                            const struct model_dims *d) {
    const size_t chunk = o->chunk < o->prompts.n ? o->chunk : o->prompts.n;
    return (struct prompt_batch_options){.dims = d,
                                         .slots = chunk,
                                         .tokens = 2 * (o->T0 - 1),
                                         .rows = chunk,
                                         .contexts = o->contexts,
                                         .share = o->share};
}

static void place_edits(struct number_map *m) {
    const bool heads = m->o->reading == CAUSAL_HEADS;
    for (size_t l = 0; l < m->params->dims.L; l++)
        m->edits[l] = (struct edit){.layer = l,
                                    .site = heads ? EDIT_HEADS : EDIT_ATTENTION,
                                    .operation = EDIT_ADD,
                                    .scale = 1,
                                    .values = m->nothing};
}

static enum err_code number_map_init(struct number_map *m, const struct params *p,
                                     const struct causal_options *o, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &p->dims;
    const struct prompt_batch_options batch = batch_of(o, d);
    *m = (struct number_map){.o = o, .params = p, .chunk = batch.slots};
    m->width = basis_width(causal_part(o->reading), d);
    m->edits = calloc(d->L, sizeof *m->edits);
    m->nothing = calloc(m->width, sizeof *m->nothing);
    CHECK(m->edits && m->nothing, ERR_MEMORY, "no memory for the gradients of %zu layers", d->L);
    place_edits(m);
    TRY(prompt_batch_create(&m->batch, &batch, err));
    prompt_batch_begin(&m->batch, p, NULL);
    TRY(query_create(&m->query, d, m->chunk, batch.tokens, true, err));
cleanup:
    if (rc != ERR_OK) number_map_release(m);
    return rc;
}

size_t number_gradient_bytes(const struct model_dims *d, const struct causal_options *o) {
    const struct prompt_batch_options batch = batch_of(o, d);
    return prompt_batch_bytes(&batch) + prompt_batch_context_bytes(&batch) +
           query_bytes(d, batch.slots, batch.tokens, true);
}

/* A struct query_visitor: the heads of one layer. */
static void visit_layer(void *context, const struct query_place *place) {
    struct number_map *m = context;
    const size_t H = m->params->dims.H, D = m->width / H, all = m->o->prompts.n;
    const float *out = m->o->reading == CAUSAL_HEADS ? m->query.z : m->query.a;
    for (size_t r = 0; r < place->R; r++) {
        const float *u = out + (place->layer * m->query.capacity + r) * m->width;
        const float *g = place->g + r * m->width;
        for (size_t h = 0; h < H; h++)
            m->effect[(place->layer * H + h) * all + m->first + r] =
                (float)vector_dot(u + h * D, g + h * D, D);
    }
}

static void attribute_numbers(struct number_map *m, const struct prompt_view *part) {
    const size_t last = m->o->T0 - 1;
    const struct edits edits = {.items = m->edits, .n = m->params->dims.L};
    const struct query_visitor visitor = {visit_layer, m};
    prompt_batch_fill(&m->batch, part, (struct prompt_span){.pairs = last});
    prompt_batch_ask(&m->batch, part, last, 2 * last);
    const struct query_rows rows = prompt_rows_of(&m->batch.rows, part->n);
    query_forward(&m->query, m->params, &m->batch.context, &rows, &edits);
    query_backward_edited(&m->query, m->params, &m->batch.context, &rows, &edits,
                          m->batch.rows.target, &visitor);
}

enum err_code number_gradient_map(float *effect, const struct params *p,
                                  const struct causal_options *o, struct err *err) {
    struct number_map m;
    enum err_code rc = number_map_init(&m, p, o, err);
    if (rc != ERR_OK) return rc;
    m.effect = effect;
    for (m.first = 0; m.first < o->prompts.n; m.first += m.chunk) {
        const struct prompt_view part = prompt_view_chunk(&o->prompts, m.first, m.chunk);
        attribute_numbers(&m, &part);
        TRY(causal_advance(o->progress, (double)part.n, err));
    }
cleanup:
    number_map_release(&m);
    return rc;
}
