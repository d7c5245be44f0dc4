/*
 * rates_table.h - a table of rates compared with their limits, for `bench dispatch` and `scaling`.
 */
#ifndef BENCH_RATES_TABLE_H
#define BENCH_RATES_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "bench/median.h"

enum { RATES_LINES = 64, RATES_REPEATS = MEDIAN_MAX };

struct rates_table_line {
    char name[48];
    const char *unit; /* static */
    size_t ranks;
    double rates[RATES_REPEATS]; /* units per second, of all ranks together */
    size_t n;
    double limit; /* 0: unknown */
};

struct rates_table {
    const char *bench, *size;
    const char *limit; /* describes the limits, for the title */
    struct rates_table_line lines[RATES_LINES];
    size_t n_lines;
};

/* The line of that name and number of ranks; added if there is none. */
struct rates_table_line *rates_table_line(struct rates_table *t, const char *name, const char *unit,
                                          size_t ranks);

/* At most RATES_REPEATS rates per line. */
void rates_table_add(struct rates_table_line *line, double rate);
double rates_table_median(const struct rates_table_line *line);

void rates_table_text(struct text *out, const struct rates_table *t);
enum err_code rates_table_json(struct text *out, const struct rates_table *t, struct err *err);

#endif
