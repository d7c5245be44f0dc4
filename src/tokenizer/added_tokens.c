#include "tokenizer/added_tokens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tokenizer/unicode.h"

/* ---- reading */

/* Adds a token that the vocabulary lacks; one that it has must have the same id there. */
static enum err_code add_missing(struct token_vocab *vocab, const char *content, int64_t id,
                                 const char *place, struct err *err) {
    char quote[64];
    const size_t size = strlen(content);
    const int32_t known = token_vocab_find(vocab, content, size);
    if (known < 0) return token_vocab_add(vocab, content, size, id, place, err);
    if (known == id) return ERR_OK;
    return ERR(err, ERR_DATA, "%s: the token %s has two ids, %d and %lld", place,
               token_vocab_quote(quote, content, size), known, (long long)id);
}

static enum err_code read_flags(struct added_token *t, const struct component *c, struct err *err) {
    enum err_code rc = ERR_OK;
    static const char *const KEYS[] = {"id",     "content",    "single_word", "lstrip",
                                       "rstrip", "normalized", "special",     NULL};
    bool special = false; /* matters only where a decoder leaves such tokens out */
    t->normalized = true;
    TRY(component_keys(c, KEYS, err));
    TRY(component_bool(&t->single_word, c, "single_word", err));
    TRY(component_bool(&t->lstrip, c, "lstrip", err));
    TRY(component_bool(&t->rstrip, c, "rstrip", err));
    TRY(component_bool(&t->normalized, c, "normalized", err));
    TRY(component_bool(&special, c, "special", err));
cleanup:
    return rc;
}

static enum err_code read_added(struct added_token *t, struct token_vocab *vocab,
                                const struct component *c, const struct normalizer *normalizer,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    char place[COMPONENT_PLACE];
    const char *content = NULL;
    int64_t id = 0;
    (void)snprintf(place, sizeof place, "%.400s: added_tokens", c->file);
    TRY(json_expect(c->object, JSON_KIND_OBJECT, place, err));
    TRY(read_flags(t, c, err));
    TRY(component_text(&content, c, "content", err));
    TRY(json_read_int(&id, json_member(c->object, "id"), place, err));
    CHECK(*content, ERR_DATA, "%s: the token of id %lld is empty", place, (long long)id);
    TRY(add_missing(vocab, content, id, place, err));
    t->id = (int32_t)id;
    text_bytes(&t->pattern, content, strlen(content));
    if (t->normalized) TRY(normalizer_apply(&t->pattern, normalizer, err));
    CHECK(t->pattern.size > 0, ERR_DATA, "%s: nothing is left of '%.40s' after the normalizer",
          place, content);
    TRY(text_check(&t->pattern, err));
cleanup:
    return rc;
}

static int compare_patterns(const void *a, const void *b) {
    const struct added_token *x = *(struct added_token *const *)a;
    const struct added_token *y = *(struct added_token *const *)b;
    const size_t n = x->pattern.size < y->pattern.size ? x->pattern.size : y->pattern.size;
    const int order = memcmp(x->pattern.data, y->pattern.data, n);
    if (order) return order;
    return (x->pattern.size > y->pattern.size) - (x->pattern.size < y->pattern.size);
}

static enum err_code build_matcher(struct added_matcher *m, const struct added_tokens *a,
                                   bool normalized, const char *file, struct err *err) {
    if (a->n == 0) return ERR_OK;
    m->list = malloc(a->n * sizeof(struct added_token *));
    if (!m->list) return ERR(err, ERR_MEMORY, "no memory for %zu added tokens", a->n);
    for (size_t i = 0; i < a->n; i++)
        if (a->list[i].normalized == normalized) m->list[m->n++] = &a->list[i];
    qsort(m->list, m->n, sizeof(struct added_token *), compare_patterns);
    for (size_t i = 0; i < m->n; i++) {
        char quote[64];
        const struct text *p = &m->list[i]->pattern;
        m->first[(unsigned char)p->data[0] + 1] = i + 1;
        if (i > 0 && compare_patterns(&m->list[i - 1], &m->list[i]) == 0)
            return ERR(err, ERR_DATA,
                       "%.400s: added_tokens: the ids %d and %d have the same text %s", file,
                       m->list[i - 1]->id, m->list[i]->id,
                       token_vocab_quote(quote, p->data, p->size));
    }
    for (size_t b = 1; b < 257; b++)
        if (m->first[b] < m->first[b - 1]) m->first[b] = m->first[b - 1];
    return ERR_OK;
}

