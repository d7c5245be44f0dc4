/*
 * curve.h - the predictions of a method after k = 0, 1, ... examples of each prompt.
 *
 * One context per prompt at its full length serves every k.  Prompts go through the model some at a
 * time, each with a block of lengths side by side.  Methods that read only a window of the prompt
 * (method.h) get a context of their own for each k beyond it, and so does every k of prompts whose
 * labels depend on how many are shown, or that hold dummies.  `evaluate` and `verify` both call
 * this.
 */
#ifndef PASSES_CURVE_H
#define PASSES_CURVE_H

#include "methods/vector_pass.h"
#include "passes/dummy_pairs.h"
#include "sources/prompt_batch.h"

struct curve_options {
    const struct method_setup *setup;
    size_t chunk;          /* prompts at a time: contexts kept */
    size_t points;         /* of each prompt */
    size_t window_points;  /* T0: a window shows T0 - 1 pairs and the query */
    size_t trained_points; /* where `oracle` stops being plain */
    enum context_precision contexts;
    const struct dummy_pairs
        *dummies;                 /* of every prompt and window, whatever the method; NULL: none */
    const struct method *control; /* made of the setup's method; NULL: that method itself */
    struct rng stream;            /* of the control */
};

struct curve {
    struct curve_options o;
    struct prompt_batch whole, window; /* slots: [chunk]; rows: of a pass, [chunk] */
    struct vector_pass pass;
    uint32_t at[DUMMIES_MOST]; /* tokens of dummies, of the length that was filled last */
    float *shown_x, *shown_y;  /* [points + dummies, dims], [points + dummies] of one prompt */
    float *remade;             /* [edits, chunk, E] values of a control */
    struct arena memory;
};

enum err_code curve_create(struct curve *c, const struct curve_options *o, struct err *err);
void curve_destroy(struct curve *c);
size_t curve_bytes(const struct model_dims *dims, const struct curve_options *o);

/* Vector and contexts of the n <= chunk prompts of `prompts`, the first of which is sample number
 * `first`; contexts run under the vector where the method edits every token. basis: a row a prompt,
 * one row for all, or NULL; w: the method's weights or NULL. */
void curve_begin(struct curve *c, const struct prompt_view *prompts, const struct basis *basis,
                 const float *w, size_t first);

/* Columns k, k + 1, ... of prediction [n, points], of the prompts that were begun with; returns the
 * first that is still to do, where the next call goes on. */
size_t curve_step(float *prediction, struct curve *c, const struct prompt_view *prompts, size_t k);

/* The two together, for every k. */
void curve_predict(float *prediction, struct curve *c, const struct prompt_view *prompts,
                   const struct basis *basis, const float *w);

#endif
