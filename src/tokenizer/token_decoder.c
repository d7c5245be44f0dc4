#include "tokenizer/token_decoder.h"

#include <stdlib.h>
#include <string.h>

#include "tokenizer/byte_level.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/unicode.h"

/* ---- reading */

static enum err_code read_metaspace_decoder(struct token_decoder_step *s, const struct component *c,
                                            struct err *err) {
    enum err_code rc = ERR_OK;
    int scheme;
    TRY(component_character(s->character, c, "replacement", err));
    TRY(pre_tokenizer_read_scheme(&scheme, c, err));
    s->drop_in_first = scheme != PRE_TOKENIZER_NEVER;
cleanup:
    return rc;
}

static enum err_code read_strip(struct token_decoder_step *s, const struct component *c,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(component_character(s->character, c, "content", err));
    TRY(component_count(&s->strip_start, c, "start", err));
    TRY(component_count(&s->strip_stop, c, "stop", err));
cleanup:
    return rc;
}

static enum err_code read_replace_decoder(struct token_decoder_step *s, const struct component *c,
                                          struct err *err) {
    enum err_code rc = ERR_OK;
    const char *content = NULL;
    TRY(component_pattern(&s->pattern, c, err));
    TRY(component_text(&content, c, "content", err));
    s->content = text_copy(content);
    CHECK(s->content, ERR_MEMORY, "no memory for a text of a tokenizer");
cleanup:
    return rc;
}

static enum err_code read_nothing(struct token_decoder_step *s, const struct component *c,
                                  struct err *err) {
    (void)s, (void)c, (void)err;
    return ERR_OK;
}

static enum err_code read_byte_level_decoder(struct token_decoder_step *s,
                                             const struct component *c, struct err *err) {
    enum err_code rc = ERR_OK;
    bool unused = false; /* its options change nothing in decoding */
    (void)s;
    TRY(component_bool(&unused, c, "add_prefix_space", err));
    TRY(component_bool(&unused, c, "trim_offsets", err));
    TRY(component_bool(&unused, c, "use_regex", err));
cleanup:
    return rc;
}

static const struct decoder_type {
    const char *name;
    const char *keys[6];
    enum err_code (*read)(struct token_decoder_step *s, const struct component *c, struct err *err);
} DECODERS[] = {
    [DECODER_BYTE_LEVEL] = {"ByteLevel",
                            {"add_prefix_space", "trim_offsets", "use_regex"},
                            read_byte_level_decoder},
    [DECODER_BYTE_FALLBACK] = {"ByteFallback", {NULL}, read_nothing},
    [DECODER_FUSE] = {"Fuse", {NULL}, read_nothing},
    [DECODER_REPLACE] = {"Replace", {"pattern", "content"}, read_replace_decoder},
    [DECODER_STRIP] = {"Strip", {"content", "start", "stop"}, read_strip},
    [DECODER_METASPACE] = {"Metaspace",
                           {"replacement", "prepend_scheme", "add_prefix_space", "split",
                            "str_rep"},
                           read_metaspace_decoder},
};
enum { N_DECODERS = sizeof DECODERS / sizeof *DECODERS };

static enum err_code read_decoder_step(struct token_decoder_step *s, const struct component *c,
                                       struct err *err) {
    enum err_code rc = ERR_OK;
    for (int i = 0; i < N_DECODERS; i++) {
        if (strcmp(c->type, DECODERS[i].name) != 0) continue;
        s->kind = (enum token_decoder_kind)i;
        TRY(component_keys(c, DECODERS[i].keys, err));
        return DECODERS[i].read(s, c, err);
    }
    rc = component_refuse(c, "Sequence, ByteLevel, ByteFallback, Fuse, Replace, Strip, Metaspace",
                          err);
cleanup:
    return rc;
}

enum err_code token_decoder_read(struct token_decoder *out, struct json value, const char *file,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    struct component_list list;
    TRY(component_list_read(&list, value, file, "decoder", "decoders", err));
    for (size_t i = 0; i < list.n; i++)
        TRY(read_decoder_step(&out->steps[out->n++], &list.items[i], err));
cleanup:
    return rc;
}

void token_decoder_byte_level(struct token_decoder *out) {
    out->n = 1;
    out->steps[0].kind = DECODER_BYTE_LEVEL;
}

void token_decoder_release(struct token_decoder *d) {
    for (size_t i = 0; i < d->n; i++) {
        token_pattern_free(d->steps[i].pattern);
        free(d->steps[i].content);
    }
    *d = (struct token_decoder){0};
}

/* ---- application: each step reads one list of tokens and writes another. A token may be empty:
 * each piece has the id 0, so that it is kept. */

static void keep_token(struct pieces *out, const char *bytes, size_t size) {
    pieces_add(out, bytes, size, 0, false);
}

static void decode_byte_level(struct pieces *out, const struct pieces *in) {
    struct text bytes = {0}, text = {0};
    for (size_t i = 0; i < in->n; i++)
        byte_level_add_bytes(&bytes, pieces_bytes(in, i), in->list[i].size);
    unicode_add_lossy(&text, text_str(&bytes), bytes.size);
    keep_token(out, text_str(&text), text.size);
    out->failed = out->failed || bytes.failed || text.failed;
    text_release(&bytes);
    text_release(&text);
}

