/*
 * shared_contexts.h - contexts that a job finds where an earlier job of the process left them.
 *
 * A set of contexts in the cache (job/context_cache.h) is named by the hash of the model, the sizes
 * of the set, and the numbers that its prompts show. Nothing else determines the bits of a context
 * without edits (model/context_pass.h).
 */
#ifndef SOURCES_SHARED_CONTEXTS_H
#define SOURCES_SHARED_CONTEXTS_H

#include "base/hash.h"
#include "job/context_cache.h"
#include "model/context.h"
#include "sources/prompt_span.h"
#include "sources/prompt_view.h"

struct context_share {
    struct context_cache *cache;
    char model[HASH_HEX]; /* hash of all that determines the model: weights and positions */
};

struct shared_prompts { /* prompt first + i step in slot i, i < n: all show the same span */
    const struct prompt_view *prompts;
    size_t first, step, n;
    struct prompt_span span;
};

/* A context of the sizes and precision of `like` for these prompts, in memory of the cache;
 * *complete: its n slots are filled. False: the cache has no room, or s is NULL. The prompts are
 * counted as found or made either way. */
bool shared_contexts_hold(struct context *out, bool *complete, const struct context_share *s,
                          const struct context *like, const struct shared_prompts *p);

/* After the caller has filled them. */
void shared_contexts_complete(const struct context_share *s, const struct context *c);

#endif
