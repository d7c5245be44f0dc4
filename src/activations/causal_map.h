/*
 * causal_map.h - what each head does for the answer: its effect on prompts whose labels are mixed.
 *
 * Todd et al., ICLR 2024, and the published regression code (methods 3.1, 3.2).  A prompt's labels
 * are permuted, so that its pairs say nothing; then the output of one head at the query is replaced
 * by what it is on clean prompts in the mean.  The effect of the head is the squared error of the
 * corrupted prompt minus that with the head replaced, against the prompt's true y.
 *
 * CAUSAL_SHARED corrupts each prompt once, the T0 - 1 labels before its query in an order of its
 * own: one more context a prompt, whatever the heads.  CAUSAL_REDRAWN is the published code: for
 * every head another permutation of all T0 labels, the same for all prompts, and so L H contexts a
 * prompt.
 */
#ifndef ACTIVATIONS_CAUSAL_MAP_H
#define ACTIVATIONS_CAUSAL_MAP_H

#include "activations/basis_set.h"
#include "activations/head_patching.h"
#include "base/rng.h"
#include "sources/prompt_view.h"

enum causal_corruption { CAUSAL_SHARED, CAUSAL_REDRAWN };
extern const char *const CAUSAL_CORRUPTIONS[]; /* names in the order of the enum, NULL-terminated */

/* What a head is: slices of z (true heads), or of a = z W_o + b (the published regression code). */
enum causal_reading { CAUSAL_HEADS, CAUSAL_REPROJECTED };
extern const char *const CAUSAL_READINGS[];
enum basis_part causal_part(enum causal_reading reading);

/* Work done, and who is told. */
struct causal_progress {
    enum err_code (*report)(void *context, double done, double total, struct err *err);
    void *context;
    double done, total;
};

struct causal_options {
    struct prompt_view prompts; /* clean, of T0 points or more: the query is point T0 (from 1) */
    size_t T0, chunk;           /* prompts that go through the model together: decides bits */
    enum context_precision contexts;
    enum causal_reading reading;
    enum causal_corruption corruption;
    const struct rng *stream;     /* of permutations */
    const int64_t *permutations;  /* [L, H, T0] instead, where redrawn; or NULL */
    struct causal_progress *said; /* advances by 1 a prompt, and by 1 a prompt and head */
};

size_t causal_mean_bytes(const struct model_dims *dims, const struct causal_options *o);
size_t causal_map_bytes(const struct model_dims *dims, const struct causal_options *o);

/* Row 0 of mean: causal_part() in the mean over the clean prompts. */
enum err_code causal_mean(struct basis_set *mean, const struct params *p,
                          const struct causal_options *o, struct err *err);

/* effect [L, H, prompts]. values: one row, as from causal_mean(). */
enum err_code causal_map(float *effect, const struct params *p, const struct basis *values,
                         const struct causal_options *o, struct err *err);

/* mean [L, H] over the n prompts of effect [L, H, n], in double. ERR_NUMERIC where it is not
 * finite. */
enum err_code causal_effects(double *mean, const float *effect, const struct model_dims *dims,
                             size_t n, struct err *err);

/* order [n]: indices of effects [n], the largest first, the first of equals first. */
void causal_rank(uint32_t *order, const double *effects, size_t n);

#endif
