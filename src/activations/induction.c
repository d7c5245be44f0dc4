#include "activations/induction.h"

#include <assert.h>
#include <stdlib.h>

#include "sources/prompt_batch.h"

struct induction {
    const struct induction_options *o;
    const struct params *params;
    size_t chunk, tokens, begin; /* tokens of a sequence; begin: of its first half */
    struct prompt_batch batch;
    struct query query;            /* the second half of one sequence */
    size_t *first;                 /* [chunk + 1] */
    uint32_t *ids;                 /* [chunk, tokens] */
    uint32_t *order;               /* [vocabulary] */
    uint32_t *slot, *seen, *asked; /* [length] of the rows */
};

static size_t begin_of(const struct induction_options *o) { return o->bos >= 0 ? 1 : 0; }

size_t induction_tokens(const struct induction_options *o) { return begin_of(o) + 2 * o->length; }

static struct induction induction_describe(const struct induction_options *o,
                                           const struct params *p) {
    return (struct induction){.o = o,
                              .params = p,
                              .chunk = o->chunk < o->sequences ? o->chunk : o->sequences,
                              .tokens = induction_tokens(o),
                              .begin = begin_of(o)};
}

static struct prompt_batch_options induction_batch(const struct induction *m) {
    return (struct prompt_batch_options){.dims = &m->params->dims,
                                         .slots = m->chunk,
                                         .tokens = m->tokens - 1,
                                         .rows = 1,
                                         .contexts = m->o->contexts};
}

/* Numbers in ids, order and the rows. */
static size_t induction_numbers(const struct induction *m) {
    return m->chunk * m->tokens + m->o->vocabulary + 3 * m->o->length;
}

static void induction_release(struct induction *m) {
    free(m->first);
    free(m->ids);
    query_destroy(&m->query);
    prompt_batch_destroy(&m->batch);
}

static enum err_code induction_init(struct induction *m, const struct params *p,
                                    const struct induction_options *o, struct err *err) {
    enum err_code rc = ERR_OK;
    *m = induction_describe(o, p);
    const struct prompt_batch_options batch = induction_batch(m);
    m->first = calloc(m->chunk + 1, sizeof *m->first);
    m->ids = calloc(induction_numbers(m), sizeof *m->ids);
    CHECK(m->first && m->ids, ERR_MEMORY, "no memory for %zu sequences of %zu tokens", m->chunk,
          m->tokens);
    m->order = m->ids + m->chunk * m->tokens;
    m->slot = m->order + o->vocabulary;
    m->seen = m->slot + o->length;
    m->asked = m->seen + o->length;
    for (size_t i = 0; i <= m->chunk; i++) m->first[i] = i * m->tokens;
    TRY(prompt_batch_create(&m->batch, &batch, err));
    prompt_batch_begin(&m->batch, p, NULL);
    TRY(query_create(&m->query, &p->dims, o->length, m->tokens - 1, true, err));
cleanup:
    if (rc != ERR_OK) induction_release(m);
    return rc;
}

size_t induction_bytes(const struct model_dims *dims, const struct induction_options *o) {
    const struct params shape = {.dims = *dims};
    const struct induction m = induction_describe(o, &shape);
    const struct prompt_batch_options batch = induction_batch(&m);
    return prompt_batch_bytes(&batch) + prompt_batch_context_bytes(&batch) +
           query_bytes(dims, o->length, m.tokens - 1, true) +
           induction_numbers(&m) * sizeof(uint32_t) + (m.chunk + 1) * sizeof(size_t);
}

static void draw_sequence(uint32_t *ids, struct induction *m, size_t sequence) {
    const struct induction_options *o = m->o;
    const uint32_t others = (uint32_t)(o->vocabulary - m->begin), bos = (uint32_t)o->bos;
    if (m->begin > 0) ids[0] = bos;
    rng_permutation(m->order, others, o->stream, sequence, 0);
    for (size_t j = 0; j < o->length; j++) {
        const uint32_t id = m->order[j] + (m->begin > 0 && m->order[j] >= bos);
        ids[m->begin + j] = ids[m->begin + o->length + j] = id;
    }
}

/* The contexts of the n sequences from `from` on. */
static void fill_sequences(struct induction *m, size_t from, size_t n) {
    const struct prompt_view view = {
        .n = n, .points = 1, .text = {.ids = m->ids, .first = m->first}};
    for (size_t i = 0; i < n; i++) draw_sequence(m->ids + i * m->tokens, m, from + i);
    prompt_batch_fill(&m->batch, &view, (struct prompt_span){0});
}

/* Mean over the rows of the attention of a head to the token after the earlier occurrence. */
static double mean_attention(const struct induction *m, size_t l, size_t h) {
    double sum = 0;
    for (size_t j = 0; j < m->o->length; j++)
        sum += (double)query_attention(&m->query, &m->batch.context, l, j, h)[m->begin + j + 1];
    return sum / (double)m->o->length;
}

/* The sequence in slot i of the batch. */
static void score_sequence(float *score, struct induction *m, size_t i, size_t sequence) {
    const struct model_dims *d = &m->params->dims;
    const size_t second = m->begin + m->o->length;
    for (size_t j = 0; j < m->o->length; j++) {
        m->slot[j] = (uint32_t)i;
        m->seen[j] = (uint32_t)(second + j);
        m->asked[j] = m->ids[i * m->tokens + second + j];
    }
    const struct query_rows rows = {
        .R = m->o->length, .slot = m->slot, .length = m->seen, .ids = m->asked};
    query_forward(&m->query, m->params, &m->batch.context, &rows, &(struct edits){0});
    for (size_t l = 0; l < d->L; l++)
        for (size_t h = 0; h < d->H; h++)
            score[(l * d->H + h) * m->o->sequences + sequence] = (float)mean_attention(m, l, h);
}

enum err_code induction_scores(float *score, const struct params *p,
                               const struct induction_options *o, struct err *err) {
    struct induction m;
    assert(o->length >= 2 && o->length + begin_of(o) <= o->vocabulary);
    enum err_code rc = induction_init(&m, p, o, err);
    if (rc != ERR_OK) return rc;
    for (size_t from = 0; from < o->sequences; from += m.chunk) {
        const size_t left = o->sequences - from, n = left < m.chunk ? left : m.chunk;
        fill_sequences(&m, from, n);
        for (size_t i = 0; i < n; i++) score_sequence(score, &m, i, from + i);
        TRY(causal_advance(o->progress, (double)n, err));
    }
cleanup:
    induction_release(&m);
    return rc;
}
