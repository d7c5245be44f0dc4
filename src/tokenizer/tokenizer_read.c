#include "tokenizer/tokenizer_read.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"

enum { TOKENIZER_JSON_MOST = 1 << 28 }; /* bytes */

/* ---- tokenizer.json */

/* `truncation` and `padding` would change the ids of a text by its length. */
static enum err_code check_file(struct json root, const char *file, struct err *err) {
    enum err_code rc = ERR_OK;
    static const char *const KEYS[] = {
        "version",       "truncation",     "padding", "added_tokens", "normalizer",
        "pre_tokenizer", "post_processor", "decoder", "model",        NULL};
    const struct component c = {root, file, "tokenizer", "file"};
    const char *version = "1.0";
    TRY(json_expect(root, JSON_KIND_OBJECT, file, err));
    TRY(component_keys(&c, KEYS, err));
    if (!component_is_unset(&c, "version")) TRY(component_text(&version, &c, "version", err));
    CHECK(strcmp(version, "1.0") == 0, ERR_DATA, "%.400s: version '%.40s', not 1.0", file, version);
    CHECK(component_is_unset(&c, "truncation"), ERR_DATA,
          "%.400s: truncation is not supported; set it to null", file);
    CHECK(component_is_unset(&c, "padding"), ERR_DATA,
          "%.400s: padding is not supported; set it to null", file);
cleanup:
    return rc;
}

static enum err_code read_parts(struct tokenizer_parts *p, struct json root, const char *file,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(check_file(root, file, err));
    TRY(normalizer_read(&p->normalizer, json_member(root, "normalizer"), file, err));
    TRY(pre_tokenizer_read(&p->pre_tokenizer, json_member(root, "pre_tokenizer"), file, err));
    TRY(token_decoder_read(&p->decoder, json_member(root, "decoder"), file, err));
    TRY(token_model_read(&p->model, json_member(root, "model"), file, err));
    TRY(added_tokens_read(&p->added, &p->model.vocab, json_member(root, "added_tokens"),
                          &p->normalizer, file, err));
    TRY(token_template_read(&p->special, &p->model.vocab, json_member(root, "post_processor"), file,
                            err));
cleanup:
    return rc;
}

static enum err_code read_json(struct tokenizer_parts *p, const char *file, struct err *err) {
    enum err_code rc = ERR_OK;
    char beside[FILE_PATH_MAX];
    struct text data = {0};
    struct json root = {0};
    TRY(file_read(&data, file, TOKENIZER_JSON_MOST, err));
    TRY(json_parse(&root, text_str(&data), data.size, file, err));
    text_release(&data);
    TRY(read_parts(p, root, file, err));
    TRY(file_resolve(beside, file, "tokenizer_config.json", err));
    TRY(tokenizer_config_read(&p->config, beside, err));
cleanup:
    json_release(&root);
    text_release(&data);
    return rc;
}

/* ---- vocab.json and merges.txt */

/* Only the tokenizers of GPT-2 and its kin are fully described by the two files. */
static enum err_code check_class(const struct tokenizer_config *c, const char *file,
                                 struct err *err) {
    static const char *const KNOWN[] = {"GPT2Tokenizer", "GPT2TokenizerFast", "CodeGenTokenizer",
                                        "CodeGenTokenizerFast"};
    if (!c->tokenizer_class) return ERR_OK;
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
        if (strcmp(c->tokenizer_class, KNOWN[i]) == 0) return ERR_OK;
    return ERR(err, ERR_DATA,
               "%.400s: vocab.json and merges.txt are read as GPT-2's, not as the '%.60s' of "
               "tokenizer_config.json, which needs a tokenizer.json",
               file, c->tokenizer_class);
}

/* The paths of files of a folder. */
struct tokenizer_files {
    char json[FILE_PATH_MAX], vocab[FILE_PATH_MAX], merges[FILE_PATH_MAX], config[FILE_PATH_MAX];
    char model[FILE_PATH_MAX], added[FILE_PATH_MAX];
};

static enum err_code read_gpt2(struct tokenizer_parts *p, const struct tokenizer_files *f,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    CHECK(!file_exists(f->added), ERR_DATA,
          "%.400s: added tokens are read from tokenizer.json only; the transformers library writes "
          "one: AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR)",
          f->added);
    TRY(tokenizer_config_read(&p->config, f->config, err));
    TRY(check_class(&p->config, f->vocab, err));
    TRY(token_model_read_files(&p->model, f->vocab, f->merges, err));
    TRY(pre_tokenizer_gpt2(&p->pre_tokenizer, p->config.add_prefix_space, err));
    token_decoder_byte_level(&p->decoder);
cleanup:
    return rc;
}

static enum err_code join_path(char out[FILE_PATH_MAX], const char *folder, const char *name,
                               struct err *err) {
    const int n = snprintf(out, FILE_PATH_MAX, "%s/%s", folder, name);
    if (n >= FILE_PATH_MAX) return ERR(err, ERR_DATA, "%.200s...: path too long", folder);
    return ERR_OK;
}

static enum err_code name_files(struct tokenizer_files *f, const char *folder, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(join_path(f->json, folder, "tokenizer.json", err));
    TRY(join_path(f->vocab, folder, "vocab.json", err));
    TRY(join_path(f->merges, folder, "merges.txt", err));
    TRY(join_path(f->config, folder, "tokenizer_config.json", err));
    TRY(join_path(f->model, folder, "tokenizer.model", err));
    TRY(join_path(f->added, folder, "added_tokens.json", err));
cleanup:
    return rc;
}

static enum err_code read_folder(struct tokenizer_parts *p, const char *folder, struct err *err) {
    enum err_code rc = ERR_OK;
    struct tokenizer_files f;
    TRY(name_files(&f, folder, err));
    if (file_exists(f.json)) return read_json(p, f.json, err);
    if (file_exists(f.vocab) && file_exists(f.merges)) return read_gpt2(p, &f, err);
    CHECK(!file_exists(f.vocab), ERR_DATA,
          "%.400s: has vocab.json, but neither merges.txt nor "
          "tokenizer.json",
          folder);
    CHECK(!file_exists(f.model), ERR_DATA,
          "%.300s: has only tokenizer.model, which is not read; transformers writes a "
          "tokenizer.json: python3 analysis/to_safetensors.py --tokenizer %.300s",
          folder, folder);
    CHECK(false, ERR_DATA, "%.400s: has no tokenizer.json, and no vocab.json with merges.txt",
          folder);
cleanup:
    return rc;
}

enum err_code tokenizer_read(struct tokenizer_parts *out, const char *path, struct err *err) {
    return file_is_folder(path) ? read_folder(out, path, err) : read_json(out, path, err);
}

void tokenizer_read_release(struct tokenizer_parts *p) {
    token_model_release(&p->model);
    normalizer_release(&p->normalizer);
    added_tokens_release(&p->added);
    pre_tokenizer_release(&p->pre_tokenizer);
    token_template_release(&p->special);
    token_decoder_release(&p->decoder);
    tokenizer_config_release(&p->config);
}