static int hex_digit(char c) {
    static const char DIGITS[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c ? strchr(DIGITS, c) : NULL;
    return at ? (int)((at - DIGITS) % 16) : -1;
}

/* The byte of a token <0x00> .. <0xFF>, or -1. The reference library also reads <0x+F> as 15. */
static int fallback_byte(const char *token, size_t size) {
    if (size != 6 || memcmp(token, "<0x", 3) != 0 || token[5] != '>') return -1;
    const int high = token[3] == '+' ? 0 : hex_digit(token[3]), low = hex_digit(token[4]);
    return high < 0 || low < 0 ? -1 : 16 * high + low;
}

/* A row of byte tokens is its text, or U+FFFD for each byte if it is not UTF-8. */
static void flush_bytes(struct pieces *out, struct text *row) {
    if (row->size == 0) return;
    const bool valid = unicode_check(text_str(row), row->size) == row->size;
    if (valid) keep_token(out, text_str(row), row->size);
    for (size_t i = 0; !valid && i < row->size; i++) keep_token(out, "\xef\xbf\xbd", 3);
    out->failed = out->failed || row->failed;
    text_clear(row);
}

static void decode_byte_fallback(struct pieces *out, const struct pieces *in) {
    struct text row = {0};
    for (size_t i = 0; i < in->n; i++) {
        const int byte = fallback_byte(pieces_bytes(in, i), in->list[i].size);
        const char c = (char)byte;
        if (byte < 0) {
            flush_bytes(out, &row);
            keep_token(out, pieces_bytes(in, i), in->list[i].size);
        } else {
            text_bytes(&row, &c, 1);
        }
    }
    flush_bytes(out, &row);
    text_release(&row);
}

static enum err_code decode_replace(struct pieces *out, const struct pieces *in,
                                    const struct token_decoder_step *s, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text text = {0};
    for (size_t i = 0; i < in->n; i++) {
        text_clear(&text);
        TRY(token_pattern_replace(&text, s->pattern, s->content, pieces_bytes(in, i),
                                  in->list[i].size, err));
        keep_token(out, text_str(&text), text.size);
        TRY(text_check(&text, err));
    }
cleanup:
    text_release(&text);
    return rc;
}

static void decode_strip(struct pieces *out, const struct pieces *in,
                         const struct token_decoder_step *s) {
    const size_t n = strlen(s->character);
    for (size_t i = 0; i < in->n; i++) {
        const char *bytes = pieces_bytes(in, i);
        size_t start = 0, end = in->list[i].size;
        for (size_t k = 0; k < s->strip_start && end - start >= n; k++) {
            if (memcmp(bytes + start, s->character, n) != 0) break;
            start += n;
        }
        for (size_t k = 0; k < s->strip_stop && end - start >= n; k++) {
            if (memcmp(bytes + end - n, s->character, n) != 0) break;
            end -= n;
        }
        keep_token(out, bytes + start, end - start);
    }
}

static void decode_metaspace(struct pieces *out, const struct pieces *in,
                             const struct token_decoder_step *s) {
    const size_t n = strlen(s->character);
    for (size_t i = 0; i < in->n; i++) {
        const char *bytes = pieces_bytes(in, i);
        const size_t size = in->list[i].size, before = out->text.size;
        for (size_t at = 0, start = 0; at < size; start = at) {
            (void)unicode_next(bytes, &at);
            const bool mark = at - start == n && memcmp(bytes + start, s->character, n) == 0;
            if (!mark)
                text_bytes(&out->text, bytes + start, at - start);
            else if (i > 0 || !s->drop_in_first)
                text_bytes(&out->text, " ", 1);
        }
        pieces_add_token(out, before, 0);
    }
}

static enum err_code decode_step(struct pieces *out, const struct pieces *in,
                                 const struct token_decoder_step *s, struct err *err) {
    switch (s->kind) {
    case DECODER_BYTE_LEVEL:
        decode_byte_level(out, in);
        break;
    case DECODER_BYTE_FALLBACK:
        decode_byte_fallback(out, in);
        break;
    case DECODER_FUSE:
        keep_token(out, text_str(&in->text),
                   in->text.size); /* the tokens follow one another in it */
        break;
    case DECODER_REPLACE:
        return decode_replace(out, in, s, err);
    case DECODER_STRIP:
        decode_strip(out, in, s);
        break;
    case DECODER_METASPACE:
        decode_metaspace(out, in, s);
        break;
    }
    return ERR_OK;
}

enum err_code token_decoder_apply(struct text *out, const struct token_decoder *d,
                                  struct pieces *tokens, struct err *err) {
    enum err_code rc = ERR_OK;
    struct pieces next = {0};
    for (size_t i = 0; i < d->n; i++) {
        pieces_clear(&next);
        TRY(decode_step(&next, tokens, &d->steps[i], err));
        TRY(pieces_check(&next, err));
        const struct pieces old = *tokens;
        *tokens = next;
        next = old;
    }
    for (size_t i = 0; i < tokens->n; i++) {
        if (i > 0 && d->n == 0) text_bytes(out, " ", 1);
        text_bytes(out, pieces_bytes(tokens, i), tokens->list[i].size);
    }
    TRY(text_check(out, err));
cleanup:
    pieces_release(&next);
    return rc;
}
