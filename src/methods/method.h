/*
 * method.h - a task-vector method as data: how its vector is made and where it is applied. The
 * registry of methods.
 *
 * To add a method, write one file that defines `const struct method method_NAME` and add one line
 * to the registry in method.c. A field that a method does not need stays NULL or 0. Controls
 * are methods too. docs/methods.md has the equation of every method.
 *
 * Life of a method in a job:
 *   1. method_setup_read() turns the config's keys into a setup.
 *   2. The weights w are learned by gradient descent (application.gradient or gradient_at), derived
 *      in closed form from training prompts (derivation.derive), or there are none.
 *   3. application.vector turns w and a basis (inputs.basis: activations at the query of a prompt
 *      of T0 points) into v; application.edits turns v into edits of a forward pass.
 *
 * A method may leave one number open, such as a layer: derivation.choices() counts its candidates,
 * and `fit` keeps the one with the least loss on validation prompts.
 *
 * Sizes: L layers, H heads, E width of the residual stream, R rows (prompts) of a pass.
 */
#ifndef METHODS_METHOD_H
#define METHODS_METHOD_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "activations/basis_collector.h"
#include "base/err.h"
#include "base/rng.h"
#include "config/config.h"
#include "model/context.h"
#include "model/edit.h"
#include "model/params.h"
#include "model/query.h"
#include "sources/prompt_view.h"

struct method;

/* ---- a method with its settings */

enum { METHOD_KEYS_BYTES = 320 }; /* room for the largest keys struct */

struct method_setup { /* filled by method_setup_read; may be copied */
    const struct method *method;
    const struct params *params; /* the frozen model; only its dims are read while planning */

    /* Keys that more than one method has, or that a fit reads itself. */
    int variant;   /* index into method->config.variants */
    double init;   /* size of the initial weights: a standard deviation, or a bound */
    double l1;     /* penalty on the sum of |w| while they are learned */
    int64_t layer; /* the one layer of layer_choice.h, from 0; -1: chosen on validation */

    size_t choice; /* the candidate in use, below method_choices() */
    alignas(max_align_t) unsigned char keys[METHOD_KEYS_BYTES]; /* see METHOD_KEYS */
};

/* A method's own keys are its own struct NAME_keys, which it fills once, in config.read:
 *     struct site_keys { double start; };
 *     METHOD_KEYS(site)
 * defines site_set_keys(setup, keys), and site_keys(setup), which gives them back. Before
 * anything is set, all of them are 0. */
#define METHOD_KEYS(name)                                                                          \
    _Static_assert(sizeof(struct name##_keys) <= METHOD_KEYS_BYTES, "raise METHOD_KEYS_BYTES");    \
    static inline struct name##_keys name##_keys(const struct method_setup *s) {                   \
        struct name##_keys keys;                                                                   \
        memcpy(&keys, s->keys, sizeof keys);                                                       \
        return keys;                                                                               \
    }                                                                                              \
    static inline void name##_set_keys(struct method_setup *s, struct name##_keys keys) {          \
        memcpy(s->keys, &keys, sizeof keys);                                                       \
    }

/* ---- the parts of a method */

struct method_docs { /* what help and tables print: one line each */
    const char *meaning;
    const char *paper; /* "" where there is none */
    const char *sees;  /* what it may know of the function that it is applied to */
    const char *cost;  /* passes it takes beyond those of the plain model */
    const char *text;  /* on text: what differs, and what is refused and why; NULL: nothing */
    bool control;      /* shows what other vectors are compared with; tables list it apart */
    /* For docs/results.md, in one line each. The names in `vector` are those of tensors in the
     * artifact of a fit; W_l and b_l are c_proj of the model, and row l of a basis is layer l. */
    const char *weights; /* shape and meaning of the tensor "weights"; "" if it has none */
    const char *vector;  /* the vector v as a formula; "" if it has none */
    const char *place;   /* kind, site, layers and scope of the edits that read v */
};

struct method_config {           /* its keys */
    const char *const *variants; /* names of setup.variant, NULL-terminated; NULL: one form only */
    const struct config_key *rows; /* "NAME.KEY", valid when "method=NAME" */
    size_t n;
    void (*read)(struct method_setup *s, const struct config_point *point); /* NULL: no keys */
    /* ERR_CONFIG where keys and model do not fit, before anything runs; NULL: they always do. */
    enum err_code (*check)(const struct method_setup *s, const struct config_point *point,
                           struct err *err);
};

/* Which part of the prompt the query sees. */
enum method_prompt {
    METHOD_WHOLE,  /* all of it */
    METHOD_WINDOW, /* only the last T0 - 1 pairs and the query, at positions 0 .. 2 T0 - 2 */
    METHOD_ORACLE  /* whole where k is within the trained range, beyond it the window */
};

