#include "stages/folder_model.h"

#include <stdlib.h>
#include <string.h>

#include "model/hf/hf_weights.h"
#include "tensorfile/content_hash.h"

enum err_code folder_model_plan(struct job_model *out, const char *folder, struct err *err) {
    enum err_code rc = ERR_OK;
    struct hf_model m = {0};
    TRY(hf_model_open(&m, folder, err));
    TRY(hf_model_check_finite(&m, err));
    *out = (struct job_model){.dims = m.config.dims, .mapped = hf_model_bytes(&m)};
    TRY(hf_weights_allocated(&out->bytes, &m, err));
cleanup:
    hf_model_close(&m);
    return rc;
}

static void close_folder(void *lender) {
    hf_model_close(lender);
    free(lender);
}

const char *folder_model_hash(const struct job_ctx *ctx, const char *folder) {
    for (size_t i = 0; i < ctx->n_files; i++)
        if (strcmp(ctx->files[i].path, folder) == 0) return ctx->files[i].hash;
    return "";
}

static enum err_code check_content(const struct job_ctx *ctx, const char *folder, struct err *err) {
    enum err_code rc = ERR_OK;
    char found[HASH_HEX];
    const char *planned = folder_model_hash(ctx, folder);
    if (*planned == '\0') return ERR_OK;
    TRY(content_hash_folder(found, folder, err));
    CHECK(strcmp(found, planned) == 0, ERR_DATA,
          "%.300s: other content than when the run was planned: restore its files and use run "
          "--retry-failed, or run again to use the new content",
          folder);
cleanup:
    return rc;
}

enum err_code folder_model_open(struct model *out, const struct job_ctx *ctx, const char *folder,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    struct hf_model *m = calloc(1, sizeof *m);
    *out = (struct model){.lender = m, .lender_close = close_folder};
    CHECK(m, ERR_MEMORY, "no memory for a model");
    TRY(hf_model_open(m, folder, err));
    TRY(hf_weights_place(&out->params, m, err));
    TRY(check_content(ctx, folder, err));
cleanup:
    if (rc != ERR_OK) model_close(out);
    return rc;
}
