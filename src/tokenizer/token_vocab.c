#include "tokenizer/token_vocab.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct token_span { /* of bytes; size -1: the id has no token yet */
    size_t start;
    int32_t size;
};

/* FNV-1a with a final mix, so that the low bits depend on every byte. */
static size_t hash_token(const char *token, size_t size) {
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++) h = (h ^ (unsigned char)token[i]) * 0x100000001b3u;
    h ^= h >> 32;
    return (size_t)(h * 0x9e3779b97f4a7c15u >> 16);
}

enum err_code token_vocab_init(struct token_vocab *v, size_t n, const char *place,
                               struct err *err) {
    *v = (struct token_vocab){.own = n, .n_slots = 64};
    if (n == 0 || n > TOKEN_ID_MAX)
        return ERR(err, ERR_DATA, "%s: %s", place,
                   n ? "too many tokens" : "the vocabulary is empty");
    while (v->n_slots < 2 * n) v->n_slots *= 2;
    v->slots = calloc(v->n_slots, sizeof *v->slots);
    return v->slots ? ERR_OK : ERR(err, ERR_MEMORY, "no memory for %zu tokens", n);
}

void token_vocab_release(struct token_vocab *v) {
    text_release(&v->bytes);
    free(v->spans);
    free(v->slots);
    *v = (struct token_vocab){0};
}

/* The slot that holds the token, or the free one where it belongs. */
static uint32_t *token_slot(const struct token_vocab *v, const char *token, size_t size) {
    size_t at = hash_token(token, size) & (v->n_slots - 1);
    while (v->slots[at]) {
        const struct token_span *s = &v->spans[v->slots[at] - 1];
        if ((size_t)s->size == size && memcmp(v->bytes.data + s->start, token, size) == 0) break;
        at = (at + 1) & (v->n_slots - 1);
    }
    return &v->slots[at];
}

static enum err_code grow_spans(struct token_vocab *v, size_t least, struct err *err) {
    if (least <= v->capacity) return ERR_OK;
    size_t capacity = v->capacity ? v->capacity : 1024;
    while (capacity < least) capacity *= 2;
    struct token_span *spans = realloc(v->spans, capacity * sizeof *spans);
    if (!spans) return ERR(err, ERR_MEMORY, "no memory for %zu tokens", capacity);
    for (size_t i = v->capacity; i < capacity; i++) spans[i] = (struct token_span){0, -1};
    v->spans = spans;
    v->capacity = capacity;
    return ERR_OK;
}

/* Twice the slots, every token at its new place. */
static enum err_code grow_slots(struct token_vocab *v, struct err *err) {
    uint32_t *old = v->slots;
    v->slots = calloc(2 * v->n_slots, sizeof *v->slots);
    if (!v->slots) {
        v->slots = old;
        return ERR(err, ERR_MEMORY, "no memory for %zu tokens", v->n_slots);
    }
    v->n_slots *= 2;
    for (size_t i = 0; i < v->n_slots / 2; i++) {
        if (!old[i]) continue;
        const struct token_span *s = &v->spans[old[i] - 1];
        *token_slot(v, v->bytes.data + s->start, (size_t)s->size) = old[i];
    }
    free(old);
    return ERR_OK;
}

/* Before the model is complete any of its ids may follow, then only the next one. */
static enum err_code check_new_id(const struct token_vocab *v, const char *token, size_t size,
                                  int64_t id, const char *place, struct err *err) {
    char quote[64], other[64];
    const int64_t end = (int64_t)(v->n < v->own ? v->own : v->n + 1);
    token_vocab_quote(quote, token, size);
    if (id < 0 || id >= end || id > TOKEN_ID_MAX)
        return ERR(err, ERR_DATA,
                   "%s: the token %s has the id %lld; ids must run from 0 without a gap, here to "
                   "%lld",
                   place, quote, (long long)id, (long long)end - 1);
    if ((size_t)id >= v->capacity || v->spans[id].size < 0) return ERR_OK;
    const struct token_text first = token_vocab_at(v, (int32_t)id);
    return ERR(err, ERR_DATA, "%s: the tokens %s and %s have the same id %lld", place,
               token_vocab_quote(other, first.data, first.size), quote, (long long)id);
}

enum err_code token_vocab_add(struct token_vocab *v, const char *token, size_t size, int64_t id,
                              const char *place, struct err *err) {
    enum err_code rc = ERR_OK;
    char quote[64];
    CHECK(size <= TOKEN_BYTES_MAX, ERR_DATA, "%s: the token %s has %zu bytes; at most %d", place,
          token_vocab_quote(quote, token, size), size, TOKEN_BYTES_MAX);
    TRY(check_new_id(v, token, size, id, place, err));
    TRY(grow_spans(v, (size_t)id + 1, err));
    if (4 * (v->n + 1) > 3 * v->n_slots) TRY(grow_slots(v, err));
    uint32_t *slot = token_slot(v, token, size);
    CHECK(!*slot, ERR_DATA, "%s: the token %s has two ids, %u and %lld", place,
          token_vocab_quote(quote, token, size), *slot - 1, (long long)id);
    v->spans[id] = (struct token_span){v->bytes.size, (int32_t)size};
    text_bytes(&v->bytes, token, size);
    TRY(text_check(&v->bytes, err));
    *slot = (uint32_t)id + 1;
    v->n++;
cleanup:
    return rc;
}

int32_t token_vocab_find(const struct token_vocab *v, const char *token, size_t size) {
    return (int32_t)*token_slot(v, token, size) - 1;
}

int32_t token_vocab_find_own(const struct token_vocab *v, const char *token, size_t size) {
    const int32_t id = token_vocab_find(v, token, size);
    return id < (int32_t)v->own ? id : -1;
}

struct token_text token_vocab_at(const struct token_vocab *v, int32_t id) {
    assert(id >= 0 && (size_t)id < v->capacity && v->spans[id].size >= 0);
    return (struct token_text){v->bytes.data + v->spans[id].start, (size_t)v->spans[id].size};
}

const char *token_vocab_quote(char out[64], const char *token, size_t size) {
    enum { MOST = 40 };
    size_t n = size < MOST ? size : MOST;
    while (n < size && n > 0 && ((unsigned char)token[n] & 0xc0) == 0x80) n--;
    char *at = out;
    *at++ = '\'';
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)token[i];
        *at++ = c < 0x20 || c == 0x7f ? '?' : token[i];
    }
    memcpy(at, n < size ? "...'" : "'", n < size ? 5 : 2);
    return out;
}
