/*
 * main.c - compiled for plain x86-64, so that a CPU that lacks instructions of the rest gets a
 * message instead of an illegal instruction.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/err.h"
#include "base/version.h"
#include "cli/commands.h"

/* Bytes of address space that OpenBLAS takes when it is loaded, rounded up. */
#define BLAS_NEEDS ((size_t)256 << 20)

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

/* OpenBLAS allocates its work buffers in a constructor, before main(), and repeats that for ever
 * where it fails. A function of .preinit_array runs before the constructors of libraries. */
static void check_address_space(void) {
    static const char message[] =
        "taskvec: the limit of address space is too small for OpenBLAS, which would wait for "
        "memory "
        "for ever: raise ulimit -v, or limit the memory of a control group instead\n";
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
    void *probe = mmap(NULL, BLAS_NEEDS, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (probe != MAP_FAILED) {
        (void)munmap(probe, BLAS_NEEDS);
        return;
    }
    const ssize_t ignored = write(STDERR_FILENO, message, sizeof message - 1);
    (void)ignored;
    _exit(EXIT_SYSTEM);
}

__attribute__((section(".preinit_array"),
               used)) static void (*const before_libraries)(void) = check_address_space;

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
