/*
 * tally.h - rates of whole programs, each beside what it could be: dispatch and scaling.
 */
#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "bench/median.h"

enum { TALLY_LINES = 64, TALLY_REPEATS = MEDIAN_MAX };

struct tally_line {
    char name[48];
    const char *unit; /* static */
    size_t ranks;
    double rates[TALLY_REPEATS]; /* units a second, of all ranks together */
    size_t n;
    double limit; /* the rate it could have; 0: none is known */
};

struct tally {
    const char *bench, *size;
    const char *limit; /* what the limit is, half a line */
    struct tally_line lines[TALLY_LINES];
    size_t n_lines;
};

/* The line of that name and number of ranks, made when it is new. */
struct tally_line *tally_line(struct tally *t, const char *name, const char *unit, size_t ranks);

/* At most TALLY_REPEATS rates a line. */
void tally_add(struct tally_line *line, double rate);
double tally_median(const struct tally_line *line);

void tally_text(struct text *out, const struct tally *t);
enum err_code tally_json(struct text *out, const struct tally *t, struct err *err);

#endif
