#include "model/edit.h"

void edit_add(float *restrict x, const float *restrict values, float scale, size_t E) {
    for (size_t e = 0; e < E; e++) {
        const float v = scale * values[e];
        x[e] = v != 0.0f ? x[e] + v : x[e]; /* -0 + 0 would be +0 */
    }
}
