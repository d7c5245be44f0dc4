/* Control: a vector of zeros through the whole edit path. It must equal `plain` bit for bit. */
#include "methods/method.h"

#include <string.h>

static void zero_vector(float *v, const float *w, const struct basis *b,
                        const struct method_setup *s, float *scratch) {
    (void)w, (void)b, (void)scratch;
    memset(v, 0, s->params->dims.L * s->params->dims.E * sizeof *v);
}

extern const struct method method_zero;
const struct method method_zero = {
    .name = "zero",
    .docs = {.meaning = "Vector of zeros, whose results must equal those of plain bit for bit.",
             .paper = "",
             .sees = "nothing",
             .cost = "none",
             .control = true,
             .weights = "",
             .vector = "v_l = 0",
             .place = "adds v_l to the output of every block l; query"},
    .application = {.vector = zero_vector},
};
