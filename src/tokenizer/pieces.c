#include "tokenizer/pieces.h"

#include <stdlib.h>

void pieces_release(struct pieces *p) {
    text_release(&p->text);
    free(p->list);
    *p = (struct pieces){0};
}

void pieces_clear(struct pieces *p) {
    text_clear(&p->text);
    p->n = 0;
    p->failed = false;
}

enum err_code pieces_check(const struct pieces *p, struct err *err) {
    if (p->failed) return ERR(err, ERR_MEMORY, "no memory for more than %zu pieces", p->n);
    return text_check(&p->text, err);
}

static void append_piece(struct pieces *p, struct piece piece) {
    if (p->n == p->capacity) {
        const size_t capacity = p->capacity ? 2 * p->capacity : 64;
        struct piece *list = realloc(p->list, capacity * sizeof *list);
        if (!list) {
            p->failed = true;
            return;
        }
        p->list = list;
        p->capacity = capacity;
    }
    p->list[p->n++] = piece;
}

void pieces_add(struct pieces *p, const char *bytes, size_t size, int32_t id, bool first) {
    if (size == 0 && id < 0) return;
    const size_t start = p->text.size;
    text_bytes(&p->text, bytes, size);
    append_piece(p, (struct piece){start, size, id, first});
}

void pieces_add_written(struct pieces *p, size_t start, bool first) {
    if (p->text.size > start)
        append_piece(p, (struct piece){start, p->text.size - start, -1, first});
}

void pieces_add_token(struct pieces *p, size_t start, int32_t id) {
    append_piece(p, (struct piece){start, p->text.size - start, id, false});
}

const char *pieces_bytes(const struct pieces *p, size_t i) {
    return text_str(&p->text) + p->list[i].start;
}

/* ---- splitting: the parts of a piece go one by one through take_part(), which joins them. */

struct pieces_cut {
    struct pieces *out;
    const char *bytes; /* of the piece */
    bool piece_first;
    enum pieces_behavior behavior;
    bool invert;
    bool open, open_match; /* a part waits: parts may still be joined to it */
    size_t start, end;
};

static void flush_part(struct pieces_cut *c) {
    if (c->open && !(c->behavior == PIECES_REMOVED && c->open_match))
        pieces_add(c->out, c->bytes + c->start, c->end - c->start, -1,
                   c->piece_first && c->start == 0);
    c->open = false;
}

/* Whether the next part joins the one that waits. With-next joins a match to what follows it;
 * with-previous joins the first match of a row to what precedes it. */
static bool joins(const struct pieces_cut *c, bool match) {
    switch (c->behavior) {
    case PIECES_CONTIGUOUS:
        return match == c->open_match;
    case PIECES_MERGED_WITH_PREVIOUS:
        return match && !c->open_match;
    case PIECES_MERGED_WITH_NEXT:
        return !match && c->open_match;
    case PIECES_ISOLATED:
    case PIECES_REMOVED:
        break;
    }
    return false;
}

static void take_part(struct pieces_cut *c, size_t start, size_t end, bool match) {
    if (start == end) return;
    match = match != c->invert;
    if (c->open && joins(c, match)) {
        c->end = end;
        c->open_match = match;
        return;
    }
    flush_part(c);
    c->open = true;
    c->open_match = match;
    c->start = start;
    c->end = end;
}

enum err_code pieces_split(struct pieces *out, const struct pieces *in, size_t i,
                           const struct token_pattern *pattern, enum pieces_behavior behavior,
                           bool invert, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct piece *p = &in->list[i];
    struct pieces_cut c = {.out = out, .bytes = pieces_bytes(in, i), .piece_first = p->first};
    c.behavior = behavior;
    c.invert = invert;
    for (size_t done = 0, start, end; done < p->size; done = end) {
        bool found;
        TRY(token_pattern_find(&found, &start, &end, pattern, c.bytes, p->size, done, err));
        if (!found) start = end = p->size;
        take_part(&c, done, start, false);
        take_part(&c, start, end, true);
    }
    flush_part(&c);
cleanup:
    return rc;
}
