#include "tokenizer/bpe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tokenizer/unicode.h"

struct bpe_symbol {         /* of a word: characters that are merged step by step */
    int32_t id;             /* -1: merged into the symbol before it */
    int32_t previous, next; /* or -1 */
};

/* ---- merges */

enum err_code bpe_init(struct bpe *b, const struct token_vocab *vocab, size_t expected,
                       struct err *err) {
    char name[16];
    *b = (struct bpe){.n_slots = 64, .capacity = expected};
    while (b->n_slots < 2 * expected) b->n_slots *= 2;
    b->merges = malloc((expected ? expected : 1) * sizeof *b->merges);
    b->slots = calloc(b->n_slots, sizeof *b->slots);
    if (!b->merges || !b->slots) {
        bpe_release(b);
        return ERR(err, ERR_MEMORY, "no memory for %zu merges", expected);
    }
    for (unsigned i = 0; i < 256; i++) {
        const int n = snprintf(name, sizeof name, "<0x%02X>", i);
        b->bytes[i] = token_vocab_find_own(vocab, name, (size_t)n);
    }
    return ERR_OK;
}

void bpe_release(struct bpe *b) {
    free(b->merges);
    free(b->slots);
    free(b->unk_token);
    *b = (struct bpe){0};
}

void bpe_scratch_release(struct bpe_scratch *s) {
    free(s->symbols);
    free(s->queue);
    *s = (struct bpe_scratch){0};
}

/* The slot of the merge of a pair, or the free one where it belongs. */
static uint32_t *pair_slot(const struct bpe *b, int32_t left, int32_t right) {
    const uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    size_t at = (size_t)((key ^ key >> 29) * 0x9e3779b97f4a7c15u >> 24) & (b->n_slots - 1);
    while (b->slots[at]) {
        const struct bpe_merge *m = &b->merges[b->slots[at] - 1];
        if (m->left == left && m->right == right) break;
        at = (at + 1) & (b->n_slots - 1);
    }
    return &b->slots[at];
}

static enum err_code find_merged(int32_t *id, const struct token_vocab *vocab, const char *token,
                                 size_t size, const char *place, struct err *err) {
    char quote[64];
    *id = token_vocab_find_own(vocab, token, size);
    if (*id >= 0) return ERR_OK;
    return ERR(err, ERR_DATA, "%s: the merge needs the token %s, which is not in the vocabulary",
               place, token_vocab_quote(quote, token, size));
}

enum err_code bpe_add_merge(struct bpe *b, const struct token_vocab *vocab, const char *left,
                            size_t left_size, const char *right, size_t right_size,
                            const char *place, struct err *err) {
    enum err_code rc = ERR_OK;
    char joined[2 * TOKEN_BYTES_MAX];
    struct bpe_merge m;
    TRY(find_merged(&m.left, vocab, left, left_size, place, err));
    TRY(find_merged(&m.right, vocab, right, right_size, place, err));
    memcpy(joined, left, left_size); /* both are tokens, so they fit */
    memcpy(joined + left_size, right, right_size);
    TRY(find_merged(&m.result, vocab, joined, left_size + right_size, place, err));
    CHECK(b->n < b->capacity, ERR_BUG, "%s: more merges than expected", place);
    uint32_t *slot = pair_slot(b, m.left, m.right);
    b->merges[b->n] = m;
    *slot = (uint32_t)++b->n;
cleanup:
    return rc;
}

/* ---- the queue: a binary heap of rank and position, the least on top */

