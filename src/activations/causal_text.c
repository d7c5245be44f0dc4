#include "activations/causal_text.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "model/vocabulary.h"
#include "sources/prompt_batch.h"

struct text_map {
    const struct causal_options *o;
    const struct params *params;
    size_t chunk;
    struct prompt_batch batch; /* of the corrupted prompts of a chunk */
    struct head_patching pass;
    struct vocabulary words;
    float *patched;    /* [H, chunk, E] x[L] with a head of a layer patched */
    double *log_prob;  /* [H, chunk] of the answers */
    double *corrupted; /* [chunk] their probabilities without a patch */
    uint32_t *wanted;  /* [H, chunk] first tokens of the answers */
};

struct prompt_batch_options causal_text_batch(const struct causal_options *o,
                                              const struct model_dims *d, size_t prompts) {
    const size_t chunk = o->chunk < prompts ? o->chunk : prompts;
    return (struct prompt_batch_options){.dims = d,
                                         .slots = chunk,
                                         .tokens = o->tokens,
                                         .rows = chunk,
                                         .contexts = o->contexts,
                                         .share = o->share};
}

static void text_map_release(struct text_map *m) {
    free(m->wanted);
    free(m->log_prob);
    free(m->patched);
    vocabulary_destroy(&m->words);
    head_patching_destroy(&m->pass);
    prompt_batch_destroy(&m->batch);
}

static enum err_code text_map_init(struct text_map *m, const struct params *p,
                                   const struct causal_options *o, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &p->dims;
    const struct prompt_batch_options batch = causal_text_batch(o, d, o->corrupted.n);
    const size_t chunk = batch.slots, rows = d->H * chunk;
    *m = (struct text_map){.o = o, .params = p, .chunk = chunk};
    m->patched = calloc(rows * d->E, sizeof *m->patched);
    m->log_prob = calloc(rows + chunk, sizeof *m->log_prob);
    m->wanted = calloc(rows, sizeof *m->wanted);
    CHECK(m->patched && m->log_prob && m->wanted, ERR_MEMORY,
          "no memory for %zu heads patched in %zu prompts", d->H, chunk);
    m->corrupted = m->log_prob + rows;
    TRY(prompt_batch_create(&m->batch, &batch, err));
    prompt_batch_begin(&m->batch, p, NULL);
    TRY(head_patching_create(&m->pass, d, chunk, o->tokens, err));
    TRY(vocabulary_create(&m->words, d, rows, false, err));
cleanup:
    if (rc != ERR_OK) text_map_release(m);
    return rc;
}

size_t causal_text_bytes(const struct model_dims *d, const struct causal_options *o) {
    const struct prompt_batch_options batch = causal_text_batch(o, d, o->corrupted.n);
    const size_t rows = d->H * batch.slots;
    return prompt_batch_bytes(&batch) + prompt_batch_context_bytes(&batch) +
           head_patching_bytes(d, batch.slots, o->tokens) + vocabulary_bytes(d, rows, false) +
           rows * (d->E * sizeof(float) + sizeof(double) + sizeof(uint32_t)) +
           batch.slots * sizeof(double);
}

/* Contexts, queries, and what the model says without a patch. */
static void begin_part(struct text_map *m, const struct prompt_view *part) {
    const size_t last = part->points - 1, H = m->params->dims.H;
    prompt_batch_fill(&m->batch, part, (struct prompt_span){.pairs = last});
    prompt_batch_ask(&m->batch, part, last, 0);
    const struct query_rows rows = prompt_rows_of(&m->batch.rows, part->n);
    head_patching_begin(&m->pass, m->params, &m->batch.context, &rows);
    vocabulary_log_prob(m->log_prob, &m->words, m->params, query_output(&m->pass.base),
                        m->batch.rows.wanted, part->n);
    for (size_t r = 0; r < part->n; r++) m->corrupted[r] = exp(m->log_prob[r]);
    for (size_t i = 0; i < H * part->n; i++) m->wanted[i] = m->batch.rows.wanted[i % part->n];
}

/* All heads of layer l on a part that begins at prompt `first`. */
static void measure_layer(float *effect, struct text_map *m, const struct basis *values, size_t l,
                          size_t first, size_t R) {
    const size_t H = m->params->dims.H, all = m->o->corrupted.n;
    const enum edit_site site = m->o->reading == CAUSAL_HEADS ? EDIT_HEADS : EDIT_ATTENTION;
    head_patching_heads(m->patched, &m->pass, values, site, l, 0, H);
    vocabulary_log_prob(m->log_prob, &m->words, m->params, m->patched, m->wanted, H * R);
    for (size_t h = 0; h < H; h++)
        for (size_t r = 0; r < R; r++)
            effect[(l * H + h) * all + first + r] =
                (float)(exp(m->log_prob[h * R + r]) - m->corrupted[r]);
}

enum err_code causal_text_map(float *effect, const struct params *p, const struct basis *values,
                              const struct causal_options *o, struct err *err) {
    struct text_map m;
    assert(values->R == 1 && o->corruption == CAUSAL_SHARED);
    enum err_code rc = text_map_init(&m, p, o, err);
    if (rc != ERR_OK) return rc;
    for (size_t first = 0; first < o->corrupted.n; first += m.chunk) {
        const struct prompt_view part = prompt_view_chunk(&o->corrupted, first, m.chunk);
        begin_part(&m, &part);
        for (size_t l = 0; l < p->dims.L; l++) {
            measure_layer(effect, &m, values, l, first, part.n);
            TRY(causal_advance(o->progress, (double)(part.n * p->dims.H), err));
        }
    }
cleanup:
    text_map_release(&m);
    return rc;
}
