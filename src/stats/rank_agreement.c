#include "stats/rank_agreement.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

struct ranked {
    double value;
    size_t at; /* where it stood */
};

/* The largest first, the first of equals first. */
static int by_size_then_place(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;
    if (x->value != y->value) return x->value < y->value ? 1 : -1;
    return (x->at > y->at) - (x->at < y->at);
}

/* rank [n]: from 1, the mean of those that equal values share; is_top [n]: among the first `top`.
 */
static void rank_values(double *rank, bool *is_top, struct ranked *room, const double *x, size_t n,
                        size_t top) {
    for (size_t i = 0; i < n; i++) room[i] = (struct ranked){x[i], i};
    qsort(room, n, sizeof *room, by_size_then_place);
    for (size_t first = 0, end; first < n; first = end) {
        for (end = first + 1; end < n && room[end].value == room[first].value;) end++;
        for (size_t i = first; i < end; i++) {
            rank[room[i].at] = 0.5 * (double)(first + 1 + end);
            is_top[room[i].at] = i < top;
        }
    }
}

/* Both have the mean (n + 1) / 2. */
static double correlation(const double *a, const double *b, size_t n) {
    const double mean = 0.5 * (double)(n + 1);
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < n; i++) {
        ab += (a[i] - mean) * (b[i] - mean);
        aa += (a[i] - mean) * (a[i] - mean);
        bb += (b[i] - mean) * (b[i] - mean);
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : (double)NAN;
}

enum err_code rank_agreement_of(struct rank_agreement *out, const double *x, const double *y,
                                size_t n, size_t top, struct err *err) {
    enum err_code rc = ERR_OK;
    double *ranks = NULL;
    bool *tops = NULL;
    size_t both = 0;
    assert(top >= 1 && top <= n);
    struct ranked *room = calloc(n, sizeof *room);
    ranks = calloc(2 * n, sizeof *ranks);
    tops = calloc(2 * n, sizeof *tops);
    CHECK(room && ranks && tops, ERR_MEMORY, "rank agreement: no memory for %zu values", n);
    rank_values(ranks, tops, room, x, n, top);
    rank_values(ranks + n, tops + n, room, y, n, top);
    for (size_t i = 0; i < n; i++) both += tops[i] && tops[n + i];
    *out = (struct rank_agreement){.spearman = correlation(ranks, ranks + n, n),
                                   .overlap = (double)both / (double)top,
                                   .expected = (double)top / (double)n};
cleanup:
    free(tops);
    free(ranks);
    free(room);
    return rc;
}
