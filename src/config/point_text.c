/*
 * point_text.c - a point as lines of text, and back: how the keys of a job reach the process that
 * computes it, and the text whose hash is part of its identity.
 *
 *     points i 16 @"a.cfg:12: fit.points"
 *     also Ln 2 "plain" "zero" @"a.cfg:13: evaluate.also"
 *
 * The type is a letter (b i f n s), after it L for a list, P for a path, S for a value that is no
 * part of the identity; a list starts with its size. Floats are hexadecimal, strings quoted, so a
 * line is a line.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/fold.h"
#include "config/resolved.h"
#include "config/syntax/number.h"
#include "config/syntax/tree.h"

static const char LETTERS[] = {[CONFIG_BOOL] = 'b',
                               [CONFIG_INT] = 'i',
                               [CONFIG_FLOAT] = 'f',
                               [CONFIG_NAME] = 'n',
                               [CONFIG_TEXT] = 's'};

static const struct {
    char letter;
    unsigned flag;
} MARKS[] = {{'L', CONFIG_LIST}, {'P', CONFIG_PATH}, {'S', CONFIG_SILENT}};
enum { N_MARKS = sizeof MARKS / sizeof *MARKS };

static void write_plain(struct text *out, const struct config_key *row, const struct value *v) {
    char number[NUMBER_TEXT];
    text_bytes(out, " ", 1);
    switch (row->type) {
    case CONFIG_BOOL:
    case CONFIG_INT:
        text_integer(out, v->i);
        break;
    case CONFIG_FLOAT:
        number_print_exact(number, v->f);
        text_bytes(out, number, strlen(number));
        break;
    case CONFIG_NAME:
    case CONFIG_TEXT:
        node_quote(out, v->s);
        break;
    }
}

static void write_value(struct text *out, const struct config_key *row, const struct value *v) {
    if (!(row->flags & CONFIG_LIST)) {
        write_plain(out, row, v);
        return;
    }
    text_add(out, " %zu", v->n);
    for (size_t i = 0; i < v->n; i++) write_plain(out, row, &v->items[i]);
}

void config_point_write(struct text *out, const struct config_point *p) {
    const struct entry *e = p->entry;
    for (size_t k = 0; k < e->n_keys; k++) {
        const struct config_key *row = e->keys[k].row;
        char where[WHERE_TEXT];
        if (p->at[k] == 0) continue;
        const unsigned flags = row->flags | (point_identifies(p, k) ? 0 : CONFIG_SILENT);
        text_add(out, "%s %c", row->name, LETTERS[row->type]);
        for (size_t i = 0; i < N_MARKS; i++)
            if (flags & MARKS[i].flag) text_bytes(out, &MARKS[i].letter, 1);
        write_value(out, row, &e->keys[k].values[p->at[k] - 1]);
        config_where(where, p, row->name);
        text_add(out, " @");
        node_quote(out, where);
        text_add(out, "\n");
    }
}

void config_point_identity(struct text *out, const struct config_point *p) {
    const struct entry *e = p->entry;
    for (size_t k = 0; k < e->n_keys; k++) {
        const struct config_key *row = e->keys[k].row;
        const struct value *v =
            point_identifies(p, k) ? &e->keys[k].values[p->at[k] - 1] : fold_default(p, k);
        if (!v || (row->flags & CONFIG_PATH)) continue;
        text_bytes(out, row->name, strlen(row->name));
        text_bytes(out, " ", 1);
        text_bytes(out, &LETTERS[row->type], 1);
        if (row->flags & CONFIG_LIST) text_bytes(out, "L", 1);
        write_value(out, row, v);
        text_add(out, "\n");
    }
}

/* A point made from text owns its entry and its pool. */
struct read_point {
    struct config_point point; /* first, so that a pointer to it is one to the whole */
    struct entry entry;
    struct pool pool;
};

struct cursor {
    const char *at;
    struct pool *pool;
    struct err *err;
    int line;
};

static enum err_code bad(const struct cursor *c, const char *what) {
    return ERR(c->err, ERR_DATA, "a point as text, line %d: %s at \"%.40s\"", c->line, what, c->at);
}

static enum err_code read_string(const char **out, struct cursor *c) {
    struct err ignored;
    if (*c->at != '"') return bad(c, "expected a quoted string");
    const enum err_code rc =
        tree_quoted(out, &c->at, c->pool, (struct place){"a point", c->line}, &ignored);
    return rc == ERR_OK ? ERR_OK : bad(c, "a malformed string");
}

static enum err_code read_integer(int64_t *out, struct cursor *c) {
    char *end = NULL;
    errno = 0;
    *out = strtoll(c->at, &end, 10);
    if (end == c->at || errno != 0) return bad(c, "expected an integer");
    c->at = end;
    return ERR_OK;
}

