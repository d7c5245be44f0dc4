#include "model/query.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "model/block.h"
#include "model/edit_gradient.h"
#include "model/embed.h"
#include "ops/context_attention.h"
#include "ops/vector_ops.h"

/* Without a backward pass all layers share one set of activations, except z and a. */
struct query_scratch {
    bool for_backward;
    bool from_embedding, only_adds; /* of the last pass: where it began; its edits only add to block
                                       outputs */
    float *row;                     /* [context tokens + 1] of one head's attention */
    float *mapped;                  /* [max(E, H D)] scratch of edits */
    float *first;                   /* [capacity, E] gradient of x[0] */
    float *seen;                    /* [capacity, max(E, H D)] what visitors see */
    uint32_t *position;             /* [capacity] of the rows */
    float *angles;                  /* block_angles(capacity) of the rows' positions */
    struct context *grown;          /* during query_append(): the context that takes the rows */
    struct block_scratch block;
    struct forward_layer *layers; /* [L]; NULL while the arena only measures */
};

static void query_lay_out_layers(struct query *q, struct query_scratch *s, struct arena *a) {
    const size_t R = q->capacity, E = q->dims.E;
    const size_t att = R * q->dims.H * (context_layout_capacity(q->tokens) + 1 + q->earlier);
    struct forward_layer first;
    for (size_t l = 0; l < q->dims.L; l++) {
        struct forward_layer layer;
        if (l == 0 || s->for_backward)
            block_lay_out(&layer, a, &q->dims, R, att, s->for_backward);
        else
            layer = first;
        if (l == 0) first = layer;
        if (!s->layers) continue;
        layer.z = q->z + l * R * model_heads_width(&q->dims);
        layer.a = q->a + l * R * E;
        s->layers[l] = layer;
    }
}

/* One number a row; else the answers are over a vocabulary. */
static bool predicts(const struct model_dims *d) { return d->vocabulary == 0; }

/* Numbers of a row at a site. */
static size_t site_width(const struct model_dims *d, enum edit_site site) {
    return site == EDIT_HEADS ? model_heads_width(d) : d->E;
}

static size_t site_width_max(const struct model_dims *d) {
    return d->E > model_heads_width(d) ? d->E : model_heads_width(d);
}

static void query_lay_out(struct query *q, struct query_scratch *s, struct arena *a) {
    const size_t R = q->capacity, L = q->dims.L, E = q->dims.E;
    q->x = arena_floats(a, (L + 1) * R * E);
    q->z = arena_floats(a, L * R * model_heads_width(&q->dims));
    q->a = arena_floats(a, L * R * E);
    if (predicts(&q->dims)) q->prediction = arena_floats(a, R);
    query_lay_out_layers(q, s, a);
    if (predicts(&q->dims)) unembed_lay_out(&q->last, a, &q->dims, R, s->for_backward);
    s->mapped = arena_floats(a, site_width_max(&q->dims));
    s->angles = arena_floats(a, block_angles(&q->dims, R));
    if (!s->for_backward) return;
    q->g = arena_floats(a, L * R * E);
    s->first = arena_floats(a, R * E);
    if (q->earlier > 0) s->seen = arena_floats(a, R * site_width_max(&q->dims));
    s->row = arena_floats(a, context_layout_capacity(q->tokens) + 1);
    block_scratch_lay_out(&s->block, a, &q->dims, R);
}

size_t query_bytes_long(const struct model_dims *dims, size_t capacity, size_t tokens,
                        size_t earlier, bool for_backward) {
    struct query q = {.dims = *dims, .capacity = capacity, .tokens = tokens, .earlier = earlier};
    struct query_scratch s = {.for_backward = for_backward};
    struct arena a = {0};
    query_lay_out(&q, &s, &a);
    return a.used;
}

size_t query_bytes(const struct model_dims *dims, size_t capacity, size_t tokens,
                   bool for_backward) {
    return query_bytes_long(dims, capacity, tokens, 0, for_backward);
}

