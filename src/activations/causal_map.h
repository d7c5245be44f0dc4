/*
 * causal_map.h - the average indirect effect of every head, by activation patching on
 * label-shuffled prompts.
 *
 * Todd et al., "Function vectors in large language models", ICLR 2024, and the published regression
 * code; see docs/methods.md. The labels of a prompt are shuffled, so that its pairs carry no
 * information about the function; then the output of one head at the query is replaced (patched) by
 * its mean over clean prompts. The effect of the head on a prompt is the squared error of the
 * shuffled prompt minus the squared error with the head patched, both against the true y.
 *
 * CAUSAL_SHARED shuffles each prompt once, the T0 - 1 labels before its query: one additional
 * context per prompt for all heads. CAUSAL_REDRAWN is the published code: a new permutation of all
 * T0 labels for every head, the same for all prompts, hence L H contexts per prompt; not on text.
 */
#ifndef ACTIVATIONS_CAUSAL_MAP_H
#define ACTIVATIONS_CAUSAL_MAP_H

#include "activations/basis_set.h"
#include "activations/head_patching.h"
#include "base/rng.h"
#include "sources/prompt_view.h"

enum causal_corruption { CAUSAL_SHARED, CAUSAL_REDRAWN };
extern const char *const CAUSAL_CORRUPTIONS[]; /* names in the order of the enum, NULL-terminated */

/* The variant of a head's output: a slice of z, or of a = z W_o + b (published regression code). */
enum causal_reading { CAUSAL_HEADS, CAUSAL_REPROJECTED };
extern const char *const CAUSAL_READINGS[];
enum basis_part causal_part(enum causal_reading reading);

/* A callback that receives the work done and the total; an error ends the computation. */
struct causal_progress {
    enum err_code (*report)(void *context, double done, double total, struct err *err);
    void *context;
    double done, total;
};

enum err_code causal_advance(struct causal_progress *s, double by, struct err *err); /* s or NULL */

struct causal_options {
    struct prompt_view prompts; /* clean, of T0 points or more: the query is point T0 (from 1) */
    /* Of text, the same queries after shots with shuffled labels, drawn by a source, perhaps in
     * another number, and the context tokens of the longest prompt; tokens 0: prompts of numbers,
     * whose labels are shuffled here. */
    struct prompt_view corrupted;
    size_t tokens;
    size_t T0, chunk; /* chunk: prompts of one pass, part of what determines the bits */
    enum context_precision contexts;
    enum causal_reading reading;
    enum causal_corruption corruption;
    const struct context_share *share; /* not of CAUSAL_REDRAWN; NULL: contexts are not shared */
    const struct rng *stream;          /* of permutations */
    const int64_t *permutations;       /* [L, H, T0] given for CAUSAL_REDRAWN; NULL: drawn */
    struct causal_progress *progress; /* 1 per prompt of the mean, 1 per prompt and head; or NULL */
};

size_t causal_mean_bytes(const struct model_dims *dims, const struct causal_options *o);
size_t causal_map_bytes(const struct model_dims *dims, const struct causal_options *o);

/* Row 0 of mean: the mean of causal_part() over the clean prompts. */
enum err_code causal_mean(struct basis_set *mean, const struct params *p,
                          const struct causal_options *o, struct err *err);

/* effect [L, H, prompts], of text [L, H, corrupted prompts], see causal_text.h. values: the one row
 * that is patched in, as from causal_mean(). */
enum err_code causal_map(float *effect, const struct params *p, const struct basis *values,
                         const struct causal_options *o, struct err *err);

/* mean [L, H]: the average indirect effect over the n prompts of effect [L, H, n], in double.
 * ERR_NUMERIC if one is not finite, or if all are 0: ranks of such heads would be arbitrary. */
enum err_code causal_effects(double *mean, const float *effect, const struct model_dims *dims,
                             size_t n, struct err *err);

/* order [n]: indices of effects [n], the largest first, the first of equals first. */
void causal_rank(uint32_t *order, const double *effects, size_t n);

#endif