struct method_inputs { /* what it needs of prompts */
    enum method_prompt prompt;
    unsigned (*basis)(const struct method_setup *s); /* basis_bit() of its parts; NULL: none */
    size_t least_points;                             /* T0 of its basis is at least this; 0: 1 */
    /* The anchors of BASIS_ANCHORS, which are part of the weights (NULL while planning). NULL:
     * none. */
    void (*anchors)(struct basis_anchors *out, const float *w, const struct method_setup *s);
    size_t (*recent)(const struct method_setup *s); /* x's averaged in BASIS_RECENT; NULL: 1 */
    /* Of text: how many of each of enum method_texts derive() takes in a fit with `train` training
     * prompts; n is 0 at first. NULL: none. */
    void (*texts)(size_t n[], const struct method_setup *s, size_t train);
    bool text_only; /* it has no meaning on numbers */
    /* derive() takes the mean effects of heads over tasks, which another job has; NULL: never. */
    bool (*takes_effects)(const struct method_setup *s);
};

/* Prompts of text that derive() may take besides the basis prompts; they ask about pairs for
 * training, in the same order. */
enum method_texts {
    METHOD_SHUFFLED, /* of T0 points; shots show each other's answers */
    METHOD_CLEAN,    /* of T0 points */
    METHOD_ALONE,    /* the queries alone, without shots */
    METHOD_TEXTS
};

struct method_training {        /* what weights are derived from */
    struct prompt_view prompts; /* of T0 points or more; their basis is at point T0 (from 1). Of
                                   text the basis prompts, as a whole */
    struct prompt_view texts[METHOD_TEXTS]; /* of text: as many as inputs.texts asks for */
    size_t tokens, answer; /* of text: the longest of all of these before its query, and tokens of
                              the longest answer; 0: prompts of numbers */
    size_t T0;
    size_t chunk; /* prompts that go through the model together; part of the job's identity */
    enum context_precision contexts;
    const struct context_share *share; /* NULL: contexts are not shared */
    const struct rng *stream;          /* for the method's own draws */
    const double *effects;             /* [L, H] where inputs.takes_effects says so, else NULL */
    /* To be called every few seconds: done of total. ERR_STOPPED ends the derivation. NULL: not
     * wanted. */
    enum err_code (*report)(void *context, double done, double total, struct err *err);
    void *context;
};

struct method_derivation { /* where its weights come from */
    /* Shape of w, for example [L, H]; NULL: no weights. */
    void (*weights_shape)(size_t shape[2], const struct method_setup *s);
    /* Weights to begin from, of methods that learn by gradient descent. */
    void (*init)(float *w, const struct method_setup *s, const struct rng *stream);
    /* Weights in closed form. Deterministic; runs on one rank. */
    enum err_code (*derive)(float *w, const struct method_training *t, const struct method_setup *s,
                            struct err *err);
    size_t (*bytes)(const struct method_setup *s, const struct method_training *t); /* of derive */
    /* Work of derive, for `plan`: contexts of T0 points beyond one for each training prompt, and
     * single-token passes on such contexts beyond one each; negative where fewer prompts pass
     * through the model. NULL: none. */
    void (*work)(double *contexts, double *tokens, const struct method_setup *s,
                 const struct method_training *t);
    size_t (*choices)(const struct method_setup *s); /* candidates, at least 1; NULL: 1 */
    /* The number that setup.choice means, such as a layer or a ridge weight; NULL: none. */
    double (*chosen)(const struct method_setup *s);
    bool chooses_at_basis; /* by the loss at the point of the basis, unless a key says otherwise */
};

struct method_application { /* the vector and the edits made from it */
    enum edit_scope scope;
    bool maps; /* its edits are maps, which have no norm as vectors have */
    /* v: values() floats for each of b->R rows, or one row for all where there is no basis. By
     * default [L, R, E]: row r of layer l at (l * R + r) * E. NULL: no vector and no edit. */
    void (*vector)(float *v, const float *w, const struct basis *b, const struct method_setup *s,
                   float *scratch);
    /* Floats of one row of v; NULL: L E. Must not depend on setup.choice, nor may edits_most. */
    size_t (*values)(const struct method_setup *s);
    /* Fills items [edits_most] with edits that read v and w (both outlive the pass) for R rows (1:
     * the same for every row) and returns their number. NULL: L additions, v[l] to block l. */
    size_t (*edits)(struct edit *items, const float *v, const float *w, size_t R,
                    const struct method_setup *s);
    size_t (*edits_most)(const struct method_setup *s); /* NULL: L */

    /* Gradient for the default edits. dw: overwritten by the sum over R rows. g: derivative of the
     * loss after each block, row r of layer l at (l * g_stride + r) * E. R is b->R where the method
     * needs a basis. */
    void (*gradient)(float *dw, const float *g, size_t g_stride, size_t R, const struct basis *b,
                     const struct method_setup *s, float *scratch);
    /* Gradient for a method that defines `edits`, instead of `gradient`. Called for each edited
     * place, from the last to the first; adds to dw, which is 0 at first, what the rows of that
     * place contribute. v: as vector() made it, of b->R rows or one. */
    void (*gradient_at)(float *dw, const struct query_place *at, const float *v, const float *w,
                        const struct basis *b, const struct method_setup *s, float *scratch);
    /* Floats of `scratch` for R rows; NULL: none. */
    size_t (*scratch)(const struct method_setup *s, size_t R);
};

