#include "stages/heads/head_maps.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activations/causal_map.h"
#include "stages/effects_run.h"
#include "tensorfile/tensorfile.h"

const char *const HEAD_MAP_NAMES[] = {"patching", "gradient", "induction", "weights",
                                      "change",   "left_out", "random",    NULL};

static bool is_of_fit(const struct head_map *map) {
    return map->kind == HEAD_MAP_WEIGHTS || map->kind == HEAD_MAP_CHANGE ||
           map->kind == HEAD_MAP_LEFT_OUT;
}

bool head_maps_alike(const struct head_map *a, const struct head_map *b) {
    return (is_of_fit(a) && is_of_fit(b)) || a->kind == b->kind;
}

void head_maps_release(struct head_maps *m) {
    free(m->orders);
    free(m->values);
    free(m->list);
    *m = (struct head_maps){0};
}

static bool is_input_of_weights(const struct job_input *input) {
    return strcmp(input->kind, "head_weights") == 0;
}

/* ---- the values of one artifact */

struct head_values {
    struct head_maps *to;
    const struct head_maps_options *o;
    float *pair; /* [2, heads] weights and initial weights */
};

/* The next map, without its values. */
static struct head_map *add_map(struct head_maps *to, enum head_map_kind kind, const char *fit,
                                int64_t repeat) {
    struct head_map *map = &to->list[to->n];
    *map = (struct head_map){.kind = kind,
                             .repeat = repeat,
                             .value = to->values + to->n * to->heads,
                             .order = to->orders + to->n * to->heads};
    (void)snprintf(map->fit, sizeof map->fit, "%s", fit);
    to->n++;
    return map;
}

/* The mean over prompts of the effect of each head, or over functions of the change of the error
 * without it. */
static enum err_code read_effects(struct head_values *v, const struct tensorfile *file,
                                  enum head_map_kind kind, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = v->o->dims;
    const bool left_out = kind == HEAD_MAP_LEFT_OUT;
    const char *name = left_out ? "changes" : "effects", *fit = tensorfile_note(file, "fit"),
               *repeat = tensorfile_note(file, "repeat");
    const struct tensor_info *t = tensorfile_find(file, name);
    CHECK(t && t->type == TENSOR_F32 && t->rank == 3 && t->shape[0] == d->L && t->shape[1] == d->H,
          ERR_DATA, "%s: no %s of %zu x %zu heads", tensorfile_path(file), name, d->L, d->H);
    CHECK(!left_out || (fit && repeat), ERR_DATA, "%s: does not say what was fitted",
          tensorfile_path(file));
    const float *effect = t->data;
    const size_t n = t->shape[2];
    struct head_map *map = left_out ? add_map(v->to, kind, fit, strtoll(repeat, NULL, 10))
                                    : add_map(v->to, kind, "", 0);
    for (size_t i = 0; i < v->to->heads; i++)
        for (size_t r = 0; r < n; r++) map->value[i] += (double)effect[i * n + r] / (double)n;
    causal_rank(map->order, map->value, v->to->heads);
cleanup:
    return rc;
}

/* The size of the weights, or of their change. */
static void add_weights(struct head_values *v, enum head_map_kind kind, const char *fit,
                        int64_t repeat) {
    const size_t heads = v->to->heads;
    const float *from = v->pair + heads;
    if (!v->o->wanted[kind]) return;
    struct head_map *map = add_map(v->to, kind, fit, repeat);
    for (size_t i = 0; i < heads; i++)
        map->value[i] =
            fabs((double)v->pair[i] - (kind == HEAD_MAP_CHANGE ? (double)from[i] : 0.0));
    causal_rank(map->order, map->value, heads);
}

static enum err_code read_fit(struct head_values *v, const struct tensorfile *file,
                              struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t shape[] = {v->o->dims->L, v->o->dims->H};
    const char *fit = tensorfile_note(file, "fit"), *repeat = tensorfile_note(file, "repeat");
    CHECK(fit && repeat, ERR_DATA, "%s: does not say what was fitted", tensorfile_path(file));
    TRY(tensorfile_floats(v->pair, file, "weights", 2, shape, err));
    TRY(tensorfile_floats(v->pair + v->to->heads, file, "initial", 2, shape, err));
    add_weights(v, HEAD_MAP_WEIGHTS, fit, strtoll(repeat, NULL, 10));
    add_weights(v, HEAD_MAP_CHANGE, fit, strtoll(repeat, NULL, 10));
cleanup:
    return rc;
}

/* The kind of map that an input has, the first of two; false: none that is wanted, such as the
 * model. */
static bool kind_of_input(enum head_map_kind *out, const struct head_values *v,
                          const struct job_input *input) {
    *out = HEAD_MAP_WEIGHTS;
    if (is_input_of_weights(input)) return true;
    if (strcmp(input->kind, "effects") == 0)
        *out = (enum head_map_kind)effects_measure_of(input->point);
    else if (strcmp(input->kind, "leave_one_out") == 0)
        *out = HEAD_MAP_LEFT_OUT;
    else
        return false;
    return v->o->wanted[*out];
}

static enum err_code read_input(struct head_values *v, const struct job_input *input,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    struct tensorfile *file = NULL;
    enum head_map_kind kind;
    if (!kind_of_input(&kind, v, input)) return ERR_OK;
    TRY(tensorfile_open(&file, input->artifact, err));
    TRY(kind == HEAD_MAP_WEIGHTS ? read_fit(v, file, err) : read_effects(v, file, kind, err));
cleanup:
    tensorfile_close(file);
    return rc;
}

/* ---- all of them */

static enum err_code create_maps(struct head_maps *out, size_t most, size_t heads,
                                 struct err *err) {
    *out = (struct head_maps){.heads = heads};
    out->list = calloc(most, sizeof *out->list);
    out->values = calloc(most * heads, sizeof *out->values);
    out->orders = calloc(most * heads, sizeof *out->orders);
    if (out->list && out->values && out->orders) return ERR_OK;
    return ERR(err, ERR_MEMORY, "no memory for %zu orders of %zu heads", most, heads);
}

enum err_code head_maps_read(struct head_maps *out, const struct job_ctx *ctx,
                             const struct head_maps_options *o, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t heads = o->dims->L * o->dims->H, most = 2 * ctx->n_inputs + o->random + 1;
    struct head_values v = {.to = out, .o = o};
    TRY(create_maps(out, most, heads, err));
    v.pair = calloc(2 * heads, sizeof *v.pair);
    CHECK(v.pair, ERR_MEMORY, "no memory for the weights of %zu heads", heads);
    for (size_t i = 0; i < ctx->n_inputs; i++) TRY(read_input(&v, &ctx->inputs[i], err));
    for (size_t i = 0; i < o->random && o->wanted[HEAD_MAP_RANDOM]; i++)
        rng_permutation(add_map(out, HEAD_MAP_RANDOM, "", (int64_t)i)->order, (uint32_t)heads,
                        o->stream, i, 0);
cleanup:
    free(v.pair);
    if (rc != ERR_OK) head_maps_release(out);
    return rc;
}
