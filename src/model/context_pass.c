#include "model/context_pass.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "model/block.h"
#include "model/embed.h"
#include "model/prompt_groups.h"
#include "model/row_packing.h"
#include "ops/attention.h"
#include "ops/vector_ops.h"

struct waiting_prompt {
    size_t slot, n_tokens;
    size_t row; /* the first of its rows */
};

struct context_scratch {
    struct model_dims dims;
    size_t prompts, tokens; /* prompts that wait at most; tokens of each at most */
    float *x, *next; /* [rows, E] a block's input and output; of prompts that wait, the embedded
                        tokens */
    struct forward_layer layer;
    float *a;         /* [rows, E] for captures of layer.a */
    float *attention; /* scratch of attention_forward() */
    float *angles;    /* block_angles(tokens) of positions 0, 1, 2, ... */
    struct waiting_prompt *waiting;
    size_t n_waiting, used;       /* prompts that wait; rows that they take */
    bool packs;                   /* by `packing`, else by `groups` */
    struct row_packing packing;   /* of token ids */
    struct prompt_groups *groups; /* [tokens + 1] by length, of real vectors */
    struct context_capture capture;
    struct arena memory;
};

/* ---- storage */

static bool reads_ids(const struct model_dims *d) { return d->vocabulary > 0; }

/* A prompt takes at most as many rows as it has in a pass of its own. */
static size_t rows_most(const struct context_scratch *s) {
    const size_t all = s->prompts * row_packing_pass(s->tokens), most = row_packing_most(s->tokens);
    if (reads_ids(&s->dims)) return all < most ? all : most;
    return prompt_groups_pass(s->tokens, s->prompts);
}

static void scratch_lay_out(struct context_scratch *s, struct arena *a) {
    const size_t rows = rows_most(s), E = s->dims.E;
    const size_t unused = s->packs ? ROW_PACKING_STEP : 0; /* that fill up the pass of a last prompt
                                                              that runs alone */
    s->x = arena_floats(a, (rows + unused) * E);
    s->next = arena_floats(a, (rows + unused) * E);
    block_lay_out(&s->layer, a, &s->dims, rows, 0, false);
    s->layer.z = arena_floats(a, rows * model_heads_width(&s->dims));
    if (reads_ids(&s->dims)) s->a = arena_floats(a, rows * E);
    s->angles = arena_floats(a, block_angles(&s->dims, s->tokens));
    s->attention = arena_floats(a, attention_scratch(s->tokens, model_head_width(&s->dims)));
}

static void set_angles(const struct context_scratch *s) {
    for (uint32_t t = 0; t < s->tokens; t++) {
        float *angles = s->angles + block_angles(&s->dims, t);
        block_set_angles(angles, &s->dims, &t, 1);
    }
}

static struct context_scratch context_scratch_of(const struct model_dims *dims, size_t prompts,
                                                 size_t tokens) {
    return (struct context_scratch){.dims = *dims,
                                    .prompts = prompts > 0 ? prompts : 1,
                                    .tokens = tokens,
                                    .packs = reads_ids(dims)};
}

enum err_code context_scratch_create(struct context_scratch **out, const struct model_dims *dims,
                                     size_t prompts, size_t tokens, struct err *err) {
    enum err_code rc = ERR_OK;
    struct context_scratch *s = calloc(1, sizeof *s);
    CHECK(s, ERR_MEMORY, "no memory for the tables of a context pass");
    *s = context_scratch_of(dims, prompts, tokens);
    scratch_lay_out(s, &s->memory);
    s->groups = calloc(tokens + 1, sizeof *s->groups);
    s->waiting = calloc(ROW_PACKING_ROWS, sizeof *s->waiting);
    CHECK(s->groups && s->waiting, ERR_MEMORY, "no memory for the tables of a context pass");
    TRY(row_packing_create(&s->packing, dims, tokens, err));
    TRY(arena_commit(&s->memory, err));
    scratch_lay_out(s, &s->memory);
    set_angles(s);
    *out = s;
    s = NULL;
cleanup:
    context_scratch_destroy(s);
    return rc;
}

