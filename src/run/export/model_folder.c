#include "run/export/model_folder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/plan/identity.h"
#include "stages/pretrain_run.h"
#include "tensorfile/half.h"

enum { TOKENIZER_MOST = 64 << 20 }; /* bytes of a file */

static void folder_file(char out[FILE_PATH_MAX], const char *folder, const char *name) {
    (void)snprintf(out, FILE_PATH_MAX, "%.3800s/%s", folder, name);
}

static enum err_code copy_file(const char *folder, const char *name, const char *from,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    char to[FILE_PATH_MAX];
    struct text text = {0};
    folder_file(to, folder, name);
    TRY(file_read(&text, from, TOKENIZER_MOST, err));
    TRY(file_replace(to, text.data, text.size, err));
cleanup:
    text_release(&text);
    return rc;
}

/* ---- the tokenizer */

static enum err_code check_tokenizer(const struct run_state *r, const char *path, struct err *err) {
    char now[HASH_HEX];
    const char *was = identity_files_find(r->plan.files, path);
    if (was && hash_path(now, path, NULL) == ERR_OK && strcmp(was, now) == 0) return ERR_OK;
    return ERR(err, ERR_DATA,
               "%s: the tokenizer that the model was trained with is gone or has changed: put it "
               "back",
               path);
}

/* Of a folder those files that it has; a file alone is a tokenizer.json. */
static enum err_code copy_tokenizer(const char *folder, const char *path, struct err *err) {
    static const char *const NAMES[] = {"tokenizer.json", "tokenizer_config.json", "vocab.json",
                                        "merges.txt", "special_tokens_map.json"};
    enum err_code rc = ERR_OK;
    char from[FILE_PATH_MAX];
    if (!file_is_folder(path)) return copy_file(folder, "tokenizer.json", path, err);
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        folder_file(from, path, NAMES[i]);
        if (file_exists(from)) TRY(copy_file(folder, NAMES[i], from, err));
    }
cleanup:
    return rc;
}

/* ---- weights */

static enum err_code narrow_tensor(uint16_t *out, float *floats, const struct tensor_info *t,
                                   struct err *err) {
    tensorfile_widen(floats, t);
    for (size_t i = 0; i < t->elements; i++) {
        if (!(fabsf(floats[i]) < 65520.0f))
            return ERR(err, ERR_DATA, "tensor \"%s\": %g is beyond the range of F16", t->name,
                       (double)floats[i]);
        out[i] = half_narrow(floats[i]);
    }
    return ERR_OK;
}

/* out: room for all tensors one after the other; floats: for the largest. */
static enum err_code add_tensors(struct tensor_writer *w, const struct tensorfile *file,
                                 uint16_t *out, float *floats, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(tensor_writer_note(w, "format", "pt", err)); /* transformers asks for it */
    for (size_t i = 0; i < tensorfile_count(file); i++) {
        const struct tensor_info *t = tensorfile_at(file, i);
        TRY(narrow_tensor(out, floats, t, err));
        TRY(tensor_writer_add_halves(w, t->name, t->rank, t->shape, out, err));
        out += t->elements;
    }
cleanup:
    return rc;
}

static enum err_code write_weights(const char *folder, const struct tensorfile *file,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    struct tensor_writer *w = NULL;
    char path[FILE_PATH_MAX];
    size_t all = 0, most = 0;
    for (size_t i = 0; i < tensorfile_count(file); i++) {
        const size_t n = tensorfile_at(file, i)->elements;
        all += n;
        if (n > most) most = n;
    }
    uint16_t *halves = calloc(all + 1, sizeof *halves);
    float *floats = calloc(most + 1, sizeof *floats);
    CHECK(halves && floats, ERR_MEMORY, "no memory for %zu weights", all);
    folder_file(path, folder, "model.safetensors");
    TRY(tensor_writer_create(&w, err));
    TRY(add_tensors(w, file, halves, floats, err));
    TRY(tensor_writer_save(w, path, err));
cleanup:
    tensor_writer_destroy(w);
    free(halves);
    free(floats);
    return rc;
}

/* ---- the folder */

/* The tokenizer and the config.json of the model, or the reason why there is none. */
static enum err_code check_model(const char **tokenizer, const char **config,
                                 const struct run_state *r, const struct artifact_of *a,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    *config = tensorfile_note(a->file, PRETRAIN_CONFIG_NOTE);
    CHECK(*config, ERR_DATA,
          "%s is no language model: a folder is made of a pretrain job with source.kind = \"text\"",
          a->label);
    CHECK(a->found.job != PLAN_NONE, ERR_DATA,
          "%s is no longer planned, so its tokenizer is not known: use the config that made it",
          a->found.identity);
    *tokenizer = config_text(r->plan.jobs[a->found.job].point, "source.tokenizer");
    TRY(check_tokenizer(r, *tokenizer, err));
cleanup:
    return rc;
}

enum err_code model_folder_write(struct text *out, const char *folder, const struct run_state *r,
                                 const struct artifact_of *a, struct err *err) {
    enum err_code rc = ERR_OK;
    const char *tokenizer = NULL, *config = NULL;
    char path[FILE_PATH_MAX];
    TRY(check_model(&tokenizer, &config, r, a, err));
    folder_file(path, folder, "config.json");
    CHECK(!file_exists(path), ERR_DATA, "%s: exists already: choose another folder", path);
    TRY(file_make_folder(folder, err));
    TRY(copy_tokenizer(folder, tokenizer, err));
    TRY(write_weights(folder, a->file, err));
    TRY(file_replace(path, config, strlen(config), err));
    text_add(out, "%s: %s as a Hugging Face folder, %zu tensors in F16\n", folder, a->label,
             tensorfile_count(a->file));
cleanup:
    return rc;
}