enum err_code query_create_long(struct query *q, const struct model_dims *dims, size_t capacity,
                                size_t tokens, size_t earlier, bool for_backward, struct err *err) {
    enum err_code rc = ERR_OK;
    struct query made = {.dims = *dims, .capacity = capacity, .tokens = tokens, .earlier = earlier};
    struct query measured = made;
    struct query_scratch measuring = {.for_backward = for_backward}, *s = NULL;
    query_lay_out(&measured, &measuring, &made.memory);
    made.scratch = s = calloc(1, sizeof *s);
    CHECK(s, ERR_MEMORY, "no memory for the tables of a query stream");
    TRY(arena_commit(&made.memory, err));
    s->for_backward = for_backward;
    s->layers = calloc(dims->L, sizeof *s->layers);
    s->position = calloc(capacity + 1, sizeof *s->position);
    CHECK(s->layers && s->position, ERR_MEMORY, "no memory for the tables of a query stream");
    query_lay_out(&made, s, &made.memory);
    *q = made;
    made = (struct query){0};
cleanup:
    query_destroy(&made);
    return rc;
}

enum err_code query_create(struct query *q, const struct model_dims *dims, size_t capacity,
                           size_t tokens, bool for_backward, struct err *err) {
    return query_create_long(q, dims, capacity, tokens, 0, for_backward, err);
}

void query_destroy(struct query *q) {
    arena_release(&q->memory);
    if (q->scratch) free(q->scratch->layers), free(q->scratch->position);
    free(q->scratch);
    *q = (struct query){0};
}

/* The residual stream [capacity, E] after l blocks. */
static float *stream(const struct query *q, size_t l) { return q->x + l * q->capacity * q->dims.E; }

static bool is_stored(const struct query *q, enum edit_site site) {
    return (site == EDIT_MLP ? q->before_mlp : q->before) != NULL;
}

/* The rows of a layer before edits that do more than add. */
static float *rows_before(const struct query *q, size_t layer, enum edit_site site) {
    if (site == EDIT_MLP) return q->before_mlp + layer * q->capacity * q->dims.E;
    return q->before + layer * q->capacity * site_width_max(&q->dims);
}

/* x [R, site_width()]: the rows at a site of a layer. */
static void apply_edits(float *x, const struct query *q, const struct query_rows *rows,
                        const struct edits *edits, size_t layer, enum edit_site site) {
    const size_t R = rows->R;
    const size_t width = site_width(&q->dims, site);
    if (is_stored(q, site) && edits_nonadditive_at(edits, layer, site))
        memcpy(rows_before(q, layer, site), x, R * width * sizeof *x);
    for (size_t i = 0; i < edits->n; i++) {
        const struct edit *e = &edits->items[i];
        if (e->layer != layer || e->site != site) continue;
        for (size_t r = 0; r < R; r++)
            if (edit_reaches(e, rows->earlier ? rows->earlier[r] : 0))
                edit_apply(x + r * width, e, edits->index ? edits->index[r] : r, width,
                           q->scratch->mapped);
    }
}

/* The layout of a context with the scale of layer l, and the length of queries. */
static struct context_layout layout_at(const struct query *q, const struct context *c, size_t l) {
    struct context_layout layout = c->layout;
    layout.heads = block_heads(&c->dims, l);
    layout.earlier = q->earlier;
    return layout;
}

static void store_rows(const struct query *q, const struct query_rows *rows, size_t l) {
    const size_t width = model_qkv_width(&q->dims);
    const float *qkv = q->scratch->layers[l].qkv;
    for (size_t r = 0; r < rows->R; r++)
        context_store_token(q->scratch->grown, rows->slot[r], q->scratch->position[r], l,
                            qkv + r * width);
}