void context_scratch_destroy(struct context_scratch *s) {
    if (!s) return;
    arena_release(&s->memory);
    row_packing_destroy(&s->packing);
    free(s->waiting);
    free(s->groups);
    free(s);
}

size_t context_scratch_bytes(const struct model_dims *dims, size_t prompts, size_t tokens) {
    struct context_scratch s = context_scratch_of(dims, prompts, tokens);
    struct arena a = {0};
    scratch_lay_out(&s, &a);
    const size_t finding = s.packs ? row_packing_bytes(dims, rows_most(&s)) : 0;
    return a.used > finding ? a.used : finding;
}

/* ---- captures */

void context_scratch_capture(struct context_scratch *s, const struct context_capture *capture) {
    assert(s->n_waiting == 0 && (!capture || s->packs));
    s->capture = capture ? *capture : (struct context_capture){0};
    s->layer.a = s->capture.a ? s->a : NULL;
}

/* Rows of `from`, which begins with the prompt's first token, to the capture of a layer. */
static void capture_rows(float *to, const struct context_scratch *s, const float *from,
                         size_t width, size_t l, size_t slot) {
    const struct context_capture *c = &s->capture;
    if (!to) return;
    to += (l * c->slots + slot) * c->n * width;
    for (size_t i = 0; i < c->n; i++)
        memcpy(to + i * width, from + c->at[slot * c->n + i] * width, width * sizeof *to);
}

/* ---- edits */

/* Edits of scope `query` that add to block outputs, at the tokens of edits->at: x [n_tokens, E]. */
static void edit_named_tokens(float *x, size_t n_tokens, size_t E, const struct edits *edits,
                              size_t layer, size_t slot) {
    for (size_t i = 0; i < edits->n; i++) {
        const struct edit *e = &edits->items[i];
        const bool adds = e->site == EDIT_BLOCK && e->operation == EDIT_ADD;
        if (e->layer != layer || e->scope != EDIT_QUERY || !adds) continue;
        for (size_t k = 0; k < edits->n_at; k++) {
            assert(edits->at[k] < n_tokens), (void)n_tokens;
            edit_add(x + edits->at[k] * E + e->from, edit_row(e, slot), e->scale, edit_width(e, E));
        }
    }
}

/* Edits of scope `all` at a site of block `layer`: x [n_tokens, E]; row [E] is scratch. */
static void edit_all_tokens(float *x, size_t n_tokens, size_t E, const struct edits *edits,
                            size_t layer, enum edit_site site, size_t slot, float *row) {
    for (size_t i = 0; i < edits->n; i++) {
        const struct edit *e = &edits->items[i];
        if (e->layer != layer || e->scope != EDIT_ALL || e->site != site) continue;
        for (size_t t = 0; t < n_tokens; t++) edit_apply(x + t * E, e, slot, E, row);
    }
}

/* Does any edit of scope `all` change attention or MLP outputs? */
static bool edits_inside_blocks(const struct edits *edits) {
    bool any = false;
    for (size_t i = 0; i < edits->n; i++) {
        const struct edit *e = &edits->items[i];
        any |= e->scope == EDIT_ALL && e->site != EDIT_BLOCK;
        assert(e->scope == EDIT_QUERY || e->site == EDIT_BLOCK || e->site == EDIT_ATTENTION ||
               e->site == EDIT_MLP);
        assert(e->scope == EDIT_QUERY || e->site == EDIT_BLOCK || e->operation != EDIT_MAP);
    }
    return any;
}

/* ---- running prompts */

/* Waiting prompts that go through the model together, in rows row .. row + rows - 1 of the scratch.
 */
struct context_pass {
    struct context *c; /* or NULL */
    const struct context_scratch *s;
    const struct params *p;
    const struct edits *edits;
    const struct waiting_prompt *prompts;
    size_t n, row, rows;
};

/* Rows of prompt i, from the first of the pass. */
static size_t row_of(const struct context_pass *k, size_t i) { return k->prompts[i].row - k->row; }