static enum err_code read_plain(struct value *out, enum config_type type, struct cursor *c) {
    if (*c->at++ != ' ') return c->at--, bad(c, "expected a space");
    switch (type) {
    case CONFIG_BOOL:
    case CONFIG_INT:
        return read_integer(&out->i, c);
    case CONFIG_FLOAT:
        return number_read_exact(&out->f, c->at, &c->at) ? ERR_OK : bad(c, "expected a number");
    case CONFIG_NAME:
    case CONFIG_TEXT:
        return read_string(&out->s, c);
    }
    return ERR_OK;
}

static enum err_code read_value(struct value *out, const struct config_key *row, struct cursor *c) {
    enum err_code rc = ERR_OK;
    struct err *err = c->err;
    struct value size = {0}, *items;
    if (!(row->flags & CONFIG_LIST)) return read_plain(out, row->type, c);
    TRY(read_plain(&size, CONFIG_INT, c));
    if (size.i < 0 || (size_t)size.i > strlen(c->at)) return bad(c, "a list longer than its line");
    out->n = (size_t)size.i;
    TAKE(items, c->pool, out->n + 1);
    for (size_t i = 0; i < out->n; i++) TRY(read_plain(&items[i], row->type, c));
    out->items = items;
cleanup:
    return rc;
}

static enum err_code read_type(struct config_key *row, struct cursor *c) {
    if (*c->at++ != ' ') return c->at--, bad(c, "expected NAME TYPE");
    const char *found = *c->at ? memchr(LETTERS, *c->at, sizeof LETTERS) : NULL;
    if (!found) return bad(c, "unknown type");
    row->type = (enum config_type)(found - LETTERS);
    for (c->at++; *c->at && *c->at != ' '; c->at++) {
        size_t i = 0;
        while (i < N_MARKS && MARKS[i].letter != *c->at) i++;
        if (i == N_MARKS) return bad(c, "unknown mark of a type");
        row->flags |= MARKS[i].flag;
    }
    return ERR_OK;
}

static enum err_code read_key(struct key *key, struct cursor *c) {
    enum err_code rc = ERR_OK;
    struct err *err = c->err;
    struct config_key *row;
    const char *where = NULL;
    const size_t n = strcspn(c->at, " \n");
    TAKE(row, c->pool, 1);
    TAKE(key->values, c->pool, 1);
    row->name = pool_copy(c->pool, c->at, n);
    CHECK(row->name, ERR_MEMORY, "no memory for a point");
    row->unit = row->meaning = "";
    key->row = row;
    key->n = key->own = 1;
    c->at += n;
    TRY(read_type(row, c));
    TRY(read_value(key->values, row, c));
    if (strncmp(c->at, " @", 2) == 0) {
        c->at += 2;
        TRY(read_string(&where, c));
        key->where = where;
    }
    if (*c->at != '\n') TRY(bad(c, "expected the end of the line"));
    c->at++;
cleanup:
    return rc;
}

static size_t count_lines(const char *text) {
    size_t n = 0;
    for (; *text; text++) n += *text == '\n';
    return n;
}

static enum err_code read_keys(struct read_point *r, const char *text, struct err *err) {
    enum err_code rc = ERR_OK;
    struct cursor c = {text, &r->pool, err, 1};
    const size_t n = count_lines(text);
    uint32_t *at;
    TAKE(r->entry.keys, &r->pool, n + 1);
    TAKE(at, &r->pool, n + 1);
    for (; *c.at; c.line++) {
        if (r->entry.n_keys == n) return bad(&c, "a line without a newline");
        at[r->entry.n_keys] = 1;
        TRY(read_key(&r->entry.keys[r->entry.n_keys++], &c));
    }
    r->point = (struct config_point){&r->entry, at};
cleanup:
    return rc;
}

enum err_code config_point_read(struct config_point **out, const char *text, struct err *err) {
    enum err_code rc = ERR_OK;
    struct read_point *r = calloc(1, sizeof *r);
    CHECK(r, ERR_MEMORY, "no memory for a point");
    r->entry.name = r->entry.kind = "";
    r->entry.reader = KEY_NONE;
    r->entry.place = (struct place){"a point as text", 0};
    TRY(read_keys(r, text, err));
    *out = &r->point;
cleanup:
    if (rc != ERR_OK && r) config_point_destroy(&r->point);
    return rc;
}

void config_point_destroy(struct config_point *p) {
    if (!p) return;
    struct read_point *r = (struct read_point *)p;
    pool_release(&r->pool);
    free(r);
}
