/*
 * tolerances.h - every tolerance of `verify FILE`: change a number here and nowhere else.
 *
 * An error is the largest |got - want| over a dataset unless the line says otherwise. Its bound is
 * the number below times a scale:
 *   ABSOLUTE   1
 *   SCALED     max(1, largest |want|)
 *   RELATIVE   largest |want|
 *   DEVIATIONS the standard deviation of the quantity
 * The references were computed in single precision by PyTorch or in double precision by NumPy; this
 * program computes in single precision.
 */
#ifndef RUN_VERIFY_TOLERANCES_H
#define RUN_VERIFY_TOLERANCES_H

#include <stddef.h>

#include "ops/products.h"

/* X(name, number, scale): what is compared. */
#define VERIFY_TOLERANCES(X)                                                                       \
    /* predictions, hidden states, head outputs, vectors and losses of one forward pass */         \
    X(FORWARD, 1e-5, SCALED)                                                                       \
    /* attention weights */                                                                        \
    X(ATTENTION, 1e-5, ABSOLUTE)                                                                   \
    /* gradients of model parameters and of ltv weights, tensor by tensor */                       \
    X(GRADIENT, 1e-5, RELATIVE)                                                                    \
    /* the same of ltv weights on language models, through a softmax over the vocabulary */        \
    X(TEXT_GRADIENT, 1e-4, RELATIVE)                                                               \
    /* a pretrained language model against double precision: logits, log probabilities, losses;    \
     * head outputs, and states and vectors, by row and layer, as its residual stream grows */     \
    X(PRETRAINED_LOGIT, 3e-4, ABSOLUTE)                                                            \
    X(PRETRAINED_HEADS, 5e-5, ABSOLUTE)                                                            \
    X(PRETRAINED_STATES, 2e-5, ABSOLUTE)                                                           \
    /* its ltv weights after six steps of Adam: every entry, and 99% of them; indirect effects */  \
    X(PRETRAINED_WEIGHTS, 1e-3, ABSOLUTE)                                                          \
    X(PRETRAINED_CLOSE, 1e-4, ABSOLUTE)                                                            \
    X(PRETRAINED_EFFECT, 5e-5, ABSOLUTE)                                                           \
    /* losses along five pretraining steps of Adam */                                              \
    X(ADAM_LOSS, 1e-6, SCALED)                                                                     \
    /* parameters after them: every entry, and the share of entries off by more than ADAM_CLOSE;   \
     * Adam's first step is lr times the sign of the gradient, which is arbitrary near 0 */        \
    X(ADAM_EVERY, 1e-3, ABSOLUTE)                                                                  \
    X(ADAM_CLOSE, 2e-6, ABSOLUTE)                                                                  \
    X(ADAM_SHARE, 1e-4, ABSOLUTE)                                                                  \
    /* ltv weights, losses, vectors and curves after six steps of Adam */                          \
    X(LTV_TRAINED, 1e-4, SCALED)                                                                   \
    /* indirect effects of heads; entries of the list of top heads that differ */                  \
    X(EFFECT, 1e-4, SCALED)                                                                        \
    X(TOP_HEADS, 0, ABSOLUTE)                                                                      \
    /* methods against their reference implementations, in double precision (tests/reference) */   \
    X(METHOD, 1e-4, SCALED)                                                                        \
    X(METHOD_GRADIENT, 1e-4, RELATIVE)                                                             \
    /* values of functions; variance of the noise */                                               \
    X(PROBLEM, 1e-5, SCALED)                                                                       \
    X(NOISE_VARIANCE, 5, DEVIATIONS)                                                               \
    /* predictions of estimators; of the lasso, and by how much its objective exceeds the file's   \
     */                                                                                            \
    X(ESTIMATOR, 1e-5, SCALED)                                                                     \
    X(LASSO, 1e-4, SCALED)                                                                         \
    X(LASSO_OBJECTIVE, 1e-6, ABSOLUTE)                                                             \
    /* predictions of trees that met no tie; pooled squared error over random tie breaks */        \
    X(TREE, 1e-5, SCALED)                                                                          \
    X(TREE_POOLED, 3, DEVIATIONS)                                                                  \
    /* shifted queries and eigenvalues; |S|^2 - dims and S - S^T of the skewed transform S */      \
    X(SHIFT, 1e-4, SCALED)                                                                         \
    X(SHIFT_NORM, 1e-4, ABSOLUTE)                                                                  \
    X(SHIFT_SYMMETRY, 1e-5, ABSOLUTE)

#define X(name, number, scale) TOLERANCE_##name,
enum tolerance { VERIFY_TOLERANCES(X) };
#undef X

/* Bounds in an arithmetic are those of f32 times this. A product of bf16x3 has a relative error of
 * 3e-6 to 5e-6 where one of f32 has 3e-7 to 7e-7, and one with a factor of a single part 2e-3. */
double tolerance_factor(enum arithmetic a);

/* Its bound for a quantity of that size: largest |want|, or a standard deviation. */
double tolerance_bound(enum tolerance t, double size);

/* The same with size = largest |want|. */
double tolerance_of(enum tolerance t, const float *want, size_t n);

#endif