/* x[l] -> z[l] */
static void attend_context(struct query *q, const struct params *p, const struct context *c,
                           const struct query_rows *rows, const struct edits *edits, size_t l) {
    const struct model_dims *d = &q->dims;
    const struct forward_layer *a = &q->scratch->layers[l];
    const size_t R = rows->R;
    const struct context_layout layout = layout_at(q, c, l);
    block_qkv(a, stream(q, l), &p->layers[l], d, R);
    block_turn(a->qkv, q->scratch->angles, d, R);
    if (q->scratch->grown) store_rows(q, rows, l);
    context_attention_forward(a->z, a->att, a->qkv, context_layer(c, l), rows->slot, rows->length,
                              rows->earlier, R, &layout);
    apply_edits(a->z, q, rows, edits, l, EDIT_HEADS);
}

/* x[l] and z[l] -> x[l + 1]; unless `project`, a[l] is there already. */
static void finish_block(struct query *q, const struct params *p, const struct query_rows *rows,
                         const struct edits *edits, size_t l, bool project) {
    const size_t R = rows->R;
    const struct model_dims *d = &q->dims;
    const struct forward_layer *a = &q->scratch->layers[l];
    const struct layer_params *w = &p->layers[l];
    if (project) {
        block_project(a, w, d, R);
        apply_edits(a->a, q, rows, edits, l, EDIT_ATTENTION);
    }
    block_after_attention(stream(q, l + 1), a, stream(q, l), w, d, R);
    if (edits_any_at(edits, l, EDIT_MLP)) {
        vector_axpy(stream(q, l + 1), -1.0F, a->mid, R * d->E); /* the MLP output */
        apply_edits(stream(q, l + 1), q, rows, edits, l, EDIT_MLP);
        vector_add(stream(q, l + 1), a->mid, R * d->E);
    }
    apply_edits(stream(q, l + 1), q, rows, edits, l, EDIT_BLOCK);
}

static void set_positions(const struct query *q, const struct query_rows *rows) {
    uint32_t *position = q->scratch->position;
    for (size_t r = 0; r < rows->R; r++) {
        const uint32_t earlier = rows->earlier ? rows->earlier[r] : 0;
        assert(earlier <= q->earlier && earlier <= r);
        position[r] = rows->length[r] + earlier;
    }
    block_set_angles(q->scratch->angles, &q->dims, position, rows->R);
}

static void run_layers(struct query *q, const struct params *p, const struct context *c,
                       const struct query_rows *rows, const struct edits *edits, size_t first) {
    for (size_t l = first; l < q->dims.L; l++) {
        attend_context(q, p, c, rows, edits, l);
        finish_block(q, p, rows, edits, l, true);
    }
    if (predicts(&q->dims))
        unembed_forward(q->prediction, &q->last, p, stream(q, q->dims.L), rows->R);
}

const float *query_output(const struct query *q) { return stream(q, q->dims.L); }

const float *query_attention(const struct query *q, const struct context *c, size_t l, size_t r,
                             size_t h) {
    assert(q->scratch->for_backward && l < q->dims.L && h < q->dims.H);
    return q->scratch->layers[l].att + (r * q->dims.H + h) * (c->layout.capacity + 1 + q->earlier);
}

static bool only_adds_to_blocks(const struct edits *edits) {
    for (size_t i = 0; i < edits->n; i++)
        if (edits->items[i].site != EDIT_BLOCK || edits->items[i].operation != EDIT_ADD)
            return false;
    return true;
}

void query_forward(struct query *q, const struct params *p, const struct context *c,
                   const struct query_rows *rows, const struct edits *edits) {
    assert(rows->R <= q->capacity && c->layout.capacity <= context_layout_capacity(q->tokens));
    q->scratch->from_embedding = true;
    q->scratch->only_adds = only_adds_to_blocks(edits);
    set_positions(q, rows);
    embed_rows(q->x, p, rows->x, rows->ids, q->scratch->position, rows->R);
    apply_edits(q->x, q, rows, edits, 0, EDIT_EMBEDDING);
    run_layers(q, p, c, rows, edits, 0);
}

