#include "bench/bench_size.h"

#include <string.h>

enum { MIB = 1 << 20 };

const struct bench_size BENCH_SIZES[] = {
    {
        .name = "tiny",
        .dims = {.L = 2, .H = 2, .E = 32, .inputs = 5, .positions = 64, .epsilon = 1e-5F},
        .trained_points = 16,
        .pretrain_prompts = 8,
        .points = 26,
        .prompts = 32,
        .batch = 16,
        .few = 8,
        .read_bytes = (size_t)64 * MIB,
        .sgemm = 256,
        .sgemm_flops = 2e8,
    },
    {
        .name = "small",
        .dims = {.L = 6, .H = 4, .E = 64, .inputs = 5, .positions = 96, .epsilon = 1e-5F},
        .trained_points = 16,
        .pretrain_prompts = 64,
        .points = 41,
        .prompts = 1024,
        .batch = 256,
        .few = 128,
        .read_bytes = (size_t)1024 * MIB,
        .sgemm = 1024,
        .sgemm_flops = 1e10,
    },
    {
        .name = "standard",
        .dims = {.L = 12, .H = 8, .E = 256, .inputs = 20, .positions = 202, .epsilon = 1e-5F},
        .trained_points = 41,
        .pretrain_prompts = 64,
        .points = 71,
        .prompts = 256,
        .batch = 256,
        .few = 32,
        .read_bytes = (size_t)1024 * MIB,
        .sgemm = 1024,
        .sgemm_flops = 1e10,
    },
};
const size_t BENCH_SIZE_COUNT = sizeof BENCH_SIZES / sizeof *BENCH_SIZES;

const struct bench_size *bench_size_find(const char *name) {
    for (size_t i = 0; i < BENCH_SIZE_COUNT; i++)
        if (strcmp(BENCH_SIZES[i].name, name) == 0) return &BENCH_SIZES[i];
    return NULL;
}
