/*
 * method.h - how a task vector is made and where it is applied; the registry of methods.
 *
 * One file a method.  A method turns a basis (what the model did at the query of a basis prompt)
 * and its weights into v, and v into edits of a pass.  Weights are learned by gradient descent
 * (`gradient`: from g[l] = dLoss/dv[l], design 3.4; or `gradient_at`), derived in closed form from
 * training prompts (`derive`), or there are none.  A method may leave one number open, such as a
 * layer: `choices` says how many there are, and `fit` takes the one with the least loss on
 * validation prompts. Whatever a method does not need is NULL or 0.  Controls are methods too.
 */
#ifndef METHODS_METHOD_H
#define METHODS_METHOD_H

#include <stdbool.h>

#include "activations/basis_collector.h"
#include "base/err.h"
#include "base/rng.h"
#include "config/config.h"
#include "model/context.h"
#include "model/edit.h"
#include "model/params.h"
#include "model/query.h"
#include "sources/prompt_view.h"

enum { METHOD_OWN = 8, METHOD_LAYERS = 64 };

/* Which prompt the query is read in. */
enum method_prompt {
    METHOD_WHOLE,  /* all of it */
    METHOD_WINDOW, /* only the last T0 - 1 pairs and the query, at positions 0 .. 2 T0 - 2 */
    METHOD_ORACLE  /* whole where k is within the trained range, beyond it the window */
};

struct method;

struct method_setup { /* a method with its numbers; filled by method_setup_read */
    const struct method *method;
    const struct params *params; /* the frozen model */
    int variant;                 /* the method's own choice, such as the reading of ltv */
    double init;                 /* standard deviation of the initial weights */
    double l1;              /* penalty on the sum of the weights' sizes while they are learned */
    double own[METHOD_OWN]; /* what else the method's file keeps of its keys */
    size_t layers[METHOD_LAYERS], n_layers; /* blocks named by its keys; 0: its default */
    size_t choice;                          /* of method->choices(); 0 where there is but one */
};

/* What a method is derived from. */
struct method_training {
    struct prompt_view prompts; /* of T0 points or more; their basis is at point T0 (from 1) */
    size_t T0;
    size_t chunk; /* prompts that go through the model together: decides bits */
    enum context_precision contexts;
    const struct rng *stream; /* of draws of the method's own */
    /* Call every few seconds: done of total. ERR_STOPPED ends the derivation. */
    enum err_code (*report)(void *context, double done, double total, struct err *err);
    void *context;
};

struct method_remake { /* for whom a control makes the edits of a fit anew */
    size_t R, E;       /* prompts, width */
    const struct rng *stream;
    uint64_t first; /* sample number of the first prompt */
};

struct method {
    const char *name, *meaning, *paper;
    const char *sees; /* what it may know of the function that it is applied to */
    const char *cost; /* passes it takes beyond those of the plain model */
    enum edit_scope scope;
    enum method_prompt prompt;
    unsigned (*basis)(const struct method_setup *s); /* basis_bit() of its parts; NULL: none */
    /* Of BASIS_ANCHORS, in the weights (NULL while planning); NULL: it has none. */
    void (*anchors)(struct basis_anchors *out, const float *w, const struct method_setup *s);
    size_t (*recent)(const struct method_setup *s); /* x's of BASIS_RECENT; NULL: 1 */
    const char *const *variants;   /* names of setup.variant, NULL-terminated, or NULL */
    const struct config_key *keys; /* rows "NAME.KEY", when "method=NAME" */
    size_t n_keys;
    void (*read)(struct method_setup *s, const struct config_point *point); /* NULL: no keys */
    /* ERR_CONFIG where keys and model do not fit, before anything runs; NULL: they always do. */
    enum err_code (*check)(const struct method_setup *s, const struct config_point *point,
                           struct err *err);

    /* Numbers to learn or derive, w: [L, H], [L, E], [L, 1]; NULL: none. */
    void (*weights_shape)(size_t shape[2], const struct method_setup *s);
    void (*init)(float *w, const struct method_setup *s, const struct rng *stream);
    /* w from training prompts. Deterministic; alone (no group). */
    enum err_code (*derive)(float *w, const struct method_training *t, const struct method_setup *s,
                            struct err *err);
    size_t (*derive_bytes)(const struct method_setup *s, const struct method_training *t);
    /* For plan: contexts of T0 points that deriving fills beyond one a training prompt, and single
     * tokens it asks after such a context. NULL: none. */
    void (*derive_work)(double *contexts, double *tokens, const struct method_setup *s,
                        const struct method_training *t);
    size_t (*choices)(const struct method_setup *s); /* >= 1; NULL: 1 */
    /* What setup.choice stands for: a layer, a ridge weight. NULL: nothing. */
    double (*chosen)(const struct method_setup *s);

