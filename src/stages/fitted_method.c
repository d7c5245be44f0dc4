#include "stages/fitted_method.h"

#include <stdlib.h>
#include <string.h>

#include "tensorfile/tensorfile.h"

static enum err_code read_weights(struct fitted_method *f, const struct tensorfile *file,
                                  struct err *err) {
    const size_t n = method_weights(&f->setup);
    size_t shape[2];
    if (n == 0) return ERR_OK;
    f->setup.method->derivation.weights_shape(shape, &f->setup);
    f->w = calloc(n, sizeof *f->w);
    if (!f->w) return ERR(err, ERR_MEMORY, "no memory for %zu weights", n);
    return tensorfile_floats(f->w, file, "weights", 2, shape, err);
}

static enum err_code read_choice(struct fitted_method *f, const struct tensorfile *file,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t one = 1, choices = method_choices(&f->setup);
    float choice = 0;
    TRY(tensorfile_floats(&choice, file, "choice", 1, &one, err));
    CHECK(choice >= 0 && choice < (float)choices, ERR_DATA, "%s: choice %g of %zu",
          tensorfile_path(file), (double)choice, choices);
    f->setup.choice = (size_t)choice;
cleanup:
    return rc;
}

static enum err_code read_mean(struct fitted_method *f, const struct tensorfile *file,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &f->setup.params->dims;
    TRY(basis_set_create(&f->mean, d, method_basis(&f->setup), 1, err));
    for (enum basis_part p = 0; p < BASIS_PARTS; p++) {
        const size_t shape[2] = {basis_blocks(p, d), basis_width(p, d)};
        if (f->mean.part[p])
            TRY(tensorfile_floats(f->mean.part[p], file, BASIS_NAMES[p], 2, shape, err));
    }
cleanup:
    return rc;
}

bool fitted_method_is_mean(const struct config_point *fit) {
    return config_has(fit, "basis") && strcmp(config_text(fit, "basis"), "mean") == 0;
}

void fitted_method_planned(struct method_setup *out, const struct config_point *fit,
                           const char *control, const struct params *params) {
    if (fit)
        method_setup_read(out, fit, params);
    else
        method_setup_named(out, control ? control : "plain", params);
}

enum err_code fitted_method_open(struct fitted_method *f, const struct config_point *point,
                                 const char *artifact, const struct params *params,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    struct tensorfile *file = NULL;
    const bool mean = fitted_method_is_mean(point);
    *f = (struct fitted_method){0};
    method_setup_read(&f->setup, point, params);
    f->has_mean = mean && method_basis(&f->setup);
    f->own_basis = !mean && method_basis(&f->setup);
    TRY(tensorfile_open(&file, artifact, err));
    TRY(read_weights(f, file, err));
    TRY(read_choice(f, file, err));
    if (f->has_mean) TRY(read_mean(f, file, err));
cleanup:
    tensorfile_close(file);
    if (rc != ERR_OK) fitted_method_close(f);
    return rc;
}

void fitted_method_close(struct fitted_method *f) {
    free(f->w);
    f->w = NULL;
    basis_set_destroy(&f->mean);
}
