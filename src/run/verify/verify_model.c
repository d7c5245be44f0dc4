#include "run/verify/verify_model.h"

#include <stdio.h>
#include <string.h>

#include "model/model_products.h"

static enum err_code read_dims(struct model_dims *out, const struct fixture *f, struct err *err) {
    enum err_code rc = ERR_OK;
    static const char *const NAMES[] = {"n_layer", "n_head",      "n_embd",
                                        "n_dims",  "n_positions", "layer_norm_epsilon"};
    double value[6];
    for (size_t i = 0; i < 6; i++) {
        TRY(fixture_attribute(&value[i], f, NAMES[i], err));
        CHECK(value[i] > 0 && value[i] < 1e6, ERR_DATA, "%s: attribute %s: %g is out of range",
              fixture_path(f), NAMES[i], value[i]);
    }
    *out = (struct model_dims){.L = (size_t)value[0],
                               .H = (size_t)value[1],
                               .E = (size_t)value[2],
                               .inputs = (size_t)value[3],
                               .positions = (size_t)value[4],
                               .epsilon = (float)value[5]};
    CHECK(value[0] * value[2] * value[2] < 1e13, ERR_DATA, /* far from what overflows a size */
          "%s: %g layers of width %g: layers x width^2 must be below 1e13", fixture_path(f),
          value[0], value[2]);
    CHECK(out->H > 0 && out->E % out->H == 0, ERR_DATA, "%s: n_head %zu does not divide n_embd %zu",
          fixture_path(f), out->H, out->E);
cleanup:
    return rc;
}

enum err_code verify_read_params(struct params *p, const struct fixture *f, const char *group,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    struct fixture_array a = {0};
    struct param_info info;
    char name[160];
    for (size_t i = 0; i < params_tensors(&p->dims); i++) {
        params_at(&info, p, i);
        const size_t n = info.shape[0] * (info.rank == 2 ? info.shape[1] : 1);
        (void)snprintf(name, sizeof name, "%s/%s", group, info.name);
        TRY(fixture_floats(&a, f, name, (int)info.rank, err));
        CHECK(a.n == n && a.shape[0] == info.shape[0], ERR_DATA,
              "%s: %s: expected %zu x %zu numbers, found %zu", fixture_path(f), name, info.shape[0],
              n / info.shape[0], a.n);
        memcpy(info.data, a.floats, n * sizeof(float));
        fixture_array_release(&a);
    }
cleanup:
    fixture_array_release(&a);
    return rc;
}

enum err_code verify_use_arithmetic(struct params *p, const struct verify_report *r, bool trains,
                                    struct err *err) {
    const struct model_arithmetic products = {.arithmetic = r->arithmetic};
    return model_products_use(p, &products, trains, err);
}

enum err_code verify_read_model(struct params *out, const struct fixture *f, struct err *err) {
    enum err_code rc = ERR_OK;
    struct model_dims dims;
    TRY(read_dims(&dims, f, err));
    TRY(params_create(out, &dims, err));
    TRY(verify_read_params(out, f, "weights", err));
cleanup:
    return rc;
}