static enum err_code push_pair(struct bpe_scratch *s, const struct bpe *b, int32_t left,
                               struct err *err) {
    const struct bpe_symbol *symbol = &s->symbols[left];
    const uint32_t slot = *pair_slot(b, symbol->id, s->symbols[symbol->next].id);
    if (!slot) return ERR_OK;
    if (s->n_queue == s->queue_capacity) {
        const size_t capacity = s->queue_capacity ? 2 * s->queue_capacity : 64;
        uint64_t *queue = realloc(s->queue, capacity * sizeof *queue);
        if (!queue) return ERR(err, ERR_MEMORY, "no memory for %zu merges of a word", capacity);
        s->queue = queue;
        s->queue_capacity = capacity;
    }
    const uint64_t item = (uint64_t)(slot - 1) << 32 | (uint32_t)left;
    size_t at = s->n_queue++;
    while (at > 0 && s->queue[(at - 1) / 2] > item) {
        s->queue[at] = s->queue[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    s->queue[at] = item;
    return ERR_OK;
}

static uint64_t pop_pair(struct bpe_scratch *s) {
    const uint64_t top = s->queue[0], item = s->queue[--s->n_queue];
    size_t at = 0;
    for (size_t child = 1; child < s->n_queue; child = 2 * at + 1) {
        if (child + 1 < s->n_queue && s->queue[child + 1] < s->queue[child]) child++;
        if (s->queue[child] >= item) break;
        s->queue[at] = s->queue[child];
        at = child;
    }
    s->queue[at] = item;
    return top;
}

/* ---- words */

static void add_symbol(struct bpe_scratch *s, int32_t id) {
    const int32_t at = (int32_t)s->n++;
    s->symbols[at] = (struct bpe_symbol){.id = id, .previous = at - 1, .next = -1};
    if (at > 0) s->symbols[at - 1].next = at;
}

/* Adds the bytes of a character; false if one of them has no token. */
static bool add_bytes(struct bpe_scratch *s, const struct bpe *b, const char *c, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (b->bytes[(unsigned char)c[i]] < 0) return false;
    for (size_t i = 0; i < size; i++) add_symbol(s, b->bytes[(unsigned char)c[i]]);
    return true;
}

static enum err_code find_unknown(int32_t *id, const struct bpe *b, const struct token_vocab *vocab,
                                  const char *c, size_t size, struct err *err) {
    char quote[64];
    *id = token_vocab_find_own(vocab, b->unk_token, strlen(b->unk_token));
    if (*id >= 0) return ERR_OK;
    return ERR(err, ERR_DATA,
               "the character %s is not in the vocabulary, and neither is the unk_token of the "
               "model, '%.40s'",
               token_vocab_quote(quote, c, size), b->unk_token);
}

/* The characters as symbols. An unknown token waits until the next known character, also where
 * bytes come before that: the reference library places it so. */
static enum err_code add_characters(struct bpe_scratch *s, const struct bpe *b,
                                    const struct token_vocab *vocab, const char *word, size_t size,
                                    struct err *err) {
    enum err_code rc = ERR_OK;
    int32_t waiting = -1;
    for (size_t at = 0, start = 0; at < size; start = at) {
        (void)unicode_next(word, &at);
        const int32_t id = token_vocab_find_own(vocab, word + start, at - start);
        if (id >= 0) {
            if (waiting >= 0) add_symbol(s, waiting);
            waiting = -1;
            add_symbol(s, id);
        } else if (!(b->byte_fallback && add_bytes(s, b, word + start, at - start)) &&
                   b->unk_token) {
            if (waiting >= 0 && !b->fuse_unk) add_symbol(s, waiting);
            TRY(find_unknown(&waiting, b, vocab, word + start, at - start, err));
        }
    }
    if (waiting >= 0) add_symbol(s, waiting);
cleanup:
    return rc;
}

/* Joins the pair at `item`, if it still is the pair that was queued. */
static enum err_code join_pair(struct bpe_scratch *s, const struct bpe *b, uint64_t item,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    const int32_t at = (int32_t)(uint32_t)item, result = b->merges[item >> 32].result;
    struct bpe_symbol *left = &s->symbols[at];
    if (left->id < 0 || left->next < 0) return ERR_OK;
    struct bpe_symbol *right = &s->symbols[left->next];
    const uint32_t slot = *pair_slot(b, left->id, right->id);
    if (!slot || b->merges[slot - 1].result != result) return ERR_OK;
    left->id = result;
    left->next = right->next;
    right->id = -1;
    if (left->next >= 0) s->symbols[left->next].previous = at;
    if (left->previous >= 0) TRY(push_pair(s, b, left->previous, err));
    if (left->next >= 0) TRY(push_pair(s, b, at, err));
cleanup:
    return rc;
}

/* A character is at most as many symbols as it has bytes, and one of them may wait. */
static enum err_code reserve_symbols(struct bpe_scratch *s, size_t n, struct err *err) {
    if (n <= s->capacity) return ERR_OK;
    size_t capacity = s->capacity ? s->capacity : 64;
    while (capacity < n) capacity *= 2;
    struct bpe_symbol *symbols = realloc(s->symbols, capacity * sizeof *symbols);
    if (!symbols) return ERR(err, ERR_MEMORY, "no memory for a word of %zu bytes", n);
    s->symbols = symbols;
    s->capacity = capacity;
    return ERR_OK;
}

enum err_code bpe_encode(struct token_ids *out, const struct bpe *b,
                         const struct token_vocab *vocab, struct bpe_scratch *s, const char *word,
                         size_t size, struct err *err) {
    enum err_code rc = ERR_OK;
    const int32_t whole = b->ignore_merges ? token_vocab_find_own(vocab, word, size) : -1;
    if (whole >= 0) {
        token_ids_add(out, whole);
        return ERR_OK;
    }
    s->n = s->n_queue = 0;
    TRY(reserve_symbols(s, size, err));
    TRY(add_characters(s, b, vocab, word, size, err));
    for (size_t i = 0; i + 1 < s->n; i++) TRY(push_pair(s, b, (int32_t)i, err));
    while (s->n_queue > 0) TRY(join_pair(s, b, pop_pair(s), err));
    for (size_t i = 0; i < s->n; i++)
        if (s->symbols[i].id >= 0) token_ids_add(out, s->symbols[i].id);
cleanup:
    return rc;
}
