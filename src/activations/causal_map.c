#include "activations/causal_map.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "activations/basis_mean.h"
#include "activations/causal_text.h"
#include "base/text.h"
#include "sources/prompt_batch.h"

const char *const CAUSAL_CORRUPTIONS[] = {"shared", "redrawn", NULL};
const char *const CAUSAL_READINGS[] = {"heads", "reprojected", NULL};

enum basis_part causal_part(enum causal_reading reading) {
    return reading == CAUSAL_HEADS ? BASIS_HEADS : BASIS_ATTENTION;
}

static enum edit_site site_of(enum causal_reading reading) {
    return reading == CAUSAL_HEADS ? EDIT_HEADS : EDIT_ATTENTION;
}

enum err_code causal_advance(struct causal_progress *s, double by, struct err *err) {
    if (!s) return ERR_OK;
    s->done += by;
    return s->report(s->context, s->done, s->total, err);
}

/* ---- the mean over clean prompts */

size_t causal_mean_bytes(const struct model_dims *dims, const struct causal_options *o) {
    const unsigned parts = basis_bit(causal_part(o->reading));
    const size_t collector =
        o->tokens > 0 ? basis_collector_text_bytes(dims, o->tokens, o->chunk, o->contexts)
                      : basis_collector_bytes(dims, o->T0, o->chunk, o->contexts);
    return basis_set_bytes(dims, parts, o->chunk) + collector;
}

static enum err_code advance_prompts(void *progress, size_t more, struct err *err) {
    return causal_advance(progress, (double)more, err);
}

enum err_code causal_mean(struct basis_set *mean, const struct params *p,
                          const struct causal_options *o, struct err *err) {
    enum err_code rc = ERR_OK;
    struct basis_collector *collector = NULL;
    const struct basis_mean_options of = {.params = p,
                                          .prompts = o->prompts,
                                          .chunk = o->chunk,
                                          .report = advance_prompts,
                                          .context = o->progress};
    assert(mean->parts == basis_bit(causal_part(o->reading)));
    if (o->tokens > 0)
        TRY(basis_collector_create_text(&collector, &p->dims, o->tokens, o->chunk, o->contexts,
                                        err));
    else
        TRY(basis_collector_create(&collector, &p->dims, o->T0, o->chunk, o->contexts, err));
    basis_collector_share(collector, o->share);
    TRY(basis_mean(mean, collector, &of, err));
cleanup:
    basis_collector_destroy(collector);
    return rc;
}

/* ---- the map */

struct map {
    const struct causal_options *o;
    const struct params *params;
    size_t chunk;
    struct prompt_batch batch; /* of the corrupted prompts of a chunk */
    struct head_patching pass;
    float *y;          /* [chunk, points] shuffled labels */
    float *prediction; /* [H, chunk] */
    int64_t *order;    /* [T0] */
    uint32_t *drawn;   /* [T0] */
    struct arena memory;
};

/* Context tokens of a prompt. */
static size_t seen(const struct causal_options *o) { return 2 * (o->T0 - 1); }

static void lay_out_map(struct map *m, const struct model_dims *d) {
    m->y = arena_floats(&m->memory, m->chunk * m->o->prompts.points);
    m->prediction = arena_floats(&m->memory, d->H * m->chunk);
}

static struct map map_describe(const struct causal_options *o, const struct params *p) {
    const size_t chunk = o->chunk < o->prompts.n ? o->chunk : o->prompts.n;
    return (struct map){.o = o, .params = p, .chunk = chunk};
}

static void map_release(struct map *m) {
    free(m->drawn);
    free(m->order);
    arena_release(&m->memory);
    head_patching_destroy(&m->pass);
    prompt_batch_destroy(&m->batch);
}

static struct prompt_batch_options map_batch_options(const struct map *m,
                                                     const struct model_dims *d) {
    const bool redrawn = m->o->corruption == CAUSAL_REDRAWN; /* too many to keep */
    return (struct prompt_batch_options){.dims = d,
                                         .slots = m->chunk,
                                         .tokens = seen(m->o),
                                         .rows = m->chunk,
                                         .contexts = m->o->contexts,
                                         .share = redrawn ? NULL : m->o->share};
}

static enum err_code map_init(struct map *m, const struct causal_options *o, const struct params *p,
                              struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &p->dims;
    *m = map_describe(o, p);
    m->order = calloc(o->T0, sizeof *m->order);
    m->drawn = calloc(o->T0, sizeof *m->drawn);
    CHECK(m->order && m->drawn, ERR_MEMORY, "no memory for %zu labels", o->T0);
    lay_out_map(m, d);
    TRY(arena_commit(&m->memory, err));
    lay_out_map(m, d);
    const struct prompt_batch_options batch = map_batch_options(m, d);
    TRY(prompt_batch_create(&m->batch, &batch, err));
    prompt_batch_begin(&m->batch, p, NULL);
    TRY(head_patching_create(&m->pass, d, m->chunk, seen(o), err));
cleanup:
    if (rc != ERR_OK) map_release(m);
    return rc;
}

size_t causal_map_bytes(const struct model_dims *dims, const struct causal_options *o) {
    if (o->tokens > 0) return causal_text_bytes(dims, o);
    const struct params shape = {.dims = *dims};
    struct map m = map_describe(o, &shape);
    const struct prompt_batch_options batch = map_batch_options(&m, dims);
    lay_out_map(&m, dims);
    return m.memory.used + prompt_batch_bytes(&batch) + prompt_batch_context_bytes(&batch) +
           head_patching_bytes(dims, m.chunk, seen(o));
}

