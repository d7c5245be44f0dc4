#include "stages/planned_file.h"

#include <string.h>

#include "tensorfile/content_hash.h"

static enum err_code other_content(const struct job_file *file, const char *found,
                                   struct err *err) {
    return ERR(err, ERR_DATA,
               "%s: other content than when the run was planned: SHA-256 was %s, is %s: restore "
               "the file and use run --retry-failed, or run again to use the new content",
               file->path, file->hash, found);
}

enum err_code planned_file_check(const struct job_ctx *ctx, const char *path,
                                 const struct tensorfile *f, struct err *err) {
    char found[HASH_HEX];
    for (size_t i = 0; i < ctx->n_files; i++) {
        if (strcmp(ctx->files[i].path, path) != 0) continue;
        content_hash(found, f);
        return strcmp(found, ctx->files[i].hash) == 0 ? ERR_OK
                                                      : other_content(&ctx->files[i], found, err);
    }
    return ERR_OK;
}

enum err_code planned_files_recheck(const struct job_ctx *ctx, struct err *err) {
    char found[HASH_HEX];
    for (size_t i = 0; i < ctx->n_files; i++)
        if (content_hash_rewritten(found, ctx->files[i].path) &&
            strcmp(found, ctx->files[i].hash) != 0)
            return other_content(&ctx->files[i], found, err);
    return ERR_OK;
}
