/*
 * cell_text.h - numbers as cells of a table: short for people, exact for programs.
 */
#ifndef RUN_TABLES_CELL_TEXT_H
#define RUN_TABLES_CELL_TEXT_H

#include "stats/interval.h"

enum { CELL_TEXT = 48 };

/* Four significant digits: "0.00812", "1.2e-05"; "-" for NaN. */
void cell_text_short(char out[CELL_TEXT], double value);

/* The shortest decimal that reads back to the same bits; "" for NaN. */
void cell_text_exact(char out[CELL_TEXT], double value);

/* "0.094 ±0.015": value and half the width of the interval, both to the second significant digit of
 * the latter; "4e-15 ±2e-15" where both are below 1e-3; "-" for NaN. */
void cell_text_interval(char out[CELL_TEXT], const struct interval *i);

#endif
