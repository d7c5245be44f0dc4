/*
 * main.c - compiled for plain x86-64, so that a CPU that lacks instructions of the rest gets a
 * message instead of an illegal instruction.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/version.h"
#include "cli/commands.h"

/* The first feature of x86-64-v3 that this CPU lacks, or NULL. */
static const char *missing_feature(void) {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx")) return "AVX";
    if (!__builtin_cpu_supports("avx2")) return "AVX2";
    if (!__builtin_cpu_supports("fma")) return "FMA";
    if (!__builtin_cpu_supports("bmi")) return "BMI1";
    if (!__builtin_cpu_supports("bmi2")) return "BMI2";
    return NULL;
}

int main(int argc, char **argv) {
    const char *flags = version_flags();
    const char *missing = missing_feature();
    if (missing && (strstr(flags, "-march=x86-64-v3") || strstr(flags, "-march=native"))) {
        (void)fprintf(stderr,
                      "taskvec: this CPU has no %s, which this binary needs (x86-64-v3); run on "
                      "another node, or build with -DTASKVEC_ARCH=x86-64\n",
                      missing);
        return EXIT_CONFIG;
    }
    /* Files are sealed before anyone reads them; many cluster file systems have no locks. */
    (void)setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);
    return run_main(argc, argv);
}
