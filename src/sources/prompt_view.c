#include "sources/prompt_view.h"

#include <string.h>

void prompt_tokens(float *tokens, const float *x, const float *y, size_t n, size_t points,
                   size_t dims) {
    for (size_t i = 0; i < n * points; i++, tokens += 2 * dims) {
        memcpy(tokens, x + i * dims, dims * sizeof *tokens);
        memset(tokens + dims, 0, dims * sizeof *tokens);
        tokens[dims] = y[i];
    }
}
