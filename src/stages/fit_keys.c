#include "stages/fit_keys.h"

#include <stdio.h>
#include <string.h>

#include "optim/optim_options.h"
#include "sources/source_registry.h"
#include "stages/shared_keys.h"

static bool key_is(const struct config_point *point, const char *key, const char *value) {
    return strcmp(config_text(point, key), value) == 0;
}

/* More than FIT_LENGTHS are counted but not read: fit_plan() refuses them. */
static void read_lengths(struct fit_keys *k, const struct config_point *point) {
    k->n_lengths = config_list_size(point, "lengths");
    for (size_t i = 0; i < k->n_lengths && i < FIT_LENGTHS; i++)
        k->lengths[i] = (size_t)config_list_int(point, "lengths", i);
}

void fit_keys_read(struct fit_keys *k, const struct config_point *point) {
    *k = (struct fit_keys){
        .points = shared_keys_size(point, "points"),
        .prompts = shared_keys_size(point, "prompts"),
        .batch = shared_keys_size(point, "batch"),
        .shards = shared_keys_size(point, "shards"),
        .lbfgs = optimiser_is_lbfgs(point),
        .mean = key_is(point, "basis", "mean"),
        .loss = {.kind = key_is(point, "loss", "huber") ? LOSS_HUBER : LOSS_SQUARED},
        .epochs = config_int(point, "epochs"),
        .patience = config_int(point, "patience"),
        .repeat = config_int(point, "repeat"),
        .checkpoint_every = config_int(point, "checkpoint_every"),
        .contexts = shared_keys_contexts(point),
        .rule = key_is(point, "patience_rule", "cumulative") ? FIT_CUMULATIVE : FIT_CONSECUTIVE,
    };
    read_lengths(k, point);
    if (k->loss.kind == LOSS_HUBER) k->loss.delta = config_float(point, "delta");
    double share = config_float(point, "validation");
    k->train = k->prompts - (size_t)(share * (double)k->prompts + 0.5);
}

static bool is_among(const char *key, const char *const *keys) {
    for (; *keys; keys++)
        if (strcmp(key, *keys) == 0) return true;
    return false;
}

bool fit_keys_reads(const struct method *m, const char *key) {
    static const char *const learning[] = {"epochs", "patience", "patience_rule",
                                           "checkpoint_every", NULL};
    static const char *const basis[] = {"basis", "basis_points", NULL};
    if (strncmp(key, "optimiser.", 10) == 0 || is_among(key, learning)) return method_learns(m);
    return !is_among(key, basis) || m->inputs.basis;
}

bool fit_keys_comparable(const struct config_key *key) {
    static const char *const others[] = {"method", "points", "lengths", "repeat", "prompts", NULL};
    return !is_among(key->name, others) && strncmp(key->name, "source.", 7) != 0 &&
           strncmp(key->name, "model.", 6) != 0 && !(key->flags & CONFIG_PATH);
}

void fit_keys_data(struct fit_data_options *out, const struct fit_keys *k,
                   const struct method_setup *setup, size_t T0) {
    *out = (struct fit_data_options){
        .setup = setup,
        .prompts = {.n = k->prompts, .points = k->points, .dims = setup->params->dims.inputs},
        .basis_points = T0,
        .mean = k->mean,
        .train = k->train,
        .batch = k->batch,
        .shards = k->shards,
        .loss = k->loss,
        .contexts = k->contexts,
        .n_lengths = k->n_lengths,
    };
    memcpy(out->lengths, k->lengths, sizeof out->lengths);
}

enum err_code fit_draw_prompts(struct source **source, struct prompt_view *prompts,
                               const struct fit_keys *k, const struct job_ctx *ctx,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    char split[32];
    const struct source_options o = {.seed = ctx->seed, .split = split};
    (void)snprintf(split, sizeof split, "fit/%lld", (long long)k->repeat);
    TRY(source_open(source, ctx->point, &o, err));
    TRY(source_reserve(*source, k->prompts, k->points, err));
    *prompts = source_draw(*source, 0, k->prompts);
cleanup:
    return rc;
}

struct rng fit_stream(const struct fit_keys *k, uint64_t seed, const char *purpose) {
    char name[64];
    (void)snprintf(name, sizeof name, "fit/%lld/%s", (long long)k->repeat, purpose);
    return rng_stream(seed, name);
}
