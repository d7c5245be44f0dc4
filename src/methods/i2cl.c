/*
 * Implicit in-context learning: at every token and in every layer the attention output and the MLP
 * output m become b1 m + b0 c, with c the mean of m at the last tokens of demonstrations, each of
 * which is read alone, and 4 L scalars b0, b1.
 *
 * Derivation: c from the demonstrations, which are pairs for training with their answers; then the
 * scalars, from b0 = .1 and b1 = 1, by AdamW on the cross entropy of the answers of the same
 * demonstrations under these edits, in batches of 2 with a cosine schedule after a warm-up. Row 2 l
 * + j of the weights [2 L, E + 2] has c, b0 and b1 of layer l: j = 0 attention, 1 MLP.
 *
 * A demonstration is one query of as many tokens as it has, after an empty context, so that the
 * query stream (query.h) runs and differentiates whole prompts.
 *
 * Source: Li et al., "Implicit In-context Learning", ICLR 2025, arXiv:2405.14660. Text alone.
 * Sees: its demonstrations, of the task.
 * Cost: a separate context for every prompt, since all tokens are edited.
 * Deviations from the paper: docs/methods.md.
 */
#include "methods/i2cl.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "methods/i2cl_prompts.h"
#include "ops/vector_ops.h"
#include "optim/adam.h"
#include "optim/schedule.h"

enum { SCALARS = 2 }; /* of a module: b0, b1 */
static const double BEGIN[SCALARS] = {0.1, 1};
static const float DECAY = 1e-3F;  /* of AdamW */
static const double WARMUP = 0.05; /* share of the updates */

static size_t modules(const struct method_setup *s) { return 2 * s->params->dims.L; }

static size_t row_of(const struct method_setup *s) { return s->params->dims.E + SCALARS; }

static void i2cl_shape(size_t shape[2], const struct method_setup *s) {
    shape[0] = modules(s);
    shape[1] = row_of(s);
}

static void i2cl_texts(size_t n[], const struct method_setup *s, size_t train) {
    (void)train;
    n[METHOD_ALONE] = (size_t)i2cl_keys(s).demonstrations;
}

/* ---- the edits */

static size_t i2cl_values(const struct method_setup *s) {
    return (modules(s) + 1) * s->params->dims.E;
}

/* v [2 L + 1, E]: c of each module, and zeros. */
static void i2cl_vector(float *v, const float *w, const struct basis *b,
                        const struct method_setup *s, float *scratch) {
    const size_t E = s->params->dims.E;
    (void)b, (void)scratch;
    for (size_t i = 0; i < modules(s); i++) memcpy(v + i * E, w + i * row_of(s), E * sizeof *v);
    memset(v + modules(s) * E, 0, E * sizeof *v);
}

static size_t i2cl_edits_most(const struct method_setup *s) { return 2 * modules(s); }

/* b1 m by mixing in 1 - b1 of zeros, then + b0 c. */
static size_t i2cl_edits(struct edit *items, const float *v, const float *w, size_t R,
                         const struct method_setup *s) {
    const size_t E = s->params->dims.E, n = modules(s);
    assert(R == 1), (void)R;
    for (size_t i = 0; i < n; i++) {
        const float *scalars = w + i * row_of(s) + E;
        const struct edit add = {.layer = i / 2,
                                 .scope = EDIT_ALL,
                                 .site = i % 2 == 0 ? EDIT_ATTENTION : EDIT_MLP,
                                 .scale = scalars[0],
                                 .values = v + i * E};
        items[2 * i + 1] = items[2 * i] = add;
        items[2 * i].operation = EDIT_MIX;
        items[2 * i].scale = 1.0F - scalars[1];
        items[2 * i].values = v + n * E;
    }
    return 2 * n;
}

/* ---- the derivation */

struct calibration {
    const struct method_training *t;
    const struct method_setup *setup;
    struct i2cl_prompts prompts;
    float *w; /* [2 L, E + 2] */
    float *v; /* i2cl_values() */
    struct edit *items;
    float *scalars, *moments, *gradient; /* [4 L], [2][4 L], [4 L] */
    uint32_t *order;                     /* [demonstrations] */
    struct arena memory;
};

static size_t scalars_of(const struct method_setup *s) { return SCALARS * modules(s); }

static void calibration_lay_out(struct calibration *c, const struct method_setup *s) {
    c->v = arena_floats(&c->memory, i2cl_values(s));
    c->scalars = arena_floats(&c->memory, scalars_of(s));
    c->moments = arena_floats(&c->memory, 2 * scalars_of(s));
    c->gradient = arena_floats(&c->memory, scalars_of(s));
}

