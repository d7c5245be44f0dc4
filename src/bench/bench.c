#include "bench/bench.h"

#include <string.h>

extern const struct bench bench_pretrain, bench_capture, bench_fit, bench_curve, bench_effects,
    bench_sharing, bench_model;

static const struct bench *const BENCHES[] = {&bench_pretrain, &bench_capture, &bench_fit,
                                              &bench_curve,    &bench_effects, &bench_sharing,
                                              &bench_model};

size_t bench_count(void) { return sizeof BENCHES / sizeof *BENCHES; }

const struct bench *bench_at(size_t i) { return BENCHES[i]; }

const struct bench *bench_find(const char *name) {
    for (size_t i = 0; i < bench_count(); i++)
        if (strcmp(BENCHES[i]->name, name) == 0) return BENCHES[i];
    return NULL;
}
