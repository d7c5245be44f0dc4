/*
 * report.h - what was measured, for people and for programs.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "base/text.h"
#include "bench/measure.h"

void report_text(struct text *out, const struct measured *m);

/* One object; its keys are those of the table's columns. */
enum err_code report_json(struct text *out, const struct measured *m, struct err *err);

#endif
