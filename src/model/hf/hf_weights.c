#include "model/hf/hf_weights.h"

#include <stdbool.h>
#include <stdint.h>

static bool is_usable(const struct tensor_info *t) {
    return t->type == TENSOR_F32 && (uintptr_t)t->data % sizeof(float) == 0;
}

static bool is_half(const struct tensor_info *t) { return t->type != TENSOR_F32; }

/* Tensor i of p from the file; measures while the arena is not committed. */
static enum err_code place(struct params *p, size_t i, const struct tensor_info *from,
                           struct err *err) {
    struct param_info t;
    params_at(&t, p, i);
    if (is_usable(from)) {
        params_place(p, i, (float *)(uintptr_t)from->data); /* the mapping is read-only */
    } else if (is_half(from) && t.is_weight) {
        const enum weight_type type = from->type == TENSOR_F16 ? WEIGHT_F16 : WEIGHT_BF16;
        return params_place_narrow(p, i, from->data, type, err);
    } else {
        float *copy = arena_floats(&p->memory, from->elements);
        if (copy) tensorfile_widen(copy, from);
        if (copy) params_place(p, i, copy);
    }
    return ERR_OK;
}

static enum err_code place_all(struct params *p, const struct hf_model *m, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t i = 0; i < params_tensors(&p->dims); i++) TRY(place(p, i, m->tensors[i], err));
cleanup:
    return rc;
}

enum err_code hf_weights_place(struct params *out, const struct hf_model *m, struct err *err) {
    enum err_code rc = ERR_OK;
    struct params made = {0};
    TRY(params_borrow(&made, &m->config.dims, err));
    TRY(place_all(&made, m, err));
    TRY(arena_commit(&made.memory, err));
    TRY(place_all(&made, m, err));
    *out = made;
    made = (struct params){0};
cleanup:
    params_destroy(&made);
    return rc;
}

enum err_code hf_weights_allocated(size_t *bytes, const struct hf_model *m, struct err *err) {
    enum err_code rc = ERR_OK;
    struct params measured = {0};
    TRY(params_borrow(&measured, &m->config.dims, err));
    TRY(place_all(&measured, m, err));
    *bytes = measured.memory.used + (measured.tile ? WEIGHT_TILE * sizeof(float) : 0);
cleanup:
    params_destroy(&measured);
    return rc;
}
