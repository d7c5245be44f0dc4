/*
 * blas_kernel.h - is OpenBLAS running the kernel that is this CPU's own?
 *
 * OPENBLAS_CORETYPE in the environment pins another one, which can halve the speed: right where
 * machines of several kinds must give the same bits, a trap where somebody measures.
 */
#ifndef MACHINE_BLAS_KERNEL_H
#define MACHINE_BLAS_KERNEL_H

#include "base/log.h"

enum blas_kernel_state {
    CORE_OWN,    /* what OpenBLAS chose, or a pinned one that is as fast */
    CORE_SLOWER, /* pinned to a slower kernel than the CPU's own */
    CORE_UNKNOWN /* pinned to a name OpenBLAS does not know: it chose for itself */
};

enum { CORE_LINE = 256 };

/* What is so, and what to do, in one line. */
enum blas_kernel_state blas_kernel_look(char line[CORE_LINE]);

/* A warning where it is not the CPU's own. */
void blas_kernel_warn(const struct log *log);

#endif