/* Positions, then keys and values into the contexts. */
static void store_keys(const struct context_pass *k, size_t l) {
    const struct context_scratch *s = k->s;
    for (size_t i = 0; i < k->n; i++) {
        const struct waiting_prompt *w = &k->prompts[i];
        float *qkv = s->layer.qkv + row_of(k, i) * model_qkv_width(&s->dims);
        block_turn(qkv, s->angles, &s->dims, w->n_tokens);
        if (k->c)
            context_layout_pack(context_slot(k->c, l, w->slot), qkv, 1, w->n_tokens, &k->c->layout);
    }
}

static void attend_prompts(const struct context_pass *k, size_t l) {
    const struct context_scratch *s = k->s;
    const struct model_dims *d = &s->dims;
    for (size_t i = 0; i < k->n; i++) {
        const struct attention_shape shape = {1, k->prompts[i].n_tokens, 1, block_heads(d, l)};
        float *z = s->layer.z + row_of(k, i) * model_heads_width(d);
        attention_forward(z, NULL, s->attention, s->layer.qkv + row_of(k, i) * model_qkv_width(d),
                          &shape);
        capture_rows(s->capture.z, s, z, model_heads_width(d), l, k->prompts[i].slot);
    }
}

static void edit_rows(const struct context_pass *k, float *x, size_t l, enum edit_site site) {
    const struct context_scratch *s = k->s;
    for (size_t i = 0; i < k->n; i++)
        edit_all_tokens(x + row_of(k, i) * s->dims.E, k->prompts[i].n_tokens, s->dims.E, k->edits,
                        l, site, k->prompts[i].slot, NULL); /* none of them is a map */
}

/* block_finish() with edits of attention and MLP outputs. */
static void finish_edited(const struct context_pass *k, float *out, const float *x, size_t l) {
    const struct context_scratch *s = k->s;
    const struct model_dims *d = &s->dims;
    struct forward_layer layer = s->layer;
    assert(s->a);
    layer.a = s->a;
    block_project(&layer, &k->p->layers[l], d, k->rows);
    edit_rows(k, layer.a, l, EDIT_ATTENTION);
    block_after_attention(out, &layer, x, &k->p->layers[l], d, k->rows);
    vector_axpy(out, -1.0F, layer.mid, k->rows * d->E); /* the MLP output */
    edit_rows(k, out, l, EDIT_MLP);
    vector_add(out, layer.mid, k->rows * d->E);
}

/* Edits and captures of the outputs of block l: x [rows, E]. */
static void treat_outputs(const struct context_pass *k, float *x, size_t l) {
    const struct context_scratch *s = k->s;
    const size_t E = s->dims.E;
    for (size_t i = 0; i < k->n; i++) {
        const struct waiting_prompt *w = &k->prompts[i];
        float *own = x + row_of(k, i) * E;
        edit_named_tokens(own, w->n_tokens, E, k->edits, l, w->slot);
        edit_all_tokens(own, w->n_tokens, E, k->edits, l, EDIT_BLOCK, w->slot, s->layer.ln_1);
        if (s->layer.a) capture_rows(s->capture.a, s, s->layer.a + row_of(k, i) * E, E, l, w->slot);
        capture_rows(s->capture.x, s, own, E, l, w->slot);
    }
}

/* Matrix products, norms and activations take the rows of all prompts; attention takes one prompt
 * at a time. */
static void run_pass(const struct context_pass *k) {
    const struct context_scratch *s = k->s;
    const struct model_dims *d = &s->dims;
    const struct context_capture *capture = &s->capture;
    const bool inside = edits_inside_blocks(k->edits);
    float *x = s->x + k->row * d->E, *next = s->next + k->row * d->E;
    for (size_t l = 0; l < d->L; l++) {
        const struct layer_params *w = &k->p->layers[l];
        const bool is_last = l + 1 == d->L, finishes = !is_last || capture->a || capture->x;
        block_qkv(&s->layer, x, w, d, k->rows);
        store_keys(k, l);
        if (finishes || capture->z) attend_prompts(k, l);
        if (!finishes) return;
        if (inside)
            finish_edited(k, next, x, l);
        else
            block_finish(next, &s->layer, x, w, d, k->rows);
        treat_outputs(k, next, l);
        float *const output = next;
        next = x;
        x = output;
    }
}

