#include "tokenizer/pre_tokenizer.h"

#include <string.h>

#include "tokenizer/byte_level.h"

/* Radford et al. 2019, encoder.py. */
static const char GPT2_PATTERN[] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+|"
                                   " ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/* ---- reading */

static enum err_code init_byte_level(struct pre_tokenizer_step *s, bool prefix, bool pattern,
                                     struct err *err) {
    s->byte_level = true;
    s->scheme = prefix ? PRE_TOKENIZER_ALWAYS : PRE_TOKENIZER_NEVER;
    strcpy(s->prefix, " ");
    return pattern ? token_pattern_regex(&s->pattern, GPT2_PATTERN, "GPT-2", err) : ERR_OK;
}

static enum err_code read_byte_level(struct pre_tokenizer_step *s, const struct component *c,
                                     struct err *err) {
    enum err_code rc = ERR_OK;
    static const char *const KEYS[] = {"add_prefix_space", "trim_offsets", "use_regex", NULL};
    bool prefix = true, trim = true, pattern = true;
    TRY(component_keys(c, KEYS, err));
    TRY(component_bool(&prefix, c, "add_prefix_space", err));
    TRY(component_bool(&trim, c, "trim_offsets", err)); /* offsets are not computed */
    TRY(component_bool(&pattern, c, "use_regex", err));
    TRY(init_byte_level(s, prefix, pattern, err));
cleanup:
    return rc;
}

static enum err_code read_split(struct pre_tokenizer_step *s, const struct component *c,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    static const char *const KEYS[] = {"pattern", "behavior", "invert", NULL};
    static const char *const BEHAVIORS[] = {"Isolated",       "Removed",    "MergedWithPrevious",
                                            "MergedWithNext", "Contiguous", NULL};
    const char *behavior = NULL;
    int choice = 0;
    TRY(component_keys(c, KEYS, err));
    TRY(component_pattern(&s->pattern, c, err));
    TRY(component_text(&behavior, c, "behavior", err)); /* it has no default */
    TRY(component_choice(&choice, c, "behavior", BEHAVIORS, err));
    TRY(component_bool(&s->invert, c, "invert", err));
    s->behavior = (enum pieces_behavior)choice;
cleanup:
    return rc;
}

static enum err_code read_digits(struct pre_tokenizer_step *s, const struct component *c,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    static const char *const KEYS[] = {"individual_digits", NULL};
    char place[COMPONENT_PLACE];
    bool individual = false;
    TRY(component_keys(c, KEYS, err));
    TRY(component_bool(&individual, c, "individual_digits", err));
    TRY(token_pattern_regex(&s->pattern, individual ? "\\p{N}" : "\\p{N}+",
                            component_place(place, c), err));
cleanup:
    return rc;
}

static enum err_code read_whitespace_split(struct pre_tokenizer_step *s, const struct component *c,
                                           struct err *err) {
    enum err_code rc = ERR_OK;
    static const char *const NO_KEYS[] = {NULL};
    TRY(component_keys(c, NO_KEYS, err));
    s->behavior = PIECES_REMOVED;
    TRY(token_pattern_regex(&s->pattern, "\\s+", "WhitespaceSplit", err));
cleanup:
    return rc;
}

enum err_code pre_tokenizer_read_scheme(int *scheme, const struct component *c, struct err *err) {
    enum err_code rc = ERR_OK;
    static const char *const SCHEMES[] = {"always", "first", "never", NULL};
    char place[COMPONENT_PLACE];
    bool prefix = true;
    *scheme = PRE_TOKENIZER_ALWAYS;
    TRY(component_choice(scheme, c, "prepend_scheme", SCHEMES, err));
    TRY(component_bool(&prefix, c, "add_prefix_space", err));
    CHECK(prefix || *scheme == PRE_TOKENIZER_NEVER, ERR_DATA,
          "%s: add_prefix_space = false and prepend_scheme = \"%s\" contradict each other",
          component_place(place, c), SCHEMES[*scheme]);
cleanup:
    return rc;
}

static enum err_code read_metaspace(struct pre_tokenizer_step *s, const struct component *c,
                                    struct err *err) {
    enum err_code rc = ERR_OK;
    static const char *const KEYS[] = {"replacement", "prepend_scheme", "add_prefix_space",
                                       "split",       "str_rep",        NULL};
    char place[COMPONENT_PLACE];
    int scheme;
    bool split = true;
    TRY(component_keys(c, KEYS, err));
    TRY(component_character(s->space, c, "replacement", err));
    TRY(pre_tokenizer_read_scheme(&scheme, c, err));
    TRY(component_bool(&split, c, "split", err));
    s->scheme = (enum pre_tokenizer_scheme)scheme;
    memcpy(s->prefix, s->space, sizeof s->prefix);
    s->behavior = PIECES_MERGED_WITH_NEXT;
    if (split) TRY(token_pattern_literal(&s->pattern, s->space, component_place(place, c), err));
cleanup:
    return rc;
}

