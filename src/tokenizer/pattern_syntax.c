#include "tokenizer/pattern_syntax.h"

#include <ctype.h>
#include <string.h>

/* Contents of a class: White_Space, and everything else. */
static const char SPACE[] = "\\x{9}-\\x{d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}"
                            "\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}";
static const char NOT_SPACE[] =
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{84}\\x{86}-\\x{9f}\\x{a1}-\\x{167f}"
    "\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}"
    "\\x{2060}-\\x{2fff}\\x{3001}-\\x{10ffff}";

struct pattern_scan {
    struct text *out;
    const char *regex, *at;
    const char *place;
    struct err *err;
};

static enum err_code refuse_syntax(const struct pattern_scan *s, size_t length) {
    return ERR(s->err, ERR_DATA,
               "%s: the pattern has '%.*s' at byte %zu, which is not supported here", s->place,
               (int)length, s->at, (size_t)(s->at - s->regex));
}

static enum err_code pass_syntax(struct pattern_scan *s, size_t length) {
    text_bytes(s->out, s->at, length);
    s->at += length;
    return ERR_OK;
}

/* \p{L}, \P{Nd}: general categories; names of scripts differ between the libraries. */
static enum err_code rewrite_property(struct pattern_scan *s) {
    const char *end = strchr(s->at, '}');
    if (s->at[2] != '{' || !end) return refuse_syntax(s, strlen(s->at) < 3 ? strlen(s->at) : 3);
    const size_t n = (size_t)(end - s->at) - 3;
    const bool known = n >= 1 && n <= 2 && strchr("LMNPSZC", s->at[3]) &&
                       (n == 1 || strchr("aucdefiklmnopst", s->at[4]));
    return known ? pass_syntax(s, n + 4) : refuse_syntax(s, n + 4 < 40 ? n + 4 : 40);
}

static enum err_code rewrite_escape(struct pattern_scan *s, bool in_class) {
    const char c = s->at[1];
    if (c == 'p' || c == 'P') return rewrite_property(s);
    if (c && (strchr("rntf", c) || (ispunct((unsigned char)c)))) return pass_syntax(s, 2);
    if (c == 'd' || c == 'D')
        text_add(s->out, "\\%c{Nd}", c == 'd' ? 'p' : 'P');
    else if (c == 's' && in_class)
        text_add(s->out, "%s", SPACE);
    else if (c == 'S' && in_class)
        text_add(s->out, "%s", NOT_SPACE);
    else if (c == 's' || c == 'S')
        text_add(s->out, "[%s%s]", c == 'S' ? "^" : "", SPACE);
    else
        return refuse_syntax(s, c ? 2 : 1);
    s->at += 2;
    return ERR_OK;
}

/* [...]: no nested classes, no intersections. */
static enum err_code rewrite_class(struct pattern_scan *s) {
    enum err_code rc = ERR_OK;
    TRY(pass_syntax(s, s->at[1] == '^' ? 2 : 1));
    if (*s->at == ']') return refuse_syntax(s, 1);
    while (rc == ERR_OK && *s->at != ']') {
        if (*s->at == '\\')
            rc = rewrite_escape(s, true);
        else if (*s->at == '[' || strncmp(s->at, "&&", 2) == 0 || *s->at == '\0')
            rc = refuse_syntax(s, *s->at == '&' ? 2 : *s->at == '[');
        else
            rc = pass_syntax(s, 1);
    }
    if (rc == ERR_OK) TRY(pass_syntax(s, 1));
cleanup:
    return rc;
}

/* {2}, {1,3}, {1,}; a + or ? behind it means different things. */
static enum err_code rewrite_count(struct pattern_scan *s) {
    const char *end = s->at + 1;
    end += strspn(end, "0123456789");
    if (end == s->at + 1) return refuse_syntax(s, 1);
    if (*end == ',') end += 1 + strspn(end + 1, "0123456789");
    if (*end != '}') return refuse_syntax(s, 1);
    const size_t n = (size_t)(end + 1 - s->at);
    return end[1] == '+' || end[1] == '?' ? refuse_syntax(s, n + 1) : pass_syntax(s, n);
}

static enum err_code rewrite_group(struct pattern_scan *s) {
    static const char *const OPENINGS[] = {"(?:", "(?i:", "(?=", "(?!", "(?<=", "(?<!", "(?>"};
    if (s->at[1] == '*') return refuse_syntax(s, 2);
    if (s->at[1] != '?') return pass_syntax(s, 1);
    for (size_t i = 0; i < sizeof OPENINGS / sizeof *OPENINGS; i++) {
        const size_t n = strlen(OPENINGS[i]);
        if (strncmp(s->at, OPENINGS[i], n) == 0) return pass_syntax(s, n);
    }
    return refuse_syntax(s, s->at[2] ? 3 : 2);
}

enum err_code pattern_syntax_rewrite(struct text *out, const char *regex, const char *place,
                                     struct err *err) {
    struct pattern_scan s = {out, regex, regex, place, err};
    enum err_code rc = ERR_OK;
    while (rc == ERR_OK && *s.at) {
        if (*s.at == '\\')
            rc = rewrite_escape(&s, false);
        else if (*s.at == '[')
            rc = rewrite_class(&s);
        else if (*s.at == '(')
            rc = rewrite_group(&s);
        else if (*s.at == '{')
            rc = rewrite_count(&s);
        else if (strchr(".^$}]", *s.at))
            rc = refuse_syntax(&s, 1);
        else
            rc = pass_syntax(&s, 1);
    }
    return rc == ERR_OK ? text_check(out, err) : rc;
}
