#include "tokenizer/tokenizer_config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "tokenizer/component.h"

enum { TOKENIZER_CONFIG_MOST = 1 << 24 }; /* bytes */

static enum err_code copy_text(char **out, const struct component *c, const char *key,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    const char *text = NULL;
    if (component_is_unset(c, key)) return ERR_OK;
    TRY(component_text(&text, c, key, err));
    *out = text_copy(text);
    CHECK(*out, ERR_MEMORY, "no memory for a text of a tokenizer");
cleanup:
    return rc;
}

/* A text, or an object with the text as `content`. */
static enum err_code read_bos(struct tokenizer_config *out, const struct component *c,
                              struct err *err) {
    struct component token = *c;
    token.object = json_member(c->object, "bos_token");
    if (json_kind(token.object) == JSON_KIND_OBJECT)
        return copy_text(&out->bos_token, &token, "content", err);
    return copy_text(&out->bos_token, c, "bos_token", err);
}

static enum err_code read_keys(struct tokenizer_config *out, const struct component *c,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    bool bos = false, eos = false;
    TRY(component_bool(&bos, c, "add_bos_token", err));
    TRY(component_bool(&eos, c, "add_eos_token", err));
    TRY(component_bool(&out->add_prefix_space, c, "add_prefix_space", err));
    if (!component_is_unset(c, "add_bos_token"))
        out->add_bos_token = bos ? CONFIG_TRUE : CONFIG_FALSE;
    if (!component_is_unset(c, "add_eos_token"))
        out->add_eos_token = eos ? CONFIG_TRUE : CONFIG_FALSE;
    TRY(copy_text(&out->tokenizer_class, c, "tokenizer_class", err));
    TRY(read_bos(out, c, err));
cleanup:
    return rc;
}

enum err_code tokenizer_config_read(struct tokenizer_config *out, const char *path,
                                    struct err *err) {
    enum err_code rc = ERR_OK;
    struct text data = {0};
    struct json root = {0};
    if (!file_exists(path)) return ERR_OK;
    TRY(file_read(&data, path, TOKENIZER_CONFIG_MOST, err));
    TRY(json_parse(&root, text_str(&data), data.size, path, err));
    TRY(json_expect(root, JSON_KIND_OBJECT, path, err));
    const struct component c = {root, path, "tokenizer", "config"};
    TRY(read_keys(out, &c, err));
cleanup:
    json_release(&root);
    text_release(&data);
    return rc;
}

void tokenizer_config_release(struct tokenizer_config *c) {
    free(c->bos_token);
    free(c->tokenizer_class);
    *c = (struct tokenizer_config){0};
}
