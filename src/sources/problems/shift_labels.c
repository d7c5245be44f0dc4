/* Label-shuffled prompts, the corruption of text prompts by Saglam et al. (arXiv:2502.05390),
 * applied to numbers: each x of the context gets the label of another example. */
#include <string.h>

#include "sources/problems/shift.h"

/* After k examples: their k labels in a random order for (sample, k). The query keeps its own y. */
static void shuffled_values(const struct shift_prompt *p) {
    memset(p->shown_y, 0, p->points * p->points * sizeof *p->shown_y);
    for (size_t k = 1; k < p->points; k++) {
        rng_permutation(p->order, (uint32_t)k, &p->stream, p->sample, k);
        for (size_t i = 0; i < k; i++) p->shown_y[k * p->points + i] = p->y[p->order[i]];
    }
}

extern const struct shift shift_shuffled_labels;
const struct shift shift_shuffled_labels = {
    .name = "shuffled_labels",
    .meaning = "Label-shuffled prompts: the labels of the context are permuted again for each "
               "number of examples.",
    .paper = "Saglam et al., arXiv:2502.05390 (their text prompts)",
    .relabels = true,
    .values = shuffled_values,
};
