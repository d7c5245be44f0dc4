/*
 * rates_table.h - rates of whole programs, each beside what it could be: dispatch and scaling.
 */
#ifndef BENCH_RATES_TABLE_H
#define BENCH_RATES_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "bench/median.h"

enum { TALLY_LINES = 64, TALLY_REPEATS = MEDIAN_MAX };

struct rates_table_line {
    char name[48];
    const char *unit; /* static */
    size_t ranks;
    double rates[TALLY_REPEATS]; /* units a second, of all ranks together */
    size_t n;
    double limit; /* the rate it could have; 0: none is known */
};

struct rates_table {
    const char *bench, *size;
    const char *limit; /* what the limit is, half a line */
    struct rates_table_line lines[TALLY_LINES];
    size_t n_lines;
};

/* The line of that name and number of ranks, made when it is new. */
struct rates_table_line *rates_table_line(struct rates_table *t, const char *name, const char *unit,
                                          size_t ranks);

/* At most TALLY_REPEATS rates a line. */
void rates_table_add(struct rates_table_line *line, double rate);
double rates_table_median(const struct rates_table_line *line);

void rates_table_text(struct text *out, const struct rates_table *t);
enum err_code rates_table_json(struct text *out, const struct rates_table *t, struct err *err);

#endif