struct method_redraw { /* whose values a control replaces */
    size_t R, E;       /* prompts, width */
    const struct rng *stream;
    uint64_t first; /* sample number of the first prompt */
};

struct method_control { /* of controls of a fit: how their edits differ from those of the fit */
    /* Whether the control is informative for this method; own_basis: each prompt has a basis of its
     * own. NULL: the method is not a control of a fit. */
    bool (*applies)(const struct method *fit, bool own_basis);
    bool next_function; /* takes the basis of the next function; the last one takes the first's */
    /* Replaces the values of the n edits of a fit by new ones [n, R, E]. NULL: the edits stay. */
    void (*redraw)(struct edit *items, size_t n, float *values, const struct method_redraw *of);
};

struct method {
    const char *name;
    struct method_docs docs;
    struct method_config config;
    struct method_inputs inputs;
    struct method_derivation derivation;
    struct method_application application;
    struct method_control control;
};

/* ---- the registry */

size_t method_count(void);
const struct method *method_at(size_t i);
const struct method *method_find(const char *name); /* NULL: unknown */

/* Whether its weights are learned by gradient descent; whether `fit` has anything to do for it
 * (learn, derive or choose). */
bool method_learns(const struct method *m);
bool method_is_fitted(const struct method *m);

/* Names of the methods without a fit of their own, NULL-terminated: the values of `also`; and of
 * those with one. */
extern const char *const METHOD_CONTROLS[];
extern const char *const METHOD_FITTED[];

/* Adds the rows "method" (an axis over the registered names) and every method's own keys.
 * fitted_only: the methods of `fit` alone. */
enum err_code method_schema(struct config_schema *out, bool fitted_only, struct err *err);

/* ---- setups */

void method_setup_read(struct method_setup *out, const struct config_point *point,
                       const struct params *params);
/* The same by name: the first variant, and every key 0. */
void method_setup_named(struct method_setup *out, const char *name, const struct params *params);

/* "heads" for ltv; "" where the method has one form only. */
const char *method_variant(const struct method_setup *s);

/* ERR_CONFIG where the key's value "reprojected", a taken as input of W_o, does not fit the model:
 * its heads have another width together than a. */
enum err_code method_check_reprojected(const struct model_dims *dims,
                                       const struct config_point *point, const char *key,
                                       struct err *err);

size_t method_weights(const struct method_setup *s); /* numbers of w; 0: none */
size_t method_values(const struct method_setup *s);  /* floats of one row of v */
size_t method_choices(const struct method_setup *s);
size_t method_edits_most(const struct method_setup *s);

/* The edits of v for R rows into items [method_edits_most]; *out, v and w share their lifetime. */
void method_edits(struct edit *items, struct edits *out, const float *v, const float *w, size_t R,
                  const struct method_setup *s);

/* ---- its basis */

unsigned method_basis(const struct method_setup *s); /* basis_bit() of its parts; 0: none */

/* Index of the function whose basis serves function i of n; control may be NULL. */
size_t method_basis_of(const struct method *control, size_t i, size_t n);

/* n [METHOD_TEXTS]: the prompts of text that its derivation takes; all 0 for models of numbers. */
void method_texts(size_t n[], const struct method_setup *s, size_t train);

/* Whether derive() takes mean effects of heads over tasks. */
bool method_takes_effects(const struct method_setup *s);

/* Whether a fit of it needs to know T0: for its basis, or for prompts of T0 - 1 shots. */
bool method_reads_points(const struct method_setup *s);

/* A collector of that basis, for weights w that outlive it; its bytes. */
enum err_code method_collector_create(struct basis_collector **out, const struct method_setup *s,
                                      const float *w, const struct basis_size *size, size_t chunk,
                                      enum context_precision contexts, struct err *err);
size_t method_collector_bytes(const struct method_setup *s, const struct basis_size *size,
                              size_t chunk, enum context_precision contexts);
size_t method_anchors(const struct method_setup *s); /* how many; 0: none */

/* ---- fields that several methods share */

void method_shape_heads(size_t shape[2], const struct method_setup *s); /* [L, H] */
/* w ~ N(0, setup.init^2). */
void method_init_normals(float *w, const struct method_setup *s, const struct rng *stream);
size_t method_one_edit(const struct method_setup *s);

/* Of its basis prompts. */
static inline struct basis_size method_basis_size(const struct method_training *t) {
    return (struct basis_size){.T0 = t->T0, .tokens = t->tokens, .answer = t->answer};
}

/* How many training prompts: the first `most`, or all where most is 0. */
size_t method_first_prompts(const struct method_training *t, int64_t most);

#endif
