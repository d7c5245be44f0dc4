#include "config/syntax/scan.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/syntax/node.h"
#include "config/syntax/number.h"

enum { NAME = 'n', VALUE = 'v', START = 0 }; /* `last`, besides the punctuation itself */
enum { NUMBER_LONGEST = 512 };

struct frame {
    char open;
    int line;
    size_t group; /* which group names inside it belong to */
};

struct name {
    size_t group, size;
    const char *at;
    int line;
};

struct scan {
    const char *at, *file;
    int line;
    char last; /* what the token before this one was */
    size_t depth, n_groups;
    struct frame frames[SCAN_DEPTH + 1];
    struct name *names;
    size_t n_names, capacity;
    struct text *out;
    struct err *err;
};

#define FAULT(s, ...)                                                                              \
    place_error((s)->err, (struct place){(s)->file, (s)->line}, NULL, NULL, __VA_ARGS__)

static bool is_in(char c, const char *set) { return c != '\0' && strchr(set, c) != NULL; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_name(char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-'; }

/* The next character that counts; `line` advances with it. NULL: a comment without its end. */
static const char *skip_blank(const char *at, int *line) {
    for (;; at++) {
        if (at[0] == '#' || (at[0] == '/' && at[1] == '/')) {
            at += strcspn(at, "\n");
        } else if (at[0] == '/' && at[1] == '*') {
            const char *end = strstr(at + 2, "*/");
            if (!end) return NULL;
            for (; at < end; at++) *line += *at == '\n';
            at++; /* on the slash */
            continue;
        }
        if (*at == '\n') ++*line;
        if (!is_in(*at, " \t\r\n\f")) return at;
    }
}

static bool wants_value(const struct scan *s) { return is_in(s->last, "=:[(,"); }

/* Numbers and strings: allowed only where a value may be, and passed on as a string with its kind.
 */
static enum err_code put_value(struct scan *s, char kind, const char *at, size_t n) {
    if (s->last == VALUE)
        return FAULT(
            s, "two values in a row at %.*s: a comma is missing%s", (int)(n > 40 ? 40 : n), at,
            kind == SCAN_STRING ? " (adjacent strings are not joined: write them as one)" : "");
    if (!wants_value(s))
        return FAULT(s, "expected the name of a key, received %.*s", (int)(n > 40 ? 40 : n), at);
    const char head[2] = {'"', kind};
    text_bytes(s->out, head, 2);
    text_bytes(s->out, at, n);
    text_bytes(s->out, "\"", 1);
    s->last = VALUE;
    return ERR_OK;
}

static bool is_hex_pair(const char *at) {
    static const char digits[] = "0123456789abcdefABCDEF";
    return is_in(at[0], digits) && is_in(at[1], digits) && (at[0] != '0' || at[1] != '0');
}

static enum err_code scan_string(struct scan *s) {
    const char *at = s->at + 1;
    for (; *at != '"'; at++) {
        if (*at == '\0' || *at == '\n') return FAULT(s, "a string without its closing quote");
        if (*at != '\\') continue;
        at++;
        if (*at == 'x' && is_hex_pair(at + 1)) continue;
        if (!is_in(*at, "nrtf\"\\"))
            return FAULT(s,
                         "unknown escape in a string (known: \\n \\r \\t \\f \\\" \\\\ and \\x01 "
                         "to \\xff)");
    }
    const char *from = s->at + 1;
    s->at = at + 1;
    return put_value(s, SCAN_STRING, from, (size_t)(at - from));
}

static enum err_code scan_number(struct scan *s) {
    char text[NUMBER_LONGEST + 1] = "";
    size_t n = 0;
    const char *digits = s->at + is_in(*s->at, "+-");
    const bool hex = *digits == '0' && is_in(digits[1], "xX");
    while (n < NUMBER_LONGEST) {
        const char c = s->at[n];
        const bool sign = is_in(c, "+-") && (n == 0 || (!hex && is_in(text[n - 1], "eE")));
        if (!sign && !is_digit(c) && !is_letter(c) && c != '.' && c != '_') break;
        text[n++] = c;
    }
    if (!number_valid(text)) return FAULT(s, "%.60s is not a number (a string needs quotes)", text);
    const char *from = s->at;
    s->at += n;
    return put_value(s, SCAN_NUMBER, from, n);
}

static bool is_bool(const char *at, size_t n) {
    return (n == 4 && strncasecmp(at, "true", 4) == 0) ||
           (n == 5 && strncasecmp(at, "false", 5) == 0);
}

static enum err_code keep_name(struct scan *s, size_t n) {
    if (s->n_names == s->capacity) {
        const size_t capacity = s->capacity ? 2 * s->capacity : 64;
        struct name *names = realloc(s->names, capacity * sizeof *names);
        if (!names) return ERR(s->err, ERR_MEMORY, "no memory for the configuration");
        s->names = names;
        s->capacity = capacity;
    }
    s->names[s->n_names++] = (struct name){s->frames[s->depth].group, n, s->at, s->line};
    return ERR_OK;
}

static enum err_code bad_word(struct scan *s, size_t n, char next) {
    const int shown = n > 60 ? 60 : (int)n;
    if (next == '.')
        return FAULT(s, "%.*s: the name of a key has no dot: write %.*s = { ... }", shown, s->at,
                     shown, s->at);
    if (wants_value(s))
        return FAULT(s, "expected a value, received %.*s (a string needs quotes: \"%.*s\")", shown,
                     s->at, shown, s->at);
    return FAULT(s, "%.*s: expected = after the name of a key", shown, s->at);
}

static enum err_code scan_word(struct scan *s) {
    enum err_code rc = ERR_OK;
    size_t n = 0;
    int line = s->line;
    while (is_name(s->at[n])) n++;
    const char *next = skip_blank(s->at + n, &line);
    const bool names = next && is_in(*next, "=:") && !wants_value(s);
    if (is_bool(s->at, n) && wants_value(s)) {
        s->last = VALUE;
    } else if (names && s->frames[s->depth].open == '{') {
        TRY(keep_name(s, n));
        s->last = NAME;
    } else {
        return bad_word(s, n, next ? *next : '\0');
    }
    text_bytes(s->out, s->at, n);
    s->at += n;
cleanup:
    return rc;
}

static enum err_code open_bracket(struct scan *s, char c) {
    if (s->depth == SCAN_DEPTH) return FAULT(s, "brackets nested deeper than %d", (int)SCAN_DEPTH);
    if (c == '{') s->n_groups++;
    s->frames[++s->depth] = (struct frame){c, s->line, s->n_groups};
    return ERR_OK;
}

static enum err_code close_bracket(struct scan *s, char c) {
    const struct frame *f = &s->frames[s->depth];
    if (s->depth == 0) return FAULT(s, "%c without an opening bracket", c);
    if (c != (f->open == '(' ? ')' : f->open + 2))
        return FAULT(s, "%c does not close the %c of line %d", c, f->open, f->line);
    if (s->last == ',') return FAULT(s, "a comma before %c: libconfig takes no trailing comma", c);
    s->depth--;
    return ERR_OK;
}

static enum err_code scan_mark(struct scan *s, char c) {
    enum err_code rc = ERR_OK;
    const struct frame *f = &s->frames[s->depth];
    if (is_in(c, ";=:") && f->open != '{')
        return FAULT(s, "expected , or the end of the %c of line %d, received %c", f->open, f->line,
                     c);
    if (is_in(c, "{[(")) TRY(open_bracket(s, c));
    if (is_in(c, "}])")) TRY(close_bracket(s, c));
    if (is_in(c, ",;=:") && is_in(s->last, "=:"))
        return FAULT(s, "expected a value, received %c", c);
    text_bytes(s->out, &c, 1);
    s->last = is_in(c, "}])") ? VALUE : c;
    s->at++;
cleanup:
    return rc;
}

static enum err_code scan_token(struct scan *s) {
    const char c = *s->at;
    if (c == '"') return scan_string(s);
    if (is_digit(c) || is_in(c, "+-.")) return scan_number(s);
    if (is_letter(c)) return scan_word(s);
    if (is_in(c, "{}[](),;=:")) return scan_mark(s, c);
    if (c == '@')
        return FAULT(s, "@include is not supported: use base = \"FILE\" at the top level");
    if (c > 0x20 && c < 0x7f) return FAULT(s, "unexpected character %c", c);
    return FAULT(s, "unexpected byte 0x%02x", (unsigned)(unsigned char)c);
}

static int by_group_and_name(const void *a, const void *b) {
    const struct name *x = a, *y = b;
    if (x->group != y->group) return x->group < y->group ? -1 : 1;
    const int order = strncmp(x->at, y->at, x->size < y->size ? x->size : y->size);
    if (order != 0) return order;
    if (x->size != y->size) return x->size < y->size ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

static enum err_code refuse_duplicates(struct scan *s) {
    if (s->n_names > 0) qsort(s->names, s->n_names, sizeof *s->names, by_group_and_name);
    for (size_t i = 1; i < s->n_names; i++) {
        const struct name *a = &s->names[i - 1], *b = &s->names[i];
        if (a->group != b->group || a->size != b->size || memcmp(a->at, b->at, a->size) != 0)
            continue;
        s->line = b->line;
        return FAULT(s, "%.*s: set twice, first on line %d", b->size > 60 ? 60 : (int)b->size,
                     b->at, a->line);
    }
    return ERR_OK;
}

static enum err_code scan_all(struct scan *s) {
    enum err_code rc = ERR_OK;
    for (;;) {
        const int before = s->line;
        const char *next = skip_blank(s->at, &s->line);
        if (!next) return FAULT(s, "a comment without its closing */");
        for (int i = before; i < s->line; i++) text_bytes(s->out, "\n", 1);
        if (next > s->at) text_bytes(s->out, " ", 1);
        s->at = next;
        if (*next == '\0') break;
        TRY(scan_token(s));
    }
    const struct frame *f = &s->frames[s->depth];
    s->line = f->line;
    if (s->depth > 0) TRY(FAULT(s, "the %c opened here is never closed", f->open));
    TRY(refuse_duplicates(s));
cleanup:
    return rc;
}

enum err_code scan_text(struct text *out, const struct text *in, const char *file,
                        struct err *err) {
    enum err_code rc = ERR_OK;
    struct scan s = {.at = text_str(in), .file = file, .line = 1, .out = out, .err = err};
    s.frames[0] = (struct frame){'{', 1, 0};
    CHECK(in->size <= SCAN_LARGEST, ERR_CONFIG, "%s: larger than %d bytes", file,
          (int)SCAN_LARGEST);
    CHECK(strncmp(s.at, "\xef\xbb\xbf", 3) != 0, ERR_CONFIG,
          "%s:1: begins with a byte-order mark (ef bb bf): save it as UTF-8 without one", file);
    CHECK(strlen(s.at) == in->size, ERR_CONFIG, "%s: contains a NUL byte: is this a config?", file);
    TRY(scan_all(&s));
    TRY(text_check(out, err));
cleanup:
    free(s.names);
    return rc;
}
