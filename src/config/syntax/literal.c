/* literal.c - tree_literal(): the text of a default or of -s as a node. */
#include <stdbool.h>
#include <string.h>

#include "config/syntax/tree.h"

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n'; }

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The character of the escape sequence at *at (after its backslash), which advances; 0: unknown. */
static char unescape(const char **at) {
    static const char from[] = "nrtf\"\\", to[] = "\n\r\t\f\"\\";
    const char c = *(*at)++;
    const char *found = c ? strchr(from, c) : NULL;
    if (found) return to[found - from];
    if (c != 'x' || hex_digit((*at)[0]) < 0 || hex_digit((*at)[1]) < 0) return 0;
    const int value = 16 * hex_digit((*at)[0]) + hex_digit((*at)[1]);
    *at += 2;
    return (char)value;
}

enum err_code tree_quoted(const char **out, const char **s, struct pool *p, struct place place,
                          struct err *err) {
    enum err_code rc = ERR_OK;
    const char *at = *s + 1;
    char *text, *end;
    TAKE(text, p, strlen(at) + 1);
    end = text;
    while (*at != '"') {
        if (*at == '\0')
            return place_unreadable(err, place, NULL, NULL, "a string without its closing quote");
        if (*at != '\\') {
            *end++ = *at++;
            continue;
        }
        at++;
        if ((*end++ = unescape(&at)) == 0)
            return place_unreadable(err, place, NULL, NULL, "unknown escape in a string");
    }
    *out = text;
    *s = at + 1;
cleanup:
    return rc;
}

/* One plain value up to one of `stops` or the end; *s advances to there. */
static enum err_code plain(struct node **out, const char **s, const char *stops, struct pool *p,
                           struct place at, struct err *err) {
    enum err_code rc = ERR_OK;
    struct node *node = node_new(p, NODE_WORD, NULL, at);
    CHECK(node, ERR_MEMORY, "no memory for the configuration");
    while (is_blank(**s)) ++*s;
    if (**s == '"') {
        node->kind = NODE_STRING;
        TRY(tree_quoted(&node->text, s, p, at, err));
    } else {
        const size_t n = strcspn(*s, stops);
        size_t kept = n;
        while (kept > 0 && is_blank((*s)[kept - 1])) kept--;
        node->text = pool_copy(p, *s, kept);
        CHECK(node->text, ERR_MEMORY, "no memory for the configuration");
        *s += n;
    }
    while (is_blank(**s)) ++*s;
    *out = node;
cleanup:
    return rc;
}

static enum err_code array(struct node *out, const char **s, struct pool *p, struct err *err) {
    enum err_code rc = ERR_OK;
    out->kind = NODE_ARRAY;
    do ++*s;
    while (is_blank(**s));
    while (**s != ']') {
        struct node *item = NULL;
        TRY(plain(&item, s, ",]", p, out->place, err));
        if (item->kind == NODE_WORD && *item->text == '\0')
            return place_unreadable(err, out->place, NULL, NULL,
                                    **s ? "an empty value in an array" : "a [ without its ]");
        TRY(node_add(out, item, p, err));
        if (**s == ',' && (*s)[1] != '\0') {
            do ++*s;
            while (is_blank(**s));
            if (**s == ']')
                return place_unreadable(err, out->place, NULL, NULL, "a comma before ]: remove it");
        } else if (**s != ']')
            return place_unreadable(err, out->place, NULL, NULL, "a [ without its ]");
    }
    ++*s;
    while (is_blank(**s)) ++*s;
cleanup:
    return rc;
}

enum err_code tree_literal(struct node **out, struct pool *p, const char *text, struct place at,
                           struct err *err) {
    enum err_code rc = ERR_OK;
    struct node *node = NULL;
    while (is_blank(*text)) text++;
    if (*text == '[') {
        node = node_new(p, NODE_ARRAY, NULL, at);
        CHECK(node, ERR_MEMORY, "no memory for the configuration");
        TRY(array(node, &text, p, err));
    } else {
        TRY(plain(&node, &text, "", p, at, err));
    }
    if (*text != '\0')
        TRY(place_unreadable(err, at, NULL, NULL, "%.60s after the end of the value", text));
    *out = node;
cleanup:
    return rc;
}