/* m->order: a permutation of n labels, drawn as `sample`. */
static void draw_order(struct map *m, size_t n, uint64_t sample) {
    rng_permutation(m->drawn, (uint32_t)n, m->o->stream, sample, 0);
    for (size_t k = 0; k < n; k++) m->order[k] = m->drawn[k];
}

/* The labels of prompt i of a part, in m->order. */
static void shuffle_labels(struct map *m, const struct prompt_view *part, size_t i) {
    const float *from = part->y + i * part->points;
    float *to = m->y + i * part->points;
    for (size_t k = 0; k + 1 < m->o->T0; k++) to[k] = from[m->order[k]];
}

/* Contexts of a part with shuffled labels, and its queries. */
static void begin_patching(struct map *m, const struct prompt_view *part) {
    const size_t last = m->o->T0 - 1;
    const struct query_rows rows = prompt_rows_of(&m->batch.rows, part->n);
    struct prompt_view shuffled = *part;
    shuffled.y = m->y;
    prompt_batch_fill(&m->batch, &shuffled, (struct prompt_span){.pairs = last});
    prompt_batch_ask(&m->batch, part, last, seen(m->o));
    head_patching_begin(&m->pass, m->params, &m->batch.context, &rows);
}

/* Effects of heads h .. h + heads - 1 of a layer on a part that begins at prompt `first`. */
static void measure_effects(float *effect, struct map *m, const struct prompt_view *part,
                            size_t first, const struct basis *values, size_t l, size_t h,
                            size_t heads) {
    const size_t H = m->params->dims.H, all = m->o->prompts.n, R = part->n;
    head_patching_heads(m->prediction, &m->pass, values, site_of(m->o->reading), l, h, heads);
    for (size_t i = 0; i < heads; i++)
        for (size_t r = 0; r < R; r++) {
            const double y = (double)m->batch.rows.target[r];
            const double corrupted = (double)m->pass.base.prediction[r] - y;
            const double patched = (double)m->prediction[i * R + r] - y;
            effect[(l * H + h + i) * all + first + r] =
                (float)(corrupted * corrupted - patched * patched);
        }
}

static enum err_code run_shared(float *effect, struct map *m, const struct prompt_view *part,
                                size_t first, const struct basis *values, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &m->params->dims;
    for (size_t i = 0; i < part->n; i++) {
        draw_order(m, m->o->T0 - 1, first + i);
        shuffle_labels(m, part, i);
    }
    begin_patching(m, part);
    for (size_t l = 0; l < d->L; l++) {
        measure_effects(effect, m, part, first, values, l, 0, d->H);
        TRY(causal_advance(m->o->progress, (double)(part->n * d->H), err));
    }
cleanup:
    return rc;
}

static enum err_code run_redrawn(float *effect, struct map *m, const struct prompt_view *part,
                                 size_t first, const struct basis *values, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t H = m->params->dims.H, T0 = m->o->T0;
    for (size_t i = 0; i < m->params->dims.L * H; i++) {
        if (m->o->permutations)
            memcpy(m->order, m->o->permutations + i * T0, T0 * sizeof *m->order);
        else
            draw_order(m, T0, i);
        for (size_t r = 0; r < part->n; r++) shuffle_labels(m, part, r);
        begin_patching(m, part);
        measure_effects(effect, m, part, first, values, i / H, i % H, 1);
        TRY(causal_advance(m->o->progress, (double)part->n, err));
    }
cleanup:
    return rc;
}

enum err_code causal_map(float *effect, const struct params *p, const struct basis *values,
                         const struct causal_options *o, struct err *err) {
    struct map m;
    if (o->tokens > 0) return causal_text_map(effect, p, values, o, err);
    assert(values->R == 1 && o->T0 >= 1 && o->T0 <= o->prompts.points);
    enum err_code rc = map_init(&m, o, p, err);
    if (rc != ERR_OK) return rc;
    for (size_t first = 0; first < o->prompts.n; first += m.chunk) {
        const struct prompt_view part = prompt_view_chunk(&o->prompts, first, o->chunk);
        if (o->corruption == CAUSAL_SHARED)
            TRY(run_shared(effect, &m, &part, first, values, err));
        else
            TRY(run_redrawn(effect, &m, &part, first, values, err));
    }
cleanup:
    map_release(&m);
    return rc;
}

/* ---- the average effect */

enum err_code causal_effects(double *mean, const float *effect, const struct model_dims *dims,
                             size_t n, struct err *err) {
    bool any = false;
    for (size_t i = 0; i < dims->L * dims->H; i++) {
        double sum = 0;
        for (size_t r = 0; r < n; r++) sum += (double)effect[i * n + r];
        mean[i] = sum / (double)n;
        if (!isfinite(mean[i]))
            return ERR(err, ERR_NUMERIC, "layer %zu, head %zu: the average effect is %g",
                       i / dims->H, i % dims->H, text_nan(mean[i]));
        any |= mean[i] != 0;
    }
    if (!any)
        return ERR(err, ERR_NUMERIC,
                   "the average effect of every one of the %zu heads is exactly 0: no head reaches "
                   "the prediction, so none can be chosen; use another model",
                   dims->L * dims->H);
    return ERR_OK;
}

void causal_rank(uint32_t *order, const double *effects, size_t n) {
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        for (; at > 0 && effects[order[at - 1]] < effects[i]; at--) order[at] = order[at - 1];
        order[at] = (uint32_t)i;
    }
}
