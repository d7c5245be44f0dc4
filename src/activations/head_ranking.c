#include "activations/head_ranking.h"

#include <math.h>
#include <stdbool.h>

size_t head_ranking_top(double share, size_t n) {
    const size_t top = (size_t)lround(share * (double)n);
    if (share <= 0) return 0;
    if (top == 0) return 1;
    return top < n ? top : n;
}

static bool is_among(const uint32_t *order, size_t top, uint32_t head) {
    for (size_t i = 0; i < top; i++)
        if (order[i] == head) return true;
    return false;
}

size_t head_ranking_without(uint32_t *out, const uint32_t *order, size_t n,
                            const uint32_t *excluded, size_t top) {
    size_t left = 0;
    for (size_t i = 0; i < n; i++)
        if (!is_among(excluded, top, order[i])) out[left++] = order[i];
    return left;
}
