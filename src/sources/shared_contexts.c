#include "sources/shared_contexts.h"

#include <assert.h>

static void hash_size(struct hash *h, size_t n) { hash_bytes(h, &n, sizeof n); }

static void hash_floats(struct hash *h, const float *x, size_t n) {
    hash_bytes(h, x, n * sizeof *x);
}

static void hash_ids(struct hash *h, const struct prompt_view *p, size_t i) {
    const size_t n = prompt_view_length(p, i) - 1;
    hash_size(h, n);
    hash_bytes(h, prompt_view_ids(p, i), n * sizeof *p->text.ids);
}

/* What prompt_batch_add() reads of prompt i. */
static void hash_prompt(struct hash *h, const struct prompt_view *p, size_t i,
                        struct prompt_span span) {
    const size_t query = span.first + span.pairs;
    if (p->text.ids) {
        hash_ids(h, p, i);
        return;
    }
    hash_floats(h, prompt_view_x(p, i, span.first), (span.pairs + span.and_x) * p->dims);
    hash_floats(h, prompt_view_labels(p, i, query) + span.first, span.pairs);
}

static void name_contexts(char name[HASH_HEX], const struct context_share *s,
                          const struct context *like, const struct shared_prompts *p) {
    struct hash h;
    hash_begin(&h);
    hash_text(&h, s->model);
    hash_size(&h, like->slots);
    hash_size(&h, like->layout.capacity);
    hash_size(&h, like->layout.precision);
    hash_size(&h, prompt_span_tokens(p->span));
    hash_size(&h, p->n);
    for (size_t i = 0; i < p->n; i++) hash_prompt(&h, p->prompts, p->first + i * p->step, p->span);
    hash_end(name, &h);
}

static float *hold(bool *complete, const struct context_share *s, const struct context *like,
                   const struct shared_prompts *p) {
    char name[HASH_HEX];
    *complete = false;
    if (p->n == 0) return NULL;
    name_contexts(name, s, like, p);
    const size_t bytes =
        context_bytes(&like->dims, like->slots, like->tokens, like->layout.precision);
    return context_cache_hold(complete, s->cache, name, bytes);
}

bool shared_contexts_hold(struct context *out, bool *complete, const struct context_share *s,
                          const struct context *like, const struct shared_prompts *p) {
    *complete = false;
    if (!s) return false;
    float *memory = hold(complete, s, like, p);
    context_cache_count(s->cache, *complete ? p->n : 0, *complete ? 0 : p->n);
    if (!memory) return false;
    context_open(out, &like->dims, like->slots, like->tokens, like->layout.precision, memory);
    return true;
}

void shared_contexts_complete(const struct context_share *s, const struct context *c) {
    context_cache_complete(s->cache, c->kv);
}
