#include "run/tables/answer_measures.h"

#include <string.h>

#include "base/text.h"

const struct answer_measure_info ANSWER_MEASURE[ANSWER_MEASURES_N] = {
#define X(id, column, ends, meaning) {column, ends, meaning},
    ANSWER_MEASURES(X)
#undef X
};

enum err_code answer_measure_read(enum answer_measure *out, const char *name, struct err *err) {
    struct text names = {0};
    for (size_t i = 0; i < ANSWER_MEASURES_N; i++) {
        if (strcmp(ANSWER_MEASURE[i].column, name) == 0) {
            *out = (enum answer_measure)i;
            return ERR_OK;
        }
        text_add(&names, "%s%s", i ? ", " : "", ANSWER_MEASURE[i].column);
    }
    (void)ERR(err, ERR_USAGE, "--measure: expected one of %s, got \"%s\"", text_str(&names), name);
    text_release(&names);
    return ERR_USAGE;
}