void query_append(struct query *q, const struct params *p, struct context *c,
                  const struct query_rows *rows, const struct edits *edits) {
    q->scratch->grown = c;
    query_forward(q, p, c, rows, edits);
    q->scratch->grown = NULL;
}

void query_resume(struct query *q, const struct params *p, const struct context *c,
                  const struct query_rows *rows, const struct edits *edits, size_t layer,
                  enum edit_site from) {
    assert(rows->R <= q->capacity && c->layout.capacity <= context_layout_capacity(q->tokens));
    assert(layer < q->dims.L);
    q->scratch->from_embedding = false;
    set_positions(q, rows);
    if (from != EDIT_BLOCK) {
        block_begin_after_qkv(&q->scratch->layers[layer], stream(q, layer), &p->layers[layer],
                              &q->dims, rows->R);
        finish_block(q, p, rows, edits, layer, from == EDIT_HEADS);
    }
    run_layers(q, p, c, rows, edits, layer + 1);
}

/* What the parts of a backward pass share. */
struct backward_pass {
    struct query *q;
    const struct params *p;
    const struct context *c;
    const struct query_rows *rows;
    const struct edits *edits;
    const struct query_visitor *visitor; /* or NULL */
};

/* g [R, width], with zeros in rows that follow the first of their query. */
static void clear_followers(float *g, const struct query_rows *rows, size_t width) {
    for (size_t r = 0; rows->earlier && r < rows->R; r++)
        if (rows->earlier[r] > 0) memset(g + r * width, 0, width * sizeof *g);
}

static const float *seen_by_visitors(const struct backward_pass *b, const float *g, size_t layer,
                                     enum edit_site site) {
    const size_t width = site_width(&b->q->dims, site);
    if (!b->rows->earlier || !edits_query_at(b->edits, layer, site)) return g;
    memcpy(b->q->scratch->seen, g, b->rows->R * width * sizeof *g);
    clear_followers(b->q->scratch->seen, b->rows, width);
    return b->q->scratch->seen;
}

static void visit_place(const struct backward_pass *b, const float *g, size_t layer,
                        enum edit_site site) {
    if (!b->visitor || !edits_any_at(b->edits, layer, site)) return;
    g = seen_by_visitors(b, g, layer, site);
    const bool stored = is_stored(b->q, site) && edits_nonadditive_at(b->edits, layer, site);
    const struct query_place place = {layer, b->rows->R, site,
                                      stored ? rows_before(b->q, layer, site) : NULL, g};
    b->visitor->visit(b->visitor->context, &place);
}

static void through_edits(float *g, const struct backward_pass *b, size_t layer,
                          enum edit_site site) {
    edits_backward(g, b->edits, layer, site, b->rows->earlier, b->rows->R,
                   site_width(&b->q->dims, site), b->q->scratch->mapped);
}

/* da: the gradient of `a` after its edits. Where `a` has edits, the gradient of z has to pass
 * through them; otherwise block_finish_backward() has computed it already. */
static void project_backward(const struct backward_pass *b, const float *da, size_t l) {
    const struct block_scratch *s = &b->q->scratch->block;
    const size_t R = b->rows->R;
    if (!edits_any_at(b->edits, l, EDIT_ATTENTION)) return;
    visit_place(b, da, l, EDIT_ATTENTION);
    memcpy(s->narrow, da, R * b->q->dims.E * sizeof *da);
    through_edits(s->narrow, b, l, EDIT_ATTENTION);
    block_project_backward(s, s->narrow, &b->p->layers[l], &b->q->dims, R);
}

