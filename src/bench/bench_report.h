/*
 * bench_report.h - prints the results of a benchmark as a text table or as JSON.
 */
#ifndef BENCH_BENCH_REPORT_H
#define BENCH_BENCH_REPORT_H

#include "base/text.h"
#include "bench/bench_timing.h"

void bench_report_text(struct text *out, const struct measured *m);

/* One object, whose lines have the columns of the table as keys. */
enum err_code bench_report_json(struct text *out, const struct measured *m, struct err *err);

#endif
