/*
 * blas_kernel.h - does OpenBLAS use the kernel made for this CPU?
 *
 * OPENBLAS_CORETYPE in the environment pins another one, which can halve the speed.  That is needed
 * where machines of several kinds must give the same bits, and wrong where speed is measured.
 */
#ifndef MACHINE_BLAS_KERNEL_H
#define MACHINE_BLAS_KERNEL_H

#include "base/log.h"

enum blas_kernel_state {
    CORE_OWN,    /* the one OpenBLAS chose, or a pinned one that is as fast */
    CORE_SLOWER, /* pinned to a slower kernel than the CPU's own */
    CORE_UNKNOWN /* the pinned name is not one of OpenBLAS, which ignores it */
};

enum { CORE_LINE = 256 };

/* line: the state and what to do about it. */
enum blas_kernel_state blas_kernel_look(char line[CORE_LINE]);

/* Logs a warning unless the state is CORE_OWN. */
void blas_kernel_warn(const struct log *log);

#endif