    /* v: values() floats for each of b->R rows, or once for every row of the pass when there is no
     * basis. By default [L, R, E], row r of layer l at (l * R + r) * E. NULL: no vector, nothing is
     * edited. */
    void (*vector)(float *v, const float *w, const struct basis *b, const struct method_setup *s,
                   float *scratch);
    size_t (*values)(const struct method_setup *s); /* floats of v for one row; NULL: L E.
                                                       Whatever the choice, as edits_most. */
    /* Fills items [edits_most] with edits that read v and w (both stay) for R rows (1: the same for
     * every row), returns how many. NULL: L additions, v[l] to the output of block l. */
    size_t (*edits)(struct edit *items, const float *v, const float *w, size_t R,
                    const struct method_setup *s);
    size_t (*edits_most)(const struct method_setup *s); /* NULL: L */

    /* dw overwritten. g: loss after each block, row r of layer l at (l * g_stride + r) * E; R is
     * b->R where the method needs a basis. dw is the sum over rows. Only for the default
     * edits. */
    void (*gradient)(float *dw, const float *g, size_t g_stride, size_t R, const struct basis *b,
                     const struct method_setup *s, float *scratch);
    /* For edits of its own, instead of `gradient`: adds to dw, which began at 0, what the
     * rows of one edited place contribute; called for each, from the last to the first. v: as
     * vector() made it, of b->R rows or one. */
    void (*gradient_at)(float *dw, const struct query_place *at, const float *v, const float *w,
                        const struct basis *b, const struct method_setup *s, float *scratch);
    size_t (*scratch)(const struct method_setup *s, size_t R); /* floats they need; NULL: none */
    bool maps; /* its edits are maps, not vectors that have a length */

    /* Controls that are made of a fit: its edits are theirs, but for what follows. Does it say
     * anything about this method, each prompt with a basis of its own or not? NULL: no such
     * control.
     */
    bool (*applies)(const struct method *fit, bool own_basis);
    bool
        next_function; /* the basis is that of the function after it, of the first after the last */
    /* Points the n edits of a fit to values [n, R, E] of its own. NULL: they stay. */
    void (*remake)(struct edit *items, size_t n, float *values, const struct method_remake *of);
};

size_t method_count(void);
const struct method *method_at(size_t i);
const struct method *method_find(const char *name);

/* Learned by gradient descent; learned, derived or chosen: the methods of `fit`. */
bool method_learns(const struct method *m);
bool method_is_fitted(const struct method *m);

/* Names of the methods that nothing is fitted for, NULL-terminated: the choices of `also`. */
extern const char *const METHOD_CONTROLS[];

/* "heads" for ltv; "" where the method has one form only. */
const char *method_variant(const struct method_setup *s);

/* The function whose basis function i of n has under a control, or under none (NULL): its own. */
size_t method_basis_of(const struct method *control, size_t i, size_t n);

/* The parts of a basis it needs; 0: none. */
unsigned method_basis(const struct method_setup *s);

/* What collects that basis, with weights w that stay; its bytes. */
enum err_code method_collector_create(struct basis_collector **out, const struct method_setup *s,
                                      const float *w, size_t T0, size_t chunk,
                                      enum context_precision contexts, struct err *err);
size_t method_collector_bytes(const struct method_setup *s, size_t T0, size_t chunk,
                              enum context_precision contexts);
size_t method_anchors(const struct method_setup *s); /* how many; 0: none */

size_t method_weights(const struct method_setup *s); /* numbers of w; 0: none */
size_t method_values(const struct method_setup *s);
size_t method_choices(const struct method_setup *s);
size_t method_edits_most(const struct method_setup *s);

/* What several methods' fields say: weights [L, H]; weights normal, of standard deviation init; at
 * most one edit. */
void method_shape_heads(size_t shape[2], const struct method_setup *s);
void method_init_normals(float *w, const struct method_setup *s, const struct rng *stream);
size_t method_one_edit(const struct method_setup *s);

/* The first `most` training prompts, all of them where most is 0: how many. */
size_t method_first_prompts(const struct method_training *t, double most);

/* Rows "method" (AXIS, over the names in the registry) and every method's own. fitted_only: for
 * `fit`. */
enum err_code method_schema(struct config_schema *out, bool fitted_only, struct err *err);
void method_setup_read(struct method_setup *out, const struct config_point *point,
                       const struct params *params);
/* The same by name, with the method's first variant and initial weights 0. */
void method_setup_named(struct method_setup *out, const char *name, const struct params *params);

/* The edits of v for R rows into items [method_edits_most]; v and w stay as long as they do. */
void method_edits(struct edit *items, struct edits *out, const float *v, const float *w, size_t R,
                  const struct method_setup *s);

#endif
