#include "stages/fit_initial_weights.h"

#include <stdlib.h>
#include <string.h>

#include "stages/planned_file.h"
#include "tensorfile/tensorfile.h"

static const char *file_of(const struct config_point *point) {
    const char *path = config_has(point, "weights") ? config_text(point, "weights") : "";
    return *path ? path : NULL;
}

static enum err_code open_weights(struct tensorfile **out, const char *path,
                                  const struct method_setup *setup, struct err *err) {
    enum err_code rc = ERR_OK;
    struct tensorfile *file = NULL;
    size_t shape[2];
    CHECK(method_learns(setup->method), ERR_CONFIG,
          "%s is derived and has no initial weights: leave the key out", setup->method->name);
    TRY(tensorfile_open(&file, path, err));
    const char *method = tensorfile_note(file, "method");
    CHECK(!method || strcmp(method, setup->method->name) == 0, ERR_DATA,
          "%s: holds weights of the method %s, not of %s", path, method, setup->method->name);
    const struct tensor_info *found = tensorfile_find(file, "weights");
    CHECK(found, ERR_DATA, "%s: no tensor named \"weights\"", path);
    setup->method->derivation.weights_shape(shape, setup);
    CHECK(found->rank == 2 && memcmp(found->shape, shape, sizeof shape) == 0, ERR_DATA,
          "%s: tensor \"weights\" has %zu numbers, expected [%zu, %zu] for %s on this model", path,
          found->elements, shape[0], shape[1], setup->method->name);
    *out = file;
    file = NULL;
cleanup:
    tensorfile_close(file);
    return rc;
}

enum err_code fit_initial_weights_check(const struct config_point *point,
                                        const struct method_setup *setup, struct err *err) {
    struct tensorfile *file = NULL;
    struct err why = {0};
    const char *path = file_of(point);
    enum err_code rc = path ? open_weights(&file, path, setup, &why) : ERR_OK;
    tensorfile_close(file);
    if (rc == ERR_OK) return ERR_OK;
    return config_error(err, point, "weights", "%s", why.msg);
}

enum err_code fit_initial_weights(float *w, const struct job_ctx *ctx,
                                  const struct method_setup *setup, const struct rng *stream,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    struct tensorfile *file = NULL;
    size_t shape[2];
    const char *path = file_of(ctx->point);
    if (!path) {
        setup->method->derivation.init(w, setup, stream);
        return ERR_OK;
    }
    TRY(open_weights(&file, path, setup, err));
    setup->method->derivation.weights_shape(shape, setup);
    TRY(tensorfile_floats(w, file, "weights", 2, shape, err));
    TRY(planned_file_check(ctx, path, file, err));
cleanup:
    tensorfile_close(file);
    return rc;
}
