/*
 * curve.h - the predictions of a method after k = 0, 1, ... examples of each prompt.
 *
 * By causality one context per prompt, at its full length, serves every k: length k reads its first
 * 2 k tokens. Queries run in blocks of several prompts with up to 32 lengths each. A context for
 * every single k is needed beyond the window of methods that read only a window of the prompt
 * (method.h), for prompts whose labels depend on the number of pairs shown, and for prompts with
 * dummy pairs. `evaluate` and `verify` both use this.
 */
#ifndef PASSES_CURVE_H
#define PASSES_CURVE_H

#include "methods/vector_pass.h"
#include "passes/dummy_pairs.h"
#include "sources/prompt_batch.h"

/* The rows of a pass that is done: queries after k, k + 1, ... examples of prompts first .. first +
 * n - 1 of the chunk, the rows of a prompt next to each other. */
struct curve_rows {
    size_t first, n, k, lengths;
    const struct query *query; /* states and predictions; valid during the call */
};

struct curve_watch { /* sees every pass; the last pass of a length is the one that counts */
    void (*see)(void *context, const struct curve_rows *rows);
    void *context;
};

struct curve_options {
    const struct method_setup *setup;
    size_t chunk;          /* prompts whose contexts are in memory at a time */
    size_t points;         /* of each prompt */
    size_t window_points;  /* T0: a window shows T0 - 1 pairs and the query */
    size_t trained_points; /* from here on `oracle` reads the window instead of the whole prompt */
    enum context_precision contexts;
    const struct context_share *share; /* of contexts from the first point on; NULL: not shared */
    const struct dummy_pairs *dummies; /* inserted into all prompts and windows; NULL: none */
    const struct method *control;      /* made from the setup's method; NULL: the method itself */
    struct rng stream;                 /* of the control's draws */
    const struct curve_watch *watch;   /* NULL: nobody */
};

struct curve {
    struct curve_options o;
    struct prompt_batch whole, window; /* slots: [chunk]; rows: of a block, [chunk] */
    struct vector_pass pass;
    uint32_t at[DUMMIES_MOST]; /* dummy tokens of the length that was filled last */
    float *shown_x, *shown_y;  /* [points + dummies, dims], [points + dummies] of one prompt */
    float *remade;             /* [edits, chunk, E] edit values that a control replaces */
    struct arena memory;
};

/* Lengths of one prompt in a block, whose rows share its context in the cache. A constant, because
 * the shape of a batch determines bits. */
enum { CURVE_LENGTHS = 32 };

/* The first k at which the method reads a window, which has a context of its own; o->points: it
 * reads whole prompts only. */
size_t curve_window_from(const struct curve_options *o);

enum err_code curve_create(struct curve *c, const struct curve_options *o, struct err *err);
void curve_destroy(struct curve *c);
size_t curve_bytes(const struct model_dims *dims, const struct curve_options *o);

/* Computes the task vectors and the contexts of n <= chunk prompts, the first of which is sample
 * number `first`. For methods that edit every token the contexts are edited too. basis: one row per
 * prompt, one row for all, or NULL; w: the method's weights or NULL. */
void curve_begin(struct curve *c, const struct prompt_view *prompts, const struct basis *basis,
                 const float *w, size_t first);

/* Columns k, k + 1, ... of prediction [n, points] for the prompts of curve_begin(); returns the
 * first column that is not done, the k of the next call. */
size_t curve_step(float *prediction, struct curve *c, const struct prompt_view *prompts, size_t k);

/* The k that curve_step() takes to fill column k, at most k, for the prompts of curve_begin(). */
size_t curve_step_of(const struct curve *c, const struct prompt_view *prompts, size_t k);

/* curve_begin() and curve_step() for every k. */
void curve_predict(float *prediction, struct curve *c, const struct prompt_view *prompts,
                   const struct basis *basis, const float *w);

#endif