static enum err_code read_cut(struct pre_tokenizer_step *s, const struct component *c,
                              struct err *err) {
    if (strcmp(c->type, "ByteLevel") == 0) return read_byte_level(s, c, err);
    if (strcmp(c->type, "Split") == 0) return read_split(s, c, err);
    if (strcmp(c->type, "Digits") == 0) return read_digits(s, c, err);
    if (strcmp(c->type, "WhitespaceSplit") == 0) return read_whitespace_split(s, c, err);
    if (strcmp(c->type, "Metaspace") == 0) return read_metaspace(s, c, err);
    return component_refuse(c, "Sequence, ByteLevel, Split, Digits, WhitespaceSplit, Metaspace",
                            err);
}

enum err_code pre_tokenizer_read(struct pre_tokenizer *out, struct json value, const char *file,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    struct component_list list;
    TRY(component_list_read(&list, value, file, "pre_tokenizer", "pretokenizers", err));
    for (size_t i = 0; i < list.n; i++) {
        struct pre_tokenizer_step *s = &out->steps[out->n++];
        s->scheme = PRE_TOKENIZER_NEVER;
        TRY(read_cut(s, &list.items[i], err));
    }
cleanup:
    return rc;
}

enum err_code pre_tokenizer_gpt2(struct pre_tokenizer *out, bool add_prefix_space,
                                 struct err *err) {
    out->n = 1;
    return init_byte_level(&out->steps[0], add_prefix_space, true, err);
}

void pre_tokenizer_release(struct pre_tokenizer *p) {
    for (size_t i = 0; i < p->n; i++) token_pattern_free(p->steps[i].pattern);
    *p = (struct pre_tokenizer){0};
}

/* ---- application: each pass reads one list and writes the other */

static void swap_pieces(struct pieces *a, struct pieces *b) {
    const struct pieces old = *a;
    *a = *b;
    *b = old;
}

static void add_with_space(struct text *out, const char *bytes, size_t size, const char *space) {
    for (size_t done = 0; done < size;) {
        const char *found = *space ? memchr(bytes + done, ' ', size - done) : NULL;
        const size_t end = found ? (size_t)(found - bytes) : size;
        text_bytes(out, bytes + done, end - done);
        if (found) text_add(out, "%s", space);
        done = found ? end + 1 : end;
    }
}

static void add_prefix(struct text *out, const struct pre_tokenizer_step *s, const char *bytes,
                       const struct piece *p) {
    const size_t n = strlen(s->prefix);
    const bool replaced = *s->space && bytes[0] == ' ';
    const bool begins = replaced || (p->size >= n && memcmp(bytes, s->prefix, n) == 0);
    const bool wanted =
        s->scheme == PRE_TOKENIZER_ALWAYS || (s->scheme == PRE_TOKENIZER_FIRST && p->first);
    if (wanted && !begins) text_bytes(out, s->prefix, n);
}

/* Spaces and prefix, or bytes to characters. */
static void rewrite_piece(struct pieces *out, const struct pieces *in, size_t i,
                          const struct pre_tokenizer_step *s, bool byte_level) {
    const struct piece *p = &in->list[i];
    const char *bytes = pieces_bytes(in, i);
    const size_t start = out->text.size;
    if (byte_level) {
        byte_level_add(&out->text, bytes, p->size);
    } else {
        add_prefix(&out->text, s, bytes, p);
        add_with_space(&out->text, bytes, p->size, s->space);
    }
    pieces_add_written(out, start, p->first);
}

enum pre_tokenizer_pass { PASS_PREFIX, PASS_CUT, PASS_BYTES };

static enum err_code run_pass(struct pieces *out, const struct pieces *in,
                              const struct pre_tokenizer_step *s, enum pre_tokenizer_pass pass,
                              struct err *err) {
    enum err_code rc = ERR_OK;
    pieces_clear(out);
    for (size_t i = 0; i < in->n; i++) {
        const struct piece *p = &in->list[i];
        if (p->id >= 0)
            pieces_add(out, pieces_bytes(in, i), p->size, p->id, p->first);
        else if (pass == PASS_CUT)
            TRY(pieces_split(out, in, i, s->pattern, s->behavior, s->invert, err));
        else
            rewrite_piece(out, in, i, s, pass == PASS_BYTES);
    }
    TRY(pieces_check(out, err));
cleanup:
    return rc;
}

static bool needs_pass(const struct pre_tokenizer_step *s, enum pre_tokenizer_pass pass) {
    if (pass == PASS_CUT) return s->pattern;
    return pass == PASS_BYTES ? s->byte_level : *s->space || s->scheme != PRE_TOKENIZER_NEVER;
}

enum err_code pre_tokenizer_apply(struct pieces *pieces, struct pieces *scratch,
                                  const struct pre_tokenizer *p, struct err *err) {
    enum err_code rc = ERR_OK;
    static const enum pre_tokenizer_pass PASSES[] = {PASS_PREFIX, PASS_CUT, PASS_BYTES};
    for (size_t i = 0; i < 3 * p->n; i++) {
        const struct pre_tokenizer_step *s = &p->steps[i / 3];
        if (!needs_pass(s, PASSES[i % 3])) continue;
        TRY(run_pass(scratch, pieces, s, PASSES[i % 3], err));
        swap_pieces(pieces, scratch);
    }
cleanup:
    return rc;
}
