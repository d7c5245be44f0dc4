#include "tokenizer/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "tokenizer/tokenizer_read.h"
#include "tokenizer/unicode.h"

struct tokenizer {
    struct tokenizer_parts parts;
};

/* Texts of the files stand in messages: a line break must not break these. */
static enum err_code in_one_line(enum err_code rc, struct err *err) {
    if (rc == ERR_OK || !err) return rc;
    for (char *at = err->msg; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f) *at = '?';
    return rc;
}

enum err_code tokenizer_open(struct tokenizer **out, const char *path, struct err *err) {
    struct tokenizer *t = calloc(1, sizeof *t);
    if (!t) return ERR(err, ERR_MEMORY, "no memory for a tokenizer");
    const enum err_code rc = in_one_line(tokenizer_read(&t->parts, path, err), err);
    if (rc == ERR_OK)
        *out = t;
    else
        tokenizer_close(t);
    return rc;
}

void tokenizer_close(struct tokenizer *t) {
    if (!t) return;
    tokenizer_read_release(&t->parts);
    free(t);
}

size_t tokenizer_count(const struct tokenizer *t) { return t->parts.model.vocab.n; }

struct token_text tokenizer_token(const struct tokenizer *t, int32_t id) {
    return token_vocab_at(&t->parts.model.vocab, id);
}

int32_t tokenizer_find(const struct tokenizer *t, const char *token) {
    return token_vocab_find(&t->parts.model.vocab, token, strlen(token));
}

int32_t tokenizer_unknown(const struct tokenizer *t) {
    return token_model_unknown(&t->parts.model);
}

/* ---- encoding */

struct tokenizer_work { /* of one text */
    struct pieces now, next;
    struct text text;
    struct bpe_scratch bpe;
};

static void release_work(struct tokenizer_work *w) {
    pieces_release(&w->now);
    pieces_release(&w->next);
    text_release(&w->text);
    bpe_scratch_release(&w->bpe);
}

static enum err_code turn_pieces(struct tokenizer_work *w, struct err *err) {
    const struct pieces old = w->now;
    w->now = w->next;
    w->next = old;
    pieces_clear(&w->next);
    return pieces_check(&w->now, err);
}

/* Cuts the text at added tokens. */
static enum err_code cut_added(struct tokenizer_work *w, const struct added_matcher *m,
                               struct err *err) {
    if (m->n == 0) return ERR_OK;
    for (size_t i = 0; i < w->now.n; i++) {
        if (w->now.list[i].id >= 0)
            pieces_add(&w->next, "", 0, w->now.list[i].id, false);
        else
            added_tokens_split(&w->next, &w->now, i, m);
    }
    return turn_pieces(w, err);
}

static enum err_code normalize_pieces(struct tokenizer_work *w, const struct normalizer *n,
                                      struct err *err) {
    enum err_code rc = ERR_OK;
    if (n->n == 0) return ERR_OK;
    for (size_t i = 0; i < w->now.n; i++) {
        const struct piece *p = &w->now.list[i];
        text_clear(&w->text);
        text_bytes(&w->text, pieces_bytes(&w->now, i), p->size);
        if (p->id < 0) TRY(normalizer_apply(&w->text, n, err));
        pieces_add(&w->next, text_str(&w->text), w->text.size, p->id, p->first);
    }
    TRY(turn_pieces(w, err));
cleanup:
    return rc;
}

static enum err_code encode_pieces(struct token_ids *out, const struct tokenizer_parts *p,
                                   struct tokenizer_work *w, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t i = 0; i < w->now.n; i++) {
        const struct piece *piece = &w->now.list[i];
        if (piece->id >= 0)
            token_ids_add(out, piece->id);
        else
            TRY(token_model_encode(out, &p->model, &w->bpe, pieces_bytes(&w->now, i), piece->size,
                                   err));
    }
cleanup:
    return rc;
}

static void add_all(struct token_ids *out, const struct token_ids *ids) {
    for (size_t i = 0; i < ids->n; i++) token_ids_add(out, ids->ids[i]);
}

static enum err_code check_text(const char *text, size_t size, struct err *err) {
    const size_t most = (size_t)1 << 30; /* byte-level characters double it, positions are int32 */
    if (size >= most) return ERR(err, ERR_DATA, "a text of %zu bytes; at most %zu", size, most - 1);
    const size_t bad = unicode_check(text, size);
    if (bad == size) return ERR_OK;
    return ERR(err, ERR_DATA, "byte %zu of the text (0x%02x) is not UTF-8; convert it first", bad,
               (unsigned char)text[bad]);
}

