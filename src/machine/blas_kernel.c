#include "machine/blas_kernel.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "ops/blas.h"

/* Kernel families of OpenBLAS on x86-64. rank: 1 SSE, 2 AVX, 3 AVX2, 4 AVX-512. */
struct core_rank {
    const char *name;
    int rank;
};

static int rank_of(const char *core) {
    static const struct core_rank ranks[] = {
        {"Prescott", 1},    {"Core2", 1},         {"Penryn", 1},     {"Dunnington", 1},
        {"Nehalem", 1},     {"Atom", 1},          {"Barcelona", 1},  {"Opteron", 1},
        {"Sandybridge", 2}, {"Bulldozer", 2},     {"Piledriver", 2}, {"Steamroller", 2},
        {"Excavator", 3},   {"Haswell", 3},       {"Zen", 3},        {"SkylakeX", 4},
        {"Cooperlake", 4},  {"SapphireRapids", 4}};
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++)
        if (strcasecmp(ranks[i].name, core) == 0) return ranks[i].rank;
    return 0;
}

int blas_kernel_cpu(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512cd"))
        return 4;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 3;
    return __builtin_cpu_supports("avx") ? 2 : 1;
}

static const char *best_for(int cpu) {
    static const char *const names[] = {"Nehalem", "Sandybridge", "Haswell", "SkylakeX"};
    return names[cpu - 1];
}

enum blas_kernel_state blas_kernel_judge(char line[CORE_LINE], const char *core, const char *pinned,
                                         int cpu) {
    const int rank = rank_of(core);
    /* OpenBLAS ignores names that it does not know. */
    if (pinned && strcasecmp(pinned, core) != 0) {
        (void)snprintf(line, CORE_LINE,
                       "OPENBLAS_CORETYPE=%s names no kernel that OpenBLAS has for this CPU; it "
                       "uses %s: unset the variable, or name %s",
                       pinned, core, best_for(cpu));
        return CORE_UNKNOWN;
    }
    if (pinned && rank != 0 && rank < cpu) {
        (void)snprintf(line, CORE_LINE,
                       "OPENBLAS_CORETYPE=%s pins a slower kernel than this CPU can run: export "
                       "OPENBLAS_CORETYPE=%s, unless machines of several kinds must give the same "
                       "bits",
                       pinned, best_for(cpu));
        return CORE_SLOWER;
    }
    /* Unpinned AVX2 kernels on a CPU with AVX-512 are OpenBLAS's considered choice, and about as
     * fast (docs/performance.md); older ones mean that it does not know the CPU. */
    if (!pinned && rank != 0 && rank < 3 && rank < cpu) {
        (void)snprintf(line, CORE_LINE,
                       "OpenBLAS does not know this CPU and took the slow kernel %s: before the "
                       "first run, export OPENBLAS_CORETYPE=%s (a run cannot change its kernel)",
                       core, best_for(cpu));
        return CORE_SLOWER;
    }
    (void)snprintf(line, CORE_LINE, "core %s%s%s", core,
                   pinned ? ", pinned by OPENBLAS_CORETYPE=" : "", pinned ? pinned : "");
    return CORE_OWN;
}

enum blas_kernel_state blas_kernel_look(char line[CORE_LINE]) {
    return blas_kernel_judge(line, blas_core(), getenv("OPENBLAS_CORETYPE"), blas_kernel_cpu());
}

void blas_kernel_warn(const struct log *log) {
    char line[CORE_LINE];
    if (blas_kernel_look(line) != CORE_OWN) log_line(log, LOG_WARNING, "%s", line);
}
