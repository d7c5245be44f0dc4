#include "run/tables/comparison_set.h"

#include <stdlib.h>

enum err_code comparison_set_add(struct comparison_set *set, const struct run_state *run,
                                 size_t stage, struct err *err) {
    enum err_code rc = ERR_OK;
    struct comparison_source *source = calloc(1, sizeof *source);
    struct comparison_source **list = realloc(set->list, (set->n + 1) * sizeof *list);
    if (list) set->list = list;
    if (!list || !source) {
        free(source);
        return ERR(err, ERR_MEMORY, "no memory for %zu evaluations", set->n + 1);
    }
    list[set->n++] = source;
    source->run = run;
    source->stage = stage;
    TRY(summary_make(&source->summary, run, stage, err));
    TRY(comparisons_make(&source->comparisons, &source->summary, err));
cleanup:
    return rc;
}

void comparison_set_release(struct comparison_set *set) {
    for (size_t i = 0; i < set->n; i++) {
        comparisons_release(&set->list[i]->comparisons);
        summary_release(&set->list[i]->summary);
        free(set->list[i]);
    }
    free(set->list);
    *set = (struct comparison_set){0};
}
