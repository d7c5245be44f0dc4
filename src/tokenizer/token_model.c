#include "tokenizer/token_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "tokenizer/component.h"
#include "tokenizer/unicode.h"

enum { VOCAB_JSON_MOST = 1 << 28, MERGES_TXT_MOST = 1 << 28 }; /* bytes */

/* ---- vocabulary and merges */

static enum err_code read_vocab(struct token_vocab *v, struct json value, const char *place,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(json_expect(value, JSON_KIND_OBJECT, place, err));
    TRY(token_vocab_init(v, json_count(value), place, err));
    for (struct json_walk w = {.object = value}; json_next(&w);) {
        int64_t id = 0;
        TRY(json_read_int(&id, w.value, place, err));
        TRY(token_vocab_add(v, w.key, strlen(w.key), id, place, err));
    }
cleanup:
    return rc;
}

/* "LEFT RIGHT" [size]: exactly one space. */
static enum err_code add_merge_line(struct token_model *m, const char *line, size_t size,
                                    const char *place, struct err *err) {
    const char *space = memchr(line, ' ', size);
    const size_t left = space ? (size_t)(space - line) : size;
    char quote[64];
    if (!space || memchr(space + 1, ' ', size - left - 1))
        return ERR(err, ERR_DATA, "%s: the merge %s is not two tokens with one space between",
                   place, token_vocab_quote(quote, line, size));
    return bpe_add_merge(&m->bpe, &m->vocab, line, left, space + 1, size - left - 1, place, err);
}

static bool is_version_line(const char *line, size_t size) {
    return size >= 8 && memcmp(line, "#version", 8) == 0;
}

/* A text, or an array of two texts. */
static enum err_code read_merge(struct token_model *m, struct json value, const char *place,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    const char *left = NULL, *right = NULL;
    if (json_kind(value) == JSON_KIND_TEXT) {
        TRY(json_read_text(&left, value, place, err));
        if (is_version_line(left, strlen(left))) return ERR_OK;
        TRY(add_merge_line(m, left, strlen(left), place, err));
        return ERR_OK;
    }
    CHECK(json_kind(value) == JSON_KIND_ARRAY && json_count(value) == 2, ERR_DATA,
          "%s: expected a text \"LEFT RIGHT\" or an array of two texts", place);
    TRY(json_read_text(&left, json_item(value, 0), place, err));
    TRY(json_read_text(&right, json_item(value, 1), place, err));
    TRY(bpe_add_merge(&m->bpe, &m->vocab, left, strlen(left), right, strlen(right), place, err));
cleanup:
    return rc;
}

static enum err_code read_merges(struct token_model *m, struct json value, const char *file,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    char place[COMPONENT_PLACE];
    const size_t n = json_count(value);
    (void)snprintf(place, sizeof place, "%.400s: model: merges", file);
    TRY(json_expect(value, JSON_KIND_ARRAY, place, err));
    TRY(bpe_init(&m->bpe, &m->vocab, n, err));
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(place, sizeof place, "%.400s: model: merges[%zu]", file, i);
        TRY(read_merge(m, json_item(value, i), place, err));
    }
cleanup:
    return rc;
}

/* ---- options */

static enum err_code refuse_option(const struct component *c, const char *key, struct err *err) {
    char place[COMPONENT_PLACE];
    return ERR(err, ERR_DATA, "%s: the option '%s' is not supported with this value",
               component_place(place, c), key);
}

