#include "passes/greedy.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "model/context_pass.h"
#include "model/query.h"

struct greedy {
    const struct params *p;
    const struct edits *edits; /* of the token that runs next */
    struct edits lasting;      /* those of scope `all`: of the tokens after the prompt */
    struct edit *lasting_items;
    uint32_t last, length; /* the token that runs next, and the tokens before it */
    size_t left;           /* calls of greedy_next() */
    struct context context;
    struct query query;
    struct unembed unembed;
    struct arena memory; /* of unembed and logits */
    float *logits;       /* [V] */
};

/* ---- the prompt */

static enum err_code select_lasting(struct greedy *g, const struct edits *edits, struct err *err) {
    g->edits = edits;
    g->lasting_items = calloc(edits->n + 1, sizeof *g->lasting_items);
    if (!g->lasting_items) return ERR(err, ERR_MEMORY, "no memory for %zu edits", edits->n);
    for (size_t i = 0; i < edits->n; i++)
        if (edits->items[i].scope == EDIT_ALL) g->lasting_items[g->lasting.n++] = edits->items[i];
    g->lasting.items = g->lasting_items;
    return ERR_OK;
}

static enum err_code run_prompt(struct greedy *g, const uint32_t *ids, struct err *err) {
    struct context_scratch *scratch = NULL;
    const enum err_code rc = context_scratch_create(&scratch, &g->p->dims, 1, g->length, err);
    if (rc != ERR_OK) return rc;
    context_add_ids(&g->context, 0, scratch, g->p, ids, g->length, g->edits);
    context_finish(&g->context, scratch, g->p, g->edits);
    context_scratch_destroy(scratch);
    return ERR_OK;
}

static void lay_out(struct greedy *g, struct arena *a) {
    unembed_lay_out(&g->unembed, a, &g->p->dims, 1, false);
    g->logits = arena_floats(a, unembed_width(&g->p->dims));
}

enum err_code greedy_create(struct greedy **out, const struct params *p, const uint32_t *ids,
                            size_t n, size_t tokens, const struct edits *edits, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t room = n - 1 + tokens - 1; /* tokens that the last query sees */
    struct greedy *g = calloc(1, sizeof *g);
    assert(n > 0 && tokens > 0 && room < p->dims.positions);
    CHECK(g, ERR_MEMORY, "no memory for a prompt");
    *g = (struct greedy){.p = p, .last = ids[n - 1], .length = (uint32_t)(n - 1), .left = tokens};
    TRY(select_lasting(g, edits, err));
    lay_out(g, &g->memory);
    TRY(arena_commit(&g->memory, err));
    lay_out(g, &g->memory);
    TRY(context_create(&g->context, &p->dims, 1, room, CONTEXT_SINGLE, err));
    TRY(query_create(&g->query, &p->dims, 1, room, false, err));
    if (g->length > 0) TRY(run_prompt(g, ids, err));
    *out = g;
    g = NULL;
cleanup:
    greedy_destroy(g);
    return rc;
}

void greedy_destroy(struct greedy *g) {
    if (!g) return;
    query_destroy(&g->query);
    context_destroy(&g->context);
    arena_release(&g->memory);
    free(g->lasting_items);
    free(g);
}

/* ---- the next token */

/* Inserts a token of a higher id than all before into top [K], of which n are filled. */
static void insert(struct likely_token *top, size_t K, size_t n, struct likely_token t) {
    size_t i = n < K ? n : K - 1;
    if (n == K && !(t.probability > top[i].probability)) return;
    for (; i > 0 && t.probability > top[i - 1].probability; i--) top[i] = top[i - 1];
    top[i] = t;
}

/* Softmax in double. */
static enum err_code rank_tokens(struct likely_token *top, size_t K, const float *logits, size_t V,
                                 struct err *err) {
    double sum = 0;
    for (size_t i = 0; i < V; i++) {
        if (!isfinite(logits[i]))
            return ERR(err, ERR_NUMERIC, "the logit of token %zu is not a finite number", i);
        insert(top, K, i < K ? i : K, (struct likely_token){(uint32_t)i, (double)logits[i]});
    }
    const double level = top[0].probability; /* until here they are logits */
    for (size_t i = 0; i < V; i++) sum += exp((double)logits[i] - level);
    for (size_t k = 0; k < K; k++) top[k].probability = exp(top[k].probability - level) / sum;
    return ERR_OK;
}

static void run_last(struct greedy *g) {
    static const uint32_t slot = 0;
    const struct query_rows rows = {.R = 1, .slot = &slot, .length = &g->length, .ids = &g->last};
    if (g->left > 1)
        query_append(&g->query, g->p, &g->context, &rows, g->edits);
    else
        query_forward(&g->query, g->p, &g->context, &rows, g->edits);
    unembed_forward(g->logits, &g->unembed, g->p, query_output(&g->query), 1);
}

enum err_code greedy_next(struct likely_token *top, size_t K, struct greedy *g, struct err *err) {
    enum err_code rc = ERR_OK;
    assert(g->left > 0 && K > 0 && K <= g->p->dims.vocabulary);
    run_last(g);
    TRY(rank_tokens(top, K, g->logits, g->p->dims.vocabulary, err));
    g->last = top[0].id, g->length++, g->left--;
    g->edits = &g->lasting;
cleanup:
    return rc;
}
