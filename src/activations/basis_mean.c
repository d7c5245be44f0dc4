#include "activations/basis_mean.h"

#include <stdlib.h>

enum err_code basis_mean(struct basis_set *mean, struct basis_collector *c,
                         const struct basis_mean_options *o, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t all = o->prompts.n;
    struct basis_set rows = {0};
    double *sum = calloc(basis_set_floats(mean), sizeof *sum);
    CHECK(sum, ERR_MEMORY, "no memory for the sum of a basis");
    TRY(basis_set_create(&rows, &mean->dims, mean->parts, o->chunk, err));
    for (size_t first = 0; first < all; first += o->chunk) {
        const struct prompt_view part = prompt_view_chunk(&o->prompts, first, o->chunk);
        basis_collector_run(&rows, c, o->params, &part);
        for (size_t r = 0; r < part.n; r++) basis_set_add_row(sum, &rows, r);
        if (o->report) TRY(o->report(o->context, part.n, err));
    }
    basis_set_mean(mean, sum, all);
cleanup:
    basis_set_destroy(&rows);
    free(sum);
    return rc;
}