static void calibration_release(struct calibration *c) {
    free(c->order);
    free(c->items);
    arena_release(&c->memory);
    i2cl_prompts_destroy(&c->prompts);
}

static enum err_code calibration_init(struct calibration *c, float *w,
                                      const struct method_training *t, const struct method_setup *s,
                                      struct err *err) {
    enum err_code rc = ERR_OK;
    *c = (struct calibration){.t = t, .setup = s, .w = w};
    calibration_lay_out(c, s);
    TRY(arena_commit(&c->memory, err));
    calibration_lay_out(c, s);
    c->items = calloc(i2cl_edits_most(s), sizeof *c->items);
    c->order = calloc(t->texts[METHOD_ALONE].n, sizeof *c->order);
    CHECK(c->items && c->order, ERR_MEMORY, "no memory for a calibration");
    TRY(i2cl_prompts_create(&c->prompts, s->params, &t->texts[METHOD_ALONE], t->tokens, t->answer,
                            err));
cleanup:
    if (rc != ERR_OK) calibration_release(c);
    return rc;
}

/* The mean of the outputs of every module, and the scalars to begin from. */
static enum err_code find_means(struct calibration *c, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t E = c->setup->params->dims.E, row = row_of(c->setup);
    double *sum = calloc(modules(c->setup) * E, sizeof *sum);
    CHECK(sum, ERR_MEMORY, "no memory for the mean of %zu outputs", modules(c->setup));
    for (size_t i = 0; i < c->t->texts[METHOD_ALONE].n; i++) i2cl_prompts_add(sum, &c->prompts, i);
    for (size_t m = 0; m < modules(c->setup); m++) {
        for (size_t e = 0; e < E; e++)
            c->w[m * row + e] = (float)(sum[m * E + e] / (double)c->t->texts[METHOD_ALONE].n);
        for (size_t j = 0; j < SCALARS; j++) c->w[m * row + E + j] = (float)BEGIN[j];
    }
cleanup:
    free(sum);
    return rc;
}

/* Scalars [2 L, 2] to and from the rows of the weights. */
static void copy_scalars(struct calibration *c, bool to_weights) {
    const size_t E = c->setup->params->dims.E, row = row_of(c->setup);
    for (size_t m = 0; m < modules(c->setup); m++) {
        float *in_weights = c->w + m * row + E, *apart = c->scalars + SCALARS * m;
        memcpy(to_weights ? in_weights : apart, to_weights ? apart : in_weights,
               SCALARS * sizeof *apart);
    }
}

/* d loss / d b0 = <g, c>, d loss / d b1 = <g, m>, over all tokens. */
static void add_scalars_at(void *context, const struct query_place *at) {
    struct calibration *c = context;
    const size_t E = c->setup->params->dims.E, m = 2 * at->layer + (at->site == EDIT_MLP ? 1 : 0);
    for (size_t r = 0; r < at->R; r++) {
        c->gradient[SCALARS * m] += (float)vector_dot(at->g + r * E, c->v + m * E, E);
        if (at->x)
            c->gradient[SCALARS * m + 1] += (float)vector_dot(at->g + r * E, at->x + r * E, E);
    }
}

/* Loss and c->gradient of n demonstrations. */
static double take_gradient(struct calibration *c, const uint32_t *which, size_t n) {
    const struct query_visitor visitor = {add_scalars_at, c};
    struct edits edits = {.items = c->items};
    memset(c->gradient, 0, scalars_of(c->setup) * sizeof *c->gradient);
    i2cl_vector(c->v, c->w, NULL, c->setup, NULL);
    edits.n = i2cl_edits(c->items, c->v, c->w, 1, c->setup);
    return i2cl_prompts_loss(&c->prompts, which, n, &edits, &visitor);
}

static void update(struct calibration *c, const struct schedule *schedule, int64_t step) {
    static const struct adam adam = {.beta1 = 0.9F, .beta2 = 0.999F, .epsilon = 1e-8F};
    const size_t n = scalars_of(c->setup);
    const float lr = (float)schedule_lr(schedule, step);
    vector_scale(c->scalars, 1.0F - lr * DECAY, n);
    adam_step(c->scalars, c->moments, c->moments + n, c->gradient, n, &adam, lr, step);
    copy_scalars(c, true);
}

