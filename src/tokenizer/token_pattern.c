#include "tokenizer/token_pattern.h"

#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "tokenizer/pattern_syntax.h"

struct token_pattern {
    char *literal; /* or NULL */
    size_t literal_size;
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
};

void token_pattern_free(struct token_pattern *p) {
    if (!p) return;
    free(p->literal);
    pcre2_code_free(p->code); /* each is NULL-safe */
    pcre2_match_data_free(p->match);
    pcre2_match_context_free(p->context);
    pcre2_jit_stack_free(p->stack);
    free(p);
}

static enum err_code compile(struct token_pattern *p, const struct text *source, const char *place,
                             struct err *err) {
    int code = 0;
    PCRE2_SIZE where = 0;
    unsigned char why[128] = "";
    uint32_t empty = 0;
    p->code = pcre2_compile((PCRE2_SPTR)text_str(source), source->size,
                            PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &code, &where, NULL);
    if (!p->code) {
        (void)pcre2_get_error_message(code, why, sizeof why);
        return ERR(err, ERR_DATA, "%s: the pattern is not valid: %s", place, (char *)why);
    }
    (void)pcre2_pattern_info(p->code, PCRE2_INFO_MATCHEMPTY, &empty);
    if (empty) return ERR(err, ERR_DATA, "%s: the pattern can match an empty text", place);
    return ERR_OK;
}

/* Room for deep backtracking; without a JIT compiler PCRE2 interprets the pattern. */
static enum err_code prepare_match(struct token_pattern *p, struct err *err) {
    enum { STACK_FIRST = 1 << 15, STACK_MOST = 1 << 23 };
    p->match = pcre2_match_data_create_from_pattern(p->code, NULL);
    p->context = pcre2_match_context_create(NULL);
    if (!p->match || !p->context) return ERR(err, ERR_MEMORY, "no memory for a pattern");
    if (pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE) == 0)
        p->stack = pcre2_jit_stack_create(STACK_FIRST, STACK_MOST, NULL);
    if (p->stack) pcre2_jit_stack_assign(p->context, NULL, p->stack);
    return ERR_OK;
}

enum err_code token_pattern_regex(struct token_pattern **out, const char *regex, const char *place,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    struct text source = {0};
    struct token_pattern *p = calloc(1, sizeof *p);
    CHECK(p, ERR_MEMORY, "no memory for a pattern");
    TRY(pattern_syntax_rewrite(&source, regex, place, err));
    TRY(compile(p, &source, place, err));
    TRY(prepare_match(p, err));
    *out = p;
    p = NULL;
cleanup:
    token_pattern_free(p);
    text_release(&source);
    return rc;
}

enum err_code token_pattern_literal(struct token_pattern **out, const char *literal,
                                    const char *place, struct err *err) {
    if (!*literal) return ERR(err, ERR_DATA, "%s: the pattern is an empty text", place);
    struct token_pattern *p = calloc(1, sizeof *p);
    if (p) p->literal = text_copy(literal);
    if (!p || !p->literal) {
        free(p);
        return ERR(err, ERR_MEMORY, "no memory for a pattern");
    }
    p->literal_size = strlen(literal);
    *out = p;
    return ERR_OK;
}

static enum err_code find_regex(bool *found, size_t *start, size_t *end,
                                const struct token_pattern *p, const char *text, size_t size,
                                size_t from, struct err *err) {
    int n = pcre2_match(p->code, (PCRE2_SPTR)text, size, from, PCRE2_NO_UTF_CHECK, p->match,
                        p->context);
    if (n == PCRE2_ERROR_JIT_STACKLIMIT) /* the interpreter takes its stack from the heap */
        n = pcre2_match(p->code, (PCRE2_SPTR)text, size, from, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT,
                        p->match, p->context);
    *found = n > 0;
    if (n > 0) {
        const PCRE2_SIZE *span = pcre2_get_ovector_pointer(p->match);
        *start = span[0];
        *end = span[1];
        return ERR_OK;
    }
    if (n == PCRE2_ERROR_NOMATCH) return ERR_OK;
    unsigned char why[128] = "";
    (void)pcre2_get_error_message(n, why, sizeof why);
    return ERR(err, ERR_DATA, "a text of %zu bytes cannot be searched from byte %zu on: %s", size,
               from, (char *)why);
}

enum err_code token_pattern_find(bool *found, size_t *start, size_t *end,
                                 const struct token_pattern *p, const char *text, size_t size,
                                 size_t from, struct err *err) {
    *found = false;
    if (from >= size) return ERR_OK;
    if (p->code) return find_regex(found, start, end, p, text, size, from, err);
    const char *at = memmem(text + from, size - from, p->literal, p->literal_size);
    if (at) {
        *found = true;
        *start = (size_t)(at - text);
        *end = *start + p->literal_size;
    }
    return ERR_OK;
}

enum err_code token_pattern_replace(struct text *out, const struct token_pattern *p,
                                    const char *content, const char *text, size_t size,
                                    struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t length = strlen(content);
    for (size_t done = 0, start, end; done < size; done = end) {
        bool found;
        TRY(token_pattern_find(&found, &start, &end, p, text, size, done, err));
        if (!found) start = end = size;
        text_bytes(out, text + done, start - done);
        if (found) text_bytes(out, content, length);
    }
cleanup:
    return rc;
}

void token_pattern_library(struct text *out) {
    char version[64] = "";
    if (pcre2_config(PCRE2_CONFIG_VERSION, NULL) <= (int)sizeof version)
        (void)pcre2_config(PCRE2_CONFIG_VERSION, version);
    text_add(out, "PCRE2 %.*s", (int)strcspn(version, " "), version);
}