static enum err_code index_ids(struct added_tokens *a, const struct token_vocab *vocab,
                               struct err *err) {
    a->by_id = calloc(vocab->n, sizeof(struct added_token *));
    if (!a->by_id) return ERR(err, ERR_MEMORY, "no memory for %zu tokens", vocab->n);
    a->n_ids = vocab->n;
    for (size_t i = 0; i < a->n; i++) a->by_id[a->list[i].id] = &a->list[i];
    return ERR_OK;
}

enum err_code added_tokens_read(struct added_tokens *out, struct token_vocab *vocab,
                                struct json value, const struct normalizer *normalizer,
                                const char *file, struct err *err) {
    enum err_code rc = ERR_OK;
    char place[COMPONENT_PLACE];
    if (json_kind(value) == JSON_KIND_ABSENT) return ERR_OK;
    (void)snprintf(place, sizeof place, "%.400s: added_tokens", file);
    TRY(json_expect(value, JSON_KIND_ARRAY, place, err));
    const size_t n = json_count(value);
    out->list = calloc(n ? n : 1, sizeof *out->list);
    CHECK(out->list, ERR_MEMORY, "no memory for %zu added tokens", n);
    for (size_t i = 0; i < n; i++) {
        const struct component c = {json_item(value, i), file, "added_tokens", "token"};
        TRY(read_added(&out->list[out->n++], vocab, &c, normalizer, err));
    }
    TRY(index_ids(out, vocab, err));
    TRY(build_matcher(&out->before, out, false, file, err));
    TRY(build_matcher(&out->after, out, true, file, err));
cleanup:
    return rc;
}

void added_tokens_release(struct added_tokens *a) {
    for (size_t i = 0; i < a->n; i++) text_release(&a->list[i].pattern);
    free(a->list);
    free(a->by_id);
    free(a->before.list);
    free(a->after.list);
    *a = (struct added_tokens){0};
}

const struct added_token *added_tokens_at(const struct added_tokens *a, int32_t id) {
    return id >= 0 && (size_t)id < a->n_ids ? a->by_id[id] : NULL;
}

/* ---- finding */

/* Of the patterns [low, high), equal in their first `depth` bytes, the first whose next byte is at
 * least c. */
static size_t first_not_below(const struct added_matcher *m, size_t low, size_t high, size_t depth,
                              unsigned c) {
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if ((unsigned char)m->list[middle]->pattern.data[depth] < c)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The longest pattern that text [size] begins with, or NULL. */
static const struct added_token *longest_at(const struct added_matcher *m, const char *text,
                                            size_t size) {
    const struct added_token *found = NULL;
    const unsigned char byte = (unsigned char)text[0];
    size_t low = m->first[byte], high = m->first[byte + 1];
    for (size_t depth = 1; low < high; depth++) {
        if (m->list[low]->pattern.size == depth) found = m->list[low++];
        if (depth == size) break;
        const unsigned c = (unsigned char)text[depth];
        low = first_not_below(m, low, high, depth, c);
        high = first_not_below(m, low, high, depth, c + 1);
    }
    return found;
}

static bool is_single_word(const char *text, size_t size, size_t start, size_t end) {
    size_t before, after = end;
    if (start > 0 && unicode_is_word(unicode_before(text, start, &before))) return false;
    return end == size || !unicode_is_word(unicode_next(text, &after));
}

/* Moves start and end over white space, start not below `least`. */
static void strip_around(const struct added_token *t, const char *text, size_t size, size_t *start,
                         size_t *end, size_t least) {
    size_t at = *start, next;
    while (t->lstrip && at > 0 && unicode_is_space(unicode_before(text, at, &next))) at = next;
    if (t->lstrip) *start = at > least ? at : least;
    for (at = *end; t->rstrip && at < size && unicode_is_space(unicode_next(text, &at));) *end = at;
}

void added_tokens_split(struct pieces *out, const struct pieces *in, size_t i,
                        const struct added_matcher *m) {
    const char *text = pieces_bytes(in, i);
    const size_t size = in->list[i].size;
    const bool first = in->list[i].first;
    size_t done = 0;
    for (size_t at = 0; m->n > 0 && at < size;) {
        const struct added_token *t = longest_at(m, text + at, size - at);
        if (!t) {
            at++;
            continue;
        }
        size_t start = at, end = at + t->pattern.size;
        at = end;
        if (t->single_word && !is_single_word(text, size, start, end)) continue;
        strip_around(t, text, size, &start, &end, done);
        if (done < start) pieces_add(out, text + done, start - done, -1, first && done == 0);
        if (start < end) pieces_add(out, "", 0, t->id, false); /* else one before took it all */
        done = end;
    }
    if (done < size) pieces_add(out, text + done, size - done, -1, first && done == 0);
}