/* Options that have to be as if they were not there: no dropout, no affixes. */
static enum err_code check_neutral(const struct component *c, struct err *err) {
    enum err_code rc = ERR_OK;
    static const char *const AFFIXES[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    char place[COMPONENT_PLACE];
    double dropout = 0;
    if (!component_is_unset(c, "dropout"))
        TRY(json_read_number(&dropout, json_member(c->object, "dropout"), component_place(place, c),
                             err));
    if (dropout != 0) return refuse_option(c, "dropout", err);
    for (size_t i = 0; i < 2; i++) {
        const char *affix = "";
        if (!component_is_unset(c, AFFIXES[i])) TRY(component_text(&affix, c, AFFIXES[i], err));
        if (*affix) return refuse_option(c, AFFIXES[i], err);
    }
cleanup:
    return rc;
}

static enum err_code read_unk_token(char **out, const struct component *c, struct err *err) {
    enum err_code rc = ERR_OK;
    const char *token = NULL;
    if (component_is_unset(c, "unk_token")) return ERR_OK;
    TRY(component_text(&token, c, "unk_token", err));
    *out = text_copy(token);
    CHECK(*out, ERR_MEMORY, "no memory for a token");
cleanup:
    return rc;
}

static enum err_code read_bpe(struct token_model *m, const struct component *c, struct err *err) {
    enum err_code rc = ERR_OK;
    static const char *const KEYS[] = {"dropout",
                                       "unk_token",
                                       "continuing_subword_prefix",
                                       "end_of_word_suffix",
                                       "fuse_unk",
                                       "byte_fallback",
                                       "ignore_merges",
                                       "vocab",
                                       "merges",
                                       NULL};
    m->kind = TOKEN_MODEL_BPE;
    TRY(component_keys(c, KEYS, err));
    TRY(check_neutral(c, err));
    TRY(read_merges(m, json_member(c->object, "merges"), c->file, err));
    TRY(read_unk_token(&m->bpe.unk_token, c, err));
    TRY(component_bool(&m->bpe.fuse_unk, c, "fuse_unk", err));
    TRY(component_bool(&m->bpe.byte_fallback, c, "byte_fallback", err));
    TRY(component_bool(&m->bpe.ignore_merges, c, "ignore_merges", err));
cleanup:
    return rc;
}

static enum err_code read_word_level(struct token_model *m, const struct component *c,
                                     struct err *err) {
    enum err_code rc = ERR_OK;
    static const char *const KEYS[] = {"unk_token", "vocab", NULL};
    m->kind = TOKEN_MODEL_WORD_LEVEL;
    TRY(component_keys(c, KEYS, err));
    TRY(read_unk_token(&m->unk_token, c, err));
cleanup:
    return rc;
}

enum err_code token_model_read(struct token_model *out, struct json value, const char *file,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    char place[COMPONENT_PLACE];
    struct component c = {value, file, "model", "BPE"}; /* the type of files that lack it */
    (void)snprintf(place, sizeof place, "%.400s: model", file);
    TRY(json_expect(value, JSON_KIND_OBJECT, place, err));
    if (!component_is_unset(&c, "type")) TRY(component_text(&c.type, &c, "type", err));
    const bool bpe = strcmp(c.type, "BPE") == 0;
    if (!bpe && strcmp(c.type, "WordLevel") != 0) TRY(component_refuse(&c, "BPE, WordLevel", err));
    (void)snprintf(place, sizeof place, "%.400s: model: vocab", file);
    TRY(read_vocab(&out->vocab, json_member(value, "vocab"), place, err));
    TRY((bpe ? read_bpe : read_word_level)(out, &c, err));
cleanup:
    return rc;
}

/* ---- vocab.json and merges.txt */

static size_t count_lines(const struct text *t) {
    size_t n = 1;
    for (size_t i = 0; i < t->size; i++) n += t->data[i] == '\n';
    return n;
}

static enum err_code read_merge_lines(struct token_model *m, const struct text *t, const char *file,
                                      struct err *err) {
    enum err_code rc = ERR_OK;
    char place[COMPONENT_PLACE];
    size_t line = 1;
    TRY(bpe_init(&m->bpe, &m->vocab, count_lines(t), err));
    for (size_t at = 0, next; at < t->size; at = next, line++) {
        const char *start = t->data + at, *end = memchr(start, '\n', t->size - at);
        size_t size = end ? (size_t)(end - start) : t->size - at;
        next = at + size + 1;
        size -= size > 0 && start[size - 1] == '\r';
        if (is_version_line(start, size)) continue;
        (void)snprintf(place, sizeof place, "%.400s:%zu", file, line);
        TRY(add_merge_line(m, start, size, place, err));
    }
cleanup:
    return rc;
}

enum err_code token_model_read_files(struct token_model *out, const char *vocab_json,
                                     const char *merges_txt, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text vocab = {0}, merges = {0};
    struct json root = {0};
    out->kind = TOKEN_MODEL_BPE;
    TRY(file_read(&vocab, vocab_json, VOCAB_JSON_MOST, err));
    TRY(json_parse(&root, text_str(&vocab), vocab.size, vocab_json, err));
    TRY(read_vocab(&out->vocab, root, vocab_json, err));
    TRY(file_read(&merges, merges_txt, MERGES_TXT_MOST, err));
    const size_t bad = unicode_check(text_str(&merges), merges.size);
    CHECK(bad == merges.size, ERR_DATA, "%s: byte %zu is not UTF-8", merges_txt, bad);
    TRY(read_merge_lines(out, &merges, merges_txt, err));
cleanup:
    json_release(&root);
    text_release(&vocab);
    text_release(&merges);
    return rc;
}

void token_model_release(struct token_model *m) {
    token_vocab_release(&m->vocab);
    bpe_release(&m->bpe);
    free(m->unk_token);
    *m = (struct token_model){0};
}

/* ---- encoding */

static int32_t find_token(const struct token_model *m, const char *token) {
    return token ? token_vocab_find_own(&m->vocab, token, strlen(token)) : -1;
}

int32_t token_model_unknown(const struct token_model *m) {
    return find_token(m, m->kind == TOKEN_MODEL_WORD_LEVEL ? m->unk_token : m->bpe.unk_token);
}

static enum err_code encode_word(struct token_ids *out, const struct token_model *m,
                                 const char *word, size_t size, struct err *err) {
    char quote[64];
    int32_t id = token_vocab_find_own(&m->vocab, word, size);
    if (id < 0) id = find_token(m, m->unk_token);
    if (id < 0)
        return ERR(
            err, ERR_DATA,
            "the word %s is not in the vocabulary, which has no unk_token either: leave the text "
            "out, or take another tokenizer",
            token_vocab_quote(quote, word, size));
    token_ids_add(out, id);
    return ERR_OK;
}

enum err_code token_model_encode(struct token_ids *out, const struct token_model *m,
                                 struct bpe_scratch *scratch, const char *word, size_t size,
                                 struct err *err) {
    if (m->kind == TOKEN_MODEL_WORD_LEVEL) return encode_word(out, m, word, size, err);
    return bpe_encode(out, &m->bpe, &m->vocab, scratch, word, size, err);
}
