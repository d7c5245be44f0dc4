#include "stages/planned_file.h"

#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
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

/* What a file holds now, where that may differ from what a job has read. Weights are mapped: they
 * were hashed when they were opened. Tasks and tokenizers are small, and of a folder the times of
 * its files say whether it changed. */
static enum err_code look_again(bool *seen, char now[HASH_HEX], const char *path, struct err *err) {
    *seen = true;
    if (file_is_folder(path)) return content_hash_folder(now, path, err);
    if (text_ends_with(path, ".json")) return hash_file(now, path, err);
    *seen = content_hash_rewritten(now, path);
    return ERR_OK;
}

enum err_code planned_files_recheck(const struct job_ctx *ctx, struct err *err) {
    enum err_code rc = ERR_OK;
    char now[HASH_HEX];
    for (size_t i = 0; i < ctx->n_files; i++) {
        bool seen = false;
        struct err why;
        CHECK(look_again(&seen, now, ctx->files[i].path, &why) == ERR_OK, ERR_DATA, "%s", why.msg);
        if (seen && strcmp(now, ctx->files[i].hash) != 0)
            return other_content(&ctx->files[i], now, err);
    }
cleanup:
    return rc;
}