enum err_code tokenizer_encode(struct token_ids *out, const struct tokenizer *t, const char *text,
                               size_t size, bool special, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct tokenizer_parts *p = &t->parts;
    struct tokenizer_work w = {.bpe = {0}};
    TRY(check_text(text, size, err));
    if (special) add_all(out, &p->special.before);
    pieces_add(&w.now, text, size, -1, true);
    TRY(cut_added(&w, &p->added.before, err));
    TRY(normalize_pieces(&w, &p->normalizer, err));
    TRY(cut_added(&w, &p->added.after, err));
    TRY(pre_tokenizer_apply(&w.now, &w.next, &p->pre_tokenizer, err));
    TRY(encode_pieces(out, p, &w, err));
    if (special) add_all(out, &p->special.after);
    TRY(token_ids_check(out, err));
cleanup:
    release_work(&w);
    return in_one_line(rc, err);
}

/* ---- prompts */

static enum err_code named_bos(int32_t *out, const struct tokenizer *t, const char *token,
                               const char *source, struct err *err) {
    *out = tokenizer_find(t, token);
    if (*out >= 0) return ERR_OK;
    return ERR(err, ERR_DATA, "%s: the vocabulary of %zu tokens has no token '%.60s'", source,
               tokenizer_count(t), token);
}

static enum err_code automatic_bos(int32_t *out, const struct tokenizer *t, struct err *err) {
    const struct tokenizer_config *c = &t->parts.config;
    const struct token_template *s = &t->parts.special;
    *out = -1;
    if (c->add_eos_token == CONFIG_TRUE)
        return ERR(err, ERR_DATA,
                   "bos = \"auto\": add_eos_token of tokenizer_config.json would end "
                   "every prompt; set bos to \"none\" or to a token");
    if (c->add_bos_token == CONFIG_FALSE) return ERR_OK;
    if (c->add_bos_token == CONFIG_TRUE && c->bos_token)
        return named_bos(out, t, c->bos_token, "bos_token of tokenizer_config.json", err);
    if (s->after.n > 0 || s->before.n > 1)
        return ERR(
            err, ERR_DATA,
            "bos = \"auto\": the post-processor puts %zu tokens before a text and %zu behind "
            "it, not just one before it; set bos to \"none\" or to a token",
            s->before.n, s->after.n);
    if (s->before.n == 1) *out = s->before.ids[0];
    if (*out < 0 && c->add_bos_token == CONFIG_TRUE)
        return ERR(err, ERR_DATA,
                   "bos = \"auto\": tokenizer_config.json has add_bos_token = true, "
                   "but no bos_token; set bos to a token");
    return ERR_OK;
}

enum err_code tokenizer_bos(int32_t *out, const struct tokenizer *t, const char *setting,
                            struct err *err) {
    if (strcmp(setting, "auto") == 0) return in_one_line(automatic_bos(out, t, err), err);
    if (strcmp(setting, "none") != 0)
        return in_one_line(named_bos(out, t, setting, "bos", err), err);
    *out = -1;
    return ERR_OK;
}

static void put_first(struct token_ids *ids, size_t start, int32_t id) {
    token_ids_add(ids, id);
    if (ids->failed) return;
    memmove(ids->ids + start + 1, ids->ids + start, (ids->n - 1 - start) * sizeof *ids->ids);
    ids->ids[start] = id;
}

enum err_code tokenizer_encode_prompt(struct token_ids *out, const struct tokenizer *t, int32_t bos,
                                      const char *text, size_t size, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t start = out->n;
    TRY(tokenizer_encode(out, t, text, size, false, err));
    if (bos < 0 || (out->n > start && out->ids[start] == bos)) return ERR_OK;
    const struct token_text spelled = tokenizer_token(t, bos);
    /* Where it is no added token, its spelling was cut like any other text. */
    if (size >= spelled.size && spelled.size > 0 && memcmp(text, spelled.data, spelled.size) == 0) {
        out->n = start;
        TRY(tokenizer_encode(out, t, text + spelled.size, size - spelled.size, false, err));
    }
    put_first(out, start, bos);
    TRY(token_ids_check(out, err));
cleanup:
    return rc;
}

/* ---- decoding */

/* The reference library decodes an added token to what it searches the text for. */
static struct token_text text_of(const struct tokenizer *t, int32_t id) {
    const struct added_token *added = added_tokens_at(&t->parts.added, id);
    if (added) return (struct token_text){added->pattern.data, added->pattern.size};
    return tokenizer_token(t, id);
}

enum err_code tokenizer_decode(struct text *out, const struct tokenizer *t, const int32_t *ids,
                               size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    struct pieces tokens = {0};
    for (size_t i = 0; i < n; i++) {
        CHECK(ids[i] >= 0 && (size_t)ids[i] < tokenizer_count(t), ERR_DATA,
              "id %d at position %zu: the vocabulary has the ids 0 to %zu", ids[i], i,
              tokenizer_count(t) - 1);
        const struct token_text token = text_of(t, ids[i]);
        pieces_add(&tokens, token.data, token.size, 0, false);
    }
    TRY(pieces_check(&tokens, err));
    TRY(token_decoder_apply(out, &t->parts.decoder, &tokens, err));
cleanup:
    pieces_release(&tokens);
    return rc;
}

void tokenizer_libraries(struct text *out) {
    token_pattern_library(out);
    text_add(out, ", ");
    unicode_library(out);
}