static enum err_code calibrate(struct calibration *c, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct i2cl_keys keys = i2cl_keys(c->setup);
    const size_t n = c->t->texts[METHOD_ALONE].n;
    const int64_t each = (int64_t)((n + I2CL_BATCH - 1) / I2CL_BATCH), all = each * keys.epochs;
    const struct schedule schedule = {.kind = SCHEDULE_COSINE,
                                      .lr = keys.lr,
                                      .warmup = (int64_t)(WARMUP * (double)all),
                                      .steps = all};
    int64_t step = 0;
    copy_scalars(c, false);
    for (int64_t epoch = 0; epoch < keys.epochs; epoch++) {
        rng_permutation(c->order, (uint32_t)n, c->t->stream, (uint64_t)epoch, 0);
        for (size_t first = 0; first < n; first += I2CL_BATCH) {
            (void)take_gradient(c, c->order + first, n - first < I2CL_BATCH ? 1 : I2CL_BATCH);
            update(c, &schedule, ++step);
        }
        if (c->t->report)
            TRY(c->t->report(c->t->context, (double)epoch + 1, (double)keys.epochs, err));
    }
cleanup:
    return rc;
}

static enum err_code i2cl_derive(float *w, const struct method_training *t,
                                 const struct method_setup *s, struct err *err) {
    enum err_code rc = ERR_OK;
    struct calibration c = {0};
    TRY(calibration_init(&c, w, t, s, err));
    TRY(find_means(&c, err));
    TRY(calibrate(&c, err));
cleanup:
    if (c.t) calibration_release(&c);
    return rc;
}

static size_t i2cl_derive_bytes(const struct method_setup *s, const struct method_training *t) {
    struct calibration c = {0};
    calibration_lay_out(&c, s);
    return c.memory.used + i2cl_prompts_bytes(&s->params->dims, t->tokens, t->answer) +
           i2cl_edits_most(s) * sizeof(struct edit);
}

/* No training prompt passes through the model; demonstrations do, forward and backward. */
static void i2cl_derive_work(double *contexts, double *tokens, const struct method_setup *s,
                             const struct method_training *t) {
    const double passes = 1 + 3 * (double)i2cl_keys(s).epochs;
    *contexts = -(double)t->prompts.n;
    *tokens = passes * (double)i2cl_keys(s).demonstrations * (double)(t->tokens + t->answer) -
              (double)t->prompts.n;
}

/* ---- keys */

static void i2cl_read(struct method_setup *s, const struct config_point *point) {
    i2cl_set_keys(s, (struct i2cl_keys){.demonstrations = config_int(point, "i2cl.demonstrations"),
                                        .epochs = config_int(point, "i2cl.epochs"),
                                        .lr = config_float(point, "i2cl.lr")});
}

static const struct config_key KEYS[] = {
    {
        .name = "i2cl.demonstrations",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .min = 1,
        .max = 1e5,
        .def = "10",
        .when = "method=i2cl",
        .unit = "pairs",
        .meaning = "Number of pairs for training, each read alone, that make the vectors and "
                   "calibrate the scalars.",
    },
    {
        .name = "i2cl.epochs",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .max = 1e6,
        .def = "100",
        .when = "method=i2cl",
        .unit = "",
        .meaning = "Epochs of the calibration (published: 100); 0 keeps the initial scalars.",
    },
    {
        .name = "i2cl.lr",
        .type = CONFIG_FLOAT,
        .flags = CONFIG_AXIS,
        .max = 1e3,
        .def = "0.01",
        .when = "method=i2cl",
        .unit = "",
        .meaning = "Learning rate of the calibration at its peak (published: 0.01).",
    },
};

extern const struct method method_i2cl;
const struct method method_i2cl = {
    .name = "i2cl",
    .docs = {.meaning = "Implicit in-context learning: attention and MLP outputs of all tokens are "
                        "scaled and get a share of their mean over demonstrations.",
             .paper = "Li et al., ICLR 2025, arXiv:2405.14660",
             .sees = "its demonstrations, of the task",
             .cost = "a separate context for every prompt",
             .text = "text alone: numbers are refused, since a pair alone tells no function",
             .weights = "2 L x (E + 2): the mean output c, b0 and b1 of attention and MLP of each "
                        "layer in turn",
             .vector = "v_l,m = weights_l,m",
             .place = "outputs of attention and MLP in every layer l become b1_l,m times "
                      "themselves plus b0_l,m v_l,m; all"},
    .config = {.rows = KEYS, .n = sizeof KEYS / sizeof *KEYS, .read = i2cl_read},
    .inputs = {.texts = i2cl_texts, .text_only = true},
    .derivation = {.weights_shape = i2cl_shape,
                   .derive = i2cl_derive,
                   .bytes = i2cl_derive_bytes,
                   .work = i2cl_derive_work},
    .application = {.scope = EDIT_ALL,
                    .vector = i2cl_vector,
                    .values = i2cl_values,
                    .edits = i2cl_edits,
                    .edits_most = i2cl_edits_most},
};
