/*
 * head_leave_out.h - errors of a method with one weight for each head, with all of them and with
 * each in turn set to 0.
 *
 * The query is the last x of a prompt. A vector that is made without a head costs a pass of the
 * query; the context of a prompt is made once for all.
 */
#ifndef PASSES_HEAD_LEAVE_OUT_H
#define PASSES_HEAD_LEAVE_OUT_H

#include "methods/vector_pass.h"
#include "sources/prompt_batch.h"
#include "sources/prompt_loss.h"

struct head_leave_out_options {
    const struct method_setup *setup; /* of a method with weights [L, H] */
    const float *w;                   /* [L, H] */
    size_t chunk, points, functions;
    enum context_precision contexts;
    const struct context_share *share; /* NULL: contexts are not shared */
    struct prompt_loss loss;
};

struct head_leave_out {
    struct head_leave_out_options o;
    struct prompt_batch batch;
    struct vector_pass pass;
    float *w;      /* [L, H] without a head */
    float *errors; /* [1 + L H, functions] with all weights, then without head 0, 1, ... */
    struct arena memory;
};

/* All that *o points to must outlive it. ERR_MEMORY. */
enum err_code head_leave_out_create(struct head_leave_out *h,
                                    const struct head_leave_out_options *o, struct err *err);
void head_leave_out_destroy(struct head_leave_out *h); /* idempotent */
size_t head_leave_out_bytes(const struct head_leave_out_options *o);

/* Functions first .. first + n - 1, n = prompts->n <= chunk, of prompts of `points` points; basis
 * as vector_pass_set() takes it. */
void head_leave_out_run(struct head_leave_out *h, const struct prompt_view *prompts,
                        const struct basis *basis, size_t first);

#endif