/* ---- which prompts run together */

/* Of the first n prompts that wait, how many of the last run at once. */
static size_t together(struct context_scratch *s, const struct params *p, size_t n) {
    const size_t n_tokens = s->waiting[0].n_tokens;
    if (!s->packs) return prompt_groups_take(&s->groups[n_tokens], p, n_tokens, n);
    return n == s->n_waiting && n > 1 && row_packing_fits(&s->packing, s->used) ? n : 1;
}

/* The last first: rows that a pass pads a prompt with may be those of prompts that are done. */
void context_finish(struct context *c, struct context_scratch *s, const struct params *p,
                    const struct edits *edits) {
    for (size_t end = s->n_waiting, n; end > 0; end -= n) {
        n = together(s, p, end);
        const struct waiting_prompt *first = &s->waiting[end - n];
        const size_t after = end < s->n_waiting ? first[n].row : s->used, rows = after - first->row;
        const struct context_pass pass = {
            c, s, p, edits, first, n, first->row, s->packs ? row_packing_pass(rows) : rows};
        run_pass(&pass);
    }
    s->n_waiting = s->used = 0;
}

static size_t rows_of_prompt(struct context_scratch *s, const struct params *p, size_t n_tokens) {
    s->packing.model = p;
    if (s->packs) return row_packing_rows(&s->packing, n_tokens);
    assert(s->n_waiting == 0 || s->waiting[0].n_tokens == n_tokens);
    return prompt_groups_rows(&s->groups[n_tokens], p, n_tokens);
}

/* Could a prompt of so many rows run together with others? */
static bool joins(struct context_scratch *s, size_t rows) {
    return rows < s->packing.most && row_packing_fits(&s->packing, rows);
}

/* May another prompt join those that wait, of which the last has `rows` rows? */
static bool is_complete(struct context_scratch *s, size_t rows) {
    if (s->n_waiting == s->prompts) return true;
    if (!s->packs) return s->n_waiting == prompt_groups_most(rows);
    return s->n_waiting == ROW_PACKING_ROWS || !joins(s, rows);
}

/* A prompt waits as embedded tokens, with zeros in its rows of padding. */
static void add_prompt(struct context *c, size_t slot, struct context_scratch *s,
                       const struct params *p, const float *vectors, const uint32_t *ids,
                       size_t n_tokens, const struct edits *edits) {
    assert((!c || (slot < c->slots && n_tokens <= c->tokens)) && n_tokens <= s->tokens);
    const size_t E = s->dims.E, rows = rows_of_prompt(s, p, n_tokens);
    if (s->packs && (s->used + rows > s->packing.most || !joins(s, rows)))
        context_finish(c, s, p, edits);
    float *x = s->x + s->used * E;
    embed_sequences(x, p, vectors, ids, 1, n_tokens);
    memset(x + n_tokens * E, 0, (rows - n_tokens) * E * sizeof *x);
    s->waiting[s->n_waiting++] = (struct waiting_prompt){slot, n_tokens, s->used};
    s->used += rows;
    if (is_complete(s, rows)) context_finish(c, s, p, edits);
}

void context_add(struct context *c, size_t slot, struct context_scratch *s, const struct params *p,
                 const float *tokens, size_t n_tokens, const struct edits *edits) {
    add_prompt(c, slot, s, p, tokens, NULL, n_tokens, edits);
}

void context_add_ids(struct context *c, size_t slot, struct context_scratch *s,
                     const struct params *p, const uint32_t *ids, size_t n_tokens,
                     const struct edits *edits) {
    add_prompt(c, slot, s, p, NULL, ids, n_tokens, edits);
}
