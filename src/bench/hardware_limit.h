/*
 * hardware_limit.h - the limits of the machine: rates of sgemm and of reading memory, with all
 * ranks busy.
 *
 * sgemm, or the product of the arithmetic that the model is to have, is timed at 1024^3, at 2048^3
 * (smaller for `tiny`) and at the shapes of the model's products; the best rate counts.
 */
#ifndef BENCH_HARDWARE_LIMIT_H
#define BENCH_HARDWARE_LIMIT_H

#include <stddef.h>

#include "base/err.h"
#include "bench/bench_size.h"

struct hardware_limit;

enum err_code hardware_limit_open(struct hardware_limit **out, const struct bench_size *size,
                                  struct err *err);
void hardware_limit_close(struct hardware_limit *l); /* NULL-safe */

/* Probes 0 .. hardware_limit_sgemms() - 1 multiply matrices, the last one reads memory. Each takes
 * a few tenths of a second, at `tiny` much less. */
size_t hardware_limit_probes(const struct hardware_limit *l);
size_t hardware_limit_sgemms(const struct hardware_limit *l);
void hardware_limit_probe(struct hardware_limit *l, size_t probe);

double hardware_limit_work(const struct hardware_limit *l,
                           size_t probe); /* operations, or bytes, of a probe */
void hardware_limit_name(char out[48], const struct hardware_limit *l,
                         size_t probe); /* "5248x1024x256" */

#endif
