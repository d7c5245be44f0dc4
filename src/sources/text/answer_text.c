#include "sources/text/answer_text.h"

#include <string.h>

static bool is_known(const struct tokenizer *t, const int32_t *ids, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (ids[i] < 0 || (size_t)ids[i] >= tokenizer_count(t)) return false;
    return true;
}

static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

struct words { /* part of a text */
    const char *data;
    size_t size;
};

static struct words without_blanks(const struct text *t) {
    struct words w = {text_str(t), t->size};
    while (w.size > 0 && is_blank(w.data[0])) w.data++, w.size--;
    while (w.size > 0 && is_blank(w.data[w.size - 1])) w.size--;
    return w;
}

static bool reads_alike(const struct text *a, const struct text *b) {
    const struct words x = without_blanks(a), y = without_blanks(b);
    return x.size == y.size && (x.size == 0 || memcmp(x.data, y.data, x.size) == 0);
}

enum err_code answer_text_equal(bool *out, const struct tokenizer *t, const int32_t *ids, size_t n,
                                const int32_t *answer, size_t n_answer, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text own = {0}, wanted = {0};
    *out = false;
    if (!is_known(t, ids, n)) return ERR_OK;
    TRY(tokenizer_decode(&own, t, ids, n, err));
    TRY(tokenizer_decode(&wanted, t, answer, n_answer, err));
    TRY(text_check(&own, err));
    TRY(text_check(&wanted, err));
    *out = reads_alike(&own, &wanted);
cleanup:
    text_release(&own);
    text_release(&wanted);
    return rc;
}
