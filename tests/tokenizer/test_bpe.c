#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/rng.h"
#include "tokenizer/bpe.h"
#include "twins/error_says.h"

struct fixture {
    struct token_vocab vocab;
    struct bpe bpe;
    char left[64][16], right[64][16]; /* the merges, by rank */
    size_t n;
};

static void add_token(struct fixture *f, const char *token) {
    struct err err;
    if (token_vocab_find(&f->vocab, token, strlen(token)) >= 0) return;
    SUCCEEDS(token_vocab_add(&f->vocab, token, strlen(token), (int64_t)f->vocab.n, "t", &err));
}

/* Characters a to d, and merges (given as "LEFT RIGHT", NULL-terminated) with their tokens. */
static void make_fixture(struct fixture *f, const char *const *merges) {
    struct err err;
    *f = (struct fixture){.n = 0};
    SUCCEEDS(token_vocab_init(&f->vocab, 4, "t", &err));
    for (const char *c = "abcd"; *c; c++) add_token(f, (char[]){*c, '\0'});
    for (; merges[f->n]; f->n++) {
        char joined[32];
        assert_int_equal(sscanf(merges[f->n], "%15s %15s", f->left[f->n], f->right[f->n]), 2);
        (void)snprintf(joined, sizeof joined, "%s%s", f->left[f->n], f->right[f->n]);
        add_token(f, joined);
    }
    f->vocab.own = f->vocab.n; /* the merged ones are tokens of the model too */
    SUCCEEDS(bpe_init(&f->bpe, &f->vocab, f->n, &err));
    for (size_t i = 0; i < f->n; i++)
        SUCCEEDS(bpe_add_merge(&f->bpe, &f->vocab, f->left[i], strlen(f->left[i]), f->right[i],
                               strlen(f->right[i]), "t", &err));
}

static void drop_fixture(struct fixture *f) {
    bpe_release(&f->bpe);
    token_vocab_release(&f->vocab);
}

static void encode(struct token_ids *out, const struct fixture *f, const char *word) {
    struct err err;
    struct bpe_scratch scratch = {0};
    out->n = 0;
    SUCCEEDS(bpe_encode(out, &f->bpe, &f->vocab, &scratch, word, strlen(word), &err));
    bpe_scratch_release(&scratch);
}

static void tokens_are(const struct fixture *f, const char *word, const char *wanted) {
    struct token_ids ids = {0};
    struct text line = {0};
    encode(&ids, f, word);
    for (size_t i = 0; i < ids.n; i++) {
        const struct token_text t = token_vocab_at(&f->vocab, ids.ids[i]);
        text_add(&line, "%s%.*s", i ? " " : "", (int)t.size, t.data);
    }
    assert_string_equal(text_str(&line), wanted);
    text_release(&line);
    token_ids_release(&ids);
}

static void least_rank_then_leftmost_first(void **state) {
    (void)state;
    struct fixture f;
    make_fixture(&f, (const char *const[]){"b c", "a b", "a a", "ab c", NULL});
    tokens_are(&f, "abc", "a bc");
    tokens_are(&f, "abd", "ab d");
    tokens_are(&f, "aaaaa", "aa aa a");
    tokens_are(&f, "aab", "a ab");
    drop_fixture(&f);
}

/* What a textbook does: the pair of least rank, leftmost first, joined one at a time. */
static size_t naive(char words[][16], size_t n, const struct fixture *f) {
    for (;;) {
        size_t best = f->n, at = 0;
        for (size_t i = 0; i + 1 < n; i++)
            for (size_t m = 0; m < best; m++)
                if (strcmp(words[i], f->left[m]) == 0 && strcmp(words[i + 1], f->right[m]) == 0)
                    best = m, at = i;
        if (best == f->n) return n;
        const size_t length = strlen(words[at]);
        memmove(words[at] + length, words[at + 1], strlen(words[at + 1]) + 1);
        memmove(words[at + 1], words[at + 2], (n - at - 2) * sizeof *words);
        n--;
    }
}

