/*
 * bench_report.h - what was measured, for people and for programs.
 */
#ifndef BENCH_BENCH_REPORT_H
#define BENCH_BENCH_REPORT_H

#include "base/text.h"
#include "bench/bench_timing.h"

void bench_report_text(struct text *out, const struct measured *m);

/* One object; its keys are those of the table's columns. */
enum err_code bench_report_json(struct text *out, const struct measured *m, struct err *err);

#endif