/* b->dz -> b->dqkv */
static void attend_backward(const struct backward_pass *b, size_t l) {
    const struct query_scratch *s = b->q->scratch;
    const struct forward_layer *a = &s->layers[l];
    const struct context_layout layout = layout_at(b->q, b->c, l);
    const size_t R = b->rows->R;
    context_attention_backward(s->block.dqkv, s->row, s->block.dz, a->att, a->qkv,
                               context_layer(b->c, l), b->rows->slot, b->rows->length,
                               b->rows->earlier, R, &layout);
    block_turn_backward(s->block.dqkv, s->angles, &b->q->dims, R);
}

/* g: on entry the gradient of the output of block l after its edits, on return that of x[l]. */
static void block_backward(float *g, const struct backward_pass *b, size_t l) {
    static const struct layer_params frozen; /* members NULL: no weight gradient is wanted */
    const struct query *q = b->q;
    struct query_scratch *s = q->scratch;
    const struct forward_layer *a = &s->layers[l];
    const struct layer_params *w = &b->p->layers[l];
    const size_t R = b->rows->R;
    through_edits(g, b, l, EDIT_BLOCK);
    visit_place(b, g, l, EDIT_MLP);
    s->block.mlp_less = 1.0f - edits_factor_at(b->edits, l, EDIT_MLP);
    const float *da = block_finish_backward(g, &s->block, &frozen, a, stream(q, l), w, &q->dims, R);
    project_backward(b, da, l);
    visit_place(b, s->block.dz, l, EDIT_HEADS);
    through_edits(s->block.dz, b, l, EDIT_HEADS);
    attend_backward(b, l);
    block_qkv_backward(g, &s->block, &frozen, a, stream(q, l), w, &q->dims, R);
}

static bool any_before_block_0_output(const struct edits *edits) {
    return edits_any_at(edits, 0, EDIT_ATTENTION) || edits_any_at(edits, 0, EDIT_HEADS) ||
           edits_any_at(edits, 0, EDIT_EMBEDDING) || edits_any_at(edits, 0, EDIT_MLP);
}

static void run_backward(const struct backward_pass *b, const float *dprediction) {
    static const struct params frozen; /* members NULL: no weight gradient is wanted */
    const struct query *q = b->q;
    const size_t L = q->dims.L, R = b->rows->R, layer = q->capacity * q->dims.E;
    float *first = q->scratch->first, *last = q->g + (L - 1) * layer;
    if (predicts(&q->dims))
        unembed_backward(last, &frozen, &q->last, b->p, stream(q, L), dprediction, R);
    else
        memcpy(last, dprediction, R * q->dims.E * sizeof *last);
    for (size_t l = L; l-- > 0;) { /* through block l, whose input is x[l] */
        const float *after = q->g + l * layer;
        float *g = l > 0 ? q->g + (l - 1) * layer : first;
        visit_place(b, after, l, EDIT_BLOCK);
        if (l == 0 && !any_before_block_0_output(b->edits)) break;
        memcpy(g, after, R * q->dims.E * sizeof *g);
        block_backward(g, b, l);
        if (l == 0) visit_place(b, first, 0, EDIT_EMBEDDING);
    }
    for (size_t l = 0; l < L; l++) clear_followers(q->g + l * layer, b->rows, q->dims.E);
}

void query_backward(struct query *q, const struct params *p, const struct context *c,
                    const struct query_rows *rows, const float *dprediction) {
    static const struct edits none; /* an addition does not change the gradient */
    const struct backward_pass b = {q, p, c, rows, &none, NULL};
    assert(q->scratch->for_backward && q->scratch->from_embedding && q->scratch->only_adds);
    run_backward(&b, dprediction);
}

void query_backward_edited(struct query *q, const struct params *p, const struct context *c,
                           const struct query_rows *rows, const struct edits *edits,
                           const float *dprediction, const struct query_visitor *visitor) {
    const struct backward_pass b = {q, p, c, rows, edits, visitor};
    assert(q->scratch->for_backward && q->scratch->from_embedding);
    run_backward(&b, dprediction);
}
