/*
 * blas_kernel.h - does OpenBLAS run the fastest kernel that this CPU can run?
 *
 * Two causes of a slower one: OPENBLAS_CORETYPE in the environment pins it, which is right where
 * machines of several kinds must give the same bits; or OpenBLAS does not know the CPU, takes
 * Prescott (SSE), and needs about twice the processor time.
 */
#ifndef MACHINE_BLAS_KERNEL_H
#define MACHINE_BLAS_KERNEL_H

#include "base/log.h"

enum blas_kernel_state {
    CORE_OWN,    /* as fast as this CPU allows, judging by the name of the kernel */
    CORE_SLOWER, /* pinned to a slower kernel, or OpenBLAS does not know the CPU */
    CORE_UNKNOWN /* the pinned name is not one of OpenBLAS, which ignores it */
};

enum { CORE_LINE = 256 };

/* line: the state and what to do about it. */
enum blas_kernel_state blas_kernel_look(char line[CORE_LINE]);

/* The same for any machine. core: kernel in use; pinned: OPENBLAS_CORETYPE, or NULL; cpu: as
 * blas_kernel_cpu() returns it. */
enum blas_kernel_state blas_kernel_judge(char line[CORE_LINE], const char *core, const char *pinned,
                                         int cpu);

/* What this CPU and the operating system support: 1 SSE, 2 AVX, 3 AVX2 with FMA, 4 AVX-512 as
 * SkylakeX kernels need it (F, DQ, BW, VL, CD). */
int blas_kernel_cpu(void);

/* Logs a warning unless the state is CORE_OWN. For rank 0. */
void blas_kernel_warn(const struct log *log);

#endif
