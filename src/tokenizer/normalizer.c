#include "tokenizer/normalizer.h"

#include <stdlib.h>
#include <string.h>

static enum err_code copy_option(char **out, const struct component *c, const char *key,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    const char *text = NULL;
    TRY(component_text(&text, c, key, err));
    *out = text_copy(text);
    CHECK(*out, ERR_MEMORY, "no memory for a text of a tokenizer");
cleanup:
    return rc;
}

static enum err_code read_prepend(struct normalizer_step *s, const struct component *c,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    static const char *const KEYS[] = {"prepend", NULL};
    s->kind = NORMALIZER_PREPEND;
    TRY(component_keys(c, KEYS, err));
    TRY(copy_option(&s->content, c, "prepend", err));
cleanup:
    return rc;
}

static enum err_code read_replace(struct normalizer_step *s, const struct component *c,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    static const char *const KEYS[] = {"pattern", "content", NULL};
    s->kind = NORMALIZER_REPLACE;
    TRY(component_keys(c, KEYS, err));
    TRY(component_pattern(&s->pattern, c, err));
    TRY(copy_option(&s->content, c, "content", err));
cleanup:
    return rc;
}

static enum err_code read_step(struct normalizer_step *s, const struct component *c,
                               struct err *err) {
    static const char *const FORMS[] = {"NFC", "NFD", "NFKC", "NFKD"};
    static const char *const NO_KEYS[] = {NULL};
    if (strcmp(c->type, "Prepend") == 0) return read_prepend(s, c, err);
    if (strcmp(c->type, "Replace") == 0) return read_replace(s, c, err);
    for (int i = 0; i < 4; i++) {
        if (strcmp(c->type, FORMS[i]) != 0) continue;
        s->kind = NORMALIZER_FORM;
        s->form = (enum unicode_form)i;
        return component_keys(c, NO_KEYS, err);
    }
    return component_refuse(c, "Sequence, Prepend, Replace, NFC, NFD, NFKC, NFKD", err);
}

enum err_code normalizer_read(struct normalizer *out, struct json value, const char *file,
                              struct err *err) {
    enum err_code rc = ERR_OK;
    struct component_list list;
    TRY(component_list_read(&list, value, file, "normalizer", "normalizers", err));
    for (size_t i = 0; i < list.n; i++) TRY(read_step(&out->steps[out->n++], &list.items[i], err));
cleanup:
    return rc;
}

void normalizer_release(struct normalizer *n) {
    for (size_t i = 0; i < n->n; i++) {
        free(n->steps[i].content);
        token_pattern_free(n->steps[i].pattern);
    }
    *n = (struct normalizer){0};
}

static enum err_code apply_step(struct text *out, const struct normalizer_step *s,
                                const struct text *in, struct err *err) {
    const char *bytes = text_str(in);
    switch (s->kind) {
    case NORMALIZER_PREPEND:
        if (in->size > 0) text_bytes(out, s->content, strlen(s->content));
        text_bytes(out, bytes, in->size);
        return ERR_OK;
    case NORMALIZER_REPLACE:
        return token_pattern_replace(out, s->pattern, s->content, bytes, in->size, err);
    case NORMALIZER_FORM:
        break;
    }
    return unicode_normalize(out, s->form, bytes, in->size, err);
}

enum err_code normalizer_apply(struct text *text, const struct normalizer *n, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text next = {0};
    for (size_t i = 0; i < n->n; i++) {
        text_clear(&next);
        TRY(apply_step(&next, &n->steps[i], text, err));
        const struct text old = *text;
        *text = next;
        next = old;
    }
    TRY(text_check(text, err));
cleanup:
    text_release(&next);
    return rc;
}
