/*
 * limit.h - what the machine can do: sgemm and reading memory, on every rank at once.
 *
 * sgemm is timed at 1024^3, 2048^3 (smaller for `tiny`) and at the products of the model at hand;
 * the best one counts.
 */
#ifndef BENCH_LIMIT_H
#define BENCH_LIMIT_H

#include <stddef.h>

#include "base/err.h"
#include "bench/size.h"

struct limit;

enum err_code limit_open(struct limit **out, const struct bench_size *size, struct err *err);
void limit_close(struct limit *l); /* NULL-safe */

/* Probes 0 .. limit_sgemms() - 1 multiply, the last one reads; each takes some tenths of a second,
 * at `tiny` much less. */
size_t limit_probes(const struct limit *l);
size_t limit_sgemms(const struct limit *l);
void limit_probe(struct limit *l, size_t probe);

double limit_work(const struct limit *l, size_t probe); /* operations, or bytes, of a probe */
void limit_name(char out[48], const struct limit *l, size_t probe); /* "5248x1024x256" */

#endif
