/*
 * fit_size.h - how large the buffers of fit_data.c are, which follows from its options alone: at
 * plan time, and when they are made. fit_data.c and its test alone
 * include this.
 */
#ifndef PASSES_FIT_SIZE_H
#define PASSES_FIT_SIZE_H

#include "passes/fit_data.h"

bool fit_size_is_text(const struct fit_data_options *o);
unsigned fit_size_parts(const struct fit_data_options *o); /* of the basis */
size_t fit_size_samples(const struct fit_data_options *o); /* of a shard, rounded up */
size_t fit_size_lengths(const struct fit_data_options *o); /* queries of a sample, of numbers */
size_t fit_size_rows(const struct fit_data_options *o);    /* of a pass, at most */
size_t fit_size_tokens(const struct fit_data_options *o);  /* of a context, at most */
/* Rows of the basis: all samples of a rank that has `count` shards, or the mean alone. */
size_t fit_size_basis_rows(const struct fit_data_options *o, size_t count);

/* The query pass, through which basis prompts of text go too. */
struct vector_pass_size fit_size_pass(const struct fit_data_options *o);
/* A batch with so many slots for the samples, which makes contexts of `batch` samples together. */
struct prompt_batch_options fit_size_batch(const struct fit_data_options *o,
                                           const struct model_dims *m, size_t slots);
/* The batch of basis prompts of text, in passes of `batch`; 0 bytes: there are none. */
struct prompt_batch_options fit_size_bases(const struct fit_data_options *o,
                                           const struct model_dims *m);
size_t fit_size_bases_bytes(const struct fit_data_options *o, const struct model_dims *m);

/* Room for the basis of the rows of a pass, unless it is the mean: [blocks, rows, width]. */
void fit_size_lay_out(float *gathered[BASIS_PARTS], struct arena *a,
                      const struct fit_data_options *o, const struct model_dims *m);

#endif
