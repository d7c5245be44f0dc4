#include "stages/evaluate_keep.h"

#include <stdlib.h>
#include <string.h>

const char *const EVALUATE_KEEP_NAMES[] = {"predictions", "prompts", NULL};

bool evaluate_keeps(const struct config_point *point, const char *name) {
    for (size_t i = 0; i < config_list_size(point, "keep"); i++)
        if (strcmp(config_list_text(point, "keep", i), name) == 0) return true;
    return false;
}

void evaluate_kept_read(struct evaluate_kept_sizes *out, const struct config_point *point,
                        const struct source *source, size_t functions, size_t points, size_t T0) {
    const struct source_info *info = source_info(source);
    *out = (struct evaluate_kept_sizes){
        .functions = functions,
        .points = points,
        .dims = info->inputs,
        .basis_points = T0,
        .predictions = evaluate_keeps(point, EVALUATE_KEEP_NAMES[0]),
        .prompts = evaluate_keeps(point, EVALUATE_KEEP_NAMES[1]),
        .apart = info->apart,
        .relabels = info->relabels,
    };
}

enum { ARRAYS = 8 };

struct kept_array {
    const char *name;
    float **data;
    size_t rank, shape[JOB_TENSOR_RANK]; /* shape[0]: functions; rank 0: not kept */
};

static struct kept_array array_of(const char *name, float **data, bool wanted, size_t n, size_t T,
                                  size_t width) {
    const size_t rank = width > 0 ? 3 : 2;
    return (struct kept_array){name, data, wanted ? rank : 0, {n, T, width}};
}

static void kept_arrays(struct kept_array out[ARRAYS], struct evaluate_kept *k) {
    const struct evaluate_kept_sizes *s = &k->size;
    const size_t n = s->functions, T = s->points, T0 = s->basis_points;
    const bool basis = s->prompts && T0 > 0;
    const struct kept_array all[ARRAYS] = {
        array_of("predictions", &k->predictions, s->predictions, n, T, 0),
        array_of("targets", &k->targets, s->predictions, n, T, 0),
        array_of("x", &k->x, s->prompts, n, T, s->dims),
        array_of("y", &k->y, s->prompts, n, T, 0),
        array_of("query_x", &k->query_x, s->prompts && s->apart, n, T, s->dims),
        array_of("shown_y", &k->shown_y, s->prompts && s->relabels, n, T, T),
        array_of("basis_x", &k->basis_x, basis, n, T0, s->dims),
        array_of("basis_y", &k->basis_y, basis, n, T0, 0),
    };
    memcpy(out, all, sizeof all);
}

static size_t floats_per_row(const struct kept_array *a) {
    if (a->rank == 0) return 0;
    return a->shape[1] * (a->rank == 3 ? a->shape[2] : 1);
}

size_t evaluate_kept_bytes(const struct evaluate_kept_sizes *size) {
    struct evaluate_kept k = {.size = *size};
    struct kept_array all[ARRAYS];
    size_t floats = 0;
    kept_arrays(all, &k);
    for (size_t i = 0; i < ARRAYS; i++) floats += floats_per_row(&all[i]);
    return floats * size->functions * sizeof(float);
}

enum err_code evaluate_kept_create(struct evaluate_kept *k, const struct evaluate_kept_sizes *size,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    struct kept_array all[ARRAYS];
    *k = (struct evaluate_kept){.size = *size};
    kept_arrays(all, k);
    for (size_t i = 0; i < ARRAYS; i++) {
        const size_t row = floats_per_row(&all[i]);
        if (row == 0) continue;
        *all[i].data = calloc(size->functions * row, sizeof **all[i].data);
        CHECK(*all[i].data, ERR_MEMORY, "no memory for \"%s\" of %zu functions", all[i].name,
              size->functions);
    }
cleanup:
    if (rc != ERR_OK) evaluate_kept_release(k);
    return rc;
}

void evaluate_kept_release(struct evaluate_kept *k) {
    struct kept_array all[ARRAYS];
    kept_arrays(all, k);
    for (size_t i = 0; i < ARRAYS; i++) free(*all[i].data);
    *k = (struct evaluate_kept){0};
}

static void put_rows(float *to, size_t first, const float *from, size_t n, size_t row) {
    if (to && from) memcpy(to + first * row, from, n * row * sizeof *to);
}

void evaluate_kept_take(struct evaluate_kept *k, size_t first, const struct prompt_view *prompts,
                        const float *predictions) {
    const size_t n = prompts->n, T = k->size.points;
    put_rows(k->predictions, first, predictions, n, T);
    put_rows(k->targets, first, prompt_view_targets(prompts), n, T);
    put_rows(k->x, first, prompts->x, n, T * k->size.dims);
    put_rows(k->y, first, prompts->y, n, T);
    put_rows(k->query_x, first, prompts->query_x, n, T * k->size.dims);
    put_rows(k->shown_y, first, prompts->shown_y, n, T * T);
}

void evaluate_kept_take_basis(struct evaluate_kept *k, size_t first,
                              const struct prompt_view *basis) {
    const size_t T0 = k->size.basis_points;
    put_rows(k->basis_x, first, basis->x, basis->n, T0 * k->size.dims);
    put_rows(k->basis_y, first, basis->y, basis->n, T0);
}

enum err_code evaluate_kept_write(const struct evaluate_kept *k, struct job_ctx *ctx,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    struct evaluate_kept copy = *k;
    struct kept_array all[ARRAYS];
    kept_arrays(all, &copy);
    for (size_t i = 0; i < ARRAYS; i++) {
        const struct kept_array *a = &all[i];
        const struct job_tensor t = {
            a->name, a->rank, {a->shape[0], a->shape[1], a->shape[2]}, *a->data};
        if (a->rank > 0) TRY(job_tensor(ctx, &t, err));
    }
cleanup:
    return rc;
}
