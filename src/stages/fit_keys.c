#include "stages/fit_keys.h"

#include <stdio.h>
#include <string.h>

#include "optim/optim_options.h"
#include "sources/source_registry.h"
#include "stages/shared_keys.h"

/* ---- which method reads which key */

static bool has_basis(const struct method *m) { return m->inputs.basis != NULL; }

/* Weights in closed form come from the first T0 points of the prompts; `points` beyond them count
 * only for the loss that learns, or that decides among candidates. */
static bool takes_loss(const struct method *m) {
    const bool chooses = m->derivation.choices && !m->derivation.chooses_at_basis;
    return method_learns(m) || chooses || !has_basis(m);
}

static bool takes_no_loss(const struct method *m) { return !takes_loss(m); }

/* The keys of `fit` that some method does not read; every method reads the others. A method's own
 * keys exist for that method alone (config_key.when). "optimiser." stands for the keys below it. */
static const struct {
    const char *key;
    bool (*read_by)(const struct method *m);
} READERS[] = {
    {"points", takes_loss},
    {"basis", has_basis},
    {"basis_points", has_basis},
    {"optimiser.", method_learns},
    {"epochs", method_learns},
    {"patience", method_learns},
    {"patience_rule", method_learns},
    {"checkpoint_every", method_learns},
    {"choice_points", takes_no_loss},
    {"basis_prompts", has_basis},
    {"validate_every", method_learns},
    {"text_loss", method_learns},
    {"teacher_points", method_learns},
    {"label_weight", method_learns},
};

bool fit_keys_read_by(const char *method, const char *kind, const char *key) {
    const struct method *m = method_find(method);
    /* Text is asked in prompts of their own, so that every validation loss is that of `points`. */
    const bool text = strcmp(kind, "text") == 0;
    if (text && strcmp(key, "points") == 0) return true;
    if (text && strcmp(key, "choice_points") == 0) return false;
    for (size_t i = 0; i < sizeof READERS / sizeof *READERS; i++) {
        const size_t n = strlen(READERS[i].key);
        const bool group = READERS[i].key[n - 1] == '.';
        if (group ? strncmp(READERS[i].key, key, n) == 0 : strcmp(READERS[i].key, key) == 0)
            return READERS[i].read_by(m);
    }
    return true;
}

/* ---- the keys of a point, 0 or false where its method does not read them */

static bool key_is(const struct config_point *point, const char *key, const char *value) {
    return config_has(point, key) && strcmp(config_text(point, key), value) == 0;
}

static int64_t integer(const struct config_point *point, const char *key) {
    return config_has(point, key) ? config_int(point, key) : 0;
}

/* Of prompts, at the last of which the loss is taken; 0: those of the basis. */
static int64_t points_of(const struct config_point *point) {
    return integer(point, config_has(point, "points") ? "points" : "choice_points");
}

/* More than FIT_LENGTHS are counted but not read: fit_plan() refuses them. */
static void read_lengths(struct fit_keys *k, const struct config_point *point) {
    if (!config_has(point, "lengths")) return;
    k->n_lengths = config_list_size(point, "lengths");
    for (size_t i = 0; i < k->n_lengths && i < FIT_LENGTHS; i++)
        k->lengths[i] = (size_t)config_list_int(point, "lengths", i);
}

static enum prompt_loss_kind loss_kind(const struct config_point *point) {
    if (key_is(point, "text_loss", "kl_to_icl")) return LOSS_DIVERGENCE;
    if (config_has(point, "answer")) return LOSS_CROSS_ENTROPY;
    return key_is(point, "loss", "huber") ? LOSS_HUBER : LOSS_SQUARED;
}

/* Without labels one row of each prompt is read, as for first tokens. */
static void read_teacher(struct fit_keys *k, const struct config_point *point) {
    k->teacher = shared_keys_size(point, "teacher_points");
    k->loss.cross_entropy = config_float(point, "label_weight");
    k->first_token |= k->loss.cross_entropy <= 0;
}

void fit_keys_read(struct fit_keys *k, const struct config_point *point) {
    *k = (struct fit_keys){
        .points = (size_t)points_of(point),
        .prompts = shared_keys_size(point, "prompts"),
        .batch = shared_keys_size(point, "batch"),
        .shards = shared_keys_size(point, "shards"),
        .lbfgs = key_is(point, "optimiser.name", "lbfgs"),
        .mean = key_is(point, "basis", "mean"),
        .loss = {.kind = loss_kind(point)},
        .first_token = key_is(point, "answer", "first"),
        .epochs = integer(point, "epochs"),
        .patience = integer(point, "patience"),
        .repeat = config_int(point, "repeat"),
        .validate_every = integer(point, "validate_every"),
        .checkpoint_every = config_int(point, "checkpoint_every"),
        .contexts = shared_keys_contexts(point),
        .rule = key_is(point, "patience_rule", "cumulative") ? FIT_CUMULATIVE : FIT_CONSECUTIVE,
    };
    read_lengths(k, point);
    if (k->loss.kind == LOSS_HUBER) k->loss.delta = config_float(point, "delta");
    if (k->loss.kind == LOSS_DIVERGENCE) read_teacher(k, point);
    double share = config_float(point, "validation");
    k->train = k->prompts - (size_t)(share * (double)k->prompts + 0.5);
    k->averaged = (size_t)integer(point, "basis_prompts");
    if (k->averaged == 0) k->averaged = k->train;
}

void fit_keys_settle(struct fit_keys *k, size_t T0) {
    if (k->points == 0) k->points = T0;
}

bool fit_keys_comparable(const struct config_key *key) {
    static const char *const others[] = {"method",         "points",       "lengths",
                                         "repeat",         "prompts",      "text_loss",
                                         "teacher_points", "label_weight", NULL};
    for (size_t i = 0; others[i]; i++)
        if (strcmp(key->name, others[i]) == 0) return false;
    return strncmp(key->name, "source.", 7) != 0 && strncmp(key->name, "model.", 6) != 0 &&
           !(key->flags & CONFIG_PATH);
}

void fit_keys_data(struct fit_data_options *out, const struct fit_keys *k,
                   const struct method_setup *setup, size_t T0) {
    *out = (struct fit_data_options){
        .setup = setup,
        .prompts = {.n = k->prompts, .points = k->points, .dims = setup->params->dims.inputs},
        .basis_points = T0,
        .mean = k->mean,
        .averaged = k->averaged,
        .batch = k->batch,
        .shards = k->shards,
        .loss = k->loss,
        .size = k->size,
        .first_token = k->first_token,
        .contexts = k->contexts,
        .n_lengths = k->n_lengths,
    };
    memcpy(out->lengths, k->lengths, sizeof out->lengths);
}

struct rng fit_stream(const struct fit_keys *k, uint64_t seed, const char *purpose) {
    char name[64];
    (void)snprintf(name, sizeof name, "fit/%lld/%s", (long long)k->repeat, purpose);
    return rng_stream(seed, name);
}