static void random_words_as_by_the_textbook(void **state) {
    (void)state;
    const char *const merges[] = {"c d", "a b",  "ab ab", "d a",   "b c", "a a",   "bc da",
                                  "b b", "cd a", "aa a",  "da bc", "d d", "dd dd", NULL};
    struct fixture f;
    struct token_ids ids = {0};
    const struct rng rng = rng_stream(7, "test/bpe");
    make_fixture(&f, merges);
    for (uint64_t round = 0; round < 2000; round++) {
        char word[33] = "", words[32][16];
        const size_t n =
            1 + rng_below(14, &rng, round, 0, 0); /* the longest naive word fits its 16 bytes */
        for (size_t i = 0; i < n; i++) {
            word[i] = (char)('a' + rng_below(4, &rng, round, i, 1));
            (void)snprintf(words[i], sizeof words[i], "%c", word[i]);
        }
        const size_t wanted = naive(words, n, &f);
        encode(&ids, &f, word);
        assert_int_equal(ids.n, wanted);
        for (size_t i = 0; i < wanted; i++)
            assert_int_equal(ids.ids[i], token_vocab_find(&f.vocab, words[i], strlen(words[i])));
    }
    token_ids_release(&ids);
    drop_fixture(&f);
}

static void unknown_characters(void **state) {
    (void)state;
    struct err err;
    struct fixture f;
    struct token_ids ids = {0};
    struct bpe_scratch scratch = {0};
    make_fixture(&f, (const char *const[]){"a b", NULL});
    tokens_are(&f, "axb", "ab"); /* left out before the merges */
    f.bpe.unk_token = text_copy("d");
    tokens_are(&f, "axyb", "a d d b");
    f.bpe.fuse_unk = true;
    tokens_are(&f, "axyb", "a d b");
    free(f.bpe.unk_token);
    f.bpe.unk_token = text_copy("nowhere");
    ERROR_SAYS(bpe_encode(&ids, &f.bpe, &f.vocab, &scratch, "\xc3\xa9", 2, &err), ERR_DATA,
               "the character '\xc3\xa9' is not in the vocabulary, and neither is the unk_token");
    bpe_scratch_release(&scratch);
    token_ids_release(&ids);
    drop_fixture(&f);
}

static void merges_name_tokens_of_the_vocabulary(void **state) {
    (void)state;
    struct err err;
    struct fixture f;
    make_fixture(&f, (const char *const[]){"a b", NULL});
    ERROR_SAYS(bpe_add_merge(&f.bpe, &f.vocab, "x", 1, "a", 1, "f:3", &err), ERR_DATA,
               "f:3: the merge needs the token 'x'");
    ERROR_SAYS(bpe_add_merge(&f.bpe, &f.vocab, "a", 1, "c", 1, "f:3", &err), ERR_DATA,
               "the token 'ac', which is not in the vocabulary");
    drop_fixture(&f);
}

/* Processor time of a word of a million characters: far from quadratic, also under sanitizers. */
static void long_words_take_linear_time(void **state) {
    (void)state;
    enum { SIZE = 1000000 };
    static char word[SIZE + 1];
    struct err err;
    struct fixture f;
    struct token_ids ids = {0};
    struct bpe_scratch scratch = {0};
    make_fixture(&f, (const char *const[]){"a a", "aa aa", "aaaa aaaa", NULL});
    memset(word, 'a', SIZE);
    const clock_t before = clock();
    SUCCEEDS(bpe_encode(&ids, &f.bpe, &f.vocab, &scratch, word, SIZE, &err));
    assert_int_equal(ids.n, SIZE / 8);
    assert_true((double)(clock() - before) / CLOCKS_PER_SEC < 20);
    bpe_scratch_release(&scratch);
    token_ids_release(&ids);
    drop_fixture(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(least_rank_then_leftmost_first),
        cmocka_unit_test(random_words_as_by_the_textbook),
        cmocka_unit_test(unknown_characters),
        cmocka_unit_test(merges_name_tokens_of_the_vocabulary),
        cmocka_unit_test(long_words_take_linear_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
