#include "machine/blas_kernel.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "ops/blas.h"

struct core_rank { /* kernel families of OpenBLAS on x86-64, the slower first */
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

static int rank_of_cpu(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")) return 4;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 3;
    return __builtin_cpu_supports("avx") ? 2 : 1;
}

/* OpenBLAS ignores names that it does not know. */
static bool is_used(const char *pinned) { return strcasecmp(pinned, blas_core()) == 0; }

enum blas_kernel_state blas_kernel_look(char line[CORE_LINE]) {
    const char *pinned = getenv("OPENBLAS_CORETYPE");
    const int core = rank_of(blas_core());
    if (pinned && !is_used(pinned)) {
        (void)snprintf(
            line, CORE_LINE,
            "OPENBLAS_CORETYPE=%s names no kernel that OpenBLAS has for this CPU; it uses "
            "%s: unset the variable, or name another kernel",
            pinned, blas_core());
        return CORE_UNKNOWN;
    }
    if (pinned && core != 0 && core < rank_of_cpu()) {
        (void)snprintf(line, CORE_LINE,
                       "OPENBLAS_CORETYPE=%s pins a slower kernel (%s) than this CPU's own: unset "
                       "it, unless machines of several kinds must give the same bits",
                       pinned, blas_core());
        return CORE_SLOWER;
    }
    (void)snprintf(line, CORE_LINE, "core %s%s%s", blas_core(),
                   pinned ? ", pinned by OPENBLAS_CORETYPE=" : "", pinned ? pinned : "");
    return CORE_OWN;
}

void blas_kernel_warn(const struct log *log) {
    char line[CORE_LINE];
    if (blas_kernel_look(line) != CORE_OWN) log_line(log, LOG_WARNING, "%s", line);
}
